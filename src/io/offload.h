/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Checksums that are not there yet. Who captures on the sending host sees packets before its
 * network card has computed them, and some that were merged on their way in look alike. Pure.
 */

#include <stdbool.h>

#include "io/link.h"

/* Did the sender leave the transport checksum of this packet to its card? */
bool offload_left(const struct link_packet *p);
