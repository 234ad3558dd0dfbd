/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/worker.h"

#include <time.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>

enum { NTP_UNIX_OFFSET = 2208988800u, NS_PER_SECOND = 1000000000 };

static void count(struct worker *w, enum verdict verdict)
{
	worker_count(&w->stats.verdicts[verdict], 1);
}

static uint64_t ntp_now(void)
{
	struct timespec now;

	/* Cannot fail: the clock exists and the pointer is good. */
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return ((uint64_t)now.tv_sec + NTP_UNIX_OFFSET) << 32 |
	       ((uint64_t)now.tv_nsec << 32) / NS_PER_SECOND;
}

static uint32_t hints_of(const struct rte_mbuf *m)
{
	uint32_t hints = 0;

	if (m->ol_flags & (RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED))
		hints |= NET_HINT_VLAN;
	/* What a port calls wrong is computed again: ports err, and wrong sums are rare. */
	if ((m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
		hints |= NET_HINT_UDP_CHECKED;
	return hints;
}

/* One run of octets, in place if the first buffer has room, else in a new one that replaces *m. */
static bool linearise(struct worker *w, struct rte_mbuf **m)
{
	struct rte_mbuf *flat;

	if (rte_pktmbuf_is_contiguous(*m) || rte_pktmbuf_linearize(*m) == 0)
		return true;
	flat = rte_pktmbuf_alloc(w->pool);
	if (!flat)
		return false;
	if (rte_pktmbuf_pkt_len(*m) > rte_pktmbuf_tailroom(flat)) {
		rte_pktmbuf_free(flat);
		return false;
	}
	for (const struct rte_mbuf *segment = *m; segment; segment = segment->next)
		rte_memcpy(rte_pktmbuf_append(flat, segment->data_len),
			rte_pktmbuf_mtod(segment, const void *), segment->data_len);
	flat->ol_flags = (*m)->ol_flags & (RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED |
						  RTE_MBUF_F_RX_L4_CKSUM_MASK);
	rte_pktmbuf_free(*m);
	*m = flat;
	return true;
}

static void queue_answer(struct worker *w, const struct net_packet *packet)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(w->pool);
	size_t len =
		m ? net_answer(packet, rte_pktmbuf_mtod(m, uint8_t *), rte_pktmbuf_tailroom(m)) : 0;

	if (len == 0) {
		rte_pktmbuf_free(m);
		return count(w, VERDICT_DROP_NO_BUFFER);
	}
	rte_pktmbuf_append(m, (uint16_t)len);
	w->burst.tx[w->burst.n_tx++] = m;
	count(w, packet->verdict);
}

/* Room for an answer of one packet: the engine refuses what would be larger, so that its sender
 * learns of it. */
static uint16_t room_for_answer(const struct port *port, const struct rte_mbuf *m, size_t headers)
{
	const size_t frame = (size_t)NET_ETH_LEN + port->mtu, buffer = rte_pktmbuf_tailroom(m);
	const size_t most = frame < buffer ? frame : buffer;

	return most > headers ? (uint16_t)(most - headers) : 0;
}

static void queue_message(
	struct worker *w, const struct port *port, const struct net_packet *packet)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(w->pool);
	size_t headers = net_headers_len(packet->flow.family);
	unsigned int i = w->burst.n_messages;

	if (!m)
		return count(w, VERDICT_DROP_NO_BUFFER);
	w->burst.n_messages++;
	w->burst.responses[i] = m;
	w->burst.flows[i] = packet->flow;
	w->burst.messages[i] = (struct engine_msg){
		.request = packet->payload,
		.request_len = packet->payload_len,
		.response = rte_pktmbuf_mtod_offset(m, uint8_t *, headers),
		.response_cap = room_for_answer(port, m, headers),
	};
}

