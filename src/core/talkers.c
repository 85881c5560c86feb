/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Who fills the table.
 *
 * When the table is full, whoever looks after it wants to know for whom. The table has no list of
 * sources, and keeping one would cost every packet something; so a few thousand flows are asked
 * when the question comes up. The hash is keyed, so any buckets are a fair sample: a walk with an
 * odd stride visits each once, and a small table as a whole. Packets do not wait for it: one
 * stripe is locked at a time, for as long as it takes to copy a few tuples whose memory has been
 * asked for before; counting comes after.
 *
 * Counting is done with the space-saving method (Metwally, Agrawal, El Abbadi 2005): a fixed number
 * of entries, of which a newcomer takes over the smallest together with its count. Whatever has
 * more than one in ENTRIES of the sample is found, and count - error of an entry is a number of
 * flows that were really seen. That is the one that is told, so nobody is accused of more than he
 * did.
 *
 * Sources can be forged, and one sender can use many addresses: so networks are counted, too, and
 * where flows go. A flood that comes from everywhere still goes to somewhere.
 */

#include "core/pkt.h"
#include "core/table.h"
#include "core/talkers.h"

#define ENTRIES 64    /* of a sketch */
#define LOOKS	32768 /* buckets looked at, at most */
#define GRAB	8     /* flows taken from one bucket, at most */

/* To be named it takes this share of the sample and this many flows, which is not by chance. */
#define SHARE_MIN 50 /* permille */
#define FLOWS_MIN 8

#define CROWD 3 /* a network with more times the flows of a host is named in its stead */

struct entry {
	struct ct_party party;
	uint32_t count, error;
};

struct sketch {
	struct entry entry[ENTRIES];
	uint32_t n;
};

/* What is counted of each flow. */
enum view { VIEW_HOST, VIEW_NET, VIEW_ADDRESS, VIEW_SERVICE, VIEW_MAX };

struct census {
	struct sketch view[VIEW_MAX];
	uint32_t sample;
};

/* --- counting --------------------------------------------------------------------------------- */

