/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The closed sets of the engine, each written once.
 *
 * Enums, names, metrics, journal values and the tables of the manual are all expanded from
 * these lists, so that a value added here appears everywhere and nowhere by halves.
 */

/*
 * Why a packet is INVALID (or, for table-full, dropped): enum suffix, code, one line for people,
 * names of the numbers in ct_event.detail[] in order (comma separated, "" for none).
 */
#define CT_REASON_LIST(X)                                                                          \
	X(NONE, "none", "not invalid", "")                                                         \
	/* network layer: conntrack-semantics 1.2 */                                               \
	X(IP_HEADER, "ip-header", "IP header is cut short or malformed", "have,need")              \
	X(IP_FRAGMENT, "ip-fragment", "later fragment whose first one is not known", "offset,id")  \
	X(IP6_EXT_HEADER, "ip6-ext-header", "IPv6 extension header is cut short",                  \
	  "header,have,need")                                                                      \
	X(IP6_NO_NEXT, "ip6-no-next-header", "IPv6 packet without an upper layer", "")             \
	/* any transport */                                                                        \
	X(L4_HEADER, "l4-header", "transport header is cut short", "have,need")                    \
	X(COPY_RANGE, "copy-range", "headers reach beyond the copied bytes", "copied,need")        \
	X(CHECKSUM, "checksum", "transport checksum is wrong", "found,expected")                   \
	X(NOT_INVERTIBLE, "no-reply-form", "message type that has no reply, so no flow",           \
	  "type,code")                                                                             \
	/* TCP: 4.2 - 4.6 */                                                                       \
	X(TCP_OFFSET, "tcp-data-offset", "TCP data offset is too small or beyond the packet",      \
	  "offset,have")                                                                           \
	X(TCP_FLAGS, "tcp-flags", "combination of TCP flags that no stack sends", "flags")         \
	X(TCP_NOT_FIRST, "tcp-not-first", "no flow, and this cannot be its first packet",          \
	  "flags,seq,ack")                                                                         \
	X(TCP_LOOSE_OFF, "tcp-midstream", "middle of an unknown connection and TCPLoose=no",       \
	  "seq,ack")                                                                               \
	X(TCP_STATE, "tcp-state", "packet has no place in the present state",                      \
	  "state,flags,seq,ack")                                                                   \
	X(TCP_RST_STALE, "tcp-rst-stale", "RST below what the other side already acknowledged",    \
	  "seq,maxack")                                                                            \
	X(TCP_SEQ_OVER, "tcp-seq-over", "sequence beyond the receiver's window",                   \
	  "seq,end,maxend,ack")                                                                    \
	X(TCP_ACK_OVER, "tcp-ack-over", "acknowledges data that was never sent", "ack,sack,end")   \
	/* UDP: 5.1 */                                                                             \
	X(UDP_LENGTH, "udp-length", "UDP length field does not fit the packet", "length,have")     \
	/* UDP-Lite: 5.2 */                                                                        \
	X(UDPLITE_COVERAGE, "udplite-coverage", "checksum coverage does not fit the packet",       \
	  "coverage,have")                                                                         \
	X(UDPLITE_NO_CHECKSUM, "udplite-no-checksum", "UDP-Lite without a checksum", "")           \
	/* SCTP: 5.7 */                                                                            \
	X(SCTP_CHUNKS, "sctp-chunks", "chunk that has no length or may not stand there",           \
	  "chunk,length,index")                                                                    \
	X(SCTP_NOT_FIRST, "sctp-not-first", "no association, and this chunk cannot begin one",     \
	  "chunk,vtag")                                                                            \
	X(SCTP_VTAG, "sctp-vtag", "verification tag is not that of the association",               \
	  "found,expected,chunk,state")                                                            \
	X(SCTP_STATE, "sctp-state", "chunk has no place in the present state", "state,chunk")      \
	X(SCTP_INIT_TAG, "sctp-init-tag", "INIT ACK announces another tag than its sender had",    \
	  "found,expected,state")                                                                  \
	/* GRE: 1.3 */                                                                             \
	X(GRE_PROTOCOL, "gre-protocol", "GRE version 1 that does not carry PPP", "protocol")       \
	/* ICMP and ICMPv6: 5.4 - 5.6 */                                                           \
	X(ICMP_TYPE, "icmp-type", "ICMP type that is not tracked", "type,code")                    \
	X(ICMP_FAMILY, "icmp-family", "ICMPv6 in IPv4 or ICMPv4 in IPv6", "type,code")             \
	X(ICMP_UNASKED, "icmp-unasked", "reply that nobody asked for", "type,code,id")             \
	X(ICMP_QUOTE_SHORT, "icmp-quote-short", "ICMP error quotes too little of its packet",      \
	  "have,need")                                                                             \
	X(ICMP_QUOTE_FORM, "icmp-quote-form", "ICMP error quotes a packet that has no flow form",  \
	  "proto")                                                                                 \
	X(ICMP_NO_FLOW, "icmp-no-flow", "ICMP error about a flow that is not known",               \
	  "proto,sport,dport")                                                                     \
	X(ICMP_TARGET, "icmp-target", "ICMP error is not sent to the sender of the quoted packet", \
	  "")                                                                                      \
	X(ICMP6_REDIRECT, "icmp6-redirect", "redirect that no router may send",                    \
	  "code,hoplimit,option")                                                                  \
	/* not INVALID: the packet is dropped */                                                   \
	X(CLASH, "clash", "another packet made this flow first", "proto,sport,dport")              \
	X(HELPER_PARSE, "helper-parse", "message that its helper has to read and cannot",          \
	  "helper,length")                                                                         \
	X(EXPECT_REFUSED, "expect-refused", "what a helper expects finds no room or is taken",     \
	  "helper,class,port")                                                                     \
	/* not INVALID: fragments are dropped, 5.11 (only fragment-length may be one that is not)  \
	 */                                                                                        \
	X(FRAGMENT_DUPLICATE, "fragment-duplicate", "fragment that has come before",               \
	  "offset,end,id")                                                                         \
	X(FRAGMENT_OVERLAP, "fragment-overlap", "fragments of its datagram overlap",               \
	  "offset,end,id")                                                                         \
	X(FRAGMENT_LENGTH, "fragment-length", "lengths of its datagram's fragments do not fit",    \
	  "offset,end,id")                                                                         \
	X(FRAGMENT_ECN, "fragment-ecn", "fragments of its datagram disagree about ECN",            \
	  "offset,end,id")                                                                         \
	X(FRAGMENT_TIMEOUT, "fragment-timeout", "the first fragment did not come in time",         \
	  "offset,end,id")                                                                         \
	X(FRAGMENT_LIMIT, "fragment-limit", "no room for one more fragment", "offset,end,id")      \
	X(TABLE_FULL, "table-full", "no room for one more flow", "flows,max")

