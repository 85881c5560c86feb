/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Which fragments pass, and with what class. What is expected here was measured with the kernel's
 * own defragmentation, piece by piece; where the kernel holds and we need not, the datagram as a
 * whole has the same fate.
 */

#include "packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define PIECES_MAX 6
#define TOTAL	   200
#define ID	   77

struct piece {
	uint32_t start, end;
	bool more;
	uint8_t ecn;
};

/*
 * What each piece is, by family: N judged, and it makes the flow; C of that class; H held; L
 * invalid by itself because of its length, u because of that in its UDP header; d, o, l, e dropped
 * as duplicate, by overlap, length, ECN. IPv4 has no atomic fragments: a whole packet in between is
 * just another packet.
 */
struct sequence {
	const char *name;
	const char *four, *six;
	struct piece pieces[PIECES_MAX];
};

static const struct sequence sequences[] = {
	{"in order", "NCC", "NCC", {{0, 64, 1}, {64, 128, 1}, {128, 200, 0}}},
	{"reverse", "HHN", "HHN", {{128, 200, 0}, {64, 128, 1}, {0, 64, 1}}},
	{"first in the middle", "HNC", "HNC", {{128, 200, 0}, {0, 64, 1}, {64, 128, 1}}},
	{"first twice", "NdC", "NdC", {{0, 64, 1}, {0, 64, 1}, {64, 200, 0}}},
	{"middle twice", "NCdC", "NCdC", {{0, 64, 1}, {64, 128, 1}, {64, 128, 1}, {128, 200, 0}}},
	{"last twice", "NCdC", "NCdC", {{0, 64, 1}, {128, 200, 0}, {128, 200, 0}, {64, 128, 1}}},
	{"held twice", "HdN", "HdN", {{64, 200, 0}, {64, 200, 0}, {0, 64, 1}}},
	{"part of one", "NCdC", "NCdC", {{0, 64, 1}, {64, 128, 1}, {72, 80, 1}, {128, 200, 0}}},
	{"part of two that came in order",
	 "NCdC",
	 "NCdC",
	 {{0, 64, 1}, {64, 128, 1}, {32, 96, 1}, {128, 200, 0}}},
	{"part of two that came out of order",
	 "NCCoo",
	 "NCCoo",
	 {{0, 64, 1}, {128, 192, 1}, {64, 128, 1}, {32, 96, 1}, {192, 200, 0}}},
	{"overlap at the end", "Noo", "Noo", {{0, 64, 1}, {56, 128, 1}, {128, 200, 0}}},
	{"overlap in front", "HoH", "HoH", {{64, 128, 1}, {0, 72, 1}, {128, 200, 0}}},
	{"around another", "HoNC", "HoNC", {{64, 128, 1}, {56, 136, 1}, {0, 64, 1}, {128, 200, 0}}},
	{"last before the end",
	 "NCll",
	 "NClC",
	 {{0, 64, 1}, {64, 128, 1}, {64, 120, 0}, {128, 200, 0}}},
	{"two lasts", "NCll", "NClC", {{0, 64, 1}, {128, 200, 0}, {136, 208, 0}, {64, 128, 1}}},
	{"behind the last",
	 "NCll",
	 "NClC",
	 {{0, 64, 1}, {128, 200, 0}, {200, 264, 1}, {64, 128, 1}}},
	{"first of 71 bytes", "NC", "uH", {{0, 71, 1}, {64, 200, 0}}},
	{"middle of 67 bytes", "NCC", "NLl", {{0, 64, 1}, {64, 131, 1}, {128, 200, 0}}},
	{"middle of 67 bytes after the end of all hope",
	 "Nooo",
	 "NooL",
	 {{0, 64, 1}, {56, 128, 1}, {128, 200, 0}, {64, 131, 1}}},
	{"middle alone of 67 bytes", "H", "L", {{64, 131, 1}}},
	{"nothing in the middle",
	 "Nlll",
	 "NlCC",
	 {{0, 64, 1}, {64, 64, 1}, {64, 128, 1}, {128, 200, 0}}},
	{"nothing at the end", "NCl", "NCl", {{0, 64, 1}, {64, 200, 1}, {200, 200, 0}}},
	{"nothing at the end, then something",
	 "Nll",
	 "NlC",
	 {{0, 64, 1}, {200, 200, 0}, {64, 200, 0}}},
	{"ECN of all", "NC", "NC", {{0, 64, 1, 2}, {64, 200, 0, 2}}},
	{"ECN, one congested", "NC", "NC", {{0, 64, 1, 2}, {64, 200, 0, 3}}},
	{"ECN, both kinds", "NC", "NC", {{0, 64, 1, 2}, {64, 200, 0, 1}}},
	{"ECN before the first",
	 "HeeN",
	 "HeeN",
	 {{64, 128, 1, 2}, {128, 200, 0, 0}, {0, 64, 1, 2}, {0, 200, 0, 2}}},
	{"overlap, then everything again",
	 "HoHN",
	 "HoHN",
	 {{64, 128, 1}, {0, 72, 1}, {64, 200, 0}, {0, 64, 1}}},
	{"nothing, then everything", "lHN", "lHN", {{64, 64, 1}, {64, 200, 0}, {0, 64, 1}}},
	{"ECN of one", "Ne", "Ne", {{0, 64, 1, 0}, {64, 200, 0, 3}}},
	{"ECN of the other", "Nee", "Nee", {{0, 64, 1, 2}, {64, 72, 1, 0}, {72, 200, 0, 2}}},
	{"whole between", "HNCC", "HoNC", {{64, 128, 1}, {0, 200, 0}, {0, 64, 1}, {128, 200, 0}}},
};

