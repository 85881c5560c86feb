/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Which packets and flows ctmark-replay shows, and command lines that it refuses. */

#include "tools/ctmark-replay/choice.h"
#include "tools/ctmark-replay/request.h"
#include "util/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static bool shows(const struct choice *c, uint64_t flow, enum ct_info info)
{
	const struct ct_result out = {.info = (uint8_t)info};

	return choice_has_packet(c, &(struct record){.out = &out, .flow = flow});
}

static void everything(void **state)
{
	char why[CHOICE_WHY_MAX];
	struct choice c;

	assert_int_equal(choice_parse(&c, NULL, NULL, why), 0);
	assert_true(shows(&c, 0, CT_INFO_INVALID));
	assert_true(shows(&c, UINT64_MAX, CT_INFO_NEW));
	assert_true(choice_has_ending(&c, 1));
	assert_false(choice_has_ending(&c, 0));
}

static void flows(void **state)
{
	char why[CHOICE_WHY_MAX];
	struct choice c;

	assert_int_equal(choice_parse(&c, "3,7-9,18446744073709551615", NULL, why), 0);
	assert_false(choice_has_flow(&c, 0));
	assert_false(choice_has_flow(&c, 2));
	assert_true(choice_has_flow(&c, 3));
	assert_false(choice_has_flow(&c, 6));
	assert_true(choice_has_flow(&c, 7));
	assert_true(choice_has_flow(&c, 9));
	assert_false(choice_has_flow(&c, 10));
	assert_true(choice_has_flow(&c, UINT64_MAX));
}

static void classes(void **state)
{
	char why[CHOICE_WHY_MAX];
	struct choice c;

	assert_int_equal(choice_parse(&c, NULL, "established,INVALID", why), 0);
	assert_true(shows(&c, 1, CT_INFO_ESTABLISHED));
	assert_true(shows(&c, 1, CT_INFO_ESTABLISHED_REPLY));
	assert_true(shows(&c, 0, CT_INFO_INVALID));
	assert_false(shows(&c, 1, CT_INFO_NEW));
	assert_false(shows(&c, 1, CT_INFO_RELATED));
	assert_false(choice_has_ending(&c, 1));
	assert_int_equal(choice_parse(&c, "1", "RELATED_REPLY", why), 0);
	assert_true(shows(&c, 1, CT_INFO_RELATED_REPLY));
	assert_false(shows(&c, 1, CT_INFO_RELATED));
	assert_false(shows(&c, 2, CT_INFO_RELATED_REPLY));
}

