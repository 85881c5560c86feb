/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Members of a reply, which may be missing or of another type than is promised. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* A string member; "" if it is none. Belongs to the object. */
static inline const char *value_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* A number member; 0 if it is none. */
static inline int64_t value_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static inline bool value_has(const json_t *object, const char *key)
{
	const json_t *member = json_object_get(object, key);

	return member && !json_is_null(member);
}

static inline bool value_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

/* Whether an array member has that string. */
static inline bool value_lists(const json_t *object, const char *key, const char *text)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(object, key), i,
			   item) if (json_is_string(item) &&
				     strcmp(json_string_value(item), text) == 0) return true;
	return false;
}
