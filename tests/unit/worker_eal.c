/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker with real packet buffers: bursts are put into its hands, what it sends comes out of a
 * ring. A plain program: the EAL and Criterion's processes do not go together. The port is DPDK's
 * ring device, or counts as one that sums by itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <urcu-qsbr.h>

#include "common/mikey/types.h"
#include "dataplane/announce.h"
#include "dataplane/output.h"
#include "dataplane/stats.h"
#include "net_frames.h"
#include "verdict_record.h"

enum { RING_SIZE = 128, QUEUE_SIZE = 64, BUFFER_SIZE = 4096, JUNK_LEN = 100 };

#define CHECK(condition)                                                                \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			exit(1);                                                        \
		}                                                                       \
	} while (0)

static struct shared shared;
static unsigned int stop;
static struct worker *w;
static struct port port = {.mtu = 1500, .mac_shared = false, .name = "ring", .driver = "net_ring"};
static struct rte_ring *sent;

static void publish_limits(
	uint32_t source_rate, uint32_t worker_rate, struct ipc_limit frames, uint16_t vlan)
{
	static const uint8_t key[32] = {7};
	static struct ipc_snapshot ipc;
	struct crypto *crypto = crypto_open("openssl");
	struct snapshot *s;
	const char *why;

	CHECK(crypto);
	ipc = (struct ipc_snapshot){.epoch = 5,
		.kms_identity = {(const uint8_t *)"kms@x", 5},
		.profile = 1,
		.max_skew_s = 300,
		.default_lifetime_s = 60,
		.max_lifetime_s = 60,
		.in_sync = 1,
		.roles = IPC_ROLES_ALL,
		.max_message = 8192,
		.max_idr_r = 32,
		.max_identity = 255,
		.max_keys = 16,
		.n_types = 1,
		.types = {{1, 1, 1}},
		.n_keys = 1,
		.keys = {{.id = {(const uint8_t *)"tpk-1", 5},
			.key = {key, 32},
			.seals_until = INT64_MAX,
			.resolves_until = INT64_MAX,
			.state = 1}},
		.errors_per_source_rate = source_rate,
		.errors_per_source_burst = 1,
		.errors_per_worker_rate = worker_rate,
		.source = frames,
		.n_vlans = 2,
		.vlans = {0, vlan},
		.n_addresses = 2,
		.addresses = {{.family = 4, .port = 2269}, {.family = 6, .port = 2269}}};
	memcpy(ipc.addresses[0].octets, frame_our4, 4);
	memcpy(ipc.addresses[1].octets, frame_our6, 16);
	CHECK(snapshot_build(&s, crypto, &ipc, &why) == 0);
	snapshot_publish(&shared, s);
	crypto_close(crypto);
}

static void publish(uint32_t source_rate, uint32_t worker_rate)
{
	publish_limits(source_rate, worker_rate, (struct ipc_limit){0}, 7);
}

static uint64_t counted(enum verdict v)
{
	return w->stats.verdicts[v];
}

/* Gives the worker a burst of n equal frames. */
static void burst_of(const struct frame *f, unsigned int n, uint64_t flags)
{
	for (unsigned int i = 0; i < n; i++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(w->pool);

		CHECK(m);
		memcpy(rte_pktmbuf_append(m, (uint16_t)f->len), f->octets, f->len);
		m->ol_flags |= flags;
		w->burst.rx[i] = m;
	}
	worker_burst(w, &port, n);
}

static struct rte_mbuf *take(void)
{
	void *m = NULL;

	return rte_ring_dequeue(sent, &m) == 0 ? m : NULL;
}

/* Everything that is not in the pool has leaked. */
static void expect_all_returned(void)
{
	struct rte_mbuf *m;

	while ((m = take()))
		rte_pktmbuf_free(m);
	CHECK(rte_mempool_in_use_count(w->pool) == 0);
}

