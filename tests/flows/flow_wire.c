/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/flows/flow_wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "util/cleanup.h"

#define BUFFER 65536

static const struct flow_wire empty = {
	.client = -1, .server = -1, .left_client = -1, .left_server = -1};

static int enter(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		return -errno;
	return 0;
}

static int packet_socket(const char *interface, int *ret_index)
{
	/* Protocol 0: it only sends, so that nothing piles up in it. */
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	*ret_index = (int)if_nametoindex(interface);
	if (fd >= 0 && *ret_index == 0) {
		close(fd);
		return -ENODEV;
	}
	return fd < 0 ? -errno : fd;
}

/* --- nfnetlink_log --------------------------------------------------------------------- */

static struct nlmsghdr *config_message(char *buf)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;

	nlh->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = AF_UNSPEC;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons(FLOW_LOG_GROUP);
	return nlh;
}

static int acknowledged(struct mnl_socket *nl, const struct nlmsghdr *nlh)
{
	char buf[BUFFER];
	ssize_t n;

	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
	return n < 0 || mnl_cb_run(buf, (size_t)n, 0, 0, NULL, NULL) < 0 ? -errno : 0;
}

/* Every packet at once, with as much of it as the rule gives. */
static int open_log(struct mnl_socket *nl)
{
	struct nfulnl_msg_config_cmd cmd = {.command = NFULNL_CFG_CMD_BIND};
	struct nfulnl_msg_config_mode mode = {.copy_range = htonl(0xffff),
					      .copy_mode = NFULNL_COPY_PACKET};
	char buf[256];
	struct nlmsghdr *nlh = config_message(buf);
	int e;

	mnl_attr_put(nlh, NFULA_CFG_CMD, sizeof(cmd), &cmd);
	e = acknowledged(nl, nlh);
	if (e < 0)
		return e;
	nlh = config_message(buf);
	mnl_attr_put(nlh, NFULA_CFG_MODE, sizeof(mode), &mode);
	mnl_attr_put_u32(nlh, NFULA_CFG_QTHRESH, htonl(1));
	return acknowledged(nl, nlh);
}

static struct mnl_socket *netfilter_socket(void)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);

	if (nl && mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(nl);
		return NULL;
	}
	return nl;
}

/* --- opening --------------------------------------------------------------------------- */

static int open_all(struct flow_wire *w, const char *hosts, const char *router)
{
	int e = enter(hosts);

	if (e < 0)
		return e;
	w->client = packet_socket(FLOW_IF_CLIENT, &w->client_if);
	w->server = packet_socket(FLOW_IF_SERVER, &w->server_if);
	if (w->client < 0 || w->server < 0)
		return w->client < 0 ? w->client : w->server;
	e = enter(router);
	if (e < 0)
		return e;
	w->log = netfilter_socket();
	w->ct = netfilter_socket();
	if (!w->log || !w->ct)
		return -errno;
	return open_log(w->log);
}

int flow_wire_open(struct flow_wire *w, const char *hosts, const char *router)
{
	int e;

	*w = empty;
	e = open_all(w, hosts, router);
	if (e < 0)
		flow_wire_close(w);
	return e;
}

void flow_wire_close(struct flow_wire *w)
{
	cleanup_close(&w->client);
	cleanup_close(&w->server);
	cleanup_close(&w->left_client);
	cleanup_close(&w->left_server);
	if (w->log)
		mnl_socket_close(w->log);
	if (w->ct)
		mnl_socket_close(w->ct);
	*w = empty;
}

