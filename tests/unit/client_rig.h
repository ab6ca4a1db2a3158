/* SPDX-License-Identifier: Apache-2.0 */
/* Drives the real client: a private VFKEEPER_ROOT, the client as a child whose standard
 * descriptors are pipes of ours, and the engine's end of its socket.  The client is
 * VFK_CLIENT, or that of the build directory. */
#ifndef VFK_TESTS_CLIENT_RIG_H
#define VFK_TESTS_CLIENT_RIG_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/frame.h"
#include "suite.h"

#define HANG_MS 60000 /* longer than anything here takes on a slow machine */

struct rig {
	char root[64];
	int listener; /* -1: none */
	const char *env[64];
	unsigned n_env;
	const char *name; /* argv[0] */
	bool stdin_closed;
};

struct client {
	pid_t pid;
	int out, errs;		   /* our ends */
	char text[ANSWER_MAX + 1]; /* what it wrote, after client_end */
	size_t text_len;
	char stderr_text[2000];
};

static struct rig rig;
static struct client cl; /* most cases need one */

/* A path below the root; eight of them are valid at a time. */
__attribute__((format(printf, 1, 2))) static inline const char *at(const char *fmt, ...)
{
	static char path[8][256];
	static unsigned turn;
	va_list ap;
	int n;

	turn = (turn + 1) % 8;
	n = snprintf(path[turn], sizeof(path[turn]), "%s/", rig.root);
	va_start(ap, fmt);
	vsnprintf(path[turn] + n, sizeof(path[turn]) - (size_t)n, fmt, ap);
	va_end(ap);
	return path[turn];
}

