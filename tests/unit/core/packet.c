/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "packet.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static bool is6(const struct pk *p)
{
	return p->b[0] >> 4 == 6;
}

static void set_len(struct pk *p)
{
	if (is6(p))
		put16(p->b + 4, p->len - 40);
	else
		put16(p->b + 2, p->len);
}

static void ip4(struct pk *p, uint32_t src, uint32_t dst, uint8_t proto)
{
	p->b[0] = 0x45;
	p->b[8] = 64;
	p->b[9] = proto;
	put32(p->b + 12, 10u << 24 | src);
	put32(p->b + 16, 10u << 24 | dst);
	p->l4 = 20;
}

static void ip6(struct pk *p, uint32_t src, uint32_t dst, uint8_t proto)
{
	p->b[0] = 0x60;
	p->b[6] = proto;
	p->b[7] = 64;
	put32(p->b + 8, 0x20010db8);
	put32(p->b + 20, src);
	put32(p->b + 24, 0x20010db8);
	put32(p->b + 36, dst);
	p->l4 = 40;
}

void pk_ip(struct pk *p, int family, uint32_t src, uint32_t dst, uint8_t proto, const void *l4,
	   size_t n)
{
	memset(p, 0, sizeof(*p));
	if (family == CT_AF_INET)
		ip4(p, src, dst, proto);
	else
		ip6(p, src, dst, proto);
	assert_true(p->l4 + n <= PK_MAX);
	if (n)
		memcpy(p->b + p->l4, l4, n);
	p->len = p->l4 + (uint32_t)n;
	set_len(p);
}

void pk_insert(struct pk *p, const void *bytes, size_t n, uint8_t first)
{
	assert_true(p->len + n <= PK_MAX);
	memmove(p->b + p->l4 + n, p->b + p->l4, p->len - p->l4);
	memcpy(p->b + p->l4, bytes, n);
	p->l4 += (uint32_t)n;
	p->len += (uint32_t)n;
	if (is6(p))
		p->b[6] = first;
	else
		p->b[0] = (uint8_t)(0x40 | p->l4 / 4);
	set_len(p);
}

void pk_fragment(struct pk *p, const struct pk *whole, uint32_t id, uint32_t start, uint32_t end,
		 bool more)
{
	uint8_t header[8] = {whole->b[6]};
	uint32_t n = end - start, have = whole->len - whole->l4;

	*p = *whole;
	assert_true(p->l4 + sizeof(header) + n <= PK_MAX);
	memset(p->b + p->l4, 0, PK_MAX - p->l4);
	if (start < have)
		memcpy(p->b + p->l4, whole->b + whole->l4 + start, end < have ? n : have - start);
	p->len = p->l4 + n;
	if (is6(p)) {
		put16(header + 2, start | more);
		put32(header + 4, id);
		pk_insert(p, header, sizeof(header), 44);
	} else {
		put16(p->b + 4, id);
		put16(p->b + 6, (uint32_t)more << 13 | start / 8);
		set_len(p);
	}
}

void pk_udp(struct pk *p, int family, uint32_t src, uint32_t dst, uint16_t sport, uint16_t dport)
{
	uint8_t h[12] = {0};

	put16(h, sport);
	put16(h + 2, dport);
	put16(h + 4, sizeof(h));
	memcpy(h + 8, "data", 4);
	pk_ip(p, family, src, dst, 17, h, sizeof(h));
	pk_fix_checksum(p, 6);
}

void pk_tcp(struct pk *p, int family, uint32_t src, uint32_t dst, uint16_t sport, uint16_t dport,
	    uint8_t flags, uint32_t seq, uint32_t ack)
{
	uint8_t h[20] = {0};

	put16(h, sport);
	put16(h + 2, dport);
	put32(h + 4, seq);
	put32(h + 8, ack);
	h[12] = 5 << 4;
	h[13] = flags;
	put16(h + 14, 65535);
	pk_ip(p, family, src, dst, 6, h, sizeof(h));
	pk_fix_checksum(p, 16);
}

