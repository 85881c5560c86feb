/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * ICMP for IPv4 (semantics 5.4): echo, timestamp, information and address mask queries are flows
 * of their own; errors were dealt with before (related.c).
 *
 * Type, code and identifier make the tuple: a reply with another code is nobody's reply. The
 * sequence number is not looked at. A flow stays for its timeout after the answer, since the same
 * identifier usually asks again; it is never ASSURED.
 */

#include "core/icmp.h"

#define HLEN	    8
#define AT_CHECKSUM 2

bool ct_icmp_check(struct ct_step *s, uint8_t family)
{
	const uint8_t *h = ct_step_header(s, HLEN);

	if (!h)
		return false;
	if (s->pkt.family != family) {
		ct_step_invalid(s, CT_REASON_ICMP_FAMILY, h[0], h[1], 0, 0);
		return false;
	}
	return ct_step_checksum(s, AT_CHECKSUM);
}

enum ct_judgement ct_icmp_query(struct ct_step *s, bool may_create, enum ct_timeout timeout)
{
	if (s->fresh && !may_create)
		return ct_step_invalid(s, CT_REASON_ICMP_UNASKED, ct_tuple_icmp_type(&s->tuple),
				       ct_tuple_icmp_code(&s->tuple),
				       ct_read_be16((const uint8_t *)&s->tuple.src_id_be), 0);
	ct_step_refresh(s, ct_step_timeout(s, timeout));
	return CT_JUDGE_ACCEPT;
}

static bool check(struct ct_step *s)
{
	return ct_icmp_check(s, CT_AF_INET);
}

static enum ct_judgement track(struct ct_step *s)
{
	uint8_t type = ct_tuple_icmp_type(&s->tuple);
	bool request = type == CT_ICMP_ECHO || type == CT_ICMP_TIMESTAMP || type == CT_ICMP_INFO ||
		       type == CT_ICMP_ADDRESS;

	return ct_icmp_query(s, request, CT_TIMEOUT_ICMP);
}

const struct ct_proto ct_proto_icmp = {.check = check, .track = track, .icmp = true};
