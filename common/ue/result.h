/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What became of a message or a call: one table with readable texts that name the check that
 * failed. Nothing secret is in a text.
 */
#ifndef TKMS_UE_RESULT_H
#define TKMS_UE_RESULT_H

#define UE_RESULT_TABLE(X)                                                                         \
	X(OK, "ok")                                                                                \
	/* the caller */                                                                           \
	X(ARGUMENT, "an argument is out of range")                                                 \
	X(NO_ROOM, "the message does not fit the buffer")                                          \
	X(RANDOM, "no random numbers could be drawn")                                              \
	/* Error messages */                                                                       \
	X(ERROR_HINT, "an Error message that nobody vouches for (a hint, never a reason to stop)") \
	X(ERROR_VERIFIED, "an Error message with a correct MAC")                                   \
	/* the message as such */                                                                  \
	X(MALFORMED, "the message does not parse")                                                 \
	X(VERSION, "the version is not 1")                                                         \
	X(DATA_TYPE, "the data type is not the expected one")                                      \
	X(CSB_ID, "the CSB ID is that of another exchange")                                        \
	X(PRF, "the PRF func is unknown or differs from that of the initial message")              \
	X(MAP, "the CS ID map is not one that this message may have")                              \
	X(NO_T, "there is no timestamp, or of a type that cannot be checked")                      \
	X(NO_RANDR, "a RANDR payload is missing")                                                  \
	X(NO_IDR, "an IDR payload is missing")                                                     \
	X(NO_TICKET, "there is no TICKET payload")                                                 \
	X(NO_KEMAC, "there is no KEMAC payload")                                                   \
	X(NO_V, "there is no V payload, or it is not the last one")                                \
	X(AUTH_ALG, "the authentication algorithm is NULL, unknown or not that of the initial "    \
		    "message")                                                                     \
	X(MIXED_SUITES, "algorithms of 128 and 256 bits are mixed")                                \
	X(MAC, "the MAC is wrong")                                                                 \
	X(SKEW, "the timestamp is too far from the local clock")                                   \
	X(IDENTITY, "an identity is missing, too long or not the expected one")                    \
	X(IDR_KMS, "the IDRkms is not that of the KMS asked")                                      \
	/* KEMAC and keys */                                                                       \
	X(KEMAC, "the KEMAC has an algorithm that may not be used here, or does not decrypt")      \
	X(KEYS, "the key data do not parse, or are more than can be held")                         \
	X(KEY_WEAK, "a key has a length or a value that the PRF treats badly")                     \
	X(KEY_LENGTH, "a session key is longer than the suite allows, or has not the length "      \
		      "asked for")                                                                 \
	X(KEY_SPI, "a key has no SPI, or two keys have the same")                                  \
	X(NO_MPK, "MPKi or MPKr is missing among the keys")                                        \
	/* ticket and policy */                                                                    \
	X(TICKET_TYPE, "the ticket type, subtype or version is not a known one")                   \
	X(TICKET_FLAGS, "the flags of the ticket policy contradict each other")                    \
	X(TICKET_POLICY, "the ticket policy does not parse or has what it may not have")           \
	X(TICKET_DATA, "the ticket data do not parse")                                             \
	X(TICKET_MAC, "the MAC of the ticket is wrong")                                            \
	X(TICKET_KEY, "the ticket is protected with a key that is not at hand")                    \
	X(TICKET_TIME, "the ticket is not valid yet, or not any more")                             \
	X(TICKET_USED, "the ticket may not be used again (flag J is 0)")                           \
	X(TICKET_OTHER, "the ticket resolved is not the one of the TRANSFER_INIT")                 \
	X(MUST_RESOLVE, "the ticket must be resolved by the KMS (flag E)")                         \
	X(SPECIAL, "the ticket needs processing beyond RFC 6043 (flag N or O is 0)")               \
	X(GRANT_K, "the KMS changed the policy without saying so (flag K)")                        \
	X(GRANT_CHANGED, "the KMS changed the policy, and no change is accepted")                  \
	X(GRANT_FLAGS, "the flags granted promise less than those asked for")                      \
	X(GRANT_TIME, "the validity granted is not within the one asked for")                      \
	X(GRANT_RECIPIENTS, "the ticket granted names recipients that were not asked for, or "     \
			    "none")                                                                \
	X(GRANT_APPS, "the ticket granted authorises applications that were not asked for")        \
	X(GRANT_KEYS, "the keys granted are not those asked for")                                  \
	X(NOT_RECIPIENT, "none of our identities is a recipient of the ticket")                    \
	X(NOT_AUTHORISED_APP, "our application is not authorised by the ticket")                   \
	/* Ticket Transfer */                                                                      \
	X(INITIATOR_DATA, "Initiator Data and key forking (flag I) do not agree, or do not parse") \
	X(VI, "Vi in the Initiator Data is not the V of the TRANSFER_INIT")                        \
	X(KEMAC_FORBIDDEN, "a KEMAC was sent although the ticket forbids it (flag L or M)")        \
	X(NOT_EXPECTED, "no TRANSFER_RESP is allowed with this ticket (flag F is 0)")              \
	X(RESPONSE_NEEDED, "a TRANSFER_RESP is needed before keys can be derived (flag F)")        \
	X(TRANSFER_MAC, "the MAC of the TRANSFER_INIT is wrong")                                   \
	X(RESPONDER, "the IDRr of the responder does not match the ticket")                        \
	X(SECURITY_POLICY, "no security policy offered or chosen is acceptable")                   \
	X(NO_SESSION_KEY, "no key has the SPI of a crypto session")                                \
	X(SESSION_DATA, "a crypto session has no (usable) session data")

enum ue_result {
#define X(name, text) UE_##name,
	UE_RESULT_TABLE(X)
#undef X
};

/* Never NULL. */
const char *ue_strerror(enum ue_result r);

/* "NO_V": for logs and tests. Never NULL. */
const char *ue_result_name(enum ue_result r);

/* Comment of a MIKEY error number (RFC 3830 6.12, RFC 6043 6.9). Never NULL. */
const char *ue_error_text(int error_no);

#endif
