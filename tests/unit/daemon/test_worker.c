/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A worker on a source made of memory: what it answers, and how it takes over a configuration. */

#include "fixture.h"

#include "daemon/rounds.h"
#include "daemon/zones.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <cmocka.h>

#include "util/clock.h"

/* UDP without a checksum, from 10.0.0.1 to 10.0.0.2. */
static const uint8_t udp[] = {0x45, 0, 0,  28, 0, 0, 0,	   0,	 64, 17, 0, 0, 10, 0,
			      0,    1, 10, 0,  0, 2, 0x12, 0x34, 0,  53, 0, 8, 0,  0};
static const uint8_t rubbish[] = {0x45, 0, 0, 28};

#define TCP_LEN 40
#define SYN	2
#define ACK	16

/* A segment without data between 10.0.0.1:port and 10.0.0.2:80. */
static void make_tcp(uint8_t p[static TCP_LEN], uint8_t port, bool reply, uint8_t flags,
		     uint8_t seq, uint8_t ack)
{
	const uint8_t bytes[TCP_LEN] = {
		[0] = 0x45,
		[3] = TCP_LEN,
		[8] = 64,
		[9] = 6,
		[12] = 10,
		[15] = reply ? 2 : 1,
		[16] = 10,
		[19] = reply ? 1 : 2,
		[21] = reply ? 80 : port,
		[23] = reply ? port : 80,
		[27] = seq,
		[31] = ack,
		[32] = 0x50,
		[33] = flags,
		[34] = 0x10,
	};

	memcpy(p, bytes, TCP_LEN);
}

static void test_marks_and_accepts(void **state)
{
	struct fixture *x = *state;

	fixture_make_worker(x, false);
	fixture_offer(x, 1, udp, sizeof(udp), 0x50);
	fixture_offer(x, 2, rubbish, sizeof(rubbish), 0);
	assert_int_equal(worker_pass(x->worker, 5), 2);
	assert_int_equal(x->source.last_timeout_ms, 5);
	assert_int_equal(x->source.nanswers, 2);
	assert_int_equal(x->source.flushes, 1);
	assert_int_equal(x->source.answers[0].id, 1);
	assert_int_equal(x->source.answers[0].verdict, VERDICT_ACCEPT);
	assert_true(x->source.answers[0].set_mark);
	assert_int_equal(x->source.answers[0].mark, 0x5a); /* NEW; foreign bits stay */
	assert_int_equal(x->source.answers[1].id, 2);
	assert_int_equal(x->source.answers[1].mark, 0xe); /* INVALID */
	assert_int_equal(ct_count(x->ct), 1);
}

/* A worker ends flows by itself, between two batches. */
static void test_ends_flows(void **state)
{
	struct fixture *x = *state;

	fixture_make_worker(x, false);
	fixture_offer(x, 1, udp, sizeof(udp), 0);
	worker_pass(x->worker, 0);
	assert_int_equal(ct_count(x->ct), 1);
	fixture_offer(x, 2, rubbish, sizeof(rubbish), 0);
	x->source.packets[0].in.now_ns += 29 * NS_PER_S;
	worker_pass(x->worker, 0);
	assert_int_equal(ct_count(x->ct), 1);
	fixture_offer(x, 3, rubbish, sizeof(rubbish), 0);
	x->source.packets[0].in.now_ns += 32 * NS_PER_S;
	worker_pass(x->worker, 0);
	assert_int_equal(ct_count(x->ct), 0);
	assert_int_equal(atomic_load(&worker_stats(x->worker)->count[CT_STAT_DESTROYED]), 1);
}

/* A mark that is right already is not set again. */
static void test_same_mark_is_left(void **state)
{
	struct fixture *x = *state;

	fixture_make_worker(x, false);
	fixture_offer(x, 1, rubbish, sizeof(rubbish), 0x7e);
	worker_pass(x->worker, 0);
	assert_int_equal(x->source.nanswers, 1);
	assert_false(x->source.answers[0].set_mark);
}

