/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Several threads on one table, on the same flows. Meant for the thread sanitizer; without it the
 * sums still have to come out.
 */

#include "packet.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define THREADS 4
#define PACKETS 40000
#define HOSTS	64
#define FLOWS	48 /* fewer than there are hosts, so that the table gets full too */

struct job {
	struct ct_thread th;
	pthread_t thread;
	uint64_t seed;
	uint64_t news, ends, drops;
	bool odd;
};

static void count_event(struct job *j, const struct ct_event *ev)
{
	j->news += ev->type == CT_EVENT_NEW;
	j->ends += ev->type == CT_EVENT_DESTROY;
}

static void count_result(struct job *j, const struct ct_result *out)
{
	for (unsigned int i = 0; i < out->nevents; i++)
		count_event(j, &out->events[i]);
	j->drops += out->drop;
	j->odd |= out->nevents > CT_RESULT_EVENTS_MAX;
	j->odd |= !out->drop && out->info == CT_INFO_INVALID && out->reason == CT_REASON_NONE;
}

static void make_packet(struct job *j, struct pk *p)
{
	uint32_t host = (uint32_t)(dice(&j->seed) % HOSTS), server = 0xffff;
	static const uint8_t flags[] = {PK_SYN, PK_SYN | PK_ACK, PK_ACK, PK_FIN | PK_ACK, PK_RST};
	uint64_t d = dice(&j->seed);
	struct pk lost;

	if (d % 3 == 0) {
		pk_udp(p, CT_AF_INET, d & 8 ? host : server, d & 8 ? server : host, 7, 7);
	} else if (d % 3 == 1) {
		pk_tcp(p, CT_AF_INET, d & 8 ? host : server, d & 8 ? server : host, 7, 7,
		       flags[(d >> 8) % sizeof(flags)], (uint32_t)(d >> 16) & 0xff, 1);
	} else {
		pk_udp(&lost, CT_AF_INET, host, server, 7, 7);
		pk_icmp(p, CT_AF_INET, server, host, 3, 3, 0, &lost);
	}
}

static void *work(void *arg)
{
	struct job *j = arg;
	uint64_t now_ns = SEC;

	for (int i = 0; i < PACKETS; i++) {
		struct ct_event events[4];
		struct ct_input in;
		struct ct_result out;
		struct pk p;

		make_packet(j, &p);
		in = pk_input(&p, now_ns);
		ct_track(&j->th, &in, &out);
		count_result(j, &out);
		now_ns += dice(&j->seed) % (100 * MSEC);
		if (i % 16)
			continue;
		for (size_t n = ct_expire(&j->th, now_ns, events, 4, NULL); n > 0; n--)
			count_event(j, &events[n - 1]);
	}
	return NULL;
}

static uint64_t total(const struct ct_stats *s, enum ct_stat stat)
{
	return atomic_load(&s->count[stat]);
}

static void test_shared_flows(void **state)
{
	static struct job jobs[THREADS];
	static struct ct_stats sum;
	uint64_t news = 0, ends = 0, drops = 0, infos = 0;
	struct engine e;

	engine_open(&e, FLOWS);
	for (uint64_t i = 0; i < THREADS; i++) {
		jobs[i].th = (struct ct_thread){.ct = e.th.ct, .cfg = &e.cfg};
		jobs[i].seed = i;
		assert_int_equal(pthread_create(&jobs[i].thread, NULL, work, &jobs[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(jobs[i].thread, NULL), 0);
		assert_false(jobs[i].odd);
		ct_stats_add(&sum, &jobs[i].th.stats);
		news += jobs[i].news;
		ends += jobs[i].ends;
		drops += jobs[i].drops;
	}
	for (int i = 0; i < CT_INFO_MAX; i++)
		infos += atomic_load(&sum.info[i]);
	assert_int_equal(total(&sum, CT_STAT_PACKETS), THREADS * PACKETS);
	assert_int_equal(infos, THREADS * PACKETS);
	assert_int_equal(total(&sum, CT_STAT_CREATED), news);
	assert_int_equal(total(&sum, CT_STAT_DESTROYED), ends);
	assert_int_equal(total(&sum, CT_STAT_TABLE_FULL), drops);
	assert_int_equal(ct_count(e.th.ct), news - ends);
	assert_true(news > FLOWS && ends > 0 && drops > 0);
	engine_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shared_flows),
	};

	return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
