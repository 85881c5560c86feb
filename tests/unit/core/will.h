/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A table that somebody has left behind. The dead process is an engine whose arena is copied, the
 * way the memory of a killed one stays; then it may be changed, and is adopted.
 */

#include "packet.h"

#include "core/adopt.h"
#include "core/table.h"

#define SERVER 0xffff
#define NOW    (1000 * SEC)

/* What is to be adopted, and by whom. */
struct will {
	struct engine dead, heir;
	void *left; /* the memory of the dead one, as the heir finds it */
	struct ct_estate estate;
	struct ct_params params;
	struct ct_adopted done;
	struct ct_thread *threads[1];
};

void will_open(struct will *w, uint32_t max_flows);
void will_close(struct will *w);

/* The process is gone; its memory can be changed in w->left before it is adopted. */
void will_leave(struct will *w);
size_t will_size(const struct will *w);
struct ct_flow *will_flow(const struct will *w, uint32_t slot);

/* Leaves, if that is not done, and adopts as w->params and w->estate say. */
void will_adopt(struct will *w);

/* Packets between host and SERVER. */
struct ct_result will_udp(struct engine *e, uint32_t host, bool back, uint64_t now_ns);
struct ct_result will_tcp(struct engine *e, uint32_t host, bool back, uint8_t flags, uint32_t seq,
			  uint32_t ack, uint64_t now_ns);
struct ct_result will_handshake(struct engine *e, uint32_t host, uint64_t now_ns);
