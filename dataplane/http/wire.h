/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the edge has to know of a MIKEY message: can it be a request, and what answers it. Nothing
 * is verified here, the edge has no keys. Pure; any thread.
 */
#ifndef TKMS_HTTP_WIRE_H
#define TKMS_HTTP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wire_request {
	WIRE_REQUEST_OK,
	WIRE_SHORT,   /* fewer than 10 octets */
	WIRE_VERSION, /* not version 1 */
	WIRE_TYPE,    /* not an initial message to a KMS (11, 12, 16, 17) */
};

struct wire_head {
	uint8_t type; /* enum mikey_data_type */
	uint32_t csb_id;
};

enum wire_request wire_request(const uint8_t *octets, size_t len, struct wire_head *head);

enum wire_answer {
	WIRE_ANSWER,	   /* a response, or an Error that carries a MAC */
	WIRE_UNVOUCHED,	   /* an Error without a MAC: anybody could have written it */
	WIRE_NOT_AN_ANSWER /* malformed, or of a type that answers nothing */
};

/* head is set unless the result is WIRE_NOT_AN_ANSWER. */
enum wire_answer wire_answer(const uint8_t *octets, size_t len, struct wire_head *head);

/* Can a message of type answer a request of type request_type. */
bool wire_answers(uint8_t type, uint8_t request_type);

#endif
