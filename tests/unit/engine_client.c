/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/engine_client.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/engine_client_parts.h"

enum { PSK_LEN = 32 };

const struct person alice = {"psk-alice", {"alice@company.example"}, 0xa1, 0};
const struct person bob = {
	"psk-bob", {"bob@company.example", "user1.department@company.example"}, 0xb0, 0};
const struct person carol = {"psk-carol", {"carol@other.example"}, 0xc4, 0};
const struct person recorder = {
	"psk-recorder", {"recorder@company.example"}, 0x4e, SUBSCRIBER_FUNCTION};

const uint8_t client_tpk[CLIENT_KMS_KEY_LEN] = {
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17};

const uint8_t *client_psk(const struct person *p)
{
	static uint8_t psk[PSK_LEN];

	memset(psk, p->psk, sizeof(psk));
	return psk;
}

static void provision(struct kit *k, const struct person *p)
{
	struct identity uids[3];
	unsigned int n = 0;

	for (; n < 3 && p->uids[n]; n++)
		uids[n] = kit_text(p->uids[n]);
	kit_subscriber(k, p->psk_id, client_psk(p), PSK_LEN, uids, n, 0, p->roles);
}

void client_kit(struct kit *k, const char *backend)
{
	kit_open(k, backend);
	k->policy.kms_identity = kit_text(CLIENT_KMS);
	k->now = 0xed00378040000000;
	provision(k, &alice);
	provision(k, &bob);
	provision(k, &carol);
	provision(k, &recorder);
	kit_sealing_key(k, "tpk-1", client_tpk, sizeof(client_tpk), SEALING_ACTIVE);
	kit_keyring(k);
}

struct policy_wish client_policy(void)
{
	return (struct policy_wish){
		.type = 1,
		.subtype = 1,
		.version = 1,
		.prf = MIKEY_PRF_HMAC_SHA_256,
		.flags = MIKEY_FLAG_D | MIKEY_FLAG_E | MIKEY_FLAG_F | MIKEY_FLAG_G | MIKEY_FLAG_H |
			 MIKEY_FLAG_I | MIKEY_FLAG_N | MIKEY_FLAG_O,
		.kms = kit_text(CLIENT_KMS),
		.initiator = kit_text(alice.uids[0]),
		.trs = {true, MIKEY_TS_NTP_UTC_32, -60},
		.tre = {true, MIKEY_TS_NTP_UTC_32, 3600},
		.responders = {kit_text(bob.uids[0])},
	};
}

static struct init_wish client_init(const struct person *sender)
{
	return (struct init_wish){
		.sender = sender,
		.version = 1,
		.prf = MIKEY_PRF_HMAC_SHA_256,
		.auth_alg = MIKEY_AUTH_HMAC_SHA_256_256,
		.map_type = MIKEY_MAP_EMPTY,
		.csb_id = 0x12345678,
		.t = true,
		.randr = true,
		.randr_len = PSK_LEN,
		.self = kit_text(sender->uids[0]),
		.kms = kit_text(CLIENT_KMS),
		.psk_id = kit_text(sender->psk_id),
	};
}

struct init_wish client_request(const struct policy_wish *policy)
{
	struct init_wish w = client_init(&alice);

	w.data_type = MIKEY_REQUEST_INIT_PSK;
	w.policy = policy;
	return w;
}

struct init_wish client_resolve(const struct octets *ticket)
{
	struct init_wish w = client_init(&bob);

	w.data_type = MIKEY_RESOLVE_INIT_PSK;
	w.csb_id = 0x87654321;
	w.ticket = ticket->data;
	w.ticket_len = ticket->len;
	return w;
}

void client_weak(struct init_wish *init)
{
	init->prf = MIKEY_PRF_MIKEY_1;
	init->auth_alg = MIKEY_AUTH_HMAC_SHA_1_160;
}

void client_put64(uint8_t *out, uint64_t v)
{
	for (unsigned int i = 0; i < 8; i++)
		out[i] = (uint8_t)(v >> (56 - 8 * i));
}

