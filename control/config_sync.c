/* SPDX-License-Identifier: BSD-3-Clause */
/* From the file to what it means: Redis and its Sentinels. */
#include <event2/util.h>
#include <netinet/in.h>
#include <string.h>

#include "control/config_raw.h"

#define KEY(section, name) #section "." #name
#define COMPLAIN(src, key, ...) \
	config_complain(        \
		(src)->errors, (src)->file, yaml_index_line((src)->index, key), key, __VA_ARGS__)

/* Numbers only: a name would have to be resolved while the event loop waits, by a service that has
 * to be up and to be trusted. */
static const char *refuse_sentinel(const char *text)
{
	struct sockaddr_storage sa;
	int len = sizeof(sa);

	if (evutil_parse_sockaddr_port(text, (struct sockaddr *)&sa, &len) < 0)
		return "is no ADDRESS:PORT (numbers, IPv6 in brackets)";
	if ((sa.ss_family == AF_INET && !((struct sockaddr_in *)&sa)->sin_port) ||
		(sa.ss_family == AF_INET6 && !((struct sockaddr_in6 *)&sa)->sin6_port))
		return "has no port";
	return NULL;
}

static void settle_sentinels(struct config *c, const struct config_source *src)
{
	const struct raw_sync *raw = &c->raw->sync;
	char key[64];

	if (raw->sentinels_count > CONFIG_SENTINELS_MAX) {
		COMPLAIN(src, KEY(sync, sentinels), "more than %d", CONFIG_SENTINELS_MAX);
		return;
	}
	for (unsigned int i = 0; i < raw->sentinels_count; i++) {
		const char *why = refuse_sentinel(raw->sentinels[i]);

		for (unsigned int j = 0; !why && j < i; j++) {
			if (strcmp(raw->sentinels[i], raw->sentinels[j]) == 0)
				why = "is there twice";
		}
		snprintf(key, sizeof(key), "sync.sentinels[%u]", i);
		if (why)
			COMPLAIN(src, key, "\"%s\" %s", raw->sentinels[i], why);
		c->sync.sentinels[i] = raw->sentinels[i];
	}
	c->sync.n_sentinels = raw->sentinels_count;
}

static void check_token(const char *key, const char *text, const struct config_source *src)
{
	for (; *text; text++) {
		if (*text <= ' ' || *text > '~') {
			COMPLAIN(src, key, "has a blank or an octet that is not printable");
			return;
		}
	}
}

void config_settle_sync(struct config *c, const struct config_source *src)
{
	settle_sentinels(c, src);
	check_token(KEY(sync, primary), c->sync.primary, src);
	check_token(KEY(sync, user), c->sync.user, src);
	check_token(KEY(sync, prefix), c->sync.prefix, src);
	if (*c->sync.password_file && *c->sync.password_file != '/')
		COMPLAIN(src, KEY(sync, password_file), "\"%s\" is no absolute path",
			c->sync.password_file);
	if (*c->sync.user && !*c->sync.password_file)
		COMPLAIN(src, KEY(sync, password_file), "missing: sync.user needs a password");
}
