/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated device: description, settings, faults.  Links: test_sim_link. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "io/inflight.h"
#include "io/spawner.h"
#include "simlab.h"

#define NO_LINKS "[sim]\nlinks = no\n"
#define ONE_PF "[pf 0000:3b:00.0]\nname = simib0\nvfs = 4\n"

static unsigned n_state_files(void)
{
	char path[128];
	unsigned n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/run/vfkeeper/sim", lab.root);
	d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d));)
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

/* --- description --- */

static void lists_what_is_described(void)
{
	char pci[PCI_STRLEN];

	lab_begin(NO_LINKS "[pf 0000:3b:00.0]\nname=simib0\nvfs=3\nports=2\nport_state=init\n"
			   "[pf 0001:af:1f.7]\nname=simeth1\nvfs=2\n");
	SUITE_INT(lab_discover(), 0);
	SUITE_INT(lab.n_pfs, 2);
	SUITE_INT(lab.n_vfs, 5);
	SUITE_STR(lab.pf[0].ifname, "simib0");
	SUITE_INT(lab.pf[0].n_ports, 2);
	SUITE_INT(lab.pf[0].port_state[1], 3);
	SUITE_INT(lab.pf[0].n_vfs, 3);
	SUITE_INT(lab.pf[1].n_ports, 1);
	SUITE_INT(lab.pf[1].port_state[0], 4);
	SUITE_STR(pci_format(lab.vf[0].addr, pci), "0000:3b:00.1");
	SUITE_STR(pci_format(lab.vf[2].addr, pci), "0000:3b:00.3");
	CU_ASSERT_EQUAL(lab.vf[2].pf, lab.pf[0].addr);
	SUITE_INT(lab.vf[2].index, 2);
	/* Past the last function of a bus comes the next bus. */
	SUITE_STR(pci_format(lab.vf[3].addr, pci), "0001:b0:00.0");
	SUITE_INT(lab.vf[3].where, WHERE_HOME);
	CU_ASSERT(lab.vf[3].bound && lab.vf[3].seen.valid);
	SUITE_STR(lab.vf[3].seen.driver, "vfio-pci"); /* it has no link */
	SUITE_STR(lab.vf[3].seen.ifname, "");
	SUITE_INT(lab.vf[3].ifindex, 0);
	lab_end();
}

static void incarnation_is_of_the_boot(void)
{
	struct drv_call call;
	uint64_t before;

	lab_begin(NO_LINKS ONE_PF);
	SUITE_INT(lab_discover(), 0);
	before = lab.vf[0].incarnation;
	CU_ASSERT_NOT_EQUAL(before, 0);
	SUITE_INT(lab_discover(), 0);
	CU_ASSERT_EQUAL(lab.vf[0].incarnation, before);
	setenv("VFKEEPER_BOOT_ID", "22222222-2222-2222-2222-222222222222", 1);
	call = lab_call(0);
	SUITE_INT(lab_step(STEP_SETTINGS, &call), -VFK_E_GONE);
	SUITE_STR(lab.err.msg,
		  "VF 0000:3b:00.1: the VF was there before the last boot only");
	SUITE_INT(lab_discover(), 0);
	CU_ASSERT_NOT_EQUAL(lab.vf[0].incarnation, before);
	lab_end();
}

