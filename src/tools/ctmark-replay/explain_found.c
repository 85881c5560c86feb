/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What the packet found: its flow, or none, and then where one of its endpoints went before. */

#include <inttypes.h>

#include "core/key.h"
#include "log/meaning.h"
#include "tools/ctmark-replay/scene.h"
#include "util/words.h"

#define FOUND(s, ...) account_say((s)->account, SECTION_BEFORE, __VA_ARGS__)

static const char *since(uint64_t number, char buf[static SCENE_STRLEN])
{
	*buf = '\0';
	if (number)
		snprintf(buf, SCENE_STRLEN, " since packet %" PRIu64, number);
	return buf;
}

static void found_state(const struct scene *s, const struct recall_detail *d)
{
	uint8_t proto = s->flow->orig.proto, state = s->record->before.state;
	const char *name = ct_state_name(proto, state), *text = meaning_of_state(proto, state);
	char buf[SCENE_STRLEN];

	if (!name)
		return;
	FOUND(s, "State %s%s%s%s.", name, since(d ? d->state_by : 0, buf), *text ? ": " : "", text);
	account_put_string(s->account, "state_before", name);
}

static void found_bit(const struct scene *s, const char *name, uint16_t bit, uint64_t by)
{
	char buf[SCENE_STRLEN];

	if (s->record->before.status & bit)
		FOUND(s, "%s%s: %s.", name, since(by, buf), meaning_of_status(bit));
}

static void found_status(const struct scene *s, const struct recall_detail *d)
{
	uint16_t status = s->record->before.status;
	char text[CT_STATUS_STRLEN], reply[SCENE_STRLEN], assured[SCENE_STRLEN];

	if (status & CT_STATUS_ASSURED)
		FOUND(s, "SEEN_REPLY%s, ASSURED%s: %s.", since(d ? d->reply_by : 0, reply),
		      since(d ? d->assured_by : 0, assured), meaning_of_status(CT_STATUS_ASSURED));
	else if (!(status & CT_STATUS_SEEN_REPLY))
		FOUND(s, "No SEEN_REPLY: %s.", meaning_of_status(0));
	else
		found_bit(s, "SEEN_REPLY", CT_STATUS_SEEN_REPLY, d ? d->reply_by : 0);
	found_bit(s, "EXPECTED", CT_STATUS_EXPECTED, 0);
	found_bit(s, "HELPER", CT_STATUS_HELPER, 0);
	account_put_string(s->account, "status_before", ct_status_to_str(status, text));
}

static uint64_t between(uint64_t from_ns, uint64_t to_ns)
{
	return to_ns > from_ns ? to_ns - from_ns : 0;
}

static void found_flow(const struct scene *s)
{
	const struct recall_flow *f = s->flow;
	uint64_t now_ns = s->record->packet->time_ns;
	char tuple[SCENE_STRLEN], age[SCENE_STRLEN], idle[SCENE_STRLEN], left[SCENE_STRLEN];

	FOUND(s, "Flow %" PRIu64 ", %s, begun by packet %" PRIu64 ", %s before.", s->record->flow,
	      scene_tuple(&f->orig, tuple), f->first,
	      scene_span(between(f->first_ns, now_ns), age));
	found_state(s, f->detail);
	found_status(s, f->detail);
	FOUND(s, "Its last packet was packet %" PRIu64 ", %s before; it would have ended in %s.",
	      f->last, scene_span(between(f->last_ns, now_ns), idle),
	      scene_span(s->record->before.timeout_ns, left));
	if (f->detail && f->detail->invalid > 0)
		FOUND(s, "INVALID packets of it so far: %" PRIu64 ".", f->detail->invalid);
	account_put_uint(s->account, "timeout_before", s->record->before.timeout_ns / CT_NS_PER_S);
}

/* A flow of the same endpoints that is not there any more. */
static void found_past(const struct scene *s, uint64_t number)
{
	const struct recall_flow *f = recall_flow(s->memory, number);
	uint64_t now_ns = s->record->packet->time_ns;
	uint64_t end_ns = f->ended_ns ? f->ended_ns : f->expires_ns;
	char idle[SCENE_STRLEN], end[SCENE_STRLEN], life[SCENE_STRLEN];
	const char *state = ct_state_name(f->orig.proto, f->state);

	account_put_uint(s->account, "earlier_flow", number);
	if (f->death == CT_DEATH_NONE || f->death == CT_DEATH_TIMEOUT)
		FOUND(s,
		      "Flow %" PRIu64 " had the same endpoints. Its last packet was packet %" PRIu64
		      "; the flow ended%s%s %s later, at %s, because none came for so long. This "
		      "packet comes %s after the last one.",
		      number, f->last, state ? " in " : "", state ? state : "",
		      scene_span(between(f->last_ns, end_ns), life), scene_time(s, end_ns, end),
		      scene_span(between(f->last_ns, now_ns), idle));
	else
		FOUND(s, "Flow %" PRIu64 " had the same endpoints; it ended%s%s at %s: %s.", number,
		      state ? " in " : "", state ? state : "", scene_time(s, end_ns, end),
		      ct_death_text((enum ct_death)f->death));
}

/* It is there, but the packet was refused before flows were looked for. */
static bool is_there(const struct scene *s, uint64_t number)
{
	const struct recall_flow *f = recall_flow(s->memory, number);

	return f && f->death == CT_DEATH_NONE && f->expires_ns > s->record->packet->time_ns;
}

/* Looked for by the packet itself, or by what an ICMP error quotes. */
static void found_none(const struct scene *s, const struct ct_tuple *t, const char *whose)
{
	uint64_t past = recall_by_tuple(s->memory, t, s->record->first ? s->record->flow : 0);

	if (is_there(s, past)) {
		FOUND(s,
		      "No flow was looked for: the packet was refused before. Flow %" PRIu64
		      " is that of %s.",
		      past, whose);
		account_put_uint(s->account, "earlier_flow", past);
		return;
	}
	FOUND(s, "No flow of %s%s.", whose, past ? " any more" : " was seen before");
	if (past)
		found_past(s, past);
}

static void found_nothing(const struct scene *s)
{
	struct anatomy quote;

	if (anatomy_read_quote(&quote, s->packet, s->record->in->zone))
		found_none(s, &quote.tuple, "the quoted packet");
	else if (s->packet->has_tuple)
		found_none(s, &s->packet->tuple, "these endpoints");
	else
		FOUND(s, "The packet names no flow.");
}

static void found_old(const struct scene *s)
{
	const struct recall_flow *f = recall_flow(s->memory, s->reopened);
	const char *state = f ? ct_state_name(f->orig.proto, f->state) : NULL;

	if (!f)
		return;
	FOUND(s,
	      "Flow %" PRIu64 " of the same endpoints, in state %s: %s. Its last packet was packet "
	      "%" PRIu64 ".",
	      s->reopened, state ? state : "?", meaning_of_state(f->orig.proto, f->state), f->last);
	account_put_uint(s->account, "earlier_flow", s->reopened);
}

void explain_found(const struct scene *s)
{
	if (s->reopened)
		found_old(s);
	else if (s->flow)
		found_flow(s);
	else if (s->record->out->info != CT_INFO_UNTRACKED)
		found_nothing(s);
}
