/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/fuzz/control_kit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/files.h"
#include "control/kek.h"
#include "control/log.h"

enum { INPUTS_MAX = 2048, TURNS = 8 };

static char folder[] = "/dev/shm/tkms-fuzz-XXXXXX";
static struct control control;
static struct config *config;
static unsigned int inputs;

static void require(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "control_kit: %s\n", what);
	abort();
}

static void path_of(char *path, size_t cap, const char *name)
{
	require(snprintf(path, cap, "%s/%s", folder, name) < (int)cap, "path");
}

static void remove_all(void)
{
	static const char *const names[] = {"control.lock", "lock", "store.db", "store.db-wal",
		"store.db-shm", "kek", "tkms.yaml", "control.sock", "dataplane.sock"};
	char path[128];

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path_of(path, sizeof(path), names[i]);
		(void)unlink(path);
	}
	(void)rmdir(folder);
}

static void stop(void)
{
	if (!config)
		return;
	control_close(&control);
	config_free(config);
	config = NULL;
	remove_all();
}

static void make_store(void)
{
	uint8_t kek[SEAL_KEK_LEN];
	struct sealer *sealer;
	struct reason why = {""};
	char path[128];

	path_of(path, sizeof(path), "kek");
	require(kek_create(path, &why) == 0 && kek_load(path, kek, &why) == 0, why.text);
	sealer = sealer_new(kek);
	path_of(path, sizeof(path), STORE_FILE);
	require(sealer && store_create(path, sealer, &why) == 0, why.text);
	sealer_free(sealer);
}

static void start(void)
{
	static char path[128];
	struct config_errors errors = {0};
	struct reason why = {""};
	FILE *f;

	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	require(mkdtemp(folder), "mkdtemp");
	path_of(path, sizeof(path), "tkms.yaml");
	f = fopen(path, "we");
	require(f != NULL, path);
	fprintf(f,
		"kms: {identity: kms@d}\nnode: {name: n, state_dir: %s, run_dir: %s, kek_file: "
		"%s/kek}\nservice: {addresses: [192.0.2.1/24]}\n",
		folder, folder, folder);
	require(fclose(f) == 0, path);
	require(config_load(path, &config, &errors) == 0, errors.text ? errors.text : path);
	log_configure(LOG_ERROR, LOG_TEXT);
	make_store();
	require(control_open(&control, path, config, &why) == 0, why.text);
}

struct control *control_kit(void)
{
	static bool registered;

	if (!registered)
		require(atexit(stop) == 0, "atexit");
	registered = true;
	if (inputs++ % INPUTS_MAX == 0) {
		stop();
		start();
	}
	return &control;
}

int control_kit_connect(const char *name, int type)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int sock = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	path_of(a.sun_path, sizeof(a.sun_path), name);
	require(sock >= 0 && connect(sock, (const struct sockaddr *)&a, sizeof(a)) == 0,
		a.sun_path);
	return sock;
}

void control_kit_turn(struct control *c)
{
	for (unsigned int i = 0; i < TURNS; i++)
		require(event_base_loop(c->base, EVLOOP_NONBLOCK) >= 0, "loop");
}
