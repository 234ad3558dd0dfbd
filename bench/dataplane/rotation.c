/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/dataplane/rotation.h"

#include <time.h>

#include "bench/dataplane/disturbance.h"

static void *run(void *arg)
{
	struct rotation *r = arg;
	struct timespec next;

	r->error = r->precede ? disturbance_precede() : 0;
	clock_gettime(CLOCK_MONOTONIC, &next);
	while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED) && r->error == 0) {
		r->error = feed_rotate(r->feed);
		r->snapshots++;
		next.tv_nsec += (long)(r->interval_ms % 1000) * 1000000;
		next.tv_sec += (time_t)(r->interval_ms / 1000) + next.tv_nsec / 1000000000;
		next.tv_nsec %= 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
		if (r->error == 0)
			r->error = feed_drain(r->feed);
	}
	return NULL;
}

int rotation_begin(struct rotation *r)
{
	pthread_attr_t attributes;
	int err = pthread_attr_init(&attributes);

	if (err)
		return -err;
	r->stop = false;
	r->error = 0;
	/* Else it would share the generator's CPU. */
	err = pthread_attr_setaffinity_np(&attributes, sizeof(r->cpus), &r->cpus);
	if (err == 0)
		err = pthread_create(&r->thread, &attributes, run, r);
	pthread_attr_destroy(&attributes);
	return -err;
}

int rotation_end(struct rotation *r)
{
	__atomic_store_n(&r->stop, true, __ATOMIC_RELAXED);
	pthread_join(r->thread, NULL);
	return r->error;
}
