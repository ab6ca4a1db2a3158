/* SPDX-License-Identifier: Apache-2.0 */
#include "io/codec.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "io/codec-internal.h"
#include "proto/journal.pb-c.h"

/* --- parts that records share --- */

/* 16 bytes of a UUID in its usual form; false: it is none. */
static bool uuid_parse(const char *text, uint8_t out[16])
{
	unsigned n = 0;

	for (size_t i = 0; i < BOOT_ID_LEN; i++) {
		char c = text[i];
		unsigned v;

		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (c != '-')
				return false;
			continue;
		}
		if (c >= '0' && c <= '9')
			v = (unsigned)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = (unsigned)(c - 'a') + 10;
		else
			return false;
		out[n / 2] = (uint8_t)(n % 2 ? out[n / 2] | v : v << 4);
		n++;
	}
	return text[BOOT_ID_LEN] == '\0';
}

static void uuid_format(const uint8_t in[16], char out[BOOT_ID_LEN + 1])
{
	static const char hex[] = "0123456789abcdef";
	size_t at = 0;

	for (unsigned i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			out[at++] = '-';
		out[at++] = hex[in[i] >> 4];
		out[at++] = hex[in[i] & 15];
	}
	out[at] = '\0';
}

static void fill_meta(Vfk__Meta *m, const struct rec_meta *meta, uint8_t uuid[16])
{
	vfk__meta__init(m);
	m->wall_ns = meta->wall_ns;
	m->boot_ns = meta->boot_ns;
	if (uuid_parse(meta->boot_id, uuid)) {
		m->boot_id.data = uuid;
		m->boot_id.len = 16;
	} else {
		m->boot_text = codec_text(meta->boot_id);
	}
	m->cause = (Vfk__Cause)meta->cause;
	m->cause_text = codec_text(meta->cause_text);
}

static void take_meta(struct take *t, const Vfk__Meta *m, struct rec_meta *out)
{
	uint8_t uuid[16];
	size_t len;

	if (!m)
		return;
	out->wall_ns = m->wall_ns;
	out->boot_ns = m->boot_ns;
	take_bytes(t, "meta.boot_id", &m->boot_id, uuid, sizeof(uuid), &len);
	if (len == sizeof(uuid))
		uuid_format(uuid, out->boot_id);
	else
		take_text(t, "meta.boot_text", m->boot_text, out->boot_id,
			  sizeof(out->boot_id));
	out->cause = (uint8_t)take_number(t, "meta.cause", (uint32_t)m->cause, UINT8_MAX);
	take_text(t, "meta.cause_text", m->cause_text, out->cause_text,
		  sizeof(out->cause_text));
}

/* NULL where nothing is known: then nothing is stored. */
static Vfk__Owner *fill_owner(Vfk__Owner *m, const struct attachment *owner,
			      const struct pod_ref *pod)
{
	if (!owner->container[0] && !owner->network[0] && !owner->ifname[0] &&
	    !pod->ns[0] && !pod->name[0])
		return NULL;
	vfk__owner__init(m);
	m->network = codec_text(owner->network);
	m->container = codec_text(owner->container);
	m->ifname = codec_text(owner->ifname);
	m->pod_ns = codec_text(pod->ns);
	m->pod_name = codec_text(pod->name);
	return m;
}

static void take_owner(struct take *t, const Vfk__Owner *m, struct attachment *owner,
		       struct pod_ref *pod)
{
	if (!m)
		return;
	take_text(t, "owner.network", m->network, owner->network, sizeof(owner->network));
	take_text(t, "owner.container", m->container, owner->container,
		  sizeof(owner->container));
	take_text(t, "owner.ifname", m->ifname, owner->ifname, sizeof(owner->ifname));
	take_text(t, "owner.pod_ns", m->pod_ns, pod->ns, sizeof(pod->ns));
	take_text(t, "owner.pod_name", m->pod_name, pod->name, sizeof(pod->name));
}

