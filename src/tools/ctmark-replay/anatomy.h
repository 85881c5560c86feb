/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What an account of a packet says of its headers. Read with the engine's means. Pure. */

#include "core/core.h"
#include "core/pkt.h"
#include "core/step.h"

/* Fields are 0 where the packet does not have them, or not whole. */
struct anatomy {
	bool readable;	  /* ip is complete */
	struct ct_pkt ip; /* addresses and protocol as far as they could be read */
	bool has_tcp;
	struct ct_tcp_seg tcp; /* options point into the packet */
	uint32_t payload;      /* bytes of TCP data */
	bool has_icmp;
	uint8_t type, code;
	bool has_sctp;
	uint32_t vtag;
	uint8_t chunk;	/* type of the first one */
	bool has_tuple; /* named as the engine names it, but for ids of PPTP calls */
	struct ct_tuple tuple;
	uint32_t print; /* tells packets of a flow apart by what an ICMP error quotes of them */
};

/* Any bytes are allowed. */
void anatomy_read(struct anatomy *ret, const struct ct_input *in);

/* The packet that an ICMP error quotes. False: this is none, or it quotes too little. */
bool anatomy_read_quote(struct anatomy *ret, const struct anatomy *error, uint16_t zone);
