/* SPDX-License-Identifier: Apache-2.0 */
/* A CNI call: one byte of verb, one of dialect, the environment up to an empty string, and
 * the configuration. */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>

#include "cni/cni.h"

const char fuzz_name[] = "fuzz_cni";

#define ENV                                                                              \
	"CNI_COMMAND=ADD\0CNI_CONTAINERID=c1\0CNI_NETNS=/run/netns/a\0CNI_IFNAME=net1\0" \
	"CNI_PATH=/opt/cni/bin\0CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAMESPACE=n;"           \
	"K8S_POD_NAME=p\0\0"

static const struct {
	uint8_t verb, dialect;
	const char *conf;
} seeds[] = {
	{ CNI_ADD, DIALECT_VFKEEPER,
	  "{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"type\":\"vfkeeper\",\"deviceID\":"
	  "\"0000:3b:00.1\",\"mtu\":1500,\"ipam\":{\"type\":\"host-local\"},\"runtimeConfig\":"
	  "{\"deviceID\":\"0000:3b:00.2\",\"ips\":[\"10.0.0.1/24\"]}}" },
	{ CNI_ADD, DIALECT_IB_SRIOV,
	  "{\"cniVersion\":\"0.3.1\",\"name\":\"net\",\"type\":\"ib-sriov\",\"deviceID\":"
	  "\"0000:3b:00.1\",\"guid\":\"02:00:00:00:00:00:00:01\",\"pkey\":\"0x8001\","
	  "\"rdmaIsolation\":true,\"link_state\":\"enable\"}" },
	{ CNI_ADD, DIALECT_SRIOV,
	  "{\"cniVersion\":\"0.4.0\",\"name\":\"net\",\"type\":\"sriov\",\"deviceID\":"
	  "\"0000:3b:00.1\",\"vlan\":100,\"vlanQoS\":3,\"spoofchk\":\"on\",\"trust\":\"off\","
	  "\"mac\":\"02:00:00:00:00:01\",\"min_tx_rate\":1,\"max_tx_rate\":2,\"prevResult\":"
	  "{\"cniVersion\":\"0.4.0\",\"interfaces\":[{\"name\":\"a\"}]}}" },
	{ CNI_DEL, DIALECT_VFKEEPER,
	  "{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"type\":\"vfkeeper\"}" },
	{ CNI_GC, DIALECT_VFKEEPER,
	  "{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"cni.dev/valid-attachments\":"
	  "[{\"containerID\":\"c\",\"ifname\":\"net1\"}]}" },
	{ CNI_CHECK, DIALECT_VFKEEPER,
	  "{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"type\":\"x\",\"prevResult\":"
	  "{\"interfaces\":[{\"name\":\"net1\",\"mac\":\"02:00:00:00:00:01\",\"mtu\":1500,"
	  "\"sandbox\":\"/run/netns/a\"}],\"ips\":[{\"address\":\"10.0.0.5/24\","
	  "\"interface\":0}],\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.0.0.1\"}]}}" },
};

size_t fuzz_seed(unsigned n, uint8_t out[FUZZ_MAX])
{
	size_t len = 2;

	if (n >= sizeof(seeds) / sizeof(seeds[0]))
		return 0;
	out[0] = seeds[n].verb;
	out[1] = seeds[n].dialect;
	memcpy(out + len, ENV, sizeof(ENV) - 1);
	len += sizeof(ENV) - 1;
	memcpy(out + len, seeds[n].conf, strlen(seeds[n].conf));
	return len + strlen(seeds[n].conf);
}

static void check_fail(const struct cni_fail *fail, enum cni_spec spec)
{
	char *text;

	FUZZ_HOLDS(fail->code != 0);
	FUZZ_HOLDS(fail->msg[0] && !strchr(fail->msg, '\n'));
	text = cni_fail_text(fail, spec);
	FUZZ_HOLDS(text && strstr(text, "\"code\""));
	free(text);
}

