/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to control/config*.c: what libcyaml fills (NULL: not in the file), and the table of
 * settings. */
#ifndef TKMS_CONTROL_CONFIG_RAW_H
#define TKMS_CONTROL_CONFIG_RAW_H

#include "control/config.h"
#include "control/yaml_index.h"

#define RAW_TEXT			     char *
#define RAW_UINT			     char *
#define RAW_TIME			     char *
#define RAW_BOOL			     bool *
#define RAW_PROFILE			     char *
#define RAW_LOG_LEVEL			     char *
#define RAW_LOG_FORMAT			     char *
#define RAW_MEMBER(section, name, kind, ...) RAW_##kind name;

struct raw_rule {
	char *from;
	char *to;
	char *allow;
};

struct raw_kms {
	SETTINGS_KMS(RAW_MEMBER)
};
struct raw_node {
	SETTINGS_NODE(RAW_MEMBER)
};
struct raw_service {
	SETTINGS_SERVICE(RAW_MEMBER)
	char **addresses;
	unsigned int addresses_count;
	char **vlans;
	unsigned int vlans_count;
};
struct raw_policy {
	SETTINGS_POLICY(RAW_MEMBER)
	char **ticket_types;
	unsigned int ticket_types_count;
	struct raw_rule *rules;
	unsigned int rules_count;
};
struct raw_limits {
	SETTINGS_LIMITS(RAW_MEMBER)
	char **trusted_edges;
	unsigned int trusted_edges_count;
};
struct raw_keys {
	SETTINGS_KEYS(RAW_MEMBER)
};
struct raw_cluster {
	SETTINGS_CLUSTER(RAW_MEMBER)
	char **roles;
	unsigned int roles_count;
};
struct raw_metrics {
	SETTINGS_METRICS(RAW_MEMBER)
};
struct raw_sync {
	SETTINGS_SYNC(RAW_MEMBER)
	char **sentinels;
	unsigned int sentinels_count;
};
struct raw_log {
	SETTINGS_LOG(RAW_MEMBER)
};

struct config_raw {
	struct raw_kms kms;
	struct raw_node node;
	struct raw_service service;
	struct raw_policy policy;
	struct raw_limits limits;
	struct raw_keys keys;
	struct raw_cluster cluster;
	struct raw_metrics metrics;
	struct raw_sync sync;
	struct raw_log log;
};

enum setting_kind {
	SETTING_TEXT,
	SETTING_UINT,
	SETTING_TIME,
	SETTING_BOOL,
	SETTING_PROFILE,
	SETTING_LOG_LEVEL,
	SETTING_LOG_FORMAT,
};

struct setting {
	const char *section, *name;
	enum setting_kind kind;
	const char *fallback; /* the default; NULL: must be given */
	uint64_t min, max;
	enum config_reload reload;
	const char *help;
	size_t raw_offset, offset; /* in struct config_raw and struct config */
};
extern const struct setting settings[];
extern const size_t settings_count;

struct setting_list {
	const char *section, *name;
	const char *fallback;
	enum config_reload reload;
	const char *help;
	const char *example;
};
extern const struct setting_list setting_lists[];
extern const size_t setting_lists_count;

/* Names of a kind of choice in order of their values, NULL at the end; NULL for other kinds. */
const char *const *setting_choices(enum setting_kind kind);

/* A setting's value as it would be written. */
void setting_format(const struct setting *s, const struct config *c, char *text, size_t cap);

void config_complain(struct config_errors *errors, const char *file, unsigned int line,
	const char *key, const char *format, ...) __attribute__((format(printf, 5, 6)));

struct config_source {
	const char *file;
	const struct yaml_index *index;
	struct config_errors *errors;
};
/* Lists of the network: VLANs and trusted edges. Complaints go to src->errors. */
void config_settle_network(struct config *c, const struct config_source *src);
void config_settle_sync(struct config *c, const struct config_source *src);

/* Fills c from its raw form and checks every value. Complaints go to src->errors. */
void config_settle(struct config *c, const struct config_source *src);

#endif
