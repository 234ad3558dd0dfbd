/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/heartbeat.h"

#include <errno.h>
#include <string.h>

/* The numbers are on the wire: they never change, and none is used again. */
enum tag {
	TAG_NAME = 1,
	TAG_VERSION = 2,
	TAG_ROLES = 3,
	TAG_FLAGS = 4,
	TAG_DRAIN_REASONS = 5,
	TAG_TIME = 6,
	TAG_KEYRING_VERSION = 7,
	TAG_KEYRING_EPOCH = 8,
	TAG_LOAD = 9,
	TAG_LOG_FIRST = 10,
	TAG_LOG_LAST = 11,
	TAG_HELD = 12,	    /* u8 state | u8 length | id; repeated */
	TAG_CURSOR = 13,    /* u64 origin | u64 sequence; repeated */
	TAG_CLAIM = 14,	    /* u8 family | u8 flags | 16 octets | u64 number; repeated */
	TAG_FORGOTTEN = 15, /* u64 origin | u64 counter; repeated */
	TAG_KEK = 16,	    /* u64; repeated, the one that seals first */
};

enum flag {
	FLAG_DRAINING = 1 << 0,
	FLAG_DRAINED = 1 << 1,
	FLAG_SERVING = 1 << 2,
	FLAG_SETTLED = 1 << 3,
	FLAG_IN_SYNC = 1 << 4,
};

enum { HEAD_LEN = 4, CLAIM_LEN = 26, CLAIM_HELD = 1, TEXT_FIRST = 0x21, TEXT_LAST = 0x7e };

static void put_uint(uint8_t *out, uint64_t value, unsigned int octets)
{
	for (unsigned int i = 0; i < octets; i++)
		out[i] = (uint8_t)(value >> (8 * (octets - 1 - i)));
}

static uint64_t get_uint(const uint8_t *p, unsigned int octets)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < octets; i++)
		value = value << 8 | p[i];
	return value;
}

struct writer {
	uint8_t *buf; /* NULL: count only */
	size_t cap, len;
	bool failed;
};

static void write_field(struct writer *w, enum tag tag, const void *octets, size_t len)
{
	uint8_t *out = w->buf ? w->buf + w->len : NULL;

	if (w->failed || (w->buf && w->cap - w->len < HEAD_LEN + len)) {
		w->failed = true;
		return;
	}
	w->len += HEAD_LEN + len;
	if (!out)
		return;
	put_uint(out, tag, 2);
	put_uint(out + 2, len, 2);
	if (len)
		memcpy(out + HEAD_LEN, octets, len);
}

static void write_uint(struct writer *w, enum tag tag, uint64_t value)
{
	uint8_t octets[8];

	put_uint(octets, value, sizeof(octets));
	write_field(w, tag, octets, sizeof(octets));
}

static bool is_text(const uint8_t *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] < TEXT_FIRST || text[i] > TEXT_LAST)
			return false;
	}
	return true;
}

static void write_text(struct writer *w, enum tag tag, const char *text, size_t max)
{
	size_t len = strnlen(text, max + 1);

	if (len > max || !is_text((const uint8_t *)text, len))
		w->failed = true;
	else
		write_field(w, tag, text, len);
}

static uint64_t flags_of(const struct heartbeat *h)
{
	return (h->is_draining ? FLAG_DRAINING : 0u) | (h->is_drained ? FLAG_DRAINED : 0u) |
	       (h->is_serving ? FLAG_SERVING : 0u) | (h->is_settled ? FLAG_SETTLED : 0u) |
	       (h->is_in_sync ? FLAG_IN_SYNC : 0u);
}

static void write_held(struct writer *w, const struct heartbeat_key *key)
{
	uint8_t octets[2 + KEYS_ID_MAX];
	size_t len = strnlen(key->id, sizeof(key->id));

	if (len > KEYS_ID_MAX || !is_text((const uint8_t *)key->id, len)) {
		w->failed = true;
		return;
	}
	octets[0] = key->state;
	octets[1] = (uint8_t)len;
	memcpy(octets + 2, key->id, len);
	write_field(w, TAG_HELD, octets, 2 + len);
}

static void write_claim(struct writer *w, const struct heartbeat_claim *claim)
{
	uint8_t octets[CLAIM_LEN];

	if (claim->family != 4 && claim->family != 6)
		w->failed = true;
	octets[0] = claim->family;
	octets[1] = claim->is_held ? CLAIM_HELD : 0;
	memcpy(octets + 2, claim->octets, sizeof(claim->octets));
	put_uint(octets + 18, claim->number, 8);
	write_field(w, TAG_CLAIM, octets, sizeof(octets));
}

static void write_pair(struct writer *w, enum tag tag, uint64_t first, uint64_t second)
{
	uint8_t octets[16];

	put_uint(octets, first, 8);
	put_uint(octets + 8, second, 8);
	write_field(w, tag, octets, sizeof(octets));
}

