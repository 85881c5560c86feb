/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmarkctl/flows.h"

#include <inttypes.h>
#include <string.h>

#include "tools/ctmarkctl/text.h"
#include "tools/ctmarkctl/value.h"
#include "util/words.h"

static const struct column spec[] = {
	{"FLOW", false},	{"PROTO", false},  {"STATE", false},  {"SOURCE", false},
	{"DESTINATION", false}, {"STATUS", false}, {"TIMEOUT", true}, {"PACKETS", true},
	{"BYTES", true},	{"", false},
};

enum app_status flows_init(struct flows *f, const struct app *app)
{
	f->app = app;
	f->series = (struct series){.app = app};
	f->n = 0;
	columns_init(&f->columns, app, spec, ARRAY_SIZE(spec));
	return conntrack_read_layout(app->option[OPTION_OUTPUT], &f->layout) ? APP_OK : APP_USAGE;
}

/* ---- cells ---- */

static void state_cell(struct columns *c, const json_t *flow)
{
	const char *state = value_text(flow, "state");

	if (*state)
		columns_cell(c, style_of(state), "%s", state);
	else if (value_has(flow, "icmp_type"))
		columns_cell(c, STYLE_PLAIN, "type %" PRId64 " id %" PRId64,
			     value_number(flow, "icmp_type"), value_number(flow, "icmp_id"));
	else
		columns_cell(c, STYLE_PLAIN, "-");
}

/* What says most: all flows of a list are CONFIRMED, and ASSURED ones have SEEN_REPLY. */
static void status_cell(struct columns *c, const json_t *flow)
{
	bool assured = value_lists(flow, "status", "ASSURED");
	bool replied = value_lists(flow, "status", "SEEN_REPLY");
	char buf[128] = "";
	struct words w = {buf, sizeof(buf), 0};
	const json_t *bit;
	size_t i;

	words_add(&w, "%s", assured ? "ASSURED" : replied ? "SEEN_REPLY" : "UNREPLIED");
	json_array_foreach(json_object_get(flow, "status"), i, bit)
	{
		const char *name = json_is_string(bit) ? json_string_value(bit) : "?";

		if (strcmp(name, "CONFIRMED") != 0 && strcmp(name, "ASSURED") != 0 &&
		    strcmp(name, "SEEN_REPLY") != 0)
			words_add(&w, ",%s", name);
	}
	columns_cell(c, assured ? STYLE_GOOD : replied ? STYLE_PLAIN : STYLE_WARN, "%s", buf);
}

static void counter_cells(struct columns *c, const json_t *flow)
{
	char there[TEXT_STRLEN], back[TEXT_STRLEN];

	if (!value_has(flow, "packets_orig")) {
		columns_cell(c, STYLE_PLAIN, "-");
		columns_cell(c, STYLE_PLAIN, "-");
		return;
	}
	columns_cell(c, STYLE_PLAIN, "%s/%s",
		     text_count((uint64_t)value_number(flow, "packets_orig"), there),
		     text_count((uint64_t)value_number(flow, "packets_reply"), back));
	columns_cell(c, STYLE_PLAIN, "%s/%s",
		     text_bytes((uint64_t)value_number(flow, "bytes_orig"), there),
		     text_bytes((uint64_t)value_number(flow, "bytes_reply"), back));
}

/* What few flows have. */
static void more_cell(struct columns *c, const json_t *flow)
{
	char buf[512] = "", side[TEXT_STRLEN];
	struct words w = {buf, sizeof(buf), 0};

	if (value_has(flow, "reply_src"))
		words_add(&w, "reply %s", text_side(flow, "reply_src", side));
	if (value_has(flow, "reply_src"))
		words_add(&w, " > %s ", text_side(flow, "reply_dst", side));
	if (value_has(flow, "helper"))
		words_add(&w, "helper %s ", value_text(flow, "helper"));
	if (value_has(flow, "master"))
		words_add(&w, "of %s ", value_text(flow, "master"));
	if (value_has(flow, "zone"))
		words_add(&w, "zone %" PRId64 " ", value_number(flow, "zone"));
	if (w.len && buf[w.len - 1] == ' ')
		buf[w.len - 1] = '\0';
	columns_cell(c, STYLE_NOTE, "%s", buf);
}

static void add_row(struct columns *c, const json_t *flow)
{
	char text[TEXT_STRLEN];

	columns_cell(c, STYLE_DIM, "%s", value_text(flow, "flow"));
	columns_cell(c, STYLE_PLAIN, "%s", value_text(flow, "proto"));
	state_cell(c, flow);
	columns_cell(c, STYLE_PLAIN, "%s", text_side(flow, "src", text));
	columns_cell(c, STYLE_PLAIN, "%s", text_side(flow, "dst", text));
	status_cell(c, flow);
	columns_cell(c, STYLE_PLAIN, "%s", text_duration(value_number(flow, "timeout"), text));
	counter_cells(c, flow);
	more_cell(c, flow);
}

void flows_add(struct flows *f, const json_t *flow)
{
	char line[CONNTRACK_LINE_MAX];

	f->n++;
	if (f->layout.wanted)
		puts(conntrack_line(flow, &f->layout, line));
	else if (f->app->json != APP_TEXT)
		series_add(&f->series, flow);
	else
		add_row(&f->columns, flow);
}

void flows_done(struct flows *f, bool total)
{
	if (!f->layout.wanted && f->app->json != APP_TEXT) {
		series_done(&f->series);
		return;
	}
	columns_done(&f->columns);
	if (!total || !f->app->legend)
		return;
	/* as conntrack(8), beside the lines */
	fflush(stdout);
	fprintf(f->layout.wanted ? stderr : stdout,
		f->layout.wanted ? "ctmarkctl: %zu flow entries have been shown.\n" : "%zu flows\n",
		f->n);
}
