/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The SIP helper alone: what it makes of a message, and what it costs. That flows become RELATED by
 * it, and that the kernel does the same, is shown by tests/flows/helper-sip-*.flow.
 */

#include "helped.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "core/helper/sip.h"
#include "core/table.h"

#define MAX_BYTES 65507 /* in a UDP datagram */

/* Another flow of the same two hosts; it speaks from now on. Returns the one before. */
static uint32_t change_flow(struct helped *h, uint8_t proto)
{
	struct ct_flow f = h->engine.th.ct->arena.slots[h->master];
	uint32_t before = h->master;

	f.orig.proto = proto;
	h->master = ct_arena_put(&h->engine.th.ct->arena, &f, 0);
	assert_int_not_equal(h->master, 0);
	return before;
}

#define ask(t, text)	assert_int_equal(helped_text(t, CT_DIR_ORIGINAL, text), CT_HELP_ACCEPT)
#define answer(t, text) assert_int_equal(helped_text(t, CT_DIR_REPLY, text), CT_HELP_ACCEPT)

static void refuse(struct helped *t, const char *text, enum ct_reason reason)
{
	assert_int_equal(helped_text(t, CT_DIR_ORIGINAL, text), CT_HELP_DROP);
	assert_int_equal(t->last.reason, reason);
	assert_int_equal(t->last.detail[0], CT_HELPER_SIP);
}

/* --- what is expected ---------------------------------------------------------------------- */

struct list {
	uint64_t now_ns;
	char text[256];
	size_t n;
};

static bool add_to_list(struct ct_expect *e, void *ctx, bool *remove)
{
	struct list *l = ctx;

	(void)remove;
	assert_false(e->any_src);
	assert_true(e->any_src_id);
	l->n += (size_t)snprintf(l->text + l->n, sizeof(l->text) - l->n, "%s%s>%u %u/%u/%u/%us",
				 l->n ? ", " : "", e->tuple.dst.b[3] == 2 ? "phone" : "server",
				 ct_read_be16((const uint8_t *)&e->tuple.dst_id_be), e->tuple.proto,
				 e->class, e->flags,
				 (unsigned int)((e->expires_ns - l->now_ns) / SEC));
	assert_true(l->n < sizeof(l->text));
	return true;
}

/* "who sends>port protocol/class/flags/life", newest first. */
static void expect(struct helped *t, const char *what)
{
	struct list l = {.now_ns = t->now_ns};

	ct_expect_each(t->engine.th.ct, t->master, t->now_ns, add_to_list, &l);
	assert_string_equal(l.text, what);
}

#define INVITE	 "INVITE sip:b SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\nv=0\r\n"
#define REGISTER "REGISTER sip:b SIP/2.0\r\nCSeq: 5 REGISTER\r\n"
#define GRANTED	 "SIP/2.0 200 OK\r\nCSeq: 5 REGISTER\r\n"

static void test_media(void **state)
{
	struct helped t;

	helped_open(&t, CT_HELPER_SIP, CT_AF_INET, CT_PROTO_UDP);
	ask(&t, INVITE "c=IN IP4 10.0.0.1\r\nm=audio 6000 x\r\nm=video 6003 x\r\n");
	expect(&t, "server>6003 17/2/0/180s, server>6002 17/2/0/180s, "
		   "server>6001 17/1/0/180s, server>6000 17/1/0/180s");
	assert_int_equal(t.last.timeout_ns, 3600 * SEC);
	answer(&t, "SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n"
		   "v=0\r\nc=IN IP4 10.0.0.2\r\nm=image 65535 x\r\n");
	expect(&t, "phone>65535 17/3/0/180s, phone>65534 17/3/0/180s, "
		   "server>6003 17/2/0/180s, server>6002 17/2/0/180s, "
		   "server>6001 17/1/0/180s, server>6000 17/1/0/180s");
	answer(&t, "BYE sip:a SIP/2.0\r\nCSeq: 1 BYE\r\n\r\n");
	expect(&t, "");
	helped_close(&t);
}

