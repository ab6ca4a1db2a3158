/* SPDX-License-Identifier: Apache-2.0 */
/* As pkg/utils and pkg/sriov of ib-sriov-cni and sriov-cni have it: a plugin that knows no
 * owners, a file for each attachment, one lock that vfctl takes, too. */
#include "peer.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "admin.h"
#include "callers.h"
#include "cover.h"
#include "engine/ctl_cmds.h"
#include "engines.h"
#include "ipam.h"
#include "promises.h"
#include "story.h"
#include "when.h"

struct peer {
	bool used;     /* its file is there, or the ADD is under way */
	bool whole;    /* the file is there */
	bool exported; /* by vfctl */
	unsigned gen;
	unsigned vf, ns, locked; /* by so many of vfctl */
	uint64_t incarnation, ns_cookie;
	enum cni_dialect dialect;
	bool ipam;
	bool renews; /* its DEL has made the link anew */
	bool clean;  /* nobody else has changed the VF: 'before' is the truth */
	struct vf_settings wanted;
	struct vf_baseline before;
	char text[2048];
};

static struct peer peers[SIM_CLAIMS];
static unsigned importing; /* files that vfctl asks for */

void peers_reset(void)
{
	for (unsigned i = 0; i < SIM_CLAIMS; i++)
		memset(&peers[i], 0, offsetof(struct peer, text) + 1);
	importing = 0;
}

void peers_boot(void)
{
	for (unsigned i = 0; i < SIM_CLAIMS; i++) {
		peers[i].used &= peers[i].whole;
		peers[i].locked = 0;
		peers[i].gen++;
	}
	importing = 0;
}

bool peer_holds(unsigned claim)
{
	return peers[claim].used;
}

const char *peer_file(unsigned claim)
{
	return peers[claim].text;
}

enum cni_dialect peer_dialect(unsigned claim)
{
	return peers[claim].dialect;
}

void peer_disturbed(const struct kvf *v)
{
	for (unsigned i = 0; i < SIM_CLAIMS; i++)
		if (peers[i].used && &vfs[peers[i].vf] == v)
			peers[i].clean = false;
}

/* --- the file --- */

static const char *guid_text(uint64_t guid, char out[24])
{
	for (unsigned i = 0; i < 8; i++)
		snprintf(out + 3 * i, 24 - 3 * i, "%02x%s",
			 (unsigned)(guid >> (56 - 8 * i)) & 0xff, i < 7 ? ":" : "");
	return out;
}

static const char *mac_text(const uint8_t *mac, char out[24])
{
	snprintf(out, 24, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		 mac[4], mac[5]);
	return out;
}

static const char *yes_no(bool is)
{
	return is ? "true" : "false";
}

static void write_ib(const struct peer *p, const struct claim *c, char *out, size_t cap)
{
	char was[24] = "", is[24] = "";
	bool isolated = p->wanted.has & HAS_RDMA_ISOLATION;

	if (p->wanted.has & HAS_PORT_GUID) {
		guid_text(p->before.set.port_guid, was);
		guid_text(p->wanted.port_guid, is);
	}
	snprintf(out, cap,
		 ",\"ContIFNames\":\"%s\",\"HostIFNames\":\"%s\",\"HostIFGUID\":\"%s\","
		 "\"RdmaNetState\":{\"sandboxRdmaDevName\":\"%s\"},"
		 "\"runtimeConfig\":{\"infinibandGUID\":\"%s\"}%s",
		 c->ifname, p->before.ifname, was, isolated ? p->before.rdma_dev : "", is,
		 isolated ? ",\"rdmaIsolation\":true" : "");
}

