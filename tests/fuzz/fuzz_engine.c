/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine behind its MACs. The input is a MIKEY message; its CSB ID says what is put right
 * before the engine sees it (bits below), so that mutations reach what only an authenticated
 * message reaches. Both backends must give the same.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/kdf/kdf.h"
#include "common/mikey/message.h"
#include "dataplane/engine/engine.h"
#include "tests/fuzz/fuzz.h"

enum { /* bits of the CSB ID */
	FIX_TIME = 1 << 0,
	FIX_MAC = 1 << 1,
	FIX_TICKET_MAC = 1 << 2,
	ENCRYPT_KEYS = 1 << 3, /* KEMAC of the ticket holds plain key data */
	FIX_VR = 1 << 4,
	PROFILE_3GPP = 1 << 8,
	NO_GROUPS = 1 << 9,
	NO_REUSE = 1 << 10,
	NO_MODE3 = 1 << 11,
	NO_NO_FORKING = 1 << 12,
	NOT_IN_SYNC = 1 << 13,
	RULES = 1 << 14,
	SMALL_RESPONSE = 1 << 15,
};

enum { MESSAGE_MAX = 65535, KEY_LEN = 32 };

static const uint64_t now = 0xed00378040000000;

/* The names that the vectors use. */
static const struct {
	const char *psk_id, *uid, *other_uid;
	uint32_t roles;
} people[] = {
	{"psk-alice", "alice@company.example", "a@b", 0},
	{"psk-bob", "bob@company.example", "user1.department@company.example", 0},
	{"psk-carol", "carol@other.example", "recorder@company.example", SUBSCRIBER_FUNCTION},
};
enum { PEOPLE = 3 };
#define TPK_ID "tpk-kms-1"

static struct fuzz_state {
	struct crypto *crypto[2];
	struct engine *engine[2];
	struct subscriber_table *subscribers;
	struct keyring keyring;
	struct policy policy;
	struct policy_rule rule;
} state;

static struct identity text(const char *s)
{
	return (struct identity){(const uint8_t *)s, (uint16_t)strlen(s)};
}

static void key_of(unsigned int person, uint8_t key[KEY_LEN])
{
	memset(key, (int)person + 1, KEY_LEN);
}

/* Their memory is locked, where leak checkers do not look. */
static void teardown(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		engine_free(state.engine[i]);
		crypto_close(state.crypto[i]);
	}
	subscriber_table_free(state.subscribers);
	keyring_clear(&state.keyring);
}

static void setup(void)
{
	static const char *const backends[] = {"openssl", "ipsec-mb"};
	uint8_t key[KEY_LEN];
	int rc = 0;

	state.subscribers = subscriber_table_new(PEOPLE);
	for (unsigned int i = 0; i < 2; i++) {
		state.crypto[i] = crypto_open(backends[i]);
		state.engine[i] = state.crypto[i] ? engine_new(state.crypto[i]) : NULL;
		if (!state.engine[i] || !state.subscribers)
			abort();
	}
	for (unsigned int i = 0; i < PEOPLE; i++) {
		const struct identity uids[] = {text(people[i].uid), text(people[i].other_uid)};
		const struct subscriber_spec spec = {
			.psk_id = text(people[i].psk_id),
			.psk = key,
			.psk_len = KEY_LEN,
			.uids = uids,
			.n_uids = 2,
			.roles = people[i].roles,
		};

		key_of(i, key);
		rc |= subscriber_table_put(state.subscribers, state.crypto[0], &spec);
	}
	key_of(PEOPLE, key);
	const struct sealing_key_spec sealing = {.id = text(TPK_ID),
		.key = key,
		.len = KEY_LEN,
		.resolves_until = INT64_C(1) << 33,
		.state = SEALING_ACTIVE};

	rc |= keyring_build(&state.keyring, state.crypto[0], 1, &sealing, 1);
	if (rc != 0 || atexit(teardown) != 0)
		abort();
	state.rule = (struct policy_rule){text("alice@?"), text("?b?@?"), false};
}

static void set_policy(uint32_t bits)
{
	struct policy *p = &state.policy;

	policy_defaults(p);
	p->kms_identity = text("kms@company.example");
	p->profile = bits & PROFILE_3GPP ? POLICY_3GPP : POLICY_RFC6043;
	p->allow_groups = !(bits & NO_GROUPS);
	p->allow_reuse = !(bits & NO_REUSE);
	p->allow_mode3 = !(bits & NO_MODE3);
	p->allow_no_forking = !(bits & NO_NO_FORKING);
	p->in_sync = !(bits & NOT_IN_SYNC);
	p->rules = &state.rule;
	p->n_rules = bits & RULES ? 1 : 0;
	p->max_message = POLICY_MESSAGE_MAX;
	p->end_to_middle_app = text("app.example");
}

static void derive(uint8_t prf, const uint8_t *key, size_t key_len, const uint8_t *label,
	size_t label_len, uint8_t *out, size_t out_len)
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

	crypto_prf(state.crypto[0], &op, 1);
}

