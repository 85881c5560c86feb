/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The helper for PPTP where packet scripts cannot go: what is left in the tables, ends by the
 * clock, messages copied in part, several threads.
 */

#include "packet.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/adopt.h"
#include "core/table.h"
#include "core/view.h"

#define SERVER	0xffff
#define PORT	1723
#define THREADS 4
#define ROUNDS	20000

enum { START = 1, STARTED = 2, OUT_ASK = 7, OUT_TELL = 8, DISCONNECT = 13 };

static void open_engine(struct engine *e, uint32_t max_flows)
{
	engine_open(e, max_flows);
	e->cfg.helper_ports[0] = (struct ct_helper_port){.port = PORT, .helper = CT_HELPER_PPTP};
	e->cfg.nhelper_ports = 1;
}

/* A segment of the control connection of host, from it or to it. */
static void segment(struct pk *p, uint32_t host, bool back, uint8_t flags, const void *data,
		    size_t n)
{
	uint8_t b[20 + 256];
	struct pk bare;

	pk_tcp(&bare, CT_AF_INET, back ? SERVER : host, back ? host : SERVER, back ? PORT : 1000,
	       back ? 1000 : PORT, flags, flags == PK_SYN ? 99 : 100, flags == PK_SYN ? 0 : 100);
	memcpy(b, bare.b + bare.l4, 20);
	memcpy(b + 20, data, n);
	pk_ip(p, CT_AF_INET, back ? SERVER : host, back ? host : SERVER, 6, b, 20 + n);
	pk_fix_checksum(p, 16);
}

/* A message long enough for its kind; ids and result are placed as the kind wants them. */
static void message(struct pk *p, uint32_t host, int kind, uint16_t client, uint16_t server)
{
	uint8_t b[12 + 208] = {0, 0, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d, 0, (uint8_t)kind},
		       *body = b + 12;
	bool back = kind == STARTED || kind == OUT_TELL || kind == DISCONNECT;

	if (kind == STARTED)
		body[2] = 1;
	if (kind == OUT_ASK)
		body[1] = (uint8_t)client;
	if (kind == OUT_TELL) {
		body[1] = (uint8_t)server;
		body[3] = (uint8_t)client;
		body[4] = 1;
	}
	segment(p, host, back, PK_ACK, b, sizeof(b));
}

static void gre(struct pk *p, uint32_t src, uint32_t dst, uint16_t id)
{
	const uint8_t h[16] = {0x30, 1, 0x88, 0x0b, 0, 4, (uint8_t)(id >> 8), (uint8_t)id};

	pk_ip(p, CT_AF_INET, src, dst, 47, h, sizeof(h));
}

static struct ct_result say(struct engine *e, uint32_t host, int kind, uint16_t client,
			    uint16_t server)
{
	struct pk p;

	message(&p, host, kind, client, server);
	return engine_track(e, &p, SEC);
}

static struct ct_result tunnel(struct engine *e, uint32_t src, uint32_t dst, uint16_t id)
{
	struct pk p;

	gre(&p, src, dst, id);
	return engine_track(e, &p, SEC);
}

/* A control connection with a confirmed session. */
static void connect_host(struct engine *e, uint32_t host)
{
	struct pk p;

	segment(&p, host, false, PK_SYN, "", 0);
	engine_track(e, &p, SEC);
	segment(&p, host, true, PK_SYN | PK_ACK, "", 0);
	p.b[p.l4 + 7] = 99;
	pk_fix_checksum(&p, 16);
	engine_track(e, &p, SEC);
	segment(&p, host, false, PK_ACK, "", 0);
	engine_track(e, &p, SEC);
	say(e, host, START, 0, 0);
	say(e, host, STARTED, 0, 0);
}

static void call(struct engine *e, uint32_t host, uint16_t client, uint16_t server)
{
	say(e, host, OUT_ASK, client, server);
	say(e, host, OUT_TELL, client, server);
}

static uint32_t keys(const struct engine *e)
{
	return ct_keymap_count(&e->th.ct->keymap);
}

static void assert_empty(const struct engine *e)
{
	assert_int_equal(ct_count(e->th.ct), 0);
	assert_int_equal(ct_expect_count(e->th.ct), 0);
	assert_int_equal(keys(e), 0);
}