static void mistakes(void **state)
{
	static const char *const numbers[] = {"",
					      "0",
					      "x",
					      "1,",
					      ",1",
					      "1-",
					      "-1",
					      "9-7",
					      "1 ",
					      " 1",
					      "+1",
					      "0x1",
					      "1--2",
					      "18446744073709551616",
					      "99999999999999999999999"};
	static const char *const words[] = {"", "NEW,", ",NEW", "NEWS", "NE", "NEW INVALID"};
	char why[CHOICE_WHY_MAX];
	struct choice c = {.nflows = 42};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		assert_int_equal(choice_parse(&c, numbers[i], NULL, why), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		assert_int_equal(choice_parse(&c, NULL, words[i], why), -EINVAL);
	assert_int_equal(c.nflows, 42);
	assert_int_equal(choice_parse(&c, NULL, "\033[2JNEW", why), -EINVAL);
	assert_string_equal(why, "--only knows no such class: '?[2JNEW'");
}

static void too_many(void **state)
{
	char list[CHOICE_FLOWS_MAX * 2 + 3] = "", why[CHOICE_WHY_MAX];
	struct choice c;

	for (int i = 0; i < CHOICE_FLOWS_MAX; i++)
		strcat(list, i ? ",1" : "1");
	assert_int_equal(choice_parse(&c, list, NULL, why), 0);
	strcat(list, ",1");
	assert_int_equal(choice_parse(&c, list, NULL, why), -EINVAL);
}

/* A command line; returns what became of it, with what it asks for. */
static int ask(struct request *ret, const char *const *words, int n)
{
	char program[] = "ctmark-replay", *argv[12] = {program};
	struct options o;

	assert_true(n < 11);
	for (int i = 0; i < n; i++)
		memcpy(&argv[i + 1], &words[i], sizeof(words[i])); /* drops the const */
	if (options_parse(&o, n + 1, argv) != OPTIONS_RUN)
		return -ENOEXEC;
	return request_read(ret, &o);
}

#define ASK(ret, ...)                                                                              \
	ask(ret, (const char *const[]){__VA_ARGS__},                                               \
	    (int)ARRAY_SIZE(((const char *const[]){__VA_ARGS__})))

static void requests(void **state)
{
	struct request r;

	assert_int_equal(ASK(&r, "a.pcap"), 0);
	assert_true(r.count == 0 && r.explain == 0 && !r.colour);
	assert_int_equal(r.time, TIMES_RELATIVE);
	assert_int_equal(ASK(&r, "-c", "5", "a", "--explain=18446744073709551615", "-", "-tutc",
			     "--color=always", "--only=NEW"),
			 0);
	assert_true(r.count == 5 && r.explain == UINT64_MAX && r.colour);
	assert_int_equal(r.time, TIMES_UTC);
	assert_int_equal(ASK(&r, "-i", "eth0", "--svg=-", "--html=x", "-j"), 0);
}

static void refused(void **state)
{
	struct request r;

	assert_int_equal(ASK(&r, "-j"), -EINVAL);
	assert_int_equal(ASK(&r, "-i", "eth0", "a.pcap"), -EINVAL);
	assert_int_equal(ASK(&r, "-", "a", "-"), -EINVAL);
	assert_int_equal(ASK(&r, "a", "--summary", "--explain=3"), -EINVAL);
	assert_int_equal(ASK(&r, "a", "--summary", "--compare"), -EINVAL);
	assert_int_equal(ASK(&r, "a", "--svg=-", "--html=-"), -EINVAL);
	assert_int_equal(ASK(&r, "a", "--svg=-", "--summary"), -EINVAL);
	assert_int_equal(ASK(&r, "a", "-c", "0"), -EINVAL);
	assert_int_equal(ASK(&r, "a", "-c", " 1"), -EINVAL);
	assert_int_equal(ASK(&r, "a", "-c", "1x"), -EINVAL);
	assert_int_equal(ASK(&r, "a", "-c", "18446744073709551616"), -EINVAL);
	assert_int_equal(ASK(&r, "a", "--explain", "-1"), -EINVAL);
	assert_int_equal(ASK(&r, "a", "--time", "UTC"), -EINVAL);
	assert_int_equal(ASK(&r, "a", "--color", "yes"), -EINVAL);
	assert_int_equal(ASK(&r, "a", "--flow", "x"), -EINVAL);
	assert_int_equal(ASK(&r, "a", "-j", "-j"), -ENOEXEC);
	assert_int_equal(ASK(&r, "a", "--nonsense"), -ENOEXEC);
	assert_int_equal(ASK(&r, "a", "-Z"), -ENOEXEC);
	assert_int_equal(ASK(&r, "a", "-c"), -ENOEXEC);
	assert_int_equal(ASK(&r, "a", "--summary=3"), -ENOEXEC);
}

static void helpers(void **state)
{
	struct conf conf;

	conf_init(&conf);
	assert_int_equal(request_helpers(&conf, "ftp:21,2121 tftp"), 0);
	assert_int_equal(conf.track.nhelper_ports, 3);
	assert_int_equal(conf.track.helper_ports[1].port, 2121);
	assert_int_equal(request_helpers(&conf, "ftp,tftp"), -EINVAL);
	assert_int_equal(conf.track.nhelper_ports, 3);
	assert_int_equal(request_helpers(&conf, "none"), 0);
	assert_int_equal(conf.track.nhelper_ports, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything), cmocka_unit_test(flows),
		cmocka_unit_test(classes),    cmocka_unit_test(mistakes),
		cmocka_unit_test(too_many),   cmocka_unit_test(requests),
		cmocka_unit_test(refused),    cmocka_unit_test(helpers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
