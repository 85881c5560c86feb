#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the documents name exists: files of src/README.md, configuration keys, what
# can be called. Links: documents.sh.
. "${top_srcdir:?}/tests/check/tap.sh"

# `dir/file.c` in src/README.md
named()
{
	grep -oE '`([a-z-]+/)+[a-z0-9_]+\.[ch]`' "$top_srcdir/src/README.md" | tr -d '`' | sort -u
}

verdict "src/README.md names files that exist" "$(named | while read -r file; do
	[ -f "$top_srcdir/src/$file" ] || echo "$file"
done)"
verdict "src/README.md leaves out no file" "$(cd "$top_srcdir/src" || exit
	# texts.c is made, here if one builds here
	find . -name '*.c' ! -name texts.c | sed 's,^\./,,' | sort | while read -r file; do
		named | grep -qx "$file" || echo "$file"
	done)"

verdict "make installs every document" "$(cd "$top_srcdir" || exit
	find doc -type f | while read -r file; do
		grep -qF "$file" Makefile.am || echo "$file"
	done)"

# names KIND: methods or errors of the control service
names()
{
	sed -n "s/^$1 \([A-Za-z]*\) *(.*/\1/p" "$top_srcdir/src/ctl/io.ctmark.Manager.varlink" | sort
}

# table HEADING: names in the first column of a table of doc/control.md
table()
{
	sed -n "/^## $1\$/,/^## /s/^| \`\([A-Za-z]*\)\` |.*/\1/p" "$top_srcdir/doc/control.md" | sort
}

# same_names KIND HEADING
same_names()
{
	names "$1" >"$work/interface"
	verdict "doc/control.md has the $1s of the interface" \
		"$([ -s "$work/interface" ] || echo none; table "$2" | diff "$work/interface" -)"
}

work=$(mktemp -d "${TMPDIR:-/tmp}/docs.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
same_names method Methods
same_names error Errors

# Key= as the manuals and the README write it, against the example file, which has every key
keys()
{
	sed -nE 's/^#?([A-Z][A-Za-z0-9]+)=.*/\1/p' "$top_srcdir/etc/ctmarkd.conf"
}

# for users, without those that have much to say of other people's keys
documents()
{
	cd "$top_srcdir" || exit
	for doc in README.md SECURITY.md doc/*.md doc/howto/*.md man/ctmarkd.8 man/ctmarkctl.1 \
		man/ctmarkctl-rules.1 man/ctmarkd.journal-fields.7 man/ctmarkd.metrics.7; do
		case $doc in doc/reliability.md | doc/conntrack-semantics.md | doc/howto/sizing.md) continue ;; esac
		[ ! -f "$doc" ] || echo "$doc"
	done
}

for doc in $(documents); do
	verdict "$doc names keys that exist" "$(grep -oE '(\.Ic |`|\(|, |\[[A-Z][a-z]+\] )[A-Z][A-Za-z0-9]+=' \
		"$top_srcdir/$doc" | grep -oE '[A-Za-z0-9]+=' | tr -d = | sort -u | while read -r key; do
		keys | grep -qx "$key" || echo "$key="
	done)"
done
done_testing
