/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "log/oplog.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

/* stderr as a pipe, and no service manager. */
struct redirect {
	int out, saved;
};

static int setup(void **state)
{
	static struct redirect r;
	int fds[2];

	unsetenv("JOURNAL_STREAM");
	unsetenv("INVOCATION_ID");
	if (pipe2(fds, O_NONBLOCK) < 0)
		return -1;
	r.saved = dup(STDERR_FILENO);
	r.out = fds[0];
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	*state = &r;
	return 0;
}

static int teardown(void **state)
{
	struct redirect *r = *state;

	dup2(r->saved, STDERR_FILENO);
	close(r->saved);
	close(r->out);
	return 0;
}

static const char *written(const struct redirect *r)
{
	static char buf[8192];
	ssize_t n = read(r->out, buf, sizeof(buf) - 1);

	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

static void test_console(void **state)
{
	struct oplog log;

	oplog_init(&log, LOG_TARGET_AUTO, LOG_INFO);
	assert_int_equal(log.target, LOG_TARGET_CONSOLE);
	assert_false(log.prefix);
	assert_int_equal(oplog(&log, LOG_INFO, 0, MSGID_STARTED, "queue %d", 7), 0);
	assert_string_equal(written(*state), "ctmarkd: queue 7\n");

	assert_int_equal(oplog(&log, LOG_ERR, EPERM, NULL, "cannot bind"), -EPERM);
	assert_string_equal(written(*state), "ctmarkd: cannot bind: Operation not permitted\n");
}

/* Fields of a message's own are for the journal; stderr is for people. */
static void test_fields_are_not_for_stderr(void **state)
{
	const struct oplog_field fields[] = {{FIELD_TALKERS, "192.0.2.7=410"}, {FIELD_TARGET, ""}};
	struct oplog log;

	oplog_init(&log, LOG_TARGET_CONSOLE, LOG_WARNING);
	oplog_with(&log, LOG_WARNING, MSGID_TABLE_FULL, fields, 2, "full: %d", 3);
	assert_string_equal(written(*state), "ctmarkd: full: 3\n");
	oplog_with(&log, LOG_INFO, MSGID_TABLE_FULL, fields, 2, "not written");
	assert_string_equal(written(*state), "");
}

static void test_level(void **state)
{
	struct oplog log;

	oplog_init(&log, LOG_TARGET_CONSOLE, LOG_WARNING);
	assert_int_equal(oplog(&log, LOG_NOTICE, ENOENT, NULL, "not written"), -ENOENT);
	assert_string_equal(written(*state), "");
	oplog(&log, LOG_WARNING, 0, NULL, "written");
	assert_string_equal(written(*state), "ctmarkd: written\n");
}

static void test_none_keeps_errors(void **state)
{
	struct oplog log;

	oplog_init(&log, LOG_TARGET_NONE, LOG_DEBUG);
	oplog(&log, LOG_NOTICE, 0, NULL, "not written");
	assert_string_equal(written(*state), "");
	oplog(&log, LOG_WARNING, 0, NULL, "warning");
	oplog(&log, LOG_ERR, 0, NULL, "error");
	assert_string_equal(written(*state), "ctmarkd: warning\nctmarkd: error\n");
}

static void test_under_a_manager(void **state)
{
	struct oplog log;

	setenv("INVOCATION_ID", "5f7c", 1);
	oplog_init(&log, LOG_TARGET_AUTO, LOG_INFO);
	assert_int_equal(log.target, LOG_TARGET_CONSOLE);
	assert_true(log.prefix);
	oplog(&log, LOG_ERR, 0, NULL, "text");
	assert_string_equal(written(*state), "<3>text\n");
}

static void test_stderr_is_the_journal(void **state)
{
	char stream[64];
	struct oplog log;
	struct stat st;

	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	oplog_init(&log, LOG_TARGET_AUTO, LOG_INFO);
	assert_int_equal(log.target, LOG_TARGET_JOURNAL);
	oplog_init(&log, LOG_TARGET_CONSOLE, LOG_INFO);
	assert_int_equal(log.target, LOG_TARGET_CONSOLE);
	assert_true(log.prefix);

	/* it names another stream, or nothing */
	setenv("JOURNAL_STREAM", "1:1", 1);
	oplog_init(&log, LOG_TARGET_AUTO, LOG_INFO);
	assert_int_equal(log.target, LOG_TARGET_CONSOLE);
	setenv("JOURNAL_STREAM", "x", 1);
	oplog_init(&log, LOG_TARGET_AUTO, LOG_INFO);
	assert_int_equal(log.target, LOG_TARGET_CONSOLE);
}

static void test_one_line_whatever_the_text(void **state)
{
	static char longest[5000];
	struct oplog log;
	const char *out;

	memset(longest, 'x', sizeof(longest) - 1);
	oplog_init(&log, LOG_TARGET_CONSOLE, LOG_INFO);
	oplog(&log, LOG_WARNING, 0, NULL, "%s", "bad value \"a\nMESSAGE=b\x1b[1m\"");
	assert_string_equal(written(*state), "ctmarkd: bad value \"a MESSAGE=b [1m\"\n");
	oplog(&log, LOG_WARNING, EIO, NULL, "%s", longest);
	out = written(*state);
	assert_in_range(strlen(out), 900, 1100);
	assert_ptr_equal(strchr(out, '\n'), out + strlen(out) - 1);
}

/* Nobody reads stderr: the message is lost, the caller goes on. */
static void test_full_stderr(void **state)
{
	struct redirect *r = *state;
	struct oplog log;

	fcntl(STDERR_FILENO, F_SETFL, 0);
	oplog_init(&log, LOG_TARGET_CONSOLE, LOG_INFO);
	alarm(10);
	for (int i = 0; i < 10000; i++)
		oplog(&log, LOG_WARNING, 0, NULL, "message %d", i);
	alarm(0);
	assert_non_null(strstr(written(r), "message 0\n"));

	/* nobody can read it any more */
	close(r->out);
	assert_int_equal(oplog(&log, LOG_WARNING, EIO, NULL, "message"), -EIO);
	r->out = open("/dev/null", O_RDONLY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_console, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fields_are_not_for_stderr, setup, teardown),
		cmocka_unit_test_setup_teardown(test_level, setup, teardown),
		cmocka_unit_test_setup_teardown(test_none_keeps_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_under_a_manager, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stderr_is_the_journal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_line_whatever_the_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_stderr, setup, teardown),
	};

	return cmocka_run_group_tests_name("log/oplog", tests, NULL, NULL);
}
