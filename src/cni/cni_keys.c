/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of the two dialects and our own, one function each, in the order in which they
 * are checked.  A value that is wrong is one line with key and value: code 6 for the wrong
 * kind of JSON value, 7 for a wrong value, 2 for what we do not support. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cni/cni-internal.h"

#define IB (1 << DIALECT_IB_SRIOV)
#define ETH (1 << DIALECT_SRIOV)
#define OWN (1 << DIALECT_VFKEEPER)
#define ALL (IB | ETH | OWN)

struct keys {
	struct cni_request *rq;
	struct vf_settings *set;
	const char *args_mac;
	struct cni_fail *fail;
	const char *prefix;
};

const char *cni_conf_prefix(enum cni_dialect dialect)
{
	switch (dialect) {
	case DIALECT_IB_SRIOV:
		return "infiniBand SRI-OV CNI failed to load netconf: ";
	case DIALECT_SRIOV:
		return "SRIOV-CNI failed to load netconf: LoadConf(): ";
	case DIALECT_VFKEEPER:
		break;
	}
	return "configuration: ";
}

/* --- values by kind --- */

static int wrong_kind(const struct keys *k, const char *key, const json_t *value,
		      const char *wanted)
{
	return cni_fail_kind(k->fail, k->prefix, key, value, wanted);
}

/* '*out' is the text, or NULL for none or "". */
static int get_text(const struct keys *k, const char *key, const json_t *value,
		    const char **out)
{
	*out = NULL;
	if (!value)
		return 0;
	if (!json_is_string(value))
		return wrong_kind(k, key, value, "a string");
	*out = cni_json_text(value);
	if (!*out) {
		cni_fail_set(k->fail, 7, "%s%s holds a NUL character", k->prefix, key);
		return -1;
	}
	if (!**out)
		*out = NULL;
	return 0;
}

static int get_bool(const struct keys *k, const char *key, const json_t *value, bool *out)
{
	*out = false;
	if (!value)
		return 0;
	if (!json_is_boolean(value))
		return wrong_kind(k, key, value, "a boolean");
	*out = json_is_true(value);
	return 0;
}

static int get_int(const struct keys *k, const char *key, const json_t *value,
		   int64_t min, int64_t max, int64_t *out)
{
	char show[CNI_SHOW_LEN];

	if (!json_is_number(value))
		return wrong_kind(k, key, value, "a whole number");
	if (!cni_json_int(value, out) || *out < min || *out > max) {
		cni_fail_set(k->fail, 7,
			     "%s%s %s invalid: value must be a whole number in the range "
			     "%" PRId64 "-%" PRId64,
			     k->prefix, key, cni_json_show(value, show), min, max);
		return -1;
	}
	return 0;
}

static int wrong_text(const struct keys *k, const char *key, const char *value,
		      const char *wanted)
{
	char show[CNI_SHOW_LEN];

	cni_fail_set(k->fail, 7, "%s%s %s invalid: value must be %s", k->prefix, key,
		     cni_show(value, show), wanted);
	return -1;
}

static json_t *conf_get(const struct keys *k, const char *key)
{
	return cni_json_find(k->rq->conf, key);
}

/* --- both dialects --- */

static int key_link_state(struct keys *k, const json_t *value)
{
	static const char *const names[] = { "auto", "enable", "disable" };
	char show[CNI_SHOW_LEN];
	const char *text;

	if (get_text(k, "link_state", value, &text) < 0)
		return -1;
	if (!text)
		return 0;
	for (size_t i = 0; i < VFK_ARRAY_SIZE(names); i++) {
		if (strcmp(text, names[i]) != 0)
			continue;
		k->set->link_state = (uint8_t)i;
		k->set->has |= HAS_LINK_STATE;
		return 0;
	}
	/* The incumbents' words; cni_show without its quotes. */
	cni_show(text, show);
	cni_fail_set(k->fail, 7,
		     "%sinvalid link_state value: %.*s (must be auto, enable or disable)",
		     k->prefix, (int)strlen(show) - 2, show + 1);
	return -1;
}

/* --- ib-sriov --- */

static int octet(const char *text)
{
	static const char digits[] = "0123456789abcdef";
	int value = 0;

	for (int i = 0; i < 2; i++) {
		int c = text[i] >= 'A' && text[i] <= 'F' ? text[i] + 32 : text[i];
		const char *d = c ? strchr(digits, c) : NULL;

		if (!d)
			return -1;
		value = value << 4 | (int)(d - digits);
	}
	return value;
}

