/* SPDX-License-Identifier: GPL-2.0-or-later */

/* list and get: flows. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ctmarkctl/app.h"
#include "tools/ctmarkctl/filter.h"
#include "tools/ctmarkctl/flows.h"
#include "tools/ctmarkctl/limit.h"
#include "tools/ctmarkctl/print.h"
#include "tools/ctmarkctl/rank.h"
#include "tools/ctmarkctl/terminal.h"
#include "tools/ctmarkctl/text.h"
#include "tools/ctmarkctl/value.h"

struct list {
	struct flows flows;
	struct rank *rank; /* NULL: as they come */
	size_t limit;	   /* of flows to be written, SIZE_MAX: none */
};

static enum app_status take_part(void *ctx, json_t *reply)
{
	struct list *l = ctx;
	json_t *flow;
	size_t i;

	json_array_foreach(json_object_get(reply, "flows"), i, flow)
	{
		if (!json_is_object(flow))
			continue;
		if (!l->rank)
			flows_add(&l->flows, flow);
		else if (!rank_add(l->rank, flow))
			return app_fail(APP_FAILURE, "%s", strerror(ENOMEM));
		if (l->flows.n >= l->limit)
			return APP_ENOUGH;
	}
	return APP_OK;
}

static void write_ranked(struct list *l)
{
	size_t n = l->rank ? rank_sort(l->rank) : 0;

	for (size_t i = 0; i < n; i++)
		flows_add(&l->flows, rank_get(l->rank, i));
}

static enum app_status prepare(struct app *app, struct list *l, json_t **ret_filter)
{
	const char *sort = app->option[OPTION_SORT];
	enum app_status status = limit_read(app, OPTION_LIMIT, &l->limit);

	if (status == APP_OK)
		status = flows_init(&l->flows, app);
	if (status == APP_OK && sort && !(l->rank = rank_new(sort, l->limit)))
		status = app_fail(APP_USAGE, "--sort '%s' is none of " RANK_KEYS, sort);
	if (status == APP_OK)
		status = filter_make(app, ret_filter);
	return status;
}

static enum app_status list(struct app *app, struct list *l)
{
	json_t *filter = NULL;
	enum app_status status = prepare(app, l, &filter);

	if (status != APP_OK)
		return status;
	pager_open(app);
	status = app_stream(app, "List", filter_params(filter), take_part, l);
	write_ranked(l);
	/* a part of an answer is no answer: the end is missing, and so is the total */
	flows_done(&l->flows, status == APP_OK);
	return status;
}

enum app_status verb_list(struct app *app, int argc, char *argv[])
{
	struct list *l = calloc(1, sizeof(*l));
	enum app_status status;

	if (!l)
		return app_fail(APP_FAILURE, "%s", strerror(ENOMEM));
	status = list(app, l);
	rank_free(l->rank);
	free(l);
	return status;
}

/* ---- one flow ---- */

static void print_list(const json_t *list)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		if (i)
			putchar(',');
		print_text(json_is_string(item) ? json_string_value(item) : "?");
	}
}

static void print_member(const char *key, const json_t *value)
{
	char text[TEXT_STRLEN];

	print_text(key);
	printf(":%*s", strlen(key) < 14 ? 15 - (int)strlen(key) : 1, "");
	if (json_is_string(value))
		print_text(json_string_value(value));
	else if (json_is_array(value))
		print_list(value);
	else
		printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	if (strcmp(key, "timeout") == 0)
		printf(" (%s)", text_duration(json_integer_value(value), text));
	putchar('\n');
}

static void print_flow(const json_t *flow)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)flow, key, value) if (!json_is_null(value))
		print_member(key, value);
}

enum app_status verb_get(struct app *app, int argc, char *argv[])
{
	_cleanup_json_ json_t *reply = NULL;
	struct conntrack_layout layout;
	char id[FILTER_FLOW_STRLEN], line[CONNTRACK_LINE_MAX];
	const json_t *flow;
	enum app_status status;

	if (!filter_flow(argv[1], id))
		return app_fail(APP_USAGE, "'%s' is not the id of a flow", argv[1]);
	if (!conntrack_read_layout(app->option[OPTION_OUTPUT], &layout))
		return APP_USAGE;
	status = app_call(app, "Get", json_pack("{s:s}", "flow", id), &reply);
	if (status != APP_OK)
		return status;
	flow = json_object_get(reply, "flow");
	if (layout.wanted)
		puts(conntrack_line(flow, &layout, line));
	else if (app->json != APP_TEXT)
		app_print_json(app, flow);
	else
		print_flow(flow);
	return APP_OK;
}
