/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Verdict messages of a batch, one behind the other in one buffer, for one send.
 *
 * Neighbours that leave with the same verdict and the same mark make a run, which is answered by
 * one NFQNL_MSG_VERDICT_BATCH. That answers every packet up to its id that waits in the kernel:
 * whoever gives a verdict says whether older packets forbid it. The kernel reads the messages of a
 * datagram in order, and an unknown id fails alone.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* nlmsghdr, nfgenmsg, NFQA_VERDICT_HDR, NFQA_MARK */
#define VERDICT_MSG_MAX 40

/*
 * The nlmsg_seq of a verdict message is the number of packets it answers, for the kernel repeats it
 * when it refuses the message. It is from 1 to this; other messages must use others.
 */
#define VERDICT_RUN_MAX UINT16_MAX

/* Of verdicts for packets that may be gone for good reasons. */
#define VERDICT_SEQ_AGAIN  UINT32_MAX	    /* given before: a predecessor's, to be sure */
#define VERDICT_SEQ_UP_TO  (UINT32_MAX - 1) /* for whatever waits up to an id */
#define VERDICT_SEQ_STRAYS (UINT32_MAX - 2) /* the same, and it matters whether anything did */

/* The verdict for one packet. */
struct verdict_entry {
	uint32_t id;
	uint32_t verdict; /* enum verdict of io/source.h, host order */
	uint32_t mark;	  /* that the packet leaves with */
	bool set_mark;	  /* it came with another */
	bool alone;	  /* older packets wait for theirs, or may; mark counts if set_mark only */
};

/* Packets that one message will answer. */
struct verdict_run {
	struct verdict_entry last; /* set_mark: of any */
	unsigned int count;	   /* 0: there is none */
	bool one_mark;		   /* all leave with the same */
};

struct verdict_buf {
	uint8_t *data;
	size_t used, size;
	struct verdict_run run; /* becomes a message when it is over */
	uint16_t queue;
	unsigned int count; /* packets answered by what is in here */
	uint32_t seq;	    /* of all messages; 0: as said above */
};

/* Makes room for count messages of one queue. Returns 0 or -ENOMEM. */
int verdict_buf_init(struct verdict_buf *b, uint16_t queue, unsigned int count);
void verdict_buf_done(struct verdict_buf *b);

/*
 * Adds the verdict of a packet that is younger than all added before, but for those alone. False:
 * the buffer is full and nothing was added.
 */
bool verdict_buf_put(struct verdict_buf *b, const struct verdict_entry *e);

/*
 * Sends all verdicts in one datagram and empties the buffer. Returns 0, or -errno with the verdicts
 * still in it, so that nothing is lost if the caller tries again.
 */
int verdict_buf_send(struct verdict_buf *b, int fd);

/*
 * Answers every packet up to an id that waits in the kernel, by a message of its own. acked:
 * success is answered, too. Returns 0 or -errno.
 */
int verdict_send_up_to(int fd, uint16_t queue, uint32_t id, uint32_t verdict, uint32_t seq,
		       bool acked);
