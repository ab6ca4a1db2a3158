/* SPDX-License-Identifier: Apache-2.0 */
/* A small world for engine tests: a clock that stands still, a disk in memory, jobs that
 * wait until the test lets them end, clients whose frames are kept.  The journal, the
 * tables and the whole engine are the real ones. */
#ifndef VFK_TESTS_ENGINE_WORLD_H
#define VFK_TESTS_ENGINE_WORLD_H

#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/engine.h"
#include "engine/engine-internal.h"
#include "engine/plan.h"
#include "engine/recent_del.h"
#include "io/inflight.h"

#include "mem_disk.h"
#include "suite.h"

#define EW_MAX_CLIENTS 64
#define EW_POD_INDEX 200 /* of a link in a pod */
#define EW_MAX_JOBS 128
#define EW_MAX_HELD 32
#define EW_PF UINT64_C(0x3b00) /* 0000:3b:00.0 */
#define EW_VF(i) (EW_PF + 1 + (i))
#define EW_BOOT "11111111-2222-3333-4444-555555555555"

struct ew_client {
	bool used, answered, cancelled;
	int exit_code;
	char *text;
	unsigned n_runs;
	struct frame_run runs[8];
	uint64_t byte; /* that it holds until its answer; 0: none */
};

struct ew_job {
	struct job_req *rq;
	size_t len;
	bool killed;
	bool with_byte; /* the inflight descriptor came with it */
	unsigned n_fds;
};

struct ew {
	struct mem_disk disk;
	struct config config;
	struct engine_ops ops;
	struct engine *e;
	struct node node;
	struct journal *journal;
	struct recent_del *recent_del;
	char boot_id[BOOT_ID_LEN + 1];
	int64_t now_ns;
	unsigned n_vfs;
	struct ew_client clients[EW_MAX_CLIENTS];
	struct ew_job jobs[EW_MAX_JOBS];
	unsigned n_jobs, n_jobs_ever;
	uint64_t held[EW_MAX_HELD]; /* bytes that somebody else holds */
	unsigned n_held;
	bool plugin_missing, plugin_outside, plugin_untrusted, netns_own, netns_bad;
	/* How the next jobs end. */
	uint32_t fail_steps; /* steps that fail */
	bool other_guid;     /* SETTINGS: the VF has to be rebound */
	bool fail_ipam;	     /* IPAM jobs fail */
	enum vfk_err_kind fail_kind;
	enum vfk_err_kind fail_discover; /* 0: discovery works */
	unsigned n_discovered;		 /* how often it ended */
	bool fail_job;			 /* the next one cannot be given to a worker */
	bool hold_jobs;			 /* jobs do not end by themselves */
	bool hold_sync, hold_ipam;
	int sync_errno;
	/* What OBSERVE says; unless told, that all is as it should be. */
	bool told;
	enum drv_where where;
	uint8_t port;		       /* state of the PF's port; 0: ACTIVE */
	bool check_differs;	       /* CHECK: the link is not as expected */
	struct vf_baseline check_seen; /* CHECK: what is set on the device */
	bool nsid_alive;
	uint8_t n_addrs; /* 1 + how many of 'addrs' a link elsewhere has; 0: cannot be seen */
	struct drv_addr addrs[DRV_MAX_SEEN_ADDRS];
	pci_addr_t identified;	/* IDENTIFY */
	unsigned twin_vf;	/* 1 + index that discovery finds with GUID 02...01 */
	uint64_t guid;		/* that VF 0 is found with; 0: it has none */
	unsigned gone_vf;	/* 1 + index that discovery does not find; 0: none */
	unsigned foreign_vf;	/* 1 + index that discovery finds elsewhere */
	unsigned unbound_vf;	/* 1 + index that discovery finds without a driver */
	bool rdma;		/* VFs have an RDMA device, which is seen at home only */
	bool rdma_away;		/* not there either */
	bool rdma_renamed;	/* it has another name */
	const char *other_name; /* of VF 0's link, which was made anew */
	const char *names[2];	/* of the links of VFs 0 and 1, which are as they were */
	bool took_driver;	/* LINK_HOME took the driver off */
	bool user;		/* VFs have a driver for user space */
	struct vf_baseline modes; /* valid: VLAN, MTU, modes and address of VF 0 */
	uint64_t incarnation;
	struct strbuf trace; /* "record ...", "job ...", "run ...", "answer ...;" */
};

