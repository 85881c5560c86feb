/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What is remembered of datagrams that arrive in pieces.
 *
 * Everything lies in arrays made at the start, so that a flood of fragments costs no memory that
 * was not there before; datagrams are in the arena, since what is known of them may have to outlive
 * the process. Slots refer to each other by index. Datagrams are in a hash table and in a
 * list by age; those that packets wait for are in a second list, so that the one to give up is
 * found at once, whichever of the two limits is reached.
 *
 * A packet that waits is known by queue and id only: its bytes are in the kernel. It belongs to its
 * datagram until that is decided, then to its queue, whose worker alone can answer it.
 */

#include <stdlib.h>
#include <string.h>

#include "core/debt.h"
#include "core/key.h"
#include "core/pkt.h"
#include "core/sound.h"

/*
 * So many slots stay as they were before one is used again, while there are others, and so many
 * datagrams of the past are taken over at most: more than the packets of a batch or two.
 */
#define PAST 256

/* Slots for packets that are decided, but not answered yet: of one batch, and of slow workers. */
#define HELD_SPARE 64

static uint32_t power_of_two(uint32_t least)
{
	uint32_t n = 1;

	while (n < least)
		n *= 2;
	return n;
}

bool ct_fragments_init(struct ct_fragments *f, struct ct_arena_header *header, uint32_t max_held,
		       const struct ct_siphash_key *key)
{
	uint32_t buckets = power_of_two(header->max_datagrams);
	uint32_t slots = max_held + max_held / 4 + HELD_SPARE;

	f->key = *key;
	f->max = header->max_datagrams;
	f->datagrams = ct_arena_datagrams(header);
	f->high = &header->datagram_high;
	if (f->max == 0)
		return true;
	f->max_held = max_held;
	f->held_slots = slots;
	f->bucket_mask = buckets - 1;
	f->buckets = calloc(buckets, sizeof(*f->buckets));
	f->held = calloc((size_t)slots + 1, sizeof(*f->held));
	return f->buckets && f->held;
}

void ct_fragments_done(struct ct_fragments *f)
{
	free(f->buckets);
	free(f->held);
}

/* --- datagrams ------------------------------------------------------------------------------ */

static uint32_t *bucket_of(const struct ct_fragments *f, const struct ct_datagram_key *key)
{
	uint64_t words[sizeof(*key) / sizeof(uint64_t)];

	memcpy(words, key, sizeof(words));
	return &f->buckets[(uint32_t)ct_siphash(&f->key, words, sizeof(words) / sizeof(words[0])) &
			   f->bucket_mask];
}

uint32_t ct_datagram_find(const struct ct_fragments *f, const struct ct_datagram_key *key)
{
	uint32_t i = *bucket_of(f, key);

	while (i && memcmp(&f->datagrams[i].key, key, sizeof(*key)) != 0)
		i = f->datagrams[i].next;
	return i;
}

static void list_append(struct ct_fragments *f, enum ct_datagram_list list, uint32_t index)
{
	struct ct_datagram *d = &f->datagrams[index];

	d->next_in[list] = 0;
	d->prev_in[list] = f->newest[list];
	if (f->newest[list])
		f->datagrams[f->newest[list]].next_in[list] = index;
	else
		f->oldest[list] = index;
	f->newest[list] = index;
}

static void list_prepend(struct ct_fragments *f, enum ct_datagram_list list, uint32_t index)
{
	struct ct_datagram *d = &f->datagrams[index];

	d->prev_in[list] = 0;
	d->next_in[list] = f->oldest[list];
	if (f->oldest[list])
		f->datagrams[f->oldest[list]].prev_in[list] = index;
	else
		f->newest[list] = index;
	f->oldest[list] = index;
}