static void test_call(void **state)
{
	struct engine e;
	uint64_t master, child;

	open_engine(&e, 8);
	connect_host(&e, 1);
	call(&e, 1, 5, 6);
	assert_int_equal(ct_expect_count(e.th.ct), 2);
	assert_int_equal(keys(&e), 1);
	master = say(&e, 1, START, 0, 0).flow;
	child = tunnel(&e, 1, SERVER, 6).flow;
	assert_true(tunnel(&e, SERVER, 1, 5).flow == child);
	assert_int_equal(ct_expect_count(e.th.ct), 0);
	assert_true(e.th.ct->arena.kin[(uint32_t)(child ^ 42)].master == master);
	assert_int_equal(ct_count(e.th.ct), 2);
	engine_close(&e);
}

/* Another process takes the table over: the ids of a call are known to it, met or not. */
static void test_call_is_inherited(void **state)
{
	struct ct_estate estate = {.now_ns = SEC};
	struct ct_params params = {.max_flows = 8, .max_expect = 64, .key = (const uint8_t *)""};
	struct ct_adopted done;
	struct engine e;
	uint64_t child;

	open_engine(&e, 8);
	connect_host(&e, 1);
	call(&e, 1, 5, 6);
	child = tunnel(&e, 1, SERVER, 6).flow;
	connect_host(&e, 2);
	call(&e, 2, 7, 8);
	ct_free(e.th.ct);
	estate.arena = e.arena;
	e.th.ct = ct_adopt(e.arena, ct_arena_size(&params), &params, &estate, &done);
	assert_non_null(e.th.ct);
	assert_int_equal(done.flows, 3);
	assert_int_equal(done.expects, 2);
	assert_int_equal(keys(&e), 2);
	assert_true(tunnel(&e, SERVER, 1, 5).flow == child);
	assert_int_equal(tunnel(&e, 2, SERVER, 8).info, CT_INFO_RELATED);
	assert_int_equal(tunnel(&e, SERVER, 2, 7).info, CT_INFO_ESTABLISHED_REPLY);
	engine_close(&e);
}

/* The clock ends the control connection, and with it the call, told of once. */
static void test_master_expires(void **state)
{
	struct ct_event ev[4];
	uint64_t master;
	struct engine e;
	size_t n;

	open_engine(&e, 8);
	e.cfg.timeout_ns[CT_TIMEOUT_TCP_ESTABLISHED] = e.cfg.timeout_ns[CT_TIMEOUT_TCP_UNACK] =
		5 * SEC;
	connect_host(&e, 1);
	call(&e, 1, 5, 6);
	tunnel(&e, 1, SERVER, 6);
	master = say(&e, 1, START, 0, 0).flow;
	/* the clock may come by the call in the same round, or in the next */
	n = ct_expire(&e.th, 10 * SEC, ev, 4, NULL);
	assert_in_range(n, 1, 2);
	assert_int_equal(ev[0].death, CT_DEATH_TIMEOUT);
	assert_int_equal(keys(&e), 0);
	assert_int_equal(tunnel(&e, 1, SERVER, 6).info, CT_INFO_NEW);
	n += ct_expire(&e.th, 11 * SEC, ev + n, 4 - n, NULL);
	assert_int_equal(n, 2);
	assert_int_equal(ev[1].death, CT_DEATH_MASTER);
	assert_int_equal(ev[1].l4proto, 47);
	assert_true(ev[1].master == master);
	engine_close(&e);
}

/* Somebody wants the control connection ended: the call ends with it, and so does one to come. */
static void test_master_deleted(void **state)
{
	struct ct_event ev, last;
	uint64_t master, child;
	struct ct_view v;
	struct engine e;

	open_engine(&e, 8);
	connect_host(&e, 1);
	call(&e, 1, 5, 6);
	child = tunnel(&e, 1, SERVER, 6).flow;
	connect_host(&e, 2);
	call(&e, 2, 5, 6);
	master = say(&e, 1, START, 0, 0).flow;
	assert_true(ct_view_get(e.th.ct, child, SEC, &v) && v.master == master);
	assert_true(ct_delete(&e.th, master, 2 * SEC, &ev));
	assert_true(ev.flow == master && ev.death == CT_DEATH_DELETED);
	assert_true(ct_view_get(e.th.ct, child, 2 * SEC, &v) && v.timeout_ns == 0);
	assert_int_equal(keys(&e), 1);
	assert_int_equal(ct_expire(&e.th, 3 * SEC, &last, 1, NULL), 1);
	assert_true(last.flow == child && last.death == CT_DEATH_MASTER && last.master == master);
	assert_true(ct_delete(&e.th, say(&e, 2, START, 0, 0).flow, 3 * SEC, &ev));
	assert_int_equal(atomic_load(&e.th.stats.death[CT_DEATH_DELETED]), 2);
	assert_int_equal(atomic_load(&e.th.stats.death[CT_DEATH_MASTER]), 1);
	assert_empty(&e);
	engine_close(&e);
}

