/* SPDX-License-Identifier: BSD-3-Clause */
/* Replica sets in simulated time: who holds what while nodes, data planes, the store and clocks
 * come and go. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/replica_world.h"

enum { LONG_MS = 15000, TAKE_OVER_MS = WORLD_DEAD_MS + 500 };

static struct world *up(unsigned int n, unsigned int n4, unsigned int n6)
{
	struct world *w = world_new(n, n4, n6);

	for (unsigned int i = 0; i < n; i++)
		world_start(w, i);
	world_run(w, LONG_MS);
	cr_assert(world_is_settled(w), "every address has one holder");
	world_watch(w);
	return w;
}

static void expect_even(const struct world *w, unsigned int least, unsigned int most)
{
	for (unsigned int i = 0; i < w->n; i++) {
		unsigned int n = world_count(w, i);

		if (w->node[i].is_running)
			cr_expect(n >= least && n <= most, "node %u holds %u", i, n);
	}
}

static struct cluster_member *member(struct world *w, unsigned int of, unsigned int other)
{
	struct cluster_member *m = membership_find(&w->node[of].r.membership, world_origin(other));

	cr_assert(m);
	return m;
}

Test(replica, a_node_alone_in_its_set_holds_all)
{
	struct world *w = up(1, 3, 3);

	expect_even(w, 6, 6);
	world_free(w);
}

Test(replica, addresses_are_shared_evenly_by_family)
{
	struct world *w = up(3, 3, 3);

	expect_even(w, 2, 2);
	for (unsigned int i = 0; i < 3; i++) {
		unsigned int v4 = 0;

		for (unsigned int a = 0; a < 3; a++)
			v4 += world_holds(w, i, a);
		cr_expect_eq(v4, 1);
	}
	world_free(w);
	w = up(5, 12, 0);
	expect_even(w, 2, 3);
	world_free(w);
}

Test(replica, only_the_addresses_of_a_dead_node_move_and_soon)
{
	struct world *w = up(3, 6, 0);

	world_kill(w, 1);
	world_run(w, TAKE_OVER_MS);
	cr_expect(world_is_settled(w));
	expect_even(w, 3, 3);
	cr_expect_eq(w->moves, 2, "%lu", (unsigned long)w->moves);
	cr_expect(w->longest_orphan_ms <= TAKE_OVER_MS);
	world_run(w, LONG_MS);
	cr_expect_eq(w->moves, 2, "and nothing moves after that");
	world_free(w);
}

Test(replica, who_comes_back_gets_its_share_and_nothing_else_moves)
{
	struct world *w = up(3, 6, 0);

	world_kill(w, 1);
	world_run(w, LONG_MS);
	world_watch(w);
	world_start(w, 1);
	world_run(w, LONG_MS);
	cr_expect(world_is_settled(w));
	expect_even(w, 2, 2);
	cr_expect_eq(w->moves, 2, "%lu", (unsigned long)w->moves);
	cr_expect_eq(w->longest_orphan_ms, 0, "a move is made before it breaks");
	world_free(w);
}

Test(replica, a_node_that_is_added_gets_its_share_without_a_gap)
{
	struct world *w = world_new(4, 8, 0);

	for (unsigned int i = 0; i < 3; i++)
		world_start(w, i);
	world_run(w, LONG_MS);
	world_watch(w);
	world_start(w, 3);
	world_run(w, LONG_MS);
	cr_expect(world_is_settled(w));
	expect_even(w, 2, 2);
	cr_expect_eq(w->moves, 2);
	cr_expect_eq(w->longest_orphan_ms, 0);
	world_free(w);
}

Test(replica, the_old_holder_answers_on_for_those_who_have_not_heard)
{
	struct world *w = up(2, 2, 0);
	unsigned int a = world_holds(w, 0, 0) ? 0 : 1;
	uint64_t until;

	w->node[0].r.asked |= DRAIN_OPERATOR;
	while (!world_holds(w, 1, a)) {
		cr_expect(world_holds(w, 0, a), "until the other one has it");
		world_run(w, WORLD_TICK_MS);
	}
	for (until = w->now_ms + ASSIGNMENT_LINGER_MS; w->now_ms < until;) {
		cr_expect(world_answers(w, 0, a));
		world_run(w, WORLD_TICK_MS);
	}
	world_run(w, 1000);
	cr_expect_not(world_answers(w, 0, a));
	world_free(w);
}

Test(replica, drained_is_said_when_all_has_gone_and_undrain_brings_a_share_back)
{
	struct world *w = up(3, 3, 3);

	w->node[2].r.asked |= DRAIN_OPERATOR;
	world_run(w, 500);
	cr_expect_eq(replica_progress(&w->node[2].r), CLUSTER_DRAINS);
	cr_expect_eq(world_count(w, 2), 0);
	world_run(w, ASSIGNMENT_LINGER_MS + 500);
	cr_expect_eq(replica_progress(&w->node[2].r), CLUSTER_DRAINED);
	cr_expect(member(w, 0, 2)->beat.is_drained, "the others know");
	cr_expect_eq(w->longest_orphan_ms, 0);
	w->node[2].r.asked = 0;
	world_run(w, LONG_MS);
	expect_even(w, 2, 2);
	cr_expect_eq(w->longest_orphan_ms, 0);
	world_free(w);
}

Test(replica, the_last_one_cannot_drain)
{
	struct world *w = up(2, 2, 0);

	world_kill(w, 1);
	world_run(w, LONG_MS);
	world_watch(w);
	w->node[0].r.asked |= DRAIN_OPERATOR;
	world_run(w, LONG_MS);
	cr_expect_eq(replica_progress(&w->node[0].r), CLUSTER_STUCK);
	expect_even(w, 2, 2);
	world_start(w, 1);
	world_run(w, LONG_MS);
	cr_expect_eq(
		replica_progress(&w->node[0].r), CLUSTER_DRAINED, "until another one is there");
	cr_expect_eq(w->longest_orphan_ms, 0);
	world_free(w);
}

Test(replica, all_drain_and_the_addresses_stay)
{
	struct world *w = up(3, 3, 0);

	for (unsigned int i = 0; i < 3; i++)
		w->node[i].r.asked |= DRAIN_OPERATOR;
	world_run(w, LONG_MS);
	cr_expect(world_is_settled(w));
	cr_expect_eq(w->longest_orphan_ms, 0);
	world_free(w);
}

Test(replica, without_the_store_the_assignment_stands)
{
	struct world *w = up(3, 3, 3);

	w->is_store_down = true;
	world_run(w, WORLD_STALE_MS - 1000);
	cr_expect(world_is_settled(w));
	cr_expect_eq(w->moves, 0);
	for (unsigned int i = 0; i < 3; i++) {
		cr_expect(member(w, i, (i + 1) % 3)->is_alive, "nobody is dead");
		cr_expect_not(w->node[i].r.is_in_sync, "but who knows what was missed");
	}
	w->is_store_down = false;
	world_run(w, LONG_MS);
	cr_expect_eq(w->moves, 0);
	cr_expect(w->node[0].r.is_in_sync);
	world_free(w);
}

Test(replica, a_node_killed_while_the_store_is_away_is_dead_once_it_is_back)
{
	struct world *w = up(3, 3, 0);

	w->is_store_down = true;
	world_run(w, 3000);
	world_kill(w, 0);
	world_run(w, 10000);
	cr_expect(member(w, 1, 0)->is_alive);
	w->is_store_down = false;
	world_run(w, WORLD_DEAD_MS - 200);
	cr_expect(member(w, 1, 0)->is_alive, "it gets its time to be heard");
	world_run(w, 1000);
	cr_expect_not(member(w, 1, 0)->is_alive);
	cr_expect(world_is_settled(w));
	world_free(w);
}

Test(replica, a_node_cut_off_keeps_its_addresses_and_gives_them_up_when_it_hears_again)
{
	struct world *w = up(3, 3, 0);
	unsigned int a = 0;

	while (!world_holds(w, 0, a))
		a++;
	w->node[0].is_cut_off = true;
	world_run(w, TAKE_OVER_MS);
	cr_expect(world_holds(w, 0, a), "fail-static");
	cr_expect_eq(world_holder(w, a), -2, "two holders for a while do no harm");
	cr_expect(member(w, 0, 1)->is_alive, "who is cut off finds nobody dead");
	cr_expect(world_is_settled(w) == false);
	w->node[0].is_cut_off = false;
	world_run(w, LONG_MS);
	cr_expect(world_is_settled(w));
	expect_even(w, 1, 1);
	world_free(w);
}

Test(replica, a_node_that_stood_still_finds_nobody_dead)
{
	struct world *w = up(3, 3, 0);
	unsigned int deaths = 0;

	w->node[0].is_frozen = true;
	world_run(w, 20000);
	w->node[0].is_frozen = false;
	for (unsigned int i = 0; i < 300; i++) {
		world_run(w, WORLD_TICK_MS);
		deaths += !member(w, 0, 1)->is_alive + !member(w, 0, 2)->is_alive;
	}
	cr_expect_eq(deaths, 0);
	world_run(w, LONG_MS);
	cr_expect(world_is_settled(w));
	world_free(w);
}

/* Neighbours may have asked it for an address meanwhile, and believed it. */
Test(replica, when_one_comes_back_from_the_dead_the_others_announce_again)
{
	struct world *w = up(3, 6, 0);
	uint64_t before[3];

	w->node[1].is_frozen = true;
	world_run(w, 5000);
	cr_assert_eq(world_count(w, 0) + world_count(w, 2), 6u);
	before[0] = w->node[0].r.version;
	before[2] = w->node[2].r.version;
	w->node[1].is_frozen = false;
	/* too short for a move */
	world_run(w, 600);
	cr_expect_gt(w->node[0].r.version, before[0]);
	cr_expect_gt(w->node[2].r.version, before[2]);
	cr_expect_eq(w->node[0].r.acknowledged, w->node[0].r.version);
	world_free(w);
}

