/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/link.h"

#include <linux/if_ether.h>

#include "core/core.h"

/* pcap-linktype(7) */
enum { LINKTYPE_ETHERNET = 1, LINKTYPE_RAW = 101, LINKTYPE_RAW_BSD = 12 };

static uint8_t family_of(uint16_t ethertype)
{
	switch (ethertype) {
	case ETH_P_IP:
		return CT_AF_INET;
	case ETH_P_IPV6:
		return CT_AF_INET6;
	default:
		return 0;
	}
}

static enum link_result ip_at(const uint8_t *frame, uint32_t caplen, uint32_t len, uint32_t at,
			      uint8_t family, struct link_packet *ret)
{
	if (family == 0)
		return LINK_OTHER;
	if (caplen <= at)
		return LINK_SHORT;
	ret->data = frame + at;
	ret->caplen = caplen - at;
	ret->len = len - at;
	ret->family = family;
	return LINK_IP;
}

static enum link_result ethernet(const uint8_t *frame, uint32_t caplen, uint32_t len,
				 struct link_packet *ret)
{
	if (caplen < ETH_HLEN)
		return LINK_SHORT;
	return ip_at(frame, caplen, len, ETH_HLEN,
		     family_of((uint16_t)(frame[12] << 8 | frame[13])), ret);
}

static enum link_result raw(const uint8_t *frame, uint32_t caplen, uint32_t len,
			    struct link_packet *ret)
{
	uint8_t version = caplen > 0 ? frame[0] >> 4 : 0;

	if (caplen == 0)
		return LINK_SHORT;
	return ip_at(frame, caplen, len, 0,
		     version == 4   ? CT_AF_INET
		     : version == 6 ? CT_AF_INET6
				    : 0,
		     ret);
}

enum link_result link_parse(int linktype, const uint8_t *frame, uint32_t caplen, uint32_t len,
			    struct link_packet *ret)
{
	*ret = (struct link_packet){.hook = CT_HOOK_NONE};
	if (len < caplen)
		len = caplen;
	switch (linktype) {
	case LINKTYPE_ETHERNET:
		return ethernet(frame, caplen, len, ret);
	case LINKTYPE_RAW:
	case LINKTYPE_RAW_BSD:
		return raw(frame, caplen, len, ret);
	default:
		return LINK_OTHER;
	}
}

const char *link_refused(int linktype)
{
	switch (linktype) {
	case LINKTYPE_ETHERNET:
	case LINKTYPE_RAW:
	case LINKTYPE_RAW_BSD:
		return NULL;
	default:
		return "no known link type";
	}
}
