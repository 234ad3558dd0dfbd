/* SPDX-License-Identifier: BSD-3-Clause */
/* What engine_client.c (messages) and engine_ticket.c (tickets) share. */
#ifndef TKMS_TESTS_ENGINE_CLIENT_PARTS_H
#define TKMS_TESTS_ENGINE_CLIENT_PARTS_H

#include "common/kdf/kdf.h"
#include "tests/unit/engine_client.h"

void client_put64(uint8_t *out, uint64_t v);
void client_write_id(struct mikey_writer *w, uint8_t role, uint8_t type, struct identity id);
void client_write_kemac(
	struct mikey_writer *w, uint8_t encr_alg, uint8_t mac_alg, const uint8_t *data, size_t len);
void client_write_tp(const struct kit *k, struct mikey_writer *w, enum mikey_payload kind,
	const struct policy_wish *p);
void client_derive(struct kit *k, uint8_t prf, const uint8_t *key, size_t key_len,
	const uint8_t *label, size_t label_len, uint8_t *out, size_t out_len);
size_t client_mac_len(uint8_t auth_alg);
void client_mac(struct kit *k, uint8_t auth_alg, const uint8_t *key,
	const struct crypto_segment *seg, unsigned int n, uint8_t *out);

#endif
