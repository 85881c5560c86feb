/* SPDX-License-Identifier: GPL-2.0-or-later */

/* nft lists rules as text or as JSON, not as both: this makes one of the other for messages. */

#include "tools/ctmarkctl/check_nft_text.h"

#include <inttypes.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/words.h"

#define DEPTH_MAX 16
#define TEXT_MAX  400

static void say(struct words *w, const json_t *e, int depth);

static const char *key_of(const json_t *object, const json_t **ret_value)
{
	void *iter = json_object_iter((json_t *)object);

	*ret_value = json_object_iter_value(iter);
	return iter ? json_object_iter_key(iter) : "";
}

static const char *string_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static void say_list(struct words *w, const json_t *list, int depth)
{
	const json_t *item;
	size_t i;

	words_add(w, "{ ");
	json_array_foreach((json_t *)list, i, item)
	{
		words_add(w, "%s", i ? ", " : "");
		if (json_is_array(item)) {
			say(w, json_array_get(item, 0), depth);
			words_add(w, " : ");
			say(w, json_array_get(item, 1), depth);
		} else {
			say(w, item, depth);
		}
	}
	words_add(w, " }");
}

static void say_pair(struct words *w, const json_t *a, const char *between, const json_t *b,
		     int depth)
{
	say(w, a, depth);
	words_add(w, "%s", between);
	say(w, b, depth);
}

static void say_operator(struct words *w, const char *op, const json_t *args, int depth)
{
	char between[8];

	snprintf(between, sizeof(between), " %s ", op);
	say_pair(w, json_array_get(args, 0), between, json_array_get(args, 1), depth);
}

static void say_match(struct words *w, const json_t *match, int depth)
{
	const char *op = string_at(match, "op");
	char between[8];

	snprintf(between, sizeof(between), strcmp(op, "!=") == 0 ? " != " : " ");
	say_pair(w, json_object_get(match, "left"), between, json_object_get(match, "right"),
		 depth);
}

static void say_queue(struct words *w, const json_t *queue, int depth)
{
	const json_t *flags = json_object_get(queue, "flags"), *flag;
	size_t i;

	words_add(w, "queue num ");
	say(w, json_object_get(queue, "num"), depth);
	if (json_is_string(flags))
		words_add(w, " %s", json_string_value(flags));
	json_array_foreach((json_t *)flags, i, flag) words_add(
		w, "%s%s", i ? "," : " ", json_is_string(flag) ? json_string_value(flag) : "");
}

/* {"KEY": value} of an expression or a statement; false if it has no words here. */
static bool say_known(struct words *w, const char *key, const json_t *value, int depth)
{
	if (strlen(key) == 1 && strchr("&|^", key[0]))
		say_operator(w, key, value, depth);
	else if (strcmp(key, "match") == 0)
		say_match(w, value, depth);
	else if (strcmp(key, "queue") == 0)
		say_queue(w, value, depth);
	else if (strcmp(key, "meta") == 0 || strcmp(key, "ct") == 0)
		words_add(w, "%s %s", key, string_at(value, "key"));
	else if (strcmp(key, "payload") == 0 && json_object_get(value, "field"))
		words_add(w, "%s %s", string_at(value, "protocol"), string_at(value, "field"));
	else if (strcmp(key, "jump") == 0 || strcmp(key, "goto") == 0)
		words_add(w, "%s %s", key, string_at(value, "target"));
	else if (strcmp(key, "set") == 0 && json_is_array(value))
		say_list(w, value, depth);
	else if (strcmp(key, "range") == 0)
		say_pair(w, json_array_get(value, 0), "-", json_array_get(value, 1), depth);
	else if (strcmp(key, "vmap") == 0)
		say_pair(w, json_object_get(value, "key"), " vmap ", json_object_get(value, "data"),
			 depth);
	else if (strcmp(key, "mangle") == 0)
		say_pair(w, json_object_get(value, "key"), " set ", json_object_get(value, "value"),
			 depth);
	else if (json_is_null(value) || strcmp(key, "counter") == 0 || strcmp(key, "reject") == 0)
		words_add(w, "%s", key);
	else
		return false;
	return true;
}

static void say(struct words *w, const json_t *e, int depth)
{
	const json_t *value;
	const char *key = key_of(e, &value);

	if (depth > DEPTH_MAX || w->len + 1 >= w->size) {
		words_add(w, "...");
	} else if (json_is_integer(e)) {
		words_add(w, json_integer_value(e) > 9 ? "0x%" PRIx64 : "%" PRId64,
			  (int64_t)json_integer_value(e));
	} else if (json_is_string(e)) {
		words_add(w, "%s", json_string_value(e));
	} else if (!json_is_object(e) || !say_known(w, key, value, depth + 1)) {
		char *json = json_dumps(e, JSON_ENCODE_ANY | JSON_COMPACT);

		words_add(w, "%s", json ? json : "?");
		free(json);
	}
}

const char *check_nft_text(struct check_set *set, const json_t *statements, const char *comment)
{
	char buf[TEXT_MAX] = "";
	struct words w = {buf, sizeof(buf), 0};
	const json_t *statement;
	size_t i;

	json_array_foreach((json_t *)statements, i, statement)
	{
		words_add(&w, "%s", i ? " " : "");
		say(&w, statement, 0);
	}
	if (comment[0])
		words_add(&w, " comment \"%s\"", comment);
	return check_text(set, buf, w.len);
}
