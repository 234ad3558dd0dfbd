/* SPDX-License-Identifier: BSD-3-Clause */
/* A line of a subscriber file. What is accepted can be shown, sent to the data plane, and its PSK
 * id read back from its text. */
#include <stdlib.h>
#include <string.h>

#include "control/subscriber_json.h"
#include "tests/fuzz/fuzz.h"

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void check(const struct subscriber_input *in)
{
	static uint8_t octets[65536];
	const struct ipc_subscriber *s = &in->subscriber;
	char text[PSK_ID_TEXT_MAX];
	uint8_t again[IDENTITY_MAX];
	struct identity psk_id;
	struct reason why;
	json_t *shown;

	require(s->psk.len >= IPC_KEY_MIN && s->psk.len <= IPC_KEY_MAX);
	require(s->n_uids > 0 && s->n_uids <= IPC_UIDS_MAX);
	require(ipc_subscriber_encode(s, octets, sizeof(octets)) > 0);
	psk_id_format(s->psk_id, text);
	require(psk_id_parse(text, strlen(text), again, &psk_id, &why) == 0);
	require(psk_id.len == s->psk_id.len &&
		memcmp(psk_id.data, s->psk_id.data, psk_id.len) == 0);
	shown = subscriber_to_json(s);
	require(shown && !json_object_get(shown, "psk"));
	json_decref(shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct subscriber_input in;
	struct reason why = {""};
	json_error_t error;
	json_t *json = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, &error);

	if (subscriber_from_json(json, &in, &why) == 0)
		check(&in);
	else
		require(why.text[0] != '\0');
	json_decref(json);
	return 0;
}
