/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A sequence of packets through the engine, with its promises checked after each.
 *
 * Input: two bytes of configuration, then records of an 8-byte head and the packet:
 *   0-1 length of the packet, little endian, modulo 2048
 *   2   time since the last one: low six bits, in ms, shifted left by five times the upper two
 *   3   hook (three bits, modulo 5), 0x08 checksum unverified, 0x10 loopback, 0x20 expire before it
 *   4   bytes cut from its end before the engine sees them (the packet stays as long as it says)
 *   5-6 mark: in the low byte and the high half
 *   7   zone (one bit), 0x02 exactly as long a buffer as was copied, 0x04 the packet is not there
 *       but made of its first eight bytes: a TCP segment with small numbers (see make_segment), so
 *       that the fuzzer finds its way through states and windows; 0x08 the packet leaves by an
 *       exit hook as well, if it may; 0x10 somebody ends a flow before it; 0x20 the table is
 *       taken over before it, in the way of the lower bits of byte 5 (enum twin_how), and both
 *       tables have to agree from then on; upper two bits: the family that the network layer
 *       names (0: none)
 * mkcorpus.py writes the same.
 */

#include "tests/fuzz/fuzz.h"

#include "core/adopt.h"
#include "core/helper/helper.h"
#include "core/view.h"
#include "tests/fuzz/integrity.h"
#include "tests/fuzz/legal.h"
#include "tests/fuzz/twin.h"

#include <string.h>

#define FLOWS_MAX  16
#define EXPECT_MAX 32
#define SEEN_MAX   1024
#define HEAD	   8
#define SEGMENT	   52
#define FOREIGN	   7 /* the family of a bridge */
#define MSEC	   1000000ull
#define SEC	   (1000 * MSEC)

/* Every flow of which NEW was told, and when it is due. */
struct seen {
	uint64_t id;
	uint64_t deadline_ns;
	bool alive;
};

struct run {
	struct ct_thread th;
	struct ct_config cfg;
	struct ct_params params;
	uint64_t now_ns;
	struct seen seen[SEEN_MAX];
	size_t nseen;
	size_t alive;
};

static _Alignas(4096) uint8_t arena[TWIN_ARENA];
static struct run run;
static struct twin twin;

static struct seen *find_alive(uint64_t id)
{
	for (size_t i = 0; i < run.nseen; i++)
		if (run.seen[i].id == id && run.seen[i].alive)
			return &run.seen[i];
	return NULL;
}

static void note_new(const struct ct_event *ev)
{
	for (size_t i = 0; i < run.nseen; i++)
		FUZZ_CHECK(run.seen[i].id != ev->flow);
	FUZZ_CHECK(run.nseen < SEEN_MAX);
	run.seen[run.nseen++] =
		(struct seen){.id = ev->flow, .deadline_ns = UINT64_MAX, .alive = true};
	run.alive++;
}

static void note_destroy(const struct ct_event *ev)
{
	struct seen *s = find_alive(ev->flow);

	FUZZ_CHECK(s);
	FUZZ_CHECK(ev->death != CT_DEATH_NONE && ev->death < CT_DEATH_MAX);
	FUZZ_CHECK(ct_death_name(ev->death));
	s->alive = false;
	run.alive--;
}

static bool info_valid(uint8_t info)
{
	return info <= CT_INFO_RELATED_REPLY || info == CT_INFO_INVALID ||
	       info == CT_INFO_UNTRACKED;
}

