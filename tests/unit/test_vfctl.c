/* SPDX-License-Identifier: Apache-2.0 */
/* The program vfctl itself: against an engine that this test plays, against a journal that
 * it wrote, against an engine that cannot be started, and with wrong words. */
#include <errno.h>
#include <sys/file.h>

#include "base/clock.h"
#include "engine/node.h"
#include "fsm/lease.h"
#include "fsm/vf.h"
#include "io/codec.h"
#include "io/journal.h"
#include "vfctl_rig.h"

#define ADDR 0x3b02
#define USAGE " (see vfctl --help)\n"

/* --- a journal --- */

static int no_snapshot(void *arg, struct journal *j, struct vfk_err *err)
{
	(void)arg;
	(void)j;
	(void)err;
	return 0;
}

static int skip_record(void *arg, const struct journal_record *rec, struct vfk_err *err)
{
	(void)arg;
	(void)rec;
	(void)err;
	return 0;
}

static void stamp(struct rec_meta *meta, unsigned step, const char *cause)
{
	/* 100 s ago and then one second per step. */
	meta->wall_ns = clock_wall_ns() - (100 - (int64_t)step) * NS_PER_S;
	meta->boot_ns = (int64_t)step * NS_PER_S;
	snprintf(meta->boot_id, sizeof(meta->boot_id), "b1");
	meta->cause = CAUSE_REQUEST;
	snprintf(meta->cause_text, sizeof(meta->cause_text), "%s", cause);
}

static void put_vf(struct journal *j, struct rec_vf *rec, unsigned step, enum vf_state from,
		   enum vf_event event, enum vf_state to, const char *cause)
{
	struct strbuf out = { 0 };
	struct vfk_err err = { 0 };
	uint64_t seq;

	stamp(&rec->meta, step, cause);
	if (from != to)
		rec->since_wall_ns = rec->meta.wall_ns;
	rec->from = from;
	rec->event = event;
	rec->state = to;
	codec_put_vf(&out, rec);
	CU_ASSERT_EQUAL_FATAL(journal_append(j, REC_VF, out.data, out.len, &seq, &err), 0);
	strbuf_free(&out);
}

static void put_lease(struct journal *j, struct rec_lease *rec, unsigned step,
		      enum lease_state from, enum lease_event event, enum lease_state to)
{
	struct strbuf out = { 0 };
	struct vfk_err err = { 0 };
	uint64_t seq;

	stamp(&rec->meta, step, "ADD cid0001/net1");
	rec->from = from;
	rec->event = event;
	rec->state = to;
	rec->asked_wall_ns = rec->meta.wall_ns;
	codec_put_lease(&out, rec);
	CU_ASSERT_EQUAL_FATAL(journal_append(j, REC_LEASE, out.data, out.len, &seq, &err),
			      0);
	strbuf_free(&out);
}

/* The records that follow vouch for those before. */
static void sync_journal(struct journal *j)
{
	unsigned file;
	uint64_t upto;
	int fd;

	CU_ASSERT_FATAL(journal_want_sync(j, &fd, &file, &upto));
	CU_ASSERT_EQUAL(fdatasync(fd), 0);
	journal_synced(j, file, upto, 0);
}

