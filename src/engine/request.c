/* SPDX-License-Identifier: Apache-2.0 */
/* Requests: from the frame to the answer. */
#include "engine/engine-internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STDIN_LIMIT (64u * 1024)
#define DEL_PARSED (1024u * 1024)

#define CLIENT_MARGIN_NS (2 * NS_PER_S)

const char *verb_name(enum cni_verb verb)
{
	switch (verb) {
	case CNI_ADD:
		return "ADD";
	case CNI_DEL:
		return "DEL";
	case CNI_CHECK:
		return "CHECK";
	case CNI_GC:
		return "GC";
	case CNI_STATUS:
		return "STATUS";
	case CNI_VERSION:
		return "VERSION";
	case CNI_IMPORT:
		return "IMPORT";
	}
	return "?";
}

const char *who(const struct engine *e, const struct vf *vf, char *buf, size_t cap)
{
	const struct rec_vf *rec = &vf->rec;
	long long age_s = (e->ops.wall_ns(e->ops.ctx) - rec->since_wall_ns) / NS_PER_S;

	if (attachment_none(&rec->owner)) {
		snprintf(buf, cap, "no owner, for %lld s", age_s);
		return buf;
	}
	snprintf(buf, cap, "container %.64s interface %s%s%s%s%s, for %lld s",
		 rec->owner.container, rec->owner.ifname, rec->pod.name[0] ? " pod " : "",
		 rec->pod.ns, rec->pod.name[0] ? "/" : "", rec->pod.name, age_s);
	return buf;
}

void request_free(struct request *rq)
{
	list_remove(&rq->link);
	list_remove(&rq->waiting);
	if (rq->vf && rq->vf->adder == rq)
		rq->vf->adder = NULL;
	if (rq->lease && rq->lease->runner == rq)
		rq->lease->runner = NULL;
	if (rq->job)
		rq->job->request = NULL;
	if (rq->parsed)
		cni_request_free(&rq->cni);
	cni_ipam_free(&rq->ipam);
	fd_auto(&rq->netns_fd);
	fd_auto(&rq->stdin_fd);
	fd_auto(&rq->env_fd);
	free(rq->env);
	free(rq->text);
	free(rq->answer);
	free(rq->early_out);
	free(rq->run_text);
	free(rq->own);
	gc_free(rq->gc);
	free(rq);
}

void request_cause(struct engine *e, const struct request *rq)
{
	cause_set(e, CAUSE_REQUEST, "%s%s %.64s/%s", rq->from_spool ? "spooled " : "",
		  verb_name(rq->cni.verb), rq->cni.att.container, rq->cni.att.ifname);
}

/* The request is over.  Whoever stands behind it in the queue has its turn now. */
static void leave(struct engine *e, struct request *rq)
{
	struct vf *vf = list_empty(&rq->waiting) ? NULL : rq->vf;

	request_free(rq);
	if (!vf || list_empty(&vf->queue) || vf->job ||
	    (vf->fsm.state != VF_FREE && vf->fsm.state != VF_ATTACHED))
		return; /* the end of its job or of its release runs the queue */
	vf->retry_at_ns = now_ns(e);
	wake(e, vf->retry_at_ns);
}

static void answer_now(struct engine *e, struct request *rq, int exit_code, const char *text)
{
	if (rq->run_sent) /* its client ends, and the plugin with it: somebody else pays */
		lease_runner_gone(e, rq);
	if (rq->client)
		e->ops.answer(e->ops.ctx, rq->client, exit_code, text, strlen(text));
	metrics_request(&e->metrics, rq->parsed ? rq->cni.verb : 0, rq->code,
			now_ns(e) - rq->arrived_ns);
	rq->client = NULL;
	leave(e, rq);
}

/* A client that came back from a dead engine has less time left than a new one: it is
 * answered before it gives up. */
static int64_t within_margin(const struct request *rq, int64_t at_ns, int64_t margin_ns)
{
	int64_t last = rq->gives_up_ns ? rq->gives_up_ns - margin_ns : at_ns;

	return at_ns < last ? at_ns : last;
}

int64_t within_client(const struct request *rq, int64_t at_ns)
{
	return within_margin(rq, at_ns, CLIENT_MARGIN_NS);
}

