/* SPDX-License-Identifier: Apache-2.0 */
/* What goes to the caller's stdout: results of all seven versions and error objects. */
#include "suite.h"

#include "cni/cni-internal.h"
#include "cni/cni.h"

static const char env_add[] =
	"CNI_CONTAINERID=c1\0CNI_NETNS=/run/netns/p\0CNI_IFNAME=net1\0CNI_PATH=/opt/cni/bin\0";

static struct cni_request rq_now;
static struct vfk_err err_now;

/* An ADD of 'version' with more keys; the caller frees rq_now. */
static void request(const char *version, const char *keys)
{
	char conf[4096];
	struct cni_fail fail = { 0 };
	int rc;

	snprintf(conf, sizeof(conf),
		 "{\"cniVersion\":\"%s\",\"name\":\"net\",\"deviceID\":\"0000:3b:00.4\"%s%s}",
		 version, *keys ? "," : "", keys);
	rc = cni_parse(&rq_now, CNI_ADD, DIALECT_VFKEEPER, env_add, sizeof(env_add) - 1,
		       conf, strlen(conf), &fail);
	SUITE_STR(fail.msg, "");
	CU_ASSERT_EQUAL_FATAL(rc, 0);
	memset(&err_now, 0, sizeof(err_now));
}

static const struct cni_link link_full = { .mac = "02:11:22:33:44:01",
					   .mtu_bytes = 1500,
					   .pci = 0x3b04 };

/* 'answer': of the IPAM plugin, NULL for none. */
static void result_is(const struct cni_link *link, const char *answer, const char *expected)
{
	struct cni_ipam ipam = { 0 };
	char *text;

	if (answer)
		CU_ASSERT_EQUAL_FATAL(cni_ipam_parse(&ipam, answer, strlen(answer),
						     &err_now),
				      0);
	text = cni_result(&rq_now, link, answer ? &ipam : NULL, &err_now);
	SUITE_STR(err_now.msg, "");
	SUITE_STR(text, expected);
	free(text);
	cni_ipam_free(&ipam);
}

#define DUAL                                                                              \
	"{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.5.0.2/24\",\"gateway\":"    \
	"\"10.5.0.1\"},{\"address\":\"10.6.0.2/24\"},{\"address\":\"fd00:5::2/64\","      \
	"\"gateway\":\"fd00:5::1\"}],\"routes\":[{\"dst\":\"0.0.0.0/0\"},{\"dst\":"       \
	"\"10.8.0.0/16\",\"gw\":\"10.5.0.9\",\"mtu\":1400},{\"dst\":\"::/0\"}],\"dns\":{" \
	"\"nameservers\":[\"10.5.0.53\"]}}"
#define ROUTES                                                                              \
	"\"routes\":[{\"dst\":\"0.0.0.0/0\"},{\"dst\":\"10.8.0.0/16\",\"gw\":\"10.5.0.9\"," \
	"\"mtu\":1400},{\"dst\":\"::/0\"}]"
#define DNS "\"dns\":{\"nameservers\":[\"10.5.0.53\"]}"

static void old_versions(void)
{
	static const char *const versions[] = { "0.1.0", "0.2.0" };
	char expected[800];

	for (size_t i = 0; i < VFK_ARRAY_SIZE(versions); i++) {
		request(versions[i], "\"ipam\":{\"type\":\"x\"}");
		SUITE_INT(cni_result_possible(&rq_now, &err_now), 0);
		snprintf(expected, sizeof(expected),
			 "{\"cniVersion\":\"%s\",\"ip4\":{\"ip\":\"10.5.0.2/24\",\"gateway\":"
			 "\"10.5.0.1\",\"routes\":[{\"dst\":\"0.0.0.0/0\"},{\"dst\":\"10.8.0.0/16\","
			 "\"gw\":\"10.5.0.9\"}]},\"ip6\":{\"ip\":\"fd00:5::2/64\","
			 "\"gateway\":\"fd00:5::1\",\"routes\":[{\"dst\":\"::/0\"}]}," DNS
			 "}",
			 versions[i]);
		result_is(&link_full, DUAL, expected);
		snprintf(expected, sizeof(expected),
			 "{\"cniVersion\":\"%s\",\"ip6\":{\"ip\":\"fd00::1/64\"},\"dns\":{}}",
			 versions[i]);
		result_is(&link_full, "{\"ips\":[{\"address\":\"fd00::1/64\"}]}", expected);
		cni_request_free(&rq_now);
	}
}

