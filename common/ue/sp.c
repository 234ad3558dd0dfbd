/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/ue/sp.h"

#include <string.h>

enum srtp_param { /* RFC 3830 6.10.1 */
	SRTP_ENCR_ALG,
	SRTP_ENCR_KEY_LEN,
	SRTP_AUTH_ALG,
	SRTP_AUTH_KEY_LEN,
	SRTP_SALT_LEN,
	SRTP_PRF,
	SRTP_KDR,
	SRTP_ENCRYPTION,
	SRTCP_ENCRYPTION,
	SRTP_FEC_ORDER,
	SRTP_AUTHENTICATION,
	SRTP_TAG_LEN,
	SRTP_PREFIX_LEN,
};

enum { AES_CM = 1, HMAC_SHA1 = 1, AUTH_KEY_LEN = 20, SALT_LEN = 14, TAG_80 = 10, TAG_32 = 4 };

void ue_sp_srtp(struct ue_sp *sp, uint8_t policy_no, enum ue_suite suite)
{
	const uint8_t params[] = {
		SRTP_ENCR_ALG,
		1,
		AES_CM,
		SRTP_ENCR_KEY_LEN,
		1,
		ue_suite_strength(suite),
		SRTP_AUTH_ALG,
		1,
		HMAC_SHA1,
		SRTP_AUTH_KEY_LEN,
		1,
		AUTH_KEY_LEN,
		SRTP_SALT_LEN,
		1,
		SALT_LEN,
		SRTP_TAG_LEN,
		1,
		TAG_80,
	};
	memset(sp, 0, sizeof(*sp));
	sp->policy_no = policy_no;
	sp->prot_type = UE_PROT_SRTP;
	sp->len = sizeof(params);
	memcpy(sp->params, params, sizeof(params));
}

static int param_ok(struct ue_srtp *srtp, uint8_t type, uint8_t value)
{
	switch (type) {
	case SRTP_ENCR_ALG:
		return value == AES_CM;
	case SRTP_ENCR_KEY_LEN:
		srtp->key_len = value;
		return value == 16 || value == 32;
	case SRTP_AUTH_ALG:
		return value == HMAC_SHA1;
	case SRTP_AUTH_KEY_LEN:
		return value == AUTH_KEY_LEN;
	case SRTP_SALT_LEN:
		return value == SALT_LEN;
	case SRTP_PRF:
	case SRTP_KDR:
	case SRTP_FEC_ORDER:
	case SRTP_PREFIX_LEN:
		return value == 0;
	case SRTP_ENCRYPTION:
	case SRTCP_ENCRYPTION:
	case SRTP_AUTHENTICATION:
		return value == 1;
	case SRTP_TAG_LEN:
		srtp->tag_len = value;
		return value == TAG_80 || value == TAG_32;
	default:
		return 0;
	}
}

enum ue_result ue_srtp_parse(struct ue_srtp *srtp, const uint8_t *params, size_t len)
{
	*srtp = (struct ue_srtp){.key_len = 16, .salt_len = SALT_LEN, .tag_len = TAG_80};
	for (size_t i = 0; i < len; i += 3) {
		if (len - i < 3 || params[i + 1] != 1 ||
			!param_ok(srtp, params[i], params[i + 2])) {
			return UE_SECURITY_POLICY;
		}
	}
	return UE_OK;
}

enum ue_result ue_sp_find(const struct mikey_message *m, uint8_t policy_no, struct ue_srtp *srtp)
{
	enum { FIXED = 4 }; /* policy no, prot type, length */
	size_t off = m->sp_off;
	while (off != 0 && off + FIXED <= m->len) {
		const uint8_t *p = m->octets + off;
		const uint8_t next = p[-1];
		const size_t len = (size_t)(p[2] << 8 | p[3]);
		if (off + FIXED + len > m->len) {
			break;
		}
		if (p[0] == policy_no) {
			return p[1] == UE_PROT_SRTP ? ue_srtp_parse(srtp, p + FIXED, len)
						    : UE_SECURITY_POLICY;
		}
		off = next == MIKEY_SP ? off + FIXED + len + 1 : 0;
	}
	return UE_SECURITY_POLICY;
}
