/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The loop of the daemon's worker, with a capture in place of the queue.
 *
 * The engine names flows by ids that say where they are in its table; people count them. So beside
 * the table there is an array with a place for each slot, which knows the number of the flow that
 * is in it and how its last packet left it: what the next one finds.
 *
 * Packets that are held, fragments that came before the first of their datagram, are kept until
 * they are decided, and told of then.
 */

#include "tools/ctmark-replay/replay.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "tools/ctmark-replay/kept.h"
#include "util/cleanup.h"

/* Live, flows expire so often when nothing comes. */
#define QUIET_MS      250
#define EXPIRED_BATCH 1024
#define DUE_BATCH     64
#define AHEAD	      16

/* What is known of the flow in a slot of the table. */
struct place {
	uint64_t id;	 /* the engine's, 0: nothing was here */
	uint64_t number; /* ours */
	uint64_t master; /* number of the flow that expected it */
	uint64_t expires_ns;
	uint16_t status;
	uint8_t state, helper;
};

/* A packet whose judgement is known and was not told yet. */
struct told {
	const struct ct_input *in;
	const struct capture_packet *packet;
	struct ct_result out; /* without events */
};

struct replay {
	struct replay_config config;
	void *arena;
	size_t arena_size;
	struct ct *ct;
	struct ct_thread thread;
	struct place *places; /* by slot */
	struct ct_view *views;
	uint64_t flows, packets;
	uint64_t expected; /* expectations made, as far as was told */
	struct kept *held;
	struct told waiting[AHEAD];
	size_t nwaiting;
	/* of the run */
	struct source *source;
	int stopped; /* what a sink returned, or -ENOMEM */
	struct packet batch[SOURCE_BATCH_MAX];
	struct ct_event *expired;
	size_t expired_size;
};

/* ---- sinks ---- */

static uint64_t capture_time(const struct replay *r, uint64_t now_ns)
{
	return now_ns - CAPTURE_BEGIN_NS + capture_totals(r->source)->first_ns;
}

static void tell_packet(struct replay *r, const struct record *record)
{
	for (size_t i = 0; i < r->config.nsinks && r->stopped == 0; i++) {
		struct sink *s = r->config.sinks[i];

		if (s->ops->packet)
			r->stopped = s->ops->packet(s, record);
	}
}

static void tell_ending(struct replay *r, const struct ending *ending)
{
	for (size_t i = 0; i < r->config.nsinks && r->stopped == 0; i++) {
		struct sink *s = r->config.sinks[i];

		if (s->ops->ending)
			r->stopped = s->ops->ending(s, ending);
	}
}

static void tell_done(struct replay *r, uint64_t now_ns)
{
	struct replay_totals totals = {
		.capture = capture_totals(r->source),
		.packets = r->packets,
		.flows = r->flows,
		.alive = ct_count(r->ct),
		.now_ns = capture_time(r, now_ns),
	};

	ct_stats_add(&totals.stats, &r->thread.stats);
	for (size_t i = 0; i < r->config.nsinks && r->stopped == 0; i++) {
		struct sink *s = r->config.sinks[i];

		if (s->ops->done)
			r->stopped = s->ops->done(s, &totals);
	}
}

/* ---- flows and their numbers ---- */

/* NULL: no flow of this id is known. */
static struct place *place_of(const struct replay *r, uint64_t flow)
{
	uint32_t slot = ct_flow_slot(r->ct, flow);

	return slot && r->places[slot].id == flow ? &r->places[slot] : NULL;
}

/* The place of a packet's flow as the packet found it, or that of the flow it begins. */
static struct place *enter(struct replay *r, uint64_t flow, bool *ret_first)
{
	struct place *place = place_of(r, flow);
	uint32_t slot = ct_flow_slot(r->ct, flow);

	*ret_first = !place && slot;
	if (place || !slot)
		return place;
	place = &r->places[slot];
	*place = (struct place){.id = flow, .number = ++r->flows};
	return place;
}

/* ---- ends of flows ---- */

