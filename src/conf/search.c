/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Which files make up the configuration, by the rules of systemd: a vendor's main file is amended
 * by the administrator's, then come drop-ins from three places, ordered by file name alone. Of
 * several drop-ins with one name only that of the strongest place counts, so an empty file or a
 * link to /dev/null there takes a weaker one out.
 */

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "conf/loader.h"
#include "util/cleanup.h"

#define VENDOR_MAIN "/usr/lib/ctmarkd/ctmarkd.conf"
#define ADMIN_MAIN  SYSCONFDIR "/ctmarkd/ctmarkd.conf"

/* Weakest first. */
static const char *const dropin_dirs[] = {
	"/usr/lib/ctmarkd/ctmarkd.conf.d",
	"/run/ctmarkd/ctmarkd.conf.d",
	SYSCONFDIR "/ctmarkd/ctmarkd.conf.d",
};

static const char *base_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

static int by_base_name(const void *a, const void *b)
{
	return strcmp(base_name(*(char *const *)a), base_name(*(char *const *)b));
}

int conf_paths_append(struct conf_paths *paths, char *path)
{
	char **grown = reallocarray(paths->path, paths->count + 1, sizeof(*grown));

	if (!grown) {
		free(path);
		return -ENOMEM;
	}
	paths->path = grown;
	paths->path[paths->count++] = path;
	return 0;
}

/* Appends path, or puts it in the place of the drop-in (those from first on) of the same name. */
static int append_dropin(struct conf_paths *paths, size_t first, char *path)
{
	for (size_t i = first; i < paths->count; i++) {
		if (by_base_name(&paths->path[i], &path) == 0) {
			free(paths->path[i]);
			paths->path[i] = path;
			return 0;
		}
	}
	return conf_paths_append(paths, path);
}

static bool is_dropin(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > 5 && strcmp(name + len - 5, ".conf") == 0;
}

static int search_dir(struct conf_loader *l, const char *dir, size_t first,
		      struct conf_paths *paths)
{
	const struct dirent *entry;
	DIR *d = opendir(dir);
	int r = 0;

	if (!d) {
		if (errno != ENOENT)
			conf_say(l, -errno, dir, 0, "cannot be read: %s", strerror(errno));
		return 0;
	}
	while (r == 0 && (entry = readdir(d))) {
		char *path;

		if (!is_dropin(entry->d_name))
			continue;
		if (asprintf(&path, "%s/%s", dir, entry->d_name) < 0)
			r = -ENOMEM;
		else
			r = append_dropin(paths, first, path);
	}
	closedir(d);
	return r;
}

/* An empty file or the null device: its name is taken, so that a weaker file is not read. */
static bool is_mask(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	return S_ISCHR(st.st_mode) ? st.st_rdev == makedev(1, 3)
				   : S_ISREG(st.st_mode) && st.st_size == 0;
}

/* Also true for what cannot be looked at: reading it will say why. */
static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 || errno != ENOENT;
}

static int search_main(const char *root, struct conf_paths *paths)
{
	_cleanup_free_ char *vendor = NULL, *admin = NULL;
	int r = 0;

	if (asprintf(&vendor, "%s" VENDOR_MAIN, root) < 0) {
		vendor = NULL;
		return -ENOMEM;
	}
	if (asprintf(&admin, "%s" ADMIN_MAIN, root) < 0) {
		admin = NULL;
		return -ENOMEM;
	}
	if (!is_mask(admin) && exists(vendor))
		r = conf_paths_append(paths, TAKE_PTR(vendor));
	if (r == 0 && exists(admin))
		r = conf_paths_append(paths, TAKE_PTR(admin));
	return r;
}

int conf_search(struct conf_loader *l, const char *root, struct conf_paths *ret)
{
	struct conf_paths paths = {0};
	int r = search_main(root, &paths);
	size_t first = paths.count;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(dropin_dirs); i++) {
		_cleanup_free_ char *dir = NULL;

		if (asprintf(&dir, "%s%s", root, dropin_dirs[i]) < 0) {
			dir = NULL;
			r = -ENOMEM;
		} else {
			r = search_dir(l, dir, first, &paths);
		}
	}
	if (paths.count > first)
		qsort(paths.path + first, paths.count - first, sizeof(*paths.path), by_base_name);
	*ret = paths;
	return r;
}

void conf_paths_done(struct conf_paths *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		free(paths->path[i]);
	free(paths->path);
	*paths = (struct conf_paths){0};
}
