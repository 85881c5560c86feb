/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/graph.h"

#include "core/sctp.h"
#include "core/tcp.h"

_Static_assert(CT_TCP_STATE_MAX <= FILM_STATES_MAX && CT_SCTP_STATE_MAX <= FILM_STATES_MAX,
	       "states are indices");

static void take(struct graph *g, const struct shot *s, uint8_t from, unsigned int by)
{
	struct edge *e = &g->edge[from][s->state];

	if (e->count < EDGE_NUMBERS)
		e->number[e->count] = s->number;
	e->count++;
	e->by[s->dir] |= (uint16_t)(1u << by);
}

/* Of the chunks of a packet, the one that moved the association. */
static uint8_t mover(const struct decoded_sctp *sctp, enum ct_dir dir, uint8_t from, uint8_t to)
{
	for (unsigned int i = 0; i < sctp->nchunks; i++)
		if (from != to && ct_sctp_fsm(dir, sctp->chunk[i], from) == to)
			return sctp->chunk[i];
	return sctp->nchunks ? sctp->chunk[0] : CT_SCTP_DATA;
}

void graph_note(struct graph *tcp, struct graph *sctp, const struct shot *s)
{
	uint8_t from = s->before.known ? s->before.state : 0;
	enum ct_dir dir = (enum ct_dir)s->dir;

	if (!s->has_flow || s->info == CT_INFO_INVALID || from >= FILM_STATES_MAX ||
	    s->state >= FILM_STATES_MAX)
		return;
	if (s->packet.kind == DECODE_TCP && from < CT_TCP_STATE_MAX) {
		enum ct_tcp_index by = ct_tcp_index(s->packet.tcp.flags);

		tcp->packets++;
		/* a segment that the table ignores takes no edge */
		if (from != s->state || ct_tcp_fsm(dir, by, from) == s->state)
			take(tcp, s, from, by);
	} else if (s->packet.kind == DECODE_SCTP && from < CT_SCTP_STATE_MAX) {
		uint8_t by = mover(&s->packet.sctp, dir, from, s->state);

		sctp->packets++;
		take(sctp, s, from, by < CT_SCTP_CHUNK_MAX ? by : CT_SCTP_DATA);
	}
}