/* A VF that had a pod and lost it, and another pod's now. */
static void write_journal(void)
{
	struct journal_cfg cfg = { .min_size = 256 * 1024, .snapshot = no_snapshot };
	struct rec_vf vf = { .addr = ADDR, .pf = 0x3b00, .index = 1, .nsid = -1 };
	struct rec_lease lease = { .id = 5, .vf = ADDR };
	struct journal_status st;
	struct journal *j = NULL;
	struct vfk_err err = { 0 };
	struct disk disk;

	CU_ASSERT_EQUAL_FATAL(fs_disk(&disk, in_root("/var/lib/vfkeeper/journal"), false,
				      &err),
			      0);
	cfg.disk = &disk;
	if (journal_open(&j, &cfg, skip_record, &st, &err) < 0) {
		printf("%s\n", err.msg);
		CU_FAIL_FATAL("no journal");
	}
	snprintf(vf.driver, sizeof(vf.driver), "sim");
	vf.baseline.valid = true;
	snprintf(vf.baseline.ifname, sizeof(vf.baseline.ifname), "ib0v1");
	put_vf(j, &vf, 1, VF_ABSENT, VF_EV_APPEARED, VF_FREE, "discovery");
	snprintf(vf.owner.network, sizeof(vf.owner.network), "ibnet");
	snprintf(vf.owner.container, sizeof(vf.owner.container), "cid0001");
	snprintf(vf.owner.ifname, sizeof(vf.owner.ifname), "net1");
	snprintf(vf.pod.ns, sizeof(vf.pod.ns), "default");
	snprintf(vf.pod.name, sizeof(vf.pod.name), "web-0");
	vf.lease_id = 5;
	put_vf(j, &vf, 2, VF_FREE, VF_EV_ADD, VF_RESERVED, "ADD cid0001/net1");
	snprintf(lease.plugin, sizeof(lease.plugin), "host-local");
	put_lease(j, &lease, 3, LEASE_NONE, LEASE_EV_ASK, LEASE_ASKED);
	put_lease(j, &lease, 4, LEASE_ASKED, LEASE_EV_ANSWERED, LEASE_HELD);
	put_vf(j, &vf, 5, VF_RESERVED, VF_EV_SETUP_DONE, VF_ATTACHED, "ADD cid0001/net1");
	sync_journal(j);
	put_vf(j, &vf, 6, VF_ATTACHED, VF_EV_DEL, VF_DETACHING, "DEL cid0001/net1");
	memset(&vf.owner, 0, sizeof(vf.owner));
	memset(&vf.pod, 0, sizeof(vf.pod));
	vf.lease_id = 0;
	put_vf(j, &vf, 7, VF_DETACHING, VF_EV_RESTORE_DONE, VF_FREE, "DEL cid0001/net1");
	journal_close(j);
}

/* --- an engine that this test plays --- */

static void play(void *arg, struct ctl_call *call, const struct ctl_request *rq)
{
	struct vfk_err err = { 0 };
	struct strbuf text = { 0 };

	static unsigned n_status;

	(void)arg;
	if (!strcmp(rq->command, "list")) {
		strbuf_adds(&text, "{\"vfs\": [{\"address\": \"0000:3b:00.2\", \"pf\": "
				   "\"0000:3b:00.0\", \"index\": 1, \"state\": \"FREE\", "
				   "\"age_s\": 61, \"netdev\": \"ib0v1\"}]}\n");
	} else if (!strcmp(rq->command, "version")) {
		strbuf_adds(&text,
			    "{\"engine\": {\"version\": \"9.9\", \"mode\": \"service\", "
			    "\"pid\": 77}}");
	} else if (!strcmp(rq->command, "release") && !strcmp(rq->args[0], "busy")) {
		(void)vfk_err_set(&err, VFK_E_BUSY, 0, "the journal is being rebuilt");
	} else if (!strcmp(rq->command, "release") && n_status < 3) {
		(void)vfk_err_set(&err, VFK_E_NOTFOUND, 0, "asked before the discovery");
	} else if (!strcmp(rq->command, "release")) {
		strbuf_adds(&text, "{\"address\": \"");
		for (unsigned i = 0; i < rq->n_args; i++)
			strbuf_addf(&text, "%s%s", i ? "," : "", rq->args[i]);
		strbuf_addf(&text, "\", \"state\": \"%s\"}",
			    !strcmp(rq->args[0], "slow")   ? "DETACHING" :
			    !strcmp(rq->args[0], "broken") ? "FAULTED" :
							     "FREE");
	} else if (!strcmp(rq->command, "status")) {
		/* Not at once: a change has to wait for it. */
		strbuf_addf(&text, "{\"engine\": {\"discovered\": %s}}",
			    n_status++ < 2 ? "false" : "true");
	} else if (!strcmp(rq->command, "leases")) {
		_exit(0); /* in the middle of a request */
	} else {
		(void)vfk_err_set(&err, VFK_E_NOTFOUND, 0, "no VF is called 'x'");
	}
	if (err.kind)
		ctl_call_error(call, &err);
	else
		ctl_call_json(call, text.data, text.len);
	strbuf_free(&text);
}

