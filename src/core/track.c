/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The pipeline: what happens to one packet, in order (semantics 1.1).
 *
 *	pkt      read the network layer
 *	proto    judge the packet by itself: header, lengths, checksum
 *	related  an ICMP error belongs to the flow of the packet it quotes, and ends here
 *	tuple    name the flow
 *	table    look it up, make it if it is not there
 *	proto    judge the packet as a part of its flow
 *	ctinfo   what the packet is to the rest of the system
 *
 *	confirm  a new flow enters the table, here or at the exit hook; helpers see the packet
 *
 * A packet that fails anywhere is INVALID: no flow is attached and nothing is dropped for it. A
 * first packet makes its flow in private; only when the tracker accepted it does the flow get its
 * place in the table, so a refused first packet leaves nothing behind.
 *
 * SEEN_REPLY is set after the tracker ran: while it judges the first reply the bit is still clear,
 * which several of its rules depend on.
 */

#include "core/confirm.h"
#include "core/end.h"
#include "core/fragment.h"
#include "core/helper/call.h"
#include "core/proto.h"
#include "core/related.h"
#include "core/room.h"
#include "core/stats.h"
#include "core/tcp.h"
#include "core/traced.h"

static bool is_ip(uint8_t family)
{
	return family == 0 || family == CT_AF_INET || family == CT_AF_INET6;
}

/*
 * Where one packet can be queued twice on its way in: on the loopback device, which it leaves by
 * OUTPUT and enters by PREROUTING, and in FORWARD after PREROUTING.
 */
static bool comes_second(const struct ct_input *in)
{
	return in->loopback || in->hook == CT_HOOK_FORWARD;
}

/*
 * What is not judged here: packets of another family than IP, at an exit hook, or judged before.
 * The latter two keep what was found then; a second look would take them for a repetition. At an
 * exit hook a new flow may be confirmed.
 */
static enum ct_way way_of(const struct ct_step *s)
{
	const struct ct_input *in = s->in;

	if (!is_ip(in->family))
		return CT_WAY_FOREIGN;
	if (ct_hook_is_exit(in->hook))
		return CT_WAY_EXIT;
	return s->classified && comes_second(in) ? CT_WAY_REPEAT : CT_WAY_JUDGE;
}

static void pass(struct ct_step *s)
{
	static const enum ct_stat stat[] = {
		[CT_WAY_EXIT] = CT_STAT_EXIT,
		[CT_WAY_REPEAT] = CT_STAT_REPEATED,
		[CT_WAY_FOREIGN] = CT_STAT_FOREIGN,
	};

	ct_stat_inc(s->th, stat[s->way]);
	s->out->info = s->classified ? (uint8_t)s->info : CT_INFO_INVALID;
	s->out->passed = true;
	s->out->mark = s->in->mark;
	if (s->classified && s->way == CT_WAY_EXIT)
		ct_confirm_exit(s);
}

/* --- before its turn ------------------------------------------------------------------------ */

static void read(struct ct_step *s)
{
	struct ct_bytes v = {.data = s->in->data, .cap = s->in->caplen, .len = s->in->len};
	uint8_t family = s->in->family ? s->in->family : ct_pkt_family(v);

	s->reason = ct_pkt_parse(&s->pkt, v, family, s->detail);
	s->readable = s->reason == CT_REASON_NONE;
	s->proto = ct_proto_get(s->pkt.proto);
}

/*
 * What names no flow, or needs to be looked at with the packets before it judged (the ids of a
 * PPTP call), is named when its turn comes.
 */
void ct_step_look_ahead(struct ct_step *s)
{
	struct ct *ct = s->th->ct;

	s->named = s->readable && !s->pkt.frag.present && s->pkt.proto != CT_PROTO_GRE &&
		   ct_tuple_name(&s->pkt, s->in->zone, &ct->key, &s->tuple, &s->hash);
	if (!s->named) {
		s->tuple = (struct ct_tuple){0};
		return;
	}
	s->bucket = ct_table_bucket(ct, s->hash);
	ct_table_prefetch(ct, s->bucket);
}

void ct_step_begin(struct ct_step *s, struct ct_thread *th, const struct ct_input *in)
{
	s->th = th;
	s->in = in;
	s->readable = false;
	s->reason = CT_REASON_NONE;
	memset(s->detail, 0, sizeof(s->detail));
	s->info = CT_INFO_INVALID;
	s->classified = false;
	if (comes_second(in) || ct_hook_is_exit(in->hook) || !is_ip(in->family))
		s->classified = ct_mark_decode(&th->cfg->mark, in->mark, &s->info);
	s->way = way_of(s);
	if (s->way == CT_WAY_JUDGE || (s->way == CT_WAY_EXIT && s->classified))
		read(s);
}

void ct_step_prefetch(const struct ct_step *s)
{
	if (s->named)
		ct_table_prefetch_first(s->th->ct, s->bucket);
}

/* --- its turn --------------------------------------------------------------------------------- */

