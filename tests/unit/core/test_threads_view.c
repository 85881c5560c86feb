/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Somebody looks at the table, and ends flows, while threads work on it. Meant for the thread
 * sanitizer; without it flows that stay still have to be found exactly once, and the sums to come
 * out.
 */

#include "packet.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/table.h"
#include "core/view.h"

#define WORKERS 3
#define PACKETS 40000
#define MAX	4096 /* more than there can be: none has to make room */
#define STAY	300  /* flows that are there from the beginning to the end */
#define HOSTS	200  /* whose flows come and go */
#define SERVER	0xffff
#define WALKS	20
#define CAP	16

struct worker {
	struct ct_thread th;
	pthread_t thread;
	uint64_t seed;
	uint64_t ends;
};

/* Who looks. */
struct looker {
	struct ct_thread th;
	pthread_t thread;
	atomic_bool *done;
	const uint64_t *stay;
	uint64_t seed;
	unsigned int walks;
	uint64_t gets, deleted, expects;
	bool odd;
};

/* --- those who work --------------------------------------------------------------------------- */

/* A question, an answer, or a request by TFTP that lets something be expected. */
static void make(struct worker *w, struct pk *p)
{
	uint64_t d = dice(&w->seed);
	uint32_t host = STAY + (uint32_t)(d >> 8) % HOSTS;
	uint8_t request[8 + 10] = {0, 7, 0, 69, 0, 18, 0, 0, 0, 1, 'f', 0, 'o', 'c', 't', 'e', 't'};

	if (d % 8 == 0) {
		pk_ip(p, CT_AF_INET, host, SERVER, 17, request, sizeof(request));
		pk_fix_checksum(p, 6);
	} else if (d % 8 < 4) {
		pk_udp(p, CT_AF_INET, SERVER, host, 2000, 7);
	} else {
		pk_udp(p, CT_AF_INET, host, SERVER, (uint16_t)(d >> 40) % 8, 53);
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	uint64_t now_ns = SEC;

	for (int i = 0; i < PACKETS; i++) {
		struct ct_event events[4];
		struct ct_result out;
		struct ct_input in;
		struct pk p;

		make(w, &p);
		in = pk_input(&p, now_ns);
		ct_track(&w->th, &in, &out);
		for (unsigned int k = 0; k < out.nevents; k++)
			w->ends += out.events[k].type == CT_EVENT_DESTROY;
		now_ns += dice(&w->seed) % (5 * MSEC);
		if (i % 16 == 0)
			w->ends += ct_expire(&w->th, now_ns, events, 4, NULL);
	}
	return NULL;
}

/* --- who looks -------------------------------------------------------------------------------- */

static bool is_sensible(const struct ct_view *v)
{
	return v->flow && v->orig.family == CT_AF_INET && v->orig.proto == 17 &&
	       v->status & CT_STATUS_CONFIRMED && v->reply.src_id_be == v->orig.dst_id_be;
}

static void look_at_one(struct looker *l, const struct ct_view *v)
{
	struct ct_event ev;
	struct ct_view again;

	if (ct_view_get(l->th.ct, v->flow, SEC, &again)) {
		l->gets++;
		l->odd |= again.flow != v->flow || !is_sensible(&again) ||
			  memcmp(&again.orig, &v->orig, sizeof(v->orig)) != 0;
	}
	if (v->orig.src_id_be == 0 || dice(&l->seed) % 4 ||
	    !ct_delete(&l->th, v->flow, 2 * SEC, &ev))
		return;
	l->deleted++;
	l->odd |= ev.flow != v->flow || ev.death != CT_DEATH_DELETED;
}

static void look_at_expects(struct looker *l)
{
	struct ct_view_expect x[CAP];
	uint32_t at = 0;

	while (at != UINT32_MAX) {
		size_t n = ct_expect_next(l->th.ct, &at, SEC, x, CAP);

		l->expects += n;
		for (size_t i = 0; i < n; i++)
			l->odd |= x[i].tuple.proto != 17 || x[i].helper != CT_HELPER_NONE;
	}
}

static void look_at_all(struct looker *l)
{
	static _Thread_local unsigned int times[MAX + 1];
	struct ct_view v[CAP];
	struct ct_walk w = {};

	memset(times, 0, sizeof(times));
	while (!w.done) {
		size_t n = ct_walk_next(l->th.ct, &w, SEC, v, CAP);

		for (size_t i = 0; i < n; i++) {
			l->odd |= !is_sensible(&v[i]);
			times[ct_flow_slot(l->th.ct, v[i].flow)]++;
			look_at_one(l, &v[i]);
		}
	}
	for (unsigned int i = 0; i < STAY; i++)
		l->odd |= times[ct_flow_slot(l->th.ct, l->stay[i])] != 1;
	l->walks++;
}

static void *look(void *arg)
{
	struct looker *l = arg;

	while (!atomic_load(l->done) || l->walks < WALKS) {
		look_at_all(l);
		look_at_expects(l);
	}
	return NULL;
}

/* --- all of them ------------------------------------------------------------------------------ */

/* Flows from port 0, which nobody ends, and which are never due. */
static void settle(struct engine *e, uint64_t stay[static STAY])
{
	for (uint32_t i = 0; i < STAY; i++) {
		struct pk p;

		pk_udp(&p, CT_AF_INET, i, SERVER, 0, 5000);
		stay[i] = engine_track(e, &p, 1000000 * SEC).flow;
	}
}

static void start(struct engine *e, struct worker *w, struct looker *l)
{
	for (uint64_t i = 0; i < WORKERS; i++) {
		w[i] = (struct worker){.th = {.ct = e->th.ct, .cfg = &e->cfg}, .seed = i};
		assert_int_equal(pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
	}
	for (uint64_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&l[i].thread, NULL, look, &l[i]), 0);
}

/* Returns how many flows have ended. */
static uint64_t stop(struct worker *w, struct looker *l, atomic_bool *done)
{
	uint64_t ends = 0;

	for (int i = 0; i < WORKERS; i++) {
		assert_int_equal(pthread_join(w[i].thread, NULL), 0);
		ends += w[i].ends;
	}
	atomic_store(done, true);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(l[i].thread, NULL), 0);
		ends += l[i].deleted;
		assert_false(l[i].odd);
		assert_true(l[i].walks >= WALKS && l[i].gets > 0 && l[i].deleted > 0);
	}
	return ends;
}

