/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Flows that are confirmed where their first packet leaves. */

#include "packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "core/flow.h"
#include "core/pkt.h"
#include "core/table.h"

#define A 1
#define B 2

static struct ct_result at(struct engine *e, struct pk *p, enum ct_hook hook, uint32_t mark,
			   uint64_t now_ns)
{
	struct ct_input in = pk_input(p, now_ns);
	struct ct_result out;

	in.hook = (uint8_t)hook;
	in.mark = mark;
	ct_track(&e->th, &in, &out);
	return out;
}

static struct ct_result enter(struct engine *e, struct pk *p, uint64_t now_ns)
{
	return at(e, p, CT_HOOK_PREROUTING, 0, now_ns);
}

/* The packet leaves with the mark that it got. */
static struct ct_result leave(struct engine *e, struct pk *p, const struct ct_result *in,
			      uint64_t now_ns)
{
	struct ct_result out = at(e, p, CT_HOOK_POSTROUTING, in->mark, now_ns);

	assert_true(out.passed);
	assert_int_equal(out.mark, in->mark);
	assert_int_equal(out.info, in->info);
	return out;
}

static void open_exit(struct engine *e)
{
	engine_open(e, 64);
	e->cfg.confirm = CT_CONFIRM_EXIT;
}

static struct pk syn(void)
{
	struct pk p;

	pk_tcp(&p, CT_AF_INET, A, B, 1000, 80, PK_SYN, 100, 0);
	return p;
}

static struct pk synack(void)
{
	struct pk p;

	pk_tcp(&p, CT_AF_INET, B, A, 80, 1000, PK_SYN | PK_ACK, 500, 101);
	return p;
}

static struct pk query(uint16_t sport)
{
	struct pk p;

	pk_udp(&p, CT_AF_INET, A, B, sport, 53);
	return p;
}

static void test_confirmed_at_exit(void **state)
{
	struct pk p = syn(), q = synack();
	struct ct_result in, out;
	struct engine e;

	open_exit(&e);
	in = enter(&e, &p, SEC);
	assert_int_equal(in.info, CT_INFO_NEW);
	assert_int_equal(in.mark, 0xa);
	assert_int_equal(in.nevents, 0);
	assert_int_equal(in.status, 0);
	out = leave(&e, &p, &in, 2 * SEC);
	assert_false(out.drop);
	assert_int_equal(out.nevents, 1);
	assert_int_equal(out.events[0].type, CT_EVENT_NEW);
	assert_int_equal(out.events[0].status, CT_STATUS_CONFIRMED);
	assert_int_equal(out.events[0].info, CT_INFO_NEW);
	assert_int_equal(out.events[0].flow, in.flow);
	assert_int_equal(out.timeout_ns, 120 * SEC); /* from the confirmation on */
	in = enter(&e, &q, 3 * SEC);
	assert_int_equal(in.info, CT_INFO_ESTABLISHED_REPLY);
	assert_int_equal(leave(&e, &q, &in, 3 * SEC).nevents, 0);
	engine_close(&e);
}

/* Dropped in between: nothing is left, an answer is not expected, and the next one is NEW again. */
static void test_dropped_in_between(void **state)
{
	struct pk p = syn(), q = synack();
	struct ct_result in;
	struct engine e;

	open_exit(&e);
	enter(&e, &p, SEC);
	assert_int_equal(enter(&e, &q, SEC).info, CT_INFO_INVALID);
	in = enter(&e, &p, SEC + 500 * MSEC);
	assert_int_equal(in.info, CT_INFO_NEW);
	leave(&e, &p, &in, SEC + 500 * MSEC);
	/* the third finds the flow; its likeness to the first, lost one must not harm it */
	in = enter(&e, &p, 2 * SEC);
	assert_int_equal(in.info, CT_INFO_NEW);
	assert_int_equal(in.status, CT_STATUS_CONFIRMED);
	assert_false(leave(&e, &p, &in, 2 * SEC).drop);
	assert_int_equal(ct_count(e.th.ct), 1);
	engine_close(&e);
}

