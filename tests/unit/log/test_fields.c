/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "log/fields.h"
#include "log/msgid.h"
#include "util/cleanup.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define FLOW UINT64_C(0x0123456789abcdef)

/* ---- events ---- */

static struct ct_tuple tuple(int family, uint8_t proto, const char *src, uint16_t src_id,
			     const char *dst, uint16_t dst_id)
{
	struct ct_tuple t = {.family = (uint8_t)family, .proto = proto};

	assert_int_equal(inet_pton(family, src, &t.src), 1);
	assert_int_equal(inet_pton(family, dst, &t.dst), 1);
	t.src_id_be = htons(src_id);
	t.dst_id_be = htons(dst_id);
	return t;
}

static struct ct_tuple turned(const struct ct_tuple *t)
{
	return (struct ct_tuple){.src = t->dst,
				 .dst = t->src,
				 .src_id_be = t->dst_id_be,
				 .dst_id_be = t->src_id_be,
				 .family = t->family,
				 .proto = t->proto};
}

static struct ct_event flow_event(enum ct_event_type type, struct ct_tuple orig)
{
	return (struct ct_event){
		.type = type,
		.flow = FLOW,
		.orig = orig,
		.reply = turned(&orig),
		.has_tuple = true,
		.family = orig.family,
		.l4proto = orig.proto,
		.hook = CT_HOOK_PREROUTING,
		.info = CT_INFO_NEW,
		.mark = 0xa,
		.timeout_ns = UINT64_C(120999999999),
		.queue = 3,
		.iif = 2,
	};
}

static struct ct_event tcp_event(enum ct_event_type type)
{
	return flow_event(type, tuple(AF_INET, 6, "10.0.1.2", 41000, "10.0.2.2", 80));
}

/* An answer of the other side: SYN_SENT > SYN_RECV. */
static struct ct_event tcp_answer(enum ct_event_type type)
{
	struct ct_event ev = tcp_event(type);

	ev.dir = CT_DIR_REPLY;
	ev.info = CT_INFO_ESTABLISHED_REPLY;
	ev.mark = 0xb;
	ev.status = CT_STATUS_SEEN_REPLY | CT_STATUS_CONFIRMED;
	ev.state_old = 1;
	ev.state_new = 2;
	return ev;
}

/* ---- looking at records ---- */

static const char *value(const struct fields *f, const char *name)
{
	static char buf[FIELDS_SCRATCH];
	size_t len = strlen(name);

	for (unsigned int i = 0; i < f->n; i++) {
		const char *field = f->iov[i].iov_base;

		if (f->iov[i].iov_len > len && memcmp(field, name, len) == 0 && field[len] == '=') {
			snprintf(buf, sizeof(buf), "%.*s", (int)(f->iov[i].iov_len - len - 1),
				 field + len + 1);
			return buf;
		}
	}
	return "(absent)";
}

struct expect {
	const char *name, *value;
};

#define ABSENT "(absent)"

static void assert_fields(const struct fields *f, const struct expect *e, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(value(f, e[i].name), e[i].value) != 0)
			fail_msg("%s is %s, not %s", e[i].name, value(f, e[i].name), e[i].value);
	}
}

#define ASSERT_FIELDS(f, ...)                                                                      \
	assert_fields(f, (const struct expect[]){__VA_ARGS__},                                     \
		      ARRAY_SIZE(((const struct expect[]){__VA_ARGS__})))

/* What holds for every record: each field once, printable, not empty. */
static void assert_sound(const struct fields *f)
{
	uint64_t seen = 0;

	_Static_assert(FIELD_MAX <= 64, "one bit for each field");
	for (unsigned int i = 0; i < f->n; i++) {
		const char *field = f->iov[i].iov_base;
		const char *eq = memchr(field, '=', f->iov[i].iov_len);

		assert_non_null(eq);
		assert_true(field + f->iov[i].iov_len > eq + 1);
		assert_false(seen & (UINT64_C(1) << f->id[i]));
		seen |= UINT64_C(1) << f->id[i];
		for (size_t c = 0; c < f->iov[i].iov_len; c++)
			assert_in_range(field[c], ' ', '~');
	}
}

static struct fields *record(const struct ct_event *ev, const char *iif, const char *oif)
{
	static struct fields f;

	fields_from_event(&f, ev, iif, oif);
	assert_sound(&f);
	return &f;
}

