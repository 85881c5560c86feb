/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/nfqueue.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
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
	char path[] = "/tmp/test_holder.XXXXXX";
	int fd = mkstemp(path), r;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	r = nfqueue_holder_in(path, queue, ret);
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

	assert_int_equal(nfqueue_holder_in("/nonexistent/list", 0, &portid), -ENOENT);
	assert_int_equal(nfqueue_holder_in("/", 0, &portid), -EIO);
	assert_int_equal(portid, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_the_holder),
		cmocka_unit_test(test_nobody_holds_it),
		cmocka_unit_test(test_unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
