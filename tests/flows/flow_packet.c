/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/flows/flow_packet.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "tests/flows/flow_data.h"
#include "tests/flows/flow_icmp.h"
#include "tests/flows/flow_sctp.h"
#include "util/cleanup.h"

enum {
	IPPROTO_ICMP_ = 1,
	IPPROTO_TCP_ = 6,
	IPPROTO_UDP_ = 17,
	IPPROTO_GRE_ = 47,
	IPPROTO_ICMPV6_ = 58,
	IPPROTO_SCTP_ = 132,
	IPPROTO_UDPLITE_ = 136,
};

#define DSCP_DROPPED 0x10 /* the router's rule knows such packets by this */

/* --- addresses ---------------------------------------------------------------------- */

static union ct_addr addr4(enum flow_host host, uint16_t number)
{
	static const uint8_t net[FLOW_HOST_MAX] = {1, 3, 2, 4, 9, 9, 0};
	union ct_addr a = {.b = {10, net[host], (uint8_t)(number >> 8), (uint8_t)number}};

	if (host == FLOW_HOST_ALL)
		a = (union ct_addr){.b = {224, 0, 0, 1}};
	return a;
}

static union ct_addr addr6(enum flow_host host, uint16_t number)
{
	static const uint8_t net[FLOW_HOST_MAX] = {1, 3, 2, 4, 9, 0, 0};
	union ct_addr a = {.b = {0xfd, 0, 0, net[host]}};

	if (host == FLOW_HOST_LINK)
		a = (union ct_addr){.b = {0xfe, 0x80}};
	if (host == FLOW_HOST_ALL)
		return (union ct_addr){.b = {0xff, 2, [15] = 1}};
	a.b[14] = (uint8_t)(number >> 8);
	a.b[15] = (uint8_t)number;
	return a;
}

union ct_addr flow_host_addr(enum flow_host host, uint8_t family, uint16_t number)
{
	return family == CT_AF_INET ? addr4(host, number) : addr6(host, number);
}

static bool is_client(enum flow_host host)
{
	return host == FLOW_HOST_A || host == FLOW_HOST_A2;
}

static bool is_server(enum flow_host host)
{
	return host == FLOW_HOST_B || host == FLOW_HOST_B2;
}

bool flow_packet_from_client(const struct flow_packet *p)
{
	if (is_client(p->src) || is_server(p->src))
		return is_client(p->src);
	return !is_client(p->dst);
}

/* --- bytes -------------------------------------------------------------------------- */

static void put8(struct flow_bytes *b, unsigned int v)
{
	if (b->len < FLOW_BYTES_MAX)
		b->data[b->len++] = (uint8_t)v;
}

static void put16(struct flow_bytes *b, unsigned int v)
{
	put8(b, v >> 8);
	put8(b, v);
}

static void put32(struct flow_bytes *b, uint32_t v)
{
	put16(b, v >> 16);
	put16(b, v);
}

static void put_bytes(struct flow_bytes *b, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put8(b, bytes[i]);
}

static void put_counting(struct flow_bytes *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put8(b, (unsigned int)i + 1);
}

/* The text of a packet, then as many bytes as it says. Returns how many there are, or -EINVAL. */
static int put_payload(struct flow_bytes *b, const struct flow_packet *p, uint8_t family,
		       uint16_t number)
{
	int n = 0;

	if (p->data)
		n = flow_data_expand(p->data, family, number, b->data + b->len,
				     FLOW_BYTES_MAX - b->len);
	if (n < 0)
		return n;
	b->len += (size_t)n;
	put_counting(b, p->len);
	return n + (int)p->len;
}

static void set16(struct flow_bytes *b, size_t at, unsigned int v)
{
	b->data[at] = (uint8_t)(v >> 8);
	b->data[at + 1] = (uint8_t)v;
}

static uint32_t sum(uint32_t start, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		start += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return start;
}

static unsigned int fold(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return ~s & 0xffff;
}

/* --- transport ----------------------------------------------------------------------- */

static const struct flow_icmp *icmp_kind(const struct flow_packet *p)
{
	return p->icmp_kind == FLOW_UNSET ? NULL : &flow_icmp_types[p->icmp_kind];
}

static int icmp_type(const struct flow_packet *p, uint8_t family)
{
	const struct flow_icmp *kind = icmp_kind(p);

	if (!kind)
		return (int)p->icmp_type;
	return family == CT_AF_INET ? kind->type4 : kind->type6;
}

static int icmp_code(const struct flow_packet *p, uint8_t family)
{
	const struct flow_icmp *kind = icmp_kind(p);

	if (p->icmp_code != FLOW_UNSET || !kind)
		return p->icmp_code == FLOW_UNSET ? 0 : p->icmp_code;
	return family == CT_AF_INET ? kind->code4 : kind->code6;
}

