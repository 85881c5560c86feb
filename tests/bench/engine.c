/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * How fast is the engine by itself? One JSON object per line, for tests/bench/run.
 *
 * Packets come in batches as from a queue: 64 of them are written to memory, then the clock runs
 * while the engine judges them, so that making packets is not measured and their bytes are as warm
 * as if they had just been received. The engine's own clock is made up; no flow expires by chance.
 */

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "core/adopt.h"
#include "core/history.h"
#include "core/table.h"
#include "core/view.h"
#include "daemon/memory.h"
#include "tests/bench/traffic.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define BATCH	64
#define MILLION (1u << 20)
#define WARMUP	256  /* batches */
#define EXPIRY	64   /* batches from one look at the clock to the next */
#define STEP_NS 1000 /* of the engine's clock between two packets */
#define THREADS 2
#define REPEATS 5
#define PART	1024 /* batches from one look at the memory to the next */

/* What a measurement needs. */
struct bench {
	struct ct_config cfg;
	struct ct_thread th;
	struct memory memory;
	uint64_t now_ns;
	uint32_t max_flows;
	uint32_t next;		    /* packet of the stream */
	struct ct_history *history; /* NULL: nothing is noted */
	size_t history_size;
};

/* A stream of packets: fills in the n-th one. */
typedef void make_packet(struct traffic_packet *p, uint32_t n, uint32_t flows);

struct job {
	_Alignas(128) struct bench *bench; /* threads do not share lines of the cache */
	struct ct_thread th;
	pthread_t id;
	pthread_barrier_t *start;
	make_packet *make;
	uint32_t flows, first;
	uint64_t batches, ns, now_ns;
};

static void die(const char *what)
{
	fprintf(stderr, "engine: %s\n", what);
	exit(1);
}

static void bench_open(struct bench *b, uint32_t max_flows)
{
	static const uint8_t key[16] = "not a secret key";
	struct ct_params params = {.max_flows = max_flows, .key = key, .id_salt = 1};

	memset(b, 0, sizeof(*b));
	b->max_flows = max_flows;
	ct_config_init(&b->cfg);
	if (memory_map(&b->memory, ct_arena_size(&params), ct_index_size(&params)) < 0)
		die("no memory for the flows");
	while (memory_settle(&b->memory, 0))
		;
	params.index = b->memory.index;
	b->th.ct = ct_new(b->memory.arena, b->memory.arena_size, &params);
	b->th.cfg = &b->cfg;
	if (!b->th.ct)
		die("no memory for the table");
	b->now_ns = NS_PER_S;
}

static void bench_close(struct bench *b)
{
	ct_free(b->th.ct);
	memory_unmap(&b->memory);
	if (b->history)
		munmap(b->history, b->history_size);
}

