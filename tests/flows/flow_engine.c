/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/flows/flow_engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/table.h"
#include "tests/flows/flow_knob.h"

#define MAX_FLOWS  8192
#define MAX_EXPECT 4096

int flow_engine_init(struct flow_engine *e, const struct flow_setting *settings, size_t n)
{
	static const uint8_t key[16] = "scripted packets";
	const struct ct_params params = {
		.max_flows = MAX_FLOWS, .max_expect = MAX_EXPECT, .key = key, .id_salt = 1};
	size_t size = ct_arena_size(&params);

	memset(e, 0, sizeof(*e));
	ct_config_init(&e->cfg);
	for (size_t i = 0; i < n; i++)
		flow_knob_apply(settings[i].knob, settings[i].value, &e->cfg);
	e->now_ns = 1000 * CT_NS_PER_S;
	e->arena = aligned_alloc(4096, size);
	if (!e->arena)
		return -ENOMEM;
	memset(e->arena, 0, size);
	e->ct = ct_new(e->arena, size, &params);
	e->thread = (struct ct_thread){.ct = e->ct, .cfg = &e->cfg};
	if (e->ct)
		return 0;
	flow_engine_done(e);
	return -ENOMEM;
}

void flow_engine_done(struct flow_engine *e)
{
	ct_free(e->ct);
	free(e->arena);
	e->ct = NULL;
	e->arena = NULL;
}

size_t flow_engine_wait(struct flow_engine *e, uint64_t ns, struct ct_event *events, size_t cap)
{
	size_t n = 0;

	e->now_ns += ns;
	for (size_t got = 1; got && n < cap; n += got)
		got = ct_expire(&e->thread, e->now_ns, events + n, cap - n, NULL);
	return n;
}

static bool exits(const struct flow_engine *e)
{
	return e->cfg.confirm == CT_CONFIRM_EXIT;
}

/* Adds what the exit hook did to what the entry found; class and mark stay. */
static void join(struct ct_result *ret, const struct ct_result *left)
{
	for (unsigned int i = 0; i < left->nevents && ret->nevents < CT_RESULT_EVENTS_MAX; i++)
		ret->events[ret->nevents++] = left->events[i];
	if (left->drop) {
		ret->drop = true;
		ret->reason = left->reason;
	}
	if (left->drop || left->has_flow) {
		ret->has_flow = left->has_flow;
		ret->state = left->state;
		ret->status = left->status;
		ret->timeout_ns = left->timeout_ns;
	}
}

void flow_engine_track(struct flow_engine *e, const struct flow_bytes *bytes, bool dropped,
		       struct ct_result *ret)
{
	struct ct_input in = {.data = bytes->data,
			      .caplen = (uint32_t)bytes->len,
			      .len = (uint32_t)bytes->len,
			      .now_ns = e->now_ns,
			      .hook = CT_HOOK_PREROUTING,
			      .csum_unverified = true};

	struct ct_result left;

	e->cfg.no_confirm_classes =
		dropped && !exits(e) ? 1 << CT_CLASS_NEW | 1 << CT_CLASS_RELATED : 0;
	ct_track(&e->thread, &in, ret);
	if (!exits(e) || dropped || ret->drop)
		return;
	in.hook = CT_HOOK_POSTROUTING;
	in.mark = ret->mark;
	ct_track(&e->thread, &in, &left);
	join(ret, &left);
}

static bool destroyed(const struct ct_result *res)
{
	for (unsigned int i = 0; i < res->nevents; i++)
		if (res->events[i].type == CT_EVENT_DESTROY && res->events[i].flow == res->flow)
			return true;
	return false;
}

static void read_tags(const struct flow_engine *e, uint64_t flow, struct flow_seen *seen)
{
	const struct ct_arena *a = &e->ct->arena;
	const struct ct_flow *f = &a->slots[(uint32_t)(flow ^ a->id_salt)];

	seen->tagged = true;
	memcpy(seen->vtag, f->l4.sctp.vtag, sizeof(seen->vtag));
}

struct flow_seen flow_engine_seen(const struct flow_engine *e, const struct flow_packet *p,
				  const struct ct_result *res)
{
	uint8_t proto = flow_packet_stateful(p);

	struct flow_seen seen = {.judged = true,
				 .info = (enum ct_info)res->info,
				 .drop = res->drop,
				 .alive = res->has_flow && res->status & CT_STATUS_CONFIRMED &&
					  !destroyed(res),
				 .state = proto ? res->state : FLOW_UNSET,
				 .proto = proto,
				 .status = res->status,
				 .timeout = (uint32_t)(res->timeout_ns / CT_NS_PER_S),
				 .reason = res->reason};

	if (e && seen.alive && proto == 132)
		read_tags(e, res->flow, &seen);
	return seen;
}

static bool same_flow(const struct flow_seen *seen, const struct flow_expect *e, uint32_t slack)
{
	if (!e->has_flow || !seen->alive)
		return e->has_flow == seen->alive;
	if (e->tagged && seen->tagged && memcmp(e->vtag, seen->vtag, sizeof(e->vtag)) != 0)
		return false;
	return e->state == seen->state && e->status == seen->status &&
	       seen->timeout <= e->timeout && seen->timeout + slack >= e->timeout;
}

bool flow_seen_matches(const struct flow_seen *seen, const struct flow_expect *e, uint32_t slack,
		       char buf[static FLOW_EXPECT_STRLEN])
{
	struct flow_expect as = {.info = seen->info,
				 .has_flow = seen->alive,
				 .drop = seen->drop,
				 .state = seen->state,
				 .proto = seen->proto,
				 .status = seen->status,
				 .timeout = seen->timeout,
				 .tagged = seen->tagged,
				 .vtag = {seen->vtag[0], seen->vtag[1]},
				 .reason = seen->reason == CT_REASON_NONE ? FLOW_UNSET
									  : seen->reason};

	flow_expect_to_str(&as, buf);
	return seen->judged && seen->info == e->info && seen->drop == e->drop &&
	       same_flow(seen, e, slack) &&
	       (e->reason == FLOW_UNSET || seen->reason == FLOW_UNSET || e->reason == seen->reason);
}

static bool event_matches(const struct flow_event *x, const struct ct_event *ev)
{
	return x->type == ev->type && (x->death == FLOW_UNSET || x->death == ev->death) &&
	       (x->state[0] == FLOW_UNSET || x->state[0] == ev->state_old) &&
	       (x->state[1] == FLOW_UNSET || x->state[1] == ev->state_new);
}

bool flow_events_match(const struct flow_event *expected, size_t n, const struct ct_event *events,
		       size_t nevents)
{
	uint64_t used = 0;

	if (n == 1 && expected[0].type == FLOW_UNSET)
		return nevents == 0;
	if (n != nevents || n > 64)
		return false;
	for (size_t i = 0; i < n; i++) {
		size_t j = 0;

		while (j < n && (used >> j & 1 || !event_matches(&expected[i], &events[j])))
			j++;
		if (j == n)
			return false;
		used |= 1ULL << j;
	}
	return true;
}
