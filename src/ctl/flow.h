/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Flows, transitions and expectations as the interface shows them; values are the journal's. */

#include <stdint.h>
#include <time.h>

#include "core/core.h"
#include "core/history.h"
#include "core/view.h"
#include "ctl/writer.h"

/* A flow as an event about it would show it; nothing of a packet is filled in. */
void ctl_event_of_view(const struct ct_view *v, bool accounted, struct ct_event *ret);

/* What happened to it once, as the event that was then. */
void ctl_event_of_step(const struct ct_view *v, const struct ct_history_step *step,
		       struct ct_event *ret);

/* type Flow, as an object; key is NULL in an array. */
void ctl_put_flow(struct ctl_writer *w, const char *key, const struct ct_view *v);

/*
 * type Event and type Step, in an array. wall_ns is what has to be added to times of the engine to
 * make them wall clock. iif and oif are names, or NULL.
 */
void ctl_put_event(struct ctl_writer *w, const struct ct_event *ev, uint64_t wall_ns,
		   const char *iif, const char *oif);
void ctl_put_step(struct ctl_writer *w, const struct ct_event *ev, uint64_t wall_ns);

/* type Expectation, in an array. */
void ctl_put_expectation(struct ctl_writer *w, const struct ct_view_expect *x);

/* Wall clock minus the engine's, now. */
uint64_t ctl_wall_ns(void);

/* Text of an address, or network if prefix is less than all of its bits. */
#define CTL_ADDR_STRLEN 64
const char *ctl_addr(uint8_t family, const union ct_addr *addr, unsigned int prefix,
		     char buf[static CTL_ADDR_STRLEN]);
