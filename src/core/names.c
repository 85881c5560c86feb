/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Names of the closed sets, expanded from the lists of reasons.h. */

#include <string.h>

#include "core/core.h"
#include "core/pkt.h"
#include "core/tcp.h"
#include "core/view.h"

#define PICK(table, i)                                                                             \
	((size_t)(i) < sizeof(table) / sizeof((table)[0]) && (table)[i] ? (table)[i] : "?")

const char *ct_event_name(enum ct_event_type type)
{
#define X(name, str) [CT_EVENT_##name] = (str),
	static const char *const names[] = {CT_EVENT_LIST(X)};
#undef X
	return PICK(names, type);
}

const char *ct_reason_name(enum ct_reason reason)
{
#define X(name, code, text, detail) [CT_REASON_##name] = (code),
	static const char *const names[] = {CT_REASON_LIST(X)};
#undef X
	return PICK(names, reason);
}

const char *ct_reason_text(enum ct_reason reason)
{
#define X(name, code, text, detail) [CT_REASON_##name] = (text),
	static const char *const texts[] = {CT_REASON_LIST(X)};
#undef X
	return PICK(texts, reason);
}

const char *ct_reason_details(enum ct_reason reason)
{
#define X(name, code, text, detail) [CT_REASON_##name] = (detail),
	static const char *const details[] = {CT_REASON_LIST(X)};
#undef X
	return PICK(details, reason);
}

const char *ct_death_name(enum ct_death death)
{
#define X(name, code, text) [CT_DEATH_##name] = (code),
	static const char *const names[] = {CT_DEATH_LIST(X)};
#undef X
	return PICK(names, death);
}

const char *ct_death_text(enum ct_death death)
{
#define X(name, code, text) [CT_DEATH_##name] = (text),
	static const char *const texts[] = {CT_DEATH_LIST(X)};
#undef X
	return PICK(texts, death);
}

const char *ct_info_name(enum ct_info info)
{
#define X(name, value, str, class) [value] = (str),
	static const char *const names[] = {CT_INFO_LIST(X)};
#undef X
	return PICK(names, info);
}

const char *ct_hook_name(enum ct_hook hook)
{
	static const char *const names[] = {
		[CT_HOOK_PREROUTING] = "PREROUTING",   [CT_HOOK_INPUT] = "INPUT",
		[CT_HOOK_FORWARD] = "FORWARD",	       [CT_HOOK_OUTPUT] = "OUTPUT",
		[CT_HOOK_POSTROUTING] = "POSTROUTING",
	};

	return PICK(names, hook);
}

const char *ct_state_name(uint8_t l4proto, uint8_t state)
{
#define X(name, value) [value] = #name,
	static const char *const tcp[] = {CT_TCP_STATE_LIST(X)};
	static const char *const sctp[] = {CT_SCTP_STATE_LIST(X)};
#undef X

	switch (l4proto) {
	case CT_PROTO_TCP:
		return PICK(tcp, state);
	case CT_PROTO_SCTP:
		return PICK(sctp, state);
	default:
		return NULL;
	}
}

const char *ct_sctp_chunk_name(uint8_t type)
{
#define X(name, type) [type] = #name,
	static const char *const names[] = {CT_SCTP_CHUNK_LIST(X)};
#undef X
	return type < sizeof(names) / sizeof(names[0]) ? names[type] : NULL;
}

const char *ct_tcp_flag_name(unsigned int bit)
{
	switch (bit) {
#define X(name, value)                                                                             \
	case CT_TCP_##name:                                                                        \
		return #name;
		CT_TCP_FLAG_LIST(X)
#undef X
	default:
		return NULL;
	}
}

const char *ct_tcp_index_name(uint8_t index)
{
#define X(name, str) [CT_TCP_##name] = (str),
	static const char *const names[] = {CT_TCP_INDEX_LIST(X)};
#undef X
	return PICK(names, index);
}

const char *ct_stat_name(enum ct_stat stat)
{
#define X(name, str, help) [CT_STAT_##name] = (str),
	static const char *const names[] = {CT_STAT_LIST(X)};
#undef X
	return PICK(names, stat);
}

char *ct_status_to_str(uint16_t status, char buf[static CT_STATUS_STRLEN])
{
#define X(name, bit) {CT_STATUS_##name, #name},
	static const struct {
		uint16_t bit;
		const char *name;
	} names[] = {CT_STATUS_LIST(X)};
#undef X
	char *p = buf;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t len = strlen(names[i].name);

		if (!(status & names[i].bit))
			continue;
		if (p != buf)
			*p++ = ',';
		memcpy(p, names[i].name, len);
		p += len;
	}
	*p = '\0';
	return buf;
}
