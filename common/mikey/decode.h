/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A dissector for people and scripts: any octets in, a description out, by the field names of the
 * RFCs. Nothing is decrypted or verified. What cannot be parsed is described as far as it goes,
 * then an error with its offset and what was expected there; a faulty TP Data, Ticket Data, map and
 * so on does not stop what surrounds it.
 *
 * Not for the hot path: allocates. Pure but for the FILE; any thread.
 */
#ifndef TKMS_MIKEY_DECODE_H
#define TKMS_MIKEY_DECODE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/*
 * 0: all of it parsed. -EBADMSG: out has the parts that did, and the errors. -ENOMEM, -EIO: out is
 * incomplete. len may be 0 (then octets may be NULL).
 */
int mikey_decode_text(FILE *out, const uint8_t *octets, size_t len);

/*
 * One JSON object: "length", "hdr", "payloads" (array, in the message's order), XX are the field
 * names in lower case with '_'; octets are hex; values of tables are {"value": number, "name":
 * string or null}.
 */
int mikey_decode_json(FILE *out, const uint8_t *octets, size_t len);

enum mikey_input {
	MIKEY_INPUT_BINARY,
	MIKEY_INPUT_HEX,    /* blanks, ':' and a leading 0x are skipped */
	MIKEY_INPUT_BASE64, /* blanks are skipped, padding may be left out */
	MIKEY_INPUT_SDP, /* a line a=key-mgmt:mikey <base64>, anywhere (RFC 4567); the first counts
			  */
};

/*
 * Finds out what form in has and brings it to octets. Returns how many, or -EINVAL (text of none of
 * these forms, or nothing), -EMSGSIZE (more than cap). form may be NULL.
 */
ssize_t mikey_decode_input(
	const uint8_t *in, size_t len, uint8_t *out, size_t cap, enum mikey_input *form);

#endif
