/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Redis Sentinels: all are asked, side by side, who the primary is, and a subscription to
 * +switch-master stays open to each. They are not trusted with more than a suggestion: whoever they
 * name is asked itself. One thread, the event loop's.
 */
#ifndef TKMS_CONTROL_SENTINELS_H
#define TKMS_CONTROL_SENTINELS_H

#include "control/redis.h"

struct sentinels;

enum { SENTINELS_MAX = 16 };

struct sentinels_owner {
	void *arg;
	void (*changed)(void *arg); /* somebody has answered */
};

/* Copies what it is given and begins to ask. NULL with errno (EINVAL: an address). */
struct sentinels *sentinels_new(struct event_base *base, const char *const *addresses,
	unsigned int n, const char *primary, const struct sentinels_owner *owner);
void sentinels_free(struct sentinels *s);

/* Asks all again, those too that answered before. */
void sentinels_ask(struct sentinels *s);

struct sentinels_candidate {
	struct redis_address address;
	unsigned int votes; /* of Sentinels that are connected; 0: an answer from before */
};
/* Who was named, most votes first. */
unsigned int sentinels_candidates(
	const struct sentinels *s, struct sentinels_candidate out[SENTINELS_MAX]);
/* How many are connected and have answered. */
unsigned int sentinels_answering(const struct sentinels *s);
/* Why the last one that failed did, "": none did. */
const char *sentinels_error(const struct sentinels *s);

#endif
