/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What no single value shows: keys that do not fit each other, and settings that are legal but
 * send packets in circles.
 */

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "conf/loader.h"

static const char *const class_keys[CT_CLASS_MAX] = {
#define X(suffix, key) [CT_CLASS_##suffix] = key,
	CT_CLASS_LIST(X)
#undef X
};

static const struct conf_origin *origin_of(const struct conf_loader *l, const char *section,
					   const char *name)
{
	for (size_t i = 0; i < conf_table_len; i++) {
		if (strcmp(conf_table[i].section, section) == 0 &&
		    strcmp(conf_table[i].name, name) == 0)
			return &l->origin[i];
	}
	assert(!"a key of the table");
	return NULL;
}

static void check_mark(struct conf_loader *l)
{
	const struct conf_origin *mask = origin_of(l, "Mark", "Mask");
	const struct conf_origin *encoding = origin_of(l, "Mark", "Encoding");
	const struct ct_mark *m = &l->conf.track.mark;
	unsigned int need = ct_mark_bits(m->encoding);
	unsigned int have = (unsigned int)__builtin_popcount(m->mask);
	const char *name = m->encoding == CT_ENCODING_FLAGS ? "flags" : "ctinfo";

	if (mask->bad || encoding->bad || have >= need)
		return;
	if (mask->file)
		conf_say(l, -EINVAL, mask->file, mask->line,
			 "[Mark] Mask=0x%x: Encoding=%s needs %u bits, this has %u", m->mask, name,
			 need, have);
	else
		conf_say(l, -EINVAL, encoding->file, encoding->line,
			 "[Mark] Encoding=%s: needs %u bits, the default Mask=0x%x has %u", name,
			 need, m->mask, have);
}

/* A packet handed to a queue that we serve comes straight back to us. */
static void check_queue(struct conf_loader *l, const char *name, const struct conf_origin *origin,
			const struct conf_verdict *verdict)
{
	const struct conf *c = &l->conf;

	if (origin_of(l, "Queue", "Range")->bad || !conf_serves(c, verdict))
		return;
	conf_say(l, -EINVAL, origin->file, origin->line,
		 "[Verdict] %s=queue:%u: is a queue of our own (Range=%u-%u), packets would go "
		 "round for ever",
		 name, verdict->queue, c->queue_first, c->queue_last);
}

/* A repeated packet meets the rules of its hook again, the one that queued it included. */
static void check_repeat(struct conf_loader *l, const char *name, const struct conf_origin *origin)
{
	conf_say(
		l, 0, origin->file, origin->line,
		"[Verdict] %s=repeat: packets meet the rule that queued them again; let it leave "
		"out those with a mark (-m mark --mark 0x0/0x%x), or each is queued twice; and let "
		"no rule before it clear the mark, or each is queued many times",
		name, l->conf.track.mark.mask);
}

static void check_verdicts(struct conf_loader *l)
{
	for (int cls = 0; cls < CT_CLASS_MAX; cls++) {
		const struct conf_verdict *v = &l->conf.verdict[cls];
		const struct conf_origin *origin = origin_of(l, "Verdict", class_keys[cls]);

		if (origin->bad)
			continue;
		if (v->kind == CONF_QUEUE)
			check_queue(l, class_keys[cls], origin, v);
		else if (v->kind == CONF_REPEAT)
			check_repeat(l, class_keys[cls], origin);
	}
}

void conf_check(struct conf_loader *l)
{
	check_mark(l);
	check_verdicts(l);
	conf_check_zones(l, !origin_of(l, "Queue", "Range")->bad);
}
