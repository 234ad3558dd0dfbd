/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_ethdev.h>

#include "dataplane/log.h"

enum {
	FRAME_OVERHEAD = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN,
	MTU_MIN = 576, /* every host takes an answer in pieces of that size */
};

static int fail(const struct port *port, const char *what, int err)
{
	log_line(LOG_ERROR, what, "port=%s driver=%s error=\"%s\"", port->name, port->driver,
		rte_strerror(-err));
	return err < 0 ? err : -EIO;
}

static int identify(struct port *port, struct rte_eth_dev_info *info)
{
	struct rte_ether_addr mac;
	int err;

	port->driver = "unknown";
	err = rte_eth_dev_get_name_by_port(port->id, port->name);
	if (err < 0)
		return fail(port, "port has no name", err);
	err = rte_eth_dev_info_get(port->id, info);
	if (err < 0)
		return fail(port, "port cannot be asked for its capabilities", err);
	port->driver = info->driver_name;
	/* The kernel's side of a TAP device goes by the same MAC address. */
	port->mac_shared = strcmp(port->driver, "net_tap") == 0;
	err = rte_eth_macaddr_get(port->id, &mac);
	if (err < 0)
		return fail(port, "port has no MAC address", err);
	memcpy(port->mac, mac.addr_bytes, NET_MAC_LEN);
	return 0;
}

static const char *queues_fix(const char *driver)
{
	if (strcmp(driver, "net_af_packet") == 0)
		return "give the device qpairs=N, or leave qpairs out";
	if (strcmp(driver, "net_af_xdp") == 0)
		return "ethtool -L IFACE combined N, and leave queue_count out";
	return "use fewer --workers";
}

static int check_queues(
	const struct port *port, const struct rte_eth_dev_info *info, uint16_t queues)
{
	if (queues <= info->max_rx_queues && queues <= info->max_tx_queues)
		return 0;
	log_line(LOG_ERROR, "port has too few queues for the workers",
		"port=%s driver=%s workers=%u rx_queues=%u tx_queues=%u fix=\"%s\"", port->name,
		port->driver, queues, info->max_rx_queues, info->max_tx_queues,
		queues_fix(port->driver));
	return -EINVAL;
}

/*
 * All fragments of a datagram have to come to one worker: they are spread by addresses. Where the
 * port tells fragments from other packets, those may be spread by UDP ports too, so that one large
 * source keeps all workers busy; otherwise everything is spread by addresses alone.
 */
static uint64_t rss_of(uint64_t offered)
{
	const uint64_t fragments = RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_FRAG_IPV6;
	uint64_t rss = offered & RTE_ETH_RSS_IP;

	if ((offered & fragments) == fragments)
		rss |= offered & RTE_ETH_RSS_UDP;
	return rss;
}

static void choose_offloads(struct port *port, const struct rte_eth_dev_info *info,
	const struct port_settings *s, struct rte_eth_conf *conf)
{
	uint64_t rss = rss_of(info->flow_type_rss_offloads);
	uint64_t frame = (uint64_t)(s->mtu ? s->mtu : RTE_ETHER_MTU) + FRAME_OVERHEAD;

	conf->rxmode.offloads = info->rx_offload_capa &
				(RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM);
	if (frame > s->buffer_size)
		conf->rxmode.offloads |= info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
	conf->txmode.offloads = info->tx_offload_capa &
				(RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM |
					RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE);
	port->tx_udp_checksum = (conf->txmode.offloads & RTE_ETH_TX_OFFLOAD_UDP_CKSUM) != 0;
	if (s->queues > 1 && rss != 0) {
		conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf->rx_adv_conf.rss_conf.rss_hf = rss;
	}
}

static int configure(
	struct port *port, const struct rte_eth_dev_info *info, const struct port_settings *s)
{
	struct rte_eth_conf conf = {0};
	uint16_t rx_size = s->queue_size, tx_size = s->queue_size;
	int socket = rte_eth_dev_socket_id(port->id);
	int err;

	choose_offloads(port, info, s, &conf);
	err = rte_eth_dev_configure(port->id, s->queues, s->queues, &conf);
	if (err < 0)
		return fail(port, "port refuses its configuration", err);
	err = rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &rx_size, &tx_size);
	if (err < 0)
		return fail(port, "port refuses --queue-size", err);
	for (uint16_t q = 0; q < s->queues; q++) {
		struct rte_eth_txconf tx = info->default_txconf;
		struct rte_eth_rxconf rx = info->default_rxconf;

		tx.offloads = conf.txmode.offloads;
		rx.offloads = conf.rxmode.offloads;
		err = rte_eth_rx_queue_setup(
			port->id, q, rx_size, (unsigned int)socket, &rx, s->pools[q]);
		if (err < 0)
			return fail(port, "receive queue cannot be set up", err);
		err = rte_eth_tx_queue_setup(port->id, q, tx_size, (unsigned int)socket, &tx);
		if (err < 0)
			return fail(port, "transmit queue cannot be set up", err);
	}
	return 0;
}