static void middle_versions(void)
{
	static const char *const versions[] = { "0.3.0", "0.3.1", "0.4.0" };
	char expected[800];

	for (size_t i = 0; i < VFK_ARRAY_SIZE(versions); i++) {
		request(versions[i], "");
		snprintf(expected, sizeof(expected),
			 "{\"cniVersion\":\"%s\",\"interfaces\":[{\"name\":\"net1\",\"mac\":"
			 "\"02:11:22:33:44:01\",\"sandbox\":\"/run/netns/p\"}],\"ips\":[{"
			 "\"version\":\"4\",\"address\":\"10.5.0.2/24\",\"gateway\":\"10.5.0.1\","
			 "\"interface\":0},{\"version\":\"4\",\"address\":\"10.6.0.2/24\","
			 "\"interface\":0},{\"version\":\"6\",\"address\":\"fd00:5::2/64\","
			 "\"gateway\":\"fd00:5::1\",\"interface\":0}]," ROUTES "," DNS "}",
			 versions[i]);
		result_is(&link_full, DUAL, expected);
		snprintf(expected, sizeof(expected),
			 "{\"cniVersion\":\"%s\",\"interfaces\":[{\"name\":\"net1\",\"mac\":"
			 "\"02:11:22:33:44:01\",\"sandbox\":\"/run/netns/p\"}],\"dns\":{}}",
			 versions[i]);
		SUITE_INT(cni_result_possible(&rq_now, &err_now), 0);
		result_is(&link_full, NULL, expected);
		cni_request_free(&rq_now);
	}
}

static void new_versions(void)
{
	static const char *const versions[] = { "1.0.0", "1.1.0" };
	char expected[800];

	for (size_t i = 0; i < VFK_ARRAY_SIZE(versions); i++) {
		request(versions[i], "");
		snprintf(expected, sizeof(expected),
			 "{\"cniVersion\":\"%s\",\"interfaces\":[{\"name\":\"net1\",\"mac\":"
			 "\"02:11:22:33:44:01\",\"mtu\":1500,\"sandbox\":\"/run/netns/p\","
			 "\"pciID\":\"0000:3b:00.4\"}],\"ips\":[{\"address\":\"10.5.0.2/24\","
			 "\"gateway\":\"10.5.0.1\",\"interface\":0},{\"address\":\"10.6.0.2/24\","
			 "\"interface\":0},{\"address\":\"fd00:5::2/64\",\"gateway\":\"fd00:5::1\","
			 "\"interface\":0}]," ROUTES "," DNS "}",
			 versions[i]);
		result_is(&link_full, DUAL, expected);
		snprintf(expected, sizeof(expected),
			 "{\"cniVersion\":\"%s\",\"interfaces\":[{\"name\":\"net1\",\"mac\":"
			 "\"02:11:22:33:44:01\",\"mtu\":1500,\"sandbox\":\"/run/netns/p\","
			 "\"pciID\":\"0000:3b:00.4\"}]}",
			 versions[i]);
		result_is(&link_full, NULL, expected);
		cni_request_free(&rq_now);
	}
}

static void unknown_facts(void)
{
	struct cni_link none = { .pci = PCI_NONE };
	struct cni_link ipoib = { .mac = "00:00:10:29:fe:80:00:00:00:00:00:00:02:00:00:00:00:00:bb:"
					 "61",
				  .mtu_bytes = 2044,
				  .pci = 0x3b04 };

	request("1.1.0", "");
	result_is(&none, NULL,
		  "{\"cniVersion\":\"1.1.0\",\"interfaces\":[{\"name\":\"net1\",\"sandbox\":"
		  "\"/run/netns/p\"}]}");
	cni_request_free(&rq_now);
	request("0.4.0", "");
	result_is(&ipoib, NULL,
		  "{\"cniVersion\":\"0.4.0\",\"interfaces\":[{\"name\":\"net1\",\"mac\":"
		  "\"00:00:10:29:fe:80:00:00:00:00:00:00:02:00:00:00:00:00:bb:61\",\"sandbox\":"
		  "\"/run/netns/p\"}],\"dns\":{}}");
	cni_request_free(&rq_now);
}

