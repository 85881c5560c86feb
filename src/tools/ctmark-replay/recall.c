/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/recall.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/key.h"
#include "core/tcp.h"

#define FIRST_SIZE 64

struct recall_flow *recall_flow(const struct recall *m, uint64_t number)
{
	return number > 0 && number <= m->nflows ? &m->flows[number] : NULL;
}

static int grow(struct recall *m)
{
	uint64_t size = m->size ? 2 * m->size : FIRST_SIZE;
	struct recall_flow *flows = realloc(m->flows, size * sizeof(*flows));

	if (!flows)
		return -ENOMEM;
	m->flows = flows;
	m->size = size;
	return 0;
}

/* Flows are numbered in the order of their first packets. */
static int begin(struct recall *m, const struct record *r, const struct anatomy *a)
{
	struct recall_flow *f;

	if (r->flow + 1 > m->size && grow(m) < 0)
		return -ENOMEM;
	f = &m->flows[r->flow];
	*f = (struct recall_flow){
		.orig = r->view_after ? r->view_after->orig : a->tuple,
		.first = r->packet->number,
		.first_ns = r->packet->time_ns,
		.detail = calloc(1, sizeof(*f->detail)),
	};
	if (!f->detail)
		return -ENOMEM;
	m->nflows = r->flow;
	return 0;
}

/* ---- TCP ---- */

static uint32_t window_of(const struct anatomy *a, const struct ct_view_peer *p)
{
	uint32_t win = a->tcp.win;

	return a->tcp.flags & CT_TCP_SYN_FLAG ? win : win << p->scale;
}

/* What the packet did to the numbers of its sender. */
static void note_sender(struct recall_side *s, const struct record *r, const struct anatomy *a)
{
	const struct ct_view_peer *now = &r->view_after->l4.tcp.peer[r->out->dir];
	const struct ct_view_peer *was =
		r->view_before ? &r->view_before->l4.tcp.peer[r->out->dir] : NULL;
	uint64_t number = r->packet->number;
	bool anew = !was || was->maxwin == 0;

	if (now->end == a->tcp.end && (anew || now->end != was->end)) {
		s->end_by = number;
		if (!s->based || a->tcp.flags & CT_TCP_SYN_FLAG) {
			s->based = true;
			s->base = a->tcp.seq;
			s->base_by = number;
		}
	}
	if (anew || now->maxwin != was->maxwin) {
		s->maxwin_by = number;
		s->maxwin_raw = a->tcp.win;
		s->maxwin_syn = a->tcp.flags & CT_TCP_SYN_FLAG;
	}
	if (now->flags & CT_TCP_MAXACK_SET &&
	    (!was || !(was->flags & CT_TCP_MAXACK_SET) || now->maxack != was->maxack))
		s->maxack_by = number;
	if (now->maxend == now->end && (anew || now->maxend != was->maxend))
		s->maxend_by = 0; /* by its own SYN: nobody has allowed anything yet */
}

/* What it did to those of its receiver, which it may make the sender of an ignored SYN. */
static void note_receiver(struct recall_side *s, const struct record *r, const struct anatomy *a,
			  uint64_t syn_by)
{
	const struct ct_view_peer *now = &r->view_after->l4.tcp.peer[!r->out->dir];
	const struct ct_view_peer *was =
		r->view_before ? &r->view_before->l4.tcp.peer[!r->out->dir] : NULL;

	if (!was)
		return;
	if (now->end != was->end && syn_by > 0) {
		s->end_by = s->base_by = syn_by;
		s->base = now->end - 1;
	}
	if (now->maxend == was->maxend)
		return;
	s->maxend_by = r->packet->number;
	s->maxend_ack = a->tcp.ack;
	s->maxend_win = window_of(a, &r->view_after->l4.tcp.peer[r->out->dir]);
}

static void note_tcp(struct recall_detail *d, const struct record *r, const struct anatomy *a)
{
	if (!a->has_tcp || !r->view_after)
		return;
	note_sender(&d->side[r->out->dir], r, a);
	note_receiver(&d->side[!r->out->dir], r, a, d->syn_by);
	if (a->tcp.index == CT_TCP_SYN)
		d->syn_by = r->packet->number;
	else if (a->tcp.index == CT_TCP_SYNACK)
		d->syn_by = 0;
	if (r->out->info == CT_INFO_INVALID && !d->window_invalid &&
	    (r->out->reason == CT_REASON_TCP_SEQ_OVER || r->out->reason == CT_REASON_TCP_ACK_OVER))
		d->window_invalid = r->packet->number;
}