static Vfk__Settings *fill_settings(Vfk__Settings *m, const struct vf_settings *set)
{
	static const struct vf_settings none;
	static const uint8_t no_mac[6];

	if (!memcmp(set, &none, sizeof(none)))
		return NULL;
	vfk__settings__init(m);
	m->has = set->has;
	m->link_state = (Vfk__LinkState)set->link_state;
	m->node_guid = set->node_guid;
	m->port_guid = set->port_guid;
	if (memcmp(set->mac, no_mac, sizeof(no_mac))) {
		m->mac.data = (uint8_t *)(uintptr_t)set->mac;
		m->mac.len = sizeof(set->mac);
	}
	m->vlan = set->vlan;
	m->qos = set->qos;
	m->vlan_proto = set->vlan_proto;
	m->min_tx_mbps = set->min_tx_mbps;
	m->max_tx_mbps = set->max_tx_mbps;
	m->spoofchk = set->spoofchk;
	m->trust = set->trust;
	m->mtu_bytes = set->mtu_bytes;
	m->allmulti = set->allmulti;
	m->promisc = set->promisc;
	m->ipoib_mode = set->ipoib_mode;
	m->pkey = set->pkey;
	m->rdma_isolation = set->rdma_isolation;
	m->scrub = set->scrub;
	return m;
}

static void take_settings(struct take *t, const Vfk__Settings *m, struct vf_settings *set)
{
	size_t len;

	if (!m)
		return;
	set->has = m->has;
	set->link_state = (uint8_t)take_number(t, "link_state", (uint32_t)m->link_state, 2);
	set->node_guid = m->node_guid;
	set->port_guid = m->port_guid;
	take_bytes(t, "mac", &m->mac, set->mac, sizeof(set->mac), &len);
	if (len != 0 && len != sizeof(set->mac) && !t->bad) {
		t->bad = "mac";
		t->why = "too short";
	}
	set->vlan = (uint16_t)take_number(t, "vlan", m->vlan, UINT16_MAX);
	set->qos = (uint16_t)take_number(t, "qos", m->qos, UINT16_MAX);
	set->vlan_proto = (uint16_t)take_number(t, "vlan_proto", m->vlan_proto, UINT16_MAX);
	set->min_tx_mbps = m->min_tx_mbps;
	set->max_tx_mbps = m->max_tx_mbps;
	set->spoofchk = m->spoofchk != 0;
	set->trust = m->trust != 0;
	set->mtu_bytes = m->mtu_bytes;
	set->allmulti = m->allmulti != 0;
	set->promisc = m->promisc != 0;
	set->ipoib_mode = (uint8_t)take_number(t, "ipoib_mode", m->ipoib_mode, 1);
	set->pkey = (uint16_t)take_number(t, "pkey", m->pkey, UINT16_MAX);
	set->rdma_isolation = m->rdma_isolation != 0;
	set->scrub = (uint8_t)take_number(t, "scrub", m->scrub, 1);
}

static void fill_baseline(Vfk__Baseline *m, Vfk__Settings *set, const struct vf_baseline *b)
{
	vfk__baseline__init(m);
	m->set = fill_settings(set, &b->set);
	m->ifname = codec_text(b->ifname);
	m->driver = codec_text(b->driver);
	m->rdma_dev = codec_text(b->rdma_dev);
	m->hwaddr.data = (uint8_t *)(uintptr_t)b->hwaddr;
	m->hwaddr.len = b->hwaddr_len <= sizeof(b->hwaddr) ? b->hwaddr_len : 0;
}

static void take_baseline(struct take *t, const Vfk__Baseline *m, struct vf_baseline *b)
{
	size_t len;

	take_settings(t, m->set, &b->set);
	take_text(t, "baseline.ifname", m->ifname, b->ifname, sizeof(b->ifname));
	take_text(t, "baseline.driver", m->driver, b->driver, sizeof(b->driver));
	take_text(t, "baseline.rdma_dev", m->rdma_dev, b->rdma_dev, sizeof(b->rdma_dev));
	take_bytes(t, "baseline.hwaddr", &m->hwaddr, b->hwaddr, sizeof(b->hwaddr), &len);
	b->hwaddr_len = (uint8_t)len;
}

/* --- node --- */

void codec_put_node(struct strbuf *out, const struct rec_node *rec)
{
	Vfk__Cordon cordons[REC_CORDON_MAX], *places[REC_CORDON_MAX];
	Vfk__Node m = VFK__NODE__INIT;
	Vfk__Meta meta;
	uint8_t uuid[16];

	fill_meta(&meta, &rec->meta, uuid);
	m.meta = &meta;
	m.version = codec_text(rec->version);
	m.records_missing = rec->records_missing;
	m.vfs_verified = rec->vfs_verified;
	m.missing_reason = codec_text(rec->missing_reason);
	m.next_lease_id = rec->next_lease_id;
	for (unsigned i = 0; i < rec->n_cordons; i++) {
		vfk__cordon__init(&cordons[i]);
		cordons[i].scope = (Vfk__CordonScope)rec->cordons[i].scope;
		cordons[i].addr = rec->cordons[i].addr;
		cordons[i].since_wall_ns = rec->cordons[i].since_wall_ns;
		cordons[i].reason = codec_text(rec->cordons[i].reason);
		places[i] = &cordons[i];
	}
	m.cordons = places;
	m.n_cordons = rec->n_cordons;
	codec_pack(out, &m.base);
}

