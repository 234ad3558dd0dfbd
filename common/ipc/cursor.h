/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cursors over an encoding, private to common/ipc: little-endian fields, bounds checked, with a
 * sticky error that is looked at once at the end. A writer without a buffer only counts.
 */
#ifndef TKMS_IPC_CURSOR_H
#define TKMS_IPC_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/identity/identity.h"

struct ipc_writer {
	uint8_t *buf; /* NULL: count only */
	size_t cap;
	size_t len;
	bool failed;
};

static inline void ipc_put(struct ipc_writer *w, const void *data, size_t n)
{
	if (w->buf) {
		if (w->failed || n > w->cap - w->len) {
			w->failed = true;
			return;
		}
		if (n)
			memcpy(w->buf + w->len, data, n);
	}
	w->len += n;
}

static inline void ipc_put_uint(struct ipc_writer *w, uint64_t value, unsigned int octets)
{
	uint8_t tmp[8];

	for (unsigned int i = 0; i < octets; i++)
		tmp[i] = (uint8_t)(value >> (8 * i));
	ipc_put(w, tmp, octets);
}

static inline void ipc_put_identity(struct ipc_writer *w, struct identity id, uint16_t max)
{
	if (id.len > max)
		w->failed = true;
	ipc_put_uint(w, id.len, 2);
	ipc_put(w, id.data, id.len);
}

/* Octets written or needed, 0 after a failure. */
static inline size_t ipc_writer_end(const struct ipc_writer *w)
{
	return w->failed ? 0 : w->len;
}

struct ipc_reader {
	const uint8_t *buf;
	size_t len;
	size_t off;
	bool failed;
};

/* n octets in place, or NULL (and the reader has failed). */
static inline const uint8_t *ipc_get(struct ipc_reader *r, size_t n)
{
	const uint8_t *p;

	if (r->failed || n > r->len - r->off) {
		r->failed = true;
		return NULL;
	}
	p = r->buf + r->off;
	r->off += n;
	return p;
}

static inline uint64_t ipc_get_uint(struct ipc_reader *r, unsigned int octets)
{
	const uint8_t *p = ipc_get(r, octets);
	uint64_t value = 0;

	for (unsigned int i = 0; p && i < octets; i++)
		value |= (uint64_t)p[i] << (8 * i);
	return value;
}

/* An integer of at most max; larger values are an error and read as 0, so that a count is always
 * safe to loop over. */
static inline uint64_t ipc_get_max(struct ipc_reader *r, unsigned int octets, uint64_t max)
{
	uint64_t value = ipc_get_uint(r, octets);

	if (value > max) {
		r->failed = true;
		return 0;
	}
	return value;
}

/* A time: seconds since 1900, not negative. */
static inline int64_t ipc_get_time(struct ipc_reader *r)
{
	return (int64_t)ipc_get_max(r, 8, INT64_MAX);
}

static inline struct identity ipc_get_identity(struct ipc_reader *r, uint16_t min, uint16_t max)
{
	struct identity id = {0};
	uint16_t len = (uint16_t)ipc_get_uint(r, 2);
	const uint8_t *p;

	if (len < min || len > max)
		r->failed = true;
	p = ipc_get(r, len);
	if (p) {
		id.data = p;
		id.len = len;
	}
	return id;
}

#endif
