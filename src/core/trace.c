/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A packet is judged once, whatever happens.
 *
 * A process can be killed between any two instructions. What it has written of a flow then stays,
 * if it lies in memory that outlives it, and its packets stay in the kernel. Two things would go
 * wrong: a flow of which a part is new and a part is old, and a packet that is judged a second time
 * by the process that comes after, for its flow already knows of it.
 *
 * So each thread keeps a trace. Before a packet changes its flow, that is saved; when everything is
 * done, and still under the lock, the trace says what became of the packet. A flow that a dead
 * thread was at work on is put back to what it was, and its packet judged as if it had just come
 * (adopt.c). If the trace says that the packet is done, its verdict is what the trace says.
 *
 * That nobody else has touched the flow in between follows from the lock, which is held from the
 * one to the other. The trace of a packet stays until the next one that changes a flow; by then the
 * caller has heard of the first, since he hears of each packet before the next one's turn.
 *
 * Beside the flow itself the trace saves what the helper of the flow remembers, and expectations
 * that the packet has met, which are gone by then. What the helper has come to expect stays: if it
 * reads a message twice it expects the same twice, which is once. Counters are not saved.
 *
 * Pieces of a datagram are not put back. That one has come is noted before it has its class, and
 * its bytes are the flow's behind that; so what has come may come again, and then gets the class
 * that the others have, and what the flow has not got by then is a debt (debt.c). The class of a
 * first fragment is in the trace until its datagram has it.
 */

#include "core/traced.h"

#include "core/adopt.h"

bool ct_recall(const struct ct_thread *th, const struct ct_input *in, struct ct_result *out)
{
	const struct ct_trace *t = &th->trace;

	if (atomic_load_explicit(&t->phase, memory_order_relaxed) != CT_TRACE_DONE ||
	    t->id != in->id || t->queue != in->queue)
		return false;
	*out = (struct ct_result){
		.info = t->info,
		.reason = t->reason,
		.drop = t->drop,
		.status = t->status,
		.mark = ct_mark_encode(&th->cfg->mark, in->mark, (enum ct_info)t->info,
				       t->info == CT_INFO_INVALID ? 0 : t->status),
	};
	return true;
}
