/* SPDX-License-Identifier: Apache-2.0 */
/* RUN frames: the client runs plugins for the engine (R8, R9, R10). */
#include "client_rig.h"

static int inflight; /* descriptor of the file, with byte 7 locked */

static void up(const char *verb)
{
	static char cni_path[80];

	rig_up(verb);
	rig_listen();
	mkdir(at("plugins"), 0755);
	snprintf(cni_path, sizeof(cni_path), "CNI_PATH=/nowhere:%s", at("plugins"));
	rig_env(cni_path);
	inflight = -1;
}

static void plugin(const char *text)
{
	static char whole[2000];

	snprintf(whole, sizeof(whole), "#!/bin/sh\ncd %s || exit 99\n%s\n", rig.root, text);
	write_file(at("plugins/ipam"), whole, 0755);
}

static bool lock_held(void)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 7, .l_len = 1
	};
	int fd = open(at("run/vfkeeper/inflight"), O_RDWR | O_CLOEXEC);

	CU_ASSERT(fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0);
	close(fd);
	return lock.l_type != F_UNLCK;
}

static void lock_byte(void)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 7, .l_len = 1
	};

	inflight = open(at("run/vfkeeper/inflight"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CU_ASSERT(inflight >= 0 && fcntl(inflight, F_OFD_SETLK, &lock) == 0);
}

/* Sends RUN and gives the lock away, as an engine does. */
static void send_run(int sock, uint64_t run_id, enum cni_verb verb, uint32_t deadline_ms)
{
	struct frame_run run = { .run_id = run_id,
				 .deadline_ms = deadline_ms,
				 .verb = (uint8_t)verb,
				 .type = "ipam" };

	lock_byte();
	engine_send(sock, &run.hdr, FRAME_RUN, sizeof(run), &inflight, 1);
	close(inflight);
}

static void expect_ran(int sock, uint64_t run_id, enum run_outcome outcome, int status,
		       const char *out)
{
	CU_ASSERT_FATAL(engine_recv(sock) == FRAME_RAN);
	SUITE_INT(got.hdr.len, sizeof(got.ran));
	SUITE_INT(got.ran.run_id, run_id);
	SUITE_INT(got.ran.outcome, outcome);
	SUITE_INT(got.ran.status, status);
	CU_ASSERT_FATAL(got_n_fds == 1);
	SUITE_INT(got.ran.out_len, strlen(out));
	SUITE_STR(memfd_text(got_fds[0], got.ran.out_len), out);
}

static void runs_a_plugin(void)
{
	int sock;

	up("ADD");
	rig_env("HOME=/somewhere");
	rig_env("CNI_ARGS=a=b");
	/* The shell closes its pipe while ls reads. */
	plugin("cat; echo >&2 to stderr; printf ' %s' $CNI_COMMAND $CNI_ARGS $HOME; "
	       "ls -l /proc/$$/fd 2>/dev/null | grep -c inflight >locks");
	client_start(&cl, "{\"in\":1}");
	sock = engine_request();
	send_run(sock, 42, CNI_DEL, HANG_MS);
	expect_ran(sock, 42, RUN_EXITED, 0, "{\"in\":1} DEL a=b /somewhere");
	SUITE_STR(read_file(at("locks")), "1\n"); /* the plugin held it */
	CU_ASSERT(lock_held());			  /* the client still does */
	engine_answer(sock, 0, "ok");
	SUITE_INT(client_end(&cl), 0);
	SUITE_STR(cl.text, "ok");
	SUITE_STR(cl.stderr_text, "to stderr\n");
	CU_ASSERT(!lock_held());
	close(sock);
	rig_down();
}

static void runs_several_in_turn(void)
{
	int sock;

	up("ADD");
	plugin("cat; echo $CNI_COMMAND");
	client_start(&cl, "in");
	sock = engine_request();
	lock_byte();
	for (int i = 1; i <= 3; i++) {
		struct frame_run run = { .run_id = (uint64_t)i,
					 .deadline_ms = HANG_MS,
					 .verb = i == 1 ? CNI_ADD : CNI_DEL,
					 .type = "ipam" };

		engine_send(sock, &run.hdr, FRAME_RUN, sizeof(run), &inflight, 1);
		expect_ran(sock, (uint64_t)i, RUN_EXITED, 0,
			   i == 1 ? "inADD\n" : "inDEL\n");
	}
	close(inflight);
	CU_ASSERT(lock_held());
	engine_finish(sock);
	CU_ASSERT(!lock_held());
	rig_down();
}

static void says_when_there_is_no_plugin(void)
{
	struct frame_run run = { .deadline_ms = HANG_MS, .verb = CNI_ADD };
	static const char *const types[] = { "other", "", "../plugins/ipam", "dir" };
	int sock;

	up("ADD");
	plugin("true");
	mkdir(at("plugins/dir"), 0755);
	client_start(&cl, "{}");
	sock = engine_request();
	lock_byte();
	for (uint64_t i = 0; i < 4; i++) {
		run.run_id = i;
		memset(run.type, 0, sizeof(run.type));
		memcpy(run.type, types[i], strlen(types[i]));
		engine_send(sock, &run.hdr, FRAME_RUN, sizeof(run), &inflight, 1);
		expect_ran(sock, i, RUN_NOT_FOUND, 0, "");
	}
	close(inflight);
	engine_finish(sock);
	rig_down();
}

static void says_when_it_cannot_be_started(void)
{
	int sock;

	up("ADD");
	write_file(at("plugins/ipam"), "#!/bin/sh\n", 0644);
	client_start(&cl, "{}");
	sock = engine_request();
	send_run(sock, 5, CNI_ADD, HANG_MS);
	expect_ran(sock, 5, RUN_NOT_STARTED, EACCES, "");
	engine_finish(sock);
	rig_down();
}

static void tells_exit_codes_and_signals(void)
{
	int sock;

	up("ADD");
	plugin("echo '{\"code\":7}'; exit 9");
	client_start(&cl, "{}");
	sock = engine_request();
	send_run(sock, 1, CNI_ADD, HANG_MS);
	expect_ran(sock, 1, RUN_EXITED, 9, "{\"code\":7}\n");
	engine_finish(sock);
	rig_down();
	up("ADD");
	plugin("kill -ABRT $$");
	client_start(&cl, "{}");
	sock = engine_request();
	send_run(sock, 1, CNI_ADD, HANG_MS);
	expect_ran(sock, 1, RUN_SIGNALLED, SIGABRT, "");
	engine_finish(sock);
	rig_down();
}

/* The caller may have set SIGCHLD to be ignored; that would lose the exit code. */
static void survives_an_ignored_sigchld(void)
{
	int sock;

	up("ADD");
	plugin("exit 4");
	signal(SIGCHLD, SIG_IGN);
	client_start(&cl, "{}");
	signal(SIGCHLD, SIG_DFL);
	sock = engine_request();
	send_run(sock, 1, CNI_ADD, HANG_MS);
	expect_ran(sock, 1, RUN_EXITED, 4, "");
	engine_finish(sock);
	rig_down();
}

static bool ends(pid_t pid)
{
	for (int ms = 0; ms < HANG_MS; ms += 5) {
		char path[64];
		const char *stat, *state;

		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		stat = read_file(path);
		state = strrchr(stat, ')');
		if (!state || state[2] == 'Z' || state[2] == 'X')
			return true;
		usleep(5000);
	}
	return false;
}

#define HANG_WITH_CHILD "echo $$ >pid; sleep 1000 & echo $! >child; wait"

static void ends_a_plugin_at_its_deadline(void)
{
	pid_t pid, child;
	int sock;

	up("ADD");
	plugin("echo early; " HANG_WITH_CHILD);
	client_start(&cl, "{}");
	sock = engine_request();
	send_run(sock, 3, CNI_ADD, 500);
	expect_ran(sock, 3, RUN_TIMED_OUT, 0, "early\n");
	pid = atoi(read_file(at("pid")));
	child = atoi(await_file(at("child")));
	CU_ASSERT(pid > 1 && ends(pid));
	CU_ASSERT(child > 1 && ends(child));
	engine_finish(sock);
	rig_down();
}

static void ends_a_plugin_on_cancel(void)
{
	struct frame_hdr cancel = { 0 };
	pid_t child;
	int sock;

	up("ADD");
	plugin(HANG_WITH_CHILD);
	client_start(&cl, "{}");
	sock = engine_request();
	engine_send(sock, &cancel, FRAME_CANCEL, sizeof(cancel), NULL,
		    0); /* too early: nothing */
	send_run(sock, 3, CNI_ADD, HANG_MS);
	child = atoi(await_file(at("child")));
	CU_ASSERT(child > 1);
	engine_send(sock, &cancel, FRAME_CANCEL, sizeof(cancel), NULL, 0);
	expect_ran(sock, 3, RUN_CANCELLED, 0, "");
	CU_ASSERT(ends(child));
	engine_finish(sock);
	rig_down();
}

static void runs_with_what_was_stored(void)
{
	static const char env[] = "CNI_ARGS=stored\0CNI_COMMAND=ADD\0CNI_NETNS=/stored\0";
	struct frame_run run = { .run_id = 8,
				 .deadline_ms = HANG_MS,
				 .verb = CNI_DEL,
				 .flags = RUN_STORED,
				 .type = "ipam" };
	int sock, fds[3];

	up("DEL");
	rig_env("CNI_ARGS=mine");
	rig_env("K8S_X=mine");
	plugin("cat; echo \" $CNI_ARGS $CNI_COMMAND $CNI_NETNS $K8S_X\"");
	client_start(&cl, "mine");
	sock = engine_request();
	lock_byte();
	fds[0] = inflight;
	fds[1] = memfd_with("stored");
	fds[2] = memfd_create("env", MFD_CLOEXEC);
	CU_ASSERT(write(fds[2], env, sizeof(env) - 1) == sizeof(env) - 1);
	engine_send(sock, &run.hdr, FRAME_RUN, sizeof(run), fds, 3);
	expect_ran(sock, 8, RUN_EXITED, 0, "stored stored DEL /stored mine\n");
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	engine_finish(sock);
	rig_down();
}

static void takes_its_plugin_along(void)
{
	pid_t pid;
	int sock;

	up("ADD");
	plugin("echo $$ >pid; exec sleep 1000");
	client_start(&cl, "{}");
	sock = engine_request();
	send_run(sock, 3, CNI_ADD, HANG_MS);
	pid = atoi(await_file(at("pid")));
	CU_ASSERT(pid > 1 && lock_held());
	kill(cl.pid, SIGKILL);
	CU_ASSERT(ends(pid));
	SUITE_INT(client_end(&cl), -SIGKILL);
	CU_ASSERT(!lock_held()); /* that is how the engine knows */
	SUITE_INT(engine_recv(sock), 0);
	close(sock);
	rig_down();
}

static void ends_its_plugin_with_the_answer(void)
{
	pid_t child;
	int sock;

	up("ADD");
	plugin(HANG_WITH_CHILD);
	client_start(&cl, "{}");
	sock = engine_request();
	send_run(sock, 3, CNI_ADD, HANG_MS);
	child = atoi(await_file(at("child")));
	CU_ASSERT(child > 1);
	engine_finish(sock);
	CU_ASSERT(ends(child));
	rig_down();
}

/* R9: the engine dies while the plugin runs. */
static void carries_a_result_to_the_next_engine(void)
{
	struct frame_nonce nonce;
	int sock;

	up("ADD");
	plugin("echo $$ >pid; while [ ! -e go ]; do sleep 0.02; done; echo result; exit 2");
	client_start(&cl, "{}");
	sock = engine_request();
	nonce = got.rq.nonce;
	send_run(sock, 77, CNI_ADD, HANG_MS);
	CU_ASSERT(atoi(await_file(at("pid"))) > 1);
	close(sock);
	struct pollfd pfd = { .fd = rig.listener, .events = POLLIN };

	SUITE_INT(poll(&pfd, 1, 100), 0); /* first the plugin ends */
	CU_ASSERT(lock_held());
	write_file(at("go"), "\n", 0600);
	sock = engine_request();
	SUITE_INT(got.rq.has_run, 1);
	SUITE_INT(got.rq.run_id, 77);
	SUITE_INT(got.rq.attempt, 1);
	CU_ASSERT(!memcmp(&got.rq.nonce, &nonce, sizeof(nonce)));
	expect_ran(sock, 77, RUN_EXITED, 2, "result\n");
	close(sock); /* that one dies as well */
	sock = engine_request();
	SUITE_INT(got.rq.has_run, 1);
	expect_ran(sock, 77, RUN_EXITED, 2, "result\n");
	CU_ASSERT(lock_held());
	engine_finish(sock);
	CU_ASSERT(!lock_held());
	rig_down();
}

static void keeps_the_deadline_without_an_engine(void)
{
	pid_t child;
	int sock;

	up("ADD");
	plugin(HANG_WITH_CHILD);
	client_start(&cl, "{}");
	sock = engine_request();
	send_run(sock, 77, CNI_ADD, 500);
	close(sock);
	sock = engine_request();
	SUITE_INT(got.rq.has_run, 1);
	expect_ran(sock, 77, RUN_TIMED_OUT, 0, "");
	child = atoi(await_file(at("child")));
	CU_ASSERT(child > 1 && ends(child));
	engine_finish(sock);
	rig_down();
}

static void tells_at_most_what_a_frame_may(void)
{
	int sock;

	up("ADD");
	plugin("head -c 1048577 /dev/zero");
	client_start(&cl, "{}");
	sock = engine_request();
	send_run(sock, 1, CNI_ADD, HANG_MS);
	SUITE_INT(engine_recv(sock), FRAME_RAN);
	SUITE_INT(got.ran.out_len, RUN_OUT_MAX);
	SUITE_INT(got.ran.outcome, RUN_EXITED);
	engine_finish(sock);
	rig_down();
}

static void refuses_a_second_plugin_at_once(void)
{
	int sock;

	up("ADD");
	plugin("exec sleep 1000");
	client_start(&cl, "{}");
	sock = engine_request();
	send_run(sock, 1, CNI_ADD, HANG_MS);
	inflight = memfd_create("no lock", MFD_CLOEXEC);
	struct frame_run run = { .run_id = 2, .verb = CNI_ADD, .type = "ipam" };

	engine_send(sock, &run.hdr, FRAME_RUN, sizeof(run), &inflight, 1);
	close(inflight);
	SUITE_INT(client_end(&cl), 1);
	SUITE_STR(cl.text,
		  "{\"cniVersion\":\"1.1.0\",\"code\":11,\"msg\":\"RUN frame: a plugin "
		  "still runs\"}\n");
	close(sock);
	rig_down();
}

VFK_SUITE(client_run,
	  { "runs a plugin and keeps its lock until the answer", runs_a_plugin },
	  { "runs several in turn", runs_several_in_turn },
	  { "says when there is no such plugin", says_when_there_is_no_plugin },
	  { "says when a plugin cannot be started", says_when_it_cannot_be_started },
	  { "tells exit codes and signals", tells_exit_codes_and_signals },
	  { "survives a caller that ignores SIGCHLD", survives_an_ignored_sigchld },
	  { "ends a plugin and its group at its deadline", ends_a_plugin_at_its_deadline },
	  { "ends a plugin and its group on CANCEL", ends_a_plugin_on_cancel },
	  { "runs with stored input and environment", runs_with_what_was_stored },
	  { "takes its plugin along when it is killed", takes_its_plugin_along },
	  { "ends its plugin when it is answered", ends_its_plugin_with_the_answer },
	  { "carries a result to the next engine, and to the one after",
	    carries_a_result_to_the_next_engine },
	  { "keeps a plugin's deadline without an engine",
	    keeps_the_deadline_without_an_engine },
	  { "tells at most what a frame may carry", tells_at_most_what_a_frame_may },
	  { "refuses a second plugin at once", refuses_a_second_plugin_at_once })
