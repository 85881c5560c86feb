/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The Internet checksum of the transport layer, added up eight bytes at a time; SCTP has a CRC. */

#include <string.h>

#include "core/checksum.h"
#include "core/crc32c.h"

#define SCTP_HLEN 12
#define SCTP_AT	  8

static uint64_t add(uint64_t sum, uint64_t x)
{
	sum += x;
	return sum + (sum < x);
}

/* One's complement sum in memory order; the order of bytes cancels out (RFC 1071, 2 B). */
static uint64_t sum_bytes(uint64_t sum, const uint8_t *p, size_t n)
{
	uint64_t tail = 0;

	for (; n >= 8; p += 8, n -= 8) {
		uint64_t w;

		memcpy(&w, p, 8);
		sum = add(sum, w);
	}
	memcpy(&tail, p, n);
	return add(sum, tail);
}

static uint16_t fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static uint64_t sum_pseudo(const struct ct_pkt *pkt, uint8_t proto, uint32_t len)
{
	const uint8_t tail[] = {
		(uint8_t)(len >> 24),
		(uint8_t)(len >> 16),
		(uint8_t)(len >> 8),
		(uint8_t)len,
		0,
		0,
		0,
		proto,
	};
	size_t alen = pkt->family == CT_AF_INET ? 4 : 16;
	uint64_t sum;

	if (pkt->family == CT_AF_INET && proto == CT_PROTO_ICMP)
		return 0;
	sum = sum_bytes(0, pkt->src.b, alen);
	sum = sum_bytes(sum, pkt->dst.b, alen);
	return sum_bytes(sum, tail, sizeof(tail));
}

/* Adds what is covered to the sum of a pseudo header. */
static bool verify(const struct ct_pkt *pkt, uint64_t pseudo, uint32_t at, uint32_t covered,
		   uint32_t detail[static 2])
{
	uint64_t sum = sum_bytes(pseudo, pkt->l4.data, covered);
	uint16_t found_raw, expected_raw, rest;

	if (fold(sum) == 0xffff)
		return true;
	found_raw = ct_read_raw16(pkt->l4.data + at);
	/* what the field should hold: the complement of the sum of everything else */
	rest = fold(add(sum, (uint16_t)~found_raw));
	/* of the two zeros the one that is right even if all else is zero */
	expected_raw = rest == 0xffff ? rest : (uint16_t)~rest;
	detail[0] = ct_read_be16((const uint8_t *)&found_raw);
	detail[1] = ct_read_be16((const uint8_t *)&expected_raw);
	return false;
}

bool ct_checksum_ok(const struct ct_pkt *pkt, uint32_t at, uint32_t detail[static 2])
{
	return verify(pkt, sum_pseudo(pkt, pkt->proto, pkt->l4.len), at, pkt->l4.len, detail);
}

bool ct_checksum_part_ok(const struct ct_pkt *pkt, uint32_t at, uint32_t covered,
			 uint32_t detail[static 2])
{
	uint32_t len = pkt->family == CT_AF_INET ? pkt->l4.len & 0xff : pkt->l4.len;

	return verify(pkt, sum_pseudo(pkt, CT_PROTO_UDP, len), at, covered, detail);
}

bool ct_checksum_sctp_ok(const struct ct_pkt *pkt, uint32_t detail[static 2])
{
	static const uint8_t zeros[SCTP_HLEN - SCTP_AT];
	const uint8_t *h = pkt->l4.data;
	uint32_t crc = ct_crc32c(0, h, SCTP_AT);

	crc = ct_crc32c(crc, zeros, sizeof(zeros));
	crc = ct_crc32c(crc, h + SCTP_HLEN, pkt->l4.len - SCTP_HLEN);
	detail[0] = ct_read_be32(h + SCTP_AT);
	detail[1] = crc << 24 | (crc & 0xff00) << 8 | (crc >> 8 & 0xff00) | crc >> 24;
	return detail[0] == detail[1];
}

bool ct_checksum_is_left(const struct ct_pkt *pkt, uint32_t at)
{
	return fold(sum_pseudo(pkt, pkt->proto, pkt->l4.len)) == ct_read_raw16(pkt->l4.data + at);
}