/* From here on events are noted, as many of each flow. */
static void bench_remember(struct bench *b, uint32_t depth)
{
	const struct ct_history_params params = {.slots = b->max_flows, .depth = depth};
	void *memory;

	b->history_size = ct_history_size(&params);
	memory = mmap(NULL, b->history_size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		die("no memory for the history");
	(void)madvise(memory, b->history_size, MADV_HUGEPAGE);
	b->history = ct_history_init(memory, &params);
}

/* Who hears of results. */
struct hearer {
	struct ct *ct;
	struct ct_history *history;
	uint32_t marks;
};

/* What a worker does with a result belongs to the worker; that there is one is looked at. */
static void judged(void *ctx, const struct ct_input *in, struct ct_result *out)
{
	struct hearer *h = ctx;

	h->marks ^= out->mark;
	for (unsigned int i = 0; h->history && i < out->nevents; i++)
		ct_history_note(h->history, ct_flow_slot(h->ct, out->events[i].flow),
				&out->events[i]);
}

/* Judges one batch and returns how long that took. */
static uint64_t judge(struct ct_thread *th, struct traffic_packet *batch, uint64_t now_ns,
		      struct ct_history *history)
{
	struct hearer hearer = {.ct = th->ct, .history = history};
	const struct ct_input *in[BATCH];
	uint64_t begin;

	for (unsigned int i = 0; i < BATCH; i++) {
		batch[i].in.now_ns = now_ns;
		in[i] = &batch[i].in;
	}
	begin = clock_now_ns();
	ct_track_batch(th, in, BATCH, judged, &hearer);
	return clock_now_ns() - begin;
}

/* What is due by the clock belongs to the cost of the packets that made it. */
static uint64_t expire_some(struct ct_thread *th, uint64_t now_ns)
{
	static _Thread_local struct ct_event events[BATCH];
	uint64_t begin = clock_now_ns();
	bool more = true;

	while (more)
		ct_expire(th, now_ns, events, BATCH, &more);
	return clock_now_ns() - begin;
}

/* So many packets of the stream, from *next on. Returns ns for each of them. */
static double play(struct ct_thread *th, make_packet *make, uint32_t *next, uint64_t batches,
		   uint32_t flows, uint64_t *now_ns, struct ct_history *history)
{
	static _Thread_local struct traffic_packet batch[BATCH];
	uint64_t ns = 0;

	for (uint64_t i = 0; i < batches; i++) {
		for (unsigned int k = 0; k < BATCH; k++)
			make(&batch[k], (*next)++, flows);
		ns += judge(th, batch, *now_ns, history);
		if (i % EXPIRY == 0)
			ns += expire_some(th, *now_ns);
		*now_ns += BATCH * STEP_NS;
	}
	return (double)ns / (double)(batches * BATCH);
}

static double play_on(struct bench *b, make_packet *make, uint64_t batches, uint32_t flows)
{
	return play(&b->th, make, &b->next, batches, flows, &b->now_ns, b->history);
}

/* --- what is printed -------------------------------------------------------------------------- */

static void say(const char *name, unsigned int threads, uint32_t flows, double ns)
{
	printf("{\"name\":\"%s\",\"threads\":%u,\"flows\":%" PRIu32 ",\"ns\":%.1f}\n", name,
	       threads, flows, ns);
	fflush(stdout);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The median of several runs: others work on the machine, too. */
static double median(double *values, unsigned int n)
{
	qsort(values, n, sizeof(*values), by_size);
	return values[n / 2];
}

/* --- the measurements ------------------------------------------------------------------------- */

static void few_flows(const char *name, make_packet *make, uint32_t flows, uint64_t batches)
{
	double ns[REPEATS];
	struct bench b;

	bench_open(&b, 1u << 18);
	b.cfg.timeout_ns[CT_TIMEOUT_UDP] = NS_PER_S;
	play_on(&b, make, WARMUP + flows, flows);
	for (unsigned int i = 0; i < REPEATS; i++)
		ns[i] = play_on(&b, make, batches / REPEATS, flows);
	if (atomic_load(&b.th.stats.info[CT_INFO_INVALID]) > 0)
		die("a packet was INVALID that should not be");
	say(name, 1, flows, median(ns, REPEATS));
	bench_close(&b);
}

/* Ends all flows. Returns ns for each. */
static double expire_all(struct bench *b)
{
	static struct ct_event events[BATCH];
	uint64_t begin = clock_now_ns(), ended = 0;
	size_t n;

	b->now_ns += 86400 * NS_PER_S;
	do {
		n = ct_expire(&b->th, b->now_ns, events, BATCH, NULL);
		ended += n;
	} while (n == BATCH);
	return (double)(clock_now_ns() - begin) / (double)ended;
}

/* The main thread of a daemon would have had the time. */
static void settle(struct bench *b)
{
	while (memory_settle(&b->memory, ct_arena_reach(b->th.ct)))
		;
}

/* Flows that come no faster than large pages are made for them. */
static double create(struct bench *b, uint32_t flows)
{
	double ns = 0;
	uint32_t batches = flows / BATCH, part;

	for (uint32_t i = 0; i < batches; i += part) {
		part = batches - i < PART ? batches - i : PART;
		settle(b);
		ns += play_on(b, traffic_udp_each, part, flows) * part / batches;
	}

	if (ct_count(b->th.ct) != flows / BATCH * BATCH)
		die("the flows are not all there");
	return ns;
}

static void say_of(const char *prefix, const char *what, uint32_t flows, double ns)
{
	char name[32];

	snprintf(name, sizeof(name), "%s-%s", prefix, what);
	say(name, 1, flows, ns);
}

/* Takes the table over as the next process would, with an index of its own. Returns ns a flow. */
static double adopt(struct bench *b)
{
	const struct ct_estate estate = {.arena = b->memory.arena, .now_ns = b->now_ns};
	const struct ct_params params = {.max_flows = b->max_flows, .key = (const uint8_t *)""};
	struct ct_adopted done;
	uint64_t begin;

	ct_free(b->th.ct);
	begin = clock_now_ns();
	b->th.ct = ct_adopt(b->memory.arena, b->memory.arena_size, &params, &estate, &done);
	if (!b->th.ct || done.flows == 0)
		die("the table cannot be taken over");
	return (double)(clock_now_ns() - begin) / done.flows;
}

/* Fill: into memory that was never used. Create: in the places of flows that have ended. */
static void many_flows(const char *prefix, uint32_t flows)
{
	double fill, again, look_up;
	struct bench b;

	bench_open(&b, flows);
	b.cfg.timeout_ns[CT_TIMEOUT_UDP] = 3600 * NS_PER_S;
	fill = create(&b, flows);
	expire_all(&b);
	again = create(&b, flows);
	look_up = play_on(&b, traffic_udp_scattered, (flows < MILLION ? MILLION : flows) / BATCH,
			  flows);
	say_of(prefix, "fill", flows, fill);
	say_of(prefix, "create", flows, again);
	say_of(prefix, "lookup", flows, look_up);
	say_of(prefix, "adopt", flows, adopt(&b));
	say_of(prefix, "expire", flows, expire_all(&b));
	bench_close(&b);
}

static void memory(void)
{
	struct bench b;

	bench_open(&b, MILLION);
	printf("{\"name\":\"memory\",\"flows\":%u,\"bytes_per_flow\":%.1f}\n", MILLION,
	       sizeof(struct ct_flow) + (double)sizeof(*b.th.ct->buckets) *
						((double)b.th.ct->bucket_mask + 1) / MILLION);
	fflush(stdout);
	bench_close(&b);
}

static bool wanted(const char *name, const char *only)
{
	return !only || strcmp(name, only) == 0;
}

/* --- threads ---------------------------------------------------------------------------------- */

/* Which thread a packet is of stands in the highest bit of its number. */
#define OF_THREAD(i) ((uint32_t)(i) << 31)

/* Each thread has flows of its own, as --queue-balance would have it. */
static void own_flow(struct traffic_packet *p, uint32_t n, uint32_t flows)
{
	uint32_t thread = n >> 31;

	traffic_udp_any(p, n, thread * (flows / THREADS), flows / THREADS);
}

static void *work(void *arg)
{
	struct job *j = arg;
	uint64_t begin;

	pthread_barrier_wait(j->start);
	begin = clock_now_ns();
	play(&j->th, j->make, &j->first, j->batches, j->flows, &j->now_ns, NULL);
	j->ns = clock_now_ns() - begin;
	return NULL;
}

/* Packets a second of so many threads together, each with a part of the stream of its own. */
static double in_threads(struct bench *b, unsigned int threads, make_packet *make, uint32_t flows)
{
	static struct job jobs[THREADS];
	pthread_barrier_t start;
	double rate = 0;

	pthread_barrier_init(&start, NULL, threads);
	for (unsigned int i = 0; i < threads; i++) {
		jobs[i] = (struct job){.bench = b, .start = &start, .make = make, .flows = flows};
		jobs[i].th = (struct ct_thread){.ct = b->th.ct, .cfg = &b->cfg};
		jobs[i].first = OF_THREAD(i);
		jobs[i].batches = 2 * MILLION / BATCH;
		jobs[i].now_ns = b->now_ns;
		if (pthread_create(&jobs[i].id, NULL, work, &jobs[i]) != 0)
			die("no thread");
	}
	for (unsigned int i = 0; i < threads; i++) {
		pthread_join(jobs[i].id, NULL);
		rate += (double)jobs[i].batches * BATCH / ((double)jobs[i].ns / 1e9);
	}
	b->now_ns = jobs[0].now_ns;
	pthread_barrier_destroy(&start);
	return rate;
}

static void two_threads(const char *name, make_packet *make, uint32_t flows)
{
	double ratio[REPEATS], one, two;
	struct bench b;

	bench_open(&b, flows < BATCH ? BATCH : flows);
	b.cfg.timeout_ns[CT_TIMEOUT_UDP] = 3600 * NS_PER_S;
	play_on(&b, traffic_udp_each, 1 + flows / BATCH, flows);
	for (unsigned int i = 0; i < REPEATS; i++) {
		one = in_threads(&b, 1, make, flows);
		two = in_threads(&b, 2, make, flows);
		ratio[i] = two / one;
	}
	printf("{\"name\":\"%s\",\"threads\":2,\"flows\":%" PRIu32 ",\"ratio\":%.2f,\"ns\":%.1f}\n",
	       name, flows, median(ratio, REPEATS), 2e9 / two);
	fflush(stdout);
	bench_close(&b);
}

/* --- beside the packets ----------------------------------------------------------------------- */

/* One that lists flows all the time, with less priority. */
struct walker {
	struct ct *ct;
	pthread_t id;
	atomic_bool done;
	uint64_t flows;
};

static uint64_t walk(struct ct *ct)
{
	static _Thread_local struct ct_view views[BATCH];
	struct ct_walk w = {};
	uint64_t flows = 0;

	while (!w.done)
		flows += ct_walk_next(ct, &w, 0, views, BATCH);
	return flows;
}

static void *walk_on(void *arg)
{
	struct walker *w = arg;

	setpriority(PRIO_PROCESS, 0, 10); /* of this thread alone */
	while (!atomic_load(&w->done))
		w->flows += walk(w->ct);
	return NULL;
}

static double timed_walk(struct bench *b, uint32_t flows)
{
	uint64_t begin = clock_now_ns();

	if (walk(b->th.ct) != flows / BATCH * BATCH)
		die("a walk does not find all flows");
	return (double)(clock_now_ns() - begin) / flows;
}

static double look_up_beside(struct bench *b, uint32_t flows, bool walked)
{
	struct walker w = {.ct = b->th.ct};
	double ns;

	if (walked && pthread_create(&w.id, NULL, walk_on, &w) != 0)
		die("no thread");
	ns = play_on(b, traffic_udp_scattered, flows / BATCH, flows);
	atomic_store(&w.done, true);
	if (walked)
		pthread_join(w.id, NULL);
	return ns;
}

/* What a listing takes, and what it costs packets that are judged meanwhile. */
static void listing(uint32_t flows)
{
	double walks[REPEATS], alone[REPEATS], beside[REPEATS];
	struct bench b;

	bench_open(&b, flows);
	b.cfg.timeout_ns[CT_TIMEOUT_UDP] = 3600 * NS_PER_S;
	create(&b, flows);
	for (unsigned int i = 0; i < REPEATS; i++) {
		walks[i] = timed_walk(&b, flows);
		alone[i] = look_up_beside(&b, flows, false);
		beside[i] = look_up_beside(&b, flows, true);
	}
	say("walk", 1, flows, median(walks, REPEATS));
	say("lookup-unwalked", 1, flows, median(alone, REPEATS));
	say("lookup-walked", 2, flows, median(beside, REPEATS));
	bench_close(&b);
}

/* ns for each event of so many flows in turn, or in disorder. */
static double note(struct bench *b, uint32_t flows, uint32_t stride)
{
	struct ct_event ev = {.type = CT_EVENT_STATE, .begins = true}; /* whoever had the slot */
	uint64_t begin = clock_now_ns();

	for (uint32_t i = 0, slot = 0; i < MILLION; i++, slot = (slot + stride) % flows) {
		ev.flow = 1 + slot;
		ct_history_note(b->history, 1 + slot, &ev);
	}
	return (double)(clock_now_ns() - begin) / MILLION;
}

static double create_again(struct bench *b, uint32_t flows, struct ct_history *history)
{
	double ns;

	b->history = history;
	ns = create(b, flows);
	expire_all(b);
	return ns;
}

/* What it costs to take note of events. */
static void history(uint32_t flows)
{
	double without[REPEATS], with[REPEATS], hot[REPEATS], cold[REPEATS];
	struct ct_history *h;
	struct bench b;

	bench_open(&b, flows);
	b.cfg.timeout_ns[CT_TIMEOUT_UDP] = 3600 * NS_PER_S;
	bench_remember(&b, 8);
	h = b.history;
	for (unsigned int i = 0; i < 3; i++) /* memory is touched, places are in disorder */
		create_again(&b, flows, h);
	for (unsigned int i = 0; i < REPEATS; i++) {
		without[i] = create_again(&b, flows, NULL);
		with[i] = create_again(&b, flows, h);
		hot[i] = note(&b, 1, 0);
		cold[i] = note(&b, flows, 0x9e3779b1u % flows | 1);
	}
	say("create-unnoted", 1, flows, median(without, REPEATS));
	say("create-noted", 1, flows, median(with, REPEATS));
	say("note-hot", 1, 1, median(hot, REPEATS));
	say("note-scattered", 1, flows, median(cold, REPEATS));
	bench_close(&b);
}

static void growth(bool quick)
{
	static const uint32_t flows[] = {1000, 10000, 100000, 1000000, 4000000};

	for (unsigned int i = 0; i < ARRAY_SIZE(flows) - (quick ? 2 : 0); i++)
		many_flows("growth", flows[i] / BATCH * BATCH);
}

static void all(bool quick, const char *only)
{
	uint64_t batches = quick ? 5000 : 100000;
	uint32_t many = quick ? 1u << 16 : MILLION;

	if (wanted("udp-hot", only))
		few_flows("udp-hot", traffic_udp, 1, batches);
	if (wanted("udp6-hot", only))
		few_flows("udp6-hot", traffic_udp6, 1, batches);
	if (wanted("tcp-hot", only))
		few_flows("tcp-hot", traffic_tcp, 1, batches);
	if (wanted("tcp-64k", only))
		few_flows("tcp-64k", traffic_tcp, 1u << 16, batches);
	if (wanted("mixed", only))
		few_flows("mixed", traffic_mixed, 1u << 14, batches);
	if (wanted("udp-1m", only))
		many_flows("udp-1m", many);
	if (wanted("threads-2-hot", only))
		two_threads("threads-2-hot", own_flow, 64);
	if (wanted("threads-2", only))
		two_threads("threads-2", own_flow, many);
	if (wanted("threads-2-fanout", only))
		two_threads("threads-2-fanout", traffic_udp_scattered, many);
	if (wanted("listing", only))
		listing(many);
	if (wanted("history", only))
		history(many);
	if (wanted("growth", only))
		growth(quick);
	if (wanted("memory", only))
		memory();
}

int main(int argc, char **argv)
{
	bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;

	all(quick, argc > 1 + quick ? argv[1 + quick] : NULL);
	return 0;
}