int codec_get_node(const void *buf, size_t len, struct rec_node *rec, struct vfk_err *err)
{
	struct take t = { .what = "node record" };
	struct arena a;
	Vfk__Node *m;

	arena_init(&a);
	memset(rec, 0, offsetof(struct rec_node, cordons)); /* n_cordons of these count */
	m = (Vfk__Node *)codec_unpack(&a, &vfk__node__descriptor, buf, len, t.what, err);
	if (!m)
		return -VFK_E_DECODE;
	take_meta(&t, m->meta, &rec->meta);
	take_text(&t, "version", m->version, rec->version, sizeof(rec->version));
	rec->records_missing = m->records_missing != 0;
	rec->vfs_verified = m->vfs_verified != 0;
	take_text(&t, "missing_reason", m->missing_reason, rec->missing_reason,
		  sizeof(rec->missing_reason));
	rec->next_lease_id = m->next_lease_id;
	rec->n_cordons = (unsigned)take_number(&t, "cordons", m->n_cordons, REC_CORDON_MAX);
	for (unsigned i = 0; i < rec->n_cordons; i++) {
		rec->cordons[i].scope =
			(uint8_t)take_number(&t, "cordons.scope",
					     (uint32_t)m->cordons[i]->scope, CORDON_VF);
		rec->cordons[i].addr = m->cordons[i]->addr;
		rec->cordons[i].since_wall_ns = m->cordons[i]->since_wall_ns;
		take_text(&t, "cordons.reason", m->cordons[i]->reason,
			  rec->cordons[i].reason, sizeof(rec->cordons[i].reason));
	}
	protobuf_c_message_free_unpacked(&m->base, &a.alloc);
	return take_end(&t, err);
}

/* --- vf --- */

size_t codec_own_put(const struct rec_vf *rec, uint8_t out[REC_OWN_BYTES])
{
	size_t n = 0;

	for (unsigned i = 0; i < rec->n_own; i++) {
		uint8_t len = rec->own[i].family == AF_INET ? 4 : 16;

		out[n++] = len;
		memcpy(out + n, rec->own[i].addr, len);
		n += len;
	}
	return n;
}

void codec_put_vf(struct strbuf *out, const struct rec_vf *rec)
{
	Vfk__Settings wanted, baseline_set;
	Vfk__Baseline baseline;
	Vfk__Vf m = VFK__VF__INIT;
	uint8_t own[REC_OWN_BYTES];
	Vfk__Owner owner;
	Vfk__Meta meta;
	uint8_t uuid[16];

	fill_meta(&meta, &rec->meta, uuid);
	m.meta = &meta;
	m.addr = rec->addr;
	m.pf = rec->pf;
	m.index = rec->index;
	m.driver = codec_text(rec->driver);
	m.incarnation = rec->incarnation;
	m.from = (Vfk__VfState)rec->from;
	m.event = (Vfk__VfEvent)rec->event;
	m.state = (Vfk__VfState)rec->state;
	m.foreign = rec->foreign;
	m.owner = fill_owner(&owner, &rec->owner, &rec->pod);
	m.attach_seq = rec->attach_seq;
	m.nonce_hi = rec->nonce.hi;
	m.nonce_lo = rec->nonce.lo;
	m.client_start_ns = rec->client_start_ns;
	m.netns_cookie = rec->netns_cookie;
	m.nsid_plus1 = rec->nsid < 0 ? 0 : (uint32_t)rec->nsid + 1;
	m.since_wall_ns = rec->since_wall_ns;
	m.plan = (Vfk__Plan)rec->plan;
	m.begun = rec->begun;
	m.done = rec->done;
	m.touched = rec->touched;
	m.attempts = rec->attempts;
	m.wanted = fill_settings(&wanted, &rec->wanted);
	fill_baseline(&baseline, &baseline_set, &rec->baseline);
	if (rec->baseline.valid)
		m.baseline = &baseline;
	else if (rec->baseline.set.has)
		m.former = &baseline;
	m.ifindex = rec->ifindex;
	m.lease_id = rec->lease_id;
	m.request_blob = rec->request_blob;
	m.result_blob = rec->result_blob;
	m.reason = codec_text(rec->reason);
	m.own_addresses.data = own;
	m.own_addresses.len = codec_own_put(rec, own);
	codec_pack(out, &m.base);
}

