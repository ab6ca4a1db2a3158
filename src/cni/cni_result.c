/* SPDX-License-Identifier: Apache-2.0 */
/* The result of an ADD: everything is put together as 1.1.0 would have it, then said in the
 * words of the configuration's version. */
#include <string.h>

#include "cni/cni-internal.h"
#include "cni/json_print.h"

/* A result is answered in one frame and journalled (64 KiB); of that the addresses, routes
 * and dns of an IPAM plugin may need the rest. */
#define PREV_MAX (24 * 1024)

static int no_memory(struct vfk_err *err)
{
	return vfk_err_set(err, VFK_E_NOMEM, 0, "out of memory");
}

/* --- put together --- */

/* The interfaces of prevResult, in new objects that may be changed. */
static json_t *prev_interfaces(const json_t *prev)
{
	const json_t *list = cni_json_find(prev, "interfaces");

	return json_is_array(list) ? json_deep_copy(list) : json_array();
}

/* A member that is left out where it is not known.  'value' is stolen. */
static bool put_known(json_t *obj, const char *key, bool known, json_t *value)
{
	if (known)
		return json_object_set_new(obj, key, value) == 0;
	json_decref(value);
	return true;
}

static int add_interface(json_t *interfaces, const struct cni_request *rq,
			 const struct cni_link *link)
{
	json_t *made = json_object();
	char addr[PCI_STRLEN];
	bool ok = made && !json_object_set_new(made, "name", json_string(rq->att.ifname));

	ok = ok && put_known(made, "mac", link->mac[0], json_string(link->mac));
	ok = ok && put_known(made, "mtu", link->mtu_bytes, json_integer(link->mtu_bytes));
	ok = ok && !json_object_set_new(made, "sandbox",
					json_stringn_nocheck(rq->netns_path,
							     strlen(rq->netns_path)));
	if (ok && link->pci != PCI_NONE)
		ok = !json_object_set_new(made, "pciID",
					  json_string(pci_format(link->pci, addr)));
	if (!ok) {
		json_decref(made);
		return -1;
	}
	return json_array_append_new(interfaces, made);
}

/* Appends copies of 'from' to 'to'; 'index' >= 0: as ips of that interface. */
static int append(json_t *to, const json_t *from, json_int_t index)
{
	const json_t *value;
	size_t i;

	json_array_foreach(from, i, value) {
		json_t *copy = json_deep_copy(value);

		if (index >= 0 &&
		    json_object_set_new(copy, "interface", json_integer(index))) {
			json_decref(copy);
			return -1;
		}
		if (json_array_append_new(to, copy))
			return -1;
	}
	return 0;
}

/* {interfaces, ips, routes[, dns]}: prevResult's first, then ours. */
static int put_together(const struct cni_request *rq, const struct cni_link *link,
			const struct cni_ipam *ipam, json_t **out, struct vfk_err *err)
{
	json_t *all = NULL, *interfaces;
	json_int_t index;
	int rc;

	if (rq->prev_result) {
		rc = cni_result_normalise(rq->prev_result, true, &all, err);
		if (rc < 0)
			return vfk_err_wrap(err, "prevResult");
	} else {
		all = json_pack("{s:[], s:[]}", "ips", "routes");
	}
	interfaces = prev_interfaces(rq->prev_result);
	index = (json_int_t)json_array_size(interfaces);
	if (!all || !interfaces || add_interface(interfaces, rq, link) < 0 ||
	    json_object_set(all, "interfaces", interfaces))
		goto fail;
	if (ipam && (append(json_object_get(all, "ips"),
			    json_object_get(ipam->result, "ips"), index) ||
		     append(json_object_get(all, "routes"),
			    json_object_get(ipam->result, "routes"), -1)))
		goto fail;
	/* One resolver configuration: an earlier plugin's stands. */
	if (ipam && !json_object_get(all, "dns") && json_object_get(ipam->result, "dns") &&
	    json_object_set(all, "dns", json_object_get(ipam->result, "dns")))
		goto fail;
	json_decref(interfaces);
	*out = all;
	return 0;
fail:
	json_decref(interfaces);
	json_decref(all);
	return no_memory(err);
}

/* --- say it --- */

static bool is_ipv6(const json_t *obj, const char *key)
{
	const char *text = json_string_value(json_object_get(obj, key));

	return text && strchr(text, ':');
}

/* 1.0.0 and 1.1.0: what is empty is left out. */
static json_t *say_new(enum cni_spec spec, const json_t *all)
{
	static const char *const keys[] = { "interfaces", "ips", "routes", "dns" };
	json_t *out = json_pack("{s:s}", "cniVersion", cni_spec_name(spec));

	for (size_t i = 0; out && i < VFK_ARRAY_SIZE(keys); i++) {
		json_t *value = json_object_get(all, keys[i]);

		if (!value || (json_is_array(value) && json_array_size(value) == 0))
			continue;
		if (json_object_set(out, keys[i], value)) {
			json_decref(out);
			out = NULL;
		}
	}
	return out;
}

/* 0.3.0 to 0.4.0: ips say their version, interfaces have three keys, dns is always there. */
static json_t *say_middle(enum cni_spec spec, json_t *all)
{
	json_t *out = NULL, *ips = json_array(), *ip, *interface, *dns;
	size_t i;

	json_array_foreach(json_object_get(all, "interfaces"), i, interface) {
		json_object_del(interface, "mtu");
		json_object_del(interface, "pciID");
		json_object_del(interface, "socketPath");
	}
	json_array_foreach(json_object_get(all, "ips"), i, ip) {
		json_t *made = json_pack("{s:s}", "version",
					 is_ipv6(ip, "address") ? "6" : "4");
		bool failed = !made || json_object_update(made, ip) < 0;

		if (failed)
			json_decref(made);
		if (failed || json_array_append_new(ips, made)) {
			json_decref(ips);
			return NULL;
		}
	}
	dns = json_object_get(all, "dns");
	if (ips && !json_object_set_new(all, "ips", ips))
		out = say_new(spec, all);
	if (out && !dns && json_object_set_new(out, "dns", json_object())) {
		json_decref(out);
		return NULL;
	}
	return out;
}

