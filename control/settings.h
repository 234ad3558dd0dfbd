/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every setting of tkms-control, one line each: the one source of the configuration's schema, its
 * structs, defaults, ranges, help and what a reload may change.
 *
 *   X(section, name, kind, default, min, max, reload, help)
 *
 * kind: TEXT (range: octets), UINT, TIME (a duration, range in milliseconds), BOOL, or the name of
 * a table of choices. default: as it would be written in the file; NULL: must be given. reload:
 * LIVE (SIGHUP) or RESTART.
 */
#ifndef TKMS_CONTROL_SETTINGS_H
#define TKMS_CONTROL_SETTINGS_H

#define SECOND 1000ull
#define DAY    (86400 * SECOND)

#define SETTINGS_KMS(X)                                                                            \
	X(kms, identity, TEXT, NULL, 3, 255, RESTART,                                              \
		"Identity of this KMS (IDRkms), user@domain.")                                     \
	X(kms, profile, PROFILE, "3gpp", 0, 0, LIVE,                                               \
		"What is granted: 3gpp (keys are forked, every ticket has a validity) or rfc6043 " \
		"(whatever RFC 6043 allows).")

#define SETTINGS_NODE(X)                                                                         \
	X(node, name, TEXT, "", 0, 63, RESTART, "Name of this node; empty: the host name.")      \
	X(node, state_dir, TEXT, "/var/lib/tkms", 1, 4000, RESTART, "Directory of the store.")   \
	X(node, run_dir, TEXT, "/run/tkms", 1, 80, RESTART,                                      \
		"Directory of the sockets: control.sock (tkmsctl) and dataplane.sock.")          \
	X(node, kek_file, TEXT, "/etc/tkms/kek", 1, 4000, RESTART,                               \
		"Key encryption key: 32 octets, raw or as 64 hex digits, readable by its owner " \
		"only. "                                                                         \
		"$CREDENTIALS_DIRECTORY/kek (systemd) comes first if it exists.")

#define SETTINGS_SERVICE(X)                                                                       \
	X(service, port, UINT, "2269", 1, 65535, LIVE, "UDP port of the service.")                \
	X(service, ipv4_path_mtu, UINT, "1500", 576, 9216, LIVE,                                  \
		"Longest IPv4 packet that leaves in one piece where the port takes longer ones; " \
		"longer answers leave in fragments. Routers on the way may fragment further.")    \
	X(service, ipv6_path_mtu, UINT, "1280", 1280, 9216, LIVE,                                 \
		"The same for IPv6, where no router fragments: every path to the clients has to " \
		"take it. 1280 fits everywhere.")

#define SETTINGS_POLICY(X)                                                                         \
	X(policy, max_skew, TIME, "300s", SECOND, DAY, LIVE,                                       \
		"Messages whose time is further than this from ours are refused.")                 \
	X(policy, default_lifetime, TIME, "24h", SECOND, 3650 * DAY, LIVE,                         \
		"Lifetime of a ticket when none is asked for.")                                    \
	X(policy, max_lifetime, TIME, "7d", SECOND, 3650 * DAY, LIVE,                              \
		"Longest lifetime of a ticket.")                                                   \
	X(policy, allow_groups, BOOL, "true", 0, 0, LIVE, "Tickets for groups ('?' in an IDRr).")  \
	X(policy, allow_reuse, BOOL, "true", 0, 0, LIVE,                                           \
		"Tickets that may be used more than once.")                                        \
	X(policy, allow_mode3, BOOL, "true", 0, 0, LIVE, "Tickets made by initiators themselves.") \
	X(policy, allow_no_forking, BOOL, "true", 0, 0, LIVE,                                      \
		"Tickets without key forking (profile rfc6043 only).")                             \
	X(policy, end_to_middle_app, TEXT, "", 0, 255, LIVE,                                       \
		"IDRapp of tickets that network functions may resolve; empty: none.")

#define SETTINGS_LIMITS(X)                                                                  \
	X(limits, max_message, UINT, "8192", 128, 65507, LIVE, "Longest message, octets.")  \
	X(limits, max_recipients, UINT, "32", 1, 32, LIVE, "IDRr in a ticket.")             \
	X(limits, max_wildcards, UINT, "8", 0, 8, LIVE, "'?' in an identity.")              \
	X(limits, max_identity, UINT, "255", 3, 255, LIVE, "Longest identity, octets.")     \
	X(limits, max_keys, UINT, "16", 1, 16, LIVE, "Session keys in a ticket.")           \
	X(limits, messages_per_source, UINT, "50000", 0, 1000000, LIVE,                     \
		"Frames a second that a worker takes of one source (IPv4 address, IPv6 "    \
		"/64) before it drops them unread; 0: no limit. The default is several "    \
		"times what all of ten million subscribers send: an HTTP edge or SBC that " \
		"relays for many is not held up.")                                          \
	X(limits, source_burst, UINT, "50000", 1, 1000000, LIVE,                            \
		"Frames of one source in a burst.")                                         \
	X(limits, messages_per_subscriber, UINT, "200", 0, 1000000, LIVE,                   \
		"Messages a second with a subscriber's right MAC that a worker answers; "   \
		"0: no limit.")                                                             \
	X(limits, subscriber_burst, UINT, "2000", 1, 1000000, LIVE,                         \
		"Messages of one subscriber in a burst.")                                   \
	X(limits, messages_per_function, UINT, "10000", 0, 1000000, LIVE,                   \
		"The same for subscribers with the role function (gateways that resolve "   \
		"for many calls); 0: no limit.")                                            \
	X(limits, function_burst, UINT, "10000", 1, 1000000, LIVE,                          \
		"Messages of one network function in a burst.")                             \
	X(limits, repeats_per_message, UINT, "10", 0, 1000000, LIVE,                        \
		"Answers a second of a worker to one and the same message, however often "  \
		"and from wherever it comes: bounds what replays from false addresses "     \
		"reflect; 0: no limit.")                                                    \
	X(limits, repeat_burst, UINT, "100", 1, 1000000, LIVE,                              \
		"Answers to the same message in a burst.")                                  \
	X(limits, errors_per_source, UINT, "100", 0, 1000000, LIVE,                         \
		"Errors a second to unauthenticated messages of one address; 0: no limit.") \
	X(limits, errors_burst, UINT, "500", 1, 1000000, LIVE,                              \
		"Errors to one address in a burst.")                                        \
	X(limits, errors_per_worker, UINT, "10000", 0, 100000000, LIVE,                     \
		"Errors a second to unauthenticated messages of a whole worker; 0: no limit.")

