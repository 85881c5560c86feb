/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Every packet of all packet scripts is explained: there is a class, a rule, and for what was
 * refused a reason, what would have been accepted, and a cause.
 */

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/flows/flow_knob.h"
#include "tests/flows/flow_packet.h"
#include "tests/flows/flow_talk.h"
#include "tests/unit/tools/stage.h"
#include "util/cleanup.h"

struct seen {
	bool reason[CT_REASON_MAX];
	unsigned int scripts, packets, refused;
};

static bool lets_all_pass(const struct flow_script *s)
{
	for (size_t i = 0; i < s->nsteps; i++) {
		const struct flow_packet *p = &s->steps[i].packet;

		/* in a capture, an SCTP checksum that is missing is left to the network card */
		if (p->dropped || s->steps[i].expect.drop || (p->l4 == FLOW_SCTP && p->nosum))
			return false;
	}
	return true;
}

/* Packets that one family cannot have are left out, and with them the rest of the script. */
static void perform(struct stage *stage, const struct flow_script *s, uint8_t family)
{
	struct flow_talk talk = {.n = 0};

	for (size_t i = 0; i < s->nsettings; i++)
		flow_knob_apply(s->settings[i].knob, s->settings[i].value, &stage->cfg);
	stage->cfg.confirm = CT_CONFIRM_ENTRY;
	stage->cfg.accounting = true;
	for (size_t i = 0; i < s->nsteps; i++) {
		struct flow_packet packet = s->steps[i].packet;
		static const bool lost = false;
		struct flow_bytes bytes;

		stage->time_ns += s->steps[i].wait_ns;
		if (flow_talk_say(&talk, &packet, lost, family, 1) < 0 ||
		    flow_packet_build(&packet, family, 1, &bytes) < 0)
			return;
		stage_add(stage, bytes.data, (uint32_t)bytes.len, (uint32_t)bytes.len);
	}
}

static void words_of(const json_t *account, const char *section, bool wanted)
{
	const json_t *words = json_object_get(json_object_get(account, "words"), section);
	const json_t *sentence;
	size_t i;

	if (wanted && json_array_size(words) == 0)
		fail_msg("nothing in section %s", section);
	json_array_foreach(words, i, sentence)
	{
		const char *text = json_string_value(sentence);

		if (!text || strlen(text) < 5 || strchr(text, '{') || strchr(text, '?'))
			fail_msg("%s: \"%s\"", section, text ? text : "");
	}
}

static enum ct_reason reason_of(const char *name)
{
	for (int i = 0; i < CT_REASON_MAX; i++)
		if (strcmp(ct_reason_name((enum ct_reason)i), name) == 0)
			return (enum ct_reason)i;
	fail_msg("there is no reason %s", name);
	return CT_REASON_NONE;
}

static void look_at(const json_t *account, const struct flow_script *s, size_t step, bool same,
		    struct seen *seen)
{
	const char *info = stage_word(account, "ctinfo");
	bool refused = json_object_get(account, "reason");

	if (same && strcmp(info, ct_info_name(s->steps[step].expect.info)) != 0)
		fail_msg("%s:%u: explained as %s", s->steps[step].file, s->steps[step].line, info);
	seen->packets++;
	words_of(account, "before", strcmp(info, "UNTRACKED") != 0);
	words_of(account, "sent", false);
	words_of(account, "rule", true);
	words_of(account, "accepted", refused);
	words_of(account, "causes", refused);
	words_of(account, "settings", strcmp(info, "INVALID") == 0);
	words_of(account, "after", false);
	assert_true(refused || strcmp(info, "INVALID") != 0);
	if (!refused)
		return;
	seen->refused++;
	seen->reason[reason_of(stage_word(account, "reason"))] = true;
	assert_true(strlen(stage_word(account, "rule")) > 5);
}

static void explain_all(const struct flow_script *s, uint8_t family, struct seen *seen)
{
	struct stage stage;

	stage_init(&stage);
	perform(&stage, s, family);
	for (uint64_t i = 1; i <= stage.n; i++) {
		json_t *account;

		/* the same again, mostly: what counts are those that are refused */
		if (family == CT_AF_INET6 && s->ipv4 &&
		    s->steps[i - 1].expect.info != CT_INFO_INVALID)
			continue;
		account = stage_object(&stage, i);
		look_at(account, s, i - 1, lets_all_pass(s), seen);
		json_decref(account);
	}
	stage_done(&stage);
}

static void explain_script(const char *path, struct seen *seen)
{
	char error[FLOW_ERROR_MAX];
	struct flow_script *s = flow_script_load(path, error);

	if (!s)
		fail_msg("%s", error);
	seen->scripts++;
	if (s->ipv4)
		explain_all(s, CT_AF_INET, seen);
	if (s->ipv6)
		explain_all(s, CT_AF_INET6, seen);
	flow_script_free(s);
}

/* Those that need several threads, a small table or copy, or broken headers: test_replay_explain.
 */
static bool in_no_script(enum ct_reason reason)
{
	switch (reason) {
	case CT_REASON_NONE:
	case CT_REASON_IP_HEADER:
	case CT_REASON_COPY_RANGE:
	case CT_REASON_CLASH:
	case CT_REASON_TABLE_FULL:
	case CT_REASON_FRAGMENT_DUPLICATE:
	case CT_REASON_FRAGMENT_OVERLAP:
	case CT_REASON_FRAGMENT_LENGTH:
	case CT_REASON_FRAGMENT_ECN:
	case CT_REASON_FRAGMENT_TIMEOUT:
	case CT_REASON_FRAGMENT_LIMIT:
		return true;
	default:
		return false;
	}
}

static void all_scripts(void **state)
{
	const char *top = getenv("top_srcdir");
	_cleanup_free_ char *pattern = NULL;
	struct seen seen = {};
	glob_t found;

	assert_true(asprintf(&pattern, "%s/tests/flows/*.flow", top ? top : ".") > 0);
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		explain_script(found.gl_pathv[i], &seen);
	globfree(&found);
	assert_true(seen.scripts > 150);
	for (int i = 0; i < CT_REASON_MAX; i++)
		if (!seen.reason[i] && !in_no_script((enum ct_reason)i))
			fail_msg("no packet was refused for %s", ct_reason_name((enum ct_reason)i));
	print_message("%u packets of %u scripts, %u of them refused\n", seen.packets, seen.scripts,
		      seen.refused);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_scripts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
