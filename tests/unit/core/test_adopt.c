/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A table that somebody has left behind: what is taken over, what is given up and what is put back.
 * The dead process is an engine whose arena is copied, the way the memory of a killed one stays.
 */

#include "packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/adopt.h"
#include "core/helper/expect.h"
#include "core/table.h"
#include "core/tcp.h"
#include "core/traced.h"

#define SERVER 0xffff
#define FLOWS  200
#define NOW    (1000 * SEC)

static const uint8_t other_key[16] = "another secret!";

/* What is to be adopted, and by whom. */
struct will {
	struct engine dead, heir;
	void *left; /* the memory of the dead one, as the heir finds it */
	struct ct_estate estate;
	struct ct_params params;
	struct ct_adopted done;
	struct ct_thread *threads[1];
};

static void will_open(struct will *w, uint32_t max_flows)
{
	memset(w, 0, sizeof(*w));
	engine_open(&w->dead, max_flows);
	w->params = (struct ct_params){.max_flows = max_flows, .max_expect = 64, .key = other_key};
	w->threads[0] = &w->dead.th;
	w->estate.threads = w->threads;
	w->estate.nthreads = 1;
	w->estate.now_ns = NOW;
}

static size_t left_size(const struct will *w)
{
	const struct ct_params p = {.max_flows = ct_max_flows(w->dead.th.ct), .max_expect = 64};

	return ct_arena_size(&p);
}

static void *pages(size_t size)
{
	void *p = aligned_alloc(4096, size);

	assert_non_null(p);
	memset(p, 0, size);
	return p;
}

/* The process is gone; its memory can be changed in w->left before it is adopted. */
static void leave(struct will *w)
{
	w->left = pages(left_size(w));
	memcpy(w->left, w->dead.arena, left_size(w));
	w->estate.arena = w->left;
}

static void adopt(struct will *w)
{
	bool in_place = w->params.max_flows == ct_max_flows(w->dead.th.ct);

	if (!w->left)
		leave(w);
	ct_config_init(&w->heir.cfg);
	w->heir.th.cfg = &w->heir.cfg;
	w->heir.arena = in_place ? w->left : pages(ct_arena_size(&w->params));
	w->heir.th.ct = ct_adopt(w->heir.arena, ct_arena_size(&w->params), &w->params, &w->estate,
				 &w->done);
	assert_non_null(w->heir.th.ct);
}

static void will_close(struct will *w)
{
	if (w->heir.arena != w->left)
		free(w->heir.arena);
	ct_free(w->heir.th.ct);
	free(w->left);
	engine_close(&w->dead);
}

static struct ct_flow *left_flow(const struct will *w, uint32_t slot)
{
	struct ct_arena a = {};

	ct_arena_attach(&a, w->left);
	return &a.slots[slot];
}

static struct ct_result udp(struct engine *e, uint32_t host, bool back, uint64_t now_ns)
{
	struct pk p;

	if (back)
		pk_udp(&p, CT_AF_INET, SERVER, host, 53, 1000);
	else
		pk_udp(&p, CT_AF_INET, host, SERVER, 1000, 53);
	return engine_track(e, &p, now_ns);
}

static struct ct_result tcp(struct engine *e, uint32_t host, bool back, uint8_t flags, uint32_t seq,
			    uint32_t ack, uint64_t now_ns)
{
	struct pk p;

	if (back)
		pk_tcp(&p, CT_AF_INET6, SERVER, host, 80, 1000, flags, seq, ack);
	else
		pk_tcp(&p, CT_AF_INET6, host, SERVER, 1000, 80, flags, seq, ack);
	return engine_track(e, &p, now_ns);
}

static struct ct_result handshake(struct engine *e, uint32_t host, uint64_t now_ns)
{
	tcp(e, host, false, PK_SYN, 99, 0, now_ns);
	tcp(e, host, true, PK_SYN | PK_ACK, 499, 100, now_ns);
	return tcp(e, host, false, PK_ACK, 100, 500, now_ns);
}

/* --- all is well ----------------------------------------------------------------------------- */

