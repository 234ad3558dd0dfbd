/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/dataplane.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/log.h"
#include "dataplane/net/mld.h"
#include "dataplane/preflight.h"

enum { CUT_OFF_TICKS = 2 }; /* more than a second: no flap */
enum { REPORT_MS = 1000, END_PATIENCE_MS = 8000, END_LOOK_MS = 100 };

static uint64_t monotonic_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail */
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Addresses are in service from the moment that messages to them can be answered. */
static void announce(struct dataplane *d)
{
	const struct net_addresses *now;
	const struct net_vlans *vlans;
	bool again;

	if (!d->shared.snapshot || !d->shared.subscribers)
		return;
	now = &d->shared.snapshot->addresses;
	vlans = &d->shared.snapshot->vlans;
	/* A new version of the same addresses: somebody else may have answered for them. */
	again = d->incoming.addresses_version != d->addresses_version ||
		memcmp(vlans, &d->vlans, sizeof(*vlans)) != 0;
	d->addresses_version = d->incoming.addresses_version;
	announcer_update(&d->announcer, again ? NULL : &d->announced, now);
	d->announced = *now;
	d->vlans = *vlans;
	announcer_tick(&d->announcer, &d->vlans, d->workers[0]);
}

static int on_snapshot(void *arg, const uint8_t *buf, size_t len)
{
	struct dataplane *d = arg;
	struct snapshot *s = NULL;
	const char *why = "not decodable";
	int err = ipc_snapshot_decode(&d->incoming, buf, len);

	if (!err)
		err = snapshot_build(&s, d->crypto, &d->incoming, &why);
	crypto_wipe_scratch(d->crypto);
	if (err) {
		log_line(LOG_ERROR, "snapshot refused; the one before stays",
			"reason=\"%s\" error=\"%s\"", why, strerror(-err));
		return err;
	}
	stats_assign_keys(&d->stats, d->workers, d->n_workers, &s->keyring);
	snapshot_publish(&d->shared, s);
	if (d->is_new_control)
		d->contact_until_ms = 0; /* a single node has no contact to lose */
	d->is_new_control = false;
	log_line(LOG_INFO, "snapshot in service", "epoch=%lu keys=%u active=%s addresses=%u",
		(unsigned long)s->epoch, s->keyring.n_keys, s->keyring.active >= 0 ? "yes" : "no",
		s->addresses.n4 + s->addresses.n6);
	/* Asking the kernel takes longer than all the rest: not for a new key. */
	if (memcmp(&s->addresses, &d->checked, sizeof(d->checked)) != 0) {
		preflight_addresses(&s->addresses);
		d->checked = s->addresses;
	}
	announce(d);
	return 0;
}

static int on_subscribers(void *arg, const uint8_t *buf, size_t len, uint32_t flags)
{
	struct dataplane *d = arg;
	int err = load_part(&d->load, buf, len, flags);

	crypto_wipe_scratch(d->crypto);
	if (err)
		log_line(LOG_ERROR, "subscribers were refused", "octets=%zu error=\"%s\"", len,
			strerror(-err));
	if (flags & IPC_LOAD_LAST)
		announce(d);
	return err;
}

static void on_hello(void *arg, struct ipc_hello *hello)
{
	struct dataplane *d = arg;

	*hello = (struct ipc_hello){
		.pid = (uint32_t)getpid(),
		.workers = d->n_workers,
		.epoch = d->shared.snapshot ? d->shared.snapshot->epoch : 0,
		.subscribers =
			d->shared.subscribers ? subscriber_table_count(d->shared.subscribers) : 0,
	};
	snprintf(hello->version, sizeof(hello->version), "%s", TKMS_VERSION);
}

static void on_contact(void *arg, uint32_t valid_ms)
{
	struct dataplane *d = arg;

	d->contact_until_ms = monotonic_ms() + valid_ms;
	snapshot_set_contact(&d->shared, true);
}

/* Control is gone or hangs: others may seal with keys by now that we have not been given. */
static void watch_contact(struct dataplane *d, uint64_t now_ms)
{
	if (d->contact_until_ms && now_ms >= d->contact_until_ms)
		snapshot_set_contact(&d->shared, false);
}

static void on_lost(void *arg)
{
	struct dataplane *d = arg;

	d->is_new_control = true;
	load_abort(&d->load);
}

static void on_released(void *arg)
{
	struct dataplane *d = arg;

	d->is_released = true;
}

