# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for ctmark-replay(1). Options are those that the program tells of.

# _ctmark_replay_options PROGRAM: lines "-LETTER|- --NAME ARGUMENT|-"
_ctmark_replay_options()
{
	"$1" --help 2>/dev/null |
		sed -nE 's/^  (-.|  ),? +(--[a-z0-9-]+)( ([^ ]+))?  .*/\1 \2 \4/p' |
		while read -r letter name argument; do
			case $letter in
			--*) echo "- $letter ${name:--}" ;;
			*) echo "$letter $name ${argument:--}" ;;
			esac
		done
}

# _ctmark_replay_words ARGUMENT: what may stand for it
_ctmark_replay_words()
{
	case ${1%,...} in
	CLASS) echo NEW ESTABLISHED ESTABLISHED_REPLY RELATED RELATED_REPLY INVALID UNTRACKED ;;
	HELPERS) echo none ftp tftp irc sip pptp amanda sane ;;
	*'|'*) echo "${1//|/ }" ;;
	esac
}

# _ctmark_replay_value ARGUMENT CUR: completes the argument of an option
_ctmark_replay_value()
{
	local before='' word=$2

	case $1 in
	FILE)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$2")
		return
		;;
	NAME)
		mapfile -t COMPREPLY < <(compgen -W "any $(cd /sys/class/net 2>/dev/null && echo *)" -- "$2")
		return
		;;
	*,...)
		# the word behind the last comma
		[[ $2 == *,* ]] && before=${2%,*}, word=${2##*,}
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -P "$before" -W "$(_ctmark_replay_words "$1")" -- "$word")
}

_ctmark_replay()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local program=${COMP_WORDS[0]} letter name argument

	# bash takes "--config=FILE" for three words
	if [[ $cur == = ]]; then
		cur=
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	COMPREPLY=()
	while read -r letter name argument; do
		[[ $prev == "$letter" || $prev == "$name" ]] || continue
		[[ $argument == - ]] && break
		_ctmark_replay_value "$argument" "$cur"
		return
	done < <(_ctmark_replay_options "$program")
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W \
			"$(_ctmark_replay_options "$program" | cut -d ' ' -f 2)" -- "$cur")
	else
		_ctmark_replay_value FILE "$cur"
	fi
}

complete -F _ctmark_replay ctmark-replay