static void test_many_masters_expire(void **state)
{
	struct ct_event ev[16];
	struct engine e;
	size_t n, masters = 0, timeouts = 0;

	open_engine(&e, 128);
	e.cfg.timeout_ns[CT_TIMEOUT_TCP_ESTABLISHED] = e.cfg.timeout_ns[CT_TIMEOUT_TCP_UNACK] =
		5 * SEC;
	for (uint32_t host = 1; host <= 60; host++) {
		connect_host(&e, host);
		call(&e, host, 5, 6);
		tunnel(&e, host, SERVER, 6);
	}
	assert_int_equal(ct_count(e.th.ct), 120);
	assert_int_equal(keys(&e), 60);
	for (uint64_t now = 10 * SEC; now < 13 * SEC; now += SEC)
		while ((n = ct_expire(&e.th, now, ev, 16, NULL)) > 0)
			while (n-- > 0)
				ev[n].death == CT_DEATH_MASTER ? masters++ : timeouts++;
	assert_int_equal(masters, 60);
	assert_int_equal(timeouts, 60);
	assert_empty(&e);
	engine_close(&e);
}

static void test_flow_expires(void **state)
{
	struct ct_event ev[4];
	struct engine e;

	open_engine(&e, 8);
	connect_host(&e, 1);
	call(&e, 1, 5, 6);
	tunnel(&e, 1, SERVER, 6);
	assert_int_equal(ct_expire(&e.th, 40 * SEC, ev, 4, NULL), 1);
	assert_int_equal(ev[0].death, CT_DEATH_TIMEOUT);
	assert_int_equal(keys(&e), 0);
	assert_int_equal(ct_count(e.th.ct), 1);
	engine_close(&e);
}

/* A flow that was doomed, but is still in memory, does not take the keys of the next call along. */
static void test_next_call_is_its_own(void **state)
{
	struct ct_event ev[4];
	struct engine e;
	uint64_t first;

	open_engine(&e, 8);
	connect_host(&e, 1);
	call(&e, 1, 5, 6);
	first = tunnel(&e, 1, SERVER, 6).flow;
	say(&e, 1, DISCONNECT, 5, 6);
	assert_int_equal(keys(&e), 0);
	call(&e, 1, 5, 7);
	assert_int_equal(keys(&e), 1);
	assert_int_equal(ct_expire(&e.th, 2 * SEC, ev, 4, NULL), 1);
	assert_true(ev[0].flow == first);
	assert_int_equal(keys(&e), 1);
	assert_int_equal(tunnel(&e, SERVER, 1, 5).info, CT_INFO_RELATED);
	assert_int_equal(tunnel(&e, 1, SERVER, 7).info, CT_INFO_ESTABLISHED_REPLY);
	engine_close(&e);
}

/* [Verdict] Related=drop: the flow never comes to be, so the call has had its chance. */
static void test_refused_class(void **state)
{
	struct engine e;

	open_engine(&e, 8);
	connect_host(&e, 1);
	call(&e, 1, 5, 6);
	e.cfg.no_confirm_classes = 1 << CT_CLASS_RELATED;
	assert_int_equal(tunnel(&e, 1, SERVER, 6).info, CT_INFO_RELATED);
	assert_int_equal(keys(&e), 0);
	assert_int_equal(ct_expect_count(e.th.ct), 0);
	assert_int_equal(ct_count(e.th.ct), 1);
	engine_close(&e);
}

/* More calls than the map has room for: the others are not expected, and nothing is left of them.
 */
static void test_no_room_for_keys(void **state)
{
	struct engine e;

	open_engine(&e, 256);
	for (uint32_t host = 1; host <= 70; host++) {
		connect_host(&e, host);
		call(&e, host, 5, 6);
		assert_int_equal(tunnel(&e, host, SERVER, 6).info,
				 host <= 64 ? CT_INFO_RELATED : CT_INFO_NEW);
		assert_int_equal(ct_expect_count(e.th.ct), 0);
	}
	assert_int_equal(keys(&e), 64);
	engine_close(&e);
}

