/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What a page shows of the packet that is pointed at, or has the focus: a box, which style sheets
 * show and hide. The places come after everything that was drawn, so that boxes lie on top.
 */

#include "tools/ctmark-replay/ladder.h"

#include <inttypes.h>

#include "log/message.h"
#include "tools/ctmark-replay/line.h"

#define BOX_X	   176
#define BOX_WIDTH  600
#define BOX_TEXT   76 /* characters of a value */
#define VALUE_X	   (BOX_X + 92)
#define BOX_LINE   15
#define DETAIL_MAX 640

/* A box that grows. It is measured first (f is NULL), then drawn. */
struct box {
	FILE *f;
	int y;
};

static void add(struct box *b, const char *name, const char *value)
{
	struct lines lines;

	lines_break(&lines, value, BOX_TEXT, LINES_MAX);
	for (unsigned int i = 0; i < lines.n; i++) {
		if (b->f && i == 0)
			markup_label(b->f, BOX_X + 12, b->y, "tl f-muted", "%s", name);
		if (b->f)
			markup_label(b->f, VALUE_X, b->y, "tl f-ink", "%s", lines.text[i]);
		b->y += BOX_LINE;
	}
}

static void say_end(struct words *w, const struct decoded *d, const union ct_addr *addr,
		    uint16_t port)
{
	if (d->has_ports)
		line_endpoint(w, d->family, addr, port);
	else
		line_address(w, d->family, addr);
}

static void add_way(struct box *b, const struct decoded *d)
{
	char text[DETAIL_MAX] = "";
	struct words w = {text, sizeof(text), 0};

	if (!d->has_addrs)
		return;
	say_end(&w, d, &d->src, d->sport);
	line_text(&w, " > ");
	say_end(&w, d, &d->dst, d->dport);
	line_value(&w, ", ", d->len);
	line_text(&w, " bytes");
	line_value(&w, ", hop limit ", d->hoplimit);
	add(b, "way", text);
}

static void say_moment(struct words *w, uint8_t proto, uint8_t state, uint16_t status, uint64_t ns)
{
	const char *name = ct_state_name(proto, state);
	char text[LADDER_WORDS_MAX];

	if (name) {
		line_text(w, name);
		line_text(w, ", ");
	}
	line_text(w, ct_status_to_str(status, text));
	line_text(w, *text ? ", " : "");
	line_text(w, ladder_time(ns, text));
	line_text(w, " s left");
}

static void add_flow(struct box *b, const struct reel *r, const struct shot *s)
{
	char text[DETAIL_MAX] = "";
	struct words w = {text, sizeof(text), 0};

	if (!s->has_flow)
		return;
	if (s->before.known)
		say_moment(&w, r->orig.proto, s->before.state, s->before.status,
			   s->before.timeout_ns);
	else
		line_text(&w, "the flow begins with this packet");
	add(b, "before", text);
	w.len = 0;
	say_moment(&w, r->orig.proto, s->state, s->status, s->timeout_ns);
	add(b, "after", text);
}

static void add_reason(struct box *b, const struct shot *s)
{
	char text[DETAIL_MAX];

	if (!s->reason)
		return;
	snprintf(text, sizeof(text), "%s%s: %s", s->drop ? "dropped, " : "",
		 ct_reason_name((enum ct_reason)s->reason),
		 ct_reason_text((enum ct_reason)s->reason));
	add(b, "reason", text);
	if (s->detail)
		add(b, "numbers", s->detail);
}

static void write_box(struct box *b, const struct reel *r, const struct shot *s)
{
	char text[DETAIL_MAX], time[LADDER_WORDS_MAX];

	snprintf(text, sizeof(text), "%" PRIu64 ", at %s s", s->number,
		 ladder_time(s->at_ns, time));
	add(b, "packet", text);
	add(b, "is", shot_summary(r, s, true, text));
	add_way(b, &s->packet);
	snprintf(text, sizeof(text), "%s, mark %#" PRIx32, ct_info_name((enum ct_info)s->info),
		 s->mark);
	add(b, "ctinfo", text);
	add_flow(b, r, s);
	add_reason(b, s);
}

/* Below its row, or above it where the picture ends too soon. */
static void draw_box(FILE *f, const struct ladder *l, const struct row *row)
{
	struct box measure = {};
	struct box b = {.f = f};
	int y, height;

	write_box(&measure, l->reel, row->shot);
	height = measure.y + 14;
	y = row->y + row->height;
	if (y + height > l->height)
		y = row->y - height > 0 ? row->y - height : l->height - height;
	fputs("<g class=\"box\">", f);
	markup_rect(f, BOX_X, y, BOX_WIDTH, height, "r f-panel s-rule");
	b.y = y + 19;
	write_box(&b, l->reel, row->shot);
	fputs("</g>", f);
}

void ladder_details(FILE *f, const struct ladder *l)
{
	for (size_t i = 0; i < l->nrows; i++) {
		const struct row *row = &l->rows[i];
		char text[DECODE_SUMMARY_MAX];

		if (row->kind != ROW_PACKET)
			continue;
		fputs("<g class=\"place\" tabindex=\"0\" role=\"img\" aria-label=\"", f);
		markup_text(f, "Packet %" PRIu64 ", %s, %s", row->shot->number,
			    shot_summary(l->reel, row->shot, false, text),
			    ct_info_name((enum ct_info)row->shot->info));
		if (row->shot->reason)
			markup_text(f, ", %s", ct_reason_text((enum ct_reason)row->shot->reason));
		fputs("\">", f);
		markup_rect(f, 4, row->y - 3, LADDER_WIDTH - 8, row->height, "r");
		draw_box(f, l, row);
		fputs("</g>\n", f);
	}
}
