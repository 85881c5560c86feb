/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/link.h"

#include <linux/netfilter/nfnetlink_log.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/core.h"
#include "util/cleanup.h"

#define PACKET_LEN 60
#define PADDING	   6
#define FRAME_MAX  256

enum ip { IP4 = 4, IP6 = 6 };

/* A frame under construction. */
struct frame {
	uint8_t bytes[FRAME_MAX];
	uint32_t len;
};

static void put(struct frame *f, const void *bytes, size_t n)
{
	assert_true(f->len + n <= sizeof(f->bytes));
	memcpy(f->bytes + f->len, bytes, n);
	f->len += (uint32_t)n;
}

/* Puts bytes that are written as hexadecimal digits, with spaces between some of them. */
static void put_hex(struct frame *f, const char *hex)
{
	for (; *hex; hex += *hex == ' ' ? 1 : 2) {
		const char digits[] = {hex[0], hex[1], '\0'};
		uint8_t byte = (uint8_t)strtoul(digits, NULL, 16);

		if (*hex != ' ')
			put(f, &byte, 1);
	}
}

/* A packet of PACKET_LEN bytes whose header says length, 0: says that it is as long as it is. */
static void put_packet_of(struct frame *f, enum ip version, uint16_t length)
{
	uint8_t packet[PACKET_LEN] = {(uint8_t)(version << 4 | 5)};

	if (version == IP4) {
		packet[2] = (uint8_t)(length >> 8);
		packet[3] = (uint8_t)length;
	} else {
		packet[4] = (uint8_t)((length - 40) >> 8);
		packet[5] = (uint8_t)(length - 40);
		packet[6] = 17;
	}
	packet[PACKET_LEN - 1] = 0xee;
	put(f, packet, sizeof(packet));
}

static void put_packet(struct frame *f, enum ip version)
{
	put_packet_of(f, version, PACKET_LEN);
}

/* A link layer, and what it has to give. */
struct layer {
	const char *name;
	int linktype;
	const char *header; /* in hexadecimal digits */
	enum ip version;
	struct link_packet want; /* all but what is the same for each */
};

#define MACS "020000000001 020000000002 "
#define SLL  " 0001 0006 0200000000010000 "
#define SLL2 "0000 00000007 0001 "

static const struct layer layers[] = {
	{"Ethernet", 1, MACS "0800", IP4, {}},
	{"Ethernet, IPv6", 1, MACS "86dd", IP6, {}},
	{"VLAN", 1, MACS "8100 6064 0800", IP4, {.nvlans = 1, .vlan = {100}}},
	{"QinQ", 1, MACS "88a8 0fff 8100 0001 86dd", IP6, {.nvlans = 2, .vlan = {4095, 1}}},
	{"three tags",
	 1,
	 MACS "9100 0003 9100 0002 8100 0001 0800",
	 IP4,
	 {.nvlans = 3, .vlan = {3, 2}}},
	{"PPPoE", 1, MACS "8864 1100 0001 003e 0021", IP4, {}},
	{"PPPoE in a VLAN",
	 1,
	 MACS "8100 0007 8864 1100 0001 003e 0057",
	 IP6,
	 {.nvlans = 1, .vlan = {7}}},
	{"MPLS", 1, MACS "8847 00001040 00002140", IP4, {}},
	{"MPLS, two labels", 1, MACS "8848 00001040 00002140", IP6, {}},
	{"SNAP", 1, MACS "0044 aaaa03 000000 0800", IP4, {}},
	{"NULL, little endian", 0, "02000000", IP4, {}},
	{"NULL, big endian", 0, "00000002", IP4, {}},
	{"NULL, NetBSD", 0, "18000000", IP6, {}},
	{"NULL, FreeBSD", 0, "0000001c", IP6, {}},
	{"NULL, macOS", 0, "1e000000", IP6, {}},
	{"NULL, Linux", 0, "0a000000", IP6, {}},
	{"LOOP", 108, "00000018", IP6, {}},
	{"PPP", 9, "ff03 0021", IP4, {}},
	{"PPP without address and control", 9, "0057", IP6, {}},
	{"PPP, protocol of one byte", 9, "21", IP4, {}},
	{"PPP in HDLC", 50, "ff03 0057", IP6, {}},
	{"PPP in HDLC, ethertype", 50, "0f00 0800", IP4, {}},
	{"HDLC of Cisco", 104, "8f00 86dd", IP6, {}},
	{"PPP received", 204, "00 ff03 0021", IP4, {}},
	{"PPP sent", 204, "01 ff03 0021", IP4, {.outgoing = true}},
	{"PPPoE alone", 51, "1100 0001 003e 0021", IP4, {}},
	{"raw", 101, "", IP4, {}},
	{"raw, IPv6", 101, "", IP6, {}},
	{"raw as libpcap has it", 12, "", IP4, {}},
	{"raw as OpenBSD has it", 14, "", IP6, {}},
	{"raw IPv4", 228, "", IP4, {}},
	{"raw IPv6", 229, "", IP6, {}},
	{"cooked", 113, "0000" SLL "0800", IP4, {}},
	{"cooked, sent", 113, "0004" SLL "86dd", IP6, {.outgoing = true}},
	{"cooked, VLAN", 113, "0000" SLL "8100 0064 0800", IP4, {.nvlans = 1, .vlan = {100}}},
	{"cooked 2", 276, "0800 " SLL2 "00 06 0200000000010000", IP4, {.iif = 7}},
	{"cooked 2, sent",
	 276,
	 "86dd " SLL2 "04 06 0200000000010000",
	 IP6,
	 {.outgoing = true, .oif = 7}},
	{"cooked 2, VLAN",
	 276,
	 "8100 " SLL2 "00 06 0200000000010000 0064 0800",
	 IP4,
	 {.iif = 7, .nvlans = 1, .vlan = {100}}},
};

