# SPDX-License-Identifier: GPL-2.0-or-later
libctshell_la_SOURCES += \
	src/io/source.h \
	src/io/desk.c src/io/desk.h \
	src/io/nlpacket.c src/io/nlpacket.h \
	src/io/nfqsocket.c src/io/nfqsocket.h \
	src/io/inherit.c src/io/inherit.h \
	src/io/nfqueue.c src/io/nfqueue.h \
	src/io/rcvbuf.c src/io/rcvbuf.h \
	src/io/ledger.c src/io/ledger.h \
	src/io/outstanding.c src/io/outstanding.h \
	src/io/verdict.c src/io/verdict.h \
	src/io/queuelist.c src/io/queuelist.h \
	src/io/ifname.c src/io/ifname.h