/* It may have hung, and have answered from what it knew when it went on. */
Test(replica, when_a_data_plane_serves_again_the_others_announce_again)
{
	struct world *w = up(3, 6, 0);
	uint64_t before;

	w->node[1].is_dataplane_up = false;
	world_run(w, 5000);
	cr_assert_eq(world_count(w, 0) + world_count(w, 2), 6u);
	before = w->node[0].r.version;
	world_run(w, 1000);
	cr_assert_eq(w->node[0].r.version, before);
	w->node[1].is_dataplane_up = true;
	/* too short for a move */
	world_run(w, 600);
	cr_expect_gt(w->node[0].r.version, before);
	cr_expect_eq(w->node[0].r.acknowledged, w->node[0].r.version);
	world_free(w);
}

/* One that we did not know yet, or had forgotten, holds what we hold. */
Test(replica, who_is_new_and_holds_an_address_of_ours_is_answered_with_announcements)
{
	struct world *w = up(2, 2, 0);
	struct replica *r = &w->node[0].r;
	struct heartbeat beat = w->node[1].said;
	struct heartbeat_claim claim = {.family = 4, .number = 1};
	uint64_t before = r->version;

	cr_assert_eq(r->holdings.n, 1);
	memcpy(claim.octets, r->holdings.holding[0].address.octets, sizeof(claim.octets));
	beat.n_claims = 0;
	cr_assert_gt(replica_record(r, 77, 1, &beat, w->now_ms, 0), 0);
	cr_expect_eq(r->version, before, "it holds nothing");
	beat.n_claims = 1;
	beat.claims[0] = claim;
	cr_assert_gt(replica_record(r, 78, 1, &beat, w->now_ms, 0), 0);
	cr_expect_eq(r->version, before, "it claims what it does not hold");
	beat.claims[0].is_held = true;
	cr_assert_gt(replica_record(r, 79, 1, &beat, w->now_ms, 0), 0);
	cr_expect_eq(r->version, before + 1);
	beat.claims[0].octets[3] ^= 0x40;
	cr_assert_gt(replica_record(r, 80, 1, &beat, w->now_ms, 0), 0);
	cr_expect_eq(r->version, before + 1, "it holds something else");
	world_free(w);
}

