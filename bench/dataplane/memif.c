/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/dataplane/memif.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "bench/clock.h"

enum { BUFFERS = 16383, CACHE = 256, TEXT_MAX = 256 };

struct memif {
	uint16_t port;
	struct rte_mempool *pool;
};

static int start_eal(const char *socket_path, int cpu)
{
	char prefix[TEXT_MAX], lcores[TEXT_MAX], vdev[TEXT_MAX];
	char name[] = "tkms-bench", no_huge[] = "--no-huge", memory[] = "-m", mib[] = "128",
	     no_pci[] = "--no-pci", no_telemetry[] = "--no-telemetry",
	     quiet[] = "--log-level=error";
	char *argv[] = {name, no_huge, memory, mib, no_pci, no_telemetry, quiet, prefix, lcores,
		vdev, NULL};

	snprintf(prefix, sizeof(prefix), "--file-prefix=tkms-bench-%d", (int)getpid());
	snprintf(lcores, sizeof(lcores), "--lcores=0@%d", cpu);
	if (snprintf(vdev, sizeof(vdev),
		    "--vdev=net_memif0,role=client,id=0,socket=%s,socket-abstract=no,rsize=%d",
		    socket_path, MEMIF_RING_LOG2) >= (int)sizeof(vdev))
		return -ENAMETOOLONG;
	return rte_eal_init((int)(sizeof(argv) / sizeof(argv[0])) - 1, argv) < 0 ? -rte_errno : 0;
}

static int start_port(struct memif *m)
{
	struct rte_eth_conf conf = {0};
	int r = rte_eth_dev_get_port_by_name("net_memif0", &m->port);

	if (r < 0)
		return r;
	m->pool = rte_pktmbuf_pool_create(
		"generator", BUFFERS, CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (!m->pool)
		return -rte_errno;
	r = rte_eth_dev_configure(m->port, 1, 1, &conf);
	if (r == 0)
		r = rte_eth_rx_queue_setup(m->port, 0, 1 << MEMIF_RING_LOG2, 0, NULL, m->pool);
	if (r == 0)
		r = rte_eth_tx_queue_setup(m->port, 0, 1 << MEMIF_RING_LOG2, 0, NULL);
	return r ? r : rte_eth_dev_start(m->port);
}

static int wait_for_link(const struct memif *m, unsigned int timeout_ms)
{
	uint64_t deadline = clock_mono() + (uint64_t)timeout_ms * 1000000;
	struct rte_eth_link link;

	do {
		int r = rte_eth_link_get_nowait(m->port, &link);

		if (r < 0)
			return r;
		if (link.link_status == RTE_ETH_LINK_UP)
			return 0;
		usleep(1000);
	} while (clock_mono() < deadline);
	return -ETIMEDOUT;
}

struct memif *memif_open(const char *socket_path, int cpu, unsigned int timeout_ms)
{
	struct memif *m = calloc(1, sizeof(*m));
	int r = m ? start_eal(socket_path, cpu) : -ENOMEM;

	if (r == 0) {
		r = start_port(m);
		if (r == 0)
			r = wait_for_link(m, timeout_ms);
		if (r == 0)
			return m;
		rte_eal_cleanup();
	}
	fprintf(stderr, "tkms-bench: memif port: %s\n", rte_strerror(-r));
	free(m);
	return NULL;
}

void memif_close(struct memif *m)
{
	rte_eth_dev_stop(m->port);
	rte_eth_dev_close(m->port);
	rte_mempool_free(m->pool);
	rte_eal_cleanup();
	free(m);
}

unsigned int memif_send(
	struct memif *m, const uint8_t *const *data, const uint16_t *len, unsigned int n)
{
	struct rte_mbuf *buffer[MEMIF_BURST];
	unsigned int sent;

	if (rte_pktmbuf_alloc_bulk(m->pool, buffer, n) != 0)
		return 0;
	for (unsigned int i = 0; i < n; i++) {
		memcpy(rte_pktmbuf_mtod(buffer[i], void *), data[i], len[i]);
		buffer[i]->data_len = len[i];
		buffer[i]->pkt_len = len[i];
	}
	sent = rte_eth_tx_burst(m->port, 0, buffer, (uint16_t)n);
	rte_pktmbuf_free_bulk(buffer + sent, n - sent);
	return sent;
}

unsigned int memif_receive(struct memif *m, struct memif_frame *frames, unsigned int n)
{
	struct rte_mbuf *buffer[MEMIF_BURST];
	unsigned int got = rte_eth_rx_burst(m->port, 0, buffer, (uint16_t)n);

	for (unsigned int i = 0; i < got; i++)
		frames[i] = (struct memif_frame){
			.data = rte_pktmbuf_mtod(buffer[i], const uint8_t *),
			.len = buffer[i]->data_len,
			.buffer = buffer[i],
		};
	return got;
}

void memif_give_back(struct memif *m, struct memif_frame *frames, unsigned int n)
{
	(void)m;
	for (unsigned int i = 0; i < n; i++)
		rte_pktmbuf_free(frames[i].buffer);
}
