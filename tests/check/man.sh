#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Manual pages are free of mandoc's warnings and refer to each other, and ctmarkctl(1) and
# ctmark-replay(1) tell of what --help tells of.
. "${top_srcdir:?}/tests/check/tap.sh"
need mandoc

work=$(mktemp -d "${TMPDIR:-/tmp}/man.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

for page in "$top_srcdir"/man/*.[1-8]; do
	[ -f "$page" ] || continue
	verdict "${page##*/}" "$(mandoc -T lint -W warning "$page" 2>&1)"
done

# named FILE, also FILE: pages of ours that it refers to, in its text and in SEE ALSO
named()
{
	sed '/^\.Sh SEE ALSO/,/^\.Sh [^S]/d' "$1" | grep -oE 'Xr ctmark[a-z.-]* [1-8]' | sort -u
}

also()
{
	sed -n '/^\.Sh SEE ALSO/,/^\.Sh [^S]/p' "$1" | grep -oE 'Xr ctmark[a-z.-]* [1-8]' | sort -u
}

# pages FILE...: the pages themselves, in the same form
pages()
{
	for page in "$@"; do
		name=${page##*/}
		echo "Xr ${name%.*} ${name##*.}"
	done | sort
}

for page in "$top_srcdir"/man/ctmark*.[1-8]; do
	verdict "${page##*/}: SEE ALSO has what the text refers to" "$(also "$page" >"$work/also"
		named "$page" | grep -vxF "$(pages "$page")" | comm -23 - "$work/also")"
	verdict "${page##*/}: SEE ALSO has pages that exist" "$(
		pages "$top_srcdir"/man/ctmark*.[1-8] | comm -13 - "$work/also")"
done
verdict "ctmarkd.8: SEE ALSO has all other pages" "$(also "$top_srcdir/man/ctmarkd.8" >"$work/also"
	pages "$top_srcdir"/man/ctmark*.[1-8] | grep -vx 'Xr ctmarkd 8' | comm -23 - "$work/also")"

ctmarkctl=$top_builddir/ctmarkctl
page=$top_srcdir/man/ctmarkctl.1

verbs()
{
	"$ctmarkctl" --help | sed -n '/^Verbs:$/,/^$/s/^  \([a-z-]*\) .*/\1/p' | sort
}

# "--name" of each option of any verb, and its other names
options()
{
	for verb in $(verbs); do
		"$ctmarkctl" "$verb" --help
	done | sed -nE 's/^  (-.,|   ) --([a-z0-9-]+).*/\2/p'
	sed -n '/^#define OPTION_ALIAS_LIST/,/^$/s/^[[:space:]]*X("\([a-z-]*\)".*/\1/p' \
		"$top_srcdir/src/tools/ctmarkctl/options.h"
}

# options that have an item in the manual, or in that of rules
documented()
{
	grep -h '^\.It Fl' "$page" "$top_srcdir/man/ctmarkctl-rules.1" | grep -oE 'Fl Fl [a-z0-9-]+' | sed 's/Fl Fl //'
}

# lines that only one of two lists has
differ()
{
	printf '%s\n' "$1" | sort -u >"$work/one"
	printf '%s\n' "$2" | sort -u | diff "$work/one" - | grep '^[<>]'
}

verdict "ctmarkctl has verbs" "$([ -n "$(verbs)" ] || echo none)"
verdict "ctmarkctl.1 has its verbs, and no others" "$(differ "$(verbs)" \
	"$(sed -n '/^\.Ss Verbs/,/^\.Ss F/s/^\.It Cm \([a-z-]*\).*/\1/p' "$page")")"
verdict "ctmarkctl.1 has its options, and no others" "$(differ "$(options)" "$(documented)")"
verdict "ctmarkctl.1 has its exit statuses" "$(differ \
	"$(sed -nE 's/^\tAPP_[A-Z_]+ = ([0-9]+),.*/\1/p' "$top_srcdir/src/tools/ctmarkctl/app.h")" \
	"$(sed -n '/^\.Sh EXIT STATUS/,/^\.Sh EX/s/^\.It \([0-9]*\)$/\1/p' "$page")")"

page=$top_srcdir/man/ctmark-replay.1
verdict "ctmark-replay.1 has its options, and no others" "$(differ \
	"$("$top_builddir/ctmark-replay" --help | sed -nE 's/^  (-.|  ),? +--([a-z0-9-]+).*/\2/p')" \
	"$(grep '^\.It Fl' "$page" | grep -oE 'Fl Fl [a-z0-9-]+' | sed 's/Fl Fl //')")"
verdict "ctmark-replay.1 has its letters, and no others" "$(differ \
	"$("$top_builddir/ctmark-replay" --help | sed -nE 's/^  -(.), --.*/\1/p')" \
	"$(grep '^\.It Fl' "$page" | sed -nE 's/^\.It Fl (.) ,.*/\1/p')")"
verdict "ctmark-replay.1 has its exit statuses" "$(differ \
	"$(sed -nE 's/^\tSTATUS_[A-Z_]+ = ([0-9]+),.*/\1/p' "$top_srcdir/src/tools/ctmark-replay/options.h")" \
	"$(sed -n '/^\.Sh EXIT STATUS/,/^\.Sh EX/s/^\.It \([0-9]*\)$/\1/p' "$page")")"
done_testing
