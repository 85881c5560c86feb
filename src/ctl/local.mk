# SPDX-License-Identifier: GPL-2.0-or-later
# from a client's bytes to its replies, in that order
libctshell_la_SOURCES += \
	src/ctl/server.h src/ctl/server.c \
	src/ctl/client.h src/ctl/client.c \
	src/ctl/writer.h src/ctl/writer.c \
	src/ctl/method.h src/ctl/method.c \
	src/ctl/filter.h src/ctl/filter.c \
	src/ctl/walk.h src/ctl/walk.c \
	src/ctl/flow.h src/ctl/flow.c \
	src/ctl/inquiry.c \
	src/ctl/stream.h src/ctl/stream.c \
	src/ctl/mailbox.h src/ctl/mailbox.c \
	src/ctl/asking.h src/ctl/asking.c \
	src/ctl/report.h src/ctl/report.c \
	src/ctl/snapshot.h \
	src/ctl/metrics.h src/ctl/metrics.c

nodist_libctshell_la_SOURCES = src/ctl/texts.c

varlinkdir        = $(datadir)/ctmarkd
dist_varlink_DATA = src/ctl/io.ctmark.Manager.varlink
EXTRA_DIST       += src/ctl/org.varlink.service.varlink
CLEANFILES       += src/ctl/texts.c

# The descriptions as strings, so that the daemon can tell them.
varlink_files = src/ctl/io.ctmark.Manager.varlink src/ctl/org.varlink.service.varlink

src/ctl/texts.c: $(varlink_files) src/ctl/local.mk
	$(AM_V_GEN)$(MKDIR_P) src/ctl && { \
	echo '#include "ctl/method.h"'; \
	for f in manager:io.ctmark.Manager service:org.varlink.service; do \
		echo "const char ctl_text_$${f%%:*}[] ="; \
		$(SED) -e 's/[\\"]/\\&/g' -e 's/.*/"&\\n"/' \
			$(top_srcdir)/src/ctl/$${f#*:}.varlink || exit 1; \
		echo ';'; \
	done; } >$@.tmp && mv $@.tmp $@
