/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Stage 1: from bytes to addresses, protocol and the place of the transport header.
 *
 * The rules are those of the kernel's tracker, not of an IP stack: a header that the stack would
 * refuse may be fine here and the other way round (semantics 1.2). IPv4 options are skipped by the
 * header length. Of an IPv6 extension header only the first two bytes must be present; a length
 * that points beyond the packet leaves an empty transport part, which a protocol without a header
 * of its own (generic) accepts and every other one refuses.
 *
 * The same code reads the packet quoted in an ICMP error, which is cut short by nature.
 */

#include "core/pkt.h"

#define IP4_HLEN 20
#define IP6_HLEN 40

#define IP6_FRAGMENT_HLEN 8

#define LEN_MAX 0x100000

#define IP4_MF	    0x2000
#define IP4_OFFMASK 0x1fff
#define IP6_OFFMASK 0xfff8
#define IP6_MORE    0x0001

#define IP6_HOPOPTS  0
#define IP6_ROUTING  43
#define IP6_FRAGMENT 44
#define IP6_AH	     51
#define IP6_NONE     59
#define IP6_DSTOPTS  60

uint8_t ct_pkt_family(struct ct_bytes v)
{
	if (v.cap == 0)
		return 0;
	switch (v.data[0] >> 4) {
	case 4:
		return CT_AF_INET;
	case 6:
		return CT_AF_INET6;
	default:
		return 0;
	}
}

/* Where len bytes at offset end; lengths beyond every packet do not wrap around. */
static uint32_t end_of(uint32_t offset, uint32_t len)
{
	return offset + (len < LEN_MAX ? len : LEN_MAX);
}

/* A header that no stack would have let through so far makes no fragment. */
static void note_ip4_fragment(struct ct_pkt *ret, const uint8_t *h, uint32_t len)
{
	uint32_t hlen = (uint32_t)(h[0] & 0xf) * 4;
	uint16_t frag = ct_read_be16(h + 6);

	if (!(frag & (IP4_MF | IP4_OFFMASK)) || hlen < IP4_HLEN || hlen > len)
		return;
	ret->frag = (struct ct_frag){
		.id = ct_read_be16(h + 4),
		.offset = (uint32_t)(frag & IP4_OFFMASK) * 8,
		.end = end_of((uint32_t)(frag & IP4_OFFMASK) * 8, len - hlen),
		.overhead = hlen,
		.ecn = h[1] & 3,
		.more = frag & IP4_MF,
		.present = true,
	};
}

static enum ct_reason parse_ip4(struct ct_pkt *ret, struct ct_bytes v,
				uint32_t detail[static CT_DETAIL_MAX])
{
	enum ct_reason reason = CT_REASON_NONE;
	const uint8_t *h = ct_bytes_get(v, 0, IP4_HLEN, CT_REASON_IP_HEADER, &reason, detail);
	uint32_t hlen;
	uint16_t frag;

	if (!h)
		return reason;
	memcpy(ret->src.b, h + 12, 4);
	memcpy(ret->dst.b, h + 16, 4);
	ret->has_addrs = true;
	ret->hoplimit = h[8];
	ret->proto = h[9];
	frag = ct_read_be16(h + 6);
	note_ip4_fragment(ret, h, v.len);
	if (frag & IP4_OFFMASK) {
		detail[0] = (uint32_t)(frag & IP4_OFFMASK) * 8;
		detail[1] = ct_read_be16(h + 4);
		return CT_REASON_IP_FRAGMENT;
	}
	ret->fragment = frag & IP4_MF;
	hlen = (uint32_t)(h[0] & 0xf) * 4;
	if (hlen > v.len) {
		detail[0] = v.len;
		detail[1] = hlen;
		return CT_REASON_IP_HEADER;
	}
	ret->l4 = ct_bytes_from(v, hlen);
	return CT_REASON_NONE;
}

static bool is_ext_header(uint8_t next)
{
	switch (next) {
	case IP6_HOPOPTS:
	case IP6_ROUTING:
	case IP6_FRAGMENT:
	case IP6_AH:
	case IP6_DSTOPTS:
		return true;
	default:
		return false;
	}
}

/* Length in bytes of the extension header h of kind next. */
static uint32_t ext_len(uint8_t next, const uint8_t *h)
{
	if (next == IP6_FRAGMENT)
		return IP6_FRAGMENT_HLEN;
	if (next == IP6_AH)
		return ((uint32_t)h[1] + 2) * 4;
	return ((uint32_t)h[1] + 1) * 8;
}

