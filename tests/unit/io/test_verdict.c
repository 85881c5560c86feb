/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/verdict.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "io/source.h"
#include "util/cleanup.h"

#define QUEUE 0x0102

enum { VERDICT = 1, VERDICT_BATCH = 3 }; /* as on the wire */

/* Host byte order in the netlink header, network byte order in the rest. */
static void expect_header(const uint8_t *msg, uint32_t len, uint16_t type, uint32_t seq)
{
	static const uint8_t nfgen[] = {0, 0, 0x01, 0x02};
	struct nlmsghdr nlh;

	memcpy(&nlh, msg, sizeof(nlh));
	assert_int_equal(nlh.nlmsg_len, len);
	assert_int_equal(nlh.nlmsg_type, 3 << 8 | type); /* of the queue subsystem */
	assert_int_equal(nlh.nlmsg_seq, seq);
	assert_int_equal(nlh.nlmsg_flags, NLM_F_REQUEST);
	assert_memory_equal(msg + sizeof(nlh), nfgen, sizeof(nfgen));
}

static void expect_attr(const uint8_t *attr, uint16_t len, uint16_t type, const void *payload)
{
	uint16_t head[2];

	memcpy(head, attr, sizeof(head));
	assert_int_equal(head[0], len);
	assert_int_equal(head[1], type);
	assert_memory_equal(attr + sizeof(head), payload, len - sizeof(head));
}

static bool put(struct verdict_buf *b, uint32_t id, uint32_t verdict, bool set_mark, uint32_t mark)
{
	return verdict_buf_put(b, &(struct verdict_entry){id, verdict, mark, set_mark, false});
}

static bool put_alone(struct verdict_buf *b, uint32_t id, uint32_t verdict)
{
	return verdict_buf_put(b, &(struct verdict_entry){id, verdict, 0, false, true});
}

/* Sends, and leaves what was sent in got. Returns its length. */
static size_t sent(struct verdict_buf *b, uint8_t *got, size_t size)
{
	ssize_t len;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	assert_int_equal(verdict_buf_send(b, fds[0]), 0);
	assert_int_equal(b->used, 0);
	len = recv(fds[1], got, size, MSG_DONTWAIT);
	close(fds[0]);
	close(fds[1]);
	return len < 0 ? 0 : (size_t)len;
}

static void test_bytes_without_mark(void **state)
{
	static const uint8_t verdict[] = {0, 0, 0, 1, 0xde, 0xad, 0xbe, 0xef};
	uint8_t got[64];
	struct verdict_buf b;

	assert_int_equal(verdict_buf_init(&b, QUEUE, 1), 0);
	assert_true(put(&b, 0xdeadbeef, VERDICT_ACCEPT, false, 77));
	assert_int_equal(sent(&b, got, sizeof(got)), 32);
	expect_header(got, 32, VERDICT, 1);
	expect_attr(got + 20, 12, 2, verdict);
	verdict_buf_done(&b);
}

static void test_bytes_with_mark(void **state)
{
	static const uint8_t verdict[] = {0, 5, 0, 3, 0, 0, 0, 9};
	static const uint8_t mark[] = {0x12, 0x34, 0x56, 0x78};
	uint8_t got[64];
	struct verdict_buf b;

	assert_int_equal(verdict_buf_init(&b, QUEUE, 1), 0);
	assert_true(put(&b, 9, VERDICT_QUEUE_NR(5), true, 0x12345678));
	assert_int_equal(sent(&b, got, sizeof(got)), VERDICT_MSG_MAX);
	expect_header(got, VERDICT_MSG_MAX, VERDICT, 1);
	expect_attr(got + 20, 12, 2, verdict);
	expect_attr(got + 32, 8, 3, mark);
	verdict_buf_done(&b);
}

