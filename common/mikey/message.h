/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parsing of MIKEY(-TICKET) messages: offsets into the caller's octets, nothing copied, nothing
 * allocated, time linear in the length. A parsed structure is valid as long as the octets are.
 * Pure; any thread.
 *
 * Payload order is free but for HDR first; the first payload of a kind (class and role) counts,
 * later ones are ignored (readings N4, N5). An unknown payload type, a length beyond the end, and
 * octets after the last payload are MIKEY_PARSE_MALFORMED (N6, N7); so are Key data outside a KEMAC
 * and an unknown CS ID map type.
 *
 * Some lengths follow from a type or algorithm. When that is unknown the rest of the chain cannot
 * be found: MIKEY_PARSE_UNSUPPORTED, with the Error number that names the reason. An unknown
 * encryption algorithm or ID type stops nothing: those lengths are explicit. Which PRF, algorithms
 * and payloads a message must have is the caller's business.
 */
#ifndef TKMS_MIKEY_MESSAGE_H
#define TKMS_MIKEY_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/mikey/types.h"

enum {
	MIKEY_MESSAGE_MAX = 65535, /* what offsets can express; the KMS's cap is a setting */
	MIKEY_HDR_LEN = 10,	   /* with the Empty map */
	MIKEY_IDRR_MAX = 32,	   /* IDRr in TP Data that are recorded; more are counted */
	MIKEY_IDRAPP_MAX = 8,
	MIKEY_KEYS_MAX = 18, /* key data sub-payloads recorded (16 session keys, MPKi, MPKr) */
};

enum mikey_parse {
	MIKEY_PARSE_OK = 0,
	MIKEY_PARSE_SHORT,	 /* fewer than 10 octets: not even a header */
	MIKEY_PARSE_VERSION,	 /* version is not 1; header fields are set */
	MIKEY_PARSE_MALFORMED,	 /* header fields are set, the rest does not parse */
	MIKEY_PARSE_UNSUPPORTED, /* as MALFORMED, because of an unknown type: see unsupported_error
				  */
};

/* A run of octets of the message: offset from its first octet. len 0 may be present or absent. */
struct mikey_span {
	uint16_t off;
	uint16_t len;
};

struct mikey_t { /* T or TR */
	bool present;
	uint8_t type;		 /* enum mikey_ts: unknown ones never get here */
	struct mikey_span value; /* 8, 8, 4 or 4 octets */
};

struct mikey_id { /* ID or IDR */
	bool present;
	uint8_t type; /* enum mikey_id_type or unknown */
	struct mikey_span data;
};

struct mikey_randr { /* RAND or RANDR */
	bool present;
	struct mikey_span data; /* 0..255 octets */
};

struct mikey_kemac {
	bool present;
	uint8_t encr_alg;
	uint8_t mac_alg;
	struct mikey_span data; /* encrypted, or plain if encr_alg is NULL */
	struct mikey_span mac;
};

struct mikey_v {
	bool present;
	uint8_t auth_alg;
	struct mikey_span mac;
};

/* TP or TICKET (6.10); the spans of ticket and initiator data are empty for TP. */
struct mikey_ticket {
	bool present;
	struct mikey_span
		body; /* from Ticket Type to the end of the payload: without Next Payload */
	uint16_t type;
	uint8_t subtype;
	uint8_t version;
	uint8_t prf;
	uint16_t flags;	  /* enum mikey_ticket_flag */
	uint8_t reserved; /* Res bits as received */
	struct mikey_span tp_data;
	struct mikey_span ticket_data;
	struct mikey_span initiator_data;
	uint16_t initiator_len_off; /* offset of the Initiator Data length field (TICKET only) */
};

struct mikey_message {
	const uint8_t *octets;
	uint16_t len;
	/* HDR */
	uint8_t version;
	uint8_t data_type;
	uint8_t first_payload; /* next payload of HDR */
	bool v_flag;
	uint8_t prf;
	uint32_t csb_id;
	uint8_t n_cs;
	uint8_t map_type;
	struct mikey_span map; /* CS ID map info */
	/* payloads */
	uint8_t unsupported_error; /* MIKEY_PARSE_UNSUPPORTED: Error 1 (TS type of T or TR), 3 (MAC
				      of V or KEMAC), 5 (CHASH), 6 (DH) */
	bool ts_unknown;	   /* MIKEY_PARSE_UNSUPPORTED with Error 1 */
	bool auth_unknown;	   /* MIKEY_PARSE_UNSUPPORTED with Error 3 */
	bool v_last;		   /* the V above is the last payload (4.2.1.2) */
	struct mikey_t t;
	struct mikey_id idr[6];	     /* by enum mikey_id_role; [0] unused */
	struct mikey_randr randr[4]; /* by enum mikey_rand_role; [0] unused */
	struct mikey_ticket tp;
	struct mikey_ticket ticket;
	struct mikey_kemac kemac;
	struct mikey_v v;
	bool has_err;
	uint8_t err_no;
	uint16_t sp_off; /* offset of the first SP payload body (after Next Payload), 0 if none */
};

/*
 * Header only: fills the HDR fields but for the map. OK, SHORT, VERSION, or MALFORMED (len >
 * MIKEY_MESSAGE_MAX). Enough to refuse a message by version, data type or PRF.
 */
