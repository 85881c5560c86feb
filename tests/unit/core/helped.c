/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "helped.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/table.h"

static union ct_addr host(const struct helped *h, uint32_t number)
{
	const struct ct_tuple *t = &h->engine.th.ct->arena.slots[h->master].orig;
	union ct_addr a = t->src;

	a.b[t->family == CT_AF_INET ? 3 : 15] = (uint8_t)number;
	return a;
}

void helped_open(struct helped *h, enum ct_helper_id helper, int family, uint8_t proto)
{
	struct ct_flow f = {.helper = (uint8_t)helper,
			    .status = CT_STATUS_CONFIRMED | CT_STATUS_HELPER,
			    .orig = {.family = (uint8_t)family,
				     .proto = proto,
				     .src_id_be = ct_be16(40000),
				     .dst_id_be = ct_be16(ct_helper_facts[helper].port)}};

	memset(h, 0, sizeof(*h));
	engine_open(&h->engine, 8);
	h->helper = helper;
	h->now_ns = SEC;
	if (family == CT_AF_INET) {
		f.orig.src = (union ct_addr){.b = {10, 0, 0, 1}};
		f.orig.dst = (union ct_addr){.b = {10, 0, 0, 2}};
	} else {
		f.orig.src = (union ct_addr){.b = {0x20, 1, 0xd, 0xb8, [15] = 1}};
		f.orig.dst = (union ct_addr){.b = {0x20, 1, 0xd, 0xb8, [15] = 2}};
	}
	h->master = ct_arena_put(&h->engine.th.ct->arena, &f, 0);
	assert_int_not_equal(h->master, 0);
}

void helped_close(struct helped *h)
{
	const struct ct_helper *helper = ct_helper_get(h->helper);

	ct_expect_forget(h->engine.th.ct, h->master);
	if (helper->end)
		helper->end(&h->last);
	assert_int_equal(helped_count(h), 0);
	engine_close(&h->engine);
}

static enum ct_help_result show(struct helped *h, enum ct_dir dir, enum ct_info info,
				const void *bytes, size_t n)
{
	struct ct_arena *arena = &h->engine.th.ct->arena;
	size_t cap = n > h->cut ? n - h->cut : 0;
	uint8_t *copy = malloc(cap ? cap : 1);
	enum ct_help_result result;

	assert_non_null(copy);
	memcpy(copy, bytes, cap);
	h->last = (struct ct_help){.th = &h->engine.th,
				   .index = h->master,
				   .flow = &arena->slots[h->master],
				   .kin = &arena->kin[h->master],
				   .dir = dir,
				   .info = info,
				   .payload = {copy, (uint32_t)cap, (uint32_t)n},
				   .seq = h->seq[dir],
				   .now_ns = h->now_ns};
	h->last.tuple[CT_DIR_ORIGINAL] = h->last.flow->orig;
	assert_true(ct_tuple_invert(&h->last.tuple[CT_DIR_REPLY], &h->last.flow->orig));
	result = ct_helper_get(h->helper)->help(&h->last);
	free(copy);
	if (result == CT_HELP_ACCEPT)
		h->seq[dir] += (uint32_t)n;
	return result;
}

enum ct_help_result helped_bytes(struct helped *h, enum ct_dir dir, const void *bytes, size_t n)
{
	return show(h, dir, dir == CT_DIR_REPLY ? CT_INFO_ESTABLISHED_REPLY : CT_INFO_ESTABLISHED,
		    bytes, n);
}

enum ct_help_result helped_text(struct helped *h, enum ct_dir dir, const char *text)
{
	return helped_bytes(h, dir, text, strlen(text));
}

enum ct_help_result helped_info(struct helped *h, enum ct_info info, const void *bytes, size_t n)
{
	return show(h, info == CT_INFO_ESTABLISHED_REPLY ? CT_DIR_REPLY : CT_DIR_ORIGINAL, info,
		    bytes, n);
}

uint32_t helped_count(const struct helped *h)
{
	return ct_expect_count(h->engine.th.ct);
}

bool helped_met(struct helped *h, uint32_t src, uint32_t dst, uint16_t dport)
{
	struct ct_tuple t = h->engine.th.ct->arena.slots[h->master].orig;
	struct ct_expect met;

	t.src = host(h, src);
	t.dst = host(h, dst);
	t.src_id_be = ct_be16(50000);
	t.dst_id_be = ct_be16(dport);
	return ct_expect_meet(&h->engine.th, &t, h->now_ns, &met);
}
