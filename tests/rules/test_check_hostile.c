/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Rule sets that nobody would write: they are read or refused, in bounded time and memory. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tools/ctmarkctl/check_report.h"
#include "util/cleanup.h"

struct sheet {
	char *text;
	size_t size;
	FILE *out;
};

static void sheet_open(struct sheet *s)
{
	s->out = open_memstream(&s->text, &s->size);
	assert_non_null(s->out);
}

static int read_iptables(struct check_set *set, struct sheet *s)
{
	char why[200] = "";
	int r;

	fclose(s->out);
	check_set_init(set);
	r = check_read_iptables(set, RULES_IPV4, s->text, why, sizeof(why));
	assert_int_equal(r < 0, why[0] != '\0');
	free(s->text);
	return r;
}

static unsigned int found(struct check_set *set, enum check_code code)
{
	struct rules_conf conf;
	struct check *c;
	unsigned int n = 0;

	rules_conf_init(&conf);
	c = check_new(set, &conf);
	assert_non_null(c);
	for (unsigned int i = 0; i < c->nfindings; i++)
		n += c->findings[i].code == code;
	check_free(c);
	check_set_done(set);
	return n;
}

/* 40 chains, each of which jumps to the next one twice: 2^40 ways. */
static void test_many_ways(void **state)
{
	struct check_set set;
	struct sheet s;

	sheet_open(&s);
	fputs("*mangle\n-A PREROUTING -j NFQUEUE\n-A OUTPUT -j c0\n", s.out);
	for (int i = 0; i < 40; i++)
		fprintf(s.out, "-A c%d -p tcp -j c%d\n-A c%d -p udp -j c%d\n", i, i + 1, i, i + 1);
	assert_int_equal(read_iptables(&set, &s), 0);
	assert_int_equal(found(&set, CHECK_NOT_FOLLOWED), 1);
}

static void test_circle(void **state)
{
	struct check_set set;
	struct sheet s;

	sheet_open(&s);
	fputs("*filter\n-A INPUT -j a\n-A a -j a\n-A a -j INPUT\n-A a -g a\n", s.out);
	assert_int_equal(read_iptables(&set, &s), 0);
	assert_int_equal(found(&set, CHECK_NOT_FOLLOWED), 1);
}

/* More mistakes than are kept: an error behind them still counts. */
static void test_many_mistakes(void **state)
{
	struct check_set set;
	struct rules_conf conf;
	struct check *c;
	struct sheet s;

	sheet_open(&s);
	fputs("*mangle\n-A PREROUTING -j NFQUEUE --queue-bypass\n-A OUTPUT -j NFQUEUE "
	      "--queue-bypass\n*filter\n",
	      s.out);
	for (int i = 0; i < 20000; i++)
		fputs("-A INPUT -m mark --mark 0xa -j ACCEPT\n", s.out);
	fputs("-A INPUT -m mark --mark 0x3/0xf -j ACCEPT\n", s.out);
	assert_int_equal(read_iptables(&set, &s), 0);
	rules_conf_init(&conf);
	c = check_new(&set, &conf);
	assert_int_equal(c->nfindings, CHECK_FINDINGS_MAX);
	assert_true(check_failed(c));
	check_free(c);
	check_set_done(&set);
}

static void test_too_many_rules(void **state)
{
	struct check_set set;
	struct sheet s;

	sheet_open(&s);
	fputs("*filter\n", s.out);
	for (unsigned int i = 0; i <= CHECK_RULES_MAX; i++)
		fputs("-I INPUT\n", s.out);
	assert_int_equal(read_iptables(&set, &s), -E2BIG);
	check_set_done(&set);
}

static void test_bad_lines(void **state)
{
	static const char *const bad[] = {"-A INPUT -j ACCEPT\n", ":INPUT ACCEPT\n",
					  "*filter\n:x\n",
					  "*filter\n-A INPUT -m comment --comment \"x\n"};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct check_set set;
		struct sheet s;

		sheet_open(&s);
		fputs(bad[i], s.out);
		assert_int_equal(read_iptables(&set, &s), -EINVAL);
		check_set_done(&set);
	}
}

/* What ends in the middle is no reason to read on. */
static void test_cut_lines(void **state)
{
	static const char line[] =
		"[1:2] -A INPUT ! -i lo -p tcp -m mark ! --mark 0xa/0xf -m comment "
		"--comment \"a\" -j NFQUEUE --queue-balance 0:3 --queue-bypass";

	for (size_t len = 0; len < sizeof(line); len++) {
		struct check_set set;
		struct sheet s;

		sheet_open(&s);
		fprintf(s.out, "*mangle\n%.*s", (int)len, line);
		(void)read_iptables(&set, &s);
		(void)found(&set, CHECK_NO_QUEUE);
	}
}

static void test_long_line(void **state)
{
	struct check_set set;
	struct sheet s;

	sheet_open(&s);
	fputs("*filter\n-A INPUT ", s.out);
	for (unsigned int i = 0; i < CHECK_LINE_MAX; i++)
		fputs("! ", s.out);
	assert_int_equal(read_iptables(&set, &s), -E2BIG);
	check_set_done(&set);
}

