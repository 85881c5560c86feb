#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# ctmarkd.journal-fields(7) has every field, class of records and reason that the code has, and no
# other.
. "${top_srcdir:?}/tests/check/tap.sh"
CC=${CC:-cc}
need "${CC%% *}"

page=$top_srcdir/man/ctmarkd.journal-fields.7
work=$(mktemp -d "${TMPDIR:-/tmp}/fields.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

# expand HEADER LIST PARAMETERS WANTED: one line for each X() of a list, without quotes
expand()
{
	# shellcheck disable=SC2086 # CC may carry options
	printf '#include "%s"\n#define X(%s) :item %s :end\n%s(X)\n' "$1" "$3" "$4" "$2" |
		$CC -E -P -I "$top_srcdir/src" - | tr '\n' ' ' |
		grep -o ':item [^:]* :end' | sed 's/^:item //; s/ :end$//; s/"//g'
}

# items MACRO FROM TO: the tags of the list between two headings
items()
{
	sed -n "/^\\.S[hs] $2\$/,/^\\.S[hs] $3\$/s/^\\.It $1 //p" "$page"
}

# same WHAT: the files code and manual hold the same lines
same()
{
	sort "$work/code" >"$work/a"
	sort "$work/manual" >"$work/b"
	verdict "$1" "$([ -s "$work/a" ] || echo 'nothing found in the code'
		diff "$work/a" "$work/b" | sed -n 's/^</only in the code:/p; s/^>/only in the manual:/p')"
}

expand log/fields.h FIELD_LIST 'name, journal' journal >"$work/code"
items Va FIELDS EVENTS >"$work/manual"
same "fields"

# Transitions have the names of the engine, the other records those of their message ids.
expand core/reasons.h CT_EVENT_LIST 'name, str' str >"$work/code"
expand log/msgid.h MSGID_LIST 'name, str, id' str | grep -vE '^(flow|packet)-' >>"$work/code"
items Cm EVENTS REASONS >"$work/manual"
same "classes of records"

expand log/msgid.h MSGID_LIST 'name, str, id' id >"$work/code"
sed -n '/^\.Sh EVENTS$/,/^\.Sh REASONS$/s/^\.Pq Ql //p' "$page" >"$work/manual"
same "message ids"

expand core/reasons.h CT_REASON_LIST 'name, code, text, detail' code | grep -vx none >"$work/code"
items Cm 'Why a packet is INVALID' 'How a flow ended' >"$work/manual"
same "reasons of INVALID"

expand core/reasons.h CT_DEATH_LIST 'name, code, text' code | grep -vx none >"$work/code"
items Cm 'How a flow ended' EXAMPLES >"$work/manual"
same "ends of flows"

# "code name name": each reason with its numbers
expand core/reasons.h CT_REASON_LIST 'name, code, text, detail' 'code detail' | tr ',' ' ' |
	sed 's/ *$//' | grep -vx none >"$work/code"
sed -n '/^\.Ss Why a packet/,/^\.El$/p' "$page" | awk '
	/^\.It Cm / { if (line) print line; line = $3; numbers = 0 }
	/^Numbers:/ { numbers = 1 }
	numbers && /^\.Va / { line = line " " $2 }
	END { print line }' >"$work/manual"
same "numbers of each reason"

expand core/reasons.h CT_TCP_STATE_LIST 'name, value' name >"$work/code"
expand core/reasons.h CT_STATUS_LIST 'name, bit' name >>"$work/code"
expand core/reasons.h CT_INFO_LIST 'name, value, str, class' str >>"$work/code"
sort -u "$work/code" | while read -r word; do
	sed -n '/^\.Sh FIELDS$/,/^\.Sh EVENTS$/p' "$page" | grep -qw "$word" || echo "$word"
done >"$work/missing"
verdict "words of states, status and ctinfo" "$(cat "$work/missing")"
done_testing
