/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the journal of a small made-up node into an empty directory: make_journal DIR.  The
 * same bytes each time.  How a golden journal is made of it: tests/golden/README. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fsm/lease.h"
#include "fsm/vf.h"
#include "io/codec.h"
#include "io/journal.h"

#define N_VFS 4
#define N_LEASES 3
#define N_BLOBS 3
#define FILE_BYTES (64 * 1024)

static struct {
	struct journal *j;
	struct rec_node node;
	struct rec_vf vfs[N_VFS];
	struct rec_lease leases[N_LEASES];
	char blobs[N_BLOBS][200]; /* "": there is none */
	int64_t clock_ns;
	uint64_t seed;
} w;

static struct vfk_err err;

static void must(int rc)
{
	if (rc == 0)
		return;
	fprintf(stderr, "make_journal: %s\n", err.msg);
	exit(1);
}

static uint64_t not_random(void *arg)
{
	(void)arg;
	return w.seed = w.seed * UINT64_C(6364136223846793005) +
			UINT64_C(1442695040888963407);
}

static void stamp(struct rec_meta *meta, enum cause_kind cause, const char *text)
{
	w.clock_ns += 1234567;
	meta->wall_ns = INT64_C(1795370000000000000) + w.clock_ns;
	meta->boot_ns = INT64_C(86400000000000) + w.clock_ns;
	snprintf(meta->boot_id, sizeof(meta->boot_id),
		 "6f1d2c3b-4a59-4868-8776-95a4b3c2d1e0");
	meta->cause = (uint8_t)cause;
	snprintf(meta->cause_text, sizeof(meta->cause_text), "%s", text);
}

static int put(struct journal *j, uint16_t type, struct strbuf *buf)
{
	uint64_t offset;
	int rc = journal_snapshot_put(j, type, buf->data, buf->len, &offset, &err);

	buf->len = 0;
	return rc;
}

static struct rec_blob blob(unsigned i)
{
	return (struct rec_blob){ .id = i + 1,
				  .bytes = w.blobs[i],
				  .len_bytes = strlen(w.blobs[i]) };
}

static int snapshot(void *arg, struct journal *j, struct vfk_err *unused)
{
	struct strbuf buf = { 0 };

	(void)arg;
	(void)unused;
	codec_put_node(&buf, &w.node);
	must(put(j, REC_NODE, &buf));
	for (unsigned i = 0; i < N_BLOBS; i++) {
		struct rec_blob rec = blob(i);

		if (!rec.len_bytes)
			continue;
		codec_put_blob(&buf, &rec);
		must(put(j, REC_BLOB, &buf));
	}
	for (unsigned i = 0; i < N_VFS; i++) {
		codec_put_vf(&buf, &w.vfs[i]);
		must(put(j, REC_VF, &buf));
	}
	for (unsigned i = 0; i < N_LEASES; i++) {
		if (w.leases[i].state <= LEASE_NONE)
			continue;
		codec_put_lease(&buf, &w.leases[i]);
		must(put(j, REC_LEASE, &buf));
	}
	strbuf_free(&buf);
	return 0;
}

static uint64_t append(enum record_type type, struct strbuf *buf)
{
	uint64_t seq;

	must(journal_append(w.j, (uint16_t)type, buf->data, buf->len, &seq, &err));
	strbuf_free(buf);
	return seq;
}

static void sync_now(void)
{
	unsigned file;
	uint64_t upto;
	int fd;

	if (!journal_want_sync(w.j, &fd, &file, &upto))
		return;
	if (fdatasync(fd) < 0)
		exit(1);
	journal_synced(w.j, file, upto, 0);
}

static void vf(unsigned i, enum vf_event event, enum cause_kind cause, const char *text)
{
	struct rec_vf *r = &w.vfs[i];
	struct vf_fsm fsm = { (enum vf_state)r->state, r->foreign };
	struct strbuf buf = { 0 };
	unsigned todo;

	r->from = r->state;
	r->event = (uint8_t)event;
	if (!vf_step(&fsm, event, &todo)) {
		fprintf(stderr, "make_journal: VF %u has no %s in %s\n", i,
			vf_event_name(event), vf_state_name((enum vf_state)r->from));
		exit(1);
	}
	r->state = (uint8_t)fsm.state;
	r->foreign = fsm.foreign;
	stamp(&r->meta, cause, text);
	if (r->from != r->state)
		r->since_wall_ns = r->meta.wall_ns;
	codec_put_vf(&buf, r);
	append(REC_VF, &buf);
}

