/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Packets of both families go through the base chains of a hook in the order of their priorities,
 * and through the chains that these jump to. What is noted is every rule that they come to, with
 * all that limits them on the way, and whether anything gets so far at all.
 */

#include "tools/ctmarkctl/check_walk.h"

#include <stdlib.h>
#include <string.h>

/* Rules that packets of one family come to from one hook; chains that jump to others more than once
 * can make any number of few. */
#define VISITS_MAX 200000u
#define DEPTH_MAX  64

struct path {
	const struct check_chain *base;
	unsigned int family, limits;
	const struct check_rule *interface, *proto, *dead;
};

static struct check_visit *add_visit(struct check *c)
{
	size_t size = c->size ? c->size * 2 : 1024;
	struct check_visit *bigger;

	if (c->left == 0)
		return NULL;
	c->left--;
	if (c->nvisits == c->size) {
		bigger = realloc(c->visits, size * sizeof(*bigger));
		if (!bigger)
			return NULL;
		c->visits = bigger;
		c->size = size;
	}
	return &c->visits[c->nvisits++];
}

/* The way of packets that meet a rule. */
static struct path narrow(const struct path *p, const struct check_rule *r)
{
	struct path ret = *p;

	ret.limits |= r->limits;
	if (r->interface[0])
		ret.interface = r;
	if (r->proto[0])
		ret.proto = r;
	return ret;
}

/* How a chain leaves the packets that come to its end, or a verdict those that meet it. */
struct outcome {
	const struct check_rule *ended; /* by this rule: none goes on where the chain was called */
	bool back;			/* some return from the chain that they are in */
};

static struct outcome walk_chain(struct check *c, const struct check_chain *chain, struct path path,
				 int depth);

static struct outcome walk_verdict(struct check *c, const struct check_visit *visit,
				   const struct path *path, const struct check_verdict *v,
				   int depth)
{
	const struct check_rule *rule = visit->rule;
	const struct check_chain *to;
	struct outcome inner = {NULL, false};

	if (v->target == TARGET_RETURN)
		return (struct outcome){NULL, true};
	if (v->target != TARGET_JUMP && v->target != TARGET_GOTO)
		return (struct outcome){rule, false};
	to = check_find_chain(c->set, visit->chain->table, v->chain);
	if (to && !to->base)
		inner = walk_chain(c, to, *path, depth + 1);
	/* from where it was sent to, a packet returns to who called this chain */
	return (struct outcome){inner.ended, v->target == TARGET_GOTO && !inner.ended};
}

static struct outcome walk_rule(struct check *c, const struct check_rule *r,
				const struct check_chain *chain, const struct path *path, int depth)
{
	const struct path narrowed = narrow(path, r);
	struct check_visit visit = {r,
				    path->base,
				    chain,
				    path->family,
				    narrowed.limits,
				    narrowed.interface,
				    narrowed.proto,
				    path->dead};
	struct check_visit *kept = add_visit(c);
	struct outcome ret = {NULL, false};

	if (!kept)
		return ret;
	*kept = visit;
	/* each of them is looked at for each visit */
	for (const struct check_mark *m = r->marks; m && c->left; m = m->next)
		c->left--;
	for (const struct check_verdict *v = r->verdicts; v && c->left; v = v->next) {
		struct outcome o;

		/* a map may have any number of them */
		c->left--;
		o = walk_verdict(c, &visit, &narrowed, v, depth);

		ret.back |= o.back;
		if (!v->unless && !r->limits && !ret.ended)
			ret.ended = o.ended;
	}
	return ret;
}

static struct outcome walk_chain(struct check *c, const struct check_chain *chain, struct path path,
				 int depth)
{
	const struct check_rule *ended = NULL;
	bool back = false;

	if (depth > DEPTH_MAX) {
		c->cut = true;
		return (struct outcome){NULL, false};
	}
	for (const struct check_rule *r = chain->rules; r && c->left; r = r->next) {
		struct outcome o;

		if (!(r->families & path.family))
			continue;
		o = walk_rule(c, r, chain, &path, depth);
		if (path.dead)
			continue;
		back |= o.back;
		if (o.ended)
			ended = path.dead = o.ended;
		else if (o.back && !r->limits && r->verdicts && !r->verdicts->unless)
			path.dead = r; /* all return */
	}
	return (struct outcome){back ? NULL : ended, back};
}

/* --- the hooks ------------------------------------------------------------------------------ */

static int by_priority(const void *a, const void *b)
{
	const struct check_chain *const *one = a, *const *other = b;

	if ((*one)->priority != (*other)->priority)
		return (*one)->priority < (*other)->priority ? -1 : 1;
	return 0;
}

#define BASES_MAX 1024

static void walk_hook(struct check *c, enum rules_hook hook, unsigned int family)
{
	const struct check_chain *bases[BASES_MAX];
	size_t n = 0;

	for (struct check_table *t = c->set->tables; t; t = t->next) {
		if (!(t->families & family))
			continue;
		for (struct check_chain *chain = t->chains; chain; chain = chain->next)
			if (chain->base && chain->hook == hook && n < BASES_MAX)
				bases[n++] = chain;
	}
	/* cppcheck-suppress uninitvar ; n of them are filled */
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what is sorted */
	qsort(bases, n, sizeof(bases[0]), by_priority);
	c->left = VISITS_MAX;
	for (size_t i = 0; i < n; i++)
		walk_chain(c, bases[i], (struct path){.base = bases[i], .family = family}, 0);
	c->cut |= c->left == 0;
}

/* --- feeds ---------------------------------------------------------------------------------- */

bool check_ours(const struct rules_conf *conf, const struct check_verdict *v)
{
	return v && (v->any_queue ||
		     (v->queues.first <= conf->range.last && v->queues.last >= conf->range.first));
}

static void add_feed(struct check_feeds *f, const struct check_visit *visit)
{
	for (unsigned int i = 0; i < f->n; i++) {
		if (f->visit[i]->base != visit->base)
			continue;
		if (__builtin_popcount(visit->limits) < __builtin_popcount(f->visit[i]->limits))
			f->visit[i] = visit;
		return;
	}
	if (f->n < CHECK_FEEDS_MAX)
		f->visit[f->n++] = visit;
}

static void find_feeds(struct check *c)
{
	for (size_t i = 0; i < c->nvisits; i++) {
		const struct check_visit *v = &c->visits[i];

		if (!v->dead && !v->base->nat && check_ours(c->conf, v->rule->queue))
			add_feed(&c->feeds[v->family == RULES_IPV6][v->base->hook], v);
	}
}

void check_walk(struct check *c)
{
	static const unsigned int families[] = {RULES_IPV4, RULES_IPV6};

	check_number(c->set);
	for (int f = 0; f < 2; f++)
		for (int h = 0; h < RULES_HOOK_MAX; h++)
			walk_hook(c, (enum rules_hook)h, families[f]);
	find_feeds(c);
}
