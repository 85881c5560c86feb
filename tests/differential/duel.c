/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/differential/duel.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "core/helper/helper.h"
#include "core/key.h"
#include "util/cleanup.h"

#define TICK_NS	  4000000ULL /* of the kernel's clock */
#define ASK_AGAIN 100
#define MOMENT_NS 200000

const char *duel_explained_name(enum explained e)
{
#define X(name, str, what) str,
	static const char *const names[] = {EXPLAINED_LIST(X)};
#undef X
	return names[e];
}

/* --- what is known before a packet -------------------------------------------------------- */

/* Deadlines of the engine's flow, which the packet may hit to the tick. */
struct before {
	uint64_t expires_ns, stream_ns;
	bool orphaned; /* the connection that announces others is over, by the clock */
};

/* True: at this time of the engine's clock the kernel's may have been on the other side. */
static bool is_edge(const struct play *p, uint64_t at_ns)
{
	uint64_t slack = 2 * TICK_NS + p->late_ns;

	return at_ns && at_ns + slack >= p->shot.sent_ns && at_ns <= p->shot.done_ns + slack;
}

static bool is_first(enum ct_info info)
{
	return info == CT_INFO_NEW || info == CT_INFO_RELATED;
}

static bool explain(const struct play *p, const struct before *b, enum explained *ret)
{
	const struct story *s = &p->story[p->next];
	bool class_differs = s->kernel != s->engine || (s->daemon_asked && s->daemon != s->kernel);

	if (is_edge(p, b->stream_ns) && !class_differs) {
		*ret = EXPLAINED_UDP_EDGE;
		return true;
	}
	*ret = EXPLAINED_EXPIRY_EDGE;
	if (is_edge(p, b->expires_ns))
		return true;
	*ret = EXPLAINED_MASTER_EXPIRED;
	return b->orphaned;
}

/* --- comparing ------------------------------------------------------------------------------ */

/* Its bytes are not those of its words. */
static bool is_damaged(const struct talk_step *step)
{
	return step->npatches || step->keep != FLOW_UNSET;
}

#define STATUS_BY_RULES (CT_STATUS_EXPECTED | CT_STATUS_SEEN_REPLY | CT_STATUS_ASSURED)

static uint16_t status_by_rules(uint32_t mark)
{
	return (mark & FLOW_ORACLE_EXPECTED ? CT_STATUS_EXPECTED : 0) |
	       (mark & FLOW_ORACLE_SEEN_REPLY ? CT_STATUS_SEEN_REPLY : 0) |
	       (mark & FLOW_ORACLE_ASSURED ? CT_STATUS_ASSURED : 0);
}

static bool has_entry(enum ct_info info)
{
	return info != CT_INFO_INVALID && info != CT_INFO_UNTRACKED;
}

/* ASSURED as Encoding=flags tells it. */
static bool daemon_assured(const struct duel *d, uint32_t mark)
{
	return mark >> d->engine.cfg.mark.shift & CT_MARK_ASSURED;
}

static const char *compare_daemon(const struct duel *d, const struct play *p)
{
	const struct story *s = &p->story[p->next];
	uint32_t mark = p->shot.mark;

	if (s->daemon != s->kernel)
		return "class of ctmarkd";
	if (d->plan.flags && has_entry(s->kernel) &&
	    daemon_assured(d, mark) != !!(mark & FLOW_ORACLE_ASSURED))
		return "ASSURED in ctmarkd's mark";
	return NULL;
}

/* Did the rules let it through to where connections are confirmed and helpers called? */
static bool has_passed(const struct duel *d, const struct play *p)
{
	bool first = !(p->shot.mark & FLOW_ORACLE_CONFIRMED);

	return first || d->plan.at_exit ? p->shot.came : !p->talk.steps[p->next].packet.dropped;
}

static bool has_helper(const struct play *p)
{
	return talk_kind_helper(p->talk.kind) != CT_HELPER_NONE;
}

/* It had passed, but did not leave: the router itself may drop damaged packets, but no others. */
static bool was_dropped(const struct duel *d, const struct play *p)
{
	return has_helper(p) && has_passed(d, p) && !p->shot.out;
}

