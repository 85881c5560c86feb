/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * SCTP: one packet, judged as part of its association (semantics 5.7).
 *
 * A packet is a common header and a list of chunks. Against blind attacks each side chooses a tag
 * when it begins (INIT, INIT ACK) and takes only packets that carry it. So there are two questions
 * for each chunk: may it come with this tag, and what does it do to the state (sctp_fsm.c)?
 *
 * The exceptions are where the tag cannot be known yet or any more (RFC 9260, 8.5.1):
 *
 * - INIT carries 0. ABORT and SHUTDOWN COMPLETE may return the tag of the packet that they answer,
 *   and say so by the T bit. SHUTDOWN ACK is left alone: its receiver may have forgotten all.
 * - Both sides may send an INIT (collision). Then the first tags stay valid, and an INIT ACK must
 *   name one that was announced; init[] remembers who has sent an INIT that no COOKIE ACK ended.
 * - A multihomed association tries another path by HEARTBEAT, and its handshake went elsewhere: the
 *   tags are learnt from HEARTBEAT and HEARTBEAT ACK. If one side has restarted meanwhile, its
 *   HEARTBEAT has a tag that we do not know; that is believed when the other side answers it.
 *
 * An error in a later chunk refuses the packet but does not undo what earlier chunks did.
 */

#include "core/sctp.h"

#define HLEN	   12
#define AT_VTAG	   4
#define CHUNK_HLEN 4
#define INIT_HLEN  16
#define T_BIT	   0x01

#define SET(type) (1u << CT_SCTP_##type)

/* Chunks that have rules of their own for the tag; the packets of all others have the usual one. */
#define SPECIAL                                                                                    \
	(SET(INIT) | SET(SHUTDOWN_COMPLETE) | SET(COOKIE_ECHO) | SET(ABORT) | SET(SHUTDOWN_ACK) |  \
	 SET(HEARTBEAT) | SET(HEARTBEAT_ACK))

/* Chunks that make no sense without an association (RFC 9260, 8.4). */
#define NEVER_FIRST (SET(ABORT) | SET(SHUTDOWN_COMPLETE) | SET(COOKIE_ACK))

/* --- chunks --------------------------------------------------------------------------- */

struct chunk {
	uint32_t off; /* in the transport part */
	uint32_t length;
	uint8_t type, flags;
};

/*
 * Reads the chunk at c->off. False: there is none. What was not copied counts as not there: data
 * comes behind the chunks that matter.
 */
static bool read_chunk(const struct ct_step *s, struct chunk *c)
{
	enum ct_reason unused;
	uint32_t numbers[2];
	const uint8_t *h =
		ct_bytes_get(s->pkt.l4, c->off, CHUNK_HLEN, CT_REASON_L4_HEADER, &unused, numbers);

	if (!h)
		return false;
	c->type = h[0];
	c->flags = h[1];
	c->length = ct_read_be16(h + 2);
	return true;
}

/* Goes on to the next chunk; length is not 0, check() has seen to it. */
static void skip_chunk(struct chunk *c)
{
	c->off += (c->length + 3) & ~3u;
}

/* The tag that INIT and INIT ACK announce. False: it is cut off, reason and detail are set. */
static bool read_tag(struct ct_step *s, const struct chunk *c, uint32_t *ret)
{
	const uint8_t *h = ct_bytes_get(s->pkt.l4, c->off + CHUNK_HLEN, INIT_HLEN,
					CT_REASON_L4_HEADER, &s->reason, s->detail);

	if (h)
		*ret = ct_read_be32(h);
	return h;
}

/* --- the packet by itself --------------------------------------------------------------- */

static bool must_be_alone(uint8_t type)
{
	return type == CT_SCTP_INIT || type == CT_SCTP_INIT_ACK ||
	       type == CT_SCTP_SHUTDOWN_COMPLETE;
}

static bool must_be_first(uint8_t type)
{
	return type == CT_SCTP_COOKIE_ECHO || type == CT_SCTP_COOKIE_ACK;
}

/* May these chunks be in one packet, in this order? Notes which there are. */
static bool check_chunks(struct ct_step *s)
{
	struct chunk c = {.off = HLEN};
	bool alone = false;
	uint32_t n = 0;

	s->sctp.chunks = 0;
	for (; read_chunk(s, &c); skip_chunk(&c), n++) {
		alone |= must_be_alone(c.type);
		if (c.length == 0 || (n && (alone || must_be_first(c.type)))) {
			ct_step_invalid(s, CT_REASON_SCTP_CHUNKS, c.type, c.length, n, 0);
			return false;
		}
		if (n == 0)
			s->sctp.first = c.type;
		if (c.type <= 15)
			s->sctp.chunks |= (uint16_t)(1u << c.type);
	}
	return n || ct_step_header(s, HLEN + CHUNK_HLEN);
}

