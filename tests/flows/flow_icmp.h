/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* ICMP messages that scripts name: word, type and usual code in IPv4, the same in IPv6 (-1: none).
 */
#define FLOW_ICMP_LIST(X)                                                                          \
	X("echo", 8, 0, 128, 0)                                                                    \
	X("echo-reply", 0, 0, 129, 0)                                                              \
	X("unreachable", 3, 3, 1, 4)                                                               \
	X("too-big", 3, 4, 2, 0)                                                                   \
	X("time-exceeded", 11, 0, 3, 0)                                                            \
	X("parameter-problem", 12, 0, 4, 0)                                                        \
	X("redirect", 5, 1, 137, 0)                                                                \
	X("source-quench", 4, 0, -1, -1)                                                           \
	X("timestamp", 13, 0, -1, -1)                                                              \
	X("timestamp-reply", 14, 0, -1, -1)                                                        \
	X("information", 15, 0, -1, -1)                                                            \
	X("information-reply", 16, 0, -1, -1)                                                      \
	X("mask", 17, 0, -1, -1)                                                                   \
	X("mask-reply", 18, 0, -1, -1)                                                             \
	X("router-solicitation", 10, 0, 133, 0)                                                    \
	X("router-advertisement", 9, 0, 134, 0)                                                    \
	X("neighbour-solicitation", -1, -1, 135, 0)                                                \
	X("neighbour-advertisement", -1, -1, 136, 0)                                               \
	X("mld-query", -1, -1, 130, 0)                                                             \
	X("mld-report", -1, -1, 131, 0)                                                            \
	X("mld-done", -1, -1, 132, 0)                                                              \
	X("mld2-report", -1, -1, 143, 0)                                                           \
	X("ni-query", -1, -1, 139, 0)                                                              \
	X("ni-reply", -1, -1, 140, 0)

struct flow_icmp {
	const char *name;
	int type4, code4, type6, code6;
};

static const struct flow_icmp flow_icmp_types[] = {
#define X(name, type4, code4, type6, code6) {name, type4, code4, type6, code6},
	FLOW_ICMP_LIST(X)
#undef X
};
