#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Shows that each tool of tests/analysis can fail: in a tree of a few files, which is clean at first, one
# mistake after the other is planted for it to find.
. "${top_srcdir:?}/tests/check/tap.sh"
need clang-tidy cppcheck gcc make shellcheck

work=$(mktemp -d "${TMPDIR:-/tmp}/analysis.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
tree=$work/tree
said=$work/said

# run_on TOOL: its exit status; what it said is in $said
run_on()
{
	(cd "$top_builddir" && env top_srcdir="$tree" "$top_srcdir/tests/analysis/run" "$1") >"$said" 2>&1
}

# Nothing but what is in order.
plant()
{
	rm -rf "$tree"
	mkdir -p "$tree/src" "$tree/tests/unit"
	cp "$top_srcdir/.clang-tidy" "$top_srcdir/.shellcheckrc" "$tree"
	cp "$top_srcdir/tests/.clang-tidy" "$tree/tests"
	printf '#include <stdlib.h>\n#include <string.h>\n' >"$tree/src/a.c"
	cp "$tree/src/a.c" "$tree/tests/unit/a.c"
	printf '#!/bin/sh\necho a\n' >"$tree/tests/a"
}

# finds TOOL NAME FILE TEXT: TEXT appended to FILE is a mistake that TOOL calls NAME
finds()
{
	plant
	printf '%b\n' "$4" >>"$tree/$3"
	status=0
	run_on "$1" || status=$?
	if [ "$status" = 1 ] && grep -q "$3:.*$2" "$said"; then
		ok "$1 finds $2 in $3"
	else
		not_ok "$1 finds $2 in $3" "exit status $status; $(cat "$said")"
	fi
}

for tool in $("$top_srcdir/tests/analysis/run" --list); do
	plant
	verdict "$tool has nothing to say where nothing is wrong" "$(run_on "$tool" || cat "$said")"
done

set_x='int set(void);\nint set(void)\n{\n'
for file in src/a.c tests/unit/a.c; do
	finds clang-tidy bugprone-sizeof-expression $file \
		"${set_x}\tint x[2];\n\tmemset(x, 0, sizeof(sizeof(x)));\n\treturn x[0];\n}"
	finds clang-tidy cert-err33-c $file "${set_x}\tmalloc(4);\n\treturn 0;\n}"
done
finds cppcheck arrayIndexOutOfBounds src/a.c "${set_x}\tint x[2] = {0};\n\treturn x[2];\n}"
finds cppcheck zerodiv src/a.c "${set_x}\tint x = 0;\n\treturn 7 / x;\n}"
finds fanalyzer analyzer-possible-null-dereference src/a.c \
	"${set_x}\tint *x = malloc(sizeof(*x)), y;\n\t*x = 1;\n\ty = *x;\n\tfree(x);\n\treturn y;\n}"
finds fanalyzer analyzer-double-free src/a.c "${set_x}\tchar *x = malloc(1);\n\tfree(x);\n\tfree(x);\n\treturn 0;\n}"
finds shellcheck SC2086 tests/a 'rm -r $1/x'

# A tool that breaks down has not found the tree to be clean.
plant
printf 'int f(void)\n{\n\treturn (;\n' >>"$tree/src/a.c"
for tool in clang-tidy cppcheck fanalyzer; do
	verdict "$tool says that it cannot read a file" "$(run_on "$tool" && cat "$said")"
done
status=0
run_on nothing || status=$?
verdict "an unknown tool is an error" "$([ $status = 2 ] || echo "exit status $status")"
done_testing
