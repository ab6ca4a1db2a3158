/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/paths.h"
#include "base/strbuf.h"
#include "io/engine_start.h"
#include "io/file.h"
#include "vfctl/import.h"

#define ENGINE_MS 15000
#define CONTROL_MS 30000
#define ANSWER_S 60
#define MAX_TRIES 5 /* an engine may end, or give way to the service */

int engine_ask(struct ctl_client *c, const char *command, const char *const *words,
	       unsigned n_words, json_t **out, struct vfk_err *err)
{
	struct strbuf json = { 0 };
	int rc = ctl_ask(c, command, words, n_words, CONTROL_MS, &json, err);

	if (rc == 0 && out) {
		*out = json_loadb(json.data ? json.data : "", json.len, 0, NULL);
		if (!*out)
			rc = vfk_err_set(err, VFK_E_DECODE, 0,
					 "the engine's answer is no JSON");
	}
	strbuf_free(&json);
	return rc;
}

static int memfd_of(const char *name, const void *bytes, size_t len, struct vfk_err *err)
{
	int fd = file_memfd(name, bytes, len);

	return fd < 0 ? vfk_err_set(err, VFK_E_SYS, -fd, "memory file") : fd;
}

static int env_of(const struct import_call *call, struct vfk_err *err)
{
	struct strbuf env = { 0 };
	int fd = -1;

	/* A NUL stands behind each. */
	strbuf_addf(&env, "CNI_COMMAND=ADD%c", 0);
	strbuf_addf(&env, "CNI_CONTAINERID=%s%c", call->att->container, 0);
	strbuf_addf(&env, "CNI_IFNAME=%s%c", call->att->ifname, 0);
	strbuf_addf(&env, "CNI_NETNS=%s%c", call->netns, 0);
	strbuf_addf(&env, "CNI_PATH=%s%c", call->plugin_dirs, 0);
	if (call->args[0])
		strbuf_addf(&env, "CNI_ARGS=%s%c", call->args, 0);
	if (call->dry_run)
		strbuf_addf(&env, "VFKEEPER_DRY_RUN=1%c", 0);
	if (env.failed)
		vfk_err_set(err, VFK_E_NOMEM, 0, "out of memory");
	else
		fd = memfd_of("environment", env.data, env.len, err);
	strbuf_free(&env);
	return fd;
}

static int connect_cni(struct vfk_err *err)
{
	const struct timeval limit = { .tv_sec = ANSWER_S + 5 };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *path = vfk_path(PATH_CNI_SOCK);
	struct ctl_client *c = NULL;
	VFK_AUTO(fd_auto) int fd = -1;

	/* Whoever answers there serves this one, too. */
	if (engine_connect(&c, ENGINE_MS, err) < 0)
		return -1;
	ctl_close(c);
	memcpy(addr.sun_path, path, strlen(path) + 1); /* fits: paths_check */
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		vfk_err_set(err, VFK_E_GONE, errno, "connect to %s", path);
		return -1;
	}
	return fd_steal(&fd);
}

/* 1: answered; 0: the engine ended. */
static int ask_once(struct frame_request *rq, const int fds[3], json_t **answer,
		    struct vfk_err *err)
{
	static union {
		char bytes[FRAME_MAX];
		struct frame_hdr hdr;
		struct frame_answer answer;
	} frame;
	VFK_AUTO(fd_auto) int sock = connect_cni(err);
	int got[FRAME_MAX_FDS];
	const char *text = (const char *)(&frame.answer + 1), *msg;
	unsigned n_got;
	ssize_t n;

	if (sock < 0)
		return err->kind == VFK_E_GONE ? 0 : -err->kind;
	if (frame_send(sock, &rq->hdr, sizeof(*rq), fds, 3, err) < 0)
		return 0;
	n = frame_recv(sock, &frame, sizeof(frame), got, &n_got, err);
	if (n < 0 && err->sys == EAGAIN)
		return vfk_err_set(err, VFK_E_TIMEOUT, 0, "the engine does not answer");
	if (n <= 0)
		return 0;
	while (n_got)
		close(got[--n_got]);
	if (frame.hdr.type != FRAME_ANSWER || (size_t)n < sizeof(frame.answer) ||
	    frame.answer.text_len > (size_t)n - sizeof(frame.answer))
		return vfk_err_set(err, VFK_E_VERSION, 0,
				   "the engine is of another version than vfctl");
	*answer = json_loadb(text, frame.answer.text_len, 0, NULL);
	if (!*answer)
		return vfk_err_set(err, VFK_E_DECODE, 0, "the engine's answer is no JSON");
	if (frame.answer.exit_code == 0)
		return 1;
	msg = json_string_value(json_object_get(*answer, "msg"));
	vfk_err_set(err, VFK_E_KERNEL, 0, "%s", msg ? msg : "refused without a word");
	json_decref(*answer);
	*answer = NULL;
	return -err->kind;
}

int import_ask(const struct import_call *call, json_t **answer, struct vfk_err *err)
{
	struct frame_request rq = {
		.hdr = { .version = FRAME_VERSION, .type = FRAME_REQUEST },
		.start_ns = clock_start_ns(),
		.deadline_boot_ns = clock_boot_ns() + ANSWER_S * NS_PER_S,
		.stdin_len = (uint32_t)call->len,
		.verb = CNI_IMPORT,
		.dialect = (uint8_t)call->dialect,
	};
	VFK_AUTO(fd_auto) int text = memfd_of("file", call->text, call->len, err);
	VFK_AUTO(fd_auto) int env = env_of(call, err);
	VFK_AUTO(fd_auto)
	int netns = open(call->netns, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const int fds[3] = { text, env, netns };
	off_t env_len = env < 0 ? -1 : lseek(env, 0, SEEK_END);
	int rc = 0;

	*answer = NULL;
	if (text < 0 || env_len < 0)
		return -err->kind;
	if (netns < 0)
		return vfk_err_set(err, VFK_E_NETNS, errno, "open %s", call->netns);
	rq.env_len = (uint32_t)env_len;
	if (getrandom(&rq.nonce, sizeof(rq.nonce), 0) != (ssize_t)sizeof(rq.nonce))
		return vfk_err_set(err, VFK_E_SYS, errno, "random number");
	for (unsigned i = 0; rc == 0 && i < MAX_TRIES; i++)
		rc = ask_once(&rq, fds, answer, err);
	if (rc == 0)
		return vfk_err_set(err, VFK_E_GONE, 0, "no engine lived to answer");
	return rc > 0 ? 0 : rc;
}