static inline void ew_note(struct ew *w, const char *fmt, ...) VFK_PRINTF(2, 3);
static inline void ew_note(struct ew *w, const char *fmt, ...)
{
	char line[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	strbuf_addf(&w->trace, "%s;", line);
}

static inline void ew_trace_clear(struct ew *w)
{
	strbuf_free(&w->trace);
	strbuf_adds(&w->trace, "");
}

static inline int64_t ew_boot_ns(void *ctx)
{
	return ((struct ew *)ctx)->now_ns;
}

static inline int64_t ew_wall_ns(void *ctx)
{
	return ((struct ew *)ctx)->now_ns + INT64_C(1700000000) * NS_PER_S;
}

/* Where discovery finds a link. */
static inline enum drv_where ew_where(struct ew *w, unsigned i)
{
	const struct vf *vf = w->e ? node_vf(w->e->node, EW_VF(i)) : NULL;

	if (w->foreign_vf == i + 1 || (vf && vf->fsm.state == VF_ATTACHED))
		return WHERE_ELSEWHERE;
	return WHERE_HOME;
}

/* At home. */
static inline uint32_t ew_ifindex(const struct ew *w, unsigned i)
{
	return 101 + i + (w->other_name ? 50 : 0);
}

static inline void ew_guid(const struct ew *w, pci_addr_t addr, struct vf_baseline *seen)
{
	bool twin = w->twin_vf && addr == EW_VF(w->twin_vf - 1);

	if (!twin && (!w->guid || addr != EW_VF(0)))
		return;
	seen->set.has |= HAS_PORT_GUID;
	seen->set.port_guid = twin ? UINT64_C(0x0200000000000001) : w->guid;
}

static inline void ew_names(const struct ew *w, struct vf_baseline *seen, unsigned i,
			    bool bound)
{
	snprintf(seen->driver, sizeof(seen->driver), "%s", bound ? "simvf" : "");
	snprintf(seen->ifname, sizeof(seen->ifname), "vf%u", i);
	if (i < VFK_ARRAY_SIZE(w->names) && w->names[i])
		snprintf(seen->ifname, sizeof(seen->ifname), "%s", w->names[i]);
}

static inline void ew_modes(const struct ew *w, unsigned i, struct vf_baseline *seen)
{
	if (!w->modes.valid || i != 0)
		return;
	seen->set.has |= w->modes.set.has;
	seen->set.vlan = w->modes.set.vlan;
	seen->set.mtu_bytes = w->modes.set.mtu_bytes;
	seen->set.promisc = w->modes.set.promisc;
	seen->set.allmulti = w->modes.set.allmulti;
	seen->set.ipoib_mode = w->modes.set.ipoib_mode;
	seen->hwaddr_len = w->modes.hwaddr_len;
	memcpy(seen->hwaddr, w->modes.hwaddr, sizeof(seen->hwaddr));
}

/* After ew_names. */
static inline void ew_rdma(const struct ew *w, unsigned i, enum drv_where where,
			   struct vf_baseline *seen, uint32_t *cannot)
{
	if (!w->rdma)
		return;
	if (where != WHERE_HOME || w->rdma_away || w->unbound_vf == i + 1 || w->user)
		*cannot = HAS_RDMA_ISOLATION;
	else
		snprintf(seen->rdma_dev, sizeof(seen->rdma_dev), "%s_%u",
			 w->rdma_renamed ? "other" : "mlx5", i);
	if (!w->user)
		return;
	snprintf(seen->driver, sizeof(seen->driver), "vfio-pci");
	seen->ifname[0] = '\0';
}

static inline int ew_job(void *ctx, const struct job_req *rq, size_t len, const int *fds,
			 unsigned n_fds, struct vfk_err *err)
{
	struct ew *w = ctx;
	struct ew_job *job = &w->jobs[w->n_jobs];

	if (w->fail_job) {
		w->fail_job = false;
		return vfk_err_set(err, VFK_E_SYS, EAGAIN, "no worker");
	}
	if (w->n_jobs == EW_MAX_JOBS)
		abort();
	w->n_jobs++;
	w->n_jobs_ever++;
	*job = (struct ew_job){
		.rq = malloc(len), .len = len, .with_byte = n_fds > 0, .n_fds = n_fds
	};
	memcpy(job->rq, rq, len);
	if (rq->kind == JOB_STEPS)
		ew_note(w, "job STEPS %x", rq->steps);
	else if (rq->kind != JOB_DISCOVER)
		ew_note(w, "job %s", job_kind_name(rq->kind));
	if (rq->kind == JOB_DISCOVER &&
	    !w->fail_discover) { /* its memfd is filled while we have it */
		for (unsigned i = 0; i <= w->n_vfs; i++) {
			struct job_found f = { .driver = "sim" };

			if (i == 0) {
				f.is_pf = 1;
				f.pf = (struct drv_pf){ .addr = EW_PF,
							.ifname = "pf0",
							.n_ports = 1,
							.n_vfs = (uint16_t)w->n_vfs };
				f.pf.port_state[0] = w->port ? w->port : PORT_ACTIVE;
			} else if (w->gone_vf == i) {
				continue;
			} else {
				f.vf = (struct drv_vf){ .addr = EW_VF(i - 1),
							.pf = EW_PF,
							.index = (uint16_t)(i - 1),
							.incarnation = w->incarnation,
							.where = ew_where(w, i - 1),
							.bound = w->unbound_vf != i,
							.ifindex = ew_ifindex(w, i - 1) };
				f.vf.seen.valid = true;
				ew_guid(w, f.vf.addr, &f.vf.seen);
				ew_names(w, &f.vf.seen, i - 1, f.vf.bound);
				if (i == 1 && w->other_name)
					snprintf(f.vf.seen.ifname, sizeof(f.vf.seen.ifname),
						 "%s", w->other_name);
				ew_modes(w, i - 1, &f.vf.seen);
				ew_rdma(w, i - 1, f.vf.where, &f.vf.seen, &f.vf.cannot);
			}
			if (write(fds[0], &f, sizeof(f)) != sizeof(f))
				abort();
		}
	}
	return 0;
}

static inline void ew_job_kill(void *ctx, uint64_t id)
{
	struct ew *w = ctx;

	for (unsigned i = 0; i < w->n_jobs; i++)
		if (w->jobs[i].rq->id == id)
			w->jobs[i].killed = true;
}

static inline void ew_wake_at(void *ctx, int64_t at)
{
	(void)ctx;
	(void)at;
}

static inline void ew_answer(void *ctx, void *client, int exit_code, const char *text,
			     size_t len)
{
	struct ew *w = ctx;
	struct ew_client *c = client;

	c->answered = true;
	c->exit_code = exit_code;
	free(c->text);
	c->text = strndup(text, len);
	ew_note(w, "answer %d", exit_code);
}

static inline int ew_run(void *ctx, void *client, struct frame_run *run, const int *fds,
			 unsigned n_fds, struct vfk_err *err)
{
	struct ew *w = ctx;
	struct ew_client *c = client;

	(void)fds;
	(void)err;
	if (!n_fds)
		abort(); /* R9: the lease's byte comes with it */
	if (c->n_runs < VFK_ARRAY_SIZE(c->runs))
		c->runs[c->n_runs++] = *run;
	c->byte = inflight_lease(run->run_id);
	ew_note(w, "run %s", verb_name(run->verb));
	return 0;
}

static inline void ew_cancel(void *ctx, void *client)
{
	((struct ew_client *)client)->cancelled = true;
	ew_note(ctx, "cancel");
}

static inline bool ew_held(void *ctx, uint64_t byte)
{
	struct ew *w = ctx;

	for (unsigned i = 0; i < w->n_held; i++)
		if (w->held[i] == byte)
			return true;
	for (unsigned i = 0; i < EW_MAX_CLIENTS; i++)
		if (w->clients[i].byte == byte && byte && !w->clients[i].answered)
			return true;
	return false;
}

static inline void ew_hold(struct ew *w, uint64_t byte)
{
	if (w->n_held < EW_MAX_HELD)
		w->held[w->n_held++] = byte;
}

static inline void ew_let_go(struct ew *w)
{
	w->n_held = 0;
}

static inline int ew_lock(void *ctx, uint64_t byte, int *fd, struct vfk_err *err)
{
	if (ew_held(ctx, byte))
		return vfk_err_set(err, VFK_E_BUSY, 0, "byte is held");
	*fd = memfd_create("byte", MFD_CLOEXEC);
	return *fd < 0 ? vfk_err_set(err, VFK_E_SYS, errno, "memfd") : 0;
}

static inline int ew_memfd(void *ctx, const char *name, const void *bytes, size_t len)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	(void)ctx;
	if (fd >= 0 && write(fd, bytes, len) != (ssize_t)len)
		abort();
	return fd;
}

