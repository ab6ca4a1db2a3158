/* SPDX-License-Identifier: Apache-2.0 */
#include "view_rig.h"

/* The answer to a command, as JSON or as text; "!" and the line of an error. */
static const char *answer(const struct view *v, bool as_text, const char *command,
			  const char *word1, const char *word2)
{
	static struct strbuf out;
	struct ctl_request rq = { .version = CTL_VERSION };
	struct vfk_err err = { 0 };
	char *json = NULL;
	int rc;

	strbuf_free(&out);
	snprintf(rq.command, sizeof(rq.command), "%s", command);
	if (word1)
		snprintf(rq.args[rq.n_args++], sizeof(rq.args[0]), "%s", word1);
	if (word2)
		snprintf(rq.args[rq.n_args++], sizeof(rq.args[0]), "%s", word2);
	rc = view_command(v, &rq, &json, &err);
	if (rc == 0 && as_text)
		rc = view_text(&out, command, json, strlen(json), &err);
	else if (rc == 0)
		strbuf_adds(&out, json);
	free(json);
	if (rc < 0)
		strbuf_addf(&out, "!%s", err.msg);
	return out.data ? out.data : "";
}

/* --- names --- */

/* The address of who is found, or "!" and the error. */
static const char *found(const struct node *n, const char *word1, const char *word2)
{
	static char said[512];
	const char *words[2] = { word1, word2 };
	struct vfk_err err = { 0 };
	const struct vf *vf = NULL;

	if (view_find(n, words, word2 ? 2 : 1, &vf, &err) < 0)
		snprintf(said, sizeof(said), "!%d %s", (int)err.kind, err.msg);
	else
		pci_format(vf->rec.addr, said);
	return said;
}

static void every_way_to_name(void)
{
	struct node n;

	build(&n);
	SUITE_STR(found(&n, "0000:3b:00.2", NULL), "0000:3b:00.2");
	SUITE_STR(found(&n, "0000:3B:00.2", NULL), "0000:3b:00.2");
	SUITE_STR(found(&n, "0000:3b:00.0/1", NULL), "0000:3b:00.2");
	SUITE_STR(found(&n, "ib0/1", NULL), "0000:3b:00.2");
	SUITE_STR(found(&n, "ib0v1", NULL), "0000:3b:00.2");
	SUITE_STR(found(&n, "mlx5_2", NULL), "0000:3b:00.2");
	SUITE_STR(found(&n,
			"001122000"
			"0003b02",
			NULL),
		  "0000:3b:00.2");
	SUITE_STR(found(&n, "00:11:22:00:00:00:3b:02", NULL), "0000:3b:00.2");
	SUITE_STR(found(&n, "0xfeed0000cafe0001", NULL), "0000:3b:00.2");
	SUITE_STR(found(&n, "FE:ED:00:00:CA:FE:00:01", NULL), "0000:3b:00.2");
	SUITE_STR(found(&n, "02:00:00:00:00:03", NULL), "0000:3b:00.3");
	SUITE_STR(found(&n, CID_A "/net1", NULL), "0000:3b:00.2");
	SUITE_STR(found(&n, "aaaaaaaaaaaabbbb/net1", NULL), "0000:3b:00.2");
	SUITE_STR(found(&n, "pod", "default/web-0"), "0000:3b:00.2");
	node_fini(&n);
}

static void names_of_nobody(void)
{
	struct node n;

	build(&n);
	SUITE_STR(found(&n, "0000:3b:1f.7", NULL),
		  "!12 no VF is called '0000:3b:1f.7' (a PCI address, PF/index, netdev, GUID, "
		  "CID/IFNAME or 'pod NAMESPACE/NAME' is)");
	SUITE_STR(found(&n, "pod", "default/web-1"),
		  "!12 no VF is attached to pod default/web-1");
	SUITE_STR(found(&n, "pod", "default/web"),
		  "!12 no VF is attached to pod default/web");
	SUITE_STR(found(&n, "pod", "web-0"),
		  "!3 a pod is named NAMESPACE/NAME, not 'web-0'");
	SUITE_STR(found(&n, "pot", "default/web-0"),
		  "!3 a VF is named by one word or by 'pod NAMESPACE/NAME'");
	SUITE_INT(found(&n, "ib0/9", NULL)[0], '!');
	SUITE_INT(found(&n, "ib0/99999999999999999999", NULL)[0], '!');
	SUITE_INT(found(&n, "ib0/-1", NULL)[0], '!');
	SUITE_INT(found(&n, "", NULL)[0], '!');
	SUITE_INT(found(&n, "/", NULL)[0], '!');
	SUITE_INT(found(&n, "/net1", NULL)[0], '!');
	SUITE_INT(found(&n, CID_A "/net2", NULL)[0], '!');
	SUITE_INT(found(&n, "aaaaa/net1", NULL)[0], '!'); /* too short a beginning */
	SUITE_INT(found(&n, "00:11:22:00:00:00:3b", NULL)[0], '!');
	SUITE_INT(found(&n, "00:11:22:00:00:00:3b:02:", NULL)[0], '!');
	node_fini(&n);
}

