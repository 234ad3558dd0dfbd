/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration of tkms-control: one YAML file, every setting of control/settings.h. */
#ifndef TKMS_CONTROL_CONFIG_H
#define TKMS_CONTROL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/ipc/ipc.h"
#include "control/settings.h"

#define CONFIG_DEFAULT_PATH "/etc/tkms/tkms.yaml"

enum { CONFIG_SENTINELS_MAX = 16 };

enum config_profile { CONFIG_3GPP, CONFIG_RFC6043 };

#define CONFIG_TEXT				const char *
#define CONFIG_UINT				uint32_t
#define CONFIG_TIME				uint64_t /* ms */
#define CONFIG_BOOL				bool
#define CONFIG_PROFILE				unsigned int /* enum config_profile */
#define CONFIG_LOG_LEVEL			unsigned int /* enum log_level */
#define CONFIG_LOG_FORMAT			unsigned int /* enum log_format */
#define CONFIG_MEMBER(section, name, kind, ...) CONFIG_##kind name;

/* Immutable once loaded. Texts live as long as the struct. */
struct config {
	struct {
		SETTINGS_KMS(CONFIG_MEMBER)
	} kms;
	struct {
		SETTINGS_NODE(CONFIG_MEMBER)
	} node;
	struct {
		SETTINGS_SERVICE(CONFIG_MEMBER)
		unsigned int n_addresses;
		struct ipc_address addresses[IPC_ADDRESSES_MAX];
		unsigned int n_vlans;
		uint16_t vlans[IPC_VLANS_MAX];
	} service;
	struct {
		SETTINGS_POLICY(CONFIG_MEMBER)
		unsigned int n_ticket_types, n_rules;
		struct ipc_ticket_type ticket_types[IPC_TYPES_MAX];
		struct ipc_rule rules[IPC_RULES_MAX];
	} policy;
	struct {
		SETTINGS_LIMITS(CONFIG_MEMBER)
		unsigned int n_trusted_edges;
		struct ipc_prefix trusted_edges[IPC_EDGES_MAX];
	} limits;
	struct {
		SETTINGS_KEYS(CONFIG_MEMBER)
	} keys;
	struct {
		SETTINGS_CLUSTER(CONFIG_MEMBER)
		uint8_t roles; /* IPC_ROLE_* */
	} cluster;
	struct {
		SETTINGS_METRICS(CONFIG_MEMBER)
	} metrics;
	struct {
		SETTINGS_SYNC(CONFIG_MEMBER)
		unsigned int n_sentinels;
		const char *sentinels[CONFIG_SENTINELS_MAX]; /* ADDRESS:PORT, checked */
	} sync;
	struct {
		SETTINGS_LOG(CONFIG_MEMBER)
	} log;
	struct config_raw *raw; /* private: owns the texts */
	char hostname[64];
};

/* Complaints, a line each: "FILE:LINE: KEY: what is wrong\n". Zero to begin with; free(text) at the
 * end. */
struct config_errors {
	char *text;
	size_t len;
	unsigned int n;
};

/*
 * Reads and checks a file. 0 and *out (config_free()), or -errno with at least one complaint:
 * -EINVAL for a file that is wrong, else why it could not be read.
 */
int config_load(const char *path, struct config **out, struct config_errors *errors);
void config_free(struct config *c);

/* All settings with defaults, ranges and help: a YAML file to start from. */
void config_print_defaults(FILE *out);

/*
 * What a reload would change: calls fn for each setting that differs, with whether it takes effect
 * at once or needs a restart. What needs a restart is compared with boot, the rest with live.
 * Values are texts as in the file; lists are shown as "(list)".
 */
enum config_reload { CONFIG_LIVE, CONFIG_RESTART };
typedef void (*config_change_fn)(void *arg, const char *key, const char *before, const char *after,
	enum config_reload reload);
void config_compare(const struct config *boot, const struct config *live,
	const struct config *fresh, config_change_fn fn, void *arg);

/* Paths in run_dir and state_dir; buf of cap octets. 0 or -ENAMETOOLONG. */
int config_path(const char *dir, const char *name, char *buf, size_t cap);

#endif
