/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/life.h"

#include "tools/ctmark-replay/decode.h"

/* The original direction, as an event has it, or else as the packet does. */
static void note_tuple(struct life *l, const struct record *r)
{
	struct decoded d;

	for (unsigned int i = 0; i < r->out->nevents; i++) {
		const struct ct_event *ev = &r->out->events[i];

		if (ev->flow == r->out->flow && ev->type != CT_EVENT_DESTROY) {
			l->orig = ev->orig;
			return;
		}
	}
	decode_packet(&d, r->in->data, r->in->caplen, r->in->len, r->in->family);
	l->orig = (struct ct_tuple){
		.src = d.src,
		.dst = d.dst,
		.src_id_be = ct_be16(d.sport),
		.dst_id_be = ct_be16(d.dport),
		.family = d.family,
		.proto = d.proto,
	};
}

void life_begin(struct life *l, const struct record *r)
{
	*l = (struct life){
		.flow = r->flow,
		.master = r->master,
		.begin_ns = r->begin_ns,
		.first_ns = r->packet->time_ns,
		.last_ns = r->packet->time_ns,
		.helper = r->helper,
	};
	note_tuple(l, r);
}

static void add_state(struct life *l, uint8_t state)
{
	if (l->nstates > LIFE_STATES_MAX || (l->nstates && l->state == state))
		return;
	if (l->nstates < LIFE_STATES_MAX)
		l->states[l->nstates] = state;
	l->nstates++;
	l->state = state;
}

static void add_reason(struct life *l, uint8_t reason)
{
	for (unsigned int i = 0; i < l->nreasons; i++) {
		if (l->reasons[i].reason == reason) {
			l->reasons[i].packets++;
			return;
		}
	}
	if (l->nreasons < LIFE_REASONS_MAX)
		l->reasons[l->nreasons++] = (struct life_reason){reason, 1};
}

/* An ICMP error about the flow, not a packet of it. */
static bool is_error(const struct record *r)
{
	const struct ct_result *out = r->out;

	return out->nevents > 0 && out->events[0].type == CT_EVENT_RELATED && !r->first &&
	       !out->events[0].begins;
}

void life_packet(struct life *l, const struct record *r)
{
	const struct ct_result *out = r->out;

	l->last_ns = r->packet->time_ns > l->last_ns ? r->packet->time_ns : l->last_ns;
	l->status = out->status;
	add_state(l, out->state);
	if (out->info == CT_INFO_INVALID) {
		l->invalid++;
		add_reason(l, out->reason);
	} else if (is_error(r)) {
		l->errors++;
	} else {
		l->packets[out->dir]++;
		l->bytes[out->dir] += r->in->len;
	}
}

void life_end(struct life *l, const struct ending *e)
{
	l->status = e->event->status;
	add_state(l, e->event->state_new);
	if (e->time_ns > l->last_ns)
		l->last_ns = e->time_ns;
}
