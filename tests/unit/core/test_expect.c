/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The table of expectations: what is met, replaced, refused, forgotten (semantics 6.1, 6.2). */

#include "packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "core/helper/helper.h"
#include "core/table.h"

#define MAX 64 /* as engine_open() gives */

/* A master made by hand: only its slot and what is beside it matter here. */
static uint32_t master(struct engine *e)
{
	struct ct_flow f = {.helper = CT_HELPER_FTP, .orig = {.family = CT_AF_INET, .proto = 6}};

	return ct_arena_put(&e->th.ct->arena, &f, 0);
}

static struct ct_expect_spec spec(uint8_t dst, uint16_t port_be)
{
	struct ct_expect_spec s = {
		.tuple = {.family = CT_AF_INET, .proto = 6, .dst_id_be = port_be},
		.any_src_id = true,
		.timeout_ns = 10 * SEC,
	};

	s.tuple.src.b[0] = 1;
	s.tuple.dst.b[0] = dst;
	return s;
}

static struct ct_tuple packet(uint8_t src, uint16_t sport_be, uint8_t dst, uint16_t dport_be)
{
	struct ct_tuple t = {
		.family = CT_AF_INET, .proto = 6, .src_id_be = sport_be, .dst_id_be = dport_be};

	t.src.b[0] = src;
	t.dst.b[0] = dst;
	return t;
}

static enum ct_expect_error add(struct engine *e, uint32_t m, const struct ct_expect_spec *s,
				unsigned int max, uint64_t now_ns)
{
	return ct_expect_add(e->th.ct, m, s, max, now_ns);
}

static bool met(struct engine *e, struct ct_tuple t, uint64_t now_ns)
{
	struct ct_expect x;

	return ct_expect_meet(&e->th, &t, now_ns, &x);
}

static void test_met_once(void **state)
{
	struct ct_expect_spec s = spec(2, 20);
	struct ct_expect x;
	struct ct_tuple t = packet(1, 999, 2, 20), other;
	struct engine e;
	uint32_t m;

	engine_open(&e, 8);
	m = master(&e);
	assert_int_equal(add(&e, m, &s, 0, SEC), CT_EXPECT_OK);
	assert_int_equal(ct_expect_count(e.th.ct), 1);
	assert_false(met(&e, packet(9, 999, 2, 20), SEC)); /* from elsewhere */
	assert_false(met(&e, packet(1, 999, 3, 20), SEC));
	assert_false(met(&e, packet(1, 999, 2, 21), SEC));
	other = t;
	other.zone = 1;
	assert_false(met(&e, other, SEC));
	other = t;
	other.proto = 17;
	assert_false(met(&e, other, SEC));
	assert_true(ct_expect_meet(&e.th, &t, SEC, &x));
	assert_int_equal(x.master_id, ct_arena_id(&e.th.ct->arena, m));
	assert_false(met(&e, t, SEC));
	assert_int_equal(ct_expect_count(e.th.ct), 0);
	engine_close(&e);
}

static void test_masks(void **state)
{
	struct ct_expect_spec s = spec(2, 20);
	struct engine e;

	engine_open(&e, 8);
	s.any_src_id = false;
	s.tuple.src_id_be = 7;
	add(&e, master(&e), &s, 0, SEC);
	assert_false(met(&e, packet(1, 8, 2, 20), SEC));
	assert_true(met(&e, packet(1, 7, 2, 20), SEC));
	s.any_src = true;
	memset(&s.tuple.src, 0, sizeof(s.tuple.src));
	add(&e, master(&e), &s, 0, SEC);
	assert_false(met(&e, packet(200, 8, 2, 20), SEC));
	assert_true(met(&e, packet(200, 7, 2, 20), SEC));
	engine_close(&e);
}

static void test_permanent_and_inactive(void **state)
{
	struct ct_expect_spec s = spec(2, 20);
	struct ct_tuple t = packet(1, 5, 2, 20);
	struct engine e;

	engine_open(&e, 8);
	s.flags = CT_EXPECT_PERMANENT;
	add(&e, master(&e), &s, 0, SEC);
	for (int i = 0; i < 3; i++)
		assert_true(met(&e, t, SEC));
	assert_false(met(&e, t, 11 * SEC));
	s.flags |= CT_EXPECT_INACTIVE;
	add(&e, master(&e), &s, 0, 12 * SEC);
	assert_false(met(&e, t, 12 * SEC));
	assert_int_equal(ct_expect_count(e.th.ct), 1);
	engine_close(&e);
}

static void test_repeated_is_renewed(void **state)
{
	struct ct_expect_spec s = spec(2, 20);
	struct engine e;
	uint32_t m;

	engine_open(&e, 8);
	m = master(&e);
	add(&e, m, &s, 1, SEC);
	assert_int_equal(add(&e, m, &s, 1, 9 * SEC), CT_EXPECT_OK);
	assert_int_equal(ct_expect_count(e.th.ct), 1);
	assert_true(met(&e, packet(1, 5, 2, 20), 15 * SEC)); /* the timer was set anew */
	engine_close(&e);
}

static void test_refused(void **state)
{
	struct ct_expect_spec s = spec(2, 20), wide = s;
	struct engine e;
	uint32_t m, other;

	engine_open(&e, 8);
	m = master(&e);
	other = master(&e);
	add(&e, m, &s, 0, SEC);
	assert_int_equal(add(&e, other, &s, 0, SEC), CT_EXPECT_BUSY);
	s.skip_master = true;
	assert_int_equal(add(&e, other, &s, 0, SEC), CT_EXPECT_ALREADY);
	s.class = 1;
	s.skip_master = false;
	assert_int_equal(add(&e, m, &s, 0, SEC), CT_EXPECT_ALREADY);
	wide.any_src = true;
	memset(&wide.tuple.src, 0, sizeof(wide.tuple.src));
	assert_int_equal(add(&e, other, &wide, 0, SEC), CT_EXPECT_BUSY);
	assert_int_equal(add(&e, other, &wide, 0, 12 * SEC), CT_EXPECT_OK); /* expired */
	assert_int_equal(ct_expect_count(e.th.ct), 1);
	engine_close(&e);
}

