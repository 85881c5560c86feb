/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What each side of a TCP connection had sent and allowed before the packet. */

#include <inttypes.h>

#include "core/tcp.h"
#include "tools/ctmark-replay/scene.h"
#include "util/words.h"

static void add_window(struct words *w, const struct ct_view_peer *p, const struct recall_side *m)
{
	char by[SCENE_STRLEN];

	if (!m || m->maxwin_syn || p->maxwin != m->maxwin_raw << p->scale || p->scale == 0)
		words_add(w, "; largest window %" PRIu32, p->maxwin);
	else
		words_add(w, "; largest window %" PRIu32 " = %" PRIu32 " << %u", p->maxwin,
			  m->maxwin_raw, p->scale);
	words_add(w, "%s", scene_by(m ? m->maxwin_by : 0, by));
	if (m && m->maxwin_syn && p->scale > 0)
		words_add(w, ", window scale %u", p->scale);
}

static void add_allowance(const struct scene *s, struct words *w, uint8_t dir,
			  const struct ct_view_peer *p, const struct recall_side *m)
{
	char seq[SCENE_STRLEN], ack[SCENE_STRLEN], by[SCENE_STRLEN];

	words_add(w, "; may send up to %s", scene_seq(s, dir, p->maxend, seq));
	if (!m || !m->maxend_by)
		return;
	if (m->maxend_ack + m->maxend_win == p->maxend)
		words_add(w, " = ack %s + window %" PRIu32, scene_seq(s, dir, m->maxend_ack, ack),
			  m->maxend_win);
	words_add(w, "%s", scene_by(m->maxend_by, by));
}

static void put_side(const struct scene *s, const char *object, const struct ct_view_peer *p)
{
	account_put_in(s->account, object, "end", p->end);
	account_put_in(s->account, object, "maxend", p->maxend);
	account_put_in(s->account, object, "maxwin", p->maxwin);
	account_put_in(s->account, object, "scale", p->scale);
	if (p->flags & CT_TCP_MAXACK_SET)
		account_put_in(s->account, object, "maxack", p->maxack);
}

static void side_sent(const struct scene *s, uint8_t dir)
{
	const struct ct_view_peer *p = &s->record->view_before->l4.tcp.peer[dir];
	const struct recall_side *m =
		s->flow && s->flow->detail ? &s->flow->detail->side[dir] : NULL;
	const struct ct_tuple *orig = &s->record->view_before->orig;
	char text[640] = "", buf[SCENE_STRLEN], by[SCENE_STRLEN];
	struct words w = {.buf = text, .size = sizeof(text)};

	scene_address(orig->family, dir == CT_DIR_REPLY ? &orig->dst : &orig->src, buf);
	if (p->maxwin == 0) {
		account_say(s->account, SECTION_SENT, "Of %s (%s) nothing was seen that counts.",
			    scene_side(dir), buf);
		return;
	}
	words_add(&w, "%s (%s) has sent up to ", dir ? "The responder" : "The initiator", buf);
	words_add(&w, "%s%s", scene_seq(s, dir, p->end, buf), scene_by(m ? m->end_by : 0, by));
	if (p->flags & CT_TCP_MAXACK_SET)
		words_add(&w, "; acknowledged up to %s%s", scene_seq(s, !dir, p->maxack, buf),
			  scene_by(m ? m->maxack_by : 0, by));
	add_window(&w, p, m);
	add_allowance(s, &w, dir, p, m);
	account_say(s->account, SECTION_SENT, "%s.", text);
	put_side(s, dir ? "reply" : "original", p);
}

/* A window that is small because nobody scales it is the cause of many a fault. */
static void options_sent(const struct scene *s)
{
	const struct ct_view_peer *o = &s->record->view_before->l4.tcp.peer[CT_DIR_ORIGINAL];
	const struct ct_view_peer *r = &s->record->view_before->l4.tcp.peer[CT_DIR_REPLY];

	if (o->flags & r->flags & CT_TCP_BE_LIBERAL)
		account_say(s->account, SECTION_SENT,
			    "The connection was met in its middle: window scales are not known, so "
			    "nothing is refused for its window.");
	else if ((o->flags ^ r->flags) & CT_TCP_WINDOW_SCALE && o->maxwin && r->maxwin)
		account_say(
			s->account, SECTION_SENT,
			"Only %s has offered window scaling, so windows are not scaled. Perhaps "
			"a device removes the option.",
			scene_side(o->flags & CT_TCP_WINDOW_SCALE ? CT_DIR_ORIGINAL
								  : CT_DIR_REPLY));
}

void explain_tcp_sent(const struct scene *s)
{
	if (!s->record->view_before || s->record->view_before->orig.proto != CT_PROTO_TCP)
		return;
	side_sent(s, CT_DIR_ORIGINAL);
	side_sent(s, CT_DIR_REPLY);
	options_sent(s);
}
