/* SPDX-License-Identifier: Apache-2.0 */
/* The infiniband driver over a sysfs of plain files; with real devices: tests/kernel. */
#include <stdint.h>

#include "base/clock.h"
#include "drivers/ib.h"
#include "drivers/registry.h"
#include "drivers/sysfs.h"
#include "drivers/vfinfo.h"
#include "netns.h"
#include "suite.h"
#include "sysfs_lab.h"

#define PF "0000:3b:00.0"
#define MAX 16

static struct {
	struct drv_env env;
	unsigned n_pfs, n_vfs;
	struct drv_pf pf[MAX];
	struct drv_vf vf[MAX];
	struct drv_call call;
	struct drv_out out;
	struct vfk_err err;
} lab;

/* --- a sysfs --------------------------------------------------------------------- */

/* An RDMA device as sysfs shows it; at home or not. */
static void has_rdma(const char *pci, unsigned n, const char *last, bool home)
{
	char text[64];

	snprintf(text, sizeof(text), "mlx5_%u\n", n);
	attr(text, "devices/%s/infiniband_verbs/uverbs%u/ibdev", pci, n);
	if (!home)
		return;
	snprintf(text, sizeof(text), "0200:0000:0001:00%s\n", last);
	attr(text, "devices/%s/infiniband/mlx5_%u/node_guid", pci, n);
	snprintf(text, sizeof(text), "fe80:0000:0000:0000:0200:0000:0000:00%s\n", last);
	attr(text, "devices/%s/infiniband/mlx5_%u/ports/1/gids/0", pci, n);
}

static void vf(unsigned index, const char *pci)
{
	char target[64];

	snprintf(target, sizeof(target), "../%s", pci);
	points(target, "devices/" PF "/virtfn%u", index);
	points("../" PF, "devices/%s/physfn", pci);
	attr("0x020700\n", "devices/%s/class", pci);
}

static void begin(void)
{
	memset(&lab, 0, sizeof(lab));
	sysfs_begin();
	snprintf(lab.env.sysfs_root, sizeof(lab.env.sysfs_root), "%s", sysfs_root);
	attr("0x020700\n", "devices/" PF "/class");
	attr("8\n", "devices/" PF "/sriov_totalvfs");
	attr("4: ACTIVE\n", "devices/" PF "/infiniband/mlx5_0/ports/1/state");
	attr("2: INIT\n", "devices/" PF "/infiniband/mlx5_0/ports/2/state");
	attr("", "drivers/mlx5_core/bind");
	attr("", "drivers/mlx5_core/unbind");
}

static void end(void)
{
	sysfs_end();
}

/* One VF without a link, bound to 'driver' (NULL: none), and a call for it. */
static void vf_of_driver(const char *driver)
{
	begin();
	vf(0, "0000:3b:00.1");
	has_driver("0000:3b:00.1", driver);
	lab.call.env = &lab.env;
	CU_ASSERT(pci_parse("0000:3b:00.1", &lab.call.addr));
	CU_ASSERT(pci_parse(PF, &lab.call.pf));
	lab.call.incarnation = pci_incarnation(&lab.env, lab.call.addr);
	lab.call.deadline_boot_ns = clock_boot_ns() + 60 * NS_PER_S;
	lab.call.netns_fd = -1;
	lab.call.baseline.valid = true;
	snprintf(lab.call.baseline.driver, sizeof(lab.call.baseline.driver), "%s",
		 driver ? driver : "mlx5_core");
}

/* The usual one, with an RDMA device. */
static void one_vf(void)
{
	vf_of_driver("mlx5_core");
	has_rdma("0000:3b:00.1", 2, "17", true);
	snprintf(lab.call.baseline.rdma_dev, sizeof(lab.call.baseline.rdma_dev), "mlx5_2");
	lab.call.baseline.set.has = HAS_NODE_GUID | HAS_PORT_GUID;
	lab.call.baseline.set.node_guid = 0x0200000000010017;
	lab.call.baseline.set.port_guid = 0x0200000000000017;
}

static int step(enum drv_step number)
{
	return ib_driver.step(number, &lab.call, &lab.out, &lab.err);
}

