/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A table out of memory that another process has left behind.
 *
 * Everything that is known of a flow is in its entry; index, timers and the list of free slots are
 * made anew from the entries. So a process that was killed, at whatever instruction, leaves a table
 * that the next one can use, if it looks at each entry by itself:
 *
 * - an entry whose flow is not complete does not say that it is one (arena.c);
 * - one that a packet was at work on is put back to what it was before that packet, which the trace
 *   of the thread knows (trace.c), with what its helper remembered and with the expectation that
 *   the packet had met; the packet comes again;
 * - one that was about to end ends;
 * - one that makes no sense is given up (sound.c), and no other for its sake.
 *
 * So nothing is known to the next process that the last one did not know, and as long as all
 * packets have waited meanwhile, nothing less. If some may have passed, established TCP connections
 * have to learn their windows anew from the packets to come, like those that are picked up in
 * mid-stream: ct_relax() is for that. The kernel does less when its hooks are registered again
 * (semantics 1): its windows begin anew, too, but at once they are as strict as before, and a
 * sender who is ahead of what its own window suggests is INVALID until the other side has answered.
 *
 * Where the table has another size than before, flows are copied, each to the slot of the same
 * number, since that is in its id; those whose slot is no more take a free one. If there are more
 * flows than slots, those that are not ASSURED have to stay behind, as when a table is full.
 *
 * In place, all of this can be interrupted and begun again.
 */

#include "core/adopt.h"

#include "core/debt.h"
#include "core/helper/call.h"
#include "core/sound.h"
#include "core/tcp.h"
#include "core/traced.h"

/* Flows whose buckets are asked for ahead. */
#define AHEAD 8

/* One adoption. */
struct heir {
	struct ct *ct;
	const struct ct_estate *estate;
	struct ct_arena from;
	bool in_place;
	uint32_t next_free; /* copied: slots up to here are taken, or were passed over */
	struct ct_adopted *done;
};

/* The slot of a flow by its id, which may be of one that is gone: then 0. */
static uint32_t slot_of(const struct ct_arena *a, uint64_t id)
{
	uint32_t index = (uint32_t)(id ^ a->id_salt);

	if (index == 0 || index > ct_arena_high(a) || a->slots[index].life == CT_LIFE_NONE ||
	    ct_arena_id(a, index) != id)
		return 0;
	return index;
}

/* --- what threads left undone ----------------------------------------------------------------- */

static void put_back(struct heir *h, const struct ct_trace *t)
{
	struct ct_flow *f = &h->from.slots[t->flow];
	struct ct_kin kin;

	memcpy((uint8_t *)f + CT_TRACE_FROM, t->saved, sizeof(t->saved));
	memcpy(&kin, t->kin, sizeof(kin));
	if (ct_arena_has_kin(&h->from, t->flow))
		h->from.kin[t->flow].priv = kin.priv;
	h->done->restored += f->life == CT_LIFE_WHOLE;
}

static void put_back_spent(struct heir *h, struct ct_trace *t)
{
	uint32_t n = atomic_load_explicit(&t->nspent, memory_order_relaxed);
	struct ct_expect e;

	for (uint32_t i = 0; i < n && i < CT_TRACE_SPENT_MAX; i++) {
		memcpy(&e, t->spent[i], sizeof(e));
		ct_expects_put_back(h->from.header, &e);
	}
}

/* The packet that a thread was at was not judged to the end. */
static void undo(struct heir *h, struct ct_trace *t)
{
	bool busy = atomic_load_explicit(&t->phase, memory_order_relaxed) == CT_TRACE_BUSY;

	if (t->salt == h->from.id_salt) {
		put_back_spent(h, t);
		if (busy && t->flow > 0 && t->flow <= ct_arena_high(&h->from))
			put_back(h, t);
	}
	ct_trace_set_spent(t, 0);
	ct_trace_set_phase(t, CT_TRACE_NONE);
}

