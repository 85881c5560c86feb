#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Which drop-ins are read, and in which order, is what systemd says: random trees, read by both.
. "${top_srcdir:?}/tests/check/tap.sh"
need systemd-analyze awk diff

table=$top_builddir/tests/unit/conf/conf_table
work=$(mktemp -d "${TMPDIR:-/tmp}/dropins.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
tree=$work/tree
etc=${sysconfdir:-/etc}	# of a test installation; systemd's is fixed

# plant SEED: commands that fill three directories
plant()
{
	awk -v seed="$1" -v tree="$tree" 'BEGIN {
		srand(seed)
		n = split("10-a.conf 9-b.conf B.conf a.conf a-1.conf _.conf .h.conf z.txt y.conf.d", names, " ")
		split("usr/lib run etc", places, " ")
		for (p = 1; p <= 3; p++) {
			dir = tree "/" places[p] "/ctmarkd/ctmarkd.conf.d"
			print "mkdir -p " dir
			for (i = 1; i <= n; i++) {
				file = dir "/" names[i]
				what = int(rand() * 7)
				if (what < 3) print "printf \"[Track]\\nNoSuchKey=1\\n\" >" file
				if (what == 3) print ": >" file
				if (what == 4) print "ln -s /dev/null " file
			}
		}
	}'
}

# Each file that has a key, by the warning about that.
ours()
{
	"$table" --root "$tree" | sed -n "s,^$tree$etc/,$tree/etc/,; s/:2: unknown key .*//p"
}

theirs()
{
	systemd-analyze --root="$tree" cat-config ctmarkd/ctmarkd.conf 2>/dev/null |
		awk '/^# \// { file = $2 } /^NoSuchKey=/ { print file }'
}

if [ ! -x "$table" ]; then
	not_ok "the loader" "$table is not there"
	done_testing
	exit 0
fi
: >"$work/all"
seed=1
while [ $seed -le 12 ]; do
	rm -rf "$tree"
	plant $seed | sh
	if [ "$etc" != /etc ]; then
		mkdir -p "$tree${etc%/*}"
		ln -s "$tree/etc" "$tree$etc"
	fi
	# without a main file systemd has nothing to look for
	printf '[Track]\nTCPLoose=yes\n' >"$tree/etc/ctmarkd/ctmarkd.conf"
	ours >"$work/ours"
	theirs >"$work/theirs"
	cat "$work/theirs" >>"$work/all"
	verdict "tree $seed" "$(diff "$work/ours" "$work/theirs")"
	seed=$((seed + 1))
done
verdict "there were drop-ins of each place" "$(for place in usr/lib run etc; do
	grep -q "/$place/" "$work/all" || echo "none in /$place"
done)"
done_testing
