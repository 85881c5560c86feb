/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What a reader of the output has to know of the capture; nothing if there is nothing. It is kept
 * until the sink is freed, when the output has been flushed: then it comes last wherever both go.
 */

#include <inttypes.h>
#include <stdlib.h>

#include "tools/ctmark-replay/sinks.h"

struct notes {
	struct sink base;
	struct words said;
	char buf[2048];
};

static void note(struct words *said, uint64_t n, const char *what)
{
	if (n)
		words_add(said, "ctmark-replay: %s: %" PRIu64 "\n", what, n);
}

static uint64_t stat_of(const struct replay_totals *t, enum ct_stat stat)
{
	return atomic_load_explicit(&t->stats.count[stat], memory_order_relaxed);
}

static int notes_done(struct sink *s, const struct replay_totals *t)
{
	const struct capture_totals *c = t->capture;
	struct words *said = &((struct notes *)s)->said;

	note(said, c->other, "frames without IP, left out");
	note(said, c->too_short, "frames cut off before the IP header, left out");
	note(said, c->truncated, "packets not captured whole; no checksum was verified of these");
	note(said, c->offloaded, "checksums left to the sender's network card, not verified");
	note(said, c->back,
	     "packets with a time before that of an earlier one, tracked at that one's");
	note(said, c->lost, "packets that the kernel had no room for, lost");
	note(said, stat_of(t, CT_STAT_TABLE_FULL), "packets that found the table full (MaxFlows=)");
	note(said, stat_of(t, CT_STAT_EARLY_DROPS), "flows ended early to make room (MaxFlows=)");
	note(said, stat_of(t, CT_STAT_EXPECT_REFUSED), "expectations refused (MaxExpectations=)");
	return 0;
}

static void notes_free(struct sink *s)
{
	fputs(((struct notes *)s)->buf, stderr);
	free(s);
}

static const struct sink_ops notes_ops = {
	.done = notes_done,
	.free = notes_free,
};

struct sink *notes_new(void)
{
	struct notes *n = malloc(sizeof(*n));

	if (!n)
		return NULL;
	n->base.ops = &notes_ops;
	n->said = (struct words){.buf = n->buf, .size = sizeof(n->buf)};
	n->buf[0] = '\0';
	return &n->base;
}
