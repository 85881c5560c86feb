/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmarkctl/series.h"

#include <stdlib.h>
#include <string.h>

/* Inside of the array each line begins with two spaces. */
static void print_indented(const json_t *value)
{
	_cleanup_free_ char *text =
		json_dumps(value, JSON_ENSURE_ASCII | JSON_ENCODE_ANY | JSON_INDENT(2));
	char *line, *rest = text;

	while (rest && (line = strsep(&rest, "\n")))
		printf("  %s%s", line, rest ? "\n" : "");
}

void series_add(struct series *s, const json_t *value)
{
	if (s->app->json == APP_JSON_PRETTY) {
		puts(s->n ? "," : "[");
		print_indented(value);
	} else {
		app_print_json(s->app, value);
	}
	s->n++;
}

void series_done(struct series *s)
{
	if (s->app->json == APP_JSON_PRETTY)
		puts(s->n ? "\n]" : "[]");
}