static void test_unconfirmed_expires_silently(void **state)
{
	struct pk p = syn();
	struct ct_event events[4];
	struct engine e;

	open_exit(&e);
	enter(&e, &p, SEC);
	assert_int_equal(ct_count(e.th.ct), 1);
	assert_int_equal(ct_expire(&e.th, 5 * SEC, events, 4, NULL), 0);
	assert_int_equal(ct_count(e.th.ct), 0);
	assert_int_equal(engine_stat(&e, CT_STAT_UNCONFIRMED), 1);
	assert_int_equal(engine_stat(&e, CT_STAT_DESTROYED), 0);
	engine_close(&e);
}

/* Two equal first packets under way: the second one's flow is there already. */
static void test_clash(void **state)
{
	struct pk tcp = syn(), udp = query(1000), echo;
	struct pk *packets[] = {&tcp, &udp, &echo};
	struct ct_event ends[4];
	struct engine e;

	pk_icmp(&echo, CT_AF_INET, A, B, 8, 0, 77, NULL);
	open_exit(&e);
	for (size_t i = 0; i < 3; i++) {
		bool joins = i == 1;
		struct ct_result first = enter(&e, packets[i], SEC);
		struct ct_result second = enter(&e, packets[i], SEC), out;

		assert_int_equal(second.info, CT_INFO_NEW);
		assert_int_not_equal(first.flow, second.flow);
		assert_false(leave(&e, packets[i], &first, SEC).drop);
		out = leave(&e, packets[i], &second, SEC);
		assert_int_equal(out.drop, !joins);
		assert_int_equal(out.reason, joins ? CT_REASON_NONE : CT_REASON_CLASH);
		assert_int_equal(out.nevents, !joins);
	}
	assert_int_equal(engine_stat(&e, CT_STAT_CLASHES), 3);
	assert_int_equal(atomic_load(&e.th.stats.reason[CT_REASON_CLASH]), 2);
	assert_int_equal(ct_expire(&e.th, 1000 * SEC, ends, 4, NULL), 3);
	for (size_t i = 0; i < 3; i++) /* what is dropped does not count */
		assert_int_equal(ends[i].packets[CT_DIR_ORIGINAL],
				 ends[i].l4proto == CT_PROTO_UDP ? 2 : 1);
	engine_close(&e);
}

/* Part at of a datagram of three, each eight bytes long. */
static struct pk part(uint32_t id, uint32_t at)
{
	struct pk whole = query(1000), p;

	pk_fragment(&p, &whole, id, at, at + 8, at < 16);
	return p;
}

static const struct ct_flow *entry(const struct engine *e, uint64_t flow)
{
	const struct ct_arena *a = &e->th.ct->arena;

	return &a->slots[(uint32_t)(flow ^ a->id_salt)];
}

/* Two datagrams begin, each with a flow of its own, that will clash at the exit. */
static void begin_two(struct engine *e, struct pk *one, struct pk *two, struct ct_result *ret_one,
		      struct ct_result *ret_two)
{
	engine_open_fragments(e, 64, 8, 8);
	e->cfg.confirm = CT_CONFIRM_EXIT;
	*ret_one = enter(e, one, SEC);
	*ret_two = enter(e, two, SEC);
	assert_int_not_equal(ret_one->flow, ret_two->flow);
}

/* Parts of it that come before, between and behind both exits: they count where their first does.
 */
static void test_clash_in_fragments(void **state)
{
	struct pk one = part(1, 0), two = part(2, 0), p;
	struct ct_result in_one, in_two;
	const struct ct_flow *f;
	struct engine e;

	begin_two(&e, &one, &two, &in_one, &in_two);
	for (uint32_t id = 1; id <= 2; id++) {
		p = part(id, 8);
		enter(&e, &p, SEC);
	}
	f = entry(&e, leave(&e, &one, &in_one, SEC).flow);
	p = part(2, 16);
	enter(&e, &p, SEC);
	leave(&e, &two, &in_two, SEC);
	assert_int_equal(f->packets[CT_DIR_ORIGINAL], 2);
	assert_int_equal(f->bytes[CT_DIR_ORIGINAL], 2 * (20 + 24) - 8);
	p = part(1, 16);
	enter(&e, &p, SEC);
	assert_int_equal(f->bytes[CT_DIR_ORIGINAL], 2 * (20 + 24));
	engine_close(&e);
}

