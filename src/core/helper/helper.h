/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A helper reads the payload of a control connection and says which connections will follow.
 *
 * It is called for packets that the tracker accepted and the rules let through, on their way out
 * (semantics 6.3): in the flow's first packet, too, but never for an ICMP error. It sees the
 * payload as bounded bytes and changes nothing but its own few bytes per flow and, through the
 * calls below, expectations of this flow. It runs with the lock of the flow's stripe held.
 */

#include "core/helper/expect.h"
#include "core/cursor.h"
#include "core/flow.h"

#define CT_CLASSES_MAX 4 /* of expectations */

enum ct_help_result {
	CT_HELP_ACCEPT,
	CT_HELP_DROP, /* reason and detail of the call are set */
};

/* One packet for a helper. */
struct ct_help {
	struct ct_thread *th;
	uint32_t index; /* slot of the flow, the master of what is expected */
	const struct ct_flow *flow;
	struct ct_kin *kin;		   /* kin->priv is the helper's own memory */
	struct ct_tuple tuple[CT_DIR_MAX]; /* of the flow: original and reply */
	enum ct_dir dir;		   /* of the packet */
	enum ct_info info;		   /* of the packet, never RELATED_REPLY */
	struct ct_bytes payload;	   /* behind the transport header; may be empty */
	uint32_t seq;			   /* TCP: sequence number of its first byte */
	uint64_t now_ns;

	/* to be set by the helper */
	uint64_t timeout_ns; /* 0: as it is; else the flow lives that long from now on */
	enum ct_reason reason;
	uint32_t detail[CT_DETAIL_MAX];
};

struct ct_expect_policy {
	uint8_t max;	  /* expectations of this class that one flow may have */
	uint16_t seconds; /* of their life */
};

/* A row of CT_HELPER_LIST. */
struct ct_helper_facts {
	const char *name;
	uint8_t families, protos;
	uint16_t port;
	struct ct_expect_policy policy[CT_CLASSES_MAX];
};

extern const struct ct_helper_facts ct_helper_facts[CT_HELPER_MAX];

struct ct_helper {
	const struct ct_helper_facts *facts; /* &ct_helper_facts[its number] */
	enum ct_help_result (*help)(struct ct_help *h);
	/*
	 * The flow was taken over from another process, and what it expects, or a flow that it
	 * expected, is still there. NULL: nothing.
	 */
	void (*inherit)(struct ct_help *h);
	/* The flow is ending; its expectations are gone already. May doom others. NULL: nothing. */
	void (*end)(struct ct_help *h);
};

/* The helper of that id; NULL for NONE and outside the set. */
const struct ct_helper *ct_helper_get(enum ct_helper_id id);

/* Says that the packet has to be dropped because the helper cannot read it. */
enum ct_help_result ct_help_unreadable(struct ct_help *h);

/*
 * Adds an expectation with this flow as its master, by the rules of semantics 6.2 (a repeated one
 * is replaced, the oldest of a full class makes room). ACCEPT, or DROP with the reason set if it
 * clashes with another one or the table is full; then the packet has to be dropped, except where a
 * helper's own rules say otherwise. With skip_master it is enough that the same is expected
 * already.
 */
enum ct_help_result ct_help_expect(struct ct_help *h, const struct ct_expect_spec *spec);

/* Does another flow like this one expect the same in the same class (ct_expect_foreign())? */
bool ct_help_foreign(struct ct_help *h, const struct ct_expect_spec *spec);

/* A spec for proto between this flow's hosts: everything zero but family, proto and zone. */
struct ct_expect_spec ct_help_spec(const struct ct_help *h, uint8_t proto);

/* ct_expect_each() over the expectations of this flow. */
void ct_help_each(struct ct_help *h, ct_expect_visit *visit, void *ctx);

/*
 * Ends a flow when this packet is through, found by one of its tuples; if there is none, it is not
 * expected any more. At most two in a call.
 */
void ct_help_doom(struct ct_help *h, const struct ct_tuple *t);

extern const struct ct_helper ct_helper_ftp, ct_helper_tftp, ct_helper_irc, ct_helper_sip,
	ct_helper_pptp, ct_helper_amanda, ct_helper_sane;
