/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/peer_cache.h"

#include <stdio.h>
#include <string.h>

#include "base/octets.h"
#include "cni/cni-internal.h"
#include "cni/json_print.h"

#define HEX_ID_LEN 64
#define VLAN_PROTO_Q 0x8100
#define VLAN_PROTO_AD 0x88a8
#define FILTERS (uint32_t)(HAS_PROMISC | HAS_ALLMULTI)

const char *peer_name(enum cni_dialect dialect)
{
	return dialect == DIALECT_IB_SRIOV ? "ib-sriov" : "sriov";
}

/* --- reading --- */

void peer_cache_split(const char *file, const char *ifname, struct attachment *att)
{
	const char *dash = strrchr(file, '-');
	size_t len = strlen(file), n = strspn(file, "0123456789abcdef");
	size_t tail = strlen(ifname);

	memset(att, 0, sizeof(*att));
	if (tail && len > tail + 1 && file[len - tail - 1] == '-' &&
	    !strcmp(file + len - tail, ifname))
		n = len - tail - 1;
	else if (n != HEX_ID_LEN || file[n] != '-')
		n = dash ? (size_t)(dash - file) : len;
	snprintf(att->container, sizeof(att->container), "%.*s", (int)n, file);
	if (file[n] == '-' && len - n - 1 <= IFNAME_LEN_MAX)
		memcpy(att->ifname, file + n + 1, len - n);
}

static const char *text_of(const json_t *obj, const char *key)
{
	const char *text = cni_json_text(cni_json_find(obj, key));

	return text ? text : "";
}

int peer_cache_read(struct peer_cache *out, const char *text, size_t len,
		    struct vfk_err *err)
{
	const char *device, *network;
	char why[256];
	bool no_memory;
	json_t *doc;
	int rc = 0;

	memset(out, 0, sizeof(*out));
	if (!len)
		return vfk_err_set(err, VFK_E_DECODE, 0, "it is empty");
	doc = cni_json_load(text, len, why, sizeof(why), &no_memory);
	if (!doc && no_memory)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "out of memory");
	if (!json_is_object(doc)) {
		json_decref(doc);
		return vfk_err_set(err, VFK_E_DECODE, 0,
				   "it is damaged, not a JSON object");
	}
	device = text_of(doc, "deviceID");
	network = text_of(doc, "name");
	if (!cni_json_find(doc, "deviceID"))
		rc = vfk_err_set(err, VFK_E_DECODE, 0,
				 "it names no VF, as some releases of the plugin wrote it");
	else if (!pci_parse(device, &out->device))
		rc = vfk_err_set(err, VFK_E_DECODE, 0,
				 "its deviceID is not the PCI address of a VF");
	else if (!cni_name_valid(network) || strlen(network) > NAME_LEN_MAX)
		rc = vfk_err_set(err, VFK_E_DECODE, 0, "it names no network");
	if (rc == 0)
		memcpy(out->network, network, strlen(network) + 1);
	snprintf(out->ifname, sizeof(out->ifname), "%s", text_of(doc, "ContIFNames"));
	json_decref(doc);
	return rc;
}

uint32_t peer_can_set(enum cni_dialect dialect)
{
	if (dialect == DIALECT_IB_SRIOV)
		return HAS_LINK_STATE | HAS_NODE_GUID | HAS_PORT_GUID | HAS_RDMA_ISOLATION;
	return HAS_LINK_STATE | HAS_MAC | HAS_VLAN | HAS_MIN_TX | HAS_MAX_TX |
	       HAS_SPOOFCHK | HAS_TRUST;
}

static void before_ib(const json_t *conf, struct vf_baseline *base)
{
	const json_t *rdma = cni_json_find(conf, "RdmaNetState");
	uint8_t octets[8];
	uint64_t guid = 0;

	snprintf(base->ifname, sizeof(base->ifname), "%s", text_of(conf, "HostIFNames"));
	snprintf(base->rdma_dev, sizeof(base->rdma_dev), "%s",
		 text_of(rdma, "sandboxRdmaDevName"));
	/* It has one for both, and sets both to it. */
	if (cni_octets(text_of(conf, "HostIFGUID"), 8, octets)) {
		for (unsigned i = 0; i < sizeof(octets); i++)
			guid = guid << 8 | octets[i];
		base->set.node_guid = base->set.port_guid = guid;
		base->set.has |= HAS_NODE_GUID | HAS_PORT_GUID;
	}
	if (text_of(conf, "link_state")[0]) {
		base->set.link_state = LINK_STATE_AUTO;
		base->set.has |= HAS_LINK_STATE;
	}
}

