/* SPDX-License-Identifier: Apache-2.0 */
/* The ethernet driver over a sysfs of plain files; with real devices: tests/kernel. */
#include <stdint.h>

#include <linux/devlink.h>
#include <linux/genetlink.h>

#include "base/clock.h"
#include "drivers/devlink.h"
#include "drivers/eth.h"
#include "drivers/registry.h"
#include "drivers/sysfs.h"
#include "suite.h"
#include "sysfs_lab.h"

#define PF "0000:3b:00.0"
#define VF "0000:3b:00.1"
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

static void begin(void)
{
	memset(&lab, 0, sizeof(lab));
	sysfs_begin();
	snprintf(lab.env.sysfs_root, sizeof(lab.env.sysfs_root), "%s", sysfs_root);
	attr("0x020000\n", "devices/" PF "/class");
	attr("8\n", "devices/" PF "/sriov_totalvfs");
	attr("", "drivers/igbvf/bind");
	attr("", "drivers/igbvf/unbind");
	attr("", "drivers/vfio-pci/bind");
	attr("", "drivers/vfio-pci/unbind");
}

static void vf(unsigned index, const char *pci, const char *driver)
{
	char target[64];

	snprintf(target, sizeof(target), "../%s", pci);
	points(target, "devices/" PF "/virtfn%u", index);
	points("../" PF, "devices/%s/physfn", pci);
	has_driver(pci, driver);
}

/* VF 0 is bound to 'driver' (NULL: none), its baseline to 'base'; neither has a link. */
static void one_vf(const char *driver, const char *base)
{
	begin();
	vf(0, VF, driver);
	attr("(null)\n", "devices/" VF "/driver_override");
	lab.call.env = &lab.env;
	CU_ASSERT(pci_parse(VF, &lab.call.addr));
	CU_ASSERT(pci_parse(PF, &lab.call.pf));
	lab.call.incarnation = pci_incarnation(&lab.env, lab.call.addr);
	lab.call.deadline_boot_ns = clock_boot_ns() + NS_PER_S + 200 * NS_PER_MS;
	lab.call.netns_fd = -1;
	lab.call.baseline.valid = true;
	snprintf(lab.call.baseline.driver, sizeof(lab.call.baseline.driver), "%s", base);
}

