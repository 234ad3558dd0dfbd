/* SPDX-License-Identifier: BSD-3-Clause */
/* Everything that common/mikey can do with untrusted octets, for the fuzzer and the robustness
 * tests. */
#ifndef TKMS_TESTS_MIKEY_WALK_H
#define TKMS_TESTS_MIKEY_WALK_H

#include <stddef.h>
#include <stdint.h>

#include "common/mikey/message.h"

/*
 * Parses octets as a message, and the parts of its tickets, KEMACs and map. Aborts when a span lies
 * outside the message or a promise of message.h is broken. Reads the octets of every span. Returns
 * the message's result.
 */
enum mikey_parse mikey_walk(const uint8_t *octets, size_t len);

/* Dissects the octets to text and JSON and throws both away; aborts unless the result is 0 or
 * -EBADMSG. */
void mikey_walk_decode(const uint8_t *octets, size_t len);

/* Takes the octets for TP Data, Ticket Data, Initiator Data and key data. */
void mikey_walk_parts(const uint8_t *octets, size_t len);

#endif