static const char *compare(const struct duel *d, const struct play *p, const struct judged *j)
{
	const struct story *s = &p->story[p->next];

	if (s->kernel != s->engine)
		return "class";
	if (has_entry(s->kernel) && j->has_flow &&
	    status_by_rules(p->shot.mark) != (j->status & STATUS_BY_RULES))
		return "status at the rules";
	if (has_helper(p) && was_dropped(d, p) != (j->drop && has_passed(d, p)))
		return "drop by a helper";
	if (s->daemon_asked) {
		const char *what = compare_daemon(d, p);

		if (what)
			return what;
	}
	return s->has_tuple ? entry_difference(&s->in_kernel, &s->in_engine) : NULL;
}

/* --- one packet --------------------------------------------------------------------------------
 */

static void ask_engine(struct duel *d, struct play *p)
{
	struct story *s = &p->story[p->next];

	if (s->has_tuple)
		entry_ask_engine(d->engine.ct, &s->tuple, volley_now_ns(), &s->in_engine);
}

/* The kernel may not be through with the last packet of a volley yet. */
static int ask_kernel_again(struct duel *d, struct story *s)
{
	const struct timespec moment = {.tv_nsec = MOMENT_NS};
	const struct ct_tuple *t = s->has_tuple ? &s->tuple : NULL;

	nanosleep(&moment, NULL);
	return entry_ask_kernel(d->wire.ct, &t, &s->in_kernel, 1);
}

/* The control connection of a dialogue (dialog_open()). */
static struct ct_tuple master_of(const struct play *p)
{
	const struct ct_helper_facts *h = &ct_helper_facts[talk_kind_helper(p->talk.kind)];
	struct flow_packet first = {.src = FLOW_HOST_A,
				    .dst = FLOW_HOST_B,
				    .l4 = p->talk.control,
				    .sport = 40000,
				    .dport = h->port};
	struct ct_tuple t;

	flow_packet_tuple(&first, p->talk.family, p->number, &t);
	return t;
}

/* A packet of another connection than the one that the clock has ended already, or is about to. */
static bool is_orphaned(struct duel *d, const struct play *p)
{
	struct ct_tuple master = master_of(p), inverse;
	const struct ct_tuple *own = &p->story[p->next].tuple;
	uint64_t unused, ends_ns = entry_deadline(d->engine.ct, &master, &unused);

	if (!ct_tuple_invert(&inverse, &master) || memcmp(own, &master, sizeof(master)) == 0 ||
	    memcmp(own, &inverse, sizeof(inverse)) == 0)
		return false;
	return ends_ns <= p->shot.done_ns || is_edge(p, ends_ns);
}

static struct before look_before(struct duel *d, const struct play *p)
{
	const struct story *s = &p->story[p->next];
	struct before b = {0};

	if (s->has_tuple)
		b.expires_ns = entry_deadline(d->engine.ct, &s->tuple, &b.stream_ns);
	b.orphaned = has_helper(p) && s->has_tuple && is_orphaned(d, p);
	return b;
}

/*
 * A packet got lost that would have made a flow, or that helpers read. Flows being confirmed at the
 * entry, ctmarkd does not know and cannot be asked any more. At the exit, the engine and ctmarkd
 * give such a flow up after a moment, the kernel at once: that matters only to PPTP, where the ids
 * of a call go with it. Returns false if the talk cannot go on.
 */
static bool go_on_without(struct duel *d, struct play *p)
{
	bool first = is_first(p->story[p->next].kernel) && !(p->shot.mark & FLOW_ORACLE_CONFIRMED);

	if (has_passed(d, p) || p->daemon_off || !(first || has_helper(p)))
		return true;
	if (d->plan.at_exit) {
		d->explained[EXPLAINED_LOST_BEHIND] += p->talk.kind == TALK_PPTP;
		return p->talk.kind != TALK_PPTP;
	}
	p->daemon_off = true;
	d->explained[EXPLAINED_LOST_BEHIND] += d->with_daemon;
	return true;
}

