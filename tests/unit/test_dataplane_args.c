/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/eal_args.h"

enum { ARGS_MAX = 32 };

/* Parses words split at blanks. */
static int parse(struct options *o, const char *line)
{
	static char text[1024];
	static char *argv[ARGS_MAX];
	FILE *nowhere = fopen("/dev/null", "w");
	char *save = NULL;
	int argc = 0, err;

	cr_assert(nowhere);
	snprintf(text, sizeof(text), "tkms-dataplane %s", line);
	for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	argv[argc] = NULL;
	err = options_parse(o, argc, argv, nowhere);
	fclose(nowhere);
	return err;
}

Test(options, have_defaults)
{
	struct options o;

	cr_assert_eq(parse(&o, ""), 0);
	cr_expect_eq(o.workers, 1u);
	cr_expect_eq(o.action, OPTIONS_RUN);
	cr_expect_eq(o.poll, OPTIONS_POLL_ADAPTIVE);
	cr_expect_str_eq(o.socket, "/run/tkms/dataplane.sock");
	cr_expect_null(o.crypto);
	cr_expect_eq(o.n_eal, 0);
}

Test(options, take_everything_before_the_dashes)
{
	struct options o;

	cr_assert_eq(parse(&o, "--socket /s --workers 3 --cpus 1,4-5 --poll busy --crypto openssl "
			       "--queue-size 256 "
			       "--mtu 9000 --mtu 1500 --preflight -- --vdev=x --workers 9"),
		0);
	cr_expect_str_eq(o.socket, "/s");
	cr_expect_eq(o.workers, 3u);
	cr_expect_eq(o.n_cpus, 3u);
	cr_expect_eq(o.cpus[2], 5);
	cr_expect_eq(o.poll, OPTIONS_POLL_BUSY);
	cr_expect_str_eq(o.crypto, "openssl");
	cr_expect_eq(o.queue_size, 256);
	cr_expect_eq(o.n_mtus, 2u);
	cr_expect_eq(o.mtus[1], 1500);
	cr_expect_eq(o.action, OPTIONS_PREFLIGHT);
	cr_expect_eq(o.n_eal, 3);
	cr_expect_str_eq(o.eal[0], "--vdev=x");
}

Test(options, refuse_what_makes_no_sense)
{
	static const char *const lines[] = {"--workers 0", "--workers 65", "--workers -1",
		"--workers 2x", "--workers", "--cpus ,", "--cpus 1-", "--cpus 3-1", "--cpus 1,,2",
		"--cpus 1024", "--cpus 0-200", "--cpus a", "--poll never", "--crypto rot13",
		"--queue-size 1", "--mtu 1279", "--mtu 9217", "--log-level loud", "--bogus", "vdev",
		"--workers 99999999999999999999"};
	struct options o;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		cr_expect_neq(parse(&o, lines[i]), 0, "%s", lines[i]);
}

static const char *find(const struct eal_args *a, const char *start)
{
	for (int i = 0; i < a->argc; i++)
		if (strncmp(a->argv[i], start, strlen(start)) == 0)
			return a->argv[i];
	return "";
}

static bool has(const struct eal_args *a, const char *arg)
{
	return strcmp(find(a, arg), arg) == 0;
}

static struct eal_args args;
static const char *why;

static int build(const char *line, bool hugepages)
{
	struct eal_facts facts = {.pid = 4711, .hugepages = hugepages, .n_cpus = 2, .cpus = {0, 1}};
	struct options o;

	cr_assert_eq(parse(&o, line), 0, "%s", line);
	return eal_args_build(&args, &o, &facts, &why);
}

Test(eal_args, run_without_hugepages_and_leave_the_machine_alone)
{
	cr_assert_eq(build("-- --vdev=net_tap0,iface=kms0", false), 0);
	cr_expect(has(&args, "--no-huge"));
	cr_expect(has(&args, "--no-pci"));
	cr_expect(has(&args, "--no-telemetry"));
	cr_expect(has(&args, "--file-prefix=tkms-dataplane-4711"));
	cr_expect(has(&args, "--vdev=net_tap0,iface=kms0"));
	cr_expect_eq(strncmp(find(&args, "-m"), "-m", 2), 0);
	cr_expect_str_eq(find(&args, "--in-memory"), "");
	cr_expect_null(args.argv[args.argc]);
}

Test(eal_args, use_hugepages_that_are_there)
{
	cr_assert_eq(build("-- -a 0000:3b:00.0", true), 0);
	cr_expect(args.hugepages);
	cr_expect(has(&args, "--huge-unlink=always"));
	cr_expect_not(has(&args, "--no-huge"));
	cr_expect_not(has(&args, "--no-pci"));
	cr_assert_eq(build("-- --no-huge -m 512 -a 0000:3b:00.0", true), 0);
	cr_expect_not(args.hugepages);
	cr_expect_str_eq(find(&args, "--huge-unlink"), "");
}

