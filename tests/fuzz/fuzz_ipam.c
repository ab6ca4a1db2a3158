/* SPDX-License-Identifier: Apache-2.0 */
/* What an IPAM plugin prints: one byte of the version that the network wants, one of how the
 * plugin ended, and its output.  What is taken is said again in every version and means the
 * same; what is not taken is one line. */
#include "fuzz.h"

#include <arpa/inet.h>
#include <string.h>

#include "cni/cni.h"

const char fuzz_name[] = "fuzz_ipam";

static const char *const seeds[] = {
	"{\"cniVersion\":\"1.1.0\",\"ips\":[{\"address\":\"10.0.0.5/24\",\"gateway\":"
	"\"10.0.0.1\"}],\"routes\":[{\"dst\":\"0.0.0.0/0\"}],\"dns\":{}}",
	"{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"fd00::5/64\",\"gateway\":\"fd00::1\","
	"\"interface\":0},{\"address\":\"10.1.2.3/8\"}],\"routes\":[{\"dst\":\"::/0\",\"gw\":"
	"\"fd00::2\",\"mtu\":1400,\"advmss\":1300,\"priority\":5,\"table\":100,\"scope\":253}]}",
	"{\"cniVersion\":\"0.3.1\",\"ips\":[{\"version\":\"4\",\"address\":\"10.0.0.5/24\"}],"
	"\"dns\":{\"nameservers\":[\"10.0.0.2\"],\"domain\":\"a.example\",\"search\":[\"b\"],"
	"\"options\":[\"ndots:5\"]}}",
	"{\"cniVersion\":\"0.2.0\",\"ip4\":{\"ip\":\"10.0.0.5/24\",\"gateway\":\"10.0.0.1\","
	"\"routes\":[{\"dst\":\"10.0.0.0/8\"}]},\"ip6\":{\"ip\":\"fd00::5/64\"}}",
	"{\"ip4\":{\"ip\":\"10.0.0.5/24\"}}",
	"{\"cniVersion\":\"0.4.0\",\"code\":11,\"msg\":\"no address left\",\"details\":\"in "
	"10.0.0.0/24\"}",
	"failed to allocate\nfor range 0",
};

size_t fuzz_seed(unsigned n, uint8_t out[FUZZ_MAX])
{
	if (n >= sizeof(seeds) / sizeof(seeds[0]))
		return 0;
	out[0] = (uint8_t)(6 - n % 7);
	out[1] = (uint8_t)n;
	memcpy(out + 2, seeds[n], strlen(seeds[n]));
	return 2 + strlen(seeds[n]);
}

static bool family_fits(uint8_t family, uint8_t prefix_len)
{
	return (family == AF_INET && prefix_len <= 32) ||
	       (family == AF_INET6 && prefix_len <= 128);
}

/* What the drivers will be given. */
static void check_taken(const struct cni_ipam *ipam)
{
	FUZZ_HOLDS(ipam->n_ips >= 1 && ipam->n_ips <= DRV_MAX_IPS);
	FUZZ_HOLDS(ipam->n_routes <= DRV_MAX_ROUTES);
	for (unsigned i = 0; i < ipam->n_ips; i++)
		FUZZ_HOLDS(family_fits(ipam->ips[i].family, ipam->ips[i].prefix_len));
	for (unsigned i = 0; i < ipam->n_routes; i++) {
		const struct drv_route *r = &ipam->routes[i];

		FUZZ_HOLDS(family_fits(r->family, r->prefix_len));
		FUZZ_HOLDS(r->scope >= -1 && r->scope <= 255);
		for (unsigned bit = r->prefix_len; bit < 128; bit++)
			FUZZ_HOLDS(!(r->dst[bit / 8] & (0x80u >> (bit % 8))));
	}
}