static int take_pf(void *arg, const struct drv_pf *pf)
{
	(void)arg;
	if (lab.n_pfs < MAX)
		lab.pf[lab.n_pfs++] = *pf;
	return 0;
}

static int take_vf(void *arg, const struct drv_vf *found)
{
	(void)arg;
	if (lab.n_vfs < MAX)
		lab.vf[lab.n_vfs++] = *found;
	return 0;
}

static const struct drv_vf *found(const char *pci)
{
	pci_addr_t addr;

	CU_ASSERT(pci_parse(pci, &addr));
	for (unsigned i = 0; i < lab.n_vfs; i++)
		if (lab.vf[i].addr == addr)
			return &lab.vf[i];
	return NULL;
}

static int discover(void)
{
	lab.n_pfs = lab.n_vfs = 0;
	return ib_driver.discover(&lab.env, take_pf, take_vf, NULL, &lab.err);
}

/* --- cases ----------------------------------------------------------------------- */

static void reads_guids(void)
{
	uint64_t guid;

	CU_ASSERT(ib_parse_guid("0200:0000:0001:0017", &guid));
	CU_ASSERT_EQUAL(guid, UINT64_C(0x0200000000010017));
	CU_ASSERT(ib_parse_guid("FE:80:00:00:00:00:00:01", &guid));
	CU_ASSERT_EQUAL(guid, UINT64_C(0xfe80000000000001));
	CU_ASSERT(!ib_parse_guid("0200:0000:0001:001", &guid));
	CU_ASSERT(!ib_parse_guid("0200:0000:0001:00170", &guid));
	CU_ASSERT(!ib_parse_guid("0200:0000:0001:001x", &guid));
	CU_ASSERT(!ib_parse_guid("", &guid));
}

static void finds_cards_by_class(void)
{
	begin();
	attr("0x020000\n", "devices/0000:3c:00.0/class"); /* Ethernet */
	attr("8\n", "devices/0000:3c:00.0/sriov_totalvfs");
	attr("0x020700\n", "devices/0000:3d:00.0/class"); /* no SR-IOV */
	SUITE_INT(discover(), 0);
	SUITE_INT(lab.n_pfs, 1);
	SUITE_INT(lab.n_vfs, 0);
	SUITE_INT(lab.pf[0].n_ports, 2);
	SUITE_INT(lab.pf[0].port_state[0], 4);
	SUITE_INT(lab.pf[0].port_state[1], 3);
	end();
}

