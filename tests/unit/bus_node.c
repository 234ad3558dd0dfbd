/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/bus_node.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int on_record(void *arg, enum bus_table table, uint64_t origin, uint64_t version,
	const void *plain, size_t len)
{
	struct bus_node *n = arg;

	if (len >= sizeof(n->text) || (len == 4 && memcmp(plain, "junk", 4) == 0))
		return -EBADMSG;
	n->records++;
	n->table = table;
	n->origin = origin;
	n->version = version;
	memcpy(n->text, plain, len);
	n->text[len] = '\0';
	return 0;
}

static void on_refused(void *arg, enum bus_table table, uint64_t origin, enum bus_refusal why)
{
	struct bus_node *n = arg;

	(void)table;
	(void)origin;
	n->refused[why]++;
}

static void on_reachable(void *arg, bool is_reachable)
{
	((struct bus_node *)arg)->is_reachable = is_reachable;
}

static void on_caught_up(void *arg)
{
	((struct bus_node *)arg)->caught_up++;
}

void bus_node_open(struct bus_node *n, struct event_base *base, uint64_t origin,
	const struct bus_node_settings *settings)
{
	const struct bus_settings s = {.sentinels = settings->sentinels,
		.n_sentinels = settings->n_sentinels,
		.primary = "tkms",
		.user = settings->user ? settings->user : "",
		.password_file = settings->password_file ? settings->password_file : "",
		.prefix = "tkms",
		.poll_ms = settings->poll_ms};
	const struct bus_owner owner = {n, on_record, on_refused, on_reachable, on_caught_up, NULL};
	uint8_t kek[SEAL_KEK_LEN];
	struct reason why;

	memset(n, 0, sizeof(*n));
	memset(kek, settings->kek, sizeof(kek));
	n->sealer = sealer_new(kek);
	cr_assert(n->sealer);
	n->bus = bus_new(base, n->sealer, origin, &s, &owner, &why);
	cr_assert(n->bus, "%s", why.text);
}

void bus_node_close(struct bus_node *n)
{
	bus_free(n->bus);
	sealer_free(n->sealer);
	n->bus = NULL;
}

bool bus_node_is_reachable(void *arg)
{
	return ((struct bus_node *)arg)->is_reachable;
}

bool bus_node_is_lost(void *arg)
{
	return !((struct bus_node *)arg)->is_reachable;
}

bool bus_node_is_caught_up(void *arg)
{
	return ((struct bus_node *)arg)->caught_up > 0;
}

bool bus_node_has_version(void *arg)
{
	const struct bus_node *n = arg;

	return n->version == n->want_version;
}

bool bus_node_has_refused(void *arg)
{
	const struct bus_node *n = arg;
	return bus_status(n->bus)->refused[n->want_refusal] >= n->want_count;
}

bool bus_node_has_rewritten(void *arg)
{
	const struct bus_node *n = arg;

	return bus_status(n->bus)->rewrites >= n->want_count;
}