static void list_remove(struct ct_fragments *f, enum ct_datagram_list list, uint32_t index)
{
	const struct ct_datagram *d = &f->datagrams[index];

	if (d->prev_in[list])
		f->datagrams[d->prev_in[list]].next_in[list] = d->next_in[list];
	else
		f->oldest[list] = d->next_in[list];
	if (d->next_in[list])
		f->datagrams[d->next_in[list]].prev_in[list] = d->prev_in[list];
	else
		f->newest[list] = d->prev_in[list];
}

static void add_to(_Atomic uint32_t *counter, uint32_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static uint32_t high_of(const struct ct_fragments *f)
{
	return atomic_load_explicit(f->high, memory_order_relaxed);
}

static uint32_t past_max(const struct ct_fragments *f)
{
	return f->max / 4 < PAST ? f->max / 4 + 1 : PAST;
}

static uint32_t take_slot(struct ct_fragments *f)
{
	uint32_t index = f->free;

	if (f->nfree < past_max(f) && high_of(f) < f->max) {
		index = high_of(f) + 1;
		atomic_store_explicit(f->high, index, memory_order_relaxed);
	} else if (index) {
		f->free = f->datagrams[index].next;
		f->nfree--;
	}
	return index;
}

static void give_slot(struct ct_fragments *f, uint32_t index)
{
	f->datagrams[index].next = 0;
	if (f->nfree++ > 0)
		f->datagrams[f->free_last].next = index;
	else
		f->free = index;
	f->free_last = index;
}

static void link_datagram(struct ct_fragments *f, uint32_t index)
{
	struct ct_datagram *d = &f->datagrams[index];
	uint32_t *bucket = bucket_of(f, &d->key);

	d->next = *bucket;
	*bucket = index;
	add_to(&f->used, 1);
}

uint32_t ct_datagram_add(struct ct_fragments *f, const struct ct_datagram_key *key, uint64_t now_ns)
{
	uint32_t index = take_slot(f), generation;
	struct ct_datagram *d;

	if (!index)
		return 0;
	d = &f->datagrams[index];
	generation = d->generation + 1;
	ct_datagram_set_state(d, CT_DATAGRAM_NONE);
	memset(d, 0, offsetof(struct ct_datagram, runs)); /* of these, nruns are valid */
	d->key = *key;
	d->generation = generation;
	d->created_ns = now_ns;
	ct_datagram_set_state(d, CT_DATAGRAM_WAITING);
	link_datagram(f, index);
	list_append(f, CT_DATAGRAMS_BY_AGE, index);
	return index;
}

static void leave(struct ct_fragments *f, uint32_t index, enum ct_datagram_state state)
{
	struct ct_datagram *d = &f->datagrams[index];
	uint32_t *link = bucket_of(f, &d->key);

	while (*link != index)
		link = &f->datagrams[*link].next;
	*link = d->next;
	list_remove(f, CT_DATAGRAMS_BY_AGE, index);
	ct_datagram_set_state(d, state);
	d->generation++; /* whoever is judging its first fragment finds that it is gone */
	give_slot(f, index);
	add_to(&f->used, (uint32_t)-1);
}

void ct_datagram_remove(struct ct_fragments *f, uint32_t index)
{
	leave(f, index, CT_DATAGRAM_NONE);
}

void ct_datagram_complete(struct ct_fragments *f, uint32_t index)
{
	f->datagrams[index].past = ++f->npast;
	leave(f, index, CT_DATAGRAM_PAST);
}

/* --- of another process --------------------------------------------------------------------- */

static void sort_runs(struct ct_datagram *d)
{
	for (unsigned int i = 1; i < d->nruns; i++) {
		struct ct_run run = d->runs[i];
		unsigned int at = i;

		for (; at > 0 && d->runs[at - 1].start > run.start; at--)
			d->runs[at] = d->runs[at - 1];
		d->runs[at] = run;
	}
}

/* Some may be twice there, or be a part of others: runs were being moved. Sets meat as well. */
static void mend_runs(struct ct_datagram *d)
{
	unsigned int n = 0;

	if (d->nruns > CT_RUNS_MAX)
		d->nruns = 0;
	sort_runs(d);
	d->meat = 0;
	for (unsigned int i = 0; i < d->nruns; i++) {
		struct ct_run *last = n > 0 ? &d->runs[n - 1] : NULL, run = d->runs[i];

		if (run.start >= run.end)
			continue;
		if (!last || run.start >= last->end)
			d->runs[n++] = run;
		else if (run.end > last->end)
			last->end = run.end;
	}
	d->nruns = (uint8_t)n;
	for (unsigned int i = 0; i < n; i++)
		d->meat += d->runs[i].end - d->runs[i].start;
}

static bool bools_make_sense(const struct ct_datagram *d)
{
	return ct_bool_is_sound(&d->again) && ct_bool_is_sound(&d->first_in) &&
	       ct_bool_is_sound(&d->last_in) && ct_bool_is_sound(&d->counted) &&
	       ct_bool_is_sound(&d->class.drop);
}

static bool makes_sense(const struct ct_datagram *d, uint64_t now_ns)
{
	return bools_make_sense(d) &&
	       (d->key.family == CT_AF_INET || d->key.family == CT_AF_INET6) &&
	       d->created_ns <= now_ns && d->class.info < CT_INFO_MAX &&
	       d->class.reason < CT_REASON_MAX && d->dir < CT_DIR_MAX;
}

/* One adoption. */
struct legacy {
	struct ct_fragments *f;
	const struct ct_datagram *from;
	uint32_t high;
	bool in_place;
	uint32_t next; /* copied: the slot for the next one */
	uint64_t past; /* those that have passed, from this one on */
	uint64_t now_ns;
	int64_t shift_ns;
};

/* Where it has memory of its own a datagram takes the next slot. */
static uint32_t slot_for(struct legacy *l, uint32_t i)
{
	if (l->in_place)
		return i;
	return l->next < l->f->max ? ++l->next : 0;
}

static bool is_past(const struct ct_datagram *d)
{
	return (d->state == CT_DATAGRAM_PAST || d->state == CT_DATAGRAM_SETTLED) && d->past;
}

static bool is_under_way(const struct ct_datagram *d)
{
	return d->state == CT_DATAGRAM_DEAD || (d->state == CT_DATAGRAM_SETTLED && !d->past);
}

static uint32_t count_past(const struct legacy *l, uint64_t since)
{
	uint32_t n = 0;

	for (uint32_t i = 1; i <= l->high; i++)
		n += is_past(&l->from[i]) && l->from[i].past >= since;
	return n;
}

/* The one from which on there are not too many of them. */
static uint64_t find_past(const struct legacy *l)
{
	uint64_t low = 0, high = UINT64_MAX;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (count_past(l, middle) > past_max(l->f))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void adopt_one(struct legacy *l, uint32_t i)
{
	struct ct_datagram d = l->from[i];
	uint32_t slot;

	d.created_ns = ct_time_shifted(d.created_ns, l->shift_ns);
	if (!makes_sense(&d, l->now_ns) || ct_datagram_find(l->f, &d.key))
		return;
	slot = slot_for(l, i);
	if (!slot)
		return;
	mend_runs(&d);
	d.held_first = d.held_last = 0;
	d.again = true;
	if (d.past > l->f->npast)
		l->f->npast = d.past;
	d.state = d.state == CT_DATAGRAM_DEAD ? CT_DATAGRAM_DEAD : CT_DATAGRAM_SETTLED;
	l->f->datagrams[slot] = d;
	link_datagram(l->f, slot);
	if (d.past)
		list_prepend(l->f, CT_DATAGRAMS_BY_AGE, slot);
	else
		list_append(l->f, CT_DATAGRAMS_BY_AGE, slot);
}

/*
 * Those under way first, since another one with the same key may have passed before; what has
 * passed is the first to go if there is no room. In place a process that dies here leaves them as
 * they were, or adopted.
 */
static void adopt_each(struct legacy *l)
{
	for (uint32_t i = 1; i <= l->high; i++)
		if (is_under_way(&l->from[i]))
			adopt_one(l, i);
	for (uint32_t i = 1; i <= l->high; i++)
		if (is_past(&l->from[i]) && l->from[i].past >= l->past)
			adopt_one(l, i);
}

static bool is_linked(const struct ct_fragments *f, uint32_t index)
{
	uint32_t i = *bucket_of(f, &f->datagrams[index].key);

	while (i && i != index)
		i = f->datagrams[i].next;
	return i;
}

void ct_fragments_adopt(struct ct_fragments *f, const struct ct_datagram *from, uint32_t high,
			uint64_t now_ns, int64_t shift_ns)
{
	struct legacy l = {
		.f = f,
		.from = from,
		.high = high,
		.in_place = from == f->datagrams,
		.now_ns = now_ns,
		.shift_ns = shift_ns,
	};

	l.past = find_past(&l);
	adopt_each(&l);
	for (uint32_t i = 1; l.in_place && i <= high; i++) {
		if (is_linked(f, i))
			continue;
		ct_datagram_set_state(&f->datagrams[i], CT_DATAGRAM_NONE);
		give_slot(f, i);
	}
	atomic_store_explicit(f->high, l.in_place ? high : l.next, memory_order_relaxed);
}

void ct_datagram_settle(struct ct_datagram *d, uint32_t index, struct ct_trace *t,
			const struct ct_flow *f, uint64_t flow)
{
	mend_runs(d);
	d->class = (struct ct_fragment_class){
		.status = t->status,
		.info = t->info,
		.reason = t->reason,
		.drop = t->drop,
	};
	d->counted = t->counted;
	d->dir = t->dir;
	d->flow = flow;
	d->tuple = f->orig;
	if (t->dir == CT_DIR_REPLY)
		(void)ct_tuple_invert(&d->tuple, &f->orig);
	d->tcp_end = t->tcp_end;
	if (d->counted && d->meat > d->first_len)
		ct_debt_begin(&t->debt, d, index, (struct ct_run){0}, d->meat - d->first_len);
	ct_datagram_set_state(d, CT_DATAGRAM_SETTLED);
}

/* --- what of it has come -------------------------------------------------------------------- */

/*
 * Whatever is changed here may be the last thing that the process does. So every store leaves the
 * same bytes covered as before, or those that shall be; that some are covered twice, or runs out of
 * order, is mended by the heir.
 */
static void put_run(struct ct_datagram *d, unsigned int at, struct ct_run run)
{
	atomic_signal_fence(memory_order_seq_cst);
	*(volatile uint32_t *)&d->runs[at].word = run.word;
	atomic_signal_fence(memory_order_seq_cst);
}

/* Joins runs that touch. */
static void close_seams(struct ct_datagram *d)
{
	unsigned int n = 0;

	for (unsigned int i = 1; i < d->nruns; i++) {
		struct ct_run run = d->runs[i];

		if (d->runs[n].end == run.start)
			run.start = d->runs[n].start;
		else
			n++;
		put_run(d, n, run);
	}
	ct_store_behind(&d->nruns, (uint8_t)(n + 1));
}

/* Puts a run before run number at, there being room. */
static void insert_run(struct ct_datagram *d, unsigned int at, struct ct_run run)
{
	unsigned int n = d->nruns;

	put_run(d, n, at < n ? d->runs[n - 1] : run);
	ct_store_behind(&d->nruns, (uint8_t)(n + 1));
	for (unsigned int i = n; i > at + 1; i--)
		put_run(d, i - 1, d->runs[i - 2]);
	put_run(d, at, run);
}

/* Does it go on where the last run ends? */
static bool extends_last(const struct ct_datagram *d, uint32_t start)
{
	return d->nruns > 0 && start == d->runs[d->nruns - 1].end;
}

/* The first run that ends behind start. */
static unsigned int place_of(const struct ct_datagram *d, uint32_t start)
{
	unsigned int i = 0;

	while (i < d->nruns && d->runs[i].end <= start)
		i++;
	return i;
}

/* Returns CT_FIT_CROWDED where a slot is missing. */
static enum ct_fit fit(const struct ct_datagram *d, uint32_t start, uint32_t end)
{
	unsigned int i = place_of(d, start);

	if (extends_last(d, start))
		return CT_FIT_NEW;
	if (i < d->nruns && d->runs[i].start < end)
		return d->runs[i].start <= start && end <= d->runs[i].end ? CT_FIT_DUPLICATE
									  : CT_FIT_OVERLAP;
	return d->nruns < CT_RUNS_MAX ? CT_FIT_NEW : CT_FIT_CROWDED;
}

enum ct_fit ct_datagram_fit(struct ct_datagram *d, uint32_t start, uint32_t end)
{
	enum ct_fit result = fit(d, start, end);

	if (result == CT_FIT_CROWDED) {
		close_seams(d);
		result = fit(d, start, end);
	}
	return result;
}

void ct_datagram_note(struct ct_datagram *d, uint32_t start, uint32_t end)
{
	struct ct_run run = {.start = (uint16_t)start, .end = (uint16_t)end};

	if (extends_last(d, start)) {
		run.start = d->runs[d->nruns - 1].start;
		put_run(d, d->nruns - 1U, run);
	} else {
		insert_run(d, place_of(d, start), run);
	}
	d->meat += end - start;
}

bool ct_datagram_knows(const struct ct_datagram *d, uint32_t start, uint32_t end)
{
	for (unsigned int i = 0; i < d->nruns && i < CT_RUNS_MAX; i++)
		if (d->runs[i].start <= start && end <= d->runs[i].end)
			return true;
	return false;
}

/* --- packets that wait ---------------------------------------------------------------------- */

uint32_t ct_held_add(struct ct_fragments *f, uint32_t index)
{
	struct ct_datagram *d = &f->datagrams[index];
	uint32_t held = f->held_free;

	if (held)
		f->held_free = f->held[held].next;
	else if (f->held_high < f->held_slots)
		held = ++f->held_high;
	else
		return 0;
	f->held[held].next = 0;
	if (d->held_first)
		f->held[d->held_last].next = held;
	else
		d->held_first = held;
	if (d->held_first == held)
		list_append(f, CT_DATAGRAMS_HOLDING, index);
	d->held_last = held;
	f->waiting++;
	add_to(&f->nheld, 1);
	return held;
}

void ct_held_unlink(struct ct_fragments *f, uint32_t index, uint32_t prev, uint32_t held)
{
	struct ct_datagram *d = &f->datagrams[index];
	uint32_t next = f->held[held].next;

	if (prev)
		f->held[prev].next = next;
	else
		d->held_first = next;
	if (d->held_last == held)
		d->held_last = prev;
	if (!d->held_first)
		list_remove(f, CT_DATAGRAMS_HOLDING, index);
	f->waiting--;
}

void ct_held_due(struct ct_fragments *f, uint32_t held)
{
	struct ct_due_list *due = &f->due[f->held[held].queue % CT_DUE_LISTS];

	f->held[held].next = 0;
	if (due->first)
		f->held[due->last].next = held;
	else
		due->first = held;
	due->last = held;
}

uint32_t ct_held_take(struct ct_fragments *f, uint16_t queue)
{
	struct ct_due_list *due = &f->due[queue % CT_DUE_LISTS];
	uint32_t prev = 0, held = due->first;

	while (held && f->held[held].queue != queue) {
		prev = held;
		held = f->held[held].next;
	}
	if (!held)
		return 0;
	if (prev)
		f->held[prev].next = f->held[held].next;
	else
		due->first = f->held[held].next;
	if (due->last == held)
		due->last = prev;
	return held;
}

void ct_held_free(struct ct_fragments *f, uint32_t held)
{
	f->held[held].next = f->held_free;
	f->held_free = held;
	add_to(&f->nheld, (uint32_t)-1);
}