static bool check(struct ct_step *s)
{
	const uint8_t *h = ct_step_header(s, HLEN);

	if (!h || !ct_step_crc32c(s))
		return false;
	s->sctp.vtag = ct_read_be32(h + AT_VTAG);
	return check_chunks(s);
}

/* --- tags ------------------------------------------------------------------------------ */

/* How the packet goes on. */
struct passage {
	struct ct_sctp *sctp;
	uint8_t state;	  /* after the chunks so far */
	bool ignore;	  /* let it pass without a refresh */
	bool established; /* that state was reached */
};

enum fate { TAKE, SKIP, REFUSE };

static enum fate refuse_tag(struct ct_step *s, uint8_t chunk, uint32_t expected)
{
	ct_step_invalid(s, CT_REASON_SCTP_VTAG, s->sctp.vtag, expected, chunk, s->flow->state);
	return REFUSE;
}

static enum fate expect_tag(struct ct_step *s, const struct chunk *c, uint32_t expected)
{
	return s->sctp.vtag == expected ? TAKE : refuse_tag(s, c->type, expected);
}

/* A HEARTBEAT with another tag is let through but not believed until it is answered. */
static enum fate meet_heartbeat(struct ct_step *s, struct passage *p, const struct chunk *c)
{
	struct ct_sctp *sctp = p->sctp;

	if (sctp->vtag[s->dir] == 0) {
		sctp->vtag[s->dir] = s->sctp.vtag;
		return TAKE;
	}
	if (sctp->vtag[s->dir] == s->sctp.vtag) {
		sctp->doubted = false;
		return TAKE;
	}
	if (s->sctp.chunks & SET(DATA) || p->ignore)
		return refuse_tag(s, c->type, sctp->vtag[s->dir]);
	sctp->doubted = true;
	sctp->last_dir = (uint8_t)s->dir;
	p->ignore = true;
	return SKIP;
}

/* The answer to a doubted HEARTBEAT: its sender is believed, and the other tag is to be learnt. */
static enum fate meet_heartbeat_ack(struct ct_step *s, struct passage *p, const struct chunk *c)
{
	struct ct_sctp *sctp = p->sctp;

	if (sctp->vtag[s->dir] == 0) {
		sctp->vtag[s->dir] = s->sctp.vtag;
		return TAKE;
	}
	if (sctp->vtag[s->dir] != s->sctp.vtag) {
		if (s->sctp.chunks & SET(DATA) || p->ignore || !sctp->doubted ||
		    sctp->last_dir == s->dir)
			return refuse_tag(s, c->type, sctp->vtag[s->dir]);
		sctp->vtag[s->dir] = s->sctp.vtag;
		sctp->vtag[!s->dir] = 0;
	}
	sctp->doubted = false;
	return TAKE;
}

static enum fate meet_tag(struct ct_step *s, struct passage *p, const struct chunk *c)
{
	struct ct_sctp *sctp = p->sctp;

	switch (c->type) {
	case CT_SCTP_INIT:
		return expect_tag(s, c, 0);
	case CT_SCTP_ABORT:
	case CT_SCTP_SHUTDOWN_COMPLETE:
		return expect_tag(s, c, sctp->vtag[c->flags & T_BIT ? !s->dir : s->dir]);
	case CT_SCTP_COOKIE_ECHO:
		return expect_tag(s, c, sctp->vtag[s->dir]);
	case CT_SCTP_COOKIE_ACK:
		sctp->init[CT_DIR_ORIGINAL] = sctp->init[CT_DIR_REPLY] = false;
		return TAKE;
	case CT_SCTP_HEARTBEAT:
		return meet_heartbeat(s, p, c);
	case CT_SCTP_HEARTBEAT_ACK:
		return meet_heartbeat_ack(s, p, c);
	default:
		return TAKE;
	}
}

/* --- chunks as a part of the association --------------------------------------------------- */

static bool take_init(struct ct_step *s, struct passage *p, const struct chunk *c, uint8_t next)
{
	struct ct_sctp *sctp = p->sctp;
	uint32_t tag;

	if (!read_tag(s, c, &tag))
		return false;
	if (p->state == CT_SCTP_STATE_NONE || sctp->vtag[!s->dir] != tag) {
		if (sctp->init[s->dir] && sctp->init[!s->dir])
			sctp->init[!s->dir] = false;
		sctp->init[s->dir] = true;
	}
	sctp->vtag[!s->dir] = tag;
	/* an INIT that gets no answer must not keep its flow alive by repeating itself */
	if (p->state == CT_SCTP_STATE_CLOSED && next == CT_SCTP_STATE_CLOSED)
		p->ignore = true;
	return true;
}

static bool take_init_ack(struct ct_step *s, struct passage *p, const struct chunk *c)
{
	struct ct_sctp *sctp = p->sctp;
	bool announced = sctp->init[!s->dir], collision = announced && sctp->init[s->dir];
	uint32_t tag, known = sctp->vtag[!s->dir];

	if (!read_tag(s, c, &tag))
		return false;
	if (tag != known && ((!announced && known) || collision)) {
		ct_step_invalid(s, CT_REASON_SCTP_INIT_TAG, tag, known, p->state, 0);
		return false;
	}
	sctp->vtag[!s->dir] = tag;
	return true;
}

