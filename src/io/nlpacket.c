/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/nlpacket.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <string.h>

#define PACKET_TYPE    ((NFNL_SUBSYS_QUEUE << 8) | NFQNL_MSG_PACKET)
#define ATTRS_OFFSET   (MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(struct nfgenmsg)))
#define PACKET_HDR_LEN 7 /* packed on the wire: id, protocol, hook */

/* The attributes that matter, by number; NULL: absent. */
struct attrs {
	const struct nlattr *at[NFQA_MAX + 1];
	bool cut; /* what follows the last attribute is none */
};

static bool read_u32(const struct nlattr *attr, uint32_t *ret)
{
	uint32_t be;

	if (mnl_attr_get_payload_len(attr) < sizeof(be))
		return false;
	memcpy(&be, mnl_attr_get_payload(attr), sizeof(be));
	*ret = ntohl(be);
	return true;
}

/* An absent attribute means 0. False: there is one, but it is too short. */
static bool optional_u32(const struct attrs *a, unsigned int type, uint32_t *ret)
{
	*ret = 0;
	return !a->at[type] || read_u32(a->at[type], ret);
}

/*
 * Collects the attributes between start and end. NFQA_PAYLOAD comes last and is not padded, so the
 * step behind it may lead past the end: compare distances, never pointers beyond the buffer.
 */
static void collect(struct attrs *a, const uint8_t *start, size_t len)
{
	memset(a, 0, sizeof(*a));
	while (len >= MNL_ATTR_HDRLEN) {
		const struct nlattr *attr = (const void *)start;
		size_t step = MNL_ALIGN(attr->nla_len);

		if (attr->nla_len < MNL_ATTR_HDRLEN || attr->nla_len > len)
			break;
		if (mnl_attr_get_type(attr) <= NFQA_MAX)
			a->at[mnl_attr_get_type(attr)] = attr;
		if (step >= len)
			return;
		start += step;
		len -= step;
	}
	a->cut = len > 0;
}

static void read_payload(const struct attrs *a, struct nlpacket *p)
{
	const struct nlattr *attr = a->at[NFQA_PAYLOAD];

	p->data = attr ? mnl_attr_get_payload(attr) : NULL;
	p->caplen = attr ? mnl_attr_get_payload_len(attr) : 0;
}

/* Fills in what can be absent. False: something is there that cannot be right. */
static bool read_optional(const struct attrs *a, struct nlpacket *p)
{
	uint32_t info, len;

	if (!optional_u32(a, NFQA_MARK, &p->mark) ||
	    !optional_u32(a, NFQA_IFINDEX_INDEV, &p->iif) ||
	    !optional_u32(a, NFQA_IFINDEX_OUTDEV, &p->oif) ||
	    !optional_u32(a, NFQA_CAP_LEN, &len) || !optional_u32(a, NFQA_SKB_INFO, &info))
		return false;
	read_payload(a, p);
	/* NFQA_CAP_LEN is the length before the copy range cut it; absent if it did not. */
	p->len = len > p->caplen ? len : p->caplen;
	/* A sum that is not there yet, or belongs to a packet still to be split, proves nothing. */
	p->csum_unverified = (info & NFQA_SKB_CSUM_NOTVERIFIED) &&
			     !(info & (NFQA_SKB_CSUMNOTREADY | NFQA_SKB_GSO));
	return true;
}

/* len: bytes of the message that are really there, which may be less than nlmsg_len. */
static enum nlpacket_kind read_packet(const struct nlmsghdr *nlh, size_t len, struct nlpacket *p)
{
	const uint8_t *bytes = (const uint8_t *)nlh;
	const struct nfgenmsg *nfg = (const void *)(bytes + MNL_NLMSG_HDRLEN);
	const uint8_t *hdr;
	struct attrs a;

	if (len < ATTRS_OFFSET)
		return NLPACKET_OTHER;
	p->queue = ntohs(nfg->res_id);
	collect(&a, bytes + ATTRS_OFFSET, len - ATTRS_OFFSET);
	if (!a.at[NFQA_PACKET_HDR] || !read_u32(a.at[NFQA_PACKET_HDR], &p->id))
		return NLPACKET_OTHER;
	if (a.cut || len < nlh->nlmsg_len ||
	    mnl_attr_get_payload_len(a.at[NFQA_PACKET_HDR]) < PACKET_HDR_LEN ||
	    !read_optional(&a, p))
		return NLPACKET_BROKEN;
	hdr = mnl_attr_get_payload(a.at[NFQA_PACKET_HDR]);
	p->hook = hdr[PACKET_HDR_LEN - 1];
	p->family = nfg->nfgen_family;
	return NLPACKET_PACKET;
}

static enum nlpacket_kind read_answer(const struct nlmsghdr *nlh, size_t len, struct nlpacket *p)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);

	if (len < MNL_NLMSG_HDRLEN + sizeof(err->error))
		return NLPACKET_OTHER;
	p->seq = nlh->nlmsg_seq;
	p->error = err->error;
	return NLPACKET_ANSWER;
}

enum nlpacket_kind nlpacket_next(const uint8_t *datagram, size_t len, size_t *pos,
				 struct nlpacket *ret)
{
	const struct nlmsghdr *nlh = (const void *)(datagram + *pos);
	size_t left = *pos < len ? len - *pos : 0, have, step;

	if (left < MNL_NLMSG_HDRLEN)
		return NLPACKET_END;
	have = nlh->nlmsg_len < left ? nlh->nlmsg_len : left;
	if (have < MNL_NLMSG_HDRLEN)
		return NLPACKET_END;
	step = MNL_ALIGN(have);
	*pos += step < left ? step : left;
	switch (nlh->nlmsg_type) {
	case PACKET_TYPE:
		return read_packet(nlh, have, ret);
	case NLMSG_ERROR:
		return read_answer(nlh, have, ret);
	default:
		return NLPACKET_OTHER;
	}
}
