/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/worker.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "daemon/rounds.h"
#include "daemon/seat.h"
#include "daemon/zones.h"
#include "core/adopt.h"
#include "core/history.h"
#include "core/stats.h"
#include "core/view.h"
#include "ctl/stream.h"
#include "io/nfqueue.h"
#include "log/journal.h"
#include "util/clock.h"
#include "util/thread.h"

#define RETRY_MS 10
/* Held fragments that are answered between two looks at the engine. */
#define DUE_BATCH 16
/* Flows ended between two batches, and the time from one look at the clock to the next. */
#define EXPIRED_BATCH 128
#define EXPIRY_NS     (250 * NS_PER_MS)
/* What arrives while the last packets are answered must not keep a stopping worker for ever. */
#define DRAIN_NS (500 * NS_PER_MS)

struct worker {
	/* the thread's own */
	struct ct_thread *thread; /* in memory */
	struct worker_memory *memory;
	struct worker_memory *own_memory; /* NULL: it was given */
	uint32_t inherited;		  /* packets to come that may have been judged */
	bool kept;
	struct source *source;
	const struct source_ops *ops;
	struct jlog *log;
	struct ctl_stream *stream;
	struct ct_history *history;
	size_t index;
	bool shadow;
	bool sends_round;	     /* some verdict is "repeat" */
	bool unsent;		     /* the last flush failed: try again soon */
	const struct zones *zones;   /* of interfaces */
	uint16_t queue_zone;	     /* where those say nothing */
	bool zoned;		     /* one of the two says something */
	struct source_config config; /* as the source has it */
	struct source_config config_wanted;
	uint32_t verdict[CT_CLASS_MAX]; /* [Verdict] in the kernel's numbers */
	struct packet batch[SOURCE_BATCH_MAX];
	const struct ct_input *inputs[SOURCE_BATCH_MAX];
	struct ct_fragment_due due[DUE_BATCH];
	uint64_t expiry_ns;  /* when to look for flows whose time is up again */
	bool expiry_waiting; /* there are more of them */
	struct ct_event expired[EXPIRED_BATCH];
	struct rounds sent_round;
	/* constant */
	unsigned int queue;
	int ended_fd;
	struct worker *const *peers;
	size_t npeers;
	/* between the threads */
	_Atomic(const struct daemon_conf *) published;
	_Atomic(const struct daemon_conf *) adopted;
	_Atomic uint64_t beats;
	_Atomic bool stop;
	_Atomic bool ended;
	_Atomic int error; /* valid once ended */
	sem_t done;	   /* posted as the last thing */
	/* the main thread's */
	cpu_set_t cpus; /* to run on, none: any */
	pthread_t id;
	bool running;
};

static uint32_t verdict_number(const struct conf_verdict *v)
{
	switch ((enum conf_verdict_kind)v->kind) {
	case CONF_DROP:
		return VERDICT_DROP;
	case CONF_QUEUE:
		return VERDICT_QUEUE_NR(v->queue);
	case CONF_REPEAT:
		return VERDICT_REPEAT;
	case CONF_ACCEPT:
		break;
	}
	return VERDICT_ACCEPT;
}

struct source_config worker_source_config(const struct conf *c)
{
	return (struct source_config){
		.copy_range = conf_copy_range(c),
		.max_packets = c->queue_max_packets,
		.receive_buffer = c->queue_receive_buffer,
		.fail_open = c->queue_fail_open,
	};
}

static void adopt_conf(struct worker *w)
{
	const struct daemon_conf *dc = atomic_load_explicit(&w->published, memory_order_acquire);
	const struct conf *conf = &dc->conf;

	if (w->thread->cfg == &conf->track)
		return;
	w->thread->cfg = &conf->track;
	w->zones = dc->zones;
	w->queue_zone = conf_zone_of_queue(conf, (uint16_t)w->queue);
	w->zoned = w->zones || w->queue_zone;
	w->sends_round = false;
	for (unsigned int i = 0; i < CT_CLASS_MAX; i++) {
		w->verdict[i] = verdict_number(&conf->verdict[i]);
		w->sends_round |= w->verdict[i] == VERDICT_REPEAT;
	}
	w->config_wanted = worker_source_config(conf);
	atomic_store_explicit(&w->adopted, dc, memory_order_release);
}

/* Between two batches, whose packets lie in the source. What fails is tried again after the next.
 */
static void configure_source(struct worker *w)
{
	if (w->ops->configure(w->source, &w->config_wanted) == 0)
		w->config = w->config_wanted;
}

