/* SPDX-License-Identifier: Apache-2.0 */
/* The links of simulated VFs, in real network namespaces: how they are made and seen, and each
 * step to the pod once more after itself and after a part of itself.  Home: test_sim_home. */
#include <sys/socket.h>
#include <sys/wait.h>

#include <linux/if.h>

#include "base/log.h"
#include "sim_link_rig.h"

/* --- discover --- */

static void no_line(enum log_level level, const char *line)
{
	(void)level, (void)line;
}

static void links_are_made_once(void)
{
	uint32_t first;

	if (!begin())
		return;
	CU_ASSERT(exists(HERE, "simib0v2") && exists(HERE, "simib0p2"));
	SUITE_STR(look_at(HERE, "simib0v1").alias, "0000:3b:00.2");
	SUITE_STR(lab.vf[1].seen.ifname, "simib0v1");
	SUITE_INT(lab.vf[1].seen.hwaddr_len, 6);
	SUITE_INT(lab.vf[1].seen.hwaddr[5], 2);
	SUITE_INT(lab.vf[1].seen.set.mtu_bytes, 1500);
	SUITE_INT(lab.vf[1].where, WHERE_HOME);
	first = lab.vf[1].ifindex;
	SUITE_INT(look_at(HERE, "simib0v1").ifindex, first);
	SUITE_INT(lab_discover(), 0);
	SUITE_INT(lab.vf[1].ifindex, first);
	end();
}

static void discover_mends(void)
{
	if (!begin())
		return;
	/* Destroyed; renamed by hand; made but not yet marked. */
	CU_ASSERT(netns_sh(-1, "ip link del simib0v0; ip link set simib0v1 name mine;"
			       " ip link set simib0v2 alias ''"));
	SUITE_INT(lab_discover(), 0);
	SUITE_INT(lab.n_vfs, 3);
	for (int i = 0; i < 3; i++)
		SUITE_INT(lab.vf[i].where, WHERE_HOME);
	SUITE_STR(look_at(HERE, "simib0v0").alias, "0000:3b:00.1");
	SUITE_STR(lab.vf[1].seen.ifname, "mine"); /* told, not changed */
	SUITE_STR(look_at(HERE, "simib0v2").alias, "0000:3b:00.3");
	end();
}

static void discover_sees_who_is_away(void)
{
	if (!begin())
		return;
	to_pod();
	SUITE_INT(lab_discover(), 0);
	SUITE_INT(lab.vf[0].where, WHERE_ELSEWHERE);
	SUITE_INT(lab.vf[0].ifindex, call.ifindex);
	CU_ASSERT_FALSE(lab.vf[0].seen.valid);
	SUITE_INT(lab.vf[1].where, WHERE_HOME);
	CU_ASSERT_FALSE(exists(HERE, "simib0v0"));
	end();
}

static void taken_names_hide_one_vf_only(void)
{
	if (!begin())
		return;
	CU_ASSERT(netns_sh(-1, "ip link del simib0v0 && ip link add simib0v0 type veth"
			       " peer foreign && ip link del simib0v1 &&"
			       " ip link add simib0p1 type veth peer foreign1 &&"
			       " ip link set foreign1 alias stranger"));
	log_set_sink(no_line);
	SUITE_INT(lab_discover(), 0);
	SUITE_INT(lab.n_vfs, 3);
	SUITE_INT(lab.vf[0].where, WHERE_UNKNOWN);
	SUITE_INT(lab.vf[1].where, WHERE_UNKNOWN);
	SUITE_INT(lab.vf[2].where, WHERE_HOME);
	call.netns_fd = -1;
	call.ifindex = 0;
	SUITE_INT(lab_step(STEP_VERIFY, &call), -VFK_E_KERNEL);
	SUITE_STR(lab.err.msg, "VF 0000:3b:00.1: make the links simib0v0 and simib0p0: "
			       "the kernel refused: EEXIST");
	call = lab_call(1);
	SUITE_INT(lab_step(STEP_VERIFY, &call), -VFK_E_EXISTS);
	SUITE_STR(lab.err.msg,
		  "VF 0000:3b:00.2: the name simib0p1 is taken by a link that is "
		  "not of VF 0000:3b:00.2");
	log_set_sink(NULL);
	CU_ASSERT(exists(HERE, "simib0v0") && exists(HERE, "foreign1")); /* untouched */
	CU_ASSERT(netns_sh(-1, "ip link del foreign; ip link del foreign1"));
	end();
}

