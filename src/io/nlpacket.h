/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * One netlink message of an NFQUEUE socket, taken apart. Pure: bytes in, values out.
 *
 * Everything is checked against the bytes at hand, because a datagram may be cut (a buffer smaller
 * than the message) and because nothing is gained by trusting it. A packet whose attributes are
 * broken is told apart from rubbish as long as its id can be read: it waits in the kernel for a
 * verdict like any other.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum nlpacket_kind {
	NLPACKET_END,	 /* nothing more in the datagram */
	NLPACKET_PACKET, /* a packet, every field filled in */
	NLPACKET_BROKEN, /* a packet of which only id and queue are known */
	NLPACKET_ANSWER, /* the kernel's answer to a message of ours: seq, error */
	NLPACKET_OTHER,	 /* nothing for us, or a packet without a readable id */
};

struct nlpacket {
	/* PACKET and BROKEN */
	uint32_t id; /* the queue's number for the packet, counting up by 1 */
	uint16_t queue;
	/* PACKET */
	uint8_t family; /* nfgen_family: AF_INET, AF_INET6, another of the kernel's NFPROTO_*, 0 */
	uint8_t hook;	/* enum nf_inet_hooks */
	bool csum_unverified;
	const uint8_t *data; /* starts at the IP header; inside the datagram; NULL without bytes */
	uint32_t caplen;
	uint32_t len; /* of the packet, >= caplen */
	uint32_t mark;
	uint32_t iif, oif; /* 0: none */
	/* ANSWER */
	uint32_t seq;
	int error; /* 0 (acknowledged) or -errno */
};

/*
 * Reads the message at *pos of a datagram of len bytes (4-byte aligned) and moves *pos behind it.
 * ret is filled in as far as the kind says.
 */
enum nlpacket_kind nlpacket_next(const uint8_t *datagram, size_t len, size_t *pos,
				 struct nlpacket *ret);
