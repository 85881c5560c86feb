/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Settings of scripts: each is a sysctl of the kernel (net.netfilter.nf_conntrack_NAME), a field of
 * struct ct_config and a key of ctmarkd.conf(5) at the same time.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/core.h"

struct flow_knob {
	const char *name; /* of the sysctl, behind nf_conntrack_ */
	const char *key;  /* of the configuration */
	int timeout;	  /* enum ct_timeout or -1 */
	bool boolean;
	uint32_t usual; /* the kernel's default */
	bool helpers;	/* no sysctl: a helper and its port, see flow_knob_helper() */
};

/* NULL if there is no such setting. */
const struct flow_knob *flow_knob_find(const char *name);

/* All of them, in order; NULL behind the last. */
const struct flow_knob *flow_knob_at(size_t i);

/* Sets the field of the engine's configuration. */
void flow_knob_apply(const struct flow_knob *k, uint32_t value, struct ct_config *cfg);

/*
 * The value that stands for a helper at a port (text, NULL: its usual one). Returns 0, or -EINVAL
 * if there is no such helper or port.
 */
int flow_knob_helper(const char *name, const char *port, uint32_t *ret);

struct flow_setting;

/* Writes the settings as ctmarkd.conf has them. */
void flow_knob_print(FILE *f, const struct flow_setting *settings, size_t n);

/*
 * Writes what makes the kernel's helpers do the same: lines of a family (4 or 6) and an iptables
 * rule for the table raw.
 */
void flow_knob_print_rules(FILE *f, const struct flow_setting *settings, size_t n);