/* Discovery beside discovery, or beside a step that finds the link missing. */
static void makers_at_the_same_time(void)
{
	if (!begin())
		return;
	for (int round = 0; round < 10; round++) {
		int status;

		CU_ASSERT(netns_sh(-1, "for i in 0 1 2; do ip link del simib0v$i; done"));
		for (int k = 0; k < 4; k++) {
			if (fork())
				continue;
			log_set_sink(no_line);
			if (lab_discover() < 0 || lab.n_vfs != 3)
				_exit(1);
			for (int i = 0; i < 3; i++)
				if (lab.vf[i].where != WHERE_HOME)
					_exit(2);
			_exit(0);
		}
		for (int k = 0; k < 4; k++) {
			CU_ASSERT(wait(&status) > 0 && WIFEXITED(status));
			SUITE_INT(WEXITSTATUS(status), 0);
		}
	}
	call = lab_call(0);
	call.ifindex = 0;
	check_home();
	end();
}

/* --- to the pod --- */

static void to_the_pod(void)
{
	struct link link;

	if (!begin())
		return;
	to_pod();
	link = look_at(pod, "net1");
	SUITE_INT(link.ifindex, lab.out.ifindex);
	CU_ASSERT(link.flags & IFF_UP);
	SUITE_STR(link.alias, "0000:3b:00.1");
	CU_ASSERT_NOT_EQUAL(lab.out.netns_cookie, 0);
	CU_ASSERT(lab.out.nsid >= 0);
	SUITE_INT(lab.out.where, WHERE_IN_POD);
	SUITE_INT(lab.out.mtu_bytes, 1500);
	SUITE_INT(lab.out.hwaddr_len, 6);
	CU_ASSERT_FALSE(exists(HERE, "simib0v0"));
	end();
}

static void to_the_pod_again(void)
{
	struct drv_out first;

	if (!begin())
		return;
	to_pod();
	first = lab.out;
	call.ifindex = lab.vf[0].ifindex; /* as before the move */
	to_pod();
	CU_ASSERT_EQUAL(memcmp(&first, &lab.out, sizeof(first)), 0);
	/* Cut short: moved, but neither named nor up. */
	CU_ASSERT(netns_sh(pod, "ip link set net1 down; ip link set net1 name simib0v0"));
	to_pod();
	CU_ASSERT(look_at(pod, "net1").flags & IFF_UP);
	end();
}

static void name_taken_in_the_pod(void)
{
	uint32_t before = 0;

	if (!begin())
		return;
	before = lab.vf[0].ifindex;
	CU_ASSERT(netns_sh(pod, "ip link add net1 type veth peer other"));
	/* An address would not survive a journey to the pod and back. */
	CU_ASSERT(netns_sh(-1, "ip addr add 192.0.2.9/24 dev simib0v0"));
	SUITE_INT(lab_step(STEP_LINK_TO_POD, &call), -VFK_E_EXISTS);
	SUITE_STR(lab.err.msg, "VF 0000:3b:00.1: the pod has a link named net1 already");
	SUITE_INT(look_at(HERE, "simib0v0").ifindex, before);
	CU_ASSERT(netns_sh(-1, "ip addr del 192.0.2.9/24 dev simib0v0"));
	check_home();
	/* In the pod under another name, and the right one is taken. */
	snprintf(call.ifname, sizeof(call.ifname), "free");
	to_pod();
	snprintf(call.ifname, sizeof(call.ifname), "net1");
	SUITE_INT(lab_step(STEP_LINK_TO_POD, &call), -VFK_E_EXISTS);
	SUITE_STR(look_at(pod, "free").alias, "0000:3b:00.1");
	end();
}

/* The kernel moves before it renames: where the name is an altname of the pod's link, or is
 * taken in between, the link stays half way under its old name. */
