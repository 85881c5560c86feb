/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/decode.h"

#include "core/icmp.h"
#include "core/tcp.h"

#define IP4_HLEN	   20
#define IP6_HLEN	   40
#define TCP_HLEN	   20
#define UDP_HLEN	   8
#define ICMP_HLEN	   8
#define SCTP_HLEN	   12
#define SCTP_CHUNK_HLEN	   4
#define GRE_HLEN	   4
#define GRE_CALL_HLEN	   8
#define ICMP6_REDIRECT_LEN 48 /* with the head of the option that quotes */

/* ---- TCP ---- */

enum tcp_option { OPT_END, OPT_NOP, OPT_MSS, OPT_SCALE, OPT_SACK_OK, OPT_SACK, OPT_STAMP = 8 };

static void read_sacks(struct decoded_tcp *tcp, const uint8_t *p, uint32_t len)
{
	for (; len >= 8 && tcp->nsacks < DECODE_SACKS_MAX; p += 8, len -= 8)
		tcp->sack[tcp->nsacks++] =
			(struct decoded_sack){ct_read_be32(p), ct_read_be32(p + 4)};
}

/* The option at p, of len bytes with its head. */
static void read_option(struct decoded_tcp *tcp, const uint8_t *p, uint32_t len)
{
	if (p[0] == OPT_MSS && len == 4) {
		tcp->has_mss = true;
		tcp->mss = ct_read_be16(p + 2);
	} else if (p[0] == OPT_SCALE && len == 3) {
		tcp->has_scale = true;
		tcp->scale = p[2];
	} else if (p[0] == OPT_SACK_OK && len == 2) {
		tcp->sack_permitted = true;
	} else if (p[0] == OPT_SACK) {
		read_sacks(tcp, p + 2, len - 2);
	} else if (p[0] == OPT_STAMP && len == 10) {
		tcp->has_stamp = true;
		tcp->stamp = ct_read_be32(p + 2);
		tcp->stamp_echo = ct_read_be32(p + 6);
	}
}

/* False: they do not fit into len bytes. */
static bool read_options(struct decoded_tcp *tcp, const uint8_t *p, uint32_t len)
{
	while (len > 0 && p[0] != OPT_END) {
		uint32_t n = 1;

		if (p[0] != OPT_NOP) {
			if (len < 2 || p[1] < 2 || p[1] > len)
				return false;
			n = p[1];
			read_option(tcp, p, n);
		}
		p += n;
		len -= n;
	}
	return true;
}

static void read_tcp(struct decoded *d, struct ct_bytes v)
{
	const uint8_t *h = v.data;
	uint32_t hlen, there;

	if (v.cap < TCP_HLEN)
		return;
	d->kind = DECODE_TCP;
	d->payload = 0;
	d->tcp = (struct decoded_tcp){
		.seq = ct_read_be32(h + 4),
		.ack = ct_read_be32(h + 8),
		.flags = h[13],
		.window = ct_read_be16(h + 14),
	};
	hlen = (uint32_t)(h[12] >> 4) * 4;
	if (hlen < TCP_HLEN || hlen > v.len) {
		d->malformed = true;
		return;
	}
	d->payload = v.len - hlen;
	there = hlen < v.cap ? hlen : v.cap;
	if (!read_options(&d->tcp, h + TCP_HLEN, there - TCP_HLEN) && hlen <= v.cap)
		d->malformed = true;
}

/* ---- UDP, SCTP, GRE ---- */

static void read_udp(struct decoded *d, struct ct_bytes v)
{
	if (v.cap < UDP_HLEN)
		return;
	d->kind = DECODE_UDP;
	d->payload = v.len - UDP_HLEN;
}

static void read_sctp(struct decoded *d, struct ct_bytes v)
{
	uint32_t off = SCTP_HLEN;

	if (v.cap < SCTP_HLEN)
		return;
	d->kind = DECODE_SCTP;
	d->payload = v.len - SCTP_HLEN;
	d->sctp = (struct decoded_sctp){.vtag = ct_read_be32(v.data + 4)};
	while (off < v.cap && v.cap - off >= SCTP_CHUNK_HLEN) {
		uint32_t len = ct_read_be16(v.data + off + 2);

		if (d->sctp.nchunks == DECODE_CHUNKS_MAX) {
			d->sctp.more = true;
			return;
		}
		d->sctp.chunk[d->sctp.nchunks++] = v.data[off];
		if (len < SCTP_CHUNK_HLEN || len > v.len - off) {
			d->malformed = true;
			return;
		}
		off += (len + 3) & ~3u;
	}
}

static void read_gre(struct decoded *d, struct ct_bytes v)
{
	if (v.cap < GRE_HLEN)
		return;
	d->kind = DECODE_GRE;
	d->payload = v.len - GRE_HLEN;
	d->gre = (struct decoded_gre){
		.version = v.data[1] & 7,
		.proto = ct_read_be16(v.data + 2),
	};
	if (d->gre.version == 1 && v.cap >= GRE_CALL_HLEN) {
		d->gre.has_call = true;
		d->gre.call = ct_read_be16(v.data + 6);
	}
}

/* ---- ICMP ---- */

static bool is_icmp(uint8_t proto)
{
	return proto == CT_PROTO_ICMP || proto == CT_PROTO_ICMPV6;
}