/* The header at off; one that is cut short makes no fragment. */
static void note_ip6_fragment(struct ct_pkt *ret, struct ct_bytes v, uint32_t off)
{
	struct ct_bytes h = ct_bytes_from(v, off);
	uint16_t frag;

	if (ret->frag.present || h.cap < IP6_FRAGMENT_HLEN)
		return;
	frag = ct_read_be16(h.data + 2);
	ret->frag = (struct ct_frag){
		.id = ct_read_be32(h.data + 4),
		.offset = frag & IP6_OFFMASK,
		.end = end_of(frag & IP6_OFFMASK, h.len - IP6_FRAGMENT_HLEN),
		.overhead = off - IP6_HLEN,
		.header = IP6_FRAGMENT_HLEN,
		.ecn = v.data[1] >> 4 & 3,
		.more = frag & IP6_MORE,
		.present = true,
	};
}

/* Looks into a fragment header; later fragments have no transport header to be found. */
static enum ct_reason parse_ip6_fragment(struct ct_pkt *ret, const uint8_t *h,
					 uint32_t detail[static CT_DETAIL_MAX])
{
	uint16_t frag = ct_read_be16(h + 2);

	if (frag & IP6_OFFMASK) {
		ret->proto = h[0];
		detail[0] = frag & IP6_OFFMASK;
		detail[1] = ret->frag.id;
		return CT_REASON_IP_FRAGMENT;
	}
	ret->fragment = ret->fragment || (frag & IP6_MORE);
	return CT_REASON_NONE;
}

/* Walks the chain from offset off on; at the end next is the transport protocol. */
static enum ct_reason skip_ext_headers(struct ct_pkt *ret, struct ct_bytes v, uint8_t next,
				       uint32_t detail[static CT_DETAIL_MAX])
{
	uint32_t off = IP6_HLEN;
	enum ct_reason reason = CT_REASON_NONE;

	while (is_ext_header(next)) {
		uint32_t least = next == IP6_FRAGMENT ? 4 : 2, numbers[2];
		const uint8_t *h =
			ct_bytes_get(v, off, least, CT_REASON_IP6_EXT_HEADER, &reason, numbers);

		if (!h) {
			bool copied = reason == CT_REASON_COPY_RANGE;

			detail[0] = copied ? numbers[0] : next;
			detail[1] = copied ? numbers[1] : numbers[0];
			detail[2] = copied ? 0 : numbers[1];
			return reason;
		}
		if (next == IP6_FRAGMENT) {
			note_ip6_fragment(ret, v, off);
			reason = parse_ip6_fragment(ret, h, detail);
			if (reason != CT_REASON_NONE)
				return reason;
		}
		off += ext_len(next, h);
		next = h[0];
	}
	ret->proto = next;
	if (next == IP6_NONE)
		return CT_REASON_IP6_NO_NEXT;
	ret->l4 = ct_bytes_from(v, off);
	return CT_REASON_NONE;
}

static enum ct_reason parse_ip6(struct ct_pkt *ret, struct ct_bytes v,
				uint32_t detail[static CT_DETAIL_MAX])
{
	enum ct_reason reason = CT_REASON_NONE;
	const uint8_t *h = ct_bytes_get(v, 0, IP6_HLEN, CT_REASON_IP_HEADER, &reason, detail);

	if (!h)
		return reason;
	memcpy(ret->src.b, h + 8, 16);
	memcpy(ret->dst.b, h + 24, 16);
	ret->has_addrs = true;
	ret->hoplimit = h[7];
	ret->proto = h[6];
	return skip_ext_headers(ret, v, h[6], detail);
}

enum ct_reason ct_pkt_parse(struct ct_pkt *ret, struct ct_bytes v, uint8_t family,
			    uint32_t detail[static CT_DETAIL_MAX])
{
	*ret = (struct ct_pkt){.family = family, .l4 = {.data = v.data}};
	switch (family) {
	case CT_AF_INET:
		return parse_ip4(ret, v, detail);
	case CT_AF_INET6:
		return parse_ip6(ret, v, detail);
	default:
		detail[0] = v.len;
		detail[1] = IP4_HLEN;
		return CT_REASON_IP_HEADER;
	}
}
