/* SPDX-License-Identifier: BSD-3-Clause */
/* Security policies for SRTP (RFC 3830 6.10.1): SP payloads offered and judged. */
#ifndef TKMS_UE_SP_H
#define TKMS_UE_SP_H

#include <stddef.h>
#include <stdint.h>

#include "common/mikey/message.h"
#include "common/ue/ue.h"

enum {
	UE_SP_MAX = 8,
	UE_SP_PARAMS_MAX = 64,
	UE_PROT_SRTP = 0,
};

/* SRTP with AES-CM and HMAC-SHA-1, the only transforms that RFC 3830 names. Lengths in octets. */
struct ue_srtp {
	uint8_t key_len;  /* master key: 16 or 32 */
	uint8_t salt_len; /* master salt: 14 */
	uint8_t tag_len;  /* 10 or 4 */
};

/* A security policy that is offered. */
struct ue_sp {
	uint8_t policy_no;
	uint8_t prot_type;
	uint8_t len;
	uint8_t params[UE_SP_PARAMS_MAX];
};

/* SP for SRTP with AES-CM, HMAC-SHA-1-80 and a master key of the suite's strength. */
void ue_sp_srtp(struct ue_sp *sp, uint8_t policy_no, enum ue_suite suite);

/* Reads SRTP parameters, defaults for absent ones. UE_SECURITY_POLICY if anything is not ours to
 * do. */
enum ue_result ue_srtp_parse(struct ue_srtp *srtp, const uint8_t *params, size_t len);

/* The policy with that number among the SP payloads of m (a run of them), UE_SECURITY_POLICY if
 * there is none or it is unacceptable. */
enum ue_result ue_sp_find(const struct mikey_message *m, uint8_t policy_no, struct ue_srtp *srtp);

#endif
