/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A table that somebody has left behind: what is taken over, what is given up, what is put back. */

#include "will.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "core/helper/expect.h"
#include "core/tcp.h"
#include "core/traced.h"

#define FLOWS 200

/* --- all is well ----------------------------------------------------------------------------- */

static void test_flows_live_on(void **state)
{
	uint64_t udp_id[FLOWS], tcp_id[FLOWS];
	struct will w;

	will_open(&w, 2 * FLOWS);
	for (uint32_t i = 0; i < FLOWS; i++) {
		udp_id[i] = will_udp(&w.dead, 1 + i, false, NOW).flow;
		if (i % 2)
			will_udp(&w.dead, 1 + i, true, NOW);
		tcp_id[i] = will_handshake(&w.dead, 1 + i, NOW).flow;
	}
	will_adopt(&w);
	assert_int_equal(w.done.flows, 2 * FLOWS);
	assert_int_equal(w.done.damaged + w.done.displaced + w.done.moved + w.done.restored, 0);
	assert_int_equal(ct_count(w.heir.th.ct), 2 * FLOWS);
	for (uint32_t i = 0; i < FLOWS; i++) {
		struct ct_result r = will_udp(&w.heir, 1 + i, false, NOW + SEC);

		assert_int_equal(r.info, i % 2 ? CT_INFO_ESTABLISHED : CT_INFO_NEW);
		assert_true(r.flow == udp_id[i]);
		r = will_tcp(&w.heir, 1 + i, true, PK_ACK, 500, 100, NOW + SEC);
		assert_int_equal(r.info, CT_INFO_ESTABLISHED_REPLY);
		assert_true(r.flow == tcp_id[i] && r.status & CT_STATUS_ASSURED);
	}
	assert_int_equal(ct_count(w.heir.th.ct), 2 * FLOWS);
	will_close(&w);
}

/* Deadlines are those of before: what was due meanwhile ends, with its record, and at once. */
static void test_deadlines_stay(void **state)
{
	struct ct_event events[8];
	struct will w;

	will_open(&w, 64);
	will_udp(&w.dead, 1, false, NOW - 40 * SEC);
	will_udp(&w.dead, 2, false, NOW - 20 * SEC);
	will_adopt(&w);
	assert_int_equal(w.done.flows, 2);
	assert_int_equal(ct_expire(&w.heir.th, NOW + SEC, events, 8, NULL), 1);
	assert_int_equal(events[0].death, CT_DEATH_TIMEOUT);
	assert_int_equal(ct_expire(&w.heir.th, NOW + 9 * SEC, events, 8, NULL), 0);
	assert_int_equal(ct_expire(&w.heir.th, NOW + 11 * SEC, events, 8, NULL), 1);
	assert_int_equal(ct_count(w.heir.th.ct), 0);
	will_close(&w);
}

static void far_off(struct will *w, bool relaxed)
{
	const uint32_t far = 100000000;
	struct ct_result r;

	r = will_tcp(&w->heir, 1, false, PK_ACK, 100 + far, 500 + far, NOW);
	assert_int_equal(r.info, relaxed ? CT_INFO_ESTABLISHED : CT_INFO_INVALID);
	r = will_tcp(&w->heir, 1, true, PK_ACK, 500 + far, 100 + far, NOW);
	assert_int_equal(r.info, relaxed ? CT_INFO_ESTABLISHED_REPLY : CT_INFO_INVALID);
}

/* Nothing has passed: the window is what it was. */
static void test_windows_stay(void **state)
{
	struct will w;

	will_open(&w, 64);
	will_handshake(&w.dead, 1, NOW);
	will_adopt(&w);
	far_off(&w, false);
	assert_int_equal(will_tcp(&w.heir, 1, false, PK_ACK, 100, 500, NOW).info,
			 CT_INFO_ESTABLISHED);
	will_close(&w);
}

/*
 * Something may have: the next packet of each side says what its window is, be it far off, and one
 * that is ahead of that is not INVALID.
 */
static void test_windows_are_learned_anew(void **state)
{
	struct will w;

	will_open(&w, 64);
	will_handshake(&w.dead, 1, NOW);
	will_tcp(&w.dead, 2, false, PK_SYN, 99, 0, NOW);
	will_udp(&w.dead, 3, false, NOW);
	will_adopt(&w);
	assert_int_equal(ct_relax(w.heir.th.ct), 1);
	far_off(&w, true);
	assert_int_equal(will_tcp(&w.heir, 1, false, PK_ACK, 300000000, 500, NOW).info,
			 CT_INFO_ESTABLISHED);
	will_close(&w);
}