/* How a flow ended: enum suffix, code, one line for people. */
#define CT_DEATH_LIST(X)                                                                           \
	X(NONE, "none", "alive")                                                                   \
	X(TIMEOUT, "timeout", "no packet for the length of its timeout")                           \
	X(TCP_RST, "tcp-rst", "reset before any answer was tracked")                               \
	X(TCP_REOPEN, "tcp-reopen", "a SYN opened the same ports again")                           \
	X(EARLY_DROP, "early-drop", "made room in a full table")                                   \
	X(MASTER, "master", "the connection that it belonged to ended it")                         \
	X(DELETED, "deleted", "somebody asked for its end")

/* What can happen: enum suffix, journal name of the event (also the word of Events=). */
#define CT_EVENT_LIST(X)                                                                           \
	X(NEW, "new")                                                                              \
	X(RELATED, "related")                                                                      \
	X(REPLY, "reply")                                                                          \
	X(ASSURED, "assured")                                                                      \
	X(STATE, "state")                                                                          \
	X(DESTROY, "destroy")                                                                      \
	X(INVALID, "invalid")

/*
 * enum ip_conntrack_info with the kernel's numbers (semantics 0), 6 standing for "no flow and not
 * untracked". 5 is unused. Bit 3 is set in the mark, so ESTABLISHED differs from "not seen".
 * suffix, value, name, verdict class.
 */
#define CT_INFO_LIST(X)                                                                            \
	X(ESTABLISHED, 0, "ESTABLISHED", ESTABLISHED)                                              \
	X(RELATED, 1, "RELATED", RELATED)                                                          \
	X(NEW, 2, "NEW", NEW)                                                                      \
	X(ESTABLISHED_REPLY, 3, "ESTABLISHED_REPLY", ESTABLISHED)                                  \
	X(RELATED_REPLY, 4, "RELATED_REPLY", RELATED)                                              \
	X(INVALID, 6, "INVALID", INVALID)                                                          \
	X(UNTRACKED, 7, "UNTRACKED", UNTRACKED)

/* What [Verdict] can tell apart: enum suffix, configuration key. */
#define CT_CLASS_LIST(X)                                                                           \
	X(NEW, "New")                                                                              \
	X(ESTABLISHED, "Established")                                                              \
	X(RELATED, "Related")                                                                      \
	X(INVALID, "Invalid")                                                                      \
	X(UNTRACKED, "Untracked")

