/* SPDX-License-Identifier: Apache-2.0 */
/* What an IPAM plugin answers: every version normalised, typed for the drivers, and its
 * failures. */
#include "suite.h"

#include <arpa/inet.h>

#include "cni/cni-internal.h"
#include "cni/cni.h"

static struct cni_ipam ipam_now;
static struct vfk_err err_now;

static int parse_len(const char *text, size_t len)
{
	char *copy = malloc(len ? len : 1);
	int rc;

	CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
	memcpy(copy, text, len);
	memset(&err_now, 0, sizeof(err_now));
	rc = cni_ipam_parse(&ipam_now, copy, len, &err_now);
	free(copy);
	return rc;
}

static int parse(const char *text)
{
	return parse_len(text, strlen(text));
}

/* The normalised answer as text. */
static void becomes(const char *answer, const char *expected)
{
	int rc = parse(answer);
	char *text;

	SUITE_STR(err_now.msg, "");
	CU_ASSERT_EQUAL_FATAL(rc, 0);
	text = json_dumps(ipam_now.result, JSON_COMPACT);
	SUITE_STR(text, expected);
	free(text);
	cni_ipam_free(&ipam_now);
	CU_ASSERT_PTR_NULL(ipam_now.result);
}

static void refused(const char *answer, const char *msg)
{
	int rc = parse(answer);

	SUITE_INT(rc, -VFK_E_IPAM);
	if (rc == 0)
		cni_ipam_free(&ipam_now);
	SUITE_INT(err_now.kind, VFK_E_IPAM);
	SUITE_STR(err_now.msg, msg);
	CU_ASSERT_PTR_NULL(ipam_now.result);
}

#define IPS "\"ips\":[{\"address\":\"10.9.0.5/24\"}]"

static void all_versions(void)
{
	static const char *const new_ones[] = { "1.0.0", "1.1.0" };
	static const char *const middle[] = { "0.3.0", "0.3.1", "0.4.0" };
	static const char *const old[] = { "0.1.0", "0.2.0" };
	static const char expected[] =
		"{\"ips\":[{\"address\":\"10.9.0.5/24\",\"gateway\":\"10.9.0.1\"},{\"address\":"
		"\"fd00:5::2/64\",\"gateway\":\"fd00:5::1\"}],\"routes\":[{\"dst\":\"10.77.0.0/16\""
		"},{\"dst\":\"::/0\",\"gw\":\"fd00:5::9\"}],\"dns\":{\"nameservers\":[\"10.9.0.2\"]"
		"}}";
	char text[800];

	for (size_t i = 0; i < VFK_ARRAY_SIZE(new_ones); i++) {
		snprintf(text, sizeof(text),
			 "{\"cniVersion\":\"%s\",\"interfaces\":[{\"name\":\"x\"}],\"ips\":[{"
			 "\"interface\":3,\"address\":\"10.9.0.5/24\",\"gateway\":\"10.9.0.1\"},{"
			 "\"address\":\"fd00:5::2/64\",\"gateway\":\"fd00:5::1\"}],\"routes\":[{"
			 "\"dst\":\"10.77.0.0/16\"},{\"dst\":\"::/0\",\"gw\":\"fd00:5::9\"}],"
			 "\"dns\":{\"nameservers\":[\"10.9.0.2\"]}}",
			 new_ones[i]);
		becomes(text, expected);
	}
	for (size_t i = 0; i < VFK_ARRAY_SIZE(middle); i++) {
		snprintf(text, sizeof(text),
			 "{\"cniVersion\":\"%s\",\"ips\":[{\"version\":\"4\",\"address\":"
			 "\"10.9.0.5/24\",\"gateway\":\"10.9.0.1\"},{\"version\":\"6\",\"address\":"
			 "\"FD00:5::0:2/64\",\"gateway\":\"fd00:5::1\"}],\"routes\":[{\"dst\":"
			 "\"10.77.0.0/16\"},{\"dst\":\"::/0\",\"gw\":\"fd00:5::9\"}],\"dns\":{"
			 "\"nameservers\":[\"10.9.0.2\"],\"search\":[]}}",
			 middle[i]);
		becomes(text, expected);
	}
	for (size_t i = 0; i < VFK_ARRAY_SIZE(old); i++) {
		snprintf(text, sizeof(text),
			 "{\"cniVersion\":\"%s\",\"ip4\":{\"ip\":\"10.9.0.5/24\",\"gateway\":"
			 "\"10.9.0.1\",\"routes\":[{\"dst\":\"10.77.0.0/16\"}]},\"ip6\":{\"ip\":"
			 "\"fd00:5::2/64\",\"gateway\":\"fd00:5::1\",\"routes\":[{\"dst\":\"::/0\","
			 "\"gw\":\"fd00:5::9\"}]},\"dns\":{\"nameservers\":[\"10.9.0.2\"]}}",
			 old[i]);
		becomes(text, expected);
	}
}