static void bad_descriptions(void)
{
	static const struct {
		const char *text, *want;
	} bad[] = {
		{ "[pf 0000:3b:00.0]\nname=a0\nvfs=many\n",
		  ":3: vfs = many: not a number up to 4096" },
		{ "[pf 0000:3b:00.0]\nname=a0\nvfs=4097\n",
		  ":3: vfs = 4097: not a number up to 4096" },
		{ "[pf 0000:3b:00.0]\nname=far-too-long\n",
		  ":2: name = far-too-long: not 1 to 10 characters long" },
		{ "[pf 0000:3b:00.0]\nname=a/b\n",
		  ":2: name = a/b: has a character that is no letter, digit or underscore" },
		{ "[pf 0000:3b:00.0]\nports=0\n",
		  ":2: ports = 0: not a number from 1 to 4" },
		{ "[pf 0000:3b:00.0]\nlinks=maybe\n",
		  ":2: links = maybe: neither yes nor no" },
		{ "[pf 0000:3b:00.0]\nport_state=up\n",
		  ":2: port_state = up: no such port state" },
		{ "[pf 0000:3b:00.0]\ncolour=red\n",
		  ":2: colour = red: no such key in a section of a PF" },
		{ "[pf 3b]\nname=a\n",
		  ":2: pf 3b = : neither sim nor pf with a PCI address" },
		{ "[sim]\nfaults=here\n", ":2: faults = here: not an absolute path" },
		{ "[sim]\ncolour=red\n", ":2: colour = red: no such key in section sim" },
		{ "[sim]\nfault=link_up * errno=EIO\n",
		  ":2: fault = link_up * errno=EIO: \"link_up\" is no step" },
		{ "[sim]\nfault=link_home * errno=EWHAT\n",
		  ":2: fault = link_home * errno=EWHAT: \"errno=EWHAT\" is no fault" },
		{ "[sim]\nfault=link_home *\n",
		  ":2: fault = link_home *: not of the form: STEP VF|PF|* KEY=VALUE ..." },
		{ "[sim]\nfault=link_home * errno=EIO count=1\n",
		  ":2: fault = link_home * errno=EIO count=1: count= works in the file of faults"
		  " only" },
		{ "nonsense\n", ":1: neither a section nor key = value" },
		{ "[pf 0000:3b:00.0]\nvfs=2\n", ": PF 0000:3b:00.0 has no name" },
		{ "[pf 0000:3b:00.0]\nname=a\nvfs=8\n[pf 0000:3b:01.0]\nname=b\n",
		  ": the VFs of PF 0000:3b:00.0 and PF 0000:3b:01.0 overlap" },
		{ "[pf 0000:3b:00.0]\nname=a\n[pf 0000:3c:00.0]\nname=a\n",
		  ": two PFs are named a" },
		{ "[pf 0000:ff:1f.0]\nname=a\nvfs=8\n",
		  ": the VFs of PF 0000:ff:1f.0 pass the end of its domain" },
	};
	char want[400];

	for (size_t i = 0; i < VFK_ARRAY_SIZE(bad); i++) {
		lab_begin(bad[i].text);
		SUITE_INT(lab_discover(), -VFK_E_CONFIG);
		snprintf(want, sizeof(want), "%s%s", lab.env.sim_path, bad[i].want);
		SUITE_STR(lab.err.msg, want);
		lab_end();
	}
}

static void missing_description(void)
{
	char want[400];

	lab_begin(NO_LINKS);
	unlink(lab.env.sim_path);
	SUITE_INT(lab_discover(), -VFK_E_CONFIG);
	snprintf(want, sizeof(want), "open the sim description %s: ENOENT",
		 lab.env.sim_path);
	SUITE_STR(lab.err.msg, want);
	lab_end();
}

static void description_is_read_again(void)
{
	struct drv_call call;

	lab_begin(NO_LINKS ONE_PF);
	SUITE_INT(lab_discover(), 0);
	call = lab_call(3);
	LAB_TWICE(STEP_SETTINGS, &call);
	lab_write(lab.env.sim_path, NO_LINKS "[pf 0000:3b:00.0]\nname=simib0\nvfs=3\n");
	SUITE_INT(lab_step(STEP_SETTINGS, &call), -VFK_E_GONE);
	SUITE_STR(lab.err.msg, "VF 0000:3b:00.4: the VF is not on the bus");
	SUITE_INT(lab_observe(&call, -1), 0);
	SUITE_INT(lab.out.where, WHERE_GONE);
	lab_end();
}

/* --- settings --- */