/* ---- flows ---- */

static void test_new(void **state)
{
	struct ct_event ev = tcp_event(CT_EVENT_NEW);

	ev.state_new = 1;
	ev.status = CT_STATUS_CONFIRMED;
	ASSERT_FIELDS(
		record(&ev, "veth0", NULL),
		{"MESSAGE", "TCP 10.0.1.2:41000 > 10.0.2.2:80: new flow, SYN_SENT"},
		{"MESSAGE_ID", MSGID_FLOW_NEW}, {"PRIORITY", "6"}, {"SYSLOG_IDENTIFIER", "ctmarkd"},
		{"CTMARK_EVENT", "new"}, {"CTMARK_FLOW", "0123456789abcdef"},
		{"CTMARK_FAMILY", "ipv4"}, {"CTMARK_PROTO", "tcp"}, {"CTMARK_SRC", "10.0.1.2"},
		{"CTMARK_DST", "10.0.2.2"}, {"CTMARK_SPORT", "41000"}, {"CTMARK_DPORT", "80"},
		{"CTMARK_ICMP_TYPE", ABSENT}, {"CTMARK_REPLY_SRC", ABSENT},
		{"CTMARK_REPLY_SPORT", ABSENT}, {"CTMARK_CTINFO", "NEW"},
		{"CTMARK_DIR", "original"}, {"CTMARK_STATUS", "CONFIRMED"},
		{"CTMARK_STATE_OLD", "NONE"}, {"CTMARK_STATE_NEW", "SYN_SENT"},
		{"CTMARK_REASON", ABSENT}, {"CTMARK_DETAIL", ABSENT}, {"CTMARK_TIMEOUT", "120"},
		{"CTMARK_MARK", "0xa"}, {"CTMARK_QUEUE", "3"}, {"CTMARK_HOOK", "PREROUTING"},
		{"CTMARK_IIF", "veth0"}, {"CTMARK_OIF", ABSENT}, {"CTMARK_PACKETS_ORIG", ABSENT},
		{"CTMARK_BYTES_REPLY", ABSENT}, {"CTMARK_MASTER", ABSENT}, {"ERRNO", ABSENT});
}

static void test_state(void **state)
{
	struct ct_event ev = tcp_answer(CT_EVENT_STATE);
	char line[FIELDS_LINE_MAX];
	struct fields *f;
	size_t len;

	ev.oif = 7;
	ev.accounted = true;
	ev.packets[0] = ev.packets[1] = 1;
	ev.bytes[0] = 60;
	ev.bytes[1] = UINT64_MAX;
	f = record(&ev, NULL, "veth1");
	ASSERT_FIELDS(
		f, {"MESSAGE", "TCP 10.0.1.2:41000 > 10.0.2.2:80: SYN_SENT > SYN_RECV (reply)"},
		{"MESSAGE_ID", MSGID_FLOW_STATE}, {"CTMARK_EVENT", "state"},
		{"CTMARK_STATE_OLD", "SYN_SENT"}, {"CTMARK_STATE_NEW", "SYN_RECV"},
		{"CTMARK_CTINFO", "ESTABLISHED_REPLY"}, {"CTMARK_DIR", "reply"},
		{"CTMARK_STATUS", "SEEN_REPLY,CONFIRMED"}, {"CTMARK_IIF", "2"},
		{"CTMARK_OIF", "veth1"}, {"CTMARK_PACKETS_ORIG", "1"}, {"CTMARK_BYTES_ORIG", "60"},
		{"CTMARK_PACKETS_REPLY", "1"}, {"CTMARK_BYTES_REPLY", "18446744073709551615"});

	len = fields_to_line(f, line);
	assert_int_equal(len, strlen(line));
	assert_string_equal(line, "event=state flow=0123456789abcdef proto=tcp src=10.0.1.2 "
				  "sport=41000 dst=10.0.2.2 dport=80 state=SYN_SENT>SYN_RECV "
				  "status=SEEN_REPLY,CONFIRMED ctinfo=ESTABLISHED_REPLY mark=0xb "
				  "dir=reply timeout=120 queue=3 hook=PREROUTING iif=2 oif=veth1 "
				  "packets_orig=1 bytes_orig=60 packets_reply=1 "
				  "bytes_reply=18446744073709551615 family=ipv4\n");
}

