/* SPDX-License-Identifier: GPL-2.0-or-later */

/* config and reload. */

#include <string.h>

#include "tools/ctmarkctl/app.h"
#include "tools/ctmarkctl/screen.h"
#include "tools/ctmarkctl/terminal.h"
#include "tools/ctmarkctl/value.h"

/* Where origins begin. */
#define ORIGIN_COLUMN 40

static bool is_changed(const json_t *setting)
{
	return strcmp(value_text(setting, "value"), value_text(setting, "default")) != 0;
}

/* Leaves out defaults for which nothing else waits. */
static void keep_changed(json_t *settings)
{
	size_t i = 0;

	while (i < json_array_size(settings)) {
		const json_t *setting = json_array_get(settings, i);

		if (is_changed(setting) || value_has(setting, "wanted"))
			i++;
		else
			json_array_remove(settings, i);
	}
}

/* Values that reach into the origins' column have two spaces behind them. */
static void print_setting(struct screen *s, const json_t *setting)
{
	bool changed = is_changed(setting);

	screen_add(s, changed ? STYLE_HEAD : STYLE_PLAIN, "%s=%s", value_text(setting, "key"),
		   value_text(setting, "value"));
	screen_add(s, STYLE_PLAIN, "  ");
	screen_tab(s, ORIGIN_COLUMN);
	if (value_has(setting, "origin"))
		screen_add(s, STYLE_DIM, "%s", value_text(setting, "origin"));
	else
		screen_add(s, STYLE_DIM, "default");
	if (changed)
		screen_add(s, STYLE_DIM, " (default: %s)",
			   *value_text(setting, "default") ? value_text(setting, "default")
							   : "nothing");
	if (value_has(setting, "wanted"))
		screen_add(s, STYLE_WARN, "; a restart makes it %s", value_text(setting, "wanted"));
	screen_line(s);
}

/* As a configuration file: sections, and their keys. */
static void print_settings(struct screen *s, const json_t *settings)
{
	const json_t *setting;
	const char *section = "";
	size_t i;

	json_array_foreach(settings, i, setting)
	{
		if (strcmp(section, value_text(setting, "section")) != 0) {
			if (*section)
				screen_line(s);
			section = value_text(setting, "section");
			screen_add(s, STYLE_NOTE, "[%s]", section);
			screen_line(s);
		}
		print_setting(s, setting);
	}
}

enum app_status verb_config(struct app *app, int argc, char *argv[])
{
	struct screen screen = {.app = app, .out = stdout, .eol = "\n"};
	_cleanup_json_ json_t *reply = NULL;
	enum app_status status = app_call(app, "GetConfig", NULL, &reply);
	json_t *settings = json_object_get(reply, "settings");

	if (status != APP_OK)
		return status;
	if (app->option[OPTION_CHANGED])
		keep_changed(settings);
	if (app->json != APP_TEXT) {
		app_print_json(app, settings);
		return APP_OK;
	}
	pager_open(app);
	print_settings(&screen, settings);
	return APP_OK;
}

static void print_texts(struct screen *s, const char *before, const json_t *texts)
{
	const json_t *text;
	size_t i;

	json_array_foreach(texts, i, text)
	{
		screen_add(s, STYLE_WARN, "%s", before);
		screen_add(s, STYLE_PLAIN, "%s",
			   json_is_string(text) ? json_string_value(text) : "?");
		screen_line(s);
	}
}

enum app_status verb_reload(struct app *app, int argc, char *argv[])
{
	struct screen screen = {.app = app, .out = stdout, .eol = "\n"};
	_cleanup_json_ json_t *reply = NULL;
	enum app_status status = app_call(app, "Reload", NULL, &reply);

	if (status != APP_OK)
		return status;
	if (app->json != APP_TEXT) {
		app_print_json(app, reply);
		return APP_OK;
	}
	print_texts(&screen, "warning: ", json_object_get(reply, "messages"));
	print_texts(&screen, "waits for a restart: ", json_object_get(reply, "restart_needed"));
	puts("reloaded");
	return APP_OK;
}
