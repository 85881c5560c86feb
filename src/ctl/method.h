/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What can be called, by name. */

#include "ctl/client.h"

/* Methods of io.ctmark.Manager: name, what begins it, enum ctl_flags, parameters. */
#define CTL_METHOD_LIST(X)                                                                         \
	X(GetStatus, get_status, CTL_READS, "")                                                    \
	X(GetTotals, get_totals, CTL_READS, "")                                                    \
	X(List, list, CTL_STREAMS, "filter")                                                       \
	X(Get, get, CTL_READS, "flow")                                                             \
	X(Count, count, CTL_READS, "filter")                                                       \
	X(Delete, delete, CTL_CHANGES, "filter")                                                   \
	X(Flush, flush, CTL_CHANGES, "")                                                           \
	X(Events, events, CTL_STREAMS, "filter events")                                            \
	X(Expectations, expectations, CTL_STREAMS, "")                                             \
	X(Explain, explain, CTL_STREAMS, "filter limit")                                           \
	X(GetCensus, get_census, CTL_READS, "")                                                    \
	X(Metrics, metrics, CTL_READS, "")                                                         \
	X(GetConfig, get_config, CTL_READS, "")                                                    \
	X(Reload, reload, CTL_CHANGES, "")                                                         \
	X(SetLogLevel, set_log_level, CTL_CHANGES, "level")

#define X(name, start, flags, parameters) void ctl_start_##start(struct ctl_call *call);
CTL_METHOD_LIST(X)
#undef X

/* The method of a full name, "io.ctmark.Manager.List"; NULL: there is none. */
const struct ctl_method *ctl_method_find(const char *name);

/* The description of an interface, NULL: there is no such. */
const char *ctl_interface_text(const char *interface);

/* Made from the files of these names (local.mk). */
extern const char ctl_text_manager[];
extern const char ctl_text_service[];
