/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/ue/store.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/ue/hex.h"
#include "bench/ue/user.h"
#include "common/crypto/secret.h"
#include "common/mikey/decode.h"

enum { STATE_VERSION = 1, TEXT_MAX = 262144 };

static json_t *hex_json(const uint8_t *data, size_t len)
{
	char *text = malloc(2 * len + 1);
	if (text == NULL) {
		usage_error("out of memory");
	}
	json_t *j = json_string(hex_encode(data, len, text));
	secret_wipe(text, 2 * len + 1);
	free(text);
	return j;
}

/* A new file next to the old one, then rename: a ticket is never half written, nor readable by
 * others. */
static void write_private(const char *file, const json_t *root)
{
	char temporary[PATH_MAX];
	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", file) >= (int)sizeof(temporary)) {
		usage_error("%s: the name is too long", file);
	}
	const int fd = mkstemp(temporary); /* mode 0600 */
	if (fd < 0) {
		usage_error("%s: %s", temporary, strerror(errno));
	}
	if (json_dumpfd(root, fd, JSON_INDENT(1)) != 0 || fsync(fd) != 0 ||
		rename(temporary, file) != 0) {
		const int e = errno;
		(void)unlink(temporary);
		usage_error("%s: %s", file, strerror(e));
	}
	(void)close(fd);
}

void store_ticket(const char *file, const struct ue_ticket *t, enum ue_suite suite)
{
	json_t *root = json_pack("{s:i, s:s, s:b, s:o, s:o}", "tkms_ue_ticket", STATE_VERSION,
		"suite", suite == UE_SUITE_A ? "A" : "B", "used", (int)t->used, "ticket",
		hex_json(t->body, t->body_len), "keys", hex_json(t->keys.octets, t->keys.len));
	if (root == NULL) {
		usage_error("out of memory");
	}
	write_private(file, root);
	json_decref(root);
}

void load_ticket(const char *file, struct ue_ticket *t, enum ue_suite *suite)
{
	uint8_t body[UE_TICKET_MAX], keys[UE_KEYSET_OCTETS];
	const char *suite_text, *body_hex, *keys_hex;
	int version, used;
	json_error_t e;
	user_check_file(file);
	json_t *root = json_load_file(file, JSON_REJECT_DUPLICATES, &e);
	if (root == NULL || json_unpack_ex(root, &e, 0, "{s:i, s:s, s:b, s:s, s:s}",
				    "tkms_ue_ticket", &version, "suite", &suite_text, "used", &used,
				    "ticket", &body_hex, "keys", &keys_hex) != 0) {
		usage_error("%s: not a ticket of tkms-ue: %s", file, e.text);
	}
	if (version != STATE_VERSION) {
		usage_error("%s: version %d is not known", file, version);
	}
	*suite = strcmp(suite_text, "A") == 0 ? UE_SUITE_A : UE_SUITE_B;
	const ssize_t body_len = hex_decode(body_hex, body, sizeof(body));
	const ssize_t keys_len = hex_decode(keys_hex, keys, sizeof(keys));
	const enum ue_result r =
		body_len < 0 || keys_len < 0
			? UE_TICKET_DATA
			: ue_ticket_load(t, body, (size_t)body_len, keys, (size_t)keys_len);
	secret_wipe(keys, sizeof(keys));
	json_decref(root);
	if (r != UE_OK) {
		usage_error("%s: %s", file, ue_strerror(r));
	}
	t->used = used != 0;
}

size_t load_message(const char *file, uint8_t *buf, size_t cap)
{
	static uint8_t text[TEXT_MAX];
	const int from_stdin = file == NULL || strcmp(file, "-") == 0;
	const char *name = from_stdin ? "standard input" : file;
	FILE *f = from_stdin ? stdin : fopen(file, "rbe");
	if (f == NULL) {
		usage_error("%s: %s", name, strerror(errno));
	}
	const size_t n = fread(text, 1, sizeof(text), f);
	if (ferror(f)) {
		usage_error("%s: %s", name, strerror(errno));
	}
	if (!from_stdin) {
		(void)fclose(f);
	}
	const ssize_t len = mikey_decode_input(text, n, buf, cap, NULL);
	if (len < 0) {
		usage_error(
			"%s: no MIKEY message (binary, hex, base64 or an a=key-mgmt line)", name);
	}
	return (size_t)len;
}

static int put(FILE *f, const uint8_t *message, size_t len, enum key_mgmt_format format)
{
	char *text = malloc(2 * len + 4);
	if (text == NULL) {
		usage_error("out of memory");
	}
	int r = -1;
	switch (format) {
	case FORMAT_SDP:
		r = fprintf(f, "a=key-mgmt:mikey %s\n", base64_encode(message, len, text));
		break;
	case FORMAT_BASE64:
		r = fprintf(f, "%s\n", base64_encode(message, len, text));
		break;
	case FORMAT_HEX:
		r = fprintf(f, "%s\n", hex_encode(message, len, text));
		break;
	case FORMAT_BINARY:
		r = fwrite(message, 1, len, f) == len ? 0 : -1;
		break;
	}
	free(text);
	return r;
}

void store_message(
	const char *file, const uint8_t *message, size_t len, enum key_mgmt_format format)
{
	const int to_stdout = file == NULL || strcmp(file, "-") == 0;
	FILE *f = to_stdout ? stdout : fopen(file, "wbe");
	if (f == NULL) {
		usage_error("%s: %s", file, strerror(errno));
	}
	const int bad = put(f, message, len, format) < 0;
	if ((to_stdout ? fflush(f) : fclose(f)) != 0 || bad) {
		usage_error("%s: %s", to_stdout ? "standard output" : file, strerror(errno));
	}
}
