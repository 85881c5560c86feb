/* SPDX-License-Identifier: GPL-2.0-or-later */

/* SCTP where packet scripts cannot go: packets copied in part, aggregated, of very many chunks. */

#include "core/sctp.h"
#include "packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define HLEN	   12
#define AT_PORTS   0
#define AT_VTAG	   4
#define CLIENT_TAG 7
#define SERVER_TAG 9

/* The first bytes of a packet from side 0 (client) or 1: IP and common header. */
static void begin(struct pk *p, int side, uint32_t vtag)
{
	uint8_t h[HLEN] = {0};

	h[AT_PORTS + 1] = side ? 2 : 1;
	h[AT_PORTS + 3] = side ? 1 : 2;
	h[AT_VTAG + 3] = (uint8_t)vtag;
	pk_ip(p, CT_AF_INET, side ? 20 : 10, side ? 10 : 20, 132, h, sizeof(h));
}

/* A chunk with n bytes behind its header, tag in the first of them. */
static void add(struct pk *p, uint8_t type, uint32_t n, uint8_t tag)
{
	uint8_t *c = p->b + p->len;

	assert_true(p->len + 4 + n <= PK_MAX && n % 4 == 0);
	memset(c, 0, 4 + n);
	c[0] = type;
	c[2] = (uint8_t)((4 + n) >> 8);
	c[3] = (uint8_t)(4 + n);
	if (n)
		c[7] = tag;
	p->len += 4 + n;
	p->b[2] = (uint8_t)(p->len >> 8);
	p->b[3] = (uint8_t)p->len;
}

/* As the network card has verified it. cap: bytes copied, 0: all. */
static struct ct_result track(struct engine *e, const struct pk *p, uint32_t cap)
{
	struct ct_input in = pk_input(p, SEC);
	struct ct_result out;

	in.csum_unverified = false;
	if (cap)
		in.caplen = cap;
	memset(&out, 0xee, sizeof(out));
	ct_track(&e->th, &in, &out);
	assert_true(out.nevents <= CT_RESULT_EVENTS_MAX);
	return out;
}

static struct ct_result one(struct engine *e, int side, uint32_t vtag, uint8_t type, uint32_t n,
			    uint8_t tag)
{
	struct pk p;

	begin(&p, side, vtag);
	add(&p, type, n, tag);
	return track(e, &p, 0);
}

static void handshake(struct engine *e)
{
	assert_int_equal(one(e, 0, 0, CT_SCTP_INIT, 16, CLIENT_TAG).info, CT_INFO_NEW);
	one(e, 1, CLIENT_TAG, CT_SCTP_INIT_ACK, 16, SERVER_TAG);
	one(e, 0, SERVER_TAG, CT_SCTP_COOKIE_ECHO, 8, 0);
	assert_int_equal(one(e, 1, CLIENT_TAG, CT_SCTP_COOKIE_ACK, 0, 0).state,
			 CT_SCTP_STATE_ESTABLISHED);
}

/* A wrong checksum (none, here) is nobody's business where the packet counts as verified. */
static void test_trusted(void **state)
{
	struct ct_input in;
	struct ct_result out;
	struct engine e;
	struct pk p;

	engine_open(&e, 4);
	begin(&p, 0, 0);
	add(&p, CT_SCTP_INIT, 16, CLIENT_TAG);
	in = pk_input(&p, SEC);
	ct_track(&e.th, &in, &out);
	assert_int_equal(out.reason, CT_REASON_CHECKSUM);
	in.hook = CT_HOOK_OUTPUT;
	ct_track(&e.th, &in, &out);
	assert_int_equal(out.info, CT_INFO_NEW);
	in.hook = CT_HOOK_PREROUTING;
	in.caplen = p.len - 1;
	ct_track(&e.th, &in, &out);
	assert_int_equal(out.info, CT_INFO_INVALID); /* for its INIT, which is cut */
	assert_int_equal(out.reason, CT_REASON_COPY_RANGE);
	assert_int_equal(engine_stat(&e, CT_STAT_CSUM_SKIPPED), 1);
	engine_close(&e);
}

/* Of a packet that was copied in part the chunks that are there count. */
static void test_copied_part(void **state)
{
	struct ct_result out;
	struct engine e;
	struct pk p;

	engine_open(&e, 4);
	handshake(&e);
	begin(&p, 0, SERVER_TAG);
	add(&p, CT_SCTP_SACK, 12, 0);
	add(&p, CT_SCTP_DATA, 100, 0);
	add(&p, CT_SCTP_SHUTDOWN, 4, 0);
	for (uint32_t cap = p.l4 + 16; cap < p.len - 4; cap++) {
		out = track(&e, &p, cap);
		assert_int_equal(out.info, CT_INFO_ESTABLISHED);
		assert_int_equal(out.state, CT_SCTP_STATE_ESTABLISHED);
	}
	for (uint32_t cap = p.l4 + 4; cap < p.l4 + 16; cap++)
		assert_int_equal(track(&e, &p, cap).reason, CT_REASON_COPY_RANGE);
	assert_int_equal(track(&e, &p, p.len - 4).state, CT_SCTP_STATE_SHUTDOWN_SENT);
	engine_close(&e);
}