/* A message that the engine answers with an Error before it knows who sent it: version 2. */
static struct frame junk_of(enum frame_kind kind, size_t len)
{
	struct frame f = frame_make(kind);
	size_t headers = kind == FRAME_UDP4 ? 42 : 62;
	size_t udp_len = 8 + len;

	memset(f.octets + headers, 0, len);
	f.octets[headers] = 2;
	f.octets[headers + 1] = MIKEY_REQUEST_INIT_PSK;
	f.octets[headers - 4] = (uint8_t)(udp_len >> 8);
	f.octets[headers - 3] = (uint8_t)udp_len;
	f.len = headers + len;
	if (kind == FRAME_UDP4)
		udp_len += 20;
	f.octets[kind == FRAME_UDP4 ? 16 : 18] = (uint8_t)(udp_len >> 8);
	f.octets[kind == FRAME_UDP4 ? 17 : 19] = (uint8_t)udp_len;
	frame_fix_checksums(&f);
	return f;
}

static struct frame junk(enum frame_kind kind)
{
	return junk_of(kind, JUNK_LEN);
}

static void nothing_is_answered_before_everything_is_there(void)
{
	struct frame f = frame_make(FRAME_ARP);

	burst_of(&f, 3, 0);
	CHECK(counted(VERDICT_DROP_NOT_READY) == 3);
	publish(0, 0);
	burst_of(&f, 2, 0);
	CHECK(counted(VERDICT_DROP_NOT_READY) == 5);
	CHECK(!take());
	subscribers_publish(&shared, subscriber_table_new(16));
	burst_of(&f, 2, 0);
	CHECK(counted(VERDICT_DROP_NOT_READY) == 5);
	CHECK(counted(VERDICT_ARP_ANSWERED) == 2);
	CHECK(rte_ring_count(sent) == 2);
	expect_all_returned();
}

static void echo_and_errors_leave_with_right_checksums(void)
{
	static const enum frame_kind echoes[] = {FRAME_ECHO4, FRAME_ECHO6},
				     messages[] = {FRAME_UDP4, FRAME_UDP6};

	for (int i = 0; i < 2; i++) {
		struct frame f = frame_make(echoes[i]);
		struct rte_mbuf *m;

		burst_of(&f, 1, 0);
		m = take();
		CHECK(m && frame_is_intact(rte_pktmbuf_mtod(m, const uint8_t *), m->pkt_len));
		rte_pktmbuf_free(m);
		f = junk(messages[i]);
		burst_of(&f, 1, 0);
		m = take();
		CHECK(m && frame_is_intact(rte_pktmbuf_mtod(m, const uint8_t *), m->pkt_len));
		/* MIKEY Error, not longer than what it answers */
		CHECK(rte_pktmbuf_mtod(m, const uint8_t *)[(i ? 62 : 42) + 1] == MIKEY_ERROR);
		CHECK(m->pkt_len <= f.len);
		rte_pktmbuf_free(m);
	}
	CHECK(counted(VERDICT_MESSAGE_VERSION) == 2);
	CHECK(w->stats.messages == 2);
	expect_all_returned();
}

static void port_that_sums_is_told_what_to_sum(void)
{
	struct frame f = junk(FRAME_UDP6);
	struct rte_mbuf *m;
	uint8_t *octets;
	uint16_t sum;

	port.tx_udp_checksum = true;
	burst_of(&f, 1, 0);
	port.tx_udp_checksum = false;
	m = take();
	CHECK(m && (m->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_UDP_CKSUM);
	CHECK(m->ol_flags & RTE_MBUF_F_TX_IPV6);
	CHECK(m->l2_len == 14 && m->l3_len == 40);
	octets = rte_pktmbuf_mtod(m, uint8_t *);
	sum = frame_checksum(octets + 54, m->pkt_len - 54, 0);
	octets[60] = (uint8_t)(sum >> 8);
	octets[61] = (uint8_t)sum;
	CHECK(frame_is_intact(octets, m->pkt_len));
	rte_pktmbuf_free(m);
	expect_all_returned();
}

/* The frame in pieces of size octets. */
static struct rte_mbuf *chain_of(const struct frame *f, size_t size)
{
	struct rte_mbuf *head = NULL;

	for (size_t off = 0; off < f->len; off += size) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(w->pool);
		size_t n = f->len - off < size ? f->len - off : size;

		CHECK(m);
		memcpy(rte_pktmbuf_append(m, (uint16_t)n), f->octets + off, n);
		if (!head)
			head = m;
		else
			CHECK(rte_pktmbuf_chain(head, m) == 0);
	}
	return head;
}

