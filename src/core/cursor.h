/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Packet bytes, bounded.
 *
 * len is what the packet has, cap what of it can be read (a queue may copy only the beginning).
 * Every access of the parsers goes through ct_bytes_get(), which answers with the reason if the
 * bytes are not there, so no parser does arithmetic on raw pointers.
 */

#include <stdint.h>
#include <string.h>

#include "core/event.h"

struct ct_bytes {
	const uint8_t *data;
	uint32_t cap; /* readable bytes, <= len */
	uint32_t len; /* bytes of the packet */
};

/* The bytes from offset off on; none if off lies beyond the end. */
static inline struct ct_bytes ct_bytes_from(struct ct_bytes v, uint32_t off)
{
	return (struct ct_bytes){
		.data = off < v.cap ? v.data + off : v.data,
		.cap = off < v.cap ? v.cap - off : 0,
		.len = off < v.len ? v.len - off : 0,
	};
}

/*
 * Bytes [off, off + size) of them, or NULL. Then *ret_reason is too_short if the packet ends
 * before, COPY_RANGE if the packet has them but the copy does not, and detail[] says how many
 * there are and how many it takes.
 */
static inline const uint8_t *ct_bytes_get(struct ct_bytes v, uint32_t off, uint32_t size,
					  enum ct_reason too_short, enum ct_reason *ret_reason,
					  uint32_t detail[static 2])
{
	uint64_t need = (uint64_t)off + size;

	if (need <= v.cap)
		return v.data + off;
	*ret_reason = need <= v.len ? CT_REASON_COPY_RANGE : too_short;
	detail[0] = need <= v.len ? v.cap : v.len;
	detail[1] = (uint32_t)need;
	return NULL;
}

static inline uint16_t ct_read_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t ct_read_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* A value in wire order, to be stored and compared as it is. */
static inline uint16_t ct_be16(uint16_t v)
{
	const uint8_t b[] = {(uint8_t)(v >> 8), (uint8_t)v};

	memcpy(&v, b, sizeof(v));
	return v;
}

/* Two bytes as they are: a value that stays in wire order. */
static inline uint16_t ct_read_raw16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}
