/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * CRC32c of n more bytes, crc being that of the bytes before (0: none). SCTP sends the result with
 * its lowest byte first (RFC 9260, appendix A).
 */
uint32_t ct_crc32c(uint32_t crc, const uint8_t *bytes, size_t n);
