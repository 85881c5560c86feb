/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The pictures as a page with a list of the flows. It is complete without its script, which only
 * adds a box to filter the list with; nothing is loaded from elsewhere, nor could be.
 */

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

#include "log/message.h"
#include "tools/ctmark-replay/picture.h"
#include "tools/ctmark-replay/states.h"
#include "tools/ctmark-replay/theme.h"
#include "util/cleanup.h"

#define HTML_LADDERS_MAX 100
#define HTML_PACKETS_MAX 3000

/*
 * The page says which script it allows: HASH is the SHA-256 of what is between the tags. A test
 * computes it.
 */
#define SCRIPT                                                                                     \
	"const q=document.getElementById('q');"                                                    \
	"q.parentNode.hidden=false;"                                                               \
	"q.addEventListener('input',()=>{"                                                         \
	"const words=q.value.toLowerCase().split(/\\s+/);"                                         \
	"for(const row of document.querySelectorAll('#flows li')){"                                \
	"const text=row.textContent.toLowerCase();"                                                \
	"row.hidden=!words.every(w=>text.includes(w));}});"
#define SCRIPT_HASH "sha256-EE0TQfpRhZfcOkjPH1B85a+CY5AYzsL3nUOjslk7Z+M="

static const char page_style[] =
	"*{box-sizing:border-box}"
	"html{color-scheme:light dark;scroll-behavior:smooth}"
	"@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}"
	"body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 sans-serif;"
	"display:grid;grid-template-columns:340px minmax(0,1fr);min-height:100vh}"
	"a{color:var(--NEW)}"
	"nav{position:sticky;top:0;height:100vh;overflow:auto;padding:20px 16px;"
	"background:var(--panel);border-right:1px solid var(--faint)}"
	"h1{font-size:18px;line-height:1.3;margin:0 0 4px}"
	"nav p{margin:0 0 12px;color:var(--muted);font-size:13px}"
	"label{display:block;font-size:13px;color:var(--muted);margin-bottom:12px}"
	"label[hidden],li[hidden]{display:none}"
	"input{display:block;width:100%;margin-top:2px;padding:6px 8px;font:inherit;"
	"color:var(--ink);background:var(--paper);border:1px solid var(--rule);border-radius:6px}"
	"ol{list-style:none;margin:0;padding:0}"
	"li{border-top:1px solid var(--faint)}"
	"li>*{display:block;padding:7px 6px;color:var(--ink);text-decoration:none;font-size:13px}"
	"a:hover b,a:focus b{text-decoration:underline}"
	"li span{color:var(--muted);display:block;font:11px/1.5 monospace;overflow-wrap:anywhere}"
	"li em{color:var(--INVALID);font-style:normal}"
	"main{padding:20px 24px;min-width:0}"
	"section{max-width:1008px;margin:0 0 24px;padding:0 23px;border:1px solid var(--faint);"
	"border-radius:8px;overflow-x:auto;scroll-margin-top:16px}"
	"section:target{border-color:var(--NEW);box-shadow:0 0 0 1px var(--NEW)}"
	"footer{color:var(--muted);font-size:13px}"
	"svg{display:block;width:100%;min-width:820px;max-width:960px;height:auto}.defs{width:0;"
	"min-width:0;height:0}"
	".place>rect:first-child{fill:var(--NEW);fill-opacity:0}"
	".place:hover>rect:first-child,.place:focus>rect:first-child{fill-opacity:.09}"
	".place:focus{outline:none}.place:focus>rect:first-child{stroke:var(--NEW)}"
	".box{display:none;pointer-events:none}"
	".place:hover .box,.place:focus .box{display:block}"
	"section:has(.place:hover) .place:focus:not(:hover) .box{display:none}"
	"@media (max-width:900px){body{display:block}"
	"nav{position:static;height:auto;max-height:45vh;border-right:0;"
	"border-bottom:1px solid var(--faint)}main{padding:12px}section{padding:0 8px}}"
	"@media print{body{display:block}nav{position:static;height:auto;border:0}"
	"section{border:0;padding:0}svg{max-width:100%}.box{display:none!important}}";

static void write_head(FILE *f)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	      "style-src 'unsafe-inline'; script-src '" SCRIPT_HASH "'; base-uri 'none'; "
	      "form-action 'none'\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n"
	      "<title>Connection tracking of a capture</title>\n<style>\n",
	      f);
	theme_properties(f);
	theme_style(f);
	fputs(page_style, f);
	fputs("\n</style>\n</head>\n<body>\n", f);
}

/* ---- list ---- */

static const char *anchor(const struct film *film, size_t i, char buf[static LADDER_WORDS_MAX])
{
	if (i < film->npairs)
		snprintf(buf, LADDER_WORDS_MAX, "pair-%zu", i + 1);
	else
		snprintf(buf, LADDER_WORDS_MAX, "flow-%" PRIu64, film->reels[i]->number);
	return buf;
}

