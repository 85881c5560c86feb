/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/states.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/sctp.h"
#include "core/tcp.h"
#include "core/view.h"
#include "tools/ctmark-replay/line.h"
#include "tools/ctmark-replay/markup.h"
#include "util/cleanup.h"

#define BOX_HEIGHT 32
#define STEPS	   256 /* a curve is looked at in so many */

/* Where a state is; its loop is above or below the box, moved aside by so much. */
struct node {
	int x, y, loop_side;
	bool loop_below;
};

/* How an edge bends, away from the middle between its ends, and where its label is, in percent. */
struct route {
	uint8_t from, to;
	int bend_x, bend_y, label;
};

struct map {
	uint8_t proto, nstates, nrows;
	unsigned int takers; /* named at an edge: names of chunks are long */
	int box_width;
	const struct node *nodes;
	const struct route *routes;
	size_t nroutes;
	uint8_t (*next)(enum ct_dir dir, unsigned int row, uint8_t state); /* >= nstates: no edge */
	const char *(*row_name)(unsigned int row);
};

static const struct node tcp_nodes[CT_TCP_STATE_MAX] = {
	[CT_TCP_STATE_NONE] = {90, 164, 0, false},
	[CT_TCP_STATE_SYN_SENT] = {300, 164, 0, false},
	[CT_TCP_STATE_SYN_RECV] = {590, 164, 0, false},
	[CT_TCP_STATE_ESTABLISHED] = {860, 164, 24, false},
	[CT_TCP_STATE_SYN_SENT2] = {445, 256, 0, false},
	[CT_TCP_STATE_CLOSE] = {445, 394, 0, true},
	[CT_TCP_STATE_FIN_WAIT] = {860, 344, 0, false},
	[CT_TCP_STATE_CLOSE_WAIT] = {860, 524, 0, true},
	[CT_TCP_STATE_LAST_ACK] = {590, 524, 0, true},
	[CT_TCP_STATE_TIME_WAIT] = {300, 524, 0, true},
};

#define T(from, to, x, y, label)                                                                   \
	{                                                                                          \
		CT_TCP_STATE_##from, CT_TCP_STATE_##to, x, y, label                                \
	}
static const struct route tcp_routes[] = {
	T(NONE, SYN_SENT, 0, 0, 50),	     T(NONE, ESTABLISHED, 0, -170, 50),
	T(SYN_SENT, SYN_RECV, 0, 0, 50),     T(SYN_SENT, SYN_SENT2, 0, 0, 34),
	T(SYN_SENT, CLOSE, -30, 10, 62),     T(SYN_SENT2, SYN_RECV, 0, 0, 66),
	T(SYN_SENT2, CLOSE, 0, 0, 50),	     T(SYN_RECV, CLOSE, 40, 10, 50),
	T(ESTABLISHED, SYN_RECV, 0, 60, 50), T(SYN_RECV, ESTABLISHED, 0, 0, 50),
	T(SYN_RECV, FIN_WAIT, 0, 0, 64),     T(ESTABLISHED, FIN_WAIT, 0, 0, 50),
	T(ESTABLISHED, CLOSE, 0, 0, 22),     T(FIN_WAIT, CLOSE, 0, 0, 48),
	T(FIN_WAIT, CLOSE_WAIT, 0, 0, 50),   T(FIN_WAIT, LAST_ACK, 0, 0, 50),
	T(CLOSE_WAIT, CLOSE, 0, 0, 30),	     T(CLOSE_WAIT, LAST_ACK, 0, 0, 50),
	T(LAST_ACK, CLOSE, 0, 0, 50),	     T(LAST_ACK, TIME_WAIT, 0, 0, 50),
	T(TIME_WAIT, CLOSE, 0, 0, 50),	     T(TIME_WAIT, SYN_SENT, -220, 0, 50),
	T(CLOSE, SYN_SENT, -190, 40, 45),
};
#undef T

static const struct node sctp_nodes[CT_SCTP_STATE_MAX] = {
	[CT_SCTP_STATE_NONE] = {90, 164, 0, false},
	[CT_SCTP_STATE_CLOSED] = {330, 164, 0, false},
	[CT_SCTP_STATE_COOKIE_WAIT] = {600, 164, 0, true},
	[CT_SCTP_STATE_COOKIE_ECHOED] = {860, 164, 0, false},
	[CT_SCTP_STATE_ESTABLISHED] = {860, 344, 48, false},
	[CT_SCTP_STATE_SHUTDOWN_SENT] = {600, 444, 0, false},
	[CT_SCTP_STATE_SHUTDOWN_RECD] = {860, 524, 0, true},
	[CT_SCTP_STATE_SHUTDOWN_ACK_SENT] = {400, 524, 0, true},
	[CT_SCTP_STATE_HEARTBEAT_SENT] = {100, 364, 0, true},
};

