/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Both SCTP tables, every case.
 *
 * The tables are written out here as they stand in the specification of the state machine (what
 * Linux does, as documentation, not as code), so that a slip in one of the two places shows.
 */

#include "core/sctp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define STATES 9
#define ROWS   11

/* NONE, CLOSED, COOKIE_WAIT, COOKIE_ECHOED, ESTABLISHED, SHUTDOWN_SENT, _RECD, _ACK_SENT, HS */
static const char state_names[STATES][3] = {
	"NO", "CL", "CW", "CE", "ES", "SS", "SR", "SA", "HS",
};

struct row {
	uint8_t chunk;
	const char *cells; /* one per state, in the order of state_names; -- invalid */
};

static const struct row original[ROWS] = {
	{1, "CL CL CW CE ES CL CL SA CW"},  {2, "CL CL CW CE ES SS SR SA CL"},
	{6, "CL CL CL CL CL CL CL CL CL"},  {7, "CL CL CW CE SS SS SR SA CL"},
	{8, "SA CL CW CE ES SA SA SA SA"},  {9, "CL CL CW CE ES SS SR SA CL"},
	{10, "CL CL CE CE ES SS SR SA CL"}, {11, "CL CL CW ES ES SS SR SA CL"},
	{14, "CL CL CW CE ES SS SR CL CL"}, {4, "HS CL CW CE ES SS SR SA HS"},
	{5, "CL CL CW CE ES SS SR SA HS"},
};

static const struct row reply[ROWS] = {
	{1, "-- CL CW CE ES SS SR SA --"},  {2, "-- CW CW CE ES SS SR SA --"},
	{6, "-- CL CL CL CL CL CL CL --"},  {7, "-- CL CW CE SR SS SR SA --"},
	{8, "-- CL CW CE ES SA SA SA --"},  {9, "-- CL CW CL ES SS SR SA --"},
	{10, "-- CL CE CE ES SS SR SA --"}, {11, "-- CL CW ES ES SS SR SA --"},
	{14, "-- CL CW CE ES SS SR CL --"}, {4, "-- CL CW CE ES SS SR SA HS"},
	{5, "-- CL CW CE ES SS SR SA ES"},
};

static unsigned int parse_cell(const char *cell)
{
	if (!memcmp(cell, "--", 2))
		return CT_SCTP_INVALID;
	for (unsigned int s = 0; s < STATES; s++)
		if (!memcmp(cell, state_names[s], 2))
			return s;
	fail_msg("no such state: %.2s", cell);
	return 0;
}

static unsigned int check_table(enum ct_dir dir, const struct row rows[ROWS])
{
	unsigned int checked = 0;

	for (size_t r = 0; r < ROWS; r++) {
		assert_int_equal(strlen(rows[r].cells), STATES * 3 - 1);
		for (uint8_t s = 0; s < STATES; s++, checked++) {
			unsigned int want = parse_cell(rows[r].cells + s * 3);
			unsigned int got = ct_sctp_fsm(dir, rows[r].chunk, s);

			if (got != want)
				fail_msg("direction %d, chunk %u, state %s: got %u, want %u", dir,
					 rows[r].chunk, state_names[s], got, want);
		}
	}
	return checked;
}

static void test_original(void **state)
{
	assert_int_equal(check_table(CT_DIR_ORIGINAL, original), 99);
}

static void test_reply(void **state)
{
	assert_int_equal(check_table(CT_DIR_REPLY, reply), 99);
}

/* Every other type leaves the state. */
static void test_others(void **state)
{
	unsigned int others = 0;

	for (unsigned int type = 0; type < 256; type++) {
		bool moves = false;

		for (size_t r = 0; r < ROWS; r++)
			moves |= original[r].chunk == type;
		if (moves)
			continue;
		others++;
		for (uint8_t s = 0; s < STATES; s++) {
			assert_int_equal(ct_sctp_fsm(CT_DIR_ORIGINAL, (uint8_t)type, s), s);
			assert_int_equal(ct_sctp_fsm(CT_DIR_REPLY, (uint8_t)type, s), s);
		}
	}
	assert_int_equal(others, 256 - ROWS);
}

/* The numbers are the kernel's: ctnetlink and the journal show them. */
static void test_numbers(void **state)
{
	static const char *const names[STATES] = {
		"NONE",		  "CLOSED",	   "COOKIE_WAIT",   "COOKIE_ECHOED",
		"ESTABLISHED",	  "SHUTDOWN_SENT", "SHUTDOWN_RECD", "SHUTDOWN_ACK_SENT",
		"HEARTBEAT_SENT",
	};

	for (uint8_t s = 0; s < STATES; s++)
		assert_string_equal(ct_state_name(132, s), names[s]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_original),
		cmocka_unit_test(test_reply),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests_name("sctp_table", tests, NULL, NULL);
}
