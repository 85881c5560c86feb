/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tools/ctmarkctl/check_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Memory of a rule set comes in blocks that are never moved. */
struct check_block {
	struct check_block *next;
	size_t used, size;
	_Alignas(16) char bytes[];
};

void check_set_init(struct check_set *set)
{
	memset(set, 0, sizeof(*set));
	set->tail = &set->tables;
}

void check_set_done(struct check_set *set)
{
	while (set->blocks) {
		struct check_block *next = set->blocks->next;

		free(set->blocks);
		set->blocks = next;
	}
}

void *check_alloc(struct check_set *set, size_t size)
{
	struct check_block *b = set->blocks;
	size_t want = (size + 15) & ~(size_t)15;
	void *ret;

	if (!b || b->size - b->used < want) {
		size_t room = want > 65536 ? want : 65536;

		b = calloc(1, sizeof(*b) + room);
		if (!b) {
			fputs("ctmarkctl: out of memory\n", stderr);
			exit(EXIT_FAILURE);
		}
		b->size = room;
		b->next = set->blocks;
		set->blocks = b;
	}
	ret = b->bytes + b->used;
	b->used += want;
	return ret;
}

char *check_text(struct check_set *set, const char *text, size_t len)
{
	char *copy = check_alloc(set, len + 1);

	memcpy(copy, text, len);
	return copy;
}

/* A table gives its address for salt to the names of its chains. */
static unsigned int bucket_of(const void *salt, const char *name)
{
	uint64_t h = (uintptr_t)salt;

	while (*name)
		h = (h ^ (unsigned char)*name++) * 0x9e3779b97f4a7c15u;
	return (unsigned int)(h >> 32) % CHECK_BUCKETS;
}

struct check_table *check_next_table(const struct check_set *set, const char *name,
				     const struct check_table *last)
{
	struct check_table *t = last ? last->same : set->tables_by_name[bucket_of(NULL, name)];

	while (t && strcmp(t->name, name) != 0)
		t = t->same;
	return t;
}

struct check_table *check_table(struct check_set *set, const char *family, const char *name,
				unsigned int families, bool iptables)
{
	struct check_table **bucket = &set->tables_by_name[bucket_of(NULL, name)];
	struct check_table *t = NULL;

	while ((t = check_next_table(set, name, t)))
		if (strcmp(t->family, family) == 0 && t->source == set->source)
			return t;
	t = check_alloc(set, sizeof(*t));
	t->name = check_text(set, name, strlen(name));
	t->family = family;
	t->families = families;
	t->iptables = iptables;
	t->source = set->source;
	t->tail = &t->chains;
	t->same = *bucket;
	*bucket = t;
	*set->tail = t;
	set->tail = &t->next;
	return t;
}

struct check_chain *check_find_chain(const struct check_set *set, const struct check_table *table,
				     const char *name)
{
	struct check_chain *c = set->chains_by_name[bucket_of(table, name)];

	while (c && (c->table != table || strcmp(c->name, name) != 0))
		c = c->same;
	return c;
}

struct check_chain *check_chain(struct check_set *set, struct check_table *table, const char *name)
{
	struct check_chain **bucket = &set->chains_by_name[bucket_of(table, name)];
	struct check_chain *c = check_find_chain(set, table, name);

	if (c)
		return c;
	c = check_alloc(set, sizeof(*c));
	c->table = table;
	c->name = check_text(set, name, strlen(name));
	c->tail = &c->rules;
	c->same = *bucket;
	*bucket = c;
	*table->tail = c;
	table->tail = &c->next;
	return c;
}

void check_number(struct check_set *set)
{
	for (struct check_table *t = set->tables; t; t = t->next) {
		for (struct check_chain *c = t->chains; c; c = c->next) {
			unsigned int n = 0;

			for (struct check_rule *r = c->rules; r; r = r->next)
				r->number = ++n;
		}
	}
}

struct check_rule *check_rule(struct check_set *set, struct check_chain *chain, bool first)
{
	struct check_rule *r;

	if (set->nrules >= CHECK_RULES_MAX)
		return NULL;
	set->nrules++;
	r = check_alloc(set, sizeof(*r));
	r->families = chain->table->families;
	if (first && chain->rules) {
		r->next = chain->rules;
		chain->rules = r;
		return r;
	}
	*chain->tail = r;
	chain->tail = &r->next;
	return r;
}

struct check_verdict *check_verdict(struct check_set *set, struct check_rule *rule,
				    enum check_target target)
{
	struct check_verdict *v = check_alloc(set, sizeof(*v));

	v->target = target;
	rule->targets |= 1u << target;
	if (target == TARGET_QUEUE && !rule->queue)
		rule->queue = v;
	if (rule->last_verdict)
		rule->last_verdict->next = v;
	else
		rule->verdicts = v;
	rule->last_verdict = v;
	return v;
}

void check_range_of(struct check_verdict *v, uint64_t first, uint64_t last)
{
	v->queues.first = (uint16_t)(first > UINT16_MAX ? UINT16_MAX : first);
	v->queues.last = (uint16_t)(last > UINT16_MAX ? UINT16_MAX : last);
	if (v->queues.last < v->queues.first)
		v->queues.last = v->queues.first;
}

void check_mark(struct check_set *set, struct check_rule *rule, struct check_mark mark)
{
	struct check_mark *m = check_alloc(set, sizeof(*m));

	*m = mark;
	m->next = rule->marks;
	rule->marks = m;
	rule->limits |= LIMIT_MARK;
}

void check_writes(struct check_rule *rule, uint32_t keep, uint32_t sets)
{
	rule->writes |= ~keep | sets;
	rule->sets |= sets;
}
