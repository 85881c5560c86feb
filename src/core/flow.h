/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * One flow in memory: private to src/core, shared by its stages.
 *
 * Entries have a fixed size and refer to each other by index, never by pointer, so the arena can
 * be mapped anywhere, by another process too. Index 0 means "none".
 *
 * The reply tuple is the inversion of orig and is not stored. A flow whose replies come from
 * elsewhere (NAT) would own a second entry holding that tuple; nothing creates one yet.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/core.h"

/* Is there a flow in a slot? Zero is what free memory says. */
enum ct_life {
	CT_LIFE_NONE,
	CT_LIFE_WHOLE,	  /* complete, and in the table */
	CT_LIFE_CHANGING, /* the same, and a packet is at work on it */
};

/* What one side of a TCP connection has sent and allows (semantics 4.1). */
struct ct_tcp_peer {
	uint32_t end;	 /* highest sequence number sent, plus one */
	uint32_t maxend; /* the furthest the other side lets it send */
	uint32_t maxwin; /* the largest window it offered; 0: nothing seen of it yet */
	uint32_t maxack; /* the highest acknowledgement it sent, if MAXACK_SET */
};

struct ct_tcp {
	struct ct_tcp_peer peer[CT_DIR_MAX];
	uint32_t last_seq, last_ack, last_end;
	uint16_t last_win; /* as on the wire: not scaled */
	uint8_t scale[CT_DIR_MAX];
	uint8_t flags[CT_DIR_MAX]; /* enum ct_tcp_flag */
	uint8_t last_dir, last_index;
	uint8_t last_wscale, last_flags;
	uint8_t retrans;
};

struct ct_udp {
	uint64_t stream_ns; /* after this moment two-way traffic is a stream */
};

/* An SCTP association, as far as its packets can be told from others (semantics 5.7). */
struct ct_sctp {
	uint32_t vtag[CT_DIR_MAX]; /* what packets of this direction carry, 0: not known */
	bool init[CT_DIR_MAX];	   /* this side has sent an INIT, and no COOKIE ACK came since */
	bool doubted;		   /* a HEARTBEAT had another tag */
	uint8_t last_dir;	   /* its direction */
};

struct ct_gre {
	uint64_t timeout_ns, stream_ns; /* one-way, two-way: as configured when it began */
};

/* What the helper for PPTP knows of its control connection (semantics 6.6). */
struct ct_pptp {
	uint16_t pns_id_be, pac_id_be; /* call ids of client and server */
	uint8_t session, call;	       /* states */
};

/*
 * What only a few flows have: relations to others. In an array beside the flows, under the same
 * index; a record is touched, and valid, only if its flow has a helper or was expected.
 */
struct ct_kin {
	uint64_t master;  /* id of the flow that expected this one, 0: none */
	uint32_t expects; /* newest expectation of this flow; guarded by the expectations' lock */
	/* memory of the flow's helper, zeroed at the start; guarded by the stripe */
	union {
		struct {
			uint32_t line[CT_DIR_MAX][2]; /* sequence numbers where a line begins */
			uint8_t lines[CT_DIR_MAX];    /* how many of them are known */
		} ftp;
		struct {
			uint32_t invite, reg; /* CSeq of the last INVITE and REGISTER */
		} sip;
		struct ct_pptp pptp;
		struct {
			uint8_t armed; /* the last request was NET_START */
		} sane;
	} priv;
};

/*
 * In the order of use: what every packet needs comes first, what only a new or an ending flow needs
 * comes last, so that a packet touches two or three cache lines of an entry.
 */
struct ct_flow {
	/* immutable while in the table */
	struct ct_tuple orig;
	uint32_t hash; /* of orig and of its inversion */

	/* links; guarded by the lock of the stripe, or of the free list */
	uint32_t next;
	uint32_t generation; /* of this slot: part of the flow id */

	/* mutable, guarded by the lock of the stripe */
	uint16_t status;     /* enum ct_status */
	uint16_t timer_tick; /* low bits of the tick at which the wheel looks at it */
	uint8_t state;	     /* of the protocol */
	uint8_t helper;	     /* enum ct_helper_id */
	uint8_t life;	     /* enum ct_life; written behind what it says */
	uint8_t death;	     /* enum ct_death, if it was ended before its time */
	uint32_t print;	     /* unconfirmed: hash of the packet that made it */
	uint64_t expires_ns; /* unconfirmed: when it is given up */
	uint64_t packets[CT_DIR_MAX], bytes[CT_DIR_MAX];
	union {
		struct ct_tcp tcp;
		struct ct_udp udp;
		struct ct_sctp sctp;
		struct ct_gre gre;
	} l4;
	uint64_t lifetime_ns; /* unconfirmed: what it lives from its confirmation on */
	uint32_t timer_prev, timer_next;
};

/* With its 8 to 16 bytes of the index a flow stays within the budget of 192 bytes. */
_Static_assert(sizeof(struct ct_flow) <= 176, "flow entry outgrew its budget");

/*
 * What a process leaves behind is read by another one after it was killed between two instructions:
 * so the compiler must not move what was written before, or is written later, past this.
 */
static inline void ct_store_behind(uint8_t *at, uint8_t value)
{
	atomic_signal_fence(memory_order_seq_cst);
	*(volatile uint8_t *)at = value;
	atomic_signal_fence(memory_order_seq_cst);
}

/*
 * The hash is written in one piece, and may be read by somebody who knows the slot but not the flow
 * in it, and so does not know which lock guards it.
 */
static inline void ct_flow_set_hash(struct ct_flow *f, uint32_t hash)
{
	__atomic_store_n(&f->hash, hash, __ATOMIC_RELAXED);
}

static inline uint32_t ct_flow_any_hash(const struct ct_flow *f)
{
	return __atomic_load_n(&f->hash, __ATOMIC_RELAXED);
}

static inline void ct_flow_mark(struct ct_flow *f, enum ct_life life)
{
	*(volatile uint8_t *)&f->life = (uint8_t)life;
}

static inline void ct_flow_set_life(struct ct_flow *f, enum ct_life life)
{
	ct_store_behind(&f->life, (uint8_t)life);
}