void request_answer(struct engine *e, struct request *rq, int exit_code, const char *text)
{
	/* CHECK and STATUS have written nothing. */
	bool wrote = rq->cni.verb != CNI_CHECK && rq->cni.verb != CNI_STATUS;
	bool import = rq->cni.verb == CNI_IMPORT; /* its file is put away then */

	/* Where nothing can be recorded, a DEL is answered all the same (P10). */
	if (exit_code == 0 && wrote && (e->config.sync_all || import) && e->journal &&
	    (rq->cni.verb == CNI_ADD || import || engine_can_record(e)) &&
	    !synced(e, journal_last(e->journal)) && rq->state != REQ_ANSWER_SYNC) {
		rq->answer = strdup(text);
		if (rq->answer) {
			list_remove(&rq->waiting);
			if (rq->vf && rq->vf->adder == rq)
				rq->vf->adder = NULL;
			rq->vf = NULL;
			rq->lease = NULL;
			rq->state = REQ_ANSWER_SYNC;
			rq->wait_seq = sync_want(e);
			/* A DEL that is answered at its deadline has no time left for the disk
			 * but what is kept for its client. */
			if (rq->deadline_ns < now_ns(e) + e->config.del_wait_ms * NS_PER_MS)
				rq->deadline_ns =
					within_margin(rq,
						      now_ns(e) + e->config.del_wait_ms *
									  NS_PER_MS,
						      CLIENT_MARGIN_NS / 2);
			wake(e, rq->deadline_ns);
			return;
		}
		if (import) {
			request_fail(e, rq, 11, "out of memory");
			return;
		}
	}
	answer_now(e, rq, exit_code, text);
}

void request_fail_as(struct engine *e, struct request *rq, const struct cni_fail *said)
{
	struct cni_fail copy = *said, *fail = &copy;

	if (rq->parsed && rq->cni.verb == CNI_DEL)
		cni_fail_for_del(fail);
	rq->code = fail->code;
	VFK_AUTO(free_auto)
	char *text = cni_fail_text(fail, rq->parsed ? rq->cni.spec : CNI_SPEC_NEWEST);

	log_info("cni", "%s container=%s ifname=%s code=%d %s",
		 rq->parsed ? verb_name(rq->cni.verb) : "?",
		 rq->parsed ? rq->cni.att.container : "",
		 rq->parsed ? rq->cni.att.ifname : "", fail->code, fail->msg);
	answer_now(e, rq, 1, text ? text : "{\"code\":11,\"msg\":\"out of memory\"}");
}

void request_fail(struct engine *e, struct request *rq, int code, const char *fmt, ...)
{
	char text[sizeof(((struct cni_fail *)NULL)->msg)];
	struct cni_fail fail;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	cni_fail_set(&fail, code, "%s", text); /* one line, whatever is quoted in it */
	request_fail_as(e, rq, &fail);
}

void request_fail_err(struct engine *e, struct request *rq, const struct vfk_err *err,
		      pci_addr_t vf)
{
	struct cni_fail fail;

	cni_fail_from(&fail, err, vf);
	request_fail_as(e, rq, &fail);
}

void request_ok(struct engine *e, struct request *rq)
{
	request_answer(e, rq, 0, "");
}

static struct request *request_new(struct engine *e, void *client)
{
	struct request *rq = calloc(1, sizeof(*rq));

	if (!rq)
		return NULL;
	list_init(&rq->waiting);
	list_push_back(&e->requests, &rq->link);
	rq->client = client;
	rq->netns_fd = rq->stdin_fd = rq->env_fd = -1;
	rq->arrived_ns = now_ns(e);
	return rq;
}

static void request_begin(struct engine *e, struct request *rq)
{
	unsigned limit_s = rq->cni.timeout_s ? rq->cni.timeout_s : e->config.add_timeout_s;

	request_cause(e, rq);
	rq->deadline_ns = within_client(rq, rq->arrived_ns + limit_s * NS_PER_S);
	wake(e, rq->deadline_ns);
	switch (rq->cni.verb) {
	case CNI_ADD:
		add_begin(e, rq);
		return;
	case CNI_DEL:
		del_begin(e, rq);
		return;
	case CNI_CHECK:
		check_begin(e, rq);
		return;
	case CNI_GC:
		gc_begin(e, rq);
		return;
	case CNI_STATUS:
		status_begin(e, rq);
		return;
	case CNI_IMPORT:
		import_begin(e, rq);
		return;
	case CNI_VERSION: /* the client answers that one alone */
		break;
	}
	request_fail(e, rq, 4, "%s is not served by an engine", verb_name(rq->cni.verb));
}