#define S(from, to, x, y, label)                                                                   \
	{                                                                                          \
		CT_SCTP_STATE_##from, CT_SCTP_STATE_##to, x, y, label                              \
	}
static const struct route sctp_routes[] = {
	S(NONE, CLOSED, 0, 0, 48),
	S(NONE, HEARTBEAT_SENT, 0, 0, 50),
	S(NONE, SHUTDOWN_ACK_SENT, 40, -40, 82),
	S(CLOSED, COOKIE_WAIT, 0, 0, 50),
	S(COOKIE_WAIT, COOKIE_ECHOED, 0, 0, 50),
	S(COOKIE_WAIT, CLOSED, 0, -90, 50),
	S(COOKIE_ECHOED, ESTABLISHED, 0, 0, 50),
	S(COOKIE_ECHOED, CLOSED, 0, -170, 40),
	S(ESTABLISHED, CLOSED, 0, 0, 35),
	S(ESTABLISHED, SHUTDOWN_SENT, 0, 0, 50),
	S(ESTABLISHED, SHUTDOWN_RECD, 0, 0, 50),
	S(SHUTDOWN_SENT, CLOSED, 0, 0, 44),
	S(SHUTDOWN_SENT, SHUTDOWN_ACK_SENT, 0, 0, 50),
	S(SHUTDOWN_RECD, CLOSED, 60, -60, 50),
	S(SHUTDOWN_RECD, SHUTDOWN_ACK_SENT, 0, 0, 40),
	S(SHUTDOWN_ACK_SENT, CLOSED, 0, 0, 66),
	S(HEARTBEAT_SENT, CLOSED, 0, 0, 50),
	S(HEARTBEAT_SENT, COOKIE_WAIT, 0, 40, 62),
	S(HEARTBEAT_SENT, SHUTDOWN_ACK_SENT, 0, 0, 40),
	S(HEARTBEAT_SENT, ESTABLISHED, 0, 60, 48),
};
#undef S

static uint8_t tcp_next(enum ct_dir dir, unsigned int row, uint8_t state)
{
	return ct_tcp_fsm(dir, (enum ct_tcp_index)row, state);
}

static const char *tcp_row(unsigned int row)
{
	return ct_tcp_index_name((uint8_t)row);
}

/* Chunks without a row change nothing, nor are they an edge. */
static uint8_t sctp_next(enum ct_dir dir, unsigned int row, uint8_t state)
{
	if (row == CT_SCTP_DATA || row == CT_SCTP_SACK || !ct_sctp_chunk_name((uint8_t)row))
		return CT_SCTP_INVALID;
	return ct_sctp_fsm(dir, (uint8_t)row, state);
}

static const char *sctp_row(unsigned int row)
{
	const char *name = ct_sctp_chunk_name((uint8_t)row);

	return name ? name : "?";
}

static const struct map tcp_map = {
	.proto = CT_PROTO_TCP,
	.nstates = CT_TCP_STATE_MAX,
	.nrows = CT_TCP_INDEX_MAX,
	.takers = 2,
	.box_width = 116,
	.nodes = tcp_nodes,
	.routes = tcp_routes,
	.nroutes = ARRAY_SIZE(tcp_routes),
	.next = tcp_next,
	.row_name = tcp_row,
};

static const struct map sctp_map = {
	.proto = CT_PROTO_SCTP,
	.nstates = CT_SCTP_STATE_MAX,
	.nrows = CT_SCTP_CHUNK_MAX,
	.takers = 1,
	.box_width = 146,
	.nodes = sctp_nodes,
	.routes = sctp_routes,
	.nroutes = ARRAY_SIZE(sctp_routes),
	.next = sctp_next,
	.row_name = sctp_row,
};

static bool has_edge(const struct map *m, uint8_t from, uint8_t to)
{
	for (unsigned int row = 0; row < m->nrows; row++)
		if (m->next(CT_DIR_ORIGINAL, row, from) == to ||
		    m->next(CT_DIR_REPLY, row, from) == to)
			return true;
	return false;
}

/* ---- curves ---- */

struct point {
	int x, y;
};

/* Where a label goes, and whether the line there is rather level: then it goes above. */
struct spot {
	struct point at;
	bool level;
};

struct curve {
	struct point from, bend, to;
};

static int mix(int a, int b, int t)
{
	return (a * (STEPS - t) + b * t) / STEPS;
}

