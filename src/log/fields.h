/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Journal records as values: from an event to the fields of ctmarkd.journal-fields(7).
 *
 * Pure: no I/O and no allocation. A record is built in a fixed scratch buffer that its iovecs point
 * into, so it must not be copied. A field that has no meaning for an event is absent, never empty.
 * Every value is made here from numbers and closed sets; the two kinds of text that come from
 * outside (interface names, operational messages) are made plain on the way in, so that no value
 * can hold a line break, a quote that is not ours, or anything that is not UTF-8.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "core/event.h"

/* Enum suffix, name in the journal. The manual has one entry for each. */
#define FIELD_LIST(X)                                                                              \
	X(MESSAGE, "MESSAGE")                                                                      \
	X(MESSAGE_ID, "MESSAGE_ID")                                                                \
	X(PRIORITY, "PRIORITY")                                                                    \
	X(IDENTIFIER, "SYSLOG_IDENTIFIER")                                                         \
	X(ERRNO, "ERRNO")                                                                          \
	X(EVENT, "CTMARK_EVENT")                                                                   \
	X(FLOW, "CTMARK_FLOW")                                                                     \
	X(FAMILY, "CTMARK_FAMILY")                                                                 \
	X(PROTO, "CTMARK_PROTO")                                                                   \
	X(SRC, "CTMARK_SRC")                                                                       \
	X(DST, "CTMARK_DST")                                                                       \
	X(SPORT, "CTMARK_SPORT")                                                                   \
	X(DPORT, "CTMARK_DPORT")                                                                   \
	X(ICMP_TYPE, "CTMARK_ICMP_TYPE")                                                           \
	X(ICMP_CODE, "CTMARK_ICMP_CODE")                                                           \
	X(ICMP_ID, "CTMARK_ICMP_ID")                                                               \
	X(REPLY_SRC, "CTMARK_REPLY_SRC")                                                           \
	X(REPLY_DST, "CTMARK_REPLY_DST")                                                           \
	X(REPLY_SPORT, "CTMARK_REPLY_SPORT")                                                       \
	X(REPLY_DPORT, "CTMARK_REPLY_DPORT")                                                       \
	X(STATE_OLD, "CTMARK_STATE_OLD")                                                           \
	X(STATE_NEW, "CTMARK_STATE_NEW")                                                           \
	X(STATUS, "CTMARK_STATUS")                                                                 \
	X(CTINFO, "CTMARK_CTINFO")                                                                 \
	X(MARK, "CTMARK_MARK")                                                                     \
	X(DIR, "CTMARK_DIR")                                                                       \
	X(REASON, "CTMARK_REASON")                                                                 \
	X(DETAIL, "CTMARK_DETAIL")                                                                 \
	X(TIMEOUT, "CTMARK_TIMEOUT")                                                               \
	X(QUEUE, "CTMARK_QUEUE")                                                                   \
	X(HOOK, "CTMARK_HOOK")                                                                     \
	X(IIF, "CTMARK_IIF")                                                                       \
	X(OIF, "CTMARK_OIF")                                                                       \
	X(PACKETS_ORIG, "CTMARK_PACKETS_ORIG")                                                     \
	X(PACKETS_REPLY, "CTMARK_PACKETS_REPLY")                                                   \
	X(BYTES_ORIG, "CTMARK_BYTES_ORIG")                                                         \
	X(BYTES_REPLY, "CTMARK_BYTES_REPLY")                                                       \
	X(MASTER, "CTMARK_MASTER")                                                                 \
	X(HELPER, "CTMARK_HELPER")                                                                 \
	X(ZONE, "CTMARK_ZONE")                                                                     \
	X(CLASS, "CTMARK_CLASS")                                                                   \
	X(SUPPRESSED, "CTMARK_SUPPRESSED")                                                         \
	X(DROPPED, "CTMARK_DROPPED")                                                               \
	X(TALKERS, "CTMARK_TALKERS")                                                               \
	X(TARGET, "CTMARK_TARGET")                                                                 \
	X(FROM, "CTMARK_FROM")                                                                     \
	X(FLOWS, "CTMARK_FLOWS")                                                                   \
	X(FLOWS_LOST, "CTMARK_FLOWS_LOST")                                                         \
	X(INHERITED, "CTMARK_INHERITED")                                                           \
	X(METHOD, "CTMARK_METHOD")                                                                 \
	X(UID, "CTMARK_UID")                                                                       \
	X(PID, "CTMARK_PID")

enum field {
#define X(name, journal) FIELD_##name,
	FIELD_LIST(X)
#undef X
		FIELD_MAX
};

#define FIELDS_SCRATCH 3072

struct fields {
	struct iovec iov[FIELD_MAX]; /* "NAME=value", not terminated */
	uint8_t id[FIELD_MAX];	     /* enum field of each */
	unsigned int n;
	size_t used;
	char scratch[FIELDS_SCRATCH];
};

/* Longest line that fields_to_line() writes, with its '\n' and '\0'. */
#define FIELDS_LINE_MAX FIELDS_SCRATCH

/*
 * Starts a record of the given class: msgid is one of log/msgid.h or NULL, priority a syslog
 * priority, event the value of CTMARK_EVENT ("": none).
 */
void fields_init(struct fields *f, const char *msgid, int priority, const char *event);

/* Adds a field; each at most once. What plain_text() finds becomes '?'. Too long a value is cut. */
void fields_add(struct fields *f, enum field id, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Makes the record of an event. iif and oif are the names of its interfaces; NULL: the indices are
 * written instead. plain_name() is applied to them.
 */
void fields_from_event(struct fields *f, const struct ct_event *ev, const char *iif,
		       const char *oif);

/*
 * Of a flow, described as events describe theirs (hook NONE, type any but INVALID and DESTROY): the
 * same fields, but no sentence and nothing else that makes a record.
 */
void fields_from_flow(struct fields *f, const struct ct_event *ev);

/* The value of the i-th field, not terminated. */
const char *fields_value(const struct fields *f, unsigned int i, size_t *ret_len);

/* A field's name in small letters, without CTMARK_. Returns its length. */
#define FIELDS_KEY_MAX 24
size_t fields_key(enum field id, char buf[static FIELDS_KEY_MAX]);

/* Makes the record that says how many events of a class the rate limit kept out. */
void fields_from_suppressed(struct fields *f, enum ct_event_type type, uint64_t suppressed);

/* Makes the record that says how many events were lost: to full rings, and to the journal. */
void fields_from_dropped(struct fields *f, uint64_t ring, uint64_t refused);

/*
 * The console form of a record: its CTMARK_ fields as "key=value …\n" in buf (FIELDS_LINE_MAX
 * bytes). Returns the length.
 */
size_t fields_to_line(const struct fields *f, char buf[static FIELDS_LINE_MAX]);