static struct ct_result track(struct engine *e, int family, const struct piece *piece, uint32_t id)
{
	struct pk whole, p;

	pk_udp(&whole, family, 1, 2, 3000, 53);
	whole.b[whole.l4 + 4] = 0;
	whole.b[whole.l4 + 5] = TOTAL;
	if (family == CT_AF_INET && piece->start == 0 && !piece->more)
		pk_fragment(&p, &whole, 0, 0, piece->end, false);
	else
		pk_fragment(&p, &whole, id, piece->start, piece->end, piece->more);
	p.b[1] |= (uint8_t)(family == CT_AF_INET ? piece->ecn : piece->ecn << 4);
	if (piece->start == 0 && !piece->more)
		p.b[p.l4 + 6] = p.b[p.l4 + 7] = 0; /* no checksum: this one can be verified */
	return engine_track(e, &p, SEC);
}

static char letter(const struct ct_result *out)
{
	if (out->held)
		return 'H';
	if (!out->drop && out->info == CT_INFO_NEW)
		return out->nevents > 0 && out->events[0].type == CT_EVENT_NEW ? 'N' : 'C';
	switch (out->reason) {
	case CT_REASON_FRAGMENT_DUPLICATE:
		return out->drop ? 'd' : '?';
	case CT_REASON_FRAGMENT_OVERLAP:
		return out->drop ? 'o' : '?';
	case CT_REASON_FRAGMENT_LENGTH:
		return out->drop ? 'l' : 'L';
	case CT_REASON_UDP_LENGTH:
		return out->drop ? '?' : 'u';
	case CT_REASON_FRAGMENT_ECN:
		return out->drop ? 'e' : '?';
	default:
		return '?';
	}
}

/* Held packets pass with the first one, or are dropped with the piece that spoils it. */
static void check_held(struct engine *e, const char *got)
{
	struct ct_fragment_due due[PIECES_MAX];
	size_t held = 0, passed = 0, dropped = 0, n;

	for (const char *c = got; *c; c++) {
		held += *c == 'H';
		if (*c == 'N')
			passed += held;
		if (*c == 'o' || *c == 'e')
			dropped += held;
		if (strchr("Noe", *c))
			held = 0;
	}
	n = ct_fragments_due(&e->th, 0, 2 * SEC, due, PIECES_MAX);
	assert_int_equal(n, passed + dropped);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(due[i].info, i < dropped ? CT_INFO_INVALID : CT_INFO_NEW);
		assert_int_equal(due[i].drop, i < dropped);
		assert_int_equal(due[i].has_event, i < dropped);
	}
}

