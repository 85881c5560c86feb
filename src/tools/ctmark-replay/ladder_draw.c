/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/ladder.h"

#include <arpa/inet.h>
#include <inttypes.h>

#include "log/message.h"
#include "tools/ctmark-replay/line.h"

#define SLANT 6
#define TIP   9 /* length of an arrow's head */

/* ---- head ---- */

static void say_flows(struct words *w, const char *before, const char *what, uint64_t number)
{
	line_text(w, before);
	line_text(w, what);
	line_value(w, "flow ", number);
}

/* Whom it belongs to and who to it. */
static void say_relations(struct words *w, const struct ladder *l)
{
	const struct reel *r = l->reel;
	const char *helper = ct_helper_name((enum ct_helper_id)r->helper);
	unsigned int children = 0;

	if (r->orig.zone)
		line_value(w, "zone ", r->orig.zone);
	if (*helper) {
		line_text(w, w->len ? "; read by helper " : "read by helper ");
		line_text(w, helper);
	}
	if (r->master)
		say_flows(w, w->len ? "; " : "", "expected by ", r->master);
	if (r->reopens)
		say_flows(w, w->len ? "; " : "", "took over the ports of ", r->reopens);
	for (size_t i = l->film->npairs; i < l->film->nreels && children < 8; i++) {
		if (l->film->reels[i]->master != r->number || !r->number)
			continue;
		say_flows(w,
			  children ? ", "
			  : w->len ? "; "
				   : "",
			  children ? "" : "expected ", l->film->reels[i]->number);
		children++;
	}
}

static void draw_title(FILE *f, const struct ladder *l)
{
	const struct reel *r = l->reel;
	char text[512];
	struct words w = {text, sizeof(text), 0};

	markup_label(f, 16, 26, "tt f-ink", "%s", ladder_title(r, text));
	markup_label(f, LADDER_TIMEOUT, 26, "tc f-muted e",
		     "%" PRIu64 " packet%s, %" PRIu64 " INVALID", r->packets,
		     r->packets == 1 ? "" : "s", r->invalid);
	text[0] = '\0';
	say_relations(&w, l);
	if (w.len)
		markup_label(f, 16, 43, "tc f-muted", "%s", text);
}

/* What is below the address: the port, or what an ICMP flow is known by. */
static void say_side(struct words *w, const struct reel *r, bool left)
{
	uint16_t id = ntohs(left ? r->orig.src_id_be : r->orig.dst_id_be);

	if (r->number == 0)
		return;
	if (message_proto_has_ports(r->orig.proto)) {
		line_value(w, "port ", id);
		line_text(w, ", ");
	} else if (r->orig.proto == CT_PROTO_ICMP || r->orig.proto == CT_PROTO_ICMPV6) {
		line_value(w, "id ", ntohs(r->orig.src_id_be));
		line_text(w, ", ");
	}
	line_text(w, left ? "initiator" : "responder");
}

static void draw_side(FILE *f, const struct reel *r, bool left)
{
	char text[LADDER_WORDS_MAX] = "";
	struct words w = {text, sizeof(text), 0};
	int x = left ? LADDER_LEFT : LADDER_RIGHT;

	if (r->orig.family)
		line_address(&w, r->orig.family, left ? &r->orig.src : &r->orig.dst);
	else
		line_text(&w, "address not known");
	markup_label(f, x, 66, "ts f-ink c", "%s", text);
	w.len = 0;
	text[0] = '\0';
	say_side(&w, r, left);
	markup_label(f, x, 81, "tn f-muted c", "%s", text);
}

static void draw_head(FILE *f, const struct ladder *l)
{
	const char *caption = "tc f-muted", *ends = "tc f-muted e";

	draw_title(f, l);
	draw_side(f, l->reel, true);
	draw_side(f, l->reel, false);
	markup_label(f, LADDER_NUMBER, 100, ends, "packet");
	markup_label(f, LADDER_TIME, 100, ends, "seconds");
	markup_label(f, LADDER_TRACKER, 100, "tc f-muted c", "tracker");
	markup_label(f, LADDER_CLASS, 100, caption, "ctinfo, mark");
	if (l->reel->number == 0)
		return;
	markup_label(f, LADDER_BAR, 100, caption, "state, status");
	markup_label(f, LADDER_TIMEOUT, 100, ends, "timeout");
}

/* ---- what goes from top to bottom ---- */

static void draw_pole(FILE *f, int x, int from, int to, bool dotted)
{
	markup_line(f, x, from, x, to, dotted ? "s-rule n d" : "s-rule n");
}

