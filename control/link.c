/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/crypto/secret.h"
#include "control/clock.h"
#include "control/link_private.h"
#include "control/log.h"

static void message_end(struct link_message *m, enum link_closing closing)
{
	if (closing == LINK_PEER_GONE)
		ipc_memfd_close(m->fd, m->map, m->len);
	else
		ipc_memfd_release(m->fd, m->map, m->len);
}

static void changed(struct link *l)
{
	l->owner.changed(l->owner.arg);
}

void link_disconnect(struct link *l, enum link_closing closing, const char *why)
{
	bool was_connected = l->status.is_connected;

	if (l->sock < 0)
		return;
	log_event(was_connected ? LOG_WARNING : LOG_INFO, "data plane disconnected",
		F_TEXT("reason", why), F_UINT("pid", l->status.hello.pid));
	event_free(l->ev_read);
	event_free(l->ev_write);
	close(l->sock);
	l->sock = -1;
	for (unsigned int i = 0; i < l->n_flight; i++)
		message_end(&l->flight[i], closing);
	l->n_flight = 0;
	l->status.is_connected = false;
	l->status.epoch_acknowledged = 0;
	l->status.snapshots_acknowledged = 0;
	l->status.addresses_acknowledged = 0;
	l->status.is_ending = false;
	l->status.is_silent = l->status.is_stuck = l->status.is_cut_off = false;
	link_reset_load(l);
	if (was_connected)
		changed(l);
}

static void retry_later(struct link *l)
{
	l->retry_ms = l->retry_ms ? l->retry_ms * 2 : LINK_RETRY_MIN_MS;
	if (l->retry_ms > LINK_RETRY_MAX_MS)
		l->retry_ms = LINK_RETRY_MAX_MS;
	l->retry_at_ms = clock_mono_ms() + l->retry_ms;
}

/* The next message by urgency. 1, 0, -errno. */
static int make(struct link *l, struct link_message *m)
{
	int got = link_make_snapshot(l, m);

	if (got == 0)
		got = link_make_full(l, m);
	if (got == 0)
		got = link_make_delta(l, m);
	return got;
}

static int transmit(struct link *l, struct link_message *m)
{
	m->header.magic = IPC_MAGIC;
	m->header.version = IPC_VERSION;
	m->header.seq = ++l->seq;
	return ipc_send(l->sock, &m->header, NULL, 0, m->fd);
}

/* What did not get out has to be made again: loads cannot go back, so they start again. */
static void take_back(struct link *l, const struct link_message *m)
{
	if (m->kind == LINK_SNAPSHOT)
		l->must_send_snapshot = true;
	else
		l->load = LOAD_WANTED;
}

/* Sends one message; comes again by itself for the next one, so that the loop stays responsive. */
static void pump(struct link *l)
{
	struct link_message *m = &l->flight[l->n_flight];
	int got;

	if (!l->status.is_connected || l->n_flight == LINK_WINDOW ||
		clock_mono_ms() < l->retry_at_ms)
		return;
	got = make(l, m);
	if (got < 0) {
		l->load = LOAD_WANTED; /* what was read so far is lost */
		retry_later(l);
	}
	if (got <= 0)
		return;
	if (m->kind == LINK_SNAPSHOT)
		l->must_send_snapshot = false;
	got = transmit(l, m);
	if (got == 0) {
		l->n_flight++;
		event_active(l->ev_pump, 0, 0);
		return;
	}
	message_end(m, LINK_PEER_GONE);
	take_back(l, m);
	if (got == -EAGAIN)
		event_add(l->ev_write, NULL);
	else
		link_disconnect(l, LINK_PEER_LIVES, strerror(-got));
}

/*
 * A single record that the data plane refuses does not stop a full load: the rest is in force, and
 * sending all again would not change that (true). Everything else is tried again: a delta that
 * failed as a full load, which depends on no earlier state.
 */
static bool tolerated(struct link *l, const struct link_message *m, uint32_t status)
{
	static const char *const names[] = {"snapshot", "subscribers", "change of subscribers"};

	log_event(LOG_ERROR, "data plane refused a message", F_TEXT("message", names[m->kind]),
		F_TEXT("error", strerror((int)status)), F_UINT("epoch", m->header.epoch));
	if (m->kind == LINK_FULL && (status == EEXIST || status == EINVAL))
		return true;
	take_back(l, m);
	retry_later(l);
	return false;
}

