#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The size budget: lines per function and per file (CONTRIBUTING.md).
. "${top_srcdir:?}/tests/check/tap.sh"
need ctags
if ! ctags --version | grep -q Universal; then
	echo "1..0 # SKIP ctags is not universal-ctags"
	exit 0
fi

max_function=80 max_file=700 max_median=15 max_p90=45
# The window check is one procedure of the specification and reads best in one piece.
exempt=ct_tcp_window_check

# lines "length file function", shortest first
functions()
{
	(cd "$top_srcdir" && ctags -f - --languages=C --langmap=C:.c.h --kinds-C=f --fields=+ne \
		--sort=no -R "$1") |
		awk -F '\t' '{
			line = end = 0
			for (i = 4; i <= NF; i++) {
				if ($i ~ /^line:/) line = substr($i, 6)
				if ($i ~ /^end:/) end = substr($i, 5)
			}
			if (line && end) print end - line + 1, $2, $1
		}' | sort -n
}

# quantile PERCENT of the first column
quantile()
{
	awk -v p="$1" '{ v[NR] = $1 } END { if (NR) print v[int((NR - 1) * p / 100) + 1] }'
}

over()
{
	awk -v max="$1" -v exempt="$exempt" '$1 > max && $3 != exempt {
		printf "%s: %s() has %d lines, %d are allowed\n", $2, $3, $1, max }'
}

atmost()
{
	[ "${1:-none}" -le "$2" ] 2>/dev/null || echo "$1 lines, $2 are allowed"
}

for dir in src tests; do
	list=$(functions $dir)
	median=$(echo "$list" | quantile 50)
	p90=$(echo "$list" | quantile 90)
	echo "# $dir: $(echo "$list" | wc -l) functions, median $median, p90 $p90 lines"
	verdict "$dir: no function over $max_function lines" "$(echo "$list" | over $max_function)"
	verdict "$dir: median of functions at most $max_median" "$(atmost "$median" $max_median)"
	verdict "$dir: p90 of functions at most $max_p90" "$(atmost "$p90" $max_p90)"
done
verdict "no file over $max_file lines" "$(sources '*.[ch]' '*.py' '*.sh' | while read -r file; do
	lines=$(wc -l <"$top_srcdir/$file")
	[ "$lines" -le $max_file ] || echo "$file: $lines lines, $max_file are allowed"
done)"
done_testing
