# SPDX-License-Identifier: GPL-2.0-or-later
# ctmarkctl(1). All but main() is a library, for its tests.
bin_PROGRAMS       += ctmarkctl
noinst_LTLIBRARIES += libctctl.la

libctctl_la_SOURCES = \
	src/tools/ctmarkctl/app.c src/tools/ctmarkctl/app.h \
	src/tools/ctmarkctl/classes.c src/tools/ctmarkctl/classes.h \
	src/tools/ctmarkctl/client.c src/tools/ctmarkctl/client.h \
	src/tools/ctmarkctl/columns.c src/tools/ctmarkctl/columns.h \
	src/tools/ctmarkctl/config.c \
	src/tools/ctmarkctl/conntrack.c src/tools/ctmarkctl/conntrack.h \
	src/tools/ctmarkctl/control.c \
	src/tools/ctmarkctl/count.c \
	src/tools/ctmarkctl/delete.c \
	src/tools/ctmarkctl/events.c \
	src/tools/ctmarkctl/expect.c \
	src/tools/ctmarkctl/explain.c src/tools/ctmarkctl/explain.h \
	src/tools/ctmarkctl/explain_draw.c \
	src/tools/ctmarkctl/fault.c src/tools/ctmarkctl/fault.h \
	src/tools/ctmarkctl/filter.c src/tools/ctmarkctl/filter.h \
	src/tools/ctmarkctl/flows.c src/tools/ctmarkctl/flows.h \
	src/tools/ctmarkctl/limit.c src/tools/ctmarkctl/limit.h \
	src/tools/ctmarkctl/list.c \
	src/tools/ctmarkctl/options.c src/tools/ctmarkctl/options.h \
	src/tools/ctmarkctl/print.c src/tools/ctmarkctl/print.h \
	src/tools/ctmarkctl/rank.c src/tools/ctmarkctl/rank.h \
	src/tools/ctmarkctl/rates.c src/tools/ctmarkctl/rates.h \
	src/tools/ctmarkctl/screen.c src/tools/ctmarkctl/screen.h \
	src/tools/ctmarkctl/series.c src/tools/ctmarkctl/series.h \
	src/tools/ctmarkctl/signals.c src/tools/ctmarkctl/signals.h \
	src/tools/ctmarkctl/stats.c \
	src/tools/ctmarkctl/status.c src/tools/ctmarkctl/status.h \
	src/tools/ctmarkctl/status_draw.c \
	src/tools/ctmarkctl/style.c src/tools/ctmarkctl/style.h \
	src/tools/ctmarkctl/terminal.c src/tools/ctmarkctl/terminal.h \
	src/tools/ctmarkctl/text.c src/tools/ctmarkctl/text.h \
	src/tools/ctmarkctl/top.c src/tools/ctmarkctl/top.h \
	src/tools/ctmarkctl/top_draw.c \
	src/tools/ctmarkctl/value.h \
	src/log/plain.c src/log/plain.h

# rules and check-rules
libctctl_la_SOURCES += \
	src/tools/ctmarkctl/check_found.c src/tools/ctmarkctl/check_list.h \
	src/tools/ctmarkctl/check_input.c src/tools/ctmarkctl/check_input.h \
	src/tools/ctmarkctl/check_iptables.c \
	src/tools/ctmarkctl/check_marks.c \
	src/tools/ctmarkctl/check_model.c src/tools/ctmarkctl/check_model.h \
	src/tools/ctmarkctl/check_nft.c \
	src/tools/ctmarkctl/check_nft_text.c src/tools/ctmarkctl/check_nft_text.h \
	src/tools/ctmarkctl/check_queues.c \
	src/tools/ctmarkctl/check_report.c src/tools/ctmarkctl/check_report.h \
	src/tools/ctmarkctl/check_rules.c \
	src/tools/ctmarkctl/check_walk.c src/tools/ctmarkctl/check_walk.h \
	src/tools/ctmarkctl/rules.c \
	src/tools/ctmarkctl/rules_conf.c src/tools/ctmarkctl/rules_conf.h \
	src/tools/ctmarkctl/rules_iptables.c \
	src/tools/ctmarkctl/rules_nft.c \
	src/tools/ctmarkctl/rules_plan.c src/tools/ctmarkctl/rules_plan.h \
	src/tools/ctmarkctl/rules_source.c src/tools/ctmarkctl/rules_source.h

libctctl_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
libctctl_la_LIBADD = $(JANSSON_LIBS)

ctmarkctl_SOURCES = src/tools/ctmarkctl/main.c
ctmarkctl_CFLAGS  = $(AM_CFLAGS) $(JANSSON_CFLAGS)
ctmarkctl_LDADD   = libctctl.la