static inline char *ew_slurp(void *ctx, int fd, size_t *len)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = malloc((size_t)size + 1);

	(void)ctx;
	if (pread(fd, text, (size_t)size, 0) != size)
		abort();
	text[size] = '\0';
	*len = (size_t)size;
	return text;
}

static inline bool ew_find_plugin(void *ctx, const char *cni_path, const char *type,
				  char *out, size_t cap)
{
	struct ew *w = ctx;

	(void)cni_path;
	if (w->plugin_missing)
		return false;
	snprintf(out, cap, "%s/%s", w->plugin_outside ? "/somewhere" : "/usr/bin", type);
	return true;
}

static inline bool ew_plugin_trusted(void *ctx, const char *path)
{
	(void)path;
	return !((struct ew *)ctx)->plugin_untrusted;
}

static inline bool ew_netns_valid(void *ctx, int fd, bool *own)
{
	struct ew *w = ctx;

	(void)fd;
	*own = w->netns_own;
	return !w->netns_bad;
}

static inline enum drv_where ew_true_where(struct ew *w, pci_addr_t addr)
{
	return node_vf(w->e->node, addr)->fsm.state == VF_ATTACHED ? WHERE_IN_POD :
								     WHERE_HOME;
}

static inline void ew_tell(struct ew *w, enum drv_where where, bool nsid_alive)
{
	w->told = true;
	w->where = where;
	w->nsid_alive = nsid_alive;
}

