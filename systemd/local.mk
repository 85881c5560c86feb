# SPDX-License-Identifier: GPL-2.0-or-later
# Made by make, not by configure, which leaves $(sbindir) unexpanded.
systemdsystemunit_DATA = systemd/ctmarkd.service
sysusers_DATA          = systemd/sysusers.d/ctmarkd.conf
dist_catalog_DATA      = systemd/ctmarkd.catalog
dist_systemdsystemunit_DATA = systemd/ctmarkd.socket

EXTRA_DIST += systemd/ctmarkd.service.in systemd/ctmarkd.sysusers
CLEANFILES += $(systemdsystemunit_DATA) $(sysusers_DATA)

systemd/ctmarkd.service: systemd/ctmarkd.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && \
	$(SED) -e 's|@sbindir[@]|$(sbindir)|' -e 's|@UNIT_TYPE[@]|$(UNIT_TYPE)|' \
		-e 's|@UNIT_RELOAD[@]|$(UNIT_RELOAD)|' \
		-e 's|@UNIT_STORE[@]|$(UNIT_STORE)|' -e 's|@UNIT_STORE_ENV[@]|$(UNIT_STORE_ENV)|' \
		$(top_srcdir)/systemd/ctmarkd.service.in >$@.tmp && mv $@.tmp $@

systemd/sysusers.d/ctmarkd.conf: systemd/ctmarkd.sysusers
	$(AM_V_GEN)$(MKDIR_P) systemd/sysusers.d && \
	cp $(top_srcdir)/systemd/ctmarkd.sysusers $@.tmp && mv $@.tmp $@

# journalctl -x reads a database made of the catalogs. Packages have a trigger for it.
update_catalog = if test -z '$(DESTDIR)' && test -w /var/lib/systemd/catalog; then \
	case '$(catalogdir)' in /usr/*) journalctl --update-catalog ;; esac; fi

install-data-hook:
	$(update_catalog)

uninstall-hook:
	$(update_catalog)
