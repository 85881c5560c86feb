/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The log thread with a journal that refuses and hangs on demand, which a real one does not. That
 * the real one gets the records right is shown by tests/live/test_journal_private.py.
 */

#include "io/ifname.h"
#include "log/journal.h"
#include "log/msgid.h"
#include "util/cleanup.h"
#include "util/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define ALL_EVENTS ((1U << CT_EVENT_MAX) - 1)
#define S	   NS_PER_S

/* ---- the journal ---- */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool hang, refuse;
	unsigned int hanging, names;
	unsigned int events[CT_EVENT_MAX], summaries;
	uint8_t order[8]; /* types of the first events */
	unsigned int norder;
	uint64_t suppressed, dropped;
} journal = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static bool field_is(const struct iovec *v, const char *text)
{
	return v->iov_len == strlen(text) && memcmp(v->iov_base, text, v->iov_len) == 0;
}

static bool field_number(const struct iovec *v, const char *name, uint64_t *sum)
{
	char value[32];
	size_t len = strlen(name);

	if (v->iov_len <= len || memcmp(v->iov_base, name, len) != 0)
		return false;
	snprintf(value, sizeof(value), "%.*s", (int)(v->iov_len - len),
		 (const char *)v->iov_base + len);
	*sum += strtoull(value, NULL, 10);
	return true;
}

static void journal_take(const struct iovec *v)
{
	char text[64];

	for (int type = 0; type < CT_EVENT_MAX; type++) {
		snprintf(text, sizeof(text), "CTMARK_EVENT=%s", ct_event_name(type));
		if (!field_is(v, text))
			continue;
		journal.events[type]++;
		if (journal.norder < sizeof(journal.order))
			journal.order[journal.norder++] = (uint8_t)type;
	}
	journal.summaries += field_number(v, "CTMARK_SUPPRESSED=", &journal.suppressed);
	journal.summaries += field_number(v, "CTMARK_DROPPED=", &journal.dropped);
}

int __wrap_access(const char *path, int mode);
int __wrap_sd_journal_sendv(const struct iovec *iov, int n);
const char *__wrap_ifname_get(struct ifname *names, uint32_t index, char buf[static IF_NAMESIZE]);

int __wrap_access(const char *path, int mode)
{
	return 0; /* the socket of the journal is there */
}

int __wrap_sd_journal_sendv(const struct iovec *iov, int n)
{
	int r = 0;

	pthread_mutex_lock(&journal.lock);
	journal.hanging++;
	pthread_cond_broadcast(&journal.changed);
	while (journal.hang)
		pthread_cond_wait(&journal.changed, &journal.lock);
	journal.hanging--;
	if (journal.refuse)
		r = -ECONNREFUSED;
	for (int i = 0; r == 0 && i < n; i++)
		journal_take(&iov[i]);
	pthread_cond_broadcast(&journal.changed);
	pthread_mutex_unlock(&journal.lock);
	return r;
}

const char *__wrap_ifname_get(struct ifname *names, uint32_t index, char buf[static IF_NAMESIZE])
{
	pthread_mutex_lock(&journal.lock);
	journal.names++;
	pthread_mutex_unlock(&journal.lock);
	snprintf(buf, IF_NAMESIZE, "if%u", index);
	return buf;
}

static void journal_set(bool hang, bool refuse)
{
	pthread_mutex_lock(&journal.lock);
	journal.hang = hang;
	journal.refuse = refuse;
	pthread_cond_broadcast(&journal.changed);
	pthread_mutex_unlock(&journal.lock);
}

/* Waits until the log thread hangs in the journal. */
static void journal_wait_hanging(void)
{
	pthread_mutex_lock(&journal.lock);
	while (!journal.hanging)
		pthread_cond_wait(&journal.changed, &journal.lock);
	pthread_mutex_unlock(&journal.lock);
}

