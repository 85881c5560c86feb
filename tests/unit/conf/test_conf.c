/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Defaults, and one file: every message by its text, values of each section, checks across keys. */

#include "conf/conf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <cmocka.h>

#include "tests/unit/conf/report.h"

#define SEC UINT64_C(1000000000)

static int load(struct conf *c, struct messages *m, const char *text, size_t size)
{
	FILE *f = fmemopen((void *)text, size, "r");
	int r;

	assert_non_null(f);
	m->text[0] = '\0';
	r = conf_load_stream(c, f, "x.conf", collect, m);
	fclose(f);
	return r;
}

/* Loads text, which must give exactly these messages and (only with an error) no configuration. */
static void expect(const char *text, const char *messages)
{
	struct messages m;
	struct conf c, before;
	bool error = strncmp(messages, "E ", 2) == 0 || strstr(messages, "\nE ");

	memset(&c, 0xa5, sizeof(c));
	before = c;
	assert_int_equal(load(&c, &m, text, strlen(text)), error ? -EINVAL : 0);
	assert_string_equal(m.text, messages);
	assert_int_equal(memcmp(&c, &before, sizeof(c)) == 0, error);
}

static struct conf good(const char *text)
{
	struct messages m;
	struct conf c;

	assert_int_equal(load(&c, &m, text, strlen(text)), 0);
	assert_string_equal(m.text, "");
	return c;
}

static void test_defaults(void **state)
{
	struct conf c;

	conf_init(&c);
	assert_int_equal(c.queue_first, 0);
	assert_int_equal(c.queue_last, 0);
	assert_int_equal(c.queue_max_packets, 8192);
	assert_false(c.queue_fail_open);
	assert_int_equal(c.queue_copy_range, CONF_COPY_AUTO);
	assert_int_equal(c.queue_receive_buffer, CONF_BUFFER_AUTO);
	assert_false(c.cpu_affinity_set);
	assert_int_equal(c.track.mark.encoding, CT_ENCODING_CTINFO);
	assert_int_equal(c.track.mark.mask, 0xf);
	assert_int_equal(c.track.mark.shift, 0);
	assert_int_equal(c.max_flows, 262144);
	assert_int_equal(c.max_expect, 4096);
	assert_int_equal(c.max_fragments, 1024);
	assert_int_equal(c.track.nhelper_ports, 0);
	assert_int_equal(c.track.no_confirm_classes, 0);
	for (int i = 0; i < CT_CLASS_MAX; i++)
		assert_int_equal(c.verdict[i].kind, CONF_ACCEPT);
	assert_int_equal(c.log_target, CONF_TARGET_AUTO);
	assert_int_equal(c.log_events, (1 << CT_EVENT_MAX) - 1);
	assert_int_equal(c.log_rate, 2000);
	assert_int_equal(c.log_burst, 10000);
	assert_int_equal(c.log_level, LOG_INFO);
}

/* The table's texts and the engine's own defaults say the same. */
static void test_engine_defaults(void **state)
{
	struct ct_config engine;
	struct conf c;

	ct_config_init(&engine);
	conf_init(&c);
	for (int i = 0; i < CT_TIMEOUT_MAX; i++)
		assert_true(c.track.timeout_ns[i] == engine.timeout_ns[i]);
	assert_int_equal(c.track.mark.mask, engine.mark.mask);
	assert_int_equal(c.track.mark.shift, engine.mark.shift);
	assert_int_equal(c.track.mark.encoding, engine.mark.encoding);
	assert_int_equal(c.track.confirm, engine.confirm);
	assert_int_equal(c.track.nhelper_ports, engine.nhelper_ports);
	assert_int_equal(c.track.fragment_ns, engine.fragment_ns);
	assert_true(c.track.hold_fragments);
	assert_int_equal(c.track.tcp_loose, engine.tcp_loose);
	assert_int_equal(c.track.tcp_be_liberal, engine.tcp_be_liberal);
	assert_int_equal(c.track.tcp_ignore_invalid_rst, engine.tcp_ignore_invalid_rst);
	assert_int_equal(c.track.tcp_max_retrans, engine.tcp_max_retrans);
	assert_int_equal(c.track.checksum, engine.checksum);
	assert_int_equal(c.track.accounting, engine.accounting);
	assert_int_equal(c.track.no_confirm_classes, engine.no_confirm_classes);
}

