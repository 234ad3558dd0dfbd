/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sockets to the data planes: one per address of the KMS and port, connected, so that the
 * kernel drops what comes from elsewhere. Messages of one turn of the event loop leave together.
 * One thread.
 */
#ifndef TKMS_HTTP_UDP_H
#define TKMS_HTTP_UDP_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/http/address.h"

enum {
	UDP_BATCH = 64,
	UDP_DATAGRAM_MAX = 16384, /* longer answers are dropped */
};

struct udp;

struct udp_config {
	const struct address *address;
	unsigned int addresses;
	unsigned int ports;
	unsigned int first_port; /* 0: any */
};

/* Socket number address * ports + port. 0 or -errno, with the text of the address in *at. */
int udp_open(struct udp **out, const struct udp_config *config, const char **at);
void udp_close(struct udp *u);
unsigned int udp_sockets(const struct udp *u);
int udp_fd(const struct udp *u, unsigned int socket);

/* Unsent messages: the kernel refused them. unreachable: an ICMP error came for the socket. */
struct udp_events {
	void (*datagram)(void *arg, unsigned int socket, const uint8_t *octets, size_t len);
	void (*unsent)(void *arg, unsigned int socket, unsigned int messages);
	void (*unreachable)(void *arg, unsigned int socket);
	void *arg;
};

/* Keeps the message for the next udp_flush(); it has to stay until then. May flush. */
void udp_send(struct udp *u, unsigned int socket, const uint8_t *message, size_t len,
	const struct udp_events *events);
void udp_flush(struct udp *u, const struct udp_events *events);

/* Reads what is there, at most a few batches. */
void udp_receive(struct udp *u, unsigned int socket, const struct udp_events *events);

#endif
