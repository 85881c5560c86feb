#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The completions offer the options of --help, all of them and no others, in real shells.
. "${top_srcdir:?}/tests/check/tap.sh"
need bash diff zsh timeout

work=$(mktemp -d "${TMPDIR:-/tmp}/completion.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

# the long options in a text, one per line
options()
{
	grep -oE -e '--[a-z][a-z0-9-]+' | sort -u
}

# complete_bash WORD...: what bash offers for the last word of a line of $program
complete_bash()
{
	# shellcheck disable=SC2016 # for the inner shell
	PATH=$top_builddir:$PATH bash -c '. "$1"
		shift
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		compopt() { :; }
		"_${1//-/_}"
		printf "%s\n" "${COMPREPLY[@]}"' bash "$top_srcdir/completion/$program.bash" \
		"$program" "$@" | sort -u
}

# zsh_becomes LINE WANT: LINE and a tab give WANT in a zsh with its completions
zsh_becomes()
{
	# shellcheck disable=SC2016 # for the inner shell
	said=$(TERM=dumb PATH=$top_builddir:$PATH timeout 30 zsh -f -c '
		zmodload zsh/zpty
		zpty z zsh -f -i
		zpty -w z "PS1= ; fpath=($1 \$fpath); autoload -Uz compinit; compinit -D -u; print RE\"\"ADY"
		zpty -r z said "*READY*"
		zpty -w -n z "$2"$'"'\\t'"'
		zpty -r z said "*$3*"' zsh "$top_srcdir/completion" "$1" "$2" 2>&1) || said=${said:-not that}
	verdict "zsh: $1<TAB>" "$said"
}

# same DESCRIPTION WANT GOT
same()
{
	verdict "$1" "$(printf '%s\n' "$2" >"$work/want"; printf '%s\n' "$3" | diff "$work/want" -)"
}

program=ctmarkd
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
zsh_becomes 'ctmarkd --sh' 'ctmarkd --shadow'

# ---- ctmarkctl: a line for each verb ----

program=ctmarkctl
ctmarkctl=$top_builddir/ctmarkctl
verbs=$("$ctmarkctl" --help | sed -n '/^Verbs:$/,/^$/s/^  \([a-z-]*\) .*/\1/p' | sort)
verdict "ctmarkctl --help names verbs" "$([ -n "$verbs" ] || echo none)"
same "bash offers the verbs of ctmarkctl" "$verbs" "$(complete_bash '')"
same "bash offers the options of ctmarkctl" "$("$ctmarkctl" --help | grep -E '^  (-.,|   ) --' | options)" "$(complete_bash --)"
for verb in $verbs; do
	# the help names another verb's options in running text only
	help=$("$ctmarkctl" "$verb" --help | grep -E '^  .* --' | options)
	same "bash offers the options of ctmarkctl $verb" "$help" "$(complete_bash "$verb" --)"
done

same "bash completes a protocol" "tcp" "$(complete_bash list -p t)"
same "bash completes a word of a list" "SYN_SENT,ESTABLISHED" \
	"$(complete_bash list --state SYN_SENT,EST)"
same "bash completes what the help names" "$(printf 'ipv4\nipv6')" "$(complete_bash list -f ip)"
same "bash completes the value of --color=" "never" "$(complete_bash --color = n)"
same "bash completes the file of --socket" "$work/my.conf" "$(complete_bash --socket "$work/m")"
same "bash completes a level" "debug" "$(complete_bash log-level d)"

# names of closed sets, as the program that has them says them: X(NAME, ...) of a list
names()
{
	sed -n "/^#define $1(X)/,/^\$/s/^[[:space:]]*X(\([A-Z_0-9]*\), $2.*/\1/p" \
		"$top_srcdir/src/core/reasons.h" | sort -u
}

texts()
{
	sed -n "/^#define $1(X)/,/^\$/s/^[[:space:]]*X([A-Z_0-9]*, \"\([a-z]*\)\".*/\1/p" \
		"$top_srcdir/src/core/reasons.h" | sort -u
}

same "bash offers all states" "$( (names CT_TCP_STATE_LIST '[0-9]'; names CT_SCTP_STATE_LIST '[0-9]') |
	sort -u)" "$(complete_bash list --state '')"
same "bash offers all bits of the status" "$( (names CT_STATUS_LIST '[0-9]'; echo UNREPLIED) | sort)" \
	"$(complete_bash list --status '')"
same "bash offers all classes" "$(texts CT_EVENT_LIST)" "$(complete_bash events --classes '')"
same "bash offers all protocols" \
	"$(sed -n 's/^[[:space:]]*X(IPPROTO_[A-Z0-9]*, "\([a-z0-9]*\)").*/\1/p' \
		"$top_srcdir/src/util/protocols.h" | sort)" "$(complete_bash list -p '')"
same "bash offers all helpers" "$(texts CT_HELPER_LIST)" "$(complete_bash list --helper '')"

# both shells know the same words
words()
{
	awk -v kind="$2)" '$1 == kind { on = 1 } on { print } /;;/ { on = 0 }' \
		"$top_srcdir/completion/$1" | grep -oE '[A-Za-z0-9_]+' | grep -vxE "$2|echo|words" | sort
}

for kind in PROTOCOL STATE STATUS CLASS HELPER LAYOUT LEVEL; do
	same "zsh has the words of bash for $kind" "$(words ctmarkctl.bash $kind)" \
		"$(words _ctmarkctl $kind)"
done
zsh_becomes 'ctmarkctl li' 'ctmarkctl list'
zsh_becomes 'ctmarkctl list --reply-s' 'ctmarkctl list --reply-src'
zsh_becomes 'ctmarkctl list --state EST' 'ctmarkctl list --state ESTABLISHED'
zsh_becomes 'ctmarkctl top --bat' 'ctmarkctl top --batch'
zsh_becomes 'ctmarkctl --color=ne' 'ctmarkctl --color=never'
zsh_becomes 'ctmarkctl log-level no' 'ctmarkctl log-level notice'

# ---- ctmark-replay ----

program=ctmark-replay
help=$("$top_builddir/ctmark-replay" --help | grep -E '^  (-.,|   ) --' | options)
verdict "ctmark-replay --help names options" "$([ -n "$help" ] || echo none)"
same "bash offers the options of ctmark-replay" "$help" "$(complete_bash --)"
same "bash offers all classes of packets" "$(sed -n \
	'/^#define CHOICE_CLASS_LIST(X)/,/^$/s/^[[:space:]]*X("\([A-Z_]*\)".*/\1/p' \
	"$top_srcdir/src/tools/ctmark-replay/choice.h" | sort)" "$(complete_bash --only '')"
same "bash completes a class in a list" "NEW,INVALID" "$(complete_bash --only NEW,INV)"
same "bash offers all helpers to replay" "$( (echo none; texts CT_HELPER_LIST) | sort)" \
	"$(complete_bash --helpers '')"
same "bash completes a way to show times" "utc" "$(complete_bash -t u)"
same "bash completes a capture" "$work/my.conf" "$(complete_bash "$work/m")"
same "bash completes the file of --html=FILE" "$work/my.conf" "$(complete_bash --html = "$work/m")"
for kind in CLASS HELPERS; do
	same "zsh has the words of bash for $kind of ctmark-replay" \
		"$(words ctmark-replay.bash $kind)" "$(words _ctmark-replay $kind)"
done
zsh_becomes 'ctmark-replay --sum' 'ctmark-replay --summary'
zsh_becomes 'ctmark-replay --time=ep' 'ctmark-replay --time=epoch'
zsh_becomes 'ctmark-replay --only UNT' 'ctmark-replay --only UNTRACKED'
done_testing
