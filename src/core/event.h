/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What happened, as numbers.
 *
 * The engine describes each transition by one struct ct_event and knows nothing of who reads it.
 * An event is a copy: it stays true when the flow has moved on or is gone. Texts are made from it
 * elsewhere (log/fields.c), never here.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/reasons.h"
#include "core/tuple.h"

#define CT_DETAIL_MAX 4

enum ct_event_type {
#define X(name, str) CT_EVENT_##name,
	CT_EVENT_LIST(X)
#undef X
		CT_EVENT_MAX
};

enum ct_reason {
#define X(name, code, text, detail) CT_REASON_##name,
	CT_REASON_LIST(X)
#undef X
		CT_REASON_MAX
};

enum ct_death {
#define X(name, code, text) CT_DEATH_##name,
	CT_DEATH_LIST(X)
#undef X
		CT_DEATH_MAX
};

enum ct_info {
#define X(name, value, str, class) CT_INFO_##name = value,
	CT_INFO_LIST(X)
#undef X
		CT_INFO_MAX
};

enum ct_class {
#define X(name, key) CT_CLASS_##name,
	CT_CLASS_LIST(X)
#undef X
		CT_CLASS_MAX
};

enum ct_status {
#define X(name, bit) CT_STATUS_##name = 1 << (bit),
	CT_STATUS_LIST(X)
#undef X
};

enum ct_helper_id {
	CT_HELPER_NONE,
#define X(name, ...) CT_HELPER_##name,
	CT_HELPER_LIST(X)
#undef X
		CT_HELPER_MAX
};

enum ct_dir { CT_DIR_ORIGINAL, CT_DIR_REPLY, CT_DIR_MAX };

/* Where the packet was queued: the numbers of enum nf_inet_hooks. */
enum ct_hook {
	CT_HOOK_PREROUTING,
	CT_HOOK_INPUT,
	CT_HOOK_FORWARD,
	CT_HOOK_OUTPUT,
	CT_HOOK_POSTROUTING,
	CT_HOOK_NONE, /* no packet: the event comes from the clock */
	CT_HOOK_MAX
};

/* Where the kernel confirms: what is queued from here was judged at its entry. */
static inline bool ct_hook_is_exit(uint8_t hook)
{
	return hook == CT_HOOK_INPUT || hook == CT_HOOK_POSTROUTING;
}

/*
 * The flow as it was after the packet (destroy: as it was at the end). With hook NONE there was no
 * packet, and info, dir, mark, queue and the interfaces say nothing.
 */
struct ct_event {
	uint64_t time_ns;      /* engine clock (monotonic), ns */
	uint64_t flow;	       /* 64-bit flow id, 0: no flow */
	struct ct_tuple orig;  /* original direction; no flow: the packet's own tuple */
	struct ct_tuple reply; /* reply direction; meaningful only with a flow */
	uint64_t timeout_ns;   /* left until expiry */
	uint64_t packets[CT_DIR_MAX];
	uint64_t bytes[CT_DIR_MAX];
	uint64_t master;		/* id of the flow that expected this one, 0: none */
	uint32_t detail[CT_DETAIL_MAX]; /* numbers behind the reason, names in CT_REASON_LIST */
	uint32_t mark;			/* the packet's mark after classification */
	uint32_t iif, oif;		/* interface indices, 0: none */
	uint16_t queue;
	uint16_t status;	      /* enum ct_status bits */
	uint8_t type;		      /* enum ct_event_type */
	uint8_t reason;		      /* enum ct_reason, for INVALID */
	uint8_t death;		      /* enum ct_death, for DESTROY */
	uint8_t info;		      /* enum ct_info of the packet */
	uint8_t dir;		      /* enum ct_dir of the packet */
	uint8_t hook;		      /* enum ct_hook */
	uint8_t state_old, state_new; /* protocol states; equal where nothing changed */
	bool has_tuple;		      /* false: the packet could not be parsed that far */
	bool accounted;		      /* packets[] and bytes[] were counted */
	bool drop;		      /* INVALID: the packet was dropped for its reason */
	bool begins;		      /* NEW, RELATED: the flow began with this packet */
	uint8_t l4proto;	      /* of the packet, where known, even without a tuple */
	uint8_t family;		      /* 2 or 10, 0: unknown */
	uint8_t helper;		      /* enum ct_helper_id of the flow */
};

/* Names of the closed sets, as used in the journal; "?" outside the set. */
const char *ct_event_name(enum ct_event_type type);
const char *ct_reason_name(enum ct_reason reason);
const char *ct_reason_text(enum ct_reason reason);
const char *ct_reason_details(enum ct_reason reason); /* "seq,end,maxend" or "" */
const char *ct_death_name(enum ct_death death);
const char *ct_death_text(enum ct_death death);
const char *ct_info_name(enum ct_info info);
const char *ct_hook_name(enum ct_hook hook);
const char *ct_helper_name(enum ct_helper_id id); /* "" for NONE and outside the set */

/* The helper of that name, NONE if there is no such. */
enum ct_helper_id ct_helper_find(const char *name);

/* Name of a protocol's state, NULL where the protocol has none (TCP and SCTP have). */
const char *ct_state_name(uint8_t l4proto, uint8_t state);

/* Name of a type of SCTP chunk, NULL for those without a part in the state machine. */
const char *ct_sctp_chunk_name(uint8_t type);

/* Writes the names of the status bits joined by ',' into buf (CT_STATUS_STRLEN bytes). */
#define CT_STATUS_STRLEN 64
char *ct_status_to_str(uint16_t status, char buf[static CT_STATUS_STRLEN]);
