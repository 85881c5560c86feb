/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The table's limits: how large, how full, and what happens to slots and ids that come back. */

#include "packet.h"

#include "core/flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const uint8_t key[16];

static struct ct_result udp(struct engine *e, uint32_t host, uint64_t now_ns)
{
	struct pk p;

	pk_udp(&p, CT_AF_INET, host, 0xffffff, 1000, 53);
	return engine_track(e, &p, now_ns);
}

static void test_new_refuses(void **state)
{
	struct ct_params params = {.max_flows = 4, .max_expect = 4, .key = key};
	size_t size = ct_arena_size(&params);
	void *arena = aligned_alloc(4096, size);

	assert_non_null(arena);
	memset(arena, 0, size);
	assert_null(ct_new(arena, size - 1, &params));
	params.max_flows = 0;
	assert_null(ct_new(arena, size, &params));
	params.max_flows = CT_FLOWS_MAX + 1;
	assert_null(ct_new(arena, SIZE_MAX, &params));
	params.max_flows = 4;
	params.max_expect = CT_EXPECT_MAX + 1;
	assert_null(ct_new(arena, SIZE_MAX, &params));
	assert_null(ct_free(NULL));
	free(arena);
}

/* DESIGN: a flow takes at most 192 bytes, of which four or eight are index. */
static void test_size(void **state)
{
	size_t last = 0;

	assert_true(sizeof(struct ct_flow) <= 184);
	for (uint32_t n = 1; n < 100000; n = n * 3 + 1) {
		size_t size = ct_arena_size(&(struct ct_params){.max_flows = n});

		assert_int_equal(size % 4096, 0);
		assert_true(size <=
			    n * (sizeof(struct ct_flow) + sizeof(struct ct_kin)) + 7 * 4096);
		assert_true(size >= last);
		last = size;
	}
	assert_true(ct_arena_size(&(struct ct_params){.max_flows = CT_FLOWS_MAX}) >
		    CT_FLOWS_MAX * 100ull);
}

static void check_full(struct engine *e, uint32_t max, uint64_t now_ns)
{
	struct ct_result out = udp(e, 0x10000, now_ns);

	assert_true(out.drop);
	assert_false(out.has_flow);
	assert_int_equal(out.reason, CT_REASON_TABLE_FULL);
	assert_int_equal(ct_count(e->th.ct), max);
}

static void test_full(void **state)
{
	static const uint32_t sizes[] = {1, 2, 63, 64, 65, 1000};
	struct engine e;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		engine_open(&e, sizes[i]);
		assert_int_equal(ct_max_flows(e.th.ct), sizes[i]);
		for (uint32_t n = 0; n < sizes[i]; n++) {
			assert_int_equal(engine_assured(&e, n, SEC).status,
					 CT_STATUS_CONFIRMED | CT_STATUS_SEEN_REPLY |
						 CT_STATUS_ASSURED);
			assert_int_equal(ct_count(e.th.ct), n + 1);
		}
		check_full(&e, sizes[i], 5 * SEC);
		/* flows that are there go on */
		assert_true(udp(&e, 0, 20 * SEC).has_flow);
		check_full(&e, sizes[i], 20 * SEC);
		assert_int_equal(engine_stat(&e, CT_STAT_TABLE_FULL), 2);
		engine_close(&e);
	}
}

/*
 * What fails by itself is dropped for a full table too, since its flow would have been made first;
 * ICMP is judged before that, and what belongs to a flow does not need room.
 */
static void test_full_and_broken(void **state)
{
	struct ct_result out;
	struct engine e;
	struct pk p;

	engine_open(&e, 1);
	engine_assured(&e, 1, SEC);
	pk_udp(&p, CT_AF_INET, 2, 0xffffff, 1000, 53);
	p.b[p.len - 1] ^= 1;
	out = engine_track(&e, &p, SEC);
	assert_true(out.drop);
	assert_int_equal(out.reason, CT_REASON_TABLE_FULL);
	pk_icmp(&p, CT_AF_INET, 1, 2, 8, 0, 1, NULL);
	p.b[p.len - 1] ^= 1;
	out = engine_track(&e, &p, SEC);
	assert_false(out.drop);
	assert_int_equal(out.reason, CT_REASON_CHECKSUM);
	pk_udp(&p, CT_AF_INET, 1, 0xffffff, 1000, 53);
	p.b[p.len - 1] ^= 1;
	out = engine_track(&e, &p, SEC);
	assert_int_equal(out.reason, CT_REASON_CHECKSUM);
	assert_true(out.has_flow && !out.drop);
	out = engine_track(&e, &p, 200 * SEC); /* the flow in the way has expired */
	assert_false(out.has_flow || out.drop);
	assert_int_equal(out.nevents, 2);
	assert_int_equal(out.events[0].type, CT_EVENT_DESTROY);
	assert_int_equal(out.events[1].type, CT_EVENT_INVALID);
	engine_close(&e);
}

