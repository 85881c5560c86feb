/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ctmarkctl/app.h"
#include "tools/ctmarkctl/text.h"
#include "tools/ctmarkctl/top.h"
#include "tools/ctmarkctl/value.h"

/* A counter with its rate, as one line of a list. */
struct item {
	const char *name;
	int64_t total;
	double rate; /* -1: not known */
};

#define ITEMS_MAX 64

/* ---- head ---- */

static void draw_title(struct screen *s, const struct top_view *v)
{
	char up[TEXT_STRLEN];

	screen_add(s, STYLE_HEAD, "ctmarkd %s", value_text(v->status, "version"));
	screen_add(s, STYLE_PLAIN, "  up %s", text_duration(value_number(v->status, "uptime"), up));
	if (value_true(v->status, "shadow"))
		screen_add(s, STYLE_WARN, "  SHADOW");
	if (v->paused)
		screen_add(s, STYLE_WARN, "  PAUSED");
	screen_tab(s, s->width > 10 ? s->width - 8 : 0);
	screen_add(s, STYLE_DIM, "%.8s", v->clock);
	screen_line(s);
}

static void draw_fill(struct screen *s, const struct top_view *v)
{
	int64_t n = value_number(v->status, "flows"), max = value_number(v->status, "max_flows");
	double part = max > 0 ? (double)n / (double)max : 0;

	screen_add(s, STYLE_HEAD, "flows ");
	screen_bar(s, s->width >= 60 ? 30 : 12, part);
	screen_add(s, STYLE_PLAIN, " %" PRId64 " of %" PRId64 " (%.1f%%)", n, max, part * 100);
	screen_line(s);
}

static void draw_rate(struct screen *s, const char *name, double rate, enum style style)
{
	char text[TEXT_STRLEN];

	screen_add(s, STYLE_HEAD, "%s ", name);
	screen_add(s, rate > 0 ? style : STYLE_PLAIN, "%s   ",
		   rate < 0 ? "-" : text_rate(rate, text));
}

static void draw_rates(struct screen *s, const struct top_view *v)
{
	int64_t drops = value_number(v->status, "drops");

	draw_rate(s, "packets/s", rates_of(&v->rates, "counters", "packets"), STYLE_PLAIN);
	draw_rate(s, "new/s", rates_of(&v->rates, "counters", "flows_created"), STYLE_PLAIN);
	draw_rate(s, "ended/s", rates_of(&v->rates, "counters", "flows_destroyed"), STYLE_PLAIN);
	draw_rate(s, "invalid/s", rates_of(&v->rates, "ctinfo", "INVALID"), STYLE_BAD);
	screen_add(s, STYLE_HEAD, "drops ");
	screen_add(s, drops ? STYLE_BAD : STYLE_PLAIN, "%" PRId64 "%s", drops,
		   value_true(v->status, "drops_exact") ? "" : "+");
	screen_line(s);
}

/* ---- lists side by side ---- */

static int faster_first(const void *a, const void *b)
{
	const struct item *one = a, *other = b;

	if (one->rate != other->rate)
		return one->rate < other->rate ? 1 : -1;
	if (one->total != other->total)
		return one->total < other->total ? 1 : -1;
	return strcmp(one->name, other->name);
}

/* Counters of a list that are not zero, the busiest first if sort. */
static size_t collect(const struct rates *r, const char *list, bool sort,
		      struct item ret[static ITEMS_MAX])
{
	const json_t *totals = json_object_get(r->now, "totals"), *counter;
	size_t i, n = 0;

	json_array_foreach(json_object_get(totals, list), i, counter)
	{
		const char *name = value_text(counter, "name");

		if (n == ITEMS_MAX || value_number(counter, "value") == 0)
			continue;
		ret[n++] = (struct item){name, value_number(counter, "value"),
					 rates_of(r, list, name)};
	}
	if (sort)
		/* cppcheck-suppress uninitvar ; n of them are filled */
		qsort(ret, n, sizeof(*ret), faster_first);
	return n;
}

