/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Each link type has a function that reads its header with take() and hands on what the header says
 * comes next: an ethertype, a protocol of PPP, or a family. What may lie between, tags of VLANs,
 * labels, a PPPoE session, is a chain of ethertypes.
 */

#include "io/link.h"

#include <linux/if_arp.h>
#include <linux/if_ether.h>

#include "core/core.h"
#include "io/nflog.h"
#include "util/cleanup.h"

/* Number in pcap-linktype(7), the function that reads it. */
#define LINK_TYPE_LIST(X)                                                                          \
	X(0, bsd_family) /* NULL */                                                                \
	X(1, ethernet)                                                                             \
	X(9, ppp)                                                                                  \
	X(12, raw) /* as libpcap has it in memory on Linux */                                      \
	X(14, raw) /* and on OpenBSD */                                                            \
	X(50, ppp) /* in frames like those of HDLC */                                              \
	X(51, ppp_ethernet)                                                                        \
	X(101, raw)                                                                                \
	X(104, ppp)	   /* HDLC of Cisco: PPP's way to have an ethertype */                     \
	X(108, bsd_family) /* LOOP */                                                              \
	X(113, linux_cooked)                                                                       \
	X(204, ppp_with_direction)                                                                 \
	X(228, raw_ip4)                                                                            \
	X(229, raw_ip6)                                                                            \
	X(239, nflog)                                                                              \
	X(276, linux_cooked2)

#define LINKTYPE_NFLOG 239

/* pcap-linktype(7): with the headers of several kinds of receivers before the frame, or without. */
static const int wireless[] = {105, 119, 127, 163, 192};

/* A header between link and network for each 4 bytes of a frame would be nonsense. */
#define NESTING_MAX 16

#define IP4_HLEN	20
#define IP6_HLEN	40
#define IP6_HOPOPTS	0
#define IP6_PAYLOAD_MAX 65535

#define ETH_P_QINQ_OLD 0x9100

#define SLL_HLEN     16
#define SLL2_HLEN    20
#define SLL_OUTGOING 4

#define LLC_SNAP_HLEN 8
#define PPPOE_HLEN    6
#define PPP_IP	      0x0021
#define PPP_IP6	      0x0057

struct frame {
	const uint8_t *data;
	uint32_t caplen, len;
	uint32_t at;	  /* how far it has been read */
	bool len_unknown; /* more may have been sent than len says */
	struct link_packet *ret;
};

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)be16(p) << 16 | be16(p + 2);
}

/* The next n bytes, or NULL: they were not captured. */
static const uint8_t *take(struct frame *f, uint32_t n)
{
	const uint8_t *p = f->data + f->at;

	if (f->caplen - f->at < n)
		return NULL;
	f->at += n;
	return p;
}

/* --- the packet ------------------------------------------------------------------------------- */

/* Length of the packet in its header; 0: it does not say. left: what the frame has room for. */
static uint32_t ip_length(const uint8_t *h, uint32_t caplen, uint32_t left, uint8_t family)
{
	uint32_t length;

	if (family == CT_AF_INET) {
		length = caplen >= 4 ? be16(h + 2) : 0;
		return length >= IP4_HLEN ? length : 0;
	}
	if (caplen < 7)
		return 0;
	length = be16(h + 4);
	/* longer than can be said: in an option (jumbogram), or nowhere (not split yet) */
	if (length == 0 && (h[6] == IP6_HOPOPTS || left > IP6_HLEN + IP6_PAYLOAD_MAX))
		return 0;
	return IP6_HLEN + length;
}

static enum link_result ip(struct frame *f, uint8_t family)
{
	struct link_packet *ret = f->ret;
	const uint8_t *h = f->data + f->at;
	uint32_t caplen = f->caplen - f->at, len = f->len - f->at, length;

	if (caplen == 0)
		return LINK_SHORT;
	if (h[0] >> 4 != (family == CT_AF_INET ? 4 : 6))
		return LINK_OTHER;
	length = ip_length(h, caplen, len, family);
	if (length > 0 && (length < len || f->len_unknown))
		len = length;
	ret->data = h;
	ret->caplen = caplen < len ? caplen : len;
	ret->len = len;
	ret->family = family;
	return LINK_IP;
}

static enum link_result any_ip(struct frame *f)
{
	if (f->caplen == f->at)
		return LINK_SHORT;
	return ip(f, f->data[f->at] >> 4 == 4 ? CT_AF_INET : CT_AF_INET6);
}

