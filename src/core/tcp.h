/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The parts of the TCP tracker: tables (tcp_fsm.c), window (tcp_window.c), glue (tcp.c). */

#include "core/proto.h"

#define CT_TCP_FIN_FLAG 0x01
#define CT_TCP_SYN_FLAG 0x02
#define CT_TCP_RST_FLAG 0x04
#define CT_TCP_PSH_FLAG 0x08
#define CT_TCP_ACK_FLAG 0x10
#define CT_TCP_URG_FLAG 0x20
#define CT_TCP_ECE_FLAG 0x40
#define CT_TCP_CWR_FLAG 0x80

enum ct_tcp_state {
#define X(name, value) CT_TCP_STATE_##name = value,
	CT_TCP_STATE_LIST(X)
#undef X
		CT_TCP_STATE_MAX,
	/* results of the table that are not states */
	CT_TCP_INVALID = 10,
	CT_TCP_IGNORE = 11,
};

/* What a segment is to the state machine (semantics 4.1). */
enum ct_tcp_index {
#define X(name, str) CT_TCP_##name,
	CT_TCP_INDEX_LIST(X)
#undef X
		CT_TCP_INDEX_MAX
};

/* Flags of one side, with the kernel's numbers (semantics 4.1). */
enum ct_tcp_flag {
#define X(name, value) CT_TCP_##name = value,
	CT_TCP_FLAG_LIST(X)
#undef X
};

/* Folds the flag byte of a header to its index. */
enum ct_tcp_index ct_tcp_index(uint8_t flags);

/* Is this a combination of flags that some stack sends (semantics 4.2)? */
bool ct_tcp_flags_valid(uint8_t flags);

/* The table of semantics 4.3: a state, CT_TCP_INVALID or CT_TCP_IGNORE. */
uint8_t ct_tcp_fsm(enum ct_dir dir, enum ct_tcp_index index, uint8_t state);

/* Sequence numbers are compared modulo 2^32. */
static inline bool ct_seq_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static inline bool ct_seq_after(uint32_t a, uint32_t b)
{
	return ct_seq_before(b, a);
}

/* Reads window scale and SACK-permitted from the options of a SYN (semantics 4.7). */
void ct_tcp_read_options(const struct ct_tcp_seg *seg, uint8_t *scale, uint8_t *flags);

/* The highest right edge of the first well-formed SACK option, or ack if that is higher. */
uint32_t ct_tcp_highest_sack(const struct ct_tcp_seg *seg, uint32_t ack);

/* First packet of a flow: the sender's side (semantics 4.4). */
void ct_tcp_first_syn(struct ct_tcp *tcp, const struct ct_tcp_seg *seg);
void ct_tcp_first_ack(struct ct_tcp *tcp, const struct ct_tcp_seg *seg);

/*
 * What a segment of one side has to keep to, inclusively and modulo 2^32 (semantics 4.6 C): it may
 * not begin behind seq_max nor end before end_min, and acknowledges something within ack_min and
 * ack_max.
 */
struct ct_tcp_bounds {
	uint32_t end_min, seq_max, ack_min, ack_max;
	bool any_end; /* nothing is known of the receiver yet: end_min says nothing */
};

#define CT_TCP_MAXACKWINDOW 66000u

static inline struct ct_tcp_bounds ct_tcp_bounds(const struct ct_tcp_peer *snd,
						 const struct ct_tcp_peer *rcv)
{
	uint32_t back = snd->maxwin > CT_TCP_MAXACKWINDOW ? snd->maxwin : CT_TCP_MAXACKWINDOW;

	return (struct ct_tcp_bounds){
		.end_min = snd->end - rcv->maxwin,
		.seq_max = snd->maxend,
		.ack_min = rcv->end - back,
		.ack_max = rcv->end,
		.any_end = rcv->maxwin == 0,
	};
}

enum ct_window {
	CT_WINDOW_ACCEPT,
	CT_WINDOW_IGNORE,  /* old or harmless: let it through, learn nothing */
	CT_WINDOW_INVALID, /* reason and detail of the step say why */
};

/*
 * The window check (semantics 4.6). Updates both sides' data as far as the packet is believed.
 * state is the flow's state before this packet.
 */
enum ct_window ct_tcp_window(struct ct_step *s, uint8_t state);
