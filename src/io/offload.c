/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/offload.h"

#include "core/checksum.h"

#define TCP_AT	 16
#define UDP_AT	 6
#define SCTP_AT	 8
#define SCTP_LEN 4

/* One right checksum of 65536 looks like that, too. */
static bool is_left(const struct ct_pkt *pkt, uint32_t at)
{
	uint32_t detail[2];

	if (pkt->l4.cap < at + 2 || !ct_checksum_is_left(pkt, at))
		return false;
	return pkt->l4.cap < pkt->l4.len || !ct_checksum_ok(pkt, at, detail);
}

bool offload_left(const struct link_packet *p)
{
	const struct ct_bytes v = {.data = p->data, .cap = p->caplen, .len = p->len};
	uint32_t detail[CT_DETAIL_MAX];
	struct ct_pkt pkt;

	if (ct_pkt_parse(&pkt, v, p->family, detail) != CT_REASON_NONE || pkt.fragment)
		return false;
	switch (pkt.proto) {
	case CT_PROTO_TCP:
		return is_left(&pkt, TCP_AT);
	case CT_PROTO_UDP:
		return is_left(&pkt, UDP_AT);
	case CT_PROTO_SCTP: /* a CRC has no such half: the field is empty */
		return pkt.l4.cap >= SCTP_AT + SCTP_LEN && ct_read_be32(pkt.l4.data + SCTP_AT) == 0;
	default:
		return false;
	}
}
