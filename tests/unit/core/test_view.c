/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What others see of the table: each flow once, by its id, and its end on request. */

#include "packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/table.h"
#include "core/tcp.h"
#include "core/view.h"

#define MAX    4096
#define CAP    64
#define SERVER 0xffffff
#define CALLS  1000 /* of a walk that does not end */

/* Flows by their slots, as a walk tells of them. */
struct seen {
	unsigned int times[MAX + 1];
	uint64_t id[MAX + 1];
	size_t n;
};

static void open_table(struct engine *e, uint32_t buckets)
{
	engine_open(e, MAX);
	assert_true(buckets - 1 <= e->th.ct->bucket_mask);
	e->th.ct->bucket_mask = buckets - 1;
}

static uint64_t add(struct engine *e, uint32_t host, uint16_t port, uint64_t now_ns)
{
	struct ct_result out;
	struct pk p;

	pk_udp(&p, host & 1 ? CT_AF_INET6 : CT_AF_INET, host, SERVER, port, 53);
	out = engine_track(e, &p, now_ns);
	assert_int_equal(out.info, CT_INFO_NEW);
	return out.flow;
}

static void see(struct engine *e, struct seen *s, const struct ct_view *v)
{
	uint32_t slot = ct_flow_slot(e->th.ct, v->flow);

	assert_in_range(slot, 1, MAX);
	s->times[slot]++;
	s->id[slot] = v->flow;
	s->n++;
}

/* One call; what it returns beyond what it says it returns is left alone. */
static size_t walk_some(struct engine *e, struct ct_walk *w, struct seen *s, size_t cap)
{
	struct ct_view v[CAP + 1];
	size_t n;

	memset(v, 0xee, sizeof(v));
	n = ct_walk_next(e->th.ct, w, SEC, v, cap);
	assert_true(n <= cap);
	assert_int_equal(v[n].flow, 0xeeeeeeeeeeeeeeee);
	for (size_t i = 0; i < n; i++)
		see(e, s, &v[i]);
	return n;
}

static unsigned int walk(struct engine *e, struct seen *s, size_t cap)
{
	struct ct_walk w = {};
	unsigned int calls = 0;

	memset(s, 0, sizeof(*s));
	while (!w.done) {
		walk_some(e, &w, s, cap);
		assert_true(++calls < CALLS * MAX);
	}
	assert_int_equal(ct_walk_next(e->th.ct, &w, SEC, NULL, cap), 0);
	assert_true(w.done);
	return calls;
}

/* --- a walk ----------------------------------------------------------------------------------- */

/* An empty table is gone through in few calls, each of which ends. */
static void test_empty(void **state)
{
	struct engine e;
	static struct seen s;
	unsigned int calls;

	engine_open(&e, 1 << 20);
	calls = walk(&e, &s, CAP);
	assert_in_range(calls, 2, 1 + (e.th.ct->bucket_mask >> 14));
	assert_int_equal(s.n, 0);
	engine_close(&e);
}

static void check_all(struct engine *e, uint32_t n, size_t cap)
{
	static struct seen s;

	walk(e, &s, cap);
	assert_int_equal(s.n, n);
	for (uint32_t i = 1; i <= n; i++)
		assert_int_equal(s.times[i], 1);
}

/* Whatever the shape of the table and the size of the parts. */
static void test_each_once(void **state)
{
	static const uint32_t buckets[] = {CT_STRIPES, 256, MAX * 2};
	static const size_t caps[] = {1, 15, 16, 17, CAP};

	for (unsigned int b = 0; b < 3; b++) {
		struct engine e;

		open_table(&e, buckets[b]);
		for (uint32_t i = 0; i < 3000; i++)
			add(&e, i, (uint16_t)i, SEC);
		for (unsigned int c = 0; c < 5; c++)
			check_all(&e, 3000, caps[c]);
		engine_close(&e);
	}
}

/* One chain with everything in it. */
static void test_one_chain(void **state)
{
	struct engine e;

	open_table(&e, CT_STRIPES);
	e.th.ct->bucket_mask = 0;
	for (uint32_t i = 0; i < 1000; i++)
		add(&e, i, 7, SEC);
	check_all(&e, 1000, 16);
	check_all(&e, 1000, 7);
	engine_close(&e);
}

