/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What is kept of flows and of packets without one, what is forgotten, and in which order. */

#include "packet.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/history.h"
#include "core/pkt.h"
#include "core/view.h"

#define SLOTS	100
#define WORKERS 4
#define NOTES	100000

struct past {
	struct ct_history *h;
	void *memory;
	size_t size;
};

static void past_open(struct past *p, uint32_t slots, uint32_t depth, uint32_t strays)
{
	const struct ct_history_params params = {slots, depth, strays};

	p->size = ct_history_size(&params);
	assert_true(p->size > 0);
	p->memory = aligned_alloc(64, (p->size + 63) / 64 * 64);
	assert_non_null(p->memory);
	memset(p->memory, 0, p->size);
	p->h = ct_history_init(p->memory, &params);
	assert_non_null(p->h);
}

static void past_close(struct past *p)
{
	free(p->memory);
}

/* Event number n of a flow, with numbers that tell it from others. */
static struct ct_event event(uint8_t type, uint64_t flow, uint32_t n)
{
	struct ct_event ev = {
		.type = type,
		.flow = flow,
		.time_ns = SEC + n,
		.mark = n,
		.timeout_ns = (n + 1) * SEC + 7,
		.status = CT_STATUS_CONFIRMED,
		.info = CT_INFO_ESTABLISHED_REPLY,
		.dir = CT_DIR_REPLY,
		.hook = CT_HOOK_FORWARD,
		.state_old = 3,
		.state_new = 4,
		.begins = type == CT_EVENT_NEW,
	};

	if (type == CT_EVENT_INVALID) {
		ev.reason = CT_REASON_TCP_SEQ_OVER;
		for (uint32_t i = 0; i < CT_DETAIL_MAX; i++)
			ev.detail[i] = n * 10 + i;
	}
	return ev;
}

static void note(struct past *p, uint32_t slot, uint8_t type, uint64_t flow, uint32_t n)
{
	struct ct_event ev = event(type, flow, n);

	ct_history_note(p->h, slot, &ev);
}

static void check_step(const struct ct_history_step *s, uint8_t type, uint32_t n)
{
	bool invalid = type == CT_EVENT_INVALID;

	assert_int_equal(s->type, type);
	assert_int_equal(s->mark, n);
	assert_int_equal(s->time_ns, SEC + n);
	assert_int_equal(s->timeout_s, n + 1);
	assert_int_equal(s->status, CT_STATUS_CONFIRMED);
	assert_int_equal(s->info, CT_INFO_ESTABLISHED_REPLY);
	assert_int_equal(s->dir, CT_DIR_REPLY);
	assert_int_equal(s->begins, type == CT_EVENT_NEW);
	assert_int_equal(s->hook, CT_HOOK_FORWARD);
	assert_true(s->state_old == 3 && s->state_new == 4);
	assert_int_equal(s->reason, invalid ? CT_REASON_TCP_SEQ_OVER : CT_REASON_NONE);
	for (uint32_t i = 0; i < CT_DETAIL_MAX; i++)
		assert_int_equal(s->detail[i], invalid ? n * 10 + i : 0);
}

/* The steps of a flow are those with these numbers; in capitals the INVALID ones. */
static void check(struct past *p, uint32_t slot, uint64_t flow, const char *want,
		  uint64_t forgotten)
{
	struct ct_history_step s[CT_HISTORY_STEPS_MAX];
	uint64_t lost;
	size_t n = ct_history_get(p->h, slot, flow, s, &lost);

	assert_int_equal(n, strlen(want));
	assert_int_equal(lost, forgotten);
	for (size_t i = 0; i < n; i++) {
		bool invalid = want[i] < 'a';

		check_step(&s[i], invalid ? CT_EVENT_INVALID : (i ? CT_EVENT_STATE : s[0].type),
			   (uint32_t)(want[i] - (invalid ? 'A' : 'a')));
	}
}

/* Notes events by the same letters: each is one later than that before it in the alphabet. */
static void play(struct past *p, uint32_t slot, uint64_t flow, const char *events)
{
	for (; *events; events++) {
		bool invalid = *events < 'a';

		note(p, slot,
		     invalid	      ? CT_EVENT_INVALID
		     : *events == 'a' ? CT_EVENT_NEW
				      : CT_EVENT_STATE,
		     flow, (uint32_t)(*events - (invalid ? 'A' : 'a')));
	}
}

