/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Fragments that wait: who answers them, when they are given up, and for whom. */

#include "packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define DUE_MAX 256

struct wait {
	struct engine e;
	struct ct_fragment_due due[DUE_MAX];
};

/* A piece of eight bytes of datagram id, in queue, as packet number. */
static struct ct_result piece(struct wait *w, uint32_t id, uint32_t nth, uint16_t queue,
			      uint32_t number, uint64_t now_ns)
{
	struct pk whole, p;
	struct ct_input in;
	struct ct_result out;

	pk_udp(&whole, CT_AF_INET, 1, 2, 3000, 53);
	pk_fragment(&p, &whole, id, nth * 8, nth * 8 + 8, true);
	in = pk_input(&p, now_ns);
	in.queue = queue;
	in.id = number;
	memset(&out, 0xee, sizeof(out));
	ct_track(&w->e.th, &in, &out);
	return out;
}

static size_t due(struct wait *w, uint16_t queue, uint64_t now_ns)
{
	return ct_fragments_due(&w->e.th, queue, now_ns, w->due, DUE_MAX);
}

static struct wait *open_wait(uint32_t max, uint32_t max_held)
{
	static struct wait w;

	engine_open_fragments(&w.e, 64, max, max_held);
	return &w;
}

/* Each packet goes back to its own queue, in the order in which it came. */
static void test_queues(void **state)
{
	struct wait *w = open_wait(16, 16);

	for (uint32_t i = 1; i <= 6; i++)
		assert_true(piece(w, 1, i, i % 2 ? 7 : 300, 100 + i, SEC).held);
	assert_int_equal(due(w, 7, SEC), 0);
	assert_false(ct_fragments_wakes(&w->e.th, 300));
	assert_int_equal(piece(w, 1, 0, 9, 99, SEC).info, CT_INFO_NEW);
	assert_true(ct_fragments_wakes(&w->e.th, 300));
	assert_false(ct_fragments_wakes(&w->e.th, 300));
	assert_true(ct_fragments_wakes(&w->e.th, 7));
	assert_false(ct_fragments_wakes(&w->e.th, 9));
	assert_int_equal(due(w, 9, SEC), 0);
	assert_int_equal(due(w, 7 + 256, SEC), 0); /* shares the list, not the packets */
	assert_int_equal(due(w, 300, SEC), 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(w->due[i].id, 102 + 2 * i);
	assert_int_equal(ct_fragments_due(&w->e.th, 7, SEC, w->due, 2), 2);
	assert_int_equal(w->due[0].id, 101);
	assert_int_equal(ct_fragments_due(&w->e.th, 7, SEC, w->due, 2), 1);
	assert_int_equal(w->due[0].id, 105);
	assert_int_equal(engine_stat(&w->e, CT_STAT_PACKETS), 7);
	assert_int_equal(engine_stat(&w->e, CT_STAT_FRAGMENTS), 6);
	assert_int_equal(engine_stat(&w->e, CT_STAT_FRAGMENTS_HELD), 6);
	engine_close(&w->e);
}

/* The time counts from the piece that came first, and no later one renews it. */
static void test_timeout(void **state)
{
	struct wait *w = open_wait(16, 16);

	w->e.cfg.fragment_ns = 5 * SEC;
	piece(w, 1, 1, 0, 1, SEC);
	piece(w, 1, 2, 0, 2, 5 * SEC);
	piece(w, 2, 1, 1, 3, 3 * SEC);
	assert_int_equal(due(w, 0, 6 * SEC - 1), 0);
	assert_int_equal(due(w, 0, 6 * SEC), 2);
	assert_true(w->due[0].drop && w->due[0].has_event);
	assert_int_equal(w->due[0].event.type, CT_EVENT_INVALID);
	assert_int_equal(w->due[0].event.reason, CT_REASON_FRAGMENT_TIMEOUT);
	assert_int_equal(w->due[1].event.detail[0], 16);
	assert_int_equal(w->due[1].event.detail[1], 24);
	assert_int_equal(w->due[1].event.detail[2], 1);
	assert_int_equal(w->due[1].event.orig.proto, 17);
	/* whoever comes by ends what is over in all queues */
	assert_int_equal(due(w, 0, 8 * SEC), 0);
	assert_true(ct_fragments_wakes(&w->e.th, 1));
	assert_int_equal(due(w, 1, 8 * SEC), 1);
	assert_int_equal(w->due[0].id, 3);
	assert_false(ct_fragments_any(w->e.th.ct));
	engine_close(&w->e);
}

/* What comes when the time is up begins anew, even if nobody has looked at the clock. */
static void test_late_first(void **state)
{
	struct wait *w = open_wait(16, 16);

	piece(w, 1, 1, 0, 1, SEC);
	assert_int_equal(piece(w, 1, 0, 0, 2, 31 * SEC).info, CT_INFO_NEW);
	assert_int_equal(due(w, 0, 31 * SEC), 1);
	assert_int_equal(w->due[0].event.reason, CT_REASON_FRAGMENT_TIMEOUT);
	assert_int_equal(piece(w, 1, 1, 0, 3, 32 * SEC).info, CT_INFO_NEW);
	engine_close(&w->e);
}

/* A clock that went back by a little, as between threads, ends nothing. */
static void test_clock_of_another_thread(void **state)
{
	struct wait *w = open_wait(16, 16);

	piece(w, 1, 1, 0, 1, 2 * SEC);
	assert_int_equal(due(w, 0, SEC), 0);
	assert_true(piece(w, 1, 2, 0, 2, SEC).held);
	engine_close(&w->e);
}

/* Bytes [0, 16) of datagram 1, which overlap with what else there is of it. */
static struct ct_result overlap(struct wait *w)
{
	struct pk whole, p;

	pk_udp(&whole, CT_AF_INET, 1, 2, 3000, 53);
	pk_fragment(&p, &whole, 1, 0, 16, true);
	return engine_track(&w->e, &p, SEC);
}

/* Of which nothing has left can begin anew. */
static void test_given_up(void **state)
{
	struct wait *w = open_wait(16, 16);

	piece(w, 1, 1, 0, 1, SEC);
	assert_int_equal(overlap(w).reason, CT_REASON_FRAGMENT_OVERLAP);
	assert_int_equal(due(w, 0, SEC), 1);
	assert_int_equal(w->due[0].event.reason, CT_REASON_FRAGMENT_OVERLAP);
	assert_false(ct_fragments_any(w->e.th.ct));
	assert_true(piece(w, 1, 1, 0, 2, SEC).held);
	assert_int_equal(piece(w, 1, 0, 0, 3, SEC).info, CT_INFO_NEW);
	assert_int_equal(due(w, 0, SEC), 1);
	assert_false(w->due[0].drop);
	engine_close(&w->e);
}

/* Whose first fragment has left stays dead for its time, then its id is free. */
static void test_dead(void **state)
{
	struct wait *w = open_wait(16, 16);

	piece(w, 1, 0, 0, 1, SEC);
	assert_int_equal(overlap(w).reason, CT_REASON_FRAGMENT_OVERLAP);
	assert_int_equal(due(w, 0, SEC), 0);
	assert_true(piece(w, 1, 1, 0, 2, SEC).drop);
	assert_true(piece(w, 1, 0, 0, 2, 30 * SEC).drop);
	assert_int_equal(piece(w, 1, 0, 0, 2, 31 * SEC).info, CT_INFO_NEW);
	engine_close(&w->e);
}

/* Without room for one more datagram the oldest one has to go, complete or not. */
static void test_room_for_datagrams(void **state)
{
	struct wait *w = open_wait(4, 64);

	for (uint32_t id = 1; id <= 1000; id++) {
		assert_true(piece(w, id, 1, 0, id, SEC).held);
		if (id <= 4)
			continue;
		assert_int_equal(due(w, 0, SEC), 1);
		assert_int_equal(w->due[0].id, id - 4);
		assert_true(w->due[0].drop);
		assert_int_equal(w->due[0].event.reason, CT_REASON_FRAGMENT_LIMIT);
	}
	assert_int_equal(engine_stat(&w->e, CT_STAT_FRAGMENTS_EVICTED), 996);
	engine_close(&w->e);
}

/* Without room for one more packet that waits, the datagram that had to wait longest is given up.
 */
static void test_room_for_packets(void **state)
{
	struct wait *w = open_wait(64, 8);

	for (uint32_t i = 1; i <= 8; i++)
		assert_true(piece(w, i <= 4 ? 1 : 2, i, 0, i, SEC).held);
	assert_true(piece(w, 3, 1, 0, 9, SEC).held);
	assert_int_equal(due(w, 0, SEC), 4);
	assert_int_equal(w->due[0].event.reason, CT_REASON_FRAGMENT_LIMIT);
	/* the rest of that one does not come back to wait */
	assert_int_equal(piece(w, 1, 9, 0, 10, SEC).reason, CT_REASON_FRAGMENT_LIMIT);
	assert_int_equal(piece(w, 2, 0, 0, 11, SEC).info, CT_INFO_NEW);
	assert_int_equal(due(w, 0, SEC), 4);
	assert_false(w->due[0].drop);
	/* one datagram alone can have it all, and lose it all */
	for (uint32_t i = 1; i <= 8; i++)
		piece(w, 4, i, 0, i, SEC);
	assert_true(piece(w, 4, 9, 0, 12, SEC).drop);
	assert_int_equal(due(w, 0, SEC), 9);
	engine_close(&w->e);
}

/* Fewer may be allowed while more wait: these go, datagram by datagram; never more than have room.
 */
static void test_less_room(void **state)
{
	struct wait *w = open_wait(64, 8);

	for (uint32_t i = 1; i <= 8; i++)
		assert_true(piece(w, i <= 4 ? 1 : 2, i, 0, i, SEC).held);
	w->e.cfg.max_held = 2;
	assert_int_equal(piece(w, 3, 1, 0, 9, SEC).reason, CT_REASON_FRAGMENT_LIMIT);
	assert_int_equal(due(w, 0, SEC), 4);
	assert_true(piece(w, 4, 1, 0, 10, SEC).held);
	assert_int_equal(due(w, 0, SEC), 4);
	assert_true(piece(w, 4, 2, 0, 11, SEC).held);
	assert_int_equal(ct_fragments_held(w->e.th.ct), 2);
	assert_true(piece(w, 5, 1, 0, 12, SEC).held);
	assert_int_equal(due(w, 0, SEC), 2);
	w->e.cfg.max_held = 0;
	assert_true(piece(w, 6, 1, 0, 13, SEC).drop);
	w->e.cfg.max_held = 1000;
	(void)due(w, 0, SEC);
	for (uint32_t i = 1; i <= 20; i++)
		piece(w, 6 + i, 1, 0, 13 + i, SEC);
	(void)due(w, 0, SEC);
	assert_int_equal(ct_fragments_held(w->e.th.ct), 8);
	engine_close(&w->e);
}

/* A worker that does not come for its packets cannot make others run out of memory. */
static void test_nobody_comes(void **state)
{
	struct wait *w = open_wait(8, 8);
	size_t held = 0, n;

	for (uint32_t id = 1; id <= 1000; id++)
		held += piece(w, id, 1, 5, id, SEC).held;
	assert_true(held >= 8 && held < 100);
	n = due(w, 5, SEC);
	assert_int_equal(n + ct_fragments_release(&w->e.th, 5, SEC, w->due + n, DUE_MAX - n), held);
	assert_true(piece(w, 2000, 1, 5, 1, SEC).held);
	engine_close(&w->e);
}

/* A queue that is given up takes its packets along, INVALID, and leaves those of others. */
static void test_release(void **state)
{
	struct wait *w = open_wait(16, 16);

	for (uint32_t i = 1; i <= 6; i++)
		piece(w, 1 + i / 4, i, i % 2 ? 7 : 8, i, SEC);
	assert_int_equal(ct_fragments_release(&w->e.th, 7, SEC, w->due, 2), 2);
	assert_int_equal(ct_fragments_release(&w->e.th, 7, SEC, w->due + 2, 2), 1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(w->due[i].id, 1 + 2 * i);
		assert_int_equal(w->due[i].info, CT_INFO_INVALID);
		assert_int_equal(w->due[i].mark, 0xe);
		assert_false(w->due[i].drop);
		assert_int_equal(w->due[i].event.reason, CT_REASON_IP_FRAGMENT);
	}
	assert_int_equal(w->due[2].event.detail[0], 40);
	assert_int_equal(w->due[2].event.detail[1], 2);
	assert_int_equal(ct_fragments_release(&w->e.th, 7, SEC, w->due, 2), 0);
	assert_int_equal(piece(w, 1, 0, 7, 9, SEC).info, CT_INFO_NEW);
	assert_int_equal(due(w, 8, SEC), 1);
	assert_int_equal(ct_fragments_release(&w->e.th, 8, SEC, w->due, 4), 2);
	engine_close(&w->e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_queues),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_late_first),
		cmocka_unit_test(test_clock_of_another_thread),
		cmocka_unit_test(test_given_up),
		cmocka_unit_test(test_dead),
		cmocka_unit_test(test_room_for_datagrams),
		cmocka_unit_test(test_room_for_packets),
		cmocka_unit_test(test_less_room),
		cmocka_unit_test(test_nobody_comes),
		cmocka_unit_test(test_release),
	};

	return cmocka_run_group_tests_name("held", tests, NULL, NULL);
}
