/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/request.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "conf/value.h"
#include "log/plain.h"
#include "util/cleanup.h"
#include "util/tty.h"

#define SAID_MAX 512

/* Words of a command line may be any bytes. */
static int __attribute__((format(printf, 1, 2))) bad(const char *format, ...)
{
	char text[SAID_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	plain_text(text, '?');
	fprintf(stderr, "ctmark-replay: %s\n", text);
	return -EINVAL;
}

/* ---- one word ---- */

static int number(const struct options *o, enum option_id id, uint64_t *ret)
{
	const char *text = o->value[id];
	char *end;
	unsigned long long n;

	if (!text)
		return 0;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || *end || !isdigit((unsigned char)*text) || n == 0)
		return bad("--%s takes a number from 1 on, not '%s'", options_name(id), text);
	*ret = n;
	return 0;
}

static int read_look(struct request *r, const struct options *o)
{
	const char *colour = o->value[OPTION_COLOR], *time = o->value[OPTION_TIME];

	if (!tty_colour(colour, stdout, &r->colour))
		return bad("--color '%s' is none of auto, always and never", colour);
	if (time && !look_time_style(time, &r->time))
		return bad("--time '%s' is none of relative, local, utc and epoch", time);
	return 0;
}

/* ---- words together ---- */

/* Each shows the capture in a way of its own. */
static int one_view(const struct options *o)
{
	static const enum option_id views[] = {OPTION_SUMMARY, OPTION_EXPLAIN, OPTION_COMPARE};
	int found = -1;

	for (size_t i = 0; i < ARRAY_SIZE(views); i++) {
		if (!o->value[views[i]])
			continue;
		if (found >= 0)
			return bad("--%s and --%s exclude each other",
				   options_name((enum option_id)found), options_name(views[i]));
		found = (int)views[i];
	}
	return 0;
}

static bool is_stdout(const struct options *o, enum option_id id)
{
	return o->value[id] && strcmp(o->value[id], "-") == 0;
}

/* Are both there, and one regular file, whatever their names are? */
static bool is_same_file(const char *a, const char *b)
{
	struct stat one, other;

	if (strcmp(a, "-") == 0 || strcmp(b, "-") == 0)
		return false;
	return stat(a, &one) == 0 && stat(b, &other) == 0 && S_ISREG(one.st_mode) &&
	       one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/* A picture in the place of a capture would be the end of that. */
static int one_place(const struct options *o)
{
	static const enum option_id pictures[] = {OPTION_SVG, OPTION_HTML};
	const char *const *file = o->value;

	for (size_t i = 0; i < ARRAY_SIZE(pictures); i++)
		for (size_t k = 0; file[pictures[i]] && k < o->nfiles; k++)
			if (is_same_file(file[pictures[i]], o->files[k]))
				return bad("--%s '%s' is the capture itself",
					   options_name(pictures[i]), file[pictures[i]]);
	if (file[OPTION_SVG] && file[OPTION_HTML] &&
	    (strcmp(file[OPTION_SVG], file[OPTION_HTML]) == 0 ||
	     is_same_file(file[OPTION_SVG], file[OPTION_HTML])))
		return bad("--svg and --html cannot both write to '%s'", file[OPTION_SVG]);
	return 0;
}

/* A picture on standard output wants it for itself. */
static int one_output(const struct options *o)
{
	static const enum option_id others[] = {OPTION_SUMMARY, OPTION_EXPLAIN, OPTION_COMPARE};
	bool svg = is_stdout(o, OPTION_SVG), html = is_stdout(o, OPTION_HTML);
	enum option_id picture = svg ? OPTION_SVG : OPTION_HTML;

	if (svg && html)
		return bad("--svg and --html cannot both write to standard output");
	for (size_t i = 0; i < ARRAY_SIZE(others) && (svg || html); i++)
		if (o->value[others[i]])
			return bad("--%s - leaves no standard output to --%s",
				   options_name(picture), options_name(others[i]));
	return 0;
}

static int one_input(const struct options *o)
{
	bool seen = false;

	if (o->value[OPTION_INTERFACE] && o->nfiles)
		return bad("--interface and a file ('%s') exclude each other", o->files[0]);
	if (!o->value[OPTION_INTERFACE] && !o->nfiles)
		return bad("no capture given; usage: ctmark-replay [OPTION...] FILE...");
	for (size_t i = 0; i < o->nfiles; i++) {
		if (strcmp(o->files[i], "-") != 0)
			continue;
		if (seen)
			return bad("standard input (-) can be read once only");
		seen = true;
	}
	return 0;
}

int request_read(struct request *ret, const struct options *o)
{
	struct request r = {};
	char why[CHOICE_WHY_MAX];

	if (one_input(o) < 0 || one_view(o) < 0 || one_output(o) < 0 || one_place(o) < 0 ||
	    read_look(&r, o) < 0 || number(o, OPTION_COUNT, &r.count) < 0 ||
	    number(o, OPTION_EXPLAIN, &r.explain) < 0)
		return -EINVAL;
	if (choice_parse(&r.choice, o->value[OPTION_FLOW], o->value[OPTION_ONLY], why) < 0)
		return bad("%s", why);
	*ret = r;
	return 0;
}

int request_helpers(struct conf *conf, const char *text)
{
	struct conf_helpers helpers = {};
	char why[CONF_WHY_MAX];

	if (strcmp(text, "none") != 0 && conf_parse_helpers(NULL, text, &helpers, why) < 0)
		return bad("--helpers=%s: %s", text, why);
	conf->track.nhelper_ports = helpers.n;
	memcpy(conf->track.helper_ports, helpers.ports, sizeof(helpers.ports));
	return 0;
}