/* --- of flows --------------------------------------------------------------------------------- */

static void test_sizes(void **state)
{
	struct ct_history_params p = {.slots = 1000, .depth = 8};
	size_t one;

	one = ct_history_size(&p);
	p.slots += 1000;
	assert_in_range(ct_history_size(&p) - one, 1000 * (16 + 8 * 24 + 112) - 128,
			1000 * (16 + 8 * 24 + 112) + 128);
	p.strays = 100;
	assert_true(ct_history_size(&p) > 100 * sizeof(struct ct_event));
	p = (struct ct_history_params){CT_FLOWS_MAX, CT_HISTORY_DEPTH_MAX, CT_HISTORY_STRAYS_MAX};
	assert_true(ct_history_size(&p) > (size_t)CT_FLOWS_MAX * 64 * 24);
	for (int i = 0; i < 5; i++) {
		struct ct_history_params bad = p;

		bad.slots = i == 0 ? 0 : i == 1 ? CT_FLOWS_MAX + 1 : p.slots;
		bad.depth = i == 2 ? 0 : i == 3 ? CT_HISTORY_DEPTH_MAX + 1 : p.depth;
		bad.strays = i == 4 ? CT_HISTORY_STRAYS_MAX + 1 : p.strays;
		assert_int_equal(ct_history_size(&bad), 0);
		assert_null(ct_history_init(NULL, &bad));
	}
}

static void test_wrap(void **state)
{
	struct past p;

	past_open(&p, SLOTS, 3, 0);
	check(&p, 7, 77, "", 0);
	play(&p, 7, 77, "a");
	check(&p, 7, 77, "a", 0);
	play(&p, 7, 77, "bc");
	check(&p, 7, 77, "abc", 0);
	play(&p, 7, 77, "d");
	check(&p, 7, 77, "bcd", 1);
	play(&p, 7, 77, "efghi");
	check(&p, 7, 77, "ghi", 6);
	check(&p, 7, 78, "", 0);
	check(&p, 8, 77, "", 0);
	past_close(&p);
}

static void test_depths(void **state)
{
	for (uint32_t depth = 1; depth <= CT_HISTORY_DEPTH_MAX; depth++) {
		struct ct_history_step s[CT_HISTORY_STEPS_MAX];
		uint64_t lost;
		struct past p;

		past_open(&p, 2, depth, 0);
		for (uint32_t i = 0; i < 200; i++)
			note(&p, 2, CT_EVENT_STATE, 5, i);
		note(&p, 1, CT_EVENT_NEW, 4, 0); /* the neighbour is not touched */
		assert_int_equal(ct_history_get(p.h, 2, 5, s, &lost), depth);
		assert_int_equal(lost, 200 - depth);
		for (uint32_t i = 0; i < depth; i++)
			check_step(&s[i], CT_EVENT_STATE, 200 - depth + i);
		check(&p, 1, 4, "a", 0);
		past_close(&p);
	}
}

/* INVALID packets stand between the transitions, and a flood of them washes out none of these. */
static void test_invalid(void **state)
{
	struct past p;

	past_open(&p, SLOTS, 4, 0);
	play(&p, 1, 9, "aBcDe");
	check(&p, 1, 9, "aBcDe", 0);
	play(&p, 1, 9, "F");
	check(&p, 1, 9, "acDeF", 1);
	for (uint32_t i = 6; i < 1000; i++)
		note(&p, 1, CT_EVENT_INVALID, 9, i % 2 ? 8 : 7);
	check(&p, 1, 9, "aceHI", 1 + 994);
	play(&p, 1, 9, "jklm");
	check(&p, 1, 9, "HIjklm", 1 + 994 + 3);
	past_close(&p);
}

