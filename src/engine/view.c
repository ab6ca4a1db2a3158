/* SPDX-License-Identifier: Apache-2.0 */
/* A node as JSON. */
#include "engine/view-internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/octets.h"
#include "cni/json_print.h"
#include "drivers/driver.h"
#include "engine/cordon.h"
#include "engine/ctl_cmds.h"
#include "engine/plan.h"

/* --- small pieces --- */

/* Something was left out for want of memory, so that view_dump fails: half an answer would be
 * taken for a whole one.  One document at a time, one thread. */
static bool cut;

void view_set(json_t *obj, const char *key, json_t *value)
{
	if (json_object_set_new(obj, key, value ? value : json_null()))
		cut = true;
}

void view_append(json_t *list, json_t *value)
{
	if (json_array_append_new(list, value))
		cut = true;
}

json_t *view_time(int64_t wall_ns)
{
	char text[64];
	time_t s = (time_t)(wall_ns / NS_PER_S);
	struct tm tm;
	size_t len;

	if (wall_ns <= 0 || !gmtime_r(&s, &tm))
		return json_null();
	len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + len, sizeof(text) - len, ".%03dZ",
		 (int)(wall_ns % NS_PER_S / NS_PER_MS));
	return json_string(text);
}

json_t *view_addr(pci_addr_t addr)
{
	char text[PCI_STRLEN];

	return addr == PCI_NONE ? json_null() : json_string(pci_format(addr, text));
}

