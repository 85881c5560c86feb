/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Stage 6: a new flow enters the table.
 *
 * The kernel makes a connection when its first packet comes in and confirms it when that packet
 * leaves; a packet that the rules drop in between takes its connection along. We see a packet leave
 * only if the user queues POSTROUTING and INPUT, too. Without that, a flow is confirmed as soon as
 * its first packet is accepted at the entry.
 *
 * With it, the draft gets a slot and waits in its hash chain, unconfirmed, until its packet comes
 * to the exit hook. Nothing ties the two visits together but how the packet looks; so the flow
 * keeps a hash of its first packet, and the exit hook asks for an unconfirmed flow of the same
 * tuple with the same hash. Two equal packets under way make two such flows, as in the kernel, and
 * the second to arrive finds that the flow exists: it joins that one or is dropped, by protocol
 * (semantics 2.1). A packet whose flow is not found by its hash was changed on its way, if another
 * one of its tuple waits: the MSS of a TCP connection often is.
 *
 * Such flows share a bucket whatever the key of the table, so there are only a few for each tuple:
 * a sender who repeats himself must not make everybody walk. The oldest is kept, because packets
 * mostly leave as they came, and the newest ones, because what came before may have been dropped.
 *
 * A packet that never leaves is not reported. Its flow is forgotten after a short time, or when a
 * full table needs the room. Nothing is lost if that was too early: a first packet at the exit hook
 * that finds neither its flow nor the wait for one makes the flow there and then. So does one that
 * was under way while confirmation moved from the entry to the exit.
 */

#include "core/confirm.h"
#include "core/end.h"
#include "core/helper/call.h"
#include "core/proto.h"
#include "core/room.h"
#include "core/stats.h"
#include "core/tcp.h"
#include "core/traced.h"

#define PENDING_NS  (2 * CT_NS_PER_S)
#define PRINT_WORDS 8 /* of the packet that are looked at: headers and a little more */
#define EACH_MAX    8 /* unconfirmed flows of one tuple */

bool ct_confirms_at_exit(const struct ct *ct, const struct ct_config *cfg)
{
	return cfg->confirm == CT_CONFIRM_EXIT ||
	       (cfg->confirm == CT_CONFIRM_AUTO &&
		atomic_load_explicit(&ct->arena.header->exit_seen, memory_order_relaxed));
}

static bool has_pending(const struct ct *ct)
{
	return atomic_load_explicit(&ct->pending, memory_order_relaxed) > 0;
}

/* A hash of the class and of what most routers leave alone: all behind the network header. */
static uint32_t print_of(const struct ct_step *s)
{
	uint64_t words[1 + PRINT_WORDS] = {(uint64_t)s->info << 32 | s->pkt.l4.len};
	uint32_t n = s->pkt.l4.cap;

	if (n > PRINT_WORDS * sizeof(words[0]))
		n = PRINT_WORDS * sizeof(words[0]);
	if (n > 0)
		memcpy(&words[1], s->pkt.l4.data, n);
	return (uint32_t)ct_siphash(&s->th->ct->key, words, 1 + PRINT_WORDS);
}

static void use_slot(struct ct_step *s, uint32_t index)
{
	s->index = index;
	s->flow = &s->th->ct->arena.slots[index];
	s->fresh = false;
	ct_trace_open(s);
}

/* The newest unconfirmed flow that a packet like this one made. */
static uint32_t find_like(const struct ct_step *s)
{
	const struct ct *ct = s->th->ct;

	if (!ct_table_find_any_pending(ct, s->bucket, &s->tuple))
		return 0;
	return ct_table_find_pending(ct, s->bucket, &s->tuple, print_of(s));
}

/* Takes an unconfirmed flow of the packet's bucket out again; it is not told of. */
static void forget(struct ct_step *s, uint32_t index)
{
	struct ct *ct = s->th->ct;

	ct_wheel_remove(&ct_table_stripe(ct, s->bucket)->wheel, &ct->arena, index);
	ct_end_flow(s->th, s->bucket, index, s->in->now_ns, CT_DEATH_NONE,
		    &s->out->events[s->out->nevents]);
}

