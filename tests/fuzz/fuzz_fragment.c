/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A sequence of fragments in three queues, each with a thread of the engine of its own, and the
 * promises of holding them: every packet is answered exactly once, by the thread of its queue, and
 * soon after it was decided; what is remembered is bounded, and nothing stays.
 *
 * Input: two bytes of limits, then records of eight bytes:
 *   0  0x01 IPv6, 0x02 more fragments, 0x0c ECN, 0x30 queue (3: queue 0 is given up), 0xc0: what
 *      the fragment header stands behind (nothing; options or an extension header)
 *   1  id (three bits), 0x08 other source, 0x10 second hook, 0x20 nothing may be held,
 *      0x40 a second fragment header (IPv6), 0x80 exactly as long a buffer as was copied
 *   2  offset in units of eight bytes; 255: the last one there is
 *   3  length in bytes
 *   4  time since the last one in units of 64 ms
 *   5  protocol: 0-3 of a short list; upper bits: bytes cut from the copy
 *   6  first byte of the payload
 *   7  mark
 * mkfragment.py writes the same.
 */

#include "tests/fuzz/fuzz.h"

#include "core/core.h"

#include <string.h>

#define HEAD	  8
#define QUEUES	  3
#define IDS_MAX	  2048
#define HELD_MAX  8
#define SPARE	  (HELD_MAX / 4 + 64) /* decided packets that may wait beside */
#define FLOWS_MAX 8
#define SEC	  CT_NS_PER_S

enum fate { FATE_NONE, FATE_HELD, FATE_ANSWERED };

struct packet {
	uint8_t b[512];
	uint32_t len;
};

static struct run {
	struct ct_config cfg;
	struct ct *ct;
	struct ct_thread th[QUEUES];
	uint64_t now_ns;
	uint8_t fate[IDS_MAX];
	uint8_t queue[IDS_MAX];
	uint32_t ids, held;
} run;

static _Alignas(4096) uint8_t arena[1 << 16];

static void put(struct packet *p, const uint8_t *bytes, size_t n)
{
	memcpy(p->b + p->len, bytes, n);
	p->len += (uint32_t)n;
}

static void put_payload(struct packet *p, const uint8_t head[static HEAD])
{
	memset(p->b + p->len, head[6], head[3]);
	p->len += head[3];
}

static uint32_t offset_of(const uint8_t head[static HEAD])
{
	return head[2] == 255 ? 8191 : head[2];
}

static uint8_t proto_of(const uint8_t head[static HEAD])
{
	static const uint8_t protos[4] = {17, 6, 1, 50};

	if (head[0] & 1 && (head[5] & 3) == 2)
		return 58;
	return protos[head[5] & 3];
}

static void make4(struct packet *p, const uint8_t head[static HEAD])
{
	uint32_t frag = offset_of(head) | (head[0] & 2 ? 0x2000u : 0);
	uint8_t words = (uint8_t)(5 + (head[0] >> 6)), options[12] = {1, 1, 1, 1, 1, 1};
	const uint8_t h[20] = {
		(uint8_t)(0x40 | words),
		head[0] >> 2 & 3,
		[5] = head[1] & 7,
		[6] = (uint8_t)(frag >> 8),
		[7] = (uint8_t)frag,
		[8] = 64,
		[9] = proto_of(head),
		[12] = 10,
		[15] = head[1] & 8,
		[16] = 10,
		[19] = 2,
	};

	put(p, h, sizeof(h));
	put(p, options, (words - 5u) * 4);
	put_payload(p, head);
}

static void put_fragment6(struct packet *p, const uint8_t head[static HEAD], uint8_t next)
{
	uint32_t frag = offset_of(head) << 3 | !!(head[0] & 2);

	put(p,
	    (const uint8_t[]){next, 0, (uint8_t)(frag >> 8), (uint8_t)frag, 0, 0, 0, head[1] & 7},
	    8);
}

