/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of a call: the skeleton's checks and every key. */
#include "suite.h"

#include <inttypes.h>

#include "cni/cni-internal.h"
#include "cni/cni.h"

static const char env_add[] =
	"CNI_CONTAINERID=c1\0CNI_NETNS=/run/netns/p\0CNI_IFNAME=net1\0CNI_PATH=/opt/cni/bin\0";

static struct cni_request rq_now;
static struct cni_fail fail_now;

static int parse_len(enum cni_verb verb, enum cni_dialect dialect, const char *text,
		     size_t len)
{
	/* A copy of its very length: ASan sees what is read beyond it. */
	char *copy = malloc(len ? len : 1);
	int rc;

	CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
	memcpy(copy, text, len);
	memset(&fail_now, 0, sizeof(fail_now));
	rc = cni_parse(&rq_now, verb, dialect, env_add, sizeof(env_add) - 1, copy, len,
		       &fail_now);
	free(copy);
	return rc;
}

static int parse(enum cni_verb verb, enum cni_dialect dialect, const char *text)
{
	return parse_len(verb, dialect, text, strlen(text));
}

static void refused(enum cni_verb verb, enum cni_dialect dialect, const char *text,
		    int code, const char *msg, const char *details)
{
	int rc = parse(verb, dialect, text);

	SUITE_INT(rc, -1);
	if (rc == 0)
		cni_request_free(&rq_now);
	SUITE_INT(fail_now.code, code);
	SUITE_STR(fail_now.msg, msg);
	SUITE_STR(fail_now.details, details);
}

/* A configuration that is good but for 'keys'. */
static const char *with(const char *keys)
{
	static char text[4096];

	snprintf(text, sizeof(text),
		 "{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"type\":\"x\",\"deviceID\":"
		 "\"0000:3b:00.4\"%s%s}",
		 *keys ? "," : "", keys);
	return text;
}

/* Parses an ADD that has to succeed; the caller frees rq_now. */
static void add(enum cni_dialect dialect, const char *keys)
{
	int rc = parse(CNI_ADD, dialect, with(keys));

	SUITE_STR(fail_now.msg, "");
	CU_ASSERT_EQUAL_FATAL(rc, 0);
}

static const char *prefix(enum cni_dialect dialect)
{
	return dialect == DIALECT_IB_SRIOV ?
		       "infiniBand SRI-OV CNI failed to load netconf: " :
	       dialect == DIALECT_SRIOV ? "SRIOV-CNI failed to load netconf: LoadConf(): " :
					  "configuration: ";
}

/* --- the skeleton --- */

static void not_a_configuration(void)
{
	static const struct {
		const char *text;
		int code;
		const char *msg, *details;
	} rows[] = {
		{ "", 6, "error unmarshall network config: unexpected end of JSON input",
		  "" },
		{ "{\"name\":", 6,
		  "error unmarshall network config: unexpected end of JSON input", "" },
		{ "[]", 6,
		  "error unmarshall network config: it is an array, not an object", "" },
		{ "\"x\"", 6,
		  "error unmarshall network config: it is a string, not an object", "" },
		{ "null", 7, "missing network name", "" },
		{ "{}", 7, "missing network name", "" },
		{ "{\"name\":null}", 7, "missing network name", "" },
		{ "{\"name\":\"\"}", 7, "missing network name", "" },
		{ "{\"name\":5}", 6,
		  "error unmarshall network config: name 5 must be a string, not a number",
		  "" },
		{ "{\"name\":[]}", 6,
		  "error unmarshall network config: name must be a string, not an array",
		  "" },
		{ "{\"name\":\"a b/c\"}", 7, "invalid characters found in network name",
		  "a b/c" },
		{ "{\"name\":\"-a\"}", 7, "invalid characters found in network name", "-a" },
		{ "{\"name\":\"a\\u0000b\"}", 7,
		  "invalid characters found in network name", "a" },
		{ "{\"name\":\"net\"}\ngarbage", 6,
		  "error unmarshall network config: line 2 column 7: end of file expected near "
		  "'garbage'",
		  "" },
		{ "{\"name\":\"net\"}\n{}", 6,
		  "error unmarshall network config: line 2 column 1: end of file expected near "
		  "'{'",
		  "" },
		{ "\xef\xbb\xbf{}", 6,
		  "error unmarshall network config: line 1 column 1: invalid token near "
		  "'\xef\xbb\xbf'",
		  "" },
	};

	for (size_t i = 0; i < VFK_ARRAY_SIZE(rows); i++)
		refused(CNI_ADD, DIALECT_VFKEEPER, rows[i].text, rows[i].code,
			rows[i].msg, rows[i].details);
}