/* It was, and its verdict is known; if it began a datagram, so is the class of the others. */
static void complete(struct heir *h, struct ct_trace *t)
{
	struct ct_arena_header *left = h->from.header;
	struct ct_datagram *d = (struct ct_datagram *)ct_arena_datagrams(left) + t->datagram;
	struct ct_flow *f = &h->from.slots[t->flow];

	if (t->salt != h->from.id_salt || t->flow == 0 || t->flow > ct_arena_high(&h->from) ||
	    t->datagram == 0 || t->datagram > left->datagram_high ||
	    d->generation != t->datagram_generation || d->state != CT_DATAGRAM_JUDGING ||
	    !ct_tuple_is_sound(&f->orig) || t->dir >= CT_DIR_MAX)
		return;
	ct_datagram_settle(d, t->datagram, t, f, ct_arena_id(&h->from, t->flow));
}

static void see_to_trace(struct heir *h, struct ct_trace *t)
{
	if (atomic_load_explicit(&t->phase, memory_order_relaxed) == CT_TRACE_DONE)
		complete(h, t);
	else
		undo(h, t);
}

/* Its flow gets what it is owed, whether the thread knew that or was about to. */
static void pay(struct heir *h, struct ct_trace *t)
{
	const struct ct_datagram *left = ct_arena_datagrams(h->from.header);
	struct ct_debt *debt = &t->debt;
	uint32_t index = slot_of(&h->from, debt->flow);

	if (ct_debt_state(debt) == CT_DEBT_NOTING && debt->datagram > 0 &&
	    debt->datagram <= h->from.header->datagram_high &&
	    ct_debt_is_noted(debt, &left[debt->datagram]))
		ct_debt_set_state(debt, CT_DEBT_OPEN);
	if (index && debt->dir < CT_DIR_MAX)
		ct_debt_pay(debt, &h->from.slots[index]);
	ct_debt_set_state(debt, CT_DEBT_NONE);
}

/* Debts come last: a flow that is put back would lose what it was paid. */
static void see_to_traces(struct heir *h)
{
	struct ct_thread *const *threads = h->estate->threads;

	for (size_t i = 0; i < h->estate->nthreads; i++)
		if (threads[i])
			see_to_trace(h, &threads[i]->trace);
	for (size_t i = 0; i < h->estate->nthreads; i++)
		if (threads[i])
			pay(h, &threads[i]->trace);
}

/* --- one flow --------------------------------------------------------------------------------- */

/* Its times are those of the present clock from here on. */
static void shift(struct heir *h, struct ct_flow *f)
{
	f->expires_ns = ct_time_shifted(f->expires_ns, h->estate->shift_ns);
	if (f->orig.proto == CT_PROTO_UDP || f->orig.proto == CT_PROTO_UDPLITE)
		f->l4.udp.stream_ns = ct_time_shifted(f->l4.udp.stream_ns, h->estate->shift_ns);
}

/* A thread died while it ended this flow: that will be done again, and is told of then. */
static void end_again(struct ct_flow *f)
{
	if (f->life != CT_LIFE_WHOLE || !(f->status & CT_STATUS_DYING))
		return;
	f->expires_ns = 0;
	f->status &= (uint16_t)~CT_STATUS_DYING;
}

/* A flow that makes no sense is given up. */
static bool makes_sense(struct heir *h, uint32_t index)
{
	struct ct_flow *f = &h->from.slots[index];

	end_again(f);
	if (f->life != CT_LIFE_WHOLE || !ct_flow_is_sound(f, h->estate->now_ns)) {
		h->done->damaged++;
	} else if (!(f->status & CT_STATUS_CONFIRMED) && h->estate->rekey) {
		h->done->unconfirmed++;
	} else {
		return true;
	}
	ct_flow_set_life(f, CT_LIFE_NONE);
	return false;
}

