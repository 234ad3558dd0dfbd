/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Building MIKEY(-TICKET) messages. A writer never writes beyond its buffer: what does not fit sets
 * a sticky error, and mikey_write_end() reports it. Each payload function patches the Next Payload
 * field of the one before. Nested parts (TP Data, Ticket Data, Initiator Data) are opened and
 * closed. Calls that no message can be made of (a payload before HDR or after SIGN, an identity
 * over 65535 octets, an unknown TS type, a part left open) set the same error. Pure; any thread.
 *
 *   struct mikey_writer w;
 *   mikey_write_begin(&w, buf, sizeof(buf));
 *   mikey_write_hdr(&w, MIKEY_RESOLVE_RESP, MIKEY_PRF_HMAC_SHA_256, csb_id);
 *   mikey_write_t(&w, MIKEY_TS_NTP_UTC, t64);
 *   ...
 *   size_t mac_off = mikey_write_v(&w, MIKEY_AUTH_HMAC_SHA_256_256);
 *   size_t len = mikey_write_end(&w);       // 0: it did not fit
 */
#ifndef TKMS_MIKEY_WRITER_H
#define TKMS_MIKEY_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/mikey/types.h"

struct mikey_writer {
	uint8_t *buf;
	size_t cap;
	size_t len;
	size_t next_off; /* where the next payload's type goes, or a value that is the writer's
			    business */
	bool failed;
	uint8_t due;	    /* part of a TICKET that must come next */
	unsigned int depth; /* open parts */
};

void mikey_write_begin(struct mikey_writer *w, uint8_t *buf, size_t cap);
/* Length of the message (or of the keys), or 0 if anything did not fit. */
size_t mikey_write_end(struct mikey_writer *w);

/* HDR with version 1, V = 0, #CS = 0 and the Empty map. */
void mikey_write_hdr(struct mikey_writer *w, uint8_t data_type, uint8_t prf, uint32_t csb_id);
/* HDR with everything chosen; map: CS ID map info, map_len octets. */
void mikey_write_hdr_map(struct mikey_writer *w, uint8_t data_type, bool v_flag, uint8_t prf,
	uint32_t csb_id, uint8_t n_cs, uint8_t map_type, const uint8_t *map, size_t map_len);
/* Version 1 always, but for Errors to another version, which echo it (N8): patches the octet
 * written by the functions above. */
void mikey_write_version(struct mikey_writer *w, uint8_t version);

/* value: 8 octets (NTP-UTC, NTP) or 4 (COUNTER, NTP-UTC-32). */
void mikey_write_t(struct mikey_writer *w, uint8_t ts_type, const uint8_t *value);
void mikey_write_tr(struct mikey_writer *w, uint8_t role, uint8_t ts_type, const uint8_t *value);
void mikey_write_rand(struct mikey_writer *w, const uint8_t *rand, size_t len);
void mikey_write_randr(struct mikey_writer *w, uint8_t role, const uint8_t *rand, size_t len);
void mikey_write_id(struct mikey_writer *w, uint8_t id_type, const uint8_t *id, size_t len);
void mikey_write_idr(
	struct mikey_writer *w, uint8_t role, uint8_t id_type, const uint8_t *id, size_t len);
void mikey_write_err(struct mikey_writer *w, uint8_t err_no);
void mikey_write_thdr(struct mikey_writer *w, const uint8_t *data, size_t len);
void mikey_write_sp(struct mikey_writer *w, uint8_t policy_no, uint8_t prot_type,
	const uint8_t *params, size_t len);
void mikey_write_general_ext(struct mikey_writer *w, uint8_t type, const uint8_t *data, size_t len);
void mikey_write_cert(struct mikey_writer *w, uint8_t type, const uint8_t *cert, size_t len);
void mikey_write_chash(struct mikey_writer *w, uint8_t hash, const uint8_t *digest, size_t len);
void mikey_write_pke(struct mikey_writer *w, uint8_t c, const uint8_t *data, size_t len);
/* With KV Null. */
void mikey_write_dh(struct mikey_writer *w, uint8_t group, const uint8_t *value, size_t len);
/* The last payload always. */
void mikey_write_sign(struct mikey_writer *w, uint8_t type, const uint8_t *sig, size_t len);

/*
 * KEMAC with the NULL MAC. Returns the offset of the Encr data (SIZE_MAX when it did not fit); data
 * may be NULL: len zero octets are written.
 */
size_t mikey_write_kemac(struct mikey_writer *w, uint8_t encr_alg, const uint8_t *data, size_t len);

/* V with a zeroed MAC. Returns the offset of the MAC (SIZE_MAX when it did not fit). */
size_t mikey_write_v(struct mikey_writer *w, uint8_t auth_alg);

/* Key data sub-payloads go through a writer of their own, begun with mikey_write_begin_keys(). */
void mikey_write_begin_keys(struct mikey_writer *w, uint8_t *buf, size_t cap);
struct mikey_key_spec {
	uint8_t type;
	uint8_t kv;
	const uint8_t *key; /* NULL: zero octets */
	uint16_t key_len;
	const uint8_t *salt; /* NULL: zero octets */
	uint16_t salt_len;   /* only with a SALT type */
	const uint8_t *spi;
	uint8_t spi_len;
	const uint8_t *valid_from, *valid_to; /* KV Interval */
	uint8_t valid_from_len, valid_to_len;
};
/* Returns the offset of the Key Data field (SIZE_MAX when it did not fit). */
size_t mikey_write_key(struct mikey_writer *w, const struct mikey_key_spec *key);

/* TP / TICKET */
struct mikey_ticket_head {
	uint16_t type;
	uint8_t subtype;
	uint8_t version;
	uint8_t prf;
	uint16_t flags;	  /* enum mikey_ticket_flag */
	uint8_t reserved; /* 0, but when a received ticket is repeated: the bits are under its MAC
			   */
};
/* Opens TP or TICKET and its TP Data: payload functions up to the close go into TP Data. */
struct mikey_nest {
	size_t len_off; /* of the 2-octet length to patch */
	size_t outer_next_off;
	uint8_t part;
};
struct mikey_nest mikey_open_tp(struct mikey_writer *w, enum mikey_payload tp_or_ticket,
	const struct mikey_ticket_head *head);
/* The same with given TP Data octets (First Payload included). */
void mikey_write_tp_raw(struct mikey_writer *w, enum mikey_payload tp_or_ticket,
	const struct mikey_ticket_head *head, const uint8_t *tp_data, size_t len);
/* After TP Data of a TICKET has been closed: Ticket Data (starts with THDR), then Initiator Data
 * (may be empty). */
struct mikey_nest mikey_open_ticket_data(struct mikey_writer *w);
void mikey_write_ticket_data_raw(struct mikey_writer *w, const uint8_t *ticket_data, size_t len);
struct mikey_nest mikey_open_initiator_data(struct mikey_writer *w);
void mikey_write_no_initiator_data(struct mikey_writer *w);
/* Closes any of the above: patches the length, restores the outer Next Payload chain. */
void mikey_close(struct mikey_writer *w, struct mikey_nest nest);
/* A whole TICKET body as received (Ticket Type .. end), payload added unchanged but for Next
 * Payload (N14). */
void mikey_write_ticket_raw(struct mikey_writer *w, const uint8_t *body, size_t len);

#endif
