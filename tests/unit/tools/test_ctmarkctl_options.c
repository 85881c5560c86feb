/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Command lines, and the filters that they become. */

#include "tools/ctmarkctl/app.h"
#include "tools/ctmarkctl/fault.h"
#include "tools/ctmarkctl/filter.h"
#include "tools/ctmarkctl/rank.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define WORDS_MAX 16

/* A command line, split at spaces. */
struct line {
	struct app app;
	struct command command;
	enum options_action action;
	char *argv[WORDS_MAX];
	char text[256];
};

static void parse(struct line *l, const char *text)
{
	char *word, *rest = l->text;
	int argc = 0;

	memset(l, 0, sizeof(*l));
	snprintf(l->text, sizeof(l->text), "ctmarkctl %s", text);
	while ((word = strsep(&rest, " ")) && argc < WORDS_MAX - 1)
		l->argv[argc++] = word;
	l->action = options_parse(&l->app, argc, l->argv, &l->command);
}

static void assert_action(const char *text, enum options_action action)
{
	struct line l;

	parse(&l, text);
	assert_int_equal(l.action, action);
}

static void options_before_and_behind(void **state)
{
	struct line l;

	parse(&l, "--json=short get --socket /a 12 --no-pager");
	assert_int_equal(l.action, OPTIONS_RUN);
	assert_int_equal(l.command.verb, VERB_get);
	assert_int_equal(l.command.argc, 2);
	assert_string_equal(l.command.argv[0], "get");
	assert_string_equal(l.command.argv[1], "12");
	assert_string_equal(l.app.option[OPTION_JSON], "short");
	assert_string_equal(l.app.option[OPTION_SOCKET], "/a");
	assert_string_equal(l.app.option[OPTION_NO_PAGER], "");
	assert_null(l.app.option[OPTION_NO_LEGEND]);
}

static void a_letter_is_what_its_verb_has(void **state)
{
	struct line l;

	parse(&l, "top -d 2");
	assert_int_equal(l.action, OPTIONS_RUN);
	assert_string_equal(l.app.option[OPTION_DELAY], "2");
	parse(&l, "list -d 10.0.0.1");
	assert_int_equal(l.action, OPTIONS_RUN);
	assert_string_equal(l.app.option[OPTION_DST], "10.0.0.1");
	assert_null(l.app.option[OPTION_DELAY]);
}

static void what_is_wrong(void **state)
{
	assert_action("", OPTIONS_BAD);
	assert_action("frobnicate", OPTIONS_BAD);
	assert_action("-p tcp list", OPTIONS_BAD); /* a filter before its verb */
	assert_action("list word", OPTIONS_BAD);
	assert_action("get", OPTIONS_BAD);
	assert_action("get 1 2", OPTIONS_BAD);
	assert_action("list -p", OPTIONS_BAD);
	assert_action("list -s 1.2.3.4 --src 1.2.3.5", OPTIONS_BAD);
	assert_action("list --no-pager=1", OPTIONS_BAD);
	assert_action("status -p tcp", OPTIONS_BAD);
	assert_action("list -m 1", OPTIONS_BAD);
	assert_action("list --mark=1", OPTIONS_BAD);
}

static void what_is_right(void **state)
{
	assert_action("--help", OPTIONS_HELP);
	assert_action("--help list", OPTIONS_HELP);
	assert_action("get -h", OPTIONS_HELP);
	assert_action("--version", OPTIONS_VERSION);
	assert_action("log-level", OPTIONS_RUN);
	assert_action("log-level debug", OPTIONS_RUN);
	assert_action("explain 1", OPTIONS_RUN);
	assert_action("explain -p tcp", OPTIONS_RUN);
	assert_action("list -j -j --color never --color auto", OPTIONS_RUN);
}

/* ---- filters ---- */

static void assert_filter(const char *text, const char *want)
{
	struct line l;
	json_t *filter = NULL;
	char *got;

	parse(&l, text);
	assert_int_equal(l.action, OPTIONS_RUN);
	assert_int_equal(filter_make(&l.app, &filter), want ? APP_OK : APP_USAGE);
	if (!want)
		return;
	got = filter ? json_dumps(filter, JSON_COMPACT) : strdup("none");
	assert_string_equal(got, want);
	free(got);
	json_decref(filter);
}

