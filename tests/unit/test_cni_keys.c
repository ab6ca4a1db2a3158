/* SPDX-License-Identifier: Apache-2.0 */
/* What each key of a configuration makes, in each dialect. */
#include "cni_rig.h"

#include <inttypes.h>

/* --- what one key makes --- */

enum { IB = 1, ETH = 2, OWN = 4, ALL = 7 };

static const struct {
	enum cni_dialect dialect;
	int bit;
} dialects[] = { { DIALECT_IB_SRIOV, IB },
		 { DIALECT_SRIOV, ETH },
		 { DIALECT_VFKEEPER, OWN } };

static const char *settings(char *out, size_t cap)
{
	const struct vf_settings *s = &rq_now.wanted;
	size_t n = 0;

	out[0] = '\0';
#define PUT(bit, ...)                                                                    \
	if (s->has & (bit))                                                              \
		n += (size_t)snprintf(out + n, cap - n, __VA_ARGS__);
	PUT(HAS_LINK_STATE, "link_state=%u ", s->link_state)
	PUT(HAS_NODE_GUID, "node=%016" PRIx64 " ", s->node_guid)
	PUT(HAS_PORT_GUID, "port=%016" PRIx64 " ", s->port_guid)
	PUT(HAS_MAC, "mac=%02x%02x%02x%02x%02x%02x ", s->mac[0], s->mac[1], s->mac[2],
	    s->mac[3], s->mac[4], s->mac[5])
	PUT(HAS_VLAN, "vlan=%u qos=%u proto=%x ", s->vlan, s->qos, s->vlan_proto)
	PUT(HAS_MIN_TX, "min=%u ", s->min_tx_mbps)
	PUT(HAS_MAX_TX, "max=%u ", s->max_tx_mbps)
	PUT(HAS_SPOOFCHK, "spoofchk=%u ", s->spoofchk)
	PUT(HAS_TRUST, "trust=%u ", s->trust)
	PUT(HAS_MTU, "mtu=%u ", s->mtu_bytes)
	PUT(HAS_ALLMULTI, "allmulti=%u ", s->allmulti)
	PUT(HAS_PROMISC, "promisc=%u ", s->promisc)
	PUT(HAS_IPOIB_MODE, "ipoib=%u ", s->ipoib_mode)
	PUT(HAS_PKEY, "pkey=%x ", s->pkey)
	PUT(HAS_RDMA_ISOLATION, "rdma=%u ", s->rdma_isolation)
	PUT(HAS_SCRUB, "scrub=%u ", s->scrub)
#undef PUT
	if (n)
		out[n - 1] = '\0';
	return out;
}

