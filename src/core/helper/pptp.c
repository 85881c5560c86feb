/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * PPTP (semantics 6.6, RFC 2637).
 *
 * The control connection agrees on a call; its data is PPP in GRE, in which each packet carries the
 * call id that its receiver chose. A client says its id when it asks for a call, or accepts one,
 * and the server says its own in the answer, or in its request. With both known a flow can be
 * expected, from either side, because either may send first; and the key map gets the ids that the
 * packets do not carry. Whichever comes first makes the flow, the other expectation has no further
 * use.
 *
 * Messages come one to a segment; what stands behind the first one is not read. A message that has
 * no place at this moment, or is too short for what it says it is, is passed over: nothing is ever
 * dropped, since a call that nobody expected still works for rules that allow GRE.
 *
 * A control connection knows of one call at a time. A second one is expected only after the first
 * was disconnected; until then its ids are remembered, but its expectations taken back, because the
 * key map has no room for it. When the call is disconnected, or the control connection ends, its
 * flow is ended, or what was expected is forgotten.
 */

#include "core/helper/helper.h"
#include "core/pkt.h"
#include "core/table.h"

#define CONTROL 1	   /* type of message */
#define MAGIC	0x1a2b3c4d /* cookie */
#define HLEN	12	   /* of what all messages have in common */
#define OK	1	   /* result in all answers */

/* Sizes are those of what follows the common part. */
#define MESSAGES(X)                                                                                \
	X(START_REQUEST, 1, 144, ORIGINAL, start_request)                                          \
	X(START_REPLY, 2, 144, REPLY, start_reply)                                                 \
	X(STOP_REQUEST, 3, 4, ORIGINAL, stop_request)                                              \
	X(STOP_REPLY, 4, 4, REPLY, stop_reply)                                                     \
	X(OUT_REQUEST, 7, 156, ORIGINAL, out_request)                                              \
	X(OUT_REPLY, 8, 20, REPLY, out_reply)                                                      \
	X(IN_REQUEST, 9, 208, REPLY, in_request)                                                   \
	X(IN_REPLY, 10, 12, ORIGINAL, in_reply)                                                    \
	X(IN_CONNECTED, 11, 16, REPLY, in_connected)                                               \
	X(CLEAR_REQUEST, 12, 4, ORIGINAL, clear_request)                                           \
	X(DISCONNECT_NOTIFY, 13, 136, REPLY, disconnect_notify)

/* In this order: comparisons depend on it. */
enum session { SESSION_NONE, SESSION_ERROR, SESSION_STOPPING, SESSION_ASKED, SESSION_CONFIRMED };

enum call {
	CALL_NONE,
	CALL_OUT_ASKED,
	CALL_OUT_CONFIRMED,
	CALL_IN_ASKED,
	CALL_IN_ANSWERED,
	CALL_IN_CONFIRMED,
	CALL_CLEARING,
};

/* --- what is expected -------------------------------------------------------------------- */

/* GRE packets of this direction, by both call ids. */
static struct ct_tuple gre_tuple(const struct ct_help *h, enum ct_dir dir)
{
	const struct ct_pptp *p = &h->kin->priv.pptp;
	struct ct_tuple t = h->tuple[dir];

	t.proto = CT_PROTO_GRE;
	t.src_id_be = dir == CT_DIR_ORIGINAL ? p->pns_id_be : p->pac_id_be;
	t.dst_id_be = dir == CT_DIR_ORIGINAL ? p->pac_id_be : p->pns_id_be;
	return t;
}

static bool expect(struct ct_help *h, enum ct_dir dir)
{
	struct ct_expect_spec spec = {.tuple = gre_tuple(h, dir), .flags = CT_EXPECT_PAIR};

	return ct_help_expect(h, &spec) == CT_HELP_ACCEPT;
}

static bool note_key(struct ct_help *h, enum ct_dir dir)
{
	struct ct_tuple t = gre_tuple(h, dir);

	return ct_keymap_add(&h->th->ct->keymap, ct_arena_id(&h->th->ct->arena, h->index), dir, &t);
}

static void forget_keys(struct ct_help *h)
{
	ct_keymap_forget(&h->th->ct->keymap, ct_arena_id(&h->th->ct->arena, h->index));
}

static bool note_both_keys(struct ct_help *h)
{
	if (!note_key(h, CT_DIR_ORIGINAL))
		return false;
	if (note_key(h, CT_DIR_REPLY))
		return true;
	forget_keys(h);
	return false;
}

static bool take_back_one(struct ct_expect *e, void *ctx, bool *remove)
{
	unsigned int *left = ctx;

	if (*left == 0)
		return false;
	*remove = true;
	--*left;
	return true;
}

/* Forgets the newest expectations. */
static void take_back(struct ct_help *h, unsigned int n)
{
	ct_help_each(h, take_back_one, &n);
}

static void expect_call(struct ct_help *h)
{
	if (!expect(h, CT_DIR_ORIGINAL))
		return;
	if (!expect(h, CT_DIR_REPLY))
		take_back(h, 1);
	else if (!note_both_keys(h))
		take_back(h, 2);
}

