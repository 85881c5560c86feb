/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Control connections whose text announces other connections, and those connections: what the talks
 * about helpers are made of. Text is written as packet scripts write it (tests/flows/flow_data.h).
 */

#include "tests/differential/talk.h"

struct dialog {
	struct talk *talk;
	struct dice *dice;
	enum flow_l4 l4;      /* FLOW_TCP or FLOW_UDP */
	unsigned int port[2]; /* of client and server */
};

/* Begins one from A to B; TCP mostly with a proper handshake. */
struct dialog dialog_open(struct talk *t, struct dice *d, enum flow_l4 l4, unsigned int port);

/*
 * Client (0) or server (1) says something. Now and then it is said in two segments, twice, with
 * another letter in it, only in part, or out of sequence.
 */
void dialog_say(struct dialog *g, int side, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Some packets of a connection from one host and port to another, and back; source port 0: any. TCP
 * begins with its handshake.
 */
void dialog_connect(struct dialog *g, enum flow_l4 l4, enum flow_host src, unsigned int sport,
		    enum flow_host dst, unsigned int dport);