static void test_reply_udp6(void **state)
{
	struct ct_event ev =
		flow_event(CT_EVENT_REPLY, tuple(AF_INET6, 17, "2001:db8::1", 5353, "fe80::2", 53));

	ev.dir = CT_DIR_REPLY;
	ev.status = CT_STATUS_SEEN_REPLY;
	ASSERT_FIELDS(record(&ev, NULL, NULL),
		      {"MESSAGE", "UDP [2001:db8::1]:5353 > [fe80::2]:53: first reply"},
		      {"MESSAGE_ID", MSGID_FLOW_REPLY}, {"CTMARK_EVENT", "reply"},
		      {"CTMARK_FAMILY", "ipv6"}, {"CTMARK_PROTO", "udp"},
		      {"CTMARK_SRC", "2001:db8::1"}, {"CTMARK_DST", "fe80::2"},
		      {"CTMARK_SPORT", "5353"}, {"CTMARK_DPORT", "53"},
		      {"CTMARK_STATE_OLD", ABSENT}, {"CTMARK_STATE_NEW", ABSENT},
		      {"CTMARK_STATUS", "SEEN_REPLY"});
}

static void test_assured(void **state)
{
	struct ct_event ev = tcp_event(CT_EVENT_ASSURED);

	ev.status = CT_STATUS_SEEN_REPLY | CT_STATUS_ASSURED | CT_STATUS_CONFIRMED;
	ev.state_old = ev.state_new = 3;
	ASSERT_FIELDS(record(&ev, NULL, NULL),
		      {"MESSAGE", "TCP 10.0.1.2:41000 > 10.0.2.2:80: assured, both sides have "
				  "taken part"},
		      {"MESSAGE_ID", MSGID_FLOW_ASSURED}, {"CTMARK_EVENT", "assured"},
		      {"CTMARK_STATUS", "SEEN_REPLY,ASSURED,CONFIRMED"},
		      {"CTMARK_STATE_OLD", ABSENT}, {"CTMARK_STATE_NEW", "ESTABLISHED"});
}

static void test_destroy_by_the_clock(void **state)
{
	struct ct_event ev = tcp_answer(CT_EVENT_DESTROY);

	ev.hook = CT_HOOK_NONE;
	ev.death = CT_DEATH_TIMEOUT;
	ev.state_old = ev.state_new = 7;
	ev.accounted = true;
	ev.packets[0] = 12;
	ev.bytes[0] = 3456;
	ev.packets[1] = 1;
	ev.bytes[1] = 7890;
	ASSERT_FIELDS(
		record(&ev, NULL, NULL),
		{"MESSAGE", "TCP 10.0.1.2:41000 > 10.0.2.2:80: ended in TIME_WAIT, no packet "
			    "for the length of its timeout (out 12 packets, 3456 bytes; back 1 "
			    "packet, 7890 bytes)"},
		{"MESSAGE_ID", MSGID_FLOW_DESTROY}, {"CTMARK_EVENT", "destroy"},
		{"CTMARK_REASON", "timeout"}, {"CTMARK_STATE_NEW", "TIME_WAIT"},
		{"CTMARK_PACKETS_ORIG", "12"}, {"CTMARK_BYTES_REPLY", "7890"},
		{"CTMARK_CTINFO", ABSENT}, {"CTMARK_DIR", ABSENT}, {"CTMARK_MARK", ABSENT},
		{"CTMARK_QUEUE", ABSENT}, {"CTMARK_HOOK", ABSENT}, {"CTMARK_IIF", ABSENT},
		{"CTMARK_OIF", ABSENT}, {"CTMARK_TIMEOUT", ABSENT}, {"CTMARK_DETAIL", ABSENT});
}

static void test_destroy_by_a_packet(void **state)
{
	struct ct_event ev = tcp_answer(CT_EVENT_DESTROY);

	ev.death = CT_DEATH_TCP_RST;
	ev.state_new = 8;
	ASSERT_FIELDS(record(&ev, "lo", NULL),
		      {"MESSAGE", "TCP 10.0.1.2:41000 > 10.0.2.2:80: ended in CLOSE, reset before "
				  "any answer was tracked"},
		      {"CTMARK_REASON", "tcp-rst"}, {"CTMARK_STATE_OLD", "SYN_SENT"},
		      {"CTMARK_HOOK", "PREROUTING"}, {"CTMARK_MARK", "0xb"}, {"CTMARK_IIF", "lo"});
}