/* --- jobs end --- */

static inline void ew_job_end(struct ew *w, unsigned i)
{
	struct ew_job job = w->jobs[i];
	struct job_res res = { .id = job.rq->id, .kind = job.rq->kind };

	memmove(&w->jobs[i], &w->jobs[i + 1], (w->n_jobs - i - 1) * sizeof(job));
	w->n_jobs--;
	res.out.nsid = -1;
	switch ((enum job_kind)job.rq->kind) {
	case JOB_SYNC:
		if (w->sync_errno)
			vfk_err_set(&res.err, VFK_E_SYS, w->sync_errno, "fdatasync");
		else
			for (unsigned n = 0; n < JOURNAL_FILES; n++)
				mem_sync(&w->disk, n);
		break;
	case JOB_STEPS:
		res.done = job.rq->steps & ~w->fail_steps;
		res.out.rebind_needed = w->other_guid && res.done & STEP_BIT(SETTINGS);
		if (res.done & STEP_BIT(LINK_HOME) && job.rq->call.ifindex == EW_POD_INDEX)
			res.out.ifindex =
				ew_ifindex(w, (unsigned)(job.rq->call.addr - EW_VF(0)));
		if (w->took_driver && res.done & STEP_BIT(LINK_HOME))
			res.taken = res.out.rebind_needed = true;
		if (w->modes.valid && job.rq->call.addr == EW_VF(0) &&
		    res.done & STEP_BIT(LINK_BASELINE))
			memcpy(w->modes.hwaddr, job.rq->call.baseline.hwaddr,
			       sizeof(w->modes.hwaddr));
		if (w->modes.valid && job.rq->call.addr == EW_VF(0) &&
		    res.done & STEP_BIT(VERIFY))
			res.out.mtu_bytes = w->modes.set.mtu_bytes;
		if (job.rq->steps & w->fail_steps)
			vfk_err_set(&res.err, w->fail_kind, EIO, "step failed");
		if (res.done & STEP_BIT(LINK_TO_POD)) {
			res.out.netns_cookie = 77;
			res.out.nsid = 5;
			res.out.ifindex = EW_POD_INDEX;
			res.out.mtu_bytes = 2044;
			res.out.hwaddr_len = 6;
			memcpy(res.out.hwaddr, "\x02\0\0\0\0\x01", 6);
		}
		break;
	case JOB_OBSERVE:
		res.out.where = w->told ? w->where : ew_true_where(w, job.rq->call.addr);
		res.out.nsid_alive = w->told ? w->nsid_alive : true;
		res.out.addrs_known = w->n_addrs > 0;
		res.out.n_addrs = w->n_addrs ? w->n_addrs - 1 : 0;
		memcpy(res.out.addrs, w->addrs, sizeof(w->addrs));
		ew_guid(w, job.rq->call.addr, &res.out.seen);
		if ((w->guid || w->rdma || w->modes.valid) &&
		    job.rq->call.addr == EW_VF(0)) {
			res.out.seen.valid = true;
			ew_names(w, &res.out.seen, 0, w->unbound_vf != 1);
			if (w->other_name)
				snprintf(res.out.seen.ifname, sizeof(res.out.seen.ifname),
					 "%s", w->other_name);
			ew_modes(w, 0, &res.out.seen);
			ew_rdma(w, 0, res.out.where, &res.out.seen, &res.out.cannot);
		}
		break;
	case JOB_IDENTIFY:
		res.addr = w->identified;
		snprintf(res.driver, sizeof(res.driver), "sim");
		break;
	case JOB_CHECK:
		res.out.where = w->told ? w->where : ew_true_where(w, job.rq->call.addr);
		res.differs = w->check_differs;
		if (w->check_differs)
			vfk_err_set(&res.err, VFK_E_KERNEL, 0, "link net1 is down");
		res.out.seen = w->check_seen;
		break;
	case JOB_IMPORT:
		res.out.where = w->told ? w->where : WHERE_IN_POD;
		res.out.seen = w->check_seen;
		res.out.ifindex = 200;
		res.out.netns_cookie = 77;
		res.out.nsid = 5;
		break;
	case JOB_PORTS:
		res.pf.n_ports = 1;
		res.pf.port_state[0] = w->port ? w->port : PORT_ACTIVE;
		break;
	case JOB_DISCOVER:
		w->n_discovered++;
		if (w->fail_discover)
			vfk_err_set(&res.err, w->fail_discover, 0, "no list of links");
		break;
	case JOB_IPAM:
		if (w->fail_ipam)
			vfk_err_set(&res.err, VFK_E_IPAM, 0, "plugin failed");
		break;
	}
	if (job.killed)
		engine_job_lost(w->e, res.id, "killed");
	else
		engine_job_done(w->e, &res);
	free(job.rq);
	engine_turn(w->e);
}

