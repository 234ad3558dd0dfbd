/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/preflight.h"

#include <dirent.h>
#include <errno.h>
#include <ifaddrs.h>
#include <libgen.h>
#include <linux/capability.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/crypto/crypto.h"
#include "dataplane/log.h"

enum {
	MEMLOCK_MIN_MIB = 64,
	FRAME_MIN = 2048,
	FRAME_WANTED = 8192 + 256, /* an 8 KiB message with all headers, the kernel's included */
	MIB = 1 << 20,
};

/* Logs an error. Counts as one. */
#define FAIL(message, ...) (log_line(LOG_ERROR, message, __VA_ARGS__), 1u)

static bool has_capability(unsigned int number)
{
	FILE *f = fopen("/proc/self/status", "re");
	unsigned long long set = 0;
	char line[128];

	if (!f)
		return true; /* cannot tell */
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "CapEff: %llx", &set) == 1)
			break;
	fclose(f);
	return set >> number & 1;
}

static unsigned int check_capability(const char *device, unsigned int number, const char *name)
{
	if (has_capability(number))
		return 0;
	return FAIL("not allowed to open the port",
		"device=\"%s\" missing=%s fix=\"run as root, or setcap %s+ep tkms-dataplane\"",
		device, name, name);
}

static unsigned int check_interface(const char *device)
{
	char name[64];
	struct ifreq ifr = {0};
	int s;

	if (eal_device_value(device, "iface", name, sizeof(name)) <= 0)
		return FAIL("port names no interface", "device=\"%s\" fix=\"--vdev=%s,iface=NAME\"",
			device, device);
	if (strlen(name) >= IFNAMSIZ || if_nametoindex(name) == 0)
		return FAIL("interface does not exist",
			"device=\"%s\" iface=%s fix=\"ip link shows what exists in this network "
			"namespace\"",
			device, name);
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s < 0)
		return FAIL("no socket to look at the interface", "iface=%s error=\"%s\"", name,
			strerror(errno));
	memcpy(ifr.ifr_name, name, strlen(name) + 1);
	if (ioctl(s, SIOCGIFFLAGS, &ifr) == 0 && !(ifr.ifr_flags & IFF_UP))
		log_line(LOG_WARNING, "interface is down", "iface=%s fix=\"ip link set %s up\"",
			name, name);
	close(s);
	return 0;
}

static unsigned int check_queues(const char *device, const char *key, unsigned int workers)
{
	char value[16];

	if (eal_device_value(device, key, value, sizeof(value)) <= 0)
		return 0;
	if (strtoul(value, NULL, 10) >= workers)
		return 0;
	return FAIL("port has too few queues for the workers",
		"device=\"%s\" workers=%u fix=\"%s=%u, or leave %s out\"", device, workers, key,
		workers, key);
}

/* An AF_XDP socket takes the frames of one queue of the interface; the kernel keeps the others.
 * DPDK knows combined queues only: an interface without (veth) counts as one. */
static unsigned int check_xdp_queues(const char *device, unsigned int workers)
{
	char name[IFNAMSIZ], value[16];
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	struct ifreq ifr = {.ifr_data = (char *)&channels};
	unsigned int queues, received;
	bool known;
	int s;

	if (eal_device_value(device, "iface", name, sizeof(name)) <= 0 ||
		eal_device_value(device, "start_queue", value, sizeof(value)) > 0)
		return 0;
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s < 0)
		return FAIL("no socket to look at the interface", "iface=%s error=\"%s\"", name,
			strerror(errno));
	memcpy(ifr.ifr_name, name, strlen(name) + 1);
	known = ioctl(s, SIOCETHTOOL, &ifr) == 0;
	close(s);
	queues = known && channels.max_combined ? channels.combined_count : 1;
	received = known ? channels.combined_count + channels.rx_count : 1;
	if (workers > queues)
		return FAIL("interface has too few queues for the workers",
			"iface=%s workers=%u fix=\"--workers %u%s\"", name, workers, queues,
			known && channels.max_combined >= workers
				? ", or more queues (ethtool -L DEV combined N)"
				: "");
	if (received > workers)
		log_line(LOG_WARNING,
			"interface has more queues than workers: frames on the others are not seen",
			"iface=%s queues=%u workers=%u fix=\"ethtool -L %s %s %u\"", name, received,
			workers, name, channels.max_combined ? "combined" : "rx", workers);
	return 0;
}