static bool same(const struct ct_party *a, const struct ct_party *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static void count(struct sketch *s, const struct ct_party *party)
{
	struct entry *least = &s->entry[0];

	for (struct entry *e = s->entry; e < s->entry + s->n; e++) {
		if (same(&e->party, party)) {
			e->count++;
			return;
		}
		if (e->count < least->count)
			least = e;
	}
	if (s->n < ENTRIES)
		s->entry[s->n++] = (struct entry){.party = *party, .count = 1};
	else
		*least = (struct entry){*party, least->count + 1, least->count};
}

static struct ct_party party_of(const struct ct_tuple *t, const union ct_addr *addr, uint8_t prefix)
{
	struct ct_party p = {.addr = *addr, .zone = t->zone, .family = t->family, .prefix = prefix};

	memset(p.addr.b + prefix / 8, 0, sizeof(p.addr.b) - prefix / 8);
	return p;
}

static void count_flow(struct census *c, const struct ct_tuple *t)
{
	bool six = t->family == CT_AF_INET6;
	struct ct_party host = party_of(t, &t->src, six ? 64 : 32);
	struct ct_party net = party_of(t, &t->src, six ? 48 : 24);
	struct ct_party to = party_of(t, &t->dst, six ? 128 : 32);

	count(&c->view[VIEW_HOST], &host);
	count(&c->view[VIEW_NET], &net);
	count(&c->view[VIEW_ADDRESS], &to);
	to.service = true;
	to.proto = t->proto;
	to.port_be = ct_has_ports(t->proto) ? t->dst_id_be : 0;
	count(&c->view[VIEW_SERVICE], &to);
	c->sample++;
}

/* --- looking ---------------------------------------------------------------------------------- */

/*
 * Copies the tuples of the first flows of a bucket; returns their number. Without a lock if there
 * are none, as in most.
 */
static unsigned int grab(struct ct *ct, uint32_t bucket, struct ct_tuple ret[static GRAB])
{
	struct ct_stripe *stripe = ct_table_stripe(ct, bucket);
	unsigned int n = 0;

	if (!ct_table_first(ct, bucket))
		return 0;
	ct_lock(&stripe->lock);
	for (uint32_t i = ct_table_first(ct, bucket); i && n < GRAB; i = ct->arena.slots[i].next)
		ret[n++] = ct->arena.slots[i].orig;
	ct_unlock(&stripe->lock);
	return n;
}

static void look(struct ct *ct, uint64_t seed, struct census *c)
{
	uint64_t random = ct_siphash(&ct->key, &seed, 1);
	uint32_t at = (uint32_t)random, stride = (uint32_t)(random >> 32) | 1;
	struct ct_tuple found[GRAB];

	for (uint32_t i = 0; i <= ct->bucket_mask && i < LOOKS; i++, at += stride) {
		unsigned int n = grab(ct, at & ct->bucket_mask, found);

		ct_table_prefetch_first(ct, (at + stride) & ct->bucket_mask);
		for (unsigned int k = 0; k < n; k++)
			count_flow(c, &found[k]);
		if (c->sample + GRAB > CT_TALKERS_SAMPLE)
			return;
	}
}

/* --- naming ----------------------------------------------------------------------------------- */

static bool stands_out(const struct census *c, uint32_t flows)
{
	return flows >= FLOWS_MIN && (uint64_t)flows * 1000 >= (uint64_t)c->sample * SHARE_MIN;
}

static uint32_t sure(const struct entry *e)
{
	return e->count - e->error;
}

static struct ct_talker talker(const struct census *c, const struct ct_party *p, uint32_t flows)
{
	return (struct ct_talker){*p, (uint16_t)((uint64_t)flows * 1000 / c->sample)};
}

/* Puts one among the sources with the most flows, if it stands out. */
static void nominate(const struct census *c, const struct ct_party *p, uint32_t flows,
		     struct ct_talkers *ret)
{
	struct ct_talker t;
	unsigned int at;

	if (!stands_out(c, flows))
		return;
	t = talker(c, p, flows);
	at = ret->nsources;
	if (at < CT_TALKERS_MAX)
		ret->nsources++;
	else if (ret->source[--at].permille >= t.permille)
		return;
	for (; at > 0 && ret->source[at - 1].permille < t.permille; at--)
		ret->source[at] = ret->source[at - 1];
	ret->source[at] = t;
}

static bool is_within(const struct ct_party *host, const struct ct_party *net)
{
	return host->family == net->family && host->zone == net->zone &&
	       memcmp(host->addr.b, net->addr.b, net->prefix / 8) == 0;
}

static struct entry *best(struct sketch *s)
{
	struct entry *e = &s->entry[0];

	for (uint32_t i = 1; i < s->n; i++)
		if (sure(&s->entry[i]) > sure(e))
			e = &s->entry[i];
	return e;
}

static struct entry *net_of(struct sketch *nets, const struct ct_party *host)
{
	for (uint32_t i = 0; i < nets->n; i++)
		if (is_within(host, &nets->entry[i].party))
			return &nets->entry[i];
	return NULL;
}

/* These flows of it are spoken for. */
static void take(struct entry *e, uint32_t flows)
{
	e->error += flows < sure(e) ? flows : sure(e);
}

/*
 * The largest host first. One of many of its network does not stand for itself; of a network counts
 * what the hosts that are named have not.
 */
static void name_sources(struct census *c, struct ct_talkers *ret)
{
	struct sketch *hosts = &c->view[VIEW_HOST], *nets = &c->view[VIEW_NET];

	for (struct entry *e = best(hosts); stands_out(c, sure(e)); e = best(hosts)) {
		struct entry *net = net_of(nets, &e->party);

		if (!net || sure(net) <= CROWD * sure(e)) {
			nominate(c, &e->party, sure(e), ret);
			if (net)
				take(net, sure(e));
		}
		take(e, sure(e));
	}
	for (uint32_t i = 0; i < nets->n; i++)
		nominate(c, &nets->entry[i].party, sure(&nets->entry[i]), ret);
}

static void name_target(struct census *c, struct ct_talkers *ret)
{
	const struct entry *e = best(&c->view[VIEW_SERVICE]), *all = best(&c->view[VIEW_ADDRESS]);

	if (sure(e) < sure(all) / 2)
		e = all; /* many ports of one host */
	ret->has_target = stands_out(c, sure(e));
	if (ret->has_target)
		ret->target = talker(c, &e->party, sure(e));
}

void ct_talkers(struct ct *ct, uint64_t seed, struct ct_talkers *ret)
{
	struct census c;

	memset(&c, 0, sizeof(c));
	*ret = (struct ct_talkers){0};
	look(ct, seed, &c);
	ret->sample = c.sample;
	if (c.sample == 0)
		return;
	name_sources(&c, ret);
	name_target(&c, ret);
}