static void take_own(struct take *t, const Vfk__Vf *m, struct rec_vf *rec)
{
	const ProtobufCBinaryData *from = &m->own_addresses;
	size_t at = 0, len;

	for (; at < from->len && rec->n_own < REC_OWN_MAX; at += 1 + len, rec->n_own++) {
		struct rec_addr *to = &rec->own[rec->n_own];

		len = from->data[at];
		if ((len != 4 && len != 16) || len > from->len - at - 1)
			break;
		to->family = len == 4 ? AF_INET : AF_INET6;
		memcpy(to->addr, from->data + at + 1, len);
	}
	/* A byte too many, of a place or of an address. */
	take_number(t, "own_addresses", from->len - at, 0);
}

static void take_vf(struct take *t, const Vfk__Vf *m, struct rec_vf *rec)
{
	take_meta(t, m->meta, &rec->meta);
	rec->addr = take_number(t, "addr", m->addr, UINT64_C(0xffffffffffff));
	rec->pf = take_number(t, "pf", m->pf, UINT64_C(0xffffffffffff));
	rec->index = (uint16_t)take_number(t, "index", m->index, UINT16_MAX);
	take_text(t, "driver", m->driver, rec->driver, sizeof(rec->driver));
	rec->incarnation = m->incarnation;
	rec->from = (uint8_t)take_number(t, "from", (uint32_t)m->from, UINT8_MAX);
	rec->event = (uint8_t)take_number(t, "event", (uint32_t)m->event, UINT8_MAX);
	rec->state = (uint8_t)take_number(t, "state", (uint32_t)m->state, UINT8_MAX);
	rec->foreign = m->foreign != 0;
	take_owner(t, m->owner, &rec->owner, &rec->pod);
	rec->attach_seq = m->attach_seq;
	rec->nonce.hi = m->nonce_hi;
	rec->nonce.lo = m->nonce_lo;
	rec->client_start_ns = m->client_start_ns;
	rec->netns_cookie = m->netns_cookie;
	rec->nsid = (int32_t)take_number(t, "nsid_plus1", m->nsid_plus1,
					 (uint64_t)INT32_MAX + 1);
	rec->nsid = m->nsid_plus1 && !t->bad ? (int32_t)(m->nsid_plus1 - 1) : -1;
	rec->since_wall_ns = m->since_wall_ns;
	rec->plan = (uint8_t)take_number(t, "plan", (uint32_t)m->plan, 2);
	rec->begun = m->begun;
	rec->done = m->done;
	rec->touched = m->touched;
	rec->attempts = m->attempts;
	take_settings(t, m->wanted, &rec->wanted);
	rec->baseline.valid = m->baseline != NULL;
	if (m->baseline || m->former)
		take_baseline(t, m->baseline ? m->baseline : m->former, &rec->baseline);
	rec->ifindex = m->ifindex;
	rec->lease_id = m->lease_id;
	rec->request_blob = m->request_blob;
	rec->result_blob = m->result_blob;
	take_text(t, "reason", m->reason, rec->reason, sizeof(rec->reason));
	take_own(t, m, rec);
}

int codec_get_vf(const void *buf, size_t len, struct rec_vf *rec, struct vfk_err *err)
{
	struct take t = { .what = "vf record" };
	struct arena a;
	Vfk__Vf *m;

	arena_init(&a);
	memset(rec, 0, sizeof(*rec));
	m = (Vfk__Vf *)codec_unpack(&a, &vfk__vf__descriptor, buf, len, t.what, err);
	if (!m)
		return -VFK_E_DECODE;
	take_vf(&t, m, rec);
	protobuf_c_message_free_unpacked(&m->base, &a.alloc);
	return take_end(&t, err);
}

/* --- lease --- */

