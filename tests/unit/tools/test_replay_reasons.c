/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Each reason has texts, and the numbers that they name are those of the reason. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "core/pkt.h"
#include "tools/ctmark-replay/reasons.h"

/* Of these the sentence, or what would be accepted, is made elsewhere, of more than numbers. */
static bool told_elsewhere(enum ct_reason reason)
{
	return reason == CT_REASON_TCP_RST_STALE || reason == CT_REASON_TCP_SEQ_OVER ||
	       reason == CT_REASON_TCP_ACK_OVER || reason == CT_REASON_ICMP_NO_FLOW;
}

static void filled(enum ct_reason reason, const char *text)
{
	const uint32_t detail[CT_DETAIL_MAX] = {1, 2, 3, 4};
	char buf[REASON_SENTENCE_MAX];
	bool sctp = strncmp(ct_reason_name(reason), "sctp", 4) == 0;

	reason_fill(text, reason, sctp ? CT_PROTO_SCTP : CT_PROTO_TCP, detail, buf);
	if (strpbrk(buf, "{}?"))
		fail_msg("%s: %s", ct_reason_name(reason), buf);
	assert_true(strlen(buf) < REASON_SENTENCE_MAX - 1);
	assert_int_equal(buf[strlen(buf) - 1], '.');
}

static void each_has_texts(void **state)
{
	for (int i = CT_REASON_NONE + 1; i < CT_REASON_MAX; i++) {
		const struct reason_text *t = reason_text_of((enum ct_reason)i);

		if (strlen(t->rule) < 10)
			fail_msg("no rule for %s", ct_reason_name((enum ct_reason)i));
		if (*t->sentence)
			filled((enum ct_reason)i, t->sentence);
		else
			assert_true(told_elsewhere((enum ct_reason)i));
		if (*t->accepted)
			filled((enum ct_reason)i, t->accepted);
		else
			assert_true(told_elsewhere((enum ct_reason)i) || i == CT_REASON_TCP_STATE ||
				    i == CT_REASON_SCTP_STATE);
		if (*t->cause)
			filled((enum ct_reason)i, t->cause);
		else
			assert_true(i == CT_REASON_TCP_STATE || i == CT_REASON_TCP_NOT_FIRST);
	}
	assert_string_equal(reason_text_of(CT_REASON_MAX)->rule, "");
}

static void numbers_have_their_form(void **state)
{
	const uint32_t checksum[CT_DETAIL_MAX] = {0x12, 0xab34}, vtag[CT_DETAIL_MAX] = {1, 2, 4, 4};
	const uint32_t flags[CT_DETAIL_MAX] = {3};
	char buf[REASON_SENTENCE_MAX];

	assert_string_equal(
		reason_fill("{found} {expected}", CT_REASON_CHECKSUM, CT_PROTO_UDP, checksum, buf),
		"0x0012 0xab34");
	assert_string_equal(reason_fill("{found} {expected} {chunk} {state}", CT_REASON_SCTP_VTAG,
					CT_PROTO_SCTP, vtag, buf),
			    "0x00000001 0x00000002 HEARTBEAT ESTABLISHED");
	assert_string_equal(reason_fill("{flags}", CT_REASON_TCP_FLAGS, CT_PROTO_TCP, flags, buf),
			    "FIN,SYN");
	assert_string_equal(reason_fill("{nothing} {", CT_REASON_CHECKSUM, 0, flags, buf), "? ?");
}

static void long_text_is_cut(void **state)
{
	char text[2 * REASON_SENTENCE_MAX], buf[REASON_SENTENCE_MAX];
	const uint32_t none[CT_DETAIL_MAX] = {0};

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	reason_fill(text, CT_REASON_CHECKSUM, 0, none, buf);
	assert_int_equal(strlen(buf), REASON_SENTENCE_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_has_texts),
		cmocka_unit_test(numbers_have_their_form),
		cmocka_unit_test(long_text_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