static void test_flows_live_on(void **state)
{
	uint64_t udp_id[FLOWS], tcp_id[FLOWS];
	struct will w;

	will_open(&w, 2 * FLOWS);
	for (uint32_t i = 0; i < FLOWS; i++) {
		udp_id[i] = udp(&w.dead, 1 + i, false, NOW).flow;
		if (i % 2)
			udp(&w.dead, 1 + i, true, NOW);
		tcp_id[i] = handshake(&w.dead, 1 + i, NOW).flow;
	}
	adopt(&w);
	assert_int_equal(w.done.flows, 2 * FLOWS);
	assert_int_equal(w.done.relaxed, FLOWS);
	assert_int_equal(w.done.damaged + w.done.displaced + w.done.moved + w.done.restored, 0);
	assert_int_equal(ct_count(w.heir.th.ct), 2 * FLOWS);
	for (uint32_t i = 0; i < FLOWS; i++) {
		struct ct_result r = udp(&w.heir, 1 + i, false, NOW + SEC);

		assert_int_equal(r.info, i % 2 ? CT_INFO_ESTABLISHED : CT_INFO_NEW);
		assert_true(r.flow == udp_id[i]);
		r = tcp(&w.heir, 1 + i, true, PK_ACK, 500, 100, NOW + SEC);
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
	udp(&w.dead, 1, false, NOW - 40 * SEC);
	udp(&w.dead, 2, false, NOW - 20 * SEC);
	adopt(&w);
	assert_int_equal(w.done.flows, 2);
	assert_int_equal(ct_expire(&w.heir.th, NOW + SEC, events, 8, NULL), 1);
	assert_int_equal(events[0].death, CT_DEATH_TIMEOUT);
	assert_int_equal(ct_expire(&w.heir.th, NOW + 9 * SEC, events, 8, NULL), 0);
	assert_int_equal(ct_expire(&w.heir.th, NOW + 11 * SEC, events, 8, NULL), 1);
	assert_int_equal(ct_count(w.heir.th.ct), 0);
	will_close(&w);
}

/* The next packet of each side says what its window is, be it far off (semantics 1). */
static void test_windows_are_learned_anew(void **state)
{
	const uint32_t far = 100000000;
	struct ct_result r;
	struct will w;

	will_open(&w, 64);
	handshake(&w.dead, 1, NOW);
	tcp(&w.dead, 2, false, PK_SYN, 99, 0, NOW);
	r = tcp(&w.dead, 1, false, PK_ACK, 100 + far, 500, NOW);
	assert_int_equal(r.info, CT_INFO_INVALID);
	adopt(&w);
	assert_int_equal(w.done.relaxed, 1);
	r = tcp(&w.heir, 1, false, PK_ACK, 100 + far, 500 + far, NOW);
	assert_int_equal(r.info, CT_INFO_ESTABLISHED);
	r = tcp(&w.heir, 1, true, PK_ACK, 500 + far, 100 + far, NOW);
	assert_int_equal(r.info, CT_INFO_ESTABLISHED_REPLY);
	r = tcp(&w.heir, 1, false, PK_ACK, 100, 500 + far, NOW + SEC);
	assert_int_equal(r.info, CT_INFO_ESTABLISHED);
	r = tcp(&w.heir, 1, false, PK_ACK, 100 + 2 * far, 500 + far, NOW + SEC);
	assert_int_equal(r.info, CT_INFO_INVALID);
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
		ids[n++] = udp(&w.dead, 1 + i, false, i % 2 ? NOW : NOW - 60 * SEC).flow;
	adopt(&w);
	ct_expire(&w.heir.th, NOW + SEC, (struct ct_event[64]){}, 64, NULL);
	assert_int_equal(ct_count(w.heir.th.ct), 32);
	for (uint32_t i = 0; i < 32; i++)
		ids[n++] = udp(&w.heir, 1000 + i, false, NOW + SEC).flow;
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
	r = udp(&w.dead, 1, false, NOW);
	assert_int_equal(r.status & CT_STATUS_CONFIRMED, 0);
	adopt(&w);
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
	master = udp(&w.dead, 1, false, NOW).flow;
	for (uint16_t port = 1; port <= 3; port++) {
		s.tuple.dst_id_be = (uint16_t)(port << 8);
		s.tuple.dst.b[0] = 10;
		s.tuple.dst.b[3] = 2;
		assert_int_equal(ct_expect_add(w.dead.th.ct, 1, &s, 0, NOW), CT_EXPECT_OK);
	}
	leave(&w);
	adopt(&w);
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

/* --- a thread died at work ----------------------------------------------------------------------
 */

static void test_flow_is_put_back(void **state)
{
	struct ct_trace *t;
	struct ct_flow *f;
	struct will w;

	will_open(&w, 64);
	udp(&w.dead, 1, false, NOW);
	udp(&w.dead, 2, false, NOW);
	leave(&w);
	t = &w.dead.th.trace;
	f = left_flow(&w, 2);
	t->flow = 2;
	t->salt = 42;
	memcpy(t->saved, (uint8_t *)f + CT_TRACE_FROM, sizeof(t->saved));
	atomic_store(&t->phase, CT_TRACE_BUSY);
	f->life = CT_LIFE_CHANGING;
	f->status = 0xffff;
	f->packets[0] = 77;
	adopt(&w);
	assert_int_equal(w.done.flows, 2);
	assert_int_equal(w.done.restored, 1);
	assert_int_equal(w.done.damaged, 0);
	assert_int_equal(left_flow(&w, 2)->packets[0], 1);
	assert_int_equal(atomic_load(&t->phase), CT_TRACE_NONE);
	assert_int_equal(udp(&w.heir, 2, true, NOW).info, CT_INFO_ESTABLISHED_REPLY);
	will_close(&w);
}

/* A trace of another table, or of a flow that was just being made. */
static void test_trace_that_restores_nothing(void **state)
{
	struct ct_trace *t;
	struct will w;

	will_open(&w, 64);
	udp(&w.dead, 1, false, NOW);
	leave(&w);
	t = &w.dead.th.trace;
	t->flow = 1;
	t->salt = 43;
	memset(t->saved, 0xff, sizeof(t->saved));
	atomic_store(&t->phase, CT_TRACE_BUSY);
	adopt(&w);
	assert_int_equal(w.done.flows, 1);
	assert_int_equal(w.done.restored, 0);
	will_close(&w);

	will_open(&w, 64);
	udp(&w.dead, 1, false, NOW);
	leave(&w);
	t = &w.dead.th.trace;
	t->flow = 1;
	t->salt = 42;
	memset(t->saved, 0, sizeof(t->saved));
	atomic_store(&t->phase, CT_TRACE_BUSY);
	adopt(&w);
	assert_int_equal(w.done.flows + w.done.restored + w.done.damaged, 0);
	assert_int_equal(udp(&w.heir, 1, true, NOW).info, CT_INFO_NEW);
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
	udp(&w.dead, 1, false, NOW);
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
	udp(&w.dead, 1, false, NOW);
	handshake(&w.dead, 2, NOW);
	udp(&w.dead, 3, false, NOW);
	leave(&w);
	memcpy((uint8_t *)left_flow(&w, slot) + d->offset, &d->value, d->size);
	adopt(&w);
	if (w.done.flows != 2 || w.done.damaged != 1)
		fail_msg("%s of entry %u", d->name, slot);
	assert_int_equal(ct_count(w.heir.th.ct), 2);
	assert_int_equal(udp(&w.heir, 3, true, NOW).info, CT_INFO_ESTABLISHED_REPLY);
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
	udp(&w.dead, 1, false, NOW);
	udp(&w.dead, 2, false, NOW);
	leave(&w);
	left_flow(&w, 2)->orig = left_flow(&w, 1)->orig;
	adopt(&w);
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
			udp(&w.dead, 1 + i, false, NOW);
			handshake(&w.dead, 1 + i, NOW);
		}
		leave(&w);
		ct_arena_parts(w.left, parts);
		for (int i = 0; i < 40; i++) {
			const struct ct_arena_part *p = &parts[1 + dice(&seed) % 3];

			((uint8_t *)w.left)[p->offset + dice(&seed) % p->len] =
				(uint8_t)dice(&seed);
		}
		w.params.max_flows = round % 3 ? 128 : 64 + (uint32_t)round;
		adopt(&w);
		for (uint32_t i = 0; i < 60; i++) {
			udp(&w.heir, 1 + i, true, NOW);
			tcp(&w.heir, 1 + i, true, PK_ACK, 500, 100, NOW);
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
	udp(&w.dead, 1, false, NOW);
	leave(&w);
	h = w.left;
	assert_int_equal(ct_arena_read(h, left_size(&w), &facts), CT_ARENA_OK);
	assert_int_equal(facts.max_flows, 64);
	assert_int_equal(facts.high, 1);
	assert_int_equal(facts.size, left_size(&w));
	assert_int_equal(ct_arena_read(h, left_size(&w) - 1, &facts), CT_ARENA_DAMAGED);
	assert_int_equal(ct_arena_read(h, 4095, &facts), CT_ARENA_FOREIGN);
	h->high = 65;
	assert_int_equal(ct_arena_read(h, left_size(&w), &facts), CT_ARENA_DAMAGED);
	h->high = 1;
	h->layout++;
	assert_int_equal(ct_arena_read(h, left_size(&w), &facts), CT_ARENA_LAYOUT);
	h->layout--;
	h->entry_size++;
	assert_int_equal(ct_arena_read(h, left_size(&w), &facts), CT_ARENA_LAYOUT);
	h->entry_size--;
	h->magic++;
	assert_int_equal(ct_arena_read(h, left_size(&w), &facts), CT_ARENA_FOREIGN);
	h->magic--;
	w.params.max_flows = 0;
	assert_null(ct_adopt(w.left, left_size(&w), &w.params, &w.estate, &w.done));
	w.params.max_flows = 63; /* the memory is that of 64 */
	assert_null(ct_adopt(w.left, left_size(&w), &w.params, &w.estate, &w.done));
	w.params.max_flows = 64;
	adopt(&w);
	will_close(&w);
}

/* --- another size, another clock
 * ------------------------------------------------------------------ */

/* n flows from host 1 on; every third is ASSURED. */
static void fill(struct will *w, uint32_t n, uint64_t *ids)
{
	for (uint32_t i = 0; i < n; i++)
		ids[i] = i % 3 ? udp(&w->dead, 1 + i, false, NOW).flow
			       : handshake(&w->dead, 1 + i, NOW).flow;
}

static struct ct_result ask(struct will *w, uint32_t i)
{
	return i % 3 ? udp(&w->heir, 1 + i, false, NOW)
		     : tcp(&w->heir, 1 + i, false, PK_ACK, 100, 500, NOW);
}

static void test_larger_table(void **state)
{
	uint64_t ids[120];
	struct will w;

	will_open(&w, 120);
	fill(&w, 120, ids);
	w.params.max_flows = 500;
	adopt(&w);
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
		udp(&w.dead, 1000 + i, false, NOW - 100 * SEC);
	fill(&w, 60, ids);
	ct_expire(&w.dead.th, NOW, events, 128, NULL);
	assert_int_equal(ct_count(w.dead.th.ct), 60);
	w.params.max_flows = 80;
	adopt(&w);
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
	adopt(&w);
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
	udp(&w.dead, 1, false, NOW);
	udp(&w.dead, 1, true, NOW);
	udp(&w.dead, 2, false, NOW);
	leave(&w);
	ct_arena_forget_key(w.left);
	w.estate.rekey = true;
	w.estate.now_ns = 5 * SEC; /* the machine was started again, and ten seconds are over */
	w.estate.shift_ns = -(int64_t)(NOW + 10 * SEC - 5 * SEC);
	adopt(&w);
	assert_int_equal(w.done.flows, 2);
	assert_int_equal(udp(&w.heir, 1, true, 5 * SEC).info, CT_INFO_ESTABLISHED_REPLY);
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
	udp(&w.dead, 1, false, NOW);
	w.estate.rekey = true;
	adopt(&w);
	assert_int_equal(w.done.flows, 0);
	assert_int_equal(w.done.unconfirmed, 1);
	assert_int_equal(w.done.damaged, 0);
	will_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flows_live_on),
		cmocka_unit_test(test_deadlines_stay),
		cmocka_unit_test(test_windows_are_learned_anew),
		cmocka_unit_test(test_slots_and_ids_go_on),
		cmocka_unit_test(test_confirmation_goes_on),
		cmocka_unit_test(test_expectations_are_met),
		cmocka_unit_test(test_flow_is_put_back),
		cmocka_unit_test(test_trace_that_restores_nothing),
		cmocka_unit_test(test_result_is_recalled),
		cmocka_unit_test(test_damaged_entry_goes_alone),
		cmocka_unit_test(test_second_of_a_pair_is_damaged),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_larger_table),
		cmocka_unit_test(test_smaller_table_with_room),
		cmocka_unit_test(test_smaller_table_keeps_the_assured),
		cmocka_unit_test(test_other_clock_and_secret),
		cmocka_unit_test(test_other_secret_forgets_who_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