/* Names in records are bytes; JSON is UTF-8. */
json_t *view_str(const char *text)
{
	json_t *value;
	char plain[512];
	size_t i;

	if (!text || !text[0])
		return json_null();
	value = json_string(text);
	if (value)
		return value;
	for (i = 0; i < sizeof(plain) - 1 && text[i]; i++)
		plain[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
	plain[i] = '\0';
	return json_string(plain);
}

static json_t *guid(uint64_t value)
{
	char text[GUID_TEXT];

	return json_string(guid_format(value, text));
}

static json_t *octets(const uint8_t *bytes, size_t n)
{
	char text[OCTETS_TEXT];

	return json_string(octets_format(bytes, n, text, sizeof(text)));
}

json_t *view_owner(const struct attachment *owner)
{
	json_t *obj;

	if (attachment_none(owner))
		return json_null();
	obj = json_object();
	view_set(obj, "network", view_str(owner->network));
	view_set(obj, "container", view_str(owner->container));
	view_set(obj, "ifname", view_str(owner->ifname));
	return obj;
}

json_t *view_pod(const struct pod_ref *pod)
{
	json_t *obj;

	if (!pod->name[0])
		return json_null();
	obj = json_object();
	view_set(obj, "namespace", view_str(pod->ns));
	view_set(obj, "name", view_str(pod->name));
	return obj;
}

/* Bits of enum drv_step as names, in order: the names that drv_step_name gives, made from
 * the same list, so that a tool need not link the drivers. */
json_t *view_steps(uint32_t bits)
{
	static const char *const names[32] = {
#define X(name, bit, lock) [bit] = #name,
		DRV_STEPS(X)
#undef X
	};
	json_t *list = json_array();

	for (unsigned bit = 0; bit < 32; bit++) {
		char text[32];
		size_t n = 0;

		if (!(bits & (1u << bit)))
			continue;
		if (names[bit]) {
			for (; names[bit][n] && n < sizeof(text) - 1; n++)
				text[n] = (char)(names[bit][n] == '_' ?
							 '_' :
							 names[bit][n] | 0x20);
			text[n] = '\0';
		} else {
			snprintf(text, sizeof(text), "step %u", bit);
		}
		view_append(list, json_string(text));
	}
	return list;
}

/* --- a VF --- */

static json_t *settings(const struct vf_settings *set)
{
	static const char *const link_states[] = { "auto", "enable", "disable" };
	json_t *obj = json_object();
	char proto[16];

	if (set->has & HAS_LINK_STATE)
		view_set(obj, "link_state",
			 json_string(set->link_state < 3 ? link_states[set->link_state] :
							   "?"));
	if (set->has & HAS_NODE_GUID)
		view_set(obj, "node_guid", guid(set->node_guid));
	if (set->has & HAS_PORT_GUID)
		view_set(obj, "port_guid", guid(set->port_guid));
	if (set->has & HAS_MAC)
		view_set(obj, "mac", octets(set->mac, 6));
	if (set->has & HAS_VLAN) {
		snprintf(proto, sizeof(proto), "0x%04x", set->vlan_proto);
		view_set(obj, "vlan", json_integer(set->vlan));
		view_set(obj, "qos", json_integer(set->qos));
		view_set(obj, "vlan_proto", json_string(proto));
	}
	if (set->has & HAS_MIN_TX)
		view_set(obj, "min_tx_mbps", json_integer(set->min_tx_mbps));
	if (set->has & HAS_MAX_TX)
		view_set(obj, "max_tx_mbps", json_integer(set->max_tx_mbps));
	if (set->has & HAS_SPOOFCHK)
		view_set(obj, "spoofchk", json_boolean(set->spoofchk));
	if (set->has & HAS_TRUST)
		view_set(obj, "trust", json_boolean(set->trust));
	if (set->has & HAS_MTU)
		view_set(obj, "mtu", json_integer(set->mtu_bytes));
	if (set->has & HAS_ALLMULTI)
		view_set(obj, "allmulti", json_boolean(set->allmulti));
	if (set->has & HAS_PROMISC)
		view_set(obj, "promisc", json_boolean(set->promisc));
	if (set->has & HAS_IPOIB_MODE)
		view_set(obj, "ipoib_mode",
			 json_string(set->ipoib_mode ? "connected" : "datagram"));
	if (set->has & HAS_PKEY)
		view_set(obj, "pkey", json_integer(set->pkey));
	if (set->has & HAS_RDMA_ISOLATION)
		view_set(obj, "rdma_isolation", json_boolean(set->rdma_isolation));
	if (set->has & HAS_SCRUB)
		view_set(obj, "scrub", json_string(set->scrub ? "flr" : "none"));
	return obj;
}

static json_t *baseline(const struct vf_baseline *b)
{
	json_t *obj;

	if (!b->valid)
		return json_null();
	obj = settings(&b->set);
	view_set(obj, "netdev", view_str(b->ifname));
	view_set(obj, "driver", view_str(b->driver));
	view_set(obj, "rdma_device", view_str(b->rdma_dev));
	view_set(obj, "hwaddr", b->hwaddr_len ? octets(b->hwaddr, b->hwaddr_len) : NULL);
	return obj;
}

/* What the VF answers to now: the wish of its owner, else its baseline. */
static json_t *current(const struct rec_vf *rec, uint32_t bit)
{
	const struct vf_settings *set = &rec->baseline.set;

	if (!attachment_none(&rec->owner) && (rec->wanted.has & bit))
		set = &rec->wanted;
	else if (!rec->baseline.valid) /* what is kept of an earlier incarnation */
		return json_null();
	if (!(set->has & bit))
		return json_null();
	if (bit == HAS_MAC)
		return octets(set->mac, 6);
	return guid(bit == HAS_PORT_GUID ? set->port_guid : set->node_guid);
}

static int64_t age_s(const struct view *v, int64_t since_wall_ns)
{
	int64_t age_ns = v->wall_ns - since_wall_ns;

	return age_ns > 0 ? age_ns / NS_PER_S : 0;
}

/* Seconds until 'at_boot_ns', which is only known to a running engine. */
static json_t *due(const struct view *v, int64_t at_boot_ns)
{
	if (!v->live || at_boot_ns == 0)
		return json_null();
	return json_real(at_boot_ns > v->boot_ns ?
				 (double)((at_boot_ns - v->boot_ns) / NS_PER_MS) / 1000.0 :
				 0.0);
}

static size_t queue_length(const struct vf *vf)
{
	size_t n = 0;

	list_each(it, &vf->queue)
		n++;
	return n;
}

static json_t *own_addresses(const struct rec_vf *rec)
{
	json_t *list = rec->n_own ? json_array() : NULL;
	char text[INET6_ADDRSTRLEN];

	for (unsigned i = 0; i < rec->n_own; i++)
		if (inet_ntop(rec->own[i].family, rec->own[i].addr, text, sizeof(text)))
			view_append(list, json_string(text));
	return list;
}

json_t *view_vf(const struct view *v, const struct vf *vf)
{
	const struct rec_vf *rec = &vf->rec;
	const struct pf *pf = node_pf(v->node, rec->pf);
	const struct rec_cordon *cordon = cordon_of(v->node, rec);
	json_t *obj = json_object();

	view_set(obj, "address", view_addr(rec->addr));
	view_set(obj, "pf", view_addr(rec->pf));
	view_set(obj, "pf_netdev", pf ? view_str(pf->ifname) : NULL);
	view_set(obj, "index", json_integer(rec->index));
	view_set(obj, "driver", view_str(rec->driver));
	view_set(obj, "state", json_string(vf_state_name((enum vf_state)rec->state)));
	view_set(obj, "since", view_time(rec->since_wall_ns));
	view_set(obj, "age_s",
		 rec->since_wall_ns ? json_integer(age_s(v, rec->since_wall_ns)) : NULL);
	view_set(obj, "pod", view_pod(&rec->pod));
	view_set(obj, "owner", view_owner(&rec->owner));
	view_set(obj, "netdev", view_str(rec->baseline.ifname));
	view_set(obj, "guid",
		 current(rec, rec->wanted.has & HAS_PORT_GUID ||
					      rec->baseline.set.has & HAS_PORT_GUID ?
				      HAS_PORT_GUID :
				      HAS_NODE_GUID));
	view_set(obj, "mac", current(rec, HAS_MAC));
	view_set(obj, "own_addresses", own_addresses(rec));
	view_set(obj, "lease",
		 rec->lease_id ? json_integer((json_int_t)rec->lease_id) : NULL);
	view_set(obj, "foreign", json_boolean(rec->foreign));
	view_set(obj, "cordoned",
		 cordon ? json_string(cordon_scope_name(cordon->scope)) : NULL);
	view_set(obj, "cordon_reason", cordon ? view_str(cordon->reason) : NULL);
	view_set(obj, "reason", view_str(rec->reason));
	if (v->live) {
		view_set(obj, "busy", json_boolean(vf->job != NULL));
		view_set(obj, "stuck", json_boolean(vf->stuck));
		view_set(obj, "waiting", json_integer((json_int_t)queue_length(vf)));
		view_set(obj, "retry_in_s", due(v, vf->retry_at_ns));
	}
	return obj;
}

json_t *view_list(const struct view *v)
{
	json_t *doc = json_object(), *list = json_array();

	for (size_t i = 0; i < v->node->n_vfs; i++)
		view_append(list, view_vf(v, v->node->vfs[i]));
	view_set(doc, "vfs", list);
	return doc;
}

static json_t *plan(const struct rec_vf *rec)
{
	json_t *obj;

	if (rec->plan == PLAN_NONE)
		return json_null();
	obj = json_object();
	view_set(obj, "kind", json_string(rec->plan == PLAN_ATTACH ? "attach" : "detach"));
	view_set(obj, "begun", view_steps(rec->begun));
	view_set(obj, "done", view_steps(rec->done));
	view_set(obj, "to_undo", view_steps(rec->touched));
	view_set(obj, "attempts", json_integer(rec->attempts));
	return obj;
}

static json_t *last_record(const struct rec_meta *meta, const char *event)
{
	json_t *obj = json_object();

	view_set(obj, "event", json_string(event));
	view_set(obj, "time", view_time(meta->wall_ns));
	view_set(obj, "cause", json_string(cause_kind_name(meta->cause)));
	view_set(obj, "cause_text", view_str(meta->cause_text));
	view_set(obj, "boot_id", view_str(meta->boot_id));
	return obj;
}

static json_t *lease(const struct view *v, const struct lease *l)
{
	const struct rec_lease *rec = &l->rec;
	json_t *obj = json_object();

	view_set(obj, "id", json_integer((json_int_t)rec->id));
	view_set(obj, "state", json_string(lease_state_name((enum lease_state)rec->state)));
	view_set(obj, "plugin", view_str(rec->plugin));
	view_set(obj, "pod", view_pod(&rec->pod));
	view_set(obj, "owner", view_owner(&rec->owner));
	view_set(obj, "vf", view_addr(rec->vf));
	view_set(obj, "asked", view_time(rec->asked_wall_ns));
	view_set(obj, "age_s",
		 rec->asked_wall_ns ? json_integer(age_s(v, rec->asked_wall_ns)) : NULL);
	view_set(obj, "attempts", json_integer(rec->attempts));
	view_set(obj, "last_error", view_str(rec->last_error));
	view_set(obj, "last",
		 last_record(&rec->meta, lease_event_name((enum lease_event)rec->event)));
	if (v->live) {
		view_set(obj, "paying", json_boolean(l->paying));
		view_set(obj, "retry_in_s", due(v, l->retry_at_ns));
	}
	return obj;
}

json_t *view_leases(const struct view *v)
{
	json_t *doc = json_object(), *list = json_array();

	list_each(it, &v->node->leases)
		view_append(list, lease(v, list_entry(it, struct lease, link)));
	view_set(doc, "leases", list);
	return doc;
}

json_t *view_show(const struct view *v, const struct vf *vf)
{
	const struct rec_vf *rec = &vf->rec;
	const struct lease *l = rec->lease_id ? node_lease(v->node, rec->lease_id) : NULL;
	json_t *obj = view_vf(v, vf);

	view_set(obj, "plan", plan(rec));
	view_set(obj, "lease", l ? lease(v, l) : NULL);
	view_set(obj, "wanted", settings(&rec->wanted));
	view_set(obj, "baseline", baseline(&rec->baseline));
	/* A number that is only compared: all 64 bits, which JSON readers may not keep. */
	view_set(obj, "incarnation",
		 json_sprintf("0x%llx", (unsigned long long)rec->incarnation));
	view_set(obj, "ifindex", rec->ifindex ? json_integer(rec->ifindex) : NULL);
	view_set(obj, "netns_cookie",
		 rec->netns_cookie ? json_integer((json_int_t)rec->netns_cookie) : NULL);
	view_set(obj, "last",
		 last_record(&rec->meta, vf_event_name((enum vf_event)rec->event)));
	if (v->live)
		view_set(obj, "verified", json_boolean(vf->verified));
	return obj;
}

/* --- the node --- */

static json_t *count_states(const struct view *v)
{
	json_t *obj = json_object();

#define X(name, value)                                                                   \
	{                                                                                \
		json_int_t n = 0;                                                        \
                                                                                         \
		for (size_t i = 0; i < v->node->n_vfs; i++)                              \
			n += v->node->vfs[i]->rec.state == VF_##name;                    \
		view_set(obj, #name, json_integer(n));                                   \
	}
	VF_STATES(X)
#undef X
	return obj;
}

static json_t *count_leases(const struct view *v)
{
	json_t *obj = json_object();

#define X(name, value)                                                                   \
	if (LEASE_##name != LEASE_NONE) {                                                \
		json_int_t n = 0;                                                        \
                                                                                         \
		list_each(it, &v->node->leases)                                          \
			n += list_entry(it, struct lease, link)->rec.state ==            \
			     LEASE_##name;                                               \
		view_set(obj, #name, json_integer(n));                                   \
	}
	LEASE_STATES(X)
#undef X
	return obj;
}

static json_t *pfs(const struct view *v)
{
	json_t *list = json_array();

	for (size_t i = 0; i < v->node->n_pfs; i++) {
		const struct pf *pf = &v->node->pfs[i];
		json_t *obj = json_object(), *ports = json_array();

		view_set(obj, "address", view_addr(pf->addr));
		view_set(obj, "netdev", view_str(pf->ifname));
		view_set(obj, "driver", view_str(pf->driver));
		view_set(obj, "n_vfs", json_integer(pf->n_vfs));
		for (unsigned p = 0; p < pf->n_ports && p < VFK_ARRAY_SIZE(pf->ports); p++)
			view_append(ports, json_string(port_state_name(pf->ports[p])));
		view_set(obj, "ports", ports);
		view_append(list, obj);
	}
	return list;
}

json_t *view_ports(const struct view *v)
{
	json_t *doc = json_object(), *list = json_array();

	for (size_t i = 0; i < v->node->n_pfs; i++) {
		const struct pf *pf = &v->node->pfs[i];
		const struct rec_cordon *cordon = cordon_get(v->node, CORDON_NODE, 0);

		if (!cordon)
			cordon = cordon_get(v->node, CORDON_PF, pf->addr);

		for (unsigned p = 0; p < pf->n_ports && p < VFK_ARRAY_SIZE(pf->ports); p++) {
			json_t *obj = json_object();

			view_set(obj, "pf", view_addr(pf->addr));
			view_set(obj, "pf_netdev", view_str(pf->ifname));
			view_set(obj, "port", json_integer((json_int_t)p + 1));
			view_set(obj, "state", json_string(port_state_name(pf->ports[p])));
			view_set(obj, "driver", view_str(pf->driver));
			view_set(obj, "n_vfs", json_integer(pf->n_vfs));
			view_set(obj, "cordoned", json_boolean(cordon != NULL));
			view_set(obj, "cordon_reason",
				 cordon ? view_str(cordon->reason) : NULL);
			view_append(list, obj);
		}
	}
	view_set(doc, "ports", list);
	return doc;
}

json_t *view_cordons(const struct view *v)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < v->node->rec.n_cordons; i++) {
		const struct rec_cordon *c = &v->node->rec.cordons[i];
		json_t *obj = json_object();

		view_set(obj, "scope", json_string(cordon_scope_name(c->scope)));
		view_set(obj, "address",
			 c->scope == CORDON_NODE ? NULL : view_addr(c->addr));
		view_set(obj, "since", view_time(c->since_wall_ns));
		view_set(obj, "age_s", json_integer(age_s(v, c->since_wall_ns)));
		view_set(obj, "reason", view_str(c->reason));
		view_append(list, obj);
	}
	return list;
}

static json_t *event_sources(const struct event_count *counts)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < N_EVENT_SOURCES; i++) {
		json_t *one = json_object();

		view_set(one, "source", json_string(event_source_name(i)));
		view_set(one, "open", json_boolean(counts[i].open));
		view_set(one, "events", json_integer((json_int_t)counts[i].n));
		view_set(one, "overruns", json_integer((json_int_t)counts[i].n_overruns));
		view_set(one, "why", view_str(counts[i].why));
		view_append(list, one);
	}
	return list;
}