/* The rest of a datagram whose first part has joined another flow. */
static void test_rest_after_clash(void **state)
{
	struct pk one = part(1, 0), two = part(2, 0), p;
	struct ct_result in_one, in_two;
	const struct ct_flow *f;
	struct engine e;

	begin_two(&e, &one, &two, &in_one, &in_two);
	f = entry(&e, leave(&e, &one, &in_one, SEC).flow);
	leave(&e, &two, &in_two, SEC);
	for (uint32_t i = 0; i < 4; i++) {
		p = part(1 + i % 2, 8 + i / 2 * 8);
		assert_int_equal(enter(&e, &p, SEC).info, CT_INFO_NEW);
	}
	assert_int_equal(f->packets[CT_DIR_ORIGINAL], 2);
	assert_int_equal(f->bytes[CT_DIR_ORIGINAL], 2 * (20 + 24));
	engine_close(&e);
}

/*
 * Both sides open at once. UDP: the second packet counts for the flow of the first, in its original
 * direction like any first packet (as in the kernel).
 */
static void test_clash_of_directions(void **state)
{
	struct pk p = query(1000), q;
	struct ct_result a, b;
	struct ct_event events[2];
	struct engine e;

	pk_udp(&q, CT_AF_INET, B, A, 53, 1000);
	open_exit(&e);
	a = enter(&e, &p, SEC);
	b = enter(&e, &q, SEC);
	assert_int_equal(b.info, CT_INFO_NEW);
	leave(&e, &p, &a, SEC);
	assert_false(leave(&e, &q, &b, SEC).drop);
	assert_int_equal(ct_count(e.th.ct), 1);
	assert_int_equal(ct_expire(&e.th, 100 * SEC, events, 2, NULL), 1);
	assert_int_equal(events[0].packets[CT_DIR_ORIGINAL], 2);
	assert_int_equal(events[0].packets[CT_DIR_REPLY], 0);
	engine_close(&e);
}

/* auto: at the entry until a packet comes from an exit hook; what is under way then is kept. */
static void test_auto(void **state)
{
	struct pk p = query(1), q = query(2), r = query(3);
	struct ct_result in, early;
	struct engine e;

	engine_open(&e, 64);
	/* a packet that no entry has seen says nothing */
	assert_true(at(&e, &p, CT_HOOK_POSTROUTING, 0, SEC).passed);
	assert_false(ct_confirms_at_exit(e.th.ct, &e.cfg));
	early = enter(&e, &p, SEC);
	assert_int_equal(early.status, CT_STATUS_CONFIRMED);
	assert_int_equal(leave(&e, &p, &early, SEC).nevents, 0);
	assert_true(ct_confirms_at_exit(e.th.ct, &e.cfg));
	in = enter(&e, &q, SEC);
	assert_int_equal(in.status, 0);
	/* back to the entry, with a packet on its way */
	e.cfg.confirm = CT_CONFIRM_ENTRY;
	assert_int_equal(leave(&e, &q, &in, SEC).nevents, 1);
	assert_int_equal(enter(&e, &r, SEC).status, CT_STATUS_CONFIRMED);
	assert_int_equal(ct_count(e.th.ct), 3);
	engine_close(&e);
}

/* Nothing waits for a first packet at the exit: its flow is made there. */
static void test_late(void **state)
{
	struct pk p = syn(), q = synack();
	struct ct_result in, out;
	struct engine e;

	open_exit(&e);
	in = enter(&e, &p, SEC);
	out = leave(&e, &p, &in, 10 * SEC); /* held up for longer than anything waits */
	assert_int_equal(out.nevents, 1);
	assert_int_equal(out.events[0].type, CT_EVENT_NEW);
	assert_int_equal(enter(&e, &q, 10 * SEC).info, CT_INFO_ESTABLISHED_REPLY);
	engine_close(&e);
}