/* A confirmed flow of the same tuples that is in the table already; 0: there is none. */
static uint32_t find_twin(const struct ct *ct, uint32_t bucket, const struct ct_flow *f)
{
	enum ct_dir dir;

	if (!(f->status & CT_STATUS_CONFIRMED) || !ct_table_first(ct, bucket))
		return 0;
	return ct_table_find(ct, bucket, &f->orig, &dir);
}

/*
 * Two flows can have the same tuples if the time of one is up and nobody has come by to end it.
 * Then the other one has to be found first, so it has to come last.
 */
static bool insert_twin(struct heir *h, uint32_t bucket, uint32_t index, uint32_t twin)
{
	const struct ct_flow *slots = h->ct->arena.slots;

	if (slots[twin].expires_ns <= h->estate->now_ns) {
		ct_table_insert(h->ct, bucket, index);
		return true;
	}
	if (slots[index].expires_ns > h->estate->now_ns)
		return false;
	ct_table_remove(h->ct, bucket, twin);
	ct_table_insert(h->ct, bucket, index);
	ct_table_insert(h->ct, bucket, twin);
	return true;
}

static bool insert(struct heir *h, uint32_t bucket, uint32_t index)
{
	uint32_t twin = find_twin(h->ct, bucket, &h->ct->arena.slots[index]);

	if (twin)
		return insert_twin(h, bucket, index, twin);
	ct_table_insert(h->ct, bucket, index);
	return true;
}

/* A flow in its slot enters the table. */
static void enter(struct heir *h, uint32_t index)
{
	struct ct *ct = h->ct;
	struct ct_flow *f = &ct->arena.slots[index];

	if (!insert(h, ct_table_bucket(ct, f->hash), index)) {
		h->done->damaged++;
		ct_flow_set_life(f, CT_LIFE_NONE);
		return;
	}
	if (ct_arena_has_kin(&ct->arena, index))
		ct->arena.kin[index].expects = 0;
	h->done->flows++;
	if (!(f->status & CT_STATUS_CONFIRMED))
		atomic_fetch_add_explicit(&ct->pending, 1, memory_order_relaxed);
}

/* Its hash depends on the secret; entries ahead are asked for, since buckets are anywhere. */
static void hash(struct heir *h, uint32_t index)
{
	struct ct_flow *f = &h->from.slots[index];

	f->hash = ct_tuple_hash(&f->orig, &h->ct->key);
	ct_table_prefetch(h->ct, ct_table_bucket(h->ct, f->hash));
}

/* Gets an entry of the estate ready for the table. False: there is no flow in it, or none now. */
static bool look_at(struct heir *h, uint32_t index)
{
	if (h->from.slots[index].life == CT_LIFE_NONE)
		return false;
	shift(h, &h->from.slots[index]);
	if (!makes_sense(h, index))
		return false;
	hash(h, index);
	return true;
}

/* --- all of them, in place ----------------------------------------------------------------------
 */

/* Those of a group are looked at and hashed before the first one of them enters. */
static void adopt_in_place(struct heir *h)
{
	uint32_t high = ct_arena_high(&h->from);

	for (uint32_t i = 1; i <= high; i += AHEAD) {
		uint32_t end = high - i < AHEAD ? high + 1 : i + AHEAD;

		for (uint32_t j = i; j < end; j++)
			(void)look_at(h, j);
		for (uint32_t j = i; j < end; j++)
			if (h->from.slots[j].life != CT_LIFE_NONE)
				enter(h, j);
	}
}

/* --- all of them, copied ------------------------------------------------------------------------
 */

/* Ids go on where they were: a slot keeps its generation, whether there is a flow in it or not. */
static void carry_generations(struct heir *h)
{
	struct ct_arena *to = &h->ct->arena;
	uint32_t high = ct_arena_high(&h->from) < to->max ? ct_arena_high(&h->from) : to->max;

	for (uint32_t i = 1; i <= high; i++)
		to->slots[i].generation = h->from.slots[i].generation;
	atomic_store_explicit(&to->header->high, high, memory_order_relaxed);
}

