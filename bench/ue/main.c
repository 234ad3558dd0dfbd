/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <jansson.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/ue/commands.h"
#include "common/crypto/secret.h"

static const char help[] =
	"usage: tkms-ue COMMAND [OPTIONS]\n"
	"\n"
	"A UE of MIKEY-TICKET (RFC 6043): asks a KMS for tickets, calls with them, has them "
	"resolved.\n"
	"\n"
	"Commands\n"
	"  call      a whole call: A requests a ticket, B gets it and resolves it, keys are "
	"compared\n"
	"              --kms ADDRS --from A.json --to B.json\n"
	"  probe     one request, for monitoring: round-trip time and clock offset\n"
	"              --kms ADDRS --as UE.json\n"
	"  request   get a ticket (modes 3 and 4: make one) and keep it in a file\n"
	"              --kms ADDRS --as A.json --recipient ID... --ticket FILE\n"
	"  transfer  the message to B, as a=key-mgmt line on stdout or in --message FILE\n"
	"              --as A.json --ticket FILE [--callee ID]\n"
	"  resolve   B: have the ticket of a message resolved; the answer to A goes to stdout or "
	"--answer FILE\n"
	"              --kms ADDRS --as B.json [--message FILE]     (modes 2 and 4: without the "
	"KMS)\n"
	"  finish    A: verify B's answer\n"
	"              --as A.json --ticket FILE --message FILE [--answer FILE]\n"
	"  key-mgmt  bring a message from any form to another: [FILE] [--format F]\n"
	"\n"
	"Options\n"
	"  --kms ADDR[,ADDR...]   IP, IP:port, [v6] or [v6]:port; UDP 2269 unless said otherwise\n"
	"  --kms URL              http://HOST[:PORT][/PATH[?QUERY]] or https://...: over HTTP\n"
	"  --kms-identity ID      else \"kms_identity\" of the UE's file, else kms@ the UE's "
	"domain\n"
	"  --timeout SECONDS      of each exchange with the KMS (5)\n"
	"  --suite A|B            algorithms: 128 or 256 bits (B)\n"
	"  --mode 1|2|3|4         who seals and opens the ticket: KMS and KMS (1), KMS and B (2), "
	"A and KMS (3),\n"
	"                         A and B (4)\n"
	"  --recipient ID         who may resolve the ticket; '?' stands for anything; may be "
	"repeated (call: B)\n"
	"  --callee ID            whom the call set-up is addressed to, e.g. the name of a group "
	"(call: B)\n"
	"  --app ID               authorised application; may be repeated\n"
	"  --flags LETTERS        of the ticket policy, e.g. DEFGHINO (what the mode needs)\n"
	"  --keys LIST            TYPE[:OCTETS][:SPI],... or none; TGK TGK+SALT TEK TEK+SALT GTGK "
	"GTGK+SALT\n"
	"  --ticket-type T,S,V    1,1,1 (base ticket) or 2,0,0 (3GPP)\n"
	"  --lifetime SECONDS     of the ticket (3600)\n"
	"  --unchanged            refuse a ticket if the KMS changed anything (flag K)\n"
	"  --ts-type utc|utc32    timestamps of 64 or 32 bits (utc)\n"
	"  --tpk FILE             {\"id\", \"key\"}: key shared by A and B (mode 4; call draws "
	"one)\n"
	"  --format F             of messages written: sdp, base64, hex, binary (sdp)\n"
	"  --json                 for scripts\n"
	"  --show-keys            session keys in hex, else fingerprints only\n"
	"\n"
	"A UE's file: {\"psk_id\": \"text or hex:...\", \"psk\": \"hex\", \"uids\": "
	"[\"user@domain\"], \"kms_identity\": \"...\"}\n"
	"\n"
	"Exit status: 0 all well; 1 keys of A and B differ; 2 command line or files; 3 no verified "
	"answer in time;\n"
	"4 the KMS refused (verified); 5 a message did not pass the checks of the UE\n";

static const struct {
	const char *name;
	int (*run)(struct options *, struct crypto *);
} commands[] = {
	{"call", command_call},
	{"probe", command_probe},
	{"request", command_request},
	{"transfer", command_transfer},
	{"resolve", command_resolve},
	{"finish", command_finish},
	{"key-mgmt", command_key_mgmt},
};

void *command_memory(size_t len)
{
	void *p = secret_alloc(len);
	if (p == NULL) {
		usage_error("no locked memory for keys: %s (ulimit -l)", strerror(errno));
	}
	return p;
}

/* JSON files hold keys: what the library frees is wiped. */
static void wiping_free(void *p)
{
	if (p != NULL) {
		secret_wipe(p, malloc_usable_size(p));
		free(p);
	}
}

static int run(int (*command)(struct options *, struct crypto *), int argc, char **argv)
{
	static struct options o;
	options_parse(&o, argc, argv);
	/* One message at a time: the reference backend is the simpler one, and runs on any CPU. */
	struct crypto *crypto = crypto_open("openssl");
	if (crypto == NULL) {
		usage_error("cryptography: %s", strerror(errno));
	}
	const int status = command(&o, crypto);
	crypto_close(crypto);
	return status;
}

int main(int argc, char **argv)
{
	json_set_alloc_funcs(malloc, wiping_free);
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		(void)fputs(help, argc < 2 ? stderr : stdout);
		return argc < 2 ? EXIT_USAGE : EXIT_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		(void)puts("tkms-ue " TKMS_VERSION);
		return EXIT_OK;
	}
	const int r = secret_process_harden(SECRET_LOCK_SELECTED);
	if (r != 0) {
		usage_error("this process cannot be made safe for keys: %s", strerror(-r));
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(argv[1], commands[i].name) == 0) {
			for (int k = 2; k < argc; k++) {
				if (strcmp(argv[k], "--help") == 0) {
					(void)fputs(help, stdout);
					return EXIT_OK;
				}
			}
			return run(commands[i].run, argc - 1, argv + 1);
		}
	}
	usage_error("'%s' is not a command (see tkms-ue --help)", argv[1]);
}
