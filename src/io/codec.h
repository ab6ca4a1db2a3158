/* SPDX-License-Identifier: Apache-2.0 */
/* Journal records and control messages as plain structs, and their protobuf encoding
 * (proto/journal.proto, proto/control.proto).  codec.c alone sees protobuf-c types.  It
 * stores numbers and strings; what they mean is the engine's business.  Layer: io. */
#ifndef VFK_IO_CODEC_H
#define VFK_IO_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attachment.h"
#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/frame.h"
#include "base/pci.h"
#include "base/strbuf.h"
#include "base/vfconf.h"

/* Types of journal records.  On disk: never reused. */
enum record_type {
	REC_NODE = 1,  /* struct rec_node: boot, marks */
	REC_VF = 2,    /* struct rec_vf: one VF after a transition (or in a snapshot) */
	REC_LEASE = 3, /* struct rec_lease: likewise */
	REC_BLOB = 4 /* struct rec_blob: configuration, environment or result of an ADD */
};

enum cause_kind {
	CAUSE_ENGINE = 1, /* recovery, reconciliation, retry */
	CAUSE_REQUEST,	  /* a CNI call */
	CAUSE_EVENT,	  /* netlink, uevent, RDMA */
	CAUSE_ADMIN	  /* vfctl */
};
const char *cause_kind_name(uint8_t kind); /* "request"; "unknown" */

struct rec_meta {
	int64_t wall_ns, boot_ns;
	char boot_id[BOOT_ID_LEN + 1];
	uint8_t cause;	      /* enum cause_kind */
	char cause_text[120]; /* "DEL c1/net1", "deadline of link_home", ... */
};

enum cordon_scope { CORDON_NONE, CORDON_NODE, CORDON_PF, CORDON_VF };

#define REC_CORDON_MAX 128
#define REC_REASON_LEN 80
struct rec_cordon {
	uint8_t scope;	 /* enum cordon_scope */
	pci_addr_t addr; /* 0 of the node */
	int64_t since_wall_ns;
	char reason[REC_REASON_LEN]; /* "": none was given */
};

struct rec_node {
	struct rec_meta meta;
	char version[32];     /* of the program that wrote it */
	bool records_missing; /* P10: until every VF is verified or an admin accepts */
	char missing_reason[160];
	bool vfs_verified;	/* since then discovery has looked at each VF */
	uint64_t next_lease_id; /* never used again: no lower id may be given out (R9) */
	unsigned n_cordons;	/* what an administrator wants no ADD on */
	struct rec_cordon cordons[REC_CORDON_MAX];
};

#define REC_OWN_MAX 8
#define REC_OWN_BYTES (REC_OWN_MAX * 17)
struct rec_addr {
	uint8_t family; /* AF_INET, AF_INET6 */
	uint8_t addr[16];
};

struct rec_vf {
	struct rec_meta meta;
	pci_addr_t addr, pf;
	uint16_t index;	      /* of the VF in its PF */
	char driver[16];      /* vfkeeper driver: "sim", "infiniband", ... */
	uint64_t incarnation; /* inode of its sysfs device directory; with boot_id (P4) */
	/* The transition: values of fsm/vf.h.  from == state for a progress record. */
	uint8_t from, event, state;
	bool foreign;
	/* The owner, from RESERVED on; empty when FREE or ABSENT. */
	struct attachment owner;
	struct pod_ref pod;
	uint64_t attach_seq; /* sequence of its RESERVED record; 0 without owner */
	struct frame_nonce nonce;
	uint64_t client_start_ns;
	uint64_t netns_cookie; /* 0: not known */
	int32_t nsid;	       /* of the pod netns in the home netns; -1: none */
	int64_t since_wall_ns; /* when this state began */
	/* The plan under way: bits by enum plan_step (engine/plan.h). */
	uint8_t plan;	      /* 0 none, 1 attach, 2 detach */
	uint32_t begun, done; /* steps that may have changed something; that are finished */
	uint32_t touched;  /* attach steps begun by this owner: what detach has to undo */
	uint32_t attempts; /* of the detach plan */
	struct vf_settings wanted; /* what the ADD asked for */
	struct vf_baseline baseline;
	uint32_t ifindex;  /* of its link where it is now; 0: not known */
	uint64_t lease_id; /* 0: no foreign IPAM */
	uint64_t request_blob, result_blob; /* ids; 0: none */
	char reason[200];		    /* FAULTED: why */
	unsigned n_own; /* addresses that IPAM of our own gave to the owner */
	struct rec_addr own[REC_OWN_MAX];
};

