#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every file names its licence, and none names what does not belong into a tree.
. "${top_srcdir:?}/tests/check/tap.sh"

# Everything that is written by hand; seeds of the fuzzers are packets, not text, what a program has to
# say or to draw is compared as a whole, and some files of a package have no place for a comment.
files()
{
	(
		cd "$top_srcdir" || exit
		for entry in src tests man systemd etc doc completion debian examples packaging; do
			[ -d "$entry" ] && find "$entry" -type f
		done
		for entry in *.md Makefile.am configure.ac bootstrap .clang-* .editorconfig .shellcheckrc; do
			[ -f "$entry" ] && echo "$entry"
		done
	) | grep -vE '^tests/fuzz/corpus/|^examples/captures/.*\.svg$|\.(pcap|expected|pyc|o|lo|a|la|log|trs|gcno|gcda)$|/\.(libs|deps)/|\.dirstamp$|__pycache__' |
		grep -vE '^debian/(changelog|copyright|source/format|.*README\.Debian)$' | sort
}

# With an empty bracket the patterns do not find themselves.
words='T[O]DO|F[I]XME|X[X]X|H[A]CK|[n]ot implemented|[l]orem ipsum'
paths='(^|[^A-Za-z0-9_.$}-])/(home|root|work|Users|mnt)/|/tmp/(w-|hub|common)'

list=$(files)
verdict "every file has an SPDX line at its top" "$(echo "$list" | while read -r file; do
	head -n 3 "$top_srcdir/$file" | grep -q 'SPDX-License-Identifier: GPL-2\.0-or-later' ||
		echo "$file"
done)"
verdict "no leftovers" "$(cd "$top_srcdir" && echo "$list" | xargs grep -nIwE "$words")"
verdict "no paths of one machine" "$(cd "$top_srcdir" && echo "$list" | xargs grep -nIE "$paths")"
verdict "no spaces at line ends" "$(cd "$top_srcdir" && echo "$list" | xargs grep -nIE '[[:blank:]]+$')"
verdict "the licence text is there" "$([ -s "$top_srcdir/COPYING" ] || echo 'COPYING is missing')"
done_testing
