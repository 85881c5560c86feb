/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * UDP-Lite (semantics 5.2).
 *
 * Where UDP has its length, UDP-Lite says how much of the packet its checksum covers (RFC 3828);
 * a packet without a checksum is refused, whether or not checksums are verified. Lifetimes are
 * those of UDP without the rule of two seconds: traffic in both directions makes a stream at once.
 */

#include "core/proto.h"

#define HLEN	    8
#define AT_COVERAGE 4
#define AT_CHECKSUM 6

static bool check(struct ct_step *s)
{
	const uint8_t *h = ct_step_header(s, HLEN);
	uint32_t coverage;

	if (!h)
		return false;
	coverage = ct_read_be16(h + AT_COVERAGE);
	if (coverage == 0)
		coverage = s->pkt.l4.len;
	/* a first fragment has only a part of what its checksum covers */
	if (coverage < HLEN || (coverage > s->pkt.l4.len && !s->pkt.fragment)) {
		ct_step_invalid(s, CT_REASON_UDPLITE_COVERAGE, coverage, s->pkt.l4.len, 0, 0);
		return false;
	}
	if (ct_read_raw16(h + AT_CHECKSUM) == 0) {
		ct_step_invalid(s, CT_REASON_UDPLITE_NO_CHECKSUM, 0, 0, 0, 0);
		return false;
	}
	return ct_step_checksum_part(s, AT_CHECKSUM, coverage);
}

static enum ct_judgement track(struct ct_step *s)
{
	if (s->flow->status & CT_STATUS_SEEN_REPLY) {
		ct_step_refresh(s, ct_step_timeout(s, CT_TIMEOUT_UDP_STREAM));
		ct_step_assure(s);
	} else {
		ct_step_refresh(s, ct_step_timeout(s, CT_TIMEOUT_UDP));
	}
	return CT_JUDGE_ACCEPT;
}

const struct ct_proto ct_proto_udplite = {.check = check, .track = track, .joins = true};
