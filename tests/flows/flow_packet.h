/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Bytes of the packets of a script. */

#include <stddef.h>
#include <stdint.h>

#include "tests/flows/flow_script.h"

#define FLOW_BYTES_MAX 10240

struct flow_bytes {
	uint8_t data[FLOW_BYTES_MAX];
	size_t len;
};

/*
 * Address of a host. Each number (1..65535) is a network of its own, so that scripts with different
 * numbers never meet: A 10.1.n, A2 10.3.n, B 10.2.n, B2 10.4.n, R 10.9.n; the same below fd00:.
 */
union ct_addr flow_host_addr(enum flow_host host, uint8_t family, uint16_t number);

/* True: the packet comes in from the client's side. */
bool flow_packet_from_client(const struct flow_packet *p);

/*
 * Builds the packet beginning with its IP header, all lengths and checksums correct except where
 * the script says otherwise. family is CT_AF_INET or CT_AF_INET6. Returns 0, or -EINVAL if it
 * cannot exist in this family or is too long.
 */
int flow_packet_build(const struct flow_packet *p, uint8_t family, uint16_t number,
		      struct flow_bytes *ret);

/* Makes the lengths and the checksum of the IP header those of the bytes that are there. */
void flow_packet_fit(struct flow_bytes *b, uint8_t family);

/*
 * The tuple of the packet's own direction; of an ICMP error that of the packet it quotes. False if
 * there is none (family without such a message).
 */
bool flow_packet_tuple(const struct flow_packet *p, uint8_t family, uint16_t number,
		       struct ct_tuple *ret);
