# SPDX-License-Identifier: GPL-2.0-or-later
libctshell_la_SOURCES += \
	src/daemon/options.c src/daemon/options.h \
	src/daemon/rounds.c src/daemon/rounds.h \
	src/daemon/zones.c src/daemon/zones.h \
	src/daemon/seat.c src/daemon/seat.h \
	src/daemon/worker.c src/daemon/worker.h \
	src/daemon/memory.c src/daemon/memory.h \
	src/daemon/store.c src/daemon/store.h \
	src/daemon/state.c src/daemon/state.h \
	src/daemon/cgroup.c src/daemon/cgroup.h \
	src/daemon/status.c src/daemon/status.h \
	src/daemon/crowd.c src/daemon/crowd.h \
	src/daemon/accounts.c src/daemon/accounts.h \
	src/daemon/strain.c src/daemon/strain.h \
	src/daemon/monitor.c src/daemon/monitor.h src/daemon/trouble.h \
	src/daemon/takeover.c src/daemon/takeover.h \
	src/daemon/queues.c src/daemon/queues.h \
	src/daemon/socket.c src/daemon/socket.h \
	src/daemon/control.c src/daemon/control.h src/daemon/snapshot.c \
	src/daemon/settings.c src/daemon/setup.c \
	src/daemon/daemon.c src/daemon/daemon.h

sbin_PROGRAMS  += ctmarkd
ctmarkd_SOURCES = src/daemon/main.c
ctmarkd_LDADD   = libctshell.la
