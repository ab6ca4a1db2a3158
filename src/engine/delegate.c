/* SPDX-License-Identifier: Apache-2.0 */
/* IPAM CHECK, GC and STATUS.  As every plugin they run as children of the caller's process
 * (R8); no lease hangs on them, so one that ends badly costs an error text at most. */
#include "engine/engine-internal.h"

#include <stdio.h>
#include <string.h>

bool delegate_wanted(const struct request *rq)
{
	return rq->cni.ipam_type[0] && !rq->cni.ipam_own;
}

static void over(struct engine *e, struct request *rq, const struct cni_fail *said)
{
	request_cause(e, rq);
	switch (rq->cni.verb) {
	case CNI_CHECK:
		check_delegated(e, rq, said);
		return;
	case CNI_GC:
		gc_delegated(e, rq, said);
		return;
	case CNI_STATUS:
		status_delegated(e, rq, said);
		return;
	case CNI_ADD:
	case CNI_DEL:
	case CNI_VERSION:
	case CNI_IMPORT:
		return;
	}
}

void delegate_begin(struct engine *e, struct request *rq, int64_t until_ns)
{
	rq->state = REQ_DELEGATE;
	rq->deadline_ns = until_ns;
	wake(e, until_ns);
	delegate_run(e, rq);
}

bool delegate_run(struct engine *e, struct request *rq)
{
	VFK_AUTO(fd_auto) int text_fd = -1;
	int64_t left_ms = (rq->deadline_ns - now_ns(e)) / NS_PER_MS;
	struct vfk_err err = { 0 };
	struct cni_fail fail;
	int stored[2];
	int rc = 0;

	rq->run_waits = !lease_young_turn(e, &rq->turn_ns);
	if (rq->run_waits)
		return false;
	if (rq->run_text) {
		text_fd = e->ops.memfd(e->ops.ctx, "stdin", rq->run_text,
				       strlen(rq->run_text));
		if (text_fd < 0)
			rc = vfk_err_set(&err, VFK_E_NOMEM, 0, "descriptor for a plugin");
	}
	stored[0] = text_fd;
	stored[1] = rq->env_fd;
	if (rc == 0)
		rc = lease_send_run(e, rq, NULL, rq->cni.ipam_type, rq->cni.verb, stored,
				    rq->run_text ? 2 : 0,
				    (uint32_t)(left_ms > 1 ? left_ms : 1), &err);
	if (rc == 0)
		return true;
	lease_young_done(e, &rq->turn_ns);
	cni_fail_from(&fail, &err, PCI_NONE);
	over(e, rq, &fail);
	return false;
}

/* A plugin that is older than the verb, or than the version of the configuration: it has
 * nothing to say, which is no failure. */
static bool knows_verb(const struct cni_fail *fail)
{
	return !(fail->code == 4 && strstr(fail->msg, "unknown CNI_COMMAND")) &&
	       !(fail->code == 1 && (strstr(fail->msg, "does not allow") ||
				     strstr(fail->msg, "incompatible CNI version")));
}

void delegate_ran(struct engine *e, struct request *rq, const struct frame_ran *ran,
		  const char *out, size_t out_len)
{
	struct cni_fail fail;

	if (!rq->run_sent || ran->run_id != rq->run_id)
		return; /* of a run that an engine before us asked for: it is done again */
	rq->run_sent = false;
	lease_young_done(e, &rq->turn_ns);
	if (ran->outcome == RUN_EXITED && ran->status == 0) {
		over(e, rq, NULL);
		return;
	}
	if (ran->outcome == RUN_TIMED_OUT) {
		delegate_late(e, rq);
		return;
	}
	cni_ipam_failure(&fail, rq->cni.ipam_type, ran->outcome, ran->status, out, out_len);
	over(e, rq, knows_verb(&fail) ? &fail : NULL);
}

void delegate_late(struct engine *e, struct request *rq)
{
	struct cni_fail fail;

	if (rq->run_sent && rq->client)
		e->ops.cancel(e->ops.ctx, rq->client);
	if (rq->cni.verb == CNI_STATUS) { /* that it is slow does not mean that it cannot */
		status_late(e, rq);
		return;
	}
	cni_fail_set(&fail, 11, "IPAM plugin \"%s\" gave no answer to %s in time",
		     rq->cni.ipam_type, verb_name(rq->cni.verb));
	over(e, rq, &fail);
}
