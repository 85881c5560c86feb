/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Which flows, or which transitions, somebody asks for. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/event.h"
#include "core/view.h"

/* Conditions, by their names in the interface, and what reads and tests each. */
#define CTL_CONDITION_LIST(X)                                                                      \
	X(FLOW, "flow", id, flow)                                                                  \
	X(FAMILY, "family", family, family)                                                        \
	X(PROTO, "proto", proto, proto)                                                            \
	X(SRC, "src", network, src)                                                                \
	X(DST, "dst", network, dst)                                                                \
	X(REPLY_SRC, "reply_src", network, reply_src)                                              \
	X(REPLY_DST, "reply_dst", network, reply_dst)                                              \
	X(SPORT, "sport", ports, sport)                                                            \
	X(DPORT, "dport", ports, dport)                                                            \
	X(ICMP_TYPE, "icmp_type", byte, icmp_type)                                                 \
	X(ICMP_CODE, "icmp_code", byte, icmp_code)                                                 \
	X(ICMP_ID, "icmp_id", number, icmp_id)                                                     \
	X(STATE, "state", states, states)                                                          \
	X(STATUS, "status", status, status)                                                        \
	X(HELPER, "helper", helper, helper)                                                        \
	X(MASTER, "master", id, master)                                                            \
	X(ZONE, "zone", number, zone)

enum ctl_condition {
#define X(name, str, reader, member) CTL_CONDITION_##name,
	CTL_CONDITION_LIST(X)
#undef X
		CTL_CONDITION_MAX
};

struct ctl_network {
	union ct_addr addr; /* bits beyond the prefix are zero */
	uint8_t family, prefix;
};

struct ctl_ports {
	uint16_t first, last;
};

struct ctl_states {
	uint32_t tcp, sctp; /* bits 1 << state */
};

struct ctl_status {
	uint16_t set, clear; /* enum ct_status */
};

struct ctl_filter {
	uint32_t has; /* bits 1 << enum ctl_condition */
	uint64_t flow, master;
	uint8_t family, proto, helper, icmp_type, icmp_code;
	uint16_t icmp_id, zone;
	struct ctl_network src, dst, reply_src, reply_dst;
	struct ctl_ports sport, dport;
	struct ctl_states states;
	struct ctl_status status;
};

/* What is wrong with a filter; all but why is borrowed from it. */
#define CTL_VALUE_STRLEN 64
struct ctl_complaint {
	const char *condition;
	char value[CTL_VALUE_STRLEN]; /* what it says, perhaps cut */
	const char *why;
};

/* Reads a filter; json may be NULL or null, which is the same as {}. False: *ret_why tells. */
bool ctl_filter_read(struct ctl_filter *ret, json_t *json, struct ctl_complaint *ret_why);

bool ctl_filter_has(const struct ctl_filter *f, enum ctl_condition c);

/* Whether a flow meets the conditions; a transition, by its flow or by the packet's tuple. */
bool ctl_filter_view(const struct ctl_filter *f, const struct ct_view *v);
bool ctl_filter_event(const struct ctl_filter *f, const struct ct_event *ev);

/* Reads the 16 hexadecimal digits of a flow's id. */
bool ctl_read_id(const char *text, uint64_t *ret);
