/* SPDX-License-Identifier: BSD-3-Clause */
/* The process: ports, workers and what the main thread does for them. */
#ifndef TKMS_DATAPLANE_DATAPLANE_H
#define TKMS_DATAPLANE_DATAPLANE_H

#include "dataplane/announce.h"
#include "dataplane/eal.h"
#include "dataplane/link.h"
#include "dataplane/load.h"
#include "dataplane/stats.h"
#include "dataplane/worker.h"

struct dataplane {
	const struct options *options;
	struct eal_args args;
	struct eal_runtime runtime;
	unsigned int n_ports;
	unsigned int n_workers;
	unsigned int n_running; /* workers whose thread was started */
	struct port ports[PORTS_MAX];
	bool link_up[PORTS_MAX];
	unsigned int ticks_cut_off; /* in a row without a link on any port */
	struct worker *workers[OPTIONS_WORKERS_MAX];
	unsigned int stop; /* workers read it */
	struct shared shared;
	struct crypto *crypto; /* the main thread's */
	struct load load;
	struct link link;
	struct link_handlers handlers;
	struct announcer announcer;
	struct net_addresses announced; /* taken into service already */
	struct net_vlans vlans;		/* that they were announced on */
	uint64_t addresses_version;	/* of the snapshot that they came with */
	struct net_addresses checked;	/* by preflight_addresses() */
	struct stats stats;
	unsigned int ticks;	   /* seconds served */
	bool is_new_control;	   /* whose first snapshot has not come yet */
	uint64_t contact_until_ms; /* control's word that we are in sync ends; 0: it does not end */
	uint64_t end_by_ms;	   /* it is to end, at this time at the latest; 0: it is not */
	bool is_released;	   /* nobody is served here any more, or nobody could take over */
	struct ipc_snapshot incoming;
};

/* Starts the EAL, ports and workers. 0 or -errno, logged. dataplane_close() undoes whatever was
 * done. */
int dataplane_open(struct dataplane *d, const struct options *o, const struct eal_facts *facts);
void dataplane_close(struct dataplane *d);

/* Serves until a signal arrives on signal_fd (a signalfd). 0 or -errno, logged. */
int dataplane_serve(struct dataplane *d, int signal_fd);

#endif