static void version_is_the_configurations(void)
{
	request("", "\"ipam\":{\"type\":\"x\"}");
	result_is(&link_full,
		  "{\"cniVersion\":\"1.1.0\",\"ips\":[{\"address\":\"10.0.0.1/8\"}]}",
		  "{\"cniVersion\":\"0.1.0\",\"ip4\":{\"ip\":\"10.0.0.1/8\"},\"dns\":{}}");
	cni_request_free(&rq_now);
}

/* --- prevResult --- */

#define PREV_NEW                                                                         \
	"\"prevResult\":{\"cniVersion\":\"1.1.0\",\"interfaces\":[{\"name\":\"br0\"},{"  \
	"\"name\":\"eth0\",\"mac\":\"aa:bb:cc:dd:ee:ff\",\"mtu\":9000,\"sandbox\":"      \
	"\"/run/netns/p\",\"socketPath\":\"/s\",\"own\":1}],\"ips\":[{\"interface\":1,"  \
	"\"address\":\"10.1.0.2/16\",\"gateway\":\"10.1.0.1\"}],\"routes\":[{\"dst\":"   \
	"\"0.0.0.0/0\"}],\"dns\":{\"domain\":\"d\"}}"
#define ONE                                                                                    \
	"{\"ips\":[{\"address\":\"10.9.0.5/24\"}],\"routes\":[{\"dst\":\"10.7.0.0/16\"}]," DNS \
	"}"

static void prev_result_new(void)
{
	request("1.1.0", PREV_NEW);
	SUITE_INT(cni_result_possible(&rq_now, &err_now), 0);
	result_is(&link_full, ONE,
		  "{\"cniVersion\":\"1.1.0\",\"interfaces\":[{\"name\":\"br0\"},{\"name\":\"eth0\","
		  "\"mac\":\"aa:bb:cc:dd:ee:ff\",\"mtu\":9000,\"sandbox\":\"/run/netns/p\","
		  "\"socketPath\":\"/s\",\"own\":1},{\"name\":\"net1\",\"mac\":"
		  "\"02:11:22:33:44:01\",\"mtu\":1500,\"sandbox\":\"/run/netns/p\",\"pciID\":"
		  "\"0000:3b:00.4\"}],\"ips\":[{\"interface\":1,\"address\":\"10.1.0.2/16\","
		  "\"gateway\":\"10.1.0.1\"},{\"address\":\"10.9.0.5/24\",\"interface\":2}],"
		  "\"routes\":[{\"dst\":\"0.0.0.0/0\"},{\"dst\":\"10.7.0.0/16\"}],\"dns\":{"
		  "\"domain\":\"d\"}}");
	cni_request_free(&rq_now);
}

static void prev_result_middle(void)
{
	request("0.4.0", PREV_NEW);
	result_is(&link_full, ONE,
		  "{\"cniVersion\":\"0.4.0\",\"interfaces\":[{\"name\":\"br0\"},{\"name\":\"eth0\","
		  "\"mac\":\"aa:bb:cc:dd:ee:ff\",\"sandbox\":\"/run/netns/p\",\"own\":1},{\"name\":"
		  "\"net1\",\"mac\":\"02:11:22:33:44:01\",\"sandbox\":\"/run/netns/p\"}],\"ips\":[{"
		  "\"version\":\"4\",\"interface\":1,\"address\":\"10.1.0.2/16\",\"gateway\":"
		  "\"10.1.0.1\"},{\"version\":\"4\",\"address\":\"10.9.0.5/24\",\"interface\":2}],"
		  "\"routes\":[{\"dst\":\"0.0.0.0/0\"},{\"dst\":\"10.7.0.0/16\"}],\"dns\":{"
		  "\"domain\":\"d\"}}");
	cni_request_free(&rq_now);
}