bool cni_octets(const char *text, unsigned n, uint8_t *out)
{
	if (strlen(text) != n * 3 - 1)
		return false;
	for (unsigned i = 0; i < n; i++) {
		int v = octet(text + (size_t)i * 3);

		if (v < 0 || (i + 1 < n && text[i * 3 + 2] != ':'))
			return false;
		out[i] = (uint8_t)v;
	}
	return true;
}

static int set_guid(struct keys *k, const char *key, const char *text)
{
	char show[CNI_SHOW_LEN];
	uint8_t octets[8];
	uint64_t guid = 0;

	if (cni_octets(text, 8, octets))
		for (int i = 0; i < 8; i++)
			guid = guid << 8 | octets[i];
	if (guid) {
		k->set->node_guid = k->set->port_guid = guid;
		k->set->has |= HAS_NODE_GUID | HAS_PORT_GUID;
		return 0;
	}
	cni_show(text, show);
	cni_fail_set(k->fail, 7,
		     "%s \"invalid guid %.*s\": %s must be eight octets with colons, not all "
		     "of them zero",
		     k->rq->dialect == DIALECT_IB_SRIOV ?
			     "infiniBand SRI-OV CNI failed to configure VF" :
			     "configuration:",
		     (int)strlen(show) - 2, show + 1, key);
	return -1;
}

/* args.cni is a map: its keys are what they are (other than struct keys in Go). */
static json_t *args_cni(const struct keys *k, const char *key)
{
	json_t *value = json_object_get(cni_json_find2(k->rq->conf, "args", "cni"), key);

	return json_is_null(value) ? NULL : value;
}

/* runtimeConfig.infinibandGUID before args.cni.guid; "" is none.  A top-level guid is not
 * read, as little as ib-sriov does. */
static int key_guid(struct keys *k, const json_t *unused)
{
	static const char runtime[] = "runtimeConfig.infinibandGUID",
			  args[] = "args.cni.guid";
	json_t *from_args = args_cni(k, "guid");
	json_t *from_runtime = cni_json_find2(k->rq->conf, "runtimeConfig",
					      "infinibandGUID");
	const char *text;

	(void)unused;
	if (get_text(k, runtime, from_runtime, &text) < 0)
		return -1;
	if (text)
		return set_guid(k, runtime, text);
	if (get_text(k, args, from_args, &text) < 0)
		return -1;
	return text ? set_guid(k, args, text) : 0;
}

static int key_guid_policy(struct keys *k, const json_t *value)
{
	const char *text;

	if (get_text(k, "guidPolicy", value, &text) < 0)
		return -1;
	if (!text || !strcmp(text, "given"))
		return 0;
	if (strcmp(text, "derived") != 0 && strcmp(text, "keep") != 0)
		return wrong_text(k, "guidPolicy", text, "given, derived or keep");
	if (k->set->has & HAS_PORT_GUID) {
		cni_fail_set(k->fail, 7,
			     "%sguidPolicy \"%s\" invalid: a GUID is given as well "
			     "(runtimeConfig.infinibandGUID or args.cni.guid)",
			     k->prefix, text);
		return -1;
	}
	k->rq->guid_policy = text[0] == 'k' ? GUID_KEEP : GUID_DERIVED;
	return 0;
}

/* The marker is per pod, so only an ADD can be held against it. */
static int key_ib_kubernetes(struct keys *k, const json_t *value)
{
	const char *marker = cni_json_text(args_cni(k, "mellanox.infiniband.app"));
	bool on;

	if (get_bool(k, "ibKubernetesEnabled", value, &on) < 0)
		return -1;
	if (!on || k->rq->verb != CNI_ADD)
		return 0;
	if (!marker || strcmp(marker, "configured") != 0) {
		cni_fail_set(k->fail, 11,
			     "infiniBand SRIOV-CNI failed, InfiniBand status "
			     "\"mellanox.infiniband.app\" is not \"configured\" please check "
			     "mellanox ib-kubernetes (it has not written the pod's cni-args "
			     "yet)");
		return -1;
	}
	if (!(k->set->has & HAS_PORT_GUID)) {
		cni_fail_set(k->fail, 7,
			     "infiniband SRIOV-CNI failed, Unexpected error. GUID must be "
			     "provided by ib-kubernetes (neither runtimeConfig.infinibandGUID "
			     "nor args.cni.guid is there)");
		return -1;
	}
	return 0;
}

