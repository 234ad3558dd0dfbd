/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/ue/ue.h"

#include <string.h>

#include "common/crypto/secret.h"

uint8_t ue_suite_prf(enum ue_suite suite)
{
	return suite == UE_SUITE_A ? MIKEY_PRF_MIKEY_1 : MIKEY_PRF_HMAC_SHA_256;
}

uint8_t ue_suite_auth(enum ue_suite suite)
{
	return suite == UE_SUITE_A ? MIKEY_AUTH_HMAC_SHA_1_160 : MIKEY_AUTH_HMAC_SHA_256_256;
}

uint8_t ue_suite_encr(enum ue_suite suite)
{
	return suite == UE_SUITE_A ? MIKEY_ENCR_AES_CM_128 : MIKEY_ENCR_AES_CM_256;
}

uint8_t ue_suite_strength(enum ue_suite suite)
{
	return suite == UE_SUITE_A ? 16 : 32;
}

void ue_init(struct ue *ue, struct crypto *crypto, ue_random_fn random, void *random_arg)
{
	memset(ue, 0, sizeof(*ue));
	ue->crypto = crypto;
	ue->random = random;
	ue->random_arg = random_arg;
	ue->suite = UE_SUITE_B;
	ue->id_type = MIKEY_ID_NAI;
	ue->ts_type = MIKEY_TS_NTP_UTC;
	ue->max_skew_s = UE_MAX_SKEW_S;
}

int ue_random_system(void *arg, enum ue_draw what, unsigned int index, uint8_t *out, size_t len)
{
	(void)arg;
	(void)what;
	(void)index;
	return secret_random(out, len);
}

struct ue_time ue_time_32(uint64_t ntp_now, int64_t seconds)
{
	uint32_t s = (uint32_t)((int64_t)(ntp_now >> 32) + seconds);
	return (struct ue_time){
		.present = 1,
		.type = MIKEY_TS_NTP_UTC_32,
		.value = {(uint8_t)(s >> 24), (uint8_t)(s >> 16), (uint8_t)(s >> 8), (uint8_t)s},
	};
}

int64_t ue_ntp_seconds(uint64_t ntp)
{
	int64_t s = (int64_t)(ntp >> 32);
	return s & 0x80000000 ? s : s + 0x100000000;
}