/* Data longer than the copied part, as in an aggregated packet. */
static void test_aggregated(void **state)
{
	struct ct_input in;
	struct ct_result out;
	struct engine e;
	struct pk p;

	engine_open(&e, 4);
	handshake(&e);
	begin(&p, 0, SERVER_TAG);
	add(&p, CT_SCTP_DATA, 300, 0);
	in = pk_input(&p, SEC);
	in.csum_unverified = false;
	in.len = 60000;
	ct_track(&e.th, &in, &out);
	assert_int_equal(out.info, CT_INFO_ESTABLISHED);
	engine_close(&e);
}

/* A packet full of chunks moves a flow back and forth, and is one change of its state. */
static void test_many_chunks(void **state)
{
	struct ct_result out;
	struct engine e;
	struct pk p;

	engine_open(&e, 4);
	handshake(&e);
	begin(&p, 1, CLIENT_TAG);
	while (p.len + 16 + 4 <= PK_MAX) {
		add(&p, CT_SCTP_SHUTDOWN, 4, 0);
		add(&p, CT_SCTP_SHUTDOWN_ACK, 0, 0);
		add(&p, 200, 0, 0);
	}
	add(&p, CT_SCTP_ABORT, 0, 0);
	out = track(&e, &p, 0);
	assert_int_equal(out.info, CT_INFO_ESTABLISHED_REPLY);
	assert_int_equal(out.nevents, 1);
	assert_int_equal(out.events[0].type, CT_EVENT_STATE);
	assert_int_equal(out.events[0].state_old, CT_SCTP_STATE_ESTABLISHED);
	assert_int_equal(out.events[0].state_new, CT_SCTP_STATE_CLOSED);
	engine_close(&e);
}

/* The largest packet of the smallest chunks is walked to its end. */
static void test_longest(void **state)
{
	static uint8_t big[65535];
	struct ct_result out;
	struct ct_input in;
	struct engine e;
	struct pk p;

	engine_open(&e, 4);
	handshake(&e);
	begin(&p, 0, SERVER_TAG);
	memcpy(big, p.b, p.len);
	big[2] = big[3] = 0xff;
	for (size_t at = p.len; at + 4 <= sizeof(big); at += 4)
		memcpy(big + at, (const uint8_t[]){CT_SCTP_HEARTBEAT, 0, 0, 1}, 4);
	in = pk_input(&p, SEC);
	in.csum_unverified = false;
	in.data = big;
	in.len = in.caplen = sizeof(big);
	ct_track(&e.th, &in, &out);
	assert_int_equal(out.info, CT_INFO_ESTABLISHED);
	big[sizeof(big) - 3 - 4] = CT_SCTP_COOKIE_ACK; /* its last chunk may not stand there */
	ct_track(&e.th, &in, &out);
	assert_int_equal(out.reason, CT_REASON_SCTP_CHUNKS);
	assert_int_equal(out.events[0].detail[2], (sizeof(big) - 32) / 4 - 1);
	engine_close(&e);
}

/* What an INVALID packet is told of. */
static void test_details(void **state)
{
	struct ct_result out;
	struct engine e;
	struct pk p;

	engine_open(&e, 4);
	out = one(&e, 0, 5, CT_SCTP_DATA, 16, 0);
	assert_int_equal(out.reason, CT_REASON_SCTP_NOT_FIRST);
	assert_int_equal(out.events[0].detail[0], CT_SCTP_DATA);
	assert_int_equal(out.events[0].detail[1], 5);
	begin(&p, 0, 5);
	add(&p, CT_SCTP_ERROR, 4, 0);
	add(&p, CT_SCTP_ABORT, 0, 0);
	out = track(&e, &p, 0);
	assert_int_equal(out.reason, CT_REASON_SCTP_NOT_FIRST);
	assert_int_equal(out.events[0].detail[0], CT_SCTP_ABORT);
	handshake(&e);
	out = one(&e, 1, 99, CT_SCTP_SACK, 12, 0);
	assert_int_equal(out.reason, CT_REASON_SCTP_VTAG);
	assert_int_equal(out.events[0].detail[0], 99);
	assert_int_equal(out.events[0].detail[1], CLIENT_TAG);
	assert_int_equal(out.events[0].detail[2], CT_SCTP_SACK);
	assert_int_equal(out.events[0].detail[3], CT_SCTP_STATE_ESTABLISHED);
	out = one(&e, 1, CLIENT_TAG, CT_SCTP_INIT_ACK, 16, 33);
	assert_int_equal(out.reason, CT_REASON_SCTP_INIT_TAG);
	assert_int_equal(out.events[0].detail[0], 33);
	assert_int_equal(out.events[0].detail[1], SERVER_TAG);
	engine_close(&e);
}

/* Only an association that is about to end may be ended early although it is ASSURED. */
static void test_closing(void **state)
{
	for (uint8_t s = 0; s < CT_SCTP_STATE_MAX; s++)
		assert_int_equal(ct_proto_sctp.closing(s),
				 s == CT_SCTP_STATE_SHUTDOWN_SENT ||
					 s == CT_SCTP_STATE_SHUTDOWN_RECD ||
					 s == CT_SCTP_STATE_SHUTDOWN_ACK_SENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trusted),	   cmocka_unit_test(test_copied_part),
		cmocka_unit_test(test_aggregated), cmocka_unit_test(test_many_chunks),
		cmocka_unit_test(test_longest),	   cmocka_unit_test(test_details),
		cmocka_unit_test(test_closing),
	};

	return cmocka_run_group_tests_name("sctp", tests, NULL, NULL);
}