static void test_oldest_makes_room(void **state)
{
	struct engine e;
	uint32_t m;

	engine_open(&e, 8);
	m = master(&e);
	for (uint16_t port = 1; port <= 5; port++) {
		struct ct_expect_spec s = spec(2, port);

		assert_int_equal(add(&e, m, &s, 2, SEC), CT_EXPECT_OK);
	}
	assert_int_equal(ct_expect_count(e.th.ct), 2);
	assert_false(met(&e, packet(1, 5, 2, 3), SEC));
	assert_true(met(&e, packet(1, 5, 2, 4), SEC));
	assert_true(met(&e, packet(1, 5, 2, 5), SEC));
	engine_close(&e);
}

static void test_table_is_bounded(void **state)
{
	struct ct_expect_spec s;
	struct engine e;
	uint32_t m;

	engine_open(&e, 8);
	m = master(&e);
	for (uint16_t port = 0; port < MAX; port++) {
		s = spec(2, port);
		assert_int_equal(add(&e, m, &s, 0, SEC), CT_EXPECT_OK);
	}
	s = spec(2, MAX);
	assert_int_equal(add(&e, m, &s, 0, SEC), CT_EXPECT_FULL);
	ct_expect_expire(e.th.ct, 12 * SEC);
	assert_int_equal(ct_expect_count(e.th.ct), 0);
	assert_int_equal(add(&e, m, &s, 0, 12 * SEC), CT_EXPECT_OK);
	engine_close(&e);
}

/* One client who asks many servers cannot make the table a list; nobody else is concerned. */
static void test_one_place_is_bounded(void **state)
{
	unsigned int made = 0;
	struct ct_expect_spec s;
	struct engine e;
	uint32_t m;

	engine_open(&e, 8);
	m = master(&e);
	for (uint8_t server = 0; server < MAX; server++) {
		s = spec(2, 20);
		s.tuple.src.b[0] = server;
		made += add(&e, m, &s, 0, SEC) == CT_EXPECT_OK;
	}
	assert_int_equal(made, 32);
	s = spec(3, 20);
	assert_int_equal(add(&e, m, &s, 0, SEC), CT_EXPECT_OK);
	s = spec(2, 20);
	s.tuple.src.b[0] = 99;
	assert_int_equal(add(&e, m, &s, 0, 12 * SEC), CT_EXPECT_OK); /* the others have expired */
	engine_close(&e);
}

static void test_dies_with_master(void **state)
{
	struct engine e;
	uint32_t m[2];

	engine_open(&e, 8);
	for (int i = 0; i < 2; i++) {
		m[i] = master(&e);
		for (uint16_t port = 0; port < 4; port++) {
			struct ct_expect_spec s = spec((uint8_t)(2 + i), port);

			add(&e, m[i], &s, 0, SEC);
		}
	}
	ct_expect_forget(e.th.ct, m[0]);
	assert_int_equal(ct_expect_count(e.th.ct), 4);
	assert_false(met(&e, packet(1, 5, 2, 1), SEC));
	assert_true(met(&e, packet(1, 5, 3, 1), SEC));
	engine_close(&e);
}

/* The two directions of one flow: whichever comes first, the other is not waited for any more. */
static void test_pair(void **state)
{
	struct engine e;

	engine_open(&e, 8);
	for (int i = 0; i < 2; i++) {
		struct ct_expect_spec a = {
			.tuple = packet(1, 10, 2, 20), .flags = CT_EXPECT_PAIR, .timeout_ns = SEC};
		struct ct_expect_spec b = a;
		uint32_t m = master(&e);

		b.tuple = packet(2, 20, 1, 10);
		add(&e, m, &a, 2, SEC);
		add(&e, m, &b, 2, SEC);
		assert_int_equal(ct_expect_count(e.th.ct), 2);
		assert_true(met(&e, i ? b.tuple : a.tuple, SEC));
		assert_int_equal(ct_expect_count(e.th.ct), 0);
	}
	engine_close(&e);
}

static bool only_class_one(struct ct_expect *e, void *ctx, bool *remove)
{
	*(int *)ctx += 1;
	*remove = e->class == 1;
	return true;
}

static void test_each(void **state)
{
	struct engine e;
	uint32_t m;
	int seen = 0;

	engine_open(&e, 8);
	m = master(&e);
	for (uint16_t port = 0; port < 6; port++) {
		struct ct_expect_spec s = spec(2, port);

		s.class = port % 2;
		add(&e, m, &s, 0, SEC);
	}
	ct_expect_each(e.th.ct, m, SEC, only_class_one, &seen);
	assert_int_equal(seen, 6);
	assert_int_equal(ct_expect_count(e.th.ct), 3);
	assert_false(met(&e, packet(1, 5, 2, 3), SEC));
	assert_true(met(&e, packet(1, 5, 2, 2), SEC));
	engine_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_met_once),
		cmocka_unit_test(test_masks),
		cmocka_unit_test(test_permanent_and_inactive),
		cmocka_unit_test(test_repeated_is_renewed),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_oldest_makes_room),
		cmocka_unit_test(test_table_is_bounded),
		cmocka_unit_test(test_one_place_is_bounded),
		cmocka_unit_test(test_dies_with_master),
		cmocka_unit_test(test_pair),
		cmocka_unit_test(test_each),
	};

	return cmocka_run_group_tests_name("expect", tests, NULL, NULL);
}
