/* SPDX-License-Identifier: BSD-3-Clause */
/* Code points of RFC 3830 section 6, RFC 4563 and RFC 6043 section 6. Wire values. */
#ifndef TKMS_MIKEY_TYPES_H
#define TKMS_MIKEY_TYPES_H

enum { MIKEY_VERSION = 1 };

enum mikey_data_type { /* RFC 3830 6.1, RFC 6043 table 6.1 */
	MIKEY_ERROR = 6,
	MIKEY_REQUEST_INIT_PSK = 11,
	MIKEY_REQUEST_INIT_PK = 12,
	MIKEY_REQUEST_RESP = 13,
	MIKEY_TRANSFER_INIT = 14,
	MIKEY_TRANSFER_RESP = 15,
	MIKEY_RESOLVE_INIT_PSK = 16,
	MIKEY_RESOLVE_INIT_PK = 17,
	MIKEY_RESOLVE_RESP = 18,
};

enum mikey_payload { /* RFC 3830 6.1, RFC 6043 table 6.2 */
	MIKEY_LAST = 0,
	MIKEY_KEMAC = 1,
	MIKEY_PKE = 2,
	MIKEY_DH = 3,
	MIKEY_SIGN = 4,
	MIKEY_T = 5,
	MIKEY_ID = 6,
	MIKEY_CERT = 7,
	MIKEY_CHASH = 8,
	MIKEY_V = 9,
	MIKEY_SP = 10,
	MIKEY_RAND = 11,
	MIKEY_ERR = 12,
	MIKEY_TR = 13,
	MIKEY_IDR = 14,
	MIKEY_RANDR = 15,
	MIKEY_TP = 16,
	MIKEY_TICKET = 17,
	MIKEY_KEY_DATA = 20,
	MIKEY_GENERAL_EXT = 21,
};

enum mikey_prf { MIKEY_PRF_MIKEY_1 = 0, MIKEY_PRF_HMAC_SHA_256 = 1 };
enum mikey_map { MIKEY_MAP_SRTP_ID = 0, MIKEY_MAP_EMPTY = 1, MIKEY_MAP_GENERIC_ID = 2 };
enum mikey_encr {
	MIKEY_ENCR_NULL = 0,
	MIKEY_ENCR_AES_CM_128 = 1,
	MIKEY_ENCR_AES_KW_128 = 2,
	MIKEY_ENCR_AES_CM_256 = 3
};
enum mikey_auth {
	MIKEY_AUTH_NULL = 0,
	MIKEY_AUTH_HMAC_SHA_1_160 = 1,
	MIKEY_AUTH_HMAC_SHA_256_256 = 2
};
enum mikey_hash { MIKEY_HASH_SHA_1 = 0, MIKEY_HASH_MD5 = 1, MIKEY_HASH_SHA_256 = 2 };
enum mikey_dh_group { MIKEY_DH_OAKLEY_5 = 0, MIKEY_DH_OAKLEY_1 = 1, MIKEY_DH_OAKLEY_2 = 2 };
enum mikey_prot { MIKEY_PROT_SRTP = 0 };
enum mikey_ts {
	MIKEY_TS_NTP_UTC = 0,
	MIKEY_TS_NTP = 1,
	MIKEY_TS_COUNTER = 2,
	MIKEY_TS_NTP_UTC_32 = 3
};
enum mikey_ts_role { MIKEY_TRI = 1, MIKEY_TRS = 2, MIKEY_TRE = 3, MIKEY_TRR = 4 };
enum mikey_id_type { MIKEY_ID_NAI = 0, MIKEY_ID_URI = 1, MIKEY_ID_BYTES = 2 };
enum mikey_id_role {
	MIKEY_IDRI = 1,
	MIKEY_IDRR = 2,
	MIKEY_IDRKMS = 3,
	MIKEY_IDRPSK = 4,
	MIKEY_IDRAPP = 5
};
enum mikey_rand_role { MIKEY_RANDRI = 1, MIKEY_RANDRR = 2, MIKEY_RANDRKMS = 3 };
enum mikey_key_type {
	MIKEY_TGK = 0,
	MIKEY_TGK_SALT = 1,
	MIKEY_TEK = 2,
	MIKEY_TEK_SALT = 3,
	MIKEY_GTGK = 4,
	MIKEY_GTGK_SALT = 5,
	MIKEY_MPK = 6,
};
enum mikey_kv { MIKEY_KV_NULL = 0, MIKEY_KV_SPI = 1, MIKEY_KV_INTERVAL = 2 };

enum mikey_error { /* RFC 3830 6.12, RFC 6043 table 6.14 */
	MIKEY_ERR_AUTH_FAILURE = 0,
	MIKEY_ERR_INVALID_TS = 1,
	MIKEY_ERR_INVALID_PRF = 2,
	MIKEY_ERR_INVALID_MAC = 3,
	MIKEY_ERR_INVALID_EA = 4,
	MIKEY_ERR_INVALID_HA = 5,
	MIKEY_ERR_INVALID_DH = 6,
	MIKEY_ERR_INVALID_ID = 7,
	MIKEY_ERR_INVALID_CERT = 8,
	MIKEY_ERR_INVALID_SP = 9,
	MIKEY_ERR_INVALID_SPPAR = 10,
	MIKEY_ERR_INVALID_DT = 11,
	MIKEY_ERR_UNSPECIFIED = 12,
	MIKEY_ERR_INVALID_TICKET = 14,
	MIKEY_ERR_INVALID_TPPAR = 15,
};

/*
 * Flags of TP and TICKET (RFC 6043 6.10) as a 12-bit number: D is the most significant bit. Order
 * on the wire: 7 bits PRF func, these 12 bits, 5 reserved bits.
 */
enum mikey_ticket_flag {
	MIKEY_FLAG_D = 1 << 11, /* made by the KMS */
	MIKEY_FLAG_E = 1 << 10, /* resolve is mandatory */
	MIKEY_FLAG_F = 1 << 9,	/* TRANSFER_RESP is sent */
	MIKEY_FLAG_G = 1 << 8,	/* Responder generates RANDRr */
	MIKEY_FLAG_H = 1 << 7,	/* RANDRi is used in session keys */
	MIKEY_FLAG_I = 1 << 6,	/* key forking */
	MIKEY_FLAG_J = 1 << 5,	/* may be reused */
	MIKEY_FLAG_K = 1 << 4,	/* KMS changed the desired policy */
	MIKEY_FLAG_L = 1 << 3,	/* Initiator may supply keys */
	MIKEY_FLAG_M = 1 << 2,	/* Responder may supply keys */
	MIKEY_FLAG_N = 1 << 1,	/* Initiator needs nothing beyond RFC 6043 */
	MIKEY_FLAG_O = 1 << 0,	/* Responder needs nothing beyond RFC 6043 */
};

#endif
