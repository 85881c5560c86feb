/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/reasons.h"

#include <inttypes.h>
#include <string.h>

#include "log/message.h"
#include "tools/ctmark-replay/decode.h"
#include "tools/ctmark-replay/reason_list.h"
#include "util/words.h"

static const struct reason_text texts[CT_REASON_MAX] = {
#define X(reason, ...) [CT_REASON_##reason] = {__VA_ARGS__},
	REASON_TEXT_LIST(X)
#undef X
};

/* There are as many as there are reasons, and none twice (-Woverride-init): so each has one. */
enum {
#define X(...) +1
	TEXTS = 0 REASON_TEXT_LIST(X)
#undef X
};
_Static_assert((int)TEXTS == (int)CT_REASON_MAX, "a reason has no text, or a text no reason");

const struct reason_text *reason_text_of(enum ct_reason reason)
{
	return &texts[reason < CT_REASON_MAX ? reason : CT_REASON_NONE];
}

unsigned int reason_number(enum ct_reason reason, const char *name, size_t len)
{
	const char *rest = ct_reason_details(reason);

	for (unsigned int i = 0; *rest && i < CT_DETAIL_MAX; i++) {
		size_t n = strcspn(rest, ",");

		if (n == len && strncmp(rest, name, len) == 0)
			return i;
		rest += rest[n] ? n + 1 : n;
	}
	return CT_DETAIL_MAX;
}

static bool is_name(const char *name, size_t len, const char *wanted)
{
	return strlen(wanted) == len && strncmp(name, wanted, len) == 0;
}

static void add_hex(struct words *w, enum ct_reason reason, uint32_t value)
{
	if (reason == CT_REASON_CHECKSUM && value <= UINT16_MAX)
		words_add(w, "0x%04" PRIx32, value);
	else
		words_add(w, "0x%08" PRIx32, value);
}

/* A number in the form that its name asks for. */
static void add_number(struct words *w, enum ct_reason reason, uint8_t l4proto, const char *name,
		       size_t len, uint32_t value)
{
	const char *state = ct_state_name(l4proto, (uint8_t)value);
	const char *chunk = ct_sctp_chunk_name((uint8_t)value);
	char flags[DECODE_FLAGS_MAX], proto[MESSAGE_PROTO_MAX];

	if (is_name(name, len, "proto"))
		words_add(w, "%s", message_proto((uint8_t)value, proto));
	else if (is_name(name, len, "flags"))
		words_add(w, "%s", decode_flags((uint8_t)value, flags));
	else if (is_name(name, len, "state") && state)
		words_add(w, "%s", state);
	else if (is_name(name, len, "chunk") && chunk)
		words_add(w, "%s", chunk);
	else if (is_name(name, len, "helper") && *ct_helper_name((enum ct_helper_id)value))
		words_add(w, "%s", ct_helper_name((enum ct_helper_id)value));
	else if (is_name(name, len, "found") || is_name(name, len, "expected") ||
		 is_name(name, len, "vtag"))
		add_hex(w, reason, value);
	else if (is_name(name, len, "protocol"))
		words_add(w, "0x%04" PRIx32, value);
	else
		words_add(w, "%" PRIu32, value);
}

const char *reason_fill(const char *text, enum ct_reason reason, uint8_t l4proto,
			const uint32_t detail[static CT_DETAIL_MAX],
			char buf[static REASON_SENTENCE_MAX])
{
	struct words w = {.buf = buf, .size = REASON_SENTENCE_MAX};

	*buf = '\0';
	while (*text) {
		size_t plain = strcspn(text, "{"), len;
		unsigned int i;

		words_add(&w, "%.*s", (int)plain, text);
		text += plain;
		if (!*text)
			break;
		len = strcspn(++text, "}");
		i = reason_number(reason, text, len);
		if (i < CT_DETAIL_MAX)
			add_number(&w, reason, l4proto, text, len, detail[i]);
		else
			words_add(&w, "?");
		text += len + (text[len] != '\0');
	}
	return buf;
}
