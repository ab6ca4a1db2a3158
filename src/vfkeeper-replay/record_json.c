/* SPDX-License-Identifier: Apache-2.0 */
/* The objects of vfkeeper-replay(8), JSON.  What is 0, empty or unknown is left out, except
 * in the head. */
#include <jansson.h>

#include "base/octets.h"
#include "engine/cordon.h"
#include "engine/plan.h"
#include "fsm/lease.h"
#include "fsm/vf.h"
#include "vfkeeper-replay/record.h"

/* A missing value shows as a failure of the whole object, at its end. */
static void set(json_t *obj, const char *key, json_t *value)
{
	json_object_set_new(obj, key, value);
}

static void set_text(json_t *obj, const char *key, const char *text)
{
	/* A text that was cut within a character, or is not UTF-8: byte by byte. */
	json_t *value = text[0] ? json_string(text) : NULL;
	char safe[1024];
	size_t n = 0;

	if (!text[0])
		return;
	if (!value) {
		for (; *text && n + 1 < sizeof(safe); text++)
			safe[n++] = (unsigned char)*text < 0x80 ? *text : '?';
		safe[n] = '\0';
		value = json_string(safe);
	}
	set(obj, key, value);
}

static void set_int(json_t *obj, const char *key, uint64_t value)
{
	if (value)
		set(obj, key, json_integer((json_int_t)value));
}

static void set_true(json_t *obj, const char *key, bool value)
{
	if (value)
		set(obj, key, json_true());
}

/* 64 bits of which all may be set do not fit into the numbers of most readers. */
static void set_hex(json_t *obj, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%016llx", (unsigned long long)value);
	set(obj, key, json_string(text));
}

static void set_octets(json_t *obj, const char *key, const uint8_t *octets, unsigned n)
{
	char text[3 * REC_OWN_BYTES + 2];

	set_text(obj, key, octets_format(octets, n, text, sizeof(text)));
}

static void set_guid(json_t *obj, const char *key, uint64_t guid)
{
	char text[GUID_TEXT];

	set_text(obj, key, guid_format(guid, text));
}

static void set_addr(json_t *obj, const char *key, pci_addr_t addr)
{
	char text[PCI_STRLEN];

	if (addr != PCI_NONE)
		set(obj, key, json_string(pci_format(addr, text)));
}

static void set_nonce(json_t *obj, const struct frame_nonce *nonce)
{
	char text[40];

	if (!nonce->hi && !nonce->lo)
		return;
	snprintf(text, sizeof(text), "%016llx%016llx", (unsigned long long)nonce->hi,
		 (unsigned long long)nonce->lo);
	set(obj, "nonce", json_string(text));
}

static void set_steps(json_t *obj, const char *key, uint32_t bits)
{
	json_t *names;

	if (!bits)
		return;
	names = json_array();
	for (unsigned i = 0; i < 32; i++)
		if (bits & (1u << i))
			json_array_append_new(names,
					      json_string(drv_step_name((enum drv_step)i)));
	set(obj, key, names);
}

static void set_owner(json_t *obj, const struct attachment *owner, const struct pod_ref *pod)
{
	json_t *o = json_object();

	set_text(o, "network", owner->network);
	set_text(o, "container", owner->container);
	set_text(o, "ifname", owner->ifname);
	set_text(o, "pod_namespace", pod->ns);
	set_text(o, "pod_name", pod->name);
	if (json_object_size(o))
		set(obj, "owner", o);
	else
		json_decref(o);
}

static void set_meta(json_t *obj, const struct rec_meta *meta)
{
	char when[RECORD_TIME_LEN];

	if (meta->wall_ns)
		set_text(obj, "time", record_time(meta->wall_ns, when));
	set_int(obj, "boot_ns", (uint64_t)meta->boot_ns);
	set_text(obj, "boot_id", meta->boot_id);
	set_text(obj, "cause", cause_kind_name(meta->cause));
	set_text(obj, "cause_text", meta->cause_text);
}

