/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Explain(): what is known of flows, and of packets that belong to none.
 *
 * First the flows are looked for and copied; then, if one of them has a helper, those that they
 * expected are looked for; then each is told of. Last come packets without a flow.
 */

#include <netinet/in.h>
#include <stdio.h>

#include "core/tcp.h"
#include "ctl/flow.h"
#include "ctl/method.h"
#include "ctl/server.h"
#include "ctl/walk.h"
#include "log/meaning.h"
#include "util/clock.h"

#define LIMIT_DEFAULT 16
#define LIMIT_MAX     256
#define CHILDREN_MAX  1024 /* of all flows that are told of */
#define STRAYS_MAX    16
#define STRAYS_BATCH  16

struct child {
	uint64_t flow, master;
};

struct inquiry {
	struct ctl_walk walk;
	bool searched; /* the flows were found; now for their children */
	size_t limit, n, told;
	uint64_t omitted;
	bool any_helper;
	size_t nchildren;
	struct child children[CHILDREN_MAX];
	struct ct_view found[];
};

static const struct ctl_parts *parts(const struct ctl_call *call)
{
	return ctl_server_parts(call->server);
}

/* ---- what a flow is ---- */

static void put_peer(struct ctl_writer *w, const char *key, const struct ct_view_peer *p)
{
	ctl_open(w, key, '{');
	ctl_put_uint(w, "end", p->end);
	ctl_put_uint(w, "maxend", p->maxend);
	ctl_put_uint(w, "maxwin", p->maxwin);
	ctl_put_uint(w, "scale", p->scale);
	ctl_open(w, "flags", '[');
	for (unsigned int bit = 1; bit <= UINT8_MAX; bit <<= 1)
		if (p->flags & bit && ct_tcp_flag_name(bit))
			ctl_put_string(w, NULL, ct_tcp_flag_name(bit));
	ctl_close(w, ']');
	if (p->flags & CT_TCP_MAXACK_SET)
		ctl_put_uint(w, "maxack", p->maxack);
	if (p->maxwin > 0) {
		ctl_put_uint(w, "seq_min", p->seq_min);
		ctl_put_uint(w, "seq_max", p->seq_max);
	}
	ctl_put_uint(w, "ack_min", p->ack_min);
	ctl_put_uint(w, "ack_max", p->ack_max);
	ctl_close(w, '}');
}

static void put_tcp(struct ctl_writer *w, const struct ct_view_tcp *t, bool be_liberal)
{
	const struct ct_view_peer *o = &t->peer[CT_DIR_ORIGINAL], *r = &t->peer[CT_DIR_REPLY];

	ctl_open(w, "tcp", '{');
	put_peer(w, "original", o);
	put_peer(w, "reply", r);
	ctl_put_string(w, "last_dir", t->last_dir == CT_DIR_REPLY ? "reply" : "original");
	ctl_put_string(w, "last_packet", ct_tcp_index_name(t->last_index));
	ctl_put_uint(w, "retrans", t->retrans);
	ctl_put_bool(w, "liberal", be_liberal || o->flags & r->flags & CT_TCP_BE_LIBERAL);
	ctl_close(w, '}');
}

static void put_vtag(struct ctl_writer *w, const char *key, uint32_t vtag)
{
	if (vtag)
		ctl_put_uint(w, key, vtag);
}

static void put_l4(struct ctl_call *call, struct ctl_writer *w, const struct ct_view *v)
{
	struct ct_config cfg;

	if (v->orig.proto == IPPROTO_TCP) {
		ctl_server_get_config(call->server, &cfg);
		put_tcp(w, &v->l4.tcp, cfg.tcp_be_liberal);
	} else if (v->orig.proto == IPPROTO_SCTP) {
		ctl_open(w, "sctp", '{');
		put_vtag(w, "vtag_original", v->l4.sctp.vtag[CT_DIR_ORIGINAL]);
		put_vtag(w, "vtag_reply", v->l4.sctp.vtag[CT_DIR_REPLY]);
		ctl_close(w, '}');
	}
}

static void put_sentence(struct ctl_writer *w, const char *name, const char *text)
{
	char sentence[160];

	if (!name || !*text)
		return;
	snprintf(sentence, sizeof(sentence), "%s: %s", name, text);
	ctl_put_string(w, NULL, sentence);
}

