/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/nflog.h"

#include <linux/netfilter/nfnetlink_log.h>
#include <stddef.h>
#include <string.h>

#include "core/core.h"

#define HEADER_LEN 4 /* family, version, group */
#define ATTR_HLEN  4
#define AT_HOOK	   2 /* behind the ethertype */

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void read_attr(struct nflog *n, uint16_t type, const uint8_t *value, uint32_t len)
{
	uint32_t number = len >= 4 ? be32(value) : 0;

	switch (type) {
	case NFULA_PACKET_HDR:
		if (len <= AT_HOOK)
			return;
		n->ethertype = (uint16_t)(value[0] << 8 | value[1]);
		n->hook = value[AT_HOOK] < CT_HOOK_NONE ? value[AT_HOOK] : CT_HOOK_NONE;
		return;
	case NFULA_MARK:
		n->mark = number;
		return;
	case NFULA_IFINDEX_INDEV:
		n->iif = number;
		return;
	case NFULA_IFINDEX_OUTDEV:
		n->oif = number;
		return;
	}
}

bool nflog_parse(const uint8_t *message, uint32_t len, struct nflog *ret)
{
	uint32_t at = HEADER_LEN;

	if (len < HEADER_LEN)
		return false;
	*ret = (struct nflog){.family = message[0], .hook = CT_HOOK_NONE};
	while (len - at >= ATTR_HLEN) {
		uint32_t left = len - at - ATTR_HLEN, step;
		uint16_t attr_len, type;

		memcpy(&attr_len, message + at, sizeof(attr_len));
		memcpy(&type, message + at + sizeof(attr_len), sizeof(type));
		if (attr_len < ATTR_HLEN)
			return false;
		if (type == NFULA_PAYLOAD) {
			ret->payload = message + at + ATTR_HLEN;
			ret->len = attr_len - ATTR_HLEN;
			ret->caplen = ret->len < left ? ret->len : left;
			return true;
		}
		if (attr_len - ATTR_HLEN > (int64_t)left)
			return false;
		read_attr(ret, type, message + at + ATTR_HLEN, attr_len - ATTR_HLEN);
		step = (attr_len + 3U) & ~3U;
		if (step > len - at)
			return false;
		at += step;
	}
	return false;
}
