/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/film.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log/message.h"

int film_init(struct film *f, const struct choice *choice, uint32_t max_flows)
{
	*f = (struct film){.choice = choice};
	f->reels = calloc(FILM_FLOWS_MAX + FILM_PAIRS_MAX, sizeof(struct reel *));
	f->left = calloc((size_t)max_flows + 1, sizeof(*f->left));
	if (f->reels && f->left)
		return 0;
	film_done(f);
	return -ENOMEM;
}

void film_done(struct film *f)
{
	for (size_t i = 0; i < f->nreels; i++)
		reel_free(f->reels[i]);
	free(f->reels);
	free(f->left);
	f->reels = NULL;
	f->left = NULL;
}

/* ---- reels ---- */

/* Where the reel of a flow is, or would have to be. */
static size_t place_of(const struct film *f, uint64_t number)
{
	size_t low = f->npairs, high = f->nreels;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (f->reels[middle]->number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct reel *find_flow(const struct film *f, uint64_t number)
{
	size_t at = place_of(f, number);

	return at < f->nreels && f->reels[at]->number == number ? f->reels[at] : NULL;
}

static bool same_pair(const struct ct_tuple *a, const struct decoded *d)
{
	bool forth = memcmp(&a->src, &d->src, sizeof(a->src)) == 0 &&
		     memcmp(&a->dst, &d->dst, sizeof(a->dst)) == 0;
	bool back = memcmp(&a->src, &d->dst, sizeof(a->src)) == 0 &&
		    memcmp(&a->dst, &d->src, sizeof(a->dst)) == 0;

	return a->family == (d->has_addrs ? d->family : 0) && (forth || back);
}

static struct reel *find_pair(const struct film *f, const struct decoded *d)
{
	for (size_t i = 0; i < f->npairs; i++)
		if (same_pair(&f->reels[i]->orig, d))
			return f->reels[i];
	return NULL;
}

/* NULL: no memory. */
static struct reel *insert(struct film *f, size_t at)
{
	struct reel *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	memmove(&f->reels[at + 1], &f->reels[at], (f->nreels - at) * sizeof(struct reel *));
	f->reels[at] = r;
	f->nreels++;
	return r;
}

static struct ct_tuple tuple_of(const struct decoded *d)
{
	return (struct ct_tuple){
		.src = d->src,
		.dst = d->dst,
		.src_id_be = htons(d->sport),
		.dst_id_be = htons(d->dport),
		.family = d->has_addrs ? d->family : 0,
		.proto = d->proto,
	};
}

/* *ret is NULL if there is no room. */
static int take_pair(struct film *f, const struct decoded *d, struct reel **ret)
{
	struct reel *r = find_pair(f, d);

	if (!r && f->npairs < FILM_PAIRS_MAX) {
		r = insert(f, f->npairs);
		if (!r)
			return -ENOMEM;
		f->npairs++;
		r->orig = tuple_of(d);
		r->has_tuple = d->has_addrs;
	}
	if (!r)
		f->packets_left++;
	*ret = r;
	return 0;
}

/* What the engine says of the flow, from wherever it is said. */
static void describe(struct reel *reel, const struct record *r, const struct decoded *d)
{
	const struct ct_view *view = r->view_after ? r->view_after : r->view_before;
	const struct ct_result *out = r->out;

	if (view) {
		reel->orig = view->orig;
		reel->has_tuple = true;
	}
	for (unsigned int i = 0; i < out->nevents && !reel->has_tuple; i++) {
		if (out->events[i].flow != out->flow || !message_has_tuple(&out->events[i]))
			continue;
		reel->orig = out->events[i].orig;
		reel->has_tuple = true;
	}
	if (!reel->has_tuple)
		reel->orig = tuple_of(d);
}

/* Once for each flow, whose first packet need not be one that is shown. */
static void count_left(struct film *f, const struct record *r)
{
	f->flows_left += f->left[r->slot] != r->flow;
	f->left[r->slot] = r->flow;
}

static int take_flow(struct film *f, const struct record *r, const struct decoded *d,
		     struct reel **ret)
{
	struct reel *reel = find_flow(f, r->flow);

	*ret = reel;
	if (reel)
		return 0;
	if (f->nreels - f->npairs >= FILM_FLOWS_MAX) {
		count_left(f, r);
		return 0;
	}
	reel = insert(f, place_of(f, r->flow));
	if (!reel)
		return -ENOMEM;
	reel->number = r->flow;
	describe(reel, r, d);
	reel->master = r->master;
	reel->helper = r->helper;
	*ret = reel;
	return 0;
}

/* ---- packets ---- */

static char *detail_of(const struct ct_result *out)
{
	char text[MESSAGE_DETAIL_MAX];

	for (unsigned int i = 0; i < out->nevents; i++)
		if (out->events[i].type == CT_EVENT_INVALID &&
		    message_detail(&out->events[i], text))
			return strdup(text);
	return NULL;
}

static struct shot make_shot(const struct record *r, const struct decoded *d)
{
	const struct ct_result *out = r->out;
	bool has_flow = r->flow != 0;

	return (struct shot){
		.packet = *d,
		.number = r->packet->number,
		.at_ns = r->in->now_ns - CAPTURE_BEGIN_NS,
		.timeout_ns = has_flow ? out->timeout_ns : 0,
		.mark = out->mark,
		.before = r->before,
		.status = has_flow ? out->status : 0,
		.info = out->info,
		.reason = out->reason,
		.dir = out->dir,
		.state = has_flow ? out->state : 0,
		.has_flow = has_flow,
		.begins = r->first,
		.drop = out->drop,
		.detail = detail_of(out),
	};
}

static void join_reopened(struct film *f, struct reel *reel)
{
	struct reel *old = find_flow(f, f->ended_last);

	if (old)
		old->reopened = reel->number;
	reel->reopens = f->ended_last;
}

int film_packet(struct film *f, const struct record *r)
{
	struct reel *reel;
	struct decoded d;
	struct shot s;
	int err;

	if (!choice_has_packet(f->choice, r)) {
		f->ended_last = 0;
		return 0;
	}
	decode_packet(&d, r->in->data, r->in->caplen, r->in->len, r->packet->link.family);
	err = r->flow ? take_flow(f, r, &d, &reel) : take_pair(f, &d, &reel);
	if (err < 0)
		return err;
	if (reel && r->first && f->ended_last)
		join_reopened(f, reel);
	f->ended_last = 0;
	f->packets++;
	f->invalid += r->out->info == CT_INFO_INVALID;
	s = make_shot(r, &d);
	if (r->flow)
		graph_note(&f->tcp, &f->sctp, &s);
	if (!reel) {
		free(s.detail);
		return 0;
	}
	return reel_put(reel, &s);
}

void film_ending(struct film *f, const struct ending *e)
{
	struct reel *reel = e->flow ? find_flow(f, e->flow) : NULL;

	if (e->event->death == CT_DEATH_TCP_REOPEN)
		f->ended_last = e->flow;
	if (!reel)
		return;
	reel->ended = true;
	reel->death = e->event->death;
	reel->end_ns = e->time_ns - e->begin_ns;
}

void film_end(struct film *f, const struct replay_totals *t)
{
	f->end_ns = t->now_ns - t->capture->first_ns;
}
