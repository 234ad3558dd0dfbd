/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is asked about what a subscriber may cost, and when. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/engine_client.h"

static struct kit k;
static struct kit_answer a;
static struct policy_wish policy;
static struct init_wish request;
static struct {
	unsigned int asked;
	enum verdict say;
	char who[64];
	uint8_t mac[32];
} door;

static enum verdict admit(void *arg, const struct subscriber *sender, const uint8_t *mac)
{
	const struct identity id = subscriber_psk_id(sender);

	cr_assert_eq(arg, &door);
	door.asked++;
	snprintf(door.who, sizeof(door.who), "%.*s", id.len, (const char *)id.data);
	memcpy(door.mac, mac, sizeof(door.mac));
	return door.say;
}

static void setup(void)
{
	client_kit(&k, "openssl");
	policy = client_policy();
	request = client_request(&policy);
	engine_set_admission(k.engine, admit, &door);
}

static void teardown(void)
{
	kit_close(&k);
}

TestSuite(engine_admission, .init = setup, .fini = teardown);

Test(engine_admission, message_with_a_right_mac_is_asked_about_once_with_its_sender_and_mac)
{
	static struct octets message;

	client_build(&k, &request, &message);
	kit_send(&k, message.data, message.len, &a);
	kit_expect(&a, VERDICT_REQUEST_OK);
	cr_expect_eq(door.asked, 1u);
	cr_expect_str_eq(door.who, alice.psk_id);
	cr_expect_arr_eq(door.mac, message.data + message.len - 32, 32);
}

Test(engine_admission, refused_message_is_dropped_in_silence)
{
	static const enum verdict verdicts[] = {VERDICT_LIMIT_REPEAT, VERDICT_LIMIT_SUBSCRIBER};

	for (int i = 0; i < 2; i++) {
		door.say = verdicts[i];
		client_send(&k, &request, &a);
		kit_expect(&a, verdicts[i]);
	}
	/* Also one that would get an Error for what is in it: replays of it reflect nothing. */
	request.kms = kit_text("other@company.example");
	client_send(&k, &request, &a);
	kit_expect(&a, VERDICT_LIMIT_SUBSCRIBER);
	cr_expect_eq(door.asked, 3u);
}

/* Else anybody could use up a subscriber's share in his name. */
Test(engine_admission, message_with_a_wrong_mac_is_not_asked_about)
{
	request.v = V_WRONG;
	client_send(&k, &request, &a);
	kit_expect(&a, VERDICT_AUTH_MAC);
	request.v = V_RIGHT;
	request.psk_id = kit_text("nobody");
	client_send(&k, &request, &a);
	kit_expect(&a, VERDICT_AUTH_UNKNOWN);
	request = client_request(&policy);
	request.t_seconds = 1000;
	client_send(&k, &request, &a);
	kit_expect(&a, VERDICT_MESSAGE_SKEW);
	cr_expect_eq(door.asked, 0u);
}

Test(engine_admission, without_anybody_to_ask_all_pass)
{
	engine_set_admission(k.engine, NULL, NULL);
	for (int i = 0; i < 1000; i++) {
		client_send(&k, &request, &a);
		kit_expect(&a, VERDICT_REQUEST_OK);
	}
	cr_expect_eq(door.asked, 0u);
}
