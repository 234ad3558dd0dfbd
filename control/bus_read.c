/* SPDX-License-Identifier: BSD-3-Clause */
/* The others' records: fetched when a notice names them and polled all the same. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/secret.h"
#include "control/bus_private.h"
#include "control/clock.h"
#include "control/log.h"

/* A batch of records that was asked for. */
struct fetch {
	struct bus_table_state *table;
	enum { FETCH_POLL, FETCH_WANTED } why;
	unsigned int n;
	uint64_t origins[BUS_BATCH];
};

struct bus_seen *bus_find(struct bus_table_state *t, uint64_t origin)
{
	for (unsigned int i = 0; i < t->n_seen; i++) {
		if (t->seen[i].origin == origin)
			return &t->seen[i];
	}
	return NULL;
}

struct bus_seen *bus_add(struct bus_table_state *t, uint64_t origin)
{
	struct bus_seen *s;

	if (t->n_seen == BUS_ORIGINS_MAX)
		return NULL;
	s = &t->seen[t->n_seen++];
	*s = (struct bus_seen){.origin = origin};
	return s;
}

void bus_seen_free(struct bus_table_state *t)
{
	for (unsigned int i = 0; i < t->n_seen; i++)
		free(t->seen[i].value);
	t->n_seen = 0;
}

static void refuse(
	struct bus_table_state *t, struct bus_seen *s, uint64_t origin, enum bus_refusal why)
{
	struct bus *b = t->bus;
	char text[BUS_ORIGIN_TEXT];

	b->status.refused[why]++;
	if (s && s->is_told_refused[why])
		return;
	if (s)
		s->is_told_refused[why] = true;
	bus_origin_text(origin, text);
	log_event(LOG_ERROR, "a record in Redis is refused; the last good one stays in use",
		F_TEXT("table", bus_table_name(t->table)), F_TEXT("origin", text),
		F_TEXT("reason", bus_refusal_name(why)));
	b->owner.refused(b->owner.arg, t->table, origin, why);
}

static int open_value(
	struct bus_table_state *t, uint64_t origin, uint64_t version, const struct redis_value *v)
{
	struct bus *b = t->bus;
	const uint8_t *sealed = (const uint8_t *)v->text + 8;
	char text[BUS_ORIGIN_TEXT], type[32];
	struct seal_name name;
	int err;

	bus_origin_text(origin, text);
	name = bus_seal_name(t, text, version, type);
	err = unseal(b->sealer, &name, sealed, v->len - 8, b->plain);
	if (err == -EKEYREJECTED && b->previous)
		err = unseal(b->previous, &name, sealed, v->len - 8, b->plain);
	return err;
}

static void keep(struct bus_seen *s, uint64_t version, const struct redis_value *v)
{
	uint8_t *value = realloc(s->value, v->len);

	if (!value) {
		/* read again next time */
		free(s->value);
		s->value = NULL;
		return;
	}
	memcpy(value, v->text, v->len);
	s->value = value;
	s->len = v->len;
	s->version = version;
	memset(s->is_told_refused, 0, sizeof(s->is_told_refused));
}

static uint64_t version_of(const struct redis_value *v)
{
	uint64_t version = 0;

	for (unsigned int i = 0; i < 8; i++)
		version = version << 8 | (uint8_t)v->text[i];
	return version;
}

/* Tells a record that opened. False: its owner cannot read it. */
static bool tell(struct bus_table_state *t, struct bus_seen *s, uint64_t version, size_t len)
{
	struct bus *b = t->bus;
	bool is_known = s->value && version == s->version; /* sealed anew by its origin */
	int err = is_known ? 0
			   : b->owner.record(
				     b->owner.arg, t->table, s->origin, version, b->plain, len);

	return err != -EBADMSG;
}

/* A record as Redis has it. */
static void take(struct bus_table_state *t, uint64_t origin, const struct redis_value *v)
{
	struct bus_seen *s = bus_find(t, origin);
	uint64_t version;
	size_t len;
	int err;

	if (v->kind == REDIS_NIL)
		return; /* its origin writes it again */
	if (v->kind != REDIS_STRING || v->len < 8 + SEAL_OVERHEAD || v->len > BUS_VALUE_MAX) {
		refuse(t, s, origin, BUS_FORGED);
		return;
	}
	if (s && s->value && v->len == s->len && memcmp(v->text, s->value, v->len) == 0)
		return;
	version = version_of(v);
	len = v->len - 8 - SEAL_OVERHEAD;
	err = open_value(t, origin, version, v);
	if (err) {
		refuse(t, s, origin, err == -EKEYREJECTED ? BUS_OTHER_KEK : BUS_FORGED);
		return;
	}
	if (s && version < s->version) {
		refuse(t, s, origin, BUS_ROLLED_BACK);
	} else {
		s = s ? s : bus_add(t, origin);
		if (!s) {
			log_event(LOG_ERROR, "more nodes in Redis than a replica set can have");
		} else if (tell(t, s, version, len)) {
			/* the owner may have forgotten it */
			s = bus_find(t, origin);
			if (s)
				keep(s, version, v);
		} else {
			refuse(t, bus_find(t, origin), origin, BUS_FORGED);
		}
	}
	secret_wipe(t->bus->plain, len);
}

/* Told once, not with every poll. */
static void note_denied(struct bus *b, const char *error)
{
	if (strncmp(b->read_error, error, sizeof(b->read_error) - 1) == 0)
		return;
	snprintf(b->read_error, sizeof(b->read_error), "%s", error);
	bus_refresh_status(b);
	if (*error)
		log_event(LOG_ERROR, "Redis does not give records", F_TEXT("error", error));
	else
		log_event(LOG_INFO, "Redis gives records again");
}

