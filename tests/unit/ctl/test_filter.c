/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/filter.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "util/cleanup.h"

static bool read_text(const char *text, struct ctl_filter *ret, struct ctl_complaint *c)
{
	json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
	bool good;

	assert_non_null(json);
	good = ctl_filter_read(ret, json, c);
	json_decref(json);
	return good;
}

static struct ct_view tcp_flow(void)
{
	struct ct_view v = {.flow = 0xab,
			    .master = 7,
			    .status = CT_STATUS_SEEN_REPLY | CT_STATUS_CONFIRMED,
			    .state = 3,
			    .helper = CT_HELPER_FTP};

	v.orig = (struct ct_tuple){.src_id_be = htons(1024),
				   .dst_id_be = htons(80),
				   .family = CT_AF_INET,
				   .proto = 6,
				   .zone = 5};
	inet_pton(AF_INET, "10.1.2.3", v.orig.src.b);
	inet_pton(AF_INET, "10.9.8.7", v.orig.dst.b);
	v.reply = v.orig;
	v.reply.src = v.orig.dst;
	v.reply.dst = v.orig.src;
	return v;
}

static void test_match(void **state)
{
	static const struct {
		const char *text;
		bool matches;
	} cases[] = {
		{"{}", true},
		{"null", true},
		{"{\"flow\":\"00000000000000ab\"}", true},
		{"{\"flow\":\"00000000000000AC\"}", false},
		{"{\"src\":\"10.1.2.3\"}", true},
		{"{\"src\":\"10.1.2.255/24\"}", true},
		{"{\"src\":\"10.1.3.0/23\"}", true},
		{"{\"src\":\"0.0.0.0/0\"}", true},
		{"{\"src\":\"10.1.2.2\"}", false},
		{"{\"src\":\"::/0\"}", false},
		{"{\"reply_src\":\"10.9.8.7\",\"reply_dst\":\"10.1.0.0/16\"}", true},
		{"{\"reply_src\":\"10.1.2.3\"}", false},
		{"{\"sport\":\"1024\",\"dport\":\"1-80\"}", true},
		{"{\"dport\":\"81-65535\"}", false},
		{"{\"proto\":\"tcp\"}", true},
		{"{\"proto\":\"6\"}", true},
		{"{\"proto\":\"icmp6\"}", false},
		{"{\"icmp_type\":0}", false},
		{"{\"state\":[\"SYN_SENT\",\"ESTABLISHED\"]}", true},
		{"{\"state\":[\"COOKIE_WAIT\"]}", false},
		{"{\"status\":[\"SEEN_REPLY\",\"CONFIRMED\"]}", true},
		{"{\"status\":[\"SEEN_REPLY\",\"ASSURED\"]}", false},
		{"{\"status\":[\"UNREPLIED\"]}", false},
		{"{\"helper\":\"ftp\",\"zone\":5,\"master\":\"0000000000000007\"}", true},
		{"{\"zone\":0}", false},
		{"{\"zone\":null,\"family\":\"ipv4\"}", true},
	};
	const struct ct_view v = tcp_flow();
	struct ctl_complaint why;
	struct ctl_filter f;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(read_text(cases[i].text, &f, &why));
		if (ctl_filter_view(&f, &v) != cases[i].matches)
			fail_msg("%s", cases[i].text);
	}
}

/* A transition is judged by its flow; a packet without one by what is known of it. */
static void test_events(void **state)
{
	const struct ct_view v = tcp_flow();
	struct ct_event ev = {.flow = v.flow,
			      .orig = v.orig,
			      .reply = v.reply,
			      .status = v.status,
			      .state_new = 3,
			      .has_tuple = true};
	struct ctl_complaint why;
	struct ctl_filter f;

	assert_true(read_text("{\"state\":[\"ESTABLISHED\"],\"dport\":\"80\"}", &f, &why));
	assert_true(ctl_filter_event(&f, &ev));
	ev.flow = 0;
	assert_false(ctl_filter_event(&f, &ev));
	assert_true(read_text("{\"dport\":\"80\",\"proto\":\"tcp\"}", &f, &why));
	assert_true(ctl_filter_event(&f, &ev));
	ev.has_tuple = false;
	assert_false(ctl_filter_event(&f, &ev));
	ev.l4proto = 6;
	assert_true(read_text("{\"proto\":\"tcp\"}", &f, &why));
	assert_true(ctl_filter_event(&f, &ev));
}

static void test_bad(void **state)
{
	static const char *const cases[][3] = {
		{"[]", "filter", ""},
		{"{\"srcs\":\"x\"}", "srcs", "x"},
		{"{\"src\":\"10.0.0\"}", "src", "10.0.0"},
		{"{\"src\":7}", "src", "7"},
		{"{\"src\":\"10.0.0.0/\"}", "src", "10.0.0.0/"},
		{"{\"src\":\"10.0.0.0/33\"}", "src", "10.0.0.0/33"},
		{"{\"src\":\"10.0.0.0/-1\"}", "src", "10.0.0.0/-1"},
		{"{\"dst\":\"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa\"}", "dst",
		 "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa"},
		{"{\"sport\":\"\"}", "sport", ""},
		{"{\"sport\":\"1-\"}", "sport", "1-"},
		{"{\"sport\":\"99999999999999999999\"}", "sport", "99999999999999999999"},
		{"{\"icmp_type\":\"8\"}", "icmp_type", "8"},
		{"{\"icmp_type\":-1}", "icmp_type", "-1"},
		{"{\"zone\":65536}", "zone", "65536"},
		{"{\"state\":\"ESTABLISHED\"}", "state", "ESTABLISHED"},
		{"{\"state\":[\"ESTABLISHED\",\"x\"]}", "state", "x"},
		{"{\"status\":[1]}", "status", "[1]"},
		{"{\"status\":[]}", "status", "[]"},
		{"{\"flow\":\"ab\"}", "flow", "ab"},
		{"{\"master\":\"0000000000000000\"}", "master", "0000000000000000"},
		{"{\"helper\":\"\"}", "helper", ""},
		{"{\"family\":\"\"}", "family", ""},
		{"{\"proto\":\"0x6\"}", "proto", "0x6"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *json = json_loads(cases[i][0], JSON_DECODE_ANY, NULL);
		struct ctl_complaint c = {};
		struct ctl_filter f;

		assert_false(ctl_filter_read(&f, json, &c));
		assert_string_equal(c.condition, cases[i][1]);
		assert_string_equal(c.value, cases[i][2]);
		assert_true(c.why && *c.why);
		json_decref(json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests_name("ctl/filter", tests, NULL, NULL);
}
