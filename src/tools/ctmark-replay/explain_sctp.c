/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Tags and chunks of SCTP. */

#include <inttypes.h>

#include "core/sctp.h"
#include "tools/ctmark-replay/scene.h"
#include "util/words.h"

static void tag_of(const struct scene *s, int dir)
{
	uint32_t vtag = s->record->view_before->l4.sctp.vtag[dir];
	uint64_t by = s->flow && s->flow->detail ? s->flow->detail->side[dir].vtag_by : 0;

	if (vtag && by)
		account_say(s->account, SECTION_SENT,
			    "Packets of %s carry tag 0x%08" PRIx32 ", as packet %" PRIu64
			    " has made known.",
			    scene_side((uint8_t)dir), vtag, by);
	else if (vtag)
		account_say(s->account, SECTION_SENT, "Packets of %s carry tag 0x%08" PRIx32 ".",
			    scene_side((uint8_t)dir), vtag);
	else
		account_say(s->account, SECTION_SENT, "The tag of packets of %s is not known yet.",
			    scene_side((uint8_t)dir));
}

void explain_sctp_sent(const struct scene *s)
{
	if (!s->record->view_before)
		return;
	for (int dir = 0; dir < CT_DIR_MAX; dir++)
		tag_of(s, dir);
}

/* Chunks that the table has a place for. */
static void allowed_chunks(const struct scene *s, uint8_t state)
{
	static const uint8_t types[] = {
#define X(name, type) type,
		CT_SCTP_CHUNK_LIST(X)
#undef X
	};
	char text[256] = "";
	struct words w = {.buf = text, .size = sizeof(text)};

	for (size_t i = 0; i < sizeof(types); i++) {
		const char *name = ct_sctp_chunk_name(types[i]);

		if (ct_sctp_fsm((enum ct_dir)s->record->out->dir, types[i], state) ==
		    CT_SCTP_INVALID)
			continue;
		words_add(&w, "%s%s", w.len ? ", " : "", name);
		account_put_word(s->account, "accepted", "chunks", name);
	}
	account_say(s->account, SECTION_ACCEPTED, "In %s, from %s: %s.",
		    ct_state_name(CT_PROTO_SCTP, state), scene_side(s->record->out->dir),
		    *text ? text : "nothing");
}

void explain_sctp_refused(const struct scene *s)
{
	if (s->record->out->reason == CT_REASON_SCTP_STATE)
		allowed_chunks(s, (uint8_t)s->event->detail[0]);
}

void explain_sctp_valid(const struct scene *s)
{
	const struct ct_view *before = s->record->view_before, *after = s->record->view_after;
	uint8_t dir = s->record->out->dir;

	if (!before || !after || before->packets[dir] != after->packets[dir])
		return;
	if (s->packet->chunk == CT_SCTP_INIT)
		account_say(s->account, SECTION_RULE,
			    "The INIT is sent again. It is accepted, but does not make the flow "
			    "live longer.");
	else
		account_say(s->account, SECTION_RULE,
			    "The HEARTBEAT has another tag than the association: its sender may "
			    "have been restarted. Let through, and believed when the other side "
			    "answers it.");
}
