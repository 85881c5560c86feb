# in packet order: follow a packet from top to bottom
libctcore_la_SOURCES +=
