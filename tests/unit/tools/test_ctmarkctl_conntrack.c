/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Lines in the layout of conntrack(8). */

#include "tools/ctmarkctl/conntrack.h"
#include "util/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct conntrack_layout plain = {.wanted = true};

static void assert_line(const char *flow, const struct conntrack_layout *layout, const char *want)
{
	json_t *value = json_loads(flow, 0, NULL);
	char buf[CONNTRACK_LINE_MAX];

	assert_non_null(value);
	assert_string_equal(conntrack_line(value, layout, buf), want);
	json_decref(value);
}

static void tcp(void **state)
{
	assert_line("{\"flow\":\"00000000000000ff\",\"family\":\"ipv4\",\"proto\":\"tcp\","
		    "\"protonum\":6,\"src\":\"10.0.0.1\",\"dst\":\"10.0.0.2\",\"sport\":1000,"
		    "\"dport\":80,\"state\":\"ESTABLISHED\",\"timeout\":431999,"
		    "\"status\":[\"SEEN_REPLY\",\"ASSURED\",\"CONFIRMED\"],\"packets_orig\":3,"
		    "\"bytes_orig\":180,\"packets_reply\":2,\"bytes_reply\":120}",
		    &plain,
		    "tcp      6 431999 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1000 dport=80 "
		    "packets=3 bytes=180 src=10.0.0.2 dst=10.0.0.1 sport=80 dport=1000 packets=2 "
		    "bytes=120 [ASSURED] mark=0 use=1");
}

static void unreplied_without_accounting(void **state)
{
	assert_line("{\"proto\":\"udp\",\"protonum\":17,\"src\":\"10.0.0.1\",\"dst\":\"10.0.0.2\","
		    "\"sport\":0,\"dport\":53,\"timeout\":29,\"status\":[\"CONFIRMED\"]}",
		    &plain,
		    "udp      17 29 src=10.0.0.1 dst=10.0.0.2 sport=0 dport=53 [UNREPLIED] "
		    "src=10.0.0.2 dst=10.0.0.1 sport=53 dport=0 mark=0 use=1");
}

static void icmp(void **state)
{
	assert_line("{\"proto\":\"icmp\",\"protonum\":1,\"src\":\"10.0.0.1\",\"dst\":\"10.0.0.2\","
		    "\"icmp_type\":8,\"icmp_code\":0,\"icmp_id\":77,\"timeout\":29,"
		    "\"status\":[\"SEEN_REPLY\"]}",
		    &plain,
		    "icmp     1 29 src=10.0.0.1 dst=10.0.0.2 type=8 code=0 id=77 src=10.0.0.2 "
		    "dst=10.0.0.1 type=0 code=0 id=77 mark=0 use=1");
	assert_line("{\"proto\":\"icmpv6\",\"protonum\":58,\"src\":\"fe80::1\",\"dst\":\"fe80::2\","
		    "\"icmp_type\":128,\"icmp_code\":0,\"icmp_id\":77,\"timeout\":29,"
		    "\"status\":[\"SEEN_REPLY\"]}",
		    &plain,
		    "icmpv6   58 29 src=fe80::1 dst=fe80::2 type=128 code=0 id=77 src=fe80::2 "
		    "dst=fe80::1 type=129 code=0 id=77 mark=0 use=1");
}

static void protocols_without_ports(void **state)
{
	assert_line("{\"proto\":\"253\",\"protonum\":253,\"src\":\"10.0.0.1\","
		    "\"dst\":\"10.0.0.2\",\"timeout\":599,\"status\":[]}",
		    &plain,
		    "unknown  253 599 src=10.0.0.1 dst=10.0.0.2 [UNREPLIED] src=10.0.0.2 "
		    "dst=10.0.0.1 mark=0 use=1");
	assert_line("{\"proto\":\"gre\",\"protonum\":47,\"src\":\"10.0.0.1\",\"dst\":\"10.0.0.2\","
		    "\"sport\":16,\"dport\":255,\"timeout\":9,\"status\":[\"SEEN_REPLY\"]}",
		    &plain,
		    "gre      47 9 src=10.0.0.1 dst=10.0.0.2 srckey=0x10 dstkey=0xff src=10.0.0.2 "
		    "dst=10.0.0.1 srckey=0xff dstkey=0x10 mark=0 use=1");
}