/* enum ip_conntrack_status with the kernel's numbers (semantics 3): suffix, bit number. */
#define CT_STATUS_LIST(X)                                                                          \
	X(EXPECTED, 0)                                                                             \
	X(SEEN_REPLY, 1)                                                                           \
	X(ASSURED, 2)                                                                              \
	X(CONFIRMED, 3)                                                                            \
	X(DYING, 9)                                                                                \
	X(HELPER, 13)

/*
 * Helpers: enum suffix, name (also in Helpers=), families (4, 6, 46), protocols (6 TCP, 17 UDP, 23
 * both), default port, then most expectations and their life in seconds for each of four classes
 * (semantics 6.3).
 */
#define CT_HELPER_LIST(X)                                                                          \
	X(FTP, "ftp", 46, 6, 21, {{1, 300}})                                                       \
	X(TFTP, "tftp", 46, 17, 69, {{1, 300}})                                                    \
	X(IRC, "irc", 4, 6, 6667, {{8, 300}})                                                      \
	X(SIP, "sip", 46, 23, 5060, {{1, 180}, {4, 180}, {4, 180}, {2, 180}})                      \
	X(PPTP, "pptp", 4, 6, 1723, {{2, 300}})                                                    \
	X(AMANDA, "amanda", 46, 17, 10080, {{4, 180}})                                             \
	X(SANE, "sane", 46, 6, 6566, {{1, 300}})

/* TCP states with the kernel's numbers (semantics 4.1). */
#define CT_TCP_STATE_LIST(X)                                                                       \
	X(NONE, 0)                                                                                 \
	X(SYN_SENT, 1)                                                                             \
	X(SYN_RECV, 2)                                                                             \
	X(ESTABLISHED, 3)                                                                          \
	X(FIN_WAIT, 4)                                                                             \
	X(CLOSE_WAIT, 5)                                                                           \
	X(LAST_ACK, 6)                                                                             \
	X(TIME_WAIT, 7)                                                                            \
	X(CLOSE, 8)                                                                                \
	X(SYN_SENT2, 9)

/* What a segment is to the state machine (semantics 4.1): suffix, name. */
#define CT_TCP_INDEX_LIST(X)                                                                       \
	X(SYN, "SYN")                                                                              \
	X(SYNACK, "SYN/ACK")                                                                       \
	X(FIN, "FIN")                                                                              \
	X(ACK, "ACK")                                                                              \
	X(RST, "RST")                                                                              \
	X(NONE, "none")

/*
 * What is known of one side of a TCP connection, with the kernel's numbers (semantics 4.1). The
 * last two are remembered of a packet only.
 */
#define CT_TCP_FLAG_LIST(X)                                                                        \
	X(WINDOW_SCALE, 0x01)                                                                      \
	X(SACK_PERM, 0x02)                                                                         \
	X(CLOSE_INIT, 0x04)                                                                        \
	X(BE_LIBERAL, 0x08)                                                                        \
	X(DATA_UNACK, 0x10)                                                                        \
	X(MAXACK_SET, 0x20)                                                                        \
	X(EXP_CHALLENGE_ACK, 0x40)                                                                 \
	X(SIMULTANEOUS_OPEN, 0x80)

/* SCTP states (semantics 5.7), with the kernel's numbers. */
#define CT_SCTP_STATE_LIST(X)                                                                      \
	X(NONE, 0)                                                                                 \
	X(CLOSED, 1)                                                                               \
	X(COOKIE_WAIT, 2)                                                                          \
	X(COOKIE_ECHOED, 3)                                                                        \
	X(ESTABLISHED, 4)                                                                          \
	X(SHUTDOWN_SENT, 5)                                                                        \
	X(SHUTDOWN_RECD, 6)                                                                        \
	X(SHUTDOWN_ACK_SENT, 7)                                                                    \
	X(HEARTBEAT_SENT, 8)

/* SCTP chunks (RFC 9260, 3.2) that an association is moved by, and data: name, type. */
#define CT_SCTP_CHUNK_LIST(X)                                                                      \
	X(DATA, 0)                                                                                 \
	X(INIT, 1)                                                                                 \
	X(INIT_ACK, 2)                                                                             \
	X(SACK, 3)                                                                                 \
	X(HEARTBEAT, 4)                                                                            \
	X(HEARTBEAT_ACK, 5)                                                                        \
	X(ABORT, 6)                                                                                \
	X(SHUTDOWN, 7)                                                                             \
	X(SHUTDOWN_ACK, 8)                                                                         \
	X(ERROR, 9)                                                                                \
	X(COOKIE_ECHO, 10)                                                                         \
	X(COOKIE_ACK, 11)                                                                          \
	X(SHUTDOWN_COMPLETE, 14)