void codec_put_lease(struct strbuf *out, const struct rec_lease *rec)
{
	Vfk__Lease m = VFK__LEASE__INIT;
	Vfk__Owner owner;
	Vfk__Meta meta;
	uint8_t uuid[16];

	fill_meta(&meta, &rec->meta, uuid);
	m.meta = &meta;
	m.id = rec->id;
	m.from = (Vfk__LeaseState)rec->from;
	m.event = (Vfk__LeaseEvent)rec->event;
	m.state = (Vfk__LeaseState)rec->state;
	m.owner = fill_owner(&owner, &rec->owner, &rec->pod);
	m.vf_plus1 = rec->vf + 1; /* PCI_NONE becomes 0 */
	m.nonce_hi = rec->nonce.hi;
	m.nonce_lo = rec->nonce.lo;
	m.plugin = codec_text(rec->plugin);
	m.request_blob = rec->request_blob;
	m.attempts = rec->attempts;
	m.asked_wall_ns = rec->asked_wall_ns;
	m.last_error = codec_text(rec->last_error);
	codec_pack(out, &m.base);
}

static void take_lease(struct take *t, const Vfk__Lease *m, struct rec_lease *rec)
{
	take_meta(t, m->meta, &rec->meta);
	rec->id = m->id;
	rec->from = (uint8_t)take_number(t, "from", (uint32_t)m->from, UINT8_MAX);
	rec->event = (uint8_t)take_number(t, "event", (uint32_t)m->event, UINT8_MAX);
	rec->state = (uint8_t)take_number(t, "state", (uint32_t)m->state, UINT8_MAX);
	take_owner(t, m->owner, &rec->owner, &rec->pod);
	rec->vf = take_number(t, "vf_plus1", m->vf_plus1, UINT64_C(0x1000000000000)) - 1;
	rec->nonce.hi = m->nonce_hi;
	rec->nonce.lo = m->nonce_lo;
	take_text(t, "plugin", m->plugin, rec->plugin, sizeof(rec->plugin));
	rec->request_blob = m->request_blob;
	rec->attempts = m->attempts;
	rec->asked_wall_ns = m->asked_wall_ns;
	take_text(t, "last_error", m->last_error, rec->last_error, sizeof(rec->last_error));
}

int codec_get_lease(const void *buf, size_t len, struct rec_lease *rec, struct vfk_err *err)
{
	struct take t = { .what = "lease record" };
	struct arena a;
	Vfk__Lease *m;

	arena_init(&a);
	memset(rec, 0, sizeof(*rec));
	m = (Vfk__Lease *)codec_unpack(&a, &vfk__lease__descriptor, buf, len, t.what, err);
	if (!m)
		return -VFK_E_DECODE;
	take_lease(&t, m, rec);
	protobuf_c_message_free_unpacked(&m->base, &a.alloc);
	return take_end(&t, err);
}

/* --- blob --- */

void codec_put_blob(struct strbuf *out, const struct rec_blob *rec)
{
	Vfk__Blob m = VFK__BLOB__INIT;

	m.id = rec->id;
	m.content.data = (uint8_t *)(uintptr_t)rec->bytes;
	m.content.len = rec->len_bytes;
	codec_pack(out, &m.base);
}

int codec_get_blob(const void *buf, size_t len, struct rec_blob *rec, void **hold,
		   struct vfk_err *err)
{
	struct arena a;
	Vfk__Blob *m;

	*hold = NULL;
	memset(rec, 0, sizeof(*rec));
	arena_init(&a);
	m = (Vfk__Blob *)codec_unpack(&a, &vfk__blob__descriptor, buf, len, "blob record",
				      err);
	if (!m)
		return -VFK_E_DECODE;
	rec->id = m->id;
	rec->len_bytes = m->content.len;
	*hold = malloc(m->content.len ? m->content.len : 1);
	if (*hold && m->content.len)
		memcpy(*hold, m->content.data, m->content.len);
	rec->bytes = *hold;
	protobuf_c_message_free_unpacked(&m->base, &a.alloc);
	if (!*hold)
		return vfk_err_set(err, VFK_E_NOMEM, 0, "decode blob record");
	return 0;
}

const char *cause_kind_name(uint8_t kind)
{
	switch ((enum cause_kind)kind) {
	case CAUSE_ENGINE:
		return "engine";
	case CAUSE_REQUEST:
		return "request";
	case CAUSE_EVENT:
		return "event";
	case CAUSE_ADMIN:
		return "admin";
	}
	return "unknown";
}
