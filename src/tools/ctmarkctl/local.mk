# SPDX-License-Identifier: GPL-2.0-or-later
# ctmarkctl(1). All but main() is a library, for its tests.
bin_PROGRAMS       += ctmarkctl
noinst_LTLIBRARIES += libctctl.la

libctctl_la_SOURCES = \
	src/tools/ctmarkctl/app.c src/tools/ctmarkctl/app.h \
	src/tools/ctmarkctl/client.c src/tools/ctmarkctl/client.h \
	src/tools/ctmarkctl/control.c \
	src/tools/ctmarkctl/count.c \
	src/tools/ctmarkctl/fault.c src/tools/ctmarkctl/fault.h \
	src/tools/ctmarkctl/filter.c src/tools/ctmarkctl/filter.h \
	src/tools/ctmarkctl/options.c src/tools/ctmarkctl/options.h \
	src/tools/ctmarkctl/print.c src/tools/ctmarkctl/print.h \
	src/tools/ctmarkctl/terminal.c src/tools/ctmarkctl/terminal.h \
	src/tools/ctmarkctl/value.h \
	src/log/plain.c src/log/plain.h
libctctl_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
libctctl_la_LIBADD = $(JANSSON_LIBS)

ctmarkctl_SOURCES = src/tools/ctmarkctl/main.c
ctmarkctl_CFLAGS  = $(AM_CFLAGS) $(JANSSON_CFLAGS)
ctmarkctl_LDADD   = libctctl.la