static void write_eth(const struct peer *p, char *out, size_t cap)
{
	const struct vf_settings *w = &p->wanted, *was = &p->before.set;
	char mac[24], own_mac[24], link_mac[24], vlan[24] = "null";

	if (w->has & HAS_VLAN)
		snprintf(vlan, sizeof(vlan), "%u", w->vlan);
	snprintf(out, cap,
		 ",\"MAC\":\"%s\",\"vlan\":%s%s%s%s,\"OrigVfState\":{\"HostIFName\":\"%s\","
		 "\"SpoofChk\":%s,\"Trust\":%s,\"AdminMAC\":\"%s\",\"EffectiveMAC\":\"%s\","
		 "\"Vlan\":%u,\"VlanQoS\":%u,\"VlanProto\":%u,\"MinTxRate\":%u,"
		 "\"MaxTxRate\":%u,\"LinkState\":%u,\"MTU\":%u}",
		 w->has & HAS_MAC ? mac_text(w->mac, mac) : "", vlan,
		 w->has & HAS_SPOOFCHK ? ",\"spoofchk\":\"off\"" : "",
		 w->has & HAS_TRUST ? ",\"trust\":\"on\"" : "",
		 w->has & HAS_LINK_STATE ? ",\"link_state\":\"enable\"" : "",
		 p->before.ifname, yes_no(was->spoofchk), yes_no(was->trust),
		 mac_text(was->mac, own_mac),
		 p->before.hwaddr_len ? mac_text(p->before.hwaddr, link_mac) : "",
		 was->vlan, was->qos, was->vlan_proto, was->min_tx_mbps, was->max_tx_mbps,
		 was->link_state, was->mtu_bytes);
}

static void write_file(struct peer *p)
{
	const struct claim *c = &claims[p - peers];
	char addr[PCI_STRLEN], rest[1200];

	if (p->dialect == DIALECT_IB_SRIOV)
		write_ib(p, c, rest, sizeof(rest));
	else
		write_eth(p, rest, sizeof(rest));
	snprintf(p->text, sizeof(p->text),
		 "{\"cniVersion\":\"1.0.0\",\"name\":\"%s\",\"type\":\"%s\","
		 "\"deviceID\":\"%s\",\"ipam\":{%s}%s}",
		 c->network, p->dialect == DIALECT_IB_SRIOV ? "ib-sriov" : "sriov",
		 pci_format(vfs[p->vf].addr, addr),
		 p->ipam ? "\"type\":\"host-local\"" : "", rest);
	p->whole = true;
}

/* --- ADD --- */

static bool is_theirs(const struct peer *p, const struct kvf *v)
{
	return v->present && v->incarnation == p->incarnation && promise_free(v) &&
	       !v->steps_running;
}

static void gives_up(struct peer *p)
{
	story("plugin: ADD %s fails half way", claims[p - peers].container);
	p->used = false;
}

static bool goes_on(struct peer *p, unsigned gen)
{
	struct kvf *v = &vfs[p->vf];

	if (p->gen != gen || !p->used)
		return false;
	if (is_theirs(p, v) && kernel_is_home(v) && v->bound &&
	    (v->kind == KIND_VFIO || v->link.ifindex) && netns_reachable((int)p->ns) &&
	    spaces[p->ns].cookie == p->ns_cookie)
		return true;
	gives_up(p);
	return false;
}

static void add_ends(uint64_t claim, uint64_t gen)
{
	struct peer *p = &peers[claim];
	struct kvf *v = &vfs[p->vf];

	if (!goes_on(p, (unsigned)gen))
		return;
	if (v->kind != KIND_VFIO && !link_name_free((int)p->ns, claims[claim].ifname, v)) {
		gives_up(p);
		return;
	}
	p->clean &= !strcmp(v->link.name, p->before.ifname);
	if (v->kind == KIND_INFINIBAND && p->wanted.has & HAS_RDMA_ISOLATION)
		rdma_move(v, (int)p->ns); /* and its link is a new one */
	if (v->kind != KIND_VFIO) {
		link_move(v, (int)p->ns);
		link_rename(v, claims[claim].ifname);
		v->link.up = true;
	}
	v->moved_by_others = v->meddled = true;
	engines_vf_touched(v->addr);
	p->ipam = p->ipam && ipam_lease((unsigned)claim);
	write_file(p);
	story("plugin: vf%u is attached to %s%s", p->vf, claims[claim].container,
	      p->ipam ? ", with an address" : "");
}