static void right_values(void)
{
	static const struct {
		const char *keys;
		int dialects;
		const char *settings; /* in those dialects; "" in the others */
	} rows[] = {
		{ "", ALL, "" },
		{ "\"link_state\":\"auto\"", ALL, "link_state=0" },
		{ "\"link_state\":\"enable\"", ALL, "link_state=1" },
		{ "\"link_state\":\"disable\"", ALL, "link_state=2" },
		{ "\"link_state\":\"\"", ALL, "" },
		{ "\"link_state\":null", ALL, "" },
		{ RC("\"infinibandGUID\":\"" GUID "\""), IB | OWN,
		  "node=020000000000bb61 port=020000000000bb61" },
		{ RC("\"infinibandGUID\":\"FF:ff:FF:ff:FF:ff:FF:ff\""), IB | OWN,
		  "node=ffffffffffffffff port=ffffffffffffffff" },
		{ ARGS("\"guid\":\"01:23:45:67:89:ab:cd:ef\""), IB | OWN,
		  "node=0123456789abcdef port=0123456789abcdef" },
		{ ARGS("\"guid\":\"01:00:00:00:00:00:00:01\"") "," RC(
			  "\"infinibandGUID\":\"" GUID "\""),
		  IB | OWN, "node=020000000000bb61 port=020000000000bb61" },
		{ ARGS("\"guid\":\"" GUID "\"") "," RC("\"infinibandGUID\":\"\""),
		  IB | OWN, "node=020000000000bb61 port=020000000000bb61" },
		{ ARGS("\"GUID\":\"" GUID "\""), ALL, "" },
		{ ARGS("\"guid\":null"), ALL, "" },
		{ ARGS("\"vlan\":5,\"ips\":[1],\"x\":{},\"guid\":\"\""), ALL, "" },
		{ "\"args\":null", ALL, "" },
		{ "\"args\":{\"cni\":null}", ALL, "" },
		{ "\"guid\":\"" GUID "\",\"infinibandGUID\":\"" GUID "\"", ALL, "" },
		{ "\"pkey\":\"0x8001\"", IB | OWN, "pkey=8001" },
		{ "\"pkey\":\"0X7fff\"", IB | OWN, "pkey=7fff" },
		{ "\"pkey\":\"5\"", IB | OWN, "pkey=5" },
		{ "\"pkey\":\"\"", ALL, "" },
		{ "\"rdmaIsolation\":true", IB | OWN, "rdma=1" },
		{ "\"rdmaIsolation\":false", ALL, "" },
		{ "\"vfioPciMode\":false", ALL, "" },
		{ "\"vlan\":0", ETH | OWN, "vlan=0 qos=0 proto=8100" },
		{ "\"vlan\":4094,\"vlanQoS\":7", ETH | OWN, "vlan=4094 qos=7 proto=8100" },
		{ "\"vlan\":0,\"vlanQoS\":0", ETH | OWN, "vlan=0 qos=0 proto=8100" },
		{ "\"vlan\":5.0", ETH | OWN, "vlan=5 qos=0 proto=8100" },
		{ "\"vlan\":5,\"vlanProto\":\"802.1AD\"", ETH | OWN,
		  "vlan=5 qos=0 proto=88a8" },
		{ "\"vlan\":0,\"vlanProto\":\"802.1Q\"", ETH | OWN,
		  "vlan=0 qos=0 proto=8100" },
		{ "\"vlan\":null,\"vlanQoS\":null,\"vlanProto\":null", ALL, "" },
		{ "\"mac\":\"02:AA:bb:cc:dd:01\"", ETH | OWN, "mac=02aabbccdd01" },
		{ "\"mac\":\"02:aa:bb:cc:dd:01\"," RC("\"mac\":\"02:00:00:00:00:09\""),
		  ETH | OWN, "mac=020000000009" },
		{ "\"mac\":\"02:aa:bb:cc:dd:01\"," RC("\"mac\":\"\""), ETH | OWN,
		  "mac=02aabbccdd01" },
		{ "\"mac\":\"\"", ALL, "" },
		{ "\"spoofchk\":\"on\",\"trust\":\"off\"", ETH | OWN, "spoofchk=1 trust=0" },
		{ "\"spoofchk\":\"off\",\"trust\":\"on\"", ETH | OWN, "spoofchk=0 trust=1" },
		{ "\"spoofchk\":\"\",\"trust\":null", ALL, "" },
		{ "\"min_tx_rate\":100,\"max_tx_rate\":1000", ETH | OWN,
		  "min=100 max=1000" },
		{ "\"min_tx_rate\":100,\"max_tx_rate\":0", ETH | OWN, "min=100 max=0" },
		{ "\"max_tx_rate\":2147483647", ETH | OWN, "max=2147483647" },
		{ "\"logLevel\":\"debug\",\"logFile\":\"/x\"", ALL, "" },
		{ "\"mtu\":68", ALL, "mtu=68" },
		{ "\"mtu\":65535", ALL, "mtu=65535" },
		{ "\"allmulti\":true,\"promisc\":false", ALL, "allmulti=1 promisc=0" },
		{ "\"allmulti\":false,\"promisc\":true", ALL, "allmulti=0 promisc=1" },
		{ "\"ipoibMode\":\"datagram\"", ALL, "ipoib=0" },
		{ "\"ipoibMode\":\"connected\"", ALL, "ipoib=1" },
		{ "\"scrub\":\"none\"", ALL, "scrub=0" },
		{ "\"scrub\":\"flr\"", ALL, "scrub=1" },
		{ "\"ibKubernetesEnabled\":false", ALL, "" },
		{ "\"bridge\":\"br0\",\"isGateway\":[],\"dns\":{},\"capabilities\":{\"mac\":true}",
		  ALL, "" },
	};
	char text[512];

	for (size_t i = 0; i < VFK_ARRAY_SIZE(rows); i++) {
		for (size_t d = 0; d < VFK_ARRAY_SIZE(dialects); d++) {
			add(dialects[d].dialect, rows[i].keys);
			SUITE_STR(settings(text, sizeof(text)),
				  rows[i].dialects & dialects[d].bit ? rows[i].settings :
								       "");
			cni_request_free(&rq_now);
		}
	}
}

