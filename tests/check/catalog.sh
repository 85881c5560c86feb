#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Each MESSAGE_ID of src/log/msgid.h has one entry in the catalog, and journalctl takes the catalog.
. "${top_srcdir:?}/tests/check/tap.sh"
CC=${CC:-cc}
need "${CC%% *}" journalctl

catalog=$top_srcdir/systemd/ctmarkd.catalog
root=$(mktemp -d "${TMPDIR:-/tmp}/catalog.XXXXXX") || exit 1
trap 'rm -rf "$root"' EXIT

# shellcheck disable=SC2086 # CC may carry options
ids=$(printf '#include "log/msgid.h"\n#define X(name, str, value) :id str value\nMSGID_LIST(X)\n' |
	$CC -E -P -I "$top_srcdir/src" - | grep -o ':id "[^"]*" "[^"]*"' | tr -d '"' | cut -c 5-)
entries=$(sed -n 's/^-- //p' "$catalog")

verdict "there are message ids" "$([ -n "$ids" ] || echo 'none found in src/log/msgid.h')"
verdict "no id is used twice" "$(echo "$ids" | cut -d ' ' -f 2 | sort | uniq -d)"
verdict "no entry comes twice" "$(echo "$entries" | sort | uniq -d)"
echo "$ids" | while read -r name id; do
	echo "$entries" | grep -qx "$id" || echo "$name ($id) has no entry"
done >"$root/missing"
verdict "each id has an entry" "$(cat "$root/missing")"
verdict "each entry has an id" "$(echo "$entries" | while read -r id; do
	echo "$ids" | grep -q " $id\$" || echo "$id is not in src/log/msgid.h"
done)"

# Every @NAME@ in a text is a field that there is.
# shellcheck disable=SC2086
fields=$(printf '#include "log/fields.h"\n#define X(name, journal) :field journal\nFIELD_LIST(X)\n' |
	$CC -E -P -I "$top_srcdir/src" - | grep -o ':field "[^"]*"' | cut -d '"' -f 2)
verdict "texts name only fields that there are" "$(grep -o '@[A-Z_]*@' "$catalog" | tr -d @ |
	sort -u | while read -r name; do echo "$fields" | grep -qx "$name" || echo "$name"; done)"

for header in Subject Defined-By Support; do
	verdict "each entry has $header:" "$(awk -v header="$header:" '
		/^-- / { if (id && !seen) print id; id = $2; seen = 0 }
		$1 == header && NF > 1 { seen = 1 }
		END { if (!seen) print id }' "$catalog")"
done

mkdir -p "$root/usr/lib/systemd/catalog" "$root/var/lib/systemd/catalog"
cp "$catalog" "$root/usr/lib/systemd/catalog/"
verdict "journalctl takes it" "$(journalctl --update-catalog --root="$root" 2>&1 ||
	echo "status $?")"
verdict "journalctl lists each entry" "$(journalctl --list-catalog --root="$root" 2>&1 |
	cut -d ' ' -f 1 | sort >"$root/listed"
	echo "$entries" | sort | diff - "$root/listed")"
done_testing
