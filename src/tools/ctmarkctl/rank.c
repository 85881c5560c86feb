/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmarkctl/rank.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ctmarkctl/value.h"
#include "util/cleanup.h"

struct entry {
	int64_t value;
	json_t *flow;
};

struct rank {
	const char *const *keys; /* members that are added up */
	size_t limit, n, size;
	struct entry *entries;
};

struct rank *rank_new(const char *key, size_t limit)
{
	static const struct {
		const char *name;
		const char *keys[3];
	} known[] = {
		{"bytes", {"bytes_orig", "bytes_reply"}},
		{"packets", {"packets_orig", "packets_reply"}},
		{"timeout", {"timeout"}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		struct rank *r;

		if (strcmp(known[i].name, key) != 0)
			continue;
		r = calloc(1, sizeof(*r));
		if (r)
			*r = (struct rank){.keys = known[i].keys, .limit = limit};
		return r;
	}
	return NULL;
}

static void cut(struct rank *r, size_t limit)
{
	while (r->n > limit)
		json_decref(r->entries[--r->n].flow);
}

void rank_free(struct rank *r)
{
	if (!r)
		return;
	cut(r, 0);
	free(r->entries);
	free(r);
}

static int greater_first(const void *a, const void *b)
{
	const struct entry *one = a, *other = b;

	return (other->value > one->value) - (other->value < one->value);
}

size_t rank_sort(struct rank *r)
{
	if (r->n)
		qsort(r->entries, r->n, sizeof(*r->entries), greater_first);
	cut(r, r->limit);
	return r->n;
}

static bool make_room(struct rank *r)
{
	struct entry *entries;
	size_t size = r->size ? r->size * 2 : 256;

	/* twice the limit: sorting then costs each flow little */
	if (r->limit < SIZE_MAX / 2 && r->n >= 2 * r->limit)
		rank_sort(r);
	if (r->n < r->size)
		return true;
	entries = reallocarray(r->entries, size, sizeof(*entries));
	if (!entries)
		return false;
	r->entries = entries;
	r->size = size;
	return true;
}

bool rank_add(struct rank *r, json_t *flow)
{
	struct entry e = {.flow = flow};

	if (!make_room(r))
		return false;
	for (const char *const *key = r->keys; *key; key++)
		e.value += value_number(flow, *key);
	json_incref(flow);
	r->entries[r->n++] = e;
	return true;
}

const json_t *rank_get(const struct rank *r, size_t i)
{
	return r->entries[i].flow;
}
