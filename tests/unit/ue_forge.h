/* SPDX-License-Identifier: BSD-3-Clause */
/* A peer that has the right keys and says the wrong things: responses and Errors made to order. */
#ifndef TKMS_TESTS_UE_FORGE_H
#define TKMS_TESTS_UE_FORGE_H

#include <stddef.h>
#include <stdint.h>

#include "common/mikey/writer.h"
#include "common/ue/keyset.h"
#include "common/ue/map.h"
#include "common/ue/ticket.h"
#include "tests/unit/ue_exchange.h"

struct forge {
	const struct octets *init;
	uint8_t type; /* data type of the response */
	const uint8_t *inkey;
	size_t inkey_len;
	uint64_t t;
	uint8_t ts_type;
	struct identity kms, idr_r; /* len 0: left out */
	struct identity rand_kms, rand_r;
	const struct ue_ticket *ticket; /* NULL: left out */
	const struct ue_keyset *keys;	/* NULL: no KEMAC */
	const struct ue_map *map;	/* NULL: Empty map */
	uint8_t encr_alg;
	uint8_t auth_alg; /* 0: the one of init */
	uint32_t csb_xor; /* CSB ID of init, changed by this */
	uint8_t error;	  /* type MIKEY_ERROR: Error number; inkey NULL: without V */
};

/* Builds it. */
void forge_write(struct crypto *ctx, const struct forge *f, struct octets *out);

/* What the KMS really answered to bob, or to alice, ready for changes. keys receives the decrypted
 * KEMAC. */
struct forge forge_resolve_resp(struct exchange *x, struct ue_keyset *keys);
struct forge forge_request_resp(
	struct exchange *x, struct ue_keyset *keys, struct ue_ticket *ticket);
/* What bob really answered to alice; x->resolved has been filled. map receives his map. */
struct forge forge_transfer_resp(struct exchange *x, struct ue_map *map);

#endif