static void note_sctp(struct recall_detail *d, const struct record *r)
{
	if (!r->view_after)
		return;
	for (int dir = 0; dir < CT_DIR_MAX; dir++) {
		uint32_t now = r->view_after->l4.sctp.vtag[dir];

		if (!r->view_before ? now != 0 : now != r->view_before->l4.sctp.vtag[dir])
			d->side[dir].vtag_by = r->packet->number;
	}
}

/* ---- all protocols ---- */

static void note_detail(struct recall_detail *d, const struct record *r, const struct anatomy *a)
{
	uint16_t was = r->before.known ? r->before.status : 0, came = r->out->status & ~was;
	uint64_t number = r->packet->number;

	if (!r->before.known || r->before.state != r->out->state)
		d->state_by = number;
	if (came & CT_STATUS_SEEN_REPLY)
		d->reply_by = number;
	if (came & CT_STATUS_ASSURED)
		d->assured_by = number;
	if (r->expects > 0) {
		d->expects_before = d->expects_by;
		d->expects_by = number;
	}
	if (r->view_after && r->view_after->orig.proto == CT_PROTO_TCP)
		note_tcp(d, r, a);
	else if (r->view_after && r->view_after->orig.proto == CT_PROTO_SCTP)
		note_sctp(d, r);
	d->recent[d->nrecent % RECALL_RECENT].number = number;
	d->recent[d->nrecent++ % RECALL_RECENT].print = a->print;
}

/* ICMP errors are told of with the flow that they are about, but leave it alone. */
static bool is_about(const struct record *r, const struct anatomy *a)
{
	return a->has_icmp &&
	       (r->out->info == CT_INFO_RELATED || r->out->info == CT_INFO_RELATED_REPLY);
}

static void note_datagram(struct recall *m, uint64_t number, const struct ct_pkt *ip)
{
	if (!ip->fragment)
		return;
	m->datagrams[m->ndatagrams++ % RECALL_DATAGRAMS] = (struct recall_datagram){
		.src = ip->src,
		.dst = ip->dst,
		.id = ip->frag.id,
		.number = number,
	};
}

uint64_t recall_first_fragment(const struct recall *m, const struct anatomy *a)
{
	for (uint64_t i = m->ndatagrams; i > 0 && m->ndatagrams - i < RECALL_DATAGRAMS; i--) {
		const struct recall_datagram *d = &m->datagrams[(i - 1) % RECALL_DATAGRAMS];

		if (d->id == a->ip.frag.id && memcmp(&d->src, &a->ip.src, sizeof(d->src)) == 0 &&
		    memcmp(&d->dst, &a->ip.dst, sizeof(d->dst)) == 0)
			return d->number;
	}
	return 0;
}

int recall_note(struct recall *m, const struct record *r, const struct anatomy *a)
{
	struct recall_flow *f;

	note_datagram(m, r->packet->number, &a->ip);
	if (r->flow == 0)
		return 0;
	if (r->first && begin(m, r, a) < 0)
		return -ENOMEM;
	f = recall_flow(m, r->flow);
	if (!f || !f->detail)
		return 0;
	f->status = r->out->status;
	f->state = r->out->state;
	f->expires_ns = r->packet->time_ns + r->out->timeout_ns;
	if (r->out->info == CT_INFO_INVALID) {
		f->detail->invalid++;
		note_tcp(f->detail, r, a);
		return 0;
	}
	if (is_about(r, a))
		return 0;
	f->last = r->packet->number;
	f->last_ns = r->packet->time_ns;
	f->detail->valid++;
	note_detail(f->detail, r, a);
	return 0;
}

void recall_end(struct recall *m, const struct ending *e)
{
	struct recall_flow *f = recall_flow(m, e->flow);

	if (!f)
		return;
	f->ended_ns = e->time_ns;
	f->death = e->event->death;
	free(f->detail);
	f->detail = NULL;
}

/* ---- looking for flows and packets ---- */

uint64_t recall_by_tuple(const struct recall *m, const struct ct_tuple *t, uint64_t before)
{
	for (uint64_t i = before ? before - 1 : m->nflows; i > 0; i--)
		if (ct_tuple_equal(&m->flows[i].orig, t) ||
		    ct_tuple_is_inverse(&m->flows[i].orig, t))
			return i;
	return 0;
}

uint64_t recall_by_print(const struct recall_flow *f, uint32_t print)
{
	uint32_t n = !f->detail				  ? 0
		     : f->detail->nrecent < RECALL_RECENT ? f->detail->nrecent
							  : RECALL_RECENT;

	for (uint32_t i = 0; i < n; i++)
		if (f->detail->recent[i].print == print)
			return f->detail->recent[i].number;
	return 0;
}

void recall_done(struct recall *m)
{
	for (uint64_t i = 1; i <= m->nflows; i++)
		free(m->flows[i].detail);
	free(m->flows);
	*m = (struct recall){};
}