/* --- what lies between ------------------------------------------------------------------------ */

static bool vlan(struct frame *f, uint16_t *ret_next)
{
	const uint8_t *tag = take(f, 4);

	if (!tag)
		return false;
	if (f->ret->nvlans < LINK_VLANS_MAX)
		f->ret->vlan[f->ret->nvlans] = be16(tag) & 0xfff;
	f->ret->nvlans++;
	*ret_next = be16(tag + 2);
	return true;
}

/* What follows the labels is not told: an IP packet shows itself by its version. */
static enum link_result mpls(struct frame *f)
{
	for (int i = 0; i < NESTING_MAX; i++) {
		const uint8_t *label = take(f, 4);

		if (!label)
			return LINK_SHORT;
		if (label[2] & 1)
			return any_ip(f);
	}
	return LINK_OTHER;
}

static enum link_result ppp_protocol(struct frame *f, uint16_t protocol)
{
	switch (protocol) {
	case PPP_IP:
		return ip(f, CT_AF_INET);
	case PPP_IP6:
		return ip(f, CT_AF_INET6);
	default:
		return LINK_OTHER;
	}
}

/* Its protocol is one byte, an odd one, if that was agreed upon. */
static enum link_result ppp_header(struct frame *f)
{
	const uint8_t *h = take(f, 1);
	uint16_t protocol;

	if (!h)
		return LINK_SHORT;
	protocol = h[0];
	if (protocol & 1)
		return ppp_protocol(f, protocol);
	h = take(f, 1);
	return h ? ppp_protocol(f, (uint16_t)(protocol << 8 | h[0])) : LINK_SHORT;
}

static enum link_result ppp_ethernet(struct frame *f)
{
	const uint8_t *h = take(f, PPPOE_HLEN);

	if (!h)
		return LINK_SHORT;
	if (h[0] != 0x11 || h[1] != 0) /* version and type; code: a packet of a session */
		return LINK_OTHER;
	return ppp_header(f);
}

/* Below 0x600 it is a length, and one of the forms of what follows has an ethertype (RFC 1042). */
static bool snap(struct frame *f, uint16_t *ret_next)
{
	static const uint8_t header[] = {0xaa, 0xaa, 0x03, 0, 0, 0};
	const uint8_t *h = take(f, LLC_SNAP_HLEN);

	*ret_next = 0;
	if (!h)
		return false;
	for (size_t i = 0; i < sizeof(header); i++)
		if (h[i] != header[i])
			return true;
	*ret_next = be16(h + sizeof(header));
	return true;
}

static enum link_result ethertype(struct frame *f, uint16_t type)
{
	for (int i = 0; i < NESTING_MAX; i++) {
		switch (type) {
		case ETH_P_IP:
			return ip(f, CT_AF_INET);
		case ETH_P_IPV6:
			return ip(f, CT_AF_INET6);
		case ETH_P_8021Q:
		case ETH_P_8021AD:
		case ETH_P_QINQ_OLD:
			if (!vlan(f, &type))
				return LINK_SHORT;
			break;
		case ETH_P_PPP_SES:
			return ppp_ethernet(f);
		case ETH_P_MPLS_UC:
		case ETH_P_MPLS_MC:
			return mpls(f);
		default:
			if (type >= ETH_P_802_3_MIN || type <= ETH_P_802_2)
				return LINK_OTHER;
			if (!snap(f, &type))
				return LINK_SHORT;
			if (type < ETH_P_802_3_MIN)
				return LINK_OTHER;
		}
	}
	return LINK_OTHER;
}

/* --- link types ------------------------------------------------------------------------------- */

static enum link_result ethernet(struct frame *f)
{
	const uint8_t *h = take(f, ETH_HLEN);

	return h ? ethertype(f, be16(h + 12)) : LINK_SHORT;
}

static enum link_result raw(struct frame *f)
{
	return any_ip(f);
}

static enum link_result raw_ip4(struct frame *f)
{
	return ip(f, CT_AF_INET);
}

static enum link_result raw_ip6(struct frame *f)
{
	return ip(f, CT_AF_INET6);
}

/* Four bytes in the order of whoever captured: small numbers show which one that was. */
static enum link_result bsd_family(struct frame *f)
{
	const uint8_t *h = take(f, 4);
	uint32_t family;