struct rec_lease {
	struct rec_meta meta;
	uint64_t id;
	uint8_t from, event, state; /* values of fsm/lease.h */
	struct attachment owner;
	struct pod_ref pod;
	pci_addr_t vf;		  /* whose attachment it was made for */
	struct frame_nonce nonce; /* of the request that asked */
	char plugin[64];	  /* ipam.type */
	uint64_t request_blob;	  /* configuration and environment of the ADD */
	uint32_t attempts;	  /* of paying */
	int64_t asked_wall_ns;
	char last_error[200];
};

/* A blob is {u32 env_len, env bytes, stdin bytes} for a request, text for a result. */
struct rec_blob {
	uint64_t id;
	const void *bytes; /* borrowed */
	size_t len_bytes;
};

/* Encoders append to 'out' (out->failed on lack of memory). */
void codec_put_node(struct strbuf *out, const struct rec_node *rec);
void codec_put_vf(struct strbuf *out, const struct rec_vf *rec);
void codec_put_lease(struct strbuf *out, const struct rec_lease *rec);
void codec_put_blob(struct strbuf *out, const struct rec_blob *rec);

/* The addresses of a VF record as they stand in it; returns the length. */
size_t codec_own_put(const struct rec_vf *rec, uint8_t out[REC_OWN_BYTES]);

/* Decoders fill 'rec' completely; VFK_E_DECODE names the record type and the field that does
 * not fit (string too long, number out of range).  Unknown fields are ignored.
 * A blob's bytes point into a buffer that the caller frees with free(*hold). */
int codec_get_node(const void *buf, size_t len, struct rec_node *rec,
		   struct vfk_err *err) VFK_MUST_CHECK;
int codec_get_vf(const void *buf, size_t len, struct rec_vf *rec,
		 struct vfk_err *err) VFK_MUST_CHECK;
int codec_get_lease(const void *buf, size_t len, struct rec_lease *rec,
		    struct vfk_err *err) VFK_MUST_CHECK;
int codec_get_blob(const void *buf, size_t len, struct rec_blob *rec, void **hold,
		   struct vfk_err *err) VFK_MUST_CHECK;

/* --- control.sock --- */

#define CTL_VERSION 1
#define CTL_MAX_ARGS 8
#define CTL_PART_MAX (60 * 1024) /* bytes of 'text' in one reply message */

struct ctl_request {
	uint32_t version, id;
	char command[32];
	unsigned n_args;
	char args[CTL_MAX_ARGS][256];
};

/* A reply is one or more messages with the same id; 'more' on all but the last.  'text' of
 * all parts together is one JSON document (kind 0) or empty (an error). */
struct ctl_reply {
	uint32_t version, id;
	uint32_t kind; /* 0, or enum vfk_err_kind */
	char msg[480]; /* error line */
	bool more;
	const char *text; /* borrowed */
	size_t text_len;
};

void codec_put_ctl_request(struct strbuf *out, const struct ctl_request *rq);
int codec_get_ctl_request(const void *buf, size_t len, struct ctl_request *rq,
			  struct vfk_err *err) VFK_MUST_CHECK;
void codec_put_ctl_reply(struct strbuf *out, const struct ctl_reply *rp);
int codec_get_ctl_reply(const void *buf, size_t len, struct ctl_reply *rp, void **hold,
			struct vfk_err *err) VFK_MUST_CHECK;

#endif
