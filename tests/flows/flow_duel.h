/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "tests/flows/flow_wire.h"

/*
 * Sends a number of random TCP packets and compares the kernel's judgement of each with the
 * engine's: ctinfo, status, state, timeout. Settings change from time to time; the router's rules
 * must not queue. Conversations that differ are printed as scripts in the kernel's words. Returns
 * the number of differences, or -errno.
 */
int flow_duel(struct flow_wire *w, uint64_t seed, unsigned int packets);
