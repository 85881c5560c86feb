/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What each reason means: the rule that a packet has broken, what would have kept it, and why that
 * mostly happens. Pure.
 */

#include <stddef.h>

#include "core/event.h"

struct reason_text {
	const char *rule; /* its name */
	const char
		*sentence; /* what it says; {name}: the number of the reason that has this name */
	const char *accepted; /* what it lets through; "": told by others, from the flow */
	const char *cause;    /* in practice */
};

/* Never NULL; empty texts outside the set. */
const struct reason_text *reason_text_of(enum ct_reason reason);

#define REASON_SENTENCE_MAX 512

/* Writes a text with its placeholders filled in to buf, which is returned. */
const char *reason_fill(const char *text, enum ct_reason reason, uint8_t l4proto,
			const uint32_t detail[static CT_DETAIL_MAX],
			char buf[static REASON_SENTENCE_MAX]);

/* Index of the number with that name among those of a reason, CT_DETAIL_MAX: it has none. */
unsigned int reason_number(enum ct_reason reason, const char *name, size_t len);
