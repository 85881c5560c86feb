/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The pipeline around the trackers: hooks, marks, zones, confirmation, counters. What the state
 * machines say of each packet is the matter of tests/flows.
 */

#include "packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static struct engine e;

static int open_engine(void **state)
{
	engine_open(&e, 64);
	return 0;
}

static int close_engine(void **state)
{
	engine_close(&e);
	return 0;
}

static struct ct_result track(const struct ct_input *in)
{
	struct ct_result out;

	memset(&out, 0xee, sizeof(out));
	ct_track(&e.th, in, &out);
	return out;
}

static struct ct_result udp(uint32_t src, uint32_t dst, uint64_t now_ns)
{
	struct pk p;

	pk_udp(&p, CT_AF_INET6, src, dst, 9, 9);
	return engine_track(&e, &p, now_ns);
}

static void test_story(void **state)
{
	struct ct_result out = udp(1, 2, SEC);

	assert_int_equal(out.info, CT_INFO_NEW);
	assert_int_equal(out.status, CT_STATUS_CONFIRMED);
	assert_int_equal(out.mark, 0xa);
	assert_int_equal(out.nevents, 1);
	assert_int_equal(out.events[0].mark, 0xa);
	assert_int_equal(out.events[0].info, CT_INFO_NEW);
	out = udp(2, 1, SEC);
	assert_int_equal(out.info, CT_INFO_ESTABLISHED_REPLY);
	assert_int_equal(out.dir, CT_DIR_REPLY);
	assert_int_equal(out.status, CT_STATUS_CONFIRMED | CT_STATUS_SEEN_REPLY);
	assert_int_equal(out.events[0].type, CT_EVENT_REPLY);
	out = udp(1, 2, 4 * SEC);
	assert_int_equal(out.info, CT_INFO_ESTABLISHED);
	assert_int_equal(out.events[0].type, CT_EVENT_ASSURED);
	assert_int_equal(out.mark, 0x8);
	assert_int_equal(udp(1, 2, 5 * SEC).nevents, 0);
}

/* The flow in an event is as it was after the packet, with both tuples and its counters. */
static void test_event_fields(void **state)
{
	const struct ct_event *ev;
	struct ct_result out;
	struct ct_input in;
	struct pk p;

	udp(1, 2, SEC);
	pk_udp(&p, CT_AF_INET6, 2, 1, 9, 9);
	in = pk_input(&p, 2 * SEC);
	in.iif = 3;
	in.oif = 4;
	in.queue = 5;
	in.hook = CT_HOOK_FORWARD;
	in.mark = 0xabcd0000;
	out = track(&in);
	ev = &out.events[0];
	assert_int_equal(out.nevents, 1);
	assert_true(ev->time_ns == 2 * SEC && ev->flow == out.flow);
	assert_int_equal(ev->mark, 0xabcd000b);
	assert_true(ev->iif == 3 && ev->oif == 4 && ev->queue == 5);
	assert_int_equal(ev->hook, CT_HOOK_FORWARD);
	assert_int_equal(ev->dir, CT_DIR_REPLY);
	assert_int_equal(ev->status, out.status);
	assert_true(ev->timeout_ns == 30 * SEC);
	assert_true(ev->has_tuple && ev->accounted);
	assert_memory_equal(&ev->orig.src, &ev->reply.dst, sizeof(ev->orig.src));
	assert_int_equal(ev->orig.src.b[15], 1);
	for (int d = 0; d < CT_DIR_MAX; d++)
		assert_true(ev->packets[d] == 1 && ev->bytes[d] == p.len);
}

/* Several events of one packet all show the flow as it is after the packet. */
static void test_events_of_one_packet(void **state)
{
	static const uint8_t flags[] = {PK_SYN, PK_SYN | PK_ACK, PK_ACK};
	struct ct_result out = {0};
	struct pk p;

	for (int i = 0; i < 3; i++) {
		pk_tcp(&p, CT_AF_INET, i == 1 ? 2 : 1, i == 1 ? 1 : 2, i == 1 ? 80 : 9,
		       i == 1 ? 9 : 80, flags[i], i == 1 ? 500 : 100 + i / 2, i == 1 ? 101 : 501);
		out = engine_track(&e, &p, SEC);
	}
	assert_int_equal(out.nevents, 2);
	assert_int_equal(out.events[0].type, CT_EVENT_STATE);
	assert_int_equal(out.events[1].type, CT_EVENT_ASSURED);
	assert_true(out.timeout_ns == 432000 * SEC);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(out.events[i].status, out.status);
		assert_true(out.events[i].timeout_ns == out.timeout_ns);
		assert_int_equal(out.events[i].packets[0], 2);
	}
	assert_int_equal(out.events[0].state_old, 2);
	assert_int_equal(out.events[0].state_new, 3);
}

