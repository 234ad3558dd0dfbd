/* SPDX-License-Identifier: BSD-3-Clause */
/* status. */
#include <stdio.h>
#include <string.h>

#include "control/ctl.h"

static void print_list(const char *title, const json_t *list)
{
	size_t n = json_array_size(list);

	printf("%-16s", title);
	for (size_t i = 0; i < n; i++)
		printf("%s%s", i ? ", " : "", json_string_value(json_array_get(list, i)));
	puts(n ? "" : "none");
}

static void print_dataplane(const json_t *dataplane, json_int_t epoch)
{
	const char *name;
	json_t *value;

	if (!json_is_true(json_object_get(dataplane, "connected"))) {
		printf("%-16snot connected\n", "data plane");
		return;
	}
	printf("%-16sconnected, pid %" JSON_INTEGER_FORMAT ", version %s, %" JSON_INTEGER_FORMAT
	       " workers\n",
		"data plane", ctl_number(dataplane, "pid"), ctl_text(dataplane, "version"),
		ctl_number(dataplane, "workers"));
	printf("%-16sepoch %" JSON_INTEGER_FORMAT "%s, %" JSON_INTEGER_FORMAT " subscribers%s\n",
		"  serves", ctl_number(dataplane, "epoch"),
		ctl_number(dataplane, "epoch") == epoch ? "" : " (behind)",
		ctl_number(dataplane, "subscribers"),
		json_is_true(json_object_get(dataplane, "loaded")) ? "" : " (loading)");
	json_object_foreach(json_object_get(dataplane, "counters"), name, value)
	{
		if (json_integer_value(value))
			printf("  %-30s %" JSON_INTEGER_FORMAT "\n", name,
				json_integer_value(value));
	}
}

static void print_sync(const json_t *sync)
{
	const json_t *changes = json_object_get(sync, "changes"), *peer;
	json_int_t behind = 0;
	size_t i;

	if (!json_is_true(json_object_get(sync, "configured"))) {
		printf("%-16s%s\n", "sync", ctl_text(sync, "role"));
		return;
	}
	if (json_is_true(json_object_get(sync, "reachable")))
		printf("%-16sRedis primary %s\n", "sync", ctl_text(sync, "primary"));
	else
		printf("%-16sRedis not reachable\n", "sync");
	if (*ctl_text(sync, "error"))
		printf("%-16s%s\n", "", ctl_text(sync, "error"));
	json_array_foreach(json_object_get(changes, "peers"), i, peer) behind +=
		ctl_number(peer, "last") - ctl_number(peer, "cursor");
	printf("%-16s%" JSON_INTEGER_FORMAT " to tell, %" JSON_INTEGER_FORMAT " to read\n",
		"changes", ctl_number(changes, "log_last") - ctl_number(changes, "reached"),
		behind);
	if (*ctl_text(changes, "error"))
		printf("%-16s%s\n", "", ctl_text(changes, "error"));
}

int ctl_status(const struct ctl_options *o)
{
	json_t *r = ctl_ask(o, json_pack("{s:s}", "command", "status"));

	if (!r)
		return CTL_FAILED;
	if (o->json)
		return ctl_print_json(r);
	printf("%-16s%s (%s, version %s)\n", "node", ctl_text(r, "node"), ctl_text(r, "identity"),
		ctl_text(r, "version"));
	print_list("roles", json_object_get(r, "roles"));
	print_list("addresses", json_object_get(r, "addresses_held"));
	printf("%-16sepoch %" JSON_INTEGER_FORMAT ", active %s\n", "keyring",
		ctl_number(r, "keyring_epoch"),
		*ctl_text(r, "active_key") ? ctl_text(r, "active_key") : "none");
	if (*ctl_text(json_object_get(r, "keyring"), "waiting"))
		printf("  %s\n", ctl_text(json_object_get(r, "keyring"), "waiting"));
	printf("%-16s%" JSON_INTEGER_FORMAT "\n", "subscribers", ctl_number(r, "subscribers"));
	print_sync(json_object_get(r, "sync"));
	print_dataplane(json_object_get(r, "dataplane"), ctl_number(r, "keyring_epoch"));
	json_decref(r);
	return CTL_OK;
}