/* Lets all jobs end, also those that follow. */
static inline void ew_settle(struct ew *w)
{
	bool again = true;

	engine_turn(w->e);
	for (unsigned rounds = 0; again && rounds < 1000; rounds++) {
		again = false;
		for (unsigned i = 0; i < w->n_jobs; i++) {
			enum job_kind kind = w->jobs[i].rq->kind;

			if (kind == JOB_SYNC ? w->hold_sync :
			    kind == JOB_IPAM ? w->hold_ipam :
					       w->hold_jobs)
				continue;
			ew_job_end(w, i);
			again = true;
			break;
		}
	}
}

static inline void ew_pass(struct ew *w, int64_t ns)
{
	w->now_ns += ns;
	ew_settle(w);
}

/* Discovery, by an event. */
static inline void ew_look(struct ew *w)
{
	engine_bus_changed(w->e);
	ew_pass(w, 2 * NS_PER_S);
}

/* --- engines --- */

/* A new engine on the disk as it is, as after the death of the one before. */
static inline void ew_start(struct ew *w)
{
	struct disk disk = mem_as_disk(&w->disk);
	struct journal_cfg jcfg = { .disk = &disk,
				    .min_size = 256 * 1024,
				    .snapshot = node_snapshot,
				    .arg = &w->node };
	struct journal_status st;
	struct vfk_err err = { 0 };
	struct engine_cfg cfg = { .config = &w->config,
				  .ops = &w->ops,
				  .node = &w->node,
				  .boot_id = w->boot_id };
	int rc;

	node_init(&w->node);
	w->journal = NULL;
	rc = journal_open(&w->journal, &jcfg, node_replay, &st, &err);
	if (rc < 0)
		cfg.broken = err.msg;
	node_settle(&w->node);
	if (st.verdict != JOURNAL_EMPTY) /* the tests begin with a journal that is trusted */
		node_mark_missing(&w->node, &st);
	cfg.journal = w->journal;
	if (recent_del_open(&w->recent_del, NULL, &err) < 0)
		abort();
	cfg.recent_del = w->recent_del;
	if (engine_new(&w->e, &cfg, &err) < 0)
		abort();
	engine_begin(w->e);
	ew_settle(w);
}

