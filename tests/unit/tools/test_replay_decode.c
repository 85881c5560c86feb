/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What ctmark-replay says of packets, whole, cut short and broken. */

#include "core/tcp.h"
#include "tests/unit/core/packet.h"
#include "tools/ctmark-replay/decode.h"
#include "util/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void says(const struct pk *p, int family, uint32_t caplen, const char *text)
{
	char buf[DECODE_SUMMARY_MAX];
	struct decoded d;

	decode_packet(&d, p->b, caplen, p->len, (uint8_t)family);
	assert_string_equal(decode_summary(&d, NULL, buf), text);
}

/* A segment with so many bytes of options behind the fixed header and n bytes of data. */
static void segment(struct pk *p, uint8_t flags, const uint8_t *options, uint8_t noptions, size_t n)
{
	uint8_t l4[120] = {0x13, 0x88, 0x00, 0x50, 0, 0, 0, 100, 0, 0, 1, 0};

	l4[12] = (uint8_t)((20 + noptions) / 4 << 4);
	l4[13] = flags;
	l4[14] = 0xfa;
	l4[15] = 0xf0;
	if (noptions > 0)
		memcpy(l4 + 20, options, noptions);
	pk_ip(p, CT_AF_INET, 1, 2, CT_PROTO_TCP, l4, 20 + noptions + n);
}

static void segments(void **state)
{
	static const uint8_t syn[] = {2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0,
				      0, 7, 0, 0,    0, 9, 1, 3,  3, 7};
	static const uint8_t sack[] = {1, 1, 5, 18, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5, 0};
	struct pk p;

	segment(&p, PK_SYN, syn, sizeof(syn), 0);
	says(&p, CT_AF_INET, p.len, "SYN seq=100 win=64240 mss=1460 ws=7 sackok ts=7/9");
	segment(&p, PK_SYN | PK_ACK, syn, 4, 0);
	says(&p, CT_AF_INET, p.len, "SYN,ACK seq=100 ack=256 win=64240 mss=1460");
	segment(&p, PK_ACK | 8, sack, 0, 16);
	says(&p, CT_AF_INET, p.len, "PSH,ACK seq=100 ack=256 win=64240 len=16");
	segment(&p, PK_ACK, sack, sizeof(sack), 0);
	says(&p, CT_AF_INET, p.len, "ACK seq=100 ack=256 win=64240 sack=512-768,1024-1280");
	segment(&p, 0, sack, 0, 0);
	says(&p, CT_AF_INET, p.len, "NONE seq=100 win=64240");
	segment(&p, 0xff, sack, 0, 0);
	says(&p, CT_AF_INET, p.len, "FIN,SYN,RST,PSH,ACK,URG,ECE,CWR seq=100 ack=256 win=64240");
}

static void relative_numbers(void **state)
{
	static const uint8_t sack[] = {1, 1, 5, 10, 0, 0, 2, 0, 0, 0, 3, 0};
	const struct decode_base base = {.seq = 101, .ack = 255};
	char buf[DECODE_SUMMARY_MAX];
	struct decoded d;
	struct pk p;

	segment(&p, PK_ACK, sack, sizeof(sack), 0);
	decode_packet(&d, p.b, p.len, p.len, CT_AF_INET);
	assert_string_equal(decode_summary(&d, &base, buf),
			    "ACK seq=4294967295 ack=1 win=64240 sack=257-513");
}

static void broken_options(void **state)
{
	static const uint8_t beyond[] = {2, 40, 5, 0xb4}, none[] = {2, 0, 5, 0xb4};
	struct decoded d;
	struct pk p;

	segment(&p, PK_SYN, beyond, 4, 0);
	says(&p, CT_AF_INET, p.len, "SYN seq=100 win=64240, malformed");
	segment(&p, PK_SYN, none, 4, 0);
	says(&p, CT_AF_INET, p.len, "SYN seq=100 win=64240, malformed");
	p.b[p.l4 + 12] = 0x10; /* a header of four bytes */
	says(&p, CT_AF_INET, p.len, "SYN seq=100 win=64240, malformed");
	p.b[p.l4 + 12] = 0xf0; /* of more than there is */
	says(&p, CT_AF_INET, p.len, "SYN seq=100 win=64240, malformed");
	decode_packet(&d, p.b, p.len, p.len, CT_AF_INET);
	assert_int_equal(d.payload, 0);
}

