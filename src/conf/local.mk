# SPDX-License-Identifier: GPL-2.0-or-later
libctshell_la_SOURCES += \
	src/conf/conf.h src/conf/conf.c \
	src/conf/table.h src/conf/table.c \
	src/conf/value.h src/conf/value.c \
	src/conf/loader.h src/conf/search.c src/conf/load.c src/conf/check.c \
	src/conf/zone.c \
	src/conf/print.h src/conf/print.c \
	src/conf/settings.h src/conf/settings.c