static void all_that_may_be_there(void **state)
{
	static const struct conntrack_layout all = {.wanted = true, .extended = true, .id = true};

	assert_line("{\"flow\":\"00000000000000ff\",\"family\":\"ipv6\",\"proto\":\"tcp\","
		    "\"protonum\":6,\"src\":\"2001:db8::1\",\"dst\":\"2001:db8::2\",\"sport\":1,"
		    "\"dport\":21,\"reply_src\":\"2001:db8::9\",\"reply_dst\":\"2001:db8::1\","
		    "\"reply_sport\":2121,\"reply_dport\":1,\"state\":\"SYN_SENT\",\"timeout\":5,"
		    "\"status\":[],\"zone\":3,\"helper\":\"ftp\"}",
		    &all,
		    "ipv6     10 tcp      6 5 SYN_SENT src=2001:db8::1 dst=2001:db8::2 sport=1 "
		    "dport=21 [UNREPLIED] src=2001:db8::9 dst=2001:db8::1 sport=2121 dport=1 "
		    "mark=0 zone=3 use=1 id=0x00000000000000ff helper=ftp");
}

static void nothing_of_it_controls_a_terminal(void **state)
{
	assert_line("{\"proto\":\"tcp\",\"src\":\"\\u001b[2J\",\"dst\":7,\"state\":\"A\\nB\","
		    "\"status\":\"x\"}",
		    &plain, "tcp      6 A?B src=?[2J dst= [UNREPLIED] src= dst=?[2J mark=0 use=1");
}

static void a_long_value_is_cut(void **state)
{
	char text[3 * CONNTRACK_LINE_MAX], buf[CONNTRACK_LINE_MAX];
	json_t *flow;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	flow = json_pack("{s:s}", "src", text);
	conntrack_line(flow, &plain, buf);
	assert_int_equal(strlen(buf), sizeof(buf) - 1);
	json_decref(flow);
}

static void words_of_the_option(void **state)
{
	struct conntrack_layout layout;

	assert_true(conntrack_read_layout(NULL, &layout));
	assert_false(layout.wanted);
	assert_true(conntrack_read_layout("conntrack", &layout));
	assert_true(layout.wanted && !layout.id && !layout.extended);
	assert_true(conntrack_read_layout("extended,id", &layout));
	assert_true(layout.wanted && layout.id && layout.extended);
	assert_false(conntrack_read_layout("xml", &layout));
}

static void expectation(void **state)
{
	json_t *e = json_pack("{s:s, s:s, s:s, s:i, s:i, s:s, s:s, s:b, s:b}", "family", "ipv4",
			      "proto", "tcp", "dst", "10.0.0.2", "dport", 35000, "timeout", 297,
			      "master", "0000000000000001", "helper", "ftp", "permanent", 1,
			      "inactive", 0);
	char buf[CONNTRACK_LINE_MAX];

	assert_string_equal(conntrack_expect_line(e, buf),
			    "297 proto=6 src=0.0.0.0 dst=10.0.0.2 sport=0 dport=35000 "
			    "mask-src=0.0.0.0 mask-dst=255.255.255.255 sport=0 dport=65535 "
			    "master-id=0x0000000000000001 PERMANENT class=0 helper=ftp");
	json_decref(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp),
		cmocka_unit_test(unreplied_without_accounting),
		cmocka_unit_test(icmp),
		cmocka_unit_test(protocols_without_ports),
		cmocka_unit_test(all_that_may_be_there),
		cmocka_unit_test(nothing_of_it_controls_a_terminal),
		cmocka_unit_test(a_long_value_is_cut),
		cmocka_unit_test(words_of_the_option),
		cmocka_unit_test(expectation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
