/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/ledger.h"

/*
 * Every packet that came is answered, or it waits and it is known why. Both sides are counted
 * apart, the one by messages and verdicts, the other by who waits, and compared after each batch: a
 * difference is a mistake in this program, which would show up as a packet that hangs.
 *
 * Nothing is to wait for ever. Where a verdict got lost, or a message could not be read, or the
 * kernel has packets that nobody here has heard of, all that waits up to the last id is accepted
 * after some seconds. That is only right while nothing is held, for it would be answered, too.
 */

#include "core/stats.h"
#include "io/source.h"

int ledger_send(struct ledger *l)
{
	unsigned int n = l->verdicts.count;
	int r = verdict_buf_send(&l->verdicts, l->fd);

	if (r == 0 && n > 0)
		ct_counter_add(&l->desk->total.answered, n);
	return r;
}

void ledger_strand(struct ledger *l, uint64_t now_ns)
{
	outstanding_strand(&l->outstanding);
	if (l->stranded++ == 0)
		l->stranded_ns = now_ns;
}

void ledger_give(struct ledger *l, const struct verdict_entry *e, uint64_t now_ns)
{
	desk_note(l->desk, &(struct desk_note){e->id, e->verdict, e->mark, e->set_mark});
	if (verdict_buf_put(&l->verdicts, e))
		return;
	if (ledger_send(l) == 0 && verdict_buf_put(&l->verdicts, e))
		return;
	ct_counter_add(&l->desk->total.unsent, 1);
	ledger_strand(l, now_ns);
}

static int send_up_to(const struct ledger *l, uint32_t id, uint32_t verdict, uint32_t seq)
{
	return verdict_send_up_to(l->fd, (uint16_t)l->desk->queue, id, verdict, seq,
				  seq == VERDICT_SEQ_STRAYS);
}

/*
 * What is unknown goes round, but nothing that is known with it: neither verdicts that are not sent
 * yet nor packets that a predecessor left and that are held. Those do not wait for ever.
 */
static void repeat_unknown(struct ledger *l, bool late)
{
	if ((outstanding_waiting(&l->outstanding) > 0 && !late) || ledger_send(l) < 0)
		return;
	(void)send_up_to(l, l->blind_id, VERDICT_REPEAT, VERDICT_SEQ_UP_TO);
	l->blind = false;
}

void ledger_see_first(struct ledger *l, uint32_t id)
{
	if (l->knows_id)
		return;
	l->knows_id = true;
	l->blind_id = id - 1;
	repeat_unknown(l, false);
}

/* No packet that could tell an id has come: one half of all ids, the other, and beyond the wrap. */
static void repeat_all(struct ledger *l)
{
	static const uint32_t ends[] = {INT32_MAX, UINT32_MAX, INT32_MAX};

	for (unsigned int i = 0; i < 3; i++)
		(void)send_up_to(l, ends[i], VERDICT_REPEAT, VERDICT_SEQ_UP_TO);
	l->blind = false;
}

static void accept_stranded(struct ledger *l)
{
	if (send_up_to(l, l->desk->last_id, VERDICT_ACCEPT, VERDICT_SEQ_UP_TO) < 0)
		return;
	ct_counter_add(&l->desk->total.overdue, l->stranded);
	outstanding_unstrand(&l->outstanding, l->stranded);
	l->stranded = 0;
}

static void accept_strays(struct ledger *l)
{
	uint32_t n = atomic_exchange_explicit(&l->strays_wanted, 0, memory_order_relaxed);

	if (n > 0 && send_up_to(l, l->desk->last_id, VERDICT_ACCEPT, VERDICT_SEQ_STRAYS) == 0)
		l->strays_asked = n;
}

void ledger_had_strays(struct ledger *l)
{
	ct_counter_add(&l->desk->total.strays, l->strays_asked);
	l->strays_asked = 0;
}

void ledger_attend(struct ledger *l, uint64_t now_ns)
{
	bool late = now_ns - l->blind_ns >= LEDGER_WAIT_NS;

	if (l->blind && l->knows_id)
		repeat_unknown(l, late);
	else if (l->blind && late)
		repeat_all(l);
	if (!l->desk->seen_id || outstanding_waiting(&l->outstanding) > l->stranded ||
	    ledger_send(l) < 0)
		return;
	if (l->stranded > 0 && now_ns - l->stranded_ns >= LEDGER_WAIT_NS)
		accept_stranded(l);
	accept_strays(l);
}

static uint64_t total(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

/* What came, and is neither answered nor given up. */
static uint64_t owed(const struct desk *d)
{
	return total(&d->total.received) + total(&d->total.unreadable) - total(&d->total.answered) -
	       total(&d->total.settled) - total(&d->total.overdue);
}

void ledger_balance(struct ledger *l)
{
	uint64_t waiting = outstanding_waiting(&l->outstanding);
	uint64_t off = owed(l->desk) - l->verdicts.count - waiting;

	atomic_store_explicit(&l->off, (int64_t)off, memory_order_relaxed);
	atomic_store_explicit(&l->waiting, waiting, memory_order_relaxed);
	atomic_store_explicit(&l->stranded_then, l->stranded, memory_order_relaxed);
}

void ledger_open(struct ledger *l, uint64_t waiting)
{
	ct_counter_add(&l->desk->total.settled, owed(l->desk) - waiting);
}
