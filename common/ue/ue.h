/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A UE: who it is, whom it trusts, and what it draws its random numbers from. Both roles of
 * MIKEY-TICKET (Initiator, Responder) take one of these.
 *
 * The library is pure: no socket, no clock, no allocation. The clock is an argument (64-bit NTP
 * time), randomness a function of the caller. State with keys lives in the caller's memory and is
 * wiped by *_clear(). One thread at a time per struct crypto.
 *
 *               Initiator                                    Responder
 *   request.h   ue_request_build, _process       accept.h    ue_transfer_check
 *   make.h      ue_ticket_make (modes 3, 4)      resolve.h   ue_resolve_build, _process, _local
 *   transfer.h  ue_transfer_build                answer.h    ue_answer_build, _one_way
 *   finish.h    ue_transfer_process, _one_way
 *
 * An exchange needs no state of its own but its initial message: *_process takes it back.
 */
#ifndef TKMS_UE_UE_H
#define TKMS_UE_UE_H

#include <stddef.h>
#include <stdint.h>

#include "common/crypto/crypto.h"
#include "common/identity/identity.h"
#include "common/mikey/types.h"
#include "common/ue/result.h"

enum {
	UE_MESSAGE_MAX = 8192, /* longest message that the library builds, octets */
	UE_SPI_MAX = 128,      /* longest SPI (MKI of SRTP) */
	UE_MAX_SKEW_S = 300,   /* default of ue.max_skew_s */
};

/* The two suites of RFC 6043, never mixed (12.1). */
enum ue_suite {
	UE_SUITE_A, /* MIKEY-1 PRF, AES-CM-128, HMAC-SHA-1-160 */
	UE_SUITE_B, /* PRF-HMAC-SHA-256, AES-CM-256, HMAC-SHA-256-256 */
};

uint8_t ue_suite_prf(enum ue_suite suite);
uint8_t ue_suite_auth(enum ue_suite suite);
uint8_t ue_suite_encr(enum ue_suite suite);
/* Octets of keys and RANDs: 16 or 32. */
uint8_t ue_suite_strength(enum ue_suite suite);

/* What a random string is for, so that tests can give the one of a vector. */
enum ue_draw {
	UE_DRAW_CSB_ID,
	UE_DRAW_RANDR,
	UE_DRAW_SSRC,
	UE_DRAW_KEY,
	UE_DRAW_SALT,
	UE_DRAW_SPI,
	UE_DRAW_MPK,
	UE_DRAW_MPK_SPI,
	UE_DRAW_TICKET_RAND,
};

/* Fills out with len octets. index: which of several of a kind. 0 or -errno. */
typedef int (*ue_random_fn)(
	void *arg, enum ue_draw what, unsigned int index, uint8_t *out, size_t len);

struct ue {
	struct crypto *crypto; /* of the calling thread */
	ue_random_fn random;
	void *random_arg;
	const struct identity *uids; /* own KMS UIDs; the first one is sent as IDRi or IDRr */
	unsigned int n_uids;
	struct identity psk_id; /* IDRpsk; len 0: omitted */
	const uint8_t *psk;	/* shared with the KMS; 16..32 octets */
	size_t psk_len;
	struct identity kms; /* IDRkms */
	struct identity app; /* own application (IDRapp); len 0: none, not checked */
	enum ue_suite suite;
	uint8_t id_type;     /* enum mikey_id_type of uids and kms */
	uint8_t ts_type;     /* MIKEY_TS_NTP_UTC or MIKEY_TS_NTP_UTC_32 */
	uint32_t max_skew_s; /* T of received messages against the clock */
};

/* Sets the defaults (suite B, NAI, NTP-UTC, 300 s), everything else to nothing. */
void ue_init(struct ue *ue, struct crypto *crypto, ue_random_fn random, void *random_arg);

/* The getrandom(2) draw; arg is not used. */
int ue_random_system(void *arg, enum ue_draw what, unsigned int index, uint8_t *out, size_t len);

/* A timestamp to send or as received. */
struct ue_time {
	uint8_t present;
	uint8_t type; /* enum mikey_ts */
	uint8_t value[8];
};

/* NTP-UTC-32 of now + seconds. */
struct ue_time ue_time_32(uint64_t ntp_now, int64_t seconds);

/* Seconds since 1900 of a 64-bit NTP time, era by the rule of RFC 4330 (first bit 0: 2036..2104).
 */
int64_t ue_ntp_seconds(uint64_t ntp);

/* What a response said beside its content; filled as far as it was understood, also on failure. */
struct ue_info {
	int error_no;	   /* of an Error message; -1: it was none */
	uint8_t verified;  /* the MAC was right: success or failure is final. Else it may be a
			      forgery: wait on */
	uint8_t has_time;  /* the response had a T */
	int64_t offset_us; /* T of the response - local clock; to be believed if verified */
};

#endif
