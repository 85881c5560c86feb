/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Text from outside, made plain before it goes into a record or a line. Pure.
 *
 * The kernel takes nearly any bytes for the name of an interface. In a terminal they could act, on
 * the console break the line or look like other fields, and the journal shows a value that is not
 * UTF-8 as a blob.
 */

/*
 * For text: what is not well-formed UTF-8, and characters that control (also the C1 set, separators
 * of lines and reversals of direction), become instead, byte by byte.
 */
void plain_text(char *text, char instead);

/*
 * For names of up to PLAIN_NAME_MAX bytes: bytes that are not visible ASCII, quotes and backslashes
 * become \xNN in buf, which is returned. Different names stay different.
 */
#define PLAIN_NAME_MAX	  15
#define PLAIN_NAME_STRLEN (4 * PLAIN_NAME_MAX + 1)
const char *plain_name(const char *name, char buf[static PLAIN_NAME_STRLEN]);
