/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/engine_client_parts.h"

enum { PSK_LEN = 32, NO_CSB = -1 };

struct ticket_wish client_ticket(void)
{
	return (struct ticket_wish){
		.policy = client_policy(),
		.tpk_id = kit_text("tpk-1"),
		.tpk = client_tpk,
		.tpk_len = sizeof(client_tpk),
		.encr_alg = MIKEY_ENCR_AES_CM_256,
		.mac_alg = MIKEY_AUTH_HMAC_SHA_256_256,
	};
}

struct ticket_wish client_ticket_of_alice(void)
{
	struct ticket_wish w = client_ticket();
	static uint8_t psk[PSK_LEN];

	memset(psk, alice.psk, sizeof(psk));
	w.policy.flags = (uint16_t)((w.policy.flags & ~MIKEY_FLAG_D) | MIKEY_FLAG_L);
	w.tpk_id = kit_text(alice.psk_id);
	w.tpk = psk;
	w.tpk_len = sizeof(psk);
	return w;
}

static const uint8_t ticket_rand[32] = {0x77, 0x42};

static void ticket_key(
	struct kit *k, const struct ticket_wish *wish, enum kdf_key which, uint8_t *out, size_t len)
{
	uint8_t label[CRYPTO_LABEL_MAX];
	const size_t n =
		kdf_label_ticket(label, which, (struct kdf_rand){ticket_rand, sizeof(ticket_rand)});

	client_derive(k, wish->policy.prf, wish->tpk, wish->tpk_len, label, n, out, len);
}

/* MPKr of key data that begin with the MPK. */
static void mpkr_of(struct kit *k, uint8_t prf, const uint8_t *plain, size_t len,
	struct kdf_rand rand, uint8_t *out, size_t *out_len)
{
	struct mikey_key keys[MIKEY_KEYS_MAX];
	uint8_t label[CRYPTO_LABEL_MAX];
	unsigned int n;

	cr_assert_eq(mikey_parse_keys(keys, MIKEY_KEYS_MAX, &n, plain, len), MIKEY_PARSE_OK);
	cr_assert_gt(n, 0);
	const size_t label_len = kdf_label_mpk(label, KDF_MPKR, rand);

	*out_len = keys[0].key.len;
	client_derive(k, prf, plain + keys[0].key.off, *out_len, label, label_len, out, *out_len);
}

/* First Payload, Vi, Vr. Returns the length. */
static size_t initiator_data(struct kit *k, uint8_t prf, uint8_t alg, const uint8_t *mpkr,
	size_t mpkr_len, enum client_initiator_data kind, uint8_t *out)
{
	uint8_t label[CRYPTO_LABEL_MAX], key[32];
	const size_t n = client_mac_len(alg);
	size_t len = 0;

	if (kind == ID_NULL_ALG) {
		memcpy(out, "\x09\x09\x00\x00\x00", 5);
		return 5;
	}
	out[len++] = MIKEY_V;
	out[len++] = kind == ID_LITERAL_VI ? MIKEY_LAST : MIKEY_V;
	out[len++] = kind == ID_UNKNOWN_ALG ? 77 : alg;
	memset(out + len, 0x33, n);
	len += n;
	out[len++] = MIKEY_LAST;
	out[len++] = alg;
	client_derive(
		k, prf, mpkr, mpkr_len, label, kdf_label_initiator_data(label, KDF_AUTH), key, n);
	client_mac(k, alg, key, &(struct crypto_segment){out, (uint32_t)len}, 1, out + len);
	if (kind == ID_WRONG_MAC)
		out[len] ^= 1;
	return kind == ID_GARBAGE ? len - 1 : len + n;
}

static void append_initiator_data(struct octets *ticket, const uint8_t *data, size_t len)
{
	ticket->data[ticket->len++] = (uint8_t)(len >> 8);
	ticket->data[ticket->len++] = (uint8_t)len;
	if (len)
		if (len > 0)
			memcpy(ticket->data + ticket->len, data, len);
	ticket->len += len;
}

