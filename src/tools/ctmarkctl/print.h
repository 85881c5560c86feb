/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Text of a reply on stdout: what controls a terminal becomes '?'. */

/* As it is, lines and tabs included. */
void print_text(const char *text);
