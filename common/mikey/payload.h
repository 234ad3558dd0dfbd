/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The encoding of each payload (RFC 3830 section 6, RFC 6043 section 6 and A.3), one at a time and
 * without an opinion on where it may stand: what the message parser and the dissector share.
 * Other code uses message.h.
 */
#ifndef TKMS_MIKEY_PAYLOAD_H
#define TKMS_MIKEY_PAYLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/mikey/cursor.h"
#include "common/mikey/message.h"

/* THDR has no next-payload value: it can only be the implicit first payload of Ticket Data. */
enum { MIKEY_THDR = 256 };

/* KV data (RFC 3830 6.14): spi with KV SPI, from and to with KV Interval. */
struct mikey_validity {
	uint8_t kv; /* enum mikey_kv */
	struct mikey_span spi;
	struct mikey_span from, to;
};

/* Members of which no kind is named below are always set, the others for those kinds only. */
struct mikey_payload_view {
	uint16_t kind; /* enum mikey_payload or MIKEY_THDR */
	uint8_t next;  /* next payload; SIGN has none: MIKEY_LAST */
	uint8_t role;  /* TR, IDR, RANDR: role. SP: policy no. PKE: C */
	/*
	 * T, TR: TS type. ID, IDR: ID type. CERT: cert type. CHASH: hash func. V: auth alg.
	 * KEMAC: encr alg. SP: prot type. ERR: error no. SIGN: S type. DH: group. General Ext: type
	 */
	uint8_t type;
	uint8_t mac_alg;	 /* KEMAC */
	struct mikey_span whole; /* with the Next Payload octet */
	struct mikey_span data;	 /* the variable field: value, ID data, RAND, hash, MAC of V, ... */
	struct mikey_span mac;	 /* KEMAC */
	struct mikey_validity validity; /* DH */
	struct mikey_ticket ticket;	/* TP, TICKET */
};

/*
 * Reads one payload of that kind. False when the cursor has failed: too short, a kind that is
 * unknown or is no payload of a message (Key data), or a type that the length depends on is unknown
 * (error_no of the cursor then says which Error fits).
 */
bool mikey_payload_read(struct mikey_cursor *c, uint16_t kind, struct mikey_payload_view *p);

/* Reads HDR up to the CS ID map type. */
void mikey_hdr_read(struct mikey_cursor *c, struct mikey_message *m);

/* Reads KV data of that KV. */
void mikey_validity_read(struct mikey_cursor *c, uint8_t kv, struct mikey_validity *v);

/* Reads one key data sub-payload; returns its Next Payload. */
uint8_t mikey_key_read(struct mikey_cursor *c, struct mikey_key *key);

/* Reads one crypto session of a GENERIC-ID map. */
void mikey_cs_read(struct mikey_cursor *c, struct mikey_cs *cs);

/* Reads a CS ID map of that type and returns where it is. */
struct mikey_span mikey_map_read(struct mikey_cursor *c, uint8_t map_type, uint8_t n_cs);

/* Octets of a TS value, a hash, a DH value; -1 for an unknown type. */
int mikey_ts_len(uint8_t ts_type);
int mikey_hash_len(uint8_t hash_func);
int mikey_dh_len(uint8_t group);

#endif