static json_t *engine_facts(const struct view *v)
{
	const struct view_status *s = v->status;
	json_t *obj = json_object();

	view_set(obj, "mode", json_string(s->mode ? s->mode : "none"));
	view_set(obj, "version", view_str(s->version));
	view_set(obj, "pid", s->pid ? json_integer(s->pid) : NULL);
	view_set(obj, "uptime_s",
		 s->started_boot_ns ?
			 json_integer((v->boot_ns - s->started_boot_ns) / NS_PER_S) :
			 NULL);
	view_set(obj, "boot_id", view_str(s->boot_id));
	if (!v->live)
		return obj;
	view_set(obj, "discovered", json_boolean(s->discovered));
	view_set(obj, "jobs_running", json_integer(s->n_jobs_running));
	view_set(obj, "jobs_waiting", json_integer(s->n_jobs_waiting));
	view_set(obj, "requests", json_integer(s->n_requests));
	view_set(obj, "clients", json_integer(s->n_clients));
	view_set(obj, "refused_events", json_integer((json_int_t)s->n_dropped_events));
	view_set(obj, "looks", json_integer((json_int_t)s->n_looks));
	view_set(obj, "port_changes", json_integer((json_int_t)s->n_port_changes));
	view_set(obj, "port_failures", json_integer((json_int_t)s->n_port_failures));
	return obj;
}

