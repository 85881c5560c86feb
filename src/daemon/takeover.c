/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A table is looked for where the freshest one would be: in the service manager's store, which has
 * it whatever became of the last process, and then in the state file, which an orderly end
 * leaves. Whatever is found was put there by somebody else, perhaps by another version: it is used
 * if the engine accepts it, and a table that is not is no reason not to start. Queues are served
 * with an empty table rather than not at all.
 *
 * In the store the table stays where it is, if its size is still the one that is configured: that
 * takes no copy. A table of another size, or from the file, gets memory of its own, which takes the
 * place of the old one in the store before the first packet is judged.
 *
 * The file is written at each orderly end, because nobody tells whether a start will follow that
 * finds the store as it is. If one does it removes the file unread. A start that fails for good is
 * the end of the store, and sees to it that there is a file after a crash as well.
 */

#include "daemon/takeover.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/status.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/words.h"

/* So often flows may be the death of a process before they are given up. */
#define ATTEMPTS_MAX 5

/* A table as it was found. */
struct left {
	struct memory memory; /* the arena only */
	struct ct_arena_facts facts;
	enum takeover_source source;
	int64_t shift_ns;
};

static const char *source_text(enum takeover_source source)
{
	static const char *const texts[TAKEOVER_SOURCE_MAX] = {
#define X(name, str, text) text,
		TAKEOVER_LIST(X)
#undef X
	};

	return texts[source];
}

static const char *source_name(enum takeover_source source)
{
	static const char *const names[TAKEOVER_SOURCE_MAX] = {
#define X(name, str, text) str,
		TAKEOVER_LIST(X)
#undef X
	};

	return names[source];
}

/* --- what there is ------------------------------------------------------------------------------
 */

/* Why an arena is not used, NULL: it can be. */
static const char *read_arena(struct left *l)
{
	switch (ct_arena_read(l->memory.arena, l->memory.arena_size, &l->facts)) {
	case CT_ARENA_OK:
		return NULL;
	case CT_ARENA_LAYOUT:
		return "are of another version of ctmarkd";
	case CT_ARENA_DAMAGED:
		return "are damaged";
	case CT_ARENA_FOREIGN:
		break;
	}
	return "are not those of ctmarkd";
}

/* The same for memory of the store, which can have killed before. */
static const char *read_stored(struct left *l, int fd)
{
	const char *why;

	if (memory_adopt(&l->memory, fd) < 0)
		return "are not those of ctmarkd";
	why = read_arena(l);
	if (!why && memory_attempt(&l->memory) >= ATTEMPTS_MAX)
		why = "have ended each process that took them over";
	return why;
}

static void refuse(const struct daemon *d, struct left *l, const char *why)
{
	oplog(&d->oplog, LOG_WARNING, 0, MSGID_ARENA_REFUSED,
	      "The flows in %s %s and are not taken over%s", source_text(l->source), why,
	      l->source == TAKEOVER_FILE ? "; it is kept with .old behind its name" : "");
	memory_unmap(&l->memory);
}

static bool find_in_store(struct daemon *d, struct left *ret)
{
	const char *why = NULL;
	int fd;

	while ((fd = store_take(&d->store, STORE_FLOWS, 0)) >= 0) {
		*ret = (struct left){.source = TAKEOVER_STORE};
		why = read_stored(ret, fd);
		if (!why)
			return true;
		refuse(d, ret, why);
		d->takeover.refused = why;
	}
	return false;
}

static void refuse_file(const struct daemon *d, const struct state *file, enum state_result result)
{
	oplog(&d->oplog, LOG_WARNING, file->error, MSGID_STATE_ERROR,
	      "State file %s %s, and no flows are taken over%s", file->path, state_text(result),
	      file->aside ? "; it is kept with .old behind its name" : "");
}

static uint64_t wall_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static bool is_too_large(size_t arena_size)
{
	const struct ct_params largest = {
		.max_flows = CT_FLOWS_MAX,
		.max_expect = CT_EXPECT_MAX,
		.max_fragmented = CT_FRAGMENTS_MAX,
	};

	return arena_size > ct_arena_size(&largest);
}

