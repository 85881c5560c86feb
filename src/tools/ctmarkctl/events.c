/* SPDX-License-Identifier: GPL-2.0-or-later */

/* events: transitions as they happen, until somebody ends it. */

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "log/plain.h"
#include "tools/ctmarkctl/app.h"
#include "tools/ctmarkctl/classes.h"
#include "tools/ctmarkctl/client.h"
#include "tools/ctmarkctl/conntrack.h"
#include "tools/ctmarkctl/filter.h"
#include "tools/ctmarkctl/limit.h"
#include "tools/ctmarkctl/print.h"
#include "tools/ctmarkctl/signals.h"
#include "tools/ctmarkctl/style.h"
#include "tools/ctmarkctl/text.h"
#include "tools/ctmarkctl/value.h"

/* Between two attempts to reach a daemon that went away. */
#define RETRY_MS 500

struct events {
	struct app *app;
	struct conntrack_layout layout;
	size_t limit, n;
	int signals;
	json_t *params;
};

/* ---- one transition ---- */

static void print_styled(const struct app *app, enum style style, const char *text)
{
	fputs(style_on(app, style), stdout);
	print_text(text);
	fputs(style_off(app, style), stdout);
}

static void print_line(const struct events *e, const json_t *event, int64_t sequence)
{
	const char *class = value_text(event, "event"), *flow = value_text(event, "flow");
	const struct app *app = e->app;
	char when[TEXT_STRLEN];

	if (app->option[OPTION_SEQUENCE])
		printf("%" PRId64 " ", sequence);
	print_styled(app, STYLE_DIM,
		     text_time(value_number(event, "time"), value_number(event, "time_usec"),
			       app->option[OPTION_UTC], false, when));
	putchar(' ');
	print_styled(app, style_of(class), class);
	printf("%*s", (int)(strlen(class) < 8 ? 8 - strlen(class) : 1), "");
	print_text(value_text(event, "message"));
	if (*flow) {
		printf(" %s[", style_on(app, STYLE_DIM));
		print_text(flow);
		printf("]%s", style_off(app, STYLE_DIM));
	}
	putchar('\n');
}

/* conntrack(8) has no word for an INVALID packet. */
static void print_conntrack(const struct events *e, const json_t *event)
{
	const char *class = value_text(event, "event");
	const char *tag = "[UPDATE]";
	char line[CONNTRACK_LINE_MAX];

	if (strcmp(class, "invalid") == 0)
		return;
	/* of flows; an ICMP error about one is "related", too, and changes nothing */
	if (strcmp(class, "new") == 0)
		tag = "[NEW]";
	else if (strcmp(class, "destroy") == 0)
		tag = "[DESTROY]";
	printf("%9s %s\n", tag, conntrack_line(event, &e->layout, line));
}

static void print_json(const struct events *e, json_t *event, int64_t sequence)
{
	json_object_set_new(event, "sequence", json_integer(sequence));
	app_print_json(e->app, event);
}

static void print_lost(const struct events *e, int64_t lost)
{
	const struct app *app = e->app;

	if (app->json != APP_TEXT) {
		_cleanup_json_ json_t *line = json_pack("{s:I}", "lost", (json_int_t)lost);

		app_print_json(app, line);
		return;
	}
	fflush(stdout);
	fprintf(e->layout.wanted ? stderr : stdout,
		"%slost %" PRId64 " transitions here: this reader was too slow for them%s\n",
		style_on(app, STYLE_BAD), lost, style_off(app, STYLE_BAD));
}

static void print_event(struct events *e, json_t *event, int64_t sequence)
{
	e->n++;
	if (e->layout.wanted)
		print_conntrack(e, event);
	else if (e->app->json != APP_TEXT)
		print_json(e, event, sequence);
	else
		print_line(e, event, sequence);
}

