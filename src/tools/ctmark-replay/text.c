/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Columns of a fixed width, and behind them what the packet is. Where the terminal is too narrow
 * for both, that begins a line of its own; what is wider than its column moves the rest to the
 * right. Nothing is kept back to find out widths, so that any number of packets takes no memory.
 */

#include <stdlib.h>
#include <string.h>

#include "log/message.h"
#include "tools/ctmark-replay/sinks.h"
#include "tools/ctmark-replay/who.h"
#include "util/cleanup.h"

#define ROW_MAX 1024

/* Name, columns; those of time and mark depend on how they are shown. */
#define COLUMN_LIST(X)                                                                             \
	X(NUMBER, "packet", 6)                                                                     \
	X(TIME, "time", 0)                                                                         \
	X(FLOW, "flow", 5)                                                                         \
	X(DIR, "", 2)                                                                              \
	X(CLASS, "class", 11)                                                                      \
	X(MARK, "mark", 0)                                                                         \
	X(STATE, "state", 22)                                                                      \
	X(TIMEOUT, "timeout", 7)

enum column {
#define X(id, head, width) COLUMN_##id,
	COLUMN_LIST(X)
#undef X
		COLUMN_MAX
};

struct text {
	struct sink base;
	const struct look *look;
	struct look_clock clock;
	unsigned int width[COLUMN_MAX];
	unsigned int end[COLUMN_MAX]; /* where a column ends */
	bool headed;
};

/* A line as it grows. */
struct row {
	const struct text *t;
	struct words w;
	size_t hidden; /* bytes of it that take no column */
	char buf[ROW_MAX];
};

/* ---- columns ---- */

static void row_begin(struct row *row, const struct text *t)
{
	row->t = t;
	row->w = (struct words){.buf = row->buf, .size = sizeof(row->buf)};
	row->hidden = 0;
	row->buf[0] = '\0';
}

static unsigned int row_at(const struct row *row)
{
	return (unsigned int)(row->w.len - row->hidden);
}

static void fill(struct row *row, unsigned int to)
{
	while (row_at(row) < to && row->w.len + 1 < row->w.size)
		line_char(&row->w, ' ');
}

/* From where a column begins. */
static void cell_left(struct row *row, enum column c)
{
	unsigned int begin = row->t->end[c] - row->t->width[c];

	if (row_at(row) >= begin && begin)
		line_char(&row->w, ' ');
	fill(row, begin);
}

/* Text that ends where a column does. */
static void cell_right(struct row *row, enum column c, const char *text)
{
	size_t len = strlen(text);
	unsigned int end = row->t->end[c];

	if (row_at(row))
		line_char(&row->w, ' ');
	if (len < end)
		fill(row, end - (unsigned int)len);
	line_text(&row->w, text);
}

static void cell_number(struct row *row, enum column c, uint64_t n)
{
	char buf[24] = "";
	struct words w = {.buf = buf, .size = sizeof(buf)};

	line_number(&w, n);
	cell_right(row, c, buf);
}

static void cell_time(struct row *row, struct text *t, uint64_t begin_ns, uint64_t time_ns)
{
	char buf[48] = "";
	struct words w = {.buf = buf, .size = sizeof(buf)};

	look_time(t->look, &t->clock, begin_ns, time_ns, &w);
	cell_right(row, COLUMN_TIME, buf);
}

static void write_head(struct text *t)
{
	static const char *const heads[COLUMN_MAX] = {
#define X(id, head, width) [COLUMN_##id] = head,
		COLUMN_LIST(X)
#undef X
	};
	char coloured[ROW_MAX] = "";
	struct words w = {.buf = coloured, .size = sizeof(coloured)};
	struct row row;

	t->headed = true;
	row_begin(&row, t);
	for (enum column c = 0; c < COLUMN_MAX; c++) {
		if (c == COLUMN_DIR)
			continue;
		if (c == COLUMN_CLASS || c == COLUMN_STATE) {
			cell_left(&row, c);
			line_text(&row.w, heads[c]);
		} else {
			cell_right(&row, c, heads[c]);
		}
	}
	look_styled(t->look, &w, LOOK_HEAD, row.buf);
	fprintf(t->look->out, "%s\n", coloured);
}

/* ---- a packet ---- */

