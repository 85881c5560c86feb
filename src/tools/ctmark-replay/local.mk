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
	src/tools/ctmark-replay/kept.c src/tools/ctmark-replay/kept.h \
	src/tools/ctmark-replay/line.c src/tools/ctmark-replay/line.h \
	src/tools/ctmark-replay/decode.c src/tools/ctmark-replay/decode.h \
	src/tools/ctmark-replay/decode_text.c \
	src/tools/ctmark-replay/look.c src/tools/ctmark-replay/look.h \
	src/tools/ctmark-replay/who.c src/tools/ctmark-replay/who.h \
	src/tools/ctmark-replay/notes.c \
	src/tools/ctmark-replay/life.c src/tools/ctmark-replay/life.h \
	src/tools/ctmark-replay/request.c src/tools/ctmark-replay/request.h \
	src/tools/ctmark-replay/choice.c src/tools/ctmark-replay/choice.h \
	src/tools/ctmark-replay/sinks.h \
	src/tools/ctmark-replay/text.c \
	src/tools/ctmark-replay/json.c \
	src/tools/ctmark-replay/summary.c src/tools/ctmark-replay/summary.h \
	src/tools/ctmark-replay/summary_json.c \
	src/tools/ctmark-replay/anatomy.c src/tools/ctmark-replay/anatomy.h \
	src/tools/ctmark-replay/recall.c src/tools/ctmark-replay/recall.h \
	src/tools/ctmark-replay/account.c src/tools/ctmark-replay/account.h \
	src/tools/ctmark-replay/reasons.c src/tools/ctmark-replay/reasons.h \
	src/tools/ctmark-replay/reason_list.h \
	src/tools/ctmark-replay/scene.c src/tools/ctmark-replay/scene.h \
	src/tools/ctmark-replay/settings.c src/tools/ctmark-replay/settings.h \
	src/tools/ctmark-replay/explain.c \
	src/tools/ctmark-replay/explain_found.c \
	src/tools/ctmark-replay/explain_rule.c \
	src/tools/ctmark-replay/explain_tcp.c \
	src/tools/ctmark-replay/explain_tcp_refused.c \
	src/tools/ctmark-replay/explain_tcp_valid.c \
	src/tools/ctmark-replay/explain_sctp.c \
	src/tools/ctmark-replay/explain_icmp.c \
	src/tools/ctmark-replay/compare.c \
	src/tools/ctmark-replay/reel.c src/tools/ctmark-replay/reel.h \
	src/tools/ctmark-replay/graph.c src/tools/ctmark-replay/graph.h \
	src/tools/ctmark-replay/film.c src/tools/ctmark-replay/film.h \
	src/tools/ctmark-replay/markup.c src/tools/ctmark-replay/markup.h \
	src/tools/ctmark-replay/theme.c src/tools/ctmark-replay/theme.h \
	src/tools/ctmark-replay/ladder.c src/tools/ctmark-replay/ladder.h \
	src/tools/ctmark-replay/ladder_draw.c \
	src/tools/ctmark-replay/ladder_details.c \
	src/tools/ctmark-replay/states.c src/tools/ctmark-replay/states.h \
	src/tools/ctmark-replay/picture.c src/tools/ctmark-replay/picture.h \
	src/tools/ctmark-replay/svg.c \
	src/tools/ctmark-replay/html.c \
	src/tools/ctmark-replay/options.c src/tools/ctmark-replay/options.h
libctreplay_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(PCAP_CFLAGS) $(ZLIB_CFLAGS)
libctreplay_la_LIBADD = libctshell.la $(PCAP_LIBS) $(ZLIB_LIBS) $(JANSSON_LIBS)

ctmark_replay_SOURCES = src/tools/ctmark-replay/main.c
ctmark_replay_CFLAGS  = $(AM_CFLAGS) $(JANSSON_CFLAGS)
ctmark_replay_LDFLAGS = $(AM_LDFLAGS) -Wl,--as-needed
ctmark_replay_LDADD   = libctreplay.la