static void write_lists(struct writer *w, const struct heartbeat *h)
{
	for (unsigned int i = 0; i < h->n_held; i++)
		write_held(w, &h->held[i]);
	for (unsigned int i = 0; i < h->n_cursors; i++)
		write_pair(w, TAG_CURSOR, h->cursors[i].origin, h->cursors[i].sequence);
	for (unsigned int i = 0; i < h->n_claims; i++)
		write_claim(w, &h->claims[i]);
	for (unsigned int i = 0; i < h->n_forgotten; i++)
		write_pair(w, TAG_FORGOTTEN, h->forgotten[i].origin, h->forgotten[i].counter);
	for (unsigned int i = 0; i < h->n_keks; i++)
		write_uint(w, TAG_KEK, h->keks[i]);
}

size_t heartbeat_encode(const struct heartbeat *h, uint8_t *buf, size_t cap)
{
	struct writer w = {.buf = buf, .cap = cap};

	if (h->name[0] == '\0' || h->n_held > KEYS_MAX || h->n_cursors > HEARTBEAT_CURSORS_MAX ||
		h->n_claims > IPC_ADDRESSES_MAX || h->n_forgotten > HEARTBEAT_FORGOTTEN_MAX ||
		h->n_keks > HEARTBEAT_KEKS_MAX)
		return 0;
	write_text(&w, TAG_NAME, h->name, HEARTBEAT_NAME_MAX);
	write_text(&w, TAG_VERSION, h->version, HEARTBEAT_VERSION_MAX);
	write_uint(&w, TAG_ROLES, h->roles);
	write_uint(&w, TAG_FLAGS, flags_of(h));
	write_uint(&w, TAG_DRAIN_REASONS, h->drain_reasons);
	write_uint(&w, TAG_TIME, (uint64_t)h->time_ms);
	write_uint(&w, TAG_KEYRING_VERSION, h->keyring_version);
	write_uint(&w, TAG_KEYRING_EPOCH, h->keyring_epoch);
	write_uint(&w, TAG_LOAD, h->load_permille);
	write_uint(&w, TAG_LOG_FIRST, h->log_first);
	write_uint(&w, TAG_LOG_LAST, h->log_last);
	write_lists(&w, h);
	return w.failed ? 0 : w.len;
}

struct field {
	uint16_t tag;
	uint16_t len;
	const uint8_t *octets;
};

static int read_text(char *out, const struct field *f, size_t max)
{
	if (f->len > max || !is_text(f->octets, f->len))
		return -EBADMSG;
	memcpy(out, f->octets, f->len);
	out[f->len] = '\0';
	return 0;
}

static int read_uint(uint64_t *out, const struct field *f)
{
	if (f->len < 8)
		return -EBADMSG;
	*out = get_uint(f->octets, 8);
	return 0;
}

static int read_uint32(uint32_t *out, const struct field *f)
{
	uint64_t value = 0;
	int err = read_uint(&value, f);

	*out = (uint32_t)value; /* bits that are not known yet are left out */
	return err;
}

static int read_flags(struct heartbeat *h, const struct field *f)
{
	uint64_t flags = 0;
	int err = read_uint(&flags, f);

	h->is_draining = flags & FLAG_DRAINING;
	h->is_drained = flags & FLAG_DRAINED;
	h->is_serving = flags & FLAG_SERVING;
	h->is_settled = flags & FLAG_SETTLED;
	h->is_in_sync = flags & FLAG_IN_SYNC;
	return err;
}

static int read_time(struct heartbeat *h, const struct field *f)
{
	uint64_t value = 0;
	int err = read_uint(&value, f);

	if (err || value > INT64_MAX)
		return -EBADMSG;
	h->time_ms = (int64_t)value;
	return 0;
}

static int read_held(struct heartbeat *h, const struct field *f)
{
	struct heartbeat_key *key = &h->held[h->n_held];
	struct field id;

	if (h->n_held == KEYS_MAX || f->len < 2 || f->octets[1] > f->len - 2)
		return -EBADMSG;
	key->state = f->octets[0];
	id = (struct field){.len = f->octets[1], .octets = f->octets + 2};
	h->n_held++;
	return read_text(key->id, &id, KEYS_ID_MAX);
}

static int read_cursor(struct heartbeat *h, const struct field *f)
{
	if (h->n_cursors == HEARTBEAT_CURSORS_MAX || f->len < 16)
		return -EBADMSG;
	h->cursors[h->n_cursors].origin = get_uint(f->octets, 8);
	h->cursors[h->n_cursors++].sequence = get_uint(f->octets + 8, 8);
	return 0;
}

static int read_forgotten(struct heartbeat *h, const struct field *f)
{
	if (h->n_forgotten == HEARTBEAT_FORGOTTEN_MAX || f->len < 16)
		return -EBADMSG;
	h->forgotten[h->n_forgotten].origin = get_uint(f->octets, 8);
	h->forgotten[h->n_forgotten++].counter = get_uint(f->octets + 8, 8);
	return 0;
}