static void test_media_ipv6(void **state)
{
	struct helped t;

	helped_open(&t, CT_HELPER_SIP, CT_AF_INET6, CT_PROTO_UDP);
	ask(&t, INVITE "c=IN IP6 2001:db8::1\r\nm=audio 6000 x\r\n");
	assert_int_equal(ct_expect_count(t.engine.th.ct), 2);
	refuse(&t, INVITE "c=IN IP6 [2001:db8::1]\r\nm=audio 6000 x\r\n", CT_REASON_HELPER_PARSE);
	refuse(&t, INVITE "c=IN IP4 10.0.0.1\r\nm=audio 6000 x\r\n", CT_REASON_HELPER_PARSE);
	assert_int_equal(ct_expect_count(t.engine.th.ct), 0);
	helped_close(&t);
}

/* Ends of what is readable: every message, cut anywhere, is read without a byte too many. */
static void test_every_prefix(void **state)
{
	static const char *const texts[] = {
		INVITE "c=IN IP4 10.0.0.1\r\nm=audio 6000 x\r\nc=IN IP4 10.0.0.1\r\n",
		REGISTER
		"Expires: 9\r\nContact: <sip:a@10.0.0.1:5070;transport=udp>;\r\n expires=60\r\n",
		GRANTED "m\t:\r\n \"x\" <sip:a@10.0.0.1:5070>;expires=1, sip:10.0.0.1:5071\r\n",
		"ACK sip:b SIP/2.0\r\nCSeq: 1 ACK\r\nl: 20\r\n\r\nv=0\r\nc=IN IP6 2001:db8::1\r\n",
	};
	static const uint8_t protos[] = {CT_PROTO_UDP, CT_PROTO_TCP};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		for (size_t n = 0; n <= strlen(texts[i]); n++)
			for (size_t p = 0; p < 4; p++) {
				struct helped t;

				helped_open(&t, CT_HELPER_SIP, p & 2 ? CT_AF_INET6 : CT_AF_INET,
					    protos[p & 1]);
				(void)helped_bytes(&t, CT_DIR_ORIGINAL, texts[i], n);
				assert_int_equal(t.last.timeout_ns, n ? 3600 * SEC : 0);
				(void)helped_bytes(&t, CT_DIR_REPLY, texts[i], n);
				helped_close(&t);
			}
}

static void test_part_copied(void **state)
{
	static const char text[] = INVITE "c=IN IP4 10.0.0.1\r\nm=audio 6000 x\r\n";
	struct helped t;

	helped_open(&t, CT_HELPER_SIP, CT_AF_INET, CT_PROTO_UDP);
	t.cut = 4;
	ask(&t, text);
	assert_int_equal(t.last.timeout_ns, 3600 * SEC);
	/* a beginning that would be dropped if it were the whole */
	t.cut = sizeof(text) - 25;
	ask(&t, text);
	expect(&t, "");
	helped_close(&t);
}

/* --- registrations ------------------------------------------------------------------------- */

static void test_registration(void **state)
{
	struct helped t;

	helped_open(&t, CT_HELPER_SIP, CT_AF_INET, CT_PROTO_UDP);
	ask(&t, REGISTER "Contact: <sip:a@10.0.0.1:5070>;expires=600\r\n\r\n");
	expect(&t, "server>5070 17/0/3/180s");
	answer(&t, "SIP/2.0 100 Trying\r\nCSeq: 5 REGISTER\r\n\r\n");
	answer(&t, "SIP/2.0 200 OK\r\nCSeq: 4 REGISTER\r\n\r\n");
	expect(&t, "server>5070 17/0/3/180s");
	answer(&t, GRANTED "Contact: <sip:a@10.0.0.1:5070>;expires=4294967295\r\n\r\n");
	expect(&t, "server>5070 17/0/1/4294967295s");
	answer(&t, GRANTED "Expires: 60\r\nContact: <sip:a@10.0.0.1:5071>;expires=1, "
			   "<sip:a@10.0.0.1:5070>\r\n\r\n");
	expect(&t, "server>5070 17/0/1/60s");
	/* one contact at a time */
	ask(&t, REGISTER "Contact: <sip:a@10.0.0.1:5072>;expires=600\r\n\r\n");
	expect(&t, "server>5072 17/0/3/180s");
	/* media do not touch it */
	ask(&t, "BYE sip:b SIP/2.0\r\nCSeq: 1 BYE\r\n\r\n");
	expect(&t, "server>5072 17/0/3/180s");
	answer(&t, GRANTED "Contact: <sip:a@10.0.0.1:5072>;expires=0\r\n\r\n");
	expect(&t, "");
	helped_close(&t);
}

