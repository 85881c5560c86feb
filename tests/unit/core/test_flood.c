/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A table that a flood fills: who gets in, who stays, and what it costs.
 *
 * The yardstick is the kernel's rule (semantics 7.1), computed where it can be, and otherwise
 * played on a model of its table under the same traffic.
 */

#include "kernel_table.h"
#include "packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "core/table.h"

#define FLOWS  65536
#define MANY   16384
#define PROBES 8192

/* --- who gets in ------------------------------------------------------------------------------ */

/* What a measurement found: of so many trials, so many did. */
struct count {
	uint32_t trials, hits;
};

static double power(double x, uint32_t n)
{
	double r = 1;

	for (; n > 0; n--)
		r *= x;
	return r;
}

/* Within four standard deviations of what is to be expected, and one for the granularity. */
static void check_odds(struct count c, double p)
{
	double off = c.hits - c.trials * p;

	off = off < 0 ? -off : off;
	off = off < 1 ? 0 : off - 1;
	if (off * off > 16 * c.trials * p * (1 - p))
		fail_msg("%u of %u, %.1f are to be expected", c.hits, c.trials, c.trials * p);
}

static bool flood_udp(struct engine *e, uint32_t n, uint64_t now_ns)
{
	struct pk p;

	pk_udp(&p, CT_AF_INET, 0x800000 | (n >> 8), 0xfffffe, (uint16_t)(1000 + (n & 255)), 53);
	return !engine_track(e, &p, now_ns).drop;
}

static void fill(struct engine *e, uint32_t max, uint32_t assured)
{
	for (uint32_t i = 0; i < assured; i++)
		engine_assured(e, i, SEC);
	for (uint32_t i = assured; i < max; i++)
		assert_true(flood_udp(e, i, 4 * SEC));
	assert_int_equal(ct_count(e->th.ct), max);
}

/* How many of the first packets that find the table full get in. */
static struct count probe(struct engine *e, uint32_t max)
{
	struct count c = {0};

	for (uint32_t i = 0; i < PROBES; i++) {
		bool full = ct_count(e->th.ct) == max, in = flood_udp(e, max + i, 5 * SEC);

		assert_true(in || full);
		c.trials += full;
		c.hits += full && in;
	}
	return c;
}

static struct count probe_kernel(uint32_t max, uint32_t assured)
{
	struct kernel_table *t = kt_new(max, 1);
	struct count c = {0};
	struct kt_flow f;

	for (uint32_t i = 0; i < max; i++)
		assert_true(kt_add(t, i < assured, &f));
	for (uint32_t i = 0; i < PROBES; i++) {
		bool full = kt_count(t) == max, in = kt_add(t, false, &f);

		c.trials += full;
		c.hits += full && in;
	}
	kt_free(t);
	return c;
}

/*
 * The kernel's odds. Its table of max flows has as many buckets, and 2 * others links of flows that
 * are not ASSURED, each of which may hang anywhere. A new flow is dropped if none of them hangs in
 * the eight buckets that it looks at:
 *
 *	1 - (1 - 8 / max) ^ (2 * others)
 */
static double kernel_odds(uint32_t max, uint32_t others)
{
	return 1 - power(1 - (double)KT_RANGE / max, 2 * others);
}

/* ASSURED flows of a thousand: a new one gets in as often as in the kernel. */
static void test_odds(void **state)
{
	static const uint32_t shares[] = {500, 900, 990, 999};

	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		uint32_t assured = (uint32_t)((uint64_t)MANY * shares[i] / 1000);
		double p = kernel_odds(MANY, MANY - assured);
		struct engine e;

		engine_open(&e, MANY);
		fill(&e, MANY, assured);
		check_odds(probe(&e, MANY), p);
		check_odds(probe_kernel(MANY, assured), p);
		engine_close(&e);
	}
}

