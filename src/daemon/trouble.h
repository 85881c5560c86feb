/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What can go wrong with a queue while it is served: a counter each, told while it grows.
 * suffix, priority, MESSAGE_ID, what follows "Queue N: COUNT" in the record.
 */
#define TROUBLE_LIST(X)                                                                            \
	X(FULL, LOG_WARNING, MSGID_QUEUE_LOST,                                                     \
	  "packets found MaxPackets= waiting and were dropped")                                    \
	X(CROWDS, LOG_WARNING, MSGID_QUEUE_LOST,                                                   \
	  "times MaxPackets= packets were read before the queue was empty; it was probably full, " \
	  "and packets were dropped uncounted")                                                    \
	X(CROWDS_OPEN, LOG_WARNING, MSGID_QUEUE_LOST,                                              \
	  "times MaxPackets= packets were read before the queue was empty; it was probably full, " \
	  "and packets were let through unseen")                                                   \
	X(LOST, LOG_WARNING, MSGID_QUEUE_LOST,                                                     \
	  "packets did not fit into ReceiveBuffer= and were dropped")                              \
	X(LOST_OPEN, LOG_WARNING, MSGID_QUEUE_LOST,                                                \
	  "packets did not fit into ReceiveBuffer= and were let through unseen")                   \
	X(GONE, LOG_WARNING, MSGID_QUEUE_LOST,                                                     \
	  "packets or more were dropped by the kernel before their verdict; rules were replaced "  \
	  "or an interface went down while they waited")                                           \
	X(UNSENT, LOG_ERR, MSGID_QUEUE_ERROR,                                                      \
	  "verdicts could not be sent and were given up; their packets are accepted after a few "  \
	  "seconds")                                                                               \
	X(BROKEN, LOG_WARNING, MSGID_QUEUE_ERROR,                                                  \
	  "packets came in messages that could not be understood and were accepted unread")        \
	X(UNREADABLE, LOG_WARNING, MSGID_QUEUE_ERROR,                                              \
	  "messages of the kernel could not be read; if there were packets in them, these are "    \
	  "accepted after a few seconds")                                                          \
	X(REFUSED, LOG_WARNING, MSGID_QUEUE_ERROR, "verdicts were refused by the kernel")          \
	X(RETRIES, LOG_WARNING, MSGID_QUEUE_ERROR,                                                 \
	  "times the verdicts of a batch had to be sent again")                                    \
	X(OVERDUE, LOG_WARNING, MSGID_QUEUE_ERROR,                                                 \
	  "packets without a verdict waited for seconds and were accepted as they were")           \
	X(STRAYS, LOG_WARNING, MSGID_ACCOUNTING,                                                   \
	  "packets waited in the kernel that nobody was going to answer; they were accepted as "   \
	  "they were")                                                                             \
	X(MISCOUNT, LOG_ERR, MSGID_ACCOUNTING,                                                     \
	  "packets are neither answered nor known to wait, or were answered without having come")  \
	X(CIRCLES, LOG_WARNING, MSGID_REPEAT_LOOP,                                                 \
	  "packets with the verdict repeat came back unmarked again and again and were accepted; " \
	  "does a rule take their mark away?")

enum trouble {
#define X(name, priority, id, text) TROUBLE_##name,
	TROUBLE_LIST(X)
#undef X
		TROUBLE_MAX
};
