/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The rule that decided: of a packet that was refused, or of the class that it got. */

#include <inttypes.h>

#include "core/icmp.h"
#include "tools/ctmark-replay/reasons.h"
#include "tools/ctmark-replay/scene.h"

#define RULE(s, ...) account_say((s)->account, SECTION_RULE, __VA_ARGS__)

/* ---- refused ---- */

static void put_numbers(const struct scene *s, enum ct_reason reason)
{
	const char *rest = ct_reason_details(reason);

	for (unsigned int i = 0; s->event && *rest && i < CT_DETAIL_MAX; i++) {
		char name[24];
		int len = (int)strcspn(rest, ",");

		snprintf(name, sizeof(name), "%.*s", len, rest);
		account_put_in(s->account, "numbers", name, s->event->detail[i]);
		rest += rest[len] ? len + 1 : len;
	}
}

static void say_filled(const struct scene *s, enum section section, const char *text)
{
	static const uint32_t none[CT_DETAIL_MAX];
	char buf[REASON_SENTENCE_MAX];
	uint8_t proto = s->packet->ip.proto;

	if (*text)
		account_say(s->account, section, "%s",
			    reason_fill(text, (enum ct_reason)s->record->out->reason, proto,
					s->event ? s->event->detail : none, buf));
}

/* A later fragment has no ports: its class is that of the first one. */
static bool is_piece(const struct scene *s)
{
	enum ct_reason reason = (enum ct_reason)s->record->out->reason;

	if (reason == CT_REASON_IP_FRAGMENT ||
	    (reason >= CT_REASON_FRAGMENT_DUPLICATE && reason <= CT_REASON_FRAGMENT_LIMIT))
		return false; /* refused for what it is itself */
	return s->packet->ip.frag.present && !s->packet->readable;
}

static void class_of_piece(const struct scene *s)
{
	uint64_t first = recall_first_fragment(s->memory, s->packet);

	RULE(s,
	     "%s: it is a later fragment, of datagram %" PRIu32 ", from byte %" PRIu32
	     " on. It has the class of the first fragment of that.",
	     ct_info_name((enum ct_info)s->record->out->info), s->packet->ip.frag.id,
	     s->packet->ip.frag.offset);
	if (!first)
		return;
	RULE(s, "That was packet %" PRIu64 ".", first);
	account_put_uint(s->account, "first_fragment", first);
}

static void refused(const struct scene *s)
{
	enum ct_reason reason = (enum ct_reason)s->record->out->reason;
	const struct reason_text *text = reason_text_of(reason);

	account_put_string(s->account, "reason", ct_reason_name(reason));
	account_put_string(s->account, "rule", text->rule);
	if (is_piece(s)) {
		class_of_piece(s);
		RULE(s, "What the first one has not kept to: %s.", text->rule);
		account_say(s->account, SECTION_ACCEPTED,
			    "The same fragment, if the first one of its datagram had been.");
		say_filled(s, SECTION_CAUSES, text->cause);
		return;
	}
	put_numbers(s, reason);
	RULE(s, "Rule: %s.", text->rule);
	say_filled(s, SECTION_RULE, text->sentence);
	if (s->event && s->packet->ip.proto == CT_PROTO_TCP)
		explain_tcp_refused(s);
	else if (s->event && s->packet->ip.proto == CT_PROTO_SCTP)
		explain_sctp_refused(s);
	else if (s->packet->has_icmp)
		explain_icmp_refused(s);
	say_filled(s, SECTION_ACCEPTED, text->accepted);
	say_filled(s, SECTION_CAUSES, text->cause);
}

/* ---- accepted ---- */

/* Which packet has made the answers known; of this packet itself if it did. */
static uint64_t reply_by(const struct scene *s)
{
	if (!(s->record->before.status & CT_STATUS_SEEN_REPLY))
		return s->record->packet->number;
	return s->flow && s->flow->detail ? s->flow->detail->reply_by : 0;
}

static void class_new(const struct scene *s)
{
	if (s->reopened)
		RULE(s, "NEW: it ends the flow of these endpoints and begins flow %" PRIu64 ".",
		     s->record->flow);
	else if (s->record->first)
		RULE(s,
		     "NEW: there was no flow of these endpoints, and the packet may begin one. It "
		     "begins flow %" PRIu64 ".",
		     s->record->flow);
	else
		RULE(s,
		     "NEW, still: it goes the way of the packet that began the flow (packet "
		     "%" PRIu64 "), and none has come back. ESTABLISHED comes with the first "
		     "answer.",
		     s->flow ? s->flow->first : 0);
}

