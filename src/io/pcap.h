/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Captures as a source of packets (io/source.h): files, standard input, or an interface as it is.
 *
 * The time of a packet is that of its capture, moved so that the first one comes at
 * CAPTURE_BEGIN_NS of the engine's clock. That clock never goes back: a packet whose time is before
 * another's comes at the time of that one. A batch spans at most CAPTURE_SPAN_NS, so that a loop
 * which expires flows between two batches ends them as they would have ended then.
 *
 * Verdicts go nowhere. This is for tools: the daemon is never linked with it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "io/link.h"
#include "io/source.h"

#define CAPTURE_BEGIN_NS (1000 * CT_NS_PER_S)
#define CAPTURE_SPAN_NS	 (CT_NS_PER_S / 4)
/* Live, in quiet times, the clock stays so far behind: packets still come with times before now. */
#define CAPTURE_LAG_NS CT_NS_PER_S

/* What the source knows of a packet of the current batch. */
struct capture_packet {
	uint64_t number;  /* 1 .. in the order of the files, those that are not IP, or that the
			   * expression leaves out, counted too */
	uint64_t time_ns; /* of the capture, since 1970 */
	struct link_packet link;
};

/* What it has seen so far. */
struct capture_totals {
	uint64_t frames;	    /* read; those that an expression leaves out are not */
	uint64_t filtered;	    /* left out by the expression; live: not counted */
	uint64_t other;		    /* not IP */
	uint64_t too_short;	    /* cut off before the IP header */
	uint64_t truncated;	    /* IP packets that were not captured whole */
	uint64_t offloaded;	    /* checksums that their sender left to its network card */
	uint64_t back;		    /* packets whose time lies before that of another one */
	uint64_t first_ns, last_ns; /* times of the first and the last packet, since 1970 */
	uint64_t lost;		    /* live: the kernel's count of packets that found no room */
	bool cut;		    /* a file ends in the middle of a packet */
	bool marks;		    /* the link type of one of them carries marks */
};

#define CAPTURE_ERROR_MAX 512

struct capture_options {
	const char *const
		*files; /* NULL-terminated; "-" is standard input; may be compressed (gzip) */
	const char *interface;	/* instead of files: an interface, "any" or "nflog:GROUP" */
	const char *expression; /* of pcap-filter(7), or NULL */
	uint64_t count;		/* packets after which nothing more is read, 0: no such number */
	bool checksums;		/* let the engine verify those that can be verified */
	bool has_stop_fd;	/* live: receiving ends when stop_fd is readable, a signalfd say */
	int stop_fd;		/* stays with the caller */
};

/*
 * Opens the first file, or the interface. Returns 0, -EINVAL for a file, link type or expression
 * that cannot be used, -EPERM if an interface takes more rights, or another -errno; then error says
 * what is wrong, with the name of the file, in a line without a line break.
 *
 * receive() goes on with the next file by itself; it returns -ENODATA at the end of the last one,
 * or -EBADMSG there if one of them was cut off in the middle of a packet, and another -errno when
 * one cannot be read: capture_error() says why. What was read before has been returned. An
 * interface ends, with -ENODATA, by wake() or stop_fd.
 */
int capture_new(struct source **ret, const struct capture_options *options,
		char error[static CAPTURE_ERROR_MAX]);

/* Of the packet with this id in the current batch. */
const struct capture_packet *capture_packet(const struct source *s, uint32_t id);

const struct capture_totals *capture_totals(const struct source *s);

/*
 * The engine's time when receive() had nothing to return: that of the last packet; live, it goes on
 * with the clock of the system.
 */
uint64_t capture_now_ns(struct source *s);

/* Why the last receive() failed, in a line; "" if it did not. */
const char *capture_error(const struct source *s);
