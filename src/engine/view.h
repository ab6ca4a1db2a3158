/* SPDX-License-Identifier: Apache-2.0 */
/* What the tools show: a node, or the history of one VF, as JSON, and JSON as text.  The
 * engine answers with these, and vfctl builds the same answers from the journal where no
 * engine is.  Looks only.  Layer: engine. */
#ifndef VFK_ENGINE_VIEW_H
#define VFK_ENGINE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "engine/node.h"
#include "engine/sources.h"
#include "io/codec.h"

/* Facts about the engine and its journal for 'status' and 'version'. */
struct view_status {
	const char *mode; /* "service", "on demand", or "none": read from the journal */
	const char *version; /* of the engine, or of the program that wrote the journal */
	int pid;	     /* 0: none */
	int64_t started_boot_ns;
	const char *boot_id;
	const char *journal; /* "clean", "torn", "damaged", ...: verdict at the start */
	const char *broken; /* why nothing can be recorded; "" or NULL: the journal works */
	bool journal_failed; /* a sync failed and no new file has been begun */
	uint64_t last_seq, durable_upto;
	unsigned n_jobs_running, n_jobs_waiting, n_requests, n_clients;
	uint64_t n_dropped_events; /* refused by a state machine */
	uint64_t n_looks;	   /* at single VFs */
	uint64_t n_port_changes, n_port_failures;
	const struct event_count *events; /* by enum event_source; NULL: none */
	bool discovered;		  /* the first look at the devices is over */
	unsigned n_workers;		  /* for metrics alone, as the next */
	uint64_t n_worker_starts;
};

struct view {
	const struct node *node;
	const struct view_status *status;
	int64_t wall_ns, boot_ns; /* now */
	bool live; /* an engine's node: what is known at run time only is shown, too */
};

/* Answers a command of kind CTL_READ: list, show, status, leases, version.  The caller frees
 * '*json' (a document, indented, ended by a newline).  VFK_E_UNSUPPORTED: not one of these;
 * VFK_E_USAGE, VFK_E_NOTFOUND: see view_find. */
int view_command(const struct view *v, const struct ctl_request *rq, char **json,
		 struct vfk_err *err) VFK_MUST_CHECK;

/* One object, a new reference; NULL: out of memory. */
json_t *view_list(const struct view *v);
json_t *view_vf(const struct view *v, const struct vf *vf); /* as in the list */
json_t *view_show(const struct view *v, const struct vf *vf);
json_t *view_leases(const struct view *v);
json_t *view_status(const struct view *v);
json_t *view_ports(const struct view *v);
json_t *view_cordons(const struct view *v); /* an array */
/* Frees 'doc'; the caller frees the text. */
int view_dump(json_t *doc, char **json, struct vfk_err *err) VFK_MUST_CHECK;

/* The VF that the words name: a PCI address, PF/index (PF by address or netdev), its netdev
 * or RDMA device at home, a GUID or MAC, CID/IFNAME (a beginning of the container ID, 6
 * characters at least, will do), or "pod" and NAMESPACE/NAME.  VFK_E_NOTFOUND; VFK_E_USAGE
 * (several: they are named; or words that cannot be a name). */
int view_find(const struct node *node, const char *const *words, unsigned n_words,
	      const struct vf **out, struct vfk_err *err) VFK_MUST_CHECK;
/* Whether a record (of the past, for instance) is of the owner or pod that the words name. */
bool view_names_owner(const struct rec_vf *rec, const char *const *words, unsigned n_words);

/* One journal record of a VF or of a lease made for it, oldest first. */
struct view_record {
	uint64_t seq;
	bool in_snapshot;
	uint16_t type; /* REC_VF, REC_LEASE; for view_event also REC_NODE */
	union {
		struct rec_vf vf;
		struct rec_lease lease;
		struct rec_node node;
	};
};

/* One record as an event: {"what", "seq", "time", "vf", "from", "to", "event", "pod", "owner",
 * "cause", "cause_text", "text", ...}.  'last' is the VF's record before, or NULL. */
json_t *view_event(const struct view_record *r, const struct rec_vf *last);
/* The same in one line for people. */
void view_event_text(struct strbuf *out, const json_t *event);

/* The story of one VF: {"address", "now", "story": [{seq, time, from, to, event, cause, text,
 * did, ...}], "advice"}.  'vf' may be NULL: it is not known any more. */
json_t *view_explain(const struct view *v, pci_addr_t addr, const struct vf *vf,
		     const struct view_record *const *records, size_t n_records);

/* The answer to 'command' as text for people: aligned columns, ages like 3m2s. */
int view_text(struct strbuf *out, const char *command, const char *json, size_t len_bytes,
	      struct vfk_err *err) VFK_MUST_CHECK;
/* What 'status -v' adds to the text of the same answer: what the engine listens to. */
int view_status_more(struct strbuf *out, const char *json, size_t len_bytes,
		     struct vfk_err *err) VFK_MUST_CHECK;
/* "3m2s", "2d4h", "0s" into 'buf', which is returned. */
const char *view_age(int64_t seconds, char buf[24]);

#endif