static int setup(void **state)
{
	memset(journal.events, 0, sizeof(journal.events));
	journal.summaries = journal.names = journal.norder = 0;
	journal.suppressed = journal.dropped = 0;
	journal_set(false, false);
	return 0;
}

/* ---- the log ---- */

static const struct jlog_config unlimited = {.target = LOG_TARGET_JOURNAL, .events = ALL_EVENTS};

static struct jlog *started(const struct jlog_config *cfg, size_t nrings, struct ifname *names)
{
	struct jlog *log = NULL;

	assert_int_equal(jlog_new(&log, cfg, nrings, names), 0);
	assert_int_equal(jlog_start(log), 0);
	return log;
}

static void push(struct jlog *log, size_t ring, enum ct_event_type type, uint64_t now_ns,
		 unsigned int n)
{
	struct ct_event ev = {.type = (uint8_t)type, .time_ns = now_ns, .flow = 1, .iif = 5};

	while (n--)
		jlog_push(log, ring, &ev);
}

static void wait_sent(struct jlog *log, enum ct_event_type type, uint64_t sent)
{
	struct jlog_stats st = {0};

	while (st.sent + st.failed < sent) {
		usleep(1000);
		jlog_get_stats(log, type, &st);
	}
}

static uint64_t now_ms(void)
{
	return clock_now_ns() / NS_PER_MS;
}

static void test_everything_is_sent(void **state)
{
	struct jlog *log = started(&unlimited, 2, NULL);
	struct jlog_stats st;

	push(log, 0, CT_EVENT_NEW, S, 100);
	push(log, 1, CT_EVENT_STATE, S, 200);
	wait_sent(log, CT_EVENT_STATE, 200);
	jlog_get_stats(log, CT_EVENT_STATE, &st);
	assert_int_equal(st.sent, 200);
	assert_int_equal(st.suppressed + st.dropped + st.failed, 0);
	push(log, 0, CT_EVENT_DESTROY, S, 50);
	assert_true(jlog_stop(log, 5000));

	assert_int_equal(journal.events[CT_EVENT_NEW], 100);
	assert_int_equal(journal.events[CT_EVENT_STATE], 200);
	assert_int_equal(journal.events[CT_EVENT_DESTROY], 50);
	assert_int_equal(journal.summaries, 0);
}

static void assert_order(const enum ct_event_type *types, unsigned int n)
{
	assert_int_equal(journal.norder, n);
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(journal.order[i], types[i]);
}

/* One flow, its packets by two queues. */
static void test_order_over_rings(void **state)
{
	static const enum ct_event_type types[] = {CT_EVENT_NEW, CT_EVENT_REPLY, CT_EVENT_ASSURED,
						   CT_EVENT_STATE, CT_EVENT_DESTROY};
	struct jlog *log = NULL;

	assert_int_equal(jlog_new(&log, &unlimited, 3, NULL), 0);
	push(log, 0, CT_EVENT_REPLY, S + 2, 1);
	push(log, 0, CT_EVENT_STATE, S + 3, 1);
	push(log, 1, CT_EVENT_NEW, S + 1, 1);
	push(log, 1, CT_EVENT_ASSURED, S + 2, 1);
	push(log, 2, CT_EVENT_DESTROY, S + 4, 1);
	assert_int_equal(jlog_start(log), 0);
	assert_true(jlog_stop(log, 5000));
	assert_order(types, ARRAY_SIZE(types));
}

/* What is younger than a short pause waits for a thread that is slow to push. */
static void test_slow_ring_catches_up(void **state)
{
	static const enum ct_event_type types[] = {CT_EVENT_NEW, CT_EVENT_REPLY};
	struct jlog *log = started(&unlimited, 2, NULL);
	uint64_t now = clock_now_ns();

	push(log, 0, CT_EVENT_REPLY, now + S, 1);
	usleep(100000);
	push(log, 1, CT_EVENT_NEW, now + S / 2, 1);
	wait_sent(log, CT_EVENT_REPLY, 1);
	assert_in_range(clock_now_ns(), now + S, UINT64_MAX);
	assert_true(jlog_stop(log, 5000));
	assert_order(types, ARRAY_SIZE(types));
}

