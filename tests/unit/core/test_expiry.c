/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A million and a half random packets and looks at the clock, against a model that knows nothing
 * but a list of flows with deadlines. Checked: what each packet is told, that no flow ends early,
 * and that none is kept longer than two seconds after its time.
 */

#include "packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define FLOWS	   400
#define OPERATIONS 500000
#define GRACE_NS   (2 * SEC)

struct model_flow {
	bool exists; /* and may have expired unnoticed */
	bool seen_reply;
	uint64_t id;
	uint64_t first_ns;
	uint64_t deadline_ns;
};

struct model {
	struct model_flow flow[FLOWS];
	uint32_t alive;
	uint64_t now_ns;
	uint64_t seed;
	unsigned int ended;
};

static struct model m;
static struct pk packets[FLOWS][CT_DIR_MAX];

static void end_flow(const struct ct_event *ev, uint64_t now_ns)
{
	for (size_t i = 0; i < FLOWS; i++) {
		struct model_flow *f = &m.flow[i];

		if (!f->exists || f->id != ev->flow)
			continue;
		assert_int_equal(ev->death, CT_DEATH_TIMEOUT);
		assert_true(f->deadline_ns <= now_ns); /* never early */
		f->exists = false;
		m.alive--;
		m.ended++;
		return;
	}
	fail_msg("a flow ended that was not there");
}

/* Semantics 1.6 and 5.1, written down once more. */
static enum ct_info expect(struct model_flow *f, enum ct_dir dir)
{
	bool two_way = f->seen_reply;

	f->deadline_ns = m.now_ns + 30 * SEC;
	if (two_way && m.now_ns > f->first_ns + 2 * SEC)
		f->deadline_ns = m.now_ns + 120 * SEC;
	if (dir == CT_DIR_REPLY) {
		f->seen_reply = true;
		return CT_INFO_ESTABLISHED_REPLY;
	}
	return two_way ? CT_INFO_ESTABLISHED : CT_INFO_NEW;
}

static void send_packet(struct engine *e)
{
	size_t i = dice(&m.seed) % FLOWS;
	enum ct_dir dir = dice(&m.seed) % 2 ? CT_DIR_REPLY : CT_DIR_ORIGINAL;
	struct model_flow *f = &m.flow[i];
	struct ct_result out;

	if (!f->exists || f->deadline_ns <= m.now_ns)
		dir = CT_DIR_ORIGINAL; /* the first packet decides what original is */
	out = engine_track(e, &packets[i][dir], m.now_ns);
	for (unsigned int n = 0; n < out.nevents; n++)
		if (out.events[n].type == CT_EVENT_DESTROY)
			end_flow(&out.events[n], m.now_ns);
	if (!f->exists) {
		*f = (struct model_flow){.exists = true, .id = out.flow, .first_ns = m.now_ns};
		m.alive++;
	}
	assert_int_equal(out.info, expect(f, dir));
	assert_true(out.flow == f->id);
	assert_true(out.timeout_ns == f->deadline_ns - m.now_ns);
}

static void look_at_clock(struct engine *e)
{
	size_t cap = 1 + dice(&m.seed) % 8, n;
	struct ct_event events[8];

	do {
		n = ct_expire(&e->th, m.now_ns, events, cap, NULL);
		assert_true(n <= cap);
		for (size_t i = 0; i < n; i++)
			end_flow(&events[i], m.now_ns);
	} while (n == cap);
	for (size_t i = 0; i < FLOWS; i++)
		assert_true(!m.flow[i].exists || m.flow[i].deadline_ns + GRACE_NS > m.now_ns);
}

static void advance(void)
{
	uint64_t kind = dice(&m.seed) % 10000;

	if (kind < 9900)
		m.now_ns += dice(&m.seed) % (20 * MSEC);
	else if (kind < 9998)
		m.now_ns += dice(&m.seed) % (20 * SEC);
	else
		m.now_ns += dice(&m.seed) % (3600 * SEC); /* longer than the wheel is round */
}

static void make_packets(void)
{
	for (uint32_t i = 0; i < FLOWS; i++) {
		int family = i % 2 ? CT_AF_INET : CT_AF_INET6;

		pk_udp(&packets[i][0], family, 1, 2, (uint16_t)(1000 + i), 53);
		pk_udp(&packets[i][1], family, 2, 1, 53, (uint16_t)(1000 + i));
	}
}

static void run(uint64_t seed, uint64_t start_ns)
{
	struct engine e;

	memset(&m, 0, sizeof(m));
	m.seed = seed;
	m.now_ns = start_ns;
	engine_open(&e, FLOWS);
	for (int i = 0; i < OPERATIONS; i++) {
		advance();
		if (dice(&m.seed) % 8)
			send_packet(&e);
		else
			look_at_clock(&e);
		assert_int_equal(ct_count(e.th.ct), m.alive);
	}
	m.now_ns += 1000 * SEC;
	look_at_clock(&e);
	assert_int_equal(ct_count(e.th.ct), 0);
	assert_true(m.ended > 10000);
	engine_close(&e);
}