Test(replica, after_max_staleness_a_node_withdraws)
{
	struct world *w = up(3, 3, 0);

	w->node[0].is_cut_off = true;
	world_run(w, WORLD_STALE_MS - 1000);
	cr_expect_eq(world_count(w, 0), 1);
	world_run(w, 2000);
	cr_expect_eq(world_count(w, 0), 0);
	for (unsigned int a = 0; a < 3; a++)
		cr_expect_not(world_answers(w, 0, a), "at once");
	cr_expect_not(w->node[0].r.is_in_sync);
	cr_expect(w->node[0].r.membership.members[0].beat.drain_reasons & DRAIN_STALE);
	w->node[0].is_cut_off = false;
	world_run(w, LONG_MS);
	expect_even(w, 1, 1);
	world_free(w);
}

Test(replica, what_it_was_alone_before_a_restart_counts)
{
	struct world *w = world_new(1, 1, 0);

	world_start(w, 0);
	w->is_store_down = true;
	w->node[0].r.before_ms = WORLD_STALE_MS - 5000;
	world_run(w, 4000);
	cr_expect_not(membership_self(&w->node[0].r.membership)->beat.drain_reasons & DRAIN_STALE);
	world_run(w, 2000);
	cr_expect(membership_self(&w->node[0].r.membership)->beat.drain_reasons & DRAIN_STALE);
	world_free(w);
}

