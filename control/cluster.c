/* SPDX-License-Identifier: BSD-3-Clause */
/* The event loop's side of control/replica.h: timers, the bus, the state file, the log. */
#include "control/cluster.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/clock.h"
#include "control/cluster_private.h"
#include "control/log.h"

enum {
	TICKS_PER_HEARTBEAT = 4,
	TICK_MIN_MS = 10,
	TICK_MAX_MS = 100,
	SAYS_GAP_MS = 20,	 /* between heartbeats that say something new */
	CONTACT_MS = 60000,	 /* between notes that the bus works */
	COUNTER_AHEAD = 1 << 20, /* counters that are reserved in the state file at once */
};

static int64_t wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts); /* cannot fail */
	return clock_from_unix(ts.tv_sec) * 1000 + ts.tv_nsec / 1000000;
}

static void note_members(struct cluster *c)
{
	const struct membership *m = &c->replica.membership;
	struct cluster_state *s = &c->state;

	s->has_members = true;
	s->n_members = 0;
	for (unsigned int i = 0; i < m->n; i++) {
		struct cluster_state_member *member = &s->members[s->n_members];

		if (m->members[i].is_self)
			continue;
		*member = (struct cluster_state_member){
			.origin = m->members[i].origin, .counter = m->members[i].counter};
		memcpy(member->name, m->members[i].beat.name, sizeof(member->name));
		s->n_members++;
	}
}

static void save(struct cluster *c)
{
	struct cluster_state *s = &c->state;
	int err;

	if (!c->state_path || !c->bus.put)
		return; /* a node alone has nothing to remember */
	note_members(c);
	s->n_claims = 0;
	for (unsigned int i = 0; i < c->replica.holdings.n; i++) {
		const struct holding *h = &c->replica.holdings.holding[i];
		struct heartbeat_claim *claim = &s->claims[s->n_claims];

		if (h->state != HOLDING_CLAIMED)
			continue;
		*claim = (struct heartbeat_claim){.family = h->address.family, .number = h->number};
		memcpy(claim->octets, h->address.octets, sizeof(claim->octets));
		s->n_claims++;
	}
	s->is_drained_by_operator = c->replica.asked & DRAIN_OPERATOR;
	err = cluster_state_save(c->state_path, s);
	if (err && err != c->save_error)
		log_event(LOG_ERROR, "state of the replica set cannot be stored",
			F_TEXT("file", c->state_path), F_TEXT("error", strerror(-err)));
	c->save_error = err;
}

/* Grows with every heartbeat, also when the clock goes back: what was reserved is used up first. */
static uint64_t next_counter(struct cluster *c)
{
	uint64_t now = (uint64_t)wall_ms();

	c->counter = c->counter + 1 > now ? c->counter + 1 : now;
	if (c->counter > c->state.counter) {
		c->state.counter = c->counter + COUNTER_AHEAD;
		save(c);
	}
	return c->counter;
}

static void send_heartbeat(struct cluster *c, uint64_t now_ms)
{
	struct cluster_member *self = membership_self(&c->replica.membership);
	size_t len;
	int err;

	self->beat.time_ms = wall_ms();
	len = heartbeat_encode(&self->beat, c->buffer, HEARTBEAT_OCTETS_MAX);
	self->counter = next_counter(c);
	err = len ? c->bus.put(c->bus.bus, BUS_NODES, self->counter, c->buffer, len) : -EINVAL;
	if (err && err != c->send_error)
		log_event(LOG_ERROR, "heartbeat cannot be made", F_TEXT("error", strerror(-err)));
	c->send_error = err;
	c->sent_ms = now_ms;
	c->must_say = false;
}

static void fill(const struct cluster *c, struct heartbeat *h)
{
	memset(h, 0, sizeof(*h));
	snprintf(h->name, sizeof(h->name), "%s", c->name);
	c->owner.fill(c->owner.arg, h);
	snprintf(h->version, sizeof(h->version), "%s", c->program_version);
	h->roles = c->roles;
}

static void note_status(struct cluster *c, uint64_t now_ms)
{
	const struct replica *r = &c->replica;
	const struct heartbeat *beat = &membership_self(&r->membership)->beat;

	c->status = (struct cluster_status){.is_alone = r->is_alone,
		.is_healthy = r->membership.is_healthy,
		.is_caught_up = r->is_caught_up,
		.is_in_sync = beat->is_in_sync,
		.is_behind = r->is_behind,
		.is_disputed = membership_clock(&r->membership) == CLOCKS_DISPUTED,
		.drain_reasons = beat->drain_reasons,
		.alone_ms = replica_alone_ms(r, now_ms),
		.moves = r->moves};
}

