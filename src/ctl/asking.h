/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Questions to the main thread, no more than it can answer beside its own work.
 *
 * Whoever may connect may ask as often as he likes, and each answer takes the main thread some
 * time. So questions go to it in batches, one at a time, and behind each it is left alone for nine
 * times as long as it took for that: all clients together get a tenth of its time. Of those that
 * are left behind by a client that is gone, only changes are asked for.
 */

struct ctl_asking;
struct ctl_letter;
struct ctl_server;

/* Where a batch takes long, it is left alone for so long at most. */
#define CTL_ASKING_PAUSE_MAX_NS UINT64_C(100000000)

/* The server has its loop and its mailbox by then. Returns 0 or -errno. */
int ctl_asking_new(struct ctl_asking **ret, struct ctl_server *server);

/* What was not sent by then is not asked. NULL is fine. */
struct ctl_asking *ctl_asking_free(struct ctl_asking *a);

/* Asks, now or soon; the letter is its own from here on. */
void ctl_asking_put(struct ctl_asking *a, struct ctl_letter *l);

/* A letter has come back, which stays the caller's. */
void ctl_asking_answered(struct ctl_asking *a, const struct ctl_letter *l);