/* Answers that end a registration. */
static void test_not_granted(void **state)
{
	static const char *const answers[] = {
		GRANTED "\r\n",
		GRANTED "Contact: <sip:a@10.0.0.1:5071>;expires=60\r\n\r\n",
		GRANTED "Contact: <sip:a@10.0.0.1:5070>\r\n\r\n",
		GRANTED "Contact: <sip:a@10.0.0.1:5070;transport=tcp>;expires=60\r\n\r\n",
		GRANTED
		"Contact: <sip:a@10.0.0.1:9>;expires=60,<sip:10.0.0.2:5070>;expires=60\r\n\r\n",
		"SIP/2.0 302 Moved\r\nCSeq: 5 REGISTER\r\n\r\n",
		"SIP/2.0 999 ?\r\nCSeq: 5 REGISTER\r\n\r\n",
	};

	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		struct helped t;

		helped_open(&t, CT_HELPER_SIP, CT_AF_INET, CT_PROTO_UDP);
		ask(&t, REGISTER "Contact: <sip:a@10.0.0.1:5070>;expires=60\r\n\r\n");
		expect(&t, "server>5070 17/0/3/180s");
		answer(&t, answers[i]);
		expect(&t, "");
		helped_close(&t);
	}
}

static void test_expected_flow_cannot_register(void **state)
{
	struct helped t;

	helped_open(&t, CT_HELPER_SIP, CT_AF_INET, CT_PROTO_UDP);
	t.engine.th.ct->arena.slots[t.master].status |= CT_STATUS_EXPECTED;
	ask(&t, REGISTER "Contact: <sip:a@10.0.0.1:5070>;expires=600\r\n\r\n");
	expect(&t, "");
	helped_close(&t);
}

/* --- several flows ------------------------------------------------------------------------- */

static void test_another_flow_expects_it(void **state)
{
	static const char even[] = INVITE "c=IN IP4 10.0.0.1\r\nm=audio 6000 x\r\n";
	static const char odd[] = "ACK sip:b SIP/2.0\r\nCSeq: 1 ACK\r\nl: 40\r\n\r\n"
				  "v=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 6001 x\r\n";
	struct helped t;
	uint32_t first;

	helped_open(&t, CT_HELPER_SIP, CT_AF_INET, CT_PROTO_UDP);
	ask(&t, even);
	first = change_flow(&t, CT_PROTO_UDP);
	ask(&t, even);
	ask(&t, INVITE "c=IN IP4 10.0.0.1\r\nm=image 6000 x\r\n");
	expect(&t, "");
	assert_int_equal(helped_count(&t), 2);
	/* half of the pair is left: named by its port, it stands for both */
	assert_true(helped_met(&t, 2, 1, 6000));
	ask(&t, odd);
	expect(&t, "");
	/* not over TCP, where the helper is another one */
	change_flow(&t, CT_PROTO_TCP);
	ask(&t, odd);
	expect(&t, "server>6000 17/1/0/180s");
	ct_expect_forget(t.engine.th.ct, first);
	helped_close(&t);
}

/* The pair is expected as a whole or not at all. */
static void test_table_full_in_the_middle(void **state)
{
	struct helped t;
	struct ct_expect_spec other = {.tuple = {.family = CT_AF_INET, .proto = 17},
				       .any_src_id = true,
				       .timeout_ns = SEC};

	helped_open(&t, CT_HELPER_SIP, CT_AF_INET, CT_PROTO_UDP);
	while (ct_expect_count(t.engine.th.ct) + 1 < t.engine.th.ct->expects.max) {
		other.tuple.dst_id_be++;
		assert_int_equal(ct_expect_add(t.engine.th.ct, t.master, &other, 0, t.now_ns),
				 CT_EXPECT_OK);
	}
	refuse(&t,
	       "ACK sip:b SIP/2.0\r\nCSeq: 1 ACK\r\n\r\nv=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 6000 "
	       "x\r\n",
	       CT_REASON_EXPECT_REFUSED);
	assert_int_equal(ct_expect_count(t.engine.th.ct) + 1, t.engine.th.ct->expects.max);
	helped_close(&t);
}

