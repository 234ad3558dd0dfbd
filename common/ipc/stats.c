/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/ipc/ipc.h"

#include <errno.h>

#include "common/ipc/cursor.h"

/* A NUL-terminated text in a field of cap octets: length, then the octets without the NUL. */
static void put_text(struct ipc_writer *w, const char *text, size_t cap)
{
	size_t len = strnlen(text, cap);

	if (len == cap)
		w->failed = true;
	ipc_put_uint(w, len, 1);
	ipc_put(w, text, len);
}

/* Printable ASCII only: it goes to logs and metrics as it is. */
static void get_text(struct ipc_reader *r, char *text, size_t cap)
{
	size_t len = (size_t)ipc_get_max(r, 1, cap - 1);
	const uint8_t *p = ipc_get(r, len);

	for (size_t i = 0; p && i < len; i++) {
		if (p[i] < 0x20 || p[i] > 0x7e)
			r->failed = true;
		text[i] = (char)p[i];
	}
}

size_t ipc_hello_encode(const struct ipc_hello *h, uint8_t *buf, size_t cap)
{
	struct ipc_writer w = {.buf = buf, .cap = cap};

	ipc_put_uint(&w, h->pid, 4);
	ipc_put_uint(&w, h->workers, 4);
	ipc_put_uint(&w, h->epoch, 8);
	ipc_put_uint(&w, h->subscribers, 8);
	put_text(&w, h->version, sizeof(h->version));
	return ipc_writer_end(&w);
}

int ipc_hello_decode(struct ipc_hello *h, const uint8_t *buf, size_t len)
{
	struct ipc_reader r = {.buf = buf, .len = len};

	memset(h, 0, sizeof(*h));
	h->pid = (uint32_t)ipc_get_uint(&r, 4);
	h->workers = (uint32_t)ipc_get_uint(&r, 4);
	h->epoch = ipc_get_uint(&r, 8);
	h->subscribers = ipc_get_uint(&r, 8);
	get_text(&r, h->version, sizeof(h->version));
	return r.failed || r.off != len ? -EBADMSG : 0;
}

size_t ipc_stats_encode(const struct ipc_stats *s, uint8_t *buf, size_t cap)
{
	struct ipc_writer w = {.buf = buf, .cap = cap};

	if (s->n_counters > IPC_COUNTERS_MAX || s->n_workers > IPC_WORKERS_MAX ||
		s->n_keys > IPC_KEYS_MAX)
		return 0;
	ipc_put_uint(&w, s->epoch, 8);
	ipc_put_uint(&w, s->subscribers, 8);
	ipc_put_uint(&w, s->n_counters, 2);
	for (unsigned int i = 0; i < s->n_counters; i++) {
		put_text(&w, s->counters[i].name, sizeof(s->counters[i].name));
		ipc_put_uint(&w, s->counters[i].value, 8);
	}
	ipc_put_uint(&w, s->n_workers, 2);
	for (unsigned int i = 0; i < s->n_workers; i++) {
		ipc_put_uint(&w, s->workers[i].cpu, 4);
		ipc_put_uint(&w, s->workers[i].epoch, 8);
		ipc_put_uint(&w, s->workers[i].bursts, 8);
		ipc_put_uint(&w, s->workers[i].messages, 8);
		ipc_put_uint(&w, s->workers[i].busy_permille, 4);
	}
	ipc_put_uint(&w, s->n_keys, 2);
	for (unsigned int i = 0; i < s->n_keys; i++) {
		put_text(&w, s->keys[i].id, sizeof(s->keys[i].id));
		ipc_put_uint(&w, s->keys[i].sealed, 8);
		ipc_put_uint(&w, s->keys[i].resolved, 8);
	}
	return ipc_writer_end(&w);
}

int ipc_stats_decode(struct ipc_stats *s, const uint8_t *buf, size_t len)
{
	struct ipc_reader r = {.buf = buf, .len = len};

	memset(s, 0, sizeof(*s));
	s->epoch = ipc_get_uint(&r, 8);
	s->subscribers = ipc_get_uint(&r, 8);
	s->n_counters = (unsigned int)ipc_get_max(&r, 2, IPC_COUNTERS_MAX);
	for (unsigned int i = 0; i < s->n_counters && !r.failed; i++) {
		get_text(&r, s->counters[i].name, sizeof(s->counters[i].name));
		s->counters[i].value = ipc_get_uint(&r, 8);
	}
	s->n_workers = (unsigned int)ipc_get_max(&r, 2, IPC_WORKERS_MAX);
	for (unsigned int i = 0; i < s->n_workers && !r.failed; i++) {
		s->workers[i].cpu = (uint32_t)ipc_get_uint(&r, 4);
		s->workers[i].epoch = ipc_get_uint(&r, 8);
		s->workers[i].bursts = ipc_get_uint(&r, 8);
		s->workers[i].messages = ipc_get_uint(&r, 8);
		s->workers[i].busy_permille = (uint32_t)ipc_get_uint(&r, 4);
	}
	s->n_keys = (unsigned int)ipc_get_max(&r, 2, IPC_KEYS_MAX);
	for (unsigned int i = 0; i < s->n_keys && !r.failed; i++) {
		get_text(&r, s->keys[i].id, sizeof(s->keys[i].id));
		s->keys[i].sealed = ipc_get_uint(&r, 8);
		s->keys[i].resolved = ipc_get_uint(&r, 8);
	}
	return r.failed || r.off != len ? -EBADMSG : 0;
}
