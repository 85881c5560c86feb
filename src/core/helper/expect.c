/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The table of expectations.
 *
 * Found by where the expected flow will go: destination, port, protocol, zone. Where it comes from
 * may be open, so the candidates of a bucket are compared one by one, the newest first. An
 * expectation is met once and gone, unless it is permanent; one that is never met goes with its
 * time or with its master, whichever ends first, so it cannot be met after its master is gone.
 *
 * Helpers are talked into expecting by whoever writes to a control connection. What that can cost
 * is bounded four times: by the class of the helper (where the oldest makes room for the newest),
 * by the table, by time, and by what may be expected in one place: that is one bucket whatever the
 * key, so one client who asks thousands of servers would make the table a list.
 *
 * Expired entries stay until somebody comes by: every walk removes those it meets, and the clock
 * sweeps through the rest.
 */

#include <stdlib.h>

#include "core/helper/helper.h"
#include "core/sound.h"
#include "core/traced.h"

#define BUCKETS_MIN 64
#define SWEEP	    1024 /* slots looked at in one call */
#define BUCKET_MAX  32	 /* expectations in one */

bool ct_expects_init(struct ct_expects *x, struct ct_arena_header *header,
		     const struct ct_siphash_key *key)
{
	uint32_t n = BUCKETS_MIN;

	while (n < header->max_expect)
		n *= 2;
	x->slots = ct_arena_expects(header);
	x->high = &header->expect_high;
	x->max = header->max_expect;
	x->bucket_mask = n - 1;
	x->key = *key;
	x->buckets = calloc(n, sizeof(*x->buckets));
	return x->buckets;
}

void ct_expects_done(struct ct_expects *x)
{
	free(x->buckets);
}

uint32_t ct_expect_count(const struct ct *ct)
{
	return atomic_load_explicit(&ct->expects.used, memory_order_relaxed);
}

static uint32_t *bucket_of(struct ct_expects *x, const struct ct_tuple *t)
{
	const uint64_t words[] = {
		t->dst.q[0],
		t->dst.q[1],
		(uint64_t)t->dst_id_be << 32 | (uint64_t)t->zone << 16 | (uint64_t)t->proto << 8 |
			t->family,
	};

	return &x->buckets[ct_siphash(&x->key, words, 3) & x->bucket_mask];
}

/* --- taking in and out, lock held ------------------------------------------------------- */

static uint32_t high_of(const struct ct_expects *x)
{
	return atomic_load_explicit(x->high, memory_order_relaxed);
}

static uint32_t take_slot(struct ct_expects *x)
{
	uint32_t i = x->free;

	if (i) {
		x->free = x->slots[i].next;
	} else if (high_of(x) < x->max) {
		i = high_of(x) + 1;
		atomic_store_explicit(x->high, i, memory_order_relaxed);
	}
	if (i)
		atomic_fetch_add_explicit(&x->used, 1, memory_order_relaxed);
	return i;
}

/* Behind everything else that is said of it, for a process that finds it left behind. */
static void set_live(struct ct_expect *e, bool live)
{
	ct_store_behind(&e->live, live);
}

static void unlink_sibling(struct ct *ct, uint32_t index)
{
	struct ct_expect *e = &ct->expects.slots[index];
	uint32_t *link = &ct->arena.kin[e->master].expects;

	while (*link != index)
		link = &ct->expects.slots[*link].sibling;
	*link = e->sibling;
}

static void drop_expect(struct ct *ct, uint32_t index)
{
	struct ct_expects *x = &ct->expects;
	struct ct_expect *e = &x->slots[index];
	uint32_t *link = bucket_of(x, &e->tuple);

	while (*link != index)
		link = &x->slots[*link].next;
	*link = e->next;
	unlink_sibling(ct, index);
	set_live(e, false);
	e->next = x->free;
	x->free = index;
	atomic_fetch_sub_explicit(&x->used, 1, memory_order_relaxed);
}

static void put_expect(struct ct *ct, uint32_t index, uint32_t master,
		       const struct ct_expect_spec *spec, uint64_t now_ns)
{
	struct ct_expects *x = &ct->expects;
	uint32_t *bucket = bucket_of(x, &spec->tuple), *head = &ct->arena.kin[master].expects;

	x->slots[index] = (struct ct_expect){
		.tuple = spec->tuple,
		.expires_ns = now_ns + spec->timeout_ns,
		.master_id = ct_arena_id(&ct->arena, master),
		.master = master,
		.next = *bucket,
		.sibling = *head,
		.any_src = spec->any_src,
		.any_src_id = spec->any_src_id,
		.class = spec->class,
		.flags = spec->flags,
		.helper = spec->helper,
	};
	set_live(&x->slots[index], true);
	*bucket = index;
	*head = index;
}