/* --- TCP ----------------------------------------------------------------------------------- */

static void test_segments(void **state)
{
	struct helped t;

	helped_open(&t, CT_HELPER_SIP, CT_AF_INET, CT_PROTO_TCP);
	ask(&t, "INVITE sip:b SIP/2.0\r\nCSeq: 1 INVITE\r\nl: 40\r\n\r\n"
		"v=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 6000 x\r\n"
		"ACK sip:b SIP/2.0\r\nCSeq: 1 ACK\r\nl: 40\r\n\r\n"
		"v=0\r\nc=IN IP4 10.0.0.1\r\nm=video 6100 x\r\n"
		"ACK sip:b SIP/2.0\r\nCSeq: 1 ACK\r\nl: 41\r\n\r\n"
		"v=0\r\nc=IN IP4 10.0.0.1\r\nm=image 6200 x\r\n");
	expect(&t, "server>6101 17/2/0/180s, server>6100 17/2/0/180s, "
		   "server>6001 17/1/0/180s, server>6000 17/1/0/180s");
	/* what was read before the message that cannot be read stays so */
	refuse(&t,
	       "BYE sip:b SIP/2.0\r\nCSeq: 1 BYE\r\nl: 0\r\n\r\n"
	       "ACK sip:b SIP/2.0\r\nl: 0\r\n\r\n",
	       CT_REASON_HELPER_PARSE);
	expect(&t, "");
	/* data while the connection is being opened or closed mean nothing */
	assert_int_equal(helped_info(&t, CT_INFO_NEW, INVITE, strlen(INVITE)), CT_HELP_ACCEPT);
	assert_int_equal(t.last.timeout_ns, 0);
	helped_close(&t);
}

/* --- cost ---------------------------------------------------------------------------------- */

struct hostile {
	uint8_t proto;
	const char *head, *unit, *tail;
	char filler; /* an @ and these are the second half */
};

/* Payloads as long as they get, made of one thing many times. */
static const struct hostile hostile[] = {
	/* header lines, empty lines, folded lines, names */
	{CT_PROTO_UDP, "INVITE sip:b SIP/2.0\r\n", "X:\r\n", "\r\nCSeq: 1\r\n\r\n"},
	{CT_PROTO_UDP, "INVITE sip:b SIP/2.0", "\r\n", ""},
	{CT_PROTO_UDP, "INVITE sip:b SIP/2.0\r\nCSeq", "\r\n ", ""},
	{CT_PROTO_UDP, "SIP/2.0 200 OK\r\nCSeq: 0 REGISTER\r\nContact: x", "\r\n ", "sip:a"},
	{CT_PROTO_UDP, "SIP/2.0 200 OK\r\nCSeq: 0 REGISTER", "\r\nm:\r\n x", ""},
	/* URIs without a host in one line; with the same host that is none */
	{CT_PROTO_UDP, "SIP/2.0 200 OK\r\nCSeq: 0 REGISTER\r\nContact: sip:1.1.1.1\r\n ", ",sip:a",
	 "\r\n"},
	{CT_PROTO_UDP, "SIP/2.0 200 OK\r\nCSeq: 0 REGISTER\r\nContact: sip:1.1.1.1\r\n ", ",sip:a",
	 "@1.1.1."},
	{CT_PROTO_UDP, "SIP/2.0 200 OK\r\nCSeq: 0 REGISTER\r\nContact: sip:1.1.1.1\r\n ",
	 ",sip:a@0", ""},
	{CT_PROTO_UDP, "SIP/2.0 200 OK\r\nCSeq: 0 REGISTER\r\nContact: sip:1.1.1.1\r\n ",
	 ",sip:", "\r\n", '0'},
	/* contacts of this phone, and what belongs to them */
	{CT_PROTO_UDP, "SIP/2.0 200 OK\r\nCSeq: 0 REGISTER\r\nm: sip:10.0.0.1 ;expires=1",
	 ",sip:10.0.0.1;expires=1", "\r\n"},
	{CT_PROTO_UDP, "SIP/2.0 200 OK\r\nExpires: 1\r\nCSeq: 0 REGISTER", "\r\nm:sip:10.0.0.1",
	 "\r\n"},
	{CT_PROTO_UDP, "REGISTER sip:b SIP/2.0\r\nCSeq: 1 R\r\nm: sip:10.0.0.1;expires=", "0",
	 "\r\n"},
	/* media that are not in use, numbers, addresses */
	{CT_PROTO_UDP, INVITE "c=IN IP4 10.0.0.1", "\r\nm=audio 0 x", ""},
	{CT_PROTO_UDP, INVITE "c=IN IP4 10.0.0.1", "\nm=a 1", ""},
	{CT_PROTO_UDP, INVITE "m=audio 6000", "\nc=", ""},
	{CT_PROTO_UDP, INVITE "m=audio ", "0", "6000"},
	{CT_PROTO_UDP, INVITE "c=IN IP4 ", "0", "10.0.0.1"},
	{CT_PROTO_UDP, INVITE "c=", "IN IP4", " "},
	/* messages in a segment; lengths without an end */
	{CT_PROTO_TCP, "INVITE sip:b SIP/2.0", "\nl:0\r\n\r\n", ""},
	{CT_PROTO_TCP, "INVITE sip:b SIP/2.0", "\nl:0", ""},
	{CT_PROTO_TCP, "INVITE sip:b SIP/2.0\nl:", "0", "\r\n\r\n"},
	{CT_PROTO_TCP, "", "ACK sip:b SIP/2.0\nCSeq: 1\nl:0\r\n\r\n", ""},
	{CT_PROTO_TCP, "INVITE sip:b SIP/2.0\nl: 4294967295", "\r\n\r", ""},
};

