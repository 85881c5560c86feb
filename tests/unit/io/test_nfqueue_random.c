/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Random lives of a queue: packets come, are answered, held and answered late, broken, lost and
 * purged, and sending fails. In the end each packet has got its own verdict and its own mark, and
 * nobody else's.
 */

#include "io/nfqueue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fake_kernel.h"
#include "util/cleanup.h"

#define LIVES	 400
#define PASSES	 60
#define HELD_MAX 256

/* What was decided about a packet, at its place in fake.packets. */
struct wish {
	bool given;
	uint32_t verdict, mark;
};

/* How often what happens, in permille; drawn anew for each life. */
struct odds {
	unsigned int hold, late, broken, unreadable, lost, purge, fail, change;
};

struct life {
	uint32_t seed;
	struct source *source;
	struct odds odds;
	struct wish wishes[FAKE_PACKETS_MAX];
	uint32_t held[HELD_MAX];
	size_t nheld;
	uint32_t verdict, mark; /* of the packets at present: they come in trains */
	bool set_mark;
	unsigned int purged;
	uint64_t unsent; /* of all lives, as the rest */
	unsigned int flushes_failed;
	size_t answered, messages;
};

static uint32_t draw(struct life *l, uint32_t below)
{
	l->seed = l->seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)(l->seed >> 8) * below >> 24);
}

static bool happens(struct life *l, unsigned int permille)
{
	return draw(l, 1000) < permille;
}

static void draw_odds(struct life *l)
{
	static const unsigned int rare[] = {0, 0, 5, 50, 300};

	l->odds = (struct odds){
		.hold = rare[draw(l, 5)],
		.late = 100,
		.broken = rare[draw(l, 4)],
		.unreadable = draw(l, 10) == 0 ? 1 : 0,
		.lost = rare[draw(l, 5)],
		.purge = rare[draw(l, 4)],
		.fail = rare[draw(l, 5)],
		.change = rare[draw(l, 5)],
	};
}

static void packets_arrive(struct life *l)
{
	unsigned int n = draw(l, 4) == 0 ? draw(l, 130) : draw(l, 8);

	while (n-- > 0 && fake.npackets < FAKE_PACKETS_MAX) {
		enum fake_kind kind = happens(l, l->odds.lost)	       ? FAKE_LOST
				      : happens(l, l->odds.broken)     ? FAKE_BROKEN
				      : happens(l, l->odds.unreadable) ? FAKE_UNREADABLE
								       : FAKE_GOOD;

		fake_arrive(kind, draw(l, 4) == 0 ? draw(l, 3) : l->mark);
	}
}

static void change(struct life *l)
{
	static const uint32_t verdicts[] = {VERDICT_ACCEPT, VERDICT_ACCEPT, VERDICT_DROP,
					    VERDICT_REPEAT, VERDICT_QUEUE_NR(5)};

	l->verdict = verdicts[draw(l, ARRAY_SIZE(verdicts))];
	l->mark = draw(l, 3);
	l->set_mark = draw(l, 2);
}

/* Nothing of a held packet is known but its id, and so may be nothing of others. */
static void answer(struct life *l, uint32_t id)
{
	const struct packet p = {.id = id, .in.mark = 0xbad};
	const struct fake_packet *f = fake_find(id);
	struct wish *w = &l->wishes[f - fake.packets];
	bool set_mark;

	if (happens(l, l->odds.change))
		change(l);
	set_mark = l->set_mark && f->mark != l->mark;
	assert_false(w->given);
	*w = (struct wish){true, l->verdict, set_mark ? l->mark : f->mark};
	l->source->ops->verdict(l->source, &p, l->verdict, set_mark, l->mark);
	l->answered++;
}

static void answer_late(struct life *l)
{
	size_t i;

	if (l->nheld == 0)
		return;
	i = draw(l, (uint32_t)l->nheld);
	answer(l, l->held[i]);
	l->held[i] = l->held[--l->nheld];
}

static void flush(struct life *l)
{
	if (happens(l, l->odds.fail))
		fake.failing_sends = draw(l, draw(l, 8) ? 10 : 100);
	if (l->source->ops->flush(l->source) < 0)
		l->flushes_failed++;
}

