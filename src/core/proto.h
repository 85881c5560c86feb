/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "core/step.h"

/*
 * A protocol tracker.
 *
 * check() judges the packet by itself (header, lengths, checksum) before any flow is looked up and
 * without a lock; false means INVALID. track() judges it as a part of step->flow, which was just
 * made if step->fresh. icmp is set for the protocols that carry errors about other flows.
 */
struct ct_proto {
	bool (*check)(struct ct_step *s);
	enum ct_judgement (*track)(struct ct_step *s);
	bool icmp;
	/* two first packets of one flow on their way at once: the second joins the first */
	bool joins;
	/* is a flow in this state about to end, so that it may be ended early? NULL: never */
	bool (*closing)(uint8_t state);
};

extern const struct ct_proto ct_proto_tcp, ct_proto_udp, ct_proto_icmp, ct_proto_icmp6,
	ct_proto_udplite, ct_proto_sctp, ct_proto_gre, ct_proto_generic;

/* The tracker of an IP protocol; never NULL. */
const struct ct_proto *ct_proto_get(uint8_t proto);
