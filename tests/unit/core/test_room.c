/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Who takes a place in the table, who does not, and who has to leave it. */

#include "packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define MANY 4096

static struct ct_result udp(struct engine *e, uint32_t src, uint64_t now_ns)
{
	struct pk p;

	pk_udp(&p, CT_AF_INET, src, 0xfffffe, 1000, 53);
	return engine_track(e, &p, now_ns);
}

/* Packets that cannot begin a flow take no slot, not even for a moment, and use up no flow id. */
static void test_refused_take_nothing(void **state)
{
	uint64_t first, second;
	struct engine e;
	struct pk p;

	engine_open(&e, 1);
	first = udp(&e, 1, SEC).flow;
	for (uint32_t i = 0; i < 1000; i++) {
		pk_tcp(&p, CT_AF_INET, i, 9, 80, 80, PK_SYN | PK_ACK, 1, 1);
		assert_int_equal(engine_track(&e, &p, 100 * SEC).info, CT_INFO_INVALID);
	}
	second = udp(&e, 1, 100 * SEC).flow; /* the slot's second flow, not its thousandth */
	assert_int_equal(first ^ second, 3ull << 32); /* generations 1 and 2 */
	engine_close(&e);
}

/* In a full table a flow whose time is up makes room before the clock ends it. */
static void test_expired_make_room(void **state)
{
	unsigned int made = 0;
	struct engine e;

	engine_open(&e, 512);
	for (uint32_t i = 0; i < 512; i++)
		assert_int_equal(udp(&e, i, SEC).info, CT_INFO_NEW);
	assert_true(udp(&e, MANY, 30 * SEC).drop);
	for (uint32_t i = 0; i < 512; i++) {
		struct ct_result out = udp(&e, MANY + i, 60 * SEC);

		if (out.drop)
			continue; /* none of its own stripe is left */
		made++;
		assert_int_equal(out.nevents, 2);
		assert_int_equal(out.events[0].type, CT_EVENT_DESTROY);
		assert_int_equal(out.events[0].death, CT_DEATH_TIMEOUT);
		assert_int_equal(out.events[0].hook, CT_HOOK_NONE);
		assert_int_equal(out.events[1].type, CT_EVENT_NEW);
	}
	assert_true(made > 256);
	assert_int_equal(ct_count(e.th.ct), 512);
	assert_int_equal(engine_stat(&e, CT_STAT_DESTROYED), made);
	engine_close(&e);
}

/* A first packet whose class is to be dropped leaves nothing behind. */
static void test_unconfirmed_take_nothing(void **state)
{
	struct engine e;

	engine_open(&e, 8);
	e.cfg.no_confirm_classes = 1 << CT_CLASS_NEW;
	for (uint32_t i = 0; i < 100; i++) {
		struct ct_result out = udp(&e, i, SEC);

		assert_int_equal(out.info, CT_INFO_NEW);
		assert_false(out.drop || out.has_flow);
		assert_int_equal(out.nevents, 0);
	}
	assert_int_equal(ct_count(e.th.ct), 0);
	assert_int_equal(engine_stat(&e, CT_STAT_DISCARDED), 100);
	engine_close(&e);
}

/* One bounded call looks at a part of the table only, says so, and goes on where it stopped. */
static void test_expiry_is_bounded(void **state)
{
	enum { FLOWS = 20000 };
	struct ct_event events[64];
	struct engine e;
	size_t ended = 0;
	unsigned int calls = 0;
	bool more;

	engine_open(&e, FLOWS);
	e.cfg.timeout_ns[CT_TIMEOUT_UDP] = 10000 * SEC; /* parked beyond the wheel's horizon */
	for (uint32_t i = 0; i < FLOWS; i++)
		udp(&e, i, SEC);
	do {
		assert_int_equal(ct_expire(&e.th, 600 * SEC, events, 64, &more), 0);
		calls++;
	} while (more);
	assert_true(calls > 3);
	assert_int_equal(ct_expire(&e.th, 600 * SEC, events, 64, &more), 0);
	assert_false(more);
	do
		ended += ct_expire(&e.th, 10002 * SEC, events, 64, &more);
	while (more);
	assert_int_equal(ended, FLOWS);
	assert_int_equal(ct_count(e.th.ct), 0);
	engine_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused_take_nothing),
		cmocka_unit_test(test_expired_make_room),
		cmocka_unit_test(test_unconfirmed_take_nothing),
		cmocka_unit_test(test_expiry_is_bounded),
	};

	return cmocka_run_group_tests_name("room", tests, NULL, NULL);
}
