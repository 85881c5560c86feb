/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Any bytes of a client: what comes back is JSON, message by message, the table loses no more flows
 * than were said to be ended, and the next client is served as if nothing had been.
 *
 * The first byte says in which pieces the rest is sent, and whether the client stays.
 */

#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <unistd.h>

#include "tests/unit/ctl/service.h"

#define FLOWS 40

/* The replies that there are; what is no JSON aborts in there. */
static void read_all(struct service *s, int fd, struct inbox *in)
{
	json_t *reply;

	while ((reply = service_next(s, fd, in))) {
		FUZZ_CHECK(json_is_object(json_object_get(reply, "parameters")));
		json_decref(reply);
	}
}

static void send_pieces(struct service *s, int fd, const uint8_t *data, size_t size, size_t piece)
{
	while (size > 0) {
		size_t n = size < piece ? size : piece;

		if (service_send(fd, data, n) != n)
			return;
		service_run(s);
		data += n;
		size -= n;
	}
}

static void check_served(struct service *s, struct inbox *in)
{
	int fd = service_connect(s);
	json_t *reply;

	*in = (struct inbox){};
	service_ask(fd, "{\"method\":\"io.ctmark.Manager.Count\"}");
	reply = service_next(s, fd, in);
	FUZZ_CHECK(reply && !json_object_get(reply, "error"));
	FUZZ_CHECK(json_integer_value(json_object_get(json_object_get(reply, "parameters"),
						      "count")) == ct_count(s->ct));
	FUZZ_CHECK(ct_count(s->ct) == FLOWS - s->control.stats.count[CT_STAT_DESTROYED]);
	json_decref(reply);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct inbox *in = calloc(1, sizeof(*in));
	struct service s;
	int fd;

	FUZZ_CHECK(in);
	service_init(&s);
	service_fill(&s, FLOWS);
	fd = service_connect(&s);
	if (size > 0) {
		send_pieces(&s, fd, data + 1, size - 1, (size_t)(data[0] & 0x7f) * 16 + 1);
		if (data[0] & 0x80) {
			close(fd);
			fd = service_connect(&s);
		}
	}
	service_push(&s, CT_EVENT_NEW, 1);
	read_all(&s, fd, in);
	check_served(&s, in);
	close(fd);
	service_run(&s);
	service_done(&s);
	free(in);
	return 0;
}
