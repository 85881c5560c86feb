#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Manual pages are free of mandoc's warnings.
. "${top_srcdir:?}/tests/check/tap.sh"
need mandoc

for page in "$top_srcdir"/man/*.[1-8]; do
	[ -f "$page" ] || continue
	verdict "${page##*/}" "$(mandoc -T lint -W warning "$page" 2>&1)"
done
done_testing