static void without_version(void)
{
	static const char expected[] =
		"{\"ips\":[{\"address\":\"10.9.0.5/24\"}],\"routes\":[]}";

	becomes("{" IPS "}", expected);
	becomes("{\"cniVersion\":\"\"," IPS "}", expected);
	becomes("{\"cniVersion\":null," IPS "}", expected);
	becomes("{\"ip4\":{\"ip\":\"10.9.0.5/24\"}}", expected);
	becomes("{\"ip4\":null,\"ip6\":null,\"ips\":[{\"address\":\"10.9.0.5/24\",\"gateway\":"
		"\"\"}],\"routes\":null,\"dns\":{}}",
		expected);
}

static void go_routes(void)
{
	becomes("{" IPS
		",\"routes\":[{\"dst\":\"10.0.0.0/8\",\"gw\":\"10.9.0.9\",\"mtu\":1400,"
		"\"advmss\":1300,\"priority\":100,\"table\":254,\"scope\":0},{\"DST\":\"10.1.0.0/16\","
		"\"Scope\":253,\"other\":1}]}",
		"{" IPS
		",\"routes\":[{\"dst\":\"10.0.0.0/8\",\"gw\":\"10.9.0.9\",\"mtu\":1400,"
		"\"advmss\":1300,\"priority\":100,\"table\":254,\"scope\":0},{\"dst\":"
		"\"10.1.0.0/16\",\"scope\":253}]}");
}

static void dns_is_kept(void)
{
	becomes("{" IPS
		",\"dns\":{\"options\":[\"o\"],\"search\":[\"a\",\"b\"],\"domain\":\"d\","
		"\"nameservers\":[\"1.1.1.1\"],\"x\":1}}",
		"{" IPS
		",\"routes\":[],\"dns\":{\"nameservers\":[\"1.1.1.1\"],\"domain\":\"d\","
		"\"search\":[\"a\",\"b\"],\"options\":[\"o\"]}}");
}

#define A "IPAM plugin's answer: "

