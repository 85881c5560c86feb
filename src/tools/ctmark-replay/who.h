/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Who talks to whom, in text and as members of a JSON object. */

#include <stdbool.h>

#include "tools/ctmark-replay/decode.h"
#include "tools/ctmark-replay/line.h"
#include "tools/ctmark-replay/record.h"

/* "tcp", or the number of a protocol without a name. */
void who_proto(struct words *w, uint8_t proto);

/* The protocol of a record's flow as far as its events tell, or else of its packet d. */
uint8_t who_record_proto(const struct record *r, const struct decoded *d);

/* "tcp 192.0.2.1:40000 > 198.51.100.2:80"; "?" where that could not be read. */
void who_packet(struct words *w, const struct decoded *d);

/* The same of a flow, by its original direction; of ICMP with the id: "... id=5". */
void who_flow(struct words *w, const struct ct_tuple *t);

/*
 * Members "family", "proto", "src", "dst", and "sport", "dport" or "icmp_type", "icmp_code" and
 * "icmp_id" where there are any, each with a comma in front.
 */
void who_json_packet(struct words *w, const struct decoded *d);
void who_json_flow(struct words *w, const struct ct_tuple *t);

/* One member, with a comma in front. The text has nothing in it that JSON would want escaped. */
void who_json_text(struct words *w, const char *key, const char *text);
void who_json_number(struct words *w, const char *key, uint64_t n);
/* Seconds since 1970, to the microsecond. */
void who_json_time(struct words *w, const char *key, uint64_t ns);
/* "status": names of bits, as the journal writes them; nothing if there are none. */
void who_json_status(struct words *w, uint16_t status);
