/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * ICMPv6 (semantics 5.6): echo and node information queries are flows of their own. Neighbour and
 * multicast listener discovery is UNTRACKED, errors and redirects belong to other flows; both were
 * dealt with before (related.c).
 */

#include "core/icmp.h"

static bool check(struct ct_step *s)
{
	return ct_icmp_check(s, CT_AF_INET6);
}

static enum ct_judgement track(struct ct_step *s)
{
	uint8_t type = ct_tuple_icmp_type(&s->tuple);

	return ct_icmp_query(s, type == CT_ICMP6_ECHO || type == CT_ICMP6_NI_QUERY,
			     CT_TIMEOUT_ICMPV6);
}

const struct ct_proto ct_proto_icmp6 = {.check = check, .track = track, .icmp = true};