static size_t expire_all(struct engine *e, uint64_t now_ns)
{
	struct ct_event events[7];
	size_t total = 0, n;

	do {
		n = ct_expire(&e->th, now_ns, events, 7, NULL);
		total += n;
	} while (n == 7);
	return total;
}

/* Room comes back with expiry, and no id is ever given out twice. */
static void test_reuse(void **state)
{
	enum { FLOWS = 16, ROUNDS = 200 };
	static uint64_t ids[FLOWS * ROUNDS];
	struct engine e;
	size_t nids = 0;

	engine_open(&e, FLOWS);
	for (uint32_t round = 0; round < ROUNDS; round++) {
		uint64_t now_ns = (1 + round * 100ull) * SEC;

		for (uint32_t n = 0; n < FLOWS; n++) {
			struct ct_result out = udp(&e, round * FLOWS + n, now_ns);

			assert_int_equal(out.nevents, 1);
			assert_int_equal(out.events[0].type, CT_EVENT_NEW);
			assert_int_equal(out.events[0].flow, out.flow);
			assert_int_not_equal(out.flow, 0);
			for (size_t i = 0; i < nids; i++)
				assert_true(ids[i] != out.flow);
			ids[nids++] = out.flow;
		}
		assert_int_equal(expire_all(&e, now_ns + 29 * SEC), 0);
		assert_int_equal(expire_all(&e, now_ns + 32 * SEC), FLOWS);
		assert_int_equal(ct_count(e.th.ct), 0);
	}
	assert_int_equal(engine_stat(&e, CT_STAT_CREATED), FLOWS * ROUNDS);
	assert_int_equal(engine_stat(&e, CT_STAT_DESTROYED), FLOWS * ROUNDS);
	engine_close(&e);
}

/* A full table of expired flows is not full for them, before anybody looked at the clock. */
static void test_expired_is_gone(void **state)
{
	struct ct_result out;
	struct engine e;

	engine_open(&e, 1);
	udp(&e, 1, SEC);
	out = udp(&e, 1, 100 * SEC);
	assert_int_equal(out.info, CT_INFO_NEW);
	assert_int_equal(out.nevents, 2);
	assert_int_equal(out.events[0].type, CT_EVENT_DESTROY);
	assert_int_equal(out.events[0].death, CT_DEATH_TIMEOUT);
	assert_int_equal(out.events[1].type, CT_EVENT_NEW);
	assert_true(out.events[0].flow != out.events[1].flow);
	assert_int_equal(ct_count(e.th.ct), 1);
	engine_close(&e);
}

/* Two tables of the same size and secret do not share ids if their salts differ. */
static void test_salt(void **state)
{
	struct ct_config cfg;
	uint64_t id[2];

	ct_config_init(&cfg);
	for (uint64_t salt = 0; salt < 2; salt++) {
		const struct ct_params params = {.max_flows = 8, .key = key, .id_salt = salt << 40};
		size_t size = ct_arena_size(&params);
		void *arena = aligned_alloc(4096, size);
		struct ct_thread th = {.cfg = &cfg};
		struct ct_input in;
		struct ct_result out;
		struct pk p;

		assert_non_null(arena);
		memset(arena, 0, size);
		th.ct = ct_new(arena, size, &params);
		pk_udp(&p, CT_AF_INET, 1, 2, 3, 4);
		in = pk_input(&p, SEC);
		ct_track(&th, &in, &out);
		id[salt] = out.flow;
		ct_free(th.ct);
		free(arena);
	}
	assert_true(id[0] != id[1]);
}

/* How much of the arena has been touched grows with the flows, and not back. */
static void test_reach(void **state)
{
	struct engine e;
	size_t before, full;

	engine_open(&e, 64);
	before = ct_arena_reach(e.th.ct);
	for (uint32_t i = 1; i <= 64; i++)
		udp(&e, i, 0);
	full = ct_arena_reach(e.th.ct);
	assert_int_equal(full - before, 64 * sizeof(struct ct_flow));
	assert_true(full <= ct_arena_size(&(struct ct_params){.max_flows = 64}));
	ct_expire(&e.th, 100 * SEC, (struct ct_event[64]){}, 64, NULL);
	assert_int_equal(ct_count(e.th.ct), 0);
	assert_int_equal(ct_arena_reach(e.th.ct), full);
	engine_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reach),
		cmocka_unit_test(test_new_refuses),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_full_and_broken),
		cmocka_unit_test(test_reuse),
		cmocka_unit_test(test_expired_is_gone),
		cmocka_unit_test(test_salt),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
