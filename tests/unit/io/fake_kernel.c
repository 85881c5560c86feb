/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#define FD 1000

struct fake_kernel *fake_kernel;

void fake_reset(uint32_t last_id)
{
	if (!fake_kernel)
		fake_kernel = mmap(NULL, sizeof(fake), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memset(&fake, 0, sizeof(fake));
	fake.last_id = last_id;
}

static void step(void)
{
	if (fake.kill_in > 0 && --fake.kill_in == 0)
		_exit(0);
}

/* --- what the kernel sends ---------------------------------------------------------------------
 */

static struct nlmsghdr *new_datagram(uint16_t type)
{
	size_t at = (fake.first + fake.ndatagrams++) % FAKE_DATAGRAMS_MAX;
	struct nlmsghdr *nlh;

	assert_true(fake.ndatagrams <= FAKE_DATAGRAMS_MAX);
	memset(&fake.datagrams[at], 0, sizeof(fake.datagrams[at]));
	nlh = mnl_nlmsg_put_header(fake.datagrams[at].data);
	nlh->nlmsg_type = type;
	return nlh;
}

static void end_datagram(const struct nlmsghdr *nlh)
{
	size_t at = (fake.first + fake.ndatagrams - 1) % FAKE_DATAGRAMS_MAX;

	assert_true(nlh->nlmsg_len <= FAKE_DATAGRAM_MAX);
	fake.datagrams[at].len = nlh->nlmsg_len;
}

static void send_answer(const struct nlmsghdr *to, int error)
{
	struct nlmsghdr *nlh = new_datagram(NLMSG_ERROR);
	struct nlmsgerr *err = mnl_nlmsg_put_extra_header(nlh, sizeof(*err));

	nlh->nlmsg_seq = to->nlmsg_seq;
	err->error = -error;
	err->msg = *to;
	end_datagram(nlh);
}

void fake_answer(uint32_t seq, int error)
{
	send_answer(&(struct nlmsghdr){.nlmsg_seq = seq}, error);
}

static void send_packet(const struct fake_packet *p)
{
	struct nfqnl_msg_packet_hdr hdr = {.packet_id = htonl(p->id)};
	struct nlmsghdr *nlh = new_datagram(NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET);
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));

	nfg->nfgen_family = AF_INET;
	if (p->kind != FAKE_UNREADABLE)
		mnl_attr_put(nlh, NFQA_PACKET_HDR, p->kind == FAKE_BROKEN ? 4 : 7, &hdr);
	if (p->mark)
		mnl_attr_put_u32(nlh, NFQA_MARK, htonl(p->mark));
	mnl_attr_put(nlh, NFQA_PAYLOAD, 4, "\x45\0\0");
	end_datagram(nlh);
}

struct fake_packet *fake_arrive(enum fake_kind kind, uint32_t mark)
{
	struct fake_packet *p = &fake.packets[fake.npackets++];

	assert_true(fake.npackets <= FAKE_PACKETS_MAX);
	*p = (struct fake_packet){
		.id = ++fake.last_id,
		.mark = mark,
		.kind = kind,
		.waits = kind != FAKE_LOST,
	};
	if (p->waits)
		send_packet(p);
	return p;
}

/* --- verdicts ----------------------------------------------------------------------------------
 */

unsigned int fake_purge(void)
{
	unsigned int n = 0;

	for (size_t i = fake.oldest; i < fake.npackets; i++) {
		struct fake_packet *p = &fake.packets[i];

		n += p->waits;
		p->purged |= p->waits;
		p->waits = false;
	}
	return n;
}

struct fake_packet *fake_find(uint32_t id)
{
	for (size_t i = fake.npackets; i-- > 0;)
		if (fake.packets[i].id == id)
			return &fake.packets[i];
	fail_msg("no packet has the id %u", id);
	return NULL;
}

static uint32_t be32(const struct nlattr *attr)
{
	return ntohl(mnl_attr_get_u32(attr));
}

