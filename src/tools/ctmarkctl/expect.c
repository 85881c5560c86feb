/* SPDX-License-Identifier: GPL-2.0-or-later */

/* expect: what helpers have read about and that has not come yet. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ctmarkctl/app.h"
#include "tools/ctmarkctl/columns.h"
#include "tools/ctmarkctl/conntrack.h"
#include "tools/ctmarkctl/series.h"
#include "tools/ctmarkctl/terminal.h"
#include "tools/ctmarkctl/text.h"
#include "tools/ctmarkctl/value.h"

static const struct column spec[] = {
	{"PROTO", false},  {"SOURCE", false}, {"DESTINATION", false},
	{"TIMEOUT", true}, {"HELPER", false}, {"MASTER", false},
	{"", false},
};

struct expectations {
	struct app *app;
	struct conntrack_layout layout;
	struct series series;
	struct columns columns;
	size_t n;
};

/* From any address, or from any port of one. */
static void source_cell(struct columns *c, const json_t *e)
{
	char text[TEXT_STRLEN];

	if (!value_has(e, "src"))
		columns_cell(c, STYLE_PLAIN, "any");
	else
		columns_cell(c, STYLE_PLAIN, "%s", text_side(e, "src", text));
}

static void add_row(struct columns *c, const json_t *e)
{
	char text[TEXT_STRLEN];

	columns_cell(c, STYLE_PLAIN, "%s", value_text(e, "proto"));
	source_cell(c, e);
	columns_cell(c, STYLE_PLAIN, "%s", text_side(e, "dst", text));
	columns_cell(c, STYLE_PLAIN, "%s", text_duration(value_number(e, "timeout"), text));
	columns_cell(c, STYLE_PLAIN, "%s", value_text(e, "helper"));
	columns_cell(c, STYLE_DIM, "%s", value_text(e, "master"));
	columns_cell(c, STYLE_NOTE, "%s%s", value_true(e, "permanent") ? "PERMANENT " : "",
		     value_true(e, "inactive") ? "INACTIVE" : "");
}

static enum app_status take_part(void *ctx, json_t *reply)
{
	struct expectations *e = ctx;
	char line[CONNTRACK_LINE_MAX];
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(reply, "expectations"), i, one)
	{
		e->n++;
		if (e->layout.wanted)
			puts(conntrack_expect_line(one, line));
		else if (e->app->json != APP_TEXT)
			series_add(&e->series, one);
		else
			add_row(&e->columns, one);
	}
	return APP_OK;
}

static void finish(struct expectations *e, bool total)
{
	if (!e->layout.wanted && e->app->json != APP_TEXT) {
		series_done(&e->series);
		return;
	}
	columns_done(&e->columns);
	if (total && e->app->legend && !e->layout.wanted)
		printf("%zu expectations\n", e->n);
}

static enum app_status run(struct app *app, struct expectations *e)
{
	enum app_status status;

	e->app = app;
	e->series.app = app;
	if (!conntrack_read_layout(app->option[OPTION_OUTPUT], &e->layout))
		return APP_USAGE;
	columns_init(&e->columns, app, spec, ARRAY_SIZE(spec));
	pager_open(app);
	status = app_stream(app, "Expectations", NULL, take_part, e);
	finish(e, status == APP_OK);
	return status;
}

enum app_status verb_expect(struct app *app, int argc, char *argv[])
{
	struct expectations *e = calloc(1, sizeof(*e));
	enum app_status status = e ? run(app, e) : app_fail(APP_FAILURE, "no memory");

	free(e);
	return status;
}
