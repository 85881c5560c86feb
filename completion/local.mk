# SPDX-License-Identifier: GPL-2.0-or-later
bashcompletiondir      = $(datadir)/bash-completion/completions
zshcompletiondir       = $(datadir)/zsh/site-functions
dist_zshcompletion_DATA = completion/_ctmark-replay completion/_ctmarkctl completion/_ctmarkd
EXTRA_DIST            += completion/ctmark-replay.bash completion/ctmarkctl.bash completion/ctmarkd.bash

# bash-completion loads a file by the name of the command
install-data-local: install-bash-completion
uninstall-local: uninstall-bash-completion

.PHONY: install-bash-completion uninstall-bash-completion
install-bash-completion:
	$(MKDIR_P) "$(DESTDIR)$(bashcompletiondir)"
	$(INSTALL_DATA) "$(top_srcdir)/completion/ctmark-replay.bash" "$(DESTDIR)$(bashcompletiondir)/ctmark-replay"
	$(INSTALL_DATA) "$(top_srcdir)/completion/ctmarkctl.bash" "$(DESTDIR)$(bashcompletiondir)/ctmarkctl"
	$(INSTALL_DATA) "$(top_srcdir)/completion/ctmarkd.bash" "$(DESTDIR)$(bashcompletiondir)/ctmarkd"
uninstall-bash-completion:
	rm -f "$(DESTDIR)$(bashcompletiondir)/ctmark-replay"
	rm -f "$(DESTDIR)$(bashcompletiondir)/ctmarkctl" "$(DESTDIR)$(bashcompletiondir)/ctmarkd"
