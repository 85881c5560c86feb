/* SPDX-License-Identifier: GPL-2.0-or-later */

/* ICMP errors and what they quote, and messages that are not tracked. */

#include <inttypes.h>

#include "core/icmp.h"
#include "tools/ctmark-replay/scene.h"

#define RULE(s, ...) account_say((s)->account, SECTION_RULE, __VA_ARGS__)

static const char *untracked_kind(uint8_t type)
{
	switch (type) {
	case CT_ICMP6_MLD_QUERY:
	case CT_ICMP6_MLD_REPORT:
	case CT_ICMP6_MLD_DONE:
	case CT_ICMP6_MLD2_REPORT:
		return "multicast listener discovery";
	case CT_ICMP6_ROUTER_SOLICIT:
	case CT_ICMP6_ROUTER_ADVERT:
		return "router discovery";
	case CT_ICMP6_NEIGHBOUR_SOLICIT:
	case CT_ICMP6_NEIGHBOUR_ADVERT:
		return "neighbour discovery";
	default:
		return "multicast router discovery";
	}
}

static void untracked(const struct scene *s)
{
	account_put_string(s->account, "rule", "messages of the link have no flow");
	RULE(s,
	     "ICMPv6 type %u is %s. It is sent to a link, not to a partner, and IPv6 does not "
	     "work without it; so it is UNTRACKED, never INVALID. Let it pass by its type.",
	     s->packet->type, untracked_kind(s->packet->type));
}

/* Which packet it was, if it is among the last ones of its flow. */
static void name_quoted(const struct scene *s, const struct anatomy *quote)
{
	uint64_t number = s->flow ? recall_by_print(s->flow, quote->print) : 0;

	if (!s->flow)
		return;
	if (number) {
		RULE(s, "What it quotes is packet %" PRIu64 " of flow %" PRIu64 ".", number,
		     s->record->flow);
		account_put_uint(s->account, "quoted_packet", number);
	} else {
		RULE(s,
		     "What it quotes belongs to flow %" PRIu64 ", but is none of the last packets "
		     "that were seen of it.",
		     s->record->flow);
	}
	account_put_uint(s->account, "quoted_flow", s->record->flow);
}

bool explain_icmp_valid(const struct scene *s)
{
	struct anatomy quote;
	uint8_t info = s->record->out->info;

	if (info == CT_INFO_UNTRACKED) {
		untracked(s);
		return true;
	}
	if ((info != CT_INFO_RELATED && info != CT_INFO_RELATED_REPLY) ||
	    !anatomy_read_quote(&quote, s->packet, s->record->in->zone))
		return false;
	account_put_string(s->account, "rule", "an error belongs to the flow of what it quotes");
	RULE(s, "%s: an ICMP error (type %u code %u) about a packet of a flow, on its way to %s.",
	     ct_info_name((enum ct_info)info), s->packet->type, s->packet->code,
	     info == CT_INFO_RELATED ? "the responder" : "the initiator");
	name_quoted(s, &quote);
	RULE(s, "It neither refreshes the flow nor counts as a reply.");
	return true;
}

void explain_icmp_refused(const struct scene *s)
{
	char sender[SCENE_STRLEN], target[SCENE_STRLEN];
	struct anatomy quote;

	if (!anatomy_read_quote(&quote, s->packet, s->record->in->zone))
		return;
	name_quoted(s, &quote);
	if (s->record->out->reason == CT_REASON_ICMP_NO_FLOW)
		RULE(s, "It quotes %s. No flow has these endpoints.",
		     scene_tuple(&quote.tuple, sender));
	if (s->record->out->reason != CT_REASON_ICMP_TARGET)
		return;
	scene_address(quote.ip.family, &quote.ip.src, sender);
	scene_address(s->packet->ip.family, &s->packet->ip.dst, target);
	RULE(s, "It goes to %s, and the quoted packet came from %s.", target, sender);
	account_put_string(s->account, "quoted_sender", sender);
}
