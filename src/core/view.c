/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Flows and expectations as others may look at them.
 *
 * Whoever looks is less urgent than those who judge packets. If the scheduler stops it while it
 * holds a lock, packets wait; that cannot be ruled out here, only made rare. So an empty bucket is
 * not locked at all, the first flow of a bucket is asked for while others are copied, and what is
 * done under a lock is a plain copy of a few flows. Everything else comes after.
 *
 * A walk goes from bucket to bucket, and through the flows of a bucket in the order of their slots,
 * which is not that of the chain. The chain changes between two looks at it: flows come at its head
 * and go anywhere, so that a place in it means nothing later. The slot of a flow stays as long as
 * the flow does; so the next flows are those with the lowest slots above the last one taken, and
 * none is taken twice or left out, however many looks a long chain needs. A chain of more than GRAB
 * flows is walked through once for each GRAB of them. The hash is keyed, so nobody can make one.
 */

#include "core/view.h"

#include "core/end.h"
#include "core/tcp.h"

#define LOOKS	     32768 /* buckets that one call looks at, at most */
#define AHEAD	     16	   /* buckets whose first flows are asked for ahead */
#define GRAB	     16	   /* flows or expectations copied in one hold of a lock */
#define EXPECT_LOOKS 4096  /* places for expectations that one call looks at, at most */

#define FAR_BELOW (UINT32_MAX / 4) /* of the numbers before a sequence number */

/* A flow as it is in memory, with what is beside it. */
struct raw {
	struct ct_flow flow;
	uint64_t id, master;
};

/* --- telling, without a lock ------------------------------------------------------------------ */

static void tell_peer(const struct ct_tcp *tcp, enum ct_dir dir, struct ct_view_peer *ret)
{
	const struct ct_tcp_peer *p = &tcp->peer[dir];
	const struct ct_tcp_bounds b = ct_tcp_bounds(p, &tcp->peer[!dir]);

	*ret = (struct ct_view_peer){
		.end = p->end,
		.maxend = p->maxend,
		.maxwin = p->maxwin,
		.maxack = p->maxack,
		.scale = tcp->scale[dir],
		.flags = tcp->flags[dir],
		.seq_min = b.any_end ? b.seq_max - FAR_BELOW : b.end_min,
		.seq_max = b.seq_max,
		.ack_min = b.ack_min,
		.ack_max = b.ack_max,
		.any_age = b.any_end,
	};
}

static void tell_tcp(const struct ct_tcp *tcp, struct ct_view_tcp *ret)
{
	for (int d = 0; d < CT_DIR_MAX; d++)
		tell_peer(tcp, (enum ct_dir)d, &ret->peer[d]);
	ret->last_dir = tcp->last_dir;
	ret->last_index = tcp->last_index;
	ret->retrans = tcp->retrans;
}

static uint64_t left(uint64_t expires_ns, uint64_t now_ns)
{
	return expires_ns > now_ns ? expires_ns - now_ns : 0;
}

static void tell(const struct raw *raw, uint64_t now_ns, struct ct_view *ret)
{
	const struct ct_flow *f = &raw->flow;

	*ret = (struct ct_view){
		.flow = raw->id,
		.master = raw->master,
		.orig = f->orig,
		.timeout_ns = left(f->expires_ns, now_ns),
		.status = f->status,
		.state = f->state,
		.helper = f->helper,
	};
	(void)ct_tuple_invert(&ret->reply, &f->orig);
	for (int d = 0; d < CT_DIR_MAX; d++) {
		ret->packets[d] = f->packets[d];
		ret->bytes[d] = f->bytes[d];
	}
	if (f->orig.proto == CT_PROTO_TCP)
		tell_tcp(&f->l4.tcp, &ret->l4.tcp);
	else if (f->orig.proto == CT_PROTO_SCTP)
		memcpy(ret->l4.sctp.vtag, f->l4.sctp.vtag, sizeof(ret->l4.sctp.vtag));
}

/* --- copying, lock held ----------------------------------------------------------------------- */

static bool is_shown(const struct ct_flow *f)
{
	return f->status & CT_STATUS_CONFIRMED;
}

static void copy(const struct ct *ct, uint32_t slot, struct raw *ret)
{
	ret->flow = ct->arena.slots[slot];
	ret->id = ct_arena_id(&ct->arena, slot);
	ret->master = ct_arena_has_kin(&ct->arena, slot) ? ct->arena.kin[slot].master : 0;
}

/* The lowest slots, in order. */
struct choice {
	uint32_t slot[GRAB];
	unsigned int n, max;
	bool more; /* there are higher ones */
};

