/* SPDX-License-Identifier: Apache-2.0 */
/* The client where no engine answers: it starts one (R2), or leaves a DEL in the spool
 * (R5).  This program plays vfkeeper-engine when it is run under that name. */
#include <dirent.h>
#include <inttypes.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/resource.h>

#include "client_rig.h"

#define FAILURE(code, msg)                                                               \
	"{\"cniVersion\":\"1.1.0\",\"code\":" #code ",\"msg\":\"" msg "\"}\n"
#define KEPT "; the DEL is kept and will be carried out (spool)"
#define WRITING "; the DEL is still being written (spool): the disk is slow"

/* ---- the played engine: everything it does is told by files below the root ---------- */

static int append_to(const char *name)
{
	return open(at("%s", name), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void tell_fds(int out)
{
	for (int fd = 0; fd < 1024; fd++) {
		char link[64], path[256];
		ssize_t n;

		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		n = fd == out ? -1 : readlink(link, path, sizeof(path) - 1);
		if (n < 0)
			continue;
		path[n] = '\0';
		path[strcspn(path, "[")] = '\0'; /* the number of a pipe */
		dprintf(out, "fd %d %s\n", fd, path);
	}
}

static void tell_engine(int argc, char **argv)
{
	VFK_AUTO(fd_auto) int out = append_to("told.tmp");
	char cwd[PATH_MAX] = "";
	struct sigaction pipe_action;

	for (int i = 0; i < argc; i++)
		dprintf(out, "arg %s\n", argv[i]);
	for (char **var = environ; *var; var++)
		if (strncmp(*var, "ASAN_", 5) != 0)
			dprintf(out, "env %s\n", *var);
	sigaction(SIGPIPE, NULL, &pipe_action);
	dprintf(out, "cwd %s\n", getcwd(cwd, sizeof(cwd)));
	dprintf(out, "session %d\n", getsid(0) == getpid());
	dprintf(out, "sigpipe ignored %d\n", pipe_action.sa_handler == SIG_IGN);
	dprintf(out, "umask %03o\n", umask(077));
	tell_fds(out);
	rename(at("told.tmp"), at("told"));
}

/* Answers one connection. */
static void play_answer(int sock)
{
	struct frame_answer answer = { .hdr = { .version = 1, .type = FRAME_ANSWER } };
	int out;

	if (frame_recv(sock, &got, sizeof(got), got_fds, &got_n_fds, NULL) > 0) {
		drop_fds();
		out = append_to("served");
		dprintf(out, "%d\n", got.rq.verb);
		close(out);
		if (frame_send(sock, &answer.hdr, sizeof(answer), NULL, 0, NULL) < 0)
			_exit(7);
	}
	close(sock);
}

/* Serves until it is ended by the test.  No assertions here: this is no test. */
static void play_service(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct pollfd pfd = { .events = POLLIN };

	pfd.fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/run/vfkeeper/cni.sock",
		 rig.root);
	unlink(addr.sun_path);
	if (bind(pfd.fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    listen(pfd.fd, 128) < 0 || write(4, "R", 1) != 1)
		_exit(9);
	close(4);
	close(3);
	while (poll(&pfd, 1, 2 * HANG_MS) > 0)
		play_answer(accept4(pfd.fd, NULL, NULL, SOCK_CLOEXEC));
}

static _Noreturn void play_engine(int argc, char **argv)
{
	char mode[200];
	int starts;

	snprintf(rig.root, sizeof(rig.root), "%s", getenv("VFKEEPER_ROOT"));
	starts = append_to("starts");
	dprintf(starts, "%d\n", getpid());
	tell_engine(argc, argv);
	snprintf(mode, sizeof(mode), "%.199s", read_file(at("mode")));
	if (!strncmp(mode, "say ", 4)) {
		if (write(4, mode + 4, strlen(mode + 4)) < 0)
			_exit(9);
		_exit(5);
	}
	/* "die N": the first N end without a word. */
	if (!strncmp(mode, "die ", 4) && lseek(starts, 0, SEEK_END) > 0) {
		const char *text = read_file(at("starts"));
		int n = 0;

		for (; *text; text++)
			n += *text == '\n';
		if (n <= atoi(mode + 4))
			_exit(1);
	}
	if (!strcmp(mode, "hang"))
		for (;;)
			pause();
	close(starts);
	play_service();
	_exit(0);
}

__attribute__((constructor)) static void choose(int argc, char **argv)
{
	if (!strcmp(program_invocation_short_name, "vfkeeper-engine"))
		play_engine(argc, argv);
}

/* ---- the cases ------------------------------------------------------------------------- */

static void up(const char *verb, const char *mode)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	rig_up(verb);
	CU_ASSERT_FATAL(n > 0);
	self[n] = '\0';
	if (mode) {
		CU_ASSERT_FATAL(symlink(self, at("bin/vfkeeper-engine")) == 0);
		write_file(at("mode"), mode, 0600);
	}
}

/* Ends every engine that was started here; they are reparented, so only their numbers are
 * known.  Returns how many there were. */
static int end_engines(void)
{
	char *text = strdup(read_file(at("starts"))), *save = NULL;
	int n = 0;

	for (char *p = strtok_r(text, "\n", &save); p; p = strtok_r(NULL, "\n", &save)) {
		char path[64], exe[PATH_MAX], self[PATH_MAX];
		ssize_t len, self_len = readlink("/proc/self/exe", self, sizeof(self));

		n++;
		snprintf(path, sizeof(path), "/proc/%d/exe", atoi(p));
		len = readlink(path, exe, sizeof(exe));
		if (len == self_len && !memcmp(exe, self, (size_t)len)) /* still ours */
			kill(atoi(p), SIGKILL);
	}
	free(text);
	return n;
}

static void down(void)
{
	end_engines();
	rig_down();
}

static void starts_an_engine(void)
{
	char expected[2000];

	up("ADD", "serve");
	rig_env("CNI_ARGS=x");
	rig_env("K8S_POD_NAME=x");
	rig_env("https_proxy=x");
	rig_env("DROPPED=1"); /* as all of the caller's own */
	mkdir(at("sys"), 0755);
	mkdir(at("sys/fs"), 0755);
	mkdir(at("sys/fs/cgroup"), 0755);
	mkdir(at("sys/fs/cgroup/vfkeeper-engine"), 0755);
	write_file(at("sys/fs/cgroup/vfkeeper-engine/cgroup.procs"), "", 0600);
	client_start(&cl, "{}");
	SUITE_INT(client_end(&cl), 0); /* its pipes have ended, too, though ... */
	SUITE_STR(cl.text, "");
	SUITE_STR(cl.stderr_text, "");
	SUITE_INT(kill(atoi(read_file(at("starts"))), 0), 0); /* ... the engine lives on */
	snprintf(expected, sizeof(expected),
		 "arg vfkeeper-engine\narg --start-fd\narg 3\narg --ready-fd\narg 4\n"
		 "env VFKEEPER_ROOT=%s\nenv PATH=/usr/sbin:/usr/bin:/sbin:/bin\n"
		 "cwd /\nsession 1\nsigpipe ignored 1\numask 077\n"
		 "fd 0 /dev/null\nfd 1 /dev/null\nfd 2 /dev/null\n"
		 "fd 3 %s/run/vfkeeper/start\nfd 4 pipe:\nfd 5 %s/starts\n",
		 rig.root, rig.root, rig.root);
	SUITE_STR(read_file(at("told")), expected);
	SUITE_STR(read_file(at("sys/fs/cgroup/vfkeeper-engine/cgroup.procs")), "0");
	SUITE_INT(end_engines(), 1);
	down();
}

#define CROWD 50

static void starts_one_for_a_crowd(void)
{
	static struct client crowd[CROWD];
	char expected[4 * CROWD] = "";

	up("DEL", "serve");
	for (int i = 0; i < CROWD; i++) {
		client_start(&crowd[i], "{}");
		snprintf(expected + strlen(expected), 4, "2\n");
	}
	for (int i = 0; i < CROWD; i++)
		SUITE_INT(client_end(&crowd[i]), 0);
	SUITE_STR(read_file(at("served")), expected);
	SUITE_INT(end_engines(), 1);
	down();
}

static void makes_the_directories(void)
{
	struct stat st;

	up("ADD", "serve");
	CU_ASSERT(rmdir(at("run/vfkeeper")) == 0 && rmdir(at("run")) == 0);
	client_start(&cl, "{}");
	SUITE_INT(client_end(&cl), 0);
	CU_ASSERT(stat(at("run/vfkeeper"), &st) == 0);
	SUITE_INT(st.st_mode & 07777, 0700);
	CU_ASSERT(stat(at("var/lib/vfkeeper/spool"), &st) == 0);
	down();
}

/* Somebody else holds 'start': a service that is coming up. */
static void waits_for_who_is_starting(void)
{
	int sock, start;

	up("ADD", "serve");
	start = open(at("run/vfkeeper/start"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CU_ASSERT(flock(start, LOCK_EX) == 0);
	client_start(&cl, "{}");
	usleep(100 * 1000);
	rig_listen();
	sock = engine_request();
	engine_finish(sock);
	SUITE_STR(read_file(at("starts")), "");
	close(start);
	down();
}

/* Holds whoever opens 'path', until release_open; -1: this kernel cannot. */
static int hold_open(const char *path)
{
	int fd = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN_PERM | FAN_ONDIR,
				     AT_FDCWD, path) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* The next one that is held. */
static struct fanotify_event_metadata held_open(int fd)
{
	struct fanotify_event_metadata event = { .pid = -1 };
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	CU_ASSERT_FATAL(poll(&pfd, 1, HANG_MS) == 1);
	CU_ASSERT_FATAL(read(fd, &event, sizeof(event)) == sizeof(event));
	return event;
}

static void release_open(int fd, int event_fd)
{
	struct fanotify_response allow = { .fd = event_fd, .response = FAN_ALLOW };

	CU_ASSERT(write(fd, &allow, sizeof(allow)) == sizeof(allow));
	close(event_fd);
	close(fd); /* allows all that follows */
}

/* An engine appears between a client's connect and its lock. */
static void looks_again_with_the_lock(void)
{
	struct fanotify_event_metadata event;
	int hold, sock;

	up("ADD", "serve");
	write_file(at("run/vfkeeper/start"), "", 0600);
	hold = hold_open(at("run/vfkeeper/start"));
	if (hold < 0) {
		rig_down();
		return SUITE_SKIP("no permission events of fanotify here");
	}
	client_start(&cl, "{}");
	event = held_open(hold); /* it has found no engine */
	rig_listen();
	release_open(hold, event.fd);
	sock = engine_request();
	engine_finish(sock);
	SUITE_STR(read_file(at("starts")), "");
	down();
}

static void starts_again_what_died(void)
{
	up("ADD", "die 3");
	client_start(&cl, "{}");
	SUITE_INT(client_end(&cl), 0);
	SUITE_INT(end_engines(), 4);
	down();
}

/* The engine that answered is killed, its socket stays behind. */
static void starts_another_after_a_kill(void)
{
	up("ADD", "serve");
	client_start(&cl, "{}");
	SUITE_INT(client_end(&cl), 0);
	SUITE_INT(end_engines(), 1);
	CU_ASSERT(access(at("run/vfkeeper/cni.sock"), F_OK) == 0);
	client_start(&cl, "{}");
	SUITE_INT(client_end(&cl), 0);
	SUITE_INT(end_engines(), 2);
	down();
}

static void passes_a_start_error_on(void)
{
	static const char *const verbs[] = { "ADD", "CHECK", "GC", "STATUS" };

	for (int i = 0; i < 4; i++) {
		up(verbs[i], "say /run/x: object not found\nand more");
		client_start(&cl, "{}");
		SUITE_INT(client_end(&cl), 1);
		SUITE_STR(cl.text,
			  i == 3 ?
				  FAILURE(50,
					  "cannot start an engine: /run/x: object not-found") :
				  FAILURE(11,
					  "cannot start an engine: /run/x: object not-found"));
		SUITE_INT(end_engines(), 1);
		down();
	}
}

static void says_when_there_is_no_engine(void)
{
	if (access(VFK_ENGINE_PATH, F_OK) == 0)
		return SUITE_SKIP("%s is installed here", VFK_ENGINE_PATH);
	up("ADD", NULL);
	client_start(&cl, "{}");
	SUITE_INT(client_end(&cl), 1);
	SUITE_STR(cl.text, FAILURE(11, "cannot start an engine: execute " VFK_ENGINE_PATH
				       ": ENOENT"));
	down();
}

static void says_when_an_engine_is_not_ready(void)
{
	up("ADD", "hang");
	rig_env("VFKEEPER_CLIENT_DEADLINE_MS=500");
	client_start(&cl, "{}");
	SUITE_INT(client_end(&cl), 1);
	SUITE_STR(cl.text,
		  FAILURE(11,
			  "a vfkeeper engine was started but was not ready within 500 ms"));
	down();
}

static void says_when_nobody_starts_one(void)
{
	int start;

	up("STATUS", "serve");
	rig_env("VFKEEPER_CLIENT_DEADLINE_MS=300");
	start = open(at("run/vfkeeper/start"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CU_ASSERT(flock(start, LOCK_EX) == 0);
	client_start(&cl, "{}");
	SUITE_INT(client_end(&cl), 1);
	SUITE_STR(cl.text,
		  FAILURE(50, "no vfkeeper engine could be reached within 300 ms: ENOENT"));
	close(start);
	down();
}

/* Each try is a wait of its own: about 40, and 300 without the pauses that grow. */
static void tries_less_often_the_longer_it_waits(void)
{
	struct rusage before, after;
	int start;

	up("STATUS", "serve");
	rig_env("VFKEEPER_CLIENT_DEADLINE_MS=3000");
	start = open(at("run/vfkeeper/start"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CU_ASSERT(flock(start, LOCK_EX) == 0);
	getrusage(RUSAGE_CHILDREN, &before);
	client_start(&cl, "{}");
	SUITE_INT(client_end(&cl), 1);
	getrusage(RUSAGE_CHILDREN, &after);
	CU_ASSERT(after.ru_nvcsw - before.ru_nvcsw < 60);
	close(start);
	down();
}

static void says_when_the_place_is_unusable(void)
{
	char expected[300];

	up("ADD", "serve");
	CU_ASSERT(rmdir(at("run/vfkeeper")) == 0);
	write_file(at("run/vfkeeper"), "", 0600);
	client_start(&cl, "{}");
	SUITE_INT(client_end(&cl), 1);
	snprintf(expected, sizeof(expected), FAILURE(11, "open %s: ENOTDIR"),
		 at("run/vfkeeper/start"));
	SUITE_STR(cl.text, expected);
	SUITE_STR(read_file(at("starts")), "");
	rig_down();
	up("ADD", "serve");
	rig.env[0] = "VFKEEPER_ROOT=relative";
	client_start(&cl, "{}");
	SUITE_INT(client_end(&cl), 1);
	SUITE_STR(cl.text, FAILURE(7, "VFKEEPER_ROOT is not an absolute path"));
	down();
}

/* Names what lies in the spool; "" or "name name ". */
static const char *spooled(void)
{
	static char names[2000];
	DIR *dir = opendir(at("var/lib/vfkeeper/spool"));
	const struct dirent *entry;

	names[0] = '\0';
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			snprintf(names + strlen(names), sizeof(names) - strlen(names),
				 "%s ", entry->d_name);
	if (dir)
		closedir(dir);
	return names;
}

static void expect_entry(uint64_t start_ns, const char *in)
{
	static const char env[] = "CNI_COMMAND=DEL\0CNI_CONTAINERID=c1\0CNI_IFNAME=net1\0"
				  "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	size_t in_len = strlen(in);
	uint64_t key = spool_key("c1", "net1", in, in_len);
	char name[64], bytes[1000];
	struct spool_hdr hdr, want = { .magic = 0x31534656,
				       .version = 1,
				       .dialect = DIALECT_SRIOV,
				       .env_len = sizeof(env),
				       .stdin_len = (uint32_t)in_len,
				       .boot_id = "played" };
	struct stat st;
	FILE *f;

	snprintf(name, sizeof(name), "%016" PRIx64 ".del ", key);
	for (int ms = 0; ms < HANG_MS && strcmp(spooled(), name) != 0; ms += 5)
		usleep(5000); /* a slow disk: the client may not have waited for it */
	SUITE_STR(spooled(), name);
	name[strlen(name) - 1] = '\0';
	f = fopen(at("var/lib/vfkeeper/spool/%s", name), "re");
	CU_ASSERT_FATAL(f != NULL);
	SUITE_INT(fread(bytes, 1, sizeof(bytes), f), sizeof(hdr) + sizeof(env) + in_len);
	CU_ASSERT(fstat(fileno(f), &st) == 0);
	SUITE_INT(st.st_mode & 07777, 0600);
	fclose(f);
	memcpy(&hdr, bytes, sizeof(hdr));
	want.start_ns = start_ns ? start_ns : hdr.start_ns;
	want.crc = hdr.crc;
	CU_ASSERT(!memcmp(&hdr, &want, sizeof(hdr)));
	CU_ASSERT(!memcmp(bytes + sizeof(hdr), env, sizeof(env)));
	CU_ASSERT(!memcmp(bytes + sizeof(hdr) + sizeof(env), in, in_len));
	memset(bytes + offsetof(struct spool_hdr, crc), 0, 4);
	SUITE_INT(hdr.crc, frame_crc32(0, bytes, sizeof(hdr) + sizeof(env) + in_len));
}

/* The client says what it knows at its deadline, which depends on the disk. */
static void expect_kept(const char *why)
{
	char kept[400], writing[400];

	snprintf(kept, sizeof(kept), FAILURE(11, "%s" KEPT), why);
	snprintf(writing, sizeof(writing), FAILURE(11, "%s" WRITING), why);
	SUITE_INT(client_end(&cl), 1);
	SUITE_STR(cl.text, strcmp(cl.text, writing) != 0 ? kept : writing);
}

static void keeps_a_del_at_its_deadline(void)
{
	uint64_t start_ns;
	int sock;

	up("DEL", "serve");
	rig_listen();
	rig.name = "sriov";
	rig_env("VFKEEPER_CLIENT_DEADLINE_MS=1600");
	rig_env("VFKEEPER_BOOT_ID=played");
	for (int i = 0; i < 2; i++) { /* the second takes the first one's place */
		client_start(&cl, "{\"name\":\"n\"}");
		sock = engine_request();
		start_ns = got.rq.start_ns;
		expect_kept("the vfkeeper engine gave no answer within 1 s");
		expect_entry(start_ns, "{\"name\":\"n\"}");
		close(sock);
		drop_fds();
	}
	down();
}

/* Two DELs of one attachment, of which the earlier is written last. */
static void keeps_the_later_of_two_dels(void)
{
	struct spool_hdr later = { .magic = 0x31534656,
				   .version = 1,
				   .start_ns = UINT64_MAX,
				   .boot_id = "played" };
	char name[64], alone[64], text[sizeof(later) + 1] = "";
	FILE *f;

	for (int other_boot = 0; other_boot < 2; other_boot++) {
		up("DEL", "say no");
		rig.name = "sriov";
		rig_env("VFKEEPER_BOOT_ID=played");
		mkdir(at("var"), 0755);
		mkdir(at("var/lib"), 0755);
		mkdir(at("var/lib/vfkeeper"), 0700);
		mkdir(at("var/lib/vfkeeper/spool"), 0700);
		snprintf(name, sizeof(name), "var/lib/vfkeeper/spool/%016" PRIx64 ".del",
			 spool_key("c1", "net1", "{}", 2));
		later.boot_id[0] = other_boot ? 'P' : 'p';
		f = fopen(at("%s", name), "we");
		CU_ASSERT_FATAL(f != NULL);
		fwrite(&later, sizeof(later), 1, f);
		fclose(f);
		client_start(&cl, "{}");
		expect_kept("cannot start an engine: no");
		if (other_boot) {
			expect_entry(0, "{}");
		} else {
			snprintf(alone, sizeof(alone), "%s ", strrchr(name, '/') + 1);
			SUITE_STR(spooled(), alone);
			f = fopen(at("%s", name), "re");
			SUITE_INT(fread(text, 1, sizeof(text), f), sizeof(later));
			CU_ASSERT(!memcmp(text, &later, sizeof(later)));
			fclose(f);
		}
		down();
	}
}

static void expect_fds(pid_t pid, const char *expected)
{
	char text[1000] = "", link[64], path[256];

	for (int fd = 0; fd < 256; fd++) {
		ssize_t n;

		snprintf(link, sizeof(link), "/proc/%d/fd/%d", pid, fd);
		n = readlink(link, path, sizeof(path) - 1);
		if (n < 0)
			continue;
		path[n] = '\0';
		path[strcspn(path, "[")] = '\0';
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%d %s|", fd,
			 path);
	}
	SUITE_STR(text, expected);
}

/* A disk that does not answer: the writer waits in open(2) until we allow it. */
static void answers_while_its_del_is_being_written(void)
{
	struct fanotify_event_metadata event;
	int hold;

	up("DEL", "say no");
	rig.name = "sriov";
	rig_env("VFKEEPER_BOOT_ID=played");
	rig_env("VFKEEPER_CLIENT_DEADLINE_MS=1000");
	mkdir(at("var"), 0755);
	mkdir(at("var/lib"), 0755);
	mkdir(at("var/lib/vfkeeper"), 0700);
	mkdir(at("var/lib/vfkeeper/spool"), 0700);
	hold = hold_open(at("var/lib/vfkeeper/spool"));
	if (hold < 0) {
		rig_down();
		return SUITE_SKIP("no permission events of fanotify here");
	}
	client_start(&cl, "{}");
	event = held_open(hold);
	SUITE_INT(client_end(&cl), 1); /* and its pipes have ended */
	SUITE_STR(cl.text, FAILURE(11, "cannot start an engine: no" WRITING));
	SUITE_INT(kill(event.pid, 0), 0);
	CU_ASSERT(getsid(event.pid) == event.pid);
	expect_fds(event.pid, "0 /memfd:cni stdin (deleted)|1 /memfd:cni environment "
			      "(deleted)|2 pipe:|");
	release_open(hold, event.fd);
	expect_entry(0, "{}");
	down();
}

static void keeps_a_del_without_input(void)
{
	int sock;

	up("DEL", "serve");
	rig_listen();
	rig.name = "sriov";
	rig_env("VFKEEPER_CLIENT_DEADLINE_MS=800");
	rig_env("VFKEEPER_BOOT_ID=played");
	client_start(&cl, "");
	sock = engine_request();
	expect_kept("the vfkeeper engine gave no answer within 700 ms");
	expect_entry(0, "");
	close(sock);
	drop_fds();
	down();
}

static void keeps_a_del_where_no_engine_starts(void)
{
	up("DEL", "say no");
	rig.name = "sriov";
	rig_env("VFKEEPER_BOOT_ID=played");
	client_start(&cl, "{}");
	expect_kept("cannot start an engine: no");
	expect_entry(0, "{}");
	down();
}

static void keeps_nothing_but_dels(void)
{
	static const char *const verbs[] = { "ADD", "CHECK", "GC", "STATUS" };

	for (int i = 0; i < 4; i++) {
		up(verbs[i], "say no");
		client_start(&cl, "{}");
		SUITE_INT(client_end(&cl), 1);
		SUITE_STR(spooled(), "");
		down();
	}
}

static void says_when_a_del_cannot_be_kept(void)
{
	char expected[500];

	up("DEL", "say no");
	mkdir(at("var"), 0755);
	mkdir(at("var/lib"), 0755);
	write_file(at("var/lib/vfkeeper"), "", 0600);
	client_start(&cl, "{}");
	SUITE_INT(client_end(&cl), 1);
	snprintf(expected, sizeof(expected),
		 FAILURE(11, "cannot start an engine: no; the DEL could not be kept (spool): open "
			     "%s: ENOTDIR"),
		 at("var/lib/vfkeeper/spool"));
	SUITE_STR(cl.text, expected);
	down();
}

VFK_SUITE(client_start,
	  { "R2: starts an engine that inherits nothing of the caller", starts_an_engine },
	  { "R2: starts exactly one for fifty clients", starts_one_for_a_crowd },
	  { "makes the directories first", makes_the_directories },
	  { "waits for who is starting one", waits_for_who_is_starting },
	  { "looks again for an engine once it has the lock", looks_again_with_the_lock },
	  { "starts again what died without a word", starts_again_what_died },
	  { "starts another where one was killed", starts_another_after_a_kill },
	  { "passes a start error on in one line", passes_a_start_error_on },
	  { "says when there is no engine to start", says_when_there_is_no_engine },
	  { "says when an engine does not get ready", says_when_an_engine_is_not_ready },
	  { "says when nobody starts one", says_when_nobody_starts_one },
	  { "tries less often the longer it waits", tries_less_often_the_longer_it_waits },
	  { "says when its place is unusable", says_when_the_place_is_unusable },
	  { "R5: keeps a DEL durably at its deadline", keeps_a_del_at_its_deadline },
	  { "keeps the later of two DELs", keeps_the_later_of_two_dels },
	  { "answers in time while its DEL is still being written",
	    answers_while_its_del_is_being_written },
	  { "keeps a DEL without input", keeps_a_del_without_input },
	  { "keeps a DEL where no engine starts", keeps_a_del_where_no_engine_starts },
	  { "keeps nothing but DELs", keeps_nothing_but_dels },
	  { "says when a DEL could not be kept", says_when_a_del_cannot_be_kept })
