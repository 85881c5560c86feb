/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The state graphs of TCP and SCTP: all transitions that the engine's table has, and strong among
 * them those that packets took. Nodes are where a hand put them; edges come from the table.
 */

#include <stdio.h>

#include "tools/ctmark-replay/graph.h"

#define STATES_WIDTH  960
#define STATES_HEIGHT 600

/* Draws the graph of a protocol (TCP or SCTP), from 0,0 on. */
void states_draw(FILE *f, uint8_t proto, const struct graph *g);

/* Writes the <defs> that it needs, once for a document. */
void states_defs(FILE *f);