#define IBMSG "infiniBand SRI-OV CNI failed to configure VF \"invalid guid "
#define OCTETS " must be eight octets with colons, not all of them zero"

/* Messages without the dialect's prefix, but for those that begin with '!'. */
static const struct {
	const char *keys;
	int dialects; /* the others ignore the key */
	int code;
	const char *msg;
} wrong_rows[] = {
	/* link_state */
	{ "\"link_state\":\"Enable\"", ALL, 7,
	  "invalid link_state value: Enable (must be auto, enable or disable)" },
	{ "\"link_state\":5", ALL, 6, "link_state 5 must be a string, not a number" },
	{ "\"link_state\":true", ALL, 6, "link_state true must be a string, not a boolean" },
	{ "\"link_state\":[]", ALL, 6, "link_state must be a string, not an array" },
	{ "\"link_state\":{}", ALL, 6, "link_state must be a string, not an object" },
	{ "\"link_state\":\"auto\\u0000\"", ALL, 7, "link_state holds a NUL character" },
	/* GUIDs; ib-sriov's own words are tested apart */
	{ RC("\"infinibandGUID\":5"), IB | OWN, 6,
	  "runtimeConfig.infinibandGUID 5 must be a string, not a number" },
	{ ARGS("\"guid\":{}"), IB | OWN, 6,
	  "args.cni.guid must be a string, not an object" },
	{ "\"args\":5", IB | OWN, 6, "args 5 must be an object, not a number" },
	{ "\"args\":{\"cni\":\"x\"}", IB | OWN, 6,
	  "args.cni \"x\" must be an object, not a string" },
	{ "\"guidPolicy\":\"all\"", ALL, 7,
	  "guidPolicy \"all\" invalid: value must be given, derived or keep" },
	{ "\"guidPolicy\":\"Derived\"", ALL, 7,
	  "guidPolicy \"Derived\" invalid: value must be given, derived or keep" },
	{ "\"dns\":5", ALL, 6, "dns 5 must be an object, not a number" },
	{ "\"capabilities\":[]", ALL, 6, "capabilities must be an object, not an array" },
	{ "\"capabilities\":{\"mac\":1}", ALL, 6,
	  "capabilities 1 must be an object of booleans, not a number" },
	{ "\"ipamCheck\":1", ALL, 6, "ipamCheck 1 must be a boolean, not a number" },
	{ "\"guidPolicy\":1", ALL, 6, "guidPolicy 1 must be a string, not a number" },
	{ "\"guidPolicy\":\"keep\"," RC("\"infinibandGUID\":\"" GUID "\""), IB | OWN, 7,
	  "guidPolicy \"keep\" invalid: a GUID is given as well "
	  "(runtimeConfig.infinibandGUID or args.cni.guid)" },
	/* InfiniBand */
	{ "\"ibKubernetesEnabled\":\"true\"", IB | OWN, 6,
	  "ibKubernetesEnabled \"true\" must be a boolean, not a string" },
	{ "\"pkey\":5", IB | OWN, 6, "pkey 5 must be a string, not a number" },
	{ "\"pkey\":\"notakey\"", IB | OWN, 7,
	  "pkey \"notakey\" invalid: value must be a partition key like 0x8001" },
	{ "\"pkey\":\"0x10000\"", IB | OWN, 7,
	  "pkey \"0x10000\" invalid: value must be a partition key like 0x8001" },
	{ "\"pkey\":\"0x8000\"", IB | OWN, 7,
	  "pkey \"0x8000\" invalid: value must be a partition key like 0x8001" },
	{ "\"pkey\":\"0\"", IB | OWN, 7,
	  "pkey \"0\" invalid: value must be a partition key like 0x8001" },
	{ "\"pkey\":\" 5\"", IB | OWN, 7,
	  "pkey \" 5\" invalid: value must be a partition key like 0x8001" },
	{ "\"pkey\":\"-5\"", IB | OWN, 7,
	  "pkey \"-5\" invalid: value must be a partition key like 0x8001" },
	{ "\"pkey\":\"5x\"", IB | OWN, 7,
	  "pkey \"5x\" invalid: value must be a partition key like 0x8001" },
	{ "\"pkey\":\"99999999999999999999999\"", IB | OWN, 7,
	  "pkey \"99999999999999999999999\" invalid: value must be a partition key like "
	  "0x8001" },
	{ "\"rdmaIsolation\":1", IB | OWN, 6,
	  "rdmaIsolation 1 must be a boolean, not a number" },
	{ "\"vfioPciMode\":\"x\"", IB | OWN, 6,
	  "vfioPciMode \"x\" must be a boolean, not a string" },
	/* Ethernet */
	{ "\"vlan\":4095", ETH | OWN, 7,
	  "vlan id 4095 invalid: value must be in the range 0-4094" },
	{ "\"vlan\":-1", ETH | OWN, 7,
	  "vlan id -1 invalid: value must be in the range 0-4094" },
	{ "\"vlan\":1.5", ETH | OWN, 7,
	  "vlan id 1.5 invalid: value must be in the range 0-4094" },
	{ "\"vlan\":99999999999999999999999", ETH | OWN, 7,
	  "vlan id 1e+23 invalid: value must be in the range 0-4094" },
	{ "\"vlan\":\"5\"", ETH | OWN, 6,
	  "vlan \"5\" must be a whole number, not a string" },
	{ "\"vlan\":true", ETH | OWN, 6, "vlan true must be a whole number, not a boolean" },
	{ "\"vlan\":[]", ETH | OWN, 6, "vlan must be a whole number, not an array" },
	{ "\"vlanQoS\":3", ETH | OWN, 7,
	  "vlan id must be configured to set vlan QoS to a non-nil value (vlanQoS is 3)" },
	{ "\"vlan\":5,\"vlanQoS\":8", ETH | OWN, 7,
	  "vlan QoS PCP 8 invalid: value must be in the range 0-7" },
	{ "\"vlan\":5,\"vlanQoS\":-1", ETH | OWN, 7,
	  "vlan QoS PCP -1 invalid: value must be in the range 0-7" },
	{ "\"vlan\":0,\"vlanQoS\":3", ETH | OWN, 7,
	  "non-zero vlan id must be configured to set vlan QoS to a non-zero value "
	  "(vlanQoS is 3)" },
	{ "\"vlan\":5,\"vlanQoS\":\"3\"", ETH | OWN, 6,
	  "vlanQoS \"3\" must be a whole number, not a string" },
	{ "\"vlanProto\":\"802.1ad\"", ETH | OWN, 7,
	  "vlan id must be configured to set vlan proto to a non-nil value (vlanProto is "
	  "\"802.1ad\")" },
	{ "\"vlan\":0,\"vlanProto\":\"802.1ad\"", ETH | OWN, 7,
	  "non-zero vlan id must be configured to set vlan proto 802.1ad" },
	{ "\"vlan\":5,\"vlanProto\":\"qinq\"", ETH | OWN, 7,
	  "vlan Proto \"qinq\" invalid: value must be '802.1Q' or '802.1ad'" },
	{ "\"vlan\":5,\"vlanProto\":\"\"", ETH | OWN, 7,
	  "vlan Proto \"\" invalid: value must be '802.1Q' or '802.1ad'" },
	{ "\"vlan\":5,\"vlanProto\":8021", ETH | OWN, 6,
	  "vlanProto 8021 must be a string, not a number" },
	{ "\"mac\":5", ETH | OWN, 6, "mac 5 must be a string, not a number" },
	{ RC("\"mac\":[]"), ETH | OWN, 6,
	  "runtimeConfig.mac must be a string, not an array" },
	{ "\"mac\":\"02:aa:bb:cc:dd:01\"," RC("\"mac\":\"zz\""), ETH | OWN, 7,
	  "runtimeConfig.mac \"zz\" invalid: value must be a unicast MAC address, six octets "
	  "with colons" },
#define BADMAC(m)                                                                           \
	{                                                                                   \
		"\"mac\":\"" m "\"", ETH | OWN, 7,                                          \
			"mac \"" m                                                          \
			"\" invalid: value must be a unicast MAC address, six octets with " \
			"colons"                                                            \
	}
	BADMAC("02:aa:aa:aa:aa"),
	BADMAC("02:aa:aa:aa:aa:aa:aa"),
	BADMAC("01:00:5e:00:00:01"),
	BADMAC("00:00:00:00:00:00"),
	BADMAC("ff:ff:ff:ff:ff:ff"),
	BADMAC("02-aa-aa-aa-aa-82"),
	BADMAC("02aaaaaaaa82"),
	BADMAC("02aa.aaaa.aa82"),
	BADMAC("02:00:00:00:00:00:bb:82"),
	BADMAC("02:00:00:00:00:0g"),
	BADMAC(" 2:00:00:00:00:01"),
	BADMAC("02:00:00:00:00:1"),
	{ "\"spoofchk\":\"maybe\"", ETH | OWN, 7,
	  "spoofchk \"maybe\" invalid: value must be on or off" },
	{ "\"spoofchk\":true", ETH | OWN, 6,
	  "spoofchk true must be a string, not a boolean" },
	{ "\"trust\":\"ON\"", ETH | OWN, 7,
	  "trust \"ON\" invalid: value must be on or off" },
	{ "\"min_tx_rate\":-5", ETH | OWN, 7,
	  "min_tx_rate -5 invalid: value must be a whole number in the range 0-2147483647" },
	{ "\"max_tx_rate\":2147483648", ETH | OWN, 7,
	  "max_tx_rate 2147483648 invalid: value must be a whole number in the range "
	  "0-2147483647" },
	{ "\"max_tx_rate\":{}", ETH | OWN, 6,
	  "max_tx_rate must be a whole number, not an object" },
	{ "\"min_tx_rate\":1000,\"max_tx_rate\":100", ETH | OWN, 7,
	  "min_tx_rate 1000 invalid: value must not be above max_tx_rate 100" },
	{ "\"logLevel\":5", ETH, 6, "logLevel 5 must be a string, not a number" },
	{ "\"logFile\":[]", ETH, 6, "logFile must be a string, not an array" },
	/* our own */
	{ "\"mtu\":67", ALL, 7,
	  "mtu 67 invalid: value must be a whole number in the range 68-65535" },
	{ "\"mtu\":65536", ALL, 7,
	  "mtu 65536 invalid: value must be a whole number in the range 68-65535" },
	{ "\"mtu\":\"1500\"", ALL, 6, "mtu \"1500\" must be a whole number, not a string" },
	{ "\"allmulti\":\"on\"", ALL, 6, "allmulti \"on\" must be a boolean, not a string" },
	{ "\"promisc\":1", ALL, 6, "promisc 1 must be a boolean, not a number" },
	{ "\"ipoibMode\":\"ud\"", ALL, 7,
	  "ipoibMode \"ud\" invalid: value must be datagram or connected" },
	{ "\"ipoibMode\":false", ALL, 6, "ipoibMode false must be a string, not a boolean" },
	{ "\"scrub\":\"all\"", ALL, 7, "scrub \"all\" invalid: value must be none or flr" },
	{ "\"scrub\":{}", ALL, 6, "scrub must be a string, not an object" },
	{ "\"timeoutSeconds\":0", ALL, 7,
	  "timeoutSeconds 0 invalid: value must be a whole number in the range 1-110" },
	{ "\"timeoutSeconds\":111", ALL, 7,
	  "timeoutSeconds 111 invalid: value must be a whole number in the range 1-110" },
	{ "\"timeoutSeconds\":\"5\"", ALL, 6,
	  "timeoutSeconds \"5\" must be a whole number, not a string" },
	/* frame of the configuration */
	{ "\"type\":5", ALL, 6, "type 5 must be a string, not a number" },
	{ "\"ipam\":[]", ALL, 6, "ipam must be an object, not an array" },
	{ "\"ipam\":\"host-local\"", ALL, 6,
	  "ipam \"host-local\" must be an object, not a string" },
	{ "\"ipam\":{\"type\":5}", ALL, 6, "ipam.type 5 must be a string, not a number" },
	{ "\"ipam\":{\"type\":\"../x\"}", ALL, 7,
	  "ipam.type \"../x\" is no name of a plugin" },
	{ "\"ipam\":{\"type\":\"..\"}", ALL, 7, "ipam.type \"..\" is no name of a plugin" },
	{ "\"ipam\":{\"type\":\"a\\u0000b\"}", ALL, 7,
	  "ipam.type \"a\" is no name of a plugin" },
	{ "\"ipam\":{\"type\":\"012345678901234567890123456789012345678901234567890123456789"
	  "0123\"}",
	  ALL, 7,
	  "ipam.type \"0123456789012345678901234567890123456789012345678901234567890123\" is "
	  "no name of a plugin" },
	{ "\"runtimeConfig\":7", ALL, 6, "runtimeConfig 7 must be an object, not a number" },
	{ "\"prevResult\":\"x\"", ALL, 6,
	  "prevResult \"x\" must be an object, not a string" },
	{ RC("\"ips\":\"10.0.0.1\""), ALL, 6,
	  "runtimeConfig.ips \"10.0.0.1\" must be an array of strings, not a string" },
	{ RC("\"ips\":[5]"), ALL, 6,
	  "runtimeConfig.ips 5 must be an array of strings, not a number" },
	{ RC("\"ips\":[\"10.0.0.1/24\",\"10.0.0.256\"]"), ALL, 7,
	  "runtimeConfig.ips \"10.0.0.256\" is not an address like 10.1.2.3/24" },
	{ RC("\"ips\":[\"fd00::1/129\"]"), ALL, 7,
	  "runtimeConfig.ips \"fd00::1/129\" is not an address like 10.1.2.3/24" },
	{ "\"deviceID\":\"text\"", ALL, 7,
	  "deviceID \"text\" is not a PCI address like 0000:3b:00.4" },
	{ "\"deviceID\":5", ALL, 6, "deviceID 5 must be a string, not a number" },
	{ "\"deviceID\":\"0000:3b:00.4\\u0000\"", ALL, 7,
	  "deviceID \"0000:3b:00.4\" is not a PCI address like 0000:3b:00.4" },
};