static void draw_item(struct screen *s, const struct item *item, unsigned int end)
{
	char rate[TEXT_STRLEN], total[TEXT_STRLEN];

	screen_field(s, end - 18, style_of(item->name), "%s", item->name);
	screen_field(s, end, STYLE_PLAIN, "%8s%8s",
		     item->rate < 0 ? "-" : text_rate(item->rate, rate),
		     text_count((uint64_t)item->total, total));
}

/* Classes on the left, reasons of INVALID on the right. */
static void draw_classes(struct screen *s, const struct top_view *v, unsigned int lines)
{
	unsigned int half = s->width / 2;
	struct item left[ITEMS_MAX], right[ITEMS_MAX];
	size_t nleft = collect(&v->rates, "ctinfo", false, left);
	size_t nright = collect(&v->rates, "reasons", true, right);

	screen_field(s, half - 18, STYLE_HEAD, "CTINFO");
	screen_field(s, half, STYLE_HEAD, "%8s%8s", "/s", "TOTAL");
	screen_field(s, s->width - 17, STYLE_HEAD, "REASON");
	screen_add(s, STYLE_HEAD, "%8s%8s", "/s", "TOTAL");
	screen_line(s);
	for (size_t i = 0; i < lines; i++) {
		if (i < nleft)
			draw_item(s, &left[i], half);
		screen_tab(s, half);
		if (i < nright)
			draw_item(s, &right[i], s->width + 1);
		screen_line(s);
	}
}

static void draw_talker(struct screen *s, const json_t *talker)
{
	int64_t permille = value_number(talker, "permille");

	screen_add(s, permille >= 500 ? STYLE_WARN : STYLE_PLAIN, "%3" PRId64 ".%" PRId64 "%% ",
		   permille / 10, permille % 10);
	screen_add(s, STYLE_PLAIN, "%s %s", value_text(talker, "role"),
		   value_text(talker, "address"));
	if (value_has(talker, "proto"))
		screen_add(s, STYLE_PLAIN, " %s", value_text(talker, "proto"));
	if (value_has(talker, "dport"))
		screen_add(s, STYLE_PLAIN, "/%" PRId64, value_number(talker, "dport"));
	if (value_has(talker, "zone"))
		screen_add(s, STYLE_DIM, " zone %" PRId64, value_number(talker, "zone"));
}

/* States of the sample, what has most flows first. */
static size_t collect_states(const struct top_view *v, struct item ret[static ITEMS_MAX])
{
	const json_t *states = json_object_get(v->census, "states"), *state;
	size_t i, n = 0;

	json_array_foreach(states, i, state) if (n < ITEMS_MAX) ret[n++] =
		(struct item){value_text(state, "name"), value_number(state, "value"), 0};
	/* cppcheck-suppress uninitvar ; n of them are filled */
	qsort(ret, n, sizeof(*ret), faster_first);
	return n;
}

static void draw_census_heading(struct screen *s, int64_t sample, bool any)
{
	unsigned int half = s->width / 2;

	screen_field(s, half - 10, STYLE_HEAD, "STATE");
	screen_field(s, half, STYLE_HEAD, "%8s", "FLOWS");
	screen_add(s, STYLE_HEAD, "TALKERS");
	screen_add(s, STYLE_DIM,
		   any ? " (of a sample of %" PRId64 ")" : " (none stands out of %" PRId64 ")",
		   sample);
	screen_line(s);
}

/* States of the sample on the left, as parts of a hundred; talkers on the right. */
static void draw_census(struct screen *s, const struct top_view *v, unsigned int lines)
{
	const json_t *talkers = json_object_get(v->census, "talkers");
	int64_t sample = value_number(v->census, "sample");
	unsigned int half = s->width / 2;
	struct item states[ITEMS_MAX];
	size_t nstates = collect_states(v, states);

	draw_census_heading(s, sample, json_array_size(talkers) > 0);
	for (size_t i = 0; i < lines; i++) {
		const json_t *talker = json_array_get(talkers, i);

		if (i < nstates) {
			screen_field(s, half - 10, STYLE_PLAIN, "%s", states[i].name);
			screen_add(s, STYLE_PLAIN, "%7.1f%%",
				   sample > 0 ? 100.0 * (double)states[i].total / (double)sample
					      : 0);
		}
		screen_tab(s, half);
		if (talker)
			draw_talker(s, talker);
		screen_line(s);
	}
}

