/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The key map.
 *
 * Every control connection has at most one entry, with a key for each direction of its call, and an
 * entry is in two hashes: by master, to be found again, and each of its keys by addresses and
 * destination id, which is all that a packet shows. Two calls may look alike there, for a call id
 * is unique only to the host that chose it and the two may differ in the other one; then the older
 * key holds. So keys go to the end of their chain, and it is the control connections that pay for
 * long chains, not packets.
 *
 * The room is for as many control connections as there can be expectations. One that finds none
 * has calls like those without a helper.
 */

#include "core/helper/keymap.h"

#include <stdlib.h>

#include "core/key.h"

#define BUCKETS_MIN 64

bool ct_keymap_init(struct ct_keymap *m, uint32_t max, const struct ct_siphash_key *key)
{
	uint32_t n = BUCKETS_MIN;

	while (n < max)
		n *= 2;
	m->key = *key;
	m->max = max;
	m->bucket_mask = n - 1;
	m->slots = calloc((size_t)max + 1, sizeof(*m->slots));
	m->buckets = calloc(n, sizeof(*m->buckets));
	m->masters = calloc(n, sizeof(*m->masters));
	return m->slots && m->buckets && m->masters;
}

void ct_keymap_done(struct ct_keymap *m)
{
	free(m->slots);
	free(m->buckets);
	free(m->masters);
}

/* --- two hashes, lock held ------------------------------------------------------------------ */

static uint32_t *bucket_of(struct ct_keymap *m, const struct ct_tuple *t)
{
	const uint64_t words[] = {
		t->src.q[0],
		t->src.q[1],
		t->dst.q[0],
		t->dst.q[1],
		(uint64_t)t->dst_id_be << 8 | t->family,
	};

	return &m->buckets[ct_siphash(&m->key, words, 5) & m->bucket_mask];
}

/* Ids of flows that live at the same time differ in their low bits. */
static uint32_t *masters_of(struct ct_keymap *m, uint64_t master)
{
	return &m->masters[master & m->bucket_mask];
}

static uint32_t find_master(struct ct_keymap *m, uint64_t master)
{
	uint32_t i = *masters_of(m, master);

	while (i && m->slots[i].master != master)
		i = m->slots[i].next;
	return i;
}

/* A key is named by the slot that it is in and its direction; 0: none. */
static uint32_t key_name(uint32_t slot, enum ct_dir dir)
{
	return slot * CT_DIR_MAX + dir;
}

static const struct ct_tuple *key_tuple(const struct ct_keymap *m, uint32_t name)
{
	return &m->slots[name / CT_DIR_MAX].tuple[name % CT_DIR_MAX];
}

static uint32_t *key_next(struct ct_keymap *m, uint32_t name)
{
	return &m->slots[name / CT_DIR_MAX].next_of_bucket[name % CT_DIR_MAX];
}

static bool looks_alike(const struct ct_tuple *a, const struct ct_tuple *b)
{
	return a->dst_id_be == b->dst_id_be && a->family == b->family &&
	       memcmp(&a->src, &b->src, sizeof(a->src)) == 0 &&
	       memcmp(&a->dst, &b->dst, sizeof(a->dst)) == 0;
}

/* --- notes ---------------------------------------------------------------------------------- */

static uint32_t take_slot(struct ct_keymap *m, uint64_t master)
{
	uint32_t i = m->free, *head = masters_of(m, master);

	if (i)
		m->free = m->slots[i].next;
	else if (m->high < m->max)
		i = ++m->high;
	else
		return 0;
	m->slots[i] = (struct ct_keys){.master = master, .next = *head};
	*head = i;
	atomic_fetch_add_explicit(&m->used, 1, memory_order_relaxed);
	return i;
}

static void append(struct ct_keymap *m, uint32_t slot, enum ct_dir dir, const struct ct_tuple *t)
{
	uint32_t *link = bucket_of(m, t);

	while (*link)
		link = key_next(m, *link);
	*link = key_name(slot, dir);
	m->slots[slot].tuple[dir] = *t;
}

static bool add(struct ct_keymap *m, uint64_t master, enum ct_dir dir, const struct ct_tuple *t)
{
	uint32_t slot = find_master(m, master);

	if (slot && m->slots[slot].tuple[dir].family)
		return looks_alike(&m->slots[slot].tuple[dir], t);
	if (!slot)
		slot = take_slot(m, master);
	if (!slot)
		return false;
	append(m, slot, dir, t);
	return true;
}

bool ct_keymap_add(struct ct_keymap *m, uint64_t master, enum ct_dir dir, const struct ct_tuple *t)
{
	bool ret;

	ct_lock(&m->lock);
	ret = add(m, master, dir, t);
	ct_unlock(&m->lock);
	return ret;
}

static void drop_key(struct ct_keymap *m, uint32_t slot, enum ct_dir dir)
{
	uint32_t name = key_name(slot, dir), *link;

	if (!key_tuple(m, name)->family)
		return;
	link = bucket_of(m, key_tuple(m, name));
	while (*link != name)
		link = key_next(m, *link);
	*link = *key_next(m, name);
}

static void drop_slot(struct ct_keymap *m, uint32_t slot)
{
	uint32_t *link = masters_of(m, m->slots[slot].master);

	drop_key(m, slot, CT_DIR_ORIGINAL);
	drop_key(m, slot, CT_DIR_REPLY);
	while (*link != slot)
		link = &m->slots[*link].next;
	*link = m->slots[slot].next;
	m->slots[slot].next = m->free;
	m->free = slot;
	atomic_fetch_sub_explicit(&m->used, 1, memory_order_relaxed);
}

void ct_keymap_forget(struct ct_keymap *m, uint64_t master)
{
	uint32_t slot;

	if (ct_keymap_count(m) == 0)
		return;
	ct_lock(&m->lock);
	slot = find_master(m, master);
	if (slot)
		drop_slot(m, slot);
	ct_unlock(&m->lock);
}

void ct_keymap_look_up(struct ct_keymap *m, const struct ct_pkt *pkt, struct ct_tuple *t)
{
	uint32_t name;

	if (!ct_tuple_is_call(pkt))
		return;
	ct_lock(&m->lock);
	name = *bucket_of(m, t);
	while (name && !looks_alike(key_tuple(m, name), t))
		name = *key_next(m, name);
	if (name)
		t->src_id_be = key_tuple(m, name)->src_id_be;
	ct_unlock(&m->lock);
}
