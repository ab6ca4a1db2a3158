/* SPDX-License-Identifier: Apache-2.0 */
/* The node as the engine believes it to be: VFs, leases, PFs and the blobs that they refer
 * to.  Built by replaying journal records, changed by the engine, written out as a
 * snapshot.  Tools read it too.  Layer: engine. */
#ifndef VFK_ENGINE_NODE_H
#define VFK_ENGINE_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "fsm/lease.h"
#include "fsm/port.h"
#include "fsm/vf.h"
#include "io/codec.h"
#include "io/journal.h"

struct request;
struct job;

struct vf {
	struct rec_vf rec; /* as last written; rec.state mirrors fsm.state */
	struct vf_fsm fsm;
	/* Run time only. */
	bool seen;	 /* discovery of this engine found it */
	uint32_t cannot; /* settings (enum vf_has) that the device does not have */
	bool verified;	 /* the kernel agreed with the record since this engine began */
	struct job *job; /* the job that runs on it, or NULL */
	bool stuck;	 /* its byte is held by a step past its deadline, or by nobody
			       * that this engine knows */
	bool look_again; /* its netns died while it was looked at */
	bool own_known;	 /* foreign: rec.own has the addresses that its link has */
	bool admin_look; /* vfctl reconcile waits for the look that runs */
	struct request *adder; /* the request whose ADD this RESERVED is */
	struct list queue;     /* of struct request: ADDs that wait for this VF */
	int netns_fd;	       /* of the pod, kept until the link has left; -1 */
	int64_t netns_until_ns;
	int64_t retry_at_ns;	/* next attempt of a plan or repair; 0: none due */
	int64_t since_boot_ns;	/* when this state began, or this engine */
	uint32_t n_changes;	/* of its state, in this engine */
	uint64_t act_after_seq; /* an administrator's word has to be on the disk first */
	bool link_left;		/* during this release: IPAM may be paid (R11) */
	bool rebind;		/* the PF-side settings asked for a rebind */
	bool half_bound;	/* perhaps without a driver until its next rebind ends */
	uint32_t plan_failed;	/* steps that failed in this round of the detach plan */
	bool hinted;		/* an event spoke of it: it is looked at soon */
	uint32_t mtu_free; /* of its link, when it was last seen free; 0: not known */
	bool name_free; /* the last discovery: its baseline name is not its due any more */
	bool renewed;	/* free, and its link has another index than before */
	int64_t renewed_ns; /* since when its RDMA device is waited for then; 0: not */
};

struct lease {
	struct list link; /* node.leases */
	struct rec_lease rec;
	enum lease_state state;
	/* Run time only. */
	struct request *runner; /* the client that runs its plugin now, or NULL */
	bool paying;		/* by runner or by job */
	int64_t turn_ns;	/* of the job among young plugins; 0: it has none */
	struct job *job;
	int64_t retry_at_ns;
	int64_t wait_until_ns; /* the byte may be held by a lost plugin until then (R9) */
};

struct pf {
	pci_addr_t addr;
	char ifname[16];
	char driver[16];
	uint8_t n_ports;
	enum port_state ports[4];
	uint16_t n_vfs;
	bool seen;	     /* by the discovery at hand */
	bool asking;	     /* a job asks for its ports */
	int64_t asked_ns;    /* since then */
	int64_t ask_at_ns;   /* the next one is due; 0: not so */
	int64_t since_ns;    /* when a port last changed */
	unsigned link_flags; /* of its link, as the last event had them */
	/* Transitions of its ports, by the new state. */
	uint64_t n_came_to[PORT_FATAL + 1];
};

/* A blob stays in the journal file; only where is kept in memory (R15). */
struct blob_place {
	unsigned file;
	uint64_t generation, offset;
	size_t payload_bytes; /* of the record */
};

struct blob {
	uint64_t id;
	unsigned refs;
	/* A snapshot that was being written may come to nothing: the place before it stays
	 * good until the next one. */
	struct blob_place place, before;
	uint32_t crc; /* of its bytes, to find an equal one */
	size_t len_bytes;
};

struct node {
	struct rec_node rec;
	struct vf **vfs; /* sorted by address */
	size_t n_vfs, cap_vfs;
	struct list leases;
	size_t n_leases;
	struct pf *pfs; /* found by discovery, not in the journal */
	size_t n_pfs;
	struct blob **blobs; /* sorted by id */
	size_t n_blobs, cap_blobs;
	uint64_t blob_bytes;
	uint64_t last_seq; /* highest sequence replayed */
	/* Within node_open_journal: what it has found so far; else NULL. */
	const struct journal_status *opening;
};

void node_init(struct node *n);
void node_fini(struct node *n);

/* A journal_record_fn with a struct node as 'arg'. */
int node_replay(void *arg, const struct journal_record *rec,
		struct vfk_err *err) VFK_MUST_CHECK;
/* P10: marks that records may be missing, and that no VF has been looked at since, where the
 * journal is new, damaged or of an unknown version. */
void node_mark_missing(struct node *n, const struct journal_status *st);
/* Writes everything as snapshot records (struct journal_cfg.snapshot; 'arg' = node), with that
 * mark where 'opening' asks for it: an engine may die right behind it. */
int node_snapshot(void *arg, struct journal *j, struct vfk_err *err) VFK_MUST_CHECK;
/* journal_open for a node (cfg->arg) that begins: with node_snapshot, and what is found marks
 * the first snapshot.  'fn' is node_replay or calls it. */
int node_open_journal(struct journal **out, const struct journal_cfg *cfg,
		      journal_record_fn fn, struct journal_status *st,
		      struct vfk_err *err) VFK_MUST_CHECK;
/* After the replay: drops blobs that nothing refers to, sets rec.state mirrors. */
void node_settle(struct node *n);

struct vf *node_vf(const struct node *n, pci_addr_t addr);
struct vf *node_vf_add(struct node *n, pci_addr_t addr); /* existing or new; NULL: memory */
/* The VF that 'att' owns.  An empty network in 'att' matches any (P6). */
struct vf *node_vf_of(const struct node *n, const struct attachment *att);
struct pf *node_pf(const struct node *n, pci_addr_t addr);
struct pf *node_pf_add(struct node *n, pci_addr_t addr);
/* Index of a port that is FATAL; else, if no port of the PF has a link, of the first one; -1:
 * nothing is wrong.  What has not been asked is not wrong. */
int pf_bad_port(const struct pf *pf);

struct lease *node_lease(const struct node *n, uint64_t id);
/* The lease of 'att' that is not NONE; of several the newest. */
struct lease *node_lease_of(const struct node *n, const struct attachment *att);
struct lease *node_lease_add(struct node *n, uint64_t id);
void node_lease_remove(struct node *n, struct lease *l);

struct blob *node_blob(const struct node *n, uint64_t id);
/* An equal one, its reference count raised, or a new one written to the journal with one
 * reference.  0 on error with 'err' set. */
uint64_t node_blob_put(struct node *n, struct journal *j, const void *bytes,
		       size_t len_bytes, struct vfk_err *err);
void node_blob_drop(struct node *n, uint64_t id); /* one reference less; 0 is allowed */
/* Reads it back from the journal; the caller frees. NULL with 'err' set. */
char *node_blob_get(const struct node *n, const struct journal *j, uint64_t id,
		    size_t *len_bytes, struct vfk_err *err);

#endif