/* --- comparing ---------------------------------------------------------------------------- */

/* Same place to go, and no source that tells them apart. */
static bool overlap(const struct ct_tuple *a, const struct ct_tuple *b, bool any_src,
		    bool any_src_id)
{
	return a->dst_id_be == b->dst_id_be && a->proto == b->proto && a->family == b->family &&
	       a->zone == b->zone && memcmp(&a->dst, &b->dst, sizeof(a->dst)) == 0 &&
	       (any_src_id || a->src_id_be == b->src_id_be) &&
	       (any_src || memcmp(&a->src, &b->src, sizeof(a->src)) == 0);
}

static bool same(const struct ct_expect *e, const struct ct_expect_spec *spec)
{
	return e->any_src == spec->any_src && e->any_src_id == spec->any_src_id &&
	       overlap(&e->tuple, &spec->tuple, e->any_src, e->any_src_id);
}

static bool clashes(const struct ct_expect *e, const struct ct_expect_spec *spec)
{
	return overlap(&e->tuple, &spec->tuple, e->any_src || spec->any_src,
		       e->any_src_id || spec->any_src_id);
}

/* The first entry of the bucket that is still in time, from *link on; 0: none is. */
static uint32_t first_live(struct ct *ct, uint32_t index, uint64_t now_ns)
{
	while (index && ct->expects.slots[index].expires_ns <= now_ns) {
		uint32_t next = ct->expects.slots[index].next;

		drop_expect(ct, index);
		index = next;
	}
	return index;
}

/* --- expecting ------------------------------------------------------------------------------ */

/* What is there already; the same by the same master is dropped, to be renewed. */
static enum ct_expect_error make_way(struct ct *ct, uint32_t master,
				     const struct ct_expect_spec *spec, uint64_t now_ns)
{
	struct ct_expects *x = &ct->expects;
	uint32_t i = first_live(ct, *bucket_of(x, &spec->tuple), now_ns), n = 0;

	for (; i; i = first_live(ct, x->slots[i].next, now_ns)) {
		const struct ct_expect *e = &x->slots[i];

		n++;
		if ((spec->skip_master || e->master == master) && same(e, spec)) {
			if (e->class != spec->class || e->master != master)
				return CT_EXPECT_ALREADY;
			drop_expect(ct, i);
			return CT_EXPECT_OK;
		}
		if (clashes(e, spec))
			return CT_EXPECT_BUSY;
	}
	return n < BUCKET_MAX ? CT_EXPECT_OK : CT_EXPECT_FULL;
}

/* The oldest of a class makes room; expired ones go first. */
static void limit_class(struct ct *ct, uint32_t master, uint8_t class, unsigned int max,
			uint64_t now_ns)
{
	struct ct_expect *slots = ct->expects.slots;
	uint32_t oldest = 0, next;
	unsigned int n = 0;

	for (uint32_t i = ct->arena.kin[master].expects; i; i = next) {
		next = slots[i].sibling;
		if (slots[i].expires_ns <= now_ns) {
			drop_expect(ct, i);
		} else if (slots[i].class == class) {
			oldest = i;
			n++;
		}
	}
	if (max && n >= max)
		drop_expect(ct, oldest);
}

static enum ct_expect_error add(struct ct *ct, uint32_t master, const struct ct_expect_spec *spec,
				unsigned int policy_max, uint64_t now_ns)
{
	enum ct_expect_error error = make_way(ct, master, spec, now_ns);
	uint32_t i;

	if (error != CT_EXPECT_OK)
		return error;
	limit_class(ct, master, spec->class, policy_max, now_ns);
	i = take_slot(&ct->expects);
	if (!i)
		return CT_EXPECT_FULL;
	put_expect(ct, i, master, spec, now_ns);
	return CT_EXPECT_OK;
}

enum ct_expect_error ct_expect_add(struct ct *ct, uint32_t master,
				   const struct ct_expect_spec *spec, unsigned int policy_max,
				   uint64_t now_ns)
{
	enum ct_expect_error error;

	ct_lock(&ct->expects.lock);
	error = add(ct, master, spec, policy_max, now_ns);
	ct_unlock(&ct->expects.lock);
	return error;
}

/* --- meeting -------------------------------------------------------------------------------- */

