/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Files into values. libinih splits lines; this file feeds it one line at a time, so that it knows
 * where it is (inih tells its handler no line number), refuses lines that inih would cut in two,
 * and can name every malformed line where inih remembers the first alone.
 */

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <syslog.h>

#include "conf/loader.h"
#include "util/cleanup.h"

/* No honest configuration comes near; /dev/zero would be read for ever. */
#define FILE_BYTES_MAX (1024UL * 1024)

#define BLANKS " \t\r\f\v"

void conf_say(struct conf_loader *l, int err, const char *file, unsigned int line,
	      const char *format, ...)
{
	char text[1024];
	size_t used;
	va_list ap;

	if (line)
		snprintf(text, sizeof(text), "%s:%u: ", file, line);
	else
		snprintf(text, sizeof(text), "%s: ", file);
	used = strlen(text);
	va_start(ap, format);
	vsnprintf(text + used, sizeof(text) - used, format, ap);
	va_end(ap);

	/* Text of the file may end up on a terminal. */
	for (char *p = text; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == '\x7f')
			*p = '?';
	}
	if (err && !l->error)
		l->error = err;
	if (l->report)
		l->report(l->ctx, err ? LOG_ERR : LOG_WARNING, text);
}

static void say_here(struct conf_loader *l, const char *text)
{
	if (!l->first_error_line)
		l->first_error_line = l->line;
	conf_say(l, -EINVAL, l->file, l->line, "%s", text);
}

/* --- lines -------------------------------------------------------------------------------- */

struct line {
	size_t len;
	bool cut, has_nul;
};

/*
 * Reads one line without its end and without the blanks before it (to inih they would make it a
 * continuation of the last value), at most size bytes of it. Returns false at the end of the file.
 */
static bool read_line(struct conf_loader *l, char *buf, size_t size, struct line *ret)
{
	struct line line = {0};
	bool any = false;
	int c;

	while ((c = getc_unlocked(l->stream)) != EOF && ++l->bytes <= FILE_BYTES_MAX) {
		any = true;
		if (c == '\n')
			break;
		if (line.len == 0 && c && strchr(BLANKS, c))
			continue;
		line.has_nul |= c == '\0';
		if (line.len < size)
			buf[line.len++] = (char)c;
		else
			line.cut = true;
	}
	if (c == EOF && ferror(l->stream))
		conf_say(l, -errno, l->file, 0, "cannot be read: %s", strerror(errno));
	*ret = line;
	return any;
}

/* The form of a section header, of which inih checks less. */
static void check_header(struct conf_loader *l, const char *text)
{
	const char *end = strchr(text, ']');

	l->section_bad = !end;
	if (!end) {
		say_here(l, "section header without \"]\"");
		return;
	}
	end += 1 + strspn(end + 1, BLANKS);
	if (*end && *end != ';' && *end != '#')
		say_here(l, "text after the section header");
}

/* A line with "=" reaches the handler before the next one is read. */
static void check_assigned(struct conf_loader *l)
{
	if (l->assignment && !l->assigned)
		say_here(l, "neither a [Section] nor Key=value");
	l->assignment = false;
	l->assigned = false;
}

/* Looks at a line before inih does. Returns false if inih should see an empty one instead. */
static bool admit_line(struct conf_loader *l, const char *text, const struct line *line,
		       size_t size)
{
	char why[64];

	if (line->len == 0 || *text == '#' || *text == ';')
		return false;
	if (line->has_nul) {
		say_here(l, "line contains a NUL byte");
		return false;
	}
	if (line->cut) {
		snprintf(why, sizeof(why), "line is longer than %zu bytes", size);
		say_here(l, why);
		return false;
	}
	if (*text == '[') {
		l->section_line = l->line;
		check_header(l, text);
		if (!l->section_bad)
			conf_enter_section(l, text + 1, strcspn(text + 1, "]"));
	} else {
		l->assignment = true;
	}
	return true;
}

