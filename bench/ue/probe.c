/* SPDX-License-Identifier: BSD-3-Clause */
/* One request, for monitoring: does the KMS answer, how fast, and how far apart are the clocks. */
#include "bench/ue/ask.h"
#include "bench/ue/commands.h"
#include "bench/ue/report.h"
#include "bench/ue/user.h"
#include "common/crypto/secret.h"

struct probe {
	struct report r;
	struct user user;
	struct ue_ticket ticket;
	struct asked asked;
};

int command_probe(struct options *o, struct crypto *crypto)
{
	struct probe *p = command_memory(sizeof(*p));
	struct ue_policy policy;
	user_load(&p->user, options_need(o->as, "--as"), o, crypto);
	report_begin(&p->r, o, crypto, "probe", stdout);
	/* A ticket for oneself: nobody else is concerned. */
	options_policy(o, &p->user.uids[0], client_clock_ntp(), &policy);
	const struct asked *a = &p->asked;
	int status = ask_request(o, &p->user, &policy, &p->ticket, &p->asked);
	if (p->r.json != NULL) {
		report_asked(&p->r, a, "UE");
	}
	if (a->info.verified && a->info.has_time) {
		report_say(&p->r, "%s %s rtt %.3f ms clock %+.3f s sent %u",
			status == EXIT_OK ? "ok" : "bad", a->address, (double)a->net.rtt_us / 1e3,
			(double)a->info.offset_us / 1e6, a->net.sent);
	}
	if (status != EXIT_OK) {
		status = report_failure(&p->r, "probe", status, a->why);
	}
	status = report_end(&p->r, status);
	secret_free(p, sizeof(*p));
	return status;
}
