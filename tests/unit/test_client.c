/* SPDX-License-Identifier: Apache-2.0 */
/* What the client says to an engine, and what it does when told to.  Starting engines and
 * the spool: test_client_start.c. */
#include "client_rig.h"

#define VERSION_TEXT                                                                      \
	"{\"cniVersion\":\"1.1.0\",\"supportedVersions\":[\"0.1.0\",\"0.2.0\",\"0.3.0\"," \
	"\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]}\n"
#define FAILURE(code, msg)                                                               \
	"{\"cniVersion\":\"1.1.0\",\"code\":" #code ",\"msg\":\"" msg "\"}\n"

static void answers_version_alone(void)
{
	rig_up("VERSION");
	rig.stdin_closed = true;
	client_start(&cl, "");
	SUITE_INT(client_end(&cl), 0);
	SUITE_STR(cl.text, VERSION_TEXT);
	SUITE_STR(cl.stderr_text, "");
	rig.stdin_closed = false;
	client_start(&cl, "{\"cniVersion\":\"9.9.9\"}");
	SUITE_INT(client_end(&cl), 0);
	SUITE_STR(cl.text, VERSION_TEXT);
	CU_ASSERT(access(at("run/vfkeeper/start"), F_OK) < 0);
	rig_down();
}

static void refuses_other_verbs(void)
{
	static const char *const rows[][2] = {
		{ "add", FAILURE(4, "unknown CNI_COMMAND: add") },
		{ "ADD ", FAILURE(4, "unknown CNI_COMMAND: ADD ") },
		{ "\"\\\n\x01\xff\xc3\xa4",
		  FAILURE(4, "unknown CNI_COMMAND: \\\"\\\\  ?\xc3\xa4") },
		{ "", FAILURE(4, "required env variables [CNI_COMMAND] missing") },
		{ NULL, FAILURE(4, "required env variables [CNI_COMMAND] missing") },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rig_up(rows[i][0]);
		client_start(&cl, "{}");
		SUITE_INT(client_end(&cl), 1);
		SUITE_STR(cl.text, rows[i][1]);
		SUITE_STR(cl.stderr_text, "");
		CU_ASSERT(access(at("run/vfkeeper/start"), F_OK) < 0);
		rig_down();
	}
}

static uint64_t start_ticks_of(pid_t pid)
{
	char path[64];
	const char *p;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	p = strrchr(read_file(path), ')');
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	return p ? strtoull(p, NULL, 10) : 0;
}