static json_t *settings(const struct vf_settings *s)
{
	static const char *const links[] = { "auto", "enable", "disable" };
	json_t *o = json_object();

	if (s->has & HAS_LINK_STATE)
		set_text(o, "link_state", links[s->link_state < 3 ? s->link_state : 0]);
	if (s->has & HAS_NODE_GUID)
		set_guid(o, "node_guid", s->node_guid);
	if (s->has & HAS_PORT_GUID)
		set_guid(o, "port_guid", s->port_guid);
	if (s->has & HAS_MAC)
		set_octets(o, "mac", s->mac, sizeof(s->mac));
	if (s->has & HAS_VLAN) {
		set(o, "vlan", json_integer(s->vlan));
		set(o, "qos", json_integer(s->qos));
		set(o, "vlan_proto", json_integer(s->vlan_proto));
	}
	if (s->has & HAS_MIN_TX)
		set(o, "min_tx_mbps", json_integer(s->min_tx_mbps));
	if (s->has & HAS_MAX_TX)
		set(o, "max_tx_mbps", json_integer(s->max_tx_mbps));
	if (s->has & HAS_SPOOFCHK)
		set(o, "spoofchk", json_boolean(s->spoofchk));
	if (s->has & HAS_TRUST)
		set(o, "trust", json_boolean(s->trust));
	if (s->has & HAS_MTU)
		set(o, "mtu", json_integer(s->mtu_bytes));
	if (s->has & HAS_ALLMULTI)
		set(o, "allmulti", json_boolean(s->allmulti));
	if (s->has & HAS_PROMISC)
		set(o, "promisc", json_boolean(s->promisc));
	if (s->has & HAS_IPOIB_MODE)
		set_text(o, "ipoib_mode", s->ipoib_mode ? "connected" : "datagram");
	if (s->has & HAS_PKEY)
		set(o, "pkey", json_integer(s->pkey));
	if (s->has & HAS_RDMA_ISOLATION)
		set(o, "rdma_isolation", json_boolean(s->rdma_isolation));
	if (s->has & HAS_SCRUB)
		set_text(o, "scrub", s->scrub ? "flr" : "none");
	return o;
}

static void set_baseline(json_t *obj, const struct vf_baseline *b)
{
	json_t *o;

	if (!b->valid && !b->set.has)
		return;
	o = settings(&b->set);
	set_text(o, "ifname", b->ifname);
	set_text(o, "driver", b->driver);
	set_text(o, "rdma_dev", b->rdma_dev);
	set_octets(o, "hwaddr", b->hwaddr, b->hwaddr_len);
	set(obj, b->valid ? "baseline" : "former", o);
}

static void fill_vf(json_t *obj, const struct rec_vf *r)
{
	static const char *const plans[] = { "", "attach", "detach" };
	char when[RECORD_TIME_LEN];
	uint8_t own[REC_OWN_BYTES] = { 0 };

	set_addr(obj, "vf", r->addr);
	if (r->event) {
		set_text(obj, "from", vf_state_name(r->from));
		set_text(obj, "event", vf_event_name(r->event));
	}
	set_text(obj, "state", vf_state_name(r->state));
	set_true(obj, "foreign", r->foreign);
	set_meta(obj, &r->meta);
	set_addr(obj, "pf", r->pf);
	set(obj, "index", json_integer(r->index));
	set_text(obj, "driver", r->driver);
	set_int(obj, "incarnation", r->incarnation);
	set_owner(obj, &r->owner, &r->pod);
	set_int(obj, "attach_seq", r->attach_seq);
	set_nonce(obj, &r->nonce);
	set_int(obj, "client_start_ns", r->client_start_ns);
	set_int(obj, "netns_cookie", r->netns_cookie);
	if (r->nsid >= 0)
		set(obj, "nsid", json_integer(r->nsid));
	if (r->since_wall_ns)
		set_text(obj, "since", record_time(r->since_wall_ns, when));
	set_text(obj, "plan", plans[r->plan < 3 ? r->plan : 0]);
	set_steps(obj, "begun", r->begun);
	set_steps(obj, "done", r->done);
	set_steps(obj, "touched", r->touched);
	set_int(obj, "attempts", r->attempts);
	if (r->wanted.has)
		set(obj, "wanted", settings(&r->wanted));
	set_baseline(obj, &r->baseline);
	set_int(obj, "ifindex", r->ifindex);
	set_int(obj, "lease", r->lease_id);
	set_int(obj, "request_blob", r->request_blob);
	set_int(obj, "result_blob", r->result_blob);
	set_text(obj, "reason", r->reason);
	set_octets(obj, "own_addresses", own, (unsigned)codec_own_put(r, own));
}