/* Free slots are used again, and nobody gets an id that somebody had. */
static void test_slots_and_ids_go_on(void **state)
{
	uint64_t ids[3 * 64];
	size_t n = 0;
	struct will w;

	will_open(&w, 64);
	for (uint32_t i = 0; i < 64; i++)
		ids[n++] = will_udp(&w.dead, 1 + i, false, i % 2 ? NOW : NOW - 60 * SEC).flow;
	will_adopt(&w);
	ct_expire(&w.heir.th, NOW + SEC, (struct ct_event[64]){}, 64, NULL);
	assert_int_equal(ct_count(w.heir.th.ct), 32);
	for (uint32_t i = 0; i < 32; i++)
		ids[n++] = will_udp(&w.heir, 1000 + i, false, NOW + SEC).flow;
	assert_int_equal(ct_count(w.heir.th.ct), 64);
	assert_int_equal(engine_stat(&w.heir, CT_STAT_EARLY_DROPS), 0);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			assert_true(ids[i] != ids[j]);
	will_close(&w);
}

static void test_confirmation_goes_on(void **state)
{
	struct ct_result r;
	struct ct_input in;
	struct will w;
	struct pk p;

	will_open(&w, 64);
	pk_udp(&p, CT_AF_INET, 1, SERVER, 1000, 53);
	in = pk_input(&p, NOW);
	in.hook = CT_HOOK_POSTROUTING;
	in.mark = 0x8;
	ct_track(&w.dead.th, &in, &r); /* from now on flows are confirmed there */
	r = will_udp(&w.dead, 1, false, NOW);
	assert_int_equal(r.status & CT_STATUS_CONFIRMED, 0);
	will_adopt(&w);
	assert_int_equal(w.done.flows, 1);
	assert_true(ct_confirms_at_exit(w.heir.th.ct, &w.heir.cfg));
	in.mark = r.mark;
	ct_track(&w.heir.th, &in, &r);
	assert_int_equal(r.nevents, 1);
	assert_int_equal(r.events[0].type, CT_EVENT_NEW);
	assert_true(r.status & CT_STATUS_CONFIRMED);
	will_close(&w);
}

static void test_expectations_are_met(void **state)
{
	const struct ct_expect_spec spec = {
		.tuple = {.src_id_be = 0, .family = CT_AF_INET, .proto = CT_PROTO_UDP},
		.any_src = true,
		.any_src_id = true,
		.timeout_ns = 100 * SEC,
	};
	struct ct_expect_spec s = spec;
	struct ct_result r;
	uint64_t master;
	struct will w;

	will_open(&w, 64);
	w.dead.cfg.helper_ports[0] = (struct ct_helper_port){.port = 53, .helper = CT_HELPER_TFTP};
	w.dead.cfg.nhelper_ports = 1;
	master = will_udp(&w.dead, 1, false, NOW).flow;
	for (uint16_t port = 1; port <= 3; port++) {
		s.tuple.dst_id_be = (uint16_t)(port << 8);
		s.tuple.dst.b[0] = 10;
		s.tuple.dst.b[3] = 2;
		assert_int_equal(ct_expect_add(w.dead.th.ct, 1, &s, 0, NOW), CT_EXPECT_OK);
	}
	will_leave(&w);
	will_adopt(&w);
	assert_int_equal(w.done.expects, 3);
	assert_int_equal(w.done.expects_lost, 0);
	for (uint16_t port = 1; port <= 3; port++) {
		struct pk p;

		pk_udp(&p, CT_AF_INET, 1, 2, 7, port);
		r = engine_track(&w.heir, &p, NOW + SEC);
		assert_int_equal(r.info, CT_INFO_RELATED);
		assert_true(r.events[0].master == master);
	}
	assert_int_equal(ct_expect_count(w.heir.th.ct), 0);
	will_close(&w);
}

static struct ct_result fragment(struct engine *e, uint32_t id, uint32_t start, uint64_t now_ns)
{
	struct pk whole, p;

	pk_udp(&whole, CT_AF_INET, 1, SERVER, 1000, 53);
	pk_fragment(&p, &whole, id, start, start + 8, start < 16);
	return engine_track(e, &p, now_ns);
}