/* Life lines are solid where packets are, dotted where time or packets are left out. */
static void draw_poles(FILE *f, const struct ladder *l)
{
	int from = l->top - 6, end = l->height - 12;

	for (size_t i = 0; i <= l->nrows; i++) {
		const struct row *row = i < l->nrows ? &l->rows[i] : NULL;
		bool pause = row && (row->kind == ROW_GAP || row->kind == ROW_LEFT_OUT);
		int to = !row ? end : row->kind == ROW_END ? row->y + 6 : row->y;

		if (row && !pause && row->kind != ROW_END)
			continue;
		draw_pole(f, LADDER_LEFT, from, to, false);
		draw_pole(f, LADDER_RIGHT, from, to, false);
		markup_line(f, LADDER_TRACKER, from, LADDER_TRACKER, to, "s-faint n d");
		if (!row || row->kind == ROW_END)
			return;
		from = row->y + row->height;
		draw_pole(f, LADDER_LEFT, row->y, from, true);
		draw_pole(f, LADDER_RIGHT, row->y, from, true);
	}
}

/* How much of the connection is known, as a tone of the bar. */
static const char *bar_class(uint16_t status)
{
	if (status & CT_STATUS_ASSURED)
		return "f-ESTABLISHED";
	return status & CT_STATUS_SEEN_REPLY ? "f-rule" : "f-faint";
}

/* The bar of the state: a piece from each packet to the next one. */
static void draw_bar(FILE *f, const struct ladder *l)
{
	const struct row *last = NULL;

	for (size_t i = 0; i < l->nrows; i++) {
		const struct row *row = &l->rows[i];
		bool is_end = row->kind == ROW_END;
		int to = is_end ? row->y + 6 : row->arrow + SLANT / 2;

		if (!is_end && (row->kind != ROW_PACKET || !row->shot->has_flow))
			continue;
		if (last) {
			int from = last->arrow + SLANT / 2;

			markup_rect(f, LADDER_BAR, from, 8, to - from,
				    bar_class(last->shot->status));
		}
		last = row;
	}
}

/* ---- rows ---- */

static void draw_lines(FILE *f, const struct lines *lines, int x, int y, int step,
		       const char *classes)
{
	for (unsigned int i = 0; i < lines->n; i++)
		markup_label(f, x, y + (int)i * step, classes, "%s", lines->text[i]);
}

static void draw_tip(FILE *f, int x, int y, bool right, const char *info)
{
	int back = right ? -TIP : TIP;

	fprintf(f, "<path class=\"f-%s\" d=\"M%d %dl%d -4v8z\"/>\n", info, x, y, back);
}

static void draw_cross(FILE *f, int y)
{
	fprintf(f, "<path class=\"s-INVALID n w2\" d=\"M%d %dl10 10m0 -10l-10 10\"/>\n",
		LADDER_TRACKER - 5, y - 5);
}

static void draw_arrow(FILE *f, const struct row *row, const struct reel *reel)
{
	const struct shot *s = row->shot;
	const char *info = ct_info_name((enum ct_info)s->info);
	bool right = shot_goes_right(reel, s), foreign = shot_is_foreign(reel, s);
	bool stopped = s->info == CT_INFO_INVALID || s->drop;
	int from = right ? LADDER_LEFT : LADDER_RIGHT, to = right ? LADDER_RIGHT : LADDER_LEFT;
	int y = row->arrow, end = y + SLANT;

	if (foreign) {
		from = right ? LADDER_TRACKER - 95 : LADDER_TRACKER + 95;
		fprintf(f, "<circle class=\"f-%s\" cx=\"%d\" cy=\"%d\" r=\"4\"/>\n", info, from, y);
	}
	if (stopped) {
		to = LADDER_TRACKER;
		end = y + SLANT / 2;
	}
	fprintf(f, "<path class=\"s-%s n w\" d=\"M%d %dL%d %d\"/>\n", info, from, y,
		stopped ? to : to + (right ? -TIP : TIP) / 2, end);
	if (stopped)
		draw_cross(f, end);
	else
		draw_tip(f, to, end, right, info);
}

