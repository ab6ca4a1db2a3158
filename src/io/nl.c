/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "base/log.h"
#include "io/nl.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

#define BUF_MIN_BYTES 32768 /* the most that the kernel puts into one part of a dump */
#define RCVBUF_BYTES (1 << 18)
#define EVENT_RCVBUF_BYTES (8 << 20)
#define ANSWER_WAIT_S 30
#define DUMP_TRIES 8
#define KERNEL_ENOTSUPP 524 /* of some drivers; no errno of user space */

struct inbox {
	int fd;
	char *buf;
	size_t cap;
};

struct vnl {
	struct nl_sock *sk;
	struct inbox in;
};

struct vnl_events {
	struct inbox in;
};

/* --- receiving ------------------------------------------------------------------ */

/* Receives one datagram of the kernel's; those of other processes are dropped.  Its length
 * is asked for first, so that none is ever cut.  Returns the length or -errno. */
static ssize_t receive(struct inbox *in, int *nsid)
{
	for (;;) {
		union {
			char buf[CMSG_SPACE(sizeof(int)) * 4];
			struct cmsghdr align;
		} ctl;
		struct sockaddr_nl from = { 0 };
		struct iovec iov;
		struct msghdr msg = { .msg_name = &from,
				      .msg_namelen = sizeof(from),
				      .msg_iov = &iov,
				      .msg_iovlen = 1,
				      .msg_control = ctl.buf,
				      .msg_controllen = sizeof(ctl.buf) };
		ssize_t n = recv(in->fd, NULL, 0, MSG_PEEK | MSG_TRUNC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if ((size_t)n > in->cap) {
			char *grown = realloc(in->buf, (size_t)n);

			if (!grown)
				return -ENOMEM;
			in->buf = grown;
			in->cap = (size_t)n;
		}
		iov = (struct iovec){ .iov_base = in->buf, .iov_len = in->cap };
		n = recvmsg(in->fd, &msg, MSG_CMSG_CLOEXEC);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (msg.msg_flags & MSG_TRUNC)
			return -EMSGSIZE;
		if (msg.msg_namelen != sizeof(from) || from.nl_pid != 0)
			continue;
		*nsid = VNL_OWN_NSID;
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
			if (c->cmsg_level == SOL_NETLINK &&
			    c->cmsg_type == NETLINK_LISTEN_ALL_NSID)
				memcpy(nsid, CMSG_DATA(c), sizeof(*nsid));
		return n;
	}
}

static int inbox_init(struct inbox *in, int fd)
{
	in->fd = fd;
	in->cap = BUF_MIN_BYTES;
	in->buf = malloc(in->cap);
	return in->buf ? 0 : -1;
}

/* --- namespaces ----------------------------------------------------------------- */

static int own_netns(int *fd, struct vfk_err *err)
{
	/* Works without a /proc. */
	VFK_AUTO(fd_auto) int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	*fd = sock < 0 ? -1 : ioctl(sock, SIOCGSKNS);
	if (*fd < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "open the own network namespace");
	fcntl(*fd, F_SETFD, FD_CLOEXEC);
	return 0;
}

int vnl_inside(int netns_fd, int (*fn)(void *arg, struct vfk_err *err), void *arg,
	       struct vfk_err *err)
{
	VFK_AUTO(fd_auto) int home = -1;
	int rc = own_netns(&home, err);

	if (rc < 0)
		return rc;
	if (setns(netns_fd, CLONE_NEWNET))
		return vfk_err_set(err, VFK_E_NETNS, errno, "enter the network namespace");
	rc = fn(arg, err);
	if (setns(home, CLONE_NEWNET)) {
		/* Whatever this process did next would happen to the wrong machine. */
		log_error("nl", "cannot return to the own network namespace: %s",
			  vfk_errno_name(errno));
		_exit(1);
	}
	return rc;
}

int vnl_netns_fd(const struct vnl *nl, int *fd, struct vfk_err *err)
{
	int got = ioctl(nl->in.fd, SIOCGSKNS);

	if (got < 0)
		return vfk_err_set(err, VFK_E_SYS, errno,
				   "open a socket's network namespace");
	fcntl(got, F_SETFD, FD_CLOEXEC);
	*fd = got;
	return 0;
}

int vnl_netns_cookie(const struct vnl *nl, uint64_t *cookie, struct vfk_err *err)
{
	socklen_t len = sizeof(*cookie);

	if (getsockopt(nl->in.fd, SOL_SOCKET, SO_NETNS_COOKIE, cookie, &len))
		return vfk_err_set(err, VFK_E_SYS, errno,
				   "read the cookie of a network namespace");
	return 0;
}

uint32_t vnl_ifindex(const struct vnl *nl, const char *name)
{
	struct ifreq ifr = { 0 };

	if (strlen(name) >= sizeof(ifr.ifr_name))
		return 0;
	memcpy(ifr.ifr_name, name, strlen(name));
	return ioctl(nl->in.fd, SIOCGIFINDEX, &ifr) ? 0 : (uint32_t)ifr.ifr_ifindex;
}

/* --- the request socket --------------------------------------------------------- */

struct opening {
	struct vnl *nl;
	int protocol;
};

static int open_here(void *arg, struct vfk_err *err)
{
	struct opening *o = arg;
	struct timeval wait = { .tv_sec = ANSWER_WAIT_S };
	int on = 1, bytes = RCVBUF_BYTES, fd;

	o->nl->sk = nl_socket_alloc();
	if (!o->nl->sk)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "open a netlink socket");
	if (nl_connect(o->nl->sk, o->protocol) < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "open a netlink socket");
	fd = nl_socket_get_fd(o->nl->sk);
	if (inbox_init(&o->nl->in, fd))
		return vfk_err_set(err, VFK_E_NOMEM, 0, "open a netlink socket");
	/* STRICT_CHK: a filter that this kernel does not know is refused, not ignored. */
	if (setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)))
		return vfk_err_set(err, VFK_E_SYS, errno, "set up a netlink socket");
	return 0;
}

