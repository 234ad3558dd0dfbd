/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/kdf/kdf.h"

#include <assert.h>
#include <string.h>

#include "common/crypto/crypto.h"

enum { FORK_ID_MAX = 255 };

/* constant, CS ID, CSB ID, phase; the longest tails: two RANDs, or an identity and a RAND */
_Static_assert(4 + 1 + 4 + 1 + 2 * (1 + 255) <= CRYPTO_LABEL_MAX, "label");
_Static_assert(4 + 1 + 4 + 1 + 2 + FORK_ID_MAX + 1 + 255 <= CRYPTO_LABEL_MAX, "fork label");

/* Octet after the CSB ID. */
enum purpose {
	PURPOSE_FORK = 0,
	PURPOSE_INIT = KDF_INIT,
	PURPOSE_RESP = KDF_RESP,
	PURPOSE_SESSION = 3,
	PURPOSE_INITIATOR_DATA = 4,
	PURPOSE_TICKET = 5,
	PURPOSE_MPK = 6,
};

enum { NO_CS = 0xff };
#define NO_CSB UINT32_C(0xffffffff)

static uint8_t *put_u32(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = (uint8_t)value;
	return at + 4;
}

static uint8_t *put_head(
	uint8_t *at, uint32_t constant, uint8_t cs_id, uint32_t csb_id, enum purpose purpose)
{
	at = put_u32(at, constant);
	*at++ = cs_id;
	at = put_u32(at, csb_id);
	*at++ = (uint8_t)purpose;
	return at;
}

static uint8_t *put_rand(uint8_t *at, struct kdf_rand rand)
{
	*at++ = rand.len;
	if (rand.len)
		memcpy(at, rand.data, rand.len);
	return at + rand.len;
}

static uint32_t message_constant(enum kdf_key key)
{
	switch (key) {
	case KDF_ENCR:
		return UINT32_C(0x150533E1);
	case KDF_SALT:
		return UINT32_C(0x29B88916);
	case KDF_AUTH:
		break;
	}
	return UINT32_C(0x2D22AC75);
}

static uint32_t session_constant(enum kdf_session key)
{
	switch (key) {
	case KDF_SESSION_TEK:
		return UINT32_C(0x2AD01C64);
	case KDF_SESSION_SALT:
		return UINT32_C(0x39A2C14B);
	case KDF_SESSION_AUTH:
		return UINT32_C(0x1B5C7973);
	case KDF_SESSION_ENCR:
		break;
	}
	return UINT32_C(0x15798CEF);
}

size_t kdf_label_message(uint8_t *label, enum kdf_key key, enum kdf_phase phase, uint32_t csb_id,
	struct kdf_rand randr_i, struct kdf_rand randr_r)
{
	uint8_t *at = put_head(label, message_constant(key), NO_CS, csb_id,
		phase == KDF_INIT ? PURPOSE_INIT : PURPOSE_RESP);

	at = put_rand(at, randr_i);
	at = put_rand(at, randr_r);
	return (size_t)(at - label);
}

size_t kdf_label_initiator_data(uint8_t *label, enum kdf_key key)
{
	uint8_t *at = put_head(label, message_constant(key), NO_CS, NO_CSB, PURPOSE_INITIATOR_DATA);

	return (size_t)(at - label);
}

size_t kdf_label_ticket(uint8_t *label, enum kdf_key key, struct kdf_rand rand)
{
	uint8_t *at = put_head(label, message_constant(key), NO_CS, NO_CSB, PURPOSE_TICKET);

	at = put_rand(at, rand);
	return (size_t)(at - label);
}

size_t kdf_label_mpk(uint8_t *label, enum kdf_mpk which, struct kdf_rand rand)
{
	uint32_t constant = which == KDF_MPKI ? UINT32_C(0x220E99A2) : UINT32_C(0x1F4D675B);
	uint8_t *at = put_head(label, constant, NO_CS, NO_CSB, PURPOSE_MPK);

	at = put_rand(at, rand);
	return (size_t)(at - label);
}

size_t kdf_label_fork(uint8_t *label, enum kdf_fork which, const uint8_t *id, uint16_t id_len,
	struct kdf_rand randr_kms)
{
	uint32_t constant = which == KDF_FORK_MPKR ? UINT32_C(0x2B288856) : UINT32_C(0x1512B54A);
	uint8_t *at = put_head(label, constant, NO_CS, NO_CSB, PURPOSE_FORK);

	assert(id_len <= FORK_ID_MAX);
	*at++ = (uint8_t)(id_len >> 8);
	*at++ = (uint8_t)id_len;
	if (id_len)
		memcpy(at, id, id_len);
	at = put_rand(at + id_len, randr_kms);
	return (size_t)(at - label);
}

size_t kdf_label_session(uint8_t *label, enum kdf_session key, uint8_t cs_id,
	struct kdf_rand randr_i, struct kdf_rand randr_r)
{
	uint8_t *at = put_head(label, session_constant(key), cs_id, NO_CSB, PURPOSE_SESSION);

	at = put_rand(at, randr_i);
	at = put_rand(at, randr_r);
	return (size_t)(at - label);
}
