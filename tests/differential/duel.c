/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/differential/duel.h"

#include <errno.h>
#include <string.h>
#include <time.h>

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
};

/* True: at this time of the engine's clock the kernel's may have been on the other side. */
static bool is_edge(const struct play *p, uint64_t at_ns)
{
	uint64_t slack = 2 * TICK_NS + p->late_ns;

	return at_ns && at_ns + slack >= p->shot.sent_ns && at_ns <= p->shot.done_ns + slack;
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
	return is_edge(p, b->expires_ns);
}

/* --- comparing ------------------------------------------------------------------------------ */

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

static const char *compare(const struct duel *d, const struct play *p, const struct ct_result *res)
{
	const struct story *s = &p->story[p->next];

	if (s->kernel != s->engine)
		return "class";
	if (has_entry(s->kernel) &&
	    status_by_rules(p->shot.mark) != (res->status & STATUS_BY_RULES))
		return "status at the rules";
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

static struct before look_before(struct duel *d, const struct story *s)
{
	struct before b = {0};

	if (s->has_tuple)
		b.expires_ns = entry_deadline(d->engine.ct, &s->tuple, &b.stream_ns);
	return b;
}

/* Did the packet get as far as where connections are confirmed and helpers called? */
static bool entered(const struct play *p)
{
	bool known = p->shot.mark & FLOW_ORACLE_CONFIRMED;

	return p->shot.left || (known && !p->talk.steps[p->next].packet.dropped);
}

static void note_dropped_first(struct duel *d, struct play *p)
{
	const struct story *s = &p->story[p->next];

	if (d->plan.at_exit || p->daemon_off || p->shot.left ||
	    (s->kernel != CT_INFO_NEW && s->kernel != CT_INFO_RELATED) ||
	    p->shot.mark & FLOW_ORACLE_CONFIRMED)
		return;
	p->daemon_off = true;
	d->explained[EXPLAINED_FIRST_DROPPED] += d->with_daemon;
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

static void note(struct duel *d, struct play *p, const struct ct_result *res)
{
	const struct story *s = &p->story[p->next];
	const struct talk_step *step = &p->talk.steps[p->next];
	bool sound = reaches_table(s->kernel, (enum ct_reason)res->reason);

	d->infos[s->kernel]++;
	if (s->has_tuple)
		cover_note(&d->cover, &p->memory,
			   sound && !step->npatches && step->keep == FLOW_UNSET ? &step->packet
										: NULL,
			   &s->tuple, &s->in_kernel, p->shot.done_ns);
}

static enum duel_end judge(struct duel *d, struct play *p)
{
	struct story *s = &p->story[p->next];
	struct before before = look_before(d, s);
	enum explained why;
	struct ct_result res;

	engine_judge(&d->engine, &p->shot, entered(p), &res);
	s->engine = (enum ct_info)res.info;
	s->reason = (enum ct_reason)res.reason;
	note_dropped_first(d, p);
	s->daemon_asked = d->with_daemon && !p->daemon_off;
	ask_engine(d, p);
	s->differs = compare(d, p, &res);
	for (int i = 0; i < ASK_AGAIN && s->differs && s->kernel == s->engine; i++) {
		if (ask_kernel_again(d, s) < 0)
			break;
		ask_engine(d, p);
		s->differs = compare(d, p, &res);
	}
	note(d, p, &res);
	if (!s->differs)
		return DUEL_GOES_ON;
	if (!explain(p, &before, &why))
		return DUEL_DIFFERS;
	d->explained[why]++;
	s->differs = NULL;
	return DUEL_OVER;
}

/* Damaged packets may not get past the network layer; all others must be seen. */
static enum duel_end judge_unseen(struct duel *d, struct play *p)
{
	d->unseen++;
	if (p->talk.kind == TALK_DAMAGE && !p->shot.arrived)
		return DUEL_GOES_ON;
	p->story[p->next].differs = p->shot.arrived ? "lost behind the queue" : "never seen";
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
}

/* Its bytes are not those of its words. */
static bool is_damaged(const struct talk_step *step)
{
	return step->npatches || step->keep != FLOW_UNSET;
}

static int load(struct play *p)
{
	const struct talk_step *step = &p->talk.steps[p->next];
	struct story *s = &p->story[p->next];
	struct shot *shot = &p->shot;
	int e;

	shot->packet = &step->packet;
	shot->family = p->talk.family;
	shot->pieces = step->pieces;
	shot->backwards = step->backwards;
	e = talk_build(&p->talk, p->next, p->number, &shot->sent, &shot->seen);
	if (e < 0)
		return e;
	if (is_damaged(step))
		s->has_tuple =
			entry_tuple(shot->seen.data, shot->seen.len, shot->family, &s->tuple);
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
		e = load(plays[i]);
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
