/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * UDP (semantics 5.1).
 *
 * Two lifetimes: a question waits the short time, a conversation the long one. What makes it a
 * conversation is traffic in both directions more than two seconds after the first packet; a query
 * and its answer are over by then, need not be kept and are never ASSURED.
 *
 * The two seconds count from the packet that made the flow. SEEN_REPLY is looked at as it was
 * before this packet: the first reply, however late, still gets the short time.
 */

#include "core/proto.h"

#define HLEN	    8
#define AT_LENGTH   4
#define AT_CHECKSUM 6
#define STREAM_NS   2000000000ULL

static bool check(struct ct_step *s)
{
	const uint8_t *h = ct_step_header(s, HLEN);
	uint32_t length;

	if (!h)
		return false;
	length = ct_read_be16(h + AT_LENGTH);
	/* a first fragment has only a part of the datagram that its header speaks of */
	if (length < HLEN || (length > s->pkt.l4.len && !s->pkt.fragment)) {
		ct_step_invalid(s, CT_REASON_UDP_LENGTH, length, s->pkt.l4.len, 0, 0);
		return false;
	}
	if (ct_read_raw16(h + AT_CHECKSUM) == 0)
		return true; /* the sender computed none */
	return ct_step_checksum(s, AT_CHECKSUM);
}

static enum ct_judgement track(struct ct_step *s)
{
	bool two_way = s->flow->status & CT_STATUS_SEEN_REPLY;

	if (s->fresh)
		s->flow->l4.udp.stream_ns = s->in->now_ns + STREAM_NS;
	if (two_way && s->in->now_ns > s->flow->l4.udp.stream_ns) {
		ct_step_refresh(s, ct_step_timeout(s, CT_TIMEOUT_UDP_STREAM));
		ct_step_assure(s);
	} else {
		ct_step_refresh(s, ct_step_timeout(s, CT_TIMEOUT_UDP));
	}
	return CT_JUDGE_ACCEPT;
}

const struct ct_proto ct_proto_udp = {.check = check, .track = track, .joins = true};