/* Whatever the number of buckets for a flow is, which may be any: the odds do not depend on it. */
static void test_odds_at_any_load(void **state)
{
	static const struct {
		uint32_t max, buckets;
	} loads[] = {{8192, 512},  {8192, 2048},  {8192, 8192},
		     {6144, 8192}, {8192, 16384}, {4097, 16384}};
	unsigned int done = 0;

	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		uint32_t max = loads[i].max, others = max / 100;
		struct engine e;

		engine_open(&e, max);
		if (loads[i].buckets - 1 <= e.th.ct->bucket_mask) {
			e.th.ct->bucket_mask = loads[i].buckets - 1;
			fill(&e, max, max - others);
			check_odds(probe(&e, max), kernel_odds(max, others));
			done++;
		}
		engine_close(&e);
	}
	assert_true(done >= 3);
}

/* The clock, which makes room everywhere as soon as one packet found none, does not spoil that. */
static void test_odds_beside_the_clock(void **state)
{
	enum { MAX = 32768, FLOOD = 100000, TURN = 12500 };
	struct ct_event events[64];
	struct engine e;
	bool more;

	engine_open(&e, MAX);
	fill(&e, MAX, MAX / 2);
	for (uint32_t i = 0; i < FLOOD; i++) {
		flood_udp(&e, MAX + i, 5 * SEC);
		if (i % TURN)
			continue;
		do
			(void)ct_expire(&e.th, 5 * SEC, events, 64, &more);
		while (more);
	}
	assert_true(engine_stat(&e, CT_STAT_TABLE_FULL) > 0); /* the clock had something to do */
	assert_true(engine_stat(&e, CT_STAT_TABLE_FULL) < FLOOD / 300);
	engine_close(&e);
}

/* --- who stays -------------------------------------------------------------------------------- */

/* A segment without data of host n's connection. */
static struct ct_result talk(struct engine *e, uint32_t n, bool reply, uint8_t flags,
			     uint64_t now_ns)
{
	uint32_t host = reply ? 9 : 100 + n, peer = reply ? 100 + n : 9;
	struct pk p;

	pk_tcp(&p, CT_AF_INET, host, peer, reply ? 80 : 7777, reply ? 7777 : 80, flags,
	       (reply ? 500 : 100) + !(flags & PK_SYN), flags & PK_ACK ? (reply ? 101 : 501) : 0);
	return engine_track(e, &p, now_ns);
}

/*
 * Handshakes in a flood of SYNs. A step is one packet of it, 10 us; a handshake begins every
 * hundredth step, and sees its SYN, ACK 25 ms and its last packet 50 ms later.
 */
#define STEP_NS	   10000ull
#define EVERY	   100
#define ROUND_TRIP 5000 /* steps */
#define WARM	   (2 * FLOWS)
#define HANDSHAKES 2000

struct race {
	struct engine e;
	struct kernel_table *kernel;
	uint64_t dice;
	uint64_t flow[HANDSHAKES]; /* ids; 0: lost */
	struct kt_flow twin[HANDSHAKES];
	bool twin_lost[HANDSHAKES];
};

static uint64_t time_of(uint64_t step)
{
	return 10 * SEC + step * STEP_NS;
}

static void flood_step(struct race *r, uint64_t step)
{
	uint64_t d = dice(&r->dice);
	struct kt_flow f;
	struct pk p;

	pk_tcp(&p, CT_AF_INET, 0x800000 | (uint32_t)(d & 0x7fffff), 9, (uint16_t)(d >> 32), 80,
	       PK_SYN, 1, 0);
	(void)engine_track(&r->e, &p, time_of(step));
	(void)kt_add(r->kernel, false, &f);
}

static void begin(struct race *r, uint32_t n, uint64_t step)
{
	struct ct_result out = talk(&r->e, n, false, PK_SYN, time_of(step));

	r->flow[n] = out.drop ? 0 : out.flow;
	r->twin_lost[n] = !kt_add(r->kernel, false, &r->twin[n]);
}

/* A flow that is not there any more: the answer to its SYN is INVALID, and there is no third. */
static void go_on(struct race *r, uint32_t n, bool last, uint64_t step)
{
	struct ct_result out;

	if (r->flow[n]) {
		out = talk(&r->e, n, !last, last ? PK_ACK : PK_SYN | PK_ACK, time_of(step));
		if (out.flow != r->flow[n])
			r->flow[n] = 0;
		else
			assert_int_equal(!!(out.status & CT_STATUS_ASSURED), last);
	}
	r->twin_lost[n] |= !kt_has(r->kernel, r->twin[n]);
	if (last && !r->twin_lost[n])
		kt_assure(r->kernel, r->twin[n]);
}

