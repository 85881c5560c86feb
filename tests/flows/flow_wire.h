/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The live side of packet scripts: frames are sent by packet sockets in a namespace without any
 * addresses ("hosts"), cross a router namespace, and are logged there with the mark that rules and
 * ctmarkd left on them; the router's connection tracking table is asked over ctnetlink.
 */

#include "tests/flows/flow_engine.h"
#include "tests/flows/flow_packet.h"

struct mnl_socket;
struct nlmsghdr;

#define FLOW_LOG_GROUP 7

/* Interfaces of the hosts' namespace, and the router's addresses on the link. */
#define FLOW_IF_CLIENT "client"
#define FLOW_IF_SERVER "server"

/* Marks of the rules that ask the kernel's conntrack; the low bits are ctmarkd's. */
#define FLOW_ORACLE_LIST(X)                                                                        \
	X(ESTABLISHED, 0x00010000)                                                                 \
	X(RELATED, 0x00020000)                                                                     \
	X(NEW, 0x00040000)                                                                         \
	X(ESTABLISHED_REPLY, 0x00080000)                                                           \
	X(RELATED_REPLY, 0x00100000)                                                               \
	X(UNTRACKED, 0x00200000)                                                                   \
	X(INVALID, 0x00400000)
#define FLOW_ORACLE_EXPECTED   0x01000000
#define FLOW_ORACLE_SEEN_REPLY 0x02000000
#define FLOW_ORACLE_ASSURED    0x04000000
#define FLOW_ORACLE_CONFIRMED  0x08000000

struct flow_wire {
	int client, server; /* packet sockets */
	int client_if, server_if;
	int left_client, left_server; /* packet sockets: what the router sent out there, or -1 */
	bool has_last;
	uint16_t lasts;		/* sent so far: each is another one */
	struct flow_bytes last; /* see flow_wire_send_last() */
	struct mnl_socket *log; /* nfnetlink_log */
	struct mnl_socket *ct;	/* ctnetlink */
	uint32_t seq;
};

/*
 * Opens the sockets in the namespaces with these paths. The calling thread stays in the router's.
 * Returns 0 or -errno; on failure *w is empty.
 */
int flow_wire_open(struct flow_wire *w, const char *hosts, const char *router);
void flow_wire_close(struct flow_wire *w);

/* Sets net.netfilter.nf_conntrack_NAME of the router. Returns 0 or -errno. */
int flow_wire_sysctl(const char *name, uint32_t value);

/* Sends one packet from the side it belongs to. Returns 0 or -errno. */
int flow_wire_send(struct flow_wire *w, const struct flow_packet *p, const struct flow_bytes *b,
		   uint8_t family);

/*
 * Sends one more packet on the way of p: what was sent before and is not seen until it comes will
 * not be seen at all. Until flow_wire_watch_anew(), waiting ends with -ETIME when it comes.
 */
int flow_wire_send_last(struct flow_wire *w, const struct flow_packet *p, uint8_t family);

/* Waits until this packet is logged. Returns 0 and its mark, -ETIME, or another -errno. */
int flow_wire_logged(struct flow_wire *w, const struct flow_bytes *b, int timeout_ms,
		     uint32_t *ret_mark);

/*
 * Watches what the router lets out, from now on; the paths are those of flow_wire_open(). Returns 0
 * or -errno.
 */
int flow_wire_watch(struct flow_wire *w, const char *hosts, const char *router);

/* Forgets what left the router so far, and the last packet. */
void flow_wire_watch_anew(struct flow_wire *w);

/* Waits until this packet leaves the router, with one hop less. Returns 0, -ETIME or -errno. */
int flow_wire_left(struct flow_wire *w, const struct flow_packet *p, const struct flow_bytes *b,
		   uint8_t family, int timeout_ms);

/* Forgets every connection of the router. Returns 0 or -errno. */
int flow_wire_flush(struct flow_wire *w);

/* Adds a tuple as the original one of the connection that a ctnetlink message is about. */
void flow_wire_put_tuple(struct nlmsghdr *nlh, const struct ct_tuple *t);

/*
 * Asks for the connection that the tuple belongs to in either direction. Returns 1 and fills in
 * alive, state, status and timeout of *seen, 0 if there is none, or -errno.
 */
int flow_wire_lookup(struct flow_wire *w, const struct ct_tuple *t, struct flow_seen *seen);

/* The class that the oracle's rules found. False: none or more than one. */
bool flow_wire_oracle(uint32_t mark, enum ct_info *ret);
