/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Payload as scripts write it: text with C escapes and placeholders in braces, "PORT
 * {A,},200,1\r\n".
 *
 * Scripts do not know their addresses, so what a payload says about them is filled in when the
 * packet is built. The placeholders are described in README.md.
 */

#include <stddef.h>
#include <stdint.h>

/*
 * Writes the bytes of a text to ret. Returns their number, or -EINVAL if the text is none, has no
 * form in this family, or is longer than cap.
 */
int flow_data_expand(const char *text, uint8_t family, uint16_t number, uint8_t *ret, size_t cap);
