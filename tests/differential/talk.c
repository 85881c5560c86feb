/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/differential/talk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

#define WAIT_MAX_MS  5000
#define DSCP_WATCHED 0x08 /* the router's first rule knows such packets by this */

const char *talk_kind_name(enum talk_kind kind)
{
#define X(name, str, weight, unchecked, helper) str,
	static const char *const names[] = {TALK_KIND_LIST(X)};
#undef X
	return names[kind];
}

enum talk_kind talk_kind_find(const char *name)
{
	if (strcmp(name, "helpers") == 0)
		return TALK_KIND_HELPERS;
	for (unsigned int i = 0; i < TALK_KIND_MAX; i++)
		if (strcmp(talk_kind_name((enum talk_kind)i), name) == 0)
			return (enum talk_kind)i;
	return TALK_KIND_NONE;
}

enum ct_helper_id talk_kind_helper(enum talk_kind kind)
{
#define X(name, str, weight, unchecked, helper) CT_HELPER_##helper,
	static const enum ct_helper_id helpers[] = {TALK_KIND_LIST(X)};
#undef X
	return helpers[kind];
}

bool talk_is_watched(const struct talk *t)
{
	return t->kind == TALK_DAMAGE || talk_kind_helper(t->kind) != CT_HELPER_NONE;
}

/* --- storage -------------------------------------------------------------------------- */

struct talk_step *talk_add(struct talk *t)
{
	struct talk_step *s = &t->steps[t->nsteps];

	if (t->nsteps == TALK_STEPS_MAX)
		return NULL;
	t->nsteps++;
	*s = (struct talk_step){.keep = FLOW_UNSET, .id = t->nsteps - 1};
	flow_packet_init(&s->packet);
	return s;
}

struct flow_packet talk_packet_copy(const struct flow_packet *p)
{
	struct flow_packet copy = *p;

	if (p->data) {
		copy.data = strdup(p->data);
		if (!copy.data)
			abort();
	}
	if (p->quote) {
		copy.quote = malloc(sizeof(*copy.quote));
		if (!copy.quote)
			abort();
		*copy.quote = talk_packet_copy(p->quote);
	}
	return copy;
}

static struct talk_step copy_step(const struct talk_step *s)
{
	struct talk_step copy = *s;

	copy.packet = talk_packet_copy(&s->packet);
	return copy;
}

void talk_copy(struct talk *to, const struct talk *from)
{
	to->kind = from->kind;
	to->family = from->family;
	to->control = from->control;
	to->nsteps = from->nsteps;
	for (unsigned int i = 0; i < from->nsteps; i++)
		to->steps[i] = copy_step(&from->steps[i]);
}

void talk_done(struct talk *t)
{
	for (unsigned int i = 0; i < t->nsteps; i++)
		flow_packet_done(&t->steps[i].packet);
	t->nsteps = 0;
}

void talk_remove(struct talk *t, unsigned int step)
{
	flow_packet_done(&t->steps[step].packet);
	memmove(&t->steps[step], &t->steps[step + 1], (t->nsteps - step - 1) * sizeof(t->steps[0]));
	t->nsteps--;
}

/* --- what the way does to packets ------------------------------------------------------ */

static void swap_steps(struct talk *t, unsigned int i)
{
	struct talk_step s = t->steps[i];

	t->steps[i] = t->steps[i + 1];
	t->steps[i + 1] = s;
}

/* A packet that was sent before comes once more. */
static void repeat_step(struct talk *t, struct dice *d)
{
	unsigned int from = dice_below(d, t->nsteps);
	struct talk_step *again = talk_add(t);

	if (!again)
		return;
	*again = copy_step(&t->steps[from]);
	for (unsigned int i = t->nsteps - 1; i > from + 1 && dice_chance(d, 70); i--)
		swap_steps(t, i - 1);
}

static bool has_ext(const struct flow_packet *p, enum flow_ext ext)
{
	for (unsigned int i = 0; i < p->next; i++)
		if (p->ext[i] == ext)
			return true;
	return false;
}

