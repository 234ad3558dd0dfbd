/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/mikey/names.h"

#include <stddef.h>

#include "common/mikey/types.h"

struct name {
	unsigned int value;
	const char *name;
};

static const struct name data_types[] = {
	{0, "Pre-shared"},
	{1, "PSK ver msg"},
	{2, "Public key"},
	{3, "PK ver msg"},
	{4, "D-H init"},
	{5, "D-H resp"},
	{MIKEY_ERROR, "Error"},
	{7, "DHHMAC init"},
	{8, "DHHMAC resp"},
	{9, "RSA-R I_MSG"},
	{10, "RSA-R R_MSG"},
	{MIKEY_REQUEST_INIT_PSK, "REQUEST_INIT_PSK"},
	{MIKEY_REQUEST_INIT_PK, "REQUEST_INIT_PK"},
	{MIKEY_REQUEST_RESP, "REQUEST_RESP"},
	{MIKEY_TRANSFER_INIT, "TRANSFER_INIT"},
	{MIKEY_TRANSFER_RESP, "TRANSFER_RESP"},
	{MIKEY_RESOLVE_INIT_PSK, "RESOLVE_INIT_PSK"},
	{MIKEY_RESOLVE_INIT_PK, "RESOLVE_INIT_PK"},
	{MIKEY_RESOLVE_RESP, "RESOLVE_RESP"},
	{0, NULL},
};

static const struct name payloads[] = {
	{MIKEY_LAST, "Last payload"},
	{MIKEY_KEMAC, "KEMAC"},
	{MIKEY_PKE, "PKE"},
	{MIKEY_DH, "DH"},
	{MIKEY_SIGN, "SIGN"},
	{MIKEY_T, "T"},
	{MIKEY_ID, "ID"},
	{MIKEY_CERT, "CERT"},
	{MIKEY_CHASH, "CHASH"},
	{MIKEY_V, "V"},
	{MIKEY_SP, "SP"},
	{MIKEY_RAND, "RAND"},
	{MIKEY_ERR, "ERR"},
	{MIKEY_TR, "TR"},
	{MIKEY_IDR, "IDR"},
	{MIKEY_RANDR, "RANDR"},
	{MIKEY_TP, "TP"},
	{MIKEY_TICKET, "TICKET"},
	{MIKEY_KEY_DATA, "Key data"},
	{MIKEY_GENERAL_EXT, "General Ext."},
	{256, "THDR"},
	{0, NULL},
};

static const struct name prfs[] = {
	{MIKEY_PRF_MIKEY_1, "MIKEY-1"},
	{MIKEY_PRF_HMAC_SHA_256, "PRF-HMAC-SHA-256"},
	{0, NULL},
};

static const struct name maps[] = {
	{MIKEY_MAP_SRTP_ID, "SRTP-ID"},
	{MIKEY_MAP_EMPTY, "Empty map"},
	{MIKEY_MAP_GENERIC_ID, "GENERIC-ID"},
	{0, NULL},
};

static const struct name encrs[] = {
	{MIKEY_ENCR_NULL, "NULL"},
	{MIKEY_ENCR_AES_CM_128, "AES-CM-128"},
	{MIKEY_ENCR_AES_KW_128, "AES-KW-128"},
	{MIKEY_ENCR_AES_CM_256, "AES-CM-256"},
	{0, NULL},
};

static const struct name auths[] = {
	{MIKEY_AUTH_NULL, "NULL"},
	{MIKEY_AUTH_HMAC_SHA_1_160, "HMAC-SHA-1-160"},
	{MIKEY_AUTH_HMAC_SHA_256_256, "HMAC-SHA-256-256"},
	{0, NULL},
};

static const struct name hashes[] = {
	{MIKEY_HASH_SHA_1, "SHA-1"},
	{MIKEY_HASH_MD5, "MD5"},
	{MIKEY_HASH_SHA_256, "SHA-256"},
	{0, NULL},
};