static void put_words(struct ctl_writer *w, const struct ct_view *v)
{
	uint8_t proto = v->orig.proto;

	ctl_open(w, "words", '[');
	put_sentence(w, ct_state_name(proto, v->state), meaning_of_state(proto, v->state));
#define X(name, number)                                                                            \
	if (v->status & CT_STATUS_##name)                                                          \
		put_sentence(w, #name, meaning_of_status(CT_STATUS_##name));
	CT_STATUS_LIST(X)
#undef X
	if (!(v->status & CT_STATUS_SEEN_REPLY))
		put_sentence(w, "UNREPLIED", meaning_of_status(0));
	ctl_close(w, ']');
}

/* ---- what happened to it ---- */

static void put_history(struct ctl_call *call, struct ctl_writer *w, const struct ct_view *v)
{
	const struct ctl_parts *p = parts(call);
	struct ct_history_step steps[CT_HISTORY_STEPS_MAX];
	uint64_t forgotten = 0, wall_ns = ctl_wall_ns();
	struct ct_event ev;
	size_t n = 0;

	if (p->history)
		n = ct_history_get(p->history, ct_flow_slot(p->ct, v->flow), v->flow, steps,
				   &forgotten);
	ctl_open(w, "history", '[');
	for (size_t i = 0; i < n; i++) {
		ctl_event_of_step(v, &steps[i], &ev);
		ctl_put_step(w, &ev, wall_ns);
	}
	ctl_close(w, ']');
	ctl_put_uint(w, "forgotten", forgotten);
}

static void put_children(struct ctl_writer *w, const struct inquiry *q, uint64_t flow)
{
	ctl_open(w, "children", '[');
	for (size_t i = 0; i < q->nchildren; i++)
		if (q->children[i].master == flow)
			ctl_put_id(w, NULL, q->children[i].flow);
	ctl_close(w, ']');
}

static void tell_flow(struct ctl_call *call, const struct inquiry *q, const struct ct_view *v)
{
	struct ctl_writer *w = ctl_reply_begin(call);

	ctl_open(w, "explanation", '{');
	ctl_put_flow(w, "flow", v);
	put_l4(call, w, v);
	put_words(w, v);
	put_history(call, w, v);
	put_children(w, q, v->flow);
	ctl_close(w, '}');
	if (!ctl_reply_end(call, true))
		ctl_error(call, CTL_ERROR("Busy"), NULL);
}

/* ---- packets without a flow ---- */

/* The last of them that meet the filter, newest first. */
static size_t find_strays(struct ct_history *h, const struct ctl_filter *f,
			  struct ct_event ret[static STRAYS_MAX], uint64_t *ret_forgotten)
{
	struct ct_event batch[STRAYS_BATCH];
	uint64_t at = 0;
	size_t n = 0, taken;

	while ((taken = ct_history_strays(h, &at, batch, STRAYS_BATCH)) > 0) {
		for (size_t i = 0; i < taken; i++) {
			if (!ctl_filter_event(f, &batch[i]))
				continue;
			if (n < STRAYS_MAX)
				ret[n++] = batch[i];
			else
				++*ret_forgotten;
		}
	}
	return n;
}

static void put_strays(struct ctl_writer *w, const struct ct_event *strays, size_t n,
		       uint64_t forgotten)
{
	uint64_t wall_ns = ctl_wall_ns();

	ctl_open(w, "explanation", '{');
	ctl_put_words(w, "words", "", 0, ' ');
	ctl_open(w, "history", '[');
	while (n-- > 0)
		ctl_put_step(w, &strays[n], wall_ns);
	ctl_close(w, ']');
	ctl_put_uint(w, "forgotten", forgotten);
	ctl_put_words(w, "children", "", 0, ' ');
	ctl_close(w, '}');
}

static void tell_rest(struct ctl_call *call, const struct inquiry *q)
{
	const struct ctl_filter *f = &q->walk.filter;
	struct ct_history *h = parts(call)->history;
	bool one = ctl_filter_has(f, CTL_CONDITION_FLOW);
	struct ct_event strays[STRAYS_MAX];
	uint64_t forgotten = 0;
	size_t n = h && !one ? find_strays(h, f, strays, &forgotten) : 0;
	struct ctl_writer *w;

	if (one && q->n == 0) {
		w = ctl_error_begin(call, CTL_ERROR("NoSuchFlow"));
		ctl_put_id(w, "flow", f->flow);
	} else {
		w = ctl_reply_begin(call);
		if (n > 0)
			put_strays(w, strays, n, forgotten);
		if (q->omitted > 0)
			ctl_put_uint(w, "omitted", q->omitted);
	}
	(void)ctl_reply_end(call, false);
}

/* ---- looking for them ---- */

static void take_found(struct inquiry *q)
{
	for (size_t i = 0; i < q->walk.n; i++) {
		if (q->n == q->limit) {
			q->omitted++;
			continue;
		}
		q->found[q->n++] = q->walk.views[i];
		q->any_helper |= q->walk.views[i].helper != CT_HELPER_NONE;
	}
}

static void take_children(struct inquiry *q, const struct ct_view *v)
{
	for (size_t i = 0; i < q->n && v->master && q->nchildren < CHILDREN_MAX; i++)
		if (q->found[i].flow == v->master)
			q->children[q->nchildren++] = (struct child){v->flow, v->master};
}

/* Returns whether there is more to look for. */
static bool search(struct ct *ct, struct inquiry *q)
{
	const struct ctl_filter all = {}, wanted = q->walk.filter;
	bool more;

	if (q->searched) /* any flow can be a child */
		q->walk.filter = all;
	more = ctl_walk_more(&q->walk, ct, clock_now_ns());
	q->walk.filter = wanted;
	if (!q->searched)
		take_found(q);
	for (size_t i = 0; q->searched && i < q->walk.n; i++)
		take_children(q, &q->walk.views[i]);
	if (!more && !q->searched && q->any_helper) {
		q->searched = true;
		q->walk.at = (struct ct_walk){};
		return true;
	}
	return more;
}

static void tell_some(struct ctl_call *call, uint64_t until_ns)
{
	struct inquiry *q = call->state;

	do {
		if (q->told < q->n)
			tell_flow(call, q, &q->found[q->told++]);
		else
			tell_rest(call, q);
	} while (ctl_call_may_go_on(call, until_ns));
}

static void search_some(struct ctl_call *call, uint64_t until_ns)
{
	do {
		if (search(parts(call)->ct, call->state))
			continue;
		call->slice = tell_some;
		return;
	} while (ctl_call_may_go_on(call, until_ns));
}

void ctl_start_explain(struct ctl_call *call)
{
	int64_t limit = LIMIT_DEFAULT;
	struct ctl_filter filter;
	struct inquiry *q;
	json_t *json;

	if (!ctl_param_needed(call, "filter", &json) || !ctl_read_filter(call, &filter) ||
	    !ctl_param_int(call, "limit", 1, LIMIT_MAX, &limit) ||
	    !ctl_call_state(call, sizeof(*q) + (size_t)limit * sizeof(q->found[0])))
		return;
	q = call->state;
	q->walk.filter = filter;
	q->limit = (size_t)limit;
	call->slice = search_some;
}