static void test_verdict_by_class(void **state)
{
	struct fixture *x = *state;

	x->conf.conf.verdict[CT_CLASS_NEW] = (struct conf_verdict){CONF_QUEUE, 300};
	x->conf.conf.verdict[CT_CLASS_INVALID] = (struct conf_verdict){CONF_DROP, 0};
	fixture_make_worker(x, false);
	fixture_offer(x, 1, udp, sizeof(udp), 0);
	fixture_offer(x, 2, rubbish, sizeof(rubbish), 0);
	worker_pass(x->worker, 0);
	assert_int_equal(x->source.answers[0].verdict, 300 << 16 | 3);
	assert_int_equal(x->source.answers[1].verdict, VERDICT_DROP);
}

static void test_repeat_only_once(void **state)
{
	struct fixture *x = *state;
	struct worker_counts counts;

	x->conf.conf.verdict[CT_CLASS_NEW] = (struct conf_verdict){CONF_REPEAT, 0};
	fixture_make_worker(x, false);
	fixture_offer(x, 1, udp, sizeof(udp), 0);
	fixture_offer(x, 2, udp, sizeof(udp),
		      0xa); /* the same again, as a rule without -m mark sends it */
	worker_pass(x->worker, 0);
	assert_int_equal(x->source.answers[0].verdict, VERDICT_REPEAT);
	assert_int_equal(x->source.answers[0].mark, 0xa);
	assert_int_equal(x->source.answers[1].verdict, VERDICT_ACCEPT);
	worker_get_counts(x->worker, &counts);
	assert_int_equal(counts.rounds, 1);
	assert_int_equal(counts.circles, 0);
}

/* The same packet comes back unmarked, as a rule sends it that clears the mark. */
static void test_repeat_without_mark_ends(void **state)
{
	struct fixture *x = *state;
	struct worker_counts counts;

	x->conf.conf.verdict[CT_CLASS_NEW] = (struct conf_verdict){CONF_REPEAT, 0};
	fixture_make_worker(x, false);
	for (uint32_t i = 0; i <= ROUNDS_MAX; i++) {
		fixture_offer(x, i, udp, sizeof(udp), 0);
		worker_pass(x->worker, 0);
		assert_int_equal(x->source.answers[i].verdict,
				 i < ROUNDS_MAX ? VERDICT_REPEAT : VERDICT_ACCEPT);
		assert_int_equal(x->source.answers[i].mark, 0xa);
	}
	worker_get_counts(x->worker, &counts);
	assert_int_equal(counts.circles, 1);
	assert_int_equal(counts.rounds, 0);
}

/* What was sent round at the entry and queued again at the exit has not come round. */
static void test_repeat_is_told_from_exit(void **state)
{
	struct fixture *x = *state;

	x->conf.conf.verdict[CT_CLASS_NEW] = (struct conf_verdict){CONF_REPEAT, 0};
	fixture_make_worker(x, false);
	fixture_offer(x, 1, udp, sizeof(udp), 0xa);
	x->source.packets[0].in.hook = CT_HOOK_POSTROUTING;
	worker_pass(x->worker, 0);
	assert_int_equal(worker_stats(x->worker)->count[CT_STAT_EXIT], 1);
	assert_int_equal(x->source.answers[0].verdict, VERDICT_ACCEPT);
	assert_false(x->source.answers[0].set_mark);
}

static void test_shadow_touches_nothing(void **state)
{
	struct fixture *x = *state;

	for (int i = 0; i < CT_CLASS_MAX; i++)
		x->conf.conf.verdict[i].kind = CONF_DROP;
	fixture_make_worker(x, true);
	fixture_offer(x, 1, udp, sizeof(udp), 0x33);
	fixture_offer(x, 2, rubbish, sizeof(rubbish), 0);
	worker_pass(x->worker, 0);
	assert_int_equal(x->source.nanswers, 2);
	for (size_t i = 0; i < x->source.nanswers; i++) {
		assert_int_equal(x->source.answers[i].verdict, VERDICT_ACCEPT);
		assert_false(x->source.answers[i].set_mark);
	}
	assert_int_equal(ct_count(x->ct), 1); /* but it tracks */
}

