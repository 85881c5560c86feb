/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Flows instead of packets. A flow is written when it ends, those that are left at the end in the
 * order of their numbers: so what is kept in memory is as much as the table holds, however long the
 * capture is.
 */

#include "tools/ctmark-replay/summary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tools/ctmark-replay/sinks.h"
#include "tools/ctmark-replay/who.h"

#define TEXT_MAX 2048

struct summary {
	struct sink base;
	const struct look *look;
	struct look_clock clock;
	bool json, headed;
	size_t nlives, reach; /* of lives, and how far it was touched */
	struct life *lives;   /* by slot */
};

/* ---- a flow as text ---- */

#define END_WIDTH  11 /* of the longest */
#define ROW_FORMAT "%5s  %*s  %7s  %11s  %15s  %s"

static void write_head(struct summary *s)
{
	const struct look *l = s->look;
	char head[256], coloured[sizeof(head) + 16] = "";
	struct words w = {.buf = coloured, .size = sizeof(coloured)};

	s->headed = true;
	snprintf(head, sizeof(head), ROW_FORMAT, "flow", (int)look_time_width(l), "begin", "life",
		 "packets", "bytes", "end");
	(void)look_styled(l, &w, LOOK_HEAD, head);
	fprintf(l->out, "%s\n", coloured);
}

static const char *end_name(int end)
{
	return end == LIFE_ALIVE	 ? "alive"
	       : end == LIFE_UNCONFIRMED ? "unconfirmed"
					 : ct_death_name((enum ct_death)end);
}

static void add_states(struct words *w, const struct life *l)
{
	for (unsigned int i = 0; i < l->nstates && i < LIFE_STATES_MAX; i++) {
		const char *name = ct_state_name(l->orig.proto, l->states[i]);

		if (!name)
			return;
		line_char(w, i ? '>' : ' ');
		if (i == 0)
			line_char(w, ' ');
		line_text(w, name);
	}
	if (l->nstates > LIFE_STATES_MAX)
		line_text(w, ">...");
}

static void add_reasons(struct words *w, const struct life *l)
{
	uint64_t rest = l->invalid;

	if (!l->invalid)
		return;
	line_value(w, "  INVALID ", l->invalid);
	for (unsigned int i = 0; i < l->nreasons; i++) {
		line_text(w, i ? ", " : ": ");
		line_text(w, ct_reason_name((enum ct_reason)l->reasons[i].reason));
		line_value(w, " ", l->reasons[i].packets);
		rest -= l->reasons[i].packets;
	}
	if (rest)
		line_value(w, ", others ", rest);
}

static void add_rest(struct words *w, const struct life *l)
{
	uint16_t status = l->status & (uint16_t) ~(CT_STATUS_CONFIRMED | CT_STATUS_DYING);
	char names[CT_STATUS_STRLEN];

	who_flow(w, &l->orig);
	add_states(w, l);
	if (status) {
		line_text(w, "  ");
		line_text(w, ct_status_to_str(status, names));
	}
	if (l->helper != CT_HELPER_NONE) {
		line_text(w, "  helper ");
		line_text(w, ct_helper_name((enum ct_helper_id)l->helper));
	}
	if (l->master)
		line_value(w, "  expected by flow ", l->master);
	if (l->errors)
		line_value(w, "  ICMP errors ", l->errors);
	add_reasons(w, l);
}

/* "5/4": original and reply. */
static void pair(char *buf, size_t size, const uint64_t n[CT_DIR_MAX])
{
	struct words w = {.buf = buf, .size = size};

	line_number(&w, n[CT_DIR_ORIGINAL]);
	line_value(&w, "/", n[CT_DIR_REPLY]);
}

static void write_text(struct summary *s, const struct life *l, int end)
{
	const struct look *look = s->look;
	char number[24] = "", begin[48] = "", life[24] = "", packets[48], bytes[48], rest[TEXT_MAX];
	struct words w = {.buf = number, .size = sizeof(number)};
	unsigned int at, from;
	int n;

	if (!s->headed)
		write_head(s);
	line_number(&w, l->flow);
	w = (struct words){.buf = begin, .size = sizeof(begin)};
	look_time(look, &s->clock, l->begin_ns, l->first_ns, &w);
	w = (struct words){.buf = life, .size = sizeof(life)};
	look_span(&w, l->last_ns - l->first_ns);
	pair(packets, sizeof(packets), l->packets);
	pair(bytes, sizeof(bytes), l->bytes);
	w = (struct words){.buf = rest, .size = sizeof(rest)};
	add_rest(&w, l);
	n = fprintf(look->out, ROW_FORMAT, number, (int)look_time_width(look), begin, life, packets,
		    bytes, end_name(end));
	at = n > 0 ? (unsigned int)n : 0;
	from = at + 2 + (unsigned int)(END_WIDTH - strlen(end_name(end)));
	look_fold(look, at, from, rest);
}

/* ---- totals as text ---- */

static uint64_t get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

