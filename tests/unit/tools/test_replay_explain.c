/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What --explain says, and that what it says of settings was tried. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/tools/talk.h"

/* Is the text, with all its line breaks as blanks, in the account? */
static void says(struct stage *s, uint64_t number, const char *wanted)
{
	int error;
	char *text = stage_explain(s, number, false, &error), *to = text;

	assert_int_equal(error, 0);
	for (const char *from = text; *from; from++)
		if (*from != '\n' && (*from != ' ' || (to > text && to[-1] != ' ')))
			*to++ = *from;
		else if (to > text && to[-1] != ' ')
			*to++ = ' ';
	*to = '\0';
	if (!strstr(text, wanted))
		fail_msg("\"%s\" is not in:\n%s", wanted, text);
	free(text);
}

static const json_t *setting(const json_t *account, size_t i)
{
	return json_array_get(json_object_get(account, "settings"), i);
}

static void beyond_the_window(void **state)
{
	struct stage s;
	json_t *account;
	uint64_t n;

	stage_init(&s);
	talk_open(&s);
	n = talk_say(&s, false, FLOW_ACK, 900000, 5001, 100);
	talk_say(&s, false, FLOW_ACK, 1100, 5001, 10);
	says(&s, n, "Packet 6 is INVALID: sequence beyond the receiver's window");
	says(&s, n,
	     "SEEN_REPLY since packet 2, ASSURED since packet 3: both sides have taken part");
	says(&s, n,
	     "largest window 64000 (packet 1), window scale 7; may send up to 65100 "
	     "(rel. 64100) = ack 1100 (rel. 100) + window 64000 (packet 5)");
	says(&s, n,
	     "Sequence 900000 (rel. 899000) must be at most 65100 (rel. 64100) = ack 1100 "
	     "(rel. 100) + window 64000 (packet 5), the furthest that the responder allows. It is "
	     "834900 too high.");
	says(&s, n,
	     "With TCPBeLiberal=yes (net.netfilter.nf_conntrack_tcp_be_liberal=1) it would "
	     "be ESTABLISHED.");
	says(&s, n, "Later packets of the flow: 1, of these INVALID: 0.");
	account = stage_object(&s, n);
	assert_int_equal(stage_number(account, "missed_by"), 834900);
	assert_int_equal(stage_number(account, "accepted.seq_max"), 65100);
	assert_int_equal(stage_number(account, "accepted.ack_max"), 5001);
	assert_true(json_is_true(json_object_get(setting(account, 0), "changes")));
	json_decref(account);
	stage_done(&s);
}

static void acknowledged_too_much(void **state)
{
	struct stage s;
	uint64_t n;

	stage_init(&s);
	talk_open(&s);
	n = talk_say(&s, false, FLOW_ACK, 1100, 7001, 0);
	says(&s, n,
	     "Acknowledgement 7001 (rel. 2001) must be at most 5001 (rel. 1), the highest "
	     "that the responder has sent (packet 2). It is 2000 too high.");
	stage_done(&s);
}

static void stale_reset(void **state)
{
	struct stage s;
	json_t *account;
	uint64_t n;

	stage_init(&s);
	talk_open(&s);
	n = talk_say(&s, true, FLOW_RST, 4000, 0, 0);
	says(&s, n,
	     "Sequence 4000 (rel. -1000) must be at least 5001 (rel. 1), up to which the "
	     "initiator has acknowledged (packet 3). It is 1001 too low. TCPBeLiberal= does not "
	     "cover this.");
	says(&s, n,
	     "With TCPIgnoreInvalidRST=yes "
	     "(net.netfilter.nf_conntrack_tcp_ignore_invalid_rst=1) it would be "
	     "ESTABLISHED_REPLY.");
	/* the setting that everybody tries first does not help, and is said not to */
	s.cfg.tcp_be_liberal = true;
	account = stage_object(&s, n);
	assert_string_equal(stage_word(account, "reason"), "tcp-rst-stale");
	json_decref(account);
	stage_done(&s);
}

