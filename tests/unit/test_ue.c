/* SPDX-License-Identifier: BSD-3-Clause */
/* Every exchange of the vectors from the side of both UEs: messages octet by octet, sessions key by
 * key. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/ue_exchange.h"
#include "tests/unit/vectors.h"

static struct exchange x;

static struct crypto *crypto(void)
{
	struct crypto *c = crypto_open("openssl");

	cr_assert(c);
	return c;
}

static void check_sessions(const struct exchange *e, const struct ue_sessions *got)
{
	const json_t *all = json_object_get(e->json, "sessions");
	uint8_t want[64];
	size_t i;
	json_t *s;

	cr_assert_eq(got->n, json_array_size(all), "%s", e->name);
	json_array_foreach(all, i, s)
	{
		const struct ue_session *g = &got->s[i];

		cr_assert_eq(g->cs_id, vectors_int(s, "cs_id"));
		cr_assert_str_eq(ue_key_type_name(g->key_type), vectors_string(s, "key_type"));
		cr_assert_eq(vectors_octets(s, "spi", want, sizeof(want)), g->spi_len);
		cr_assert(memcmp(want, g->spi, g->spi_len) == 0);
		cr_assert_eq(vectors_octets(s, "tek", want, sizeof(want)), g->tek_len);
		cr_assert(memcmp(want, g->tek, g->tek_len) == 0, "%s: TEK %zu", e->name, i);
		if (json_is_null(json_object_get(s, "salt"))) {
			cr_assert_eq(g->salt_len, 0);
			continue;
		}
		cr_assert_eq(vectors_octets(s, "salt", want, sizeof(want)), g->salt_len);
		cr_assert(memcmp(want, g->salt, g->salt_len) == 0, "%s: salt %zu", e->name, i);
	}
}

static void run_all(const char *backend)
{
	struct crypto *c = crypto_open(backend);

	cr_assert(c, "backend %s", backend);
	for (unsigned int i = 0; i < EXCHANGES; i++) {
		exchange_open(&x, i, c);
		exchange_run(&x);
		check_sessions(&x, &x.sessions_a);
		check_sessions(&x, &x.sessions_b);
		exchange_close(&x);
	}
	crypto_close(c);
}

Test(ue, every_exchange_of_the_vectors_comes_out_octet_by_octet)
{
	run_all("openssl");
}

Test(ue, every_exchange_comes_out_the_same_with_the_many_messages_backend)
{
	run_all("ipsec-mb");
}

Test(ue, a_ticket_survives_storing_and_loading)
{
	static struct ue_ticket loaded;
	struct crypto *c = crypto();

	exchange_open_named(&x, "mode1_all_key_types", 'B', c);
	exchange_get_ticket(&x);
	cr_assert_eq(ue_ticket_load(&loaded, x.ticket.body, x.ticket.body_len, x.ticket.keys.octets,
			     x.ticket.keys.len),
		UE_OK);
	cr_assert(memcmp(&loaded, &x.ticket, sizeof(loaded)) == 0);
	cr_assert_eq(ue_ticket_load(&loaded, x.ticket.body, x.ticket.body_len - 1u,
			     x.ticket.keys.octets, x.ticket.keys.len),
		UE_TICKET_DATA);
	cr_assert_eq(
		ue_ticket_load(&loaded, x.ticket.body, x.ticket.body_len, x.ticket.keys.octets, 0),
		UE_NO_MPK);
	exchange_close(&x);
	crypto_close(c);
}

Test(ue, a_resolved_ticket_takes_another_transfer_only_with_flag_j)
{
	struct crypto *c = crypto();
	static struct ue_sessions first;
	struct ue_policy policy;
	struct ue_offer offer;
	uint8_t buf[MESSAGE_MAX];
	size_t len;
	const uint16_t flags[] = {0, MIKEY_FLAG_J};

	for (unsigned int i = 0; i < 2; i++) {
		exchange_open_named(&x, "mode4", 'B', c);
		exchange_policy(&x, &x.transfer, &policy);
		policy.flags |= flags[i];
		uint64_t now = exchange_clock(&x.transfer);
		struct ue *ue = &x.alice.ue;
		ue->random = x.bob.ue.random = ue_random_system;
		const struct identity bob = x.bob.uids[0];
		cr_assert_eq(ue_ticket_make(ue, &policy, &x.tpk, now, &x.ticket), UE_OK);
		cr_assert_eq(ue_offer_srtp(ue, &x.ticket, bob, NULL, &offer), UE_OK);
		cr_assert_eq(ue_transfer_build(ue, &x.ticket, &offer, now, buf, sizeof(buf), &len),
			UE_OK);
		cr_assert_eq(
			ue_resolve_local(&x.bob.ue, buf, len, &x.tpk, now, &x.resolved), UE_OK);
		uint8_t resp[MESSAGE_MAX];
		size_t resp_len;
		cr_assert_eq(ue_answer_build(&x.bob.ue, &x.resolved, buf, len, NULL, now, resp,
				     sizeof(resp), &resp_len, &first),
			UE_OK);
		/* Once more. */
		enum ue_result r =
			ue_transfer_build(ue, &x.ticket, &offer, now, buf, sizeof(buf), &len);
		cr_assert_eq(r, i == 0 ? UE_TICKET_USED : UE_OK);
		r = ue_resolved_reuse(&x.bob.ue, &x.resolved, buf, len, now);
		cr_assert_eq(r, i == 0 ? UE_TICKET_USED : UE_OK);
		if (i == 1) {
			cr_assert_eq(ue_answer_build(&x.bob.ue, &x.resolved, buf, len, NULL, now,
					     resp, sizeof(resp), &resp_len, &x.sessions_b),
				UE_OK);
			cr_assert_eq(ue_transfer_process(ue, &x.ticket, buf, len, resp, resp_len,
					     now, &x.sessions_a, NULL, NULL, &(struct ue_info){0}),
				UE_OK);
			cr_assert(memcmp(&x.sessions_a, &x.sessions_b, sizeof(x.sessions_a)) == 0);
			cr_assert(memcmp(x.sessions_a.s[0].tek, first.s[0].tek, 32) != 0);
		}
		exchange_close(&x);
	}
	crypto_close(c);
}