static void bad_answers(void)
{
	static const struct {
		const char *text, *msg;
	} rows[] = {
		{ "", "IPAM plugin's answer is not JSON: unexpected end of JSON input" },
		{ "ok", "IPAM plugin's answer is not JSON: line 1 column 2: invalid token near "
			"'ok'" },
		{ "{" IPS "} x",
		  "IPAM plugin's answer is not JSON: line 1 column 37: end of file "
		  "expected near 'x'" },
		{ "[]", A "it is an array, not an object" },
		{ "null", A "it is null, not an object" },
		{ "{}", "IPAM plugin returned missing IP config" },
		{ "{\"ips\":[]}", "IPAM plugin returned missing IP config" },
		{ "{\"cniVersion\":\"0.2.0\"," IPS "}",
		  "IPAM plugin returned missing IP config" },
		{ "{\"cniVersion\":\"1.0.0\",\"ip4\":{\"ip\":\"10.0.0.1/8\"}}",
		  "IPAM plugin returned missing IP config" },
		{ "{\"cniVersion\":\"9.9\"," IPS "}",
		  A "cniVersion \"9.9\" is not a supported version" },
		{ "{\"cniVersion\":5," IPS "}",
		  A "cniVersion 5 is not a supported version" },
		{ "{\"ips\":{}}", A "ips is an object, not an array" },
		{ "{\"ips\":[5]}", A "ips entry 5 is not an object" },
		{ "{\"ips\":[{}]}",
		  A "address (none) is not an address with prefix length" },
		{ "{\"ips\":[{\"address\":5}]}",
		  A "address 5 is not an address with prefix length" },
		{ "{\"ips\":[{\"address\":\"10.0.0.1\"}]}",
		  A "address \"10.0.0.1\" is not an address with prefix length" },
		{ "{\"ips\":[{\"address\":\"10.0.0.1/33\"}]}",
		  A "address \"10.0.0.1/33\" is not an address with prefix length" },
		{ "{\"ips\":[{\"address\":\"10.0.0.1/\"}]}",
		  A "address \"10.0.0.1/\" is not an address with prefix length" },
		{ "{\"ips\":[{\"address\":\"10.0.0.1/-1\"}]}",
		  A "address \"10.0.0.1/-1\" is not an address with prefix length" },
		{ "{\"ips\":[{\"address\":\"10.0.0.1/8 \"}]}",
		  A "address \"10.0.0.1/8 \" is not an address with prefix length" },
		{ "{\"ips\":[{\"address\":\"10.0.0.1/8\\u0000\"}]}",
		  A "address \"10.0.0.1/8\" is not an address with prefix length" },
		{ "{\"ips\":[{\"address\":\"fd00::1/129\"}]}",
		  A "address \"fd00::1/129\" is not an address with prefix length" },
		{ "{\"ips\":[{\"address\":\"fe80::1%eth0/64\"}]}",
		  A "address \"fe80::1%eth0/64\" is not an address with prefix length" },
		{ "{\"ips\":[{\"address\":\"10.0.0.1/8\",\"gateway\":\"x\"}]}",
		  A "gateway \"x\" is not an IP address" },
		{ "{\"ips\":[{\"address\":\"10.0.0.1/8\",\"gateway\":\"10.0.0.2/8\"}]}",
		  A "gateway \"10.0.0.2/8\" is not an IP address" },
		{ "{\"ips\":[{\"address\":\"10.0.0.1/8\",\"gateway\":\"fd00::1\"}]}",
		  A "gateway \"fd00::1\" is not of the family of its address" },
		{ "{" IPS ",\"routes\":5}", A "routes 5 is not an array" },
		{ "{" IPS ",\"routes\":[5]}", A "routes entry 5 is not an object" },
		{ "{" IPS ",\"routes\":[{\"gw\":\"10.0.0.1\"}]}",
		  A "dst of a route (none) is not an address with prefix length" },
		{ "{" IPS ",\"routes\":[{\"dst\":\"10.0.0.0/8\",\"gw\":\"10.0.0\"}]}",
		  A "gw of a route \"10.0.0\" is not an IP address" },
		{ "{" IPS ",\"routes\":[{\"dst\":\"10.0.0.0/8\",\"gw\":\"fd00::1\"}]}",
		  A "gw of a route \"fd00::1\" is not of the family of its address" },
		{ "{" IPS ",\"routes\":[{\"dst\":\"10.0.0.0/8\",\"mtu\":-1}]}",
		  A "mtu of a route -1 is not a number in its range" },
		{ "{" IPS ",\"routes\":[{\"dst\":\"10.0.0.0/8\",\"table\":4294967296}]}",
		  A "table of a route 4294967296 is not a number in its range" },
		{ "{" IPS ",\"routes\":[{\"dst\":\"10.0.0.0/8\",\"scope\":256}]}",
		  A "scope of a route 256 is not a number in its range" },
		{ "{" IPS ",\"routes\":[{\"dst\":\"10.0.0.0/8\",\"advmss\":\"1\"}]}",
		  A "advmss of a route \"1\" is not a number in its range" },
		{ "{" IPS ",\"routes\":[{\"dst\":\"10.0.0.0/8\",\"priority\":1.5}]}",
		  A "priority of a route 1.5 is not a number in its range" },
		{ "{" IPS ",\"dns\":5}", A "dns 5 is not an object" },
		{ "{" IPS ",\"dns\":{\"domain\":5}}", A "dns.domain is not a string" },
		{ "{" IPS ",\"dns\":{\"search\":\"x\"}}",
		  A "dns.search is not an array of strings" },
		{ "{" IPS ",\"dns\":{\"nameservers\":[5]}}",
		  A "dns.nameservers is not an array of strings" },
		{ "{\"cniVersion\":\"0.1.0\",\"ip4\":5}", A "ips entry 5 is not an object" },
		{ "{\"cniVersion\":\"0.1.0\",\"ip4\":{\"ip\":\"10.0.0.1/8\",\"routes\":{}}}",
		  A "routes is an object, not an array" },
	};

	for (size_t i = 0; i < VFK_ARRAY_SIZE(rows); i++)
		refused(rows[i].text, rows[i].msg);
}

