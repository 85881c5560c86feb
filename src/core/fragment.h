/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Fragments that arrive as they are (semantics 5.11). Private to src/core; see core.h, too. */

#include "core/step.h"

/*
 * Takes a fragment, its network layer read as far as that goes, before it is judged. True: that was
 * all; the result says what it is, or that it is held. False: it is to be judged like any packet,
 * and if it is the first of its datagram ct_fragment_settle() has to follow.
 */
bool ct_fragment_enter(struct ct_step *s);

/* A first fragment is judged: its class is that of the datagram. No lock may be held. */
void ct_fragment_settle(struct ct_step *s);
