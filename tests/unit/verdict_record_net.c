/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/net/fragment.h"
#include "dataplane/net/limiter.h"
#include "dataplane/net/packet.h"
#include "dataplane/net/reassembly.h"
#include "tests/unit/verdict_record.h"

static enum verdict record(enum verdict v)
{
	verdict_record(v);
	return v;
}

void __real_net_classify(
	const struct net_host *host, const struct net_frame *frame, struct net_packet *out);
void __wrap_net_classify(
	const struct net_host *host, const struct net_frame *frame, struct net_packet *out);

void __wrap_net_classify(
	const struct net_host *host, const struct net_frame *frame, struct net_packet *out)
{
	__real_net_classify(host, frame, out);
	verdict_record((enum verdict)out->verdict);
}

enum verdict __real_fragment_check(const struct net_fragment *f);
enum verdict __wrap_fragment_check(const struct net_fragment *f);

enum verdict __wrap_fragment_check(const struct net_fragment *f)
{
	return record(__real_fragment_check(f));
}

enum verdict __real_reassembly_take(struct reassembly *r, const struct net_flow *flow,
	const struct net_fragment *f, const uint8_t *data, uint64_t now_ms,
	const uint8_t **datagram, uint32_t *len);
enum verdict __wrap_reassembly_take(struct reassembly *r, const struct net_flow *flow,
	const struct net_fragment *f, const uint8_t *data, uint64_t now_ms,
	const uint8_t **datagram, uint32_t *len);

enum verdict __wrap_reassembly_take(struct reassembly *r, const struct net_flow *flow,
	const struct net_fragment *f, const uint8_t *data, uint64_t now_ms,
	const uint8_t **datagram, uint32_t *len)
{
	return record(__real_reassembly_take(r, flow, f, data, now_ms, datagram, len));
}

struct reassembly_lost __real_reassembly_settle(struct reassembly *r, uint64_t now_ms);
struct reassembly_lost __wrap_reassembly_settle(struct reassembly *r, uint64_t now_ms);

/* The worker counts what is lost under these names. */
struct reassembly_lost __wrap_reassembly_settle(struct reassembly *r, uint64_t now_ms)
{
	struct reassembly_lost lost = __real_reassembly_settle(r, now_ms);

	if (lost.timeout)
		verdict_record(VERDICT_DROP_FRAGMENT_TIMEOUT);
	if (lost.source)
		verdict_record(VERDICT_DROP_FRAGMENT_SOURCE);
	if (lost.full)
		verdict_record(VERDICT_DROP_FRAGMENT_FULL);
	return lost;
}

enum verdict __real_limiter_frame(struct limiter *l, const struct limits *limits,
	const struct net_flow *flow, uint64_t now_ms);
enum verdict __wrap_limiter_frame(struct limiter *l, const struct limits *limits,
	const struct net_flow *flow, uint64_t now_ms);

enum verdict __wrap_limiter_frame(struct limiter *l, const struct limits *limits,
	const struct net_flow *flow, uint64_t now_ms)
{
	return record(__real_limiter_frame(l, limits, flow, now_ms));
}

enum verdict __real_limiter_error(struct limiter *l, const struct limits *limits,
	const struct net_flow *flow, uint64_t now_ms);
enum verdict __wrap_limiter_error(struct limiter *l, const struct limits *limits,
	const struct net_flow *flow, uint64_t now_ms);

enum verdict __wrap_limiter_error(struct limiter *l, const struct limits *limits,
	const struct net_flow *flow, uint64_t now_ms)
{
	return record(__real_limiter_error(l, limits, flow, now_ms));
}