static unsigned int protocol(const struct flow_packet *p, uint8_t family)
{
	switch (p->l4) {
	case FLOW_TCP:
		return IPPROTO_TCP_;
	case FLOW_UDP:
		return IPPROTO_UDP_;
	case FLOW_ICMP:
		return family == CT_AF_INET ? IPPROTO_ICMP_ : IPPROTO_ICMPV6_;
	case FLOW_ICMP_ALIEN:
		return family == CT_AF_INET ? IPPROTO_ICMPV6_ : IPPROTO_ICMP_;
	case FLOW_SCTP:
		return IPPROTO_SCTP_;
	case FLOW_GRE:
		return IPPROTO_GRE_;
	case FLOW_UDPLITE:
		return IPPROTO_UDPLITE_;
	case FLOW_PROTO:
		break;
	}
	return p->proto;
}

static int put_tcp(struct flow_bytes *b, const struct flow_packet *p, uint8_t family,
		   uint16_t number)
{
	unsigned int words = p->doff == FLOW_UNSET ? 5 + p->optlen / 4 : (unsigned int)p->doff;

	put16(b, p->sport);
	put16(b, p->dport);
	put32(b, p->seq);
	put32(b, p->ack);
	put16(b, words << 12 | p->flags);
	put16(b, p->win);
	put32(b, 0);
	put_bytes(b, p->opt, p->optlen);
	return put_payload(b, p, family, number);
}

static int put_udp(struct flow_bytes *b, const struct flow_packet *p, uint8_t family,
		   uint16_t number)
{
	size_t at = b->len;
	int n;

	put16(b, p->sport);
	put16(b, p->dport);
	put32(b, 0);
	n = put_payload(b, p, family, number);
	if (n >= 0)
		set16(b, at + 4,
		      p->udplen == FLOW_UNSET ? 8 + (unsigned int)n : (unsigned int)p->udplen);
	return n;
}

static void put_udplite(struct flow_bytes *b, const struct flow_packet *p)
{
	put16(b, p->sport);
	put16(b, p->dport);
	put16(b, p->coverage == FLOW_UNSET ? 0 : (unsigned int)p->coverage);
	put16(b, 0);
	put_counting(b, p->len);
}

static void put_sctp(struct flow_bytes *b, const struct flow_packet *p)
{
	put16(b, p->sport);
	put16(b, p->dport);
	put32(b, p->vtag);
	put32(b, 0);
	b->len += flow_chunk_bytes(p, b->data + b->len, FLOW_BYTES_MAX - b->len);
	put_counting(b, p->len);
}

/* Version 1 as PPTP has it: key of payload length and call id, a sequence number. */
static void put_gre1(struct flow_bytes *b, const struct flow_packet *p)
{
	put16(b, 0x3001);
	put16(b, p->gre_proto == FLOW_UNSET ? 0x880b : (unsigned int)p->gre_proto);
	put16(b, p->len);
	put16(b, p->gre_call);
	put32(b, 1);
}

static void put_gre(struct flow_bytes *b, const struct flow_packet *p)
{
	if (p->gre_version == 1) {
		put_gre1(b, p);
	} else {
		put16(b, (p->gre_keyed ? 0x2000 : 0) | p->gre_version);
		put16(b, p->gre_proto == FLOW_UNSET ? 0x0800 : (unsigned int)p->gre_proto);
		if (p->gre_keyed)
			put32(b, p->gre_key);
	}
	put_counting(b, p->len);
}

/* What an ICMP error or redirect says about: target and destination, options, the quoted packet. */
static int put_quote(struct flow_bytes *b, const struct flow_packet *p, uint8_t family,
		     uint16_t number, bool redirect)
{
	struct flow_bytes inner;
	union ct_addr addr;

	if (!p->quote)
		return 0;
	if (flow_packet_build(p->quote, family, number, &inner) < 0)
		return -EINVAL;
	if (redirect) {
		addr = flow_host_addr(FLOW_HOST_LINK, family, number);
		put_bytes(b, addr.b, 16);
		addr = flow_host_addr(p->quote->dst, family, number);
		put_bytes(b, addr.b, 16);
	}
	if (redirect && p->rd_option) {
		put8(b, (unsigned int)p->rd_option);
		put8(b, p->rd_optlen == FLOW_UNSET ? 1 + (unsigned int)inner.len / 8
						   : (unsigned int)p->rd_optlen);
		put16(b, 0);
		put32(b, 0);
	}
	put_bytes(b, inner.data, inner.len);
	return 0;
}

static int put_icmp(struct flow_bytes *b, const struct flow_packet *p, uint8_t family,
		    uint16_t number)
{
	int type = icmp_type(p, family), code = icmp_code(p, family);

	if (type < 0 || code < 0)
		return -EINVAL;
	put8(b, (unsigned int)type);
	put8(b, (unsigned int)code);
	put16(b, 0);
	put16(b, p->icmp_id);
	put16(b, p->quote ? 0 : 1);
	if (put_quote(b, p, family, number, family == CT_AF_INET6 && type == 137) < 0)
		return -EINVAL;
	put_counting(b, p->len);
	return 0;
}