Test(replica, a_data_plane_that_ends_moves_the_addresses)
{
	struct world *w = up(3, 3, 0);

	w->node[1].is_dataplane_up = false;
	world_run(w, 600);
	cr_expect(world_is_settled(w), "no need to wait for anybody's death");
	cr_expect_eq(world_count(w, 1), 0);
	world_free(w);
}

Test(replica, who_falls_again_and_again_waits_longer_each_time)
{
	struct world *w = up(2, 2, 0);
	uint64_t waited[4];

	for (unsigned int i = 0; i < 4; i++) {
		w->node[1].is_dataplane_up = false;
		world_run(w, 5000);
		w->node[1].is_dataplane_up = true;
		waited[i] = w->now_ms;
		while (world_count(w, 1) == 0 && w->now_ms - waited[i] < 60000)
			world_run(w, WORLD_TICK_MS);
		waited[i] = w->now_ms - waited[i];
		world_run(w, 2000);
	}
	cr_expect(waited[0] >= REPLICA_SETTLE_MS && waited[0] < REPLICA_SETTLE_MS + 1000);
	cr_expect(waited[1] > waited[0] + 1500 && waited[2] > waited[1] + 3000 &&
			  waited[3] > waited[2] + 6000,
		"%lu %lu %lu %lu", (unsigned long)waited[0], (unsigned long)waited[1],
		(unsigned long)waited[2], (unsigned long)waited[3]);
	cr_expect(w->longest_orphan_ms < 600);
	world_free(w);
}

