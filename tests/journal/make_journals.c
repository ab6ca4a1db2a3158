/* SPDX-License-Identifier: Apache-2.0 */
/* Writes a journal of a random life into an empty directory: make_journals SEED DIR.  Every
 * field is used, files are left in the middle, full and grown, syncs are done, late and
 * failing.  The same bytes for the same seed.  DIR/durable is /run/vfkeeper/durable. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fsm/lease.h"
#include "fsm/vf.h"
#include "io/codec.h"
#include "io/journal.h"

#define N_VFS 6
#define N_LEASES 4
#define N_BLOBS 3
#define FILE_BYTES (24 * 1024)
#define STEPS 0x3f3f	 /* the bits that are steps */
#define TYPE_OF_LATER 77 /* no version knows it yet */

static struct {
	struct journal *j;
	struct rec_node node;
	struct rec_vf vfs[N_VFS];
	struct rec_lease leases[N_LEASES];
	uint64_t seed, size;
	unsigned n_vfs;
} w;

static struct vfk_err err;

static void must(int rc)
{
	if (rc == 0)
		return;
	fprintf(stderr, "make_journals: %s\n", err.msg);
	exit(1);
}

static uint64_t next_random(void *arg)
{
	uint64_t z = w.seed += UINT64_C(0x9e3779b97f4a7c15);

	(void)arg;
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static uint64_t below(uint64_t n)
{
	return next_random(NULL) % n;
}

/* Small numbers, large ones and 0, as records have them. */
static uint64_t number(uint64_t max)
{
	switch (below(4)) {
	case 0:
		return 0;
	case 1:
		return max;
	case 2:
		return below(max < 300 ? max : 300);
	}
	return max == UINT64_MAX ? next_random(NULL) : below(max + 1);
}

static void text(char *buf, size_t size)
{
	static const char *const words[] = { "",	"net1",
					     "pod",	"\xc3\xa4\xe2\x82\xac",
					     "\"\\",	"\x1b[31m",
					     "a b/c-d", "0000:3b:00.1" };
	size_t n = 0;

	for (uint64_t left = below(4); left; left--) {
		const char *word = words[below(8)];

		/* One word is cut within a character now and then. */
		size_t len = strlen(word) - (*word && !below(8));

		if (n + len < size) {
			memcpy(buf + n, word, len);
			n += len;
		}
	}
	memset(buf + n, 0, size - n);
}
#define TEXT(field) text(field, sizeof(field))

static void meta(struct rec_meta *m)
{
	m->wall_ns = (int64_t)number(INT64_C(1795370000123456789));
	m->boot_ns = (int64_t)number(INT64_MAX);
	m->cause = (uint8_t)below(CAUSE_ADMIN + 1);
	TEXT(m->cause_text);
	if (below(8))
		snprintf(m->boot_id, sizeof(m->boot_id), "6f1d2c3b-4a59-4868-8776-%012llx",
			 (unsigned long long)below(UINT64_C(1) << 48));
	else
		TEXT(m->boot_id);
}

static void settings(struct vf_settings *s)
{
	*s = (struct vf_settings){ .has = (uint32_t)below(0x10000),
				   .link_state = (uint8_t)below(3),
				   .spoofchk = (uint8_t)below(2),
				   .trust = (uint8_t)below(2),
				   .allmulti = (uint8_t)below(2),
				   .promisc = (uint8_t)below(2),
				   .rdma_isolation = (uint8_t)below(2),
				   .ipoib_mode = (uint8_t)below(2),
				   .scrub = (uint8_t)below(2),
				   .node_guid = number(UINT64_MAX),
				   .port_guid = number(UINT64_MAX),
				   .vlan = (uint16_t)number(4095),
				   .qos = (uint16_t)number(7),
				   .vlan_proto = (uint16_t)number(UINT16_MAX),
				   .pkey = (uint16_t)number(UINT16_MAX),
				   .min_tx_mbps = (uint32_t)number(UINT32_MAX),
				   .max_tx_mbps = (uint32_t)number(UINT32_MAX),
				   .mtu_bytes = (uint32_t)number(UINT32_MAX) };
	for (unsigned i = 0; i < 6; i++)
		s->mac[i] = (uint8_t)below(256);
	if (!below(4))
		memset(s, 0, sizeof(*s));
}

static void owner(struct attachment *att, struct pod_ref *pod)
{
	TEXT(att->network);
	TEXT(att->container);
	TEXT(att->ifname);
	TEXT(pod->ns);
	TEXT(pod->name);
}

static void random_vf(struct rec_vf *r, unsigned i)
{
	*r = (struct rec_vf){ .addr = 0x3b01 + i,
			      .pf = number(0xffffffffffff),
			      .index = (uint16_t)number(UINT16_MAX),
			      .incarnation = number(UINT64_MAX / 2),
			      .event = (uint8_t)below(VF_EV_TAKEN + 1),
			      .state = (uint8_t)(1 + below(VF_ABSENT)),
			      .foreign = below(2),
			      .attach_seq = number(UINT32_MAX),
			      .nonce = { number(UINT64_MAX), number(UINT64_MAX) },
			      .client_start_ns = number(INT64_MAX),
			      .netns_cookie = number(INT64_MAX),
			      .nsid = (int32_t)number(INT32_MAX) - 1,
			      .since_wall_ns = (int64_t)number(INT64_C(1795370000123456789)),
			      .plan = (uint8_t)below(3),
			      .begun = STEPS & (uint32_t)below(1 << 14),
			      .done = STEPS & (uint32_t)below(1 << 14),
			      .touched = STEPS & (uint32_t)below(1 << 14),
			      .attempts = (uint32_t)number(UINT32_MAX),
			      .ifindex = (uint32_t)number(INT32_MAX),
			      .lease_id = number(INT64_MAX),
			      .request_blob = number(INT64_MAX),
			      .result_blob = number(INT64_MAX) };
	/* A VF to which nothing happened yet has no transition. */
	r->from = r->event ? (uint8_t)(1 + below(VF_ABSENT)) : 0;
	meta(&r->meta);
	TEXT(r->driver);
	TEXT(r->reason);
	settings(&r->wanted);
	if (below(2))
		owner(&r->owner, &r->pod);
	r->baseline.valid = below(2);
	if (!r->baseline.valid)
		return;
	settings(&r->baseline.set);
	TEXT(r->baseline.ifname);
	TEXT(r->baseline.driver);
	TEXT(r->baseline.rdma_dev);
	r->baseline.hwaddr_len = (uint8_t)(below(2) ? 20 : below(2) ? 6 : 0);
	for (unsigned o = 0; o < r->baseline.hwaddr_len; o++)
		r->baseline.hwaddr[o] = (uint8_t)below(256);
}

static void random_lease(struct rec_lease *r, unsigned i)
{
	*r = (struct rec_lease){ .id = i + 1,
				 .from = (uint8_t)(1 + below(LEASE_OWED)),
				 .event = (uint8_t)(1 + below(LEASE_EV_ADOPT)),
				 .state = (uint8_t)(1 + below(LEASE_OWED)),
				 .vf = below(4) ? 0x3b01 + i : PCI_NONE,
				 .nonce = { number(UINT64_MAX), number(UINT64_MAX) },
				 .request_blob = number(INT64_MAX),
				 .attempts = (uint32_t)number(UINT32_MAX),
				 .asked_wall_ns =
					 (int64_t)number(INT64_C(1795370000123456789)) };
	meta(&r->meta);
	owner(&r->owner, &r->pod);
	TEXT(r->plugin);
	TEXT(r->last_error);
}

static void random_node(void)
{
	meta(&w.node.meta);
	TEXT(w.node.version);
	TEXT(w.node.missing_reason);
	w.node.records_missing = below(2);
	w.node.vfs_verified = below(2);
	w.node.next_lease_id = number(INT64_MAX);
	w.node.n_cordons = below(3) ? 0 : below(4);
	for (unsigned i = 0; i < w.node.n_cordons; i++) {
		struct rec_cordon *c = &w.node.cordons[i];

		c->scope = (uint8_t)below(CORDON_VF + 1);
		c->addr = c->scope == CORDON_NODE ? 0 : number(UINT32_MAX);
		c->since_wall_ns = (int64_t)number(INT64_C(1795370000123456789));
		TEXT(c->reason);
	}
}

/* Encodes a record of a type and says how it gets into the journal. */
typedef int (*write_fn)(struct journal *j, uint16_t type, const void *buf, size_t len);

static int append(struct journal *j, uint16_t type, const void *buf, size_t len)
{
	uint64_t seq;

	return journal_append(j, type, buf, len, &seq, &err);
}

static int put(struct journal *j, uint16_t type, const void *buf, size_t len)
{
	uint64_t offset;

	return journal_snapshot_put(j, type, buf, len, &offset, &err);
}

static void write_one(struct journal *j, uint16_t type, unsigned i, write_fn write)
{
	char bytes[100] = "";
	struct rec_blob blob = { .id = i + 1, .bytes = bytes, .len_bytes = below(100) };
	struct strbuf buf = { 0 };

	switch (type) {
	case REC_NODE:
		codec_put_node(&buf, &w.node);
		break;
	case REC_VF:
		codec_put_vf(&buf, &w.vfs[i]);
		break;
	case REC_LEASE:
		codec_put_lease(&buf, &w.leases[i]);
		break;
	case REC_BLOB:
		codec_put_blob(&buf, &blob);
		break;
	default:
		strbuf_addf(&buf, "what a later version knows");
	}
	must(write(j, type, buf.data, buf.len));
	strbuf_free(&buf);
}

static int snapshot(void *arg, struct journal *j, struct vfk_err *unused)
{
	(void)arg;
	(void)unused;
	write_one(j, REC_NODE, 0, put);
	for (unsigned i = 0; i < N_BLOBS; i++)
		if (below(2))
			write_one(j, REC_BLOB, i, put);
	for (unsigned i = 0; i < w.n_vfs; i++)
		write_one(j, REC_VF, i, put);
	for (unsigned i = 0; i < N_LEASES; i++)
		if (w.leases[i].state > LEASE_NONE)
			write_one(j, REC_LEASE, i, put);
	return 0;
}

static void sync_now(void)
{
	uint64_t upto;
	unsigned file;
	int fd;

	if (!journal_want_sync(w.j, &fd, &file, &upto))
		return;
	if (below(20)) {
		journal_synced(w.j, file, upto, 0);
		return;
	}
	journal_synced(w.j, file, upto, 5);
	must(journal_begin(w.j, &err));
}

static void something(void)
{
	unsigned i = (unsigned)below(N_VFS);

	switch (below(12)) {
	case 0:
		random_node();
		write_one(w.j, REC_NODE, 0, append);
		break;
	case 1:
	case 2:
		random_lease(&w.leases[i % N_LEASES], i % N_LEASES);
		write_one(w.j, REC_LEASE, i % N_LEASES, append);
		break;
	case 3:
		write_one(w.j, REC_BLOB, i % N_BLOBS, append);
		break;
	case 4:
		write_one(w.j, below(3) ? REC_BLOB : TYPE_OF_LATER, 0, append);
		break;
	case 5:
	case 6:
		sync_now();
		break;
	case 7:
		if (!below(6))
			must(journal_begin(w.j, &err));
		else if (!below(6))
			must(journal_grow(w.j, w.size += 4096, &err));
		break;
	default:
		if (i >= w.n_vfs)
			i = w.n_vfs++;
		random_vf(&w.vfs[i], i);
		write_one(w.j, REC_VF, i, append);
	}
}

int main(int argc, char *argv[])
{
	struct journal_cfg cfg = { .min_size = FILE_BYTES,
				   .snapshot = snapshot,
				   .random = next_random };
	struct journal_status st;
	struct disk disk;
	char path[4096];

	if (argc != 3) {
		fprintf(stderr, "usage: make_journals SEED DIR\n");
		return 2;
	}
	w.seed = strtoull(argv[1], NULL, 10);
	w.size = FILE_BYTES;
	snprintf(path, sizeof(path), "%s/durable", argv[2]);
	cfg.durable_path = path;
	random_node();
	must(fs_disk(&disk, argv[2], false, &err));
	cfg.disk = &disk;
	must(journal_open(&w.j, &cfg, NULL, &st, &err));
	for (uint64_t left = 2 + below(80); left; left--)
		something();
	journal_close(w.j);
	return 0;
}
