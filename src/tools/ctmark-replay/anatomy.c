/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/anatomy.h"

#include "core/icmp.h"
#include "core/key.h"
#include "core/tcp.h"

#define TCP_HLEN	20
#define ICMP_HLEN	8
#define REDIRECT_QUOTE	48
#define SCTP_HLEN	12
#define SCTP_CHUNK_HLEN 4
#define PORTS_LEN	8

/* Bytes [0, size) of the transport header, or NULL. */
static const uint8_t *header(const struct anatomy *a, uint32_t size)
{
	enum ct_reason unused;
	uint32_t numbers[2];

	return ct_bytes_get(a->ip.l4, 0, size, CT_REASON_L4_HEADER, &unused, numbers);
}

static void read_tcp(struct anatomy *a)
{
	const uint8_t *h = header(a, TCP_HLEN);
	uint32_t hlen;

	if (!h)
		return;
	hlen = (uint32_t)(h[12] >> 4) * 4;
	a->has_tcp = true;
	a->payload = hlen >= TCP_HLEN && hlen < a->ip.l4.len ? a->ip.l4.len - hlen : 0;
	a->tcp = (struct ct_tcp_seg){
		.seq = ct_read_be32(h + 4),
		.ack = ct_read_be32(h + 8),
		.flags = h[13],
		.index = (uint8_t)ct_tcp_index(h[13]),
		.win = ct_read_be16(h + 14),
	};
	if (hlen > TCP_HLEN && header(a, hlen)) {
		a->tcp.opt = h + TCP_HLEN;
		a->tcp.optlen = hlen - TCP_HLEN;
	}
	a->tcp.end =
		a->tcp.seq + a->payload + !!(h[13] & CT_TCP_SYN_FLAG) + !!(h[13] & CT_TCP_FIN_FLAG);
}

static void read_icmp(struct anatomy *a)
{
	const uint8_t *h = header(a, 2);

	if (!h)
		return;
	a->has_icmp = true;
	a->type = h[0];
	a->code = h[1];
}

static void read_sctp(struct anatomy *a)
{
	const uint8_t *h = header(a, SCTP_HLEN + SCTP_CHUNK_HLEN);

	if (!h)
		return;
	a->has_sctp = true;
	a->vtag = ct_read_be32(h + 4);
	a->chunk = h[SCTP_HLEN];
}

/*
 * Of the sender, the identification (IPv4), and the first bytes of the transport header, which is
 * what every error quotes: sequence number of TCP, length and checksum of UDP, number of an echo.
 */
static uint32_t print_of(const struct anatomy *a, struct ct_bytes packet)
{
	const uint8_t *h = header(a, PORTS_LEN);
	uint32_t print = 2166136261U;

	if (a->ip.family == CT_AF_INET && packet.cap >= 6)
		print = (print ^ ct_read_be16(packet.data + 4)) * 16777619U;
	for (size_t i = 0; i < sizeof(a->ip.src.b); i++)
		print = (print ^ a->ip.src.b[i]) * 16777619U;
	for (uint32_t i = 0; h && i < PORTS_LEN; i++)
		print = (print ^ h[i]) * 16777619U;
	return print;
}

static void read_packet(struct anatomy *ret, struct ct_bytes v, uint8_t family, uint16_t zone)
{
	uint32_t unused[CT_DETAIL_MAX];

	*ret = (struct anatomy){0};
	ret->readable = ct_pkt_parse(&ret->ip, v, family, unused) == CT_REASON_NONE;
	if (!ret->readable)
		return;
	ret->print = print_of(ret, v);
	ret->has_tuple = ct_tuple_build(&ret->tuple, &ret->ip, zone, unused) == CT_REASON_NONE;
	if (ret->ip.proto == CT_PROTO_TCP)
		read_tcp(ret);
	else if (ret->ip.proto == CT_PROTO_SCTP)
		read_sctp(ret);
	else if (ret->ip.proto == CT_PROTO_ICMP || ret->ip.proto == CT_PROTO_ICMPV6)
		read_icmp(ret);
}

void anatomy_read(struct anatomy *ret, const struct ct_input *in)
{
	const struct ct_bytes v = {.data = in->data, .cap = in->caplen, .len = in->len};

	read_packet(ret, v, in->family ? in->family : ct_pkt_family(v), in->zone);
}

static bool is_error(const struct anatomy *a)
{
	if (!a->has_icmp)
		return false;
	if (a->ip.proto == CT_PROTO_ICMPV6)
		return a->type <= CT_ICMP6_ERROR_MAX || a->type == CT_ICMP6_REDIRECT;
	return a->type == CT_ICMP_UNREACH || a->type == CT_ICMP_QUENCH ||
	       a->type == CT_ICMP_REDIRECT || a->type == CT_ICMP_EXCEEDED ||
	       a->type == CT_ICMP_PARAMETER;
}

bool anatomy_read_quote(struct anatomy *ret, const struct anatomy *error, uint16_t zone)
{
	bool redirect6 = error->ip.proto == CT_PROTO_ICMPV6 && error->type == CT_ICMP6_REDIRECT;

	if (!is_error(error))
		return false;
	read_packet(ret, ct_bytes_from(error->ip.l4, redirect6 ? REDIRECT_QUOTE : ICMP_HLEN),
		    error->ip.family, zone);
	return ret->readable && ret->has_tuple;
}