/* If there are too many, the highest has to leave. */
static void enlist(struct choice *c, uint32_t slot)
{
	unsigned int at;

	if (c->n == c->max) {
		c->more = true;
		if (slot > c->slot[c->n - 1])
			return;
		c->n--;
	}
	for (at = c->n++; at > 0 && c->slot[at - 1] > slot; at--)
		c->slot[at] = c->slot[at - 1];
	c->slot[at] = slot;
}

static void choose(const struct ct *ct, uint32_t bucket, uint32_t after, struct choice *c)
{
	for (uint32_t i = ct_table_first(ct, bucket); i; i = ct->arena.slots[i].next)
		if (i > after && is_shown(&ct->arena.slots[i]))
			enlist(c, i);
}

/* --- a walk ----------------------------------------------------------------------------------- */

static void go_to(struct ct_walk *w, uint32_t bucket)
{
	if (w->bucket == bucket)
		return;
	w->bucket = bucket;
	w->slot = 0;
}

/* Only to be read: packets shall not have to fetch it back. */
static void prefetch(const struct ct *ct, uint32_t slot)
{
	const char *flow = (const char *)&ct->arena.slots[slot];

	__builtin_prefetch(flow);
	__builtin_prefetch(flow + 64);
	__builtin_prefetch(flow + 128);
}

/*
 * The next buckets with flows from *bucket on, which moves on behind what was looked at. Returns
 * how many.
 */
static unsigned int scout(const struct ct *ct, uint32_t *bucket, uint32_t *looks,
			  uint32_t ret[static AHEAD])
{
	unsigned int n = 0;

	for (; n<AHEAD && * bucket <= ct->bucket_mask && * looks> 0; ++*bucket, --*looks) {
		uint32_t first = ct_table_first(ct, *bucket);

		if (!first)
			continue;
		prefetch(ct, first);
		ret[n++] = *bucket;
	}
	return n;
}

/* Up to GRAB flows of the bucket of the walk, which moves on if these are the last. */
static size_t grab(struct ct *ct, struct ct_walk *w, uint64_t now_ns, struct ct_view *ret,
		   size_t cap)
{
	struct ct_stripe *stripe = ct_table_stripe(ct, w->bucket);
	struct choice c = {.max = cap < GRAB ? (unsigned int)cap : GRAB};
	struct raw raw[GRAB];

	ct_lock(&stripe->lock);
	choose(ct, w->bucket, w->slot, &c);
	for (unsigned int i = 0; i < c.n; i++)
		copy(ct, c.slot[i], &raw[i]);
	ct_unlock(&stripe->lock);
	for (unsigned int i = 0; i < c.n; i++)
		tell(&raw[i], now_ns, &ret[i]);
	if (c.more)
		w->slot = c.slot[c.n - 1];
	else
		go_to(w, w->bucket + 1);
	return c.n;
}

static size_t take_bucket(struct ct *ct, struct ct_walk *w, uint32_t bucket, uint64_t now_ns,
			  struct ct_view *ret, size_t cap)
{
	size_t n = 0;

	go_to(w, bucket);
	while (w->bucket == bucket && n < cap)
		n += grab(ct, w, now_ns, ret + n, cap - n);
	return n;
}

size_t ct_walk_next(struct ct *ct, struct ct_walk *w, uint64_t now_ns, struct ct_view *ret,
		    size_t cap)
{
	uint32_t looks = LOOKS;
	size_t n = 0;

	while (w->bucket <= ct->bucket_mask && n < cap && looks > 0) {
		uint32_t bucket[AHEAD], behind = w->bucket;
		unsigned int found = scout(ct, &behind, &looks, bucket);

		for (unsigned int i = 0; i < found && n < cap; i++)
			n += take_bucket(ct, w, bucket[i], now_ns, ret + n, cap - n);
		if (n < cap)
			go_to(w, behind);
	}
	w->done = w->bucket > ct->bucket_mask;
	return n;
}

/* The two are not counted at once: for a moment there can be more of the latter. */
uint32_t ct_count_shown(const struct ct *ct)
{
	uint32_t all = ct_count(ct);
	uint32_t pending = atomic_load_explicit(&ct->pending, memory_order_relaxed);

	return all > pending ? all - pending : 0;
}

/* --- one flow --------------------------------------------------------------------------------- */

uint32_t ct_flow_slot(const struct ct *ct, uint64_t flow)
{
	uint32_t slot = (uint32_t)(flow ^ ct->arena.id_salt);

	return slot <= ct->arena.max ? slot : 0;
}

