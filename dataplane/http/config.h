/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The settings of tkms-http (settings.h): a flat YAML file, then --set KEY=VALUE. Every complaint
 * names its place.
 */
#ifndef TKMS_HTTP_CONFIG_H
#define TKMS_HTTP_CONFIG_H

#include <stdint.h>
#include <stdio.h>

#include "dataplane/http/address.h"
#include "dataplane/http/settings.h"

#define HTTP_CONFIG_DEFAULT_PATH "/etc/tkms/http.yaml"

enum access_log { ACCESS_ERRORS, ACCESS_ALL, ACCESS_OFF };

struct config_list {
	unsigned int n;
	char *item[SETTINGS_LIST_MAX];
};

#define CONFIG_LIST		       struct config_list
#define CONFIG_TEXT		       char *
#define CONFIG_UINT		       uint32_t
#define CONFIG_TIME		       uint32_t /* ms */
#define CONFIG_WORDS		       enum access_log
#define CONFIG_MEMBER(kind, name, ...) CONFIG_##kind name;

/* Immutable once loaded. */
struct http_config {
	HTTP_SETTINGS(CONFIG_MEMBER)
	/* what the texts above say */
	struct address kms_address[SETTINGS_LIST_MAX];
	struct address listen_address[SETTINGS_LIST_MAX];
	struct range proxy[SETTINGS_LIST_MAX];
	struct address metrics_address; /* len 0: none */
};

/* Sets the defaults. 0 or -ENOMEM. */
int http_config_init(struct http_config *c);
/* Complaints go to err, a line each. 0 or -EINVAL, -ENOMEM, or why the file could not be read. */
int http_config_load(struct http_config *c, const char *path, FILE *err);
/* assignment: KEY=VALUE; a list is written with commas. */
int http_config_set(struct http_config *c, const char *assignment, FILE *err);
/* After the last change: reads the addresses and checks what concerns several settings. */
int http_config_settle(struct http_config *c, FILE *err);
void http_config_free(struct http_config *c);

/* All settings with defaults, ranges and help: a file to start from. */
void http_config_print(FILE *out);

#endif