static int64_t number_of(const json_t *obj, const char *key, bool *there)
{
	int64_t value = 0;

	*there = cni_json_int(cni_json_find(obj, key), &value);
	return *there ? value : 0;
}

static void before_eth(const json_t *conf, struct vf_baseline *base)
{
	const json_t *was = cni_json_find(conf, "OrigVfState"), *on;
	uint32_t seen = base->valid ? base->set.has : peer_can_set(DIALECT_SRIOV);
	struct vf_settings *set = &base->set;
	uint32_t has = 0;
	bool there;

	snprintf(base->ifname, sizeof(base->ifname), "%s", text_of(was, "HostIFName"));
	if (cni_octets(text_of(was, "EffectiveMAC"), 6, base->hwaddr))
		base->hwaddr_len = 6;
	if (cni_octets(text_of(was, "AdminMAC"), 6, set->mac))
		has |= HAS_MAC;
	set->vlan = (uint16_t)number_of(was, "Vlan", &there);
	has |= there ? HAS_VLAN : 0;
	set->qos = (uint16_t)number_of(was, "VlanQoS", &there);
	set->vlan_proto = (uint16_t)number_of(was, "VlanProto", &there);
	if (!set->vlan_proto)
		set->vlan_proto = VLAN_PROTO_Q;
	set->min_tx_mbps = (uint32_t)number_of(was, "MinTxRate", &there);
	has |= there ? HAS_MIN_TX : 0;
	set->max_tx_mbps = (uint32_t)number_of(was, "MaxTxRate", &there);
	has |= there ? HAS_MAX_TX : 0;
	set->link_state = (uint8_t)number_of(was, "LinkState", &there);
	has |= there ? HAS_LINK_STATE : 0;
	on = cni_json_find(was, "SpoofChk");
	set->spoofchk = json_is_true(on);
	has |= json_is_boolean(on) ? HAS_SPOOFCHK : 0;
	on = cni_json_find(was, "Trust");
	set->trust = json_is_true(on);
	has |= json_is_boolean(on) ? HAS_TRUST : 0;
	/* What the device does not report can neither have been changed. */
	set->has = (set->has & ~peer_can_set(DIALECT_SRIOV)) | (has & seen);
	set->mtu_bytes = (uint32_t)number_of(was, "MTU", &there);
	if (there && set->mtu_bytes)
		set->has |= HAS_MTU;
}

void peer_cache_before(const json_t *conf, enum cni_dialect dialect,
		       struct vf_baseline *base)
{
	/* A pod can have changed these, and they are not kept. */
	base->set.has &= ~(uint32_t)(HAS_MTU | HAS_IPOIB_MODE | FILTERS);
	base->set.promisc = base->set.allmulti = 0;
	base->hwaddr_len = 0;
	if (dialect == DIALECT_IB_SRIOV)
		before_ib(conf, base);
	else
		before_eth(conf, base);
	/* Neither plugin sets or undoes these: what is on is the pod's doing. */
	if (base->ifname[0])
		base->set.has |= FILTERS;
	base->valid = true;
}

/* --- writing --- */

/* Something was left out for want of memory.  One document at a time, one thread. */
static bool cut;

static void put(json_t *obj, const char *key, json_t *value)
{
	if (json_object_set_new(obj, key, value) < 0)
		cut = true;
}

static json_t *octets(const uint8_t *bytes, unsigned n)
{
	char text[OCTETS_TEXT];

	return json_string(octets_format(bytes, n, text, sizeof(text)));
}

static json_t *guid_text(uint64_t guid)
{
	char text[GUID_TEXT];

	return json_string(guid_format(guid, text));
}

