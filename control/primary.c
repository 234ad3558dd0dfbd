/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/primary.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/crypto/secret.h"
#include "control/backoff.h"
#include "control/log.h"
#include "control/sentinels.h"

enum {
	PASSWORD_MAX = 512,
	RETRY_MIN_MS = 100,
	RETRY_MAX_MS = 3000,
	TICK_MS = 1000,
	TEXT_MAX = 320
};

static const struct redis_limits limits = {.connect_ms = 1000, .reply_ms = 2000};

enum lane { LANE_COMMANDS, LANE_CHANNEL, LANES };

/* A connection on its way from connect to use. */
struct lane_state {
	struct primary *primary;
	enum lane lane;
	struct redis *redis;
	bool is_ready;
};

struct primary {
	struct event_base *base;
	struct primary_owner owner;
	struct primary_status status;
	struct sentinels *sentinels;
	char *user, *password_file, *channel;
	char logged[TEXT_MAX]; /* the error that the log has already */
	struct lane_state lanes[LANES];
	struct event *retry, *tick;
	struct backoff backoff;
	/* the candidates of this round */
	struct sentinels_candidate candidates[SENTINELS_MAX];
	unsigned int n_candidates, next;
	struct redis_address address; /* being tried, or in use */
	uint64_t connections;
};

static void try_next(struct primary *p);

static void note_error(struct primary *p, const char *where, const char *why)
{
	snprintf(p->status.error, sizeof(p->status.error), "%.63s%s%.250s", where,
		*where ? ": " : "", why);
	if (strcmp(p->status.error, p->logged) == 0)
		return;
	memcpy(p->logged, p->status.error, sizeof(p->logged));
	log_event(LOG_WARNING, "Redis cannot be used", F_TEXT("reason", p->status.error));
}

static void close_lane(struct lane_state *l)
{
	struct redis *redis = l->redis;

	l->redis = NULL;
	l->is_ready = false;
	redis_close(redis);
}

static void wait_and_retry(struct primary *p)
{
	struct timeval tv = backoff_next(&p->backoff);

	if (event_add(p->retry, &tv) < 0)
		event_active(p->retry, EV_TIMEOUT, 0);
}

/* The attempt, or the connection in use, has failed. */
static void fail(struct primary *p, const char *why)
{
	bool was_ready = p->lanes[LANE_COMMANDS].is_ready;

	note_error(p, p->address.text, why);
	close_lane(&p->lanes[LANE_COMMANDS]);
	close_lane(&p->lanes[LANE_CHANNEL]);
	p->status.address[0] = '\0';
	if (!was_ready) {
		try_next(p);
		return;
	}
	p->owner.lost(p->owner.arg, p->status.error);
	sentinels_ask(p->sentinels);
	wait_and_retry(p);
}

/* Notices are only lost until the next tick; tables are polled meanwhile. */
static void lane_failed(struct lane_state *l, const char *why)
{
	if (l->lane == LANE_COMMANDS)
		fail(l->primary, why);
	else
		close_lane(l);
}

static void on_ended(void *arg, const char *why)
{
	struct lane_state *l = arg;

	l->redis = NULL;
	if (strncmp(why, "no answer", 9) == 0 || strncmp(why, "no connection", 13) == 0)
		l->primary->status.timeouts++;
	lane_failed(l, why);
}

static void lane_ready(struct lane_state *l);

static void on_role(void *arg, const struct redis_value *v)
{
	struct lane_state *l = arg;
	char why[TEXT_MAX];

	if (!v)
		return;
	if (v->kind == REDIS_FAILURE) {
		snprintf(why, sizeof(why), "ROLE: %s", v->text);
		lane_failed(l, why);
	} else if (v->kind != REDIS_ARRAY || v->n == 0 || !v->items[0]->text) {
		lane_failed(l, "ROLE: an answer that nobody understands");
	} else if (!redis_value_is(v->items[0], "master")) {
		snprintf(why, sizeof(why), "is no primary (its role is %.32s)", v->items[0]->text);
		lane_failed(l, why);
	} else if (!l->is_ready) {
		lane_ready(l);
	}
}