static void classify(
	struct worker *w, const struct port *port, const struct net_host *host, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		struct net_packet packet;
		struct net_frame frame;

		if (i + 1 < n)
			rte_prefetch0(rte_pktmbuf_mtod(w->burst.rx[i + 1], const void *));
		if (!linearise(w, &w->burst.rx[i])) {
			count(w, VERDICT_DROP_FRAME_SEGMENTS);
			continue;
		}
		frame = (struct net_frame){
			.data = rte_pktmbuf_mtod(w->burst.rx[i], const uint8_t *),
			.len = rte_pktmbuf_data_len(w->burst.rx[i]),
			.hints = hints_of(w->burst.rx[i]),
		};
		net_classify(host, &frame, &packet);
		if (packet.action == NET_MESSAGE)
			queue_message(w, port, &packet);
		else if (packet.action == NET_ANSWER)
			queue_answer(w, &packet);
		else
			count(w, packet.verdict);
	}
}

/* May the response leave; counts the reason when not. */
static bool may_leave(struct worker *w, const struct snapshot *s, unsigned int i, uint64_t now_ms)
{
	const struct engine_msg *msg = &w->burst.messages[i];
	const struct net_flow *flow = &w->burst.flows[i];
	const struct verdict_info *info = verdict_info((enum verdict)msg->verdict);

	if (msg->response_len == 0)
		return false;
	if (!info->authenticated && info->error_no != VERDICT_SILENT) {
		enum verdict limit =
			limiter_take(w->limiter, &s->errors, flow->family, flow->theirs, now_ms);

		if (limit != VERDICT_PENDING) {
			count(w, limit);
			return false;
		}
	}
	return true;
}

static void queue_response(struct worker *w, const struct port *port, unsigned int i)
{
	const struct net_flow *flow = &w->burst.flows[i];
	struct rte_mbuf *m = w->burst.responses[i];
	uint16_t payload_len = w->burst.messages[i].response_len;
	size_t headers = net_headers_len(flow->family);

	net_message_headers(flow, rte_pktmbuf_mtod(m, uint8_t *), payload_len, w->burst.ip_id++,
		port->tx_udp_checksum ? NET_CHECKSUM_PSEUDO : NET_CHECKSUM_FULL);
	rte_pktmbuf_append(m, (uint16_t)(headers + payload_len));
	if (port->tx_udp_checksum) {
		m->l2_len = NET_ETH_LEN;
		m->l3_len = flow->family == 4 ? NET_IPV4_LEN : NET_IPV6_LEN;
		m->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM |
			       (flow->family == 4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6);
	}
	w->burst.tx[w->burst.n_tx++] = m;
}

static void answer_messages(struct worker *w, const struct port *port, const struct snapshot *s,
	const struct engine_view *view)
{
	uint64_t now_ms = rte_rdtsc() / w->cycles_per_ms;
	unsigned int n = w->burst.n_messages;

	engine_process(w->engine, view, ntp_now(), w->burst.messages, n);
	worker_count(&w->stats.messages, n);
	for (unsigned int i = 0; i < n; i++) {
		count(w, (enum verdict)w->burst.messages[i].verdict);
		if (may_leave(w, s, i, now_ms))
			queue_response(w, port, i);
		else
			rte_pktmbuf_free(w->burst.responses[i]);
	}
}

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

void worker_burst(struct worker *w, const struct port *port, unsigned int n)
{
	struct engine_view view;
	const struct snapshot *s = snapshot_view(w->shared, &view);
	struct net_host host;

	w->burst.n_messages = 0;
	worker_count(&w->stats.bursts, 1);
	if (!s) {
		worker_count(&w->stats.verdicts[VERDICT_DROP_NOT_READY], n);
	} else {
		host.addresses = &s->addresses;
		host.mac_shared = port->mac_shared;
		memcpy(host.mac, port->mac, NET_MAC_LEN);
		classify(w, port, &host, n);
		if (w->burst.n_messages > 0)
			answer_messages(w, port, s, &view);
	}
	/* The requests were needed until here. */
	rte_pktmbuf_free_bulk(w->burst.rx, n);
	worker_transmit(w, port);
}
