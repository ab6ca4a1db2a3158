/* SPDX-License-Identifier: Apache-2.0 */
/* CNI CHECK: is everything as the result of the ADD says?  A worker looks, nothing is
 * changed; then the IPAM plugin is asked. */
#include "engine/engine-internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/octets.h"
#include "engine/plan.h"

/* Our own code for "it is not as it was made" (vfkeeper-cni(7), Errors). */
#define CODE_DIFFERS 100

static void not_as_made(struct engine *e, struct request *rq, const struct vf *vf,
			const char *fmt, ...) VFK_PRINTF(4, 5);
static void not_as_made(struct engine *e, struct request *rq, const struct vf *vf,
			const char *fmt, ...)
{
	char text[500], addr[PCI_STRLEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	pci_format(vf->rec.addr, addr);
	request_fail(e, rq, CODE_DIFFERS, "VF %s: %s (vfctl explain %s)", addr, text, addr);
}

/* The result that has to be true: prevResult, which later plugins of the chain may have
 * changed; without one that of the ADD. */
static int expect(struct engine *e, struct request *rq, const struct vf *vf,
		  struct cni_expect *out, struct vfk_err *err)
{
	VFK_AUTO(free_auto) char *text = NULL;
	const char *which = rq->cni.prev_result ? "prevResult" : "the result of the ADD";
	json_t *own = NULL;
	size_t len = 0;
	int rc;

	if (!rq->cni.prev_result) {
		text = node_blob_get(e->node, e->journal, vf->rec.result_blob, &len, err);
		if (!text)
			return -err->kind;
		own = json_loadb(text, len, 0, NULL);
		if (!own)
			return vfk_err_set(err, VFK_E_CORRUPT, 0, "%s is not JSON", which);
	}
	rc = cni_expect(out, &rq->cni, own ? own : rq->cni.prev_result, err);
	json_decref(own);
	if (rc < 0)
		return vfk_err_wrap(err, "%s", which);
	/* The MTU that somebody asked for has to stay.  What a link began with may change: an
	 * IPoIB link finds its MTU when it joins, and later plugins change it unsaid. */
	if (!(vf->rec.wanted.has & HAS_MTU))
		out->pod.mtu_bytes = 0;
	else if (!out->pod.mtu_bytes)
		out->pod.mtu_bytes = vf->rec.wanted.mtu_bytes;
	return 0;
}

static void look(struct engine *e, struct request *rq, const struct vf *vf,
		 const struct cni_expect *want)
{
	size_t ips = want->n_ips * sizeof(struct drv_ip);
	struct job *job = job_look(e, rq, vf, JOB_CHECK,
				   ips + want->n_routes * sizeof(struct drv_route));

	if (!job)
		return;
	job->req->call.n_ips = want->n_ips;
	job->req->call.n_routes = want->n_routes;
	memcpy(job->req + 1, want->ips, ips);
	memcpy((char *)(job->req + 1) + ips, want->routes,
	       want->n_routes * sizeof(struct drv_route));
	job->req->expect = want->pod;
	rq->attach_seq = vf->rec.attach_seq;
	rq->state = REQ_LOOK;
	job_submit(e, job);
}

void check_begin(struct engine *e, struct request *rq)
{
	const struct vf *vf = node_vf_of(e->node, &rq->cni.att);
	struct vfk_err err = { 0 };
	struct cni_expect want;

	if (!vf) {
		request_fail(e, rq, CODE_DIFFERS,
			     "container %.64s interface %s has no VF on record%s",
			     rq->cni.att.container, rq->cni.att.ifname,
			     e->node->rec.records_missing ? " (records may be missing)" :
							    "");
		return;
	}
	if (vf->fsm.state == VF_RESERVED) {
		request_fail(e, rq, 11, "container %.64s interface %s is being attached",
			     rq->cni.att.container, rq->cni.att.ifname);
		return;
	}
	if (vf->fsm.state != VF_ATTACHED) {
		not_as_made(e, rq, vf, "it is %s", vf_state_name(vf->fsm.state));
		return;
	}
	if (rq->cni.has_device && rq->cni.device != vf->rec.addr) {
		char addr[PCI_STRLEN];

		not_as_made(e, rq, vf, "deviceID is %s", pci_format(rq->cni.device, addr));
		return;
	}
	if (!netns_check(e, rq))
		return;
	if (expect(e, rq, vf, &want, &err) == 0)
		look(e, rq, vf, &want);
	else if (err.kind == VFK_E_NOTFOUND)
		not_as_made(e, rq, vf, "%s", err.msg);
	else if (err.kind == VFK_E_IPAM || err.kind == VFK_E_DECODE)
		request_fail(e, rq, 7, "%s", err.msg);
	else
		request_fail_err(e, rq, &err, vf->rec.addr);
}

/* --- what the worker saw --------------------------------------------------------- */

/* The first PF-side setting that was asked for and is another now, in 'out'. */
static bool setting_differs(const struct vf_settings *want, const struct vf_settings *is,
			    char *out, size_t cap)
{
	const struct {
		const char *key;
		uint32_t has;
		uint32_t want, is;
	} numbers[] = {
		{ "link_state", HAS_LINK_STATE, want->link_state, is->link_state },
		{ "vlan", HAS_VLAN, want->vlan, is->vlan },
		{ "vlanQoS", HAS_VLAN, want->qos, is->qos },
		{ "vlanProto", HAS_VLAN, want->vlan_proto, is->vlan_proto },
		{ "min_tx_rate", HAS_MIN_TX, want->min_tx_mbps, is->min_tx_mbps },
		{ "max_tx_rate", HAS_MAX_TX, want->max_tx_mbps, is->max_tx_mbps },
		{ "spoofchk", HAS_SPOOFCHK, want->spoofchk, is->spoofchk },
		{ "trust", HAS_TRUST, want->trust, is->trust },
	};
	uint32_t both = want->has & is->has;
	char a[GUID_TEXT], b[GUID_TEXT];

	if (both & HAS_PORT_GUID && want->port_guid != is->port_guid) {
		snprintf(out, cap, "its port GUID is %s, not %s",
			 guid_format(is->port_guid, a), guid_format(want->port_guid, b));
		return true;
	}
	if (both & HAS_NODE_GUID && want->node_guid != is->node_guid) {
		snprintf(out, cap, "its node GUID is %s, not %s",
			 guid_format(is->node_guid, a), guid_format(want->node_guid, b));
		return true;
	}
	if (both & HAS_MAC && memcmp(want->mac, is->mac, sizeof(is->mac)) != 0) {
		snprintf(out, cap, "its administrative MAC is another than the one given");
		return true;
	}
	for (size_t i = 0; i < VFK_ARRAY_SIZE(numbers); i++) {
		if (!(both & numbers[i].has) || numbers[i].want == numbers[i].is)
			continue;
		snprintf(out, cap, "its %s is %u, not %u", numbers[i].key, numbers[i].is,
			 numbers[i].want);
		return true;
	}
	return false;
}

static bool port_is_fatal(const struct engine *e, const struct vf *vf)
{
	const struct pf *pf = node_pf(e->node, vf->rec.pf);
	int port = pf ? pf_bad_port(pf) : -1;

	return port >= 0 && pf->ports[port] == PORT_FATAL;
}

/* True: nothing is wrong; otherwise the request is answered. */
static bool as_made(struct engine *e, struct request *rq, const struct vf *vf,
		    const struct job_res *res)
{
	char text[200];

	switch ((enum drv_where)res->out.where) {
	case WHERE_GONE:
		not_as_made(e, rq, vf, "it is gone from the bus");
		return false;
	case WHERE_UNKNOWN:
		request_fail(e, rq, 11, "it cannot be found out where the link is");
		return false;
	case WHERE_HOME:
		if (!plan_has_link(&vf->rec))
			break;
		not_as_made(e, rq, vf, "its link is on the host, not in the pod");
		return false;
	case WHERE_ELSEWHERE:
		not_as_made(e, rq, vf, "its link is in another network namespace than %s",
			    rq->cni.netns_path);
		return false;
	case WHERE_IN_POD:
		break;
	}
	if (res->differs)
		not_as_made(e, rq, vf, "%s", res->err.msg);
	else if (res->out.seen.valid &&
		 setting_differs(&vf->rec.wanted, &res->out.seen.set, text, sizeof(text)))
		not_as_made(e, rq, vf, "%s", text);
	else if (port_is_fatal(e, vf))
		not_as_made(e, rq, vf, "a port of its PF is in state FATAL");
	else
		return true;
	return false;
}

void check_looked(struct engine *e, struct request *rq, const struct job_res *res)
{
	const struct vf *vf = node_vf_of(e->node, &rq->cni.att);

	request_cause(e, rq);
	if (!vf || vf->fsm.state != VF_ATTACHED || vf->rec.attach_seq != rq->attach_seq) {
		request_fail(e, rq, CODE_DIFFERS,
			     "container %.64s interface %s was released while it was "
			     "looked at",
			     rq->cni.att.container, rq->cni.att.ifname);
		return;
	}
	if (res->err.kind && !res->differs) {
		request_fail_err(e, rq, &res->err, vf->rec.addr);
		return;
	}
	if (!as_made(e, rq, vf, res))
		return;
	if (delegate_wanted(rq) && !rq->cni.skip_ipam_check)
		delegate_begin(e, rq, rq->deadline_ns);
	else
		request_ok(e, rq);
}

void check_delegated(struct engine *e, struct request *rq, const struct cni_fail *said)
{
	if (said)
		request_fail_as(e, rq, said);
	else
		request_ok(e, rq);
}
