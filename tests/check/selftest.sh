#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Shows that the other checks can fail: each rule is broken once in a small copy of the tree.
. "${top_srcdir:?}/tests/check/tap.sh"

work=$(mktemp -d "${TMPDIR:-/tmp}/selftest.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
tree=$work/tree

# A tree that is small but in order.
plant()
{
	rm -rf "$tree"
	mkdir -p "$tree/src/util" "$tree/src/core" "$tree/src/io" "$tree/src/log" "$tree/systemd" \
		"$tree/tests/check" "$tree/tests/lab" "$tree/man" "$tree/build/.libs" "$tree/etc"
	cp "$top_srcdir/tests/check/tap.sh" "$tree/tests/check"
	cp "$top_srcdir/ARCHITECTURE.md" "$top_srcdir/COPYING" "$top_srcdir/.clang-format" "$tree"
	cp "$top_srcdir/src/core/tuple.h" "$top_srcdir/src/core/event.h" \
		"$top_srcdir/src/core/reasons.h" "$tree/src/core"
	cp "$top_srcdir/src/log/fields.h" "$top_srcdir/src/log/msgid.h" "$tree/src/log"
	cp "$top_srcdir/systemd/ctmarkd.catalog" "$tree/systemd"
	cp "$top_srcdir/man/ctmarkd.journal-fields.7" "$tree/man"
	cp "$top_srcdir/README.md" "$top_srcdir/CONTRIBUTING.md" "$top_srcdir/SECURITY.md" \
		"$top_srcdir/NEWS.md" "$tree"
	cp "$top_srcdir/configure.ac" "$tree"
	cp "$top_srcdir/src/README.md" "$tree/src"
	mkdir "$tree/src/ctl"
	cp "$top_srcdir/src/ctl/io.ctmark.Manager.varlink" "$tree/src/ctl"
	cp "$top_srcdir/tests/lab/__init__.py" "$top_srcdir/tests/lab/document.py" "$tree/tests/lab"
	cp "$top_srcdir/man/ctmarkd.8" "$tree/man"
	cp -r "$top_srcdir/doc" "$tree"
	cp "$top_srcdir/etc/ctmarkd.conf" "$tree/etc"
	cp "$top_srcdir/src/util/cleanup.h" "$tree/src/util"
	printf '/* SPDX-License-Identifier: GPL-2.0-or-later */\n#pragma once\n' >"$tree/src/io/a.h"
	printf '.\\" SPDX-License-Identifier: GPL-2.0-or-later\n.Dd January 1, 2026\n.Dt A 8\n.Os\n' \
		>"$tree/man/a.8"
	printf '.Sh NAME\n.Nm a\n.Nd page\n' >>"$tree/man/a.8"
	mkdir -p "$tree/src/tools/ctmarkctl"
	cp "$top_srcdir/src/tools/ctmarkctl/options.h" "$top_srcdir/src/tools/ctmarkctl/app.h" \
		"$tree/src/tools/ctmarkctl"
	cp "$top_srcdir/man/ctmarkctl.1" "$tree/man"
	ln -s "$(realpath "$top_builddir/ctmarkctl")" "$tree/build/ctmarkctl"
	mkdir -p "$tree/src/tools/ctmark-replay"
	cp "$top_srcdir/src/tools/ctmark-replay/options.h" "$tree/src/tools/ctmark-replay"
	cp "$top_srcdir/man/ctmark-replay.1" "$tree/man"
	cp -r "$top_srcdir/tests/replay" "$tree/tests"
	ln -s "$(realpath "$top_builddir/ctmark-replay")" "$tree/build/ctmark-replay"
	mkdir -p "$tree/build/tests/unit/ctl" "$tree/examples"
	cp "$top_srcdir/man/ctmarkd.metrics.7" "$tree/man"
	cp "$top_srcdir/systemd/ctmarkd-metrics.service.in" "$tree/systemd"
	cp -r "$top_srcdir"/examples/*.json "$top_srcdir"/examples/*.yml "$top_srcdir/examples/captures" \
		"$tree/examples"
	cp "$top_srcdir/tests/check/alerts.yml" "$tree/tests/check"
	"$top_builddir/tests/unit/ctl/metrics_text" >"$tree/build/metrics"
	printf '#!/bin/sh\ncat "%s"\n' "$tree/build/metrics" >"$tree/build/tests/unit/ctl/metrics_text"
	chmod +x "$tree/build/tests/unit/ctl/metrics_text"
	chmod -R u+w "$tree"
}

# how much a check has to say against the small tree
failures()
{
	check=$top_srcdir/tests/check/$1.sh
	top_srcdir=$tree top_builddir=${build:-$tree/build} sh "$check" | grep -cE '^(not ok|# )'
}

# broken CHECK RULE, the tree having been broken since plant()
broken()
{
	after=$(failures "$1")
	verdict "$1 notices $2" "$([ "$after" -gt "$before" ] || echo "$before before, $after after")"
}

# break CHECK RULE FILE TEXT: TEXT appended to FILE
break_with()
{
	plant
	before=$(failures "$1")
	printf '%b\n' "$4" >>"$tree/$3"
	broken "$1" "$2"
}

lines()
{
	awk -v n="$1" 'BEGIN { while (n-- > 0) printf "\\n" }'
}

# missing TOOL...: the checks that need it say so themselves
missing()
{
	for tool; do
		command -v "$tool" >/dev/null || return 0
	done
	return 1
}

break_with layering 'a libc header in core' src/core/tuple.h '#include <stdio.h>'
break_with layering 'a shell header in core' src/core/tuple.h '# include "io/a.h"'
break_with layering 'the wrong library' src/io/a.h '#include <systemd/sd-journal.h>'
break_with layering 'the daemon below it' src/io/a.h '#include "daemon/daemon.h"'
break_with layering 'a header nobody knows' src/io/a.h '#include <uthash.h>'

break_with headers 'a header that leans on others' src/core/tuple.h 'struct ct_x { pid_t x; };'
break_with headers 'a header without guard' src/io/b.h 'struct b { int x; };'

if ! missing ctags; then
	break_with fnlen 'a long function' src/core/x.c "int f(void)\n{$(lines 80)\treturn 0;\n}"
	break_with fnlen 'a long file' src/core/x.c "int x;$(lines 700)"
fi
if ! missing clang-format; then
	break_with format 'spaces for tabs' src/core/x.c 'int f(void)\n{\n  return 0;\n}'
fi
if ! missing mandoc; then
	break_with man 'an unknown macro' man/a.8 '.Zz text'
	break_with man 'a page that SEE ALSO leaves out' man/ctmarkd.8 '.Xr ctmarkd.none 5'
	for item in 'It Fl Fl reconnect' 'It Cm flush' 'It 4'; do
		plant
		before=$(failures man)
		sed -i "/^\.$item\$/d" "$tree/man/ctmarkctl.1"
		broken man "a page without .$item"
	done
fi

if ! missing journalctl; then
	id=00000000000000000000000000000000
	break_with catalog 'an id without an entry' src/log/msgid.h \
		"#undef MSGID_LIST\n#define MSGID_LIST(X) X(A, \"a\", \"$id\")"
	break_with catalog 'an entry without an id' systemd/ctmarkd.catalog "\n-- $id\nSubject: a\n\nb"
	break_with catalog 'a field that does not exist' systemd/ctmarkd.catalog 'See @CTMARK_A@.'
fi
break_with journal-fields 'a field without description' src/log/fields.h \
	'#undef FIELD_LIST\n#define FIELD_LIST(X) X(A, "A")'
break_with journal-fields 'a reason without description' src/core/reasons.h \
	'#undef CT_REASON_LIST\n#define CT_REASON_LIST(X) X(A, "a", "b", "c")'
break_with journal-fields 'an id that is not in use' man/ctmarkd.journal-fields.7 \
	'.Sh EVENTS\n.Pq Ql 00000000000000000000000000000000'

if ! missing promtool python3; then
	break_with metrics 'a metric without description' build/metrics \
		'# HELP ctmarkd_a A.\n# TYPE ctmarkd_a gauge\nctmarkd_a 1'
	break_with metrics 'a metric without help' build/metrics 'ctmarkd_b 1'
	break_with metrics 'an alert that nobody tests' examples/prometheus-alerts.yml \
		'      - alert: CtmarkdA\n        expr: ctmarkd_up == 2'
	break_with metrics 'an alert on nothing' examples/prometheus-alerts.yml \
		'      - alert: CtmarkdDown\n        expr: ctmarkd_d == 0'
	break_with metrics 'a dashboard that is broken' examples/grafana-dashboard.json '}'
	break_with metrics 'a metric that does not exist' man/ctmarkd.metrics.7 'ctmarkd_c'
fi

if ! missing python3; then
	break_with documents 'a dead link' README.md '[x](nowhere.md)'
	break_with documents 'a heading that is not there' README.md '[x](#nowhere)'
	break_with documents 'a command that nobody runs' README.md '```\nip link\n```'
	break_with documents 'a quotation that was made up' README.md \
		'<!-- quoted: NEWS.md -->\n```\nno such line\n```'
	break_with documents 'a place that does not exist' README.md '<!-- run: moon -->\n```\nls\n```'
	break_with documents 'an output that is another one' README.md \
		'<!-- run: build -->\n```\n$ echo a\nb\n```'
fi
break_with docs 'a file that is not there' src/README.md '`core/nothing.c`'
break_with docs 'a key that is not there' README.md '`NoSuchKey=yes`'
break_with docs 'a stage nobody told of' src/core/hidden.c 'int x;'
break_with docs 'a method that is not told of' src/ctl/io.ctmark.Manager.varlink 'method Hide() -> ()'

spdx='/* SPDX-License-Identifier: GPL-2.0-or-later */'
break_with names 'a file without licence' src/core/x.c 'int x;'
break_with names 'a leftover' src/core/x.c "$spdx\n/* TO""DO */"
break_with names 'a home directory' src/core/x.c "$spdx\n/* see /ho""me/me/x */"
break_with names 'a space at the end' src/core/x.c "$spdx\nint x; "

plant
before=$(failures version)
sed -i 's/^## [0-9.]*/## 9.9/' "$tree/NEWS.md"
broken version 'another version'

# this one takes the programs of the real build
build=$top_builddir
plant
mkdir -p "$tree/packaging/rpm"
cp "$top_srcdir/packaging/rpm/ctmarkd.spec" "$tree/packaging/rpm"
cp "$top_srcdir/systemd/ctmarkd.socket" "$tree/systemd"
before=$(failures packaging)
sed -i 's/^%{_unitdir}\/ctmarkd.socket$/%{_unitdir}\/other.socket/; /^%systemd_preun/s/ctmarkd.socket//' \
	"$tree/packaging/rpm/ctmarkd.spec"
broken packaging 'what the spec leaves out'
build=

# object TEXT: an archive with one object made of it
object()
{
	printf '%b\n' "$1" >"$work/x.c"
	# shellcheck disable=SC2086 # CC may carry options
	(cd "$work" && ${CC:-cc} -c x.c && ar rcs "$tree/build/.libs/libctcore.a" x.o)
}

break_object()
{
	plant
	object 'int ct_track(void);\nint ct_track(void) { return 0; }'
	before=$(CT_SANITIZERS=no CT_COVERAGE=no CT_FUZZING=no failures symbols)
	object "$2"
	CT_SANITIZERS=no CT_COVERAGE=no CT_FUZZING=no broken symbols "$1"
}

break_object 'a system call' 'int puts(const char *);\nint ct_track(void) { return puts("x"); }'
break_object 'a variable' 'int n;\nint ct_track(void) { return n++; }'
break_object 'another library' 'int f(void) { return 0; }'

if ! missing readelf; then
	plant
	ln -s "$(realpath "$top_builddir/ctmarkd")" "$tree/build/ctmarkd"
	ln -s "$(realpath "$top_builddir/ctmark-replay")" "$tree/build/ctmark-replay"
	before=$(failures needed)
	ln -sf "$(realpath "$top_builddir/ctmark-replay")" "$tree/build/ctmarkd"
	broken needed 'a daemon that reads captures'
fi
done_testing