static int read_claim(struct heartbeat *h, const struct field *f)
{
	struct heartbeat_claim *claim = &h->claims[h->n_claims];

	if (h->n_claims == IPC_ADDRESSES_MAX || f->len < CLAIM_LEN ||
		(f->octets[0] != 4 && f->octets[0] != 6))
		return -EBADMSG;
	claim->family = f->octets[0];
	claim->is_held = f->octets[1] & CLAIM_HELD;
	memcpy(claim->octets, f->octets + 2, sizeof(claim->octets));
	claim->number = get_uint(f->octets + 18, 8);
	h->n_claims++;
	return 0;
}

static int read_field(struct heartbeat *h, const struct field *f)
{
	switch (f->tag) {
	case TAG_NAME:
		return read_text(h->name, f, HEARTBEAT_NAME_MAX);
	case TAG_VERSION:
		return read_text(h->version, f, HEARTBEAT_VERSION_MAX);
	case TAG_ROLES:
		return read_uint32(&h->roles, f);
	case TAG_FLAGS:
		return read_flags(h, f);
	case TAG_DRAIN_REASONS:
		return read_uint32(&h->drain_reasons, f);
	case TAG_TIME:
		return read_time(h, f);
	case TAG_KEYRING_VERSION:
		return read_uint(&h->keyring_version, f);
	case TAG_KEYRING_EPOCH:
		return read_uint(&h->keyring_epoch, f);
	case TAG_LOAD:
		return read_uint32(&h->load_permille, f);
	case TAG_LOG_FIRST:
		return read_uint(&h->log_first, f);
	case TAG_LOG_LAST:
		return read_uint(&h->log_last, f);
	case TAG_HELD:
		return read_held(h, f);
	case TAG_CURSOR:
		return read_cursor(h, f);
	case TAG_CLAIM:
		return read_claim(h, f);
	case TAG_FORGOTTEN:
		return read_forgotten(h, f);
	case TAG_KEK:
		return h->n_keks == HEARTBEAT_KEKS_MAX ? -EBADMSG
						       : read_uint(&h->keks[h->n_keks++], f);
	default:
		return 0; /* of a newer version */
	}
}

static int decode(struct heartbeat *h, const uint8_t *buf, size_t len)
{
	unsigned int last = 0;

	while (len > 0) {
		struct field f;
		int err;

		if (len < HEAD_LEN)
			return -EBADMSG;
		f.tag = (uint16_t)get_uint(buf, 2);
		f.len = (uint16_t)get_uint(buf + 2, 2);
		f.octets = buf + HEAD_LEN;
		if (f.len > len - HEAD_LEN || f.tag < last || (f.tag == last && f.tag < TAG_HELD))
			return -EBADMSG;
		err = read_field(h, &f);
		if (err)
			return err;
		last = f.tag;
		buf += HEAD_LEN + f.len;
		len -= HEAD_LEN + (size_t)f.len;
	}
	return h->name[0] ? 0 : -EBADMSG;
}

int heartbeat_decode(struct heartbeat *h, const uint8_t *buf, size_t len)
{
	int err;

	memset(h, 0, sizeof(*h));
	err = decode(h, buf, len);
	if (err)
		memset(h, 0, sizeof(*h));
	return err;
}

static bool claims_equal(const struct heartbeat *a, const struct heartbeat *b)
{
	if (a->n_claims != b->n_claims)
		return false;
	for (unsigned int i = 0; i < a->n_claims; i++) {
		const struct heartbeat_claim *x = &a->claims[i], *y = &b->claims[i];

		if (x->family != y->family || x->is_held != y->is_held || x->number != y->number ||
			memcmp(x->octets, y->octets, sizeof(x->octets)) != 0)
			return false;
	}
	return true;
}

static bool held_equal(const struct heartbeat *a, const struct heartbeat *b)
{
	if (a->n_held != b->n_held)
		return false;
	for (unsigned int i = 0; i < a->n_held; i++) {
		if (a->held[i].state != b->held[i].state ||
			strcmp(a->held[i].id, b->held[i].id) != 0)
			return false;
	}
	return true;
}

static bool lists_equal(const struct heartbeat *a, const struct heartbeat *b)
{
	return a->n_cursors == b->n_cursors && a->n_forgotten == b->n_forgotten &&
	       memcmp(a->cursors, b->cursors, a->n_cursors * sizeof(a->cursors[0])) == 0 &&
	       memcmp(a->forgotten, b->forgotten, a->n_forgotten * sizeof(a->forgotten[0])) == 0 &&
	       claims_equal(a, b) && held_equal(a, b);
}

bool heartbeat_says_the_same(const struct heartbeat *a, const struct heartbeat *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->version, b->version) == 0 &&
	       a->roles == b->roles && flags_of(a) == flags_of(b) &&
	       a->drain_reasons == b->drain_reasons && a->keyring_version == b->keyring_version &&
	       a->keyring_epoch == b->keyring_epoch && a->log_first == b->log_first &&
	       a->log_last == b->log_last && lists_equal(a, b);
}