static void make6(struct packet *p, const uint8_t head[static HEAD])
{
	bool ext = head[0] & 0xc0, twice = head[1] & 0x40;
	const uint8_t h[40] = {
		0x60,
		(uint8_t)((head[0] >> 2 & 3) << 4),
		[6] = ext ? 60 : 44,
		[7] = 64,
		[8] = 0x20,
		[23] = head[1] & 8,
		[24] = head[0] & 0x80 ? 0xff : 0x20, /* multicast: the interface counts, too */
		[39] = 2,
	};

	put(p, h, sizeof(h));
	if (ext)
		put(p, (const uint8_t[]){44, 0, 1, 4, 0, 0, 0, 0}, 8);
	put_fragment6(p, head, twice ? 44 : proto_of(head));
	if (twice)
		put_fragment6(p, head, proto_of(head));
	put_payload(p, head);
}

static void check_bits(uint32_t before, uint32_t after)
{
	FUZZ_CHECK(((before ^ after) & ~run.cfg.mark.mask) == 0);
}

/* --- packets that were held ------------------------------------------------------------------ */

static void check_due(const struct ct_fragment_due *due, unsigned int queue)
{
	FUZZ_CHECK(due->id < run.ids);
	FUZZ_CHECK(run.fate[due->id] == FATE_HELD);
	FUZZ_CHECK(run.queue[due->id] == queue);
	run.fate[due->id] = FATE_ANSWERED;
	run.held--;
	FUZZ_CHECK(due->info < CT_INFO_MAX);
	if (due->drop)
		FUZZ_CHECK(due->info == CT_INFO_INVALID);
	if (!due->has_event)
		return;
	FUZZ_CHECK(due->event.type == CT_EVENT_INVALID && due->event.reason != CT_REASON_NONE);
	FUZZ_CHECK(due->event.reason < CT_REASON_MAX && due->event.queue == queue);
	FUZZ_CHECK(due->event.has_tuple && due->event.flow == 0);
	FUZZ_CHECK(due->event.drop == due->drop);
}

typedef size_t take_held(struct ct_thread *th, uint16_t queue, uint64_t now_ns,
			 struct ct_fragment_due *out, size_t cap);

static size_t answer(unsigned int queue, take_held *take)
{
	struct ct_fragment_due due[4];
	size_t total = 0, n;

	do {
		n = take(&run.th[queue], (uint16_t)queue, run.now_ns, due, 4);
		FUZZ_CHECK(n <= 4);
		for (size_t i = 0; i < n; i++)
			check_due(&due[i], queue);
		total += n;
	} while (n == 4);
	return total;
}

static bool someone_wakes(unsigned int queue)
{
	bool wakes = false;

	for (unsigned int i = 0; i < QUEUES; i++)
		wakes |= ct_fragments_wakes(&run.th[i], (uint16_t)queue);
	return wakes;
}

/*
 * What workers do: one looks after its own queue, then those that were woken. Then nothing that is
 * decided waits in any queue.
 */
static void answer_all(unsigned int queue)
{
	bool again = true;

	(void)answer(queue, ct_fragments_due);
	while (again) {
		again = false;
		for (unsigned int other = 0; other < QUEUES; other++) {
			if (!someone_wakes(other))
				continue;
			again = true;
			(void)answer(other, ct_fragments_due);
		}
	}
	for (unsigned int other = 0; other < QUEUES; other++)
		FUZZ_CHECK(answer(other, ct_fragments_due) == 0);
}

/* --- packets that come ----------------------------------------------------------------------- */

static void check_result(const struct ct_input *in, const struct ct_result *out)
{
	if (out->held) {
		FUZZ_CHECK(run.cfg.hold_fragments);
		FUZZ_CHECK(!out->drop && !out->passed && out->nevents == 0);
		run.fate[in->id] = FATE_HELD;
		run.queue[in->id] = (uint8_t)in->queue;
		run.held++;
		return;
	}
	check_bits(in->mark, out->mark);
	FUZZ_CHECK(out->nevents <= CT_RESULT_EVENTS_MAX);
	FUZZ_CHECK((out->info == CT_INFO_INVALID) == (out->reason != CT_REASON_NONE));
	FUZZ_CHECK(!out->drop || out->info == CT_INFO_INVALID);
	run.fate[in->id] = FATE_ANSWERED;
}

