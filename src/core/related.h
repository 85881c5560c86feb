/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "core/step.h"

/*
 * The special way of ICMP and ICMPv6 (semantics 5.4 - 5.6). Returns true if the packet is judged:
 * RELATED, RELATED_REPLY, UNTRACKED or INVALID; false if it is a query or reply that is tracked
 * like any other packet.
 */
bool ct_related(struct ct_step *s);