/* --- cases --- */

static void usage(void)
{
	static const struct {
		const char *line, *err;
	} rows[] = {
		{ "", "vfctl: no command" USAGE },
		{ "lst", "vfctl: unknown command lst" USAGE },
		{ "ping", "vfctl: unknown command ping" USAGE },
		{ "-x list", "vfctl: unknown option -x" USAGE },
		{ "--nonsense list", "vfctl: unknown option --nonsense" USAGE },
		{ "list -o", "vfctl: option -o needs a value" USAGE },
		{ "list -o xml", "vfctl: option -o takes table or json, not xml\n" },
		{ "list --force", "vfctl: list takes no --force\n" },
		{ "list --dot", "vfctl: list takes no --dot\n" },
		{ "list -n 1", "vfctl: list takes no -n\n" },
		{ "uncordon node --reason x", "vfctl: uncordon takes no --reason\n" },
		{ "cordon --reason x",
		  "vfctl: usage: vfctl cordon VF|PF|node [--reason TEXT]\n" },
		{ "list -v", "vfctl: list takes no -v\n" },
		{ "list --dialect sriov", "vfctl: list takes no --dialect\n" },
		{ "import --dialect rdma",
		  "vfctl: --dialect takes ib-sriov or sriov, not rdma\n" },
		{ "export 0000:3b:00.1",
		  "vfctl: usage: vfctl export [--dry-run] [--dialect NAME]\n" },
		{ "import -s /nowhere", "vfctl: import takes no -s\n" },
		{ "import --force", "vfctl: import takes no --force\n" },
		{ "history -n 0",
		  "vfctl: option -n takes a number from 1 to 1000000, not 0\n" },
		{ "history -n -1",
		  "vfctl: option -n takes a number from 1 to 1000000, not -1\n" },
		{ "history -n 1x",
		  "vfctl: option -n takes a number from 1 to 1000000, not 1x\n" },
		{ "list all", "vfctl: usage: vfctl list\n" },
		{ "show", "vfctl: usage: vfctl show VF\n" },
		{ "show a b c", "vfctl: usage: vfctl show VF\n" },
		{ "release --force", "vfctl: usage: vfctl release VF [--force]\n" },
		{ "release a b c --force", "vfctl: usage: vfctl release VF [--force]\n" },
		{ "show 1 2 3 4 5 6 7 8 9 10 11", "vfctl: usage: vfctl show VF\n" },
		{ "help nothing", "vfctl: unknown command nothing (see vfctl help)\n" },
		{ "fsm pf", "vfctl: unknown machine pf (there are vf, lease and port)\n" },
	};

	begin();
	for (size_t i = 0; i < VFK_ARRAY_SIZE(rows); i++)
		check(rows[i].line, 2, "", rows[i].err);
	setenv("VFKEEPER_ROOT", "relative", 1);
	check("list", 1, "", "vfctl: VFKEEPER_ROOT is not an absolute path\n");
	end();
}

static void help(void)
{
	begin();
	check("-h", 0, NULL, "");
	CU_ASSERT_EQUAL(strncmp(said.out, "Usage: vfctl ", 13), 0);
	check("help release", 0,
	      "Usage: vfctl release VF [--force]\n\n"
	      "  take a VF from its owner and make it free\n"
	      "  Needs an engine; where none answers one is started.\n",
	      "");
	check("release --help", 0, said.out, "");
	check("fsm vf -h", 0, NULL, "");
	CU_ASSERT_EQUAL(strncmp(said.out, "Usage: vfctl fsm ", 17), 0);
	end();
}