static void settings_there_and_back(void)
{
	struct drv_call call;

	lab_begin(NO_LINKS ONE_PF);
	SUITE_INT(lab_discover(), 0);
	call = lab_call(1);
	call.wanted = (struct vf_settings){ .has = HAS_PORT_GUID | HAS_NODE_GUID |
						   HAS_LINK_STATE | HAS_VLAN | HAS_MAX_TX |
						   HAS_MAC | HAS_TRUST | HAS_PKEY,
					    .port_guid = 0x0011223344556677,
					    .node_guid = 0x1011223344556677,
					    .link_state = LINK_STATE_ENABLE,
					    .vlan = 100,
					    .qos = 3,
					    .vlan_proto = 0x88a8,
					    .max_tx_mbps = 1000,
					    .mac = { 2, 1, 2, 3, 4, 5 },
					    .trust = 1,
					    .pkey = 0x8001 };
	SUITE_INT(lab_step(STEP_SETTINGS, &call), 0);
	CU_ASSERT(lab.out.rebind_needed);
	/* Cut short after this: who repeats it has to hear of the rebind again. */
	SUITE_INT(lab_step(STEP_SETTINGS, &call), 0);
	CU_ASSERT(lab.out.rebind_needed);
	LAB_TWICE(STEP_REBIND, &call);
	SUITE_INT(lab_step(STEP_SETTINGS, &call), 0);
	CU_ASSERT_FALSE(lab.out.rebind_needed);
	SUITE_INT(lab_observe(&call, -1), 0);
	CU_ASSERT_EQUAL(lab.out.seen.set.port_guid, 0x0011223344556677);
	SUITE_INT(lab.out.seen.set.vlan, 100);
	SUITE_INT(lab.out.seen.set.qos, 3);
	SUITE_INT(lab.out.seen.set.vlan_proto, 0x88a8);
	SUITE_INT(lab.out.seen.set.mac[5], 5);
	SUITE_INT(lab.out.seen.set.pkey, 0x8001);
	SUITE_INT(lab.out.seen.set.spoofchk, 1); /* not asked for: left alone */
	SUITE_INT(lab_step(STEP_VERIFY, &call), -VFK_E_KERNEL);
	SUITE_STR(lab.err.msg, "VF 0000:3b:00.2: link_state is 1, its baseline 0");
	SUITE_INT(lab_step(STEP_SETTINGS_HOME, &call), 0);
	CU_ASSERT(lab.out.rebind_needed);
	SUITE_INT(lab_step(STEP_VERIFY, &call), -VFK_E_KERNEL);
	SUITE_STR(lab.err.msg, "VF 0000:3b:00.2: its driver has not seen the present GUID");
	LAB_TWICE(STEP_REBIND_HOME, &call);
	LAB_TWICE(STEP_VERIFY, &call);
	SUITE_INT(lab_observe(&call, -1), 0);
	CU_ASSERT_EQUAL(memcmp(&lab.out.seen, &call.baseline, sizeof(call.baseline)), 0);
	lab_end();
}

