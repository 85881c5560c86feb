/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/look.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/clock.h"

#define INDENT 8
#define MINUTE UINT64_C(60)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* ---- colours ---- */

size_t look_styled(const struct look *l, struct words *w, enum look_style style, const char *text)
{
	static const char *const sequences[] = {
		[LOOK_PLAIN] = "",	  [LOOK_HEAD] = "\033[1m",  [LOOK_DIM] = "\033[2m",
		[LOOK_GOOD] = "\033[32m", [LOOK_NOTE] = "\033[36m", [LOOK_BAD] = "\033[1;31m",
	};
	size_t before = w->len;

	if (!l->colour || style == LOOK_PLAIN) {
		line_text(w, text);
		return 0;
	}
	line_text(w, sequences[style]);
	line_text(w, text);
	line_text(w, "\033[0m");
	return w->len - before - strlen(text);
}

/* ---- times ---- */

bool look_time_style(const char *word, enum time_style *ret)
{
	static const char *const words[TIMES_MAX] = {
#define X(id, text) [TIMES_##id] = text,
		TIMES_LIST(X)
#undef X
	};

	for (int i = 0; i < TIMES_MAX; i++) {
		if (strcmp(words[i], word) == 0) {
			*ret = (enum time_style)i;
			return true;
		}
	}
	return false;
}

unsigned int look_time_width(const struct look *l)
{
	static const unsigned int widths[TIMES_MAX] = {
		[TIMES_RELATIVE] = 10, [TIMES_LOCAL] = 26, [TIMES_UTC] = 27, [TIMES_EPOCH] = 17};

	return widths[l->time];
}

static void add_date(const struct look *l, struct look_clock *c, uint64_t time_ns, struct words *w)
{
	time_t second = (time_t)(time_ns / NS_PER_S);
	struct tm tm;

	if (!c->valid || c->second != second) {
		bool known = l->time == TIMES_UTC ? gmtime_r(&second, &tm) != NULL
						  : localtime_r(&second, &tm) != NULL;

		c->valid = true;
		c->second = second;
		if (!known || !strftime(c->text, sizeof(c->text), "%Y-%m-%d %H:%M:%S", &tm))
			memcpy(c->text, "?", sizeof("?"));
	}
	line_text(w, c->text);
}

void look_time(const struct look *l, struct look_clock *c, uint64_t begin_ns, uint64_t time_ns,
	       struct words *w)
{
	uint64_t ns = time_ns;

	if (l->time == TIMES_LOCAL || l->time == TIMES_UTC) {
		add_date(l, c, time_ns, w);
	} else {
		if (l->time == TIMES_RELATIVE && time_ns < begin_ns)
			line_char(w, '-');
		if (l->time == TIMES_RELATIVE)
			ns = time_ns < begin_ns ? begin_ns - time_ns : time_ns - begin_ns;
		line_number(w, ns / NS_PER_S);
	}
	line_char(w, '.');
	line_digits(w, ns % NS_PER_S / 1000, 6);
	if (l->time == TIMES_UTC)
		line_char(w, 'Z');
}

static void add_units(struct words *w, uint64_t a, char unit, uint64_t b, char small)
{
	line_number(w, a);
	line_char(w, unit);
	if (b == 0)
		return;
	line_digits(w, b, 2);
	line_char(w, small);
}

void look_span(struct words *w, uint64_t ns)
{
	uint64_t s = ns / NS_PER_S;

	if (s < 10 * MINUTE)
		add_units(w, s, 's', 0, 's');
	else if (s < HOUR)
		add_units(w, s / MINUTE, 'm', s % MINUTE, 's');
	else if (s < DAY)
		add_units(w, s / HOUR, 'h', s % HOUR / MINUTE, 'm');
	else
		add_units(w, s / DAY, 'd', s % DAY / HOUR, 'h');
}

/* ---- lines ---- */

/* How much of text goes into so many columns: whole words, or what fits of one. */
static size_t fitting(const char *text, size_t room)
{
	size_t n = strlen(text);

	if (n <= room)
		return n;
	for (n = room; n > 0 && text[n] != ' ';)
		n--;
	return n ? n : room;
}

static void gap(const struct look *l, unsigned int columns)
{
	for (unsigned int i = 0; i < columns; i++)
		putc(' ', l->out);
}

static void below(const struct look *l)
{
	putc('\n', l->out);
	gap(l, INDENT);
}

void look_fold(const struct look *l, unsigned int at, unsigned int from, const char *text)
{
	size_t len = strlen(text), room;

	if (!l->width || from + len <= l->width) {
		gap(l, from - at);
		fwrite(text, 1, len, l->out);
		putc('\n', l->out);
		return;
	}
	room = l->width > 2 * INDENT ? l->width - INDENT : INDENT;
	if (at > 0)
		below(l);
	while (*text) {
		size_t n = fitting(text, room), all = n + strspn(text + n, " ");

		while (n > 0 && text[n - 1] == ' ')
			n--;
		fwrite(text, 1, n, l->out);
		text += all;
		if (*text)
			below(l);
	}
	putc('\n', l->out);
}

int look_written(const struct look *l)
{
	return ferror(l->out) ? -EIO : 0;
}
