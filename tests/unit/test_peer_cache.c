/* SPDX-License-Identifier: Apache-2.0 */
/* The files of ib-sriov-cni and sriov-cni.  The texts are what their releases left on a disk. */
#include "cni/cni.h"
#include "cni/peer_cache.h"
#include "suite.h"

/* ib-sriov-cni 1.0.2, in the order of its struct; 1.3.0, sorted. */
#define IB_OLD                                                                                  \
	"{\"cniVersion\":\"0.4.0\",\"name\":\"net\",\"type\":\"ib-sriov\",\"ipam\":{\"type\":"  \
	"\"okipam\"},\"dns\":{},\"Master\":\"ib0\",\"deviceID\":\"0001:3b:00.1\",\"VFID\":0,"   \
	"\"HostIFNames\":\"ib1\",\"HostIFGUID\":\"02:00:00:00:00:00:bb:01\",\"ContIFNames\":"   \
	"\"net1\",\"pkey\":\"\",\"link_state\":\"enable\",\"RdmaNetState\":{\"version\":\"\","  \
	"\"deviceID\":\"\",\"sandboxRdmaDevName\":\"\",\"containerRdmaDevName\":\"\"},"         \
	"\"runtimeConfig\":{\"infinibandGUID\":\"02:00:00:00:00:00:bb:02\"},\"args\":{\"cni\":" \
	"null}}"
#define IB_PLAIN                                                                               \
	"{\"ContIFNames\":\"net1\",\"HostIFGUID\":\"\",\"HostIFNames\":\"ib1\",\"Master\":"    \
	"\"ib0\",\"RdmaNetState\":{\"containerRdmaDevName\":\"\",\"deviceID\":\"\","           \
	"\"sandboxRdmaDevName\":\"\",\"version\":\"\"},\"VFID\":0,\"args\":{\"cni\":null},"    \
	"\"cniVersion\":\"0.4.0\",\"deviceID\":\"0001:3b:00.1\",\"dns\":{\"nameservers\":["    \
	"\"10.5.0.53\"],\"search\":[\"a.example\"]},\"ipam\":{\"type\":\"host-local\"},"       \
	"\"name\":\"net\",\"pkey\":\"\",\"runtimeConfig\":{\"infinibandGUID\":\"\"},\"type\":" \
	"\"ib-sriov\"}"
#define IB_GUID                                                                                 \
	"{\"ContIFNames\":\"net1\",\"HostIFGUID\":\"02:00:00:00:00:00:bb:01\",\"HostIFNames\":" \
	"\"ib1\",\"Master\":\"ib0\",\"RdmaNetState\":{\"containerRdmaDevName\":\"\","           \
	"\"deviceID\":\"\",\"sandboxRdmaDevName\":\"\",\"version\":\"\"},\"VFID\":0,\"args\":{" \
	"\"cni\":null},\"cniVersion\":\"0.4.0\",\"deviceID\":\"0001:3b:00.1\",\"ipam\":{"       \
	"\"type\":\"delfailipam\"},\"link_state\":\"enable\",\"name\":\"net\",\"pkey\":\"\","   \
	"\"runtimeConfig\":{\"infinibandGUID\":\"02:00:00:00:00:00:bb:01\"},\"type\":"          \
	"\"ib-sriov\"}"
#define IB_MARKED                                                                              \
	"{\"ContIFNames\":\"net1\",\"HostIFGUID\":\"\",\"HostIFNames\":\"ib1\",\"Master\":"    \
	"\"ib0\",\"RdmaNetState\":{\"containerRdmaDevName\":\"mlx5_1\",\"deviceID\":"          \
	"\"0001:3b:00.1\",\"sandboxRdmaDevName\":\"mlx5_1\",\"version\":\"\"},\"VFID\":0,"     \
	"\"args\":{\"cni\":{\"guid\":\"02:00:00:00:00:00:bb:62\",\"mellanox.infiniband.app\":" \
	"\"configured\"}},\"cniVersion\":\"0.4.0\",\"deviceID\":\"0001:3b:00.1\","             \
	"\"ibKubernetesEnabled\":true,\"ipam\":{},\"name\":\"net\",\"pkey\":\"0x5\","          \
	"\"rdmaIsolation\":true,\"runtimeConfig\":{\"infinibandGUID\":\"\"},\"type\":"         \
	"\"ib-sriov\"}"
