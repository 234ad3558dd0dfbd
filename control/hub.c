/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/hub.h"

#include <errno.h>
#include <stdlib.h>

#include "control/clock.h"
#include "control/control.h"

enum { POLL_MS = 250 };

struct hub {
	struct bus *bus;
	unsigned int n;
	struct hub_module modules[HUB_MODULES_MAX];
};

static int on_record(void *arg, enum bus_table table, uint64_t origin, uint64_t version,
	const void *plain, size_t len)
{
	struct hub *h = arg;
	int err = 0;

	for (unsigned int i = 0; !err && i < h->n; i++) {
		const struct hub_module *m = &h->modules[i];

		if (m->record && m->tables & 1u << table)
			err = m->record(m->arg, table, origin, version, plain, len);
	}
	return err;
}

static void on_refused(void *arg, enum bus_table table, uint64_t origin, enum bus_refusal why)
{
	struct hub *h = arg;

	for (unsigned int i = 0; i < h->n; i++) {
		if (h->modules[i].refused)
			h->modules[i].refused(h->modules[i].arg, table, origin, why);
	}
}

static void on_reachable(void *arg, bool is_reachable)
{
	struct hub *h = arg;

	for (unsigned int i = 0; i < h->n; i++) {
		if (h->modules[i].reachable)
			h->modules[i].reachable(h->modules[i].arg, is_reachable);
	}
}

static void on_caught_up(void *arg)
{
	struct hub *h = arg;

	for (unsigned int i = 0; i < h->n; i++) {
		if (h->modules[i].caught_up)
			h->modules[i].caught_up(h->modules[i].arg);
	}
}

static void on_notice(void *arg, const char *text, size_t len)
{
	struct hub *h = arg;

	for (unsigned int i = 0; i < h->n; i++) {
		if (h->modules[i].notice)
			h->modules[i].notice(h->modules[i].arg, text, len);
	}
}

int hub_open(struct control *c, struct hub **out, struct reason *why)
{
	const struct config *config = c->boot;
	const struct bus_settings settings = {.sentinels = config->sync.sentinels,
		.n_sentinels = config->sync.n_sentinels,
		.primary = config->sync.primary,
		.user = config->sync.user,
		.password_file = config->sync.password_file,
		.prefix = config->sync.prefix,
		.poll_ms = POLL_MS};
	struct bus_owner owner = {
		NULL, on_record, on_refused, on_reachable, on_caught_up, on_notice};
	struct hub *h;

	*out = NULL;
	if (settings.n_sentinels == 0)
		return 0;
	h = calloc(1, sizeof(*h));
	if (!h)
		return reason_set(why, -ENOMEM, "out of memory");
	owner.arg = h;
	h->bus = bus_new(c->base, c->sealer, store_origin(c->store), &settings, &owner, why);
	if (!h->bus) {
		free(h);
		return -EIO;
	}
	*out = h;
	return 0;
}

int hub_attach(struct hub *h, const struct hub_module *module)
{
	if (h->n == HUB_MODULES_MAX)
		return -ENOSPC;
	h->modules[h->n++] = *module;
	return 0;
}

void hub_close(struct hub *h)
{
	if (!h)
		return;
	bus_free(h->bus);
	free(h);
}

struct bus *hub_bus(struct hub *h)
{
	return h ? h->bus : NULL;
}

json_t *hub_status(struct hub *h, uint64_t origin)
{
	const struct bus_status *s = h ? bus_status(h->bus) : NULL;
	char text[BUS_ORIGIN_TEXT];
	json_t *out, *refused;

	bus_origin_text(origin, text);
	if (!s)
		return json_pack("{s:b, s:b, s:s, s:s}", "configured", 0, "reachable", 0, "role",
			"standalone", "origin", text);
	out = json_pack("{s:b, s:b, s:s, s:s, s:s?, s:s?, s:i, s:I}", "configured", 1, "reachable",
		s->is_reachable, "role", "member", "origin", text, "primary",
		*s->primary ? s->primary : NULL, "error", *s->error ? s->error : NULL, "sentinels",
		(int)s->sentinels, "since_ms", (json_int_t)(clock_mono_ms() - s->since_ms));
	refused = json_object();
	for (unsigned int i = 0; i < BUS_REFUSALS; i++)
		json_object_set_new(
			refused, bus_refusal_name(i), json_integer((json_int_t)s->refused[i]));
	json_object_set_new(out, "refused", refused);
	json_object_set_new(out, "reconnects", json_integer((json_int_t)s->reconnects));
	json_object_set_new(out, "timeouts", json_integer((json_int_t)s->timeouts));
	json_object_set_new(out, "writes", json_integer((json_int_t)s->writes));
	json_object_set_new(out, "rewrites", json_integer((json_int_t)s->rewrites));
	return out;
}
