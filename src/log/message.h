/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The sentence of an event for people, and the numbers behind a reason. Pure. */

#include <stdbool.h>
#include <stddef.h>

#include "core/event.h"

#define MESSAGE_MAX	   512
#define MESSAGE_DETAIL_MAX 160
#define MESSAGE_PROTO_MAX  16

/* Writes the sentence to buf; iif is the name of the incoming interface or NULL. */
void message_from_event(const struct ct_event *ev, const char *iif, char buf[static MESSAGE_MAX]);

/*
 * Writes "seq=1 end=2 …", the numbers of the event's reason with their names, to buf. Returns
 * whether there are any.
 */
bool message_detail(const struct ct_event *ev, char buf[static MESSAGE_DETAIL_MAX]);

/* Writes the name of an IP protocol ("tcp"; the number for those without) to buf. */
const char *message_proto(uint8_t proto, char buf[static MESSAGE_PROTO_MAX]);

/* Whether the ids of a protocol's tuples are ports. */
bool message_proto_has_ports(uint8_t proto);

/*
 * Whether the ids of a tuple are ports, or an ICMP id with type and code. Neither holds for the
 * tuple of a packet that was only read as far as its addresses: both ids are 0 there.
 */
bool message_has_ports(const struct ct_event *ev, const struct ct_tuple *t);
bool message_has_icmp(const struct ct_event *ev, const struct ct_tuple *t);

/* Whether the event describes a flow or packet by ev->orig. */
bool message_has_tuple(const struct ct_event *ev);