static void prev_result_old(void)
{
	request("0.2.0",
		"\"prevResult\":{\"cniVersion\":\"0.2.0\",\"ip4\":{\"ip\":\"10.1.0.2/16\","
		"\"routes\":[{\"dst\":\"0.0.0.0/0\"}]},\"dns\":{}}");
	SUITE_INT(cni_result_possible(&rq_now, &err_now), 0);
	result_is(&link_full, NULL,
		  "{\"cniVersion\":\"0.2.0\",\"ip4\":{\"ip\":\"10.1.0.2/16\",\"routes\":[{\"dst\":"
		  "\"0.0.0.0/0\"}]},\"dns\":{}}");
	cni_request_free(&rq_now);
}

/* The request is as it was: the same result can be made again. */
static void twice_the_same(void)
{
	struct cni_ipam ipam = { 0 };
	char *first, *second;

	request("0.3.1", PREV_NEW);
	CU_ASSERT_EQUAL_FATAL(cni_ipam_parse(&ipam, DUAL, strlen(DUAL), &err_now), 0);
	first = cni_result(&rq_now, &link_full, &ipam, &err_now);
	second = cni_result(&rq_now, &link_full, &ipam, &err_now);
	CU_ASSERT_PTR_NOT_NULL(first);
	SUITE_STR(second, first);
	free(first);
	free(second);
	rq_now.spec = CNI_1_1_0;
	first = cni_result(&rq_now, &link_full, &ipam, &err_now);
	CU_ASSERT_PTR_NOT_NULL_FATAL(first);
	CU_ASSERT_PTR_NOT_NULL(strstr(first, "\"mtu\":9000"));
	CU_ASSERT_PTR_NULL(strstr(first, "\"version\":"));
	free(first);
	cni_ipam_free(&ipam);
	cni_request_free(&rq_now);
}

/* --- before anything is touched --- */

#define NO_IP(v)                                                                           \
	"cannot convert: no valid IP addresses (cniVersion " v " cannot express a result " \
	"without one: set cniVersion to 0.3.1 or newer, or ipam)"

static void impossible(const char *version, const char *keys, int kind, const char *msg)
{
	request(version, keys);
	SUITE_INT(cni_result_possible(&rq_now, &err_now), -kind);
	SUITE_INT(err_now.kind, kind);
	SUITE_STR(err_now.msg, msg);
	cni_request_free(&rq_now);
}

static void impossible_results(void)
{
	impossible("0.1.0", "", VFK_E_UNSUPPORTED, NO_IP("0.1.0"));
	impossible("0.2.0", "\"ipam\":{}", VFK_E_UNSUPPORTED, NO_IP("0.2.0"));
	impossible("0.2.0", "\"prevResult\":{\"dns\":{}}", VFK_E_UNSUPPORTED,
		   NO_IP("0.2.0"));
	impossible("1.0.0", "\"prevResult\":{\"cniVersion\":\"7\"}", VFK_E_DECODE,
		   "prevResult: cniVersion \"7\" is not a supported version");
	impossible("1.0.0", "\"prevResult\":{\"ips\":[{\"address\":\"x\"}]}", VFK_E_DECODE,
		   "prevResult: address \"x\" is not an address with prefix length");
	impossible("1.0.0", "\"prevResult\":{\"interfaces\":{}}", VFK_E_DECODE,
		   "prevResult: interfaces is not an array");
	impossible("1.0.0", "\"prevResult\":{\"interfaces\":[5]}", VFK_E_DECODE,
		   "prevResult: interfaces entry is not an object");
}

