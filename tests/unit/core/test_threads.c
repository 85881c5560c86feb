/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Several threads on one table, on the same flows. Meant for the thread sanitizer; without it the
 * sums still have to come out.
 */

#include "packet.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "core/pkt.h"
#include "core/table.h"

#define THREADS 4
#define PACKETS 40000
#define HOSTS	64
#define FLOWS	48 /* fewer than there are hosts, so that the table gets full too */

#define TALKERS 12 /* hosts that transfer files: few, so that their packets meet */

struct job;
typedef void make_packet(struct job *j, struct pk *p);

struct job {
	struct ct_thread th;
	pthread_t thread;
	uint64_t seed;
	make_packet *make;
	uint64_t news, children[2], ends, full, drops;
	bool odd;
};

static void count_event(struct job *j, const struct ct_event *ev)
{
	j->news += ev->begins;
	if (ev->begins && ev->master)
		j->children[ev->l4proto == CT_PROTO_TCP]++;
	j->ends += ev->type == CT_EVENT_DESTROY;
}

static void count_result(struct job *j, const struct ct_result *out)
{
	for (unsigned int i = 0; i < out->nevents; i++)
		count_event(j, &out->events[i]);
	j->full += out->drop && out->reason == CT_REASON_TABLE_FULL;
	j->drops += out->drop;
	j->odd |= out->nevents > CT_RESULT_EVENTS_MAX;
	j->odd |= !out->drop && !out->passed && out->info == CT_INFO_INVALID &&
		  out->reason == CT_REASON_NONE;
}

static void make_any(struct job *j, struct pk *p)
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

/* The same headers with text behind them; the checksum is at offset at. */
static void append(struct pk *p, const char *text, size_t n, uint32_t src, uint32_t dst,
		   uint32_t at)
{
	uint32_t hlen = at == 6 ? 8 : 20;
	uint8_t l4[128];

	memcpy(l4, p->b + p->l4, hlen);
	memcpy(l4 + hlen, text, n);
	if (at == 6)
		l4[5] = (uint8_t)(hlen + n);
	pk_ip(p, CT_AF_INET, src, dst, at == 6 ? 17 : 6, l4, hlen + n);
	pk_fix_checksum(p, at);
}

/* A transfer by FTP: control connection from port 7, data from port 20 to port 2569 of the host. */
static void make_ftp(struct pk *p, uint32_t host, uint32_t server, unsigned int step)
{
	char text[] = "PORT 10,0,0,00,10,9\r\n";

	switch (step) {
	case 0:
		pk_tcp(p, CT_AF_INET, host, server, 7, 21, PK_SYN, 100, 0);
		break;
	case 1:
		pk_tcp(p, CT_AF_INET, server, host, 21, 7, PK_SYN | PK_ACK, 500, 101);
		break;
	case 2:
		pk_tcp(p, CT_AF_INET, host, server, 7, 21, PK_ACK, 101, 501);
		break;
	case 3: /* a line, so that the next one is known to be one */
		pk_tcp(p, CT_AF_INET, host, server, 7, 21, PK_ACK, 101, 501);
		append(p, "NOOP\r\n", 6, host, server, 16);
		break;
	case 4:
		text[12] = (char)('0' + host / 10);
		text[13] = (char)('0' + host % 10);
		pk_tcp(p, CT_AF_INET, host, server, 7, 21, PK_ACK, 107, 501);
		append(p, text, sizeof(text) - 1, host, server, 16);
		break;
	case 5:
		pk_tcp(p, CT_AF_INET, server, host, 20, 2569, PK_SYN, 900, 0);
		break;
	default:
		pk_tcp(p, CT_AF_INET, host, server, 7, 21, PK_RST, 123, 0);
	}
}

