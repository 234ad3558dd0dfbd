/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine behind one UDP socket on loopback: what tests of clients need of a KMS, without a data
 * plane.
 *
 *   udp_kms SUBSCRIBERS.jsonl [SKEW_SECONDS [SEALING_KEY [PROFILE]]]
 *
 * Prints the port, answers until killed. The clock is off by SKEW_SECONDS; the sealing key tpk-test
 * is SEALING_KEY (hex), else random; PROFILE is rfc6043 (default) or 3gpp.
 */
#include <arpa/inet.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bench/client/client.h"
#include "bench/ue/hex.h"
#include "common/crypto/secret.h"
#include "dataplane/engine/engine.h"

enum { DATAGRAM_MAX = 65535, PSK_ID_MAX = 64, UIDS_MAX = 8, LINE_MAX_LEN = 4096 };

struct kms {
	struct crypto *crypto;
	struct engine *engine;
	struct subscriber_table *table;
	struct keyring ring;
	struct policy policy;
	struct engine_view view;
};

_Noreturn static void die(const char *what)
{
	perror(what);
	exit(1);
}

static struct identity text(const char *s)
{
	return (struct identity){(const uint8_t *)s, (uint16_t)(s ? strlen(s) : 0)};
}

/* As subscribers are imported: text, or octets behind "hex:". */
static struct identity psk_id_of(const json_t *j, uint8_t octets[PSK_ID_MAX])
{
	const char *s = json_string_value(json_object_get(j, "psk_id"));

	if (!s || strncmp(s, "hex:", 4) != 0)
		return text(s);
	const ssize_t len = hex_decode(s + 4, octets, PSK_ID_MAX);

	if (len < 0)
		die(s);
	return (struct identity){octets, (uint16_t)len};
}

static void add(struct kms *k, const char *line)
{
	uint8_t psk_id[PSK_ID_MAX];
	json_t *j = json_loads(line, 0, NULL);
	const json_t *uids = json_object_get(j, "uids");
	struct identity uid[UIDS_MAX];
	uint8_t psk[32];
	const char *hex = json_string_value(json_object_get(j, "psk"));
	const ssize_t len = hex ? hex_decode(hex, psk, sizeof(psk)) : -1;

	if (len < 0 || json_array_size(uids) > UIDS_MAX)
		die(line);
	for (size_t i = 0; i < json_array_size(uids); i++)
		uid[i] = text(json_string_value(json_array_get(uids, i)));
	const struct subscriber_spec spec = {
		.psk_id = psk_id_of(j, psk_id),
		.psk = psk,
		.psk_len = (size_t)len,
		.uids = uid,
		.n_uids = (unsigned int)json_array_size(uids),
	};
	if (subscriber_table_put(k->table, k->crypto, &spec) != 0)
		die(line);
	json_decref(j);
}

static void load(struct kms *k, const char *file)
{
	char line[LINE_MAX_LEN];
	FILE *f = fopen(file, "r");

	if (!f)
		die(file);
	while (fgets(line, sizeof(line), f))
		add(k, line);
	fclose(f);
}

static void open_kms(struct kms *k, const char *subscribers, const char *hex, const char *profile)
{
	uint8_t key[32];
	const int64_t forever = INT64_C(1) << 40;

	k->crypto = crypto_open("openssl");
	k->engine = k->crypto ? engine_new(k->crypto) : NULL;
	k->table = subscriber_table_new(16);
	if (!k->engine || !k->table || secret_random(key, sizeof(key)) != 0)
		die("engine");
	if (hex && hex_decode(hex, key, sizeof(key)) != sizeof(key))
		die(hex);
	const struct sealing_key_spec spec = {.id = text("tpk-test"),
		.key = key,
		.len = sizeof(key),
		.seals_until = forever,
		.resolves_until = forever,
		.state = SEALING_ACTIVE};
	if (keyring_build(&k->ring, k->crypto, 1, &spec, 1) != 0)
		die("keyring");
	policy_defaults(&k->policy);
	k->policy.profile = profile && strcmp(profile, "3gpp") == 0 ? POLICY_3GPP : POLICY_RFC6043;
	k->policy.kms_identity = text("kms@tkms.example");
	load(k, subscribers);
	k->view = (struct engine_view){&k->ring, &k->policy, k->table};
}

static int open_socket(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sin);
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&sin, len) != 0 ||
		getsockname(fd, (struct sockaddr *)&sin, &len) != 0)
		die("socket");
	printf("%u\n", ntohs(sin.sin_port));
	fflush(stdout);
	return fd;
}

int main(int argc, char **argv)
{
	static struct kms k;
	static uint8_t in[DATAGRAM_MAX], out[DATAGRAM_MAX];
	const int64_t skew = argc > 2 ? strtoll(argv[2], NULL, 10) : 0;

	if (argc < 2)
		return 2;
	open_kms(&k, argv[1], argc > 3 ? argv[3] : NULL, argc > 4 ? argv[4] : NULL);
	const int fd = open_socket();
	for (;;) {
		struct sockaddr_storage from;
		socklen_t len = sizeof(from);
		const ssize_t n = recvfrom(fd, in, sizeof(in), 0, (struct sockaddr *)&from, &len);

		if (n < 0)
			die("recvfrom");
		struct engine_msg m = {.request = in,
			.request_len = (uint16_t)n,
			.response = out,
			.response_cap = sizeof(out)};
		engine_process(
			k.engine, &k.view, client_clock_ntp() + ((uint64_t)skew << 32), &m, 1);
		if (m.response_len != 0)
			(void)sendto(fd, out, m.response_len, 0, (struct sockaddr *)&from, len);
	}
}
