/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The configuration as plain values (ctmarkd.conf(5)).
 *
 * One table (conf/table.c) names every section and key with its parser, place, default and help;
 * the example file and the manual are checked against it.
 */

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/core.h"

enum conf_verdict_kind { CONF_ACCEPT, CONF_DROP, CONF_QUEUE, CONF_REPEAT };

struct conf_verdict {
	uint8_t kind;	/* enum conf_verdict_kind */
	uint16_t queue; /* for CONF_QUEUE */
};

enum conf_target { CONF_TARGET_AUTO, CONF_TARGET_JOURNAL, CONF_TARGET_CONSOLE, CONF_TARGET_NONE };

#define CONF_COPY_AUTO	 0
#define CONF_BUFFER_AUTO 0

/* The longest that a flow, and an incomplete datagram, can be kept without packets. */
#define CONF_TIMEOUT_MAX_S  (UINT64_C(365) * 86400)
#define CONF_FRAGMENT_MAX_S 3600

#define CONF_LIST_MAX	   200 /* no line of a file is longer */
#define CONF_SOCKET_MAX	   108 /* sun_path */
#define CONF_ZONE_NAME_MAX 32
#define CONF_RANGES_MAX	   16

struct conf_range {
	uint16_t first, last;
};

struct conf_ranges {
	unsigned int n;
	struct conf_range range[CONF_RANGES_MAX];
};

/* [Zone NAME]: packets whose flows are kept apart from those of others. */
struct conf_zone {
	char name[CONF_ZONE_NAME_MAX];
	uint16_t id;
	char interfaces[CONF_LIST_MAX]; /* names and patterns, separated by single spaces */
	struct conf_ranges queues;
};

struct conf {
	/* [Queue] */
	uint16_t queue_first, queue_last;
	uint32_t queue_max_packets;
	bool queue_fail_open;
	uint32_t queue_copy_range;     /* bytes; CONF_COPY_AUTO: conf_copy_range() decides */
	uint64_t queue_receive_buffer; /* bytes; CONF_BUFFER_AUTO: as queue_max_packets need */
	bool cpu_affinity_set;
	cpu_set_t cpu_affinity; /* CPUs for the workers, in turn */
	/* [Mark], [Track], [Timeouts]; mark.shift, no_confirm_classes, max_held and zones follow
	 * from Mask=, [Verdict], MaxPackets= and [Zone] */
	struct ct_config track;
	uint32_t max_flows;
	uint32_t max_expect;
	uint32_t max_fragments;
	char state_file[CONF_LIST_MAX]; /* "auto", "none" or an absolute path */
	uint32_t history;		/* transitions kept of each flow */
	/* [Verdict] */
	struct conf_verdict verdict[CT_CLASS_MAX];
	/* [Log] */
	uint8_t log_target;  /* enum conf_target */
	uint32_t log_events; /* bits 1 << enum ct_event_type */
	uint32_t log_rate;   /* records per second and class, 0: unlimited */
	uint32_t log_burst;
	int log_level; /* syslog priority: LOG_ERR .. LOG_DEBUG */
	/* [Control] */
	char control_socket[CONF_SOCKET_MAX]; /* "none" or an absolute path */
	/* [Zone NAME], in the order of their first headers */
	unsigned int nzones;
	struct conf_zone zones[CT_ZONES_MAX];
};

/* Called for each message of the loader; text names file:line. priority is LOG_ERR or LOG_WARNING.
 * Text taken from a file has its control characters replaced. */
typedef void conf_report(void *ctx, int priority, const char *text);

/* Which file and line each value comes from (conf/settings.h). */
struct conf_origins;

/* Sets every value to its default. */
void conf_init(struct conf *c);

/*
 * Loads the configuration: file alone if it is not NULL, else the search of ctmarkd.conf(5)
 * (/usr/lib, /etc, drop-ins of /usr/lib, /run, /etc by name, /etc masking), each path of the search
 * below root ("" for the running system). Starts from the defaults; *ret and *ret_origins are set
 * on success only. ret_origins and report may be NULL.
 *
 * Returns 0, or -EINVAL if a value was bad (every bad value was reported), or another -errno if a
 * file could not be read (reported too); the first of several.
 */
int conf_load(struct conf *ret, struct conf_origins **ret_origins, const char *root,
	      const char *file, conf_report *report, void *ctx);

/* NULL is fine. */
struct conf_origins *conf_origins_free(struct conf_origins *o);

/* The same for one open stream, called name in messages. The stream stays open. */
int conf_load_stream(struct conf *ret, FILE *stream, const char *name, conf_report *report,
		     void *ctx);

/* The syslog priority that a word of Level= stands for, or -EINVAL; and its word, or NULL. */
int conf_level(const char *word);
const char *conf_level_name(int level);

/*
 * Writes to names (size bytes) the keys in which two configurations differ although they can only
 * change with a restart (queues, table size, buffers), as "Range=, MaxFlows=". Returns their
 * number; names that do not fit in are left out.
 */
int conf_restart_keys(const struct conf *running, const struct conf *wanted, char *names,
		      size_t size);

/*
 * Bytes of each packet to be copied from the kernel. With CopyRange=auto whole packets of an
 * Ethernet, so that their checksums can be verified (doc/decisions/001); whole packets whatever
 * their length if there are helpers, which have to read all of a message.
 */
uint32_t conf_copy_range(const struct conf *c);

/*
 * Whether a verdict hands packets to a queue that c serves: they would come back for ever. The
 * loader refuses this within one configuration; after a reload, queues of the old one remain.
 */
bool conf_serves(const struct conf *c, const struct conf_verdict *verdict);

/* Id of the zone of a queue; 0: of none. */
uint16_t conf_zone_of_queue(const struct conf *c, uint16_t queue);

/*
 * Id of the zone of an interface: that which has its name, else the first with a pattern that
 * matches; 0: of none.
 */
uint16_t conf_zone_of_interface(const struct conf *c, const char *name);
