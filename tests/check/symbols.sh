#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the engine takes from outside itself: undefined symbols of libctcore.a against a list.
. "${top_srcdir:?}/tests/check/tap.sh"
need nm

archive=$top_builddir/.libs/libctcore.a

# Memory and string primitives, memory for the index at the start, and giving way in a lock.
allow='memcpy|memset|memcmp|memmove|strlen|strcmp|calloc|aligned_alloc|free|sched_yield'
# What the compiler adds by itself: assert(), stack protector, fortified string functions.
allow="$allow|__assert_fail|__stack_chk_fail|__(memcpy|memset|memmove)_chk|_GLOBAL_OFFSET_TABLE_"
# An instrumented build calls its run time; only the one that was asked for is let in.
case ${CT_SANITIZERS:-no} in
no) ;;
*) allow="$allow|__(asan|ubsan|tsan|lsan|msan|sanitizer)_[a-z0-9_]*" ;;
esac
if [ "${CT_COVERAGE:-no}" = yes ]; then
	allow="$allow|__gcov_[a-z0-9_]*|__llvm_[a-z0-9_]*|llvm_[a-z0-9_]*"
fi
if [ "${CT_FUZZING:-no}" = yes ]; then
	allow="$allow|__sanitizer_cov_[a-z0-9_]*|__sancov_lowest_stack"
	allow="$allow|__start___sancov_[a-z0-9_]*|__stop___sancov_[a-z0-9_]*"
fi

# "symbol object" of every U and w, less what some other object of the archive defines
undefined()
{
	nm -A "$archive" | awk '{
		n = split($1, path, ":"); name = $NF; type = $(NF - 1)
		if (type ~ /^[Uvw]$/) want[name] = want[name] " " path[n - 1]
		else have[name] = 1
	}
	END { for (s in want) if (!(s in have)) print s want[s] }' | sort
}

if [ ! -f "$archive" ] || ! nm "$archive" >/dev/null 2>&1; then
	not_ok "libctcore.a is there" "$archive cannot be read"
	done_testing
	exit 0
fi
verdict "libctcore.a defines ct_track" \
	"$(nm "$archive" | grep -q ' T ct_track$' || echo 'not the engine')"
verdict "the engine calls nothing outside the list" \
	"$(undefined | grep -vE "^($allow)( |$)")"
# "symbol section" of every variable; tables of pointers are read-only once they are relocated
variables()
{
	nm -f sysv "$archive" | awk -F '|' '$7 ~ /^ *(\.t?data|\.t?bss|\*COM\*)/ &&
		$7 !~ /\.rel\.ro/ && $4 !~ /SECTION/ { print $1, $7 }'
}

case ${CT_SANITIZERS:-no}${CT_COVERAGE:-no}${CT_FUZZING:-no} in
nonono) verdict "the engine has no writable variables" "$(variables)" ;;
*) ok "instrumentation brings variables of its own" ;;
esac
done_testing
