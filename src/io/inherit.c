/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/inherit.h"

/*
 * Three kinds of packets wait in the kernel for a verdict that a dead process owes them.
 *
 * Some have their verdict, noted on the desk. It may have been sent or not, so it is sent again, to
 * each packet alone: a message for several would answer others that have none.
 *
 * Some lie on the desk without one. They are judged by the next process as if it had received them.
 *
 * And of some nothing is left but the packet in the kernel: fragments that were held, or all that
 * was under way if the desk is of no use. They go through the rules once more (NF_REPEAT), by one
 * message for all up to an id. That has to be older than anything that is still to be judged, and
 * than anything that will be read: ids count up, so the one before the oldest on the desk will do;
 * if there is none, the last that was read; and if not all is known, the one before the first that
 * comes. It must come behind the verdicts above and behind those for the packets on the desk, which
 * it would answer otherwise.
 *
 * What is judged again can end the next process as well, and the one behind it. A packet that was
 * the first without a verdict at several deaths in a row is dropped. It need not have been the one,
 * for some are read ahead; then it is the turn of the next. To be killed from outside so often
 * while the same packet is at hand takes more bad luck than there is: that is a matter of
 * microseconds.
 */

#include <errno.h>

#include "io/nlpacket.h"
#include "io/verdict.h"

static int send_again(struct desk *d, int fd, uint32_t *ret)
{
	uint32_t n = atomic_load_explicit(&d->nnotes, memory_order_acquire);
	struct verdict_buf b;
	int r = 0;

	if (n == 0)
		return 0;
	r = verdict_buf_init(&b, (uint16_t)d->queue, n);
	if (r < 0)
		return r;
	b.seq = VERDICT_SEQ_AGAIN;
	for (uint32_t i = 0; i < n; i++)
		(void)verdict_buf_put(&b, &(struct verdict_entry){
						  .id = d->notes[i].id,
						  .verdict = d->notes[i].verdict,
						  .mark = d->notes[i].mark,
						  .set_mark = d->notes[i].set_mark,
						  .alone = true,
					  });
	r = verdict_buf_send(&b, fd);
	verdict_buf_done(&b);
	if (r == 0)
		*ret = n;
	return r;
}

static bool older(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static enum nlpacket_kind look_into(struct desk *d, unsigned int i, struct nlpacket *ret)
{
	size_t pos = 0;

	return nlpacket_next(desk_slot(d, i), desk_slot_len(d, i), &pos, ret);
}

/*
 * Is there a packet in the slot that needs a verdict? *oldest becomes the id before it, if that is
 * older.
 */
static bool is_undecided(struct desk *d, unsigned int i, uint32_t *oldest, struct inheritance *inh)
{
	struct nlpacket p;
	enum nlpacket_kind kind = look_into(d, i, &p);

	if (kind != NLPACKET_PACKET && kind != NLPACKET_BROKEN)
		return kind == NLPACKET_OTHER;
	if (desk_find(d, p.id))
		return false;
	if (older(p.id - 1, *oldest))
		*oldest = p.id - 1;
	inh->packets += kind == NLPACKET_PACKET;
	inh->counted += d->seen_id && !older(d->last_id, p.id);
	return true;
}

/* Finds the first packet without a verdict. */
static bool find_first(struct desk *d, uint32_t *ret_id)
{
	for (unsigned int i = 0; i < SOURCE_BATCH_MAX; i++) {
		struct nlpacket p;

		if (look_into(d, i, &p) != NLPACKET_PACKET || desk_find(d, p.id))
			continue;
		*ret_id = p.id;
		return true;
	}
	return false;
}

/* Counts a death for the packet at hand; one too many, and that has its verdict. */
static void count_death(struct desk *d, struct inheritance *inh)
{
	uint32_t id;

	if (!d->handed || !find_first(d, &id)) {
		d->deaths = 0;
		return;
	}
	d->handed = 0;
	d->deaths = d->suspect == id ? d->deaths + 1 : 1;
	d->suspect = id;
	if (d->deaths < INHERIT_DEATHS_MAX)
		return;
	d->deaths = 0;
	desk_note(d, &(struct desk_note){.id = id, .verdict = VERDICT_DROP});
	atomic_fetch_add_explicit(&d->total.fatal, 1, memory_order_relaxed);
	inh->fatal = id;
	inh->has_fatal = true;
}

/* Leaves in the slots what has to be judged. Returns the id up to which nothing is. */
static uint32_t sort_out(struct desk *d, struct inheritance *inh)
{
	uint32_t oldest = d->last_id;

	for (unsigned int i = 0; i < SOURCE_BATCH_MAX; i++)
		if (!is_undecided(d, i, &oldest, inh))
			desk_slot_clear(d, i);
	return oldest;
}

static int send_orphans_round(const struct desk *d, int fd, uint32_t up_to, struct inheritance *inh)
{
	int r;

	if (!d->seen_id)
		return 0;
	r = verdict_send_up_to(fd, (uint16_t)d->queue, up_to, VERDICT_REPEAT, VERDICT_SEQ_UP_TO,
			       false);
	inh->orphans = r == 0;
	return r;
}

int inherit(struct desk *d, int fd, enum desk_astray astray, struct inheritance *ret)
{
	struct inheritance inh = {.blind = astray != DESK_ALL};
	uint32_t up_to = 0;
	int r;

	if (astray != DESK_NONE)
		count_death(d, &inh);
	r = send_again(d, fd, &inh.resent);
	if (r < 0)
		return r;
	if (inh.blind)
		d->seen_id = 0; /* what came behind it may have been read, and is not lost */
	if (astray != DESK_NONE)
		up_to = sort_out(d, &inh);
	desk_turn(d, astray == DESK_NONE ? SOURCE_BATCH_MAX : 0, true);
	if (!inh.blind)
		r = send_orphans_round(d, fd, up_to, &inh);
	*ret = inh;
	return r;
}