/* Timeouts (semantics 4.11, 5, 8): suffix, key in [Timeouts], default in seconds. */
#define CT_TIMEOUT_LIST(X)                                                                         \
	X(TCP_SYN_SENT, "TCPSynSent", 120)                                                         \
	X(TCP_SYN_RECV, "TCPSynRecv", 60)                                                          \
	X(TCP_ESTABLISHED, "TCPEstablished", 432000)                                               \
	X(TCP_FIN_WAIT, "TCPFinWait", 120)                                                         \
	X(TCP_CLOSE_WAIT, "TCPCloseWait", 60)                                                      \
	X(TCP_LAST_ACK, "TCPLastAck", 30)                                                          \
	X(TCP_TIME_WAIT, "TCPTimeWait", 120)                                                       \
	X(TCP_CLOSE, "TCPClose", 10)                                                               \
	X(TCP_SYN_SENT2, "TCPSynSent2", 120)                                                       \
	X(TCP_RETRANS, "TCPMaxRetrans", 300)                                                       \
	X(TCP_UNACK, "TCPUnacknowledged", 300)                                                     \
	X(UDP, "UDP", 30)                                                                          \
	X(UDP_STREAM, "UDPStream", 120)                                                            \
	X(SCTP_CLOSED, "SCTPClosed", 10)                                                           \
	X(SCTP_COOKIE_WAIT, "SCTPCookieWait", 3)                                                   \
	X(SCTP_COOKIE_ECHOED, "SCTPCookieEchoed", 3)                                               \
	X(SCTP_ESTABLISHED, "SCTPEstablished", 210)                                                \
	X(SCTP_SHUTDOWN_SENT, "SCTPShutdownSent", 3)                                               \
	X(SCTP_SHUTDOWN_RECD, "SCTPShutdownRecd", 3)                                               \
	X(SCTP_SHUTDOWN_ACK_SENT, "SCTPShutdownAckSent", 3)                                        \
	X(SCTP_HEARTBEAT_SENT, "SCTPHeartbeatSent", 30)                                            \
	X(ICMP, "ICMP", 30)                                                                        \
	X(ICMPV6, "ICMPv6", 30)                                                                    \
	X(GRE, "GRE", 30)                                                                          \
	X(GRE_STREAM, "GREStream", 180)                                                            \
	X(GENERIC, "Generic", 600)

/* Counters of one thread: suffix, name, help. Every judged packet also counts in one ctinfo. */
#define CT_STAT_LIST(X)                                                                            \
	X(PACKETS, "packets", "packets judged")                                                    \
	X(FOREIGN, "foreign_packets", "packets of another family than IP, left as they were")      \
	X(EXIT, "exit_packets", "packets from an exit hook, left as they were")                    \
	X(REPEATED, "classified_packets",                                                          \
	  "packets that were classified before, left as they were")                                \
	X(CREATED, "flows_created", "flows confirmed")                                             \
	X(DESTROYED, "flows_destroyed", "flows ended")                                             \
	X(DISCARDED, "flows_discarded", "first packets whose flow was not confirmed")              \
	X(UNCONFIRMED, "flows_unconfirmed", "first packets that never came to an exit hook")       \
	X(CLASHES, "clashes", "first packets whose flow another one had made meanwhile")           \
	X(EARLY_DROPS, "early_drops", "flows ended to make room in a full table")                  \
	X(EXPECTED, "expectations_created", "expectations that helpers made")                      \
	X(EXPECT_REFUSED, "expectations_refused", "expectations that found no room")               \
	X(HELPER_DROPS, "helper_drops", "packets dropped because a helper could not do its work")  \
	X(TABLE_FULL, "table_full", "packets dropped because the table was full")                  \
	X(CSUM_SKIPPED, "checksum_skipped", "packets copied too short to verify their checksum")   \
	X(FRAGMENTS, "fragments", "later fragments that got the class of their first one")         \
	X(FRAGMENTS_HELD, "fragments_held", "fragments that came before their first one")          \
	X(FRAGMENTS_DROPPED, "fragments_dropped", "fragments dropped; the reasons tell why")       \
	X(FRAGMENTS_EVICTED, "fragment_datagrams_evicted",                                         \
	  "fragmented datagrams given up for want of room")
