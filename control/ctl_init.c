/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands that work without a control process: init, check-config, decode. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/crypto/secret.h"
#include "common/mikey/decode.h"
#include "common/mikey/message.h"
#include "control/config.h"
#include "control/ctl.h"
#include "control/files.h"
#include "control/kek.h"
#include "control/store.h"

enum { DECODE_INPUT_MAX = 1 << 20 };

static int load(const char *path, struct config **config)
{
	struct config_errors errors = {0};
	int err = config_load(path, config, &errors);

	if (err)
		fputs(errors.text ? errors.text : "out of memory\n", stderr);
	free(errors.text);
	return err ? CTL_FAILED : CTL_OK;
}

/* {"ok": true}, or {"ok": false, "errors": ["FILE:LINE: KEY: what is wrong", ...]} */
static int check_config_json(const char *path)
{
	struct config_errors errors = {0};
	struct config *config = NULL;
	json_t *list = json_array(), *answer;
	int err = config_load(path, &config, &errors);
	char *save = NULL;

	for (char *line = errors.text ? strtok_r(errors.text, "\n", &save) : NULL; line;
		line = strtok_r(NULL, "\n", &save))
		json_array_append_new(list, json_string(line));
	answer = err ? json_pack("{s:b, s:o}", "ok", 0, "errors", list)
		     : json_pack("{s:b}", "ok", 1);
	if (!err) {
		json_decref(list);
		config_free(config);
	}
	if (!answer || json_dumpf(answer, stdout, JSON_COMPACT) < 0 || puts("") < 0)
		err = -ENOMEM;
	json_decref(answer);
	free(errors.text);
	return err ? CTL_FAILED : CTL_OK;
}

int ctl_check_config(const struct ctl_options *o)
{
	struct config *config;

	if (o->json)
		return check_config_json(o->n_args ? o->args[0] : o->config);
	if (load(o->n_args ? o->args[0] : o->config, &config) != CTL_OK)
		return CTL_FAILED;
	config_free(config);
	puts("ok");
	return CTL_OK;
}

/* *made: whether there was none before. */
static int provide_kek(
	const struct config *config, bool *made, struct sealer **sealer, struct reason *why)
{
	uint8_t *kek = secret_alloc(SEAL_KEK_LEN);
	int err = kek ? kek_load(config->node.kek_file, kek, why)
		      : reason_set(why, -ENOMEM, "no memory that can be locked");

	if (err == -ENOENT) {
		err = kek_create(config->node.kek_file, why);
		*made = !err;
		if (!err)
			err = kek_load(config->node.kek_file, kek, why);
	}
	if (!err) {
		*sealer = sealer_new(kek);
		err = *sealer ? 0
			      : reason_set(
					why, -errno, "OpenSSL cannot be used (AES-256-GCM, HMAC)");
	}
	secret_free(kek, SEAL_KEK_LEN);
	return err;
}

/* What the node is to its replica set: in its first keyring. */
static int admit(const char *path, struct sealer *sealer, const struct ctl_options *o,
	uint64_t min_epoch, struct reason *why)
{
	struct keys *keys = keys_new();
	struct store *store = NULL;
	int err = keys ? store_open(path, sealer, &store, keys, why)
		       : reason_set(why, -ENOMEM, "no memory that can be locked");

	if (!err) {
		keys->epoch = 1;
		keys->admission = o->new_set ? KEYS_FOUNDER : KEYS_JOINING;
		keys->min_epoch = min_epoch;
		err = store_save_keys(store, keys);
		if (err)
			reason_set(why, err, "store %s: %s", path, store_error(store));
	}
	store_close(store);
	keys_free(keys);
	return err;
}

static int init(const struct config *config, const struct ctl_options *o, uint64_t min_epoch,
	struct reason *why)
{
	struct sealer *sealer = NULL;
	char path[PATH_MAX];
	bool made_kek = false;
	int err = config_path(config->node.state_dir, STORE_FILE, path, sizeof(path));

	if (err)
		return reason_set(why, err, "%s: name too long", config->node.state_dir);
	if (access(path, F_OK) == 0)
		return reason_set(why, -EEXIST, "store %s exists; it is not touched", path);
	err = files_make_dir(config->node.state_dir, 0700, why);
	if (!err)
		err = provide_kek(config, &made_kek, &sealer, why);
	if (!err)
		err = store_create(path, sealer, why);
	if (!err && (o->new_set || o->join || min_epoch))
		err = admit(path, sealer, o, min_epoch, why);
	if (made_kek && !err)
		printf("KEK made: %s (without it the store and its backups cannot be read: keep a "
		       "copy elsewhere)\n",
			config->node.kek_file);
	else if (made_kek)
		unlink(config->node.kek_file); /* nothing is sealed under it */
	if (!err)
		printf("store made: %s\n", path);
	sealer_free(sealer);
	return err;
}

static int parse_epoch(const char *text, uint64_t *epoch)
{
	char *end;

	errno = 0;
	*epoch = strtoull(text, &end, 10);
	return *text < '0' || *text > '9' || *end || errno || *epoch == 0 || *epoch > INT64_MAX
		       ? -EINVAL
		       : 0;
}

int ctl_init(const struct ctl_options *o)
{
	struct config *config;
	struct reason why;
	uint64_t min_epoch = 0;
	int err;

	if (o->join + o->new_set + (o->min_epoch != NULL) > 1)
		return ctl_fail("one of --join, --min-epoch and --new-set"), CTL_USAGE;
	if (o->min_epoch && parse_epoch(o->min_epoch, &min_epoch) < 0)
		return ctl_fail("\"%s\" is no epoch: a number from 1", o->min_epoch), CTL_USAGE;
	if (load(o->config, &config) != CTL_OK)
		return CTL_FAILED;
	umask(077);
	err = init(config, o, min_epoch, &why);
	config_free(config);
	return err ? ctl_fail("%s", why.text) : CTL_OK;
}

int ctl_decode(const struct ctl_options *o)
{
	static uint8_t in[DECODE_INPUT_MAX], message[MIKEY_MESSAGE_MAX];
	long len = ctl_read_file(o->n_args ? o->args[0] : "-", in, sizeof(in));
	ssize_t n;
	int err;

	if (len < 0)
		return CTL_FAILED;
	n = mikey_decode_input(in, (size_t)len, message, sizeof(message), NULL);
	if (n < 0)
		return ctl_fail(n == -EMSGSIZE ? "longer than a message can be"
					       : "neither a message nor one in hex, base64 or an "
						 "SDP line a=key-mgmt:mikey");
	err = o->json ? mikey_decode_json(stdout, message, (size_t)n)
		      : mikey_decode_text(stdout, message, (size_t)n);
	if (err == -EBADMSG)
		return ctl_fail("the message is malformed (see above)");
	return err ? ctl_fail("%s", strerror(-err)) : CTL_OK;
}
