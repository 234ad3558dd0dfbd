/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/config.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/config_raw.h"

enum { FILE_OCTETS_MAX = 1 << 20, COMPLAINTS_MAX = 50 };

#define OPTIONAL (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define FIELD_STRING(s, n) \
	CYAML_FIELD_STRING_PTR(#n, OPTIONAL, struct raw_##s, n, 0, CYAML_UNLIMITED),
#define FIELD_TEXT			FIELD_STRING
#define FIELD_TIME			FIELD_STRING
#define FIELD_PROFILE			FIELD_STRING
#define FIELD_LOG_LEVEL			FIELD_STRING
#define FIELD_LOG_FORMAT		FIELD_STRING
#define FIELD_UINT			FIELD_STRING
#define FIELD_BOOL			FIELD_STRING
#define FIELD(section, name, kind, ...) FIELD_##kind(section, name)

static const cyaml_schema_value_t string_value = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, CYAML_UNLIMITED)};

static const cyaml_schema_field_t rule_fields[] = {
	CYAML_FIELD_STRING_PTR(
		"from", CYAML_FLAG_POINTER, struct raw_rule, from, 0, CYAML_UNLIMITED),
	CYAML_FIELD_STRING_PTR("to", CYAML_FLAG_POINTER, struct raw_rule, to, 0, CYAML_UNLIMITED),
	CYAML_FIELD_STRING_PTR(
		"allow", CYAML_FLAG_POINTER, struct raw_rule, allow, 0, CYAML_UNLIMITED),
	CYAML_FIELD_END};
static const cyaml_schema_value_t rule_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_rule, rule_fields)};

static const cyaml_schema_field_t kms_fields[] = {SETTINGS_KMS(FIELD) CYAML_FIELD_END};
static const cyaml_schema_field_t node_fields[] = {SETTINGS_NODE(FIELD) CYAML_FIELD_END};
static const cyaml_schema_field_t service_fields[] = {
	SETTINGS_SERVICE(FIELD) CYAML_FIELD_SEQUENCE("addresses", OPTIONAL, struct raw_service,
		addresses, &string_value, 0, CYAML_UNLIMITED),
	CYAML_FIELD_SEQUENCE(
		"vlans", OPTIONAL, struct raw_service, vlans, &string_value, 0, CYAML_UNLIMITED),
	CYAML_FIELD_END};
static const cyaml_schema_field_t policy_fields[] = {
	SETTINGS_POLICY(FIELD) CYAML_FIELD_SEQUENCE("ticket_types", OPTIONAL, struct raw_policy,
		ticket_types, &string_value, 0, CYAML_UNLIMITED),
	CYAML_FIELD_SEQUENCE(
		"rules", OPTIONAL, struct raw_policy, rules, &rule_value, 0, CYAML_UNLIMITED),
	CYAML_FIELD_END};
static const cyaml_schema_field_t limits_fields[] = {
	SETTINGS_LIMITS(FIELD) CYAML_FIELD_SEQUENCE("trusted_edges", OPTIONAL, struct raw_limits,
		trusted_edges, &string_value, 0, CYAML_UNLIMITED),
	CYAML_FIELD_END};
static const cyaml_schema_field_t keys_fields[] = {SETTINGS_KEYS(FIELD) CYAML_FIELD_END};
static const cyaml_schema_field_t cluster_fields[] = {
	SETTINGS_CLUSTER(FIELD) CYAML_FIELD_SEQUENCE(
		"roles", OPTIONAL, struct raw_cluster, roles, &string_value, 0, CYAML_UNLIMITED),
	CYAML_FIELD_END};
static const cyaml_schema_field_t metrics_fields[] = {SETTINGS_METRICS(FIELD) CYAML_FIELD_END};
static const cyaml_schema_field_t sync_fields[] = {
	SETTINGS_SYNC(FIELD) CYAML_FIELD_SEQUENCE("sentinels", OPTIONAL, struct raw_sync, sentinels,
		&string_value, 0, CYAML_UNLIMITED),
	CYAML_FIELD_END};
