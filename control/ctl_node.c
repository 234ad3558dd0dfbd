/* SPDX-License-Identifier: BSD-3-Clause */
/* node list, drain, undrain, forget. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "control/ctl.h"
#include "control/duration.h"

enum { POLL_MS = 50, WAIT_MS = 30000 };

static void print_texts(const json_t *list, const char *none)
{
	size_t n = json_array_size(list);

	for (size_t i = 0; i < n; i++)
		printf("%s%s", i ? "," : "", json_string_value(json_array_get(list, i)));
	if (n == 0)
		fputs(none, stdout);
}

static void print_node(const json_t *node)
{
	const json_t *reasons = json_object_get(node, "drain_reasons");

	printf("%-16s %-9s %-10s %6.1f%%  ", ctl_text(node, "name"), ctl_text(node, "state"),
		ctl_text(node, "version"), (double)ctl_number(node, "load_permille") / 10);
	print_texts(json_object_get(node, "roles"), "none");
	fputs("  ", stdout);
	print_texts(json_object_get(node, "addresses_held"), "no address");
	if (json_array_size(reasons)) {
		fputs("  drains: ", stdout);
		print_texts(reasons, "");
	}
	if (!json_is_true(json_object_get(node, "in_sync")))
		fputs("  not in sync", stdout);
	puts(json_is_true(json_object_get(node, "self")) ? "  (this node)" : "");
}

int ctl_node_list(const struct ctl_options *o)
{
	json_t *r = ctl_ask(o, json_pack("{s:s}", "command", "node.list")), *node;
	size_t i;

	if (!r)
		return CTL_FAILED;
	if (o->json)
		return ctl_print_json(r);
	printf("%-16s %-9s %-10s %7s  %s\n", "NODE", "STATE", "VERSION", "LOAD",
		"ROLES, ADDRESSES");
	json_array_foreach(json_object_get(r, "nodes"), i, node) print_node(node);
	if (!json_is_true(json_object_get(json_object_get(r, "cluster"), "healthy")))
		puts("heartbeats are not exchanged: what is said of others is old");
	json_decref(r);
	return CTL_OK;
}

static json_t *ask_node(const struct ctl_options *o, const char *command)
{
	json_t *request = json_pack("{s:s}", "command", command);

	if (request && o->n_args)
		json_object_set_new(request, "node", json_string(o->args[0]));
	return ctl_ask(o, request);
}

static int print_result(const struct ctl_options *o, json_t *r)
{
	if (o->json)
		return ctl_print_json(r);
	printf("%s is %s", ctl_text(r, "node"), ctl_text(r, "state"));
	if (json_array_size(json_object_get(r, "addresses_held"))) {
		fputs(", holds ", stdout);
		print_texts(json_object_get(r, "addresses_held"), "");
	}
	putchar('\n');
	json_decref(r);
	return CTL_OK;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail */
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Asks again and again: to drain twice changes nothing. */
static json_t *wait_drained(const struct ctl_options *o, json_t *r, uint64_t limit_ms)
{
	static const struct timespec pause = {0, POLL_MS * 1000000};
	uint64_t end = now_ms() + limit_ms;

	while (r && strcmp(ctl_text(r, "state"), "drained") != 0 && now_ms() < end) {
		json_decref(r);
		(void)nanosleep(&pause, NULL);
		r = ask_node(o, "node.drain");
	}
	return r;
}

int ctl_node_drain(const struct ctl_options *o)
{
	uint64_t limit = WAIT_MS;
	json_t *r;
	int status = CTL_OK;

	if (o->timeout && (duration_parse(o->timeout, &limit) != 0 || !o->wait))
		return ctl_fail("--timeout needs a duration, as 30s, and --wait"), CTL_USAGE;
	r = ask_node(o, "node.drain");
	if (o->wait)
		r = wait_drained(o, r, limit);
	if (!r)
		return CTL_FAILED;
	if (o->wait && strcmp(ctl_text(r, "state"), "drained") != 0)
		status = ctl_fail(
			"not drained yet%s", strcmp(ctl_text(r, "state"), "stuck") == 0
						     ? ": no other node can take the addresses"
						     : "");
	return print_result(o, r) == CTL_OK ? status : CTL_FAILED;
}

int ctl_node_undrain(const struct ctl_options *o)
{
	json_t *r = ask_node(o, "node.undrain");

	return r ? print_result(o, r) : CTL_FAILED;
}

int ctl_node_forget(const struct ctl_options *o)
{
	json_t *r = ask_node(o, "node.forget");

	if (!r)
		return CTL_FAILED;
	if (o->json)
		return ctl_print_json(r);
	printf("%s (%s) is forgotten\n", ctl_text(r, "node"), ctl_text(r, "origin"));
	json_decref(r);
	return CTL_OK;
}