/* It is met, and no more, unless the packet that met it is never heard of. */
static void spend(struct ct_thread *th, uint32_t index)
{
	ct_trace_spend(th, &th->ct->expects.slots[index]);
	drop_expect(th->ct, index);
}

/* Of two for the two directions of one flow, the other one has had its chance. */
static void drop_twin(struct ct_thread *th, const struct ct_expect *met)
{
	struct ct_expects *x = &th->ct->expects;
	struct ct_tuple inverse;

	if (!ct_tuple_invert(&inverse, &met->tuple))
		return;
	for (uint32_t i = *bucket_of(x, &inverse); i; i = x->slots[i].next) {
		if (x->slots[i].master != met->master ||
		    !ct_tuple_equal(&x->slots[i].tuple, &inverse))
			continue;
		spend(th, i);
		return;
	}
}

static bool meet(struct ct_thread *th, const struct ct_tuple *t, uint64_t now_ns,
		 struct ct_expect *ret)
{
	struct ct *ct = th->ct;
	struct ct_expects *x = &ct->expects;
	uint32_t i = first_live(ct, *bucket_of(x, t), now_ns);

	for (; i; i = first_live(ct, x->slots[i].next, now_ns)) {
		const struct ct_expect *e = &x->slots[i];

		if (e->flags & CT_EXPECT_INACTIVE ||
		    !overlap(&e->tuple, t, e->any_src, e->any_src_id))
			continue;
		*ret = *e;
		if (!(e->flags & CT_EXPECT_PERMANENT))
			spend(th, i);
		if (ret->flags & CT_EXPECT_PAIR)
			drop_twin(th, ret);
		return true;
	}
	return false;
}

bool ct_expect_meet(struct ct_thread *th, const struct ct_tuple *t, uint64_t now_ns,
		    struct ct_expect *ret)
{
	struct ct *ct = th->ct;
	bool met;

	if (ct_expect_count(ct) == 0)
		return false;
	ct_lock(&ct->expects.lock);
	met = meet(th, t, now_ns, ret);
	ct_unlock(&ct->expects.lock);
	return met;
}

static bool foreign(struct ct *ct, uint32_t master, const struct ct_expect_spec *spec,
		    uint64_t now_ns)
{
	const struct ct_flow *flows = ct->arena.slots;
	struct ct_expects *x = &ct->expects;
	uint32_t i = first_live(ct, *bucket_of(x, &spec->tuple), now_ns);

	for (; i; i = first_live(ct, x->slots[i].next, now_ns)) {
		const struct ct_expect *e = &x->slots[i];

		if (overlap(&e->tuple, &spec->tuple, e->any_src, e->any_src_id))
			return e->master != master && e->class == spec->class &&
			       flows[e->master].helper == flows[master].helper &&
			       flows[e->master].orig.proto == flows[master].orig.proto;
	}
	return false;
}

bool ct_expect_foreign(struct ct *ct, uint32_t master, const struct ct_expect_spec *spec,
		       uint64_t now_ns)
{
	bool ret;

	if (ct_expect_count(ct) == 0)
		return false;
	ct_lock(&ct->expects.lock);
	ret = foreign(ct, master, spec, now_ns);
	ct_unlock(&ct->expects.lock);
	return ret;
}

void ct_expect_cancel(struct ct *ct, const struct ct_tuple *t)
{
	struct ct_expects *x = &ct->expects;
	uint32_t i;

	if (ct_expect_count(ct) == 0)
		return;
	ct_lock(&x->lock);
	i = *bucket_of(x, t);
	while (i && !overlap(&x->slots[i].tuple, t, x->slots[i].any_src, x->slots[i].any_src_id))
		i = x->slots[i].next;
	if (i)
		drop_expect(ct, i);
	ct_unlock(&x->lock);
}

/* --- a master's ------------------------------------------------------------------------------- */

void ct_expect_forget(struct ct *ct, uint32_t master)
{
	uint32_t *head = &ct->arena.kin[master].expects;

	ct_lock(&ct->expects.lock);
	while (*head)
		drop_expect(ct, *head);
	ct_unlock(&ct->expects.lock);
}

void ct_expect_each(struct ct *ct, uint32_t master, uint64_t now_ns, ct_expect_visit *visit,
		    void *ctx)
{
	struct ct_expect *slots = ct->expects.slots;
	uint32_t next;
	bool on = true;

	ct_lock(&ct->expects.lock);
	for (uint32_t i = ct->arena.kin[master].expects; i && on; i = next) {
		bool remove = slots[i].expires_ns <= now_ns;

		next = slots[i].sibling;
		if (!remove)
			on = visit(&slots[i], ctx, &remove);
		if (remove)
			drop_expect(ct, i);
	}
	ct_unlock(&ct->expects.lock);
}