static void verify_names_each_setting(void)
{
	static const struct {
		struct vf_settings set;
		const char *want;
	} row[] = {
		{ { .has = HAS_NODE_GUID, .node_guid = 1 },
		  "node_guid is 0x1, its baseline 0x253494d00003b01" },
		{ { .has = HAS_PORT_GUID, .port_guid = 1 },
		  "port_guid is 0x1, its baseline 0x253494d80003b01" },
		{ { .has = HAS_MAC, .mac = { 2 } },
		  "mac is 0x20000000000, its baseline 0x25300003b01" },
		{ { .has = HAS_VLAN, .vlan = 9 }, "vlan is 9, its baseline 0" },
		{ { .has = HAS_MIN_TX, .min_tx_mbps = 9 },
		  "min_tx_mbps is 9, its baseline 0" },
		{ { .has = HAS_MAX_TX, .max_tx_mbps = 9 },
		  "max_tx_mbps is 9, its baseline 0" },
		{ { .has = HAS_SPOOFCHK }, "spoofchk is 0, its baseline 1" },
		{ { .has = HAS_TRUST, .trust = 1 }, "trust is 1, its baseline 0" },
		{ { .has = HAS_PKEY, .pkey = 1 }, "pkey is 0x1, its baseline 0xffff" },
	};
	char want[400];

	lab_begin(NO_LINKS ONE_PF);
	SUITE_INT(lab_discover(), 0);
	for (size_t i = 0; i < VFK_ARRAY_SIZE(row); i++) {
		struct drv_call call = lab_call(0);

		call.wanted = row[i].set;
		SUITE_INT(lab_step(STEP_SETTINGS, &call), 0);
		SUITE_INT(lab_step(STEP_VERIFY, &call), -VFK_E_KERNEL);
		snprintf(want, sizeof(want), "VF 0000:3b:00.1: %s", row[i].want);
		SUITE_STR(lab.err.msg, want);
		SUITE_INT(lab_step(STEP_SETTINGS_HOME, &call), 0);
		SUITE_INT(lab_step(STEP_VERIFY, &call), 0);
	}
	lab_end();
}

static void impossible_settings(void)
{
	struct drv_call call;

	lab_begin(NO_LINKS ONE_PF);
	SUITE_INT(lab_discover(), 0);
	call = lab_call(0);
	call.wanted = (struct vf_settings){ .has = HAS_VLAN | HAS_TRUST,
					    .vlan = 5000,
					    .trust = 1 };
	SUITE_INT(lab_step(STEP_SETTINGS, &call), -VFK_E_UNSUPPORTED);
	SUITE_STR(lab.err.msg,
		  "VF 0000:3b:00.1: vlan 5000 with qos 0: the device takes 0-4095 and 0-7");
	call.wanted = (struct vf_settings){ .has = HAS_MIN_TX | HAS_MAX_TX,
					    .min_tx_mbps = 9,
					    .max_tx_mbps = 8 };
	SUITE_INT(lab_step(STEP_SETTINGS, &call), -VFK_E_UNSUPPORTED);
	SUITE_STR(lab.err.msg, "VF 0000:3b:00.1: min_tx_rate 9 is above max_tx_rate 8");
	SUITE_INT(lab_step(STEP_VERIFY, &call), 0); /* nothing was changed */
	SUITE_INT(n_state_files(), 0);
	lab_end();
}

static void free_steps_write_nothing(void)
{
	struct drv_call call;

	lab_begin(NO_LINKS ONE_PF);
	SUITE_INT(lab_discover(), 0);
	call = lab_call(0);
	for (unsigned bit = 0; bit < 14; bit++)
		if (bit != 6 && bit != 7 && bit != STEP_LINK_TO_POD)
			LAB_TWICE(bit, &call);
	SUITE_INT(n_state_files(), 0);
	SUITE_INT(lab_step(6, &call), -VFK_E_UNSUPPORTED);
	SUITE_STR(lab.err.msg, "VF 0000:3b:00.1: no step has number 6");
	lab_end();
}

static void rdma_goes_and_comes(void)
{
	struct drv_call call;

	lab_begin(NO_LINKS ONE_PF);
	SUITE_INT(lab_discover(), 0);
	call = lab_call(0);
	LAB_TWICE(STEP_RDMA_TO_POD, &call); /* not asked for */
	LAB_TWICE(STEP_VERIFY, &call);
	call.wanted = (struct vf_settings){ .has = HAS_RDMA_ISOLATION, .rdma_isolation = 1 };
	SUITE_INT(lab_step(STEP_RDMA_TO_POD, &call), -VFK_E_NETNS);
	SUITE_STR(lab.err.msg, "VF 0000:3b:00.1: the pod has no network namespace");
	call.netns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (lab_step(STEP_RDMA_TO_POD, &call) < 0 && lab.err.sys == EPERM) {
		SUITE_SKIP("cannot enter a network namespace: needs root");
		close(call.netns_fd);
		lab_end();
		return;
	}
	LAB_TWICE(STEP_RDMA_TO_POD, &call);
	SUITE_INT(lab_step(STEP_VERIFY, &call), -VFK_E_KERNEL);
	SUITE_STR(lab.err.msg, "VF 0000:3b:00.1: its RDMA device is not at home");
	close(call.netns_fd);
	call.netns_fd = -1;
	LAB_TWICE(STEP_RDMA_HOME, &call);
	LAB_TWICE(STEP_VERIFY, &call);
	lab_end();
}