static bool take_chunk(struct ct_step *s, struct passage *p, const struct chunk *c)
{
	enum fate fate = meet_tag(s, p, c);
	uint8_t next;

	if (fate != TAKE)
		return fate == SKIP;
	next = ct_sctp_fsm(s->dir, c->type, p->state);
	if (next == CT_SCTP_INVALID) {
		ct_step_invalid(s, CT_REASON_SCTP_STATE, p->state, c->type, 0, 0);
		return false;
	}
	if (c->type == CT_SCTP_INIT && !take_init(s, p, c, next))
		return false;
	if (c->type == CT_SCTP_INIT_ACK && !take_init_ack(s, p, c))
		return false;
	p->established |= next != p->state && next == CT_SCTP_STATE_ESTABLISHED;
	p->state = next;
	return true;
}

/* A chunk of a packet that begins a flow: may it, and which tags does it tell? */
static bool begin_chunk(struct ct_step *s, const struct chunk *c)
{
	struct ct_sctp *sctp = &s->flow->l4.sctp;

	if (ct_sctp_fsm(CT_DIR_ORIGINAL, c->type, CT_SCTP_STATE_NONE) == CT_SCTP_STATE_NONE) {
		ct_step_invalid(s, CT_REASON_SCTP_NOT_FIRST, c->type, s->sctp.vtag, 0, 0);
		return false;
	}
	switch (c->type) {
	case CT_SCTP_INIT:
		if (s->sctp.vtag == 0)
			return read_tag(s, c, &sctp->vtag[CT_DIR_REPLY]);
		refuse_tag(s, c->type, 0);
		return false;
	case CT_SCTP_HEARTBEAT:
		sctp->vtag[CT_DIR_ORIGINAL] = s->sctp.vtag;
		return true;
	case CT_SCTP_SHUTDOWN_ACK: /* is answered by SHUTDOWN COMPLETE with the same tag */
		sctp->vtag[CT_DIR_REPLY] = s->sctp.vtag;
		return true;
	default:
		return true;
	}
}

static bool begin(struct ct_step *s)
{
	uint32_t never = s->sctp.chunks & NEVER_FIRST;

	if (never) {
		ct_step_invalid(s, CT_REASON_SCTP_NOT_FIRST, (uint32_t)__builtin_ctz(never),
				s->sctp.vtag, 0, 0);
		return false;
	}
	for (struct chunk c = {.off = HLEN}; read_chunk(s, &c); skip_chunk(&c))
		if (!begin_chunk(s, &c))
			return false;
	return true;
}

static bool take_chunks(struct ct_step *s, struct passage *p)
{
	for (struct chunk c = {.off = HLEN}; read_chunk(s, &c); skip_chunk(&c))
		if (!take_chunk(s, p, &c))
			return false;
	return true;
}

static uint64_t timeout_of(const struct ct_step *s, uint8_t state)
{
	return ct_step_timeout(s, (enum ct_timeout)(CT_TIMEOUT_SCTP_CLOSED + state - 1));
}

_Static_assert(CT_TIMEOUT_SCTP_HEARTBEAT_SENT - CT_TIMEOUT_SCTP_CLOSED ==
		       (int)CT_SCTP_STATE_HEARTBEAT_SENT - (int)CT_SCTP_STATE_CLOSED,
	       "the timeouts of the states are in the order of the states");

static enum ct_judgement track(struct ct_step *s)
{
	struct passage p = {.sctp = &s->flow->l4.sctp, .state = s->flow->state};
	bool good;

	if (s->fresh && !begin(s))
		return CT_JUDGE_INVALID;
	if (!(s->sctp.chunks & SPECIAL) && s->sctp.vtag != p.sctp->vtag[s->dir]) {
		refuse_tag(s, s->sctp.first, p.sctp->vtag[s->dir]);
		return CT_JUDGE_INVALID;
	}
	good = take_chunks(s, &p);
	if (!good && s->fresh)
		return CT_JUDGE_INVALID;
	ct_step_set_state(s, p.state);
	if (p.established)
		ct_step_assure(s);
	if (good && !p.ignore)
		ct_step_refresh(s, timeout_of(s, p.state));
	return good ? CT_JUDGE_ACCEPT : CT_JUDGE_INVALID;
}

static bool closing(uint8_t state)
{
	return state == CT_SCTP_STATE_SHUTDOWN_SENT || state == CT_SCTP_STATE_SHUTDOWN_RECD ||
	       state == CT_SCTP_STATE_SHUTDOWN_ACK_SENT;
}

const struct ct_proto ct_proto_sctp = {.check = check, .track = track, .closing = closing};
