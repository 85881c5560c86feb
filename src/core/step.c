/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What the trackers may do to a flow, and how it is told.
 *
 * A tracker never touches deadline, counters, status or table by itself; it calls these. So the
 * rules of refresh and accounting (semantics 7.2) and the order of events stand in one place.
 */

#include "core/checksum.h"
#include "core/stats.h"
#include "core/step.h"

const uint8_t *ct_step_header(struct ct_step *s, uint32_t size)
{
	return ct_bytes_get(s->pkt.l4, 0, size, CT_REASON_L4_HEADER, &s->reason, s->detail);
}

/* The kernel verifies what came in from outside; what this host sends is its own business. */
static bool checksum_is_ours(const struct ct_step *s)
{
	return s->th->cfg->checksum && s->in->csum_unverified && !s->pkt.fragment &&
	       (s->in->hook == CT_HOOK_PREROUTING || s->in->hook == CT_HOOK_FORWARD);
}

/* Is there something to verify, and are the bytes there that it takes? */
static bool checksum_is_due(const struct ct_step *s, uint32_t need)
{
	if (!checksum_is_ours(s))
		return false;
	if (s->pkt.l4.cap >= need)
		return true;
	ct_stat_inc(s->th, CT_STAT_CSUM_SKIPPED);
	return false;
}

static bool checksum_result(struct ct_step *s, bool ok)
{
	if (!ok)
		s->reason = CT_REASON_CHECKSUM;
	return ok;
}

bool ct_step_checksum(struct ct_step *s, uint32_t at)
{
	return !checksum_is_due(s, s->pkt.l4.len) ||
	       checksum_result(s, ct_checksum_ok(&s->pkt, at, s->detail));
}

bool ct_step_checksum_part(struct ct_step *s, uint32_t at, uint32_t covered)
{
	return !checksum_is_due(s, covered) ||
	       checksum_result(s, ct_checksum_part_ok(&s->pkt, at, covered, s->detail));
}

bool ct_step_crc32c(struct ct_step *s)
{
	return !checksum_is_due(s, s->pkt.l4.len) ||
	       checksum_result(s, ct_checksum_sctp_ok(&s->pkt, s->detail));
}

void ct_step_bring_forward(struct ct_step *s)
{
	struct ct *ct = s->th->ct;

	ct_wheel_update(&ct_table_stripe(ct, s->bucket)->wheel, &ct->arena, s->index);
}

void ct_step_assure_now(struct ct_step *s)
{
	s->flow->status |= CT_STATUS_ASSURED;
	ct_step_event(s, CT_EVENT_ASSURED);
}

void ct_step_set_state(struct ct_step *s, uint8_t state)
{
	struct ct_event *ev;
	uint8_t old = s->flow->state;

	if (old == state)
		return;
	s->flow->state = state;
	if (s->fresh)
		return; /* told by the event that it is new */
	ev = ct_step_event(s, CT_EVENT_STATE);
	ev->state_old = old;
}

/* The packet's own addresses, for an event without a flow. */
static void event_packet(struct ct_event *ev, const struct ct_step *s)
{
	ev->family = s->pkt.family;
	ev->l4proto = s->pkt.proto;
	ev->has_tuple = s->pkt.has_addrs;
	if (s->tuple.family) {
		ev->orig = s->tuple;
		return;
	}
	ev->orig.src = s->pkt.src;
	ev->orig.dst = s->pkt.dst;
	ev->orig.family = s->pkt.family;
	ev->orig.proto = s->pkt.proto;
	ev->orig.zone = s->in->zone;
}

struct ct_event *ct_step_event(struct ct_step *s, enum ct_event_type type)
{
	struct ct_event *ev = &s->out->events[s->out->nevents++];

	*ev = (struct ct_event){
		.type = (uint8_t)type,
		.time_ns = s->in->now_ns,
		.iif = s->in->iif,
		.oif = s->in->oif,
		.queue = s->in->queue,
		.hook = s->in->hook,
		.dir = (uint8_t)s->dir,
		.accounted = s->th->cfg->accounting,
	};
	if (s->flow && !s->fresh) {
		ev->flow = ct_arena_id(&s->th->ct->arena, s->index);
		ev->state_old = ev->state_new = s->flow->state;
	} else {
		event_packet(ev, s);
	}
	if (type == CT_EVENT_INVALID) {
		ev->reason = (uint8_t)s->reason;
		ev->drop = s->out->drop;
		memcpy(ev->detail, s->detail, sizeof(ev->detail));
	}
	return ev;
}

static uint64_t left(const struct ct_flow *f, uint64_t now_ns)
{
	if (!(f->status & CT_STATUS_CONFIRMED))
		return f->lifetime_ns;
	return f->expires_ns > now_ns ? f->expires_ns - now_ns : 0;
}

void ct_event_flow(struct ct_event *ev, const struct ct *ct, uint32_t index, uint64_t now_ns)
{
	const struct ct_flow *f = &ct->arena.slots[index];

	ev->flow = ct_arena_id(&ct->arena, index);
	ev->orig = f->orig;
	ct_tuple_invert(&ev->reply, &f->orig);
	ev->has_tuple = true;
	ev->family = f->orig.family;
	ev->l4proto = f->orig.proto;
	ev->timeout_ns = left(f, now_ns);
	ev->status = f->status;
	ev->helper = f->helper;
	ev->master = ct_arena_has_kin(&ct->arena, index) ? ct->arena.kin[index].master : 0;
	for (int d = 0; d < CT_DIR_MAX; d++) {
		ev->packets[d] = f->packets[d];
		ev->bytes[d] = f->bytes[d];
	}
}

void ct_step_describe(struct ct_step *s)
{
	struct ct_result *out = s->out;

	if (!s->flow || s->fresh)
		return;
	out->has_flow = true;
	out->flow = ct_arena_id(&s->th->ct->arena, s->index);
	out->dir = (uint8_t)s->dir;
	out->state = s->flow->state;
	out->status = s->flow->status;
	out->timeout_ns = left(s->flow, s->in->now_ns);
	for (unsigned int i = 0; i < out->nevents; i++)
		if (out->events[i].flow == out->flow && out->events[i].type != CT_EVENT_DESTROY)
			ct_event_flow(&out->events[i], s->th->ct, s->index, s->in->now_ns);
}