static bool is_in_chain(const struct ct *ct, uint32_t bucket, uint32_t slot)
{
	uint32_t i = ct_table_first(ct, bucket);

	while (i && i != slot)
		i = ct->arena.slots[i].next;
	return i;
}

/*
 * Finds a flow by its id and locks its stripe. Returns its slot, or 0 with nothing locked.
 *
 * Which lock that is tells the hash, which can change until it is held. If it does, the flow is
 * gone; and that it has not changed is told by the chain, for what is in it is guarded by its lock.
 */
static uint32_t lock_flow(struct ct *ct, uint64_t flow, uint32_t *ret_bucket)
{
	uint32_t slot = ct_flow_slot(ct, flow), bucket;

	if (slot == 0 || slot > ct_arena_high(&ct->arena))
		return 0;
	bucket = ct_table_bucket(ct, ct_flow_any_hash(&ct->arena.slots[slot]));
	ct_lock(&ct_table_stripe(ct, bucket)->lock);
	if (is_in_chain(ct, bucket, slot) && is_shown(&ct->arena.slots[slot]) &&
	    ct_arena_id(&ct->arena, slot) == flow) {
		*ret_bucket = bucket;
		return slot;
	}
	ct_unlock(&ct_table_stripe(ct, bucket)->lock);
	return 0;
}

bool ct_view_get(struct ct *ct, uint64_t flow, uint64_t now_ns, struct ct_view *ret)
{
	uint32_t bucket, slot = lock_flow(ct, flow, &bucket);
	struct raw raw;

	if (!slot)
		return false;
	copy(ct, slot, &raw);
	ct_unlock(&ct_table_stripe(ct, bucket)->lock);
	tell(&raw, now_ns, ret);
	return true;
}

bool ct_delete(struct ct_thread *th, uint64_t flow, uint64_t now_ns, struct ct_event *ret_event)
{
	struct ct *ct = th->ct;
	uint32_t bucket, slot = lock_flow(ct, flow, &bucket);
	struct ct_stripe *stripe;

	if (!slot)
		return false;
	stripe = ct_table_stripe(ct, bucket);
	ct_wheel_remove(&stripe->wheel, &ct->arena, slot);
	(void)ct_end_flow(th, bucket, slot, now_ns, CT_DEATH_DELETED, ret_event);
	ct_unlock(&stripe->lock);
	ct_end_doomed(th, now_ns);
	return true;
}

/* --- expectations ----------------------------------------------------------------------------- */

static void tell_expect(const struct ct_expect *e, uint64_t now_ns, struct ct_view_expect *ret)
{
	*ret = (struct ct_view_expect){
		.tuple = e->tuple,
		.any_src = e->any_src,
		.any_src_id = e->any_src_id,
		.permanent = e->flags & CT_EXPECT_PERMANENT,
		.inactive = e->flags & CT_EXPECT_INACTIVE,
		.helper = e->helper,
		.timeout_ns = left(e->expires_ns, now_ns),
		.master = e->master_id,
	};
}

/* Those in the next places, none of which leaves its place while it lives. */
static unsigned int grab_expects(struct ct_expects *x, uint32_t from, uint32_t to, uint64_t now_ns,
				 struct ct_expect ret[static GRAB])
{
	unsigned int n = 0;

	for (uint32_t i = from; i <= to; i++)
		__builtin_prefetch(&x->slots[i]);
	ct_lock(&x->lock);
	for (uint32_t i = from; i <= to; i++)
		if (x->slots[i].live && x->slots[i].expires_ns > now_ns)
			ret[n++] = x->slots[i];
	ct_unlock(&x->lock);
	return n;
}

static uint32_t at_most(size_t a, uint32_t b)
{
	return a < b ? (uint32_t)a : b;
}

size_t ct_expect_next(struct ct *ct, uint32_t *at, uint64_t now_ns, struct ct_view_expect *ret,
		      size_t cap)
{
	uint32_t high = ct_expect_count(ct) ? atomic_load(ct->expects.high) : 0;
	struct ct_expect raw[GRAB];
	size_t n = 0;

	for (uint32_t looks = EXPECT_LOOKS; *at < high && n < cap && looks >= GRAB; looks -= GRAB) {
		uint32_t to = *at + at_most(cap - n, at_most(high - *at, GRAB));
		unsigned int found = grab_expects(&ct->expects, *at + 1, to, now_ns, raw);

		for (unsigned int i = 0; i < found; i++)
			tell_expect(&raw[i], now_ns, &ret[n++]);
		*at = to;
	}
	if (*at >= high)
		*at = UINT32_MAX;
	return n;
}