void client_write_id(struct mikey_writer *w, uint8_t role, uint8_t type, struct identity id)
{
	if (id.data)
		mikey_write_idr(w, role, type, id.data, id.len);
}

static void write_time(
	const struct kit *k, struct mikey_writer *w, uint8_t role, const struct time_wish *t)
{
	uint8_t value[8];

	if (!t->present)
		return;
	client_put64(value, k->now + ((uint64_t)t->seconds << 32));
	mikey_write_tr(w, role, t->type, value);
}

static void write_responders(struct mikey_writer *w, const struct policy_wish *p)
{
	for (unsigned int i = 0; i < CLIENT_RESPONDERS_MAX && p->responders[i].data; i++)
		client_write_id(w, MIKEY_IDRR, p->id_type, p->responders[i]);
}

/* A KEMAC with any algorithms: the writer knows none but the NULL MAC. */
void client_write_kemac(
	struct mikey_writer *w, uint8_t encr_alg, uint8_t mac_alg, const uint8_t *data, size_t len)
{
	const int mac_len = mikey_mac_len(mac_alg);
	const size_t off = mikey_write_kemac(w, encr_alg, data, len);

	cr_assert_geq(mac_len, 0);
	w->buf[off + len] = mac_alg;
	memset(w->buf + w->len, 0, (size_t)mac_len);
	w->len += (size_t)mac_len;
}

static void write_policy(const struct kit *k, struct mikey_writer *w, const struct policy_wish *p)
{
	if (p->backwards)
		write_responders(w, p);
	client_write_id(w, MIKEY_IDRKMS, MIKEY_ID_NAI, p->kms);
	client_write_id(w, MIKEY_IDRI, p->id_type, p->initiator);
	write_time(k, w, MIKEY_TRS, &p->trs);
	write_time(k, w, MIKEY_TRE, &p->tre);
	write_time(k, w, MIKEY_TRR, &p->trr);
	if (p->unexpected)
		mikey_write_rand(w, client_tpk, 16);
	if (p->kemac)
		client_write_kemac(w, p->kemac_encr, p->kemac_mac, p->keys, p->keys_len);
	for (unsigned int i = 0; i < CLIENT_APPS_MAX && p->apps[i].data; i++)
		client_write_id(w, MIKEY_IDRAPP, MIKEY_ID_BYTES, p->apps[i]);
	if (!p->backwards)
		write_responders(w, p);
}

static struct mikey_ticket_head head_of(const struct policy_wish *p)
{
	return (struct mikey_ticket_head){
		.type = p->type,
		.subtype = p->subtype,
		.version = p->version,
		.prf = p->prf,
		.flags = p->flags,
	};
}

void client_write_tp(const struct kit *k, struct mikey_writer *w, enum mikey_payload kind,
	const struct policy_wish *p)
{
	const struct mikey_ticket_head head = head_of(p);

	if (p->raw) {
		mikey_write_tp_raw(w, kind, &head, p->raw, p->raw_len);
		return;
	}
	const struct mikey_nest nest = mikey_open_tp(w, kind, &head);

	write_policy(k, w, p);
	mikey_close(w, nest);
}

void client_derive(struct kit *k, uint8_t prf, const uint8_t *key, size_t key_len,
	const uint8_t *label, size_t label_len, uint8_t *out, size_t out_len)
{
	const struct crypto_prf_op op = {
		.inkey = key,
		.inkey_len = (uint16_t)key_len,
		.label = label,
		.label_len = (uint16_t)label_len,
		.out = out,
		.out_len = (uint16_t)out_len,
		.hash = prf == MIKEY_PRF_MIKEY_1 ? CRYPTO_SHA1 : CRYPTO_SHA256,
	};

	crypto_prf(k->crypto, &op, 1);
}

static uint8_t mac_hash(uint8_t auth_alg)
{
	return auth_alg == MIKEY_AUTH_HMAC_SHA_1_160 ? CRYPTO_SHA1 : CRYPTO_SHA256;
}

size_t client_mac_len(uint8_t auth_alg)
{
	return auth_alg == MIKEY_AUTH_HMAC_SHA_1_160 ? 20 : 32;
}

