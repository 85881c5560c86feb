/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/flows/flow_talk.h"

#include <errno.h>

#include "tests/flows/flow_data.h"
#include "tests/flows/flow_packet.h"

/* What src has sent to dst, or NULL: nothing yet. */
static uint32_t *end_of(struct flow_talk *t, enum flow_host src, enum flow_host dst,
			unsigned int sport, unsigned int dport)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->side[i].src == src && t->side[i].dst == dst && t->side[i].sport == sport &&
		    t->side[i].dport == dport)
			return &t->side[i].end;
	return NULL;
}

static void remember(struct flow_talk *t, const struct flow_packet *p, uint32_t end)
{
	uint32_t *known = end_of(t, p->src, p->dst, p->sport, p->dport);

	if (known && (p->flags & FLOW_SYN || (int32_t)(end - *known) > 0)) {
		*known = end;
	} else if (!known && t->n < FLOW_TALK_MAX) {
		t->side[t->n].src = p->src;
		t->side[t->n].dst = p->dst;
		t->side[t->n].sport = p->sport;
		t->side[t->n].dport = p->dport;
		t->side[t->n++].end = end;
	}
}

int flow_talk_say(struct flow_talk *t, struct flow_packet *p, bool lost, uint8_t family,
		  uint16_t number)
{
	const uint32_t *sent, *got;
	uint8_t bytes[FLOW_BYTES_MAX];
	int n = 0;

	if (p->l4 != FLOW_TCP)
		return 0;
	if (p->data)
		n = flow_data_expand(p->data, family, number, bytes, sizeof(bytes));
	if (n < 0)
		return n;
	sent = end_of(t, p->src, p->dst, p->sport, p->dport);
	got = end_of(t, p->dst, p->src, p->dport, p->sport);
	if (p->seq_more)
		p->seq += sent ? *sent : 0;
	if (p->ack_more)
		p->ack += got ? *got : 0;
	p->seq_more = p->ack_more = false;
	if (!lost)
		remember(t, p,
			 p->seq + (uint32_t)n + p->len + !!(p->flags & FLOW_SYN) +
				 !!(p->flags & FLOW_FIN));
	return 0;
}