static void set_up(uint64_t claim, uint64_t gen)
{
	struct peer *p = &peers[claim];
	const struct vf_settings *w = &p->wanted;
	struct kvf *v = &vfs[p->vf];

	if (!goes_on(p, (unsigned)gen))
		return;
	if (w->has & HAS_PORT_GUID) {
		v->set.node_guid = v->set.port_guid = w->port_guid;
		kernel_rebind(v);
		p->clean &= !link_rename(v, p->before.ifname) &&
			    v->link.mtu_bytes == p->before.set.mtu_bytes;
	}
	if (w->has & HAS_MAC) {
		memcpy(v->set.mac, w->mac, 6);
		memcpy(v->link.hwaddr, w->mac, 6);
	}
	if (w->has & HAS_VLAN)
		v->set.vlan = w->vlan;
	if (w->has & HAS_SPOOFCHK)
		v->set.spoofchk = w->spoofchk;
	if (w->has & HAS_TRUST)
		v->set.trust = w->trust;
	if (w->has & HAS_LINK_STATE)
		v->set.link_state = w->link_state;
	v->meddled = true;
	engines_vf_touched(v->addr);
	when_after(when_jitter(MS), add_ends, claim, gen);
}

static void choose(struct peer *p, struct rng *r, const struct kvf *v)
{
	static const uint32_t ethernet[] = { HAS_MAC, HAS_VLAN, HAS_SPOOFCHK, HAS_TRUST,
					     HAS_LINK_STATE };
	struct vf_settings *w = &p->wanted;
	uint8_t claim = (uint8_t)(p - peers);

	p->dialect = v->kind == KIND_INFINIBAND ? DIALECT_IB_SRIOV : DIALECT_SRIOV;
	w->node_guid = w->port_guid = 0x02bb000000000000u | claim;
	memcpy(w->mac, (const uint8_t[]){ 2, 0xbb, 0, 0, 0, claim }, 6);
	w->vlan = (uint16_t)(20 + claim);
	w->trust = w->link_state = 1;
	if (v->kind == KIND_INFINIBAND) {
		w->has |= rng_below(r, 3) ? HAS_NODE_GUID | HAS_PORT_GUID : 0;
		w->has |= rng_one_in(r, 3) ? HAS_RDMA_ISOLATION : 0;
		return;
	}
	for (unsigned i = 0; i < sizeof(ethernet) / sizeof(ethernet[0]); i++)
		if (rng_one_in(r, 2) && (ethernet[i] != HAS_MAC || v->kind != KIND_VFIO))
			w->has |= ethernet[i];
}

void peer_add(struct rng *r, struct kvf *v)
{
	unsigned claim = claim_any(r);
	struct peer *p = &peers[claim];
	const struct shadow_vf *s = shadow_of(v);

	/* Whoever attaches it first has its attachment to the end. */
	if (p->used || claims[claim].asked || ipam_held(claim) || !claims[claim].ns)
		return;
	for (unsigned i = 0; i < SIM_CLAIMS; i++)
		if (peers[i].used && peers[i].vf == v - vfs)
			return;
	*p = (struct peer){ .used = true,
			    .gen = p->gen + 1,
			    .vf = (unsigned)(v - vfs),
			    .ns = claims[claim].ns,
			    .ns_cookie = claims[claim].ns_cookie,
			    .incarnation = v->incarnation,
			    .ipam = rng_below(r, 3) > 0,
			    .clean = !v->meddled && !v->moved_by_others && s->have &&
				     s->rec.baseline.valid };
	cover_event(EVENT_PEER_ADD);
	choose(p, r, v);
	kernel_look(v, &p->before);
	/* It keeps one GUID for both. */
	if (p->wanted.has & HAS_PORT_GUID)
		p->clean &= p->before.set.node_guid == p->before.set.port_guid;
	story("plugin: ADD %s vf%u", claims[claim].container, p->vf);
	if (goes_on(p, p->gen))
		when_after(when_jitter(MS), set_up, claim, p->gen);
}

/* --- DEL, by what the file says --- */

static unsigned number_in(const json_t *obj, const char *key)
{
	return (unsigned)json_integer_value(json_object_get(obj, key));
}

static const char *text_in(const json_t *obj, const char *key)
{
	const char *text = json_string_value(json_object_get(obj, key));

	return text ? text : "";
}

