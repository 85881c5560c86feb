/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Which files are read, in which order, and what masks what: in a tree of its own. */

#include "conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/conf/report.h"

#define LIB "/usr/lib/ctmarkd/ctmarkd.conf"
#define RUN "/run/ctmarkd/ctmarkd.conf"
#define ETC SYSCONFDIR "/ctmarkd/ctmarkd.conf"

struct tree {
	char root[64];
	char path[512]; /* the last one of place() */
	struct messages messages;
	struct conf conf;
};

static int setup(void **state)
{
	struct tree *t = calloc(1, sizeof(*t));

	if (!t)
		return -1;
	snprintf(t->root, sizeof(t->root), "%s/conf.XXXXXX",
		 getenv("TMPDIR") && strlen(getenv("TMPDIR")) < 40 ? getenv("TMPDIR") : "/tmp");
	*state = t;
	return mkdtemp(t->root) ? 0 : -1;
}

static int teardown(void **state)
{
	struct tree *t = *state;
	char command[128];
	int r;

	snprintf(command, sizeof(command), "rm -rf '%s'", t->root);
	r = system(command);
	free(t);
	return r;
}

/* The path below the root, with its directories made. */
static const char *place(struct tree *t, const char *path)
{
	char *full = t->path;

	snprintf(full, sizeof(t->path), "%s%s", t->root, path);
	for (char *slash = strchr(full + strlen(t->root) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(mkdir(full, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	return full;
}

static void put(struct tree *t, const char *path, const char *text)
{
	FILE *f = fopen(place(t, path), "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void put_link(struct tree *t, const char *path, const char *target)
{
	assert_int_equal(symlink(target, place(t, path)), 0);
}

/* Loads the tree, which must give this result and these messages, %s standing for the root. */
static struct conf *expect(struct tree *t, int want, const char *format)
{
	char messages[1024];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(messages, sizeof(messages), format, t->root);
#pragma GCC diagnostic pop
	t->messages.text[0] = '\0';
	assert_int_equal(conf_load(&t->conf, NULL, t->root, NULL, collect, &t->messages), want);
	assert_string_equal(t->messages.text, messages);
	return &t->conf;
}

static void test_nothing(void **state)
{
	struct conf defaults;

	conf_init(&defaults);
	assert_memory_equal(expect(*state, 0, ""), &defaults, sizeof(defaults));
}

/* Both main files are read, the administrator's last; one in /run is none. */
static void test_main_files(void **state)
{
	struct tree *t = *state;

	put(t, LIB, "[Track]\nMaxFlows=100\nTCPMaxRetrans=10\n");
	put(t, RUN, "[Track]\nMaxFlows=200\n");
	put(t, ETC, "[Track]\nTCPMaxRetrans=30\n");
	expect(t, 0, "");
	assert_int_equal(t->conf.max_flows, 100);
	assert_int_equal(t->conf.track.tcp_max_retrans, 30);
}

static void test_main_masked(void **state)
{
	struct tree *t = *state;

	put(t, LIB, "[Track]\nMaxFlows=100\n");
	put(t, ETC, "");
	assert_int_equal(expect(t, 0, "")->max_flows, 262144);
	assert_int_equal(unlink(place(t, ETC)), 0);
	put_link(t, ETC, "/dev/null");
	assert_int_equal(expect(t, 0, "")->max_flows, 262144);
	assert_int_equal(unlink(place(t, ETC)), 0);
	assert_int_equal(expect(t, 0, "")->max_flows, 100);
}

/* By name across the three directories, after the main files. */
static void test_dropin_order(void **state)
{
	struct tree *t = *state;

	put(t, ETC, "[Track]\nMaxFlows=100\nTCPMaxRetrans=1\n[Queue]\nRange=1\nMaxPackets=1\n");
	put(t, ETC ".d/10-a.conf", "[Track]\nMaxFlows=101\nTCPMaxRetrans=2\n");
	put(t, RUN ".d/20-a.conf", "[Track]\nMaxFlows=102\n[Queue]\nRange=2\n");
	put(t, LIB ".d/30-a.conf", "[Track]\nMaxFlows=103\n");
	put(t, LIB ".d/05-a.conf", "[Queue]\nRange=3\nMaxPackets=3\n");
	expect(t, 0, "");
	assert_int_equal(t->conf.max_flows, 103);
	assert_int_equal(t->conf.track.tcp_max_retrans, 2);
	assert_int_equal(t->conf.queue_first, 2);
	assert_int_equal(t->conf.queue_max_packets, 3);
}

/* Of one name only the strongest is read, and nothing of the others. */
static void test_dropin_same_name(void **state)
{
	struct tree *t = *state;

	put(t, LIB ".d/a.conf", "[Track]\nMaxFlows=101\nTCPMaxRetrans=11\n");
	put(t, RUN ".d/a.conf", "[Track]\nMaxFlows=102\n[Queue]\nMaxPackets=12\n");
	assert_int_equal(expect(t, 0, "")->max_flows, 102);
	assert_int_equal(t->conf.track.tcp_max_retrans, 3);
	put(t, ETC ".d/a.conf", "[Track]\nMaxFlows=103\n");
	assert_int_equal(expect(t, 0, "")->max_flows, 103);
	assert_int_equal(t->conf.queue_max_packets, 8192);
}

static void test_dropin_masked(void **state)
{
	struct tree *t = *state;

	put(t, LIB ".d/a.conf", "[Track]\nMaxFlows=101\n");
	put(t, RUN ".d/a.conf", "[Track]\nMaxFlows=102\n");
	put(t, LIB ".d/b.conf", "[Queue]\nRange=1\n");
	put_link(t, ETC ".d/a.conf", "/dev/null");
	put(t, RUN ".d/b.conf", "");
	expect(t, 0, "");
	assert_int_equal(t->conf.max_flows, 262144);
	assert_int_equal(t->conf.queue_first, 0);
}

static void test_names(void **state)
{
	struct tree *t = *state;
	char target[128];

	put(t, ETC ".d/.hidden.conf", "[Track]\nMaxFlows=101\n");
	put(t, ETC ".d/a.conf~", "[Track]\nMaxFlows=102\n");
	put(t, ETC ".d/b.conf.bak", "[Track]\nMaxFlows=103\n");
	put(t, ETC ".d/README", "[Track]\nMaxFlows=104\n");
	put(t, ETC ".d/.conf", "[Track]\nMaxFlows=105\n");
	assert_int_equal(expect(t, 0, "")->max_flows, 262144);
	put(t, "/else/x", "[Track]\nMaxFlows=106\n");
	snprintf(target, sizeof(target), "%s/else/x", t->root);
	put_link(t, ETC ".d/link.conf", target);
	assert_int_equal(expect(t, 0, "")->max_flows, 106);
}

static void test_messages_name_the_file(void **state)
{
	struct tree *t = *state;

	put(t, ETC, "[Mark]\nEncoding=flags\n");
	put(t, RUN ".d/a.conf", "\n[Mark]\nMask=0x3f\n");
	expect(t, -EINVAL,
	       "E %s" RUN ".d/a.conf:3: [Mark] Mask=0x3f: Encoding=flags needs 7 bits, "
	       "this has 6\n");
	put(t, RUN ".d/a.conf", "");
	expect(t, -EINVAL,
	       "E %s" ETC ":2: [Mark] Encoding=flags: needs 7 bits, the default Mask=0xf has 4\n");
	put(t, ETC ".d/b.conf", "[Mark]\nMask=0x7f\n");
	expect(t, 0, "");
}

static void test_not_files(void **state)
{
	struct tree *t = *state;

	put_link(t, ETC ".d/gone.conf", "nowhere");
	expect(t, 0, "W %s" ETC ".d/gone.conf: link to a file that does not exist, ignored\n");
	assert_int_equal(unlink(place(t, ETC ".d/gone.conf")), 0);
	assert_int_equal(mkdir(place(t, ETC ".d/dir.conf"), 0755), 0);
	expect(t, -EISDIR, "E %s" ETC ".d/dir.conf: cannot be read: Is a directory\n");
	assert_int_equal(rmdir(place(t, ETC ".d/dir.conf")), 0);
	assert_int_equal(mkfifo(place(t, ETC ".d/fifo.conf"), 0644), 0);
	expect(t, -EINVAL, "E %s" ETC ".d/fifo.conf: cannot be read: Invalid argument\n");
}

static void test_directory_is_a_file(void **state)
{
	struct tree *t = *state;

	put(t, RUN ".d", "");
	expect(t, -ENOTDIR, "E %s" RUN ".d: cannot be read: Not a directory\n");
}

/* --config: the file alone, wherever it is, and it must exist. */
static void test_one_file(void **state)
{
	struct tree *t = *state;
	char want[256];

	put(t, ETC, "[Track]\nMaxFlows=100\n");
	put(t, ETC ".d/a.conf", "[Track]\nMaxFlows=101\n");
	put(t, "/my.conf", "[Queue]\nRange=7\n");
	assert_int_equal(
		conf_load(&t->conf, NULL, t->root, place(t, "/my.conf"), collect, &t->messages), 0);
	assert_int_equal(t->conf.queue_first, 7);
	assert_int_equal(t->conf.max_flows, 262144);
	assert_int_equal(conf_load(&t->conf, NULL, "", place(t, "/no.conf"), collect, &t->messages),
			 -ENOENT);
	snprintf(want, sizeof(want), "E %s/no.conf: cannot be read: No such file or directory\n",
		 t->root);
	assert_string_equal(t->messages.text, want);
	assert_int_equal(conf_load(&t->conf, NULL, "", t->root, NULL, NULL), -EISDIR);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing),
		TEST(test_main_files),
		TEST(test_main_masked),
		TEST(test_dropin_order),
		TEST(test_dropin_same_name),
		TEST(test_dropin_masked),
		TEST(test_names),
		TEST(test_messages_name_the_file),
		TEST(test_not_files),
		TEST(test_directory_is_a_file),
		TEST(test_one_file),
	};

	return cmocka_run_group_tests_name("conf/search", tests, NULL, NULL);
}