static void test_no_accounting(void **state)
{
	struct ct_result out;

	e.cfg.accounting = false;
	udp(1, 2, SEC);
	out = udp(2, 1, SEC);
	assert_false(out.events[0].accounted);
	assert_int_equal(out.events[0].packets[0], 0);
}

/* Exit hooks change nothing: neither the packet's mark nor the flow. */
static void test_exit_hooks(void **state)
{
	static const uint8_t hooks[] = {CT_HOOK_INPUT, CT_HOOK_POSTROUTING};
	struct ct_result out;
	struct ct_input in;
	struct pk p;

	udp(1, 2, SEC);
	pk_udp(&p, CT_AF_INET6, 2, 1, 9, 9);
	for (size_t i = 0; i < 2; i++) {
		in = pk_input(&p, SEC);
		in.hook = hooks[i];
		in.mark = 0xfa;
		out = track(&in);
		assert_true(out.passed);
		assert_int_equal(out.mark, 0xfa);
		assert_int_equal(out.info, CT_INFO_NEW);
		assert_int_equal(out.nevents, 0);
	}
	assert_int_equal(udp(1, 2, SEC).info, CT_INFO_NEW); /* no reply was noticed */
	assert_int_equal(engine_stat(&e, CT_STAT_EXIT), 2);
}

/* The same packet in OUTPUT and PREROUTING of the loopback device is judged once. */
static void test_loopback(void **state)
{
	struct ct_result out;
	struct ct_input in;
	struct pk p;

	pk_udp(&p, CT_AF_INET, 1, 1, 5, 5); /* its own reply, if it were looked up twice */
	in = pk_input(&p, SEC);
	in.loopback = true;
	in.hook = CT_HOOK_OUTPUT;
	in.mark = 0x70;
	out = track(&in);
	assert_int_equal(out.info, CT_INFO_NEW);
	assert_int_equal(out.mark, 0x7a);
	in.hook = CT_HOOK_PREROUTING;
	in.mark = out.mark;
	out = track(&in);
	assert_true(out.passed);
	assert_int_equal(out.info, CT_INFO_NEW);
	assert_int_equal(out.mark, 0x7a);
	in.mark = 0x70; /* a rule took the mark away: now it is a packet like any other */
	assert_int_equal(track(&in).info, CT_INFO_ESTABLISHED_REPLY);
	in.loopback = false; /* a mark that came from elsewhere proves nothing on a real device */
	in.mark = 0x7e;
	assert_int_equal(track(&in).mark, 0x7b);
}

/* Queued again in FORWARD, a packet keeps what PREROUTING found. */
static void test_forward_after_prerouting(void **state)
{
	struct ct_result out;
	struct ct_input in;
	struct pk p;

	pk_tcp(&p, CT_AF_INET, 1, 2, 5, 80, PK_SYN, 1, 0);
	assert_int_equal(engine_track(&e, &p, SEC).info, CT_INFO_NEW);
	pk_tcp(&p, CT_AF_INET, 2, 1, 80, 5, PK_RST | PK_ACK, 0, 2);
	in = pk_input(&p, SEC);
	out = track(&in);
	assert_int_equal(out.mark, 0xb);
	assert_int_equal(ct_count(e.th.ct),
			 0); /* the RST ended the flow: now it would be INVALID */
	in.hook = CT_HOOK_FORWARD;
	in.mark = out.mark;
	out = track(&in);
	assert_true(out.passed);
	assert_int_equal(out.mark, 0xb);
	in.mark = 0; /* only FORWARD is queued: this is the first look */
	assert_int_equal(track(&in).info, CT_INFO_INVALID);
	assert_int_equal(engine_stat(&e, CT_STAT_REPEATED), 1);
}

/* The network layer says what a packet is, not its first four bits. */
static void test_family(void **state)
{
	struct ct_result out;
	struct ct_input in;
	struct pk p;

	pk_udp(&p, CT_AF_INET, 1, 2, 9, 9);
	in = pk_input(&p, SEC);
	in.family = 7; /* a bridge */
	in.mark = 0x55;
	out = track(&in);
	assert_true(out.passed);
	assert_int_equal(out.mark, 0x55);
	assert_int_equal(out.info, CT_INFO_INVALID); /* what its mark says: nothing */
	in.mark = 0x5b;
	assert_int_equal(track(&in).info, CT_INFO_ESTABLISHED_REPLY);
	assert_int_equal(engine_stat(&e, CT_STAT_FOREIGN), 2);
	in.mark = 0;
	in.family = CT_AF_INET6;
	assert_int_equal(track(&in).reason, CT_REASON_IP_HEADER);
	p.b[0] = 0x65; /* and the version field is nobody's business */
	in.family = CT_AF_INET;
	assert_int_equal(track(&in).info, CT_INFO_NEW);
}