enum mikey_parse mikey_parse_header(struct mikey_message *m, const uint8_t *octets, size_t len);

/* The rest of a message after mikey_parse_header() has returned OK, like mikey_parse_message(). */
enum mikey_parse mikey_parse_payloads(struct mikey_message *m);

/*
 * A whole message of any data type. After anything but OK only the HDR fields and the flags above
 * may be used (SHORT: nothing). octets may be NULL if len is 0.
 */
enum mikey_parse mikey_parse_message(struct mikey_message *m, const uint8_t *octets, size_t len);

/* TP Data (6.10): "First Payload, [IDRkms], [IDRi], [TRs], [TRe], [TRr], [KEMAC], {IDRapp},
 * (IDRr)". */
struct mikey_tp_data {
	struct mikey_id idr_kms;
	struct mikey_id idr_i;
	struct mikey_t trs, tre, trr;
	struct mikey_kemac kemac;
	struct mikey_id idr_app[MIKEY_IDRAPP_MAX];
	struct mikey_id idr_r[MIKEY_IDRR_MAX];
	uint16_t n_idr_app; /* as many as there were, also beyond the array */
	uint16_t n_idr_r;
	bool unexpected; /* had payloads that the list above does not name or repeats of single ones
			  */
};

/*
 * octets: the whole message; data: a span of it. OK or MALFORMED, also for an unknown TS type
 * (Error 15). Empty TP Data (len 0) is malformed: First Payload is missing. IDRapp and IDRr keep
 * their order.
 */
enum mikey_parse mikey_parse_tp_data(
	struct mikey_tp_data *tp, const uint8_t *octets, struct mikey_span data);

/*
 * Ticket Data (A.1): "THDR, T, RAND, KEMAC, [IDRpsk], V". V must be last. Malformed when a
 * mandatory one is missing: after OK all are present but IDRpsk. UNSUPPORTED with auth_unknown: the
 * MAC algorithm of V is unknown.
 */
struct mikey_ticket_data {
	struct mikey_span thdr;
	struct mikey_t t;
	struct mikey_randr rand;
	struct mikey_kemac kemac;
	struct mikey_id idr_psk;
	struct mikey_v v;
	bool auth_unknown;
};
enum mikey_parse mikey_parse_ticket_data(
	struct mikey_ticket_data *td, const uint8_t *octets, struct mikey_span data);

/*
 * Initiator Data (6.10): "First Payload, Vi, Vr". Vi is the first V, Vr the last payload and
 * another V. Both readings of N36 are accepted: Vi may say that nothing follows (vi_literal). After
 * OK both are present; the Vr MAC covers everything from data.off to vr.mac.off. UNSUPPORTED with
 * auth_unknown: a MAC algorithm is unknown.
 */
struct mikey_initiator_data {
	struct mikey_v vi;
	struct mikey_v vr;
	bool vi_literal;
	bool auth_unknown;
};
enum mikey_parse mikey_parse_initiator_data(
	struct mikey_initiator_data *id, const uint8_t *octets, struct mikey_span data);

/* Key data sub-payloads (RFC 3830 6.13) of a decrypted or NULL-encrypted KEMAC. Spans are relative
 * to data. */
struct mikey_key {
	uint8_t type; /* enum mikey_key_type: unknown ones are malformed */
	uint8_t kv;   /* enum mikey_kv: likewise */
	struct mikey_span key;
	struct mikey_span salt;			/* types with SALT only */
	struct mikey_span spi;			/* KV SPI */
	struct mikey_span valid_from, valid_to; /* KV Interval */
};
/*
 * Parses up to max keys. *n receives their number. len 0 gives *n = 0 (N43). More than max:
 * malformed. *data need not be part of the message (decrypted keys live elsewhere), len <= 65535.
 */
enum mikey_parse mikey_parse_keys(
	struct mikey_key *keys, unsigned int max, unsigned int *n, const uint8_t *data, size_t len);
/* Does a key of that type carry a salt. */
bool mikey_key_has_salt(uint8_t key_type);

/* One crypto session of a GENERIC-ID map (6.1.1). Spans are relative to the message. */
struct mikey_cs {
	uint8_t cs_id;
	uint8_t prot_type;
	bool s_flag;
	struct mikey_span policies;
	struct mikey_span session_data;
	struct mikey_span spi;
};
/* The i-th crypto session of m (0-based); false when i >= n_cs or the map type is not GENERIC-ID.
 */
bool mikey_cs_get(const struct mikey_message *m, unsigned int i, struct mikey_cs *cs);

/* 64-bit big-endian NTP time of a timestamp (N29): COUNTER left-padded, NTP-UTC-32 right-padded
 * with zeroes. */
void mikey_t64(uint8_t out[8], const uint8_t *octets, const struct mikey_t *t);

/*
 * Seconds since 1900 with the era rule of RFC 4330: a first bit of 0 means 2036..2104. -1: not an
 * NTP type.
 */
int64_t mikey_ntp_seconds(const uint8_t *octets, const struct mikey_t *t);

/* Length in octets of a MAC; 0 for NULL, -1 for an unknown algorithm. */
int mikey_mac_len(uint8_t auth_alg);

static inline const uint8_t *mikey_at(const uint8_t *octets, struct mikey_span s)
{
	return octets + s.off;
}

#endif