/* The MTU of the kernel's interface behind the port; it is what counts where there is one. */
static int kernel_mtu(unsigned int if_index, uint16_t wanted, uint16_t *mtu)
{
	struct ifreq ifr = {0};
	int s, err = 0;

	if (!if_indextoname(if_index, ifr.ifr_name))
		return -errno;
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s < 0)
		return -errno;
	if (wanted) {
		ifr.ifr_mtu = wanted;
		if (ioctl(s, SIOCSIFMTU, &ifr) < 0)
			err = -errno;
	}
	if (!err && ioctl(s, SIOCGIFMTU, &ifr) < 0)
		err = -errno;
	close(s);
	if (!err)
		*mtu = (uint16_t)(ifr.ifr_mtu < UINT16_MAX ? ifr.ifr_mtu : UINT16_MAX);
	return err;
}

static int settle_mtu(struct port *port, const struct rte_eth_dev_info *info, uint16_t wanted)
{
	int err = rte_eth_dev_get_mtu(port->id, &port->mtu);

	if (err < 0)
		return fail(port, "port does not tell its MTU", err);
	if (info->if_index != 0) {
		err = kernel_mtu(info->if_index, wanted, &port->mtu);
	} else if (wanted && wanted != port->mtu) {
		err = rte_eth_dev_set_mtu(port->id, wanted);
		/* A port that cannot be told (memif) has no limit but its buffers. */
		if (err == 0 || err == -ENOTSUP) {
			err = 0;
			port->mtu = wanted;
		}
	}
	if (err < 0) {
		log_line(LOG_ERROR, "port refuses --mtu",
			"port=%s driver=%s mtu=%u error=\"%s\" fix=\"choose a smaller --mtu or "
			"leave it out\"",
			port->name, port->driver, wanted, rte_strerror(-err));
		return err;
	}
	if (port->mtu < MTU_MIN) {
		log_line(LOG_ERROR, "port's MTU is too small",
			"port=%s driver=%s mtu=%u least=%d fix=\"--mtu 1500\"", port->name,
			port->driver, port->mtu, MTU_MIN);
		return -EINVAL;
	}
	return 0;
}

/* Through the kernel's interface behind the port, for as long as the socket lives: nothing has to
 * be set back, not even after a crash. */
static int join_groups(struct port *port, unsigned int if_index)
{
	struct packet_mreq all = {.mr_ifindex = (int)if_index, .mr_type = PACKET_MR_ALLMULTI};
	int err = 0;

	if (if_index == 0)
		return -ENOTSUP;
	/* No protocol: it receives nothing itself. */
	port->groups = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (port->groups < 0)
		return -errno;
	if (setsockopt(port->groups, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) < 0) {
		err = -errno;
		close(port->groups);
		port->groups = -1;
	}
	return err;
}

/* Solicitations come to groups that follow from the addresses; each way lets them through. */
static void receive_groups(struct port *port, const struct rte_eth_dev_info *info)
{
	int err = rte_eth_allmulticast_enable(port->id);

	if (err < 0)
		err = join_groups(port, info->if_index);
	if (err < 0) {
		err = rte_eth_promiscuous_enable(port->id);
		port->promiscuous = err == 0;
	}
	if (err < 0)
		log_line(LOG_WARNING,
			"port offers neither allmulticast nor promiscuous mode: IPv6 neighbours "
			"may not find us",
			"port=%s driver=%s error=\"%s\"", port->name, port->driver,
			rte_strerror(-err));
}

int port_open(struct port *port, uint16_t id, const struct port_settings *settings)
{
	struct rte_eth_dev_info info;
	int err;

	*port = (struct port){.id = id, .groups = -1};
	err = identify(port, &info);
	if (!err)
		err = check_queues(port, &info, settings->queues);
	if (!err)
		err = configure(port, &info, settings);
	if (!err)
		err = settle_mtu(port, &info, settings->mtu);
	if (err)
		return err;
	err = rte_eth_dev_start(id);
	if (err < 0)
		return fail(port, "port does not start", err);
	receive_groups(port, &info);
	port->needs_admin = port->promiscuous && info.if_index != 0;
	if (!port_link_is_up(port))
		log_line(LOG_WARNING, "port has no link", "port=%s driver=%s", port->name,
			port->driver);
	log_line(LOG_INFO, "port open",
		"port=%s driver=%s mac=" RTE_ETHER_ADDR_PRT_FMT
		" mtu=%u queues=%u tx_udp_checksum=%s",
		port->name, port->driver, port->mac[0], port->mac[1], port->mac[2], port->mac[3],
		port->mac[4], port->mac[5], port->mtu, settings->queues,
		port->tx_udp_checksum ? "port" : "software");
	return 0;
}

void port_close(struct port *port)
{
	int err;

	if (port->groups >= 0)
		close(port->groups);
	/* The interface is not ours alone: leave it as it was. Some ports know no other mode. */
	err = port->promiscuous ? rte_eth_promiscuous_disable(port->id) : 0;
	if (err < 0 && err != -ENOTSUP)
		log_line(LOG_WARNING, "port stays in promiscuous mode", "port=%s error=\"%s\"",
			port->name, rte_strerror(-err));
	err = rte_eth_dev_stop(port->id);
	if (err < 0)
		log_line(LOG_WARNING, "port does not stop", "port=%s error=\"%s\"", port->name,
			rte_strerror(-err));
	err = rte_eth_dev_close(port->id);
	if (err < 0)
		log_line(LOG_WARNING, "port does not close", "port=%s error=\"%s\"", port->name,
			rte_strerror(-err));
}

bool port_link_is_up(const struct port *port)
{
	struct rte_eth_link link = {0};

	return rte_eth_link_get_nowait(port->id, &link) < 0 || link.link_status == RTE_ETH_LINK_UP;
}
