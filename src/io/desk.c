/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/desk.h"

/*
 * What must not get lost when the process is killed.
 *
 * A packet that was read waits in the kernel for its verdict, but its bytes are nowhere but here:
 * the socket has given them away. If they lay in the memory of the process, a successor could do no
 * more than send the packet through the rules again, and a packet that the engine had judged would
 * be judged twice. So the datagrams are received into memory that stays, and each verdict is noted
 * there before it is sent. A successor sends noted verdicts again, which does no harm to those that
 * had left, and goes on with the packets that have none.
 *
 * A process is not killed within an instruction, nor within the system call that copies one
 * message; everything else can be cut off. Hence the order: lengths are zeroed before new messages
 * are received, so a length that is there belongs to a datagram of this batch; notes are forgotten
 * behind that, so no packet is ever seen without its verdict; and the count of notes is what makes
 * one valid. What one thread has stored in this order, a successor finds in this order.
 *
 * The slots lie close together, as far apart as the longest message of the moment, because on page
 * boundaries their headers would all compete for the same few lines of the cache.
 */

#include <linux/netlink.h>
#include <string.h>
#include <sys/mman.h>

#define MAGIC	UINT64_C(0x6b73656466716e01)
#define VERSION 2

_Static_assert(DESK_STRIDE_MAX >= DESK_PAYLOAD_MAX + DESK_OVERHEAD, "room for every message");
_Static_assert(offsetof(struct nlmsghdr, nlmsg_len) == 0 &&
		       sizeof(((struct nlmsghdr *)NULL)->nlmsg_len) == sizeof(uint32_t),
	       "a message begins with its length");

size_t desk_size(void)
{
	return sizeof(struct desk) + (size_t)SOURCE_BATCH_MAX * DESK_STRIDE_MAX;
}

uint32_t desk_layout(void)
{
	/* the size is one of whole pages, and does not tell of one more total */
	return VERSION << 24 ^ SOURCE_BATCH_MAX << 16 ^
	       (uint32_t)(sizeof(struct desk) + offsetof(struct desk, notes));
}

uint32_t desk_stride(uint32_t copy_range)
{
	uint32_t payload = copy_range < DESK_PAYLOAD_MAX ? copy_range : DESK_PAYLOAD_MAX;

	return NLMSG_ALIGN(payload + DESK_OVERHEAD);
}

void desk_init(struct desk *d, uint16_t queue)
{
	memset(d, 0, sizeof(*d));
	d->layout = desk_layout();
	d->queue = queue;
	d->stride = DESK_STRIDE_MAX;
	for (unsigned int i = 0; i < SOURCE_BATCH_MAX; i++)
		desk_slot_clear(d, i);
	atomic_signal_fence(memory_order_seq_cst);
	d->magic = MAGIC;
}

bool desk_valid(const struct desk *d, uint16_t queue)
{
	return d->magic == MAGIC && d->layout == desk_layout() && d->queue == queue &&
	       d->stride >= desk_stride(0) && d->stride <= DESK_STRIDE_MAX &&
	       d->stride == NLMSG_ALIGN(d->stride) && d->served <= 1 &&
	       d->astray < DESK_ASTRAY_MAX && d->seen_id <= 1 && d->handed <= 1 &&
	       atomic_load(&d->nnotes) <= DESK_NOTES_MAX;
}

struct desk *desk_new(uint16_t queue)
{
	struct desk *d = mmap(NULL, desk_size(), PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (d == MAP_FAILED)
		return NULL;
	desk_init(d, queue);
	return d;
}

struct desk *desk_free(struct desk *d)
{
	if (d)
		munmap(d, desk_size());
	return NULL;
}

uint32_t desk_slot_len(const struct desk *d, unsigned int i)
{
	uint32_t len;

	memcpy(&len, d->slots + (size_t)i * d->stride, sizeof(len));
	return len < d->stride ? len : d->stride;
}

void desk_slot_clear(struct desk *d, unsigned int i)
{
	memset(desk_slot(d, i), 0, sizeof(uint32_t));
}

void desk_stretch(struct desk *d, uint32_t stride)
{
	uint32_t astray = d->astray;

	d->astray = DESK_NONE; /* bytes of old messages lie where lengths will be */
	atomic_signal_fence(memory_order_seq_cst);
	d->stride = stride;
	for (unsigned int i = 0; i < SOURCE_BATCH_MAX; i++)
		desk_slot_clear(d, i);
	atomic_signal_fence(memory_order_seq_cst);
	d->astray = astray;
}

void desk_turn(struct desk *d, unsigned int n, bool sent)
{
	for (unsigned int i = 0; i < n; i++)
		desk_slot_clear(d, i);
	atomic_signal_fence(memory_order_seq_cst);
	if (sent)
		atomic_store_explicit(&d->nnotes, 0, memory_order_relaxed);
}

const struct desk_note *desk_find(const struct desk *d, uint32_t id)
{
	uint32_t n = atomic_load_explicit(&d->nnotes, memory_order_acquire);

	for (uint32_t i = 0; i < n; i++)
		if (d->notes[i].id == id)
			return &d->notes[i];
	return NULL;
}
