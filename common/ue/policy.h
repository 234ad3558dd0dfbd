/* SPDX-License-Identifier: BSD-3-Clause */
/* Ticket policies: what an Initiator asks for, what it accepts, what flags mean together (RFC
 * 6043 6.10). */
#ifndef TKMS_UE_POLICY_H
#define TKMS_UE_POLICY_H

#include "common/mikey/message.h"
#include "common/mikey/writer.h"
#include "common/ue/keyset.h"
#include "common/ue/ue.h"

enum { UE_KEYS_MAX = 16, UE_RECIPIENTS_MAX = MIKEY_IDRR_MAX, UE_APPS_MAX = MIKEY_IDRAPP_MAX };

/* A session key asked for, or to be made. */
struct ue_key_wish {
	uint8_t type; /* enum mikey_key_type, not MPK */
	uint8_t key_len;
	uint8_t salt_len; /* types with SALT only */
	uint8_t spi_len;  /* 0: the one who makes the key chooses 4 octets */
	uint8_t spi[UE_SPI_MAX];
};

enum ue_key_list {
	UE_KEYS_DEFAULT, /* no KEMAC: one TGK by the KMS's choice */
	UE_KEYS_LISTED,	 /* the keys listed; n_keys 0: none (pre-encrypted content) */
};

enum ue_omit { /* identities left out of the policy; better send both (K flag) */
	UE_OMIT_IDR_KMS = 1 << 0,
	UE_OMIT_IDR_I = 1 << 1,
};

enum ue_changes {	     /* what the KMS may change */
	UE_CHANGES_STRICTER, /* what promises no less: see ue_grant_check() */
	UE_CHANGES_NONE,
};

struct ue_policy {
	uint16_t type; /* ticket type, subtype, version */
	uint8_t subtype;
	uint8_t version;
	uint16_t flags;	 /* enum mikey_ticket_flag, K is 0 */
	uint8_t omit;	 /* enum ue_omit */
	uint8_t changes; /* enum ue_changes */
	struct ue_time trs, tre, trr;
	uint8_t key_list; /* enum ue_key_list */
	unsigned int n_keys;
	struct ue_key_wish keys[UE_KEYS_MAX];
	const struct identity *recipients; /* IDRr, groups with '?' too */
	unsigned int n_recipients;
	const struct identity *apps; /* IDRapp, sent as byte strings */
	unsigned int n_apps;
};

/* Flags of the usual ticket: forked, resolved by the KMS, answered, both RANDs, not reusable. */
enum {
	UE_FLAGS_USUAL = MIKEY_FLAG_D | MIKEY_FLAG_E | MIKEY_FLAG_F | MIKEY_FLAG_G | MIKEY_FLAG_H |
			 MIKEY_FLAG_I | MIKEY_FLAG_N | MIKEY_FLAG_O,
};

/* Base ticket (1,1,1), usual flags, valid from 60 s ago for an hour, the KMS's default key. */
void ue_policy_default(struct ue_policy *p, uint64_t ntp_now);

/* Do flags keep the rules of 6.10 (NOT D implies L, G implies F, ...). has_tgk: a TGK is in the
 * ticket. */
enum ue_result ue_flags_check(uint16_t flags, int has_tgk);

/* Is it a ticket type that the library can process: (1,1,1) and (2,0,0). */
enum ue_result ue_ticket_type_check(uint16_t type, uint8_t subtype, uint8_t version);

/* TRs, TRe and TRr of NTP types (others: UE_TICKET_POLICY). */
enum ue_result ue_times_check(const struct mikey_tp_data *tp);

/* TRs <= now <= TRe, both ends included; absent ones do not limit. ue_times_check() first. */
enum ue_result ue_validity_check(
	const struct mikey_tp_data *tp, const uint8_t *octets, uint64_t ntp_now);

/* Does an IDRr of the policy match id. More IDRr than can be recorded are not looked at. */
int ue_policy_matches(const struct mikey_tp_data *tp, const uint8_t *octets, struct identity id);

/* Are the values of p in range for the suite; UE_ARGUMENT, UE_KEY_LENGTH, UE_TICKET_FLAGS. */
enum ue_result ue_policy_check(const struct ue_policy *p, enum ue_suite suite);

/* Writes the payloads of TP Data (First Payload is opened by the caller). with_kemac: a TP asks for
 * keys, a TICKET never does. */
enum ue_kemac { UE_WITHOUT_KEMAC, UE_WITH_KEMAC };
void ue_policy_write(struct mikey_writer *w, const struct ue *ue, const struct ue_policy *p,
	enum ue_kemac kemac);
struct mikey_ticket_head ue_policy_head(const struct ue_policy *p, enum ue_suite suite);

/* Key data with zero octets for keys and salts: what is asked for. */
enum ue_result ue_policy_write_keys(struct mikey_writer *w, const struct ue_policy *p);

#endif
