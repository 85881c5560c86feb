#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The version stands in configure.ac, and everywhere else it is the same.
. "${top_srcdir:?}/tests/check/tap.sh"

version=$(sed -n 's/^AC_INIT(\[ctmarkd\], \[\(.*\)\])$/\1/p' "$top_srcdir/configure.ac")

# same WHERE VERSION
same()
{
	verdict "$1 has the version of configure.ac" \
		"$([ -n "$version" ] && [ "$2" = "$version" ] || echo "\"$2\" is not \"$version\"")"
}

same NEWS.md "$(sed -n 's/^## \([^ ]*\).*/\1/p' "$top_srcdir/NEWS.md" | head -n 1)"
same packaging/rpm/ctmarkd.spec "$(sed -n 's/^Version: *//p' "$top_srcdir/packaging/rpm/ctmarkd.spec")"
# not in the tarball of a release, which packages are made of
if [ -d "$top_srcdir/debian" ]; then
	same debian/changelog "$(sed -n '1s/^ctmarkd (\(.*\)-[^-]*) .*/\1/p' "$top_srcdir/debian/changelog")"
fi
done_testing
