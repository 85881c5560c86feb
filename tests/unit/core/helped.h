/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A flow with a helper, made by hand, and what its sides say to each other.
 *
 * The client is 10.0.0.1 or 2001:db8::1, the server 10.0.0.2 or 2001:db8::2; the client's port is
 * 40000, the server's the usual one of the helper.
 */

#include "packet.h"

#include "core/helper/helper.h"
#include "core/pkt.h"

struct helped {
	struct engine engine;
	enum ct_helper_id helper;
	uint32_t master;
	uint32_t seq[CT_DIR_MAX]; /* of the next byte */
	uint64_t now_ns;
	uint32_t cut;	     /* bytes that the next copies lack at their end */
	struct ct_help last; /* as the helper left it */
};

void helped_open(struct helped *h, enum ct_helper_id helper, int family, uint8_t proto);
void helped_close(struct helped *h);

/*
 * Shows n bytes of an established flow to the helper, in memory of just that size. TCP sequence
 * numbers move on, unless the packet is dropped.
 */
enum ct_help_result helped_bytes(struct helped *h, enum ct_dir dir, const void *bytes, size_t n);
enum ct_help_result helped_text(struct helped *h, enum ct_dir dir, const char *text);

/* The same with another ctinfo. */
enum ct_help_result helped_info(struct helped *h, enum ct_info info, const void *bytes, size_t n);

/* How many flows are expected. */
uint32_t helped_count(const struct helped *h);

/* Is a flow from port 50000 of host src to port dport of host dst expected? It is met. */
bool helped_met(struct helped *h, uint32_t src, uint32_t dst, uint16_t dport);