static const struct name dh_groups[] = {
	{MIKEY_DH_OAKLEY_5, "OAKLEY 5"},
	{MIKEY_DH_OAKLEY_1, "OAKLEY 1"},
	{MIKEY_DH_OAKLEY_2, "OAKLEY 2"},
	{0, NULL},
};

static const struct name caches[] = {
	{0, "No cache"},
	{1, "Cache"},
	{2, "Cache for CSB"},
	{0, NULL},
};

static const struct name signs[] = {
	{0, "RSA/PKCS#1/1.5"},
	{1, "RSA/PSS"},
	{0, NULL},
};

static const struct name timestamps[] = {
	{MIKEY_TS_NTP_UTC, "NTP-UTC"},
	{MIKEY_TS_NTP, "NTP"},
	{MIKEY_TS_COUNTER, "COUNTER"},
	{MIKEY_TS_NTP_UTC_32, "NTP-UTC-32"},
	{0, NULL},
};

static const struct name ts_roles[] = {
	{MIKEY_TRI, "TRi"},
	{MIKEY_TRS, "TRs"},
	{MIKEY_TRE, "TRe"},
	{MIKEY_TRR, "TRr"},
	{0, NULL},
};

static const struct name ids[] = {
	{MIKEY_ID_NAI, "NAI"},
	{MIKEY_ID_URI, "URI"},
	{MIKEY_ID_BYTES, "Byte string"},
	{0, NULL},
};

static const struct name id_roles[] = {
	{MIKEY_IDRI, "IDRi"},
	{MIKEY_IDRR, "IDRr"},
	{MIKEY_IDRKMS, "IDRkms"},
	{MIKEY_IDRPSK, "IDRpsk"},
	{MIKEY_IDRAPP, "IDRapp"},
	{0, NULL},
};

static const struct name certs[] = {
	{0, "X.509v3"},
	{1, "X.509v3 URL"},
	{2, "X.509v3 Sign"},
	{3, "X.509v3 Encr"},
	{0, NULL},
};

static const struct name rand_roles[] = {
	{MIKEY_RANDRI, "RANDRi"},
	{MIKEY_RANDRR, "RANDRr"},
	{MIKEY_RANDRKMS, "RANDRkms"},
	{0, NULL},
};

static const struct name keys[] = {
	{MIKEY_TGK, "TGK"},
	{MIKEY_TGK_SALT, "TGK+SALT"},
	{MIKEY_TEK, "TEK"},
	{MIKEY_TEK_SALT, "TEK+SALT"},
	{MIKEY_GTGK, "GTGK"},
	{MIKEY_GTGK_SALT, "GTGK+SALT"},
	{MIKEY_MPK, "MPK"},
	{0, NULL},
};

static const struct name kvs[] = {
	{MIKEY_KV_NULL, "Null"},
	{MIKEY_KV_SPI, "SPI"},
	{MIKEY_KV_INTERVAL, "Interval"},
	{0, NULL},
};

static const struct name errors[] = {
	{MIKEY_ERR_AUTH_FAILURE, "Auth failure"},
	{MIKEY_ERR_INVALID_TS, "Invalid TS"},
	{MIKEY_ERR_INVALID_PRF, "Invalid PRF"},
	{MIKEY_ERR_INVALID_MAC, "Invalid MAC"},
	{MIKEY_ERR_INVALID_EA, "Invalid EA"},
	{MIKEY_ERR_INVALID_HA, "Invalid HA"},
	{MIKEY_ERR_INVALID_DH, "Invalid DH"},
	{MIKEY_ERR_INVALID_ID, "Invalid ID"},
	{MIKEY_ERR_INVALID_CERT, "Invalid Cert"},
	{MIKEY_ERR_INVALID_SP, "Invalid SP"},
	{MIKEY_ERR_INVALID_SPPAR, "Invalid SPpar"},
	{MIKEY_ERR_INVALID_DT, "Invalid DT"},
	{MIKEY_ERR_UNSPECIFIED, "Unspecified error"},
	{MIKEY_ERR_INVALID_TICKET, "Invalid TICKET"},
	{MIKEY_ERR_INVALID_TPPAR, "Invalid TPpar"},
	{0, NULL},
};

