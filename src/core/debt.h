/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a flow is owed of its datagrams, one debt for each thread (debt.c). Private to src/core. */

#include "core/datagram.h"

static inline enum ct_debt_state ct_debt_state(const struct ct_debt *debt)
{
	return (enum ct_debt_state)atomic_load_explicit(&debt->state, memory_order_relaxed);
}

/* Behind all that a state says of a debt, and before what follows from it. */
static inline void ct_debt_set_state(struct ct_debt *debt, enum ct_debt_state state)
{
	atomic_signal_fence(memory_order_seq_cst);
	atomic_store_explicit(&debt->state, state, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
}

/*
 * Datagram d, of this index, is about to note [start, end), or, if both are 0, the class of its
 * first fragment: then the flow that it names is owed so many bytes. With the lock of the fragments
 * held, until the debt is open or there is none.
 */
void ct_debt_begin(struct ct_debt *debt, const struct ct_datagram *d, uint32_t index,
		   struct ct_run piece, uint32_t bytes);

/* Has it been noted what a thread began, the datagram being as it left it? */
bool ct_debt_is_noted(const struct ct_debt *debt, const struct ct_datagram *d);

/* The flow gets what it is owed, if the debt is open or was being paid. With its lock held. */
void ct_debt_pay(struct ct_debt *debt, struct ct_flow *f);