static void prev_result_too_long(void)
{
	char *conf = malloc(40000);
	struct cni_fail fail;
	size_t n;

	CU_ASSERT_PTR_NOT_NULL_FATAL(conf);
	n = (size_t)snprintf(conf, 40000,
			     "{\"name\":\"n\",\"cniVersion\":\"1.0.0\",\"deviceID\":"
			     "\"0000:3b:00.4\",\"prevResult\":{\"x\":\"");
	memset(conf + n, 'x', 30000);
	memcpy(conf + n + 30000, "\"}}", 4);
	CU_ASSERT_EQUAL_FATAL(cni_parse(&rq_now, CNI_ADD, DIALECT_SRIOV, env_add,
					sizeof(env_add) - 1, conf, strlen(conf), &fail),
			      0);
	SUITE_INT(cni_result_possible(&rq_now, &err_now), -VFK_E_LIMIT);
	SUITE_STR(err_now.msg,
		  "prevResult is 30008 bytes long, at most 24576 are supported");
	cni_request_free(&rq_now);
	free(conf);
}

static void no_ip_after_all(void)
{
	request("0.2.0", "\"ipam\":{\"type\":\"x\"}");
	SUITE_INT(cni_result_possible(&rq_now, &err_now), 0);
	CU_ASSERT_PTR_NULL(cni_result(&rq_now, &link_full, NULL, &err_now));
	SUITE_INT(err_now.kind, VFK_E_UNSUPPORTED);
	SUITE_STR(err_now.msg, NO_IP("0.2.0"));
	cni_request_free(&rq_now);
}

/* The largest result still fits one answer. */
static void largest_result(void)
{
	char *answer = malloc(65536), *text;
	struct cni_ipam ipam = { 0 };
	size_t n;

	CU_ASSERT_PTR_NOT_NULL_FATAL(answer);
	n = (size_t)snprintf(answer, 65536, "{\"ips\":[");
	for (int i = 0; i < DRV_MAX_IPS; i++)
		n += (size_t)
			snprintf(answer + n, 65536 - n,
				 "%s{\"address\":\"1111:2222:3333:4444:5555:6666:7777:%04x/128\","
				 "\"gateway\":\"1111:2222:3333:4444:5555:6666:7777:8888\"}",
				 i ? "," : "", 0x1000 + i);
	n += (size_t)snprintf(answer + n, 65536 - n, "],\"routes\":[");
	for (int i = 0; i < DRV_MAX_ROUTES; i++)
		n += (size_t)
			snprintf(answer + n, 65536 - n,
				 "%s{\"dst\":\"1111:2222:3333:4444:5555:6666:7777:%04x/128\","
				 "\"gw\":\"1111:2222:3333:4444:5555:6666:7777:8888\",\"mtu\":"
				 "4294967295,\"advmss\":4294967295,\"priority\":4294967295,"
				 "\"table\":4294967295,\"scope\":255}",
				 i ? "," : "", 0x1000 + i);
	n += (size_t)snprintf(answer + n, 65536 - n, "],\"dns\":{\"domain\":\"");
	memset(answer + n, 'd', 8000);
	memcpy(answer + n + 8000, "\"}}", 4);
	request("0.4.0", "");
	CU_ASSERT_EQUAL_FATAL(cni_ipam_parse(&ipam, answer, strlen(answer), &err_now), 0);
	text = cni_result(&rq_now, &link_full, &ipam, &err_now);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	/* With a prevResult of 24 KiB it is below the 120 KiB of a frame. */
	CU_ASSERT_TRUE(strlen(text) + 24 * 1024 < ANSWER_MAX);
	free(text);
	cni_ipam_free(&ipam);
	cni_request_free(&rq_now);
	free(answer);
}

/* --- error objects --- */

static void text_is(const struct cni_fail *fail, enum cni_spec spec, const char *expected)
{
	char *text = cni_fail_text(fail, spec);

	SUITE_STR(text, expected);
	free(text);
}

static void error_objects(void)
{
	struct cni_fail fail;

	cni_fail_set(&fail, 11, "VF %s is busy\nreally \x01", "x");
	text_is(&fail, CNI_0_4_0,
		"{\"cniVersion\":\"0.4.0\",\"code\":11,\"msg\":\"VF x is busy really  \"}");
	snprintf(fail.details, sizeof(fail.details), "\"q\" \xc3\xa4");
	text_is(&fail, (enum cni_spec)0,
		"{\"cniVersion\":\"1.1.0\",\"code\":11,\"msg\":\"VF x is busy really  \","
		"\"details\":\"\\\"q\\\" \xc3\xa4\"}");
	cni_fail_set(&fail, 4, "caf\xe9 \xc3\xa4");
	text_is(&fail, CNI_1_0_0,
		"{\"cniVersion\":\"1.0.0\",\"code\":4,\"msg\":\"caf? ??\"}");
}