static void list_reel(FILE *f, const struct film *film, size_t i, bool drawn)
{
	const struct reel *r = film->reels[i];
	char text[LADDER_WORDS_MAX];

	fputs("<li>", f);
	if (drawn)
		fprintf(f, "<a href=\"#%s\">", anchor(film, i, text));
	else
		fputs("<div>", f);
	fputs("<b>", f);
	markup_text(f, "%s", ladder_title(r, text));
	fputs("</b><span>", f);
	markup_text(f, "%s", ladder_endpoint(r, true, text));
	markup_text(f, r->number ? " > %s" : " and %s", ladder_endpoint(r, false, text));
	fputs("</span><span>", f);
	markup_text(f, "%" PRIu64 " packet%s", r->packets, r->packets == 1 ? "" : "s");
	if (r->invalid) {
		fputs(", <em>", f);
		markup_text(f, "%" PRIu64 " INVALID", r->invalid);
		fputs("</em>", f);
	}
	if (r->number)
		markup_text(f, r->ended ? ", ended: %s" : ", alive",
			    ct_death_name((enum ct_death)r->death));
	fputs(drawn ? "</span></a></li>\n" : ", not drawn</span></div></li>\n", f);
}

static void write_list(FILE *f, const struct film *film, const bool *drawn)
{
	char text[LADDER_WORDS_MAX];

	fputs("<nav aria-label=\"Flows\">\n<h1>Connection tracking of a capture</h1>\n<p>", f);
	markup_text(f, "%s. %s", picture_sum(film, text), film->nreels ? "" : "Nothing is shown.");
	markup_text(f, "%s", picture_left_out(film, drawn, text));
	fputs("</p>\n<label hidden>Show flows with <input id=\"q\" type=\"search\" "
	      "autocomplete=\"off\"></label>\n<ol id=\"flows\">\n",
	      f);
	for (size_t i = film->npairs; i < film->nreels; i++)
		list_reel(f, film, i, drawn[i]);
	for (size_t i = 0; i < film->npairs; i++)
		list_reel(f, film, i, drawn[i]);
	if (film->tcp.packets)
		fputs("<li><a href=\"#tcp\"><b>State graph of TCP</b></a></li>\n", f);
	if (film->sctp.packets)
		fputs("<li><a href=\"#sctp\"><b>State graph of SCTP</b></a></li>\n", f);
	fputs("</ol>\n</nav>\n", f);
}

/* ---- pictures ---- */

static void begin_picture(FILE *f, const char *id, const char *label, int height)
{
	fprintf(f, "<section id=\"%s\" tabindex=\"-1\">\n", id);
	fprintf(f, "<svg viewBox=\"0 0 %d %d\" role=\"group\" aria-label=\"", LADDER_WIDTH, height);
	markup_text(f, "%s", label);
	fputs("\">\n", f);
}

static void end_picture(FILE *f)
{
	fputs("</svg>\n</section>\n", f);
}

static int draw_ladder(FILE *f, const struct film *film, size_t i)
{
	char id[LADDER_WORDS_MAX], title[LADDER_WORDS_MAX];
	struct ladder l;

	if (ladder_init(&l, film, film->reels[i]) < 0)
		return -ENOMEM;
	begin_picture(f, anchor(film, i, id), ladder_title(film->reels[i], title), l.height);
	ladder_draw(f, &l);
	ladder_details(f, &l);
	end_picture(f);
	ladder_done(&l);
	return 0;
}

static void draw_states(FILE *f, uint8_t proto, const struct graph *g)
{
	if (!g->packets)
		return;
	begin_picture(f, proto == CT_PROTO_TCP ? "tcp" : "sctp", "State graph", STATES_HEIGHT);
	states_draw(f, proto, g);
	end_picture(f);
}

static int draw_all(FILE *f, const struct film *film, const bool *drawn)
{
	for (size_t i = film->npairs; i < film->nreels; i++)
		if (drawn[i] && draw_ladder(f, film, i) < 0)
			return -ENOMEM;
	for (size_t i = 0; i < film->npairs; i++)
		if (drawn[i] && draw_ladder(f, film, i) < 0)
			return -ENOMEM;
	draw_states(f, CT_PROTO_TCP, &film->tcp);
	draw_states(f, CT_PROTO_SCTP, &film->sctp);
	return 0;
}

static int draw(FILE *f, const struct film *film, const struct picture *p)
{
	_cleanup_free_ bool *drawn = calloc(film->nreels + 1, sizeof(*drawn));

	if (!drawn)
		return -ENOMEM;
	picture_choose(p, drawn);
	write_head(f);
	write_list(f, film, drawn);
	/* markers have to be in a picture that is shown, even if it shows nothing */
	fputs("<main>\n<svg class=\"defs\" aria-hidden=\"true\">\n", f);
	states_defs(f);
	fputs("</svg>\n", f);
	if (draw_all(f, film, drawn) < 0)
		return -ENOMEM;
	fputs("<footer>" PICTURE_LEGEND "</footer>\n</main>\n<script>" SCRIPT
	      "</script>\n</body>\n</html>\n",
	      f);
	return 0;
}

struct sink *html_new(const struct look *look, const char *file)
{
	const struct picture kind = {
		.draw = draw,
		.max_ladders = HTML_LADDERS_MAX,
		.max_packets = HTML_PACKETS_MAX,
		.max_height = INT_MAX,
	};

	return picture_new(look, file, &kind);
}
