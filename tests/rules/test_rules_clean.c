/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The checks find nothing to say against the rules that are printed, whatever the configuration. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/rules/conf.h"
#include "tools/ctmarkctl/check_walk.h"
#include "util/cleanup.h"

#define HOOK(name) (1u << RULES_HOOK_##name)

static void expect_clean(const struct rules_conf *c, const struct rules_wanted *w)
{
	_cleanup_free_ char *four = print_iptables(c, w), *six = print_iptables(c, w);
	struct check_set set;
	struct check *found;
	char why[100] = "";

	check_set_init(&set);
	assert_int_equal(check_read_iptables(&set, RULES_IPV4, four, why, sizeof(why)), 0);
	assert_int_equal(check_read_iptables(&set, RULES_IPV6, six, why, sizeof(why)), 0);
	found = check_new(&set, c);
	for (unsigned int i = 0; i < found->nfindings; i++)
		if (check_code_severity(found->findings[i].code) != CHECK_INFO)
			fail_msg("%s", check_code_name(found->findings[i].code));
	if (w->filter_hooks && w->bypass)
		assert_int_equal(found->nfindings, 0);
	check_free(found);
	check_set_done(&set);
}

static void test_clean(void **state)
{
	static const char *const masks[] = {"0x7f", "0x7f0000", "0xfe000000"};
	struct rules_wanted w = {
		.families = RULES_IPV4 | RULES_IPV6, .queue = true, .filter = true};

	rules_parse_accept(&w, "tcp/22,udp/500:510,ping");
	/* every mask, encoding, way of confirming, with and without filter, bypass, repeat */
	for (unsigned int n = 0; n < ARRAY_SIZE(masks) * 64; n++) {
		struct rules_conf c =
			conf_of(n & 1 ? "0-3" : "7", n & 2 ? "flags" : "ctinfo", masks[n / 64]);

		c.confirm = n & 4 ? RULES_CONFIRM_EXIT : RULES_CONFIRM_AUTO;
		w.hooks = HOOK(PREROUTING) | HOOK(OUTPUT);
		w.hooks |= n & 4 ? HOOK(INPUT) | HOOK(POSTROUTING) : 0;
		w.filter_hooks = n & 8 ? HOOK(INPUT) | HOOK(FORWARD) : 0;
		w.bypass = n & 16;
		rules_conf_set(&c, "Verdict", "Related", n & 32 ? "repeat" : "accept");
		expect_clean(&c, &w);
	}
}

static void test_clean_zones(void **state)
{
	struct rules_wanted w = {.families = RULES_IPV4 | RULES_IPV6,
				 .queue = true,
				 .hooks = HOOK(PREROUTING) | HOOK(OUTPUT),
				 .bypass = true};
	struct rules_conf c = conf_of("0-7", "ctinfo", "0xf");

	rules_conf_set(&c, "Zone blue", "Queue", "0-3");
	rules_conf_set(&c, "Zone blue", "InputInterface", "blue0 blue-*");
	expect_clean(&c, &w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_clean_zones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
