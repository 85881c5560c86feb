# SPDX-License-Identifier: GPL-2.0-or-later
libctshell_la_SOURCES += \
	src/ctl/snapshot.h \
	src/ctl/metrics.h src/ctl/metrics.c
