/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The parts of the SCTP tracker: table (sctp_fsm.c), tags and chunks (sctp.c). */

#include "core/proto.h"

enum ct_sctp_state {
#define X(name, value) CT_SCTP_STATE_##name = value,
	CT_SCTP_STATE_LIST(X)
#undef X
		CT_SCTP_STATE_MAX,
	/* result of the table that is not a state */
	CT_SCTP_INVALID = CT_SCTP_STATE_MAX,
};

/* Types of chunks (RFC 9260, 3.2); any other number may come, too. */
enum ct_sctp_chunk {
#define X(name, type) CT_SCTP_##name = type,
	CT_SCTP_CHUNK_LIST(X)
#undef X
		CT_SCTP_CHUNK_MAX
};

/* The table of semantics 5.7: the state after a chunk of any type, or CT_SCTP_INVALID. */
uint8_t ct_sctp_fsm(enum ct_dir dir, uint8_t chunk, uint8_t state);
