/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * SIP (RFC 3261) over UDP and TCP: calls whose session descriptions announce media, registrations
 * that announce calls, in many notations, and the media and calls themselves, announced or not.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/differential/dialog.h"
#include "util/cleanup.h"

#define SIP_PORT     5060
#define MEDIA_PORT   6000 /* and seven more: so few that they meet */
#define CONTACT_PORT 5070
#define MESSAGE_MAX  1500
#define FAMILY	     "{4:IP4}{6:IP6}"

struct sip {
	struct dialog g;
	unsigned int cseq;
};

struct message {
	char text[MESSAGE_MAX];
	size_t len;
};

static void add(struct message *m, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct message *m, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(m->text + m->len, sizeof(m->text) - m->len, format, ap);
	va_end(ap);
	if (n > 0 && m->len + (size_t)n < sizeof(m->text))
		m->len += (size_t)n;
}

static const char *some_host(struct dice *d, int side)
{
	static const char *const hosts[] = {"A", "B", "A2", "B2"};

	return dice_chance(d, 93) ? hosts[side] : DICE_PICK(d, hosts);
}

static unsigned int some_media_port(struct dice *d)
{
	static const unsigned int odd_ones[] = {0, 1023, 1024, 65535, 65536};

	return dice_chance(d, 97) ? MEDIA_PORT + dice_below(d, 8) : DICE_PICK(d, odd_ones);
}

static const char *end_of_line(struct dice *d)
{
	static const char *const ends[] = {"\\n", "\\r"};

	return dice_chance(d, 97) ? "\\r\\n" : DICE_PICK(d, ends);
}

/* --- parts of messages ------------------------------------------------------------------- */

static void add_cseq(struct sip *s, struct message *m, const char *method)
{
	unsigned int cseq = dice_chance(s->g.dice, 93) ? s->cseq : dice_below(s->g.dice, 5);

	if (dice_chance(s->g.dice, 98))
		add(m, "CSeq%s: %u %s%s", dice_chance(s->g.dice, 95) ? "" : " ", cseq, method,
		    end_of_line(s->g.dice));
}

static void add_via(struct sip *s, struct message *m, int side)
{
	if (dice_chance(s->g.dice, 30))
		add(m, "Via: SIP/2.0/UDP {%s]}:%u\\r\\n", some_host(s->g.dice, side),
		    dice_chance(s->g.dice, 70) ? SIP_PORT : 5080);
}

static void add_length(struct sip *s, struct message *m)
{
	if (dice_chance(s->g.dice, 95))
		add(m, "%s: {body}\\r\\n", dice_chance(s->g.dice, 50) ? "l" : "Content-Length");
	add(m, "\\r\\n");
}

static void add_description(struct sip *s, struct message *m, int side)
{
	static const char *const kinds[] = {"audio", "audio", "video", "image", "text"};
	struct dice *d = s->g.dice;

	add(m, "v=0%so=x 1 1 IN " FAMILY " {%s}\\r\\n", end_of_line(d), some_host(d, side));
	if (dice_chance(d, 92))
		add(m, "c=IN " FAMILY " {%s}%s", some_host(d, side), end_of_line(d));
	for (unsigned int n = dice_below(d, 5); n; n--) {
		add(m, "m=%s %u RTP/AVP 0%s", DICE_PICK(d, kinds), some_media_port(d),
		    end_of_line(d));
		if (dice_chance(d, 15))
			add(m, "c=IN " FAMILY " {%s}\\r\\n", some_host(d, side));
	}
}

static void add_contact(struct sip *s, struct message *m, int side, unsigned int port)
{
	static const char *const names[] = {"Contact: ", "m: ", "contact:\\r\\n ", "CONTACT:"};
	struct dice *d = s->g.dice;

	add(m, "%s<sip:x@{%s]}", DICE_PICK(d, names), some_host(d, side));
	if (dice_chance(d, 90))
		add(m, ":%u", port);
	if (dice_chance(d, 40))
		add(m, ";transport=%s",
		    (s->g.l4 == FLOW_UDP) == dice_chance(d, 92) ? "udp" : "TCP");
	add(m, ">");
	if (dice_chance(d, 70))
		add(m, ";expires=%u", dice_chance(d, 85) ? 60 : 2 * dice_below(d, 2));
	add(m, "\\r\\n");
	if (dice_chance(d, 30))
		add(m, "Expires: %u\\r\\n", dice_chance(d, 85) ? 60 : 0);
}

