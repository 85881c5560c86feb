/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The bounds that are shown of a TCP connection are those of the check: for connections in any
 * state of their windows, what is told beforehand of a segment is what becomes of it.
 */

#include "packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "core/table.h"
#include "core/tcp.h"
#include "core/view.h"

#define ROUNDS	  200000
#define DATA_MAX  300
#define OVERSHOOT 10 /* a segment begins at most so far behind a bound */

enum outcome { ACCEPTED, IGNORED, SEQ_OVER, ACK_OVER, OUTCOMES };

static bool behind(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

/* What the view says, without a look at what it was made from. */
static enum outcome foretell(const struct ct_view_peer *snd, const struct ct_view_peer *rcv,
			     uint32_t seq, uint32_t end, uint32_t ack)
{
	bool old = (!snd->any_age && behind(snd->seq_min, end)) || behind(snd->ack_min, ack);
	bool acks_unsent = behind(ack, snd->ack_max);

	if (behind(seq, snd->seq_max)) /* forgiven if it is new and just beyond (semantics 4.6) */
		return !old && !acks_unsent && end - snd->seq_max + 1 <= rcv->maxwin ? IGNORED
										     : SEQ_OVER;
	if (acks_unsent)
		return ACK_OVER;
	return old ? IGNORED : ACCEPTED;
}

static void connect(struct engine *e)
{
	struct pk p;

	engine_open(e, 4);
	e->cfg.checksum = false;
	pk_tcp(&p, CT_AF_INET, 1, 2, 3, 80, PK_SYN, 1000, 0);
	engine_track(e, &p, SEC);
	pk_tcp(&p, CT_AF_INET, 2, 1, 80, 3, PK_SYN | PK_ACK, 5000, 1001);
	engine_track(e, &p, SEC);
	pk_tcp(&p, CT_AF_INET, 1, 2, 3, 80, PK_ACK, 1001, 5001);
	assert_int_equal(engine_track(e, &p, SEC).state, CT_TCP_STATE_ESTABLISHED);
}

/* Windows from tiny to as large as scaling makes them. */
static uint32_t some_window(uint64_t *seed)
{
	uint64_t d = dice(seed);

	return 1 + (uint32_t)(d >> 8) % (1u << d % 31);
}

static void throw_peers(struct ct_tcp *tcp, enum ct_dir dir, uint64_t *seed)
{
	for (int d = 0; d < CT_DIR_MAX; d++) {
		struct ct_tcp_peer *p = &tcp->peer[d];

		p->end = (uint32_t)dice(seed);
		p->maxwin = some_window(seed);
		p->maxend = p->end + (uint32_t)(dice(seed) % p->maxwin);
	}
	if (dice(seed) % 8 == 0)
		tcp->peer[!dir].maxwin = 0; /* the other side was not seen yet */
	tcp->last_index = CT_TCP_NONE;
}

/* Numbers near the bounds, or anywhere. */
static uint32_t near_one_of(uint32_t a, uint32_t b, uint64_t *seed)
{
	uint64_t d = dice(seed);
	uint32_t base = d & 1 ? a : b, off = (uint32_t)(d >> 8) % (2 * OVERSHOOT + 1);

	return d % 16 < 2 ? (uint32_t)(d >> 32) : base + off - OVERSHOOT;
}

static struct ct_result send(struct engine *e, enum ct_dir dir, uint32_t seq, uint32_t ack,
			     uint32_t len)
{
	uint8_t bytes[20 + DATA_MAX] = {0};
	uint32_t src = dir ? 2 : 1, dst = dir ? 1 : 2;
	struct pk p;

	pk_tcp(&p, CT_AF_INET, src, dst, dir ? 80 : 3, dir ? 3 : 80, PK_ACK, seq, ack);
	memcpy(bytes, p.b + p.l4, 20);
	pk_ip(&p, CT_AF_INET, src, dst, 6, bytes, 20 + len);
	return engine_track(e, &p, 2 * SEC);
}

static enum outcome observe(const struct ct_result *out, const struct ct_tcp *tcp)
{
	if (out->reason == CT_REASON_TCP_SEQ_OVER)
		return SEQ_OVER;
	if (out->reason == CT_REASON_TCP_ACK_OVER)
		return ACK_OVER;
	assert_int_equal(out->reason, CT_REASON_NONE);
	return tcp->last_index == CT_TCP_ACK ? ACCEPTED : IGNORED;
}

/* One round; returns what came of it. */
static enum outcome play(struct engine *e, uint64_t *seed)
{
	enum ct_dir dir = (enum ct_dir)(dice(seed) % 2);
	uint32_t len = (uint32_t)(dice(seed) % DATA_MAX), seq, ack;
	struct ct_tcp *tcp = &e->th.ct->arena.slots[1].l4.tcp;
	const struct ct_view_peer *p;
	struct ct_result out;
	enum outcome want;
	struct ct_view v;

	throw_peers(tcp, dir, seed);
	assert_true(ct_view_get(e->th.ct, ct_arena_id(&e->th.ct->arena, 1), SEC, &v));
	p = &v.l4.tcp.peer[dir];
	seq = near_one_of(p->seq_min - len, p->seq_max, seed);
	ack = near_one_of(p->ack_min, p->ack_max, seed);
	want = foretell(p, &v.l4.tcp.peer[!dir], seq, seq + len, ack);
	out = send(e, dir, seq, ack, len);
	assert_int_equal(observe(&out, tcp), want);
	return want;
}

static void test_foretold(void **state)
{
	unsigned int seen[OUTCOMES] = {0};
	uint64_t seed = 1;
	struct engine e;

	connect(&e);
	for (int i = 0; i < ROUNDS; i++)
		seen[play(&e, &seed)]++;
	for (int i = 0; i < OUTCOMES; i++)
		assert_true(seen[i] > ROUNDS / 100);
	engine_close(&e);
}

/* The two sides of a connection have each their own. */
static void test_sides(void **state)
{
	const struct ct_view_peer *a, *b;
	struct ct_tcp *tcp;
	struct ct_view v;
	struct engine e;

	connect(&e);
	tcp = &e.th.ct->arena.slots[1].l4.tcp;
	tcp->peer[0] = (struct ct_tcp_peer){.end = 100, .maxend = 200, .maxwin = 100000};
	tcp->peer[1] = (struct ct_tcp_peer){.end = 7000, .maxend = 7100, .maxwin = 50};
	tcp->scale[1] = 3;
	tcp->flags[1] = CT_TCP_SACK_PERM;
	assert_true(ct_view_get(e.th.ct, ct_arena_id(&e.th.ct->arena, 1), SEC, &v));
	a = &v.l4.tcp.peer[0];
	b = &v.l4.tcp.peer[1];
	assert_true(a->seq_min == 50 && a->seq_max == 200);
	assert_true(a->ack_min == 7000u - 100000 && a->ack_max == 7000);
	assert_true(b->seq_min == 7000u - 100000 && b->seq_max == 7100);
	assert_true(b->ack_min == 100u - 66000 && b->ack_max == 100);
	assert_true(b->scale == 3 && b->flags == CT_TCP_SACK_PERM);
	engine_close(&e);
}

/* Names of what a view has as numbers. */
static void test_names(void **state)
{
	unsigned int named = 0;

	for (unsigned int bit = 0; bit < 1024; bit++)
		named += ct_tcp_flag_name(bit) != NULL;
	assert_int_equal(named, 8);
	assert_string_equal(ct_tcp_flag_name(CT_TCP_WINDOW_SCALE), "WINDOW_SCALE");
	assert_string_equal(ct_tcp_flag_name(CT_TCP_MAXACK_SET), "MAXACK_SET");
	assert_null(ct_tcp_flag_name(CT_TCP_SACK_PERM | CT_TCP_WINDOW_SCALE));
	assert_string_equal(ct_tcp_index_name(CT_TCP_SYNACK), "SYN/ACK");
	assert_string_equal(ct_tcp_index_name(CT_TCP_NONE), "none");
	assert_string_equal(ct_tcp_index_name(CT_TCP_INDEX_MAX), "?");
	assert_string_equal(ct_tcp_index_name(UINT8_MAX), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_foretold),
		cmocka_unit_test(test_sides),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("view_window", tests, NULL, NULL);
}
