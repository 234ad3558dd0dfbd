/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Token buckets by number (of a source, a subscriber, a message) in a table of fixed size. When
 * it is full, the bucket that has not been used for longest is forgotten. One thread; time is
 * injected.
 */
#ifndef TKMS_NET_BUCKETS_H
#define TKMS_NET_BUCKETS_H

#include <stdbool.h>
#include <stdint.h>

enum { BUCKETS_ROWS = 4096, BUCKETS_WAYS = 4, BUCKETS_RATE_MAX = 1000000 };

/* Values above BUCKETS_RATE_MAX count as that. */
struct bucket_rate {
	uint32_t rate;	/* tokens a second; 0: no limit */
	uint32_t burst; /* tokens at once; taken as 1 when 0 */
};

struct bucket {
	uint64_t filled_ms;
	uint32_t tag;	 /* 0: free */
	uint32_t tokens; /* thousandths */
};

struct buckets;

/* secret: keeps others from choosing numbers that share a row. NULL with errno ENOMEM. */
struct buckets *buckets_new(const uint64_t secret[2]);
void buckets_free(struct buckets *b);

enum buckets_token {
	BUCKETS_NONE = 0, /* none left */
	BUCKETS_FIRST,	  /* the number was not in the table */
	BUCKETS_NEXT,
};

/* Takes a token of that number's bucket. now_ms: a monotonic clock. Without a limit: the first. */
enum buckets_token buckets_take(
	struct buckets *b, uint64_t number, struct bucket_rate rate, uint64_t now_ms);

/* As if nothing had ever been taken from that bucket. */
void buckets_forget(struct buckets *b, uint64_t number);

/* The same for a bucket outside a table. Zeroed, it is empty. */
bool bucket_take(struct bucket *b, struct bucket_rate rate, uint64_t now_ms);

#endif
