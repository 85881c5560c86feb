/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "tools/ctmarkctl/status.h"
#include "tools/ctmarkctl/text.h"
#include "tools/ctmarkctl/value.h"
#include "util/cleanup.h"
#include "util/words.h"

/* Where values begin, and how many queues are shown one by one. */
#define LABEL	   14
#define QUEUES_MAX 4

static void label(struct screen *s, const char *text)
{
	screen_field(s, LABEL, STYLE_HEAD, "%s", text);
}

/* ---- the daemon ---- */

static void draw_head(struct screen *s, const json_t *status)
{
	char up[TEXT_STRLEN], memory[TEXT_STRLEN];

	screen_add(s, STYLE_HEAD, "ctmarkd %s", value_text(status, "version"));
	screen_add(s, STYLE_PLAIN, ", pid %" PRId64 ", up %s, memory %s",
		   value_number(status, "pid"), text_duration(value_number(status, "uptime"), up),
		   text_bytes((uint64_t)value_number(status, "memory"), memory));
	screen_line(s);
	if (!value_true(status, "shadow"))
		return;
	screen_add(s, STYLE_WARN, "SHADOW: no packet is marked or dropped");
	screen_line(s);
}

static void draw_adoption(struct screen *s, const json_t *status)
{
	const char *from = value_text(status, "adopted_from");
	int64_t lost = value_number(status, "adopted_lost");

	label(s, "Adopted");
	if (!*from)
		screen_add(s, STYLE_PLAIN, "nothing: the table began empty");
	else
		screen_add(s, STYLE_PLAIN, "%" PRId64 " %s from the %s",
			   value_number(status, "adopted"),
			   value_number(status, "adopted") == 1 ? "flow" : "flows",
			   strcmp(from, "file") == 0 ? "state file" : "process before");
	if (lost)
		screen_add(s, STYLE_WARN, ", %" PRId64 " were lost on the way", lost);
	screen_line(s);
}

static void draw_fill(struct screen *s, const json_t *status, const struct rates *r)
{
	int64_t early = r->now ? rates_total(r->now, "counters", "early_drops") : 0;
	int64_t n = value_number(status, "flows"), max = value_number(status, "max_flows");
	double part = max > 0 ? (double)n / (double)max : 0;

	label(s, "Flows");
	screen_bar(s, 22, part);
	screen_add(s, STYLE_PLAIN, " %" PRId64 " of %" PRId64 " (%.1f%%)", n, max, part * 100);
	if (early)
		screen_add(s, STYLE_WARN, ", %" PRId64 " had to make room", early);
	screen_line(s);
}

/* ---- rates ---- */

static void draw_rate(struct screen *s, const struct rates *r, const char *list, const char *name,
		      const char *what)
{
	double rate = rates_of(r, list, name);
	char text[TEXT_STRLEN];

	if (rate >= 0)
		screen_add(s, STYLE_PLAIN, "%s%s %s/s", s->column > LABEL ? ", " : "", what,
			   text_rate(rate, text));
}

static void draw_rates(struct screen *s, const struct rates *r)
{
	if (!r->before)
		return;
	label(s, "Now");
	draw_rate(s, r, "counters", "packets", "packets");
	draw_rate(s, r, "counters", "flows_created", "new flows");
	draw_rate(s, r, "counters", "flows_destroyed", "ended");
	draw_rate(s, r, "ctinfo", "INVALID", "INVALID");
	screen_line(s);
}

/* ---- queues ---- */

static void draw_queue_heading(struct screen *s)
{
	static const char *const heads[] = {"WAITING",	"OF",	"PACKETS/S",
					    "RECEIVED", "FULL", "NO ROOM"};

	screen_field(s, 8, STYLE_HEAD, "QUEUE");
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		screen_add(s, STYLE_HEAD, "%10s", heads[i]);
	screen_add(s, STYLE_HEAD, "  WORKER");
	screen_line(s);
}

static enum style trouble(int64_t n)
{
	return n > 0 ? STYLE_BAD : STYLE_PLAIN;
}

static void draw_queue(struct screen *s, const json_t *q, const struct rates *r)
{
	int64_t waiting = value_number(q, "waiting"), max = value_number(q, "max");
	double rate = rates_of_queue(r, value_number(q, "queue"), "received");
	char text[TEXT_STRLEN];

	screen_field(s, 8, STYLE_PLAIN, "%" PRId64, value_number(q, "queue"));
	screen_add(s, waiting * 2 > max ? STYLE_WARN : STYLE_PLAIN, "%10" PRId64, waiting);
	screen_add(s, STYLE_PLAIN, "%10" PRId64, max);
	screen_add(s, STYLE_PLAIN, "%10s", rate < 0 ? "-" : text_rate(rate, text));
	screen_add(s, STYLE_PLAIN, "%10s", text_count((uint64_t)value_number(q, "received"), text));
	if (value_has(q, "dropped"))
		screen_add(s, trouble(value_number(q, "dropped")), "%10s",
			   text_count((uint64_t)value_number(q, "dropped"), text));
	else
		screen_add(s, STYLE_DIM, "%10s", "?");
	screen_add(s, trouble(value_number(q, "user_dropped")), "%10s",
		   text_count((uint64_t)value_number(q, "user_dropped"), text));
	screen_add(s, value_true(q, "alive") ? STYLE_GOOD : STYLE_BAD, "  %s",
		   value_true(q, "alive") ? "alive" : "STUCK");
	screen_line(s);
}

