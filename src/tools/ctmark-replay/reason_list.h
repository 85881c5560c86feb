/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Reason, name of the rule, what it says, what it would have let through, what is mostly the cause.
 * A reason of CT_REASON_LIST that is missing here does not compile (reasons.c).
 */

#define FRAGMENT_NUMBERS "Its bytes {offset} to {end} of datagram {id}"

#define REASON_TEXT_LIST(X)                                                                        \
	X(NONE, "", "", "", "")                                                                    \
	X(IP_HEADER, "the IP header is whole",                                                     \
	  "The IP header takes {need} bytes, and the packet has {have}.",                          \
	  "A packet whose first four bits say 4 or 6 and that is as long as its header says.",     \
	  "Damage, a broken or hostile sender, or a capture of something that is not IP.")         \
	X(IP_FRAGMENT, "a later fragment follows its first one",                                   \
	  "It is a piece of datagram {id}, from byte {offset} on, and has no ports. Which flow "   \
	  "it belongs to says the first piece (offset 0), which was not seen.",                    \
	  "The same fragment behind the first one of its datagram.",                               \
	  "The first fragment went another way, was lost, was left out of the capture by a "       \
	  "filter on ports, or came too long before. The kernel never sees fragments here: it "    \
	  "puts datagrams together first.")                                                        \
	X(IP6_EXT_HEADER, "IPv6 extension headers are whole",                                      \
	  "Extension header {header} needs {need} bytes up to its end, and there are {have}.",     \
	  "A packet that is as long as its headers say.",                                          \
	  "A broken or hostile sender. Chains of extension headers are used to slip past "         \
	  "filters.")                                                                              \
	X(IP6_NO_NEXT, "there is an upper layer",                                                  \
	  "The chain of IPv6 headers ends with No Next Header (59): there is nothing to track.",   \
	  "A packet with any upper layer.",                                                        \
	  "Padding of some tunnels, keepalives of some routers, or a scan.")                       \
	X(L4_HEADER, "the transport header is whole",                                              \
	  "The transport header needs {need} bytes, and the packet has {have}.",                   \
	  "A packet with at least {need} bytes behind the IP header.",                             \
	  "A tiny first fragment, a scan, or a broken sender.")                                    \
	X(COPY_RANGE, "the headers were captured",                                                 \
	  "The headers reach up to byte {need}, and {copied} bytes were captured. This says "      \
	  "nothing of the packet itself.",                                                         \
	  "The same packet, captured whole.",                                                      \
	  "The capture was made with a snapshot length: capture with -s 0. In a running ctmarkd "  \
	  "the same comes from CopyRange=.")                                                       \
	X(CHECKSUM, "the transport checksum is right",                                             \
	  "The checksum field holds {found}, and the bytes add up to {expected}.",                 \
	  "The same packet with checksum {expected}.",                                             \
	  "Captured where packets are sent: the network card fills it in later, and the capture "  \
	  "shows what was there before (then -K is right). Otherwise damage, or a device that "    \
	  "rewrites packets and forgets the checksum.")                                            \
	X(NOT_INVERTIBLE, "the message has a form of reply",                                       \
	  "ICMP type {type} code {code} is no question with an answer and no error about a "       \
	  "packet: nothing that could come back belongs to it, so there is no flow.",              \
	  "Of ICMP: echo, timestamp, information and address mask, and errors; of ICMPv6: echo "   \
	  "and node information, and errors.",                                                     \
	  "Router discovery of IPv4, or types that few use. Harmless on a link; allow it by its "  \
	  "type, not by its class.")                                                               \
	X(TCP_OFFSET, "the data offset fits the packet",                                           \
	  "The data offset says that the TCP header has {offset} bytes; that is less than 20 or "  \
	  "more than the {have} bytes that are there.",                                            \
	  "A header of at least 20 bytes that ends within the packet.",                            \
	  "Damage, a broken or hostile sender.")                                                   \
	X(TCP_FLAGS, "the combination of flags makes sense",                                       \
	  "The flags {flags} are together in no segment that a TCP sends.",                        \
	  "SYN (with URG), SYN/ACK, RST, RST/ACK, and FIN/ACK or ACK (with URG); PSH, ECE and "    \
	  "CWR may be added to each.",                                                             \
	  "A scan (null, FIN, Xmas), or a probe for the kind of operating system.")                \
	X(TCP_NOT_FIRST, "the first packet of a flow can begin one",                               \
	  "There is no flow of these addresses and ports, and a segment with {flags} begins "      \
	  "none.",                                                                                 \
	  "A SYN; or, with TCPLoose=yes, an ACK with or without data.", "")                        \
	X(TCP_LOOSE_OFF, "connections are not picked up in their middle",                          \
	  "There is no flow of these addresses and ports, an ACK is no beginning, and "            \
	  "TCPLoose=no "                                                                           \
	  "forbids to take it for one (seq {seq}, ack {ack}).",                                    \
	  "A SYN.",                                                                                \
	  "The connection is older than the capture, or than the start of the tracker; or its "    \
	  "flow has timed out while it was idle.")                                                 \
	X(TCP_STATE, "the segment has a place in the state",                                       \
	  "In state {state} the table of transitions has no place for {flags} in this direction.", \
	  "", "")                                                                                  \
	X(TCP_RST_STALE, "a RST is not below what its receiver has acknowledged", "", "",          \
	  "A reset that was late or sent twice, or one that somebody who does not see the "        \
	  "connection has guessed (blind reset attack). Harmless when it is dropped.")             \
	X(TCP_SEQ_OVER, "a segment does not begin beyond the window of its receiver", "", "",      \
	  "The packets that opened the window were not seen: asymmetric routing, losses of the "   \
	  "capture, or one direction that goes by a path with offload. A device that removes or "  \
	  "changes the window scale option makes all windows look too small. Or it is forged.")    \
	X(TCP_ACK_OVER, "only what was sent is acknowledged", "", "",                              \
	  "The data was sent, but not seen here: asymmetric routing, losses of the capture, or a " \
	  "flow that was moved to offload in one direction. Rarely a device that shifts sequence " \
	  "numbers and forgets SACK. Or it is forged.")                                            \
	X(UDP_LENGTH, "the UDP length fits the packet",                                            \
	  "The length field says {length} bytes; it has to be at least 8 and at most the {have} "  \
	  "bytes that are there.",                                                                 \
	  "A length of 8 to {have}.", "Damage, a datagram that was cut off, or a broken sender.")  \
	X(UDPLITE_COVERAGE, "the checksum coverage fits the packet",                               \
	  "The coverage says {coverage} bytes; it has to be 0 (all), or 8 up to the {have} bytes " \
	  "that are there.",                                                                       \
	  "A coverage of 0, or of 8 to {have}.", "A broken sender.")                               \
	X(UDPLITE_NO_CHECKSUM, "UDP-Lite has a checksum",                                          \
	  "The checksum field is 0, which UDP-Lite, unlike UDP, does not allow (RFC 3828, 3.1).",  \
	  "Any checksum but 0.", "A broken sender, or one that takes it for UDP.")                 \
	X(SCTP_CHUNKS, "the chunks may stand like this",                                           \
	  "Chunk {chunk}, number {index} from 0 on, has length {length}. No chunk may have "       \
	  "length "                                                                                \
	  "0; INIT, INIT ACK and SHUTDOWN COMPLETE have to be alone in their packet, COOKIE ECHO " \
	  "and COOKIE ACK the first.",                                                             \
	  "The same chunks in packets of their own.", "A broken or hostile sender.")               \
	X(SCTP_NOT_FIRST, "the first packet of a flow can begin an association",                   \
	  "There is no flow of these addresses and ports, and chunk {chunk} (tag {vtag}) begins "  \
	  "none.",                                                                                 \
	  "A packet with INIT alone, or with HEARTBEAT, on another path of a multihomed "          \
	  "association.",                                                                          \
	  "The association is older than the capture, or its flow has timed out; there is no "     \
	  "TCPLoose= for SCTP. The next HEARTBEAT makes a flow.")                                  \
	X(SCTP_VTAG, "the verification tag is that of the association",                            \
	  "The packet carries tag {found}, and with chunk {chunk} it has to be {expected} in "     \
	  "state {state}.",                                                                        \
	  "The same packet with tag {expected}.",                                                  \
	  "One side was restarted and uses new tags, the handshake that announced them went "      \
	  "another way, or it is forged.")                                                         \
	X(SCTP_STATE, "the chunk has a place in the state",                                        \
	  "In state {state} the table of transitions has no place for chunk {chunk} in this "      \
	  "direction.",                                                                            \
	  "", "The association was not seen from its beginning.")                                  \
	X(SCTP_INIT_TAG, "INIT ACK keeps to the announced tag",                                    \
	  "The INIT ACK announces tag {found}; its sender was known by {expected} already, in "    \
	  "state {state}.",                                                                        \
	  "An INIT ACK that announces {expected}.",                                                \
	  "Two INITs crossed, or the INIT ACK answers one that was not seen; or it is forged.")    \
	X(GRE_PROTOCOL, "GRE version 1 carries PPP",                                               \
	  "GRE version 1 is that of PPTP and carries protocol 0x880b; this one says {protocol}.",  \
	  "The same with protocol 0x880b.", "Not PPTP: a broken sender.")                          \
	X(ICMP_TYPE, "the type of ICMP is tracked",                                                \
	  "ICMP type {type} (code {code}) is none of those that are tracked, 0 to 18.",            \
	  "Types 0 to 18.",                                                                        \
	  "New or rare types (extended echo, for example), or a scan. Allow it by its type.")      \
	X(ICMP_FAMILY, "ICMP fits the family",                                                     \
	  "ICMP of the other family: ICMPv6 in IPv4 or ICMP in IPv6 (type {type}, code {code}).",  \
	  "ICMP in IPv4, ICMPv6 in IPv6.", "A broken or hostile sender.")                          \
	X(ICMP_UNASKED, "a reply answers a question",                                              \
	  "Type {type} code {code} is an answer, and no question with id {id} and the same code "  \
	  "has come by from the other side.",                                                      \
	  "The same packet behind its question, within the timeout.",                              \
	  "The question went another way, its flow has timed out, a NAT has changed the id, or "   \
	  "somebody else's address was used to ask (backscatter).")                                \
	X(ICMP_QUOTE_SHORT, "an error quotes enough of its packet",                                \
	  "The quoted packet has {have} bytes where {need} are needed to name its flow.",          \
	  "An error that quotes the IP header and 4 bytes for the ports (8 for ICMP and GRE).",    \
	  "A broken or hostile sender: routers quote at least 8 bytes behind the IP header.")      \
	X(ICMP_QUOTE_FORM, "an error quotes a packet that can have a flow",                        \
	  "The quoted packet ({proto}) can have no flow: it is an ICMP error itself, a message "   \
	  "without an answer, a later fragment, or GRE version 1 without PPP.",                    \
	  "An error about the first fragment, or about any packet that has a flow.",               \
	  "Errors about errors are forbidden (RFC 1122, 3.2.2). About later fragments they are "   \
	  "allowed, but nobody can tell whose they are.")                                          \
	X(ICMP_NO_FLOW, "the packet that an error quotes belongs to a flow", "",                   \
	  "The same error while the flow of the quoted packet is there.",                          \
	  "The quoted packet went another way or is older than the capture, its flow has timed "   \
	  "out or was not let through, or somebody used this address as a source "                 \
	  "(backscatter).")                                                                        \
	X(ICMP_TARGET, "an error goes to the sender of what it quotes",                            \
	  "The flow of the quoted packet is there, but the error is addressed to somebody who "    \
	  "has not sent that packet.",                                                             \
	  "The same error, addressed to the sender of the quoted packet.",                         \
	  "Forged; or a NAT has changed the address of the error and not that of the quote.")      \
	X(ICMP6_REDIRECT, "a redirect comes from the router on the link",                          \
	  "Code {code}, hop limit {hoplimit}, first option {option}: a redirect has code 0, hop "  \
	  "limit 255, a link-local source, and begins with the Redirected Header option (4).",     \
	  "A redirect like that, about a known flow.",                                             \
	  "Forged from outside the link, or a router that quotes no packet.")                      \
	X(CLASH, "one packet begins a flow",                                                       \
	  "Another packet has made the {proto} flow from port {sport} to {dport} while "           \
	  "this one was on its way. It is dropped.",                                               \
	  "The same packet a moment later: it belongs to the flow that is there by then.",         \
	  "Two first packets at the same time, on several cores. The sender repeats it.")          \
	X(HELPER_PARSE, "a helper understands the message",                                        \
	  "Helper {helper} has to read this message of {length} bytes and cannot. It is dropped, " \
	  "because what it announces could not be let through.",                                   \
	  "A message that is whole and well-formed, in one packet.",                               \
	  "A message that was split between segments, a sender with a dialect of its own, or "     \
	  "another protocol on that port.")                                                        \
	X(EXPECT_REFUSED, "there is room for what a helper expects",                               \
	  "Helper {helper} (class {class}) cannot expect a connection to port {port}: another "    \
	  "flow has announced it, or there is no room. The packet is dropped.",                    \
	  "The same message when the earlier expectation is met or over.",                         \
	  "Two control connections announce the same port, or MaxExpectations= is reached.")       \
	X(FRAGMENT_DUPLICATE, "a fragment comes once",                                             \
	  FRAGMENT_NUMBERS " have come before. It is dropped.",                                    \
	  "Nothing: the datagram has these bytes.",                                                \
	  "Packets that are doubled on their way or in the capture.")                              \
	X(FRAGMENT_OVERLAP, "fragments do not overlap",                                            \
	  FRAGMENT_NUMBERS " overlap others. The rest of the datagram is dropped, too.",           \
	  "Fragments that end where the next one begins.",                                         \
	  "An attack: what a filter sees and what the receiver puts together would differ.")       \
	X(FRAGMENT_LENGTH, "the lengths of fragments fit",                                         \
	  FRAGMENT_NUMBERS " do not fit: behind the end of the datagram, beyond the largest one, " \
			   "or no multiple of 8 in its middle.",                                   \
	  "Fragments of lengths that are multiples of 8 but for the last one.",                    \
	  "A broken or hostile sender.")                                                           \
	X(FRAGMENT_ECN, "fragments agree about ECN",                                               \
	  FRAGMENT_NUMBERS " say something else about ECN than the others. It is dropped.",        \
	  "Fragments that all are ECN-capable, or none.",                                          \
	  "A device that sets or removes ECN for some packets (RFC 3168, 5.3).")                   \
	X(FRAGMENT_TIMEOUT, "the first fragment comes in time",                                    \
	  FRAGMENT_NUMBERS " have waited for the first fragment, which did not come in time.",     \
	  "The same with the first fragment (offset 0) before it or soon after.",                  \
	  "The first fragment was lost, or goes another way.")                                     \
	X(FRAGMENT_LIMIT, "there is room for fragments",                                           \
	  FRAGMENT_NUMBERS " find no room. It is dropped.",                                        \
	  "The same with fewer datagrams under way.",                                              \
	  "A flood of fragments, or MaxFragments= is too small.")                                  \
	X(TABLE_FULL, "there is room for a flow",                                                  \
	  "The table is full, and no flow in it had to make room: the packet is dropped.",         \
	  "Packets of flows that are in the table.",                                               \
	  "A scan or flood, or MaxFlows= is too small for this traffic.")
