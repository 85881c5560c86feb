/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Dialogues that helpers read: FTP, TFTP, IRC, SANE and Amanda, and the connections that they
 * announce, together with some that nobody announced. What is said is mostly right.
 */

#include "tests/differential/dialog.h"
#include "util/cleanup.h"

#define PORTS	   4 /* so few that announcements and connections meet */
#define FIRST_PORT 51200

static unsigned int some_port(struct dice *d)
{
	return FIRST_PORT + dice_below(d, PORTS);
}

static enum flow_host some_client(struct dice *d)
{
	return dice_chance(d, 92) ? FLOW_HOST_A : FLOW_HOST_A2;
}

static enum flow_host some_server(struct dice *d)
{
	return dice_chance(d, 92) ? FLOW_HOST_B : FLOW_HOST_B2;
}

static const char *some_host(struct dice *d, const char *usual)
{
	static const char *const hosts[] = {"A", "B", "A2", "B2"};

	return dice_chance(d, 92) ? usual : DICE_PICK(d, hosts);
}

/* --- FTP ------------------------------------------------------------------------------------- */

static void ftp_active(struct dialog *g, bool v4)
{
	struct dice *d = g->dice;
	unsigned int port = some_port(d);
	const char *host = some_host(d, "A");

	if (v4 && dice_chance(d, 70))
		dialog_say(g, 0, "%s {%s,},%u,%u\\r\\n", dice_chance(d, 90) ? "PORT" : "port", host,
			   port >> 8, port & 0xff);
	else
		dialog_say(g, 0, "EPRT %c%d%c{%s}%c%u%c\\r\\n", '|', v4 ? 1 : 2, '|', host, '|',
			   port, '|');
	dialog_say(g, 1, "200 ok\\r\\n");
	if (dice_chance(d, 70))
		dialog_connect(g, FLOW_TCP, some_server(d), 20, FLOW_HOST_A,
			       dice_chance(d, 85) ? port : some_port(d));
}

static void ftp_passive(struct dialog *g, bool v4)
{
	struct dice *d = g->dice;
	unsigned int port = some_port(d);

	dialog_say(g, 0, "%s\\r\\n", v4 ? "PASV" : "EPSV");
	if (v4 && dice_chance(d, 70))
		dialog_say(g, 1, "227 %s{%s,},%u,%u%s\\r\\n",
			   dice_chance(d, 80) ? "Entering Passive Mode (" : "=", some_host(d, "B"),
			   port >> 8, port & 0xff, dice_chance(d, 80) ? ")" : "");
	else
		dialog_say(g, 1, "229 Entering Extended Passive Mode (|||%u|)\\r\\n", port);
	if (dice_chance(d, 70))
		dialog_connect(g, FLOW_TCP, some_client(d), 0, FLOW_HOST_B,
			       dice_chance(d, 85) ? port : some_port(d));
}

void talk_make_ftp(struct talk *t, struct dice *d)
{
	struct dialog g = dialog_open(t, d, FLOW_TCP, 21);

	dialog_say(&g, 1, "220 ready\\r\\n");
	dialog_say(&g, 0, "USER x\\r\\n");
	for (unsigned int n = 1 + dice_below(d, 4); n; n--)
		(dice_chance(d, 50) ? ftp_active : ftp_passive)(&g, t->family == CT_AF_INET);
}

/* --- TFTP ------------------------------------------------------------------------------------ */

void talk_make_tftp(struct talk *t, struct dice *d)
{
	struct dialog g = dialog_open(t, d, FLOW_UDP, 69);

	for (unsigned int n = 1 + dice_below(d, 4); n; n--) {
		unsigned int code = dice_chance(d, 80) ? 1 + dice_below(d, 2) : dice_below(d, 6);

		dialog_say(&g, dice_chance(d, 5), "\\0\\x%02xfile\\0octet\\0", code);
		dialog_connect(&g, FLOW_UDP, some_server(d), dice_chance(d, 90) ? some_port(d) : 69,
			       some_client(d), dice_chance(d, 90) ? 40000 : 40001);
	}
}

/* --- IRC ------------------------------------------------------------------------------------- */

static void irc_request(struct dialog *g)
{
	static const char *const kinds[] = {"SEND file", "CHAT chat", "MOVE x",
					    "TSEND a",	 "SCHAT b",   "VOICE c"};
	struct dice *d = g->dice;
	unsigned int port = dice_chance(d, 95) ? some_port(d) : 0;

	dialog_say(g, 0, "%sPRIVMSG bob :%s\\x01DCC %s {%s#} %u\\x01\\r\\n",
		   dice_chance(d, 90) ? "" : "\\r\\n ",
		   dice_chance(d, 92) ? "" : "x :", DICE_PICK(d, kinds), some_host(d, "A"), port);
	dialog_connect(g, FLOW_TCP, some_server(d), 0, FLOW_HOST_A,
		       dice_chance(d, 85) ? port : some_port(d));
}

void talk_make_irc(struct talk *t, struct dice *d)
{
	struct dialog g = dialog_open(t, d, FLOW_TCP, 6667);

	dialog_say(&g, 0, "NICK x\\r\\n");
	dialog_say(&g, 1, ":server 001 x :hello\\r\\n");
	for (unsigned int n = 1 + dice_below(d, 4); n; n--)
		irc_request(&g);
}

/* --- SANE ------------------------------------------------------------------------------------ */

static void sane_start(struct dialog *g)
{
	struct dice *d = g->dice;
	unsigned int port = some_port(d);
	unsigned int code = dice_chance(d, 85) ? 7 : dice_below(d, 10);

	dialog_say(g, 0, "{hex:000000%02x00000001}%s", code, dice_chance(d, 92) ? "" : "x");
	dialog_say(g, 1, "{hex:000000%02x00%02x%04x}%s", dice_chance(d, 90) ? 0 : 1,
		   dice_chance(d, 90) ? 0 : 1, port, dice_chance(d, 80) ? "" : "more");
	dialog_connect(g, FLOW_TCP, some_client(d), 0, FLOW_HOST_B,
		       dice_chance(d, 85) ? port : some_port(d));
}

void talk_make_sane(struct talk *t, struct dice *d)
{
	struct dialog g = dialog_open(t, d, FLOW_TCP, 6566);

	for (unsigned int n = 1 + dice_below(d, 4); n; n--)
		sane_start(&g);
}

/* --- Amanda ---------------------------------------------------------------------------------- */

void talk_make_amanda(struct talk *t, struct dice *d)
{
	struct dialog g = dialog_open(t, d, FLOW_UDP, 10080);

	for (unsigned int n = 1 + dice_below(d, 3); n; n--) {
		dialog_say(&g, 0, "Amanda 2.4 REQ HANDLE 000-00 SEQ 1\\nSERVICE sendbackup\\n");
		dialog_say(&g, 1,
			   "Amanda 2.4 REP HANDLE 000-00 SEQ 1\\n%s DATA %u %s %u INDEX %u\\n%s",
			   dice_chance(d, 92) ? "CONNECT" : "OPTIONS", some_port(d),
			   dice_chance(d, 92) ? "MESG" : "STATE",
			   dice_chance(d, 95) ? some_port(d) : 0, some_port(d),
			   dice_chance(d, 80) ? "OPTIONS ;\\n" : "");
		dialog_connect(&g, FLOW_TCP, some_client(d), 0, some_server(d), some_port(d));
	}
}
