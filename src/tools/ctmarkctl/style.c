/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmarkctl/style.h"

#include <string.h>

#include "tools/ctmarkctl/app.h"

const char *style_on(const struct app *app, enum style style)
{
	static const char *const sequences[STYLE_MAX] = {
#define X(name, sequence) [STYLE_##name] = sequence,
		STYLE_LIST(X)
#undef X
	};

	return app->colour ? sequences[style] : "";
}

const char *style_off(const struct app *app, enum style style)
{
	return app->colour && style != STYLE_PLAIN ? "\033[0m" : "";
}

enum style style_of(const char *word)
{
	static const struct {
		const char *word;
		enum style style;
	} words[] = {
		{"ESTABLISHED", STYLE_GOOD}, {"assured", STYLE_GOOD},  {"new", STYLE_NOTE},
		{"related", STYLE_NOTE},     {"reply", STYLE_GOOD},    {"destroy", STYLE_DIM},
		{"invalid", STYLE_BAD},	     {"SYN_SENT", STYLE_WARN}, {"SYN_RECV", STYLE_WARN},
		{"TIME_WAIT", STYLE_DIM},    {"CLOSE", STYLE_DIM},     {"INVALID", STYLE_BAD},
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].style;
	return STYLE_PLAIN;
}
