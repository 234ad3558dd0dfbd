/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "common/mikey/message.h"

void mikey_t64(uint8_t out[8], const uint8_t *octets, const struct mikey_t *t)
{
	const uint8_t *value = mikey_at(octets, t->value);

	memset(out, 0, 8);
	switch (t->type) {
	case MIKEY_TS_NTP_UTC:
	case MIKEY_TS_NTP:
		memcpy(out, value, 8);
		break;
	case MIKEY_TS_COUNTER:
		memcpy(out + 4, value, 4);
		break;
	case MIKEY_TS_NTP_UTC_32:
		memcpy(out, value, 4);
		break;
	default:
		break;
	}
}

int64_t mikey_ntp_seconds(const uint8_t *octets, const struct mikey_t *t)
{
	const uint8_t *value = mikey_at(octets, t->value);
	int64_t seconds;

	if (!t->present || t->type == MIKEY_TS_COUNTER || t->value.len < 4)
		return -1;
	seconds = (int64_t)value[0] << 24 | value[1] << 16 | value[2] << 8 | value[3];
	return seconds & 0x80000000 ? seconds : seconds + ((int64_t)1 << 32);
}