static void hands_over_what_it_was_given(void)
{
	struct stat theirs, ours;
	int64_t now;
	int sock;

	rig_up("ADD");
	rig_listen();
	write_file(at("netns"), "", 0600);
	char netns[100];

	snprintf(netns, sizeof(netns), "CNI_NETNS=%s", at("netns"));
	rig_env(netns);
	rig_env("CNI_ARGS=K8S_POD_NAME=p;X=1");
	rig_env("K8S_POD_NAMESPACE=ns");
	rig_env("HOME=/root");
	rig_env("XCNI_ARGS=no");
	rig_env("http_proxy=h");
	rig_env("HTTPS_PROXY=H");
	rig_env("no_proxy=");
	rig_env("PATHS=no");
	rig_env("CNI_ARGS=twice");
	client_start(&cl, "{\"name\":\"n\"}");
	sock = engine_request();
	now = clock_boot_ns();
	SUITE_INT(got.rq.hdr.version, 1);
	SUITE_INT(got_n_fds, 3);
	SUITE_INT(got.rq.verb, CNI_ADD);
	SUITE_INT(got.rq.dialect, DIALECT_VFKEEPER);
	SUITE_INT(got.rq.netns_errno, 0);
	SUITE_INT(got.rq.attempt, 0);
	SUITE_INT(got.rq.has_run, 0);
	SUITE_INT(got.rq.run_id, 0);
	CU_ASSERT(got.rq.nonce.hi != 0 && got.rq.nonce.lo != 0);
	SUITE_INT(got.rq.start_ns / (uint64_t)(NS_PER_S / sysconf(_SC_CLK_TCK)),
		  start_ticks_of(cl.pid));
	CU_ASSERT(got.rq.start_ns <= (uint64_t)now);
	CU_ASSERT(got.rq.deadline_boot_ns <= now + 115 * NS_PER_S);
	CU_ASSERT(got.rq.deadline_boot_ns > now + 115 * NS_PER_S - HANG_MS * NS_PER_MS);
	SUITE_STR(memfd_text(got_fds[0], got.rq.stdin_len), "{\"name\":\"n\"}");
	char env[600];

	memset(env, 0, sizeof(env));
	CU_ASSERT(pread(got_fds[1], env, sizeof(env) - 1, 0) == (ssize_t)got.rq.env_len);
	for (size_t i = 0; i < got.rq.env_len; i++)
		env[i] = env[i] ? env[i] : '|';
	snprintf(cl.text, sizeof(cl.text),
		 "CNI_COMMAND=ADD|CNI_CONTAINERID=c1|CNI_IFNAME=net1|"
		 "PATH=/usr/sbin:/usr/bin:/sbin:/bin|%s|CNI_ARGS=K8S_POD_NAME=p;X=1|"
		 "K8S_POD_NAMESPACE=ns|http_proxy=h|HTTPS_PROXY=H|no_proxy=|CNI_ARGS=twice|",
		 netns);
	SUITE_STR(env, cl.text);
	CU_ASSERT(fstat(got_fds[2], &theirs) == 0 && stat(at("netns"), &ours) == 0);
	CU_ASSERT(theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev);
	SUITE_INT(fcntl(got_fds[2], F_GETFL) & (O_ACCMODE | O_NONBLOCK),
		  O_RDONLY | O_NONBLOCK);
	engine_finish(sock);
	rig_down();
}

static void speaks_every_verb(void)
{
	static const char *const verbs[] = { "ADD", "DEL", "CHECK", "GC", "STATUS" };
	static const int numbers[] = { CNI_ADD, CNI_DEL, CNI_CHECK, CNI_GC, CNI_STATUS };

	for (int i = 0; i < 5; i++) {
		int sock;

		rig_up(verbs[i]);
		rig_listen();
		client_start(&cl, "{}");
		sock = engine_request();
		SUITE_INT(got.rq.verb, numbers[i]);
		engine_finish(sock);
		rig_down();
	}
}

static void takes_its_dialect_from_its_name(void)
{
	static const struct {
		const char *name;
		int dialect;
	} rows[] = {
		{ "vfkeeper", DIALECT_VFKEEPER },
		{ "ib-sriov", DIALECT_IB_SRIOV },
		{ "/opt/cni/bin/ib-sriov", DIALECT_IB_SRIOV },
		{ "./sriov", DIALECT_SRIOV },
		{ "sriov", DIALECT_SRIOV },
		{ "sriov/x", DIALECT_VFKEEPER },
		{ "", DIALECT_VFKEEPER },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int sock;

		rig_up("ADD");
		rig_listen();
		rig.name = rows[i].name;
		client_start(&cl, "{}");
		sock = engine_request();
		SUITE_INT(got.rq.dialect, rows[i].dialect);
		engine_finish(sock);
		rig_down();
	}
}

/* 'var' is the whole variable, NULL for none. */
static void netns_case(const char *var, int netns_errno, unsigned n_fds)
{
	int sock;

	rig_listen();
	if (var)
		rig_env(var);
	client_start(&cl, "{}");
	sock = engine_request();
	SUITE_INT(got.rq.netns_errno, netns_errno);
	SUITE_INT(got_n_fds, n_fds);
	engine_finish(sock);
	rig_down();
}