static void limits(void)
{
	char text[16384], dns[9000];
	size_t n = 0;

	for (int count = DRV_MAX_IPS; count <= DRV_MAX_IPS + 1; count++) {
		n = (size_t)snprintf(text, sizeof(text), "{\"ips\":[");
		for (int i = 0; i < count; i++)
			n += (size_t)snprintf(text + n, sizeof(text) - n,
					      "%s{\"address\":\"10.0.0.%d/8\"}",
					      i ? "," : "", i);
		snprintf(text + n, sizeof(text) - n, "]}");
		if (count == DRV_MAX_IPS) {
			SUITE_INT(parse(text), 0);
			SUITE_INT(ipam_now.n_ips, DRV_MAX_IPS);
			cni_ipam_free(&ipam_now);
		} else {
			refused(text,
				"IPAM plugin returned 33 addresses and 0 routes, at most 32 "
				"and 128 are supported");
		}
	}
	for (int count = DRV_MAX_ROUTES; count <= DRV_MAX_ROUTES + 1; count++) {
		n = (size_t)snprintf(text, sizeof(text), "{" IPS ",\"routes\":[");
		for (int i = 0; i < count; i++)
			n += (size_t)snprintf(text + n, sizeof(text) - n,
					      "%s{\"dst\":\"10.%d.0.0/16\"}",
					      i ? "," : "", i);
		snprintf(text + n, sizeof(text) - n, "]}");
		if (count == DRV_MAX_ROUTES) {
			SUITE_INT(parse(text), 0);
			SUITE_INT(ipam_now.n_routes, DRV_MAX_ROUTES);
			cni_ipam_free(&ipam_now);
		} else {
			refused(text,
				"IPAM plugin returned 1 addresses and 129 routes, at most 32 "
				"and 128 are supported");
		}
	}
	memset(dns, 'd', sizeof(dns));
	dns[8177] = '\0'; /* {"domain":"..."} is 13 more */
	snprintf(text, sizeof(text), "{" IPS ",\"dns\":{\"domain\":\"%s\"}}", dns);
	SUITE_INT(parse(text), 0);
	cni_ipam_free(&ipam_now);
	dns[8177] = 'd';
	dns[8200] = '\0';
	snprintf(text, sizeof(text), "{" IPS ",\"dns\":{\"domain\":\"%s\"}}", dns);
	refused(text, A "dns is 8213 bytes long, at most 8192 are supported");
}

/* --- typed --- */

static const char *ip_text(const struct drv_ip *ip)
{
	static char text[120];
	char addr[INET6_ADDRSTRLEN], gw[INET6_ADDRSTRLEN];

	snprintf(text, sizeof(text), "%s/%u via %s",
		 inet_ntop(ip->family, ip->addr, addr, 46), ip->prefix_len,
		 ip->has_gateway ? inet_ntop(ip->family, ip->gateway, gw, 46) : "-");
	return text;
}

static const char *route_text(const struct drv_route *r)
{
	static char text[200];
	char dst[INET6_ADDRSTRLEN], gw[INET6_ADDRSTRLEN];

	snprintf(text, sizeof(text),
		 "%s/%u via %s mtu %u advmss %u prio %u table %u scope %d",
		 inet_ntop(r->family, r->dst, dst, 46), r->prefix_len,
		 r->has_gateway ? inet_ntop(r->family, r->gateway, gw, 46) : "-", r->mtu,
		 r->advmss, r->priority, r->table, r->scope);
	return text;
}