/* The length field of a first fragment speaks of the whole datagram. */
static void test_first_fragment(void **state)
{
	struct pk p;

	pk_udp(&p, CT_AF_INET, 1, 2, 9, 9);
	p.b[p.l4 + 4] = 0x10; /* 4096 bytes and more */
	assert_int_equal(engine_track(&e, &p, SEC).reason, CT_REASON_UDP_LENGTH);
	p.b[6] |= 0x20; /* more fragments */
	assert_int_equal(engine_track(&e, &p, SEC).info, CT_INFO_NEW);
}

static void test_zones(void **state)
{
	struct ct_input in;
	struct pk p;

	pk_udp(&p, CT_AF_INET, 1, 2, 5, 5);
	in = pk_input(&p, SEC);
	assert_int_equal(track(&in).info, CT_INFO_NEW);
	pk_udp(&p, CT_AF_INET, 2, 1, 5, 5);
	in.zone = 7;
	assert_int_equal(track(&in).info, CT_INFO_NEW);
	in.zone = 0;
	assert_int_equal(track(&in).info, CT_INFO_ESTABLISHED_REPLY);
	assert_int_equal(ct_count(e.th.ct), 2);
}

/* A first packet that the verdict drops leaves no flow, and each of its kind is NEW again. */
static void test_unconfirmed(void **state)
{
	struct ct_result out;

	e.cfg.no_confirm_classes = 1 << CT_CLASS_NEW;
	for (int i = 0; i < 3; i++) {
		out = udp(1, 2, SEC);
		assert_int_equal(out.info, CT_INFO_NEW);
		assert_false(out.has_flow);
		assert_int_equal(out.nevents, 0);
		assert_int_equal(ct_count(e.th.ct), 0);
	}
	assert_int_equal(engine_stat(&e, CT_STAT_DISCARDED), 3);
	assert_int_equal(engine_stat(&e, CT_STAT_CREATED), 0);
	e.cfg.no_confirm_classes = 0;
	udp(1, 2, SEC);
	e.cfg.no_confirm_classes = 1 << CT_CLASS_NEW;
	assert_int_equal(udp(2, 1, SEC).info, CT_INFO_ESTABLISHED_REPLY);
}

/* A packet without any flow still tells who sent it, as far as it can be read. */
static void test_invalid_event(void **state)
{
	const struct ct_event *ev;
	struct ct_result out;
	struct pk p;

	pk_tcp(&p, CT_AF_INET, 1, 2, 1000, 80, PK_RST, 5, 0);
	out = engine_track(&e, &p, SEC);
	ev = &out.events[0];
	assert_int_equal(out.info, CT_INFO_INVALID);
	assert_int_equal(out.mark, 0xe);
	assert_false(out.drop);
	assert_int_equal(out.nevents, 1);
	assert_int_equal(ev->type, CT_EVENT_INVALID);
	assert_int_equal(ev->reason, CT_REASON_TCP_NOT_FIRST);
	assert_int_equal(ev->reason, out.reason);
	assert_true(ev->flow == 0 && ev->has_tuple);
	assert_int_equal(ev->orig.src.b[3], 1);
	assert_int_equal(ev->orig.proto, 6);
	assert_int_equal(ct_count(e.th.ct), 0);
}

/* Errors about packets that cannot have a flow, that have none, and that were sent elsewhere. */
static void test_error_reasons(void **state)
{
	struct pk lost, error, p;

	pk_udp(&lost, CT_AF_INET, 1, 2, 9, 9);
	engine_track(&e, &lost, SEC);
	pk_icmp(&error, CT_AF_INET, 7, 1, 3, 1, 0, &lost);
	assert_int_equal(engine_track(&e, &error, SEC).info, CT_INFO_RELATED_REPLY);
	pk_icmp(&p, CT_AF_INET, 7, 7, 3, 1, 0, &error);
	assert_int_equal(engine_track(&e, &p, SEC).reason, CT_REASON_ICMP_QUOTE_FORM);
	pk_icmp(&p, CT_AF_INET, 7, 3, 3, 1, 0, &lost);
	assert_int_equal(engine_track(&e, &p, SEC).reason, CT_REASON_ICMP_TARGET);
	lost.b[6] = 0x00;
	lost.b[7] = 0x08; /* a later fragment */
	pk_icmp(&p, CT_AF_INET, 7, 1, 3, 1, 0, &lost);
	assert_int_equal(engine_track(&e, &p, SEC).reason, CT_REASON_ICMP_QUOTE_FORM);
	pk_udp(&lost, CT_AF_INET, 1, 2, 9, 10);
	pk_icmp(&p, CT_AF_INET, 7, 1, 3, 1, 0, &lost);
	assert_int_equal(engine_track(&e, &p, SEC).reason, CT_REASON_ICMP_NO_FLOW);
	assert_int_equal(engine_track(&e, &p, 100 * SEC).reason, CT_REASON_ICMP_NO_FLOW);
}

