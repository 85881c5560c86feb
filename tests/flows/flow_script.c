/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/flows/flow_script.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/flows/flow_knob.h"
#include "tests/flows/flow_words.h"
#include "util/cleanup.h"

#define INCLUDE_DEPTH 4

/* A script while it is read. */
struct reader {
	struct flow_script *s;
	struct flow_lex lex;
	unsigned int depth;
	uint64_t wait_ns;	   /* before the packet to come */
	struct flow_event *events; /* of that wait */
	size_t nevents;
};

void flow_packet_init(struct flow_packet *p)
{
	*p = (struct flow_packet){.win = 65535,
				  .doff = FLOW_UNSET,
				  .udplen = FLOW_UNSET,
				  .coverage = FLOW_UNSET,
				  .gre_proto = FLOW_UNSET,
				  .icmp_kind = FLOW_UNSET,
				  .icmp_code = FLOW_UNSET,
				  .rd_option = 4,
				  .rd_optlen = FLOW_UNSET,
				  .ttl = FLOW_UNSET,
				  .cut = FLOW_UNSET,
				  .ipcut = FLOW_UNSET,
				  .fragoff = FLOW_UNSET};
}

uint8_t flow_packet_stateful(const struct flow_packet *p)
{
	switch (p->quote ? p->quote->l4 : p->l4) {
	case FLOW_TCP:
		return 6;
	case FLOW_SCTP:
		return 132;
	default:
		return 0;
	}
}

void flow_packet_done(struct flow_packet *p)
{
	if (p->quote)
		flow_packet_done(p->quote);
	free(p->quote);
	free(p->data);
	p->quote = NULL;
	p->data = NULL;
}

static void step_done(struct flow_step *st)
{
	flow_packet_done(&st->packet);
	free(st->file);
	free(st->expect.why);
	free(st->expired);
	free(st->events);
}

struct flow_script *flow_script_free(struct flow_script *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < s->nsteps; i++)
		step_done(&s->steps[i]);
	free(s->steps);
	free(s->path);
	free(s->title);
	free(s->not_live);
	free(s);
	return NULL;
}

/* Makes room for one more element; NULL if there is no memory. */
static void *grow(void *array, size_t n, size_t size)
{
	return n & (n - 1) ? array : realloc(array, (n ? 2 * n : 1) * size);
}

/* The rest of the line as one string, in memory of its own. */
static char *rest_of_line(struct flow_lex *l)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	const char *sep = "";

	if (!f)
		return NULL;
	for (const char *w = flow_lex_next(l); w; w = flow_lex_next(l), sep = " ")
		fprintf(f, "%s%s", sep, w);
	fclose(f);
	return text;
}

static int add_event(struct reader *r, struct flow_event **events, size_t *n)
{
	struct flow_step *last = r->s->nsteps ? &r->s->steps[r->s->nsteps - 1] : NULL;
	struct flow_event *more = grow(*events, *n, sizeof(**events));

	if (!more)
		return flow_lex_fail(&r->lex, "out of memory");
	*events = more;
	return flow_words_event(&r->lex, last ? flow_packet_stateful(&last->packet) : 0,
				&more[(*n)++]);
}

/* --- what a line can begin with ---------------------------------------------------- */

static int line_title(struct reader *r)
{
	if (r->s->title)
		return flow_lex_fail(&r->lex, "a second title");
	r->s->title = rest_of_line(&r->lex);
	return 0;
}

static int line_families(struct reader *r)
{
	r->s->ipv4 = flow_lex_take(&r->lex, "4");
	r->s->ipv6 = flow_lex_take(&r->lex, "6");
	if (flow_lex_peek(&r->lex) || !(r->s->ipv4 || r->s->ipv6))
		return flow_lex_fail(&r->lex, "families are 4, 6 or 4 6");
	return 0;
}

static int line_live(struct reader *r)
{
	r->s->live_alone = flow_lex_take(&r->lex, "kernel");
	if ((!r->s->live_alone && !flow_lex_take(&r->lex, "no")) || !flow_lex_peek(&r->lex))
		return flow_lex_fail(&r->lex, "live is no or kernel, and needs a reason");
	free(r->s->not_live);
	r->s->not_live = rest_of_line(&r->lex);
	return 0;
}

