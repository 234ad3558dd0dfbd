/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/ue/result.h"

#include "common/mikey/types.h"

static const struct {
	const char *name;
	const char *text;
} results[] = {
#define X(name, text) [UE_##name] = {#name, text},
	UE_RESULT_TABLE(X)
#undef X
};

enum { N_RESULTS = sizeof(results) / sizeof(results[0]) };

const char *ue_strerror(enum ue_result r)
{
	return (unsigned int)r < N_RESULTS ? results[r].text : "unknown result";
}

const char *ue_result_name(enum ue_result r)
{
	return (unsigned int)r < N_RESULTS ? results[r].name : "UNKNOWN";
}

const char *ue_error_text(int error_no)
{
	switch (error_no) {
	case MIKEY_ERR_AUTH_FAILURE:
		return "authentication failure";
	case MIKEY_ERR_INVALID_TS:
		return "invalid timestamp";
	case MIKEY_ERR_INVALID_PRF:
		return "PRF not supported";
	case MIKEY_ERR_INVALID_MAC:
		return "MAC algorithm not supported";
	case MIKEY_ERR_INVALID_EA:
		return "encryption algorithm not supported";
	case MIKEY_ERR_INVALID_HA:
		return "hash function not supported";
	case MIKEY_ERR_INVALID_DH:
		return "DH group not supported";
	case MIKEY_ERR_INVALID_ID:
		return "identity not acceptable, or not authorised";
	case MIKEY_ERR_INVALID_CERT:
		return "certificate not supported";
	case MIKEY_ERR_INVALID_SP:
		return "SP type not supported";
	case MIKEY_ERR_INVALID_SPPAR:
		return "SP parameters not supported";
	case MIKEY_ERR_INVALID_DT:
		return "data type not supported";
	case MIKEY_ERR_UNSPECIFIED:
		return "unspecified error";
	case MIKEY_ERR_INVALID_TICKET:
		return "ticket type not supported";
	case MIKEY_ERR_INVALID_TPPAR:
		return "ticket policy not supported";
	default:
		return "unassigned error number";
	}
}