static void answer_not_seen(void **state)
{
	struct stage s;
	uint64_t n;

	stage_init(&s);
	talk_say(&s, false, FLOW_SYN, 1000, 0, 0);
	n = talk_say(&s, false, FLOW_ACK, 1001, 5001, 0);
	says(&s, n,
	     "In state SYN_SENT the table of transitions has no place for ACK in this "
	     "direction.");
	says(&s, n, "In SYN_SENT, from the initiator: SYN, RST.");
	says(&s, n, "In SYN_SENT, from the responder: SYN, SYN/ACK, ACK, RST.");
	says(&s, n, "The SYN/ACK was not seen");
	stage_done(&s);
}

/* The flow is over when its next packet comes; with a longer timeout it would not be. */
static void timed_out(void **state)
{
	struct stage s;
	json_t *account;
	uint64_t n;

	stage_init(&s);
	talk_open(&s);
	s.cfg.timeout_ns[CT_TIMEOUT_TCP_ESTABLISHED] = 100 * CT_NS_PER_S;
	s.time_ns += 150 * CT_NS_PER_S;
	n = talk_say(&s, true, FLOW_FIN | FLOW_ACK, 5001, 1100, 0);
	says(&s, n,
	     "Flow 1 had the same endpoints. Its last packet was packet 5; the flow ended "
	     "in ESTABLISHED 100.0 s later");
	says(&s, n, "This packet comes 150.0 s after the last one.");
	says(&s, n,
	     "With TCPEstablished=152s "
	     "(net.netfilter.nf_conntrack_tcp_timeout_established=152) it would be "
	     "ESTABLISHED_REPLY.");
	account = stage_object(&s, n);
	assert_string_equal(stage_word(account, "reason"), "tcp-not-first");
	assert_int_equal(stage_number(account, "earlier_flow"), 1);
	json_decref(account);
	stage_done(&s);
}

static void picked_up_and_not(void **state)
{
	struct stage s;
	uint64_t n;

	stage_init(&s);
	n = talk_say(&s, false, FLOW_ACK, 1000, 2000, 10);
	says(&s, n, "Picked up in mid-stream, by TCPLoose=yes");
	says(&s, n,
	     "With TCPLoose=no (net.netfilter.nf_conntrack_tcp_loose=0) it would be "
	     "INVALID, tcp-midstream.");
	s.cfg.tcp_loose = false;
	says(&s, n, "With TCPLoose=yes (net.netfilter.nf_conntrack_tcp_loose=1) it would be NEW.");
	stage_done(&s);
}

static void way_is(struct stage *s, uint64_t number, const char *way)
{
	json_t *account = stage_object(s, number);

	assert_string_equal(stage_word(account, "way"), way);
	json_decref(account);
}

static void let_through(void **state)
{
	struct stage s;

	stage_init(&s);
	talk_open(&s);
	way_is(&s, 1, "opens");
	way_is(&s, 2, "in-order");
	way_is(&s, talk_say(&s, false, FLOW_SYN, 900000, 0, 0), "syn-ignored");
	way_is(&s, talk_say(&s, true, FLOW_SYN | FLOW_ACK, 7000, 900001, 0), "resync");
	way_is(&s, talk_say(&s, false, FLOW_ACK, 900001, 7001, 0), "in-order");
	way_is(&s, talk_say(&s, true, FLOW_SYN | FLOW_ACK, 7000, 900001, 0), "synack-ignored");
	way_is(&s, talk_say(&s, false, FLOW_ACK, 800000, 7001, 0), "old-data");
	way_is(&s, talk_say(&s, true, FLOW_RST, 7050, 0, 0), "rst-vague");
	way_is(&s, talk_say(&s, true, FLOW_RST, 7001, 0, 0), "rst-closes");
	way_is(&s, talk_say(&s, true, FLOW_RST, 1, 0, 0), "rst-closing");
	way_is(&s, talk_say(&s, false, FLOW_SYN, 1, 0, 0), "syn-not-reopening");
	stage_done(&s);
}

