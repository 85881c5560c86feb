/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Flows that another process has left behind, or that come from a file, are judged one by one
 * before anything relies on them. What a tracker takes for granted because only trackers write it
 * is asked for here: a number that is used as an index or shifted by, a value out of a closed set,
 * a combination that no packet brings about. The entry that fails is given up, and no other.
 *
 * It is no proof that an entry is what it was: nothing here would notice another sequence number.
 * Those who write flows where this cannot be told keep a sum over all of it.
 */

#include "core/sound.h"

#include "core/key.h"
#include "core/sctp.h"
#include "core/tcp.h"

#define SCALE_MAX 14

static unsigned int known_status(void)
{
#define X(name, bit) | CT_STATUS_##name
	return 0 CT_STATUS_LIST(X);
#undef X
}

bool ct_tuple_is_sound(const struct ct_tuple *t)
{
	if (t->family == CT_AF_INET) {
		if (t->src.w[1] | t->src.w[2] | t->src.w[3] | t->dst.w[1] | t->dst.w[2] |
		    t->dst.w[3])
			return false;
	} else if (t->family != CT_AF_INET6) {
		return false;
	}
	return ct_tuple_has_inverse(t);
}

/* Whoever answers, or is assured, is in the table; who is ending is not. */
static bool status_is_sound(uint16_t status)
{
	const unsigned int later = CT_STATUS_SEEN_REPLY | CT_STATUS_ASSURED;

	return !(status & ~known_status()) && !(status & CT_STATUS_DYING) &&
	       (status & CT_STATUS_CONFIRMED || !(status & later));
}

static bool tcp_is_sound(const struct ct_flow *f)
{
	const struct ct_tcp *tcp = &f->l4.tcp;

	return f->state > CT_TCP_STATE_NONE && f->state < CT_TCP_STATE_MAX &&
	       tcp->scale[CT_DIR_ORIGINAL] <= SCALE_MAX && tcp->scale[CT_DIR_REPLY] <= SCALE_MAX &&
	       tcp->last_wscale <= SCALE_MAX && tcp->last_dir < CT_DIR_MAX &&
	       tcp->last_index < CT_TCP_INDEX_MAX;
}

static bool sctp_is_sound(const struct ct_flow *f)
{
	const struct ct_sctp *sctp = &f->l4.sctp;

	return f->state > CT_SCTP_STATE_NONE && f->state < CT_SCTP_STATE_MAX &&
	       ct_bool_is_sound(&sctp->init[CT_DIR_ORIGINAL]) &&
	       ct_bool_is_sound(&sctp->init[CT_DIR_REPLY]) && ct_bool_is_sound(&sctp->doubted) &&
	       sctp->last_dir < CT_DIR_MAX;
}

static bool l4_is_sound(const struct ct_flow *f)
{
	switch (f->orig.proto) {
	case CT_PROTO_TCP:
		return tcp_is_sound(f);
	case CT_PROTO_SCTP:
		return sctp_is_sound(f);
	default:
		return f->state == 0;
	}
}

bool ct_flow_is_sound(const struct ct_flow *f, uint64_t now_ns)
{
	return ct_tuple_is_sound(&f->orig) && status_is_sound(f->status) && l4_is_sound(f) &&
	       f->helper < CT_HELPER_MAX && f->death < CT_DEATH_MAX &&
	       (f->expires_ns <= now_ns || f->expires_ns - now_ns <= CT_LIFE_NS_MAX) &&
	       f->lifetime_ns <= CT_LIFE_NS_MAX;
}
