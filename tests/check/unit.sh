#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The unit and the user are as systemd wants them, and the sandbox does not wear out.
. "${top_srcdir:?}/tests/check/tap.sh"
need systemd-analyze systemd-sysusers

# 1.3 in tenths; Debian 12's systemd gives ctmarkd.service 1.2
threshold=13
unit=$top_builddir/systemd/ctmarkd.service

work=$(mktemp -d "${TMPDIR:-/tmp}/unit.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

# A program that exists, so that verify has nothing else to say.
sed "s|^ExecStart=[^ ]*|ExecStart=$(command -v true)|" "$unit" >"$work/ctmarkd.service"
cp "$top_srcdir/systemd/ctmarkd.socket" "$work"
for kind in service socket; do
	verdict "systemd-analyze verify: the $kind" \
		"$(systemd-analyze verify --man=no "$work/ctmarkd.$kind" 2>&1 || echo "exit $?")"
done
said=$(systemd-analyze security --offline=true --threshold=$threshold "$work/ctmarkd.service" 2>&1) ||
	failed="$said"
verdict "systemd-analyze security: at most $threshold tenths" "${failed:-}"
verdict "no placeholder is left" "$(grep -n '@[A-Za-z_]*@' "$unit")"
said=$(systemd-sysusers --dry-run --root="$work" \
	"$(realpath "$top_builddir/systemd/sysusers.d/ctmarkd.conf")" 2>&1) || said="failed: $said"
case $said in
*"Creating user 'ctmarkd'"*) ok "systemd-sysusers" ;;
*) not_ok "systemd-sysusers" "$said" ;;
esac
done_testing