static void wrong_values(void)
{
	char msg[600];

	for (size_t i = 0; i < VFK_ARRAY_SIZE(wrong_rows); i++) {
		for (size_t d = 0; d < VFK_ARRAY_SIZE(dialects); d++) {
			enum cni_dialect dialect = dialects[d].dialect;

			if (!(wrong_rows[i].dialects & dialects[d].bit)) {
				add(dialect, wrong_rows[i].keys);
				cni_request_free(&rq_now);
				continue;
			}
			snprintf(msg, sizeof(msg), "%s%s", prefix(dialect),
				 wrong_rows[i].msg);
			refused(CNI_ADD, dialect, with(wrong_rows[i].keys),
				wrong_rows[i].code, msg, "");
		}
	}
}

/* P6: whatever is wrong with a key, the DEL goes on. */
static void del_ignores_wrong_values(void)
{
	for (size_t i = 0; i < VFK_ARRAY_SIZE(wrong_rows); i++) {
		for (size_t d = 0; d < VFK_ARRAY_SIZE(dialects); d++) {
			int rc = parse(CNI_DEL, dialects[d].dialect,
				       with(wrong_rows[i].keys));

			SUITE_INT(rc, 0);
			if (rc < 0)
				continue;
			SUITE_STR(rq_now.att.network, "net");
			cni_request_free(&rq_now);
		}
	}
}

