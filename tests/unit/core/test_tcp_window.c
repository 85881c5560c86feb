/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The window check at its edges: every sequence and acknowledgement number near a bound, against
 * the four tests of the specification (semantics 4.6 C) written down once more, with initial
 * sequence numbers that make each comparison wrap.
 *
 * What became of a segment shows in the result: refused is INVALID; accepted renews the timeout;
 * ignored does neither.
 */

#include "core/tcp.h"
#include "packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum outcome { ACCEPTED, IGNORED, REFUSED };

static const char *const outcome_names[] = {"accepted", "ignored", "refused"};

/* One side as the handshake leaves it. */
struct side {
	uint32_t end, maxend, maxwin;
};

static bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static bool after(uint32_t a, uint32_t b)
{
	return before(b, a);
}

static enum outcome spec(const struct side *snd, const struct side *rcv, uint32_t seq, uint32_t ack,
			 uint32_t len)
{
	uint32_t end = seq + len;
	uint32_t maxackwin = snd->maxwin > 66000 ? snd->maxwin : 66000;
	bool not_too_old = after(end, snd->end - rcv->maxwin - 1);
	bool ack_not_too_old = after(ack, rcv->end - maxackwin - 1);
	bool acks_known = before(ack, rcv->end + 1);

	if (!before(seq, snd->maxend + 1))
		return not_too_old && ack_not_too_old && acks_known &&
				       end - snd->maxend + 1 <= rcv->maxwin
			       ? IGNORED
			       : REFUSED;
	if (!acks_known)
		return REFUSED;
	return not_too_old && ack_not_too_old ? ACCEPTED : IGNORED;
}

static struct engine e;
static uint32_t isn; /* of both sides */

/* A segment of A (side 0) or B with len bytes of data. */
static struct ct_result segment(int side, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len,
				uint64_t now_ns)
{
	uint8_t data[60] = {0};
	struct pk p;

	assert_true(len + 20 <= sizeof(data));
	pk_tcp(&p, CT_AF_INET, side ? 2 : 1, side ? 1 : 2, side ? 80 : 4000, side ? 4000 : 80,
	       flags, isn + seq, flags & PK_ACK ? isn + ack : 0);
	memcpy(data, p.b + p.l4, 20);
	pk_ip(&p, CT_AF_INET, side ? 2 : 1, side ? 1 : 2, 6, data, 20 + len);
	pk_fix_checksum(&p, 16);
	return engine_track(&e, &p, now_ns);
}

/* Handshake and 20 bytes of A, acknowledged: A is at 1021, B at 5001, windows of 65535. */
static void connect(void)
{
	engine_open(&e, 4);
	assert_int_equal(segment(0, PK_SYN, 1000, 0, 0, SEC).info, CT_INFO_NEW);
	segment(1, PK_SYN | PK_ACK, 5000, 1001, 0, SEC);
	segment(0, PK_ACK, 1001, 5001, 0, SEC);
	segment(0, PK_ACK, 1001, 5001, 20, SEC);
	assert_true(segment(1, PK_ACK, 5001, 1021, 0, SEC).timeout_ns == 432000 * SEC);
}

/* What connect() leaves, without the initial sequence number: A and B. */
static const struct side sides[2] = {
	{.end = 1021, .maxend = 1021 + 65535, .maxwin = 65535},
	{.end = 5001, .maxend = 5001 + 65535, .maxwin = 65535},
};

static enum outcome observe(const struct ct_result *out, uint64_t seconds_left)
{
	if (out->info == CT_INFO_INVALID)
		return REFUSED;
	return out->timeout_ns == seconds_left * SEC ? IGNORED : ACCEPTED;
}

static unsigned int seen[3]; /* how often each outcome came up */

static void check_segment(int side, uint32_t seq, uint32_t ack, uint32_t len)
{
	enum outcome want = spec(&sides[side], &sides[!side], seq, ack, len), got;
	struct ct_result out;

	connect();
	out = segment(side, PK_ACK, seq, ack, len, 2 * SEC);
	got = observe(&out, 432000 - 1);
	seen[got]++;
	if (got != want)
		fail_msg("side %d seq %u ack %u len %u isn %u: %s, not %s", side, seq, ack, len,
			 isn, outcome_names[got], outcome_names[want]);
	if (got == REFUSED)
		assert_true(out.reason == CT_REASON_TCP_SEQ_OVER ||
			    out.reason == CT_REASON_TCP_ACK_OVER);
	engine_close(&e);
}

