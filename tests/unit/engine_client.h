/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A client of the engine for tests that can get everything wrong: initial messages and tickets are
 * described field by field, the keys and MACs are always computed over what results. Independent of
 * common/ue, which refuses to build what is wrong.
 */
#ifndef TKMS_TESTS_ENGINE_CLIENT_H
#define TKMS_TESTS_ENGINE_CLIENT_H

#include "common/mikey/message.h"
#include "common/mikey/writer.h"
#include "tests/unit/engine_kit.h"

enum { CLIENT_KMS_KEY_LEN = 32, CLIENT_RESPONDERS_MAX = 40, CLIENT_APPS_MAX = 12 };

#define CLIENT_KMS "kms@company.example"

/* One of the people that client_kit() provisions. */
struct person {
	const char *psk_id;
	const char *uids[3];
	uint8_t psk; /* every octet of the PSK */
	uint32_t roles;
};
extern const struct person alice, bob, carol, recorder;

/* A kit with alice, bob (bob@, user1.department@), carol, recorder (a function) and the active key
 * tpk-1. */
void client_kit(struct kit *k, const char *backend);
const uint8_t *client_psk(const struct person *p);
extern const uint8_t client_tpk[CLIENT_KMS_KEY_LEN];

struct time_wish {
	bool present;
	uint8_t type;
	int64_t seconds; /* after the clock */
};

/* A ticket policy: of TP, or of a ticket. NULL identities are left out. */
struct policy_wish {
	uint16_t type;
	uint8_t subtype, version;
	uint8_t prf;
	uint16_t flags;
	uint8_t id_type;
	struct identity kms, initiator;
	struct time_wish trs, tre, trr;
	struct identity apps[CLIENT_APPS_MAX];
	struct identity responders[CLIENT_RESPONDERS_MAX];
	bool kemac;
	uint8_t kemac_encr, kemac_mac;
	const uint8_t *keys; /* key data of KEMAC */
	size_t keys_len;
	bool unexpected;    /* a RAND payload too */
	bool backwards;	    /* IDRr before everything else */
	const uint8_t *raw; /* TP Data instead of all above */
	size_t raw_len;
};

enum client_v { V_RIGHT, V_WRONG, V_MISSING, V_NOT_LAST };

/* REQUEST_INIT (with policy) or RESOLVE_INIT (with ticket). */
struct init_wish {
	const struct person *sender; /* whose PSK */
	uint8_t version, data_type, prf, auth_alg;
	uint8_t n_cs, map_type;
	uint32_t csb_id;
	bool t, randr;
	uint8_t t_type;
	int64_t t_seconds; /* after the clock */
	uint8_t randr_len;
	uint8_t id_type;
	struct identity self, kms, psk_id;
	enum client_v v;
	const struct policy_wish *policy;
	const uint8_t *ticket; /* body: from Ticket Type */
	size_t ticket_len;
	const uint8_t *tail;   /* octets before V: payloads of any kind */
	uint8_t tail_kind;     /* type of the first of them */
	uint8_t tail_next_off; /* where their last Next Payload is */
	size_t tail_len;
};

struct octets {
	size_t len;
	uint8_t data[KIT_MESSAGE_MAX];
};

/* Alice asks for a forked ticket for bob, suite B, everything right. */
struct policy_wish client_policy(void);
struct init_wish client_request(const struct policy_wish *policy);
/* Bob resolves a ticket. */
struct init_wish client_resolve(const struct octets *ticket);
/* The same in suite A. */
void client_weak(struct init_wish *init);

void client_build(struct kit *k, const struct init_wish *wish, struct octets *message);
void client_send(struct kit *k, const struct init_wish *wish, struct kit_answer *a);

enum client_initiator_data {
	ID_RIGHT,
	ID_NONE,
	ID_WRONG_MAC,
	ID_NULL_ALG,
	ID_UNKNOWN_ALG,
	ID_LITERAL_VI,
	ID_GARBAGE
};

/* A ticket as its maker would seal it. */
struct ticket_wish {
	struct policy_wish policy;
	struct identity tpk_id; /* data NULL: left out */
	const uint8_t *tpk;
	size_t tpk_len;
	uint8_t encr_alg, kemac_mac_alg, mac_alg;
	uint8_t t_type;
	bool wrong_mac;
	const uint8_t *keys; /* plain key data; NULL: MPK and one TGK of the suite's length */
	size_t keys_len;
	bool no_keys;
	enum client_initiator_data initiator_data;
	const uint8_t *raw_ticket_data;
	size_t raw_ticket_data_len;
};

/* As the KMS would seal it with tpk-1. */
struct ticket_wish client_ticket(void);
/* As alice would make it (mode 3). */
struct ticket_wish client_ticket_of_alice(void);
void client_ticket_build(struct kit *k, const struct ticket_wish *wish, struct octets *ticket);

/* Key data for ticket_wish or policy_wish. Returns the length. */
struct key_wish {
	uint8_t type, kv, len, salt_len;
	const char *spi;
};
size_t client_keys(uint8_t *out, size_t cap, const struct key_wish *keys, unsigned int n);

/*
 * Puts a valid Initiator Data into a granted ticket: takes the ticket's MPKr from the response to
 * alice's request. resp is REQUEST_RESP to init.
 */
struct response {
	struct mikey_message m;
	uint8_t plain[KIT_MESSAGE_MAX]; /* of KEMAC */
	unsigned int n_keys;
	struct mikey_key keys[MIKEY_KEYS_MAX];
	struct mikey_tp_data tp; /* of the ticket, if there is one */
	struct mikey_ticket_data td;
};
/* Verifies and decrypts the answer to wish; fails the test if it is not right. */
void client_open(struct kit *k, const struct init_wish *wish, const struct octets *init,
	const struct kit_answer *a, struct response *r);
/* The ticket of a response to a REQUEST as it goes into RESOLVE_INIT. */
void client_adopt(
	struct kit *k, const struct kit_answer *a, const struct response *r, struct octets *ticket);

#endif
