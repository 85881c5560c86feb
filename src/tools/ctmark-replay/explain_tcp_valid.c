/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What an accepted TCP segment was to its flow: many are let through without being believed.
 *
 * Which way it went is read off what it did: a segment that was only let through is not counted
 * and refreshes nothing. The tables say what was left to be decided.
 */

#include <inttypes.h>

#include "core/tcp.h"
#include "tools/ctmark-replay/scene.h"

/* Suffix, code for JSON, sentence. */
#define TCP_WAY_LIST(X)                                                                            \
	X(OPENS, "opens", "A SYN opens the flow and sets the numbers of its sender.")              \
	X(MIDSTREAM, "midstream",                                                                  \
	  "Picked up in mid-stream, by TCPLoose=yes: the connection is taken for open. Who sent "  \
	  "this packet is taken for the initiator, and as window scales are not known no segment " \
	  "of "                                                                                    \
	  "it is refused for its window.")                                                         \
	X(REOPENS, "reopens",                                                                      \
	  "The ports are used again: the connection was closed by a FIN, or the last packet was "  \
	  "a RST of the same side. So this SYN ends the old flow (tcp-reopen) and begins a new "   \
	  "one.")                                                                                  \
	X(SYN_AGAIN, "syn-again",                                                                  \
	  "The SYN is sent again. It is accepted, but does not make the flow live longer: an "     \
	  "unanswered one shall not live by repeating itself.")                                    \
	X(BOTH_OPEN, "simultaneous-open",                                                          \
	  "Both sides have sent a SYN (simultaneous open): the flow waits for a SYN/ACK or ACK.")  \
	X(SYN_IGNORED, "syn-ignored",                                                              \
	  "A SYN into a connection that is known. It is let through and changes nothing, but it "  \
	  "is remembered: if the other side answers it with a SYN/ACK that fits, that is a new "   \
	  "connection; a challenge ACK and a RST would end the old one.")                          \
	X(SYN_NOT_REOPENING, "syn-not-reopening",                                                  \
	  "A SYN behind the end of a connection, but from the side that may not open it again "    \
	  "(it was no FIN that closed it, and the last RST came from the other side). Let "        \
	  "through, and remembered.")                                                              \
	X(SYNACK_IGNORED, "synack-ignored",                                                        \
	  "A SYN/ACK in a connection that is past it: a repetition. Let through, changes "         \
	  "nothing.")                                                                              \
	X(CHALLENGE_SYN_SENT, "challenge-in-syn-sent",                                             \
	  "An ACK in answer to a SYN: the other host still knows an old connection (challenge "    \
	  "ACK, RFC 5961). Let through, changes no state; a RST with its number may follow.")      \
	X(RESYNC, "resync",                                                                        \
	  "It answers a SYN that was let through before and not believed. So the host has "        \
	  "accepted a new connection: the flow follows into it, with new numbers.")                \
	X(CHALLENGE_LAST_ACK, "challenge-in-last-ack",                                             \
	  "The answer to a SYN that was let through in LAST_ACK: a challenge ACK, which closes "   \
	  "nothing. Changes nothing.")                                                             \
	X(RST_UNANSWERED, "rst-unanswered",                                                        \
	  "A RST before any answer was tracked: the flow ends with it at once.")                   \
	X(RST_CLOSING, "rst-closing",                                                              \
	  "A RST in a connection that is closing anyway: believed without a look at its numbers.") \
	X(RST_CLOSES, "rst-closes",                                                                \
	  "The RST is believed: it hits exactly what its receiver waits for, or there is nothing " \
	  "to lose yet. The flow is CLOSE and kept for a moment.")                                 \
	X(RST_VAGUE, "rst-vague",                                                                  \
	  "The RST is within the window but does not hit the number that its receiver waits for. " \
	  "It could be guessed, so the state stays; a receiver that lives challenges it. Only "    \
	  "the "                                                                                   \
	  "timeout is that of CLOSE.")                                                             \
	X(OVERSHOOT, "overshoot",                                                                  \
	  "It begins beyond the window, but ends less than a window beyond: some stacks do that. " \
	  "Let through, the state and the timeout stay.")                                          \
	X(OLD_DATA, "old-data",                                                                    \
	  "It repeats what its receiver has acknowledged long ago. Let through; state and "        \
	  "timeout stay.")                                                                         \
	X(OLD_ACK, "old-ack",                                                                      \
	  "It acknowledges what is long past. Let through; state and timeout stay.")               \
	X(LIBERAL, "liberal",                                                                      \
	  "It is outside the window, and accepted all the same: TCPBeLiberal=yes, or the "         \
	  "connection was met in its middle. Nothing is learnt from its numbers.")                 \
	X(IN_ORDER, "in-order", "It fits the state, and its numbers are within their bounds.")

enum tcp_way {
#define X(suffix, code, text) WAY_##suffix,
	TCP_WAY_LIST(X)
#undef X
};

static const struct {
	const char *code, *text;
} ways[] = {
#define X(suffix, code, text) [WAY_##suffix] = {code, text},
	TCP_WAY_LIST(X)
#undef X
};