static void check_event(const struct ct_event *ev)
{
	const uint16_t known = CT_STATUS_EXPECTED | CT_STATUS_SEEN_REPLY | CT_STATUS_ASSURED |
			       CT_STATUS_CONFIRMED | CT_STATUS_DYING | CT_STATUS_HELPER;
	char status[CT_STATUS_STRLEN];

	FUZZ_CHECK(ev->type < CT_EVENT_MAX);
	FUZZ_CHECK(ev->reason < CT_REASON_MAX);
	FUZZ_CHECK((ev->type == CT_EVENT_INVALID) == (ev->reason != CT_REASON_NONE));
	FUZZ_CHECK((ev->type == CT_EVENT_DESTROY) == (ev->death != CT_DEATH_NONE));
	FUZZ_CHECK(info_valid(ev->info));
	FUZZ_CHECK(ev->dir < CT_DIR_MAX);
	FUZZ_CHECK(ev->hook < CT_HOOK_MAX);
	FUZZ_CHECK(!(ev->status & ~known));
	FUZZ_CHECK(ev->time_ns == run.now_ns);
	FUZZ_CHECK(ev->family == 0 || ev->family == CT_AF_INET || ev->family == CT_AF_INET6);
	FUZZ_CHECK(ct_status_to_str(ev->status, status) == status);
	FUZZ_CHECK(strlen(status) < sizeof(status));
	if (ev->type != CT_EVENT_INVALID)
		FUZZ_CHECK(ev->flow != 0 && ev->has_tuple);
	if (ev->type == CT_EVENT_STATE)
		FUZZ_CHECK(ct_state_name(ev->l4proto, ev->state_new));
	if (ev->type == CT_EVENT_NEW || (ev->type == CT_EVENT_RELATED && ev->master))
		note_new(ev);
	if (ev->type == CT_EVENT_DESTROY)
		note_destroy(ev);
}

/* A packet that must be dropped whatever it is. */
static void check_drop(const struct ct_result *out)
{
	switch (out->reason) {
	case CT_REASON_TABLE_FULL:
		return;
	case CT_REASON_CLASH:
	case CT_REASON_HELPER_PARSE:
	case CT_REASON_EXPECT_REFUSED:
		FUZZ_CHECK(out->nevents > 0);
		FUZZ_CHECK(out->events[out->nevents - 1].type == CT_EVENT_INVALID);
		return;
	default:
		FUZZ_CHECK(!"a reason to drop");
	}
}

/* The packet was classified here, not before. */
static void check_info(const struct ct_input *in, const struct ct_result *out)
{
	fuzz_check_legal(&run.cfg, in, out);
	if (out->drop)
		check_drop(out);
	else if (out->info == CT_INFO_INVALID)
		FUZZ_CHECK(out->events[out->nevents - 1].type == CT_EVENT_INVALID);
	else if (!out->has_flow && out->info != CT_INFO_UNTRACKED)
		/* a first packet that leaves nothing behind */
		FUZZ_CHECK(run.cfg.no_confirm_classes & 1 << ct_info_class(out->info));
}

static bool is_entry(const struct ct_input *in)
{
	return in->hook != CT_HOOK_INPUT && in->hook != CT_HOOK_POSTROUTING;
}

static void check_result(const struct ct_input *in, const struct ct_result *out)
{
	const struct ct_mark *m = &run.cfg.mark;
	enum ct_info before;
	bool second = in->loopback || in->hook == CT_HOOK_FORWARD;
	bool classified = second && ct_mark_decode(m, in->mark, &before);

	FUZZ_CHECK(info_valid(out->info));
	FUZZ_CHECK(out->reason < CT_REASON_MAX);
	FUZZ_CHECK(((out->mark ^ in->mark) & ~m->mask) == 0);
	FUZZ_CHECK(out->nevents <= CT_RESULT_EVENTS_MAX);
	for (unsigned int i = 0; i < out->nevents; i++)
		check_event(&out->events[i]);
	FUZZ_CHECK(out->passed == (!is_entry(in) || classified || in->family == FOREIGN));
	if (out->passed) {
		FUZZ_CHECK(out->mark == in->mark);
		FUZZ_CHECK(out->nevents == 0 || !is_entry(in));
		if (out->drop)
			check_drop(out);
		return;
	}
	check_info(in, out);
}

