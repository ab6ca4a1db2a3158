/* SPDX-License-Identifier: Apache-2.0 */
#include "fds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "story.h"

#define FIRST 100000 /* no real descriptor is that high */
#define MAX_FDS 1024
#define MAX_OPEN 1024

/* An open file description; descriptors are copies of it. */
struct description {
	enum fd_kind kind;
	unsigned refs;
	uint64_t number;
	char *bytes;
	size_t len, cap;
};

static struct description open_files[MAX_OPEN];
static struct {
	struct description *of;
	unsigned owner;
} fds[MAX_FDS];
static unsigned high_open, high_fd; /* nothing is used from there on */

int __wrap_close(int fd);
int __real_close(int fd);
int __wrap_fcntl(int fd, int cmd, ...);
int __real_fcntl(int fd, int cmd, ...);

static struct description *of(int fd)
{
	if (fd < FIRST || fd >= FIRST + MAX_FDS)
		return NULL;
	return fds[fd - FIRST].of;
}

static void drop(struct description *d)
{
	if (--d->refs)
		return;
	if (d->kind == FD_NETNS)
		kernel_unpin((unsigned)d->number);
	free(d->bytes);
	memset(d, 0, sizeof(*d));
}

void fds_reset(void)
{
	for (unsigned i = 0; i < high_fd; i++)
		fds[i].of = NULL;
	for (unsigned i = 0; i < high_open; i++) {
		free(open_files[i].bytes);
		memset(&open_files[i], 0, sizeof(open_files[i]));
	}
	high_fd = high_open = 0;
}

static int install(struct description *d, unsigned owner)
{
	for (unsigned i = 0; i < MAX_FDS; i++) {
		if (fds[i].of)
			continue;
		fds[i].of = d;
		fds[i].owner = owner;
		d->refs++;
		if (i >= high_fd)
			high_fd = i + 1;
		return FIRST + (int)i;
	}
	abort();
}

static int open_new(enum fd_kind kind, unsigned owner, uint64_t number)
{
	for (unsigned i = 0; i < MAX_OPEN; i++) {
		if (open_files[i].kind != FD_NONE)
			continue;
		open_files[i].kind = kind;
		open_files[i].number = number;
		if (i >= high_open)
			high_open = i + 1;
		return install(&open_files[i], owner);
	}
	abort();
}

bool fd_append(int fd, const void *bytes, size_t len)
{
	struct description *d = of(fd);

	if (!d || d->kind != FD_BYTES)
		return false;
	if (d->len + len + 1 > d->cap) {
		d->cap = (d->len + len) * 2 + 64;
		d->bytes = realloc(d->bytes, d->cap);
		if (!d->bytes)
			abort();
	}
	if (len)
		memcpy(d->bytes + d->len, bytes, len);
	d->len += len;
	d->bytes[d->len] = '\0';
	return true;
}

int fd_bytes(unsigned owner, const void *bytes, size_t len)
{
	int fd = open_new(FD_BYTES, owner, 0);

	fd_append(fd, bytes, len);
	return fd;
}

int fd_netns(unsigned owner, unsigned ns)
{
	kernel_pin(ns);
	return open_new(FD_NETNS, owner, ns);
}

bool fd_byte_held(uint64_t byte)
{
	for (unsigned i = 0; i < high_open; i++)
		if (open_files[i].kind == FD_BYTE && open_files[i].number == byte)
			return true;
	return false;
}

int fd_byte(unsigned owner, uint64_t byte)
{
	return fd_byte_held(byte) ? -1 : open_new(FD_BYTE, owner, byte);
}

int fd_file(unsigned owner, unsigned file)
{
	return open_new(FD_FILE, owner, file);
}

int fd_pass(int fd, unsigned owner)
{
	struct description *d = of(fd);

	return d ? install(d, owner) : -1;
}

void fd_shut(int fd)
{
	struct description *d = of(fd);

	if (!d)
		return;
	fds[fd - FIRST].of = NULL;
	drop(d);
}

void fds_shut_all(unsigned owner)
{
	for (unsigned i = 0; i < high_fd; i++)
		if (fds[i].of && fds[i].owner == owner)
			fd_shut(FIRST + (int)i);
}

unsigned fds_open(unsigned owner)
{
	unsigned n = 0;

	for (unsigned i = 0; i < high_fd; i++)
		n += fds[i].of && fds[i].owner == owner;
	return n;
}

enum fd_kind fd_kind_of(int fd)
{
	struct description *d = of(fd);

	return d ? d->kind : FD_NONE;
}

uint64_t fd_number(int fd)
{
	struct description *d = of(fd);

	return d ? d->number : 0;
}

const char *fd_text(int fd, size_t *len)
{
	struct description *d = of(fd);

	if (!d || d->kind != FD_BYTES)
		return NULL;
	*len = d->len;
	return d->bytes;
}

int __wrap_close(int fd)
{
	if (fd < FIRST)
		return __real_close(fd);
	if (!of(fd)) { /* closed twice, or never open: somebody else's by now */
		errno = EBADF;
		broken("FD", "descriptor %d is closed that is not open", fd);
		return -1;
	}
	fd_shut(fd);
	return 0;
}

int __wrap_fcntl(int fd, int cmd, ...)
{
	va_list ap;
	long arg;

	va_start(ap, cmd);
	arg = va_arg(ap, long);
	va_end(ap);
	if (fd < FIRST && fd != -1)
		return __real_fcntl(fd, cmd, arg);
	if (cmd == F_DUPFD_CLOEXEC && of(fd))
		return install(of(fd), OWNER_ENGINE);
	errno = EBADF;
	return -1;
}