static void read_quote(struct decoded_quote *ret, struct ct_bytes v, uint8_t family)
{
	uint32_t unused[CT_DETAIL_MAX];
	struct ct_pkt pkt;
	enum ct_reason reason = ct_pkt_parse(&pkt, v, family, unused);

	if (!pkt.has_addrs)
		return;
	*ret = (struct decoded_quote){
		.present = true,
		.family = family,
		.proto = pkt.proto,
		.src = pkt.src,
		.dst = pkt.dst,
	};
	if (reason != CT_REASON_NONE)
		return;
	if (ct_has_ports(pkt.proto) && pkt.l4.cap >= 4) {
		ret->has_ports = true;
		ret->sport = ct_read_be16(pkt.l4.data);
		ret->dport = ct_read_be16(pkt.l4.data + 2);
	} else if (is_icmp(pkt.proto) && pkt.l4.cap >= ICMP_HLEN) {
		ret->has_icmp = true;
		ret->icmp_type = pkt.l4.data[0];
		ret->icmp_code = pkt.l4.data[1];
		ret->icmp_id = ct_read_be16(pkt.l4.data + 4);
	}
}

/* Errors of IPv4; 0: the type quotes nothing. */
static uint32_t quote_at4(uint8_t type)
{
	switch (type) {
	case CT_ICMP_UNREACH:
	case CT_ICMP_QUENCH:
	case CT_ICMP_REDIRECT:
	case CT_ICMP_EXCEEDED:
	case CT_ICMP_PARAMETER:
		return ICMP_HLEN;
	default:
		return 0;
	}
}

static uint32_t quote_at6(uint8_t type)
{
	if (type == CT_ICMP6_REDIRECT)
		return ICMP6_REDIRECT_LEN;
	return type <= CT_ICMP6_ERROR_MAX ? ICMP_HLEN : 0;
}

static bool has_id(uint8_t proto, uint8_t type)
{
	if (proto == CT_PROTO_ICMPV6)
		return type == 128 || type == 129;
	return type == 0 || type == 8 || (type >= 13 && type <= 18);
}

static void read_icmp(struct decoded *d, struct ct_bytes v)
{
	bool six = d->proto == CT_PROTO_ICMPV6;
	struct decoded_icmp *icmp = &d->icmp;
	uint32_t at;

	if (v.cap < ICMP_HLEN)
		return;
	d->kind = six ? DECODE_ICMP6 : DECODE_ICMP;
	d->payload = v.len - ICMP_HLEN;
	*icmp = (struct decoded_icmp){.type = v.data[0], .code = v.data[1]};
	icmp->has_id = has_id(d->proto, icmp->type);
	if (icmp->has_id) {
		icmp->id = ct_read_be16(v.data + 4);
		icmp->seq = ct_read_be16(v.data + 6);
	} else if (six && icmp->type == 2) {
		icmp->mtu = ct_read_be32(v.data + 4);
	} else if (!six && icmp->type == CT_ICMP_UNREACH && icmp->code == 4) {
		icmp->mtu = ct_read_be16(v.data + 6);
	}
	at = six ? quote_at6(icmp->type) : quote_at4(icmp->type);
	if (at)
		read_quote(&icmp->quote, ct_bytes_from(v, at), d->family);
}

/* ---- the packet ---- */

/* Its length as its header has it, if that is less than what there is. */
static uint32_t packet_len(struct ct_bytes v, uint8_t family)
{
	uint32_t len = v.len;

	if (family == CT_AF_INET && v.cap >= IP4_HLEN)
		len = ct_read_be16(v.data + 2);
	else if (family == CT_AF_INET6 && v.cap >= IP6_HLEN && ct_read_be16(v.data + 4))
		len = IP6_HLEN + ct_read_be16(v.data + 4);
	return len && len < v.len ? len : v.len;
}

static void read_ports(struct decoded *d, struct ct_bytes v)
{
	if (!ct_has_ports(d->proto) || v.cap < 4)
		return;
	d->has_ports = true;
	d->sport = ct_read_be16(v.data);
	d->dport = ct_read_be16(v.data + 2);
}

static void read_transport(struct decoded *d, struct ct_bytes v)
{
	d->kind = DECODE_OTHER;
	d->payload = v.len;
	read_ports(d, v);
	switch (d->proto) {
	case CT_PROTO_TCP:
		read_tcp(d, v);
		break;
	case CT_PROTO_UDP:
	case CT_PROTO_UDPLITE:
		read_udp(d, v);
		break;
	case CT_PROTO_ICMP:
	case CT_PROTO_ICMPV6:
		read_icmp(d, v);
		break;
	case CT_PROTO_SCTP:
		read_sctp(d, v);
		break;
	case CT_PROTO_GRE:
		read_gre(d, v);
		break;
	default:
		break;
	}
}

void decode_packet(struct decoded *ret, const uint8_t *data, uint32_t caplen, uint32_t len,
		   uint8_t family)
{
	struct ct_bytes v = {.data = data, .cap = caplen, .len = len > caplen ? len : caplen};
	uint32_t unused[CT_DETAIL_MAX];
	enum ct_reason reason;
	struct ct_pkt pkt;

	v.len = packet_len(v, family);
	v.cap = v.cap < v.len ? v.cap : v.len;
	reason = ct_pkt_parse(&pkt, v, family, unused);
	*ret = (struct decoded){
		.family = family,
		.proto = pkt.proto,
		.hoplimit = pkt.hoplimit,
		.has_addrs = pkt.has_addrs,
		.cut = v.cap < v.len,
		.len = v.len,
		.src = pkt.src,
		.dst = pkt.dst,
		.frag = pkt.frag,
	};
	if (reason == CT_REASON_NONE) {
		read_transport(ret, pkt.l4);
	} else if (reason == CT_REASON_IP_FRAGMENT) {
		ret->kind = DECODE_FRAGMENT;
		ret->payload = pkt.frag.end - pkt.frag.offset;
	} else {
		ret->kind = pkt.has_addrs ? DECODE_OTHER : DECODE_NOTHING;
		ret->malformed = reason != CT_REASON_IP6_NO_NEXT && reason != CT_REASON_COPY_RANGE;
	}
}
