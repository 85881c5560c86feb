/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * iptables comes in two kinds whose rules do not see each other, and nft lists one of them as well.
 * All that are installed are asked; one that fails because the kernel lacks its half has no rules.
 */

#include "tools/ctmarkctl/check_input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "util/cleanup.h"

/* No rule set is larger. */
#define TEXT_MAX (256u << 20)

/* All of a stream, terminated. Returns 0 or -errno. */
static int read_all(FILE *stream, char **ret, size_t *ret_len)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0, size = 0;

	for (;;) {
		size_t n;

		if (size - len < 2) {
			char *bigger = realloc(text, size = size ? size * 2 : 65536);

			if (!bigger || size > TEXT_MAX) {
				text = bigger ? bigger : text;
				return bigger ? -E2BIG : -ENOMEM;
			}
			text = bigger;
		}
		n = fread(text + len, 1, size - len - 1, stream);
		if (n == 0)
			break;
		len += n;
	}
	if (ferror(stream))
		return -EIO;
	text[len] = '\0';
	*ret = TAKE_PTR(text);
	*ret_len = len;
	return 0;
}

/* --- one text -------------------------------------------------------------------------------- */

/* What a program or a file lists: rules of one family of iptables, or (0) of nft. */
static enum app_status read_text(struct check_set *set, unsigned int family, char *text, size_t len,
				 const char *name)
{
	char why[256] = "";
	int result;

	if (family && memchr(text, '\0', len))
		return app_fail(APP_FAILURE, "%s: not a text", name);
	if (family)
		result = check_read_iptables(set, family, text, why, sizeof(why));
	else
		result = check_read_nft(set, text, len, why, sizeof(why));
	if (result < 0)
		return app_fail(APP_FAILURE, "%s: %s", name, why[0] ? why : strerror(-result));
	return APP_OK;
}

static enum app_status read_file(struct check_set *set, unsigned int family, const char *name)
{
	bool is_stdin = strcmp(name, "-") == 0;
	_cleanup_fclose_ FILE *file = is_stdin ? fdopen(dup(STDIN_FILENO), "r") : fopen(name, "re");
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int result;

	if (!file)
		return app_fail(APP_FAILURE, "%s: %s", name, strerror(errno));
	result = read_all(file, &text, &len);
	if (result < 0)
		return app_fail(APP_FAILURE, "%s: %s", name, strerror(-result));
	return read_text(set, family, text, len, name);
}

/* --- programs -------------------------------------------------------------------------------- */

enum { NOT_THERE = 127 };

static void become(const char *const argv[], int out)
{
	int null = open("/dev/null", O_RDWR);

	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	execvp(argv[0], (char *const *)argv);
	_exit(NOT_THERE);
}

/* Runs a program; *ret_text is what it printed. Returns its exit status, or -errno. */
static int run(const char *const argv[], char **ret_text, size_t *ret_len)
{
	int fds[2], status, result;
	FILE *stream;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		become(argv, fds[1]);
	close(fds[1]);
	stream = fdopen(fds[0], "r");
	if (!stream)
		close(fds[0]);
	result = stream && pid > 0 ? read_all(stream, ret_text, ret_len) : -ENOMEM;
	if (stream)
		fclose(stream); /* it may still write */
	if (pid > 0 && waitpid(pid, &status, 0) < 0)
		return -errno;
	if (result < 0)
		return result;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* Returns APP_OK also if the program is not there, or cannot list anything on this kernel. */
static enum app_status ask(struct check_set *set, unsigned int family, const char *const argv[],
			   bool *ret_asked)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int result = run(argv, &text, &len);

	if (result < 0)
		return app_fail(APP_FAILURE, "%s: %s", argv[0], strerror(-result));
	if (result != 0 && result != NOT_THERE && !family)
		app_fail(APP_FAILURE, "%s failed: what it has loaded is not looked at", argv[0]);
	if (result != 0 || !text)
		return APP_OK;
	*ret_asked = true;
	return read_text(set, family, text, len, argv[0]);
}

static enum app_status ask_iptables(struct check_set *set, unsigned int family, bool *ret_asked)
{
	static const char *const programs[2][3] = {
		{"iptables-nft-save", "iptables-legacy-save", "iptables-save"},
		{"ip6tables-nft-save", "ip6tables-legacy-save", "ip6tables-save"},
	};
	bool asked = false;

	for (int i = 0; i < 3; i++) {
		const char *argv[] = {programs[family == RULES_IPV6][i], NULL};
		enum app_status status;

		/* the last one is one of the others by its plain name */
		if (i == 2 && asked)
			break;
		status = ask(set, family, argv, &asked);
		if (status != APP_OK)
			return status;
	}
	*ret_asked |= asked;
	return APP_OK;
}

static enum app_status ask_all(struct check_set *set)
{
	const char *nft[] = {"nft", "-j", "list", "ruleset", NULL};
	const char *path = getenv("PATH");
	bool asked = false;
	char longer[4096];
	enum app_status status;

	if (geteuid() != 0)
		return app_fail(APP_PERMISSION, "only root can list the rules that are loaded; "
						"--iptables, --ip6tables and --nft read files");
	snprintf(longer, sizeof(longer), "%s:/usr/sbin:/sbin", path && *path ? path : "/usr/bin");
	setenv("PATH", longer, 1);
	status = ask_iptables(set, RULES_IPV4, &asked);
	if (status == APP_OK)
		status = ask_iptables(set, RULES_IPV6, &asked);
	if (status == APP_OK)
		status = ask(set, 0, nft, &asked);
	if (status == APP_OK && !asked)
		status = app_fail(APP_FAILURE, "neither iptables-save nor nft list any rules");
	return status;
}

enum app_status check_input(const struct app *app, struct check_set *set)
{
	static const struct {
		enum option_id option;
		unsigned int family;
	} files[] = {
		/* nft comes last: it leaves out what iptables has told of */
		{OPTION_IPTABLES_FILE, RULES_IPV4},
		{OPTION_IP6TABLES_FILE, RULES_IPV6},
		{OPTION_NFT_FILE, 0},
	};
	enum app_status status = APP_OK;
	bool any = false;

	for (size_t i = 0; i < ARRAY_SIZE(files) && status == APP_OK; i++) {
		const char *name = app->option[files[i].option];

		any |= name != NULL;
		if (name)
			status = read_file(set, files[i].family, name);
	}
	return any ? status : ask_all(set);
}