static void bad_guids(void)
{
	static const char *const bad[] = { "zz",
					   "00:00:00:00:00:00:00:00",
					   "02-00-00-00-00-00-bb-64",
					   "020000000000bb64",
					   "0x020000000000bb64",
					   "02:00:00:00:00:bb:64",
					   "02:00:00:00:00:00:00:bb:64",
					   "02:00:00:00:00:00:bb:6",
					   "0200:0000:0000:bb64",
					   " 02:00:00:00:00:00:bb:64",
					   "02:00:00:00:00:00:bb:64 ",
					   "02:00:00:00:00:00:bb:6g" };
	char keys[200], msg[400];

	for (size_t i = 0; i < VFK_ARRAY_SIZE(bad); i++) {
		snprintf(keys, sizeof(keys),
			 ARGS("\"guid\":\"" GUID "\"") "," RC("\"infinibandGUID\":\"%s\""),
			 bad[i]);
		snprintf(msg, sizeof(msg),
			 IBMSG "%s\": runtimeConfig.infinibandGUID" OCTETS, bad[i]);
		refused(CNI_ADD, DIALECT_IB_SRIOV, with(keys), 7, msg, "");
		snprintf(keys, sizeof(keys), ARGS("\"guid\":\"%s\""), bad[i]);
		snprintf(msg, sizeof(msg),
			 "configuration: \"invalid guid %s\": args.cni.guid" OCTETS,
			 bad[i]);
		refused(CNI_ADD, DIALECT_VFKEEPER, with(keys), 7, msg, "");
	}
}