/* How much the loop parses of what it is sent: it must not be long about it.  A CHECK brings
 * the result as well, a GC a list of every attachment, in two spellings. */
static size_t stdin_limit(enum cni_verb verb)
{
	switch (verb) {
	case CNI_CHECK:
		return STDIN_LIMIT * 3;
	case CNI_GC:
	case CNI_DEL:
		return DEL_PARSED;
	case CNI_ADD:
	case CNI_STATUS:
	case CNI_VERSION:
	case CNI_IMPORT:
		break;
	}
	return STDIN_LIMIT;
}

void engine_request(struct engine *e, void *client, const struct frame_request *frame,
		    int stdin_fd, int env_fd, int netns_fd)
{
	/* A file of another plugin is read as its DEL would be: what is wrong in it is left out,
	 * and what has to be right is looked at later. */
	bool import = frame->verb == CNI_IMPORT;
	struct request *rq = request_new(e, client);
	struct cni_fail fail;

	if (!rq) {
		static const char nomem[] = "{\"code\":11,\"msg\":\"out of memory\"}";

		e->ops.answer(e->ops.ctx, client, 1, nomem, sizeof(nomem) - 1);
		close(stdin_fd);
		close(env_fd);
		fd_auto(&netns_fd);
		return;
	}
	rq->stdin_fd = stdin_fd;
	rq->env_fd = env_fd;
	rq->netns_fd = netns_fd;
	rq->netns_errno = frame->netns_errno;
	rq->nonce = frame->nonce;
	rq->start_ns = frame->start_ns;
	rq->gives_up_ns = frame->deadline_boot_ns;
	rq->ran_follows = frame->has_run;
	if (frame->has_run) /* R9: its client keeps that byte locked until our answer */
		rq->holds_lease = frame->run_id;
	rq->env = e->ops.slurp(e->ops.ctx, env_fd, &rq->env_len);
	rq->text = e->ops.slurp(e->ops.ctx, stdin_fd, &rq->text_len);
	if (!rq->env || !rq->text) {
		request_fail(e, rq, 11, "cannot read what the client sent: out of memory");
		return;
	}
	if (rq->text_len > stdin_limit(frame->verb) && frame->verb != CNI_DEL) {
		request_fail(e, rq, 7, "the configuration has %zu bytes, %zu are allowed",
			     rq->text_len, stdin_limit(frame->verb));
		return;
	}
	if (rq->text_len > DEL_PARSED) /* a DEL meets no limit: it is known by its ID */
		rq->text_len = 0;
	if (cni_parse(&rq->cni, import ? CNI_DEL : frame->verb, frame->dialect, rq->env,
		      rq->env_len, rq->text, rq->text_len, &fail) < 0) {
		request_fail_as(e, rq, &fail);
		return;
	}
	if (import)
		rq->cni.verb = CNI_IMPORT;
	rq->parsed = true;
	request_begin(e, rq);
}

int engine_spooled(struct engine *e, enum cni_dialect dialect, const char *env,
		   size_t env_len, const char *text, size_t text_len, const char *boot_id,
		   uint64_t start_ns, struct vfk_err *err)
{
	struct request *rq = request_new(e, NULL);
	struct cni_fail fail;

	if (rq) {
		rq->env = malloc(env_len + 1);
		rq->text = malloc(text_len + 1);
	}
	if (!rq || !rq->env || !rq->text) {
		if (rq)
			request_free(rq);
		return vfk_err_set(err, VFK_E_NOMEM, 0, "DEL from the spool");
	}
	memcpy(rq->env, env, env_len);
	memcpy(rq->text, text, text_len);
	rq->env[env_len] = rq->text[text_len] = '\0';
	rq->env_len = env_len;
	rq->text_len = text_len;
	rq->netns_errno = -1;
	rq->from_spool = true;
	rq->old_boot = strcmp(boot_id, e->boot_id) != 0;
	rq->start_ns = start_ns;
	if (cni_parse(&rq->cni, CNI_DEL, dialect, rq->env, env_len, rq->text, text_len,
		      &fail) < 0) {
		/* It can never be carried out: say so and let it go. */
		log_warn("spool", "a DEL from the spool is dropped: %s", fail.msg);
		request_free(rq);
		return 0;
	}
	rq->parsed = true;
	if (!engine_can_record(e)) {
		request_free(rq);
		return vfk_err_set(err, VFK_E_BUSY, 0, "the journal cannot be written");
	}
	request_begin(e, rq);
	return 0;
}

