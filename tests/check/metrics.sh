#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Prometheus takes the metrics as they are, ctmarkd.metrics(7) has all of them and no other, and what
# is made from them for Prometheus and Grafana works.
. "${top_srcdir:?}/tests/check/tap.sh"
need promtool python3

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

# expressions: those of the dashboard, one per line, with a time for each of Grafana's variables
expressions()
{
	"$python" - "$top_srcdir/examples/grafana-dashboard.json" <<-'END'
	import json, sys

	def find(value):
	    if isinstance(value, dict):
	        if isinstance(value.get("expr"), str):
	            print(value["expr"].replace("$__rate_interval", "1m").replace("$__range", "1h"))
	        value = list(value.values())
	    if isinstance(value, list):
	        for item in value:
	            find(item)

	find(json.load(open(sys.argv[1], encoding="utf-8")))
	END
}

# A rule for each expression, so that promtool reads them.
python=$(command -v python3) || python=/usr/bin/python3
expressions >"$work/expressions" 2>"$work/why"
verdict "the dashboard is JSON" "$(cat "$work/why"
	[ -s "$work/expressions" ] || echo 'no expression in it')"
{
	printf 'groups:\n  - name: dashboard\n    rules:\n'
	awk '{ printf "      - record: n:%d\n        expr: %s\n", NR, $0 }' "$work/expressions"
} >"$work/rules.yml"
verdict "the dashboard's expressions can be evaluated" \
	"$(promtool check rules "$work/rules.yml" >"$work/said" 2>&1 || cat "$work/said")"

alerts=$top_srcdir/examples/prometheus-alerts.yml
verdict "promtool check rules" "$(promtool check rules --lint=all --lint-fatal "$alerts" \
	>"$work/said" 2>&1 || cat "$work/said")"
verdict "promtool test rules" "$(promtool test rules "$top_srcdir/tests/check/alerts.yml" \
	>"$work/said" 2>&1 || cat "$work/said")"
verdict "each alert is tested" "$(sed -n 's/^ *- alert: //p' "$alerts" | while read -r alert; do
	grep -qw "$alert" "$top_srcdir/tests/check/alerts.yml" || echo "$alert"
done)"

cut -d ' ' -f 1 "$work/code" >"$work/known"
for file in man/ctmarkd.metrics.7 examples/grafana-dashboard.json examples/prometheus-alerts.yml \
	tests/check/alerts.yml; do
	verdict "$file names metrics that exist" \
		"$(names "$top_srcdir/$file" | comm -23 - "$work/known")"
done
done_testing