static void put_link_state(json_t *doc, const struct vf_settings *set)
{
	static const char *const names[] = { "auto", "enable", "disable" };

	if (set->has & HAS_LINK_STATE && set->link_state < VFK_ARRAY_SIZE(names))
		put(doc, "link_state", json_string(names[set->link_state]));
}

static void put_common(json_t *doc, const struct peer_attached *a)
{
	static const char *const kept[] = { "capabilities", "dns", "prevResult" };
	const char *version = text_of(a->conf, "cniVersion");
	char device[PCI_STRLEN];
	json_t *ipam = json_object();

	for (size_t i = 0; i < VFK_ARRAY_SIZE(kept); i++) {
		json_t *value = cni_json_find(a->conf, kept[i]);

		if (json_object_size(value))
			put(doc, kept[i], json_incref(value));
	}
	if (a->ipam_type[0])
		put(ipam, "type", json_string(a->ipam_type));
	put(doc, "cniVersion",
	    json_string(version[0] ? version : cni_spec_name(CNI_SPEC_NEWEST)));
	put(doc, "deviceID", json_string(pci_format(a->device, device)));
	put(doc, "ipam", ipam);
	put(doc, "Master", json_string(a->pf_ifname));
	put(doc, "name", json_string(a->att.network));
	put(doc, "type", json_string(peer_name(a->dialect)));
	put(doc, "VFID", json_integer(a->index));
}

static void put_ib(json_t *doc, const struct peer_attached *a)
{
	const struct vf_settings *set = a->wanted;
	bool guid = (set->has & HAS_PORT_GUID) != 0;
	bool isolated = (set->has & HAS_RDMA_ISOLATION) && set->rdma_isolation;
	const json_t *args = cni_json_find2(a->conf, "args", "cni");
	const char *rdma = isolated ? a->before->rdma_dev : "";
	char device[PCI_STRLEN] = "";

	if (isolated)
		pci_format(a->device, device);
	put(doc, "ContIFNames", json_string(a->att.ifname));
	put(doc, "HostIFNames", json_string(a->before->ifname));
	put(doc, "HostIFGUID",
	    guid ? guid_text(a->before->set.port_guid) : json_string(""));
	put(doc, "RdmaNetState",
	    json_pack("{s:s,s:s,s:s,s:s}", "containerRdmaDevName", rdma, "deviceID",
		      device, "sandboxRdmaDevName", rdma, "version", ""));
	/* It takes texts alone. */
	put(doc, "args", json_pack("{s:o}", "cni", json_null()));
	if (json_object_size(args)) {
		json_t *texts = json_object(), *value;
		const char *key;

		json_object_foreach((json_t *)(uintptr_t)args, key, value)
			if (json_is_string(value))
				put(texts, key, json_incref(value));
		put(json_object_get(doc, "args"), "cni", texts);
	}
	put(doc, "pkey", json_string(text_of(a->conf, "pkey")));
	put(doc, "runtimeConfig",
	    json_pack("{s:o}", "infinibandGUID",
		      guid ? guid_text(set->port_guid) : json_string("")));
	if (json_is_true(cni_json_find(a->conf, "ibKubernetesEnabled")))
		put(doc, "ibKubernetesEnabled", json_true());
	if (isolated)
		put(doc, "rdmaIsolation", json_true());
	put_link_state(doc, set);
}

static json_t *number_or_null(bool there, uint32_t value)
{
	return there ? json_integer(value) : json_null();
}