/* sriov-cni 2.10.0. */
#define ETH_PLAIN                                                                               \
	"{\"MAC\":\"\",\"MTU\":1500,\"Master\":\"eth0\",\"OrigVfState\":{\"AdminMAC\":"         \
	"\"00:00:00:00:00:00\",\"EffectiveMAC\":\"02:11:22:33:44:00\",\"HostIFName\":\"eth1\"," \
	"\"LinkState\":0,\"MTU\":1500,\"MaxTxRate\":0,\"MinTxRate\":0,\"SpoofChk\":true,"       \
	"\"Trust\":false,\"Vlan\":0,\"VlanProto\":33024,\"VlanQoS\":0},\"VFID\":0,"             \
	"\"cniVersion\":\"0.4.0\",\"deviceID\":\"0001:3b:00.1\",\"ipam\":{},\"max_tx_rate\":"   \
	"null,\"min_tx_rate\":null,\"name\":\"net\",\"runtimeConfig\":{},\"type\":\"sriov\","   \
	"\"vlan\":null,\"vlanProto\":null,\"vlanQoS\":null}"
#define ETH_ALL                                                                                \
	"{\"MAC\":\"02:aa:aa:aa:aa:85\",\"MTU\":1400,\"Master\":\"eth0\",\"OrigVfState\":{"    \
	"\"AdminMAC\":\"02:0e:0e:0e:0e:01\",\"EffectiveMAC\":\"02:11:22:33:44:00\","           \
	"\"HostIFName\":\"eth1\",\"LinkState\":2,\"MTU\":1400,\"MaxTxRate\":50,\"MinTxRate\":" \
	"0,\"SpoofChk\":false,\"Trust\":true,\"Vlan\":7,\"VlanProto\":33024,\"VlanQoS\":1},"   \
	"\"VFID\":0,\"cniVersion\":\"0.4.0\",\"deviceID\":\"0001:3b:00.1\",\"ipam\":{},"       \
	"\"link_state\":\"enable\",\"max_tx_rate\":100,\"min_tx_rate\":10,\"name\":\"net\","   \
	"\"runtimeConfig\":{},\"spoofchk\":\"off\",\"trust\":\"on\",\"type\":\"sriov\","       \
	"\"vlan\":85,\"vlanProto\":\"802.1q\",\"vlanQoS\":2}"

static void split(const char *file, const char *ifname, const char *container,
		  const char *interface)
{
	struct attachment att;

	peer_cache_split(file, ifname, &att);
	SUITE_STR(att.container, container);
	SUITE_STR(att.ifname, interface);
}

static void names(void)
{
	char id[65], file[100];

	memset(id, 'a', 64);
	id[64] = '\0';
	split("c1-net1", "", "c1", "net1");
	split("c-1-net1", "", "c-1", "net1");
	split("c1-my-if", "my-if", "c1", "my-if");
	split("c1-my-if", "other", "c1-my", "if");
	snprintf(file, sizeof(file), "%s-my-if", id);
	split(file, "", id, "my-if");
	split("nodash", "", "nodash", "");
	split("", "", "", "");
	split("-net1", "net1", "", "net1");
	split("c1-sixteen-letters", "", "c1-sixteen", "letters");
	split("c1-averyverylongname1", "", "c1", ""); /* no interface has that */
}

static int try_read(const char *text, struct peer_cache *out, struct vfk_err *err)
{
	memset(err, 0, sizeof(*err));
	return peer_cache_read(out, text, strlen(text), err);
}

static void reads_every_release(void)
{
	static const char *const texts[] = { IB_OLD,	IB_PLAIN,  IB_GUID,
					     IB_MARKED, ETH_PLAIN, ETH_ALL };
	struct peer_cache c;
	struct vfk_err err;
	pci_addr_t vf = 0;

	CU_ASSERT_TRUE(pci_parse("0001:3b:00.1", &vf));
	for (size_t i = 0; i < VFK_ARRAY_SIZE(texts); i++) {
		SUITE_INT(try_read(texts[i], &c, &err), 0);
		CU_ASSERT_EQUAL(c.device, vf);
		SUITE_STR(c.network, "net");
		SUITE_STR(c.ifname, i < 4 ? "net1" : "");
	}
}