void client_mac(struct kit *k, uint8_t auth_alg, const uint8_t *key,
	const struct crypto_segment *seg, unsigned int n, uint8_t *out)
{
	struct crypto_mac_op op = {
		.key = key,
		.key_len = (uint16_t)client_mac_len(auth_alg),
		.n_segments = (uint8_t)n,
		.out = out,
		.hash = mac_hash(auth_alg),
	};

	memcpy(op.seg, seg, n * sizeof(*seg));
	crypto_mac(k->crypto, &op, 1);
}

static struct kdf_rand randr_of(const struct init_wish *wish)
{
	static uint8_t randr[255];

	memset(randr, 0x5a, sizeof(randr));
	return (struct kdf_rand){randr, wish->randr ? wish->randr_len : 0};
}

static void message_key(struct kit *k, const struct init_wish *wish, enum kdf_key which,
	enum kdf_phase phase, uint8_t *out, size_t out_len)
{
	const struct kdf_rand none = {NULL, 0}, randr = randr_of(wish);
	const bool request = wish->policy != NULL;
	uint8_t label[CRYPTO_LABEL_MAX];
	const size_t n = kdf_label_message(
		label, which, phase, wish->csb_id, request ? randr : none, request ? none : randr);

	client_derive(k, wish->prf, client_psk(wish->sender), PSK_LEN, label, n, out, out_len);
}

static void seal_message(struct kit *k, const struct init_wish *wish, struct mikey_writer *w)
{
	const struct identity self = wish->self.data ? wish->self : kit_text(wish->sender->uids[0]);
	const struct identity kms = wish->kms.data ? wish->kms : kit_text(CLIENT_KMS);
	uint8_t key[32];
	const size_t off = mikey_write_v(w, wish->auth_alg);

	if (mikey_mac_len(wish->auth_alg) <= 0)
		return;
	message_key(k, wish, KDF_AUTH, KDF_INIT, key, client_mac_len(wish->auth_alg));
	const struct crypto_segment seg[] = {
		{w->buf, (uint32_t)off}, {self.data, self.len}, {kms.data, kms.len}};

	client_mac(k, wish->auth_alg, key, seg, 3, w->buf + off);
	if (wish->v == V_WRONG)
		w->buf[off] ^= 1;
}

static void write_tail(const struct init_wish *wish, struct mikey_writer *w)
{
	w->buf[w->next_off] = wish->tail_kind;
	memcpy(w->buf + w->len, wish->tail, wish->tail_len);
	w->next_off = w->len + wish->tail_next_off;
	w->len += wish->tail_len;
}

void client_build(struct kit *k, const struct init_wish *wish, struct octets *message)
{
	const bool request = wish->policy != NULL;
	struct mikey_writer w;
	uint8_t t[8];

	mikey_write_begin(&w, message->data, sizeof(message->data));
	mikey_write_hdr_map(&w, wish->data_type, true, wish->prf, wish->csb_id, wish->n_cs,
		wish->map_type, NULL, 0);
	mikey_write_version(&w, wish->version);
	client_put64(t, k->now + ((uint64_t)wish->t_seconds << 32));
	if (wish->t)
		mikey_write_t(&w, wish->t_type, t);
	if (wish->randr)
		mikey_write_randr(&w, request ? MIKEY_RANDRI : MIKEY_RANDRR, randr_of(wish).data,
			wish->randr_len);
	client_write_id(&w, request ? MIKEY_IDRI : MIKEY_IDRR, wish->id_type, wish->self);
	client_write_id(&w, MIKEY_IDRKMS, MIKEY_ID_NAI, wish->kms);
	if (request)
		client_write_tp(k, &w, MIKEY_TP, wish->policy);
	else if (wish->ticket)
		mikey_write_ticket_raw(&w, wish->ticket, wish->ticket_len);
	client_write_id(&w, MIKEY_IDRPSK, MIKEY_ID_BYTES, wish->psk_id);
	if (wish->tail)
		write_tail(wish, &w);
	if (wish->v != V_MISSING)
		seal_message(k, wish, &w);
	if (wish->v == V_NOT_LAST)
		mikey_write_rand(&w, client_tpk, 16);
	message->len = mikey_write_end(&w);
	cr_assert_gt(message->len, 0);
}