static uint64_t stat_of(enum ct_stat stat)
{
	return atomic_load_explicit(&run.th.stats.count[stat], memory_order_relaxed);
}

/* Every flow that a walk finds is one that is known, and found by its id; and these are all. */
static void check_walk(void)
{
	struct ct_walk w = {0};
	struct ct_view v[FLOWS_MAX], one;
	size_t n = 0;

	while (!w.done) {
		size_t got = ct_walk_next(run.th.ct, &w, run.now_ns, v, FLOWS_MAX);

		FUZZ_CHECK(got <= FLOWS_MAX);
		n += got;
		for (size_t i = 0; i < got; i++) {
			FUZZ_CHECK(find_alive(v[i].flow));
			FUZZ_CHECK(ct_view_get(run.th.ct, v[i].flow, run.now_ns, &one));
			FUZZ_CHECK(one.flow == v[i].flow && one.status & CT_STATUS_CONFIRMED);
			FUZZ_CHECK(one.status == v[i].status && one.timeout_ns == v[i].timeout_ns);
			FUZZ_CHECK(ct_flow_slot(run.th.ct, v[i].flow) <= FLOWS_MAX);
		}
	}
	FUZZ_CHECK(n == run.alive && n <= ct_count(run.th.ct));
}

static uint64_t ends(void)
{
	uint64_t n = 0;

	for (int i = 0; i < CT_DEATH_MAX; i++)
		n += atomic_load_explicit(&run.th.stats.death[i], memory_order_relaxed);
	return n;
}

static void check_table(void)
{
	FUZZ_CHECK(ct_count(run.th.ct) <= ct_max_flows(run.th.ct));
	/* those not yet confirmed are not told of */
	FUZZ_CHECK(ct_count(run.th.ct) >= run.alive);
	FUZZ_CHECK(run.cfg.confirm == CT_CONFIRM_EXIT || ct_count(run.th.ct) == run.alive);
	FUZZ_CHECK(ct_expect_count(run.th.ct) <= EXPECT_MAX);
	FUZZ_CHECK(stat_of(CT_STAT_CREATED) - stat_of(CT_STAT_DESTROYED) == run.alive);
	FUZZ_CHECK(ends() == stat_of(CT_STAT_DESTROYED));
	FUZZ_CHECK(atomic_load(&run.th.trace.phase) != CT_TRACE_BUSY);
	fuzz_check_integrity(run.th.ct, run.now_ns);
	check_walk();
}

static void expire(void)
{
	struct ct_event events[4];
	size_t n;

	do {
		n = ct_expire(&run.th, run.now_ns, events, 4, NULL);
		FUZZ_CHECK(n <= 4);
		for (size_t i = 0; i < n; i++) {
			FUZZ_CHECK(events[i].type == CT_EVENT_DESTROY);
			check_event(&events[i]);
		}
	} while (n == 4);
	for (size_t i = 0; i < run.nseen; i++)
		FUZZ_CHECK(!run.seen[i].alive || run.seen[i].deadline_ns == UINT64_MAX ||
			   run.seen[i].deadline_ns + 2 * SEC > run.now_ns);
	check_table();
	twin_expire(&twin, run.now_ns);
	twin_compare(&twin, run.th.ct, run.now_ns);
}

/* Somebody wants the newest flow ended. */
static void end_one(void)
{
	struct ct_event ev;
	struct ct_view v;
	size_t i = run.nseen;

	while (i > 0 && !run.seen[i - 1].alive)
		i--;
	if (i == 0)
		return;
	FUZZ_CHECK(ct_delete(&run.th, run.seen[i - 1].id, run.now_ns, &ev));
	FUZZ_CHECK(ev.flow == run.seen[i - 1].id && ev.death == CT_DEATH_DELETED);
	check_event(&ev);
	FUZZ_CHECK(!run.seen[i - 1].alive);
	FUZZ_CHECK(!ct_view_get(run.th.ct, ev.flow, run.now_ns, &v));
	twin_delete(&twin, &ev.orig, run.now_ns);
	FUZZ_CHECK(!ct_delete(&run.th, ev.flow, run.now_ns, &ev));
	check_table();
	twin_compare(&twin, run.th.ct, run.now_ns);
}