static void codes_of_kinds(void)
{
	static const struct {
		enum vfk_err_kind kind;
		int code;
	} rows[] = {
		{ VFK_E_SYS, 5 },      { VFK_E_KERNEL, 999 },	{ VFK_E_USAGE, 4 },
		{ VFK_E_CONFIG, 7 },   { VFK_E_DECODE, 6 },	{ VFK_E_BUSY, 11 },
		{ VFK_E_TIMEOUT, 11 }, { VFK_E_VERSION, 1 },	{ VFK_E_LIMIT, 7 },
		{ VFK_E_GONE, 11 },    { VFK_E_IPAM, 999 },	{ VFK_E_UNSUPPORTED, 2 },
		{ VFK_E_NETNS, 8 },    { VFK_E_INTERNAL, 999 }, { VFK_E_NOMEM, 11 },
	};
	struct cni_fail fail;
	struct vfk_err err;

	for (size_t i = 0; i < VFK_ARRAY_SIZE(rows); i++) {
		(void)vfk_err_set(&err, rows[i].kind, 0, "the line");
		memset(&fail, 'x', sizeof(fail));
		cni_fail_from(&fail, &err, PCI_NONE);
		SUITE_INT(fail.code, rows[i].code);
		SUITE_STR(fail.msg, "the line");
		SUITE_STR(fail.details, "");
	}
	cni_fail_from(&fail, &err, 0x3b04);
	SUITE_STR(fail.msg, "the line (vfctl explain 0000:3b:00.4)");
}

static void words_of_del(void)
{
	struct cni_fail fail;

	cni_fail_set(&fail, 999,
		     "Link Not Found, not found: open x: No such file or directory; not found");
	snprintf(fail.details, sizeof(fail.details), "not found");
	cni_fail_for_del(&fail);
	SUITE_STR(fail.msg, "Link not-found, not-found: open x: ENOENT; not-found");
	SUITE_STR(fail.details, "not-found");
	cni_fail_set(&fail, 11, "VF is busy");
	cni_fail_for_del(&fail);
	SUITE_STR(fail.msg, "VF is busy");
}

/* --- out of memory --- */

static unsigned allocs_left; /* 0: no limit */
static bool alloc_failed, fail_once;

static void *counted_malloc(size_t size)
{
	if (allocs_left && --allocs_left == 0) {
		alloc_failed = true;
		allocs_left = fail_once ? 0 : 1; /* and every further one */
		return NULL;
	}
	return malloc(size);
}

/* One request from its text to its result; true if it went through.  Whatever allocation
 * fails, there is an error with a line and nothing is left behind (the leak checker). */
static bool one_request(void)
{
	static const char conf[] =
		"{\"cniVersion\":\"0.4.0\",\"name\":\"net\",\"deviceID\":\"0000:3b:00.4\",\"vlan\":5,"
		"\"x\":[1,2.5,{\"y\":null}],\"ipam\":{\"type\":\"static\"}," PREV_NEW "}";
	struct cni_ipam ipam;
	struct cni_fail fail = { 0 };
	struct vfk_err err = { 0 };
	char *text;

	if (cni_parse(&rq_now, CNI_ADD, DIALECT_SRIOV, env_add, sizeof(env_add) - 1, conf,
		      sizeof(conf) - 1, &fail) < 0) {
		SUITE_INT(fail.code, 11);
		SUITE_STR(fail.msg, "out of memory");
		return false;
	}
	if (cni_result_possible(&rq_now, &err) < 0) {
		SUITE_INT(err.kind, VFK_E_NOMEM);
		cni_request_free(&rq_now);
		return false;
	}
	if (cni_ipam_parse(&ipam, DUAL, strlen(DUAL), &err) < 0) {
		SUITE_INT(err.kind, VFK_E_NOMEM);
		cni_request_free(&rq_now);
		return false;
	}
	text = cni_result(&rq_now, &link_full, &ipam, &err);
	if (!text)
		SUITE_INT(err.kind, VFK_E_NOMEM);
	cni_ipam_free(&ipam);
	cni_request_free(&rq_now);
	free(text);
	return text != NULL;
}