static void filters(void **state)
{
	assert_filter("list", "none");
	assert_filter("list -p TCP", "{\"proto\":\"tcp\"}");
	assert_filter("list --orig-src 2001:DB8::/32 -d 10.0.0.0/8",
		      "{\"src\":\"2001:db8::/32\",\"dst\":\"10.0.0.0/8\"}");
	assert_filter("list --orig-port-dst 80-90", "{\"dport\":\"80-90\"}");
	assert_filter("list --state established,SYN_SENT",
		      "{\"state\":[\"ESTABLISHED\",\"SYN_SENT\"]}");
	assert_filter("list -u unset,assured", "{\"status\":[\"UNREPLIED\",\"ASSURED\"]}");
	assert_filter("list -f inet6 -w 0x10", "{\"family\":\"ipv6\",\"zone\":16}");
	assert_filter("list --flow 1a --master 0xff",
		      "{\"flow\":\"000000000000001a\",\"master\":\"00000000000000ff\"}");
	assert_filter("count --icmp-type 8 --icmp-code 0 --icmp-id 65535",
		      "{\"icmp_type\":8,\"icmp_code\":0,\"icmp_id\":65535}");
}

static void filters_that_make_no_sense(void **state)
{
	assert_filter("list -f ipx", NULL);
	assert_filter("list -w -1", NULL);
	assert_filter("list -w 65536", NULL);
	assert_filter("list --zone=", NULL);
	assert_filter("list --flow 0x", NULL);
	assert_filter("list --flow -1", NULL);
	assert_filter("list --flow 12345678901234567", NULL);
	assert_filter("list --state ,", NULL);
	assert_filter("list -s \xff", NULL);
}

/* ---- errors of the daemon ---- */

static void assert_fault(const char *error, const char *params, enum app_status status,
			 const char *text)
{
	json_t *parameters = json_loads(params, 0, NULL);
	struct client_error got;

	assert_int_equal(fault_explain("Reload", error, parameters, &got), status);
	assert_non_null(strstr(got.text, text));
	json_decref(parameters);
}

static void faults(void **state)
{
	assert_fault("org.varlink.service.PermissionDenied", "{}", APP_PERMISSION, "only root");
	assert_fault("io.ctmark.Manager.BadFilter",
		     "{\"condition\":\"reply_src\",\"value\":\"x\",\"why\":\"is none\"}", APP_USAGE,
		     "--reply-src 'x': is none");
	assert_fault("io.ctmark.Manager.BadConfig", "{\"messages\":[\"a:1: b\",\"c:2: d\"]}",
		     APP_CONFIG, "\na:1: b\nc:2: d");
	assert_fault("io.ctmark.Manager.BadConfig", "{\"messages\":[7]}", APP_CONFIG, "\n?");
	assert_fault("io.ctmark.Manager.Busy", "{}", APP_FAILURE, "busy");
	assert_fault("io.ctmark.Manager.NoSuchFlow", "{\"flow\":\"1\"}", APP_FAILURE, "'1'");
	assert_fault("what.ever", "{}", APP_FAILURE, "what.ever");
	assert_fault("org.varlink.service.MethodNotFound", "[]", APP_FAILURE, "version");
}

/* ---- the greatest of many ---- */

static void rank_keeps_the_greatest(void **state)
{
	struct rank *r = rank_new("bytes", 3);

	for (int i = 0; i < 1000; i++) {
		json_t *flow =
			json_pack("{s:i, s:i}", "bytes_orig", i * 7919 % 1000, "bytes_reply", 1000);

		assert_true(rank_add(r, flow));
		json_decref(flow);
	}
	assert_int_equal(rank_sort(r), 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(json_integer_value(json_object_get(rank_get(r, i), "bytes_orig")),
				 999 - (int)i);
	rank_free(r);
	assert_null(rank_new("colour", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_before_and_behind),
		cmocka_unit_test(a_letter_is_what_its_verb_has),
		cmocka_unit_test(what_is_wrong),
		cmocka_unit_test(what_is_right),
		cmocka_unit_test(filters),
		cmocka_unit_test(filters_that_make_no_sense),
		cmocka_unit_test(faults),
		cmocka_unit_test(rank_keeps_the_greatest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
