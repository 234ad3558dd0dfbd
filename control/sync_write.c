/* SPDX-License-Identifier: BSD-3-Clause */
/* The own log goes to Redis: what is missing there, in order; its head is told once it is there. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ipc/cursor.h"
#include "control/clock.h"
#include "control/log.h"
#include "control/sync_private.h"

enum { HEAD_FORMAT = 1, HEAD_OCTETS = 17 };

/* A chunk on its way. */
struct sent {
	struct sync *sync;
	uint64_t sequence;
	enum { SENT_NEW, SENT_AGAIN } why;
};

void sync_write_reset(struct sync *s)
{
	struct sync_writer *w = &s->writer;

	free(w->present);
	*w = (struct sync_writer){
		.published = w->published, .head_first = w->head_first, .head_last = w->head_last};
}

static uint64_t head_version(uint64_t first, uint64_t last)
{
	return first + last;
}

/* Others refuse a head that is older than one that they have seen: it is not told before it is at
 * least as new as any that this store can have told before. */
static void publish(struct sync *s)
{
	struct sync_writer *w = &s->writer;
	struct store_log log = store_log(s->store);
	uint64_t version = head_version(log.first, w->reached);
	uint8_t head[HEAD_OCTETS];
	struct ipc_writer out = {.buf = head, .cap = sizeof(head)};
	int err;

	if (!s->is_caught_up || version <= w->published ||
		(w->published == 0 && w->reached < log.last) || w->reached + 1 < log.first)
		return;
	ipc_put_uint(&out, HEAD_FORMAT, 1);
	ipc_put_uint(&out, log.first, 8);
	ipc_put_uint(&out, w->reached, 8);
	err = bus_put(s->bus, BUS_LOGS, version, head, sizeof(head));
	if (err) {
		sync_note(s, "the head of the log cannot be told", strerror(-err));
		return;
	}
	w->published = version;
	w->head_first = log.first;
	w->head_last = w->reached;
}

static void on_sent(void *arg, const struct redis_value *v)
{
	struct sent *sent = arg;
	struct sync *s = sent->sync;
	struct sync_writer *w = &s->writer;

	if (v && sent->why == SENT_NEW) {
		w->in_flight--;
		if (v->kind == REDIS_FAILURE) {
			sync_note(s, "Redis does not take changes of subscribers", v->text);
			if (sent->sequence < w->next)
				w->next = sent->sequence;
			w->retry_ms = clock_mono_ms() + SYNC_RETRY_MS;
		} else if (sent->sequence == w->reached + 1) {
			w->reached = sent->sequence;
			w->retry_ms = 0;
		}
		sync_write(s);
	}
	free(sent);
}

static int send_chunk(struct sync *s, uint64_t sequence, int why)
{
	char key[BUS_KEY_MAX], field[SYNC_KEY_TEXT];
	struct sent *sent;
	int len = store_log_get(s->store, sequence, s->sealed), err;

	if (len < 0)
		return len;
	sent = calloc(1, sizeof(*sent));
	if (!sent)
		return -ENOMEM;
	*sent = (struct sent){s, sequence, why};
	sync_log_key(s, store_origin(s->store), key);
	snprintf(field, sizeof(field), "%" PRIu64, sequence);
	const struct redis_text words[] = {
		REDIS_WORD("HSET"), REDIS_WORD(key), REDIS_WORD(field), {s->sealed, (size_t)len}};

	err = primary_send(bus_primary(s->bus), words, 4, on_sent, sent);
	if (err)
		free(sent);
	return err;
}

static bool is_present(const struct sync_writer *w, uint64_t sequence)
{
	uint64_t bit = sequence - w->base;

	return sequence >= w->base && bit < w->n_present && w->present[bit / 8] >> (bit % 8) & 1;
}

void sync_write(struct sync *s)
{
	struct sync_writer *w = &s->writer;
	struct store_log log = store_log(s->store);
	uint64_t before = w->reached;
	int err = 0;

	if (!s->is_reachable || !w->is_audited || clock_mono_ms() < w->retry_ms)
		return;
	if (w->next < log.first)
		w->next = log.first;
	if (w->reached + 1 < log.first)
		w->reached = log.first - 1;
	while (!err && w->next <= log.last && w->in_flight < SYNC_WINDOW) {
		if (!is_present(w, w->next)) {
			err = send_chunk(s, w->next, SENT_NEW);
			w->in_flight += err == 0;
		} else if (w->in_flight == 0 && w->reached + 1 == w->next) {
			w->reached = w->next;
		} else if (w->in_flight) {
			break; /* counted once what was before it has been confirmed */
		}
		w->next += err == 0;
	}
	if (err && err != -ENOTCONN) {
		sync_note(s, "a chunk of the log cannot be sent", strerror(-err));
		w->retry_ms = clock_mono_ms() + SYNC_RETRY_MS;
	} else if (!err && w->reached == log.last && !w->retry_ms) {
		sync_note(s, NULL, NULL);
	}
	publish(s);
	if (w->reached != before || w->reached == log.last)
		s->owner.reached(s->owner.arg);
}