/* What three points come to at s of the one way and t of the other: the blossom of the curve. */
static struct point blossom(const struct curve *c, int s, int t)
{
	return (struct point){
		mix(mix(c->from.x, c->bend.x, s), mix(c->bend.x, c->to.x, s), t),
		mix(mix(c->from.y, c->bend.y, s), mix(c->bend.y, c->to.y, s), t),
	};
}

static bool inside(struct point p, const struct node *n, int width)
{
	return p.x >= n->x - width / 2 - 2 && p.x <= n->x + width / 2 + 2 &&
	       p.y >= n->y - BOX_HEIGHT / 2 - 2 && p.y <= n->y + BOX_HEIGHT / 2 + 2;
}

static struct route route_of(const struct map *m, uint8_t from, uint8_t to)
{
	for (size_t i = 0; i < m->nroutes; i++)
		if (m->routes[i].from == from && m->routes[i].to == to)
			return m->routes[i];
	return (struct route){from, to, 24, 24, 50};
}

static struct curve curve_of(const struct map *m, const struct route *r)
{
	const struct node *a = &m->nodes[r->from], *b = &m->nodes[r->to];

	return (struct curve){
		{a->x, a->y},
		{(a->x + b->x) / 2 + r->bend_x, (a->y + b->y) / 2 + r->bend_y},
		{b->x, b->y},
	};
}

/* Draws the part of an edge that lies between the boxes; returns the place of its label. */
static struct spot draw_curve(FILE *f, const struct map *m, const struct route *r,
			      const char *classes)
{
	struct curve c = curve_of(m, r);
	int s = 0, t = STEPS;
	struct point a, b, bend;

	while (s < STEPS && inside(blossom(&c, s, s), &m->nodes[r->from], m->box_width))
		s++;
	while (t > s && inside(blossom(&c, t, t), &m->nodes[r->to], m->box_width))
		t--;
	a = blossom(&c, s, s);
	bend = blossom(&c, s, t);
	b = blossom(&c, t, t);
	fprintf(f, "<path class=\"%s\" d=\"M%d %dQ%d %d %d %d\"/>\n", classes, a.x, a.y, bend.x,
		bend.y, b.x, b.y);
	t = s + (t - s) * r->label / 100;
	a = blossom(&c, t - STEPS / 16, t - STEPS / 16);
	b = blossom(&c, t + STEPS / 16, t + STEPS / 16);
	return (struct spot){blossom(&c, t, t), abs(a.x - b.x) > 4 * abs(a.y - b.y)};
}

static struct spot draw_loop(FILE *f, const struct node *n, const char *classes)
{
	int x = n->x + n->loop_side, sign = n->loop_below ? 1 : -1;
	int y = n->y + sign * (BOX_HEIGHT / 2 + 2);

	fprintf(f, "<path class=\"%s\" d=\"M%d %dC%d %d %d %d %d %d\"/>\n", classes, x - 12, y,
		x - 24, y + sign * 32, x + 24, y + sign * 32, x + 12, y);
	return (struct spot){{x, y + sign * (n->loop_below ? 36 : 40)}, false};
}

/* ---- labels ---- */

/* "SYN/ACK ←" */
static void say_takers(struct words *w, const struct map *m, const struct edge *e)
{
	unsigned int said = 0;

	for (unsigned int row = 0; row < m->nrows; row++) {
		unsigned int there = e->by[CT_DIR_ORIGINAL] >> row & 1;
		unsigned int back = e->by[CT_DIR_REPLY] >> row & 1;

		if (!there && !back)
			continue;
		if (said++ == m->takers) {
			line_text(w, " \u2026");
			return;
		}
		line_text(w, said > 1 ? ", " : "");
		line_text(w, m->row_name(row));
		line_text(w, there && back ? " \u2194" : there ? " \u2192" : " \u2190");
	}
}

/* "#2, #9", or how often and the first one */
static void say_numbers(struct words *w, const struct edge *e)
{
	if (e->count > 2) {
		line_number(w, e->count);
		line_text(w, "\u00d7, ");
	}
	for (unsigned int i = 0; i < (e->count > 2 ? 1 : e->count); i++)
		line_value(w, i ? ", #" : "#", e->number[i]);
	if (e->count > 2)
		line_text(w, " \u2026");
}

static void draw_label(FILE *f, const struct map *m, const struct edge *e, struct spot spot)
{
	struct point p = spot.at;
	char text[128] = "";
	struct words w = {text, sizeof(text), 0};

	if (spot.level)
		p.y -= 16;
	say_takers(&w, m, e);
	markup_label(f, p.x, p.y - 1, "tn f-ink c h", "%s", text);
	w.len = 0;
	text[0] = '\0';
	say_numbers(&w, e);
	markup_label(f, p.x, p.y + 11, "tn f-muted c h", "%s", text);
}