/* Masters, what they announce, errors about it, and masters that end. */
static void make_transfer(struct job *j, struct pk *p)
{
	uint32_t host = 1 + (uint32_t)(dice(&j->seed) % TALKERS), server = 0xffff;
	uint64_t d = dice(&j->seed) % 16;
	struct pk lost;

	if (d < 10) {
		make_ftp(p, host, server, (unsigned int)(d < 7 ? d : d - 4));
	} else if (d < 12) {
		pk_udp(p, CT_AF_INET, host, server, 7, 69);
		append(p, "\0\1f\0octet", 10, host, server, 6);
	} else if (d < 15) {
		pk_udp(p, CT_AF_INET, server, host, 2000, 7);
	} else {
		pk_udp(&lost, CT_AF_INET, server, host, 2000, 7);
		pk_icmp(p, CT_AF_INET, host, server, 3, 3, 0, &lost);
	}
}

static void keep(void *ctx, const struct ct_input *in, struct ct_result *out)
{
	*(struct ct_result *)ctx = *out;
}

/* The way of a batch, which looks at the table before it has a lock. */
static void track(struct job *j, const struct ct_input *in, struct ct_result *out)
{
	ct_track_batch(&j->th, &in, 1, keep, out);
}

/* One packet; where flows are confirmed at the exit, two of three get there. */
static void pass(struct job *j, const struct pk *p, uint64_t now_ns)
{
	struct ct_input in = pk_input(p, now_ns);
	struct ct_result out;

	track(j, &in, &out);
	count_result(j, &out);
	if (out.drop || j->th.cfg->confirm == CT_CONFIRM_ENTRY || dice(&j->seed) % 3 == 0)
		return;
	in.hook = CT_HOOK_POSTROUTING;
	in.mark = out.mark;
	track(j, &in, &out);
	count_result(j, &out);
}

static void *work(void *arg)
{
	struct job *j = arg;
	uint64_t now_ns = SEC;

	for (int i = 0; i < PACKETS; i++) {
		struct ct_event events[4];
		struct pk p;

		j->make(j, &p);
		pass(j, &p, now_ns);
		now_ns += dice(&j->seed) % (100 * MSEC);
		if (i % 16)
			continue;
		for (size_t n = ct_expire(&j->th, now_ns, events, 4, NULL); n > 0; n--)
			count_event(j, &events[n - 1]);
	}
	return NULL;
}

/* Somebody who asks all the time who fills the table. */
struct asker {
	pthread_t thread;
	struct ct *ct;
	atomic_bool done;
	uint64_t answers;
	bool odd;
};

static void *ask(void *arg)
{
	struct asker *a = arg;
	struct ct_talkers who;

	for (uint64_t i = 0; !atomic_load(&a->done); i++) {
		ct_talkers(a->ct, i, &who);
		a->answers += who.nsources > 0 && who.has_target;
		a->odd |= who.nsources > CT_TALKERS_MAX || who.target.permille > 1000;
		for (unsigned int k = 0; k < who.nsources; k++)
			a->odd |= who.source[k].permille > 1000 ||
				  who.source[k].party.family != CT_AF_INET;
		nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
	}
	return NULL;
}

static uint64_t total(const struct ct_stats *s, enum ct_stat stat)
{
	return atomic_load(&s->count[stat]);
}

