/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/ladder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "log/message.h"
#include "tools/ctmark-replay/line.h"
#include "util/cleanup.h"

#define HEAD_HEIGHT 112
#define LINE_HEIGHT 13
#define NOTE_HEIGHT 12
#define SLANT	    6
#define GAP_NS	    CT_NS_PER_S /* from so long on a gap is drawn */

/* ---- texts of a row ---- */

static void say_note(struct row *row, const struct reel *reel)
{
	const struct shot *s = row->shot;
	char text[512];
	struct words w = {text, sizeof(text), 0};

	text[0] = '\0';
	if (shot_is_foreign(reel, s)) {
		line_text(&w, "from ");
		line_address(&w, s->packet.family, &s->packet.src);
		if (s->reason)
			line_text(&w, "; ");
	}
	if (s->reason) {
		line_text(&w, ct_reason_name((enum ct_reason)s->reason));
		if (s->detail) {
			line_text(&w, ": ");
			line_text(&w, s->detail);
		}
	}
	lines_break(&row->note, text, LADDER_TEXT, LINES_MAX);
}

static void say_status(struct row *row)
{
	const struct shot *s = row->shot;
	uint16_t gained = s->status & ~(s->before.known ? s->before.status : 0);
	char text[128];
	struct words w = {text, sizeof(text), 0};

	text[0] = '\0';
#define X(name, bit)                                                                               \
	if (gained & CT_STATUS_##name)                                                             \
		line_text(&w, w.len ? " +" #name : "+" #name);
	CT_STATUS_LIST(X)
#undef X
	lines_break(&row->status, text, LADDER_STATUS, LINES_MAX);
}

/* ---- rows ---- */

static struct row *add_row(struct ladder *l, enum row_kind kind, int height)
{
	struct row *row = &l->rows[l->nrows++];

	row->kind = (uint8_t)kind;
	row->y = l->height;
	row->height = height;
	l->height += height;
	return row;
}

static void add_packet(struct ladder *l, const struct shot *s, const struct shot *before)
{
	struct row *row = add_row(l, ROW_PACKET, 0);
	char summary[DECODE_SUMMARY_MAX];
	int left, right;

	row->shot = s;
	row->names_state = s->has_flow && (!before || before->state != s->state);
	lines_break(&row->label, shot_summary(l->reel, s, false, summary), LADDER_TEXT, 2);
	say_note(row, l->reel);
	say_status(row);
	row->arrow = row->y + 4 + LINE_HEIGHT * (int)row->label.n;
	left = SLANT + 8 + NOTE_HEIGHT * (int)row->note.n;
	right = 18 + NOTE_HEIGHT * (int)(row->status.n ? row->status.n : 1);
	row->height = row->arrow - row->y + (left > right ? left : right) + 6;
	l->height = row->y + row->height;
}

static void add_between(struct ladder *l, const struct shot *before, const struct shot *s)
{
	uint64_t ns = s->at_ns > before->at_ns ? s->at_ns - before->at_ns : 0;
	uint64_t count = s->nth - before->nth - 1;
	struct row *row;

	if (count == 0 && ns < GAP_NS)
		return;
	row = add_row(l, count ? ROW_LEFT_OUT : ROW_GAP, 32);
	row->gap_ns = ns;
	row->count = count;
}

static void add_end(struct ladder *l)
{
	const struct reel *r = l->reel;
	char text[LADDER_WORDS_MAX];
	uint64_t ns = r->ended && r->end_ns > r->last_ns ? r->end_ns - r->last_ns : 0;
	struct row *row;

	if (r->number == 0)
		return;
	if (ns >= GAP_NS)
		add_row(l, ROW_GAP, 32)->gap_ns = ns;
	row = add_row(l, ROW_END, 0);
	lines_break(&row->label, ladder_end(l->film, r, text), LADDER_TEXT, LINES_MAX);
	row->height = 20 + LINE_HEIGHT * (int)row->label.n;
	l->height += row->height;
}

int ladder_init(struct ladder *ret, const struct film *film, const struct reel *reel)
{
	struct ladder l = {.film = film, .reel = reel, .top = HEAD_HEIGHT, .height = HEAD_HEIGHT};
	const struct shot *before = NULL;

	l.rows = calloc(2 * reel_length(reel) + 2, sizeof(*l.rows));
	if (!l.rows)
		return -ENOMEM;
	for (size_t i = 0; i < reel_length(reel); i++) {
		const struct shot *s = reel_shot(reel, i);

		if (before)
			add_between(&l, before, s);
		add_packet(&l, s, before);
		before = s;
	}
	add_end(&l);
	l.height += 16;
	*ret = l;
	return 0;
}

void ladder_done(struct ladder *l)
{
	free(l->rows);
}

/* ---- words ---- */

const char *ladder_duration(uint64_t ns, char buf[static LADDER_WORDS_MAX])
{
	static const struct {
		unsigned int below, unit; /* in seconds */
		const char *name;
	} units[] = {{1000, 1, "s"}, {2 * 3600, 60, "min"}, {2 * 86400, 3600, "h"}};
	uint64_t s = (ns + CT_NS_PER_S / 2) / CT_NS_PER_S;
	uint64_t tenths = ns / (CT_NS_PER_S / 10);

	if (tenths < 100 && tenths % 10) {
		snprintf(buf, LADDER_WORDS_MAX, "%" PRIu64 ".%" PRIu64 " s", tenths / 10,
			 tenths % 10);
		return buf;
	}
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (s >= units[i].below)
			continue;
		snprintf(buf, LADDER_WORDS_MAX, "%" PRIu64 " %s",
			 (s + units[i].unit / 2) / units[i].unit, units[i].name);
		return buf;
	}
	snprintf(buf, LADDER_WORDS_MAX, "%" PRIu64 " d", (s + 43200) / 86400);
	return buf;
}

const char *ladder_time(uint64_t ns, char buf[static LADDER_WORDS_MAX])
{
	uint64_t s = ns / CT_NS_PER_S;
	unsigned int us = (unsigned int)(ns % CT_NS_PER_S / 1000);

	if (s < 10000)
		snprintf(buf, LADDER_WORDS_MAX, "%" PRIu64 ".%06u", s, us);
	else
		snprintf(buf, LADDER_WORDS_MAX, "%" PRIu64 ".%03u", s, us / 1000);
	return buf;
}

const char *ladder_title(const struct reel *r, char buf[static LADDER_WORDS_MAX])
{
	struct words w = {buf, LADDER_WORDS_MAX, 0};
	char proto[MESSAGE_PROTO_MAX];

	buf[0] = '\0';
	if (r->number == 0) {
		line_text(&w, "Packets without a flow");
		return buf;
	}
	line_value(&w, "Flow ", r->number);
	line_text(&w, ", ");
	line_text(&w, message_proto(r->orig.proto, proto));
	return buf;
}

const char *ladder_endpoint(const struct reel *r, bool left, char buf[static LADDER_WORDS_MAX])
{
	const union ct_addr *addr = left ? &r->orig.src : &r->orig.dst;
	uint16_t id_be = left ? r->orig.src_id_be : r->orig.dst_id_be;
	struct words w = {buf, LADDER_WORDS_MAX, 0};

	buf[0] = '\0';
	if (!r->orig.family)
		line_text(&w, "no address");
	else if (r->number && message_proto_has_ports(r->orig.proto))
		line_endpoint(&w, r->orig.family, addr, ntohs(id_be));
	else
		line_address(&w, r->orig.family, addr);
	return buf;
}

const char *ladder_end(const struct film *film, const struct reel *r,
		       char buf[static LADDER_WORDS_MAX])
{
	struct words w = {buf, LADDER_WORDS_MAX, 0};
	uint64_t expires = r->last_ns + r->timeout_ns;
	char left[LADDER_WORDS_MAX];

	buf[0] = '\0';
	if (r->ended) {
		line_text(&w, "ended: ");
		line_text(&w, ct_death_text((enum ct_death)r->death));
		if (r->reopened)
			line_value(&w, " as flow ", r->reopened);
		return buf;
	}
	line_text(&w, "alive at the end of the capture");
	if (expires > film->end_ns) {
		line_text(&w, ", ");
		line_text(&w, ladder_duration(expires - film->end_ns, left));
		line_text(&w, " left");
	}
	return buf;
}
