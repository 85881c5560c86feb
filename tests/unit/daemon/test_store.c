/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The service manager's store, the test being the manager: what is handed over to it, and what it
 * passes at the start, good and bad.
 */

#include "daemon/store.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "util/cleanup.h"

#define FIRST 3 /* SD_LISTEN_FDS_START */

struct manager {
	char dir[32], path[48];
	int fd;
	char text[256]; /* the last message */
	int passed;	/* and its descriptor, -1: none */
};

static int set_up(void **state)
{
	struct manager *m = calloc(1, sizeof(*m));
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	*state = m;
	strcpy(m->dir, "/tmp/ctmarkd-store-XXXXXX");
	assert_non_null(mkdtemp(m->dir));
	snprintf(m->path, sizeof(m->path), "%s/notify", m->dir);
	strcpy(address.sun_path, m->path);
	m->fd = fcntl(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), F_DUPFD_CLOEXEC, 200);
	assert_int_equal(bind(m->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setenv("NOTIFY_SOCKET", m->path, 1);
	setenv("FDSTORE", "9", 1);
	return 0;
}

static int tear_down(void **state)
{
	struct manager *m = *state;

	close(m->fd);
	unlink(m->path);
	rmdir(m->dir);
	free(m);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("FDSTORE");
	return 0;
}

/* Reads a message, if there is one. */
static bool hear(struct manager *m)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(64)];
	} control = {};
	struct iovec iov = {m->text, sizeof(m->text) - 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(m->fd, &msg, MSG_DONTWAIT);

	if (n < 0)
		return false;
	m->text[n] = '\0';
	m->passed = -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			memcpy(&m->passed, CMSG_DATA(c), sizeof(int));
	return true;
}

static bool same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

static void test_keep(void **state)
{
	struct manager *m = *state;
	char strange[STORE_STRANGE_STRLEN];
	struct store s;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(store_init(&s, strange), 0);
	assert_string_equal(strange, "");
	assert_int_equal(s.room, 9);
	assert_true(store_works(&s));
	assert_int_equal(store_keep(&s, STORE_QUEUE, 65535, fds[0]), 0);
	assert_true(hear(m));
	assert_string_equal(m->text, "FDSTORE=1\nFDNAME=queue-65535\nFDPOLL=0");
	assert_true(same_file(m->passed, fds[0]));
	close(m->passed);
	assert_int_equal(store_keep(&s, STORE_FLOWS, 0, fds[1]), 0);
	assert_true(hear(m));
	assert_string_equal(m->text, "FDSTORE=1\nFDNAME=flows\nFDPOLL=0");
	close(m->passed);
	assert_int_equal(store_drop(&s, STORE_SEAT, 3), 0);
	assert_true(hear(m));
	assert_string_equal(m->text, "FDSTOREREMOVE=1\nFDNAME=seat-3");
	assert_false(hear(m));
	store_done(&s);
	close(fds[0]);
	close(fds[1]);
}

/* A manager that keeps nothing is not bothered. */
static void test_no_store(void **state)
{
	struct manager *m = *state;
	char strange[STORE_STRANGE_STRLEN];
	struct store s;

	unsetenv("FDSTORE");
	assert_int_equal(store_init(&s, strange), 0);
	assert_false(store_works(&s));
	assert_int_equal(store_keep(&s, STORE_FLOWS, 0, STDERR_FILENO), 0);
	assert_int_equal(store_drop(&s, STORE_FLOWS, 0), 0);
	assert_int_equal(store_settle(&s), 0);
	assert_false(hear(m));
	store_done(&s);

	setenv("FDSTORE", "9", 1);
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(store_init(&s, strange), 0);
	assert_false(store_works(&s));
	assert_int_equal(store_keep(&s, STORE_FLOWS, 0, STDERR_FILENO), 0);
	store_done(&s);
}