static void without_baseline_nothing_is_restored(void)
{
	struct drv_call call;

	lab_begin(NO_LINKS ONE_PF);
	SUITE_INT(lab_discover(), 0);
	call = lab_call(0);
	call.wanted = (struct vf_settings){ .has = HAS_TRUST, .trust = 1 };
	LAB_TWICE(STEP_SETTINGS, &call);
	call.baseline.valid = false;
	LAB_TWICE(STEP_SETTINGS_HOME, &call);
	LAB_TWICE(STEP_VERIFY, &call);
	SUITE_INT(lab_observe(&call, -1), 0);
	SUITE_INT(lab.out.seen.set.trust, 1);
	lab_end();
}

static void damaged_state_is_named(void)
{
	struct drv_call call;
	char path[128], want[400];

	lab_begin(NO_LINKS ONE_PF);
	SUITE_INT(lab_discover(), 0);
	call = lab_call(0);
	call.wanted = (struct vf_settings){ .has = HAS_TRUST, .trust = 1 };
	LAB_TWICE(STEP_SETTINGS, &call);
	snprintf(path, sizeof(path), "%s/run/vfkeeper/sim/0000:3b:00.1", lab.root);
	lab_write(path, "trust = 1\nvlan = x\n");
	SUITE_INT(lab_step(STEP_VERIFY, &call), -VFK_E_DECODE);
	snprintf(want, sizeof(want), "VF 0000:3b:00.1: %s:2: not key = number", path);
	SUITE_STR(lab.err.msg, want);
	SUITE_INT(lab_discover(), 0);
	SUITE_INT(lab.n_vfs, 4); /* passed on, not left out */
	SUITE_INT(lab.vf[0].where, WHERE_UNKNOWN);
	SUITE_INT(lab.vf[1].where, WHERE_HOME);
	lab_end();
}

/* --- faults --- */

static void with_faults(const char *faults)
{
	char text[300];

	lab_begin(""); /* for the paths */
	snprintf(text, sizeof(text),
		 "[sim]\nlinks = no\nfaults = %s\n" ONE_PF
		 "[pf 0000:4b:00.0]\nname = simib1\nvfs = 1\n",
		 lab.faults);
	lab_begin(text);
	SUITE_INT(lab_discover(), 0);
	if (faults)
		lab_write(lab.faults, faults);
}

static void faults_by_target(void)
{
	static const char *const target[] = { "0000:3b:00.1", "simib0v0", "0000:3b:00.0",
					      "simib0", "*" };
	char text[64];

	for (size_t i = 0; i < VFK_ARRAY_SIZE(target); i++) {
		struct drv_call hit, same_pf, other_pf;

		with_faults(NULL);
		hit = lab_call(0);
		same_pf = lab_call(1);
		other_pf = lab_call(4);
		SUITE_INT(lab_step(STEP_LINK_HOME, &hit), 0); /* no file: no faults */
		snprintf(text, sizeof(text), "link_home %s errno=EBUSY\n", target[i]);
		lab_write(lab.faults, text);
		SUITE_INT(lab_step(STEP_LINK_HOME, &hit), -VFK_E_KERNEL);
		SUITE_INT(lab.err.sys, EBUSY);
		SUITE_STR(lab.err.msg, "VF 0000:3b:00.1: simulated fault: EBUSY");
		SUITE_INT(lab_step(STEP_LINK_BASELINE, &hit), 0);
		SUITE_INT(lab_step(STEP_LINK_HOME, &same_pf), i < 2 ? 0 : -VFK_E_KERNEL);
		SUITE_INT(lab_step(STEP_LINK_HOME, &other_pf), i < 4 ? 0 : -VFK_E_KERNEL);
		lab_end();
	}
}