static void frames_in_pieces_are_put_together(void)
{
	struct frame f = frame_make(FRAME_ECHO4);
	uint64_t before = counted(VERDICT_ECHO_ANSWERED);
	struct rte_mbuf *m;

	for (size_t size = 1; size < f.len; size += 7) {
		w->burst.rx[0] = chain_of(&f, size);
		worker_burst(w, &port, 1);
		m = take();
		CHECK(m && frame_is_intact(rte_pktmbuf_mtod(m, const uint8_t *), m->pkt_len));
		rte_pktmbuf_free(m);
	}
	/* No room behind the first piece: a buffer of its own. */
	m = chain_of(&f, 20);
	m->data_off = (uint16_t)(m->buf_len - m->data_len);
	memcpy(rte_pktmbuf_mtod(m, void *), f.octets, m->data_len);
	w->burst.rx[0] = m;
	worker_burst(w, &port, 1);
	CHECK(counted(VERDICT_ECHO_ANSWERED) == before + (f.len + 5) / 7 + 1);
	expect_all_returned();
}

static void frames_that_fit_no_buffer_are_dropped(void)
{
	struct rte_mbuf *head = rte_pktmbuf_alloc(w->pool), *tail = rte_pktmbuf_alloc(w->pool);

	CHECK(head && tail);
	CHECK(rte_pktmbuf_append(head, BUFFER_SIZE) && rte_pktmbuf_append(tail, 100));
	memset(rte_pktmbuf_mtod(head, void *), 0, BUFFER_SIZE);
	CHECK(rte_pktmbuf_chain(head, tail) == 0);
	w->burst.rx[0] = head;
	worker_burst(w, &port, 1);
	CHECK(counted(VERDICT_DROP_FRAME_SEGMENTS) == 1);
	expect_all_returned();
}

static void what_the_port_found_out_counts(void)
{
	struct frame f = junk(FRAME_UDP4);
	uint64_t before = counted(VERDICT_MESSAGE_VERSION);

	f.octets[60] ^= 1;
	burst_of(&f, 1, RTE_MBUF_F_RX_L4_CKSUM_BAD);
	CHECK(counted(VERDICT_DROP_UDP_CHECKSUM) == 1);
	burst_of(&f, 1, RTE_MBUF_F_RX_L4_CKSUM_GOOD);
	CHECK(counted(VERDICT_MESSAGE_VERSION) == before + 1);
	/* A port that calls a right sum wrong is not believed. */
	f.octets[60] ^= 1;
	burst_of(&f, 1, RTE_MBUF_F_RX_L4_CKSUM_BAD);
	CHECK(counted(VERDICT_MESSAGE_VERSION) == before + 2);
	expect_all_returned();
}

