/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A worker that sits down where another one was cut off, and one that gives its queue back. */

#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "core/adopt.h"
#include "core/stats.h"
#include "daemon/seat.h"

/* UDP without a checksum, from port 1 of 10.0.0.1 to 10.0.0.2. */
static const uint8_t udp[] = {0x45, 0, 0,  28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0,
			      0,    1, 10, 0,  0, 2, 0, 1, 0,  53, 0, 8, 0,  0};
/* The last fragment of a datagram whose first one has not come. */
static const uint8_t fragment[] = {0x45, 0, 0,	28, 0, 9, 0, 2, 64, 17, 0, 0, 10, 0,
				   0,	 1, 10, 0,  0, 2, 1, 2, 3,  4,	5, 6, 7,  8};

/* What the engine of a dead worker remembers. */
struct recollection {
	uint32_t id; /* 0: nothing */
	uint64_t asked, judged_when_asked;
};

static struct recollection *remembered(struct recollection *set)
{
	static struct recollection *memory;

	if (set)
		memory = set;
	return memory;
}

bool __wrap_ct_recall(const struct ct_thread *th, const struct ct_input *in, struct ct_result *out);

bool __wrap_ct_recall(const struct ct_thread *th, const struct ct_input *in, struct ct_result *out)
{
	struct recollection *m = remembered(NULL);

	m->asked++;
	m->judged_when_asked = ct_count(th->ct);
	if (m->id != in->id)
		return false;
	*out = (struct ct_result){.info = CT_INFO_ESTABLISHED, .mark = 0x8};
	return true;
}

static void make_worker(struct fixture *x, struct worker_params params)
{
	params.source = &x->source.source;
	params.ct = x->ct;
	params.conf = &x->conf;
	params.log = x->log;
	params.queue = QUEUE;
	params.ended_fd = x->ended_fd;
	assert_int_equal(worker_new(&x->worker, &params), 0);
}

static void offer(struct fixture *x, uint32_t from, uint32_t n)
{
	for (uint32_t id = from; id < from + n; id++)
		fixture_offer(x, id, udp, sizeof(udp), 0);
}

/* The packet that had been judged gets the verdict of then, in its turn, and is judged no more. */
static void test_recall(void **state)
{
	struct fixture *x = *state;
	struct recollection m = {.id = 12};

	remembered(&m);
	make_worker(x, (struct worker_params){.inherited = 4});
	offer(x, 10, 4);
	assert_int_equal(worker_pass(x->worker, 0), 4);
	assert_int_equal(m.judged_when_asked, 0);
	assert_int_equal(x->source.nanswers, 4);
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(x->source.answers[i].id, 10 + i);
		assert_int_equal(x->source.answers[i].mark, i == 2 ? 0x8 : 0xa);
	}
	assert_int_equal(worker_stats(x->worker)->count[CT_STAT_PACKETS], 3);
	m.asked = 0;
	offer(x, 12, 2);
	worker_pass(x->worker, 0);
	assert_int_equal(m.asked, 0); /* only once */
	assert_int_equal(x->source.answers[4].mark, 0xa);
}

static void test_nothing_to_recall(void **state)
{
	struct fixture *x = *state;
	struct recollection m = {};

	remembered(&m);
	make_worker(x, (struct worker_params){.inherited = 2});
	offer(x, 1, 2);
	worker_pass(x->worker, 0);
	assert_int_equal(m.asked, 2);
	assert_int_equal(worker_stats(x->worker)->count[CT_STAT_PACKETS], 2);
	assert_int_equal(x->source.nanswers, 2);
}

static void test_nothing_inherited(void **state)
{
	struct fixture *x = *state;
	struct recollection m = {.id = 1};

	remembered(&m);
	make_worker(x, (struct worker_params){});
	offer(x, 1, 2);
	worker_pass(x->worker, 0);
	assert_int_equal(m.asked, 0);
	assert_int_equal(worker_stats(x->worker)->count[CT_STAT_PACKETS], 2);
}

