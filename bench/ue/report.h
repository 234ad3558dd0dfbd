/* SPDX-License-Identifier: BSD-3-Clause */
/* What happened, for people and for scripts. Keys appear as fingerprints unless --show-keys asks
 * for them. */
#ifndef TKMS_UE_REPORT_H
#define TKMS_UE_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "bench/ue/ask.h"
#include "bench/ue/options.h"
#include "common/ue/session.h"
#include "common/ue/ticket.h"

struct report {
	const struct options *o;
	struct crypto *crypto;
	FILE *talk;   /* human text; NULL with --json */
	json_t *json; /* NULL without --json */
	const char *command;
};

/* talk: where human text goes unless --json is on. */
void report_begin(struct report *r, const struct options *o, struct crypto *crypto,
	const char *command, FILE *talk);

/* Prints the JSON object, if any. Returns status. */
int report_end(struct report *r, int status);

/* A line of human text. */
void report_say(const struct report *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* One exchange with the KMS: two lines, or an object under the step's name in lower case. */
void report_asked(struct report *r, const struct asked *a, const char *who);

/* A failure; returns status. */
int report_failure(struct report *r, const char *step, int status, const char *why);

void report_ticket(struct report *r, const struct ue_ticket *t);

/* The session keys of one end. */
void report_sessions(struct report *r, const struct ue_sessions *s);

/* Those of both ends; returns whether they are equal (and any). */
int report_both(struct report *r, const struct ue_sessions *a, const struct ue_sessions *b);

#endif
