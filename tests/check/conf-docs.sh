#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The example file and ctmarkd.conf(5) name the keys of the table, all of them, with its defaults.
. "${top_srcdir:?}/tests/check/tap.sh"
need awk diff

table=$top_builddir/tests/unit/conf/conf_table
example=$top_srcdir/etc/ctmarkd.conf
manual=$top_srcdir/man/ctmarkd.conf.5
tab=$(printf '\t')

work=$(mktemp -d "${TMPDIR:-/tmp}/conf-docs.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

# Both documents as lines "section TAB key TAB default", in their own order.
from_example()
{
	awk -F = -v OFS='\t' '/^#?\[/ { gsub(/[][#]/, ""); section = $1 }
		/^#[A-Z][A-Za-z0-9]*=/ { print section, substr($1, 2), $2 }' "$example"
}

# .It Ic Key= ...            (with the lines after it)
# Default:                   Default: none.
# .Ql text .
from_manual()
{
	awk -v OFS='\t' '/^\.Ss \[/ { section = substr($0, 5); gsub(/[][]/, "", section) }
		/^\.It Ic [A-Za-z0-9]+= / { key = $3; sub(/=$/, "", key); next }
		/^Default: none\.$/ { print section, key, "" }
		was == "Default:" && /^\.Ql .* \.$/ {
			print section, key, substr($0, 5, length($0) - 6)
		}
		{ was = $0 }' "$manual"
}

# Items of the manual, whether or not a default follows.
items()
{
	grep -cE '^\.It Ic [A-Za-z0-9]+= ' "$manual"
}

# Zones have no defaults that would make one.
as_file()
{
	awk -F '\t' '$1 != "Zone NAME" { printf "[%s]\n%s=%s\n", $1, $2, $3 }' "$1"
}

keys()
{
	cut -f 1,2 "$1"
}

# same DESCRIPTION FILE FILE
same()
{
	verdict "$1" "$(diff "$2" "$3")"
}

if ! "$table" >"$work/table" || [ ! -s "$work/table" ]; then
	not_ok "the table" "$table does not print it"
	done_testing
	exit 0
fi
keys "$work/table" >"$work/keys"

for document in example manual; do
	"from_$document" >"$work/$document"
	keys "$work/$document" >"$work/$document.keys"
	as_file "$work/$document" >"$work/$document.conf"
	same "the $document has the keys of the table, in its order" "$work/keys" \
		"$work/$document.keys"
	verdict "the defaults of the $document are those of the table" \
		"$("$table" "$work/$document.conf" || [ $? = 1 ] || echo 'conf_table failed')"
done
same "example and manual write the defaults alike" "$work/example" "$work/manual"
verdict "every item of the manual has a default" \
	"$([ "$(items)" -eq "$(wc -l <"$work/manual")" ] || echo "$(items) items")"
verdict "the example sets nothing" "$(grep -nvE '^(#.*|\[[A-Za-z]+\])?$' "$example")"

# Keys that a reload does not change.
awk -F '\t' '$5 == "restart" { print $2 }' "$work/table" | sort >"$work/restart"
verdict "some keys need a restart" "$([ -s "$work/restart" ] || echo none)"
awk '/^\.It Ic [A-Za-z0-9]+= / { key = $3; sub(/=$/, "", key) }
	/^Needs a restart\.$/ { print key }' "$manual" | sort >"$work/manual.restart"
same "the manual says which keys need a restart" "$work/restart" "$work/manual.restart"
sed -n '/^# After a change/,/^$/p' "$example" | tr -d '#\n' | sed 's/.*(\(.*\) need .*/\1/' |
	grep -oE '[A-Za-z]+=' | tr -d = | sort >"$work/example.restart"
same "so does the example" "$work/restart" "$work/example.restart"

# Each help text of the table opens a comment of its section.
awk -v OFS='\t' '/^#?\[/ { gsub(/[][#]/, ""); section = $0; next }
	section && sub(/^# /, "") { print section, $0 }' "$example" | sort -u >"$work/comments"
cut -f 1,4 "$work/table" | sort -u >"$work/help"
verdict "the example explains keys in the words of the table" "$(comm -23 "$work/help" \
	"$work/comments" | tr "$tab" ' ')"
done_testing
