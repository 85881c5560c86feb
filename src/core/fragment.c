/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Stage 1b: fragments, where nobody has put them together.
 *
 * The kernel's tracker sees whole datagrams only, because its defragmentation comes first. That is
 * active where something in the namespace asks for it; elsewhere fragments arrive one by one, and
 * only the first one says to which flow it belongs. We do not put them together, which would take
 * all their bytes and could not be given back as one packet; we carry the class over. The first
 * fragment is judged like a packet, and every other one of its datagram gets the same class. What
 * comes before it waits in the kernel, without a verdict, until it comes.
 *
 * Whether a fragment counts at all is decided as the kernel decides it, so that a receiver behind
 * us gets nothing that the kernel would not have let through (semantics 5.11, measured):
 *
 * - A piece that has come before is dropped, and nothing else happens. One that overlaps makes the
 *   datagram worthless. So do pieces that disagree about ECN.
 * - IPv4: any contradiction of lengths ends the datagram; a piece that is not the last is cut down
 * to a multiple of eight. IPv6: a contradiction drops the piece alone; one that is not the last and
 * no multiple of eight ends the datagram, but is let through by itself, as INVALID.
 * - IPv6: a first fragment without its whole upper header is let through by itself. An atomic
 *   fragment is a whole packet, unless pieces with its id are waiting: then it is one of them.
 * - IPv4: such a first fragment begins a datagram whose header the kernel finds when it is whole.
 * We cannot: what is missing is in the next packet. It is INVALID, and the rest with it.
 *
 * One thing must differ. The kernel forgets a datagram that it gave up, and what comes later begins
 * anew. We do the same as long as nothing of it has left. But once its first fragment is on its
 * way, what comes later must not complete it; it is remembered as dead, and the rest of it dropped,
 * until its time is up. So is one that the kernel keeps, although it cannot become whole any more:
 * it looks at ECN and at the sum of all lengths only at the end.
 *
 * The packets of a process that was killed come again if they have no verdict. Then a piece that
 * has come before is no duplicate: in datagrams that were left behind it gets its class again. For
 * the same reason one that is complete is remembered for a while, by its free slot.
 *
 * Room: datagrams and waiting packets are bounded, each by its own limit, and the oldest is given
 * up for a new one. An honest datagram arrives within milliseconds and is forgotten when it is
 * complete; what grows old is what never completes, which is what a flood is made of. To refuse the
 * new one instead, as the kernel does, would let the first thousand fragments of a flood lock out
 * everybody else for the length of the timeout.
 */

#include "core/fragment.h"

#include "core/debt.h"
#include "core/held.h"
#include "core/proto.h"
#include "core/stats.h"

#define DATAGRAM_MAX	65535
#define IP4_HLEN	20
#define ECN_NOT_CAPABLE 1 /* 1 << codepoint 0 */

/* What becomes of a fragment. */
enum fate {
	FATE_JUDGE, /* it is judged by itself; a first one has to be settled then */
	FATE_CLASS, /* it has the class of its datagram */
	FATE_HOLD,  /* it waits for that */
	FATE_DROP,  /* s->reason says why */
};

static struct ct_fragments *fragments_of(const struct ct_step *s)
{
	return &s->th->ct->fragments;
}

static enum ct_reason refuse(struct ct_step *s, enum ct_reason reason)
{
	const struct ct_frag *frag = &s->pkt.frag;

	ct_step_invalid(s, reason, frag->offset, frag->end, frag->id, 0);
	return reason;
}

/* --- a fragment finds its datagram ---------------------------------------------------------- */

static bool is_scoped(const union ct_addr *dst)
{
	return dst->b[0] == 0xff || (dst->b[0] == 0xfe && (dst->b[1] & 0xc0) == 0x80);
}

static struct ct_datagram_key key_of(const struct ct_step *s)
{
	const struct ct_pkt *pkt = &s->pkt;
	bool six = pkt->family == CT_AF_INET6;

	return (struct ct_datagram_key){
		.src = pkt->src,
		.dst = pkt->dst,
		.id = pkt->frag.id,
		.iif = six && is_scoped(&pkt->dst) ? s->in->iif : 0,
		.zone = s->in->zone,
		.family = pkt->family,
		.proto = six ? 0 : pkt->proto,
		.hook = s->in->hook,
	};
}