/*
 * A packet that was sent round comes back with its class in the mark, if no rule in between keeps
 * it from the queue. It was judged then; judging it twice would make two packets of one. At an exit
 * hook every packet carries its class, which says nothing.
 */
static bool came_round(const struct worker *w, const struct packet *p)
{
	enum ct_info before;

	return w->sends_round && !w->shadow && !ct_hook_is_exit(p->in.hook) &&
	       ct_mark_decode(&w->thread->cfg->mark, p->in.mark, &before) &&
	       w->verdict[ct_info_class(before)] == VERDICT_REPEAT;
}

static void give_verdict(struct worker *w, const struct packet *p, const struct ct_result *res)
{
	uint32_t verdict = w->verdict[ct_info_class((enum ct_info)res->info)];

	if (w->shadow || (res->passed && !res->drop)) {
		w->ops->verdict(w->source, p, VERDICT_ACCEPT, false, 0);
		return;
	}
	if (res->drop) /* a helper or a clash can want that at an exit hook, too */
		verdict = VERDICT_DROP;
	if (verdict == VERDICT_REPEAT && !rounds_allow(&w->sent_round, &p->in)) {
		verdict = VERDICT_ACCEPT;
		ct_counter_add(&w->memory->circles, 1);
	}
	w->ops->verdict(w->source, p, verdict, res->mark != p->in.mark, res->mark);
}

/* To all who want to know. */
static void tell(struct worker *w, const struct ct_event *ev)
{
	jlog_push(w->log, w->index, ev);
	ctl_stream_push(w->stream, w->index, ev);
	if (w->history)
		ct_history_note(w->history, ct_flow_slot(w->thread->ct, ev->flow), ev);
}

/* The engine has judged a packet. */
static void judged(void *ctx, const struct ct_input *in, struct ct_result *res)
{
	struct worker *w = ctx;

	if (res->held)
		return;
	give_verdict(w, packet_of(in), res);
	for (unsigned int i = 0; i < res->nevents; i++)
		tell(w, &res->events[i]);
}

/* Packets of a batch, from one to before another, get their verdicts in their order. */
static void judge(struct worker *w, int from, int n)
{
	size_t pending = 0;

	for (int i = from; i < n; i++) {
		if (!came_round(w, &w->batch[i])) {
			w->inputs[pending++] = &w->batch[i].in;
			continue;
		}
		ct_track_batch(w->thread, w->inputs, pending, judged, w);
		pending = 0;
		ct_counter_add(&w->memory->rounds, 1);
		w->ops->verdict(w->source, &w->batch[i], VERDICT_ACCEPT, false, 0);
	}
	ct_track_batch(w->thread, w->inputs, pending, judged, w);
}

/*
 * The batch on which a predecessor was at work. One of its packets may have been judged to the end,
 * so that the flow knows of it, without its verdict having been noted: what the engine remembers is
 * its verdict. That has to be asked for before anything else is judged.
 */
static void judge_inherited(struct worker *w, int n)
{
	struct ct_result known;
	int judged_before = n;

	for (int i = 0; i < n && judged_before == n; i++)
		if (ct_recall(w->thread, &w->batch[i].in, &known))
			judged_before = i;
	judge(w, 0, judged_before);
	if (judged_before < n) {
		give_verdict(w, &w->batch[judged_before], &known);
		judge(w, judged_before + 1, n);
	}
	w->inherited = 0;
}

/* Behind the verdicts, so that no packet waits for it. */
static void expire(struct worker *w, uint64_t now_ns)
{
	size_t n;

	if (now_ns < w->expiry_ns && !w->expiry_waiting)
		return;
	n = ct_expire(w->thread, now_ns, w->expired, EXPIRED_BATCH, &w->expiry_waiting);
	for (size_t i = 0; i < n; i++)
		tell(w, &w->expired[i]);
	w->expiry_ns = now_ns + EXPIRY_NS;
}

static void set_zones(struct worker *w, int n)
{
	for (int i = 0; i < n; i++)
		w->batch[i].in.zone = zones_get(w->zones, w->batch[i].in.iif, w->queue_zone);
}

/*
 * Should "repeat" bring it back and a rule have taken its mark away, it is a fragment that has come
 * before, and dropped: there are no rounds to be counted.
 */