static void make(struct frame *f, const struct layer *l)
{
	*f = (struct frame){};
	put_hex(f, l->header);
	put_packet(f, l->version);
}

static void assert_packet(const struct link_packet *p, const struct layer *l, const struct frame *f)
{
	assert_int_equal(p->family, l->version == IP4 ? CT_AF_INET : CT_AF_INET6);
	assert_ptr_equal(p->data, f->bytes + f->len - PACKET_LEN);
	assert_int_equal(p->len, PACKET_LEN);
	assert_int_equal(p->hook, CT_HOOK_NONE);
	assert_false(p->has_mark);
	assert_int_equal(p->outgoing, l->want.outgoing);
	assert_int_equal(p->iif, l->want.iif);
	assert_int_equal(p->oif, l->want.oif);
	assert_int_equal(p->nvlans, l->want.nvlans);
	assert_memory_equal(p->vlan, l->want.vlan, sizeof(p->vlan));
}

static void each_layer(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(layers); i++) {
		const struct layer *l = &layers[i];
		struct link_packet p;
		struct frame f;

		make(&f, l);
		print_message("# %s\n", l->name);
		assert_null(link_refused(l->linktype));
		assert_int_equal(link_parse(l->linktype, f.bytes, f.len, f.len, &p), LINK_IP);
		assert_packet(&p, l, &f);
		assert_int_equal(p.caplen, PACKET_LEN);
	}
}

/* A sanitizer sees whoever reads beyond what was captured. */
static enum link_result parse_cut(int linktype, const struct frame *f, uint32_t caplen,
				  struct link_packet *ret, uint8_t **ret_bytes)
{
	*ret_bytes = malloc(caplen ? caplen : 1);
	assert_non_null(*ret_bytes);
	memcpy(*ret_bytes, f->bytes, caplen);
	return link_parse(linktype, *ret_bytes, caplen, f->len, ret);
}

static void each_length(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(layers); i++) {
		const struct layer *l = &layers[i];
		struct frame f;

		make(&f, l);
		for (uint32_t caplen = 0; caplen < f.len; caplen++) {
			uint32_t header = f.len - PACKET_LEN;
			_cleanup_free_ uint8_t *bytes = NULL;
			struct link_packet p;
			enum link_result r = parse_cut(l->linktype, &f, caplen, &p, &bytes);

			assert_int_equal(r, caplen <= header ? LINK_SHORT : LINK_IP);
			if (r != LINK_IP)
				continue;
			assert_int_equal(p.caplen, caplen - header);
			/* without the length in the IP header that of the frame counts */
			assert_int_equal(p.len, PACKET_LEN);
			assert_ptr_equal(p.data, bytes + header);
		}
	}
}

static void padding_is_left_out(void **state)
{
	static const uint8_t zeros[PADDING];

	for (size_t i = 0; i < ARRAY_SIZE(layers); i++) {
		const struct layer *l = &layers[i];
		struct link_packet p;
		struct frame f;

		make(&f, l);
		put(&f, zeros, sizeof(zeros));
		assert_int_equal(link_parse(l->linktype, f.bytes, f.len, f.len, &p), LINK_IP);
		assert_int_equal(p.len, PACKET_LEN);
		assert_int_equal(p.caplen, PACKET_LEN);
	}
}

static struct link_packet parse_raw(enum ip version, uint16_t length, uint32_t len)
{
	struct link_packet p;
	struct frame f = {};

