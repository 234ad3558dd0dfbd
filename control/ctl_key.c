/* SPDX-License-Identifier: BSD-3-Clause */
/* key list, import, rotate, revoke. */
#include <stdio.h>
#include <string.h>

#include "common/crypto/secret.h"
#include "control/ctl.h"
#include "control/hex.h"

enum { KEY_FILE_MAX = 256, KEY_OCTETS_MAX = 32 };

int ctl_key_list(const struct ctl_options *o)
{
	json_t *r = ctl_ask(o, json_pack("{s:s}", "command", "key.list")), *key;
	size_t i;

	if (!r)
		return CTL_FAILED;
	if (o->json)
		return ctl_print_json(r);
	printf("epoch %" JSON_INTEGER_FORMAT "\n", ctl_number(r, "epoch"));
	printf("%-24s %-10s %-21s %-21s %-21s %10s %10s\n", "ID", "STATE", "SEALS FROM",
		"SEALS UNTIL", "RESOLVES UNTIL", "SEALED", "RESOLVED");
	json_array_foreach(json_object_get(r, "keys"), i, key)
		printf("%-24s %-10s %-21s %-21s %-21s %10" JSON_INTEGER_FORMAT
		       " %10" JSON_INTEGER_FORMAT "\n",
			ctl_text(key, "id"), ctl_text(key, "state"), ctl_text(key, "seals_from"),
			ctl_text(key, "seals_until"), ctl_text(key, "resolves_until"),
			ctl_number(key, "sealed"), ctl_number(key, "resolved"));
	json_decref(r);
	return CTL_OK;
}

/* Raw octets or hex digits, told apart by what they are. Octets, or -1 (said why). */
static long read_key(const char *path, uint8_t octets[KEY_OCTETS_MAX])
{
	uint8_t text[KEY_FILE_MAX];
	long len = ctl_read_file(path, text, sizeof(text)), digits = len;

	while (digits > 0 && (text[digits - 1] == '\n' || text[digits - 1] == '\r'))
		digits--;
	if (digits > 0 && digits % 2 == 0 && digits / 2 <= KEY_OCTETS_MAX &&
		hex_decode((const char *)text, (size_t)digits, octets) == 0) {
		len = digits / 2;
	} else if (len >= 0 && len <= KEY_OCTETS_MAX) {
		memcpy(octets, text, (size_t)len);
	} else if (len >= 0) {
		ctl_fail("%s holds no key (hex digits or at most %d raw octets)", path,
			KEY_OCTETS_MAX);
		len = -1;
	}
	secret_wipe(text, sizeof(text));
	return len;
}

/* Is it a failure when the data plane has not acknowledged. */
enum urgency { DATAPLANE_LATER, DATAPLANE_NOW };

static int print_key(const struct ctl_options *o, json_t *r, enum urgency urgency)
{
	int status = CTL_OK;

	if (!r)
		return CTL_FAILED;
	if (urgency == DATAPLANE_NOW && strcmp(ctl_text(r, "dataplane"), "acknowledged") != 0)
		status = ctl_fail(
			"the data plane may still use the key: %s", ctl_text(r, "dataplane"));
	if (o->json)
		return ctl_print_json(r) == CTL_OK ? status : CTL_FAILED;
	printf("%s is %s; data plane: %s\n", ctl_text(r, "id"), ctl_text(r, "state"),
		ctl_text(r, "dataplane"));
	json_decref(r);
	return status;
}

int ctl_key_import(const struct ctl_options *o)
{
	uint8_t octets[KEY_OCTETS_MAX];
	char hex[2 * KEY_OCTETS_MAX + 1];
	json_t *r;
	long len;

	if (o->wrapped) {
		if (!o->passphrase_file || o->id || o->key_file || o->activate || o->resolves_until)
			return ctl_fail("key import --wrapped needs --passphrase-file, and takes "
					"the rest from the file"),
			       CTL_USAGE;
		r = ctl_key_wrapped_request(o);
		return r ? print_key(o, ctl_ask(o, r), DATAPLANE_LATER) : CTL_FAILED;
	}
	if (!o->id || !o->key_file)
		return ctl_fail("key import needs --id and --key-file, or --wrapped"), CTL_USAGE;
	len = read_key(o->key_file, octets);
	if (len < 0)
		return CTL_FAILED;
	hex_encode(octets, (size_t)len, hex);
	r = json_pack("{s:s, s:s, s:s, s:b, s:b}", "command", "key.import", "id", o->id, "key", hex,
		"activate", o->activate, "allow_short", o->allow_short);
	if (r && o->resolves_until)
		json_object_set_new(r, "resolves_until", json_string(o->resolves_until));
	secret_wipe(octets, sizeof(octets));
	secret_wipe(hex, sizeof(hex));
	return print_key(o, ctl_ask(o, r), DATAPLANE_LATER);
}

int ctl_key_rotate(const struct ctl_options *o)
{
	return print_key(
		o, ctl_ask(o, json_pack("{s:s}", "command", "key.rotate")), DATAPLANE_LATER);
}

/* "TITLE node2, node3" unless the list is empty. */
static void print_names(FILE *to, const char *title, const json_t *names)
{
	size_t n = json_array_size(names);

	if (n)
		fputs(title, to);
	for (size_t i = 0; i < n; i++)
		fprintf(to, "%s %s", i ? "," : "", json_string_value(json_array_get(names, i)));
	if (n)
		fputc('\n', to);
}

int ctl_key_revoke(const struct ctl_options *o)
{
	json_t *r = ctl_ask(o, json_pack("{s:s, s:s}", "command", "key.revoke", "id", o->args[0]));
	const json_t *missing = json_object_get(r, "missing");
	int status = json_array_size(missing) ? CTL_FAILED : CTL_OK;

	print_names(stderr,
		"tkmsctl: these nodes have not acknowledged it and may still use the key:",
		missing);
	print_names(stderr, "tkmsctl: these nodes are away and will learn of it when they return:",
		json_object_get(r, "away"));
	return print_key(o, r, DATAPLANE_NOW) == CTL_OK ? status : CTL_FAILED;
}

int ctl_key_activate(const struct ctl_options *o)
{
	json_t *without = json_array();

	for (unsigned int i = 0; i < o->n_without; i++)
		json_array_append_new(without, json_string(o->without[i]));
	return print_key(o,
		ctl_ask(o, json_pack("{s:s, s:s, s:o}", "command", "key.activate", "id", o->args[0],
				   "without", without)),
		DATAPLANE_LATER);
}
