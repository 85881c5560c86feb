/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/flow.h"
#include "ctl/report.h"
#include "ctl/method.h"
#include "ctl/server.h"
#include "ctl/stream.h"
#include "log/journal.h"
#include "log/message.h"
#include "util/clock.h"

#define TELL_NS	   (250 * NS_PER_MS)
#define CENSUS_MAX 262144 /* flows looked at */
#define EXPECTS	   64

/* ---- what all of them need ---- */

bool ctl_read_filter(struct ctl_call *call, struct ctl_filter *ret)
{
	struct ctl_complaint c;

	if (ctl_filter_read(ret, json_object_get(call->params, "filter"), &c))
		return true;
	ctl_error(call, CTL_ERROR("BadFilter"), "condition", c.condition, "value", c.value, "why",
		  c.why, NULL);
	return false;
}

bool ctl_call_state(struct ctl_call *call, size_t size)
{
	call->state = calloc(1, size);
	call->free = free;
	if (!call->state)
		ctl_error(call, CTL_ERROR("Busy"), NULL);
	return call->state;
}

static struct ct *table(const struct ctl_call *call)
{
	return ctl_server_parts(call->server)->ct;
}

/* The one flow that a filter names needs no search. */
static void take_one(struct ctl_walk *w, struct ct *ct, uint64_t now_ns)
{
	w->at.done = true;
	w->n = ct_view_get(ct, w->filter.flow, now_ns, &w->views[0]);
}

bool ctl_walk_more(struct ctl_walk *w, struct ct *ct, uint64_t now_ns)
{
	size_t n = 0;

	w->n = 0;
	if (w->at.done)
		return false;
	if (ctl_filter_has(&w->filter, CTL_CONDITION_FLOW))
		take_one(w, ct, now_ns);
	else
		w->n = ct_walk_next(ct, &w->at, now_ns, w->views, CTL_WALK_BATCH);
	for (size_t i = 0; i < w->n; i++) {
		if (!ctl_filter_view(&w->filter, &w->views[i]))
			continue;
		if (n != i)
			w->views[n] = w->views[i];
		n++;
	}
	w->n = n;
	return true;
}

bool ctl_call_may_go_on(const struct ctl_call *call, uint64_t until_ns)
{
	return !call->ended && ctl_client_waiting(call->client) < CTL_OUT_PAUSE &&
	       clock_now_ns() < until_ns;
}

/* ---- List, Get ---- */

static void put_flows(struct ctl_call *call, const struct ctl_walk *w, bool continues)
{
	struct ctl_writer *out = ctl_reply_begin(call);

	ctl_open(out, "flows", '[');
	for (size_t i = 0; i < w->n; i++)
		ctl_put_flow(out, NULL, &w->views[i]);
	ctl_close(out, ']');
	if (!ctl_reply_end(call, continues))
		ctl_error(call, CTL_ERROR("Busy"), NULL);
}

static void list_some(struct ctl_call *call, uint64_t until_ns)
{
	struct ctl_walk *w = call->state;

	do {
		if (!ctl_walk_more(w, table(call), clock_now_ns()))
			put_flows(call, w, false);
		else if (w->n > 0)
			put_flows(call, w, true);
	} while (ctl_call_may_go_on(call, until_ns));
}

void ctl_start_list(struct ctl_call *call)
{
	struct ctl_filter filter;
	struct ctl_walk *w;

	if (!ctl_read_filter(call, &filter) || !ctl_call_state(call, sizeof(*w)))
		return;
	w = call->state;
	w->filter = filter;
	call->slice = list_some;
}

void ctl_start_get(struct ctl_call *call)
{
	const char *text;
	struct ct_view v;
	uint64_t id;

	if (!ctl_param_string(call, "flow", &text))
		return;
	if (!text || !ctl_read_id(text, &id)) {
		ctl_bad_param(call, "flow");
		return;
	}
	if (!ct_view_get(table(call), id, clock_now_ns(), &v)) {
		ctl_error(call, CTL_ERROR("NoSuchFlow"), "flow", text, NULL);
		return;
	}
	ctl_put_flow(ctl_reply_begin(call), "flow", &v);
	(void)ctl_reply_end(call, false);
}

/* ---- Count ---- */

struct counting {
	struct ctl_walk walk;
	uint64_t n;
};

