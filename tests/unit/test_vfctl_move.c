/* SPDX-License-Identifier: Apache-2.0 */
/* vfctl import and export against an engine that this test plays: that whatever is left out is
 * said.  What they do is the matter of tests/netns. */
#include "vfctl_rig.h"

#define KEEPS " -> it stays vfkeeper's: drain its pod, or mend that, and export again\n"

/* Nobody's namespace has the first number. */
#define FILE_OF(vf, text)                                                                \
	"{\"vf\": \"" vf "\", \"container\": \"c1\", \"ifname\": \"net1\", \"plugin\": " \
	"\"sriov\", \"attach_seq\": 7, \"netns_cookie\": 1, \"text\": " text             \
	", \"refused\": null}"

static void play(void *arg, struct ctl_call *call, const struct ctl_request *rq)
{
	struct vfk_err err = { 0 };
	const char *text = "{}";

	(void)arg;
	if (!strcmp(rq->command, "export-list"))
		text = "{\"files\": [" FILE_OF("0000:3b:00.1",
					       "null") "," FILE_OF("0000:3b:00.2",
								   "\"{}\"") "], \"under_way\": [\"0000:3b:00.3\"]}";
	else if (!strcmp(rq->command, "export-done"))
		_exit(3); /* it must not come to that */
	else if (!strcmp(rq->command, "import-done"))
		(void)vfk_err_set(&err, VFK_E_BUSY, 0, "the journal is being rebuilt");
	if (err.kind)
		ctl_call_error(call, &err);
	else
		ctl_call_json(call, text, strlen(text));
}

static void left_of_an_export(void)
{
	begin();
	make_dirs();
	play_engine(in_root("/run/vfkeeper/control.sock"), play);
	check("export", 1,
	      "left         0000:3b:00.1: the engine sent no file for it" KEEPS
	      "left         0000:3b:00.2: the network namespace of its pod is not to be "
	      "found" KEEPS
	      "left         0000:3b:00.3: it is being attached or released, or is FAULTED -> "
	      "vfctl explain tells what is wrong\n"
	      "0 exported, 3 left as they were\n",
	      "vfctl: 3 VFs were left as they were\n");
	check("export --dry-run -o json", 1, NULL, NULL);
	CU_ASSERT_PTR_NOT_NULL(strstr(said.out, "\"dry_run\": true"));
	CU_ASSERT_PTR_NOT_NULL(strstr(said.out, "\"exported\": 0"));
	CU_ASSERT_PTR_NOT_NULL(strstr(said.out, "\"left\": 3"));
	stop_engine();
	end();
}

/* Files that are none, and an engine that fails at the end: what was done is said all the same. */
static void left_of_an_import(void)
{
	char path[256], out[600];

	begin();
	make_dirs();
	CU_ASSERT_FATAL(mkdir(in_root("/var/lib/cni"), 0700) == 0);
	CU_ASSERT_FATAL(mkdir(in_root("/var/lib/cni/ib-sriov"), 0700) == 0);
	snprintf(path, sizeof(path), "%s", in_root("/var/lib/cni/ib-sriov/c1-net1"));
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	play_engine(in_root("/run/vfkeeper/control.sock"), play);
	snprintf(out, sizeof(out),
		 "left         %s: it is empty -> nothing can be taken from it: see whose it "
		 "was, then remove it\n"
		 "0 imported, 1 left as they were\n",
		 path);
	check("import", 5, out, "vfctl: the journal is being rebuilt\n");
	snprintf(path, sizeof(path), "%s", in_root("/var/lib/cni/sriov"));
	CU_ASSERT_FATAL(symlink("sriov", path) == 0);
	check("import --dialect sriov", 1, "", NULL);
	snprintf(out, sizeof(out), "vfctl: list %s: ELOOP\n", path);
	SUITE_STR(said.err, out);
	stop_engine();
	end();
}

VFK_SUITE(vfctl_move, { "an export says of each VF why it is left", left_of_an_export },
	  { "an import says what it did when its end fails", left_of_an_import })
