/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What became of a message: one table for the engine, the network layer and the worker. Every drop is a verdict, every verdict a
 * counter (metric label = name).
 */
#ifndef TKMS_ENGINE_VERDICT_H
#define TKMS_ENGINE_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

enum { VERDICT_SILENT = -1 };

/*
 * Entries: name, MIKEY error number (VERDICT_SILENT: no answer), was the sender authenticated when it was decided,
 * description.
 */

/* Order of the engine's part: order of the checks (readings N55). */
#define VERDICT_ENGINE_TABLE(X) \
	X(REQUEST_OK, VERDICT_SILENT, true, "REQUEST_INIT answered with REQUEST_RESP") \
	X(RESOLVE_OK, VERDICT_SILENT, true, "RESOLVE_INIT answered with RESOLVE_RESP")

/* The network layer's and the worker's part, from the outside in. */
#define VERDICT_NET_TABLE(X) \
	X(ARP_ANSWERED, VERDICT_SILENT, false, "ARP request for a service address answered") \
	X(ND_ANSWERED, VERDICT_SILENT, false, "neighbour solicitation for a service address answered") \
	X(ECHO_ANSWERED, VERDICT_SILENT, false, "ICMP or ICMPv6 echo request answered") \
	X(DROP_NOT_READY, VERDICT_SILENT, false, "no snapshot or no subscribers yet: tkms-control has not been heard of") \
	X(DROP_FRAME_SEGMENTS, VERDICT_SILENT, false, "frame in several buffers that fits none") \
	X(DROP_ETH_SHORT, VERDICT_SILENT, false, "shorter than an Ethernet header") \
	X(DROP_ETH_DESTINATION, VERDICT_SILENT, false, "destination MAC is not ours") \
	X(DROP_ETH_SOURCE, VERDICT_SILENT, false, "source MAC is zero, multicast or ours") \
	X(DROP_ETH_VLAN, VERDICT_SILENT, false, "VLAN tag") \
	X(DROP_ETH_TYPE, VERDICT_SILENT, false, "neither ARP nor IPv4 nor IPv6") \
	X(DROP_ARP_MALFORMED, VERDICT_SILENT, false, "ARP not for Ethernet and IPv4, truncated or contradictory") \
	X(DROP_ARP_NOT_REQUEST, VERDICT_SILENT, false, "ARP reply or unknown operation") \
	X(DROP_ARP_TARGET, VERDICT_SILENT, false, "ARP request for another address") \
	X(DROP_IPV4_HEADER, VERDICT_SILENT, false, "IPv4 version, header length or truncated header") \
	X(DROP_IPV4_LENGTH, VERDICT_SILENT, false, "IPv4 total length exceeds the frame or undercuts the header") \
	X(DROP_IPV4_CHECKSUM, VERDICT_SILENT, false, "IPv4 header checksum") \
	X(DROP_IPV4_DESTINATION, VERDICT_SILENT, false, "not a service address") \
	X(DROP_IPV4_SOURCE, VERDICT_SILENT, false, "IPv4 source that cannot be answered") \
	X(DROP_IPV4_FRAGMENT, VERDICT_SILENT, false, "IPv4 fragment") \
	X(DROP_IPV4_PROTOCOL, VERDICT_SILENT, false, "neither UDP nor ICMP") \
	X(DROP_IPV6_HEADER, VERDICT_SILENT, false, "IPv6 version or truncated header") \
	X(DROP_IPV6_LENGTH, VERDICT_SILENT, false, "IPv6 payload length is zero or exceeds the frame") \
	X(DROP_IPV6_DESTINATION, VERDICT_SILENT, false, "neither a service address nor its solicited-node group") \
	X(DROP_IPV6_SOURCE, VERDICT_SILENT, false, "IPv6 source that cannot be answered") \
	X(DROP_IPV6_FRAGMENT, VERDICT_SILENT, false, "IPv6 fragment") \
	X(DROP_IPV6_EXTENSION, VERDICT_SILENT, false, "IPv6 extension header") \
	X(DROP_IPV6_PROTOCOL, VERDICT_SILENT, false, "neither UDP nor ICMPv6") \
	X(DROP_ICMP_MALFORMED, VERDICT_SILENT, false, "ICMP truncated or wrong checksum") \
	X(DROP_ICMP_TYPE, VERDICT_SILENT, false, "ICMP other than an echo request") \
	X(DROP_ICMPV6_MALFORMED, VERDICT_SILENT, false, "ICMPv6 truncated or wrong checksum") \
	X(DROP_ICMPV6_TYPE, VERDICT_SILENT, false, "ICMPv6 other than echo request and neighbour solicitation") \
	X(DROP_ND_MALFORMED, VERDICT_SILENT, false, "neighbour solicitation that RFC 4861 7.1.1 rejects") \
	X(DROP_ND_TARGET, VERDICT_SILENT, false, "neighbour solicitation for another address") \
	X(DROP_UDP_LENGTH, VERDICT_SILENT, false, "UDP truncated or length contradicts IP") \
	X(DROP_UDP_PORT, VERDICT_SILENT, false, "no service on that UDP port") \
	X(DROP_UDP_SOURCE_PORT, VERDICT_SILENT, false, "UDP source port 0 cannot be answered") \
	X(DROP_UDP_CHECKSUM, VERDICT_SILENT, false, "UDP checksum wrong, or zero over IPv6 (on a veth: ethtool -K DEV tx off)") \
	X(DROP_ERROR_SOURCE_LIMIT, VERDICT_SILENT, false, "besides the message's verdict: Error withheld, source over its limit") \
	X(DROP_ERROR_WORKER_LIMIT, VERDICT_SILENT, false, "besides the message's verdict: Error withheld, worker over its limit") \
	X(DROP_RESPONSE_MTU, VERDICT_SILENT, false, "besides the message's verdict: answer exceeds the port's MTU") \
	X(DROP_NO_BUFFER, VERDICT_SILENT, false, "no packet buffer left for the answer") \
	X(DROP_TX_FULL, VERDICT_SILENT, false, "besides the message's verdict: transmit queue full")

#define VERDICT_TABLE(X) VERDICT_ENGINE_TABLE(X) VERDICT_NET_TABLE(X)

enum verdict {
	VERDICT_PENDING = 0, /* still in the batch; never counted */
#define X(name, error_no, authenticated, description) VERDICT_##name,
	VERDICT_TABLE(X)
#undef X
	VERDICT_COUNT,
};

struct verdict_info {
	const char *name; /* lower case, for metrics: "resolve_ok" */
	const char *description;
	int error_no;
	bool authenticated;
};

/* v < VERDICT_COUNT. */
const struct verdict_info *verdict_info(enum verdict v);

#endif
