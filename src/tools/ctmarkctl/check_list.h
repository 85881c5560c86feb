/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The mistakes that ctmarkctl check-rules knows: a name, how bad it is, what is wrong, and what to
 * do about it. The manual describes each, and tests/rules/sets has a rule set with it.
 */

#define CHECK_LIST(X)                                                                              \
	/* which packets come */                                                                   \
	X(NO_QUEUE, "no-queue", ERROR, "no rule sends packets to ctmarkd",                         \
	  "\"ctmarkctl rules\" prints rules that do")                                              \
	X(NO_ENTRY, "no-entry", ERROR, "packets are queued where they leave only",                 \
	  "queue PREROUTING and OUTPUT: that is where they are classified")                        \
	X(NO_OUTPUT, "no-output", WARNING, "what this machine sends is not queued",                \
	  "queue OUTPUT, too: its connections begin with their answers otherwise")                 \
	X(NO_PREROUTING, "no-prerouting", WARNING, "what comes in is not queued",                  \
	  "queue PREROUTING, too: answers are not seen otherwise")                                 \
	X(NO_IPV4, "no-ipv4", WARNING, "IPv6 is queued, IPv4 is not",                              \
	  "load the rules with iptables-restore as well")                                          \
	X(NO_IPV6, "no-ipv6", WARNING, "IPv4 is queued, IPv6 is not",                              \
	  "load the rules with ip6tables-restore as well")                                         \
	X(ONE_INTERFACE, "one-interface", WARNING, "only what one interface brings is queued",     \
	  "answers come by another one: queue all, or the others, too")                            \
	X(QUEUE_STATE, "queue-state", WARNING,                                                     \
	  "the kernel's connection state picks what is "                                           \
	  "queued",                                                                                \
	  "queue without it: ctmarkd has to see every packet of a connection")                     \
	X(QUEUE_LIMITED, "queue-limited", INFO, "part of the packets is queued only",              \
	  "the others have no class; make sure that both directions are meant")                    \
	X(QUEUE_UNREACHABLE, "queue-unreachable", ERROR, "no packet gets as far as this rule",     \
	  "put it before the rule that ends the way of all")                                       \
	X(QUEUED_TWICE, "queued-twice", WARNING, "packets are queued a second time",               \
	  "leave one of the rules: a second visit changes nothing and takes as long as the first") \
	X(QUEUE_IN_NAT, "queue-in-nat", ERROR, "the nat table sees first packets only",            \
	  "queue in mangle")                                                                       \
	X(QUEUE_IN_RAW, "queue-in-raw", WARNING, "queued in raw, before mangle",                   \
	  "queue in mangle: its rules can change the mark behind a queue in raw")                  \
	X(QUEUE_IN_FILTER, "queue-in-filter", WARNING, "queued in filter or behind it",            \
	  "queue in mangle: the rules of filter do not see the mark of a queue in filter")         \
	X(CONFIRM_EXIT, "confirm-exit", ERROR, "Confirm=exit, but no exit is queued",              \
	  "queue POSTROUTING and INPUT, too: no flow is kept otherwise")                           \
	X(EXIT_HALF, "exit-half", ERROR, "of POSTROUTING and INPUT only one is queued",            \
	  "queue both or none: flows that leave by the other one are not kept")                    \
	X(CONFIRM_ENTRY, "confirm-entry", INFO, "Confirm=entry, but exits are queued",             \
	  "take these rules out: they take time and change nothing")                               \
	/* which queue */                                                                          \
	X(QUEUE_FOREIGN, "queue-foreign", WARNING,                                                 \
	  "this queue is none of Range=", "if it is meant for ctmarkd: change the rule or Range=") \
	X(RANGE_EXCEEDS, "range-exceeds", ERROR, "not all of these queues are in Range=",          \
	  "packets of the others are dropped, or pass unmarked: make both the same")               \
	X(QUEUE_IDLE, "queue-idle", WARNING, "no rule feeds some of the queues of Range=",         \
	  "spread over all of them with --queue-balance, or make Range= smaller")                  \
	X(CPU_FANOUT, "cpu-fanout", WARNING, "the CPU picks the queue",                            \
	  "without fan-out both directions of a connection meet in one queue and thread")          \
	X(NO_BYPASS, "no-bypass", INFO, "while no daemon listens all these packets are dropped",   \
	  "if they shall pass then, add --queue-bypass (nft: bypass)")                             \
	X(BYPASS_MIXED, "bypass-mixed", WARNING, "some rules that queue have bypass, some not",    \
	  "decide for one: open for half of a connection is of no use")                            \
	X(BYPASS_CLOSED, "bypass-closed", INFO, "bypass, but a policy drops what is not accepted", \
	  "while no daemon listens packets have no class: accept some of them, if any shall pass") \
	X(FAIL_OPEN_MISMATCH, "fail-open", WARNING, "FailOpen=yes, but the rule has no bypass",    \
	  "a full queue lets packets pass, a stopped daemon drops them: make both the same")       \
	/* where the mark is looked at */                                                          \
	X(NO_MATCH, "no-match", INFO, "no rule looks at the class in the mark",                    \
	  "\"ctmarkctl rules\" prints an example")                                                 \
	X(MATCH_IN_CHAIN, "match-in-chain", ERROR, "class matched in the chain that queues",       \
	  "match it in filter: a verdict's mark is seen from the next table or hook on")           \
	X(MATCH_BEFORE, "match-before-queue", ERROR, "class matched before packets are queued",    \
	  "match it in filter, or in a chain with a higher priority than the queue's")             \
	X(MATCH_NOT_QUEUED, "match-not-queued", ERROR, "class matched where packets have none",    \
	  "queue what comes this way: INPUT and FORWARD need PREROUTING, OUTPUT needs OUTPUT")     \
	X(SAME_PRIORITY, "same-priority", WARNING,                                                 \
	  "two chains of one priority, one of them "                                               \
	  "queues",                                                                                \
	  "their order is that in which they were made: give the one that matches a higher one")   \
	X(MATCH_IN_NAT, "match-in-nat", ERROR, "class matched in nat",                             \
	  "match it in filter: nat sees the first packet of a connection, and not of all")         \
	X(MATCH_NO_CLASS, "match-no-class", ERROR, "no class has such a mark",                     \
	  "\"ctmarkctl rules\" prints the values that go with Mask= and Encoding=")                \
	X(MATCH_SHIFT, "match-shift", WARNING, "looks at bits that ctmarkd does not write",        \
	  "if it is meant for ctmarkd: shift value and mask to where Mask= is")                    \
	X(MATCH_UNMASKED, "match-unmasked", WARNING, "class matched in the whole mark",            \
	  "add the mask: nothing matches once somebody else uses a bit of the mark")               \
	X(FOREIGN_UNMASKED, "foreign-unmasked", WARNING, "does not match once ctmarkd has marked", \
	  "give the rule a mask that leaves out the bits of Mask=")                                \
	/* who writes it */                                                                        \
	X(OVERWRITTEN, "mark-overwritten", ERROR, "changes bits of Mask= behind the queue",        \
	  "give it a mask that leaves them out, or ctmarkd another Mask=")                         \
	X(FORGED, "mark-forged", WARNING, "sets bits of Mask= before the queue",                   \
	  "packets that pass a full queue, or bypass it, have the class that it makes up")         \
	/* what follows from a class */                                                            \
	X(REJECT_INVALID, "reject-invalid", WARNING, "INVALID packets are rejected",               \
	  "drop them: an answer to a late or forged packet can end a healthy connection")          \
	X(PORT_FRAGMENT, "port-fragment", INFO, "NEW is accepted by port, fragments have none",    \
	  "accept later fragments that are NEW, too (iptables -f, ip6tables -m frag)")             \
	X(NOTRACK_STATE, "notrack-state", WARNING,                                                 \
	  "the kernel's connection state is matched, "                                             \
	  "but raw turns tracking off",                                                            \
	  "match the class in the mark instead")                                                   \
	X(NOT_FOLLOWED, "not-followed", INFO, "too many rules, or jumps nested too deeply",        \
	  "what lies beyond was not looked at")
