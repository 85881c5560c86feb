#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Prometheus takes the metrics as they are, and ctmarkd.metrics(7) has all of them and no other.
. "${top_srcdir:?}/tests/check/tap.sh"
need promtool

page=$top_srcdir/man/ctmarkd.metrics.7
work=$(mktemp -d "${TMPDIR:-/tmp}/metrics.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

if ! "$top_builddir/tests/unit/ctl/metrics_text" >"$work/text" || [ ! -s "$work/text" ]; then
	not_ok "the metrics" "metrics_text does not print them"
	done_testing
	exit 0
fi
verdict "promtool check metrics" "$(promtool check metrics <"$work/text" 2>&1 || echo "exit $?")"

# lines "name type label label..."
awk '/^# TYPE/ { type[$3] = $4 }
	/^[a-z]/ { name = $1; sub(/\{.*/, "", name)
		line = $1; sub(/^[^{]*/, "", line); gsub(/="[^"]*"/, "", line); gsub(/[{},]/, " ", line)
		labels[name] = line }
	END { for (name in type) print name, type[name], labels[name] }' "$work/text" |
	sed 's/  */ /g; s/ $//' | sort -u >"$work/code"

# .It Va NAME, then "Gauge." or "Counter, with" and the labels up to one with a full stop
awk '/^\.Sh METRICS$/ { on = 1 } /^\.Sh COLLECTING$/ { on = 0 }
	on && /^\.It Va / { name = $3; getline; type = tolower($1); sub(/[.,]$/, "", type)
		line = name " " type
		if ($2 == "with")
			do {
				getline
				if ($1 == ".Va") line = line " " $2
			} while ($3 != ".")
		print line }' "$page" | sort >"$work/manual"
verdict "the manual has the metrics with their types and labels" \
	"$(diff "$work/code" "$work/manual" | sed -n 's/^</only in the code:/p; s/^>/only in the manual:/p')"
verdict "no metric comes twice in the manual" "$(cut -d ' ' -f 1 "$work/manual" | uniq -d)"

# What the unit writes without a daemon is what the daemon would write, but for the value.
verdict "ctmarkd-metrics.service describes ctmarkd_up in the same words" "$(
	grep -E '^# (HELP|TYPE) ctmarkd_up ' "$work/text" | while read -r line; do
		grep -qF "$line\\n" "$top_srcdir/systemd/ctmarkd-metrics.service.in" || echo "$line"
	done)"

# names FILE: what it says of ours
names()
{
	grep -oE 'ctmarkd_[a-z0-9_]+' "$1" | sort -u
}

cut -d ' ' -f 1 "$work/code" >"$work/known"
for file in man/ctmarkd.metrics.7; do
	verdict "$file names metrics that exist" \
		"$(names "$top_srcdir/$file" | comm -23 - "$work/known")"
done
done_testing