/* Up to 0.2.0 a route is dst and gw. */
static json_t *old_route(const json_t *route)
{
	json_t *out = json_pack("{s:O}", "dst", json_object_get(route, "dst"));
	json_t *gw = json_object_get(route, "gw");

	if (out && gw && json_object_set(out, "gw", gw)) {
		json_decref(out);
		return NULL;
	}
	return out;
}

/* {ip, gateway, routes} of the first address of a family; NULL: none.  '*failed' is set on
 * lack of memory. */
static json_t *old_family(const json_t *all, bool ipv6, bool *failed)
{
	json_t *out = NULL, *routes, *value;
	size_t i;

	json_array_foreach(json_object_get(all, "ips"), i, value) {
		if (is_ipv6(value, "address") != ipv6)
			continue;
		out = json_pack("{s:O}", "ip", json_object_get(value, "address"));
		value = json_object_get(value, "gateway");
		*failed = !out || (value && json_object_set(out, "gateway", value));
		break;
	}
	if (!out)
		return NULL;
	routes = json_array();
	json_array_foreach(json_object_get(all, "routes"), i, value) {
		if (is_ipv6(value, "dst") == ipv6)
			*failed = *failed ||
				  json_array_append_new(routes, old_route(value));
	}
	*failed = *failed || !routes;
	if (json_array_size(routes))
		*failed = *failed || json_object_set(out, "routes", routes);
	json_decref(routes);
	return out;
}

static json_t *say_old(enum cni_spec spec, const json_t *all)
{
	json_t *out = json_pack("{s:s}", "cniVersion", cni_spec_name(spec));
	json_t *dns = json_object_get(all, "dns");
	bool failed = !out;
	json_t *ip4 = old_family(all, false, &failed),
	       *ip6 = old_family(all, true, &failed);

	if (ip4)
		failed = failed || json_object_set(out, "ip4", ip4);
	if (ip6)
		failed = failed || json_object_set(out, "ip6", ip6);
	dns = dns ? json_incref(dns) : json_object();
	failed = json_object_set_new(out, "dns", dns) || failed;
	json_decref(ip4);
	json_decref(ip6);
	if (!failed)
		return out;
	json_decref(out);
	return NULL;
}

static int no_ip_fail(const struct cni_request *rq, struct vfk_err *err)
{
	return vfk_err_set(err, VFK_E_UNSUPPORTED, 0,
			   "cannot convert: no valid IP addresses (cniVersion %s cannot express "
			   "a result without one: set cniVersion to 0.3.1 or newer, or ipam)",
			   cni_spec_name(rq->spec));
}

char *cni_result(const struct cni_request *rq, const struct cni_link *link,
		 const struct cni_ipam *ipam, struct vfk_err *err)
{
	json_t *all = NULL, *out;
	char *text = NULL;

	if (put_together(rq, link, ipam, &all, err) < 0)
		return NULL;
	if (rq->spec <= CNI_0_2_0 && json_array_size(json_object_get(all, "ips")) == 0) {
		(void)no_ip_fail(rq, err);
		json_decref(all);
		return NULL;
	}
	if (rq->spec <= CNI_0_2_0)
		out = say_old(rq->spec, all);
	else if (rq->spec <= CNI_0_4_0)
		out = say_middle(rq->spec, all);
	else
		out = say_new(rq->spec, all);
	if (out)
		text = json_print(out, JSON_COMPACT);
	if (!text)
		(void)no_memory(err);
	json_decref(out);
	json_decref(all);
	return text;
}

/* VFK_E_DECODE: prevResult is no result.  '*n_ips' counts its addresses. */
static int check_prev(const json_t *in, size_t *n_ips, struct vfk_err *err)
{
	const json_t *interfaces = cni_json_find(in, "interfaces"), *one;
	json_t *prev = NULL;
	int rc = cni_result_normalise(in, true, &prev, err);
	size_t i;

	if (rc < 0) {
		/* Not the IPAM plugin's doing. */
		if (err && err->kind == VFK_E_IPAM)
			err->kind = VFK_E_DECODE;
		return vfk_err_wrap(err, "prevResult");
	}
	*n_ips = json_array_size(json_object_get(prev, "ips"));
	json_decref(prev);
	if (interfaces && !json_is_array(interfaces))
		return vfk_err_set(err, VFK_E_DECODE, 0,
				   "prevResult: interfaces is not an array");
	json_array_foreach(interfaces, i, one) {
		if (!json_is_object(one))
			return vfk_err_set(err, VFK_E_DECODE, 0,
					   "prevResult: interfaces entry is not an object");
	}
	return 0;
}

int cni_result_possible(const struct cni_request *rq, struct vfk_err *err)
{
	size_t n_ips = 0, len;
	int rc;

	if (rq->prev_result) {
		len = json_dumpb(rq->prev_result, NULL, 0, JSON_COMPACT);
		if (len > PREV_MAX)
			return vfk_err_set(err, VFK_E_LIMIT, 0,
					   "prevResult is %zu bytes long, at most %d are supported",
					   len, PREV_MAX);
		rc = check_prev(rq->prev_result, &n_ips, err);
		if (rc < 0)
			return rc;
	}
	if (rq->spec <= CNI_0_2_0 && !rq->ipam_type[0] && n_ips == 0)
		return no_ip_fail(rq, err);
	return 0;
}