Test(ue, an_omitted_idrr_is_under_the_mac_all_the_same)
{
	struct crypto *c = crypto();
	struct ue_policy policy;
	struct ue_offer offer;
	struct mikey_message m;
	uint8_t buf[MESSAGE_MAX];
	size_t len;

	exchange_open_named(&x, "mode4", 'B', c);
	exchange_policy(&x, &x.transfer, &policy);
	uint64_t now = exchange_clock(&x.transfer);
	x.alice.ue.random = ue_random_system;
	for (unsigned int i = 0; i < 2; i++) {
		cr_assert_eq(ue_ticket_make(&x.alice.ue, &policy, &x.tpk, now, &x.ticket), UE_OK);
		/* Bob reads the message as addressed to his first identity. */
		cr_assert_eq(
			ue_offer_srtp(&x.alice.ue, &x.ticket, x.bob.uids[i], NULL, &offer), UE_OK);
		offer.omit_idr_r = 1;
		cr_assert_eq(ue_transfer_build(
				     &x.alice.ue, &x.ticket, &offer, now, buf, sizeof(buf), &len),
			UE_OK);
		cr_assert_eq(mikey_parse_message(&m, buf, len), MIKEY_PARSE_OK);
		cr_assert_not(m.idr[MIKEY_IDRR].present);
		cr_assert_eq(ue_resolve_local(&x.bob.ue, buf, len, &x.tpk, now, &x.resolved),
			i == 0 ? UE_OK : UE_TRANSFER_MAC);
	}
	offer.idr_r.len = 0;
	x.ticket.used = 0;
	cr_assert_eq(ue_transfer_build(&x.alice.ue, &x.ticket, &offer, now, buf, sizeof(buf), &len),
		UE_IDENTITY);
	exchange_close(&x);
	crypto_close(c);
}