static int add_setting(struct reader *r, const struct flow_knob *knob, uint32_t value)
{
	if (r->s->nsettings == FLOW_SETTINGS_MAX)
		return flow_lex_fail(&r->lex, "more than %d settings", FLOW_SETTINGS_MAX);
	r->s->settings[r->s->nsettings++] = (struct flow_setting){knob, value};
	return 0;
}

/* ftp, or ftp:21,2121: one setting for each port */
static int take_helper(struct reader *r, const struct flow_knob *knob, const char *word)
{
	_cleanup_free_ char *name = strdup(word);
	char *save = NULL, *ports = name ? strchr(name, ':') : NULL;
	uint32_t value = 0;
	int e = 0;

	if (ports)
		*ports++ = '\0';
	if (!name || flow_knob_helper(name, NULL, &value) < 0)
		return flow_lex_fail(&r->lex, "'%s' is no helper", word);
	if (!ports)
		return add_setting(r, knob, value);
	for (char *p = strtok_r(ports, ",", &save); p && e == 0; p = strtok_r(NULL, ",", &save)) {
		e = flow_knob_helper(name, p, &value);
		e = e < 0 ? flow_lex_fail(&r->lex, "'%s' is no port", p)
			  : add_setting(r, knob, value);
	}
	return e;
}

static int take_helpers(struct reader *r, const struct flow_knob *knob)
{
	const char *w = flow_lex_next(&r->lex);
	int e = w ? 0 : flow_lex_fail(&r->lex, "helpers are missing");

	for (; w && e == 0; w = flow_lex_next(&r->lex))
		e = take_helper(r, knob, w);
	return e;
}

static int line_set(struct reader *r)
{
	const char *name = flow_lex_next(&r->lex);
	struct flow_setting set = {.knob = name ? flow_knob_find(name) : NULL};

	if (!set.knob)
		return flow_lex_fail(&r->lex, "'%s' is no setting", name ? name : "");
	if (set.knob->helpers)
		return take_helpers(r, set.knob);
	if (set.knob->boolean && flow_lex_take(&r->lex, "yes"))
		set.value = 1;
	else if (set.knob->boolean && flow_lex_take(&r->lex, "no"))
		set.value = 0;
	else if (flow_lex_number(&r->lex, set.knob->boolean ? 1 : UINT32_MAX, &set.value) < 0)
		return -EINVAL;
	return add_setting(r, set.knob, set.value);
}

static int line_ports(struct reader *r)
{
	if (flow_lex_number(&r->lex, 65535, &r->lex.ports[0]) < 0)
		return -EINVAL;
	return flow_lex_number(&r->lex, 65535, &r->lex.ports[1]);
}

static int line_wait(struct reader *r)
{
	uint64_t ns = 0;

	if (flow_lex_time(&r->lex, &ns) < 0)
		return -EINVAL;
	r->wait_ns += ns;
	return 0;
}

static int line_event(struct reader *r)
{
	struct flow_step *last = r->s->nsteps ? &r->s->steps[r->s->nsteps - 1] : NULL;

	if (r->wait_ns)
		return add_event(r, &r->events, &r->nevents);
	if (!last)
		return flow_lex_fail(&r->lex, "an event before the first packet");
	return add_event(r, &last->events, &last->nevents);
}

static int line_differs(struct reader *r)
{
	struct flow_step *last = r->s->nsteps ? &r->s->steps[r->s->nsteps - 1] : NULL;

	if (!last || last->expect.why)
		return flow_lex_fail(&r->lex, "differs belongs behind one packet");
	if (flow_words_info(&r->lex, &last->expect.differs) < 0)
		return -EINVAL;
	if (!flow_lex_peek(&r->lex))
		return flow_lex_fail(&r->lex, "differs needs a reason");
	last->expect.why = rest_of_line(&r->lex);
	return 0;
}

static int read_file(struct reader *r, const char *path);

static int line_include(struct reader *r)
{
	const char *name = flow_lex_next(&r->lex);
	const char *slash = strrchr(r->lex.file, '/');
	struct flow_lex here = r->lex;
	_cleanup_free_ char *path = NULL;
	int e;

	if (!name || strchr(name, '/'))
		return flow_lex_fail(&r->lex, "include needs the name of a file beside this one");
	if (r->depth == INCLUDE_DEPTH)
		return flow_lex_fail(&r->lex, "includes are nested too deeply");
	if (asprintf(&path, "%.*s%s", slash ? (int)(slash - r->lex.file + 1) : 0, r->lex.file,
		     name) < 0) {
		path = NULL;
		return flow_lex_fail(&r->lex, "out of memory");
	}
	r->depth++;
	e = read_file(r, path);
	r->depth--;
	r->lex = here;
	return e;
}

