# SPDX-License-Identifier: GPL-2.0-or-later
# The example is installed where it is edited, so what is there is the administrator's: a second
# install leaves it alone, and uninstall takes it away only if nobody has changed it.
confdir     = $(sysconfdir)/ctmarkd
EXTRA_DIST += etc/ctmarkd.conf

install-data-local: install-conf
uninstall-local: uninstall-conf

.PHONY: install-conf uninstall-conf
install-conf:
	$(MKDIR_P) "$(DESTDIR)$(confdir)"
	@if [ -e "$(DESTDIR)$(confdir)/ctmarkd.conf" ] || [ -L "$(DESTDIR)$(confdir)/ctmarkd.conf" ]; then \
		echo "$(DESTDIR)$(confdir)/ctmarkd.conf is there already and stays as it is"; \
	else \
		echo "$(INSTALL_DATA) etc/ctmarkd.conf $(DESTDIR)$(confdir)"; \
		$(INSTALL_DATA) "$(top_srcdir)/etc/ctmarkd.conf" "$(DESTDIR)$(confdir)/ctmarkd.conf"; \
	fi

uninstall-conf:
	@if cmp -s "$(top_srcdir)/etc/ctmarkd.conf" "$(DESTDIR)$(confdir)/ctmarkd.conf"; then \
		rm -f "$(DESTDIR)$(confdir)/ctmarkd.conf"; \
	fi
	@rmdir "$(DESTDIR)$(confdir)" 2>/dev/null || :