/*
 * A TCP segment between two hosts: direction and options, flags, then sequence, acknowledgement and
 * window, and the length of its data, which is not copied.
 */
static uint32_t make_segment(const uint8_t d[static 8], uint8_t out[static SEGMENT],
			     uint32_t *ret_caplen)
{
	static const uint8_t options[4][12] = {
		{0}, {4, 2, 3, 3, 7}, {3, 3, 14, 4, 2}, {1, 1, 5, 10, 0, 0, 0, 9, 0, 0, 0, 30}};
	bool reply = d[0] & 1;
	uint32_t words = d[0] & 6 ? 8 : 5;

	memset(out, 0, SEGMENT);
	out[0] = 0x45;
	out[9] = 6;
	out[reply ? 15 : 19] = 2;
	out[20 + (reply ? 1 : 3)] = 80;
	out[26] = d[2];
	out[27] = d[3];
	out[30] = d[4];
	out[31] = d[5];
	out[32] = (uint8_t)(words << 4);
	out[33] = d[1];
	out[34] = d[6];
	memcpy(out + 40, options[d[0] >> 1 & 3], 12);
	*ret_caplen = 20 + words * 4;
	return *ret_caplen + d[7];
}

static void pass(const struct ct_input *in, struct ct_result *out)
{
	struct seen *s;

	ct_track(&run.th, in, out);
	check_result(in, out);
	s = out->has_flow ? find_alive(out->flow) : NULL;
	if (s)
		s->deadline_ns = run.now_ns + out->timeout_ns;
	check_table();
	twin_track(&twin, run.th.ct, in, out);
}

static void judge(struct ct_input *in, bool exact, bool leaves)
{
	uint8_t *copy = exact ? malloc(in->caplen ? in->caplen : 1) : NULL;
	struct ct_result out;

	if (copy) {
		memcpy(copy, in->data, in->caplen);
		in->data = copy;
	}
	pass(in, &out);
	if (leaves && !out.drop && run.cfg.confirm == CT_CONFIRM_EXIT) {
		in->hook = CT_HOOK_POSTROUTING;
		in->mark = out.mark;
		pass(in, &out);
	}
	free(copy);
}

static void track(const uint8_t head[static HEAD], const uint8_t *packet, uint32_t len)
{
	static const uint8_t families[4] = {0, CT_AF_INET, CT_AF_INET6, FOREIGN};
	uint8_t segment[SEGMENT];
	struct ct_input in = {
		.data = packet,
		.caplen = len - (head[4] < len ? head[4] : len),
		.len = len,
		.now_ns = run.now_ns,
		.mark = (uint32_t)head[6] << 16 | head[5],
		.iif = 1,
		.queue = 7,
		.zone = head[7] & 1,
		.family = families[head[7] >> 6],
		.hook = (head[3] & 7) % CT_HOOK_NONE,
		.csum_unverified = head[3] & 0x08,
		.loopback = head[3] & 0x10,
	};

	if (head[7] & 4 && len >= 8) {
		in.data = segment;
		in.len = make_segment(packet, segment, &in.caplen);
	}
	judge(&in, head[7] & 2, head[7] & 8);
}

/* Every helper on its usual port, and one on the port of make_segment(). */
static void give_helpers(struct ct_config *cfg)
{
	for (uint8_t id = CT_HELPER_NONE + 1; id < CT_HELPER_MAX; id++)
		cfg->helper_ports[cfg->nhelper_ports++] =
			(struct ct_helper_port){.port = ct_helper_facts[id].port, .helper = id};
	cfg->helper_ports[cfg->nhelper_ports++] =
		(struct ct_helper_port){.port = 80, .helper = CT_HELPER_FTP};
}

