/* SPDX-License-Identifier: Apache-2.0 */
/* Results of all versions as those of 1.1.0: what IPAM plugins answer, and prevResult. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cni/cni-internal.h"

/* The rest of an answer (names of hosts and domains) may not outgrow what is journalled. */
#define DNS_MAX (8 * 1024)

/* --- one address, one route --- */

static int bad(struct vfk_err *err, const char *what, const json_t *value,
	       const char *wanted)
{
	char show[CNI_SHOW_LEN];

	if (json_is_object(value) || json_is_array(value) || json_is_null(value))
		return vfk_err_set(err, VFK_E_IPAM, 0, "%s is %s, not %s", what,
				   cni_json_kind(value), wanted);
	return vfk_err_set(err, VFK_E_IPAM, 0, "%s %s is not %s", what,
			   value ? cni_json_show(value, show) : "(none)", wanted);
}

static int no_memory(struct vfk_err *err)
{
	return vfk_err_set(err, VFK_E_NOMEM, 0, "out of memory");
}

static int parse_member(const json_t *obj, const char *key, const char *what, bool bare,
			struct cni_cidr *out, struct vfk_err *err)
{
	const json_t *value = cni_json_find(obj, key);
	const char *text = cni_json_text(value);

	if (text && cni_cidr_parse(text, bare, out) && !(bare && strchr(text, '/')))
		return 0;
	return bad(err, what, value,
		   bare ? "an IP address" : "an address with prefix length");
}

/* An optional address of the family: *has tells whether it is there. */
static int parse_gateway(const json_t *obj, const char *key, const char *what,
			 uint8_t family, struct cni_cidr *out, bool *has,
			 struct vfk_err *err)
{
	const json_t *value = cni_json_find(obj, key);
	int rc;

	*has = false;
	/* Go prints an unset address as "" or leaves it out. */
	if (!value || (json_is_string(value) && json_string_length(value) == 0))
		return 0;
	rc = parse_member(obj, key, what, true, out, err);
	if (rc < 0)
		return rc;
	if (out->family != family)
		return bad(err, what, value, "of the family of its address");
	*has = true;
	return 0;
}

static int put_cidr(json_t *obj, const char *key, const struct cni_cidr *cidr, bool bare)
{
	char text[CNI_CIDR_TEXT];

	return json_object_set_new(obj, key,
				   json_string(cni_cidr_format(cidr, bare, text)));
}

/* 'key' is "address", or "ip" in the old shape.  'index': keep ips[].interface. */
static int normalise_ip(const json_t *in, const char *key, bool index, json_t *ips,
			struct vfk_err *err)
{
	struct cni_cidr addr, gw;
	int64_t interface;
	bool has_gw, failed;
	json_t *out;
	int rc;

	if (!json_is_object(in))
		return bad(err, "ips entry", in, "an object");
	rc = parse_member(in, key, "address", false, &addr, err);
	if (!rc)
		rc = parse_gateway(in, "gateway", "gateway", addr.family, &gw, &has_gw,
				   err);
	if (rc < 0)
		return rc;
	out = json_object();
	failed = !out ||
		 (index && cni_json_int(cni_json_find(in, "interface"), &interface) &&
		  interface >= 0 &&
		  json_object_set_new(out, "interface", json_integer(interface)));
	failed = failed || put_cidr(out, "address", &addr, false) ||
		 (has_gw && put_cidr(out, "gateway", &gw, true));
	if (failed)
		json_decref(out);
	return failed || json_array_append_new(ips, out) ? no_memory(err) : 0;
}

/* Go keeps these with a route in every version. */
static const struct {
	const char *name;
	int64_t max;
} route_numbers[] = {
	{ "mtu", UINT32_MAX },	 { "advmss", UINT32_MAX }, { "priority", UINT32_MAX },
	{ "table", UINT32_MAX }, { "scope", 255 },
};

static int normalise_route(const json_t *in, json_t *routes, struct vfk_err *err)
{
	struct cni_cidr dst, gw;
	json_t *out;
	bool has_gw, failed;
	int rc;

	if (!json_is_object(in))
		return bad(err, "routes entry", in, "an object");
	rc = parse_member(in, "dst", "dst of a route", false, &dst, err);
	if (!rc)
		rc = parse_gateway(in, "gw", "gw of a route", dst.family, &gw, &has_gw,
				   err);
	if (rc < 0)
		return rc;
	out = json_object();
	failed = !out || put_cidr(out, "dst", &dst, false) ||
		 (has_gw && put_cidr(out, "gw", &gw, true));
	for (size_t i = 0; !failed && i < VFK_ARRAY_SIZE(route_numbers); i++) {
		const json_t *value = cni_json_find(in, route_numbers[i].name);
		char what[40];
		int64_t n;

		if (!value)
			continue;
		if (!cni_json_int(value, &n) || n < 0 || n > route_numbers[i].max) {
			json_decref(out);
			snprintf(what, sizeof(what), "%s of a route",
				 route_numbers[i].name);
			return bad(err, what, value, "a number in its range");
		}
		failed = json_object_set_new(out, route_numbers[i].name, json_integer(n));
	}
	if (failed)
		json_decref(out);
	return failed || json_array_append_new(routes, out) ? no_memory(err) : 0;
}