static void mac(uint8_t alg, const uint8_t *key, const struct crypto_segment *seg, unsigned int n,
	uint8_t *out)
{
	struct crypto_mac_op op = {
		.key = key,
		.key_len = (uint16_t)mikey_mac_len(alg),
		.n_segments = (uint8_t)n,
		.out = out,
		.hash = alg == MIKEY_AUTH_HMAC_SHA_1_160 ? CRYPTO_SHA1 : CRYPTO_SHA256,
	};

	memcpy(op.seg, seg, n * sizeof(*seg));
	crypto_mac(state.crypto[0], &op, 1);
}

/* Whose key a message or ticket names: a person, PEOPLE for the sealing key, -1 for none of ours.
 */
static int named_key(const uint8_t *octets, const struct mikey_id *id, uint8_t key[KEY_LEN])
{
	const struct identity name = {octets + id->data.off, id->data.len};
	int who = -1;

	if (!id->present || identity_equal(name, text(TPK_ID)))
		who = PEOPLE;
	for (int i = 0; i < PEOPLE; i++) {
		if (identity_equal(name, text(people[i].psk_id)))
			who = i;
	}
	key_of((unsigned int)who, key);
	return who;
}

static struct kdf_rand rand_of(const uint8_t *octets, const struct mikey_randr *r)
{
	return (struct kdf_rand){octets + r->data.off, (uint8_t)r->data.len};
}

/* Initiator Data as who knows the MPK would make it. */
static void fix_vr(uint8_t *octets, const struct mikey_message *m,
	const struct mikey_ticket_data *td, const uint8_t *plain, size_t plain_len)
{
	struct mikey_initiator_data id;
	struct mikey_key keys[MIKEY_KEYS_MAX];
	uint8_t label[CRYPTO_LABEL_MAX], mpkr[CRYPTO_PRF_OUT_MAX], auth[32];
	unsigned int n;

	if (mikey_parse_initiator_data(&id, octets, m->ticket.initiator_data) != MIKEY_PARSE_OK ||
		mikey_mac_len(id.vr.auth_alg) <= 0)
		return;
	if (mikey_parse_keys(keys, MIKEY_KEYS_MAX, &n, plain, plain_len) != MIKEY_PARSE_OK ||
		n == 0 || keys[0].key.len == 0 || keys[0].key.len > CRYPTO_INKEY_MAX)
		return;
	derive(m->ticket.prf, plain + keys[0].key.off, keys[0].key.len, label,
		kdf_label_mpk(label, KDF_MPKR, rand_of(octets, &td->rand)), mpkr, keys[0].key.len);
	derive(m->ticket.prf, mpkr, keys[0].key.len, label,
		kdf_label_initiator_data(label, KDF_AUTH), auth,
		(size_t)mikey_mac_len(id.vr.auth_alg));
	const struct crypto_segment seg = {octets + m->ticket.initiator_data.off,
		(uint32_t)(id.vr.mac.off - m->ticket.initiator_data.off)};

	mac(id.vr.auth_alg, auth, &seg, 1, octets + id.vr.mac.off);
}

static void encrypt_keys(uint8_t *octets, const struct mikey_message *m,
	const struct mikey_ticket_data *td, const uint8_t *tpk)
{
	uint8_t label[CRYPTO_LABEL_MAX], encr[32], salt[14], t64[8];
	struct crypto_cm_op op = {
		.key = encr,
		.key_len = td->kemac.encr_alg == MIKEY_ENCR_AES_CM_128 ? 16 : 32,
		.src = octets + td->kemac.data.off,
		.dst = octets + td->kemac.data.off,
		.len = td->kemac.data.len,
	};
	const struct kdf_rand rand = rand_of(octets, &td->rand);

	derive(m->ticket.prf, tpk, KEY_LEN, label, kdf_label_ticket(label, KDF_ENCR, rand), encr,
		op.key_len);
	derive(m->ticket.prf, tpk, KEY_LEN, label, kdf_label_ticket(label, KDF_SALT, rand), salt,
		sizeof(salt));
	mikey_t64(t64, octets, &td->t);
	crypto_cm_iv(op.iv, salt, 0xffffffff, t64);
	crypto_cm(state.crypto[0], &op, 1);
}

static void fix_ticket(uint8_t *octets, const struct mikey_message *m)
{
	struct mikey_ticket_data td;
	uint8_t tpk[KEY_LEN], label[CRYPTO_LABEL_MAX], auth[32];
	static uint8_t plain[MESSAGE_MAX];

	if (!m->ticket.present ||
		mikey_parse_ticket_data(&td, octets, m->ticket.ticket_data) != MIKEY_PARSE_OK ||
		named_key(octets, &td.idr_psk, tpk) < 0)
		return;
	memcpy(plain, octets + td.kemac.data.off, td.kemac.data.len);
	if (m->csb_id & FIX_VR)
		fix_vr(octets, m, &td, plain, td.kemac.data.len);
	if (m->csb_id & ENCRYPT_KEYS)
		encrypt_keys(octets, m, &td, tpk);
	if (!(m->csb_id & FIX_TICKET_MAC) || mikey_mac_len(td.v.auth_alg) <= 0)
		return;
	derive(m->ticket.prf, tpk, KEY_LEN, label,
		kdf_label_ticket(label, KDF_AUTH, rand_of(octets, &td.rand)), auth,
		(size_t)mikey_mac_len(td.v.auth_alg));
	const struct crypto_segment seg = {
		octets + m->ticket.body.off, (uint32_t)(td.v.mac.off - m->ticket.body.off)};

	mac(td.v.auth_alg, auth, &seg, 1, octets + td.v.mac.off);
}