/* Those of one moment, as of one batch, stay in the order in which they were noted. */
static void test_same_moment(void **state)
{
	static const uint8_t types[] = {CT_EVENT_NEW,	CT_EVENT_INVALID, CT_EVENT_REPLY,
					CT_EVENT_STATE, CT_EVENT_INVALID, CT_EVENT_ASSURED};
	struct ct_history_step s[CT_HISTORY_STEPS_MAX];
	uint64_t lost;
	struct past p;

	past_open(&p, SLOTS, 8, 0);
	for (uint32_t i = 0; i < 6; i++) {
		struct ct_event ev = event(types[i], 3, i);

		ev.time_ns = SEC;
		ct_history_note(p.h, 1, &ev);
	}
	assert_int_equal(ct_history_get(p.h, 1, 3, s, &lost), 6);
	for (uint32_t i = 0; i < 6; i++)
		assert_true(s[i].type == types[i] && s[i].mark == i);
	past_close(&p);
}

/* Two threads may note in another order than that of time. */
static void test_out_of_order(void **state)
{
	struct past p;

	past_open(&p, SLOTS, 8, 0);
	play(&p, 1, 9, "acbEdGf");
	check(&p, 1, 9, "abcdEfG", 0);
	past_close(&p);
}

/* A slot is used again: what is kept is of the flow that began last. */
static void test_reuse(void **state)
{
	struct past p;

	past_open(&p, SLOTS, 4, 0);
	play(&p, 1, 9, "abCDEf");
	note(&p, 1, CT_EVENT_DESTROY, 9, 7);
	check(&p, 1, 9, "abDEf", 1); /* it is gone, and can still be asked for */
	play(&p, 1, 10, "a");
	check(&p, 1, 9, "", 0);
	check(&p, 1, 10, "a", 0);
	play(&p, 1, 9, "gH"); /* too late */
	check(&p, 1, 9, "", 0);
	check(&p, 1, 10, "a", 0);
	play(&p, 1, 10, "Bc");
	check(&p, 1, 10, "aBc", 0);
	past_close(&p);
}

/* One that began in another process has a history from the first event that is seen of it. */
static void test_inherited(void **state)
{
	struct past p;

	past_open(&p, SLOTS, 4, 0);
	play(&p, 1, 9, "BCDef");
	check(&p, 1, 9, "CDef", 1);
	play(&p, 2, 10, "bC");
	check(&p, 2, 10, "bC", 0);
	past_close(&p);
}

/* Slots and ids that do not exist. */
static void test_bounds(void **state)
{
	struct past p;

	past_open(&p, SLOTS, 4, 2);
	play(&p, SLOTS, 9, "ab");
	check(&p, SLOTS, 9, "ab", 0);
	play(&p, SLOTS + 1, 9, "ab");
	play(&p, UINT32_MAX, 9, "ab");
	check(&p, SLOTS + 1, 9, "", 0);
	check(&p, UINT32_MAX, 9, "", 0);
	check(&p, 0, 9, "", 0);
	check(&p, 1, 0, "", 0); /* what a slot without a flow has as its id */
	past_close(&p);
}

/* The engine's own events, with the slots that its ids say. */
static void test_of_engine(void **state)
{
	struct ct_history_step s[CT_HISTORY_STEPS_MAX];
	struct ct_result out;
	struct engine e;
	struct past p;
	struct pk pk;
	uint64_t lost;

	engine_open(&e, SLOTS);
	past_open(&p, ct_max_flows(e.th.ct), 8, 4);
	for (int i = 0; i < 4; i++) {
		bool back = i == 1;

		pk_tcp(&pk, CT_AF_INET, back ? 2 : 1, back ? 1 : 2, back ? 80 : 3, back ? 3 : 80,
		       (uint8_t)(i == 0	  ? PK_SYN
				 : i == 1 ? PK_SYN | PK_ACK
					  : PK_ACK),
		       i == 0	? 1000
		       : i == 1 ? 5000
		       : i == 2 ? 1001
				: 900000,
		       i == 0	? 0
		       : i == 1 ? 1001
				: 5001);
		out = engine_track(&e, &pk, (1 + (uint64_t)i) * SEC);
		for (unsigned int k = 0; k < out.nevents; k++)
			ct_history_note(p.h, ct_flow_slot(e.th.ct, out.events[k].flow),
					&out.events[k]);
	}
	assert_int_equal(ct_history_get(p.h, ct_flow_slot(e.th.ct, out.flow), out.flow, s, &lost),
			 6);
	assert_true(s[0].type == CT_EVENT_NEW && s[0].info == CT_INFO_NEW && s[0].time_ns == SEC);
	assert_true(s[1].type == CT_EVENT_STATE || s[1].type == CT_EVENT_REPLY);
	assert_true(s[5].type == CT_EVENT_INVALID && s[5].reason == CT_REASON_TCP_SEQ_OVER);
	assert_int_equal(s[5].detail[0], 900000);
	past_close(&p);
	engine_close(&e);
}