static void faults_of_the_description(void)
{
	struct drv_call a, b;

	lab_begin(NO_LINKS ONE_PF "fault = verify * errno=EIO\n"
				  "[pf 0000:4b:00.0]\nname = simib1\nvfs = 1\n");
	SUITE_INT(lab_discover(), 0);
	a = lab_call(0);
	b = lab_call(4);
	SUITE_INT(lab_step(STEP_VERIFY, &a), -VFK_E_KERNEL);
	SUITE_INT(lab_step(STEP_VERIFY, &b), 0);
	lab_end();
}

static void every_operation_can_fail(void)
{
	struct drv_call call;

	with_faults("# a comment\n\n* * errno=EIO\n");
	call = lab_call(0);
	for (unsigned bit = 0; bit < 14; bit++)
		if (bit != 6 && bit != 7)
			SUITE_INT(lab_step(bit, &call), -VFK_E_KERNEL);
	SUITE_INT(lab_observe(&call, -1), -VFK_E_KERNEL);
	SUITE_STR(lab.err.msg, "VF 0000:3b:00.1: simulated fault: EIO");
	SUITE_INT(lab_discover(), -VFK_E_KERNEL);
	SUITE_INT(lab.drv->identify(&lab.env, -1, "net1", &call.addr, &lab.err),
		  -VFK_E_KERNEL);
	lab_end();
}

static void counted_faults_end(void)
{
	struct drv_call call;
	char line[128] = "";
	FILE *f;

	with_faults(
		"verify simib0v0 errno=EAGAIN count=10\nverify simib0v0 errno=EIO count=2");
	call = lab_call(0);
	for (int i = 0; i < 10; i++) {
		SUITE_INT(lab_step(STEP_VERIFY, &call), -VFK_E_KERNEL);
		SUITE_INT(lab.err.sys, EAGAIN);
	}
	SUITE_INT(lab_step(STEP_VERIFY, &call), 0);
	f = fopen(lab.faults, "re");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_PTR_NOT_NULL(fgets(line, sizeof(line), f));
	SUITE_STR(line, "verify simib0v0 errno=EAGAIN count=00\n");
	fclose(f);
	lab_end();
}

/* Each of several processes at once meets its share, no more and no less. */
static void counted_faults_are_shared(void)
{
	struct drv_call call;
	int failed = 0, status;

	with_faults("verify * errno=EAGAIN count=70\n");
	call = lab_call(0);
	for (int k = 0; k < 4; k++) {
		if (fork())
			continue;
		for (int i = 0; i < 25; i++)
			failed += lab_step(STEP_VERIFY, &call) < 0;
		_exit(failed);
	}
	for (int k = 0; k < 4; k++) {
		CU_ASSERT(wait(&status) > 0 && WIFEXITED(status));
		failed += WEXITSTATUS(status);
	}
	SUITE_INT(failed, 70);
	lab_end();
}

static void bad_fault_files(void)
{
	struct drv_call call;
	char want[400];

	with_faults("verify * errno=EIO count=0\nverify * latency_ms=-1\n");
	call = lab_call(0);
	SUITE_INT(lab_step(STEP_VERIFY, &call), -VFK_E_CONFIG);
	snprintf(want, sizeof(want),
		 "VF 0000:3b:00.1: %s:2: \"latency_ms=-1\" is no fault", lab.faults);
	SUITE_STR(lab.err.msg, want);
	lab_end();
}

