/* SPDX-License-Identifier: Apache-2.0 */
/* vfkeeper, ib-sriov, sriov: what a CNI caller executes.  See vfkeeper(8). */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/paths.h"
#include "vfkeeper/answer.h"
#include "vfkeeper/leave.h"
#include "vfkeeper/request.h"
#include "vfkeeper/session.h"

#ifndef VFK_VERSION
#define VFK_VERSION "unknown"
#endif

static const struct verb_row {
	const char *text;
	enum cni_verb verb;
	int64_t deadline_ms;
} verbs[] = {
	{ "ADD", CNI_ADD, 115 * 1000 },	   { "DEL", CNI_DEL, 8 * 1000 },
	{ "CHECK", CNI_CHECK, 60 * 1000 }, { "GC", CNI_GC, 60 * 1000 },
	{ "STATUS", CNI_STATUS, 1000 },
};

static enum cni_dialect dialect_of(const char *argv0)
{
	const char *slash = strrchr(argv0, '/');
	const char *name = slash ? slash + 1 : argv0;

	if (!strcmp(name, "ib-sriov"))
		return DIALECT_IB_SRIOV;
	return strcmp(name, "sriov") ? DIALECT_VFKEEPER : DIALECT_SRIOV;
}

static int for_people(const char *arg)
{
	static const char help[] =
		"usage: CNI_COMMAND=VERB ... vfkeeper < configuration\n"
		"       vfkeeper --help | --version\n"
		"\n"
		"A CNI plugin for SR-IOV virtual functions: a container runtime runs "
		"it.\n"
		"To look at VFs use vfctl; see vfkeeper(8).\n";
	static const char version[] = "vfkeeper " VFK_VERSION "\n";

	if (!strcmp(arg, "--help"))
		return answer_text(help, sizeof(help) - 1, 0);
	if (!strcmp(arg, "--version"))
		return answer_text(version, sizeof(version) - 1, 0);
	dprintf(STDERR_FILENO, "vfkeeper: unknown argument '%s' (see --help)\n", arg);
	return 2;
}

static int unknown_verb(const char *text)
{
	char msg[256];

	snprintf(msg, sizeof(msg), "unknown CNI_COMMAND: %s", text);
	return answer_error(4, msg);
}

static int64_t deadline_ms(const struct verb_row *row)
{
	const char *root = getenv("VFKEEPER_ROOT");
	const char *shorter = getenv("VFKEEPER_CLIENT_DEADLINE_MS");
	long long ms = root && *root && shorter ? strtoll(shorter, NULL, 10) : 0;

	return ms > 0 && ms < row->deadline_ms ? ms : row->deadline_ms;
}

/* No engine answered.  A DEL is kept all the same: the caller may never come again. */
static int unanswered(const struct request *rq, int64_t deadline_ns,
		      const struct vfk_err *err)
{
	char msg[sizeof(err->msg) * 2 + 64];
	struct vfk_err kept;
	int rc;

	if (rq->frame.verb == CNI_STATUS)
		return answer_error(50, err->msg);
	if (rq->frame.verb != CNI_DEL)
		return answer_error(11, err->msg);
	rc = leave_del(rq, deadline_ns, &kept);
	if (rc == 0)
		snprintf(msg, sizeof(msg),
			 "%s; the DEL is kept and will be carried out (spool)", err->msg);
	else if (rc == -VFK_E_TIMEOUT)
		snprintf(msg, sizeof(msg), "%s; the DEL is still being written (spool): %s",
			 err->msg, kept.msg);
	else
		snprintf(msg, sizeof(msg), "%s; the DEL could not be kept (spool): %s",
			 err->msg, kept.msg);
	return answer_error(11, msg);
}

static int serve(const struct verb_row *row, const char *argv0, int64_t began_ns)
{
	int64_t whole_ms = deadline_ms(row), allowed_ms = whole_ms, until_ns;
	struct request rq = { .fds = { -1, -1, -1 } };
	struct vfk_err err;
	int rc;

	if (row->verb == CNI_DEL)
		allowed_ms -= whole_ms / 8; /* time to write it down */
	until_ns = began_ns + allowed_ms * NS_PER_MS;
	if (!request_fill_std_fds())
		return answer_error(5, "standard input is closed");
	if (paths_check(&err) < 0 || request_gather(&rq, row->verb, row->text,
						    dialect_of(argv0), until_ns, &err) < 0)
		return answer_error(vfk_err_cni_code(err.kind), err.msg);
	rc = session_run(&rq, until_ns, allowed_ms, &err);
	return rc < 0 ? unanswered(&rq, began_ns + whole_ms * NS_PER_MS, &err) : rc;
}

int main(int argc, char **argv)
{
	int64_t began_ns = clock_boot_ns();
	const char *verb = getenv("CNI_COMMAND");

	signal(SIGPIPE, SIG_IGN);
	if (verb && !strcmp(verb, "VERSION"))
		return answer_version();
	if (!verb || !*verb)
		return argc > 1 ? for_people(argv[1]) :
				  answer_error(4, "required env variables [CNI_COMMAND] "
						  "missing");
	/* A caller's SIG_IGN would make the end of a plugin unreadable. */
	signal(SIGCHLD, SIG_DFL);
	for (size_t i = 0; i < VFK_ARRAY_SIZE(verbs); i++)
		if (!strcmp(verb, verbs[i].text))
			return serve(&verbs[i], argc > 0 ? argv[0] : "", began_ns);
	return unknown_verb(verb);
}