/* Looks at all entries. Returns how many flows there are. */
static uint32_t look_through(struct heir *h)
{
	uint32_t n = 0;

	for (uint32_t i = 1; i <= ct_arena_high(&h->from); i++)
		n += look_at(h, i);
	return n;
}

static void copy(struct heir *h, uint32_t from, uint32_t to)
{
	struct ct_arena *a = &h->ct->arena;
	uint32_t generation = a->slots[to].generation;

	a->slots[to] = h->from.slots[from];
	a->slots[to].generation = to == from ? generation : generation + 1;
	if (ct_arena_has_kin(a, to))
		a->kin[to] = h->from.kin[from];
	if (to > ct_arena_high(a))
		atomic_store_explicit(&a->header->high, to, memory_order_relaxed);
	enter(h, to);
	if (a->slots[to].life == CT_LIFE_NONE) /* a second one: not to be looked at again */
		ct_flow_set_life(&h->from.slots[from], CT_LIFE_NONE);
}

/* The next slot of the new table that is free; 0: there is none. */
static uint32_t find_room(struct heir *h)
{
	const struct ct_arena *to = &h->ct->arena;

	while (h->next_free < to->max)
		if (to->slots[++h->next_free].life == CT_LIFE_NONE)
			return h->next_free;
	return 0;
}

enum kind { KIND_ALL, KIND_ASSURED, KIND_OTHER };

static bool is_kind(const struct ct_flow *f, enum kind kind)
{
	if (f->life == CT_LIFE_NONE)
		return false;
	return kind == KIND_ALL || (kind == KIND_ASSURED) == !!(f->status & CT_STATUS_ASSURED);
}

/* Can it be copied to the slot of its number? */
static bool has_slot(const struct heir *h, uint32_t index)
{
	const struct ct_arena *to = &h->ct->arena;

	return index <= to->max && to->slots[index].life == CT_LIFE_NONE;
}

static bool is_placed(const struct heir *h, uint32_t index)
{
	const struct ct_arena *to = &h->ct->arena;

	return index <= to->max && to->slots[index].life == CT_LIFE_WHOLE &&
	       ct_tuple_equal(&to->slots[index].orig, &h->from.slots[index].orig);
}

static void move(struct heir *h, uint32_t index)
{
	uint32_t room = find_room(h);

	if (!room) {
		h->done->displaced++;
		return;
	}
	h->done->moved++;
	copy(h, index, room);
}

/* First those that keep their slot, then those that have to take what is left. */
static void copy_kind(struct heir *h, enum kind kind)
{
	const struct ct_flow *slots = h->from.slots;
	uint32_t high = ct_arena_high(&h->from);

	for (uint32_t i = 1; i <= high; i++)
		if (is_kind(&slots[i], kind) && has_slot(h, i))
			copy(h, i, i);
	for (uint32_t i = 1; i <= high; i++)
		if (is_kind(&slots[i], kind) && !is_placed(h, i))
			move(h, i);
}

static void adopt_copies(struct heir *h)
{
	uint32_t flows;

	carry_generations(h);
	flows = look_through(h);
	if (flows <= h->ct->arena.max) {
		copy_kind(h, KIND_ALL);
		return;
	}
	copy_kind(h, KIND_ASSURED);
	copy_kind(h, KIND_OTHER);
}

/* --- what belongs to flows ----------------------------------------------------------------------
 */

static void free_the_rest(struct ct_arena *a)
{
	for (uint32_t i = ct_arena_high(a); i > 0; i--) {
		if (a->slots[i].life != CT_LIFE_NONE)
			continue;
		a->slots[i].next = a->free;
		a->free = i;
	}
}

static void adopt_expects(struct heir *h)
{
	struct ct_adopted *done = h->done;

	done->expects = ct_expects_adopt(h->ct, ct_arena_expects(h->from.header),
					 h->from.header->expect_high, h->estate->now_ns,
					 h->estate->shift_ns, &done->expects_lost);
}