/* A first fragment of IPv6 that has no whole upper header (RFC 8200, 4.5; sizes are the kernel's).
 */
static bool is_cut_first(const struct ct_step *s)
{
	uint32_t need = 1;

	if (s->pkt.family != CT_AF_INET6 || s->reason != CT_REASON_NONE)
		return false;
	if (s->pkt.proto == CT_PROTO_TCP)
		need = 20;
	else if (s->pkt.proto == CT_PROTO_UDP || s->pkt.proto == CT_PROTO_ICMPV6)
		need = 8;
	return s->pkt.l4.len < need;
}

static bool is_atomic(const struct ct_frag *frag)
{
	return frag->offset == 0 && !frag->more;
}

/* The datagram with this key that still counts, or 0. */
static uint32_t find(struct ct_step *s, const struct ct_datagram_key *key)
{
	struct ct_fragments *f = fragments_of(s);
	uint32_t index = ct_datagram_find(f, key);

	if (index && ct_held_over(s->th, &f->datagrams[index], s->in->now_ns)) {
		ct_held_forget(s->th, index, CT_REASON_FRAGMENT_TIMEOUT);
		return 0;
	}
	return index;
}

static uint32_t make(struct ct_step *s, const struct ct_datagram_key *key)
{
	struct ct_fragments *f = fragments_of(s);
	uint32_t index = ct_datagram_add(f, key, s->in->now_ns);
	uint32_t oldest = f->oldest[CT_DATAGRAMS_BY_AGE];

	if (index)
		return index;
	if (!f->datagrams[oldest].past)
		ct_stat_inc(s->th, CT_STAT_FRAGMENTS_EVICTED);
	ct_held_forget(s->th, oldest, CT_REASON_FRAGMENT_LIMIT);
	return ct_datagram_add(f, key, s->in->now_ns);
}

/* --- does it fit ---------------------------------------------------------------------------- */

/* What the lengths of a fragment say. */
enum size {
	SIZE_FITS,
	SIZE_REFUSED,  /* this one is dropped */
	SIZE_FATAL,    /* and the rest of its datagram with it */
	SIZE_HOPELESS, /* the same, which the kernel would notice at the end */
	SIZE_ALONE,    /* the rest is dropped, this one goes on by itself */
};

/*
 * A last fragment says how long the datagram is. False: it is known to be longer, or another. The
 * length comes first: it may have to be noted once more, after a process was killed here.
 */
static bool note_total(struct ct_datagram *d, uint32_t end)
{
	if (end < d->len || (d->last_in && end != d->len))
		return false;
	d->len = end;
	atomic_signal_fence(memory_order_seq_cst);
	d->last_in = true;
	return true;
}

/* Another one says how long it is at least. False: it is known to be shorter. */
static bool note_part(struct ct_datagram *d, uint32_t end)
{
	if (end <= d->len)
		return true;
	if (d->last_in)
		return false;
	d->len = end;
	return true;
}

static enum size size4(struct ct_datagram *d, const struct ct_frag *frag, uint32_t *end)
{
	if (frag->more)
		*end &= ~7u;
	if (!(frag->more ? note_part(d, *end) : note_total(d, *end)))
		return SIZE_FATAL;
	if (*end <= frag->offset)
		return SIZE_FATAL;
	return *end > DATAGRAM_MAX - IP4_HLEN ? SIZE_HOPELESS : SIZE_FITS;
}

/* IPv6: not the last, but without a whole last unit. */
static bool breaks_off(const struct ct_frag *frag)
{
	return frag->more && frag->end % 8 && frag->end <= DATAGRAM_MAX;
}

static enum size size6(struct ct_datagram *d, const struct ct_frag *frag, uint32_t *end)
{
	if (*end > DATAGRAM_MAX)
		return SIZE_REFUSED;
	if (breaks_off(frag))
		return SIZE_ALONE;
	if (!(frag->more ? note_part(d, *end) : note_total(d, *end)))
		return SIZE_REFUSED;
	return *end > frag->offset ? SIZE_FITS : SIZE_REFUSED;
}

