/* SPDX-License-Identifier: BSD-3-Clause */
/* The IDRr of a ticket policy: what policy says about them, and whom they include. Pure. */
#ifndef TKMS_ENGINE_RESPONDER_H
#define TKMS_ENGINE_RESPONDER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/mikey/message.h"
#include "dataplane/engine/policy.h"

enum responders {
	RESPONDERS_OK,
	RESPONDERS_NONE,
	RESPONDERS_MANY,      /* more than the cap */
	RESPONDERS_LONG,      /* one is empty, or longer than the cap */
	RESPONDERS_WILDCARDS, /* more in one than the cap */
	RESPONDERS_GROUP,     /* a group, and groups are not granted */
};

enum responders responders_check(
	const struct policy *p, const uint8_t *octets, const struct mikey_tp_data *tp);

/* Do the rules let `from` have tickets for all of them. */
bool responders_allowed(const struct policy *p, const uint8_t *octets,
	const struct mikey_tp_data *tp, struct identity from);

/* Does one of them match uid. */
bool responders_include(const uint8_t *octets, const struct mikey_tp_data *tp, struct identity uid);

#endif