/* The class of a datagram whose first fragment came to the dead one; in time, and in any order. */
static void fragments_go_on(uint32_t max_fragmented)
{
	struct ct_result r;
	struct will w;

	will_open(&w, 64);
	for (uint32_t id = 1; id <= 3; id++)
		fragment(&w.dead, id, 8, NOW); /* they wait */
	fragment(&w.dead, 1, 0, NOW);
	fragment(&w.dead, 2, 0, NOW);
	fragment(&w.dead, 4, 0, NOW - 29 * SEC);
	w.params.max_fragmented = max_fragmented;
	will_adopt(&w);
	r = fragment(&w.heir, 2, 16, NOW);
	assert_int_equal(r.info, CT_INFO_NEW);
	assert_false(r.held || r.drop);
	assert_int_equal(fragment(&w.heir, 1, 16, NOW).info, CT_INFO_NEW);
	assert_true(fragment(&w.heir, 3, 8, NOW).held); /* it has come again */
	assert_true(fragment(&w.heir, 4, 8, NOW + 2 * SEC).held);
	will_close(&w);
}

static uint64_t bytes_of(const struct engine *e)
{
	return e->th.ct->arena.slots[1].bytes[CT_DIR_ORIGINAL];
}

/*
 * Those that waited had their class, but nobody had given it to them: they come again and get it,
 * of a datagram that was whole by then or not. They have been counted.
 */
static void test_fragments_come_again(void **state)
{
	uint64_t bytes;
	struct will w;

	will_open(&w, 64);
	for (uint32_t id = 1; id <= 2; id++) {
		assert_true(fragment(&w.dead, id, 8, NOW).held);
		assert_true(id == 2 || fragment(&w.dead, id, 16, NOW).held);
		fragment(&w.dead, id, 0, NOW);
	}
	bytes = bytes_of(&w.dead);
	will_adopt(&w);
	for (uint32_t id = 1; id <= 2; id++) {
		for (uint32_t start = 8; start <= (id == 1 ? 16 : 8); start += 8) {
			struct ct_result r = fragment(&w.heir, id, start, NOW);

			assert_int_equal(r.info, CT_INFO_NEW);
			assert_false(r.held || r.drop);
		}
	}
	assert_int_equal(bytes_of(&w.heir), bytes);
	assert_int_equal(fragment(&w.heir, 2, 16, NOW).info, CT_INFO_NEW);
	assert_int_equal(bytes_of(&w.heir), bytes + 8);
	will_close(&w);
}

static void test_fragments_go_on(void **state)
{
	fragments_go_on(8);
	fragments_go_on(20);
}

/* --- a thread died at work ----------------------------------------------------------------------
 */

static void test_flow_is_put_back(void **state)
{
	struct ct_trace *t;
	struct ct_flow *f;
	struct will w;

	will_open(&w, 64);
	will_udp(&w.dead, 1, false, NOW);
	will_udp(&w.dead, 2, false, NOW);
	will_leave(&w);
	t = &w.dead.th.trace;
	f = will_flow(&w, 2);
	t->flow = 2;
	t->salt = 42;
	memcpy(t->saved, (uint8_t *)f + CT_TRACE_FROM, sizeof(t->saved));
	atomic_store(&t->phase, CT_TRACE_BUSY);
	f->life = CT_LIFE_CHANGING;
	f->status = 0xffff;
	f->packets[0] = 77;
	will_adopt(&w);
	assert_int_equal(w.done.flows, 2);
	assert_int_equal(w.done.restored, 1);
	assert_int_equal(w.done.damaged, 0);
	assert_int_equal(will_flow(&w, 2)->packets[0], 1);
	assert_int_equal(atomic_load(&t->phase), CT_TRACE_NONE);
	assert_int_equal(will_udp(&w.heir, 2, true, NOW).info, CT_INFO_ESTABLISHED_REPLY);
	will_close(&w);
}

