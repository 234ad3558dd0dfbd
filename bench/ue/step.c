/* SPDX-License-Identifier: BSD-3-Clause */
/* A call one step at a time, with files in between: request, transfer, resolve, finish, key-mgmt.
 */
#include <string.h>

#include "bench/ue/ask.h"
#include "bench/ue/commands.h"
#include "bench/ue/report.h"
#include "bench/ue/store.h"
#include "bench/ue/user.h"
#include "common/crypto/secret.h"
#include "common/ue/answer.h"
#include "common/ue/finish.h"
#include "common/ue/make.h"
#include "common/ue/transfer.h"

struct step {
	struct report r;
	struct user user;
	struct tpk_file tpk;
	struct ue_ticket ticket;
	struct ue_resolved resolved;
	struct ue_sessions sessions;
	struct asked asked;
	size_t init_len, resp_len;
	uint8_t init[UE_MESSAGE_MAX];
	uint8_t resp[UE_MESSAGE_MAX];
};

/* Human text goes to stderr when a message goes to stdout; JSON then has no place. */
static struct step *begin(
	struct options *o, struct crypto *crypto, const char *command, const char *message_file)
{
	const int stdout_taken = message_file == NULL || strcmp(message_file, "-") == 0;
	struct step *s = command_memory(sizeof(*s));
	user_load(&s->user, options_need(o->as, "--as"), o, crypto);
	if (o->json && stdout_taken) {
		usage_error("--json needs the message in a file of its own");
	}
	report_begin(&s->r, o, crypto, command, stdout_taken ? stderr : stdout);
	return s;
}

static int end(struct step *s, int status)
{
	status = report_end(&s->r, status);
	secret_free(s, sizeof(*s));
	return status;
}

static int refused(struct step *s, const char *what, enum ue_result r)
{
	return report_failure(&s->r, what, EXIT_REFUSED, ue_strerror(r));
}

static int make_ticket(struct step *s, const struct options *o, const struct ue_policy *policy)
{
	struct ue_tpk tpk = user_tpk(&s->user);
	if (o->mode == 4) {
		tpk_load(&s->tpk, options_need(o->tpk, "--tpk"));
		tpk = s->tpk.tpk;
	}
	const enum ue_result r =
		ue_ticket_make(&s->user.ue, policy, &tpk, client_clock_ntp(), &s->ticket);
	return r == UE_OK ? EXIT_OK : refused(s, "ticket", r);
}

int command_request(struct options *o, struct crypto *crypto)
{
	const char *file = options_need(o->ticket, "--ticket");
	struct ue_policy policy;
	if (o->n_recipients == 0) {
		usage_error("--recipient is missing: whom is the ticket for?");
	}
	struct step *s = begin(o, crypto, "request", file);
	int status;
	options_policy(o, NULL, client_clock_ntp(), &policy);
	if (o->mode >= 3) {
		status = make_ticket(s, o, &policy);
	} else {
		status = ask_request(o, &s->user, &policy, &s->ticket, &s->asked);
		report_asked(&s->r, &s->asked, "A");
		if (status != EXIT_OK) {
			(void)report_failure(&s->r, "REQUEST", status, s->asked.why);
		}
	}
	if (status == EXIT_OK) {
		report_ticket(&s->r, &s->ticket);
		store_ticket(file, &s->ticket, o->suite);
		report_say(&s->r, "   ticket and keys are in %s (secret)", file);
	}
	return end(s, status);
}

/* Whom the message is for: --callee, else the only recipient of the ticket. */
static struct identity callee(const struct options *o, const struct ue_ticket *t)
{
	struct mikey_tp_data tp;
	if (o->callee != NULL) {
		return (struct identity){(const uint8_t *)o->callee, (uint16_t)strlen(o->callee)};
	}
	if (ue_ticket_policy(t, &tp) == UE_OK && tp.n_idr_r == 1) {
		const struct identity id = {
			mikey_at(t->body, tp.idr_r[0].data), tp.idr_r[0].data.len};
		if (identity_wildcards(id) == 0) {
			return id;
		}
	}
	usage_error("--callee is missing: the ticket is for more than one");
}