	put_packet_of(&f, version, length);
	assert_int_equal(link_parse(101, f.bytes, f.len, len, &p), LINK_IP);
	assert_int_equal(p.caplen, p.len < PACKET_LEN ? p.len : PACKET_LEN);
	return p;
}

static void length_zero_means_that_of_the_wire(void **state)
{
	assert_int_equal(parse_raw(IP4, 0, 9000).len, 9000);
	assert_int_equal(parse_raw(IP4, 0, 100000).len, 100000);
	/* IPv6 counts without its header; a packet may really be empty */
	assert_int_equal(parse_raw(IP6, 40, 100000).len, 100000);
	assert_int_equal(parse_raw(IP6, 40, 66).len, 40);
}

static void length_beyond_the_frame_proves_nothing(void **state)
{
	assert_int_equal(parse_raw(IP4, 1500, PACKET_LEN).len, PACKET_LEN);
	assert_int_equal(parse_raw(IP6, 1500, PACKET_LEN).len, PACKET_LEN);
	assert_int_equal(parse_raw(IP4, 19, PACKET_LEN).len, PACKET_LEN);
}

static void captured_more_than_was_sent(void **state)
{
	struct link_packet p = parse_raw(IP4, PACKET_LEN, 0);

	assert_int_equal(p.len, PACKET_LEN);
}

static void others_are_no_ip(void **state)
{
	static const struct {
		int linktype;
		const char *header;
	} others[] = {
		{1, MACS "0806"},		      /* ARP */
		{1, MACS "0026 424203"},	      /* spanning tree */
		{1, MACS "0044 aaaa03 00000c 2000"},  /* SNAP of a vendor */
		{1, MACS "8863 1109 0000 0000"},      /* PPPoE discovery */
		{1, MACS "8864 1100 0001 003e c021"}, /* LCP */
		{1, MACS "86dd"},		      /* and IPv4 in it */
		{0, "07000000"},
		{9, "ff03 8021"},
		{104, "0f00 8035"},
		{113, "0000 0338 0000 0000000000000000 0800"}, /* netlink */
		{113, "0000" SLL "0004"},
		{105, ""},
		{9999, ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct link_packet p;
		struct frame f = {};

		put_hex(&f, others[i].header);
		put_packet(&f, IP4);
		print_message("# %s\n", others[i].header);
		assert_int_equal(link_parse(others[i].linktype, f.bytes, f.len, f.len, &p),
				 LINK_OTHER);
	}
}

static void tags_without_end(void **state)
{
	struct link_packet p;
	struct frame f = {};

	put_hex(&f, MACS);
	while (f.len + 4 <= sizeof(f.bytes))
		put_hex(&f, "8100 0001");
	assert_int_equal(link_parse(1, f.bytes, f.len, f.len, &p), LINK_OTHER);
}

/* --- NFLOG ------------------------------------------------------------------------------------ */

static void put_attr(struct frame *f, uint16_t type, const void *value, uint16_t len)
{
	uint16_t header[] = {(uint16_t)(len + 4), type};

	put(f, header, sizeof(header));
	put(f, value, len);
	while (f->len % 4)
		put(f, "", 1);
}

static void put_message(struct frame *f, uint8_t hook, bool mark)
{
	const uint8_t packet_hdr[] = {0x08, 0x00, hook, 0};

	put_hex(f, "02 00 0005");
	put_attr(f, NFULA_PACKET_HDR, packet_hdr, sizeof(packet_hdr));
	put_attr(f, NFULA_PREFIX, "x", 2);
	if (mark)
		put_attr(f, NFULA_MARK, "\0\x01\0\x0a", 4);
	put_attr(f, NFULA_IFINDEX_INDEV, "\0\0\0\x02", 4);
	put_attr(f, NFULA_IFINDEX_OUTDEV, "\0\0\0\x03", 4);
}

static void put_payload(struct frame *f, uint16_t length)
{
	struct frame packet = {};

	put_packet_of(&packet, IP4, length);
	put_attr(f, NFULA_PAYLOAD, packet.bytes, (uint16_t)packet.len);
}

static void nflog_has_all_of_it(void **state)
{
	struct link_packet p;
	struct frame f = {};

	put_message(&f, CT_HOOK_FORWARD, true);
	put_payload(&f, PACKET_LEN);
	assert_true(link_has_marks(239));
	assert_false(link_has_marks(1));
	assert_int_equal(link_parse(239, f.bytes, f.len, f.len, &p), LINK_IP);
	assert_true(p.has_mark);
	assert_int_equal(p.mark, 0x1000a);
	assert_int_equal(p.hook, CT_HOOK_FORWARD);
	assert_int_equal(p.iif, 2);
	assert_int_equal(p.oif, 3);
	assert_int_equal(p.family, CT_AF_INET);
	assert_int_equal(p.caplen, PACKET_LEN);
	assert_int_equal(p.len, PACKET_LEN);
	assert_false(p.outgoing);
}

static void nflog_without_a_mark(void **state)
{
	struct link_packet p;
	struct frame f = {};

	put_message(&f, CT_HOOK_OUTPUT, false);
	put_payload(&f, PACKET_LEN);
	assert_int_equal(link_parse(239, f.bytes, f.len, f.len, &p), LINK_IP);
	assert_true(p.has_mark);
	assert_int_equal(p.mark, 0);
	assert_true(p.outgoing);
}

static void nflog_copied_a_part(void **state)
{
	struct link_packet p;
	struct frame f = {};

	put_message(&f, CT_HOOK_FORWARD, true);
	put_payload(&f, 1500);
	assert_int_equal(link_parse(239, f.bytes, f.len, f.len, &p), LINK_IP);
	assert_int_equal(p.caplen, PACKET_LEN);
	assert_int_equal(p.len, 1500);
}

static void nflog_of_each_length(void **state)
{
	struct frame f = {};
	uint32_t header;

	put_message(&f, CT_HOOK_FORWARD, true);
	header = f.len + 4;
	put_payload(&f, PACKET_LEN);
	for (uint32_t caplen = 0; caplen < f.len; caplen++) {
		_cleanup_free_ uint8_t *bytes = NULL;
		struct link_packet p;
		enum link_result r = parse_cut(239, &f, caplen, &p, &bytes);

		assert_int_equal(r, caplen <= header ? LINK_SHORT : LINK_IP);
		if (r == LINK_IP)
			assert_int_equal(p.caplen, caplen - header);
	}
}

static void nflog_of_broken_attributes(void **state)
{
	static const char *const broken[] = {
		"02 00 0005 0300 0100", /* shorter than its own header */
		"02 00 0005 0000 0000", "02 00 0005 ffff 0100 0800", /* longer than the message */
	};

	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		struct link_packet p;
		struct frame f = {};

		put_hex(&f, broken[i]);
		assert_int_equal(link_parse(239, f.bytes, f.len, f.len, &p), LINK_SHORT);
	}
}