static void step_handshakes(struct race *r, uint64_t step)
{
	if (step % EVERY != 0)
		return;
	if (step / EVERY < HANDSHAKES)
		begin(r, (uint32_t)(step / EVERY), step);
	if (step >= ROUND_TRIP / 2 && (step - ROUND_TRIP / 2) / EVERY < HANDSHAKES)
		go_on(r, (uint32_t)((step - ROUND_TRIP / 2) / EVERY), false, step);
	if (step >= ROUND_TRIP)
		go_on(r, (uint32_t)((step - ROUND_TRIP) / EVERY), true, step);
}

/*
 * In a table that the flood alone has filled, each of its packets puts in one flow and so ends one
 * on average, of FLOWS that are all alike; a handshake gets through if it is none of those that go
 * in its 50 ms. It is lost with a probability of
 *
 *	1 - (1 - 1 / FLOWS) ^ ROUND_TRIP = 7.4 %
 *
 * and that is so in the kernel, where more go at once and then none for a while, as well as here.
 */
static void test_handshakes(void **state)
{
	const double p = 1 - power(1 - 1.0 / FLOWS, ROUND_TRIP);
	struct count ours = {HANDSHAKES, 0}, kernels = {HANDSHAKES, 0};
	struct race *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	engine_open(&r->e, FLOWS);
	r->kernel = kt_new(FLOWS, 2);
	for (uint64_t step = 0; step < WARM; step++)
		flood_step(r, 0);
	for (uint64_t step = 0; step < HANDSHAKES * EVERY + ROUND_TRIP; step++) {
		flood_step(r, step);
		step_handshakes(r, step);
	}
	for (uint32_t n = 0; n < HANDSHAKES; n++) {
		ours.hits += r->flow[n] == 0;
		kernels.hits += r->twin_lost[n];
	}
	check_odds(ours, p);
	check_odds(kernels, p);
	kt_free(r->kernel);
	engine_close(&r->e);
	free(r);
}

/* --- what is established ---------------------------------------------------------------------- */

#define HOSTS 1000

static void establish(struct engine *e, uint64_t ids[static HOSTS])
{
	for (uint32_t n = 0; n < HOSTS; n++) {
		(void)talk(e, n, false, PK_SYN, SEC);
		(void)talk(e, n, true, PK_SYN | PK_ACK, SEC);
		ids[n] = talk(e, n, false, PK_ACK, SEC).flow;
	}
}

/* Any first packet, from anywhere. */
static void flood_any(struct engine *e, uint64_t *seed, uint64_t now_ns)
{
	uint64_t d = dice(seed);
	uint32_t src = 0x800000 | (uint32_t)(d & 0x7fffff);
	struct pk p;

	if (d >> 63)
		pk_udp(&p, CT_AF_INET, src, 9, (uint16_t)(d >> 24), 53);
	else
		pk_tcp(&p, CT_AF_INET, src, 9, (uint16_t)(d >> 24), 80, PK_SYN, 1, 0);
	(void)engine_track(e, &p, now_ns);
}

/* Forty tables of flood pass by in ten seconds, and no connection notices. */
static void test_established_go_on(void **state)
{
	enum { MAX = 2048, FLOOD = 40 * MAX };
	uint64_t ids[HOSTS], seed = 3, now_ns = SEC;
	struct ct_event events[64];
	struct engine e;
	bool more;

	engine_open(&e, MAX);
	establish(&e, ids);
	for (uint32_t i = 0; i < FLOOD; i++, now_ns += 10 * SEC / FLOOD) {
		struct ct_result out = talk(&e, i % HOSTS, i & 1, PK_ACK, now_ns);

		assert_int_equal(out.info, i & 1 ? CT_INFO_ESTABLISHED_REPLY : CT_INFO_ESTABLISHED);
		assert_int_equal(out.flow, ids[i % HOSTS]);
		flood_any(&e, &seed, now_ns);
		if (i % MAX == 0)
			for (more = true; more;)
				(void)ct_expire(&e.th, now_ns, events, 64, &more);
	}
	assert_true(engine_stat(&e, CT_STAT_EARLY_DROPS) > FLOOD / 2);
	engine_close(&e);
}

