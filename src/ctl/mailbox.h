/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What the control thread asks of the main thread, and the answers.
 *
 * A letter has one owner at a time: the control thread writes it, the main thread reads and answers
 * it, the control thread reads the answer and frees it. Neither waits for the other: each is told
 * by an eventfd that there is something in its box.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "conf/settings.h"
#include "ctl/snapshot.h"

/* What is asked, and whether that changes something. */
#define CTL_ASK_LIST(X)                                                                            \
	X(SNAPSHOT, false)                                                                         \
	X(SETTINGS, false)                                                                         \
	X(RELOAD, true)                                                                            \
	X(LEVEL, true)                                                                             \
	X(TOLD, true) /* nothing: flows were ended, write the record of it */

enum ctl_ask {
#define X(name, changes) CTL_ASK_##name,
	CTL_ASK_LIST(X)
#undef X
		CTL_ASK_MAX
};

bool ctl_ask_changes(enum ctl_ask ask);

/* Copies of what conf_settings_each() tells. */
struct ctl_setting {
	struct ctl_setting *next;
	char *section, *key, *value, *def;
	char *origin, *wanted; /* NULL: none */
};

#define CTL_MESSAGES_MAX 64
#define CTL_KEYS_MAX	 512

struct ctl_letter {
	struct ctl_letter *next;
	enum ctl_ask ask;
	/* who asks */
	uint64_t client, call; /* who waits for the answer, and for which call */
	uid_t uid;
	pid_t pid;
	char method[16];
	int level;	  /* LEVEL: the new one */
	uint64_t deleted; /* TOLD */
	/* the answer; all of it belongs to the letter */
	int error;				      /* 0 or -errno */
	uint64_t took_ns;			      /* what it took to find */
	struct ctl_snapshot *snapshot;		      /* SNAPSHOT */
	struct ctl_setting *settings, **settings_end; /* SETTINGS */
	char *messages[CTL_MESSAGES_MAX];	      /* RELOAD: warnings, or what is wrong */
	size_t nmessages;
	char restart_needed[CTL_KEYS_MAX]; /* RELOAD: "Range=, MaxFlows=" */
};

/* Returns NULL without memory. Freeing takes NULL, too. */
struct ctl_letter *ctl_letter_new(enum ctl_ask ask);
struct ctl_letter *ctl_letter_free(struct ctl_letter *l);

/* Adds a copy of a message to an answer; those beyond CTL_MESSAGES_MAX are left out. */
void ctl_letter_message(struct ctl_letter *l, const char *text);

/* Adds a copy of a setting. Without memory the answer has an error. A conf_tell for a letter. */
void ctl_letter_setting(void *letter, const struct conf_setting *setting);

struct ctl_mailbox;

enum ctl_box { CTL_TO_MAIN, CTL_TO_CONTROL, CTL_BOX_MAX };

/* Returns 0 or -errno. */
int ctl_mailbox_new(struct ctl_mailbox **ret);

/* With what is still in it. NULL is fine. */
struct ctl_mailbox *ctl_mailbox_free(struct ctl_mailbox *m);

/* Readable while there is something in a box. */
int ctl_mailbox_fd(const struct ctl_mailbox *m, enum ctl_box box);

/* Any thread: puts a letter into a box, which owns it then. */
void ctl_mailbox_put(struct ctl_mailbox *m, enum ctl_box which, struct ctl_letter *l);

/* Takes all of a box, oldest first; NULL: it was empty. */
struct ctl_letter *ctl_mailbox_take(struct ctl_mailbox *m, enum ctl_box which);
