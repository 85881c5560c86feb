/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Names of interfaces when notifications are lost, which the library below is made to report. */

#include "io/ifname.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <cmocka.h>

/* Stands for the library: messages that wait, and what reading one of them says. */
static struct {
	int fd; /* counts the messages that wait */
	int errors[8];
	unsigned int caught, queries;
	int query_error;
	bool query_overrun;
	const char *name;  /* what the kernel would tell */
	const char *known; /* what was told */
} lib;

struct nlif_handle; /* opaque, and none but ifname.c has its header */
struct nlif_handle *__wrap_nlif_open(void);
void __wrap_nlif_close(struct nlif_handle *h);
int __wrap_nlif_fd(struct nlif_handle *h);
int __wrap_nlif_query(struct nlif_handle *h);
int __wrap_nlif_catch(struct nlif_handle *h);
int __wrap_nlif_index2name(struct nlif_handle *h, unsigned int index, char *name);
int __wrap_nlif_get_ifflags(const struct nlif_handle *h, unsigned int index, unsigned int *flags);

struct nlif_handle *__wrap_nlif_open(void)
{
	return (struct nlif_handle *)&lib;
}

void __wrap_nlif_close(struct nlif_handle *h)
{
}

int __wrap_nlif_fd(struct nlif_handle *h)
{
	return lib.fd;
}

int __wrap_nlif_query(struct nlif_handle *h)
{
	lib.queries++;
	if (lib.query_error) {
		errno = lib.query_error;
		return -1;
	}
	if (lib.query_overrun) { /* the library does not tell but by errno */
		lib.query_overrun = false;
		eventfd_write(lib.fd, 1);
		errno = ENOBUFS;
		return 1;
	}
	lib.known = lib.name;
	return 1;
}

int __wrap_nlif_catch(struct nlif_handle *h)
{
	eventfd_t one;

	assert_int_equal(eventfd_read(lib.fd, &one), 0); /* it would block */
	errno = lib.errors[lib.caught++];
	return errno ? -1 : 1;
}

int __wrap_nlif_index2name(struct nlif_handle *h, unsigned int index, char *name)
{
	strcpy(name, lib.known);
	return 0;
}

int __wrap_nlif_get_ifflags(const struct nlif_handle *h, unsigned int index, unsigned int *flags)
{
	*flags = index == 1 ? IFF_LOOPBACK : 0;
	return 0;
}

static int set_up(void **state)
{
	struct ifname *n = NULL;

	memset(&lib, 0, sizeof(lib));
	lib.fd = eventfd(0, EFD_NONBLOCK | EFD_SEMAPHORE);
	lib.name = "old0";
	if (ifname_new(&n) < 0)
		return -1;
	*state = n;
	return 0;
}

static int tear_down(void **state)
{
	ifname_free(*state);
	close(lib.fd);
	return 0;
}

static void assert_name(struct ifname *n, const char *name)
{
	char buf[IF_NAMESIZE];

	assert_string_equal(ifname_get(n, 7, buf), name);
}

static void test_reads_what_waits(void **state)
{
	struct ifname *n = *state;

	assert_int_equal(ifname_catch_up(n), 0);
	assert_int_equal(lib.caught, 0);
	eventfd_write(lib.fd, 3);
	assert_int_equal(ifname_catch_up(n), 0);
	assert_int_equal(lib.caught, 3);
	assert_int_equal(lib.queries, 1); /* that of the start */
	assert_true(ifname_is_loopback(n, 1));
	assert_false(ifname_is_loopback(n, 2));
}

/* Notifications were lost: what is still there is read, and then everything asked for again. */
static void test_lost_notifications(void **state)
{
	struct ifname *n = *state;

	lib.name = "new0";
	lib.errors[0] = ENOBUFS;
	eventfd_write(lib.fd, 3);
	assert_int_equal(ifname_catch_up(n), 0);
	assert_int_equal(lib.caught, 3);
	assert_int_equal(lib.queries, 2);
	assert_name(n, "new0");
	eventfd_write(lib.fd, 1); /* it goes on */
	assert_int_equal(ifname_catch_up(n), 0);
	assert_int_equal(lib.queries, 2);
}

/* More is lost while the interfaces are read. */
static void test_lost_again(void **state)
{
	struct ifname *n = *state;

	lib.name = "new0";
	lib.errors[0] = ENOBUFS;
	lib.query_overrun = true;
	eventfd_write(lib.fd, 1);
	assert_int_equal(ifname_catch_up(n), 0);
	assert_name(n, "old0");
	assert_int_equal(ifname_catch_up(n), 0);
	assert_name(n, "new0");
	assert_int_equal(lib.queries, 3);
}

/* A name that may be wrong is worse than a number. */
static void test_other_errors_end_it(void **state)
{
	struct ifname *n = *state;

	lib.errors[0] = EINTR;
	lib.errors[1] = EBADF;
	eventfd_write(lib.fd, 2);
	assert_name(n, "old0");
	assert_int_equal(ifname_catch_up(n), -EBADF);
	assert_name(n, "7");
}

static void test_query_fails(void **state)
{
	struct ifname *n = *state;

	lib.errors[0] = ENOBUFS;
	lib.query_error = EPERM;
	eventfd_write(lib.fd, 1);
	assert_int_equal(ifname_catch_up(n), -EPERM);
	assert_name(n, "7");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reads_what_waits), TEST(test_lost_notifications),
		TEST(test_lost_again),	     TEST(test_other_errors_end_it),
		TEST(test_query_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
