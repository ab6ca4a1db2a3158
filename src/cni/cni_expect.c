/* SPDX-License-Identifier: Apache-2.0 */
/* What CHECK and GC read in their configuration: the result that has to be true still, and
 * the attachments that are valid. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cni/cni-internal.h"
#include "cni/json_print.h"

/* --- CHECK ---------------------------------------------------------------------- */

/* Our interface in a result: of our name, and in a container; -1: there is none. */
static json_int_t own_interface(const json_t *result, const char *ifname,
				const char *netns_path, const json_t **out)
{
	const json_t *list = cni_json_find(result, "interfaces"), *one;
	json_int_t found = -1;
	size_t i;

	json_array_foreach(list, i, one) {
		const char *name = cni_json_text(cni_json_find(one, "name"));
		const char *sandbox = cni_json_text(cni_json_find(one, "sandbox"));

		if (!name || strcmp(name, ifname) != 0 || !sandbox || !*sandbox)
			continue;
		/* Of two of that name, the one in this very namespace. */
		if (found >= 0 && strcmp(sandbox, netns_path) != 0)
			continue;
		found = (json_int_t)i;
		*out = one;
	}
	return found;
}

/* Fills hwaddr; false: it is no address of 6, 8 or 20 octets. */
static bool expect_mac(struct cni_expect *out, const char *text)
{
	static const unsigned lengths[] = { 6, 8, 20 };

	for (size_t i = 0; i < VFK_ARRAY_SIZE(lengths); i++) {
		if (!cni_octets(text, lengths[i], out->pod.hwaddr))
			continue;
		out->pod.hwaddr_len = (uint8_t)lengths[i];
		return true;
	}
	return false;
}

static void expect_ips(struct cni_expect *out, const json_t *ips, json_int_t index)
{
	const json_t *one, *at;
	struct cni_cidr cidr;
	size_t i;

	json_array_foreach(ips, i, one) {
		struct drv_ip *ip = &out->ips[out->n_ips];

		at = json_object_get(one, "interface");
		if (out->n_ips == DRV_MAX_IPS || !at || json_integer_value(at) != index ||
		    !cni_cidr_parse(json_string_value(json_object_get(one, "address")),
				    false, &cidr))
			continue;
		*ip = (struct drv_ip){ .family = cidr.family,
				       .prefix_len = cidr.prefix_len };
		memcpy(ip->addr, cidr.addr, sizeof(ip->addr));
		out->n_ips++;
	}
}

static void expect_routes(struct cni_expect *out, const json_t *routes)
{
	const json_t *one;
	struct cni_cidr cidr;
	size_t i;

	json_array_foreach(routes, i, one) {
		struct drv_route *r = &out->routes[out->n_routes];
		const char *gw = json_string_value(json_object_get(one, "gw"));

		if (out->n_routes == DRV_MAX_ROUTES ||
		    !cni_cidr_parse(json_string_value(json_object_get(one, "dst")), false,
				    &cidr))
			continue;
		*r = (struct drv_route){ .family = cidr.family,
					 .prefix_len = cidr.prefix_len };
		cni_mask(cidr.addr, cidr.prefix_len);
		memcpy(r->dst, cidr.addr, sizeof(r->dst));
		r->table = (uint32_t)json_integer_value(json_object_get(one, "table"));
		if (gw && cni_cidr_parse(gw, true, &cidr)) {
			memcpy(r->gateway, cidr.addr, sizeof(r->gateway));
			r->has_gateway = true;
		}
		out->n_routes++;
	}
}

int cni_expect(struct cni_expect *out, const struct cni_request *rq, const json_t *result,
	       struct vfk_err *err)
{
	const json_t *own = NULL, *mac;
	json_t *all = NULL;
	json_int_t index;
	int64_t mtu;
	int rc;

