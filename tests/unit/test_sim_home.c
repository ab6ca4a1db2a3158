/* SPDX-License-Identifier: Apache-2.0 */
/* The links of simulated VFs on their way home, in every mess that pods leave behind. */
#include <sys/socket.h>
#include <sys/wait.h>

#include <linux/if.h>

#include "base/log.h"
#include "sim_link_rig.h"

static void home_again(void)
{
	uint32_t index;

	if (!begin())
		return;
	to_pod();
	SUITE_INT(lab_step(STEP_LINK_HOME, &call), 0);
	SUITE_INT(lab.out.where, WHERE_HOME);
	index = lab.out.ifindex;
	SUITE_INT(look_at(HERE, "simib0v0").ifindex, index);
	CU_ASSERT_FALSE(exists(pod, "net1"));
	/* Not told that it worked, and told. */
	LAB_TWICE(STEP_LINK_HOME, &call);
	call.ifindex = index;
	LAB_TWICE(STEP_LINK_HOME, &call);
	SUITE_INT(lab.out.ifindex, index);
	LAB_TWICE(STEP_LINK_BASELINE, &call);
	check_home();
	end();
}

static void home_after_a_rename_in_the_pod(void)
{
	if (!begin())
		return;
	to_pod();
	/* The pod names it like a link that the node needs, and something else net1. */
	CU_ASSERT(netns_sh(-1, "ip link add eth0 type veth peer eth0p"));
	CU_ASSERT(netns_sh(pod, "ip link set net1 down && ip link set net1 name eth0 &&"
				" ip link add net1 type veth peer other"));
	LAB_TWICE(STEP_LINK_HOME, &call);
	check_home();
	CU_ASSERT(exists(HERE, "eth0") && exists(HERE, "eth0p"));
	CU_ASSERT(exists(pod, "net1"));
	CU_ASSERT(netns_sh(-1, "ip link del eth0"));
	end();
}

static void home_under_a_reused_index(void)
{
	uint32_t index;

	if (!begin())
		return;
	to_pod();
	/* Somebody took it out of the pod and put another link where it was. */
	index = call.ifindex;
	CU_ASSERT(netns_sh(pod, "ip link set net1 netns /proc/$PPID/fd/%d", pod));
	SUITE_INT(lab_step(STEP_LINK_HOME, &call), 0);
	CU_ASSERT(netns_sh(pod, "ip link add net1 index %u type veth peer other", index));
	LAB_TWICE(STEP_LINK_HOME, &call);
	check_home();
	SUITE_INT(look_at(pod, "net1").ifindex, index); /* the stranger stays */
	end();
}

static void home_by_hand(void)
{
	int home;

	if (!begin())
		return;
	to_pod();
	/* An operator fetched it, and left it up, renamed and with altnames. */
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	CU_ASSERT(netns_sh(pod, "ip link set net1 netns /proc/$PPID/fd/%d", home));
	close(home);
	CU_ASSERT(netns_sh(-1, "ip link set net1 name byhand && ip link set byhand up mtu"
			       " 1400 promisc on && ip link property add dev byhand altname a1"
			       " altname a2"));
	call.ifindex = 0;
	LAB_TWICE(STEP_LINK_HOME, &call);
	SUITE_STR(look_at(HERE, "simib0v0").alias, "0000:3b:00.1");
	SUITE_INT(lab_step(STEP_VERIFY, &call), -VFK_E_KERNEL);
	SUITE_STR(lab.err.msg, "VF 0000:3b:00.1: the link has 2 altnames");
	LAB_TWICE(STEP_LINK_BASELINE, &call);
	SUITE_INT(look_at(HERE, "simib0v0").n_altnames, 0);
	check_home();
	end();
}

static void baseline_name_is_taken(void)
{
	if (!begin())
		return;
	to_pod();
	CU_ASSERT(netns_sh(-1, "ip link add simib0v0 type veth peer other"));
	/* It leaves the pod all the same; only the name has to wait. */
	LAB_TWICE(STEP_LINK_HOME, &call);
	CU_ASSERT_FALSE(exists(pod, "net1"));
	SUITE_STR(look_at(HERE, "vfk3b01").alias, "0000:3b:00.1");
	SUITE_INT(lab_step(STEP_LINK_BASELINE, &call), -VFK_E_KERNEL);
	SUITE_STR(lab.err.msg, "VF 0000:3b:00.1: name link vfk3b01 simib0v0: "
			       "the kernel refused: EEXIST");
	SUITE_INT(lab_step(STEP_VERIFY, &call), -VFK_E_KERNEL);
	SUITE_STR(lab.err.msg,
		  "VF 0000:3b:00.1: the link's name is vfk3b01, its baseline simib0v0");
	CU_ASSERT(netns_sh(-1, "ip link del other"));
	LAB_TWICE(STEP_LINK_BASELINE, &call);
	check_home();
	end();
}

