/* SPDX-License-Identifier: Apache-2.0 */
/* Transitions and their records: the only place of the engine that calls the step
 * functions and appends to the journal. */
#include "engine/engine-internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/baseline.h"
#include "engine/plan.h"

#define JOURNAL_RETRY_NS (5 * NS_PER_S)

void cause_set(struct engine *e, enum cause_kind kind, const char *fmt, ...)
{
	va_list ap;

	e->cause.cause = kind;
	va_start(ap, fmt);
	vsnprintf(e->cause.cause_text, sizeof(e->cause.cause_text), fmt, ap);
	va_end(ap);
}

static void stamp(struct engine *e, struct rec_meta *meta)
{
	*meta = e->cause;
	meta->wall_ns = e->ops.wall_ns(e->ops.ctx);
	meta->boot_ns = now_ns(e);
	memcpy(meta->boot_id, e->boot_id, sizeof(meta->boot_id));
}

bool engine_can_record(const struct engine *e)
{
	return e->journal && !e->broken[0] && !journal_failed(e->journal);
}

/* P10: no ADD until a new file has been begun. */
static void broken_by_disk(struct engine *e, const char *what, const struct vfk_err *err)
{
	if (!e->broken_by_disk)
		log_error("journal",
			  "cannot be %s: %s; no ADD until that works, DEL goes on", what,
			  err->msg);
	if (!e->broken[0])
		snprintf(e->broken, sizeof(e->broken), "journal cannot be %s: %.190s",
			 what, err->msg);
	e->broken_by_disk = true;
	e->journal_retry_ns = now_ns(e) + JOURNAL_RETRY_NS;
	wake(e, e->journal_retry_ns);
}

uint64_t record_blob(struct engine *e, const void *bytes, size_t len, struct vfk_err *err)
{
	uint64_t id = node_blob_put(e->node, e->journal, bytes, len, err);

	if (!id && err->kind == VFK_E_SYS)
		broken_by_disk(e, "written", err);
	return id;
}

static int append(struct engine *e, enum record_type type, struct strbuf *buf)
{
	struct vfk_err err = { 0 };
	size_t len = buf->len;
	uint64_t seq;
	int rc;

	if (!e->journal) {
		strbuf_free(buf);
		return -1;
	}
	/* What lacked memory must not be missing between others: the snapshot of a new file
	 * has the change already. */
	if (buf->failed)
		rc = journal_begin(e->journal, &err);
	else
		rc = journal_append(e->journal, type, buf->data, buf->len, &seq, &err);
	strbuf_free(buf);
	if (rc == 0) {
		e->metrics.n_records++;
		e->metrics.record_bytes += JOURNAL_RECORD_BYTES(len);
		return 0;
	}
	broken_by_disk(e, "written", &err);
	return -1;
}

/* Shows a transition to whoever looks. */
static void tell(struct engine *e, enum record_type type, const void *rec)
{
	if (e->ops.told)
		e->ops.told(e->ops.ctx, type, rec, journal_last_or_zero(e));
}

void journal_deadline(struct engine *e, int64_t now)
{
	struct vfk_err err = { 0 };

	if (!e->broken_by_disk)
		return;
	if (now < e->journal_retry_ns) {
		wake(e, e->journal_retry_ns);
		return;
	}
	/* A snapshot of what is so, whatever could not be recorded meanwhile. */
	e->broken[0] = '\0';
	if (journal_begin(e->journal, &err) < 0) {
		broken_by_disk(e, "written", &err);
		return;
	}
	e->broken_by_disk = false;
	log_warn("journal", "another file is begun");
}

static int write_vf(struct engine *e, struct vf *vf)
{
	struct strbuf buf = { 0 };

	stamp(e, &vf->rec.meta);
	codec_put_vf(&buf, &vf->rec);
	return append(e, REC_VF, &buf);
}

/* What a transition of a VF or a lease has in common. */
static void add_owner(char *line, size_t cap, const struct attachment *owner,
		      const struct pod_ref *pod, const struct rec_meta *meta)
{
	char name[sizeof(pod->ns) + sizeof(pod->name)];

	snprintf(name, sizeof(name), "%s/%s", pod->ns, pod->name);
	log_field(line, cap, "container", owner->container);
	log_field(line, cap, "ifname", owner->ifname);
	log_field(line, cap, "pod", pod->name[0] ? name : "");
	log_field(line, cap, "cause", meta->cause_text);
}