static void fix_time(uint8_t *octets, const struct mikey_t *t)
{
	for (unsigned int i = 0; t->present && i < t->value.len; i++)
		octets[t->value.off + i] = (uint8_t)(now >> (56 - 8 * i));
}

static struct identity covered(
	const struct mikey_message *m, enum mikey_id_role role, struct identity otherwise)
{
	const struct mikey_id *id = &m->idr[role];

	return id->present ? (struct identity){m->octets + id->data.off, id->data.len} : otherwise;
}

static void fix_mac(uint8_t *octets, const struct mikey_message *m)
{
	const bool request = m->data_type == MIKEY_REQUEST_INIT_PSK;
	const struct mikey_randr *randr = &m->randr[request ? MIKEY_RANDRI : MIKEY_RANDRR];
	const struct kdf_rand none = {NULL, 0}, rand = rand_of(octets, randr);
	uint8_t psk[KEY_LEN], label[CRYPTO_LABEL_MAX], auth[32];

	const int who = named_key(octets, &m->idr[MIKEY_IDRPSK], psk);

	if (!m->v.present || mikey_mac_len(m->v.auth_alg) <= 0 || who < 0 || who == PEOPLE)
		return;
	const size_t n = kdf_label_message(
		label, KDF_AUTH, KDF_INIT, m->csb_id, request ? rand : none, request ? none : rand);
	const struct identity self =
		covered(m, request ? MIKEY_IDRI : MIKEY_IDRR, text(people[who].uid));
	const struct identity kms = covered(m, MIKEY_IDRKMS, text("kms@company.example"));
	const struct crypto_segment seg[] = {
		{octets, m->v.mac.off}, {self.data, self.len}, {kms.data, kms.len}};

	derive(m->prf, psk, KEY_LEN, label, n, auth, (size_t)mikey_mac_len(m->v.auth_alg));
	mac(m->v.auth_alg, auth, seg, 3, octets + m->v.mac.off);
}

static void fix(uint8_t *octets, size_t len)
{
	struct mikey_message m;

	if (mikey_parse_message(&m, octets, len) != MIKEY_PARSE_OK)
		return;
	if (m.csb_id & FIX_TIME)
		fix_time(octets, &m.t);
	fix_ticket(octets, &m);
	if (m.csb_id & FIX_MAC)
		fix_mac(octets, &m);
}

static void check(const struct engine_msg *msg)
{
	const struct verdict_info *info = verdict_info(msg->verdict);
	struct mikey_message m;

	assert(msg->verdict != VERDICT_PENDING && msg->verdict < VERDICT_COUNT);
	assert(msg->response_len <= msg->response_cap);
	if (msg->verdict == VERDICT_REQUEST_OK || msg->verdict == VERDICT_RESOLVE_OK) {
		assert(mikey_parse_message(&m, msg->response, msg->response_len) == MIKEY_PARSE_OK);
		assert(m.kemac.present && m.v_last);
		return;
	}
	assert(info->error_no != VERDICT_SILENT || msg->response_len == 0);
	assert(info->authenticated || msg->response_len <= msg->request_len);
	if (msg->response_len == 0)
		return;
	const uint8_t version = msg->response[0];

	msg->response[0] = 1;
	assert(mikey_parse_message(&m, msg->response, msg->response_len) == MIKEY_PARSE_OK);
	assert(m.data_type == MIKEY_ERROR && m.err_no == info->error_no &&
		m.v.present == info->authenticated);
	msg->response[0] = version;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t responses[2][MESSAGE_MAX];
	uint8_t *octets = malloc(size ? size : 1);
	uint32_t bits = 0;
	struct engine_msg msg[2];

	if (!state.engine[0])
		setup();
	const struct engine_view view = {&state.keyring, &state.policy, state.subscribers};

	if (!octets || size > MESSAGE_MAX) {
		free(octets);
		return 0;
	}
	memcpy(octets, data, size);
	for (size_t i = 4; size >= MIKEY_HDR_LEN && i < 8; i++)
		bits = bits << 8 | data[i];
	set_policy(bits);
	fix(octets, size);
	for (unsigned int i = 0; i < 2; i++) {
		msg[i] = (struct engine_msg){
			.request = octets,
			.request_len = (uint16_t)size,
			.response = responses[i],
			.response_cap =
				bits & SMALL_RESPONSE ? (uint16_t)(bits >> 16) : MESSAGE_MAX,
		};
		engine_process(state.engine[i], &view, now, &msg[i], 1);
		check(&msg[i]);
	}
	assert(msg[0].verdict == msg[1].verdict && msg[0].response_len == msg[1].response_len);
	assert(memcmp(responses[0], responses[1], msg[0].response_len) == 0);
	free(octets);
	return 0;
}
