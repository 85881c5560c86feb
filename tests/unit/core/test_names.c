/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The closed sets: each member has a name, no two the same, and the defaults are the kernel's. */

#include "packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

typedef const char *name_of(int value);

static const char *event_name(int v)
{
	return ct_event_name((enum ct_event_type)v);
}

static const char *reason_name(int v)
{
	return ct_reason_name((enum ct_reason)v);
}

static const char *reason_text(int v)
{
	return ct_reason_text((enum ct_reason)v);
}

static const char *death_name(int v)
{
	return ct_death_name((enum ct_death)v);
}

static const char *death_text(int v)
{
	return ct_death_text((enum ct_death)v);
}

static const char *stat_name(int v)
{
	return ct_stat_name((enum ct_stat)v);
}

static void check_set(name_of *name, int n)
{
	for (int i = 0; i < n; i++) {
		assert_non_null(name(i));
		assert_true(strlen(name(i)) > 1);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(name(i), name(j));
	}
	assert_string_equal(name(n), "?");
	assert_string_equal(name(1000), "?");
}

static void test_sets(void **state)
{
	check_set(event_name, CT_EVENT_MAX);
	check_set(reason_name, CT_REASON_MAX);
	check_set(reason_text, CT_REASON_MAX);
	check_set(death_name, CT_DEATH_MAX);
	check_set(death_text, CT_DEATH_MAX);
	check_set(stat_name, CT_STAT_MAX);
}

/* At most as many numbers behind a reason as an event has room for. */
static void test_details(void **state)
{
	for (int r = 0; r < CT_REASON_MAX; r++) {
		const char *names = ct_reason_details((enum ct_reason)r);
		int n = *names ? 1 : 0;

		for (const char *c = names; *c; c++)
			n += *c == ',';
		assert_true(n <= CT_DETAIL_MAX);
	}
}

static void test_infos(void **state)
{
	static const char *const names[] = {
		"ESTABLISHED",	 "RELATED", "NEW",     "ESTABLISHED_REPLY",
		"RELATED_REPLY", "?",	    "INVALID", "UNTRACKED",
	};

	for (int i = 0; i < 8; i++)
		assert_string_equal(ct_info_name((enum ct_info)i), names[i]);
	assert_string_equal(ct_info_name(CT_INFO_MAX), "?");
	for (int h = 0; h < CT_HOOK_NONE; h++)
		assert_string_not_equal(ct_hook_name((enum ct_hook)h), "?");
	assert_string_equal(ct_hook_name(CT_HOOK_PREROUTING), "PREROUTING");
	assert_string_equal(ct_hook_name(CT_HOOK_MAX), "?");
}

static void test_status(void **state)
{
	char buf[CT_STATUS_STRLEN];

	assert_string_equal(ct_status_to_str(0, buf), "");
	assert_string_equal(ct_status_to_str(0x8, buf), "CONFIRMED");
	assert_string_equal(ct_status_to_str(0xe, buf), "SEEN_REPLY,ASSURED,CONFIRMED");
	for (unsigned int s = 0; s < 0x10000; s++) {
		ct_status_to_str((uint16_t)s, buf);
		assert_true(strnlen(buf, sizeof(buf)) < sizeof(buf));
	}
}

static void test_states(void **state)
{
	assert_null(ct_state_name(17, 0));
	assert_null(ct_state_name(1, 3));
	assert_string_equal(ct_state_name(6, 3), "ESTABLISHED");
	assert_string_equal(ct_state_name(132, 3), "COOKIE_ECHOED");
	assert_string_equal(ct_state_name(132, 9), "?");
	assert_string_equal(ct_state_name(6, 200), "?");
	assert_string_equal(ct_sctp_chunk_name(14), "SHUTDOWN_COMPLETE");
	assert_null(ct_sctp_chunk_name(13));
	assert_null(ct_sctp_chunk_name(15));
}

/* The defaults of semantics 4.11, 5 and 8. */
static void test_defaults(void **state)
{
	static const uint64_t seconds[CT_TIMEOUT_MAX] = {
		[CT_TIMEOUT_TCP_SYN_SENT] = 120,
		[CT_TIMEOUT_TCP_SYN_RECV] = 60,
		[CT_TIMEOUT_TCP_FIN_WAIT] = 120,
		[CT_TIMEOUT_TCP_ESTABLISHED] = 5 * 86400,
		[CT_TIMEOUT_TCP_CLOSE_WAIT] = 60,
		[CT_TIMEOUT_TCP_LAST_ACK] = 30,
		[CT_TIMEOUT_TCP_TIME_WAIT] = 120,
		[CT_TIMEOUT_TCP_CLOSE] = 10,
		[CT_TIMEOUT_TCP_SYN_SENT2] = 120,
		[CT_TIMEOUT_TCP_RETRANS] = 300,
		[CT_TIMEOUT_TCP_UNACK] = 300,
		[CT_TIMEOUT_UDP] = 30,
		[CT_TIMEOUT_UDP_STREAM] = 120,
		[CT_TIMEOUT_ICMP] = 30,
		[CT_TIMEOUT_ICMPV6] = 30,
		[CT_TIMEOUT_GENERIC] = 600,
		[CT_TIMEOUT_SCTP_CLOSED] = 10,
		[CT_TIMEOUT_SCTP_COOKIE_WAIT] = 3,
		[CT_TIMEOUT_SCTP_COOKIE_ECHOED] = 3,
		[CT_TIMEOUT_SCTP_ESTABLISHED] = 210,
		[CT_TIMEOUT_SCTP_SHUTDOWN_SENT] = 3,
		[CT_TIMEOUT_SCTP_SHUTDOWN_RECD] = 3,
		[CT_TIMEOUT_SCTP_SHUTDOWN_ACK_SENT] = 3,
		[CT_TIMEOUT_SCTP_HEARTBEAT_SENT] = 30,
		[CT_TIMEOUT_GRE] = 30,
		[CT_TIMEOUT_GRE_STREAM] = 180,
	};
	struct ct_config cfg;

	memset(&cfg, 0xee, sizeof(cfg));
	ct_config_init(&cfg);
	for (int t = 0; t < CT_TIMEOUT_MAX; t++)
		assert_true(cfg.timeout_ns[t] == seconds[t] * SEC);
	assert_true(cfg.tcp_loose && cfg.checksum && cfg.accounting);
	assert_false(cfg.tcp_be_liberal || cfg.tcp_ignore_invalid_rst);
	assert_int_equal(cfg.tcp_max_retrans, 3);
	assert_int_equal(cfg.mark.mask, 0xf);
	assert_int_equal(cfg.mark.shift, 0);
	assert_int_equal(cfg.mark.encoding, CT_ENCODING_CTINFO);
	assert_int_equal(cfg.no_confirm_classes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sets),   cmocka_unit_test(test_details),
		cmocka_unit_test(test_infos),  cmocka_unit_test(test_status),
		cmocka_unit_test(test_states), cmocka_unit_test(test_defaults),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
