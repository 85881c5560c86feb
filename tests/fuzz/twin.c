/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/fuzz/twin.h"

#include "core/adopt.h"
#include "core/table.h"
#include "core/view.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/integrity.h"

#include <string.h>

#define MORE_FLOWS 16
#define SHOWN_MAX  64
/* Whole ticks, so that timers go off at the same time. */
#define SHIFT_NS ((int64_t)100000 << CT_TICK_SHIFT)

/* --- taking over ------------------------------------------------------------------------------ */

/* As it is written to a file: only what is in use. */
static void save(struct twin *t, const void *arena, size_t size)
{
	struct ct_arena_part parts[CT_ARENA_PARTS];
	size_t n = ct_arena_parts(arena, parts), at = 0;

	FUZZ_CHECK(n <= CT_ARENA_PARTS);
	memset(t->left, 0, sizeof(t->left));
	for (size_t i = 0; i < n; i++) {
		FUZZ_CHECK(parts[i].offset >= at && parts[i].len <= size - parts[i].offset);
		at = parts[i].offset + parts[i].len;
		memcpy(t->left + parts[i].offset, (const uint8_t *)arena + parts[i].offset,
		       parts[i].len);
	}
}

static struct ct_params params_of(const struct ct_params *first, unsigned int how)
{
	static const uint8_t other[16] = {9, 8, 7};
	struct ct_params p = *first;

	if (how & TWIN_COPY)
		p.max_flows += MORE_FLOWS;
	if (how & TWIN_REKEY)
		p.key = other;
	return p;
}

/* Nothing is lost, except for expectations whose time is up. */
static void check_adopted(const struct ct_adopted *done, const struct ct *first)
{
	FUZZ_CHECK(done->flows == ct_count(first));
	FUZZ_CHECK(done->restored == 0 && done->moved == 0 && done->damaged == 0);
	FUZZ_CHECK(done->displaced == 0 && done->unconfirmed == 0);
	FUZZ_CHECK(done->expects <= ct_expect_count(first) && done->expects_lost == 0);
}

void twin_begin(struct twin *t, const struct ct_thread *th, const void *arena, size_t size,
		const struct ct_params *params, unsigned int how, uint64_t now_ns)
{
	struct ct_thread *const threads[] = {&t->th};
	struct ct_params p = params_of(params, how);
	struct ct_arena_facts facts;
	struct ct_adopted done;
	struct ct_estate estate = {
		.arena = t->left,
		.threads = threads,
		.nthreads = 1,
		.rekey = how & TWIN_REKEY,
	};

	twin_done(t);
	/* with another secret, what waits for its confirmation is given up */
	if (ct_count(th->ct) == ct_max_flows(th->ct) || (estate.rekey && th->ct->pending > 0))
		return;
	save(t, arena, size);
	memset(t->room, 0, sizeof(t->room));
	FUZZ_CHECK(ct_arena_read(t->left, sizeof(t->left), &facts) == CT_ARENA_OK);
	FUZZ_CHECK(ct_arena_suits(&facts, &p) == !(how & TWIN_COPY));
	t->th = *th;
	t->shift_ns = how & TWIN_SHIFT ? SHIFT_NS : 0;
	estate.shift_ns = t->shift_ns;
	estate.now_ns = now_ns + (uint64_t)t->shift_ns;
	t->th.ct = ct_adopt(how & TWIN_COPY ? t->room : t->left, TWIN_ARENA, &p, &estate, &done);
	FUZZ_CHECK(t->th.ct);
	check_adopted(&done, th->ct);
	fuzz_check_integrity(t->th.ct, estate.now_ns);
	twin_compare(t, th->ct, now_ns);
}

void twin_done(struct twin *t)
{
	t->th.ct = ct_free(t->th.ct);
}

/* --- comparing -------------------------------------------------------------------------------- */

/* All flows whose time is not up. */
static size_t list(struct ct *ct, uint64_t now_ns, struct ct_view ret[static SHOWN_MAX])
{
	struct ct_walk w = {0};
	size_t n = 0, kept = 0;

	while (!w.done) {
		FUZZ_CHECK(n < SHOWN_MAX);
		n += ct_walk_next(ct, &w, now_ns, ret + n, SHOWN_MAX - n);
	}
	for (size_t i = 0; i < n; i++)
		if (ret[i].timeout_ns > 0)
			ret[kept++] = ret[i];
	return kept;
}

static const struct ct_view *find(const struct ct_view *v, size_t n, const struct ct_tuple *orig)
{
	for (size_t i = 0; i < n; i++)
		if (ct_tuple_equal(&v[i].orig, orig))
			return &v[i];
	return NULL;
}

static void compare_peer(const struct ct_view_peer *a, const struct ct_view_peer *b)
{
	FUZZ_CHECK(a->end == b->end && a->maxend == b->maxend && a->maxwin == b->maxwin);
	FUZZ_CHECK(a->maxack == b->maxack && a->scale == b->scale && a->flags == b->flags);
	FUZZ_CHECK(a->seq_min == b->seq_min && a->seq_max == b->seq_max);
	FUZZ_CHECK(a->ack_min == b->ack_min && a->ack_max == b->ack_max);
	FUZZ_CHECK(a->any_age == b->any_age);
}

