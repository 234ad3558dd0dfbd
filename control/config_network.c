/* SPDX-License-Identifier: BSD-3-Clause */
/* From the file to what it means: VLANs and trusted edges. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/config_raw.h"

enum { EDGE_TEXT_MAX = 64 };

#define COMPLAIN(src, key, ...) \
	config_complain(        \
		(src)->errors, (src)->file, yaml_index_line((src)->index, key), key, __VA_ARGS__)

static bool parse_number(const char *text, unsigned long max, unsigned long *out)
{
	char *end;

	if (*text < '0' || *text > '9' || (text[0] == '0' && text[1]))
		return false;
	errno = 0;
	*out = strtoul(text, &end, 10);
	return errno == 0 && *end == '\0' && *out <= max;
}

static void settle_vlans(struct config *c, const struct config_source *src)
{
	static const char key[] = "service.vlans";
	const struct raw_service *raw = &c->raw->service;

	/* Not given: frames without a tag. */
	c->service.n_vlans = 1;
	if (!yaml_index_has(src->index, key))
		return;
	if (raw->vlans_count == 0 || raw->vlans_count > IPC_VLANS_MAX) {
		COMPLAIN(src, key, "needs 1 to %d entries", IPC_VLANS_MAX);
		return;
	}
	c->service.n_vlans = raw->vlans_count;
	for (unsigned int i = 0; i < raw->vlans_count; i++) {
		unsigned long id = 0;
		const char *why = NULL;
		char entry[64];

		if (!parse_number(raw->vlans[i], IPC_VLAN_MAX, &id))
			why = "is no VLAN id (0 to 4094)";
		c->service.vlans[i] = (uint16_t)id;
		for (unsigned int j = 0; !why && j < i; j++)
			if (c->service.vlans[j] == id)
				why = "is there twice";
		snprintf(entry, sizeof(entry), "%s[%u]", key, i);
		if (why)
			COMPLAIN(src, entry, "\"%s\" %s", raw->vlans[i], why);
	}
}

/* Octets behind the prefix are zero, or a mistake. */
static bool is_prefix(const uint8_t *octets, unsigned int n, unsigned int len)
{
	for (unsigned int bit = len; bit < 8 * n; bit++)
		if (octets[bit / 8] & (0x80 >> bit % 8))
			return false;
	return true;
}

static const char *parse_prefix(const char *text, struct ipc_prefix *p)
{
	char address[EDGE_TEXT_MAX];
	const char *slash = strchr(text, '/');
	unsigned long len;

	if (!slash || (size_t)(slash - text) >= sizeof(address))
		return "is no ADDRESS/PREFIX-LENGTH";
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	if (inet_pton(AF_INET, address, p->octets) == 1)
		p->family = 4;
	else if (inet_pton(AF_INET6, address, p->octets) == 1)
		p->family = 6;
	else
		return "is no IPv4 or IPv6 address";
	if (!parse_number(slash + 1, p->family == 4 ? 32 : 128, &len))
		return "has a wrong prefix length";
	p->len = (uint8_t)len;
	if (!is_prefix(p->octets, p->family == 4 ? 4 : 16, p->len))
		return "has bits behind the prefix";
	return NULL;
}

static void settle_edges(struct config *c, const struct config_source *src)
{
	static const char key[] = "limits.trusted_edges";
	const struct raw_limits *raw = &c->raw->limits;

	if (raw->trusted_edges_count > IPC_EDGES_MAX) {
		COMPLAIN(src, key, "more than %d", IPC_EDGES_MAX);
		return;
	}
	c->limits.n_trusted_edges = raw->trusted_edges_count;
	for (unsigned int i = 0; i < raw->trusted_edges_count; i++) {
		const char *why = parse_prefix(raw->trusted_edges[i], &c->limits.trusted_edges[i]);
		char entry[64];

		snprintf(entry, sizeof(entry), "%s[%u]", key, i);
		if (why)
			COMPLAIN(src, entry, "\"%s\" %s", raw->trusted_edges[i], why);
	}
}

void config_settle_network(struct config *c, const struct config_source *src)
{
	settle_vlans(c, src);
	settle_edges(c, src);
}
