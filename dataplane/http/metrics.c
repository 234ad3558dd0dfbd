/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/http/metrics.h"

static const struct {
	unsigned int code;
	const char *reason;
} statuses[] = {
#define X(code, reason) {code, reason},
	HTTP_STATUSES(X)
#undef X
};

static const struct {
	const char *name, *type, *help;
	size_t offset;
} table[] = {
#define X(name, type, help) {#name, #type, help, offsetof(struct metrics, name)},
	HTTP_METRICS(X)
#undef X
};

static const uint32_t bounds_us[METRICS_BUCKETS] = {
	50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 500000, 1000000, 5000000};

unsigned int status_code(enum status s)
{
	return statuses[s].code;
}

const char *status_reason(enum status s)
{
	return statuses[s].reason;
}

void metrics_answered(struct metrics *m, uint64_t us)
{
	unsigned int i = 0;

	while (i < METRICS_BUCKETS && us > bounds_us[i])
		i++;
	metrics_add(&m->answer_us[i], 1);
	metrics_add(&m->answer_us_sum, us);
}

void metrics_gone(struct metrics *m)
{
	for (unsigned int i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char *base = (char *)m;

		if (table[i].type[0] == 'g')
			metrics_set((_Atomic uint64_t *)(void *)(base + table[i].offset), 0);
	}
	for (unsigned int i = 0; i < SETTINGS_LIST_MAX; i++)
		metrics_set(&m->address[i].silent, 0);
}

static uint64_t sum(const struct metrics *m, unsigned int n, size_t offset)
{
	uint64_t total = 0;

	for (unsigned int i = 0; i < n; i++) {
		const char *base = (const char *)&m[i];

		total += atomic_load_explicit(
			(const _Atomic uint64_t *)(const void *)(base + offset),
			memory_order_relaxed);
	}
	return total;
}

static void print_answers(FILE *out, const struct metrics *m, unsigned int n)
{
	uint64_t below = 0;

	fputs("# HELP tkms_http_answer_seconds Time from a whole request to its answer\n"
	      "# TYPE tkms_http_answer_seconds histogram\n",
		out);
	for (unsigned int i = 0; i <= METRICS_BUCKETS; i++) {
		below += sum(m, n, offsetof(struct metrics, answer_us) + i * sizeof(uint64_t));
		if (i < METRICS_BUCKETS)
			fprintf(out, "tkms_http_answer_seconds_bucket{le=\"%g\"} %lu\n",
				bounds_us[i] / 1e6, below);
	}
	fprintf(out, "tkms_http_answer_seconds_bucket{le=\"+Inf\"} %lu\n", below);
	fprintf(out, "tkms_http_answer_seconds_sum %.6f\n",
		(double)sum(m, n, offsetof(struct metrics, answer_us_sum)) / 1e6);
	fprintf(out, "tkms_http_answer_seconds_count %lu\n", below);
}

static void print_addresses(
	FILE *out, const struct metrics *m, unsigned int n, const struct http_config *c)
{
	fputs("# HELP tkms_http_kms_answers_total Answers by address of the KMS\n"
	      "# TYPE tkms_http_kms_answers_total counter\n",
		out);
	for (unsigned int i = 0; i < c->kms.n; i++)
		fprintf(out, "tkms_http_kms_answers_total{address=\"%s\"} %lu\n",
			c->kms_address[i].text,
			sum(m, n, offsetof(struct metrics, address[i].answers)));
	fputs("# HELP tkms_http_kms_silent Workers that get no answer from the address\n"
	      "# TYPE tkms_http_kms_silent gauge\n",
		out);
	for (unsigned int i = 0; i < c->kms.n; i++)
		fprintf(out, "tkms_http_kms_silent{address=\"%s\"} %lu\n", c->kms_address[i].text,
			sum(m, n, offsetof(struct metrics, address[i].silent)));
}

void metrics_print(FILE *out, const struct metrics *m, unsigned int n, const struct http_config *c)
{
	for (unsigned int i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char *suffix = table[i].type[0] == 'c' ? "_total" : "";

		fprintf(out,
			"# HELP tkms_http_%s%s %s\n# TYPE tkms_http_%s%s %s\ntkms_http_%s%s %lu\n",
			table[i].name, suffix, table[i].help, table[i].name, suffix, table[i].type,
			table[i].name, suffix, sum(m, n, table[i].offset));
	}
	fputs("# HELP tkms_http_requests_total Requests answered, by status\n"
	      "# TYPE tkms_http_requests_total counter\n",
		out);
	for (unsigned int i = 0; i < STATUSES; i++)
		fprintf(out, "tkms_http_requests_total{status=\"%u\"} %lu\n", statuses[i].code,
			sum(m, n, offsetof(struct metrics, status) + i * sizeof(uint64_t)));
	print_answers(out, m, n);
	print_addresses(out, m, n, c);
}