static void cut_short(void **state)
{
	static const uint8_t syn[] = {2, 4, 5, 0xb4, 1, 3, 3, 7};
	struct pk p;

	segment(&p, PK_SYN, syn, sizeof(syn), 20);
	says(&p, CT_AF_INET, p.len - 20, "SYN seq=100 win=64240 len=20 mss=1460 ws=7, cut");
	says(&p, CT_AF_INET, p.len - 23, "SYN seq=100 win=64240 len=20 mss=1460, cut");
	says(&p, CT_AF_INET, 30, "len=48, cut");
	says(&p, CT_AF_INET, 19, "no IP header, len=68, cut");
	says(&p, CT_AF_INET, 0, "no IP header, len=68, cut");
}

static void padding(void **state)
{
	struct pk p;

	segment(&p, PK_SYN, NULL, 0, 0);
	memset(p.b + p.len, 0, 6);
	p.len += 6;
	says(&p, CT_AF_INET, p.len, "SYN seq=100 win=64240");
}

static void datagrams(void **state)
{
	struct decoded d;
	struct pk p;

	pk_udp(&p, CT_AF_INET6, 1, 2, 5353, 53);
	decode_packet(&d, p.b, p.len, p.len, CT_AF_INET6);
	assert_int_equal(d.kind, DECODE_UDP);
	assert_int_equal(d.sport, 5353);
	assert_int_equal(d.dport, 53);
	assert_int_equal(d.len, p.len);
	assert_int_equal(d.payload, p.len - 48);
}

static void messages(void **state)
{
	static const uint8_t too_big[] = {2, 0, 0, 0, 0, 0, 5, 0, 0x60};
	struct pk p, quoted;

	pk_icmp(&p, CT_AF_INET, 1, 2, 8, 0, 5, NULL);
	says(&p, CT_AF_INET, p.len, "echo request id=5 seq=0");
	pk_icmp(&p, CT_AF_INET6, 1, 2, 129, 0, 5, NULL);
	says(&p, CT_AF_INET6, p.len, "echo reply id=5 seq=0");
	pk_icmp(&p, CT_AF_INET, 1, 2, 99, 3, 5, NULL);
	says(&p, CT_AF_INET, p.len, "type=99 code=3");
	pk_udp(&quoted, CT_AF_INET, 1, 2, 5000, 33434);
	pk_icmp(&p, CT_AF_INET, 3, 1, 11, 0, 0, &quoted);
	says(&p, CT_AF_INET, p.len,
	     "time exceeded (in transit), quotes udp 10.0.0.1:5000 > 10.0.0.2:33434");
	pk_icmp(&quoted, CT_AF_INET6, 1, 2, 128, 0, 5, NULL);
	pk_icmp(&p, CT_AF_INET6, 3, 1, 1, 4, 0, &quoted);
	says(&p, CT_AF_INET6, p.len,
	     "unreachable (port), quotes icmpv6 2001:db8::1 > 2001:db8::2 type=128 code=0 id=5");
	pk_ip(&p, CT_AF_INET6, 3, 1, CT_PROTO_ICMPV6, too_big, sizeof(too_big));
	says(&p, CT_AF_INET6, p.len, "packet too big mtu=1280");
}

static void chunks(void **state)
{
	static const uint8_t init[] = {0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 4};
	static const uint8_t two[] = {0,  1, 0, 2, 0, 0, 0, 0x1f, 0,  0, 0, 0,
				      10, 0, 0, 5, 7, 0, 0, 0,	  63, 0, 0, 4};
	static const uint8_t endless[] = {0, 1, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 3, 0, 0, 0};
	uint8_t many[12 + 4 * 9] = {0};
	struct pk p;

	pk_ip(&p, CT_AF_INET, 1, 2, CT_PROTO_SCTP, init, sizeof(init));
	says(&p, CT_AF_INET, p.len, "INIT vtag=0x0");
	pk_ip(&p, CT_AF_INET, 1, 2, CT_PROTO_SCTP, two, sizeof(two));
	says(&p, CT_AF_INET, p.len, "COOKIE_ECHO,63 vtag=0x1f");
	pk_ip(&p, CT_AF_INET, 1, 2, CT_PROTO_SCTP, endless, sizeof(endless));
	says(&p, CT_AF_INET, p.len, "SACK vtag=0x1, malformed");
	pk_ip(&p, CT_AF_INET, 1, 2, CT_PROTO_SCTP, init, 12);
	says(&p, CT_AF_INET, p.len, "no chunk vtag=0x0");
	for (size_t i = 12; i < sizeof(many); i += 4)
		many[i + 3] = 4;
	pk_ip(&p, CT_AF_INET, 1, 2, CT_PROTO_SCTP, many, sizeof(many));
	says(&p, CT_AF_INET, p.len, "DATA,DATA,DATA,DATA,DATA,DATA,DATA,DATA,... vtag=0x0");
}

