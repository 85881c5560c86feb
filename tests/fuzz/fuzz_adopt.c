/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A table that was left behind, with damage in it, is taken over: whatever is found there, the
 * engine works with what it took, and no flow is there that it cannot end.
 *
 * What was left is always the same to begin with: UDP flows, TCP connections in several states,
 * SCTP, a PPTP call, a connection with expectations, datagrams in fragments. Input: three bytes,
 * then the damage:
 *   0  table size: low four bits times 8, plus 8; 0x10 the secret is another one; 0x20 a thread
 *      died at work on a flow; 0x40 the memory is cut to what the next byte says, in pages
 *   1  that number of pages
 *   2  seconds by which the clocks differ, signed
 * Damage is a head of four bytes and what is to be put there:
 *   0-2 offset in the arena, little endian, modulo its size
 *   3   bytes that follow, modulo 64
 * mkadopt.py writes the same.
 */

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "core/adopt.h"
#include "core/helper/expect.h"
#include "core/table.h"
#include "core/traced.h"

#define FLOWS	   64
#define FLOWS_MAX  128
#define EXPECT_MAX 16
#define DATAGRAMS  8
#define ARENA_MAX  (1u << 17)
#define SEC	   CT_NS_PER_S
#define NOW	   (1000 * SEC)
#define SALT	   0x1234567890abcdefULL

struct run {
	struct ct_config cfg;
	struct ct_thread th;
	struct ct_estate estate;
	struct ct_adopted done;
	uint32_t alive;
};

static _Alignas(4096) uint8_t left[ARENA_MAX], room[ARENA_MAX];
static struct run run;

static struct ct_params params_of(uint32_t max_flows)
{
	return (struct ct_params){
		.max_flows = max_flows,
		.max_expect = EXPECT_MAX,
		.max_fragmented = DATAGRAMS,
		.max_held = DATAGRAMS,
		.key = (const uint8_t *)"0123456789abcde",
		.id_salt = SALT,
	};
}

/* --- packets ------------------------------------------------------------------------------------
 */

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* An IPv4 packet between hosts 10.0.0.src and 10.0.0.dst; frag as in its header. */
static struct ct_result packet(uint8_t proto, uint8_t src, uint8_t dst, uint32_t frag,
			       const uint8_t *l4, uint32_t n)
{
	uint8_t b[20 + 64] = {0x45};
	struct ct_input in = {.data = b, .caplen = 20 + n, .len = 20 + n, .now_ns = NOW};
	struct ct_result out;

	put16(b + 2, 20 + n);
	put16(b + 4, src);
	put16(b + 6, frag);
	b[9] = proto;
	b[12] = b[16] = 10;
	b[15] = src;
	b[19] = dst;
	memcpy(b + 20, l4, n);
	ct_track(&run.th, &in, &out);
	return out;
}

static struct ct_result udp(uint8_t src, uint8_t dst, uint32_t sport, uint32_t dport)
{
	uint8_t h[16] = {0};

	put16(h, sport);
	put16(h + 2, dport);
	put16(h + 4, sizeof(h));
	return packet(CT_PROTO_UDP, src, dst, 0, h, sizeof(h));
}

static struct ct_result tcp(uint8_t src, uint8_t dst, uint32_t sport, uint32_t dport, uint8_t flags,
			    uint8_t seq, uint8_t ack)
{
	uint8_t h[20] = {[7] = seq, [11] = ack, [12] = 5 << 4, [13] = flags, [14] = 0x10};

	put16(h, sport);
	put16(h + 2, dport);
	return packet(CT_PROTO_TCP, src, dst, 0, h, sizeof(h));
}

static void sctp(uint8_t host)
{
	const uint8_t init[] = {0x10, 0, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 20,
				0,    0, 0, 9,	0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0};

	packet(CT_PROTO_SCTP, host, 99, 0, init, sizeof(init));
}

/* Everything that there is, from each host. */
static void traffic(uint8_t host)
{
	uint8_t part[16] = {0};

	udp(host, 99, 1000, 53);
	udp(99, host, 53, 1000);
	tcp(host, 99, 1000, 80, 0x02, 10, 0);
	if (host % 2)
		tcp(99, host, 80, 1000, 0x12, 50, 11);
	if (host % 4 == 1)
		tcp(host, 99, 1000, 80, 0x10, 11, 51);
	if (host % 8 == 1)
		tcp(host, 99, 1000, 80, 0x11, 11, 51);
	sctp(host);
	put16(part + 2, 7);
	packet(CT_PROTO_UDP, host, 98, 0x2000, part, sizeof(part)); /* the first, and one behind */
	packet(CT_PROTO_UDP, host, 98, 0x2004, part, sizeof(part));
	packet(CT_PROTO_UDP, (uint8_t)(host + 100), 98, 0x2002, part, sizeof(part));
}

/* A flow with a helper, which expects others. */
static void expect(void)
{
	struct ct_expect_spec spec = {
		.tuple = {.family = CT_AF_INET, .proto = CT_PROTO_UDP},
		.any_src = true,
		.any_src_id = true,
		.timeout_ns = 100 * SEC,
	};
	struct ct_result r = udp(1, 99, 1000, 69);
	uint32_t master = (uint32_t)(r.flow ^ SALT);

	for (uint8_t i = 1; i < 6; i++) {
		spec.tuple.dst.b[0] = 10;
		spec.tuple.dst.b[3] = i;
		(void)ct_expect_add(run.th.ct, master, &spec, 0, NOW);
	}
}

