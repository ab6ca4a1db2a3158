/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the engine share.  Layer: engine; nobody else includes this. */
#ifndef VFK_ENGINE_ENGINE_INTERNAL_H
#define VFK_ENGINE_ENGINE_INTERNAL_H

#include <fcntl.h>

#include "base/clock.h"
#include "base/log.h"
#include "cni/cni.h"
#include "engine/engine.h"
#include "engine/metrics.h"
#include "engine/own_ipam.h"
#include "engine/recent_del.h"

/* How long nobody looks whether a step or plugin of an earlier engine has ended. */
#define BYTE_POLL_NS (50 * NS_PER_MS)
/* R9: the longest that a lost plugin is waited for when its byte stays locked. */
#define LOST_PLUGIN_NS (130 * NS_PER_S)

/* A job that waits or runs (sched.c). */
struct job {
	struct list link; /* engine.jobs_waiting or jobs_running */
	uint64_t id;
	enum job_kind kind;
	enum drv_lock lock;
	pci_addr_t pf;	     /* of LOCK_PF */
	struct vf *vf;	     /* NULL: none */
	uint32_t vf_changes; /* of its state, when the job was made */
	struct lease *lease;
	struct request *request; /* IDENTIFY, OBSERVE for somebody; NULL when they left */
	uint32_t steps;
	int64_t began_ns, deadline_ns; /* set when it starts */
	bool late;		       /* past its deadline; its worker is being ended */
	unsigned sync_file;	       /* SYNC */
	bool sync_names;	       /* SYNC: of the directory, too */
	uint64_t sync_upto;
	int memfd;	     /* DISCOVER; -1 */
	struct job_req *req; /* freed when started */
	size_t req_len;
	int fds[3]; /* owned, beside the inflight descriptor; -1 */
	unsigned n_fds;
	uint64_t byte; /* inflight byte to lock at its start; 0: none */
};

enum request_state {
	REQ_WAIT_DISCOVERY, /* the VF is not known yet */
	REQ_QUEUED,	    /* in vf->queue */
	REQ_OBSERVE,	    /* head of the queue; an OBSERVE job looks at the VF */
	REQ_PAY_FIRST,	    /* an OWED lease of this attachment is being paid */
	REQ_SYNC,	    /* ASKED is written, not synced */
	REQ_IPAM,	    /* a RUN frame is out, or waits for its turn */
	REQ_SETUP,	    /* the attach plan runs */
	REQ_ANSWER_SYNC,    /* sync = all: the last record is not synced yet */
	REQ_IDENTIFY,	    /* DEL: whose link is it */
	REQ_RELEASE,	    /* DEL: waits for FREE and NONE */
	REQ_FAILED,	    /* ADD: failed; waits for the undo before it is answered */
	REQ_LOOK,	    /* CHECK, IMPORT: a job looks into the pod */
	REQ_COLLECT,	    /* GC: what is not valid is looked at and released */
	REQ_DELEGATE	    /* CHECK, GC, STATUS: its client runs the plugin, or will */
};

