/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a connection tracking table holds about a packet: the kernel's, and the engine's. */

#include "core/core.h"

struct mnl_socket;

struct entry {
	bool alive;	 /* all below is zero otherwise */
	enum ct_dir dir; /* the packet's within it */
	struct ct_tuple orig;
	uint8_t state; /* of TCP and SCTP */
	uint16_t status;
	uint32_t timeout;			      /* seconds, rounded down */
	uint8_t flags[CT_DIR_MAX], scale[CT_DIR_MAX]; /* TCP */
	uint32_t vtag[CT_DIR_MAX];		      /* SCTP */
};

/*
 * The tuple that the bytes of a packet name, of an ICMP error that of the packet it quotes. False:
 * they name none. Ids that are not in the packet are those that the engine knows.
 */
bool entry_tuple(struct ct *ct, const uint8_t *data, size_t len, uint8_t family,
		 struct ct_tuple *ret);

/*
 * Asks the kernel over a ctnetlink socket for the entries of n tuples at once; tuples[i] NULL: none
 * is asked for. Returns 0 or -errno.
 */
int entry_ask_kernel(struct mnl_socket *nl, const struct ct_tuple *const tuples[],
		     struct entry entries[], size_t n);

/* Reads the engine's entry at this moment. */
void entry_ask_engine(const struct ct *ct, const struct ct_tuple *t, uint64_t now_ns,
		      struct entry *ret);

/* Deadline of the engine's entry on its clock, 0: there is none; *ret_stream_ns that of UDP. */
uint64_t entry_deadline(const struct ct *ct, const struct ct_tuple *t, uint64_t *ret_stream_ns);

/*
 * The first thing in which two entries differ, NULL if they do not. Timeouts may differ by a
 * second, since each side rounds down.
 */
const char *entry_difference(const struct entry *a, const struct entry *b);

/* "ESTABLISHED 0xe 300 flags 0x3/0x23 scale 7/7", "gone"; returns buf. */
#define ENTRY_STRLEN 128
char *entry_to_str(const struct entry *e, char buf[static ENTRY_STRLEN]);
