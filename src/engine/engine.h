/* SPDX-License-Identifier: Apache-2.0 */
/* The engine: CNI requests and events in, journal records, jobs and answers out.  One
 * thread; it reaches the outside only through struct engine_ops, the journal and what its
 * owner calls here, so that a simulator can be the world.  P1 to P10 and R1 to R16 in our
 * comments are those of vfkeeper-rules(7).  Layer: engine.
 *
 * How one ADD flows: engine_request (request.c) -> the ADD table (add.c) -> RESERVED and
 * ASKED written (setup.c, lease.c) -> synced -> RUN frame -> engine_ran -> HELD written ->
 * attach plan as jobs (setup.c, sched.c) -> ATTACHED written -> answer. */
#ifndef VFK_ENGINE_ENGINE_H
#define VFK_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/frame.h"
#include "engine/config.h"
#include "engine/job.h"
#include "engine/node.h"
#include "io/journal.h"

struct engine;

struct engine_ops {
	void *ctx;
	int64_t (*boot_ns)(void *ctx);
	int64_t (*wall_ns)(void *ctx);

	/* Starts a job in a worker; its end is engine_job_done or engine_job_lost.  'fds' stay
	 * the caller's.  'kind' SYNC goes to a worker of its own. */
	int (*job)(void *ctx, const struct job_req *rq, size_t len_bytes, const int *fds,
		   unsigned n_fds, struct vfk_err *err);
	/* The job missed its deadline: end its worker.  engine_job_lost follows when the
	 * worker is really gone (with the kernel's last word), which may be never. */
	void (*job_kill)(void *ctx, uint64_t job_id);
	/* Call engine_turn at this time at the latest. */
	void (*wake_at)(void *ctx, int64_t at_boot_ns);

	/* Frames to a client; 'client' is what engine_request was given.  After 'answer'
	 * the engine never names that client again. */
	void (*answer)(void *ctx, void *client, int exit_code, const char *text,
		       size_t len);
	int (*run)(void *ctx, void *client, struct frame_run *run, const int *fds,
		   unsigned n_fds, struct vfk_err *err);
	void (*cancel)(void *ctx, void *client);

	/* inflight.h on PATH_INFLIGHT. */
	int (*lock)(void *ctx, uint64_t byte, int *fd, struct vfk_err *err);
	bool (*held)(void *ctx, uint64_t byte);

	/* A new memfd with these bytes; the caller's. -1: out of something. */
	int (*memfd)(void *ctx, const char *name, const void *bytes, size_t len);
	/* What the worker of a DISCOVER job has written into its memfd; the caller frees. */
	char *(*slurp)(void *ctx, int fd, size_t *len);
	/* Finds an IPAM plugin: the first hit in 'cni_path'; false: none. */
	bool (*find_plugin)(void *ctx, const char *cni_path, const char *type, char *out,
			    size_t cap);
	/* plugin_trusted of base/plugin.h. */
	bool (*plugin_trusted)(void *ctx, const char *path);
	/* Facts about a netns descriptor: is it one, is it the engine's own. */
	bool (*netns_valid)(void *ctx, int fd, bool *own);

	/* A transition has happened ('rec' is a struct rec_vf or rec_lease), or what is known
	 * of the node has changed (rec_node); NULL: nobody looks.  It must not call the
	 * engine. */
	void (*told)(void *ctx, enum record_type type, const void *rec, uint64_t seq);
};

struct recent_del;

struct engine_cfg {
	const struct config *config;
	const struct engine_ops *ops;
	struct node *node;	 /* replayed and settled; engine_free empties it */
	struct journal *journal; /* NULL: cannot be written, 'broken' says why (P10) */
	const char *broken;
	struct recent_del *recent_del; /* the engine's from now on */
	const char *boot_id;
};

/* Takes over node, journal and recent_del also on failure. */
int engine_new(struct engine **out, const struct engine_cfg *cfg,
	       struct vfk_err *err) VFK_MUST_CHECK;
/* Frees everything; running jobs go on without it. */
void engine_free(struct engine *e);

/* The REBOOT step if this is the first engine of the boot (R13), replay of what was under
 * way, the discovery job.  To be called once, before requests. */
void engine_begin(struct engine *e);

/* One request: the descriptors become the engine's.  'client' names its connection. */
void engine_request(struct engine *e, void *client, const struct frame_request *frame,
		    int stdin_fd, int env_fd, int netns_fd);
