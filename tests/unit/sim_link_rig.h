/* SPDX-License-Identifier: Apache-2.0 */
/* A node with simulated VFs whose links are real, and a pod. */
#ifndef VFK_TESTS_SIM_LINK_RIG_H
#define VFK_TESTS_SIM_LINK_RIG_H

#include <linux/if.h>

#include "netns.h"
#include "simlab.h"

#define ONE_PF "[pf 0000:3b:00.0]\nname = simib0\nvfs = 3\n"

/* A node with three VFs, and VF 0 ready to be attached to a new pod. */
static struct drv_call call;
static int pod;

static inline bool begin(void)
{
	if (!netns_private())
		return false;
	lab_begin(ONE_PF);
	SUITE_INT(lab_discover(), 0);
	SUITE_STR(lab.err.msg, "");
	SUITE_INT(lab.n_vfs, 3);
	pod = netns_pod();
	call = lab_call(0);
	call.netns_fd = pod;
	return true;
}

static inline void end(void)
{
	if (pod >= 0)
		close(pod);
	CU_ASSERT(netns_sh(-1, "for i in 0 1 2; do ip link del simib0p$i 2>/dev/null; done;"
			       " true"));
	lab_end();
}

static inline struct link look_at(int netns_fd, const char *name)
{
	VFK_AUTO(vnl_close_auto) struct vnl *nl = NULL;
	struct link link = { 0 };
	struct vfk_err err;

	CU_ASSERT_EQUAL_FATAL(vnl_open(&nl, NETLINK_ROUTE, netns_fd, &err), 0);
	if (link_get(nl, LINK_HERE, 0, name, &link, &err) != 1)
		memset(&link, 0, sizeof(link));
	return link;
}

#define HERE (-1)
static inline bool exists(int netns_fd, const char *name)
{
	return look_at(netns_fd, name).ifindex != 0;
}

static inline void to_pod(void)
{
	SUITE_INT(lab_step(STEP_LINK_TO_POD, &call), 0);
	SUITE_STR(lab.err.msg, "");
	call.ifindex = lab.out.ifindex;
}

/* VF 0 is as it was when it was discovered. */
static inline void check_home(void)
{
	struct link link = look_at(HERE, "simib0v0");
	struct drv_call now = call;

	SUITE_STR(link.alias, "0000:3b:00.1");
	SUITE_INT(link.flags & IFF_UP, 0);
	now.netns_fd = -1;
	now.ifindex = 0;
	SUITE_INT(lab_step(STEP_VERIFY, &now), 0);
	SUITE_STR(lab.err.msg, "");
	SUITE_INT(lab.out.ifindex, link.ifindex);
	SUITE_INT(lab.out.where, WHERE_HOME);
}

#endif