/* In front of the kernel's helper ctmarkd has dropped what that would have dropped, too. */
static enum duel_end dropped_in_front(struct duel *d)
{
	d->explained[EXPLAINED_DROPPED_IN_FRONT]++;
	return DUEL_OVER;
}

/* A packet that was not refused for what it is by itself, or for its tag. */
static bool reaches_table(enum ct_info kernel, enum ct_reason reason)
{
	switch (reason) {
	case CT_REASON_TCP_NOT_FIRST:
	case CT_REASON_TCP_LOOSE_OFF:
	case CT_REASON_TCP_STATE:
	case CT_REASON_TCP_RST_STALE:
	case CT_REASON_TCP_SEQ_OVER:
	case CT_REASON_TCP_ACK_OVER:
	case CT_REASON_SCTP_STATE:
	case CT_REASON_SCTP_INIT_TAG:
		return true;
	default:
		return kernel != CT_INFO_INVALID;
	}
}

static void note(struct duel *d, struct play *p, const struct judged *j)
{
	const struct story *s = &p->story[p->next];
	const struct talk_step *step = &p->talk.steps[p->next];
	bool sound = reaches_table(s->kernel, j->reason);

	d->infos[s->kernel]++;
	if (s->has_tuple)
		cover_note(&d->cover, &p->memory, sound && !is_damaged(step) ? &step->packet : NULL,
			   &s->tuple, &s->in_kernel, p->shot.done_ns);
}

static enum duel_end explained(struct duel *d, struct play *p, const struct before *before)
{
	enum explained why;

	if (!explain(p, before, &why))
		return DUEL_DIFFERS;
	d->explained[why]++;
	p->story[p->next].differs = NULL;
	return DUEL_OVER;
}

static enum duel_end judge(struct duel *d, struct play *p)
{
	struct story *s = &p->story[p->next];
	struct before before = look_before(d, p);
	struct judged j = engine_judge(&d->engine, &p->shot, has_passed(d, p));
	bool goes_on;

	s->engine = j.info;
	s->reason = j.reason;
	s->drop = j.drop;
	goes_on = go_on_without(d, p);
	s->daemon_asked = d->with_daemon && !p->daemon_off;
	ask_engine(d, p);
	s->differs = compare(d, p, &j);
	if (j.drop && d->with_daemon && s->differs && strcmp(s->differs, "timeout") == 0)
		s->differs = NULL; /* a helper may do that, and then drop the packet */
	for (int i = 0; i < ASK_AGAIN && s->differs && s->kernel == s->engine; i++) {
		if (ask_kernel_again(d, s) < 0)
			break;
		ask_engine(d, p);
		s->differs = compare(d, p, &j);
	}
	note(d, p, &j);
	if (s->differs)
		return explained(d, p, &before);
	if (j.drop && d->with_daemon)
		return dropped_in_front(d);
	return goes_on ? DUEL_GOES_ON : DUEL_OVER;
}

/* ctmarkd dropped it at the entry, so only the engine can tell whether it had to. */
static enum duel_end judge_dropped(struct duel *d, struct play *p)
{
	struct story *s = &p->story[p->next];
	struct before before = look_before(d, p);
	struct judged j = engine_judge(&d->engine, &p->shot, true);

	ask_engine(d, p);
	if (j.drop)
		return dropped_in_front(d);
	if (p->daemon_off) /* its helper has read something else */
		return DUEL_OVER;
	s->differs = "lost in the queue";
	return explained(d, p, &before);
}

/* Damaged packets may not get past the network layer; all others must be seen. */
static enum duel_end judge_unseen(struct duel *d, struct play *p)
{
	if (p->shot.arrived && d->with_daemon && !d->plan.at_exit)
		return judge_dropped(d, p);
	d->unseen++;
	if (p->talk.kind == TALK_DAMAGE && !p->shot.arrived)
		return DUEL_GOES_ON;
	p->story[p->next].differs = p->shot.arrived ? "lost in the queue" : "never seen";
	return DUEL_DIFFERS;
}

static enum duel_end settle(struct duel *d, struct play *p)
{
	struct story *s = &p->story[p->next];
	uint64_t late = p->shot.done_ns - p->shot.sent_ns;
	enum duel_end end;