/* --- of none ---------------------------------------------------------------------------------- */

static void stray(struct past *p, uint16_t queue, uint64_t time_ns, uint32_t n)
{
	struct ct_event ev = event(CT_EVENT_INVALID, 0, n);

	ev.queue = queue;
	ev.time_ns = time_ns;
	ct_history_note(p->h, 0, &ev);
}

static void check_strays(struct past *p, size_t cap, const char *want)
{
	uint64_t at = 0;
	size_t n, all = 0;

	do {
		struct ct_event ev[40];

		n = ct_history_strays(p->h, &at, ev, cap);
		assert_true(n <= cap && all + n <= strlen(want));
		for (size_t i = 0; i < n; i++)
			assert_int_equal(ev[i].mark, want[all + i] - 'a');
		all += n;
	} while (n > 0);
	assert_int_equal(all, strlen(want));
}

static void test_strays(void **state)
{
	struct past p;

	past_open(&p, 1, 1, 4);
	check_strays(&p, 3, "");
	for (uint32_t i = 0; i < 3; i++)
		stray(&p, 0, SEC, i); /* of one batch */
	check_strays(&p, 3, "cba");
	for (uint32_t i = 3; i < 26; i++)
		stray(&p, 0, SEC + i, i);
	for (size_t cap = 1; cap < 6; cap++)
		check_strays(&p, cap, "zyxw");
	assert_int_equal(ct_history_missed(p.h), 0);
	past_close(&p);
}

/* Those of all queues in the order of time; what one sees much of does not wash out the others. */
static void test_strays_of_queues(void **state)
{
	struct past p;

	past_open(&p, 1, 1, 4);
	for (uint32_t i = 0; i < 6; i++)
		stray(&p, (uint16_t)(i % 3 + 65533), (1 + i) * SEC, i);
	check_strays(&p, 2, "fedcba");
	for (uint32_t i = 0; i < 100; i++)
		stray(&p, 65533, (100 + i) * SEC, i % 25);
	for (size_t cap = 1; cap < 10; cap++)
		check_strays(&p, cap, "yxwvfecb");
	stray(&p, 65533, 50 * SEC, 20); /* a clock that goes back does not change the order */
	check_strays(&p, 40, "uyxwfecb");
	past_close(&p);
}

static void test_no_strays(void **state)
{
	struct past p;

	past_open(&p, 1, 1, 0);
	stray(&p, 0, SEC, 0);
	check_strays(&p, 2, "");
	past_close(&p);
}

/* Between two parts of a listing new ones come: none is told twice, and none of these at all. */
static void test_strays_meanwhile(void **state)
{
	unsigned int times[1000] = {0};
	uint32_t made = 0, last = 0;
	struct past p;
	uint64_t at = 0;
	size_t n;

	past_open(&p, 1, 1, 50);
	for (; made < 100; made++)
		stray(&p, (uint16_t)(made % 2), (1 + made) * SEC, made);
	last = made;
	do {
		struct ct_event ev[7];

		n = ct_history_strays(p.h, &at, ev, 7);
		for (size_t i = 0; i < n; i++) {
			assert_true(ev[i].mark < last);
			last = ev[i].mark;
			times[last]++;
		}
		stray(&p, (uint16_t)(made % 2), (1 + made) * SEC, made);
		made++;
	} while (n > 0);
	for (int i = 20; i < 100; i++)
		assert_int_equal(times[i], 1);
	past_close(&p);
}

/* --- several threads -------------------------------------------------------------------------- */

struct worker {
	struct ct_history *h;
	pthread_t thread;
	uint64_t seed;
	uint16_t queue;
	uint64_t strays;
};

