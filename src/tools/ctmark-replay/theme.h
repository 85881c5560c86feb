/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Colours and kinds of text of the pictures, each written once.
 *
 * A colour has a value for light and one for dark. It comes as two classes: s-NAME strokes with it,
 * f-NAME fills. Text that has it is readable on paper and panel (a contrast of 4.5:1, which a test
 * computes); a colour without TEXT is for lines only. Custom properties would be shorter, but not
 * every program that draws SVG knows them.
 */

#include <stdio.h>

#include "core/event.h"

enum theme_use { THEME_GROUND, THEME_LINE, THEME_TEXT };

/* Suffix, class, use, light, dark. Those of a ctinfo have its name. */
#define THEME_LIST(X)                                                                              \
	X(PAPER, "paper", GROUND, "#ffffff", "#0d1117")                                            \
	X(PANEL, "panel", GROUND, "#f6f8fa", "#161b22")                                            \
	X(FAINT, "faint", LINE, "#d1d9e0", "#3d444d")                                              \
	X(RULE, "rule", LINE, "#818b98", "#6e7681")                                                \
	X(INK, "ink", TEXT, "#1f2328", "#e6edf3")                                                  \
	X(MUTED, "muted", TEXT, "#59636e", "#9198a1")                                              \
	X(NEW, "NEW", TEXT, "#0969da", "#58a6ff")                                                  \
	X(ESTABLISHED, "ESTABLISHED", TEXT, "#116329", "#56d364")                                  \
	X(ESTABLISHED_REPLY, "ESTABLISHED_REPLY", TEXT, "#0e6c78", "#39c5cf")                      \
	X(RELATED, "RELATED", TEXT, "#8250df", "#bc8cff")                                          \
	X(RELATED_REPLY, "RELATED_REPLY", TEXT, "#a8307c", "#f778ba")                              \
	X(INVALID, "INVALID", TEXT, "#c21c2a", "#ff8077")                                          \
	X(UNTRACKED, "UNTRACKED", TEXT, "#7d4e00", "#d29922")

/*
 * Suffix, class, size in pixels, percent of that by which a character moves on (at most), style.
 * Where boxes have to be known in advance the letters are those of a typewriter.
 */
#define THEME_FONTS(X)                                                                             \
	X(TITLE, "tt", 17, 70, "font:600 17px sans-serif")                                         \
	X(CAPTION, "tc", 11, 70, "font:11px sans-serif")                                           \
	X(STRONG, "ts", 12, 62, "font:600 12px monospace")                                         \
	X(LABEL, "tl", 11, 62, "font:11px monospace")                                              \
	X(NOTE, "tn", 10, 62, "font:10px monospace")

/* Writes the rules of a <style>, for both schemes. */
void theme_style(FILE *f);

/* Writes the colours as custom properties (--NAME), for a page. */
void theme_properties(FILE *f);