	if (late > p->late_ns)
		p->late_ns = late;
	s->asked = p->shot.logged;
	if (!s->asked) {
		end = judge_unseen(d, p);
	} else if (!flow_wire_oracle(p->shot.mark, &s->kernel)) {
		s->differs = "no single class of the kernel";
		end = DUEL_DIFFERS;
	} else {
		if (!ct_mark_decode(&d->engine.cfg.mark, p->shot.mark, &s->daemon))
			s->daemon = CT_INFO_MAX;
		end = judge(d, p);
	}
	p->next++;
	return end == DUEL_GOES_ON && p->next == p->talk.nsteps ? DUEL_OVER : end;
}

/* --- many packets -------------------------------------------------------------------------------
 */

void duel_begin(struct duel *d, struct play *p)
{
	p->number = ++d->number;
	p->busy = true;
	p->daemon_off = false;
	p->next = 0;
	p->late_ns = 0;
	p->memory.n = 0;
	p->due_ns = volley_now_ns() + p->talk.steps[0].wait_ms * 1000000ULL;
	memset(p->story, 0, sizeof(p->story));
	memset(&p->said, 0, sizeof(p->said));
}

/* Fragments of one packet must not be taken for those of another, from before or from an earlier
 * run. */
static void give_id(struct shot *s)
{
	if (s->family != CT_AF_INET)
		return;
	memcpy(s->sent.data + 4, &s->id, 2);
	memcpy(s->seen.data + 4, &s->id, 2);
	flow_packet_fit(&s->sent, s->family);
	flow_packet_fit(&s->seen, s->family);
}

/* One of its ids may stand in a control connection. */
static bool is_gre(const struct flow_packet *p)
{
	return (p->quote ? p->quote : p)->l4 == FLOW_GRE;
}

static int load(struct duel *d, struct play *p)
{
	const struct talk_step *step = &p->talk.steps[p->next];
	struct story *s = &p->story[p->next];
	struct shot *shot = &p->shot;
	int e;

	e = talk_say(&p->said, &p->talk, p->next, p->number, &p->packet);
	if (e < 0)
		return e;
	shot->packet = &p->packet;
	shot->family = p->talk.family;
	shot->pieces = step->pieces;
	shot->backwards = step->backwards;
	shot->id = ++d->fragmented;
	e = talk_build(&p->talk, p->next, &p->packet, p->number, &shot->sent, &shot->seen);
	if (e < 0)
		return e;
	give_id(shot);
	if (is_damaged(step) || is_gre(&step->packet))
		s->has_tuple = entry_tuple(d->engine.ct, shot->seen.data, shot->seen.len,
					   shot->family, &s->tuple);
	else
		s->has_tuple = flow_packet_tuple(&step->packet, shot->family, p->number, &s->tuple);
	return 0;
}

static int ask_kernel(struct duel *d, struct play *plays[], size_t n)
{
	const struct ct_tuple *tuples[VOLLEY_MAX];
	struct entry entries[VOLLEY_MAX];
	int e;

	for (size_t i = 0; i < n; i++) {
		const struct story *s = &plays[i]->story[plays[i]->next];

		tuples[i] = s->has_tuple && plays[i]->shot.logged ? &s->tuple : NULL;
	}
	e = entry_ask_kernel(d->wire.ct, tuples, entries, n);
	for (size_t i = 0; e == 0 && i < n; i++)
		plays[i]->story[plays[i]->next].in_kernel = entries[i];
	return e;
}

int duel_step(struct duel *d, struct play *plays[], size_t n, enum duel_end ret_ends[])
{
	struct shot *shots[VOLLEY_MAX];
	int e = 0;

	for (size_t i = 0; e == 0 && i < n; i++) {
		e = load(d, plays[i]);
		shots[i] = &plays[i]->shot;
	}
	if (e == 0)
		e = volley_fire(&d->volley, shots, n);
	if (e == 0)
		e = ask_kernel(d, plays, n);
	for (size_t i = 0; e == 0 && i < n; i++)
		ret_ends[i] = settle(d, plays[i]);
	d->packets += (unsigned int)n;
	return e;
}
