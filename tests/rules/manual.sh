#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# ctmarkctl-rules(1) has each mistake with its severity and advice, as the program tells them.
. "${top_srcdir:?}/tests/check/tap.sh"
need diff

page=$top_srcdir/man/ctmarkctl-rules.1
work=$(mktemp "${TMPDIR:-/tmp}/manual.XXXXXX") || exit 1
trap 'rm -f "$work"' EXIT

"$top_builddir/tests/rules/checkrules" --manual >"$work"
verdict "there are mistakes" "$([ -s "$work" ] || echo none)"
verdict "the manual has them all" "$(sed -n '/the list of check_list.h$/,/end of the list$/p' "$page" |
	sed '1d;$d' | diff "$work" -)"
done_testing