static const uint32_t isns[] = {
	0, 0x7fffffff - 1021, 0x7fffffff - 66556, 0xffffffff - 1021, 0xffffffff - 66556,
};

#define ISNS (sizeof(isns) / sizeof(isns[0]))

/* Around each bound that a sequence number can meet. */
static void test_sequence(void **state)
{
	static const uint32_t lens[] = {0, 1, 10};
	uint32_t bounds[5];

	for (size_t i = 0; i < ISNS * 2 * 3; i++) {
		int side = i / ISNS % 2;
		uint32_t len = lens[i / ISNS / 2];
		const struct side *snd = &sides[side], *rcv = &sides[!side];

		isn = isns[i % ISNS];
		bounds[0] = snd->end;
		bounds[1] = snd->maxend;
		bounds[2] = snd->maxend + rcv->maxwin - len;
		bounds[3] = snd->end - rcv->maxwin - len;
		bounds[4] = snd->end + 0x80000000;
		for (int b = 0; b < 5; b++)
			for (uint32_t d = 0; d < 9; d++)
				check_segment(side, bounds[b] + d - 4, rcv->end, len);
	}
	for (int i = ACCEPTED; i <= REFUSED; i++)
		assert_true(seen[i] > 200);
}

static void test_acknowledgement(void **state)
{
	uint32_t bounds[3];

	for (size_t i = 0; i < ISNS * 2; i++) {
		int side = i / ISNS;
		const struct side *snd = &sides[side], *rcv = &sides[!side];

		isn = isns[i % ISNS];
		bounds[0] = rcv->end;
		bounds[1] = rcv->end - 66000;
		bounds[2] = rcv->end + 0x80000000;
		for (int b = 0; b < 3; b++)
			for (uint32_t d = 0; d < 9; d++) {
				check_segment(side, snd->end, bounds[b] + d - 4, 0);
				/* beyond the window too: the overshoot rule looks at it as well */
				check_segment(side, snd->maxend + 1, bounds[b] + d - 4, 1);
			}
	}
}

/* A segment that overshoots is not lost on the table: what it carries may be acknowledged. */
static void test_overshoot_is_remembered(void **state)
{
	uint32_t seq = sides[0].maxend + 10;
	struct ct_result out;

	isn = 0;
	connect();
	out = segment(0, PK_ACK, seq, 5001, 5, 2 * SEC);
	assert_int_equal(observe(&out, 432000 - 1), IGNORED);
	out = segment(1, PK_ACK, 5001, seq + 5, 0, 2 * SEC);
	assert_int_equal(observe(&out, 432000 - 1), ACCEPTED);
	out = segment(1, PK_ACK, 5001, seq + 6, 0, 2 * SEC);
	assert_int_equal(out.reason, CT_REASON_TCP_ACK_OVER);
	/* and nothing else was forgotten: A's acknowledgements still protect against stale resets
	 */
	out = segment(1, PK_RST, 5000, 0, 0, 2 * SEC);
	assert_int_equal(out.reason, CT_REASON_TCP_RST_STALE);
	assert_int_equal(out.events[0].detail[0], 5000);
	assert_int_equal(out.events[0].detail[1], 5001);
	engine_close(&e);
}

/* A segment without data that offers this window. */
static struct ct_result windowed(int side, uint32_t seq, uint32_t ack, uint16_t win, uint8_t flags)
{
	struct pk p;

	pk_tcp(&p, CT_AF_INET, side ? 2 : 1, side ? 1 : 2, side ? 80 : 4000, side ? 4000 : 80,
	       flags, seq, ack);
	p.b[p.l4 + 14] = (uint8_t)(win >> 8);
	p.b[p.l4 + 15] = (uint8_t)win;
	pk_fix_checksum(&p, 16);
	return engine_track(&e, &p, 2 * SEC);
}

/* A closed window still lets one byte through, to be probed. */
static void test_zero_window(void **state)
{
	struct ct_result out;

	isn = 0;
	engine_open(&e, 4);
	windowed(0, 1000, 0, 20, PK_SYN);
	windowed(1, 5000, 1001, 20, PK_SYN | PK_ACK);
	windowed(0, 1001, 5001, 20, PK_ACK);
	segment(1, PK_ACK, 5001, 1001, 20, 2 * SEC);
	windowed(0, 1001, 5021, 0, PK_ACK);
	out = segment(1, PK_ACK, 5022, 1001, 0, 3 * SEC);
	assert_int_equal(observe(&out, 299), ACCEPTED);
	out = segment(1, PK_ACK, 5023, 1001, 0, 4 * SEC);
	assert_int_equal(observe(&out, 299), IGNORED);
	engine_close(&e);
}

