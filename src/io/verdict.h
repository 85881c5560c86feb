/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Verdict messages of a batch, one behind the other in one buffer, for one send.
 *
 * Each keeps its own mark, which NFQNL_MSG_VERDICT_BATCH could not; the kernel reads the messages
 * of a datagram in order and an unknown id fails alone.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* nlmsghdr, nfgenmsg, NFQA_VERDICT_HDR, NFQA_MARK */
#define VERDICT_MSG_MAX 40

struct verdict_buf {
	uint8_t *data;
	size_t used, size;
	uint16_t queue;
};

/* Makes room for count verdicts of one queue. Returns 0 or -ENOMEM. */
int verdict_buf_init(struct verdict_buf *b, uint16_t queue, unsigned int count);
void verdict_buf_done(struct verdict_buf *b);

/*
 * Adds one verdict (enum verdict of io/source.h, host order); the mark only if set_mark. False:
 * the buffer is full and nothing was added.
 */
bool verdict_buf_put(struct verdict_buf *b, uint32_t id, uint32_t verdict, bool set_mark,
		     uint32_t mark);

/*
 * Sends all verdicts in one datagram and empties the buffer. Returns 0, or -errno with the verdicts
 * still in it, so that nothing is lost if the caller tries again.
 */
int verdict_buf_send(struct verdict_buf *b, int fd);
