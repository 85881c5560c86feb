/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "core/proto.h"

const struct ct_proto *ct_proto_get(uint8_t proto)
{
	switch (proto) {
	case CT_PROTO_TCP:
		return &ct_proto_tcp;
	case CT_PROTO_UDP:
		return &ct_proto_udp;
	case CT_PROTO_ICMP:
		return &ct_proto_icmp;
	case CT_PROTO_ICMPV6:
		return &ct_proto_icmp6;
	case CT_PROTO_UDPLITE:
		return &ct_proto_udplite;
	case CT_PROTO_SCTP:
		return &ct_proto_sctp;
	case CT_PROTO_GRE:
		return &ct_proto_gre;
	default:
		return &ct_proto_generic;
	}
}
