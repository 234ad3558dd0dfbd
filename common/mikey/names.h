/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of the code points, as the RFCs spell them. */
#ifndef TKMS_MIKEY_NAMES_H
#define TKMS_MIKEY_NAMES_H

enum mikey_table {
	TABLE_DATA_TYPE,
	TABLE_PAYLOAD,
	TABLE_PRF,
	TABLE_MAP,
	TABLE_ENCR,
	TABLE_AUTH,
	TABLE_HASH,
	TABLE_DH_GROUP,
	TABLE_CACHE,
	TABLE_SIGN,
	TABLE_TS,
	TABLE_TS_ROLE,
	TABLE_ID,
	TABLE_ID_ROLE,
	TABLE_CERT,
	TABLE_RAND_ROLE,
	TABLE_KEY,
	TABLE_KV,
	TABLE_ERROR,
	TABLE_PROT,
	TABLE_SRTP_PARAM,
	TABLE_SRTP_ENCR,
	TABLE_SRTP_AUTH,
	TABLE_SRTP_PRF,
	TABLE_SRTP_FEC,
	TABLE_SWITCH,
	TABLE_EXTENSION,
	TABLE_KEY_ID,
	TABLE_TICKET,
};

/* NULL: the value is not assigned. */
const char *mikey_name(enum mikey_table table, unsigned int value);

#endif
