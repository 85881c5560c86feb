/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "log/fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* A flow has the fields of its events, but for what makes a record and what is of a packet. */
static void test_flow(void **state)
{
	struct ct_event ev = {
		.type = CT_EVENT_STATE,
		.flow = 0xab,
		.orig = {.family = CT_AF_INET, .proto = 6, .src_id_be = 1, .dst_id_be = 2},
		.reply = {.family = CT_AF_INET, .proto = 6, .src_id_be = 2, .dst_id_be = 1},
		.has_tuple = true,
		.accounted = true,
		.hook = CT_HOOK_NONE,
		.status = CT_STATUS_SEEN_REPLY | CT_STATUS_CONFIRMED,
		.state_old = 2,
		.state_new = 2,
		.timeout_ns = 1000,
		.helper = CT_HELPER_FTP,
	};
	struct fields event, flow;
	char key[FIELDS_KEY_MAX];
	const char *value;
	unsigned int j = 0;
	size_t len;

	fields_from_event(&event, &ev, NULL, NULL);
	fields_from_flow(&flow, &ev);
	for (unsigned int i = 0; i < event.n; i++) {
		if (event.id[i] < FIELD_FLOW)
			continue;
		assert_int_equal(flow.id[j], event.id[i]);
		assert_int_equal(flow.iov[j].iov_len, event.iov[i].iov_len);
		assert_memory_equal(flow.iov[j].iov_base, event.iov[i].iov_base,
				    flow.iov[j].iov_len);
		j++;
	}
	assert_int_equal(j, flow.n);
	assert_int_equal(flow.id[0], FIELD_FLOW);
	value = fields_value(&flow, 1, &len);
	assert_int_equal(len, 3);
	assert_memory_equal(value, "tcp", 3);
	assert_int_equal(fields_key(FIELD_REPLY_SPORT, key), strlen("reply_sport"));
	assert_string_equal(key, "reply_sport");
	(void)fields_key(FIELD_MESSAGE, key);
	assert_string_equal(key, "message");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flow),
	};

	return cmocka_run_group_tests_name("log/fields of a flow", tests, NULL, NULL);
}