/* A trace of another table, or of a flow that was just being made. */
static void test_trace_that_restores_nothing(void **state)
{
	struct ct_trace *t;
	struct will w;

	will_open(&w, 64);
	will_udp(&w.dead, 1, false, NOW);
	will_leave(&w);
	t = &w.dead.th.trace;
	t->flow = 1;
	t->salt = 43;
	memset(t->saved, 0xff, sizeof(t->saved));
	atomic_store(&t->phase, CT_TRACE_BUSY);
	will_adopt(&w);
	assert_int_equal(w.done.flows, 1);
	assert_int_equal(w.done.restored, 0);
	will_close(&w);

	will_open(&w, 64);
	will_udp(&w.dead, 1, false, NOW);
	will_leave(&w);
	t = &w.dead.th.trace;
	t->flow = 1;
	t->salt = 42;
	memset(t->saved, 0, sizeof(t->saved));
	atomic_store(&t->phase, CT_TRACE_BUSY);
	will_adopt(&w);
	assert_int_equal(w.done.flows + w.done.restored + w.done.damaged, 0);
	assert_int_equal(will_udp(&w.heir, 1, true, NOW).info, CT_INFO_NEW);
	will_close(&w);
}

static void test_result_is_recalled(void **state)
{
	struct ct_input in;
	struct ct_result r, again;
	struct will w;
	struct pk p;

	will_open(&w, 64);
	pk_udp(&p, CT_AF_INET, 1, SERVER, 1000, 53);
	will_udp(&w.dead, 1, false, NOW);
	pk_udp(&p, CT_AF_INET, SERVER, 1, 53, 1000);
	in = pk_input(&p, NOW);
	in.id = 77;
	in.queue = 3;
	in.mark = 0x100;
	ct_track(&w.dead.th, &in, &r);
	assert_true(ct_recall(&w.dead.th, &in, &again));
	assert_int_equal(again.info, CT_INFO_ESTABLISHED_REPLY);
	assert_int_equal(again.mark, 0x10b);
	assert_int_equal(again.nevents, 0);
	assert_false(again.drop || again.held || again.passed);
	in.id = 78;
	assert_false(ct_recall(&w.dead.th, &in, &again));
	in.id = 77;
	in.queue = 2;
	assert_false(ct_recall(&w.dead.th, &in, &again));
	will_close(&w);
}

/* --- damage ------------------------------------------------------------------------------------
 */

struct damage {
	const char *name;
	size_t offset, size;
	uint64_t value;
};

#define AT(field, number)                                                                          \
	{                                                                                          \
#field, offsetof(struct ct_flow, field), sizeof(((struct ct_flow *)0)->field),     \
			number                                                                     \
	}

/* Entry 1 is UDP, 2 is TCP; each is damaged alone and goes alone. */
static void damaged(const struct damage *d, uint32_t slot)
{
	struct will w;

	will_open(&w, 64);
	will_udp(&w.dead, 1, false, NOW);
	will_handshake(&w.dead, 2, NOW);
	will_udp(&w.dead, 3, false, NOW);
	will_leave(&w);
	memcpy((uint8_t *)will_flow(&w, slot) + d->offset, &d->value, d->size);
	will_adopt(&w);
	if (w.done.flows != 2 || w.done.damaged != 1)
		fail_msg("%s of entry %u", d->name, slot);
	assert_int_equal(ct_count(w.heir.th.ct), 2);
	assert_int_equal(will_udp(&w.heir, 3, true, NOW).info, CT_INFO_ESTABLISHED_REPLY);
	will_close(&w);
}

static void test_damaged_entry_goes_alone(void **state)
{
	static const struct damage any[] = {
		AT(life, CT_LIFE_CHANGING),
		AT(life, 7),
		AT(orig.family, 3),
		AT(status, 0x4008),

		AT(status, CT_STATUS_ASSURED),
		AT(helper, CT_HELPER_MAX),
		AT(death, CT_DEATH_MAX),
		AT(state, 200),
		AT(expires_ns, UINT64_MAX),
		AT(lifetime_ns, UINT64_MAX),
	};
	static const struct damage tcp_only[] = {
		AT(state, 0),
		AT(l4.tcp.scale[1], 15),
		AT(l4.tcp.last_dir, 2),
		AT(l4.tcp.last_index, CT_TCP_INDEX_MAX),
	};
	static const struct damage udp_only[] = {AT(state, 1), AT(orig.src.w[2], 1)};

	for (size_t i = 0; i < sizeof(any) / sizeof(any[0]); i++) {
		damaged(&any[i], 1);
		damaged(&any[i], 2);
	}
	for (size_t i = 0; i < sizeof(tcp_only) / sizeof(tcp_only[0]); i++)
		damaged(&tcp_only[i], 2);
	for (size_t i = 0; i < sizeof(udp_only) / sizeof(udp_only[0]); i++)
		damaged(&udp_only[i], 1);
}

