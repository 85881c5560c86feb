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

# same DESCRIPTION WANT GOT
same()
{
	verdict "$1" "$(printf '%s\n' "$2" >"$work/want"; printf '%s\n' "$3" | diff "$work/want" -)"
}

help=$("$top_builddir/ctmarkd" --help | options)
verdict "ctmarkd --help names options" "$([ -n "$help" ] || echo none)"
same "bash offers the options of --help" "$help" "$(complete_bash --)"
same "zsh offers the options of --help" "$help" "$(options <"$top_srcdir/completion/_ctmarkd")"
same "bash completes an option" --shadow "$(complete_bash --sh)"

touch "$work/my.conf"
same "bash completes the file of --config FILE" "$work/my.conf" \
	"$(complete_bash --config "$work/m")"
same "bash completes the file of --config=FILE" "$work/my.conf" \
	"$(complete_bash --config = "$work/m")"
done_testing