/* When the event happened: a flow whose time was up ended then, not when that was noticed. */
static uint64_t ended_ns(const struct replay *r, const struct ct_event *ev)
{
	const struct place *place = place_of(r, ev->flow);

	if (ev->death == CT_DEATH_TIMEOUT && place && place->expires_ns < ev->time_ns)
		return place->expires_ns;
	return ev->time_ns;
}

static void end_flow(struct replay *r, const struct ct_event *ev)
{
	const struct place *place = place_of(r, ev->flow);
	const struct ending ending = {
		.begin_ns = capture_time(r, CAPTURE_BEGIN_NS),
		.time_ns = capture_time(r, ended_ns(r, ev)),
		.flow = place ? place->number : 0,
		.master = place ? place->master : 0,
		.slot = place ? (uint32_t)(place - r->places) : 0,
		.event = ev,
	};

	tell_ending(r, &ending);
}

/* By time; those of the same time as the flows began, since their order in the table is secret. */
struct expiry {
	uint64_t ns, number;
	size_t event;
};

static int by_time(const void *a, const void *b)
{
	const struct expiry *one = a, *other = b;

	if (one->ns != other->ns)
		return one->ns > other->ns ? 1 : -1;
	return (one->number > other->number) - (one->number < other->number);
}

/* Room for EXPIRED_BATCH more events behind the first n. */
static bool grow_expired(struct replay *r, size_t n)
{
	struct ct_event *events;

	if (n + EXPIRED_BATCH <= r->expired_size)
		return true;
	events = reallocarray(r->expired, n + n / 2 + EXPIRED_BATCH, sizeof(*events));
	if (!events)
		return false;
	r->expired = events;
	r->expired_size = n + n / 2 + EXPIRED_BATCH;
	return true;
}

static void end_in_order(struct replay *r, size_t n)
{
	_cleanup_free_ struct expiry *order = calloc(n, sizeof(*order));

	if (!order) {
		r->stopped = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const struct place *place = place_of(r, r->expired[i].flow);

		order[i] = (struct expiry){
			.ns = ended_ns(r, &r->expired[i]),
			.number = place ? place->number : 0,
			.event = i,
		};
	}
	qsort(order, n, sizeof(*order), by_time);
	for (size_t i = 0; i < n; i++)
		end_flow(r, &r->expired[order[i].event]);
}

static void expire(struct replay *r, uint64_t now_ns)
{
	size_t n = 0, came;

	do {
		if (!grow_expired(r, n)) {
			r->stopped = -ENOMEM;
			return;
		}
		came = ct_expire(&r->thread, now_ns, r->expired + n, EXPIRED_BATCH, NULL);
		n += came;
	} while (came == EXPIRED_BATCH);
	if (n > 0)
		end_in_order(r, n);
}

/* Ends that a packet has brought about: those of other flows come before it, its own behind it. */
static void end_flows(struct replay *r, const struct ct_result *out, bool own)
{
	for (unsigned int i = 0; i < out->nevents; i++) {
		const struct ct_event *ev = &out->events[i];

		if (ev->type == CT_EVENT_DESTROY && own == (out->has_flow && ev->flow == out->flow))
			end_flow(r, ev);
	}
}

/* ---- packets ---- */

static void look(const struct replay *r, struct record *record, struct place *place,
		 struct ct_view *before)
{
	struct ct_view *view = &r->views[place - r->places];

	if (!record->first) {
		*before = *view;
		record->view_before = before;
	}
	if (ct_view_get(r->ct, place->id, record->in->now_ns, view))
		record->view_after = view;
}

/* Since the last time that this was asked. */
static uint32_t newly_expected(struct replay *r)
{
	uint64_t all = atomic_load_explicit(&r->thread.stats.count[CT_STAT_EXPECTED],
					    memory_order_relaxed),
		 before = r->expected;

	r->expected = all;
	return (uint32_t)(all - before);
}

/* What the events of its first packet say of a flow: its helper, and who expected it. */
static void note_relations(const struct replay *r, struct place *place, const struct ct_result *out)
{
	for (unsigned int i = 0; i < out->nevents; i++) {
		const struct ct_event *ev = &out->events[i];
		const struct place *master = ev->master ? place_of(r, ev->master) : NULL;

		if (ev->flow != place->id)
			continue;
		place->helper = ev->helper;
		place->master = master ? master->number : 0;
		return;
	}
}

