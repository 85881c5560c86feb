/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * THE table. A key exists if and only if it has a line here; example file and manual are compared
 * with it. A field's value is what its default text parses to, so no default is written twice
 * (but for those that the engine has anyway, and a test compares the two).
 */

#include "conf/table.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>

#include "conf/conf.h"
#include "core/history.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define KIB UINT64_C(1024)

#define SIZE_OF_HELPERS                                                                            \
	(sizeof(((struct ct_config *)NULL)->nhelper_ports) +                                       \
	 sizeof(((struct ct_config *)NULL)->helper_ports))

static const char *const encoding_words[] = {"ctinfo", "flags", NULL};
static const char *const confirm_words[] = {"auto", "entry", "exit", NULL};
static const char *const target_words[] = {"auto", "journal", "console", "none", NULL};
static const char *const level_words[] = {"err", "warning", "notice", "info", "debug", NULL};
static const char *const event_words[] = {
#define X(name, str) str,
	CT_EVENT_LIST(X)
#undef X
		NULL};

_Static_assert(CT_ENCODING_CTINFO == 0 && CT_ENCODING_FLAGS == 1, "order of encoding_words");
_Static_assert(CT_CONFIRM_AUTO == 0 && CT_CONFIRM_ENTRY == 1 && CT_CONFIRM_EXIT == 2,
	       "order of confirm_words");
_Static_assert(CONF_TARGET_AUTO == 0 && CONF_TARGET_JOURNAL == 1 && CONF_TARGET_CONSOLE == 2 &&
		       CONF_TARGET_NONE == 3,
	       "order of target_words");
_Static_assert(LOG_DEBUG - LOG_ERR + 2 == ARRAY_SIZE(level_words), "number of level_words");
_Static_assert(offsetof(struct conf, queue_last) ==
		       offsetof(struct conf, queue_first) + sizeof(uint16_t),
	       "Range= is parsed into two neighbours");
_Static_assert(offsetof(struct ct_config, helper_ports) -
				       offsetof(struct ct_config, nhelper_ports) ==
			       offsetof(struct conf_helpers, ports) &&
		       SIZE_OF_HELPERS == sizeof(struct conf_helpers),
	       "Helpers= is parsed into two neighbours");

#define FIELD(member)	   .offset = offsetof(struct conf, member)
#define SIZE_OF(member)	   .size = sizeof(((struct conf *)NULL)->member)
#define SPEC(member, ...)  FIELD(member), .spec = {SIZE_OF(member), __VA_ARGS__}
#define PLAIN(member)	   FIELD(member), .spec = {SIZE_OF(member)}
#define BETWEEN(low, high) .min = (low), .max = (high)
#define QUEUE(key)	   .section = "Queue", .name = (key)
#define MARK(key)	   .section = "Mark", .name = (key)
#define TRACK(key)	   .section = "Track", .name = (key)
#define LOG(key)	   .section = "Log", .name = (key)