/* Counters go on, and so does the trace until a packet is judged; nothing else does. */
static void test_seat(void **state)
{
	struct fixture *x = *state;
	struct ct_thread *th;
	struct seat seat;

	assert_int_equal(seat_new(&seat, QUEUE), 0);
	th = &seat.worker->thread;
	ct_counter_add(&th->stats.count[CT_STAT_PACKETS], 100);
	ct_counter_add(&seat.worker->circles, 3);
	th->ct = (struct ct *)1;
	th->cfg = (const struct ct_config *)1;
	th->share = th->shares = th->next_stripe = th->next_bucket = th->ndoomed = 9;
	th->wake[1] = 9;
	memset(&th->trace, 0x5a, sizeof(th->trace));
	make_worker(x, (struct worker_params){
			       .memory = seat.worker, .npeers = 2, .index = 1, .inherited = 1});
	assert_ptr_equal(th->ct, x->ct);
	assert_ptr_equal(th->cfg, &x->conf.conf.track);
	assert_int_equal(th->share, 1);
	assert_int_equal(th->shares, 2);
	assert_int_equal(th->next_stripe + th->next_bucket + th->ndoomed + th->wake[1], 0);
	for (size_t i = 0; i < sizeof(th->trace); i++)
		assert_int_equal(((const uint8_t *)&th->trace)[i], 0x5a);
	memset(&th->trace, 0, sizeof(th->trace));
	offer(x, 1, 1);
	worker_pass(x->worker, 0);
	assert_int_equal(worker_stats(x->worker)->count[CT_STAT_PACKETS], 101);
	worker_get_counts(x->worker, &(struct worker_counts){});
	x->worker = worker_free(x->worker);
	assert_int_equal(th->stats.count[CT_STAT_PACKETS], 101); /* the seat is somebody else's */
	seat_free(&seat);
}

/* No packet of the last one's is left, so nothing is true of the ids that come. */
static void test_nothing_left(void **state)
{
	struct fixture *x = *state;
	struct seat seat;

	assert_int_equal(seat_new(&seat, QUEUE), 0);
	seat.worker->thread.trace.phase = CT_TRACE_DONE;
	seat.worker->thread.trace.id = 1;
	make_worker(x, (struct worker_params){.memory = seat.worker});
	assert_int_equal(seat.worker->thread.trace.phase, CT_TRACE_NONE);
	x->worker = worker_free(x->worker);
	seat_free(&seat);
}

/* The queue is somebody's who keeps it: what is held is left to a successor. */
static void test_kept_queue(void **state)
{
	struct fixture *x = *state;
	int error = -1;

	make_worker(x, (struct worker_params){.kept = true});
	fixture_offer(x, 1, fragment, sizeof(fragment), 0);
	offer(x, 2, 1);
	worker_stop(x->worker);
	assert_int_equal(worker_start(x->worker), 0);
	assert_true(worker_join(x->worker, 5000, &error));
	assert_int_equal(error, 0);
	assert_int_equal(x->source.nanswers, 1);
	assert_int_equal(x->source.answers[0].id, 2);
	assert_int_equal(ct_fragments_held(x->ct), 1);
	assert_true(x->source.released);
}

/* One that nobody will serve any more is emptied, by a worker that ends no flows. */
static void test_surplus_queue(void **state)
{
	struct fixture *x = *state;

	make_worker(x, (struct worker_params){.surplus = true});
	fixture_offer(x, 1, fragment, sizeof(fragment), 0);
	fixture_offer(x, 2, udp, sizeof(udp), 0);
	worker_pass(x->worker, 0);
	assert_int_equal(ct_count(x->ct), 1);
	offer(x, 3, 1);
	x->source.packets[0].in.now_ns += 1000 * CT_NS_PER_S;
	assert_int_equal(worker_finish(x->worker), 0);
	assert_int_equal(x->source.nanswers, 3); /* the held one as well */
	assert_int_equal(x->source.answers[2].id, 1);
	assert_int_equal(ct_fragments_held(x->ct), 0);
	assert_int_equal(worker_stats(x->worker)->count[CT_STAT_DESTROYED], 1);
	assert_true(x->source.released);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_recall),
		TEST(test_nothing_to_recall),
		TEST(test_nothing_inherited),
		TEST(test_nothing_left),
		TEST(test_seat),
		TEST(test_kept_queue),
		TEST(test_surplus_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
