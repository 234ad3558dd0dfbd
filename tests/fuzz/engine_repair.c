/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/fuzz/engine_repair.h"

#include "common/kdf/kdf.h"
#include "common/mikey/message.h"

const struct fuzz_person fuzz_people[PEOPLE] = {
	{"psk-alice", "alice@company.example", "a@b", 0},
	{"psk-bob", "bob@company.example", "user1.department@company.example", 0},
	{"psk-carol", "carol@other.example", "recorder@company.example", SUBSCRIBER_FUNCTION},
};

static struct crypto *crypto;

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

	crypto_prf(crypto, &op, 1);
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
	crypto_mac(crypto, &op, 1);
}

/* Whose key a message or ticket names: a person, PEOPLE for the sealing key, -1 for none of ours.
 */
static int named_key(const uint8_t *octets, const struct mikey_id *id, uint8_t key[KEY_LEN])
{
	const struct identity name = {octets + id->data.off, id->data.len};
	int who = -1;

	if (!id->present || identity_equal(name, fuzz_text(TPK_ID)))
		who = PEOPLE;
	for (int i = 0; i < PEOPLE; i++) {
		if (identity_equal(name, fuzz_text(fuzz_people[i].psk_id)))
			who = i;
	}
	fuzz_key((unsigned int)who, key);
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
	crypto_cm(crypto, &op, 1);
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
		octets[t->value.off + i] = (uint8_t)(fuzz_now >> (56 - 8 * i));
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
		covered(m, request ? MIKEY_IDRI : MIKEY_IDRR, fuzz_text(fuzz_people[who].uid));
	const struct identity kms = covered(m, MIKEY_IDRKMS, fuzz_text("kms@company.example"));
	const struct crypto_segment seg[] = {
		{octets, m->v.mac.off}, {self.data, self.len}, {kms.data, kms.len}};

	derive(m->prf, psk, KEY_LEN, label, n, auth, (size_t)mikey_mac_len(m->v.auth_alg));
	mac(m->v.auth_alg, auth, seg, 3, octets + m->v.mac.off);
}

void fuzz_repair(struct crypto *with, uint8_t *octets, size_t len)
{
	struct mikey_message m;

	crypto = with;
	if (mikey_parse_message(&m, octets, len) != MIKEY_PARSE_OK)
		return;
	if (m.csb_id & FIX_TIME)
		fix_time(octets, &m.t);
	fix_ticket(octets, &m);
	if (m.csb_id & FIX_MAC)
		fix_mac(octets, &m);
}
