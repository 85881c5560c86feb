/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Who takes a place in the table, who does not, and who has to leave it. */

#include "packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "core/end.h"
#include "core/key.h"

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

static uint32_t bucket_of(const struct ct *ct, const struct ct_tuple *t)
{
	return ct_table_bucket(ct, ct_tuple_hash(t, &ct->key));
}

/* A flow that was ended is not found by a thread whose clock is a little behind, either. */
static void test_ended_for_every_clock(void **state)
{
	struct ct_result first, second;
	struct engine e;

	engine_open(&e, 4);
	first = udp(&e, 1, 10 * SEC);
	ct_end_soon(e.th.ct, bucket_of(e.th.ct, &first.events[0].orig), 1, CT_DEATH_EARLY_DROP);
	second = udp(&e, 1, 10 * SEC - 5 * MSEC);
	assert_int_not_equal(first.flow, second.flow);
	assert_int_equal(second.nevents, 2);
	assert_int_equal(second.events[0].type, CT_EVENT_DESTROY);
	assert_int_equal(second.events[0].death, CT_DEATH_EARLY_DROP);
	engine_close(&e);
}

/* In a full table a flow whose time is up makes room before the clock ends it. */
static void test_expired_make_room(void **state)
{
	unsigned int made = 0, expired = 0;
	struct engine e;

	engine_open(&e, 512);
	for (uint32_t i = 0; i < 512; i++)
		engine_assured(&e, i, SEC);
	assert_true(udp(&e, MANY, 30 * SEC).drop);
	for (uint32_t i = 0; i < 512; i++) {
		struct ct_result out = udp(&e, MANY + i, 200 * SEC);

		if (out.drop)
			continue; /* nothing near it */
		made++;
		for (unsigned int k = 0; k + 1 < out.nevents; k++) {
			assert_int_equal(out.events[k].type, CT_EVENT_DESTROY);
			assert_int_equal(out.events[k].hook, CT_HOOK_NONE);
			expired += out.events[k].death == CT_DEATH_TIMEOUT;
		}
		assert_int_equal(out.events[out.nevents - 1].type, CT_EVENT_NEW);
	}
	assert_true(made > 500);
	assert_true(expired > 512 / 2); /* the others were new ones in the way */
	assert_int_equal(engine_stat(&e, CT_STAT_DESTROYED) - expired,
			 engine_stat(&e, CT_STAT_EARLY_DROPS));
	engine_close(&e);
}

static void check_destroyed(const struct ct_result *out, enum ct_death death)
{
	for (unsigned int k = 0; k + 1 < out->nevents; k++) {
		assert_int_equal(out->events[k].type, CT_EVENT_DESTROY);
		assert_int_equal(out->events[k].death, death);
		assert_false(out->events[k].status & CT_STATUS_ASSURED);
	}
}

/* Half of the table is ASSURED. A flood of new flows makes its own go, never those. */
static void test_early_drop(void **state)
{
	enum { FLOWS = 1024, FLOOD = 20000 };
	uint64_t destroyed = 0, dropped = 0;
	struct engine e;

	engine_open(&e, FLOWS);
	for (uint32_t i = 0; i < FLOWS / 2; i++)
		engine_assured(&e, i, SEC);
	for (uint32_t i = 0; i < FLOOD; i++) {
		struct ct_result out = udp(&e, MANY + i, 5 * SEC);

		assert_true(ct_count(e.th.ct) <= FLOWS);
		if (out.drop) {
			assert_int_equal(out.reason, CT_REASON_TABLE_FULL);
			dropped++;
			continue;
		}
		check_destroyed(&out, CT_DEATH_EARLY_DROP);
		destroyed += out.nevents - 1;
	}
	assert_true(destroyed > FLOOD / 2);
	assert_int_equal(engine_stat(&e, CT_STAT_EARLY_DROPS), destroyed);
	assert_int_equal(engine_stat(&e, CT_STAT_TABLE_FULL), dropped);
	assert_true(dropped < FLOOD / 100);
	for (uint32_t i = 0; i < FLOWS / 2; i++)
		assert_int_equal(engine_assured(&e, i, 6 * SEC).info, CT_INFO_ESTABLISHED);
	engine_close(&e);
}

/* A packet that found no room makes the clock walk through the table, once. */
static void test_clock_makes_room(void **state)
{
	enum { FLOWS = 200 };
	struct ct_event events[16];
	struct engine e;
	size_t ended = 0;
	struct pk p;
	bool more;

	engine_open(&e, FLOWS);
	for (uint32_t i = 0; i < FLOWS - 40; i++)
		engine_assured(&e, i, SEC);
	for (uint32_t i = 0; i < 40; i++) { /* closed connections: ASSURED, but on their way out */
		static const struct {
			bool reply;
			uint8_t flags;
			uint32_t seq, ack;
		} life[] = {{false, PK_SYN, 1, 0},	   {true, PK_SYN | PK_ACK, 1, 2},
			    {false, PK_ACK, 2, 2},	   {false, PK_FIN | PK_ACK, 2, 2},
			    {true, PK_FIN | PK_ACK, 2, 3}, {false, PK_ACK, 3, 3}};
		struct ct_result out = {};

		for (size_t k = 0; k < sizeof(life) / sizeof(life[0]); k++) {
			uint32_t src = life[k].reply ? 9 : MANY + i,
				 dst = life[k].reply ? MANY + i : 9;

			pk_tcp(&p, CT_AF_INET, src, dst, 80, 80, life[k].flags, life[k].seq,
			       life[k].ack);
			out = engine_track(&e, &p, 4 * SEC);
		}
		assert_true(out.status & CT_STATUS_ASSURED);
	}
	assert_int_equal(ct_expire(&e.th, 5 * SEC, events, 16, &more), 0);
	assert_true(udp(&e, 2 * MANY, 5 * SEC).drop); /* ASSURED all of them */
	do
		ended += ct_expire(&e.th, 5 * SEC, events, 16, &more);
	while (more);
	assert_int_equal(ended, FLOWS - (FLOWS * 95 / 100 - 1)); /* down to below 95 % */
	assert_int_equal(events[0].death, CT_DEATH_EARLY_DROP);
	assert_int_equal(events[0].orig.proto, 6);
	assert_int_equal(udp(&e, 2 * MANY, 5 * SEC).info, CT_INFO_NEW);
	assert_int_equal(ct_expire(&e.th, 5 * SEC, events, 16, &more), 0);
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
		cmocka_unit_test(test_ended_for_every_clock),
		cmocka_unit_test(test_expired_make_room),
		cmocka_unit_test(test_early_drop),
		cmocka_unit_test(test_clock_makes_room),
		cmocka_unit_test(test_unconfirmed_take_nothing),
		cmocka_unit_test(test_expiry_is_bounded),
	};

	return cmocka_run_group_tests_name("room", tests, NULL, NULL);
}
