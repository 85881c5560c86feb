/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Packets judged in a batch are judged as one after the other: two engines see the same traffic,
 * one of them in batches, and have to say the same of every packet. There are few hosts, so that
 * packets of a batch make, change and end the flows of those behind them.
 */

#include "packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define HOSTS	  6
#define BATCH_MAX 64
#define ROUNDS	  3000

struct pair {
	struct engine alone, batched;
	struct pk packets[BATCH_MAX];
	struct ct_input in[BATCH_MAX];
	struct ct_result want[BATCH_MAX];
	size_t next;
	uint64_t seed, now_ns;
	unsigned int infos[CT_INFO_MAX], dropped, passed, held;
};

static void check(void *ctx, const struct ct_input *in, struct ct_result *out)
{
	struct pair *p = ctx;
	const struct ct_result *want = &p->want[p->next];

	assert_ptr_equal(in, &p->in[p->next]);
	p->next++;
	assert_int_equal(out->held, want->held);
	p->held += out->held;
	if (out->held)
		return;
	assert_int_equal(out->info, want->info);
	assert_int_equal(out->reason, want->reason);
	assert_int_equal(out->drop, want->drop);
	assert_int_equal(out->passed, want->passed);
	assert_int_equal(out->has_flow, want->has_flow);
	assert_int_equal(out->mark, want->mark);
	assert_int_equal(out->status, want->status);
	assert_int_equal(out->state, want->state);
	assert_int_equal(out->dir, want->dir);
	assert_true(out->flow == want->flow && out->timeout_ns == want->timeout_ns);
	assert_int_equal(out->nevents, want->nevents);
	assert_memory_equal(out->events, want->events, out->nevents * sizeof(out->events[0]));
	p->infos[out->info]++;
	p->dropped += out->drop;
	p->passed += out->passed;
}

static uint32_t any_host(struct pair *p)
{
	return 1 + (uint32_t)(dice(&p->seed) % HOSTS);
}

static void make_gre(struct pair *p, struct pk *pk, int family)
{
	const uint8_t h[] = {0x20, 0x01, 0x88, 0x0b, 0, 0, 0, (uint8_t)(dice(&p->seed) % 2)};

	pk_ip(pk, family, any_host(p), any_host(p), 47, h, sizeof(h));
}

static void make_error(struct pair *p, struct pk *pk, int family)
{
	uint32_t a = any_host(p), b = any_host(p);
	struct pk lost;

	pk_udp(&lost, family, a, b, 7, 7);
	pk_icmp(pk, family, b, a, family == CT_AF_INET ? 3 : 1, 0, 0, &lost);
}

static void make_fragment(struct pair *p, struct pk *pk, int family)
{
	bool first = dice(&p->seed) % 2;
	struct pk whole;

	pk_udp(&whole, family, any_host(p), any_host(p), 7, 7);
	pk_fragment(pk, &whole, (uint32_t)(dice(&p->seed) % 8), first ? 0 : 8, first ? 8 : 12,
		    first);
}

static void make(struct pair *p, struct pk *pk)
{
	static const uint8_t flags[] = {PK_SYN, PK_SYN | PK_ACK, PK_ACK, PK_FIN | PK_ACK, PK_RST};
	int family = dice(&p->seed) % 2 ? CT_AF_INET : CT_AF_INET6;

	switch (dice(&p->seed) % 8) {
	case 0:
		make_gre(p, pk, family);
		break;
	case 1:
		make_error(p, pk, family);
		break;
	case 2:
		make_fragment(p, pk, family);
		break;
	case 3:
		pk_icmp(pk, family, any_host(p), any_host(p), family == CT_AF_INET ? 8 : 128, 0, 1,
			NULL);
		break;
	case 4:
		pk_udp(pk, family, any_host(p), any_host(p), 7, 7);
		pk->len -= (uint32_t)(dice(&p->seed) % 13);
		break;
	default:
		pk_tcp(pk, family, any_host(p), any_host(p), 7, 7,
		       flags[dice(&p->seed) % sizeof(flags)], (uint32_t)(dice(&p->seed) % 16),
		       (uint32_t)(dice(&p->seed) % 16));
	}
}

