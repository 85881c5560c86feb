/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Which packets come, at which hook, by which rule, to which queue. */

#include <string.h>

#include "tools/ctmarkctl/check_walk.h"

/* --- of each family -------------------------------------------------------------------------- */

static const struct check_visit *fed(const struct check *c, int family, enum rules_hook hook)
{
	const struct check_feeds *f = &c->feeds[family][hook];

	return f->n ? f->visit[0] : NULL;
}

static bool any_fed(const struct check *c, int family)
{
	for (int h = 0; h < RULES_HOOK_MAX; h++)
		if (fed(c, family, (enum rules_hook)h))
			return true;
	return false;
}

/* Interfaces that PREROUTING asks for: the only one, or NULL. */
static const struct check_visit *only_interface(const struct check *c, unsigned int family)
{
	const struct check_visit *only = NULL;

	for (size_t i = 0; i < c->nvisits; i++) {
		const struct check_visit *v = &c->visits[i];

		if (v->family != family || v->base->hook != RULES_HOOK_PREROUTING || v->dead ||
		    !check_ours(c->conf, v->rule->queue))
			continue;
		if (!(v->limits & LIMIT_IIF) || !v->interface)
			return NULL;
		if (only && strcmp(only->interface->interface, v->interface->interface) != 0)
			return NULL;
		only = v;
	}
	return only;
}

static void check_directions(struct check *c, int f)
{
	const struct check_visit *in = fed(c, f, RULES_HOOK_PREROUTING);
	const struct check_visit *out = fed(c, f, RULES_HOOK_OUTPUT);
	const struct check_visit *forward = fed(c, f, RULES_HOOK_FORWARD);
	const struct check_visit *only;

	if (!in && !forward && out)
		check_found(c, CHECK_NO_PREROUTING, out, "%s", "");
	if (in && !out)
		check_found(c, CHECK_NO_OUTPUT, in, "%s", "");
	only = in && !out ? only_interface(c, in->family) : NULL;
	if (only)
		check_found(c, CHECK_ONE_INTERFACE, only, "%s", only->interface->interface);
}

static void check_exits(struct check *c, int f)
{
	const struct check_visit *input = fed(c, f, RULES_HOOK_INPUT);
	const struct check_visit *post = fed(c, f, RULES_HOOK_POSTROUTING);
	const struct check_visit *either = input ? input : post;

	if (c->conf->confirm == RULES_CONFIRM_ENTRY) {
		if (either)
			check_found(c, CHECK_CONFIRM_ENTRY, either, "%s", "");
	} else if (!either != !(input && post)) {
		check_found(c, CHECK_EXIT_HALF, either, "%s", "");
	} else if (!either && c->conf->confirm == RULES_CONFIRM_EXIT) {
		check_found(c, CHECK_CONFIRM_EXIT, NULL, "%s", f ? "ip6" : "ip");
	}
}

/* --- the same packet twice ------------------------------------------------------------------- */

static bool differ(const char *a, const char *b)
{
	return a[0] && b[0] && strcmp(a, b) != 0;
}

/* Whether what is known of two rules lets one packet come to both. */
static bool overlap(const struct check_visit *a, const struct check_visit *b)
{
	unsigned int both = a->limits & b->limits;

	if (both & LIMIT_IIF && a->interface && b->interface &&
	    differ(a->interface->interface, b->interface->interface))
		return false;
	if (both & LIMIT_PROTO && a->proto && b->proto && differ(a->proto->proto, b->proto->proto))
		return false;
	/* a mark tells what has been seen; ports and addresses may well be different ones */
	return !(b->limits & LIMIT_MARK) && !(both & (LIMIT_PORT | LIMIT_ADDRESS));
}