/* Section 8: the Initiator's own key, in a KEMAC under MPKi. */
Test(ue, keys_of_the_initiator_reach_the_responder)
{
	static struct ue_keyset own;
	struct crypto *c = crypto();
	struct ue_policy policy;
	struct ue_offer offer;
	uint8_t buf[MESSAGE_MAX], resp[MESSAGE_MAX], key[32], salt[14];
	size_t len, resp_len;

	memset(key, 0x5a, sizeof(key));
	memset(salt, 0xa5, sizeof(salt));
	exchange_open_named(&x, "mode4", 'B', c);
	exchange_policy(&x, &x.transfer, &policy);
	policy.key_list = UE_KEYS_LISTED;
	policy.n_keys = 0;
	uint64_t now = exchange_clock(&x.transfer);
	x.alice.ue.random = x.bob.ue.random = ue_random_system;
	const struct mikey_key_spec spec = {.type = MIKEY_TEK_SALT,
		.kv = MIKEY_KV_SPI,
		.key = key,
		.key_len = sizeof(key),
		.salt = salt,
		.salt_len = sizeof(salt),
		.spi = (const uint8_t *)"\x01\x02",
		.spi_len = 2};
	cr_assert_eq(ue_keyset_write(&own, &spec, 1), UE_OK);
	cr_assert_eq(ue_ticket_make(&x.alice.ue, &policy, &x.tpk, now, &x.ticket), UE_OK);
	cr_assert_eq(ue_offer_srtp(&x.alice.ue, &x.ticket, x.bob.uids[0], &own, &offer), UE_OK);
	cr_assert_eq(offer.map.n, 1);
	cr_assert_eq(ue_transfer_build(&x.alice.ue, &x.ticket, &offer, now, buf, sizeof(buf), &len),
		UE_OK);
	cr_assert_eq(ue_resolve_local(&x.bob.ue, buf, len, &x.tpk, now, &x.resolved), UE_OK);
	cr_assert_eq(ue_answer_build(&x.bob.ue, &x.resolved, buf, len, NULL, now, resp,
			     sizeof(resp), &resp_len, &x.sessions_b),
		UE_OK);
	cr_assert_eq(ue_transfer_process(&x.alice.ue, &x.ticket, buf, len, resp, resp_len, now,
			     &x.sessions_a, NULL, NULL, &(struct ue_info){0}),
		UE_OK);
	cr_assert_eq(x.sessions_b.n, 1);
	cr_assert(memcmp(x.sessions_b.s[0].tek, key, sizeof(key)) == 0);
	cr_assert(memcmp(&x.sessions_a, &x.sessions_b, sizeof(x.sessions_a)) == 0);
	exchange_close(&x);
	crypto_close(c);
}

Test(ue, keysets_and_tickets_are_wiped_when_cleared)
{
	struct crypto *c = crypto();
	static const uint8_t zero[sizeof(struct ue_ticket)];

	exchange_open_named(&x, "mode1_forked", 'B', c);
	exchange_run(&x);
	ue_ticket_clear(&x.ticket);
	ue_resolved_clear(&x.resolved);
	ue_sessions_clear(&x.sessions_a);
	cr_assert(memcmp(&x.ticket, zero, sizeof(x.ticket)) == 0);
	cr_assert(memcmp(&x.resolved.keys, zero, sizeof(x.resolved.keys)) == 0);
	cr_assert(memcmp(x.sessions_a.s[0].tek, zero, 32) == 0);
	exchange_close(&x);
	crypto_close(c);
}

Test(ue, every_result_has_a_text_of_its_own)
{
	const unsigned int n = UE_SESSION_DATA + 1u;

	for (unsigned int i = 0; i < n; i++) {
		for (unsigned int j = 0; j < i; j++)
			cr_assert_str_neq(ue_strerror(i), ue_strerror(j));
	}
	cr_assert_str_eq(ue_strerror(n), "unknown result");
	cr_assert_str_eq(ue_result_name(UE_VI), "VI");
}