bool ct_step_name_late(struct ct_step *s)
{
	uint32_t detail[CT_DETAIL_MAX] = {0};
	enum ct_reason reason;

	reason = ct_tuple_build(&s->tuple, &s->pkt, s->in->zone, detail);
	if (reason == CT_REASON_NONE)
		ct_keymap_name(&s->th->ct->keymap, &s->pkt, &s->tuple);
	if (reason == CT_REASON_NONE && !ct_tuple_has_inverse(&s->tuple)) {
		reason = CT_REASON_NOT_INVERTIBLE;
		detail[0] = ct_tuple_icmp_type(&s->tuple);
		detail[1] = ct_tuple_icmp_code(&s->tuple);
	}
	if (reason == CT_REASON_NONE)
		ct_step_hash(s);
	else if (s->reason == CT_REASON_NONE)
		ct_step_invalid(s, reason, detail[0], detail[1], detail[2], detail[3]);
	return reason == CT_REASON_NONE;
}

static void set_flow(struct ct_step *s, uint32_t index)
{
	s->index = index;
	s->flow = index ? &s->th->ct->arena.slots[index] : NULL;
}

static bool is_full(const struct ct *ct)
{
	return ct_count(ct) >= ct_max_flows(ct);
}

/* This packet notices that a flow's time is up. */
static void expire(struct ct_step *s, uint32_t index)
{
	struct ct *ct = s->th->ct;

	ct_wheel_remove(&ct_table_stripe(ct, s->bucket)->wheel, &ct->arena, index);
	s->out->nevents +=
		ct_end_expired(s->th, index, s->in->now_ns, &s->out->events[s->out->nevents]);
}

void ct_step_draft(struct ct_step *s)
{
	struct ct_expect met;

	memset(&s->draft, 0, sizeof(s->draft));
	s->draft.orig = s->tuple;
	s->draft.hash = s->hash;
	s->flow = &s->draft;
	s->dir = CT_DIR_ORIGINAL;
	s->fresh = true;
	s->master = 0;
	if (ct_expect_meet(s->th, &s->tuple, s->in->now_ns, &met)) {
		s->draft.status = CT_STATUS_EXPECTED;
		s->draft.helper = met.helper;
		s->master = met.master_id;
	} else if (s->th->cfg->nhelper_ports > 0) {
		s->draft.helper = ct_helper_assign(s->th->cfg, &s->tuple);
		s->draft.status = s->draft.helper ? CT_STATUS_HELPER : 0;
	}
}

/*
 * Finds or makes the flow. An expired flow is not there any more, even if its timer has not fired
 * yet (semantics 1.4). False: the table is full.
 */
static bool find_or_make(struct ct_step *s)
{
	struct ct *ct = s->th->ct;

	set_flow(s, ct_table_find(ct, s->bucket, &s->tuple, &s->dir));
	if (s->index && s->flow->expires_ns <= s->in->now_ns) {
		expire(s, s->index);
		set_flow(s, 0);
	}
	if (s->index) {
		ct_trace_open(s);
		return true;
	}
	if (is_full(ct) && !ct_room_make(s))
		return false;
	ct_step_draft(s);
	return true;
}

/* Semantics 1.6. */
static enum ct_info choose_info(const struct ct_step *s)
{
	if (s->dir == CT_DIR_REPLY)
		return CT_INFO_ESTABLISHED_REPLY;
	if (s->flow->status & CT_STATUS_SEEN_REPLY)
		return CT_INFO_ESTABLISHED;
	if (s->flow->status & CT_STATUS_EXPECTED)
		return CT_INFO_RELATED;
	return CT_INFO_NEW;
}

static void see_reply(struct ct_step *s)
{
	if (s->info != CT_INFO_ESTABLISHED_REPLY || s->flow->status & CT_STATUS_SEEN_REPLY)
		return;
	s->flow->status |= CT_STATUS_SEEN_REPLY;
	if (!s->dead)
		ct_step_event(s, CT_EVENT_REPLY);
}

/*
 * A RST from this host about a packet that it refuses (REJECT): it belongs to the flow which that
 * packet was about to make, and which will never be confirmed (semantics 5.5).
 */
static bool rejects_pending(struct ct_step *s)
{
	struct ct *ct = s->th->ct;
	struct ct_tuple refused;
	uint32_t index;
	enum ct_dir dir;

	if (s->in->hook != CT_HOOK_OUTPUT || s->pkt.proto != CT_PROTO_TCP ||
	    s->tcp.index != CT_TCP_RST || !ct_confirms_at_exit(ct, s->th->cfg) ||
	    ct_table_find(ct, s->bucket, &s->tuple, &dir))
		return false;
	(void)ct_tuple_invert(&refused, &s->tuple); /* TCP always has one */
	index = ct_table_find_any_pending(ct, s->bucket, &refused);
	if (!index)
		return false;
	set_flow(s, index);
	s->dir = CT_DIR_REPLY;
	s->info = CT_INFO_RELATED_REPLY;
	ct_step_event(s, CT_EVENT_RELATED);
	return true;
}

