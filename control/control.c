/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/control.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/crypto/secret.h"
#include "control/admin.h"
#include "control/clock.h"
#include "control/cluster.h"
#include "control/files.h"
#include "control/hub.h"
#include "control/kek.h"
#include "control/kek_change.h"
#include "control/keyring_sync.h"
#include "control/log.h"
#include "control/metrics_server.h"
#include "control/notify.h"
#include "control/sync.h"

enum { IMPORT_PATIENCE_MS = 60000, KEYS_RETRY_MS = 5000, LATE_WARNING_MS = 600000 };

struct keys_schedule control_schedule(const struct control *c)
{
	/* whole seconds, the lead rounded up: better a little later than too early */
	return (struct keys_schedule){
		.rotation_s = (int64_t)(c->live->keys.rotation_interval / SECOND),
		.lead_s = (int64_t)((c->live->keys.activation_lead + SECOND - 1) / SECOND),
		.max_lifetime_s = (int64_t)((c->live->policy.max_lifetime + SECOND - 1) / SECOND),
		.max_skew_s = (int64_t)((c->live->policy.max_skew + SECOND - 1) / SECOND),
	};
}

struct keys *control_edit_keys(struct control *c)
{
	memcpy(c->next_keys, c->keys, sizeof(*c->keys));
	return c->next_keys;
}

int control_commit_keys(struct control *c)
{
	struct keys *before = c->keys;
	int err = store_save_keys(c->store, c->next_keys);

	if (err) {
		log_event(LOG_ERROR, "keyring cannot be stored; the old one stays in force",
			F_TEXT("error", strerror(-err)), F_TEXT("store", store_error(c->store)));
		return err;
	}
	c->keys = c->next_keys;
	c->next_keys = before;
	secret_wipe(before, sizeof(*before));
	if (c->link)
		link_push_snapshot(c->link);
	keyring_sync_committed(c->keyring);
	return 0;
}

static void log_keys(const struct control *c, int changes)
{
	const struct key *active = keys_active(c->keys);
	const char *what = "keyring: changed by another node, or old keys are gone";

	if ((changes & (KEYS_CREATED | KEYS_ACTIVATED)) == (KEYS_CREATED | KEYS_ACTIVATED))
		what = "keyring: a new key is active at once";
	else if (changes & KEYS_ACTIVATED)
		what = "keyring: the published key is active";
	else if (changes & KEYS_CREATED)
		what = "keyring: a new key is published";
	log_event(LOG_INFO, what, F_UINT("epoch", c->keys->epoch),
		F_TEXT("active", active ? active->id : "none"), F_UINT("keys", c->keys->n));
}

/* Another node has revoked a key that this one still holds. */
static bool is_revoking(const struct control *c)
{
	for (unsigned int i = 0; i < c->keys->n; i++) {
		const struct key *key = &c->keys->key[i];
		const struct key *next = keys_get(c->next_keys, key->id);

		if (key_is_held(key) && next && next->state == KEY_REVOKED)
			return true;
	}
	return false;
}

/* An import holds the store; a revocation does not wait for it, a key that is due not for ever. */
static bool is_blocked(struct control *c)
{
	uint64_t now = clock_mono_ms();

	if (!store_is_taken(c->store)) {
		c->blocked_since_ms = 0;
		return false;
	}
	if (!c->blocked_since_ms)
		c->blocked_since_ms = now;
	if (!is_revoking(c) && now - c->blocked_since_ms < IMPORT_PATIENCE_MS)
		return true;
	log_event(LOG_WARNING, "import given up: the keyring has to change");
	admin_abort_import(c->admin, "given up: the keyring had to change; run the import again");
	c->blocked_since_ms = 0;
	return false;
}

struct keys_situation control_situation(struct control *c)
{
	struct keys_situation at = {.now = clock_now(), .dataplane = KEYS_NOBODY};

	if (c->link && link_status(c->link)->is_connected) {
		at.dataplane = KEYS_CONNECTED;
		at.acknowledged_epoch = link_status(c->link)->epoch_acknowledged;
	}
	keyring_sync_situation(c->keyring, &at);
	return at;
}

int control_step_next_keys(struct control *c)
{
	struct keys_schedule schedule = control_schedule(c);
	struct keys_situation at = control_situation(c);

	return keys_step(c->next_keys, &schedule, &at);
}

/* A rotation has been waiting for half of the time that there is for it. */
static void warn_if_late(struct control *c)
{
	const struct key *active = keys_active(c->keys);
	int64_t left = active ? active->seals_until - clock_now() : 0;
	uint64_t now = clock_mono_ms();

	if (left > control_schedule(c).rotation_s / 2 || !*keyring_sync_explain(c->keyring) ||
		(c->warned_ms && now - c->warned_ms < LATE_WARNING_MS))
		return;
	c->warned_ms = now;
	log_event(left < 0 ? LOG_ERROR : LOG_WARNING,
		left < 0 ? "the sealing key is past its time; it seals on, tickets become shorter"
			 : "the sealing key needs a successor soon",
		F_TEXT("active", active ? active->id : "none"),
		F_TEXT("reason", keyring_sync_explain(c->keyring)));
}

