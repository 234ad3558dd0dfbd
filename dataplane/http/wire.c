/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/http/wire.h"

#include "common/mikey/message.h"

enum wire_request wire_request(const uint8_t *octets, size_t len, struct wire_head *head)
{
	struct mikey_message m;

	switch (mikey_parse_header(&m, octets, len)) {
	case MIKEY_PARSE_SHORT:
		return WIRE_SHORT;
	case MIKEY_PARSE_VERSION:
		return WIRE_VERSION;
	case MIKEY_PARSE_OK:
		break;
	default:
		return WIRE_TYPE;
	}
	*head = (struct wire_head){.type = m.data_type, .csb_id = m.csb_id};
	switch (m.data_type) {
	case MIKEY_REQUEST_INIT_PSK:
	case MIKEY_REQUEST_INIT_PK:
	case MIKEY_RESOLVE_INIT_PSK:
	case MIKEY_RESOLVE_INIT_PK:
		return WIRE_REQUEST_OK;
	default:
		return WIRE_TYPE;
	}
}

enum wire_answer wire_answer(const uint8_t *octets, size_t len, struct wire_head *head)
{
	struct mikey_message m;
	enum mikey_parse parse = mikey_parse_message(&m, octets, len);

	/* UNSUPPORTED: a newer node may know algorithms that this edge does not. */
	if (parse != MIKEY_PARSE_OK && parse != MIKEY_PARSE_UNSUPPORTED)
		return WIRE_NOT_AN_ANSWER;
	*head = (struct wire_head){.type = m.data_type, .csb_id = m.csb_id};
	switch (m.data_type) {
	case MIKEY_REQUEST_RESP:
	case MIKEY_RESOLVE_RESP:
		return WIRE_ANSWER;
	case MIKEY_ERROR:
		return parse == MIKEY_PARSE_OK && m.v.present ? WIRE_ANSWER : WIRE_UNVOUCHED;
	default:
		return WIRE_NOT_AN_ANSWER;
	}
}

bool wire_answers(uint8_t type, uint8_t request_type)
{
	bool request =
		request_type == MIKEY_REQUEST_INIT_PSK || request_type == MIKEY_REQUEST_INIT_PK;

	return type == MIKEY_ERROR || type == (request ? MIKEY_REQUEST_RESP : MIKEY_RESOLVE_RESP);
}