static void test_values_queue_mark(void **state)
{
	struct conf c = good("[Queue]\nRange=2-5\nMaxPackets=1\nFailOpen=yes\nCopyRange=1K\n"
			     "ReceiveBuffer=8M\nCPUAffinity=1,3\n"
			     "[Mark]\nEncoding=flags\nMask=0x7f0000\n");

	assert_int_equal(c.queue_first, 2);
	assert_int_equal(c.queue_last, 5);
	assert_int_equal(c.queue_max_packets, 1);
	assert_true(c.queue_fail_open);
	assert_int_equal(c.queue_copy_range, 1024);
	assert_int_equal(c.queue_receive_buffer, 8 * 1024 * 1024);
	assert_true(c.cpu_affinity_set);
	assert_int_equal(CPU_COUNT(&c.cpu_affinity), 2);
	assert_int_equal(c.track.mark.encoding, CT_ENCODING_FLAGS);
	assert_int_equal(c.track.mark.mask, 0x7f0000);
	assert_int_equal(c.track.mark.shift, 16);
}

static void test_values_track(void **state)
{
	struct conf c = good("[Track]\nMaxFlows=64\nMaxExpectations=0\nConfirm=exit\n"
			     "MaxFragments=65536\nFragmentTimeout=5s\nStateFile=/srv/flows\n"
			     "TCPLoose=no\nTCPBeLiberal=yes\n"
			     "TCPIgnoreInvalidRST=yes\nTCPMaxRetrans=255\nChecksum=no\n"
			     "Accounting=no\n"
			     "[Timeouts]\nTCPEstablished=1h30min\nUDP=45\nTCPMaxRetrans=1min\n");

	assert_int_equal(c.max_flows, 64);
	assert_int_equal(c.max_expect, 0);
	assert_int_equal(c.max_fragments, 65536);
	assert_string_equal(c.state_file, "/srv/flows");
	assert_int_equal(c.track.fragment_ns, 5 * CT_NS_PER_S);
	assert_int_equal(c.track.confirm, CT_CONFIRM_EXIT);
	assert_false(c.track.tcp_loose);
	assert_true(c.track.tcp_be_liberal);
	assert_true(c.track.tcp_ignore_invalid_rst);
	assert_int_equal(c.track.tcp_max_retrans, 255);
	assert_false(c.track.checksum);
	assert_false(c.track.accounting);
	assert_true(c.track.timeout_ns[CT_TIMEOUT_TCP_ESTABLISHED] == 5400 * SEC);
	assert_true(c.track.timeout_ns[CT_TIMEOUT_UDP] == 45 * SEC);
	assert_true(c.track.timeout_ns[CT_TIMEOUT_TCP_RETRANS] == 60 * SEC);
	assert_true(c.track.timeout_ns[CT_TIMEOUT_UDP_STREAM] == 120 * SEC);
}

static void test_helpers(void **state)
{
	struct conf c = good("[Track]\nHelpers=ftp:21,2121 tftp\n");

	assert_int_equal(c.track.nhelper_ports, 3);
	assert_int_equal(c.track.helper_ports[1].port, 2121);
	assert_int_equal(c.track.helper_ports[1].helper, CT_HELPER_FTP);
	assert_int_equal(c.track.helper_ports[2].port, 69);
	assert_int_equal(c.track.helper_ports[2].helper, CT_HELPER_TFTP);
	c = good("[Track]\nHelpers=ftp\nHelpers=\n");
	assert_int_equal(c.track.nhelper_ports, 0);
	assert_int_equal(c.track.helper_ports[0].port, 0);
	expect("[Track]\n\nHelpers=ftp h323\n", "E x.conf:3: [Track] Helpers=ftp h323: \"h323\" is "
						"none of ftp tftp irc sip pptp amanda sane\n");
}

/* Helpers have to read all of a message. */
static void test_copy_range(void **state)
{
	struct conf c = good("");

	assert_int_equal(conf_copy_range(&c), 2048);
	c = good("[Track]\nHelpers=tftp\n");
	assert_int_equal(conf_copy_range(&c), 65535);
	c = good("[Queue]\nCopyRange=1K\n[Track]\nHelpers=tftp\n");
	assert_int_equal(conf_copy_range(&c), 1024);
}

