/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "common/mikey/dissect.h"

static const int64_t NTP_TO_UNIX = 2208988800;

/* Seconds and microseconds in UTC; nothing for what is no time of day. */
static void emit_time(struct dissector *d, const struct mikey_payload_view *p)
{
	struct mikey_t t = {.present = true, .type = p->type, .value = p->data};
	const uint8_t *value = mikey_at(d->octets, p->data);
	uint32_t fraction = 0;
	char text[64], day[32];
	struct tm tm;
	time_t when;

	if (p->type != MIKEY_TS_NTP_UTC && p->type != MIKEY_TS_NTP_UTC_32)
		return;
	if (p->type == MIKEY_TS_NTP_UTC)
		fraction = (uint32_t)value[4] << 24 | (uint32_t)value[5] << 16 |
			   (uint32_t)value[6] << 8 | value[7];
	when = (time_t)(mikey_ntp_seconds(d->octets, &t) - NTP_TO_UNIX);
	if (gmtime_r(&when, &tm) == NULL ||
		strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		return;
	snprintf(text, sizeof(text), "%s.%06" PRIu64 "Z", day, (uint64_t)fraction * 1000000 >> 32);
	d->emit->ops->text(d->emit, "time", text, strlen(text));
}

static void emit_ts(struct dissector *d, const struct mikey_payload_view *p)
{
	struct mikey_t t = {.present = true, .type = p->type, .value = p->data};

	emit_code(d->emit, "TS type", TABLE_TS, p->type);
	dissect_octets(d, "TS value", p->data);
	if (p->kind != MIKEY_TR || p->role != MIKEY_TRR)
		emit_time(d, p);
	else if (p->type == MIKEY_TS_NTP_UTC_32)
		d->emit->ops->number(
			d->emit, "seconds", (uint32_t)mikey_ntp_seconds(d->octets, &t));
}

static void emit_id(struct dissector *d, const struct mikey_payload_view *p)
{
	emit_code(d->emit, "ID Type", TABLE_ID, p->type);
	dissect_octets(d, "ID Data", p->data);
	dissect_text(d, "text", p->data);
}

static void emit_kemac(struct dissector *d, const struct mikey_payload_view *p)
{
	emit_code(d->emit, "Encr alg", TABLE_ENCR, p->type);
	dissect_octets(d, "Encr data", p->data);
	if (p->type == MIKEY_ENCR_NULL)
		dissect_keys(d, p->data);
	emit_code(d->emit, "Mac alg", TABLE_AUTH, p->mac_alg);
	dissect_octets(d, "MAC", p->mac);
}

static void emit_dh(struct dissector *d, const struct mikey_payload_view *p)
{
	emit_code(d->emit, "DH-Group", TABLE_DH_GROUP, p->type);
	dissect_octets(d, "DH-value", p->data);
	emit_code(d->emit, "KV", TABLE_KV, p->validity.kv);
	if (p->validity.kv == MIKEY_KV_SPI)
		dissect_octets(d, "SPI", p->validity.spi);
	if (p->validity.kv == MIKEY_KV_INTERVAL) {
		dissect_octets(d, "Valid From", p->validity.from);
		dissect_octets(d, "Valid To", p->validity.to);
	}
}

static void emit_sp(struct dissector *d, const struct mikey_payload_view *p)
{
	d->emit->ops->number(d->emit, "Policy no", p->role);
	emit_code(d->emit, "Prot type", TABLE_PROT, p->type);
	dissect_octets(d, "Policy param", p->data);
	dissect_policy(d, p->type, p->data);
}

static void emit_extension(struct dissector *d, const struct mikey_payload_view *p)
{
	enum { VENDOR_ID = 0, SDP_IDS = 1, KEY_ID = 3 };

	emit_code(d->emit, "Type", TABLE_EXTENSION, p->type);
	dissect_octets(d, "Data", p->data);
	if (p->type == VENDOR_ID || p->type == SDP_IDS)
		dissect_text(d, "text", p->data);
	if (p->type == KEY_ID)
		dissect_key_ids(d, p->data);
}

/* The letters of RFC 6043 6.10 that are set. */
static void emit_flags(struct dissector *d, uint16_t flags)
{
	static const char letters[] = "DEFGHIJKLMNO";
	char set[sizeof(letters)];
	size_t n = 0;

	for (size_t i = 0; letters[i] != '\0'; i++) {
		if (flags & MIKEY_FLAG_D >> i)
			set[n++] = letters[i];
	}
	d->emit->ops->text(d->emit, "flags", set, n);
}

static void emit_ticket(struct dissector *d, const struct mikey_payload_view *p)
{
	const struct mikey_ticket *t = &p->ticket;

	emit_code(d->emit, "Ticket Type", TABLE_TICKET, t->type);
	d->emit->ops->number(d->emit, "Subtype", t->subtype);
	d->emit->ops->number(d->emit, "Version", t->version);
	emit_code(d->emit, "PRF Func", TABLE_PRF, t->prf);
	emit_flags(d, t->flags);
	d->emit->ops->number(d->emit, "Res", t->reserved);
	dissect_part(d, "TP Data", t->tp_data, CHAIN_FIRST_PAYLOAD);
	if (p->kind == MIKEY_TP || (!t->present && t->ticket_data.len == 0))
		return;
	dissect_part(d, "Ticket Data", t->ticket_data, CHAIN_THDR);
	if (!t->present)
		return;
	dissect_part(d, "Initiator Data", t->initiator_data, CHAIN_INITIATOR);
}

static void emit_pke_or_sign(struct dissector *d, const struct mikey_payload_view *p)
{
	if (p->kind == MIKEY_PKE) {
		emit_code(d->emit, "C", TABLE_CACHE, p->role);
		dissect_octets(d, "Data", p->data);
	} else {
		emit_code(d->emit, "S type", TABLE_SIGN, p->type);
		dissect_octets(d, "Signature", p->data);
	}
}

static void emit_rand(struct dissector *d, const struct mikey_payload_view *p)
{
	if (p->kind == MIKEY_RANDR)
		emit_code(d->emit, "RAND Role", TABLE_RAND_ROLE, p->role);
	dissect_octets(d, "RAND", p->data);
}

void dissect_payload(struct dissector *d, const struct mikey_payload_view *p)
{
	switch (p->kind) {
	case MIKEY_KEMAC:
		emit_kemac(d, p);
		break;
	case MIKEY_DH:
		emit_dh(d, p);
		break;
	case MIKEY_TR:
		emit_code(d->emit, "TS Role", TABLE_TS_ROLE, p->role);
		emit_ts(d, p);
		break;
	case MIKEY_T:
		emit_ts(d, p);
		break;
	case MIKEY_IDR:
		emit_code(d->emit, "ID Role", TABLE_ID_ROLE, p->role);
		emit_id(d, p);
		break;
	case MIKEY_ID:
		emit_id(d, p);
		break;
	case MIKEY_CERT:
		emit_code(d->emit, "Cert Type", TABLE_CERT, p->type);
		dissect_octets(d, "Certificate Data", p->data);
		break;
	case MIKEY_CHASH:
		emit_code(d->emit, "Hash func", TABLE_HASH, p->type);
		dissect_octets(d, "Hash", p->data);
		break;
	case MIKEY_V:
		emit_code(d->emit, "Auth alg", TABLE_AUTH, p->type);
		dissect_octets(d, "Ver data", p->data);
		break;
	case MIKEY_SP:
		emit_sp(d, p);
		break;
	case MIKEY_RAND:
	case MIKEY_RANDR:
		emit_rand(d, p);
		break;
	case MIKEY_ERR:
		emit_code(d->emit, "Error no", TABLE_ERROR, p->type);
		dissect_octets(d, "Reserved", p->data);
		break;
	case MIKEY_TP:
	case MIKEY_TICKET:
		emit_ticket(d, p);
		break;
	case MIKEY_GENERAL_EXT:
		emit_extension(d, p);
		break;
	case MIKEY_THDR:
		dissect_octets(d, "THDR Data", p->data);
		break;
	default:
		emit_pke_or_sign(d, p);
	}
}
