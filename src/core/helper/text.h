/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Reading text of which nothing is known: a cursor that cannot leave its bytes.
 *
 * Every function that reads moves the cursor behind what it read, or leaves it where it is and
 * returns false; outputs are written on success only. Letters are compared without regard to case
 * unless it says so; nothing depends on a terminating zero, and a zero byte is a byte like others.
 * Each call costs time linear in what it passes over.
 */

#include <stdbool.h>

#include "core/cursor.h"
#include "core/tuple.h"

struct ct_text {
	const uint8_t *p, *end;
};

/* The readable ones of these bytes, from offset off on. */
struct ct_text ct_text_of(struct ct_bytes v, uint32_t off);

static inline size_t ct_text_left(struct ct_text t)
{
	return (size_t)(t.end - t.p);
}

/* Is this byte 0 to 9? */
static inline bool ct_text_is_digit(uint8_t byte)
{
	return byte >= '0' && byte <= '9';
}

/* The next byte without passing it, -1 at the end. */
int ct_text_peek(struct ct_text t);

bool ct_text_word(struct ct_text *t, const char *word);	      /* exactly this next */
bool ct_text_word_exact(struct ct_text *t, const char *word); /* in this case, too */
/* Are the bytes that are left the beginning of this word, or all of it? */
bool ct_text_is_part(struct ct_text t, const char *word);

bool ct_text_byte(struct ct_text *t, uint8_t byte);	      /* this byte next */
bool ct_text_find(struct ct_text *t, const char *word);	      /* to behind its next occurrence */
bool ct_text_find_exact(struct ct_text *t, const char *word); /* the same, in this case */
bool ct_text_to(struct ct_text *t, uint8_t byte);	      /* to behind the next such byte */
void ct_text_skip(struct ct_text *t, const char *bytes);      /* over any of these */

/* A decimal number of at least one digit; false if it exceeds max. */
bool ct_text_number(struct ct_text *t, uint32_t max, uint32_t *ret);

/* The decimal digits that are next as a number modulo 2^32; 0 if there are none. */
uint32_t ct_text_digits(struct ct_text *t);

/*
 * An address in the usual notation of that family (dotted decimal; RFC 4291 2.2 for IPv6), as
 * long as it goes: it ends before the first byte that cannot belong to one. False if what is there
 * by then is not a whole address ("10.0.0", "10.0.0.1.", "1::2:").
 */
bool ct_text_addr(struct ct_text *t, uint8_t family, union ct_addr *ret);