/* Resets of a closed connection are taken as they are, and of an open one only in their place. */
static void test_reset(void **state)
{
	struct ct_result out;

	isn = 0;
	connect();
	/* an acknowledgement that fits the last segment is no excuse for a sequence that does not
	 */
	out = segment(0, PK_RST | PK_ACK, 1021 + 200000, 5001, 0, 2 * SEC);
	assert_int_equal(out.reason, CT_REASON_TCP_SEQ_OVER);
	out = segment(1, PK_RST, 5000, 0, 0, 2 * SEC);
	assert_int_equal(out.reason, CT_REASON_TCP_RST_STALE);
	out = segment(1, PK_RST, 5002, 0, 0, 2 * SEC);
	assert_int_equal(out.state, CT_TCP_STATE_ESTABLISHED);
	assert_true(out.timeout_ns == 10 * SEC);
	out = segment(1, PK_RST, 5001, 0, 0, 2 * SEC);
	assert_int_equal(out.state, CT_TCP_STATE_CLOSE);
	out = segment(1, PK_RST, 42, 0, 0, 3 * SEC);
	assert_int_equal(out.info, CT_INFO_ESTABLISHED_REPLY);
	assert_int_equal(out.state, CT_TCP_STATE_CLOSE);
	assert_true(out.timeout_ns == 10 * SEC);
	engine_close(&e);
}

/* A reset that acknowledges nothing, though its flag says so, is judged by its sequence alone. */
static void test_reset_without_ack(void **state)
{
	struct ct_result out;

	isn = 0x40000000;
	connect();
	out = segment(1, PK_RST | PK_ACK, 5001, -isn, 0, 2 * SEC);
	assert_int_equal(out.state, CT_TCP_STATE_CLOSE);
	engine_close(&e);
}

/* Of a connection that is not ASSURED a reset need not hit exactly. */
static void test_reset_of_unsettled(void **state)
{
	struct ct_result out;

	isn = 0;
	engine_open(&e, 4);
	segment(0, PK_ACK, 1001, 5001, 0, SEC); /* picked up in mid-stream */
	out = segment(1, PK_ACK, 5001, 1001, 0, SEC);
	assert_int_equal(out.state, CT_TCP_STATE_ESTABLISHED);
	assert_false(out.status & CT_STATUS_ASSURED);
	out = segment(1, PK_RST, 5100, 0, 0, SEC);
	assert_int_equal(out.state, CT_TCP_STATE_CLOSE);
	engine_close(&e);
}

/* A side that acknowledged nothing yet gives no measure for the resets of the other. */
static void test_reset_without_measure(void **state)
{
	struct ct_result out;

	isn = 0x90000000;
	engine_open(&e, 4);
	segment(0, PK_ACK, 1001, 5001, 0, SEC);
	out = segment(0, PK_RST, 1001, 0, 0, SEC);
	assert_int_equal(out.info, CT_INFO_NEW);
	assert_int_equal(out.state, CT_TCP_STATE_CLOSE);
	assert_int_equal(ct_count(e.th.ct), 0);
	engine_close(&e);
}

/* A stale server answers a SYN out of its old connection, and the client resets that. */
static void test_reset_of_challenge(void **state)
{
	struct ct_result out;

	isn = 0;
	engine_open(&e, 4);
	segment(0, PK_SYN, 1000, 0, 0, SEC);
	out = segment(1, PK_ACK, 777, 99, 0, SEC);
	assert_int_equal(out.state, CT_TCP_STATE_SYN_SENT);
	out = segment(0, PK_RST | PK_ACK, 900000, 777, 0, SEC);
	assert_int_equal(out.info, CT_INFO_ESTABLISHED);
	assert_int_equal(out.state, CT_TCP_STATE_CLOSE);
	engine_close(&e);
}

/* Refused closings from both sides shorten a long life, and never lengthen a short one. */
static void test_refused_closings(void **state)
{
	static const uint8_t closing = PK_FIN | PK_ACK;

	isn = 0;
	connect();
	segment(0, closing, 1021 + 300000, 5001, 0, 2 * SEC);
	assert_true(segment(1, closing, 5001 + 300000, 1021, 0, 3 * SEC).timeout_ns == 300 * SEC);
	assert_true(segment(0, closing, 1021 + 300000, 5001, 0, 9 * SEC).timeout_ns == 294 * SEC);
	engine_close(&e);
}

