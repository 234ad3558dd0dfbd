/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/crypto/secret.h"
#include "control/ctl.h"
#include "control/wiping_alloc.h"

enum {
	LINE_MAX = 65536,
	BATCH_OCTETS = 256 * 1024,
	BATCH_LINES = 2000,
	PROGRESS_LINES = 100000,
	PSK_FILE_MAX = 128
};

/* An import as tkmsctl sees it. */
struct sending {
	struct ctl_client *client;
	const char *file;
	json_t *lines;
	size_t octets;
	uint64_t first, line; /* first of the batch, last read; both count from 1 */
	uint64_t errors;
	bool is_over;
};

static void complain_line(struct sending *s, uint64_t line, const char *what)
{
	fprintf(stderr, "%s:%" PRIu64 ": %s\n", s->file, line, what);
	s->errors++;
}

/* Sends the batch. CTL_OK, or CTL_FAILED when the import cannot go on. */
static int flush(struct sending *s)
{
	json_t *r, *error;
	size_t i;

	if (json_array_size(s->lines) == 0)
		return CTL_OK;
	r = ctl_request(
		s->client, json_pack("{s:s, s:I, s:o}", "command", "subscriber.import.lines",
				   "first", (json_int_t)s->first, "lines", s->lines));
	s->lines = json_array();
	s->octets = 0;
	s->first = s->line + 1;
	if (!r)
		return CTL_FAILED;
	json_array_foreach(json_object_get(r, "errors"), i, error)
		complain_line(s, (uint64_t)ctl_number(error, "line"), ctl_text(error, "error"));
	s->is_over = json_is_true(json_object_get(r, "enough"));
	if (s->is_over)
		fprintf(stderr, "%s: more lines may be wrong\n", s->file);
	json_decref(r);
	return CTL_OK;
}

/* What keeps a line out of a request, or NULL. */
static const char *refuse_line(const char *text, size_t len)
{
	if (len > LINE_MAX)
		return "longer than 65536 octets";
	return memchr(text, 0, len) ? "has a NUL octet" : NULL;
}

static int add_line(struct sending *s, const char *text, size_t len)
{
	const char *wrong = refuse_line(text, len);
	json_t *line = wrong ? NULL : json_stringn(text, len);
	int status = CTL_OK;

	s->line++;
	if (!line) {
		complain_line(s, s->line, wrong ? wrong : "not UTF-8 text");
		line = json_string(""); /* keeps the count of lines */
	}
	json_array_append_new(s->lines, line);
	s->octets += len;
	if (s->octets >= BATCH_OCTETS || json_array_size(s->lines) >= BATCH_LINES)
		status = flush(s);
	if (s->line % PROGRESS_LINES == 0)
		fprintf(stderr, "%s: %" PRIu64 " lines\n", s->file, s->line);
	return status;
}

/* All lines of fd. buf: cap octets. */
static int send_lines(struct sending *s, int fd, char *buf, size_t cap)
{
	size_t len = 0;
	int status = CTL_OK;

	while (status == CTL_OK && !s->is_over) {
		ssize_t n = read(fd, buf + len, cap - len);
		char *at = buf, *end;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ctl_fail("%s: %s", s->file, strerror(errno));
		len += (size_t)n;
		while (status == CTL_OK && !s->is_over &&
			(end = memchr(at, '\n', len - (size_t)(at - buf)))) {
			status = add_line(s, at, (size_t)(end - at));
			at = end + 1;
		}
		len -= (size_t)(at - buf);
		memmove(buf, at, len);
		if (n == 0 || len == cap) {
			if (len && status == CTL_OK && !s->is_over)
				status = add_line(s, buf, len);
			if (len == cap)
				s->is_over = true; /* where the next line begins is not known */
			break;
		}
	}
	return status == CTL_OK && !s->is_over ? flush(s) : status;
}

static int print_imported(const struct ctl_options *o, json_t *r)
{
	bool is_late = o->wait && strcmp(ctl_text(r, "redis"), "not reached yet") == 0;

	if (o->json) {
		int status = ctl_print_json(r);

		return is_late ? CTL_FAILED : status;
	}
	printf("%" JSON_INTEGER_FORMAT " subscribers added, %" JSON_INTEGER_FORMAT
	       " replaced, %" JSON_INTEGER_FORMAT " in all; data plane: %s%s%s\n",
		ctl_number(r, "added"), ctl_number(r, "replaced"), ctl_number(r, "subscribers"),
		ctl_text(r, "dataplane"), *ctl_text(r, "redis") ? "; Redis: " : "",
		ctl_text(r, "redis"));
	json_decref(r);
	return is_late ? ctl_fail("stored here, and not yet in Redis: the other nodes get them "
				  "when it can be reached")
		       : CTL_OK;
}

static int begin(struct sending *s, const struct ctl_options *o, const char *file)
{
	json_t *r;

	*s = (struct sending){
		.file = file, .first = 1, .lines = json_array(), .client = ctl_connect(o)};
	if (!s->client)
		return CTL_FAILED;
	r = ctl_request(s->client, json_pack("{s:s, s:b}", "command", "subscriber.import.begin",
					   "replace", o->replace));
	if (!r)
		return CTL_FAILED;
	json_decref(r);
	return CTL_OK;
}

static int finish(struct sending *s, const struct ctl_options *o, int status)
{
	json_t *r;

	if (status == CTL_OK && s->errors)
		status = ctl_fail("%s: nothing was imported, lines are wrong", s->file);
	if (status == CTL_OK) {
		r = ctl_request(s->client, json_pack("{s:s, s:b}", "command",
						   "subscriber.import.commit", "wait", o->wait));
		status = r ? print_imported(o, r) : CTL_FAILED;
	}
	json_decref(s->lines);
	ctl_disconnect(
		s->client); /* without a commit that ends the import, and nothing has happened */
	return status;
}