static void write_ticket_data(struct kit *k, const struct ticket_wish *wish, const uint8_t *plain,
	size_t plain_len, struct mikey_writer *w, size_t body)
{
	uint8_t t[8], t64[8], encr[32], salt[14], auth[32], *cipher = w->buf + w->cap - 8192;
	struct mikey_t ts = {true, wish->t_type, {0, wish->t_type < 2 ? 8 : 4}};
	struct crypto_cm_op cm = {
		.key = encr,
		.key_len = wish->encr_alg == MIKEY_ENCR_AES_CM_128 ? 16 : 32,
		.src = plain,
		.dst = cipher,
		.len = (uint16_t)plain_len,
	};
	const struct mikey_nest nest = mikey_open_ticket_data(w);

	client_put64(t, k->now);
	ticket_key(k, wish, KDF_ENCR, encr, cm.key_len);
	ticket_key(k, wish, KDF_SALT, salt, sizeof(salt));
	mikey_write_thdr(w, NULL, 0);
	mikey_write_t(w, wish->t_type, t);
	mikey_t64(t64, t, &ts);
	crypto_cm_iv(cm.iv, salt, (uint32_t)NO_CSB, t64);
	crypto_cm(k->crypto, &cm, 1);
	mikey_write_rand(w, ticket_rand, sizeof(ticket_rand));
	client_write_kemac(w, wish->encr_alg, wish->kemac_mac_alg, cipher, plain_len);
	client_write_id(w, MIKEY_IDRPSK, MIKEY_ID_BYTES, wish->tpk_id);
	const size_t off = mikey_write_v(w, wish->mac_alg);

	if (mikey_mac_len(wish->mac_alg) > 0) {
		ticket_key(k, wish, KDF_AUTH, auth, client_mac_len(wish->mac_alg));
		/* The lengths are under the MAC: close first. */
		mikey_close(w, nest);
		client_mac(k, wish->mac_alg, auth,
			&(struct crypto_segment){w->buf + body, (uint32_t)(off - body)}, 1,
			w->buf + off);
		w->buf[off] ^= wish->wrong_mac;
		return;
	}
	mikey_close(w, nest);
}

void client_ticket_build(struct kit *k, const struct ticket_wish *wish, struct octets *ticket)
{
	static struct octets carrier;
	const uint8_t suite_len = wish->policy.prf == MIKEY_PRF_MIKEY_1 ? 16 : 32;
	const struct key_wish usual[] = {{MIKEY_MPK, MIKEY_KV_SPI, suite_len, 0, "mpk0"},
		{MIKEY_TGK, MIKEY_KV_SPI, suite_len, 0, "tgk0"}};
	uint8_t plain[8192], mpkr[CRYPTO_INKEY_MAX], data[128];
	size_t plain_len = wish->keys_len, mpkr_len;
	struct mikey_writer w;

	if (wish->keys)
		memcpy(plain, wish->keys, plain_len);
	else
		plain_len = wish->no_keys ? 0 : client_keys(plain, sizeof(plain), usual, 2);
	mikey_write_begin(&w, carrier.data, sizeof(carrier.data));
	mikey_write_hdr(&w, MIKEY_RESOLVE_INIT_PSK, wish->policy.prf, 0);
	const size_t body = w.len + 1;

	client_write_tp(k, &w, MIKEY_TICKET, &wish->policy);
	if (wish->raw_ticket_data)
		mikey_write_ticket_data_raw(&w, wish->raw_ticket_data, wish->raw_ticket_data_len);
	else
		write_ticket_data(k, wish, plain, plain_len, &w, body);
	cr_assert_not(w.failed);
	ticket->len = w.len - body;
	memcpy(ticket->data, w.buf + body, ticket->len);
	if (wish->initiator_data == ID_NONE || plain_len == 0) {
		append_initiator_data(ticket, NULL, 0);
		return;
	}
	mpkr_of(k, wish->policy.prf, plain, plain_len,
		(struct kdf_rand){ticket_rand, sizeof(ticket_rand)}, mpkr, &mpkr_len);
	append_initiator_data(ticket, data,
		initiator_data(k, wish->policy.prf, wish->mac_alg, mpkr, mpkr_len,
			wish->initiator_data, data));
}

void client_adopt(
	struct kit *k, const struct kit_answer *a, const struct response *r, struct octets *ticket)
{
	uint8_t data[128];

	ticket->len = (size_t)(r->m.ticket.initiator_len_off - r->m.ticket.body.off);
	memcpy(ticket->data, mikey_at(a->octets, r->m.ticket.body), ticket->len);
	if (!(r->m.ticket.flags & MIKEY_FLAG_I)) {
		append_initiator_data(ticket, NULL, 0);
		return;
	}
	/* MPKi || MPKr || ... */
	append_initiator_data(ticket, data,
		initiator_data(k, r->m.ticket.prf, r->td.v.auth_alg, r->plain + r->keys[1].key.off,
			r->keys[1].key.len, ID_RIGHT, data));
}