static void answer(struct worker *w, const struct ct_fragment_due *due, bool ending)
{
	const struct packet p = {.id = due->id};
	uint32_t verdict = w->verdict[ct_info_class((enum ct_info)due->info)];

	if (verdict == VERDICT_REPEAT && ending) /* nobody would be here */
		verdict = VERDICT_ACCEPT;
	w->ops->verdict(w->source, &p, due->drop ? VERDICT_DROP : verdict, due->set_mark,
			due->mark);
	if (due->has_event)
		tell(w, &due->event);
}

typedef size_t take_held(struct ct_thread *th, uint16_t queue, uint64_t now_ns,
			 struct ct_fragment_due *out, size_t cap);

static void answer_held(struct worker *w, take_held *take)
{
	uint64_t now_ns = clock_now_ns();
	size_t n;

	do {
		n = take(w->thread, (uint16_t)w->queue, now_ns, w->due, DUE_BATCH);
		for (size_t i = 0; i < n; i++)
			answer(w, &w->due[i], take == ct_fragments_release);
	} while (n == DUE_BATCH);
}

/* This thread decided packets that wait in their queues. */
static void wake_others(struct worker *w)
{
	for (size_t i = 0; i < w->npeers; i++) {
		struct worker *other = w->peers[i];

		if (ct_fragments_wakes(w->thread, (uint16_t)other->queue) && other != w)
			other->ops->wake(other->source);
	}
}

/* Memory can be short for a moment; anything else will not get better. */
static int flush(struct worker *w)
{
	int r = w->ops->flush(w->source);

	w->unsent = r < 0;
	if (r == 0)
		return 0;
	ct_counter_add(&w->memory->retries, 1);
	return r == -ENOBUFS || r == -ENOMEM || r == -EAGAIN || r == -EINTR ? 0 : r;
}

int worker_pass(struct worker *w, int timeout_ms)
{
	int n, r;

	if (w->unsent && (timeout_ms < 0 || timeout_ms > RETRY_MS))
		timeout_ms = RETRY_MS;
	if (w->expiry_waiting)
		timeout_ms = 0;
	if (!source_config_equal(&w->config, &w->config_wanted))
		configure_source(w);
	n = w->ops->receive(w->source, w->batch, timeout_ms);
	if (n < 0)
		return n;
	adopt_conf(w);
	if (w->zoned)
		set_zones(w, n);
	if (w->inherited > 0)
		judge_inherited(w, n);
	else
		judge(w, 0, n);
	if (ct_fragments_any(w->thread->ct)) {
		answer_held(w, ct_fragments_due);
		wake_others(w);
	}
	r = flush(w);
	expire(w, n > 0 ? w->batch[0].in.now_ns : clock_now_ns());
	ct_counter_add(&w->beats, 1);
	return r < 0 ? r : n;
}

/* Answers what is waiting already, without waiting for more. */
static int drain(struct worker *w)
{
	uint64_t deadline = clock_now_ns() + DRAIN_NS;
	int r;

	do {
		r = worker_pass(w, 0);
	} while ((r > 0 || (r == 0 && w->unsent)) && clock_now_ns() < deadline);
	return r < 0 ? r : 0;
}

/*
 * The queue is given back at once: as long as it is bound, packets arrive that nobody will answer.
 * If somebody keeps it, they are the successor's, and so is what is held: it goes round again.
 * Otherwise nobody but this thread can answer it.
 */
static int end(struct worker *w, int error)
{
	if (error >= 0)
		error = drain(w);
	if (!w->kept)
		answer_held(w, ct_fragments_release);
	(void)flush(w);
	w->ops->release(w->source);
	return error;
}

int worker_finish(struct worker *w)
{
	return end(w, 0);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	char name[16];
	int r = 0;

	snprintf(name, sizeof(name), "queue-%u", w->queue);
	pthread_setname_np(pthread_self(), name);
	while (r >= 0 && !atomic_load_explicit(&w->stop, memory_order_relaxed))
		r = worker_pass(w, WORKER_WAIT_MS);
	r = end(w, r);
	atomic_store(&w->error, r);
	atomic_store(&w->ended, true);
	eventfd_write(w->ended_fd, 1);
	sem_post(&w->done);
	return NULL;
}

void worker_begin_thread(struct ct_thread *th, struct ct *ct, uint32_t share, uint32_t shares)
{
	th->ct = ct;
	th->cfg = NULL;
	th->share = share;
	th->shares = shares;
	th->next_stripe = 0;
	th->next_bucket = 0;
	th->ndoomed = 0;
	memset(th->wake, 0, sizeof(th->wake));
}

/*
 * The trace is asked for later, if packets of its time are still here: ids of a queue that was
 * bound anew begin again.
 */
