/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The kernel's side of an NFQUEUE socket, in place of the system calls that io/nfqueue.c makes: a
 * list of packets that wait, the datagrams that tell of them, and verdicts that are applied in the
 * order of their messages. A step is a system call, or what it does for one message: a process can
 * be told to die before any. The program is linked with --wrap for each of the calls.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_PACKETS_MAX   8192
#define FAKE_DATAGRAMS_MAX 512
#define FAKE_DATAGRAM_MAX  128
#define FAKE_RMEM_MAX	   212992

enum fake_kind {
	FAKE_GOOD,
	FAKE_BROKEN,	 /* of which only the id can be read */
	FAKE_UNREADABLE, /* not even that; it waits all the same */
	FAKE_LOST,	 /* has an id, but found the socket full: it does not wait */
};

struct fake_packet {
	uint32_t id, mark;
	enum fake_kind kind;
	bool waits, purged;
	unsigned int answers;
	uint32_t verdict; /* of the last answer, and the mark it left with */
	uint32_t mark_out;
};

/* A message that was sent, in the order of sending. */
struct fake_message {
	uint32_t id;
	bool batch;
};

struct fake_kernel {
	struct fake_packet packets[FAKE_PACKETS_MAX];
	size_t npackets, oldest; /* none before oldest waits */
	uint32_t last_id;
	struct {
		size_t len;
		uint8_t data[FAKE_DATAGRAM_MAX];
	} datagrams[FAKE_DATAGRAMS_MAX];
	size_t first, ndatagrams;
	struct fake_message messages[FAKE_PACKETS_MAX];
	size_t nmessages;
	unsigned int failing_sends; /* the next so many */
	unsigned int early;	    /* packets that arrive before the first answer */
	int rcvbuf;		    /* as set */
	bool unforced;		    /* no more of it than the sysctl allows */
	int command_error;	    /* a positive errno, for the commands from now on */
	bool bound;		    /* the queue is a socket's of ours */
	bool foreign;		    /* that of a predecessor has no queue */
	bool no_netlink;	    /* nor is it one */
	uint32_t flags;		    /* of the queue */
	uint32_t max_packets, copy_range;
	unsigned int opened, adopted, closed; /* sockets */
	unsigned int later_s;		      /* by how much the clock is ahead */
	unsigned int kill_in;		      /* steps until the process ends at once; 0: never */
};

/* In memory that outlives a process, as a kernel does. */
extern struct fake_kernel *fake_kernel;
#define fake (*fake_kernel)

/* An empty queue; the first packet has the id after last_id. */
void fake_reset(uint32_t last_id);

/* A packet is queued. Returns it. */
struct fake_packet *fake_arrive(enum fake_kind kind, uint32_t mark);

/* Every packet that waits is dropped, as when rules are replaced. Returns how many. */
unsigned int fake_purge(void);

struct fake_packet *fake_find(uint32_t id);

/* The answer to a verdict that a predecessor sent. */
void fake_answer(uint32_t seq, int error);

/* The messages since the last call, as "1 b5 6": b for those that answer all up to an id. */
void fake_expect_messages(const char *want);