#define LIST "[\"0.1.0\" \"0.2.0\" \"0.3.0\" \"0.3.1\" \"0.4.0\" \"1.0.0\" \"1.1.0\"]"

static void versions(void)
{
	static const struct {
		const char *json;
		enum cni_spec spec;
	} good[] = {
		{ "null", CNI_0_1_0 },	    { "\"\"", CNI_0_1_0 },
		{ "\"0.1.0\"", CNI_0_1_0 }, { "\"0.2.0\"", CNI_0_2_0 },
		{ "\"0.3.0\"", CNI_0_3_0 }, { "\"0.3.1\"", CNI_0_3_1 },
		{ "\"0.4.0\"", CNI_0_4_0 }, { "\"1.0.0\"", CNI_1_0_0 },
		{ "\"1.1.0\"", CNI_1_1_0 },
	};
	static const char *const bad[] = { "0.5.0", "1.2.0", "2.0.0",
					   "abc",   "1.0",   "1.1.0 " };
	char text[200], details[300];

	for (size_t i = 0; i < VFK_ARRAY_SIZE(good); i++) {
		snprintf(text, sizeof(text),
			 "{\"name\":\"n\",\"deviceID\":\"0000:3b:00.4\",\"cniVersion\":%s}",
			 good[i].json);
		SUITE_INT(parse(CNI_ADD, DIALECT_VFKEEPER, text), 0);
		SUITE_INT(rq_now.spec, good[i].spec);
		cni_request_free(&rq_now);
	}
	for (size_t i = 0; i < VFK_ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text), "{\"name\":\"n\",\"cniVersion\":\"%s\"}",
			 bad[i]);
		snprintf(details, sizeof(details),
			 "config is \"%s\", plugin supports " LIST, bad[i]);
		refused(CNI_ADD, DIALECT_SRIOV, text, 1, "incompatible CNI versions",
			details);
	}
	refused(CNI_ADD, DIALECT_SRIOV, "{\"name\":\"n\",\"cniVersion\":5}", 6,
		"decoding version from network config: cniVersion 5 must be a string, not a "
		"number",
		"");
}

static void versions_of_verbs(void)
{
	static const struct {
		enum cni_verb verb;
		const char *version;
		int code;
		const char *msg;
	} rows[] = {
		{ CNI_CHECK, "0.3.1", 1, "config version does not allow CHECK" },
		{ CNI_CHECK, "0.1.0", 1, "config version does not allow CHECK" },
		{ CNI_CHECK, "2.0.0", 1, "plugin version does not allow CHECK" },
		{ CNI_CHECK, "abc", 6, "cniVersion \"abc\" is not a version" },
		{ CNI_CHECK, "0.5.0", 1, "incompatible CNI versions" },
		{ CNI_GC, "1.0.0", 1, "config version does not allow GC" },
		{ CNI_GC, "1.2.0", 1, "plugin version does not allow GC" },
		{ CNI_STATUS, "1.0.0", 1, "config version does not allow STATUS" },
		{ CNI_STATUS, "1.1.1", 1, "plugin version does not allow STATUS" },
		{ CNI_STATUS, "1.x", 6, "cniVersion \"1.x\" is not a version" },
		{ CNI_STATUS, "1.1.0.0", 6, "cniVersion \"1.1.0.0\" is not a version" },
		{ CNI_CHECK, "0.4.0", 0, "" },
		{ CNI_CHECK, "1.1.0", 0, "" },
		{ CNI_GC, "1.1.0", 0, "" },
		{ CNI_STATUS, "1.1.0", 0, "" },
	};
	char text[200];

	for (size_t i = 0; i < VFK_ARRAY_SIZE(rows); i++) {
		int rc;

		snprintf(text, sizeof(text), "{\"name\":\"n\",\"cniVersion\":\"%s\"}",
			 rows[i].version);
		rc = parse(rows[i].verb, DIALECT_IB_SRIOV, text);
		SUITE_INT(rc, rows[i].code ? -1 : 0);
		SUITE_STR(fail_now.msg, rows[i].msg);
		SUITE_INT(fail_now.code, rows[i].code);
		if (rc == 0)
			cni_request_free(&rq_now);
	}
}