/* A DEL from the spool; returns a negative kind if its record could not be written. */
int engine_spooled(struct engine *e, enum cni_dialect dialect, const char *env,
		   size_t env_len, const char *text, size_t text_len, const char *boot_id,
		   uint64_t start_ns, struct vfk_err *err) VFK_MUST_CHECK;
void engine_ran(struct engine *e, void *client, const struct frame_ran *ran,
		const char *out, size_t out_len);
void engine_client_gone(struct engine *e, void *client);

void engine_job_done(struct engine *e, const struct job_res *res);
void engine_job_lost(struct engine *e, uint64_t job_id, const char *why);

/* --- what the kernel says (hints.c): events in any order, late, doubled or lost --- */

/* A namespace that had this number in the home namespace is gone (RTM_DELNSID). */
void engine_nsid_gone(struct engine *e, int32_t nsid);
struct link;
/* A link of the namespace 'nsid' (LINK_HERE: home) is as 'link' says, or is 'gone' from there. */
void engine_link_event(struct engine *e, const struct link *link, int32_t nsid, bool gone);
enum device_event {
	DEVICE_CAME,
	DEVICE_WENT,
	DEVICE_CHANGED, /* its driver, its number of VFs */
	DEVICE_LINK,	/* one of its links came, went or got another name: 'name' */
	DEVICE_RDMA	/* its RDMA device, likewise */
};
/* Of the function 'addr' of the bus. */
void engine_device_event(struct engine *e, pci_addr_t addr, enum device_event ev,
			 const char *name);
void engine_rdma_event(struct engine *e, const char *name, bool gone);
/* Something may have happened to this VF: it is looked at. */
void engine_vf_touched(struct engine *e, pci_addr_t addr);
/* VFs or PFs came or went: a discovery soon. */
void engine_bus_changed(struct engine *e);
/* 'port' of a PF, from 1; 0: all of them. */
void engine_port_event(struct engine *e, pci_addr_t pf, unsigned port, enum port_event ev);
/* Events were lost: everything is looked at again. */
void engine_resync(struct engine *e);

/* When the last discovery that worked began; 0: none has. */
int64_t engine_discovered_ns(const struct engine *e);

/* Time passed or events were delivered: deadlines, retries, syncs.  Once per loop turn. */
void engine_turn(struct engine *e);

/* A journal that could not be opened at the start can be now: it becomes the engine's, with
 * a snapshot of what is so.  VFK_E_SYS: not yet, and 'j' is closed. */
int engine_take_journal(struct engine *e, struct journal *j) VFK_MUST_CHECK;
/* The process is about to end: what could not be recorded is tried once more at the next turn
 * (P10: the next engine knows nothing else of it). */
void engine_ends(struct engine *e);
/* Nothing that would be lost or left half done if the process ended now. */
bool engine_quiet(const struct engine *e);
/* Something that keeps an engine on demand alive: RESERVED, DETACHING, ASKED, OWED, a
 * locked byte, a client, a journal that cannot be written. */
bool engine_busy(const struct engine *e);

/* --- administration: admin.c --- */

struct cni_fail;
struct ctl_request;
struct strbuf;
struct view_status;

/* Answers 'rq', a checked command that is sent (ctl_cmds.h), with a JSON text that the
 * caller frees.  The engine's part of 'facts' is filled here, the rest by the caller.
 * Returns 0; or one of enum engine_wait: the answer is engine_waited's when engine_waits is
 * false for it and '*pending'; or an error. */
int engine_admin(struct engine *e, const struct ctl_request *rq, struct view_status *facts,
		 char **json, pci_addr_t *pending, struct vfk_err *err) VFK_MUST_CHECK;
enum engine_wait {
	ENGINE_WAIT_VF = 1, /* the VF '*pending' is on its way to another state */
	ENGINE_WAIT_DISK,   /* the record '*pending' is not synced */
	ENGINE_WAIT_LOOKS   /* VFs are being looked at */
};

bool engine_waits(const struct engine *e, enum engine_wait wait, uint64_t pending);
/* The answer, whether it still waits or not; the caller frees '*json'. */
int engine_waited(struct engine *e, enum engine_wait wait, uint64_t pending, char **json,
		  struct vfk_err *err) VFK_MUST_CHECK;

/* The configuration has changed, in what may change (config_reload). */
void engine_reload(struct engine *e, const struct config *config);

const struct node *engine_node(const struct engine *e);

/* Whether an ADD would be served now; else '*why'. */
bool engine_serves_add(struct engine *e, struct cni_fail *why);
/* All that is counted, as text for Prometheus; 'facts' as for engine_admin. */
void engine_metrics(struct engine *e, const struct view_status *facts, struct strbuf *out);

#endif