static const cyaml_schema_field_t log_fields[] = {SETTINGS_LOG(FIELD) CYAML_FIELD_END};

#define SECTION(name) \
	CYAML_FIELD_MAPPING(#name, CYAML_FLAG_OPTIONAL, struct config_raw, name, name##_fields)
static const cyaml_schema_field_t root_fields[] = {SECTION(kms), SECTION(node), SECTION(service),
	SECTION(policy), SECTION(limits), SECTION(keys), SECTION(sync), SECTION(cluster),
	SECTION(metrics), SECTION(log), CYAML_FIELD_END};
static const cyaml_schema_value_t root_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct config_raw, root_fields)};

void config_complain(struct config_errors *errors, const char *file, unsigned int line,
	const char *key, const char *format, ...)
{
	char what[512], place[32] = "", *text;
	va_list args;
	int n;

	if (errors->n >= COMPLAINTS_MAX)
		return;
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	if (line)
		snprintf(place, sizeof(place), ":%u", line);
	n = asprintf(&text, "%s%s%s: %s%s%s\n", errors->text ? errors->text : "", file, place, key,
		*key ? ": " : "", what);
	errors->n++;
	if (n < 0)
		return; /* counted: the file is refused even when nobody can say why */
	free(errors->text);
	errors->text = text;
	errors->len = (size_t)n;
}

/* What libcyaml says about a document: its first complaint, and the keys it was in. */
struct cyaml_report {
	char what[256];
	char path[256];
	unsigned int line;
};

/* The lines of a backtrace come innermost first: each goes before what is there. */
static void prepend(struct cyaml_report *r, const char *part)
{
	char rest[sizeof(r->path)];
	int n;

	memcpy(rest, r->path, sizeof(rest));
	n = snprintf(
		r->path, sizeof(r->path), "%s%s%s", part, *rest && *rest != '[' ? "." : "", rest);
	if (n < 0 || (size_t)n >= sizeof(r->path))
		memcpy(r->path, rest, sizeof(rest)); /* the inner part says more than the outer */
}

static void catch_log(cyaml_log_t level, void *ctx, const char *format, va_list args)
{
	struct cyaml_report *r = ctx;
	char text[256], part[128];
	unsigned int n, line = 0;

	(void)level;
	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\n")] = '\0';
	if (strncmp(text, "Load: ", 6) == 0) {
		if (!*r->what)
			snprintf(r->what, sizeof(r->what), "%.200s", text + 6);
		return;
	}
	if (sscanf(text, " in mapping field '%100[^']' (line: %u", part, &line) >= 1) {
		prepend(r, part);
	} else if (sscanf(text, " in sequence entry '%u' (line: %u", &n, &line) >= 1) {
		/* counts from 1, paths count from 0 */
		snprintf(part, sizeof(part), "[%u]", n ? n - 1 : 0);
		prepend(r, part);
	} else {
		sscanf(text, " in mapping (line: %u", &line);
	}
	if (!r->line)
		r->line = line;
}

static const cyaml_config_t *cyaml_settings(cyaml_config_t *s, struct cyaml_report *report)
{
	*s = (cyaml_config_t){.log_fn = catch_log,
		.log_ctx = report,
		.mem_fn = cyaml_mem,
		.log_level = CYAML_LOG_ERROR,
		.flags = CYAML_CFG_NO_ALIAS};
	return s;
}

static int load_raw(struct config *c, const char *text, size_t len, const struct config_source *src)
{
	struct cyaml_report report = {0};
	cyaml_config_t s;
	cyaml_data_t *data = NULL;
	cyaml_err_t err = cyaml_load_data(
		(const uint8_t *)text, len, cyaml_settings(&s, &report), &root_value, &data, NULL);

	c->raw = data;
	if (err == CYAML_OK && data)
		return 0;
	if (err == CYAML_ERR_OOM)
		return -ENOMEM;
	config_complain(src->errors, src->file,
		report.line ? report.line : yaml_index_line(src->index, report.path), report.path,
		"%s", *report.what ? report.what : cyaml_strerror(err));
	return -EINVAL;
}

