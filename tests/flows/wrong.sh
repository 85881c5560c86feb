#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Scripts that are not so: flowrun names file and line, and fails.
. "${top_srcdir:?}/tests/check/tap.sh"

script=$(mktemp "${TMPDIR:-/tmp}/wrong.XXXXXX") || exit 1
trap 'rm -f "$script"' EXIT

# wrong LINE WORDS SCRIPT: flowrun fails and says WORDS of this line
wrong()
{
	printf '%b' "title a script\n$3\n" >"$script"
	if output=$("$top_builddir/tests/flows/flowrun" "$script" 2>&1); then
		not_ok "$2" "it passed: $output"
	elif echo "$output" | grep -qF "$script:$1: $2"; then
		ok "line $1: $2"
	else
		not_ok "line $1: $2" "$output"
	fi
}

# what the language does not allow
wrong 2 "'C' is not a host" 'C > B udp : NEW - 0x8 30'
wrong 2 "'ftp' is not a protocol" 'A > B ftp : NEW - 0x8 30'
wrong 2 "a packet with the A flag needs ack NUMBER" 'A > B tcp A seq 1 : INVALID'
wrong 2 "'X' is none of the TCP flags" 'A > B tcp SX seq 1 : INVALID'
wrong 2 "'seq' means nothing here" 'A > B udp seq 1 : INVALID'
wrong 2 "'OLD' is not a ctinfo" 'A > B udp : OLD'
wrong 2 "'nothing' is not a reason" 'A > B udp : INVALID reason=nothing'
wrong 2 "':' and the expected ctinfo are missing" 'A > B udp'
wrong 2 "'x' is too much" 'A > B udp : NEW - 0x8 30 reason=none x'
wrong 2 "'70000' is not a number of 0..65535" 'A > B udp 70000 1 : INVALID'
wrong 2 "']' is missing" 'R > A icmp unreachable quote [ A > B udp : INVALID'
wrong 2 "'hello' means nothing here" 'A > B sctp hello : INVALID'
wrong 2 "'init(tag=7' is no chunk" 'A > B sctp init(tag=7 : INVALID'
wrong 2 "'abort(x)' is no chunk" 'A > B sctp abort(x) : INVALID'
wrong 2 "'data(len=9001)' is no chunk" 'A > B sctp data(len=9001) : INVALID'
wrong 2 "more than 8 chunks" 'A > B sctp data data data data data data data data data : INVALID'
wrong 2 "'SYN_SENT' is not an SCTP state" 'A > B sctp init : NEW SYN_SENT 0x8 10'
wrong 2 "'vtag' means nothing here" 'A > B udplite vtag 1 : INVALID'
wrong 2 "'v8' means nothing here" 'A > B gre v8 : INVALID'
wrong 2 "'no_such' is no setting" 'set no_such 1'
wrong 2 "'telnet' is no helper" 'set helpers telnet'
wrong 2 "'0' is no port" 'set helpers ftp:21,0'
wrong 2 "'21x' is no port" 'set helpers ftp:21x'
wrong 2 "helpers are missing" 'set helpers'
wrong 2 "'\"' is missing at the end of" 'A > B udp data "x : INVALID'
wrong 2 'data needs a text' 'A > B udp data x : INVALID'
wrong 2 '"{C}" is no data' 'A > B udp data "{C}" : INVALID'
wrong 2 '"{A" is no data' 'A > B udp data "{A" : INVALID'
wrong 2 '"{A!}" is no data' 'A > B udp data "{A!}" : INVALID'
wrong 2 '"{hex:0}" is no data' 'A > B udp data "{hex:0}" : INVALID'
wrong 2 '"{99999*x}" is no data' 'A > B udp data "{99999*x}" : INVALID'
wrong 2 '"{body}" is no data' 'A > B udp data "{body}" : INVALID'
wrong 2 "'data' means nothing here" 'A > B icmp echo data "x" : INVALID'
wrong 2 "'+x' is not as +0 or -2" 'A > B tcp S seq +x : INVALID'
wrong 4 "'nothing' is not a ctinfo" 'A > B udp \\\n : NEW - 0x8 30\nA > B udp : nothing'
wrong 3 "nothing comes after the last wait" 'A > B udp : NEW - 0x8 30\nwait 1s'

wrong 2 "'vtag=1' is not vtag=ORIGINAL/REPLY" 'A > B sctp init(tag=7) : NEW CLOSED 0x8 10 vtag=1'

# what is not so
wrong 2 'A > B sctp' 'A > B sctp init(tag=7) : NEW CLOSED 0x8 10 vtag=0/8'
wrong 2 'A > B sctp' 'A > B sctp init(tag=7) : NEW COOKIE_WAIT 0x8 10 vtag=0/7'
wrong 2 'A > B udp' 'A > B udp : ESTABLISHED - 0x8 30'
wrong 2 'A > B udp' 'A > B udp : NEW - 0xa 30'
wrong 2 'A > B udp' 'A > B udp : NEW - 0x8 31'
wrong 2 'A > B udp' 'A > B udp : NEW gone'
wrong 2 'A > B tcp' 'A > B tcp S seq 1 : NEW SYN_RECV 0x8 120'
wrong 2 'A > B udp' 'A > B udp len 4 badsum : INVALID reason=udp-length'
wrong 2 'A > B udp' 'A > B udp : NEW drop - 0x8 30'
wrong 2 'other events of the packet' 'A > B udp : NEW - 0x8 30\n! reply'
wrong 2 'other events of the packet' 'A > B udp : NEW - 0x8 30\n! none'
wrong 5 'other events while waiting' 'A > B udp : NEW - 0x8 30\nwait 31s\n! new\nA > B udp : NEW - 0x8 30'
done_testing
