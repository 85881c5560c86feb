/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Verbs about the daemon itself: metrics, log-level. */

#include "tools/ctmarkctl/app.h"
#include "tools/ctmarkctl/print.h"
#include "tools/ctmarkctl/terminal.h"
#include "tools/ctmarkctl/value.h"

enum app_status verb_metrics(struct app *app, int argc, char *argv[])
{
	_cleanup_json_ json_t *reply = NULL;
	enum app_status status = app_call(app, "Metrics", NULL, &reply);

	if (status != APP_OK)
		return status;
	if (app->json != APP_TEXT)
		app_print_json(app, reply);
	else
		print_text(value_text(reply, "text"));
	return APP_OK;
}

static enum app_status show_level(struct app *app)
{
	_cleanup_json_ json_t *reply = NULL;
	enum app_status status = app_call(app, "GetStatus", NULL, &reply);
	const json_t *daemon = json_object_get(reply, "status");

	if (status != APP_OK)
		return status;
	if (app->json != APP_TEXT) {
		_cleanup_json_ json_t *level =
			json_pack("{s:s}", "log_level", value_text(daemon, "log_level"));

		app_print_json(app, level);
		return APP_OK;
	}
	print_text(value_text(daemon, "log_level"));
	putchar('\n');
	return APP_OK;
}

enum app_status verb_log_level(struct app *app, int argc, char *argv[])
{
	_cleanup_json_ json_t *reply = NULL;
	enum app_status status;

	if (argc < 2)
		return show_level(app);
	status = app_call(app, "SetLogLevel", json_pack("{s:s}", "level", argv[1]), &reply);
	if (status == APP_OK && app->json != APP_TEXT)
		app_print_json(app, reply);
	return status;
}