static int step(enum drv_step number)
{
	return eth_driver.step(number, &lab.call, &lab.out, &lab.err);
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

static const struct drv_vf *found(uint16_t index)
{
	for (unsigned i = 0; i < lab.n_vfs; i++)
		if (lab.vf[i].index == index)
			return &lab.vf[i];
	CU_FAIL_FATAL("that VF was not listed");
	return NULL;
}

/* --- cases ----------------------------------------------------------------------- */

static void finds_cards_that_are_not_infiniband(void)
{
	struct drv_pf pf = { .n_vfs = 5 };
	pci_addr_t addr;

	begin();
	attr("0x028000\n", "devices/0000:3c:00.0/class"); /* another kind of network card */
	attr("8\n", "devices/0000:3c:00.0/sriov_totalvfs");
	attr("0x020700\n", "devices/0000:3d:00.0/class"); /* InfiniBand */
	attr("8\n", "devices/0000:3d:00.0/sriov_totalvfs");
	attr("0x010802\n", "devices/0000:3e:00.0/class"); /* a disk */
	attr("8\n", "devices/0000:3e:00.0/sriov_totalvfs");
	attr("0x020000\n", "devices/0000:3f:00.0/class"); /* no SR-IOV */
	SUITE_INT(eth_driver.discover(&lab.env, take_pf, take_vf, NULL, &lab.err), 0);
	SUITE_INT(lab.n_pfs, 2);
	SUITE_INT(lab.pf[0].n_ports, 1);
	SUITE_INT(lab.pf[0].port_state[0], 1); /* no link of it is at home */
	CU_ASSERT(pci_parse(PF, &addr));
	SUITE_INT(eth_driver.ports(&lab.env, addr, &pf, &lab.err), 0);
	SUITE_INT(pf.n_ports, 1);
	SUITE_INT(pf.n_vfs, 5); /* is not asked for */
	CU_ASSERT(pci_parse("0000:3d:00.0", &addr));
	SUITE_INT(eth_driver.ports(&lab.env, addr, &pf, &lab.err), -VFK_E_GONE);
	sysfs_end();
}

static void lists_vfs_with_holes(void)
{
	begin();
	vf(0, VF, "igbvf"); /* its link is in some namespace */
	vf(3, "0000:3b:00.4", NULL);
	vf(10, "0000:3b:01.3", "vfio-pci");
	vf(11, "0000:3b:01.4", "uio_pci_generic");
	SUITE_INT(eth_driver.discover(&lab.env, take_pf, take_vf, NULL, &lab.err), 0);
	SUITE_INT(lab.pf[0].n_vfs, 4);
	SUITE_INT(lab.n_vfs, 4);
	SUITE_INT(found(0)->where, WHERE_ELSEWHERE);
	CU_ASSERT(!found(0)->seen.valid);
	CU_ASSERT(!found(3)->bound);
	SUITE_INT(found(10)->where, WHERE_HOME);
	SUITE_STR(found(10)->seen.driver, "vfio-pci");
	SUITE_STR(found(10)->seen.ifname, "");
	CU_ASSERT(found(10)->cannot & HAS_RDMA_ISOLATION && found(10)->cannot & HAS_PKEY);
	CU_ASSERT(!(found(10)->cannot & HAS_VLAN));
	SUITE_STR(found(11)->seen.driver, "uio_pci_generic");
	sysfs_end();
}

static void a_vf_for_user_space_has_no_link_steps(void)
{
	static const enum drv_step none[] = { STEP_SETTINGS,	  STEP_LINK_SETTINGS,
					      STEP_LINK_HOME,	  STEP_RDMA_HOME,
					      STEP_SETTINGS_HOME, STEP_REBIND_HOME,
					      STEP_LINK_BASELINE, STEP_VERIFY };

	one_vf("vfio-pci", "vfio-pci");
	for (size_t i = 0; i < VFK_ARRAY_SIZE(none); i++) {
		SUITE_INT(step(none[i]), 0);
		CU_ASSERT(!lab.out.rebind_needed);
	}
	SUITE_STR(holds("drivers/vfio-pci/unbind"), "");
	SUITE_INT(eth_driver.observe(&lab.call, -1, &lab.out, &lab.err), 0);
	SUITE_INT(lab.out.where, WHERE_HOME);
	sysfs_end();
}

static void another_driver_is_found_and_changed(void)
{
	one_vf("igbvf", "vfio-pci");
	SUITE_INT(step(STEP_VERIFY), -VFK_E_KERNEL);
	SUITE_STR(lab.err.msg, "VF " VF ": its driver is igbvf, not vfio-pci");
	SUITE_INT(step(STEP_SETTINGS_HOME), 0);
	CU_ASSERT(lab.out.rebind_needed);
	/* These files bind nothing, so it never comes. */
	SUITE_INT(step(STEP_REBIND_HOME), -VFK_E_TIMEOUT);
	SUITE_STR(holds("drivers/igbvf/unbind"), VF);
	SUITE_STR(holds("drivers/vfio-pci/bind"), VF);
	SUITE_STR(holds("devices/" VF "/driver_override"), "vfio-pci");
	sysfs_end();
}

static void an_rdma_device_is_owed_where_its_card_has_any(void)
{
	one_vf("igbvf", "igbvf");
	snprintf(lab.call.baseline.rdma_dev, sizeof(lab.call.baseline.rdma_dev), "mlx5_2");
	SUITE_INT(step(STEP_VERIFY), 0); /* its driver was unloaded */
	SUITE_INT(step(STEP_REBIND_HOME), 0);
	attr("mlx5_0\n", "devices/" PF "/infiniband_verbs/uverbs0/ibdev");
	SUITE_INT(step(STEP_VERIFY), -VFK_E_KERNEL);
	SUITE_STR(lab.err.msg, "VF " VF ": its RDMA device is not at home");
	SUITE_INT(step(STEP_REBIND_HOME), -VFK_E_TIMEOUT);
	sysfs_end();
}

static void a_hold_for_user_space_is_let_go(void)
{
	one_vf("vfio-pci", "igbvf");
	attr("vfio-pci\n", "devices/" VF "/driver_override");
	SUITE_INT(step(STEP_LINK_HOME), 0);
	CU_ASSERT(lab.out.rebind_needed);
	SUITE_INT(step(STEP_REBIND_HOME), -VFK_E_TIMEOUT);
	SUITE_STR(holds("devices/" VF "/driver_override"), "\n");
	SUITE_STR(holds("drivers/igbvf/bind"), VF);
	sysfs_end();
}

static void refuses_what_cannot_be(void)
{
	one_vf("igbvf", "igbvf");
	lab.call.wanted.has = HAS_VLAN | HAS_IPOIB_MODE;
	lab.call.baseline.set.has = HAS_VLAN;
	SUITE_INT(step(STEP_SETTINGS), -VFK_E_UNSUPPORTED);
	SUITE_STR(lab.err.msg, "VF " VF ": ipoibMode: an Ethernet VF has no such setting");
	lab.call.wanted.has = HAS_VLAN | HAS_TRUST;
	SUITE_INT(step(STEP_SETTINGS), -VFK_E_BUSY);
	SUITE_STR(lab.err.msg, "VF " VF ": its PF does not tell its trust, which so could "
			       "not be restored");
	lab.call.wanted.has = HAS_VLAN;
	SUITE_INT(step(STEP_SETTINGS), -VFK_E_KERNEL);
	SUITE_STR(lab.err.msg,
		  "VF " VF ": its PF " PF " has no link in the home namespace");
	lab.call.incarnation++;
	SUITE_INT(step(STEP_SETTINGS), -VFK_E_GONE);
	sysfs_end();
}

static void a_representor_is_no_uplink(void)
{
	struct vfk_err err;
	struct eth_pf pf;
	pci_addr_t addr;

	begin();
	/* Only what is no representor is asked the kernel about. */
	attr("1\n", "devices/" PF "/net/eth0/type");
	attr("1\n", "devices/" PF "/net/eth0/ifindex");
	attr("c1pf0vf3\n", "devices/" PF "/net/eth0/phys_port_name");
	CU_ASSERT(pci_parse(PF, &addr));
	SUITE_INT(eth_pf_at_home(&lab.env, NULL, addr, &pf, &err), 0);
	CU_ASSERT(pf.switchdev);
	sysfs_end();
}

static struct nl_msg *devlink_answer(uint8_t cmd, const char *device)
{
	const struct genlmsghdr head = { .cmd = cmd, .version = DEVLINK_GENL_VERSION };
	struct nl_msg *msg = vnl_msg_new(20, 0, &head, sizeof(head));

	nla_put_string(msg, DEVLINK_ATTR_BUS_NAME, "pci");
	nla_put_string(msg, DEVLINK_ATTR_DEV_NAME, device);
	return msg;
}

static void port(struct devlink_ports *ports, const char *device, uint16_t flavour,
		 uint32_t ifindex)
{
	struct nl_msg *msg = devlink_answer(DEVLINK_CMD_PORT_NEW, device);
	pci_addr_t addr;

	CU_ASSERT(pci_parse(PF, &addr));
	nla_put_u16(msg, DEVLINK_ATTR_PORT_FLAVOUR, flavour);
	nla_put_u32(msg, DEVLINK_ATTR_PORT_NETDEV_IFINDEX, ifindex);
	CU_ASSERT(devlink_take(ports, addr, nlmsg_hdr(msg)));
	nlmsg_free(msg);
}

static void knows_representors_by_devlink(void)
{
	struct devlink_ports ports = { .known = false };
	struct nl_msg *msg = devlink_answer(DEVLINK_CMD_ESWITCH_GET, PF);
	pci_addr_t addr;

	CU_ASSERT(pci_parse(PF, &addr));
	nla_put_u16(msg, DEVLINK_ATTR_ESWITCH_MODE, DEVLINK_ESWITCH_MODE_SWITCHDEV);
	CU_ASSERT(devlink_take(&ports, addr, nlmsg_hdr(msg)));
	nlmsg_free(msg);
	CU_ASSERT(ports.known && ports.switchdev);
	port(&ports, PF, DEVLINK_PORT_FLAVOUR_PHYSICAL, 7);
	port(&ports, PF, DEVLINK_PORT_FLAVOUR_PCI_VF, 8);
	port(&ports, PF, DEVLINK_PORT_FLAVOUR_PCI_SF, 9);
	port(&ports, "0000:99:00.0", DEVLINK_PORT_FLAVOUR_PCI_VF, 10); /* another card's */
	for (uint32_t i = 20; i < 100; i++)
		port(&ports, PF, DEVLINK_PORT_FLAVOUR_PCI_VF, i);
	SUITE_INT(ports.n_reps, 82);
	CU_ASSERT(!devlink_is_rep(&ports, 7) && devlink_is_rep(&ports, 8));
	CU_ASSERT(devlink_is_rep(&ports, 9) && !devlink_is_rep(&ports, 10));
	CU_ASSERT(devlink_is_rep(&ports, 99));
	devlink_free(&ports);
}

VFK_SUITE(eth,
	  { "finds network cards by their class", finds_cards_that_are_not_infiniband },
	  { "an RDMA device is owed where its card has any",
	    an_rdma_device_is_owed_where_its_card_has_any },
	  { "lists VFs with holes, unbound, of user space, and away", lists_vfs_with_holes },
	  { "a VF for user space has no link steps", a_vf_for_user_space_has_no_link_steps },
	  { "another driver than the baseline's is found and changed",
	    another_driver_is_found_and_changed },
	  { "a VF that was held for user space is let go", a_hold_for_user_space_is_let_go },
	  { "refuses what an Ethernet VF does not have, and what could not be undone",
	    refuses_what_cannot_be },
	  { "a representor is not the link of its PF", a_representor_is_no_uplink },
	  { "knows representors by what devlink says", knows_representors_by_devlink })