static void say(struct sip *s, int side, const struct message *m)
{
	dialog_say(&s->g, side, "%s", m->text);
}

/* --- messages ------------------------------------------------------------------------------ */

static void request(struct sip *s, int side, const char *method, bool described)
{
	struct message m = {0};

	add(&m, "%s sip:x SIP/2.0\\r\\n", method);
	add_via(s, &m, side);
	add_cseq(s, &m, method);
	add_length(s, &m);
	if (described)
		add_description(s, &m, side);
	say(s, side, &m);
}

static void answer(struct sip *s, int side, const char *method, unsigned int code, bool described)
{
	struct message m = {0};

	add(&m, "SIP/2.0 %u x\\r\\n", code);
	add_cseq(s, &m, method);
	add_length(s, &m);
	if (described)
		add_description(s, &m, side);
	say(s, side, &m);
}

/* A medium, from the other end or from somebody else. */
static void media(struct sip *s, int side)
{
	struct dice *d = s->g.dice;
	enum flow_host to = side ? FLOW_HOST_B : FLOW_HOST_A;
	enum flow_host from = side ? FLOW_HOST_A : FLOW_HOST_B;

	if (dice_chance(d, 8))
		from = side ? FLOW_HOST_A2 : FLOW_HOST_B2;
	dialog_connect(&s->g, dice_chance(d, 95) ? FLOW_UDP : FLOW_TCP, from, 0, to,
		       MEDIA_PORT + dice_below(d, 8));
}

static void call(struct sip *s, int side)
{
	static const char *const others[] = {"ACK", "UPDATE", "PRACK", "OPTIONS", "BYE", "CANCEL"};
	static const unsigned int codes[] = {100, 180, 183, 200, 200, 200, 302, 404, 486, 603};
	struct dice *d = s->g.dice;

	s->cseq++;
	request(s, side, "INVITE", dice_chance(d, 85));
	media(s, side);
	answer(s, !side, "INVITE", DICE_PICK(d, codes), dice_chance(d, 70));
	media(s, !side);
	request(s, dice_chance(d, 70) ? side : !side, DICE_PICK(d, others), dice_chance(d, 40));
	media(s, (int)dice_below(d, 2));
}

static void registration(struct sip *s, int side)
{
	struct dice *d = s->g.dice;
	unsigned int port = CONTACT_PORT + dice_below(d, 2);
	struct message m = {0}, reply = {0};

	s->cseq++;
	add(&m, "REGISTER sip:x SIP/2.0\\r\\n");
	add_via(s, &m, side);
	add_cseq(s, &m, "REGISTER");
	add_contact(s, &m, side, port);
	add_length(s, &m);
	say(s, side, &m);
	add(&reply, "SIP/2.0 %u x\\r\\n", dice_chance(d, 80) ? 200 : 100 + 303 * dice_below(d, 2));
	add_cseq(s, &reply, "REGISTER");
	if (dice_chance(d, 90))
		add_contact(s, &reply, side, dice_chance(d, 90) ? port : CONTACT_PORT);
	add_length(s, &reply);
	say(s, !side, &reply);
	for (unsigned int n = 1 + dice_below(d, 2); n; n--)
		dialog_connect(&s->g, dice_chance(d, 85) ? s->g.l4 : FLOW_UDP,
			       side ? FLOW_HOST_A : FLOW_HOST_B, 0,
			       side ? FLOW_HOST_B : FLOW_HOST_A, CONTACT_PORT + dice_below(d, 2));
}

void talk_make_sip(struct talk *t, struct dice *d)
{
	struct sip s = {.g = dialog_open(t, d, dice_chance(d, 60) ? FLOW_UDP : FLOW_TCP, SIP_PORT)};

	for (unsigned int n = 1 + dice_below(d, 3); n; n--) {
		int side = dice_chance(d, 20);

		(dice_chance(d, 65) ? call : registration)(&s, side);
	}
}