static void say_edge(FILE *f, const struct map *m, const struct edge *e, uint8_t from, uint8_t to)
{
	char text[128] = "";
	struct words w = {text, sizeof(text), 0};

	say_takers(&w, m, e);
	fputs("<title>", f);
	markup_text(f, "%s to %s: %s, %" PRIu64 " packet%s, the first is %" PRIu64,
		    ct_state_name(m->proto, from), ct_state_name(m->proto, to), text, e->count,
		    e->count == 1 ? "" : "s", e->number[0]);
	fputs("</title>", f);
}

/* ---- the graph ---- */

#define EDGE_FAINT "edge faint s-faint n w"
#define EDGE_TAKEN "edge taken s-ink n w"

static struct spot draw_edge(FILE *f, const struct map *m, uint8_t from, uint8_t to,
			     const char *classes)
{
	const struct route r = route_of(m, from, to);

	if (from == to)
		return draw_loop(f, &m->nodes[from], classes);
	return draw_curve(f, m, &r, classes);
}

static void draw_faint(FILE *f, const struct map *m, const struct graph *g)
{
	for (uint8_t from = 0; from < m->nstates; from++)
		for (uint8_t to = 0; to < m->nstates; to++)
			if (!g->edge[from][to].count && has_edge(m, from, to))
				draw_edge(f, m, from, to, EDGE_FAINT);
}

static void draw_taken_edge(FILE *f, const struct map *m, const struct edge *e, uint8_t from,
			    uint8_t to, struct spot *ret_label)
{
	fputs("<g>", f);
	say_edge(f, m, e, from, to);
	*ret_label = draw_edge(f, m, from, to, EDGE_TAKEN);
	fputs("</g>\n", f);
}

/* Labels come on top of all lines. */
static void draw_taken(FILE *f, const struct map *m, const struct graph *g)
{
	struct spot label[FILM_STATES_MAX * FILM_STATES_MAX];

	for (uint8_t from = 0; from < m->nstates; from++)
		for (uint8_t to = 0; to < m->nstates; to++)
			if (g->edge[from][to].count)
				draw_taken_edge(f, m, &g->edge[from][to], from, to,
						&label[from * FILM_STATES_MAX + to]);
	for (uint8_t from = 0; from < m->nstates; from++)
		for (uint8_t to = 0; to < m->nstates; to++)
			if (g->edge[from][to].count)
				draw_label(f, m, &g->edge[from][to],
					   label[from * FILM_STATES_MAX + to]);
}

static bool is_visited(const struct graph *g, uint8_t state)
{
	for (size_t i = 0; i < FILM_STATES_MAX; i++)
		if (g->edge[i][state].count || g->edge[state][i].count)
			return true;
	return false;
}

static void draw_nodes(FILE *f, const struct map *m, const struct graph *g)
{
	for (uint8_t state = 0; state < m->nstates; state++) {
		const struct node *n = &m->nodes[state];
		bool visited = is_visited(g, state);

		markup_rect(f, n->x - m->box_width / 2, n->y - BOX_HEIGHT / 2, m->box_width,
			    BOX_HEIGHT, visited ? "r f-panel s-ink w" : "r f-panel s-faint w");
		markup_label(f, n->x, n->y + 4, visited ? "ts f-ink c" : "tl f-muted c", "%s",
			     ct_state_name(m->proto, state));
	}
}

void states_defs(FILE *f)
{
	fputs("<defs>\n", f);
	for (unsigned int taken = 0; taken < 2; taken++)
		fprintf(f,
			"<marker id=\"%s\" viewBox=\"0 0 10 10\" refX=\"8\" refY=\"5\" "
			"markerWidth=\"9\" markerHeight=\"9\" markerUnits=\"userSpaceOnUse\" "
			"orient=\"auto\"><path class=\"f-%s\" d=\"M0 1l10 4l-10 4z\"/></marker>\n",
			taken ? "tip-taken" : "tip-faint", taken ? "ink" : "faint");
	fputs("</defs>\n", f);
}

void states_draw(FILE *f, uint8_t proto, const struct graph *g)
{
	const struct map *m = proto == CT_PROTO_SCTP ? &sctp_map : &tcp_map;

	markup_label(f, 16, 26, "tt f-ink", "State graph of %s",
		     proto == CT_PROTO_SCTP ? "SCTP" : "TCP");
	markup_label(f, 16, 43, "tc f-muted",
		     "pale: what the table allows; strong: taken by %" PRIu64
		     " packet%s; \u2192 from the initiator, \u2190 from the responder",
		     g->packets, g->packets == 1 ? "" : "s");
	draw_faint(f, m, g);
	draw_nodes(f, m, g);
	draw_taken(f, m, g);
}
