/* SPDX-License-Identifier: BSD-3-Clause */
/* The stages, in the order in which engine_process() runs them (ARCHITECTURE.md, "The engine"). */
#ifndef TKMS_ENGINE_STAGES_H
#define TKMS_ENGINE_STAGES_H

struct engine;

/* What needs no key: header, payloads, algorithms, time. */
void stage_screen(struct engine *e);
/* Subscriber, MAC of the message, then what only an authenticated sender is told: map, IDRkms,
 * identity. */
void stage_authenticate(struct engine *e);

/* RESOLVE: TPK, ticket MAC, who made the ticket, validity, authorisation, decryption. */
void stage_open_ticket(struct engine *e);
/* RESOLVE: MPKs, Initiator Data, RANDRkms, forked keys; key data of the response. */
void stage_fork(struct engine *e);

/* REQUEST: what is granted; begins the response with the granted policy. */
void stage_grant(struct engine *e);
/* REQUEST: everything that is random elsewhere: MPK, keys, salts, SPIs, RAND. */
void stage_generate(struct engine *e);
/* REQUEST: Ticket Data; key data of the response. */
void stage_seal(struct engine *e);

/* Both: KEMAC and V of the response. */
void stage_respond(struct engine *e);
/* Whoever was refused: Error message or silence. */
void stage_errors(struct engine *e);

#endif