static int each_of(const json_t *list, const char *what, json_t *out,
		   int (*fn)(const json_t *in, json_t *out, struct vfk_err *err),
		   struct vfk_err *err)
{
	const json_t *value;
	size_t i;

	if (!list)
		return 0;
	if (!json_is_array(list))
		return bad(err, what, list, "an array");
	json_array_foreach(list, i, value) {
		int rc = fn(value, out, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int ip_drop_index(const json_t *in, json_t *out, struct vfk_err *err)
{
	return normalise_ip(in, "address", false, out, err);
}

static int ip_keep_index(const json_t *in, json_t *out, struct vfk_err *err)
{
	return normalise_ip(in, "address", true, out, err);
}

/* {ip, gateway, routes} of 0.1.0 and 0.2.0. */
static int old_family(const json_t *in, const char *key, json_t *ips, json_t *routes,
		      struct vfk_err *err)
{
	const json_t *part = cni_json_find(in, key);
	int rc;

	if (!part)
		return 0;
	rc = normalise_ip(part, "ip", false, ips, err);
	return rc < 0 ? rc :
			each_of(cni_json_find(part, "routes"), "routes", routes,
				normalise_route, err);
}

static bool dns_member_valid(const json_t *value, bool is_list)
{
	const json_t *one;
	size_t i;

	if (!is_list)
		return cni_json_text(value) != NULL;
	if (!json_is_array(value))
		return false;
	json_array_foreach(value, i, one) {
		if (!cni_json_text(one))
			return false;
	}
	return true;
}

/* Copies what is there and not empty into 'made'. */
static int dns_members(json_t *made, const json_t *dns, struct vfk_err *err)
{
	static const char *const names[] = { "nameservers", "domain", "search", "options" };

	for (size_t i = 0; i < VFK_ARRAY_SIZE(names); i++) {
		json_t *value = cni_json_find(dns, names[i]);
		bool is_list = i != 1;

		if (!value)
			continue;
		if (!dns_member_valid(value, is_list))
			return vfk_err_set(err, VFK_E_IPAM, 0, "dns.%s is not %s", names[i],
					   is_list ? "an array of strings" : "a string");
		if (is_list ? json_array_size(value) : json_string_length(value))
			if (json_object_set(made, names[i], value) < 0)
				return no_memory(err);
	}
	return 0;
}

static int put_dns(json_t *out, const json_t *in, struct vfk_err *err)
{
	const json_t *dns = cni_json_find(in, "dns");
	json_t *made = json_object();
	size_t len = 0;
	int rc = 0;

	if (!made)
		return no_memory(err);
	if (dns && !json_is_object(dns))
		rc = bad(err, "dns", dns, "an object");
	else if (dns)
		rc = dns_members(made, dns, err);
	if (!rc)
		len = json_dumpb(made, NULL, 0, JSON_COMPACT);
	if (!rc && len > DNS_MAX)
		rc = vfk_err_set(err, VFK_E_IPAM, 0,
				 "dns is %zu bytes long, at most %d are supported", len,
				 DNS_MAX);
	if (rc < 0 || json_object_size(made) == 0) {
		json_decref(made);
		return rc;
	}
	return json_object_set_new(out, "dns", made) < 0 ? no_memory(err) : 0;
}

/* Whether the shape is {ip4, ip6}: the version says so, or the keys where there is none
 * (plugins that leave it out leave it to the caller). */
static int is_old_shape(const json_t *in, bool *old, struct vfk_err *err)
{
	const json_t *value = cni_json_find(in, "cniVersion");
	const char *text = cni_json_text(value);
	enum cni_spec spec;

	*old = cni_json_find(in, "ip4") || cni_json_find(in, "ip6");
	if (!value || (json_is_string(value) && json_string_length(value) == 0))
		return 0;
	spec = text ? cni_spec_parse(text) : (enum cni_spec)0;
	if (!spec)
		return bad(err, "cniVersion", value, "a supported version");
	*old = spec <= CNI_0_2_0;
	return 0;
}

int cni_result_normalise(const json_t *in, bool keep_interface, json_t **out,
			 struct vfk_err *err)
{
	json_t *made = json_pack("{s:[], s:[]}", "ips", "routes");
	json_t *ips = json_object_get(made, "ips"),
	       *routes = json_object_get(made, "routes");
	bool old = false;
	int rc;

	if (!made)
		return no_memory(err);
	rc = json_is_object(in) ? is_old_shape(in, &old, err) :
				  bad(err, "it", in, "an object");
	if (!rc && old) {
		rc = old_family(in, "ip4", ips, routes, err);
		if (!rc)
			rc = old_family(in, "ip6", ips, routes, err);
	} else if (!rc) {
		rc = each_of(cni_json_find(in, "ips"), "ips", ips,
			     keep_interface ? ip_keep_index : ip_drop_index, err);
		if (!rc)
			rc = each_of(cni_json_find(in, "routes"), "routes", routes,
				     normalise_route, err);
	}
	if (!rc)
		rc = put_dns(made, in, err);
	if (rc < 0)
		json_decref(made);
	else
		*out = made;
	return rc;
}

/* --- as the drivers take them --- */

static void fill_ip(struct drv_ip *ip, const json_t *in)
{
	const char *gateway = json_string_value(json_object_get(in, "gateway"));
	struct cni_cidr cidr;

	memset(ip, 0, sizeof(*ip));
	if (!cni_cidr_parse(json_string_value(json_object_get(in, "address")), false, &cidr))
		return;
	ip->family = cidr.family;
	ip->prefix_len = cidr.prefix_len;
	memcpy(ip->addr, cidr.addr, sizeof(ip->addr));
	if (gateway && cni_cidr_parse(gateway, true, &cidr)) {
		memcpy(ip->gateway, cidr.addr, sizeof(ip->gateway));
		ip->has_gateway = true;
	}
}

static uint32_t number(const json_t *in, const char *key)
{
	return (uint32_t)json_integer_value(json_object_get(in, key));
}

/* A route without a gateway goes through the family's first one, unless its scope says that
 * it needs none (253 is link). */
static void fill_route(struct drv_route *route, const json_t *in,
		       const struct cni_ipam *ipam)
{
	const char *gateway = json_string_value(json_object_get(in, "gw"));
	const json_t *scope = json_object_get(in, "scope");
	struct cni_cidr cidr;

	memset(route, 0, sizeof(*route));
	if (!cni_cidr_parse(json_string_value(json_object_get(in, "dst")), false, &cidr))
		return;
	route->family = cidr.family;
	route->prefix_len = cidr.prefix_len;
	memcpy(route->dst, cidr.addr, sizeof(route->dst));
	cni_mask(route->dst, cidr.prefix_len);
	route->mtu = number(in, "mtu");
	route->advmss = number(in, "advmss");
	route->priority = number(in, "priority");
	route->table = number(in, "table");
	route->scope = scope ? (int32_t)json_integer_value(scope) : -1;
	if (gateway && cni_cidr_parse(gateway, true, &cidr)) {
		memcpy(route->gateway, cidr.addr, sizeof(route->gateway));
		route->has_gateway = true;
		return;
	}
	for (unsigned i = 0; i < ipam->n_ips && route->scope < 253; i++) {
		if (ipam->ips[i].family != route->family || !ipam->ips[i].has_gateway)
			continue;
		memcpy(route->gateway, ipam->ips[i].gateway, sizeof(route->gateway));
		route->has_gateway = true;
		return;
	}
}

static int fill(struct cni_ipam *out, struct vfk_err *err)
{
	const json_t *ips = json_object_get(out->result, "ips");
	const json_t *routes = json_object_get(out->result, "routes");

	if (json_array_size(ips) == 0)
		return vfk_err_set(err, VFK_E_IPAM, 0,
				   "IPAM plugin returned missing IP config");
	if (json_array_size(ips) > DRV_MAX_IPS || json_array_size(routes) > DRV_MAX_ROUTES)
		return vfk_err_set(err, VFK_E_IPAM, 0,
				   "IPAM plugin returned %zu addresses and %zu routes, at most "
				   "%d and %d are supported",
				   json_array_size(ips), json_array_size(routes),
				   DRV_MAX_IPS, DRV_MAX_ROUTES);
	while (out->n_ips < json_array_size(ips)) {
		fill_ip(&out->ips[out->n_ips], json_array_get(ips, out->n_ips));
		out->n_ips++;
	}
	while (out->n_routes < json_array_size(routes)) {
		fill_route(&out->routes[out->n_routes],
			   json_array_get(routes, out->n_routes), out);
		out->n_routes++;
	}
	return 0;
}

int cni_ipam_parse(struct cni_ipam *out, const char *text, size_t len, struct vfk_err *err)
{
	bool nomem;
	char why[200];
	json_t *answer = cni_json_load(text, len, why, sizeof(why), &nomem);
	int rc;

	memset(out, 0, sizeof(*out));
	if (!answer)
		return nomem ? no_memory(err) :
			       vfk_err_set(err, VFK_E_IPAM, 0,
					   "IPAM plugin's answer is not JSON: %s", why);
	rc = cni_result_normalise(answer, false, &out->result, err);
	json_decref(answer);
	if (rc < 0)
		return vfk_err_wrap(err, "IPAM plugin's answer");
	rc = fill(out, err);
	if (rc < 0)
		cni_ipam_free(out);
	return rc;
}

void cni_ipam_free(struct cni_ipam *ipam)
{
	json_decref(ipam->result);
	ipam->result = NULL;
	ipam->n_ips = ipam->n_routes = 0;
}
