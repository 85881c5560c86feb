#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every fuzz target on every file of its corpus; works with the replayer and with libFuzzer.
. "${top_srcdir:?}/tests/check/tap.sh"

for source in "$top_srcdir"/tests/fuzz/fuzz_*.c; do
	target=${source##*/fuzz_}
	target=${target%.c}
	for input in "$top_srcdir/tests/fuzz/corpus/$target"/*; do
		name=$target/${input##*/}
		if [ ! -f "$input" ]; then
			not_ok "$target has a corpus" "no files in $input"
		elif out=$("$top_builddir/tests/fuzz/fuzz_$target" "$input" 2>&1); then
			ok "$name"
		else
			not_ok "$name" "$out"
		fi
	done
done
done_testing
