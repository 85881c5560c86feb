/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/differential/fragment.h"

#include <string.h>

#define FIRST_MIN 64 /* a TCP header with all its options, and a bit */
#define HEADER4	  20
#define HEADER6	  40
#define FRAGMENT6 8 /* the fragment header */

static void put_header4(const struct flow_bytes *whole, uint32_t id, size_t offset, bool more,
			struct flow_bytes *b)
{
	memcpy(b->data, whole->data, HEADER4); /* with the id, of 16 bits */
	b->data[6] = (uint8_t)((more ? 0x20 : 0) | offset >> 11);
	b->data[7] = (uint8_t)(offset >> 3);
	b->len = HEADER4;
}

static void put_header6(const struct flow_bytes *whole, uint32_t id, size_t offset, bool more,
			struct flow_bytes *b)
{
	memcpy(b->data, whole->data, HEADER6);
	memset(b->data + HEADER6, 0, FRAGMENT6);
	b->data[HEADER6] = whole->data[6];
	b->data[6] = 44;
	b->data[HEADER6 + 2] = (uint8_t)(offset >> 8);
	b->data[HEADER6 + 3] = (uint8_t)((offset & 0xf8) | more);
	memcpy(b->data + HEADER6 + 4, &id, sizeof(id));
	b->len = HEADER6 + FRAGMENT6;
}

size_t fragment_split(const struct flow_bytes *whole, uint8_t family, uint32_t id, unsigned int n,
		      struct flow_bytes ret[static FRAGMENT_MAX])
{
	size_t header = family == CT_AF_INET ? HEADER4 : HEADER6, payload = whole->len - header;
	size_t size = payload / (n ? n : 1) / 8 * 8, count = 0;

	if (size < FIRST_MIN)
		size = FIRST_MIN;
	if (n < 2 || payload <= size)
		return 0;
	for (size_t offset = 0; offset < payload; offset += size) {
		struct flow_bytes *b = &ret[count++];
		bool last = count == n || offset + size >= payload;
		size_t len = last ? payload - offset : size;

		(family == CT_AF_INET ? put_header4 : put_header6)(whole, id, offset, !last, b);
		memcpy(b->data + b->len, whole->data + header + offset, len);
		b->len += len;
		flow_packet_fit(b, family);
		if (last)
			break;
	}
	return count;
}
