/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Every protocol without a tracker of its own (semantics 5.3): one flow per pair of addresses and
 * protocol, never ASSURED. The tracker needs no header, so an empty packet is fine.
 */

#include "core/proto.h"

static bool check(struct ct_step *s)
{
	return true;
}

static enum ct_judgement track(struct ct_step *s)
{
	ct_step_refresh(s, ct_step_timeout(s, CT_TIMEOUT_GENERIC));
	return CT_JUDGE_ACCEPT;
}

const struct ct_proto ct_proto_generic = {.check = check, .track = track, .joins = true};
