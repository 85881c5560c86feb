/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * TFTP (semantics 6.5, RFC 1350).
 *
 * A server answers a request from a port of its own choice, so the answer is not a reply of the
 * flow that asked: it comes from any port of that host to the port that asked, and the flow that it
 * makes runs the other way round. The request is a flow's first packet, which is why helpers see
 * first packets at all.
 */

#include "core/helper/helper.h"
#include "core/pkt.h"

#define READ_REQUEST  1
#define WRITE_REQUEST 2

static enum ct_help_result help(struct ct_help *h)
{
	const struct ct_tuple *back = &h->tuple[CT_DIR_REPLY];
	struct ct_expect_spec spec = ct_help_spec(h, CT_PROTO_UDP);
	uint16_t opcode;

	if (h->payload.cap < 2)
		return CT_HELP_ACCEPT;
	opcode = ct_read_be16(h->payload.data);
	if (opcode != READ_REQUEST && opcode != WRITE_REQUEST)
		return CT_HELP_ACCEPT;
	spec.tuple.src = back->src;
	spec.tuple.dst = back->dst;
	spec.tuple.dst_id_be = back->dst_id_be;
	spec.any_src_id = true;
	return ct_help_expect(h, &spec);
}

const struct ct_helper ct_helper_tftp = {
	.facts = &ct_helper_facts[CT_HELPER_TFTP],
	.help = help,
};
