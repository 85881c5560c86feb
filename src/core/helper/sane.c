/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * SANE: scanners in the network (semantics 6.5; the SANE standard, 5.2).
 *
 * The image of a scan comes by a connection of its own. The client asks for it with NET_START, and
 * the server's answer to that, if it is a success, says to which of its ports the client may
 * connect. Requests are known by their length: NET_START is a code and a handle, eight bytes.
 * Answers do not say what they answer, so the helper remembers whether the last such request was
 * one; requests of other lengths are part of something longer and say nothing about it.
 */

#include "core/helper/helper.h"
#include "core/pkt.h"

#define NET_START   7
#define REQUEST_LEN 8
#define ANSWER_LEN  8 /* of the part that matters: status, zero, port */
#define SUCCESS	    0

static void read_request(struct ct_help *h)
{
	if (h->payload.len == REQUEST_LEN && h->payload.cap == REQUEST_LEN)
		h->kin->priv.sane.armed = ct_read_be32(h->payload.data) == NET_START;
}

static enum ct_help_result read_answer(struct ct_help *h)
{
	struct ct_expect_spec spec = ct_help_spec(h, CT_PROTO_TCP);
	const uint8_t *b = h->payload.data;

	if (!h->kin->priv.sane.armed || h->payload.len == 0)
		return CT_HELP_ACCEPT;
	h->kin->priv.sane.armed = false;
	if (h->payload.cap < ANSWER_LEN || ct_read_be32(b) != SUCCESS || ct_read_be16(b + 4) != 0)
		return CT_HELP_ACCEPT;
	spec.tuple.src = h->tuple[CT_DIR_ORIGINAL].src;
	spec.tuple.dst = h->tuple[CT_DIR_ORIGINAL].dst;
	spec.tuple.dst_id_be = ct_read_raw16(b + 6);
	spec.any_src_id = true;
	return ct_help_expect(h, &spec);
}

static enum ct_help_result help(struct ct_help *h)
{
	if (h->info == CT_INFO_ESTABLISHED)
		read_request(h);
	else if (h->info == CT_INFO_ESTABLISHED_REPLY)
		return read_answer(h);
	return CT_HELP_ACCEPT;
}

const struct ct_helper ct_helper_sane = {
	.facts = &ct_helper_facts[CT_HELPER_SANE],
	.help = help,
};