/* The packets of a flow that is forgotten count for another one, as its first ones. */
static void count_for(struct ct_flow *f, const struct ct_flow *gone)
{
	f->packets[CT_DIR_ORIGINAL] += gone->packets[CT_DIR_ORIGINAL];
	f->bytes[CT_DIR_ORIGINAL] += gone->bytes[CT_DIR_ORIGINAL];
}

/* The packet goes on without a flow. */
static void let_go(struct ct_step *s)
{
	s->index = 0;
	s->flow = NULL;
}

void ct_confirm_no_room(struct ct_step *s)
{
	ct_step_invalid(s, CT_REASON_TABLE_FULL, ct_count(s->th->ct), ct_max_flows(s->th->ct), 0,
			0);
	ct_stat_inc(s->th, CT_STAT_TABLE_FULL);
	s->out->drop = true;
	s->info = CT_INFO_INVALID;
}

/* --- at the entry --------------------------------------------------------------------------- */

static void tell_new(struct ct_step *s)
{
	bool expected = s->flow->status & CT_STATUS_EXPECTED;
	struct ct_event *ev = ct_step_event(s, expected ? CT_EVENT_RELATED : CT_EVENT_NEW);

	ct_stat_inc(s->th, CT_STAT_CREATED);
	ev->state_old = 0;
	ev->begins = true;
}

/* The flow, in its slot but in no chain yet, enters the table with its lifetime from now on. */
static void enter(struct ct_step *s)
{
	s->flow->status |= CT_STATUS_CONFIRMED;
	s->flow->expires_ns = s->in->now_ns + s->flow->lifetime_ns;
	ct_table_insert(s->th->ct, s->bucket, s->index);
	tell_new(s);
}

/* The helper refused the first packet: it was the only one, so there is no flow. */
static void abandon(struct ct_step *s)
{
	ct_helper_end(s->th, s->index, s->in->now_ns);
	ct_trace_drop(s);
	ct_arena_free(&s->th->ct->arena, s->index);
	ct_stat_inc(s->th, CT_STAT_DISCARDED);
	let_go(s);
}

/* Of too many unconfirmed flows of one tuple the second oldest goes. */
static void limit_each(struct ct_step *s)
{
	struct ct *ct = s->th->ct;
	uint32_t last[3] = {0}, n = 0; /* the oldest ones, the very oldest first */

	for (uint32_t i = ct_table_find_any_pending(ct, s->bucket, &s->tuple); i;
	     i = ct_table_next_pending(ct, i)) {
		last[2] = last[1];
		last[1] = last[0];
		last[0] = i;
		n++;
	}
	if (n < EACH_MAX)
		return;
	if (ct_proto_get(s->tuple.proto)->joins)
		count_for(&ct->arena.slots[last[2]], &ct->arena.slots[last[1]]);
	forget(s, last[1]);
}

static void wait_for_exit(struct ct_step *s)
{
	limit_each(s);
	s->flow->print = print_of(s);
	s->flow->expires_ns = s->in->now_ns + PENDING_NS;
	atomic_fetch_add_explicit(&s->th->ct->pending, 1, memory_order_relaxed);
	ct_table_insert(s->th->ct, s->bucket, s->index);
}

void ct_confirm_draft(struct ct_step *s)
{
	uint32_t index;

	if (ct_step_drops(s)) {
		ct_stat_inc(s->th, CT_STAT_DISCARDED);
		ct_helper_lose(s->th->ct, &s->draft, s->master);
		return;
	}
	index = ct_arena_put(&s->th->ct->arena, &s->draft, s->master);
	if (!index) { /* another thread took the last one */
		ct_helper_lose(s->th->ct, &s->draft, s->master);
		ct_confirm_no_room(s);
		return;
	}
	use_slot(s, index);
	if (!ct_hook_is_exit(s->in->hook) && ct_confirms_at_exit(s->th->ct, s->th->cfg))
		wait_for_exit(s);
	else if (ct_helper_call(s))
		enter(s);
	else
		abandon(s);
}