	memset(out, 0, sizeof(*out));
	rc = cni_result_normalise(result, true, &all, err);
	if (rc < 0)
		return rc;
	index = own_interface(result, rq->att.ifname, rq->netns_path, &own);
	if (index < 0) {
		json_decref(all);
		return vfk_err_set(err, VFK_E_NOTFOUND, 0, "it has no interface %s",
				   rq->att.ifname);
	}
	mac = cni_json_find(own, "mac");
	if (cni_json_text(mac) && *cni_json_text(mac) &&
	    !expect_mac(out, cni_json_text(mac)))
		rc = vfk_err_set(err, VFK_E_DECODE, 0,
				 "mac of interface %s is no hardware address",
				 rq->att.ifname);
	if (cni_json_int(cni_json_find(own, "mtu"), &mtu) && mtu > 0 && mtu <= UINT32_MAX)
		out->pod.mtu_bytes = (uint32_t)mtu;
	expect_ips(out, json_object_get(all, "ips"), index);
	expect_routes(out, json_object_get(all, "routes"));
	json_decref(all);
	return rc;
}

/* --- GC ------------------------------------------------------------------------- */

static int valid_cmp(const void *a, const void *b)
{
	const struct cni_valid_one *x = a, *y = b;
	int order = strcmp(x->container, y->container);

	return order ? order : strcmp(x->ifname, y->ifname);
}

static int wrong(struct cni_fail *fail, const char *key, size_t i, const char *what)
{
	cni_fail_set(fail, 7, "%s[%zu]: %s", key, i, what);
	return -1;
}

static int take_list(struct cni_valid *out, const char *key, const json_t *list,
		     struct cni_fail *fail)
{
	const json_t *one;
	size_t i;

	if (!json_is_array(list))
		return cni_fail_kind(fail, "", key, list, "an array");
	out->given = true;
	out->all = calloc(json_array_size(list) + 1, sizeof(*out->all));
	if (!out->all) {
		cni_fail_set(fail, 11, "out of memory");
		return -1;
	}
	json_array_foreach(list, i, one) {
		const json_t *container = cni_json_find(one, "containerID");
		const json_t *ifname = cni_json_find(one, "ifname");

		if (!json_is_object(one))
			return wrong(fail, key, i, "it is not an object");
		if (!cni_json_text(container) || !*cni_json_text(container))
			return wrong(fail, key, i, "containerID is not a string");
		if (!cni_json_text(ifname) || !*cni_json_text(ifname))
			return wrong(fail, key, i, "ifname is not a string");
		out->all[out->n++] = (struct cni_valid_one){ cni_json_text(container),
							     cni_json_text(ifname) };
	}
	qsort(out->all, out->n, sizeof(*out->all), valid_cmp);
	return 0;
}

int cni_valid_parse(struct cni_valid *out, const struct cni_request *rq,
		    struct cni_fail *fail)
{
	/* The second is what it was called before the specification had it. */
	static const char *const keys[] = { "cni.dev/valid-attachments",
					    "cni.dev/attachments" };

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < VFK_ARRAY_SIZE(keys); i++) {
		const json_t *list = cni_json_find(rq->conf, keys[i]);

		if (!list)
			continue;
		if (take_list(out, keys[i], list, fail) == 0)
			return 0;
		cni_valid_free(out);
		return -1;
	}
	return 0;
}

bool cni_valid_has(const struct cni_valid *valid, const struct attachment *att)
{
	const struct cni_valid_one key = { att->container, att->ifname };

	return valid->n &&
	       bsearch(&key, valid->all, valid->n, sizeof(key), valid_cmp) != NULL;
}

void cni_valid_free(struct cni_valid *valid)
{
	free(valid->all);
	memset(valid, 0, sizeof(*valid));
}

char *cni_valid_conf(const struct cni_request *rq, const struct attachment *all, size_t n)
{
	json_t *conf = json_copy(rq->conf), *list = json_array();
	char *text = NULL;

	for (size_t i = 0; list && i < n; i++) {
		if (json_array_append_new(list, json_pack("{s:s, s:s}", "containerID",
							  all[i].container, "ifname",
							  all[i].ifname)))
			goto out;
	}
	if (conf && list && !json_object_set(conf, "cni.dev/valid-attachments", list) &&
	    !json_object_set(conf, "cni.dev/attachments", list))
		text = json_print(conf, JSON_COMPACT);
out:
	json_decref(list);
	json_decref(conf);
	return text;
}