#define SETTINGS_KEYS(X)                                                  \
	X(keys, rotation_interval, TIME, "24h", SECOND, 3650 * DAY, LIVE, \
		"Age at which the active sealing key gets a successor.")  \
	X(keys, activation_lead, TIME, "60s", 0, DAY, LIVE,               \
		"Least time between a new sealing key's publication and its first use.")

#define SETTINGS_SYNC(X)                                                                        \
	X(sync, primary, TEXT, "tkms", 1, 63, RESTART,                                          \
		"Name of the Redis primary, as the Sentinels know it.")                         \
	X(sync, user, TEXT, "", 0, 63, RESTART, "ACL user of Redis; empty: the default user.")  \
	X(sync, password_file, TEXT, "", 0, 4000, RESTART,                                      \
		"File with the user's password, read at each connect; empty: no password.")     \
	X(sync, prefix, TEXT, "tkms", 1, 63, RESTART,                                           \
		"What the names of all keys in Redis begin with; the same on every node of a "  \
		"replica set.")                                                                 \
	X(sync, max_staleness, TIME, "24h", 10 * SECOND, 3650 * DAY, LIVE,                      \
		"A node that has heard nothing of Redis or of the others for so long gives up " \
		"its "                                                                          \
		"service addresses.")

#define SETTINGS_CLUSTER(X)                                                                    \
	X(cluster, heartbeat, TIME, "250ms", 50, 10 * SECOND, LIVE,                            \
		"Time between two heartbeats of a node of a replica set.")                     \
	X(cluster, dead_after, TIME, "1s", 200, 60 * SECOND, LIVE,                             \
		"A member whose heartbeats stand still for so long is dead, and others take "  \
		"its addresses.")                                                              \
	X(cluster, max_clock_offset, TIME, "30s", SECOND, DAY, LIVE,                           \
		"A node whose clock is further than this from those of most members gives up " \
		"its addresses.")

#define SETTINGS_LOG(X)                                                                \
	X(log, level, LOG_LEVEL, "info", 0, 0, LIVE, "error, warning, info or debug.") \
	X(log, format, LOG_FORMAT, "text", 0, 0, LIVE, "text (key=value) or json.")

#define SETTINGS_METRICS(X)                                                                   \
	X(metrics, listen, TEXT, "127.0.0.1:9269", 0, 64, RESTART,                            \
		"ADDRESS:PORT on which Prometheus finds /metrics (plain HTTP, for everybody " \
		"who reaches it); empty: none.")

#define SETTINGS(X)         \
	SETTINGS_KMS(X)     \
	SETTINGS_NODE(X)    \
	SETTINGS_SERVICE(X) \
	SETTINGS_POLICY(X)  \
	SETTINGS_LIMITS(X)  \
	SETTINGS_KEYS(X)    \
	SETTINGS_SYNC(X)    \
	SETTINGS_CLUSTER(X) \
	SETTINGS_METRICS(X) \
	SETTINGS_LOG(X)

/* Lists, handled one by one: X(section, name, default, reload, help) */
#define SETTINGS_LISTS(X)                                                                          \
	X(service, addresses, NULL, LIVE,                                                          \
		"Service addresses with the prefix length of their network, IPv4 and IPv6; all "   \
		"of a "                                                                            \
		"replica set, the same on every node.",                                            \
		"[192.0.2.10/24, \"2001:db8::10/64\"]")                                            \
	X(service, vlans, "[0]", LIVE,                                                             \
		"VLAN ids of frames that are served; 0: frames without a tag. An answer carries "  \
		"the tag of what it answers.",                                                     \
		"[0, 100, 200]")                                                                   \
	X(limits, trusted_edges, "[]", LIVE,                                                       \
		"Addresses of edges that relay for many clients and give each a source port of "   \
		"its own (tkms-http): limits on a source count address and port there. Only "      \
		"addresses that the network lets nobody else use.",                                \
		"[192.0.2.80/32, \"2001:db8::80/128\"]")                                           \
	X(cluster, roles, "[request, resolve]", LIVE,                                              \
		"What this node answers; messages for another role get no answer.", "[resolve]")   \
	X(policy, ticket_types, "[1.1.1, 2.0.0]", LIVE,                                            \
		"Ticket types granted: type.subtype.version.", "[1.1.1, 2.0.0]")                   \
	X(policy, rules, "[]", LIVE,                                                               \
		"Who may request tickets for whom; the first match decides, no match allows. '?' " \
		"matches "                                                                         \
		"any octets.",                                                                     \
		"[{from: \"?@guest.example\", to: \"?\", allow: false}]")                          \
	X(sync, sentinels, "[]", RESTART,                                                          \
		"Redis Sentinels, ADDRESS:PORT (numbers, no names; IPv6 in brackets), the same "   \
		"on "                                                                              \
		"every node of a replica set; none: a single node.",                               \
		"[192.0.2.21:26379, \"[2001:db8::22]:26379\"]")

#endif
