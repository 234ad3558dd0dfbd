/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/ue/policy.h"

#include <string.h>

enum {
	USUAL_START_S = -60,
	USUAL_LIFETIME_S = 3600,
	KEY_DATA_MAX = UE_KEYS_MAX * (4 + 64 + 2 + 64 + 1 + UE_SPI_MAX),
};

void ue_policy_default(struct ue_policy *p, uint64_t ntp_now)
{
	memset(p, 0, sizeof(*p));
	p->type = 1;
	p->subtype = 1;
	p->version = 1;
	p->flags = UE_FLAGS_USUAL;
	p->trs = ue_time_32(ntp_now, USUAL_START_S);
	p->tre = ue_time_32(ntp_now, USUAL_LIFETIME_S);
}

enum ue_result ue_flags_check(uint16_t f, int has_tgk)
{
	static const struct {
		uint16_t if_set, then_set;
	} rules[] = {
		{MIKEY_FLAG_G, MIKEY_FLAG_F},
		{MIKEY_FLAG_I, MIKEY_FLAG_E},
		{MIKEY_FLAG_K, MIKEY_FLAG_D},
		{MIKEY_FLAG_M, MIKEY_FLAG_F},
	};
	for (unsigned int i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if ((f & rules[i].if_set) && !(f & rules[i].then_set)) {
			return UE_TICKET_FLAGS;
		}
	}
	if (!(f & (MIKEY_FLAG_D | MIKEY_FLAG_L)) || !(f & (MIKEY_FLAG_G | MIKEY_FLAG_H))) {
		return UE_TICKET_FLAGS;
	}
	if ((f & MIKEY_FLAG_I) && has_tgk && !(f & MIKEY_FLAG_F)) {
		return UE_TICKET_FLAGS;
	}
	return UE_OK;
}

enum ue_result ue_ticket_type_check(uint16_t type, uint8_t subtype, uint8_t version)
{
	if ((type == 1 && subtype == 1 && version == 1) ||
		(type == 2 && subtype == 0 && version == 0)) {
		return UE_OK;
	}
	return UE_TICKET_TYPE;
}

static int is_ntp(const struct mikey_t *t)
{
	return t->type == MIKEY_TS_NTP_UTC || t->type == MIKEY_TS_NTP ||
	       t->type == MIKEY_TS_NTP_UTC_32;
}

enum ue_result ue_times_check(const struct mikey_tp_data *tp)
{
	const struct mikey_t *const all[] = {&tp->trs, &tp->tre, &tp->trr};
	for (unsigned int i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i]->present && !is_ntp(all[i])) {
			return UE_TICKET_POLICY;
		}
	}
	return UE_OK;
}

enum ue_result ue_validity_check(
	const struct mikey_tp_data *tp, const uint8_t *octets, uint64_t ntp_now)
{
	int64_t now = ue_ntp_seconds(ntp_now);
	if (tp->trs.present && now < mikey_ntp_seconds(octets, &tp->trs)) {
		return UE_TICKET_TIME;
	}
	if (tp->tre.present && now > mikey_ntp_seconds(octets, &tp->tre)) {
		return UE_TICKET_TIME;
	}
	return UE_OK;
}

int ue_policy_matches(const struct mikey_tp_data *tp, const uint8_t *octets, struct identity id)
{
	for (unsigned int i = 0; i < tp->n_idr_r && i < MIKEY_IDRR_MAX; i++) {
		const struct mikey_id *r = &tp->idr_r[i];
		if (identity_match((struct identity){mikey_at(octets, r->data), r->data.len}, id)) {
			return 1;
		}
	}
	return 0;
}

static enum ue_result key_check(const struct ue_key_wish *k, enum ue_suite suite)
{
	if (k->type > MIKEY_GTGK_SALT || k->key_len < 16 || k->key_len > CRYPTO_INKEY_MAX ||
		k->spi_len > UE_SPI_MAX || k->salt_len > CRYPTO_INKEY_MAX ||
		(k->salt_len != 0) != ue_key_type_has_salt(k->type)) {
		return UE_ARGUMENT;
	}
	/* 12.1: keys beyond 128 bits need the 256-bit algorithms. */
	return suite == UE_SUITE_A && k->key_len > 16 ? UE_KEY_LENGTH : UE_OK;
}

