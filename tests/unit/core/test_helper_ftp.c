/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The FTP helper where packet scripts do not reach: what is copied in part, long segments. */

#include "helped.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define CLIENT CT_DIR_ORIGINAL
#define SERVER CT_DIR_REPLY
#define LONG   65000

static void start(struct helped *h, int family)
{
	helped_open(h, CT_HELPER_FTP, family, CT_PROTO_TCP);
	assert_int_equal(helped_text(h, SERVER, "220 ready\r\n"), CT_HELP_ACCEPT);
	assert_int_equal(helped_text(h, CLIENT, "USER x\r\n"), CT_HELP_ACCEPT);
}

static void test_both_families(void **state)
{
	struct helped h;

	start(&h, CT_AF_INET);
	assert_int_equal(helped_text(&h, CLIENT, "PORT 10,0,0,1,4,1\r\n"), CT_HELP_ACCEPT);
	assert_int_equal(helped_count(&h), 1);
	assert_false(helped_met(&h, 3, 1, 1025));
	assert_true(helped_met(&h, 2, 1, 1025));
	helped_close(&h);
	start(&h, CT_AF_INET6);
	assert_int_equal(helped_text(&h, SERVER, "229 (|||1025|)\r\n"), CT_HELP_ACCEPT);
	assert_false(helped_met(&h, 2, 1, 1025));
	assert_true(helped_met(&h, 1, 2, 1025));
	helped_close(&h);
}

static void test_why_dropped(void **state)
{
	struct helped h;

	start(&h, CT_AF_INET);
	assert_int_equal(helped_text(&h, CLIENT, "PORT 10,0,0"), CT_HELP_DROP);
	assert_int_equal(h.last.reason, CT_REASON_HELPER_PARSE);
	assert_int_equal(h.last.detail[0], CT_HELPER_FTP);
	assert_int_equal(h.last.detail[1], 11);
	assert_int_equal(helped_count(&h), 0);
	helped_close(&h);
}

/* Other kinds of packets teach nothing either. */
static void test_other_infos(void **state)
{
	static const char line[] = "NOOP\r\n", port[] = "PORT 10,0,0,1,4,1\r\n";
	static const enum ct_info infos[] = {CT_INFO_NEW, CT_INFO_RELATED};
	struct helped h;

	for (size_t i = 0; i < 2; i++) {
		helped_open(&h, CT_HELPER_FTP, CT_AF_INET, CT_PROTO_TCP);
		assert_int_equal(helped_info(&h, infos[i], line, strlen(line)), CT_HELP_ACCEPT);
		assert_int_equal(helped_text(&h, CLIENT, port), CT_HELP_ACCEPT);
		assert_int_equal(helped_count(&h), 0);
		helped_close(&h);
	}
}

/* A copy that lacks the end says nothing of lines, and nothing is dropped for what is not there. */
static void test_copied_in_part(void **state)
{
	struct helped h;

	start(&h, CT_AF_INET);
	h.cut = 2;
	assert_int_equal(helped_text(&h, CLIENT, "PORT 10,0,0,1,4,1\r\n"), CT_HELP_ACCEPT);
	assert_int_equal(helped_count(&h), 0);
	h.cut = 0;
	assert_int_equal(helped_text(&h, CLIENT, "PORT 10,0,0,1,4,1\r\n"), CT_HELP_ACCEPT);
	assert_int_equal(helped_count(&h), 0);
	h.cut = 1;
	assert_int_equal(helped_text(&h, CLIENT, "PORT 10,0,0,1,4,1\r\n"), CT_HELP_ACCEPT);
	assert_int_equal(helped_count(&h), 1);
	h.cut = 100;
	assert_int_equal(helped_text(&h, CLIENT, "PORT 10,0,0,1,4,2\r\n"), CT_HELP_ACCEPT);
	assert_int_equal(helped_count(&h), 1);
	helped_close(&h);
}

static void test_empty(void **state)
{
	struct helped h;

	start(&h, CT_AF_INET);
	assert_int_equal(helped_text(&h, CLIENT, ""), CT_HELP_ACCEPT);
	assert_int_equal(helped_text(&h, SERVER, ""), CT_HELP_ACCEPT);
	assert_int_equal(helped_text(&h, CLIENT, "\n"), CT_HELP_ACCEPT);
	helped_close(&h);
}

