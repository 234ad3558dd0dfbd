/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the engine has to hash for a message whose MAC is wrong tells nothing about who sent it:
 * operations and their blocks are counted where the engine hands them over (the linker wraps
 * crypto_prf() and crypto_mac()). The same for messages without IDRi or IDRr, of every length
 * modulo a block.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "dataplane/engine/init_mac.h"
#include "tests/unit/engine_client.h"

enum {
	HASH_BLOCK = 64,
	WORK_MAX = 64,
	PSK_IDS = 2 * HASH_BLOCK, /* lengths */
	UID_LENS = 6,
};

/* Calls in order, each with its operations in order. */
struct work {
	unsigned int n;
	uint32_t item[WORK_MAX]; /* hash, kind, blocks; or 0: a call ends */
};

static struct work work;
static bool counting;

static void note(uint32_t item)
{
	if (!counting)
		return;
	cr_assert_lt(work.n, (unsigned int)WORK_MAX);
	work.item[work.n++] = item;
}

static uint32_t blocks_of(size_t len)
{
	return (uint32_t)((len + 8) / HASH_BLOCK + 1);
}

void __real_crypto_prf(struct crypto *ctx, const struct crypto_prf_op *ops, unsigned int n);
void __wrap_crypto_prf(struct crypto *ctx, const struct crypto_prf_op *ops, unsigned int n);
void __real_crypto_mac(struct crypto *ctx, const struct crypto_mac_op *ops, unsigned int n);
void __wrap_crypto_mac(struct crypto *ctx, const struct crypto_mac_op *ops, unsigned int n);

void __wrap_crypto_prf(struct crypto *ctx, const struct crypto_prf_op *ops, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		note(1u << 31 | (uint32_t)ops[i].hash << 28 | (uint32_t)ops[i].out_len << 16 |
			blocks_of(ops[i].label_len));
	note(0);
	__real_crypto_prf(ctx, ops, n);
}

void __wrap_crypto_mac(struct crypto *ctx, const struct crypto_mac_op *ops, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		size_t len = 0;

		for (unsigned int j = 0; j < ops[i].n_segments; j++)
			len += ops[i].seg[j].len;
		note(1u << 30 | (uint32_t)ops[i].hash << 28 | blocks_of(len));
	}
	note(0);
	__real_crypto_mac(ctx, ops, n);
}

static struct kit k;
static struct octets ticket;
/* As many octets as PSK ids have in a test; the first says who it is. */
static char psk_id[PSK_IDS + 16];
static char uid_texts[UID_LENS][256];
static const uint16_t uid_lens[UID_LENS] = {1, 16, 24, 80, 81, 255};

static struct identity uid_of(unsigned int user)
{
	memset(uid_texts[user], 'u', uid_lens[user]);
	uid_texts[user][0] = (char)('a' + user);
	return kit_text(uid_texts[user]);
}

static struct identity psk_id_of(unsigned int user, unsigned int len)
{
	memset(psk_id, 'p', len);
	psk_id[0] = (char)('a' + user);
	psk_id[len] = '\0';
	return kit_text(psk_id);
}

static void setup(void)
{
	const struct ticket_wish wish = client_ticket();

	client_kit(&k, "ipsec-mb");
	client_ticket_build(&k, &wish, &ticket);
}

static void teardown(void)
{
	kit_close(&k);
}

TestSuite(engine_work, .init = setup, .fini = teardown, .timeout = 120);

static struct init_wish wish_of(bool request, bool weak, const struct policy_wish *policy)
{
	struct init_wish wish = request ? client_request(policy) : client_resolve(&ticket);

	if (weak)
		client_weak(&wish);
	wish.self.data = NULL;
	return wish;
}

/* Work for a message that claims to be from a user; user UID_LENS is nobody. */
static struct work work_of(struct init_wish wish, unsigned int user, unsigned int psk_id_len)
{
	static struct octets m;
	static struct kit_answer a;

	wish.psk_id = psk_id_of(user, psk_id_len);
	wish.v = V_WRONG;
	client_build(&k, &wish, &m);
	memset(&work, 0, sizeof(work));
	counting = true;
	kit_send(&k, m.data, m.len, &a);
	counting = false;
	kit_expect(&a, user == UID_LENS ? VERDICT_AUTH_UNKNOWN : VERDICT_AUTH_MAC);
	return work;
}

