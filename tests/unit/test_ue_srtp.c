/* SPDX-License-Identifier: BSD-3-Clause */
/* The session keys are good for SRTP: what A protects B can read, with libsrtp and with nothing in
 * between. */
#include <criterion/criterion.h>
#include <srtp2/srtp.h>
#include <string.h>

#include "tests/unit/ue_exchange.h"

enum { RTP_HEADER = 12, PAYLOAD = 160, PACKETS = 50 };

static struct exchange x;

static void write_rtp(uint8_t *p, uint16_t seq, uint32_t ssrc)
{
	const uint8_t header[RTP_HEADER] = {0x80, 0, (uint8_t)(seq >> 8), (uint8_t)seq, 0, 0,
		(uint8_t)(seq / 50), (uint8_t)(seq * 160), (uint8_t)(ssrc >> 24),
		(uint8_t)(ssrc >> 16), (uint8_t)(ssrc >> 8), (uint8_t)ssrc};

	memcpy(p, header, sizeof(header));
	for (unsigned int i = 0; i < PAYLOAD; i++)
		p[RTP_HEADER + i] = (uint8_t)(seq + i);
}

static srtp_t open_stream(const struct ue_session *s)
{
	static uint8_t key[SRTP_MAX_KEY_LEN];
	srtp_policy_t policy;
	srtp_t stream;

	memset(&policy, 0, sizeof(policy));
	if (s->tek_len == 16) {
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
	} else {
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy.rtp);
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy.rtcp);
	}
	cr_assert_eq(policy.rtp.cipher_key_len, s->tek_len + s->salt_len);
	cr_assert_eq(policy.rtp.auth_tag_len, s->srtp.tag_len);
	memcpy(key, s->tek, s->tek_len);
	memcpy(key + s->tek_len, s->salt, s->salt_len);
	policy.key = key;
	policy.ssrc.type = ssrc_specific;
	policy.ssrc.value = s->ssrc;
	cr_assert_eq(srtp_create(&stream, &policy), srtp_err_status_ok);
	return stream;
}

static void talk(const struct ue_session *a, const struct ue_session *b)
{
	srtp_t from = open_stream(a), to = open_stream(b);
	uint8_t plain[RTP_HEADER + PAYLOAD], packet[RTP_HEADER + PAYLOAD + SRTP_MAX_TRAILER_LEN];

	for (uint16_t seq = 1; seq <= PACKETS; seq++) {
		int len = sizeof(plain);

		write_rtp(plain, seq, a->ssrc);
		memcpy(packet, plain, sizeof(plain));
		cr_assert_eq(srtp_protect(from, packet, &len), srtp_err_status_ok);
		cr_assert_eq(len, (int)sizeof(plain) + a->srtp.tag_len);
		cr_assert(memcmp(packet + RTP_HEADER, plain + RTP_HEADER, PAYLOAD) != 0);
		cr_assert_eq(srtp_unprotect(to, packet, &len), srtp_err_status_ok);
		cr_assert_eq(len, (int)sizeof(plain));
		cr_assert(memcmp(packet, plain, sizeof(plain)) == 0);
	}
	srtp_dealloc(from);
	srtp_dealloc(to);
}

static void check(const char *name, char suite, unsigned int tek_len)
{
	struct crypto *c = crypto_open("openssl");

	cr_assert(c);
	cr_assert_eq(srtp_init(), srtp_err_status_ok);
	exchange_open_named(&x, name, suite, c);
	exchange_run(&x);
	cr_assert(x.sessions_a.n != 0);
	for (unsigned int i = 0; i < x.sessions_a.n; i++) {
		if (x.sessions_a.s[i].salt_len == 0)
			continue; /* a TEK without salt: its user has to know one */
		cr_assert_eq(x.sessions_a.s[i].tek_len, tek_len);
		cr_assert_eq(x.sessions_a.s[i].salt_len, 14);
		talk(&x.sessions_a.s[i], &x.sessions_b.s[i]);
		talk(&x.sessions_b.s[i], &x.sessions_a.s[i]);
	}
	exchange_close(&x);
	srtp_shutdown();
	crypto_close(c);
}

Test(ue_srtp, aes_cm_128_of_suite_a)
{
	check("mode1_forked", 'A', 16);
}

Test(ue_srtp, aes_cm_256_of_suite_b)
{
	check("mode1_forked", 'B', 32);
}

Test(ue_srtp, every_type_of_key)
{
	check("mode1_all_key_types", 'A', 16);
	check("mode1_all_key_types", 'B', 32);
}

Test(ue_srtp, keys_of_the_responder)
{
	check("mode1_preencrypted", 'B', 32);
}

Test(ue_srtp, keys_of_two_calls_do_not_fit_each_other)
{
	static struct ue_session first;
	struct crypto *c = crypto_open("openssl");
	uint8_t packet[RTP_HEADER + PAYLOAD + SRTP_MAX_TRAILER_LEN];
	int len = RTP_HEADER + PAYLOAD;

	cr_assert(c);
	cr_assert_eq(srtp_init(), srtp_err_status_ok);
	exchange_open_named(&x, "mode1_forked", 'B', c);
	exchange_run(&x);
	first = x.sessions_a.s[0];
	exchange_close(&x);
	exchange_open_named(&x, "mode3_forked", 'B', c);
	exchange_run(&x);
	x.sessions_b.s[0].ssrc = first.ssrc;
	srtp_t from = open_stream(&first), to = open_stream(&x.sessions_b.s[0]);
	write_rtp(packet, 1, first.ssrc);
	cr_assert_eq(srtp_protect(from, packet, &len), srtp_err_status_ok);
	cr_assert_eq(srtp_unprotect(to, packet, &len), srtp_err_status_auth_fail);
	srtp_dealloc(from);
	srtp_dealloc(to);
	exchange_close(&x);
	crypto_close(c);
}