static int line_packet(struct reader *r)
{
	struct flow_step *st, *more = grow(r->s->steps, r->s->nsteps, sizeof(*more));

	if (!more)
		return flow_lex_fail(&r->lex, "out of memory");
	r->s->steps = more;
	st = &more[r->s->nsteps++];
	*st = (struct flow_step){.line = r->lex.line, .wait_ns = r->wait_ns};
	st->expired = r->events;
	st->nexpired = r->nevents;
	st->expect = (struct flow_expect){.reason = FLOW_UNSET, .differs = FLOW_UNSET};
	flow_packet_init(&st->packet);
	st->file = strdup(r->lex.file);
	r->wait_ns = 0;
	r->events = NULL;
	r->nevents = 0;
	if (!st->file || flow_words_packet(&r->lex, &st->packet) < 0)
		return -EINVAL;
	if (!flow_lex_take(&r->lex, ":"))
		return flow_lex_fail(&r->lex, "':' and the expected ctinfo are missing");
	return flow_words_expect(&r->lex, flow_packet_stateful(&st->packet), &st->expect);
}

static int read_line(struct reader *r)
{
	static const struct {
		const char *word;
		int (*read)(struct reader *r);
	} kinds[] = {
		{"ports", line_ports}, {"title", line_title},	  {"families", line_families},
		{"live", line_live},   {"set", line_set},	  {"wait", line_wait},
		{"!", line_event},     {"differs", line_differs}, {"include", line_include},
	};

	if (!flow_lex_peek(&r->lex))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (flow_lex_take(&r->lex, kinds[i].word))
			return kinds[i].read(r);
	return line_packet(r);
}

/*
 * Reads a line and those that a backslash at the end joins to it. Returns how many there were, 0 at
 * the end of the file or without memory.
 */
static unsigned int whole_line(FILE *f, char **line, size_t *size)
{
	_cleanup_free_ char *next = NULL;
	size_t next_size = 0;
	ssize_t n = getline(line, size, f), more;
	unsigned int lines = n >= 0;

	while (n >= 2 && strcmp(*line + n - 2, "\\\n") == 0 &&
	       (more = getline(&next, &next_size, f)) >= 0) {
		char *longer = realloc(*line, (size_t)(n + more) + 1);

		if (!longer)
			return 0;
		*line = longer;
		*size = (size_t)(n + more) + 1;
		memcpy(longer + n - 2, next, (size_t)more + 1);
		n += more - 2;
		lines++;
	}
	return lines;
}

static int read_file(struct reader *r, const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	unsigned int lines;
	int e = 0;

	r->lex.file = path;
	r->lex.line = 0;
	if (!f)
		return flow_lex_fail(&r->lex, "%s", strerror(errno));
	while (e == 0 && (lines = whole_line(f, &line, &size)) > 0) {
		r->lex.line++;
		e = flow_lex_line(&r->lex, line);
		if (e == 0)
			e = read_line(r);
		if (e == 0 && flow_lex_peek(&r->lex))
			e = flow_lex_fail(&r->lex, "'%s' is too much", flow_lex_peek(&r->lex));
		r->lex.line += lines - 1;
	}
	return e;
}

/* What can only be said of the script as a whole. */
static int check_whole(struct reader *r)
{
	if (!r->s->title)
		return flow_lex_fail(&r->lex, "the script has no title");
	if (r->s->nsteps == 0)
		return flow_lex_fail(&r->lex, "the script has no packet");
	if (r->wait_ns)
		return flow_lex_fail(&r->lex, "nothing comes after the last wait");
	return 0;
}

struct flow_script *flow_script_load(const char *path, char error[static FLOW_ERROR_MAX])
{
	struct reader r = {.lex = {.error = error}};
	int e;

	*error = '\0';
	r.s = calloc(1, sizeof(*r.s));
	if (!r.s || !(r.s->path = strdup(path))) {
		free(r.s);
		return NULL;
	}
	r.s->ipv4 = r.s->ipv6 = true;
	e = read_file(&r, path);
	r.lex.file = path;
	if (e == 0)
		e = check_whole(&r);
	free(r.events);
	return e < 0 ? flow_script_free(r.s) : r.s;
}