int vnl_open(struct vnl **out, int protocol, int netns_fd, struct vfk_err *err)
{
	struct opening o = { .nl = calloc(1, sizeof(*o.nl)), .protocol = protocol };
	int rc;

	if (!o.nl)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "open a netlink socket");
	rc = netns_fd < 0 ? open_here(&o, err) : vnl_inside(netns_fd, open_here, &o, err);
	if (rc < 0) {
		vnl_close(o.nl);
		return rc;
	}
	*out = o.nl;
	return 0;
}

void vnl_close(struct vnl *nl)
{
	if (!nl)
		return;
	nl_socket_free(nl->sk);
	free(nl->in.buf);
	free(nl);
}

struct nl_msg *vnl_msg_new(int type, int flags, const void *head, size_t len_bytes)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	if (msg &&
	    nlmsg_append(msg, (void *)(uintptr_t)head, len_bytes, NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/* --- answers -------------------------------------------------------------------- */

/* Callers of a CNI plugin take some words in an error for "is gone already, well done". */
static bool misleading(const char *text)
{
	return strcasestr(text, "not found") || strcasestr(text, "no such") ||
	       strcasestr(text, "does not exist");
}

/* The kernel's own words about a refusal, "" if there are none. */
static void extack_text(const struct nlmsghdr *h, char *out, size_t cap)
{
	const struct nlmsgerr *e = nlmsg_data(h);
	size_t off = sizeof(*e), len = nlmsg_datalen(h);
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1];
	struct nlattr *words;

	out[0] = '\0';
	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(h->nlmsg_flags & NLM_F_CAPPED)) {
		if (e->msg.nlmsg_len < NLMSG_HDRLEN)
			return;
		off += NLMSG_ALIGN(e->msg.nlmsg_len - NLMSG_HDRLEN);
	}
	if (off >= len || nla_parse(tb, NLMSGERR_ATTR_MAX,
				    (struct nlattr *)((char *)(uintptr_t)e + off),
				    (int)(len - off), NULL) < 0)
		return;
	words = tb[NLMSGERR_ATTR_MSG];
	if (!words)
		return;
	nla_strlcpy(out, words, cap);
	if (misleading(out))
		out[0] = '\0';
}

static int refused(const struct nlmsghdr *h, int sys, struct vfk_err *err)
{
	char words[200];

	if (sys == KERNEL_ENOTSUPP)
		sys = EOPNOTSUPP;
	extack_text(h, words, sizeof(words));
	if (words[0])
		return vfk_err_set(err, VFK_E_KERNEL, sys, "the kernel refused (%s)",
				   words);
	return vfk_err_set(err, VFK_E_KERNEL, sys, "the kernel refused");
}

/* One exchange: what is collected while its answer is read. */
struct exchange {
	uint32_t seq;
	bool dump;
	vnl_fn fn;
	void *arg;
	int rc; /* of the first failed 'fn' or of the kernel */
	bool done;
	bool interrupted; /* the dump is not consistent */
};

static void take_message(struct exchange *x, const struct nlmsghdr *h, struct vfk_err *err)
{
	const struct nlmsgerr *e;

	if (h->nlmsg_seq != x->seq)
		return; /* left over from an exchange that was given up */
	if (h->nlmsg_flags & NLM_F_DUMP_INTR)
		x->interrupted = true;
	switch (h->nlmsg_type) {
	case NLMSG_NOOP:
		return;
	case NLMSG_DONE:
		x->done = true;
		if (nlmsg_datalen(h) >= (int)sizeof(int)) {
			int rc;

			memcpy(&rc, nlmsg_data(h), sizeof(rc));
			if (rc < 0 && x->rc >= 0)
				x->rc = refused(h, -rc, err);
		}
		return;
	case NLMSG_OVERRUN:
		x->interrupted = true;
		return;
	case NLMSG_ERROR:
		x->done = true;
		if (nlmsg_datalen(h) < (int)sizeof(*e)) {
			if (x->rc >= 0)
				x->rc = vfk_err_set(err, VFK_E_DECODE, 0,
						    "the kernel's answer is too short");
			return;
		}
		e = nlmsg_data(h);
		if (e->error && x->rc >= 0)
			x->rc = refused(h, -e->error, err);
		return;
	}
	if (x->fn && x->rc >= 0)
		x->rc = x->fn(x->arg, h, err);
}