/* With the pod's name taken at home as well, the kernel does not move it at all. */
static void both_names_are_taken(void)
{
	if (!begin())
		return;
	to_pod();
	CU_ASSERT(netns_sh(-1, "ip link add simib0v0 type veth peer net1"));
	LAB_TWICE(STEP_LINK_HOME, &call);
	CU_ASSERT_FALSE(exists(pod, "net1"));
	SUITE_STR(look_at(HERE, "vfk3b01").alias, "0000:3b:00.1");
	SUITE_STR(look_at(HERE, "net1").alias, "");
	CU_ASSERT(netns_sh(-1, "ip link del net1"));
	LAB_TWICE(STEP_LINK_HOME, &call); /* now its name is free */
	check_home();
	end();
}

static void baseline_name_is_its_own_altname(void)
{
	if (!begin())
		return;
	CU_ASSERT(netns_sh(-1, "ip link set simib0v0 name other &&"
			       " ip link property add dev other altname simib0v0"));
	LAB_TWICE(STEP_LINK_HOME, &call);
	LAB_TWICE(STEP_LINK_BASELINE, &call);
	check_home();
	end();
}

static void pod_died(void)
{
	if (!begin())
		return;
	to_pod();
	close(pod);
	pod = -1;
	call.netns_fd = -1;
	/* At once, while the kernel may be at it, and when it is long gone. */
	LAB_TWICE(STEP_LINK_HOME, &call);
	LAB_TWICE(STEP_LINK_BASELINE, &call);
	check_home();
	end();
}

/* While a namespace dies the kernel tells the index of its links, but they cannot be looked
 * at any more. */
static void pod_died_and_its_index_is_used(void)
{
	if (!begin())
		return;
	to_pod();
	CU_ASSERT(netns_sh(-1, "ip link add squatter index %u type veth peer other",
			   call.ifindex));
	close(pod);
	pod = -1;
	call.netns_fd = -1;
	LAB_TWICE(STEP_LINK_HOME, &call);
	LAB_TWICE(STEP_LINK_BASELINE, &call);
	check_home();
	SUITE_STR(look_at(HERE, "squatter").alias, "");
	CU_ASSERT(netns_sh(-1, "ip link del squatter"));
	end();
}

static void pod_died_long_ago(void)
{
	if (!begin())
		return;
	to_pod();
	close(pod);
	pod = -1;
	call.netns_fd = -1;
	for (int i = 0; i < 20000 && exists(HERE, "simib0p0"); i++)
		usleep(1000);
	CU_ASSERT_FALSE(exists(HERE, "simib0p0"));
	LAB_TWICE(STEP_LINK_BASELINE, &call);
	check_home();
	LAB_TWICE(STEP_LINK_HOME, &call);
	check_home();
	end();
}

static void pod_lives_but_cannot_be_entered(void)
{
	if (!begin())
		return;
	to_pod();
	call.netns_fd = -1; /* nobody has a path to it any more */
	LAB_TWICE(STEP_LINK_HOME, &call);
	CU_ASSERT_FALSE(exists(pod, "net1"));
	check_home();
	end();
}

static void moved_on_by_the_pod(void)
{
	int nested;

	if (!begin())
		return;
	to_pod();
	nested = netns_pod();
	CU_ASSERT(netns_sh(pod, "ip link set net1 netns /proc/$PPID/fd/%d", nested));
	LAB_TWICE(STEP_LINK_HOME, &call);
	CU_ASSERT_FALSE(exists(nested, "net1"));
	check_home();
	close(nested);
	end();
}

static void home_for_a_pod_that_never_had_it(void)
{
	if (!begin())
		return;
	LAB_TWICE(STEP_LINK_HOME, &call);
	call.netns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	LAB_TWICE(STEP_LINK_HOME, &call);
	close(call.netns_fd);
	check_home();
	end();
}

static void without_a_baseline_the_own_name(void)
{
	if (!begin())
		return;
	to_pod();
	call.baseline.valid = false;
	LAB_TWICE(STEP_LINK_HOME, &call);
	LAB_TWICE(STEP_LINK_BASELINE, &call);
	call.baseline = lab.vf[0].seen;
	check_home();
	end();
}

VFK_SUITE(sim_home, { "a link comes home, and again", home_again },
	  { "P7: a link renamed in the pod comes home without touching the node's own",
	    home_after_a_rename_in_the_pod },
	  { "P7: another link with the VF's index stays in the pod",
	    home_under_a_reused_index },
	  { "a link brought home by hand gets its baseline back", home_by_hand },
	  { "a baseline name taken at home does not keep the link in the pod",
	    baseline_name_is_taken },
	  { "a pod's name that is taken at home too does not keep the link in the pod",
	    both_names_are_taken },
	  { "a baseline name that is its own altname is given back",
	    baseline_name_is_its_own_altname },
	  { "a link whose pod is dying is made again", pod_died },
	  { "another link with the index of a dying one is left alone",
	    pod_died_and_its_index_is_used },
	  { "a link whose pod is gone is made again", pod_died_long_ago },
	  { "a link in a pod that cannot be entered comes home",
	    pod_lives_but_cannot_be_entered },
	  { "a link that the pod moved on comes home", moved_on_by_the_pod },
	  { "a link that never left stays at home", home_for_a_pod_that_never_had_it },
	  { "without a baseline a link gets its own name", without_a_baseline_the_own_name })