static void half_way_is_taken_back(void)
{
	VFK_AUTO(vnl_close_auto) struct vnl *home = NULL;
	VFK_AUTO(vnl_close_auto) struct vnl *there = NULL;
	struct link_change ch = LINK_NO_CHANGE;
	struct vfk_err err;
	struct link link;

	if (!begin())
		return;
	CU_ASSERT(netns_sh(pod, "ip link add net1 type veth peer other"));
	link = look_at(HERE, "simib0v0");
	CU_ASSERT_EQUAL_FATAL(vnl_open(&home, NETLINK_ROUTE, -1, &err), 0);
	CU_ASSERT_EQUAL_FATAL(vnl_open(&there, NETLINK_ROUTE, pod, &err), 0);
	/* What the kernel does then, without the look before. */
	ch.netns_fd = pod;
	ch.ifname = "net1";
	SUITE_INT(link_set(home, link.ifindex, &ch, &err), -VFK_E_KERNEL);
	SUITE_INT(err.sys, EEXIST);
	CU_ASSERT(exists(pod, "simib0v0"));
	SUITE_INT(link_back_from_half_way(home, there, &link, &err), 0);
	link = look_at(HERE, "simib0v0"); /* the index may be another one */
	SUITE_STR(link.alias, "0000:3b:00.1");
	CU_ASSERT(exists(pod, "net1"));
	SUITE_INT(link_back_from_half_way(home, there, &link, &err), 0);
	/* Another link of that name in the pod is not taken for ours. */
	CU_ASSERT(netns_sh(pod, "ip link add simib0v0 type veth peer other2"));
	SUITE_INT(link_back_from_half_way(home, there, &link, &err), 0);
	CU_ASSERT(netns_sh(pod, "ip link del simib0v0"));
	/* Where nobody took it back, the step finds it in the pod and still cannot name it;
	 * the way home works. */
	SUITE_INT(link_set(home, link.ifindex, &ch, &err), -VFK_E_KERNEL);
	SUITE_INT(lab_step(STEP_LINK_TO_POD, &call), -VFK_E_EXISTS);
	LAB_TWICE(STEP_LINK_HOME, &call);
	check_home();
	end();
}

static void link_was_destroyed_before(void)
{
	if (!begin())
		return;
	CU_ASSERT(netns_sh(-1, "ip link del simib0v0"));
	to_pod();
	SUITE_STR(look_at(pod, "net1").alias, "0000:3b:00.1");
	end();
}

static void link_is_in_another_pod(void)
{
	int second;
	char want[160];

	if (!begin())
		return;
	to_pod();
	snprintf(want, sizeof(want),
		 "VF 0000:3b:00.1: the link is in another network namespace (nsid %d)",
		 lab.out.nsid);
	second = netns_pod();
	call.netns_fd = second;
	SUITE_INT(lab_step(STEP_LINK_TO_POD, &call), -VFK_E_KERNEL);
	SUITE_STR(lab.err.msg, want);
	SUITE_INT(lab_step(STEP_LINK_SETTINGS, &call), 0); /* nothing is wanted */
	call.wanted = (struct vf_settings){ .has = HAS_MTU, .mtu_bytes = 2000 };
	SUITE_INT(lab_step(STEP_LINK_SETTINGS, &call), -VFK_E_KERNEL);
	SUITE_STR(lab.err.msg, "VF 0000:3b:00.1: the link is not in the pod");
	SUITE_INT(lab_step(STEP_LINK_BASELINE, &call), -VFK_E_KERNEL);
	SUITE_STR(lab.err.msg, want);
	SUITE_INT(lab_step(STEP_VERIFY, &call), -VFK_E_KERNEL);
	SUITE_STR(lab.err.msg, want);
	CU_ASSERT(exists(pod, "net1"));
	close(second);
	end();
}

static void no_pod_no_move(void)
{
	if (!begin())
		return;
	call.netns_fd = -1;
	SUITE_INT(lab_step(STEP_LINK_TO_POD, &call), -VFK_E_NETNS);
	SUITE_STR(lab.err.msg, "VF 0000:3b:00.1: the pod has no network namespace");
	call.netns_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	SUITE_INT(lab_step(STEP_LINK_TO_POD, &call), -VFK_E_NETNS);
	SUITE_STR(lab.err.msg, "VF 0000:3b:00.1: enter the network namespace: EINVAL");
	close(call.netns_fd);
	call.netns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	SUITE_INT(lab_step(STEP_LINK_TO_POD, &call), -VFK_E_NETNS);
	SUITE_STR(lab.err.msg,
		  "VF 0000:3b:00.1: the pod's network namespace is the node's own");
	close(call.netns_fd);
	check_home();
	end();
}