Test(replica, the_node_whose_clock_is_off_drains_and_the_others_do_not)
{
	struct world *w = up(3, 3, 0);

	w->node[1].wall_offset_ms = -600000;
	world_run(w, 2000);
	cr_expect(member(w, 1, 1)->beat.drain_reasons & DRAIN_CLOCK);
	cr_expect_not(w->node[1].r.is_in_sync, "silent rather than wrong");
	cr_expect_eq(world_count(w, 1), 0);
	cr_expect_eq(member(w, 0, 0)->beat.drain_reasons, 0);
	cr_expect_eq(member(w, 2, 2)->beat.drain_reasons, 0);
	cr_expect_eq(membership_clock(&w->node[0].r.membership), CLOCKS_DISPUTED, "but it is said");
	w->node[1].wall_offset_ms = 0;
	world_run(w, LONG_MS);
	expect_even(w, 1, 1);
	cr_expect_eq(w->longest_orphan_ms, 0);
	world_free(w);
}

Test(replica, two_clocks_that_differ_drain_nobody)
{
	struct world *w = up(2, 2, 0);

	w->node[1].wall_offset_ms = 600000;
	world_run(w, LONG_MS);
	cr_expect_eq(w->moves, 0);
	for (unsigned int i = 0; i < 2; i++)
		cr_expect_eq(membership_clock(&w->node[i].r.membership), CLOCKS_DISPUTED);
	world_free(w);
}

Test(replica, an_old_record_says_nothing_about_a_clock)
{
	struct world *w = world_new(3, 3, 0);

	world_start(w, 0);
	world_start(w, 1);
	world_run(w, LONG_MS);
	world_kill(w, 0);
	world_kill(w, 1);
	world_run(w, 7 * 86400 * 10);
	world_start(w, 2);
	for (unsigned int i = 0; i < 200; i++) {
		world_run(w, WORLD_TICK_MS);
		cr_expect_eq(membership_clock(&w->node[2].r.membership), CLOCKS_AGREE);
	}
	world_run(w, LONG_MS);
	expect_even(w, 3, 3);
	world_free(w);
}

Test(replica, who_is_behind_is_silent_and_drains_when_it_does_not_catch_up)
{
	struct world *w = up(3, 3, 0);
	struct heartbeat *said = &w->node[0].said;

	for (unsigned int i = 1; i < 3; i++) {
		w->node[i].said.n_cursors = 1;
		w->node[i].said.cursors[0] = (struct heartbeat_cursor){world_origin(0), 1 << 20};
	}
	w->node[0].said.log_last = 100;
	w->node[2].said.cursors[0].sequence = 50;
	world_run(w, 300);
	cr_expect(w->node[2].r.is_in_sync, "for a moment that is nothing to speak of");
	world_run(w, 1000);
	cr_expect_not(w->node[2].r.is_in_sync);
	cr_expect(w->node[1].r.is_in_sync);
	for (unsigned int i = 0; i < 100; i++) {
		said->log_last = (uint64_t)200 + 2 * i;
		w->node[2].said.cursors[0].sequence++;
		world_run(w, 500);
	}
	cr_expect_eq(member(w, 2, 2)->beat.drain_reasons, 0, "it is getting on");
	cr_expect_not(w->node[2].r.is_in_sync);
	world_run(w, REPLICA_NO_PROGRESS_MS + 1000);
	cr_expect(member(w, 2, 2)->beat.drain_reasons & DRAIN_BEHIND);
	cr_expect_eq(world_count(w, 2), 0);
	w->node[2].said.cursors[0].sequence = said->log_last;
	world_run(w, LONG_MS);
	cr_expect(w->node[2].r.is_in_sync);
	expect_even(w, 1, 1);
	world_free(w);
}

Test(replica, a_missing_keyring_is_silence_at_once)
{
	struct world *w = up(2, 2, 0);

	w->node[0].said.keyring_version = 5;
	world_run(w, 400);
	cr_expect_not(w->node[1].r.is_in_sync);
	membership_keyring_read(&w->node[1].r.membership, world_origin(0), 5);
	world_run(w, 200);
	cr_expect(w->node[1].r.is_in_sync);
	world_free(w);
}