static void octets_in(const json_t *obj, const char *key, uint8_t *out, unsigned n)
{
	const char *text = text_in(obj, key);
	unsigned byte;

	for (unsigned i = 0; i < n && strlen(text) == 3 * n - 1; i++)
		if (sscanf(text + 3 * i, "%2x", &byte) == 1)
			out[i] = (uint8_t)byte;
}

static void restore_eth(struct kvf *v, const json_t *file)
{
	const json_t *was = json_object_get(file, "OrigVfState");

	if (json_is_integer(json_object_get(file, "vlan"))) {
		v->set.vlan = (uint16_t)number_in(was, "Vlan");
		v->set.qos = (uint16_t)number_in(was, "VlanQoS");
		v->set.vlan_proto = (uint16_t)number_in(was, "VlanProto");
	}
	if (text_in(file, "MAC")[0]) {
		octets_in(was, "AdminMAC", v->set.mac, 6);
		octets_in(was, "EffectiveMAC", v->link.hwaddr, v->link.ifindex ? 6 : 0);
	}
	if (text_in(file, "spoofchk")[0])
		v->set.spoofchk = json_is_true(json_object_get(was, "SpoofChk"));
	if (text_in(file, "trust")[0])
		v->set.trust = json_is_true(json_object_get(was, "Trust"));
	if (text_in(file, "link_state")[0])
		v->set.link_state = (uint8_t)number_in(was, "LinkState");
	if (v->link.ifindex && number_in(was, "MTU"))
		v->link.mtu_bytes = number_in(was, "MTU");
}

static void restore_ib(struct kvf *v, const json_t *file, const char *name)
{
	uint8_t octets[8];
	uint64_t guid = 0;

	if (text_in(file, "link_state")[0])
		v->set.link_state = 0; /* "auto", whatever it was */
	if (!text_in(file, "HostIFGUID")[0])
		return;
	octets_in(file, "HostIFGUID", octets, 8);
	for (unsigned i = 0; i < 8; i++)
		guid = guid << 8 | octets[i];
	v->set.node_guid = v->set.port_guid = guid;
	kernel_rebind(v);
	link_rename(v, name);
}

static void restore(struct peer *p, struct kvf *v)
{
	json_t *file = json_loads(p->text, 0, NULL);
	bool ib = p->dialect == DIALECT_IB_SRIOV;
	const char *name = ib ? text_in(file, "HostIFNames") :
				text_in(json_object_get(file, "OrigVfState"), "HostIFName");

	p->renews = ib && (text_in(file, "HostIFGUID")[0] || v->rdma_ns != HOME);
	if (v->rdma_ns != HOME)
		rdma_move(v, HOME);
	if (v->link.ifindex && v->link.ns != HOME)
		link_move(v, HOME);
	if (v->link.ifindex && link_rename(v, name) &&
	    !link_name_free(HOME, v->link.name, v))
		snprintf(v->link.name, sizeof(v->link.name), "dev%u", v->link.ifindex);
	if (ib)
		restore_ib(v, file, name);
	else
		restore_eth(v, file);
	json_decref(file);
	v->moved_by_others = v->meddled = true;
	engines_vf_touched(v->addr);
}

/* What vfctl export wrote has to bring it back to what it was (P4). */
static void exported_is_home(const struct peer *p, struct kvf *v)
{
	struct vf_baseline now;

	if (!p->exported || !p->clean)
		return;
	kernel_look(v, &now);
	/* They bind it anew for its GUID, and a move of its RDMA device makes the link anew, too;
	 * their file has no place for an MTU: whoever had attached it, it is then what the driver
	 * makes it. */
	if (p->renews)
		now.set.mtu_bytes = p->before.set.mtu_bytes;
	if (!settings_same(&now.set, &p->before.set) ||
	    (strcmp(now.ifname, p->before.ifname) != 0 &&
	     link_name_free(HOME, p->before.ifname, v)))
		broken("P4", "vf%u, which was exported, is not as before after its DEL: %s",
		       p->vf, p->text);
}