/* What an operator should know though ADDs are served. */
static json_t *warnings(const struct view *v)
{
	json_t *list = json_array();
	char addr[PCI_STRLEN], text[128];

	for (size_t i = 0; i < v->node->n_pfs; i++) {
		const struct pf *pf = &v->node->pfs[i];

		for (unsigned p = 0; p < pf->n_ports && p < VFK_ARRAY_SIZE(pf->ports); p++) {
			if (pf->ports[p] == PORT_ACTIVE || pf->ports[p] == PORT_UNKNOWN)
				continue;
			snprintf(text, sizeof(text), "port %u of PF %s%s%s%s is %s: %s",
				 p + 1, pci_format(pf->addr, addr),
				 pf->ifname[0] ? " (" : "", pf->ifname,
				 pf->ifname[0] ? ")" : "", port_state_name(pf->ports[p]),
				 pf->ports[p] == PORT_FATAL ?
					 "no ADD is served on its VFs" :
					 "its VFs have no network behind it");
			view_append(list, view_str(text));
		}
	}
	return list;
}

json_t *view_status(const struct view *v)
{
	const struct view_status *s = v->status;
	bool broken = s->broken && s->broken[0];
	json_t *doc = json_object(), *journal = json_object();

	view_set(doc, "engine", engine_facts(v));
	view_set(journal, "verdict", view_str(s->journal));
	view_set(journal, "works",
		 v->live ? json_boolean(!broken && !s->journal_failed) : NULL);
	view_set(journal, "broken", broken ? view_str(s->broken) : NULL);
	view_set(journal, "records_missing", json_boolean(v->node->rec.records_missing));
	view_set(journal, "missing_reason",
		 v->node->rec.records_missing ? view_str(v->node->rec.missing_reason) :
						NULL);
	view_set(journal, "last_seq", json_integer((json_int_t)s->last_seq));
	view_set(journal, "durable_upto", json_integer((json_int_t)s->durable_upto));
	view_set(doc, "journal", journal);
	view_set(doc, "vfs", count_states(v));
	view_set(doc, "leases", count_leases(v));
	view_set(doc, "pfs", pfs(v));
	view_set(doc, "cordons", view_cordons(v));
	view_set(doc, "warnings", warnings(v));
	if (s->events)
		view_set(doc, "events", event_sources(s->events));
	return doc;
}