int ctl_subscriber_import(const struct ctl_options *o)
{
	const size_t cap = 4 * LINE_MAX;
	const char *file = o->args[0];
	bool is_stdin = strcmp(file, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC), status;
	char *buf = wiping_malloc(cap);
	struct sending s;

	if (fd < 0 || !buf) {
		wiping_free(buf);
		return ctl_fail("%s: %s", file, strerror(fd < 0 ? errno : ENOMEM));
	}
	status = begin(&s, o, is_stdin ? "stdin" : file);
	if (status == CTL_OK)
		status = send_lines(&s, fd, buf, cap);
	status = finish(&s, o, status);
	wiping_free(buf);
	if (!is_stdin)
		close(fd);
	return status;
}

static json_t *describe(const struct ctl_options *o, const char *psk)
{
	json_t *uids = json_array(), *out;

	for (unsigned int i = 0; i < o->n_uids; i++)
		json_array_append_new(uids, json_string(o->uids[i]));
	out = json_pack("{s:s, s:s, s:o}", "psk_id", o->psk_id, "psk", psk, "uids", uids);
	if (out && o->expires)
		json_object_set_new(out, "expires", json_string(o->expires));
	if (out && o->role)
		json_object_set_new(out, "roles", json_pack("[s]", o->role));
	return out;
}

int ctl_subscriber_add(const struct ctl_options *o)
{
	char psk[PSK_FILE_MAX + 1], *text;
	json_free_t free_text;
	struct sending s;
	json_t *line;
	int status;
	long len;

	if (!o->psk_id || !o->psk_file || !o->n_uids)
		return ctl_fail("subscriber add needs --psk-id, --psk-file and --uid"), CTL_USAGE;
	len = ctl_read_file(o->psk_file, psk, PSK_FILE_MAX);
	if (len < 0)
		return CTL_FAILED;
	while (len > 0 && (psk[len - 1] == '\n' || psk[len - 1] == '\r'))
		len--;
	psk[len] = '\0';
	line = describe(o, psk);
	secret_wipe(psk, sizeof(psk));
	text = line ? json_dumps(line, JSON_COMPACT) : NULL;
	json_decref(line);
	if (!text)
		return ctl_fail("an option is not UTF-8 text");
	status = begin(&s, o, "subscriber");
	if (status == CTL_OK)
		status = add_line(&s, text, strlen(text));
	json_get_alloc_funcs(NULL, &free_text);
	free_text(text);
	if (status == CTL_OK)
		status = flush(&s);
	return finish(&s, o, status);
}

int ctl_subscriber_show(const struct ctl_options *o)
{
	json_t *r = ctl_ask(o,
		       json_pack("{s:s, s:s}", "command", "subscriber.show", "psk_id", o->args[0])),
	       *uid;
	size_t i;

	if (!r)
		return CTL_FAILED;
	if (o->json)
		return ctl_print_json(r);
	printf("%-10s%s\n", "psk id", ctl_text(r, "psk_id"));
	printf("%-10s%" JSON_INTEGER_FORMAT " octets (not shown)\n", "psk",
		ctl_number(r, "psk_octets"));
	json_array_foreach(json_object_get(r, "uids"), i, uid)
		printf("%-10s%s\n", i ? "" : "uids", json_string_value(uid));
	printf("%-10s%s\n", "expires", *ctl_text(r, "expires") ? ctl_text(r, "expires") : "never");
	if (json_object_get(r, "roles"))
		printf("%-10s%s\n", "roles",
			json_string_value(json_array_get(json_object_get(r, "roles"), 0)));
	json_decref(r);
	return CTL_OK;
}

int ctl_subscriber_remove(const struct ctl_options *o)
{
	json_t *r = ctl_ask(
		o, json_pack("{s:s, s:s}", "command", "subscriber.remove", "psk_id", o->args[0]));

	if (!r)
		return CTL_FAILED;
	if (o->json)
		return ctl_print_json(r);
	printf("%s removed; data plane: %s%s%s\n", ctl_text(r, "psk_id"), ctl_text(r, "dataplane"),
		*ctl_text(r, "redis") ? "; Redis: " : "", ctl_text(r, "redis"));
	json_decref(r);
	return CTL_OK;
}

int ctl_subscriber_count(const struct ctl_options *o)
{
	json_t *r = ctl_ask(o, json_pack("{s:s}", "command", "subscriber.count"));

	if (!r)
		return CTL_FAILED;
	if (o->json)
		return ctl_print_json(r);
	printf("%" JSON_INTEGER_FORMAT "\n", ctl_number(r, "subscribers"));
	json_decref(r);
	return CTL_OK;
}

/* One PSK id a line; with --json one JSON text a line. */
int ctl_subscriber_list(const struct ctl_options *o)
{
	struct ctl_client *client = ctl_connect(o);
	json_t *r = NULL, *id, *request;
	char *next = NULL;
	int status = CTL_FAILED;

	while (client) {
		size_t i;

		request = json_pack("{s:s}", "command", "subscriber.list");
		if (next)
			json_object_set_new(request, "after", json_string(next));
		free(next);
		next = NULL;
		r = ctl_request(client, request);
		if (!r)
			break;
		json_array_foreach(json_object_get(r, "psk_ids"), i, id)
		{
			if (o->json)
				json_dumpf(id, stdout, JSON_ENCODE_ANY);
			else
				fputs(json_string_value(id), stdout);
			putchar('\n');
		}
		if (*ctl_text(r, "next"))
			next = strdup(ctl_text(r, "next"));
		json_decref(r);
		if (!next) {
			status = CTL_OK;
			break;
		}
	}
	free(next);
	ctl_disconnect(client);
	return status;
}