static void test_manager_is_gone(void **state)
{
	struct manager *m = *state;
	char strange[STORE_STRANGE_STRLEN];
	struct store s;

	unlink(m->path);
	assert_int_equal(store_init(&s, strange), 0);
	assert_true(store_works(&s));
	assert_true(store_keep(&s, STORE_FLOWS, 0, STDERR_FILENO) < 0);
	assert_false(store_works(&s));
	store_done(&s);
}

/* Runs a part of a test in a process that is started with so many descriptors of these names. */
static void with_passed(int n, const char *names, void (*part)(struct manager *m),
			struct manager *m)
{
	pid_t pid = fork();
	char text[16];
	int status;

	if (pid == 0) {
		for (int i = 0; i < n; i++)
			dup2(STDERR_FILENO, FIRST + i);
		snprintf(text, sizeof(text), "%d", getpid());
		setenv("LISTEN_PID", text, 1);
		snprintf(text, sizeof(text), "%d", n);
		setenv("LISTEN_FDS", text, 1);
		setenv("LISTEN_FDNAMES", names, 1);
		part(m);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* In the child an assertion cannot be told to cmocka. */
#define NEED(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                    \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

static void passed(struct manager *m)
{
	char strange[STORE_STRANGE_STRLEN];
	struct store s;

	NEED(store_init(&s, strange) == 0);
	NEED(strcmp(strange, "varlink, queue-, queue-01, queue-65536, seat, flows-1") == 0);
	NEED(!getenv("LISTEN_FDS"));
	NEED(s.n == 5);
	NEED(fcntl(FIRST, F_GETFD) == FD_CLOEXEC);
	NEED(store_any_queue(&s, STORE_QUEUE) == 7);
	NEED(store_take(&s, STORE_QUEUE, 8) == -1);
	NEED(store_take(&s, STORE_QUEUE, 7) == FIRST + 0);
	NEED(store_take(&s, STORE_QUEUE, 7) == FIRST + 10);
	NEED(store_take(&s, STORE_QUEUE, 7) == -1);
	NEED(store_any_queue(&s, STORE_QUEUE) == -1);
	NEED(store_any_queue(&s, STORE_SEAT) == 0); /* the lowest */
	NEED(store_take(&s, STORE_FLOWS, 0) == FIRST + 4);
	store_done(&s);
	NEED(fcntl(FIRST + 4, F_GETFD) >= 0);		    /* taken */
	NEED(fcntl(FIRST + 9, F_GETFD) < 0);		    /* ours, and not taken */
	NEED(fcntl(FIRST + 1, F_GETFD) < 0);		    /* strange */
	NEED(hear(m) && strstr(m->text, "FDNAME=varlink")); /* and given up */
}

static void test_passed(void **state)
{
	with_passed(11,
		    "queue-7:varlink:queue-:queue-01:flows:queue-65536:seat:flows-1:seat-65535:"
		    "seat-0:queue-7",
		    passed, *state);
}

static void nothing_passed(struct manager *m)
{
	char strange[STORE_STRANGE_STRLEN];
	struct store s;

	setenv("LISTEN_PID", "1", 1); /* of somebody else */
	NEED(store_init(&s, strange) == 0);
	NEED(s.n == 0 && store_works(&s));
	NEED(fcntl(FIRST, F_GETFD) >= 0);
	store_done(&s);
}

static void test_passed_to_another(void **state)
{
	with_passed(2, "flows:queue-0", nothing_passed, *state);
}

static void badly_passed(struct manager *m)
{
	char strange[STORE_STRANGE_STRLEN];
	struct store s;

	setenv("LISTEN_FDS", "many", 1);
	NEED(store_init(&s, strange) < 0);
	NEED(s.n == 0 && !store_works(&s));
	store_done(&s);
}

static void test_badly_passed(void **state)
{
	with_passed(2, "flows:queue-0", badly_passed, *state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_keep),   TEST(test_no_store),		 TEST(test_manager_is_gone),
		TEST(test_passed), TEST(test_passed_to_another), TEST(test_badly_passed),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
