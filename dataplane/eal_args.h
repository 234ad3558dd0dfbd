/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Completes the operator's EAL arguments: cores, memory, file prefix, and what AF_PACKET and AF_XDP
 * ports need. Pure: what is known about the machine is given.
 */
#ifndef TKMS_DATAPLANE_EAL_ARGS_H
#define TKMS_DATAPLANE_EAL_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/options.h"

enum {
	EAL_ARGS_MAX = 256,
	EAL_TEXT_MAX = 16384,
	EAL_PREFIX_MAX = 64,
	/* A frame with an 8 KiB message and headers fits; several make up a power of two with
	   little left over. */
	EAL_FRAME_SIZE = 10240,
	EAL_FRAME_SIZE_MAX = 32768,
	/* The kernel takes AF_XDP buffers of at most a page, all headers included. */
	EAL_FRAME_SIZE_XDP = 3072,
};

struct eal_facts {
	int pid;
	bool hugepages;	     /* free ones, and a place where they are mounted */
	unsigned int n_cpus; /* that the process may use */
	uint16_t cpus[OPTIONS_CPUS_MAX];
};

struct eal_args {
	int argc;
	char *argv[EAL_ARGS_MAX + 1];
	char prefix[EAL_PREFIX_MAX]; /* --file-prefix in effect */
	bool hugepages;		     /* in effect */
	uint16_t worker_cpus[OPTIONS_WORKERS_MAX];
	/* Octets of packet data that a buffer holds: what the largest AF_PACKET frame needs. */
	uint32_t frame_size;
	size_t used;
	char text[EAL_TEXT_MAX];
};

/* Our prefixes begin with this and end with the pid. */
#define EAL_PREFIX "tkms-dataplane-"

/* 0, or -EINVAL with the reason, and what to do, in *why (static text). */
int eal_args_build(struct eal_args *a, const struct options *o, const struct eal_facts *facts,
	const char **why);

/* The value of --name=VALUE or --name VALUE among the operator's arguments ("" when it has none),
 * NULL when absent. */
const char *eal_option(const struct options *o, const char *name);

/* Copies key's value out of device arguments "driver,key=value,...". Length, or -ENOENT or -ENOSPC.
 */
int eal_device_value(const char *device, const char *key, char *out, size_t cap);

/* The i-th --vdev value among the operator's arguments, NULL when there are fewer. */
const char *eal_vdev(const struct options *o, unsigned int i);

#endif
