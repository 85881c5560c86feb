/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The payload of a control connection before its helper, with the promises about expectations
 * checked after each packet.
 *
 * Input: two bytes (which helper; 0x01 IPv6, 0x02 UDP, if the helper knows them), then records of a
 * 6-byte head and the payload:
 *   0-1 length of the payload, little endian
 *   2   0x01 reply direction, 0x02 the first packet of its flow, 0x04 an expected flow is met
 *       afterwards, 0x08 the sequence number does not move on
 *   3   added to the sequence number
 *   4   bytes cut from the end of the copy
 *   5   seconds since the last one
 * mkhelper.py writes the same.
 */

#include "tests/fuzz/fuzz.h"

#include "core/helper/helper.h"
#include "core/pkt.h"
#include "core/table.h"

#include <string.h>

#define EXPECT_MAX 16
#define HEAD	   6
#define HOURS_MAX  24

struct run {
	struct ct_thread th;
	struct ct_config cfg;
	const struct ct_helper *helper;
	uint32_t master;
	uint32_t seq[CT_DIR_MAX];
	uint64_t now_ns;
};

static _Alignas(4096) uint8_t arena[1 << 16];
static struct run run;

static struct ct_tuple tuple_of(bool ipv6, bool udp)
{
	static const uint8_t client6[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};
	static const uint8_t server6[16] = {0x20, 1, 0xd, 0xb8, [15] = 2};
	struct ct_tuple t = {.src = {.b = {10, 0, 0, 1}},
			     .dst = {.b = {10, 0, 1, 2}},
			     .src_id_be = ct_be16(40000),
			     .dst_id_be = ct_be16(run.helper->facts->port),
			     .family = ipv6 ? CT_AF_INET6 : CT_AF_INET,
			     .proto = udp ? CT_PROTO_UDP : CT_PROTO_TCP};

	if (ipv6) {
		memcpy(&t.src, client6, sizeof(client6));
		memcpy(&t.dst, server6, sizeof(server6));
	}
	return t;
}

static void begin(uint8_t id, uint8_t how)
{
	static const uint8_t key[16] = {3, 1, 2};
	const struct ct_params params = {
		.max_flows = 4, .max_expect = EXPECT_MAX, .key = key, .id_salt = 9};
	const struct ct_helper_facts *facts = run.helper->facts;
	struct ct_flow f = {.helper = id, .status = CT_STATUS_CONFIRMED | CT_STATUS_HELPER};

	memset(arena, 0, sizeof(arena));
	ct_config_init(&run.cfg);
	run.now_ns = CT_NS_PER_S;
	run.th.cfg = &run.cfg;
	run.th.ct = ct_new(arena, sizeof(arena), &params);
	FUZZ_CHECK(run.th.ct);
	f.orig = tuple_of(how & 1 && facts->families != 4,
			  facts->protos == CT_PROTO_UDP ||
				  (how & 2 && facts->protos != CT_PROTO_TCP));
	run.master = ct_arena_put(&run.th.ct->arena, &f, 0);
	FUZZ_CHECK(run.master);
}

/* --- promises ------------------------------------------------------------------------------ */

struct census {
	unsigned int n[CT_CLASSES_MAX];
	struct ct_tuple newest;
};

static bool is_host(const union ct_addr *a)
{
	const struct ct_tuple *t = &run.th.ct->arena.slots[run.master].orig;

	return memcmp(a, &t->src, sizeof(*a)) == 0 || memcmp(a, &t->dst, sizeof(*a)) == 0;
}

/* Nobody can announce a third host, nor for longer than a day. */
static bool check_one(struct ct_expect *e, void *ctx, bool *remove)
{
	static const union ct_addr zero;
	const struct ct_tuple *master = &run.th.ct->arena.slots[run.master].orig;
	struct census *c = ctx;

	FUZZ_CHECK(e->live && e->class < CT_CLASSES_MAX);
	FUZZ_CHECK(e->master == run.master);
	FUZZ_CHECK(e->tuple.family == master->family && e->tuple.zone == master->zone);
	FUZZ_CHECK(e->tuple.proto == CT_PROTO_TCP || e->tuple.proto == CT_PROTO_UDP ||
		   e->tuple.proto == CT_PROTO_GRE);
	FUZZ_CHECK(is_host(&e->tuple.dst));
	FUZZ_CHECK(e->any_src ? memcmp(&e->tuple.src, &zero, sizeof(zero)) == 0
			      : is_host(&e->tuple.src));
	FUZZ_CHECK(!e->any_src_id || e->tuple.src_id_be == 0);
	FUZZ_CHECK(e->helper < CT_HELPER_MAX);
	FUZZ_CHECK(e->expires_ns > run.now_ns);
	FUZZ_CHECK(!(e->flags & ~(CT_EXPECT_PERMANENT | CT_EXPECT_INACTIVE | CT_EXPECT_PAIR)));
	if (c->n[0] + c->n[1] + c->n[2] + c->n[3] == 0)
		c->newest = e->tuple;
	c->n[e->class]++;
	*remove = false;
	return true;
}