static void test_exit_without_class(void **state)
{
	struct pk p = query(1);
	struct ct_result out;
	struct engine e;

	open_exit(&e);
	out = at(&e, &p, CT_HOOK_POSTROUTING, 0, SEC);
	assert_true(out.passed);
	assert_int_equal(out.info, CT_INFO_INVALID);
	out = at(&e, &p, CT_HOOK_POSTROUTING, 0xe, SEC); /* INVALID */
	assert_true(out.passed && !out.drop);
	assert_int_equal(ct_count(e.th.ct), 0);
	engine_close(&e);
}

/* This host refuses a packet: its RST or error belongs to the flow that never was. */
static void test_refused(void **state)
{
	struct pk p = syn(), q = query(5), rst, error;
	struct ct_result out;
	struct engine e;

	open_exit(&e);
	enter(&e, &p, SEC);
	pk_tcp(&rst, CT_AF_INET, B, A, 80, 1000, PK_RST | PK_ACK, 0, 101);
	assert_int_equal(enter(&e, &rst, SEC).info, CT_INFO_INVALID); /* from outside */
	out = at(&e, &rst, CT_HOOK_OUTPUT, 0, SEC);
	assert_int_equal(out.info, CT_INFO_RELATED_REPLY);
	assert_false(leave(&e, &rst, &out, SEC).drop);
	enter(&e, &q, SEC);
	pk_icmp(&error, CT_AF_INET, 99, A, 3, 3, 0, &q);
	assert_int_equal(enter(&e, &error, SEC).info, CT_INFO_INVALID);
	assert_int_equal(at(&e, &error, CT_HOOK_OUTPUT, 0, SEC).info, CT_INFO_RELATED_REPLY);
	engine_close(&e);
}

/* A flood of first packets that are all dropped cannot keep others out of the table. */
static void test_flood(void **state)
{
	struct ct_result in;
	struct engine e;
	struct pk p;

	open_exit(&e);
	for (uint32_t i = 0; i < 5000; i++) {
		pk_udp(&p, CT_AF_INET, 100 + i, B, 1, 2);
		enter(&e, &p, SEC);
		assert_true(ct_count(e.th.ct) <= 64);
	}
	p = syn();
	in = enter(&e, &p, SEC);
	for (uint32_t i = 0; i < 5000; i++) {
		struct pk noise;

		pk_udp(&noise, CT_AF_INET, 100 + i, B, 1, 2);
		enter(&e, &noise, SEC);
	}
	assert_int_equal(leave(&e, &p, &in, SEC).nevents, 1);
	engine_close(&e);
}

/* The same tuple in two zones is two flows, and the exit finds the right one of them. */
static void test_zones(void **state)
{
	struct pk p = query(1000), q;
	struct ct_result out;
	struct engine e;

	pk_udp(&q, CT_AF_INET, B, A, 53, 1000);
	open_exit(&e);
	e.cfg.nzones = 2;
	e.cfg.zones[0] = 7;
	e.cfg.zones[1] = 8;
	for (uint16_t zone = 7; zone <= 8; zone++) {
		struct ct_input in = pk_input(&p, SEC);

		in.zone = zone;
		ct_track(&e.th, &in, &out);
		assert_int_equal(out.info, CT_INFO_NEW);
		out = leave(&e, &p, &out, SEC); /* there the zone is not known */
		assert_int_equal(out.nevents, 1);
		assert_int_equal(out.events[0].orig.zone, zone);
	}
	for (uint16_t zone = 7; zone <= 9; zone++) {
		struct ct_input in = pk_input(&q, SEC);

		in.zone = zone;
		ct_track(&e.th, &in, &out);
		assert_int_equal(out.info, zone == 9 ? CT_INFO_NEW : CT_INFO_ESTABLISHED_REPLY);
	}
	engine_close(&e);
}