static size_t fill(const struct hostile *h, uint8_t *bytes, size_t size)
{
	size_t head = strlen(h->head), unit = strlen(h->unit), tail = strlen(h->tail), n = head;
	size_t end = size - tail;

	memcpy(bytes, h->head, head);
	for (; n + unit <= (h->filler ? end / 2 : end); n += unit)
		memcpy(bytes + n, h->unit, unit);
	if (h->filler) {
		bytes[n++] = '@';
		memset(bytes + n, h->filler, end - n);
		n = end;
	}
	memcpy(bytes + n, h->tail, tail);
	return n + tail;
}

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * SEC + (uint64_t)ts.tv_nsec;
}

/* What the message in a size costs: the processor's time, the least of three tries. */
static uint64_t cost(const struct hostile *h, size_t size)
{
	static uint8_t bytes[MAX_BYTES];
	size_t n = fill(h, bytes, size);
	uint64_t least = UINT64_MAX;
	struct helped t;

	helped_open(&t, CT_HELPER_SIP, CT_AF_INET, h->proto);
	for (int tries = 0; tries < 3; tries++) {
		uint64_t start = cpu_ns(), took;

		(void)helped_bytes(&t, CT_DIR_REPLY, bytes, n);
		(void)helped_bytes(&t, CT_DIR_ORIGINAL, bytes, n);
		took = cpu_ns() - start;
		least = took < least ? took : least;
	}
	helped_close(&t);
	return least;
}

/*
 * Linear work on 64 KB takes eight times as long as on 8 KB, quadratic work 64 times. What takes no
 * more than a few milliseconds is not worth a question.
 */
static void test_cost(void **state)
{
	for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
		uint64_t part = cost(&hostile[i], MAX_BYTES / 8);
		uint64_t whole = cost(&hostile[i], MAX_BYTES);

		if (whole > 24 * part + 5 * MSEC)
			fail_msg("%s%s...: %u us, an eighth of it %u us", hostile[i].head,
				 hostile[i].unit, (unsigned int)(whole / 1000),
				 (unsigned int)(part / 1000));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_media),
		cmocka_unit_test(test_media_ipv6),
		cmocka_unit_test(test_every_prefix),
		cmocka_unit_test(test_part_copied),
		cmocka_unit_test(test_registration),
		cmocka_unit_test(test_not_granted),
		cmocka_unit_test(test_expected_flow_cannot_register),
		cmocka_unit_test(test_another_flow_expects_it),
		cmocka_unit_test(test_table_full_in_the_middle),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