static void says_what_is_wrong(void)
{
	struct peer_cache c;
	struct vfk_err err;
	char half[200];

	snprintf(half, sizeof(half), "%.150s", IB_PLAIN);
	SUITE_INT(try_read("", &c, &err), -VFK_E_DECODE);
	SUITE_STR(err.msg, "it is empty");
	SUITE_INT(try_read(half, &c, &err), -VFK_E_DECODE);
	SUITE_STR(err.msg, "it is damaged, not a JSON object");
	SUITE_INT(try_read("\xff\x01\x02", &c, &err), -VFK_E_DECODE);
	SUITE_INT(try_read("[]", &c, &err), -VFK_E_DECODE);
	SUITE_INT(try_read("{\"cniVersion\":\"0.4.0\",\"ipam\":{\"type\":\"okipam\"},\"name\":"
			   "\"net\",\"type\":\"ib-sriov\"}",
			   &c, &err),
		  -VFK_E_DECODE);
	SUITE_STR(err.msg, "it names no VF, as some releases of the plugin wrote it");
	SUITE_INT(try_read("{\"cniVersion\":5,\"deviceID\":[],\"VFID\":\"x\"}", &c, &err),
		  -VFK_E_DECODE);
	SUITE_STR(err.msg, "its deviceID is not the PCI address of a VF");
	SUITE_INT(try_read("{\"deviceID\":\"0000:3b:00.1\",\"name\":\"a/b\"}", &c, &err),
		  -VFK_E_DECODE);
	SUITE_STR(err.msg, "it names no network");
}

static struct vf_baseline before(const char *text, enum cni_dialect dialect,
				 const struct vf_baseline *seen)
{
	struct vf_baseline base = { .valid = false };
	json_t *conf = json_loads(text, 0, NULL);

	if (seen)
		base = *seen;
	peer_cache_before(conf, dialect, &base);
	json_decref(conf);
	return base;
}

static void ib_before(void)
{
	const struct vf_baseline seen = { .valid = true,
					  .ifname = "net1",
					  .driver = "mlx5_core",
					  .hwaddr_len = 20,
					  .set = { .has = HAS_MTU | HAS_PROMISC |
							  HAS_PORT_GUID | HAS_TRUST,
						   .mtu_bytes = 9000,
						   .promisc = 1,
						   .trust = 1,
						   .port_guid = 5 } };
	struct vf_baseline b = before(IB_OLD, DIALECT_IB_SRIOV, &seen);

	CU_ASSERT_TRUE(b.valid);
	SUITE_STR(b.ifname, "ib1");
	SUITE_STR(b.driver, "mlx5_core");
	CU_ASSERT_EQUAL(b.set.port_guid, UINT64_C(0x020000000000bb01));
	CU_ASSERT_EQUAL(b.set.node_guid, UINT64_C(0x020000000000bb01));
	/* What the pod may have done is nobody's state before. */
	SUITE_INT(b.set.has, HAS_TRUST | HAS_PORT_GUID | HAS_NODE_GUID | HAS_LINK_STATE |
				     HAS_PROMISC | HAS_ALLMULTI);
	SUITE_INT(b.set.promisc, 0);
	SUITE_INT(b.set.link_state, LINK_STATE_AUTO);
	SUITE_INT(b.hwaddr_len, 0);
	b = before(IB_MARKED, DIALECT_IB_SRIOV, NULL);
	SUITE_STR(b.rdma_dev, "mlx5_1");
	SUITE_INT(b.set.has, HAS_PROMISC | HAS_ALLMULTI);
}