/* The last id; the mark, because the second packet needs it; in nlmsg_seq how many they are. */
static void test_bytes_of_a_run(void **state)
{
	static const uint8_t verdict[] = {0, 0, 0, 4, 0, 0, 0, 12};
	static const uint8_t mark[] = {0, 0, 0, 3};
	uint8_t got[64];
	struct verdict_buf b;

	assert_int_equal(verdict_buf_init(&b, QUEUE, 1), 0);
	assert_true(put(&b, 9, VERDICT_REPEAT, false, 3));
	assert_true(put(&b, 10, VERDICT_REPEAT, true, 3));
	assert_true(put(&b, 12, VERDICT_REPEAT, false, 3));
	assert_int_equal(sent(&b, got, sizeof(got)), VERDICT_MSG_MAX);
	expect_header(got, VERDICT_MSG_MAX, VERDICT_BATCH, 3);
	expect_attr(got + 20, 12, 2, verdict);
	expect_attr(got + 32, 8, 3, mark);
	verdict_buf_done(&b);
}

struct step {
	uint32_t verdict;
	bool set_mark;
	uint32_t mark;
};

/* How many messages n neighbours make. */
static size_t count_messages(const struct step *steps, size_t n)
{
	_Alignas(struct nlmsghdr) uint8_t got[16 * VERDICT_MSG_MAX];
	struct verdict_buf b;
	size_t len, count = 0;

	assert_int_equal(verdict_buf_init(&b, QUEUE, 16), 0);
	for (size_t i = 0; i < n; i++)
		put(&b, (uint32_t)i, steps[i].verdict, steps[i].set_mark, steps[i].mark);
	len = sent(&b, got, sizeof(got));
	for (size_t at = 0; at < len; count++)
		at += ((struct nlmsghdr *)(got + at))->nlmsg_len;
	verdict_buf_done(&b);
	return count;
}

#define MESSAGES(...)                                                                              \
	count_messages((const struct step[]){__VA_ARGS__},                                         \
		       ARRAY_SIZE(((const struct step[]){__VA_ARGS__})))

static void test_what_makes_a_run(void **state)
{
	const uint32_t a = VERDICT_ACCEPT, d = VERDICT_DROP;

	assert_int_equal(MESSAGES({a, true, 1}, {a, true, 1}), 1);
	assert_int_equal(MESSAGES({a, true, 1}, {a, true, 2}), 2);
	assert_int_equal(MESSAGES({a, true, 1}, {d, true, 1}), 2);
	assert_int_equal(MESSAGES({VERDICT_QUEUE_NR(1), 0, 0}, {VERDICT_QUEUE_NR(2), 0, 0}), 2);
	/* nobody's mark is touched, so each may keep his own */
	assert_int_equal(MESSAGES({a, false, 1}, {a, false, 2}, {a, false, 3}), 1);
	assert_int_equal(MESSAGES({a, false, 1}, {a, false, 2}, {a, true, 2}), 2);
	assert_int_equal(MESSAGES({a, false, 1}, {a, true, 2}), 2);
	assert_int_equal(MESSAGES({a, false, 2}, {a, true, 2}, {a, false, 2}), 1);
	assert_int_equal(MESSAGES({a, true, 2}, {a, false, 2}, {a, false, 3}), 2);
}

static void test_alone(void **state)
{
	static const uint8_t ids[] = {1, 2, 4, 5, 6};
	uint8_t got[8 * VERDICT_MSG_MAX];
	struct verdict_buf b;

	assert_int_equal(verdict_buf_init(&b, QUEUE, 8), 0);
	put_alone(&b, 1, VERDICT_ACCEPT);
	put_alone(&b, 2, VERDICT_ACCEPT);
	put(&b, 3, VERDICT_ACCEPT, false, 0);
	put(&b, 4, VERDICT_ACCEPT, false, 0);
	put_alone(&b, 5, VERDICT_ACCEPT);
	put(&b, 6, VERDICT_ACCEPT, false, 0);
	assert_int_equal(sent(&b, got, sizeof(got)), 5 * 32);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		expect_header(got + 32 * i, 32, i == 2 ? VERDICT_BATCH : VERDICT, i == 2 ? 2 : 1);
		assert_int_equal(got[32 * i + 31], ids[i]);
	}
	verdict_buf_done(&b);
}