static void test_values_verdict_log(void **state)
{
	struct conf c = good("[Verdict]\nNew=queue:7\nInvalid=drop\nUntracked=drop\n"
			     "[Log]\nTarget=console\nEvents=destroy new\nRateLimit=0\nBurst=5\n"
			     "Level=debug\n");

	assert_int_equal(c.verdict[CT_CLASS_NEW].kind, CONF_QUEUE);
	assert_int_equal(c.verdict[CT_CLASS_NEW].queue, 7);
	assert_int_equal(c.verdict[CT_CLASS_RELATED].kind, CONF_ACCEPT);
	assert_int_equal(c.verdict[CT_CLASS_INVALID].kind, CONF_DROP);
	assert_int_equal(c.track.no_confirm_classes,
			 1 << CT_CLASS_INVALID | 1 << CT_CLASS_UNTRACKED);
	assert_int_equal(c.log_target, CONF_TARGET_CONSOLE);
	assert_int_equal(c.log_events, 1 << CT_EVENT_NEW | 1 << CT_EVENT_DESTROY);
	assert_int_equal(c.log_rate, 0);
	assert_int_equal(c.log_burst, 5);
	assert_int_equal(c.log_level, LOG_DEBUG);
}

/* What may stand in a file besides Key=value. */
static void test_form(void **state)
{
	struct conf c;

	good("");
	good("\n\n# comment without [header] or end\n; another\n");
	c = good("\xef\xbb\xbf[Track]\r\n  MaxFlows = 100 \r\n\tChecksum\t=\tno\t\r\n"
		 "  # indented comment\n  TCPLoose=no ; why it is off\n[Mark] # header comment\n"
		 "Mask=0xff");
	assert_int_equal(c.max_flows, 100);
	assert_false(c.track.checksum);
	assert_false(c.track.tcp_loose);
	assert_int_equal(c.track.mark.mask, 0xff);
}

/* Of several assignments the last counts; an empty one is the default. */
static void test_again(void **state)
{
	struct conf c = good("[Mark]\nMask=0xff\n[Queue]\nRange=4\nCPUAffinity=1\n[Mark]\n"
			     "Mask=0xf0\n[Queue]\nRange=\nCPUAffinity=\nMaxPackets=7\n"
			     "[Log]\nEvents=new\nEvents=reply\n");

	assert_int_equal(c.track.mark.mask, 0xf0);
	assert_int_equal(c.track.mark.shift, 4);
	assert_int_equal(c.queue_first, 0);
	assert_false(c.cpu_affinity_set);
	assert_int_equal(c.queue_max_packets, 7);
	assert_int_equal(c.log_events, 1 << CT_EVENT_REPLY);
}

static void test_unknown(void **state)
{
	expect("[Queue]\nRang=1\n[Mark]\nmask=0xff\nMaxFlows=3\n",
	       "W x.conf:2: unknown key [Queue] Rang=, ignored\n"
	       "W x.conf:4: unknown key [Mark] mask=, ignored (did you mean [Mark] Mask=?)\n"
	       "W x.conf:5: unknown key [Mark] MaxFlows=, ignored (did you mean [Track] "
	       "MaxFlows=?)\n");
	expect("Range=1\n[Controls]\n\nSocket=/x\nGroup=y\n[Nat]\nA=b\n",
	       "W x.conf:1: Range= before the first section, ignored\n"
	       "W x.conf:2: unknown section [Controls], ignored\n"
	       "W x.conf:6: unknown section [Nat], ignored\n");
	expect("[queue]\nRange=1\n", "W x.conf:1: unknown section [queue], ignored\n");
}