/* The normal form is one: read again it is the same. */
static void check_again(const struct cni_ipam *ipam)
{
	char *text = json_dumps(ipam->result, JSON_COMPACT);
	struct cni_ipam again;
	struct vfk_err err = { 0 };

	FUZZ_HOLDS(text);
	FUZZ_HOLDS(cni_ipam_parse(&again, text, strlen(text), &err) == 0);
	FUZZ_HOLDS(json_equal(again.result, ipam->result));
	FUZZ_HOLDS(again.n_ips == ipam->n_ips && again.n_routes == ipam->n_routes);
	FUZZ_HOLDS(!memcmp(again.ips, ipam->ips, sizeof(ipam->ips)));
	FUZZ_HOLDS(!memcmp(again.routes, ipam->routes, sizeof(ipam->routes)));
	cni_ipam_free(&again);
	free(text);
}

/* The answer to the runtime holds these addresses, in the words of its version. */
static void check_said(const struct cni_ipam *ipam, enum cni_spec spec)
{
	static const char env[] = "CNI_CONTAINERID=c1\0CNI_NETNS=/run/netns/a\0"
				  "CNI_IFNAME=net1\0CNI_PATH=/opt/cni/bin";
	struct cni_link link = { .mac = "02:00:00:00:00:01",
				 .mtu_bytes = 1500,
				 .pci = 0x3b04 };
	struct cni_request rq;
	struct cni_fail fail = { 0 };
	struct cni_ipam back;
	struct vfk_err err = { 0 };
	char conf[300], *text;

	snprintf(conf, sizeof(conf),
		 "{\"cniVersion\":\"%s\",\"name\":\"n\",\"type\":\"vfkeeper\",\"deviceID\":"
		 "\"0000:3b:00.4\",\"ipam\":{\"type\":\"x\"}}",
		 cni_spec_name(spec));
	FUZZ_HOLDS(cni_parse(&rq, CNI_ADD, DIALECT_VFKEEPER, env, sizeof(env), conf,
			     strlen(conf), &fail) == 0);
	FUZZ_HOLDS(cni_result_possible(&rq, &err) == 0);
	text = cni_result(&rq, &link, ipam, &err);
	FUZZ_HOLDS(text && strlen(text) <= ANSWER_MAX);
	FUZZ_HOLDS(cni_ipam_parse(&back, text, strlen(text), &err) == 0);
	/* Before 0.3.0 there is one address of each family. */
	if (spec > CNI_0_2_0)
		FUZZ_HOLDS(back.n_ips == ipam->n_ips);
	FUZZ_HOLDS(back.ips[0].family == AF_INET6 ||
		   !memcmp(back.ips[0].addr, ipam->ips[0].addr, 4) || spec <= CNI_0_2_0);
	cni_ipam_free(&back);
	free(text);
	cni_request_free(&rq);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cni_fail fail = { 0 };
	struct cni_ipam ipam;
	struct vfk_err err = { 0 };
	enum cni_spec spec;
	char *text;

	if (len < 2)
		return 0;
	spec = (enum cni_spec)(CNI_0_1_0 + data[0] % 7);
	if (cni_ipam_parse(&ipam, (const char *)data + 2, len - 2, &err) == 0) {
		check_taken(&ipam);
		check_again(&ipam);
		check_said(&ipam, spec);
		cni_ipam_free(&ipam);
	} else {
		FUZZ_HOLDS(err.msg[0] && !strchr(err.msg, '\n'));
	}

	cni_ipam_failure(&fail, "plugin", (enum run_outcome)(1 + data[1] % 6), data[1],
			 (const char *)data + 2, len - 2);
	FUZZ_HOLDS(fail.code != 0 && fail.msg[0] && !strchr(fail.msg, '\n'));
	cni_fail_for_del(&fail);
	FUZZ_HOLDS(!strstr(fail.msg, "no such file or directory"));
	text = cni_fail_text(&fail, spec);
	FUZZ_HOLDS(text && strstr(text, "\"code\""));
	free(text);
	return 0;
}
