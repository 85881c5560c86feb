/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/account.h"

#include <errno.h>
#include <string.h>

#include "util/cleanup.h"

#define WIDTH_DEFAULT 80
#define WIDTH_MIN     40
#define WIDTH_MAX     100 /* long lines are not read */
#define INDENT	      2

#define BOLD  "\033[1m"
#define PLAIN "\033[0m"

static const struct {
	const char *key, *heading;
} sections[] = {
#define X(suffix, key, heading) [SECTION_##suffix] = {key, heading},
	SECTION_LIST(X)
#undef X
};

int account_init(struct account *a)
{
	bool good = true;

	*a = (struct account){.facts = json_object(), .headline = json_array()};
	for (size_t i = 0; i < SECTION_MAX; i++) {
		a->sections[i] = json_array();
		good &= a->sections[i] != NULL;
	}
	if (good && a->facts && a->headline)
		return 0;
	account_done(a);
	return -ENOMEM;
}

void account_done(struct account *a)
{
	json_decref(a->facts);
	json_decref(a->headline);
	for (size_t i = 0; i < SECTION_MAX; i++)
		json_decref(a->sections[i]);
	*a = (struct account){};
}

/* ---- what is said ---- */

void account_head(struct account *a, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	json_array_append_new(a->headline, json_vsprintf(format, ap));
	va_end(ap);
}

void account_say(struct account *a, enum section s, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	json_array_append_new(a->sections[s], json_vsprintf(format, ap));
	va_end(ap);
}

void account_put(struct account *a, const char *key, json_t *value)
{
	json_object_set_new(a->facts, key, value);
}

void account_put_uint(struct account *a, const char *key, uint64_t value)
{
	account_put(a, key, json_integer((json_int_t)value));
}

void account_put_string(struct account *a, const char *key, const char *value)
{
	account_put(a, key, json_string(value));
}

static json_t *object_of(json_t *parent, const char *key, json_t *(*make)(void))
{
	json_t *object = json_object_get(parent, key);

	if (!object) {
		json_object_set_new(parent, key, make());
		object = json_object_get(parent, key);
	}
	return object;
}

void account_put_in(struct account *a, const char *object, const char *key, uint64_t value)
{
	json_object_set_new(object_of(a->facts, object, json_object), key,
			    json_integer((json_int_t)value));
}

void account_put_word(struct account *a, const char *object, const char *key, const char *word)
{
	json_array_append_new(object_of(object_of(a->facts, object, json_object), key, json_array),
			      json_string(word));
}

/* ---- for people ---- */

/* Words up to the width; those that do not fit go to the next line. All text is ASCII. */
static void print_wrapped(FILE *out, const char *text, unsigned int width, unsigned int indent)
{
	unsigned int column = 0;

	while (*text) {
		unsigned int len = (unsigned int)strcspn(text, " ");

		if (column > indent && column + 1 + len > width) {
			fputc('\n', out);
			column = 0;
		}
		if (column == 0) {
			fprintf(out, "%*s", (int)indent, "");
			column = indent;
		} else {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", (int)len, text);
		column += len;
		text += len;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

static unsigned int clamp(unsigned int width)
{
	if (width == 0)
		return WIDTH_DEFAULT;
	return width < WIDTH_MIN ? WIDTH_MIN : width > WIDTH_MAX ? WIDTH_MAX : width;
}

static const char *text_of(const json_t *sentence)
{
	const char *text = json_string_value(sentence);

	return text ? text : "";
}

void account_print(const struct account *a, FILE *out, unsigned int width, bool colour)
{
	const char *on = colour ? BOLD : "", *off = colour ? PLAIN : "";
	const json_t *line;
	size_t i;

	width = clamp(width);
	json_array_foreach(a->headline, i, line)
	{
		fputs(i ? "" : on, out);
		print_wrapped(out, text_of(line), width, i ? INDENT : 0);
		fputs(i ? "" : off, out);
	}
	for (size_t s = 0; s < SECTION_MAX; s++) {
		if (json_array_size(a->sections[s]) == 0)
			continue;
		fprintf(out, "\n%s%s%s\n", on, sections[s].heading, off);
		json_array_foreach(a->sections[s], i, line)
			print_wrapped(out, text_of(line), width, INDENT);
	}
}

/* ---- for programs ---- */

void account_print_json(const struct account *a, FILE *out)
{
	json_t *words = json_object();

	for (size_t s = 0; s < SECTION_MAX; s++)
		if (json_array_size(a->sections[s]) > 0)
			json_object_set(words, sections[s].key, a->sections[s]);
	json_object_set_new(a->facts, "words", words);
	json_dumpf(a->facts, out, JSON_COMPACT | JSON_REAL_PRECISION(16)); /* of microseconds */
	fputc('\n', out);
}