static void pass(struct life *l)
{
	struct packet batch[SOURCE_BATCH_MAX];
	struct nfqueue_stats s;
	int n = l->source->ops->receive(l->source, batch, 0);

	assert_true(n >= 0);
	for (int i = 0; i < n; i++) {
		if (happens(l, l->odds.late))
			answer_late(l);
		if (l->nheld < HELD_MAX && happens(l, l->odds.hold))
			l->held[l->nheld++] = batch[i].id;
		else
			answer(l, batch[i].id);
	}
	while (happens(l, l->odds.late))
		answer_late(l);
	if (happens(l, l->odds.purge))
		l->purged += fake_purge();
	flush(l);
	nfqueue_get_stats(l->source, &s);
	assert_int_equal(s.off, 0);
}

/* Everything is read, everybody answered, and sent. */
static void finish(struct life *l)
{
	l->odds.fail = l->odds.hold = l->odds.purge = 0;
	for (int i = 0; i < 10 || fake.ndatagrams > 0; i++)
		pass(l);
	while (l->nheld > 0)
		answer_late(l);
	fake.failing_sends = 0;
	flush(l);
	while (fake.ndatagrams > 0)
		pass(l);
}

static void judge(const struct life *l, const struct nfqueue_stats *s)
{
	size_t waiting = 0, unreadable = 0;

	for (size_t i = 0; i < fake.npackets; i++) {
		const struct fake_packet *p = &fake.packets[i];
		const struct wish *w = &l->wishes[i];

		waiting += p->waits;
		unreadable += p->waits && p->kind == FAKE_UNREADABLE;
		if (p->kind == FAKE_UNREADABLE || p->kind == FAKE_LOST || p->purged || p->waits) {
			assert_int_equal(p->answers, 0);
			continue;
		}
		assert_int_equal(p->answers, 1);
		assert_int_equal(p->verdict, w->given ? w->verdict : VERDICT_ACCEPT);
		assert_int_equal(p->mark_out, w->given ? w->mark : p->mark);
		assert_int_equal(w->given, p->kind == FAKE_GOOD);
	}
	/* no packet is left but those whose loss was counted; a purge may have hit some of these */
	assert_true(waiting - unreadable <= s->unsent &&
		    (l->purged || waiting - unreadable == s->unsent));
	assert_true(unreadable <= s->unreadable);
	assert_true(s->gone <= l->purged);
	assert_int_equal(s->refused, 0);
}

static void live(struct life *l)
{
	const struct nfqueue_params params = {
		.fd = -1, .config.max_packets = 1024, .config.copy_range = 128};
	struct nfqueue_grant grant;
	struct nfqueue_stats s;

	memset(l->wishes, 0, sizeof(l->wishes));
	l->nheld = 0;
	l->purged = 0;
	draw_odds(l);
	change(l);
	fake_reset(draw(l, 2) ? UINT32_MAX - draw(l, 300) : draw(l, 1000));
	fake.early = draw(l, 100);
	assert_int_equal(nfqueue_open(&l->source, &params, &grant), 0);
	for (int i = 0; i < PASSES; i++) {
		packets_arrive(l);
		pass(l);
	}
	finish(l);
	nfqueue_get_stats(l->source, &s);
	judge(l, &s);
	l->source->ops->close(l->source);
	l->messages += fake.nmessages;
	l->unsent += s.unsent;
}

static void test_everybody_gets_his_own(void **state)
{
	struct life *l = calloc(1, sizeof(*l));

	for (uint32_t seed = 1; seed <= LIVES; seed++) {
		l->seed = seed * 2654435761U;
		live(l);
	}
	print_message("%zu packets, %zu messages, %u failed flushes, %llu not sent\n", l->answered,
		      l->messages, l->flushes_failed, (unsigned long long)l->unsent);
	assert_true(l->answered > 100000);
	assert_true(l->messages < l->answered / 2); /* there were runs */
	assert_true(l->flushes_failed > 100);
	assert_true(l->unsent > 20);
	free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everybody_gets_his_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