static enum look_style style_of(uint8_t info)
{
	switch (info) {
	case CT_INFO_ESTABLISHED:
	case CT_INFO_ESTABLISHED_REPLY:
		return LOOK_GOOD;
	case CT_INFO_INVALID:
		return LOOK_BAD;
	case CT_INFO_UNTRACKED:
		return LOOK_DIM;
	default:
		return LOOK_NOTE;
	}
}

/* The direction has a column of its own. */
static const char *class_of(uint8_t info)
{
	switch (info) {
	case CT_INFO_ESTABLISHED_REPLY:
		return ct_info_name(CT_INFO_ESTABLISHED);
	case CT_INFO_RELATED_REPLY:
		return ct_info_name(CT_INFO_RELATED);
	default:
		return ct_info_name((enum ct_info)info);
	}
}

static void add_state(struct row *row, const struct record *r, uint8_t proto)
{
	const char *is = ct_state_name(proto, r->out->state);
	const char *was = ct_state_name(proto, r->before.state);

	if (!r->flow || !is)
		return;
	cell_left(row, COLUMN_STATE);
	if (was && r->before.known && r->before.state != r->out->state) {
		line_text(&row->w, was);
		line_char(&row->w, '>');
	}
	line_text(&row->w, is);
}

static void add_timeout(struct row *row, const struct record *r)
{
	char buf[24] = "";
	struct words w = {.buf = buf, .size = sizeof(buf)};

	if (!r->flow)
		return;
	look_span(&w, r->out->timeout_ns);
	cell_right(row, COLUMN_TIMEOUT, buf);
}

static void add_columns(struct text *t, struct row *row, const struct record *r,
			const struct decoded *d)
{
	const struct ct_result *out = r->out;
	char mark[16] = "";
	struct words w = {.buf = mark, .size = sizeof(mark)};

	cell_number(row, COLUMN_NUMBER, r->packet->number);
	cell_time(row, t, r->begin_ns, r->packet->time_ns);
	if (r->flow) {
		cell_number(row, COLUMN_FLOW, r->flow);
		cell_left(row, COLUMN_DIR);
		line_text(&row->w, out->dir == CT_DIR_REPLY ? "<-" : "->");
	}
	cell_left(row, COLUMN_CLASS);
	row->hidden += look_styled(t->look, &row->w, style_of(out->info), class_of(out->info));
	line_hex(&w, out->mark);
	cell_right(row, COLUMN_MARK, mark);
	add_state(row, r, who_record_proto(r, d));
	add_timeout(row, r);
}

/* What the flow has gained: "+SEEN_REPLY". That it is in the table goes without saying. */
static void add_gained(struct words *w, const struct record *r)
{
	uint16_t before = r->before.known ? r->before.status : 0;
	uint16_t gained = r->out->status & (uint16_t) ~(before | CT_STATUS_CONFIRMED);
	char names[CT_STATUS_STRLEN];

	if (!r->flow || !gained)
		return;
	line_text(w, "  +");
	line_text(w, ct_status_to_str(gained, names));
}

static void add_packet(struct words *w, const struct record *r, const struct decoded *d)
{
	const struct link_packet *link = &r->packet->link;
	char summary[DECODE_SUMMARY_MAX];

	who_packet(w, d);
	line_char(w, ' ');
	line_text(w, decode_summary(d, NULL, summary));
	for (unsigned int i = 0; i < link->nvlans && i < ARRAY_SIZE(link->vlan); i++)
		line_value(w, i ? "." : " vlan=", link->vlan[i]);
	add_gained(w, r);
	if (!r->first)
		return;
	if (r->helper != CT_HELPER_NONE) {
		line_text(w, "  helper ");
		line_text(w, ct_helper_name((enum ct_helper_id)r->helper));
	}
	if (r->master)
		line_value(w, "  expected by flow ", r->master);
}

