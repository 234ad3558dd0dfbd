/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of tkms-ue. Wrong values end the program with EXIT_USAGE and a line that names
 * them. */
#ifndef TKMS_UE_OPTIONS_H
#define TKMS_UE_OPTIONS_H

#include <stdint.h>

#include "bench/client/client.h"
#include "bench/client/http.h"
#include "common/ue/policy.h"
#include "common/ue/ue.h"

enum {
	EXIT_OK = 0,
	EXIT_UNEQUAL = 1, /* the keys of both ends differ */
	EXIT_USAGE = 2,	  /* command line, or a file that cannot be used */
	EXIT_SILENT = 3,  /* no verified answer in time */
	EXIT_DENIED = 4,  /* the KMS refused, with a correct MAC */
	EXIT_REFUSED = 5, /* a message did not pass the checks of this UE */
};

enum key_mgmt_format { FORMAT_SDP, FORMAT_BASE64, FORMAT_HEX, FORMAT_BINARY };

struct options {
	struct client_pool kms; /* n 0: not given */
	const char *url;	/* the KMS over HTTP, NULL: kms */
	struct client_timing timing;
	const char *kms_identity; /* NULL: from the file, or kms@ the UE's domain */
	const char *as;		  /* file names */
	const char *from;
	const char *to;
	const char *tpk;
	const char *ticket;
	const char *message;
	const char *answer;
	const char *callee; /* identity that a TRANSFER_INIT is for */
	int mode;	    /* 1..4 */
	int flags;	    /* enum mikey_ticket_flag; -1: usual ones of the mode */
	enum ue_suite suite;
	enum ue_changes changes;
	uint8_t ts_type;
	uint8_t json;
	uint8_t show_keys;
	enum key_mgmt_format format;
	uint16_t ticket_type;
	uint8_t ticket_subtype;
	uint8_t ticket_version;
	int64_t lifetime_s;
	uint8_t key_list; /* enum ue_key_list */
	unsigned int n_keys;
	struct ue_key_wish keys[UE_KEYS_MAX];
	unsigned int n_recipients;
	struct identity recipients[UE_RECIPIENTS_MAX];
	unsigned int n_apps;
	struct identity apps[UE_APPS_MAX];
	const char *file; /* what follows the options, NULL: nothing */
};

/* argv[0] is the subcommand. */
void options_parse(struct options *o, int argc, char **argv);

/* What to ask for, by the options: recipients default to the identity given. */
void options_policy(const struct options *o, const struct identity *recipient, uint64_t ntp_now,
	struct ue_policy *p);

/* Ends the program: "tkms-ue: ..." on stderr, status EXIT_USAGE. */
_Noreturn void usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* An option that the subcommand needs. Returns value. */
const char *options_need(const char *value, const char *option);

#endif