	if (!h)
		return LINK_SHORT;
	family = be32(h);
	if (family > UINT16_MAX)
		family = __builtin_bswap32(family);
	switch (family) {
	case 2:
		return ip(f, CT_AF_INET);
	case 10: /* Linux */
	case 24: /* NetBSD, OpenBSD */
	case 28: /* FreeBSD */
	case 30: /* macOS */
		return ip(f, CT_AF_INET6);
	default:
		return LINK_OTHER;
	}
}

/* Address and control may have been left out, if that was agreed upon. */
static enum link_result ppp(struct frame *f)
{
	const uint8_t *h = f->data + f->at;

	if (f->caplen - f->at < 2)
		return LINK_SHORT;
	if (h[0] == 0xff && h[1] == 0x03) {
		f->at += 2;
		return ppp_header(f);
	}
	if ((h[0] == 0x0f || h[0] == 0x8f) && h[1] == 0) { /* Cisco: to one, to all */
		f->at += 2;
		h = take(f, 2);
		return h ? ethertype(f, be16(h)) : LINK_SHORT;
	}
	return ppp_header(f);
}

static enum link_result ppp_with_direction(struct frame *f)
{
	const uint8_t *h = take(f, 1);

	if (!h)
		return LINK_SHORT;
	f->ret->outgoing = h[0] != 0;
	return ppp(f);
}

/* What a monitor of netlink records has no ethertype. */
static enum link_result cooked(struct frame *f, uint16_t kind, uint16_t hardware, uint16_t type)
{
	if (hardware == ARPHRD_NETLINK)
		return LINK_OTHER;
	f->ret->outgoing = kind == SLL_OUTGOING;
	return ethertype(f, type);
}

static enum link_result linux_cooked(struct frame *f)
{
	const uint8_t *h = take(f, SLL_HLEN);

	return h ? cooked(f, be16(h), be16(h + 2), be16(h + 14)) : LINK_SHORT;
}

static enum link_result linux_cooked2(struct frame *f)
{
	const uint8_t *h = take(f, SLL2_HLEN);

	if (!h)
		return LINK_SHORT;
	*(h[10] == SLL_OUTGOING ? &f->ret->oif : &f->ret->iif) = be32(h + 4);
	return cooked(f, h[10], be16(h + 8), be16(h));
}

/*
 * What the kernel copied may be less than the packet, and only the packet tells. It begins with its
 * IP header; only rules of bridges also record others.
 */
static enum link_result nflog(struct frame *f)
{
	struct nflog n;
	struct frame packet;

	if (!nflog_parse(f->data, f->caplen, &n))
		return LINK_SHORT;
	f->ret->has_mark = true;
	f->ret->mark = n.mark;
	f->ret->hook = n.hook;
	f->ret->outgoing = n.hook == CT_HOOK_OUTPUT;
	f->ret->iif = n.iif;
	f->ret->oif = n.oif;
	packet = (struct frame){
		.data = n.payload,
		.caplen = n.caplen,
		.len = n.len,
		.len_unknown = true,
		.ret = f->ret,
	};
	if (n.ethertype != 0)
		return ethertype(&packet, n.ethertype);
	return n.family == CT_AF_INET || n.family == CT_AF_INET6 ? ip(&packet, n.family)
								 : LINK_OTHER;
}

enum link_result link_parse(int linktype, const uint8_t *frame, uint32_t caplen, uint32_t len,
			    struct link_packet *ret)
{
	struct frame f = {.data = frame, .caplen = caplen, .ret = ret};

	f.len = len > caplen ? len : caplen;
	*ret = (struct link_packet){.hook = CT_HOOK_NONE};
	/* a link may have two numbers: NOLINTBEGIN(bugprone-branch-clone) */
	switch (linktype) {
#define X(number, read)                                                                            \
	case number:                                                                               \
		return read(&f);
		LINK_TYPE_LIST(X)
#undef X
	default:
		return LINK_OTHER;
	}
	/* NOLINTEND(bugprone-branch-clone) */
}

const char *link_refused(int linktype)
{
	switch (linktype) {
#define X(number, read) case number:
		LINK_TYPE_LIST(X)
#undef X
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(wireless); i++)
		if (wireless[i] == linktype)
			return "frames of the air are not read: capture on the interface above "
			       "it, or take the encryption off first";
	return "no IP packets are looked for in it";
}

bool link_has_marks(int linktype)
{
	return linktype == LINKTYPE_NFLOG;
}