static unsigned int check_frame_size(const char *device)
{
	char value[16];
	unsigned long size;

	if (eal_device_value(device, "framesz", value, sizeof(value)) <= 0) {
		if (eal_device_value(device, "blocksz", value, sizeof(value)) > 0 ||
			eal_device_value(device, "framecnt", value, sizeof(value)) > 0)
			return FAIL("blocksz and framecnt need framesz",
				"device=\"%s\" fix=\"framesz=%d, or leave all three out\"", device,
				EAL_FRAME_SIZE);
		return 0;
	}
	size = strtoul(value, NULL, 10);
	if (size < FRAME_MIN || size > EAL_FRAME_SIZE_MAX)
		return FAIL("framesz out of range",
			"device=\"%s\" fix=\"framesz=%d, or leave framesz, blocksz and framecnt "
			"out\"",
			device, EAL_FRAME_SIZE);
	if (size < FRAME_WANTED)
		log_line(LOG_WARNING, "large messages will be cut off by the port",
			"device=\"%s\" fix=\"framesz=%d, or leave framesz, blocksz and framecnt "
			"out\"",
			device, EAL_FRAME_SIZE);
	return 0;
}

static unsigned int check_memif(const char *device)
{
	char path[256];
	char value[8];

	if (eal_device_value(device, "socket-abstract", value, sizeof(value)) <= 0 ||
		strcmp(value, "no") != 0 ||
		eal_device_value(device, "socket", path, sizeof(path)) <= 0)
		return 0;
	if (access(dirname(path), W_OK | X_OK) == 0)
		return 0;
	return FAIL("folder of the memif socket is missing or not writable",
		"device=\"%s\" folder=%s fix=\"mkdir -p %s\"", device, path, path);
}

static unsigned int check_device(const char *device, unsigned int workers)
{
	if (strncmp(device, "net_af_packet", 13) == 0)
		return check_interface(device) + check_queues(device, "qpairs", workers) +
		       check_frame_size(device) +
		       check_capability(device, CAP_NET_RAW, "cap_net_raw");
	if (strncmp(device, "net_af_xdp", 10) == 0)
		return check_interface(device) + check_queues(device, "queue_count", workers) +
		       check_xdp_queues(device, workers) +
		       check_capability(device, CAP_NET_ADMIN, "cap_net_admin");
	if (strncmp(device, "net_tap", 7) == 0) {
		if (access("/dev/net/tun", R_OK | W_OK) < 0)
			return FAIL("no TAP devices here",
				"device=\"%s\" error=\"%s\" fix=\"modprobe tun; in a container "
				"pass /dev/net/tun\"",
				device, strerror(errno));
		return check_capability(device, CAP_NET_ADMIN, "cap_net_admin");
	}
	if (strncmp(device, "net_memif", 9) == 0)
		return check_memif(device);
	return 0;
}

/* Is any PCI device bound to a driver that DPDK takes over. */
static bool pci_device_bound(void)
{
	static const char *const folders[] = {"/sys/bus/pci/drivers/vfio-pci",
		"/sys/bus/pci/drivers/uio_pci_generic", "/sys/bus/pci/drivers/igb_uio"};
	bool found = false;

	for (unsigned int i = 0; i < sizeof(folders) / sizeof(folders[0]) && !found; i++) {
		DIR *dir = opendir(folders[i]);
		struct dirent *entry;

		if (!dir)
			continue;
		while (!found && (entry = readdir(dir)))
			found = entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
		closedir(dir);
	}
	return found;
}

static unsigned int check_ports(const struct options *o)
{
	unsigned int errors = 0, n = 0;
	const char *device;

	while ((device = eal_vdev(o, n))) {
		errors += check_device(device, o->workers);
		n++;
	}
	if (n > 0 || eal_option(o, "-a") || eal_option(o, "--allow") || pci_device_bound())
		return errors;
	return FAIL("no port given",
		"fix=\"after -- name one, as --vdev=net_af_packet0,iface=eth1; "
		"tkms-dataplane --help has examples\"");
}