static void log_vf(const struct engine *e, const struct vf *vf)
{
	char addr[PCI_STRLEN], line[LOG_LINE_MAX];

	snprintf(line, sizeof(line), "vf=%s from=%s to=%s ev=%s seq=%llu",
		 pci_format(vf->rec.addr, addr), vf_state_name(vf->rec.from),
		 vf_state_name(vf->rec.state), vf_event_name(vf->rec.event),
		 (unsigned long long)(e->journal ? journal_last(e->journal) : 0));
	add_owner(line, sizeof(line), &vf->rec.owner, &vf->rec.pod, &vf->rec.meta);
	log_notice("engine", "%s", line);
}

static void log_lease(const struct lease *l)
{
	char addr[PCI_STRLEN], line[LOG_LINE_MAX];

	snprintf(line, sizeof(line), "lease=%llu from=%s to=%s ev=%s",
		 (unsigned long long)l->rec.id, lease_state_name(l->rec.from),
		 lease_state_name(l->state), lease_event_name(l->rec.event));
	log_field(line, sizeof(line), "plugin", l->rec.plugin);
	if (l->rec.vf != PCI_NONE)
		log_field(line, sizeof(line), "vf", pci_format(l->rec.vf, addr));
	add_owner(line, sizeof(line), &l->rec.owner, &l->rec.pod, &l->rec.meta);
	log_notice("engine", "%s", line);
}

/* Owner and plan of the incarnation or attachment that is over. */
static void vf_forget(struct engine *e, struct vf *vf)
{
	node_blob_drop(e->node, vf->rec.request_blob);
	node_blob_drop(e->node, vf->rec.result_blob);
	memset(&vf->rec.owner, 0, sizeof(vf->rec.owner));
	memset(&vf->rec.pod, 0, sizeof(vf->rec.pod));
	memset(&vf->rec.nonce, 0, sizeof(vf->rec.nonce));
	vf->rec.attach_seq = vf->rec.client_start_ns = 0;
	vf->rec.netns_cookie = 0;
	vf->rec.nsid = -1;
	vf->rec.plan = 0;
	vf->rec.begun = vf->rec.done = vf->rec.touched = vf->rec.attempts = 0;
	vf->rec.lease_id = vf->rec.request_blob = vf->rec.result_blob = 0;
	vf->rec.reason[0] = '\0';
	vf->rec.n_own = 0;
	vf->rebind = vf->link_left = vf->half_bound = false;
	if (vf->rec.event == VF_EV_VANISHED) {
		baseline_former(&vf->rec.baseline, &vf->rec.wanted);
	} else {
		memset(&vf->rec.wanted, 0, sizeof(vf->rec.wanted));
		if (vf->rec.state == VF_ABSENT)
			memset(&vf->rec.baseline, 0, sizeof(vf->rec.baseline));
	}
	if (vf->rec.state == VF_ABSENT) {
		vf->rec.ifindex = 0;
		vf->verified = false;
	}
}

int vf_event(struct engine *e, struct vf *vf, enum vf_event ev, bool must)
{
	struct vf_fsm before = vf->fsm;
	uint64_t lease_id = vf->rec.lease_id;
	struct rec_vf *old = NULL;
	unsigned todo;

	if (!vf_step(&vf->fsm, ev, &todo)) {
		char addr[PCI_STRLEN];

		e->dropped_events++;
		log_debug("engine", "vf=%s state=%s ev=%s: no such transition",
			  pci_format(vf->rec.addr, addr), vf_state_name(vf->fsm.state),
			  vf_event_name(ev));
		return -1;
	}
	if (must) {
		old = malloc(sizeof(*old));
		if (!old) {
			vf->fsm = before;
			return -2;
		}
		*old = vf->rec;
	}
	vf->rec.from = before.state;
	vf->rec.event = ev;
	vf->rec.state = vf->fsm.state;
	vf->rec.foreign = vf->fsm.foreign;
	if (vf->fsm.state != before.state) {
		vf->rec.since_wall_ns = e->ops.wall_ns(e->ops.ctx);
		vf->since_boot_ns = now_ns(e);
		vf->n_changes++;
	}
	if (todo & VF_DO_FORGET)
		vf_forget(e, vf);
	if (ev == VF_EV_HOME) /* what was seen on its link is free with it */
		vf->rec.n_own = 0;
	if (ev == VF_EV_EXPORTED) {
		vf->rec.lease_id = lease_id; /* which goes next (export_lease) */
		snprintf(vf->rec.reason, sizeof(vf->rec.reason),
			 "handed over to another plugin by vfctl export");
	}
	if (vf->fsm.state == VF_DETACHING && before.state != VF_DETACHING) {
		vf->rec.plan = PLAN_DETACH;
		vf->rec.begun = vf->rec.done = vf->rec.attempts = 0;
		vf->plan_failed = 0;
	}
	if (write_vf(e, vf) < 0 && must) {
		vf->rec = *old;
		vf->fsm = before;
		free(old);
		return -2;
	}
	free(old);
	e->metrics.vf_events[ev]++;
	e->metrics.repairs += vf->rec.meta.cause == CAUSE_EVENT && ev != VF_EV_APPEARED &&
			      ev != VF_EV_BASELINE;
	if (ev != VF_EV_STEP) {
		log_vf(e, vf);
		tell(e, REC_VF, &vf->rec);
	}
	return (int)todo;
}

