/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmarkctl/explain.h"

#include <inttypes.h>
#include <stdint.h>

#include "tools/ctmarkctl/app.h"
#include "tools/ctmarkctl/filter.h"
#include "tools/ctmarkctl/limit.h"
#include "tools/ctmarkctl/series.h"
#include "tools/ctmarkctl/terminal.h"
#include "tools/ctmarkctl/value.h"

struct explain {
	struct app *app;
	struct screen screen;
	struct series series;
	size_t n;
	int64_t omitted;
};

static enum app_status take_part(void *ctx, json_t *reply)
{
	struct explain *e = ctx;
	const json_t *explanation = json_object_get(reply, "explanation");

	e->omitted += value_number(reply, "omitted");
	if (!json_is_object(explanation))
		return APP_OK;
	if (e->app->json != APP_TEXT) {
		series_add(&e->series, explanation);
	} else {
		if (e->n)
			screen_line(&e->screen);
		explain_draw(&e->screen, explanation);
	}
	e->n++;
	return APP_OK;
}

/* A flow by its id, or conditions. */
static enum app_status make_params(const struct app *app, const char *word, json_t **ret)
{
	char id[FILTER_FLOW_STRLEN];
	json_t *filter = NULL;
	size_t limit;
	enum app_status status = filter_make(app, &filter);

	if (status == APP_OK)
		status = limit_read(app, OPTION_LIMIT, &limit);
	if (status == APP_OK && word && !filter_flow(word, id))
		status = app_fail(APP_USAGE, "'%s' is not the id of a flow", word);
	if (status == APP_OK && !word && !filter)
		status = app_fail(APP_USAGE, "explain needs the id of a flow or a condition, "
					     "such as --src");
	if (status != APP_OK) {
		json_decref(filter);
		return status;
	}
	if (!filter)
		filter = json_object();
	if (word)
		json_object_set_new(filter, "flow", json_string(id));
	*ret = json_pack("{s:o}", "filter", filter);
	if (limit < INT32_MAX)
		json_object_set_new(*ret, "limit", json_integer((json_int_t)limit));
	return APP_OK;
}

static enum app_status finish(struct explain *e)
{
	if (e->app->json != APP_TEXT)
		series_done(&e->series);
	if (e->omitted && e->app->legend && e->app->json == APP_TEXT)
		printf("\n%" PRId64 " more %s this; --limit shows more\n", e->omitted,
		       e->omitted == 1 ? "flow meets" : "flows meet");
	if (e->n)
		return APP_OK;
	return app_fail(APP_FAILURE,
			"no flow and no packet without one meets this; what is over is in "
			"the journal");
}

enum app_status verb_explain(struct app *app, int argc, char *argv[])
{
	struct explain e = {.app = app,
			    .screen = {.app = app, .out = stdout, .width = app->width, .eol = "\n"},
			    .series = {.app = app}};
	json_t *params = NULL;
	enum app_status status = make_params(app, argv[1], &params);

	if (status != APP_OK)
		return status;
	pager_open(app);
	status = app_stream(app, "Explain", params, take_part, &e);
	return status == APP_OK ? finish(&e) : status;
}