/* An accepted packet of a flow that is in the table. */
static void settle(struct ct_step *s)
{
	see_reply(s);
	if (s->info == CT_INFO_NEW)
		ct_confirm_forget_like(s);
	if (s->flow->helper && !s->dead && !ct_step_drops(s) &&
	    !ct_confirms_at_exit(s->th->ct, s->th->cfg))
		ct_helper_call(s);
}

/* Judges the packet as a part of its flow; lock held. */
static void track_flow(struct ct_step *s)
{
	enum ct_judgement judgement;

	if (rejects_pending(s))
		return;
	do {
		if (!find_or_make(s)) {
			ct_confirm_no_room(s);
			return;
		}
		s->info = choose_info(s);
		judgement = s->proto->track(s);
		if (judgement == CT_JUDGE_REPEAT) {
			ct_step_kill(s, CT_DEATH_TCP_REOPEN);
			ct_trace_drop(s);
			ct_arena_free(&s->th->ct->arena, s->index);
			s->dead = false;
		}
	} while (judgement == CT_JUDGE_REPEAT);

	if (judgement == CT_JUDGE_INVALID)
		s->info = CT_INFO_INVALID;
	else if (s->fresh)
		ct_confirm_draft(s);
	else
		settle(s);
}

/*
 * For the record: the flow that a packet which fails by itself would belong to. The kernel makes a
 * flow before it looks closer, but for ICMP: so a full table is noticed first, and an expectation
 * is used up.
 */
static void find_only(struct ct_step *s)
{
	bool made_first = !s->proto->icmp;
	struct ct_expect met;

	set_flow(s, ct_table_find(s->th->ct, s->bucket, &s->tuple, &s->dir));
	if (s->index && s->flow->expires_ns <= s->in->now_ns)
		set_flow(s, 0);
	if (s->index || !made_first)
		return;
	if (is_full(s->th->ct) && !ct_room_make(s))
		ct_confirm_no_room(s);
	else
		(void)ct_expect_meet(s->th, &s->tuple, s->in->now_ns, &met);
}

/* The part that needs the flow; everything of it happens under one lock. */
static void with_flow(struct ct_step *s)
{
	struct ct_stripe *stripe;

	stripe = ct_table_stripe(s->th->ct, s->bucket);
	ct_lock(&stripe->lock);
	if (s->reason == CT_REASON_NONE)
		track_flow(s);
	else
		find_only(s);
	if (ct_is_told(s->info, s->reason, s->out->drop))
		ct_step_event(s, CT_EVENT_INVALID);
	ct_step_describe(s);
	ct_trace_close(s);
	if (s->dead)
		ct_arena_free(&s->th->ct->arena, s->index);
	ct_unlock(&stripe->lock);
}

/* Everything up to the ctinfo. */
static void judge(struct ct_step *s)
{
	s->info = CT_INFO_INVALID;
	if (s->pkt.frag.present && ct_fragment_enter(s))
		return;
	if (!s->readable) {
		ct_step_event(s, CT_EVENT_INVALID);
		return;
	}
	if (s->proto->check(s) && s->proto->icmp && ct_related(s))
		return;
	if (ct_step_name(s))
		with_flow(s);
	else
		ct_step_event(s, CT_EVENT_INVALID);
}

/* Completes the result with what concerns the packet, not the flow. */
static void finish(struct ct_step *s)
{
	struct ct_result *out = s->out;

	if (s->datagram)
		ct_fragment_settle(s);
	if (out->held)
		return;
	out->info = (uint8_t)s->info;
	out->reason = (uint8_t)s->reason;
	out->mark = ct_mark_encode(&s->th->cfg->mark, s->in->mark, s->info,
				   s->info == CT_INFO_INVALID ? 0 : out->status);
	for (unsigned int i = 0; i < out->nevents; i++) {
		out->events[i].mark = out->mark;
		out->events[i].info = out->info;
	}
	ct_stat_inc(s->th, CT_STAT_PACKETS);
	ct_stats_judged(s->th, out);
}

void ct_step_run(struct ct_step *s, struct ct_result *out)
{
	s->out = out;
	s->flow = NULL;
	s->index = 0;
	s->fresh = s->dead = s->counted = false;
	s->datagram = 0;
	s->dir = CT_DIR_ORIGINAL;
	s->master = 0;
	out->reason = CT_REASON_NONE;
	out->drop = out->passed = out->held = out->has_flow = false;
	out->dir = CT_DIR_ORIGINAL;
	out->state = 0;
	out->status = 0;
	out->flow = 0;
	out->timeout_ns = 0;
	out->nevents = 0;
	if (s->way == CT_WAY_JUDGE) {
		judge(s);
		finish(s);
	} else {
		pass(s);
	}
	if (s->th->ndoomed > 0)
		ct_end_doomed(s->th, s->in->now_ns);
}

void ct_track(struct ct_thread *th, const struct ct_input *in, struct ct_result *out)
{
	struct ct_step s;

	ct_step_begin(&s, th, in);
	ct_step_look_ahead(&s);
	ct_step_run(&s, out);
}