static void poll_next(struct bus_table_state *t);

static void fetch_done(struct fetch *f, const struct redis_value *v)
{
	struct bus_table_state *t = f->table;

	for (unsigned int i = 0; i < f->n && v->n == f->n; i++) {
		if (f->origins[i] == t->bus->origin)
			bus_check_own(t, v->items[i]);
		else if (!bus_is_forgotten(t->bus, f->origins[i]))
			take(t, f->origins[i], v->items[i]);
	}
	if (f->why == FETCH_POLL) {
		poll_next(t);
	} else {
		t->is_fetching = false;
		bus_fetch_wanted(t);
	}
}

static void on_fetched(void *arg, const struct redis_value *v)
{
	struct fetch *f = arg;

	if (v && v->kind == REDIS_ARRAY) {
		fetch_done(f, v);
	} else {
		/* gone with the connection, or not permitted: the next poll tries again */
		if (v && v->kind == REDIS_FAILURE)
			note_denied(f->table->bus, v->text);
		*(f->why == FETCH_POLL ? &f->table->is_polling : &f->table->is_fetching) = false;
	}
	free(f);
}

static int fetch(struct bus_table_state *t, const uint64_t *origins, unsigned int n, int why)
{
	struct fetch *f = calloc(1, sizeof(*f));
	struct redis_text words[2 + BUS_BATCH] = {REDIS_WORD("HMGET"), REDIS_WORD(t->key)};
	char text[BUS_BATCH][BUS_ORIGIN_TEXT];
	int err;

	if (!f)
		return -ENOMEM;
	f->table = t;
	f->why = why;
	f->n = n;
	for (unsigned int i = 0; i < n; i++) {
		f->origins[i] = origins[i];
		bus_origin_text(origins[i], text[i]);
		words[2 + i] = (struct redis_text)REDIS_WORD(text[i]);
	}
	err = primary_send(t->bus->primary, words, 2 + n, on_fetched, f);
	if (err)
		free(f);
	return err;
}

void bus_want(struct bus_table_state *t, uint64_t origin)
{
	if (origin == t->bus->origin)
		return;
	for (unsigned int i = 0; i < t->n_wanted; i++) {
		if (t->wanted[i] == origin)
			return;
	}
	if (t->n_wanted < BUS_ORIGINS_MAX)
		t->wanted[t->n_wanted++] = origin;
	bus_fetch_wanted(t);
}

void bus_fetch_wanted(struct bus_table_state *t)
{
	unsigned int n = t->n_wanted < BUS_BATCH ? t->n_wanted : BUS_BATCH;

	if (n == 0 || t->is_fetching)
		return;
	t->is_fetching = true;
	if (fetch(t, t->wanted, n, FETCH_WANTED)) {
		t->is_fetching = false;
		return;
	}
	t->n_wanted -= n;
	memmove(t->wanted, t->wanted + n, t->n_wanted * sizeof(t->wanted[0]));
}

static void all_read(struct bus *b)
{
	for (unsigned int i = 0; i < BUS_TABLES; i++) {
		if (!b->tables[i].is_read)
			return;
	}
	note_denied(b, "");
	b->status.polled_ms = b->taken_ms[0];
	for (unsigned int i = 1; i < BUS_TABLES; i++) {
		if (b->taken_ms[i] < b->status.polled_ms)
			b->status.polled_ms = b->taken_ms[i];
	}
	if (!b->is_caught_up) {
		b->is_caught_up = true;
		b->owner.caught_up(b->owner.arg);
	}
}

static void poll_next(struct bus_table_state *t)
{
	unsigned int n = t->n_poll - t->polled;

	if (n == 0) {
		t->is_polling = false;
		t->is_read = true;
		t->bus->taken_ms[t->table] = clock_mono_ms();
		t->bus->status.read_ms[t->table] = t->bus->taken_ms[t->table];
		all_read(t->bus);
		return;
	}
	n = n < BUS_BATCH ? n : BUS_BATCH;
	t->polled += n;
	if (fetch(t, t->poll + t->polled - n, n, FETCH_POLL))
		t->is_polling = false;
}

static void add_to_poll(struct bus_table_state *t, uint64_t origin)
{
	for (unsigned int i = 0; i < t->n_poll; i++) {
		if (t->poll[i] == origin)
			return;
	}
	if (t->n_poll < BUS_ORIGINS_MAX)
		t->poll[t->n_poll++] = origin;
}

/* Those that are known come first: what others put there cannot crowd them out. */
static void on_keys(void *arg, const struct redis_value *v)
{
	struct bus_table_state *t = arg;
	uint64_t origin;

	if (!v || v->kind != REDIS_ARRAY) {
		if (v && v->kind == REDIS_FAILURE)
			note_denied(t->bus, v->text);
		t->is_polling = false;
		return;
	}
	t->n_poll = t->polled = 0;
	if (t->own.is_set)
		add_to_poll(t, t->bus->origin);
	for (unsigned int i = 0; i < t->n_seen; i++)
		add_to_poll(t, t->seen[i].origin);
	for (size_t i = 0; i < v->n; i++) {
		const struct redis_value *field = v->items[i];

		if (field->kind == REDIS_STRING &&
			bus_origin_parse(field->text, field->len, &origin) == 0)
			add_to_poll(t, origin);
	}
	poll_next(t);
}

void bus_poll(struct bus_table_state *t)
{
	const struct redis_text words[] = {REDIS_WORD("HKEYS"), REDIS_WORD(t->key)};

	if (t->is_polling)
		return;
	t->is_polling = primary_send(t->bus->primary, words, 2, on_keys, t) == 0;
}