static void test_second_of_a_pair_is_damaged(void **state)
{
	struct will w;

	will_open(&w, 64);
	will_udp(&w.dead, 1, false, NOW);
	will_udp(&w.dead, 2, false, NOW);
	will_leave(&w);
	will_flow(&w, 2)->orig = will_flow(&w, 1)->orig;
	will_adopt(&w);
	assert_int_equal(w.done.flows, 1);
	assert_int_equal(w.done.damaged, 1);
	will_close(&w);
}

/* Any bytes: what is taken over can be used, and nothing else happens. */
static void test_noise(void **state)
{
	uint64_t seed = 1;

	for (int round = 0; round < 300; round++) {
		struct ct_arena_part parts[CT_ARENA_PARTS];
		struct will w;

		will_open(&w, 128);
		for (uint32_t i = 0; i < 60; i++) {
			will_udp(&w.dead, 1 + i, false, NOW);
			will_handshake(&w.dead, 1 + i, NOW);
		}
		will_leave(&w);
		ct_arena_parts(w.left, parts);
		for (int i = 0; i < 40; i++) {
			const struct ct_arena_part *p = &parts[1 + dice(&seed) % 4];

			((uint8_t *)w.left)[p->offset + dice(&seed) % p->len] =
				(uint8_t)dice(&seed);
		}
		w.params.max_flows = round % 3 ? 128 : 64 + (uint32_t)round;
		will_adopt(&w);
		for (uint32_t i = 0; i < 60; i++) {
			will_udp(&w.heir, 1 + i, true, NOW);
			will_tcp(&w.heir, 1 + i, true, PK_ACK, 500, 100, NOW);
		}
		ct_expire(&w.heir.th, NOW + 1000000 * SEC, (struct ct_event[256]){}, 256, NULL);
		will_close(&w);
	}
}

static void test_headers(void **state)
{
	struct ct_arena_facts facts;
	struct ct_arena_header *h;
	struct will w;

	will_open(&w, 64);
	will_udp(&w.dead, 1, false, NOW);
	will_leave(&w);
	h = w.left;
	assert_int_equal(ct_arena_read(h, will_size(&w), &facts), CT_ARENA_OK);
	assert_int_equal(facts.max_flows, 64);
	assert_int_equal(facts.high, 1);
	assert_int_equal(facts.size, will_size(&w));
	assert_int_equal(ct_arena_read(h, will_size(&w) - 1, &facts), CT_ARENA_DAMAGED);
	assert_int_equal(ct_arena_read(h, 4095, &facts), CT_ARENA_FOREIGN);
	h->high = 65;
	assert_int_equal(ct_arena_read(h, will_size(&w), &facts), CT_ARENA_DAMAGED);
	h->high = 1;
	h->layout++;
	assert_int_equal(ct_arena_read(h, will_size(&w), &facts), CT_ARENA_LAYOUT);
	h->layout--;
	h->entry_size++;
	assert_int_equal(ct_arena_read(h, will_size(&w), &facts), CT_ARENA_LAYOUT);
	h->entry_size--;
	h->magic++;
	assert_int_equal(ct_arena_read(h, will_size(&w), &facts), CT_ARENA_FOREIGN);
	h->magic--;
	w.params.max_flows = 0;
	assert_null(ct_adopt(w.left, will_size(&w), &w.params, &w.estate, &w.done));
	w.params.max_flows = 63; /* the memory is that of 64 */
	assert_null(ct_adopt(w.left, will_size(&w), &w.params, &w.estate, &w.done));
	w.params.max_flows = 64;
	will_adopt(&w);
	will_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flows_live_on),
		cmocka_unit_test(test_deadlines_stay),
		cmocka_unit_test(test_windows_stay),
		cmocka_unit_test(test_windows_are_learned_anew),
		cmocka_unit_test(test_slots_and_ids_go_on),
		cmocka_unit_test(test_confirmation_goes_on),
		cmocka_unit_test(test_expectations_are_met),
		cmocka_unit_test(test_fragments_go_on),
		cmocka_unit_test(test_fragments_come_again),
		cmocka_unit_test(test_flow_is_put_back),
		cmocka_unit_test(test_trace_that_restores_nothing),
		cmocka_unit_test(test_result_is_recalled),
		cmocka_unit_test(test_damaged_entry_goes_alone),
		cmocka_unit_test(test_second_of_a_pair_is_damaged),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