static void long_names(void)
{
	char text[700], name[300];

	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	snprintf(text, sizeof(text), "{\"name\":\"%s\",\"deviceID\":\"0000:3b:00.4\"}",
		 name);
	SUITE_INT(parse(CNI_ADD, DIALECT_VFKEEPER, text), 0);
	SUITE_STR(rq_now.att.network, name);
	cni_request_free(&rq_now);
	name[255] = 'n';
	name[256] = '\0';
	snprintf(text, sizeof(text), "{\"name\":\"%s\",\"deviceID\":\"0000:3b:00.4\"}",
		 name);
	refused(CNI_ADD, DIALECT_VFKEEPER, text, 7,
		"name is 256 bytes long, at most 255 are supported", "");
	SUITE_INT(parse(CNI_DEL, DIALECT_VFKEEPER, text), 0);
	SUITE_STR(rq_now.att.network, "!");
	cni_request_free(&rq_now);
}

/* --- what one key makes --- */

enum { IB = 1, ETH = 2, OWN = 4, ALL = 7 };

static const struct {
	enum cni_dialect dialect;
	int bit;
} dialects[] = { { DIALECT_IB_SRIOV, IB },
		 { DIALECT_SRIOV, ETH },
		 { DIALECT_VFKEEPER, OWN } };

#define RC(x) "\"runtimeConfig\":{" x "}"
#define GUID "02:00:00:00:00:00:bb:61"
#define ARGS(x) "\"args\":{\"cni\":{" x "}}"

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

/* --- device, IPAM, prevResult, time --- */

static void devices(void)
{
	static const struct {
		const char *keys;
		const char *addr; /* NULL: none */
	} rows[] = {
		{ "\"deviceID\":\"0000:3b:00.4\"", "0000:3b:00.4" },
		{ "\"deviceID\":\"0000:3B:1F.7\"", "0000:3b:1f.7" },
		{ RC("\"deviceID\":\"0000:3b:00.5\""), "0000:3b:00.5" },
		{ "\"pciBusID\":\"0000:3b:00.6\"", "0000:3b:00.6" },
		{ "\"deviceID\":\"0000:3b:00.1\",\"pciBusID\":\"0000:3b:00.2\"," RC(
			  "\"deviceID\":\"0000:3b:00.3\""),
		  "0000:3b:00.1" },
		{ "\"deviceID\":\"\",\"pciBusID\":\"0000:3b:00.2\"", "0000:3b:00.2" },
		{ "\"deviceID\":null", NULL },
	};
	char text[300], addr[PCI_STRLEN];

	for (size_t i = 0; i < VFK_ARRAY_SIZE(rows); i++) {
		snprintf(text, sizeof(text), "{\"name\":\"n\",%s}", rows[i].keys);
		SUITE_INT(parse(CNI_DEL, DIALECT_SRIOV, text), 0);
		SUITE_INT(rq_now.has_device, rows[i].addr != NULL);
		SUITE_STR(rq_now.device == PCI_NONE ? NULL :
						      pci_format(rq_now.device, addr),
			  rows[i].addr);
		cni_request_free(&rq_now);
	}
}

static void no_device(void)
{
	static const char tail[] =
		": neither deviceID nor runtimeConfig.deviceID nor pciBusID "
		"is there (does the network name a resource, and does the "
		"pod ask for it?)";
	char msg[400];

	snprintf(msg, sizeof(msg), "%sVF pci addr is required%s", prefix(DIALECT_SRIOV),
		 tail);
	refused(CNI_ADD, DIALECT_SRIOV, "{\"name\":\"n\"}", 7, msg, "");
	snprintf(msg, sizeof(msg), "%sdeviceID is required%s", prefix(DIALECT_IB_SRIOV),
		 tail);
	refused(CNI_ADD, DIALECT_IB_SRIOV, "{\"name\":\"n\"}", 7, msg, "");
	SUITE_INT(parse(CNI_CHECK, DIALECT_SRIOV,
			"{\"name\":\"n\",\"cniVersion\":\"0.4.0\"}"),
		  0);
	CU_ASSERT_FALSE(rq_now.has_device);
	cni_request_free(&rq_now);
}

