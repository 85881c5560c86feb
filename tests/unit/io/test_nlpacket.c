/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/nlpacket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "util/cleanup.h"

#define ID    0xa1b2c3d4
#define QUEUE 258

/* A datagram under construction. */
struct datagram {
	_Alignas(8) char buf[1024];
	size_t len;
};

static struct nlmsghdr *message(struct datagram *d, uint16_t type)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(d->buf + d->len);
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));

	nlh->nlmsg_type = type;
	nfg->nfgen_family = AF_INET;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons(QUEUE);
	return nlh;
}

static struct nlmsghdr *bare_packet(struct datagram *d)
{
	return message(d, (NFNL_SUBSYS_QUEUE << 8) | NFQNL_MSG_PACKET);
}

static void set_family(struct nlmsghdr *nlh, uint8_t family)
{
	((struct nfgenmsg *)mnl_nlmsg_get_payload(nlh))->nfgen_family = family;
}

static void put_id(struct nlmsghdr *nlh, uint32_t id)
{
	struct nfqnl_msg_packet_hdr hdr = {.packet_id = htonl(id), .hook = 3};

	mnl_attr_put(nlh, NFQA_PACKET_HDR, 7, &hdr);
}

static struct nlmsghdr *packet(struct datagram *d)
{
	struct nlmsghdr *nlh = bare_packet(d);

	put_id(nlh, ID);
	return nlh;
}

/* The payload as the kernel puts it: last, its padding not there. */
static void put_payload(struct nlmsghdr *nlh, const void *data, size_t len)
{
	mnl_attr_put(nlh, NFQA_PAYLOAD, len, data);
	nlh->nlmsg_len -= (uint32_t)(MNL_ALIGN(len) - len);
}

static void put_be32(struct nlmsghdr *nlh, uint16_t type, uint32_t value)
{
	mnl_attr_put_u32(nlh, type, htonl(value));
}

static void finish(struct datagram *d, const struct nlmsghdr *nlh)
{
	d->len += nlh->nlmsg_len;
}

static enum nlpacket_kind first(const struct datagram *d, struct nlpacket *p)
{
	size_t pos = 0;

	memset(p, 0xee, sizeof(*p));
	return nlpacket_next((const uint8_t *)d->buf, d->len, &pos, p);
}

static void test_all_attributes(void **state)
{
	static const uint8_t bytes[] = {0x45, 1, 2, 3, 4};
	struct datagram d = {};
	struct nlmsghdr *nlh = packet(&d);
	struct nlpacket p;

	put_be32(nlh, NFQA_MARK, 0x11223344);
	put_be32(nlh, NFQA_IFINDEX_INDEV, 7);
	put_be32(nlh, NFQA_IFINDEX_OUTDEV, 9);
	put_be32(nlh, NFQA_CAP_LEN, 1500);
	put_be32(nlh, NFQA_SKB_INFO, NFQA_SKB_CSUM_NOTVERIFIED);
	put_payload(nlh, bytes, sizeof(bytes));
	finish(&d, nlh);

	assert_int_equal(first(&d, &p), NLPACKET_PACKET);
	assert_int_equal(p.id, ID);
	assert_int_equal(p.queue, QUEUE);
	assert_int_equal(p.hook, 3);
	assert_int_equal(p.family, AF_INET);
	assert_int_equal(p.mark, 0x11223344);
	assert_int_equal(p.iif, 7);
	assert_int_equal(p.oif, 9);
	assert_int_equal(p.caplen, sizeof(bytes));
	assert_int_equal(p.len, 1500);
	assert_true(p.csum_unverified);
	assert_memory_equal(p.data, bytes, sizeof(bytes));
}

static void test_absent_means_zero(void **state)
{
	struct datagram d = {};
	struct nlpacket p;

	finish(&d, packet(&d));
	assert_int_equal(first(&d, &p), NLPACKET_PACKET);
	assert_int_equal(p.mark, 0);
	assert_int_equal(p.iif, 0);
	assert_int_equal(p.oif, 0);
	assert_int_equal(p.caplen, 0);
	assert_int_equal(p.len, 0);
	assert_null(p.data);
	assert_false(p.csum_unverified);
}

static void test_length_without_cap_len(void **state)
{
	struct datagram d = {};
	struct nlmsghdr *nlh = packet(&d);
	struct nlpacket p;

	put_payload(nlh, "abcdefg", 7);
	finish(&d, nlh);
	assert_int_equal(first(&d, &p), NLPACKET_PACKET);
	assert_int_equal(p.caplen, 7);
	assert_int_equal(p.len, 7);
}