static void acknowledged(struct link *l, const struct link_message *m)
{
	if (m->header.flags & IPC_LOAD_LAST || m->kind != LINK_FULL)
		l->retry_ms = 0;
	if (m->kind == LINK_SNAPSHOT) {
		l->status.snapshots_acknowledged++;
		if (m->header.epoch > l->status.epoch_acknowledged)
			l->status.epoch_acknowledged = m->header.epoch;
		l->status.addresses_acknowledged = m->version;
		log_event(LOG_INFO, "data plane serves the keyring",
			F_UINT("epoch", m->header.epoch));
	} else if (m->kind == LINK_DELTA || (m->header.flags & IPC_LOAD_LAST)) {
		l->status.version_acknowledged = m->version;
		l->status.is_loaded = true;
		log_event(m->kind == LINK_FULL ? LOG_INFO : LOG_DEBUG,
			"data plane serves the subscribers", F_UINT("version", m->version),
			F_UINT("subscribers", store_count(l->store)));
	}
}

static int on_ack(struct link *l, const struct ipc_header *h)
{
	struct link_message m;

	/* acknowledgements come in the order of the messages */
	if (l->n_flight == 0 || l->flight[0].header.seq != h->seq)
		return -EPROTO;
	m = l->flight[0];
	memmove(&l->flight[0], &l->flight[1], --l->n_flight * sizeof(l->flight[0]));
	message_end(&m, LINK_PEER_GONE);
	l->status.stats.epoch = h->epoch;
	if (!h->status || tolerated(l, &m, h->status)) {
		/* what was sent before the load has to begin again says nothing about the new one
		 */
		if (m.kind == LINK_SNAPSHOT || l->load != LOAD_WANTED)
			acknowledged(l, &m);
	}
	changed(l);
	return 0;
}

static int on_hello(struct link *l, const uint8_t *body, size_t len)
{
	struct link_status *s = &l->status;

	if (s->is_connected || ipc_hello_decode(&s->hello, body, len) < 0)
		return -EPROTO;
	s->is_connected = true;
	s->has_stats = false;
	memset(&s->stats, 0, sizeof(s->stats));
	s->stats.epoch = s->hello.epoch;
	s->stats.subscribers = s->hello.subscribers;
	log_event(LOG_INFO, "data plane connected", F_UINT("pid", s->hello.pid),
		F_TEXT("version", s->hello.version), F_UINT("workers", s->hello.workers),
		F_UINT("epoch", s->hello.epoch));
	l->must_send_snapshot = true;
	l->is_released = false;
	l->retry_at_ms = 0;
	l->retry_ms = 0;
	link_reset_load(l);
	changed(l);
	return 0;
}

static uint64_t counter(const struct ipc_stats *s, const char *name)
{
	for (unsigned int i = 0; i < s->n_counters; i++)
		if (strcmp(s->counters[i].name, name) == 0)
			return s->counters[i].value;
	return 0;
}

static int on_stats(struct link *l, const uint8_t *body, size_t len)
{
	struct link_status *s = &l->status;
	bool was_stuck = s->is_stuck, was_cut_off = s->is_cut_off;

	if (ipc_stats_decode(&s->stats, body, len) < 0)
		return -EBADMSG;
	s->has_stats = true;
	s->is_stuck = counter(&s->stats, IPC_WORKERS_STUCK) > 0;
	s->is_cut_off = counter(&s->stats, IPC_CUT_OFF) > 0;
	if (s->is_stuck != was_stuck)
		log_event(s->is_stuck ? LOG_ERROR : LOG_INFO,
			s->is_stuck ? "workers of the data plane stand still"
				    : "all workers of the data plane run again",
			F_UINT("workers", counter(&s->stats, IPC_WORKERS_STUCK)));
	if (s->is_cut_off != was_cut_off)
		log_event(s->is_cut_off ? LOG_ERROR : LOG_INFO,
			s->is_cut_off ? "no port of the data plane has a link"
				      : "the data plane has a link again");
	if (s->is_stuck != was_stuck || s->is_cut_off != was_cut_off)
		changed(l);
	return 0;
}

static void set_silent(struct link *l, bool is_silent)
{
	if (l->status.is_silent == is_silent)
		return;
	l->status.is_silent = is_silent;
	log_event(is_silent ? LOG_ERROR : LOG_INFO,
		is_silent ? "data plane is silent" : "data plane is heard again",
		F_UINT("pid", l->status.hello.pid));
	changed(l);
}

static int on_message(
	struct link *l, const struct ipc_header *h, const uint8_t *body, size_t len, int fd)
{
	l->heard_ms = clock_mono_ms();
	set_silent(l, false);
	if (fd >= 0) {
		close(fd); /* a data plane has nothing to send that needs one */
		return -EPROTO;
	}
	if (h->type == IPC_HELLO)
		return on_hello(l, body, len);
	if (!l->status.is_connected)
		return -EPROTO;
	switch (h->type) {
	case IPC_ACK:
		return on_ack(l, h);
	case IPC_STATS:
		return on_stats(l, body, len);
	case IPC_DRAIN:
		log_event(LOG_INFO, "data plane is to end");
		l->status.is_ending = true;
		changed(l);
		return 0;
	default:
		return 0; /* a newer data plane may say more than we know */
	}
}