/* Brings the file's arena into memory. */
static enum state_result load(struct state *file, struct left *l)
{
	int r = is_too_large(file->arena_size) ? -EFBIG
					       : memory_arena(&l->memory, file->arena_size);

	if (r == 0)
		return state_load(file, l->memory.arena);
	file->error = -r;
	return STATE_UNREADABLE;
}

static bool find_in_file(struct daemon *d, struct left *ret)
{
	struct state *file = &d->takeover.file;
	enum state_result result;
	const char *why;

	*ret = (struct left){.source = TAKEOVER_FILE, .memory.arena_fd = -1};
	if (!d->takeover.path)
		return false;
	result = state_open(file, d->takeover.path);
	if (result == STATE_ABSENT)
		return false;
	if (result == STATE_GOOD)
		result = load(file, ret);
	if (result == STATE_GOOD) {
		why = read_arena(ret);
		if (!why) {
			ret->shift_ns = state_shift_ns(file, wall_now_ns(), clock_now_ns());
			return true;
		}
		/* of the same process, and it was said */
		if (d->takeover.refused && strcmp(d->takeover.refused, why) == 0)
			memory_unmap(&ret->memory);
		else
			refuse(d, ret, why);
	} else {
		refuse_file(d, file, result);
		memory_unmap(&ret->memory);
	}
	state_end(file, STATE_LEAVE_ASIDE);
	return false;
}

/* --- a table of it ------------------------------------------------------------------------------
 */

static int make_memory(struct daemon *d, struct ct_params *params)
{
	int r = memory_map(&d->memory, ct_arena_size(params), ct_index_size(params));

	params->index = d->memory.index;
	return r;
}

/* Where the table is to be: where it was, or in new memory. */
static int place(struct daemon *d, struct left *l, struct ct_params *params)
{
	int r;

	if (!ct_arena_suits(&l->facts, params))
		return make_memory(d, params);
	d->memory = l->memory;
	l->memory = (struct memory){.arena_fd = -1};
	r = memory_index(&d->memory, ct_index_size(params));
	params->index = d->memory.index;
	return r;
}

/* What all workers of the predecessor left, to be freed. NULL: there is no memory. */
static struct ct_thread **threads(const struct daemon *d)
{
	struct ct_thread **list = calloc(2 * d->nposts + 1, sizeof(struct ct_thread *));

	for (size_t i = 0; list && i < d->nposts; i++) {
		struct worker_memory *m = d->posts[i].seat.worker;

		list[2 * i] = m ? &m->thread : NULL;
		list[2 * i + 1] = m ? &m->control : NULL;
	}
	return list;
}

static int adopt(struct daemon *d, struct left *l, struct ct_params *params)
{
	_cleanup_free_ struct ct_thread **list = threads(d);
	struct ct_estate estate = {
		.arena = l->memory.arena,
		.threads = list,
		.nthreads = 2 * d->nposts,
		.now_ns = clock_now_ns(),
		.shift_ns = l->shift_ns,
		.rekey = l->source == TAKEOVER_FILE,
	};
	int r = list ? place(d, l, params) : -ENOMEM;

	if (r == 0)
		d->ct = ct_adopt(d->memory.arena, d->memory.arena_size, params, &estate,
				 &d->takeover.table);
	if (!d->ct) {
		oplog(&d->oplog, LOG_ERR, r < 0 ? -r : ENOMEM, MSGID_ARENA_REFUSED,
		      "The flows in %s cannot be taken over", source_text(l->source));
		memory_unmap(&d->memory);
		memory_unmap(&l->memory);
		return -1;
	}
	d->takeover.source = l->source;
	return 0;
}

static int make_new(struct daemon *d, struct ct_params *params)
{
	int r = make_memory(d, params);

	if (r < 0)
		return r;
	while (memory_settle(&d->memory, 0))
		;
	d->ct = ct_new(d->memory.arena, d->memory.arena_size, params);
	return d->ct ? 0 : -ENOMEM;
}

/* The store shall have this table, and no other. */
static void hand_over(struct daemon *d, bool stored)
{
	if (stored)
		return;
	(void)store_drop(&d->store, STORE_FLOWS, 0);
	(void)store_keep(&d->store, STORE_FLOWS, 0, d->memory.arena_fd);
}

