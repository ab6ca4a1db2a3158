/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of one call: name and version in the skeleton's order, then every key. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cni/cni-internal.h"

/* --- name and version --- */

static int no_memory_fail(struct cni_fail *fail)
{
	cni_fail_set(fail, 11, "out of memory");
	return -1;
}

static int decode(struct cni_request *rq, const char *text, size_t len,
		  struct cni_fail *fail)
{
	bool no_memory;
	char why[256];

	rq->conf = cni_json_load(text, len, why, sizeof(why), &no_memory);
	if (!rq->conf && no_memory)
		return no_memory_fail(fail);
	if (!rq->conf)
		cni_fail_set(fail, 6, "error unmarshall network config: %s", why);
	else if (json_is_object(rq->conf) || json_is_null(rq->conf))
		return 0;
	else
		cni_fail_set(fail, 6,
			     "error unmarshall network config: it is %s, not an object",
			     cni_json_kind(rq->conf));
	return -1;
}

static int kind_fail(const struct cni_request *rq, struct cni_fail *fail, const char *key,
		     const json_t *value, const char *wanted)
{
	return cni_fail_kind(fail, cni_conf_prefix(rq->dialect), key, value, wanted);
}

static int parse_name(struct cni_request *rq, struct cni_fail *fail)
{
	const json_t *value = cni_json_find(rq->conf, "name");
	const char *name;

	if (value && !json_is_string(value))
		return cni_fail_kind(fail, "error unmarshall network config: ", "name",
				     value, "a string");
	if (!value || json_string_length(value) == 0) {
		cni_fail_set(fail, 7, "missing network name");
		return -1;
	}
	name = cni_json_text(value);
	if (!name || !cni_name_valid(name)) {
		cni_fail_set(fail, 7, "invalid characters found in network name");
		snprintf(fail->details, sizeof(fail->details), "%s",
			 json_string_value(value));
		return -1;
	}
	if (strlen(name) > NAME_LEN_MAX) {
		cni_fail_set(fail, 7, "name is %zu bytes long, at most %d are supported",
			     strlen(name), NAME_LEN_MAX);
		return -1;
	}
	snprintf(rq->att.network, sizeof(rq->att.network), "%s", name);
	return 0;
}

/* "1.2.3" as Go's version comparison reads it: one to three numbers. */
static bool version_parts(const char *text, unsigned long part[3])
{
	part[0] = part[1] = part[2] = 0;
	for (int i = 0; i < 3; i++) {
		char *end;

		if (*text < '0' || *text > '9')
			return false;
		part[i] = strtoul(text, &end, 10);
		if (!*end)
			return true;
		if (*end != '.')
			return false;
		text = end + 1;
	}
	return false;
}