static void says_what_is_wrong_with_the_netns(void)
{
	char var[200];

	rig_up("DEL");
	netns_case(NULL, -1, 2);
	rig_up("DEL");
	netns_case("CNI_NETNS=", -1, 2);
	rig_up("DEL");
	snprintf(var, sizeof(var), "CNI_NETNS=%s", at("gone"));
	netns_case(var, ENOENT, 2);
	rig_up("DEL");
	snprintf(var, sizeof(var), "CNI_NETNS=%s", at("fifo"));
	CU_ASSERT(mkfifo(at("fifo"), 0600) == 0);
	netns_case(var, 0, 3); /* and it does not wait for a writer */
	rig_up("DEL");
	snprintf(var, sizeof(var), "CNI_NETNS=%s", at("bin/vfkeeper/x"));
	netns_case(var, ENOTDIR, 2);
}

static void prints_the_answer_and_exits_with_its_code(void)
{
	static const int rows[][2] = { { 0, 0 }, { 1, 1 }, { 7, 7 }, { 256, 1 }, { -1, 1 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int sock;

		rig_up("ADD");
		rig_listen();
		client_start(&cl, "{}");
		sock = engine_request();
		engine_answer(sock, rows[i][0], "{\n \"x\": \"\xc3\xa4\"\n}");
		SUITE_INT(client_end(&cl), rows[i][1]);
		SUITE_STR(cl.text, "{\n \"x\": \"\xc3\xa4\"\n}");
		SUITE_STR(cl.stderr_text, "");
		close(sock);
		rig_down();
	}
}

static void prints_the_longest_answer(void)
{
	static char text[ANSWER_MAX + 1];
	int sock, size = 4 * FRAME_MAX;

	rig_up("ADD");
	rig_listen();
	client_start(&cl, "{}");
	sock = engine_request();
	setsockopt(sock, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	memset(text, 'y', ANSWER_MAX);
	engine_answer(sock, 0, text);
	SUITE_INT(client_end(&cl), 0);
	SUITE_INT(cl.text_len, ANSWER_MAX);
	CU_ASSERT(!memcmp(cl.text, text, ANSWER_MAX));
	close(sock);
	rig_down();
}

/* Closing a socket with something unread in it resets the peer, before it has read. */
static void reads_an_answer_behind_a_reset(void)
{
	int sock;

	rig_up("ADD");
	rig_listen();
	client_start(&cl, "{}");
	sock = engine_accept();
	struct pollfd pfd = { .fd = sock, .events = POLLIN };

	SUITE_INT(poll(&pfd, 1, HANG_MS), 1); /* the request is there, and stays unread */
	kill(cl.pid, SIGSTOP);
	engine_answer(sock, 0, "late");
	close(sock);
	kill(cl.pid, SIGCONT);
	SUITE_INT(client_end(&cl), 0);
	SUITE_STR(cl.text, "late");
	rig_down();
}

static void reconnects(void)
{
	struct frame_nonce nonce;
	int sock;

	rig_up("ADD");
	rig_listen();
	client_start(&cl, "{\"a\":1}");
	sock = engine_request();
	nonce = got.rq.nonce;
	close(sock); /* end of file */
	sock = engine_accept();
	struct pollfd pfd = { .fd = sock, .events = POLLIN };

	SUITE_INT(poll(&pfd, 1, HANG_MS), 1);
	close(sock); /* reset */
	sock = engine_request();
	SUITE_INT(got.rq.attempt, 2);
	CU_ASSERT(!memcmp(&got.rq.nonce, &nonce, sizeof(nonce)));
	SUITE_STR(memfd_text(got_fds[0], got.rq.stdin_len), "{\"a\":1}");
	SUITE_INT(got.rq.has_run, 0);
	engine_finish(sock);
	rig_down();
}

static void has_a_nonce_of_its_own(void)
{
	struct frame_nonce nonce = { 0 };

	for (int i = 0; i < 3; i++) {
		int sock;

		rig_up("ADD");
		rig_listen();
		client_start(&cl, "{}");
		sock = engine_request();
		CU_ASSERT(memcmp(&got.rq.nonce, &nonce, sizeof(nonce)) != 0);
		nonce = got.rq.nonce;
		engine_finish(sock);
		rig_down();
	}
}

/* A full queue of connections is EAGAIN: an engine is there. */
static void waits_where_the_queue_is_full(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int filler[4], sock, n = 0;

	rig_up("ADD");
	rig_listen();
	CU_ASSERT(listen(rig.listener, 1) == 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/run/vfkeeper/cni.sock",
		 rig.root);
	for (; n < 4; n++) {
		filler[n] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
				   0);
		if (connect(filler[n], (struct sockaddr *)&addr, sizeof(addr)) < 0) {
			SUITE_INT(errno, EAGAIN);
			close(filler[n]);
			break;
		}
	}
	CU_ASSERT_FATAL(n < 4);
	client_start(&cl, "{}");
	usleep(50 * 1000);
	CU_ASSERT(access(at("run/vfkeeper/start"), F_OK) < 0); /* nobody was started */
	for (int i = 0; i < n; i++) {
		close(engine_accept());
		close(filler[i]);
	}
	sock = engine_request();
	engine_finish(sock);
	rig_down();
}

static void version_case(uint16_t min, uint16_t max, const char *expected)
{
	struct frame_version_is is = { .min = min, .max = max };
	int sock;

	rig_up("ADD");
	rig_listen();
	client_start(&cl, "{}");
	sock = engine_request();
	is.hdr.version = max; /* whatever that engine speaks */
	engine_send(sock, &is.hdr, FRAME_VERSION_IS, sizeof(is), NULL, 0);
	close(sock);
	SUITE_INT(client_end(&cl), 1);
	SUITE_STR(cl.text, expected);
	rig_down();
}

static void gives_up_on_a_foreign_protocol(void)
{
	version_case(2, 3,
		     FAILURE(11, "the running engine speaks protocol 2 to 3, this client 1 "
				 "to 1: restart vfkeeperd"));
	version_case(0, 0,
		     FAILURE(11, "the running engine speaks protocol 0 to 0, this client 1 "
				 "to 1: restart vfkeeperd"));
}

/* Sends raw bytes (with 'n_fds' descriptors) instead of a frame. */
static void wrong_case(const void *bytes, size_t len, unsigned n_fds, const char *expected)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(8 * sizeof(int))];
	} ctl = { 0 };
	struct iovec iov = { .iov_base = (void *)bytes, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int sock;

	rig_up("ADD");
	rig_listen();
	client_start(&cl, "{}");
	sock = engine_request();
	if (n_fds) {
		msg.msg_control = &ctl;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		ctl.align.cmsg_level = SOL_SOCKET;
		ctl.align.cmsg_type = SCM_RIGHTS;
		ctl.align.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		for (unsigned i = 0; i < n_fds; i++)
			memcpy(CMSG_DATA(&ctl.align) + i * sizeof(int), &sock, sizeof(int));
	}
	CU_ASSERT(sendmsg(sock, &msg, 0) == (ssize_t)len);
	SUITE_INT(client_end(&cl), 1);
	SUITE_STR(cl.text, expected);
	SUITE_STR(cl.stderr_text, "");
	close(sock);
	drop_fds();
	rig_down();
}

