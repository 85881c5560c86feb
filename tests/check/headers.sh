#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Each header compiles alone, and twice.
. "${top_srcdir:?}/tests/check/tap.sh"
CC=${CC:-cc}
need "${CC%% *}"

unit=$(mktemp "${TMPDIR:-/tmp}/headers.XXXXXX") || exit 1
trap 'rm -f "$unit"' EXIT

for header in $(sources '*.h'); do
	printf '#include "%s"\n#include "%s"\n' "$header" "$header" >"$unit"
	# shellcheck disable=SC2086 # CC may carry options
	verdict "$header" "$($CC -x c -fsyntax-only -Wall -Wextra -Werror -Wno-unused-parameter \
		-D_GNU_SOURCE -I "$top_srcdir" -I "$top_srcdir/src" -I "$top_builddir" \
		-I "$top_srcdir/${header%/*}" "$unit" 2>&1)"
done
done_testing
