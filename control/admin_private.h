/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to control/admin*.c. */
#ifndef TKMS_CONTROL_ADMIN_PRIVATE_H
#define TKMS_CONTROL_ADMIN_PRIVATE_H

#include <event2/event.h>
#include <jansson.h>

#include "control/admin.h"
#include "control/control.h"

struct bufferevent;

enum {
	ADMIN_LINE_MAX = 4 << 20,
	ADMIN_WAIT_MS = 60000,	      /* for the data plane's acknowledgement */
	ADMIN_IMPORT_IDLE_MS = 30000, /* an import holds the store: it must go on */
	ADMIN_CLIENTS_MAX = 64,	      /* far below the limit on descriptors */
	ADMIN_WAIT_REDIS_MS = 2000,   /* for a change to reach Redis, unless asked to wait longer */
	ADMIN_DEFERRED = 1,
};

/* An import under way: lines_of[v] is the line that became version base + 1 + v. */
struct import {
	enum store_mode mode;
	uint32_t *lines_of;
	size_t n_lines, cap;
	uint64_t added, replaced, errors;
	uint64_t heard_ms;
};

struct admin_client;

/*
 * Looks whether a response that waits can go out: 0: not yet; 1: yes, *outcome becomes its member
 * "dataplane"; -errno: it failed, with the reason.
 */
typedef int (*admin_progress_fn)(
	struct admin_client *client, const char **outcome, struct reason *why);

struct admin_client {
	struct admin_client *next;
	struct admin *admin;
	struct bufferevent *bev;
	struct import *import;	  /* NULL: none */
	const char *import_ended; /* why an import is no more, for the next request; NULL */
	/* a response that waits for something */
	json_t *waiting; /* the result so far, NULL: none */
	admin_progress_fn progress;
	uint64_t wait_version, wait_epoch, wait_until_ms;
	uint64_t wait_log, wait_redis_ms; /* a change: its chunk, how long it may take to Redis */
	char rotate_id[KEYS_ID_MAX + 1];  /* key rotate: the key it has published, "": none yet */
	char revoke_id[KEYS_ID_MAX + 1];
};

struct admin {
	struct control *control;
	int listener;
	char *path;
	struct event *ev_accept, *ev_timer;
	struct admin_client *clients;
};

/*
 * A command: fills *result (0), sets up a wait and returns ADMIN_DEFERRED, or fails with -errno and
 * the reason.
 */
typedef int (*admin_command_fn)(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why);
admin_command_fn admin_find_command(const char *name);

/* Answers with result once the data plane has what is the store's and the keyring's state now.
 * Takes the reference. */
int admin_wait(struct admin_client *client, json_t *result);
/* Its progress function. */
int admin_progress_acknowledged(
	struct admin_client *client, const char **outcome, struct reason *why);

int admin_import_begin(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why);
int admin_import_lines(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why);
int admin_import_commit(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why);
/* Rolls back; nothing happens when this client imports nothing. */
void admin_import_drop(struct admin_client *client, const char *why);

json_t *admin_roles(uint32_t roles);
json_t *admin_addresses_held(const struct control *c);
json_t *admin_cluster(const struct control *c);
int admin_node_list(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why);
int admin_node_drain(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why);
int admin_node_undrain(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why);
int admin_node_forget(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why);

/* As admin_wait(), for a change of subscribers: says as "redis" whether it has got there. Request
 * "wait": waits for it. */
int admin_wait_change(struct admin_client *client, const json_t *request, json_t *result);
int admin_progress_change(struct admin_client *client, const char **outcome, struct reason *why);
json_t *admin_sync(const struct control *c);

json_t *admin_status(const struct control *c);

int admin_kek_load(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why);
int admin_kek_rotate(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why);
int admin_kek_drop(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why);
int admin_key_list(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why);
int admin_key_import(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why);
int admin_key_export(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why);
/* The key of an export, to be imported. 0, or -errno and the reason. */
int admin_key_unwrap(const json_t *request, struct key *key, struct reason *why);
/* Puts next_keys, which the caller has changed, into force, and wipes it. 0, or -errno and the
 * reason. */
int admin_keys_commit(struct control *c, struct reason *why);
/* What the operator is told about a key that has changed. */
json_t *admin_key_describe(const struct control *c, const char *id);
int admin_key_activate(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why);
int admin_key_rotate(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why);
int admin_key_revoke(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why);

#endif