#define WRONG(what) FAILURE(11, what)

static struct frame_hdr header(uint16_t version, uint16_t type, size_t len, unsigned n_fds)
{
	return (struct frame_hdr){ FRAME_MAGIC, version, type, (uint32_t)len, n_fds };
}

static void refuses_wrong_frames(void)
{
	struct frame_hdr hdr = header(1, 99, sizeof(hdr), 0);
	struct frame_answer answer = { .text_len = 5 };
	struct frame_run run = { .verb = CNI_ADD, .type = "p" };

	wrong_case("garbage that is long enough", 27, 0,
		   WRONG("receive frame: wrong magic"));
	wrong_case(&hdr, 7, 0, WRONG("receive frame: shorter than its header"));
	wrong_case(&hdr, sizeof(hdr), 0,
		   WRONG("the engine sent a wrong frame: unknown type"));
	hdr = header(1, FRAME_CANCEL, sizeof(hdr), 1);
	wrong_case(&hdr, sizeof(hdr), 1,
		   WRONG("the engine sent a wrong frame: unexpected descriptors"));
	hdr = header(2, FRAME_CANCEL, sizeof(hdr), 0);
	wrong_case(&hdr, sizeof(hdr), 0, WRONG("the engine sent a wrong frame: version"));
	hdr = header(1, FRAME_VERSION_IS, sizeof(hdr), 0);
	wrong_case(&hdr, sizeof(hdr), 0,
		   WRONG("the engine sent a wrong frame: length of VERSION"));
	answer.hdr = header(1, FRAME_ANSWER, sizeof(answer), 0);
	wrong_case(&answer, sizeof(answer), 0,
		   WRONG("the engine sent a wrong frame: length of ANSWER"));
	run.hdr = header(1, FRAME_RUN, sizeof(run), 0);
	wrong_case(&run, sizeof(run), 0, WRONG("RUN frame: descriptors are missing"));
	run.hdr.n_fds = 1;
	run.flags = RUN_STORED;
	wrong_case(&run, sizeof(run), 1, WRONG("RUN frame: descriptors are missing"));
	run.flags = 0;
	run.hdr.n_fds = 4;
	wrong_case(&run, sizeof(run), 4, WRONG("receive frame: descriptors were lost"));
	run.hdr.n_fds = 1;
	run.verb = 77;
	wrong_case(&run, sizeof(run), 1, WRONG("RUN frame: unknown verb"));
	run.verb = CNI_ADD;
	memset(run.type, 'x', sizeof(run.type));
	wrong_case(&run, sizeof(run), 1, WRONG("RUN frame: the plugin's name has no end"));
}

