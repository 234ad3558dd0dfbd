/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/eal_args.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY_BASE_MIB = 64, PORTS_UNKNOWN = 2, BUFFERS_EXTRA = 2048, MIB = 1 << 20 };

/* The value belonging to argument i if it is option name; *next: the argument after it. */
static const char *option_at(const struct options *o, int i, const char *name, int *next)
{
	const char *arg = o->eal[i];
	size_t len = strlen(name);

	*next = i + 1;
	if (strncmp(arg, name, len) != 0)
		return NULL;
	if (arg[len] == '=')
		return arg + len + 1;
	if (arg[len] != '\0')
		return len == 2 ? arg + len : NULL; /* short: -m512 */
	if (i + 1 < o->n_eal && o->eal[i + 1][0] != '-') {
		*next = i + 2;
		return o->eal[i + 1];
	}
	return "";
}

const char *eal_option(const struct options *o, const char *name)
{
	int next;

	for (int i = 0; i < o->n_eal; i++) {
		const char *value = option_at(o, i, name, &next);

		if (value)
			return value;
	}
	return NULL;
}

const char *eal_vdev(const struct options *o, unsigned int index)
{
	int next;

	for (int i = 0; i < o->n_eal; i = next) {
		const char *value = option_at(o, i, "--vdev", &next);

		if (value && index-- == 0)
			return value;
	}
	return NULL;
}

int eal_device_value(const char *device, const char *key, char *out, size_t cap)
{
	size_t key_len = strlen(key);

	for (const char *p = strchr(device, ','); p; p = strchr(p, ',')) {
		const char *end;
		size_t len;

		p++;
		if (strncmp(p, key, key_len) != 0 || p[key_len] != '=')
			continue;
		p += key_len + 1;
		end = strchr(p, ',');
		len = end ? (size_t)(end - p) : strlen(p);
		if (len >= cap)
			return -ENOSPC;
		memcpy(out, p, len);
		out[len] = '\0';
		return (int)len;
	}
	return -ENOENT;
}

/* Adds an argument. Too many or too long ones are noticed at the end. */
__attribute__((format(printf, 2, 3))) static void add(struct eal_args *a, const char *format, ...)
{
	char *at = a->text + a->used;
	size_t room = sizeof(a->text) - a->used;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(at, room, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= room || a->argc >= EAL_ARGS_MAX) {
		a->argc = EAL_ARGS_MAX + 1;
		return;
	}
	a->argv[a->argc++] = at;
	a->used += (size_t)n + 1;
}

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool has_value(const char *device, const char *key)
{
	char value[64];

	return eal_device_value(device, key, value, sizeof(value)) != -ENOENT;
}

static void add_vdev(struct eal_args *a, const char *device, unsigned int workers)
{
	char more[160] = "", value[16];

	if (starts_with(device, "net_af_packet")) {
		if (eal_device_value(device, "framesz", value, sizeof(value)) > 0) {
			unsigned long size = strtoul(value, NULL, 10);

			if (size > a->frame_size && size <= EAL_FRAME_SIZE_MAX)
				a->frame_size = (uint32_t)size;
		} else if (!has_value(device, "blocksz") && !has_value(device, "framecnt")) {
			/* Six frames fill a block, which the kernel rounds up to 64 KiB. 2,040
			 * frames are 40 ms of 50,000 a second: a worker may lose its CPU for
			 * that long. */
			snprintf(more, sizeof(more), ",framesz=%d,blocksz=%d,framecnt=%d",
				EAL_FRAME_SIZE, 6 * EAL_FRAME_SIZE, 6 * 340);
		}
		if (!has_value(device, "qpairs"))
			snprintf(more + strlen(more), sizeof(more) - strlen(more), ",qpairs=%u",
				workers);
	} else if (starts_with(device, "net_af_xdp") && !has_value(device, "queue_count")) {
		snprintf(more, sizeof(more), ",queue_count=%u", workers);
	}
	add(a, "--vdev=%s%s", device, more);
}

/* The operator's arguments in their order, devices completed. Returns the number of devices. */
static unsigned int add_given(struct eal_args *a, const struct options *o, unsigned int *n_allowed)
{
	unsigned int n_vdevs = 0;
	int next;

	*n_allowed = 0;
	for (int i = 0; i < o->n_eal; i = next) {
		const char *value = option_at(o, i, "--vdev", &next);

		if (value) {
			add_vdev(a, value, o->workers);
			n_vdevs++;
			continue;
		}
		if (starts_with(o->eal[i], "-a") || starts_with(o->eal[i], "--allow"))
			++*n_allowed;
		add(a, "%s", o->eal[i]);
		next = i + 1;
	}
	return n_vdevs;
}

static bool has_worker(const struct eal_args *a, unsigned int workers, uint16_t cpu)
{
	for (unsigned int w = 0; w < workers; w++)
		if (a->worker_cpus[w] == cpu)
			return true;
	return false;
}