static void ib_kubernetes_gate(void)
{
#define GATE "\"ibKubernetesEnabled\":true"
#define MARK "\"mellanox.infiniband.app\":"
	static const char no_marker[] =
		"infiniBand SRIOV-CNI failed, InfiniBand status \"mellanox.infiniband.app\" is "
		"not \"configured\" please check mellanox ib-kubernetes (it has not written the "
		"pod's cni-args yet)";
	static const char *const waiting[] = {
		GATE, GATE "," ARGS("\"guid\":\"" GUID "\""),
		GATE "," ARGS(MARK "\"pending\",\"guid\":\"" GUID "\""),
		GATE "," ARGS(MARK "true,\"guid\":\"" GUID "\""),
		GATE "," ARGS("\"Mellanox.Infiniband.App\":\"configured\"")
	};
	static const char ready[] = GATE
		"," ARGS(MARK "\"configured\",\"guid\":\"" GUID "\"");

	for (size_t i = 0; i < VFK_ARRAY_SIZE(waiting); i++) {
		refused(CNI_ADD, DIALECT_IB_SRIOV, with(waiting[i]), 11, no_marker, "");
		refused(CNI_ADD, DIALECT_VFKEEPER, with(waiting[i]), 11, no_marker, "");
		SUITE_INT(parse(CNI_CHECK, DIALECT_IB_SRIOV, with(waiting[i])), 0);
		cni_request_free(&rq_now);
	}
	refused(CNI_ADD, DIALECT_IB_SRIOV, with(GATE "," ARGS(MARK "\"configured\"")), 7,
		"infiniband SRIOV-CNI failed, Unexpected error. GUID must be provided by "
		"ib-kubernetes (neither runtimeConfig.infinibandGUID nor args.cni.guid is there)",
		"");
	add(DIALECT_IB_SRIOV, ready);
	SUITE_INT(rq_now.wanted.port_guid, 0x020000000000bb61);
	cni_request_free(&rq_now);
}

