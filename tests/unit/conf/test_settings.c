/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A loaded configuration as a list: what is in force, from where, and what waits for a restart. */

#include "conf/settings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include <cmocka.h>

#include "conf/table.h"
#include "tests/unit/conf/report.h"

/* A file that is loaded, and what was told of what it says. */
struct source {
	struct conf conf;
	struct conf_origins *origins;
};

struct state {
	char path[64];
	char list[16384]; /* "[Section] Key=value (default) @origin >wanted\\n" */
	size_t told;
	struct source started, loaded;
};

static int setup(void **state)
{
	struct state *t = calloc(1, sizeof(*t));
	int fd;

	strcpy(t->path, "/tmp/settings.XXXXXX");
	fd = mkstemp(t->path);
	*state = t;
	return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
	struct state *t = *state;
	int r = unlink(t->path);

	conf_origins_free(t->started.origins);
	conf_origins_free(t->loaded.origins);
	free(t);
	return r;
}

static void load(struct state *t, struct source *ret, const char *text)
{
	FILE *f = fopen(t->path, "we");
	struct messages m = {};

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(conf_load(&ret->conf, &ret->origins, "", t->path, collect, &m), 0);
	assert_non_null(ret->origins);
}

static void tell(void *ctx, const struct conf_setting *s)
{
	struct state *t = ctx;
	size_t used = strlen(t->list);

	t->told++;
	snprintf(t->list + used, sizeof(t->list) - used, "[%s] %s=%s (%s)%s%s%s%s\n", s->section,
		 s->key, s->value, s->def, s->origin ? " @" : "",
		 s->origin ? s->origin + strlen(t->path) : "", s->wanted ? " >" : "",
		 s->wanted ? s->wanted : "");
}

static void list(struct state *t, const struct source *started, const struct source *loaded)
{
	t->list[0] = '\0';
	t->told = 0;
	assert_int_equal(conf_settings_each(&(struct conf_source){&started->conf, started->origins},
					    &(struct conf_source){&loaded->conf, loaded->origins},
					    tell, t),
			 0);
}

static void expect(const struct state *t, const char *line)
{
	if (!strstr(t->list, line))
		fail_msg("no %s in\n%s", line, t->list);
}

static void test_defaults(void **state)
{
	struct state *t = *state;

	conf_init(&t->started.conf);
	list(t, &t->started, &t->started);
	assert_int_equal(t->told, conf_table_len);
	expect(t, "[Queue] Range=0 (0)\n");
	expect(t, "[Queue] CPUAffinity= ()\n");
	expect(t, "[Timeouts] TCPEstablished=5d (5d)\n");
	assert_null(strchr(t->list, '@'));
	assert_null(strchr(t->list, '>'));
}

static void test_origins(void **state)
{
	struct state *t = *state;

	load(t, &t->started,
	     "[Queue]\nRange=1\nRange=2-3\n\n[Mark]\nMask=0xf\n[Track]\nConfirm=exit\nConfirm=\n");
	list(t, &t->started, &t->started);
	expect(t, "[Queue] Range=2-3 (0) @:3\n"); /* the last one counts */
	expect(t, "[Mark] Mask=0xf (0xf) @:6\n"); /* also if it says what holds anyway */
	expect(t, "[Track] Confirm=auto (auto)\n");
	expect(t, "[Queue] MaxPackets=8192 (8192)\n");
}

static void test_zones(void **state)
{
	struct state *t = *state;

	load(t, &t->started,
	     "[Zone blue]\nId=7\n[Zone red]\nId=8\nQueue=0\n[Zone blue]\nInputInterface=a b\n");
	list(t, &t->started, &t->started);
	assert_int_equal(t->told, conf_table_len + 2 * conf_zone_table_len);
	expect(t, "[Zone blue] Id=7 () @:2\n[Zone blue] InputInterface=a b () @:7\n"
		  "[Zone blue] Queue= ()\n[Zone red] Id=8 () @:4\n");
}

/* A live key is in force at once, another one waits, with the origin of what is in force. */
static void test_wanted(void **state)
{
	struct state *t = *state;

	load(t, &t->started, "[Queue]\nRange=1\n[Track]\nMaxFlows=1000\nTCPLoose=no\n");
	load(t, &t->loaded, "\n\n[Queue]\nRange=2\n[Track]\nMaxFlows=1000\nTCPLoose=yes\n");
	list(t, &t->started, &t->loaded);
	expect(t, "[Queue] Range=1 (0) @:2 >2\n");
	expect(t, "[Track] MaxFlows=1000 (262144) @:4\n");
	expect(t, "[Track] TCPLoose=yes (yes) @:7\n");
}

/* Every key can have an origin. */
static void test_all_keys(void **state)
{
	struct state *t = *state;
	char text[8192] = "", line[512];

	for (size_t i = 0; i < conf_table_len; i++) {
		const struct conf_key *k = &conf_table[i];

		if (!*k->def)
			continue;
		snprintf(line, sizeof(line), "[%s]\n%s=%s\n", k->section, k->name, k->def);
		assert_true(strlen(text) + strlen(line) < sizeof(text));
		strcat(text, line);
	}
	load(t, &t->started, text);
	list(t, &t->started, &t->started);
	for (size_t i = 0, n = 0; i < conf_table_len; i++) {
		const struct conf_key *k = &conf_table[i];

		if (!*k->def)
			continue;
		snprintf(line, sizeof(line), " @:%zu\n", 2 * ++n);
		expect(t, line);
	}
}

/* A configuration that is refused leaves no origins behind. */
static void test_refused(void **state)
{
	struct state *t = *state;
	struct conf_origins *origins = NULL;
	FILE *f = fopen(t->path, "we");

	assert_non_null(f);
	assert_true(fputs("[Queue]\nRange=1\nMaxPackets=none\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(conf_load(&t->started.conf, &origins, "", t->path, NULL, NULL), -EINVAL);
	assert_null(origins);
}

static void test_levels(void **state)
{
	for (int level = LOG_EMERG - 1; level <= LOG_DEBUG + 1; level++) {
		const char *name = conf_level_name(level);

		assert_int_equal(name != NULL, level >= LOG_ERR && level <= LOG_DEBUG);
		if (name)
			assert_int_equal(conf_level(name), level);
	}
	assert_int_equal(conf_level("crit"), -EINVAL);
	assert_int_equal(conf_level(""), -EINVAL);
	assert_int_equal(conf_level("Info"), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_defaults), TEST(test_origins), TEST(test_zones),  TEST(test_wanted),
		TEST(test_all_keys), TEST(test_refused), TEST(test_levels),
	};

	return cmocka_run_group_tests_name("conf/settings", tests, NULL, NULL);
}