static void ipams(void)
{
	static const struct {
		const char *keys, *type;
		bool own;
	} rows[] = {
		{ "", "", false },
		{ "\"ipam\":{}", "", false },
		{ "\"ipam\":null", "", false },
		{ "\"ipam\":{\"type\":\"\"}", "", false },
		{ "\"ipam\":{\"range\":\"x\"}", "", false },
		{ "\"ipam\":{\"type\":\"host-local\"}", "host-local", false },
		{ "\"IPAM\":{\"Type\":\"static\"}", "static", false },
		{ "\"ipam\":{\"type\":\"vfkeeper\"}", "vfkeeper", true },
		{ "\"ipam\":{\"type\":\"012345678901234567890123456789012345678901234567890123456"
		  "789012\"}",
		  "012345678901234567890123456789012345678901234567890123456789012", false },
	};

	for (size_t i = 0; i < VFK_ARRAY_SIZE(rows); i++) {
		add(DIALECT_IB_SRIOV, rows[i].keys);
		SUITE_STR(rq_now.ipam_type, rows[i].type);
		SUITE_INT(rq_now.ipam_own, rows[i].own);
		cni_request_free(&rq_now);
	}
}

static void dhcp(void)
{
	static const char keys[] = "\"ipam\":{\"type\":\"dhcp\"}";

	refused(CNI_ADD, DIALECT_IB_SRIOV, with(keys), 2,
		"ipam type dhcp is not supported", "");
	SUITE_INT(parse(CNI_DEL, DIALECT_IB_SRIOV, with(keys)), 0);
	SUITE_STR(rq_now.ipam_type, "");
	cni_request_free(&rq_now);
	add(DIALECT_SRIOV, keys);
	SUITE_STR(rq_now.ipam_type, "dhcp");
	cni_request_free(&rq_now);
}

static void ips_capability(void)
{
	add(DIALECT_SRIOV,
	    RC("\"ips\":[\"10.0.0.1\",\"10.0.0.1/24\",\"fd00::1\",\"fd00::1/64\"]"));
	cni_request_free(&rq_now);
	add(DIALECT_SRIOV, RC("\"ips\":[],\"unknown\":[1,2],\"IPS\":null"));
	cni_request_free(&rq_now);
}

static void prev_result(void)
{
	add(DIALECT_SRIOV, "\"PREVRESULT\":{\"ips\":[]}");
	CU_ASSERT_TRUE(json_is_object(rq_now.prev_result));
	cni_request_free(&rq_now);
	CU_ASSERT_PTR_NULL(rq_now.prev_result);
	add(DIALECT_SRIOV, "\"prevResult\":null");
	CU_ASSERT_PTR_NULL(rq_now.prev_result);
	cni_request_free(&rq_now);
}

