/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a state and a bit of the status mean, a sentence each. Pure. */

#include <stdint.h>

/* "" for protocols and states that have none. */
const char *meaning_of_state(uint8_t l4proto, uint8_t state);

/* bit is a value of enum ct_status, or 0 for what a flow without SEEN_REPLY is. */
const char *meaning_of_status(uint16_t bit);