/* --- of another process ----------------------------------------------------------------------- */

static bool has_master(const struct ct *ct, const struct ct_expect *e)
{
	const struct ct_arena *a = &ct->arena;

	return e->master > 0 && e->master <= ct_arena_high(a) &&
	       a->slots[e->master].life == CT_LIFE_WHOLE && ct_arena_has_kin(a, e->master) &&
	       ct_arena_id(a, e->master) == e->master_id;
}

static bool makes_sense(const struct ct *ct, const struct ct_expect *e, uint64_t now_ns)
{
	return ct_tuple_is_sound(&e->tuple) && e->helper < CT_HELPER_MAX &&
	       e->class < CT_CLASSES_MAX && e->expires_ns > now_ns &&
	       e->expires_ns - now_ns <= CT_LIFE_NS_MAX && has_master(ct, e);
}

/* Both lists have the newest first; of a class, that is the one which lives longest. */
static void link_expect(struct ct *ct, uint32_t index)
{
	struct ct_expect *slots = ct->expects.slots, *e = &slots[index];
	uint32_t *link = bucket_of(&ct->expects, &e->tuple);

	while (*link && slots[*link].expires_ns > e->expires_ns)
		link = &slots[*link].next;
	e->next = *link;
	*link = index;
	link = &ct->arena.kin[e->master].expects;
	while (*link && slots[*link].expires_ns > e->expires_ns)
		link = &slots[*link].sibling;
	e->sibling = *link;
	*link = index;
}

/* Is there another one like this? */
static bool is_known(const struct ct_expect *slots, uint32_t high, const struct ct_expect *e)
{
	for (uint32_t i = 1; i <= high; i++)
		if (slots[i].live && slots[i].master_id == e->master_id &&
		    slots[i].class == e->class && ct_tuple_equal(&slots[i].tuple, &e->tuple))
			return true;
	return false;
}

void ct_expects_put_back(struct ct_arena_header *header, const struct ct_expect *e)
{
	struct ct_expect *slots = ct_arena_expects(header);
	uint32_t high = header->expect_high, i = 1;

	if (is_known(slots, high, e))
		return;
	while (i <= high && slots[i].live)
		i++;
	if (i > header->max_expect)
		return;
	set_live(&slots[i], false);
	slots[i] = *e;
	slots[i].live = false;
	if (i > high)
		atomic_store_explicit(&header->expect_high, i, memory_order_relaxed);
	set_live(&slots[i], true);
}

/* Where they are in their own table already, those that stay move to its beginning. */
uint32_t ct_expects_adopt(struct ct *ct, struct ct_expect *from, uint32_t high, uint64_t now_ns,
			  int64_t shift_ns, uint32_t *ret_lost)
{
	struct ct_expects *x = &ct->expects;
	uint32_t n = 0, lost = 0;

	for (uint32_t i = 1; i <= high; i++) {
		struct ct_expect e = from[i];

		if (!e.live)
			continue;
		e.expires_ns = ct_time_shifted(e.expires_ns, shift_ns);
		set_live(&from[i], false);
		if (n == x->max || !makes_sense(ct, &e, now_ns)) {
			lost += e.expires_ns > now_ns;
			continue;
		}
		x->slots[++n] = e;
		link_expect(ct, n);
	}
	for (uint32_t i = high_of(x); from == x->slots && i > n; i--) {
		x->slots[i].next = x->free;
		x->free = i;
	}
	if (from != x->slots)
		atomic_store_explicit(x->high, n, memory_order_relaxed);
	atomic_store_explicit(&x->used, n, memory_order_relaxed);
	*ret_lost = lost;
	return n;
}

/* --- time ---------------------------------------------------------------------------------------
 */

void ct_expect_expire(struct ct *ct, uint64_t now_ns)
{
	struct ct_expects *x = &ct->expects;
	uint32_t high;

	if (ct_expect_count(ct) == 0)
		return;
	ct_lock(&x->lock);
	high = high_of(x);
	for (uint32_t looks = high < SWEEP ? high : SWEEP; looks > 0; looks--) {
		x->sweep = x->sweep < high ? x->sweep + 1 : 1;
		if (x->slots[x->sweep].live && x->slots[x->sweep].expires_ns <= now_ns)
			drop_expect(ct, x->sweep);
	}
	ct_unlock(&x->lock);
}
