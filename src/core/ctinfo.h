/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/event.h"

/* Encoding= of the mark (ctmarkd.conf(5)). */
enum ct_encoding { CT_ENCODING_CTINFO, CT_ENCODING_FLAGS };

/* Bits of Encoding=flags, before the shift. */
enum ct_mark_flag {
	CT_MARK_NEW = 0x01,
	CT_MARK_ESTABLISHED = 0x02,
	CT_MARK_RELATED = 0x04,
	CT_MARK_INVALID = 0x08,
	CT_MARK_UNTRACKED = 0x10,
	CT_MARK_REPLY = 0x20,
	CT_MARK_ASSURED = 0x40,
};

struct ct_mark {
	uint32_t mask;	  /* contiguous; at least 4 bits for ctinfo, 7 for flags */
	uint8_t shift;	  /* lowest set bit of mask */
	uint8_t encoding; /* enum ct_encoding */
};

/* Bits that Encoding= needs in Mask=. */
unsigned int ct_mark_bits(enum ct_encoding encoding);

/*
 * The mark of a packet: (old & ~mask) | (value << shift). status is that of the flow, 0 without
 * one; only ASSURED matters, and only to Encoding=flags.
 */
uint32_t ct_mark_encode(const struct ct_mark *m, uint32_t old, enum ct_info info, uint16_t status);

/* Reads a class back. False: the mark carries none (not seen, or bits no encoder writes). */
bool ct_mark_decode(const struct ct_mark *m, uint32_t mark, enum ct_info *ret_info);

/* Direction of a ctinfo; INVALID and UNTRACKED count as original. */
enum ct_dir ct_info_dir(enum ct_info info);
enum ct_class ct_info_class(enum ct_info info);
