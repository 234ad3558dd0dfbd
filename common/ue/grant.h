/* SPDX-License-Identifier: BSD-3-Clause */
/* Is what the KMS granted acceptable, given what was asked for (RFC 6043 4.2.1.6). Internal to the
 * library. */
#ifndef TKMS_UE_GRANT_H
#define TKMS_UE_GRANT_H

#include "common/mikey/message.h"
#include "common/ue/keyset.h"
#include "common/ue/policy.h"

/*
 * asked: TP of the REQUEST_INIT (octets of that message), granted: TICKET of the REQUEST_RESP,
 * keys: its KEMAC. With flag K at 0 both policies must be the same. With K at 1 (and
 * UE_CHANGES_STRICTER) the KMS may have
 *   - added IDRkms, IDRi (our own) and SPIs, shortened the validity, dropped recipients and
 * applications,
 *   - set E, cleared J, L, M; never cleared E, F, G, H, I or set J, L, M;
 * type, version and PRF of the ticket, types and lengths of the keys stay as asked.
 */
enum ue_result ue_grant_check(const struct ue *ue, const struct mikey_message *asked,
	const struct mikey_message *granted, const struct ue_keyset *keys, enum ue_changes changes);

#endif