static struct request *request_of(struct engine *e, const void *client)
{
	list_each(it, &e->requests) {
		struct request *rq = list_entry(it, struct request, link);

		if (rq->client == client)
			return rq;
	}
	return NULL;
}

void engine_ran(struct engine *e, void *client, const struct frame_ran *ran,
		const char *out, size_t out_len)
{
	struct request *rq = request_of(e, client);

	if (!rq)
		return;
	rq->ran_follows = false;
	if (rq->ran_is_old) { /* of a plugin that an engine before us had run */
		rq->ran_is_old = false;
		return;
	}
	request_cause(e, rq);
	if (rq->run_sent)
		metrics_ipam(&e->metrics, rq->run_pays ? CNI_DEL : rq->cni.verb,
			     ran->outcome == RUN_EXITED && ran->status == 0,
			     now_ns(e) - rq->run_began_ns);
	if (rq->state == REQ_DELEGATE) {
		delegate_ran(e, rq, ran, out, out_len);
		return;
	}
	if (rq->state == REQ_WAIT_DISCOVERY || rq->state == REQ_QUEUED ||
	    rq->state == REQ_OBSERVE) {
		/* R9: the plugin that the engine before us had asked for has ended; the VF is not
		 * looked at yet.  setup_resume takes it. */
		free(rq->early_out);
		rq->early_out = malloc(out_len + 1);
		if (!rq->early_out)
			return;
		memcpy(rq->early_out, out, out_len);
		rq->early_len = out_len;
		rq->early = *ran;
		return;
	}
	lease_ran(e, rq, ran, out, out_len);
}

void engine_client_gone(struct engine *e, void *client)
{
	struct request *rq = request_of(e, client);

	if (!rq)
		return;
	rq->client = NULL;
	cause_set(e, CAUSE_REQUEST, "the caller of %s %.64s/%s ended",
		  verb_name(rq->cni.verb), rq->cni.att.container, rq->cni.att.ifname);
	if (rq->run_sent)
		lease_runner_gone(e, rq);
	switch (rq->state) {
	case REQ_SYNC:
	case REQ_IPAM:
	case REQ_SETUP:
		setup_failed(e, rq->vf, VF_EV_CALLER_GONE, LEASE_EV_CALLER_GONE, NULL);
		return;
	case REQ_IDENTIFY: /* a DEL that was read is carried out */
		return;
	case REQ_WAIT_DISCOVERY:
		if (rq->cni.verb == CNI_DEL)
			return;
		break;
	case REQ_QUEUED:
	case REQ_OBSERVE:
	case REQ_PAY_FIRST:
	case REQ_ANSWER_SYNC:
	case REQ_RELEASE: /* its records are written: the engine goes on without it */
	case REQ_FAILED:
	case REQ_LOOK:
	case REQ_COLLECT:
	case REQ_DELEGATE:
		break;
	}
	leave(e, rq);
	requests_check(e);
}

/* The first step of the plan that was begun and is not done. */
static const char *step_now(const struct vf *vf)
{
	uint32_t open_steps = vf->rec.begun & ~vf->rec.done;

	return open_steps ? drv_step_name((enum drv_step)__builtin_ctz(open_steps)) :
			    "none";
}

/* A DEL that waits for a journal which cannot be written any more (P10). */
static bool answer_unsynced(struct engine *e, struct request *rq)
{
	VFK_AUTO(free_auto) char *text = NULL;

	if (rq->cni.verb != CNI_DEL || engine_can_record(e))
		return false;
	text = VFK_STEAL(rq->answer);
	answer_now(e, rq, 0, text);
	return true;
}