void ct_confirm_forget_like(struct ct_step *s)
{
	struct ct *ct = s->th->ct;
	uint32_t index;

	if (!has_pending(ct) || !ct_confirms_at_exit(ct, s->th->cfg))
		return;
	index = find_like(s);
	if (!index)
		return;
	ct_wheel_remove(&ct_table_stripe(ct, s->bucket)->wheel, &ct->arena, index);
	ct_end_expired(s->th, index, s->in->now_ns, &s->out->events[s->out->nevents]);
}

/* --- at the exit ------------------------------------------------------------------------------ */

static void drop_pending(struct ct_step *s)
{
	ct_trace_drop(s);
	forget(s, s->index);
	let_go(s);
}

/*
 * Another packet made the flow first (semantics 2.1): this one counts for that, in its original
 * direction even if it came from the other side, or is dropped.
 */
static void clash(struct ct_step *s, uint32_t winner)
{
	bool joins = ct_proto_get(s->tuple.proto)->joins;

	ct_stat_inc(s->th, CT_STAT_CLASHES);
	if (joins)
		count_for(&s->th->ct->arena.slots[winner], s->flow);
	drop_pending(s);
	if (joins)
		return;
	ct_step_invalid(s, CT_REASON_CLASH, s->tuple.proto,
			ct_read_be16((const uint8_t *)&s->tuple.src_id_be),
			ct_read_be16((const uint8_t *)&s->tuple.dst_id_be), 0);
	s->out->drop = true;
}

/* The helper comes first, even if the flow is not to be (semantics 6.3). */
static void confirm_pending(struct ct_step *s)
{
	struct ct *ct = s->th->ct;
	enum ct_dir dir;
	uint32_t winner;

	if (!ct_helper_call(s)) {
		drop_pending(s);
		return;
	}
	winner = ct_table_find(ct, s->bucket, &s->tuple, &dir);
	if (winner && ct->arena.slots[winner].expires_ns > s->in->now_ns) {
		clash(s, winner);
		return;
	}
	ct_table_remove(ct, s->bucket, s->index);
	atomic_fetch_sub_explicit(&ct->pending, 1, memory_order_relaxed);
	enter(s);
}

/* A first packet that nothing waits for: its flow is made here. */
static void confirm_late(struct ct_step *s)
{
	struct ct_thread *th = s->th;

	if (ct_count(th->ct) >= ct_max_flows(th->ct) && !ct_room_make(s)) {
		ct_confirm_no_room(s);
		return;
	}
	ct_step_draft(s);
	if (ct_proto_get(s->tuple.proto)->track(s) == CT_JUDGE_ACCEPT)
		ct_confirm_draft(s);
}

static bool is_first(const struct ct_step *s)
{
	return s->info == CT_INFO_NEW || s->info == CT_INFO_RELATED;
}

/* One look for the packet's flow; lock held. True: found, and done with. */
typedef bool exit_look(struct ct_step *s);

static bool confirm_found(struct ct_step *s, uint32_t index)
{
	if (!index)
		return false;
	use_slot(s, index);
	confirm_pending(s);
	return true;
}

static bool look_for_pending(struct ct_step *s)
{
	return confirm_found(s, find_like(s));
}

/* Could an unconfirmed flow be that of the packet, although the two do not look alike? */
static bool may_be_of(const struct ct_flow *f, const struct ct_step *s)
{
	bool expected = f->status & CT_STATUS_EXPECTED;

	if (expected != (s->info == CT_INFO_RELATED))
		return false;
	if (f->orig.proto == CT_PROTO_TCP)
		return f->l4.tcp.peer[CT_DIR_ORIGINAL].end == s->tcp.end &&
		       f->state == ct_tcp_fsm(CT_DIR_ORIGINAL, s->tcp.index, CT_TCP_STATE_NONE);
	return ct_proto_get(f->orig.proto)->joins;
}

