/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/interface.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* More than the largest packet. */
#define SNAPLEN 262144
/* Packets are handed over in blocks; a block that does not fill comes after so long. */
#define BLOCK_MS 100
#define BUFFER	 (32 << 20)

static int fail(int r, pcap_t *p, int status, char text[static PCAP_ERRBUF_SIZE])
{
	const char *what = status == PCAP_ERROR ? "" : pcap_statustostr(status);
	const char *more = pcap_geterr(p);

	if (strcmp(what, more) == 0) /* some say it twice */
		more = "";
	snprintf(text, PCAP_ERRBUF_SIZE, "%s%s%s", what, *what && *more ? ": " : "", more);
	return r;
}

static bool is_permission(int status, int error)
{
	return status == PCAP_ERROR_PERM_DENIED || status == PCAP_ERROR_PROMISC_PERM_DENIED ||
	       (status == PCAP_ERROR && (error == EPERM || error == EACCES));
}

static int activate(pcap_t *p, char text[static PCAP_ERRBUF_SIZE])
{
	int status;

	pcap_set_snaplen(p, SNAPLEN);
	pcap_set_timeout(p, BLOCK_MS);
	pcap_set_buffer_size(p, BUFFER);
	/* NFLOG has microseconds only; pcap_get_tstamp_precision() will tell */
	(void)pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO);
	errno = 0;
	status = pcap_activate(p);
	if (status < 0)
		return fail(is_permission(status, errno) ? -EPERM : -EINVAL, p, status, text);
	return pcap_setnonblock(p, 1, text) < 0 ? -EINVAL : 0;
}

static int filter(pcap_t *p, const char *expression, char text[static PCAP_ERRBUF_SIZE])
{
	struct bpf_program program;
	int status;

	if (pcap_compile(p, &program, expression, 1, PCAP_NETMASK_UNKNOWN) < 0)
		return fail(-EINVAL, p, PCAP_ERROR, text);
	status = pcap_setfilter(p, &program);
	pcap_freecode(&program);
	return status < 0 ? fail(-EINVAL, p, status, text) : 0;
}

int interface_open(pcap_t **ret, const char *device, const char *expression,
		   char text[static PCAP_ERRBUF_SIZE])
{
	pcap_t *p = pcap_create(device, text);
	int r;

	if (!p)
		return -EINVAL;
	r = activate(p, text);
	if (r == 0 && expression)
		r = filter(p, expression, text);
	if (r < 0) {
		pcap_close(p);
		return r;
	}
	*ret = p;
	return 0;
}