static void begin_thread(struct ct_thread *th, const struct worker_params *params)
{
	worker_begin_thread(th, params->ct, params->surplus ? UINT32_MAX : (uint32_t)params->index,
			    (uint32_t)params->npeers);
	if (params->inherited == 0)
		th->trace = (struct ct_trace){};
}

static void *alloc_zeroed(size_t size)
{
	void *p = NULL;

	if (posix_memalign(&p, 64, size) != 0)
		return NULL;
	return memset(p, 0, size);
}

int worker_new(struct worker **ret, const struct worker_params *params)
{
	struct worker *w = alloc_zeroed(sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->memory = params->memory;
	if (!w->memory)
		w->memory = w->own_memory = alloc_zeroed(sizeof(*w->memory));
	if (!w->memory) {
		free(w);
		return -ENOMEM;
	}
	w->thread = &w->memory->thread;
	begin_thread(w->thread, params);
	w->inherited = params->inherited;
	w->kept = params->kept;
	w->source = params->source;
	w->ops = params->source->ops;
	w->log = params->log;
	w->stream = params->stream;
	w->history = params->history;
	w->index = params->index;
	w->shadow = params->shadow;
	w->queue = params->queue;
	w->cpus = params->cpus;
	w->ended_fd = params->ended_fd;
	w->peers = params->peers;
	w->npeers = params->npeers;
	sem_init(&w->done, 0, 0);
	atomic_init(&w->published, params->conf);
	adopt_conf(w);
	w->config = w->config_wanted;
	*ret = w;
	return 0;
}

int worker_start(struct worker *w)
{
	pthread_attr_t attr;
	int r;

	r = pthread_attr_init(&attr);
	if (r != 0)
		return -r;
	if (CPU_COUNT(&w->cpus) > 0)
		r = pthread_attr_setaffinity_np(&attr, sizeof(w->cpus), &w->cpus);
	r = r != 0 ? -r : thread_start(&w->id, &attr, worker_main, w);
	w->running = r == 0;
	pthread_attr_destroy(&attr);
	return r;
}

int worker_set_cpus(struct worker *w, const cpu_set_t *cpus)
{
	w->cpus = *cpus;
	return w->running ? -pthread_setaffinity_np(w->id, sizeof(*cpus), cpus) : 0;
}

void worker_stop(struct worker *w)
{
	atomic_store_explicit(&w->stop, true, memory_order_relaxed);
	w->ops->wake(w->source);
}

bool worker_join(struct worker *w, int timeout_ms, int *ret_error)
{
	struct timespec until =
		clock_to_timespec(clock_now_ns() + (uint64_t)timeout_ms * NS_PER_MS);

	if (w->running) {
		int r;

		do
			r = sem_clockwait(&w->done, CLOCK_MONOTONIC, &until);
		while (r < 0 && errno == EINTR);
		if (r < 0)
			return false;
		pthread_join(w->id, NULL);
		w->running = false;
	}
	*ret_error = atomic_load(&w->error);
	return true;
}

struct worker *worker_free(struct worker *w)
{
	if (!w)
		return NULL;
	w->ops->close(w->source);
	sem_destroy(&w->done);
	free(w->own_memory);
	free(w);
	return NULL;
}

void worker_set_conf(struct worker *w, const struct daemon_conf *conf)
{
	atomic_store_explicit(&w->published, conf, memory_order_release);
	w->ops->wake(w->source);
}

const struct daemon_conf *worker_conf(const struct worker *w)
{
	return atomic_load_explicit(&w->adopted, memory_order_acquire);
}

uint64_t worker_beats(const struct worker *w)
{
	return atomic_load_explicit(&w->beats, memory_order_relaxed);
}

void worker_get_counts(const struct worker *w, struct worker_counts *ret)
{
	*ret = (struct worker_counts){
		.retries = atomic_load_explicit(&w->memory->retries, memory_order_relaxed),
		.rounds = atomic_load_explicit(&w->memory->rounds, memory_order_relaxed),
		.circles = atomic_load_explicit(&w->memory->circles, memory_order_relaxed),
	};
}

void worker_settle(struct worker *w, uint32_t n)
{
	nfqueue_settle(w->source, n);
}

bool worker_ended(const struct worker *w)
{
	return atomic_load(&w->ended);
}

unsigned int worker_queue(const struct worker *w)
{
	return w->queue;
}

const struct source *worker_source(const struct worker *w)
{
	return w->source;
}

const struct ct_stats *worker_stats(const struct worker *w)
{
	return &w->thread->stats;
}