static inline void write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* The file's text in static storage; "" where there is none. */
static inline const char *read_file(const char *path)
{
	static char text[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* Waits until a file has text that ends in a newline. */
static inline const char *await_file(const char *path)
{
	for (int ms = 0; ms < HANG_MS; ms += 5) {
		const char *text = read_file(path);
		size_t len = strlen(text);

		if (len && text[len - 1] == '\n')
			return text;
		usleep(5000);
	}
	return "";
}

static inline void rig_env(const char *var)
{
	CU_ASSERT_FATAL(rig.n_env + 1 < sizeof(rig.env) / sizeof(rig.env[0]));
	rig.env[rig.n_env++] = var;
	rig.env[rig.n_env] = NULL;
}

static inline void rig_listen(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	rig.listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/run/vfkeeper/cni.sock",
		 rig.root);
	unlink(addr.sun_path);
	CU_ASSERT_FATAL(bind(rig.listener, (struct sockaddr *)&addr, sizeof(addr)) == 0);
	CU_ASSERT_FATAL(listen(rig.listener, 128) == 0);
}

static inline void rig_unlisten(void)
{
	close(rig.listener);
	rig.listener = -1;
}

/* A root with bin/vfkeeper in it, and the environment of an ADD that gives up only when the
 * test hangs. */
static inline void rig_up(const char *verb)
{
	static char root_var[80], verb_var[80];
	const char *built = getenv("VFK_CLIENT"), *top = getenv("top_builddir");
	char path[PATH_MAX], whole[PATH_MAX];

	rig = (struct rig){ .listener = -1, .name = "vfkeeper" };
	snprintf(rig.root, sizeof(rig.root), "/tmp/vfk-client-XXXXXX");
	CU_ASSERT_FATAL(mkdtemp(rig.root) != NULL);
	snprintf(path, sizeof(path), "%s/src/vfkeeper/vfkeeper", top ? top : ".");
	if (!realpath(built ? built : path, whole)) {
		printf("no client: set VFK_CLIENT or top_builddir\n");
		CU_FAIL_FATAL("no client");
	}
	mkdir(at("bin"), 0755);
	CU_ASSERT_FATAL(symlink(whole, at("bin/vfkeeper")) == 0);
	mkdir(at("run"), 0755);
	mkdir(at("run/vfkeeper"), 0700);
	snprintf(root_var, sizeof(root_var), "VFKEEPER_ROOT=%s", rig.root);
	rig_env(root_var);
	if (verb) {
		snprintf(verb_var, sizeof(verb_var), "CNI_COMMAND=%s", verb);
		rig_env(verb_var);
	}
	rig_env("CNI_CONTAINERID=c1");
	rig_env("CNI_IFNAME=net1");
	rig_env("PATH=/usr/sbin:/usr/bin:/sbin:/bin");
	/* A sanitizer's leak check would need ptrace and a writable log. */
	rig_env("ASAN_OPTIONS=detect_leaks=0");
}

static inline void rig_down(void)
{
	char cmd[100];

	if (rig.listener >= 0)
		close(rig.listener);
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", rig.root);
	CU_ASSERT(system(cmd) == 0);
}

/* Starts the client with 'in_fd' as standard input (the caller's). */
static inline void client_start_fd(struct client *c, int in_fd)
{
	int out[2], errs[2];

	CU_ASSERT_FATAL(pipe2(out, O_CLOEXEC) == 0 && pipe2(errs, O_CLOEXEC) == 0);
	fflush(stdout);
	c->pid = fork();
	if (c->pid == 0) {
		char *argv[] = { (char *)rig.name, NULL };

		if (rig.stdin_closed)
			close(0);
		else
			dup2(in_fd, 0);
		/* One that stays open across exec, as careless callers have them. */
		fcntl(in_fd, F_DUPFD, 30);
		dup2(out[1], 1);
		dup2(errs[1], 2);
		execve(at("bin/vfkeeper"), argv, (char *const *)rig.env);
		_exit(127);
	}
	close(out[1]);
	close(errs[1]);
	c->out = out[0];
	c->errs = errs[0];
}

static inline int memfd_with(const char *text)
{
	int fd = memfd_create("test input", MFD_CLOEXEC);

	CU_ASSERT(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static inline void client_start(struct client *c, const char *in)
{
	int fd = memfd_with(in);

	client_start_fd(c, fd);
	close(fd);
}

/* Reads to the end; a client that hangs is ended, so that only its case fails. */
static inline size_t drain(const struct client *c, int fd, char *buf, size_t cap_bytes)
{
	size_t len = 0;

	for (;;) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (poll(&pfd, 1, HANG_MS) <= 0) {
			CU_FAIL("a pipe of the client stays open");
			kill(c->pid, SIGKILL);
			break;
		}
		n = read(fd, buf + len, cap_bytes - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	buf[len] = '\0';
	close(fd);
	return len;
}

/* Waits for the end of its pipes, then of itself.  Its exit code, or -signal. */
static inline int client_end(struct client *c)
{
	int status = 0;

	c->text_len = drain(c, c->out, c->text, sizeof(c->text));
	drain(c, c->errs, c->stderr_text, sizeof(c->stderr_text));
	waitpid(c->pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* The engine's end: the next connection. */
static inline int engine_accept(void)
{
	struct pollfd pfd = { .fd = rig.listener, .events = POLLIN };
	int sock;

	CU_ASSERT_FATAL(poll(&pfd, 1, HANG_MS) == 1);
	sock = accept4(rig.listener, NULL, NULL, SOCK_CLOEXEC);
	CU_ASSERT_FATAL(sock >= 0);
	return sock;
}

static union {
	char bytes[FRAME_MAX];
	struct frame_hdr hdr;
	struct frame_request rq;
	struct frame_ran ran;
} got;
static int got_fds[FRAME_MAX_FDS];
static unsigned got_n_fds;

static inline void drop_fds(void)
{
	while (got_n_fds)
		close(got_fds[--got_n_fds]);
}

/* Receives one frame into 'got'; its type, 0 at end of file. */
static inline int engine_recv(int sock)
{
	struct pollfd pfd = { .fd = sock, .events = POLLIN };
	struct vfk_err err = { .msg = "" };
	ssize_t n;

	drop_fds();
	CU_ASSERT_FATAL(poll(&pfd, 1, HANG_MS) == 1);
	n = frame_recv(sock, &got, sizeof(got), got_fds, &got_n_fds, &err);
	if (n < 0)
		printf("engine: %s\n", err.msg);
	CU_ASSERT_FATAL(n >= 0);
	return n ? got.hdr.type : 0;
}

/* Accepts and expects a REQUEST. */
static inline int engine_request(void)
{
	int sock = engine_accept();

	CU_ASSERT_FATAL(engine_recv(sock) == FRAME_REQUEST);
	CU_ASSERT_FATAL(got.hdr.len == sizeof(got.rq));
	return sock;
}

static inline void engine_send(int sock, struct frame_hdr *hdr, uint16_t type, size_t len,
			       const int *fds, unsigned n_fds)
{
	struct vfk_err err = { .msg = "" };

	hdr->version = hdr->version ? hdr->version : FRAME_VERSION;
	hdr->type = type;
	SUITE_INT(frame_send(sock, hdr, len, fds, n_fds, &err), 0);
}

static inline void engine_answer(int sock, int exit_code, const char *text)
{
	static struct {
		struct frame_answer head;
		char text[ANSWER_MAX];
	} f;

	f.head = (struct frame_answer){ .exit_code = exit_code,
					.text_len = (uint32_t)strlen(text) };
	memcpy(f.text, text, strlen(text));
	engine_send(sock, &f.head.hdr, FRAME_ANSWER, sizeof(f.head) + strlen(text), NULL,
		    0);
}

/* Answers, closes, and expects the client to have printed just that. */
static inline void engine_finish(int sock)
{
	engine_answer(sock, 0, "{\"done\":1}\n");
	SUITE_INT(client_end(&cl), 0);
	SUITE_STR(cl.text, "{\"done\":1}\n");
	SUITE_STR(cl.stderr_text, "");
	close(sock);
	drop_fds();
}

static inline const char *memfd_text(int fd, size_t len)
{
	static char text[65536];
	ssize_t n = pread(fd, text, len < sizeof(text) ? len : sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

#endif
