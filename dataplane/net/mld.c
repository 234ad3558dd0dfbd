/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/net/mld.h"

#include <string.h>

#include "dataplane/net/checksum.h"
#include "dataplane/net/layers.h"
#include "dataplane/net/octets.h"

enum {
	MLD_HOP_BY_HOP = 0,
	MLD_OPTIONS_LEN = 8,
	MLD_REPORT = 143,
	MLD_REPORT_OCTETS = 28, /* with one record */
	MLD_HOP_LIMIT = 1,
	MLD_CHANGE_TO_EXCLUDE = 4, /* from any source */
};

static const uint8_t routers[NET_IPV6_OCTETS] = {0xff, 0x02, [15] = 0x16};
static const uint8_t routers_mac[NET_MAC_LEN] = {0x33, 0x33, 0, 0, 0, 0x16};

/* Reports come from a link-local address (5.2.13): the one that follows from the MAC address (RFC
 * 4291, appendix A). */
static void link_local(uint8_t *out, const uint8_t *mac)
{
	memset(out, 0, NET_IPV6_OCTETS);
	out[0] = 0xfe;
	out[1] = 0x80;
	memcpy(out + 8, mac, 3);
	out[8] ^= 0x02;
	out[11] = 0xff;
	out[12] = 0xfe;
	memcpy(out + 13, mac + 3, 3);
}

size_t net_mld_report(const uint8_t *mac, const uint8_t *address, uint8_t *out)
{
	/* ICMPv6 follows; router alert for MLD (RFC 2711); padding */
	static const uint8_t options[MLD_OPTIONS_LEN] = {NET_ICMPV6, 0, 5, 2, 0, 0, 1, 0};
	static const uint8_t group[13] = {0xff, 0x02, [11] = 0x01, [12] = 0xff};
	uint8_t *icmp = out + NET_ETH_LEN + NET_IPV6_LEN + MLD_OPTIONS_LEN;
	uint8_t source[NET_IPV6_OCTETS];
	uint64_t sum;

	link_local(source, mac);
	net_eth_header(out, routers_mac, mac, NET_TYPE_IPV6);
	net_ipv6_header(out + NET_ETH_LEN, source, routers, MLD_HOP_BY_HOP,
		MLD_OPTIONS_LEN + MLD_REPORT_OCTETS, MLD_HOP_LIMIT);
	memcpy(icmp - MLD_OPTIONS_LEN, options, sizeof(options));
	memset(icmp, 0, MLD_REPORT_OCTETS);
	icmp[0] = MLD_REPORT;
	put16(icmp + 6, 1);
	icmp[8] = MLD_CHANGE_TO_EXCLUDE;
	memcpy(icmp + 12, group, sizeof(group));
	memcpy(icmp + 25, address + 13, 3);
	sum = net_sum_pseudo(6, source, routers, NET_ICMPV6, MLD_REPORT_OCTETS);
	net_store_checksum(icmp + 2, net_sum(sum, icmp, MLD_REPORT_OCTETS));
	return NET_MLD_REPORT_LEN;
}