/* With the zone known, another one's flow is not taken for that of the packet. */
static void test_zones_are_apart(void **state)
{
	struct pk p = query(1000);
	struct ct_input in = pk_input(&p, SEC);
	struct ct_result out;
	struct engine e;

	open_exit(&e);
	e.cfg.nzones = 2;
	e.cfg.zones[0] = in.zone = 7;
	e.cfg.zones[1] = 8;
	ct_track(&e.th, &in, &out);
	in.hook = CT_HOOK_POSTROUTING;
	in.mark = out.mark;
	in.zone = 8;
	ct_track(&e.th, &in, &out);
	assert_int_equal(out.nevents, 1);
	assert_int_equal(out.events[0].orig.zone, 8);
	in.zone = 7;
	ct_track(&e.th, &in, &out);
	assert_int_equal(out.nevents, 1);
	assert_int_equal(out.events[0].orig.zone, 7);
	engine_close(&e);
}

/* A UDP packet with data of its own. */
static struct pk talk(uint16_t dport, const char *data, size_t n)
{
	uint8_t l4[64] = {1000 >> 8, 1000 & 0xff, (uint8_t)(dport >> 8), (uint8_t)dport};
	struct pk p;

	l4[5] = (uint8_t)(8 + n);
	memcpy(l4 + 8, data, n);
	pk_ip(&p, CT_AF_INET, A, B, CT_PROTO_UDP, l4, 8 + n);
	return p;
}

#define MANY 1000

/*
 * First packets of one tuple, all different, and all under way: there is one bucket for them,
 * whatever its key. Few are remembered, none is lost, and the first to come makes the flow.
 */
static void test_one_tuple_is_bounded(void **state)
{
	static struct ct_result in[MANY];
	struct ct_event end;
	struct engine e;
	struct pk p;

	open_exit(&e);
	for (uint16_t i = 0; i < MANY; i++) {
		p = talk(53, (const char *)&i, sizeof(i));
		in[i] = enter(&e, &p, SEC);
		assert_int_equal(in[i].info, CT_INFO_NEW);
		assert_true(ct_count(e.th.ct) <= 8);
	}
	for (uint16_t i = 0; i < MANY; i++) {
		struct ct_result out;

		p = talk(53, (const char *)&i, sizeof(i));
		out = leave(&e, &p, &in[i], SEC);
		assert_false(out.drop);
		assert_int_equal(out.nevents, i == 0);
		assert_true(i > 0 || out.events[0].flow == in[0].flow);
	}
	assert_int_equal(ct_count(e.th.ct), 1);
	assert_int_equal(ct_expire(&e.th, 1000 * SEC, &end, 1, NULL), 1);
	assert_int_equal(end.packets[CT_DIR_ORIGINAL], MANY);
	engine_close(&e);
}

/* The same with packets of which one only can win: the first, or the last if no other leaves. */
static void test_one_connection_is_bounded(void **state)
{
	struct ct_result in[MANY];
	struct engine e;
	struct pk p;

	for (uint32_t leaves = 0; leaves < MANY; leaves += MANY - 1) {
		open_exit(&e);
		for (uint32_t i = 0; i < MANY; i++) {
			pk_tcp(&p, CT_AF_INET, A, B, 1000, 80, PK_SYN, i, 0);
			in[i] = enter(&e, &p, SEC);
			assert_true(ct_count(e.th.ct) <= 8);
		}
		pk_tcp(&p, CT_AF_INET, A, B, 1000, 80, PK_SYN, leaves, 0);
		assert_int_equal(leave(&e, &p, &in[leaves], SEC).flow, in[leaves].flow);
		engine_close(&e);
	}
}

/* A rule has changed an option: it is the flow of the packet all the same. */
static void test_changed_on_the_way(void **state)
{
	struct pk p = syn(), other, q = synack();
	struct ct_result in, out;
	struct engine e;

	open_exit(&e);
	pk_tcp(&other, CT_AF_INET, A, B, 1000, 80, PK_SYN, 77, 0);
	in = enter(&e, &p, SEC);
	enter(&e, &other, SEC);
	p.b[p.l4 + 15] ^= 1; /* its window */
	out = leave(&e, &p, &in, SEC);
	assert_int_equal(out.nevents, 1);
	assert_int_equal(out.events[0].flow, in.flow);
	assert_int_equal(enter(&e, &q, SEC).info, CT_INFO_ESTABLISHED_REPLY);
	engine_close(&e);
}

