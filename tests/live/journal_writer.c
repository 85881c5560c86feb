/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Drives the real log of ctmarkd against a real journal, for test_journal_private.py.
 *
 *	journal_writer events		one event of each class, with known values
 *	journal_writer limited N	N events of one class at once, five of them let through
 *	journal_writer flood N		N events as fast as they come; then waits for a line on
 *stdin journal_writer abandon N	the same, but ends at once
 *	journal_writer oplog N		N operational messages
 *
 * Says what became of them on stdout, as "key=number" words.
 */

#include "log/journal.h"
#include "util/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define S UINT64_C(1000000000)

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * S + (uint64_t)ts.tv_nsec;
}

/* A flow of TCP over IPv4 whose reply direction is not the plain inversion. */
static struct ct_event tcp_event(enum ct_event_type type)
{
	struct ct_event ev = {
		.type = (uint8_t)type,
		.time_ns = now_ns(),
		.flow = 0xc0ffee00,
		.has_tuple = true,
		.family = CT_AF_INET,
		.l4proto = IPPROTO_TCP,
		.orig = {.family = CT_AF_INET, .proto = IPPROTO_TCP},
		.info = CT_INFO_ESTABLISHED_REPLY,
		.dir = CT_DIR_REPLY,
		.hook = CT_HOOK_FORWARD,
		.status = CT_STATUS_SEEN_REPLY | CT_STATUS_ASSURED | CT_STATUS_CONFIRMED,
		.state_old = 2,
		.state_new = 3,
		.reason = CT_REASON_TCP_ACK_OVER,
		.death = CT_DEATH_TIMEOUT,
		.detail = {10, 20, 30},
		.timeout_ns = 432000 * S,
		.mark = 0x12b,
		.queue = 2,
		.iif = 1,
		.oif = 65000,
		.accounted = true,
		.packets = {3, 2},
		.bytes = {180, 120},
		.master = 0xabc,
	};

	inet_pton(AF_INET, "192.0.2.2", &ev.orig.src);
	inet_pton(AF_INET, "198.51.100.2", &ev.orig.dst);
	ev.orig.src_id_be = htons(40000);
	ev.orig.dst_id_be = htons(443);
	ev.reply = ev.orig;
	inet_pton(AF_INET, "10.9.8.7", &ev.reply.src);
	inet_pton(AF_INET, "192.0.2.2", &ev.reply.dst);
	ev.reply.src_id_be = htons(8443);
	ev.reply.dst_id_be = htons(40000);
	return ev;
}

static struct ct_event icmp6_event(void)
{
	struct ct_event ev = {
		.type = CT_EVENT_INVALID,
		.time_ns = now_ns(),
		.has_tuple = true,
		.family = CT_AF_INET6,
		.l4proto = IPPROTO_ICMPV6,
		.orig = {.family = CT_AF_INET6, .proto = IPPROTO_ICMPV6},
		.info = CT_INFO_INVALID,
		.hook = CT_HOOK_PREROUTING,
		.reason = CT_REASON_ICMP_UNASKED,
		.detail = {129, 0, 77},
		.mark = 0xe,
	};

	inet_pton(AF_INET6, "2001:db8::1", &ev.orig.src);
	inet_pton(AF_INET6, "2001:db8::2", &ev.orig.dst);
	ev.orig.src_id_be = htons(77);
	ev.orig.dst_id_be = htons(129 << 8);
	return ev;
}

static struct jlog *new_log(uint32_t rate, uint32_t burst)
{
	const struct jlog_config cfg = {.target = LOG_TARGET_JOURNAL,
					.events = (1U << CT_EVENT_MAX) - 1,
					.rate = rate,
					.burst = burst};
	struct jlog *log;

	if (jlog_new(&log, &cfg, 1, NULL) < 0 || jlog_start(log) < 0)
		exit(1);
	return log;
}

static void push_events(struct jlog *log)
{
	struct ct_event ev;

	for (int type = 0; type < CT_EVENT_MAX; type++) {
		ev = tcp_event(type);
		jlog_push(log, 0, &ev);
	}
	ev = icmp6_event();
	jlog_push(log, 0, &ev);
}

/* Says how long the longest push of n took. */
static void flood(struct jlog *log, uint64_t n)
{
	struct ct_event ev = tcp_event(CT_EVENT_STATE);
	uint64_t longest = 0;

	for (uint64_t i = 0; i < n; i++) {
		uint64_t before = now_ns();

		jlog_push(log, 0, &ev);
		if (now_ns() - before > longest)
			longest = now_ns() - before;
	}
	printf("longest_us=%" PRIu64 "\n", longest / 1000);
	fflush(stdout);
}

static void say_stats(const struct jlog *log, enum ct_event_type type)
{
	struct jlog_stats st;

	jlog_get_stats(log, type, &st);
	printf("suppressed=%" PRIu64 " dropped=%" PRIu64 "\n", st.suppressed, st.dropped);
	fflush(stdout);
}

static void wait_refused(const struct jlog *log, uint64_t n)
{
	struct jlog_stats st = {0};

	while (st.sent + st.failed < n) {
		usleep(1000);
		jlog_get_stats(log, CT_EVENT_STATE, &st);
	}
	printf("failed=%" PRIu64 "\n", st.failed);
	fflush(stdout);
}

static int run_log(const char *verb, uint64_t n)
{
	bool limited = strcmp(verb, "limited") == 0;
	struct jlog *log = new_log(limited, limited ? 5 : 0);
	bool all;

	if (strcmp(verb, "events") == 0) {
		push_events(log);
	} else {
		flood(log, n);
		say_stats(log, CT_EVENT_STATE);
	}
	if (strcmp(verb, "refused") == 0)
		wait_refused(log, n);
	if (strcmp(verb, "flood") == 0 || strcmp(verb, "refused") == 0)
		(void)getchar();
	all = jlog_stop(log, strcmp(verb, "abandon") == 0 ? 300 : 60000);
	printf("all=%d\n", all);
	return 0;
}

static int run_oplog(uint64_t n)
{
	struct oplog log;

	oplog_init(&log, LOG_TARGET_JOURNAL, LOG_INFO);
	for (uint64_t i = 0; i < n; i++)
		oplog(&log, LOG_ERR, EPERM, MSGID_QUEUE_ERROR, "Cannot bind\nqueue %" PRIu64, i);
	printf("written=%" PRIu64 "\n", n);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t n = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;

	if (argc < 2)
		return 2;
	return strcmp(argv[1], "oplog") == 0 ? run_oplog(n) : run_log(argv[1], n);
}
