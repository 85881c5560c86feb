/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * GRE (semantics 5.8).
 *
 * What names a flow is decided in tuple.c: the pair of hosts, and for version 1 (PPTP) the call id.
 * No header is needed and nothing else in the packet is looked at.
 *
 * A tunnel lives for the two timeouts that were configured when its first packet came: a later
 * reload changes them for new tunnels only.
 */

#include "core/proto.h"

static bool check(struct ct_step *s)
{
	return true;
}

static enum ct_judgement track(struct ct_step *s)
{
	struct ct_gre *gre = &s->flow->l4.gre;

	if (s->fresh) {
		gre->timeout_ns = ct_step_timeout(s, CT_TIMEOUT_GRE);
		gre->stream_ns = ct_step_timeout(s, CT_TIMEOUT_GRE_STREAM);
	}
	if (s->flow->status & CT_STATUS_SEEN_REPLY) {
		ct_step_refresh(s, gre->stream_ns);
		ct_step_assure(s);
	} else {
		ct_step_refresh(s, gre->timeout_ns);
	}
	return CT_JUDGE_ACCEPT;
}

const struct ct_proto ct_proto_gre = {.check = check, .track = track, .joins = true};
