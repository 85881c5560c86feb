/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The engine, as the world outside src/core sees it.
 *
 * Packet bytes and a time go in; a ctinfo, a mark and a list of events come out. Nothing in here
 * reads a clock, opens a socket, writes a log or allocates while packets flow.
 *
 * Threads: any number of threads may call ct_track() and ct_expire() on one struct ct, each with a
 * struct ct_thread of its own. The configuration is passed by pointer with every call, so that a
 * thread can be given a new one between two packets; it must not change while it is in use.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/ctinfo.h"
#include "core/event.h"
#include "core/reasons.h"
#include "core/talkers.h"
#include "core/trace.h"
#include "core/tuple.h"

struct ct; /* the flow table */

#define CT_NS_PER_S 1000000000ULL

enum ct_timeout {
#define X(name, key, seconds) CT_TIMEOUT_##name,
	CT_TIMEOUT_LIST(X)
#undef X
		CT_TIMEOUT_MAX
};

enum ct_stat {
#define X(name, str, help) CT_STAT_##name,
	CT_STAT_LIST(X)
#undef X
		CT_STAT_MAX
};

/* Where a new flow enters the table (Confirm=). */
enum ct_confirm {
	CT_CONFIRM_AUTO, /* at the entry, until packets from an exit hook are seen */
	CT_CONFIRM_ENTRY,
	CT_CONFIRM_EXIT,
	CT_CONFIRM_MAX
};

#define CT_HELPER_PORTS_MAX 64
#define CT_ZONES_MAX	    64

/* A new flow to this port gets this helper (Helpers=). */
struct ct_helper_port {
	uint16_t port;	/* destination of the original direction, host order */
	uint8_t helper; /* enum ct_helper_id */
};

struct ct_config {
	uint64_t timeout_ns[CT_TIMEOUT_MAX];
	struct ct_mark mark;
	uint8_t confirm; /* enum ct_confirm */
	unsigned int nhelper_ports;
	struct ct_helper_port helper_ports[CT_HELPER_PORTS_MAX];
	unsigned int nzones; /* zones in use beside 0 */
	uint16_t zones[CT_ZONES_MAX];
	bool tcp_loose;		     /* pick up connections in mid-stream */
	bool tcp_be_liberal;	     /* the window check rejects nothing */
	bool tcp_ignore_invalid_rst; /* leave out the test of a RST against the peer's last ack */
	uint8_t tcp_max_retrans;
	bool checksum;		    /* verify transport checksums of received packets */
	bool accounting;	    /* count packets and bytes per flow */
	bool hold_fragments;	    /* hold a fragment until the first of its datagram comes */
	uint64_t fragment_ns;	    /* life of an incomplete datagram */
	uint8_t no_confirm_classes; /* bits (1 << enum ct_class): their verdict is drop, so a first
				     * packet of that class leaves no flow behind */
};

/* Fills in the defaults of the kernel and of ctmarkd.conf(5). */
void ct_config_init(struct ct_config *cfg);

/*
 * Counters and totals by ctinfo, reason and death of one thread: written by it alone, readable
 * by all (relaxed). The deaths add up to CT_STAT_DESTROYED.
 */
struct ct_stats {
	_Atomic uint64_t count[CT_STAT_MAX];
	_Atomic uint64_t info[CT_INFO_MAX];
	_Atomic uint64_t reason[CT_REASON_MAX];
	_Atomic uint64_t death[CT_DEATH_MAX];
};

#define CT_DOOMED_MAX 64

/* What one thread brings along. */
struct ct_thread {
	struct ct *ct;
	const struct ct_config *cfg;
	struct ct_stats stats;
	/* ct_expire() sees to every shares-th part of the table, from share on; 0, 0: to all */
	uint32_t share, shares;
	uint32_t next_stripe; /* where it goes on, of its own parts */
	uint32_t next_bucket; /* where it goes on making room */
	/* flows to be ended as soon as no lock is held, by one of their tuples */
	struct ct_tuple doomed[CT_DOOMED_MAX];
	uint32_t ndoomed;
	/* queues whose packets this thread decided, by their number modulo 256 */
	uint64_t wake[4];
	struct ct_trace trace;
};

