/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * TCP as a table (semantics 4.3).
 *
 * A tracker in the middle sees both sides' segments but neither side's decisions, so its states are
 * guesses about two machines at once: each is named after what the side that moved last is in. The
 * table has a row per kind of segment and direction, and a column per state. It knows neither
 * sequence numbers nor who closed first: in FIN_WAIT any ACK means that the close was noticed.
 *
 * Three cells deserve their reason:
 *
 * - A SYN from the originator in an open connection is IGNOREd, not refused: the connection we know
 *   may be gone at both ends, and then the answer decides (tcp.c, "resync"). From the responder it
 *   is refused, since a server does not open connections to its client's port.
 * - A SYN in TIME_WAIT or CLOSE leads to SYN_SENT: the ports may be used again. The glue replaces
 *   the flow rather than letting it be reborn.
 * - SYN against SYN (REPLY SYN in SYN_SENT) is a simultaneous open and has a state of its own.
 */

#include "core/tcp.h"

#define NO CT_TCP_STATE_NONE
#define SS CT_TCP_STATE_SYN_SENT
#define SR CT_TCP_STATE_SYN_RECV
#define ES CT_TCP_STATE_ESTABLISHED
#define FW CT_TCP_STATE_FIN_WAIT
#define CW CT_TCP_STATE_CLOSE_WAIT
#define LA CT_TCP_STATE_LAST_ACK
#define TW CT_TCP_STATE_TIME_WAIT
#define CL CT_TCP_STATE_CLOSE
#define S2 CT_TCP_STATE_SYN_SENT2
#define IV CT_TCP_INVALID
#define IG CT_TCP_IGNORE

/* clang-format off */
static const uint8_t fsm[CT_DIR_MAX][CT_TCP_INDEX_MAX][CT_TCP_STATE_MAX] = {
	[CT_DIR_ORIGINAL] = {
			       /* NO  SS  SR  ES  FW  CW  LA  TW  CL  S2 */
		[CT_TCP_SYN]    = {SS, SS, IG, IG, IG, IG, IG, SS, SS, S2},
		[CT_TCP_SYNACK] = {IV, IV, SR, IV, IV, IV, IV, IV, IV, SR},
		[CT_TCP_FIN]    = {IV, IV, FW, FW, LA, LA, LA, TW, CL, IV},
		[CT_TCP_ACK]    = {ES, IV, ES, ES, CW, CW, TW, TW, CL, IV},
		[CT_TCP_RST]    = {IV, CL, CL, CL, CL, CL, CL, CL, CL, CL},
		[CT_TCP_NONE]   = {IV, IV, IV, IV, IV, IV, IV, IV, IV, IV},
	},
	[CT_DIR_REPLY] = {
			       /* NO  SS  SR  ES  FW  CW  LA  TW  CL  S2 */
		[CT_TCP_SYN]    = {IV, S2, IV, IV, IV, IV, IV, SS, IV, S2},
		[CT_TCP_SYNACK] = {IV, SR, IG, IG, IG, IG, IG, IG, IG, SR},
		[CT_TCP_FIN]    = {IV, IV, FW, FW, LA, LA, LA, TW, CL, IV},
		[CT_TCP_ACK]    = {IV, IG, SR, ES, CW, CW, TW, TW, CL, IG},
		[CT_TCP_RST]    = {IV, CL, CL, CL, CL, CL, CL, CL, CL, CL},
		[CT_TCP_NONE]   = {IV, IV, IV, IV, IV, IV, IV, IV, IV, IV},
	},
};
/* clang-format on */

uint8_t ct_tcp_fsm(enum ct_dir dir, enum ct_tcp_index index, uint8_t state)
{
	return fsm[dir][index][state];
}

enum ct_tcp_index ct_tcp_index(uint8_t flags)
{
	if (flags & CT_TCP_RST_FLAG)
		return CT_TCP_RST;
	if (flags & CT_TCP_SYN_FLAG)
		return flags & CT_TCP_ACK_FLAG ? CT_TCP_SYNACK : CT_TCP_SYN;
	if (flags & CT_TCP_FIN_FLAG)
		return CT_TCP_FIN;
	return flags & CT_TCP_ACK_FLAG ? CT_TCP_ACK : CT_TCP_NONE;
}

bool ct_tcp_flags_valid(uint8_t flags)
{
	switch (flags & ~(CT_TCP_ECE_FLAG | CT_TCP_CWR_FLAG | CT_TCP_PSH_FLAG)) {
	case CT_TCP_SYN_FLAG:
	case CT_TCP_SYN_FLAG | CT_TCP_URG_FLAG:
	case CT_TCP_SYN_FLAG | CT_TCP_ACK_FLAG:
	case CT_TCP_RST_FLAG:
	case CT_TCP_RST_FLAG | CT_TCP_ACK_FLAG:
	case CT_TCP_FIN_FLAG | CT_TCP_ACK_FLAG:
	case CT_TCP_FIN_FLAG | CT_TCP_ACK_FLAG | CT_TCP_URG_FLAG:
	case CT_TCP_ACK_FLAG:
	case CT_TCP_ACK_FLAG | CT_TCP_URG_FLAG:
		return true;
	default:
		return false;
	}
}