static void play(int family, const struct sequence *s, const char *want)
{
	char got[PIECES_MAX + 1] = "";
	struct engine e;

	engine_open_fragments(&e, 64, 16, 16);
	for (size_t i = 0; want[i]; i++) {
		struct ct_result out = track(&e, family, &s->pieces[i], ID);

		got[i] = letter(&out);
	}
	if (strcmp(got, want) != 0)
		fail_msg("%s, family %d: %s, not %s", s->name, family, got, want);
	check_held(&e, got);
	engine_close(&e);
}

static void test_sequences(void **state)
{
	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
		play(CT_AF_INET, &sequences[i], sequences[i].four);
		play(CT_AF_INET6, &sequences[i], sequences[i].six);
	}
}

/* Nothing is remembered of a complete datagram: the next one may have its id. */
static void test_complete_is_forgotten(void **state)
{
	static const struct piece first = {0, 64, true}, last = {64, TOTAL, false};

	for (int six = 0; six < 2; six++) {
		int family = six ? CT_AF_INET6 : CT_AF_INET;
		struct engine e;

		engine_open_fragments(&e, 64, 16, 16);
		assert_int_equal(track(&e, family, &first, ID).info, CT_INFO_NEW);
		assert_true(ct_fragments_any(e.th.ct));
		assert_int_equal(track(&e, family, &last, ID).info, CT_INFO_NEW);
		assert_false(ct_fragments_any(e.th.ct));
		assert_true(track(&e, family, &last, ID).held);
		assert_int_equal(track(&e, family, &first, ID).info, CT_INFO_NEW);
		engine_close(&e);
	}
}

/* Every order of four pieces: all pass with one class, and nothing is left over. */
static void test_every_order(void **state)
{
	static const struct piece pieces[4] = {
		{0, 40, true}, {40, 80, true}, {80, 160, true}, {160, TOTAL, false}};

	for (unsigned int order = 0; order < 256; order++) {
		unsigned int used = 0, passed = 0;
		struct ct_fragment_due due[4];
		struct engine e;

		for (unsigned int i = 0; i < 4; i++)
			used |= 1u << (order >> 2 * i & 3);
		if (used != 15)
			continue;
		engine_open_fragments(&e, 64, 16, 16);
		for (unsigned int i = 0; i < 4; i++) {
			struct ct_result out = track(&e, order & 1 ? CT_AF_INET6 : CT_AF_INET,
						     &pieces[order >> 2 * i & 3], ID);

			assert_false(out.drop);
			passed += !out.held && out.mark == 0xa;
		}
		for (size_t n = ct_fragments_due(&e.th, 0, SEC, due, 4); n > 0; n--)
			passed += due[n - 1].mark == 0xa && due[n - 1].set_mark;
		assert_int_equal(passed, 4);
		assert_false(ct_fragments_any(e.th.ct));
		engine_close(&e);
	}
}

/* Ids of other hosts, protocols, hooks and zones are other ids. */
static void test_whose_id(void **state)
{
	struct pk whole, p;
	struct engine e;
	struct ct_input in;
	struct ct_result out;

	engine_open_fragments(&e, 64, 64, 64);
	pk_udp(&whole, CT_AF_INET, 1, 2, 3, 4);
	pk_fragment(&p, &whole, ID, 0, 8, true);
	assert_int_equal(engine_track(&e, &p, SEC).info, CT_INFO_NEW);
	pk_fragment(&p, &whole, ID, 8, 16, true);
	for (unsigned int i = 0; i < 7; i++) {
		struct pk other = p;

		in = pk_input(&other, SEC);
		if (i == 1)
			other.b[15]++; /* source */
		else if (i == 2)
			other.b[19]++; /* destination */
		else if (i == 3)
			other.b[9] = 6; /* protocol */
		else if (i == 4)
			other.b[5]++; /* id */
		else if (i == 5)
			in.zone = 1;
		else if (i == 6)
			in.hook = CT_HOOK_OUTPUT;
		ct_track(&e.th, &in, &out);
		assert_int_equal(out.held, i != 0);
	}
	engine_close(&e);
}

/* The id of IPv6 is everybody's, whatever the pieces say of the protocol; scoped ones have an
 * interface. */
