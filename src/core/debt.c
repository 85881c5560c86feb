/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A piece of a datagram counts once, whatever happens.
 *
 * That a piece has come is noted in its datagram, under one lock; then its bytes become those of
 * the flow, under another. A process that dies in between leaves a piece that will come again and
 * is known already, and a flow that does not have its bytes. The same with the pieces that waited
 * for a first fragment: its datagram gets its class, and then the flow gets their bytes.
 *
 * So a thread says what it is about to owe before the datagram changes. What becomes of that if the
 * thread dies follows from what it left:
 *
 * - The datagram was under change. If it knows of the piece, the flow is owed its bytes; if not,
 *   the piece comes again as if for the first time.
 * - The flow is owed them. It gets them from whoever comes after.
 * - The flow was under change. What it had before is known, so it can be paid again.
 *
 * Each thread is at one packet at a time, so one debt is enough.
 */

#include "core/debt.h"

#include "core/pkt.h"

void ct_debt_begin(struct ct_debt *debt, const struct ct_datagram *d, uint32_t index,
		   struct ct_run piece, uint32_t bytes)
{
	ct_debt_set_state(debt, CT_DEBT_NONE);
	debt->datagram = index;
	debt->start = piece.start;
	debt->end = piece.end;
	debt->flow = d->flow;
	debt->dir = d->dir;
	debt->bytes = bytes;
	debt->tcp_end = d->tcp_end + (d->len - d->first_len);
	ct_debt_set_state(debt, CT_DEBT_NOTING);
}

bool ct_debt_is_noted(const struct ct_debt *debt, const struct ct_datagram *d)
{
	if (d->state == CT_DATAGRAM_WAITING || d->state == CT_DATAGRAM_JUDGING)
		return false;
	return debt->start == debt->end || ct_datagram_knows(d, debt->start, debt->end);
}

/* The sender's side of a connection has sent up to here: its segment was longer than its first. */
static void extend(struct ct_flow *f, const struct ct_debt *debt)
{
	struct ct_tcp_peer *sender = &f->l4.tcp.peer[debt->dir];

	if (f->orig.proto == CT_PROTO_TCP && (int32_t)(debt->tcp_end - sender->end) > 0)
		sender->end = debt->tcp_end;
}

void ct_debt_pay(struct ct_debt *debt, struct ct_flow *f)
{
	if (ct_debt_state(debt) == CT_DEBT_OPEN) {
		debt->before = f->bytes[debt->dir];
		ct_debt_set_state(debt, CT_DEBT_PAYING);
	}
	if (ct_debt_state(debt) != CT_DEBT_PAYING)
		return;
	f->bytes[debt->dir] = debt->before + debt->bytes;
	extend(f, debt);
	ct_debt_set_state(debt, CT_DEBT_NONE);
}