static void stop_plugin(struct engine *e, struct request *rq)
{
	if (rq->run_sent && rq->client)
		e->ops.cancel(e->ops.ctx, rq->client);
	if (rq->run_sent)
		lease_runner_gone(e, rq);
}

static void setup_late(struct engine *e, struct request *rq)
{
	struct cni_fail fail;
	char addr[PCI_STRLEN];

	pci_format(rq->vf->rec.addr, addr);
	cni_fail_set(&fail, 11, "VF %s: %s within the deadline (vfctl explain %s)", addr,
		     rq->state == REQ_SYNC ? "the journal was not synced" :
		     rq->state == REQ_IPAM ? "the IPAM plugin did not answer" :
					     "the attach steps did not end",
		     addr);
	setup_failed(e, rq->vf, VF_EV_TIMEOUT, LEASE_EV_TIMEOUT, &fail);
}

/* P2: a live engine owns what is left, but for an IPAM DEL that nobody has on record. */
static void release_late(struct engine *e, struct request *rq)
{
	char addr[PCI_STRLEN];

	if (rq->own_del_due) {
		pci_format(rq->vf ? rq->vf->rec.addr : PCI_NONE, addr);
		request_fail(e, rq, 11,
			     "VF %s is still being released, and IPAM plugin %s was not asked "
			     "to release yet",
			     addr, rq->cni.ipam_type);
		return;
	}
	stop_plugin(e, rq);
	request_ok(e, rq);
}

static void too_late(struct engine *e, struct request *rq)
{
	char addr[PCI_STRLEN] = "", owner[400];

	request_cause(e, rq);
	switch (rq->state) {
	case REQ_WAIT_DISCOVERY:
		if (rq->cni.verb == CNI_STATUS) {
			status_late(e, rq);
			return;
		}
		request_fail(e, rq, 11,
			     "VF %s: discovery of the node's VFs has not ended "
			     "within the deadline",
			     rq->cni.device == PCI_NONE ? "not known" :
							  pci_format(rq->cni.device, addr));
		return;
	case REQ_QUEUED:
	case REQ_OBSERVE:
		pci_format(rq->vf->rec.addr, addr);
		request_fail(e, rq, 11,
			     "VF %s is still %s at step %s (%s)%s (vfctl explain %s)",
			     addr, vf_state_name(rq->vf->fsm.state), step_now(rq->vf),
			     who(e, rq->vf, owner, sizeof(owner)),
			     rq->vf->stuck ? ", stuck in the kernel" : "", addr);
		return;
	case REQ_PAY_FIRST:
		request_fail(e, rq, 11,
			     "IPAM plugin %s still owes the release of an earlier "
			     "lease of this attachment",
			     rq->lease ? rq->lease->rec.plugin : "");
		return;
	case REQ_SYNC:
	case REQ_IPAM:
	case REQ_SETUP:
		setup_late(e, rq);
		return;
	case REQ_ANSWER_SYNC:
		if (!answer_unsynced(e, rq))
			request_fail(e, rq, 11,
				     "the journal was not synced within the deadline");
		return;
	case REQ_COLLECT:
		gc_late(e, rq);
		return;
	case REQ_DELEGATE:
		delegate_late(e, rq);
		return;
	case REQ_LOOK:
	case REQ_IDENTIFY:
		request_fail(e, rq, 11,
			     "cannot look at interface %s of the network "
			     "namespace: the kernel does not answer",
			     rq->cni.att.ifname);
		return;
	case REQ_RELEASE:
		release_late(e, rq);
		return;
	case REQ_FAILED:
		stop_plugin(e, rq);
		request_fail_as(e, rq, &rq->fail);
		return;
	}
}

/* Answering one request may answer and free any other: so no loop over the list keeps a
 * pointer across a call.  Each pass takes every request once. */
static struct request *next_of_pass(struct engine *e, unsigned pass)
{
	list_each(it, &e->requests) {
		struct request *rq = list_entry(it, struct request, link);

		if (rq->pass == pass)
			continue;
		rq->pass = pass;
		return rq;
	}
	return NULL;
}

void requests_deadlines(struct engine *e, int64_t now)
{
	unsigned pass = ++e->pass;
	struct request *rq;

	while ((rq = next_of_pass(e, pass))) {
		if (now >= rq->deadline_ns)
			too_late(e, rq);
		else
			wake(e, rq->deadline_ns);
	}
}

