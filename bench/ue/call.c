/* SPDX-License-Identifier: BSD-3-Clause */
/* A whole call: A gets a ticket, B gets it in the call set-up and has it resolved, both derive
 * keys. */
#include <stdlib.h>
#include <string.h>

#include "bench/ue/ask.h"
#include "bench/ue/commands.h"
#include "bench/ue/report.h"
#include "bench/ue/user.h"
#include "common/crypto/secret.h"
#include "common/ue/answer.h"
#include "common/ue/finish.h"
#include "common/ue/make.h"
#include "common/ue/transfer.h"

struct call {
	struct options *o;
	struct report r;
	struct user a, b;
	struct tpk_file tpk;
	struct ue_ticket ticket;
	struct ue_resolved resolved;
	struct ue_sessions sessions_a, sessions_b;
	struct asked asked;
	size_t transfer_len, answer_len;
	uint8_t transfer[UE_MESSAGE_MAX];
	uint8_t answer[UE_MESSAGE_MAX];
};

static int text_len(struct identity id)
{
	return id.len;
}

static const char *text(struct identity id)
{
	return (const char *)id.data;
}

static int fail(struct call *c, const char *step, enum ue_result r)
{
	return report_failure(&c->r, step, EXIT_REFUSED, ue_strerror(r));
}

static int ask_for_ticket(struct call *c, const struct ue_policy *policy)
{
	report_say(&c->r, "1. A asks the KMS for a ticket and for the keys in it.");
	if (ask_request(c->o, &c->a, policy, &c->ticket, &c->asked) != EXIT_OK) {
		report_asked(&c->r, &c->asked, "A");
		return report_failure(&c->r, "REQUEST", c->asked.status, c->asked.why);
	}
	report_asked(&c->r, &c->asked, "A");
	return EXIT_OK;
}

/* Mode 4: a key that A and B are supposed to share. */
static void shared_tpk(struct call *c)
{
	static const char id[] = "shared";
	if (c->o->tpk != NULL) {
		tpk_load(&c->tpk, c->o->tpk);
		return;
	}
	if (secret_random(c->tpk.key, sizeof(c->tpk.key)) != 0) {
		usage_error("no random numbers");
	}
	memcpy(c->tpk.id, id, sizeof(id) - 1);
	c->tpk.tpk = (struct ue_tpk){{c->tpk.id, sizeof(id) - 1}, c->tpk.key, sizeof(c->tpk.key)};
}

static int get_ticket(struct call *c)
{
	struct ue_policy policy;
	const uint64_t now = client_clock_ntp();
	options_policy(c->o, &c->b.uids[0], now, &policy);
	int status = EXIT_OK;
	if (c->o->mode <= 2) {
		status = ask_for_ticket(c, &policy);
	} else {
		struct ue_tpk tpk = user_tpk(&c->a);
		report_say(&c->r, "1. A makes a ticket itself, sealed with %s.",
			c->o->mode == 3 ? "its own key, which the KMS knows"
					: "a key that it shares with B");
		if (c->o->mode == 4) {
			shared_tpk(c);
			tpk = c->tpk.tpk;
		}
		const enum ue_result r = ue_ticket_make(&c->a.ue, &policy, &tpk, now, &c->ticket);
		if (r != UE_OK) {
			return fail(c, "ticket", r);
		}
	}
	if (status == EXIT_OK) {
		report_ticket(&c->r, &c->ticket);
	}
	return status;
}

static int transfer(struct call *c)
{
	struct ue_offer offer;
	const char *callee = c->o->callee;
	struct identity idr_r = c->b.uids[0];
	if (callee != NULL) {
		idr_r = (struct identity){(const uint8_t *)callee, (uint16_t)strlen(callee)};
	}
	enum ue_result r = ue_offer_srtp(&c->a.ue, &c->ticket, idr_r, NULL, &offer);
	if (r == UE_OK) {
		r = ue_transfer_build(&c->a.ue, &c->ticket, &offer, client_clock_ntp(), c->transfer,
			sizeof(c->transfer), &c->transfer_len);
	}
	if (r != UE_OK) {
		return fail(c, "TRANSFER_INIT", r);
	}
	report_say(&c->r, "2. A sends the ticket to B in the call set-up (SDP a=key-mgmt).");
	report_say(&c->r, "   TRANSFER_INIT  A -> B  %zu octets, MAC with MPKi from the ticket",
		c->transfer_len);
	return EXIT_OK;
}

/* Modes 2 and 4: with a key of B's own. UE_MUST_RESOLVE or UE_TICKET_KEY: the KMS has to be asked.
 */
static enum ue_result resolve_alone(struct call *c)
{
	const struct ue_tpk tpk = c->o->mode == 4 ? c->tpk.tpk : user_tpk(&c->b);
	if (c->o->mode % 2 != 0) {
		return UE_MUST_RESOLVE;
	}
	return ue_resolve_local(
		&c->b.ue, c->transfer, c->transfer_len, &tpk, client_clock_ntp(), &c->resolved);
}