static void names_of_several(void)
{
	struct node n;
	struct vf *vf;

	build(&n);
	SUITE_STR(found(&n, "ib0v0", NULL),
		  "!3 'ib0v0' names 2 VFs: 0000:3b:00.1, 0000:3c:00.1");
	SUITE_STR(found(&n, "aaaaaaaaaaaa/net1", NULL),
		  "!3 'aaaaaaaaaaaa/net1' names 2 VFs: 0000:3b:00.2, 0000:3b:00.3");
	/* A whole container ID is never a beginning of another. */
	vf = node_vf(&n, PF_A + 2);
	snprintf(vf->rec.owner.container, sizeof(vf->rec.owner.container), CID_B "55");
	SUITE_STR(found(&n, CID_B "/net1", NULL), "0000:3b:00.3");
	for (unsigned i = 0x20; i < 0x30; i++)
		own(add(&n, PF_A + i, i, VF_ATTACHED), CID_A, "net1", "default", "many");
	SUITE_STR(found(&n, "pod", "default/many"),
		  "!3 'default/many' names 16 VFs: 0000:3b:04.0, 0000:3b:04.1, 0000:3b:04.2, "
		  "0000:3b:04.3, 0000:3b:04.4, 0000:3b:04.5, ...");
	node_fini(&n);
}

/* --- text --- */

static void ages(void)
{
	char buf[24];

	SUITE_STR(view_age(-5, buf), "0s");
	SUITE_STR(view_age(0, buf), "0s");
	SUITE_STR(view_age(59, buf), "59s");
	SUITE_STR(view_age(60, buf), "1m0s");
	SUITE_STR(view_age(182, buf), "3m2s");
	SUITE_STR(view_age(3600, buf), "1h0m");
	SUITE_STR(view_age(86400 + 3 * 3600 + 59, buf), "1d3h");
	SUITE_STR(view_age(INT64_MAX, buf), "67300d15h");
}

static void list_text(void)
{
	struct node n;
	struct view v;

	build(&n);
	v = view_at(&n, 182, true);
	SUITE_STR(answer(&v, true, "list", NULL, NULL),
		  "ADDRESS       PF/VF           STATE     AGE   POD                     "
		  "CONTAINER      IFNAME  NETDEV  NOTE\n"
		  "0000:3b:00.1  ib0/0           FREE      3m2s  -                       "
		  "-              -       ib0v0   -\n"
		  "0000:3b:00.2  ib0/1           ATTACHED  3m2s  default/web-0           "
		  "aaaaaaaaaaaab  net1    ib0v1   -\n"
		  "0000:3b:00.3  ib0/2           FAULTED   3m2s  kube-system/job-x?[31m  "
		  "aaaaaaaaaaaa9  net1    ib0v2   link_home: kernel refused: EBUSY\n"
		  "0000:3c:00.1  0000:3c:00.0/0  FAULTED   3m2s  -                       "
		  "-              -       ib0v0   used by somebody else\n");
	node_fini(&n);
}

static void leases_text(void)
{
	struct node n;
	struct view v;

	build(&n);
	v = view_at(&n, 10, true);
	SUITE_STR(answer(&v, true, "leases", NULL, NULL),
		  "ID  STATE  AGE    PLUGIN      POD            CONTAINER      IFNAME  VF"
		  "            ATTEMPTS  LAST ERROR\n"
		  "7   HELD   10s    host-local  default/web-0  aaaaaaaaaaaab  net1    "
		  "0000:3b:00.2  0         -\n"
		  "9   OWED   1m50s  static      -              -              -       "
		  "0000:3b:00.1  3         exit code 1\n");
	node_fini(&n);
}

