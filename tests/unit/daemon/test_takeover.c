/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What is told of a takeover: everything that there is to tell, and nothing that there is not. */

#include "daemon/takeover.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "util/clock.h"

static void check(const struct takeover *t, const char *line, const char *losses)
{
	char buf[TAKEOVER_LINE_STRLEN];

	assert_string_equal(takeover_line(t, t->began_ns + 21 * NS_PER_MS, buf), line);
	assert_string_equal(takeover_losses(t, buf), losses);
}

static void test_flows_only(void **state)
{
	struct takeover t = {.source = TAKEOVER_FILE, .began_ns = NS_PER_S};

	t.table.flows = 18234;
	check(&t, "Took over 18,234 flows from the state file in 21 ms", "");
	t.table.unconfirmed = 2;
	check(&t, "Took over 18,234 flows from the state file in 21 ms (2 unconfirmed given up)",
	      "");
}

static void test_everything(void **state)
{
	struct takeover t = {.source = TAKEOVER_STORE,
			     .queues = 4,
			     .inherited = 17,
			     .resent = 3,
			     .unread = 1,
			     .relaxed = 900};

	t.table = (struct ct_adopted){.flows = 1000,
				      .restored = 1,
				      .moved = 5,
				      .unconfirmed = 2,
				      .damaged = 6,
				      .displaced = 1200,
				      .expects = 8,
				      .expects_lost = 9};
	check(&t,
	      "Took over 1,000 flows from the service manager's store in 21 ms (1 put back to "
	      "before an unfinished packet, 900 with windows to be learned anew, 5 under another "
	      "id, 2 unconfirmed given up), 8 expectations, 4 queues, 17 packets inherited, "
	      "3 verdicts sent again, 1 seat unread",
	      "6 flows that contradicted themselves, 1,200 flows for which MaxFlows= is too small "
	      "now, 9 expectations");
}

/* A queue whose flows are gone. */
static void test_no_flows(void **state)
{
	struct takeover t = {.queues = 1};

	check(&t, "Took over no flows, 1 queue", "");
}

/* However large the numbers are, the line ends where its buffer does. */
static void test_large(void **state)
{
	struct takeover t = {.source = TAKEOVER_STORE};
	char buf[TAKEOVER_LINE_STRLEN];

	memset(&t.table, 0xff, sizeof(t.table));
	t.queues = t.unread = UINT32_MAX;
	t.inherited = t.resent = UINT64_MAX;
	assert_true(strlen(takeover_line(&t, UINT64_MAX, buf)) < sizeof(buf));
	assert_true(strlen(takeover_losses(&t, buf)) < sizeof(buf));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flows_only),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_no_flows),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests_name("takeover", tests, NULL, NULL);
}