static int resolve(struct call *c)
{
	const enum ue_result r = resolve_alone(c);
	if (r == UE_OK) {
		report_say(
			&c->r, "3. B opens the ticket itself, and verifies A's message with MPKi.");
		return EXIT_OK;
	}
	if (r != UE_MUST_RESOLVE && r != UE_TICKET_KEY) {
		return fail(c, "ticket", r);
	}
	if (c->o->mode == 4) {
		return fail(c, "ticket", r);
	}
	report_say(
		&c->r, "3. B has the KMS resolve the ticket, then verifies A's message with MPKi.");
	const int status =
		ask_resolve(c->o, &c->b, c->transfer, c->transfer_len, &c->resolved, &c->asked);
	report_asked(&c->r, &c->asked, "B");
	if (status != EXIT_OK) {
		return report_failure(&c->r, "RESOLVE", status, c->asked.why);
	}
	if (c->resolved.forked) {
		report_say(&c->r,
			"   keys are forked: bound to %.*s, of no use to other recipients",
			c->resolved.id_len, (const char *)c->resolved.id);
	}
	return EXIT_OK;
}

static int finish_one_way(struct call *c)
{
	report_say(&c->r, "4. The ticket asks for no answer (flag F): both derive their keys.");
	enum ue_result r = ue_answer_one_way(&c->b.ue, &c->resolved, c->transfer, c->transfer_len,
		client_clock_ntp(), &c->sessions_b);
	if (r == UE_OK) {
		r = ue_transfer_one_way(
			&c->a.ue, &c->ticket, c->transfer, c->transfer_len, &c->sessions_a);
	}
	return r == UE_OK ? EXIT_OK : fail(c, "keys", r);
}

static int finish(struct call *c)
{
	struct ue_info info;
	if (!(c->ticket.flags & MIKEY_FLAG_F)) {
		return finish_one_way(c);
	}
	report_say(&c->r,
		"4. B answers in the call set-up; its MAC proves to A that B holds the keys.");
	enum ue_result r = ue_answer_build(&c->b.ue, &c->resolved, c->transfer, c->transfer_len,
		NULL, client_clock_ntp(), c->answer, sizeof(c->answer), &c->answer_len,
		&c->sessions_b);
	if (r == UE_OK) {
		report_say(&c->r, "   TRANSFER_RESP  B -> A  %zu octets, MAC with %s",
			c->answer_len, c->resolved.forked ? "MPKr'" : "MPKi");
		r = ue_transfer_process(&c->a.ue, &c->ticket, c->transfer, c->transfer_len,
			c->answer, c->answer_len, client_clock_ntp(), &c->sessions_a, NULL, NULL,
			&info);
	}
	return r == UE_OK ? EXIT_OK : fail(c, "TRANSFER_RESP", r);
}

static int compare(struct call *c)
{
	report_say(&c->r, "5. Each end has derived its SRTP keys by itself.");
	if (!report_both(&c->r, &c->sessions_a, &c->sessions_b)) {
		return report_failure(
			&c->r, "keys", EXIT_UNEQUAL, "SRTP keys of A and B are NOT equal");
	}
	report_say(&c->r, "SRTP keys of A and B are equal");
	return EXIT_OK;
}

static int run(struct call *c)
{
	report_say(&c->r, "A is %.*s, B is %.*s, the KMS is %.*s. Mode %d, suite %c.",
		text_len(c->a.uids[0]), text(c->a.uids[0]), text_len(c->b.uids[0]),
		text(c->b.uids[0]), text_len(c->a.ue.kms), text(c->a.ue.kms), c->o->mode,
		c->o->suite == UE_SUITE_A ? 'A' : 'B');
	int status = get_ticket(c);
	status = status == EXIT_OK ? transfer(c) : status;
	status = status == EXIT_OK ? resolve(c) : status;
	status = status == EXIT_OK ? finish(c) : status;
	return status == EXIT_OK ? compare(c) : status;
}

int command_call(struct options *o, struct crypto *crypto)
{
	struct call *c = command_memory(sizeof(*c));
	c->o = o;
	user_load(&c->a, options_need(o->from, "--from"), o, crypto);
	user_load(&c->b, options_need(o->to, "--to"), o, crypto);
	if (o->mode <= 3 && o->kms.n == 0 && o->url == NULL) {
		usage_error("--kms is missing (see tkms-ue --help)");
	}
	report_begin(&c->r, o, crypto, "call", stdout);
	if (c->r.json != NULL) {
		const int bad = json_object_set_new(c->r.json, "keys_equal", json_false()) != 0 ||
				json_object_set_new(c->r.json, "mode", json_integer(o->mode)) != 0;
		if (bad) {
			usage_error("out of memory");
		}
	}
	const int status = report_end(&c->r, run(c));
	secret_free(c, sizeof(*c));
	return status;
}