Test(replica, a_new_node_gets_no_address_before_it_has_caught_up)
{
	struct world *w = world_new(3, 3, 0);

	world_start(w, 0);
	world_start(w, 1);
	w->node[0].said.log_last = 10;
	w->node[1].said.n_cursors = 1;
	w->node[1].said.cursors[0] = (struct heartbeat_cursor){world_origin(0), 10};
	world_run(w, LONG_MS);
	world_start(w, 2);
	world_run(w, LONG_MS);
	cr_expect_eq(world_count(w, 2), 0);
	w->node[2].said.n_cursors = 1;
	w->node[2].said.cursors[0] = (struct heartbeat_cursor){world_origin(0), 10};
	world_run(w, LONG_MS);
	expect_even(w, 1, 1);
	world_free(w);
}

Test(replica, forgotten_once_is_forgotten_everywhere_and_may_come_back)
{
	struct world *w = up(3, 3, 0);

	cr_expect_eq(replica_forget(&w->node[0].r, world_origin(2)), -EBUSY, "it is alive");
	cr_expect_eq(replica_forget(&w->node[0].r, world_origin(0)), -EINVAL);
	world_kill(w, 2);
	world_run(w, LONG_MS);
	cr_expect_eq(replica_forget(&w->node[0].r, world_origin(2)), 0);
	cr_expect_eq(replica_forget(&w->node[0].r, world_origin(2)), -ENOENT);
	world_run(w, 1000);
	cr_expect_eq(w->node[0].r.membership.n, 2);
	cr_expect_eq(w->node[1].r.membership.n, 2);
	world_start(w, 2);
	world_run(w, LONG_MS);
	cr_expect_eq(w->node[1].r.membership.n, 3);
	expect_even(w, 1, 1);
	world_free(w);
}

Test(replica, roles_and_nodes_without_any)
{
	struct world *w = up(3, 3, 0);

	w->node[0].said.roles = 0; /* of a version that knows other ones */
	world_run(w, LONG_MS);
	cr_expect_eq(world_count(w, 0), 0);
	cr_expect(world_is_settled(w));
	world_free(w);
}

/* Whatever happens: when it is over, every address has one holder, shared evenly. */
Test(replica, after_any_disorder_there_is_order, .timeout = 120)
{
	for (unsigned int seed = 1; seed <= 40; seed++) {
		unsigned int state = seed, n = 2 + seed % 5;
		struct world *w = world_new(n, 2 * n, 1 + seed % 3);

		for (unsigned int i = 0; i < 60; i++) {
			unsigned int node = (unsigned int)rand_r(&state) % n;
			struct world_node *at = &w->node[node];

			switch (rand_r(&state) % 8) {
			case 0:
				world_kill(w, node);
				break;
			case 1:
				at->is_frozen = !at->is_frozen;
				break;
			case 2:
				at->is_cut_off = !at->is_cut_off;
				break;
			case 3:
				at->is_dataplane_up = !at->is_dataplane_up;
				break;
			case 4:
				at->r.asked ^= DRAIN_OPERATOR;
				break;
			case 5:
				w->is_store_down = !w->is_store_down;
				break;
			default:
				if (!at->is_running)
					world_start(w, node);
			}
			world_run(w, (uint64_t)(rand_r(&state) % 4000));
		}
		w->is_store_down = false;
		for (unsigned int i = 0; i < n; i++) {
			struct world_node *at = &w->node[i];

			at->is_frozen = at->is_cut_off = false;
			at->is_dataplane_up = true;
			if (!at->is_running)
				world_start(w, i);
			at->r.asked = 0;
		}
		world_run(w, 90000);
		cr_expect(world_is_settled(w), "seed %u", seed);
		world_watch(w);
		world_run(w, LONG_MS);
		cr_expect_eq(w->moves, 0, "seed %u", seed);
		cr_expect_eq(w->longest_orphan_ms, 0, "seed %u", seed);
		expect_even(w, 2, 4);
		world_free(w);
	}
}