/* --- what it costs ---------------------------------------------------------------------------- */

#define PAGE 4096

/* An engine whose memory ends where nothing may be touched. */
struct fenced {
	struct engine e;
	uint8_t *memory;
	size_t size;
};

static void fenced_open(struct fenced *f, uint32_t max_flows)
{
	static const uint8_t key[16] = "0123456789abcde";
	const struct ct_params params = {.max_flows = max_flows, .key = key};

	memset(f, 0, sizeof(*f));
	f->size = ct_arena_size(&params);
	f->memory = mmap(NULL, f->size + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	assert_ptr_not_equal(f->memory, MAP_FAILED);
	(void)madvise(f->memory, f->size, MADV_NOHUGEPAGE);
	assert_int_equal(mprotect(f->memory + f->size, PAGE, PROT_NONE), 0);
	ct_config_init(&f->e.cfg);
	f->e.th.cfg = &f->e.cfg;
	f->e.th.ct = ct_new(f->memory, f->size, &params);
	assert_non_null(f->e.th.ct);
}

static void fenced_close(struct fenced *f)
{
	ct_free(f->e.th.ct);
	munmap(f->memory, f->size + PAGE);
}

static size_t touched(const struct fenced *f)
{
	unsigned char *resident = calloc(f->size / PAGE, 1);
	size_t n = 0;

	assert_non_null(resident);
	assert_int_equal(mincore(f->memory, f->size, resident), 0);
	for (size_t i = 0; i < f->size / PAGE; i++)
		n += resident[i] & 1;
	free(resident);
	return n;
}

/* Pages of the header and of so many flows. */
static size_t pages_of(uint32_t flows)
{
	return 1 + ((flows + 1) * sizeof(struct ct_flow) + PAGE - 1) / PAGE;
}

/* A table for many is as small as its flows are few, however many have come and gone. */
static void test_memory_follows_the_flows(void **state)
{
	enum { FEW = 500, TURNS = 100 };
	struct ct_event events[FEW];
	struct fenced f;

	fenced_open(&f, FLOWS);
	for (uint32_t turn = 0; turn < TURNS; turn++) {
		for (uint32_t i = 0; i < FEW; i++)
			assert_true(flood_udp(&f.e, turn * FEW + i, (1 + turn * 100) * SEC));
		assert_int_equal(ct_expire(&f.e.th, (100 + turn * 100) * SEC, events, FEW, NULL),
				 FEW);
	}
	assert_in_range(touched(&f), pages_of(FEW) / 2, pages_of(FEW));
	fenced_close(&f);
}

/* A full one is as large as MaxFlows= says, and stays so. */
static void test_memory_ends_with_the_table(void **state)
{
	enum { MAX = 5000 };
	uint64_t seed = 4;
	struct fenced f;
	size_t full;

	fenced_open(&f, MAX);
	for (uint32_t i = 0; i < MAX; i++)
		flood_any(&f.e, &seed, SEC);
	full = touched(&f);
	assert_in_range(full, pages_of(MAX) / 2, pages_of(MAX));
	for (uint32_t i = 0; i < 20 * MAX; i++)
		flood_any(&f.e, &seed, SEC + i * MSEC / 100);
	assert_int_equal(touched(&f), full);
	assert_true(ct_count(f.e.th.ct) <= MAX);
	fenced_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_odds),
		cmocka_unit_test(test_odds_at_any_load),
		cmocka_unit_test(test_odds_beside_the_clock),
		cmocka_unit_test(test_handshakes),
		cmocka_unit_test(test_established_go_on),
		cmocka_unit_test(test_memory_follows_the_flows),
		cmocka_unit_test(test_memory_ends_with_the_table),
	};

	return cmocka_run_group_tests_name("flood", tests, NULL, NULL);
}
