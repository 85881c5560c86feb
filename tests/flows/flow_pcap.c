/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/flows/flow_pcap.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>

#include "tests/flows/flow_knob.h"
#include "tests/flows/flow_talk.h"
#include "util/cleanup.h"

#define EXPIRED_MAX 32

struct writer {
	uint8_t family;
	pcap_t *pcap;
	pcap_dumper_t *out;
	struct flow_engine engine;
	uint64_t begin_ns;
	struct flow_talk talk;
	bool checksum; /* the script's setting */
	unsigned int number;
	flow_pcap_packet *tell;
	void *ctx;
};

static void dump(struct writer *w, const struct flow_bytes *bytes)
{
	uint64_t ns = w->engine.now_ns - w->begin_ns;
	struct pcap_pkthdr header = {
		/* of nanoseconds, since the file is */
		.ts = {.tv_sec = FLOW_PCAP_BEGIN_S + (time_t)(ns / CT_NS_PER_S),
		       .tv_usec = (suseconds_t)(ns % CT_NS_PER_S)},
		.caplen = (bpf_u_int32)bytes->len,
		.len = (bpf_u_int32)bytes->len,
	};

	pcap_dump((u_char *)w->out, &header, bytes->data);
}

static int step(struct writer *w, const struct flow_step *st)
{
	struct ct_event expired[EXPIRED_MAX];
	struct flow_packet packet = st->packet;
	struct flow_bytes bytes;
	struct flow_seen seen;
	struct ct_result res;

	flow_engine_wait(&w->engine, st->wait_ns, expired, EXPIRED_MAX);
	packet.dropped = false;
	if (flow_talk_say(&w->talk, &packet, st->packet.dropped || st->expect.drop, w->family, 1) <
		    0 ||
	    flow_packet_build(&packet, w->family, 1, &bytes) < 0)
		return -EINVAL;
	dump(w, &bytes);
	/* in a capture, an SCTP checksum that is missing is left to the network card */
	w->engine.cfg.checksum = w->checksum && !(packet.l4 == FLOW_SCTP && packet.nosum);
	flow_engine_track(&w->engine, &bytes, false, &res);
	seen = flow_engine_seen(&w->engine, &packet, &res);
	if (w->tell)
		w->tell(w->ctx, ++w->number, st, &res, &seen);
	return 0;
}

static int open_writer(struct writer *w, const struct flow_script *s, const char *file)
{
	int r = flow_engine_init(&w->engine, s->settings, s->nsettings);

	if (r < 0)
		return r;
	w->engine.cfg.confirm = CT_CONFIRM_ENTRY;
	w->begin_ns = w->engine.now_ns;
	w->checksum = w->engine.cfg.checksum;
	w->pcap = pcap_open_dead_with_tstamp_precision(DLT_RAW, FLOW_BYTES_MAX,
						       PCAP_TSTAMP_PRECISION_NANO);
	w->out = w->pcap ? pcap_dump_open(w->pcap, file) : NULL;
	return w->out ? 0 : -EIO;
}

int flow_pcap_write(const struct flow_script *s, uint8_t family, const char *file,
		    flow_pcap_packet *tell, void *ctx)
{
	struct writer w = {.family = family, .tell = tell, .ctx = ctx};
	int r = open_writer(&w, s, file);

	for (size_t i = 0; i < s->nsteps && r == 0; i++)
		r = step(&w, &s->steps[i]);
	if (w.out && pcap_dump_flush(w.out) < 0 && r == 0)
		r = -EIO;
	if (w.out)
		pcap_dump_close(w.out);
	if (w.pcap)
		pcap_close(w.pcap);
	flow_engine_done(&w.engine);
	return r;
}

int flow_pcap_write_conf(const struct flow_script *s, const char *file)
{
	_cleanup_fclose_ FILE *f = fopen(file, "we");

	if (!f)
		return -errno;
	flow_knob_print(f, s->settings, s->nsettings);
	/* as the engine of scripts has it */
	fputs("[Track]\nMaxFragments=0\n", f);
	return fflush(f) == 0 ? 0 : -errno;
}