/* A bridge can queue what is no IP: whatever [Verdict] says, it is none of ours. */
static void test_other_families_pass(void **state)
{
	struct fixture *x = *state;

	for (int i = 0; i < CT_CLASS_MAX; i++)
		x->conf.conf.verdict[i].kind = CONF_DROP;
	fixture_make_worker(x, false);
	fixture_offer(x, 1, udp, sizeof(udp), 0x30);
	x->source.packets[0].in.family = 7;
	worker_pass(x->worker, 0);
	assert_int_equal(x->source.answers[0].verdict, VERDICT_ACCEPT);
	assert_false(x->source.answers[0].set_mark);
	assert_int_equal(worker_stats(x->worker)->count[CT_STAT_FOREIGN], 1);
	assert_int_equal(ct_count(x->ct), 0);
}

/* Fills the table with assured connections, which nothing may push out. */
static void fill_table(struct fixture *x)
{
	uint8_t p[3][TCP_LEN];

	for (uint8_t i = 0; i < MAX_FLOWS; i++) {
		make_tcp(p[0], i + 1, false, SYN, 1, 0);
		make_tcp(p[1], i + 1, true, SYN | ACK, 1, 2);
		make_tcp(p[2], i + 1, false, ACK, 2, 2);
		for (unsigned int j = 0; j < 3; j++)
			fixture_offer(x, j, p[j], TCP_LEN, 0);
		worker_pass(x->worker, 0);
		assert_int_equal(x->source.answers[2].mark, 0x8);
		x->source.nanswers = 0;
	}
	assert_int_equal(ct_count(x->ct), MAX_FLOWS);
}

static void test_table_full_drops(void **state)
{
	struct fixture *x = *state;

	fixture_make_worker(x, false);
	fill_table(x);
	fixture_offer(x, 1, udp, sizeof(udp), 0);
	worker_pass(x->worker, 0);
	assert_int_equal(x->source.answers[0].verdict, VERDICT_DROP); /* New=accept or not */
	assert_int_equal(worker_stats(x->worker)->count[CT_STAT_TABLE_FULL], 1);
}

static void test_table_full_in_shadow(void **state)
{
	struct fixture *x = *state;

	fixture_make_worker(x, false);
	fill_table(x);
	worker_free(x->worker);
	fixture_make_worker(x, true);
	fixture_offer(x, 1, udp, sizeof(udp), 0);
	worker_pass(x->worker, 0);
	assert_int_equal(x->source.answers[0].verdict, VERDICT_ACCEPT);
	assert_int_equal(worker_stats(x->worker)->count[CT_STAT_TABLE_FULL], 1);
}

static void test_new_configuration_between_batches(void **state)
{
	struct fixture *x = *state;
	struct daemon_conf next = x->conf;

	next.conf.verdict[CT_CLASS_INVALID].kind = CONF_DROP;
	next.conf.track.mark = (struct ct_mark){.mask = 0xf0, .shift = 4};
	fixture_make_worker(x, false);
	assert_ptr_equal(worker_conf(x->worker), &x->conf);
	worker_set_conf(x->worker, &next);
	assert_int_equal(x->source.wakes, 1);
	assert_ptr_equal(worker_conf(x->worker), &x->conf); /* still in use */
	fixture_offer(x, 1, rubbish, sizeof(rubbish), 0);
	worker_pass(x->worker, 0);
	assert_ptr_equal(worker_conf(x->worker), &next);
	assert_int_equal(x->source.answers[0].verdict, VERDICT_DROP);
	assert_int_equal(x->source.answers[0].mark, 0xe0);
}

/*
 * The same packet in three zones makes three flows: by the interface, by the queue if that is in no
 * zone, and, in a configuration without zones, in none.
 */
static void test_zones(void **state)
{
	struct fixture *x = *state;
	const struct if_nameindex list[] = {{2, (char[]){"lan0"}}, {0, NULL}};
	struct daemon_conf zoned = x->conf;
	struct conf_zone *z = zoned.conf.zones;

	zoned.conf.nzones = 2;
	z[0] = (struct conf_zone){.name = "a", .id = 5, .interfaces = "lan0"};
	z[1] = (struct conf_zone){.name = "b", .id = 6, .queues = {.n = 1, .range = {{7, 7}}}};
	assert_int_equal(zones_new(&zoned.zones, &zoned.conf, list), 0);
	fixture_make_worker(x, false);
	for (uint32_t i = 0; i < 8; i++) {
		if (i == 4)
			worker_set_conf(x->worker, &x->conf);
		else if (i == 0)
			worker_set_conf(x->worker, &zoned);
		fixture_offer(x, i, udp, sizeof(udp), 0);
		x->source.packets[0].in.iif = i % 2 ? 3 : 2;
		worker_pass(x->worker, 0);
	}
	assert_int_equal(ct_count(x->ct), 3);
	zones_free(zoned.zones);
}