static void tunnels(void **state)
{
	static const uint8_t call[] = {0x30, 0x81, 0x88, 0x0b, 0, 4, 0x12, 0x34, 0, 0, 0, 1};
	struct pk p;

	pk_ip(&p, CT_AF_INET, 1, 2, CT_PROTO_GRE, call, sizeof(call));
	says(&p, CT_AF_INET, p.len, "version=1 protocol=0x880b call=4660");
	says(&p, CT_AF_INET, p.len - 6, "version=1 protocol=0x880b, cut");
	pk_ip(&p, CT_AF_INET, 1, 2, 50, call, sizeof(call));
	says(&p, CT_AF_INET, p.len, "len=12");
}

static void fragments(void **state)
{
	struct pk whole, p;

	pk_udp(&whole, CT_AF_INET, 1, 2, 5000, 53);
	pk_fragment(&p, &whole, 77, 0, 64, true);
	says(&p, CT_AF_INET, p.len, "len=56, first fragment id=77");
	pk_fragment(&p, &whole, 77, 64, 80, true);
	says(&p, CT_AF_INET, p.len, "fragment offset=64 len=16 more id=77");
	pk_udp(&whole, CT_AF_INET6, 1, 2, 5000, 53);
	pk_fragment(&p, &whole, 0x12345, 64, 80, false);
	says(&p, CT_AF_INET6, p.len, "fragment offset=64 len=16 last id=74565");
	pk_fragment(&p, &whole, 1, 0, 64, false);
	says(&p, CT_AF_INET6, p.len, "len=56, only fragment id=1");
}

/* Bytes by dice, in memory that ends where they end: nothing is read beyond, all stays in bounds.
 */
static void any_bytes(void **state)
{
	static const uint8_t protos[] = {1, 6, 17, 47, 58, 132, 136, 0, 43, 44, 60};
	uint64_t seed = 20;

	for (int i = 0; i < 200000; i++) {
		uint32_t caplen = (uint32_t)(dice(&seed) % 120);
		_cleanup_free_ uint8_t *bytes = malloc(caplen ? caplen : 1);
		bool six = dice(&seed) & 1;
		char buf[DECODE_SUMMARY_MAX];
		struct decoded d;

		assert_non_null(bytes);
		for (uint32_t at = 0; at < caplen; at++)
			bytes[at] = (uint8_t)(dice(&seed) & (at < 60 ? 0x2f : 0xff));
		if (caplen > 9)
			bytes[six ? 6 : 9] = protos[dice(&seed) % sizeof(protos)];
		if (caplen && !six)
			bytes[0] = 0x45;
		decode_packet(&d, bytes, caplen, caplen + (uint32_t)(dice(&seed) % 3),
			      six ? CT_AF_INET6 : CT_AF_INET);
		decode_summary(&d, NULL, buf);
		assert_true(strlen(buf) < sizeof(buf));
		assert_true(d.payload <= 0x10000 + 0x100000);
		for (const char *p = buf; *p; p++)
			assert_true(*p >= ' ' && *p <= '~');
	}
}

static void names(void **state)
{
	assert_string_equal(decode_icmp_name(CT_PROTO_ICMP, 3), "unreachable");
	assert_string_equal(decode_icmp_name(CT_PROTO_ICMPV6, 3), "time exceeded");
	assert_null(decode_icmp_name(CT_PROTO_ICMP, 255));
	assert_null(decode_icmp_name(CT_PROTO_ICMPV6, 255));
	assert_null(decode_icmp_code_name(CT_PROTO_ICMP, 3, 255));
	assert_null(decode_icmp_code_name(CT_PROTO_ICMPV6, 1, 255));
	assert_null(decode_icmp_code_name(CT_PROTO_ICMP, 8, 0));
	assert_string_equal(decode_icmp_code_name(CT_PROTO_ICMPV6, 3, 1), "in reassembly");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments),	  cmocka_unit_test(relative_numbers),
		cmocka_unit_test(broken_options), cmocka_unit_test(cut_short),
		cmocka_unit_test(padding),	  cmocka_unit_test(datagrams),
		cmocka_unit_test(messages),	  cmocka_unit_test(chunks),
		cmocka_unit_test(tunnels),	  cmocka_unit_test(fragments),
		cmocka_unit_test(any_bytes),	  cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
