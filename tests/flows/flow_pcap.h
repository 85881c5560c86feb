/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Packet scripts as captures: what somebody would have recorded, and what ctmarkd was set to. */

#include "tests/flows/flow_engine.h"

#define FLOW_PCAP_BEGIN_S 1700000000 /* time of the first packet, since 1970 */

/* Told of each packet as it is written, with what the engine makes of it. */
typedef void flow_pcap_packet(void *ctx, unsigned int number, const struct flow_step *st,
			      const struct ct_result *res, const struct flow_seen *seen);

/*
 * Writes the packets of a script over one family to the capture file of that name (link type: raw
 * IP), in the times of the script. Nothing is dropped on its way there: a capture does not tell.
 * The same packets go through an engine in process. Returns 0, -EINVAL if a packet cannot be in
 * this family, or another -errno.
 */
int flow_pcap_write(const struct flow_script *s, uint8_t family, const char *file,
		    flow_pcap_packet *tell, void *ctx);

/* Writes the settings of a script as a ctmarkd.conf(5). Returns 0 or -errno. */
int flow_pcap_write_conf(const struct flow_script *s, const char *file);
