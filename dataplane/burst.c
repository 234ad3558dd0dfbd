/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/output.h"
#include "dataplane/worker.h"

#include <time.h>

enum { NTP_UNIX_OFFSET = 2208988800u, NS_PER_SECOND = 1000000000 };

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

	/* RTE_MBUF_F_RX_VLAN alone: the tag is in the frame as well. */
	if (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED)
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
	flat->vlan_tci = (*m)->vlan_tci;
	flat->ol_flags = (*m)->ol_flags & (RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED |
						  RTE_MBUF_F_RX_L4_CKSUM_MASK);
	rte_pktmbuf_free(*m);
	*m = flat;
	return true;
}

static void queue_answer(struct worker *w, const struct port *port, const struct net_packet *packet)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(w->pool);
	size_t len =
		m ? net_answer(packet, rte_pktmbuf_mtod(m, uint8_t *), rte_pktmbuf_tailroom(m)) : 0;

	if (len == 0) {
		rte_pktmbuf_free(m);
		return worker_verdict(w, VERDICT_DROP_NO_BUFFER);
	}
	rte_pktmbuf_append(m, (uint16_t)len);
	output_frame(w, port, &packet->flow, m);
	worker_verdict(w, packet->verdict);
}

static void queue_message(struct worker *w, const struct net_packet *packet)
{
	unsigned int i = w->burst.n_messages++;

	w->burst.flows[i] = packet->flow;
	w->burst.messages[i] = (struct engine_msg){
		.request = packet->payload,
		.request_len = packet->payload_len,
		.response = output_response_at(w, i),
		.response_cap = WORKER_RESPONSE_MAX,
	};
}

/* A fragment becomes the message that it completes, or gets its verdict. */
static void reassemble(struct worker *w, const struct net_host *host, struct net_packet *packet)
{
	const uint8_t *datagram;
	uint32_t len;
	enum verdict verdict = reassembly_take(w->reassembly, &packet->flow, &packet->fragment,
		packet->payload, w->burst.now_ms, &datagram, &len);

	packet->verdict = (uint16_t)verdict;
	packet->action = NET_DROP;
	if (verdict == VERDICT_PENDING)
		net_reassembled(host, datagram, len, packet);
}

static void handle(struct worker *w, const struct port *port, const struct net_host *host,
	struct net_packet *packet)
{
	enum verdict limit;

	if (packet->action == NET_DROP)
		return worker_verdict(w, packet->verdict);
	limit = limiter_frame(
		w->limiter, &w->burst.snapshot->limits, &packet->flow, w->burst.now_ms);
	if (limit != VERDICT_PENDING)
		return worker_verdict(w, limit);
	if (packet->action == NET_FRAGMENT)
		reassemble(w, host, packet);
	if (packet->action == NET_MESSAGE)
		queue_message(w, packet);
	else if (packet->action == NET_ANSWER)
		queue_answer(w, port, packet);
	else
		worker_verdict(w, packet->verdict);
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
			worker_verdict(w, VERDICT_DROP_FRAME_SEGMENTS);
			continue;
		}
		frame = (struct net_frame){
			.data = rte_pktmbuf_mtod(w->burst.rx[i], const uint8_t *),
			.len = rte_pktmbuf_data_len(w->burst.rx[i]),
			.hints = hints_of(w->burst.rx[i]),
			.tci = w->burst.rx[i]->vlan_tci,
		};
		net_classify(host, &frame, &packet);
		handle(w, port, host, &packet);
	}
}

enum verdict worker_admit(void *arg, const struct subscriber *sender, const uint8_t *mac)
{
	struct worker *w = arg;
	const struct limiter_message message = {
		/* A record that is replaced begins anew: that is rare. */
		.subscriber = (uintptr_t)sender,
		.is_function = (sender->roles & SUBSCRIBER_FUNCTION) != 0,
		.mac = mac,
	};

	return limiter_message(w->limiter, &w->burst.snapshot->limits, &message, w->burst.now_ms);
}

/* May the response leave; counts the reason when not. */
static bool may_leave(struct worker *w, unsigned int i)
{
	const struct engine_msg *msg = &w->burst.messages[i];
	const struct verdict_info *info = verdict_info((enum verdict)msg->verdict);

	if (msg->response_len == 0)
		return false;
	if (!info->authenticated && info->error_no != VERDICT_SILENT) {
		enum verdict limit = limiter_error(w->limiter, &w->burst.snapshot->limits,
			&w->burst.flows[i], w->burst.now_ms);

		if (limit != VERDICT_PENDING) {
			worker_verdict(w, limit);
			return false;
		}
	}
	return true;
}

static void count_key(struct worker *w, const struct engine_msg *msg)
{
	struct key_uses *uses;

	if (msg->key_slot >= KEY_SLOTS)
		return;
	uses = &w->keys.slot[msg->key_slot];
	worker_count(msg->verdict == VERDICT_REQUEST_OK ? &uses->sealed : &uses->resolved, 1);
}

static void answer_messages(
	struct worker *w, const struct port *port, const struct engine_view *view)
{
	unsigned int n = w->burst.n_messages;

	engine_process(w->engine, view, ntp_now(), w->burst.messages, n);
	worker_count(&w->stats.messages, n);
	for (unsigned int i = 0; i < n; i++) {
		worker_verdict(w, (enum verdict)w->burst.messages[i].verdict);
		count_key(w, &w->burst.messages[i]);
		if (may_leave(w, i))
			output_response(w, port, i);
	}
}

void worker_settle(struct worker *w, uint64_t now_ms)
{
	const struct reassembly_lost lost = reassembly_settle(w->reassembly, now_ms);

	worker_count(&w->stats.verdicts[VERDICT_DROP_FRAGMENT_TIMEOUT], lost.timeout);
	worker_count(&w->stats.verdicts[VERDICT_DROP_FRAGMENT_SOURCE], lost.source);
	worker_count(&w->stats.verdicts[VERDICT_DROP_FRAGMENT_FULL], lost.full);
}

void worker_burst(struct worker *w, const struct port *port, unsigned int n)
{
	struct engine_view view;
	const struct snapshot *s = snapshot_view(w->shared, &view);
	struct net_host host;

	w->burst.n_messages = 0;
	w->burst.now_ms = worker_now_ms(w);
	w->burst.snapshot = s;
	worker_count(&w->stats.bursts, 1);
	if (!s) {
		worker_count(&w->stats.verdicts[VERDICT_DROP_NOT_READY], n);
	} else {
		host.addresses = &s->addresses;
		host.vlans = &s->vlans;
		host.mac_shared = port->mac_shared;
		memcpy(host.mac, port->mac, NET_MAC_LEN);
		classify(w, port, &host, n);
		if (w->burst.n_messages > 0)
			answer_messages(w, port, &view);
	}
	/* The requests were needed until here. */
	rte_pktmbuf_free_bulk(w->burst.rx, n);
	if (reassembly_busy(w->reassembly))
		worker_settle(w, w->burst.now_ms);
	worker_transmit(w, port);
}
