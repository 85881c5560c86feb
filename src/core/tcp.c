/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * TCP: one segment, judged as part of its connection (semantics 4).
 *
 * The table (tcp_fsm.c) proposes the next state, the window check (tcp_window.c) says whether the
 * segment can be genuine. This file holds what lies between: the first packet of a flow, the cases
 * where the table's answer depends on history, and what an accepted segment does to the timeout.
 *
 * The hard part is not an orderly connection but one where our state and the endpoints' differ: a
 * host rebooted, an answer was lost behind us, ports were used again. The tracker must neither let
 * an attacker close or reopen a connection nor keep a dead one's ports blocked. Its means is to
 * remember the last odd packet (last_*) and let the other side's answer decide:
 *
 * - resync: a SYN into an open connection is ignored but remembered. If the peer answers it with a
 *   SYNACK that acknowledges exactly that SYN, the peer has accepted a new connection and we
 *   follow. If it answers with a challenge ACK (RFC 5961) and the sender then resets with that
 *   number, the old one is closed.
 * - RST: believed at once only if it hits exactly the number the receiver waits for, or while the
 *   connection is not settled. Otherwise it shortens the timeout and changes no state.
 * - reopen: after the end, a SYN from the side that closed or reset replaces the flow by a new one.
 */

#include "core/tcp.h"

#define HLEN	    20
#define AT_CHECKSUM 16

/* Reads the segment into s->tcp; the whole header is readable. */
static void read_segment(struct ct_step *s, const uint8_t *h, uint32_t hlen)
{
	struct ct_tcp_seg *seg = &s->tcp;

	seg->seq = ct_read_be32(h + 4);
	seg->ack = ct_read_be32(h + 8);
	seg->flags = h[13];
	seg->index = (uint8_t)ct_tcp_index(h[13]);
	seg->win = ct_read_be16(h + 14);
	seg->opt = h + HLEN;
	seg->optlen = hlen - HLEN;
	seg->end = seg->seq + (s->pkt.l4.len - hlen) + !!(h[13] & CT_TCP_SYN_FLAG) +
		   !!(h[13] & CT_TCP_FIN_FLAG);
}

/* Semantics 4.2. */
static bool check(struct ct_step *s)
{
	const uint8_t *h = ct_step_header(s, HLEN);
	uint32_t hlen;

	if (!h)
		return false;
	hlen = (uint32_t)(h[12] >> 4) * 4;
	if (hlen < HLEN || hlen > s->pkt.l4.len) {
		ct_step_invalid(s, CT_REASON_TCP_OFFSET, hlen, s->pkt.l4.len, 0, 0);
		return false;
	}
	if (!ct_step_header(s, hlen) || !ct_step_checksum(s, AT_CHECKSUM))
		return false;
	if (!ct_tcp_flags_valid(h[13])) {
		ct_step_invalid(s, CT_REASON_TCP_FLAGS, h[13], 0, 0, 0);
		return false;
	}
	read_segment(s, h, hlen);
	return true;
}

/* A packet that may begin a flow (semantics 4.4). */
static bool begin(struct ct_step *s)
{
	const struct ct_tcp_seg *seg = &s->tcp;
	struct ct_tcp *tcp = &s->flow->l4.tcp;

	switch (ct_tcp_fsm(CT_DIR_ORIGINAL, seg->index, CT_TCP_STATE_NONE)) {
	case CT_TCP_STATE_SYN_SENT:
		ct_tcp_first_syn(tcp, seg);
		break;
	case CT_TCP_STATE_ESTABLISHED:
		if (!s->th->cfg->tcp_loose) {
			ct_step_invalid(s, CT_REASON_TCP_LOOSE_OFF, seg->seq, seg->ack, 0, 0);
			return false;
		}
		ct_tcp_first_ack(tcp, seg);
		break;
	default:
		ct_step_invalid(s, CT_REASON_TCP_NOT_FIRST, seg->flags, seg->seq, seg->ack, 0);
		return false;
	}
	tcp->last_index = CT_TCP_NONE;
	return true;
}