static void lease(unsigned i, enum lease_event event, enum cause_kind cause,
		  const char *text)
{
	struct rec_lease *r = &w.leases[i];
	enum lease_state state = r->state ? (enum lease_state)r->state : LEASE_NONE;
	struct strbuf buf = { 0 };
	unsigned todo;

	r->from = (uint8_t)state;
	r->event = (uint8_t)event;
	if (!lease_step(&state, event, &todo))
		exit(1);
	r->state = (uint8_t)state;
	stamp(&r->meta, cause, text);
	codec_put_lease(&buf, r);
	append(REC_LEASE, &buf);
}

static void add_blob(unsigned i, const char *text)
{
	struct strbuf buf = { 0 };
	struct rec_blob rec;

	snprintf(w.blobs[i], sizeof(w.blobs[i]), "%s", text);
	rec = blob(i);
	codec_put_blob(&buf, &rec);
	append(REC_BLOB, &buf);
}

static void owner(struct attachment *att, struct pod_ref *pod, const char *container,
		  const char *name)
{
	snprintf(att->network, sizeof(att->network), "ib-net");
	snprintf(att->container, sizeof(att->container), "%s", container);
	snprintf(att->ifname, sizeof(att->ifname), "net1");
	snprintf(pod->ns, sizeof(pod->ns), "training");
	snprintf(pod->name, sizeof(pod->name), "%s", name);
}

static void appear(unsigned i, bool foreign)
{
	struct rec_vf *r = &w.vfs[i];

	*r = (struct rec_vf){ .addr = 0x3b01 + i,
			      .pf = 0x3b00,
			      .index = (uint16_t)i,
			      .incarnation = 41000 + i,
			      .state = VF_ABSENT,
			      .nsid = -1,
			      .foreign = foreign };
	snprintf(r->driver, sizeof(r->driver), i < 2 ? "infiniband" : "ethernet");
	if (!foreign) {
		struct vf_settings *set = &r->baseline.set;

		r->baseline.valid = true;
		r->ifindex = 100 + i;
		snprintf(r->baseline.ifname, sizeof(r->baseline.ifname), "ibv%u", i);
		snprintf(r->baseline.driver, sizeof(r->baseline.driver), "mlx5_core");
		if (i < 2) {
			set->has = HAS_LINK_STATE | HAS_NODE_GUID | HAS_PORT_GUID;
			set->node_guid = set->port_guid = UINT64_C(0x0002c90300a1b000) + i;
			snprintf(r->baseline.rdma_dev, sizeof(r->baseline.rdma_dev),
				 "mlx5_%u", i);
			r->baseline.hwaddr_len = 20;
			memset(r->baseline.hwaddr, 0x80 + (int)i, 20);
		} else {
			set->has = HAS_MAC | HAS_VLAN | HAS_SPOOFCHK | HAS_TRUST |
				   HAS_MTU | HAS_MIN_TX | HAS_MAX_TX;
			memcpy(set->mac, "\x02\x00\x00\x00\x00\x07", 6);
			set->vlan = 100;
			set->vlan_proto = 0x8100;
			set->spoofchk = 1;
			set->mtu_bytes = 9000;
			set->max_tx_mbps = 25000;
			r->baseline.hwaddr_len = 6;
			memcpy(r->baseline.hwaddr, set->mac, 6);
		}
	}
	vf(i, VF_EV_APPEARED, CAUSE_ENGINE, "discovery");
}

/* RESERVED and ASKED, as an ADD writes them. */
static void reserve(unsigned i, const char *container, const char *pod, const char *cause)
{
	struct rec_vf *r = &w.vfs[i];
	struct rec_lease *l = &w.leases[i];

	owner(&r->owner, &r->pod, container, pod);
	r->nonce = (struct frame_nonce){ UINT64_C(0x0123456789abcdef) + i,
					 UINT64_C(0xfedcba9876543210) - i };
	r->client_start_ns = UINT64_C(86400500000000) + i;
	r->plan = 1;
	r->wanted.has = HAS_LINK_STATE | HAS_NODE_GUID | HAS_PORT_GUID;
	r->wanted.link_state = LINK_STATE_ENABLE;
	r->wanted.node_guid = r->wanted.port_guid = UINT64_C(0xfeedc0ffee000000) + i;
	r->lease_id = w.node.next_lease_id++;
	r->request_blob = i + 1;
	*l = (struct rec_lease){ .id = r->lease_id, .vf = r->addr, .request_blob = i + 1 };
	owner(&l->owner, &l->pod, container, pod);
	snprintf(l->plugin, sizeof(l->plugin), "host-local");
	r->attach_seq = journal_last(w.j) + 1;
	vf(i, VF_EV_ADD, CAUSE_REQUEST, cause);
	l->asked_wall_ns = r->meta.wall_ns;
	l->nonce = r->nonce;
	lease(i, LEASE_EV_ASK, CAUSE_REQUEST, cause);
	sync_now();
}

