/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Memory of the flow table: what is mapped, and that large pages change nothing in it. */

#include "daemon/memory.h"
#include "util/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define MIB   ((size_t)1 << 20)
#define LARGE (2 * MIB)

static bool is_zero(const uint8_t *p, size_t n)
{
	return p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
}

/* Bytes that a part of the memory really takes. */
static size_t resident(void *p, size_t n)
{
	static unsigned char pages[65536];
	size_t count = 0, total = (n + 4095) / 4096;

	assert_true(total <= sizeof(pages));
	assert_int_equal(mincore(p, n, pages), 0);
	for (size_t i = 0; i < total; i++)
		count += pages[i] & 1;
	return count * 4096;
}

static void test_small(void **state)
{
	struct memory m;

	assert_int_equal(memory_map(&m, 5 * MIB + 4096, 3000), 0);
	assert_true(is_zero(m.arena, 5 * MIB + 4096) && is_zero(m.index, 3000));
	memset(m.arena, 0xa5, 5 * MIB + 4096);
	memset(m.index, 0xa5, 3000);
	assert_false(memory_settle(&m, 0)); /* not worth it */
	assert_false(memory_settle(&m, MIB));
	assert_int_equal(m.settled, 0);
	memory_unmap(&m);
	assert_null(m.arena);
	memory_unmap(&m);
}

/* Another mapping of the descriptor shows the flows: that is how they outlive the process. */
static void test_shared(void **state)
{
	struct memory m;
	struct stat st;
	uint8_t *other;

	assert_int_equal(memory_map(&m, 100 * MIB, 4096), 0);
	assert_int_equal(fstat(m.arena_fd, &st), 0);
	assert_true((size_t)st.st_size >= 100 * MIB);
	memory_settle(&m, 0);
	((uint8_t *)m.arena)[3 * MIB] = 7;
	other = mmap(NULL, 100 * MIB, PROT_READ, MAP_SHARED, m.arena_fd, 0);
	assert_ptr_not_equal(other, MAP_FAILED);
	assert_int_equal(other[3 * MIB], 7);
	munmap(other, 100 * MIB);
	memory_unmap(&m);
}

/* Nothing is taken in advance but a bounded part ahead of what is used, and not all at a time. */
static void test_on_demand(void **state)
{
	struct memory m;
	size_t before;

	assert_int_equal(memory_map(&m, 200 * MIB, 16 * MIB), 0);
	assert_int_equal(resident(m.arena, 200 * MIB), 0);
	assert_true(memory_settle(&m, 0));
	assert_int_equal(m.settled, MEMORY_CHUNKS * LARGE);
	while (memory_settle(&m, 0))
		;
	before = m.settled;
	assert_int_equal(before, MEMORY_AHEAD * LARGE);
	assert_true(resident(m.arena, 200 * MIB) <= before);
	memory_unmap(&m);
}

/* Flows come on; what they have written stays, and the end is not overstepped. */
static void test_follows(void **state)
{
	size_t size = 130 * MIB + 8192;
	struct memory m;

	assert_int_equal(memory_map(&m, size, 4096), 0);
	for (size_t used = 0; used < size; used += 999983) {
		memset((uint8_t *)m.arena + used, (int)(used % 251) + 1,
		       size - used < 999983 ? size - used : 999983);
		memory_settle(&m, used + 1);
		assert_true(m.settled <= size + 2 * LARGE);
	}
	for (size_t at = 0; at < size; at += 4093)
		assert_int_equal(((uint8_t *)m.arena)[at], at / 999983 * 999983 % 251 + 1);
	memory_unmap(&m);
}

/* Whether a core dump leaves out the mapping that begins at p. */
static bool is_left_out(const void *p)
{
	_cleanup_fclose_ FILE *maps = fopen("/proc/self/smaps", "re");
	char line[512];
	bool here = false;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps)) {
		unsigned long start, end;

		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			here = start == (unsigned long)p;
		else if (here && strncmp(line, "VmFlags:", 8) == 0)
			return strstr(line, " dd");
	}
	return false;
}