static void eth_before(void)
{
	const struct vf_baseline seen = { .valid = true,
					  .set = { .has = HAS_VLAN | HAS_MAC | HAS_SPOOFCHK,
						   .vlan = 85 } };
	struct vf_baseline b = before(ETH_ALL, DIALECT_SRIOV, NULL);

	SUITE_STR(b.ifname, "eth1");
	SUITE_INT(b.hwaddr_len, 6);
	CU_ASSERT_EQUAL(memcmp(b.hwaddr, "\x02\x11\x22\x33\x44\x00", 6), 0);
	CU_ASSERT_EQUAL(memcmp(b.set.mac, "\x02\x0e\x0e\x0e\x0e\x01", 6), 0);
	SUITE_INT(b.set.has,
		  peer_can_set(DIALECT_SRIOV) | HAS_MTU | HAS_PROMISC | HAS_ALLMULTI);
	SUITE_INT(b.set.promisc + b.set.allmulti, 0);
	SUITE_INT(b.set.vlan, 7);
	SUITE_INT(b.set.qos, 1);
	SUITE_INT(b.set.vlan_proto, 0x8100);
	SUITE_INT(b.set.max_tx_mbps, 50);
	SUITE_INT(b.set.min_tx_mbps, 0);
	SUITE_INT(b.set.link_state, LINK_STATE_DISABLE);
	SUITE_INT(b.set.spoofchk, 0);
	SUITE_INT(b.set.trust, 1);
	SUITE_INT(b.set.mtu_bytes, 1400);
	/* A device without rates is never told to have one. */
	b = before(ETH_ALL, DIALECT_SRIOV, &seen);
	SUITE_INT(b.set.has, HAS_VLAN | HAS_MAC | HAS_SPOOFCHK | HAS_MTU | HAS_PROMISC |
				     HAS_ALLMULTI);
	SUITE_INT(b.set.vlan, 7);
}

/* --- writing --- */

static struct vf_settings wanted;
static struct vf_baseline was;
static struct peer_attached attached;
static json_t *conf;

static void attach(enum cni_dialect dialect, const char *text)
{
	json_decref(conf);
	conf = text ? json_loads(text, 0, NULL) : NULL;
	memset(&wanted, 0, sizeof(wanted));
	was = (struct vf_baseline){ .valid = true };
	attached = (struct peer_attached){ .dialect = dialect,
					   .att = { "net", "c1", "net1" },
					   .pf_ifname = dialect == DIALECT_IB_SRIOV ?
								"ib0" :
								"eth0",
					   .wanted = &wanted,
					   .before = &was,
					   .ipam_type = "",
					   .conf = conf };
	CU_ASSERT_TRUE(pci_parse("0001:3b:00.1", &attached.device));
	snprintf(was.ifname, sizeof(was.ifname), "%s",
		 dialect == DIALECT_IB_SRIOV ? "ib1" : "eth1");
	if (dialect == DIALECT_SRIOV) {
		was.hwaddr_len = 6;
		memcpy(was.hwaddr, "\x02\x11\x22\x33\x44\x00", 6);
		was.set.has = HAS_MTU | HAS_MAC | HAS_SPOOFCHK;
		was.set.mtu_bytes = 1500;
		was.set.spoofchk = 1;
	}
}

static void writes(const char *text)
{
	struct vfk_err err = { 0 };
	char *is = peer_cache_print(&attached, &err);

	SUITE_STR(is, text);
	free(is);
}

static void refuses(const char *line)
{
	struct vfk_err err = { 0 };
	char *is = peer_cache_print(&attached, &err);

	CU_ASSERT_PTR_NULL(is);
	SUITE_INT(err.kind, VFK_E_UNSUPPORTED);
	SUITE_STR(err.msg, line);
	free(is);
}

static void ib_files(void)
{
	attach(DIALECT_IB_SRIOV,
	       "{\"cniVersion\":\"0.4.0\",\"name\":\"net\",\"type\":\"ib-sriov\",\"dns\":{"
	       "\"nameservers\":[\"10.5.0.53\"],\"search\":[\"a.example\"]},\"ipam\":{\"type\":"
	       "\"host-local\",\"ranges\":[[{\"subnet\":\"10.5.0.0/24\"}]]}}");
	attached.ipam_type = "host-local";
	writes(IB_PLAIN);

	attach(DIALECT_IB_SRIOV, "{\"cniVersion\":\"0.4.0\"}");
	attached.ipam_type = "delfailipam";
	wanted = (struct vf_settings){ .has = HAS_NODE_GUID | HAS_PORT_GUID | HAS_LINK_STATE,
				       .link_state = LINK_STATE_ENABLE,
				       .node_guid = UINT64_C(0x020000000000bb01),
				       .port_guid = UINT64_C(0x020000000000bb01) };
	was.set = (struct vf_settings){ .has = HAS_NODE_GUID | HAS_PORT_GUID,
					.node_guid = UINT64_C(0x020000000000bb01),
					.port_guid = UINT64_C(0x020000000000bb01) };
	writes(IB_GUID);
	was.set.node_guid = 7;
	refuses("its node GUID was another than its port GUID, and ib-sriov keeps one for "
		"both");

	attach(DIALECT_IB_SRIOV,
	       "{\"cniVersion\":\"0.4.0\",\"pkey\":\"0x5\",\"ibKubernetesEnabled\":true,"
	       "\"args\":{\"cni\":{\"guid\":\"02:00:00:00:00:00:bb:62\","
	       "\"mellanox.infiniband.app\":\"configured\",\"debug\":1}}}");
	wanted.has = HAS_RDMA_ISOLATION;
	wanted.rdma_isolation = 1;
	snprintf(was.rdma_dev, sizeof(was.rdma_dev), "mlx5_1");
	writes(IB_MARKED);
}

