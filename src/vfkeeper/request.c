/* SPDX-License-Identifier: Apache-2.0 */
#include "vfkeeper/request.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"

bool request_fill_std_fds(void)
{
	bool has_stdin = fcntl(STDIN_FILENO, F_GETFD) >= 0;
	int fd;

	if (has_stdin && fcntl(STDOUT_FILENO, F_GETFD) >= 0 &&
	    fcntl(STDERR_FILENO, F_GETFD) >= 0)
		return true;
	/* An empty memory file rather than /dev/null: a chroot may not have that. */
	do
		fd = memfd_create("closed", 0);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
	return has_stdin;
}

static bool starts_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

bool request_owns_var(const char *var)
{
	static const char *const prefixes[] = {
		"CNI_",	     "K8S_",	    "HTTP_PROXY=",  "HTTPS_PROXY=",
		"NO_PROXY=", "http_proxy=", "https_proxy=", "no_proxy=",
	};

	for (size_t i = 0; i < VFK_ARRAY_SIZE(prefixes); i++)
		if (starts_with(var, prefixes[i]))
			return true;
	return false;
}

static int write_whole(int fd, const char *buf, size_t len_bytes)
{
	while (len_bytes) {
		ssize_t n = write(fd, buf, len_bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		buf += n;
		len_bytes -= (size_t)n;
	}
	return 0;
}

/* 1: there is something to read (or end of file); 0: not until 'until_ns'. */
static int wait_for_input(int64_t until_ns)
{
	struct pollfd pfd = { .fd = STDIN_FILENO, .events = POLLIN };

	for (;;) {
		int n = poll(&pfd, 1, clock_left_ms(until_ns));

		if (n > 0 || (n < 0 && errno != EINTR))
			return 1; /* an error of poll is seen again by read */
		if (n == 0)
			return 0;
	}
}

static int gather_stdin(struct request *rq, int64_t until_ns, struct vfk_err *err)
{
	static char buf[32 * 1024];
	int fd = memfd_create("cni stdin", MFD_CLOEXEC);
	size_t total = 0;

	if (fd < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "memfd for standard input");
	rq->fds[0] = fd;
	for (;;) {
		ssize_t n;

		if (!wait_for_input(until_ns))
			return vfk_err_set(err, VFK_E_TIMEOUT, 0,
					   "standard input did not end in time");
		n = read(STDIN_FILENO, buf, sizeof(buf));
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return vfk_err_set(err, VFK_E_SYS, errno, "read standard input");
		if (n == 0)
			break;
		total += (size_t)n;
		if (total > STDIN_MAX)
			return vfk_err_set(err, VFK_E_SYS, 0,
					   "standard input is larger than %u bytes",
					   STDIN_MAX);
		if (write_whole(fd, buf, (size_t)n) < 0)
			return vfk_err_set(err, VFK_E_SYS, errno, "keep standard input");
	}
	rq->frame.stdin_len = (uint32_t)total;
	return 0;
}

static int gather_env(struct request *rq, struct vfk_err *err)
{
	int fd = memfd_create("cni environment", MFD_CLOEXEC);
	struct iovec iov[64];
	size_t total = 0;
	int n = 0;

	if (fd < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "memfd for the environment");
	rq->fds[1] = fd;
	for (char **var = environ; *var; var++) {
		if (!request_owns_var(*var) && !starts_with(*var, "PATH="))
			continue;
		iov[n].iov_base = *var;
		iov[n].iov_len = strlen(*var) + 1; /* with its NUL */
		total += iov[n++].iov_len;
		if (total > ENV_MAX)
			return vfk_err_set(err, VFK_E_USAGE, 0,
					   "environment is larger than %u bytes", ENV_MAX);
		if (n < (int)VFK_ARRAY_SIZE(iov))
			continue;
		if (writev(fd, iov, n) < 0)
			return vfk_err_set(err, VFK_E_SYS, errno, "keep the environment");
		n = 0;
	}
	if (n && writev(fd, iov, n) < 0)
		return vfk_err_set(err, VFK_E_SYS, errno, "keep the environment");
	rq->frame.env_len = (uint32_t)total;
	return 0;
}

/* Never blocks, whatever the path is: O_NONBLOCK stands against a FIFO. */
static void open_netns(struct request *rq)
{
	const char *path = getenv("CNI_NETNS");
	int fd;

	rq->n_fds = 2;
	rq->frame.netns_errno = -1;
	if (!path || !*path)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	rq->frame.netns_errno = fd < 0 ? errno : 0;
	if (fd >= 0)
		rq->fds[rq->n_fds++] = fd;
}

int request_gather(struct request *rq, enum cni_verb verb, const char *verb_text,
		   enum cni_dialect dialect, int64_t until_ns, struct vfk_err *err)
{
	int rc;

	rq->verb = verb_text;
	rq->frame.hdr.type = FRAME_REQUEST;
	rq->frame.verb = (uint8_t)verb;
	rq->frame.dialect = (uint8_t)dialect;
	rq->frame.start_ns = clock_start_ns();
	rq->frame.deadline_boot_ns = until_ns;
	/* Unique, not secret: it must not wait for entropy early in a boot. */
	if (getrandom(&rq->frame.nonce, sizeof(rq->frame.nonce), GRND_INSECURE) !=
	    (ssize_t)sizeof(rq->frame.nonce))
		return vfk_err_set(err, VFK_E_SYS, errno, "getrandom");
	rc = gather_stdin(rq, until_ns, err);
	if (rc == 0)
		rc = gather_env(rq, err);
	if (rc == 0)
		open_netns(rq);
	return rc;
}