/* Ends and begins as many flows as come up, none of them among the first stay. */
static void churn(struct engine *e, uint64_t *ids, uint32_t stay, uint32_t n, uint32_t *host,
		  uint64_t *dice_at)
{
	struct ct_event ev;

	for (unsigned int i = 0; i < 20; i++) {
		uint32_t at = stay + (uint32_t)(dice(dice_at) % (n - stay));

		assert_true(ct_delete(&e->th, ids[at], SEC, &ev));
		if (dice(dice_at) % 2) /* its slot goes to another one */
			(void)add(e, (*host)++, 9, SEC);
		ids[at] = add(e, (*host)++, 9, SEC);
	}
}

/* Flows come and go between two calls; those that stay are found exactly once all the same. */
static void check_churn(uint32_t buckets, uint64_t seed)
{
	enum { N = 600, STAY = 200 };
	static struct seen s;
	uint64_t ids[N];
	uint32_t host = N;
	struct ct_walk w = {};
	struct engine e;

	open_table(&e, CT_STRIPES);
	e.th.ct->bucket_mask = buckets - 1;
	for (uint32_t i = 0; i < N; i++)
		ids[(i * 7) % N] = add(&e, i, 7, SEC);
	memset(&s, 0, sizeof(s));
	while (!w.done && ct_count(e.th.ct) < MAX - 40) {
		walk_some(&e, &w, &s, 1 + dice(&seed) % CAP);
		churn(&e, ids, STAY, N, &host, &seed);
	}
	assert_true(w.done);
	for (uint32_t i = 0; i < STAY; i++) {
		uint32_t slot = ct_flow_slot(e.th.ct, ids[i]);

		assert_int_equal(s.times[slot], 1);
		assert_true(s.id[slot] == ids[i]);
	}
	engine_close(&e);
}

static void test_churn(void **state)
{
	for (uint64_t seed = 0; seed < 40; seed++)
		check_churn(seed % 2 ? 1 : CT_STRIPES, seed);
}

/* A walk that somebody else made up ends, too. */
static void test_strange_walk(void **state)
{
	struct ct_walk w = {.bucket = UINT32_MAX, .slot = 77};
	struct ct_view v[CAP];
	struct engine e;

	open_table(&e, CT_STRIPES);
	add(&e, 1, 1, SEC);
	assert_int_equal(ct_walk_next(e.th.ct, &w, SEC, v, CAP), 0);
	assert_true(w.done);
	w = (struct ct_walk){.bucket = 0, .slot = UINT32_MAX};
	while (!w.done)
		assert_in_range(ct_walk_next(e.th.ct, &w, SEC, v, CAP), 0, 1);
	engine_close(&e);
}

/* Whoever waits for its confirmation is not there yet. */
static void test_unconfirmed(void **state)
{
	static struct seen s;
	struct ct_view v;
	struct ct_event ev;
	struct ct_input in;
	struct ct_result out;
	struct engine e;
	struct pk p;

	open_table(&e, CT_STRIPES);
	e.cfg.confirm = CT_CONFIRM_EXIT;
	pk_udp(&p, CT_AF_INET, 1, 2, 3, 4);
	out = engine_track(&e, &p, SEC);
	assert_int_equal(ct_count(e.th.ct), 1);
	walk(&e, &s, CAP);
	assert_int_equal(s.n, 0);
	assert_false(ct_view_get(e.th.ct, ct_arena_id(&e.th.ct->arena, 1), SEC, &v));
	assert_false(ct_delete(&e.th, ct_arena_id(&e.th.ct->arena, 1), SEC, &ev));
	in = pk_input(&p, SEC);
	in.hook = CT_HOOK_POSTROUTING;
	in.mark = out.mark;
	ct_track(&e.th, &in, &out);
	walk(&e, &s, CAP);
	assert_int_equal(s.n, 1);
	assert_true(ct_view_get(e.th.ct, ct_arena_id(&e.th.ct->arena, 1), SEC, &v));
	engine_close(&e);
}

/* --- one flow --------------------------------------------------------------------------------- */

