/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/queuelist.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util/cleanup.h"

/* As the kernel prints it: queue, port id, waiting, copy mode, range, drops, drops, id, 1. */
static const char list[] = "    0  12205     0 2   256     0     0        1  1\n"
			   "    1 3413760571     0 2   256     0     0        2  1\n"
			   "65535  99999    17 2 65531     3     4   123456  1\n";

static int holder_in(const char *text, uint16_t queue, uint32_t *ret)
{
	char path[] = "/tmp/test_queuelist.XXXXXX";
	int fd = mkstemp(path), r;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	r = queuelist_holder(path, queue, ret);
	close(fd);
	unlink(path);
	return r;
}

static void test_finds_the_holder(void **state)
{
	uint32_t portid = 0;

	assert_int_equal(holder_in(list, 0, &portid), 0);
	assert_int_equal(portid, 12205);
	assert_int_equal(holder_in(list, 1, &portid), 0);
	assert_int_equal(portid,
			 3413760571); /* beyond INT_MAX: not the first socket of a process */
	assert_int_equal(holder_in(list, 65535, &portid), 0);
	assert_int_equal(portid, 99999);
}

static void test_nobody_holds_it(void **state)
{
	uint32_t portid = 5;

	assert_int_equal(holder_in(list, 2, &portid), -ENOENT);
	assert_int_equal(holder_in("", 0, &portid), -ENOENT);
	assert_int_equal(holder_in("rubbish\n\n0\n", 0, &portid), -ENOENT);
	assert_int_equal(portid, 5);
}

static void test_unreadable(void **state)
{
	uint32_t portid = 5;

	assert_int_equal(queuelist_holder("/nonexistent/list", 0, &portid), -ENOTSUP);
	assert_int_equal(queuelist_holder("/", 0, &portid), -EIO);
	assert_int_equal(portid, 5);
}

static void test_counters(void **state)
{
	struct queuelist_entry e = {};
	FILE *f = fmemopen((void *)list, sizeof(list) - 1, "r");

	assert_int_equal(queuelist_next(f, &e), 1);
	assert_int_equal(e.queue, 0);
	assert_int_equal(queuelist_next(f, &e), 1);
	assert_int_equal(queuelist_next(f, &e), 1);
	assert_int_equal(e.queue, 65535);
	assert_int_equal(e.portid, 99999);
	assert_int_equal(e.waiting, 17);
	assert_int_equal(e.full, 3);
	assert_int_equal(e.lost, 4);
	assert_int_equal(queuelist_next(f, &e), 0);
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_the_holder),
		cmocka_unit_test(test_nobody_holds_it),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
