/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Random conversations that look as if they could be real.
 *
 * A talk is complete before its first packet is sent and depends on nothing but its dice, so the
 * same seed and number always give the same one, whatever else is under way; and it is plain data
 * that can be cut down and played again. What makes it look real is a small model of both ends
 * inside its generator.
 */

#include "tests/differential/dice.h"
#include "tests/flows/flow_packet.h"
#include "tests/flows/flow_talk.h"

#define TALK_STEPS_MAX	 32
#define TALK_PATCHES_MAX 4

/* enum suffix, word, weight among 100, the same in a run with checksums off, helper it is for */
#define TALK_KIND_LIST(X)                                                                          \
	X(TCP, "tcp", 36, 24, NONE)                                                                \
	X(SCTP, "sctp", 18, 14, NONE)                                                              \
	X(UDP, "udp", 8, 6, NONE)                                                                  \
	X(UDPLITE, "udplite", 3, 3, NONE)                                                          \
	X(GRE, "gre", 3, 3, NONE)                                                                  \
	X(ICMP, "icmp", 5, 4, NONE)                                                                \
	X(ERROR, "error", 11, 8, NONE)                                                             \
	X(GENERIC, "generic", 3, 3, NONE)                                                          \
	X(DAMAGE, "damage", 5, 27, NONE)                                                           \
	X(FTP, "ftp", 2, 2, FTP)                                                                   \
	X(TFTP, "tftp", 1, 1, TFTP)                                                                \
	X(IRC, "irc", 1, 1, IRC)                                                                   \
	X(SANE, "sane", 1, 1, SANE)                                                                \
	X(AMANDA, "amanda", 1, 1, AMANDA)                                                          \
	X(SIP, "sip", 3, 3, SIP)                                                                   \
	X(PPTP, "pptp", 2, 2, PPTP)

enum talk_kind {
#define X(name, str, weight, unchecked, helper) TALK_##name,
	TALK_KIND_LIST(X)
#undef X
		TALK_KIND_MAX,
	TALK_KIND_ALL = TALK_KIND_MAX,
	TALK_KIND_HELPERS, /* all that are for a helper */
	TALK_KIND_NONE,
};

/* A byte that is another one than a correct packet has, behind the fixed IP header. */
struct talk_patch {
	uint16_t at;
	uint8_t value;
};

struct talk_step {
	struct flow_packet packet;
	unsigned int id;  /* of the packet in its talk: one that comes again has it, too */
	uint32_t wait_ms; /* before it */
	struct talk_patch patch[TALK_PATCHES_MAX];
	unsigned int npatches;
	int keep;	     /* bytes of the packet that are sent, FLOW_UNSET: all */
	unsigned int pieces; /* fragments that it is sent in, 0: whole */
	bool backwards;	     /* the last fragment first */
};

struct talk {
	enum talk_kind kind;
	uint8_t family;
	enum flow_l4 control; /* of the connection that a helper reads: from A 40000 to B */
	unsigned int nsteps;
	struct talk_step steps[TALK_STEPS_MAX];
};

/* What the talks of a run are made of. */
struct talk_mix {
	unsigned int weight[TALK_KIND_MAX];
	unsigned int wait_percent; /* of packets that wait before they are sent */
};

/* Makes a talk; t needs no initialisation, but talk_done() afterwards. */
void talk_make(struct talk *t, struct dice d, const struct talk_mix *mix);
void talk_done(struct talk *t);

/* A copy that shares nothing. */
void talk_copy(struct talk *to, const struct talk *from);

/* Takes a step out. */
void talk_remove(struct talk *t, unsigned int step);

/*
 * The packet p of a step, its numbers being absolute (flow_talk.h). *seen is what the rules of the
 * router see of it: the whole packet, without a fragment header that splits nothing. Returns 0, or
 * -EINVAL if it cannot exist in this family.
 */
int talk_build(const struct talk *t, unsigned int step, const struct flow_packet *p,
	       uint16_t number, struct flow_bytes *sent, struct flow_bytes *seen);

/* The helper whose dialogues are of this kind, CT_HELPER_NONE: none. */
enum ct_helper_id talk_kind_helper(enum talk_kind kind);

/* Its packets are noted at every place where they may get lost. */
bool talk_is_watched(const struct talk *t);

/* What each end of a talk has said so far, and which packets were sent (flow_talk.h). */
struct talk_memory {
	struct flow_talk ends;
	struct {
		bool known;
		uint32_t seq, ack;
	} said[TALK_STEPS_MAX];
};

/*
 * The packet of a step with absolute numbers; it shares text and quote with the step. A packet that
 * comes again is the same again. Returns 0 or -EINVAL.
 */
int talk_say(struct talk_memory *m, const struct talk *t, unsigned int step, uint16_t number,
	     struct flow_packet *ret);

/* --- for generators ------------------------------------------------------------------ */

/* The next step of the talk, a correct packet without anything; NULL: there is no room. */
struct talk_step *talk_add(struct talk *t);

/* A deep copy of a packet. */
struct flow_packet talk_packet_copy(const struct flow_packet *p);

void talk_make_tcp(struct talk *t, struct dice *d);
void talk_make_udp(struct talk *t, struct dice *d);
void talk_make_udplite(struct talk *t, struct dice *d);
void talk_make_gre(struct talk *t, struct dice *d);
void talk_make_sctp(struct talk *t, struct dice *d);
void talk_make_icmp(struct talk *t, struct dice *d);
void talk_make_ftp(struct talk *t, struct dice *d);
void talk_make_tftp(struct talk *t, struct dice *d);
void talk_make_irc(struct talk *t, struct dice *d);
void talk_make_sane(struct talk *t, struct dice *d);
void talk_make_amanda(struct talk *t, struct dice *d);
void talk_make_sip(struct talk *t, struct dice *d);
void talk_make_pptp(struct talk *t, struct dice *d);
void talk_make_error(struct talk *t, struct dice *d);
void talk_make_generic(struct talk *t, struct dice *d);
void talk_make_damage(struct talk *t, struct dice *d);

const char *talk_kind_name(enum talk_kind kind);

/* The kind of a name, HELPERS for "helpers"; NONE: no kind has this name. */
enum talk_kind talk_kind_find(const char *name);