int view_dump(json_t *doc, char **json, struct vfk_err *err)
{
	char *text = doc && !cut ? json_print(doc, JSON_INDENT(2)) : NULL;
	size_t len = text ? strlen(text) : 0;
	char *longer = text ? realloc(text, len + 2) : NULL;

	json_decref(doc);
	cut = false;
	if (!longer) {
		free(text);
		return vfk_err_set(err, VFK_E_NOMEM, 0, "no memory for the answer");
	}
	memcpy(longer + len, "\n", 2);
	*json = longer;
	return 0;
}

int view_command(const struct view *v, const struct ctl_request *rq, char **json,
		 struct vfk_err *err)
{
	const struct ctl_cmd *cmd = ctl_cmd_find(rq->command);
	const char *words[CTL_MAX_ARGS];
	const struct vf *vf;
	json_t *doc;
	int rc;

	if (!cmd)
		return vfk_err_set(err, VFK_E_UNSUPPORTED, 0, "unknown command %s",
				   rq->command);
	for (unsigned i = 0; i < rq->n_args && i < CTL_MAX_ARGS; i++)
		words[i] = rq->args[i];
	switch (cmd->id) {
	case CTL_CMD_LIST:
		return view_dump(view_list(v), json, err);
	case CTL_CMD_LEASES:
		return view_dump(view_leases(v), json, err);
	case CTL_CMD_STATUS:
		return view_dump(view_status(v), json, err);
	case CTL_CMD_PORTS:
		return view_dump(view_ports(v), json, err);
	case CTL_CMD_VERSION:
		doc = json_object();
		view_set(doc, "engine", engine_facts(v));
		return view_dump(doc, json, err);
	case CTL_CMD_SHOW:
		rc = view_find(v->node, words, rq->n_args, &vf, err);
		return rc < 0 ? rc : view_dump(view_show(v, vf), json, err);
	case CTL_CMD_EXPLAIN:
	case CTL_CMD_IMPORT:
	case CTL_CMD_EXPORT:
	case CTL_CMD_DOCTOR:
	case CTL_CMD_LOG:
	case CTL_CMD_HISTORY:
	case CTL_CMD_WATCH:
	case CTL_CMD_RELEASE:
	case CTL_CMD_RETRY:
	case CTL_CMD_CORDON:
	case CTL_CMD_UNCORDON:
	case CTL_CMD_RECONCILE:
	case CTL_CMD_FSM:
	case CTL_CMD_HELP:
	case CTL_CMD_PING:
	case CTL_CMD_GIVE_WAY:
	case CTL_CMD_REPLAY_APPLY:
	case CTL_CMD_IMPORT_DONE:
	case CTL_CMD_EXPORT_LIST:
	case CTL_CMD_EXPORT_DONE:
	case CTL_N_CMDS:
		break;
	}
	return vfk_err_set(err, VFK_E_UNSUPPORTED, 0, "%s is not answered here", cmd->name);
}