static void ends_of_handshakes(void **state)
{
	struct stage s;

	stage_init(&s);
	talk_say(&s, false, FLOW_SYN, 1000, 0, 0);
	way_is(&s, talk_say(&s, false, FLOW_SYN, 1000, 0, 0), "syn-again");
	way_is(&s, talk_say(&s, true, FLOW_ACK, 77, 88, 0), "challenge-in-syn-sent");
	way_is(&s, talk_say(&s, true, FLOW_SYN, 77, 0, 0), "simultaneous-open");
	stage_cut(&s, 2);
	way_is(&s, talk_say(&s, true, FLOW_RST | FLOW_ACK, 0, 1001, 0), "rst-unanswered");
	stage_done(&s);
}

static void opened_again(void **state)
{
	struct stage s;
	uint64_t n;

	stage_init(&s);
	talk_open(&s);
	talk_say(&s, false, FLOW_FIN | FLOW_ACK, 1100, 5001, 0);
	talk_say(&s, true, FLOW_FIN | FLOW_ACK, 5001, 1101, 0);
	talk_say(&s, false, FLOW_ACK, 1101, 5002, 0);
	n = talk_say(&s, false, FLOW_SYN, 3000000, 0, 0);
	way_is(&s, n, "reopens");
	says(&s, n, "Flow 1 of the same endpoints, in state TIME_WAIT");
	stage_done(&s);
}

static void liberal(void **state)
{
	struct stage s;
	uint64_t n;

	stage_init(&s);
	s.cfg.tcp_be_liberal = true;
	talk_open(&s);
	n = talk_say(&s, false, FLOW_ACK, 900000, 5001, 100);
	way_is(&s, n, "liberal");
	says(&s, n,
	     "With TCPBeLiberal=no (net.netfilter.nf_conntrack_tcp_be_liberal=0) it would "
	     "be INVALID, tcp-seq-over.");
	stage_done(&s);
}

static uint64_t udp(struct stage *s, bool back)
{
	struct flow_packet p;
	uint64_t number;

	flow_packet_init(&p);
	p.l4 = FLOW_UDP;
	p.src = back ? FLOW_HOST_B : FLOW_HOST_A;
	p.dst = back ? FLOW_HOST_A : FLOW_HOST_B;
	p.sport = back ? 53 : 4000;
	p.dport = back ? 4000 : 53;
	p.len = 10 + (unsigned int)s->n;
	number = talk_packet(s, &p);
	flow_packet_done(&p);
	return number;
}

/* The error of a router about one of the datagrams of udp(). */
static void error_about(struct flow_packet *error, struct flow_packet *quote, unsigned int len)
{
	flow_packet_init(quote);
	quote->l4 = FLOW_UDP;
	quote->src = FLOW_HOST_A;
	quote->dst = FLOW_HOST_B;
	quote->sport = 4000;
	quote->dport = 53;
	quote->len = len;
	flow_packet_init(error);
	error->l4 = FLOW_ICMP;
	error->src = FLOW_HOST_R;
	error->dst = FLOW_HOST_A;
	error->icmp_kind = FLOW_UNSET;
	error->icmp_type = 3;
	error->icmp_code = 1;
	error->quote = quote;
}

static void errors_and_what_they_quote(void **state)
{
	struct flow_packet error, quote;
	struct stage s;
	uint64_t n;

	stage_init(&s);
	udp(&s, false);
	udp(&s, false);
	error_about(&error, &quote, 11); /* the second */
	n = talk_packet(&s, &error);
	says(&s, n,
	     "RELATED_REPLY: an ICMP error (type 3 code 1) about a packet of a flow, on its way "
	     "to the initiator. What it quotes is packet 2 of flow 1.");
	error.dst = FLOW_HOST_A2;
	n = talk_packet(&s, &error);
	says(&s, n, "It goes to 10.3.0.1, and the quoted packet came from 10.1.0.1.");
	says(&s, n, "No setting of the kernel or of ctmarkd has to do with this rule.");
	stage_done(&s);
}