/* One call of a client, from its frame to its answer. */
struct request {
	struct list link;    /* engine.requests */
	struct list waiting; /* vf->queue */
	unsigned pass;	     /* the last pass over the list that took it */
	void *client; /* NULL: the client is gone, or the DEL came from the spool */
	struct cni_request cni;
	bool parsed;
	char *env, *text; /* owned: environment block, stdin */
	size_t env_len, text_len;
	int netns_fd, stdin_fd, env_fd;
	int netns_errno;
	struct frame_nonce nonce;
	uint64_t start_ns;
	int64_t arrived_ns, deadline_ns;
	int64_t gives_up_ns;	/* when the client stops listening; 0: nobody listens */
	struct frame_ran early; /* RAN that came before its lease was found, and its text */
	char *early_out;
	size_t early_len;
	enum request_state state;
	struct vf *vf;
	struct lease *lease;  /* that its client may run the plugin of */
	uint64_t wait_seq;    /* REQ_SYNC, REQ_ANSWER_SYNC */
	bool run_sent;	      /* a RUN frame is out */
	int64_t run_began_ns; /* when it went */
	int code;	      /* of the error that it is answered with; 0: none */
	bool ran_follows; /* R9: it brings a result, of a plugin that ended before it came */
	bool ran_is_old; /* that result, still to come, is not the one of our RUN frame */
	uint64_t holds_lease; /* its client keeps this lease's byte locked (R9); 0: none */
	bool run_pays;	      /* it is an IPAM DEL */
	bool run_waits;	      /* for its turn among young plugins */
	int64_t turn_ns;      /* when it took that; 0: it has none */
	bool own_config_del;  /* DEL with its own configuration: there is no record */
	bool own_del_due;     /* likewise, when the VF that it adopted is free */
	bool from_spool, old_boot;
	struct cni_ipam ipam;
	struct job *job;     /* IDENTIFY or OBSERVE on its behalf */
	unsigned n_looks;    /* ADD: at the VF of another owner */
	bool repaired;	     /* ADD: it has had its one repair of a FAULTED VF */
	bool observed;	     /* ADD: the VF was looked at for this request */
	bool identified;     /* DEL: likewise, whose link it is */
	uint64_t attach_seq; /* of the attachment that a DEL or a failed ADD waits for */
	uint8_t hwaddr[20], hwaddr_len; /* of the link in the pod, for the result */
	uint32_t mtu_bytes;
	struct cni_fail fail; /* REQ_FAILED: what will be said */
	char *answer;	      /* REQ_ANSWER_SYNC */
	uint64_t run_id;      /* REQ_DELEGATE: of its RUN frame */
	char *run_text;	 /* owned: stdin for the plugin instead of the client's; NULL */
	struct gc *gc;	 /* owned */
	bool own_looked; /* own_waits has asked for looks */
	struct own_ipam *own; /* owned; NULL: no IPAM of our own */
};

/* What an IPAM plugin said when it was last asked for its STATUS. */
struct ipam_status {
	char network[NAME_LEN_MAX + 1], type[64];
	int64_t asked_ns;     /* 0: an empty place */
	struct cni_fail fail; /* code 0: it can serve */
};

struct look;

struct engine {
	struct config config;
	struct engine_ops ops;
	struct node *node; /* the journal writes its snapshots from it */
	struct journal *journal;
	struct recent_del *recent_del;
	uint64_t settled_ns; /* when a DEL last ended that nothing on record was about */
	struct look *look;   /* vfctl reconcile; NULL: none */
	char broken[240];    /* why nothing can be recorded; "": journal works */
	bool broken_by_disk; /* it may work again: tried at journal_retry_ns */
	int64_t journal_retry_ns;
	char boot_id[BOOT_ID_LEN + 1];
	struct list requests;
	unsigned pass;
	struct list jobs_waiting, jobs_running;
	uint64_t next_job_id;
	bool discovering, discovered;
	bool rediscover;  /* once more after the present one */
	bool judging_all; /* what discovery has found, one VF after the other */
	int64_t discovered_at_ns;
	int64_t wake_ns; /* earliest time somebody asked for; INT64_MAX */
	int64_t reconcile_at_ns;
	size_t reconcile_next; /* index of the VF that is looked at next */
	/* Starts of plugins in the last second (R8). */
	int64_t young[256];
	unsigned n_young, max_young;
	uint64_t sync_wanted; /* highest sequence that somebody waits for on the disk */
	int64_t discover_began_ns, rediscover_at_ns; /* 0: not due */
	int64_t half_bound_until_ns; /* that long such VFs go before others */
	int64_t discover_ended_ns, discover_took_ns; /* the last one */
	int64_t hints_at_ns;			     /* hints.c and ports.c; 0: not due */
	uint64_t n_looks, n_port_changes, n_port_failures;
	char discover_error[200];   /* of the last discovery, "" if it worked */
	bool checking, check_again; /* requests_check is running; is wanted once more */
	uint64_t own_del_byte; /* next 'inflight' byte of an IPAM DEL without a lease record */
	bool collecting;       /* a request may be in REQ_COLLECT */
	struct ipam_status ipam_status[16];
	uint64_t dropped_events; /* no row in a table */
	struct metrics metrics;
	struct rec_meta cause; /* of the records being written now */
};

