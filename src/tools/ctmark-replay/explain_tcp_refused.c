/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Why a TCP segment was refused: the inequality with its numbers, and the interval that would have
 * been accepted.
 *
 * Bounds are those of the flow behind the packet: a refused segment teaches nothing, but a SYN may
 * have set its sender's numbers anew before it was measured by them.
 */

#include <inttypes.h>

#include "core/tcp.h"
#include "tools/ctmark-replay/scene.h"
#include "util/words.h"

#define RULE(s, ...)	 account_say((s)->account, SECTION_RULE, __VA_ARGS__)
#define ACCEPTED(s, ...) account_say((s)->account, SECTION_ACCEPTED, __VA_ARGS__)
#define CAUSE(s, ...)	 account_say((s)->account, SECTION_CAUSES, __VA_ARGS__)

/* A segment with the bounds that it was measured by. */
struct measure {
	uint8_t dir;
	const struct ct_view_peer *snd, *rcv;
	uint32_t seq, end, ack, sack;
};

static bool measure_of(const struct scene *s, struct measure *ret)
{
	const struct ct_view *v = s->record->view_after;
	uint8_t dir = s->record->out->dir;

	if (!v || v->orig.proto != CT_PROTO_TCP)
		return false;
	*ret = (struct measure){
		.dir = dir,
		.snd = &v->l4.tcp.peer[dir],
		.rcv = &v->l4.tcp.peer[!dir],
	};
	return true;
}

static void put_accepted(const struct scene *s, const char *key, uint32_t value)
{
	account_put_in(s->account, "accepted", key, value);
}

static void accepted_acks(const struct scene *s, const struct measure *m, uint32_t max)
{
	char low[SCENE_STRLEN], high[SCENE_STRLEN];

	ACCEPTED(s, "Acknowledgements up to %s; those below %s would be let through as very old.",
		 scene_seq(s, !m->dir, max, high), scene_seq(s, !m->dir, m->snd->ack_min, low));
	put_accepted(s, "ack_min", m->snd->ack_min);
	put_accepted(s, "ack_max", max);
}

/* ---- beyond the window ---- */

/* A little beyond is forgiven, if everything else is in order (semantics 4.6 C). */
static const char *unforgiven(const struct measure *m)
{
	if (m->rcv->maxwin == 0)
		return "its receiver has not offered any window yet";
	if (ct_seq_after(m->sack, m->snd->ack_max))
		return "it acknowledges what was never sent";
	if (!ct_seq_after(m->sack, m->snd->ack_min - 1))
		return "its acknowledgement is very old";
	if (!m->snd->any_age && !ct_seq_after(m->end, m->snd->seq_min - 1))
		return "it ends before what its receiver may still want";
	return NULL;
}

static void say_forgiveness(const struct scene *s, const struct measure *m)
{
	const char *why = unforgiven(m);
	uint32_t edge = m->snd->seq_max + m->rcv->maxwin - 1;
	char buf[SCENE_STRLEN];

	if (why) {
		RULE(s,
		     "A segment that begins a little beyond is let through if the rest is in "
		     "order; here it is not: %s.",
		     why);
		put_accepted(s, "seq_limit", m->snd->seq_max);
		return;
	}
	RULE(s,
	     "Segments that end at most one window beyond, up to %s, are let through "
	     "nevertheless. This one ends %" PRIu32 " behind that.",
	     scene_seq(s, m->dir, edge, buf), m->end - edge);
	put_accepted(s, "end_max", edge);
	put_accepted(s, "seq_limit",
		     ct_seq_after(edge - (m->end - m->seq), m->snd->seq_max)
			     ? edge - (m->end - m->seq)
			     : m->snd->seq_max);
}

static void accepted_seqs(const struct scene *s, const struct measure *m)
{
	char low[SCENE_STRLEN], high[SCENE_STRLEN];

	scene_seq(s, m->dir, m->snd->seq_max, high);
	if (m->snd->any_age)
		ACCEPTED(s, "A segment that begins at %s or before.", high);
	else
		ACCEPTED(s,
			 "A segment that begins at %s or before; one that ends before %s would be "
			 "let through as an old repetition.",
			 high, scene_seq(s, m->dir, m->snd->seq_min, low));
	put_accepted(s, "seq_min", m->snd->seq_min);
	put_accepted(s, "seq_max", m->snd->seq_max);
}

