/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A configuration as rules see it, for tests. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "tools/ctmarkctl/rules_conf.h"
#include "tools/ctmarkctl/rules_plan.h"

static inline struct rules_conf conf_of(const char *range, const char *encoding, const char *mask)
{
	struct rules_conf c;

	rules_conf_init(&c);
	assert_int_equal(rules_conf_set(&c, "Queue", "Range", range), 0);
	assert_int_equal(rules_conf_set(&c, "Mark", "Encoding", encoding), 0);
	assert_int_equal(rules_conf_set(&c, "Mark", "Mask", mask), 0);
	assert_true(rules_conf_sound(&c));
	return c;
}

/* The rules for iptables, to be freed. */
static inline char *print_iptables(const struct rules_conf *c, const struct rules_wanted *w)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	rules_write_iptables(f, c, w);
	fclose(f);
	return text;
}