static const struct name prots[] = {
	{MIKEY_PROT_SRTP, "SRTP"},
	{0, NULL},
};

static const struct name srtp_params[] = {
	{0, "Encryption algorithm"},
	{1, "Session Encr. key length"},
	{2, "Authentication algorithm"},
	{3, "Session Auth. key length"},
	{4, "Session Salt key length"},
	{5, "SRTP Pseudo Random Function"},
	{6, "Key derivation rate"},
	{7, "SRTP encryption off/on"},
	{8, "SRTCP encryption off/on"},
	{9, "sender's FEC order"},
	{10, "SRTP authentication off/on"},
	{11, "Authentication tag length"},
	{12, "SRTP prefix length"},
	{0, NULL},
};

static const struct name srtp_encrs[] = {
	{0, "NULL"},
	{1, "AES-CM"},
	{2, "AES-F8"},
	{0, NULL},
};

static const struct name srtp_auths[] = {
	{0, "NULL"},
	{1, "HMAC-SHA-1"},
	{0, NULL},
};

static const struct name srtp_prfs[] = {
	{0, "AES-CM"},
	{0, NULL},
};

static const struct name srtp_fecs[] = {
	{0, "FEC-SRTP"},
	{0, NULL},
};

static const struct name switches[] = {
	{0, "off"},
	{1, "on"},
	{0, NULL},
};

static const struct name extensions[] = {
	{0, "Vendor ID"},
	{1, "SDP IDs"},
	{3, "Key ID"},
	{0, NULL},
};

static const struct name key_ids[] = {
	{0, "MBMS Key Domain ID"},
	{1, "MBMS Service Key ID"},
	{2, "MBMS Traffic Key ID"},
	{0, NULL},
};

static const struct name tickets[] = {
	{1, "MIKEY Base Ticket"},
	{2, "3GPP Base Ticket"},
	{0, NULL},
};

static const struct name *const tables[] = {
	[TABLE_DATA_TYPE] = data_types,
	[TABLE_PAYLOAD] = payloads,
	[TABLE_PRF] = prfs,
	[TABLE_MAP] = maps,
	[TABLE_ENCR] = encrs,
	[TABLE_AUTH] = auths,
	[TABLE_HASH] = hashes,
	[TABLE_DH_GROUP] = dh_groups,
	[TABLE_CACHE] = caches,
	[TABLE_SIGN] = signs,
	[TABLE_TS] = timestamps,
	[TABLE_TS_ROLE] = ts_roles,
	[TABLE_ID] = ids,
	[TABLE_ID_ROLE] = id_roles,
	[TABLE_CERT] = certs,
	[TABLE_RAND_ROLE] = rand_roles,
	[TABLE_KEY] = keys,
	[TABLE_KV] = kvs,
	[TABLE_ERROR] = errors,
	[TABLE_PROT] = prots,
	[TABLE_SRTP_PARAM] = srtp_params,
	[TABLE_SRTP_ENCR] = srtp_encrs,
	[TABLE_SRTP_AUTH] = srtp_auths,
	[TABLE_SRTP_PRF] = srtp_prfs,
	[TABLE_SRTP_FEC] = srtp_fecs,
	[TABLE_SWITCH] = switches,
	[TABLE_EXTENSION] = extensions,
	[TABLE_KEY_ID] = key_ids,
	[TABLE_TICKET] = tickets,
};

const char *mikey_name(enum mikey_table table, unsigned int value)
{
	for (const struct name *n = tables[table]; n->name != NULL; n++) {
		if (n->value == value)
			return n->name;
	}
	return NULL;
}