static uint16_t get(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* Whether the port took the tag off, left it in, or left it in and tells it too. */
static void answers_carry_the_tag_of_what_they_answer(void)
{
	static const enum frame_kind kinds[] = {FRAME_ARP, FRAME_ECHO6, FRAME_UDP4};
	const uint64_t off = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;

	for (unsigned int i = 0; i < 9; i++) {
		struct frame f = i / 3 == 2 ? junk(FRAME_UDP4) : frame_make(kinds[i / 3]);
		struct rte_mbuf *m = rte_pktmbuf_alloc(w->pool);
		uint8_t *octets;

		CHECK(m);
		memcpy(rte_pktmbuf_append(m, (uint16_t)f.len), f.octets, f.len);
		if (i % 3 != 0)
			net_tag(&(struct net_flow){.tagged = true, .tci = 0x6007},
				(uint8_t *)rte_pktmbuf_prepend(m, 4));
		if (i % 3 != 1)
			m->ol_flags |= i % 3 ? RTE_MBUF_F_RX_VLAN : off;
		m->vlan_tci = i % 3 == 1 ? 0 : 0x6007;
		w->burst.rx[0] = m;
		worker_burst(w, &port, 1);
		m = take();
		CHECK(m);
		octets = rte_pktmbuf_mtod(m, uint8_t *);
		CHECK(get(octets + 12) == 0x8100 && get(octets + 14) == 0x6007);
		CHECK(memcmp(octets, frame_their_mac, 6) == 0);
		CHECK(memcmp(octets + 6, frame_our_mac, 6) == 0);
		memmove(octets + 4, octets, 12);
		CHECK(i / 3 == 0 || frame_is_intact(octets + 4, m->pkt_len - 4));
		rte_pktmbuf_free(m);
	}
	expect_all_returned();
}

static void vlans_that_are_not_served_are_dropped(void)
{
	struct frame f = frame_make(FRAME_ARP);

	burst_of(&f, 1, 0);
	publish_limits(0, 0, (struct ipc_limit){0}, 8);
	for (unsigned int i = 0; i < 2; i++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(w->pool);

		CHECK(m);
		memcpy(rte_pktmbuf_append(m, (uint16_t)f.len), f.octets, f.len);
		net_tag(&(struct net_flow){.tagged = true, .tci = (uint16_t)(7 + i)},
			(uint8_t *)rte_pktmbuf_prepend(m, 4));
		w->burst.rx[i] = m;
	}
	worker_burst(w, &port, 2);
	CHECK(counted(VERDICT_DROP_ETH_VLAN) == 1);
	CHECK(rte_ring_count(sent) == 2);
	publish(0, 0);
	expect_all_returned();
}

/* One half of a datagram each. */
static struct frame half_of(const struct frame *whole, unsigned int half, uint16_t id)
{
	struct frame f = {.len = 34 + 256};
	size_t len = whole->len - 34 - 256;

	memcpy(f.octets, whole->octets, 34);
	memcpy(f.octets + 34, whole->octets + 34 + (half ? 256 : 0), half ? len : 256);
	if (half)
		f.len = 34 + len;
	f.octets[16] = (uint8_t)((f.len - 14) >> 8);
	f.octets[17] = (uint8_t)(f.len - 14);
	f.octets[18] = (uint8_t)(id >> 8);
	f.octets[19] = (uint8_t)id;
	f.octets[20] = half ? 0 : 0x20;
	f.octets[21] = half ? 256 / 8 : 0;
	f.octets[24] = f.octets[25] = 0;
	len = frame_checksum(f.octets + 14, 20, 0);
	f.octets[24] = (uint8_t)(len >> 8);
	f.octets[25] = (uint8_t)len;
	return f;
}

static void messages_in_fragments_are_answered(void)
{
	struct frame whole = junk_of(FRAME_UDP4, 400), first = half_of(&whole, 0, 1),
		     last = half_of(&whole, 1, 1), lonely = half_of(&whole, 0, 2);
	uint64_t before = counted(VERDICT_MESSAGE_VERSION);
	struct rte_mbuf *m;

	burst_of(&first, 1, 0);
	CHECK(counted(VERDICT_FRAGMENT_KEPT) == 1 && reassembly_busy(w->reassembly));
	CHECK(!take());
	burst_of(&last, 1, 0);
	CHECK(counted(VERDICT_MESSAGE_VERSION) == before + 1);
	CHECK(!reassembly_busy(w->reassembly));
	m = take();
	CHECK(m && frame_is_intact(rte_pktmbuf_mtod(m, const uint8_t *), m->pkt_len));
	rte_pktmbuf_free(m);
	burst_of(&lonely, 1, 0);
	worker_settle(w, worker_now_ms(w) + REASSEMBLY_MS + 100);
	CHECK(counted(VERDICT_DROP_FRAGMENT_TIMEOUT) == 1 && !reassembly_busy(w->reassembly));
	for (uint16_t id = 10; id < 10 + 64; id++) {
		lonely = half_of(&whole, 0, id);
		burst_of(&lonely, 1, 0);
	}
	CHECK(counted(VERDICT_DROP_FRAGMENT_SOURCE) == 64 - REASSEMBLY_SOURCE_MAX);
	worker_settle(w, worker_now_ms(w) + 2 * REASSEMBLY_MS);
	CHECK(counted(VERDICT_DROP_FRAGMENT_TIMEOUT) == 1 + REASSEMBLY_SOURCE_MAX);
	expect_all_returned();
}

/* Puts the response of len octets to a message that was never asked into the port's queue. */
static void answer_with(uint8_t family, uint16_t len, bool tagged)
{
	struct net_flow *flow = &w->burst.flows[0];

	*flow = (struct net_flow){.family = family,
		.tagged = tagged,
		.tci = 7,
		.their_port = 40000,
		.our_port = 2269};
	memcpy(flow->their_mac, frame_their_mac, 6);
	memcpy(flow->our_mac, frame_our_mac, 6);
	memcpy(flow->theirs, family == 4 ? frame_their4 : frame_their6, family == 4 ? 4 : 16);
	memcpy(flow->ours, family == 4 ? frame_our4 : frame_our6, family == 4 ? 4 : 16);
	w->burst.snapshot = shared.snapshot;
	w->burst.messages[0].response_len = len;
	for (unsigned int i = 0; i < len; i++)
		output_response_at(w, 0)[i] = (uint8_t)(i * 7);
	output_response(w, &port, 0);
	worker_transmit(w, &port);
}

/* Takes the packets of one answer and puts them together as its receiver would. */
static unsigned int received(uint8_t family, uint16_t len, uint32_t mtu, bool tagged)
{
	static uint8_t whole[WORKER_RESPONSE_MAX + 8];
	const size_t eth = tagged ? 18 : 14, ip = family == 4 ? 20 : 40;
	unsigned int n = 0;
	struct rte_mbuf *m;
	size_t have = 0;

	while ((m = take())) {
		const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
		size_t headers = eth + ip, at = 0;

		CHECK(m->pkt_len <= eth + mtu);
		CHECK(!tagged || (get(p + 12) == 0x8100 && get(p + 14) == 7));
		if (family == 4) {
			at = (get(p + eth + 6) & 0x1fff) * 8u;
		} else if (p[eth + 6] == NET_IPV6_FRAGMENT) {
			headers += 8;
			at = get(p + eth + ip + 2) & 0xfff8;
		}
		CHECK(at + m->pkt_len - headers <= sizeof(whole));
		memcpy(whole + at, p + headers, m->pkt_len - headers);
		have += m->pkt_len - headers;
		rte_pktmbuf_free(m);
		n++;
	}
	CHECK(have == len + 8u && get(whole + 4) == have && get(whole + 2) == 40000);
	for (unsigned int i = 0; i < len; i++)
		CHECK(whole[8 + i] == (uint8_t)(i * 7));
	return n;
}

static void answers_longer_than_a_packet_leave_in_fragments(void)
{
	for (int tagged = 0; tagged < 2; tagged++) {
		answer_with(4, 1472, tagged);
		CHECK(received(4, 1472, 1500, tagged) == 1);
		answer_with(4, 1473, tagged);
		CHECK(received(4, 1473, 1500, tagged) == 2);
		answer_with(6, 1232, tagged);
		CHECK(received(6, 1232, 1280, tagged) == 1);
		answer_with(6, 1233, tagged);
		CHECK(received(6, 1233, 1280, tagged) == 2);
		answer_with(4, WORKER_RESPONSE_MAX, tagged);
		CHECK(received(4, WORKER_RESPONSE_MAX, 1500, tagged) == 17);
		answer_with(6, WORKER_RESPONSE_MAX, tagged);
		CHECK(received(6, WORKER_RESPONSE_MAX, 1280, tagged) == 20);
	}
	/* Ports with small buffers and large packets: no packet is longer than a buffer. */
	port.mtu = 9000;
	answer_with(4, 9000, false);
	CHECK(received(4, 9000, BUFFER_SIZE - 18, false) == 3);
	port.mtu = 1500;
	expect_all_returned();
}

static void answer_that_finds_too_few_buffers_does_not_leave_at_all(void)
{
	static struct rte_mbuf *held[65536];
	uint64_t before = counted(VERDICT_DROP_NO_BUFFER);
	unsigned int n = 0;

	while ((held[n] = rte_pktmbuf_alloc(w->pool)))
		n++;
	rte_pktmbuf_free(held[--n]);
	answer_with(4, 5000, false);
	CHECK(!take() && counted(VERDICT_DROP_NO_BUFFER) == before + 1);
	answer_with(4, 500, false);
	CHECK(received(4, 500, 1500, false) == 1);
	for (unsigned int i = 0; i < n; i++)
		rte_pktmbuf_free(held[i]);
	expect_all_returned();
}

static void frames_of_a_source_are_limited(void)
{
	struct frame f = junk(FRAME_UDP4), echo = frame_make(FRAME_ECHO4),
		     other = frame_make(FRAME_ECHO6), whole = junk_of(FRAME_UDP4, 400),
		     fragment = half_of(&whole, 0, 1);

	publish_limits(0, 0, (struct ipc_limit){1, 3}, 7);
	burst_of(&f, 2, 0);
	burst_of(&echo, 5, 0);
	burst_of(&fragment, 1, 0);
	CHECK(rte_ring_count(sent) == 3);
	CHECK(counted(VERDICT_DROP_SOURCE_LIMIT) == 5);
	burst_of(&other, 2, 0);
	CHECK(rte_ring_count(sent) == 5);
	publish(0, 0);
	expect_all_returned();
}

static void errors_are_limited_and_echo_is_not(void)
{
	struct frame f = junk(FRAME_UDP4), echo = frame_make(FRAME_ECHO4);

	publish(1, 0);
	burst_of(&f, 10, 0);
	CHECK(rte_ring_count(sent) == 1);
	CHECK(counted(VERDICT_DROP_ERROR_SOURCE_LIMIT) == 9);
	burst_of(&echo, 10, 0);
	CHECK(rte_ring_count(sent) == 11);
	publish(0, 10);
	burst_of(&f, 10, 0);
	CHECK(counted(VERDICT_DROP_ERROR_WORKER_LIMIT) >= 8);
	publish(0, 0);
	expect_all_returned();
}

static void full_queue_is_counted_and_nothing_leaks(void)
{
	struct frame f = frame_make(FRAME_ARP);

	for (int i = 0; i < 4; i++)
		burst_of(&f, WORKER_BURST, 0);
	CHECK(rte_ring_count(sent) == RING_SIZE - 1);
	CHECK(counted(VERDICT_DROP_TX_FULL) == 4 * WORKER_BURST - (RING_SIZE - 1));
	expect_all_returned();
}

static void empty_pool_is_counted_and_nothing_leaks(void)
{
	struct frame arp = frame_make(FRAME_ARP), message = junk(FRAME_UDP6);
	uint64_t before = counted(VERDICT_DROP_NO_BUFFER);
	static struct rte_mbuf *held[65536];
	unsigned int n = 0;
	const struct frame *frames[] = {&arp, &message};

	for (int i = 0; i < 2; i++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(w->pool);

		CHECK(m);
		memcpy(rte_pktmbuf_append(m, (uint16_t)frames[i]->len), frames[i]->octets,
			frames[i]->len);
		w->burst.rx[i] = m;
	}
	while ((held[n] = rte_pktmbuf_alloc(w->pool)))
		n++;
	worker_burst(w, &port, 2);
	CHECK(counted(VERDICT_DROP_NO_BUFFER) == before + 2);
	for (unsigned int i = 0; i < n; i++)
		rte_pktmbuf_free(held[i]);
	expect_all_returned();
}

static char runtime[] = "/tmp/tkms-worker-XXXXXX";

static void runtime_remove(void)
{
	static const char *const below[] = {"/dpdk/worker-eal", "/dpdk", ""};

	for (int i = 0; i < 3; i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s%s", runtime, below[i]);
		CHECK(rmdir(path) == 0);
	}
}

static void start(void)
{
	char *argv[] = {(char[]){"worker-eal"}, (char[]){"--no-huge"}, (char[]){"-m256"},
		(char[]){"--no-pci"}, (char[]){"--no-telemetry"}, (char[]){"--no-shconf"},
		(char[]){"--file-prefix=worker-eal"}, (char[]){"--lcores=0@0,1@0"},
		(char[]){"--log-level=*:error"}, NULL};
	struct worker_settings settings = {.crypto = "openssl",
		.queue_size = QUEUE_SIZE,
		.n_ports = 1,
		.buffer_size = BUFFER_SIZE,
		.shared = &shared,
		.stop = &stop};
	struct rte_eth_conf conf = {0};
	struct rte_ring *none;
	int id;

	/* The EAL makes a folder there, whatever it is told. */
	CHECK(mkdtemp(runtime) && setenv("RUNTIME_DIRECTORY", runtime, 1) == 0);
	CHECK(rte_eal_init(9, argv) >= 0);
	w = worker_new(&settings);
	CHECK(w);
	none = rte_ring_create("none", RING_SIZE, 0, 0);
	sent = rte_ring_create("sent", RING_SIZE, 0, 0);
	CHECK(none && sent);
	id = rte_eth_from_rings("test", &none, 1, &sent, 1, 0);
	CHECK(id >= 0);
	port.id = (uint16_t)id;
	memcpy(port.mac, frame_our_mac, 6);
	CHECK(rte_eth_dev_configure(port.id, 1, 1, &conf) == 0);
	CHECK(rte_eth_rx_queue_setup(port.id, 0, QUEUE_SIZE, 0, NULL, w->pool) == 0);
	CHECK(rte_eth_tx_queue_setup(port.id, 0, QUEUE_SIZE, 0, NULL) == 0);
	CHECK(rte_eth_dev_start(port.id) == 0);
	w->ports = &port;
	w->n_ports = 1;
}

static uint64_t reported(const struct stats *s, const char *name)
{
	for (unsigned int i = 0; i < s->report.n_counters; i++)
		if (strcmp(s->report.counters[i].name, name) == 0)
			return s->report.counters[i].value;
	CHECK(!"a counter of that name");
	return 0;
}

/* Its thread is not started here: the loop makes the turns that the test says. */
static void a_worker_that_stands_still_is_told(void)
{
	static struct stats s;

	w->stats.turns = 7;
	for (unsigned int i = 0; i < STATS_STILL; i++) {
		stats_collect(&s, &w, 1, &shared);
		CHECK(reported(&s, IPC_WORKERS_STUCK) == 0);
	}
	stats_collect(&s, &w, 1, &shared);
	CHECK(reported(&s, IPC_WORKERS_STUCK) == 1);
	w->stats.turns++;
	stats_collect(&s, &w, 1, &shared);
	CHECK(reported(&s, IPC_WORKERS_STUCK) == 0);
	CHECK(reported(&s, IPC_CUT_OFF) == 0);
	s.is_cut_off = true;
	stats_collect(&s, &w, 1, &shared);
	CHECK(reported(&s, IPC_CUT_OFF) == 1);
}

static struct net_addresses ours(void)
{
	struct net_addresses a = {.n4 = 1, .n6 = 1};

	memcpy(a.v4[0], frame_our4, 4);
	memcpy(a.v6[0], frame_our6, 16);
	return a;
}

/* What waits for the worker: announcements by ARP and ND, and reports of groups. */
static void expect_announced(unsigned int arp, unsigned int nd, unsigned int groups)
{
	unsigned int n_arp = 0, n_nd = 0, n_groups = 0;
	void *m;

	while (rte_ring_dequeue(w->announcements, &m) == 0) {
		const uint8_t *f = rte_pktmbuf_mtod((struct rte_mbuf *)m, const uint8_t *);

		CHECK(memcmp(f + 6, frame_our_mac, 6) == 0);
		if (get(f + 12) == 0x0806) {
			n_arp++;
			CHECK(f[0] == 0xff && memcmp(f + 28, frame_our4, 4) == 0);
		} else if (f[14 + 6] == 58) {
			n_nd++;
			CHECK(f[14 + 40] == 136 && memcmp(f + 14 + 48, frame_our6, 16) == 0);
		} else {
			n_groups++;
		}
		rte_pktmbuf_free(m);
	}
	CHECK(n_arp == arp && n_nd == nd && n_groups == groups);
}

static void an_address_is_announced_three_times_one_at_a_tick(void)
{
	static struct announcer a;
	const struct net_vlans vlans = {.bits = {1}};
	struct net_addresses held = ours(), none = {0};

	announcer_update(&a, &none, &held);
	expect_announced(0, 0, 0);
	for (unsigned int i = 0; i < 5; i++) {
		announcer_tick(&a, &vlans, w);
		expect_announced(i < 3, i < 3, i < 3);
	}
	/* What was held before is not announced again, but when all of it is new. */
	announcer_update(&a, &held, &held);
	announcer_tick(&a, &vlans, w);
	expect_announced(0, 0, 0);
	announcer_update(&a, NULL, &held);
	announcer_tick(&a, &vlans, w);
	expect_announced(1, 1, 1);
	/* Gone, or with another one: nothing more is said of it. */
	held.lingers4[0] = true;
	held.n6 = 0;
	announcer_update(&a, &held, &none);
	announcer_tick(&a, &vlans, w);
	expect_announced(0, 0, 0);
	announcer_update(&a, NULL, &held);
	announcer_tick(&a, &vlans, w);
	expect_announced(0, 0, 0);
	expect_all_returned();
}

int main(void)
{
	start();
	a_worker_that_stands_still_is_told();
	an_address_is_announced_three_times_one_at_a_tick();
	nothing_is_answered_before_everything_is_there();
	echo_and_errors_leave_with_right_checksums();
	port_that_sums_is_told_what_to_sum();
	frames_in_pieces_are_put_together();
	frames_that_fit_no_buffer_are_dropped();
	what_the_port_found_out_counts();
	answers_carry_the_tag_of_what_they_answer();
	vlans_that_are_not_served_are_dropped();
	messages_in_fragments_are_answered();
	answers_longer_than_a_packet_leave_in_fragments();
	answer_that_finds_too_few_buffers_does_not_leave_at_all();
	frames_of_a_source_are_limited();
	errors_are_limited_and_echo_is_not();
	full_queue_is_counted_and_nothing_leaks();
	empty_pool_is_counted_and_nothing_leaks();
	for (unsigned int v = 0; v < VERDICT_COUNT; v++)
		if (w->stats.verdicts[v] > 0)
			verdict_record((enum verdict)v);
	shared_clear(&shared);
	worker_free(w);
	CHECK(rte_eal_cleanup() == 0);
	runtime_remove();
	return 0;
}
