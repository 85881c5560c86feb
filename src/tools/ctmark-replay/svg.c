/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The pictures as one SVG, which stands for itself: no script, nothing from elsewhere. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "tools/ctmark-replay/picture.h"
#include "tools/ctmark-replay/states.h"
#include "tools/ctmark-replay/theme.h"
#include "util/cleanup.h"

#define SVG_LADDERS_MAX 24
#define SVG_PACKETS_MAX 2000
#define FOOT_HEIGHT	84

/* Some programs draw nothing that is higher than 32767 pixels. */
#define SVG_HEIGHT_MAX (32767 - 2 * STATES_HEIGHT - FOOT_HEIGHT)

static void begin_part(FILE *f, int y)
{
	if (y > 0)
		markup_line(f, 0, y, LADDER_WIDTH, y, "s-faint n");
	fprintf(f, "<g transform=\"translate(0 %d)\">\n", y);
}

/* A ladder at *y, which moves on. */
static int draw_ladder(FILE *f, const struct film *film, const struct reel *reel, int *y)
{
	struct ladder l;

	if (ladder_init(&l, film, reel) < 0)
		return -ENOMEM;
	begin_part(f, *y);
	ladder_draw(f, &l);
	fputs("</g>\n", f);
	*y += l.height;
	ladder_done(&l);
	return 0;
}

static void draw_states(FILE *f, uint8_t proto, const struct graph *g, int *y)
{
	if (!g->packets)
		return;
	begin_part(f, *y);
	states_draw(f, proto, g);
	fputs("</g>\n", f);
	*y += STATES_HEIGHT;
}

static void draw_foot(FILE *f, const struct film *film, const bool *drawn, int *y)
{
	char text[LADDER_WORDS_MAX];

	begin_part(f, *y);
	markup_label(f, 16, 24, "tc f-muted", "%s. %s", picture_sum(film, text),
		     film->nreels ? "" : "Nothing is shown.");
	markup_label(
		f, 16, 42, "tc f-muted",
		"Cross at the tracker: INVALID or dropped, no part of the flow. Bar of the state: "
		"pale until a reply is seen, then grey, green once assured.");
	markup_label(f, 16, 60, "tc f-ink", "%s", picture_left_out(film, drawn, text));
	fputs("</g>\n", f);
	*y += FOOT_HEIGHT;
}

/* All that is below the head, whose height has to be known first. */
static int draw_body(FILE *f, const struct film *film, const struct picture *p, int *y)
{
	_cleanup_free_ bool *drawn = calloc(film->nreels + 1, sizeof(*drawn));

	if (!drawn)
		return -ENOMEM;
	picture_choose(p, drawn);
	for (size_t pass = 0; pass < 2; pass++) /* packets without a flow come last */
		for (size_t i = pass ? 0 : film->npairs; i < (pass ? film->npairs : film->nreels);
		     i++)
			if (drawn[i] && draw_ladder(f, film, film->reels[i], y) < 0)
				return -ENOMEM;
	draw_states(f, CT_PROTO_TCP, &film->tcp, y);
	draw_states(f, CT_PROTO_SCTP, &film->sctp, y);
	draw_foot(f, film, drawn, y);
	return 0;
}

static void draw_head(FILE *f, const struct film *film, int height)
{
	char text[LADDER_WORDS_MAX];

	fprintf(f,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		"viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"title desc\">\n",
		LADDER_WIDTH, height, LADDER_WIDTH, height);
	fputs("<title id=\"title\">Connection tracking of a capture</title>\n<desc id=\"desc\">",
	      f);
	markup_text(f,
		    "%s. A ladder for each flow: packets between initiator and responder, their "
		    "ctinfo, and the state, status and timeout of the connection after each.",
		    picture_sum(film, text));
	fputs("</desc>\n<style>\n", f);
	theme_style(f);
	fputs("</style>\n", f);
	states_defs(f);
	markup_rect(f, 0, 0, LADDER_WIDTH, height, "f-paper");
}

static int draw(FILE *f, const struct film *film, const struct picture *p)
{
	_cleanup_free_ char *body = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&body, &size);
	int y = 0, r;

	if (!stream)
		return -ENOMEM;
	r = draw_body(stream, film, p, &y);
	if (fclose(stream) != 0 || r < 0)
		return -ENOMEM;
	draw_head(f, film, y);
	fputs(body, f);
	fputs("</svg>\n", f);
	return 0;
}

struct sink *svg_new(const struct look *look, const char *file)
{
	const struct picture kind = {
		.draw = draw,
		.max_ladders = SVG_LADDERS_MAX,
		.max_packets = SVG_PACKETS_MAX,
		.max_height = SVG_HEIGHT_MAX,
	};

	return picture_new(look, file, &kind);
}
