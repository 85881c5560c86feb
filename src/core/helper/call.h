/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Where the engine meets its helpers. Private to src/core. */

#include "core/step.h"

/* The helper that [Track] Helpers= gives to a new flow with this original tuple, or NONE. */
uint8_t ct_helper_assign(const struct ct_config *cfg, const struct ct_tuple *orig);

/*
 * Shows the packet to the helper of its flow, if it has one (semantics 6.3). The flow has a slot,
 * its stripe is locked. False: the packet has to be dropped; the result says so and why.
 */
bool ct_helper_call(struct ct_step *s);

/*
 * A flow that a master expected is gone, or never came to be. The keys of a call go with its flow:
 * packets that come later have none, as in the kernel.
 */
void ct_helper_lose(struct ct *ct, const struct ct_flow *child, uint64_t master);

/* A master was taken over together with something that it expects or has expected. */
void ct_helper_inherit(struct ct *ct, uint32_t index, uint64_t now_ns);

/* A flow with relations is ending: what it expects is forgotten, its helper told (lock held). */
void ct_helper_end(struct ct_thread *th, uint32_t index, uint64_t now_ns);
