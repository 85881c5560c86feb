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

/*
 * The same for UDP-Lite, where the checksum covers the first covered bytes, 8 or more, all of them
 * readable. The kernel puts the protocol number of UDP into the pseudo header, where RFC 3828 has
 * that of UDP-Lite, and for IPv4 only the low byte of the length; so do we (semantics 5.2).
 */
bool ct_checksum_part_ok(const struct ct_pkt *pkt, uint32_t at, uint32_t covered,
			 uint32_t detail[static 2]);

/* The same for the CRC32c of SCTP at offset 8, computed with zeros there (RFC 9260, 6.8). */
bool ct_checksum_sctp_ok(const struct ct_pkt *pkt, uint32_t detail[static 2]);

/*
 * Did the sender leave the checksum of TCP or UDP to its network card? Then the field, 2 readable
 * bytes at at, holds the sum of the pseudo header, not its complement.
 */
bool ct_checksum_is_left(const struct ct_pkt *pkt, uint32_t at);
