# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for ctmarkctl(1). Verbs and options are those that the program tells of.

# _ctmarkctl_verbs PROGRAM
_ctmarkctl_verbs()
{
	"$1" --help 2>/dev/null | sed -n '/^Verbs:$/,/^$/s/^  \([a-z-]*\) .*/\1/p'
}

# _ctmarkctl_options PROGRAM VERB: lines "-LETTER|- --NAME ARGUMENT|-"
_ctmarkctl_options()
{
	# without a verb the line is that of the program
	"$1" ${2:+"$2"} --help 2>/dev/null |
		sed -nE 's/^  (-.|  ),? +(--[a-z0-9-]+)(\[?[= ]([^ ]+[^] ])\]?)?  .*/\1 \2 \4/p' |
		while read -r letter name argument; do
			case $letter in
			--*) echo "- $letter ${name:--}" ;;
			*) echo "$letter $name ${argument:--}" ;;
			esac
		done
}

# _ctmarkctl_words ARGUMENT: what may stand for it
_ctmarkctl_words()
{
	case ${1%,...} in
	PROTOCOL) echo tcp udp udplite icmp icmpv6 sctp gre ;;
	STATE)
		echo NONE SYN_SENT SYN_RECV ESTABLISHED FIN_WAIT CLOSE_WAIT LAST_ACK TIME_WAIT CLOSE \
			SYN_SENT2 CLOSED COOKIE_WAIT COOKIE_ECHOED SHUTDOWN_SENT SHUTDOWN_RECD \
			SHUTDOWN_ACK_SENT HEARTBEAT_SENT
		;;
	STATUS) echo EXPECTED SEEN_REPLY ASSURED CONFIRMED DYING HELPER UNREPLIED ;;
	CLASS) echo new related reply assured state destroy invalid ;;
	HOOK) echo prerouting input forward output postrouting ;;
	HELPER) echo ftp tftp irc sip pptp amanda sane ;;
	LEVEL) echo err warning notice info debug ;;
	LAYOUT) echo conntrack extended id ;;
	*'|'*) echo "${1//[|,.]/ }" ;;
	esac
}

# _ctmarkctl_value ARGUMENT CUR: completes the argument of an option
_ctmarkctl_value()
{
	local before='' word=$2

	case $1 in
	PATH | FILE)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$2")
		return
		;;
	*,...)
		# the word behind the last comma
		[[ $2 == *,* ]] && before=${2%,*}, word=${2##*,}
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -P "$before" -W "$(_ctmarkctl_words "$1")" -- "$word")
}

_ctmarkctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local program=${COMP_WORDS[0]} verbs verb='' word letter name argument

	# bash takes "--socket=PATH" for three words
	if [[ $cur == = ]]; then
		cur=
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	verbs=$(_ctmarkctl_verbs "$program")
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		if [[ -n $word && $'\n'$verbs$'\n' == *$'\n'$word$'\n'* ]]; then
			verb=$word
			break
		fi
	done
	COMPREPLY=()
	while read -r letter name argument; do
		[[ $prev == "$letter" || $prev == "$name" ]] || continue
		[[ $argument == - ]] && break
		[[ $prev == "$letter" && $name == --json ]] && break
		_ctmarkctl_value "$argument" "$cur"
		return
	done < <(_ctmarkctl_options "$program" "$verb")
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W \
			"$(_ctmarkctl_options "$program" "$verb" | cut -d ' ' -f 2)" -- "$cur")
	elif [[ -z $verb ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur")
	elif [[ $verb == log-level ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_ctmarkctl_words LEVEL)" -- "$cur")
	fi
}

complete -F _ctmarkctl ctmarkctl