int lease_event(struct engine *e, struct lease *l, enum lease_event ev, bool must)
{
	enum lease_state before = l->state;
	struct rec_lease old = l->rec;
	struct strbuf buf = { 0 };
	unsigned todo;

	if (!lease_step(&l->state, ev, &todo)) {
		e->dropped_events++;
		log_debug("engine", "lease=%llu state=%s ev=%s: no such transition",
			  (unsigned long long)l->rec.id, lease_state_name(l->state),
			  lease_event_name(ev));
		return -1;
	}
	l->rec.from = before;
	l->rec.event = ev;
	l->rec.state = l->state;
	stamp(e, &l->rec.meta);
	codec_put_lease(&buf, &l->rec);
	if (append(e, REC_LEASE, &buf) < 0 && must) {
		l->rec = old;
		l->state = before;
		return -2;
	}
	log_lease(l);
	e->metrics.lease_events[ev]++;
	tell(e, REC_LEASE, &l->rec);
	return (int)todo;
}

int record_node(struct engine *e)
{
	struct strbuf buf = { 0 };
	int rc;

	stamp(e, &e->node->rec.meta);
	snprintf(e->node->rec.version, sizeof(e->node->rec.version), "%s", PACKAGE_VERSION);
	codec_put_node(&buf, &e->node->rec);
	rc = append(e, REC_NODE, &buf);
	if (rc == 0)
		tell(e, REC_NODE, &e->node->rec);
	return rc;
}

bool synced(const struct engine *e, uint64_t seq)
{
	return e->journal && journal_durable(e->journal) >= seq;
}

uint64_t sync_want(struct engine *e)
{
	e->sync_wanted = e->journal ? journal_last(e->journal) : 0;
	return e->sync_wanted;
}

static bool a_sync_is_in(struct list *jobs)
{
	list_each(it, jobs)
		if (list_entry(it, struct job, link)->kind == JOB_SYNC)
			return true;
	return false;
}

void sync_kick(struct engine *e)
{
	struct job *job;
	unsigned file;
	uint64_t upto;
	int fd, names_fd;

	if (!e->journal)
		return;
	/* Where a sync has failed no ADD is served before one works (P10), and so nobody would
	 * ask for it. */
	if (synced(e, e->sync_wanted) && (!journal_failed(e->journal) || e->broken_by_disk))
		return;
	/* What came since goes with the next one: group commit.  Never two at a time: the kernel
	 * tells one of them only that a write failed. */
	if (a_sync_is_in(&e->jobs_running) || a_sync_is_in(&e->jobs_waiting))
		return;
	if (!journal_want_sync(e->journal, &fd, &file, &upto))
		return;
	job = job_new(e, JOB_SYNC, LOCK_NONE, NULL, 0);
	if (!job)
		return; /* tried again at the next turn */
	job->sync_file = file;
	job->sync_upto = upto;
	names_fd = journal_want_names(e->journal);
	job->sync_names = names_fd >= 0;
	if ((fd < 0 || job_takes(job, fd)) && (names_fd < 0 || job_takes(job, names_fd)))
		job_submit(e, job);
	else
		job_free(job); /* likewise */
}

void sync_done(struct engine *e, const struct job *job, const struct job_res *res)
{
	struct vfk_err err = { 0 };
	bool again = journal_failed(e->journal);

	if (!res->err.kind && job->sync_names)
		journal_names_synced(e->journal);
	journal_synced(e->journal, job->sync_file, job->sync_upto,
		       res->err.kind ? (res->err.sys ? res->err.sys : EIO) : 0);
	if (res->err.kind) {
		/* P10: a failed sync is final for that file.  If the next one fails, too, it
		 * is not the file: the disk is given time. */
		if (!again)
			log_error("journal", "%s; beginning another file", res->err.msg);
		if (again)
			broken_by_disk(e, "synced", &res->err);
		else if (journal_begin(e->journal, &err) < 0)
			broken_by_disk(e, "synced", &err);
	}
	requests_synced(e);
	vfs_synced(e);
}
