/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A worker on a source made of memory. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/daemon.h"
#include "daemon/worker.h"

#define QUEUE	    7
#define MAX_FLOWS   16
#define ANSWERS_MAX 64

/* What a worker gave back for one packet. */
struct answer {
	uint32_t id, verdict, mark;
	bool set_mark;
};

struct fake_source {
	struct source source;
	/* to be received, all in one batch */
	struct packet packets[ANSWERS_MAX];
	int npackets;
	int receive_error;
	int last_timeout_ms;
	/* answered */
	struct answer answers[ANSWERS_MAX];
	size_t nanswers;
	int flush_error;
	unsigned int flushes;
	_Atomic unsigned int wakes;
	struct source_config config;
	unsigned int config_calls;
	int config_error;
	bool released;
	bool *closed;
};

struct fixture {
	struct fake_source source;
	struct daemon_conf conf;
	struct jlog *log;
	struct ct *ct;
	void *arena;
	int ended_fd;
	bool closed;
	struct worker *worker;
	/* a second worker, of the next queue */
	struct fake_source other;
	bool other_closed;
	struct worker *peers[2];
	size_t npeers;
};

extern const struct source_ops fixture_ops;

/* Of each test; *state is a struct fixture with everything but the worker. */
int fixture_set_up(void **state);
int fixture_tear_down(void **state);

void fixture_make_worker(struct fixture *x, bool shadow);

/* A packet for the next worker_pass(), of QUEUE and PREROUTING. */
void fixture_offer(struct fixture *x, uint32_t id, const uint8_t *data, uint32_t len,
		   uint32_t mark);