/* The engine dies; what it had under way dies with it, its clients see end of file.  Here
 * they end, too, unless the test holds their byte and plays them on. */
static inline void ew_die(struct ew *w)
{
	for (unsigned i = 0; i < EW_MAX_CLIENTS; i++)
		w->clients[i].byte = 0;
	engine_free(w->e);
	w->e = NULL;
	for (unsigned i = 0; i < w->n_jobs; i++)
		free(w->jobs[i].rq);
	w->n_jobs = 0;
}

static inline void ew_quiet_log(enum log_level level, const char *line)
{
	(void)level;
	if (getenv("VFK_TEST_LOG"))
		fprintf(stderr, "%s\n", line);
}

static inline struct ew *ew_new(unsigned n_vfs)
{
	struct ew *w = calloc(1, sizeof(*w));

	log_set_sink(ew_quiet_log);
	mem_init(&w->disk);
	config_default(&w->config);
	snprintf(w->config.env.sim_path, sizeof(w->config.env.sim_path), "/sim.conf");
	snprintf(w->config.plugin_dirs, sizeof(w->config.plugin_dirs), "/usr/bin");
	w->now_ns = 1000 * NS_PER_S;
	w->n_vfs = n_vfs;
	w->identified = PCI_NONE;
	w->incarnation = 1;
	w->fail_kind = VFK_E_KERNEL;
	strbuf_adds(&w->trace, "");
	snprintf(w->boot_id, sizeof(w->boot_id), "%s", EW_BOOT);
	w->ops = (struct engine_ops){ .ctx = w,
				      .boot_ns = ew_boot_ns,
				      .wall_ns = ew_wall_ns,
				      .job = ew_job,
				      .job_kill = ew_job_kill,
				      .wake_at = ew_wake_at,
				      .answer = ew_answer,
				      .run = ew_run,
				      .cancel = ew_cancel,
				      .lock = ew_lock,
				      .held = ew_held,
				      .memfd = ew_memfd,
				      .slurp = ew_slurp,
				      .find_plugin = ew_find_plugin,
				      .plugin_trusted = ew_plugin_trusted,
				      .netns_valid = ew_netns_valid };
	ew_start(w);
	return w;
}

