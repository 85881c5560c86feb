# SPDX-License-Identifier: GPL-2.0-or-later
# ctmark-replay(1). All but main() is a library, for its tests. Of the shell it takes the configuration
# and the words of the log; what it does not call is not linked.
bin_PROGRAMS       += ctmark-replay
noinst_LTLIBRARIES += libctreplay.la

libctreplay_la_SOURCES = \
	src/io/link.c src/io/link.h \
	src/io/nflog.c src/io/nflog.h \
	src/io/offload.c src/io/offload.h \
	src/io/gzfile.c src/io/gzfile.h \
	src/io/interface.c src/io/interface.h \
	src/io/pcap.c src/io/pcap.h \
	src/tools/ctmark-replay/record.h \
	src/tools/ctmark-replay/replay.c src/tools/ctmark-replay/replay.h \
	src/tools/ctmark-replay/choice.c src/tools/ctmark-replay/choice.h \
	src/tools/ctmark-replay/sinks.h \
	src/tools/ctmark-replay/text.c \
	src/tools/ctmark-replay/json.c \
	src/tools/ctmark-replay/summary.c \
	src/tools/ctmark-replay/explain.c \
	src/tools/ctmark-replay/compare.c \
	src/tools/ctmark-replay/svg.c \
	src/tools/ctmark-replay/html.c \
	src/tools/ctmark-replay/options.c src/tools/ctmark-replay/options.h
libctreplay_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(PCAP_CFLAGS) $(ZLIB_CFLAGS)
libctreplay_la_LIBADD = libctshell.la $(PCAP_LIBS) $(ZLIB_LIBS) $(JANSSON_LIBS)

ctmark_replay_SOURCES = src/tools/ctmark-replay/main.c
ctmark_replay_CFLAGS  = $(AM_CFLAGS) $(JANSSON_CFLAGS)
ctmark_replay_LDFLAGS = $(AM_LDFLAGS) -Wl,--as-needed
ctmark_replay_LDADD   = libctreplay.la