static void error_about_nothing(void **state)
{
	struct flow_packet error, quote;
	struct stage s;
	uint64_t n;

	stage_init(&s);
	error_about(&error, &quote, 10);
	n = talk_packet(&s, &error);
	says(&s, n, "No flow of the quoted packet was seen before.");
	says(&s, n, "It quotes udp 10.1.0.1:4000 > 10.2.0.1:53. No flow has these endpoints.");
	stage_done(&s);
}

/* Packets of a protocol without ports look the same in both directions. */
static void error_about_the_other_side(void **state)
{
	struct flow_packet error, quote;
	struct stage s;
	uint64_t n;

	stage_init(&s);
	error_about(&error, &quote, 10);
	quote.l4 = FLOW_GRE;
	talk_packet(&s, &quote);
	n = talk_packet(&s, &error);
	says(&s, n, "What it quotes is packet 1 of flow 1.");
	quote.src = error.dst = FLOW_HOST_B;
	quote.dst = FLOW_HOST_A;
	n = talk_packet(&s, &error);
	says(&s, n, "belongs to flow 1, but is none of the last packets that were seen of it.");
	stage_done(&s);
}

/* A damaged error is refused before the flow of what it quotes is looked for. */
static void refused_before(void **state)
{
	struct flow_packet error, quote;
	struct flow_bytes bytes;
	struct stage s;

	stage_init(&s);
	udp(&s, false);
	error_about(&error, &quote, 10);
	assert_int_equal(flow_packet_build(&error, CT_AF_INET, 1, &bytes), 0);
	bytes.data[22] ^= 1; /* its checksum */
	says(&s, stage_add(&s, bytes.data, (uint32_t)bytes.len, (uint32_t)bytes.len),
	     "No flow was looked for: the packet was refused before. Flow 1 is that of the "
	     "quoted packet.");
	stage_done(&s);
}

static void small_table(void **state)
{
	struct stage s;
	json_t *account;
	uint64_t n;

	stage_init(&s);
	s.max_flows = 1;
	talk_open(&s);
	n = udp(&s, false);
	account = stage_object(&s, n);
	assert_string_equal(stage_word(account, "reason"), "table-full");
	assert_true(json_is_true(json_object_get(account, "drop")));
	json_decref(account);
	says(&s, n, "With MaxFlows=4 (net.netfilter.nf_conntrack_max=4) it would be NEW.");
	stage_done(&s);
}

static void cut_short(void **state)
{
	struct flow_packet p;
	struct flow_bytes bytes;
	struct stage s;

	stage_init(&s);
	flow_packet_init(&p);
	p.l4 = FLOW_TCP;
	p.src = FLOW_HOST_A;
	p.dst = FLOW_HOST_B;
	p.flags = FLOW_SYN;
	assert_int_equal(flow_packet_build(&p, CT_AF_INET, 1, &bytes), 0);
	says(&s, stage_add(&s, bytes.data, 30, (uint32_t)bytes.len),
	     "The headers reach up to byte 20, and 10 bytes were captured.");
	stage_done(&s);
}

static void reason_is(struct stage *s, uint64_t number, const char *reason)
{
	json_t *account = stage_object(s, number);

	assert_string_equal(stage_word(account, "reason"), reason);
	assert_true(json_array_size(json_object_get(json_object_get(account, "words"), "causes")) >
		    0);
	json_decref(account);
}

static void broken_header(void **state)
{
	uint8_t packet[28] = {0x4f, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2};
	struct stage s;

	stage_init(&s);
	reason_is(&s, stage_add(&s, packet, sizeof(packet), sizeof(packet)), "ip-header");
	says(&s, 1, "The IP header takes 60 bytes, and the packet has 28.");
	stage_done(&s);
}

