#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every C file is as clang-format with the committed .clang-format leaves it.
. "${top_srcdir:?}/tests/check/tap.sh"
need clang-format

for file in $(sources '*.[ch]'); do
	verdict "$file" "$(cd "$top_srcdir" && clang-format --style=file --dry-run -Werror "$file" 2>&1 |
		grep -E '^[^ ].*: (error|warning)')"
done
done_testing