static void fill_lease(json_t *obj, const struct rec_lease *r)
{
	char when[RECORD_TIME_LEN];

	set(obj, "lease", json_integer((json_int_t)r->id));
	set_text(obj, "from", lease_state_name(r->from));
	set_text(obj, "event", lease_event_name(r->event));
	set_text(obj, "state", lease_state_name(r->state));
	set_meta(obj, &r->meta);
	set_owner(obj, &r->owner, &r->pod);
	set_addr(obj, "vf", r->vf);
	set_nonce(obj, &r->nonce);
	set_text(obj, "plugin", r->plugin);
	set_int(obj, "request_blob", r->request_blob);
	set_int(obj, "attempts", r->attempts);
	if (r->asked_wall_ns)
		set_text(obj, "asked", record_time(r->asked_wall_ns, when));
	set_text(obj, "error", r->last_error);
}

static json_t *head(const struct journal_record *raw)
{
	json_t *obj = json_object();

	set(obj, "seq", json_integer((json_int_t)raw->seq));
	set(obj, "file", json_integer(raw->file));
	set(obj, "offset",
	    json_integer((json_int_t)(raw->offset - JOURNAL_RECORD_BYTES(0))));
	set(obj, "bytes", json_integer((json_int_t)JOURNAL_RECORD_BYTES(raw->len_bytes)));
	set_hex(obj, "generation", raw->generation);
	set(obj, "durable_upto", json_integer((json_int_t)raw->durable_upto));
	set(obj, "snapshot", json_boolean(raw->in_snapshot));
	set_text(obj, "type", record_type_name(raw->type));
	return obj;
}

static int print(FILE *out, json_t *obj, struct vfk_err *err)
{
	int rc = obj ? json_dumpf(obj, out, JSON_COMPACT) : -1;

	json_decref(obj);
	if (rc < 0 && !ferror(out))
		return vfk_err_set(err, VFK_E_NOMEM, 0, "print a record");
	putc('\n', out);
	return 0;
}

static void fill_cordons(json_t *obj, const struct rec_node *rec)
{
	json_t *list = rec->n_cordons ? json_array() : NULL;

	for (unsigned i = 0; i < rec->n_cordons; i++) {
		const struct rec_cordon *c = &rec->cordons[i];
		char addr[PCI_STRLEN], when[RECORD_TIME_LEN];
		json_t *one = json_object();

		set_text(one, "scope", c->scope ? cordon_scope_name(c->scope) : "");
		if (c->addr)
			set_text(one, "address", pci_format(c->addr, addr));
		if (c->since_wall_ns)
			set_text(one, "since", record_time(c->since_wall_ns, when));
		set_text(one, "reason", c->reason);
		json_array_append_new(list, one);
	}
	if (list)
		set(obj, "cordons", list);
}

int record_json(FILE *out, const struct record *rec, struct vfk_err *err)
{
	json_t *obj = head(rec->raw);

	switch (rec->type) {
	case REC_NODE:
		set_meta(obj, &rec->node.meta);
		set_text(obj, "version", rec->node.version);
		set_true(obj, "records_missing", rec->node.records_missing);
		set_text(obj, "missing_reason", rec->node.missing_reason);
		set_int(obj, "next_lease", rec->node.next_lease_id);
		fill_cordons(obj, &rec->node);
		break;
	case REC_VF:
		fill_vf(obj, &rec->vf);
		break;
	case REC_LEASE:
		fill_lease(obj, &rec->lease);
		break;
	case REC_BLOB:
		set(obj, "blob", json_integer((json_int_t)rec->blob.id));
		set(obj, "content_bytes", json_integer((json_int_t)rec->blob.len_bytes));
		break;
	default:
		set(obj, "type_number", json_integer(rec->type));
	}
	return print(out, obj, err);
}

int record_json_bad(FILE *out, const struct journal_record *raw, const char *why,
		    struct vfk_err *err)
{
	json_t *obj = head(raw);

	set_text(obj, "problem", why);
	return print(out, obj, err);
}
