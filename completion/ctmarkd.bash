# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for ctmarkd(8)

_ctmarkd()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}

	# bash takes "--config=FILE" for three words
	if [[ $cur == = ]]; then
		cur=
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if [[ $prev == --config ]]; then
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -W '--config --check-config --shadow --version --help' -- "$cur")
	fi
}

complete -F _ctmarkd ctmarkd