static void class_established(const struct scene *s)
{
	RULE(s,
	     "ESTABLISHED: it goes the way of the packet that began the flow (packet %" PRIu64
	     "), and packet %" PRIu64 " has come back (SEEN_REPLY).",
	     s->flow ? s->flow->first : 0, reply_by(s));
}

static void class_reply(const struct scene *s)
{
	uint64_t first = s->flow ? s->flow->first : 0, by = reply_by(s);

	RULE(s,
	     "ESTABLISHED_REPLY: it goes against the way of the packet that began the flow "
	     "(packet %" PRIu64 ").",
	     first);
	if (by == s->record->packet->number)
		RULE(s, "It is the first to do so, and gives the flow SEEN_REPLY.");
	else
		RULE(s, "The first that did so was packet %" PRIu64 " (SEEN_REPLY).", by);
}

static void name_announcement(const struct scene *s, const struct recall_detail *d)
{
	if (!d || !d->expects_by)
		return;
	RULE(s, "It was announced by packet %" PRIu64 "%s.", d->expects_by,
	     d->expects_before ? ", the last one of that flow with an announcement" : "");
	account_put_uint(s->account, "announced_by", d->expects_by);
}

static void class_expected(const struct scene *s)
{
	uint64_t master = s->record->master;
	const struct recall_flow *m = recall_flow(s->memory, master);
	char tuple[SCENE_STRLEN];

	if (s->record->first)
		RULE(s, "RELATED: it begins flow %" PRIu64 ", which a helper has expected.",
		     s->record->flow);
	else
		RULE(s, "RELATED, still: the flow was expected by a helper, and no packet has come "
			"back in it. ESTABLISHED comes with the first answer.");
	if (!m)
		return;
	RULE(s, "It belongs to flow %" PRIu64 ", %s.", master, scene_tuple(&m->orig, tuple));
	account_put_uint(s->account, "master", master);
	name_announcement(s, m->detail);
}

static void say_class(const struct scene *s)
{
	switch ((enum ct_info)s->record->out->info) {
	case CT_INFO_NEW:
		class_new(s);
		break;
	case CT_INFO_ESTABLISHED:
		class_established(s);
		break;
	case CT_INFO_ESTABLISHED_REPLY:
		class_reply(s);
		break;
	case CT_INFO_RELATED:
	case CT_INFO_RELATED_REPLY:
		class_expected(s);
		break;
	default:
		break;
	}
}

/* What became of the flow by it. */
static void say_outcome(const struct scene *s)
{
	const struct ct_result *out = s->record->out;
	const char *state = ct_state_name(s->packet->ip.proto, out->state);
	char status[CT_STATUS_STRLEN], left[SCENE_STRLEN];

	if (!out->has_flow || out->status & CT_STATUS_DYING)
		return;
	RULE(s, "After it: %s%s%s, ends in %s if no packet comes.", state ? state : "",
	     state ? ", " : "", ct_status_to_str(out->status, status),
	     scene_span(out->timeout_ns, left));
}

static void say_udp(const struct scene *s)
{
	uint16_t came = s->record->out->status & ~s->record->before.status;

	if (came & CT_STATUS_ASSURED)
		RULE(s, "There is traffic both ways, and this packet makes the flow ASSURED: from "
			"now on it has the longer timeout of a stream.");
}

static void accepted(const struct scene *s)
{
	if (is_piece(s)) {
		class_of_piece(s);
		say_outcome(s);
		return;
	}
	if (explain_icmp_valid(s))
		return;
	say_class(s);
	if (s->packet->has_tcp)
		explain_tcp_valid(s);
	else if (s->packet->has_sctp)
		explain_sctp_valid(s);
	else
		say_udp(s);
	say_outcome(s);
}

void explain_rule(const struct scene *s)
{
	if (s->record->out->reason != CT_REASON_NONE || s->record->out->drop)
		refused(s);
	else if (s->record->out->info == CT_INFO_INVALID)
		RULE(s, "It is a fragment, and its datagram was never decided: the first fragment "
			"did not come, or was INVALID itself.");
	else
		accepted(s);
}