static void ask_role(struct lane_state *l)
{
	const struct redis_text role = REDIS_WORD("ROLE");

	if (redis_send(l->redis, &role, 1, on_role, l))
		lane_failed(l, "no memory");
}

static void on_auth(void *arg, const struct redis_value *v)
{
	struct lane_state *l = arg;
	char why[TEXT_MAX];

	if (!v)
		return;
	if (v->kind == REDIS_FAILURE) {
		snprintf(why, sizeof(why), "refuses %s%s%s (sync.user, sync.password_file): %s",
			*l->primary->user ? "user \"" : "the default user", l->primary->user,
			*l->primary->user ? "\"" : "", v->text);
		lane_failed(l, why);
	} else {
		ask_role(l);
	}
}

/* The first line of the file. Length, or -errno. */
static int read_password(const char *path, char password[PASSWORD_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, password, PASSWORD_MAX);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n == PASSWORD_MAX)
		return -EFBIG;
	for (ssize_t i = 0; i < n; i++) {
		if (password[i] == '\n' || password[i] == '\r')
			n = i;
	}
	return n == 0 ? -ENODATA : (int)n;
}

static int log_in(struct lane_state *l)
{
	struct primary *p = l->primary;
	char *password = secret_alloc(PASSWORD_MAX);
	int n = password ? read_password(p->password_file, password) : -ENOMEM, err = n;

	if (n > 0) {
		const struct redis_text words[] = {
			REDIS_WORD("AUTH"), REDIS_WORD(p->user), {password, (size_t)n}};
		const struct redis_text plain[] = {words[0], words[2]};

		err = *p->user ? redis_send(l->redis, words, 3, on_auth, l)
			       : redis_send(l->redis, plain, 2, on_auth, l);
	}
	secret_free(password, PASSWORD_MAX);
	return err;
}

static void on_opened(void *arg)
{
	struct lane_state *l = arg;
	char why[TEXT_MAX];
	int err;

	if (!*l->primary->password_file) {
		ask_role(l);
		return;
	}
	err = log_in(l);
	if (err) {
		snprintf(why, sizeof(why), "password file %.200s: %s", l->primary->password_file,
			strerror(-err));
		lane_failed(l, why);
	}
}

static void on_published(void *arg, const struct redis_value *message)
{
	struct lane_state *l = arg;

	l->primary->owner.published(l->primary->owner.arg, message);
}

static void open_lane(struct primary *p, enum lane lane)
{
	struct lane_state *l = &p->lanes[lane];
	const struct redis_owner owner = {l, on_opened, on_ended, on_published};

	l->redis = redis_open(p->base, &p->address, &limits, &owner);
	if (!l->redis)
		lane_failed(l, strerror(errno));
}

static void on_subscribed(void *arg, const struct redis_value *v)
{
	struct lane_state *l = arg;
	char why[TEXT_MAX];

	if (!v || v->kind != REDIS_FAILURE)
		return;
	snprintf(why, sizeof(why), "SUBSCRIBE: %s", v->text);
	note_error(l->primary, l->primary->address.text, why);
	close_lane(l);
}

static void lane_ready(struct lane_state *l)
{
	struct primary *p = l->primary;

	l->is_ready = true;
	if (l->lane == LANE_CHANNEL) {
		if (redis_subscribe(l->redis, p->channel, on_subscribed, l))
			close_lane(l);
		return;
	}
	backoff_reset(&p->backoff);
	p->status.reconnects += p->connections++ > 0;
	memcpy(p->status.address, p->address.text, sizeof(p->status.address));
	p->status.error[0] = p->logged[0] = '\0';
	log_event(LOG_INFO, "Redis primary reached", F_TEXT("address", p->address.text));
	p->owner.ready(p->owner.arg);
	if (p->lanes[LANE_COMMANDS].is_ready && !p->lanes[LANE_CHANNEL].redis)
		open_lane(p, LANE_CHANNEL);
}

static void try_next(struct primary *p)
{
	if (p->next >= p->n_candidates) {
		wait_and_retry(p);
		return;
	}
	p->address = p->candidates[p->next++].address;
	open_lane(p, LANE_COMMANDS);
}

static void start_round(struct primary *p)
{
	event_del(p->retry);
	p->n_candidates = sentinels_candidates(p->sentinels, p->candidates);
	p->next = 0;
	try_next(p);
}