static inline void ew_free(struct ew *w)
{
	if (w->e)
		ew_die(w);
	for (unsigned i = 0; i < EW_MAX_CLIENTS; i++)
		free(w->clients[i].text);
	strbuf_free(&w->trace);
	mem_fini(&w->disk);
	free(w);
	log_set_sink(NULL);
}

/* --- clients --- */

struct ew_call {
	enum cni_verb verb;
	const char *container;	  /* "c1" */
	unsigned vf;		  /* index */
	const char *ipam;	  /* plugin type, NULL: none */
	const char *netns;	  /* NULL: "/run/netns/x", "": unset */
	uint64_t nonce;		  /* 0: one of its own */
	uint64_t start;		  /* 0: now */
	int64_t gives_up;	  /* when its client does; 0: never */
	const char *text;	  /* stdin instead of the usual one */
	const char *ifname;	  /* NULL: net1 */
	enum cni_dialect dialect; /* 0: vfkeeper */
	bool has_run;		  /* a result follows at once */
	uint64_t run_id;	  /* of that result */
};

static inline struct ew_client *ew_ask(struct ew *w, struct ew_call call)
{
	static uint64_t nonces = 1000;
	struct ew_client *c = NULL;
	struct frame_request rq = { .verb = (uint8_t)call.verb,
				    .dialect = call.dialect ? (uint8_t)call.dialect :
							      DIALECT_VFKEEPER };
	char env[600], text[600], addr[PCI_STRLEN];
	const char *netns = call.netns ? call.netns : "/run/netns/x";
	size_t env_len;
	int stdin_fd, env_fd, netns_fd = -1;

	for (unsigned i = 0; !c && i < EW_MAX_CLIENTS; i++)
		if (!w->clients[i].used)
			c = &w->clients[i];
	if (!c)
		abort();
	c->used = true;
	env_len = (size_t)snprintf(env, sizeof(env),
				   "CNI_COMMAND=%s%cCNI_CONTAINERID=%s%cCNI_NETNS=%s%cCNI_IFNAME=%s%c"
				   "CNI_PATH=/usr/bin%c",
				   call.verb == CNI_ADD	  ? "ADD" :
				   call.verb == CNI_DEL	  ? "DEL" :
				   call.verb == CNI_CHECK ? "CHECK" :
				   call.verb == CNI_GC	  ? "GC" :
							    "STATUS",
				   0, call.container, 0, netns, 0,
				   call.ifname ? call.ifname : "net1", 0, 0);
	pci_format(EW_VF(call.vf), addr);
	snprintf(text, sizeof(text),
		 "{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"type\":\"vfkeeper\",\"deviceID\":\"%s\"%s%s%s}",
		 addr, call.ipam ? ",\"ipam\":{\"type\":\"" : "",
		 call.ipam ? call.ipam : "", call.ipam ? "\"}" : "");
	if (call.text)
		snprintf(text, sizeof(text), "%s", call.text);
	stdin_fd = ew_memfd(w, "stdin", text, strlen(text));
	env_fd = ew_memfd(w, "env", env, env_len);
	rq.stdin_len = (uint32_t)strlen(text);
	rq.env_len = (uint32_t)env_len;
	rq.deadline_boot_ns = call.gives_up;
	rq.has_run = call.has_run;
	rq.run_id = call.run_id;
	rq.nonce.lo = call.nonce ? call.nonce : ++nonces;
	w->now_ns += 1000;
	rq.start_ns = call.start ? call.start : (uint64_t)w->now_ns;
	w->now_ns += 1000;
	if (netns[0])
		netns_fd = memfd_create("netns", MFD_CLOEXEC);
	else
		rq.netns_errno = -1;
	engine_request(w->e, c, &rq, stdin_fd, env_fd, netns_fd);
	ew_settle(w);
	return c;
}

