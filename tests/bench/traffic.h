/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Packets for the engine's benchmark: headers only, made in place, as fast as can be.
 */

#include <stdint.h>

#include "core/core.h"

#define TRAFFIC_BYTES 96

struct traffic_packet {
	struct ct_input in;
	uint8_t bytes[TRAFFIC_BYTES];
};

/* Each makes packet n of a stream over so many flows, with in filled in but for the time. */

/* Questions and answers in turn, flow after flow. */
void traffic_udp(struct traffic_packet *p, uint32_t n, uint32_t flows);
void traffic_udp6(struct traffic_packet *p, uint32_t n, uint32_t flows);

/* One way: each flow after the other, or in an order that no cache can guess. */
void traffic_udp_each(struct traffic_packet *p, uint32_t n, uint32_t flows);
void traffic_udp_scattered(struct traffic_packet *p, uint32_t n, uint32_t flows);

/* The latter over flows from first on. */
void traffic_udp_any(struct traffic_packet *p, uint32_t n, uint32_t first, uint32_t flows);

/* For each flow: the handshake, then data from both sides, 4 packets at a time. */
void traffic_tcp(struct traffic_packet *p, uint32_t n, uint32_t flows);

/* Of 16 packets 10 are TCP, 4 UDP, 1 an echo and 1 a UDP flow that ends with it. */
void traffic_mixed(struct traffic_packet *p, uint32_t n, uint32_t flows);