static void test_icmp(void **state)
{
	/* echo request: type 8, code 0, in wire order in the second id */
	struct ct_event ev =
		flow_event(CT_EVENT_NEW, tuple(AF_INET, 1, "10.0.1.2", 77, "10.0.2.2", 8 << 8));

	ev.reply.src_id_be = htons(77);
	ev.reply.dst_id_be = 0;
	ASSERT_FIELDS(record(&ev, NULL, NULL),
		      {"MESSAGE", "ICMP 10.0.1.2 > 10.0.2.2 echo request id 77: new flow"},
		      {"CTMARK_PROTO", "icmp"}, {"CTMARK_ICMP_TYPE", "8"},
		      {"CTMARK_ICMP_CODE", "0"}, {"CTMARK_ICMP_ID", "77"}, {"CTMARK_SPORT", ABSENT},
		      {"CTMARK_DPORT", ABSENT}, {"CTMARK_REPLY_SRC", ABSENT});

	ev.orig = tuple(AF_INET6, 58, "fe80::1", 1, "fe80::2", 139 << 8 | 2);
	ev.reply = turned(&ev.orig);
	ASSERT_FIELDS(record(&ev, NULL, NULL),
		      {"MESSAGE", "ICMPv6 fe80::1 > fe80::2 type 139 code 2: new flow"},
		      {"CTMARK_PROTO", "icmpv6"}, {"CTMARK_ICMP_TYPE", "139"},
		      {"CTMARK_ICMP_CODE", "2"}, {"CTMARK_ICMP_ID", "1"});
}

static void test_other_protocol(void **state)
{
	struct ct_event ev =
		flow_event(CT_EVENT_NEW, tuple(AF_INET, 50, "10.0.1.2", 0, "10.0.2.2", 0));

	ASSERT_FIELDS(record(&ev, NULL, NULL),
		      {"MESSAGE", "Protocol 50 10.0.1.2 > 10.0.2.2: new flow"},
		      {"CTMARK_PROTO", "50"}, {"CTMARK_SPORT", ABSENT}, {"CTMARK_DPORT", ABSENT},
		      {"CTMARK_ICMP_ID", ABSENT});
}

static void test_sctp(void **state)
{
	struct ct_event ev =
		flow_event(CT_EVENT_STATE, tuple(AF_INET, 132, "10.0.1.2", 2905, "10.0.2.2", 3868));

	ev.l4proto = 132;
	ev.state_old = 3;
	ev.state_new = 4;
	ASSERT_FIELDS(record(&ev, NULL, NULL), {"CTMARK_PROTO", "sctp"}, {"CTMARK_SPORT", "2905"},
		      {"CTMARK_DPORT", "3868"}, {"CTMARK_STATE_OLD", "COOKIE_ECHOED"},
		      {"CTMARK_STATE_NEW", "ESTABLISHED"});
	assert_non_null(strstr(value(record(&ev, NULL, NULL), "MESSAGE"),
			       "SCTP 10.0.1.2:2905 > 10.0.2.2:3868: "));

	ev.type = CT_EVENT_INVALID;
	ev.reason = CT_REASON_SCTP_VTAG;
	ev.detail[0] = 0xdeadbeef;
	ev.detail[1] = 7;
	ev.detail[2] = 10;
	ev.detail[3] = 4;
	ASSERT_FIELDS(record(&ev, NULL, NULL),
		      {"CTMARK_DETAIL", "found=0xdeadbeef expected=0x0007 chunk=COOKIE_ECHO "
					"state=ESTABLISHED"});
	ev.detail[2] = 200;
	ASSERT_FIELDS(
		record(&ev, NULL, NULL),
		{"CTMARK_DETAIL", "found=0xdeadbeef expected=0x0007 chunk=200 state=ESTABLISHED"});
}

static void test_names_of_protocols(void **state)
{
	struct ct_event ev =
		flow_event(CT_EVENT_NEW, tuple(AF_INET, 136, "10.0.1.2", 1, "10.0.2.2", 2));

	ASSERT_FIELDS(record(&ev, NULL, NULL),
		      {"MESSAGE", "UDP-Lite 10.0.1.2:1 > 10.0.2.2:2: new flow"},
		      {"CTMARK_PROTO", "udplite"}, {"CTMARK_SPORT", "1"}, {"CTMARK_DPORT", "2"});
	ev = flow_event(CT_EVENT_NEW, tuple(AF_INET, 47, "10.0.1.2", 0, "10.0.2.2", 5));
	ASSERT_FIELDS(record(&ev, NULL, NULL), {"MESSAGE", "GRE 10.0.1.2 > 10.0.2.2: new flow"},
		      {"CTMARK_PROTO", "gre"}, {"CTMARK_SPORT", ABSENT}, {"CTMARK_DPORT", ABSENT});
}

