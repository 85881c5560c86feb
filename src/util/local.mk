# SPDX-License-Identifier: GPL-2.0-or-later
libctshell_la_SOURCES += src/util/cleanup.h src/util/clock.h src/util/thread.h \
	src/util/protocols.h src/util/tty.h src/util/words.h