/* A page of it is nothing that the first packets should wait for. */
static void test_index(void **state)
{
	struct memory m;

	assert_int_equal(memory_map(&m, 100 * MIB, 16 * MIB), 0);
	assert_int_equal(resident(m.index, 16 * MIB), 16 * MIB);
	assert_true(is_zero(m.index, 16 * MIB));
	memory_unmap(&m);
}

static void test_core_dump(void **state)
{
	struct memory m;

	assert_int_equal(memory_map(&m, 100 * MIB, 16 * MIB), 0);
	memset(m.arena, 1, MIB);
	memset(m.index, 1, MIB);
	assert_true(is_left_out(m.arena) && is_left_out(m.index));
	memory_unmap(&m);
}

static void test_too_much(void **state)
{
	struct memory m;

	assert_true(memory_map(&m, SIZE_MAX / 4, 4096) < 0);
	memory_unmap(&m);
	assert_true(memory_map(&m, 4096, SIZE_MAX / 4) < 0);
	memory_unmap(&m);
}

/* What one process left behind is found by the next, with the number of those that failed. */
static void test_adopted(void **state)
{
	struct memory m, other;
	int fd;

	assert_int_equal(memory_map(&m, 5 * MIB, 4096), 0);
	memset(m.arena, 0xa5, 5 * MIB);
	fd = dup(m.arena_fd);
	memory_unmap(&m);
	for (unsigned int attempt = 0; attempt < 3; attempt++) {
		assert_int_equal(memory_adopt(&other, dup(fd)), 0);
		assert_true(other.arena_size >= 5 * MIB);
		assert_int_equal(((uint8_t *)other.arena)[5 * MIB - 1], 0xa5);
		assert_int_equal(memory_attempt(&other), attempt);
		memory_unmap(&other);
	}
	assert_int_equal(memory_adopt(&other, fd), 0);
	memory_attempt_done(&other);
	assert_int_equal(memory_attempt(&other), 0);
	assert_int_equal(memory_index(&other, 3 * MIB), 0);
	assert_true(is_zero(other.index, 3 * MIB));
	memory_unmap(&other);
}

/* A note stays with the flows, and is whole or not there. */
static void test_note(void **state)
{
	char text[MEMORY_NOTE_MAX + 1], long_text[MEMORY_NOTE_MAX + 1] = "";
	struct memory m, other;

	assert_int_equal(memory_map(&m, 3 * MIB, 4096), 0);
	memory_read_note(&m, text);
	assert_string_equal(text, "");
	memory_note(&m, "/some/where");
	assert_int_equal(memory_attempt(&m), 0);
	assert_int_equal(memory_adopt(&other, dup(m.arena_fd)), 0);
	memory_read_note(&other, text);
	assert_string_equal(text, "/some/where");
	assert_int_equal(memory_attempt(&other), 1);
	memset(long_text, 'x', MEMORY_NOTE_MAX);
	memory_note(&other, long_text);
	memory_read_note(&m, text);
	assert_string_equal(text, "");
	memory_unmap(&other);
	memory_unmap(&m);
}

/* Nothing else is mapped, whatever it is called. */
static void test_strangers(void **state)
{
	struct memory m;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_true(memory_adopt(&m, fds[0]) < 0);
	memory_unmap(&m);
	close(fds[1]);
	assert_true(memory_adopt(&m, open("/proc/self/exe", O_RDONLY)) < 0);
	memory_unmap(&m);
	assert_true(memory_adopt(&m, memfd_create("empty", MFD_CLOEXEC)) < 0);
	memory_unmap(&m);
	fds[0] = memfd_create("odd", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fds[0], 4 * MIB), 0);
	assert_int_equal(memory_adopt(&m, fds[0]), -EBADF);
	memory_unmap(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small),	  cmocka_unit_test(test_shared),
		cmocka_unit_test(test_on_demand), cmocka_unit_test(test_follows),
		cmocka_unit_test(test_index),	  cmocka_unit_test(test_core_dump),
		cmocka_unit_test(test_too_much),  cmocka_unit_test(test_adopted),
		cmocka_unit_test(test_strangers), cmocka_unit_test(test_note),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