/* A sum is only worth verifying where it is there, whole, and nobody has done it yet. */
static void test_checksum_flags(void **state)
{
	for (uint32_t info = 0; info < 8; info++) {
		struct datagram d = {};
		struct nlmsghdr *nlh = packet(&d);
		struct nlpacket p;

		put_be32(nlh, NFQA_SKB_INFO, info);
		finish(&d, nlh);
		assert_int_equal(first(&d, &p), NLPACKET_PACKET);
		assert_int_equal(p.csum_unverified, info == NFQA_SKB_CSUM_NOTVERIFIED);
	}
}

static void test_unknown_attributes_are_skipped(void **state)
{
	struct datagram d = {};
	struct nlmsghdr *nlh = bare_packet(&d);
	struct nlpacket p;

	mnl_attr_put(nlh, NFQA_MAX + 1, 3, "new");
	mnl_attr_put(nlh, MNL_ATTR_HDRLEN << 8, 0, NULL);
	put_id(nlh, 5);
	mnl_attr_put(nlh, NFQA_VLAN | NLA_F_NESTED, 0, NULL);
	put_be32(nlh, NFQA_MARK, 8);
	finish(&d, nlh);
	assert_int_equal(first(&d, &p), NLPACKET_PACKET);
	assert_int_equal(p.id, 5);
	assert_int_equal(p.mark, 8);
}

/* Wherever a datagram is cut, the packet is still answered as long as its id is there. */
static void test_cut_anywhere(void **state)
{
	const size_t id_end = MNL_NLMSG_HDRLEN + 4 + MNL_ATTR_HDRLEN + 7;
	struct datagram d = {};
	struct nlmsghdr *nlh = packet(&d);
	struct nlpacket p;
	size_t whole;

	put_be32(nlh, NFQA_MARK, 1);
	put_payload(nlh, "0123456789", 10);
	finish(&d, nlh);
	whole = d.len;
	for (d.len = 0; d.len < whole; d.len++) {
		enum nlpacket_kind kind = first(&d, &p);

		if (d.len < MNL_NLMSG_HDRLEN)
			assert_int_equal(kind, NLPACKET_END);
		else if (d.len < id_end)
			assert_int_equal(kind, NLPACKET_OTHER);
		else
			assert_int_equal(kind, NLPACKET_BROKEN);
		if (kind == NLPACKET_BROKEN)
			assert_int_equal(p.id, ID);
	}
}

static void test_short_attributes_are_broken(void **state)
{
	static const uint16_t types[] = {NFQA_MARK, NFQA_IFINDEX_INDEV, NFQA_IFINDEX_OUTDEV,
					 NFQA_CAP_LEN, NFQA_SKB_INFO};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct datagram d = {};
		struct nlmsghdr *nlh = packet(&d);
		struct nlpacket p;

		mnl_attr_put(nlh, types[i], 3, "abc");
		finish(&d, nlh);
		assert_int_equal(first(&d, &p), NLPACKET_BROKEN);
		assert_int_equal(p.id, ID);
		assert_int_equal(p.queue, QUEUE);
	}
}

static void test_attribute_length_out_of_range(void **state)
{
	static const uint16_t lengths[] = {0, 1, 3, 9, 0xffff};

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct datagram d = {};
		struct nlmsghdr *nlh = packet(&d);
		struct nlattr *attr = mnl_nlmsg_get_payload_tail(nlh);
		struct nlpacket p;

		put_be32(nlh, NFQA_MARK, 1);
		attr->nla_len = lengths[i];
		finish(&d, nlh);
		assert_int_equal(first(&d, &p), NLPACKET_BROKEN);
	}
}

static void test_header_attribute_too_short(void **state)
{
	struct nlpacket p;

	for (size_t len = 0; len < 7; len++) {
		struct datagram d = {};
		struct nlmsghdr *nlh = bare_packet(&d);

		mnl_attr_put(nlh, NFQA_PACKET_HDR, len, "\0\0\0\7\0\0");
		finish(&d, nlh);
		if (len < 4) {
			assert_int_equal(first(&d, &p), NLPACKET_OTHER);
		} else {
			assert_int_equal(first(&d, &p), NLPACKET_BROKEN);
			assert_int_equal(p.id, 7);
		}
	}
}

