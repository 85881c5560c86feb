# SPDX-License-Identifier: GPL-2.0-or-later
# in packet order: follow a packet from top to bottom
libctcore_la_SOURCES += \
	src/core/core.h \
	src/core/batch.c \
	src/core/track.c src/core/step.c src/core/step.h \
	src/core/pkt.c src/core/pkt.h src/core/cursor.h \
	src/core/fragment.c src/core/fragment.h src/core/held.c src/core/held.h \
	src/core/datagram.c src/core/datagram.h \
	src/core/tuple.c src/core/tuple.h src/core/key.h \
	src/core/siphash.c src/core/siphash.h \
	src/core/table.c src/core/table.h src/core/lock.h \
	src/core/arena.c src/core/arena.h src/core/flow.h \
	src/core/trace.c src/core/trace.h src/core/traced.h \
	src/core/adopt.c src/core/adopt.h src/core/sound.c src/core/sound.h \
	src/core/related.c src/core/related.h \
	src/core/proto.c src/core/proto.h src/core/checksum.c src/core/checksum.h \
	src/core/crc32c.c src/core/crc32c.h \
	src/core/tcp.c src/core/tcp.h src/core/tcp_fsm.c src/core/tcp_window.c \
	src/core/udp.c src/core/udplite.c \
	src/core/sctp.c src/core/sctp.h src/core/sctp_fsm.c \
	src/core/icmp.c src/core/icmp.h src/core/icmp6.c \
	src/core/gre.c src/core/generic.c \
	src/core/ctinfo.c src/core/ctinfo.h \
	src/core/confirm.c src/core/confirm.h \
	src/core/end.c src/core/end.h src/core/room.c src/core/room.h \
	src/core/timer.c src/core/timer.h src/core/expire.c \
	src/core/talkers.c src/core/talkers.h \
	src/core/view.c src/core/view.h src/core/history.c src/core/history.h \
	src/core/event.h src/core/reasons.h src/core/names.c \
	src/core/stats.c src/core/stats.h \
	src/core/config.c \
	src/core/helper/call.c src/core/helper/call.h \
	src/core/helper/helper.c src/core/helper/helper.h \
	src/core/helper/expect.c src/core/helper/expect.h \
	src/core/helper/text.c src/core/helper/text.h \
	src/core/helper/keymap.c src/core/helper/keymap.h \
	src/core/helper/ftp.c src/core/helper/tftp.c src/core/helper/irc.c \
	src/core/helper/sip.c src/core/helper/sip.h src/core/helper/sip_sdp.c \
	src/core/helper/sip_message.c src/core/helper/sip_message.h \
	src/core/helper/pptp.c src/core/helper/amanda.c src/core/helper/sane.c