static void test_whose_id6(void **state)
{
	struct pk whole, p;
	struct engine e;
	struct ct_input in;
	struct ct_result out;

	engine_open_fragments(&e, 64, 64, 64);
	pk_udp(&whole, CT_AF_INET6, 1, 2, 3, 4);
	pk_fragment(&p, &whole, 1u << 31 | ID, 0, 8, true);
	assert_int_equal(engine_track(&e, &p, SEC).info, CT_INFO_NEW);
	pk_fragment(&p, &whole, 1u << 31 | ID, 8, 16, true);
	p.b[40] = 6;
	assert_int_equal(engine_track(&e, &p, SEC).info, CT_INFO_NEW);
	pk_fragment(&p, &whole, ID, 8, 16, true);
	assert_true(engine_track(&e, &p, SEC).held);

	whole.b[24] = 0xff;
	whole.b[25] = 2;
	for (uint32_t iif = 1; iif <= 3; iif++) {
		pk_fragment(&p, &whole, ID, iif == 1 ? 0 : 8, iif == 1 ? 8 : 16, true);
		in = pk_input(&p, SEC);
		in.iif = iif == 3 ? 1 : iif;
		ct_track(&e.th, &in, &out);
		assert_int_equal(out.held, iif == 2);
	}
	engine_close(&e);
}

/* A first fragment without its upper header: IPv6 lets it through alone, IPv4 spoils the datagram.
 */
static void test_tiny_first(void **state)
{
	static const struct piece tiny = {0, 4, true}, tiny8 = {0, 8, true},
				  rest = {8, TOTAL, false};
	struct pk whole, p;
	struct ct_result out;
	struct engine e;

	engine_open_fragments(&e, 64, 16, 16);
	out = track(&e, CT_AF_INET6, &tiny, ID);
	assert_int_equal(out.reason, CT_REASON_L4_HEADER);
	assert_false(ct_fragments_any(e.th.ct));
	assert_true(track(&e, CT_AF_INET6, &rest, ID).held);
	assert_int_equal(track(&e, CT_AF_INET6, &tiny8, ID).info, CT_INFO_NEW);

	pk_tcp(&whole, CT_AF_INET, 1, 2, 3, 4, PK_SYN, 1, 0);
	pk_fragment(&p, &whole, ID, 0, 8, true);
	out = engine_track(&e, &p, SEC);
	assert_int_equal(out.reason, CT_REASON_L4_HEADER);
	assert_false(out.drop);
	pk_fragment(&p, &whole, ID, 8, 20, false);
	out = engine_track(&e, &p, SEC);
	assert_int_equal(out.info, CT_INFO_INVALID);
	assert_int_equal(out.reason, CT_REASON_L4_HEADER);
	assert_false(out.drop);
	assert_int_equal(out.nevents, 1);

	pk_tcp(&whole, CT_AF_INET6, 1, 2, 3, 4, PK_SYN, 1, 0);
	pk_fragment(&p, &whole, ID + 1, 0, 16, true);
	assert_int_equal(engine_track(&e, &p, SEC).reason, CT_REASON_L4_HEADER);
	pk_fragment(&p, &whole, ID + 1, 16, 20, false);
	assert_true(engine_track(&e, &p, SEC).held);
	engine_close(&e);
}

/* Lengths that no datagram has, however they are said. */
static void test_too_long(void **state)
{
	static const struct piece first = {0, 64, true};
	struct pk whole, p;
	struct engine e;

	engine_open_fragments(&e, 64, 16, 16);
	for (int six = 0; six < 2; six++) {
		int family = six ? CT_AF_INET6 : CT_AF_INET;

		assert_int_equal(track(&e, family, &first, ID).info, CT_INFO_NEW);
		pk_udp(&whole, family, 1, 2, 3000, 53);
		pk_fragment(&p, &whole, ID, 65528, 65560, false);
		assert_int_equal(engine_track(&e, &p, SEC).reason, CT_REASON_FRAGMENT_LENGTH);
		/* IPv6 takes the rest all the same, and as much as fits into one datagram */
		pk_fragment(&p, &whole, ID, 65472, 65535, false);
		assert_int_equal(engine_track(&e, &p, SEC).drop, !six);
	}
	/* the header of the first one is known: 65535 bytes with, 65535 without */
	pk_udp(&whole, CT_AF_INET, 1, 2, 3000, 53);
	pk_insert(&whole, "\1\1\1\1", 4, 0);
	pk_fragment(&p, &whole, ID + 1, 0, 64, true);
	assert_int_equal(engine_track(&e, &p, SEC).info, CT_INFO_NEW);
	pk_fragment(&p, &whole, ID + 1, 65472, 65512, false);
	assert_int_equal(engine_track(&e, &p, SEC).reason, CT_REASON_FRAGMENT_LENGTH);
	engine_close(&e);
}

