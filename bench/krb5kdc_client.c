/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The client of krb5kdc.sh, which compiles it: asks for service tickets (TGS-REQ) without keeping
 * them, from several processes, so that the KDC always has something to do.
 *
 * usage: krb5kdc_client PROCESSES REQUESTS SERVICES     (for all processes together; services are
 * s1, s2, ...)
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <krb5.h>

static void check(krb5_context ctx, krb5_error_code err, const char *what)
{
	if (err == 0)
		return;
	fprintf(stderr, "krb5kdc_client: %s: %s\n", what, krb5_get_error_message(ctx, err));
	exit(1);
}

/* The ticket-granting ticket in memory: no file is read for a request. */
static krb5_ccache open_cache(krb5_context ctx)
{
	krb5_ccache file, memory;
	krb5_principal user;

	check(ctx, krb5_cc_default(ctx, &file), "credentials");
	check(ctx, krb5_cc_get_principal(ctx, file, &user), "credentials");
	check(ctx, krb5_cc_new_unique(ctx, "MEMORY", NULL, &memory), "memory");
	check(ctx, krb5_cc_initialize(ctx, memory, user), "memory");
	check(ctx, krb5_cc_copy_creds(ctx, file, memory), "copy");
	krb5_cc_close(ctx, file);
	krb5_free_principal(ctx, user);
	return memory;
}

static void ask(krb5_context ctx, krb5_ccache cache, int service)
{
	krb5_creds in = {0}, *out;
	char name[32];

	snprintf(name, sizeof(name), "s%d", service);
	check(ctx, krb5_cc_get_principal(ctx, cache, &in.client), "credentials");
	check(ctx, krb5_parse_name(ctx, name, &in.server), name);
	check(ctx, krb5_get_credentials(ctx, KRB5_GC_NO_STORE, cache, &in, &out), name);
	krb5_free_creds(ctx, out);
	krb5_free_cred_contents(ctx, &in);
}

static _Noreturn void run(int first, int step, int requests, int services)
{
	krb5_context ctx;
	krb5_ccache cache;

	if (krb5_init_context(&ctx) != 0)
		exit(1);
	cache = open_cache(ctx);
	for (int i = first; i < requests; i += step)
		ask(ctx, cache, 1 + i % services);
	krb5_cc_destroy(ctx, cache);
	krb5_free_context(ctx);
	exit(0);
}

int main(int argc, char **argv)
{
	int processes = argc == 4 ? atoi(argv[1]) : 0, failed = 0, status;

	if (processes < 1) {
		fputs("usage: krb5kdc_client PROCESSES REQUESTS SERVICES\n", stderr);
		return 2;
	}
	for (int i = 0; i < processes; i++) {
		pid_t pid = fork();

		if (pid == 0)
			run(i, processes, atoi(argv[2]), atoi(argv[3]));
		failed += pid < 0;
	}
	while (wait(&status) > 0)
		failed += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	return failed > 0;
}
