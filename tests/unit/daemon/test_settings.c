/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What is told of the configuration in force, and the level that can be changed meanwhile. */

#include "daemon/daemon.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct told {
	char level[16], range[16], wanted[16], loose[16];
};

static void tell(void *ctx, const struct conf_setting *s)
{
	struct told *t = ctx;

	if (strcmp(s->key, "Level") == 0)
		snprintf(t->level, sizeof(t->level), "%s", s->value);
	if (strcmp(s->key, "TCPLoose") == 0)
		snprintf(t->loose, sizeof(t->loose), "%s", s->value);
	if (strcmp(s->key, "Range") == 0) {
		snprintf(t->range, sizeof(t->range), "%s", s->value);
		snprintf(t->wanted, sizeof(t->wanted), "%s", s->wanted ? s->wanted : "-");
	}
}

static int setup(void **state)
{
	struct daemon *d = calloc(1, sizeof(*d));

	d->conf = calloc(1, sizeof(*d->conf));
	conf_init(&d->conf->conf);
	conf_init(&d->started);
	oplog_init(&d->oplog, LOG_TARGET_CONSOLE, d->started.log_level);
	*state = d;
	return 0;
}

static int teardown(void **state)
{
	struct daemon *d = *state;

	free(d->conf);
	free(d);
	return 0;
}

static void test_settings(void **state)
{
	struct daemon *d = *state;
	struct told t = {};

	d->conf->conf.queue_first = d->conf->conf.queue_last = 9;
	d->conf->conf.track.tcp_loose = false;
	assert_int_equal(daemon_settings_each(d, tell, &t), 0);
	assert_string_equal(t.range, "0");
	assert_string_equal(t.wanted, "9");
	assert_string_equal(t.loose, "no");
	assert_string_equal(t.level, "info");
}

static void test_level(void **state)
{
	struct daemon *d = *state;
	struct told t = {};

	assert_int_equal(daemon_set_log_level(d, LOG_DEBUG), 0);
	assert_int_equal(d->oplog.level, LOG_DEBUG);
	assert_int_equal(daemon_settings_each(d, tell, &t), 0);
	assert_string_equal(t.level, "debug");
	assert_int_equal(d->conf->conf.log_level, LOG_INFO);
	assert_int_equal(daemon_set_log_level(d, LOG_ERR), 0);
	assert_int_equal(daemon_set_log_level(d, LOG_CRIT), -EINVAL);
	assert_int_equal(daemon_set_log_level(d, LOG_DEBUG + 1), -EINVAL);
	assert_int_equal(d->oplog.level, LOG_ERR);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_settings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_level, setup, teardown),
	};

	return cmocka_run_group_tests_name("daemon/settings", tests, NULL, NULL);
}
