/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * CRC32c, the checksum of SCTP (RFC 9260, appendix A), eight bytes at a time.
 *
 * Eight tables say what a byte adds to the checksum when 0 to 7 bytes follow it in its group of
 * eight. A CRC is linear: what a byte adds is the sum of what its bits add. So each table is
 * spelled out by eight numbers, one for each bit, and the compiler adds them up.
 */

#include "core/crc32c.h"

/* clang-format off */
#define BIT(i, n, x) ((i) >> (n) & 1 ? (x) : 0u)
#define BYTE(i, a, b, c, d, e, f, g, h)                                                            \
	(BIT(i, 0, a) ^ BIT(i, 1, b) ^ BIT(i, 2, c) ^ BIT(i, 3, d) ^ BIT(i, 4, e) ^                \
	 BIT(i, 5, f) ^ BIT(i, 6, g) ^ BIT(i, 7, h))
#define X4(i, ...)  BYTE((i), __VA_ARGS__), BYTE((i) + 1, __VA_ARGS__),                            \
		    BYTE((i) + 2, __VA_ARGS__), BYTE((i) + 3, __VA_ARGS__)
#define X16(i, ...) X4((i), __VA_ARGS__), X4((i) + 4, __VA_ARGS__),                                \
		    X4((i) + 8, __VA_ARGS__), X4((i) + 12, __VA_ARGS__)
#define X64(i, ...) X16((i), __VA_ARGS__), X16((i) + 16, __VA_ARGS__),                             \
		    X16((i) + 32, __VA_ARGS__), X16((i) + 48, __VA_ARGS__)
#define TABLE(...)  {X64(0, __VA_ARGS__), X64(64, __VA_ARGS__),                                    \
		     X64(128, __VA_ARGS__), X64(192, __VA_ARGS__)}

static const uint32_t tables[8][256] = {
	TABLE(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf,
	      0x105ec76f, 0x20bd8ede, 0x417b1dbc, 0x82f63b78),
	TABLE(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8,
	      0x3fc5f181, 0x7f8be302, 0xff17c604, 0xfbc3faf9),
	TABLE(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5,
	      0x70a27d8a, 0xe144fb14, 0xc76580d9, 0x8b277743),
	TABLE(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6,
	      0xe964b13d, 0xd725148b, 0xaba65fe7, 0x52a0c93f),
	TABLE(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91,
	      0x8f2261d3, 0x1ba8b557, 0x37516aae, 0x6ea2d55c),
	TABLE(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f,
	      0xc00c303e, 0x85f4168d, 0x0e045beb, 0x1c08b7d6),
	TABLE(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53,
	      0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a, 0xf56e0ef4),
	TABLE(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da,
	      0x847609b4, 0x0d006599, 0x1a00cb32, 0x34019664),
};
/* clang-format on */

static uint32_t read_le32(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static uint32_t add_8(uint32_t crc, const uint8_t *p)
{
	uint32_t lo = crc ^ read_le32(p), hi = read_le32(p + 4);

	return tables[7][lo & 0xff] ^ tables[6][lo >> 8 & 0xff] ^ tables[5][lo >> 16 & 0xff] ^
	       tables[4][lo >> 24] ^ tables[3][hi & 0xff] ^ tables[2][hi >> 8 & 0xff] ^
	       tables[1][hi >> 16 & 0xff] ^ tables[0][hi >> 24];
}

uint32_t ct_crc32c(uint32_t crc, const uint8_t *bytes, size_t n)
{
	crc = ~crc;
	for (; n >= 8; bytes += 8, n -= 8)
		crc = add_8(crc, bytes);
	for (; n; bytes++, n--)
		crc = crc >> 8 ^ tables[0][(crc ^ *bytes) & 0xff];
	return ~crc;
}