static struct census check_all(struct ct_help *h)
{
	const struct ct_expect_policy *policy = run.helper->facts->policy;
	struct census c = {0};
	uint32_t total = 0;

	ct_help_each(h, check_one, &c);
	for (unsigned int i = 0; i < CT_CLASSES_MAX; i++) {
		FUZZ_CHECK(c.n[i] <= policy[i].max);
		total += c.n[i];
	}
	FUZZ_CHECK(total == ct_expect_count(run.th.ct));
	FUZZ_CHECK(ct_keymap_count(&run.th.ct->keymap) <= 1);
	return c;
}

/* The newest, by a packet from where it may come from. */
static void meet(const struct census *c)
{
	struct ct_tuple packet = c->newest;
	struct ct_expect met;
	uint32_t before = ct_expect_count(run.th.ct), after;

	if (!packet.src_id_be)
		packet.src_id_be = ct_be16(50000);
	if (!ct_expect_meet(&run.th, &packet, run.now_ns, &met))
		return;
	after = ct_expect_count(run.th.ct);
	FUZZ_CHECK(!(met.flags & CT_EXPECT_INACTIVE));
	FUZZ_CHECK(met.flags & CT_EXPECT_PERMANENT ? after == before : after < before);
	FUZZ_CHECK(met.master == run.master);
}

/* --- packets ------------------------------------------------------------------------------- */

static enum ct_info info_of(uint8_t flags)
{
	if (flags & 1)
		return CT_INFO_ESTABLISHED_REPLY;
	return flags & 2 ? CT_INFO_NEW : CT_INFO_ESTABLISHED;
}

static struct ct_help help_with(const uint8_t *head)
{
	struct ct_help h = {.th = &run.th,
			    .index = run.master,
			    .flow = &run.th.ct->arena.slots[run.master],
			    .kin = &run.th.ct->arena.kin[run.master],
			    .dir = head[2] & 1 ? CT_DIR_REPLY : CT_DIR_ORIGINAL,
			    .info = info_of(head[2]),
			    .now_ns = run.now_ns};

	h.tuple[CT_DIR_ORIGINAL] = h.flow->orig;
	FUZZ_CHECK(ct_tuple_invert(&h.tuple[CT_DIR_REPLY], &h.flow->orig));
	return h;
}

static void track(const uint8_t *head, const uint8_t *payload, uint32_t len)
{
	struct ct_help h = help_with(head);
	uint32_t cap = head[4] < len ? len - head[4] : 0;
	uint8_t *copy = malloc(cap ? cap : 1); /* so that the first byte too far is seen */
	uint32_t before = ct_expect_count(run.th.ct);
	struct census c;

	FUZZ_CHECK(copy);
	memcpy(copy, payload, cap);
	h.payload = (struct ct_bytes){copy, cap, len};
	h.seq = run.seq[h.dir] + head[3];
	if (!(head[2] & 8))
		run.seq[h.dir] = h.seq + len;
	if (run.helper->help(&h) == CT_HELP_DROP)
		FUZZ_CHECK(h.reason == CT_REASON_HELPER_PARSE ||
			   h.reason == CT_REASON_EXPECT_REFUSED);
	FUZZ_CHECK(h.timeout_ns <= HOURS_MAX * 3600 * CT_NS_PER_S);
	FUZZ_CHECK(len > 0 || ct_expect_count(run.th.ct) <= before);
	c = check_all(&h);
	if (head[2] & 4)
		meet(&c);
	free(copy);
}

static void finish(void)
{
	const uint8_t head[HEAD] = {0};
	struct ct_help h = help_with(head);

	ct_expect_forget(run.th.ct, run.master);
	if (run.helper->end)
		run.helper->end(&h);
	FUZZ_CHECK(ct_expect_count(run.th.ct) == 0);
	FUZZ_CHECK(ct_keymap_count(&run.th.ct->keymap) == 0);
	run.th.ct = ct_free(run.th.ct);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t id = size ? (uint8_t)(1 + data[0] % (CT_HELPER_MAX - 1)) : CT_HELPER_NONE;

	memset(&run, 0, sizeof(run));
	run.helper = ct_helper_get(id);
	if (size < 2 || !run.helper)
		return 0;
	begin(id, data[1]);
	data += 2;
	size -= 2;
	while (size >= HEAD) {
		const uint8_t *head = data;
		size_t len = head[0] | (size_t)head[1] << 8;

		data += HEAD;
		size -= HEAD;
		len = len < size ? len : size;
		run.now_ns += head[5] * CT_NS_PER_S;
		track(head, data, (uint32_t)len);
		run.th.ndoomed = 0;
		data += len;
		size -= len;
	}
	finish();
	return 0;
}