/* Every bad value is named, with its own line. */
static void test_bad_values(void **state)
{
	expect("[Mark]\n\nMask=0x5\n\n[Queue]\nRange=3-0\nMaxPackets=0\nFailOpen=maybe\n"
	       "CopyRange=64\nReceiveBuffer=1G\nCPUAffinity=x\n",
	       "E x.conf:3: [Mark] Mask=0x5: bits are not contiguous\n"
	       "E x.conf:6: [Queue] Range=3-0: the range runs backwards\n"
	       "E x.conf:7: [Queue] MaxPackets=0: must be from 1 to 4294967295\n"
	       "E x.conf:8: [Queue] FailOpen=maybe: must be yes or no\n"
	       "E x.conf:9: [Queue] CopyRange=64: must be from 128 to 65535 bytes\n"
	       "E x.conf:10: [Queue] ReceiveBuffer=1G: must be from 65536 to 1072693248 bytes\n"
	       "E x.conf:11: [Queue] CPUAffinity=x: not a list of CPUs (such as 0-3,8)\n");
	expect("[Track]\nMaxFlows=63\nTCPMaxRetrans=256\n[Timeouts]\nUDP=0s\nICMP=400d\n",
	       "E x.conf:2: [Track] MaxFlows=63: must be from 64 to 268435456\n"
	       "E x.conf:3: [Track] TCPMaxRetrans=256: must be from 0 to 255\n"
	       "E x.conf:5: [Timeouts] UDP=0s: must be from 1s to 31536000s\n"
	       "E x.conf:6: [Timeouts] ICMP=400d: must be from 1s to 31536000s\n");
	expect("[Track]\nMaxExpectations=1048577\nConfirm=late\nHelpers=ftp:0\n",
	       "E x.conf:2: [Track] MaxExpectations=1048577: must be from 0 to 1048576\n"
	       "E x.conf:3: [Track] Confirm=late: \"late\" is none of auto entry exit\n"
	       "E x.conf:4: [Track] Helpers=ftp:0: ftp: takes ports from 1 to 65535 (such as "
	       "ftp:21)\n");
	expect("[Log]\nTarget=syslog\nEvents=new died\nRateLimit=5\nBurst=0\nLevel=crit\n",
	       "E x.conf:2: [Log] Target=syslog: \"syslog\" is none of auto journal console none\n"
	       "E x.conf:3: [Log] Events=new died: \"died\" is none of new related reply assured "
	       "state destroy invalid\n"
	       "E x.conf:4: [Log] RateLimit=5: a rate is per second: write 5/s\n"
	       "E x.conf:5: [Log] Burst=0: must be from 1 to 10000000\n"
	       "E x.conf:6: [Log] Level=crit: \"crit\" is none of err warning notice info debug\n");
	expect("[Verdict]\nNew=reject\n[Mark]\nEncoding=bits\n",
	       "E x.conf:2: [Verdict] New=reject: must be accept, drop, queue:N or repeat\n"
	       "E x.conf:4: [Mark] Encoding=bits: \"bits\" is none of ctinfo flags\n");
	/* A later good value does not excuse a bad one. */
	expect("[Mark]\nMask=0x5\nMask=0xff\n",
	       "E x.conf:2: [Mark] Mask=0x5: bits are not contiguous\n");
}

static void test_malformed(void **state)
{
	expect("[Queue\nMaxPackets 5\n[Mark] Mask=0xff\njunk\n[Track]\nMaxFlows=100\nend",
	       "E x.conf:1: section header without \"]\"\n"
	       "E x.conf:2: neither a [Section] nor Key=value\n"
	       "E x.conf:3: text after the section header\n"
	       "E x.conf:4: neither a [Section] nor Key=value\n"
	       "E x.conf:7: neither a [Section] nor Key=value\n");
	expect("[Track\nMaxFlows=5\nColour=red\n[Queue]\nRange=x\n",
	       "E x.conf:1: section header without \"]\"\n"
	       "E x.conf:5: [Queue] Range=x: not a queue number or range (such as 0 or 0-3)\n");
	expect("[Mark ;]\n", "E x.conf:1: malformed line\n");
	expect("[Mark]\nMask=\x1b[31m\x7f\n", "E x.conf:2: [Mark] Mask=?[31m?: not a hexadecimal "
					      "mask (such as 0xf or 0x7f)\n");
}

static void test_nul_byte(void **state)
{
	static const char text[] = "[Mark]\nMask=0xff\0ff\nMask=0x5\n";
	struct messages m;
	struct conf c;

	assert_int_equal(load(&c, &m, text, sizeof(text) - 1), -EINVAL);
	assert_string_equal(m.text, "E x.conf:2: line contains a NUL byte\n"
				    "E x.conf:3: [Mark] Mask=0x5: bits are not contiguous\n");
}