/* The queue follows the configuration, and only between two batches. */
static void test_source_follows(void **state)
{
	struct fixture *x = *state;
	struct daemon_conf next = x->conf;

	next.conf.track.nhelper_ports = 1; /* messages have to be read to their end */
	fixture_make_worker(x, false);
	worker_pass(x->worker, 0);
	assert_int_equal(x->source.config_calls, 0);
	worker_set_conf(x->worker, &next);
	fixture_offer(x, 1, udp, sizeof(udp), 0);
	worker_pass(x->worker, 0);
	assert_int_equal(x->source.config_calls, 0); /* the batch was there still */
	x->source.config_error = -ENOMEM;
	worker_pass(x->worker, 0);
	x->source.config_error = 0;
	worker_pass(x->worker, 0);
	assert_int_equal(x->source.config_calls, 2);
	assert_int_equal(x->source.config.copy_range, 65535);
	worker_set_conf(x->worker, &x->conf);
	worker_pass(x->worker, 0);
	worker_pass(x->worker, 0);
	worker_pass(x->worker, 0);
	assert_int_equal(x->source.config_calls, 3);
	assert_int_equal(x->source.config.copy_range, conf_copy_range(&x->conf.conf));
}

/* Each of the keys is noticed by itself. */
static void test_source_keys(void **state)
{
	struct fixture *x = *state;
	struct daemon_conf next[3] = {x->conf, x->conf, x->conf};

	next[0].conf.queue_max_packets = 77;
	next[1].conf.queue_receive_buffer = 1 << 20;
	next[2].conf.queue_fail_open = true;
	fixture_make_worker(x, false);
	for (unsigned int i = 0; i < 3; i++) {
		struct source_config want = worker_source_config(&next[i].conf);

		worker_set_conf(x->worker, &next[i]);
		worker_pass(x->worker, 0);
		worker_pass(x->worker, 0);
		assert_int_equal(x->source.config_calls, i + 1);
		assert_true(source_config_equal(&x->source.config, &want));
	}
	assert_true(x->source.config.fail_open);
	assert_int_equal(x->source.config.max_packets, x->conf.conf.queue_max_packets);
	assert_int_equal(x->source.config.receive_buffer, 0);
}

/* Two equal SYNs under way: the second finds at the exit hook that the flow exists. */
static void test_drop_at_the_exit_hook(void **state)
{
	struct fixture *x = *state;
	uint8_t syn[TCP_LEN];

	x->conf.conf.track.confirm = CT_CONFIRM_EXIT;
	fixture_make_worker(x, false);
	make_tcp(syn, 1, false, SYN, 1, 0);
	for (uint32_t i = 0; i < 4; i++) {
		fixture_offer(x, i, syn, sizeof(syn), i < 2 ? 0 : 0xa);
		x->source.packets[i].in.hook = i < 2 ? CT_HOOK_PREROUTING : CT_HOOK_POSTROUTING;
	}
	worker_pass(x->worker, 0);
	assert_int_equal(x->source.nanswers, 4);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(x->source.answers[i].verdict,
				 i < 3 ? VERDICT_ACCEPT : VERDICT_DROP);
	assert_int_equal(ct_count(x->ct), 1);
}

/* Memory may be short for a moment: the worker comes back soon instead of waiting for packets. */
static void test_flush_is_tried_again(void **state)
{
	struct fixture *x = *state;
	struct worker_counts counts;

	fixture_make_worker(x, false);
	x->source.flush_error = -ENOBUFS;
	assert_int_equal(worker_pass(x->worker, 1000), 0);
	assert_int_equal(x->source.last_timeout_ms, 1000);
	assert_int_equal(worker_pass(x->worker, 1000), 0);
	assert_in_range(x->source.last_timeout_ms, 1, 100);
	worker_get_counts(x->worker, &counts);
	assert_int_equal(counts.retries, 2);
	x->source.flush_error = 0;
	worker_pass(x->worker, 1000);
	worker_pass(x->worker, 1000);
	assert_int_equal(x->source.last_timeout_ms, 1000);
	assert_int_equal(worker_beats(x->worker), 4);

	x->source.flush_error = -EPERM; /* no verdict will ever get through */
	assert_int_equal(worker_pass(x->worker, 0), -EPERM);
}