enum ue_result ue_policy_check(const struct ue_policy *p, enum ue_suite suite)
{
	int has_tgk = p->key_list == UE_KEYS_DEFAULT;
	if (p->n_keys > UE_KEYS_MAX || p->n_recipients > UE_RECIPIENTS_MAX ||
		p->n_recipients == 0 || p->n_apps > UE_APPS_MAX || (p->flags & MIKEY_FLAG_K) ||
		p->flags > 0xFFF) {
		return UE_ARGUMENT;
	}
	for (unsigned int i = 0; i < p->n_recipients; i++) {
		if (p->recipients[i].len == 0 || p->recipients[i].len > IDENTITY_MAX) {
			return UE_IDENTITY;
		}
	}
	for (unsigned int i = 0; p->key_list == UE_KEYS_LISTED && i < p->n_keys; i++) {
		enum ue_result r = key_check(&p->keys[i], suite);
		if (r != UE_OK) {
			return r;
		}
		has_tgk |= p->keys[i].type == MIKEY_TGK || p->keys[i].type == MIKEY_TGK_SALT;
	}
	return ue_flags_check(p->flags, has_tgk);
}

struct mikey_ticket_head ue_policy_head(const struct ue_policy *p, enum ue_suite suite)
{
	return (struct mikey_ticket_head){
		.type = p->type,
		.subtype = p->subtype,
		.version = p->version,
		.prf = ue_suite_prf(suite),
		.flags = p->flags,
	};
}

enum ue_result ue_policy_write_keys(struct mikey_writer *w, const struct ue_policy *p)
{
	uint8_t data[KEY_DATA_MAX];
	struct mikey_writer k;
	size_t len = 0;
	if (p->n_keys != 0) {
		mikey_write_begin_keys(&k, data, sizeof(data));
		for (unsigned int i = 0; i < p->n_keys; i++) {
			const struct ue_key_wish *wish = &p->keys[i];
			(void)mikey_write_key(
				&k, &(struct mikey_key_spec){
					    .type = wish->type,
					    .kv = wish->spi_len != 0 ? MIKEY_KV_SPI : MIKEY_KV_NULL,
					    .key_len = wish->key_len,
					    .salt_len = wish->salt_len,
					    .spi = wish->spi,
					    .spi_len = wish->spi_len,
				    });
		}
		len = mikey_write_end(&k);
		if (len == 0) {
			return UE_NO_ROOM;
		}
	}
	(void)mikey_write_kemac(w, MIKEY_ENCR_NULL, data, len);
	return UE_OK;
}

static void write_time(struct mikey_writer *w, uint8_t role, const struct ue_time *t)
{
	if (t->present) {
		mikey_write_tr(w, role, t->type, t->value);
	}
}

void ue_policy_write(
	struct mikey_writer *w, const struct ue *ue, const struct ue_policy *p, enum ue_kemac kemac)
{
	if (!(p->omit & UE_OMIT_IDR_KMS)) {
		mikey_write_idr(w, MIKEY_IDRKMS, ue->id_type, ue->kms.data, ue->kms.len);
	}
	if (!(p->omit & UE_OMIT_IDR_I)) {
		mikey_write_idr(w, MIKEY_IDRI, ue->id_type, ue->uids[0].data, ue->uids[0].len);
	}
	write_time(w, MIKEY_TRS, &p->trs);
	write_time(w, MIKEY_TRE, &p->tre);
	write_time(w, MIKEY_TRR, &p->trr);
	if (kemac == UE_WITH_KEMAC && p->key_list == UE_KEYS_LISTED &&
		ue_policy_write_keys(w, p) != UE_OK) {
		w->failed = true;
	}
	for (unsigned int i = 0; i < p->n_apps; i++) {
		mikey_write_idr(w, MIKEY_IDRAPP, MIKEY_ID_BYTES, p->apps[i].data, p->apps[i].len);
	}
	for (unsigned int i = 0; i < p->n_recipients; i++) {
		mikey_write_idr(
			w, MIKEY_IDRR, ue->id_type, p->recipients[i].data, p->recipients[i].len);
	}
}