static void del(unsigned claim)
{
	struct peer *p = &peers[claim];
	struct kvf *v = &vfs[p->vf];
	unsigned owner = promise_owner(v);

	if (!p->used || !p->whole || p->locked)
		return;
	story("plugin: DEL %s", claims[claim].container);
	/* Where it is not in the pod any more, the pod's end has brought it home. */
	if (v->present && v->incarnation == p->incarnation && !v->steps_running &&
	    (owner == SIM_CLAIMS || owner == claim) && v->bound &&
	    (v->kind == KIND_VFIO || kernel_is_home(v) ||
	     (v->link.ns == (int)p->ns && spaces[p->ns].cookie == p->ns_cookie))) {
		p->clean &= !kernel_is_home(v) && netns_reachable(v->link.ns) &&
			    owner == SIM_CLAIMS;
		restore(p, v);
		exported_is_home(p, v);
	}
	ipam_forget(claim);
	p->used = false;
}

void peer_del_any(struct rng *r)
{
	unsigned first = rng_below(r, SIM_CLAIMS);

	for (unsigned i = 0; i < SIM_CLAIMS; i++) {
		unsigned claim = (first + i) % SIM_CLAIMS;

		if (!peers[claim].used || !peers[claim].whole)
			continue;
		cover_event(EVENT_PEER_DEL);
		del(claim);
		return;
	}
}

void peers_leave(void)
{
	for (unsigned i = 0; i < SIM_CLAIMS; i++) {
		if (!peers[i].whole)
			peers[i].used = false;
		del(i);
	}
}

/* --- vfctl import --- */

void peers_import(struct rng *r)
{
	for (unsigned i = 0; i < SIM_CLAIMS; i++) {
		const struct peer *p = &peers[i];
		struct call c = { .verb = CNI_IMPORT, .claim = i, .vf = p->vf, .netns = true };
		const struct pod *other = &pods[rng_below(r, SIM_PODS)];

		if (!p->used || !p->whole || p->locked)
			continue;
		/* It tries every pod that may have it. */
		if (rng_one_in(r, 8) && vfs[p->vf].kind != KIND_VFIO && other->ns)
			c.in_ns = other->ns;
		if (!caller_start(&c))
			continue;
		peers[i].locked++;
		importing++;
	}
}

void peer_answered(unsigned claim, int exit_code)
{
	const struct peer *p = &peers[claim];
	const struct shadow_vf *s = &shadow.vf[p->vf];
	const struct shadow_lease *l;

	if (exit_code || !p->used || promise_excused() || !s->have ||
	    s->rec.state != VF_ATTACHED || promise_owner(&vfs[p->vf]) != claim)
		return;
	l = s->rec.lease_id ? shadow_lease(s->rec.lease_id) : NULL;
	if (!shadow_synced(&s->at))
		broken("P1",
		       "the file of %s may be put away, the record of vf%u is not "
		       "synced",
		       claims[claim].container, p->vf);
	else if (p->ipam && !l)
		broken("P1", "the file of %s may be put away and no lease is on record",
		       claims[claim].container);
	else if (l && !shadow_synced(&l->at))
		broken("P1", "the file of %s may be put away, its lease is not synced",
		       claims[claim].container);
}

void peer_heard(unsigned claim, int exit_code)
{
	struct ctl_request done = { .version = CTL_VERSION, .command = "import-done" };
	struct peer *p = &peers[claim];

	if (p->locked)
		p->locked--;
	if (exit_code == 0 && p->used) {
		story("vfctl: the file of %s is put away", claims[claim].container);
		p->used = false;
	}
	if (importing && !--importing)
		engine_says_yes(&done);
}