static void typed(void)
{
	SUITE_INT(parse("{\"ips\":[{\"address\":\"10.5.0.2/24\"},{\"address\":\"10.6.0.2/32\","
			"\"gateway\":\"10.6.0.1\"},{\"address\":\"10.7.0.2/8\",\"gateway\":"
			"\"10.7.0.1\"},{\"address\":\"fd00::2/64\",\"gateway\":\"fe80::1\"}],"
			"\"routes\":[{\"dst\":\"0.0.0.0/0\"},{\"dst\":\"10.8.1.1/16\",\"gw\":"
			"\"10.5.0.9\",\"mtu\":1,\"advmss\":2,\"priority\":3,\"table\":4,\"scope\":0},"
			"{\"dst\":\"fd01::5/60\"},{\"dst\":\"10.9.0.0/16\",\"scope\":253},{\"dst\":"
			"\"10.9.0.1/32\",\"scope\":0}]}"),
		  0);
	SUITE_INT(ipam_now.n_ips, 4);
	SUITE_STR(ip_text(&ipam_now.ips[0]), "10.5.0.2/24 via -");
	SUITE_STR(ip_text(&ipam_now.ips[1]), "10.6.0.2/32 via 10.6.0.1");
	SUITE_STR(ip_text(&ipam_now.ips[2]), "10.7.0.2/8 via 10.7.0.1");
	SUITE_STR(ip_text(&ipam_now.ips[3]), "fd00::2/64 via fe80::1");
	SUITE_INT(ipam_now.n_routes, 5);
	/* Without a gateway: the family's first. */
	SUITE_STR(route_text(&ipam_now.routes[0]),
		  "0.0.0.0/0 via 10.6.0.1 mtu 0 advmss 0 prio 0 table 0 scope -1");
	/* The kernel refuses host bits. */
	SUITE_STR(route_text(&ipam_now.routes[1]),
		  "10.8.0.0/16 via 10.5.0.9 mtu 1 advmss 2 prio 3 table 4 scope 0");
	SUITE_STR(route_text(&ipam_now.routes[2]),
		  "fd01::/60 via fe80::1 mtu 0 advmss 0 prio 0 table 0 scope -1");
	/* A route of scope link goes through no gateway. */
	SUITE_STR(route_text(&ipam_now.routes[3]),
		  "10.9.0.0/16 via - mtu 0 advmss 0 prio 0 table 0 scope 253");
	SUITE_STR(route_text(&ipam_now.routes[4]),
		  "10.9.0.1/32 via 10.6.0.1 mtu 0 advmss 0 prio 0 table 0 scope 0");
	cni_ipam_free(&ipam_now);
}

static void cidrs(void)
{
	static const struct {
		const char *text;
		bool bare;
		const char *back;
	} rows[] = {
		{ "10.0.0.1", true, "10.0.0.1/32" },
		{ "fd00::1", true, "fd00::1/128" },
		{ "10.0.0.1/0", true, "10.0.0.1/0" },
		{ "10.0.0.1", false, NULL },
		{ "010.0.0.1/8", true, NULL },
		{ "10.0.0.1/08", true, "10.0.0.1/8" },
		{ "10.0.0.1/0008", true, NULL },
		{ "10.0.0.1/8/8", true, NULL },
		{ "/8", true, NULL },
		{ "", true, NULL },
		{ "10.0.0.1/256", true, NULL },
		{ "10.0.0.1/264", true, NULL },
		{ "::ffff:10.0.0.1/128", true, "::ffff:10.0.0.1/128" },
		{ "1111:2222:3333:4444:5555:6666:255.255.255.255/128", true,
		  "1111:2222:3333:4444:5555:6666:ffff:ffff/128" },
	};
	struct cni_cidr cidr;
	char text[CNI_CIDR_TEXT];

	for (size_t i = 0; i < VFK_ARRAY_SIZE(rows); i++) {
		bool ok = cni_cidr_parse(rows[i].text, rows[i].bare, &cidr);

		SUITE_STR(ok ? cni_cidr_format(&cidr, false, text) : NULL, rows[i].back);
	}
}

/* Every prefix and every one-bit change is an answer, never a crash or a leak. */
static void cut_and_flipped(void)
{
	static const char answer[] =
		"{\"cniVersion\":\"0.4.0\",\"ips\":[{\"version\":\"6\",\"address\":\"fd00::2/64\","
		"\"gateway\":\"fd00::1\"}],\"routes\":[{\"dst\":\"::/0\",\"mtu\":1400,\"scope\":0}],"
		"\"dns\":{\"domain\":\"a.example\",\"search\":[\"b\",\"\\u00e4\"]}}";
	char copy[sizeof(answer)];

	for (size_t n = 0; n < sizeof(answer) - 1; n++) {
		SUITE_INT(parse_len(answer, n), -VFK_E_IPAM);
		for (unsigned b = 0; b < 8; b++) {
			memcpy(copy, answer, sizeof(answer));
			copy[n] ^= (char)(1u << b);
			if (parse_len(copy, sizeof(answer) - 1) == 0)
				cni_ipam_free(&ipam_now);
			else
				CU_ASSERT_TRUE(err_now.msg[0] != '\0');
		}
	}
}

/* --- failures --- */