void sync_repair(struct sync *s, uint64_t sequence)
{
	struct sync_writer *w = &s->writer;
	struct store_log log = store_log(s->store);
	uint64_t now = clock_mono_ms();

	if (!s->is_reachable || sequence < log.first || sequence > w->reached)
		return;
	if (now - w->repairs_ms >= 1000) {
		w->repairs_ms = now;
		w->repairs = 0;
	}
	if (w->repairs++ >= SYNC_REPAIRS)
		return;
	if (send_chunk(s, sequence, SENT_AGAIN) == 0)
		s->status.repaired++;
	/* where one is missing there may be more */
	if (w->audit_ms > now + SYNC_RETRY_MS)
		w->audit_ms = now + SYNC_RETRY_MS;
}

/* Fields that are no chunks of the log, or of the log before it was written anew (and the others
 * know that it was). */
static void remove_fields(struct sync *s, const struct redis_value *v)
{
	const struct sync_writer *w = &s->writer;
	struct redis_text words[REDIS_WORDS_MAX];
	char key[BUS_KEY_MAX];
	size_t n = 2;

	sync_log_key(s, store_origin(s->store), key);
	words[0] = (struct redis_text)REDIS_WORD("HDEL");
	words[1] = (struct redis_text)REDIS_WORD(key);
	for (size_t i = 0; i < v->n && n < REDIS_WORDS_MAX; i++) {
		const struct redis_value *field = v->items[i];
		uint64_t sequence = field->text ? strtoull(field->text, NULL, 10) : w->head_first;

		if (!w->published || !field->text ||
			(sequence >= w->head_first && sequence <= store_log(s->store).last))
			continue;
		words[n++] = (struct redis_text){field->text, field->len};
	}
	if (n > 2 && primary_send(bus_primary(s->bus), words, n, NULL, NULL) == 0 &&
		n == REDIS_WORDS_MAX)
		s->writer.audit_ms = 0; /* there may be more */
}

/* What Redis has, in bits. 0, -ENOMEM. */
static int note_present(struct sync *s, const struct redis_value *v)
{
	struct sync_writer *w = &s->writer;
	struct store_log log = store_log(s->store);
	uint64_t n = log.last + 1 - log.first;
	uint8_t *present = calloc(1, n / 8 + 1);

	if (!present)
		return -ENOMEM;
	for (size_t i = 0; i < v->n; i++) {
		const char *text = v->items[i]->text;
		char *end;
		uint64_t sequence = text ? strtoull(text, &end, 10) : 0;

		if (text && *end == '\0' && sequence >= log.first && sequence <= log.last)
			present[(sequence - log.first) / 8] |=
				(uint8_t)(1u << ((sequence - log.first) % 8));
	}
	free(w->present);
	w->present = present;
	w->base = log.first;
	w->n_present = n;
	return 0;
}

static void on_audited(void *arg, const struct redis_value *v)
{
	struct sync *s = arg;
	struct sync_writer *w = &s->writer;
	uint64_t reached = w->reached, lost = 0;

	if (!v)
		return;
	w->is_auditing = false;
	if (v->kind != REDIS_ARRAY || note_present(s, v)) {
		sync_note(s, "Redis does not say what it has of the log",
			v->kind == REDIS_FAILURE ? v->text : "no memory");
		return;
	}
	for (uint64_t i = w->base; i <= reached && i < w->base + w->n_present; i++)
		lost += !is_present(w, i);
	if (lost) {
		s->status.repaired += lost;
		log_event(LOG_WARNING,
			"Redis has lost chunks of this node's log; they are written again",
			F_UINT("chunks", lost));
	}
	w->audit_ms = clock_mono_ms() + SYNC_AUDIT_MS;
	remove_fields(s, v);
	w->is_audited = true;
	w->reached = store_log(s->store).first - 1;
	w->next = store_log(s->store).first;
	sync_write(s);
}

static void drop_left_logs(struct sync *s)
{
	char key[BUS_KEY_MAX];

	if (s->is_relogging || !store_log(s->store).is_complete ||
		s->writer.reached < store_log(s->store).last)
		return;
	for (; s->n_leaving; s->n_leaving--) {
		sync_log_key(s, s->leaving[s->n_leaving - 1], key);
		const struct redis_text words[] = {REDIS_WORD("DEL"), REDIS_WORD(key)};

		if (primary_send(bus_primary(s->bus), words, 2, NULL, NULL))
			return;
	}
}

/* Not while chunks are on their way: they would count as missing. */
void sync_audit(struct sync *s)
{
	struct sync_writer *w = &s->writer;
	char key[BUS_KEY_MAX];

	if (!s->is_reachable || w->is_auditing || w->in_flight || clock_mono_ms() < w->audit_ms)
		return;
	drop_left_logs(s);
	sync_log_key(s, store_origin(s->store), key);
	const struct redis_text words[] = {REDIS_WORD("HKEYS"), REDIS_WORD(key)};

	w->is_auditing = primary_send(bus_primary(s->bus), words, 2, on_audited, s) == 0;
}

void sync_tell_again(struct sync *s)
{
	uint64_t reached = s->writer.reached;

	sync_write_reset(s);
	/* what was there is there still, under another KEK, until the new ones have come */
	s->writer.reached = reached;
	s->writer.is_audited = true;
	s->writer.next = store_log(s->store).first;
	sync_write(s);
}
