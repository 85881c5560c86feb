/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Both TCP tables and the flag rules, every case.
 *
 * The tables are written out here as they stand in the specification of the state machine (what
 * Linux does, as documentation, not as code), so that a slip in one of the two places shows.
 */

#include "core/core.h"
#include "core/tcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define STATES 10

/* NONE, SYN_SENT, SYN_RECV, ESTABLISHED, FIN_WAIT, CLOSE_WAIT, LAST_ACK, TIME_WAIT, CLOSE, S2 */
static const char state_names[STATES][3] = {
	"NO", "SS", "SR", "ES", "FW", "CW", "LA", "TW", "CL", "S2",
};

struct row {
	enum ct_tcp_index index;
	const char *cells; /* one per state, in the order of state_names; IG ignored, -- invalid */
};

static const struct row original[] = {
	{CT_TCP_SYN, "SS SS IG IG IG IG IG SS SS S2"},
	{CT_TCP_SYNACK, "-- -- SR -- -- -- -- -- -- SR"},
	{CT_TCP_FIN, "-- -- FW FW LA LA LA TW CL --"},
	{CT_TCP_ACK, "ES -- ES ES CW CW TW TW CL --"},
	{CT_TCP_RST, "-- CL CL CL CL CL CL CL CL CL"},
	{CT_TCP_NONE, "-- -- -- -- -- -- -- -- -- --"},
};

static const struct row reply[] = {
	{CT_TCP_SYN, "-- S2 -- -- -- -- -- SS -- S2"},
	{CT_TCP_SYNACK, "-- SR IG IG IG IG IG IG IG SR"},
	{CT_TCP_FIN, "-- -- FW FW LA LA LA TW CL --"},
	{CT_TCP_ACK, "-- IG SR ES CW CW TW TW CL IG"},
	{CT_TCP_RST, "-- CL CL CL CL CL CL CL CL CL"},
	{CT_TCP_NONE, "-- -- -- -- -- -- -- -- -- --"},
};

static unsigned int parse_cell(const char *cell)
{
	if (!memcmp(cell, "--", 2))
		return CT_TCP_INVALID;
	if (!memcmp(cell, "IG", 2))
		return CT_TCP_IGNORE;
	for (unsigned int s = 0; s < STATES; s++)
		if (!memcmp(cell, state_names[s], 2))
			return s;
	fail_msg("no such state: %.2s", cell);
	return 0;
}

static unsigned int check_table(enum ct_dir dir, const struct row *rows, size_t nrows)
{
	unsigned int checked = 0;

	for (size_t r = 0; r < nrows; r++) {
		assert_int_equal(strlen(rows[r].cells), STATES * 3 - 1);
		for (uint8_t s = 0; s < STATES; s++, checked++) {
			unsigned int want = parse_cell(rows[r].cells + s * 3);
			unsigned int got = ct_tcp_fsm(dir, rows[r].index, s);

			if (got != want)
				fail_msg("direction %d, index %d, state %s: got %u, want %u", dir,
					 rows[r].index, state_names[s], got, want);
		}
	}
	return checked;
}

static void test_original(void **state)
{
	assert_int_equal(check_table(CT_DIR_ORIGINAL, original, 6), 60);
}

static void test_reply(void **state)
{
	assert_int_equal(check_table(CT_DIR_REPLY, reply, 6), 60);
}

/* The numbers are the kernel's: ctnetlink and the journal show them. */
static void test_numbers(void **state)
{
	static const char *const names[STATES] = {
		"NONE",	      "SYN_SENT", "SYN_RECV",  "ESTABLISHED", "FIN_WAIT",
		"CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE",	      "SYN_SENT2",
	};

	assert_int_equal(CT_TCP_INVALID, 10);
	assert_int_equal(CT_TCP_IGNORE, 11);
	for (uint8_t s = 0; s < STATES; s++)
		assert_string_equal(ct_state_name(6, s), names[s]);
}

#define FIN 0x01u
#define SYN 0x02u
#define RST 0x04u
#define PSH 0x08u
#define ACK 0x10u
#define URG 0x20u
#define ECE 0x40u
#define CWR 0x80u

static bool spec_valid(unsigned int flags)
{
	switch (flags & ~(PSH | ECE | CWR)) {
	case SYN:
	case SYN | URG:
	case SYN | ACK:
	case RST:
	case RST | ACK:
	case FIN | ACK:
	case FIN | ACK | URG:
	case ACK:
	case ACK | URG:
		return true;
	default:
		return false;
	}
}

static void test_flags_valid(void **state)
{
	unsigned int valid = 0;

	for (unsigned int flags = 0; flags < 256; flags++) {
		if (ct_tcp_flags_valid((uint8_t)flags) != spec_valid(flags))
			fail_msg("flags %#x must be %s", flags,
				 spec_valid(flags) ? "valid" : "invalid");
		valid += spec_valid(flags);
	}
	assert_int_equal(valid, 9 * 8);
}

static enum ct_tcp_index spec_index(unsigned int flags)
{
	if (flags & RST)
		return CT_TCP_RST;
	if (flags & SYN)
		return flags & ACK ? CT_TCP_SYNACK : CT_TCP_SYN;
	if (flags & FIN)
		return CT_TCP_FIN;
	return flags & ACK ? CT_TCP_ACK : CT_TCP_NONE;
}

static void test_index(void **state)
{
	for (unsigned int flags = 0; flags < 256; flags++)
		if (ct_tcp_index((uint8_t)flags) != spec_index(flags))
			fail_msg("flags %#x have index %d, not %d", flags, spec_index(flags),
				 ct_tcp_index((uint8_t)flags));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_original), cmocka_unit_test(test_reply),
		cmocka_unit_test(test_numbers),	 cmocka_unit_test(test_flags_valid),
		cmocka_unit_test(test_index),
	};

	return cmocka_run_group_tests_name("tcp_table", tests, NULL, NULL);
}
