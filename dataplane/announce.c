/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/announce.h"

#include <string.h>

#include "dataplane/log.h"
#include "dataplane/net/arp.h"
#include "dataplane/net/nd.h"

static void forget_gone(struct announcer *a, const struct net_addresses *now)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < a->n; i++)
		if (a->pending[i].left > 0 &&
			net_addresses_has(now, a->pending[i].family, a->pending[i].octets))
			a->pending[kept++] = a->pending[i];
	a->n = kept;
}

static void note(struct announcer *a, const struct net_addresses *before, uint8_t family,
	const uint8_t *octets)
{
	if (before && net_addresses_has(before, family, octets))
		return;
	/* The same address on several ports is announced once. */
	for (unsigned int i = 0; i < a->n; i++)
		if (a->pending[i].family == family &&
			memcmp(a->pending[i].octets, octets,
				family == 4 ? NET_IPV4_OCTETS : NET_IPV6_OCTETS) == 0)
			return;
	a->pending[a->n].family = family;
	a->pending[a->n].left = ANNOUNCE_TIMES;
	memcpy(a->pending[a->n].octets, octets, family == 4 ? NET_IPV4_OCTETS : NET_IPV6_OCTETS);
	a->n++;
}

/* Entries are distinct addresses of the set that is served: there is always room for them. */
void announcer_update(
	struct announcer *a, const struct net_addresses *before, const struct net_addresses *now)
{
	forget_gone(a, now);
	for (unsigned int i = 0; i < now->n4; i++)
		note(a, before, 4, now->v4[i]);
	for (unsigned int i = 0; i < now->n6; i++)
		note(a, before, 6, now->v6[i]);
}

static bool send_one(struct worker *w, unsigned int port, uint8_t family, const uint8_t *octets)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(w->pool);
	uint8_t *frame;
	size_t len;

	if (!m)
		return false;
	frame = rte_pktmbuf_mtod(m, uint8_t *);
	len = family == 4 ? net_arp_announce(w->ports[port].mac, octets, frame)
			  : net_nd_announce(w->ports[port].mac, octets, frame);
	rte_pktmbuf_append(m, (uint16_t)len);
	m->port = (uint16_t)port;
	if (rte_ring_enqueue(w->announcements, m) == 0)
		return true;
	rte_pktmbuf_free(m);
	return false;
}

void announcer_tick(struct announcer *a, struct worker *w)
{
	bool all = true;

	for (unsigned int i = 0; i < a->n; i++) {
		if (a->pending[i].left == 0)
			continue;
		for (unsigned int port = 0; port < w->n_ports; port++)
			all &= send_one(w, port, a->pending[i].family, a->pending[i].octets);
		a->pending[i].left--;
	}
	if (!all)
		log_line(LOG_WARNING, "not every address could be announced this time", "worker=%u",
			w->index);
}
