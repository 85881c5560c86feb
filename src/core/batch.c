/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Packets that came together.
 *
 * In a table of a million flows nearly every packet needs memory that no cache holds: its bucket,
 * and then the flow that the bucket names. Waiting for the two, one after the other, would cost
 * more than everything else that is done with the packet. But what they are is known from the
 * packet alone. So a few packets are read ahead and the memory of all of them is asked for at once:
 * first the buckets, then the flows; and then each gets its turn, in order, and mostly finds what
 * it needs.
 *
 * Nothing is decided ahead. What was asked for may be the wrong flow when the turn comes, because a
 * packet before has changed the chain; then this one waits, as it would have without a batch.
 */

#include "core/step.h"

/*
 * Each asks for six lines of the cache, and a processor waits for some two dozen at a time: more
 * than eight packets ahead are slower again (doc/performance.md).
 */
#define GROUP 8

static void track_group(struct ct_thread *th, const struct ct_input *const *in, size_t n,
			struct ct_result *out, ct_judged *judged, void *ctx)
{
	struct ct_step steps[GROUP];

	for (size_t i = 0; i < n; i++)
		ct_step_begin(&steps[i], th, in[i]);
	for (size_t i = 0; i < n; i++)
		ct_step_look_ahead(&steps[i]);
	for (size_t i = 0; i < n; i++)
		ct_step_prefetch(&steps[i]);
	for (size_t i = 0; i < n; i++) {
		ct_step_run(&steps[i], out);
		judged(ctx, in[i], out);
	}
}

void ct_track_batch(struct ct_thread *th, const struct ct_input *const *in, size_t n,
		    ct_judged *judged, void *ctx)
{
	struct ct_result out;

	for (size_t i = 0; i < n; i += GROUP)
		track_group(th, in + i, n - i < GROUP ? n - i : GROUP, &out, judged, ctx);
}
