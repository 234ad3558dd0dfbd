/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/sentinels.h"

#include <errno.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/backoff.h"

enum { PING_MS = 2000, RETRY_MIN_MS = 200, RETRY_MAX_MS = 10000, NAME_MAX_OCTETS = 64 };

static const struct redis_limits limits = {.connect_ms = 1000, .reply_ms = 1000};

struct sentinel {
	struct sentinels *all;
	struct redis_address address, answer;
	struct redis *redis; /* NULL: waits for its timer */
	struct event *timer; /* the next attempt, or the next PING */
	struct backoff backoff;
	bool has_answered; /* ever */
	bool is_fresh;	   /* on this connection */
};

struct sentinels {
	struct event_base *base;
	struct sentinels_owner owner;
	char primary[NAME_MAX_OCTETS];
	char error[320];
	unsigned int n;
	struct sentinel sentinel[SENTINELS_MAX];
};

static void open_one(struct sentinel *s);

static void retry(struct sentinel *s)
{
	struct timeval tv = backoff_next(&s->backoff);

	if (event_add(s->timer, &tv) < 0)
		event_active(s->timer, EV_TIMEOUT, 0);
}

static void fail(struct sentinel *s, const char *why)
{
	struct redis *redis = s->redis;

	s->redis = NULL;
	s->is_fresh = false;
	snprintf(s->all->error, sizeof(s->all->error), "Sentinel %s: %s", s->address.text, why);
	redis_close(redis);
	retry(s);
}

static void on_ended(void *arg, const char *why)
{
	struct sentinel *s = arg;

	s->redis = NULL;
	fail(s, why);
}

static void set_answer(struct sentinel *s, const char *ip, const char *port)
{
	struct redis_address answer;

	if (redis_address_set(&answer, ip, port)) {
		fail(s, "names a primary without an address");
		return;
	}
	s->answer = answer;
	s->has_answered = s->is_fresh = true;
	backoff_reset(&s->backoff);
	s->all->error[0] = '\0';
	s->all->owner.changed(s->all->owner.arg);
}

static void on_answer(void *arg, const struct redis_value *v)
{
	static const struct timeval tv = {PING_MS / 1000, 0};
	struct sentinel *s = arg;

	if (!v)
		return;
	if (v->kind == REDIS_FAILURE) {
		fail(s, v->text);
	} else if (v->kind != REDIS_ARRAY || v->n != 2 || !v->items[0]->text ||
		   !v->items[1]->text) {
		fail(s, v->kind == REDIS_NIL ? "does not know the primary (sync.primary)"
					     : "answers something else");
	} else if (redis_subscribe(s->redis, "+switch-master", NULL, NULL) ||
		   event_add(s->timer, &tv) < 0) {
		fail(s, "no memory");
	} else {
		set_answer(s, v->items[0]->text, v->items[1]->text);
	}
}

static void on_opened(void *arg)
{
	struct sentinel *s = arg;
	const struct redis_text words[] = {REDIS_WORD("SENTINEL"),
		REDIS_WORD("get-master-addr-by-name"), REDIS_WORD(s->all->primary)};

	if (redis_send(s->redis, words, 3, on_answer, s))
		fail(s, "no memory");
}

/* "NAME OLD-ADDRESS OLD-PORT ADDRESS PORT" */
static void on_published(void *arg, const struct redis_value *message)
{
	struct sentinel *s = arg;
	char text[256], *word[6], *save = NULL;
	unsigned int n = 0;

	if (message->len >= sizeof(text))
		return;
	memcpy(text, message->text, message->len + 1);
	for (char *w = strtok_r(text, " ", &save); w && n < 6; w = strtok_r(NULL, " ", &save))
		word[n++] = w;
	if (n == 5 && strcmp(word[0], s->all->primary) == 0)
		set_answer(s, word[3], word[4]);
}

static void on_timer(evutil_socket_t sock, short events, void *arg)
{
	static const struct timeval tv = {PING_MS / 1000, 0};
	const struct redis_text ping = REDIS_WORD("PING");
	struct sentinel *s = arg;

	(void)sock;
	(void)events;
	if (!s->redis)
		open_one(s);
	else if (redis_send(s->redis, &ping, 1, NULL, NULL) || event_add(s->timer, &tv) < 0)
		fail(s, "no memory");
}

static void open_one(struct sentinel *s)
{
	const struct redis_owner owner = {s, on_opened, on_ended, on_published};

	event_del(s->timer);
	s->redis = redis_open(s->all->base, &s->address, &limits, &owner);
	if (!s->redis)
		fail(s, strerror(errno));
}

struct sentinels *sentinels_new(struct event_base *base, const char *const *addresses,
	unsigned int n, const char *primary, const struct sentinels_owner *owner)
{
	struct sentinels *all = calloc(1, sizeof(*all));
	int err = n == 0 || n > SENTINELS_MAX || strlen(primary) >= NAME_MAX_OCTETS ? EINVAL : 0;

	if (!all)
		return NULL;
	all->base = base;
	all->owner = *owner;
	for (unsigned int i = 0; !err && i < n; i++) {
		struct sentinel *s = &all->sentinel[all->n++];

		s->all = all;
		s->backoff = (struct backoff){RETRY_MIN_MS, RETRY_MAX_MS, 0};
		s->timer = evtimer_new(base, on_timer, s);
		if (!s->timer)
			err = ENOMEM;
		else if (redis_address_parse(&s->address, addresses[i]))
			err = EINVAL;
	}
	if (err) {
		sentinels_free(all);
		errno = err;
		return NULL;
	}
	snprintf(all->primary, sizeof(all->primary), "%s", primary);
	for (unsigned int i = 0; i < n; i++)
		open_one(&all->sentinel[i]);
	return all;
}

void sentinels_free(struct sentinels *all)
{
	if (!all)
		return;
	for (unsigned int i = 0; i < all->n; i++) {
		redis_close(all->sentinel[i].redis);
		if (all->sentinel[i].timer)
			event_free(all->sentinel[i].timer);
	}
	free(all);
}

void sentinels_ask(struct sentinels *all)
{
	for (unsigned int i = 0; i < all->n; i++) {
		struct sentinel *s = &all->sentinel[i];

		/* one that is being asked is left alone; a subscribed one cannot be asked again */
		if (s->redis && !s->is_fresh)
			continue;
		redis_close(s->redis);
		s->redis = NULL;
		s->is_fresh = false;
		open_one(s);
	}
}

unsigned int sentinels_candidates(
	const struct sentinels *all, struct sentinels_candidate out[SENTINELS_MAX])
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < all->n; i++) {
		const struct sentinel *s = &all->sentinel[i];
		unsigned int at = 0;

		if (!s->has_answered)
			continue;
		while (at < n && strcmp(out[at].address.text, s->answer.text) != 0)
			at++;
		if (at == n)
			out[n++] = (struct sentinels_candidate){.address = s->answer};
		out[at].votes += s->is_fresh;
		for (; at > 0 && out[at].votes > out[at - 1].votes; at--) {
			struct sentinels_candidate c = out[at];

			out[at] = out[at - 1];
			out[at - 1] = c;
		}
	}
	return n;
}

unsigned int sentinels_answering(const struct sentinels *all)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < all->n; i++)
		n += all->sentinel[i].is_fresh;
	return n;
}

const char *sentinels_error(const struct sentinels *all)
{
	return all->error;
}