/* Reads until the answer of 'x' is complete.  Negative: of the socket, not of the answer. */
static int read_answer(struct vnl *nl, struct exchange *x, struct vfk_err *err)
{
	while (!x->done) {
		int nsid, left;
		ssize_t n = receive(&nl->in, &nsid);
		struct nlmsghdr *h = (struct nlmsghdr *)nl->in.buf;

		if (n == -EAGAIN)
			return vfk_err_set(err, VFK_E_TIMEOUT, 0,
					   "no answer of the kernel within %d s",
					   ANSWER_WAIT_S);
		if (n == -ENOBUFS && x->dump) {
			x->interrupted = true; /* parts are lost; the end still comes */
			continue;
		}
		if (n < 0)
			return vfk_err_set(err, VFK_E_SYS, (int)-n,
					   "read the kernel's answer");
		for (left = (int)n; nlmsg_ok(h, left); h = nlmsg_next(h, &left))
			take_message(x, h, err);
	}
	return 0;
}

static int exchange(struct vnl *nl, struct nl_msg *msg, struct exchange *x,
		    struct vfk_err *err)
{
	int rc;

	/* A new number also when the same message is sent again. */
	nlmsg_hdr(msg)->nlmsg_seq = NL_AUTO_SEQ;
	nl_complete_msg(nl->sk, msg);
	x->seq = nlmsg_hdr(msg)->nlmsg_seq;
	if (nl_send(nl->sk, msg) < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "send a netlink message");
	rc = read_answer(nl, x, err);
	return rc < 0 ? rc : x->rc;
}

int vnl_request(struct vnl *nl, struct nl_msg *msg, vnl_fn fn, void *arg,
		struct vfk_err *err)
{
	struct exchange x = { .fn = fn, .arg = arg };
	int rc;

	if (!msg)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "build a netlink message");
	rc = exchange(nl, msg, &x, err);
	nlmsg_free(msg);
	return rc;
}

int vnl_dump(struct vnl *nl, struct nl_msg *msg, vnl_fn fn, void *arg, struct vfk_err *err)
{
	int rc = 0;

	if (!msg)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "build a netlink message");
	nlmsg_hdr(msg)->nlmsg_flags |= NLM_F_DUMP;
	for (int tries = 0; tries < DUMP_TRIES; tries++) {
		struct exchange x = { .fn = fn, .arg = arg, .dump = true };

		rc = fn(arg, NULL, err);
		if (rc < 0)
			break;
		rc = exchange(nl, msg, &x, err);
		if (rc < 0 || !x.interrupted)
			break;
		rc = vfk_err_set(err, VFK_E_BUSY, 0,
				 "the kernel's list changed while it was read");
	}
	nlmsg_free(msg);
	return rc;
}

/* --- events --------------------------------------------------------------------- */

int vnl_subscribe(struct vnl_events **out, int protocol, const unsigned *groups,
		  unsigned n_groups, bool all_nsid, struct vfk_err *err)
{
	struct vnl_events *ev = calloc(1, sizeof(*ev));
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	int on = 1, bytes = EVENT_RCVBUF_BYTES, sys;

	if (!ev || fd < 0 || inbox_init(&ev->in, fd))
		goto fail;
	if (bind(fd, (struct sockaddr *)&self, sizeof(self)))
		goto fail;
	/* An event takes about 2 kB of this; losing one means looking at everything. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)))
		goto fail;
	if (all_nsid &&
	    setsockopt(fd, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &on, sizeof(on)))
		goto fail;
	for (unsigned i = 0; i < n_groups; i++)
		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i],
			       sizeof(groups[i])))
			goto fail;
	*out = ev;
	return 0;
fail:
	sys = errno ? errno : ENOMEM;
	if (fd >= 0)
		close(fd);
	if (ev)
		free(ev->in.buf);
	free(ev);
	return vfk_err_set(err, VFK_E_SYS, sys,
			   "subscribe to events of netlink protocol %d", protocol);
}

void vnl_events_free(struct vnl_events *ev)
{
	if (!ev)
		return;
	close(ev->in.fd);
	free(ev->in.buf);
	free(ev);
}

int vnl_events_fd(const struct vnl_events *ev)
{
	return ev->in.fd;
}

int vnl_events_read(struct vnl_events *ev, unsigned max, vnl_event_fn fn, void *arg,
		    struct vfk_err *err)
{
	for (unsigned i = 0; i < max; i++) {
		int nsid, left;
		ssize_t n = receive(&ev->in, &nsid);
		struct nlmsghdr *h = (struct nlmsghdr *)ev->in.buf;

		if (n == -EAGAIN)
			return 0;
		if (n < 0)
			return vfk_err_set(err, VFK_E_SYS, (int)-n, "read netlink events");
		for (left = (int)n; nlmsg_ok(h, left); h = nlmsg_next(h, &left))
			fn(arg, nsid, h);
	}
	return 1;
}