/* Congestion marks of a sender who knows ECN and of one who does not cannot be of one datagram. */
static bool ecn_fits(const struct ct_datagram *d)
{
	return !(d->ecn & ECN_NOT_CAPABLE) || d->ecn == ECN_NOT_CAPABLE;
}

static uint32_t counted_bytes(const struct ct_step *s, uint32_t bytes)
{
	return s->th->cfg->accounting ? bytes : 0;
}

/* A piece that is new. Its flow is owed its bytes, if that is known. */
static void note(struct ct_step *s, uint32_t index, uint32_t end)
{
	struct ct_datagram *d = &fragments_of(s)->datagrams[index];
	const struct ct_frag *frag = &s->pkt.frag;
	struct ct_run piece = {.start = (uint16_t)frag->offset, .end = (uint16_t)end};

	if (d->state == CT_DATAGRAM_SETTLED && d->counted && ecn_fits(d))
		ct_debt_begin(&s->th->trace.debt, d, index, piece,
			      counted_bytes(s, frag->end - frag->offset));
	ct_datagram_note(d, frag->offset, end);
}

static enum ct_reason fit(struct ct_step *s, uint32_t index, uint32_t end)
{
	struct ct_datagram *d = &fragments_of(s)->datagrams[index];
	const struct ct_frag *frag = &s->pkt.frag;

	switch (ct_datagram_fit(d, frag->offset, end)) {
	case CT_FIT_DUPLICATE:
		return CT_REASON_FRAGMENT_DUPLICATE;
	case CT_FIT_OVERLAP:
		return CT_REASON_FRAGMENT_OVERLAP;
	case CT_FIT_CROWDED:
		return CT_REASON_FRAGMENT_LIMIT;
	case CT_FIT_NEW:
		break;
	}
	if (frag->offset == 0) {
		d->first_in = true;
		d->first_len = end;
		d->overhead = frag->overhead;
	}
	d->ecn |= (uint8_t)(1 << frag->ecn);
	if (d->first_in && d->overhead + d->len > DATAGRAM_MAX)
		return CT_REASON_FRAGMENT_LENGTH;
	note(s, index, end);
	return CT_REASON_NONE;
}

static bool is_complete(const struct ct_datagram *d)
{
	return d->first_in && d->last_in && d->meat == d->len;
}

/* --- what becomes of it --------------------------------------------------------------------- */

static enum fate drop(struct ct_step *s, enum ct_reason reason)
{
	refuse(s, reason);
	return FATE_DROP;
}

/* It goes on by itself; what it carries is measured like a whole packet. */
static enum fate alone(struct ct_step *s)
{
	s->pkt.fragment = false;
	if (s->reason == CT_REASON_IP_FRAGMENT)
		refuse(s, CT_REASON_FRAGMENT_LENGTH);
	return FATE_JUDGE;
}

/* Gives a datagram up. It can begin anew only if nothing of it has left. */
static void give_up(struct ct_step *s, uint32_t index, enum ct_reason reason)
{
	if (fragments_of(s)->datagrams[index].state == CT_DATAGRAM_WAITING)
		ct_held_forget(s->th, index, reason);
	else
		ct_held_kill(s->th, index, reason);
}

/* It is without hope from now on. */
static enum fate drop_for_good(struct ct_step *s, uint32_t index, enum ct_reason reason)
{
	ct_held_kill(s->th, index, reason);
	return drop(s, reason);
}

/* The table's room, or less. */
static uint32_t max_held(const struct ct_step *s)
{
	uint32_t room = fragments_of(s)->max_held, wanted = s->th->cfg->max_held;

	return room < wanted ? room : wanted;
}

/* Room for one more packet that waits, at the cost of the oldest datagram that others wait for. */
static void make_room(struct ct_step *s)
{
	const struct ct_fragments *f = fragments_of(s);

	if (f->waiting < max_held(s) || !f->oldest[CT_DATAGRAMS_HOLDING])
		return;
	ct_stat_inc(s->th, CT_STAT_FRAGMENTS_EVICTED);
	ct_held_kill(s->th, f->oldest[CT_DATAGRAMS_HOLDING], CT_REASON_FRAGMENT_LIMIT);
}