static void check_twice(struct check *c, int f)
{
	const struct check_feeds *in = &c->feeds[f][RULES_HOOK_PREROUTING];
	const struct check_feeds *forward = &c->feeds[f][RULES_HOOK_FORWARD];

	for (int h = 0; h < RULES_HOOK_MAX; h++) {
		const struct check_feeds *feeds = &c->feeds[f][h];

		for (unsigned int i = 1; i < feeds->n; i++)
			for (unsigned int j = 0; j < i; j++)
				if (overlap(feeds->visit[j], feeds->visit[i]))
					check_found(c, CHECK_QUEUED_TWICE, feeds->visit[i],
						    "%s %s, before",
						    feeds->visit[j]->base->table->name,
						    feeds->visit[j]->base->name);
	}
	for (unsigned int i = 0; i < forward->n; i++)
		for (unsigned int j = 0; j < in->n; j++)
			if (overlap(in->visit[j], forward->visit[i]))
				check_found(c, CHECK_QUEUED_TWICE, forward->visit[i], "%s",
					    "in PREROUTING, before");
}

/* --- of each rule ---------------------------------------------------------------------------- */

static void check_place(struct check *c, const struct check_visit *v)
{
	const struct check_verdict *queue = v->rule->queue;

	if (v->base->nat)
		check_found(c, CHECK_QUEUE_IN_NAT, v, "%s", "");
	else if (v->dead && !check_ours(c->conf, v->dead->queue))
		check_found(c, CHECK_QUEUE_UNREACHABLE, v, "behind %.120s", v->dead->text);
	else if (v->base->priority < -200)
		check_found(c, CHECK_QUEUE_IN_RAW, v, "priority %d", v->base->priority);
	else if (v->base->priority >= 0 && !rules_hook_exit(v->base->hook))
		check_found(c, CHECK_QUEUE_IN_FILTER, v, "priority %d", v->base->priority);
	if (queue->fanout)
		check_found(c, CHECK_CPU_FANOUT, v, "%s", "");
	if (c->conf->fail_open && !queue->bypass)
		check_found(c, CHECK_FAIL_OPEN_MISMATCH, v, "%s", "");
}

static void check_range(struct check *c, const struct check_visit *v)
{
	const struct check_verdict *q = v->rule->queue;
	const struct rules_range *range = &c->conf->range;

	if (!q->any_queue && (q->queues.first < range->first || q->queues.last > range->last))
		check_found(c, CHECK_RANGE_EXCEEDS, v, "%u-%u, Range=%u-%u", q->queues.first,
			    q->queues.last, range->first, range->last);
}

/* A queue that ctmarkd hands packets on to. */
static bool handed_on(const struct rules_conf *conf, const struct check_verdict *v)
{
	for (int i = 0; i < RULES_CLASS_MAX; i++)
		if (conf->verdict[i] == RULES_QUEUE && conf->verdict_queue[i] >= v->queues.first &&
		    conf->verdict_queue[i] <= v->queues.last)
			return true;
	return false;
}

/* Somebody else's queue, unless it stands where one of ours should. */
static void check_foreign(struct check *c, const struct check_visit *v)
{
	const struct check_verdict *q = v->rule->queue;
	int f = v->family == RULES_IPV6;
	enum rules_hook hook = v->base->hook;

	if (fed(c, f, hook) || handed_on(c->conf, q) || rules_hook_exit(hook))
		return;
	if (hook == RULES_HOOK_FORWARD && fed(c, f, RULES_HOOK_PREROUTING))
		return;
	check_found(c, CHECK_QUEUE_FOREIGN, v, "queue %u, Range=%u-%u", q->queues.first,
		    c->conf->range.first, c->conf->range.last);
}

static void check_limits(struct check *c, const struct check_visit *v)
{
	unsigned int part = LIMIT_PROTO | LIMIT_PORT | LIMIT_ADDRESS | LIMIT_FRAGMENT | LIMIT_OTHER;

	if (v->limits & LIMIT_CTSTATE)
		check_found(c, CHECK_QUEUE_STATE, v, "%s", "");
	else if (v->limits & part && !rules_hook_exit(v->base->hook))
		check_found(c, CHECK_QUEUE_LIMITED, v, "%s", "");
}

/* --- what all rules come to ------------------------------------------------------------------ */

#define QUEUES (UINT16_MAX + 1u)