#define NO_DESCRIPTOR "the engine has no descriptor left (LimitNOFILE)"

static inline int dup_fd(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static inline uint64_t journal_last_or_zero(const struct engine *e)
{
	return e->journal ? journal_last(e->journal) : 0;
}

/* --- record.c: the only writers of records --- */
void cause_set(struct engine *e, enum cause_kind kind, const char *fmt, ...)
	VFK_PRINTF(3, 4);
/* Takes the event through vf_step, writes the record, logs.  Returns the todo bits, or -1 if
 * there is no such row, or -2 if the record could not be written and 'must' (then nothing
 * is changed).  Without 'must' the transition stands in memory (P10). */
int vf_event(struct engine *e, struct vf *vf, enum vf_event ev, bool must);
int lease_event(struct engine *e, struct lease *l, enum lease_event ev, bool must);
/* node_blob_put; a disk that cannot be written is tried again as after any other record. */
uint64_t record_blob(struct engine *e, const void *bytes, size_t len, struct vfk_err *err);
/* REC_NODE as it stands. */
int record_node(struct engine *e);
bool engine_can_record(const struct engine *e);
/* Tries to write again where a write had failed. */
void journal_deadline(struct engine *e, int64_t now);
/* Somebody waits until everything written so far is on the disk; returns that sequence. */
uint64_t sync_want(struct engine *e);
/* Starts a sync job if somebody waits and none runs. */
void sync_kick(struct engine *e);
void sync_done(struct engine *e, const struct job *job, const struct job_res *res);
bool synced(const struct engine *e, uint64_t seq);

/* --- sched.c --- */
struct job *job_new(struct engine *e, enum job_kind kind, enum drv_lock lock,
		    struct vf *vf, size_t extra_bytes);
void job_submit(struct engine *e, struct job *job); /* queued; started by sched_run */
void sched_run(struct engine *e);
void sched_deadlines(struct engine *e, int64_t now);
void job_free(struct job *job); /* NULL allowed */
/* The VF may have lost its driver: until it has one again another VF that is rebound could
 * get the number of its device files.  So its rebind comes before those of others. */
void rebind_first(struct engine *e, struct vf *vf);
/* The steps that wait for their turn are not wanted any more; what runs is left alone. */
void job_forget_waiting(struct vf *vf);
/* Fills req->call for a VF; the pod's namespace (-1: there is none) goes with the job.  False:
 * no descriptor is free.  A job without the namespace would be taken for one of a pod that has
 * none, so it has to be given up. */
bool job_for_vf(struct job *job, const struct vf *vf, int netns_fd);
/* A duplicate of 'fd' goes with the job.  False: no descriptor is free. */
bool job_takes(struct job *job, int fd);
/* A job that looks into the namespace of the request, at 'vf' or (NULL) at the link of its
 * interface; its result is the request's.  NULL: the request is answered. */
struct job *job_look(struct engine *e, struct request *rq, const struct vf *vf,
		     enum job_kind kind, size_t extra_bytes);

/* --- request.c --- */
void request_free(struct request *rq); /* unlinks it from everything */
void request_answer(struct engine *e, struct request *rq, int exit_code, const char *text);
void request_fail(struct engine *e, struct request *rq, int code, const char *fmt, ...)
	VFK_PRINTF(4, 5);
void request_fail_err(struct engine *e, struct request *rq, const struct vfk_err *err,
		      pci_addr_t vf);
void request_fail_as(struct engine *e, struct request *rq, const struct cni_fail *fail);
void request_ok(struct engine *e, struct request *rq); /* DEL and the like: exit 0, no text */
void request_cause(struct engine *e, const struct request *rq);
const char *verb_name(enum cni_verb verb);
/* 'at_ns', or earlier if the client gives up before. */
int64_t within_client(const struct request *rq, int64_t at_ns);
void requests_deadlines(struct engine *e, int64_t now);
void requests_synced(struct engine *e);
void requests_discovered(struct engine *e);
/* Owner, pod and age, for a person. */
const char *who(const struct engine *e, const struct vf *vf, char *buf, size_t cap);

/* --- add.c: the table "ADD finds" --- */
void add_begin(struct engine *e, struct request *rq);
void vf_queue_run(struct engine *e, struct vf *vf); /* serves the head of the queue */
void add_observed(struct engine *e, struct request *rq, const struct job_res *res);

/* False: the namespace of the request is none, and it is answered. */
bool netns_check(struct engine *e, struct request *rq);

/* --- fits.c --- */
/* False: the VF cannot be what the ADD wants, and it is answered.  Fills in a GUID that is to be
 * derived. */
bool vf_fits(struct engine *e, struct request *rq, const struct vf *vf);

/* --- check.c --- */
void check_begin(struct engine *e, struct request *rq);
void check_looked(struct engine *e, struct request *rq, const struct job_res *res);
void check_delegated(struct engine *e, struct request *rq, const struct cni_fail *said);

/* --- import.c, export.c: VFs of other plugins become ours, and back --- */
void import_begin(struct engine *e, struct request *rq);
void import_looked(struct engine *e, struct request *rq, const struct job_res *res);
int import_done(struct engine *e, char **json, struct vfk_err *err); /* the last one was */
int export_list(struct engine *e, const struct ctl_request *rq, char **json,
		struct vfk_err *err);
/* The lease of a VF whose export is on record is the other plugin's to pay; false: it is not
 * one. */
bool export_lease(struct engine *e, struct lease *l);
int export_done(struct engine *e, const struct ctl_request *rq, uint64_t *pending,
		struct vfk_err *err);

/* --- gc.c --- */
void gc_begin(struct engine *e, struct request *rq);
void gcs_turn(struct engine *e); /* goes on with every GC whose releases are over */
void gc_late(struct engine *e, struct request *rq);
void gc_delegated(struct engine *e, struct request *rq, const struct cni_fail *said);
void gc_free(struct gc *gc); /* NULL allowed */

/* --- status.c --- */
void status_begin(struct engine *e, struct request *rq);
void status_delegated(struct engine *e, struct request *rq, const struct cni_fail *said);
void status_late(struct engine *e, struct request *rq);

/* --- delegate.c: IPAM CHECK, GC and STATUS --- */
bool delegate_wanted(const struct request *rq); /* there is an IPAM plugin, not our own */
/* Has the client run the plugin with the request's own verb, until 'until_ns'.  Its end goes
 * to <verb>_delegated, 'said' NULL: it succeeded, or does not know the verb. */
void delegate_begin(struct engine *e, struct request *rq, int64_t until_ns);
bool delegate_run(struct engine *e, struct request *rq); /* false: not its turn yet */
void delegate_ran(struct engine *e, struct request *rq, const struct frame_ran *ran,
		  const char *out, size_t out_len);
void delegate_late(struct engine *e, struct request *rq);

/* --- setup.c: from RESERVED to ATTACHED --- */
void setup_reserve(struct engine *e, struct request *rq);
void setup_resume(struct engine *e, struct request *rq); /* same owner and nonce */
void setup_lease_held(struct engine *e, struct request *rq);
void setup_synced(struct engine *e, struct request *rq);
void setup_next(struct engine *e, struct vf *vf);
void setup_steps_done(struct engine *e, struct vf *vf, const struct job *job,
		      const struct job_res *res);
/* The ADD of this RESERVED VF ends with an error; the VF is released. */
void setup_failed(struct engine *e, struct vf *vf, enum vf_event ev,
		  enum lease_event lease_ev, const struct cni_fail *fail);

/* Answers every request whose condition has come about. */
void requests_check(struct engine *e);

/* --- own.c --- */
/* Reads the request's ipam of our own; -1: refused and answered. */
int own_check(struct engine *e, struct request *rq);
/* After damage: whether an ADD has to wait until the addresses of links that nobody has a record
 * of are known. */
bool own_waits(struct engine *e, struct request *rq);
/* What OBSERVE has seen on the link of such a VF; they are held until it is FREE. */
void own_seen(struct vf *vf, const struct drv_out *out);
/* Puts addresses into the VF's record, which is not written yet, and into rq->ipam. */
int own_take(struct engine *e, struct vf *vf, struct request *rq, struct cni_fail *fail);
/* The same answer again, from the record. */
int own_again(struct request *rq, const struct vf *vf, struct vfk_err *err);

/* --- del.c: the table "DEL finds" --- */
void del_begin(struct engine *e, struct request *rq);
/* Row "no VF, but a lease of this owner". */
void del_wait_for_lease(struct engine *e, struct request *rq, struct lease *l);
void del_identified(struct engine *e, struct request *rq, const struct job_res *res);

/* --- release.c: from DETACHING to FREE --- */
/* Takes the event; if it leads to DETACHING, starts the detach plan.  False: no such row. */
bool release_begin(struct engine *e, struct vf *vf, enum vf_event ev);
void release_next(struct engine *e, struct vf *vf);
void release_steps_done(struct engine *e, struct vf *vf, const struct job *job,
			const struct job_res *res);
void release_over(struct engine *e, struct vf *vf); /* tells whoever waits */
void vfs_deadlines(struct engine *e, int64_t now);
void vfs_synced(struct engine *e);
bool vf_link_has_left(const struct vf *vf);

/* --- lease.c --- */
int lease_ask(struct engine *e, struct request *rq, struct vfk_err *err);
bool lease_run_add(struct engine *e, struct request *rq); /* true: the RUN frame is out */
/* What another plugin had leased for the attachment that 'vf' is imported as. */
int lease_import(struct engine *e, const struct request *rq, const struct vf *vf,
		 struct vfk_err *err);
/* Of a lease that no ADD of ours asked for only that is known which another plugin, or an
 * earlier DEL, had at hand: the configuration of this DEL pays it. */
void lease_take_conf(struct engine *e, struct lease *l, const struct request *del);
/* An OWED lease for what an ADD without a record may have leased, 'vf' (or NULL) being its
 * VF.  NULL: it cannot be recorded. */
struct lease *lease_adopt(struct engine *e, const struct request *rq, struct vf *vf);
void lease_run_own_del(struct engine *e, struct request *rq);
/* Whether a DEL of 'att' gives back, with its own configuration, what nobody has on record:
 * until that is over nothing new is asked for, and nothing is imported. */
bool lease_own_del_runs(const struct engine *e, const struct attachment *att);
/* Sends the RUN frame for 'l' (or NULL) with the stored stdin and environment, if any. */
int lease_send_run(struct engine *e, struct request *rq, struct lease *l,
		   const char *type, enum cni_verb verb, const int *stored,
		   unsigned n_stored, uint32_t limit_ms, struct vfk_err *err);
void lease_ran(struct engine *e, struct request *rq, const struct frame_ran *ran,
	       const char *out, size_t out_len);
/* Runs IPAM DEL for an OWED lease: by the client of 'rq' if given, else by a worker. */
void lease_pay(struct engine *e, struct lease *l, struct request *rq);
void lease_job_done(struct engine *e, struct lease *l, const struct job_res *res);
void lease_release(struct engine *e, struct lease *l, enum lease_event ev);
void leases_deadlines(struct engine *e, int64_t now);
void lease_runner_gone(struct engine *e, struct request *rq);
/* R8: a plugin may be started now, which is counted; false: not now, and the engine wakes. */
bool lease_young_turn(struct engine *e, int64_t *turn_ns);
void lease_young_done(struct engine *e, int64_t *turn_ns);
int lease_limits(struct engine *e, const struct request *rq, struct vfk_err *err);
/* Whether IPAM DEL may be run now; 'rq' (or NULL) is whose client would do it. */
bool lease_payable(struct engine *e, const struct lease *l, const struct request *rq);

/* --- recover.c --- */

/* P4: never taken for a baseline is a GUID or MAC that we handed out ourselves. */
bool handed_out(const struct engine *e, const struct vf_baseline *seen);
/* REPLAY of a RESERVED VF of an engine before us, unless a byte says that its step or its
 * plugin is still under way: then it is looked at again soon. */
void recover_reserved(struct engine *e, struct vf *vf);
void recover_begin(struct engine *e);
/* The VF is gone from the bus: its ADD fails, whoever waits is told. */
void vf_vanished(struct engine *e, struct vf *vf);
void discover_start(struct engine *e);
/* The request is begun anew when the next discovery has ended. */
void discover_wait(struct engine *e, struct request *rq);
/* Why the VFs could not be listed since 'rq' came; NULL: they could, or it is not known yet. */
const char *discover_failed(const struct engine *e, const struct request *rq);
void discover_done(struct engine *e, struct job *job, const struct job_res *res);
void observe_start(struct engine *e, struct vf *vf, struct request *rq);
void observe_done(struct engine *e, struct vf *vf, const struct job_res *res);
void reconcile_turn(struct engine *e, int64_t now);

/* What a look at a VF means: the event that has to follow, if 'found', and why.  A reason
 * without an event is worth a warning. */
struct judgement {
	bool found;
	enum vf_event ev;
	const char *why; /* NULL: all is as the record says */
};

/* --- admin_look.c: vfctl reconcile --- */
int look_begin(struct engine *e, bool dry, struct vfk_err *err);
void look_turn(struct engine *e);
bool look_over(const struct engine *e);
/* True: it is a dry run, nothing must be done about it. */
bool look_seen(struct engine *e, struct vf *vf, const struct job_res *res,
	       const struct judgement *judged);
int look_end(struct engine *e, char **json, struct vfk_err *err);
void look_free(struct look *look); /* NULL allowed */

/* --- tidy.c: a free VF whose link was made anew gets its own name and MTU --- */
/* The link of a VF was seen with this index (0: with none), which is taken into its record. */
void tidy_index(struct vf *vf, uint32_t ifindex);
/* True: it is being released. */
bool tidy_begin(struct engine *e, struct vf *vf, const struct vf_baseline *seen);
/* Whether a name is the baseline name of another VF, and still its due. */
bool tidy_name_taken(const struct engine *e, const struct vf *vf, const char *name);
/* Another name for a baseline with such a one.  True: it was exchanged. */
bool tidy_name(const struct engine *e, const struct vf *vf, struct vf_baseline *base);
/* A FREE VF whose link has such a name gets its own again. */
void tidy_taken(struct engine *e, struct vf *vf);

/* --- hints.c --- */
void hints_turn(struct engine *e, int64_t now);

/* --- ports.c --- */
void pf_seen(struct engine *e, const struct job_found *found);
void pfs_unseen(struct engine *e); /* those that the discovery at hand did not find */
void ports_ask(struct engine *e, struct pf *pf); /* soon */
void ports_told(struct engine *e, const struct job *job, const struct job_res *res);
void ports_turn(struct engine *e, int64_t now);

/* --- engine.c --- */
int64_t now_ns(const struct engine *e);
void wake(struct engine *e, int64_t at_ns);
bool vf_byte_held(const struct engine *e, const struct vf *vf);
bool lease_byte_held(const struct engine *e, uint64_t lease_id);

#endif
