/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A table that is taken over into another one: larger, smaller, under another clock or secret. */

#include "will.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* n flows from host 1 on; every third is ASSURED. */
static void fill(struct will *w, uint32_t n, uint64_t *ids)
{
	for (uint32_t i = 0; i < n; i++)
		ids[i] = i % 3 ? will_udp(&w->dead, 1 + i, false, NOW).flow
			       : will_handshake(&w->dead, 1 + i, NOW).flow;
}

static struct ct_result ask(struct will *w, uint32_t i)
{
	return i % 3 ? will_udp(&w->heir, 1 + i, false, NOW)
		     : will_tcp(&w->heir, 1 + i, false, PK_ACK, 100, 500, NOW);
}

static void test_larger_table(void **state)
{
	uint64_t ids[120];
	struct will w;

	will_open(&w, 120);
	fill(&w, 120, ids);
	w.params.max_flows = 500;
	will_adopt(&w);
	assert_int_equal(w.done.flows, 120);
	assert_int_equal(w.done.moved + w.done.displaced + w.done.damaged, 0);
	assert_int_equal(ct_max_flows(w.heir.th.ct), 500);
	for (uint32_t i = 0; i < 120; i++)
		assert_true(ask(&w, i).flow == ids[i]);
	assert_int_equal(ct_count(w.heir.th.ct), 120);
	will_close(&w);
}

/* There is room for all, though not under every number. */
static void test_smaller_table_with_room(void **state)
{
	struct ct_event events[128];
	uint64_t ids[120];
	struct will w;
	uint32_t kept = 0;

	will_open(&w, 120);
	for (uint32_t i = 0; i < 60; i++)
		will_udp(&w.dead, 1000 + i, false, NOW - 100 * SEC);
	fill(&w, 60, ids);
	ct_expire(&w.dead.th, NOW, events, 128, NULL);
	assert_int_equal(ct_count(w.dead.th.ct), 60);
	w.params.max_flows = 80;
	will_adopt(&w);
	assert_int_equal(w.done.flows, 60);
	assert_int_equal(w.done.displaced, 0);
	for (uint32_t i = 0; i < 60; i++) {
		struct ct_result r = ask(&w, i);

		assert_int_equal(r.info, i % 3 ? CT_INFO_NEW : CT_INFO_ESTABLISHED);
		assert_int_equal(r.nevents, 0);
		kept += r.flow == ids[i];
	}
	assert_int_equal(kept, 20);
	assert_int_equal(w.done.moved, 40);
	assert_int_equal(ct_count(w.heir.th.ct), 60);
	will_close(&w);
}

static void test_smaller_table_keeps_the_assured(void **state)
{
	uint64_t ids[120];
	struct will w;

	will_open(&w, 120);
	fill(&w, 120, ids);
	w.params.max_flows = 64;
	will_adopt(&w);
	assert_int_equal(w.done.flows, 64);
	assert_int_equal(w.done.displaced, 56);
	assert_int_equal(ct_count(w.heir.th.ct), 64);
	for (uint32_t i = 0; i < 120; i += 3)
		assert_int_equal(ask(&w, i).info, CT_INFO_ESTABLISHED);
	will_close(&w);
}

static void test_other_clock_and_secret(void **state)
{
	struct ct_event events[8];
	struct will w;

	will_open(&w, 64);
	will_udp(&w.dead, 1, false, NOW);
	will_udp(&w.dead, 1, true, NOW);
	will_udp(&w.dead, 2, false, NOW);
	will_leave(&w);
	ct_arena_forget_key(w.left);
	w.estate.rekey = true;
	w.estate.now_ns = 5 * SEC; /* the machine was started again, and ten seconds are over */
	w.estate.shift_ns = -(int64_t)(NOW + 10 * SEC - 5 * SEC);
	will_adopt(&w);
	assert_int_equal(w.done.flows, 2);
	assert_int_equal(will_udp(&w.heir, 1, true, 5 * SEC).info, CT_INFO_ESTABLISHED_REPLY);
	assert_int_equal(ct_expire(&w.heir.th, 24 * SEC, events, 8, NULL), 0);
	assert_int_equal(ct_expire(&w.heir.th, 26 * SEC, events, 8, NULL), 1);
	will_close(&w);
}

/* Whoever waits for the exit hook is known there by a hash with the secret of before. */
static void test_other_secret_forgets_who_waits(void **state)
{
	struct will w;

	will_open(&w, 64);
	w.dead.cfg.confirm = CT_CONFIRM_EXIT;
	will_udp(&w.dead, 1, false, NOW);
	w.estate.rekey = true;
	will_adopt(&w);
	assert_int_equal(w.done.flows, 0);
	assert_int_equal(w.done.unconfirmed, 1);
	assert_int_equal(w.done.damaged, 0);
	will_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_larger_table),
		cmocka_unit_test(test_smaller_table_with_room),
		cmocka_unit_test(test_smaller_table_keeps_the_assured),
		cmocka_unit_test(test_other_clock_and_secret),
		cmocka_unit_test(test_other_secret_forgets_who_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