static void adopt_fragments(struct heir *h)
{
	struct ct_arena_header *left = h->from.header;

	if (h->ct->fragments.max > 0)
		ct_fragments_adopt(&h->ct->fragments, ct_arena_datagrams(left), left->datagram_high,
				   h->estate->now_ns, h->estate->shift_ns);
}

/* Helpers of masters that have something left are told, by what is left. */
static void tell_helpers(struct heir *h)
{
	struct ct_arena *a = &h->ct->arena;

	for (uint32_t i = 1; i <= ct_arena_high(a); i++) {
		uint32_t master;

		if (a->slots[i].life == CT_LIFE_NONE || !ct_arena_has_kin(a, i))
			continue;
		master = a->kin[i].expects ? i : slot_of(a, a->kin[i].master);
		if (master && a->slots[master].helper)
			ct_helper_inherit(h->ct, master, h->estate->now_ns);
	}
}

/* --- the whole
 * ------------------------------------------------------------------------------------
 */

static void start_wheels(struct ct *ct, uint64_t now_ns)
{
	for (uint32_t i = 0; i < CT_STRIPES; i++)
		ct_wheel_start(&ct->stripe[i].wheel, now_ns);
}

static void adopt(struct heir *h)
{
	see_to_traces(h);
	start_wheels(h->ct, h->estate->now_ns);
	if (h->in_place)
		adopt_in_place(h);
	else
		adopt_copies(h);
	free_the_rest(&h->ct->arena);
	atomic_store_explicit(&h->ct->arena.used, h->done->flows, memory_order_relaxed);
	adopt_expects(h);
	adopt_fragments(h);
	tell_helpers(h);
}

/* The table, empty, in what was left or in new memory. */
static struct ct *make_table(struct heir *h, void *memory, const struct ct_params *params)
{
	struct ct_arena_header *old = h->from.header;
	struct ct_params p = *params;
	struct ct_arena a = {};

	if (h->in_place) {
		if (h->estate->rekey)
			memcpy(old->key, params->key, sizeof(old->key));
		return ct_table_new(memory, params);
	}
	p.id_salt = old->id_salt;
	p.key = h->estate->rekey ? params->key : old->key;
	ct_arena_init(&a, memory, &p);
	atomic_store_explicit(&a.header->exit_seen, old->exit_seen, memory_order_relaxed);
	return ct_table_new(memory, &p);
}

static bool fits(const struct heir *h, const struct ct_params *params, size_t size)
{
	struct ct_arena_facts facts;

	return ct_params_fit(params, size) &&
	       (!h->in_place || (ct_arena_read(h->from.header, size, &facts) == CT_ARENA_OK &&
				 ct_arena_suits(&facts, params)));
}

struct ct *ct_adopt(void *memory, size_t size, const struct ct_params *params,
		    const struct ct_estate *estate, struct ct_adopted *ret)
{
	struct heir h = {
		.estate = estate,
		.in_place = memory == estate->arena,
		.done = ret,
	};

	*ret = (struct ct_adopted){};
	ct_arena_attach(&h.from, estate->arena);
	if (!fits(&h, params, size))
		return NULL;
	h.ct = make_table(&h, memory, params);
	if (h.ct)
		adopt(&h);
	return h.ct;
}

static bool relax(struct ct_flow *f)
{
	struct ct_tcp *tcp = &f->l4.tcp;

	if (f->life == CT_LIFE_NONE || f->orig.proto != CT_PROTO_TCP ||
	    f->state != CT_TCP_STATE_ESTABLISHED)
		return false;
	for (int d = 0; d < CT_DIR_MAX; d++) {
		tcp->peer[d].maxwin = 0;
		tcp->flags[d] |= CT_TCP_BE_LIBERAL;
	}
	return true;
}

uint32_t ct_relax(struct ct *ct)
{
	uint32_t n = 0;

	for (uint32_t i = 1; i <= ct_arena_high(&ct->arena); i++)
		n += relax(&ct->arena.slots[i]);
	return n;
}