static void let_go(struct fake_packet *p, uint32_t verdict, const struct nlattr *mark)
{
	p->waits = false;
	p->answers++;
	p->verdict = verdict;
	p->mark_out = mark ? be32(mark) : p->mark;
}

/* All up to an id, in the order of the list, or the one with the id. Returns how many it found. */
static unsigned int apply(bool batch, uint32_t id, uint32_t verdict, const struct nlattr *mark)
{
	unsigned int n = 0;

	for (size_t i = fake.oldest; i < fake.npackets; i++) {
		struct fake_packet *p = &fake.packets[i];

		if (!p->waits)
			continue;
		if (batch && (int32_t)(p->id - id) > 0)
			break;
		if (batch || p->id == id) {
			let_go(p, verdict, mark);
			n++;
		}
	}
	while (fake.oldest < fake.npackets && !fake.packets[fake.oldest].waits)
		fake.oldest++;
	return n;
}

static void take_message(const struct nlmsghdr *nlh)
{
	bool batch = nlh->nlmsg_type == (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT_BATCH);
	const struct nfqnl_msg_verdict_hdr *hdr = NULL;
	const struct nlattr *attr, *mark = NULL;

	assert_true(batch || nlh->nlmsg_type == (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT));
	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(attr) == NFQA_VERDICT_HDR)
			hdr = mnl_attr_get_payload(attr);
		else if (mnl_attr_get_type(attr) == NFQA_MARK)
			mark = attr;
	}
	assert_non_null(hdr);
	assert_true(fake.nmessages < FAKE_PACKETS_MAX);
	fake.messages[fake.nmessages++] = (struct fake_message){ntohl(hdr->id), batch};
	if (apply(batch, ntohl(hdr->id), ntohl(hdr->verdict), mark) == 0)
		send_answer(nlh, ENOENT);
	else if (nlh->nlmsg_flags & NLM_F_ACK)
		send_answer(nlh, 0);
}

/* --- commands ----------------------------------------------------------------------------------
 */

static void set_flags(const struct nlattr *flags, const struct nlattr *mask)
{
	fake.flags = (fake.flags & ~be32(mask)) | (be32(flags) & be32(mask));
}

/* A queue answers to the socket that has it. Returns 0 or a positive errno. */
static int take_command(const struct nlmsghdr *nlh)
{
	const struct nlattr *attr, *at[NFQA_CFG_MAX + 1] = {};
	const struct nfqnl_msg_config_params *params;

	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg)) at[mnl_attr_get_type(attr)] = attr;
	if (at[NFQA_CFG_CMD]) {
		fake.bound = true;
		return 0;
	}
	if (!fake.bound || fake.foreign)
		return fake.foreign ? EPERM : ENODEV;
	if (at[NFQA_CFG_FLAGS])
		set_flags(at[NFQA_CFG_FLAGS], at[NFQA_CFG_MASK]);
	if (at[NFQA_CFG_QUEUE_MAXLEN])
		fake.max_packets = be32(at[NFQA_CFG_QUEUE_MAXLEN]);
	if (at[NFQA_CFG_PARAMS]) {
		params = mnl_attr_get_payload(at[NFQA_CFG_PARAMS]);
		fake.copy_range = ntohl(params->copy_range);
	}
	return 0;
}

/* --- system calls ------------------------------------------------------------------------------
 */

struct mnl_socket *__wrap_mnl_socket_open2(int bus, int flags);
struct mnl_socket *__wrap_mnl_socket_fdopen(int fd);
int __wrap_mnl_socket_bind(struct mnl_socket *nl, unsigned int groups, pid_t pid);
int __wrap_mnl_socket_get_fd(const struct mnl_socket *nl);
int __wrap_mnl_socket_setsockopt(const struct mnl_socket *nl, int type, void *buf, socklen_t len);
ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *nl, const void *req, size_t size);
int __wrap_mnl_socket_close(struct mnl_socket *nl);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms);
ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags);
int __wrap_recvmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags,
		    struct timespec *timeout);
ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags);
int __real_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_clock_gettime(clockid_t id, struct timespec *ts);

