/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>

#include "tools/ctmark-replay/sinks.h"

struct text {
	struct sink base;
	const struct look *look;
};

static int text_packet(struct sink *s, const struct record *r)
{
	const struct text *t = (const struct text *)s;

	if (choice_has_packet(t->look->choice, r))
		fprintf(t->look->out, "%" PRIu64 " flow=%" PRIu64 " %s mark=%#x\n",
			r->packet->number, r->flow, ct_info_name((enum ct_info)r->out->info),
			r->out->mark);
	return 0;
}

static int text_ending(struct sink *s, const struct ending *e)
{
	const struct text *t = (const struct text *)s;

	if (choice_has_flow(t->look->choice, e->flow))
		fprintf(t->look->out, "- flow=%" PRIu64 " %s\n", e->flow,
			ct_death_name((enum ct_death)e->event->death));
	return 0;
}

static void text_free(struct sink *s)
{
	free(s);
}

static const struct sink_ops text_ops = {
	.packet = text_packet,
	.ending = text_ending,
	.free = text_free,
};

struct sink *text_new(const struct look *look)
{
	struct text *t = malloc(sizeof(*t));

	if (!t)
		return NULL;
	*t = (struct text){{&text_ops}, look};
	return &t->base;
}
