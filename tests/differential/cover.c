/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Cells that no packet can reach are not counted as missed:
 *
 * - TCP, kind NONE: a segment without SYN, FIN, RST and ACK is refused for its flags before any
 *   table is asked (semantics 4.2), so the row is never looked at.
 * - TCP, reply, state NONE: an entry begins with the first packet of its original direction; before
 *   that there is nothing that could have a reply.
 * - SCTP, original, state NONE, ABORT, SHUTDOWN COMPLETE and COOKIE ACK: refused as the first
 * packet of an association before the table is asked (semantics 5.7, step 3).
 * - SCTP, reply, state NONE: as with TCP.
 *
 * All others can be reached: tests/flows/tcp-in-*.flow and sctp-in-*.flow send each kind of packet
 * in each state. A chunk counts if its packet's tag was right, so that the table was asked, and
 * only if it is the packet's first: what a later one meets is not seen.
 */

#include "tests/differential/cover.h"

#include <errno.h>
#include <string.h>

#include "core/sctp.h"
#include "core/tcp.h"
#include "util/cleanup.h"

static bool same_entry(const struct entry *e, const struct ct_tuple *t, enum ct_dir *ret_dir)
{
	struct ct_tuple inverse;

	if (memcmp(&e->orig, t, sizeof(*t)) == 0) {
		*ret_dir = CT_DIR_ORIGINAL;
		return true;
	}
	*ret_dir = CT_DIR_REPLY;
	return ct_tuple_invert(&inverse, t) && memcmp(&e->orig, &inverse, sizeof(inverse)) == 0;
}

/* The place of the entry that a tuple belongs to; m->n: none is known. */
static unsigned int recall(const struct cover_memory *m, const struct ct_tuple *t,
			   enum ct_dir *ret_dir)
{
	for (unsigned int i = 0; i < m->n; i++)
		if (same_entry(&m->known[i].entry, t, ret_dir))
			return i;
	*ret_dir = CT_DIR_ORIGINAL;
	return m->n;
}

static void remember(struct cover_memory *m, unsigned int i, const struct entry *after,
		     uint64_t now_ns)
{
	if (!after->alive) {
		if (i < m->n)
			m->known[i] = m->known[--m->n];
		return;
	}
	if (i == COVER_MEMORY_MAX)
		return;
	m->n += i == m->n;
	m->known[i].entry = *after;
	m->known[i].expires_ns = now_ns + after->timeout * CT_NS_PER_S;
}

static void count(struct cover *c, const struct flow_packet *p, enum ct_dir dir, uint8_t state)
{
	if (state >= COVER_STATES)
		return;
	if (p->l4 == FLOW_TCP && ct_tcp_flags_valid((uint8_t)p->flags))
		c->tcp[dir][ct_tcp_index((uint8_t)p->flags)][state]++;
	if (p->l4 == FLOW_SCTP && p->nchunks && p->chunk[0].type < COVER_KINDS)
		c->sctp[dir][p->chunk[0].type][state]++;
}

void cover_note(struct cover *c, struct cover_memory *m, const struct flow_packet *p,
		const struct ct_tuple *t, const struct entry *after, uint64_t now_ns)
{
	enum ct_dir dir;
	unsigned int i = recall(m, t, &dir);
	bool there = i < m->n && m->known[i].expires_ns > now_ns;

	if (p)
		count(c, p, there ? dir : CT_DIR_ORIGINAL, there ? m->known[i].entry.state : 0);
	remember(m, i, after, now_ns);
}

/* --- telling ------------------------------------------------------------------------------- */

static bool reachable_tcp(int dir, unsigned int kind, unsigned int state)
{
	return kind < CT_TCP_NONE && state < CT_TCP_STATE_MAX &&
	       (dir == CT_DIR_ORIGINAL || state != CT_TCP_STATE_NONE);
}

static bool reachable_sctp(int dir, unsigned int kind, unsigned int state)
{
	bool row = (kind >= CT_SCTP_INIT && kind <= CT_SCTP_COOKIE_ACK && kind != CT_SCTP_SACK) ||
		   kind == CT_SCTP_SHUTDOWN_COMPLETE;
	bool never_first = kind == CT_SCTP_ABORT || kind == CT_SCTP_SHUTDOWN_COMPLETE ||
			   kind == CT_SCTP_COOKIE_ACK;

	return row && state < CT_SCTP_STATE_MAX &&
	       (state != CT_SCTP_STATE_NONE || (dir == CT_DIR_ORIGINAL && !never_first));
}

/* What is different between the two tables. */
struct table {
	const char *name;
	uint8_t proto;
	bool (*reachable)(int dir, unsigned int kind, unsigned int state);
};

static unsigned int print_table(FILE *f, const struct table *t,
				const unsigned int cells[][COVER_KINDS][COVER_STATES])
{
	unsigned int reached = 0, reachable = 0;

	for (int dir = 0; dir < CT_DIR_MAX; dir++)
		for (unsigned int k = 0; k < COVER_KINDS; k++)
			for (unsigned int s = 0; s < COVER_STATES; s++) {
				if (!t->reachable(dir, k, s))
					continue;
				reachable++;
				reached += cells[dir][k][s] > 0;
				if (!cells[dir][k][s])
					fprintf(f, "# not reached: %s, %s, kind %u in %s\n",
						t->name, dir ? "reply" : "original", k,
						ct_state_name(t->proto, (uint8_t)s));
			}
	fprintf(f, "# %s: %u of %u reachable cells (%u %%)\n", t->name, reached, reachable,
		100 * reached / reachable);
	return 100 * reached / reachable;
}

unsigned int cover_print(FILE *f, const struct cover *c)
{
	static const struct table tables[] = {{"TCP", 6, reachable_tcp},
					      {"SCTP", 132, reachable_sctp}};
	unsigned int tcp = print_table(f, &tables[0], c->tcp);
	unsigned int sctp = print_table(f, &tables[1], c->sctp);

	return tcp < sctp ? tcp : sctp;
}

int cover_load(struct cover *c, const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "rbe");

	*c = (struct cover){0};
	if (!f)
		return errno == ENOENT ? 0 : -errno;
	return fread(c, sizeof(*c), 1, f) == 1 ? 0 : -EINVAL;
}

int cover_save(const struct cover *c, const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "wbe");

	return f && fwrite(c, sizeof(*c), 1, f) == 1 && fflush(f) == 0 ? 0 : -errno;
}
