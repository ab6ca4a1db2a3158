/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of a call: the skeleton's checks, what is no key of a setting, and what means
 * harm. */
#include "cni_rig.h"

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

VFK_SUITE(cni_conf,
	  { "what is no configuration is refused in one line", not_a_configuration },
	  { "seven versions are supported, by their exact names", versions },
	  { "CHECK, GC and STATUS ask for a version", versions_of_verbs },
	  { "a name of 256 bytes fails an ADD and matches nothing in a DEL", long_names },
	  { "the device comes from deviceID, runtimeConfig.deviceID, pciBusID", devices },
	  { "only an ADD needs a device", no_device },
	  { "absent and empty ipam mean none", ipams },
	  { "dhcp is refused for ib-sriov alone", dhcp },
	  { "the ips capability is checked", ips_capability },
	  { "prevResult is found in any case", prev_result },
	  { "timeoutSeconds is read", timeouts },
	  { "bytes that are not UTF-8 disturb nobody", bad_utf8_disturbs_nobody },
	  { "numbers beyond 64 bits disturb nobody", big_numbers_disturb_nobody },
	  { "a megabyte is taken and a depth of 100000 refused", size_and_depth },
	  { "a message is one short line whatever the value", odd_values_in_messages },
	  { "a configuration cut or flipped anywhere gets an answer", cut_and_flipped },
	  { "a DEL without a configuration keeps container and interface",
	    del_without_configuration },
	  { "a DEL of an unknown version is taken", del_of_unknown_version },
	  { "a GC looks at name, version and ipam", gc_is_lenient },
	  { "names of versions go there and back", spec_names })