static void run_threads(struct engine *e, make_packet *make, struct ct_stats *sum, struct job *ret)
{
	struct asker asker = {.ct = e->th.ct};
	static struct job jobs[THREADS];

	assert_int_equal(pthread_create(&asker.thread, NULL, ask, &asker), 0);
	memset(jobs, 0, sizeof(jobs));
	memset(sum, 0, sizeof(*sum));
	memset(ret, 0, sizeof(*ret));
	for (uint64_t i = 0; i < THREADS; i++) {
		jobs[i].th = (struct ct_thread){.ct = e->th.ct, .cfg = &e->cfg};
		jobs[i].seed = i;
		jobs[i].make = make;
		assert_int_equal(pthread_create(&jobs[i].thread, NULL, work, &jobs[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(jobs[i].thread, NULL), 0);
		assert_false(jobs[i].odd);
		ct_stats_add(sum, &jobs[i].th.stats);
		ret->news += jobs[i].news;
		ret->children[0] += jobs[i].children[0];
		ret->children[1] += jobs[i].children[1];
		ret->ends += jobs[i].ends;
		ret->full += jobs[i].full;
		ret->drops += jobs[i].drops;
	}
	atomic_store(&asker.done, true);
	assert_int_equal(pthread_join(asker.thread, NULL), 0);
	assert_true(asker.answers > 0 && !asker.odd);
}

static void check_sums(const struct ct_stats *sum, const struct job *all)
{
	uint64_t infos = 0;

	for (int i = 0; i < CT_INFO_MAX; i++)
		infos += atomic_load(&sum->info[i]);
	assert_int_equal(total(sum, CT_STAT_PACKETS), THREADS * PACKETS);
	assert_int_equal(infos, THREADS * PACKETS);
	assert_int_equal(total(sum, CT_STAT_CREATED), all->news);
	assert_int_equal(total(sum, CT_STAT_DESTROYED), all->ends);
	assert_int_equal(total(sum, CT_STAT_TABLE_FULL), all->full);
	assert_true(all->news > FLOWS && all->ends > 0);
}

static void test_confirmed_at_entry(void **state)
{
	struct ct_stats sum;
	struct engine e;
	struct job all;

	engine_open(&e, FLOWS);
	e.cfg.confirm = CT_CONFIRM_ENTRY;
	run_threads(&e, make_any, &sum, &all);
	check_sums(&sum, &all);
	assert_int_equal(all.drops, all.full);
	assert_int_equal(ct_count(e.th.ct), all.news - all.ends);
	assert_true(all.full > 0 && total(&sum, CT_STAT_EARLY_DROPS) > 0);
	engine_close(&e);
}

static void test_confirmed_at_exit(void **state)
{
	static struct ct_event events[FLOWS];
	struct ct_stats sum;
	struct engine e;
	struct job all;

	engine_open(&e, FLOWS);
	e.cfg.confirm = CT_CONFIRM_EXIT;
	run_threads(&e, make_any, &sum, &all);
	check_sums(&sum, &all);
	assert_true(total(&sum, CT_STAT_UNCONFIRMED) > 0);
	assert_int_equal(ct_expire(&e.th, 1000000 * SEC, events, FLOWS, NULL), all.news - all.ends);
	assert_int_equal(ct_count(e.th.ct), 0);
	engine_close(&e);
}

/* Masters come and go in one thread while what they expected begins in others. */
static void test_expected(void **state)
{
	static struct ct_event events[TALKERS];

	for (int confirm = CT_CONFIRM_ENTRY; confirm <= CT_CONFIRM_EXIT; confirm++) {
		struct ct_stats sum;
		struct engine e;
		struct job all;

		engine_open(&e, TALKERS);
		e.cfg.confirm = (uint8_t)confirm;
		e.cfg.helper_ports[0] = (struct ct_helper_port){21, CT_HELPER_FTP};
		e.cfg.helper_ports[1] = (struct ct_helper_port){69, CT_HELPER_TFTP};
		e.cfg.nhelper_ports = 2;
		run_threads(&e, make_transfer, &sum, &all);
		check_sums(&sum, &all);
		assert_true(all.children[0] > 100 && all.children[1] > 100);
		assert_int_equal(ct_expire(&e.th, 1000000 * SEC, events, TALKERS, NULL),
				 all.news - all.ends);
		assert_int_equal(ct_count(e.th.ct), 0);
		assert_int_equal(ct_expect_count(e.th.ct), 0);
		engine_close(&e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_confirmed_at_entry),
		cmocka_unit_test(test_confirmed_at_exit),
		cmocka_unit_test(test_expected),
	};

	return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
