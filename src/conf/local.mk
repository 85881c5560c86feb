libctshell_la_SOURCES +=