/* Encoding=flags shows ASSURED, but not on a packet that belongs to nothing. */
static void test_flags_of_assured(void **state)
{
	struct pk p;

	e.cfg.mark = (struct ct_mark){.mask = 0x7f00, .shift = 8, .encoding = CT_ENCODING_FLAGS};
	assert_int_equal(udp(1, 2, SEC).mark, 0x0100);
	assert_int_equal(udp(2, 1, SEC).mark, 0x2200);
	assert_int_equal(udp(1, 2, 4 * SEC).mark, 0x4200);
	assert_int_equal(udp(2, 1, 4 * SEC).mark, 0x6200);
	pk_udp(&p, CT_AF_INET6, 1, 2, 9, 9);
	p.b[p.len - 1] ^= 1;
	assert_int_equal(engine_track(&e, &p, 4 * SEC).mark, 0x0800);
}

/* The last event of a flow says all that it was. */
static void test_destroy_event(void **state)
{
	const struct ct_event *ev;
	struct ct_result out;

	udp(1, 2, SEC);
	udp(2, 1, SEC);
	out = udp(1, 2, 100 * SEC);
	ev = &out.events[0];
	assert_int_equal(out.info, CT_INFO_NEW);
	assert_int_equal(ev->type, CT_EVENT_DESTROY);
	assert_int_equal(ev->status, CT_STATUS_SEEN_REPLY | CT_STATUS_CONFIRMED | CT_STATUS_DYING);
	assert_int_equal(ev->hook, CT_HOOK_NONE);
	assert_true(ev->timeout_ns == 0);
	assert_true(ev->packets[0] == 1 && ev->packets[1] == 1);
	assert_int_equal(out.events[1].type, CT_EVENT_NEW);
	assert_int_equal(out.events[1].status, CT_STATUS_CONFIRMED);
	assert_int_equal(out.events[1].packets[1], 0);
}

static void test_counters(void **state)
{
	uint64_t infos = 0;
	struct pk p;

	udp(1, 2, SEC);
	udp(2, 1, SEC);
	pk_ip(&p, CT_AF_INET, 1, 2, 17, "x", 1);
	engine_track(&e, &p, SEC);
	pk_icmp(&p, CT_AF_INET6, 1, 2, 135, 0, 0, NULL);
	assert_int_equal(engine_track(&e, &p, SEC).info, CT_INFO_UNTRACKED);
	for (int i = 0; i < CT_INFO_MAX; i++)
		infos += atomic_load(&e.th.stats.info[i]);
	assert_int_equal(engine_stat(&e, CT_STAT_PACKETS), 4);
	assert_int_equal(infos, 4);
	assert_int_equal(atomic_load(&e.th.stats.info[CT_INFO_UNTRACKED]), 1);
	assert_int_equal(atomic_load(&e.th.stats.reason[CT_REASON_L4_HEADER]), 1);
	assert_int_equal(engine_stat(&e, CT_STAT_CREATED), 1);
}

#define ENGINE_TEST(f) cmocka_unit_test_setup_teardown(f, open_engine, close_engine)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE_TEST(test_story),
		ENGINE_TEST(test_event_fields),
		ENGINE_TEST(test_events_of_one_packet),
		ENGINE_TEST(test_no_accounting),
		ENGINE_TEST(test_exit_hooks),
		ENGINE_TEST(test_loopback),
		ENGINE_TEST(test_forward_after_prerouting),
		ENGINE_TEST(test_family),
		ENGINE_TEST(test_first_fragment),
		ENGINE_TEST(test_zones),
		ENGINE_TEST(test_unconfirmed),
		ENGINE_TEST(test_invalid_event),
		ENGINE_TEST(test_error_reasons),
		ENGINE_TEST(test_flags_of_assured),
		ENGINE_TEST(test_destroy_event),
		ENGINE_TEST(test_counters),
	};

	return cmocka_run_group_tests_name("track", tests, NULL, NULL);
}