void link_on_readable(evutil_socket_t sock, short events, void *arg)
{
	uint8_t body[65536];
	struct link *l = arg;
	struct ipc_header h;
	int fd, n;

	(void)events;
	n = ipc_receive(sock, &h, body, sizeof(body), &fd);
	if (n == -EAGAIN)
		return;
	if (n == -ECONNRESET) {
		link_disconnect(l, LINK_PEER_GONE, "closed");
		return;
	}
	if (n >= 0)
		n = on_message(l, &h, body, (size_t)n, fd);
	if (n < 0)
		link_disconnect(l, LINK_PEER_LIVES,
			n == -EPROTONOSUPPORT ? "another version of the protocol" : strerror(-n));
	else
		pump(l);
}

void link_on_pump(evutil_socket_t sock, short events, void *arg)
{
	(void)sock;
	(void)events;
	pump(arg);
}

/* What lies unread was said in time: it is us who were late. */
static bool is_unheard(const struct link *l)
{
	char probe;

	return recv(l->sock, &probe, 1, MSG_PEEK | MSG_DONTWAIT) < 0;
}

static void on_timer(evutil_socket_t sock, short events, void *arg)
{
	struct link *l = arg;
	uint64_t now = clock_mono_ms();

	(void)sock;
	(void)events;
	if (l->sock >= 0 && !l->status.is_connected && now - l->connected_ms > LINK_HELLO_MS)
		link_disconnect(l, LINK_PEER_LIVES, "no HELLO");
	else if (l->sock >= 0 && l->n_flight && now - l->heard_ms > LINK_SILENCE_MS)
		link_disconnect(l, LINK_PEER_LIVES, "no acknowledgement");
	else if (l->status.is_connected && now - l->heard_ms > LINK_SILENT_MS && is_unheard(l))
		set_silent(l, true);
	pump(l);
}

struct link *link_new(struct event_base *base, struct store *store, const struct link_owner *owner)
{
	static const struct timeval look = {0, LINK_LOOK_MS * 1000};
	struct link *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->base = base;
	l->store = store;
	l->owner = *owner;
	l->listener = l->sock = -1;
	l->buffer = secret_alloc(LINK_CHUNK);
	l->record = store_record_new();
	l->ev_pump = event_new(base, -1, 0, link_on_pump, l);
	l->ev_timer = event_new(base, -1, EV_PERSIST, on_timer, l);
	if (!l->buffer || !l->record || !l->ev_pump || !l->ev_timer ||
		event_add(l->ev_timer, &look) < 0) {
		link_free(l);
		errno = ENOMEM;
		return NULL;
	}
	link_reset_load(l);
	return l;
}

static void free_event(struct event *e)
{
	if (e)
		event_free(e);
}

static void nobody(void *arg)
{
	(void)arg;
}

void link_free(struct link *l)
{
	if (!l)
		return;
	l->owner.changed = nobody;
	link_disconnect(l, LINK_PEER_LIVES, "we end");
	free_event(l->ev_accept);
	free_event(l->ev_pump);
	free_event(l->ev_timer);
	if (l->listener >= 0)
		close(l->listener);
	if (l->path)
		unlink(l->path);
	free(l->path);
	secret_free(l->buffer, LINK_CHUNK);
	store_record_free(l->record);
	free(l);
}

void link_say_contact(struct link *l, uint32_t valid_ms)
{
	struct ipc_header h = {.magic = IPC_MAGIC,
		.version = IPC_VERSION,
		.type = IPC_CONTACT,
		.status = valid_ms};
	int err;

	if (!l->status.is_connected)
		return;
	h.seq = ++l->seq;
	err = ipc_send(l->sock, &h, NULL, 0, -1);
	if (err && err != -EAGAIN)
		link_disconnect(l, LINK_PEER_LIVES, strerror(-err));
}

void link_push_snapshot(struct link *l)
{
	l->must_send_snapshot = true;
	event_active(l->ev_pump, 0, 0);
}

void link_push_subscribers(struct link *l)
{
	event_active(l->ev_pump, 0, 0);
}

void link_release(struct link *l)
{
	struct link_message m = {.fd = -1, .header = {.type = IPC_DRAIN}};

	if (!l->status.is_connected || !l->status.is_ending || l->is_released)
		return;
	/* full: the next call tries again */
	l->is_released = transmit(l, &m) == 0;
}

const struct link_status *link_status(const struct link *l)
{
	return &l->status;
}

bool link_is_serving(const struct link *l)
{
	const struct link_status *s = &l->status;

	return s->is_connected && s->is_loaded && s->snapshots_acknowledged && !s->is_ending &&
	       !s->is_silent && !s->is_stuck && !s->is_cut_off;
}