static void tell_of(struct replay *r, struct record *record)
{
	const struct ct_result *out = record->out;
	struct place *place;
	struct ct_view before;

	r->packets++;
	record->begin_ns = capture_time(r, CAPTURE_BEGIN_NS);
	end_flows(r, out, false);
	place = out->has_flow ? enter(r, out->flow, &record->first) : NULL;
	if (place) {
		if (record->first)
			note_relations(r, place, out);
		record->flow = place->number;
		record->master = place->master;
		record->helper = place->helper;
		record->slot = (uint32_t)(place - r->places);
		if (!record->first)
			record->before = (struct moment){
				.known = true,
				.state = place->state,
				.status = place->status,
				.timeout_ns = place->expires_ns > record->in->now_ns
						      ? place->expires_ns - record->in->now_ns
						      : 0,
			};
		if (r->views) {
			look(r, record, place, &before);
			record->expects = newly_expected(r);
		}
		place->state = out->state;
		place->status = out->status;
		place->expires_ns = record->in->now_ns + out->timeout_ns;
	}
	tell_packet(r, record);
	end_flows(r, out, true);
}

/* ---- fragments that wait ---- */

static void release(struct replay *r, const struct ct_fragment_due *due)
{
	_cleanup_free_ struct kept_packet *held = kept_take(r->held, due->id);
	struct ct_result out = {.info = due->info, .mark = due->mark, .drop = due->drop};
	struct record record = {.out = &out};

	if (!held || r->stopped)
		return;
	if (due->has_event) {
		out.reason = due->event.reason;
		out.nevents = 1;
		out.events[0] = due->event;
	}
	record.packet = &held->packet;
	record.in = &held->in;
	tell_of(r, &record);
}

typedef size_t take_held(struct ct_thread *th, uint16_t queue, uint64_t now_ns,
			 struct ct_fragment_due *out, size_t cap);

static void tell_held(struct replay *r, take_held *take, uint64_t now_ns)
{
	struct ct_fragment_due due[DUE_BATCH];
	size_t n;

	do {
		n = take(&r->thread, 0, now_ns, due, DUE_BATCH);
		for (size_t i = 0; i < n; i++)
			release(r, &due[i]);
	} while (n == DUE_BATCH);
}

static void take_due(struct replay *r, uint64_t now_ns)
{
	if (ct_fragments_any(r->ct))
		tell_held(r, ct_fragments_due, now_ns);
}

/* ---- the loop ---- */

static void tell_waiting(struct replay *r)
{
	for (size_t i = 0; i < r->nwaiting && r->stopped == 0; i++) {
		const struct told *w = &r->waiting[i];
		struct record record = {.packet = w->packet, .in = w->in, .out = &w->out};

		tell_of(r, &record);
	}
	r->nwaiting = 0;
}

/* What is known of its flow is asked from memory now, and told of a few packets later. */
static void wait_for_memory(struct replay *r, const struct ct_input *in,
			    const struct capture_packet *packet, const struct ct_result *out)
{
	uint32_t slot = out->has_flow ? ct_flow_slot(r->ct, out->flow) : 0;
	struct told *w = &r->waiting[r->nwaiting++];

	w->in = in;
	w->packet = packet;
	memcpy(&w->out, out, offsetof(struct ct_result, events));
	__builtin_prefetch(&r->places[slot], 1);
	for (size_t i = 0; i < r->config.nsinks; i++)
		if (r->config.sinks[i]->ops->ahead)
			r->config.sinks[i]->ops->ahead(r->config.sinks[i], slot);
	if (r->nwaiting == AHEAD)
		tell_waiting(r);
}

static void judged(void *ctx, const struct ct_input *in, struct ct_result *out)
{
	struct replay *r = ctx;
	const struct packet *p = packet_of(in);
	const struct capture_packet *packet = capture_packet(r->source, p->id);
	struct record record = {.packet = packet, .in = in, .out = out};

	if (r->stopped)
		return;
	if (out->held) {
		r->stopped = kept_add(r->held, packet, in);
	} else if (out->nevents == 0 && !r->views) {
		wait_for_memory(r, in, packet, out);
	} else {
		tell_waiting(r);
		if (r->stopped == 0)
			tell_of(r, &record);
	}
}