static bool is_known(const char *path)
{
	char plain[256], *out = plain;

	/* "policy.rules[3].from" is known as "policy.rules.from" */
	while (*path && out < plain + sizeof(plain) - 1) {
		if (*path == '[')
			path += strspn(path, "[]0123456789");
		else
			*out++ = *path++;
	}
	*out = '\0';
	for (const cyaml_schema_field_t *s = root_fields; s->key; s++) {
		size_t n = strlen(s->key);

		if (strncmp(plain, s->key, n) != 0 || (plain[n] != '.' && plain[n] != '\0'))
			continue;
		if (plain[n] == '\0')
			return true;
		for (const cyaml_schema_field_t *f = s->value.mapping.fields; f->key; f++) {
			if (strcmp(plain + n + 1, f->key) == 0)
				return true;
		}
		for (const cyaml_schema_field_t *f = rule_fields; f->key; f++) {
			if (strncmp(plain, "policy.rules.", 13) == 0 &&
				strcmp(plain + 13, f->key) == 0)
				return true;
		}
	}
	return false;
}

/* Unknown and repeated keys, all of them with their own lines: libcyaml stops at the first and
 * names the line of another key. */
static void check_keys(const struct config_source *src)
{
	for (size_t i = 0; i < src->index->n; i++) {
		const struct yaml_entry *e = &src->index->entries[i];

		if (!is_known(e->path))
			config_complain(src->errors, src->file, e->line, e->path,
				"unknown key (tkms-control --print-config lists all settings)");
		else if (e->is_duplicate)
			config_complain(src->errors, src->file, e->line, e->path, "given twice");
	}
}

static int parse(struct config *c, const char *text, size_t len, struct config_source *src)
{
	struct yaml_index index;
	int err = yaml_index_build(&index, text, len);

	src->index = &index;
	if (err == -EBADMSG) {
		config_complain(src->errors, src->file, index.error_line, "", "%s", index.error);
		err = -EINVAL;
	}
	if (!err) {
		check_keys(src);
		err = src->errors->n ? -EINVAL : 0;
	}
	if (!err && index.n == 0) {
		config_complain(
			src->errors, src->file, 0, "kms.identity", "missing (the file is empty)");
		err = -EINVAL;
	}
	if (!err)
		err = load_raw(c, text, len, src);
	if (!err) {
		config_settle(c, src);
		err = src->errors->n ? -EINVAL : 0;
	}
	yaml_index_clear(&index);
	return err;
}

static int read_file(const char *path, char **text, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
	struct stat st;
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	*len = 0;
	*text = malloc(FILE_OCTETS_MAX + 1);
	if (!*text)
		err = -ENOMEM;
	else if (fstat(fd, &st) < 0)
		err = -errno;
	else if (S_ISDIR(st.st_mode))
		err = -EISDIR;
	while (!err && *len <= FILE_OCTETS_MAX) {
		n = read(fd, *text + *len, FILE_OCTETS_MAX + 1 - *len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err = -errno;
		if (n <= 0)
			break;
		*len += (size_t)n;
	}
	if (!err && *len > FILE_OCTETS_MAX)
		err = -EFBIG;
	close(fd);
	return err;
}

int config_load(const char *path, struct config **out, struct config_errors *errors)
{
	struct config_source src = {.file = path, .errors = errors};
	struct config *c = calloc(1, sizeof(*c));
	char *text = NULL;
	size_t len = 0;
	int err = c ? read_file(path, &text, &len) : -ENOMEM;

	*out = NULL;
	if (!err)
		err = parse(c, text, len, &src);
	if (err && errors->n == 0)
		config_complain(errors, path, 0, "", "%s", strerror(-err));
	free(text);
	if (err)
		config_free(c);
	else
		*out = c;
	return err;
}

void config_free(struct config *c)
{
	struct cyaml_report ignored;
	cyaml_config_t s;

	if (!c)
		return;
	if (c->raw)
		cyaml_free(cyaml_settings(&s, &ignored), &root_value, c->raw, 0);
	free(c);
}
