/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The way of one packet through the engine: what the stages know of it and hand on.
 * Private to src/core.
 */

#include "core/key.h"
#include "core/pkt.h"
#include "core/table.h"

/* A TCP segment as read by its sanity check (semantics 4.6: "packet values"). */
struct ct_tcp_seg {
	uint32_t seq, ack, end;
	uint16_t win; /* not scaled */
	uint8_t flags;
	uint8_t index; /* enum ct_tcp_index */
	const uint8_t *opt;
	uint32_t optlen;
};

/* An SCTP packet as read by its sanity check. */
struct ct_sctp_packet {
	uint32_t vtag;
	uint16_t chunks; /* bits 1 << type of its chunks, for the types up to 15 */
	uint8_t first;	 /* type of the first */
};

/* What a tracker says of a packet (semantics 1.1). */
enum ct_judgement {
	CT_JUDGE_ACCEPT,
	CT_JUDGE_INVALID, /* reason and detail of the step say why */
	CT_JUDGE_REPEAT,  /* the old flow has to go, look up again */
};

/* What is done with a packet. */
enum ct_way {
	CT_WAY_JUDGE,
	CT_WAY_EXIT,	/* it was judged at the entry: its flow may be confirmed */
	CT_WAY_REPEAT,	/* it was judged already */
	CT_WAY_FOREIGN, /* it is not IP */
};

struct ct_proto;

struct ct_step {
	struct ct_thread *th;
	const struct ct_input *in;
	struct ct_result *out;

	/* known from the packet alone, before its turn comes */
	enum ct_way way;
	bool classified; /* the mark says what it is: info */
	bool readable;	 /* the network layer */
	bool named;	 /* tuple and hash are those of its flow */
	struct ct_pkt pkt;
	const struct ct_proto *proto; /* of pkt */
	struct ct_tuple tuple;
	uint32_t hash;			/* of the tuple */
	uint32_t detail[CT_DETAIL_MAX]; /* numbers behind the reason */
	enum ct_reason reason;		/* NONE as long as nothing is wrong */

	/* with the lock of the stripe held */
	uint32_t bucket;
	uint32_t index; /* slot of the flow, 0: none */
	struct ct_flow *flow;
	enum ct_dir dir;
	enum ct_info info;
	bool fresh;   /* the flow is being made by this packet, in draft */
	bool dead;    /* the flow left the table with this packet */
	bool counted; /* the packet counts for the flow */

	uint32_t datagram; /* slot of the datagram whose first fragment this is, 0: none */
	uint32_t datagram_generation;

	struct ct_flow draft; /* a flow in the making: it gets a slot when its packet is accepted */
	uint64_t master;      /* id of the flow that expected the draft, 0: none */
	union {		      /* of its protocol: written by check(), read by track() */
		struct ct_tcp_seg tcp;
		struct ct_sctp_packet sctp;
	};
};

/* Notes why the packet is INVALID, with up to four numbers. */
static inline enum ct_judgement ct_step_invalid(struct ct_step *s, enum ct_reason reason,
						uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	s->reason = reason;
	s->detail[0] = a;
	s->detail[1] = b;
	s->detail[2] = c;
	s->detail[3] = d;
	return CT_JUDGE_INVALID;
}

/*
 * Bytes [0, size) of the transport header, or NULL with reason and detail of the step set.
 */
const uint8_t *ct_step_header(struct ct_step *s, uint32_t size);

/* Verifies the transport checksum if it is our turn (semantics 5.10); false: it is wrong. */
bool ct_step_checksum(struct ct_step *s, uint32_t at);

/* The same for a checksum over the first covered bytes (UDP-Lite). */
bool ct_step_checksum_part(struct ct_step *s, uint32_t at, uint32_t covered);

/* The same for the CRC32c of SCTP; its header is readable. */
bool ct_step_crc32c(struct ct_step *s);

/* The flow's deadline has come nearer: the wheel has to look at it earlier. */
void ct_step_bring_forward(struct ct_step *s);

