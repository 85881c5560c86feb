/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Runs a fuzz target on stored inputs where libFuzzer is not linked in: each argument is a file, or
 * a directory whose files are all run.
 */

#include "tests/fuzz/fuzz.h"

#include "util/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX (1u << 20)

static int run_file(const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "rb");
	_cleanup_free_ uint8_t *data = NULL;
	_cleanup_free_ uint8_t *whole = malloc(INPUT_MAX);
	size_t n;

	if (!f || !whole)
		return -errno;
	n = fread(whole, 1, INPUT_MAX, f);
	if (ferror(f))
		return -EIO;
	/* exactly as large as the input, so that a sanitizer sees the first byte too far */
	data = malloc(n ? n : 1);
	if (!data)
		return -ENOMEM;
	memcpy(data, whole, n);
	LLVMFuzzerTestOneInput(data, n);
	return 1;
}

static int run_dir(const char *path)
{
	DIR *d = opendir(path);
	int total = 0;

	if (!d)
		return -errno;
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		char file[PATH_MAX];
		int r;

		if (e->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
		r = run_file(file);
		if (r < 0) {
			total = r;
			break;
		}
		total += r;
	}
	closedir(d);
	return total;
}

int main(int argc, char **argv)
{
	int total = 0;

	for (int i = 1; i < argc; i++) {
		struct stat st;
		int r;

		if (stat(argv[i], &st) < 0)
			r = -errno;
		else
			r = S_ISDIR(st.st_mode) ? run_dir(argv[i]) : run_file(argv[i]);
		if (r < 0) {
			fprintf(stderr, "%s: %s\n", argv[i], strerror(-r));
			return 1;
		}
		total += r;
	}
	printf("%d inputs\n", total);
	return total == 0;
}