static void configure(uint8_t a, uint8_t b)
{
	static const uint8_t key[16] = {1, 2, 3};
	struct ct_config *cfg = &run.cfg;

	memset(&run, 0, sizeof(run));
	run.params = (struct ct_params){.max_flows = 1 + (b & (FLOWS_MAX - 1)),
					.max_expect = EXPECT_MAX,
					.key = key,
					.id_salt = b};
	memset(arena, 0, sizeof(arena));
	ct_config_init(cfg);
	cfg->tcp_loose = !(a & 0x01);
	cfg->tcp_be_liberal = a & 0x02;
	cfg->tcp_ignore_invalid_rst = a & 0x04;
	cfg->checksum = !(a & 0x08);
	cfg->accounting = !(a & 0x10);
	cfg->no_confirm_classes = a & 0x20 ? 1u << CT_CLASS_NEW : 0;
	if (a & 0x40)
		cfg->mark = (struct ct_mark){
			.mask = 0x7f0000, .shift = 16, .encoding = CT_ENCODING_FLAGS};
	cfg->confirm = a & 0x80 ? CT_CONFIRM_EXIT : CT_CONFIRM_ENTRY;
	if (b & 0x10)
		give_helpers(cfg);
	run.now_ns = SEC;
	run.th.cfg = cfg;
	run.th.ct = ct_new(arena, sizeof(arena), &run.params);
	FUZZ_CHECK(run.th.ct);
}

/* Every packet that was judged is in one ctinfo, every INVALID one in one reason. */
static void check_counters(void)
{
	const struct ct_stats *st = &run.th.stats;
	uint64_t judged = 0, reasons = 0;

	for (int i = 0; i < CT_INFO_MAX; i++)
		judged += st->info[i];
	for (int i = CT_REASON_NONE + 1; i < CT_REASON_MAX; i++)
		reasons += st->reason[i];
	FUZZ_CHECK(judged == stat_of(CT_STAT_PACKETS));
	FUZZ_CHECK(reasons >= st->info[CT_INFO_INVALID]);
	FUZZ_CHECK(st->reason[CT_REASON_NONE] == 0);
	FUZZ_CHECK(st->reason[CT_REASON_TABLE_FULL] == stat_of(CT_STAT_TABLE_FULL));
	FUZZ_CHECK(st->death[CT_DEATH_EARLY_DROP] == stat_of(CT_STAT_EARLY_DROPS));
}

/* Ends everything: what is left must go by its timeout, and nothing may stay. */
static void finish(void)
{
	run.now_ns += 6 * 86400 * SEC;
	expire();
	FUZZ_CHECK(ct_count(run.th.ct) == 0);
	fuzz_check_empty(run.th.ct);
	check_counters();
	run.th.ct = ct_free(run.th.ct);
	FUZZ_CHECK(!run.th.ct);
	if (twin.th.ct)
		fuzz_check_empty(twin.th.ct);
	twin_done(&twin);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	configure(data[0], data[1]);
	data += 2;
	size -= 2;
	while (size >= HEAD && run.nseen < SEEN_MAX - 1) {
		const uint8_t *head = data;
		size_t len = (head[0] | (size_t)head[1] << 8) & 2047;

		data += HEAD;
		size -= HEAD;
		len = len < size ? len : size;
		run.now_ns += ((head[2] & 63ull) << (head[2] >> 6) * 5) * MSEC;
		if (head[3] & 0x20)
			expire();
		if (head[7] & 0x10)
			end_one();
		if (head[7] & 0x20) {
			expire();
			twin_begin(&twin, &run.th, arena, sizeof(arena), &run.params, head[5] & 7,
				   run.now_ns);
		}
		track(head, data, (uint32_t)len);
		data += len;
		size -= len;
	}
	finish();
	return 0;
}
