/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Is this segment possible? The window check (semantics 4.6, after Rooij, "Real Stateful TCP Packet
 * Filtering in IP Filter", 2001).
 *
 * For each side we keep the highest sequence number it sent (end), the furthest it may send
 * (maxend) and the largest window it offered (maxwin). With S the sender of a segment and R its
 * receiver, four inequalities must hold:
 *
 *	1. seq  <= S.maxend		it does not send beyond R's window
 *	2. end  >= S.end - R.maxwin	it does not repeat what R forgot long ago
 *	3. ack  <= R.end		it does not acknowledge what was never sent
 *	4. ack  >= R.end - MAXACKWINDOW	nor something from the distant past
 *
 * Their right sides are made by ct_tcp_bounds(), from which the bounds of a connection are shown,
 * too: so what is shown is what is checked.
 *
 * What fails 1 or 3 could be an attack and is INVALID. What fails 2 or 4 is merely old: it is let
 * through and nothing is learned from it. A sender that goes a little beyond the window is treated
 * like the latter, because some stacks do, and its end moves so that the answer will fit.
 *
 * Every bound is learned from the packets themselves. A side of which nothing was seen has maxwin
 * 0; its first segment sets the bounds instead of being measured by them.
 */

#include "core/tcp.h"

#define MAXSCALE 14

#define OPT_END	      0
#define OPT_NOP	      1
#define OPT_SCALE     3
#define OPT_SACK_PERM 4
#define OPT_SACK      5

/*
 * The option at *pos: its kind with the body (after kind and length) in *ret_body, *ret_len bytes;
 * *pos moves on. OPT_END at the end, and where the options make no sense any more.
 */
static uint8_t next_option(const struct ct_tcp_seg *seg, uint32_t *pos, const uint8_t **ret_body,
			   uint32_t *ret_len)
{
	while (*pos < seg->optlen) {
		uint8_t kind = seg->opt[*pos], size;

		if (kind == OPT_NOP) {
			++*pos;
			continue;
		}
		if (kind == OPT_END || *pos + 1 >= seg->optlen)
			return OPT_END;
		size = seg->opt[*pos + 1];
		if (size < 2 || size > seg->optlen - *pos)
			return OPT_END;
		*ret_body = seg->opt + *pos + 2;
		*ret_len = size - 2u;
		*pos += size;
		return kind;
	}
	return OPT_END;
}

void ct_tcp_read_options(const struct ct_tcp_seg *seg, uint8_t *scale, uint8_t *flags)
{
	const uint8_t *body;
	uint32_t pos = 0, len;
	uint8_t kind;

	if (!seg->optlen)
		return;
	*scale = 0;
	*flags &= CT_TCP_BE_LIBERAL;
	while ((kind = next_option(seg, &pos, &body, &len)) != OPT_END) {
		if (kind == OPT_SACK_PERM && len == 0) {
			*flags |= CT_TCP_SACK_PERM;
		} else if (kind == OPT_SCALE && len == 1) {
			*flags |= CT_TCP_WINDOW_SCALE;
			*scale = body[0] < MAXSCALE ? body[0] : MAXSCALE;
		}
	}
}

uint32_t ct_tcp_highest_sack(const struct ct_tcp_seg *seg, uint32_t ack)
{
	const uint8_t *body;
	uint32_t pos = 0, len, sack = ack;
	uint8_t kind;

	while ((kind = next_option(seg, &pos, &body, &len)) != OPT_END) {
		if (kind != OPT_SACK || len < 8 || len % 8)
			continue;
		for (uint32_t i = 0; i < len; i += 8) {
			uint32_t right = ct_read_be32(body + i + 4);

			if (ct_seq_after(right, sack))
				sack = right;
		}
		break;
	}
	return sack;
}

static uint32_t at_least_1(uint32_t win)
{
	return win ? win : 1;
}

void ct_tcp_first_syn(struct ct_tcp *tcp, const struct ct_tcp_seg *seg)
{
	struct ct_tcp_peer *p = &tcp->peer[CT_DIR_ORIGINAL];

	p->end = p->maxend = seg->end;
	p->maxwin = at_least_1(seg->win);
	ct_tcp_read_options(seg, &tcp->scale[CT_DIR_ORIGINAL], &tcp->flags[CT_DIR_ORIGINAL]);
}

void ct_tcp_first_ack(struct ct_tcp *tcp, const struct ct_tcp_seg *seg)
{
	struct ct_tcp_peer *p = &tcp->peer[CT_DIR_ORIGINAL];

	p->end = seg->end;
	p->maxwin = at_least_1(seg->win);
	p->maxend = p->end + p->maxwin;
	for (int d = 0; d < CT_DIR_MAX; d++)
		tcp->flags[d] = CT_TCP_SACK_PERM | CT_TCP_BE_LIBERAL;
}

/* A segment on its way through the check. */
struct window {
	struct ct_tcp *tcp;
	const struct ct_tcp_seg *seg;
	struct ct_tcp_peer *snd, *rcv;
	enum ct_dir dir;
	uint8_t state;
	uint32_t seq, ack, sack, end; /* as corrected by normalise() */
};

/* A SYN tells everything about its sender. */
static void init_sender(struct window *w)
{
	struct ct_tcp *tcp = w->tcp;

	w->snd->end = w->snd->maxend = w->end;
	w->snd->maxwin = at_least_1(w->seg->win);
	ct_tcp_read_options(w->seg, &tcp->scale[w->dir], &tcp->flags[w->dir]);
	/* scaling needs the consent of both; only the answer can tell (RFC 7323, 2.2) */
	if (w->dir == CT_DIR_REPLY &&
	    !(tcp->flags[CT_DIR_ORIGINAL] & tcp->flags[CT_DIR_REPLY] & CT_TCP_WINDOW_SCALE))
		tcp->scale[CT_DIR_ORIGINAL] = tcp->scale[CT_DIR_REPLY] = 0;
}

/* A sender we meet in mid-stream: take its word for what both have sent. */
static void init_midstream(struct window *w)
{
	w->snd->end = w->end;
	w->snd->maxwin = at_least_1((uint32_t)w->seg->win << w->tcp->scale[w->dir]);
	w->snd->maxend = w->end + w->snd->maxwin;
	if (w->rcv->maxwin == 0)
		w->rcv->end = w->rcv->maxend = w->sack;
	else if (w->sack == w->rcv->end + 1)
		w->rcv->end++; /* the other side's FIN was not seen */
}

/* Step A. True: the packet opens the connection from the other end and is accepted as it is. */
static bool init_bounds(struct window *w)
{
	bool syn = w->seg->flags & CT_TCP_SYN_FLAG, ack = w->seg->flags & CT_TCP_ACK_FLAG;

	if (w->snd->maxwin == 0) {
		if (!syn) {
			init_midstream(w);
			return false;
		}
		init_sender(w);
		return !ack;
	}
	if (syn && ct_seq_after(w->end, w->snd->end) &&
	    (w->state == CT_TCP_STATE_SYN_SENT || w->state == CT_TCP_STATE_SYN_RECV)) {
		init_sender(w);
		return w->dir == CT_DIR_REPLY && !ack;
	}
	return false;
}

/* Step B: numbers that a segment does not carry, or that its sender could not know. */
static void normalise(struct window *w)
{
	bool rst = w->seg->flags & CT_TCP_RST_FLAG;

	if (!(w->seg->flags & CT_TCP_ACK_FLAG) || (rst && w->ack == 0))
		w->ack = w->sack = w->rcv->end;
	if (rst && w->seq == 0 && w->state == CT_TCP_STATE_SYN_SENT)
		w->seq = w->end = w->snd->end;
}

/* Inequality 1 failed: a little beyond the window is forgiven. */
static enum ct_window overshoot(struct window *w, bool in_recv_win, bool recent_ack,
				bool ack_was_sent)
{
	uint32_t overshot = w->end - w->snd->maxend + 1;

	if (w->rcv->maxwin == 0 || !in_recv_win || !recent_ack || !ack_was_sent ||
	    overshot > w->rcv->maxwin)
		return CT_WINDOW_INVALID;
	w->snd->end = w->end;
	w->tcp->flags[w->dir] |= CT_TCP_DATA_UNACK;
	return CT_WINDOW_IGNORE;
}

/* Step C. Before and after are strict, hence the ones. */
static enum ct_window check_bounds(struct window *w, struct ct_step *s)
{
	const struct ct_tcp_bounds b = ct_tcp_bounds(w->snd, w->rcv);
	bool in_recv_win = b.any_end || ct_seq_after(w->end, b.end_min - 1);
	bool ack_was_sent = ct_seq_before(w->sack, b.ack_max + 1);
	bool recent_ack = ct_seq_after(w->sack, b.ack_min - 1);

	if (!ct_seq_before(w->seq, b.seq_max + 1)) {
		enum ct_window r = overshoot(w, in_recv_win, recent_ack, ack_was_sent);

		if (r == CT_WINDOW_INVALID)
			ct_step_invalid(s, CT_REASON_TCP_SEQ_OVER, w->seq, w->end, b.seq_max,
					w->ack);
		return r;
	}
	if (!ack_was_sent) {
		ct_step_invalid(s, CT_REASON_TCP_ACK_OVER, w->ack, w->sack, b.ack_max, 0);
		return CT_WINDOW_INVALID;
	}
	return in_recv_win && recent_ack ? CT_WINDOW_ACCEPT : CT_WINDOW_IGNORE;
}

/* Counts identical pure segments in a row (semantics 4.6 D 8). */
static void count_retransmission(struct window *w)
{
	struct ct_tcp *tcp = w->tcp;

	if (w->seg->index != CT_TCP_ACK)
		return;
	if (tcp->last_dir == w->dir && tcp->last_seq == w->seq && tcp->last_ack == w->ack &&
	    tcp->last_end == w->end && tcp->last_win == w->seg->win) {
		tcp->retrans++;
		return;
	}
	tcp->last_dir = (uint8_t)w->dir;
	tcp->last_seq = w->seq;
	tcp->last_ack = w->ack;
	tcp->last_end = w->end;
	tcp->last_win = w->seg->win;
	tcp->retrans = 0;
}

/* Step D: what a believed segment teaches about its sender and its receiver. */
static void learn(struct window *w)
{
	struct ct_tcp_peer *snd = w->snd, *rcv = w->rcv;
	uint8_t *sflags = &w->tcp->flags[w->dir], *rflags = &w->tcp->flags[!w->dir];
	uint32_t win = w->seg->win, swin;

	if (!(w->seg->flags & CT_TCP_SYN_FLAG))
		win <<= w->tcp->scale[w->dir];
	swin = win + (w->sack - w->ack);
	if (snd->maxwin < swin)
		snd->maxwin = swin;
	if (ct_seq_after(w->end, snd->end)) {
		snd->end = w->end;
		*sflags |= CT_TCP_DATA_UNACK;
	}
	if (w->seg->flags & CT_TCP_ACK_FLAG &&
	    (!(*sflags & CT_TCP_MAXACK_SET) || ct_seq_after(w->ack, snd->maxack))) {
		snd->maxack = w->ack;
		*sflags |= CT_TCP_MAXACK_SET;
	}
	if (rcv->maxwin != 0 && ct_seq_after(w->end, snd->maxend))
		rcv->maxwin += w->end - snd->maxend;
	if (ct_seq_after(w->sack + win, rcv->maxend - 1)) {
		rcv->maxend = w->sack + win;
		if (win == 0)
			rcv->maxend++;
	}
	if (w->ack == rcv->end)
		*rflags &= (uint8_t)~CT_TCP_DATA_UNACK;
	count_retransmission(w);
}

enum ct_window ct_tcp_window(struct ct_step *s, uint8_t state)
{
	struct ct_tcp *tcp = &s->flow->l4.tcp;
	const struct ct_tcp_seg *seg = &s->tcp;
	struct window w = {
		.tcp = tcp,
		.seg = seg,
		.snd = &tcp->peer[s->dir],
		.rcv = &tcp->peer[!s->dir],
		.dir = s->dir,
		.state = state,
		.seq = seg->seq,
		.ack = seg->ack,
		.sack = seg->ack,
		.end = seg->end,
	};
	enum ct_window result;

	if (tcp->flags[!s->dir] & CT_TCP_SACK_PERM)
		w.sack = ct_tcp_highest_sack(seg, seg->ack);
	if (init_bounds(&w))
		return CT_WINDOW_ACCEPT;
	normalise(&w);
	result = check_bounds(&w, s);
	if (result == CT_WINDOW_ACCEPT)
		learn(&w);
	else if (s->th->cfg->tcp_be_liberal || tcp->flags[s->dir] & CT_TCP_BE_LIBERAL)
		result = CT_WINDOW_ACCEPT; /* let it through, but believe nothing of it */
	if (result != CT_WINDOW_INVALID)
		s->reason = CT_REASON_NONE;
	return result;
}
