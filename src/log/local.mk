# SPDX-License-Identifier: GPL-2.0-or-later
# from event to record, in that order
libctshell_la_SOURCES += \
	src/log/msgid.h src/log/msgid.c \
	src/log/plain.h src/log/plain.c \
	src/log/message.h src/log/message.c \
	src/log/meaning.h src/log/meaning.c \
	src/log/fields.h src/log/fields.c \
	src/log/limit.h src/log/limit.c \
	src/log/ring.h src/log/ring.c \
	src/log/journal.h src/log/journal.c \
	src/log/oplog.h src/log/oplog.c