/* Headers between network and transport that mean nothing to either. */
static void add_extension(const struct talk *t, struct talk_step *s, struct dice *d)
{
	static const enum flow_ext exts[] = {FLOW_EXT_HOP, FLOW_EXT_ROUTING, FLOW_EXT_DEST,
					     FLOW_EXT_AH, FLOW_EXT_ATOMIC};
	struct flow_packet *p = &s->packet;

	p->next = 0;
	if (t->family == CT_AF_INET) {
		p->ipopt = 4 * (1 + dice_below(d, 10));
		return;
	}
	for (unsigned int n = 1 + dice_below(d, 3); n; n--) {
		/* hop-by-hop options can only be the first; who reassembles takes one header off */
		enum flow_ext e = exts[p->next ? 1 + dice_below(d, 4) : dice_below(d, 5)];

		if (e == FLOW_EXT_AH && talk_kind_helper(t->kind) != CT_HELPER_NONE)
			continue; /* the rules that assign helpers do not look behind it */
		if (e != FLOW_EXT_ATOMIC || !has_ext(p, FLOW_EXT_ATOMIC))
			p->ext[p->next++] = e;
	}
}

/* How long a packet may wait: around the times that mean something to the trackers. */
static uint32_t some_wait(struct dice *d)
{
	static const uint32_t waits[] = {250, 600, 1200, 1700, 2100, 2300, 3200, 4300};

	return DICE_PICK(d, waits);
}

static void disturb_step(struct talk *t, struct talk_step *s, struct dice *d)
{
	if (t->kind == TALK_DAMAGE)
		return;
	if (dice_chance(d, 3))
		s->packet.dropped = true;
	if (dice_chance(d, 1))
		s->packet.badsum = true;
	if (dice_chance(d, 3)) {
		add_extension(t, s, d);
	} else if (dice_chance(d, 3) && !talk_is_watched(t)) {
		/* it would leave in fragments again, which is not what is looked for */
		s->pieces = 2 + dice_below(d, 3);
		s->backwards = dice_chance(d, 40);
	}
}

/* Packets wait, but a talk not for longer than WAIT_MAX_MS altogether. */
static void add_waits(struct talk *t, struct dice *d, unsigned int percent)
{
	uint32_t sum = 0;

	for (unsigned int i = 0; i < t->nsteps; i++) {
		uint32_t wait = dice_chance(d, percent) ? some_wait(d) : 0;

		if (sum + wait > WAIT_MAX_MS)
			continue;
		t->steps[i].wait_ms = wait;
		sum += wait;
	}
}

static void disturb(struct talk *t, struct dice *d, const struct talk_mix *mix)
{
	for (unsigned int i = 0; i + 1 < t->nsteps; i++)
		if (dice_chance(d, 4))
			swap_steps(t, i);
	for (unsigned int n = dice_chance(d, 25) ? 1 + dice_below(d, 3) : 0; n && t->nsteps; n--)
		repeat_step(t, d);
	for (unsigned int i = 0; i < t->nsteps; i++)
		disturb_step(t, &t->steps[i], d);
	add_waits(t, d, mix->wait_percent);
}

/* --- making ------------------------------------------------------------------------------ */

static enum talk_kind some_kind(struct dice *d, const struct talk_mix *mix)
{
	uint32_t sum = 0, n;

	for (unsigned int i = 0; i < TALK_KIND_MAX; i++)
		sum += mix->weight[i];
	n = dice_below(d, sum);
	for (unsigned int i = 0;; i++) {
		if (n < mix->weight[i])
			return (enum talk_kind)i;
		n -= mix->weight[i];
	}
}

/* What does not exist in this family, such as an ICMP message of the other. */
static void remove_impossible(struct talk *t)
{
	struct flow_bytes sent, seen;
	struct flow_packet p;

	for (unsigned int i = t->nsteps; i > 0; i--) {
		struct talk_memory m = {0};

		if (talk_say(&m, t, i - 1, 1, &p) < 0 ||
		    talk_build(t, i - 1, &p, 1, &sent, &seen) < 0)
			talk_remove(t, i - 1);
	}
}

