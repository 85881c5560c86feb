/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmarkctl/limit.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

enum app_status limit_read(const struct app *app, enum option_id option, size_t *ret)
{
	const char *text = app->option[option];
	unsigned long value;
	char *end;

	*ret = SIZE_MAX;
	if (!text)
		return APP_OK;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || end == text || *text == '-' || value == 0)
		return app_fail(APP_USAGE, "--%s '%s' is not a number above 0",
				options_name(option), text);
	*ret = value;
	return APP_OK;
}
