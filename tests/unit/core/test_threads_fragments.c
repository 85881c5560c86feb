/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Several threads, each with a queue of its own, get pieces of the same datagrams. Meant for the
 * thread sanitizer; without it every packet still has to be answered once, by its own thread.
 */

#include "packet.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define THREADS	  4
#define PACKETS	  30000
#define DATAGRAMS 32
#define PIECES	  4
#define ROOM	  24 /* less than there are datagrams, so that some have to go */

struct job {
	struct ct_thread th;
	pthread_t thread;
	uint64_t seed;
	uint64_t now_ns;
	uint16_t queue;
	uint32_t held, answered, woken;
	uint8_t waits[PACKETS];
	bool odd;
};

static struct job jobs[THREADS];

static void answer(struct job *j, const struct ct_fragment_due *due)
{
	if (due->id >= PACKETS || !j->waits[due->id]) {
		j->odd = true;
		return;
	}
	j->waits[due->id] = 0;
	j->answered++;
}

static void look(struct job *j)
{
	struct ct_fragment_due due[8];
	size_t n;

	do {
		n = ct_fragments_due(&j->th, j->queue, j->now_ns, due, 8);
		for (size_t i = 0; i < n; i++)
			answer(j, &due[i]);
	} while (n == 8);
	for (uint16_t queue = 0; queue < THREADS; queue++)
		j->woken += ct_fragments_wakes(&j->th, queue);
}

static void send_piece(struct job *j, uint32_t number)
{
	uint64_t d = dice(&j->seed);
	uint32_t nth = (uint32_t)d % PIECES, id = (uint32_t)(d >> 8) % DATAGRAMS;
	struct pk whole, p;
	struct ct_input in;
	struct ct_result out;

	if (d >> 16 & 1) {
		pk_udp(&whole, CT_AF_INET, id, 0xffff, 7, 7);
	} else {
		pk_tcp(&whole, CT_AF_INET, id, 0xffff, 7, 7, PK_SYN, 1, 0);
	}
	pk_fragment(&p, &whole, id, nth * 24, nth * 24 + 24 - (nth && !(d >> 20 & 63)) * 8,
		    nth < PIECES - 1);
	in = pk_input(&p, j->now_ns);
	in.queue = j->queue;
	in.id = number;
	ct_track(&j->th, &in, &out);
	j->waits[number] = out.held;
	j->held += out.held;
	j->odd |= out.held && out.nevents > 0;
}

static void *work(void *arg)
{
	struct job *j = arg;

	for (uint32_t i = 0; i < PACKETS; i++) {
		send_piece(j, i);
		j->now_ns += dice(&j->seed) % (10 * MSEC);
		if (i % 8 == 0)
			look(j);
	}
	return NULL;
}

static void end(struct job *j)
{
	struct ct_fragment_due due[PACKETS / 64];
	size_t n = ct_fragments_release(&j->th, j->queue, j->now_ns, due, PACKETS / 64);

	for (size_t i = 0; i < n; i++)
		answer(j, &due[i]);
	assert_false(j->odd);
	assert_int_equal(j->held, j->answered);
}

static void test_shared_datagrams(void **state)
{
	static struct ct_stats sum;
	uint64_t held = 0, woken = 0;
	struct engine e;

	engine_open_fragments(&e, 64, ROOM, ROOM);
	e.cfg.fragment_ns = 200 * MSEC;
	for (uint64_t i = 0; i < THREADS; i++) {
		jobs[i] = (struct job){.th = {.ct = e.th.ct, .cfg = &e.cfg},
				       .seed = i,
				       .now_ns = SEC,
				       .queue = (uint16_t)i};
		assert_int_equal(pthread_create(&jobs[i].thread, NULL, work, &jobs[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(jobs[i].thread, NULL), 0);
	for (int i = 0; i < THREADS; i++) {
		end(&jobs[i]);
		ct_stats_add(&sum, &jobs[i].th.stats);
		held += jobs[i].held;
		woken += jobs[i].woken;
	}
	assert_int_equal(atomic_load(&sum.count[CT_STAT_PACKETS]), THREADS * PACKETS);
	assert_int_equal(atomic_load(&sum.count[CT_STAT_FRAGMENTS_HELD]), held);
	assert_true(held > 0 && woken > 0);
	assert_true(atomic_load(&sum.count[CT_STAT_FRAGMENTS]) > 0);
	assert_true(atomic_load(&sum.count[CT_STAT_FRAGMENTS_EVICTED]) > 0);
	assert_true(atomic_load(&sum.reason[CT_REASON_FRAGMENT_OVERLAP]) > 0);
	assert_true(atomic_load(&sum.reason[CT_REASON_FRAGMENT_TIMEOUT]) > 0);
	assert_true(atomic_load(&sum.reason[CT_REASON_FRAGMENT_LIMIT]) > 0);
	engine_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shared_datagrams),
	};

	return cmocka_run_group_tests_name("threads_fragments", tests, NULL, NULL);
}
