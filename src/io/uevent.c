/* SPDX-License-Identifier: Apache-2.0 */
#include "io/uevent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>

/* The kernel's are at most 2 KiB of variables and a path; udev's have its own beside them. */
#define MESSAGE_MAX (16 * 1024)
/* 127 VFs that appear make some 20 events each; each takes about 2 kB here. */
#define RCVBUF_BYTES (16 << 20)

#define UDEV_PREFIX "libudev"
#define UDEV_MAGIC 0xfeedcafeu
/* Bytes of its header that are known: prefix, magic, sizes; filters follow. */
#define UDEV_AT_MAGIC 8
#define UDEV_AT_PROPERTIES 16
#define UDEV_AT_LENGTH 20
#define UDEV_HEADER_BYTES 40

struct uevents {
	int fd;
	enum uevent_from from;
	char buf[MESSAGE_MAX];
};

static uint32_t host32(const char *at)
{
	uint32_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

static uint32_t big32(const char *at)
{
	const unsigned char *b = (const unsigned char *)at;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* The part behind 'key', which ends in '='; NULL: another variable. */
static const char *value_of(const char *variable, const char *key)
{
	size_t len = strlen(key);

	return strncmp(variable, key, len) == 0 ? variable + len : NULL;
}

static void take(const char *variable, struct uevent *out)
{
	const struct {
		const char *key;
		const char **to;
	} wanted[] = {
		{ "ACTION=", &out->action },	   { "DEVPATH=", &out->devpath },
		{ "SUBSYSTEM=", &out->subsystem }, { "INTERFACE=", &out->interface },
		{ "NAME=", &out->name },	   { "PCI_CLASS=", &out->class },
		{ "ERROR_EVENT=", &out->error },
	};
	const char *value;

	for (size_t i = 0; i < VFK_ARRAY_SIZE(wanted); i++) {
		value = value_of(variable, wanted[i].key);
		if (value) {
			*wanted[i].to = value;
			return;
		}
	}
	value = value_of(variable, "IFINDEX=");
	if (value)
		out->ifindex = (uint32_t)strtoul(value, NULL, 10);
}

static pci_addr_t last_function(const char *path)
{
	pci_addr_t last = PCI_NONE, addr;

	while (*path) {
		size_t len = strcspn(path, "/");
		char part[PCI_STRLEN];

		if (len < sizeof(part)) {
			memcpy(part, path, len);
			part[len] = '\0';
			if (pci_parse(part, &addr))
				last = addr;
		}
		path += len + (path[len] == '/');
	}
	return last;
}

bool uevent_parse(const char *buf, size_t len_bytes, enum uevent_from from,
		  struct uevent *out)
{
	const char *at = buf, *end = buf + len_bytes;

	*out = (struct uevent){ "", "", "", "", "", "", "", 0, PCI_NONE };
	if (from == UEVENT_UDEV) {
		size_t offset, length;

		if (len_bytes < UDEV_HEADER_BYTES ||
		    memcmp(buf, UDEV_PREFIX, sizeof(UDEV_PREFIX)) != 0 ||
		    big32(buf + UDEV_AT_MAGIC) != UDEV_MAGIC)
			return false;
		offset = host32(buf + UDEV_AT_PROPERTIES);
		length = host32(buf + UDEV_AT_LENGTH);
		if (offset < UDEV_HEADER_BYTES || offset > len_bytes ||
		    length > len_bytes - offset)
			return false;
		at = buf + offset;
		end = at + length;
	}
	/* Every string has its end inside. */
	if (at == end || end[-1] != '\0')
		return false;
	if (from == UEVENT_KERNEL) {
		if (!strchr(at, '@'))
			return false;
		at += strlen(at) + 1;
	}
	for (; at < end; at += strlen(at) + 1)
		take(at, out);
	if (!out->action[0] || !out->devpath[0] || !out->subsystem[0])
		return false;
	out->pci = last_function(out->devpath);
	return true;
}

int uevents_open(struct uevents **out, enum uevent_from from, struct vfk_err *err)
{
	struct uevents *u = calloc(1, sizeof(*u));
	struct sockaddr_nl self = { .nl_family = AF_NETLINK, .nl_groups = from };
	int on = 1, bytes = RCVBUF_BYTES, sys;

	if (!u)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "listen to device events");
	u->from = from;
	u->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       NETLINK_KOBJECT_UEVENT);
	if (u->fd >= 0 &&
	    (setsockopt(u->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) == 0 ||
	     setsockopt(u->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) == 0) &&
	    setsockopt(u->fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0 &&
	    bind(u->fd, (struct sockaddr *)&self, sizeof(self)) == 0) {
		*out = u;
		return 0;
	}
	sys = errno;
	uevents_free(u);
	return vfk_err_set(err, VFK_E_SYS, sys, "listen to device events of %s",
			   from == UEVENT_KERNEL ? "the kernel" : "udev");
}

void uevents_free(struct uevents *u)
{
	if (!u)
		return;
	if (u->fd >= 0)
		close(u->fd);
	free(u);
}

int uevents_fd(const struct uevents *u)
{
	return u->fd;
}

/* Anybody may send to another's port; to a group only who is root may. */
static bool trusted(const struct uevents *u, struct msghdr *msg)
{
	const struct sockaddr_nl *from = msg->msg_name;

	if (msg->msg_namelen != sizeof(*from) || from->nl_groups != (uint32_t)u->from ||
	    (from->nl_pid == 0) != (u->from == UEVENT_KERNEL))
		return false;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		struct ucred cred;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS ||
		    c->cmsg_len < CMSG_LEN(sizeof(cred)))
			continue;
		memcpy(&cred, CMSG_DATA(c), sizeof(cred));
		return cred.uid == 0;
	}
	return false;
}

int uevents_read(struct uevents *u, unsigned max, uevent_fn fn, void *arg,
		 struct vfk_err *err)
{
	for (unsigned i = 0; i < max; i++) {
		union {
			char buf[CMSG_SPACE(sizeof(struct ucred))];
			struct cmsghdr align;
		} ctl;
		struct sockaddr_nl from = { 0 };
		struct iovec iov = { .iov_base = u->buf, .iov_len = sizeof(u->buf) };
		struct msghdr msg = { .msg_name = &from,
				      .msg_namelen = sizeof(from),
				      .msg_iov = &iov,
				      .msg_iovlen = 1,
				      .msg_control = ctl.buf,
				      .msg_controllen = sizeof(ctl.buf) };
		ssize_t n = recvmsg(u->fd, &msg, MSG_CMSG_CLOEXEC);
		struct uevent ev;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0)
			return vfk_err_set(err, VFK_E_SYS, errno, "read device events");
		if (!(msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) && trusted(u, &msg) &&
		    uevent_parse(u->buf, (size_t)n, u->from, &ev))
			fn(arg, &ev);
	}
	return 1;
}