static void put_count(struct ctl_call *call, uint64_t n)
{
	struct ctl_writer *out = ctl_reply_begin(call);

	ctl_put_uint(out, "count", n);
	ctl_put_uint(out, "max", ct_max_flows(table(call)));
	(void)ctl_reply_end(call, false);
}

static void count_some(struct ctl_call *call, uint64_t until_ns)
{
	struct counting *c = call->state;

	do {
		if (ctl_walk_more(&c->walk, table(call), clock_now_ns()))
			c->n += c->walk.n;
		else
			put_count(call, c->n);
	} while (ctl_call_may_go_on(call, until_ns));
}

void ctl_start_count(struct ctl_call *call)
{
	struct ctl_filter filter;
	struct counting *c;

	if (!ctl_read_filter(call, &filter))
		return;
	if (!filter.has) {
		put_count(call, ct_count_shown(table(call)));
		return;
	}
	if (!ctl_call_state(call, sizeof(*c)))
		return;
	c = call->state;
	c->walk.filter = filter;
	call->slice = count_some;
}

/* ---- Delete, Flush ---- */

struct deletion {
	struct ctl_walk walk;
	uint64_t n, told_ns;
	struct ct_config config; /* as it was at the beginning of the slice */
	struct ctl_mailbox *mailbox;
	struct ctl_letter *record; /* of what was done, however it ends */
};

static void free_deletion(void *state)
{
	struct deletion *d = state;

	if (d->record) {
		d->record->deleted = d->n;
		ctl_mailbox_put(d->mailbox, CTL_TO_MAIN, d->record);
	}
	free(d);
}

static bool end_flow(const struct ctl_parts *p, uint64_t flow, uint64_t now_ns)
{
	struct ct_event ev;

	if (!ct_delete(p->thread, flow, now_ns, &ev))
		return false;
	if (p->log)
		jlog_push(p->log, p->ring, &ev);
	ctl_stream_push(p->stream, p->ring, &ev);
	return true;
}

static void end_flows(struct ctl_call *call, struct deletion *d, uint64_t now_ns)
{
	const struct ctl_parts *p = ctl_server_parts(call->server);

	for (size_t i = 0; i < d->walk.n; i++)
		if (end_flow(p, d->walk.views[i].flow, now_ns))
			d->n++;
}

static void put_deleted(struct ctl_call *call, const struct deletion *d, bool continues)
{
	ctl_put_uint(ctl_reply_begin(call), "deleted", d->n);
	(void)ctl_reply_end(call, continues);
}

static void delete_some(struct ctl_call *call, uint64_t until_ns)
{
	const struct ctl_parts *p = ctl_server_parts(call->server);
	struct deletion *d = call->state;
	uint64_t now_ns;

	ctl_server_get_config(call->server, &d->config);
	p->thread->cfg = &d->config;
	do {
		if (ctl_stream_crowded(p->stream, p->ring))
			return;
		now_ns = clock_now_ns();
		if (!ctl_walk_more(&d->walk, p->ct, now_ns)) {
			put_deleted(call, d, false);
			return;
		}
		end_flows(call, d, now_ns);
	} while (ctl_call_may_go_on(call, until_ns));
	if (call->more && now_ns - d->told_ns >= TELL_NS) {
		put_deleted(call, d, true);
		d->told_ns = now_ns;
	}
}

static void start_deletion(struct ctl_call *call, const struct ctl_filter *filter)
{
	const struct ctl_parts *p = ctl_server_parts(call->server);
	struct deletion *d;

	if (!ctl_call_state(call, sizeof(*d)))
		return;
	d = call->state;
	d->walk.filter = *filter;
	d->told_ns = clock_now_ns();
	d->mailbox = p->mailbox;
	d->record = p->mailbox ? ctl_letter_for(call, CTL_ASK_TOLD) : NULL;
	call->free = free_deletion;
	call->slice = delete_some;
}

void ctl_start_delete(struct ctl_call *call)
{
	struct ctl_filter filter;
	json_t *json;

	if (!ctl_param_needed(call, "filter", &json) || !ctl_read_filter(call, &filter))
		return;
	if (filter.has)
		start_deletion(call, &filter);
	else
		ctl_error(call, CTL_ERROR("BadFilter"), "condition", "filter", "value", "{}", "why",
			  "has no condition; Flush ends all flows", NULL);
}

void ctl_start_flush(struct ctl_call *call)
{
	start_deletion(call, &(struct ctl_filter){});
}

/* ---- Expectations ---- */

