/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/bus.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/secret.h"
#include "control/bus_private.h"
#include "control/clock.h"
#include "control/log.h"

static const char *const table_names[BUS_TABLES] = {
	[BUS_NODES] = "nodes", [BUS_KEYRINGS] = "keyrings", [BUS_LOGS] = "logs"};

const char *bus_table_name(enum bus_table table)
{
	return table_names[table];
}

const char *bus_refusal_name(enum bus_refusal why)
{
	static const char *const names[BUS_REFUSALS] = {[BUS_FORGED] = "forged",
		[BUS_ROLLED_BACK] = "rolled_back",
		[BUS_OTHER_KEK] = "other_kek"};

	return names[why];
}

void bus_origin_text(uint64_t origin, char text[BUS_ORIGIN_TEXT])
{
	snprintf(text, BUS_ORIGIN_TEXT, "%016" PRIx64, origin);
}

int bus_origin_parse(const char *text, size_t len, uint64_t *origin)
{
	if (len != BUS_ORIGIN_TEXT - 1 || strspn(text, "0123456789abcdef") != len)
		return -EINVAL;
	*origin = strtoull(text, NULL, 16);
	return 0;
}

struct seal_name bus_seal_name(
	const struct bus_table_state *t, const char *origin, uint64_t version, char type[32])
{
	snprintf(type, 32, "bus %s", table_names[t->table]);
	return (struct seal_name){type, origin, BUS_ORIGIN_TEXT - 1, version};
}

void bus_key(const struct bus *b, const char *first, const char *second, char out[BUS_KEY_MAX])
{
	snprintf(out, BUS_KEY_MAX, "%s:%s%s%s", b->prefix, first, second ? ":" : "",
		second ? second : "");
}

static void send_forget(struct bus *b, uint64_t origin)
{
	char text[BUS_ORIGIN_TEXT];

	bus_origin_text(origin, text);
	for (unsigned int i = 0; i < BUS_TABLES; i++) {
		const struct redis_text words[] = {
			REDIS_WORD("HDEL"), REDIS_WORD(b->tables[i].key), REDIS_WORD(text)};

		/* a primary that is away is told when it is back */
		(void)primary_send(b->primary, words, 3, NULL, NULL);
	}
}

void bus_refresh_status(struct bus *b)
{
	const struct primary_status *p = primary_status(b->primary);
	struct bus_status *s = &b->status;

	memcpy(s->primary, p->address, sizeof(s->primary));
	snprintf(s->error, sizeof(s->error), "%s",
		!s->is_reachable  ? p->error
		: *b->write_error ? b->write_error
				  : b->read_error);
	s->reconnects = p->reconnects;
	s->timeouts = p->timeouts;
	s->sentinels = p->sentinels;
}

static void on_ready(void *arg)
{
	struct bus *b = arg;

	b->status.is_reachable = true;
	b->status.since_ms = clock_mono_ms();
	b->is_caught_up = false;
	b->ticks = 0;
	bus_refresh_status(b);
	for (unsigned int i = 0; i < b->n_forgotten; i++)
		send_forget(b, b->forgotten[i]);
	b->owner.reachable(b->owner.arg, true);
	for (unsigned int i = 0; i < BUS_TABLES; i++) {
		struct bus_table_state *t = &b->tables[i];

		t->is_read = t->is_polling = t->is_fetching = false;
		t->n_wanted = 0;
		t->own.is_writing = false;
		bus_write(t);
		bus_poll(t);
	}
}

static void on_lost(void *arg, const char *why)
{
	struct bus *b = arg;

	(void)why; /* in the log, and in the primary's status */
	b->status.is_reachable = false;
	b->status.since_ms = clock_mono_ms();
	bus_refresh_status(b);
	b->owner.reachable(b->owner.arg, false);
}

static void on_published(void *arg, const struct redis_value *message)
{
	struct bus *b = arg;
	const char *blank = memchr(message->text, ' ', message->len);
	size_t n = blank ? (size_t)(blank - message->text) : 0;
	uint64_t origin;

	for (unsigned int i = 0; blank && i < BUS_TABLES; i++) {
		if (strlen(table_names[i]) != n || memcmp(table_names[i], message->text, n) != 0)
			continue;
		if (bus_origin_parse(blank + 1, message->len - n - 1, &origin) == 0)
			bus_want(&b->tables[i], origin);
		return;
	}
	if (b->owner.notice)
		b->owner.notice(b->owner.arg, message->text, message->len);
}

static void on_tick(evutil_socket_t sock, short events, void *arg)
{
	struct bus *b = arg;

	(void)sock;
	(void)events;
	bus_refresh_status(b);
	if (!b->status.is_reachable)
		return;
	b->ticks++;
	for (unsigned int i = 0; i < BUS_TABLES; i++) {
		if (b->tables[i].own.is_due)
			bus_write(&b->tables[i]);
		if (i == BUS_NODES || b->ticks % BUS_SLOW_POLLS == 0)
			bus_poll(&b->tables[i]);
	}
}