/* Below the packet: why it is INVALID, or has to be dropped. */
static void write_reason(const struct text *t, const struct record *r)
{
	const struct ct_result *out = r->out;
	char detail[MESSAGE_DETAIL_MAX] = "", text[ROW_MAX];
	struct words w = {.buf = text, .size = sizeof(text)};
	struct row row;

	row_begin(&row, t);
	fill(&row, t->end[COLUMN_NUMBER] + 1);
	if (out->drop)
		line_text(&row.w, "dropped, ");
	row.hidden +=
		look_styled(t->look, &row.w, LOOK_BAD, ct_reason_name((enum ct_reason)out->reason));
	line_char(&row.w, ':');
	fwrite(row.buf, 1, row.w.len, t->look->out);
	for (unsigned int i = 0; i < out->nevents && !*detail; i++)
		(void)message_detail(&out->events[i], detail);
	line_text(&w, ct_reason_text((enum ct_reason)out->reason));
	if (*detail) {
		line_text(&w, " (");
		line_text(&w, detail);
		line_char(&w, ')');
	}
	look_fold(t->look, row_at(&row), row_at(&row) + 1, text);
}

/* The columns are written as they are; what is behind them may go on below. */
static void write_row(struct row *row, const char *text)
{
	unsigned int at = row_at(row), from = row->t->end[COLUMN_TIMEOUT] + 2;

	fwrite(row->buf, 1, row->w.len, row->t->look->out);
	look_fold(row->t->look, at, at < from ? from : at + 1, text);
}

static int text_packet(struct sink *s, const struct record *r)
{
	struct text *t = (struct text *)s;
	char packet[ROW_MAX];
	struct words w = {.buf = packet, .size = sizeof(packet)};
	struct decoded d;
	struct row row;

	if (!choice_has_packet(t->look->choice, r))
		return 0;
	if (!t->headed)
		write_head(t);
	decode_packet(&d, r->in->data, r->in->caplen, r->in->len, r->in->family);
	row_begin(&row, t);
	add_columns(t, &row, r, &d);
	add_packet(&w, r, &d);
	write_row(&row, packet);
	if (r->out->reason != CT_REASON_NONE && (r->out->info == CT_INFO_INVALID || r->out->drop))
		write_reason(t, r);
	return look_written(t->look);
}

/* ---- the end of a flow ---- */

static int text_ending(struct sink *s, const struct ending *e)
{
	struct text *t = (struct text *)s;
	const struct ct_event *ev = e->event;
	const char *state = ct_state_name(ev->orig.proto, ev->state_new);
	char who[ROW_MAX];
	struct words w = {.buf = who, .size = sizeof(who)};
	struct row row;

	if (!choice_has_ending(t->look->choice, e->flow))
		return 0;
	if (!t->headed)
		write_head(t);
	row_begin(&row, t);
	cell_time(&row, t, e->begin_ns, e->time_ns);
	cell_number(&row, COLUMN_FLOW, e->flow);
	cell_left(&row, COLUMN_CLASS);
	row.hidden += look_styled(t->look, &row.w, LOOK_DIM, "ended");
	if (state) {
		cell_left(&row, COLUMN_STATE);
		line_text(&row.w, state);
	}
	who_flow(&w, &ev->orig);
	line_text(&w, " ");
	line_text(&w, ct_death_name((enum ct_death)ev->death));
	line_text(&w, ": ");
	line_text(&w, ct_death_text((enum ct_death)ev->death));
	write_row(&row, who);
	return look_written(t->look);
}

/* ---- the sink ---- */

static void text_free(struct sink *s)
{
	free(s);
}

static const struct sink_ops text_ops = {
	.packet = text_packet,
	.ending = text_ending,
	.free = text_free,
};

/* Marks of packets without any take no more than this. */
static unsigned int mark_width(const struct ct_mark *mark)
{
	char buf[16];
	struct words w = {.buf = buf, .size = sizeof(buf)};

	line_hex(&w, mark->mask);
	return w.len < 4 ? 4 : (unsigned int)w.len;
}

struct sink *text_new(const struct look *look)
{
	static const unsigned int widths[COLUMN_MAX] = {
#define X(id, head, width) [COLUMN_##id] = width,
		COLUMN_LIST(X)
#undef X
	};
	struct text *t = malloc(sizeof(*t));
	unsigned int end = 0;

	if (!t)
		return NULL;
	*t = (struct text){.base = {&text_ops}, .look = look};
	memcpy(t->width, widths, sizeof(t->width));
	t->width[COLUMN_TIME] = look_time_width(look);
	t->width[COLUMN_MARK] = mark_width(&look->track->mark);
	for (enum column c = 0; c < COLUMN_MAX; c++) {
		end += t->width[c] + (c > 0);
		t->end[c] = end;
	}
	return &t->base;
}
