/* SPDX-License-Identifier: GPL-2.0-or-later */

/* delete and flush: flows that are to end. */

#include <inttypes.h>

#include "tools/ctmarkctl/app.h"
#include "tools/ctmarkctl/filter.h"
#include "tools/ctmarkctl/value.h"

/* Each reply has the count so far. */
static enum app_status take_count(void *ctx, json_t *reply)
{
	*(int64_t *)ctx = value_number(reply, "deleted");
	return APP_OK;
}

static enum app_status end_flows(struct app *app, const char *method, json_t *params)
{
	int64_t deleted = 0;
	enum app_status status = app_stream(app, method, params, take_count, &deleted);

	if (status != APP_OK && deleted > 0)
		app_fail(status, "%" PRId64 " flows were ended before that", deleted);
	if (status != APP_OK)
		return status;
	if (app->json != APP_TEXT) {
		_cleanup_json_ json_t *result = json_pack("{s:I}", "deleted", (json_int_t)deleted);

		app_print_json(app, result);
		return APP_OK;
	}
	printf("%" PRId64 " %s ended\n", deleted, deleted == 1 ? "flow" : "flows");
	return APP_OK;
}

enum app_status verb_delete(struct app *app, int argc, char *argv[])
{
	json_t *filter = NULL;
	enum app_status status = filter_make(app, &filter);

	if (status != APP_OK)
		return status;
	if (!filter)
		return app_fail(APP_USAGE, "delete needs a condition, such as --src; "
					   "to end all flows: ctmarkctl flush");
	return end_flows(app, "Delete", filter_params(filter));
}

enum app_status verb_flush(struct app *app, int argc, char *argv[])
{
	return end_flows(app, "Flush", NULL);
}