/* The record of an attachment that was theirs. */
void peer_imported(struct kvf *v, const struct shadow_vf *s)
{
	unsigned claim = promise_owner(v), i = (unsigned)(v - vfs);
	const struct vf_baseline *base = &s->rec.baseline;
	struct peer *p;

	if (claim == SIM_CLAIMS || !peers[claim].used || &vfs[peers[claim].vf] != v) {
		broken("P3", "vf%u is imported for %s, of which there is no file", i,
		       s->rec.owner.container);
		return;
	}
	p = &peers[claim];
	claims[claim].imported_ns = (uint64_t)when_now;
	claims[claim].imported_start = claims[claim].import_start;
	if (!base->valid)
		broken("P4", "vf%u is imported and has no baseline", i);
	v->meddled = v->moved_by_others = true; /* unless it is known better */
	if (!p->clean || v->incarnation != p->incarnation)
		return;
	if (v->kind != KIND_VFIO && kernel_is_home(v))
		return; /* its namespace was faster */
	if (v->link.ifindex && s->rec.netns_cookie != spaces[v->link.ns].cookie)
		broken("P3", "vf%u is imported, and the pod on record has not got it", i);
	if (!s->before.baseline.valid)
		return; /* the file does not say everything */
	if (!settings_same(&base->set, &p->before.set) ||
	    strcmp(base->ifname, p->before.ifname) != 0)
		broken("P4",
		       "vf%u is imported, its baseline is not what it was before: %s, "
		       "vlan %u, GUID %llx",
		       i, base->ifname, base->set.vlan,
		       (unsigned long long)base->set.port_guid);
	/* From here on it is to come home as it was. */
	v->home = p->before;
	v->meddled = v->moved_by_others = false;
}

/* --- vfctl export --- */

static void hand_over(uint64_t claim, uint64_t seq)
{
	struct ctl_request rq = { .version = CTL_VERSION,
				  .n_args = 2,
				  .command = "export-done" };
	struct peer *p = &peers[claim];

	if (!p->locked)
		return; /* another boot */
	pci_format(vfs[p->vf].addr, rq.args[0]);
	snprintf(rq.args[1], sizeof(rq.args[1]), "%llu", (unsigned long long)seq);
	engine_says_yes(&rq);
	p->locked--;
}

static void export_one(const json_t *one)
{
	unsigned claim = claim_find(text_in(one, "container"), text_in(one, "ifname"));
	pci_addr_t addr = PCI_NONE;
	struct peer *p;
	struct kvf *v;

	if (!text_in(one, "text")[0] || claim == SIM_CLAIMS || peers[claim].locked ||
	    !pci_parse(text_in(one, "vf"), &addr) || !(v = kernel_vf(addr)) ||
	    !claim_ns_lives(claim))
		return;
	p = &peers[claim];
	*p = (struct peer){ .used = true,
			    .whole = true,
			    .exported = true,
			    .locked = 1,
			    .gen = p->gen + 1,
			    .vf = (unsigned)(v - vfs),
			    .ns = claims[claim].ns,
			    .ns_cookie = claims[claim].ns_cookie,
			    .incarnation = v->incarnation,
			    .dialect = !strcmp(text_in(one, "plugin"), "ib-sriov") ?
					       DIALECT_IB_SRIOV :
					       DIALECT_SRIOV,
			    .ipam = ipam_held(claim) > 0,
			    .clean = !v->meddled && !v->moved_by_others,
			    .before = v->home };
	snprintf(p->text, sizeof(p->text), "%s", text_in(one, "text"));
	story("vfctl: writes the file of %s, vf%u", claims[claim].container, p->vf);
	when_after(when_jitter(MS), hand_over, claim,
		   (uint64_t)json_integer_value(json_object_get(one, "attach_seq")));
}

void peers_export(void)
{
	struct ctl_request rq = { .version = CTL_VERSION, .command = "export-list" };
	json_t *doc, *one;
	size_t i;

	if (!admin_cordon_node())
		return;
	doc = engine_answers(&rq);
	if (json_array_size(json_object_get(doc, "files")))
		cover_event(EVENT_EXPORT);
	json_array_foreach(json_object_get(doc, "files"), i, one)
		export_one(one);
	json_decref(doc);
}

void peer_exported(struct kvf *v, const struct shadow_vf *s)
{
	unsigned claim = claim_find(s->before.owner.container, s->before.owner.ifname);

	if (claim == SIM_CLAIMS || !peers[claim].used || &vfs[peers[claim].vf] != v)
		broken("P3", "vf%u is handed over, and %s has no file of it",
		       (unsigned)(v - vfs), s->before.owner.container);
	v->moved_by_others = v->meddled = true;
}
