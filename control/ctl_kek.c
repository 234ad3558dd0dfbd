/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kek new, load, rotate, drop. The files are this command's to make and move, beside node.kek_file:
 *
 *   kek            seals
 *   kek.next       the new one, until all is sealed under it
 *   kek.previous   the old one, until no node seals under it
 *
 * Each step leaves files from which tkms-control starts, and is done again when it was interrupted.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/crypto/secret.h"
#include "control/config.h"
#include "control/ctl.h"
#include "control/files.h"
#include "control/hex.h"
#include "control/kek.h"

struct names {
	char kek[PATH_MAX], next[PATH_MAX], previous[PATH_MAX], dir[PATH_MAX];
};

static int find_names(const struct ctl_options *o, struct names *n)
{
	struct config_errors errors = {0};
	struct config *config;
	int err = config_load(o->config, &config, &errors);

	if (err)
		fputs(errors.text ? errors.text : "out of memory\n", stderr);
	free(errors.text);
	if (err)
		return CTL_FAILED;
	err = snprintf(n->kek, sizeof(n->kek), "%s", config->node.kek_file) >=
		      (int)sizeof(n->kek) ||
	      snprintf(n->next, sizeof(n->next), "%s" KEK_NEXT, config->node.kek_file) >=
		      (int)sizeof(n->next) ||
	      snprintf(n->previous, sizeof(n->previous), "%s" KEK_PREVIOUS,
		      config->node.kek_file) >= (int)sizeof(n->previous) ||
	      files_dirname(config->node.kek_file, n->dir, sizeof(n->dir)) != 0;
	config_free(config);
	return err ? ctl_fail("name of the KEK file is too long") : CTL_OK;
}

int ctl_kek_new(const struct ctl_options *o)
{
	struct names n;
	struct reason why;

	if (find_names(o, &n) != CTL_OK)
		return CTL_FAILED;
	if (access(n.previous, F_OK) == 0)
		return ctl_fail(
			"%s: the change before has not ended: tkmsctl kek drop", n.previous);
	if (kek_create(n.next, &why) < 0)
		return ctl_fail("%s", why.text);
	printf("new KEK made: %s\nCopy it to the same place on every node of the replica set, and "
	       "to "
	       "where you keep the KEK;\nthen on every node: tkmsctl kek load; then on every node: "
	       "tkmsctl kek rotate; then on every node: tkmsctl kek drop\n",
		n.next);
	return CTL_OK;
}

/* The request with the new KEK. NULL: said why. */
static json_t *request_with(const char *command, const char *path)
{
	uint8_t *kek = secret_alloc(SEAL_KEK_LEN);
	char hex[2 * SEAL_KEK_LEN + 1];
	struct reason why;
	json_t *request = NULL;

	if (!kek)
		ctl_fail("no memory that can be locked");
	else if (kek_load_other(path, "", kek, &why) < 0)
		ctl_fail("%s", why.text);
	else {
		hex_encode(kek, SEAL_KEK_LEN, hex);
		request = json_pack("{s:s, s:s}", "command", command, "kek", hex);
	}
	secret_wipe(hex, sizeof(hex));
	secret_free(kek, SEAL_KEK_LEN);
	return request;
}

static int print_kek(const struct ctl_options *o, json_t *r, const char *text)
{
	if (!r)
		return CTL_FAILED;
	if (o->json)
		return ctl_print_json(r);
	printf("%s (KEK in use: %s)\n", text, ctl_text(r, "id"));
	json_decref(r);
	return CTL_OK;
}

int ctl_kek_load(const struct ctl_options *o)
{
	struct names n;
	json_t *request;

	if (find_names(o, &n) != CTL_OK)
		return CTL_FAILED;
	request = request_with("kek.load", n.next);
	return request ? print_kek(o, ctl_ask(o, request), "the node has the new KEK") : CTL_FAILED;
}

/* kek -> kek.previous, kek.next -> kek; there is always a kek. */
static int move_files(const struct names *n)
{
	int err = 0;

	if (link(n->kek, n->previous) < 0 && errno != EEXIST)
		return ctl_fail("%s: %s", n->previous, strerror(errno));
	if (rename(n->next, n->kek) < 0)
		return ctl_fail("%s: %s", n->next, strerror(errno));
	err = files_sync_dir(n->dir);
	return err ? ctl_fail("%s: %s", n->dir, strerror(-err)) : CTL_OK;
}

int ctl_kek_rotate(const struct ctl_options *o)
{
	struct names n;
	json_t *request, *r;
	bool is_moved;

	if (find_names(o, &n) != CTL_OK)
		return CTL_FAILED;
	/* interrupted after the files were moved: what remains is to see that all is sealed */
	is_moved = access(n.next, F_OK) < 0 && access(n.previous, F_OK) == 0;
	request = request_with("kek.rotate", is_moved ? n.kek : n.next);
	r = request ? ctl_ask(o, request) : NULL;
	if (!r)
		return CTL_FAILED;
	if (!is_moved && move_files(&n) != CTL_OK) {
		json_decref(r);
		return CTL_FAILED;
	}
	return print_kek(o, r, "everything here is sealed under the new KEK");
}

int ctl_kek_drop(const struct ctl_options *o)
{
	struct names n;
	json_t *r;

	if (find_names(o, &n) != CTL_OK)
		return CTL_FAILED;
	if (access(n.next, F_OK) == 0)
		return ctl_fail("%s is there: tkmsctl kek rotate first (or remove it)", n.next);
	r = ctl_ask(o, json_pack("{s:s}", "command", "kek.drop"));
	if (!r)
		return CTL_FAILED;
	if (unlink(n.previous) < 0 && errno != ENOENT) {
		json_decref(r);
		return ctl_fail("%s: %s", n.previous, strerror(errno));
	}
	return print_kek(o, r, "the old KEK is gone");
}
