/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to tkmsctl: options, and one function per command. */
#ifndef TKMS_CONTROL_CTL_H
#define TKMS_CONTROL_CTL_H

#include <jansson.h>
#include <stdbool.h>

#include "common/ipc/ipc.h"
#include "control/reason.h"

enum { CTL_OK = 0, CTL_FAILED = 1, CTL_USAGE = 2, CTL_WITHOUT_MAX = 64 };

struct ctl_options {
	const char *socket; /* NULL: from the configuration */
	const char *config;
	bool is_config_given;
	bool json, replace, activate, allow_short, wait;
	const char *id, *key_file, *resolves_until, *timeout;
	const char *passphrase_file, *wrapped, *out;
	bool join, new_set;
	const char *min_epoch;
	const char *without[CTL_WITHOUT_MAX];
	unsigned int n_without;
	const char *psk_id, *psk_file, *expires, *role;
	const char *uids[IPC_UIDS_MAX];
	unsigned int n_uids;
	const char *const *args; /* after the command's words */
	int n_args;
};

/* Commands: exit status. They print what they have to say. */
int ctl_init(const struct ctl_options *o);
int ctl_check_config(const struct ctl_options *o);
int ctl_decode(const struct ctl_options *o);
int ctl_status(const struct ctl_options *o);
int ctl_kek_new(const struct ctl_options *o);
int ctl_kek_load(const struct ctl_options *o);
int ctl_kek_rotate(const struct ctl_options *o);
int ctl_kek_drop(const struct ctl_options *o);
int ctl_key_list(const struct ctl_options *o);
int ctl_key_import(const struct ctl_options *o);
int ctl_key_export(const struct ctl_options *o);
int ctl_key_activate(const struct ctl_options *o);
int ctl_key_rotate(const struct ctl_options *o);
int ctl_key_revoke(const struct ctl_options *o);
int ctl_node_list(const struct ctl_options *o);
int ctl_node_drain(const struct ctl_options *o);
int ctl_node_undrain(const struct ctl_options *o);
int ctl_node_forget(const struct ctl_options *o);
int ctl_subscriber_import(const struct ctl_options *o);
int ctl_subscriber_add(const struct ctl_options *o);
int ctl_subscriber_show(const struct ctl_options *o);
int ctl_subscriber_remove(const struct ctl_options *o);
int ctl_subscriber_count(const struct ctl_options *o);
int ctl_subscriber_list(const struct ctl_options *o);

/* The request that imports what key export wrote (o->wrapped). NULL: said why. */
json_t *ctl_key_wrapped_request(const struct ctl_options *o);

/* "tkmsctl: TEXT" to stderr. Returns CTL_FAILED. */
int ctl_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

struct ctl_client;
/* Connects to the control process; complains and returns NULL when there is none. */
struct ctl_client *ctl_connect(const struct ctl_options *o);
void ctl_disconnect(struct ctl_client *client);
/* Sends a request (the reference is taken) and returns its result. NULL: refused or broken, said
 * why. */
json_t *ctl_request(struct ctl_client *client, json_t *request);
/* The same over a connection of its own. */
json_t *ctl_ask(const struct ctl_options *o, json_t *request);

/* Prints a result as JSON and drops it. Returns CTL_OK. */
int ctl_print_json(json_t *result);
/* A text member, "" if there is none; a number, 0 if there is none. */
const char *ctl_text(const json_t *object, const char *key);
json_int_t ctl_number(const json_t *object, const char *key);

/* Reads a file ("-": stdin) of at most cap octets into buf. Octets, or -1 (said why). */
long ctl_read_file(const char *path, void *buf, size_t cap);

#endif