/* Queues of Range= that no rule names, as "2-3". */
static void check_idle(struct check *c)
{
	const struct rules_range *range = &c->conf->range;
	int starts[QUEUES + 1] = {
		0}; /* ranges that begin at a queue, less those that ended before */
	unsigned int first = QUEUES, last = 0;
	int fed_by = 0;

	for (size_t i = 0; i < c->nvisits; i++) {
		const struct check_verdict *q = c->visits[i].rule->queue;

		if (!q || c->visits[i].dead)
			continue;
		if (q->any_queue)
			return;
		starts[q->queues.first]++;
		starts[q->queues.last + 1]--;
	}
	for (unsigned int q = 0; q <= range->last; q++) {
		fed_by += starts[q];
		if (fed_by > 0 || q < range->first)
			continue;
		first = q < first ? q : first;
		last = q;
	}
	if (first < QUEUES)
		check_found(c, CHECK_QUEUE_IDLE, NULL, first == last ? "%u" : "%u-%u", first, last);
}

/* A chain of a filter that drops what nobody accepts. */
static const struct check_chain *closed_chain(const struct check_set *set, unsigned int family)
{
	for (const struct check_table *t = set->tables; t; t = t->next)
		for (const struct check_chain *chain = t->chains; chain; chain = chain->next)
			if (t->families & family && chain->base && chain->drops &&
			    chain->priority >= 0)
				return chain;
	return NULL;
}

static void check_bypass(struct check *c)
{
	const struct check_visit *with = NULL, *without = NULL;
	const struct check_chain *closed;

	for (size_t i = 0; i < c->nvisits; i++) {
		const struct check_visit *v = &c->visits[i];
		const struct check_verdict *q = v->rule->queue;

		if (v->dead || !check_ours(c->conf, q))
			continue;
		if (q->bypass)
			with = with ? with : v;
		else
			without = without ? without : v;
	}
	if (with && without)
		check_found(c, CHECK_BYPASS_MIXED, without, "%s", "");
	else if (without)
		check_found(c, CHECK_NO_BYPASS, without, "%s", "");
	closed = with ? closed_chain(c->set, with->family) : NULL;
	if (closed)
		check_found(c, CHECK_BYPASS_CLOSED, with, "policy of %s %s", closed->table->name,
			    closed->name);
}

static void check_families(struct check *c)
{
	bool ip = any_fed(c, 0), ip6 = any_fed(c, 1);

	if (!ip && !ip6) {
		check_found(c, CHECK_NO_QUEUE, NULL, "Range=%u-%u", c->conf->range.first,
			    c->conf->range.last);
		return;
	}
	if (!ip && c->set->families & RULES_IPV4)
		check_found(c, CHECK_NO_IPV4, NULL, "%s", "");
	if (!ip6 && c->set->families & RULES_IPV6)
		check_found(c, CHECK_NO_IPV6, NULL, "%s", "");
	for (int f = 0; f < 2; f++) {
		bool entry = fed(c, f, RULES_HOOK_PREROUTING) || fed(c, f, RULES_HOOK_OUTPUT) ||
			     fed(c, f, RULES_HOOK_FORWARD);

		if (!any_fed(c, f))
			continue;
		if (!entry)
			check_found(c, CHECK_NO_ENTRY, NULL, "%s", f ? "ip6" : "ip");
		else
			check_directions(c, f);
		check_exits(c, f);
		check_twice(c, f);
	}
	check_idle(c);
	check_bypass(c);
}

void check_queues(struct check *c)
{
	check_families(c);
	for (size_t i = 0; i < c->nvisits; i++) {
		const struct check_visit *v = &c->visits[i];
		const struct check_verdict *q = v->rule->queue;

		if (!q)
			continue;
		if (!check_ours(c->conf, q)) {
			check_foreign(c, v);
			continue;
		}
		check_place(c, v);
		check_range(c, v);
	}
	for (int f = 0; f < 2; f++)
		for (int h = 0; h < RULES_HOOK_MAX; h++)
			for (unsigned int i = 0; i < c->feeds[f][h].n; i++)
				check_limits(c, c->feeds[f][h].visit[i]);
}
