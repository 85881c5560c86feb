/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Calling helpers.
 *
 * A helper is bound to a flow when that begins: by its destination port, or by the expectation that
 * announced it. It sees the packets that leave: where flows are confirmed at the exit hook, it is
 * called there, as in the kernel; otherwise when the entry has accepted the packet, which is the
 * same unless a rule in between drops it.
 */

#include "core/helper/call.h"
#include "core/helper/helper.h"
#include "core/stats.h"

#define UDP_HLEN 8

static bool takes(const struct ct_helper_facts *h, const struct ct_tuple *t)
{
	if (h->families == 4 && t->family != CT_AF_INET)
		return false;
	return h->protos == t->proto || (h->protos == CT_PROTO_TCP + CT_PROTO_UDP &&
					 (t->proto == CT_PROTO_TCP || t->proto == CT_PROTO_UDP));
}

uint8_t ct_helper_assign(const struct ct_config *cfg, const struct ct_tuple *orig)
{
	for (unsigned int i = 0; i < cfg->nhelper_ports; i++) {
		const struct ct_helper_port *p = &cfg->helper_ports[i];
		const struct ct_helper *h = ct_helper_get(p->helper);

		if (p->port == ct_read_be16((const uint8_t *)&orig->dst_id_be) && h &&
		    takes(h->facts, orig))
			return p->helper;
	}
	return CT_HELPER_NONE;
}

/*
 * What is behind the transport header. Of a datagram in fragments only the first is here, and how
 * much is missing not known: to a helper it is as if its copy had been cut.
 */
static struct ct_bytes payload_of(const struct ct_step *s)
{
	uint32_t hlen = UDP_HLEN;
	struct ct_bytes v;

	if (s->pkt.proto == CT_PROTO_TCP && s->pkt.l4.cap > 12)
		hlen = (uint32_t)(s->pkt.l4.data[12] >> 4) * 4;
	v = ct_bytes_from(s->pkt.l4, hlen);
	v.len += s->pkt.fragment;
	return v;
}

static struct ct_help help_of(struct ct_thread *th, uint32_t index, uint64_t now_ns)
{
	struct ct_help h = {
		.th = th,
		.index = index,
		.flow = &th->ct->arena.slots[index],
		.kin = &th->ct->arena.kin[index],
		.now_ns = now_ns,
	};

	h.tuple[CT_DIR_ORIGINAL] = h.flow->orig;
	(void)ct_tuple_invert(&h.tuple[CT_DIR_REPLY], &h.flow->orig);
	return h;
}

bool ct_helper_call(struct ct_step *s)
{
	const struct ct_helper *helper = ct_helper_get(s->flow->helper);
	struct ct_help h;
	enum ct_help_result result;

	if (!helper || s->info == CT_INFO_RELATED_REPLY)
		return true;
	h = help_of(s->th, s->index, s->in->now_ns);
	h.dir = s->dir;
	h.info = s->info;
	h.payload = payload_of(s);
	h.seq = s->pkt.proto == CT_PROTO_TCP ? s->tcp.seq : 0;
	result = helper->help(&h);
	if (h.timeout_ns)
		ct_step_set_deadline(s, h.timeout_ns);
	if (result == CT_HELP_ACCEPT)
		return true;
	ct_step_invalid(s, h.reason, h.detail[0], h.detail[1], h.detail[2], h.detail[3]);
	s->out->drop = true;
	ct_stat_inc(s->th, CT_STAT_HELPER_DROPS);
	return false;
}

void ct_helper_lose(struct ct *ct, const struct ct_flow *child, uint64_t master)
{
	/* one that was doomed has done this already; there may be another call by now */
	if (master && child->orig.proto == CT_PROTO_GRE && child->death != CT_DEATH_MASTER)
		ct_keymap_forget(&ct->keymap, master);
}

void ct_helper_end(struct ct_thread *th, uint32_t index, uint64_t now_ns)
{
	const struct ct_helper *helper = ct_helper_get(th->ct->arena.slots[index].helper);
	struct ct_help h;

	ct_expect_forget(th->ct, index);
	ct_helper_lose(th->ct, &th->ct->arena.slots[index], th->ct->arena.kin[index].master);
	if (!helper || !helper->end)
		return;
	h = help_of(th, index, now_ns);
	helper->end(&h);
}

void ct_helper_inherit(struct ct *ct, uint32_t index, uint64_t now_ns)
{
	const struct ct_helper *helper = ct_helper_get(ct->arena.slots[index].helper);
	struct ct_thread th = {.ct = ct};
	struct ct_help h;

	if (!helper || !helper->inherit)
		return;
	h = help_of(&th, index, now_ns);
	helper->inherit(&h);
}