/* 198 bytes fit; longer lines are refused whole, and the lines after them keep their numbers. */
static void test_long_lines(void **state)
{
	char text[1024];

	snprintf(text, sizeof(text), "[Log]\nEvents=%0190d new\n#%0300d\nLevel=x\n", 0, 0);
	expect(text, "E x.conf:2: line is longer than 198 bytes\n"
		     "E x.conf:4: [Log] Level=x: \"x\" is none of err warning notice info "
		     "debug\n");
}

static void test_long_line_that_fits(void **state)
{
	char text[512] = "[Log]\nEvents=", *end = text + strlen(text);

	memset(end, ' ', 198 - strlen("Events=new"));
	strcpy(end + 198 - strlen("Events=new"), "new\n[Track]\nMaxFlows=64\n");
	assert_int_equal(good(text).log_events, 1 << CT_EVENT_NEW);
	assert_int_equal(good(text).max_flows, 64);
}

static void test_endless_file(void **state)
{
	struct messages m = {""};
	struct conf c;

	assert_int_equal(conf_load(&c, NULL, "", "/dev/zero", collect, &m), -EINVAL);
	assert_string_equal(m.text, "E /dev/zero:1: file is longer than 1 MiB\n");
}

/* Half a file is no configuration. */
static void test_read_error(void **state)
{
	struct messages m = {""};
	struct conf c;

	assert_int_equal(conf_load(&c, NULL, "", "/proc/self/mem", collect, &m), -EIO);
	assert_string_equal(m.text, "E /proc/self/mem: cannot be read: Input/output error\n");
}

static void test_zones(void **state)
{
	struct conf c = good("[Zone blue]\nId=7\nInputInterface=lan0 \t vlan*\n"
			     "[Track]\nTCPLoose=no\n"
			     "[Zone red_2.x-y]\nQueue=5, 2-3\nId=65535\n"
			     "[Queue]\nRange=0-5\n[Zone\tblue]\nQueue=0\n");

	assert_int_equal(c.nzones, 2);
	assert_string_equal(c.zones[0].name, "blue");
	assert_int_equal(c.zones[0].id, 7);
	assert_string_equal(c.zones[0].interfaces, "lan0 vlan*");
	assert_string_equal(c.zones[1].name, "red_2.x-y");
	assert_int_equal(c.track.nzones, 2);
	assert_int_equal(c.track.zones[0], 7);
	assert_int_equal(c.track.zones[1], 65535);
	assert_int_equal(conf_zone_of_queue(&c, 0), 7);
	assert_int_equal(conf_zone_of_queue(&c, 1), 0);
	assert_int_equal(conf_zone_of_queue(&c, 2), 65535);
	assert_int_equal(conf_zone_of_queue(&c, 3), 65535);
	assert_int_equal(conf_zone_of_queue(&c, 4), 0);
	assert_int_equal(conf_zone_of_queue(&c, 5), 65535);
	c = good("");
	assert_int_equal(c.track.nzones, 0);
	assert_int_equal(conf_zone_of_queue(&c, 0), 0);
}