static enum fate hold(struct ct_step *s, uint32_t index)
{
	struct ct_fragments *f = fragments_of(s);
	const struct ct_frag *frag = &s->pkt.frag;
	uint32_t held = 0;

	if (!s->th->cfg->hold_fragments)
		return FATE_JUDGE;
	make_room(s);
	if (f->datagrams[index].state != CT_DATAGRAM_DEAD && f->waiting < max_held(s))
		held = ct_held_add(f, index);
	if (!held)
		return drop_for_good(s, index, CT_REASON_FRAGMENT_LIMIT);
	f->held[held] = (struct ct_held){
		.id = s->in->id,
		.mark = s->in->mark,
		.iif = s->in->iif,
		.oif = s->in->oif,
		.offset = frag->offset,
		.end = frag->end,
		.ident = frag->id,
		.src = s->pkt.src,
		.dst = s->pkt.dst,
		.queue = s->in->queue,
		.zone = s->in->zone,
		.family = s->pkt.family,
		.proto = s->pkt.proto,
		.hook = s->in->hook,
	};
	return FATE_HOLD;
}

/* It will not become whole, but until all of it has come it is there, as in the kernel. */
static enum fate spoil(struct ct_step *s, uint32_t index)
{
	if (is_complete(&fragments_of(s)->datagrams[index]))
		give_up(s, index, CT_REASON_FRAGMENT_ECN);
	else
		ct_held_drop(s->th, index, CT_REASON_FRAGMENT_ECN);
	return drop(s, CT_REASON_FRAGMENT_ECN);
}

/* The first one is here; nobody knows its class until it has been judged. */
static enum fate begin(struct ct_step *s, uint32_t index)
{
	struct ct_datagram *d = &fragments_of(s)->datagrams[index];

	d->state = CT_DATAGRAM_JUDGING;
	s->datagram = index;
	s->datagram_generation = d->generation;
	return FATE_JUDGE;
}

/* One of these would not have come by itself if the kernel put datagrams together. */
static void note_seen(struct ct_fragments *f, uint8_t family)
{
	uint8_t bit = family == CT_AF_INET ? CT_FRAGMENTS_IPV4 : CT_FRAGMENTS_IPV6;

	if (!(atomic_load_explicit(&f->seen, memory_order_relaxed) & bit))
		atomic_fetch_or_explicit(&f->seen, bit, memory_order_relaxed);
}

/* A piece that fits. *ret is a copy of what its datagram knows, if its class is known. */
static enum fate join(struct ct_step *s, uint32_t index, struct ct_datagram *ret)
{
	struct ct_fragments *f = fragments_of(s);
	const struct ct_datagram *d = &f->datagrams[index];

	note_seen(f, s->pkt.family);
	if (!ecn_fits(d))
		return spoil(s, index);
	if (s->pkt.frag.offset == 0)
		return begin(s, index);
	if (d->state != CT_DATAGRAM_SETTLED)
		return hold(s, index);
	memcpy(ret, d, offsetof(struct ct_datagram, runs));
	if (is_complete(d))
		ct_datagram_complete(f, index);
	return FATE_CLASS;
}

/* A piece that has come before, to a thread that died: its flow is not owed it again. */
static enum fate repeat(struct ct_step *s, uint32_t index, struct ct_datagram *ret)
{
	const struct ct_datagram *d = &fragments_of(s)->datagrams[index];

	if (s->pkt.frag.offset == 0)
		return begin(s, index);
	if (d->state != CT_DATAGRAM_SETTLED)
		return hold(s, index);
	memcpy(ret, d, offsetof(struct ct_datagram, runs));
	return FATE_CLASS;
}

static enum fate measure(struct ct_step *s, uint32_t index, struct ct_datagram *ret)
{
	struct ct_datagram *d = &fragments_of(s)->datagrams[index];
	const struct ct_frag *frag = &s->pkt.frag;
	uint32_t end = frag->end;
	enum ct_reason reason;

