libctshell_la_SOURCES += src/log/msgid.h src/log/msgid.c src/log/oplog.h src/log/journal.h