static void empty_texts(void)
{
	struct node n;
	struct view v;

	node_init(&n);
	v = view_at(&n, 0, true);
	SUITE_STR(answer(&v, true, "list", NULL, NULL),
		  "ADDRESS  PF/VF  STATE  AGE  POD  CONTAINER  IFNAME  NETDEV  NOTE\n");
	SUITE_STR(answer(&v, false, "list", NULL, NULL), "{\n  \"vfs\": []\n}\n");
	SUITE_STR(answer(&v, false, "leases", NULL, NULL), "{\n  \"leases\": []\n}\n");
	node_fini(&n);
}

static void status_text(void)
{
	struct node n;
	struct view v;

	build(&n);
	v = view_at(&n, 0, true);
	SUITE_STR(answer(&v, true, "status", NULL, NULL),
		  "engine\n"
		  "  mode             service\n"
		  "  version          0.1.0\n"
		  "  pid              42\n"
		  "  uptime           1m35s\n"
		  "  boot_id          b1\n"
		  "  discovered       yes\n"
		  "  jobs_running     2\n"
		  "  jobs_waiting     0\n"
		  "  requests         0\n"
		  "  clients          0\n"
		  "  refused_events   0\n"
		  "  looks            0\n"
		  "  port_changes     0\n"
		  "  port_failures    0\n"
		  "journal\n"
		  "  verdict          clean\n"
		  "  works            yes\n"
		  "  records_missing  no\n"
		  "  last_seq         812\n"
		  "  durable_upto     800\n"
		  "vfs\n"
		  "  FREE             1\n"
		  "  RESERVED         0\n"
		  "  ATTACHED         1\n"
		  "  DETACHING        0\n"
		  "  FAULTED          2\n"
		  "  ABSENT           0\n"
		  "leases\n"
		  "  ASKED            0\n"
		  "  HELD             1\n"
		  "  OWED             1\n"
		  "pfs\n"
		  "  address=0000:3b:00.0 netdev=ib0 driver=sim n_vfs=3 ports=ACTIVE\n");
	node_fini(&n);
}

static void status_warns(void)
{
	struct view v;
	struct node n;
	const char *text;

	build(&n);
	v = view_at(&n, 0, true);
	CU_ASSERT_PTR_NULL(strstr(answer(&v, true, "status", NULL, NULL), "warnings"));
	n.pfs[0].n_ports = 2;
	n.pfs[0].ports[0] = PORT_DOWN;
	n.pfs[0].ports[1] = PORT_FATAL;
	text = answer(&v, true, "status", NULL, NULL);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(text,
		       "warnings\n  port 1 of PF 0000:3b:00.0 (ib0) is DOWN: its VFs have no "
		       "network behind it\n  port 2 of PF 0000:3b:00.0 (ib0) is FATAL: no ADD "
		       "is served on its VFs\n"));
	node_fini(&n);
}

static void status_more(void)
{
	static const char some[] =
		"{\"events\": [{\"source\": \"rtnl\", \"open\": true, \"events\": 12, "
		"\"overruns\": 1}, {\"source\": \"u\\u001b\", \"open\": false, "
		"\"events\": 0, \"overruns\": 0, \"why\": \"nobody asked\"}]}";
	struct vfk_err err = { 0 };
	struct strbuf out = { 0 };

	SUITE_INT(view_status_more(&out, some, strlen(some), &err), 0);
	SUITE_STR(out.data, "\nSOURCE  OPEN  EVENTS  OVERRUNS  WHY NOT\n"
			    "rtnl    yes   12      1         -\n"
			    "u?      no    0       0         nobody asked\n");
	strbuf_free(&out);
	SUITE_INT(view_status_more(&out, "{}", 2, &err), 0);
	SUITE_STR(out.data, "\nno engine listens to events\n");
	SUITE_INT(view_status_more(&out, "{", 1, &err), -VFK_E_DECODE);
	strbuf_free(&out);
}

static void broken_journal(void)
{
	struct view_status broken = facts;
	struct node n;
	struct view v;

	build(&n);
	n.rec.records_missing = true;
	snprintf(n.rec.missing_reason, sizeof(n.rec.missing_reason),
		 "the journal was rebuilt");
	v = view_at(&n, 0, true);
	broken.broken = "journal cannot be written: ENOSPC";
	v.status = &broken;
	CU_ASSERT_PTR_NOT_NULL(strstr(answer(&v, true, "status", NULL, NULL),
				      "  works            no\n"
				      "  broken           journal cannot be written: ENOSPC\n"
				      "  records_missing  yes\n"
				      "  missing_reason   the journal was rebuilt\n"));
	node_fini(&n);
}