static void seq_over(const struct scene *s, struct measure *m)
{
	const uint32_t *d = s->event->detail;
	const struct recall_side *side =
		s->flow && s->flow->detail ? &s->flow->detail->side[m->dir] : NULL;
	char seq[SCENE_STRLEN], max[SCENE_STRLEN], ack[SCENE_STRLEN], sum[2 * SCENE_STRLEN] = "";

	m->seq = d[0];
	m->end = d[1];
	m->ack = m->sack = d[3];
	if (m->rcv->flags & CT_TCP_SACK_PERM)
		m->sack = ct_tcp_highest_sack(&s->packet->tcp, m->ack);
	if (side && side->maxend_by && side->maxend_ack + side->maxend_win == d[2])
		snprintf(sum, sizeof(sum), " = ack %s + window %" PRIu32 " (packet %" PRIu64 ")",
			 scene_seq(s, m->dir, side->maxend_ack, ack), side->maxend_win,
			 side->maxend_by);
	RULE(s,
	     "Sequence %s must be at most %s%s, the furthest that %s allows. It is %" PRIu32
	     " too high.",
	     scene_seq(s, m->dir, d[0], seq), scene_seq(s, m->dir, d[2], max), sum,
	     scene_side(!m->dir), d[0] - d[2]);
	account_put_uint(s->account, "missed_by", d[0] - d[2]);
	say_forgiveness(s, m);
	accepted_seqs(s, m);
	accepted_acks(s, m, m->snd->ack_max);
}

/* ---- acknowledges too much ---- */

static void ack_over(const struct scene *s, const struct measure *m)
{
	const uint32_t *d = s->event->detail;
	const struct recall_side *other =
		s->flow && s->flow->detail ? &s->flow->detail->side[!m->dir] : NULL;
	const struct ct_view *before = s->record->view_before;
	/* of a sender that was not seen so far one more is believed: the other's FIN (4.6 A) */
	bool unseen = before && before->l4.tcp.peer[m->dir].maxwin == 0 &&
		      !(s->packet->tcp.flags & CT_TCP_SYN_FLAG);
	uint32_t max = unseen ? d[2] + 1 : d[2];
	char ack[SCENE_STRLEN], end[SCENE_STRLEN], by[SCENE_STRLEN];

	RULE(s,
	     "%s %s must be at most %s, the highest that %s has sent%s%s. It is %" PRIu32
	     " too high.",
	     d[0] == d[1] ? "Acknowledgement" : "SACK up to", scene_seq(s, !m->dir, d[1], ack),
	     scene_seq(s, !m->dir, max, end), scene_side(!m->dir),
	     scene_by(other ? other->end_by : 0, by),
	     unseen ? ", and one for a FIN that was not seen" : "", d[1] - max);
	account_put_uint(s->account, "missed_by", d[1] - max);
	accepted_acks(s, m, max);
	if (d[0] != d[1])
		ACCEPTED(s, "Right edges of SACK blocks up to the same number.");
	put_accepted(s, "seq_max", m->snd->seq_max);
}

/* ---- resets ---- */

static void rst_stale(const struct scene *s, const struct measure *m)
{
	const uint32_t *d = s->event->detail;
	const struct recall_side *other =
		s->flow && s->flow->detail ? &s->flow->detail->side[!m->dir] : NULL;
	char seq[SCENE_STRLEN], max[SCENE_STRLEN], end[SCENE_STRLEN], by[SCENE_STRLEN];
	bool settled = s->record->out->state == CT_TCP_STATE_ESTABLISHED &&
		       s->record->out->status & CT_STATUS_ASSURED;

	RULE(s,
	     "Sequence %s must be at least %s, up to which %s has acknowledged%s. It is %" PRIu32
	     " too low. TCPBeLiberal= does not cover this.",
	     scene_seq(s, m->dir, d[0], seq), scene_seq(s, m->dir, d[1], max), scene_side(!m->dir),
	     scene_by(other ? other->maxack_by : 0, by), d[1] - d[0]);
	account_put_uint(s->account, "missed_by", d[1] - d[0]);
	put_accepted(s, "seq_min", d[1]);
	put_accepted(s, "seq_max", m->snd->seq_max);
	ACCEPTED(s, "A RST with a sequence number from %s to %s.%s",
		 scene_seq(s, m->dir, d[1], max), scene_seq(s, m->dir, m->snd->seq_max, end),
		 settled ? " Only one with the first of these, or right behind the last segment of "
			   "its sender, ends the flow; others pass and only shorten its timeout."
			 : "");
}