static void end_call(struct ct_help *h)
{
	struct ct_tuple orig = gre_tuple(h, CT_DIR_ORIGINAL), reply = gre_tuple(h, CT_DIR_REPLY);

	forget_keys(h);
	ct_help_doom(h, &orig);
	ct_help_doom(h, &reply);
}

/* The keys of a call are in no memory that outlives a process: they are noted again. */
static void inherit_call(struct ct_help *h)
{
	(void)note_both_keys(h);
}

/* --- messages: where ids and results are is said by RFC 2637, 2.1 - 2.13 -----------------------
 */

static void start_request(struct ct_help *h, struct ct_pptp *p, const uint8_t *body)
{
	if (p->session == SESSION_NONE)
		p->session = SESSION_ASKED;
}

static void start_reply(struct ct_help *h, struct ct_pptp *p, const uint8_t *body)
{
	if (p->session >= SESSION_ASKED)
		p->session = body[2] == OK ? SESSION_CONFIRMED : SESSION_ERROR;
}

static void stop_request(struct ct_help *h, struct ct_pptp *p, const uint8_t *body)
{
	p->session = SESSION_STOPPING;
}

static void stop_reply(struct ct_help *h, struct ct_pptp *p, const uint8_t *body)
{
	if (p->session <= SESSION_STOPPING)
		p->session = body[0] == OK ? SESSION_NONE : SESSION_ERROR;
}

static void out_request(struct ct_help *h, struct ct_pptp *p, const uint8_t *body)
{
	if (p->session != SESSION_CONFIRMED)
		return;
	p->call = CALL_OUT_ASKED;
	p->pns_id_be = ct_read_raw16(body);
}

static void out_reply(struct ct_help *h, struct ct_pptp *p, const uint8_t *body)
{
	if (p->session != SESSION_CONFIRMED ||
	    (p->call != CALL_OUT_ASKED && p->call != CALL_OUT_CONFIRMED) ||
	    p->pns_id_be != ct_read_raw16(body + 2))
		return;
	if (body[4] != OK) {
		p->call = CALL_NONE;
		return;
	}
	p->call = CALL_OUT_CONFIRMED;
	p->pac_id_be = ct_read_raw16(body);
	expect_call(h);
}

static void in_request(struct ct_help *h, struct ct_pptp *p, const uint8_t *body)
{
	if (p->session != SESSION_CONFIRMED)
		return;
	p->call = CALL_IN_ASKED;
	p->pac_id_be = ct_read_raw16(body);
}

static void in_reply(struct ct_help *h, struct ct_pptp *p, const uint8_t *body)
{
	if ((p->call != CALL_IN_ASKED && p->call != CALL_IN_ANSWERED) ||
	    p->pac_id_be != ct_read_raw16(body + 2))
		return;
	if (body[4] != OK) {
		p->call = CALL_NONE;
		return;
	}
	p->call = CALL_IN_ANSWERED;
	p->pns_id_be = ct_read_raw16(body);
}

static void in_connected(struct ct_help *h, struct ct_pptp *p, const uint8_t *body)
{
	if (p->session != SESSION_CONFIRMED ||
	    (p->call != CALL_IN_ANSWERED && p->call != CALL_IN_CONFIRMED) ||
	    p->pns_id_be != ct_read_raw16(body))
		return;
	p->call = CALL_IN_CONFIRMED;
	expect_call(h);
}

static void clear_request(struct ct_help *h, struct ct_pptp *p, const uint8_t *body)
{
	if (p->session == SESSION_CONFIRMED)
		p->call = CALL_CLEARING;
}

static void disconnect_notify(struct ct_help *h, struct ct_pptp *p, const uint8_t *body)
{
	p->call = CALL_NONE;
	end_call(h);
}

/* --- a segment ------------------------------------------------------------------------------- */

struct message {
	uint8_t size;
	uint8_t dir; /* enum ct_dir */
	void (*act)(struct ct_help *h, struct ct_pptp *p, const uint8_t *body);
};

/* NULL: of no interest. */
static const struct message *message_of(uint16_t type)
{
#define X(name, type, size, dir, act) [type] = {size, CT_DIR_##dir, act},
	static const struct message messages[] = {MESSAGES(X)};
#undef X

	return type < sizeof(messages) / sizeof(messages[0]) && messages[type].act ? &messages[type]
										   : NULL;
}

static enum ct_help_result help(struct ct_help *h)
{
	const uint8_t *b = h->payload.data;
	const struct message *m;

	if ((h->info != CT_INFO_ESTABLISHED && h->info != CT_INFO_ESTABLISHED_REPLY) ||
	    h->payload.cap < HLEN || ct_read_be16(b + 2) != CONTROL || ct_read_be32(b + 4) != MAGIC)
		return CT_HELP_ACCEPT;
	m = message_of(ct_read_be16(b + 8));
	if (m && m->dir == h->dir && h->payload.cap - HLEN >= m->size)
		m->act(h, &h->kin->priv.pptp, b + HLEN);
	return CT_HELP_ACCEPT;
}

const struct ct_helper ct_helper_pptp = {
	.facts = &ct_helper_facts[CT_HELPER_PPTP],
	.help = help,
	.inherit = inherit_call,
	.end = end_call,
};
