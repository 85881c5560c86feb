/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One run of the loader: shared by search.c, load.c and check.c, of no interest to others. */

#include <stdbool.h>
#include <stdio.h>

#include "conf/conf.h"
#include "conf/table.h"

/* Where a key got its value; file is NULL while it has its default. */
struct conf_origin {
	const char *file; /* owned by whoever runs the loader */
	unsigned int line;
	bool bad; /* the text was refused */
};

/* The same for the section of a zone. */
struct conf_zone_origin {
	struct conf_origin header; /* the first of them */
	struct conf_origin key[CONF_ZONE_KEYS_MAX];
};

struct conf_loader {
	struct conf conf;
	struct conf_origin origin[CONF_KEYS_MAX];
	struct conf_zone_origin zones[CT_ZONES_MAX];
	conf_report *report;
	void *ctx;
	int error; /* first -errno, 0: all is well */

	/* the file that is being read */
	FILE *stream;
	const char *file;
	size_t bytes;
	unsigned int line;
	int zone;		       /* whose section this is, -1: of none */
	unsigned int section_line;     /* of the header that is in force, 0: none */
	bool section_bad;	       /* that header is malformed: its keys belong nowhere */
	unsigned int unknown_section;  /* section_line that was complained about */
	bool assignment;	       /* the line looks like one ... */
	bool assigned;		       /* ... and was one */
	unsigned int first_error_line; /* of the form, not of a value; 0: none */
};

/* Reports text; line 0: none. An error (negative err) is latched, 0 makes it a warning. */
void conf_say(struct conf_loader *l, int err, const char *file, unsigned int line,
	      const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Files to read, in the order of reading. */
struct conf_paths {
	char **path;
	size_t count;
};

/*
 * Finds the files of the search below root: main files, then drop-ins. What cannot be looked at is
 * reported. Returns 0 or -ENOMEM; *ret is set in both cases, for conf_paths_done().
 */
int conf_search(struct conf_loader *l, const char *root, struct conf_paths *ret);
void conf_paths_done(struct conf_paths *paths);

/* Appends path, which it takes over, also on failure. Returns 0 or -ENOMEM. */
int conf_paths_append(struct conf_paths *paths, char *path);

/* Copies what l knows of the origins of its values. Returns 0 or -ENOMEM. */
int conf_origins_new(struct conf_origins **ret, const struct conf_loader *l);

/* Reads l->stream, named l->file, into l->conf. */
void conf_read_stream(struct conf_loader *l);

/* Notes which zone the keys that follow belong to, by the text between the brackets of a header. */
void conf_enter_section(struct conf_loader *l, const char *section, size_t len);

/* Checks zones by themselves and against each other, and against Range= if that is good. */
void conf_check_zones(struct conf_loader *l, bool range_is_good);

/* Computes what follows from other values (struct conf: derived). */
void conf_derive(struct conf *c);

/* Checks values against each other once all files were read. */
void conf_check(struct conf_loader *l);
