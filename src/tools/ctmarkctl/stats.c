/* SPDX-License-Identifier: GPL-2.0-or-later */

/* stats: everything that is counted. */

#include <inttypes.h>

#include "tools/ctmarkctl/app.h"
#include "tools/ctmarkctl/columns.h"
#include "tools/ctmarkctl/screen.h"
#include "tools/ctmarkctl/terminal.h"
#include "tools/ctmarkctl/value.h"

static void print_counter(struct screen *s, const json_t *counter)
{
	int64_t value = value_number(counter, "value");
	enum style style = value ? STYLE_PLAIN : STYLE_DIM;

	screen_field(s, 34, style, "  %s", value_text(counter, "name"));
	screen_add(s, style, "%20" PRId64, value);
	screen_line(s);
}

/* A group without anything to tell has no heading either. */
static void print_group(struct screen *s, const char *heading, const json_t *counters)
{
	bool zeros = s->app->option[OPTION_ZEROS], begun = false;
	const json_t *counter;
	size_t i;

	json_array_foreach(counters, i, counter)
	{
		if (!zeros && value_number(counter, "value") == 0)
			continue;
		if (!begun && s->app->legend) {
			screen_add(s, STYLE_HEAD, "%s", heading);
			screen_line(s);
		}
		begun = true;
		print_counter(s, counter);
	}
}

static void print_queues(struct app *app, const json_t *queues)
{
	static const char *const members[] = {"queue", "received", "answered",	  "waiting",
					      "max",   "dropped",  "user_dropped"};
	static const struct column spec[] = {
		{"QUEUE", true}, {"RECEIVED", true}, {"ANSWERED", true},    {"WAITING", true},
		{"MAX", true},	 {"DROPPED", true},  {"USER_DROPPED", true}};
	struct columns c;
	const json_t *q;
	size_t i;

	columns_init(&c, app, spec, ARRAY_SIZE(spec));
	json_array_foreach(queues, i, q)
	{
		for (size_t j = 0; j < ARRAY_SIZE(members); j++)
			if (value_has(q, members[j]))
				columns_cell(&c, STYLE_PLAIN, "%" PRId64,
					     value_number(q, members[j]));
			else
				columns_cell(&c, STYLE_DIM, "?");
	}
	columns_done(&c);
}

enum app_status verb_stats(struct app *app, int argc, char *argv[])
{
	static const char *const groups[][2] = {{"Counted", "counters"},
						{"Packets by ctinfo", "ctinfo"},
						{"INVALID and dropped by reason", "reasons"},
						{"Flows ended by", "deaths"}};
	struct screen screen = {.app = app, .out = stdout, .eol = "\n"};
	_cleanup_json_ json_t *reply = NULL;
	enum app_status status = app_call(app, "GetTotals", NULL, &reply);

	if (status != APP_OK)
		return status;
	if (app->json != APP_TEXT) {
		app_print_json(app, reply);
		return APP_OK;
	}
	pager_open(app);
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		print_group(&screen, groups[i][0],
			    json_object_get(json_object_get(reply, "totals"), groups[i][1]));
	print_queues(app, json_object_get(reply, "queues"));
	return APP_OK;
}
