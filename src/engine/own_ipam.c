/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/own_ipam.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include "cni/cni_cidr.h"
#include "cni/cni_json.h"
#include "cni/json_print.h"

#define MAX_RANGES 64

/* --- the configuration --- */

struct reader {
	const struct cni_request *rq;
	struct cni_fail *fail;
	char at[80]; /* "ranges[0][1]." */
};

static bool refuse(struct reader *r, const char *fmt, ...) VFK_PRINTF(2, 3);
static bool refuse(struct reader *r, const char *fmt, ...)
{
	char msg[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	cni_fail_set(r->fail, 7, "%s%s", cni_conf_prefix(r->rq->dialect), msg);
	return false;
}

static bool bad(struct reader *r, const char *key, const json_t *value, const char *wanted)
{
	char show[CNI_SHOW_LEN];

	return refuse(r, "ipam.%s%s %s is not %s", r->at, key,
		      value ? cni_json_show(value, show) : "(none)", wanted);
}

/* An optional address within 'all'. */
static bool read_addr(struct reader *r, const json_t *obj, const char *key, uint8_t family,
		      const struct addr_span *all, addr_num *out, bool *has)
{
	const json_t *value = cni_json_find(obj, key);
	const char *text = cni_json_text(value);
	struct cni_cidr cidr;
	addr_num n;

	*has = value != NULL;
	if (!value)
		return true;
	if (!text || strchr(text, '/') || !cni_cidr_parse(text, true, &cidr) ||
	    cidr.family != family)
		return bad(r, key, value, "an address of the subnet's family");
	n = addr_to_num(family, cidr.addr);
	if (n < all->first || n > all->last)
		return bad(r, key, value, "an address of the subnet");
	*out = n;
	return true;
}

static void add_hole(struct addr_range *range, addr_num first, addr_num last)
{
	range->holes[range->n_holes++] = (struct addr_span){ first, last };
}

static bool read_exclude(struct reader *r, const json_t *obj, struct addr_range *range)
{
	const json_t *list = cni_json_find(obj, "exclude"), *value;
	struct cni_cidr cidr;
	size_t i;

	if (list && (!json_is_array(list) || json_array_size(list) > ADDR_MAX_EXCLUDES))
		return bad(r, "exclude", list, "an array of at most 32 subnets");
	json_array_foreach(list, i, value) {
		const char *text = cni_json_text(value);
		struct addr_span span;

		if (!text || !cni_cidr_parse(text, true, &cidr) ||
		    cidr.family != range->family)
			return bad(r, "exclude", value,
				   "a subnet or an address of the subnet's family");
		span = addr_all(&cidr);
		add_hole(range, span.first, span.last);
	}
	return true;
}

/* {"subnet", "rangeStart", "rangeEnd", "gateway", "exclude"}, as host-local has them. */
static bool read_range(struct reader *r, const json_t *obj, struct addr_range *range)
{
	const json_t *subnet = cni_json_find(obj, "subnet");
	const char *text = cni_json_text(subnet);
	struct cni_cidr cidr;
	struct addr_span all;
	bool has;

	if (!text || !cni_cidr_parse(text, false, &cidr))
		return bad(r, "subnet", subnet, "a subnet like 10.1.0.0/16");
	memset(range, 0, sizeof(*range));
	range->family = cidr.family;
	range->prefix_len = cidr.prefix_len;
	all = addr_all(&cidr);
	range->span = addr_usable(&cidr);
	range->gateway = range->span.first;
	if (!read_addr(r, obj, "gateway", cidr.family, &all, &range->gateway, &has))
		return false;
	/* A subnet of one or two addresses has none to spare for a gateway. */
	range->has_gateway = has || all.last - all.first > 1;
	if (range->has_gateway)
		add_hole(range, range->gateway, range->gateway);
	if (!read_addr(r, obj, "rangeStart", cidr.family, &all, &range->span.first, &has) ||
	    !read_addr(r, obj, "rangeEnd", cidr.family, &all, &range->span.last, &has) ||
	    !read_exclude(r, obj, range))
		return false;
	return range->span.first <= range->span.last ||
	       bad(r, "rangeEnd", cni_json_find(obj, "rangeEnd"),
		   "at or behind the beginning of the range");
}

static bool read_set(struct reader *r, struct own_ipam *own, const json_t *set, size_t index)
{
	struct addr_range *ranges = own->all + own->n_ranges;
	size_t n = json_is_array(set) ? json_array_size(set) : 1;

	if (n == 0 || own->n_ranges + n > MAX_RANGES || index >= REC_OWN_MAX) {
		r->at[0] = '\0';
		return bad(r, "ranges", NULL,
			   "at most 8 sets, of at most 64 ranges in all");
	}
	for (size_t i = 0; i < n; i++) {
		bool nested = json_is_array(set);

		if (nested)
			snprintf(r->at, sizeof(r->at), "ranges[%zu][%zu].", index, i);
		else
			snprintf(r->at, sizeof(r->at), "ranges[%zu].", index);
		if (!read_range(r, nested ? json_array_get(set, i) : set, &ranges[i]))
			return false;
		if (ranges[i].family != ranges[0].family)
			return bad(r, "subnet",
				   cni_json_find(nested ? json_array_get(set, i) : set,
						 "subnet"),
				   "of the family of its set");
	}
	own->sets[index].n = (unsigned)n;
	own->sets[index].ranges = ranges;
	own->n_ranges += (unsigned)n;
	own->n_sets++;
	return true;
}

/* "ranges": [[{...}, ...], ...] or [{...}, ...], or the members of one range directly. */
static bool read_ranges(struct reader *r, struct own_ipam *own, const json_t *ipam)
{
	const json_t *ranges = cni_json_find(ipam, "ranges"), *set;
	size_t i;

	if (!ranges) {
		if (!read_range(r, ipam, own->all))
			return false;
		own->sets[0].n = own->n_sets = own->n_ranges = 1;
		own->sets[0].ranges = own->all;
		return true;
	}
	if (!json_is_array(ranges) || json_array_size(ranges) == 0)
		return bad(r, "ranges", ranges, "an array of one range set or more");
	json_array_foreach(ranges, i, set)
		if (!read_set(r, own, set, i))
			return false;
	r->at[0] = '\0';
	return true;
}

/* This node's place: by its name in "nodes", else by the configuration file. */
static bool read_index(struct reader *r, const json_t *slice, const struct config *config,
		       uint64_t *index)
{
	const json_t *nodes = cni_json_find(slice, "nodes");
	struct utsname uts = { .nodename = "" };
	const char *name = config->node_name;
	int64_t n;

	if (!nodes) {
		if (config->node_slice == UINT_MAX)
			return refuse(r, "ipam.nodeSlice: this node has no place in it: set "
					 "node_slice in vfkeeper.conf, or name it in "
					 "nodeSlice.nodes");
		*index = config->node_slice;
		return true;
	}
	if (!json_is_object(nodes))
		return bad(r, "nodeSlice.nodes", nodes, "an object of names and numbers");
	if (!*name && uname(&uts) == 0)
		name = uts.nodename;
	/* Not cni_json_find: names of nodes are exact. */
	if (!json_object_get(nodes, name))
		return refuse(r,
			      "ipam.nodeSlice.nodes: node %.100s is not in it (node_name in "
			      "vfkeeper.conf)",
			      name);
	if (!cni_json_int(json_object_get(nodes, name), &n) || n < 0)
		return bad(r, "nodeSlice.nodes", json_object_get(nodes, name),
			   "a number from 0");
	*index = (uint64_t)n;
	return true;
}

static bool read_slice(struct reader *r, struct own_ipam *own, const json_t *ipam,
		       const struct config *config)
{
	const json_t *slice = cni_json_find(ipam, "nodeSlice");
	const json_t *count = cni_json_find(slice, "count");
	uint64_t index = 0;
	int64_t n;

	if (!slice)
		return true;
	if (!json_is_object(slice))
		return bad(r, "nodeSlice", slice, "an object");
	if (!cni_json_int(count, &n) || n < 1)
		return bad(r, "nodeSlice.count", count, "a number from 1");
	if (!read_index(r, slice, config, &index))
		return false;
	for (unsigned i = 0; i < own->n_ranges; i++) {
		if (addr_slice(&own->all[i].span, (uint64_t)n, index))
			continue;
		if (index >= (uint64_t)n)
			return refuse(r,
				      "ipam.nodeSlice: this node is number %" PRIu64
				      " (from 0) of %lld",
				      index, (long long)n);
		return refuse(r, "ipam.nodeSlice: a range has fewer than %lld addresses",
			      (long long)n);
	}
	return true;
}

/* The capability "ips", or args.cni.ips where that is not there. */
static bool read_requested(struct reader *r, struct own_ipam *own)
{
	const json_t *ips = cni_json_find2(r->rq->conf, "runtimeConfig", "ips"), *value;
	size_t i;

	if (!ips)
		ips = cni_json_find(cni_json_find2(r->rq->conf, "args", "cni"), "ips");
	if (!ips)
		return true;
	if (!json_is_array(ips) || json_array_size(ips) > own->n_sets)
		return refuse(r, "%zu addresses are requested, the ranges of ipam give %u",
			      json_array_size(ips), own->n_sets);
	json_array_foreach(ips, i, value) {
		const char *text = cni_json_text(value);

		if (!text || !cni_cidr_parse(text, true, &own->requested[i])) {
			char show[CNI_SHOW_LEN];

			return refuse(r, "requested address %s is none",
				      cni_json_show(value, show));
		}
		own->n_requested++;
	}
	return true;
}

struct own_ipam *own_ipam_parse(const struct cni_request *rq, const struct config *config,
				struct cni_fail *fail)
{
	struct own_ipam *own = calloc(1, sizeof(*own) + MAX_RANGES * sizeof(own->all[0]));
	const json_t *ipam = cni_json_find(rq->conf, "ipam");
	struct reader r = { .rq = rq, .fail = fail };

	if (!own) {
		cni_fail_set(fail, 11, "out of memory");
		return NULL;
	}
	own->routes = cni_json_find(ipam, "routes");
	own->dns = cni_json_find(ipam, "dns");
	if (read_ranges(&r, own, ipam) && read_slice(&r, own, ipam, config) &&
	    read_requested(&r, own))
		return own;
	free(own);
	return NULL;
}

/* --- giving --- */

static const addr_num *held_of(const struct own_held *held, uint8_t family, size_t *n)
{
	*n = family == AF_INET ? held->n_v4 : held->n_v6;
	return family == AF_INET ? held->v4 : held->v6;
}

static void put(struct rec_addr *out, uint8_t family, addr_num n)
{
	out->family = family;
	addr_from_num(family, n, out->addr);
}

enum found { IN_NO_RANGE, IS_HELD, IS_FREE };

/* Whether set 'i' can give this very address. */
static enum found look(const struct own_ipam *own, unsigned i,
		       const struct cni_cidr *want, const struct own_held *held)
{
	addr_num n = addr_to_num(want->family, want->addr);
	enum found best = IN_NO_RANGE;

	for (unsigned k = 0; k < own->sets[i].n; k++) {
		const struct addr_range *range = &own->sets[i].ranges[k];
		size_t n_held;
		const addr_num *list = held_of(held, range->family, &n_held);

		if (range->family != want->family || !addr_is_free(range, NULL, 0, n))
			continue;
		best = IS_HELD;
		if (addr_is_free(range, list, n_held, n))
			return IS_FREE;
	}
	return best;
}

/* Gives each requested address to a set that has it. */
static bool give_requested(const struct own_ipam *own, const struct own_held *held,
			   struct rec_addr out[REC_OWN_MAX], bool given[REC_OWN_MAX],
			   struct cni_fail *fail)
{
	for (unsigned q = 0; q < own->n_requested; q++) {
		const struct cni_cidr *want = &own->requested[q];
		enum found best = IN_NO_RANGE;
		char text[CNI_CIDR_TEXT];
		unsigned i;

		for (i = 0; i < own->n_sets && best != IS_FREE; i++) {
			enum found now = given[i] ? IN_NO_RANGE : look(own, i, want, held);

			best = now > best ? now : best;
		}
		if (best == IS_FREE) {
			given[i - 1] = true;
			put(&out[i - 1], want->family,
			    addr_to_num(want->family, want->addr));
			continue;
		}
		cni_fail_set(fail, best == IS_HELD ? 11 : 7,
			     best == IS_HELD ?
				     "requested address %s is held by another attachment" :
				     "requested address %s is in no range that this node gives",
			     cni_cidr_format(want, true, text));
		return false;
	}
	return true;
}

static bool is_taken(const struct rec_addr *out, const bool *given, unsigned n,
		     const struct rec_addr *addr)
{
	for (unsigned i = 0; i < n; i++)
		if (given[i] && !memcmp(&out[i], addr, sizeof(*addr)))
			return true;
	return false;
}

/* Any address of set 'i'.  Sets may overlap: what another one gave just now is passed over. */
static bool give_any(const struct own_ipam *own, unsigned i, const struct own_held *held,
		     uint64_t seed, struct rec_addr out[REC_OWN_MAX], const bool *given)
{
	for (unsigned k = 0; k < own->sets[i].n; k++) {
		const struct addr_range *range = &own->sets[i].ranges[k];
		size_t n_held;
		const addr_num *list = held_of(held, range->family, &n_held);
		struct addr_range rest = *range;
		struct rec_addr addr;
		addr_num n;

		/* At most all other sets have given one of this range. */
		for (unsigned tries = 0;
		     tries < REC_OWN_MAX && addr_pick(&rest, list, n_held, seed, &n);
		     tries++) {
			put(&addr, range->family, n);
			if (!is_taken(out, given, own->n_sets, &addr)) {
				out[i] = addr;
				return true;
			}
			if (tries + 1 < REC_OWN_MAX)
				add_hole(&rest, n, n);
		}
	}
	return false;
}

bool own_ipam_pick(const struct own_ipam *own, const struct own_held *held, uint64_t seed,
		   struct rec_addr out[REC_OWN_MAX], unsigned *n_out, struct cni_fail *fail)
{
	bool given[REC_OWN_MAX] = { false };
	char first[CNI_CIDR_TEXT], last[CNI_CIDR_TEXT];

	memset(out, 0, sizeof(*out) * REC_OWN_MAX);
	if (!give_requested(own, held, out, given, fail))
		return false;
	for (unsigned i = 0; i < own->n_sets; i++) {
		const struct addr_range *range = own->sets[i].ranges;
		struct cni_cidr from = { .family = range->family }, to = from;

		if (!given[i])
			given[i] = give_any(own, i, held, seed, out, given);
		if (given[i])
			continue;
		addr_from_num(range->family, range->span.first, from.addr);
		addr_from_num(range->family, range->span.last, to.addr);
		cni_fail_set(fail, 11,
			     "no address is free in %s to %s%s: all are held by attachments of "
			     "this node (vfctl list)",
			     cni_cidr_format(&from, true, first),
			     cni_cidr_format(&to, true, last),
			     own->sets[i].n > 1 ? " and the other ranges of its set" : "");
		return false;
	}
	*n_out = own->n_sets;
	return true;
}

/* --- the answer --- */

static const struct addr_range *range_of(const struct own_ipam *own, unsigned set,
					 const struct rec_addr *addr)
{
	addr_num n = addr_to_num(addr->family, addr->addr);

	for (unsigned k = 0; set < own->n_sets && k < own->sets[set].n; k++) {
		const struct addr_range *range = &own->sets[set].ranges[k];

		if (range->family == addr->family && addr_is_free(range, NULL, 0, n))
			return range;
	}
	return NULL;
}

static json_t *one_ip(const struct addr_range *range, const struct rec_addr *addr)
{
	struct cni_cidr cidr = { .family = addr->family, .prefix_len = range->prefix_len };
	struct cni_cidr gateway = { .family = addr->family };
	json_t *ip = json_object();
	char text[CNI_CIDR_TEXT];

	memcpy(cidr.addr, addr->addr, sizeof(cidr.addr));
	addr_from_num(addr->family, range->gateway, gateway.addr);
	if (!ip ||
	    json_object_set_new(ip, "address",
				json_string(cni_cidr_format(&cidr, false, text))) ||
	    (range->has_gateway &&
	     json_object_set_new(ip, "gateway",
				 json_string(cni_cidr_format(&gateway, true, text))))) {
		json_decref(ip);
		return NULL;
	}
	return ip;
}

char *own_ipam_answer(const struct own_ipam *own, const struct rec_addr *addrs, unsigned n)
{
	json_t *doc = json_object(), *ips = json_array();
	bool failed = !doc || !ips ||
		      json_object_set_new(doc, "cniVersion", json_string("1.1.0"));
	char *text;

	for (unsigned i = 0; i < n && !failed; i++) {
		const struct addr_range *range = range_of(own, i, &addrs[i]);

		failed = !range || json_array_append_new(ips, one_ip(range, &addrs[i]));
	}
	failed = failed || json_object_set(doc, "ips", ips) ||
		 (own->routes && json_object_set(doc, "routes", (json_t *)own->routes)) ||
		 (own->dns && json_object_set(doc, "dns", (json_t *)own->dns));
	text = failed ? NULL : json_print(doc, JSON_COMPACT);
	json_decref(ips);
	json_decref(doc);
	return text;
}