static unsigned int check_hugepages(const struct options *o, const struct eal_facts *facts)
{
	static const char *const wanting[] = {"--huge-dir", "--socket-mem", "--socket-limit",
		"--huge-unlink", "--in-memory", "--single-file-segments"};

	if (facts->hugepages || eal_option(o, "--no-huge"))
		return 0;
	for (unsigned int i = 0; i < sizeof(wanting) / sizeof(wanting[0]); i++)
		if (eal_option(o, wanting[i]))
			return FAIL(
				"hugepages are asked for, and none are free or none are mounted",
				"option=%s fix=\"sysctl -w vm.nr_hugepages=512 && mkdir -p "
				"/dev/hugepages && mount -t hugetlbfs none "
				"/dev/hugepages; or leave the option out to run without\"",
				wanting[i]);
	log_line(LOG_INFO, "no free hugepages: running without",
		"fix=\"sysctl -w vm.nr_hugepages=512, for speed\"");
	return 0;
}

static unsigned int check_memlock(void)
{
	struct rlimit limit;

	if (has_capability(CAP_IPC_LOCK) || getrlimit(RLIMIT_MEMLOCK, &limit) < 0 ||
		limit.rlim_cur >= (rlim_t)MEMLOCK_MIN_MIB * MIB)
		return 0;
	return FAIL("too little memory may be locked for keys",
		"limit_kib=%lu fix=\"ulimit -l unlimited, or LimitMEMLOCK=infinity in the unit\"",
		(unsigned long)limit.rlim_cur / 1024);
}

static unsigned int check_crypto(const struct options *o)
{
	struct crypto *ctx = crypto_open(o->crypto);

	if (ctx) {
		crypto_close(ctx);
		return 0;
	}
	if (errno == ENOTSUP)
		return FAIL("the CPU lacks SSE4.2 or AES-NI",
			"backend=%s fix=\"in a virtual machine pass the host's CPU through (-cpu "
			"host); else --crypto openssl\"",
			o->crypto ? o->crypto : "ipsec-mb");
	if (errno == ENOENT)
		return FAIL("this program was built without the crypto backend",
			"backend=%s fix=\"choose another --crypto\"",
			o->crypto ? o->crypto : "ipsec-mb");
	return FAIL("crypto backend does not open",
		"backend=%s error=\"%s\" fix=\"ulimit -l unlimited\"",
		o->crypto ? o->crypto : "ipsec-mb", strerror(errno));
}

static unsigned int check_cpus(const struct options *o, const struct eal_facts *facts)
{
	for (unsigned int i = 0; i < o->n_cpus; i++) {
		bool allowed = false;

		for (unsigned int k = 0; k < facts->n_cpus; k++)
			allowed |= facts->cpus[k] == o->cpus[i];
		if (!allowed)
			return FAIL("--cpus names a CPU that the process may not use",
				"cpu=%u fix=\"taskset -pc $$ shows the allowed ones\"", o->cpus[i]);
	}
	return 0;
}

unsigned int preflight_run(const struct options *o, const struct eal_facts *facts)
{
	return check_crypto(o) + check_memlock() + check_cpus(o, facts) +
	       check_hugepages(o, facts) + check_ports(o);
}

void preflight_addresses(const struct net_addresses *addresses)
{
	struct ifaddrs *list;

	if (getifaddrs(&list) < 0) {
		log_line(LOG_WARNING, "cannot look at the kernel's addresses", "error=\"%s\"",
			strerror(errno));
		return;
	}
	for (struct ifaddrs *i = list; i; i = i->ifa_next) {
		bool both = false;

		if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET)
			both = net_addresses_has(addresses, 4,
				(const uint8_t *)&(
					(const struct sockaddr_in *)(const void *)i->ifa_addr)
					->sin_addr);
		else if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET6)
			both = net_addresses_has(addresses, 6,
				((const struct sockaddr_in6 *)(const void *)i->ifa_addr)
					->sin6_addr.s6_addr);
		if (both)
			log_line(LOG_WARNING,
				"a service address is configured on an interface: the kernel "
				"answers for it too",
				"iface=%s fix=\"ip addr del ADDRESS dev %s\"", i->ifa_name,
				i->ifa_name);
	}
	freeifaddrs(list);
}