static void with_tftp(struct engine *e)
{
	open_exit(e);
	e->cfg.helper_ports[0] = (struct ct_helper_port){69, CT_HELPER_TFTP};
	e->cfg.nhelper_ports = 1;
}

static struct pk request(void)
{
	return talk(69, "\0\1f\0octet", 10);
}

/* What the server sends first; changed: as a rule on the way leaves it. */
static struct pk transfer(bool changed)
{
	struct pk p;

	pk_udp(&p, CT_AF_INET, B, A, 2000, 1000);
	p.b[p.len - 1] ^= changed;
	pk_fix_checksum(&p, 6);
	return p;
}

/*
 * Two equal first packets of which the first was expected, the other not any more: each has the
 * flow of its class, whichever leaves first, and whether or not it was changed.
 */
static void test_expected_and_repeated(void **state)
{
	for (int changed = 0; changed < 2; changed++) {
		struct pk rrq = request(), p = transfer(false), gone = transfer(changed);
		struct ct_result master, first, second, out;
		struct engine e;

		with_tftp(&e);
		master = enter(&e, &rrq, SEC);
		leave(&e, &rrq, &master, SEC);
		first = enter(&e, &p, SEC);
		second = enter(&e, &p, SEC);
		assert_int_equal(first.info, CT_INFO_RELATED);
		assert_int_equal(second.info, CT_INFO_NEW);
		out = leave(&e, &gone, &first, SEC);
		assert_int_equal(out.nevents, 1);
		assert_int_equal(out.events[0].type, CT_EVENT_RELATED);
		assert_int_equal(out.events[0].flow, first.flow);
		assert_int_equal(out.events[0].master, master.flow);
		engine_close(&e);
	}
}

/* The helper reads each request on its way out, even that of a flow which is there already. */
static void test_helper_before_clash(void **state)
{
	struct pk rrq = request();
	struct ct_result first, second, out;
	struct engine e;

	with_tftp(&e);
	first = enter(&e, &rrq, SEC);
	second = enter(&e, &rrq, SEC);
	assert_false(leave(&e, &rrq, &first, SEC).drop);
	out = leave(&e, &rrq, &second, SEC);
	assert_true(out.drop);
	assert_int_equal(out.reason, CT_REASON_EXPECT_REFUSED);
	assert_int_equal(ct_count(e.th.ct), 1);
	engine_close(&e);
}

/* After a change to the entry the helper reads there, and not once more at the exit. */
static void test_helper_reads_once(void **state)
{
	struct pk rrq = request(), p = transfer(false), q = query(5);
	struct ct_result in;
	struct engine e;

	with_tftp(&e);
	enter(&e, &q, SEC); /* waits */
	e.cfg.confirm = CT_CONFIRM_ENTRY;
	in = enter(&e, &rrq, SEC);
	assert_int_equal(enter(&e, &p, SEC).info, CT_INFO_RELATED);
	leave(&e, &rrq, &in, SEC);
	assert_int_equal(engine_stat(&e, CT_STAT_EXPECTED), 1);
	engine_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_confirmed_at_exit),
		cmocka_unit_test(test_dropped_in_between),
		cmocka_unit_test(test_unconfirmed_expires_silently),
		cmocka_unit_test(test_clash),
		cmocka_unit_test(test_clash_in_fragments),
		cmocka_unit_test(test_rest_after_clash),
		cmocka_unit_test(test_clash_of_directions),
		cmocka_unit_test(test_auto),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_exit_without_class),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_zones),
		cmocka_unit_test(test_zones_are_apart),
		cmocka_unit_test(test_one_tuple_is_bounded),
		cmocka_unit_test(test_one_connection_is_bounded),
		cmocka_unit_test(test_changed_on_the_way),
		cmocka_unit_test(test_expected_and_repeated),
		cmocka_unit_test(test_helper_before_clash),
		cmocka_unit_test(test_helper_reads_once),
	};

	return cmocka_run_group_tests_name("confirm", tests, NULL, NULL);
}
