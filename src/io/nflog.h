/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * One message of an NFLOG rule, as captures with the link type NFLOG hold it. Pure.
 *
 * The header of an attribute is in the byte order of whoever reads the file (libpcap sees to that),
 * what it holds in network order.
 */

#include <stdbool.h>
#include <stdint.h>

struct nflog {
	const uint8_t *payload; /* the packet */
	uint32_t caplen;	/* bytes of it that are there */
	uint32_t len;		/* bytes of it that the rule copied */
	uint16_t ethertype;	/* 0: not told */
	uint8_t family;		/* as the kernel numbers them */
	uint8_t hook;		/* enum ct_hook, CT_HOOK_NONE: not told */
	uint32_t mark, iif, oif;
};

/* Reads a message of len bytes. False: no packet is reached; *ret is then undefined. */
bool nflog_parse(const uint8_t *message, uint32_t len, struct nflog *ret);