/* Needs neither engine nor journal. */
static void machines(void)
{
	begin();
	check("fsm", 0, NULL, "");
	CU_ASSERT_PTR_NOT_NULL(strstr(said.out, "Machine vf\n\nFREE\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(said.out, "\nMachine lease\n\nNONE\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(said.out, "\nMachine port\n\nUNKNOWN\n"));
	check("fsm --dot lease", 0, NULL, "");
	CU_ASSERT_EQUAL(strncmp(said.out, "digraph lease {\n", 16), 0);
	CU_ASSERT_PTR_NULL(strstr(said.out, "digraph vf"));
	check("fsm -o json port", 0, NULL, "");
	CU_ASSERT_PTR_NOT_NULL(strstr(said.out, "\"name\": \"port\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(said.out, "\"event\": \"DEVICE_FATAL\""));
	end();
}

static void from_the_engine(void)
{
	begin();
	make_dirs();
	play_engine(in_root("/run/vfkeeper/control.sock"), play);
	check("list", 0,
	      "ADDRESS       PF/VF           STATE  AGE   POD  CONTAINER  IFNAME  NETDEV  NOTE\n"
	      "0000:3b:00.2  0000:3b:00.0/1  FREE   1m1s  -    -          -       ib0v1   -\n",
	      "");
	check("-o json list", 0,
	      "{\"vfs\": [{\"address\": \"0000:3b:00.2\", \"pf\": \"0000:3b:00.0\", \"index\": "
	      "1, \"state\": \"FREE\", \"age_s\": 61, \"netdev\": \"ib0v1\"}]}\n",
	      "");
	check("show x", 1, "", "vfctl: no VF is called 'x'\n");
	check("release busy", 5, "", "vfctl: the journal is being rebuilt\n");
	check("release slow", 5, "slow is DETACHING\n",
	      "vfctl: the release is not over yet (vfctl explain slow)\n");
	check("release broken", 1, "broken is FAULTED\n",
	      "vfctl: the release failed (vfctl explain broken)\n");
	check("release --force pod a/b", 0, "pod,a/b,--force is FREE\n", "");
	check("release 0000:3b:00.2", 0, "0000:3b:00.2 is FREE\n", "");
	stop_engine();
	end();
}

static void versions(void)
{
	char line[128], expected[160];

	begin();
	make_dirs();
	check("-V", 0, "vfctl " VFK_VERSION "\n", "");
	check("version", 0, "vfctl   " VFK_VERSION "\nengine  none is running\n", "");
	play_engine(in_root("/run/vfkeeper/control.sock"), play);
	check("version", 0,
	      "vfctl   " VFK_VERSION "\nengine  9.9 (service, process 77)\n", "");
	stop_engine();
	/* A named socket is the only one that is asked. */
	snprintf(line, sizeof(line), "list -s %s/nowhere", root);
	snprintf(expected, sizeof(expected), "vfctl: no engine answers at %s/nowhere\n",
		 root);
	check(line, 1, "", expected);
	snprintf(line, sizeof(line), "release x -s %s/nowhere", root);
	check(line, 1, "", expected);
	play_engine(in_root("/other.sock"), play);
	snprintf(line, sizeof(line), "--socket %s/other.sock version", root);
	check(line, 0, "vfctl   " VFK_VERSION "\nengine  9.9 (service, process 77)\n", "");
	stop_engine();
	end();
}

#define OFFLINE "vfctl: no engine answers; reading the journal\n"

static void from_the_journal(void)
{
	begin();
	make_dirs();
	write_journal();
	check("list", 0, NULL, OFFLINE);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(said.out, "\n0000:3b:00.2  0000:3b:00.0/1  FREE   1m"));
	check("leases", 0, NULL, OFFLINE);
	CU_ASSERT_PTR_NOT_NULL(strstr(said.out, "\n5   HELD "));
	check("-o json show ib0v1", 0, NULL, OFFLINE);
	CU_ASSERT_PTR_NOT_NULL(strstr(said.out, "\"address\": \"0000:3b:00.2\""));
	check("status", 0, NULL, OFFLINE);
	CU_ASSERT_PTR_NOT_NULL(strstr(said.out, "  mode             none\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(said.out, "  verdict          clean\n"));
	check("show nobody", 1, "",
	      OFFLINE
	      "vfctl: no VF is called 'nobody' (a PCI address, PF/index, netdev, GUID, "
	      "CID/IFNAME or 'pod NAMESPACE/NAME' is)\n");
	end();
}

static void an_engine_that_ends(void)
{
	begin();
	make_dirs();
	write_journal();
	play_engine(in_root("/run/vfkeeper/control.sock"), play);
	check("leases", 0, NULL,
	      "vfctl: the engine closed the connection; reading the journal\n");
	CU_ASSERT_PTR_NOT_NULL(strstr(said.out, "\n5   HELD "));
	waitpid(engine, NULL, 0);
	end();
}

static void stories(void)
{
	static char by_address[65536];

	begin();
	make_dirs();
	write_journal();
	check("explain 0000:3b:00.2", 0, NULL, "");
	snprintf(by_address, sizeof(by_address), "%s", said.out);
	CU_ASSERT_EQUAL(strncmp(said.out, "VF 0000:3b:00.2 is FREE for 1m", 30), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(said.out, "  FREE -> RESERVED  [ADD]  (+1.0 s)\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(said.out, "    owner: pod default/web-0, network=ibnet "
						"container=cid0001 ifname=net1\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(said.out, "  lease 5  ASKED -> HELD  [ANSWERED]"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(said.out, "    cause: request, DEL cid0001/net1; then: RESTORE\n"));
	/* The pod is gone; the journal still knows it. */
	check("explain pod default/web-0", 0, by_address, "");
	check("explain cid0001/net1", 0, by_address, "");
	check("explain pod default/web-1", 1, "",
	      "vfctl: no VF is attached to pod default/web-1\n");
	check("explain 0000:3b:00.2 -o json", 0, NULL, "");
	CU_ASSERT_PTR_NOT_NULL(strstr(said.out, "\"event\": \"RESTORE_DONE\""));
	end();
}

static void no_journal(void)
{
	char expected[200];

	begin();
	snprintf(expected, sizeof(expected),
		 "vfctl: there is no journal in %s/var/lib/vfkeeper/journal\n", root);
	check("explain 0000:3b:00.2", 1, "", expected);
	make_dirs();
	check("explain 0000:3b:00.2", 1, "", expected);
	run("list");
	SUITE_INT(said.status, 1);
	SUITE_INT(strncmp(said.err, OFFLINE, strlen(OFFLINE)), 0);
	SUITE_STR(said.err + strlen(OFFLINE), expected);
	end();
}

/* Flips a bit where 'needle' stands for the first or last time in the journal's files. */
static void damage(const char *needle, bool last)
{
	static char bytes[1024 * 1024];
	size_t len = strlen(needle);

	for (int i = 0; i < 3; i++) {
		char name[128];
		ssize_t n, at = -1;
		int fd;

		snprintf(name, sizeof(name), "%s/var/lib/vfkeeper/journal/journal.%d",
			 root, i);
		fd = open(name, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		n = pread(fd, bytes, sizeof(bytes), 0);
		for (ssize_t k = 0; k + (ssize_t)len <= n; k++) {
			if (!memcmp(bytes + k, needle, len) && (last || at < 0))
				at = k;
		}
		if (at >= 0) {
			bytes[at] ^= 1;
			CU_ASSERT_EQUAL(pwrite(fd, bytes + at, 1, at), 1);
			close(fd);
			return;
		}
		close(fd);
	}
	CU_FAIL("what should be damaged was not found");
}

static void torn_journal(void)
{
	begin();
	make_dirs();
	write_journal();
	damage("DEL cid0001/net1", true);
	run("list");
	SUITE_INT(said.status, 3);
	/* What came before the tail is shown. */
	CU_ASSERT_PTR_NOT_NULL(
		strstr(said.out, "\n0000:3b:00.2  0000:3b:00.0/1  DETACHING  "));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(said.err, OFFLINE "vfctl: the journal has a torn tail: "));
	run("-o json status");
	SUITE_INT(said.status, 3);
	CU_ASSERT_PTR_NOT_NULL(strstr(said.out, "\"verdict\": \"torn\""));
	/* It may be a record that an engine is writing: the story is told all the same. */
	run("explain 0000:3b:00.2");
	SUITE_INT(said.status, 0);
	end();
}

static void damaged_journal(void)
{
	begin();
	make_dirs();
	write_journal();
	damage("ADD cid0001/net1", false);
	run("list");
	SUITE_INT(said.status, 4);
	CU_ASSERT_PTR_NOT_NULL(strstr(said.err,
				      OFFLINE "vfctl: the journal is damaged, this is "
					      "what is whole: "));
	CU_ASSERT_PTR_NOT_NULL(strstr(said.out, "\n0000:3b:00.2  0000:3b:00.0/1  FREE  "));
	run("explain 0000:3b:00.2");
	SUITE_INT(said.status, 4);
	CU_ASSERT_PTR_NOT_NULL(strstr(said.out, "RESERVED -> ATTACHED  [SETUP_DONE]"));
	CU_ASSERT_PTR_NULL(strstr(said.out, "FREE -> RESERVED"));
	end();
}

static void full_output(void)
{
	int status = 0;
	pid_t pid;

	begin();
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

		dup2(full, 1);
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 2);
		execl(vfctl, "vfctl", "fsm", (char *)NULL);
		_exit(126);
	}
	waitpid(pid, &status, 0);
	CU_ASSERT(WIFEXITED(status));
	SUITE_INT(WEXITSTATUS(status), 1);
	end();
}

/* --- starting an engine: a script beside a copy of vfctl plays it --- */

static void install_engine(const char *script)
{
	char line[1200];
	FILE *f;

	CU_ASSERT_EQUAL(mkdir(in_root("/bin"), 0700), 0);
	snprintf(line, sizeof(line), "cp %s %s/bin/vfctl", vfctl, root);
	CU_ASSERT_EQUAL_FATAL(system(line), 0);
	snprintf(vfctl, sizeof(vfctl), "%s/bin/vfctl", root);
	f = fopen(in_root("/bin/vfkeeper-engine"), "we");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fputs(script, f);
	CU_ASSERT_EQUAL(fclose(f), 0);
	CU_ASSERT_EQUAL(chmod(in_root("/bin/vfkeeper-engine"), 0700), 0);
}

static void engine_says_why_not(void)
{
	begin();
	install_engine(
		"#!/bin/sh\necho \"/etc/vfkeeper.conf:3: unknown key $1 $2 $3 $4\" >&4\n");
	check("release 0000:3b:00.2", 1, "",
	      "vfctl: cannot start an engine: /etc/vfkeeper.conf:3: unknown key --start-fd 3 "
	      "--ready-fd 4\n");
	end();
}

static void engine_dies(void)
{
	begin();
	install_engine("#!/bin/sh\nexit 3\n");
	check("release 0000:3b:00.2", 1, "",
	      "vfctl: 5 engines ended before they were ready\n");
	end();
}

/* What the engine gets: the lock on descriptor 3, a session, an environment of two kinds of
 * variables, nothing of the caller's descriptors. */
static void engine_gets(void)
{
	char text[1024] = "";
	FILE *f;

	begin();
	install_engine(
		"#!/bin/sh\n"
		"env | grep -vE '^(PWD|SHLVL|OLDPWD|_)=' | sed 's/=.*//' | sort | tr '\\n' ' ' "
		">$VFKEEPER_ROOT/env\n"
		"flock -n $VFKEEPER_ROOT/run/vfkeeper/start true && echo free >"
		"$VFKEEPER_ROOT/lock || echo held >$VFKEEPER_ROOT/lock\n"
		"[ \"$(cut -d' ' -f6 /proc/$$/stat)\" != \"$TEST_SESSION\" ] && pwd "
		">$VFKEEPER_ROOT/pwd\n"
		/* Not at the head of a pipe: the shell has pipes open while it makes one. */
		"ls /proc/$$/fd >$VFKEEPER_ROOT/all\n"
		"grep -vxE '10|11|255' $VFKEEPER_ROOT/all | sort -n | tr '\\n' ' ' "
		">$VFKEEPER_ROOT/fds\n"
		"echo no >&4\n");
	setenv("CNI_CONTAINERID", "secret", 1);
	CU_ASSERT_EQUAL(dup2(0, 7), 7); /* inherited by vfctl, not by the engine */
	check("release 0000:3b:00.2", 1, "", "vfctl: cannot start an engine: no\n");
	unsetenv("CNI_CONTAINERID");
	close(7);
	f = fopen(in_root("/env"), "re");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_PTR_NOT_NULL(fgets(text, sizeof(text), f));
	fclose(f);
	SUITE_STR(text, "PATH VFKEEPER_ROOT ");
	f = fopen(in_root("/lock"), "re");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_PTR_NOT_NULL(fgets(text, sizeof(text), f));
	fclose(f);
	SUITE_STR(text, "held\n");
	f = fopen(in_root("/pwd"), "re");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_PTR_NOT_NULL(fgets(text, sizeof(text), f));
	fclose(f);
	SUITE_STR(text, "/\n");
	f = fopen(in_root("/fds"), "re");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_PTR_NOT_NULL(fgets(text, sizeof(text), f));
	fclose(f);
	/* 10 or 255 is the shell's own, of its script; 11 its stdout, put aside. */
	SUITE_STR(text, "0 1 2 3 4 ");
	end();
}

/* Somebody else is starting one: wait for that, do not start a second. */
static void engine_by_another(void)
{
	int start;

	begin();
	make_dirs();
	install_engine("#!/bin/sh\ntouch $VFKEEPER_ROOT/started\necho no >&4\n");
	start = open(in_root("/run/vfkeeper/start"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CU_ASSERT_EQUAL_FATAL(flock(start, LOCK_EX | LOCK_NB), 0);
	fflush(stdout);
	engine = fork();
	if (engine == 0) {
		struct vfk_err err = { 0 };
		struct ctl_server *s;
		struct loop *loop;

		usleep(300000);
		if (loop_new(&loop, &err) < 0 ||
		    ctl_server_open(&s, loop, in_root("/run/vfkeeper/control.sock"),
				    geteuid(), play, NULL, &err) < 0)
			_exit(1);
		_exit(loop_run(loop, &err) < 0);
	}
	check("release x", 0, "x is FREE\n", "");
	SUITE_INT(access(in_root("/started"), F_OK), -1);
	close(start);
	stop_engine();
	end();
}

VFK_SUITE(vfctl, { "wrong words end in one line and status 2", usage },
	  { "help is for all and for one command", help },
	  { "the state machines need no engine", machines },
	  { "answers and errors are the engine's", from_the_engine },
	  { "version and socket", versions },
	  { "without an engine the journal answers, and that is said", from_the_journal },
	  { "an engine that ends in the middle is replaced by the journal",
	    an_engine_that_ends },
	  { "explain tells of VFs, and of pods that are gone", stories },
	  { "no journal is said in one line", no_journal },
	  { "a torn tail gives status 3 and what came before it", torn_journal },
	  { "a damaged journal gives status 4 and what is whole", damaged_journal },
	  { "an output that cannot be written gives status 1", full_output },
	  { "an engine that cannot start says why", engine_says_why_not },
	  { "an engine that dies again and again is given up", engine_dies },
	  { "a started engine gets the lock, a session and nothing else", engine_gets },
	  { "an engine that somebody else starts is waited for", engine_by_another })
