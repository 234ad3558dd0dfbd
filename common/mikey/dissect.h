/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of the dissector. Internal. */
#ifndef TKMS_MIKEY_DISSECT_H
#define TKMS_MIKEY_DISSECT_H

#include <stdbool.h>

#include "common/mikey/emit.h"
#include "common/mikey/payload.h"

struct dissector {
	struct emit *emit;
	const uint8_t *octets;
	unsigned int depth; /* of nested payload chains */
	bool faulty;	    /* an error was emitted */
};

/* Where a chain of payloads gets its first kind from. */
enum chain {
	CHAIN_FIRST_PAYLOAD, /* from a First Payload octet */
	CHAIN_INITIATOR,     /* the same, and Vi may say that nothing follows */
	CHAIN_THDR,	     /* Ticket Data */
};

/* The payloads from c on, as a list, and the error that stops them. */
void dissect_chain(struct dissector *d, struct mikey_cursor *c, uint8_t first, enum chain chain);

/* A group with the chain in part. */
void dissect_part(struct dissector *d, const char *name, struct mikey_span part, enum chain chain);

/* The fields of a payload after Next Payload. */
void dissect_payload(struct dissector *d, const struct mikey_payload_view *p);

/* CS ID map info: sessions as a list. */
void dissect_map(struct dissector *d, struct mikey_cursor *c, const struct mikey_message *m);

/* Policy param of SP, Data of General Ext., Encr data of a KEMAC that is not encrypted: lists. */
void dissect_policy(struct dissector *d, uint8_t prot_type, struct mikey_span params);
void dissect_key_ids(struct dissector *d, struct mikey_span data);
void dissect_keys(struct dissector *d, struct mikey_span data);

/* Emits the error of a failed cursor; kind: of the payload, or -1. */
void dissect_error(struct dissector *d, const struct mikey_cursor *c, int kind);

void dissect_octets(struct dissector *d, const char *name, struct mikey_span s);
/* As text, if it is printable. */
void dissect_text(struct dissector *d, const char *name, struct mikey_span s);

#endif