static void draw_queues(struct screen *s, const json_t *status, const struct rates *r)
{
	const json_t *queues = json_object_get(status, "queues"), *q;
	size_t n = json_array_size(queues), i;

	screen_line(s);
	draw_queue_heading(s);
	json_array_foreach(queues, i, q)
	{
		if (i == QUEUES_MAX && n > QUEUES_MAX + 1)
			break;
		draw_queue(s, q, r);
	}
	if (i < n) {
		screen_add(s, STYLE_DIM, "and %zu more; ctmarkctl stats has all", n - i);
		screen_line(s);
	}
	screen_line(s);
}

/* ---- lines that hold words ---- */

/* Either the kernel does not show its counter to the daemon, or it has dropped packets that waited.
 */
static const char *why_not_exact(const json_t *status)
{
	const json_t *first = json_array_get(json_object_get(status, "queues"), 0);

	return value_has(first, "dropped") ? "rules or interfaces changed while packets waited"
					   : "FULL is not known, as the daemon is not root";
}

static void draw_drops(struct screen *s, const json_t *status)
{
	int64_t drops = value_number(status, "drops");

	label(s, "Drops");
	screen_add(s, trouble(drops), "%" PRId64 " unwanted", drops);
	if (!value_true(status, "drops_exact"))
		screen_add(s, STYLE_DIM, ", or more: %s", why_not_exact(status));
	screen_line(s);
}

/* Words of an array, with something between them. */
static const char *join(const json_t *list, const char *between, char *buf, size_t size)
{
	struct words w = {buf, size, 0};
	const json_t *item;
	size_t i;

	*buf = '\0';
	json_array_foreach(list, i, item) words_add(
		&w, "%s%s", i ? between : "", json_is_string(item) ? json_string_value(item) : "?");
	return buf;
}

static void draw_tracking(struct screen *s, const json_t *status)
{
	label(s, "Confirms");
	screen_add(s, STYLE_PLAIN, "%s hooks; %s %s into %s of the mark",
		   strcmp(value_text(status, "confirms"), "exit") == 0 ? "at the exit"
								       : "at the entry",
		   value_true(status, "shadow") ? "would write" : "writes",
		   value_text(status, "encoding"), value_text(status, "mask"));
	screen_line(s);
}

static void draw_waiting(struct screen *s, const json_t *status)
{
	const json_t *fragments = json_object_get(status, "fragments");
	char text[TEXT_STRLEN];

	label(s, "Expectations");
	screen_add(s, STYLE_PLAIN, "%" PRId64 " of %" PRId64 "; fragments ",
		   value_number(status, "expectations"), value_number(status, "max_expectations"));
	if (json_array_size(fragments))
		screen_add(s, STYLE_PLAIN, "of %s arrive unassembled, %" PRId64 " held",
			   join(fragments, " and ", text, sizeof(text)),
			   value_number(status, "fragments_held"));
	else
		screen_add(s, STYLE_PLAIN, "were not seen");
	screen_line(s);
}

/* ---- the log ---- */

/* "KIND: CLASS N, CLASS N", nothing if all are zero. */
static void draw_log_kind(struct screen *s, const json_t *classes, const char *kind, bool bad)
{
	char buf[512], text[TEXT_STRLEN];
	struct words w = {buf, sizeof(buf), 0};
	const json_t *class;
	size_t i, n = 0;

	words_add(&w, "%s:", kind);
	json_array_foreach(classes, i, class) if (value_number(class, kind) > 0)
		words_add(&w, "%s %s %s", n++ ? "," : "", value_text(class, "class"),
			  text_count((uint64_t)value_number(class, kind), text));
	if (!n)
		return;
	screen_tab(s, LABEL);
	screen_wrap(s, LABEL, bad ? STYLE_WARN : STYLE_PLAIN, buf);
}

static void draw_log(struct screen *s, const json_t *status)
{
	const json_t *classes = json_object_get(status, "log");

	label(s, "Log");
	screen_add(s, STYLE_PLAIN, "to %s, level %s", value_text(status, "log_target"),
		   value_text(status, "log_level"));
	screen_line(s);
	draw_log_kind(s, classes, "sent", false);
	draw_log_kind(s, classes, "suppressed", true);
	draw_log_kind(s, classes, "dropped", true);
	draw_log_kind(s, classes, "failed", true);
}

static void draw_control(struct screen *s, const json_t *status)
{
	const json_t *keys = json_object_get(status, "restart_needed");
	int64_t lost = value_number(status, "events_lost");
	char text[512];

	label(s, "Control");
	screen_add(s, STYLE_PLAIN, "clients: %" PRId64, value_number(status, "clients"));
	if (lost)
		screen_add(s, STYLE_WARN, ", %" PRId64 " transitions lost by their streams", lost);
	screen_line(s);
	if (!json_array_size(keys))
		return;
	label(s, "Restart for");
	screen_add(s, STYLE_WARN, "%s", join(keys, ", ", text, sizeof(text)));
	screen_line(s);
}

void status_draw(struct screen *s, const json_t *status, const struct rates *rates)
{
	draw_head(s, status);
	draw_adoption(s, status);
	draw_fill(s, status, rates);
	draw_rates(s, rates);
	draw_tracking(s, status);
	draw_waiting(s, status);
	draw_queues(s, status, rates);
	draw_drops(s, status);
	draw_log(s, status);
	draw_control(s, status);
}