static void latency_and_deadline(void)
{
	struct drv_call call;
	int64_t began;

	with_faults("verify * latency_ms=30\n");
	call = lab_call(0);
	began = clock_boot_ns();
	SUITE_INT(lab_step(STEP_VERIFY, &call), 0);
	CU_ASSERT(clock_boot_ns() - began >= 30 * NS_PER_MS);
	lab_write(lab.faults, "verify * latency_ms=3600000\n");
	call.deadline_boot_ns = clock_boot_ns() + 10 * NS_PER_MS;
	SUITE_INT(lab_step(STEP_VERIFY, &call), -VFK_E_TIMEOUT);
	SUITE_STR(lab.err.msg,
		  "VF 0000:3b:00.1: the deadline passed (simulated latency of 3600000 ms)");
	lab_end();
}

/* --- in a worker --- */

static size_t run_step(const void *job, size_t len, const int *fds, unsigned n_fds,
		       void *result)
{
	struct drv_call call;

	(void)len, (void)fds, (void)n_fds;
	memcpy(&call, job, sizeof(call));
	call.env = &lab.env;
	*(int *)result = lab_step(STEP_SETTINGS, &call);
	return sizeof(int);
}

struct worker {
	struct spawner *spawner;
	int sock, byte_file;
	pid_t pid;
};

static void begin_step(struct worker *w, const struct drv_call *call)
{
	struct vfk_err err = { 0 };
	char path[96];
	int lock = -1;

	CU_ASSERT_EQUAL_FATAL(spawner_start(&w->spawner, run_step, &err), 0);
	CU_ASSERT_EQUAL_FATAL(spawner_worker(w->spawner, &w->sock, &w->pid, &err), 0);
	snprintf(path, sizeof(path), "%s/inflight", lab.root);
	CU_ASSERT_EQUAL_FATAL(inflight_lock(path, call->addr, &lock, &err), 0);
	w->byte_file = open(path, O_RDWR | O_CLOEXEC);
	CU_ASSERT_EQUAL(worker_send(w->sock, call, sizeof(*call), &lock, 1, &err), 0);
	close(lock);
	CU_ASSERT(inflight_held(w->byte_file, call->addr));
}

static bool at_end(const struct worker *w)
{
	char c;

	return worker_recv(w->sock, &c, 1, NULL) == 0;
}

static void end_step(struct worker *w)
{
	close(w->sock);
	close(w->byte_file);
	spawner_free(w->spawner);
}

static void wait_until_free(const struct worker *w, pci_addr_t addr)
{
	for (int i = 0; i < 20000 && inflight_held(w->byte_file, addr); i++)
		usleep(1000);
	CU_ASSERT_FALSE(inflight_held(w->byte_file, addr));
}

static void hanging_step_can_be_killed(void)
{
	struct drv_call call;
	struct worker w;

	with_faults("settings * hang_ms=3600000\n");
	call = lab_call(0);
	call.wanted = (struct vf_settings){ .has = HAS_TRUST, .trust = 1 };
	begin_step(&w, &call);
	CU_ASSERT_EQUAL(spawner_kill(w.spawner, w.pid, &lab.err), 0);
	wait_until_free(&w, call.addr);
	CU_ASSERT(at_end(&w));
	SUITE_INT(n_state_files(), 0);
	end_step(&w);
	lab_end();
}

/* Whether a process has 'parent' for its parent. */
static bool has_child(pid_t parent)
{
	DIR *proc = opendir("/proc");
	bool found = false;

	for (struct dirent *e; proc && !found && (e = readdir(proc));) {
		char path[300], line[300];
		int ppid = 0;
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%s/stat", e->d_name);
		f = atoi(e->d_name) > 0 ? fopen(path, "re") : NULL;
		if (!f)
			continue;
		found = fgets(line, sizeof(line), f) && strrchr(line, ')') &&
			sscanf(strrchr(line, ')'), ") %*c %d", &ppid) == 1 &&
			ppid == parent;
		fclose(f);
	}
	if (proc)
		closedir(proc);
	return found;
}