/* --- JSON ------------------------------------------------------------------------------------ */

static int read_nft(struct check_set *set, const char *text)
{
	char why[200] = "";
	int r;

	check_set_init(set);
	r = check_read_nft(set, text, strlen(text), why, sizeof(why));
	assert_int_equal(r < 0, why[0] != '\0');
	return r;
}

#define CHAIN                                                                                      \
	"{\"chain\":{\"family\":\"inet\",\"table\":\"t\",\"name\":\"c\",\"hook\":\"input\","       \
	"\"prio\":0}}"
#define RULE(expr)                                                                                 \
	"{\"nftables\":[" CHAIN ",{\"rule\":{\"family\":\"inet\",\"table\":\"t\",\"chain\":\"c\"," \
	"\"expr\":" expr "}}]}"

/* Every member may be of any type, or missing. */
static void test_wrong_types(void **state)
{
	static const char *const texts[] = {
		"{\"nftables\":[1,null,[],{},{\"rule\":1},{\"chain\":[]},{\"table\":null}]}",
		"{\"nftables\":[{\"rule\":{\"family\":1,\"table\":[],\"chain\":{},\"expr\":3}}]}",
		RULE("[1,null,[],{},\"accept\",{\"match\":1},{\"queue\":null},{\"vmap\":[]}]"),
		RULE("[{\"match\":{\"left\":{\"&\":3},\"right\":{\"set\":[[],[[]],{}]}}}]"),
		RULE("[{\"match\":{\"left\":{\"meta\":{\"key\":\"mark\"}},\"right\":{\"range\":1}}}"
		     "]"),
		RULE("[{\"match\":{\"left\":{\"meta\":{\"key\":\"mark\"}},\"right\":[1,\"@s\"]}}]"),
		RULE("[{\"queue\":{\"num\":{\"range\":[5]},\"flags\":[1,{}]}}]"),
		RULE("[{\"queue\":{\"num\":{\"range\":[9,2]},\"flags\":7}}]"),
		RULE("[{\"mangle\":{\"key\":{\"meta\":{\"key\":\"mark\"}},\"value\":{\"|\":[]}}}]"),
		RULE("[{\"jump\":{\"target\":7}},{\"goto\":null}]"),
		RULE("[{\"vmap\":{\"key\":1,\"data\":{\"set\":[[1,{\"jump\":1}],3,[]]}}}]"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct check_set set;

		assert_int_equal(read_nft(&set, texts[i]), 0);
		(void)found(&set, CHECK_NO_QUEUE);
	}
}

static void test_not_json(void **state)
{
	static const char *const texts[] = {"", "{", "[]", "{\"nftables\":{}}", "\xff\xfe"};
	struct check_set set;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(read_nft(&set, texts[i]), -EINVAL);
		check_set_done(&set);
	}
}

/* An expression as deep as the parser lets it be. */
static void test_deep(void **state)
{
	struct check_set set;
	struct sheet s;

	sheet_open(&s);
	fputs("{\"nftables\":[" CHAIN ",{\"rule\":{\"family\":\"inet\",\"table\":\"t\",\"chain\":"
	      "\"c\",\"expr\":[{\"mangle\":{\"key\":{\"meta\":{\"key\":\"mark\"}},\"value\":",
	      s.out);
	for (int i = 0; i < 800; i++)
		fputs("{\"|\":[", s.out);
	fputc('1', s.out);
	for (int i = 0; i < 800; i++)
		fputs(",1]}", s.out);
	fputs("}}]}}]}", s.out);
	fclose(s.out);
	assert_int_equal(read_nft(&set, s.text), 0);
	(void)found(&set, CHECK_NO_QUEUE);
	free(s.text);
}

/* Rules whose map jumps any number of times. */
static void test_large_map(void **state)
{
	struct check_set set;
	struct sheet s;

	sheet_open(&s);
	fputs("{\"nftables\":[" CHAIN, s.out);
	for (int rule = 0; rule < 20; rule++) {
		fputs(",{\"rule\":{\"family\":\"inet\",\"table\":\"t\",\"chain\":\"c\",\"expr\":[{"
		      "\"vmap\":{\"key\":{\"meta\":{\"key\":\"mark\"}},\"data\":{\"set\":[",
		      s.out);
		for (int i = 0; i < 20000; i++)
			fprintf(s.out, "%s[%d,{\"jump\":{\"target\":\"d\"}}]", i ? "," : "", i);
		fputs("]}}}]}}", s.out);
	}
	fputs("]}", s.out);
	fclose(s.out);
	assert_int_equal(read_nft(&set, s.text), 0);
	assert_int_equal(found(&set, CHECK_NOT_FOLLOWED), 1);
	free(s.text);
}

