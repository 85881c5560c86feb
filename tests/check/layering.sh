#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Include directives of every directory against the "may use" table of ARCHITECTURE.md.
. "${top_srcdir:?}/tests/check/tap.sh"

# The word libc in the table. Core does not get it: its row names each header.
libc='arpa/inet assert ctype dirent endian errno fcntl fnmatch getopt glob grp inttypes limits locale net/if
netinet/icmp6 netinet/in netinet/ip netinet/ip6 netinet/ip_icmp netinet/tcp netinet/udp poll pthread
sched semaphore setjmp signal stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string
stdio_ext strings sys/capability sys/epoll sys/eventfd sys/ioctl sys/mman sys/prctl sys/ptrace sys/random sys/resource sys/signalfd sys/socket
sys/stat sys/syscall sys/sysmacros sys/time sys/timerfd sys/types sys/uio sys/un sys/user sys/utsname sys/wait syslog termios threads
time unistd'

# rows: lines "directory token token ..." out of lines "| `src/x/` | `core/` libc `<y.h>` | ... |"
rows()
{
	sed -n '/^<!-- layering -->$/,/^<!-- end -->$/p' "$top_srcdir/ARCHITECTURE.md" |
		awk -F '|' '$2 ~ /`/ { gsub(/[`,]/, "", $2); gsub(/[`,]/, "", $3); print $2, $3 }' |
		sed 's/^ *//'
}

# includes FILE: lines "line <x.h>" or "line x.h"
includes()
{
	sed -nE '/^[[:space:]]*#[[:space:]]*include/{
		=
		s/^[^<"]*(<[^>]*>).*/\1/
		s/^[^<"]*"([^"]*)".*/\1/
		p
	}' "$1" | paste -d ' ' - -
}

# allowed INCLUDE TOKEN...
allowed()
{
	what=$1
	shift
	for token; do
		case $token in
		libc)
			for name in $libc; do
				[ "$what" = "<$name.h>" ] && return 0
			done
			;;
		'<'*)
			# shellcheck disable=SC2254 # the table holds patterns
			case $what in $token) return 0 ;; esac
			;;
		*/)
			case $what in "$token"*.h) return 0 ;; esac
			;;
		*)
			[ "$what" = "$token" ] && return 0
			;;
		esac
	done
	return 1
}

set -f
table=$(rows)
verdict "ARCHITECTURE.md has the table" "$([ -n "$table" ] || echo 'no rows between the markers')"

# Every file belongs to the row with the longest matching directory.
row_of()
{
	echo "$table" | awk -v f="$1" 'index(f, $1) == 1 && length($1) > n { n = length($1); r = $0 }
		END { print r }'
}

check_dir()
{
	for file in $(sources '*.[ch]' | grep "^$1[^/]*$"); do
		row=$(row_of "$file")
		if [ -z "$row" ]; then
			echo "$file: no row in the table covers it"
			continue
		fi
		# shellcheck disable=SC2086 # words are tokens
		set -- $row
		shift
		includes "$top_srcdir/$file" | while read -r line what; do
			# a neighbour is in the same directory
			[ "${what%%/*}" = "$what" ] && [ -f "$top_srcdir/${file%/*}/$what" ] && continue
			allowed "$what" "$@" || echo "$file:$line: $what is not in its row"
		done
	done
}

for dir in $(sources '*.[ch]' | sed 's,[^/]*$,,' | sort -u); do
	verdict "$dir includes what it may" "$(check_dir "$dir")"
done
for dir in $(echo "$table" | cut -d ' ' -f 1); do
	verdict "$dir of the table exists" "$([ -d "$top_srcdir/$dir" ] || echo "no such directory")"
done
done_testing