static void show_text(void)
{
	struct node n;
	struct view v;

	build(&n);
	v = view_at(&n, 5, false);
	SUITE_STR(answer(&v, true, "show", "0000:3b:00.3", NULL),
		  "address          0000:3b:00.3\n"
		  "pf               0000:3b:00.0\n"
		  "pf_netdev        ib0\n"
		  "index            2\n"
		  "driver           sim\n"
		  "state            FAULTED\n"
		  "since            2025-11-22T18:03:48.123Z\n"
		  "age              5s\n"
		  "pod              namespace=kube-system name=job-x?[31m\n"
		  "owner            network=ibnet container=aaaaaaaaaaaa9999 ifname=net1\n"
		  "netdev           ib0v2\n"
		  "guid             00:11:22:00:00:00:3b:03\n"
		  "mac              02:00:00:00:00:03\n"
		  "foreign          no\n"
		  "reason           link_home: kernel refused: EBUSY\n"
		  "plan             kind=detach begun=link_home, settings_home done=settings_home "
		  "to_undo=- attempts=8\n"
		  "wanted           -\n"
		  "baseline         port_guid=00:11:22:00:00:00:3b:03 mac=02:00:00:00:00:03 "
		  "netdev=ib0v2 rdma_device=mlx5_3\n"
		  "incarnation      0x0\n"
		  "last             event=? time=2025-11-22T18:03:48.123Z cause=unknown\n");
	SUITE_STR(answer(&v, true, "show", "nobody", NULL),
		  "!no VF is called 'nobody' (a PCI address, PF/index, netdev, GUID, CID/IFNAME or "
		  "'pod NAMESPACE/NAME' is)");
	node_fini(&n);
}

/* --- JSON --- */

static void list_json(void)
{
	json_t *doc, *vf;
	struct node n;
	struct view v;

	build(&n);
	n.vfs[1]->retry_at_ns = 101500 * MS;
	n.vfs[1]->stuck = true;
	v = view_at(&n, 182, true);
	doc = json_loads(answer(&v, false, "list", NULL, NULL), 0, NULL);
	SUITE_INT(json_array_size(json_object_get(doc, "vfs")), 4);
	vf = json_array_get(json_object_get(doc, "vfs"), 1);
	SUITE_STR(json_string_value(json_object_get(vf, "address")), "0000:3b:00.2");
	SUITE_STR(json_string_value(json_object_get(vf, "state")), "ATTACHED");
	SUITE_STR(json_string_value(json_object_get(vf, "guid")),
		  "fe:ed:00:00:ca:fe:00:01");
	SUITE_STR(json_string_value(json_object_get(vf, "since")),
		  "2025-11-22T18:03:48.123Z");
	SUITE_INT(json_integer_value(json_object_get(vf, "age_s")), 182);
	SUITE_INT(json_integer_value(json_object_get(vf, "lease")), 7);
	CU_ASSERT(json_is_true(json_object_get(vf, "stuck")));
	CU_ASSERT_DOUBLE_EQUAL(json_number_value(json_object_get(vf, "retry_in_s")), 1.5,
			       0.001);
	SUITE_STR(json_string_value(
			  json_object_get(json_object_get(vf, "owner"), "container")),
		  CID_A);
	vf = json_array_get(json_object_get(doc, "vfs"), 0);
	CU_ASSERT(json_is_null(json_object_get(vf, "owner")));
	CU_ASSERT(json_is_null(json_object_get(vf, "pod")));
	json_decref(doc);
	/* Without an engine nothing is said that only an engine knows. */
	v = view_at(&n, 182, false);
	doc = json_loads(answer(&v, false, "list", NULL, NULL), 0, NULL);
	vf = json_array_get(json_object_get(doc, "vfs"), 1);
	CU_ASSERT_PTR_NULL(json_object_get(vf, "stuck"));
	json_decref(doc);
	node_fini(&n);
}

/* Names of pods come from CNI_ARGS: any bytes. */
static void odd_bytes(void)
{
	struct node n;
	struct view v;

	build(&n);
	own(n.vfs[1], CID_A, "net1", "de\xff\xfe", "w\"\\\n");
	v = view_at(&n, 0, true);
	CU_ASSERT_PTR_NOT_NULL(strstr(answer(&v, true, "list", NULL, NULL), "  de?"
									    "?/w\"\\?  "));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(answer(&v, false, "list", NULL, NULL), "\"w\\\"\\\\\\n\""));
	node_fini(&n);
}