static int open_tables(struct bus *b)
{
	for (unsigned int i = 0; i < BUS_TABLES; i++) {
		b->tables[i].bus = b;
		b->tables[i].table = i;
		bus_key(b, table_names[i], NULL, b->tables[i].key);
	}
	b->plain = secret_alloc(BUS_RECORD_MAX);
	return b->plain ? 0 : -ENOMEM;
}

static int open_primary(
	struct bus *b, struct event_base *base, const struct bus_settings *s, struct reason *why)
{
	const struct primary_owner owner = {b, on_ready, on_lost, on_published};
	const struct primary_settings settings = {.sentinels = s->sentinels,
		.n_sentinels = s->n_sentinels,
		.name = s->primary,
		.user = s->user,
		.password_file = s->password_file,
		.channel = b->channel};

	b->primary = primary_new(base, &settings, &owner);
	if (b->primary)
		return 0;
	if (errno == EINVAL)
		return reason_set(
			why, -EINVAL, "sync: a Sentinel's address or the primary's name is wrong");
	return reason_set(why, -ENOMEM, "sync: out of memory");
}

struct bus *bus_new(struct event_base *base, struct sealer *sealer, uint64_t origin,
	const struct bus_settings *settings, const struct bus_owner *owner, struct reason *why)
{
	struct timeval tick = {
		(time_t)(settings->poll_ms / 1000), (suseconds_t)(settings->poll_ms % 1000 * 1000)};
	struct bus *b = calloc(1, sizeof(*b));
	int err = b && strlen(settings->prefix) < sizeof(b->prefix) ? 0 : -ENOMEM;

	if (!err) {
		b->sealer = sealer;
		b->origin = origin;
		bus_origin_text(origin, b->origin_text);
		b->owner = *owner;
		snprintf(b->prefix, sizeof(b->prefix), "%s", settings->prefix);
		bus_key(b, "notice", NULL, b->channel);
		b->status.is_configured = true;
		b->status.since_ms = clock_mono_ms();
		err = open_tables(b);
	}
	if (!err) {
		b->tick = event_new(base, -1, EV_PERSIST, on_tick, b);
		err = b->tick && event_add(b->tick, &tick) == 0 ? 0 : -ENOMEM;
	}
	if (err)
		reason_set(why, err, "sync: out of memory (or of lockable memory: ulimit -l)");
	else
		err = open_primary(b, base, settings, why);
	if (err) {
		bus_free(b);
		return NULL;
	}
	return b;
}

void bus_free(struct bus *b)
{
	if (!b)
		return;
	primary_free(b->primary);
	if (b->tick)
		event_free(b->tick);
	for (unsigned int i = 0; i < BUS_TABLES; i++) {
		struct bus_own *own = &b->tables[i].own;

		secret_free(own->plain, own->size);
		free(own->value);
		bus_seen_free(&b->tables[i]);
	}
	secret_free(b->plain, BUS_RECORD_MAX);
	free(b);
}

void bus_forget(struct bus *b, uint64_t origin)
{
	if (origin == b->origin || bus_is_forgotten(b, origin))
		return;
	for (unsigned int i = 0; i < BUS_TABLES; i++) {
		struct bus_table_state *t = &b->tables[i];
		struct bus_seen *s = bus_find(t, origin);

		if (s) {
			free(s->value);
			*s = t->seen[--t->n_seen];
		}
	}
	if (b->n_forgotten == BUS_ORIGINS_MAX) {
		memmove(b->forgotten, b->forgotten + 1, sizeof(b->forgotten) - sizeof(uint64_t));
		b->n_forgotten--;
	}
	b->forgotten[b->n_forgotten++] = origin;
	send_forget(b, origin);
}

bool bus_is_forgotten(const struct bus *b, uint64_t origin)
{
	for (unsigned int i = 0; i < b->n_forgotten; i++) {
		if (b->forgotten[i] == origin)
			return true;
	}
	return false;
}

void bus_set_floor(struct bus *b, enum bus_table table, uint64_t origin, uint64_t version)
{
	struct bus_table_state *t = &b->tables[table];
	struct bus_seen *s = bus_find(t, origin);

	if (!s && origin != b->origin)
		s = bus_add(t, origin);
	if (s && version > s->version)
		s->version = version;
}

void bus_set_sealers(struct bus *b, struct sealer *sealer, struct sealer *previous)
{
	b->sealer = sealer;
	b->previous = previous;
	for (unsigned int i = 0; i < BUS_TABLES; i++)
		bus_write(&b->tables[i]);
}

struct primary *bus_primary(struct bus *b)
{
	return b->primary;
}

void bus_publish(struct bus *b, const char *text)
{
	const struct redis_text words[] = {
		REDIS_WORD("PUBLISH"), REDIS_WORD(b->channel), REDIS_WORD(text)};

	/* a notice only: whoever misses it polls */
	(void)primary_send(b->primary, words, 3, NULL, NULL);
}

const struct bus_status *bus_status(const struct bus *b)
{
	return &b->status;
}