	switch (s->pkt.family == CT_AF_INET ? size4(d, frag, &end) : size6(d, frag, &end)) {
	case SIZE_REFUSED:
		return drop(s, CT_REASON_FRAGMENT_LENGTH);
	case SIZE_FATAL:
		give_up(s, index, CT_REASON_FRAGMENT_LENGTH);
		return drop(s, CT_REASON_FRAGMENT_LENGTH);
	case SIZE_HOPELESS:
		return drop_for_good(s, index, CT_REASON_FRAGMENT_LENGTH);
	case SIZE_ALONE:
		give_up(s, index, CT_REASON_FRAGMENT_LENGTH);
		return alone(s);
	case SIZE_FITS:
		break;
	}
	reason = fit(s, index, end);
	if (reason == CT_REASON_FRAGMENT_DUPLICATE && d->again)
		return repeat(s, index, ret);
	if (reason == CT_REASON_FRAGMENT_OVERLAP)
		give_up(s, index, reason);
	if (reason == CT_REASON_FRAGMENT_OVERLAP || reason == CT_REASON_FRAGMENT_DUPLICATE)
		return drop(s, reason);
	if (reason != CT_REASON_NONE)
		return drop_for_good(s, index, reason);
	return join(s, index, ret);
}

/* Why nothing more of a datagram may pass, NONE while it may. */
static enum ct_reason dead_of(const struct ct_fragments *f, uint32_t index)
{
	const struct ct_datagram *d = &f->datagrams[index];

	return index && d->state == CT_DATAGRAM_DEAD ? (enum ct_reason)d->class.reason
						     : CT_REASON_NONE;
}

static enum fate place(struct ct_step *s, struct ct_datagram *ret)
{
	struct ct_fragments *f = fragments_of(s);
	struct ct_datagram_key key = key_of(s);
	uint32_t index = find(s, &key);
	enum ct_reason dead = dead_of(f, index);

	if (is_atomic(&s->pkt.frag) && (!index || dead != CT_REASON_NONE))
		return FATE_JUDGE;
	if (dead != CT_REASON_NONE)
		return s->pkt.family == CT_AF_INET6 && breaks_off(&s->pkt.frag) ? alone(s)
										: drop(s, dead);
	return measure(s, index ? index : make(s, &key), ret);
}

/* --- the flow ------------------------------------------------------------------------------- */

static uint32_t find_pending(const struct ct_step *s, uint64_t id)
{
	const struct ct *ct = s->th->ct;
	uint32_t i = ct_table_find_any_pending(ct, s->bucket, &s->tuple);

	while (i && ct_arena_id(&ct->arena, i) != id)
		i = ct_table_next_pending(ct, i);
	return i;
}

/*
 * A flow that is gone without having been confirmed may have joined the one that was quicker
 * (confirm.c): what it had counts for that, and so does the rest.
 */
static bool find_flow(struct ct_step *s, uint64_t id)
{
	struct ct *ct = s->th->ct;
	uint32_t found = ct_table_find(ct, s->bucket, &s->tuple, &s->dir), pending;

	if (!found || ct_arena_id(&ct->arena, found) != id) {
		pending = find_pending(s, id);
		if (pending)
			s->dir = CT_DIR_ORIGINAL;
		else if (!ct_proto_get(s->tuple.proto)->joins)
			return false;
		found = pending ? pending : found;
	}
	s->index = found;
	s->flow = found ? &ct->arena.slots[found] : NULL;
	return found;
}

static void pay(struct ct_step *s, const struct ct_datagram *d, bool describe)
{
	struct ct_stripe *stripe;

	ct_step_hash(s);
	stripe = ct_table_stripe(s->th->ct, s->bucket);
	ct_lock(&stripe->lock);
	s->fresh = false;
	if (find_flow(s, d->flow)) {
		s->th->trace.debt.flow = ct_arena_id(&s->th->ct->arena, s->index);
		ct_debt_pay(&s->th->trace.debt, s->flow);
		if (describe)
			ct_step_describe(s);
	}
	ct_unlock(&stripe->lock);
	s->flow = NULL;
	s->index = 0;
}