/* Nobody pushes any more when the log is stopped: nothing to wait for. */
static void test_stop_waits_for_no_ring(void **state)
{
	struct jlog *log = started(&unlimited, 2, NULL);
	uint64_t began = clock_now_ns();

	push(log, 1, CT_EVENT_STATE, began + 60 * S, 10);
	assert_true(jlog_stop(log, 20000));
	assert_in_range(clock_now_ns(), began, began + 10 * S);
	assert_int_equal(journal.events[CT_EVENT_STATE], 10);
}

static void test_never_started(void **state)
{
	struct jlog *log = NULL;

	assert_int_equal(jlog_new(&log, &unlimited, 0, NULL), 0);
	assert_true(jlog_stop(log, 0));
}

static void test_filter_and_target(void **state)
{
	struct jlog_config cfg = unlimited;
	struct jlog *log;

	cfg.events = 1U << CT_EVENT_INVALID;
	log = started(&cfg, 1, NULL);
	push(log, 0, CT_EVENT_NEW, S, 10);
	push(log, 0, CT_EVENT_INVALID, S, 10);
	push(log, 0, CT_EVENT_MAX, S, 10);
	cfg.target = LOG_TARGET_NONE;
	wait_sent(log, CT_EVENT_INVALID, 10);
	jlog_configure(log, &cfg);
	push(log, 0, CT_EVENT_INVALID, S, 10);
	cfg = unlimited;
	jlog_configure(log, &cfg);
	push(log, 0, CT_EVENT_NEW, S, 3);
	assert_true(jlog_stop(log, 5000));
	assert_int_equal(journal.events[CT_EVENT_INVALID], 10);
	assert_int_equal(journal.events[CT_EVENT_NEW], 3);
}

static void test_rate_limit_is_told(void **state)
{
	struct jlog_config cfg = unlimited;
	struct jlog_stats st;
	struct jlog *log;

	cfg.rate = 10;
	cfg.burst = 5;
	log = started(&cfg, 1, NULL);
	push(log, 0, CT_EVENT_INVALID, S, 100000);
	push(log, 0, CT_EVENT_NEW, S, 6);
	jlog_get_stats(log, CT_EVENT_INVALID, &st);
	assert_int_equal(st.suppressed, 99995);
	assert_true(jlog_stop(log, 5000));
	assert_int_equal(journal.events[CT_EVENT_INVALID], 5);
	assert_int_equal(journal.events[CT_EVENT_NEW], 5);
	assert_int_equal(journal.summaries, 2);
	assert_int_equal(journal.suppressed, 99995 + 1);
	assert_int_equal(journal.dropped, 0);
}

/* A flood of one class leaves the other classes room in the ring. */
static void test_flood_does_not_fill_the_ring(void **state)
{
	struct jlog_config cfg = unlimited;
	struct jlog *log;

	cfg.rate = 2000;
	cfg.burst = 10000;
	journal_set(true, false);
	log = started(&cfg, 1, NULL);
	push(log, 0, CT_EVENT_INVALID, S, 1000000);
	push(log, 0, CT_EVENT_NEW, S, 1000);
	journal_set(false, false);
	assert_true(jlog_stop(log, 10000));
	assert_int_equal(journal.events[CT_EVENT_INVALID], 10000);
	assert_int_equal(journal.events[CT_EVENT_NEW], 1000);
	assert_int_equal(journal.suppressed, 990000);
	assert_int_equal(journal.dropped, 0);
}

#define FLOOD 50000