static void only_reading_commands(void)
{
	struct node n;
	struct view v;

	build(&n);
	v = view_at(&n, 0, true);
	SUITE_STR(answer(&v, false, "release", "0000:3b:00.2", NULL),
		  "!release is not answered here");
	SUITE_STR(answer(&v, false, "nonsense", NULL, NULL), "!unknown command nonsense");
	CU_ASSERT_PTR_NOT_NULL(
		strstr(answer(&v, false, "version", NULL, NULL), "\"pid\": 42"));
	node_fini(&n);
}

static void bad_answers(void)
{
	struct strbuf out = { 0 };
	struct vfk_err err = { 0 };

	SUITE_INT(view_text(&out, "list", "{", 1, &err), -VFK_E_DECODE);
	CU_ASSERT_EQUAL(strncmp(err.msg, "the engine's answer is not JSON: ", 33), 0);
	/* JSON of another shape gives empty cells, never a fault. */
	CU_ASSERT_EQUAL(view_text(&out, "list", "{\"vfs\":[{}]}", 12, &err), 0);
	CU_ASSERT_EQUAL(view_text(&out, "list", "[]", 2, &err), 0);
	CU_ASSERT_EQUAL(view_text(&out, "explain", "{\"story\":[{}]}", 14, &err), 0);
	CU_ASSERT_EQUAL(view_text(&out, "version", "{}", 2, &err), 0);
	CU_ASSERT_EQUAL(view_text(&out, "release", "{}", 2, &err), 0);
	CU_ASSERT_EQUAL(view_text(&out, "status", "{\"pfs\":[1]}", 11, &err), 0);
	strbuf_free(&out);
}

/* --- the list of commands --- */

static void commands(void)
{
	struct ctl_request rq = { .version = CTL_VERSION };
	const struct ctl_cmd *cmd = NULL;
	struct vfk_err err = { 0 };

	for (size_t i = 0; i < CTL_N_CMDS; i++) {
		SUITE_INT(ctl_cmds[i].id, i);
		CU_ASSERT_PTR_EQUAL(ctl_cmd_find(ctl_cmds[i].name), &ctl_cmds[i]);
		CU_ASSERT(ctl_cmds[i].min_args <= ctl_cmds[i].max_args);
		CU_ASSERT(ctl_cmds[i].max_args < CTL_MAX_ARGS);
		CU_ASSERT(strlen(ctl_cmds[i].name) < sizeof(rq.command));
	}
	CU_ASSERT_PTR_NULL(ctl_cmd_find("lis"));
	snprintf(rq.command, sizeof(rq.command), "show");
	SUITE_INT(ctl_cmd_check(&rq, &cmd, &err), -VFK_E_USAGE);
	SUITE_STR(err.msg, "usage: show VF");
	rq.n_args = 1;
	SUITE_INT(ctl_cmd_check(&rq, &cmd, &err), 0);
	SUITE_INT(cmd->id, CTL_CMD_SHOW);
	rq.n_args = 3;
	SUITE_INT(ctl_cmd_check(&rq, &cmd, &err), -VFK_E_USAGE);
	snprintf(rq.command, sizeof(rq.command), "fsm");
	rq.n_args = 0;
	SUITE_INT(ctl_cmd_check(&rq, &cmd, &err), -VFK_E_USAGE);
	SUITE_STR(err.msg, "unknown command fsm");
	snprintf(rq.command, sizeof(rq.command), "give-way");
	SUITE_INT(ctl_cmd_check(&rq, &cmd, &err), 0);
}

VFK_SUITE(view, { "a VF is found by each of its names", every_way_to_name },
	  { "names of nobody are refused in one line", names_of_nobody },
	  { "names of several are refused with their addresses", names_of_several },
	  { "ages are short", ages }, { "the list is an aligned table", list_text },
	  { "the leases are an aligned table", leases_text },
	  { "nothing gives a heading alone", empty_texts },
	  { "status tells engine, journal and counts", status_text },
	  { "status warns of ports that do not work", status_warns },
	  { "status -v adds what the engine listens to", status_more },
	  { "status tells a broken journal and missing records", broken_journal },
	  { "show tells all of one VF", show_text },
	  { "the list as JSON has every fact, the engine's own only from an engine",
	    list_json },
	  { "bytes that are no text harm neither JSON nor terminal", odd_bytes },
	  { "only reading commands are answered by the views", only_reading_commands },
	  { "an answer of another shape is no fault", bad_answers },
	  { "the list of commands is sound and checks requests", commands })