void client_send(struct kit *k, const struct init_wish *wish, struct kit_answer *a)
{
	static struct octets message;

	client_build(k, wish, &message);
	kit_send(k, message.data, message.len, a);
}

size_t client_keys(uint8_t *out, size_t cap, const struct key_wish *keys, unsigned int n)
{
	static uint8_t octets[255];
	struct mikey_writer w;

	for (unsigned int i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i * 7 + 1);
	mikey_write_begin_keys(&w, out, cap);
	for (unsigned int i = 0; i < n; i++) {
		const struct mikey_key_spec spec = {
			.type = keys[i].type,
			.kv = keys[i].kv,
			.key = octets + i,
			.key_len = keys[i].len,
			.salt = octets + 100 + i,
			.salt_len = keys[i].salt_len,
			.spi = (const uint8_t *)keys[i].spi,
			.spi_len = keys[i].spi ? (uint8_t)strlen(keys[i].spi) : 0,
			.valid_from = octets,
			.valid_from_len = keys[i].kv == MIKEY_KV_INTERVAL ? 4 : 0,
			.valid_to = octets,
			.valid_to_len = keys[i].kv == MIKEY_KV_INTERVAL ? 4 : 0,
		};

		mikey_write_key(&w, &spec);
	}
	const size_t len = mikey_write_end(&w);

	cr_assert(len > 0 || n == 0);
	return len;
}

static void decrypt(struct kit *k, const struct init_wish *wish, struct response *r)
{
	uint8_t encr[32], salt[14], t[8];
	struct crypto_cm_op cm = {
		.key = encr,
		.key_len = wish->prf == MIKEY_PRF_MIKEY_1 ? 16 : 32,
		.src = mikey_at(r->m.octets, r->m.kemac.data),
		.dst = r->plain,
		.len = r->m.kemac.data.len,
	};

	message_key(k, wish, KDF_ENCR, KDF_RESP, encr, cm.key_len);
	message_key(k, wish, KDF_SALT, KDF_RESP, salt, sizeof(salt));
	mikey_t64(t, r->m.octets, &r->m.t);
	crypto_cm_iv(cm.iv, salt, wish->csb_id, t);
	crypto_cm(k->crypto, &cm, 1);
	cr_assert_eq(mikey_parse_keys(r->keys, MIKEY_KEYS_MAX, &r->n_keys, r->plain, cm.len),
		MIKEY_PARSE_OK);
}

void client_open(struct kit *k, const struct init_wish *wish, const struct octets *init,
	const struct kit_answer *a, struct response *r)
{
	uint8_t key[32], out[32];

	cr_assert_eq(mikey_parse_message(&r->m, a->octets, a->len), MIKEY_PARSE_OK);
	cr_assert_eq(r->m.data_type, wish->policy ? MIKEY_REQUEST_RESP : MIKEY_RESOLVE_RESP);
	cr_assert_eq(r->m.csb_id, wish->csb_id);
	cr_assert_eq(r->m.prf, wish->prf);
	cr_assert(r->m.v.present && r->m.v_last && r->m.v.auth_alg == wish->auth_alg);
	message_key(k, wish, KDF_AUTH, KDF_RESP, key, client_mac_len(wish->auth_alg));
	const struct crypto_segment seg[] = {
		{a->octets, r->m.v.mac.off}, {init->data, (uint32_t)init->len}};

	client_mac(k, wish->auth_alg, key, seg, 2, out);
	cr_assert_eq(memcmp(out, mikey_at(a->octets, r->m.v.mac), r->m.v.mac.len), 0,
		"MAC of the response");
	decrypt(k, wish, r);
	if (!wish->policy)
		return;
	cr_assert(r->m.ticket.present);
	cr_assert_eq(mikey_parse_tp_data(&r->tp, a->octets, r->m.ticket.tp_data), MIKEY_PARSE_OK);
	cr_assert_eq(mikey_parse_ticket_data(&r->td, a->octets, r->m.ticket.ticket_data),
		MIKEY_PARSE_OK);
}