/* Moves the deadline without counting the packet. That of a draft counts from its confirmation. */
static inline void ct_step_set_deadline(struct ct_step *s, uint64_t timeout_ns)
{
	uint64_t before_ns = s->flow->expires_ns;

	if (!(s->flow->status & CT_STATUS_CONFIRMED)) {
		s->flow->lifetime_ns = timeout_ns; /* (semantics 2) */
		return;
	}
	s->flow->expires_ns = s->in->now_ns + timeout_ns;
	if (s->flow->expires_ns < before_ns)
		ct_step_bring_forward(s);
}

/* Counts the packet without moving the deadline. */
static inline void ct_step_count(struct ct_step *s)
{
	s->counted = true;
	if (!s->th->cfg->accounting)
		return;
	s->flow->packets[s->dir]++;
	s->flow->bytes[s->dir] += s->in->len - s->pkt.frag.header;
}

/* Accepted: the flow lives timeout_ns from now on, and the packet counts (semantics 7.2). */
static inline void ct_step_refresh(struct ct_step *s, uint64_t timeout_ns)
{
	ct_step_set_deadline(s, timeout_ns);
	ct_step_count(s);
}

/* Sets ASSURED, once. */
void ct_step_assure_now(struct ct_step *s);

static inline void ct_step_assure(struct ct_step *s)
{
	if (!(s->flow->status & CT_STATUS_ASSURED))
		ct_step_assure_now(s);
}

/* Changes the protocol state; an event tells if it is another one. */
void ct_step_set_state(struct ct_step *s, uint8_t state);

/* Ends the flow: it leaves the table, its slot is freed when the packet is through. */
void ct_step_kill(struct ct_step *s, enum ct_death death);

/* Configured timeout in ns. */
static inline uint64_t ct_step_timeout(const struct ct_step *s, enum ct_timeout which)
{
	return s->th->cfg->timeout_ns[which];
}

/*
 * Has a packet a record of its own: because it is INVALID, or dropped for another reason than that
 * the table is full?
 */
static inline bool ct_is_told(enum ct_info info, enum ct_reason reason, bool drop)
{
	return drop ? reason != CT_REASON_TABLE_FULL : info == CT_INFO_INVALID;
}

/* [Verdict] says drop for the packet's class: it will not leave. */
static inline bool ct_step_drops(const struct ct_step *s)
{
	return s->th->cfg->no_confirm_classes & 1 << ct_info_class(s->info);
}

/* What can be done with a packet before its turn comes, in this order: reads it, ... */
void ct_step_begin(struct ct_step *s, struct ct_thread *th, const struct ct_input *in);

/* ... names its flow, if that does not depend on the table, and asks for the memory of its bucket,
 */
void ct_step_look_ahead(struct ct_step *s);

/* and, if there is time, for that of the flow which seems to be the one. */
void ct_step_prefetch(const struct ct_step *s);

/* The turn of a packet: fills in *out. */
void ct_step_run(struct ct_step *s, struct ct_result *out);

/*
 * Fills in tuple and hash. False: the packet names no flow; s->reason says why, unless one
 * was known already, which is the better one.
 */
bool ct_step_name_late(struct ct_step *s);

/* The same, if that was not done before its turn. */
static inline bool ct_step_name(struct ct_step *s)
{
	return s->named || ct_step_name_late(s);
}

/* The tuple is another one: its hash and bucket. */
static inline void ct_step_hash(struct ct_step *s)
{
	s->hash = ct_tuple_hash(&s->tuple, &s->th->ct->key);
	s->bucket = ct_table_bucket(s->th->ct, s->hash);
}

/* Begins a flow in private: expected by another one, or with a helper of its own, or neither. */
void ct_step_draft(struct ct_step *s);

/* Adds an event; the fields of packet and flow are completed when the packet is through. */
struct ct_event *ct_step_event(struct ct_step *s, enum ct_event_type type);

/* Describes the flow in the result and in the events of this packet, while it cannot change. */
void ct_step_describe(struct ct_step *s);

/* Describes a flow as it is now in an event. */
void ct_event_flow(struct ct_event *ev, const struct ct *ct, uint32_t index, uint64_t now_ns);
