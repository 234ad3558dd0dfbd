/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/ipc/ipc.h"

#define ID(text) ((struct identity){.data = (const uint8_t *)(text), .len = sizeof(text) - 1})

static const uint8_t KEY[32] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

/* Decodes the whole encoding; what it accepted is encoded again into a second buffer. */
typedef size_t (*redo_fn)(const uint8_t *buf, size_t len, uint8_t *out, size_t cap);

static bool same(struct identity a, struct identity b)
{
	return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static struct ipc_snapshot *sample_snapshot(void)
{
	struct ipc_snapshot *s = calloc(1, sizeof(*s));

	cr_assert(s);
	s->epoch = 0x0102030405060708;
	s->kms_identity = ID("kms@company.example");
	s->profile = 1;
	s->max_skew_s = 300;
	s->default_lifetime_s = 86400;
	s->max_lifetime_s = UINT32_MAX;
	s->allow_groups = 1;
	s->allow_mode3 = 1;
	s->in_sync = 1;
	s->roles = IPC_ROLE_RESOLVE;
	s->addresses_version = 0x1112131415161718;
	s->end_to_middle_app = ID("app@company.example");
	s->max_message = 8192;
	s->max_idr_r = 32;
	s->max_wildcards = 8;
	s->max_identity = 255;
	s->max_keys = 16;
	s->errors_per_source_rate = 100;
	s->errors_per_source_burst = 500;
	s->errors_per_worker_rate = 10000;
	s->n_types = 2;
	s->types[0] = (struct ipc_ticket_type){1, 1, 1};
	s->types[1] = (struct ipc_ticket_type){2, 0, 0};
	s->n_rules = 1;
	s->rules[0] = (struct ipc_rule){ID("?@a.example"), ID("?"), true};
	s->n_keys = 1;
	s->keys[0] =
		(struct ipc_key){ID("tpk-1"), {KEY, 32}, 3900000000, 3900000100, 3900000200, 1};
	s->n_addresses = 2;
	s->addresses[0] = (struct ipc_address){4, 24, 2269, {10, 0, 0, 1}};
	s->addresses[1] = (struct ipc_address){6, 64, 2269, {0x20, 1, 0xd, 0xb8}, true};
	s->source = (struct ipc_limit){50000, 60000};
	s->subscriber = (struct ipc_limit){200, 2000};
	s->function = (struct ipc_limit){10000, 10001};
	s->repeat = (struct ipc_limit){10, 100};
	s->ipv4_path_mtu = 1300;
	s->ipv6_path_mtu = 1400;
	s->n_edges = 2;
	s->edges[0] = (struct ipc_prefix){4, 32, {10, 0, 0, 80}};
	s->edges[1] = (struct ipc_prefix){6, 128, {0x20, 1, 0xd, 0xb8, [15] = 0x80}};
	s->n_vlans = 3;
	s->vlans[1] = 100;
	s->vlans[2] = IPC_VLAN_MAX;
	return s;
}

static struct ipc_subscriber *sample_subscriber(void)
{
	struct ipc_subscriber *s = calloc(1, sizeof(*s));

	cr_assert(s);
	s->psk_id = ID("psk-alice");
	s->psk = (struct identity){KEY, 16};
	s->expires = 4000000000;
	s->roles = 1;
	s->n_uids = 2;
	s->uids[0] = ID("alice@a.example");
	s->uids[1] = ID("al@a.example");
	return s;
}

static struct ipc_stats *sample_stats(void)
{
	struct ipc_stats *s = calloc(1, sizeof(*s));

	cr_assert(s);
	s->epoch = 7;
	s->subscribers = 1000;
	s->n_counters = 2;
	strcpy(s->counters[0].name, "resolve_ok");
	s->counters[0].value = UINT64_MAX;
	strcpy(s->counters[1].name, "malformed");
	s->n_workers = 1;
	s->workers[0] = (struct ipc_worker){3, 7, 100, 6400, 999};
	s->n_keys = 2;
	strcpy(s->keys[0].id, "tpk-1");
	strcpy(s->keys[1].id, "tpk-2");
	s->keys[1].sealed = 7;
	s->keys[1].resolved = UINT64_MAX;
	return s;
}

static size_t redo_snapshot(const uint8_t *buf, size_t len, uint8_t *out, size_t cap)
{
	struct ipc_snapshot *s = malloc(sizeof(*s));
	size_t n = 0;

	cr_assert(s);
	if (ipc_snapshot_decode(s, buf, len) == 0)
		n = ipc_snapshot_encode(s, out, cap);
	free(s);
	return n;
}

static size_t redo_subscriber(const uint8_t *buf, size_t len, uint8_t *out, size_t cap)
{
	struct ipc_subscriber *s = malloc(sizeof(*s));
	size_t off = 0, n = 0;

	cr_assert(s);
	if (ipc_subscriber_decode(s, buf, len, &off) == 1 && off == len)
		n = ipc_subscriber_encode(s, out, cap);
	free(s);
	return n;
}

static size_t redo_stats(const uint8_t *buf, size_t len, uint8_t *out, size_t cap)
{
	struct ipc_stats *s = malloc(sizeof(*s));
	size_t n = 0;

	cr_assert(s);
	if (ipc_stats_decode(s, buf, len) == 0)
		n = ipc_stats_encode(s, out, cap);
	free(s);
	return n;
}

static size_t redo_hello(const uint8_t *buf, size_t len, uint8_t *out, size_t cap)
{
	struct ipc_hello h;

	return ipc_hello_decode(&h, buf, len) == 0 ? ipc_hello_encode(&h, out, cap) : 0;
}

/* Runs redo on an exact-size heap copy (sanitizers see any read outside); what is accepted has only
 * one encoding. */
static bool accepts(redo_fn redo, const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1), *again = malloc(len + 64);
	size_t n;

	cr_assert(copy && again);
	memcpy(copy, data, len);
	n = redo(copy, len, again, len + 64);
	if (n) {
		cr_assert_eq(n, len);
		cr_assert_arr_eq(again, data, len);
	}
	free(copy);
	free(again);
	return n != 0;
}