/* What is possible before anything is touched is possible afterwards. */
static void check_result(const struct cni_request *rq, const struct cni_ipam *ipam)
{
	struct cni_link link = { .mac = "02:00:00:00:00:01",
				 .mtu_bytes = 1500,
				 .pci = 0x3b04 };
	struct vfk_err err = { 0 };
	json_t *back;
	char *text;

	if (cni_result_possible(rq, &err) < 0) {
		FUZZ_HOLDS(err.msg[0] && !strchr(err.msg, '\n'));
		return;
	}
	text = cni_result(rq, &link, ipam, &err);
	if (!text) {
		/* An IPAM plugin that is configured and was not asked. */
		FUZZ_HOLDS(!ipam && rq->ipam_type[0] && err.kind == VFK_E_UNSUPPORTED);
		return;
	}
	FUZZ_HOLDS(strlen(text) <= ANSWER_MAX);
	back = json_loads(text, JSON_ALLOW_NUL | JSON_DISABLE_EOF_CHECK, NULL);
	FUZZ_HOLDS(json_is_object(back));
	json_decref(back);
	free(text);
}

/* What CHECK expects and GC holds valid. */
static void check_lists(const struct cni_request *rq)
{
	struct cni_expect want;
	struct cni_valid valid;
	struct cni_fail fail = { 0 };
	struct vfk_err err = { 0 };

	if (rq->prev_result && cni_expect(&want, rq, rq->prev_result, &err) == 0)
		FUZZ_HOLDS(want.n_ips <= DRV_MAX_IPS && want.n_routes <= DRV_MAX_ROUTES &&
			   want.pod.hwaddr_len <= sizeof(want.pod.hwaddr));
	if (cni_valid_parse(&valid, rq, &fail) < 0) {
		check_fail(&fail, rq->spec);
		return;
	}
	for (size_t i = 0; i < valid.n; i++) {
		struct attachment att = { .network = "" };

		snprintf(att.container, sizeof(att.container), "%s",
			 valid.all[i].container);
		snprintf(att.ifname, sizeof(att.ifname), "%s", valid.all[i].ifname);
		if (strlen(valid.all[i].container) < sizeof(att.container) &&
		    strlen(valid.all[i].ifname) < sizeof(att.ifname))
			FUZZ_HOLDS(cni_valid_has(&valid, &att));
	}
	cni_valid_free(&valid);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cni_request rq;
	struct cni_fail fail = { 0 };
	struct cni_ipam ipam;
	struct vfk_err err;
	const char *env = (const char *)data + 2, *conf;
	size_t env_len, conf_len;

	if (len < 4)
		return 0;
	/* The environment ends with its second NUL in a row; each string of a block has one. */
	conf = memmem(env, len - 2, "\0", 2);
	if (!conf)
		return 0;
	env_len = (size_t)(conf + 1 - env);
	conf += 2;
	conf_len = len - 2 - env_len - 1;

	if (cni_parse(&rq, (enum cni_verb)(data[0] % 7), (enum cni_dialect)(1 + data[1] % 3),
		      env, env_len, conf, conf_len, &fail) == 0) {
		FUZZ_HOLDS(rq.spec >= CNI_0_1_0 && rq.spec <= CNI_SPEC_NEWEST);
		FUZZ_HOLDS(memchr(rq.att.network, 0, sizeof(rq.att.network)));
		FUZZ_HOLDS(memchr(rq.att.ifname, 0, sizeof(rq.att.ifname)));
		if (rq.verb == CNI_ADD) {
			static const char one[] =
				"{\"ips\":[{\"address\":\"10.0.0.5/24\"}]}";

			check_result(&rq, NULL);
			FUZZ_HOLDS(cni_ipam_parse(&ipam, one, sizeof(one) - 1, &err) == 0);
			check_result(&rq, &ipam);
			cni_ipam_free(&ipam);
		}
		check_lists(&rq);
		cni_request_free(&rq);
	} else {
		check_fail(&fail, CNI_SPEC_NEWEST);
	}

	if (cni_ipam_parse(&ipam, conf, conf_len, &err) == 0) {
		FUZZ_HOLDS(ipam.n_ips <= DRV_MAX_IPS && ipam.n_routes <= DRV_MAX_ROUTES);
		cni_ipam_free(&ipam);
	} else {
		FUZZ_HOLDS(err.msg[0] && !strchr(err.msg, '\n'));
	}
	cni_ipam_failure(&fail, "plugin", RUN_EXITED, 1, conf, conf_len);
	check_fail(&fail, CNI_0_3_1);
	return 0;
}