static uint64_t min_ns(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Which timeout an accepted segment gives (semantics 4.8). */
static uint64_t choose_timeout(const struct ct_step *s, uint8_t state)
{
	const struct ct_tcp *tcp = &s->flow->l4.tcp;
	uint64_t normal =
		ct_step_timeout(s, (enum ct_timeout)(CT_TIMEOUT_TCP_SYN_SENT + state - 1));
	uint64_t retrans = ct_step_timeout(s, CT_TIMEOUT_TCP_RETRANS);
	uint64_t unack = ct_step_timeout(s, CT_TIMEOUT_TCP_UNACK);

	if (tcp->retrans >= s->th->cfg->tcp_max_retrans && normal > retrans)
		return retrans;
	if (s->tcp.index == CT_TCP_RST)
		return ct_step_timeout(s, CT_TIMEOUT_TCP_CLOSE);
	if ((tcp->flags[CT_DIR_ORIGINAL] | tcp->flags[CT_DIR_REPLY]) & CT_TCP_DATA_UNACK &&
	    normal > unack)
		return unack;
	if (tcp->last_win == 0 && normal > retrans)
		return retrans;
	return normal;
}

_Static_assert(CT_TIMEOUT_TCP_SYN_SENT2 - CT_TIMEOUT_TCP_SYN_SENT ==
		       (int)CT_TCP_STATE_SYN_SENT2 - (int)CT_TCP_STATE_SYN_SENT,
	       "the timeouts of the states are in the order of the states");

/* An accepted segment in a flow that has seen no reply yet. */
static void accept_oneway(struct ct_step *s, uint8_t old, uint8_t next, uint64_t timeout)
{
	if (s->tcp.index == CT_TCP_RST) {
		ct_step_count(s);
		ct_step_kill(s, CT_DEATH_TCP_RST);
		return;
	}
	/* a SYN that gets no answer must not keep its flow alive by repeating itself */
	if (s->tcp.index == CT_TCP_SYN && old == CT_TCP_STATE_SYN_SENT)
		return;
	/* picked up in mid-stream: five days only when the other side is there, too */
	if (next == CT_TCP_STATE_ESTABLISHED)
		timeout = min_ns(timeout, ct_step_timeout(s, CT_TIMEOUT_TCP_UNACK));
	ct_step_refresh(s, timeout);
}

/* Semantics 4.8 and 4.10. old is the state the table was asked with. */
static enum ct_judgement accept(struct ct_step *s, uint8_t old, uint8_t next)
{
	struct ct_tcp *tcp = &s->flow->l4.tcp;
	uint64_t timeout;

	tcp->last_index = s->tcp.index;
	tcp->last_dir = (uint8_t)s->dir;
	if (next != old && next == CT_TCP_STATE_FIN_WAIT)
		tcp->flags[s->dir] |= CT_TCP_CLOSE_INIT;
	timeout = choose_timeout(s, next);
	ct_step_set_state(s, next);
	if (!(s->flow->status & CT_STATUS_SEEN_REPLY)) {
		accept_oneway(s, old, next, timeout);
		return CT_JUDGE_ACCEPT;
	}
	ct_step_refresh(s, timeout);
	if ((old == CT_TCP_STATE_SYN_RECV || old == CT_TCP_STATE_ESTABLISHED) &&
	    next == CT_TCP_STATE_ESTABLISHED)
		ct_step_assure(s);
	return CT_JUDGE_ACCEPT;
}

/*
 * A FIN or RST outside the window: it proves nothing, but if both sides send such, the connection
 * is probably gone and need not be kept for days (semantics 4.9).
 */
static void doubt(struct ct_step *s)
{
	struct ct_tcp *tcp = &s->flow->l4.tcp;
	uint64_t unack = ct_step_timeout(s, CT_TIMEOUT_TCP_UNACK);
	uint64_t left = s->flow->expires_ns - s->in->now_ns;

	if (!(s->flow->status & CT_STATUS_ASSURED) ||
	    (s->tcp.index != CT_TCP_RST && s->tcp.index != CT_TCP_FIN))
		return;
	if (tcp->last_dir != s->dir &&
	    (tcp->last_index == CT_TCP_FIN || tcp->last_index == CT_TCP_RST)) {
		if (left >= 120 * CT_NS_PER_S && left > unack)
			ct_step_set_deadline(s, unack);
		return;
	}
	tcp->last_index = s->tcp.index;
	tcp->last_dir = (uint8_t)s->dir;
}

static enum ct_judgement check_window(struct ct_step *s, uint8_t old, uint8_t next)
{
	switch (ct_tcp_window(s, s->flow->state)) {
	case CT_WINDOW_ACCEPT:
		return accept(s, old, next);
	case CT_WINDOW_IGNORE:
		return CT_JUDGE_ACCEPT;
	default:
		doubt(s);
		return CT_JUDGE_INVALID;
	}
}

/* The peer accepted a SYN that we had ignored: follow it into the new connection. */
static enum ct_judgement resync(struct ct_step *s)
{
	struct ct_tcp *tcp = &s->flow->l4.tcp;
	struct ct_tcp_peer *syn = &tcp->peer[tcp->last_dir];

	syn->end = syn->maxend = tcp->last_end;
	syn->maxwin = tcp->last_win ? tcp->last_win : 1;
	tcp->scale[tcp->last_dir] = tcp->last_wscale;
	tcp->last_flags &= (uint8_t)~CT_TCP_EXP_CHALLENGE_ACK;
	tcp->flags[tcp->last_dir] = tcp->last_flags;
	tcp->peer[s->dir] = (struct ct_tcp_peer){0};
	tcp->scale[s->dir] = 0;
	tcp->flags[s->dir] &= CT_TCP_BE_LIBERAL;
	return check_window(s, CT_TCP_STATE_SYN_SENT, CT_TCP_STATE_SYN_RECV);
}

/* Keeps what the answer to an ignored SYN has to be compared with. */
static void remember_syn(struct ct_step *s)
{
	struct ct_tcp *tcp = &s->flow->l4.tcp;
	uint8_t scale = 0, flags = 0;

	ct_tcp_read_options(&s->tcp, &scale, &flags);
	tcp->last_flags = flags;
	tcp->last_wscale = flags & CT_TCP_WINDOW_SCALE ? scale : 0;
	/* a live peer in LAST_ACK will answer with a challenge ACK, which closes nothing */
	if (s->flow->state == CT_TCP_STATE_LAST_ACK)
		tcp->last_flags |= CT_TCP_EXP_CHALLENGE_ACK;
}

/* Semantics 4.5.1: let it pass, change nothing, but remember it. */
static enum ct_judgement ignore(struct ct_step *s)
{
	const struct ct_tcp_seg *seg = &s->tcp;
	struct ct_tcp *tcp = &s->flow->l4.tcp;

	if (seg->index == CT_TCP_SYNACK && tcp->last_index == CT_TCP_SYN &&
	    tcp->last_dir != s->dir && seg->ack == tcp->last_end)
		return resync(s);
	tcp->last_index = seg->index;
	tcp->last_dir = (uint8_t)s->dir;
	tcp->last_seq = seg->seq;
	tcp->last_end = seg->end;
	tcp->last_win = seg->win;
	if (seg->index == CT_TCP_SYN && s->dir == CT_DIR_ORIGINAL)
		remember_syn(s);
	if (s->flow->state == CT_TCP_STATE_SYN_SENT && seg->index == CT_TCP_ACK &&
	    s->dir == CT_DIR_REPLY)
		tcp->last_ack = seg->ack; /* perhaps a challenge; a RST may answer it */
	return CT_JUDGE_ACCEPT;
}

/* A SYN after the end: the ports are used again if the closing side says so. */
static enum ct_judgement reopen(struct ct_step *s)
{
	const struct ct_tcp *tcp = &s->flow->l4.tcp;

	if ((tcp->flags[CT_DIR_ORIGINAL] | tcp->flags[CT_DIR_REPLY]) & CT_TCP_CLOSE_INIT ||
	    (tcp->last_dir == s->dir && tcp->last_index == CT_TCP_RST))
		return CT_JUDGE_REPEAT;
	return ignore(s);
}

/* How sure a RST is by its sequence number alone. */
enum rst_aim {
	RST_STALE, /* below what the receiver has acknowledged */
	RST_EXACT, /* hits, or there is nothing to lose */
	RST_VAGUE, /* somewhere in the window */
};

static enum rst_aim aim_of_rst(const struct ct_step *s)
{
	const struct ct_tcp *tcp = &s->flow->l4.tcp;
	const struct ct_tcp_seg *seg = &s->tcp;
	uint32_t expected = tcp->peer[!s->dir].maxack;
	bool settled =
		s->flow->state == CT_TCP_STATE_ESTABLISHED && s->flow->status & CT_STATUS_ASSURED;

	if (seg->seq == 0 && !settled)
		return RST_EXACT;
	if (ct_seq_before(seg->seq, expected) && !s->th->cfg->tcp_ignore_invalid_rst)
		return RST_STALE;
	if (!settled || seg->seq == expected)
		return RST_EXACT;
	/* right behind the sender's own last segment, which may not be acknowledged yet */
	if (tcp->last_index == CT_TCP_ACK && tcp->last_dir == s->dir && seg->seq == tcp->last_end)
		return RST_EXACT;
	return RST_VAGUE;
}

/* Does the RST answer a packet that we had let through without believing it? */
static bool rst_answers_ignored(const struct ct_step *s, uint8_t old)
{
	const struct ct_tcp *tcp = &s->flow->l4.tcp;
	const struct ct_tcp_seg *seg = &s->tcp;
	uint16_t status = s->flow->status;

	if (((status & CT_STATUS_SEEN_REPLY && tcp->last_index == CT_TCP_SYN &&
	      tcp->last_dir != s->dir) ||
	     (!(status & CT_STATUS_ASSURED) && tcp->last_index == CT_TCP_ACK)) &&
	    seg->ack == tcp->last_end)
		return true;
	return old == CT_TCP_STATE_SYN_SENT && tcp->last_index == CT_TCP_ACK &&
	       tcp->last_dir == CT_DIR_REPLY && seg->seq == tcp->last_ack;
}

/* Semantics 4.5.2. */
static enum ct_judgement reset(struct ct_step *s, uint8_t old)
{
	const struct ct_tcp *tcp = &s->flow->l4.tcp;
	uint8_t next = CT_TCP_STATE_CLOSE;

	if (old >= CT_TCP_STATE_FIN_WAIT && old <= CT_TCP_STATE_CLOSE)
		return accept(s, old, next); /* closing anyway */
	if (tcp->flags[!s->dir] & CT_TCP_MAXACK_SET && tcp->last_index != CT_TCP_SYN) {
		switch (aim_of_rst(s)) {
		case RST_STALE:
			return ct_step_invalid(s, CT_REASON_TCP_RST_STALE, s->tcp.seq,
					       tcp->peer[!s->dir].maxack, 0, 0);
		case RST_EXACT:
			return check_window(s, old, next);
		case RST_VAGUE:
			next = old; /* a live receiver answers with a challenge ACK */
			break;
		}
	}
	if (rst_answers_ignored(s, old))
		return accept(s, old, next);
	return check_window(s, old, next);
}

/* TIME_WAIT by the challenge ACK to an ignored SYN in LAST_ACK: nothing has been closed by it. */
static bool is_expected_challenge(struct ct_step *s, uint8_t old)
{
	struct ct_tcp *tcp = &s->flow->l4.tcp;

	if (old != CT_TCP_STATE_LAST_ACK || s->tcp.index != CT_TCP_ACK || tcp->last_dir == s->dir ||
	    tcp->last_index != CT_TCP_SYN || !(tcp->last_flags & CT_TCP_EXP_CHALLENGE_ACK))
		return false;
	tcp->last_flags &= (uint8_t)~CT_TCP_EXP_CHALLENGE_ACK;
	return true;
}

/* Semantics 4.5: the cases where the table's answer is not the last word. */
static enum ct_judgement track(struct ct_step *s)
{
	const struct ct_tcp_seg *seg = &s->tcp;
	struct ct_tcp *tcp = &s->flow->l4.tcp;
	uint8_t old, next;

	if (s->fresh && !begin(s))
		return CT_JUDGE_INVALID;
	old = s->flow->state;
	next = ct_tcp_fsm(s->dir, seg->index, old);
	switch (next) {
	case CT_TCP_STATE_SYN_SENT:
		if (old == CT_TCP_STATE_TIME_WAIT || old == CT_TCP_STATE_CLOSE)
			return reopen(s);
		break;
	case CT_TCP_IGNORE:
		return ignore(s);
	case CT_TCP_INVALID:
		return ct_step_invalid(s, CT_REASON_TCP_STATE, old, seg->flags, seg->seq, seg->ack);
	case CT_TCP_STATE_TIME_WAIT:
		if (is_expected_challenge(s, old))
			return CT_JUDGE_ACCEPT;
		break;
	case CT_TCP_STATE_SYN_SENT2:
		tcp->last_flags |= CT_TCP_SIMULTANEOUS_OPEN;
		break;
	case CT_TCP_STATE_SYN_RECV:
		if (s->dir == CT_DIR_REPLY && seg->index == CT_TCP_ACK &&
		    tcp->last_flags & CT_TCP_SIMULTANEOUS_OPEN)
			next = CT_TCP_STATE_ESTABLISHED;
		break;
	case CT_TCP_STATE_CLOSE:
		if (seg->index == CT_TCP_RST)
			return reset(s, old);
		break;
	}
	return check_window(s, old, next);
}

static bool closing(uint8_t state)
{
	return state >= CT_TCP_STATE_FIN_WAIT && state <= CT_TCP_STATE_CLOSE;
}

const struct ct_proto ct_proto_tcp = {.check = check, .track = track, .closing = closing};