static void test_reply_that_is_not_plain(void **state)
{
	struct ct_event ev = tcp_answer(CT_EVENT_STATE);

	ev.reply = tuple(AF_INET, 6, "192.168.0.9", 8080, "10.0.1.2", 41000);
	ASSERT_FIELDS(record(&ev, NULL, NULL), {"CTMARK_DST", "10.0.2.2"},
		      {"CTMARK_REPLY_SRC", "192.168.0.9"}, {"CTMARK_REPLY_SPORT", "8080"},
		      {"CTMARK_REPLY_DST", "10.0.1.2"}, {"CTMARK_REPLY_DPORT", "41000"});

	/* a port alone makes the difference too */
	ev.reply = turned(&ev.orig);
	ev.reply.dst_id_be = htons(41001);
	ASSERT_FIELDS(record(&ev, NULL, NULL), {"CTMARK_REPLY_SRC", "10.0.2.2"},
		      {"CTMARK_REPLY_DPORT", "41001"});
}

static void test_related(void **state)
{
	struct ct_event ev = tcp_event(CT_EVENT_RELATED);

	ev.state_new = 1;
	ev.begins = true;
	ev.master = 0xfeed;
	ASSERT_FIELDS(record(&ev, NULL, NULL),
		      {"MESSAGE", "TCP 10.0.1.2:41000 > 10.0.2.2:80: new flow, expected by flow "
				  "000000000000feed, SYN_SENT"},
		      {"MESSAGE_ID", MSGID_FLOW_RELATED}, {"CTMARK_EVENT", "related"},
		      {"CTMARK_MASTER", "000000000000feed"});

	/* an ICMP error about a flow that was expected once */
	ev.begins = false;
	ev.l4proto = 1;
	ev.dir = CT_DIR_REPLY;
	ev.info = CT_INFO_RELATED_REPLY;
	ASSERT_FIELDS(record(&ev, NULL, NULL),
		      {"MESSAGE", "TCP 10.0.1.2:41000 > 10.0.2.2:80: ICMP error about this flow, "
				  "on its way to the initiator"},
		      {"CTMARK_PROTO", "tcp"}, {"CTMARK_CTINFO", "RELATED_REPLY"},
		      {"CTMARK_MASTER", "000000000000feed"});
}

static void test_helper_and_zone(void **state)
{
	struct ct_event ev = tcp_event(CT_EVENT_NEW);
	char line[FIELDS_LINE_MAX];
	struct fields *f;

	ev.state_new = 1;
	ev.begins = true;
	ev.helper = CT_HELPER_FTP;
	ev.orig.zone = ev.reply.zone = 65535;
	f = record(&ev, NULL, NULL);
	ASSERT_FIELDS(f,
		      {"MESSAGE", "TCP 10.0.1.2:41000 > 10.0.2.2:80 in zone 65535: new flow, read "
				  "by helper ftp, SYN_SENT"},
		      {"CTMARK_HELPER", "ftp"}, {"CTMARK_ZONE", "65535"},
		      {"CTMARK_REPLY_SRC", ABSENT});
	fields_to_line(f, line);
	assert_non_null(strstr(line, " helper=ftp zone=65535 "));
	ev.helper = CT_HELPER_NONE;
	ev.orig.zone = 0;
	ASSERT_FIELDS(record(&ev, NULL, NULL), {"CTMARK_HELPER", ABSENT}, {"CTMARK_ZONE", ABSENT});
}