static void guid_policies(void)
{
	static const struct {
		const char *keys;
		enum guid_policy policy;
	} rows[] = {
		{ "", GUID_GIVEN },
		{ "\"guidPolicy\":\"\"", GUID_GIVEN },
		{ "\"guidPolicy\":\"given\"", GUID_GIVEN },
		{ "\"guidPolicy\":\"keep\"", GUID_KEEP },
		{ "\"guidPolicy\":\"derived\"", GUID_DERIVED },
	};

	for (size_t i = 0; i < VFK_ARRAY_SIZE(rows); i++) {
		add(DIALECT_IB_SRIOV, rows[i].keys);
		SUITE_INT(rq_now.guid_policy, rows[i].policy);
		cni_request_free(&rq_now);
	}
}

static void mac_of_cni_args(void)
{
	static const char env[] =
		"CNI_CONTAINERID=c1\0CNI_NETNS=/n\0CNI_IFNAME=i\0CNI_PATH=/p\0"
		"CNI_ARGS=IgnoreUnknown=1;MAC=02:00:00:00:00:07\0";
	static const struct {
		const char *keys;
		enum cni_dialect dialect;
		const char *settings;
	} rows[] = {
		{ "\"mac\":\"02:aa:bb:cc:dd:01\"", DIALECT_SRIOV, "mac=020000000007" },
		{ RC("\"mac\":\"02:00:00:00:00:09\""), DIALECT_SRIOV, "mac=020000000009" },
		{ "", DIALECT_VFKEEPER, "mac=020000000007" },
		{ "", DIALECT_IB_SRIOV, "" },
	};
	char text[512];

	for (size_t i = 0; i < VFK_ARRAY_SIZE(rows); i++) {
		const char *conf = with(rows[i].keys);

		CU_ASSERT_EQUAL_FATAL(cni_parse(&rq_now, CNI_ADD, rows[i].dialect, env,
						sizeof(env) - 1, conf, strlen(conf),
						&fail_now),
				      0);
		SUITE_STR(settings(text, sizeof(text)), rows[i].settings);
		cni_request_free(&rq_now);
	}
}

static void bad_mac_of_cni_args(void)
{
	static const char env[] =
		"CNI_CONTAINERID=c1\0CNI_NETNS=/n\0CNI_IFNAME=i\0CNI_PATH=/p\0"
		"CNI_ARGS=MAC=02:00:00:00:00:07:00:00:00:00:00:00:00:00:00:00:"
		"00:00:00:00:00:00:00:00:00:00:00:00:00:00\0";
	const char *conf = with("\"mac\":\"02:aa:bb:cc:dd:01\"");

	SUITE_INT(cni_parse(&rq_now, CNI_ADD, DIALECT_SRIOV, env, sizeof(env) - 1, conf,
			    strlen(conf), &fail_now),
		  -1);
	SUITE_INT(fail_now.code, 7);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(fail_now.msg, "MAC of CNI_ARGS \"02:00:00:00:00:07:00"));
}