static void test_thread_ends_with_its_source(void **state)
{
	struct fixture *x = *state;
	eventfd_t count;
	int error = 0;

	fixture_make_worker(x, false);
	x->source.receive_error = -ENODEV;
	assert_int_equal(worker_start(x->worker), 0);
	assert_true(worker_join(x->worker, 5000, &error));
	assert_int_equal(error, -ENODEV);
	assert_true(x->source.released);
	assert_false(x->closed);
	assert_int_equal(eventfd_read(x->ended_fd, &count), 0);
	x->worker = worker_free(x->worker);
	assert_true(x->closed);
}

/* What waits when the worker is told to stop is still answered. */
static void test_stop_answers_first(void **state)
{
	struct fixture *x = *state;
	int error = -1;

	fixture_make_worker(x, false);
	fixture_offer(x, 1, udp, sizeof(udp), 0);
	worker_stop(x->worker);
	assert_int_equal(worker_start(x->worker), 0);
	assert_true(worker_join(x->worker, 5000, &error));
	assert_int_equal(error, 0);
	assert_int_equal(x->source.nanswers, 1);
	assert_int_equal(x->source.last_timeout_ms, 0);
	assert_true(x->source.released);
	assert_false(x->closed); /* its totals are still asked for */
}

/* The time to wait for a thread is counted in milliseconds, and no clock that is set matters. */
static void test_join_gives_up(void **state)
{
	struct fixture *x = *state;
	uint64_t began = clock_now_ns();
	int error = 0;

	fixture_make_worker(x, false);
	assert_int_equal(worker_start(x->worker), 0);
	assert_false(worker_join(x->worker, 300, &error));
	assert_in_range(clock_now_ns() - began, 300 * NS_PER_MS, 3000 * NS_PER_MS);
	worker_stop(x->worker);
	assert_true(worker_join(x->worker, 5000, &error));
}

static struct daemon_conf *add_conf(struct daemon *d)
{
	struct daemon_conf *c = calloc(1, sizeof(*c));

	conf_init(&c->conf);
	c->older = d->conf;
	d->conf = c;
	return c;
}

/* A reload may come while a worker is about to adopt the configuration of the one before. */
static void test_configurations_are_freed_in_order(void **state)
{
	struct fixture *x = *state;
	struct daemon d = {.workers = &x->worker, .nqueues = 1};
	struct daemon_conf *a, *b, *c;

	fixture_make_worker(x, false);
	add_conf(&d);
	a = add_conf(&d);
	worker_set_conf(x->worker, a);
	worker_pass(x->worker, 0);
	b = add_conf(&d);
	worker_set_conf(x->worker, b);
	c = add_conf(&d);
	worker_set_conf(x->worker, c);
	daemon_free_old_confs(&d);
	assert_ptr_equal(d.conf, c);
	assert_ptr_equal(c->older, b); /* adopted by nobody, but it may be any moment */
	assert_ptr_equal(b->older, a);
	assert_null(a->older);
	worker_pass(x->worker, 0);
	daemon_free_old_confs(&d);
	assert_ptr_equal(d.conf, c);
	assert_null(c->older);
	free(c);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_marks_and_accepts),
		TEST(test_ends_flows),
		TEST(test_same_mark_is_left),
		TEST(test_verdict_by_class),
		TEST(test_repeat_only_once),
		TEST(test_repeat_without_mark_ends),
		TEST(test_repeat_is_told_from_exit),
		TEST(test_shadow_touches_nothing),
		TEST(test_other_families_pass),
		TEST(test_table_full_drops),
		TEST(test_table_full_in_shadow),
		TEST(test_new_configuration_between_batches),
		TEST(test_zones),
		TEST(test_source_follows),
		TEST(test_source_keys),
		TEST(test_drop_at_the_exit_hook),
		TEST(test_flush_is_tried_again),
		TEST(test_thread_ends_with_its_source),
		TEST(test_stop_answers_first),
		TEST(test_join_gives_up),
		TEST(test_configurations_are_freed_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
