/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "core/pkt.h"

/*
 * Verifies the transport checksum of a packet whose every byte is readable, over the pseudo header
 * and the whole transport part (RFC 1071, 768, 9293, 4443). proto is the number in the pseudo
 * header; ICMP for IPv4 has no pseudo header. at is the offset of the 16-bit checksum field.
 *
 * Returns true if it is right, else the value found and the value expected in detail.
 */
bool ct_checksum_ok(const struct ct_pkt *pkt, uint32_t at, uint32_t detail[static 2]);