static void track(const uint8_t head[static HEAD], unsigned int queue)
{
	struct packet p = {.len = 0};
	struct ct_input in = {
		.now_ns = run.now_ns,
		.mark = (uint32_t)head[7] << 8,
		.id = run.ids++,
		.iif = 1 + (head[7] & 1),
		.queue = (uint16_t)queue,
		.hook = head[1] & 0x10 ? CT_HOOK_OUTPUT : CT_HOOK_PREROUTING,
		.csum_unverified = head[7] & 2,
	};
	struct ct_result out;
	uint8_t *copy;

	if (head[0] & 1)
		make6(&p, head);
	else
		make4(&p, head);
	in.len = p.len;
	in.caplen = p.len - (head[5] >> 2 < p.len ? head[5] >> 2 : p.len);
	copy = malloc(in.caplen ? in.caplen : 1);
	FUZZ_CHECK(copy);
	memcpy(copy, p.b, in.caplen);
	in.data = head[1] & 0x80 ? copy : p.b;
	run.cfg.hold_fragments = !(head[1] & 0x20);
	ct_track(&run.th[queue], &in, &out);
	free(copy);
	check_result(&in, &out);
	FUZZ_CHECK(run.held <= HELD_MAX + SPARE);
}

static void give_up(unsigned int queue)
{
	(void)answer(queue, ct_fragments_release);
	for (uint32_t id = 0; id < run.ids; id++)
		FUZZ_CHECK(run.fate[id] != FATE_HELD || run.queue[id] != queue);
}

static void configure(uint8_t a, uint8_t b)
{
	static const uint8_t key[16] = {3, 2, 1};
	const struct ct_params params = {.max_flows = FLOWS_MAX,
					 .max_fragmented = a & 15,
					 .max_held = a >> 4 & (HELD_MAX - 1),
					 .key = key,
					 .id_salt = 1};

	memset(&run, 0, sizeof(run));
	memset(arena, 0, sizeof(arena));
	ct_config_init(&run.cfg);
	run.cfg.fragment_ns = (1 + (b & 15)) * SEC;
	run.cfg.accounting = !(b & 0x10);
	run.cfg.confirm = b & 0x20 ? CT_CONFIRM_EXIT : CT_CONFIRM_ENTRY;
	run.now_ns = SEC;
	FUZZ_CHECK(ct_arena_size(&params) <= sizeof(arena));
	run.ct = ct_new(arena, sizeof(arena), &params);
	FUZZ_CHECK(run.ct);
	for (unsigned int i = 0; i < QUEUES; i++)
		run.th[i] = (struct ct_thread){.ct = run.ct, .cfg = &run.cfg};
}

/* Everybody comes by once a second: nothing waits for longer than its time, and nothing is left. */
static void finish(void)
{
	uint64_t judged = 0;

	for (unsigned int s = 0; s <= 16 && ct_fragments_any(run.ct); s++) {
		run.now_ns += SEC;
		answer_all(s % QUEUES);
	}
	FUZZ_CHECK(!ct_fragments_any(run.ct));
	FUZZ_CHECK(run.held == 0);
	for (uint32_t id = 0; id < run.ids; id++)
		FUZZ_CHECK(run.fate[id] == FATE_ANSWERED);
	for (unsigned int i = 0; i < QUEUES; i++)
		judged += run.th[i].stats.count[CT_STAT_PACKETS];
	FUZZ_CHECK(judged == run.ids);
	run.ct = ct_free(run.ct);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	configure(data[0], data[1]);
	for (data += 2, size -= 2; size >= HEAD && run.ids < IDS_MAX; data += HEAD, size -= HEAD) {
		unsigned int queue = data[0] >> 4 & 3;

		run.now_ns += data[4] * 64 * (SEC / 1000);
		if (queue == QUEUES) {
			give_up(0);
			continue;
		}
		track(data, queue);
		answer_all(queue);
	}
	finish();
	return 0;
}