struct reader {
	struct ct_history *h;
	pthread_t thread;
	atomic_bool *done;
	uint64_t reads, strays;
	bool odd;
};

static void *write_some(void *arg)
{
	struct worker *w = arg;

	for (uint32_t i = 0; i < NOTES; i++) {
		uint64_t d = dice(&w->seed);
		uint32_t slot = (uint32_t)d % 4,
			 generation = (uint32_t)(d >> 8) % 64 ? i / 5000 : i / 4000;
		uint64_t flow = slot ? (uint64_t)(1 + generation) << 32 | slot : 0;
		uint8_t type = d >> 16 & 1 || !slot ? CT_EVENT_INVALID : CT_EVENT_STATE;
		struct ct_event ev = event(type, flow, i);

		ev.begins = slot && d >> 20 & 7;
		ev.queue = w->queue;
		w->strays += !slot;
		ct_history_note(w->h, slot, &ev);
	}
	return NULL;
}

/* What is read is whole: the numbers of a step belong together. */
static bool is_whole(const struct ct_history_step *s)
{
	return s->time_ns == SEC + s->mark && s->timeout_s == s->mark + 1 &&
	       (s->type == CT_EVENT_INVALID) == (s->reason == CT_REASON_TCP_SEQ_OVER) &&
	       s->detail[3] == (s->type == CT_EVENT_INVALID ? s->mark * 10 + 3 : 0);
}

static void read_flow(struct reader *r, uint32_t slot, uint64_t flow)
{
	struct ct_history_step s[CT_HISTORY_STEPS_MAX];
	uint64_t lost;
	size_t n = ct_history_get(r->h, slot, flow, s, &lost);

	r->reads += n > 0;
	for (size_t i = 0; i < n; i++)
		r->odd |= !is_whole(&s[i]) || (i && s[i].time_ns < s[i - 1].time_ns);
}

static void read_strays(struct reader *r)
{
	struct ct_event ev[10];
	uint64_t at = 0, before = UINT64_MAX;
	size_t n;

	while ((n = ct_history_strays(r->h, &at, ev, 10)) > 0) {
		r->odd |= at >= before;
		before = at;
		r->strays += n;
		for (size_t i = 0; i < n; i++)
			r->odd |= ev[i].flow || ev[i].time_ns != SEC + ev[i].mark;
	}
}

static void *read_some(void *arg)
{
	struct reader *r = arg;

	do {
		for (uint32_t slot = 1; slot < 4; slot++)
			for (uint64_t g = 1; g < 26; g++)
				read_flow(r, slot, g << 32 | slot);
		read_strays(r);
	} while (!atomic_load(r->done));
	return NULL;
}

static void test_threads(void **state)
{
	static struct worker w[WORKERS];
	atomic_bool done = false;
	struct reader r = {.done = &done};
	uint64_t strays = 0;
	struct past p;

	past_open(&p, 3, 5, 20);
	r.h = p.h;
	for (uint16_t i = 0; i < WORKERS; i++) {
		/* two of them share a ring */
		w[i] = (struct worker){.h = p.h, .seed = i, .queue = i == 3 ? 16 : i};
		assert_int_equal(pthread_create(&w[i].thread, NULL, write_some, &w[i]), 0);
	}
	assert_int_equal(pthread_create(&r.thread, NULL, read_some, &r), 0);
	for (int i = 0; i < WORKERS; i++) {
		assert_int_equal(pthread_join(w[i].thread, NULL), 0);
		strays += w[i].strays;
	}
	atomic_store(&done, true);
	assert_int_equal(pthread_join(r.thread, NULL), 0);
	assert_true(r.reads > 0 && r.strays > 0 && !r.odd);
	assert_true(ct_history_missed(p.h) < strays);
	past_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),	    cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_depths),	    cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_same_moment), cmocka_unit_test(test_out_of_order),
		cmocka_unit_test(test_reuse),	    cmocka_unit_test(test_inherited),
		cmocka_unit_test(test_bounds),	    cmocka_unit_test(test_of_engine),
		cmocka_unit_test(test_strays),	    cmocka_unit_test(test_strays_of_queues),
		cmocka_unit_test(test_no_strays),   cmocka_unit_test(test_strays_meanwhile),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
