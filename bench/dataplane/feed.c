/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/dataplane/feed.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench/clock.h"
#include "common/ipc/ipc.h"

enum { SUBSCRIBERS_PER_PART = 20000, PREFIX_LEN = 15, KEY_ID_ROOM = 32 };

int feed_open(struct feed *f, const struct workload *w, const char *path, const uint8_t address[4],
	uint16_t port)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int err;

	*f = (struct feed){.workload = w, .listener = -1, .sock = -1, .port = port};
	memcpy(f->address, address, sizeof(f->address));
	if (strlen(path) >= sizeof(name.sun_path))
		return -ENAMETOOLONG;
	memcpy(name.sun_path, path, strlen(path) + 1);
	f->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (f->listener >= 0 && bind(f->listener, (struct sockaddr *)&name, sizeof(name)) == 0 &&
		listen(f->listener, 1) == 0)
		return 0;
	err = errno;
	feed_close(f);
	return -err;
}

void feed_close(struct feed *f)
{
	if (f->sock >= 0)
		close(f->sock);
	if (f->listener >= 0)
		close(f->listener);
	f->sock = f->listener = -1;
}

static int wait_readable(int fd, uint64_t deadline)
{
	uint64_t now = clock_mono();
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int r = poll(&p, 1, now < deadline ? (int)((deadline - now) / 1000000) + 1 : 0);

	return r > 0 ? 0 : r == 0 ? -ETIMEDOUT : -errno;
}

/* The next message of that type; others are passed over. */
static int await(struct feed *f, enum ipc_type type, struct ipc_header *h, uint64_t deadline)
{
	uint8_t body[65536];

	for (;;) {
		int fd = -1, r = wait_readable(f->sock, deadline);

		if (r == 0)
			r = ipc_receive(f->sock, h, body, sizeof(body), &fd);
		if (fd >= 0)
			close(fd);
		if (r < 0 && r != -EAGAIN)
			return r;
		if (r >= 0 && h->type == type)
			return 0;
	}
}

static int send_memfd(struct feed *f, enum ipc_type type, int fd, size_t len, uint32_t flags)
{
	struct ipc_header h = {
		.magic = IPC_MAGIC,
		.version = IPC_VERSION,
		.type = (uint16_t)type,
		.seq = ++f->seq,
		.epoch = f->epoch,
		.flags = flags,
		.length = (uint32_t)len,
	};

	return ipc_send(f->sock, &h, NULL, 0, fd);
}

static void fill_policy(struct ipc_snapshot *s, const struct policy *p)
{
	s->kms_identity = p->kms_identity;
	s->profile = p->profile == POLICY_RFC6043;
	s->max_skew_s = p->max_skew_s;
	s->default_lifetime_s = p->default_lifetime_s;
	s->max_lifetime_s = p->max_lifetime_s;
	s->allow_groups = p->allow_groups;
	s->allow_reuse = p->allow_reuse;
	s->allow_mode3 = p->allow_mode3;
	s->allow_no_forking = p->allow_no_forking;
	s->in_sync = 1;
	s->roles = IPC_ROLES_ALL;
	s->max_message = p->max_message;
	s->max_idr_r = p->max_idr_r;
	s->max_wildcards = p->max_wildcards;
	s->max_identity = p->max_identity;
	s->max_keys = p->max_keys;
	s->n_types = p->n_types;
	for (unsigned int i = 0; i < p->n_types; i++)
		s->types[i] = (struct ipc_ticket_type){
			p->types[i].type, p->types[i].subtype, p->types[i].version};
}

/* The workload's key, which stays active in the first epoch, and after that the one key of the
 * epoch. */
static void fill_keys(struct ipc_snapshot *s, const struct feed *f, char *id, uint8_t key[32])
{
	const struct workload *w = f->workload;
	const struct sealing_key *own = &w->keyring.keys[0];

	s->n_keys = 1;
	s->keys[0] = (struct ipc_key){
		.id = {own->id, own->id_len},
		.key = {w->tpk, sizeof(w->tpk)},
		.seals_from = own->seals_from,
		.seals_until = own->seals_until,
		.resolves_until = own->resolves_until,
		.state = SEALING_ACTIVE,
	};
	if (f->epoch <= 1)
		return;
	s->keys[1] = s->keys[0];
	s->keys[0].state = SEALING_RETIRING;
	memcpy(key, w->tpk, 32);
	for (int i = 0; i < 8; i++)
		key[i] ^= (uint8_t)(f->epoch >> (8 * i));
	snprintf(id, KEY_ID_ROOM, KEYRING_ID_PREFIX "%016llx", (unsigned long long)f->epoch);
	s->keys[1].id = (struct identity){(const uint8_t *)id, (uint16_t)strlen(id)};
	s->keys[1].key = (struct identity){key, 32};
	s->n_keys = 2;
}

