/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * key export, and import of what it wrote. The passphrase stays in this process: tkms-control gets
 * the key that scrypt makes of it. The file is one JSON object:
 *
 *   tkms_key       1: this format
 *   id, state, seals_from, seals_until, resolves_until
 *                  of the key when it was exported; for people, but for the id
 *   kdf            "scrypt" with r = 8 and p = 1; log_n: N = 2^log_n; salt: 32 octets, hex
 *   sealed         hex: the key with its times, a sealed record under scrypt's output
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/crypto/passphrase.h"
#include "common/crypto/secret.h"
#include "control/ctl.h"
#include "control/hex.h"

enum { FORMAT = 1, EXPORT_MAX = 8192 };

static int wrapping_key(const char *path, const uint8_t *salt, unsigned int log_n,
	char hex[2 * PASSPHRASE_KEY_LEN + 1])
{
	char passphrase[PASSPHRASE_MAX + 2];
	uint8_t key[PASSPHRASE_KEY_LEN];
	long len = ctl_read_file(path, passphrase, sizeof(passphrase));
	int err;

	while (len > 0 && (passphrase[len - 1] == '\n' || passphrase[len - 1] == '\r'))
		len--;
	if (len < 0)
		return CTL_FAILED;
	err = passphrase_key(passphrase, (size_t)len, salt, log_n, key);
	secret_wipe(passphrase, sizeof(passphrase));
	if (err == -EINVAL)
		return ctl_fail("a passphrase has %d to %d octets", PASSPHRASE_MIN, PASSPHRASE_MAX);
	if (err)
		return ctl_fail("out of memory for scrypt");
	hex_encode(key, sizeof(key), hex);
	secret_wipe(key, sizeof(key));
	return CTL_OK;
}

/* A new file that only its owner reads; "-" or NULL: stdout. */
static int write_file(const char *path, const json_t *json)
{
	bool is_stdout = !path || strcmp(path, "-") == 0;
	int fd = is_stdout ? STDOUT_FILENO
			   : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int err = fd < 0 ? errno : 0;

	if (!err && json_dumpfd(json, fd, JSON_INDENT(2)) != 0)
		err = EIO;
	if (!err && write(fd, "\n", 1) != 1)
		err = errno;
	if (!err && !is_stdout && fsync(fd) < 0)
		err = errno;
	if (fd >= 0 && !is_stdout && close(fd) < 0 && !err)
		err = errno;
	if (err && fd >= 0 && !is_stdout)
		unlink(path);
	return err ? ctl_fail("%s: %s", is_stdout ? "stdout" : path, strerror(err)) : CTL_OK;
}

int ctl_key_export(const struct ctl_options *o)
{
	uint8_t salt[PASSPHRASE_SALT_LEN];
	char hex[2 * PASSPHRASE_KEY_LEN + 1], salt_hex[2 * PASSPHRASE_SALT_LEN + 1];
	json_t *r;
	int status;

	if (!o->passphrase_file)
		return ctl_fail("key export needs --passphrase-file"), CTL_USAGE;
	if (secret_random(salt, sizeof(salt)) < 0)
		return ctl_fail("no random octets");
	if (wrapping_key(o->passphrase_file, salt, PASSPHRASE_LOG_N, hex) != CTL_OK)
		return CTL_FAILED;
	r = ctl_ask(o, json_pack("{s:s, s:s, s:s}", "command", "key.export", "id", o->args[0],
			       "wrapping_key", hex));
	secret_wipe(hex, sizeof(hex));
	if (!r)
		return CTL_FAILED;
	hex_encode(salt, sizeof(salt), salt_hex);
	json_object_set_new(r, "tkms_key", json_integer(FORMAT));
	json_object_set_new(r, "kdf", json_string("scrypt"));
	json_object_set_new(r, "log_n", json_integer(PASSPHRASE_LOG_N));
	json_object_set_new(r, "salt", json_string(salt_hex));
	status = write_file(o->out, r);
	if (status == CTL_OK && o->out && strcmp(o->out, "-") != 0)
		printf("%s is in %s\n", o->args[0], o->out);
	json_decref(r);
	return status;
}

/* An exported file: NULL, said why. */
static json_t *load(const char *path, uint8_t salt[PASSPHRASE_SALT_LEN])
{
	char text[EXPORT_MAX];
	long len = ctl_read_file(path, text, sizeof(text));
	json_t *json = len < 0 ? NULL : json_loadb(text, (size_t)len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *hex = json_object_get(json, "salt");

	if (len < 0)
		return NULL;
	if (ctl_number(json, "tkms_key") == FORMAT &&
		strcmp(ctl_text(json, "kdf"), "scrypt") == 0 &&
		json_string_length(hex) == 2 * PASSPHRASE_SALT_LEN &&
		hex_decode(json_string_value(hex), 2 * PASSPHRASE_SALT_LEN, salt) == 0 &&
		ctl_number(json, "log_n") >= PASSPHRASE_LOG_N_MIN &&
		ctl_number(json, "log_n") <= PASSPHRASE_LOG_N_MAX)
		return json;
	ctl_fail("%s is no file of key export%s", path,
		ctl_number(json, "tkms_key") > FORMAT ? " that this version understands" : "");
	json_decref(json);
	return NULL;
}

json_t *ctl_key_wrapped_request(const struct ctl_options *o)
{
	uint8_t salt[PASSPHRASE_SALT_LEN];
	char hex[2 * PASSPHRASE_KEY_LEN + 1];
	json_t *file = load(o->wrapped, salt), *request = NULL;

	if (file && wrapping_key(o->passphrase_file, salt, (unsigned int)ctl_number(file, "log_n"),
			    hex) == CTL_OK)
		request = json_pack("{s:s, s:s, s:s, s:s}", "command", "key.import", "id",
			ctl_text(file, "id"), "sealed", ctl_text(file, "sealed"), "wrapping_key",
			hex);
	secret_wipe(hex, sizeof(hex));
	json_decref(file);
	return request;
}