/* ---- queues ---- */

static void draw_queue(struct screen *s, const struct rates *r, const json_t *q)
{
	int64_t number = value_number(q, "queue");
	int64_t waiting = value_number(q, "waiting"), max = value_number(q, "max");
	int64_t lost = value_number(q, "dropped") + value_number(q, "user_dropped");
	double rate = rates_of_queue(r, number, "received");
	char text[TEXT_STRLEN];

	screen_field(s, 8, STYLE_PLAIN, "%5" PRId64, number);
	screen_bar(s, s->width >= 60 ? 22 : 12, max > 0 ? (double)waiting / (double)max : 0);
	screen_add(s, STYLE_PLAIN, "%8" PRId64 " of %-8" PRId64, waiting, max);
	screen_add(s, STYLE_PLAIN, "%8s/s", rate < 0 ? "-" : text_rate(rate, text));
	screen_add(s, lost ? STYLE_BAD : STYLE_PLAIN, "%8s lost", text_count((uint64_t)lost, text));
	if (!value_true(q, "alive"))
		screen_add(s, STYLE_BAD, "  STUCK");
	screen_line(s);
}

static void draw_queues(struct screen *s, const struct top_view *v, unsigned int lines)
{
	const json_t *queues = json_object_get(v->rates.now, "queues"), *q;
	size_t n = json_array_size(queues), i;

	screen_field(s, 8, STYLE_HEAD, "QUEUE");
	screen_add(s, STYLE_HEAD, "WAITING");
	if (n > lines)
		screen_add(s, STYLE_DIM, " (%u of %zu)", lines, n);
	screen_line(s);
	json_array_foreach(queues, i, q) if (i < lines) draw_queue(s, &v->rates, q);
}

/* ---- the whole ---- */

static void draw_help(struct screen *s)
{
	static const char *const lines[] = {
		"q  end",
		"p  pause, or go on",
		"h  this help, or back",
		"",
		"CTINFO   packets by the class that went into their mark",
		"REASON   why packets were INVALID or dropped, the fastest first",
		"STATE    parts of the flows, from a sample of the table",
		"TALKERS  who has most of the flows in that sample",
		"QUEUE    packets that wait for a verdict; lost: queue or socket was full",
		"drops    packets dropped against anybody's will; +: there may be more",
	};

	screen_line(s);
	for (size_t i = 0; i < ARRAY_SIZE(lines) && screen_left(s) > 1; i++) {
		screen_add(s, STYLE_PLAIN, "  %s", lines[i]);
		screen_line(s);
	}
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Rows are shared out: queues get what they need up to a quarter, the rest is for the lists. */
static void draw_body(struct screen *s, const struct top_view *v)
{
	unsigned int left = screen_left(s) - 1;
	unsigned int nqueues =
		(unsigned int)json_array_size(json_object_get(v->rates.now, "queues"));
	unsigned int queues, classes;

	if (s->width < 50 || left < 12)
		return draw_queues(s, v, left > 1 ? left - 1 : 0);
	queues = least(nqueues, left / 4);
	left -= queues + 6; /* three headings, three empty lines */
	classes = least(7, left / 2 + 1);
	screen_line(s);
	draw_classes(s, v, classes);
	screen_line(s);
	draw_census(s, v, left - classes);
	screen_line(s);
	draw_queues(s, v, queues);
}

static void draw_foot(struct screen *s, const struct top_view *v)
{
	while (screen_left(s) > 1)
		screen_line(s);
	if (screen_left(s) && v->keys)
		screen_add(s, STYLE_DIM, "q end   p pause   h help");
}

void top_draw(struct screen *s, const struct top_view *v)
{
	draw_title(s, v);
	draw_fill(s, v);
	draw_rates(s, v);
	if (v->help)
		draw_help(s);
	else if (screen_left(s) > 2)
		draw_body(s, v);
	draw_foot(s, v);
}