/* A map by name, whose verdicts each of many rules has: not all of them are kept. */
static void test_shared_map(void **state)
{
	struct check_set set;
	struct sheet s;

	sheet_open(&s);
	fputs("{\"nftables\":[{\"map\":{\"family\":\"inet\",\"table\":\"t\",\"name\":\"m\","
	      "\"elem\":[[0,{\"drop\":null}]",
	      s.out);
	for (int i = 1; i < 20000; i++)
		fprintf(s.out, ",[%d,{\"jump\":{\"target\":\"d\"}}]", i);
	fputs("]}}," CHAIN, s.out);
	for (int rule = 0; rule < 5000; rule++)
		fputs(",{\"rule\":{\"family\":\"inet\",\"table\":\"t\",\"chain\":\"c\",\"expr\":[{"
		      "\"vmap\":{\"key\":{\"meta\":{\"key\":\"mark\"}},\"data\":\"@m\"}}]}}",
		      s.out);
	fputs("]}", s.out);
	fclose(s.out);
	assert_int_equal(read_nft(&set, s.text), 0);
	assert_int_equal(set.nmapped, CHECK_MAPPED_MAX);
	assert_int_equal(found(&set, CHECK_NOT_FOLLOWED), 1);
	free(s.text);
}

/* A chain of one rule with many marks, to which many others lead. */
static void test_many_marks(void **state)
{
	struct check_set set;
	struct sheet s;

	sheet_open(&s);
	fputs("{\"nftables\":[" CHAIN, s.out);
	for (int rule = 0; rule < 20000; rule++)
		fputs(",{\"rule\":{\"family\":\"inet\",\"table\":\"t\",\"chain\":\"c\",\"expr\":[{"
		      "\"jump\":{\"target\":\"d\"}}]}}",
		      s.out);
	fputs(",{\"rule\":{\"family\":\"inet\",\"table\":\"t\",\"chain\":\"d\",\"expr\":[{"
	      "\"match\":{"
	      "\"op\":\"==\",\"left\":{\"meta\":{\"key\":\"mark\"}},\"right\":{\"set\":[0",
	      s.out);
	for (int i = 1; i < 20000; i++)
		fprintf(s.out, ",%d", i);
	fputs("]}}}]}}]}", s.out);
	fclose(s.out);
	assert_int_equal(read_nft(&set, s.text), 0);
	assert_int_equal(found(&set, CHECK_NOT_FOLLOWED), 1);
	free(s.text);
}

/* Tables, each of which is named again at the end. */
static void test_many_tables(void **state)
{
	struct check_set set;
	struct sheet s;

	sheet_open(&s);
	fputs("{\"nftables\":[{\"metainfo\":{}}", s.out);
	for (int i = 0; i < 40000; i++)
		fprintf(s.out,
			",{\"rule\":{\"family\":\"ip\",\"table\":\"t%d\",\"chain\":\"c\",\"expr\":["
			"]}}",
			i % 20000);
	fputs("]}", s.out);
	fclose(s.out);
	assert_int_equal(read_nft(&set, s.text), 0);
	assert_int_equal(set.nrules, 40000);
	for (const struct check_table *t = set.tables; t; t = t->next)
		assert_non_null(check_find_chain(&set, t, "c")->rules->next);
	assert_null(check_next_table(&set, "t20000", NULL));
	assert_int_equal(found(&set, CHECK_NO_QUEUE), 1);
	free(s.text);
}

/* --- what is printed -------------------------------------------------------------------------- */

/* Comments can hold what acts in a terminal. */
static void test_plain_report(void **state)
{
	struct check_set set;
	struct rules_conf conf;
	struct check *c;
	struct sheet s;
	json_t *json;

	sheet_open(&s);
	fputs("*mangle\n-A PREROUTING -m comment --comment \"\x1b[2J\xff\" -j NFQUEUE\n", s.out);
	assert_int_equal(read_iptables(&set, &s), 0);
	rules_conf_init(&conf);
	c = check_new(&set, &conf);
	sheet_open(&s);
	check_report_text(s.out, c, true);
	fclose(s.out);
	assert_null(strchr(s.text, '\x1b'));
	assert_non_null(strstr(s.text, "?[2J?"));
	free(s.text);
	json = check_report_json(c);
	assert_true(json_array_size(json_object_get(json, "findings")) > 0);
	assert_true(json_is_string(
		json_object_get(json_array_get(json_object_get(json, "findings"), 0), "message")));
	json_decref(json);
	check_free(c);
	check_set_done(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_ways),     cmocka_unit_test(test_circle),
		cmocka_unit_test(test_many_mistakes), cmocka_unit_test(test_too_many_rules),
		cmocka_unit_test(test_bad_lines),     cmocka_unit_test(test_cut_lines),
		cmocka_unit_test(test_long_line),     cmocka_unit_test(test_wrong_types),
		cmocka_unit_test(test_not_json),      cmocka_unit_test(test_deep),
		cmocka_unit_test(test_large_map),     cmocka_unit_test(test_shared_map),
		cmocka_unit_test(test_many_marks),    cmocka_unit_test(test_many_tables),
		cmocka_unit_test(test_plain_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
