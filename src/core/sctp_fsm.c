/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * SCTP as a table (semantics 5.7).
 *
 * A row per chunk that moves an association and direction, a column per state. As with TCP, states
 * are guesses about two machines by somebody who only sees what they say; unlike TCP, most chunks
 * that come at a wrong moment are harmless, so a cell is refused only where there is nothing yet
 * that they could belong to.
 *
 * Some cells deserve their reason:
 *
 * - An INIT leads to CLOSED, not to COOKIE_WAIT: only its INIT ACK shows that somebody is there.
 * - HEARTBEAT_SENT is the state of a path that a multihomed association tries out: its handshake
 *   went over another pair of addresses, so a HEARTBEAT and its answer have to do. An INIT on it
 *   begins an association of its own, hence COOKIE_WAIT.
 * - NONE is the state of a flow in the making; there is no reply direction then.
 */

#include "core/sctp.h"

#define NO CT_SCTP_STATE_NONE
#define CL CT_SCTP_STATE_CLOSED
#define CW CT_SCTP_STATE_COOKIE_WAIT
#define CE CT_SCTP_STATE_COOKIE_ECHOED
#define ES CT_SCTP_STATE_ESTABLISHED
#define SS CT_SCTP_STATE_SHUTDOWN_SENT
#define SR CT_SCTP_STATE_SHUTDOWN_RECD
#define SA CT_SCTP_STATE_SHUTDOWN_ACK_SENT
#define HS CT_SCTP_STATE_HEARTBEAT_SENT
#define IV CT_SCTP_INVALID

/* clang-format off */
static const uint8_t fsm[CT_DIR_MAX][CT_SCTP_CHUNK_MAX][CT_SCTP_STATE_MAX] = {
	[CT_DIR_ORIGINAL] = {
					     /* NO  CL  CW  CE  ES  SS  SR  SA  HS */
		[CT_SCTP_INIT]              = {CL, CL, CW, CE, ES, CL, CL, SA, CW},
		[CT_SCTP_INIT_ACK]          = {CL, CL, CW, CE, ES, SS, SR, SA, CL},
		[CT_SCTP_ABORT]             = {CL, CL, CL, CL, CL, CL, CL, CL, CL},
		[CT_SCTP_SHUTDOWN]          = {CL, CL, CW, CE, SS, SS, SR, SA, CL},
		[CT_SCTP_SHUTDOWN_ACK]      = {SA, CL, CW, CE, ES, SA, SA, SA, SA},
		[CT_SCTP_ERROR]             = {CL, CL, CW, CE, ES, SS, SR, SA, CL},
		[CT_SCTP_COOKIE_ECHO]       = {CL, CL, CE, CE, ES, SS, SR, SA, CL},
		[CT_SCTP_COOKIE_ACK]        = {CL, CL, CW, ES, ES, SS, SR, SA, CL},
		[CT_SCTP_SHUTDOWN_COMPLETE] = {CL, CL, CW, CE, ES, SS, SR, CL, CL},
		[CT_SCTP_HEARTBEAT]         = {HS, CL, CW, CE, ES, SS, SR, SA, HS},
		[CT_SCTP_HEARTBEAT_ACK]     = {CL, CL, CW, CE, ES, SS, SR, SA, HS},
	},
	[CT_DIR_REPLY] = {
					     /* NO  CL  CW  CE  ES  SS  SR  SA  HS */
		[CT_SCTP_INIT]              = {IV, CL, CW, CE, ES, SS, SR, SA, IV},
		[CT_SCTP_INIT_ACK]          = {IV, CW, CW, CE, ES, SS, SR, SA, IV},
		[CT_SCTP_ABORT]             = {IV, CL, CL, CL, CL, CL, CL, CL, IV},
		[CT_SCTP_SHUTDOWN]          = {IV, CL, CW, CE, SR, SS, SR, SA, IV},
		[CT_SCTP_SHUTDOWN_ACK]      = {IV, CL, CW, CE, ES, SA, SA, SA, IV},
		[CT_SCTP_ERROR]             = {IV, CL, CW, CL, ES, SS, SR, SA, IV},
		[CT_SCTP_COOKIE_ECHO]       = {IV, CL, CE, CE, ES, SS, SR, SA, IV},
		[CT_SCTP_COOKIE_ACK]        = {IV, CL, CW, ES, ES, SS, SR, SA, IV},
		[CT_SCTP_SHUTDOWN_COMPLETE] = {IV, CL, CW, CE, ES, SS, SR, CL, IV},
		[CT_SCTP_HEARTBEAT]         = {IV, CL, CW, CE, ES, SS, SR, SA, HS},
		[CT_SCTP_HEARTBEAT_ACK]     = {IV, CL, CW, CE, ES, SS, SR, SA, ES},
	},
};
/* clang-format on */

/* Chunks that have a row. */
static bool moves(uint8_t chunk)
{
	switch (chunk) {
	case CT_SCTP_DATA:
	case CT_SCTP_SACK:
		return false;
	default:
		return chunk <= CT_SCTP_COOKIE_ACK || chunk == CT_SCTP_SHUTDOWN_COMPLETE;
	}
}

uint8_t ct_sctp_fsm(enum ct_dir dir, uint8_t chunk, uint8_t state)
{
	return moves(chunk) ? fsm[dir][chunk][state] : state;
}