/* 0x1..0xffff or decimal; 0 and 0x8000 name no partition. */
static int key_pkey(struct keys *k, const json_t *value)
{
	const char *text;
	char *end;
	unsigned long pkey;

	if (get_text(k, "pkey", value, &text) < 0)
		return -1;
	if (!text)
		return 0;
	pkey = strtoul(text, &end,
		       text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10);
	if (text[0] < '0' || text[0] > '9' || *end || pkey > 0xffff || !(pkey & 0x7fff))
		return wrong_text(k, "pkey", text, "a partition key like 0x8001");
	k->set->pkey = (uint16_t)pkey;
	k->set->has |= HAS_PKEY;
	return 0;
}

static int key_rdma_isolation(struct keys *k, const json_t *value)
{
	bool on;

	if (get_bool(k, "rdmaIsolation", value, &on) < 0)
		return -1;
	if (on) {
		k->set->rdma_isolation = 1;
		k->set->has |= HAS_RDMA_ISOLATION;
	}
	return 0;
}

static int key_vfio_pci_mode(struct keys *k, const json_t *value)
{
	bool on;

	if (get_bool(k, "vfioPciMode", value, &on) < 0)
		return -1;
	k->rq->vfio_mode = on;
	return 0;
}

/* --- sriov --- */

static int key_vlan(struct keys *k, const json_t *value)
{
	char show[CNI_SHOW_LEN];
	int64_t id;

	if (!value)
		return 0;
	if (!json_is_number(value))
		return wrong_kind(k, "vlan", value, "a whole number");
	if (!cni_json_int(value, &id) || id < 0 || id > 4094) {
		cni_fail_set(k->fail, 7,
			     "%svlan id %s invalid: value must be in the range 0-4094",
			     k->prefix, cni_json_show(value, show));
		return -1;
	}
	k->set->vlan = (uint16_t)id;
	k->set->vlan_proto = 0x8100;
	k->set->has |= HAS_VLAN;
	return 0;
}

static int key_vlan_qos(struct keys *k, const json_t *value)
{
	char show[CNI_SHOW_LEN];
	int64_t qos;

	if (!value)
		return 0;
	if (!json_is_number(value))
		return wrong_kind(k, "vlanQoS", value, "a whole number");
	cni_json_show(value, show);
	if (!cni_json_int(value, &qos) || qos < 0 || qos > 7)
		cni_fail_set(k->fail, 7,
			     "%svlan QoS PCP %s invalid: value must be in the range 0-7",
			     k->prefix, show);
	else if (!(k->set->has & HAS_VLAN))
		cni_fail_set(k->fail, 7,
			     "%svlan id must be configured to set vlan QoS to a non-nil value "
			     "(vlanQoS is %s)",
			     k->prefix, show);
	else if (qos && !k->set->vlan)
		cni_fail_set(k->fail, 7,
			     "%snon-zero vlan id must be configured to set vlan QoS to a "
			     "non-zero value (vlanQoS is %s)",
			     k->prefix, show);
	else {
		k->set->qos = (uint16_t)qos;
		return 0;
	}
	return -1;
}

static int key_vlan_proto(struct keys *k, const json_t *value)
{
	char show[CNI_SHOW_LEN];
	const char *text;

	if (!value)
		return 0;
	/* Not get_text: "" is a wrong protocol here, not a missing one. */
	if (!json_is_string(value))
		return wrong_kind(k, "vlanProto", value, "a string");
	text = json_string_value(value);
	cni_json_show(value, show);
	if (!(k->set->has & HAS_VLAN)) {
		cni_fail_set(k->fail, 7,
			     "%svlan id must be configured to set vlan proto to a non-nil "
			     "value (vlanProto is %s)",
			     k->prefix, show);
		return -1;
	}
	if (!strcasecmp(text, "802.1q"))
		return 0;
	if (strcasecmp(text, "802.1ad") != 0) {
		cni_fail_set(k->fail, 7,
			     "%svlan Proto %s invalid: value must be '802.1Q' or '802.1ad'",
			     k->prefix, show);
		return -1;
	}
	if (!k->set->vlan) {
		cni_fail_set(k->fail, 7,
			     "%snon-zero vlan id must be configured to set vlan proto 802.1ad",
			     k->prefix);
		return -1;
	}
	k->set->vlan_proto = 0x88a8;
	return 0;
}

/* runtimeConfig.mac, then MAC of CNI_ARGS, then mac. */
static int key_mac(struct keys *k, const json_t *value)
{
	const char *text, *key = "runtimeConfig.mac";
	static const uint8_t zero[6];
	uint8_t mac[6];

	if (get_text(k, key, cni_json_find2(k->rq->conf, "runtimeConfig", "mac"), &text) < 0)
		return -1;
	if (!text && *k->args_mac) {
		key = "MAC of CNI_ARGS";
		text = k->args_mac;
	}
	if (!text) {
		key = "mac";
		if (get_text(k, key, value, &text) < 0)
			return -1;
	}
	if (!text)
		return 0;
	if (!cni_octets(text, 6, mac) || mac[0] & 1 || !memcmp(mac, zero, 6))
		return wrong_text(k, key, text,
				  "a unicast MAC address, six octets with colons");
	memcpy(k->set->mac, mac, 6);
	k->set->has |= HAS_MAC;
	return 0;
}