static void expect_same_work(bool request, bool weak)
{
	const struct policy_wish policy = client_policy();
	const struct init_wish wish = wish_of(request, weak, &policy);
	const struct person *sender = request ? &alice : &bob;

	for (unsigned int len = 1; len <= PSK_IDS; len++) {
		for (unsigned int user = 0; user < UID_LENS; user++) {
			const struct identity uid = uid_of(user);

			(void)psk_id_of(user, len);
			kit_subscriber(&k, psk_id, client_psk(sender), 32, &uid, 1, 0, 0);
		}
		const struct work unknown = work_of(wish, UID_LENS, len);

		cr_assert_gt(unknown.n, 3u);
		for (unsigned int user = 0; user < UID_LENS; user++) {
			const struct work known = work_of(wish, user, len);

			cr_assert_eq(memcmp(&known, &unknown, sizeof(known)), 0,
				"PSK id of %u octets, UID of %u", len, uid_lens[user]);
		}
		for (unsigned int user = 0; user < UID_LENS; user++)
			cr_assert_eq(
				subscriber_table_remove(k.subscribers, psk_id_of(user, len)), 0);
	}
}

Test(engine_work, request_without_idri)
{
	expect_same_work(true, false);
}

Test(engine_work, request_without_idri_in_suite_a)
{
	expect_same_work(true, true);
}

Test(engine_work, resolve_without_idrr)
{
	expect_same_work(false, false);
}

Test(engine_work, resolve_without_idrr_in_suite_a)
{
	expect_same_work(false, true);
}

/* The right one is found among the dummies, wherever it is; nothing but the right UID will do. */
Test(engine_work, right_macs_are_accepted_with_uids_of_every_length)
{
	static struct octets m;
	static struct kit_answer a;
	static char text[2][256];
	static const char psk[] = "psk-somebody";
	const struct policy_wish policy = client_policy();

	for (unsigned int len = 1; len < 256; len++) {
		struct person p = {.psk_id = psk, .uids = {text[0]}, .psk = alice.psk};

		memset(text[0], 'u', len);
		memset(text[1], 'u', len);
		text[1][len - 1] = 'v';
		const struct identity uid = kit_text(text[0]);

		kit_subscriber(&k, psk, client_psk(&p), 32, &uid, 1, 0, 0);
		for (unsigned int weak = 0; weak < 2; weak++) {
			struct init_wish wish = wish_of(true, weak, &policy);

			wish.sender = &p;
			wish.psk_id = kit_text(psk);
			wish.kms.data = len % 2 ? wish.kms.data : NULL;
			client_build(&k, &wish, &m);
			kit_send(&k, m.data, m.len, &a);
			/* Authenticated; the policy is in the name of alice. */
			kit_expect(&a, VERDICT_REQUEST_IDENTITY);
			p.uids[0] = text[1];
			client_build(&k, &wish, &m);
			kit_send(&k, m.data, m.len, &a);
			kit_expect(&a, VERDICT_AUTH_MAC);
			p.uids[0] = text[0];
		}
	}
}

/* More operations than a queue holds: it runs in between. */
Test(engine_work, batch_of_right_messages_without_idri)
{
	static struct octets m;
	static uint8_t responses[ENGINE_BATCH_MAX][4096];
	struct engine_msg msgs[ENGINE_BATCH_MAX];
	const struct policy_wish policy = client_policy();
	const struct init_wish wish = wish_of(true, false, &policy);
	const struct identity longest = uid_of(UID_LENS - 1);

	kit_subscriber(&k, "psk-long", client_psk(&alice), 32, &longest, 1, 0, 0);
	client_build(&k, &wish, &m);
	for (unsigned int i = 0; i < ENGINE_BATCH_MAX; i++)
		msgs[i] = (struct engine_msg){.request = m.data,
			.request_len = (uint16_t)m.len,
			.response = responses[i],
			.response_cap = sizeof(responses[i])};
	engine_process(k.engine, &k.view, k.now, msgs, ENGINE_BATCH_MAX);
	for (unsigned int i = 0; i < ENGINE_BATCH_MAX; i++)
		cr_assert_eq(msgs[i].verdict, VERDICT_REQUEST_OK);
}

static bool plan_holds(uint32_t fixed, uint32_t uid_len, uint32_t longest)
{
	const uint32_t first = blocks_of(fixed + 1);
	struct init_mac_plan p;

	init_mac_plan(&p, fixed, uid_len, longest);
	if (p.n > INIT_MAC_OPS_MAX || p.n != blocks_of(fixed + longest) - first + 1 ||
		p.right >= p.n || p.len[p.right] != uid_len)
		return false;
	for (uint32_t i = 0; i < p.n; i++) {
		if (p.len[i] < 1 || p.len[i] > longest || blocks_of(fixed + p.len[i]) != first + i)
			return false;
	}
	return true;
}

Test(engine_work, plan_depends_on_the_longest_uid_only)
{
	for (uint32_t fixed = 0; fixed < 2 * HASH_BLOCK; fixed++) {
		for (uint32_t longest = 1; longest <= IDENTITY_MAX; longest++) {
			for (uint32_t uid_len = 1; uid_len <= longest; uid_len++) {
				if (!plan_holds(fixed, uid_len, longest))
					cr_assert_fail("%u fixed octets, UID of %u, longest %u",
						fixed, uid_len, longest);
			}
		}
	}
}