static void print_part(struct events *e, const json_t *reply)
{
	int64_t sequence = value_number(reply, "sequence");
	json_t *event;
	size_t i;

	if (value_number(reply, "lost") > 0)
		print_lost(e, value_number(reply, "lost"));
	json_array_foreach(json_object_get(reply, "events"), i,
			   event) if (json_is_object(event) && e->n < e->limit)
		print_event(e, event, sequence + (int64_t)i);
}

/* ---- the stream ---- */

/* *ret_end: somebody wants it to end, or all that were asked for are there. */
static enum app_status follow(struct events *e, bool *ret_end, struct client_error *ret_error)
{
	bool continues = true;
	enum app_status status =
		client_send(e->app->client, "Events", json_incref(e->params), true, ret_error);

	while (status == APP_OK && continues) {
		_cleanup_json_ json_t *reply = NULL;

		status = client_receive(e->app->client, -1, &reply, &continues, ret_error);
		if (status == APP_OK && !reply) {
			*ret_end = signals_read(e->signals).end;
			return APP_OK;
		}
		if (status != APP_OK)
			return status;
		print_part(e, reply);
		*ret_end = e->n >= e->limit;
		if (*ret_end)
			return APP_OK;
	}
	if (status == APP_OK)
		snprintf(ret_error->text, sizeof(ret_error->text),
			 "the daemon has ended the stream");
	return status == APP_OK ? APP_FAILURE : status;
}

/* Whether a new connection may help. */
static bool is_away(enum app_status status)
{
	return status == APP_FAILURE || status == APP_NOT_RUNNING;
}

/* True: somebody wants to end. */
static bool wait_a_little(const struct events *e)
{
	struct pollfd fd = {.fd = e->signals, .events = POLLIN};

	return poll(&fd, 1, RETRY_MS) > 0 && signals_read(e->signals).end;
}

static enum app_status run(struct events *e)
{
	const char *reconnect = e->app->option[OPTION_RECONNECT];
	struct client_error error;
	enum app_status status;
	bool end = false, said = false;

	for (;;) {
		status = follow(e, &end, &error);
		if (end || status == APP_OK)
			return APP_OK;
		if (!reconnect || !is_away(status))
			return app_fail(status, "%s", error.text);
		if (!said || status != APP_NOT_RUNNING)
			app_fail(status, "%s; waiting for it, transitions until then are missed",
				 error.text);
		said = true;
		client_close(e->app->client);
		if (wait_a_little(e))
			return APP_OK;
	}
}

/* ---- what is asked for ---- */

static enum app_status make_params(const struct app *app, json_t **ret)
{
	const char *text = app->option[OPTION_CLASSES];
	json_t *filter = NULL, *classes = NULL;
	enum app_status status = filter_make(app, &filter);

	if (status != APP_OK)
		return status;
	if (text && !(classes = classes_read(text))) {
		json_decref(filter);
		return app_fail(APP_USAGE, "--classes '%s' is not a list of classes", text);
	}
	*ret = json_pack("{s:o*, s:o*}", "filter", filter, "events", classes);
	return *ret ? APP_OK : app_fail(APP_FAILURE, "%s", strerror(ENOMEM));
}

static enum app_status prepare(struct events *e)
{
	const struct app *app = e->app;

	if (!conntrack_read_layout(app->option[OPTION_OUTPUT], &e->layout))
		return APP_USAGE;
	if (limit_read(app, OPTION_LIMIT, &e->limit) != APP_OK)
		return APP_USAGE;
	return make_params(app, &e->params);
}

enum app_status verb_events(struct app *app, int argc, char *argv[])
{
	struct events e = {.app = app, .signals = -1};
	enum app_status status = prepare(&e);

	if (status != APP_OK)
		return status;
	e.signals = signals_open(false);
	if (e.signals < 0)
		return app_fail(APP_FAILURE, "cannot take signals: %s", strerror(-e.signals));
	client_watch(app->client, e.signals);
	/* what reads a pipe wants to see each line at once */
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	status = run(&e);
	client_watch(app->client, -1);
	close(e.signals);
	json_decref(e.params);
	return status;
}