static void no_memory(void)
{
	unsigned n, n_failed = 0;

	json_set_alloc_funcs(counted_malloc, free);
	for (n = 1; n < 20000; n++) {
		allocs_left = n;
		alloc_failed = false;
		if (one_request() && !alloc_failed)
			break;
		CU_ASSERT_TRUE(alloc_failed);
		n_failed++;
	}
	allocs_left = 0;
	json_set_alloc_funcs(malloc, free);
	CU_ASSERT_TRUE(n < 20000);
	CU_ASSERT_TRUE(n_failed > 100);
}

/* Text that cannot be decoded is ignored by a DEL; text that could not be decoded now is
 * worth a retry. */
static void no_memory_for_a_del(void)
{
	static const char conf[] = "{\"name\":\"net\",\"ipam\":{\"type\":\"static\"}}";
	unsigned n, n_failed = 0;

	fail_once = true;
	json_set_alloc_funcs(counted_malloc, free);
	for (n = 1; n < 1000; n++) {
		struct cni_fail fail = { 0 };
		int rc;

		allocs_left = n;
		alloc_failed = false;
		rc = cni_parse(&rq_now, CNI_DEL, DIALECT_SRIOV, env_add,
			       sizeof(env_add) - 1, conf, sizeof(conf) - 1, &fail);
		if (rc == 0) {
			CU_ASSERT_FALSE(alloc_failed);
			SUITE_STR(rq_now.att.network, "net");
			cni_request_free(&rq_now);
			break;
		}
		SUITE_INT(fail.code, 11);
		n_failed++;
	}
	allocs_left = 0;
	fail_once = false;
	json_set_alloc_funcs(malloc, free);
	CU_ASSERT_TRUE(n_failed > 5 && n < 1000);
}

static void no_memory_for_an_error(void)
{
	struct cni_fail fail;
	unsigned n;
	char *text = NULL;

	cni_fail_set(&fail, 11, "busy");
	json_set_alloc_funcs(counted_malloc, free);
	for (n = 1; n < 1000 && !text; n++) {
		allocs_left = n;
		text = cni_fail_text(&fail, CNI_1_0_0);
	}
	allocs_left = 0;
	json_set_alloc_funcs(malloc, free);
	CU_ASSERT_TRUE(n > 2 && n < 1000);
	SUITE_STR(text, "{\"cniVersion\":\"1.0.0\",\"code\":11,\"msg\":\"busy\"}");
	free(text);
}

VFK_SUITE(cni_result,
	  { "0.1.0 and 0.2.0 say the first address of each family", old_versions },
	  { "0.3.0 to 0.4.0 say versions and no mtu", middle_versions },
	  { "1.0.0 and 1.1.0 say mtu and pciID and no empty dns", new_versions },
	  { "what is not known is left out", unknown_facts },
	  { "the version is the configuration's", version_is_the_configurations },
	  { "prevResult comes first and indices follow", prev_result_new },
	  { "prevResult is said in an older version", prev_result_middle },
	  { "prevResult of 0.2.0 passes through", prev_result_old },
	  { "making a result changes nothing", twice_the_same },
	  { "what cannot be said is known before anything is touched", impossible_results },
	  { "a prevResult above 24 KiB is refused", prev_result_too_long },
	  { "0.2.0 without an address is an error", no_ip_after_all },
	  { "the largest result fits an answer", largest_result },
	  { "a failed allocation anywhere is an error and leaves nothing", no_memory },
	  { "a DEL that finds no memory is worth a retry", no_memory_for_a_del },
	  { "an error object needs memory and says when there is none",
	    no_memory_for_an_error },
	  { "error objects are one line of UTF-8", error_objects },
	  { "kinds of errors have CNI codes", codes_of_kinds },
	  { "a failing DEL says no words that callers take for success", words_of_del })