static void test_from_zero(void **state)
{
	run(11, 0);
}

/* A machine that has been up for two years, and a wheel whose low tick bits wrap in the run. */
static void test_late_clock(void **state)
{
	run(12, 63072000ull * SEC);
	run(13, (1ull << 60) - 5000 * SEC);
}

/* Deadlines far beyond one turn of the wheel, and one that comes nearer. */
static void test_long_and_shortened(void **state)
{
	static const uint64_t days5 = 432000ull * SEC;
	struct ct_event ev[2];
	struct engine e;
	struct pk p;

	engine_open(&e, 4);
	pk_tcp(&p, CT_AF_INET, 1, 2, 3, 4, PK_SYN, 100, 0);
	engine_track(&e, &p, SEC);
	pk_tcp(&p, CT_AF_INET, 2, 1, 4, 3, PK_SYN | PK_ACK, 500, 101);
	engine_track(&e, &p, SEC);
	pk_tcp(&p, CT_AF_INET, 1, 2, 3, 4, PK_ACK, 101, 501);
	assert_true(engine_track(&e, &p, SEC).timeout_ns == days5);
	for (uint64_t t = 0; t < days5; t += 60 * SEC)
		assert_int_equal(ct_expire(&e.th, SEC + t, ev, 2, NULL), 0);

	/* the connection is reset: ten seconds instead of the rest of the five days */
	pk_tcp(&p, CT_AF_INET, 2, 1, 4, 3, PK_RST, 501, 0);
	assert_true(engine_track(&e, &p, days5).timeout_ns == 10 * SEC);
	assert_int_equal(ct_expire(&e.th, days5 + 9 * SEC, ev, 2, NULL), 0);
	assert_int_equal(ct_expire(&e.th, days5 + 12 * SEC, ev, 2, NULL), 1);
	assert_int_equal(ev[0].type, CT_EVENT_DESTROY);
	assert_int_equal(ev[0].state_new, 8); /* CLOSE */
	assert_int_equal(ev[0].hook, CT_HOOK_NONE);
	engine_close(&e);
}

/* A thread that was held up brings an old time along; its flow must not miss its turn. */
static void test_slow_thread(void **state)
{
	struct ct_event ev[2];
	struct engine e;

	engine_open(&e, 4);
	for (uint64_t late = 0; late < 60; late += 7) {
		uint64_t now_ns = (1000 + late * 100) * SEC;

		assert_int_equal(ct_expire(&e.th, now_ns, ev, 2, NULL), 0);
		engine_track(&e, &packets[0][0], now_ns - late * SEC);
		now_ns += late < 30 ? (30 - late) * SEC : 0;
		assert_int_equal(ct_expire(&e.th, now_ns + GRACE_NS, ev, 2, NULL), 1);
		assert_int_equal(ct_count(e.th.ct), 0);
	}
	engine_close(&e);
}

/* Ends what is due of one share, a few at a time. */
static unsigned int expire_share(struct ct_thread *th, uint64_t now_ns)
{
	struct ct_event ev[8];
	unsigned int ended = 0;
	bool more = true;

	for (int calls = 0; more; calls++) {
		assert_true(calls < FLOWS); /* it gets through */
		ended += (unsigned int)ct_expire(th, now_ns, ev, 8, &more);
	}
	return ended;
}

/* Threads that share the clock end every flow between them, and each its own. */
static void test_shares(void **state)
{
	enum { SHARES = 3 };
	struct engine e;
	struct ct_thread th[SHARES] = {{0}}, idle = {0};
	unsigned int ended = 0;

	engine_open(&e, FLOWS);
	for (int i = 0; i < FLOWS; i++)
		engine_track(&e, &packets[i][0], SEC);
	idle = (struct ct_thread){.ct = e.th.ct, .cfg = &e.cfg, .share = 1000, .shares = 1001};
	assert_int_equal(expire_share(&idle, 100 * SEC), 0); /* more threads than parts */
	for (uint32_t i = 0; i < SHARES; i++) {
		unsigned int own;

		th[i] = (struct ct_thread){
			.ct = e.th.ct, .cfg = &e.cfg, .share = i, .shares = SHARES};
		own = expire_share(&th[i], 100 * SEC);
		assert_true(own > FLOWS / SHARES / 2 && own < FLOWS / SHARES * 2);
		assert_int_equal(expire_share(&th[i], 101 * SEC), 0);
		ended += own;
	}
	assert_int_equal(ended, FLOWS);
	assert_int_equal(ct_count(e.th.ct), 0);
	engine_close(&e);
}

static int setup(void **state)
{
	make_packets();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_zero),
		cmocka_unit_test(test_late_clock),
		cmocka_unit_test(test_long_and_shortened),
		cmocka_unit_test(test_slow_thread),
		cmocka_unit_test(test_shares),
	};

	return cmocka_run_group_tests_name("expiry", tests, setup, NULL);
}