/* One packet as it arrived, starting with its IP header. */
struct ct_input {
	const uint8_t *data;
	uint32_t caplen; /* bytes readable at data */
	uint32_t len;	 /* bytes of the packet; >= caplen where only a part was copied */
	uint64_t now_ns; /* monotonic */
	uint32_t mark;	 /* before classification; absent means 0 */
	uint32_t iif, oif;
	uint32_t id; /* the queue's name for the packet, in case it is held */
	uint16_t queue;
	uint16_t zone;
	uint8_t hook;	      /* enum ct_hook */
	uint8_t family;	      /* CT_AF_INET or CT_AF_INET6 as the network layer says; 0: look at the
			       * packet; anything else is not ours and passed on */
	bool csum_unverified; /* nobody has verified the checksum yet; false: trust it */
	bool loopback; /* on the loopback device: OUTPUT and PREROUTING see the same packet */
};

#define CT_RESULT_EVENTS_MAX 10

struct ct_result {
	uint8_t info;	/* enum ct_info */
	uint8_t reason; /* enum ct_reason, for INVALID and for drop */
	bool drop;	/* the packet must be dropped whatever else is said: the reason tells why */
	bool passed;	/* not judged here (exit hook, or classified before): accept it, leave its
			 * mark alone. info is what the mark says, INVALID if it says nothing */
	bool held;	/* a fragment without a class yet: no verdict now, ct_fragments_due() will
			 * tell of it. Nothing else is filled in */
	bool has_flow;	/* the fields below are filled in. An INVALID packet has no flow in the
			 * sense of its ctinfo, but if one was looked up it is described here */
	uint8_t dir;	/* enum ct_dir */
	uint8_t state;	/* protocol state after the packet */
	uint16_t status;     /* enum ct_status bits after the packet */
	uint32_t mark;	     /* the new mark of the packet, other bits kept */
	uint64_t flow;	     /* id */
	uint64_t timeout_ns; /* left until expiry */
	unsigned int nevents;
	struct ct_event events[CT_RESULT_EVENTS_MAX];
};

#define CT_FLOWS_MAX (1u << 28)

#define CT_EXPECT_MAX (1u << 20)

#define CT_FRAGMENTS_MAX (1u << 16)

/* What a table is made for. */
struct ct_params {
	uint32_t max_flows;	 /* 1 .. CT_FLOWS_MAX */
	uint32_t max_expect;	 /* expectations, 0 .. CT_EXPECT_MAX; 0: helpers expect nothing */
	uint32_t max_fragmented; /* datagrams in fragments, 0 .. CT_FRAGMENTS_MAX; 0: later
				  * fragments are INVALID */
	uint32_t max_held;	 /* fragments that wait for their first, 0 .. CT_FRAGMENTS_MAX */
	void *index;		 /* ct_index_size() zeroed bytes, or NULL: ct_new() takes some */
	const uint8_t *key;	 /* 16 bytes, the secret of the hashes */
	uint64_t id_salt;	 /* makes flow ids of one arena differ from those of the next */
};

/*
 * Bytes of memory that a table needs (page-aligned, zeroed at the start; only touched as it
 * fills). The caller provides it, so that it can outlive the process.
 */
size_t ct_arena_size(const struct ct_params *params);

/*
 * Bytes of the index, which is looked into at a place of its own for nearly every packet: large
 * pages help. It is of no use to another process.
 */
size_t ct_index_size(const struct ct_params *params);

/*
 * Makes a table in arena_size zeroed bytes at arena. Returns NULL if there is no memory for the
 * index, if arena_size < ct_arena_size(params) or if a limit of params is out of range.
 */