static void compare_l4(const struct ct_view *a, const struct ct_view *b)
{
	if (a->orig.proto == CT_PROTO_SCTP)
		FUZZ_CHECK(memcmp(a->l4.sctp.vtag, b->l4.sctp.vtag, sizeof(a->l4.sctp.vtag)) == 0);
	if (a->orig.proto != CT_PROTO_TCP)
		return;
	for (int d = 0; d < CT_DIR_MAX; d++)
		compare_peer(&a->l4.tcp.peer[d], &b->l4.tcp.peer[d]);
	FUZZ_CHECK(a->l4.tcp.last_dir == b->l4.tcp.last_dir);
	FUZZ_CHECK(a->l4.tcp.last_index == b->l4.tcp.last_index);
	FUZZ_CHECK(a->l4.tcp.retrans == b->l4.tcp.retrans);
}

static void compare_flow(const struct ct_view *a, const struct ct_view *b)
{
	FUZZ_CHECK(ct_tuple_equal(&a->reply, &b->reply));
	FUZZ_CHECK(a->status == b->status && a->state == b->state && a->helper == b->helper);
	FUZZ_CHECK(a->timeout_ns == b->timeout_ns && !a->master == !b->master);
	FUZZ_CHECK(memcmp(a->packets, b->packets, sizeof(a->packets)) == 0);
	FUZZ_CHECK(memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0);
	compare_l4(a, b);
}

static size_t count_expects(struct ct *ct, uint64_t now_ns)
{
	struct ct_view_expect e[16];
	uint32_t at = 0;
	size_t n = 0;

	while (at != UINT32_MAX)
		n += ct_expect_next(ct, &at, now_ns, e, 16);
	return n;
}

void twin_compare(struct twin *t, struct ct *first, uint64_t now_ns)
{
	struct ct_view a[SHOWN_MAX], b[SHOWN_MAX];
	uint64_t own_ns = now_ns + (uint64_t)t->shift_ns;
	size_t n;

	if (!t->th.ct)
		return;
	n = list(first, now_ns, a);
	FUZZ_CHECK(list(t->th.ct, own_ns, b) == n);
	for (size_t i = 0; i < n; i++) {
		const struct ct_view *other = find(b, n, &a[i].orig);

		FUZZ_CHECK(other);
		compare_flow(&a[i], other);
	}
	FUZZ_CHECK(count_expects(first, now_ns) == count_expects(t->th.ct, own_ns));
	FUZZ_CHECK(ct_keymap_count(&first->keymap) == ct_keymap_count(&t->th.ct->keymap));
}

/* --- going on --------------------------------------------------------------------------------- */

/* All but the ends of those whose time was up: the clock may have been there before. */
static unsigned int count_events(const struct ct_result *r)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < r->nevents; i++)
		n += r->events[i].death != CT_DEATH_TIMEOUT &&
		     r->events[i].death != CT_DEATH_MASTER;
	return n;
}

static void compare_verdict(const struct ct_result *a, const struct ct_result *b)
{
	FUZZ_CHECK(a->info == b->info && a->reason == b->reason && a->drop == b->drop);
	FUZZ_CHECK(a->passed == b->passed && a->held == b->held && a->mark == b->mark);
	FUZZ_CHECK(a->has_flow == b->has_flow && a->dir == b->dir && a->state == b->state);
	FUZZ_CHECK(a->status == b->status && a->timeout_ns == b->timeout_ns);
	FUZZ_CHECK(count_events(a) == count_events(b));
}

static bool is_full(const struct ct *ct)
{
	return ct_count(ct) == ct_max_flows(ct);
}

void twin_track(struct twin *t, struct ct *first, const struct ct_input *in,
		const struct ct_result *out)
{
	struct ct_input own_in = *in;
	struct ct_result own;

	if (!t->th.ct)
		return;
	own_in.now_ns += (uint64_t)t->shift_ns;
	ct_track(&t->th, &own_in, &own);
	compare_verdict(out, &own);
	fuzz_check_integrity(t->th.ct, own_in.now_ns);
	twin_compare(t, first, in->now_ns);
	if (is_full(first) || is_full(t->th.ct))
		twin_done(t);
}

void twin_expire(struct twin *t, uint64_t now_ns)
{
	uint64_t own_ns = now_ns + (uint64_t)t->shift_ns;
	struct ct_event events[16];
	bool more = true;

	while (t->th.ct && more)
		(void)ct_expire(&t->th, own_ns, events, 16, &more);
}

void twin_delete(struct twin *t, const struct ct_tuple *orig, uint64_t now_ns)
{
	uint64_t own_ns = now_ns + (uint64_t)t->shift_ns;
	struct ct_view v[SHOWN_MAX];
	const struct ct_view *one;
	struct ct_event ev;

	if (!t->th.ct)
		return;
	one = find(v, list(t->th.ct, own_ns, v), orig);
	if (one) /* else its time is up in both */
		FUZZ_CHECK(ct_delete(&t->th, one->flow, own_ns, &ev));
}