static void lists_vfs_with_holes(void)
{
	begin();
	vf(0, "0000:3b:00.1");
	has_driver("0000:3b:00.1", "mlx5_core");
	has_rdma("0000:3b:00.1", 2, "17", true);
	vf(2, "0000:3b:00.3");
	has_driver("0000:3b:00.3", NULL);
	vf(10, "0000:3b:01.3");
	has_driver("0000:3b:01.3", "vfio-pci");
	vf(3, "0000:3b:00.4");
	has_driver("0000:3b:00.4", "mlx5_core");
	has_rdma("0000:3b:00.4", 5, "18", false); /* in some namespace */
	SUITE_INT(discover(), 0);
	SUITE_INT(lab.pf[0].n_vfs, 4);
	SUITE_INT(lab.n_vfs, 4);
	CU_ASSERT_PTR_NOT_NULL_FATAL(found("0000:3b:01.3"));
	SUITE_INT(found("0000:3b:01.3")->index, 10);
	SUITE_INT(found("0000:3b:01.3")->where, WHERE_HOME);
	SUITE_STR(found("0000:3b:01.3")->seen.driver, "vfio-pci");
	SUITE_INT(found("0000:3b:01.3")->seen.set.has, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(found("0000:3b:00.1"));
	CU_ASSERT(found("0000:3b:00.1")->bound && found("0000:3b:00.1")->seen.valid);
	SUITE_STR(found("0000:3b:00.1")->seen.rdma_dev, "mlx5_2");
	CU_ASSERT_EQUAL(found("0000:3b:00.1")->seen.set.node_guid, 0x0200000000010017);
	CU_ASSERT_EQUAL(found("0000:3b:00.1")->seen.set.port_guid, 0x0200000000000017);
	CU_ASSERT(found("0000:3b:00.1")->incarnation != found("0000:3b:00.3")->incarnation);
	CU_ASSERT(!found("0000:3b:00.3")->bound);
	SUITE_INT(found("0000:3b:00.4")->where, WHERE_ELSEWHERE);
	CU_ASSERT(!found("0000:3b:00.4")->seen.valid);
	end();
}

static void node_without_cards_is_left_alone(void)
{
	char guard[300];

	begin();
	ib_driver.guard_path(&lab.env, guard, sizeof(guard));
	CU_ASSERT_PTR_NOT_NULL(strstr(guard, "/bus/pci/rescan"));
	end(); /* and now there is not even a sysfs */
	ib_driver.guard_path(&lab.env, guard, sizeof(guard));
	SUITE_STR(guard, "");
	SUITE_INT(discover(), 0);
	SUITE_INT(lab.n_pfs, 0);
}

static void knows_its_incarnation(void)
{
	one_vf();
	lab.call.incarnation++;
	SUITE_INT(step(STEP_SETTINGS), -VFK_E_GONE);
	SUITE_STR(lab.err.msg, "VF 0000:3b:00.1: the VF was made anew meanwhile");
	lab.call.addr++;
	lab.call.incarnation = 0;
	SUITE_INT(step(STEP_SETTINGS), -VFK_E_GONE);
	SUITE_STR(lab.err.msg, "VF 0000:3b:00.2: the VF is not on the bus");
	SUITE_INT(ib_driver.observe(&lab.call, -1, &lab.out, &lab.err), 0);
	SUITE_INT(lab.out.where, WHERE_GONE);
	end();
}

static void refuses_what_there_is_not(void)
{
	one_vf();
	lab.call.wanted.has = HAS_PORT_GUID | HAS_VLAN;
	lab.call.wanted.port_guid = 5;
	SUITE_INT(step(STEP_SETTINGS), -VFK_E_UNSUPPORTED);
	SUITE_STR(lab.err.msg,
		  "VF 0000:3b:00.1: vlan: an InfiniBand VF has no such setting");
	lab.call.wanted.has = HAS_PORT_GUID;
	lab.call.wanted.port_guid = UINT64_MAX;
	SUITE_INT(step(STEP_SETTINGS), -VFK_E_UNSUPPORTED);
	SUITE_STR(lab.err.msg, "VF 0000:3b:00.1: infinibandGUID: all zeros and all ones "
			       "are no GUID");
	lab.call.wanted.port_guid = 5;
	SUITE_INT(step(STEP_SETTINGS), -VFK_E_KERNEL);
	SUITE_STR(lab.err.msg, "VF 0000:3b:00.1: its PF " PF " has no IPoIB link in the home "
			       "namespace (is ib_ipoib loaded?)");
	end();
}

static void rebinds_only_for_another_guid(void)
{
	one_vf();
	lab.call.wanted = lab.call.baseline.set;
	SUITE_INT(step(STEP_REBIND), 0);
	SUITE_INT(step(STEP_REBIND_HOME), 0);
	SUITE_STR(holds("drivers/mlx5_core/unbind"), "");
	SUITE_STR(holds("drivers/mlx5_core/bind"), "");
	lab.call.wanted.node_guid = 9;
	/* These files do nothing, as a card that ignores what it is told. */
	SUITE_INT(step(STEP_REBIND), -VFK_E_KERNEL);
	SUITE_STR(lab.err.msg,
		  "VF 0000:3b:00.1: the PF took node GUID 0000000000000009, after "
		  "the rebind the VF has 0200000000010017");
	SUITE_STR(holds("drivers/mlx5_core/unbind"), "0000:3b:00.1");
	SUITE_STR(holds("drivers/mlx5_core/bind"), "0000:3b:00.1");
	end();
}

static void waits_to_its_deadline(void)
{
	one_vf();
	/* The link that its baseline has never comes. */
	snprintf(lab.call.baseline.ifname, sizeof(lab.call.baseline.ifname), "ib2");
	lab.call.deadline_boot_ns = clock_boot_ns() + NS_PER_S + 100 * NS_PER_MS;
	SUITE_INT(step(STEP_REBIND), -VFK_E_TIMEOUT);
	SUITE_STR(lab.err.msg, "VF 0000:3b:00.1: its IPoIB link did not appear in time");
	end();
}

static void a_vf_for_user_space_has_no_steps(void)
{
	vf_of_driver("vfio-pci");
	SUITE_INT(step(STEP_REBIND), 0);
	SUITE_INT(step(STEP_LINK_HOME), 0);
	SUITE_INT(step(STEP_RDMA_HOME), 0);
	SUITE_INT(step(STEP_LINK_BASELINE), 0);
	SUITE_INT(step(STEP_VERIFY), 0);
	CU_ASSERT(!lab.out.rebind_needed);
	end();
}

/* Its link state is the PF's matter, driver or not: a look does not take it from its baseline. */
static void a_vf_for_user_space_has_a_link_state(void)
{
	vf_of_driver("vfio-pci");
	lab.call.baseline.set.has = HAS_LINK_STATE;
	lab.call.baseline.set.link_state = LINK_STATE_DISABLE;
	SUITE_INT(ib_driver.observe(&lab.call, -1, &lab.out, &lab.err), 0);
	SUITE_INT(lab.out.where, WHERE_HOME);
	SUITE_INT(lab.out.seen.set.has & HAS_LINK_STATE, HAS_LINK_STATE);
	SUITE_INT(lab.out.seen.set.link_state, LINK_STATE_DISABLE);
	end();
}

static void verify_names_the_difference(void)
{
	one_vf();
	SUITE_INT(step(STEP_VERIFY), 0);
	SUITE_INT(lab.out.where, WHERE_HOME);
	lab.call.baseline.set.node_guid = 1;
	SUITE_INT(step(STEP_VERIFY), 0); /* somebody else gave it another */
	lab.call.wanted.has = HAS_NODE_GUID;
	SUITE_INT(step(STEP_VERIFY), -VFK_E_KERNEL);
	SUITE_STR(lab.err.msg, "VF 0000:3b:00.1: its node GUID is 0200000000010017, its "
			       "baseline 0000000000000001");
	snprintf(lab.call.baseline.rdma_dev, sizeof(lab.call.baseline.rdma_dev), "mlx5_9");
	SUITE_INT(step(STEP_VERIFY), -VFK_E_KERNEL);
	SUITE_STR(lab.err.msg, "VF 0000:3b:00.1: its RDMA device is called mlx5_2, its "
			       "baseline mlx5_9");
	CU_ASSERT(lab.out.rebind_needed); /* which puts the name back */
	snprintf(lab.call.baseline.driver, sizeof(lab.call.baseline.driver), "other");
	SUITE_INT(step(STEP_VERIFY), -VFK_E_KERNEL);
	SUITE_STR(lab.err.msg, "VF 0000:3b:00.1: its driver is mlx5_core, not other");
	end();
}

static void an_unbound_vf_asks_for_its_driver(void)
{
	vf_of_driver(NULL);
	SUITE_INT(step(STEP_LINK_HOME), 0);
	CU_ASSERT(lab.out.rebind_needed);
	SUITE_INT(ib_driver.observe(&lab.call, -1, &lab.out, &lab.err), 0);
	SUITE_INT(lab.out.where, WHERE_UNKNOWN);
	end();
}

static void a_pf_that_cannot_is_said(void)
{
	VFK_AUTO(vnl_close_auto) struct vnl *nl = NULL;
	struct vf_settings set = { .has = HAS_NODE_GUID | HAS_PORT_GUID, .node_guid = 1 };

	if (!netns_private())
		return;
	CU_ASSERT_FATAL(netns_sh(-1, "ip link add v type veth peer name w"));
	SUITE_INT(vnl_open(&nl, NETLINK_ROUTE, -1, &lab.err), 0);
	SUITE_INT(vfinfo_set(nl, vnl_ifindex(nl, "v"), 3, &set, VFINFO_ALL, &lab.err),
		  -VFK_E_UNSUPPORTED);
	SUITE_STR(lab.err.msg, "the driver of the PF sets no GUID of its VFs");
	SUITE_INT(vfinfo_set(nl, 9999, 3, &set, VFINFO_ALL, &lab.err), -VFK_E_KERNEL);
	SUITE_INT(vfinfo_set(nl, 9999, 3, &set, 0, &lab.err), 0);
	netns_sh(-1, "ip link del v");
}

static void knows_no_strangers_link(void)
{
	pci_addr_t addr = 0;
	int pod;

	if (!netns_private())
		return;
	begin();
	pod = netns_pod();
	SUITE_INT(ib_driver.identify(&lab.env, pod, "lo", &addr, &lab.err), 0);
	CU_ASSERT_EQUAL(addr, PCI_NONE);
	SUITE_INT(ib_driver.identify(&lab.env, pod, "none", &addr, &lab.err), 0);
	CU_ASSERT_EQUAL(addr, PCI_NONE);
	close(pod);
	end();
}

static struct link listed(uint32_t ifindex, const char *pci, uint8_t hwaddr_len)
{
	struct link link = { .ifindex = ifindex,
			     .parent_bus = "pci",
			     .hwaddr_len = hwaddr_len };

	snprintf(link.parent_dev, sizeof(link.parent_dev), "%s", pci);
	return link;
}

static void picks_the_only_link(void)
{
	struct link links[] = {
		listed(5, "0000:3b:00.1", 20), listed(6, "0000:3b:00.2", 20),
		listed(7, "0000:3b:00.2", 20), listed(8, "0000:3b:00.4", 6),
		listed(9, "0000:3b:00.4", 20), listed(10, "0000:3b:00.5", 6)
	};
	const struct link_list list = { links, VFK_ARRAY_SIZE(links),
					VFK_ARRAY_SIZE(links) };
	const struct link_list none = { NULL, 0, 0 };
	struct link link = { .ifindex = 0 };

	CU_ASSERT_TRUE(link_list_one(&list, 0x3b01, ib_is_link_of, &link));
	SUITE_INT(link.ifindex, 5);
	CU_ASSERT_FALSE(link_list_one(&list, 0x3b02, ib_is_link_of, &link)); /* which one? */
	CU_ASSERT_FALSE(link_list_one(&list, 0x3b03, ib_is_link_of, &link));
	CU_ASSERT_TRUE(link_list_one(&list, 0x3b04, ib_is_link_of, &link));
	SUITE_INT(link.ifindex, 9);
	CU_ASSERT_FALSE(link_list_one(&list, 0x3b05, ib_is_link_of, &link));
	CU_ASSERT_FALSE(link_list_one(&none, 0x3b01, ib_is_link_of, &link));
}

VFK_SUITE(ib, { "reads GUIDs", reads_guids },
	  { "finds cards by their class, and the states of their ports",
	    finds_cards_by_class },
	  { "lists VFs with holes, unbound, of user space, and away", lists_vfs_with_holes },
	  { "a node without cards is left alone", node_without_cards_is_left_alone },
	  { "a VF that was made anew is another one", knows_its_incarnation },
	  { "refuses what an InfiniBand VF does not have", refuses_what_there_is_not },
	  { "rebinds only for another GUID, and looks whether it took effect",
	    rebinds_only_for_another_guid },
	  { "waits to its deadline", waits_to_its_deadline },
	  { "a VF for user space is left alone", a_vf_for_user_space_has_no_steps },
	  { "a VF for user space keeps its link state when it is looked at",
	    a_vf_for_user_space_has_a_link_state },
	  { "verify names the first difference", verify_names_the_difference },
	  { "an unbound VF asks for its driver", an_unbound_vf_asks_for_its_driver },
	  { "a PF that cannot is said to be", a_pf_that_cannot_is_said },
	  { "a stranger's link is no VF", knows_no_strangers_link },
	  { "of all links at home a VF has the one that is its own alone",
	    picks_the_only_link })
