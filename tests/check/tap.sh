# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# What the checks share: TAP output, and the list of files they look at.
#
# A check works on the tree below $top_srcdir and says ok or not ok once per item; a tool that is
# missing makes it a skip, which ./bootstrap check counts as a failure.

: "${top_srcdir:?}" "${top_builddir:?}"
LC_ALL=C
export LC_ALL

tap_count=0

ok()
{
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1"
}

# not_ok DESCRIPTION FINDINGS
not_ok()
{
	tap_count=$((tap_count + 1))
	echo "not ok $tap_count - $1"
	echo "$2" | sed 's/^/# /'
}

# verdict DESCRIPTION FINDINGS: ok if there are none
verdict()
{
	if [ -z "$2" ]; then
		ok "$1"
	else
		not_ok "$1" "$2"
	fi
}

# A check that looked at nothing has shown nothing.
done_testing()
{
	if [ "$tap_count" -eq 0 ]; then
		not_ok "something to look at" "nothing was looked at"
	fi
	echo "1..$tap_count"
}

need()
{
	for tool; do
		command -v "$tool" >/dev/null && continue
		echo "1..0 # SKIP $tool is not installed"
		exit 0
	done
}

# sources NAME...: files of the tree whose name matches one of the patterns, relative to it
sources()
{
	for pattern; do
		(cd "$top_srcdir" && find src tests -name "$pattern" -type f)
	done | sort
}
