/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "log/meaning.h"

#include <netinet/in.h>

#include "core/event.h"

/* A state without a sentence, or a sentence without a state, does not compile. */
enum tcp_state {
#define X(name, number) TCP_##name = (number),
	CT_TCP_STATE_LIST(X)
#undef X
};

enum sctp_state {
#define X(name, number) SCTP_##name = (number),
	CT_SCTP_STATE_LIST(X)
#undef X
};

static const char *tcp_state(enum tcp_state state)
{
	switch (state) {
	case TCP_NONE:
		return "no packet of it has counted yet";
	case TCP_SYN_SENT:
		return "a SYN was sent and is not answered yet";
	case TCP_SYN_RECV:
		return "the SYN was answered; the ACK that opens the connection is due";
	case TCP_ESTABLISHED:
		return "the connection is open";
	case TCP_FIN_WAIT:
		return "one side has sent its FIN, which is not acknowledged yet";
	case TCP_CLOSE_WAIT:
		return "the FIN of one side is acknowledged; the other side may go on sending";
	case TCP_LAST_ACK:
		return "both sides have sent their FIN; the last acknowledgement is due";
	case TCP_TIME_WAIT:
		return "closed in order, and kept for segments that may still be under way";
	case TCP_CLOSE:
		return "ended by a RST, and kept for a moment";
	case TCP_SYN_SENT2:
		return "both sides have sent a SYN to each other";
	}
	return "";
}

static const char *sctp_state(enum sctp_state state)
{
	switch (state) {
	case SCTP_NONE:
		return "no packet of it has counted yet";
	case SCTP_CLOSED:
		return "the association is not open yet, or not any more";
	case SCTP_COOKIE_WAIT:
		return "an INIT was sent; the cookie is to be sent back";
	case SCTP_COOKIE_ECHOED:
		return "the cookie was sent back; its acknowledgement is due";
	case SCTP_ESTABLISHED:
		return "the association is open";
	case SCTP_SHUTDOWN_SENT:
		return "the side that began it has sent SHUTDOWN";
	case SCTP_SHUTDOWN_RECD:
		return "the side that was called has sent SHUTDOWN";
	case SCTP_SHUTDOWN_ACK_SENT:
		return "the SHUTDOWN is acknowledged; SHUTDOWN COMPLETE is due";
	case SCTP_HEARTBEAT_SENT:
		return "a HEARTBEAT came on a path of an association that was not seen opening";
	}
	return "";
}

const char *meaning_of_state(uint8_t l4proto, uint8_t state)
{
	if (l4proto == IPPROTO_TCP)
		return tcp_state((enum tcp_state)state);
	if (l4proto == IPPROTO_SCTP)
		return sctp_state((enum sctp_state)state);
	return "";
}

static const char *status_bit(enum ct_status bit)
{
	switch (bit) {
	case CT_STATUS_EXPECTED:
		return "a helper announced it; its first packets are RELATED";
	case CT_STATUS_SEEN_REPLY:
		return "packets have come in both directions, so they are ESTABLISHED";
	case CT_STATUS_ASSURED:
		return "both sides have taken part, so it never has to make room in a full table";
	case CT_STATUS_CONFIRMED:
		return "its first packet was let through, and it is in the table";
	case CT_STATUS_DYING:
		return "it is about to end";
	case CT_STATUS_HELPER:
		return "a helper reads its packets, by Helpers=";
	}
	return "";
}

const char *meaning_of_status(uint16_t bit)
{
	if (bit == 0)
		return "no packet has come back yet, so none is ESTABLISHED";
	return status_bit((enum ct_status)bit);
}
