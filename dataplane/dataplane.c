/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/dataplane.h"

#include <errno.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_lcore.h>

#include "dataplane/confine.h"
#include "dataplane/log.h"

static int open_workers(struct dataplane *d)
{
	const struct options *o = d->options;

	for (unsigned int i = 0; i < o->workers; i++) {
		struct worker_settings s = {
			.index = i,
			.cpu = d->args.worker_cpus[i],
			.poll = o->poll,
			.crypto = o->crypto,
			.queue_size = o->queue_size,
			.n_ports = rte_eth_dev_count_avail(),
			.buffer_size = d->args.frame_size,
			.shared = &d->shared,
			.stop = &d->stop,
		};

		d->workers[i] = worker_new(&s);
		if (!d->workers[i])
			return -ENOMEM;
		d->n_workers++;
	}
	return 0;
}

static uint16_t mtu_of(const struct options *o, unsigned int port)
{
	if (o->n_mtus == 0)
		return 0;
	return o->mtus[port < o->n_mtus ? port : o->n_mtus - 1];
}

static int open_ports(struct dataplane *d)
{
	struct rte_mempool *pools[OPTIONS_WORKERS_MAX];
	struct port_settings s = {
		.queues = (uint16_t)d->n_workers,
		.queue_size = d->options->queue_size,
		.buffer_size = d->args.frame_size,
		.pools = pools,
	};
	uint16_t id;

	for (unsigned int i = 0; i < d->n_workers; i++)
		pools[i] = d->workers[i]->pool;
	RTE_ETH_FOREACH_DEV(id)
	{
		int err;

		if (d->n_ports == PORTS_MAX) {
			log_line(LOG_ERROR, "too many ports", "most=%d", PORTS_MAX);
			return -ENOSPC;
		}
		s.mtu = mtu_of(d->options, d->n_ports);
		err = port_open(&d->ports[d->n_ports], id, &s);
		if (err)
			return err;
		d->link_up[d->n_ports] = port_link_is_up(&d->ports[d->n_ports]);
		d->n_ports++;
	}
	return 0;
}

static int start_workers(struct dataplane *d)
{
	for (unsigned int i = 0; i < d->n_workers; i++) {
		int err;

		d->workers[i]->ports = d->ports;
		d->workers[i]->n_ports = d->n_ports;
		err = rte_eal_remote_launch(worker_run, d->workers[i], d->workers[i]->lcore);
		if (err) {
			log_line(LOG_ERROR, "worker thread does not start",
				"worker=%u error=\"%s\"", i, strerror(-err));
			return err;
		}
		d->n_running++;
	}
	return 0;
}

int dataplane_open(struct dataplane *d, const struct options *o, const struct eal_facts *facts)
{
	const char *why;
	int err;

	memset(d, 0, sizeof(*d));
	d->options = o;
	d->runtime = (struct eal_runtime){.parent = -1, .folder = -1};
	err = eal_args_build(&d->args, o, facts, &why);
	if (err) {
		log_line(LOG_ERROR, "EAL arguments do not fit", "fix=\"%s\"", why);
		return err;
	}
	err = eal_start(&d->args);
	if (err)
		return err;
	err = eal_runtime_open(&d->runtime, &d->args);
	if (err) {
		log_line(LOG_ERROR, "DPDK's run-time folder cannot be opened", "error=\"%s\"",
			strerror(-err));
		return err;
	}
	if (rte_eth_dev_count_avail() == 0) {
		log_line(LOG_ERROR, "DPDK found no port",
			"fix=\"after -- name one, as --vdev=net_af_packet0,iface=eth1; a NIC must "
			"be bound to vfio-pci\"");
		return -ENODEV;
	}
	d->crypto = crypto_open(o->crypto);
	if (!d->crypto) {
		err = -errno;
		log_line(
			LOG_ERROR, "crypto backend does not open", "error=\"%s\"", strerror(errno));
		return err;
	}
	err = open_workers(d);
	if (!err)
		err = open_ports(d);
	if (!err && o->sandbox == OPTIONS_SANDBOX)
		err = confine(&d->runtime, d->ports, d->n_ports);
	else if (!err)
		log_line(LOG_WARNING, "no sandbox: privileges are kept", "%s", "");
	return err ? err : start_workers(d);
}

void dataplane_close(struct dataplane *d)
{
	__atomic_store_n(&d->stop, 1, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < d->n_running; i++)
		rte_eal_wait_lcore(d->workers[i]->lcore);
	load_abort(&d->load);
	shared_clear(&d->shared);
	for (unsigned int i = 0; i < d->n_ports; i++)
		port_close(&d->ports[i]);
	for (unsigned int i = 0; i < d->n_workers; i++)
		worker_free(d->workers[i]);
	if (d->crypto)
		crypto_close(d->crypto);
	if (d->args.argc > 0)
		eal_stop(&d->args, &d->runtime);
}