static void put_eth(json_t *doc, const struct peer_attached *a)
{
	const struct vf_settings *set = a->wanted, *was = &a->before->set;
	bool vlan = (set->has & HAS_VLAN) != 0;
	static const uint8_t none[6];

	put(doc, "MAC", set->has & HAS_MAC ? octets(set->mac, 6) : json_string(""));
	put(doc, "MTU", json_integer(was->mtu_bytes));
	put(doc, "OrigVfState",
	    json_pack("{s:o,s:o,s:s,s:i,s:i,s:i,s:i,s:b,s:b,s:i,s:i,s:i}", "AdminMAC",
		      octets(was->has & HAS_MAC ? was->mac : none, 6), "EffectiveMAC",
		      octets(a->before->hwaddr, a->before->hwaddr_len == 6 ? 6 : 0),
		      "HostIFName", a->before->ifname, "LinkState", (int)was->link_state,
		      "MTU", (int)was->mtu_bytes, "MaxTxRate", (int)was->max_tx_mbps,
		      "MinTxRate", (int)was->min_tx_mbps, "SpoofChk", (int)was->spoofchk,
		      "Trust", (int)was->trust, "Vlan", (int)was->vlan, "VlanProto",
		      was->vlan_proto ? (int)was->vlan_proto : VLAN_PROTO_Q, "VlanQoS",
		      (int)was->qos));
	put(doc, "max_tx_rate", number_or_null(set->has & HAS_MAX_TX, set->max_tx_mbps));
	put(doc, "min_tx_rate", number_or_null(set->has & HAS_MIN_TX, set->min_tx_mbps));
	put(doc, "runtimeConfig", json_object());
	put(doc, "vlan", number_or_null(vlan, set->vlan));
	put(doc, "vlanQoS", number_or_null(vlan, set->qos));
	put(doc, "vlanProto",
	    !vlan			     ? json_null() :
	    set->vlan_proto == VLAN_PROTO_AD ? json_string("802.1ad") :
					       json_string("802.1q"));
	if (set->has & HAS_SPOOFCHK)
		put(doc, "spoofchk", json_string(set->spoofchk ? "on" : "off"));
	if (set->has & HAS_TRUST)
		put(doc, "trust", json_string(set->trust ? "on" : "off"));
	put_link_state(doc, set);
}

/* What was set on purpose and only vfkeeper would undo. */
static const char *only_ours(const struct peer_attached *a)
{
	uint32_t theirs = peer_can_set(a->dialect) | HAS_PKEY; /* which is looked at only */
	uint32_t has = a->wanted->has;

	if (a->dialect == DIALECT_SRIOV)
		theirs |= HAS_MTU;
	if (!a->wanted->rdma_isolation)
		has &= ~(uint32_t)HAS_RDMA_ISOLATION;
	if (!a->wanted->scrub)
		has &= ~(uint32_t)HAS_SCRUB;
	has &= ~theirs;
	return has ? cni_setting_key(has & -has) : NULL;
}

static int expressible(const struct peer_attached *a, struct vfk_err *err)
{
	const struct vf_baseline *was = a->before;
	const char *key = only_ours(a), *name = peer_name(a->dialect);

	if (a->user_space)
		return vfk_err_set(err, VFK_E_UNSUPPORTED, 0,
				   "it is for user space, which %s forgets until its DEL",
				   name);
	if (a->own_ipam)
		return vfk_err_set(err, VFK_E_UNSUPPORTED, 0,
				   "its addresses are of IPAM type vfkeeper, which %s could "
				   "not release",
				   name);
	if (!was->valid || !was->ifname[0])
		return vfk_err_set(err, VFK_E_UNSUPPORTED, 0,
				   "what it was like before is not on record");
	if (key)
		return vfk_err_set(err, VFK_E_UNSUPPORTED, 0, "%s would not undo its %s",
				   name, key);
	if (a->dialect == DIALECT_IB_SRIOV && a->wanted->has & HAS_PORT_GUID &&
	    was->set.has & HAS_NODE_GUID && was->set.node_guid != was->set.port_guid)
		return vfk_err_set(err, VFK_E_UNSUPPORTED, 0,
				   "its node GUID was another than its port GUID, and %s "
				   "keeps one for both",
				   name);
	return 0;
}

char *peer_cache_print(const struct peer_attached *a, struct vfk_err *err)
{
	json_t *doc;
	char *text;

	if (expressible(a, err) < 0)
		return NULL;
	cut = false;
	doc = json_object();
	put_common(doc, a);
	if (a->dialect == DIALECT_IB_SRIOV)
		put_ib(doc, a);
	else
		put_eth(doc, a);
	text = cut ? NULL : json_print(doc, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(doc);
	if (!text)
		vfk_err_set(err, VFK_E_NOMEM, 0, "out of memory");
	return text;
}