static void on_retry(evutil_socket_t sock, short events, void *arg)
{
	struct primary *p = arg;

	(void)sock;
	(void)events;
	if (!sentinels_answering(p->sentinels) && *sentinels_error(p->sentinels))
		note_error(p, "", sentinels_error(p->sentinels));
	start_round(p);
	if (!p->lanes[LANE_COMMANDS].redis)
		sentinels_ask(p->sentinels);
}

static void on_named(void *arg)
{
	struct primary *p = arg;
	struct sentinels_candidate c[SENTINELS_MAX];
	unsigned int n;

	if (!p->lanes[LANE_COMMANDS].redis) {
		start_round(p);
		return;
	}
	n = sentinels_candidates(p->sentinels, c);
	for (unsigned int i = 0; p->lanes[LANE_COMMANDS].is_ready && i < n; i++) {
		/* one voice does not outweigh what works; most of them do */
		if (c[i].votes == c[0].votes && strcmp(c[i].address.text, p->address.text) == 0)
			return;
	}
	if (p->lanes[LANE_COMMANDS].is_ready && n && c[0].votes > 0) {
		backoff_reset(&p->backoff);
		fail(p, "the Sentinels name another primary");
	}
}

static void on_tick(evutil_socket_t sock, short events, void *arg)
{
	const struct redis_text ping = REDIS_WORD("PING");
	struct primary *p = arg;
	struct lane_state *channel = &p->lanes[LANE_CHANNEL];

	(void)sock;
	(void)events;
	if (!p->lanes[LANE_COMMANDS].is_ready)
		return;
	if (!channel->redis)
		open_lane(p, LANE_CHANNEL);
	else if (channel->is_ready && redis_send(channel->redis, &ping, 1, NULL, NULL))
		close_lane(channel);
	ask_role(&p->lanes[LANE_COMMANDS]);
}

struct primary *primary_new(struct event_base *base, const struct primary_settings *settings,
	const struct primary_owner *owner)
{
	static const struct timeval tick = {TICK_MS / 1000, 0};
	struct primary *p = calloc(1, sizeof(*p));
	const struct sentinels_owner named = {p, on_named};
	int err = ENOMEM;

	if (!p)
		return NULL;
	p->base = base;
	p->owner = *owner;
	p->backoff = (struct backoff){RETRY_MIN_MS, RETRY_MAX_MS, 0};
	p->user = strdup(settings->user);
	p->password_file = strdup(settings->password_file);
	p->channel = strdup(settings->channel);
	p->retry = evtimer_new(base, on_retry, p);
	p->tick = event_new(base, -1, EV_PERSIST, on_tick, p);
	for (unsigned int i = 0; i < LANES; i++)
		p->lanes[i] = (struct lane_state){.primary = p, .lane = i};
	if (p->user && p->password_file && p->channel && p->retry && p->tick &&
		event_add(p->tick, &tick) == 0) {
		errno = ENOMEM;
		p->sentinels = sentinels_new(
			base, settings->sentinels, settings->n_sentinels, settings->name, &named);
		err = errno;
	}
	if (!p->sentinels) {
		primary_free(p);
		errno = err;
		return NULL;
	}
	wait_and_retry(p);
	return p;
}

void primary_free(struct primary *p)
{
	if (!p)
		return;
	for (unsigned int i = 0; i < LANES; i++)
		close_lane(&p->lanes[i]);
	sentinels_free(p->sentinels);
	if (p->retry)
		event_free(p->retry);
	if (p->tick)
		event_free(p->tick);
	free(p->user);
	free(p->password_file);
	free(p->channel);
	free(p);
}

bool primary_is_ready(const struct primary *p)
{
	return p->lanes[LANE_COMMANDS].is_ready;
}

int primary_send(
	struct primary *p, const struct redis_text *words, size_t n, redis_reply_fn fn, void *arg)
{
	if (!primary_is_ready(p))
		return -ENOTCONN;
	return redis_send(p->lanes[LANE_COMMANDS].redis, words, n, fn, arg);
}

const struct primary_status *primary_status(struct primary *p)
{
	p->status.sentinels = sentinels_answering(p->sentinels);
	return &p->status;
}
