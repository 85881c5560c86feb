/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/cgroup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "util/cleanup.h"

/* A tree of groups that is made up: top/a.slice/b.service. */
struct tree {
	char top[64], proc[96];
};

static void put(const struct tree *t, const char *where, const char *text)
{
	_cleanup_fclose_ FILE *file = NULL;
	char path[192];

	snprintf(path, sizeof(path), "%s/%s", t->top, where);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
}

static int make(void **state)
{
	struct tree *t = calloc(1, sizeof(*t));
	char path[192];

	assert_non_null(t);
	strcpy(t->top, "/tmp/test-cgroup-XXXXXX");
	assert_non_null(mkdtemp(t->top));
	snprintf(t->proc, sizeof(t->proc), "%s/proc", t->top);
	for (const char *const *dir = (const char *const[]){"a.slice", "a.slice/b.service", NULL};
	     *dir; dir++) {
		snprintf(path, sizeof(path), "%s/%s", t->top, *dir);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	put(t, "proc", "3:cpu:/elsewhere\n0::/a.slice/b.service\n");
	*state = t;
	return 0;
}

static int clear(void **state)
{
	struct tree *t = *state;
	char command[96];

	snprintf(command, sizeof(command), "rm -rf %s", t->top);
	assert_int_equal(system(command), 0);
	free(t);
	return 0;
}

static uint64_t limit(const struct tree *t)
{
	return cgroup_memory_limit(t->proc, t->top);
}

static void test_none(void **state)
{
	struct tree *t = *state;

	assert_true(limit(t) == UINT64_MAX);
	put(t, "a.slice/b.service/memory.max", "max\n");
	put(t, "a.slice/b.service/memory.high", "max\n");
	assert_true(limit(t) == UINT64_MAX);
}

/* The lowest counts, wherever it is. */
static void test_lowest(void **state)
{
	struct tree *t = *state;

	put(t, "a.slice/b.service/memory.max", "50331648\n");
	assert_int_equal(limit(t), 50331648);
	put(t, "a.slice/memory.max", "33554432\n");
	assert_int_equal(limit(t), 33554432);
	put(t, "a.slice/b.service/memory.high", "16777216\n");
	assert_int_equal(limit(t), 16777216);
	put(t, "memory.high", "4096\n");
	assert_int_equal(limit(t), 4096);
}

static void test_unreadable(void **state)
{
	struct tree *t = *state;

	put(t, "a.slice/b.service/memory.max", "lots\n");
	assert_true(limit(t) == UINT64_MAX);
	put(t, "a.slice/b.service/memory.max", "7\n");
	put(t, "proc", "3:cpu:/elsewhere\n");
	assert_true(limit(t) == UINT64_MAX);
	assert_true(cgroup_memory_limit("/nowhere", t->top) == UINT64_MAX);
	put(t, "proc", "0::/\n");
	put(t, "memory.max", "9\n");
	assert_int_equal(limit(t), 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_none, make, clear),
		cmocka_unit_test_setup_teardown(test_lowest, make, clear),
		cmocka_unit_test_setup_teardown(test_unreadable, make, clear),
	};

	return cmocka_run_group_tests_name("cgroup", tests, NULL, NULL);
}