/* The ctinfo in words, framed; INVALID stands out. */
static void draw_class(FILE *f, const struct row *row)
{
	const struct shot *s = row->shot;
	const char *info = ct_info_name((enum ct_info)s->info);
	bool invalid = s->info == CT_INFO_INVALID;
	char classes[64];

	snprintf(classes, sizeof(classes), "r s-%s %s%s", info, invalid ? "f-" : "n",
		 invalid ? info : "");
	markup_rect(f, LADDER_CLASS, row->arrow - 6, 130, 18, classes);
	snprintf(classes, sizeof(classes), "tl c f-%s", invalid ? "paper" : info);
	markup_label(f, LADDER_CLASS + 65, row->arrow + 7, classes, "%s", info);
	markup_label(f, LADDER_CLASS + 65, row->arrow + 24, "tn f-muted c", "mark %#" PRIx32,
		     s->mark);
}

static void draw_state(FILE *f, const struct row *row, const struct reel *reel)
{
	const struct shot *s = row->shot;
	const char *state = ct_state_name(reel->orig.proto, s->state);
	char text[LADDER_WORDS_MAX];

	if (!s->has_flow)
		return;
	if (row->names_state) {
		markup_line(f, LADDER_BAR - 3, row->arrow + SLANT / 2, LADDER_BAR + 11,
			    row->arrow + SLANT / 2, "s-ink n w");
		markup_label(f, LADDER_STATE, row->arrow + 7, state ? "ts f-ink" : "tl f-muted",
			     "%s", state ? state : "no states");
	}
	draw_lines(f, &row->status, LADDER_STATE, row->arrow + 21, 12, "tn f-muted");
	markup_label(f, LADDER_TIMEOUT, row->arrow + 7, "tl f-muted e", "%s",
		     ladder_duration(s->timeout_ns, text));
}

static void draw_packet(FILE *f, const struct row *row, const struct reel *reel)
{
	const struct shot *s = row->shot;
	char time[LADDER_WORDS_MAX];

	fprintf(f, "<g class=\"p %s\" data-packet=\"%" PRIu64 "\">",
		ct_info_name((enum ct_info)s->info), s->number);
	markup_label(f, LADDER_NUMBER, row->arrow + 7, "tl f-ink e", "%" PRIu64, s->number);
	markup_label(f, LADDER_TIME, row->arrow + 7, "tl f-muted e", "%s",
		     ladder_time(s->at_ns, time));
	draw_arrow(f, row, reel);
	draw_lines(f, &row->label, LADDER_TRACKER, row->y + 10, 13, "tl f-ink c h");
	draw_lines(f, &row->note, LADDER_TRACKER, row->arrow + SLANT + 14, 12,
		   s->reason ? "tn f-INVALID c h" : "tn f-muted c h");
	draw_class(f, row);
	draw_state(f, row, reel);
	fputs("</g>\n", f);
}

static void draw_pause(FILE *f, const struct row *row)
{
	char text[LADDER_WORDS_MAX];

	if (row->gap_ns >= CT_NS_PER_S)
		markup_label(f, LADDER_TIME, row->y + 18, "tl f-muted e", "\u2026 %s",
			     ladder_duration(row->gap_ns, text));
	if (row->count)
		markup_label(f, LADDER_TRACKER, row->y + 18, "tl f-muted c h",
			     "%" PRIu64 " packet%s not drawn", row->count,
			     row->count == 1 ? " is" : "s are");
}

static void draw_end(FILE *f, const struct row *row, const struct reel *reel)
{
	int y = row->y + 6;
	char time[LADDER_WORDS_MAX];

	draw_lines(f, &row->label, LADDER_TRACKER, y + 4, 13, "tl f-muted c h");
	if (!reel->ended)
		return;
	markup_label(f, LADDER_TIME, y + 4, "tl f-muted e", "%s", ladder_time(reel->end_ns, time));
	markup_line(f, LADDER_LEFT - 5, y, LADDER_LEFT + 5, y, "s-rule n w2");
	markup_line(f, LADDER_RIGHT - 5, y, LADDER_RIGHT + 5, y, "s-rule n w2");
	markup_line(f, LADDER_BAR - 3, y, LADDER_BAR + 11, y, "s-ink n w2");
	markup_label(f, LADDER_STATE, y + 4, "tl f-muted", "%s",
		     ct_death_name((enum ct_death)reel->death));
}

void ladder_draw(FILE *f, const struct ladder *l)
{
	draw_head(f, l);
	draw_poles(f, l);
	draw_bar(f, l);
	for (size_t i = 0; i < l->nrows; i++) {
		const struct row *row = &l->rows[i];

		if (row->kind == ROW_PACKET)
			draw_packet(f, row, l->reel);
		else if (row->kind == ROW_END)
			draw_end(f, row, l->reel);
		else
			draw_pause(f, row);
	}
}