static int version_cmp(const unsigned long a[3], const unsigned long b[3])
{
	for (int i = 0; i < 3; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

/* Verbs that came later than ADD and DEL ask for a version first. */
static int verb_allowed(enum cni_verb verb, const char *version, struct cni_fail *fail)
{
	const char *name = verb == CNI_CHECK ? "CHECK" : verb == CNI_GC ? "GC" : "STATUS";
	const unsigned long since[3] = { verb == CNI_CHECK ? 0 : 1,
					 verb == CNI_CHECK ? 4 : 1, 0 };
	const unsigned long newest[3] = { 1, 1, 0 };
	unsigned long have[3];
	char show[CNI_SHOW_LEN];

	if (verb != CNI_CHECK && verb != CNI_GC && verb != CNI_STATUS)
		return 0;
	if (!version_parts(version, have))
		cni_fail_set(fail, 6, "cniVersion %s is not a version",
			     cni_show(version, show));
	else if (version_cmp(have, since) < 0)
		cni_fail_set(fail, 1, "config version does not allow %s", name);
	else if (version_cmp(have, newest) > 0)
		cni_fail_set(fail, 1, "plugin version does not allow %s", name);
	else
		return 0;
	return -1;
}

static int parse_version(struct cni_request *rq, struct cni_fail *fail)
{
	const json_t *value = cni_json_find(rq->conf, "cniVersion");
	const char *text = "0.1.0";
	char show[CNI_SHOW_LEN];
	size_t n;

	if (value && !json_is_string(value))
		return cni_fail_kind(fail, "decoding version from network config: ",
				     "cniVersion", value, "a string");
	if (value && json_string_length(value))
		text = cni_json_text(value) ? cni_json_text(value) : "?";
	if (verb_allowed(rq->verb, text, fail) < 0)
		return -1;
	rq->spec = cni_spec_parse(text);
	if (rq->spec)
		return 0;
	cni_fail_set(fail, 1, "incompatible CNI versions");
	n = (size_t)snprintf(fail->details, sizeof(fail->details),
			     "config is %s, plugin supports", cni_show(text, show));
	for (int spec = CNI_0_1_0; spec <= CNI_SPEC_NEWEST; spec++)
		n += (size_t)snprintf(fail->details + n, sizeof(fail->details) - n,
				      "%s\"%s\"", spec == CNI_0_1_0 ? " [" : " ",
				      cni_spec_name((enum cni_spec)spec));
	snprintf(fail->details + n, sizeof(fail->details) - n, "]");
	return -1;
}

/* --- keys that are not settings of the VF --- */

/* The containers that keys are looked for in. */
static int check_kinds(struct cni_request *rq, struct cni_fail *fail)
{
	static const char *const objects[] = { "ipam", "runtimeConfig", "prevResult",
					       "args", "dns",		"capabilities" };
	json_t *value, *capability;
	const char *name;

	for (size_t i = 0; i < VFK_ARRAY_SIZE(objects); i++) {
		value = cni_json_find(rq->conf, objects[i]);
		/* sriov reads no args: what stands there is not its business. */
		if (i == 3 && rq->dialect == DIALECT_SRIOV)
			continue;
		if (value && !json_is_object(value))
			return kind_fail(rq, fail, objects[i], value, "an object");
	}
	value = cni_json_find2(rq->conf, "args", "cni");
	if (value && rq->dialect != DIALECT_SRIOV && !json_is_object(value))
		return kind_fail(rq, fail, "args.cni", value, "an object");
	json_object_foreach(cni_json_find(rq->conf, "capabilities"), name, capability) {
		if (!json_is_boolean(capability) && !json_is_null(capability))
			return kind_fail(rq, fail, "capabilities", capability,
					 "an object of booleans");
	}
	value = cni_json_find(rq->conf, "type");
	if (value && !json_is_string(value))
		return kind_fail(rq, fail, "type", value, "a string");
	return 0;
}

static int parse_device(struct cni_request *rq, struct cni_fail *fail)
{
	const struct {
		const char *name;
		const json_t *value;
	} from[] = {
		{ "deviceID", cni_json_find(rq->conf, "deviceID") },
		{ "runtimeConfig.deviceID",
		  cni_json_find2(rq->conf, "runtimeConfig", "deviceID") },
		{ "pciBusID", cni_json_find(rq->conf, "pciBusID") },
	};
	char show[CNI_SHOW_LEN];

	for (size_t i = 0; i < VFK_ARRAY_SIZE(from); i++)
		if (from[i].value && !json_is_string(from[i].value))
			return kind_fail(rq, fail, from[i].name, from[i].value, "a string");
	for (size_t i = 0; i < VFK_ARRAY_SIZE(from); i++) {
		const char *text = cni_json_text(from[i].value);

		if (!from[i].value)
			continue;
		if (json_string_length(from[i].value) == 0)
			continue;
		if (text && pci_parse(text, &rq->device)) {
			rq->has_device = true;
			return 0;
		}
		cni_fail_set(fail, 7, "%s%s %s is not a PCI address like 0000:3b:00.4",
			     cni_conf_prefix(rq->dialect), from[i].name,
			     cni_json_show(from[i].value, show));
		return -1;
	}
	if (rq->verb != CNI_ADD)
		return 0;
	cni_fail_set(fail, 7,
		     "%s%s: neither deviceID nor runtimeConfig.deviceID nor pciBusID is there "
		     "(does the network name a resource, and does the pod ask for it?)",
		     cni_conf_prefix(rq->dialect),
		     rq->dialect == DIALECT_SRIOV ? "VF pci addr is required" :
						    "deviceID is required");
	return -1;
}

static int parse_ipam(struct cni_request *rq, struct cni_fail *fail)
{
	const json_t *value = cni_json_find2(rq->conf, "ipam", "type");
	char show[CNI_SHOW_LEN];
	const char *type;

	if (!value)
		return 0;
	if (!json_is_string(value))
		return kind_fail(rq, fail, "ipam.type", value, "a string");
	type = cni_json_text(value);
	if (!type || strchr(type, '/') || !cni_one_line(type) ||
	    strlen(type) >= sizeof(rq->ipam_type) || !strcmp(type, ".") ||
	    !strcmp(type, "..")) {
		cni_fail_set(fail, 7, "%sipam.type %s is no name of a plugin",
			     cni_conf_prefix(rq->dialect), cni_json_show(value, show));
		return -1;
	}
	if (rq->dialect == DIALECT_IB_SRIOV && !strcmp(type, "dhcp")) {
		cni_fail_set(fail, 2, "ipam type dhcp is not supported");
		return -1;
	}
	snprintf(rq->ipam_type, sizeof(rq->ipam_type), "%s", type);
	rq->ipam_own = !strcmp(type, "vfkeeper");
	return 0;
}

/* The capability 'ips': the IPAM plugin reads them from its stdin, so they are only
 * checked. */
static int check_ips(struct cni_request *rq, struct cni_fail *fail)
{
	const json_t *ips = cni_json_find2(rq->conf, "runtimeConfig", "ips");
	struct cni_cidr cidr;
	char show[CNI_SHOW_LEN];
	const json_t *value;
	size_t i;

	if (!ips)
		return 0;
	if (!json_is_array(ips))
		return kind_fail(rq, fail, "runtimeConfig.ips", ips, "an array of strings");
	json_array_foreach(ips, i, value) {
		const char *text = cni_json_text(value);

		if (!json_is_string(value))
			return kind_fail(rq, fail, "runtimeConfig.ips", value,
					 "an array of strings");
		if (text && cni_cidr_parse(text, true, &cidr))
			continue;
		cni_fail_set(fail, 7,
			     "%sruntimeConfig.ips %s is not an address like 10.1.2.3/24",
			     cni_conf_prefix(rq->dialect), cni_json_show(value, show));
		return -1;
	}
	return 0;
}

/* --- the call --- */

static int parse_strict(struct cni_request *rq, const char *mac, struct cni_fail *fail)
{
	if (parse_name(rq, fail) < 0 || parse_version(rq, fail) < 0 ||
	    check_kinds(rq, fail) < 0 || parse_device(rq, fail) < 0 ||
	    parse_ipam(rq, fail) < 0 || check_ips(rq, fail) < 0)
		return -1;
	return cni_keys_parse(rq, mac, true, fail);
}

/* GC: name and version count, the rest is taken as far as it is good. */
static int parse_gc(struct cni_request *rq, struct cni_fail *fail)
{
	struct cni_fail ignored;

	if (parse_name(rq, fail) < 0 || parse_version(rq, fail) < 0)
		return -1;
	(void)!parse_ipam(rq, &ignored);
	return 0;
}

/* P6: nothing that stands in the configuration can fail a DEL.  Without a usable name the
 * network is "", unknown; a name that is too long for any ADD to have passed becomes one
 * that no attachment has. */
static void parse_del(struct cni_request *rq, const char *mac)
{
	const char *name = cni_json_text(cni_json_find(rq->conf, "name"));
	struct cni_fail ignored;

	if (parse_name(rq, &ignored) < 0)
		snprintf(rq->att.network, sizeof(rq->att.network), "%s",
			 name && cni_name_valid(name) ? "!" : "");
	if (parse_version(rq, &ignored) < 0 || !rq->att.network[0])
		rq->spec = CNI_SPEC_NEWEST;
	(void)!parse_device(rq, &ignored);
	(void)!parse_ipam(rq, &ignored);
	(void)!cni_keys_parse(rq, mac, false, &ignored);
}

static int parse_conf(struct cni_request *rq, const char *mac, const char *text,
		      size_t len, struct cni_fail *fail)
{
	if (decode(rq, text, len, fail) < 0) {
		/* Out of memory is cured by a retry, bad text is not. */
		if (rq->verb != CNI_DEL || fail->code == 11)
			return -1;
		json_decref(rq->conf);
		rq->conf = json_object();
		if (!rq->conf)
			return no_memory_fail(fail);
	}
	if (rq->verb == CNI_DEL)
		parse_del(rq, mac);
	else if (rq->verb == CNI_GC ? parse_gc(rq, fail) < 0 :
				      parse_strict(rq, mac, fail) < 0)
		return -1;
	rq->prev_result = cni_json_find(rq->conf, "prevResult");
	if (!json_is_object(rq->prev_result))
		rq->prev_result = NULL;
	return 0;
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

int cni_parse(struct cni_request *rq, enum cni_verb verb, enum cni_dialect dialect,
	      const char *env, size_t env_len, const char *stdin_text, size_t stdin_len,
	      struct cni_fail *fail)
{
	char mac[CNI_MAC_TEXT];
	/* ib-sriov has never read CNI_ARGS; a DEL is not failed for them. */
	bool strict = (verb == CNI_ADD || verb == CNI_CHECK) && dialect != DIALECT_IB_SRIOV;

	memset(rq, 0, sizeof(*rq));
	rq->verb = verb;
	rq->dialect = dialect;
	rq->spec = CNI_SPEC_NEWEST;
	rq->device = PCI_NONE;
	rq->env = env;
	rq->env_len = env_len;
	if (cni_env_check(&rq->att, verb, env, env_len, fail) < 0)
		return -1;
	rq->netns_path = or_empty(cni_env_get(env, env_len, "CNI_NETNS"));
	rq->cni_path = or_empty(cni_env_get(env, env_len, "CNI_PATH"));
	if (cni_args_parse(&rq->pod, mac, cni_env_get(env, env_len, "CNI_ARGS"), dialect,
			   strict, fail) < 0)
		return -1;
	if (parse_conf(rq, mac, stdin_text, stdin_len, fail) < 0) {
		cni_request_free(rq);
		return -1;
	}
	return 0;
}

void cni_request_free(struct cni_request *rq)
{
	json_decref(rq->conf);
	rq->conf = rq->prev_result = NULL;
}