/* --- settings, addresses --- */

static void settings_in_the_pod(void)
{
	const uint8_t mac[6] = { 2, 0xaa, 0, 0, 0, 1 };
	struct link link;

	if (!begin())
		return;
	to_pod();
	call.wanted = (struct vf_settings){ .has = HAS_MTU | HAS_MAC | HAS_PROMISC |
						   HAS_ALLMULTI | HAS_IPOIB_MODE,
					    .mtu_bytes = 2044,
					    .promisc = 1,
					    .allmulti = 1,
					    .ipoib_mode = 1 };
	memcpy(call.wanted.mac, mac, sizeof(mac));
	LAB_TWICE(STEP_LINK_SETTINGS, &call);
	SUITE_INT(lab.out.mtu_bytes, 2044);
	CU_ASSERT_EQUAL(memcmp(lab.out.hwaddr, mac, 6), 0);
	link = look_at(pod, "net1");
	SUITE_INT(link.mtu_bytes, 2044);
	CU_ASSERT_EQUAL(memcmp(link.hwaddr, mac, 6), 0);
	CU_ASSERT((link.flags & IFF_PROMISC) && (link.flags & IFF_ALLMULTI));
	CU_ASSERT(link.flags & IFF_UP);
	/* Renamed by the pod, and with an index that nobody told us. */
	CU_ASSERT(netns_sh(pod, "ip link set net1 down; ip link set net1 name odd"));
	call.ifindex = 0;
	call.wanted.mtu_bytes = 2000;
	LAB_TWICE(STEP_LINK_SETTINGS, &call);
	SUITE_INT(look_at(pod, "odd").mtu_bytes, 2000);
	call.wanted.mtu_bytes = 70000;
	SUITE_INT(lab_step(STEP_LINK_SETTINGS, &call), -VFK_E_KERNEL);
	SUITE_STR(lab.err.msg,
		  "VF 0000:3b:00.1: set up link odd in the pod: "
		  "the kernel refused (mtu greater than device maximum): EINVAL");
	LAB_TWICE(STEP_LINK_HOME, &call);
	SUITE_INT(lab_step(STEP_VERIFY, &call), -VFK_E_KERNEL);
	SUITE_STR(lab.err.msg, "VF 0000:3b:00.1: ipoib_mode is 1, its baseline 0");
	LAB_TWICE(STEP_SETTINGS_HOME, &call);
	SUITE_INT(lab_step(STEP_VERIFY, &call), -VFK_E_KERNEL);
	SUITE_STR(lab.err.msg,
		  "VF 0000:3b:00.1: the link's address is not that of its baseline");
	LAB_TWICE(STEP_LINK_BASELINE, &call);
	check_home();
	end();
}

static struct drv_ip ips[3];
static struct drv_route routes[4];

static void fill_addresses(void)
{
	memset(ips, 0, sizeof(ips));
	memset(routes, 0, sizeof(routes));
	ips[0] = (struct drv_ip){ .family = AF_INET,
				  .prefix_len = 24,
				  .has_gateway = true,
				  .addr = { 10, 1, 2, 3 },
				  .gateway = { 10, 1, 2, 1 } };
	ips[1] = (struct drv_ip){ .family = AF_INET,
				  .prefix_len = 32,
				  .addr = { 10, 9, 9, 9 } };
	ips[2] = (struct drv_ip){ .family = AF_INET6,
				  .prefix_len = 64,
				  .addr = { 0xfd, 1, [15] = 5 } };
	routes[0] = (struct drv_route){ .family = AF_INET, .scope = -1 }; /* default */
	routes[1] = (struct drv_route){ .family = AF_INET,
					.prefix_len = 16,
					.scope = -1,
					.dst = { 10, 7 },
					.has_gateway = true,
					.gateway = { 10, 1, 2, 7 },
					.mtu = 1400,
					.advmss = 1300,
					.priority = 50 };
	routes[2] = (struct drv_route){ .family = AF_INET,
					.prefix_len = 16,
					.scope = 253,
					.dst = { 10, 8 },
					.table = 1000 };
	routes[3] = (struct drv_route){
		.family = AF_INET6, .prefix_len = 48, .scope = -1, .dst = { 0xfd, 2 }
	};
	call.ips = ips;
	call.n_ips = 3;
	call.routes = routes;
	call.n_routes = 4;
}