/* clang-format off */
const struct conf_key conf_table[] = {
	{ QUEUE("Range"), .restart = true, .def = "0", .parse = conf_parse_queue_range,
	  FIELD(queue_first), .spec = { .size = 2 * sizeof(uint16_t) },
	  .help = "Queues to serve, one thread each." },
	{ QUEUE("MaxPackets"), .def = "8192", .parse = conf_parse_number,
	  SPEC(queue_max_packets, BETWEEN(1, UINT32_MAX)),
	  .help = "Packets that may wait in each queue." },
	{ QUEUE("FailOpen"), .def = "no", .parse = conf_parse_boolean, PLAIN(queue_fail_open),
	  .help = "Let packets pass unclassified while a queue is full." },
	{ QUEUE("CopyRange"), .def = "auto", .parse = conf_parse_size_or_auto,
	  SPEC(queue_copy_range, BETWEEN(128, 65535)),
	  .help = "Bytes of each packet that are copied from the kernel." },
	{ QUEUE("ReceiveBuffer"), .def = "auto", .parse = conf_parse_size_or_auto,
	  SPEC(queue_receive_buffer, BETWEEN(64 * KIB, 1023 * KIB * KIB)),
	  .help = "Socket memory for each queue." },
	{ QUEUE("CPUAffinity"), .def = "", .parse = conf_parse_cpus, PLAIN(cpu_affinity),
	  .help = "CPUs for the queue threads, in turn." },

	{ MARK("Encoding"), .def = "ctinfo", .parse = conf_parse_word,
	  SPEC(track.mark.encoding, .words = encoding_words),
	  .help = "How the class is written into the mark." },
	{ MARK("Mask"), .def = "0xf", .parse = conf_parse_mask, PLAIN(track.mark.mask),
	  .help = "Bits of the mark that ctmarkd writes." },

	{ TRACK("MaxFlows"), .def = "262144", .parse = conf_parse_number, .restart = true,
	  SPEC(max_flows, BETWEEN(64, CT_FLOWS_MAX)),
	  .help = "Most flows the table can hold." },
	{ TRACK("MaxExpectations"), .def = "4096", .parse = conf_parse_number, .restart = true,
	  SPEC(max_expect, BETWEEN(0, CT_EXPECT_MAX)),
	  .help = "Most connections that helpers can expect at a time." },
	{ TRACK("Confirm"), .def = "auto", .parse = conf_parse_word,
	  SPEC(track.confirm, .words = confirm_words),
	  .help = "Where a new flow enters the table." },
	{ TRACK("TCPLoose"), .def = "yes", .parse = conf_parse_boolean, PLAIN(track.tcp_loose),
	  .help = "Pick up TCP connections in mid-stream." },
	{ TRACK("TCPBeLiberal"), .def = "no", .parse = conf_parse_boolean,
	  PLAIN(track.tcp_be_liberal),
	  .help = "Accept TCP segments outside the window." },
	{ TRACK("TCPIgnoreInvalidRST"), .def = "no", .parse = conf_parse_boolean,
	  PLAIN(track.tcp_ignore_invalid_rst),
	  .help = "Accept a RST below what the other side has acknowledged." },
	{ TRACK("TCPMaxRetrans"), .def = "3", .parse = conf_parse_number,
	  SPEC(track.tcp_max_retrans, BETWEEN(0, UINT8_MAX)),
	  .help = "Retransmissions after which [Timeouts] TCPMaxRetrans= applies." },
	{ TRACK("Checksum"), .def = "yes", .parse = conf_parse_boolean, PLAIN(track.checksum),
	  .help = "Verify transport checksums." },
	{ TRACK("Accounting"), .def = "yes", .parse = conf_parse_boolean, PLAIN(track.accounting),
	  .help = "Count packets and bytes of each flow." },
	{ TRACK("Helpers"), .def = "", .parse = conf_parse_helpers,
	  FIELD(track.nhelper_ports), .spec = { .size = SIZE_OF_HELPERS },
	  .help = "Protocols whose control connections are read for what they announce." },
	{ TRACK("MaxFragments"), .def = "1024", .parse = conf_parse_number, .restart = true,
	  SPEC(max_fragments, BETWEEN(0, CT_FRAGMENTS_MAX)),
	  .help = "Most fragmented datagrams under way, and most fragments that wait." },
	{ TRACK("FragmentTimeout"), .def = "30s", .parse = conf_parse_span,
	  SPEC(track.fragment_ns, BETWEEN(NS_PER_S, NS_PER_S * CONF_FRAGMENT_MAX_S)),
	  .help = "Time in which a fragmented datagram has to be complete." },
	{ TRACK("StateFile"), .def = "auto", .parse = conf_parse_file, PLAIN(state_file),
	  .help = "File that keeps the flows from a stop to the next start." },
	{ TRACK("History"), .def = "8", .parse = conf_parse_number, .restart = true,
	  SPEC(history, BETWEEN(0, CT_HISTORY_DEPTH_MAX)),
	  .help = "Transitions kept of each flow for ctmarkctl explain; 0: none." },

#define X(suffix, key, seconds)                                                                    \
	{ .section = "Timeouts", .name = key, .def = #seconds "s", .parse = conf_parse_span,       \
	  SPEC(track.timeout_ns[CT_TIMEOUT_##suffix],                                              \
	       BETWEEN(NS_PER_S, NS_PER_S * CONF_TIMEOUT_MAX_S)),                          \
	  .help = "Time after which a flow without packets is forgotten." },
	CT_TIMEOUT_LIST(X)
#undef X

#define X(suffix, key)                                                                             \
	{ .section = "Verdict", .name = key, .def = "accept", .parse = conf_parse_verdict,         \
	  PLAIN(verdict[CT_CLASS_##suffix]), .help = "What happens to packets of each class." },
	CT_CLASS_LIST(X)
#undef X

	{ LOG("Target"), .def = "auto", .parse = conf_parse_word,
	  SPEC(log_target, .words = target_words),
	  .help = "Where records go." },
	{ LOG("Events"), .def = "new reply assured state related destroy invalid",
	  .parse = conf_parse_word_set, SPEC(log_events, .words = event_words),
	  .help = "Transitions that are recorded." },
	{ LOG("RateLimit"), .def = "2000/s", .parse = conf_parse_rate,
	  SPEC(log_rate, BETWEEN(0, 10000000)),
	  .help = "Records per second of each event class, 0 for no limit." },
	{ LOG("Burst"), .def = "10000", .parse = conf_parse_number,
	  SPEC(log_burst, BETWEEN(1, 10000000)),
	  .help = "Records of an event class that may exceed its rate for a moment." },
	{ LOG("Level"), .def = "info", .parse = conf_parse_word,
	  SPEC(log_level, .min = LOG_ERR, .words = level_words),
	  .help = "Least important operational message that is written." },

	{ .section = "Control", .name = "Socket", .def = "/run/ctmarkd/io.ctmark.Manager",
	  .parse = conf_parse_socket, .restart = true,
	  PLAIN(control_socket),
	  .help = "Where the control service listens; none: there is none." },
};

#undef FIELD
#undef SIZE_OF
#define FIELD(member)	.offset = offsetof(struct conf_zone, member)
#define SIZE_OF(member) .size = sizeof(((struct conf_zone *)NULL)->member)
#define ZONE(key)	.section = "Zone NAME", .name = (key), .def = ""

const struct conf_key conf_zone_table[] = {
	{ ZONE("Id"), .parse = conf_parse_number, SPEC(id, BETWEEN(1, UINT16_MAX)),
	  .help = "Number of the zone." },
	{ ZONE("InputInterface"), .parse = conf_parse_interfaces, PLAIN(interfaces),
	  .help = "Packets that come in here belong to the zone." },
	{ ZONE("Queue"), .parse = conf_parse_queues, PLAIN(queues),
	  .help = "So do packets of these queues, if their interface is in no zone." },
};
/* clang-format on */

const size_t conf_table_len = ARRAY_SIZE(conf_table);
const size_t conf_zone_table_len = ARRAY_SIZE(conf_zone_table);

const char *conf_level_name(int level)
{
	return level >= LOG_ERR && level <= LOG_DEBUG ? level_words[level - LOG_ERR] : NULL;
}

int conf_level(const char *word)
{
	for (int i = 0; level_words[i]; i++)
		if (strcmp(level_words[i], word) == 0)
			return LOG_ERR + i;
	return -EINVAL;
}

_Static_assert(ARRAY_SIZE(conf_table) <= CONF_KEYS_MAX, "CONF_KEYS_MAX is too small");
_Static_assert(ARRAY_SIZE(conf_zone_table) <= CONF_ZONE_KEYS_MAX, "CONF_ZONE_KEYS_MAX, too");