static int on_off(struct keys *k, const char *key, const json_t *value, uint32_t bit,
		  uint8_t *out)
{
	const char *text;

	if (get_text(k, key, value, &text) < 0)
		return -1;
	if (!text)
		return 0;
	if (strcmp(text, "on") != 0 && strcmp(text, "off") != 0)
		return wrong_text(k, key, text, "on or off");
	*out = text[1] == 'n';
	k->set->has |= bit;
	return 0;
}

static int key_spoofchk(struct keys *k, const json_t *value)
{
	return on_off(k, "spoofchk", value, HAS_SPOOFCHK, &k->set->spoofchk);
}

static int key_trust(struct keys *k, const json_t *value)
{
	return on_off(k, "trust", value, HAS_TRUST, &k->set->trust);
}

static int rate(struct keys *k, const char *key, const json_t *value, uint32_t bit,
		uint32_t *out)
{
	int64_t mbps;

	if (!value)
		return 0;
	if (get_int(k, key, value, 0, INT32_MAX, &mbps) < 0)
		return -1;
	*out = (uint32_t)mbps;
	k->set->has |= bit;
	return 0;
}

static int key_min_tx(struct keys *k, const json_t *value)
{
	return rate(k, "min_tx_rate", value, HAS_MIN_TX, &k->set->min_tx_mbps);
}

static int key_max_tx(struct keys *k, const json_t *value)
{
	if (rate(k, "max_tx_rate", value, HAS_MAX_TX, &k->set->max_tx_mbps) < 0)
		return -1;
	/* 0 is no limit. */
	if (k->set->has & HAS_MIN_TX && k->set->has & HAS_MAX_TX && k->set->max_tx_mbps &&
	    k->set->min_tx_mbps > k->set->max_tx_mbps) {
		cni_fail_set(k->fail, 7,
			     "%smin_tx_rate %" PRIu32 " invalid: value must not be above "
			     "max_tx_rate %" PRIu32,
			     k->prefix, k->set->min_tx_mbps, k->set->max_tx_mbps);
		return -1;
	}
	return 0;
}

/* Ours go to one place (vfkeeper.conf), so these two are only checked for their kind. */
static int key_log_level(struct keys *k, const json_t *value)
{
	const char *text;

	return get_text(k, "logLevel", value, &text);
}

static int key_log_file(struct keys *k, const json_t *value)
{
	const char *text;

	return get_text(k, "logFile", value, &text);
}

/* --- our own, for every dialect --- */

static int key_mtu(struct keys *k, const json_t *value)
{
	int64_t mtu;

	if (!value)
		return 0;
	if (get_int(k, "mtu", value, 68, 65535, &mtu) < 0)
		return -1;
	k->set->mtu_bytes = (uint32_t)mtu;
	k->set->has |= HAS_MTU;
	return 0;
}

static int flag(struct keys *k, const char *key, const json_t *value, uint32_t bit,
		uint8_t *out)
{
	bool on;

	if (!value)
		return 0;
	if (get_bool(k, key, value, &on) < 0)
		return -1;
	*out = on;
	k->set->has |= bit;
	return 0;
}

static int key_allmulti(struct keys *k, const json_t *value)
{
	return flag(k, "allmulti", value, HAS_ALLMULTI, &k->set->allmulti);
}

static int key_promisc(struct keys *k, const json_t *value)
{
	return flag(k, "promisc", value, HAS_PROMISC, &k->set->promisc);
}

static int one_of(struct keys *k, const char *key, const json_t *value, uint32_t bit,
		  const char *zero, const char *one, uint8_t *out)
{
	const char *text;
	char wanted[64];

	if (get_text(k, key, value, &text) < 0)
		return -1;
	if (!text)
		return 0;
	if (strcmp(text, zero) != 0 && strcmp(text, one) != 0) {
		snprintf(wanted, sizeof(wanted), "%s or %s", zero, one);
		return wrong_text(k, key, text, wanted);
	}
	*out = !strcmp(text, one);
	k->set->has |= bit;
	return 0;
}