static void stuck_step_cannot_be_killed(void)
{
	struct drv_call call;
	struct worker w;

	with_faults("settings * stuck_ms=3000\n");
	call = lab_call(0);
	call.wanted = (struct vf_settings){ .has = HAS_TRUST, .trust = 1 };
	begin_step(&w, &call);
	while (!has_child(w.pid)) /* then it is in the kernel, as it were */
		usleep(1000);
	CU_ASSERT_EQUAL(spawner_kill(w.spawner, w.pid, &lab.err), 0);
	for (int i = 0; i < 20000 && !kill(w.pid, 0); i++)
		usleep(1000);
	/* The worker is gone, but neither its byte nor its end of the socket is free. */
	CU_ASSERT(inflight_held(w.byte_file, call.addr));
	CU_ASSERT_FALSE(at_end(&w));
	SUITE_INT(n_state_files(), 0);
	wait_until_free(&w, call.addr);
	CU_ASSERT(at_end(&w));
	/* What nobody waited for has happened all the same. */
	SUITE_INT(n_state_files(), 1);
	SUITE_INT(lab_observe(&call, -1), 0);
	SUITE_INT(lab.out.seen.set.trust, 1);
	end_step(&w);
	lab_end();
}

static void stuck_step_ends_by_itself(void)
{
	struct drv_call call;

	with_faults("settings * stuck_ms=20\nsettings_home * stuck_ms=20\n");
	call = lab_call(0);
	call.wanted = (struct vf_settings){ .has = HAS_PORT_GUID, .port_guid = 5 };
	SUITE_INT(lab_step(STEP_SETTINGS, &call), 0);
	CU_ASSERT(lab.out.rebind_needed);
	SUITE_INT(lab.out.nsid, -1);
	call.baseline.set.vlan = 5000;
	SUITE_INT(lab_step(STEP_SETTINGS_HOME, &call), -VFK_E_UNSUPPORTED);
	SUITE_STR(lab.err.msg,
		  "VF 0000:3b:00.1: vlan 5000 with qos 0: the device takes 0-4095 and 0-7");
	lab_end();
}

VFK_SUITE(sim, { "discover lists what the description says", lists_what_is_described },
	  { "the incarnation of a VF is that of the boot", incarnation_is_of_the_boot },
	  { "a bad description is refused with file, line and reason", bad_descriptions },
	  { "a missing description is named", missing_description },
	  { "a changed description is seen by the next step", description_is_read_again },
	  { "settings go there and back, with the rebinds they need",
	    settings_there_and_back },
	  { "verify names the first setting that differs", verify_names_each_setting },
	  { "settings that the device cannot have change nothing", impossible_settings },
	  { "steps that change nothing write nothing", free_steps_write_nothing },
	  { "the RDMA device goes to the pod and comes home", rdma_goes_and_comes },
	  { "without a baseline nothing is restored", without_baseline_nothing_is_restored },
	  { "a damaged state file is named and hides no other VF", damaged_state_is_named },
	  { "a fault hits its VF, its PF or all", faults_by_target },
	  { "a fault of the description hits its PF", faults_of_the_description },
	  { "every operation can be made to fail", every_operation_can_fail },
	  { "a counted fault ends", counted_faults_end },
	  { "a counted fault is shared between processes", counted_faults_are_shared },
	  { "a bad line in the file of faults is named", bad_fault_files },
	  { "latency passes, and ends at the deadline", latency_and_deadline },
	  { "a hanging step can be killed and has changed nothing",
	    hanging_step_can_be_killed },
	  { "a stuck step keeps byte and socket after SIGKILL, and goes on",
	    stuck_step_cannot_be_killed },
	  { "a stuck step brings its result when it ends", stuck_step_ends_by_itself })
