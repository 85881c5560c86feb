#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Which shared libraries each program takes: the daemon reads no captures, and what reads captures
# runs where there is no systemd.
. "${top_srcdir:?}/tests/check/tap.sh"
need readelf

# The C library and its loader; what instrumentation brings along where it was asked for.
libc='libc\.so\.6|libm\.so\.6|libgcc_s\.so\.1|libatomic\.so\.1|ld-linux[a-z0-9_.-]*|ld64\.so\.[0-9]'
case ${CT_SANITIZERS:-no}${CT_FUZZING:-no} in
nono) ;;
*) libc="$libc|lib[a-z]*san\.so\.[0-9]*|libstdc\+\+\.so\.6|libpthread\.so\.0|librt\.so\.1|libdl\.so\.2|libresolv\.so\.2" ;;
esac

# needed FILE: names of libraries, one a line
needed()
{
	readelf -d "$1" 2>/dev/null | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p'
}

# program NAME LIBRARY...: as names without lib and .so
program()
{
	name=$1
	file=$top_builddir/$name
	shift
	allow=$libc
	for library; do
		allow="$allow|lib$library\.so\.[0-9.]*"
	done
	[ ! -f "$top_builddir/.libs/$name" ] || file=$top_builddir/.libs/$name
	if [ -z "$(needed "$file")" ]; then
		not_ok "$name is there" "$file needs nothing"
		return
	fi
	verdict "$name takes no other library than its own" "$(needed "$file" | grep -vxE "$allow")"
}

program ctmarkd netfilter_queue mnl nfnetlink systemd jansson inih
program ctmarkctl jansson systemd
program ctmark-replay pcap z jansson inih
done_testing