/* A packet that has a class, but may not go on. */
static void test_dropped(void **state)
{
	struct ct_event ev = tcp_event(CT_EVENT_INVALID);

	ev.info = CT_INFO_ESTABLISHED;
	ev.reason = CT_REASON_HELPER_PARSE;
	ev.detail[0] = CT_HELPER_SIP;
	ev.detail[1] = 12;
	ASSERT_FIELDS(record(&ev, NULL, NULL),
		      {"MESSAGE", "TCP 10.0.1.2:41000 > 10.0.2.2:80: dropped, message that its "
				  "helper has to read and cannot (helper=sip length=12)"},
		      {"CTMARK_CTINFO", "ESTABLISHED"}, {"CTMARK_REASON", "helper-parse"},
		      {"CTMARK_DETAIL", "helper=sip length=12"});
	ev.info = CT_INFO_INVALID;
	ev.drop = true;
	ev.flow = 0;
	ev.orig.src_id_be = ev.orig.dst_id_be = 0;
	ev.reason = CT_REASON_FRAGMENT_TIMEOUT;
	ev.detail[0] = 1480;
	ev.detail[1] = 2000;
	ev.detail[2] = 7;
	ASSERT_FIELDS(record(&ev, NULL, NULL),
		      {"MESSAGE",
		       "TCP 10.0.1.2 > 10.0.2.2: dropped, the first fragment did not come "
		       "in time (offset=1480 end=2000 id=7)"},
		      {"CTMARK_CTINFO", "INVALID"}, {"CTMARK_REASON", "fragment-timeout"});
}

/* ---- INVALID ---- */

static void test_invalid_in_a_flow(void **state)
{
	struct ct_event ev = tcp_answer(CT_EVENT_INVALID);

	ev.info = CT_INFO_INVALID;
	ev.mark = 0xe;
	ev.reason = CT_REASON_TCP_SEQ_OVER;
	ev.detail[0] = 4000000000;
	ev.detail[1] = 2;
	ev.detail[2] = 3;
	ev.detail[3] = 4;
	ev.state_old = ev.state_new = 3;
	ASSERT_FIELDS(record(&ev, NULL, NULL),
		      {"MESSAGE", "TCP 10.0.1.2:41000 > 10.0.2.2:80: INVALID (reply), sequence "
				  "beyond the receiver's window (seq=4000000000 end=2 maxend=3 "
				  "ack=4)"},
		      {"MESSAGE_ID", MSGID_PACKET_INVALID}, {"PRIORITY", "5"},
		      {"CTMARK_EVENT", "invalid"}, {"CTMARK_CTINFO", "INVALID"},
		      {"CTMARK_REASON", "tcp-seq-over"},
		      {"CTMARK_DETAIL", "seq=4000000000 end=2 maxend=3 ack=4"},
		      {"CTMARK_STATE_NEW", "ESTABLISHED"}, {"CTMARK_FLOW", "0123456789abcdef"},
		      {"CTMARK_DIR", "reply"});
}

static void test_invalid_without_a_flow(void **state)
{
	struct ct_event ev = tcp_event(CT_EVENT_INVALID);
	char line[FIELDS_LINE_MAX];
	struct fields *f;

	ev.flow = 0;
	ev.info = CT_INFO_INVALID;
	ev.mark = 0xe;
	ev.reason = CT_REASON_TCP_FLAGS;
	ev.detail[0] = 0x03;
	ev.oif = 7;
	ev.reply = tuple(AF_INET, 6, "9.9.9.9", 9, "9.9.9.9", 9);
	f = record(&ev, "eth0", "eth1");
	ASSERT_FIELDS(f,
		      {"MESSAGE", "TCP 10.0.1.2:41000 > 10.0.2.2:80: INVALID, combination of TCP "
				  "flags that no stack sends (flags=FIN,SYN)"},
		      {"CTMARK_DETAIL", "flags=FIN,SYN"}, {"CTMARK_SRC", "10.0.1.2"},
		      {"CTMARK_FLOW", ABSENT}, {"CTMARK_DIR", ABSENT}, {"CTMARK_STATUS", ABSENT},
		      {"CTMARK_STATE_NEW", ABSENT}, {"CTMARK_TIMEOUT", ABSENT},
		      {"CTMARK_REPLY_SRC", ABSENT}, {"CTMARK_PACKETS_ORIG", ABSENT});
	fields_to_line(f, line);
	assert_string_equal(line, "event=invalid proto=tcp src=10.0.1.2 sport=41000 dst=10.0.2.2 "
				  "dport=80 ctinfo=INVALID mark=0xe reason=tcp-flags "
				  "detail=flags=FIN,SYN queue=3 hook=PREROUTING iif=eth0 oif=eth1 "
				  "family=ipv4\n");
}

