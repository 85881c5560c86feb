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

#include "core/datagram.h"
#include "core/sound.h"

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

static uint32_t take_slot(struct ct_fragments *f)
{
	uint32_t index = f->free;

	if (index) {
		f->free = f->datagrams[index].next;
	} else if (high_of(f) < f->max) {
		index = high_of(f) + 1;
		atomic_store_explicit(f->high, index, memory_order_relaxed);
	}
	return index;
}

static void link_datagram(struct ct_fragments *f, uint32_t index)
{
	struct ct_datagram *d = &f->datagrams[index];
	uint32_t *bucket = bucket_of(f, &d->key);

	d->next = *bucket;
	*bucket = index;
	list_append(f, CT_DATAGRAMS_BY_AGE, index);
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
	memset(d, 0, offsetof(struct ct_datagram, runs)); /* of these, nruns are valid */
	d->key = *key;
	d->generation = generation;
	d->created_ns = now_ns;
	d->state = CT_DATAGRAM_WAITING;
	link_datagram(f, index);
	return index;
}

void ct_datagram_remove(struct ct_fragments *f, uint32_t index)
{
	struct ct_datagram *d = &f->datagrams[index];
	uint32_t *link = bucket_of(f, &d->key);

	while (*link != index)
		link = &f->datagrams[*link].next;
	*link = d->next;
	list_remove(f, CT_DATAGRAMS_BY_AGE, index);
	d->state = CT_DATAGRAM_NONE;
	d->generation++; /* whoever is judging its first fragment finds that it is gone */
	d->next = f->free;
	f->free = index;
	add_to(&f->used, (uint32_t)-1);
}

/* --- of another process --------------------------------------------------------------------- */

static bool runs_make_sense(const struct ct_datagram *d)
{
	if (d->nruns > CT_RUNS_MAX)
		return false;
	for (unsigned int i = 0; i < d->nruns; i++)
		if (d->runs[i].start >= d->runs[i].end ||
		    (i > 0 && d->runs[i].start < d->runs[i - 1].end))
			return false;
	return true;
}

static bool bools_make_sense(const struct ct_datagram *d)
{
	return ct_bool_is_sound(&d->first_in) && ct_bool_is_sound(&d->last_in) &&
	       ct_bool_is_sound(&d->counted) && ct_bool_is_sound(&d->class.drop);
}

static bool makes_sense(const struct ct_datagram *d, uint64_t now_ns)
{
	return bools_make_sense(d) &&
	       (d->state == CT_DATAGRAM_SETTLED || d->state == CT_DATAGRAM_DEAD) &&
	       (d->key.family == CT_AF_INET || d->key.family == CT_AF_INET6) &&
	       d->created_ns <= now_ns && d->class.info < CT_INFO_MAX &&
	       d->class.reason < CT_REASON_MAX && runs_make_sense(d);
}

/* Those that stay move to the beginning of their table, where they are in it already. */
void ct_fragments_adopt(struct ct_fragments *f, const struct ct_datagram *from, uint32_t high,
			uint64_t now_ns, int64_t shift_ns)
{
	bool in_place = from == f->datagrams;
	uint32_t n = 0, end = in_place ? high : 0;

	for (uint32_t i = 1; i <= high && n < f->max; i++) {
		struct ct_datagram d = from[i];

		d.created_ns = ct_time_shifted(d.created_ns, shift_ns);
		if (!makes_sense(&d, now_ns) || ct_datagram_find(f, &d.key))
			continue;
		d.held_first = d.held_last = 0;
		f->datagrams[++n] = d;
		link_datagram(f, n);
	}
	for (uint32_t i = n + 1; i <= end; i++) {
		f->datagrams[i].state = CT_DATAGRAM_NONE;
		f->datagrams[i].next = f->free;
		f->free = i;
	}
	atomic_store_explicit(f->high, in_place ? high : n, memory_order_relaxed);
}

/* --- what of it has come -------------------------------------------------------------------- */

/* Joins runs that touch. */
static void close_seams(struct ct_datagram *d)
{
	unsigned int n = 0;

	for (unsigned int i = 1; i < d->nruns; i++) {
		if (d->runs[n].end == d->runs[i].start)
			d->runs[n].end = d->runs[i].end;
		else
			d->runs[++n] = d->runs[i];
	}
	d->nruns = (uint8_t)(n + 1);
}

/* Puts a run before run number at. Returns false if there is no room. */
static bool insert_run(struct ct_datagram *d, unsigned int at, uint32_t start, uint32_t end)
{
	if (d->nruns == CT_RUNS_MAX)
		return false;
	memmove(&d->runs[at + 1], &d->runs[at], (d->nruns - at) * sizeof(d->runs[0]));
	d->runs[at] = (struct ct_run){(uint16_t)start, (uint16_t)end};
	d->nruns++;
	return true;
}

/* Behind everything that has come, or in between. Returns CT_FIT_CROWDED where a slot is missing.
 */
static enum ct_fit fit(struct ct_datagram *d, uint32_t start, uint32_t end)
{
	struct ct_run *last = d->nruns > 0 ? &d->runs[d->nruns - 1] : NULL;
	unsigned int i = 0;

	if (last && start == last->end) {
		last->end = (uint16_t)end;
		return CT_FIT_NEW;
	}
	while (i < d->nruns && d->runs[i].end <= start)
		i++;
	if (i < d->nruns && d->runs[i].start < end)
		return d->runs[i].start <= start && end <= d->runs[i].end ? CT_FIT_DUPLICATE
									  : CT_FIT_OVERLAP;
	return insert_run(d, i, start, end) ? CT_FIT_NEW : CT_FIT_CROWDED;
}

enum ct_fit ct_datagram_fit(struct ct_datagram *d, uint32_t start, uint32_t end)
{
	enum ct_fit result = fit(d, start, end);

	if (result == CT_FIT_CROWDED) {
		close_seams(d);
		result = fit(d, start, end);
	}
	if (result == CT_FIT_NEW)
		d->meat += end - start;
	return result;
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
