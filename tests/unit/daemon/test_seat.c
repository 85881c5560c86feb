/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What a worker leaves behind, and which of it the next one takes. */

#include "daemon/seat.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/stats.h"

#define QUEUE 7

static void test_goes_on(void **state)
{
	struct seat a, b;
	int fd;

	assert_int_equal(seat_new(&a, QUEUE), 0);
	assert_true(desk_valid(a.desk, QUEUE));
	assert_int_equal(fcntl(a.fd, F_GETFD), FD_CLOEXEC);
	ct_counter_add(&a.worker->thread.stats.count[CT_STAT_PACKETS], 5);
	ct_counter_add(&a.worker->thread.stats.death[CT_DEATH_MAX - 1], 4);
	ct_counter_add(&a.worker->retries, 6);
	desk_note(a.desk, &(struct desk_note){.id = 9});
	fd = fcntl(a.fd, F_DUPFD_CLOEXEC, 0);
	seat_free(&a);
	assert_null(a.memory);
	assert_int_equal(seat_adopt(&b, fd, QUEUE), 0);
	assert_int_equal(b.fd, fd);
	assert_int_equal(b.worker->thread.stats.count[CT_STAT_PACKETS], 5);
	assert_int_equal(b.worker->thread.stats.death[CT_DEATH_MAX - 1], 4);
	assert_int_equal(b.worker->retries, 6);
	assert_non_null(desk_find(b.desk, 9));
	seat_free(&b);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	seat_free(&b);
}

/* The first words of a seat are magic, layout, size and queue. */
static void test_damage(void **state)
{
	struct seat a, b;
	uint64_t *word;

	assert_int_equal(seat_new(&a, QUEUE), 0);
	word = a.memory;
	assert_int_equal(seat_adopt(&b, a.fd, QUEUE + 1), -EBADMSG);
	for (int i = 0; i < 4; i++) {
		word[i]++;
		assert_int_equal(seat_adopt(&b, a.fd, QUEUE), -EBADMSG);
		word[i]--;
	}
	a.desk->magic++; /* is none of its business */
	assert_int_equal(seat_adopt(&b, dup(a.fd), QUEUE), 0);
	seat_free(&b);
	seat_free(&a);
}

/* Descriptors of other things, which stay open. */
static void test_no_seat(void **state)
{
	struct seat a;
	int fd = memfd_create("empty", MFD_CLOEXEC), null = open("/dev/null", O_RDWR);

	assert_int_equal(seat_adopt(&a, -1, QUEUE), -EBADF);
	assert_int_equal(seat_adopt(&a, null, QUEUE), -EBADMSG);
	assert_int_equal(seat_adopt(&a, fd, QUEUE), -EBADMSG);
	assert_int_equal(ftruncate(fd, 8 << 20), 0);
	assert_int_equal(seat_adopt(&a, fd, QUEUE), -EBADMSG);
	assert_int_equal(close(fd), 0);
	assert_int_equal(close(null), 0);
}

/* It cannot be cut off below whoever reads it, and takes no more memory than is used. */
static void test_memory(void **state)
{
	struct seat a;
	struct stat st;

	assert_int_equal(seat_new(&a, QUEUE), 0);
	assert_int_equal(ftruncate(a.fd, 4096), -1);
	assert_int_equal(fstat(a.fd, &st), 0);
	assert_in_range(st.st_blocks * 512, 4096, 1 << 20);
	seat_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goes_on),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_no_seat),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