/* A run ends where its length no longer fits among the numbers that stand for lengths. */
static void test_longest_run(void **state)
{
	uint8_t got[4 * VERDICT_MSG_MAX];
	struct verdict_buf b;

	assert_int_equal(verdict_buf_init(&b, QUEUE, 4), 0);
	for (uint32_t id = 1; id <= VERDICT_RUN_MAX + 2; id++)
		assert_true(put(&b, id, VERDICT_ACCEPT, false, 0));
	assert_int_equal(sent(&b, got, sizeof(got)), 64);
	expect_header(got, 32, VERDICT_BATCH, VERDICT_RUN_MAX);
	expect_header(got + 32, 32, VERDICT_BATCH, 2);
	verdict_buf_done(&b);
}

/* What still fits into the run of a full buffer takes no room; what was refused ends it. */
static void test_full_adds_nothing(void **state)
{
	uint8_t got[4 * VERDICT_MSG_MAX];
	struct verdict_buf b;

	assert_int_equal(verdict_buf_init(&b, QUEUE, 2), 0);
	assert_true(put(&b, 1, VERDICT_ACCEPT, true, 1));
	assert_true(put(&b, 2, VERDICT_DROP, true, 1));
	assert_true(put(&b, 3, VERDICT_DROP, true, 1));
	assert_false(put(&b, 4, VERDICT_ACCEPT, true, 1));
	assert_false(put(&b, 5, VERDICT_DROP, true, 1));
	assert_int_equal(sent(&b, got, sizeof(got)), 2 * VERDICT_MSG_MAX);
	expect_header(got + VERDICT_MSG_MAX, VERDICT_MSG_MAX, VERDICT_BATCH, 2);
	assert_int_equal(got[VERDICT_MSG_MAX + 31], 3);
	verdict_buf_done(&b);
}

static void test_one_datagram(void **state)
{
	uint8_t got[4 * VERDICT_MSG_MAX];
	struct verdict_buf b;

	assert_int_equal(verdict_buf_init(&b, QUEUE, 3), 0);
	put(&b, 1, VERDICT_ACCEPT, true, 1);
	put(&b, 2, VERDICT_DROP, false, 0);
	put(&b, 3, VERDICT_REPEAT, true, 3);
	assert_int_equal(sent(&b, got, sizeof(got)), 40 + 32 + 40);
	expect_header(got + 40, 32, VERDICT, 1);
	assert_int_equal(sent(&b, got, sizeof(got)), 0); /* nothing to send is no datagram */
	verdict_buf_done(&b);
}

/* What could not be sent goes out with the next send, once and in order; its run is over. */
static void test_failure_keeps_verdicts(void **state)
{
	uint8_t got[4 * VERDICT_MSG_MAX];
	struct verdict_buf b;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(verdict_buf_init(&b, QUEUE, 2), 0);
	while (send(fds[0], "x", 1, 0) == 1)
		;
	put(&b, 1, VERDICT_ACCEPT, false, 0);
	assert_int_equal(verdict_buf_send(&b, fds[0]), -EAGAIN);
	assert_int_equal(b.used, 32);
	put(&b, 2, VERDICT_ACCEPT, false, 0);
	while (recv(fds[1], got, sizeof(got), 0) == 1)
		;
	assert_int_equal(verdict_buf_send(&b, fds[0]), 0);
	assert_int_equal(recv(fds[1], got, sizeof(got), 0), 64);
	expect_header(got, 32, VERDICT, 1);
	assert_int_equal(got[31], 1);
	assert_int_equal(got[63], 2);
	close(fds[1]);
	put(&b, 3, VERDICT_ACCEPT, false, 0);
	assert_int_equal(verdict_buf_send(&b, fds[0]), -ECONNREFUSED);
	assert_int_equal(b.used, 32);
	verdict_buf_done(&b);
	close(fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_without_mark),
		cmocka_unit_test(test_bytes_with_mark),
		cmocka_unit_test(test_bytes_of_a_run),
		cmocka_unit_test(test_what_makes_a_run),
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_longest_run),
		cmocka_unit_test(test_full_adds_nothing),
		cmocka_unit_test(test_one_datagram),
		cmocka_unit_test(test_failure_keeps_verdicts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