static int send_snapshot(struct feed *f)
{
	struct ipc_snapshot s = {.epoch = f->epoch};
	char id[KEY_ID_ROOM];
	uint8_t key[32];
	void *map;
	size_t len;
	int fd, r;

	fill_policy(&s, &f->workload->policy);
	fill_keys(&s, f, id, key);
	s.n_addresses = 1;
	s.addresses[0] =
		(struct ipc_address){.family = 4, .prefix_len = PREFIX_LEN, .port = f->port};
	memcpy(s.addresses[0].octets, f->address, sizeof(f->address));
	len = ipc_snapshot_encode(&s, NULL, 0);
	fd = len ? ipc_memfd_create("tkms-bench-snapshot", len, &map) : -EMSGSIZE;
	if (fd < 0)
		return fd;
	r = ipc_snapshot_encode(&s, map, len) == len ? send_memfd(f, IPC_SNAPSHOT, fd, len, 0)
						     : -EMSGSIZE;
	/* Not wiped: the receiver reads the same memory, and wipes it. */
	ipc_memfd_release(fd, map, len);
	return r;
}

static struct ipc_subscriber subscriber(const struct party *p)
{
	return (struct ipc_subscriber){
		.psk_id = p->psk_id,
		.psk = {p->psk, p->psk_len},
		.n_uids = 1,
		.uids = {p->uid},
	};
}

static int send_part(struct feed *f, size_t first, size_t n, uint32_t flags)
{
	const struct party *party = &f->workload->parties.party[first];
	size_t len = 0, at = 0;
	uint8_t *map;
	int fd, r;

	for (size_t i = 0; i < n; i++) {
		struct ipc_subscriber s = subscriber(&party[i]);

		len += ipc_subscriber_encode(&s, NULL, 0);
	}
	fd = ipc_memfd_create("tkms-bench-subscribers", len, (void **)&map);
	if (fd < 0)
		return fd;
	for (size_t i = 0; i < n; i++) {
		struct ipc_subscriber s = subscriber(&party[i]);

		at += ipc_subscriber_encode(&s, map + at, len - at);
	}
	r = at == len ? send_memfd(f, IPC_SUBSCRIBERS, fd, len, flags) : -EMSGSIZE;
	ipc_memfd_release(fd, map, len);
	return r;
}

static int acknowledged(struct feed *f, uint64_t deadline)
{
	struct ipc_header h;
	int r;

	do {
		r = await(f, IPC_ACK, &h, deadline);
	} while (r == 0 && h.seq != f->seq);
	return r < 0 ? r : -(int)h.status;
}

int feed_accept(struct feed *f, unsigned int timeout_ms)
{
	int r = wait_readable(f->listener, clock_mono() + (uint64_t)timeout_ms * 1000000);

	if (r < 0)
		return r;
	f->sock = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC);
	return f->sock < 0 ? -errno : 0;
}

int feed_serve(struct feed *f, unsigned int timeout_ms)
{
	uint64_t deadline = clock_mono() + (uint64_t)timeout_ms * 1000000;
	size_t n = f->workload->parties.n;
	struct ipc_header h;
	int r;

	f->epoch = 1;
	r = await(f, IPC_HELLO, &h, deadline);
	if (r == 0)
		r = send_snapshot(f);
	if (r == 0)
		r = acknowledged(f, deadline);
	for (size_t i = 0; r == 0 && i < n; i += SUBSCRIBERS_PER_PART) {
		size_t part = n - i < SUBSCRIBERS_PER_PART ? n - i : SUBSCRIBERS_PER_PART;

		r = send_part(f, i, part,
			(i == 0 ? IPC_LOAD_FIRST : 0) | (i + part == n ? IPC_LOAD_LAST : 0));
		if (r == 0)
			r = acknowledged(f, deadline);
	}
	return r;
}

int feed_rotate(struct feed *f)
{
	f->epoch++;
	return send_snapshot(f);
}

int feed_drain(struct feed *f)
{
	uint8_t body[65536];
	struct ipc_header h;
	struct pollfd p = {.fd = f->sock, .events = POLLIN};

	while (poll(&p, 1, 0) > 0) {
		int fd = -1, r = ipc_receive(f->sock, &h, body, sizeof(body), &fd);

		if (fd >= 0)
			close(fd);
		if (r < 0)
			return r == -EAGAIN ? 0 : r;
		if (h.type == IPC_ACK && h.status != 0)
			return -(int)h.status;
	}
	return 0;
}
