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

/* Host byte order in the netlink header, network byte order in the rest. */
static void expect_header(const uint8_t *msg, uint32_t len)
{
	static const uint8_t nfgen[] = {0, 0, 0x01, 0x02};
	struct nlmsghdr nlh;

	memcpy(&nlh, msg, sizeof(nlh));
	assert_int_equal(nlh.nlmsg_len, len);
	assert_int_equal(nlh.nlmsg_type, 3 << 8 | 1); /* queue subsystem, verdict */
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

static void test_bytes_without_mark(void **state)
{
	static const uint8_t verdict[] = {0, 0, 0, 1, 0xde, 0xad, 0xbe, 0xef};
	struct verdict_buf b;

	assert_int_equal(verdict_buf_init(&b, QUEUE, 1), 0);
	assert_true(verdict_buf_put(&b, 0xdeadbeef, VERDICT_ACCEPT, false, 77));
	assert_int_equal(b.used, 32);
	expect_header(b.data, 32);
	expect_attr(b.data + 20, 12, 2, verdict);
	verdict_buf_done(&b);
}

static void test_bytes_with_mark(void **state)
{
	static const uint8_t verdict[] = {0, 5, 0, 3, 0, 0, 0, 9};
	static const uint8_t mark[] = {0x12, 0x34, 0x56, 0x78};
	struct verdict_buf b;

	assert_int_equal(verdict_buf_init(&b, QUEUE, 1), 0);
	assert_true(verdict_buf_put(&b, 9, VERDICT_QUEUE_NR(5), true, 0x12345678));
	assert_int_equal(b.used, VERDICT_MSG_MAX);
	expect_header(b.data, VERDICT_MSG_MAX);
	expect_attr(b.data + 20, 12, 2, verdict);
	expect_attr(b.data + 32, 8, 3, mark);
	verdict_buf_done(&b);
}

static void test_full_adds_nothing(void **state)
{
	struct verdict_buf b;

	assert_int_equal(verdict_buf_init(&b, QUEUE, 2), 0);
	assert_true(verdict_buf_put(&b, 1, VERDICT_ACCEPT, true, 1));
	assert_true(verdict_buf_put(&b, 2, VERDICT_ACCEPT, true, 1));
	assert_false(verdict_buf_put(&b, 3, VERDICT_ACCEPT, true, 1));
	assert_int_equal(b.used, 2 * VERDICT_MSG_MAX);
	verdict_buf_done(&b);
}

static void test_one_datagram(void **state)
{
	uint8_t got[4 * VERDICT_MSG_MAX];
	struct verdict_buf b;
	size_t used;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	assert_int_equal(verdict_buf_init(&b, QUEUE, 3), 0);
	verdict_buf_put(&b, 1, VERDICT_ACCEPT, true, 1);
	verdict_buf_put(&b, 2, VERDICT_DROP, false, 0);
	verdict_buf_put(&b, 3, VERDICT_REPEAT, true, 3);
	used = b.used;
	assert_int_equal(used, 40 + 32 + 40);
	assert_int_equal(verdict_buf_send(&b, fds[0]), 0);
	assert_int_equal(b.used, 0);
	assert_int_equal(recv(fds[1], got, sizeof(got), MSG_DONTWAIT), used);
	assert_memory_equal(got, b.data, used);
	expect_header(got + 40, 32);

	assert_int_equal(verdict_buf_send(&b, fds[0]), 0); /* nothing to send is no datagram */
	assert_int_equal(recv(fds[1], got, sizeof(got), MSG_DONTWAIT), -1);
	verdict_buf_done(&b);
	close(fds[0]);
	close(fds[1]);
}

/* What could not be sent goes out with the next send, once and in order. */
static void test_failure_keeps_verdicts(void **state)
{
	uint8_t got[4 * VERDICT_MSG_MAX];
	struct verdict_buf b;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(verdict_buf_init(&b, QUEUE, 2), 0);
	while (send(fds[0], "x", 1, 0) == 1)
		;
	verdict_buf_put(&b, 1, VERDICT_ACCEPT, false, 0);
	assert_int_equal(verdict_buf_send(&b, fds[0]), -EAGAIN);
	assert_int_equal(b.used, 32);
	verdict_buf_put(&b, 2, VERDICT_ACCEPT, false, 0);
	while (recv(fds[1], got, sizeof(got), 0) == 1)
		;
	assert_int_equal(verdict_buf_send(&b, fds[0]), 0);
	assert_int_equal(recv(fds[1], got, sizeof(got), 0), 64);
	assert_int_equal(got[31], 1);
	assert_int_equal(got[63], 2);
	close(fds[1]);
	verdict_buf_put(&b, 3, VERDICT_ACCEPT, false, 0);
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
		cmocka_unit_test(test_full_adds_nothing),
		cmocka_unit_test(test_one_datagram),
		cmocka_unit_test(test_failure_keeps_verdicts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
