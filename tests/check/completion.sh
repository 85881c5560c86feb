#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The completions offer the options of ctmarkd --help, all of them and no others.
. "${top_srcdir:?}/tests/check/tap.sh"
need bash diff

work=$(mktemp -d "${TMPDIR:-/tmp}/completion.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

# the long options in a text, one per line
options()
{
	grep -oE -e '--[a-z][a-z-]+' | sort -u
}

# complete_bash WORD...: what bash offers for the last word
complete_bash()
{
	# shellcheck disable=SC2016 # for the inner shell
	bash -c '. "$1"
		shift
		COMP_WORDS=(ctmarkd "$@") COMP_CWORD=$#
		compopt() { :; }
		_ctmarkd
		printf "%s\n" "${COMPREPLY[@]}"' bash "$top_srcdir/completion/ctmarkd.bash" "$@" |
		sort -u
}

# same DESCRIPTION FILE, against standard input
same()
{
	verdict "$1" "$(diff "$2" -)"
}

"$top_builddir/ctmarkd" --help | options >"$work/help"
verdict "ctmarkd --help names options" "$([ -s "$work/help" ] || echo none)"
complete_bash -- | same "bash offers the options of --help" "$work/help"
options <"$top_srcdir/completion/_ctmarkd" | same "zsh offers the options of --help" "$work/help"

echo --shadow >"$work/want"
complete_bash --sh | same "bash completes an option" "$work/want"
cd "$work" || exit 1
touch my.conf
echo my.conf >want
complete_bash --config my | same "bash completes the file of --config FILE" want
complete_bash --config = my | same "bash completes the file of --config=FILE" want
done_testing
