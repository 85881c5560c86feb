/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "tests/flows/flow_packet.h"

#define FRAGMENT_MAX 4

/*
 * Splits a packet of this id without extension headers into up to n fragments, the first long
 * enough for every transport header. Returns their number; 0 if the packet is too short to be
 * split.
 */
size_t fragment_split(const struct flow_bytes *whole, uint8_t family, uint32_t id, unsigned int n,
		      struct flow_bytes ret[static FRAGMENT_MAX]);