/* More pieces apart than can be told apart: seams close, and then no more fits. */
static void test_crowded(void **state)
{
	struct pk whole, p;
	struct ct_result out;
	struct engine e;
	uint32_t n;

	engine_open_fragments(&e, 64, 16, 512);
	pk_udp(&whole, CT_AF_INET, 1, 2, 3000, 53);
	for (n = 0; n < 200; n++) { /* backwards: no piece is at the end */
		pk_fragment(&p, &whole, ID, 8000 - n * 8, 8008 - n * 8, true);
		assert_true(engine_track(&e, &p, SEC).held);
	}
	for (n = 0; n < 200; n++) {
		pk_fragment(&p, &whole, ID + 1, 16 + n * 16, 24 + n * 16, true);
		out = engine_track(&e, &p, SEC);
		if (!out.held)
			break;
	}
	assert_int_equal(n, 64);
	assert_int_equal(out.reason, CT_REASON_FRAGMENT_LIMIT);
	assert_true(out.drop);
	engine_close(&e);
}

/* Bytes of later fragments count for the flow, the packet only once; TCP learns how far it went. */
static void test_accounting(void **state)
{
	static const struct piece pieces[] = {{128, TOTAL, false}, {0, 64, true}, {64, 128, true}};
	struct ct_result out;
	struct ct_event end[2];
	struct pk whole, p;
	struct engine e;

	for (int six = 0; six < 2; six++) {
		engine_open_fragments(&e, 64, 16, 16);
		for (int i = 0; i < 3; i++)
			out = track(&e, six ? CT_AF_INET6 : CT_AF_INET, &pieces[i], ID);
		assert_true(out.has_flow);
		assert_int_equal(ct_expire(&e.th, 100 * SEC, end, 2, NULL), 1);
		assert_int_equal(end[0].packets[CT_DIR_ORIGINAL], 1);
		assert_int_equal(end[0].bytes[CT_DIR_ORIGINAL], TOTAL + (six ? 40 : 20));
		engine_close(&e);
	}

	engine_open_fragments(&e, 64, 16, 16);
	pk_tcp(&whole, CT_AF_INET, 1, 2, 3, 4, PK_SYN, 100, 0);
	engine_track(&e, &whole, SEC);
	pk_tcp(&whole, CT_AF_INET, 2, 1, 4, 3, PK_SYN | PK_ACK, 500, 101);
	engine_track(&e, &whole, SEC);
	pk_tcp(&whole, CT_AF_INET, 1, 2, 3, 4, PK_ACK, 101, 501);
	engine_track(&e, &whole, SEC);
	whole.b[whole.l4 + 13] |= 8;
	pk_fragment(&p, &whole, ID, 0, 64, true);
	assert_int_equal(engine_track(&e, &p, SEC).info, CT_INFO_ESTABLISHED);
	pk_tcp(&whole, CT_AF_INET, 2, 1, 4, 3, PK_ACK, 501, 101 + 280);
	assert_int_equal(engine_track(&e, &whole, SEC).reason, CT_REASON_TCP_ACK_OVER);
	pk_tcp(&whole, CT_AF_INET, 1, 2, 3, 4, PK_ACK, 101, 501);
	pk_fragment(&p, &whole, ID, 64, 300, false);
	assert_int_equal(engine_track(&e, &p, SEC).info, CT_INFO_ESTABLISHED);
	pk_tcp(&whole, CT_AF_INET, 2, 1, 4, 3, PK_ACK, 501, 101 + 280);
	assert_int_equal(engine_track(&e, &whole, SEC).info, CT_INFO_ESTABLISHED_REPLY);
	engine_close(&e);
}