static void failing_plugins(void)
{
	static const struct {
		enum run_outcome outcome;
		int status;
		const char *text;
		int code;
		const char *msg, *details;
	} rows[] = {
		{ RUN_EXITED, 1,
		  "{\"code\":11,\"msg\":\"no free address\",\"details\":\"pool full\"}",
		  11, "IPAM plugin \"x\": no free address", "pool full" },
		{ RUN_EXITED, 1,
		  "{\"cniVersion\":\"1.0.0\",\"code\":100,\"msg\":\"own\\nline\"}", 100,
		  "IPAM plugin \"x\": own line", "" },
		{ RUN_EXITED, 1, "{\"code\":3,\"msg\":\"unknown container\"}", 999,
		  "IPAM plugin \"x\": unknown container", "" },
		{ RUN_EXITED, 1, "{\"code\":0,\"msg\":\"m\"}", 999,
		  "IPAM plugin \"x\": m", "" },
		{ RUN_EXITED, 1, "{\"code\":-5,\"msg\":\"m\"}", 999,
		  "IPAM plugin \"x\": m", "" },
		{ RUN_EXITED, 1, "{\"code\":99999999999,\"msg\":\"m\"}", 999,
		  "IPAM plugin \"x\": m", "" },
		{ RUN_EXITED, 2, "", 999,
		  "IPAM plugin \"x\" ended with status 2 and printed nothing", "" },
		{ RUN_EXITED, 2, "panic: runtime error\ngoroutine 1", 999,
		  "IPAM plugin \"x\" ended with status 2 and printed no error object: \"panic: "
		  "runtime error?goroutine 1\"",
		  "" },
		{ RUN_EXITED, 1, "{\"msg\":\"m\"}", 999,
		  "IPAM plugin \"x\" ended with status 1 and printed no error object: "
		  "\"{\"msg\":\"m\"}\"",
		  "" },
		{ RUN_EXITED, 1, "[]", 999,
		  "IPAM plugin \"x\" ended with status 1 and printed no error object: \"[]\"",
		  "" },
		{ RUN_SIGNALLED, 9, "", 999, "IPAM plugin \"x\" was ended by signal 9", "" },
		{ RUN_NOT_FOUND, 0, "", 7,
		  "failed to find plugin \"x\" in the directories of CNI_PATH", "" },
		{ RUN_NOT_STARTED, 13, "", 999,
		  "IPAM plugin \"x\" could not be started: EACCES", "" },
		{ RUN_TIMED_OUT, 0, "", 11,
		  "IPAM plugin \"x\" gave no answer in time and was ended", "" },
		{ RUN_CANCELLED, 0, "", 11,
		  "IPAM plugin \"x\" was ended: the request was withdrawn", "" },
		{ (enum run_outcome)77, 0, "", 999,
		  "IPAM plugin \"x\" failed in an unknown way (77)", "" },
	};
	struct cni_fail fail;

	for (size_t i = 0; i < VFK_ARRAY_SIZE(rows); i++) {
		memset(&fail, 'x', sizeof(fail));
		cni_ipam_failure(&fail, "x", rows[i].outcome, rows[i].status,
				 rows[i].text, strlen(rows[i].text));
		SUITE_INT(fail.code, rows[i].code);
		SUITE_STR(fail.msg, rows[i].msg);
		SUITE_STR(fail.details, rows[i].details);
	}
}

static void endless_failure_text(void)
{
	size_t len = 300000;
	char *text = malloc(len + 1);
	struct cni_fail fail;

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	memset(text, 'e', len);
	cni_ipam_failure(&fail, "x", RUN_EXITED, 1, text, len);
	CU_ASSERT_TRUE(strlen(fail.msg) < 200);
	memcpy(text, "{\"code\":5,\"msg\":\"", 17);
	memcpy(text + len - 2, "\"}", 2);
	cni_ipam_failure(&fail, "x", RUN_EXITED, 1, text, len);
	SUITE_INT(fail.code, 5);
	SUITE_INT(strlen(fail.msg), sizeof(fail.msg) - 1);
	free(text);
}

VFK_SUITE(cni_ipam, { "an answer of every version is normalised", all_versions },
	  { "without a version the shape decides", without_version },
	  { "Go's extra keys of routes are kept", go_routes },
	  { "dns is kept in a fixed order", dns_is_kept },
	  { "a bad answer is one line", bad_answers },
	  { "too many addresses, routes and names are refused", limits },
	  { "addresses and routes are typed for the drivers", typed },
	  { "addresses are read strictly and written canonically", cidrs },
	  { "an answer cut or flipped anywhere gets a verdict", cut_and_flipped },
	  { "a plugin's failure keeps code, message and details", failing_plugins },
	  { "a plugin's failure of any length is one line", endless_failure_text })
