/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Damaged packets: bytes changed behind the fixed IP header, packets cut short. A few whole ones
 * come first, so that the damaged ones have flows to belong to.
 */

#include <stdio.h>
#include <stdlib.h>

#include "tests/differential/talk.h"
#include "tests/flows/flow_lex.h"
#include "tests/flows/flow_words.h"
#include "util/cleanup.h"

static const char *const whole[] = {"A > B udp len 8",
				    "A > B tcp S seq 1000",
				    "A > B icmp echo id 7 len 8",
				    "A > B sctp init(tag=7)",
				    "B > A sctp vtag 7 init-ack(tag=9)",
				    "A > B udplite len 8"};

static const char *const templates[] = {
	"B > A udp len 8",
	"A > B tcp A seq 1001 ack 5001 opt nop,nop,sack=1-2 len 8",
	"B > A tcp SA seq 5000 ack 1001 opt mss=1460,nop,nop,sackok,nop,wscale=7",
	"B > A icmp echo-reply id 7 len 8",
	"A > B icmp echo id 8 len 8",
	"R > A icmp unreachable quote [ A > B udp len 8 ]",
	"R > A icmp unreachable quote [ A > B tcp S seq 1000 ]",
	"R > A icmp time-exceeded quote [ A > B icmp echo id 7 len 8 ]",
	"R > B icmp too-big quote [ B > A udp len 8 ]",
	"R > A icmp redirect quote [ A > B udp len 8 ]",
	"A > B sctp vtag 9 cookie-echo data",
	"B > A sctp vtag 7 cookie-ack sack",
	"A > B sctp vtag 9 heartbeat shutdown",
	"B > A sctp vtag 7 abort",
	"A > B sctp init(tag=9)",
	"B > A udplite len 8 coverage 12",
	"A > B gre key 5 len 8",
	"B > A gre v1 callid 5 len 8",
	"R > A icmp unreachable quote [ A > B sctp init(tag=7) ]",
	"R > A icmp unreachable quote [ A > B gre v1 callid 5 ]",
	"A > B proto 50 len 8",
	"A > B proto 89 len 8",
};

static const char *const templates4[] = {
	"A > B udp len 8 ipoptions 8",
	"R > A icmp unreachable quote [ A > B udp len 8 ipoptions 12 ]",
	"A > B icmp timestamp id 9 len 12",
	"B > A icmp mask-reply id 9 len 4",
};

static const char *const templates6[] = {
	"A > B udp len 8 ext hop,dest",
	"A > B tcp S seq 7 ext routing,ah",
	"A > B icmp ni-query id 9 len 8",
	"A > B icmp neighbour-solicitation len 24",
	"LINK > A icmp redirect ttl 255 quote [ A > B udp len 8 ]",
	"R > A icmp too-big quote [ A > B udp len 8 ext dest,ah ]",
};

static struct talk_step *add(struct talk *t, const char *text)
{
	char error[FLOW_ERROR_MAX], line[128];
	struct flow_lex lex = {.file = "template", .error = error};
	struct talk_step *s = talk_add(t);

	snprintf(line, sizeof(line), "%s", text);
	if (flow_lex_line(&lex, line) < 0 || flow_words_packet(&lex, &s->packet) < 0)
		abort();
	return s;
}

static const char *some_template(struct dice *d, uint8_t family)
{
	const char *const *own = family == CT_AF_INET ? templates4 : templates6;
	size_t nown = family == CT_AF_INET ? ARRAY_SIZE(templates4) : ARRAY_SIZE(templates6);
	uint32_t i = dice_below(d, (uint32_t)(ARRAY_SIZE(templates) + nown));

	return i < ARRAY_SIZE(templates) ? templates[i] : own[i - ARRAY_SIZE(templates)];
}

static uint8_t some_byte(struct dice *d)
{
	static const uint8_t likely[] = {0,  1,	 2,  3,	 4,  5,	 6,  7,	 8,  11,  12,  13,  17,
					 20, 40, 43, 44, 50, 51, 58, 59, 60, 128, 129, 137, 255};

	return dice_chance(d, 67) ? DICE_PICK(d, likely) : (uint8_t)dice_any(d);
}

static void damage(struct talk *t, struct dice *d, struct talk_step *s)
{
	struct flow_bytes b;
	uint32_t fixed = t->family == CT_AF_INET ? 20 : 40, left;

	if (flow_packet_build(&s->packet, t->family, 1, &b) < 0)
		abort();
	left = (uint32_t)b.len - fixed;
	for (uint32_t n = dice_below(d, TALK_PATCHES_MAX); n && left; n--)
		s->patch[s->npatches++] = (struct talk_patch){
			(uint16_t)(fixed + dice_below(d, left < 64 ? left : 64)), some_byte(d)};
	if (dice_chance(d, 12))
		s->patch[s->npatches++] =
			(struct talk_patch){t->family == CT_AF_INET ? 9 : 6, some_byte(d)};
	if (dice_chance(d, 25))
		s->keep = (int)(fixed + dice_below(d, left + 1));
}

void talk_make_damage(struct talk *t, struct dice *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(whole); i++)
		add(t, whole[i]);
	for (unsigned int n = 4 + dice_below(d, 8); n; n--)
		damage(t, d, add(t, some_template(d, t->family)));
}