/* With views each packet has to be told of before the next one is judged. */
static void judge(struct replay *r, size_t n)
{
	const struct ct_input *inputs[SOURCE_BATCH_MAX];
	size_t step = r->views ? 1 : n;

	for (size_t i = 0; i < n; i++) {
		/* an id of its own as long as it may be held; the batch's is its index */
		r->batch[i].in.id = (uint32_t)capture_packet(r->source, r->batch[i].id)->number;
		inputs[i] = &r->batch[i].in;
	}
	for (size_t i = 0; i < n; i += step)
		ct_track_batch(&r->thread, inputs + i, step, judged, r);
	tell_waiting(r);
}

/* A batch: what has come to its end before it, its packets, and what they have decided. */
static uint64_t pass(struct replay *r, size_t n)
{
	uint64_t now_ns = r->batch[n - 1].in.now_ns;

	expire(r, r->batch[0].in.now_ns);
	take_due(r, r->batch[0].in.now_ns);
	judge(r, n);
	take_due(r, now_ns);
	return now_ns;
}

/* Nothing has come for a while, which only happens live: time goes on all the same. */
static uint64_t quiet(struct replay *r)
{
	uint64_t now_ns = capture_now_ns(r->source);

	expire(r, now_ns);
	take_due(r, now_ns);
	return now_ns;
}

int replay_run(struct replay *r, struct source *source)
{
	uint64_t now_ns = CAPTURE_BEGIN_NS;
	int n = 0;

	r->source = source;
	while (r->stopped == 0) {
		n = source->ops->receive(source, r->batch, QUIET_MS);
		if (n < 0)
			break;
		now_ns = n > 0 ? pass(r, (size_t)n) : quiet(r);
	}
	if (r->stopped == 0)
		tell_held(r, ct_fragments_release, now_ns); /* what still waits was never decided */
	tell_done(r, now_ns);
	if (r->stopped)
		return r->stopped;
	return n < 0 && n != -ENODATA ? n : 0;
}

/* ---- making one ---- */

/* Zeroed memory that is there when it is touched, in large pages if there are any. */
static void *reserve(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	(void)madvise(p, size, MADV_HUGEPAGE);
	return p;
}

static int make_table(struct replay *r, const struct replay_config *config)
{
	uint8_t key[16];
	struct ct_params params = {
		.max_flows = config->max_flows,
		.max_expect = config->max_expect,
		.max_fragmented = config->max_fragments,
		.max_held = config->track->max_held,
		.key = key,
	};

	if (getrandom(key, sizeof(key), 0) < 0)
		return -errno;
	r->arena_size = ct_arena_size(&params);
	r->arena = reserve(r->arena_size);
	if (r->arena)
		r->ct = ct_new(r->arena, r->arena_size, &params);
	return r->ct ? 0 : -ENOMEM;
}

int replay_new(struct replay **ret, const struct replay_config *config)
{
	struct replay *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->config = *config;
	err = make_table(r, config);
	if (err < 0) {
		replay_free(r);
		return err;
	}
	r->thread = (struct ct_thread){.ct = r->ct, .cfg = config->track};
	r->places = calloc(ct_max_flows(r->ct) + 1, sizeof(*r->places));
	r->held = calloc(1, sizeof(*r->held));
	if (config->views)
		r->views = calloc(ct_max_flows(r->ct) + 1, sizeof(*r->views));
	if (!r->places || !r->held || (config->views && !r->views)) {
		replay_free(r);
		return -ENOMEM;
	}
	*ret = r;
	return 0;
}

void replay_free(struct replay *r)
{
	if (!r)
		return;
	ct_free(r->ct);
	if (r->arena)
		munmap(r->arena, r->arena_size);
	free(r->places);
	free(r->views);
	if (r->held)
		kept_done(r->held);
	free(r->held);
	free(r->expired);
	free(r);
}