/* --- before and after ---------------------------------------------------------------------------
 */

static void begin(void)
{
	struct ct_params p = params_of(FLOWS);

	memset(&run, 0, sizeof(run));
	memset(left, 0, sizeof(left));
	memset(room, 0, sizeof(room));
	ct_config_init(&run.cfg);
	run.cfg.helper_ports[0] = (struct ct_helper_port){.port = 69, .helper = CT_HELPER_TFTP};
	run.cfg.nhelper_ports = 1;
	run.th.cfg = &run.cfg;
	FUZZ_CHECK(ct_arena_size(&p) <= sizeof(left));
	run.th.ct = ct_new(left, sizeof(left), &p);
	FUZZ_CHECK(run.th.ct);
	expect();
	for (uint8_t host = 1; host < 12; host++)
		traffic(host);
	FUZZ_CHECK(ct_count(run.th.ct) > 30 && ct_expect_count(run.th.ct) == 5);
	run.alive = ct_count(run.th.ct);
	run.th.ct = ct_free(run.th.ct);
}

static void damage(const uint8_t *data, size_t size)
{
	while (size > 4) {
		uint32_t at = (uint32_t)(data[0] | data[1] << 8 | data[2] << 16) % ARENA_MAX;
		size_t n = data[3] % 64;

		data += 4;
		size -= 4;
		n = n > size ? size : n;
		n = n > ARENA_MAX - at ? ARENA_MAX - at : n;
		memcpy(left + at, data, n);
		data += n;
		size -= n;
	}
}

static void die_at_work(void)
{
	struct ct_trace *t = &run.th.trace;

	t->flow = left[100] % FLOWS;
	t->salt = SALT;
	memcpy(t->saved, left + 4096 + 3 * sizeof(struct ct_flow) + CT_TRACE_FROM,
	       sizeof(t->saved));
	atomic_store(&t->phase, CT_TRACE_BUSY);
}

/* What is there is there once, and ends when its time is over. */
static void end(void)
{
	static struct ct_event events[FLOWS_MAX];
	uint64_t now_ns = NOW + (UINT32_MAX + 1000ull) * SEC;
	size_t n = 0;

	for (int i = 0; i < 4 && ct_count(run.th.ct) > 0; i++, now_ns += SEC)
		n += ct_expire(&run.th, now_ns, events, FLOWS_MAX, NULL);
	FUZZ_CHECK(ct_count(run.th.ct) == 0);
	FUZZ_CHECK(ct_expect_count(run.th.ct) == 0);
	FUZZ_CHECK(n <= FLOWS_MAX);
}

static void adopt(const struct ct_params *p, bool in_place)
{
	struct ct_thread *threads[] = {&run.th};

	run.estate.threads = threads;
	run.estate.nthreads = 1;
	run.th.ct = ct_adopt(in_place ? left : room, ARENA_MAX, p, &run.estate, &run.done);
	FUZZ_CHECK(run.th.ct);
	FUZZ_CHECK(run.done.flows == ct_count(run.th.ct));
	FUZZ_CHECK(run.done.flows <= p->max_flows);
	FUZZ_CHECK(run.done.expects == ct_expect_count(run.th.ct));
	FUZZ_CHECK(ct_relax(run.th.ct) <= run.done.flows);
}

static void check(bool whole)
{
	if (whole) { /* adopt(x) is x */
		FUZZ_CHECK(run.done.flows == run.alive && run.done.expects == 5);
		FUZZ_CHECK(run.done.damaged == 0 && run.done.moved == 0);
		FUZZ_CHECK(udp(99, 1, 53, 1000).info == CT_INFO_ESTABLISHED_REPLY);
	}
	for (uint8_t host = 1; host < 16; host++)
		traffic(host);
	FUZZ_CHECK(ct_count(run.th.ct) <= ct_max_flows(run.th.ct));
	end();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ct_arena_facts facts;
	struct ct_params p;
	size_t bytes = ARENA_MAX;
	bool in_place;

	if (size < 3)
		return 0;
	begin();
	damage(data + 3, size - 3);
	run.estate = (struct ct_estate){
		.arena = left,
		.now_ns = NOW,
		.shift_ns = (int8_t)data[2] * (int64_t)SEC,
		.rekey = data[0] & 0x10,
	};
	if (data[0] & 0x20)
		die_at_work();
	if (data[0] & 0x40 && (size_t)data[1] * 4096 < ARENA_MAX)
		bytes = (size_t)data[1] * 4096;
	if (ct_arena_read(left, bytes, &facts) != CT_ARENA_OK)
		return 0;
	p = params_of(8 + 8 * (data[0] & 15u));
	in_place = ct_arena_suits(&facts, &p);
	adopt(&p, in_place);
	check(size == 3 && p.max_flows >= FLOWS && data[2] == 0 && !(data[0] & 0x30));
	run.th.ct = ct_free(run.th.ct);
	return 0;
}
