/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/ue/ask.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/ue/request.h"

struct question {
	const struct user *user;
	struct asked *asked;
	enum ue_changes changes;
	const uint8_t *transfer; /* RESOLVE only */
	size_t transfer_len;
	struct ue_ticket *ticket;
	struct ue_resolved *resolved;
	int hint;		/* last Error number without MAC, -1: none */
	int64_t hint_offset_us; /* its clock */
	enum ue_result ignored; /* last reason why a datagram did not count, UE_OK: none */
	size_t init_len;
	uint8_t init[UE_MESSAGE_MAX];
};

static enum client_verdict judge(void *arg, unsigned int address, const uint8_t *octets, size_t len)
{
	struct question *q = arg;
	struct asked *a = q->asked;
	const struct ue *ue = &q->user->ue;
	const uint64_t now = client_clock_ntp();
	(void)address;
	a->result = q->transfer == NULL
			    ? ue_request_process(ue, q->changes, q->init, q->init_len, octets, len,
				      now, q->ticket, &a->info)
			    : ue_resolve_process(ue, q->transfer, q->transfer_len, q->init,
				      q->init_len, octets, len, now, q->resolved, &a->info);
	if (a->info.verified) {
		a->resp_len = len;
		return CLIENT_FINAL;
	}
	if (a->result == UE_ERROR_HINT) {
		q->hint = a->info.error_no;
		q->hint_offset_us = a->info.offset_us;
		return CLIENT_HINT;
	}
	q->ignored = a->result;
	return CLIENT_IGNORE;
}

static void why(struct asked *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void why(struct asked *a, const char *format, ...)
{
	const size_t used = strlen(a->why);
	va_list args;
	va_start(args, format);
	(void)vsnprintf(a->why + used, sizeof(a->why) - used, format, args);
	va_end(args);
}

static void explain_silence(const struct question *q, struct asked *a)
{
	a->status = EXIT_SILENT;
	why(a, "no verified answer in %.1f s (%u messages sent, %u datagrams received)",
		(double)a->net.total_us / 1e6, a->net.sent, a->net.received);
	if (q->hint >= 0) {
		why(a, "; somebody who proved nothing said Error %d (%s)", q->hint,
			ue_error_text(q->hint));
	}
	if (q->hint == MIKEY_ERR_AUTH_FAILURE) {
		why(a, "; check psk_id, psk and the KMS's identity");
		if (q->user->kms_guessed) {
			why(a, " (assumed: %.*s; --kms-identity sets it)", q->user->ue.kms.len,
				(const char *)q->user->ue.kms.data);
		}
	}
	if (q->hint == MIKEY_ERR_INVALID_TS) {
		why(a, "; its clock is %+.1f s from ours", (double)q->hint_offset_us / 1e6);
	}
	if (q->ignored != UE_OK) {
		why(a, "; ignored: %s", ue_strerror(q->ignored));
	}
	if (a->net.http_status != 0) {
		why(a, "; HTTP status %u", a->net.http_status);
	}
	if (a->net.send_errno != 0) {
		why(a, "; the network says: %s", strerror(a->net.send_errno));
	}
}

static int ask(struct options *o, struct question *q)
{
	struct asked *a = q->asked;
	q->hint = -1;
	q->ignored = UE_OK;
	a->init_len = q->init_len;
	if (o->kms.n == 0 && o->url == NULL) {
		usage_error("--kms is missing (see tkms-ue --help)");
	}
	const int r = o->url != NULL ? client_http_call(o->url, &o->timing, q->init, q->init_len,
					       judge, q, &a->net)
				     : client_call(&o->kms, &o->timing, q->init, q->init_len, judge,
					       q, &a->net);
	if (r == -ETIMEDOUT) {
		explain_silence(q, a);
	} else if (r != 0) {
		a->status = EXIT_SILENT;
		why(a, "the KMS could not be asked: %s", strerror(-r));
		if (a->net.http_status != 0) {
			why(a, "; HTTP status %u", a->net.http_status);
		}
	} else if (a->result == UE_ERROR_VERIFIED) {
		a->status = EXIT_DENIED;
		why(a, "the KMS refused with Error %d (%s)", a->info.error_no,
			ue_error_text(a->info.error_no));
	} else if (a->result != UE_OK) {
		a->status = EXIT_REFUSED;
		why(a, "the answer is genuine but not acceptable: %s", ue_strerror(a->result));
	} else {
		a->status = EXIT_OK;
	}
	if (r == 0 && o->url != NULL) {
		(void)snprintf(a->address, sizeof(a->address), "%s", o->url);
	} else if (r == 0) {
		memcpy(a->address, o->kms.address[a->net.address].text, sizeof(a->address));
	}
	return a->status;
}

static int not_built(struct asked *a, enum ue_result r)
{
	a->result = r;
	a->status = EXIT_REFUSED;
	why(a, "%s", ue_strerror(r));
	return a->status;
}

int ask_request(struct options *o, const struct user *u, const struct ue_policy *policy,
	struct ue_ticket *ticket, struct asked *a)
{
	struct question q = {.user = u, .asked = a, .changes = o->changes, .ticket = ticket};
	*a = (struct asked){.step = "REQUEST", .info = {.error_no = -1}};
	const enum ue_result r = ue_request_build(
		&u->ue, policy, client_clock_ntp(), q.init, sizeof(q.init), &q.init_len);
	return r == UE_OK ? ask(o, &q) : not_built(a, r);
}

int ask_resolve(struct options *o, const struct user *u, const uint8_t *transfer,
	size_t transfer_len, struct ue_resolved *resolved, struct asked *a)
{
	struct question q = {
		.user = u,
		.asked = a,
		.transfer = transfer,
		.transfer_len = transfer_len,
		.resolved = resolved,
	};
	*a = (struct asked){.step = "RESOLVE", .info = {.error_no = -1}};
	const enum ue_result r = ue_resolve_build(&u->ue, transfer, transfer_len,
		client_clock_ntp(), q.init, sizeof(q.init), &q.init_len);
	return r == UE_OK ? ask(o, &q) : not_built(a, r);
}
