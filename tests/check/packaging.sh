#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What is installed is what the spec packs, and packages know all units that can be enabled. Debian's
# tools take whatever is installed.
. "${top_srcdir:?}/tests/check/tap.sh"
need make

spec=$top_srcdir/packaging/rpm/ctmarkd.spec
work=$(mktemp -d "${TMPDIR:-/tmp}/packaging.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

# where the spec puts things
said=$(env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -C "$top_builddir" install DESTDIR="$work/root" \
	prefix=/usr sysconfdir=/etc docdir=/usr/share/doc/ctmarkd sysusersdir=/usr/lib/sysusers.d \
	systemdsystemunitdir=/usr/lib/systemd/system catalogdir=/usr/lib/systemd/catalog 2>&1) && said=
verdict "make install" "$said"
(cd "$work/root" && find . ! -type d) | sed 's,^\.,,' | sort >"$work/installed"

# %files without what comes from the source tree, each macro being what it is with %configure
sed -n '/^%files/,/^%changelog/{s/^%config([a-z]*) //; /^\//p; /^%{/p}' "$spec" |
	sed 's,%{_docdir},/usr/share/doc,; s,%{_mandir},/usr/share/man,; s,%{_datadir},/usr/share,
		s,%{_sysconfdir},/etc,; s,%{_bindir},/usr/bin,; s,%{_sbindir},/usr/sbin,
		s,%{_unitdir},/usr/lib/systemd/system,; s,%{_sysusersdir},/usr/lib/sysusers.d,
		s,%{_journalcatalogdir},/usr/lib/systemd/catalog,; s,%{name},ctmarkd,' >"$work/packed"

# fits FILE PATTERN
fits()
{
	# shellcheck disable=SC2254 # the spec holds patterns
	case $1 in
	$2 | $2/*) return 0 ;;
	esac
	return 1
}

verdict "the spec packs all that is installed" "$(while read -r file; do
	while read -r pattern; do
		fits "$file" "$pattern" && continue 2
	done <"$work/packed"
	echo "$file"
done <"$work/installed")"
verdict "all that the spec packs is installed" "$(while read -r pattern; do
	while read -r file; do
		fits "$file" "$pattern" && continue 2
	done <"$work/installed"
	echo "$pattern"
done <"$work/packed")"

# units that can be enabled
units()
{
	grep -l '^\[Install\]' "$top_srcdir"/systemd/* | sed 's,.*/,,; s/\.in$//'
}

verdict "the spec enables, stops and restarts by all units" "$(for unit in $(units); do
	for macro in systemd_post systemd_preun 'systemd_postun[a-z_]*'; do
		grep -qE "^%$macro .*\<$unit\>" "$spec" || echo "$macro $unit"
	done
done)"
# not in the tarball of a release
if [ -d "$top_srcdir/debian" ]; then
	verdict "debian/rules knows all units" "$(for unit in $(units); do
		grep -q "dh_installsystemd .*$unit\$" "$top_srcdir/debian/rules" || echo "$unit"
	done)"
fi
done_testing