void pk_icmp(struct pk *p, int family, uint32_t src, uint32_t dst, uint8_t type, uint8_t code,
	     uint16_t id, const struct pk *quote)
{
	uint8_t h[8 + PK_MAX] = {type, code};
	size_t n = 8;

	put16(h + 4, id);
	if (quote) {
		memcpy(h + 8, quote->b, quote->len);
		n += quote->len;
	}
	pk_ip(p, family, src, dst, family == CT_AF_INET ? 1 : 58, h, n);
	pk_fix_checksum(p, 2);
}

/*
 * The one's complement sum is the number formed by the bytes, modulo 0xffff; so it can be had by
 * long division, without words and carries.
 */
static uint32_t mod_bytes(uint32_t rest, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rest = (rest * 256 + bytes[i]) % 0xffff;
	return rest;
}

uint16_t pk_checksum(const struct pk *p)
{
	uint8_t proto = 0;
	uint32_t n = p->len - p->l4, rest;
	uint8_t tail[8] = {0};

	if (is6(p))
		proto = p->b[6]; /* callers compute it before they add extension headers */
	else
		proto = p->b[9];
	put32(tail, n);
	tail[7] = proto;
	if (proto == 1)
		rest = 0;
	else if (is6(p))
		rest = mod_bytes(mod_bytes(0, p->b + 8, 32), tail, 8);
	else
		rest = mod_bytes(mod_bytes(0, p->b + 12, 8), tail, 8);
	rest = mod_bytes(rest, p->b + p->l4, n);
	if (n % 2)
		rest = rest * 256 % 0xffff;
	return (uint16_t)(0xffff - rest);
}

void pk_fix_checksum(struct pk *p, uint32_t at)
{
	put16(p->b + p->l4 + at, 0);
	put16(p->b + p->l4 + at, pk_checksum(p));
}

struct ct_input pk_input(const struct pk *p, uint64_t now_ns)
{
	return (struct ct_input){
		.data = p->b,
		.caplen = p->len,
		.len = p->len,
		.now_ns = now_ns,
		.hook = CT_HOOK_PREROUTING,
		.csum_unverified = true,
	};
}

void engine_open(struct engine *e, uint32_t max_flows)
{
	engine_open_fragments(e, max_flows, 0, 0);
}

void engine_open_fragments(struct engine *e, uint32_t max_flows, uint32_t max_fragmented,
			   uint32_t max_held)
{
	static const uint8_t key[16] = "0123456789abcde";
	const struct ct_params params = {.max_flows = max_flows,
					 .max_expect = 64,
					 .max_fragmented = max_fragmented,
					 .max_held = max_held,
					 .key = key,
					 .id_salt = 42};
	size_t size = ct_arena_size(&params);

	memset(e, 0, sizeof(*e));
	ct_config_init(&e->cfg);
	e->arena = aligned_alloc(4096, size);
	assert_non_null(e->arena);
	memset(e->arena, 0, size);
	e->th.cfg = &e->cfg;
	e->th.ct = ct_new(e->arena, size, &params);
	assert_non_null(e->th.ct);
}

void engine_close(struct engine *e)
{
	e->th.ct = ct_free(e->th.ct);
	assert_null(e->th.ct);
	free(e->arena);
}

struct ct_result engine_track(struct engine *e, const struct pk *p, uint64_t now_ns)
{
	struct ct_input in = pk_input(p, now_ns);
	struct ct_result out;

	/* whatever is not filled in will be noticed */
	memset(&out, 0xee, sizeof(out));
	ct_track(&e->th, &in, &out);
	return out;
}

struct ct_result engine_assured(struct engine *e, uint32_t src, uint64_t now_ns)
{
	struct pk p, answer;

	pk_udp(&p, CT_AF_INET, src, 0xffffff, 1000, 53);
	pk_udp(&answer, CT_AF_INET, 0xffffff, src, 53, 1000);
	engine_track(e, &p, now_ns);
	engine_track(e, &answer, now_ns);
	return engine_track(e, &p, now_ns + 3 * SEC);
}

uint64_t engine_stat(const struct engine *e, enum ct_stat stat)
{
	return atomic_load_explicit(&e->th.stats.count[stat], memory_order_relaxed);
}

uint64_t dice(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}