int __wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	int r = __real_clock_gettime(id, ts);

	ts->tv_sec += fake.later_s;
	return r;
}

struct mnl_socket *__wrap_mnl_socket_open2(int bus, int flags)
{
	fake.opened++;
	fake.foreign = false;
	return (struct mnl_socket *)&fake;
}

struct mnl_socket *__wrap_mnl_socket_fdopen(int fd)
{
	close(fd); /* a duplicate; its place is taken by FD */
	fake.adopted++;
	return (struct mnl_socket *)&fake;
}

int __wrap_mnl_socket_bind(struct mnl_socket *nl, unsigned int groups, pid_t pid)
{
	return 0;
}

int __wrap_mnl_socket_get_fd(const struct mnl_socket *nl)
{
	return FD;
}

int __wrap_mnl_socket_setsockopt(const struct mnl_socket *nl, int type, void *buf, socklen_t len)
{
	return 0;
}

ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *nl, const void *req, size_t size)
{
	const struct nlmsghdr *nlh = req;
	int error;

	step();
	for (; fake.early > 0; fake.early--)
		fake_arrive(FAKE_GOOD, 0);
	error = fake.command_error ? fake.command_error : take_command(nlh);
	if (error || (nlh->nlmsg_flags & NLM_F_ACK))
		send_answer(nlh, error);
	return (ssize_t)size;
}

int __wrap_mnl_socket_close(struct mnl_socket *nl)
{
	fake.closed++;
	return 0;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	int size;

	assert_int_equal(len, sizeof(size));
	memcpy(&size, value, sizeof(size));
	if (name == SO_RCVBUFFORCE && fake.unforced) {
		errno = EPERM;
		return -1;
	}
	fake.rcvbuf = name == SO_RCVBUFFORCE || size < FAKE_RMEM_MAX ? size : FAKE_RMEM_MAX;
	return 0;
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	int number = name == SO_DOMAIN	   ? (fake.no_netlink ? AF_INET : AF_NETLINK)
		     : name == SO_PROTOCOL ? NETLINK_NETFILTER
		     : name == SO_MEMINFO  ? (int)fake.ndatagrams
					   : 2 * fake.rcvbuf;

	memcpy(value, &number, sizeof(number));
	return 0;
}

int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	fds[0].revents = fake.ndatagrams > 0 ? POLLIN : 0;
	step();
	return fake.ndatagrams > 0;
}

ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags)
{
	size_t at = fake.first;

	step();
	if (fake.ndatagrams == 0) {
		errno = EAGAIN;
		return -1;
	}
	assert_true(fake.datagrams[at].len <= len);
	memcpy(buf, fake.datagrams[at].data, fake.datagrams[at].len);
	fake.first = (at + 1) % FAKE_DATAGRAMS_MAX;
	fake.ndatagrams--;
	return (ssize_t)fake.datagrams[at].len;
}

int __wrap_recvmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags,
		    struct timespec *timeout)
{
	unsigned int i = 0;

	for (; i < n && fake.ndatagrams > 0; i++) {
		const struct iovec *iov = msgs[i].msg_hdr.msg_iov;

		msgs[i].msg_len = (unsigned int)__wrap_recv(fd, iov->iov_base, iov->iov_len, 0);
	}
	if (i > 0)
		return (int)i;
	errno = EAGAIN;
	return -1;
}

ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags)
{
	const struct nlmsghdr *nlh = buf;
	int left = (int)len;

	if (fake.failing_sends > 0) {
		fake.failing_sends--;
		errno = ENOBUFS;
		return -1;
	}
	step();
	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
		take_message(nlh);
	step();
	assert_int_equal(left, 0);
	return (ssize_t)len;
}

void fake_expect_messages(const char *want)
{
	char text[1024] = "";
	size_t used = 0;

	for (size_t i = 0; i < fake.nmessages; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s%u", i ? " " : "",
					 fake.messages[i].batch ? "b" : "", fake.messages[i].id);
	assert_string_equal(text, want);
	fake.nmessages = 0;
}
