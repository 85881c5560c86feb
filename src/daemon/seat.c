/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/seat.h"

/*
 * A seat is read by another process, perhaps of another version. Nothing in it points anywhere that
 * the successor would follow: it sets all pointers itself. What remains are counters, the trace of
 * a packet that was being judged, and the desk. Their meaning depends on the sizes of structs and
 * on the order of names in lists, so all of these make one number; if that differs, the seat is
 * left unread, and the packets that its owner was at work on are found the slow way.
 *
 * The memory is sealed against being cut off, which would turn a look at it into a signal.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"

#define MAGIC	UINT64_C(0x746165736b726d01)
#define VERSION 1
#define PAGE	4096

struct seat_memory {
	uint64_t magic, layout, size;
	uint32_t queue;
	_Alignas(64) struct worker_memory worker;
	_Alignas(PAGE) uint8_t desk[];
};

static uint64_t mix(uint64_t hash, uint64_t value)
{
	return (hash ^ value) * UINT64_C(0x100000001b3);
}

static uint64_t mix_name(uint64_t hash, const char *name)
{
	for (; *name; name++)
		hash = mix(hash, (uint8_t)*name);
	return mix(hash, 0);
}

static uint64_t layout(void)
{
	uint64_t hash = mix(UINT64_C(0xcbf29ce484222325), VERSION);

	hash = mix(hash, sizeof(struct seat_memory));
	hash = mix(hash, sizeof(struct ct_thread));
	hash = mix(hash, offsetof(struct ct_thread, trace));
	hash = mix(hash, sizeof(struct ct_trace));
	hash = mix(hash, desk_layout());
	for (enum ct_stat i = 0; i < CT_STAT_MAX; i++)
		hash = mix_name(hash, ct_stat_name(i));
	for (enum ct_reason i = 0; i < CT_REASON_MAX; i++)
		hash = mix_name(hash, ct_reason_name(i));
	for (enum ct_info i = 0; i < CT_INFO_MAX; i++)
		hash = mix_name(hash, ct_info_name(i));
	for (enum ct_death i = 0; i < CT_DEATH_MAX; i++)
		hash = mix_name(hash, ct_death_name(i));
	return hash;
}

static size_t seat_size(void)
{
	size_t size = sizeof(struct seat_memory) + desk_size();

	return (size + PAGE - 1) / PAGE * PAGE;
}

static int map(struct seat *ret, int fd)
{
	size_t size = seat_size();
	struct seat_memory *m =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);

	if (m == MAP_FAILED)
		return -errno;
	*ret = (struct seat){
		.fd = fd,
		.worker = &m->worker,
		.desk = (struct desk *)(void *)m->desk,
		.memory = m,
		.size = size,
	};
	return 0;
}

int seat_new(struct seat *ret, unsigned int queue)
{
	_cleanup_close_ int fd = -1;
	struct seat_memory *m;
	struct seat seat;
	char name[32];
	int r;

	snprintf(name, sizeof(name), "ctmarkd-seat-%u", queue);
	fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || ftruncate(fd, (off_t)seat_size()) < 0)
		return -errno;
	(void)fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	r = map(&seat, fd);
	if (r < 0)
		return r;
	m = seat.memory;
	m->layout = layout();
	m->size = seat.size;
	m->queue = queue;
	desk_init(seat.desk, (uint16_t)queue);
	m->magic = MAGIC;
	(void)TAKE_FD(fd);
	*ret = seat;
	return 0;
}

static bool fits(const struct seat *s, unsigned int queue)
{
	const struct seat_memory *m = s->memory;

	return m->magic == MAGIC && m->layout == layout() && m->size == s->size &&
	       m->queue == queue;
}

int seat_adopt(struct seat *ret, int fd, unsigned int queue)
{
	struct seat seat;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size != (off_t)seat_size())
		return -EBADMSG;
	r = map(&seat, fd);
	if (r < 0)
		return r;
	if (!fits(&seat, queue)) {
		munmap(seat.memory, seat.size);
		return -EBADMSG;
	}
	*ret = seat;
	return 0;
}

void seat_free(struct seat *s)
{
	if (!s->memory)
		return;
	munmap(s->memory, s->size);
	close(s->fd);
	*s = (struct seat){};
}