static void test_hanging_journal_costs_records_only(void **state)
{
	struct jlog *log = started(&unlimited, 1, NULL);
	struct jlog_stats st;

	journal_set(true, false);
	push(log, 0, CT_EVENT_STATE, S, 1);
	journal_wait_hanging();
	push(log, 0, CT_EVENT_STATE, S, FLOOD);
	jlog_get_stats(log, CT_EVENT_STATE, &st);
	assert_in_range(st.dropped, 1, FLOOD - 1);
	journal_set(false, false);
	assert_true(jlog_stop(log, 10000));
	assert_int_equal(journal.dropped, st.dropped);
	assert_int_equal(journal.events[CT_EVENT_STATE] + journal.dropped, FLOOD + 1);
}

static void test_refusing_journal(void **state)
{
	struct jlog *log = started(&unlimited, 1, NULL);
	struct jlog_stats st;

	journal_set(false, true);
	push(log, 0, CT_EVENT_NEW, S, 40);
	push(log, 0, CT_EVENT_STATE, S, 2);
	wait_sent(log, CT_EVENT_NEW, 40);
	wait_sent(log, CT_EVENT_STATE, 2);
	jlog_get_stats(log, CT_EVENT_NEW, &st);
	assert_int_equal(st.failed, 40);
	assert_int_equal(st.sent, 0);
	journal_set(false, false);
	push(log, 0, CT_EVENT_NEW, S, 1);
	assert_true(jlog_stop(log, 5000));
	assert_int_equal(journal.events[CT_EVENT_NEW], 1);
	assert_int_equal(journal.dropped, 42);
	assert_int_equal(journal.summaries, 1);
}

/* A summary comes within a second or so, and only once for the same loss. */
static void test_summary_in_time(void **state)
{
	struct jlog_config cfg = unlimited;
	struct jlog *log;
	uint64_t began;

	cfg.rate = cfg.burst = 1;
	began = now_ms();
	log = started(&cfg, 1, NULL);
	push(log, 0, CT_EVENT_NEW, S, 4);
	pthread_mutex_lock(&journal.lock);
	while (!journal.summaries)
		pthread_cond_wait(&journal.changed, &journal.lock);
	assert_int_equal(journal.suppressed, 3);
	pthread_mutex_unlock(&journal.lock);
	assert_in_range(now_ms() - began, 900, 10000);
	assert_true(jlog_stop(log, 5000));
	assert_int_equal(journal.summaries, 1);
}

static void test_stop_gives_up(void **state)
{
	/* opaque to the log, and gone for good when jlog_stop() returns */
	struct ifname *names = (struct ifname *)&journal;
	struct jlog *log = started(&unlimited, 1, names);
	unsigned int asked;
	uint64_t began;

	journal_set(true, false);
	push(log, 0, CT_EVENT_STATE, S, 1000);
	journal_wait_hanging();
	began = now_ms();
	assert_false(jlog_stop(log, 200));
	assert_in_range(now_ms() - began, 199, 5000);

	asked = journal.names;
	assert_int_equal(asked, 1);
	journal_set(false, false);
	usleep(100000);
	pthread_mutex_lock(&journal.lock);
	assert_int_equal(journal.names, asked);
	assert_int_equal(journal.events[CT_EVENT_STATE], 1);
	pthread_mutex_unlock(&journal.lock);
}

/* ---- several threads ---- */

#define PUSHERS 3
#define PUSHES	200000

struct pusher {
	pthread_t thread;
	struct jlog *log;
	size_t ring;
};

static void *pusher_thread(void *arg)
{
	struct pusher *p = arg;

	for (uint64_t i = 0; i < PUSHES; i++)
		push(p->log, p->ring, i % CT_EVENT_MAX, S + i * 1000, 1);
	return NULL;
}

static void add_stats(const struct jlog *log, struct jlog_stats *sum)
{
	for (int type = 0; type < CT_EVENT_MAX; type++) {
		struct jlog_stats st;

		jlog_get_stats(log, type, &st);
		sum->sent += st.sent;
		sum->suppressed += st.suppressed;
		sum->dropped += st.dropped;
		sum->failed += st.failed;
	}
}