/* A piece of datagram 7 with 16 bytes. */
static uint64_t piece(struct stage *s, uint8_t at, bool more, uint8_t ecn)
{
	uint8_t udp = at ? 0 : 16; /* length */
	uint8_t b[36] = {0x45,	 ecn, 0,  36, 0,  7,  more ? 0x20 : 0,
			 at / 8, 64,  17, 0,  0,  10, 0,
			 0,	 1,   10, 0,  0,  2,  0x10,
			 0,	 0,   53, 0,  udp};

	return stage_add(s, b, sizeof(b), sizeof(b));
}

static void pieces(void **state)
{
	struct stage s;

	stage_init(&s);
	s.max_fragments = 16;
	s.cfg.checksum = false;
	piece(&s, 0, true, 0);
	says(&s, piece(&s, 16, true, 0),
	     "NEW: it is a later fragment, of datagram 7, from byte 16 "
	     "on. It has the class of the first fragment of that. That "
	     "was packet 1.");
	stage_cut(&s, 1);
	reason_is(&s, piece(&s, 0, true, 0), "fragment-duplicate");
	reason_is(&s, piece(&s, 16, true, 1), "fragment-ecn");
	stage_cut(&s, 1);
	reason_is(&s, piece(&s, 8, true, 0), "fragment-overlap");
	says(&s, 2, "Its bytes 8 to 24 of datagram 7 overlap others.");
	stage_cut(&s, 1);
	piece(&s, 32, false, 0);
	reason_is(&s, piece(&s, 64, false, 0), "fragment-length");
	stage_done(&s);
}

/* One piece gets the class of another: what is said of it must not be what that one has. */
static void piece_of_something_bad(void **state)
{
	static const uint8_t bad[28] = {0x45, 0, 0, 28, 0, 7, 0x20, 0,	  64, 17, 0,  0, 10,
					0,    0, 1, 10, 0, 0, 2,    0x10, 0,  0,  53, 0, 7};
	struct stage s;

	stage_init(&s);
	s.max_fragments = 16;
	stage_add(&s, bad, sizeof(bad), sizeof(bad));
	reason_is(&s, piece(&s, 8, false, 0), "udp-length");
	says(&s, 2,
	     "INVALID: it is a later fragment, of datagram 7, from byte 8 on. It has the "
	     "class of the first fragment of that. That was packet 1. What the first one "
	     "has not kept to: the UDP length fits the packet.");
	stage_done(&s);
}

static void first_piece_too_late(void **state)
{
	struct stage s;

	stage_init(&s);
	s.max_fragments = 16;
	piece(&s, 16, false, 0);
	s.time_ns += 300 * CT_NS_PER_S;
	udp(&s, false);
	reason_is(&s, 1, "fragment-timeout");
	says(&s, 1, "have waited for the first fragment, which did not come in time.");
	says(&s, 1, "With FragmentTimeout=310s (net.ipv4.ipfrag_time=310)");
	stage_done(&s);
}

static void first_piece_too_late_ipv6(void **state)
{
	/* bytes 8 to 16, the last ones, of datagram 7 */
	static const uint8_t last[56] = {0x60, [5] = 16, 44, 64, 0xfd, [23] = 1, 0xfd, [39] = 2,
					 17,   0,	 0,  8,	 0,    0,	 0,    7};
	struct stage s;

	stage_init(&s);
	s.max_fragments = 16;
	stage_add(&s, last, sizeof(last), sizeof(last));
	s.time_ns += 300 * CT_NS_PER_S;
	udp(&s, false);
	reason_is(&s, 1, "fragment-timeout");
	says(&s, 1, "(net.netfilter.nf_conntrack_frag6_timeout=");
	stage_done(&s);
}