/* Neighbours behind a link that was down have not heard of us. */
static void watch_links(struct dataplane *d)
{
	bool came_up = false, any_up = false;

	for (unsigned int i = 0; i < d->n_ports; i++) {
		bool up = port_link_is_up(&d->ports[i]);

		if (up != d->link_up[i])
			log_line(LOG_WARNING, "link changed", "port=%s link=%s", d->ports[i].name,
				up ? "up" : "down");
		came_up |= up && !d->link_up[i];
		d->link_up[i] = up;
		any_up |= up;
	}
	d->ticks_cut_off = any_up ? 0 : d->ticks_cut_off + 1;
	d->stats.is_cut_off = d->ticks_cut_off >= CUT_OFF_TICKS;
	if (came_up)
		announcer_update(&d->announcer, NULL, &d->announced);
}

static void tick(struct dataplane *d, uint64_t now_ms)
{
	watch_links(d);
	stats_collect(&d->stats, d->workers, d->n_workers, &d->shared);
	link_report(&d->link, &d->stats.report, now_ms);
	announcer_tick(&d->announcer, &d->vlans, d->workers[0]);
	if (++d->ticks % (NET_MLD_INTERVAL_S * 1000 / REPORT_MS) == 0)
		announcer_refresh(&d->announced, &d->vlans, d->workers[0]);
}

static int stop_signal(struct dataplane *d, int signal_fd, uint64_t now_ms)
{
	struct signalfd_siginfo info;

	if (read(signal_fd, &info, sizeof(info)) != sizeof(info))
		return -EIO;
	log_line(LOG_INFO, "stopping", "signal=%s", sigabbrev_np((int)info.ssi_signo));
	/* the second one is meant */
	if (d->end_by_ms || link_ask_to_end(&d->link) < 0)
		d->is_released = true;
	d->end_by_ms = now_ms + END_PATIENCE_MS;
	return 0;
}

/* Until the addresses are elsewhere it serves on; without control nobody moves them. */
static bool may_end(const struct dataplane *d, uint64_t now_ms)
{
	return d->end_by_ms && (d->is_released || d->link.sock < 0 || now_ms >= d->end_by_ms);
}

static int earlier(int a, int b)
{
	return a >= 0 && a < b ? a : b;
}

static int serve_loop(struct dataplane *d, int signal_fd)
{
	uint64_t next_report = monotonic_ms() + REPORT_MS;

	for (;;) {
		struct pollfd fds[2] = {{.fd = signal_fd, .events = POLLIN}};
		uint64_t now = monotonic_ms();
		int wait;

		if (now >= next_report) {
			tick(d, now);
			next_report = now + REPORT_MS;
		}
		watch_contact(d, now);
		if (may_end(d, now))
			return 0;
		if (link_is_superfluous(&d->link, now)) {
			log_line(LOG_ERROR, "ending: tkms-control serves another data plane",
				"socket=%s", d->options->socket);
			return -EBUSY;
		}
		wait = earlier(link_connect(&d->link, now), (int)(next_report - now));
		if (d->end_by_ms)
			wait = earlier(END_LOOK_MS, wait);
		if (d->contact_until_ms > now)
			wait = earlier((int)(d->contact_until_ms - now), wait);
		fds[1] = (struct pollfd){.fd = d->link.sock, .events = POLLIN};
		if (poll(fds, 2, wait) < 0 && errno != EINTR)
			return -errno;
		if (fds[0].revents) {
			int err = stop_signal(d, signal_fd, now);

			if (err)
				return err;
		}
		if (fds[1].revents)
			link_receive(&d->link, monotonic_ms());
	}
}

int dataplane_serve(struct dataplane *d, int signal_fd)
{
	int err;

	d->handlers = (struct link_handlers){.arg = d,
		.snapshot = on_snapshot,
		.subscribers = on_subscribers,
		.hello = on_hello,
		.contact = on_contact,
		.lost = on_lost,
		.released = on_released};
	d->load = (struct load){.shared = &d->shared, .crypto = d->crypto};
	link_init(&d->link, d->options->socket, &d->handlers);
	log_line(LOG_INFO, "serving", "workers=%u ports=%u socket=%s hugepages=%s version=%s",
		d->n_workers, d->n_ports, d->options->socket, d->args.hugepages ? "yes" : "no",
		TKMS_VERSION);
	err = serve_loop(d, signal_fd);
	if (err)
		log_line(LOG_ERROR, "main thread cannot go on", "error=\"%s\"", strerror(-err));
	link_close(&d->link);
	return err;
}