static void test_many_pushers_with_reloads(void **state)
{
	struct jlog_config cfg = unlimited;
	struct pusher p[PUSHERS];
	struct jlog_stats st = {0};
	struct jlog *log;
	uint64_t sent = 0;

	cfg.rate = 100000;
	cfg.burst = 100;
	log = started(&cfg, PUSHERS, NULL);
	for (size_t i = 0; i < PUSHERS; i++) {
		p[i] = (struct pusher){.log = log, .ring = i};
		assert_int_equal(pthread_create(&p[i].thread, NULL, pusher_thread, &p[i]), 0);
	}
	for (unsigned int i = 1; i < 20; i++) {
		cfg.burst = i * 100;
		jlog_configure(log, &cfg);
	}
	for (size_t i = 0; i < PUSHERS; i++)
		pthread_join(p[i].thread, NULL);
	add_stats(log, &st);
	assert_true(jlog_stop(log, 20000));
	for (int type = 0; type < CT_EVENT_MAX; type++)
		sent += journal.events[type];
	assert_int_equal(journal.suppressed, st.suppressed);
	assert_int_equal(journal.dropped, st.dropped);
	assert_int_equal(sent + st.suppressed + st.dropped, PUSHERS * PUSHES);
}

/* ---- console ---- */

/* stderr becomes a pipe. Returns its other end. */
static int redirect_stderr(int *ret_saved)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	*ret_saved = dup(STDERR_FILENO);
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	return fds[0];
}

static void restore_stderr(int saved)
{
	dup2(saved, STDERR_FILENO);
	close(saved);
}

static void test_console(void **state)
{
	struct jlog_config cfg = unlimited;
	char buf[4096];
	struct jlog *log;
	int saved, fd;
	ssize_t n;

	cfg.target = LOG_TARGET_CONSOLE;
	fd = redirect_stderr(&saved);
	log = started(&cfg, 1, (struct ifname *)&journal);
	push(log, 0, CT_EVENT_STATE, S, 2);
	assert_true(jlog_stop(log, 5000));
	restore_stderr(saved);
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	assert_int_equal(strncmp(buf, "event=state flow=0000000000000001 ", 34), 0);
	assert_non_null(strstr(buf, " iif=if5"));
	assert_non_null(strstr(buf, "\nevent=state "));
	assert_int_equal(journal.events[CT_EVENT_STATE], 0);
}

static void test_console_that_nobody_reads(void **state)
{
	struct jlog_config cfg = unlimited;
	struct jlog *log;
	int saved, fd;

	cfg.target = LOG_TARGET_CONSOLE;
	fd = redirect_stderr(&saved);
	log = started(&cfg, 1, NULL);
	push(log, 0, CT_EVENT_STATE, S, 10000);
	assert_false(jlog_stop(log, 300));
	restore_stderr(saved);
	close(fd); /* lets the thread go: EPIPE, and no signal */
	usleep(100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_everything_is_sent, setup),
		cmocka_unit_test_setup(test_order_over_rings, setup),
		cmocka_unit_test_setup(test_slow_ring_catches_up, setup),
		cmocka_unit_test_setup(test_stop_waits_for_no_ring, setup),
		cmocka_unit_test_setup(test_never_started, setup),
		cmocka_unit_test_setup(test_filter_and_target, setup),
		cmocka_unit_test_setup(test_rate_limit_is_told, setup),
		cmocka_unit_test_setup(test_flood_does_not_fill_the_ring, setup),
		cmocka_unit_test_setup(test_hanging_journal_costs_records_only, setup),
		cmocka_unit_test_setup(test_refusing_journal, setup),
		cmocka_unit_test_setup(test_summary_in_time, setup),
		cmocka_unit_test_setup(test_stop_gives_up, setup),
		cmocka_unit_test_setup(test_many_pushers_with_reloads, setup),
		cmocka_unit_test_setup(test_console, setup),
		cmocka_unit_test_setup(test_console_that_nobody_reads, setup),
	};

	return cmocka_run_group_tests_name("log/jlog", tests, NULL, NULL);
}