/* --- any bytes -------------------------------------------------------------------------------- */

static void garbage(void **state)
{
	static const int types[] = {0,	 1,   9,   12,	50,  51,  101, 104,
				    108, 113, 204, 228, 229, 239, 276};
	struct frame f = {.len = 128};
	uint32_t seed = 1;

	for (int round = 0; round < 20000; round++) {
		int type = types[round % (int)ARRAY_SIZE(types)];
		_cleanup_free_ uint8_t *bytes = NULL;
		struct link_packet p;
		uint32_t caplen;

		for (uint32_t i = 0; i < f.len; i++) {
			seed = seed * 1664525 + 1013904223;
			f.bytes[i] = (uint8_t)(seed >> 24);
		}
		caplen = seed >> 8 & 127;
		if (parse_cut(type, &f, caplen, &p, &bytes) != LINK_IP)
			continue;
		assert_true(p.data >= bytes && p.caplen > 0);
		assert_true(p.caplen <= (size_t)(bytes + caplen - p.data));
		assert_true(p.len >= p.caplen);
	}
}

static void refusals_say_what_to_do(void **state)
{
	static const int wireless[] = {105, 119, 127, 163, 192};

	for (size_t i = 0; i < ARRAY_SIZE(wireless); i++)
		assert_non_null(strstr(link_refused(wireless[i]), "encryption"));
	assert_non_null(strstr(link_refused(220), "no IP"));
	assert_null(link_refused(1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_layer),
		cmocka_unit_test(each_length),
		cmocka_unit_test(padding_is_left_out),
		cmocka_unit_test(length_zero_means_that_of_the_wire),
		cmocka_unit_test(length_beyond_the_frame_proves_nothing),
		cmocka_unit_test(captured_more_than_was_sent),
		cmocka_unit_test(others_are_no_ip),
		cmocka_unit_test(tags_without_end),
		cmocka_unit_test(nflog_has_all_of_it),
		cmocka_unit_test(nflog_without_a_mark),
		cmocka_unit_test(nflog_copied_a_part),
		cmocka_unit_test(nflog_of_each_length),
		cmocka_unit_test(nflog_of_broken_attributes),
		cmocka_unit_test(garbage),
		cmocka_unit_test(refusals_say_what_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
