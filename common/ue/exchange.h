/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the three exchanges have in common: an initial message of ours, its response or an Error,
 * time. Internal to the library.
 */
#ifndef TKMS_UE_EXCHANGE_H
#define TKMS_UE_EXCHANGE_H

#include "common/mikey/message.h"
#include "common/mikey/writer.h"
#include "common/ue/protect.h"
#include "common/ue/ue.h"

/* Octets of a message. */
struct ue_octets {
	const uint8_t *data;
	size_t len;
};

/* An initial message and what came back. */
struct ue_pair {
	struct mikey_message init;
	struct mikey_message resp;
};

/*
 * Parses both and checks what can be checked without keys: data types, HDR against HDR, presence of
 * T and V, algorithms. resp_type: the response's; an Error message gives UE_ERROR_HINT with
 * pair->resp parsed.
 */
enum ue_result ue_pair_open(struct ue_pair *p, struct ue_octets init, uint8_t init_type,
	struct ue_octets resp, uint8_t resp_type);

/* MAC of the response (5.5): response || initial message. */
enum ue_result ue_pair_verify(
	struct crypto *ctx, const struct ue_pair *p, const struct ue_keying *k);

/*
 * After ue_pair_open() gave UE_ERROR_HINT: the Error's number into info; UE_ERROR_VERIFIED if it
 * has a V of the initial message's algorithm that is right under k (keys of the initial
 * message, 5.4), else UE_ERROR_HINT.
 */
enum ue_result ue_error_judge(struct crypto *ctx, const struct ue_pair *p,
	const struct ue_keying *k, struct ue_info *info);

/* Clock offset of the response's T into info. */
void ue_info_time(struct ue_info *info, const struct mikey_message *m, uint64_t ntp_now);
void ue_info_none(struct ue_info *info);

/* UE_NO_T or UE_SKEW. */
enum ue_result ue_check_fresh(const struct ue *ue, const struct mikey_message *m, uint64_t ntp_now);

/* The keying of an initial message under the PSK or an MPK; rand_r is left out of TRANSFER_INIT. */
struct ue_keying ue_keying_init(
	const struct mikey_message *init, const uint8_t *key, uint16_t key_len);

/* Adds T of the kind the UE uses, of the clock; t64 receives its 64-bit form. */
void ue_write_now(struct mikey_writer *w, uint8_t ts_type, uint64_t ntp_now, uint8_t t64[8]);

/* n octets of randomness; UE_RANDOM. */
enum ue_result ue_draw(
	const struct ue *ue, enum ue_draw what, unsigned int index, void *out, size_t len);

struct identity ue_identity_at(const uint8_t *octets, const struct mikey_id *id);

/* Is id one of our UIDs. */
int ue_is_own(const struct ue *ue, struct identity id);

#endif