Test(eal_args, put_workers_on_cpus_and_the_main_thread_where_none_polls)
{
	cr_assert_eq(build("--workers 3 -- --vdev=net_null0", false), 0);
	cr_expect(has(&args, "--lcores=0@(0,1),1@1,2@0,3@1"), "%s", find(&args, "--lcores"));
	cr_assert_eq(build("--workers 2 --cpus 1 -- --vdev=net_null0", false), 0);
	cr_expect(has(&args, "--lcores=0@(0),1@1,2@1"), "%s", find(&args, "--lcores"));
	cr_expect_eq(args.worker_cpus[1], 1);
}

Test(eal_args, complete_af_packet_and_af_xdp_devices)
{
	cr_assert_eq(build("--workers 2 -- --vdev net_af_packet0,iface=e", false), 0);
	cr_expect(has(&args, "--vdev=net_af_packet0,iface=e,framesz=10240,blocksz=61440,framecnt="
			     "2040,qpairs=2"),
		"%s", find(&args, "--vdev"));
	cr_expect_eq(args.frame_size, 10240u);
	cr_assert_eq(build("--workers 2 -- --vdev=net_af_xdp0,iface=f", false), 0);
	cr_expect(has(&args, "--vdev=net_af_xdp0,iface=f,queue_count=2"));
	cr_expect_lt(args.frame_size, 4096u - 512u, "with all headers in a page");
	/* What the operator gives stays. */
	cr_assert_eq(build("-- --vdev=net_af_packet0,iface=e,qpairs=4,framesz=16384,blocksz=65536",
			     false),
		0);
	cr_expect(has(&args, "--vdev=net_af_packet0,iface=e,qpairs=4,framesz=16384,blocksz=65536"));
	cr_expect_eq(args.frame_size, 16384u, "buffers hold the largest frame");
}

Test(eal_args, leave_the_operators_choice)
{
	cr_assert_eq(build("-- --vdev=net_null0 --no-huge -m512 --file-prefix lab --log-level=8 "
			   "--no-telemetry",
			     false),
		0);
	cr_expect_str_eq(args.prefix, "lab");
	cr_expect_str_eq(find(&args, "-m"), "-m512");
	cr_expect_str_eq(find(&args, "--file-prefix="), "");
	cr_expect_str_eq(find(&args, "--log-level"), "--log-level=8");
}

Test(eal_args, refuse_what_cannot_work)
{
	static const char *const lines[] = {"-- -l 0-1 --vdev=net_null0",
		"-- -c 3 --vdev=net_null0", "-- -l0-1", "-- --lcores=0,1 --vdev=net_null0",
		"-- --proc-type=secondary", "-- --in-memory --vdev=net_null0",
		"-- --vdev=net_af_xdp0,iface=a --vdev=net_af_packet0,iface=b"};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		why = NULL;
		cr_expect_neq(build(lines[i], false), 0, "%s", lines[i]);
		cr_expect(why && why[0], "%s gives no reason", lines[i]);
	}
}

Test(eal_args, refuse_more_arguments_than_fit)
{
	static char word[] = "--vdev=net_null0";
	static char *many[EAL_ARGS_MAX];
	static char longer[EAL_TEXT_MAX + 1];
	static char *one[] = {longer};
	struct eal_facts facts = {.pid = 1, .n_cpus = 1};
	struct options o;

	cr_assert_eq(parse(&o, ""), 0);
	for (int i = 0; i < EAL_ARGS_MAX; i++)
		many[i] = word;
	o.eal = many;
	o.n_eal = EAL_ARGS_MAX - 20;
	cr_expect_eq(eal_args_build(&args, &o, &facts, &why), 0);
	o.n_eal = EAL_ARGS_MAX;
	cr_expect_neq(eal_args_build(&args, &o, &facts, &why), 0);
	memset(longer, 'x', sizeof(longer) - 1);
	o.eal = one;
	o.n_eal = 1;
	cr_expect_neq(eal_args_build(&args, &o, &facts, &why), 0);
}

Test(eal_args, read_values_out_of_device_arguments)
{
	char value[8];

	cr_expect_eq(
		eal_device_value("net_tap0,iface=kms0,mac=fixed", "iface", value, sizeof(value)),
		4);
	cr_expect_str_eq(value, "kms0");
	cr_expect_eq(
		eal_device_value("net_tap0,iface=kms0,mac=fixed", "mac", value, sizeof(value)), 5);
	cr_expect_lt(eal_device_value("net_tap0,xiface=kms0", "iface", value, sizeof(value)), 0);
	cr_expect_lt(eal_device_value("net_tap0", "iface", value, sizeof(value)), 0);
	cr_expect_lt(
		eal_device_value("net_tap0,iface=longer-than-that", "iface", value, sizeof(value)),
		0);
}