#define EW_ADD(w, ...) ew_ask(w, (struct ew_call){ .verb = CNI_ADD, __VA_ARGS__ })
#define EW_DEL(w, ...) ew_ask(w, (struct ew_call){ .verb = CNI_DEL, __VA_ARGS__ })

#define EW_IPAM_ANSWER                                                                   \
	"{\"cniVersion\":\"1.1.0\",\"ips\":[{\"address\":\"10.1.2.3/24\"}]}"

/* The plugin that this client was told to run has ended. */
static inline void ew_ran(struct ew *w, struct ew_client *c, enum run_outcome outcome,
			  int status, const char *out)
{
	struct frame_ran ran = { .outcome = (uint8_t)outcome, .status = status };

	if (!c->n_runs)
		abort();
	ran.run_id = c->runs[c->n_runs - 1].run_id;
	ran.out_len = (uint32_t)strlen(out);
	engine_ran(w->e, c, &ran, out, strlen(out));
	ew_settle(w);
}

static inline void ew_ran_ok(struct ew *w, struct ew_client *c)
{
	bool add = c->n_runs && c->runs[c->n_runs - 1].verb == CNI_ADD;

	ew_ran(w, c, RUN_EXITED, 0, add ? EW_IPAM_ANSWER : "");
}

static inline void ew_gone(struct ew *w, struct ew_client *c)
{
	c->byte = 0;
	engine_client_gone(w->e, c);
	ew_settle(w);
}

static inline struct vf *ew_vf(struct ew *w, unsigned i)
{
	return node_vf(w->e->node, EW_VF(i));
}

static inline const char *ew_state(struct ew *w, unsigned i)
{
	struct vf *vf = ew_vf(w, i);

	return vf ? vf_state_name(vf->fsm.state) : "unknown";
}

/* State of the newest lease of a container, "NONE" without one. */
static inline const char *ew_lease(struct ew *w, const char *container)
{
	struct attachment att = { .ifname = "net1" };
	struct lease *l;

	snprintf(att.container, sizeof(att.container), "%s", container);
	l = node_lease_of(w->e->node, &att);
	return l ? lease_state_name(l->state) : "NONE";
}

#define EW_OK(client)                                                                    \
	do {                                                                             \
		const struct ew_client *ew_c = (client);                                 \
		CU_ASSERT_TRUE(ew_c->answered);                                          \
		SUITE_INT(ew_c->exit_code, 0);                                           \
	} while (0)

/* Answered with an error whose text contains 'part'. */
#define EW_FAILED(client, part)                                                          \
	do {                                                                             \
		const struct ew_client *ew_c = (client);                                 \
		CU_ASSERT_TRUE(ew_c->answered);                                          \
		SUITE_INT(ew_c->exit_code, 1);                                           \
		if (!ew_c->text || !strstr(ew_c->text, (part)))                          \
			SUITE_STR(ew_c->text, (part));                                   \
	} while (0)

#define EW_NEW_GUID                                                                      \
	"{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"type\":\"vfkeeper\","              \
	"\"deviceID\":\"0000:3b:00.%u\",\"rdmaIsolation\":true,"                         \
	"\"runtimeConfig\":{\"infinibandGUID\":\"02:00:00:00:00:00:00:0%u\"}}"

/* An ADD of a VF that has to be rebound; runs up to that. */
static inline struct ew_client *ew_add_rebound(struct ew *w, const char *container,
					       unsigned vf)
{
	char text[300];

	w->other_guid = true;
	snprintf(text, sizeof(text), EW_NEW_GUID, vf + 1, vf + 1);
	return EW_ADD(w, .container = container, .vf = vf, .text = text);
}

/* An ADD that has to succeed. */
static inline struct ew_client *ew_attach(struct ew *w, const char *container,
					  const char *ipam)
{
	struct ew_client *c = EW_ADD(w, .container = container, .ipam = ipam);

	if (ipam)
		ew_ran_ok(w, c);
	EW_OK(c);
	return c;
}

#endif
