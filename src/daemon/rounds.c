/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/rounds.h"

#include <string.h>

#include "core/siphash.h"

/* Headers and checksums are in here; two packets that differ further on are rare, and no matter. */
#define LOOK_MAX 256

/* Whoever wants a packet to be taken for another one can as well send the same twice: no secret. */
static uint64_t fingerprint(const struct ct_input *in)
{
	uint64_t words[2 + LOOK_MAX / sizeof(uint64_t)] = {};
	size_t len = in->caplen < LOOK_MAX ? in->caplen : LOOK_MAX;

	words[0] = (uint64_t)in->iif << 32 | in->oif;
	words[1] = (uint64_t)in->len << 32 | in->hook;
	/* cppcheck-suppress knownConditionTrueFalse ; it is not: packets may be empty */
	if (len > 0)
		memcpy(&words[2], in->data, len);
	return ct_siphash(&(struct ct_siphash_key){}, words,
			  2 + (len + sizeof(uint64_t) - 1) / sizeof(uint64_t));
}

static bool is_free(const struct round *e, uint64_t now_ns)
{
	return e->n == 0 || now_ns - e->last_ns > ROUNDS_WITHIN_NS;
}

/* The entry of the packet, or a free one for it. Returns NULL if there is none. */
static struct round *find(struct round set[static ROUNDS_WAYS], uint64_t print, uint64_t now_ns)
{
	struct round *room = NULL;

	for (unsigned int i = 0; i < ROUNDS_WAYS; i++) {
		if (is_free(&set[i], now_ns))
			room = &set[i];
		else if (set[i].print == print)
			return &set[i];
	}
	if (room)
		*room = (struct round){.print = print};
	return room;
}

bool rounds_allow(struct rounds *r, const struct ct_input *in)
{
	uint64_t print = fingerprint(in);
	struct round *e = find(r->sets[print % ROUNDS_SETS], print, in->now_ns);

	if (!e)
		return true;
	if (e->n == ROUNDS_MAX) {
		e->n = 0;
		return false;
	}
	e->n++;
	e->last_ns = in->now_ns;
	return true;
}
