# SPDX-License-Identifier: GPL-2.0-or-later
# Two convenience libraries (the pure core, the shell around it) and a main of a few lines:
# daemon, tests and fuzzers link the same objects.
noinst_LTLIBRARIES += libctcore.la libctshell.la

libctcore_la_SOURCES  =
libctshell_la_SOURCES =
libctshell_la_CFLAGS  = $(AM_CFLAGS) $(MNL_CFLAGS) $(NFQ_CFLAGS) $(NFNL_CFLAGS) $(SYSTEMD_CFLAGS) \
	$(INIH_CFLAGS) $(JANSSON_CFLAGS)
libctshell_la_LIBADD  = libctcore.la $(NFQ_LIBS) $(MNL_LIBS) $(NFNL_LIBS) $(SYSTEMD_LIBS) $(INIH_LIBS) \
	$(JANSSON_LIBS)

include src/util/local.mk
include src/core/local.mk
include src/io/local.mk
include src/log/local.mk
include src/conf/local.mk
include src/ctl/local.mk
include src/daemon/local.mk
include src/tools/ctmarkctl/local.mk
include src/tools/ctmark-replay/local.mk