void control_step_keys(struct control *c)
{
	int joined, changes;

	if (clock_mono_ms() < c->retry_keys_at_ms)
		return;
	control_edit_keys(c);
	joined = keyring_sync_join(c->keyring, c->next_keys);
	changes = joined < 0 ? joined : control_step_next_keys(c);
	if (changes < 0)
		log_event(LOG_ERROR, "keyring cannot go on", F_TEXT("error", strerror(-changes)));
	if ((changes > 0 || joined > 0) && !is_blocked(c)) {
		changes = control_commit_keys(c) ? -EIO : changes;
		if (changes >= 0)
			log_keys(c, changes);
	}
	/* a full disk is not tried, and not logged, four times a second */
	c->retry_keys_at_ms = changes < 0 ? clock_mono_ms() + KEYS_RETRY_MS : 0;
	secret_wipe(c->next_keys, sizeof(*c->next_keys));
	warn_if_late(c);
}

static void link_changed(void *arg)
{
	struct control *c = arg;

	keyring_sync_acknowledged(c->keyring);
	control_wake_cluster(c);
	control_step_keys(c);
	if (c->admin)
		admin_wake(c->admin);
}

struct reload {
	unsigned int changes, restarts;
};

static void log_change(void *arg, const char *key, const char *before, const char *after,
	enum config_reload reload)
{
	struct reload *r = arg;

	r->changes++;
	r->restarts += reload == CONFIG_RESTART;
	log_event(reload == CONFIG_RESTART ? LOG_WARNING : LOG_INFO,
		reload == CONFIG_RESTART ? "setting changed; it takes effect after a restart"
					 : "setting changed",
		F_TEXT("setting", key), F_TEXT("before", before), F_TEXT("after", after));
}

static void log_lines(char *text)
{
	for (char *save, *line = strtok_r(text, "\n", &save); line;
		line = strtok_r(NULL, "\n", &save))
		log_event(LOG_ERROR, "configuration is wrong; the last good one stays in force",
			F_TEXT("error", line));
}

int control_reload(struct control *c)
{
	struct config_errors errors = {0};
	struct reload r = {0};
	struct config *fresh;
	int err = config_load(c->config_path, &fresh, &errors);

	if (err) {
		if (errors.text)
			log_lines(errors.text);
		free(errors.text);
		return err;
	}
	config_compare(c->boot, c->live, fresh, log_change, &r);
	if (c->live != c->boot)
		config_free(c->live);
	c->live = fresh;
	log_configure((enum log_level)fresh->log.level, (enum log_format)fresh->log.format);
	log_event(LOG_INFO, "configuration read again", F_UINT("changes", r.changes),
		F_UINT("need_restart", r.restarts));
	control_configure_cluster(c);
	link_push_snapshot(c->link);
	control_step_keys(c);
	return 0;
}

static void on_tick(evutil_socket_t sock, short events, void *arg)
{
	struct control *c = arg;

	(void)sock;
	(void)events;

	control_step_keys(c);
	if (keyring_sync_has_turned(c->keyring))
		link_push_snapshot(c->link);
	if (!cluster_status(c->cluster)->is_alone)
		link_say_contact(c->link, (uint32_t)(c->live->cluster.dead_after * 3 / 4));
	control_end_drained(c);
	admin_wake(c->admin);
}

static void on_end(evutil_socket_t signal, short events, void *arg)
{
	struct control *c = arg;

	(void)events;
	log_event(LOG_INFO, "ending", F_TEXT("signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"));
	control_begin_end(c);
}

static void on_hup(evutil_socket_t signal, short events, void *arg)
{
	(void)signal;
	(void)events;
	(void)notify_send("RELOADING=1"); /* only to be shown */
	(void)control_reload(arg);	  /* it has logged what it did */
	(void)notify_send("READY=1");
}

static int open_directories(struct control *c, struct reason *why)
{
	int err = files_make_dir(c->boot->node.run_dir, 0700, why);

	if (err)
		return err;
	c->lock_run = files_lock(c->boot->node.run_dir, "control.lock", why);
	if (c->lock_run < 0)
		return c->lock_run;
	if (access(c->boot->node.state_dir, F_OK) < 0)
		return reason_set(why, -errno, "state directory %s: %s (tkmsctl init makes it)",
			c->boot->node.state_dir, strerror(errno));
	err = files_make_dir(c->boot->node.state_dir, 0700, why);
	if (err)
		return err;
	c->lock_state = files_lock(c->boot->node.state_dir, "lock", why);
	return c->lock_state < 0 ? c->lock_state : 0;
}

