/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What the rules have to agree with: the part of the configuration that rules see. It is filled
 * from the replies of GetConfig and GetStatus, or from options where no daemon runs, and is plain
 * values from then on.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RULES_ZONES_MAX	 64 /* as many as ctmarkd.conf(5) allows */
#define RULES_RANGES_MAX 16
#define RULES_TEXT_MAX	 200

/* Classes: value with Encoding=ctinfo, bits with Encoding=flags, its key in [Verdict]. */
#define RULES_CLASS_LIST(X)                                                                        \
	X(ESTABLISHED, 0x8, 0x02, "Established")                                                   \
	X(RELATED, 0x9, 0x04, "Related")                                                           \
	X(NEW, 0xa, 0x01, "New")                                                                   \
	X(ESTABLISHED_REPLY, 0xb, 0x22, "Established")                                             \
	X(RELATED_REPLY, 0xc, 0x24, "Related")                                                     \
	X(INVALID, 0xe, 0x08, "Invalid")                                                           \
	X(UNTRACKED, 0xf, 0x10, "Untracked")

enum rules_class {
#define X(name, ctinfo, flags, key) RULES_##name,
	RULES_CLASS_LIST(X)
#undef X
		RULES_CLASS_MAX,
};

#define RULES_ASSURED	  0x40u /* with Encoding=flags, beside the class */
#define RULES_CLASSIFIED  0x8u	/* with Encoding=ctinfo, in every class */
#define RULES_CLASS_FLAGS 0x1fu /* with Encoding=flags, one of them in every class */

enum rules_encoding { RULES_CTINFO, RULES_FLAGS };
enum rules_confirm { RULES_CONFIRM_AUTO, RULES_CONFIRM_ENTRY, RULES_CONFIRM_EXIT };
enum rules_verdict { RULES_ACCEPT, RULES_DROP, RULES_QUEUE, RULES_REPEAT };

struct rules_range {
	uint16_t first, last;
};

struct rules_zone {
	char name[32];
	char interfaces[RULES_TEXT_MAX]; /* names and patterns, separated by blanks */
	unsigned int nqueues;
	struct rules_range queues[RULES_RANGES_MAX];
};

struct rules_conf {
	struct rules_range range; /* [Queue] Range= */
	bool fail_open;
	enum rules_encoding encoding;
	uint32_t mask;	    /* in host order, as all marks here */
	unsigned int shift; /* of the lowest bit of mask */
	enum rules_confirm confirm;
	enum rules_verdict verdict[RULES_CLASS_MAX];
	uint16_t verdict_queue[RULES_CLASS_MAX];
	char helpers[RULES_TEXT_MAX];
	unsigned int nzones;
	struct rules_zone zones[RULES_ZONES_MAX];
	bool exits;		     /* a running daemon confirms flows at the exit hooks */
	bool fragments_known;	     /* a running daemon has told of fragments */
	bool fragments4, fragments6; /* they arrive unassembled */
};

/* The defaults of ctmarkd.conf(5). */
void rules_conf_init(struct rules_conf *c);

/*
 * One key as the configuration file writes it; what rules do not depend on is passed over. Returns
 * 0, or -EINVAL if the value cannot be read.
 */
int rules_conf_set(struct rules_conf *c, const char *section, const char *key, const char *value);

/*
 * The replies of GetConfig and GetStatus; status may be NULL. Returns 0, or -EINVAL with the key
 * that cannot be read in why (size bytes).
 */
int rules_conf_read(struct rules_conf *c, const json_t *config, const json_t *status, char *why,
		    size_t size);

/* Whether the mask has room for the encoding, in one run of bits. */
bool rules_conf_sound(const struct rules_conf *c);

/* The bits of a class in the mark, shifted. With Encoding=flags without ASSURED. */
uint32_t rules_mark(const struct rules_conf *c, enum rules_class class);

/* The mask with which a rule finds all packets that ctmarkd has classified: it matches if
 * (mark & mask) is not 0. */
uint32_t rules_classified(const struct rules_conf *c);

/* What a match of the mark finds. */
struct rules_found {
	unsigned int classes; /* bits 1 << enum rules_class */
	bool unseen;	      /* packets that ctmarkd has not classified */
};

/* What lo <= (mark & mask) <= hi finds, the bits outside Mask= being anything. */
struct rules_found rules_find(const struct rules_conf *c, uint32_t lo, uint32_t hi, uint32_t mask);

const char *rules_class_name(enum rules_class class);