int takeover_table(struct daemon *d, struct ct_params *params)
{
	struct left l;
	bool in_place = false;
	int r = -1;

	if (find_in_store(d, &l) || find_in_file(d, &l)) {
		in_place = l.source == TAKEOVER_STORE && ct_arena_suits(&l.facts, params);
		r = adopt(d, &l, params);
		memory_unmap(&l.memory);
	}
	if (r < 0)
		r = make_new(d, params);
	if (r < 0)
		return r;
	memory_attempt_done(&d->memory);
	memory_note(&d->memory, d->takeover.path ? d->takeover.path : "");
	hand_over(d, in_place && d->takeover.source == TAKEOVER_STORE);
	return 0;
}

/* --- what is told -------------------------------------------------------------------------------
 */

static void add_count(struct words *w, uint64_t n, const char *text)
{
	char number[STATUS_NUMBER_STRLEN];

	if (n > 0)
		words_add(w, "%s%s %s", w->len > 0 && w->buf[w->len - 1] != '(' ? ", " : "",
			  status_number(n, number), text);
}

char *takeover_line(const struct takeover *t, uint64_t now_ns,
		    char buf[static TAKEOVER_LINE_STRLEN])
{
	const struct ct_adopted *a = &t->table;
	char flows[STATUS_NUMBER_STRLEN];
	struct words w = {buf, TAKEOVER_LINE_STRLEN, 0};
	size_t bare;

	if (t->source == TAKEOVER_NOTHING)
		words_add(&w, "Took over no flows");
	else
		words_add(&w, "Took over %s flows from %s in %" PRIu64 " ms",
			  status_number(a->flows, flows), source_text(t->source),
			  (now_ns - t->began_ns) / NS_PER_MS);
	bare = w.len;
	words_add(&w, " (");
	add_count(&w, a->restored, "put back to before an unfinished packet");
	add_count(&w, t->relaxed, "with windows to be learned anew");
	add_count(&w, a->moved, "under another id");
	add_count(&w, a->unconfirmed, "unconfirmed given up");
	if (w.len == bare + 2)
		w.len = bare;
	words_add(&w, "%s", w.len > bare ? ")" : "");
	buf[w.len] = '\0';
	add_count(&w, a->expects, "expectations");
	add_count(&w, t->queues, t->queues == 1 ? "queue" : "queues");
	add_count(&w, t->inherited, "packets inherited");
	add_count(&w, t->resent, "verdicts sent again");
	add_count(&w, t->unread, t->unread == 1 ? "seat unread" : "seats unread");
	return buf;
}

char *takeover_losses(const struct takeover *t, char buf[static TAKEOVER_LINE_STRLEN])
{
	struct words w = {buf, TAKEOVER_LINE_STRLEN, 0};

	buf[0] = '\0';
	add_count(&w, t->table.damaged, "flows that contradicted themselves");
	add_count(&w, t->table.displaced, "flows for which MaxFlows= is too small now");
	add_count(&w, t->table.expects_lost, "expectations");
	return buf;
}

static void tell(const struct daemon *d)
{
	const struct takeover *t = &d->takeover;
	char line[TAKEOVER_LINE_STRLEN], flows[24], lost[24], inherited[24];
	uint64_t n = (uint64_t)t->table.damaged + t->table.displaced;

	snprintf(flows, sizeof(flows), "%" PRIu32, t->table.flows);
	snprintf(lost, sizeof(lost), "%" PRIu64, n);
	snprintf(inherited, sizeof(inherited), "%" PRIu64, t->inherited);
	oplog_with(&d->oplog, LOG_NOTICE, MSGID_ADOPTED,
		   (struct oplog_field[]){
			   {FIELD_FROM, source_name(t->source)},
			   {FIELD_FLOWS, flows},
			   {FIELD_INHERITED, inherited},
		   },
		   3, "%s", takeover_line(t, clock_now_ns(), line));
	if (*takeover_losses(t, line))
		oplog_with(&d->oplog, LOG_WARNING, MSGID_FLOWS_LOST,
			   (struct oplog_field[]){
				   {FIELD_FROM, source_name(t->source)},
				   {FIELD_FLOWS_LOST, lost},
			   },
			   2, "Not taken over: %s", line);
}

