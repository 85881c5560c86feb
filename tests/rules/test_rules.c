/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The rules that are printed: what they are made of, and what never gets into them. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "core/core.h"
#include "tests/rules/conf.h"
#include "tools/ctmarkctl/rules_plan.h"
#include "util/cleanup.h"

#define HOOK(name) (1u << RULES_HOOK_##name)

/* --- the mark -------------------------------------------------------------------------------- */

/* Every mark that the engine writes is found as the class that the engine means. */
static void encoding_is_the_engines(const struct rules_conf *c)
{
	struct ct_mark m = {.mask = c->mask,
			    .shift = (uint8_t)c->shift,
			    .encoding = c->encoding == RULES_FLAGS ? CT_ENCODING_FLAGS
								   : CT_ENCODING_CTINFO};
#define X(name, ctinfo, flags, key) [RULES_##name] = CT_INFO_##name,
	static const enum ct_info infos[] = {RULES_CLASS_LIST(X)};
#undef X

	for (int i = 0; i < RULES_CLASS_MAX; i++) {
		uint32_t plain = ct_mark_encode(&m, 0x40000001u, infos[i], 0);
		uint32_t assured = ct_mark_encode(&m, 0, infos[i], CT_STATUS_ASSURED);
		struct rules_found f = rules_find(c, assured, assured, UINT32_MAX);

		assert_int_equal(plain & c->mask, rules_mark(c, (enum rules_class)i));
		assert_true(plain & rules_classified(c));
		assert_int_equal(f.classes, 1u << i);
		assert_false(f.unseen);
	}
}

static void test_encodings(void **state)
{
	static const char *const masks[] = {"0x7f", "0x7f0000", "0x1ff00", "0xfe000000"};

	for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
		struct rules_conf ctinfo = conf_of("0", "ctinfo", masks[i]);
		struct rules_conf flags = conf_of("0", "flags", masks[i]);

		encoding_is_the_engines(&ctinfo);
		encoding_is_the_engines(&flags);
	}
	encoding_is_the_engines(&(struct rules_conf){.mask = 0xf, .range = {0, 0}});
}

static void test_find(void **state)
{
	struct rules_conf c = conf_of("0", "ctinfo", "0xf0000");
	struct rules_found f = rules_find(&c, 0x80000, 0x80000, 0x80000);

	assert_int_equal(f.classes, (1u << RULES_CLASS_MAX) - 1);
	assert_false(f.unseen);
	f = rules_find(&c, 0, 0, 0x80000);
	assert_int_equal(f.classes, 0);
	assert_true(f.unseen);
	f = rules_find(&c, 0xa, 0xa, UINT32_MAX);
	assert_int_equal(f.classes, 0);
	f = rules_find(&c, 0xa0007, 0xa0007, UINT32_MAX);
	assert_int_equal(f.classes, 1u << RULES_NEW);
	f = rules_find(&c, 0x90000, 0xa0000, 0xf0000);
	assert_int_equal(f.classes, 1u << RULES_NEW | 1u << RULES_RELATED);
	f = rules_find(&c, 0x30000, 0x30000, 0xf0000);
	assert_int_equal(f.classes, 0);
	assert_false(f.unseen);
	f = rules_find(&c, 0x1, 0x1, 0xf0000);
	assert_int_equal(f.classes, 0);
	assert_false(f.unseen);
}

/* --- the configuration ------------------------------------------------------------------------ */

static void test_bad_values(void **state)
{
	static const struct {
		const char *section, *key, *value;
	} bad[] = {{"Queue", "Range", ""},
		   {"Queue", "Range", "3-1"},
		   {"Queue", "Range", "0-70000"},
		   {"Queue", "Range", "0-3x"},
		   {"Queue", "Range", "-1"},
		   {"Mark", "Mask", "0"},
		   {"Mark", "Mask", "0x1ffffffff"},
		   {"Mark", "Mask", "15 "},
		   {"Mark", "Encoding", "bits"},
		   {"Track", "Confirm", "never"},
		   {"Verdict", "New", "queue"},
		   {"Verdict", "New", "queue:"},
		   {"Verdict", "New", "queue:99999"},
		   {"Zone z", "Queue", "1,x"},
		   {"Queue", "FailOpen", "maybe"},
		   {"Zone a\n-A", "Queue", "1"},
		   {"Zone a\"", "Queue", "1"},
		   {"Track", "Helpers", "ftp\n*raw"}};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct rules_conf c;

		rules_conf_init(&c);
		assert_int_equal(rules_conf_set(&c, bad[i].section, bad[i].key, bad[i].value),
				 -EINVAL);
	}
}