static void test_invalid_without_a_tuple(void **state)
{
	struct ct_event ev = {
		.type = CT_EVENT_INVALID,
		.reason = CT_REASON_L4_HEADER,
		.detail = {3, 20},
		.info = CT_INFO_INVALID,
		.family = CT_AF_INET6,
		.l4proto = 6,
		.iif = 4,
		.mark = 0xe,
		.hook = CT_HOOK_FORWARD,
	};
	struct fields *f = record(&ev, "eth0", NULL);
	char line[FIELDS_LINE_MAX];

	ASSERT_FIELDS(f,
		      {"MESSAGE", "TCP packet from eth0: INVALID, transport header is cut short "
				  "(have=3 need=20)"},
		      {"CTMARK_FAMILY", "ipv6"}, {"CTMARK_PROTO", "tcp"}, {"CTMARK_SRC", ABSENT},
		      {"CTMARK_DST", ABSENT}, {"CTMARK_SPORT", ABSENT}, {"CTMARK_DPORT", ABSENT},
		      {"CTMARK_ICMP_ID", ABSENT}, {"CTMARK_DETAIL", "have=3 need=20"});
	fields_to_line(f, line);
	assert_non_null(strstr(line, " reason=l4-header detail=\"have=3 need=20\" queue=0 "));

	/* read as far as its addresses: still no ports */
	ev.has_tuple = true;
	ev.orig = tuple(AF_INET6, 6, "fe80::1", 0, "fe80::2", 0);
	ASSERT_FIELDS(record(&ev, NULL, NULL),
		      {"MESSAGE", "TCP fe80::1 > fe80::2: INVALID, transport header is cut short "
				  "(have=3 need=20)"},
		      {"CTMARK_SRC", "fe80::1"}, {"CTMARK_SPORT", ABSENT},
		      {"CTMARK_DPORT", ABSENT});

	ev.has_tuple = false;
	ev.l4proto = 0;
	ASSERT_FIELDS(record(&ev, NULL, NULL), {"CTMARK_PROTO", ABSENT});
	assert_non_null(strstr(value(record(&ev, NULL, NULL), "MESSAGE"), "IPv6 packet: INVALID"));
	ev.family = 0;
	ASSERT_FIELDS(record(&ev, NULL, NULL), {"CTMARK_FAMILY", ABSENT});
	assert_non_null(strstr(value(record(&ev, NULL, NULL), "MESSAGE"), "Packet: INVALID"));
}

static void test_forms_of_numbers(void **state)
{
	struct ct_event ev = tcp_event(CT_EVENT_INVALID);

	ev.reason = CT_REASON_CHECKSUM;
	ev.detail[0] = 0xbeef;
	ev.detail[1] = 0x1;
	ASSERT_FIELDS(record(&ev, NULL, NULL), {"CTMARK_DETAIL", "found=0xbeef expected=0x0001"});

	ev.reason = CT_REASON_TCP_STATE;
	ev.detail[0] = 7;
	ev.detail[1] = 0x12;
	ASSERT_FIELDS(record(&ev, NULL, NULL),
		      {"CTMARK_DETAIL", "state=TIME_WAIT flags=SYN,ACK seq=0 ack=0"});
	ev.detail[1] = 0;
	ASSERT_FIELDS(record(&ev, NULL, NULL),
		      {"CTMARK_DETAIL", "state=TIME_WAIT flags=NONE seq=0 ack=0"});
}

/* ---- records about the log itself ---- */

static void test_summaries(void **state)
{
	char line[FIELDS_LINE_MAX];
	struct fields f;

	fields_from_suppressed(&f, CT_EVENT_INVALID, 12345);
	assert_sound(&f);
	ASSERT_FIELDS(&f, {"MESSAGE", "12345 more records of class invalid kept out by RateLimit="},
		      {"MESSAGE_ID", MSGID_LOG_SUPPRESSED}, {"PRIORITY", "5"},
		      {"CTMARK_EVENT", "log-suppressed"}, {"CTMARK_CLASS", "invalid"},
		      {"CTMARK_SUPPRESSED", "12345"});

	fields_from_dropped(&f, 40, 2);
	assert_sound(&f);
	ASSERT_FIELDS(&f,
		      {"MESSAGE", "42 records lost: 40 found the ring full, 2 were refused by the "
				  "journal"},
		      {"MESSAGE_ID", MSGID_LOG_DROPPED}, {"PRIORITY", "4"},
		      {"CTMARK_EVENT", "log-dropped"}, {"CTMARK_DROPPED", "42"});
	fields_to_line(&f, line);
	assert_string_equal(line, "event=log-dropped dropped=42\n");
}

