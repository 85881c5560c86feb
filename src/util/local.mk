libctshell_la_SOURCES += src/util/cleanup.h src/util/clock.h