static void eth_files(void)
{
	attach(DIALECT_SRIOV, "{\"cniVersion\":\"0.4.0\"}");
	writes(ETH_PLAIN);
	wanted = (struct vf_settings){
		.has = peer_can_set(DIALECT_SRIOV),
		.mac = { 2, 0xaa, 0xaa, 0xaa, 0xaa, 0x85 },
		.vlan = 85,
		.qos = 2,
		.vlan_proto = 0x8100,
		.min_tx_mbps = 10,
		.max_tx_mbps = 100,
		.trust = 1,
		.link_state = LINK_STATE_ENABLE,
	};
	was.set = (struct vf_settings){
		.has = peer_can_set(DIALECT_SRIOV) | HAS_MTU,
		.mac = { 2, 0x0e, 0x0e, 0x0e, 0x0e, 1 },
		.vlan = 7,
		.qos = 1,
		.vlan_proto = 0x8100,
		.max_tx_mbps = 50,
		.trust = 1,
		.link_state = LINK_STATE_DISABLE,
		.mtu_bytes = 1400,
	};
	writes(ETH_ALL);
}

static void what_they_cannot_undo(void)
{
	attach(DIALECT_IB_SRIOV, NULL);
	attached.user_space = true;
	refuses("it is for user space, which ib-sriov forgets until its DEL");
	attach(DIALECT_SRIOV, NULL);
	attached.own_ipam = true;
	refuses("its addresses are of IPAM type vfkeeper, which sriov could not release");
	attach(DIALECT_SRIOV, NULL);
	was.ifname[0] = '\0';
	refuses("what it was like before is not on record");
	attach(DIALECT_IB_SRIOV, NULL);
	wanted.has = HAS_MTU;
	refuses("ib-sriov would not undo its mtu");
	attach(DIALECT_SRIOV, NULL);
	wanted.has = HAS_PROMISC | HAS_MTU;
	refuses("sriov would not undo its promisc");
	wanted.has = HAS_SCRUB;
	wanted.scrub = 1;
	refuses("sriov would not undo its scrub");
	wanted.has = HAS_RDMA_ISOLATION;
	wanted.rdma_isolation = 1;
	refuses("sriov would not undo its rdmaIsolation");
	json_decref(conf);
	conf = NULL;
}

/* What is read of a file that was written says what was written. */
static void there_and_back(void)
{
	struct vfk_err err = { 0 };
	struct vf_baseline b;
	char *text;

	attach(DIALECT_SRIOV, NULL);
	was.set.has = peer_can_set(DIALECT_SRIOV) | HAS_MTU | HAS_PROMISC | HAS_ALLMULTI;
	was.set.vlan_proto = 0x8100;
	text = peer_cache_print(&attached, &err);
	b = before(text, DIALECT_SRIOV, NULL);
	SUITE_STR(b.ifname, was.ifname);
	CU_ASSERT_EQUAL(memcmp(&b.set, &was.set, sizeof(b.set)), 0);
	free(text);
	json_decref(conf);
	conf = NULL;
}

VFK_SUITE(peer_cache, { "a file's name is a container and an interface", names },
	  { "the files of every release can be read", reads_every_release },
	  { "a file that is no use is told by one line", says_what_is_wrong },
	  { "ib-sriov-cni: what the VF was like before", ib_before },
	  { "sriov-cni: what the VF was like before", eth_before },
	  { "files of ib-sriov-cni are written as it writes them", ib_files },
	  { "files of sriov-cni are written as it writes them", eth_files },
	  { "what the plugins cannot undo is refused", what_they_cannot_undo },
	  { "what was written is read again", there_and_back })
