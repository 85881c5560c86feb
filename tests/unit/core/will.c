/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "will.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const uint8_t other_key[16] = "another secret!";

void will_open(struct will *w, uint32_t max_flows)
{
	memset(w, 0, sizeof(*w));
	engine_open_fragments(&w->dead, max_flows, 8, 8);
	w->params = (struct ct_params){
		.max_flows = max_flows,
		.max_expect = 64,
		.max_fragmented = 8,
		.max_held = 8,
		.key = other_key,
	};
	w->threads[0] = &w->dead.th;
	w->estate.threads = w->threads;
	w->estate.nthreads = 1;
	w->estate.now_ns = NOW;
}

size_t will_size(const struct will *w)
{
	const struct ct_params p = {
		.max_flows = ct_max_flows(w->dead.th.ct),
		.max_expect = 64,
		.max_fragmented = 8,
	};

	return ct_arena_size(&p);
}

static void *pages(size_t size)
{
	void *p = aligned_alloc(4096, size);

	assert_non_null(p);
	memset(p, 0, size);
	return p;
}

/* The process is gone; its memory can be changed in w->left before it is adopted. */
void will_leave(struct will *w)
{
	w->left = pages(will_size(w));
	memcpy(w->left, w->dead.arena, will_size(w));
	w->estate.arena = w->left;
}

void will_adopt(struct will *w)
{
	bool in_place =
		w->params.max_flows == ct_max_flows(w->dead.th.ct) && w->params.max_fragmented == 8;

	if (!w->left)
		will_leave(w);
	ct_config_init(&w->heir.cfg);
	w->heir.th.cfg = &w->heir.cfg;
	w->heir.arena = in_place ? w->left : pages(ct_arena_size(&w->params));
	w->heir.th.ct = ct_adopt(w->heir.arena, ct_arena_size(&w->params), &w->params, &w->estate,
				 &w->done);
	assert_non_null(w->heir.th.ct);
}

void will_close(struct will *w)
{
	if (w->heir.arena != w->left)
		free(w->heir.arena);
	ct_free(w->heir.th.ct);
	free(w->left);
	engine_close(&w->dead);
}

struct ct_flow *will_flow(const struct will *w, uint32_t slot)
{
	struct ct_arena a = {};

	ct_arena_attach(&a, w->left);
	return &a.slots[slot];
}

struct ct_result will_udp(struct engine *e, uint32_t host, bool back, uint64_t now_ns)
{
	struct pk p;

	if (back)
		pk_udp(&p, CT_AF_INET, SERVER, host, 53, 1000);
	else
		pk_udp(&p, CT_AF_INET, host, SERVER, 1000, 53);
	return engine_track(e, &p, now_ns);
}

struct ct_result will_tcp(struct engine *e, uint32_t host, bool back, uint8_t flags, uint32_t seq,
			  uint32_t ack, uint64_t now_ns)
{
	struct pk p;

	if (back)
		pk_tcp(&p, CT_AF_INET6, SERVER, host, 80, 1000, flags, seq, ack);
	else
		pk_tcp(&p, CT_AF_INET6, host, SERVER, 1000, 80, flags, seq, ack);
	return engine_track(e, &p, now_ns);
}

struct ct_result will_handshake(struct engine *e, uint32_t host, uint64_t now_ns)
{
	will_tcp(e, host, false, PK_SYN, 99, 0, now_ns);
	will_tcp(e, host, true, PK_SYN | PK_ACK, 499, 100, now_ns);
	return will_tcp(e, host, false, PK_ACK, 100, 500, now_ns);
}