static int open_store(struct control *c, struct reason *why)
{
	uint8_t *kek = secret_alloc(SEAL_KEK_LEN);
	char path[PATH_MAX];
	int err;

	c->keys = keys_new();
	c->next_keys = keys_new();
	c->keyring = keyring_sync_new(c);
	if (!kek || !c->keys || !c->next_keys || !c->keyring) {
		secret_free(kek, SEAL_KEK_LEN);
		return reason_set(why, -ENOMEM,
			"no memory that can be locked: raise RLIMIT_MEMLOCK (ulimit -l, "
			"LimitMEMLOCK=)");
	}
	err = kek_load(c->boot->node.kek_file, kek, why);
	if (!err) {
		c->sealer = sealer_new(kek);
		if (!c->sealer)
			err = reason_set(why, -errno, "OpenSSL cannot be used (AES-256-GCM, HMAC)");
	}
	secret_free(kek, SEAL_KEK_LEN);
	if (!err)
		err = kek_change_prepare(c->sealer, c->boot->node.kek_file, why);
	if (!err)
		err = config_path(c->boot->node.state_dir, STORE_FILE, path, sizeof(path));
	return err ? err : store_open(path, c->sealer, &c->store, c->keys, why);
}

static struct event *watch(struct control *c, int signal_number, event_callback_fn fn)
{
	struct event *e = evsignal_new(c->base, signal_number, fn, c);

	if (e && event_add(e, NULL) < 0) {
		event_free(e);
		e = NULL;
	}
	return e;
}

static int open_loop(struct control *c, struct reason *why)
{
	static const struct timeval tick = {0, 250000};
	const struct link_owner owner = {c, control_fill_snapshot, link_changed};
	char path[PATH_MAX];
	int err;

	c->ev_term = watch(c, SIGTERM, on_end);
	c->ev_int = watch(c, SIGINT, on_end);
	c->ev_hup = watch(c, SIGHUP, on_hup);
	c->ev_tick = event_new(c->base, -1, EV_PERSIST, on_tick, c);
	err = control_open_cluster(c, why);
	if (err)
		return err;
	c->link = link_new(c->base, c->store, &owner);
	if (!c->ev_term || !c->ev_int || !c->ev_hup || !c->ev_tick ||
		event_add(c->ev_tick, &tick) < 0 || !c->link)
		return reason_set(why, -ENOMEM, "out of memory (or of lockable memory: ulimit -l)");
	err = config_path(c->boot->node.run_dir, "dataplane.sock", path, sizeof(path));
	if (!err)
		err = link_listen(c->link, path, why);
	if (!err)
		err = config_path(c->boot->node.run_dir, "control.sock", path, sizeof(path));
	if (!err)
		err = admin_open(c, path, &c->admin, why);
	if (err || !*c->boot->metrics.listen)
		return err;
	c->metrics = metrics_server_new(c, c->boot->metrics.listen, why);
	return c->metrics ? 0 : -ENOMEM;
}

int control_open(
	struct control *c, const char *config_file, struct config *config, struct reason *why)
{
	int err;

	*c = (struct control){.config_path = config_file,
		.boot = config,
		.live = config,
		.started_at = clock_now(),
		.lock_run = -1,
		.lock_state = -1};
	c->base = event_base_new();
	err = c->base ? open_directories(c, why) : reason_set(why, -ENOMEM, "no event loop");
	if (!err)
		err = open_store(c, why);
	if (!err)
		err = open_loop(c, why);
	if (!err) {
		c->kek = kek_change_new(c);
		err = c->kek ? 0 : reason_set(why, -ENOMEM, "out of memory");
	}
	if (!err)
		err = control_join(c, why);
	if (!err)
		control_step_keys(c);
	if (!err && !keys_active(c->keys) && cluster_status(c->cluster)->is_alone)
		err = reason_set(why, -EIO, "no sealing key could be made or stored (see the log)");
	if (err) {
		control_close(c);
		return err;
	}
	log_event(LOG_INFO, "started", F_TEXT("version", TKMS_VERSION),
		F_TEXT("node", c->boot->node.name), F_TEXT("identity", c->boot->kms.identity),
		F_UINT("epoch", c->keys->epoch),
		F_TEXT("active", keys_active(c->keys) ? keys_active(c->keys)->id : "none"),
		F_UINT("subscribers", store_count(c->store)));
	err = notify_send("READY=1");
	if (err)
		log_event(LOG_WARNING, "service manager cannot be told",
			F_TEXT("error", strerror(-err)));
	return 0;
}

int control_run(struct control *c)
{
	return event_base_dispatch(c->base) < 0 ? -EIO : 0;
}

static void free_event(struct event *e)
{
	if (e)
		event_free(e);
}

void control_close(struct control *c)
{
	metrics_server_free(c->metrics);
	admin_close(c->admin);
	hub_close(c->hub);
	sync_free(c->sync);
	cluster_free(c->cluster);
	link_free(c->link);
	kek_change_free(c->kek);
	store_close(c->store);
	sealer_free(c->sealer);
	keyring_sync_free(c->keyring);
	keys_free(c->keys);
	keys_free(c->next_keys);
	free_event(c->ev_tick);
	free_event(c->ev_term);
	free_event(c->ev_int);
	free_event(c->ev_hup);
	if (c->live != c->boot)
		config_free(c->live);
	if (c->base)
		event_base_free(c->base);
	if (c->lock_state >= 0)
		close(c->lock_state);
	if (c->lock_run >= 0)
		close(c->lock_run);
}