/* Where no worker polls, so that a new snapshot holds up none; anywhere when every CPU has one. */
static size_t main_cpus(const struct eal_args *a, const struct options *o,
	const struct eal_facts *facts, char *out, size_t cap)
{
	size_t len = 0;

	for (unsigned int i = 0; i < facts->n_cpus; i++)
		if (!has_worker(a, o->workers, facts->cpus[i]))
			len += (size_t)snprintf(
				out + len, cap - len, "%s%u", len ? "," : "", facts->cpus[i]);
	if (len > 0)
		return len;
	for (unsigned int i = 0; i < facts->n_cpus; i++)
		len += (size_t)snprintf(out + len, cap - len, "%s%u", i ? "," : "", facts->cpus[i]);
	return len;
}

static void add_cores(struct eal_args *a, const struct options *o, const struct eal_facts *facts)
{
	char lcores[EAL_ARGS_MAX * 16] = "0@(";
	size_t len = strlen(lcores);

	for (unsigned int w = 0; w < o->workers; w++)
		a->worker_cpus[w] =
			o->n_cpus ? o->cpus[w % o->n_cpus] : facts->cpus[(w + 1) % facts->n_cpus];
	len += main_cpus(a, o, facts, lcores + len, sizeof(lcores) - len);
	len += (size_t)snprintf(lcores + len, sizeof(lcores) - len, ")");
	for (unsigned int w = 0; w < o->workers; w++)
		len += (size_t)snprintf(
			lcores + len, sizeof(lcores) - len, ",%u@%u", w + 1, a->worker_cpus[w]);
	add(a, "--lcores=%s", lcores);
}

static void add_memory(struct eal_args *a, const struct options *o, unsigned int n_ports)
{
	uint64_t buffers = (uint64_t)o->workers * (n_ports * 2u * o->queue_size + BUFFERS_EXTRA);
	uint64_t mib = MEMORY_BASE_MIB + buffers * (a->frame_size + 1024u) / MIB;

	if (!a->hugepages && !eal_option(o, "--no-huge"))
		add(a, "--no-huge");
	if (!a->hugepages && !eal_option(o, "-m") && !eal_option(o, "--socket-mem"))
		add(a, "-m%lu", (unsigned long)mib);
	/* Nothing is shared with another process: no files that a crash could leave behind. */
	if (a->hugepages && !eal_option(o, "--huge-unlink") && !eal_option(o, "--in-memory"))
		add(a, "--huge-unlink=always");
}

static bool has_driver(const struct options *o, const char *driver)
{
	const char *device;

	for (unsigned int i = 0; (device = eal_vdev(o, i)); i++)
		if (starts_with(device, driver))
			return true;
	return false;
}

static const char *refuse(const struct options *o, const struct eal_facts *facts)
{
	static const char *const cores[] = {"-l", "-c", "-s", "--lcores", "--main-lcore"};

	for (unsigned int i = 0; i < sizeof(cores) / sizeof(cores[0]); i++)
		if (eal_option(o, cores[i]))
			return "EAL core arguments are filled in: use --workers and --cpus";
	if (eal_option(o, "--proc-type"))
		return "--proc-type: the data plane is always a primary process; leave it out";
	if (eal_option(o, "--in-memory") && (!facts->hugepages || eal_option(o, "--no-huge")))
		return "--in-memory does not go with --no-huge (DPDK refuses it): leave "
		       "--in-memory out";
	if (has_driver(o, "net_af_xdp") && has_driver(o, "net_af_packet"))
		return "AF_XDP ports need small buffers and AF_PACKET ports large ones: use one "
		       "kind";
	if (facts->n_cpus == 0)
		return "no CPU that the process may use: check taskset and the cpuset of the "
		       "service";
	return NULL;
}

int eal_args_build(struct eal_args *a, const struct options *o, const struct eal_facts *facts,
	const char **why)
{
	unsigned int n_vdevs, n_allowed;
	const char *prefix = eal_option(o, "--file-prefix");

	memset(a, 0, sizeof(*a));
	*why = refuse(o, facts);
	if (*why)
		return -EINVAL;
	a->frame_size = has_driver(o, "net_af_xdp") ? EAL_FRAME_SIZE_XDP : EAL_FRAME_SIZE;
	a->hugepages = facts->hugepages && !eal_option(o, "--no-huge");
	if (prefix)
		snprintf(a->prefix, sizeof(a->prefix), "%s", prefix);
	else
		snprintf(a->prefix, sizeof(a->prefix), EAL_PREFIX "%d", facts->pid);

	add(a, "tkms-dataplane");
	n_vdevs = add_given(a, o, &n_allowed);
	add_cores(a, o, facts);
	add_memory(a, o, n_vdevs + n_allowed ? n_vdevs + n_allowed : PORTS_UNKNOWN);
	if (!prefix && !eal_option(o, "--in-memory"))
		add(a, "--file-prefix=%s", a->prefix);
	if (!eal_option(o, "--no-telemetry") && !eal_option(o, "--telemetry"))
		add(a, "--no-telemetry");
	/* Virtual ports only: leave the machine's devices alone. */
	if (n_vdevs > 0 && n_allowed == 0 && !eal_option(o, "--no-pci"))
		add(a, "--no-pci");
	if (!eal_option(o, "--log-level"))
		add(a, "--log-level=*:warning");
	if (a->argc > EAL_ARGS_MAX) {
		*why = "too many or too long EAL arguments";
		return -EINVAL;
	}
	a->argv[a->argc] = NULL;
	return 0;
}