static void expect_some(struct ctl_call *call, uint64_t until_ns)
{
	struct ct_view_expect list[EXPECTS];
	uint32_t *at = call->state;
	size_t n;

	do {
		struct ctl_writer *out;

		n = *at == UINT32_MAX
			    ? 0
			    : ct_expect_next(table(call), at, clock_now_ns(), list, EXPECTS);
		if (n == 0 && *at != UINT32_MAX)
			continue;
		out = ctl_reply_begin(call);
		ctl_open(out, "expectations", '[');
		for (size_t i = 0; i < n; i++)
			ctl_put_expectation(out, &list[i]);
		ctl_close(out, ']');
		(void)ctl_reply_end(call, *at != UINT32_MAX);
	} while (ctl_call_may_go_on(call, until_ns));
}

void ctl_start_expectations(struct ctl_call *call)
{
	if (ctl_call_state(call, sizeof(uint32_t)))
		call->slice = expect_some;
}

/* ---- GetCensus ---- */

#define CENSUS_STATES 16

struct census {
	struct ctl_walk walk;
	uint32_t sample;
	uint32_t flows[UINT8_MAX + 1][CENSUS_STATES];
};

static void put_state_count(struct ctl_writer *w, uint8_t proto, uint8_t state, uint32_t n)
{
	const char *name = ct_state_name(proto, state);
	char buf[MESSAGE_PROTO_MAX], text[64];

	if (n == 0)
		return;
	snprintf(text, sizeof(text), "%s%s%s", message_proto(proto, buf), name ? " " : "",
		 name ? name : "");
	ctl_open(w, NULL, '{');
	ctl_put_string(w, "name", text);
	ctl_put_uint(w, "value", n);
	ctl_close(w, '}');
}

static void put_talker(struct ctl_writer *w, const char *role, const struct ct_talker *t)
{
	const struct ct_party *p = &t->party;
	char buf[CTL_ADDR_STRLEN], proto[MESSAGE_PROTO_MAX];

	ctl_open(w, NULL, '{');
	ctl_put_string(w, "role", role);
	ctl_put_string(w, "address", ctl_addr(p->family, &p->addr, p->prefix, buf));
	if (p->service)
		ctl_put_string(w, "proto", message_proto(p->proto, proto));
	if (p->service && p->port_be)
		ctl_put_uint(w, "dport", __builtin_bswap16(p->port_be));
	if (p->zone)
		ctl_put_uint(w, "zone", p->zone);
	ctl_put_uint(w, "permille", t->permille);
	ctl_close(w, '}');
}

static void put_talkers(struct ctl_writer *w, struct ct *ct)
{
	struct ct_talkers t;

	ct_talkers(ct, clock_now_ns(), &t);
	ctl_open(w, "talkers", '[');
	for (unsigned int i = 0; i < t.nsources; i++)
		put_talker(w, "source", &t.source[i]);
	if (t.has_target)
		put_talker(w, "target", &t.target);
	ctl_close(w, ']');
}

static void put_census(struct ctl_call *call, const struct census *c)
{
	struct ctl_writer *w = ctl_reply_begin(call);

	ctl_open(w, "census", '{');
	ctl_put_uint(w, "sample", c->sample);
	ctl_open(w, "states", '[');
	for (unsigned int proto = 0; proto <= UINT8_MAX; proto++)
		for (unsigned int state = 0; state < CENSUS_STATES; state++)
			put_state_count(w, (uint8_t)proto, (uint8_t)state, c->flows[proto][state]);
	ctl_close(w, ']');
	put_talkers(w, table(call));
	ctl_close(w, '}');
	(void)ctl_reply_end(call, false);
}

static void census_some(struct ctl_call *call, uint64_t until_ns)
{
	struct census *c = call->state;

	do {
		if (c->sample >= CENSUS_MAX ||
		    !ctl_walk_more(&c->walk, table(call), clock_now_ns())) {
			put_census(call, c);
			return;
		}
		for (size_t i = 0; i < c->walk.n; i++) {
			const struct ct_view *v = &c->walk.views[i];

			c->flows[v->orig.proto][v->state % CENSUS_STATES]++;
		}
		c->sample += (uint32_t)c->walk.n;
	} while (ctl_call_may_go_on(call, until_ns));
}

void ctl_start_get_census(struct ctl_call *call)
{
	if (ctl_call_state(call, sizeof(struct census)))
		call->slice = census_some;
}
