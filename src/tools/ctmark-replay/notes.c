/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What a reader of the output has to know of the capture; nothing if there is nothing. */

#include <inttypes.h>
#include <stdlib.h>

#include "tools/ctmark-replay/sinks.h"

struct notes {
	struct sink base;
	const struct look *look;
};

static void note(uint64_t n, const char *what)
{
	if (n)
		fprintf(stderr, "ctmark-replay: %" PRIu64 " %s\n", n, what);
}

static uint64_t stat_of(const struct replay_totals *t, enum ct_stat stat)
{
	return atomic_load_explicit(&t->stats.count[stat], memory_order_relaxed);
}

static int notes_done(struct sink *s, const struct replay_totals *t)
{
	const struct capture_totals *c = t->capture;

	fflush(stdout); /* in order where both are one terminal */
	note(c->other, "frames without IP left out");
	note(c->too_short, "frames cut off before the IP header left out");
	note(c->truncated, "packets not captured whole: helpers and checksums saw only a part");
	note(c->offloaded, "checksums not verified: their sender left them to its network card");
	note(c->back, "packets with a time before that of an earlier one: taken as of that time");
	note(c->lost, "packets lost by the kernel for want of room");
	note(stat_of(t, CT_STAT_TABLE_FULL), "packets found the table full (MaxFlows=)");
	note(stat_of(t, CT_STAT_EARLY_DROPS), "flows ended early to make room (MaxFlows=)");
	note(stat_of(t, CT_STAT_EXPECT_REFUSED), "expectations found no room (MaxExpectations=)");
	if (c->cut)
		fputs("ctmark-replay: the capture ends in the middle of a packet\n", stderr);
	return 0;
}

static void notes_free(struct sink *s)
{
	free(s);
}

static const struct sink_ops notes_ops = {
	.done = notes_done,
	.free = notes_free,
};

struct sink *notes_new(const struct look *look)
{
	struct notes *n = malloc(sizeof(*n));

	if (!n)
		return NULL;
	*n = (struct notes){{&notes_ops}, look};
	return &n->base;
}