/* The reader of ini_parse_stream(), in the place of fgets(). */
static char *next_line(char *buf, int num, void *loader)
{
	struct conf_loader *l = loader;
	size_t size = (size_t)num - 2; /* '\n' and NUL */
	struct line line;

	check_assigned(l);
	if (!read_line(l, buf, size, &line))
		return NULL;
	l->line++;
	if (l->bytes > FILE_BYTES_MAX) {
		say_here(l, "file is longer than 1 MiB");
		return NULL;
	}
	buf[line.len] = '\0';
	if (l->line == 1 && strncmp(buf, "\xef\xbb\xbf", 3) == 0) { /* byte order mark */
		line.len -= 3;
		memmove(buf, buf + 3, line.len + 1);
	}
	if (!admit_line(l, buf, &line, size))
		line.len = 0;
	memcpy(buf + line.len, "\n", 2);
	return buf;
}

/* --- values ------------------------------------------------------------------------------- */

/* A key, and where its value and its origin are kept. */
struct place {
	const struct conf_key *key;
	void *field;
	struct conf_origin *origin;
};

static bool find_key(struct conf_loader *l, const char *section, const char *name,
		     struct place *ret)
{
	for (size_t i = 0; i < conf_table_len; i++) {
		const struct conf_key *k = &conf_table[i];

		if (strcmp(k->section, section) == 0 && strcmp(k->name, name) == 0) {
			*ret = (struct place){k, (char *)&l->conf + k->offset, &l->origin[i]};
			return true;
		}
	}
	return false;
}

static bool find_zone_key(struct conf_loader *l, const char *name, struct place *ret)
{
	for (size_t i = 0; i < conf_zone_table_len; i++) {
		const struct conf_key *k = &conf_zone_table[i];

		if (strcmp(k->name, name) == 0) {
			*ret = (struct place){k, (char *)&l->conf.zones[l->zone] + k->offset,
					      &l->zones[l->zone].key[i]};
			return true;
		}
	}
	return false;
}

static bool is_section(const struct conf_loader *l, const char *section)
{
	if (l->zone >= 0)
		return true;
	for (size_t i = 0; i < conf_table_len; i++) {
		if (strcmp(conf_table[i].section, section) == 0)
			return true;
	}
	return false;
}

/* The key that was probably meant: right but for case or section. */
static const struct conf_key *guess_key(const char *name)
{
	for (size_t i = 0; i < conf_table_len; i++) {
		if (strcasecmp(conf_table[i].name, name) == 0)
			return &conf_table[i];
	}
	for (size_t i = 0; i < conf_zone_table_len; i++) {
		if (strcasecmp(conf_zone_table[i].name, name) == 0)
			return &conf_zone_table[i];
	}
	return NULL;
}

static void say_unknown(struct conf_loader *l, const char *section, const char *name)
{
	const struct conf_key *guess = guess_key(name);

	if (!l->section_line) {
		conf_say(l, 0, l->file, l->line, "%s= before the first section, ignored", name);
	} else if (!is_section(l, section)) {
		if (l->unknown_section != l->section_line)
			conf_say(l, 0, l->file, l->section_line, "unknown section [%s], ignored",
				 section);
		l->unknown_section = l->section_line;
	} else if (guess) {
		conf_say(l, 0, l->file, l->line,
			 "unknown key [%s] %s=, ignored (did you mean [%s] %s=?)", section, name,
			 guess->section, guess->name);
	} else {
		conf_say(l, 0, l->file, l->line, "unknown key [%s] %s=, ignored", section, name);
	}
}