/* ---- states ---- */

static const char *state_cause(uint8_t dir, uint8_t index, uint8_t state)
{
	if (dir == CT_DIR_REPLY && index == CT_TCP_SYN)
		return "The host that was called opens a connection between the same ports. Only a "
		       "SYN of the initiator can belong to this one; ports are used again too "
		       "soon, or it is forged.";
	if (state == CT_TCP_STATE_SYN_SENT && dir == CT_DIR_ORIGINAL &&
	    (index == CT_TCP_ACK || index == CT_TCP_FIN))
		return "The SYN/ACK was not seen: answers go another way (asymmetric routing), are "
		       "not queued or captured, or the SYN/ACK was INVALID itself.";
	if (dir == CT_DIR_ORIGINAL && index == CT_TCP_SYNACK)
		return "The host that has sent the SYN sends a SYN/ACK, too: both sides begin at "
		       "once, and the other SYN was not seen; or the roles were mistaken when the "
		       "connection was met in its middle.";
	if (index == CT_TCP_FIN)
		return "A FIN before the connection was open: packets in between were not seen.";
	return "Packets in between were not seen: asymmetric routing, losses of the capture, or a "
	       "rule that queues one direction only.";
}

static void allowed_flags(const struct scene *s, uint8_t dir, uint8_t state)
{
	char text[128] = "";
	struct words w = {.buf = text, .size = sizeof(text)};

	for (int i = CT_TCP_SYN; i < CT_TCP_NONE; i++) {
		const char *name = ct_tcp_index_name((uint8_t)i);

		if (ct_tcp_fsm((enum ct_dir)dir, (enum ct_tcp_index)i, state) == CT_TCP_INVALID)
			continue;
		words_add(&w, "%s%s", w.len ? ", " : "", name);
		if (dir == s->record->out->dir)
			account_put_word(s->account, "accepted", "flags", name);
	}
	ACCEPTED(s, "In %s, from %s: %s.", ct_state_name(CT_PROTO_TCP, state), scene_side(dir),
		 *text ? text : "nothing");
}

static void wrong_state(const struct scene *s)
{
	uint8_t state = (uint8_t)s->event->detail[0];

	allowed_flags(s, s->record->out->dir, state);
	allowed_flags(s, !s->record->out->dir, state);
	CAUSE(s, "%s", state_cause(s->record->out->dir, s->packet->tcp.index, state));
	if (s->flow && s->flow->detail && s->flow->detail->window_invalid)
		CAUSE(s,
		      "Packet %" PRIu64
		      " of the flow was refused for its numbers: had it counted, the state might "
		      "be another one.",
		      s->flow->detail->window_invalid);
}

/* ---- first packets ---- */

static void not_first(const struct scene *s)
{
	switch (s->packet->tcp.index) {
	case CT_TCP_SYNACK:
		CAUSE(s, "The SYN was not seen: it went another way (asymmetric routing), one "
			 "direction is not queued or captured, or it was dropped before and its "
			 "flow never came to be. Or somebody used this address as a source "
			 "(backscatter).");
		break;
	case CT_TCP_RST:
		CAUSE(s, "A connection that is over here already: a late reset, or one of several "
			 "for the same connection. Also scans, and answers to forged packets. "
			 "Harmless when it is dropped.");
		break;
	default:
		CAUSE(s,
		      "The last segments of a connection whose flow is over: it was idle for too "
		      "long, closing took longer than its timeout, or it is older than the "
		      "capture.");
		break;
	}
}

void explain_tcp_refused(const struct scene *s)
{
	enum ct_reason reason = (enum ct_reason)s->event->reason;
	struct measure m;

	if (reason == CT_REASON_TCP_STATE)
		wrong_state(s);
	else if (reason == CT_REASON_TCP_NOT_FIRST)
		not_first(s);
	else if (!measure_of(s, &m))
		return;
	else if (reason == CT_REASON_TCP_SEQ_OVER)
		seq_over(s, &m);
	else if (reason == CT_REASON_TCP_ACK_OVER)
		ack_over(s, &m);
	else if (reason == CT_REASON_TCP_RST_STALE)
		rst_stale(s, &m);
}
