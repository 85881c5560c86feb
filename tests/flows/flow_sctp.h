/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Chunks of SCTP packets: names, words, bytes and the checksum (RFC 9260). */

#include <stdio.h>

#include "tests/flows/flow_lex.h"
#include "tests/flows/flow_script.h"

/* Name in scripts, type, usual bytes behind the header of a chunk. */
#define FLOW_CHUNK_LIST(X)                                                                         \
	X("data", 0, 16)                                                                           \
	X("init", 1, 16)                                                                           \
	X("init-ack", 2, 16)                                                                       \
	X("sack", 3, 12)                                                                           \
	X("heartbeat", 4, 8)                                                                       \
	X("heartbeat-ack", 5, 8)                                                                   \
	X("abort", 6, 0)                                                                           \
	X("shutdown", 7, 4)                                                                        \
	X("shutdown-ack", 8, 0)                                                                    \
	X("error", 9, 4)                                                                           \
	X("cookie-echo", 10, 8)                                                                    \
	X("cookie-ack", 11, 0)                                                                     \
	X("ecne", 12, 4)                                                                           \
	X("cwr", 13, 4)                                                                            \
	X("shutdown-complete", 14, 0)                                                              \
	X("auth", 15, 8)                                                                           \
	X("asconf-ack", 0x80, 4)                                                                   \
	X("forward-tsn", 0xc0, 4)                                                                  \
	X("asconf", 0xc1, 12)

/* Makes *c a correct chunk of a type. */
void flow_chunk_init(struct flow_chunk *c, unsigned int type);

/* True: the word names a chunk. */
bool flow_chunk_is(const char *word);

/* Adds the chunk that the word says, "init(tag=7)", to the packet. Returns 0 or -EINVAL. */
int flow_chunk_take(struct flow_lex *l, const char *word, struct flow_packet *p);

/* Writes the chunks of a packet as a script does, each with a blank before it. */
void flow_chunk_print(FILE *f, const struct flow_packet *p);

/* Bytes of the chunks of a packet, padded to words; at most cap. Returns their number. */
size_t flow_chunk_bytes(const struct flow_packet *p, uint8_t *ret, size_t cap);

/* CRC32c, bit by bit: what the checksum field holds, lowest byte first. */
uint32_t flow_sctp_checksum(const uint8_t *bytes, size_t n);
