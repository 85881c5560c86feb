/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What a table may hold when it is left, and rarely does. */

#include "will.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* --- two flows of the same tuples ----------------------------------------------------------------
 */

static struct ct_result pass(struct will *w, const struct pk *p, uint8_t hook, uint32_t mark,
			     uint64_t now_ns)
{
	struct ct_input in = pk_input(p, now_ns);
	struct ct_result r;

	in.hook = hook;
	in.mark = mark;
	ct_track(&w->dead.th, &in, &r);
	return r;
}

/*
 * Two first packets are under way; the one in slot old leaves at once, and the other one when the
 * time of that flow is over. Nobody has ended it by then. Returns the id of the younger flow.
 */
static uint64_t old_and_young(struct will *w, uint32_t old)
{
	struct ct_result r[2];
	struct pk p[2];
	uint32_t young = 3 - old;

	w->dead.cfg.confirm = CT_CONFIRM_EXIT;
	w->dead.cfg.timeout_ns[CT_TIMEOUT_UDP] = SEC;
	for (uint32_t i = 0; i < 2; i++) {
		pk_udp(&p[i], CT_AF_INET, 1, SERVER, 1000, 53);
		p[i].b[p[i].len - 1] ^= (uint8_t)i;
		pk_fix_checksum(&p[i], 6);
		r[i] = pass(w, &p[i], CT_HOOK_PREROUTING, 0, NOW - 2 * SEC);
	}
	(void)pass(w, &p[old - 1], CT_HOOK_POSTROUTING, r[old - 1].mark, NOW - 2 * SEC);
	r[0] = pass(w, &p[young - 1], CT_HOOK_POSTROUTING, r[young - 1].mark, NOW - SEC / 2);
	assert_int_equal(r[0].events[0].type, CT_EVENT_NEW);
	assert_int_equal(ct_count(w->dead.th.ct), 2);
	return r[0].flow;
}

static void finds_the_young(uint32_t old, uint32_t max_flows)
{
	struct ct_event events[4];
	struct ct_result r;
	struct will w;
	uint64_t id;

	will_open(&w, 64);
	id = old_and_young(&w, old);
	w.params.max_flows = max_flows;
	will_adopt(&w);
	assert_int_equal(w.done.flows, 2);
	assert_int_equal(w.done.damaged, 0);
	r = will_udp(&w.heir, 1, true, NOW);
	assert_int_equal(r.info, CT_INFO_ESTABLISHED_REPLY);
	assert_true(r.flow == id);
	assert_int_equal(ct_expire(&w.heir.th, NOW + SEC, events, 4, NULL), 1);
	assert_true(events[0].flow != id);
	assert_int_equal(ct_count(w.heir.th.ct), 1);
	will_close(&w);
}

static void test_the_younger_is_found(void **state)
{
	for (uint32_t old = 1; old <= 2; old++) {
		finds_the_young(old, 64); /* where it is */
		finds_the_young(old, 80);
	}
}

/* Copied, one of two that are both alive is left out, and is not looked for again. */
static void test_second_of_a_pair_is_not_copied(void **state)
{
	struct will w;

	will_open(&w, 64);
	will_udp(&w.dead, 1, false, NOW);
	will_udp(&w.dead, 2, false, NOW);
	will_udp(&w.dead, 3, false, NOW);
	will_leave(&w);
	will_flow(&w, 2)->orig = will_flow(&w, 1)->orig;
	w.params.max_flows = 80;
	will_adopt(&w);
	assert_int_equal(w.done.flows, 2);
	assert_int_equal(w.done.damaged, 1);
	assert_int_equal(w.done.moved + w.done.displaced, 0);
	assert_int_equal(ct_count(w.heir.th.ct), 2);
	will_close(&w);
}

/* --- a datagram whose pieces were being put in order
 * ----------------------------------------------
 */

/* Bytes [start, start + 8) of a datagram of 64. */
static struct ct_result piece(struct engine *e, uint32_t start, uint64_t now_ns)
{
	static const uint8_t payload[56];
	struct pk whole, p;
	uint8_t l4[8 + sizeof(payload)] = {0, 9, 0, 9, 0, 8 + sizeof(payload)};

	pk_ip(&whole, CT_AF_INET, 1, SERVER, 17, l4, sizeof(l4));
	pk_fragment(&p, &whole, 5, start, start + 8, start < 56);
	return engine_track(e, &p, now_ns);
}

/* Its first piece came to the dead one, so that it is taken over. */
static struct ct_datagram *leave_datagram(struct will *w)
{
	struct ct_datagram *d;

	will_open(w, 64);
	assert_int_equal(piece(&w->dead, 0, NOW).info, CT_INFO_NEW);
	will_leave(w);
	d = (struct ct_datagram *)ct_arena_datagrams(w->left) + 1;
	assert_int_equal(d->nruns, 1);
	return d;
}

/* Each of them once, in order, joined where they overlap; one without bytes is none. */
static void test_runs_are_mended(void **state)
{
	const struct ct_run runs[] = {
		{.start = 24, .end = 32}, {.start = 0, .end = 8},   {.start = 24, .end = 32},
		{.start = 48, .end = 48}, {.start = 28, .end = 40}, {.start = 0, .end = 4},
	};
	struct ct_datagram *d;
	struct will w;

	d = leave_datagram(&w);
	memcpy(d->runs, runs, sizeof(runs));
	d->nruns = sizeof(runs) / sizeof(runs[0]);
	will_adopt(&w);
	d = &w.heir.th.ct->fragments.datagrams[1];
	assert_int_equal(d->nruns, 2);
	assert_int_equal(d->runs[0].start, 0);
	assert_int_equal(d->runs[0].end, 8);
	assert_int_equal(d->runs[1].start, 24);
	assert_int_equal(d->runs[1].end, 40);
	assert_int_equal(d->meat, 24);
	assert_int_equal(piece(&w.heir, 48, NOW).info, CT_INFO_NEW);
	assert_int_equal(d->nruns, 3);
	will_close(&w);
}

/* More of them than there can be say nothing. */
static void test_too_many_runs(void **state)
{
	struct ct_datagram *d;
	struct will w;

	leave_datagram(&w)->nruns = CT_RUNS_MAX + 1;
	will_adopt(&w);
	d = &w.heir.th.ct->fragments.datagrams[1];
	assert_int_equal(d->nruns, 0);
	assert_int_equal(d->meat, 0);
	assert_int_equal(piece(&w.heir, 8, NOW).info, CT_INFO_NEW);
	will_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_younger_is_found),
		cmocka_unit_test(test_second_of_a_pair_is_not_copied),
		cmocka_unit_test(test_runs_are_mended),
		cmocka_unit_test(test_too_many_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
