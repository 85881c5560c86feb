/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmarkctl/status.h"

#include <poll.h>

#include "tools/ctmarkctl/app.h"

/* Between the two looks that rates are made from. */
#define INTERVAL_MS 300

static enum app_status ask(struct app *app, json_t **ret_status, json_t **ret_before,
			   json_t **ret_now)
{
	enum app_status status = app_call(app, "GetStatus", NULL, ret_status);

	/* it is for people that rates are shown */
	if (status != APP_OK || app->json != APP_TEXT)
		return status;
	status = app_call(app, "GetTotals", NULL, ret_before);
	if (status != APP_OK)
		return status;
	poll(NULL, 0, INTERVAL_MS);
	return app_call(app, "GetTotals", NULL, ret_now);
}

enum app_status verb_status(struct app *app, int argc, char *argv[])
{
	_cleanup_json_ json_t *reply = NULL, *before = NULL, *now = NULL;
	struct screen screen = {.app = app, .out = stdout, .width = app->width, .eol = "\n"};
	enum app_status status = ask(app, &reply, &before, &now);
	const json_t *daemon = json_object_get(reply, "status");

	if (status != APP_OK)
		return status;
	if (app->json != APP_TEXT)
		app_print_json(app, daemon);
	else
		status_draw(&screen, daemon, &(struct rates){before, now});
	return APP_OK;
}