static void refuses_unusable_input(void)
{
	static char var[9][120 * 1024];
	int fd;

	rig_up("ADD");
	rig_listen();
	fd = memfd_create("big", MFD_CLOEXEC);
	CU_ASSERT(ftruncate(fd, (off_t)STDIN_MAX + 1) == 0);
	client_start_fd(&cl, fd);
	SUITE_INT(client_end(&cl), 1);
	SUITE_STR(cl.text, FAILURE(5, "standard input is larger than 16777216 bytes"));
	rig.stdin_closed = true;
	client_start(&cl, "");
	SUITE_INT(client_end(&cl), 1);
	SUITE_STR(cl.text, FAILURE(5, "standard input is closed"));
	rig.stdin_closed = false;
	close(fd);
	fd = open("/", O_RDONLY | O_CLOEXEC);
	client_start_fd(&cl, fd);
	SUITE_INT(client_end(&cl), 1);
	SUITE_STR(cl.text, FAILURE(5, "read standard input: EISDIR"));
	close(fd);
	for (int i = 0; i < 9; i++) {
		memset(var[i], 'x', sizeof(var[i]) - 1);
		memcpy(var[i], "CNI_X=", 6);
		rig_env(var[i]);
	}
	client_start(&cl, "{}");
	SUITE_INT(client_end(&cl), 1);
	SUITE_STR(cl.text, FAILURE(4, "environment is larger than 1048576 bytes"));
	rig_down();
}

static void takes_the_largest_input(void)
{
	int fd, sock;

	rig_up("ADD");
	rig_listen();
	fd = memfd_create("big", MFD_CLOEXEC);
	CU_ASSERT(ftruncate(fd, (off_t)STDIN_MAX) == 0);
	client_start_fd(&cl, fd);
	sock = engine_request();
	SUITE_INT(got.rq.stdin_len, STDIN_MAX);
	engine_finish(sock);
	close(fd);
	rig_down();
}