/* The handler of ini_parse_stream(). Returns 1: inih's own error is of no use here. */
static int assign(void *loader, const char *section, const char *name, const char *value)
{
	struct conf_loader *l = loader;
	char why[CONF_WHY_MAX];
	struct place p;

	l->assigned = true;
	if (l->section_bad)
		return 1;
	if (l->zone >= 0 ? !find_zone_key(l, name, &p) : !find_key(l, section, name, &p)) {
		say_unknown(l, section, name);
		return 1;
	}
	*p.origin = (struct conf_origin){.file = l->file, .line = l->line};
	if (!*value) {
		value = p.key->def; /* an empty value is the default again */
		p.origin->file = NULL;
	}
	if (!*value) {
		memset(p.field, 0, p.key->spec.size);
	} else if (p.key->parse(&p.key->spec, value, p.field, why) < 0) {
		p.origin->bad = true;
		conf_say(l, -EINVAL, l->file, l->line, "[%s] %s=%s: %s", section, name, value, why);
	}
	return 1;
}

/* --- files -------------------------------------------------------------------------------- */

void conf_read_stream(struct conf_loader *l)
{
	int r;

	l->line = l->section_line = l->unknown_section = l->first_error_line = 0;
	l->section_bad = false;
	l->zone = -1;
	l->bytes = 0;
	r = ini_parse_stream(next_line, l, assign, l);
	check_assigned(l);
	if (r > 0 && !l->first_error_line)
		conf_say(l, -EINVAL, l->file, (unsigned int)r, "malformed line");
	if (r < 0)
		conf_say(l, -ENOMEM, l->file, 0, "cannot be read: %s", strerror(ENOMEM));
}

/* Refuses what cannot have been meant; in the search also a FIFO, whose writer may never come. */
static int check_type(int fd, bool searched)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return searched && S_ISFIFO(st.st_mode) ? -EINVAL : 0;
}

static void read_file(struct conf_loader *l, const char *path, bool searched)
{
	_cleanup_close_ int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (searched ? O_NONBLOCK : 0));
	_cleanup_fclose_ FILE *stream = NULL;
	int r;

	if (fd < 0 && errno == ENOENT && searched) {
		conf_say(l, 0, path, 0, "link to a file that does not exist, ignored");
		return;
	}
	r = fd < 0 ? -errno : check_type(fd, searched);
	if (r == 0) {
		stream = fdopen(fd, "re");
		r = stream ? 0 : -errno;
	}
	if (r < 0) {
		conf_say(l, r, path, 0, "cannot be read: %s", strerror(-r));
		return;
	}
	TAKE_FD(fd);
	l->stream = stream;
	l->file = path;
	conf_read_stream(l);
}

/* Ends a run: the values are handed out only if all was well. */
static int finish(struct conf_loader *l, struct conf *ret, struct conf_origins **ret_origins)
{
	int r;

	conf_check(l);
	conf_derive(&l->conf);
	if (!l->error && ret_origins) {
		r = conf_origins_new(ret_origins, l);
		if (r < 0)
			conf_say(l, r, "configuration", 0, "cannot be kept: %s", strerror(-r));
	}
	if (!l->error)
		*ret = l->conf;
	return l->error;
}

int conf_load(struct conf *ret, struct conf_origins **ret_origins, const char *root,
	      const char *file, conf_report *report, void *ctx)
{
	struct conf_loader l = {.report = report, .ctx = ctx};
	struct conf_paths paths = {0};
	int r;

	conf_init(&l.conf);
	if (file) {
		read_file(&l, file, false);
		return finish(&l, ret, ret_origins);
	}
	r = conf_search(&l, root, &paths);
	for (size_t i = 0; r == 0 && i < paths.count; i++)
		read_file(&l, paths.path[i], true);
	if (r < 0)
		conf_say(&l, r, "configuration", 0, "cannot be read: %s", strerror(-r));
	r = finish(&l, ret, ret_origins);
	conf_paths_done(&paths);
	return r;
}

int conf_load_stream(struct conf *ret, FILE *stream, const char *name, conf_report *report,
		     void *ctx)
{
	struct conf_loader l = {.report = report, .ctx = ctx, .stream = stream, .file = name};

	conf_init(&l.conf);
	conf_read_stream(&l);
	return finish(&l, ret, NULL);
}