int flow_wire_sysctl(const char *name, uint32_t value)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_fclose_ FILE *f = NULL;

	if (asprintf(&path, "/proc/sys/net/netfilter/nf_conntrack_%s", name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	f = fopen(path, "we");
	if (!f || fprintf(f, "%u\n", value) < 0 || fflush(f) != 0)
		return -errno;
	return 0;
}

/* --- packets --------------------------------------------------------------------------- */

int flow_wire_send(struct flow_wire *w, const struct flow_packet *p, const struct flow_bytes *b,
		   uint8_t family)
{
	bool client = flow_packet_from_client(p);
	uint8_t link = client ? 1 : 2;
	uint8_t frame[ETH_HLEN + FLOW_BYTES_MAX] = {2, 0, 0, 0, link, 1, 2, 0, 0, 0, link, 2};
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
				 .sll_ifindex = client ? w->client_if : w->server_if};

	frame[12] = family == CT_AF_INET ? 0x08 : 0x86;
	frame[13] = family == CT_AF_INET ? 0x00 : 0xdd;
	memcpy(frame + ETH_HLEN, b->data, b->len);
	if (sendto(client ? w->client : w->server, frame, ETH_HLEN + b->len, 0,
		   (struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	return 0;
}

/* A number that no script has, see flow_host_addr(). */
#define LAST_NUMBER 65535

int flow_wire_send_last(struct flow_wire *w, const struct flow_packet *p, uint8_t family)
{
	bool client = flow_packet_from_client(p);
	struct flow_packet last;
	int e;

	flow_packet_init(&last);
	last.l4 = FLOW_UDP;
	last.src = client ? FLOW_HOST_A : FLOW_HOST_B;
	last.dst = client ? FLOW_HOST_B : FLOW_HOST_A;
	last.sport = w->lasts++;
	last.dport = 9;
	e = flow_packet_build(&last, family, LAST_NUMBER, &w->last);
	if (e == 0)
		e = flow_wire_send(w, &last, &w->last, family);
	w->has_last = e == 0;
	return e;
}

/* What is looked for in the log. */
struct wanted {
	const struct flow_bytes *bytes, *last; /* last: NULL if there is none */
	bool found, over;
	uint32_t mark;
};

static int take_attr(const struct nlattr *attr, void *data)
{
	const struct nlattr **tb = data;
	unsigned int type = mnl_attr_get_type(attr);

	if (type == NFULA_MARK || type == NFULA_PAYLOAD)
		tb[type] = attr;
	return MNL_CB_OK;
}

/* A packet is logged with its beginning, or whole. */
static bool is_logged(const struct flow_bytes *b, const struct nlattr *payload)
{
	size_t n = mnl_attr_get_payload_len(payload);

	return n <= b->len && memcmp(mnl_attr_get_payload(payload), b->data, n) == 0;
}

static int take_packet(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[NFULA_PAYLOAD + 1] = {NULL};
	struct wanted *want = data;

	if (mnl_attr_parse(nlh, sizeof(struct nfgenmsg), take_attr, tb) < 0 || !tb[NFULA_PAYLOAD])
		return MNL_CB_OK;
	if (want->last && is_logged(want->last, tb[NFULA_PAYLOAD]))
		want->over = true;
	if (want->over || !is_logged(want->bytes, tb[NFULA_PAYLOAD]))
		return MNL_CB_OK;
	want->found = true;
	want->mark = tb[NFULA_MARK] ? ntohl(mnl_attr_get_u32(tb[NFULA_MARK])) : 0;
	return MNL_CB_OK;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int flow_wire_logged(struct flow_wire *w, const struct flow_bytes *b, int timeout_ms,
		     uint32_t *ret_mark)
{
	struct pollfd pfd = {.fd = mnl_socket_get_fd(w->log), .events = POLLIN};
	struct wanted want = {.bytes = b, .last = w->has_last ? &w->last : NULL};
	int64_t end = now_ms() + timeout_ms;
	char buf[BUFFER];

	while (!want.found) {
		int64_t left = end - now_ms();
		ssize_t n;

		if (want.over || left <= 0 || poll(&pfd, 1, (int)left) == 0)
			return -ETIME;
		n = mnl_socket_recvfrom(w->log, buf, sizeof(buf));
		if (n < 0 || mnl_cb_run(buf, (size_t)n, 0, 0, take_packet, &want) < 0)
			return -errno;
	}
	*ret_mark = want.mark;
	return 0;
}

/* --- what leaves ------------------------------------------------------------------------ */

static int watching_socket(int interface)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_ALL),
				 .sll_ifindex = interface};
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &(int){1}, sizeof(int)) < 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		int e = -errno;

		close(fd);
		return e;
	}
	return fd;
}

int flow_wire_watch(struct flow_wire *w, const char *hosts, const char *router)
{
	int e = enter(hosts);

	if (e < 0)
		return e;
	w->left_client = watching_socket(w->client_if);
	w->left_server = watching_socket(w->server_if);
	e = enter(router);
	if (w->left_client < 0 || w->left_server < 0)
		return w->left_client < 0 ? w->left_client : w->left_server;
	return e;
}

void flow_wire_watch_anew(struct flow_wire *w)
{
	const int fds[] = {w->left_client, w->left_server};
	char buf[1];

	w->has_last = false;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		while (fds[i] >= 0 && recv(fds[i], buf, sizeof(buf), MSG_DONTWAIT) >= 0)
			;
}

/* The hop that the router took off, and with IPv4 the checksum that has it. */
static void hide_hop(struct flow_bytes *b, uint8_t family)
{
	if (family == CT_AF_INET)
		b->data[8] = b->data[10] = b->data[11] = 0;
	else
		b->data[7] = 0;
}

static bool same_but_hop(const struct flow_bytes *b, const struct flow_bytes *hidden,
			 uint8_t family)
{
	struct flow_bytes sent = *b;

	hide_hop(&sent, family);
	return sent.len == hidden->len && memcmp(sent.data, hidden->data, sent.len) == 0;
}

int flow_wire_left(struct flow_wire *w, const struct flow_packet *p, const struct flow_bytes *b,
		   uint8_t family, int timeout_ms)
{
	struct pollfd pfd = {.fd = flow_packet_from_client(p) ? w->left_server : w->left_client,
			     .events = POLLIN};
	int64_t end = now_ms() + timeout_ms;
	struct flow_bytes got;

	for (;;) {
		int64_t left = end - now_ms();
		ssize_t n;

		if (left <= 0 || poll(&pfd, 1, (int)left) == 0)
			return -ETIME;
		n = recv(pfd.fd, got.data, sizeof(got.data), 0);
		if (n < 0)
			return -errno;
		got.len = (size_t)n;
		hide_hop(&got, family);
		if (same_but_hop(b, &got, family))
			return 0;
		if (w->has_last && same_but_hop(&w->last, &got, family))
			return -ETIME;
	}
}

bool flow_wire_oracle(uint32_t mark, enum ct_info *ret)
{
#define X(name, bit) {CT_INFO_##name, bit},
	static const struct {
		enum ct_info info;
		uint32_t bit;
	} classes[] = {FLOW_ORACLE_LIST(X)};
#undef X
	unsigned int found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		if (!(mark & classes[i].bit))
			continue;
		*ret = classes[i].info;
		found++;
	}
	return found == 1;
}
