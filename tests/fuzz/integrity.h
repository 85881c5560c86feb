/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What holds in a table whenever nobody is at work on it, looked at from inside; shared by the fuzz
 * targets. What does not hold aborts, as FUZZ_CHECK() does.
 */

#include <stdint.h>

struct ct;

/*
 * Each slot is used or free, and counted as such. A flow makes sense, is in the chain of its hash
 * once, can be found there, and is on the wheel where its deadline will be noticed. Expectations
 * and keys have a master that is there. now_ns: of the last packet, or of the last ct_expire() that
 * came through.
 */
void fuzz_check_integrity(struct ct *ct, uint64_t now_ns);

/* And nothing is left in it: no flow, no timer, no expectation, no key. */
void fuzz_check_empty(struct ct *ct);