static void put_answer(struct datagram *d, uint32_t seq, int error)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(d->buf + d->len);
	struct nlmsgerr *err = mnl_nlmsg_put_extra_header(nlh, sizeof(*err));

	nlh->nlmsg_type = NLMSG_ERROR;
	nlh->nlmsg_seq = seq;
	err->error = error;
	finish(d, nlh);
}

static void test_answers(void **state)
{
	struct datagram d = {};
	struct nlpacket p;

	put_answer(&d, 42, 0);
	assert_int_equal(first(&d, &p), NLPACKET_ANSWER);
	assert_int_equal(p.seq, 42);
	assert_int_equal(p.error, 0);

	d.len = 0;
	put_answer(&d, 43, -ENOENT);
	assert_int_equal(first(&d, &p), NLPACKET_ANSWER);
	assert_int_equal(p.seq, 43);
	assert_int_equal(p.error, -ENOENT);

	d.len = MNL_NLMSG_HDRLEN + 3; /* the error code is not whole */
	assert_int_equal(first(&d, &p), NLPACKET_OTHER);
}

static void test_other_types(void **state)
{
	static const uint16_t types[] = {NLMSG_NOOP, NLMSG_DONE, NLMSG_OVERRUN,
					 (NFNL_SUBSYS_QUEUE << 8) | NFQNL_MSG_CONFIG,
					 (NFNL_SUBSYS_ULOG << 8) | NFQNL_MSG_PACKET};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct datagram d = {};
		struct nlmsghdr *nlh = message(&d, types[i]);
		struct nlpacket p;

		put_id(nlh, ID);
		finish(&d, nlh);
		assert_int_equal(first(&d, &p), NLPACKET_OTHER);
	}
}

static void test_several_messages(void **state)
{
	struct datagram d = {};
	struct nlpacket p;
	struct nlmsghdr *nlh;
	size_t pos = 0;

	nlh = bare_packet(&d);
	put_id(nlh, 1);
	finish(&d, nlh);
	d.len = MNL_ALIGN(d.len);
	put_answer(&d, 9, -EPERM);
	nlh = bare_packet(&d);
	put_id(nlh, 2);
	put_payload(nlh, "x", 1);
	finish(&d, nlh);

	assert_int_equal(nlpacket_next((void *)d.buf, d.len, &pos, &p), NLPACKET_PACKET);
	assert_int_equal(p.id, 1);
	assert_int_equal(nlpacket_next((void *)d.buf, d.len, &pos, &p), NLPACKET_ANSWER);
	assert_int_equal(p.error, -EPERM);
	assert_int_equal(nlpacket_next((void *)d.buf, d.len, &pos, &p), NLPACKET_PACKET);
	assert_int_equal(p.id, 2);
	assert_int_equal(nlpacket_next((void *)d.buf, d.len, &pos, &p), NLPACKET_END);
	assert_int_equal(pos, d.len);
}

static void test_message_length_too_small(void **state)
{
	struct datagram d = {};
	struct nlmsghdr *nlh = packet(&d);
	struct nlpacket p;

	finish(&d, nlh);
	nlh->nlmsg_len = MNL_NLMSG_HDRLEN - 1;
	assert_int_equal(first(&d, &p), NLPACKET_END);
	nlh->nlmsg_len = 0;
	assert_int_equal(first(&d, &p), NLPACKET_END);
}

/* What the message says counts, not what the payload looks like. */
static void test_families(void **state)
{
	static const uint8_t families[] = {AF_INET, AF_INET6, NFPROTO_BRIDGE, NFPROTO_UNSPEC};

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct datagram d = {};
		struct nlmsghdr *nlh = packet(&d);
		struct nlpacket p;

		set_family(nlh, families[i]);
		finish(&d, nlh);
		assert_int_equal(first(&d, &p), NLPACKET_PACKET);
		assert_int_equal(p.family, families[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_attributes),
		cmocka_unit_test(test_absent_means_zero),
		cmocka_unit_test(test_length_without_cap_len),
		cmocka_unit_test(test_checksum_flags),
		cmocka_unit_test(test_unknown_attributes_are_skipped),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_short_attributes_are_broken),
		cmocka_unit_test(test_attribute_length_out_of_range),
		cmocka_unit_test(test_header_attribute_too_short),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_other_types),
		cmocka_unit_test(test_several_messages),
		cmocka_unit_test(test_message_length_too_small),
		cmocka_unit_test(test_families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