static void addresses_and_routes(void)
{
	if (!begin())
		return;
	to_pod();
	fill_addresses();
	CU_ASSERT(netns_sh(pod, "echo 1 > /proc/sys/net/ipv6/conf/net1/disable_ipv6"));
	LAB_TWICE(STEP_ADDRESSES, &call);
	CU_ASSERT(netns_sh(pod, "ip -4 addr show net1 | grep -q 'inet 10.1.2.3/24 brd "
				"10.1.2.255 scope global net1'"));
	CU_ASSERT(netns_sh(pod, "ip -4 addr show net1 | grep -q 'inet 10.9.9.9/32'"));
	CU_ASSERT(netns_sh(pod, "ip -6 addr show net1 | grep 'inet6 fd01::5/64' |"
				" grep -vq tentative"));
	CU_ASSERT(netns_sh(pod, "ip route | grep -q '^default via 10.1.2.1 dev net1'"));
	CU_ASSERT(netns_sh(pod, "ip route | grep '^10.7.0.0/16 via 10.1.2.7 dev net1.*"
				"metric 50' | grep 'mtu 1400' | grep -q 'advmss 1300'"));
	CU_ASSERT(netns_sh(pod, "ip route show table 1000 | grep -q '^10.8.0.0/16 dev net1.*"
				"scope link'"));
	CU_ASSERT(netns_sh(pod, "ip -6 route | grep -q '^fd02::/48 dev net1'"));
	CU_ASSERT(netns_sh(pod, "test $(ip -4 addr show net1 | grep -c inet) = 2"));
	end();
}

static void refused_addresses(void)
{
	if (!begin())
		return;
	to_pod();
	fill_addresses();
	routes[1].gateway[2] = 99; /* no address of ours reaches it */
	SUITE_INT(lab_step(STEP_ADDRESSES, &call), -VFK_E_KERNEL);
	SUITE_STR(lab.err.msg,
		  "VF 0000:3b:00.1: add route 10.7.0.0/16: "
		  "the kernel refused (Nexthop has invalid gateway): ENETUNREACH");
	fill_addresses();
	LAB_TWICE(STEP_ADDRESSES, &call); /* the rest of it */
	ips[0].prefix_len = 33;
	SUITE_INT(lab_step(STEP_ADDRESSES, &call), -VFK_E_UNSUPPORTED);
	SUITE_STR(lab.err.msg,
		  "VF 0000:3b:00.1: address of family 2 with prefix length 33");
	end();
}

/* --- looks --- */

static void observed_everywhere(void)
{
	struct drv_call blind;
	int32_t nsid;

	if (!begin())
		return;
	SUITE_INT(lab_observe(&call, -1), 0);
	SUITE_INT(lab.out.where, WHERE_HOME);
	CU_ASSERT_FALSE(lab.out.nsid_alive);
	CU_ASSERT_EQUAL(memcmp(&lab.out.seen, &call.baseline, sizeof(call.baseline)), 0);
	to_pod();
	nsid = lab.out.nsid;
	SUITE_INT(lab_observe(&call, nsid), 0);
	SUITE_INT(lab.out.where, WHERE_IN_POD);
	CU_ASSERT(lab.out.nsid_alive);
	SUITE_INT(lab.out.ifindex, call.ifindex);
	SUITE_STR(lab.out.seen.ifname, "net1");
	blind = call;
	blind.netns_fd = -1;
	SUITE_INT(lab_observe(&blind, nsid), 0);
	SUITE_INT(lab.out.where, WHERE_IN_POD);
	SUITE_INT(lab_observe(&blind, -1), 0);
	SUITE_INT(lab.out.where, WHERE_ELSEWHERE);
	SUITE_INT(lab_observe(&call, -1), 0); /* by the descriptor alone */
	SUITE_INT(lab.out.where, WHERE_IN_POD);
	close(pod);
	pod = -1;
	/* The pod's end brings the link home; its id names nothing any more.  Sockets that
	 * were closed just now keep it for a moment. */
	for (int i = 0; i < 20000; i++) {
		SUITE_INT(lab_observe(&blind, nsid), 0);
		if (!lab.out.nsid_alive)
			break;
		usleep(1000);
	}
	SUITE_INT(lab_observe(&blind, nsid), 0);
	SUITE_INT(lab.out.where, WHERE_HOME);
	CU_ASSERT_FALSE(lab.out.nsid_alive);
	call.netns_fd = -1;
	check_home();
	end();
}