static void step(struct cluster *c)
{
	uint64_t now_ms = clock_mono_ms();
	int change;

	fill(c, &c->said);
	change = replica_step(
		&c->replica, &c->said, c->bus.put ? c->bus.status(c->bus.bus) : NULL, now_ms);
	note_status(c, now_ms);
	cluster_log(c);
	if (c->replica.membership.is_healthy)
		c->state.contact_ms = wall_ms();
	if ((change & (REPLICA_ADDRESSES | REPLICA_MEMBERS)) || c->must_save ||
		(c->replica.membership.is_healthy && now_ms - c->saved_ms >= CONTACT_MS)) {
		c->saved_ms = now_ms;
		c->must_save = false;
		save(c);
	}
	c->must_say |= change & REPLICA_SAYS;
	if (c->bus.put && (now_ms - c->sent_ms >= c->heartbeat_ms ||
				  (c->must_say && now_ms - c->sent_ms >= SAYS_GAP_MS)))
		send_heartbeat(c, now_ms);
	c->has_changed |= change & ~REPLICA_SAYS;
	if (c->has_changed) {
		c->has_changed = false;
		c->owner.changed(c->owner.arg);
	}
}

static void on_tick(evutil_socket_t sock, short events, void *arg)
{
	(void)sock;
	(void)events;
	step(arg);
}

void cluster_wake(struct cluster *c)
{
	event_active(c->ev_wake, 0, 0);
}

static int set_tick(struct cluster *c)
{
	uint64_t ms = c->heartbeat_ms / TICKS_PER_HEARTBEAT;
	struct timeval tick = {0, 0};

	ms = ms < TICK_MIN_MS ? TICK_MIN_MS : ms > TICK_MAX_MS ? TICK_MAX_MS : ms;
	tick.tv_usec = (suseconds_t)(ms * 1000);
	return event_add(c->ev_tick, &tick);
}

static void load_state(struct cluster *c)
{
	int err = c->state_path ? cluster_state_load(c->state_path, &c->state) : 0;

	if (err && err != -ENOENT)
		log_event(LOG_WARNING,
			"state of the replica set cannot be read; starting without addresses",
			F_TEXT("file", c->state_path), F_TEXT("error", strerror(-err)));
	c->counter = c->state.counter;
}

static struct replica_settings replica_settings_of(const struct cluster_settings *s)
{
	return (struct replica_settings){
		.membership = {.heartbeat_ms = s->heartbeat_ms,
			.dead_after_ms = s->dead_after_ms,
			.max_clock_offset_ms = s->max_clock_offset_ms},
		.max_staleness_ms = s->max_staleness_ms,
		.lead_ms = s->lead_ms,
	};
}

static int init(struct cluster *c, struct event_base *base, const struct cluster_settings *s)
{
	struct replica_settings settings = replica_settings_of(s);

	snprintf(c->name, sizeof(c->name), "%s", s->name);
	snprintf(c->program_version, sizeof(c->program_version), "%s", s->version);
	c->roles = s->roles;
	c->heartbeat_ms = s->heartbeat_ms;
	c->state_path = s->state_path ? strdup(s->state_path) : NULL;
	c->buffer = malloc(HEARTBEAT_OCTETS_MAX);
	c->ev_tick = event_new(base, -1, EV_PERSIST, on_tick, c);
	c->ev_wake = event_new(base, -1, 0, on_tick, c);
	if (!c->buffer || !c->ev_tick || !c->ev_wake || (s->state_path && !c->state_path) ||
		set_tick(c) < 0)
		return -ENOMEM;
	return replica_init(&c->replica, s->origin, &settings, clock_mono_ms());
}

struct cluster *cluster_new(struct event_base *base, const struct cluster_settings *settings,
	const struct cluster_owner *owner, struct reason *why)
{
	struct cluster *c = calloc(1, sizeof(*c));

	if (!c || init(c, base, settings) < 0) {
		cluster_free(c);
		reason_set(why, -ENOMEM, "out of memory");
		return NULL;
	}
	c->owner = *owner;
	load_state(c);
	fill(c, &membership_self(&c->replica.membership)->beat);
	return c;
}

void cluster_free(struct cluster *c)
{
	if (!c)
		return;
	if (c->ev_tick)
		event_free(c->ev_tick);
	if (c->ev_wake)
		event_free(c->ev_wake);
	replica_clear(&c->replica);
	cluster_log_clear(c);
	free(c->buffer);
	free(c->state_path);
	free(c);
}

static void note_version(struct replica *r)
{
	r->version++;
	for (unsigned int i = 0; i < r->holdings.n; i++) {
		if (!r->holdings.holding[i].since)
			r->holdings.holding[i].since = r->version;
	}
}

static void remember(struct cluster *c, uint64_t origin, const char *name, uint64_t counter)
{
	int err = membership_remember(&c->replica.membership, origin, name, counter);

	if (err)
		log_event(LOG_ERROR, "member cannot be taken in", F_TEXT("node", name),
			F_TEXT("error", strerror(-err)));
}

bool cluster_remember(struct cluster *c, const uint64_t *origins, unsigned int n)
{
	char name[17];

	if (c->state.has_members)
		return false;
	for (unsigned int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%016" PRIx64, origins[i]);
		remember(c, origins[i], name, 0);
	}
	return true;
}

