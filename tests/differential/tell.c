/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/differential/tell.h"

#include <endian.h>

/* Has this packet been sent before? */
static bool comes_again(const struct talk *t, unsigned int i)
{
	for (unsigned int k = 0; k < i; k++)
		if (t->steps[k].id == t->steps[i].id)
			return true;
	return false;
}

/* The packet as a script has to say it; it shares text and quote with that of the step. */
static struct flow_packet as_said(const struct play *p, unsigned int i)
{
	const struct talk_step *s = &p->talk.steps[i];
	struct flow_packet packet = s->packet;

	if (packet.l4 == FLOW_TCP && comes_again(&p->talk, i)) {
		packet.seq = p->said.said[s->id].seq;
		packet.ack = p->said.said[s->id].ack;
		packet.seq_more = packet.ack_more = false;
	}
	if (packet.l4 == FLOW_GRE && packet.gre_version == 1 && p->story[i].has_tuple)
		packet.gre_own = be16toh(p->story[i].tuple.src_id_be);
	return packet;
}

static void tell_step(FILE *f, const struct play *p, unsigned int i)
{
	const struct talk_step *s = &p->talk.steps[i];
	struct flow_packet packet = as_said(p, i);

	if (s->wait_ms)
		fprintf(f, "wait %u.%03us\n", s->wait_ms / 1000, s->wait_ms % 1000);
	if (s->pieces)
		fprintf(f, "# in %u fragments%s:\n", s->pieces, s->backwards ? ", last first" : "");
	for (unsigned int k = 0; k < s->npatches; k++)
		fprintf(f, "# byte %u is %#x in:\n", s->patch[k].at, s->patch[k].value);
	if (s->keep != FLOW_UNSET)
		fprintf(f, "# only %d bytes are sent of:\n", s->keep);
	flow_packet_print(f, &packet);
}

static bool is_timeout(const struct plan *p, uint32_t seconds)
{
	for (size_t i = 0; i < p->nset; i++)
		if (p->set[i].knob->timeout >= 0 && p->set[i].value == seconds)
			return true;
	return false;
}

/* When the kernel was asked, a part of the first second had passed. */
static uint32_t timeout(const struct plan *p, uint32_t left)
{
	return !is_timeout(p, left) && is_timeout(p, left + 1) ? left + 1 : left;
}

static void tell_kernel(FILE *f, const struct plan *p, const struct story *s)
{
	const struct entry *e = &s->in_kernel;

	fprintf(f, " : %s", ct_info_name(s->kernel));
	if (e->alive)
		fprintf(f, " %s %#x %u", e->state ? ct_state_name(e->orig.proto, e->state) : "-",
			e->status, timeout(p, e->timeout));
	fputc('\n', f);
}

static void tell_difference(FILE *f, const struct duel *d, const struct story *s)
{
	char text[ENTRY_STRLEN];

	fprintf(f, "# differs: %s\n", s->differs);
	if (!s->asked)
		return;
	fprintf(f, "#   kernel:  %s, %s\n", ct_info_name(s->kernel),
		entry_to_str(&s->in_kernel, text));
	fprintf(f, "#   engine:  %s, %s; %s\n", ct_info_name(s->engine),
		entry_to_str(&s->in_engine, text), ct_reason_name(s->reason));
	if (d->with_daemon)
		fprintf(f, "#   ctmarkd: %s\n",
			!s->daemon_asked	   ? "not asked"
			: s->daemon == CT_INFO_MAX ? "no class"
						   : ct_info_name(s->daemon));
}

void tell_play(FILE *f, const struct duel *d, const struct play *p)
{
	enum ct_helper_id helper = talk_kind_helper(p->talk.kind);

	fprintf(f, "title Found by random traffic, seed %llu\nfamilies %s\n",
		(unsigned long long)d->plan.seed, p->talk.family == CT_AF_INET ? "4" : "6");
	plan_print_settings(f, &d->plan);
	if (helper != CT_HELPER_NONE)
		fprintf(f, "set helpers %s\n", ct_helper_name(helper));
	if (d->plan.at_exit)
		fprintf(f, "# flows are confirmed at the exit hook\n");
	for (unsigned int i = 0; i < p->next; i++) {
		const struct story *s = &p->story[i];

		tell_step(f, p, i);
		if (s->asked)
			tell_kernel(f, &d->plan, s);
		else
			fprintf(f, "\n");
		if (s->differs)
			tell_difference(f, d, s);
	}
	fflush(f);
}

void tell_sums(FILE *f, const struct duel *d)
{
	fprintf(f, "#");
	for (unsigned int i = 0; i < CT_INFO_MAX; i++)
		if (d->infos[i])
			fprintf(f, " %s %u", ct_info_name((enum ct_info)i), d->infos[i]);
	fprintf(f, "\n#");
	for (unsigned int i = 0; i < EXPLAINED_MAX; i++)
		fprintf(f, " %s %u", duel_explained_name((enum explained)i), d->explained[i]);
	fprintf(f, "\n# %u packets, %u conversations, %u unseen, %u differences, seed %llu\n",
		d->packets, d->talks, d->unseen, d->different, (unsigned long long)d->plan.seed);
}
