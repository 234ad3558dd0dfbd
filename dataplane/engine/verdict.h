/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What became of a message: one table for the engine, the network layer and the worker. Every drop
 * is a verdict, every verdict a counter (metric label = name).
 */
#ifndef TKMS_ENGINE_VERDICT_H
#define TKMS_ENGINE_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/mikey/types.h"

enum { VERDICT_SILENT = -1 };

/*
 * Entries: name, MIKEY error number (VERDICT_SILENT: no answer), was the sender authenticated when
 * it was decided, description.
 */

/* Order of the engine's part: order of the checks. Numbers: enum mikey_error. */
#define VERDICT_ENGINE_TABLE(X)                                                                   \
	X(REQUEST_OK, VERDICT_SILENT, true, "REQUEST_INIT answered with REQUEST_RESP")            \
	X(RESOLVE_OK, VERDICT_SILENT, true, "RESOLVE_INIT answered with RESOLVE_RESP")            \
	X(MESSAGE_SHORT, VERDICT_SILENT, false, "fewer octets than a header")                     \
	X(MESSAGE_RESPONSE_TYPE, VERDICT_SILENT, false,                                           \
		"Error, response or Ticket Transfer message: never answered")                     \
	X(MESSAGE_OVERSIZE, MIKEY_ERR_UNSPECIFIED, false, "longer than the cap on messages")      \
	X(MESSAGE_VERSION, MIKEY_ERR_UNSPECIFIED, false, "MIKEY version other than 1")            \
	X(MESSAGE_PUBLIC_KEY, MIKEY_ERR_INVALID_DT, false, "public-key variant")                  \
	X(MESSAGE_ROLE, VERDICT_SILENT, false, "for nodes of another role (cluster.roles)")       \
	X(MESSAGE_DATA_TYPE, MIKEY_ERR_INVALID_DT, false, "data type that is not known")          \
	X(MESSAGE_PRF, MIKEY_ERR_INVALID_PRF, false, "PRF func that is not known")                \
	X(MESSAGE_MALFORMED, MIKEY_ERR_UNSPECIFIED, false, "payloads do not parse")               \
	X(MESSAGE_TS_TYPE, MIKEY_ERR_INVALID_TS, false, "T has a TS type that is not known")      \
	X(MESSAGE_HASH_FUNC, MIKEY_ERR_INVALID_HA, false,                                         \
		"CHASH with a hash function that is not known")                                   \
	X(MESSAGE_DH_GROUP, MIKEY_ERR_INVALID_DH, false, "DH with a group that is not known")     \
	X(MESSAGE_NO_V, MIKEY_ERR_UNSPECIFIED, false, "V is missing or not last")                 \
	X(MESSAGE_MAC_ALG, MIKEY_ERR_INVALID_MAC, false, "NULL or unknown MAC algorithm")         \
	X(MESSAGE_MIXED, MIKEY_ERR_INVALID_MAC, false,                                            \
		"PRF and MAC algorithm of different strength")                                    \
	X(MESSAGE_NO_T, MIKEY_ERR_UNSPECIFIED, false, "T is missing")                             \
	X(MESSAGE_NO_RANDR, MIKEY_ERR_UNSPECIFIED, false, "RANDRi or RANDRr is missing or empty") \
	X(MESSAGE_NO_TP, MIKEY_ERR_UNSPECIFIED, false, "REQUEST_INIT without TP")                 \
	X(MESSAGE_NO_TICKET, MIKEY_ERR_UNSPECIFIED, false, "RESOLVE_INIT without TICKET")         \
	X(MESSAGE_IDENTITY_LONG, MIKEY_ERR_UNSPECIFIED, false, "identity longer than the cap")    \
	X(MESSAGE_COUNTER, MIKEY_ERR_INVALID_TS, false, "COUNTER as T: would never go stale")     \
	X(MESSAGE_SKEW, MIKEY_ERR_INVALID_TS, false, "T outside the skew window")                 \
	X(MESSAGE_SKEW_NOT_IN_SYNC, VERDICT_SILENT, false,                                        \
		"T outside the skew window, but this node's clock may be off")                    \
	X(MESSAGE_NO_IDENTITY, MIKEY_ERR_AUTH_FAILURE, false,                                     \
		"neither IDRpsk nor an identity to find the PSK by")                              \
	X(AUTH_UNKNOWN, MIKEY_ERR_AUTH_FAILURE, false, "no such subscriber, or expired")          \
	X(AUTH_UNKNOWN_NOT_IN_SYNC, VERDICT_SILENT, false,                                        \
		"no such subscriber, but this node may be behind")                                \
	X(AUTH_MAC, MIKEY_ERR_AUTH_FAILURE, false, "MAC of the message is wrong")                 \
	X(AUTH_MAC_NOT_IN_SYNC, VERDICT_SILENT, false,                                            \
		"MAC of the message is wrong, but this node may have an old PSK")                 \
	X(LIMIT_REPEAT, VERDICT_SILENT, true,                                                     \
		"same message as before, more often than setting limits.repeats_per_message")     \
	X(LIMIT_SUBSCRIBER, VERDICT_SILENT, true,                                                 \
		"subscriber over its limit (limits.messages_per_subscriber or _function)")        \
	X(MESSAGE_MAP, MIKEY_ERR_UNSPECIFIED, true,                                               \
		"crypto sessions or a map other than the Empty map")                              \
	X(MESSAGE_KMS, MIKEY_ERR_INVALID_ID, true, "IDRkms is not this KMS")                      \
	X(MESSAGE_IDENTITY, MIKEY_ERR_INVALID_ID, true,                                           \
		"IDRi or IDRr is not an identity of the subscriber")                              \
	X(REQUEST_TICKET_TYPE, MIKEY_ERR_INVALID_TICKET, true, "ticket type is not granted")      \
	X(REQUEST_PRF, MIKEY_ERR_INVALID_PRF, true, "PRF func of TP is not known")                \
	X(REQUEST_TP_MALFORMED, MIKEY_ERR_INVALID_TPPAR, true, "TP Data does not parse")          \
	X(REQUEST_IDENTITY_LONG, MIKEY_ERR_INVALID_TPPAR, true,                                   \
		"identity in TP is empty or longer than the cap")                                 \
	X(REQUEST_KMS, MIKEY_ERR_INVALID_ID, true, "IDRkms in TP is not this KMS")                \
	X(REQUEST_IDENTITY, MIKEY_ERR_INVALID_ID, true, "IDRi in TP is not the requester")        \
	X(REQUEST_NO_RESPONDER, MIKEY_ERR_INVALID_TPPAR, true, "TP without IDRr")                 \
	X(REQUEST_RESPONDERS, MIKEY_ERR_INVALID_TPPAR, true, "more IDRr than the cap")            \
	X(REQUEST_APPLICATIONS, MIKEY_ERR_INVALID_TPPAR, true, "more IDRapp than the cap")        \
	X(REQUEST_WILDCARDS, MIKEY_ERR_INVALID_TPPAR, true,                                       \
		"more wildcards in an IDRr than the cap")                                         \
	X(REQUEST_GROUP, MIKEY_ERR_INVALID_TPPAR, true,                                           \
		"group identity, and groups are not granted")                                     \
	X(REQUEST_DENIED, MIKEY_ERR_INVALID_ID, true,                                             \
		"a rule denies tickets of this requester for an IDRr")                            \
	X(REQUEST_TIME_TYPE, MIKEY_ERR_INVALID_TPPAR, true, "TS type of TRs, TRe or TRr")         \
	X(REQUEST_TIME_ORDER, MIKEY_ERR_INVALID_TPPAR, true, "TRs later than TRe")                \
	X(REQUEST_TIME_PAST, MIKEY_ERR_INVALID_TPPAR, true, "TRe before the time of the request") \
	X(REQUEST_KEMAC, MIKEY_ERR_INVALID_TPPAR, true, "KEMAC in TP with encryption or MAC")     \
	X(REQUEST_KEYS_MALFORMED, MIKEY_ERR_INVALID_TPPAR, true, "key data in TP does not parse") \
	X(REQUEST_KEYS, MIKEY_ERR_INVALID_TPPAR, true, "more keys than the cap")                  \
	X(REQUEST_KEY_MPK, MIKEY_ERR_INVALID_TPPAR, true, "MPK in TP")                            \
	X(REQUEST_KEY_VALIDITY, MIKEY_ERR_INVALID_TPPAR, true,                                    \
		"key validity Interval: cannot carry an SPI")                                     \
	X(REQUEST_KEY_SIZE, MIKEY_ERR_INVALID_TPPAR, true, "key or salt length")                  \
	X(REQUEST_KEY_STRENGTH, MIKEY_ERR_INVALID_TPPAR, true,                                    \
		"key longer than 128 bits with 128-bit algorithms")                               \
	X(REQUEST_SPI, MIKEY_ERR_INVALID_TPPAR, true, "SPI that is empty or used twice")          \
	X(REQUEST_FLAGS, MIKEY_ERR_INVALID_TPPAR, true, "flags that contradict each other")       \
	X(REQUEST_NO_SEALING_KEY, VERDICT_SILENT, true,                                           \
		"no active sealing key that outlives the ticket")                                 \
	X(REQUEST_WEAK_KEY, MIKEY_ERR_UNSPECIFIED, true, "generated key is not acceptable")       \
	X(RESOLVE_TICKET_TYPE, MIKEY_ERR_INVALID_TICKET, true, "ticket type is not resolved")     \
	X(RESOLVE_PRF, MIKEY_ERR_INVALID_PRF, true, "PRF func of the ticket is not known")        \
	X(RESOLVE_TP_MALFORMED, MIKEY_ERR_UNSPECIFIED, true,                                      \
		"TP Data of the ticket does not parse")                                           \
	X(RESOLVE_TICKET_MALFORMED, MIKEY_ERR_UNSPECIFIED, true, "Ticket Data does not parse")    \
	X(RESOLVE_TIME_TYPE, MIKEY_ERR_INVALID_TPPAR, true, "TS type in the ticket")              \
	X(RESOLVE_ENCR_ALG, MIKEY_ERR_INVALID_EA, true, "encryption of the ticket")               \
	X(RESOLVE_MAC_ALG, MIKEY_ERR_INVALID_MAC, true, "MAC algorithm of the ticket")            \
	X(RESOLVE_MIXED, MIKEY_ERR_INVALID_EA, true,                                              \
		"algorithms of the ticket of different strength")                                 \
	X(RESOLVE_UNKNOWN_KEY, MIKEY_ERR_AUTH_FAILURE, true,                                      \
		"ticket under a key that is not known")                                           \
	X(RESOLVE_UNKNOWN_KEY_NOT_IN_SYNC, VERDICT_SILENT, true,                                  \
		"ticket under a key that is not known, but this node may be behind")              \
	X(RESOLVE_TICKET_MAC, MIKEY_ERR_AUTH_FAILURE, true, "MAC of the ticket is wrong")         \
	X(RESOLVE_D_FLAG, MIKEY_ERR_INVALID_TPPAR, true,                                          \
		"D flag contradicts the owner of the ticket's key")                               \
	X(RESOLVE_MODE3_DENIED, MIKEY_ERR_INVALID_ID, true,                                       \
		"initiator-made tickets are not resolved, or a rule denies this one")             \
	X(RESOLVE_MODE3_OWNER, MIKEY_ERR_INVALID_ID, true,                                        \
		"initiator-made ticket without IDRi or in the name of somebody else")             \
	X(RESOLVE_MODE3_LIFETIME, MIKEY_ERR_INVALID_TPPAR, true,                                  \
		"initiator-made ticket without TRe or longer than policy grants")                 \
	X(RESOLVE_MODE3_FLAGS, MIKEY_ERR_INVALID_TPPAR, true,                                     \
		"initiator-made ticket with flags that policy does not grant")                    \
	X(RESOLVE_MODE3_RESPONDERS, MIKEY_ERR_INVALID_TPPAR, true,                                \
		"initiator-made ticket with IDRr that policy does not grant")                     \
	X(RESOLVE_MODE3_KEYS, MIKEY_ERR_INVALID_TPPAR, true,                                      \
		"initiator-made ticket with keys that policy does not grant")                     \
	X(RESOLVE_NOT_YET_VALID, MIKEY_ERR_INVALID_TS, true, "before TRs of the ticket")          \
	X(RESOLVE_EXPIRED, MIKEY_ERR_INVALID_TS, true, "after TRe of the ticket")                 \
	X(RESOLVE_TIME_NOT_IN_SYNC, VERDICT_SILENT, true,                                         \
		"outside the validity of the ticket, but this node's clock may be off")           \
	X(RESOLVE_UNAUTHORIZED, MIKEY_ERR_INVALID_ID, true,                                       \
		"the ticket is not for this responder")                                           \
	X(RESOLVE_KEYS_MALFORMED, MIKEY_ERR_UNSPECIFIED, true,                                    \
		"key data of the ticket does not parse, or without MPK")                          \
	X(RESOLVE_KEY_SIZE, MIKEY_ERR_INVALID_TICKET, true, "key length in the ticket")           \
	X(RESOLVE_KEY_STRENGTH, MIKEY_ERR_INVALID_EA, true,                                       \
		"session keys longer than 128 bits asked for with 128-bit algorithms")            \
	X(RESOLVE_NO_INITIATOR_DATA, MIKEY_ERR_UNSPECIFIED, true,                                 \
		"forked ticket without Vi and Vr")                                                \
	X(RESOLVE_INITIATOR_DATA_ALG, MIKEY_ERR_INVALID_MAC, true,                                \
		"NULL, unknown or different algorithms in Vi and Vr")                             \
	X(RESOLVE_INITIATOR_DATA_MAC, MIKEY_ERR_AUTH_FAILURE, true, "Vr is wrong")                \
	X(RESOLVE_NO_GENERATION_KEY, VERDICT_SILENT, true,                                        \
		"no active sealing key to generate RANDRkms with")                                \
	X(RESPONSE_SIZE, MIKEY_ERR_UNSPECIFIED, true,                                             \
		"response is larger than any that can be sent")