static bool same_tuple(const struct ct_tuple *a, const struct ct_tuple *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static void assert_same_peer(const struct ct_view_peer *a, const struct ct_view_peer *b)
{
	assert_true(a->end == b->end && a->maxend == b->maxend && a->maxwin == b->maxwin);
	assert_true(a->seq_min == b->seq_min && a->seq_max == b->seq_max);
	assert_true(a->ack_min == b->ack_min && a->ack_max == b->ack_max);
	assert_true(a->maxack == b->maxack && a->scale == b->scale && a->flags == b->flags);
}

static void assert_same(const struct ct_view *a, const struct ct_view *b)
{
	assert_true(a->flow == b->flow && a->master == b->master);
	assert_true(same_tuple(&a->orig, &b->orig) && same_tuple(&a->reply, &b->reply));
	assert_true(a->timeout_ns == b->timeout_ns && a->status == b->status);
	assert_true(a->state == b->state && a->helper == b->helper);
	assert_memory_equal(a->packets, b->packets, sizeof(a->packets));
	assert_memory_equal(a->bytes, b->bytes, sizeof(a->bytes));
	if (a->orig.proto == CT_PROTO_TCP)
		for (int d = 0; d < CT_DIR_MAX; d++)
			assert_same_peer(&a->l4.tcp.peer[d], &b->l4.tcp.peer[d]);
}

/* A walk and a look at one flow tell the same, and it is what an event tells. */
static void check_told(struct engine *e, const struct ct_result *out, const struct ct_event *ev)
{
	struct ct_walk w = {};
	struct ct_view v, all[CAP];

	memset(&v, 0, sizeof(v));
	memset(all, 0, sizeof(all));
	assert_true(ct_view_get(e->th.ct, out->flow, 2 * SEC, &v));
	assert_int_equal(v.timeout_ns, out->timeout_ns - SEC);
	assert_int_equal(v.status, out->status);
	assert_int_equal(v.state, out->state);
	assert_true(v.flow == out->flow && v.flow == ev->flow && v.master == ev->master);
	assert_true(same_tuple(&v.orig, &ev->orig) && same_tuple(&v.reply, &ev->reply));
	assert_int_equal(v.helper, ev->helper);
	for (int d = 0; d < CT_DIR_MAX; d++) {
		assert_true(v.packets[d] == ev->packets[d] && v.bytes[d] == ev->bytes[d]);
		assert_true(v.packets[d] > 0 || d == CT_DIR_REPLY);
	}
	assert_int_equal(ct_walk_next(e->th.ct, &w, 2 * SEC, all, CAP), 1);
	assert_same(&all[0], &v);
}

static void test_udp(void **state)
{
	struct ct_result out;
	struct engine e;
	struct pk p;

	open_table(&e, CT_STRIPES);
	pk_udp(&p, CT_AF_INET6, 1, 2, 3, 4);
	out = engine_track(&e, &p, SEC);
	check_told(&e, &out, &out.events[0]);
	pk_udp(&p, CT_AF_INET6, 2, 1, 4, 3);
	out = engine_track(&e, &p, SEC);
	assert_int_equal(out.nevents, 1);
	check_told(&e, &out, &out.events[0]);
	engine_close(&e);
}

static void test_tcp(void **state)
{
	const struct ct_view_peer *a, *b;
	struct ct_result out;
	struct ct_view v;
	struct engine e;
	struct pk p;

	open_table(&e, CT_STRIPES);
	pk_tcp(&p, CT_AF_INET, 1, 2, 3, 80, PK_SYN, 1000, 0);
	out = engine_track(&e, &p, SEC);
	check_told(&e, &out, &out.events[0]);
	assert_true(ct_view_get(e.th.ct, out.flow, SEC, &v));
	a = &v.l4.tcp.peer[CT_DIR_ORIGINAL];
	b = &v.l4.tcp.peer[CT_DIR_REPLY];
	assert_true(a->end == 1001 && a->maxend == 1001 && a->maxwin == 65535 && b->maxwin == 0);
	assert_true(a->seq_max == 1001 && a->any_age && a->seq_min - 1001 > 1u << 31);
	assert_int_equal(v.l4.tcp.last_index, CT_TCP_SYN);
	pk_tcp(&p, CT_AF_INET, 2, 1, 80, 3, PK_SYN | PK_ACK, 5000, 1001);
	engine_track(&e, &p, SEC);
	pk_tcp(&p, CT_AF_INET, 1, 2, 3, 80, PK_ACK, 1001, 5001);
	out = engine_track(&e, &p, SEC);
	check_told(&e, &out, &out.events[0]);
	assert_true(ct_view_get(e.th.ct, out.flow, SEC, &v));
	assert_int_equal(v.state, CT_TCP_STATE_ESTABLISHED);
	assert_false(a->any_age || b->any_age);
	assert_true(a->seq_min == 1001u - 65535 && a->seq_max == 1001 + 65535);
	assert_true(a->ack_min == 5001u - 66000 && a->ack_max == 5001);
	assert_true(b->seq_min == 5001u - 65535 && b->seq_max == 5001 + 65535);
	assert_true(b->ack_min == 1001u - 66000 && b->ack_max == 1001);
	assert_true(a->maxack == 5001 && a->flags & CT_TCP_MAXACK_SET);
	assert_int_equal(v.l4.tcp.last_index, CT_TCP_ACK);
	assert_int_equal(v.l4.tcp.last_dir, CT_DIR_ORIGINAL);
	engine_close(&e);
}

static void test_sctp(void **state)
{
	uint8_t init[32] = {0, 7, 0, 9, [12] = 1, 0, 0, 20, 1, 2, 3, 4, 0, 0, 5, 220, 0, 1, 0, 1};
	struct ct_result out;
	struct ct_view v;
	struct engine e;
	struct pk p;

	open_table(&e, CT_STRIPES);
	e.cfg.checksum = false;
	pk_ip(&p, CT_AF_INET, 1, 2, 132, init, sizeof(init));
	out = engine_track(&e, &p, SEC);
	assert_int_equal(out.info, CT_INFO_NEW);
	check_told(&e, &out, &out.events[0]);
	assert_true(ct_view_get(e.th.ct, out.flow, SEC, &v));
	assert_true(v.l4.sctp.vtag[CT_DIR_ORIGINAL] == 0); /* what INIT itself carries */
	assert_true(v.l4.sctp.vtag[CT_DIR_REPLY] == 0x01020304);
	engine_close(&e);
}

/* One whose time is up and that nobody has ended yet is there, with nothing left. */
static void test_over(void **state)
{
	struct ct_view v;
	struct engine e;
	uint64_t id;

	open_table(&e, CT_STRIPES);
	id = add(&e, 1, 1, SEC);
	assert_true(ct_view_get(e.th.ct, id, 100 * SEC, &v));
	assert_int_equal(v.timeout_ns, 0);
	engine_close(&e);
}

static void check_none(struct engine *e, uint64_t id)
{
	struct ct_view v, before;
	struct ct_event ev;

	memset(&v, 0xee, sizeof(v));
	before = v;
	assert_false(ct_view_get(e->th.ct, id, SEC, &v));
	assert_memory_equal(&v, &before, sizeof(v));
	assert_false(ct_delete(&e->th, id, SEC, &ev));
	assert_true(ct_flow_slot(e->th.ct, id) <= MAX);
}

/* Ids that nobody has, and those of flows that are gone. */
static void test_other_ids(void **state)
{
	uint64_t id, salt, next, seed = 3;
	struct ct_event ev;
	struct ct_view v;
	struct engine e;

	open_table(&e, CT_STRIPES);
	check_none(&e, 0);
	id = add(&e, 1, 1, SEC);
	salt = e.th.ct->arena.id_salt;
	check_none(&e, salt);		   /* slot 0 */
	check_none(&e, id ^ 1ull << 32);   /* another generation */
	check_none(&e, id ^ 3);		   /* the next slot, never used */
	check_none(&e, salt ^ UINT32_MAX); /* no slot at all */
	check_none(&e, salt ^ UINT64_MAX);
	check_none(&e, salt ^ (MAX | 1ull << 32));
	check_none(&e, salt ^ ((MAX + 1) | 1ull << 32));
	assert_int_equal(ct_flow_slot(e.th.ct, salt ^ (MAX + 1)), 0);
	for (int i = 0; i < 10000; i++)
		check_none(&e, dice(&seed));
	for (uint64_t i = 0; i < 100000; i++) /* low numbers are what somebody would try */
		if (i != id)
			check_none(&e, i);
	assert_true(ct_delete(&e.th, id, SEC, &ev));
	check_none(&e, id);
	next = add(&e, 2, 2, SEC);
	assert_int_equal(ct_flow_slot(e.th.ct, next), ct_flow_slot(e.th.ct, id));
	check_none(&e, id);
	assert_true(ct_view_get(e.th.ct, next, SEC, &v));
	engine_close(&e);
}

/* --- an end on request ------------------------------------------------------------------------ */

static uint64_t deaths(const struct engine *e, enum ct_death death)
{
	return atomic_load(&e->th.stats.death[death]);
}

static void test_delete(void **state)
{
	struct ct_result out;
	struct ct_event ev;
	struct engine e;
	struct pk p;

	open_table(&e, CT_STRIPES);
	out = engine_assured(&e, 1, SEC);
	memset(&ev, 0xee, sizeof(ev));
	assert_true(ct_delete(&e.th, out.flow, 10 * SEC, &ev));
	assert_int_equal(ev.type, CT_EVENT_DESTROY);
	assert_int_equal(ev.death, CT_DEATH_DELETED);
	assert_int_equal(ev.hook, CT_HOOK_NONE);
	assert_true(ev.flow == out.flow && ev.time_ns == 10 * SEC && ev.accounted);
	assert_true(ev.packets[CT_DIR_ORIGINAL] == 2 && ev.packets[CT_DIR_REPLY] == 1);
	assert_true(ev.status & CT_STATUS_DYING && ev.timeout_ns == 114 * SEC);
	assert_int_equal(ct_count(e.th.ct), 0);
	assert_int_equal(engine_stat(&e, CT_STAT_DESTROYED), 1);
	assert_int_equal(deaths(&e, CT_DEATH_DELETED), 1);
	assert_false(ct_delete(&e.th, out.flow, 10 * SEC, &ev));
	pk_udp(&p, CT_AF_INET, 1, 0xffffff, 1000, 53);
	assert_int_equal(engine_track(&e, &p, 10 * SEC).info, CT_INFO_NEW);
	engine_close(&e);
}

/* Out of the middle, the head and the end of a chain, and off the wheel. */
static void test_delete_all(void **state)
{
	struct ct_event ev, events[4];
	uint64_t ids[300];
	struct engine e;

	open_table(&e, CT_STRIPES);
	for (uint32_t i = 0; i < 300; i++)
		ids[(i * 7) % 300] = add(&e, i, 7, SEC);
	for (uint32_t i = 0; i < 299; i++) {
		assert_true(ct_delete(&e.th, ids[i], SEC, &ev));
		assert_true(ev.flow == ids[i]);
	}
	assert_int_equal(ct_expire(&e.th, 100 * SEC, events, 4, NULL), 1);
	assert_true(events[0].flow == ids[299]);
	assert_int_equal(ct_count(e.th.ct), 0);
	assert_int_equal(deaths(&e, CT_DEATH_DELETED), 299);
	assert_int_equal(deaths(&e, CT_DEATH_TIMEOUT), 1);
	engine_close(&e);
}

/* Deaths of all threads together are the ends of flows. */
static void test_deaths_add_up(void **state)
{
	static struct ct_stats sum;
	uint64_t all = 0;
	struct ct_event ev;
	struct engine e;
	struct pk p;

	open_table(&e, CT_STRIPES);
	assert_true(ct_delete(&e.th, add(&e, 1, 1, SEC), SEC, &ev));
	pk_tcp(&p, CT_AF_INET, 1, 2, 3, 80, PK_SYN, 1000, 0);
	engine_track(&e, &p, SEC);
	pk_tcp(&p, CT_AF_INET, 1, 2, 3, 80, PK_RST, 1001, 0);
	engine_track(&e, &p, SEC);
	add(&e, 2, 2, SEC);
	assert_int_equal(ct_expire(&e.th, 100 * SEC, &ev, 1, NULL), 1);
	memset(&sum, 0, sizeof(sum));
	ct_stats_add(&sum, &e.th.stats);
	ct_stats_add(&sum, &e.th.stats);
	for (int i = 0; i < CT_DEATH_MAX; i++)
		all += atomic_load(&sum.death[i]);
	assert_int_equal(all, 6);
	assert_int_equal(all, atomic_load(&sum.count[CT_STAT_DESTROYED]));
	assert_int_equal(atomic_load(&sum.death[CT_DEATH_TCP_RST]), 2);
	assert_int_equal(atomic_load(&sum.death[CT_DEATH_NONE]), 0);
	engine_close(&e);
}

/* --- expectations ----------------------------------------------------------------------------- */

static enum ct_expect_error expect(struct engine *e, uint64_t master, uint16_t i, uint8_t flags)
{
	struct ct_expect_spec s = {
		.tuple = {.family = CT_AF_INET, .proto = 6, .dst_id_be = i},
		.any_src = i % 2,
		.any_src_id = true,
		.flags = flags,
		.helper = CT_HELPER_TFTP,
		.timeout_ns = (10 + i) * SEC,
	};

	s.tuple.dst.b[0] = (uint8_t)(1 + i);
	s.tuple.src.b[0] = i % 2 ? 0 : 9;
	return ct_expect_add(e->th.ct, ct_flow_slot(e->th.ct, master), &s, 0, SEC);
}

/* A flow that may expect something, by hand: it has a helper. */
static uint64_t add_master(struct engine *e)
{
	struct pk p;

	e->cfg.helper_ports[0] = (struct ct_helper_port){21, CT_HELPER_FTP};
	e->cfg.nhelper_ports = 1;
	pk_tcp(&p, CT_AF_INET, 1, 2, 3, 21, PK_SYN, 1000, 0);
	return engine_track(e, &p, SEC).flow;
}

static void check_expect(const struct ct_view_expect *x, uint64_t master)
{
	uint16_t i = x->tuple.dst_id_be;

	assert_int_equal(x->tuple.dst.b[0], 1 + i);
	assert_true(x->any_src_id && x->any_src == i % 2);
	assert_true(x->permanent == (i % 3 == 0) && x->inactive == (i % 5 == 0));
	assert_int_equal(x->helper, CT_HELPER_TFTP);
	assert_true(x->master == master && x->timeout_ns == (9 + i) * SEC);
}

static void check_expects(struct engine *e, uint64_t master, size_t cap, unsigned int want)
{
	struct ct_view_expect x[CAP];
	unsigned int times[CAP] = {0}, n = 0;
	uint32_t at = 0;

	while (at != UINT32_MAX) {
		size_t got = ct_expect_next(e->th.ct, &at, 2 * SEC, x, cap);

		assert_true(got <= cap);
		n += (unsigned int)got;
		for (size_t i = 0; i < got; i++) {
			check_expect(&x[i], master);
			times[x[i].tuple.dst_id_be]++;
		}
	}
	assert_int_equal(n, want);
	for (int i = 0; i < CAP; i++)
		assert_in_range(times[i], 0, 1);
}

static void test_expectations(void **state)
{
	struct ct_view_expect x;
	struct ct_event ev;
	uint64_t master;
	uint32_t at = 0;
	struct engine e;

	open_table(&e, CT_STRIPES);
	assert_int_equal(ct_expect_next(e.th.ct, &at, SEC, &x, 1), 0);
	assert_int_equal(at, UINT32_MAX);
	assert_int_equal(ct_expect_next(e.th.ct, &at, SEC, &x, 1), 0);
	master = add_master(&e);
	for (uint16_t i = 0; i < CAP; i++)
		assert_int_equal(expect(&e, master, i,
					(uint8_t)((i % 3 ? 0 : CT_EXPECT_PERMANENT) |
						  (i % 5 ? 0 : CT_EXPECT_INACTIVE))),
				 CT_EXPECT_OK);
	for (size_t cap = 1; cap <= CAP; cap++)
		check_expects(&e, master, cap, CAP);
	at = 0; /* those that are over are not shown, though nobody has come by */
	assert_int_equal(ct_expect_next(e.th.ct, &at, 1000 * SEC, &x, 1), 0);
	assert_true(ct_delete(&e.th, master, 2 * SEC, &ev));
	assert_int_equal(ct_expect_count(e.th.ct), 0);
	check_expects(&e, master, CAP, 0);
	at = 1000; /* beyond the table */
	assert_int_equal(ct_expect_next(e.th.ct, &at, SEC, &x, 1), 0);
	assert_int_equal(at, UINT32_MAX);
	engine_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),	     cmocka_unit_test(test_each_once),
		cmocka_unit_test(test_one_chain),    cmocka_unit_test(test_churn),
		cmocka_unit_test(test_strange_walk), cmocka_unit_test(test_unconfirmed),
		cmocka_unit_test(test_udp),	     cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_sctp),	     cmocka_unit_test(test_over),
		cmocka_unit_test(test_other_ids),    cmocka_unit_test(test_delete),
		cmocka_unit_test(test_delete_all),   cmocka_unit_test(test_deaths_add_up),
		cmocka_unit_test(test_expectations),
	};

	return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
