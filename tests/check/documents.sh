#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The documents: their links, the notes at their examples, and the examples that need no root.
. "${top_srcdir:?}/tests/check/tap.sh"
need python3

# document VERB [BUILD]
document()
{
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$top_srcdir/tests python3 -m lab.document "$@" 2>&1
}

verdict "every link and every anchor leads somewhere" "$(document links)"
verdict "every command in a document runs, or says why not" "$(document check)"
verdict "what needs no root shows what the documents show" "$(document build "$top_builddir")"
done_testing