static void timeouts(void)
{
	add(DIALECT_VFKEEPER, "\"timeoutSeconds\":110");
	SUITE_INT(rq_now.timeout_s, 110);
	cni_request_free(&rq_now);
	add(DIALECT_VFKEEPER, "");
	SUITE_INT(rq_now.timeout_s, 0);
	cni_request_free(&rq_now);
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

/* --- input that means harm --- */

static void bad_utf8_disturbs_nobody(void)
{
	static const char *const odd[] = { "\"x\":\"\xff\xfe\"", "\"\xc3\":1",
					   "\"x\":\"\xed\xa0\x80\"",
					   "\"x\":\"\xf4\x90\x80\x80\"",
					   "\"x\":\"\xc0\x80\"" };

	for (size_t i = 0; i < VFK_ARRAY_SIZE(odd); i++) {
		add(DIALECT_SRIOV, odd[i]);
		cni_request_free(&rq_now);
	}
	refused(CNI_ADD, DIALECT_SRIOV, "{\"name\":\"a\xff\"}", 7,
		"invalid characters found in network name", "a\xef\xbf\xbd");
}

static void big_numbers_disturb_nobody(void)
{
	add(DIALECT_SRIOV, "\"x\":123456789012345678901234567890,\"vlan\":7");
	SUITE_INT(rq_now.wanted.vlan, 7);
	cni_request_free(&rq_now);
}

/* 'n' times 'one' in a configuration. */
static char *repeated(const char *head, const char *one, size_t n, const char *tail)
{
	size_t head_len = strlen(head), one_len = strlen(one);
	char *text = malloc(head_len + n * one_len + strlen(tail) + 1);

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	memcpy(text, head, head_len);
	for (size_t i = 0; i < n; i++)
		memcpy(text + head_len + i * one_len, one, one_len);
	memcpy(text + head_len + n * one_len, tail, strlen(tail) + 1);
	return text;
}

#define HEAD "{\"name\":\"n\",\"deviceID\":\"0000:3b:00.4\",\"x\":"

static void size_and_depth(void)
{
	char *big = repeated(HEAD "\"", "0123456789abcdef", 65536, "\"}");
	char *deep = repeated(HEAD, "[", 100000, "");
	char *objects = repeated("", "{\"a\":", 100000, "");

	SUITE_INT(parse(CNI_ADD, DIALECT_SRIOV, big), 0);
	cni_request_free(&rq_now);
	refused(CNI_ADD, DIALECT_SRIOV, deep, 6,
		"error unmarshall network config: line 1 column 2090: maximum parsing depth "
		"reached near '['",
		"");
	SUITE_INT(parse(CNI_ADD, DIALECT_SRIOV, objects), -1);
	SUITE_INT(fail_now.code, 6);
	SUITE_INT(parse(CNI_DEL, DIALECT_SRIOV, deep), 0);
	cni_request_free(&rq_now);
	free(big);
	free(deep);
	free(objects);
}

/* A message is one line, however long and odd the value in it. */
static void odd_values_in_messages(void)
{
	char *text = repeated("{\"name\":\"n\",\"deviceID\":\"",
			      "A\\n\\\"\\u0007\xc3\xa4", 50000, "\"}");

	SUITE_INT(parse(CNI_ADD, DIALECT_VFKEEPER, text), -1);
	SUITE_INT(fail_now.code, 7);
	CU_ASSERT_PTR_NULL(strpbrk(fail_now.msg, "\n\a"));
	CU_ASSERT_TRUE(strlen(fail_now.msg) < 200);
	CU_ASSERT_TRUE(cni_text_valid(fail_now.msg));
	free(text);
}

/* Every prefix and every one-byte change is an answer, never a crash or a leak. */
static void cut_and_flipped(void)
{
	static const char conf[] =
		"{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"deviceID\":\"0000:3b:00.4\",\"vlan\""
		":5,\"vlanQoS\":1,\"mac\":\"02:00:00:00:00:01\",\"ipam\":{\"type\":\"static\"},"
		"\"runtimeConfig\":{\"ips\":[\"10.0.0.1/8\"],\"infinibandGUID\":\"" GUID
		"\"},"
		"\"args\":{\"cni\":{\"x\":[1,2.5e3,null,true,\"\\u00e4\\ud83d\\ude00\"]}}}";
	char copy[sizeof(conf)];

	for (size_t n = 0; n < sizeof(conf) - 1; n++) {
		SUITE_INT(parse_len(CNI_ADD, DIALECT_VFKEEPER, conf, n), -1);
		for (unsigned b = 0; b < 8; b++) {
			memcpy(copy, conf, sizeof(conf));
			copy[n] ^= (char)(1u << b);
			if (parse_len(CNI_ADD, DIALECT_VFKEEPER, copy, sizeof(conf) - 1) ==
			    0)
				cni_request_free(&rq_now);
			else
				CU_ASSERT_TRUE(fail_now.code > 0 && fail_now.msg[0]);
			SUITE_INT(parse_len(CNI_DEL, DIALECT_VFKEEPER, copy,
					    sizeof(conf) - 1),
				  0);
			cni_request_free(&rq_now);
		}
	}
}

/* --- DEL --- */

static void del_without_configuration(void)
{
	static const char *const texts[] = { "",
					     "null",
					     "[]",
					     "\"x\"",
					     "{",
					     "garbage",
					     "{\"name\":5}",
					     "{\"name\":\"a b\"}",
					     "{\"cniVersion\":\"1.0.0\"}",
					     "{\"name\":\"\"}",
					     "{\"name\":\"a\\u0000\"}" };

	for (size_t i = 0; i < VFK_ARRAY_SIZE(texts); i++) {
		SUITE_INT(parse(CNI_DEL, DIALECT_IB_SRIOV, texts[i]), 0);
		SUITE_STR(rq_now.att.network, "");
		SUITE_STR(rq_now.att.container, "c1");
		SUITE_STR(rq_now.att.ifname, "net1");
		SUITE_INT(rq_now.spec, CNI_SPEC_NEWEST);
		CU_ASSERT_PTR_NOT_NULL(rq_now.conf);
		cni_request_free(&rq_now);
	}
}

static void del_of_unknown_version(void)
{
	SUITE_INT(parse(CNI_DEL, DIALECT_SRIOV,
			"{\"name\":\"net\",\"cniVersion\":\"9.0.0\",\"ipam\":{\"type\":\"x\"}}"),
		  0);
	SUITE_STR(rq_now.att.network, "net");
	SUITE_STR(rq_now.ipam_type, "x");
	SUITE_INT(rq_now.spec, CNI_SPEC_NEWEST);
	cni_request_free(&rq_now);
}

static void gc_is_lenient(void)
{
	static const char conf[] = "{\"name\":\"n\",\"cniVersion\":\"1.1.0\",\"vlan\":\"x\","
				   "\"ipam\":{\"type\":\"host-local\"}}";

	SUITE_INT(parse(CNI_GC, DIALECT_SRIOV, conf), 0);
	SUITE_STR(rq_now.ipam_type, "host-local");
	cni_request_free(&rq_now);
	SUITE_INT(parse(CNI_STATUS, DIALECT_SRIOV, conf), -1);
}

static void spec_names(void)
{
	for (int s = CNI_0_1_0; s <= CNI_SPEC_NEWEST; s++)
		SUITE_INT(cni_spec_parse(cni_spec_name((enum cni_spec)s)), s);
	SUITE_STR(cni_spec_name((enum cni_spec)0), "?");
	SUITE_INT(cni_spec_parse("1.1"), 0);
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

VFK_SUITE(cni_conf,
	  { "what is no configuration is refused in one line", not_a_configuration },
	  { "seven versions are supported, by their exact names", versions },
	  { "CHECK, GC and STATUS ask for a version", versions_of_verbs },
	  { "a name of 256 bytes fails an ADD and matches nothing in a DEL", long_names },
	  { "every key with a right value becomes a setting in its dialects only",
	    right_values },
	  { "every key with a wrong value is one line with its code", wrong_values },
	  { "no wrong value fails a DEL", del_ignores_wrong_values },
	  { "a bad GUID is refused with its place", bad_guids },
	  { "ibKubernetesEnabled waits for the marker and a GUID", ib_kubernetes_gate },
	  { "guidPolicy is read", guid_policies },
	  { "MAC of CNI_ARGS stands between runtimeConfig.mac and mac", mac_of_cni_args },
	  { "a MAC of CNI_ARGS that is too long is refused", bad_mac_of_cni_args },
	  { "the device comes from deviceID, runtimeConfig.deviceID, pciBusID", devices },
	  { "only an ADD needs a device", no_device },
	  { "absent and empty ipam mean none", ipams },
	  { "dhcp is refused for ib-sriov alone", dhcp },
	  { "the ips capability is checked", ips_capability },
	  { "prevResult is found in any case", prev_result },
	  { "timeoutSeconds is read", timeouts },
	  { "keys match in any case and the last one wins, keys of args.cni do not",
	    case_of_keys },
	  { "bytes that are not UTF-8 disturb nobody", bad_utf8_disturbs_nobody },
	  { "numbers beyond 64 bits disturb nobody", big_numbers_disturb_nobody },
	  { "a megabyte is taken and a depth of 100000 refused", size_and_depth },
	  { "a message is one short line whatever the value", odd_values_in_messages },
	  { "a configuration cut or flipped anywhere gets an answer", cut_and_flipped },
	  { "a DEL without a configuration keeps container and interface",
	    del_without_configuration },
	  { "a DEL of an unknown version is taken", del_of_unknown_version },
	  { "a GC looks at name, version and ipam", gc_is_lenient },
	  { "the man page explains every key", man_page },
	  { "names of versions go there and back", spec_names })