static int put_transport(struct flow_bytes *b, const struct flow_packet *p, uint8_t family,
			 uint16_t number)
{
	switch (p->l4) {
	case FLOW_TCP:
		return put_tcp(b, p, family, number);
	case FLOW_UDP:
		return put_udp(b, p, family, number);
	case FLOW_ICMP:
	case FLOW_ICMP_ALIEN:
		return put_icmp(b, p, family, number);
	case FLOW_SCTP:
		put_sctp(b, p);
		return 0;
	case FLOW_GRE:
		put_gre(b, p);
		return 0;
	case FLOW_UDPLITE:
		put_udplite(b, p);
		return 0;
	case FLOW_PROTO:
		break;
	}
	put_counting(b, p->len);
	return 0;
}

/* Where the checksum of a transport is, 0 if it has none. */
static size_t checksum_at(unsigned int proto)
{
	switch (proto) {
	case IPPROTO_TCP_:
		return 16;
	case IPPROTO_UDP_:
	case IPPROTO_UDPLITE_:
		return 6;
	case IPPROTO_ICMP_:
	case IPPROTO_ICMPV6_:
		return 2;
	default:
		return 0;
	}
}

static void put_crc(struct flow_bytes *b, const struct flow_packet *p, size_t l4)
{
	uint32_t crc;

	if (l4 + 12 > b->len || p->nosum)
		return;
	crc = flow_sctp_checksum(b->data + l4, b->len - l4) ^ (p->badsum ? 0x5555 : 0);
	for (size_t i = 0; i < 4; i++)
		b->data[l4 + 8 + i] = (uint8_t)(crc >> 8 * i);
}

/* Bytes that the checksum covers of n. */
static size_t covered(const struct flow_packet *p, size_t n)
{
	if (p->l4 != FLOW_UDPLITE || p->coverage <= 0 || (size_t)p->coverage > n)
		return n;
	return (size_t)p->coverage;
}

static void put_checksum(struct flow_bytes *b, const struct flow_packet *p, uint8_t family,
			 uint16_t number, size_t l4)
{
	unsigned int proto = protocol(p, family);
	size_t at = checksum_at(proto), alen = family == CT_AF_INET ? 4 : 16;
	union ct_addr src = flow_host_addr(p->src, family, number);
	union ct_addr dst = flow_host_addr(p->dst, family, number);
	uint32_t s = sum(0, b->data + l4, covered(p, b->len - l4));
	uint32_t len = (uint32_t)(b->len - l4);

	if (p->l4 == FLOW_SCTP)
		put_crc(b, p, l4);
	if (!at || l4 + at + 2 > b->len || p->nosum)
		return;
	if (p->udpsum) {
		proto = IPPROTO_UDP_;
		len = family == CT_AF_INET ? len & 0xff : len;
	}
	if (proto != IPPROTO_ICMP_)
		s = sum(sum(s, src.b, alen), dst.b, alen) + proto + len;
	s = fold(s);
	if ((proto == IPPROTO_UDP_ || proto == IPPROTO_UDPLITE_) && s == 0)
		s = 0xffff;
	set16(b, l4 + at, p->badsum ? s ^ 0x5555 : s);
}

/* --- network -------------------------------------------------------------------------- */

static void put_ipv4(struct flow_bytes *b, const struct flow_packet *p, uint16_t number)
{
	union ct_addr src = flow_host_addr(p->src, CT_AF_INET, number);
	union ct_addr dst = flow_host_addr(p->dst, CT_AF_INET, number);

	put8(b, 0x40 | (5 + (p->ipopt + 3) / 4));
	put8(b, p->dropped ? DSCP_DROPPED : 0);
	put16(b, 0);
	put16(b, 0x1234);
	put16(b, p->fragoff == FLOW_UNSET ? 0 : (unsigned int)p->fragoff);
	put8(b, p->ttl == FLOW_UNSET ? 64 : (unsigned int)p->ttl);
	put8(b, protocol(p, CT_AF_INET));
	put16(b, 0);
	put_bytes(b, src.b, 4);
	put_bytes(b, dst.b, 4);
	for (unsigned int i = 0; i < (p->ipopt + 3) / 4 * 4; i++)
		put8(b, i < p->ipopt ? 1 : 0);
}

void flow_packet_fit(struct flow_bytes *b, uint8_t family)
{
	size_t header = 4 * (size_t)(b->data[0] & 15);

	if (family == CT_AF_INET6) {
		set16(b, 4, (unsigned int)(b->len - 40));
		return;
	}
	set16(b, 2, (unsigned int)b->len);
	set16(b, 10, 0);
	set16(b, 10, fold(sum(0, b->data, header < b->len ? header : b->len)));
}