/* What the question is decided by. */
struct passing {
	uint8_t dir, index, old, now, next; /* next: by the table */
	const struct ct_view *before, *after;
	bool counted;
};

static bool answers_other_side(const struct passing *p)
{
	const struct ct_view_tcp *t = &p->before->l4.tcp;

	return t->last_index == CT_TCP_SYN && t->last_dir != p->dir;
}

/* The table says that it is to be ignored, or a SYN has come behind the end. */
static enum tcp_way way_ignored(const struct passing *p)
{
	if (p->index == CT_TCP_SYNACK && p->counted)
		return WAY_RESYNC;
	if (p->index == CT_TCP_SYNACK)
		return WAY_SYNACK_IGNORED;
	if (p->index == CT_TCP_ACK)
		return WAY_CHALLENGE_SYN_SENT;
	return p->next == CT_TCP_IGNORE ? WAY_SYN_IGNORED : WAY_SYN_NOT_REOPENING;
}

static enum tcp_way way_outside(const struct scene *s, const struct passing *p)
{
	const struct ct_view_peer *snd = &p->before->l4.tcp.peer[p->dir];
	const struct ct_tcp_seg *seg = &s->packet->tcp;

	if (ct_seq_after(seg->seq, snd->seq_max))
		return WAY_OVERSHOOT;
	if (!snd->any_age && ct_seq_before(seg->end, snd->seq_min))
		return WAY_OLD_DATA;
	return WAY_OLD_ACK;
}

static bool outside(const struct scene *s, const struct passing *p)
{
	const struct ct_view_peer *snd = &p->before->l4.tcp.peer[p->dir];
	const struct ct_tcp_seg *seg = &s->packet->tcp;
	bool measured = snd->maxwin != 0 && !(seg->flags & CT_TCP_SYN_FLAG);

	if (!measured)
		return false;
	return ct_seq_after(seg->seq, snd->seq_max) ||
	       (!snd->any_age && ct_seq_before(seg->end, snd->seq_min)) ||
	       (seg->flags & CT_TCP_ACK_FLAG &&
		(ct_seq_after(seg->ack, snd->ack_max) || ct_seq_before(seg->ack, snd->ack_min)));
}

static enum tcp_way way_of_rst(const struct scene *s, const struct passing *p)
{
	if (!p->after)
		return WAY_RST_UNANSWERED;
	if (!p->counted)
		return way_outside(s, p);
	if (p->old >= CT_TCP_STATE_FIN_WAIT && p->old <= CT_TCP_STATE_CLOSE)
		return WAY_RST_CLOSING;
	return p->now == CT_TCP_STATE_CLOSE ? WAY_RST_CLOSES : WAY_RST_VAGUE;
}

static enum tcp_way way_within(const struct scene *s, const struct passing *p)
{
	bool ended = p->old == CT_TCP_STATE_TIME_WAIT || p->old == CT_TCP_STATE_CLOSE;

	if (p->index == CT_TCP_RST)
		return way_of_rst(s, p);
	if (p->next == CT_TCP_IGNORE || (p->next == CT_TCP_STATE_SYN_SENT && ended))
		return way_ignored(p);
	if (p->next == CT_TCP_STATE_SYN_SENT)
		return WAY_SYN_AGAIN;
	if (p->next == CT_TCP_STATE_SYN_SENT2)
		return WAY_BOTH_OPEN;
	if (p->old == CT_TCP_STATE_LAST_ACK && p->now == p->old && !p->counted &&
	    p->index == CT_TCP_ACK && answers_other_side(p))
		return WAY_CHALLENGE_LAST_ACK;
	if (!p->counted)
		return way_outside(s, p);
	return outside(s, p) ? WAY_LIBERAL : WAY_IN_ORDER;
}

static enum tcp_way way_of(const struct scene *s)
{
	const struct ct_view *before = s->record->view_before, *after = s->record->view_after;
	uint8_t dir = s->record->out->dir;
	struct passing p = {
		.dir = dir,
		.index = s->packet->tcp.index,
		.before = before,
		.after = after,
		.now = s->record->out->state,
	};

	if (!before && s->reopened)
		return WAY_REOPENS;
	if (!before)
		return p.index == CT_TCP_SYN ? WAY_OPENS : WAY_MIDSTREAM;
	p.old = before->state;
	p.next = ct_tcp_fsm((enum ct_dir)dir, (enum ct_tcp_index)p.index, p.old);
	p.counted = after && after->packets[dir] != before->packets[dir];
	return way_within(s, &p);
}

static void say_change(const struct scene *s)
{
	const char *was = ct_state_name(CT_PROTO_TCP, s->record->before.state);
	const char *is = ct_state_name(CT_PROTO_TCP, s->record->out->state);

	if (s->record->before.known && s->record->before.state != s->record->out->state)
		account_say(s->account, SECTION_RULE, "It moves the flow from %s to %s.", was, is);
}

void explain_tcp_valid(const struct scene *s)
{
	enum tcp_way way = way_of(s);

	account_put_string(s->account, "way", ways[way].code);
	account_say(s->account, SECTION_RULE, "%s", ways[way].text);
	say_change(s);
}
