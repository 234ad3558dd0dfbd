/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/output.h"

#include <rte_ethdev.h>

void worker_transmit(struct worker *w, const struct port *port)
{
	unsigned int n = w->burst.n_tx;
	unsigned int sent;

	w->burst.n_tx = 0;
	if (n == 0)
		return;
	/* Ports that compute checksums may want headers in a form of their own. */
	sent = port->tx_udp_checksum
		       ? rte_eth_tx_prepare(port->id, (uint16_t)w->index, w->burst.tx, (uint16_t)n)
		       : n;
	sent = rte_eth_tx_burst(port->id, (uint16_t)w->index, w->burst.tx, (uint16_t)sent);
	if (sent == n)
		return;
	worker_count(&w->stats.verdicts[VERDICT_DROP_TX_FULL], n - sent);
	rte_pktmbuf_free_bulk(w->burst.tx + sent, n - sent);
}

/* Puts the tag in, if there is one, and the frame into the queue. */
void output_frame(
	struct worker *w, const struct port *port, const struct net_flow *flow, struct rte_mbuf *m)
{
	if (flow->tagged) {
		/* Buffers begin with RTE_PKTMBUF_HEADROOM octets for that. */
		net_tag(flow, (uint8_t *)rte_pktmbuf_prepend(m, NET_VLAN_LEN));
		m->l2_len += NET_VLAN_LEN;
	}
	if (w->burst.n_tx == WORKER_TX)
		worker_transmit(w, port);
	w->burst.tx[w->burst.n_tx++] = m;
}

uint8_t *output_response_at(const struct worker *w, unsigned int i)
{
	return w->responses + i * (size_t)WORKER_RESPONSE_STRIDE + WORKER_RESPONSE_OFFSET;
}

/* Longest IP packet for that flow: IPv4 is fragmented on the way where it must be (DF is not set),
 * IPv6 is not. */
static uint32_t mtu_of(const struct worker *w, const struct port *port, uint8_t family)
{
	uint32_t mtu = port->mtu < w->packet_max ? port->mtu : w->packet_max;
	uint32_t path =
		family == 4 ? w->burst.snapshot->ipv4_path_mtu : w->burst.snapshot->ipv6_path_mtu;

	return path < mtu ? path : mtu;
}

static void queue_whole(struct worker *w, const struct port *port, unsigned int i)
{
	const struct net_flow *flow = &w->burst.flows[i];
	uint16_t payload_len = w->burst.messages[i].response_len;
	size_t headers = net_headers_len(flow->family);
	struct rte_mbuf *m = rte_pktmbuf_alloc(w->pool);

	if (!m)
		return worker_verdict(w, VERDICT_DROP_NO_BUFFER);
	rte_memcpy(rte_pktmbuf_mtod_offset(m, uint8_t *, headers), output_response_at(w, i),
		payload_len);
	net_message_headers(flow, rte_pktmbuf_mtod(m, uint8_t *), payload_len,
		(uint16_t)identification_next(w->ids, flow),
		port->tx_udp_checksum ? NET_CHECKSUM_PSEUDO : NET_CHECKSUM_FULL);
	rte_pktmbuf_append(m, (uint16_t)(headers + payload_len));
	if (port->tx_udp_checksum) {
		m->l2_len = NET_ETH_LEN;
		m->l3_len = flow->family == 4 ? NET_IPV4_LEN : NET_IPV6_LEN;
		m->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM |
			       (flow->family == 4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6);
	}
	output_frame(w, port, flow, m);
}

static void queue_fragments(
	struct worker *w, const struct port *port, unsigned int i, uint32_t mtu, unsigned int n)
{
	const struct net_flow *flow = &w->burst.flows[i];
	uint16_t payload_len = w->burst.messages[i].response_len;
	uint8_t *datagram = output_response_at(w, i) - NET_UDP_LEN;
	uint32_t id = identification_next(w->ids, flow);
	struct rte_mbuf *m[WORKER_FRAGMENTS_MAX];

	/* All or none. */
	if (n > WORKER_FRAGMENTS_MAX || rte_pktmbuf_alloc_bulk(w->pool, m, n) != 0)
		return worker_verdict(w, VERDICT_DROP_NO_BUFFER);
	/* No port sums over several packets. */
	net_udp_header(flow, datagram, payload_len, NET_CHECKSUM_FULL);
	for (unsigned int k = 0; k < n; k++) {
		size_t len = fragment_frame(flow, datagram, (uint32_t)NET_UDP_LEN + payload_len,
			mtu, id, k, rte_pktmbuf_mtod(m[k], uint8_t *));

		rte_pktmbuf_append(m[k], (uint16_t)len);
		output_frame(w, port, flow, m[k]);
	}
}

void output_response(struct worker *w, const struct port *port, unsigned int i)
{
	uint8_t family = w->burst.flows[i].family;
	uint32_t mtu = mtu_of(w, port, family);
	unsigned int n = fragment_count(
		family, (uint32_t)NET_UDP_LEN + w->burst.messages[i].response_len, mtu);

	if (n == 1)
		queue_whole(w, port, i);
	else
		queue_fragments(w, port, i, mtu, n);
}
