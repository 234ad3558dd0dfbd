/* SPDX-License-Identifier: BSD-3-Clause */
/* Files between the steps of a call: tickets with their keys (secret, mode 0600) and messages. */
#ifndef TKMS_UE_STORE_H
#define TKMS_UE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "bench/ue/options.h"
#include "common/ue/ticket.h"

/* Writes a ticket and its keys, replacing the file at once. Ends the program when it cannot. */
void store_ticket(const char *file, const struct ue_ticket *t, enum ue_suite suite);

/* Reads it; ends the program when it cannot be used. */
void load_ticket(const char *file, struct ue_ticket *t, enum ue_suite *suite);

/* Reads a message in any form (binary, hex, base64, a=key-mgmt line in an SDP); "-" or NULL: stdin.
 * Returns its length. */
size_t load_message(const char *file, uint8_t *buf, size_t cap);

/* Writes a message; NULL or "-": stdout. */
void store_message(
	const char *file, const uint8_t *message, size_t len, enum key_mgmt_format format);

#endif
