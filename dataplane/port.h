/* SPDX-License-Identifier: BSD-3-Clause */
/* An ethdev port with one RX and one TX queue per worker. Main thread. */
#ifndef TKMS_DATAPLANE_PORT_H
#define TKMS_DATAPLANE_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mempool.h>

#include "dataplane/net/packet.h"

enum { PORT_NAME_MAX = 64, PORTS_MAX = 16 };

struct port {
	uint16_t id;
	uint16_t mtu; /* largest IP packet */
	uint8_t mac[NET_MAC_LEN];
	bool tx_udp_checksum; /* the port computes UDP checksums of both families */
	bool mac_shared;      /* the other end has the same MAC address */
	bool promiscuous;     /* we switched it on */
	bool needs_admin;     /* setting the interface back takes CAP_NET_ADMIN */
	int groups;	      /* socket that keeps multicast reception on, -1: none */
	char name[PORT_NAME_MAX];
	const char *driver;
};

struct port_settings {
	uint16_t queues;
	uint16_t queue_size;
	uint16_t mtu;		    /* 0: what the port says */
	uint32_t buffer_size;	    /* packet octets of one buffer */
	struct rte_mempool **pools; /* one per queue */
};

/* Configures and starts. 0 or -errno, logged with what to do about it. */
int port_open(struct port *port, uint16_t id, const struct port_settings *settings);
void port_close(struct port *port);

/* Has the port a link now. One that cannot tell has. */
bool port_link_is_up(const struct port *port);

#endif
