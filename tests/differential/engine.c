/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/differential/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FLOWS  65536
#define MAX_EXPECT 4096

int engine_init(struct engine *e, const struct ct_config *cfg)
{
	static const uint8_t key[16] = "random traffic";
	const struct ct_params params = {
		.max_flows = MAX_FLOWS, .max_expect = MAX_EXPECT, .key = key, .id_salt = 1};
	size_t size = ct_arena_size(&params);

	memset(e, 0, sizeof(*e));
	e->cfg = *cfg;
	e->arena = aligned_alloc(4096, size);
	if (!e->arena)
		return -ENOMEM;
	memset(e->arena, 0, size);
	e->ct = ct_new(e->arena, size, &params);
	e->thread = (struct ct_thread){.ct = e->ct, .cfg = &e->cfg};
	return e->ct ? 0 : -ENOMEM;
}

void engine_done(struct engine *e)
{
	ct_free(e->ct);
	free(e->arena);
	e->ct = NULL;
	e->arena = NULL;
}

/* What forwarding does to the network header. */
static void forward(struct flow_bytes *b, uint8_t family)
{
	b->data[family == CT_AF_INET ? 8 : 7]--;
	flow_packet_fit(b, family);
}

static void leave(struct engine *e, const struct shot *s, struct ct_input in, uint32_t mark,
		  struct judged *j)
{
	struct flow_bytes forwarded = s->seen;
	struct ct_result res;

	forward(&forwarded, s->family);
	in.data = forwarded.data;
	in.hook = CT_HOOK_POSTROUTING;
	in.mark = mark;
	ct_track(&e->thread, &in, &res);
	j->drop = res.drop;
	if (res.drop)
		j->reason = (enum ct_reason)res.reason;
}

struct judged engine_judge(struct engine *e, const struct shot *s, bool passed)
{
	struct ct_input in = {.data = s->seen.data,
			      .caplen = (uint32_t)s->seen.len,
			      .len = (uint32_t)s->seen.len,
			      .hook = CT_HOOK_PREROUTING,
			      .csum_unverified = true};
	bool at_exit = e->cfg.confirm == CT_CONFIRM_EXIT;
	struct ct_result res;
	struct judged j;

	if (s->sent_ns > e->now_ns)
		e->now_ns = s->sent_ns;
	in.now_ns = e->now_ns;
	e->cfg.no_confirm_classes = passed || at_exit ? 0 : 0xff;
	ct_track(&e->thread, &in, &res);
	j = (struct judged){.info = (enum ct_info)res.info,
			    .reason = (enum ct_reason)res.reason,
			    .has_flow = res.has_flow,
			    .status = res.status,
			    .drop = res.drop};
	if (at_exit && passed && !res.drop)
		leave(e, s, in, res.mark, &j);
	return j;
}