struct ct *ct_new(void *arena, size_t arena_size, const struct ct_params *params);

/* Frees the index, if it was not given. The arena stays with its owner. NULL is fine. */
struct ct *ct_free(struct ct *ct);

/*
 * Judges one packet: ctinfo, mark, events (semantics 1.1). Any bytes are allowed; there is no
 * error. *out is filled in completely, but of out->events only the first nevents.
 */
void ct_track(struct ct_thread *th, const struct ct_input *in, struct ct_result *out);

/*
 * The same for n packets that came together, one after the other: judged(ctx, in, out) is told of
 * each before the next one's turn comes. What one packet has to wait for in memory is asked for
 * while others are read, so that this is faster than as many calls of ct_track().
 */
typedef void ct_judged(void *ctx, const struct ct_input *in, struct ct_result *out);
void ct_track_batch(struct ct_thread *th, const struct ct_input *const *in, size_t n,
		    ct_judged *judged, void *ctx);

/*
 * Ends flows whose time is up, at most cap of them, and writes one DESTROY event for each to
 * events. Returns their number; as long as it equals cap there may be more. Threads can share the
 * work, each calling for its share of the table; what is not of flows belongs to share 0.
 *
 * With ret_more the work of one call is bounded, too, by the flows it looks at: *ret_more tells
 * that it has to be called again to get through. NULL: only cap ends a call early.
 */
size_t ct_expire(struct ct_thread *th, uint64_t now_ns, struct ct_event *events, size_t cap,
		 bool *ret_more);

/*
 * Do new flows enter the table at the exit hook (Confirm=)? With auto that changes, once, when the
 * first packet comes from there.
 */
bool ct_confirms_at_exit(const struct ct *ct, const struct ct_config *cfg);

/* A held fragment whose verdict is due. */
struct ct_fragment_due {
	uint32_t id;   /* of the packet, as in ct_input */
	uint32_t mark; /* the new one, other bits kept */
	bool set_mark; /* it is another one than before */
	uint8_t info;  /* enum ct_info */
	bool drop;     /* as in ct_result */
	bool has_event;
	struct ct_event event;
};

/*
 * Takes fragments of one queue that were held and are decided now, at most cap of them; as long as
 * the result equals cap there may be more. Ends the wait for datagrams whose time is up. To be
 * called by the worker of that queue after each batch, and once a second.
 */
size_t ct_fragments_due(struct ct_thread *th, uint16_t queue, uint64_t now_ns,
			struct ct_fragment_due *out, size_t cap);

/*
 * The same when the queue is about to be given up: nothing of it is held any more. What is not
 * decided is INVALID.
 */
size_t ct_fragments_release(struct ct_thread *th, uint16_t queue, uint64_t now_ns,
			    struct ct_fragment_due *out, size_t cap);

/* May there be anything for the two above? Cheap. */
bool ct_fragments_any(const struct ct *ct);

/* Packets of all queues that were held and not yet handed out. */
uint32_t ct_fragments_held(const struct ct *ct);

/*
 * Did this thread decide something for another thread, which should look after it soon? True once
 * for each time.
 */
bool ct_fragments_wakes(struct ct_thread *th, uint16_t queue);

/* Which families' fragments have arrived as they are, unassembled, since the start. */
enum ct_fragments_seen { CT_FRAGMENTS_IPV4 = 1, CT_FRAGMENTS_IPV6 = 2 };
unsigned int ct_fragments_seen(const struct ct *ct);

/* Flows in the table now, those not yet confirmed among them, and the most there can be. */
uint32_t ct_count(const struct ct *ct);
uint32_t ct_max_flows(const struct ct *ct);

/* How far into the arena flows have been so far, in bytes. What lies behind was never touched. */
size_t ct_arena_reach(const struct ct *ct);

/* Adds the counters of one thread to sum. */
void ct_stats_add(struct ct_stats *sum, const struct ct_stats *one);
const char *ct_stat_name(enum ct_stat stat);