/* A SYN/ACK that was too low has told us its window all the same; a better one starts anew. */
static void test_second_synack(void **state)
{
	struct ct_result out;

	isn = 0;
	engine_open(&e, 4);
	segment(0, PK_SYN, 10000000, 0, 0, SEC);
	out = segment(1, PK_SYN | PK_ACK, 5000, 5, 0, SEC);
	assert_int_equal(out.state, CT_TCP_STATE_SYN_SENT);
	out = segment(1, PK_SYN | PK_ACK, 6000, 10000099, 0, SEC);
	assert_int_equal(out.reason, CT_REASON_TCP_ACK_OVER);
	out = segment(1, PK_SYN | PK_ACK, 6000, 10000001, 0, SEC);
	assert_int_equal(out.state, CT_TCP_STATE_SYN_RECV);
	engine_close(&e);
}

/* A segment across the edge shows that the receiver's window was larger than thought. */
static void test_across_the_edge(void **state)
{
	uint32_t edge = sides[0].maxend;
	struct ct_result out;

	isn = 0;
	connect();
	out = segment(0, PK_ACK, edge - 5, 5001, 10, 2 * SEC);
	assert_int_equal(observe(&out, 432000 - 1), ACCEPTED);
	out = segment(0, PK_ACK, edge + 65535 + 5, 5001, 0, 3 * SEC); /* one byte too far */
	assert_int_equal(out.reason, CT_REASON_TCP_SEQ_OVER);
	out = segment(0, PK_ACK, edge + 65535 + 4, 5001, 0, 3 * SEC);
	assert_int_equal(observe(&out, 300 - 1), IGNORED);
	engine_close(&e);
}

/* Semantics 4.7: what is read from the options of a SYN, and where reading stops. */
static void test_options(void **state)
{
	enum { BOTH = CT_TCP_WINDOW_SCALE | CT_TCP_SACK_PERM };
	static const struct {
		uint8_t len, opt[12], scale, flags;
	} rows[] = {
		{8, {4, 2, 3, 3, 7, 0, 0, 0}, 7, BOTH},
		{8, {1, 1, 1, 4, 2, 3, 3, 7}, 7, BOTH},
		{4, {3, 3, 15, 0}, 14, CT_TCP_WINDOW_SCALE},
		{4, {3, 3, 0, 0}, 0, CT_TCP_WINDOW_SCALE},
		{8, {8, 4, 9, 9, 4, 2, 0, 0}, 0, CT_TCP_SACK_PERM}, /* unknown ones are skipped */
		{8, {0, 4, 2, 0, 3, 3, 7, 0}, 0, 0},		    /* the end is the end */
		{4, {4, 1, 4, 2}, 0, 0},			    /* shorter than itself */
		{4, {4, 0, 4, 2}, 0, 0},
		{4, {4, 3, 4, 2}, 0, 0}, /* wrong length: not this option, but skipped */
		{8, {3, 2, 4, 2, 3, 4, 7, 7}, 0, CT_TCP_SACK_PERM},
		{4, {1, 1, 3, 3}, 0, 0}, /* beyond the header */
		{4, {1, 1, 1, 4}, 0, 0}, /* no room for a length */
		{4, {4, 2, 3, 255}, 0, CT_TCP_SACK_PERM},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ct_tcp_seg seg = {.opt = rows[i].opt, .optlen = rows[i].len};
		uint8_t scale = 9, flags = 0xff;

		ct_tcp_read_options(&seg, &scale, &flags);
		assert_int_equal(scale, rows[i].scale);
		assert_int_equal(flags, rows[i].flags | CT_TCP_BE_LIBERAL);
	}
}

static void test_no_options(void **state)
{
	struct ct_tcp_seg seg = {.opt = NULL, .optlen = 0};
	uint8_t scale = 9, flags = 0xff;

	ct_tcp_read_options(&seg, &scale, &flags);
	assert_int_equal(scale, 9);
	assert_int_equal(flags, 0xff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sequence),
		cmocka_unit_test(test_acknowledgement),
		cmocka_unit_test(test_overshoot_is_remembered),
		cmocka_unit_test(test_zero_window),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_reset_without_ack),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_reset_of_unsettled),
		cmocka_unit_test(test_reset_without_measure),
		cmocka_unit_test(test_reset_of_challenge),
		cmocka_unit_test(test_refused_closings),
		cmocka_unit_test(test_second_synack),
		cmocka_unit_test(test_across_the_edge),
		cmocka_unit_test(test_no_options),
	};

	return cmocka_run_group_tests_name("tcp_window", tests, NULL, NULL);
}