/* ---- hostile content ---- */

static void test_text_from_outside(void **state)
{
	struct ct_event ev = tcp_event(CT_EVENT_NEW);
	char line[FIELDS_LINE_MAX];
	struct fields f, *r;
	size_t len;

	ev.oif = 7;
	r = record(&ev, "a\nCTMARK_X=1", "\x1b[31m\x7f");
	ASSERT_FIELDS(r, {"CTMARK_IIF", "a\\x0aCTMARK_X=1"}, {"CTMARK_OIF", "\\x1b[31m\\x7f"});
	len = fields_to_line(r, line);
	assert_ptr_equal(strchr(line, '\n'), line + len - 1);
	r = record(&(struct ct_event){.type = CT_EVENT_INVALID, .iif = 7}, "\"\xff", NULL);
	assert_non_null(strstr(value(r, "MESSAGE"), "Packet from \\x22\\xff: "));

	/* too long a text is cut, and what comes after it still fits or is left out */
	fields_init(&f, NULL, 3, "");
	fields_add(&f, FIELD_MESSAGE, "%0*d", FIELDS_SCRATCH, 1);
	for (int i = 0; i < FIELD_MAX + 5; i++)
		fields_add(&f, FIELD_DETAIL, "%d", i);
	assert_in_range(f.used, FIELDS_SCRATCH - 16, FIELDS_SCRATCH);
	assert_in_range(f.n, 3, FIELD_MAX);
	assert_in_range(fields_to_line(&f, line), 1, FIELDS_LINE_MAX - 1);
}

/* Any bytes at all in an event: still a sound record of one line. */
static void test_random_events(void **state)
{
	char line[FIELDS_LINE_MAX];
	struct ct_event ev;

	srandom(1);
	for (int round = 0; round < 100000; round++) {
		for (size_t i = 0; i < sizeof(ev); i++)
			((uint8_t *)&ev)[i] = (uint8_t)random();
		ev.has_tuple = random() & 1;
		ev.accounted = random() & 1;
		ev.begins = random() & 1;
		ev.drop = random() & 1;
		if (random() & 3) {
			ev.type %= CT_EVENT_MAX;
			ev.orig.family = random() & 1 ? CT_AF_INET : CT_AF_INET6;
			ev.orig.proto = random() & 1 ? 6 : 58;
		}
		fields_to_line(record(&ev, NULL, NULL), line);
		assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	}
}

static void test_msgids(void **state)
{
	const char *ids[] = {
#define X(name, str, id) id,
		MSGID_LIST(X)
#undef X
	};

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		assert_int_equal(strlen(ids[i]), MSGID_STRLEN - 1);
		assert_int_equal(strspn(ids[i], "0123456789abcdef"), MSGID_STRLEN - 1);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(ids[i], ids[j]);
	}
	assert_string_equal(msgid_name(MSGID_QUEUE_BUSY), "queue-busy");
	assert_string_equal(msgid_name(NULL), "");
	assert_string_equal(msgid_name("0"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_state),
		cmocka_unit_test(test_reply_udp6),
		cmocka_unit_test(test_assured),
		cmocka_unit_test(test_destroy_by_the_clock),
		cmocka_unit_test(test_destroy_by_a_packet),
		cmocka_unit_test(test_icmp),
		cmocka_unit_test(test_other_protocol),
		cmocka_unit_test(test_sctp),
		cmocka_unit_test(test_names_of_protocols),
		cmocka_unit_test(test_reply_that_is_not_plain),
		cmocka_unit_test(test_related),
		cmocka_unit_test(test_helper_and_zone),
		cmocka_unit_test(test_dropped),
		cmocka_unit_test(test_invalid_in_a_flow),
		cmocka_unit_test(test_invalid_without_a_flow),
		cmocka_unit_test(test_invalid_without_a_tuple),
		cmocka_unit_test(test_forms_of_numbers),
		cmocka_unit_test(test_summaries),
		cmocka_unit_test(test_text_from_outside),
		cmocka_unit_test(test_random_events),
		cmocka_unit_test(test_msgids),
	};

	return cmocka_run_group_tests_name("log/fields", tests, NULL, NULL);
}