static void gives_up_at_its_deadline(void)
{
	static const struct {
		const char *verb, *expected;
	} rows[] = {
		{ "ADD", FAILURE(11, "the vfkeeper engine gave no answer within 300 ms") },
		{ "CHECK", FAILURE(11, "the vfkeeper engine gave no answer within 300 ms") },
		{ "STATUS",
		  FAILURE(50, "the vfkeeper engine gave no answer within 300 ms") },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int sock;

		rig_up(rows[i].verb);
		rig_listen();
		rig_env("VFKEEPER_CLIENT_DEADLINE_MS=300");
		client_start(&cl, "{}");
		sock = engine_request();
		SUITE_INT(client_end(&cl), 1);
		SUITE_STR(cl.text, rows[i].expected);
		close(sock);
		drop_fds();
		rig_down();
	}
	rig_up("ADD");
	rig_listen();
	rig_env("VFKEEPER_CLIENT_DEADLINE_MS=300");
	int ends[2];

	CU_ASSERT(pipe2(ends, O_CLOEXEC) == 0);
	client_start_fd(&cl, ends[0]); /* its input never ends */
	SUITE_INT(client_end(&cl), 1);
	SUITE_STR(cl.text, FAILURE(11, "standard input did not end in time"));
	close(ends[0]);
	close(ends[1]);
	rig_down();
}

/* What was sent stays in the engine's queue: a DEL is carried out, a dead caller or not. */
static void leaves_its_request_when_it_is_killed(void)
{
	struct pollfd pfd = { .events = POLLIN };
	int sock;

	rig_up("DEL");
	rig_listen();
	client_start(&cl, "{\"k\":2}");
	sock = engine_accept();
	pfd.fd = sock;
	SUITE_INT(poll(&pfd, 1, HANG_MS), 1);
	kill(cl.pid, SIGKILL);
	SUITE_INT(client_end(&cl), -SIGKILL);
	SUITE_INT(engine_recv(sock), FRAME_REQUEST);
	SUITE_INT(got.rq.verb, CNI_DEL);
	SUITE_STR(memfd_text(got_fds[0], got.rq.stdin_len), "{\"k\":2}");
	SUITE_INT(engine_recv(sock), 0);
	close(sock);
	rig_down();
}

VFK_SUITE(
	client, { "answers VERSION alone, even with stdin closed", answers_version_alone },
	{ "refuses a missing or unknown CNI_COMMAND", refuses_other_verbs },
	{ "hands over stdin, environment, netns and start", hands_over_what_it_was_given },
	{ "speaks every verb", speaks_every_verb },
	{ "takes its dialect from its name", takes_its_dialect_from_its_name },
	{ "says what is wrong with the netns and never waits on it",
	  says_what_is_wrong_with_the_netns },
	{ "prints the answer and exits with its code",
	  prints_the_answer_and_exits_with_its_code },
	{ "prints the longest answer", prints_the_longest_answer },
	{ "reads an answer behind a reset", reads_an_answer_behind_a_reset },
	{ "R4: reconnects on end of file and reset with the same nonce", reconnects },
	{ "has a nonce of its own in every process", has_a_nonce_of_its_own },
	{ "waits where the queue of connections is full", waits_where_the_queue_is_full },
	{ "R16: gives up on a protocol it does not speak", gives_up_on_a_foreign_protocol },
	{ "refuses wrong frames in one line", refuses_wrong_frames },
	{ "refuses unusable input in one line", refuses_unusable_input },
	{ "takes the largest input", takes_the_largest_input },
	{ "gives up at its deadline", gives_up_at_its_deadline },
	{ "leaves its request when it is killed", leaves_its_request_when_it_is_killed })
