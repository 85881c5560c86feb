/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/tools/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define MS (CT_NS_PER_S / 1000)

uint64_t talk_packet(struct stage *s, const struct flow_packet *p)
{
	struct flow_bytes bytes;

	assert_int_equal(flow_packet_build(p, CT_AF_INET, 1, &bytes), 0);
	return stage_add(s, bytes.data, (uint32_t)bytes.len, (uint32_t)bytes.len);
}

uint64_t talk_add(struct stage *s, const struct talk_segment *seg)
{
	struct flow_packet p;
	uint64_t number;

	flow_packet_init(&p);
	p.l4 = FLOW_TCP;
	p.src = seg->back ? FLOW_HOST_B : FLOW_HOST_A;
	p.dst = seg->back ? FLOW_HOST_A : FLOW_HOST_B;
	p.sport = seg->back ? 80 : 1024;
	p.dport = seg->back ? 1024 : 80;
	p.flags = seg->flags;
	p.seq = seg->seq;
	p.ack = seg->ack;
	p.win = seg->win;
	p.len = seg->len;
	memcpy(p.opt, seg->opt ? seg->opt : p.opt, seg->optlen);
	p.optlen = seg->optlen;
	number = talk_packet(s, &p);
	flow_packet_done(&p);
	return number;
}

uint64_t talk_say(struct stage *s, bool back, unsigned int flags, uint32_t seq, uint32_t ack,
		  unsigned int len)
{
	const struct talk_segment seg = {back, flags, seq, ack, 500, len, NULL, 0};

	s->time_ns += 10 * MS;
	return talk_add(s, &seg);
}

void talk_open(struct stage *s)
{
	static const uint8_t opt[] = {4, 2, 3, 3, 7, 0, 0, 0};
	const struct talk_segment syn = {false, FLOW_SYN, 1000, 0, 64000, 0, opt, sizeof(opt)};
	const struct talk_segment answer = {true, FLOW_SYN | FLOW_ACK, 5000, 1001, 64000, 0,
					    opt,  sizeof(opt)};

	talk_add(s, &syn);
	s->time_ns += 10 * MS;
	talk_add(s, &answer);
	talk_say(s, false, FLOW_ACK, 1001, 5001, 0);
	talk_say(s, false, FLOW_ACK, 1001, 5001, 99);
	talk_say(s, true, FLOW_ACK, 5001, 1100, 0);
}
