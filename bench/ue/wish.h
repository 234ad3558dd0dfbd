/* SPDX-License-Identifier: BSD-3-Clause */
/* What a ticket shall be like, as words of the command line. Wrong words end the program
 * (usage_error). */
#ifndef TKMS_UE_WISH_H
#define TKMS_UE_WISH_H

#include <stdint.h>

#include "common/ue/policy.h"

/* "DEFGHINO" in any order: a 12-bit number. "-" is skipped. */
int wish_flags(const char *letters);

/* "none" or a list of TYPE[:OCTETS][:SPI in hex], "TGK,TEK+SALT:32:00000001".
 * Returns how many. A length that is left out stays 0: the suite's. */
unsigned int wish_keys(const char *list, struct ue_key_wish keys[UE_KEYS_MAX]);

/* "1,1,1": type, subtype, version. */
void wish_ticket_type(const char *text, uint16_t *type, uint8_t *subtype, uint8_t *version);

/* "DEFGHI----NO" of a 12-bit number; out has 13 octets. */
void wish_flags_text(uint16_t flags, char *out);

#endif