/* No room for the second of two expectations: the first is taken back. */
static void test_no_room_for_expectations(void **state)
{
	struct ct_expect_spec spec = {.tuple = {.family = CT_AF_INET}, .timeout_ns = 100 * SEC};
	struct engine e;
	uint32_t other;

	open_engine(&e, 8);
	other = ct_arena_put(&e.th.ct->arena, &(struct ct_flow){.helper = CT_HELPER_FTP}, 0);
	for (uint16_t i = 0; i < 63; i++) {
		spec.tuple.dst_id_be = i;
		ct_expect_add(e.th.ct, other, &spec, 0, SEC);
	}
	connect_host(&e, 1);
	call(&e, 1, 5, 6);
	assert_int_equal(ct_expect_count(e.th.ct), 63);
	assert_int_equal(keys(&e), 0);
	assert_false(say(&e, 1, OUT_TELL, 5, 6).drop);
	engine_close(&e);
}

/* Of a message that was not copied whole nothing is believed. */
static void test_copied_part(void **state)
{
	struct ct_result out;
	struct ct_input in;
	struct engine e;
	struct pk p;

	open_engine(&e, 8);
	connect_host(&e, 1);
	say(&e, 1, OUT_ASK, 5, 6);
	message(&p, 1, OUT_TELL, 5, 6);
	in = pk_input(&p, SEC);
	in.csum_unverified = false;
	for (in.caplen = p.l4; in.caplen < p.l4 + 20 + 12 + 20; in.caplen++) {
		ct_track(&e.th, &in, &out);
		assert_int_equal(ct_expect_count(e.th.ct), 0);
	}
	ct_track(&e.th, &in, &out);
	assert_int_equal(ct_expect_count(e.th.ct), 2);
	engine_close(&e);
}

/* --- threads ---------------------------------------------------------------------------------- */

struct job {
	struct ct_thread th;
	pthread_t thread;
	uint64_t seed, related;
};

static void make_packet(uint64_t d, struct pk *p)
{
	static const uint8_t kinds[] = {START, STARTED, OUT_ASK, OUT_TELL, OUT_TELL, DISCONNECT};
	uint32_t host = 1 + d % 4;
	uint16_t client = 5 + (d >> 8) % 2, server = 7 + (d >> 9) % 2;

	switch (d >> 16 & 7) {
	case 0:
		segment(p, host, false, d >> 20 & 7 ? PK_SYN : PK_RST, "", 0);
		break;
	case 1:
		segment(p, host, true, PK_SYN | PK_ACK, "", 0);
		break;
	case 2:
	case 3:
		gre(p, host, SERVER, server);
		break;
	case 4:
		gre(p, SERVER, host, client);
		break;
	default:
		message(p, host, kinds[(d >> 24) % sizeof(kinds)], client, server);
	}
}

static void *work(void *arg)
{
	struct job *j = arg;
	struct ct_event ev[8];
	uint64_t now_ns = SEC;

	for (int i = 0; i < ROUNDS; i++) {
		struct ct_result out;
		struct ct_input in;
		struct pk p;

		make_packet(dice(&j->seed), &p);
		in = pk_input(&p, now_ns);
		ct_track(&j->th, &in, &out);
		j->related += out.info == CT_INFO_RELATED;
		now_ns += dice(&j->seed) % (20 * MSEC);
		if (i % 16 == 0)
			ct_expire(&j->th, now_ns, ev, 8, NULL);
	}
	return NULL;
}

static void run_threads(struct engine *e)
{
	struct job jobs[THREADS] = {0};
	uint64_t related = 0;

	for (uint64_t i = 0; i < THREADS; i++) {
		jobs[i].th = (struct ct_thread){.ct = e->th.ct, .cfg = &e->cfg};
		jobs[i].seed = i;
		assert_int_equal(pthread_create(&jobs[i].thread, NULL, work, &jobs[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(jobs[i].thread, NULL), 0);
		related += jobs[i].related;
	}
	assert_true(related > 0);
}

static void test_threads(void **state)
{
	struct ct_event ev[64];
	struct engine e;

	open_engine(&e, 64);
	run_threads(&e);
	for (uint64_t now = 1000000 * SEC; now < 1000004 * SEC; now += SEC)
		while (ct_expire(&e.th, now, ev, 64, NULL) > 0)
			;
	assert_empty(&e);
	engine_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_call_is_inherited),
		cmocka_unit_test(test_master_expires),
		cmocka_unit_test(test_master_deleted),
		cmocka_unit_test(test_many_masters_expire),
		cmocka_unit_test(test_flow_expires),
		cmocka_unit_test(test_next_call_is_its_own),
		cmocka_unit_test(test_refused_class),
		cmocka_unit_test(test_no_room_for_keys),
		cmocka_unit_test(test_no_room_for_expectations),
		cmocka_unit_test(test_copied_part),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests_name("helper pptp", tests, NULL, NULL);
}
