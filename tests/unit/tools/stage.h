/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Captures that a test makes, packet by packet, and what --explain says of them. */

#include <jansson.h>

#include "core/core.h"
#include "tools/ctmark-replay/sinks.h"

struct stage {
	int fd; /* of the capture: raw IP packets */
	struct ct_config cfg;
	uint32_t max_flows, max_fragments;
	bool once;  /* the capture cannot be read again */
	bool plain; /* records come without views */
	uint64_t time_ns;
	uint64_t n;	      /* packets so far */
	unsigned int replays; /* so far */
};

/* Begins an empty capture, with the configuration of ctmarkd's defaults. */
void stage_init(struct stage *s);
void stage_done(struct stage *s);

/* Forgets all packets behind the first n. */
void stage_cut(struct stage *s, uint64_t n);

/* Adds a packet, of which caplen bytes were captured. Returns its number. */
uint64_t stage_add(struct stage *s, const uint8_t *data, uint32_t caplen, uint32_t len);

/* Replays it to a sink. Returns as replay_run(). */
int stage_run(struct stage *s, struct sink *sink);

/* Explains a packet. The text is to be freed; NULL: there is none, and *ret_error is why. */
char *stage_explain(struct stage *s, uint64_t number, bool json, int *ret_error);

/* The same as an object; fails the test if there is none. */
json_t *stage_object(struct stage *s, uint64_t number);

/* Numbers and words of it, by a path like "accepted.seq_max"; fail the test if they are missing. */
json_int_t stage_number(const json_t *object, const char *path);
const char *stage_word(const json_t *object, const char *path);
