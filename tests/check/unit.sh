#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Units and user are as systemd wants them, and the sandboxes do not wear out.
. "${top_srcdir:?}/tests/check/tap.sh"
need systemd-analyze systemd-sysusers

# 1.3 in tenths; Debian 12's systemd gives ctmarkd.service 1.2
threshold=13
unit=$top_builddir/systemd/ctmarkd.service
# 0.9 there
metrics_threshold=10
metrics=$top_builddir/systemd/ctmarkd-metrics.service

work=$(mktemp -d "${TMPDIR:-/tmp}/unit.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

# sound FILE...: what systemd says of units
sound()
{
	verdict "${1##*/}: systemd-analyze verify" \
		"$(systemd-analyze verify --man=no "$@" 2>&1 || echo "exit $?")"
}

# confined FILE TENTHS: the sandbox of a service
confined()
{
	said=$(systemd-analyze security --offline=true --threshold="$2" "$1" 2>&1) && said=
	verdict "${1##*/}: systemd-analyze security: at most $2 tenths" "$said"
}

# A program that exists, so that verify has nothing else to say.
sed "s|^ExecStart=[^ ]*|ExecStart=$(command -v true)|" "$unit" >"$work/ctmarkd.service"
cp "$top_srcdir/systemd/ctmarkd.socket" "$work"
sound "$work/ctmarkd.service" "$work/ctmarkd.socket"
confined "$work/ctmarkd.service" "$threshold"
cp "$metrics" "$top_srcdir/systemd/ctmarkd-metrics.timer" "$work"
sound "$work/ctmarkd-metrics.service" "$work/ctmarkd-metrics.timer"
confined "$work/ctmarkd-metrics.service" "$metrics_threshold"
verdict "no placeholder is left" "$(grep -n '@[A-Za-z_]*@' "$unit" "$metrics")"
said=$(systemd-sysusers --dry-run --root="$work" \
	"$(realpath "$top_builddir/systemd/sysusers.d/ctmarkd.conf")" 2>&1) || said="failed: $said"
case $said in
*"Creating user 'ctmarkd'"*) ok "systemd-sysusers" ;;
*) not_ok "systemd-sysusers" "$said" ;;
esac
done_testing