static void add_up(struct ct_stats *sum, const struct worker *w, const struct looker *l)
{
	memset(sum, 0, sizeof(*sum));
	for (int i = 0; i < WORKERS; i++)
		ct_stats_add(sum, &w[i].th.stats);
	for (int i = 0; i < 2; i++)
		ct_stats_add(sum, &l[i].th.stats);
}

static void check_table(struct engine *e, uint32_t buckets)
{
	static uint64_t stay[STAY];
	static struct worker workers[WORKERS];
	static struct looker lookers[2];
	atomic_bool done = false;
	struct ct_stats sum;
	uint64_t ends;

	engine_open(e, MAX);
	e->th.ct->bucket_mask = buckets - 1;
	e->cfg.helper_ports[0] = (struct ct_helper_port){69, CT_HELPER_TFTP};
	e->cfg.nhelper_ports = 1;
	settle(e, stay);
	memset(lookers, 0, sizeof(lookers));
	for (uint64_t i = 0; i < 2; i++) {
		lookers[i].th = (struct ct_thread){.ct = e->th.ct, .cfg = &e->cfg};
		lookers[i].done = &done;
		lookers[i].stay = stay;
		lookers[i].seed = 100 + i;
	}
	start(e, workers, lookers);
	ends = stop(workers, lookers, &done);
	add_up(&sum, workers, lookers);
	assert_int_equal(atomic_load(&sum.count[CT_STAT_DESTROYED]), ends);
	assert_int_equal(atomic_load(&sum.death[CT_DEATH_DELETED]),
			 lookers[0].deleted + lookers[1].deleted);
	assert_int_equal(ct_count(e->th.ct),
			 STAY + atomic_load(&sum.count[CT_STAT_CREATED]) - ends);
	assert_true(lookers[0].expects > 0);
	engine_close(e);
}

static void test_wide(void **state)
{
	struct engine e;

	check_table(&e, MAX / 2);
}

/* Chains longer than what is copied at once. */
static void test_long_chains(void **state)
{
	struct engine e;

	check_table(&e, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wide),
		cmocka_unit_test(test_long_chains),
	};

	return cmocka_run_group_tests_name("threads_view", tests, NULL, NULL);
}
