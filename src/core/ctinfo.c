/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Stage 5: what a packet is to the rest of the system, and how the mark says it.
 *
 * ESTABLISHED has the number 0, which is also what a packet without a mark shows. The ctinfo
 * encoding therefore sets bit 3 on every packet that was judged. The flags encoding gives each
 * property a bit of its own, so that one rule can match a whole class.
 */

#include "core/ctinfo.h"

#define CLASSIFIED 0x8

unsigned int ct_mark_bits(enum ct_encoding encoding)
{
	return encoding == CT_ENCODING_FLAGS ? 7 : 4;
}

static uint32_t class_flag(enum ct_info info)
{
	switch (ct_info_class(info)) {
	case CT_CLASS_NEW:
		return CT_MARK_NEW;
	case CT_CLASS_ESTABLISHED:
		return CT_MARK_ESTABLISHED;
	case CT_CLASS_RELATED:
		return CT_MARK_RELATED;
	case CT_CLASS_UNTRACKED:
		return CT_MARK_UNTRACKED;
	default:
		return CT_MARK_INVALID;
	}
}

static uint32_t flags_value(enum ct_info info, uint16_t status)
{
	uint32_t value = class_flag(info);

	if (ct_info_dir(info) == CT_DIR_REPLY)
		value |= CT_MARK_REPLY;
	if (status & CT_STATUS_ASSURED)
		value |= CT_MARK_ASSURED;
	return value;
}

uint32_t ct_mark_encode(const struct ct_mark *m, uint32_t old, enum ct_info info, uint16_t status)
{
	uint32_t value = m->encoding == CT_ENCODING_FLAGS ? flags_value(info, status)
							  : (uint32_t)CLASSIFIED | info;

	return (old & ~m->mask) | (value << m->shift & m->mask);
}

static bool decode_ctinfo(uint32_t value, enum ct_info *ret_info)
{
	if (!(value & CLASSIFIED) || value > 0xf)
		return false;
	switch (value & 7) {
#define X(name, number, str, class)                                                                \
	case number:                                                                               \
		*ret_info = CT_INFO_##name;                                                        \
		return true;
		CT_INFO_LIST(X)
#undef X
	}
	return false;
}

static bool decode_flags(uint32_t value, enum ct_info *ret_info)
{
	switch (value & ~(uint32_t)CT_MARK_ASSURED) {
	case CT_MARK_NEW:
		*ret_info = CT_INFO_NEW;
		return true;
	case CT_MARK_ESTABLISHED:
		*ret_info = CT_INFO_ESTABLISHED;
		return true;
	case CT_MARK_ESTABLISHED | CT_MARK_REPLY:
		*ret_info = CT_INFO_ESTABLISHED_REPLY;
		return true;
	case CT_MARK_RELATED:
		*ret_info = CT_INFO_RELATED;
		return true;
	case CT_MARK_RELATED | CT_MARK_REPLY:
		*ret_info = CT_INFO_RELATED_REPLY;
		return true;
	case CT_MARK_INVALID:
		*ret_info = CT_INFO_INVALID;
		return true;
	case CT_MARK_UNTRACKED:
		*ret_info = CT_INFO_UNTRACKED;
		return true;
	default:
		return false;
	}
}

bool ct_mark_decode(const struct ct_mark *m, uint32_t mark, enum ct_info *ret_info)
{
	uint32_t value = (mark & m->mask) >> m->shift;

	return m->encoding == CT_ENCODING_FLAGS ? decode_flags(value, ret_info)
						: decode_ctinfo(value, ret_info);
}

enum ct_dir ct_info_dir(enum ct_info info)
{
	return info == CT_INFO_ESTABLISHED_REPLY || info == CT_INFO_RELATED_REPLY ? CT_DIR_REPLY
										  : CT_DIR_ORIGINAL;
}

enum ct_class ct_info_class(enum ct_info info)
{
	switch (info) {
#define X(name, value, str, class)                                                                 \
	case CT_INFO_##name:                                                                       \
		return CT_CLASS_##class;
		CT_INFO_LIST(X)
#undef X
	default:
		return CT_CLASS_INVALID;
	}
}