/* A name goes before patterns, and of those the first. */
static void test_zone_of_interface(void **state)
{
	struct conf c = good("[Zone a]\nId=1\nInputInterface=vlan1* *9\n"
			     "[Zone b]\nId=2\nInputInterface=vlan1 vlan?9 [xy]\n"
			     "[Zone c]\nId=3\nInputInterface=vlan19\n");
	static const struct {
		const char *name;
		uint16_t zone;
	} rows[] = {{"vlan1", 2}, {"vlan10", 1}, {"vlan19", 3}, {"vlan29", 1}, {"vlan2", 0},
		    {"vlan", 0},  {"x", 2},	 {"z", 0},	{"vlan1*", 1}, {"lan1", 0}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(conf_zone_of_interface(&c, rows[i].name), rows[i].zone);
}

static void test_bad_zones(void **state)
{
	static const char no_name[] =
		"a zone has a name of up to 31 letters, digits, dots, dashes and underscores "
		"(such as [Zone blue])\n";
	char messages[512];

	expect("\n[Zone a]\n", "E x.conf:2: [Zone a]: has no Id=\n"
			       "W x.conf:2: [Zone a]: without InputInterface= and Queue= no packet "
			       "belongs to it\n");
	expect("[Zone a]\nQueue=0\nId=1\nId=\n", "E x.conf:1: [Zone a]: has no Id=\n");
	expect("[Zone a]\nId=0\nInputInterface=a/b\nQueue=1-0\n",
	       "E x.conf:2: [Zone a] Id=0: must be from 1 to 65535\n"
	       "E x.conf:3: [Zone a] InputInterface=a/b: \"a/b\" is no name of an interface\n"
	       "E x.conf:4: [Zone a] Queue=1-0: the range 1-0 runs backwards\n");
	expect("[Queue]\nRange=1-9\n[Zone a]\nId=1\nInputInterface=x y*\nQueue=1-3\n"
	       "[Zone b]\nId=1\nInputInterface=y y* x\nQueue=5 3\n",
	       "E x.conf:8: [Zone b] Id=1: is that of [Zone a]\n"
	       "E x.conf:9: [Zone b] InputInterface=: y* belongs to [Zone a]\n"
	       "E x.conf:9: [Zone b] InputInterface=: x belongs to [Zone a]\n"
	       "E x.conf:10: [Zone b] Queue=: queue 3 belongs to [Zone a]\n");
	expect("[Zone a]\nId=1\nQueue=0-1\n",
	       "W x.conf:3: [Zone a] Queue=: not all of them are queues of ours (Range=0-0)\n");
	expect("[Zone a]\nId=1\nQueue=0\nid=2\nColour=red\nRange=1\n[Queue]\nid=1\n",
	       "W x.conf:4: unknown key [Zone a] id=, ignored (did you mean [Zone NAME] Id=?)\n"
	       "W x.conf:5: unknown key [Zone a] Colour=, ignored\n"
	       "W x.conf:6: unknown key [Zone a] Range=, ignored (did you mean [Queue] Range=?)\n"
	       "W x.conf:8: unknown key [Queue] id=, ignored (did you mean [Zone NAME] Id=?)\n");
	expect("[Zones]\nId=1\n[zone a]\nId=1\n",
	       "W x.conf:1: unknown section [Zones], ignored\n"
	       "W x.conf:3: unknown section [zone a], ignored\n");
	snprintf(messages, sizeof(messages),
		 "E x.conf:1: %sE x.conf:3: %sE x.conf:4: %sE x.conf:5: %s", no_name, no_name,
		 no_name, no_name);
	expect("[Zone]\nId=1\n[Zone a b]\n[Zone \xc3\xa4]\n"
	       "[Zone a1234567890123456789012345678901]\nId=3\n",
	       messages);
}

static void test_too_many_zones(void **state)
{
	char text[64 * 48] = "";

	for (unsigned int i = 1; i <= 64; i++)
		sprintf(text + strlen(text), "[Zone z%u]\nId=%u\nInputInterface=if%u\n", i, i, i);
	assert_int_equal(good(text).track.nzones, 64);
	strcat(text, "[Zone z1]\nId=99\n"); /* is there already */
	assert_int_equal(good(text).track.zones[0], 99);
	strcat(text, "[Zone z65]\nId=65\n");
	expect(text, "E x.conf:195: there are 64 zones already\n");
}

static void test_mask_width(void **state)
{
	expect("[Mark]\nMask=0x7\n",
	       "E x.conf:2: [Mark] Mask=0x7: Encoding=ctinfo needs 4 bits, this has 3\n");
	expect("[Mark]\nMask=0x3f00\n\nEncoding=flags\n",
	       "E x.conf:2: [Mark] Mask=0x3f00: Encoding=flags needs 7 bits, this has 6\n");
	expect("[Mark]\nEncoding=flags\n",
	       "E x.conf:2: [Mark] Encoding=flags: needs 7 bits, the default Mask=0xf has 4\n");
	expect("[Mark]\nMask=0x7f\nMask=\nEncoding=flags\n",
	       "E x.conf:4: [Mark] Encoding=flags: needs 7 bits, the default Mask=0xf has 4\n");
	/* A mask that could not be read is not judged a second time. */
	expect("[Mark]\nEncoding=flags\nMask=0x500\n",
	       "E x.conf:3: [Mark] Mask=0x500: bits are not contiguous\n");
	expect("[Mark]\nMask=0x1fe\nEncoding=flags\n", "");
}

static void test_own_queue(void **state)
{
	expect("[Queue]\nRange=2-4\n[Verdict]\nNew=queue:1\nInvalid=queue:5\n", "");
	expect("[Verdict]\nNew=queue:4\nEstablished=queue:2\nInvalid=queue:3\n[Queue]\nRange=2-4\n",
	       "E x.conf:2: [Verdict] New=queue:4: is a queue of our own (Range=2-4), "
	       "packets would go round for ever\n"
	       "E x.conf:3: [Verdict] Established=queue:2: is a queue of our own (Range=2-4), "
	       "packets would go round for ever\n"
	       "E x.conf:4: [Verdict] Invalid=queue:3: is a queue of our own (Range=2-4), "
	       "packets would go round for ever\n");
}

/* What a reload asks: the queues of the running configuration against verdicts of the new one. */
static void test_serves(void **state)
{
	struct conf running = good("[Queue]\nRange=2-4\n");
	struct conf_verdict verdict = {.kind = CONF_QUEUE, .queue = 1};

	assert_false(conf_serves(&running, &verdict));
	verdict.queue = 2;
	assert_true(conf_serves(&running, &verdict));
	verdict.queue = 4;
	assert_true(conf_serves(&running, &verdict));
	verdict.kind = CONF_ACCEPT;
	assert_false(conf_serves(&running, &verdict));
}

static void test_repeat(void **state)
{
	expect("[Verdict]\nNew=repeat\n[Mark]\nMask=0xff00\n",
	       "W x.conf:2: [Verdict] New=repeat: packets meet the rule that queued them again; "
	       "let it leave out those with a mark (-m mark --mark 0x0/0xff00), or each is queued "
	       "twice; and let no rule before it clear the mark, or each is queued many times\n");
}

static void test_restart_keys(void **state)
{
	struct conf a = good(""), b = a;
	char names[128];

	assert_int_equal(conf_restart_keys(&a, &b, names, sizeof(names)), 0);
	assert_string_equal(names, "");
	b = good("[Mark]\nMask=0xff\n[Timeouts]\nUDP=5\n[Log]\nLevel=err\n[Verdict]\nNew=drop\n"
		 "[Track]\nTCPLoose=no\nConfirm=exit\nHelpers=ftp\n[Queue]\nCopyRange=128\n"
		 "MaxPackets=1\nFailOpen=yes\nReceiveBuffer=1M\nCPUAffinity=0\n");
	assert_int_equal(conf_restart_keys(&a, &b, names, sizeof(names)), 0);
	b = good("[Queue]\nRange=0-1\n");
	assert_int_equal(conf_restart_keys(&a, &b, names, sizeof(names)), 1);
	assert_string_equal(names, "Range=");
	b = good("[Queue]\nRange=1\n[Track]\nMaxFlows=64\nMaxExpectations=0\nMaxFragments=1\n");
	assert_int_equal(conf_restart_keys(&a, &b, names, sizeof(names)), 4);
	assert_string_equal(names, "Range=, MaxFlows=, MaxExpectations=, MaxFragments=");
	assert_int_equal(conf_restart_keys(&a, &b, names, 20), 4);
	assert_string_equal(names, "Range=, MaxFlows=");
	assert_int_equal(conf_restart_keys(&a, &b, names, 1), 4);
	assert_string_equal(names, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_engine_defaults),
		cmocka_unit_test(test_values_queue_mark),
		cmocka_unit_test(test_values_track),
		cmocka_unit_test(test_helpers),
		cmocka_unit_test(test_copy_range),
		cmocka_unit_test(test_values_verdict_log),
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_nul_byte),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_long_line_that_fits),
		cmocka_unit_test(test_endless_file),
		cmocka_unit_test(test_read_error),
		cmocka_unit_test(test_zones),
		cmocka_unit_test(test_zone_of_interface),
		cmocka_unit_test(test_bad_zones),
		cmocka_unit_test(test_too_many_zones),
		cmocka_unit_test(test_mask_width),
		cmocka_unit_test(test_own_queue),
		cmocka_unit_test(test_serves),
		cmocka_unit_test(test_repeat),
		cmocka_unit_test(test_restart_keys),
	};

	return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