/* The flow of a first fragment gets what it is owed of its datagram, if it is still there. */
static void count(struct ct_step *s, const struct ct_datagram *d, bool describe)
{
	s->tuple = d->tuple;
	if (ct_tuple_has_inverse(&s->tuple))
		pay(s, d, describe);
	ct_debt_set_state(&s->th->trace.debt, CT_DEBT_NONE);
}

/* Whatever was noted is a debt now, if its packet goes on. */
static void end_note(struct ct_step *s, bool goes_on)
{
	struct ct_debt *debt = &s->th->trace.debt;

	if (ct_debt_state(debt) == CT_DEBT_NOTING)
		ct_debt_set_state(debt, goes_on ? CT_DEBT_OPEN : CT_DEBT_NONE);
}

/* --- in and out ----------------------------------------------------------------------------- */

static void take_class(struct ct_step *s, const struct ct_datagram *d)
{
	ct_stat_inc(s->th, CT_STAT_FRAGMENTS);
	s->info = (enum ct_info)d->class.info;
	s->reason = (enum ct_reason)d->class.reason;
	memcpy(s->detail, d->class.detail, sizeof(s->detail));
	s->out->drop = d->class.drop;
	if (ct_is_told(s->info, s->reason, s->out->drop))
		ct_step_event(s, CT_EVENT_INVALID);
	if (d->counted)
		count(s, d, true);
	s->out->status = d->class.status; /* every fragment gets the mark of the first one */
}

bool ct_fragment_enter(struct ct_step *s)
{
	struct ct_fragments *f = fragments_of(s);
	struct ct_datagram d;
	enum fate fate;

	if (f->max == 0 || is_cut_first(s))
		return false;
	ct_lock(&f->lock);
	fate = place(s, &d);
	end_note(s, fate == FATE_CLASS);
	ct_unlock(&f->lock);
	switch (fate) {
	case FATE_JUDGE:
		return false;
	case FATE_CLASS:
		take_class(s, &d);
		break;
	case FATE_HOLD:
		ct_stat_inc(s->th, CT_STAT_FRAGMENTS_HELD);
		s->out->held = true;
		s->out->info = CT_INFO_INVALID;
		s->out->mark = s->in->mark;
		break;
	case FATE_DROP:
		ct_stat_inc(s->th, CT_STAT_FRAGMENTS_DROPPED);
		s->out->drop = true;
		ct_step_event(s, CT_EVENT_INVALID);
		break;
	}
	return true;
}

static void settle(struct ct_step *s, struct ct_datagram *d)
{
	d->class = (struct ct_fragment_class){
		.status = s->out->status,
		.info = (uint8_t)s->info,
		.reason = (uint8_t)s->reason,
		.drop = s->out->drop,
	};
	if (s->reason != CT_REASON_NONE)
		memcpy(d->class.detail, s->detail, sizeof(d->class.detail));
	d->counted = s->counted && s->out->has_flow;
	d->dir = (uint8_t)s->dir;
	d->flow = s->out->flow;
	d->tuple = s->tuple;
	d->tcp_end = s->tuple.proto == CT_PROTO_TCP ? s->tcp.end : 0;
	if (d->counted && d->meat > d->first_len && !d->again)
		ct_debt_begin(&s->th->trace.debt, d, s->datagram, (struct ct_run){0},
			      counted_bytes(s, d->meat - d->first_len));
	ct_datagram_set_state(d, CT_DATAGRAM_SETTLED);
	end_note(s, true);
}

void ct_fragment_settle(struct ct_step *s)
{
	struct ct_fragments *f = fragments_of(s);
	struct ct_datagram *d = &f->datagrams[s->datagram], copy;
	bool more = false;

	ct_lock(&f->lock);
	if (d->generation == s->datagram_generation && d->state == CT_DATAGRAM_JUDGING) {
		settle(s, d);
		ct_held_decide(s->th, s->datagram, &d->class);
		more = ct_debt_state(&s->th->trace.debt) == CT_DEBT_OPEN;
		memcpy(&copy, d, offsetof(struct ct_datagram, runs));
		if (is_complete(d))
			ct_datagram_complete(f, s->datagram);
	}
	ct_unlock(&f->lock);
	if (more)
		count(s, &copy, false);
}