/* What refuses the first fragment refuses the others, in the same words. */
static void test_refused_first(void **state)
{
	static const struct piece pieces[] = {{64, 128, true}, {0, 64, true}, {128, TOTAL, false}};
	struct ct_fragment_due due;
	struct ct_result out;
	struct engine e;
	struct pk p;

	engine_open_fragments(&e, 1, 16, 16);
	e.cfg.no_confirm_classes = 0;
	pk_tcp(&p, CT_AF_INET, 8, 9, 1, 2, PK_SYN, 1, 0);
	engine_track(&e, &p, SEC);
	pk_tcp(&p, CT_AF_INET, 9, 8, 2, 1, PK_SYN | PK_ACK, 1, 2);
	engine_track(&e, &p, SEC);
	pk_tcp(&p, CT_AF_INET, 8, 9, 1, 2, PK_ACK, 2, 2);
	engine_track(&e, &p, SEC); /* assured: it makes no room */
	assert_true(track(&e, CT_AF_INET, &pieces[0], ID).held);
	out = track(&e, CT_AF_INET, &pieces[1], ID);
	assert_int_equal(out.reason, CT_REASON_TABLE_FULL);
	assert_true(out.drop);
	assert_int_equal(ct_fragments_due(&e.th, 0, SEC, &due, 1), 1);
	assert_true(due.drop && !due.has_event);
	out = track(&e, CT_AF_INET, &pieces[2], ID);
	assert_true(out.drop);
	assert_int_equal(out.reason, CT_REASON_TABLE_FULL);
	assert_int_equal(out.nevents, 0);
	engine_close(&e);
}

/* Without room for any, and where nothing may be held, later ones are INVALID and nothing waits. */
static void test_not_held(void **state)
{
	static const struct piece first = {0, 64, true}, later = {64, 128, true},
				  last = {128, TOTAL, false};
	struct engine e;

	engine_open(&e, 64);
	assert_int_equal(track(&e, CT_AF_INET, &first, ID).info, CT_INFO_NEW);
	assert_int_equal(track(&e, CT_AF_INET, &later, ID).reason, CT_REASON_IP_FRAGMENT);
	assert_int_equal(ct_fragments_seen(e.th.ct), 0);
	engine_close(&e);

	engine_open_fragments(&e, 64, 16, 16);
	e.cfg.hold_fragments = false;
	assert_int_equal(track(&e, CT_AF_INET6, &later, ID).reason, CT_REASON_IP_FRAGMENT);
	assert_int_equal(track(&e, CT_AF_INET6, &first, ID).info, CT_INFO_NEW);
	assert_int_equal(track(&e, CT_AF_INET6, &last, ID).info, CT_INFO_NEW);
	assert_int_equal(ct_fragments_seen(e.th.ct), CT_FRAGMENTS_IPV6);
	engine_close(&e);
}

/* Bits of others stay, bits of flags are those of the first one. */
static void test_marks(void **state)
{
	static const struct piece first = {0, 64, true};
	struct ct_fragment_due due;
	struct pk whole, p;
	struct ct_input in;
	struct ct_result out;
	struct engine e;

	engine_open_fragments(&e, 64, 16, 16);
	e.cfg.mark = (struct ct_mark){.mask = 0x7f0000, .shift = 16, .encoding = CT_ENCODING_FLAGS};
	pk_udp(&whole, CT_AF_INET, 1, 2, 3000, 53);
	pk_fragment(&p, &whole, ID, 64, 128, true);
	in = pk_input(&p, SEC);
	in.mark = 0xff120034;
	in.id = 4711;
	ct_track(&e.th, &in, &out);
	assert_true(out.held);
	assert_int_equal(track(&e, CT_AF_INET, &first, ID).mark, 0x10000);
	assert_int_equal(ct_fragments_due(&e.th, 0, SEC, &due, 1), 1);
	assert_int_equal(due.id, 4711);
	assert_int_equal(due.mark, 0xff010034);
	assert_true(due.set_mark);
	engine_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sequences),   cmocka_unit_test(test_complete_is_forgotten),
		cmocka_unit_test(test_every_order), cmocka_unit_test(test_whose_id),
		cmocka_unit_test(test_whose_id6),   cmocka_unit_test(test_tiny_first),
		cmocka_unit_test(test_too_long),    cmocka_unit_test(test_crowded),
		cmocka_unit_test(test_accounting),  cmocka_unit_test(test_refused_first),
		cmocka_unit_test(test_not_held),    cmocka_unit_test(test_marks),
	};

	return cmocka_run_group_tests_name("fragment", tests, NULL, NULL);
}