static int key_ipoib_mode(struct keys *k, const json_t *value)
{
	return one_of(k, "ipoibMode", value, HAS_IPOIB_MODE, "datagram", "connected",
		      &k->set->ipoib_mode);
}

static int key_scrub(struct keys *k, const json_t *value)
{
	return one_of(k, "scrub", value, HAS_SCRUB, "none", "flr", &k->set->scrub);
}

static int key_timeout(struct keys *k, const json_t *value)
{
	int64_t seconds;

	if (!value)
		return 0;
	if (get_int(k, "timeoutSeconds", value, 1, 110, &seconds) < 0)
		return -1;
	k->rq->timeout_s = (unsigned)seconds;
	return 0;
}

/* Some IPAM plugins fail every CHECK as not implemented. */
static int key_ipam_check(struct keys *k, const json_t *value)
{
	bool on;

	if (!value)
		return 0;
	if (get_bool(k, "ipamCheck", value, &on) < 0)
		return -1;
	k->rq->skip_ipam_check = !on;
	return 0;
}

static const struct {
	const char *name;
	unsigned dialects;
	int (*parse)(struct keys *k, const json_t *value);
} keys[] = {
	{ "link_state", ALL, key_link_state },
	{ "infinibandGUID", IB | OWN, key_guid }, /* looks in its own places */
	{ "guidPolicy", ALL, key_guid_policy },
	{ "ibKubernetesEnabled", IB | OWN, key_ib_kubernetes },
	{ "pkey", IB | OWN, key_pkey },
	{ "rdmaIsolation", IB | OWN, key_rdma_isolation },
	{ "vfioPciMode", IB | OWN, key_vfio_pci_mode },
	{ "vlan", ETH | OWN, key_vlan },
	{ "vlanQoS", ETH | OWN, key_vlan_qos },
	{ "vlanProto", ETH | OWN, key_vlan_proto },
	{ "mac", ETH | OWN, key_mac },
	{ "spoofchk", ETH | OWN, key_spoofchk },
	{ "trust", ETH | OWN, key_trust },
	{ "min_tx_rate", ETH | OWN, key_min_tx },
	{ "max_tx_rate", ETH | OWN, key_max_tx },
	{ "logLevel", ETH, key_log_level },
	{ "logFile", ETH, key_log_file },
	{ "mtu", ALL, key_mtu },
	{ "allmulti", ALL, key_allmulti },
	{ "promisc", ALL, key_promisc },
	{ "ipoibMode", ALL, key_ipoib_mode },
	{ "scrub", ALL, key_scrub },
	{ "timeoutSeconds", ALL, key_timeout },
	{ "ipamCheck", ALL, key_ipam_check },
};

const char *cni_setting_key(uint32_t bit)
{
	static const struct {
		uint32_t bit;
		const char *key;
	} names[] = {
		{ HAS_LINK_STATE, "link_state" },
		{ HAS_NODE_GUID, "infinibandGUID" },
		{ HAS_PORT_GUID, "infinibandGUID" },
		{ HAS_MAC, "mac" },
		{ HAS_VLAN, "vlan" },
		{ HAS_MIN_TX, "min_tx_rate" },
		{ HAS_MAX_TX, "max_tx_rate" },
		{ HAS_SPOOFCHK, "spoofchk" },
		{ HAS_TRUST, "trust" },
		{ HAS_MTU, "mtu" },
		{ HAS_ALLMULTI, "allmulti" },
		{ HAS_PROMISC, "promisc" },
		{ HAS_IPOIB_MODE, "ipoibMode" },
		{ HAS_PKEY, "pkey" },
		{ HAS_RDMA_ISOLATION, "rdmaIsolation" },
		{ HAS_SCRUB, "scrub" },
	};

	for (size_t i = 0; i < VFK_ARRAY_SIZE(names); i++)
		if (names[i].bit == bit)
			return names[i].key;
	return "?";
}

const char *cni_key(unsigned i)
{
	return i < VFK_ARRAY_SIZE(keys) ? keys[i].name : NULL;
}

int cni_keys_parse(struct cni_request *rq, const char *args_mac, bool strict,
		   struct cni_fail *fail)
{
	struct keys k = {
		.rq = rq,
		.set = &rq->wanted,
		.args_mac = args_mac,
		.fail = fail,
		.prefix = cni_conf_prefix(rq->dialect),
	};

	for (size_t i = 0; i < VFK_ARRAY_SIZE(keys); i++) {
		if (!(keys[i].dialects & 1u << rq->dialect))
			continue;
		if (keys[i].parse(&k, conf_get(&k, keys[i].name)) < 0 && strict)
			return -1;
	}
	return 0;
}
