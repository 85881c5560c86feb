/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* An interface, or a group of NFLOG, as libpcap captures on it. */

#include <pcap/pcap.h>

/*
 * Opens a device for reading that does not wait, with a filter in the kernel if expression is not
 * NULL. Returns 0, -EPERM if it takes more rights, or -EINVAL; then text says what is wrong.
 */
int interface_open(pcap_t **ret, const char *device, const char *expression,
		   char text[static PCAP_ERRBUF_SIZE]);