void talk_make(struct talk *t, struct dice d, const struct talk_mix *mix)
{
	static void (*const makers[])(struct talk *, struct dice *) = {
		[TALK_TCP] = talk_make_tcp,	  [TALK_SCTP] = talk_make_sctp,
		[TALK_UDP] = talk_make_udp,	  [TALK_UDPLITE] = talk_make_udplite,
		[TALK_GRE] = talk_make_gre,	  [TALK_ICMP] = talk_make_icmp,
		[TALK_ERROR] = talk_make_error,	  [TALK_GENERIC] = talk_make_generic,
		[TALK_DAMAGE] = talk_make_damage, [TALK_FTP] = talk_make_ftp,
		[TALK_TFTP] = talk_make_tftp,	  [TALK_IRC] = talk_make_irc,
		[TALK_SIP] = talk_make_sip,	  [TALK_PPTP] = talk_make_pptp,
		[TALK_SANE] = talk_make_sane,	  [TALK_AMANDA] = talk_make_amanda,
	};

	t->kind = some_kind(&d, mix);
	t->family = dice_chance(&d, 50) ? CT_AF_INET : CT_AF_INET6;
	t->nsteps = 0;
	makers[t->kind](t, &d);
	disturb(t, &d, mix);
	remove_impossible(t);
}

/* --- bytes --------------------------------------------------------------------------------- */

/* What the reassembly that is part of the kernel's tracking leaves of the headers. */
static struct flow_packet as_seen(const struct flow_packet *p)
{
	struct flow_packet whole = *p;

	whole.next = 0;
	for (unsigned int i = 0; i < p->next; i++)
		if (p->ext[i] != FLOW_EXT_ATOMIC)
			whole.ext[whole.next++] = p->ext[i];
	return whole;
}

static void mark_watched(struct flow_bytes *b, uint8_t family)
{
	b->data[1] |= family == CT_AF_INET ? DSCP_WATCHED : DSCP_WATCHED << 4;
}

static int build(const struct talk *t, const struct talk_step *s, const struct flow_packet *p,
		 uint16_t number, struct flow_bytes *ret)
{
	int e = flow_packet_build(p, t->family, number, ret);

	if (e < 0)
		return e;
	for (unsigned int i = 0; i < s->npatches; i++)
		if (s->patch[i].at < ret->len)
			ret->data[s->patch[i].at] = s->patch[i].value;
	if (s->keep != FLOW_UNSET && (size_t)s->keep < ret->len)
		ret->len = (size_t)s->keep;
	if (talk_is_watched(t))
		mark_watched(ret, t->family);
	flow_packet_fit(ret, t->family);
	return 0;
}

int talk_build(const struct talk *t, unsigned int step, const struct flow_packet *p,
	       uint16_t number, struct flow_bytes *sent, struct flow_bytes *seen)
{
	const struct talk_step *s = &t->steps[step];
	struct flow_packet whole = as_seen(p);
	int e = build(t, s, p, number, sent);

	return e < 0 ? e : build(t, s, &whole, number, seen);
}

int talk_say(struct talk_memory *m, const struct talk *t, unsigned int step, uint16_t number,
	     struct flow_packet *ret)
{
	const struct talk_step *s = &t->steps[step];
	int e;

	*ret = s->packet;
	if (ret->l4 == FLOW_TCP && m->said[s->id].known) {
		ret->seq = m->said[s->id].seq;
		ret->ack = m->said[s->id].ack;
		ret->seq_more = ret->ack_more = false;
	}
	e = flow_talk_say(&m->ends, ret, false, t->family, number);
	if (e < 0)
		return e;
	m->said[s->id].known = true;
	m->said[s->id].seq = ret->seq;
	m->said[s->id].ack = ret->ack;
	return 0;
}