/* Where the packet was queued, and with which mark: classified before, or not. */
static void place(struct pair *p, struct ct_input *in)
{
	in->hook = (uint8_t)(dice(&p->seed) % CT_HOOK_NONE);
	in->loopback = dice(&p->seed) % 8 == 0;
	in->mark = dice(&p->seed) % 2 ? 8 | (uint32_t)(dice(&p->seed) % 8) : 0;
	in->zone = dice(&p->seed) % 4 == 0;
}

static void play(struct pair *p, size_t n)
{
	const struct ct_input *in[BATCH_MAX];

	for (size_t i = 0; i < n; i++) {
		make(p, &p->packets[i]);
		p->in[i] = pk_input(&p->packets[i], p->now_ns);
		place(p, &p->in[i]);
		in[i] = &p->in[i];
		ct_track(&p->alone.th, in[i], &p->want[i]);
	}
	p->next = 0;
	ct_track_batch(&p->batched.th, in, n, check, p);
	assert_int_equal(p->next, n);
}

static void check_tables(struct pair *p)
{
	const struct ct_stats *a = &p->alone.th.stats, *b = &p->batched.th.stats;

	assert_int_equal(ct_count(p->alone.th.ct), ct_count(p->batched.th.ct));
	for (int i = 0; i < CT_STAT_MAX; i++)
		assert_int_equal(atomic_load(&a->count[i]), atomic_load(&b->count[i]));
	for (int i = 0; i < CT_REASON_MAX; i++)
		assert_int_equal(atomic_load(&a->reason[i]), atomic_load(&b->reason[i]));
}

static void expire(struct engine *e, uint64_t now_ns)
{
	struct ct_event events[4];

	while (ct_expire(&e->th, now_ns, events, 4, NULL) == 4)
		;
}

static void run(struct pair *p, uint8_t confirm, uint32_t max_flows)
{
	engine_open_fragments(&p->alone, max_flows, 8, 8);
	engine_open_fragments(&p->batched, max_flows, 8, 8);
	p->alone.cfg.confirm = p->batched.cfg.confirm = confirm;
	p->now_ns = SEC;
	for (unsigned int i = 0; i < ROUNDS; i++) {
		play(p, dice(&p->seed) % (BATCH_MAX + 1));
		p->now_ns += dice(&p->seed) % SEC;
		expire(&p->alone, p->now_ns);
		expire(&p->batched, p->now_ns);
	}
	check_tables(p);
	for (int i = 0; i < CT_INFO_MAX; i++)
		assert_true(p->infos[i] > 0 || i == 5 || i == 6); /* no such ctinfo */
	assert_true(p->dropped > 0 && p->passed > 0 && p->held > 0);
	engine_close(&p->alone);
	engine_close(&p->batched);
}

static void test_same_as_one_by_one(void **state)
{
	static struct pair p;

	for (uint8_t confirm = 0; confirm < CT_CONFIRM_MAX; confirm++) {
		memset(&p, 0, sizeof(p));
		p.seed = confirm + 1u;
		run(&p, confirm, 1024);
	}
}

static void test_same_in_a_full_table(void **state)
{
	static struct pair p;

	memset(&p, 0, sizeof(p));
	p.seed = 17;
	run(&p, CT_CONFIRM_ENTRY, 48);
	assert_true(engine_stat(&p.alone, CT_STAT_TABLE_FULL) > 0);
}

static void test_nothing(void **state)
{
	static struct pair p;

	engine_open(&p.batched, 1);
	ct_track_batch(&p.batched.th, NULL, 0, check, &p);
	assert_int_equal(p.next, 0);
	engine_close(&p.batched);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_as_one_by_one),
		cmocka_unit_test(test_same_in_a_full_table),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
