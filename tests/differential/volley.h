/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Many packets at once, one of each conversation.
 *
 * They are sent one behind the other, and behind them a last one of our own, the barrier: queue and
 * rules keep the order, so when the barrier is seen in the log everything before it has been
 * through the router completely, and what has not been logged never will be. So nothing is waited
 * for by time, and the cost of waking up is shared by all.
 */

#include "tests/differential/entry.h"
#include "tests/flows/flow_wire.h"

#define VOLLEY_MAX 64

struct shot {
	const struct flow_packet *packet;
	uint8_t family;
	unsigned int pieces; /* fragments, 0: whole */
	bool backwards;
	uint32_t id;		/* of the fragments; for IPv4 it stands in the packet already */
	struct flow_bytes sent; /* as in talk_build() */
	struct flow_bytes seen; /* the same; afterwards, what was seen indeed */

	/* what became of it */
	uint64_t sent_ns, done_ns; /* before it was sent; after it was through */
	bool arrived;		   /* passed the kernel's tracking; only noted of watched packets */
	bool logged;		   /* passed the queue too */
	bool came; /* to POSTROUTING; only noted of a flow's first packet, or with the exit hook */
	bool out;  /* left the router; only noted of watched packets */
	uint32_t mark;
};

struct volley {
	struct flow_wire *wire;
	uint32_t barriers;
};

/* Begins with an open wire. Returns 0 or -errno. */
int volley_init(struct volley *v, struct flow_wire *wire);

/* Sends all and waits until they are through. Returns 0, -ETIME or another -errno. */
int volley_fire(struct volley *v, struct shot *shots[], size_t n);

uint64_t volley_now_ns(void);