static void assert_settings(struct stage *s, uint64_t number, size_t settings)
{
	json_t *account = stage_object(s, number);

	assert_int_equal(json_array_size(json_object_get(account, "settings")), settings);
	json_decref(account);
}

/* Values that the configuration would refuse are not offered. */
static void only_what_can_be_set(void **state)
{
	struct stage s;
	uint64_t n;

	stage_init(&s);
	talk_open(&s);
	s.time_ns += 364 * 86400 * CT_NS_PER_S;
	n = talk_say(&s, true, FLOW_FIN | FLOW_ACK, 5001, 1100, 0);
	assert_settings(&s, n, 1);
	stage_cut(&s, n - 1);
	s.time_ns += 2 * 86400 * CT_NS_PER_S;
	assert_settings(&s, talk_say(&s, true, FLOW_FIN | FLOW_ACK, 5001, 1100, 0), 0);
	stage_done(&s);
	stage_init(&s);
	s.max_fragments = 16;
	s.cfg.fragment_ns = 3599 * CT_NS_PER_S;
	piece(&s, 16, false, 0);
	s.time_ns += 4000 * CT_NS_PER_S;
	udp(&s, false);
	assert_settings(&s, 1, 1);
	says(&s, 1, "With FragmentTimeout=3600s ");
	s.cfg.fragment_ns = 3600 * CT_NS_PER_S;
	assert_settings(&s, 1, 0);
	stage_done(&s);
}

static void tried_at_most_once_if_at_all(void **state)
{
	struct stage s;
	json_t *account;

	stage_init(&s);
	talk_open(&s);
	talk_say(&s, false, FLOW_ACK, 900000, 5001, 100);
	s.replays = 0;
	json_decref(stage_object(&s, 6));
	assert_int_equal(s.replays, 2);
	s.replays = 0;
	json_decref(stage_object(&s, 1));
	assert_int_equal(s.replays, 1);
	s.once = true;
	s.replays = 0;
	account = stage_object(&s, 6);
	assert_null(json_object_get(setting(account, 0), "changes"));
	assert_int_equal(s.replays, 1);
	json_decref(account);
	says(&s, 6, "It was not tried: the capture cannot be read twice.");
	stage_done(&s);
}

static void no_such_packet(void **state)
{
	static const uint8_t junk[] = {0x12, 0x34};
	struct stage s;
	int error;

	stage_init(&s);
	talk_open(&s);
	assert_null(stage_explain(&s, 6, false, &error));
	assert_int_equal(error, -ENOENT);
	stage_add(&s, junk, sizeof(junk), sizeof(junk));
	assert_null(stage_explain(&s, 6, false, &error));
	assert_int_equal(error, -ENOENT);
	assert_null(stage_explain(&s, 0, false, &error));
	stage_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(beyond_the_window),
		cmocka_unit_test(acknowledged_too_much),
		cmocka_unit_test(stale_reset),
		cmocka_unit_test(answer_not_seen),
		cmocka_unit_test(timed_out),
		cmocka_unit_test(picked_up_and_not),
		cmocka_unit_test(let_through),
		cmocka_unit_test(ends_of_handshakes),
		cmocka_unit_test(opened_again),
		cmocka_unit_test(liberal),
		cmocka_unit_test(errors_and_what_they_quote),
		cmocka_unit_test(error_about_nothing),
		cmocka_unit_test(error_about_the_other_side),
		cmocka_unit_test(refused_before),
		cmocka_unit_test(small_table),
		cmocka_unit_test(cut_short),
		cmocka_unit_test(broken_header),
		cmocka_unit_test(pieces),
		cmocka_unit_test(piece_of_something_bad),
		cmocka_unit_test(first_piece_too_late),
		cmocka_unit_test(first_piece_too_late_ipv6),
		cmocka_unit_test(only_what_can_be_set),
		cmocka_unit_test(tried_at_most_once_if_at_all),
		cmocka_unit_test(no_such_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