void cluster_attach(struct cluster *c, const struct cluster_bus *bus)
{
	struct replica *r = &c->replica;

	c->bus = *bus;
	r->is_alone = false;
	c->status.is_alone = false;
	/* what was held before the restart is held on until the others can be heard */
	r->holdings.n = 0;
	for (unsigned int i = 0; i < c->state.n_claims; i++) {
		struct holding *h = &r->holdings.holding[r->holdings.n++];

		*h = (struct holding){.state = HOLDING_CLAIMED,
			.number = c->state.claims[i].number,
			.address = {.family = c->state.claims[i].family}};
		memcpy(h->address.octets, c->state.claims[i].octets, sizeof(h->address.octets));
	}
	(void)holdings_expire(&r->holdings, r->addresses, r->n_addresses, clock_mono_ms());
	note_version(r);
	for (unsigned int i = 0; i < c->state.n_members; i++)
		remember(c, c->state.members[i].origin, c->state.members[i].name,
			c->state.members[i].counter);
	if (c->state.is_drained_by_operator)
		r->asked |= DRAIN_OPERATOR;
	if (c->state.contact_ms && wall_ms() > c->state.contact_ms)
		r->before_ms = (uint64_t)(wall_ms() - c->state.contact_ms);
}

void cluster_configure(struct cluster *c, const struct cluster_settings *settings,
	const struct ipc_address *addresses, unsigned int n)
{
	struct replica *r = &c->replica;

	r->settings = replica_settings_of(settings);
	r->membership.settings = r->settings.membership;
	c->roles = settings->roles;
	c->heartbeat_ms = settings->heartbeat_ms;
	if (set_tick(c) < 0)
		log_event(LOG_ERROR, "out of memory for a timer");
	replica_set_addresses(r, addresses, n);
	/* at once: the next snapshot is made before the next tick */
	if (holdings_expire(&r->holdings, addresses, n, clock_mono_ms()))
		note_version(r);
	if (!c->bus.put && holdings_take_all(&r->holdings, addresses, n))
		note_version(r);
	cluster_wake(c);
}

int cluster_record(
	struct cluster *c, uint64_t origin, uint64_t version, const void *plain, size_t len)
{
	int change = heartbeat_decode(&c->heard, plain, len);

	if (change < 0)
		return change;
	change =
		replica_record(&c->replica, origin, version, &c->heard, clock_mono_ms(), wall_ms());
	if (change < 0) {
		log_event(LOG_ERROR, "member cannot be taken in", F_TEXT("node", c->heard.name),
			F_TEXT("error", strerror(-change)));
		return 0;
	}
	if (change) {
		c->must_save |= change & (MEMBER_NEW | MEMBER_BACK | MEMBER_DIED);
		c->has_changed = true;
		cluster_wake(c);
	}
	return 0;
}

void cluster_keyring_read(struct cluster *c, uint64_t origin, uint64_t version)
{
	membership_keyring_read(&c->replica.membership, origin, version);
	cluster_wake(c);
}

void cluster_caught_up(struct cluster *c)
{
	replica_caught_up(&c->replica, clock_mono_ms());
	cluster_wake(c);
}

void cluster_acknowledged(struct cluster *c, uint64_t version)
{
	if (c->replica.acknowledged == version)
		return;
	c->replica.acknowledged = version;
	cluster_wake(c);
}

unsigned int cluster_addresses(
	const struct cluster *c, struct ipc_address *addresses, uint64_t *version)
{
	const struct holdings *h = &c->replica.holdings;

	for (unsigned int i = 0; i < h->n; i++) {
		addresses[i] = h->holding[i].address;
		addresses[i].lingers = h->holding[i].state == HOLDING_LINGERS;
	}
	*version = c->replica.version;
	return h->n;
}

bool cluster_is_in_sync(const struct cluster *c)
{
	return c->replica.is_alone || c->replica.is_in_sync;
}

void cluster_drain(struct cluster *c, enum heartbeat_drain reason)
{
	c->replica.asked |= reason;
	if (reason == DRAIN_OPERATOR)
		save(c);
	step(c);
}

void cluster_undrain(struct cluster *c, enum heartbeat_drain reason)
{
	c->replica.asked &= ~(uint32_t)reason;
	if (reason == DRAIN_OPERATOR)
		save(c);
	step(c);
}

enum cluster_progress cluster_progress(const struct cluster *c)
{
	return replica_progress(&c->replica);
}

bool cluster_may_end(const struct cluster *c)
{
	return replica_may_end(&c->replica);
}

int cluster_forget(struct cluster *c, uint64_t origin)
{
	int err = replica_forget(&c->replica, origin);

	if (err)
		return err;
	save(c);
	if (c->bus.put)
		c->bus.forget(c->bus.bus, origin);
	cluster_wake(c);
	return 0;
}

const struct cluster_member *cluster_members(const struct cluster *c, unsigned int *n)
{
	*n = c->replica.membership.n;
	return c->replica.membership.members;
}

const struct cluster_status *cluster_status(const struct cluster *c)
{
	return &c->status;
}
