#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every packet script is in scripts.mk, so that none is missing from a released archive.
. "${top_srcdir:?}/tests/check/tap.sh"

listed=$(sed -n 's|^[[:space:]]*tests/flows/\([^ ]*\).*|\1|p' "$top_srcdir/tests/flows/scripts.mk" | sort)
present=$(cd "$top_srcdir/tests/flows" && printf "%s\n" ./*.flow ./*.inc | sed 's|^\./||' | sort)
verdict "scripts.mk lists the scripts that are there" "$([ "$listed" = "$present" ] ||
	printf 'listed:\n%s\npresent:\n%s\n' "$listed" "$present")"
done_testing
