/* SPDX-License-Identifier: Apache-2.0 */
/* The ports of the PFs: what events and discoveries say goes through the port machine, and what
 * it asks for is done here. */
#include "engine/engine-internal.h"

#include <stdio.h>
#include <string.h>

#define ASK_NS (20 * NS_PER_MS)
/* A device that had failed works again when it says that a port is up: asked so often. */
#define FATAL_ASK_NS (2 * NS_PER_S)

static void ask_at(struct engine *e, struct pf *pf, int64_t at_ns)
{
	if (pf->ask_at_ns && pf->ask_at_ns <= at_ns)
		return;
	pf->ask_at_ns = at_ns;
	if (!e->hints_at_ns || at_ns < e->hints_at_ns)
		e->hints_at_ns = at_ns;
	wake(e, at_ns);
}

void ports_ask(struct engine *e, struct pf *pf)
{
	ask_at(e, pf, now_ns(e) + ASK_NS);
}

/* Its VFs that were given up have a chance again. */
static void retry_vfs(struct engine *e, const struct pf *pf)
{
	for (size_t i = 0; i < e->node->n_vfs; i++) {
		struct vf *vf = e->node->vfs[i];

		if (vf->rec.pf != pf->addr || vf->fsm.state != VF_FAULTED || vf->fsm.foreign)
			continue;
		cause_set(e, CAUSE_EVENT, "its PF works again");
		release_begin(e, vf, VF_EV_PF_RECOVERED);
	}
}

static void port_event(struct engine *e, struct pf *pf, unsigned i, enum port_event ev)
{
	enum port_state before = pf->ports[i];
	char addr[PCI_STRLEN];
	unsigned todo;

	if (!port_step(&pf->ports[i], ev, &todo))
		return;
	pf->since_ns = now_ns(e);
	pf->n_came_to[pf->ports[i]]++;
	pci_format(pf->addr, addr);
	if (todo & PORT_DO_TELL) {
		e->n_port_changes++;
		log_at(pf->ports[i] == PORT_DOWN ? LOG_LV_WARN : LOG_LV_NOTICE, "engine",
		       "pf=%s port=%u from=%s to=%s ev=%s", addr, i + 1,
		       port_state_name(before), port_state_name(pf->ports[i]),
		       port_event_name(ev));
	}
	if (todo & PORT_DO_ALARM) {
		e->n_port_failures++;
		log_error("engine",
			  "pf=%s port=%u has failed: no VF of this PF is attached until "
			  "it works again",
			  addr, i + 1);
	}
	if (todo & PORT_DO_QUERY)
		ports_ask(e, pf);
	if (todo & PORT_DO_RETRY)
		retry_vfs(e, pf);
	if (pf->ports[i] == PORT_FATAL)
		ask_at(e, pf, now_ns(e) + FATAL_ASK_NS);
}

void engine_port_event(struct engine *e, pci_addr_t addr, unsigned port, enum port_event ev)
{
	struct pf *pf = node_pf(e->node, addr);

	if (!pf)
		return; /* not known yet: discovery asks */
	for (unsigned i = 0; i < pf->n_ports && i < VFK_ARRAY_SIZE(pf->ports); i++)
		if (!port || port == i + 1)
			port_event(e, pf, i, ev);
}

static void port_seen(struct engine *e, struct pf *pf, unsigned i, enum port_state seen)
{
	switch (seen) {
	case PORT_UNKNOWN:
		port_event(e, pf, i, PORT_EV_LOST);
		break;
	case PORT_DOWN:
		port_event(e, pf, i, PORT_EV_LINK_DOWN);
		break;
	case PORT_INIT:
	case PORT_ACTIVE:
		if (pf->ports[i] == PORT_FATAL)
			port_event(e, pf, i, PORT_EV_DEVICE_RECOVERED);
		port_event(e, pf, i,
			   seen == PORT_INIT ? PORT_EV_LINK_INIT : PORT_EV_LINK_ACTIVE);
		break;
	case PORT_FATAL:
		port_event(e, pf, i, PORT_EV_DEVICE_FATAL);
		break;
	}
}

/* What a look that began at 'began_ns' says. */
static void ports_seen(struct engine *e, struct pf *pf, const struct drv_pf *found,
		       int64_t began_ns)
{
	pf->n_ports = found->n_ports;
	if (pf->since_ns > began_ns)
		return; /* they changed while the worker looked: this is old news */
	for (unsigned i = 0; i < pf->n_ports && i < VFK_ARRAY_SIZE(pf->ports); i++)
		port_seen(e, pf, i, found->port_state[i]);
}

void pf_seen(struct engine *e, const struct job_found *found)
{
	struct pf *pf = node_pf_add(e->node, found->pf.addr);

	if (!pf)
		return;
	pf->seen = true;
	memcpy(pf->ifname, found->pf.ifname, sizeof(pf->ifname));
	memcpy(pf->driver, found->driver, sizeof(pf->driver));
	pf->n_vfs = found->pf.n_vfs;
	ports_seen(e, pf, &found->pf, e->discover_began_ns);
}

void pfs_unseen(struct engine *e)
{
	for (size_t i = 0; i < e->node->n_pfs; i++) {
		struct pf *pf = &e->node->pfs[i];

		if (!pf->seen && pf->since_ns <= e->discover_began_ns)
			engine_port_event(e, pf->addr, 0, PORT_EV_LOST);
	}
}

/* --- asking --- */

static void ask(struct engine *e, struct pf *pf, int64_t now)
{
	struct job *job = job_new(e, JOB_PORTS, LOCK_NONE, NULL, 0);

	if (!job) {
		ask_at(e, pf, now + NS_PER_S);
		return;
	}
	job->pf = job->req->call.pf = pf->addr;
	snprintf(job->req->driver, sizeof(job->req->driver), "%s", pf->driver);
	pf->asking = true;
	pf->asked_ns = now;
	job_submit(e, job);
}

void ports_told(struct engine *e, const struct job *job, const struct job_res *res)
{
	struct pf *pf = node_pf(e->node, job->pf);

	if (!pf)
		return;
	pf->asking = false;
	if (res->err.kind == VFK_E_UNSUPPORTED)
		engine_bus_changed(e); /* a discovery asks, too */
	else if (!res->err.kind)
		ports_seen(e, pf, &res->pf, pf->asked_ns);
	else
		log_info("engine", "ports of a PF: %s", res->err.msg);
	for (unsigned i = 0; i < pf->n_ports && i < VFK_ARRAY_SIZE(pf->ports); i++)
		if (pf->ports[i] == PORT_FATAL)
			ask_at(e, pf, now_ns(e) + FATAL_ASK_NS);
}

void ports_turn(struct engine *e, int64_t now)
{
	for (size_t i = 0; i < e->node->n_pfs; i++) {
		struct pf *pf = &e->node->pfs[i];
		int64_t at = pf->ask_at_ns;

		if (!at)
			continue;
		pf->ask_at_ns = 0;
		if (now < at)
			ask_at(e, pf, at);
		else if (pf->asking)
			ask_at(e, pf, now + ASK_NS);
		else
			ask(e, pf, now);
	}
}
