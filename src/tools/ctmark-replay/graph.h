/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Which transitions of the state graphs packets have taken. */

#include "tools/ctmark-replay/reel.h"

/* A transition of the state graph that packets have taken. */
#define EDGE_NUMBERS 3
struct edge {
	uint64_t count;
	uint64_t number[EDGE_NUMBERS]; /* of the first packets */
	uint16_t by[CT_DIR_MAX];       /* bits 1 << enum ct_tcp_index or type of chunk */
};

#define FILM_STATES_MAX 16
/* Those of one protocol. */
struct graph {
	uint64_t packets;
	struct edge edge[FILM_STATES_MAX][FILM_STATES_MAX]; /* from, to */
};

/* Notes what a packet of a flow did: in *tcp or *sctp, or nothing for another protocol. */
void graph_note(struct graph *tcp, struct graph *sctp, const struct shot *s);