static void torture(redo_fn redo, uint8_t *data, size_t len)
{
	uint8_t *longer = malloc(len + 1);

	cr_assert(longer && len);
	cr_assert(accepts(redo, data, len));
	for (size_t cut = 0; cut < len; cut++)
		cr_assert_not(
			accepts(redo, data, cut), "accepted when cut to %zu of %zu", cut, len);
	memcpy(longer, data, len);
	longer[len] = 0;
	cr_assert_not(accepts(redo, longer, len + 1));
	free(longer);
	for (size_t i = 0; i < len; i++) {
		for (unsigned int bit = 0; bit < 8; bit++) {
			data[i] ^= (uint8_t)(1u << bit);
			accepts(redo, data, len);
			data[i] ^= (uint8_t)(1u << bit);
		}
	}
}

#define ENCODED(name, sample, encode)                               \
	size_t name##_len = encode(sample, NULL, 0);                \
	uint8_t *name = malloc(name##_len + 1);                     \
	cr_assert(name &&name##_len);                               \
	cr_assert_eq(encode(sample, name, name##_len), name##_len); \
	cr_assert_eq(encode(sample, name, name##_len - 1), 0, "fits a buffer that is too small")

Test(ipc_codec, snapshot_comes_back_as_it_was)
{
	struct ipc_snapshot *s = sample_snapshot(), *back = calloc(1, sizeof(*back));
	ENCODED(buf, s, ipc_snapshot_encode);

	cr_assert_eq(ipc_snapshot_decode(back, buf, buf_len), 0);
	cr_assert_eq(back->epoch, s->epoch);
	cr_assert(same(back->kms_identity, s->kms_identity));
	cr_assert(same(back->end_to_middle_app, s->end_to_middle_app));
	cr_assert_eq(back->profile, 1);
	cr_assert_eq(back->max_lifetime_s, UINT32_MAX);
	cr_assert_eq(back->allow_groups, 1);
	cr_assert_eq(back->allow_reuse, 0);
	cr_assert_eq(back->errors_per_worker_rate, 10000);
	cr_assert_eq(back->source.rate, 50000);
	cr_assert_eq(back->source.burst, 60000);
	cr_assert_eq(back->subscriber.burst, 2000);
	cr_assert_eq(back->function.rate, 10000);
	cr_assert_eq(back->repeat.burst, 100);
	cr_assert_eq(back->ipv4_path_mtu, 1300);
	cr_assert_eq(back->ipv6_path_mtu, 1400);
	cr_assert_eq(back->n_edges, 2);
	cr_assert_arr_eq(&back->edges[1], &s->edges[1], sizeof(s->edges[1]));
	cr_assert_eq(back->n_vlans, 3);
	cr_assert_eq(back->vlans[2], IPC_VLAN_MAX);
	cr_assert_eq(back->n_types, 2);
	cr_assert_eq(back->types[1].type, 2);
	cr_assert(same(back->rules[0].from, s->rules[0].from));
	cr_assert(back->rules[0].allow);
	cr_assert(same(back->keys[0].id, s->keys[0].id));
	cr_assert(same(back->keys[0].key, s->keys[0].key));
	cr_assert_eq(back->keys[0].resolves_until, 3900000200);
	cr_assert_eq(back->keys[0].state, 1);
	cr_assert_eq(back->addresses[1].family, 6);
	cr_assert_eq(back->addresses[1].port, 2269);
	cr_assert(back->addresses[1].lingers && !back->addresses[0].lingers);
	cr_assert_eq(back->roles, s->roles);
	cr_assert_eq(back->addresses_version, s->addresses_version);
	cr_assert_arr_eq(back->addresses[1].octets, s->addresses[1].octets, 16);
	free(s);
	free(back);
	free(buf);
}

Test(ipc_codec, snapshot_survives_truncation_and_flips)
{
	struct ipc_snapshot *s = sample_snapshot();
	ENCODED(buf, s, ipc_snapshot_encode);

	torture(redo_snapshot, buf, buf_len);
	free(s);
	free(buf);
}

Test(ipc_codec, snapshot_out_of_limits_is_not_encoded)
{
	struct ipc_snapshot *s = sample_snapshot();

	s->n_keys = IPC_KEYS_MAX + 1;
	cr_assert_eq(ipc_snapshot_encode(s, NULL, 0), 0);
	s->n_keys = 1;
	s->kms_identity.len = IDENTITY_MAX + 1;
	cr_assert_eq(ipc_snapshot_encode(s, NULL, 0), 0);
	s->kms_identity = ID("kms@company.example");
	s->n_addresses = IPC_ADDRESSES_MAX + 1;
	cr_assert_eq(ipc_snapshot_encode(s, NULL, 0), 0);
	s->n_addresses = 1;
	s->n_edges = IPC_EDGES_MAX + 1;
	cr_assert_eq(ipc_snapshot_encode(s, NULL, 0), 0);
	s->n_edges = 1;
	s->n_vlans = IPC_VLANS_MAX + 1;
	cr_assert_eq(ipc_snapshot_encode(s, NULL, 0), 0);
	s->n_vlans = 1;
	cr_assert_neq(ipc_snapshot_encode(s, NULL, 0), 0);
	free(s);
}

Test(ipc_codec, snapshot_with_wrong_values_is_refused)
{
	struct ipc_snapshot *s = sample_snapshot();
	uint8_t buf[1024];
	size_t len;

#define REFUSED(change)                                                   \
	do {                                                              \
		free(s);                                                  \
		s = sample_snapshot();                                    \
		change;                                                   \
		len = ipc_snapshot_encode(s, buf, sizeof(buf));           \
		cr_assert(len);                                           \
		cr_assert_not(accepts(redo_snapshot, buf, len), #change); \
	} while (0)
	REFUSED(s->kms_identity.len = 0);
	REFUSED(s->profile = 2);
	REFUSED(s->allow_groups = 2);
	REFUSED(s->keys[0].key.len = 15);
	REFUSED(s->keys[0].state = 3);
	REFUSED(s->keys[0].seals_until = -1);
	REFUSED(s->addresses[0].family = 5);
	REFUSED(s->roles = IPC_ROLES_ALL + 1);
	REFUSED(s->addresses[0].prefix_len = 33);
	REFUSED(s->addresses[1].prefix_len = 129);
	REFUSED(s->rules[0].to.len = 0);
	free(s);
}

Test(ipc_codec, subscribers_come_back_in_sequence)
{
	struct ipc_subscriber *s = sample_subscriber(), *back = calloc(1, sizeof(*back));
	struct ipc_subscriber gone = {.remove = true, .psk_id = ID("psk-bob")};
	uint8_t buf[256];
	size_t len = ipc_subscriber_encode(s, buf, sizeof(buf)), off = 0;

	len += ipc_subscriber_encode(&gone, buf + len, sizeof(buf) - len);
	cr_assert_eq(ipc_subscriber_decode(back, buf, len, &off), 1);
	cr_assert(same(back->psk_id, s->psk_id));
	cr_assert(same(back->psk, s->psk));
	cr_assert_eq(back->expires, 4000000000);
	cr_assert_eq(back->roles, 1);
	cr_assert_eq(back->n_uids, 2);
	cr_assert(same(back->uids[1], s->uids[1]));
	cr_assert_not(back->remove);
	cr_assert_eq(ipc_subscriber_decode(back, buf, len, &off), 1);
	cr_assert(back->remove);
	cr_assert(same(back->psk_id, gone.psk_id));
	cr_assert_eq(ipc_subscriber_decode(back, buf, len, &off), 0);
	off = len + 1;
	cr_assert_eq(ipc_subscriber_decode(back, buf, len, &off), -EBADMSG);
	free(s);
	free(back);
}

Test(ipc_codec, subscriber_survives_truncation_and_flips)
{
	struct ipc_subscriber *s = sample_subscriber();
	ENCODED(buf, s, ipc_subscriber_encode);

	torture(redo_subscriber, buf, buf_len);
	free(s);
	free(buf);
}

Test(ipc_codec, subscriber_without_psk_or_uid_is_refused)
{
	struct ipc_subscriber *s = sample_subscriber();
	uint8_t buf[256];

	s->psk.len = 15;
	cr_assert_not(accepts(redo_subscriber, buf, ipc_subscriber_encode(s, buf, sizeof(buf))));
	s->psk.len = 16;
	s->n_uids = 0;
	cr_assert_not(accepts(redo_subscriber, buf, ipc_subscriber_encode(s, buf, sizeof(buf))));
	s->n_uids = 2;
	cr_assert(accepts(redo_subscriber, buf, ipc_subscriber_encode(s, buf, sizeof(buf))));
	s->n_uids = IPC_UIDS_MAX + 1;
	cr_assert_eq(ipc_subscriber_encode(s, buf, sizeof(buf)), 0);
	free(s);
}

Test(ipc_codec, stats_come_back_and_survive_truncation_and_flips)
{
	struct ipc_stats *s = sample_stats(), *back = calloc(1, sizeof(*back));
	ENCODED(buf, s, ipc_stats_encode);

	cr_assert_eq(ipc_stats_decode(back, buf, buf_len), 0);
	cr_assert_str_eq(back->counters[0].name, "resolve_ok");
	cr_assert_eq(back->counters[0].value, UINT64_MAX);
	cr_assert_eq(back->workers[0].busy_permille, 999);
	cr_assert_eq(back->n_keys, 2);
	cr_assert_str_eq(back->keys[1].id, "tpk-2");
	cr_assert_eq(back->keys[1].sealed, 7);
	cr_assert_eq(back->keys[1].resolved, UINT64_MAX);
	torture(redo_stats, buf, buf_len);
	memset(s->counters[0].name, 'a', IPC_NAME_MAX);
	cr_assert_eq(ipc_stats_encode(s, NULL, 0), 0, "a name without an end");
	free(s);
	free(back);
	free(buf);
}

Test(ipc_codec, hello_comes_back_and_survives_truncation_and_flips)
{
	struct ipc_hello h = {.pid = 4711, .workers = 2, .epoch = 9, .subscribers = 5}, back;

	strcpy(h.version, "0.1.0");
	ENCODED(buf, &h, ipc_hello_encode);
	cr_assert_eq(ipc_hello_decode(&back, buf, buf_len), 0);
	cr_assert_eq(back.pid, 4711);
	cr_assert_eq(back.subscribers, 5);
	cr_assert_str_eq(back.version, "0.1.0");
	torture(redo_hello, buf, buf_len);
	strcpy(h.version, "0.1\n0");
	cr_assert_eq(ipc_hello_encode(&h, buf, buf_len), buf_len);
	cr_assert_not(accepts(redo_hello, buf, buf_len), "a line break would get into logs");
	free(buf);
}
