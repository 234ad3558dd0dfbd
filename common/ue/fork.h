/* SPDX-License-Identifier: BSD-3-Clause */
/* Key forking (RFC 6043 5.1.1), as the Initiator does it. Internal to the library. */
#ifndef TKMS_UE_FORK_H
#define TKMS_UE_FORK_H

#include "common/crypto/crypto.h"
#include "common/identity/identity.h"
#include "common/kdf/kdf.h"
#include "common/ue/keyset.h"

/*
 * Replaces MPKr by MPKr' and every TGK (with or without salt) by TGK'; MPKi, salts, TEKs and GTGKs
 * stay. prf: that of the ticket. UE_IDENTITY if idr_r is longer than 255 octets.
 */
enum ue_result ue_fork(struct crypto *ctx, uint8_t prf, struct identity idr_r,
	struct kdf_rand rand_kms, struct ue_keyset *keys);

#endif
