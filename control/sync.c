/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/sync.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/secret.h"
#include "control/clock.h"
#include "control/log.h"
#include "control/sync_private.h"

enum {
	/* a log is written anew when it has more than twice what there is, and then some */
	RELOG_SPARE_RECORDS = 10000,
	RELOG_SPARE_CHUNKS = 20000,
	RELOG_RECORDS_A_CHUNK = 100,
};

void sync_log_key(const struct sync *s, uint64_t origin, char key[BUS_KEY_MAX])
{
	char text[BUS_ORIGIN_TEXT];

	bus_origin_text(origin, text);
	bus_key(s->bus, "log", text, key);
}

void sync_schedule(struct sync *s, unsigned int ms)
{
	struct timeval tv = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};

	/* without memory for it the next tick comes */
	if (!evtimer_pending(s->work, NULL))
		(void)event_add(s->work, &tv);
}

void sync_note(struct sync *s, const char *what, const char *why)
{
	char text[sizeof(s->status.error)] = "";

	if (what)
		snprintf(text, sizeof(text), "%s: %s", what, why);
	if (strcmp(text, s->status.error) == 0)
		return;
	memcpy(s->status.error, text, sizeof(text));
	if (*text)
		log_event(LOG_ERROR, what, F_TEXT("reason", why));
	else
		log_event(LOG_INFO, "changes of subscribers get on again");
}

static bool is_log_too_large(const struct sync *s)
{
	struct store_log log = store_log(s->store);
	uint64_t chunks = log.last + 1 - log.first;

	return log.records > 2 * store_records(s->store) + RELOG_SPARE_RECORDS ||
	       chunks > RELOG_SPARE_CHUNKS + log.records / RELOG_RECORDS_A_CHUNK;
}

/* A step of writing the log anew. */
static void relog(struct sync *s)
{
	int got = store_relog_step(s->store, SYNC_RELOG_RECORDS);

	if (got == -EBUSY) {
		sync_schedule(s, SYNC_BUSY_MS);
	} else if (got < 0) {
		sync_note(s, "the log cannot be written anew", strerror(-got));
		s->work_at_ms = clock_mono_ms() + SYNC_RETRY_MS;
	} else {
		if (got == 0) {
			s->is_relogging = false;
			s->writer.audit_ms = clock_mono_ms() + SYNC_CLEAN_MS;
			log_event(LOG_INFO, "the log of changes was written anew",
				F_UINT("first", store_log(s->store).first),
				F_UINT("last", store_log(s->store).last));
		}
		sync_schedule(s, 0);
		sync_write(s);
	}
}

static void on_work(evutil_socket_t sock, short events, void *arg)
{
	struct sync *s = arg;

	(void)sock;
	(void)events;
	if (clock_mono_ms() < s->work_at_ms)
		return; /* the tick comes again */
	sync_apply_some(s);
	if (s->is_relogging && !s->is_open && !s->first)
		relog(s);
}

/* Redis has chunks of this origin that this store does not know: it is a backup. What it tells from
 * now on is told behind these, and all of it. */
static void follow_own_past(struct sync *s)
{
	uint64_t seen = bus_status(s->bus)->own_seen[BUS_LOGS];
	struct store_log log = store_log(s->store);
	int err;

	if (seen <= log.first + log.last)
		return;
	err = store_log_skip(s->store, seen);
	if (err == -EBUSY)
		return;
	if (err)
		sync_note(s, "the log cannot be continued behind its old end", strerror(-err));
	else
		log_event(LOG_WARNING,
			"the store is older than what this node has told before: it tells all "
			"again",
			F_UINT("from", store_log(s->store).first));
	sync_write_reset(s);
}

static void adopt_waiting(struct sync *s);

static void on_tick(evutil_socket_t sock, short events, void *arg)
{
	struct sync *s = arg;

	(void)sock;
	(void)events;
	follow_own_past(s);
	adopt_waiting(s);
	if (!s->is_relogging && (!store_log(s->store).is_complete || is_log_too_large(s)))
		s->is_relogging = true;
	sync_audit(s);
	sync_write(s);
	sync_fetch(s);
	if (s->first || s->is_relogging)
		sync_schedule(s, 0);
}

struct sync *sync_new(struct event_base *base, struct store *store, struct sealer *sealer,
	struct bus *bus, const struct sync_settings *settings, const struct sync_owner *owner)
{
	static const struct timeval tick = {0, SYNC_TICK_MS * 1000};
	struct sync *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->base = base;
	s->store = store;
	s->sealer = sealer;
	s->bus = bus;
	s->settings = *settings;
	s->owner = *owner;
	s->last = &s->first;
	s->tick = event_new(base, -1, EV_PERSIST, on_tick, s);
	s->work = evtimer_new(base, on_work, s);
	s->plain = secret_alloc(STORE_CHUNK_MAX);
	s->sealed = malloc(STORE_LOG_SEALED_MAX);
	if (!s->tick || !s->work || !s->plain || !s->sealed || event_add(s->tick, &tick) < 0) {
		sync_free(s);
		errno = ENOMEM;
		return NULL;
	}
	store_set_logging(store, STORE_LOG_ON);
	return s;
}