/* --- what may have passed meanwhile --------------------------------------------------------------
 */

/*
 * While a queue is bound packets wait in it. Between an end and a start that finds a file nothing
 * was bound, nor if what the store had was of no use.
 */
void takeover_bridge(struct daemon *d)
{
	struct takeover *t = &d->takeover;

	t->gap |= t->source == TAKEOVER_FILE || t->queues == 0;
	if (t->gap && t->source != TAKEOVER_NOTHING)
		t->relaxed = ct_relax(d->ct);
}

/* --- the end of a start, and of the process -----------------------------------------------------
 */

void takeover_set_file(struct daemon *d, const char *setting)
{
	_cleanup_free_ char *path = state_path(setting);
	int r = path ? state_writable(path) : 0;

	memory_note(&d->memory, path ? path : "");
	if (r < 0)
		oplog(&d->oplog, LOG_WARNING, -r, MSGID_STATE_ERROR,
		      "State file %s could not be written now, and a stop would lose the flows",
		      path);
}

void takeover_done(struct daemon *d)
{
	struct takeover *t = &d->takeover;
	int r = 0;

	if (t->source == TAKEOVER_STORE && t->path)
		r = state_discard(t->path);
	if (r < 0)
		oplog(&d->oplog, LOG_WARNING, -r, MSGID_STATE_ERROR,
		      "State file %s is out of date and cannot be removed", t->path);
	takeover_set_file(d, d->started.state_file);
	state_end(&t->file, t->source == TAKEOVER_FILE ? STATE_REMOVE : STATE_LEAVE_ASIDE);
	if (t->source != TAKEOVER_NOTHING || t->queues > 0)
		tell(d);
}

/* False: it could not be written, which was said. */
static bool write_state(const struct daemon *d, const struct memory *m, const char *path,
			uint64_t *ret_bytes)
{
	int r = state_write(path, m->arena, m->arena_size, ret_bytes);

	if (r < 0)
		oplog(&d->oplog, LOG_WARNING, -r, MSGID_STATE_ERROR,
		      "State file %s cannot be written", path);
	return r == 0;
}

void takeover_leave(struct daemon *d)
{
	_cleanup_free_ char *path = state_path(d->conf->conf.state_file);
	char flows[STATUS_NUMBER_STRLEN];
	uint64_t began_ns = clock_now_ns(), bytes = 0;

	if (!path)
		return;
	if (!write_state(d, &d->memory, path, &bytes))
		return;
	oplog(&d->oplog, LOG_INFO, 0, MSGID_STATE_WRITTEN,
	      "Wrote %s flows to state file %s, %" PRIu64 " bytes in %" PRIu64 " ms",
	      status_number(ct_count(d->ct), flows), path, bytes,
	      (clock_now_ns() - began_ns) / NS_PER_MS);
}

/* Where the file is the memory says: of the configuration nothing may be known. */
static void rescue(const struct daemon *d, const struct memory *m)
{
	char path[MEMORY_NOTE_MAX];
	uint64_t bytes = 0;

	memory_read_note(m, path);
	if (*path != '/' || access(path, F_OK) == 0)
		return;
	if (write_state(d, m, path, &bytes))
		oplog(&d->oplog, LOG_NOTICE, 0, MSGID_STATE_WRITTEN,
		      "Wrote the flows in the service manager's store to state file %s, "
		      "%" PRIu64 " bytes: the next start has to wait for somebody",
		      path, bytes);
}

void takeover_rescue(struct daemon *d)
{
	char strange[STORE_STRANGE_STRLEN];
	struct memory m;
	int fd;

	if (d->takeover.source == TAKEOVER_STORE)
		rescue(d, &d->memory);
	if (!d->store.items)
		(void)store_init(&d->store, strange);
	while ((fd = store_take(&d->store, STORE_FLOWS, 0)) >= 0) {
		if (memory_adopt(&m, fd) == 0)
			rescue(d, &m);
		memory_unmap(&m);
	}
}

void takeover_free(struct takeover *t)
{
	state_end(&t->file, STATE_PUT_BACK);
	free(TAKE_PTR(t->path));
}
