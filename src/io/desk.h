/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Where a queue's packets lie while they are judged, and what has been decided of them: memory that
 * can outlive the process, so that the next one goes on where this one was cut off (desk.c).
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/source.h"

/* What a packet message carries beside the payload, with room for attributes to come. */
#define DESK_OVERHEAD	 512
#define DESK_PAYLOAD_MAX 65531 /* nla_len has 16 bits */
#define DESK_STRIDE_MAX	 66048

/* Several batches, for when sending fails. What does not fit is not noted. */
#define DESK_NOTES_MAX (4 * SOURCE_BATCH_MAX)

/* A verdict that was given. */
struct desk_note {
	uint32_t id, verdict, mark;
	uint32_t set_mark;
};

/*
 * Totals of a queue, in one life of the process or several: field, name, help. What came is
 * received + unreadable; all of it is answered, settled, overdue, or waits.
 */
#define DESK_TOTAL_LIST(X)                                                                         \
	X(received, "received", "packets that came, with those of which only the id is known")     \
	X(answered, "answered", "packets whose verdict was sent")                                  \
	X(settled, "settled",                                                                      \
	  "packets on which a predecessor was at work, sent on or round again")                    \
	X(overdue, "overdue", "packets accepted because their verdict had got lost")               \
	X(strays, "strays", "packets accepted that only the kernel knew of")                       \
	X(lost, "user_dropped", "packets that found no room in the socket: gaps in their ids")     \
	X(broken, "broken", "packets accepted unread, their attributes not understood")            \
	X(unreadable, "unreadable", "messages without a packet id, to which there is no answer")   \
	X(refused, "refused", "verdicts that the kernel refused with an error")                    \
	X(gone, "gone", "packets that the kernel had dropped before their verdict, at least")      \
	X(crowds, "crowds", "times that a whole queue of packets was read without finding none")   \
	X(unsent, "unsent", "verdicts dropped because sending kept failing")                       \
	X(fatal, "fatal", "packets dropped because judging them ended one process after the other")

/* Do the slots tell which packets were read and have no verdict? */
enum desk_astray {
	DESK_ALL,  /* of all */
	DESK_SOME, /* of some: others lie elsewhere */
	DESK_NONE, /* of none: what is in them has no meaning */
	DESK_ASTRAY_MAX
};

/* Written by the thread that receives. */
struct desk {
	uint64_t magic;
	uint32_t layout;
	uint32_t queue;
	uint32_t stride;  /* from one slot to the next */
	uint32_t served;  /* a source has had the queue and this desk */
	uint32_t astray;  /* enum desk_astray */
	uint32_t last_id; /* of the packets so far */
	uint32_t seen_id; /* last_id is one */
	uint32_t handed;  /* what lies in the slots is being judged */
	uint32_t suspect; /* the packet that was being judged at the last deaths, so many of them */
	uint32_t deaths;
#define X(name, ...) _Atomic uint64_t name;
	struct {
		DESK_TOTAL_LIST(X)
	} total;
#undef X
	_Atomic uint32_t nnotes; /* set behind the note */
	struct desk_note notes[DESK_NOTES_MAX];
	/* datagrams of the present batch; the length of the message is 0 where there is none */
	_Alignas(4096) uint8_t slots[];
};

/* Bytes of memory that a desk takes; touched on demand. */
size_t desk_size(void);

/* A number that changes with the layout. */
uint32_t desk_layout(void);

/* Makes a desk in desk_size() bytes, whatever they were. */
void desk_init(struct desk *d, uint16_t queue);

/* Whether desk_size() bytes are a desk of this queue that contradicts itself nowhere. */
bool desk_valid(const struct desk *d, uint16_t queue);

/* The same in memory that ends with the process. NULL: there is none. */
struct desk *desk_new(uint16_t queue);
struct desk *desk_free(struct desk *d);

/* The stride that a copy range takes. */
uint32_t desk_stride(uint32_t copy_range);

static inline uint8_t *desk_slot(struct desk *d, unsigned int i)
{
	return d->slots + (size_t)i * d->stride;
}

/* Bytes of the datagram in a slot, of which some may have been cut; 0: there is none. */
uint32_t desk_slot_len(const struct desk *d, unsigned int i);
void desk_slot_clear(struct desk *d, unsigned int i);

/* Moves the slots, which are empty then. */
void desk_stretch(struct desk *d, uint32_t stride);

/* The packets in the first n slots are done with; with their verdicts, if none is to be sent. */
void desk_turn(struct desk *d, unsigned int n, bool sent);

/* The verdict for id, or NULL. */
const struct desk_note *desk_find(const struct desk *d, uint32_t id);

/* Notes a verdict, before anything is done about it. */
static inline void desk_note(struct desk *d, const struct desk_note *note)
{
	uint32_t n = atomic_load_explicit(&d->nnotes, memory_order_relaxed);

	if (n >= DESK_NOTES_MAX)
		return;
	d->notes[n] = *note;
	atomic_store_explicit(&d->nnotes, n + 1, memory_order_release);
}