/* A segment of the client's or the server's, through the engine; more: the first of fragments. */
static struct ct_result segment(struct engine *e, enum ct_dir dir, uint8_t flags, uint32_t seq,
				const char *text, bool more)
{
	uint8_t tcp[200] = {0};
	size_t n = strlen(text);
	struct pk p;

	pk_tcp(&p, CT_AF_INET, dir == CLIENT ? 1 : 2, dir == CLIENT ? 2 : 1,
	       dir == CLIENT ? 40000 : 21, dir == CLIENT ? 21 : 40000, flags, seq,
	       dir == CLIENT ? 5001 : 1001);
	memcpy(tcp, p.b + p.l4, 20);
	memcpy(tcp + 20, text, n);
	pk_ip(&p, CT_AF_INET, dir == CLIENT ? 1 : 2, dir == CLIENT ? 2 : 1, CT_PROTO_TCP, tcp,
	      20 + n);
	pk_fix_checksum(&p, 16);
	p.b[6] = more ? 0x20 : 0;
	return engine_track(e, &p, SEC);
}

/* The rest of a command may be in the fragments to come. */
static void test_first_fragment(void **state)
{
	struct engine e;
	struct ct_result res;

	engine_open(&e, 8);
	e.cfg.nhelper_ports = 1;
	e.cfg.helper_ports[0] = (struct ct_helper_port){.port = 21, .helper = CT_HELPER_FTP};
	segment(&e, CLIENT, PK_SYN, 1000, "", false);
	segment(&e, SERVER, PK_SYN | PK_ACK, 5000, "", false);
	segment(&e, CLIENT, PK_ACK, 1001, "NOOP\r\n", false);
	res = segment(&e, CLIENT, PK_ACK, 1007, "PORT 10,0,0,1,4,", true);
	assert_int_equal(res.info, CT_INFO_ESTABLISHED);
	assert_false(res.drop);
	res = segment(&e, CLIENT, PK_ACK, 1007, "PORT 10,0,0,1,4,", false);
	assert_true(res.drop);
	assert_int_equal(res.reason, CT_REASON_HELPER_PARSE);
	assert_int_equal(ct_expect_count(e.th.ct), 0);
	res = segment(&e, CLIENT, PK_ACK, 1007, "PORT 10,0,0,1,4,1\r\n", true);
	assert_false(res.drop);
	assert_int_equal(ct_expect_count(e.th.ct), 1);
	engine_close(&e);
}

/* As long as a packet can be: numbers and words that do not end. */
static void test_long(void **state)
{
	static const struct {
		const char *head;
		char fill;
		enum ct_help_result result;
	} cases[] = {
		{"PORT ", '1', CT_HELP_DROP},
		{"PORT ", ',', CT_HELP_DROP},
		{"PORT ", ' ', CT_HELP_DROP},
		{"PORT", 'x', CT_HELP_DROP},
		{"EPRT |1|", '1', CT_HELP_DROP},
		{"EPRT |1|", '.', CT_HELP_DROP},
		{"EPRT |1|1.1.1.1|", '0', CT_HELP_DROP},
		{"STOR ", 'x', CT_HELP_ACCEPT},
	};
	char *text = malloc(LONG);
	struct helped h;

	assert_non_null(text);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start(&h, CT_AF_INET);
		memset(text, cases[i].fill, LONG);
		memcpy(text, cases[i].head, strlen(cases[i].head));
		assert_int_equal(helped_bytes(&h, CLIENT, text, LONG), cases[i].result);
		assert_int_equal(helped_count(&h), 0);
		helped_close(&h);
	}
	start(&h, CT_AF_INET6);
	memset(text, '0', LONG);
	memcpy(text, "EPRT |2|", 8);
	memcpy(text + LONG - 14, "1::9|51201|\r\n", 13);
	assert_int_equal(helped_bytes(&h, CLIENT, text, LONG - 1), CT_HELP_ACCEPT);
	free(text);
	helped_close(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_families), cmocka_unit_test(test_why_dropped),
		cmocka_unit_test(test_other_infos),   cmocka_unit_test(test_copied_in_part),
		cmocka_unit_test(test_empty),	      cmocka_unit_test(test_first_fragment),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests_name("helper ftp", tests, NULL, NULL);
}
