/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * From a captured frame to the IP packet in it, and what else a capture says of that packet. Pure.
 *
 * Link types are those of pcap-linktype(7), by the numbers that files carry.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINK_VLANS_MAX 2

/* What is known of a captured packet beside its bytes. */
struct link_packet {
	const uint8_t *data;	       /* the IP packet, within the frame */
	uint32_t caplen;	       /* bytes of it that were captured */
	uint32_t len;		       /* bytes of it that were on the wire, at least caplen */
	uint8_t family;		       /* CT_AF_INET or CT_AF_INET6 */
	uint8_t hook;		       /* enum ct_hook, from NFLOG; CT_HOOK_NONE: not told */
	bool outgoing;		       /* sent by the machine that captured it, which is known */
	bool has_mark;		       /* the capture carries marks (NFLOG) */
	uint32_t mark;		       /* 0 where the packet had none */
	uint32_t iif, oif;	       /* interface numbers, 0: not told */
	uint8_t nvlans;		       /* VLAN tags, outermost first */
	uint16_t vlan[LINK_VLANS_MAX]; /* their ids, of at most two */
};

enum link_result {
	LINK_IP,    /* *ret is filled in */
	LINK_OTHER, /* not IP: ARP, spanning tree, ... */
	LINK_SHORT, /* captured too short to reach the IP header */
};

/*
 * Finds the IP packet in a frame of caplen captured bytes, which had len on the wire. What the
 * frame holds behind the packet (padding) is left out, by the length in the IP header; where that
 * is 0, as in packets that a network card was still to split, the length on the wire is meant. Any
 * bytes are allowed. A link type that link_refused() has something against gives LINK_OTHER.
 */
enum link_result link_parse(int linktype, const uint8_t *frame, uint32_t caplen, uint32_t len,
			    struct link_packet *ret);

/* NULL, or why frames of a link type cannot be read and what to do, in words without a subject. */
const char *link_refused(int linktype);

/* Do captures of this link type carry marks? */
bool link_has_marks(int linktype);