void sync_free(struct sync *s)
{
	if (!s)
		return;
	if (s->is_open)
		store_abort(s->store);
	sync_drop_queue(s);
	sync_write_reset(s);
	for (unsigned int i = 0; i < s->n_peers; i++)
		free(s->peers[i]);
	if (s->tick)
		event_free(s->tick);
	if (s->work)
		event_free(s->work);
	secret_free(s->plain, STORE_CHUNK_MAX);
	free(s->sealed);
	free(s);
}

void sync_configure(struct sync *s, const struct sync_settings *settings)
{
	s->settings = *settings;
}

void sync_set_sealers(struct sync *s, struct sealer *sealer, struct sealer *previous)
{
	s->sealer = sealer;
	s->previous = previous;
}

void sync_reachable(struct sync *s, bool is_reachable)
{
	s->is_reachable = is_reachable;
	sync_write_reset(s);
	if (is_reachable)
		sync_audit(s);
}

void sync_caught_up(struct sync *s)
{
	s->is_caught_up = true;
	follow_own_past(s);
	sync_write(s);
}

void sync_notice(struct sync *s, const char *text, size_t len)
{
	char word[64], *end;
	uint64_t origin, sequence;

	if (len < 5 + BUS_ORIGIN_TEXT || len >= sizeof(word) || memcmp(text, "want ", 5) != 0)
		return;
	memcpy(word, text, len);
	word[len] = '\0';
	if (bus_origin_parse(word + 5, BUS_ORIGIN_TEXT - 1, &origin) ||
		word[5 + BUS_ORIGIN_TEXT - 1] != ' ' || origin != store_origin(s->store))
		return;
	sequence = strtoull(word + 5 + BUS_ORIGIN_TEXT, &end, 10);
	if (*end == '\0')
		sync_repair(s, sequence);
}

void sync_push(struct sync *s)
{
	if (s)
		sync_write(s);
}

bool sync_has_reached(const struct sync *s, uint64_t sequence)
{
	return s->is_reachable && s->writer.reached >= sequence;
}

static int adopt(struct sync *s, uint64_t origin)
{
	struct sync_peer *peer = sync_find(s, origin);
	int err = store_begin(s->store);

	if (!err)
		err = store_adopt(s->store, origin);
	if (!err)
		err = store_commit(s->store);
	store_abort(s->store); /* nothing after a commit */
	if (err)
		return err;
	s->is_relogging = false; /* from the beginning, with the next tick */
	if (peer)
		peer->last = peer->read_to = peer->contiguous = peer->gap = 0;
	return 0;
}

static void adopt_waiting(struct sync *s)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < s->n_adopting; i++) {
		uint64_t origin = s->adopting[i];
		int err = adopt(s, origin);

		if (err) {
			s->adopting[kept++] = origin;
			if (err != -EBUSY)
				sync_note(s,
					"records of a node that is no more cannot be taken over",
					strerror(-err));
		} else if (s->n_leaving < BUS_ORIGINS_MAX) {
			s->leaving[s->n_leaving++] = origin;
		}
	}
	s->n_adopting = kept;
}

void sync_adopt(struct sync *s, uint64_t origin)
{
	if (origin == store_origin(s->store) || s->n_adopting == BUS_ORIGINS_MAX)
		return;
	s->adopting[s->n_adopting++] = origin;
	adopt_waiting(s);
}

void sync_fill(const struct sync *s, struct heartbeat *h)
{
	struct store_cursor cursors[STORE_ORIGINS_MAX];

	h->log_first = s->writer.head_first;
	h->log_last = s->writer.head_last;
	h->n_cursors = store_cursors(s->store, cursors);
	for (unsigned int i = 0; i < h->n_cursors; i++)
		h->cursors[i] = (struct heartbeat_cursor){cursors[i].origin, cursors[i].sequence};
}

const struct sync_status *sync_status(struct sync *s)
{
	struct sync_status *out = &s->status;
	struct store_log log = store_log(s->store);

	out->log_first = log.first;
	out->log_last = log.last;
	out->reached = s->writer.reached;
	out->is_rewriting = s->is_relogging;
	out->n_peers = s->n_peers;
	for (unsigned int i = 0; i < s->n_peers; i++) {
		const struct sync_peer *p = s->peers[i];

		out->peers[i] = (struct sync_peer_status){
			p->origin, p->first, p->last, store_cursor(s->store, p->origin), p->gap};
	}
	return out;
}