int command_transfer(struct options *o, struct crypto *crypto)
{
	const char *file = options_need(o->ticket, "--ticket");
	struct step *s = begin(o, crypto, "transfer", o->message);
	struct ue_offer offer;
	load_ticket(file, &s->ticket, &s->user.ue.suite);
	enum ue_result r =
		ue_offer_srtp(&s->user.ue, &s->ticket, callee(o, &s->ticket), NULL, &offer);
	if (r == UE_OK) {
		r = ue_transfer_build(&s->user.ue, &s->ticket, &offer, client_clock_ntp(), s->init,
			sizeof(s->init), &s->init_len);
	}
	if (r != UE_OK) {
		return end(s, refused(s, "TRANSFER_INIT", r));
	}
	/* First the note that the ticket is used, then the message: never the other way round. */
	store_ticket(file, &s->ticket, s->user.ue.suite);
	store_message(o->message, s->init, s->init_len, o->format);
	report_say(&s->r, "   TRANSFER_INIT  %zu octets", s->init_len);
	return end(s, EXIT_OK);
}

static int resolve_with_kms(struct step *s, struct options *o)
{
	const int status = ask_resolve(o, &s->user, s->init, s->init_len, &s->resolved, &s->asked);
	report_asked(&s->r, &s->asked, "B");
	return status == EXIT_OK ? EXIT_OK : report_failure(&s->r, "RESOLVE", status, s->asked.why);
}

static int resolve_alone(struct step *s, const struct options *o)
{
	struct ue_tpk tpk = user_tpk(&s->user);
	if (o->tpk != NULL) {
		tpk_load(&s->tpk, o->tpk);
		tpk = s->tpk.tpk;
	}
	const enum ue_result r = ue_resolve_local(
		&s->user.ue, s->init, s->init_len, &tpk, client_clock_ntp(), &s->resolved);
	return r == UE_OK ? EXIT_OK : refused(s, "ticket", r);
}

static int answer(struct step *s, const struct options *o)
{
	const uint64_t now = client_clock_ntp();
	enum ue_result r = ue_answer_build(&s->user.ue, &s->resolved, s->init, s->init_len, NULL,
		now, s->resp, sizeof(s->resp), &s->resp_len, &s->sessions);
	if (r == UE_NOT_EXPECTED) {
		r = ue_answer_one_way(
			&s->user.ue, &s->resolved, s->init, s->init_len, now, &s->sessions);
		report_say(&s->r, "   no TRANSFER_RESP is due (flag F)");
	} else if (r == UE_OK) {
		store_message(o->answer, s->resp, s->resp_len, o->format);
		report_say(&s->r, "   TRANSFER_RESP  %zu octets", s->resp_len);
	}
	if (r != UE_OK) {
		return refused(s, "TRANSFER_RESP", r);
	}
	report_sessions(&s->r, &s->sessions);
	return EXIT_OK;
}

int command_resolve(struct options *o, struct crypto *crypto)
{
	struct step *s = begin(o, crypto, "resolve", o->answer);
	s->init_len = load_message(o->message, s->init, sizeof(s->init));
	int status = o->mode % 2 == 0 ? resolve_alone(s, o) : resolve_with_kms(s, o);
	status = status == EXIT_OK ? answer(s, o) : status;
	return end(s, status);
}

int command_finish(struct options *o, struct crypto *crypto)
{
	const char *file = options_need(o->ticket, "--ticket");
	const char *message = options_need(o->message, "--message");
	struct step *s = begin(o, crypto, "finish", file);
	struct ue_info info;
	enum ue_result r;
	load_ticket(file, &s->ticket, &s->user.ue.suite);
	s->init_len = load_message(message, s->init, sizeof(s->init));
	if (o->answer == NULL && !(s->ticket.flags & MIKEY_FLAG_F)) {
		r = ue_transfer_one_way(
			&s->user.ue, &s->ticket, s->init, s->init_len, &s->sessions);
	} else {
		s->resp_len =
			load_message(options_need(o->answer, "--answer"), s->resp, sizeof(s->resp));
		r = ue_transfer_process(&s->user.ue, &s->ticket, s->init, s->init_len, s->resp,
			s->resp_len, client_clock_ntp(), &s->sessions, NULL, NULL, &info);
	}
	if (r != UE_OK) {
		return end(s, refused(s, "TRANSFER_RESP", r));
	}
	report_say(&s->r, "   the responder is who the ticket says, and holds the keys");
	report_sessions(&s->r, &s->sessions);
	return end(s, EXIT_OK);
}

int command_key_mgmt(struct options *o, struct crypto *crypto)
{
	uint8_t message[UE_MESSAGE_MAX];
	(void)crypto;
	const size_t len = load_message(o->file, message, sizeof(message));
	store_message(NULL, message, len, o->format);
	return EXIT_OK;
}