static void test_read(void **state)
{
	json_t *config = json_pack("{s:[{s:s,s:s,s:s},{s:s,s:s,s:s},{s:s,s:s,s:s},{s:s,s:s,s:s}]}",
				   "settings", "section", "Queue", "key", "Range", "value", "0-7",
				   "section", "Zone blue", "key", "Queue", "value", "4-5, 7",
				   "section", "Verdict", "key", "Established", "value", "queue:9",
				   "section", "Timeouts", "key", "UDP", "value", "30s");
	json_t *status =
		json_pack("{s:{s:s,s:[s]}}", "status", "confirms", "exit", "fragments", "ipv6");
	struct rules_conf c;
	char why[100];

	rules_conf_init(&c);
	assert_int_equal(rules_conf_read(&c, config, status, why, sizeof(why)), 0);
	assert_int_equal(c.range.last, 7);
	assert_int_equal(c.nzones, 1);
	assert_int_equal(c.zones[0].nqueues, 2);
	assert_int_equal(c.verdict[RULES_ESTABLISHED_REPLY], RULES_QUEUE);
	assert_int_equal(c.verdict_queue[RULES_ESTABLISHED], 9);
	assert_true(c.exits && c.fragments_known && c.fragments6 && !c.fragments4);
	json_object_set_new(json_array_get(json_object_get(config, "settings"), 0), "value",
			    json_string("x"));
	assert_int_equal(rules_conf_read(&c, config, NULL, why, sizeof(why)), -EINVAL);
	assert_string_equal(why, "[Queue] Range=x");
	json_decref(config);
	json_decref(status);
}

/* --- who feeds what --------------------------------------------------------------------------- */

static void test_feeds(void **state)
{
	static struct rules_feed feeds[RULES_FEEDS_MAX];
	struct rules_conf c = conf_of("0-7", "ctinfo", "0xf");

	rules_conf_set(&c, "Zone blue", "Queue", "2-3");
	rules_conf_set(&c, "Zone blue", "InputInterface", "blue0 b?d blue-*");
	rules_conf_set(&c, "Zone dark", "InputInterface", "dark0");
	assert_int_equal(rules_feeds(&c, RULES_HOOK_POSTROUTING, feeds), 1);
	assert_null(feeds[0].interface);
	assert_int_equal(rules_feeds(&c, RULES_HOOK_PREROUTING, feeds), 3);
	assert_memory_equal(feeds[0].interface, "blue0", 5);
	assert_memory_equal(feeds[1].interface, "blue-*", 6);
	assert_int_equal(feeds[1].queues.last, 3);
	assert_null(feeds[2].interface);
	assert_int_equal(feeds[2].queues.first, 4);
	assert_int_equal(feeds[2].queues.last, 7);
	rules_conf_set(&c, "Zone red", "Queue", "0-1 4-7");
	assert_int_equal(rules_feeds(&c, RULES_HOOK_PREROUTING, feeds), 2);
	assert_int_equal(rules_feeds(&c, RULES_HOOK_INPUT, feeds), 2);
}

static void test_interfaces(void **state)
{
	assert_true(rules_interface_plain("eth0.100@x", 10));
	assert_true(rules_interface_plain("ppp*", 4));
	assert_false(rules_interface_plain("*", 1));
	assert_false(rules_interface_plain("p*p", 3));
	assert_false(rules_interface_plain("-j", 2));
	assert_false(rules_interface_plain("a b", 3));
	assert_false(rules_interface_plain("a\"", 2));
	assert_false(rules_interface_plain("a\n", 2));
	assert_false(rules_interface_plain("0123456789abcdef", 16));
}

static void test_wishes(void **state)
{
	struct rules_wanted w = {};
	unsigned int hooks = 0;

	assert_int_equal(rules_parse_hooks("prerouting,INPUT", &hooks), 0);
	assert_int_equal(hooks, HOOK(PREROUTING) | HOOK(INPUT));
	assert_int_equal(rules_parse_hooks("", &hooks), -EINVAL);
	assert_int_equal(rules_parse_hooks("ingress", &hooks), -EINVAL);
	assert_int_equal(rules_parse_accept(&w, "tcp/22,udp/500:510,ping"), 0);
	assert_int_equal(w.naccept, 3);
	assert_int_equal(w.accept[1].ports.last, 510);
	assert_int_equal(rules_parse_accept(&w, "tcp/22 -j"), -EINVAL);
	assert_int_equal(rules_parse_accept(&w, "tcp/70000"), -EINVAL);
	assert_int_equal(rules_parse_accept(&w, "tcp/9:1"), -EINVAL);
	assert_int_equal(rules_parse_accept(&w, "sctp/9"), -EINVAL);
	assert_int_equal(rules_parse_accept(&w, ""), 0);
}

/* --- what is printed ------------------------------------------------------------------------- */

/* A name that would be another option, or another line, does not get into the rules. */
static void test_no_injection(void **state)
{
	struct rules_wanted w = {.families = RULES_IPV4, .queue = true, .hooks = HOOK(PREROUTING)};
	struct rules_conf c = conf_of("0-1", "ctinfo", "0xf");
	_cleanup_free_ char *text = NULL;

	rules_conf_set(&c, "Zone z", "Queue", "1");
	rules_conf_set(&c, "Zone z", "InputInterface", "-j\nACCEPT \"x eth0");
	text = print_iptables(&c, &w);
	assert_null(strstr(text, "\nACCEPT"));
	assert_null(strstr(text, "\"x"));
	assert_non_null(strstr(text, "-i eth0 "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encodings),  cmocka_unit_test(test_find),
		cmocka_unit_test(test_bad_values), cmocka_unit_test(test_read),
		cmocka_unit_test(test_feeds),	   cmocka_unit_test(test_interfaces),
		cmocka_unit_test(test_wishes),	   cmocka_unit_test(test_no_injection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
