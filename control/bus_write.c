/* SPDX-License-Identifier: BSD-3-Clause */
/* The own records: written when they change, and again when Redis has lost or altered them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/secret.h"
#include "control/bus_private.h"
#include "control/clock.h"
#include "control/log.h"

static void put_version(uint8_t out[8], uint64_t version)
{
	for (unsigned int i = 0; i < 8; i++)
		out[i] = (uint8_t)(version >> (56 - 8 * i));
}

static int seal_own(struct bus_table_state *t)
{
	struct bus *b = t->bus;
	struct bus_own *own = &t->own;
	size_t len = 8 + own->len + SEAL_OVERHEAD;
	uint8_t *value = realloc(own->value, len);
	char type[32];
	struct seal_name name = bus_seal_name(t, b->origin_text, own->version, type);

	if (!value)
		return -ENOMEM;
	own->value = value;
	own->value_len = len;
	put_version(value, own->version);
	return seal(b->sealer, &name, own->plain, own->len, value + 8);
}

static void note_refusal(struct bus *b, const char *error)
{
	if (strncmp(b->write_error, error, sizeof(b->write_error) - 1) == 0)
		return;
	snprintf(b->write_error, sizeof(b->write_error), "%s", error);
	bus_refresh_status(b);
	if (*error)
		log_event(LOG_ERROR, "Redis does not take what is written", F_TEXT("error", error));
	else
		log_event(LOG_INFO, "Redis takes what is written again");
}

static void on_written(void *arg, const struct redis_value *v)
{
	struct bus_table_state *t = arg;
	struct bus *b = t->bus;

	t->own.is_writing = false;
	if (!v) {
		t->own.is_due = true;
	} else if (v->kind == REDIS_FAILURE) {
		t->own.is_due = true; /* with the next tick */
		note_refusal(b, v->text);
	} else {
		b->status.writes++;
		b->status.written_ms[t->table] = clock_mono_ms();
		note_refusal(b, "");
		if (t->own.is_due)
			bus_write(t);
	}
}

void bus_write(struct bus_table_state *t)
{
	struct bus *b = t->bus;
	struct bus_own *own = &t->own;
	char notice[64];
	int err;

	if (!own->is_set)
		return;
	own->is_due = true;
	if (own->is_writing || !primary_is_ready(b->primary))
		return;
	err = seal_own(t);
	if (!err) {
		const struct redis_text words[] = {REDIS_WORD("HSET"), REDIS_WORD(t->key),
			REDIS_WORD(b->origin_text), {own->value, own->value_len}};

		own->is_writing = true;
		own->is_due = false;
		err = primary_send(b->primary, words, 4, on_written, t);
	}
	if (err) {
		own->is_writing = false;
		own->is_due = true;
		if (err != -ENOTCONN)
			log_event(LOG_ERROR, "a record for Redis cannot be made",
				F_TEXT("table", bus_table_name(t->table)),
				F_TEXT("error", strerror(-err)));
		return;
	}
	snprintf(notice, sizeof(notice), "%s %s", bus_table_name(t->table), b->origin_text);
	bus_publish(b, notice);
}

int bus_put(struct bus *b, enum bus_table table, uint64_t version, const void *plain, size_t len)
{
	struct bus_table_state *t = &b->tables[table];
	struct bus_own *own = &t->own;

	if (len > BUS_RECORD_MAX || (own->is_set && version <= own->version))
		return -EINVAL;
	if (len > own->size || !own->plain) {
		uint8_t *grown = secret_alloc(len ? len : 1);

		if (!grown)
			return -ENOMEM;
		secret_free(own->plain, own->size);
		own->plain = grown;
		own->size = len ? len : 1;
	}
	secret_wipe(own->plain, own->size);
	memcpy(own->plain, plain, len);
	own->len = len;
	own->version = version;
	own->is_set = true;
	bus_write(t);
	return 0;
}

static uint64_t get_version(const char *text)
{
	uint64_t version = 0;

	for (unsigned int i = 0; i < 8; i++)
		version = version << 8 | (uint8_t)text[i];
	return version;
}

/* Notes the newest version of the own record that was ever found there. */
static void note_own(struct bus_table_state *t, const struct redis_value *v)
{
	struct bus *b = t->bus;
	char type[32];
	struct seal_name name;
	uint64_t version;

	if (v->kind != REDIS_STRING || v->len < 8 + SEAL_OVERHEAD || v->len > BUS_VALUE_MAX)
		return;
	version = get_version(v->text);
	if (version <= b->status.own_seen[t->table])
		return;
	name = bus_seal_name(t, b->origin_text, version, type);
	if (unseal(b->sealer, &name, (const uint8_t *)v->text + 8, v->len - 8, b->plain))
		return;
	secret_wipe(b->plain, v->len - 8 - SEAL_OVERHEAD);
	b->status.own_seen[t->table] = version;
	if (t->own.is_set && version > t->own.version)
		log_event(LOG_ERROR,
			"Redis has a newer record of this node than this node: was its store "
			"restored from a backup?",
			F_TEXT("table", bus_table_name(t->table)), F_UINT("stored", t->own.version),
			F_UINT("found", version));
}

void bus_check_own(struct bus_table_state *t, const struct redis_value *v)
{
	struct bus_own *own = &t->own;

	note_own(t, v);
	/* what is newer than ours, others have seen: ours would be refused */
	if (own->is_writing || own->is_due || !own->is_set ||
		t->bus->status.own_seen[t->table] > own->version)
		return;
	if (v->kind == REDIS_STRING && v->len == own->value_len &&
		memcmp(v->text, own->value, v->len) == 0)
		return;
	t->bus->status.rewrites++;
	log_event(LOG_WARNING, "Redis has lost or altered this node's record; it is written again",
		F_TEXT("table", bus_table_name(t->table)));
	bus_write(t);
}