/* " NAME n" of what is not 0. */
static void add_count(struct words *w, const char *name, uint64_t n)
{
	if (!n)
		return;
	line_text(w, w->buf[w->len - 1] == ':' ? " " : ", ");
	line_text(w, name);
	line_value(w, " ", n);
}

static void write_counts(const struct look *l, struct words *w)
{
	if (w->buf[w->len - 1] != ':')
		look_fold(l, 0, 0, w->buf);
}

static void write_totals(const struct look *l, const struct replay_totals *t)
{
	char text[TEXT_MAX];
	struct words w = {.buf = text, .size = sizeof(text)};

	putc('\n', l->out);
	line_value(&w, "total: packets ", t->packets);
	line_value(&w, ", flows ", t->flows);
	line_value(&w, ", of them alive ", t->alive);
	add_count(&w, "expectations", get(&t->stats.count[CT_STAT_EXPECTED]));
	look_fold(l, 0, 0, text);
	w.len = 0;
	line_text(&w, "packets by class:");
	for (int i = 0; i < CT_INFO_MAX; i++)
		add_count(&w, ct_info_name((enum ct_info)i), get(&t->stats.info[i]));
	write_counts(l, &w);
	w.len = 0;
	line_text(&w, "INVALID or dropped:");
	for (int i = 0; i < CT_REASON_MAX; i++)
		add_count(&w, ct_reason_name((enum ct_reason)i), get(&t->stats.reason[i]));
	write_counts(l, &w);
	w.len = 0;
	line_text(&w, "ends:");
	for (int i = 0; i < CT_DEATH_MAX; i++)
		add_count(&w, ct_death_name((enum ct_death)i), get(&t->stats.death[i]));
	write_counts(l, &w);
}

/* ---- the sink ---- */

static void write_life(struct summary *s, struct life *l, int end)
{
	if (choice_has_flow(s->look->choice, l->flow)) {
		if (s->json)
			summary_json_flow(s->look->out, l, end);
		else
			write_text(s, l, end);
	}
	l->flow = 0;
}

static void summary_ahead(struct sink *sink, uint32_t slot)
{
	__builtin_prefetch(&((struct summary *)sink)->lives[slot], 1);
}

static int summary_packet(struct sink *sink, const struct record *r)
{
	struct summary *s = (struct summary *)sink;
	struct life *l = &s->lives[r->slot];

	if (!r->flow)
		return 0;
	if (l->flow != r->flow) {
		if (l->flow) /* it made room without an end: its verdict was drop */
			write_life(s, l, LIFE_UNCONFIRMED);
		life_begin(l, r);
		s->reach = s->reach > r->slot ? s->reach : (size_t)r->slot + 1;
	}
	life_packet(l, r);
	return 0;
}

static int summary_ending(struct sink *sink, const struct ending *e)
{
	struct summary *s = (struct summary *)sink;
	struct life *l = &s->lives[e->slot];

	if (!e->flow || l->flow != e->flow)
		return 0;
	life_end(l, e);
	write_life(s, l, e->event->death);
	return look_written(s->look);
}

static int by_number(const void *a, const void *b)
{
	const struct life *const *one = a, *const *other = b;

	return ((*one)->flow > (*other)->flow) - ((*one)->flow < (*other)->flow);
}

static int write_rest(struct summary *s)
{
	struct life **left;
	size_t n = 0;

	for (size_t i = 0; i < s->reach; i++)
		n += s->lives[i].flow != 0;
	left = calloc(n + 1, sizeof(struct life *));
	if (!left)
		return -ENOMEM;
	n = 0;
	for (size_t i = 0; i < s->reach; i++)
		if (s->lives[i].flow)
			left[n++] = &s->lives[i];
	qsort(left, n, sizeof(struct life *), by_number);
	for (size_t i = 0; i < n; i++)
		write_life(s, left[i],
			   left[i]->status & CT_STATUS_CONFIRMED ? LIFE_ALIVE : LIFE_UNCONFIRMED);
	free(left);
	return 0;
}

static int summary_done(struct sink *sink, const struct replay_totals *t)
{
	struct summary *s = (struct summary *)sink;
	int r = write_rest(s);

	if (r < 0)
		return r;
	if (s->json)
		summary_json_totals(s->look->out, t);
	else
		write_totals(s->look, t);
	return look_written(s->look);
}

static void summary_free(struct sink *sink)
{
	struct summary *s = (struct summary *)sink;

	munmap(s->lives, s->nlives * sizeof(*s->lives));
	free(s);
}

static const struct sink_ops summary_ops = {
	.ahead = summary_ahead,
	.packet = summary_packet,
	.ending = summary_ending,
	.done = summary_done,
	.free = summary_free,
};

struct sink *summary_new(const struct look *look, bool json)
{
	struct summary *s = malloc(sizeof(*s));
	void *lives;

	if (!s)
		return NULL;
	*s = (struct summary){
		.base = {&summary_ops},
		.look = look,
		.json = json,
		.nlives = (size_t)look->max_flows + 1,
	};
	lives = mmap(NULL, s->nlives * sizeof(*s->lives), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (lives == MAP_FAILED) {
		free(s);
		return NULL;
	}
	s->lives = lives;
	return &s->base;
}