/* Whether what an ADD is about to say is true, now that the disk is ready. */
static bool still_so(const struct engine *e, const struct request *rq)
{
	const struct vf *vf;

	if (rq->cni.verb != CNI_ADD)
		return true;
	vf = node_vf_of(e->node, &rq->cni.att);
	return vf && vf->fsm.state == VF_ATTACHED && vf->rec.nonce.hi == rq->nonce.hi &&
	       vf->rec.nonce.lo == rq->nonce.lo;
}

void requests_synced(struct engine *e)
{
	unsigned pass = ++e->pass;
	struct request *rq;

	while ((rq = next_of_pass(e, pass))) {
		if (rq->state == REQ_SYNC && synced(e, rq->wait_seq)) {
			request_cause(e, rq);
			setup_synced(e, rq);
		} else if (rq->state == REQ_ANSWER_SYNC && synced(e, rq->wait_seq)) {
			VFK_AUTO(free_auto) char *text = VFK_STEAL(rq->answer);

			if (still_so(e, rq))
				answer_now(e, rq, 0, text);
			else
				request_fail(e, rq, 11,
					     "the VF was released while the "
					     "journal was synced");
		}
	}
}

void requests_discovered(struct engine *e)
{
	unsigned pass = ++e->pass;
	struct request *rq;

	while ((rq = next_of_pass(e, pass))) {
		if (rq->state == REQ_WAIT_DISCOVERY) {
			request_cause(e, rq);
			if (rq->cni.verb == CNI_ADD)
				add_begin(e, rq);
			else if (rq->cni.verb == CNI_STATUS)
				status_begin(e, rq);
			else if (rq->cni.verb == CNI_IMPORT)
				import_begin(e, rq);
			else
				del_begin(e, rq);
		}
	}
}

/* Whether what the undo of an ADD or a DEL waits for is over. */
static bool undone(const struct request *rq)
{
	const struct vf *vf = rq->vf;

	return (!vf || vf->rec.attach_seq != rq->attach_seq || vf->fsm.state == VF_FAULTED) &&
	       (!rq->lease || (rq->lease->rec.attempts > 0 && !rq->lease->paying));
}

static void check_one(struct engine *e, struct request *rq)
{
	struct lease *l = rq->lease;

	switch (rq->state) {
	case REQ_RELEASE:
		if (rq->own_del_due && undone(rq)) {
			rq->own_del_due = false;
			lease_run_own_del(e, rq);
			return;
		}
		if (!rq->own_config_del && undone(rq)) {
			recent_del_note(e->recent_del, &rq->cni.att, (uint64_t)now_ns(e),
					now_ns(e), !rq->lease);
			request_ok(e, rq);
		}
		return;
	case REQ_FAILED:
		if (undone(rq) && !rq->run_sent)
			request_fail_as(e, rq, &rq->fail);
		return;
	case REQ_PAY_FIRST:
		if (!l) {
			rq->state = REQ_QUEUED;
			vf_queue_run(e, rq->vf);
		} else if (l->rec.attempts && !l->paying && l->retry_at_ns > now_ns(e)) {
			request_fail(e, rq, 11,
				     "an earlier lease of this attachment cannot be "
				     "released: %s",
				     l->rec.last_error);
		}
		return;
	case REQ_WAIT_DISCOVERY:
	case REQ_QUEUED:
	case REQ_OBSERVE:
	case REQ_SYNC:
	case REQ_IPAM:
	case REQ_SETUP:
	case REQ_IDENTIFY:
	case REQ_LOOK:
	case REQ_COLLECT:
	case REQ_DELEGATE:
		return;
	case REQ_ANSWER_SYNC:
		(void)answer_unsynced(e, rq);
		return;
	}
}

void requests_check(struct engine *e)
{
	struct request *rq;
	unsigned pass;

	if (e->checking) {
		e->check_again = true;
		return;
	}
	e->checking = true;
	do {
		e->check_again = false;
		pass = ++e->pass;
		while ((rq = next_of_pass(e, pass)))
			check_one(e, rq);
	} while (e->check_again);
	e->checking = false;
}