/* The network layer's and the worker's part, from the outside in. */
#define VERDICT_NET_TABLE(X)                                                                      \
	X(ARP_ANSWERED, VERDICT_SILENT, false, "ARP request for a service address answered")      \
	X(ND_ANSWERED, VERDICT_SILENT, false,                                                     \
		"neighbour solicitation for a service address answered")                          \
	X(ECHO_ANSWERED, VERDICT_SILENT, false, "ICMP or ICMPv6 echo request answered")           \
	X(FRAGMENT_KEPT, VERDICT_SILENT, false, "fragment kept until its datagram is complete")   \
	X(DROP_NOT_READY, VERDICT_SILENT, false,                                                  \
		"no snapshot or no subscribers yet: tkms-control has not been heard of")          \
	X(DROP_FRAME_SEGMENTS, VERDICT_SILENT, false, "frame in several buffers that fits none")  \
	X(DROP_ETH_SHORT, VERDICT_SILENT, false, "shorter than an Ethernet header")               \
	X(DROP_ETH_DESTINATION, VERDICT_SILENT, false, "destination MAC is not ours")             \
	X(DROP_ETH_SOURCE, VERDICT_SILENT, false, "source MAC is zero, multicast or ours")        \
	X(DROP_ETH_VLAN, VERDICT_SILENT, false,                                                   \
		"VLAN that is not served (setting service.vlans), or a tag in a tag")             \
	X(DROP_ETH_TYPE, VERDICT_SILENT, false, "neither ARP nor IPv4 nor IPv6")                  \
	X(DROP_ARP_MALFORMED, VERDICT_SILENT, false,                                              \
		"ARP not for Ethernet and IPv4, truncated or contradictory")                      \
	X(DROP_ARP_NOT_REQUEST, VERDICT_SILENT, false,                                            \
		"ARP reply, announcement or unknown operation")                                   \
	X(DROP_ARP_TARGET, VERDICT_SILENT, false, "ARP request for another address")              \
	X(DROP_IPV4_HEADER, VERDICT_SILENT, false,                                                \
		"IPv4 version, header length or truncated header")                                \
	X(DROP_IPV4_LENGTH, VERDICT_SILENT, false,                                                \
		"IPv4 total length exceeds the frame or undercuts the header")                    \
	X(DROP_IPV4_CHECKSUM, VERDICT_SILENT, false, "IPv4 header checksum")                      \
	X(DROP_IPV4_DESTINATION, VERDICT_SILENT, false, "not a service address")                  \
	X(DROP_IPV4_SOURCE, VERDICT_SILENT, false, "IPv4 source that cannot be answered")         \
	X(DROP_IPV4_PROTOCOL, VERDICT_SILENT, false, "neither UDP nor ICMP")                      \
	X(DROP_IPV6_HEADER, VERDICT_SILENT, false, "IPv6 version or truncated header")            \
	X(DROP_IPV6_LENGTH, VERDICT_SILENT, false,                                                \
		"IPv6 payload length is zero or exceeds the frame")                               \
	X(DROP_IPV6_DESTINATION, VERDICT_SILENT, false, "not a service address")                  \
	X(DROP_IPV6_SOURCE, VERDICT_SILENT, false, "IPv6 source that cannot be answered")         \
	X(DROP_IPV6_EXTENSION, VERDICT_SILENT, false, "IPv6 extension header")                    \
	X(DROP_IPV6_PROTOCOL, VERDICT_SILENT, false, "neither UDP nor ICMPv6")                    \
	X(DROP_FRAGMENT_PROTOCOL, VERDICT_SILENT, false, "fragment of something else than UDP")   \
	X(DROP_FRAGMENT_MALFORMED, VERDICT_SILENT, false,                                         \
		"fragment that is empty, or neither last nor a multiple of 8 octets")             \
	X(DROP_FRAGMENT_SIZE, VERDICT_SILENT, false,                                              \
		"fragment of a datagram longer than any message")                                 \
	X(DROP_FRAGMENT_TINY, VERDICT_SILENT, false,                                              \
		"fragment of less than 256 octets that is not the last")                          \
	X(DROP_FRAGMENT_DUPLICATE, VERDICT_SILENT, false, "fragment that is there already")       \
	X(DROP_FRAGMENT_OVERLAP, VERDICT_SILENT, false,                                           \
		"fragment that overlaps or contradicts another: its datagram is refused")         \
	X(DROP_FRAGMENT_REFUSED, VERDICT_SILENT, false, "fragment of a datagram that is refused") \
	X(DROP_FRAGMENT_TIMEOUT, VERDICT_SILENT, false,                                           \
		"besides its fragments' verdicts: datagram not complete in time")                 \
	X(DROP_FRAGMENT_SOURCE, VERDICT_SILENT, false,                                            \
		"besides its fragments' verdicts: datagram given up for a newer one of its "      \
		"source")                                                                         \
	X(DROP_FRAGMENT_FULL, VERDICT_SILENT, false,                                              \
		"besides its fragments' verdicts: datagram given up for a newer one, places "     \
		"being full; or fragment for which no place was left")                            \
	X(DROP_ICMP_MALFORMED, VERDICT_SILENT, false, "ICMP truncated or wrong checksum")         \
	X(DROP_ICMP_TYPE, VERDICT_SILENT, false, "ICMP other than an echo request")               \
	X(DROP_ICMPV6_MALFORMED, VERDICT_SILENT, false, "ICMPv6 truncated or wrong checksum")     \
	X(DROP_ICMPV6_TYPE, VERDICT_SILENT, false,                                                \
		"ICMPv6 other than echo request and neighbour solicitation")                      \
	X(DROP_ICMPV6_TOO_BIG, VERDICT_SILENT, false,                                             \
		"a router says packet too big: setting service.ipv6_path_mtu may be too high")    \
	X(DROP_ND_MALFORMED, VERDICT_SILENT, false,                                               \
		"neighbour solicitation that RFC 4861 7.1.1 rejects")                             \
	X(DROP_ND_TARGET, VERDICT_SILENT, false, "neighbour solicitation for another address")    \
	X(DROP_UDP_LENGTH, VERDICT_SILENT, false, "UDP truncated or length contradicts IP")       \
	X(DROP_UDP_PORT, VERDICT_SILENT, false, "no service on that UDP port")                    \
	X(DROP_UDP_SOURCE_PORT, VERDICT_SILENT, false, "UDP source port 0 cannot be answered")    \
	X(DROP_UDP_CHECKSUM, VERDICT_SILENT, false,                                               \
		"UDP checksum wrong, or zero over IPv6 (on a veth: ethtool -K DEV tx off)")       \
	X(DROP_SOURCE_LIMIT, VERDICT_SILENT, false,                                               \
		"frame of a source over its limit (limits.messages_per_source)")                  \
	X(DROP_ERROR_SOURCE_LIMIT, VERDICT_SILENT, false,                                         \
		"besides the message's verdict: Error withheld, source over its limit")           \
	X(DROP_ERROR_WORKER_LIMIT, VERDICT_SILENT, false,                                         \
		"besides the message's verdict: Error withheld, worker over its limit")           \
	X(DROP_NO_BUFFER, VERDICT_SILENT, false, "no packet buffer left for the answer")          \
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