static void attach(unsigned i, const char *cause)
{
	struct rec_vf *r = &w.vfs[i];

	lease(i, LEASE_EV_ANSWERED, CAUSE_REQUEST, cause);
	r->begun = r->touched = 0x0d;
	r->done = 0x05;
	vf(i, VF_EV_STEP, CAUSE_REQUEST, cause);
	r->done = 0x0d;
	r->netns_cookie = 4711 + i;
	r->nsid = (int32_t)i;
	r->ifindex = 200 + i;
	vf(i, VF_EV_SETUP_DONE, CAUSE_REQUEST, cause);
}

static void detach(unsigned i, const char *cause)
{
	struct rec_vf *r = &w.vfs[i];

	r->plan = 2;
	r->begun = r->done = 0;
	vf(i, VF_EV_DEL, CAUSE_REQUEST, cause);
	lease(i, LEASE_EV_DEL, CAUSE_REQUEST, cause);
	r->begun = 0x1500;
	r->done = 0x0100;
	vf(i, VF_EV_STEP, CAUSE_REQUEST, cause);
}

static void forget(unsigned i)
{
	struct rec_vf *r = &w.vfs[i];

	memset(&r->owner, 0, sizeof(r->owner));
	memset(&r->pod, 0, sizeof(r->pod));
	memset(&r->nonce, 0, sizeof(r->nonce));
	memset(&r->wanted, 0, sizeof(r->wanted));
	r->attach_seq = r->client_start_ns = r->netns_cookie = 0;
	r->begun = r->done = r->touched = r->attempts = 0;
	r->lease_id = r->request_blob = r->result_blob = 0;
	r->plan = 0;
	r->nsid = -1;
	r->ifindex = 100 + i;
}

static void story(void)
{
	for (unsigned i = 0; i < 3; i++)
		appear(i, false);
	appear(3, true);
	snprintf(w.vfs[3].reason, sizeof(w.vfs[3].reason),
		 "its link is in another namespace");
	for (unsigned i = 0; i < 3; i++) {
		char container[32], text[100];

		snprintf(container, sizeof(container), "c0ffee%u", i);
		snprintf(text, sizeof(text), "{\"name\":\"ib-net\",\"n\":%u}", i);
		add_blob(i, text);
		snprintf(text, sizeof(text), "ADD %s/net1", container);
		/* A pod whose name a terminal should not see raw. */
		reserve(i, container, i == 1 ? "worker-\"1\"\x1b[31m\xc3\xa4" : "worker",
			text);
		attach(i, text);
		if (i < 2) /* the file is left in the middle of what goes on */
			must(journal_begin(w.j, &err));
	}
	detach(0, "DEL c0ffee0/net1");
	lease(0, LEASE_EV_PAID, CAUSE_REQUEST, "DEL c0ffee0/net1");
	forget(0);
	vf(0, VF_EV_RESTORE_DONE, CAUSE_REQUEST, "DEL c0ffee0/net1");
	detach(2, "DEL c0ffee2/net1");
	w.vfs[2].attempts = 8;
	snprintf(w.vfs[2].reason, sizeof(w.vfs[2].reason),
		 "settings_home: EBUSY eight times");
	vf(2, VF_EV_GAVE_UP, CAUSE_ENGINE, "deadline of settings_home");
	for (unsigned i = 1; i <= 3; i++) {
		w.leases[2].attempts = i;
		snprintf(w.leases[2].last_error, sizeof(w.leases[2].last_error),
			 "host-local: no such network (attempt %u)", i);
		lease(2, LEASE_EV_UNPAID, CAUSE_ENGINE, "retry");
	}
	vf(1, VF_EV_ADMIN_RELEASE, CAUSE_ADMIN, "vfctl release 0000:3b:00.2");
}

int main(int argc, char *argv[])
{
	struct journal_cfg cfg = { .min_size = FILE_BYTES,
				   .snapshot = snapshot,
				   .random = not_random };
	struct journal_status st;
	struct disk disk;

	if (argc != 2) {
		fprintf(stderr, "usage: make_journal DIR\n");
		return 2;
	}
	w.seed = 20261122;
	stamp(&w.node.meta, CAUSE_ENGINE, "first start");
	snprintf(w.node.version, sizeof(w.node.version), "0.1.0");
	w.node.next_lease_id = 1;
	w.node.records_missing = true;
	snprintf(w.node.missing_reason, sizeof(w.node.missing_reason),
		 "the journal is new");
	for (unsigned i = 0; i < N_VFS; i++)
		w.vfs[i] = (struct rec_vf){
			.addr = 0x3b01 + i, .pf = 0x3b00, .state = VF_ABSENT, .nsid = -1
		};
	must(fs_disk(&disk, argv[1], false, &err));
	cfg.disk = &disk;
	must(journal_open(&w.j, &cfg, NULL, &st, &err));
	story();
	journal_close(w.j);
	return 0;
}
