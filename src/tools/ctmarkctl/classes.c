/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmarkctl/classes.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

static const char *expand(const char *word)
{
	static const char *const names[][2] = {
		{"NEW", "new,related"},
		{"UPDATES", "reply,assured,state"},
		{"ALL", "new,related,reply,assured,state,destroy,invalid"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i][0], word) == 0)
			return names[i][1];
	return word;
}

static void add_words(json_t *list, const char *text)
{
	_cleanup_free_ char *copy = strdup(text);
	char *word, *rest = copy;

	while (rest && (word = strsep(&rest, ","))) {
		for (char *p = word; *p; p++)
			*p = (char)tolower((unsigned char)*p);
		if (*word)
			json_array_append_new(list, json_string(word));
	}
}

json_t *classes_read(const char *text)
{
	_cleanup_free_ char *copy = strdup(text);
	json_t *list = json_array();
	char *word, *rest = copy;

	while (rest && (word = strsep(&rest, ",")))
		add_words(list, expand(word));
	if (json_array_size(list) > 0)
		return list;
	json_decref(list);
	return NULL;
}
