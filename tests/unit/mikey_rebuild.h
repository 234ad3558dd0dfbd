/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes a message again from its parsed fields. */
#ifndef TKMS_TESTS_MIKEY_REBUILD_H
#define TKMS_TESTS_MIKEY_REBUILD_H

#include <stddef.h>
#include <stdint.h>

/* What a TICKET is written with; all three must give the same octets. */
enum mikey_rebuild {
	REBUILD_PARTS,	     /* TP Data, Ticket Data and Initiator Data payload by payload */
	REBUILD_RAW_PARTS,   /* TP Data and Ticket Data as octets */
	REBUILD_RAW_TICKETS, /* the body as octets */
	REBUILD_WAYS,
};

/* The message must parse. Returns the length written, 0 if the writer failed. */
size_t mikey_rebuild(
	const uint8_t *octets, size_t len, enum mikey_rebuild how, uint8_t *out, size_t cap);

#endif