/* --- keys as Go's decoder matches them --- */

static void case_of_keys(void)
{
	static const struct {
		const char *keys, *settings;
	} rows[] = {
		{ "\"VLAN\":7", "vlan=7 qos=0 proto=8100" },
		{ "\"vlan\":1,\"Vlan\":2", "vlan=2 qos=0 proto=8100" },
		{ "\"Vlan\":2,\"vlan\":1", "vlan=1 qos=0 proto=8100" },
		{ "\"vlan\":1,\"VLAN\":null", "vlan=1 qos=0 proto=8100" },
		{ "\"vlan\":1,\"vlan\":3", "vlan=3 qos=0 proto=8100" },
		{ "\"LINK_STATE\":\"enable\"", "link_state=1" },
		{ "\"lin\\u212a_state\":\"enable\"", "link_state=1" },
		{ "\"link_\\u017ftate\":\"enable\"", "link_state=1" },
		{ "\"linkstate\":\"enable\"", "" },
		{ "\"link_state \":\"enable\"", "" },
		{ "\"RuntimeConfig\":{\"MAC\":\"02:00:00:00:00:09\"}", "mac=020000000009" },
		{ RC("\"mac\":\"02:00:00:00:00:01\"") ",\"RUNTIMECONFIG\":{\"x\":1}",
		  "mac=020000000001" },
		{ "\"Args\":{\"CNI\":{\"guid\":\"" GUID "\"}}",
		  "node=020000000000bb61 port=020000000000bb61" },
		{ "\"Args\":{\"CNI\":{\"Guid\":\"" GUID "\"}}", "" },
	};
	char text[512];

	for (size_t i = 0; i < VFK_ARRAY_SIZE(rows); i++) {
		add(DIALECT_VFKEEPER, rows[i].keys);
		SUITE_STR(settings(text, sizeof(text)), rows[i].settings);
		cni_request_free(&rq_now);
	}
}

/* Whether a line ".It Ic a , b.c" of the page names the key, alone or behind a dot. */
static bool man_names(const char *page, const char *key)
{
	for (const char *p = page; (p = strstr(p, "\n.It Ic ")) != NULL; p++) {
		const char *end = strchr(p + 1, '\n');

		for (const char *hit = p; (hit = strstr(hit, key)) != NULL && hit < end;
		     hit++) {
			char before = hit[-1], after = hit[strlen(key)];

			if ((before == ' ' || before == '.') &&
			    (after == ' ' || after == '\n'))
				return true;
		}
	}
	return false;
}

static void man_page(void)
{
	static const char *const others[] = { "cniVersion",	  "name", "type",
					      "deviceID",	  "ipam", "prevResult",
					      "runtimeConfig.ips" };
	const char *top = getenv("srcdir");
	static char page[65536];
	char path[400];
	FILE *f;

	snprintf(path, sizeof(path), "%s/man/vfkeeper-cni.7", top ? top : ".");
	f = fopen(path, "re");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	page[fread(page, 1, sizeof(page) - 1, f)] = '\0';
	fclose(f);
	for (unsigned i = 0; cni_key(i); i++)
		SUITE_STR(man_names(page, cni_key(i)) ? cni_key(i) : "missing", cni_key(i));
	for (size_t i = 0; i < VFK_ARRAY_SIZE(others); i++)
		SUITE_STR(man_names(page, others[i]) ? others[i] : "missing", others[i]);
}

VFK_SUITE(cni_keys,
	  { "every key with a right value becomes a setting in its dialects only",
	    right_values },
	  { "every key with a wrong value is one line with its code", wrong_values },
	  { "no wrong value fails a DEL", del_ignores_wrong_values },
	  { "a bad GUID is refused with its place", bad_guids },
	  { "ibKubernetesEnabled waits for the marker and a GUID", ib_kubernetes_gate },
	  { "guidPolicy is read", guid_policies },
	  { "MAC of CNI_ARGS stands between runtimeConfig.mac and mac", mac_of_cni_args },
	  { "a MAC of CNI_ARGS that is too long is refused", bad_mac_of_cni_args },
	  { "keys match in any case and the last one wins, keys of args.cni do not",
	    case_of_keys },
	  { "the man page explains every key", man_page })