static void identified_by_its_pod(void)
{
	pci_addr_t addr = 7;
	char pci[PCI_STRLEN];

	if (!begin())
		return;
	SUITE_INT(lab.drv->identify(&lab.env, pod, "net1", &addr, &lab.err), 0);
	CU_ASSERT_EQUAL(addr, PCI_NONE);
	to_pod();
	SUITE_INT(lab.drv->identify(&lab.env, pod, "net1", &addr, &lab.err), 0);
	SUITE_STR(pci_format(addr, pci), "0000:3b:00.1");
	SUITE_INT(lab.drv->identify(&lab.env, pod, "lo", &addr, &lab.err), 0);
	CU_ASSERT_EQUAL(addr, PCI_NONE);
	/* A pod's own link that claims to be a VF: another one, and one at home. */
	CU_ASSERT(netns_sh(pod,
			   "ip link add fake1 index %u type veth peer fake &&"
			   " ip link set fake alias 0000:3b:00.1 &&"
			   " ip link set fake1 alias 0000:3b:00.2",
			   lab.vf[1].ifindex));
	SUITE_INT(lab.drv->identify(&lab.env, pod, "fake", &addr, &lab.err), 0);
	CU_ASSERT_EQUAL(addr, PCI_NONE);
	SUITE_INT(lab.drv->identify(&lab.env, pod, "fake1", &addr, &lab.err), 0);
	CU_ASSERT_EQUAL(addr, PCI_NONE);
	end();
}

static void linkless_pods_are_known_too(void)
{
	uint64_t cookie;

	if (!begin())
		return;
	lab_begin("[sim]\nlinks = no\n[pf 0000:5b:00.0]\nname = simvf0\nvfs = 1\n");
	SUITE_INT(lab_discover(), 0);
	CU_ASSERT_FALSE(exists(HERE, "simvf0v0"));
	call = lab_call(0);
	call.netns_fd = pod;
	LAB_TWICE(STEP_LINK_TO_POD, &call);
	cookie = lab.out.netns_cookie;
	CU_ASSERT_NOT_EQUAL(cookie, 0);
	CU_ASSERT(lab.out.nsid >= 0);
	SUITE_INT(lab.out.ifindex, 0);
	SUITE_INT(lab_observe(&call, lab.out.nsid), 0);
	SUITE_INT(lab.out.where, WHERE_HOME);
	CU_ASSERT(lab.out.nsid_alive);
	fill_addresses();
	LAB_TWICE(STEP_ADDRESSES, &call);
	LAB_TWICE(STEP_LINK_HOME, &call);
	LAB_TWICE(STEP_LINK_BASELINE, &call);
	LAB_TWICE(STEP_VERIFY, &call);
	end();
}

VFK_SUITE(sim_link, { "links are made once and known again", links_are_made_once },
	  { "discover makes what is missing and tells what was changed", discover_mends },
	  { "discover tells which link is not at home", discover_sees_who_is_away },
	  { "a name taken by a stranger hides one VF, and the stranger stays",
	    taken_names_hide_one_vf_only },
	  { "links missing at the same time for several are made once",
	    makers_at_the_same_time },
	  { "a link goes to the pod, named and up, and the pod is known", to_the_pod },
	  { "a link that is in the pod already is finished there", to_the_pod_again },
	  { "a name that is taken in the pod is refused and nothing is moved",
	    name_taken_in_the_pod },
	  { "a link that the kernel left half way comes home", half_way_is_taken_back },
	  { "a destroyed link is made again on its way to the pod",
	    link_was_destroyed_before },
	  { "a link in another pod is not taken from there", link_is_in_another_pod },
	  { "without a pod nothing is moved", no_pod_no_move },
	  { "settings are made in the pod and taken back at home", settings_in_the_pod },
	  { "addresses and routes are made in the pod", addresses_and_routes },
	  { "a refused address or route is named", refused_addresses },
	  { "a VF is observed at home, in its pod and elsewhere", observed_everywhere },
	  { "a link in a pod is identified, a false one is not", identified_by_its_pod },
	  { "a VF without link knows its pod too", linkless_pods_are_known_too })