static unsigned int ext_number(enum flow_ext ext)
{
	static const uint8_t numbers[] = {0, 43, 60, 51, 44};

	return numbers[ext];
}

static void put_ext(struct flow_bytes *b, enum flow_ext ext, unsigned int next)
{
	put8(b, next);
	switch (ext) {
	case FLOW_EXT_HOP:
	case FLOW_EXT_DEST:
		put8(b, 0);
		put_bytes(b, (const uint8_t[]){1, 4, 0, 0, 0, 0}, 6); /* PadN */
		break;
	case FLOW_EXT_ROUTING:
		put8(b, 0);
		put_bytes(b, (const uint8_t[6]){253}, 6); /* experimental type, no segments left */
		break;
	case FLOW_EXT_AH:
		put8(b, 4);
		put_counting(b, 22);
		break;
	case FLOW_EXT_ATOMIC:
		put8(b, 0);
		put16(b, 0);
		put32(b, 0x1234);
		break;
	}
}

static void put_ipv6(struct flow_bytes *b, const struct flow_packet *p, uint16_t number)
{
	union ct_addr src = flow_host_addr(p->src, CT_AF_INET6, number);
	union ct_addr dst = flow_host_addr(p->dst, CT_AF_INET6, number);
	unsigned int last = p->no_next ? 59 : protocol(p, CT_AF_INET6);
	bool fragment = p->fragoff != FLOW_UNSET;

	put32(b, 6u << 28 | (p->dropped ? DSCP_DROPPED << 20 : 0));
	put16(b, 0);
	put8(b, p->next ? ext_number(p->ext[0]) : fragment ? 44 : last);
	put8(b, p->ttl == FLOW_UNSET ? 64 : (unsigned int)p->ttl);
	put_bytes(b, src.b, 16);
	put_bytes(b, dst.b, 16);
	for (unsigned int i = 0; i < p->next; i++) {
		unsigned int next = fragment ? 44 : last;

		put_ext(b, p->ext[i], i + 1 < p->next ? ext_number(p->ext[i + 1]) : next);
	}
	if (fragment) {
		put8(b, last);
		put8(b, 0);
		put16(b, (unsigned int)p->fragoff << 3);
		put32(b, 0x1234);
	}
}

static void shorten(struct flow_bytes *b, size_t from, int keep)
{
	if (keep != FLOW_UNSET && b->len > from + (size_t)keep)
		b->len = from + (size_t)keep;
}

int flow_packet_build(const struct flow_packet *p, uint8_t family, uint16_t number,
		      struct flow_bytes *ret)
{
	size_t l4, fixed = family == CT_AF_INET ? 20 : 40;

	ret->len = 0;
	if (family == CT_AF_INET ? p->next || p->no_next : p->ipopt)
		return -EINVAL;
	if (family == CT_AF_INET)
		put_ipv4(ret, p, number);
	else
		put_ipv6(ret, p, number);
	l4 = ret->len;
	if (put_transport(ret, p, family, number) < 0 || ret->len == FLOW_BYTES_MAX)
		return -EINVAL;
	shorten(ret, l4, p->cut);
	put_checksum(ret, p, family, number, l4);
	shorten(ret, fixed, p->ipcut);
	flow_packet_fit(ret, family);
	return 0;
}

bool flow_packet_tuple(const struct flow_packet *p, uint8_t family, uint16_t number,
		       struct ct_tuple *ret)
{
	if (p->quote)
		p = p->quote;
	*ret = (struct ct_tuple){.src = flow_host_addr(p->src, family, number),
				 .dst = flow_host_addr(p->dst, family, number),
				 .family = family,
				 .proto = (uint8_t)protocol(p, family)};
	if (p->l4 == FLOW_TCP || p->l4 == FLOW_UDP || p->l4 == FLOW_UDPLITE || p->l4 == FLOW_SCTP) {
		ret->src_id_be = htobe16((uint16_t)p->sport);
		ret->dst_id_be = htobe16((uint16_t)p->dport);
	} else if (p->l4 == FLOW_GRE && p->gre_version == 1 &&
		   (p->cut == FLOW_UNSET || p->cut >= 8)) {
		ret->src_id_be = htobe16((uint16_t)p->gre_own);
		ret->dst_id_be = htobe16((uint16_t)p->gre_call);
	} else if (p->l4 == FLOW_ICMP) {
		int type = icmp_type(p, family), code = icmp_code(p, family);

		if (type < 0 || code < 0)
			return false;
		ret->src_id_be = htobe16((uint16_t)p->icmp_id);
		ret->dst_id_be = htobe16((uint16_t)(type << 8 | code));
	}
	return true;
}
