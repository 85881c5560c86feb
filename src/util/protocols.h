/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Protocols that have a name in records, in the control service and in its client. */

#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#define PROTOCOL_LIST(X)                                                                           \
	X(IPPROTO_TCP, "tcp")                                                                      \
	X(IPPROTO_UDP, "udp")                                                                      \
	X(IPPROTO_ICMP, "icmp")                                                                    \
	X(IPPROTO_ICMPV6, "icmpv6")                                                                \
	X(IPPROTO_SCTP, "sctp")                                                                    \
	X(IPPROTO_UDPLITE, "udplite")                                                              \
	X(IPPROTO_GRE, "gre")

/* NULL: it has none. */
static inline const char *protocol_name(int number)
{
	switch (number) {
#define X(number_, name)                                                                           \
	case number_:                                                                              \
		return name;
		PROTOCOL_LIST(X)
#undef X
	}
	return NULL;
}

/* -1: no protocol has that name. */
static inline int protocol_number(const char *name)
{
#define X(number, name_)                                                                           \
	if (strcmp(name, name_) == 0)                                                              \
		return number;
	PROTOCOL_LIST(X)
#undef X
	return -1;
}