/* The packet was changed on its way, or its flow was one too many: the oldest one that it fits. */
static bool look_for_changed(struct ct_step *s)
{
	const struct ct *ct = s->th->ct;
	uint32_t found = 0;

	for (uint32_t i = ct_table_find_any_pending(ct, s->bucket, &s->tuple); i;
	     i = ct_table_next_pending(ct, i))
		if (may_be_of(&ct->arena.slots[i], s))
			found = i;
	return confirm_found(s, found);
}

static bool look_for_flow(struct ct_step *s)
{
	struct ct *ct = s->th->ct;
	uint32_t index = ct_table_find(ct, s->bucket, &s->tuple, &s->dir);

	if (!index || ct->arena.slots[index].expires_ns <= s->in->now_ns)
		return false;
	use_slot(s, index);
	if (ct_confirms_at_exit(ct, s->th->cfg)) /* else it has seen the packet at the entry */
		ct_helper_call(s);
	return true;
}

static bool make_late(struct ct_step *s)
{
	if (is_first(s))
		confirm_late(s);
	return true;
}

static bool in_zone(struct ct_step *s, uint16_t zone, exit_look *look)
{
	struct ct_stripe *stripe;
	bool found;

	s->tuple.zone = zone;
	ct_step_hash(s);
	stripe = ct_table_stripe(s->th->ct, s->bucket);
	ct_lock(&stripe->lock);
	found = look(s);
	if (ct_is_told(s->info, s->reason, s->out->drop))
		ct_step_event(s, CT_EVENT_INVALID);
	ct_step_describe(s);
	ct_trace_leave(s); /* to come to the exit twice does no harm */
	ct_unlock(&stripe->lock);
	return found;
}

/*
 * At the exit a packet's input interface may not be known any more, and with it its zone: without
 * one it is looked for in all of them. A packet of a zone is never taken for another zone's.
 */
static bool in_any_zone(struct ct_step *s, exit_look *look)
{
	const struct ct_config *cfg = s->th->cfg;

	if (in_zone(s, s->in->zone, look))
		return true;
	for (unsigned int i = 0; i < cfg->nzones && s->in->zone == 0; i++)
		if (in_zone(s, cfg->zones[i], look))
			return true;
	return false;
}

static void find_and_confirm(struct ct_step *s)
{
	bool waited_for = is_first(s) && has_pending(s->th->ct);

	if ((waited_for && in_any_zone(s, look_for_pending)) || in_any_zone(s, look_for_flow) ||
	    (waited_for && in_any_zone(s, look_for_changed)))
		return;
	in_zone(s, s->in->zone, make_late);
}

void ct_confirm_exit(struct ct_step *s)
{
	struct ct *ct = s->th->ct;

	if (!atomic_load_explicit(&ct->arena.header->exit_seen, memory_order_relaxed))
		atomic_store_explicit(&ct->arena.header->exit_seen, true, memory_order_relaxed);
	if (s->info == CT_INFO_INVALID || s->info == CT_INFO_UNTRACKED ||
	    s->info == CT_INFO_RELATED_REPLY ||
	    (!ct_confirms_at_exit(ct, s->th->cfg) && !has_pending(ct)))
		return;
	/* what cannot be read was said at the entry; an error about a flow has none of its own */
	if (s->readable && s->proto->check(s) && ct_step_name(s))
		find_and_confirm(s);
	if (s->out->drop) {
		s->out->reason = (uint8_t)s->reason;
		ct_counter_add(&s->th->stats.reason[s->reason], 1);
	}
	for (unsigned int i = 0; i < s->out->nevents; i++) {
		s->out->events[i].mark = s->in->mark;
		s->out->events[i].info = (uint8_t)s->info;
	}
}
