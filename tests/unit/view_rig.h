/* SPDX-License-Identifier: Apache-2.0 */
/* A small node to be looked at. */
#ifndef VFK_TESTS_VIEW_RIG_H
#define VFK_TESTS_VIEW_RIG_H

#include "base/clock.h"
#include "engine/ctl_cmds.h"
#include "engine/plan.h"
#include "engine/view.h"
#include "suite.h"

#define T0 INT64_C(1763834628123) /* ms: 2025-11-22T18:03:48.123Z */
#define MS NS_PER_MS
#define PF_A 0x3b00
#define CID_A "aaaaaaaaaaaabbbbccccddddeeeeffff0000111122223333444455556666777788"
#define CID_B "aaaaaaaaaaaa9999"

/* --- a small node: FREE, ATTACHED with a lease, FAULTED, foreign, of two PFs --- */

static inline struct vf *add(struct node *n, pci_addr_t addr, unsigned index,
			     enum vf_state state)
{
	struct vf *vf = node_vf_add(n, addr);

	CU_ASSERT_PTR_NOT_NULL_FATAL(vf);
	vf->rec.addr = addr;
	vf->rec.pf = addr & ~UINT64_C(0xff);
	vf->rec.index = (uint16_t)index;
	vf->rec.state = state;
	vf->fsm.state = state;
	vf->rec.since_wall_ns = T0 * MS;
	vf->rec.meta.wall_ns = T0 * MS;
	vf->rec.nsid = -1;
	snprintf(vf->rec.driver, sizeof(vf->rec.driver), "sim");
	vf->rec.baseline.valid = true;
	vf->rec.baseline.set.has = HAS_PORT_GUID | HAS_MAC;
	vf->rec.baseline.set.port_guid = 0x0011220000000000 + addr;
	memcpy(vf->rec.baseline.set.mac, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)addr }, 6);
	snprintf(vf->rec.baseline.ifname, sizeof(vf->rec.baseline.ifname), "ib0v%u", index);
	snprintf(vf->rec.baseline.rdma_dev, sizeof(vf->rec.baseline.rdma_dev), "mlx5_%u",
		 (unsigned)addr & 0xff);
	return vf;
}

static inline void own(struct vf *vf, const char *cid, const char *ifname, const char *ns,
		       const char *pod)
{
	snprintf(vf->rec.owner.network, sizeof(vf->rec.owner.network), "ibnet");
	snprintf(vf->rec.owner.container, sizeof(vf->rec.owner.container), "%s", cid);
	snprintf(vf->rec.owner.ifname, sizeof(vf->rec.owner.ifname), "%s", ifname);
	snprintf(vf->rec.pod.ns, sizeof(vf->rec.pod.ns), "%s", ns);
	snprintf(vf->rec.pod.name, sizeof(vf->rec.pod.name), "%s", pod);
}

static inline void build(struct node *n)
{
	struct lease *l;
	struct pf *pf;
	struct vf *vf;

	node_init(n);
	add(n, PF_A + 1, 0, VF_FREE);
	vf = add(n, PF_A + 2, 1, VF_ATTACHED);
	own(vf, CID_A, "net1", "default", "web-0");
	vf->rec.lease_id = 7;
	vf->rec.wanted.has = HAS_PORT_GUID | HAS_MTU;
	vf->rec.wanted.port_guid = 0xfeed0000cafe0001;
	vf->rec.wanted.mtu_bytes = 2044;
	vf = add(n, PF_A + 3, 2, VF_FAULTED);
	own(vf, CID_B, "net1", "kube-system", "job-x\033[31m");
	snprintf(vf->rec.reason, sizeof(vf->rec.reason),
		 "link_home: kernel refused: EBUSY");
	vf->rec.plan = PLAN_DETACH;
	vf->rec.begun = STEP_BIT(LINK_HOME) | STEP_BIT(SETTINGS_HOME);
	vf->rec.done = STEP_BIT(SETTINGS_HOME);
	vf->rec.attempts = 8;
	vf = add(n, PF_A + 0x101, 0, VF_FAULTED);
	vf->rec.foreign = vf->fsm.foreign = true;
	/* The other PF's VFs have the same names at home. */
	l = node_lease_add(n, 7);
	CU_ASSERT_PTR_NOT_NULL_FATAL(l);
	l->rec.id = 7;
	l->state = LEASE_HELD;
	l->rec.state = LEASE_HELD;
	l->rec.vf = PF_A + 2;
	l->rec.asked_wall_ns = T0 * MS;
	snprintf(l->rec.plugin, sizeof(l->rec.plugin), "host-local");
	l->rec.owner = n->vfs[1]->rec.owner;
	l->rec.pod = n->vfs[1]->rec.pod;
	l = node_lease_add(n, 9);
	CU_ASSERT_PTR_NOT_NULL_FATAL(l);
	l->rec.id = 9;
	l->state = LEASE_OWED;
	l->rec.state = LEASE_OWED;
	l->rec.vf = PF_A + 1;
	l->rec.attempts = 3;
	l->rec.asked_wall_ns = (T0 - 100000) * MS;
	snprintf(l->rec.plugin, sizeof(l->rec.plugin), "static");
	snprintf(l->rec.last_error, sizeof(l->rec.last_error), "exit code 1");
	pf = node_pf_add(n, PF_A);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pf);
	snprintf(pf->ifname, sizeof(pf->ifname), "ib0");
	snprintf(pf->driver, sizeof(pf->driver), "sim");
	pf->n_ports = 1;
	pf->ports[0] = PORT_ACTIVE;
	pf->n_vfs = 3;
}

static const struct view_status facts = { .mode = "service",
					  .version = "0.1.0",
					  .pid = 42,
					  .started_boot_ns = 5 * NS_PER_S,
					  .boot_id = "b1",
					  .journal = "clean",
					  .last_seq = 812,
					  .durable_upto = 800,
					  .n_jobs_running = 2,
					  .discovered = true };

static inline struct view view_at(const struct node *n, int64_t age_s, bool live)
{
	return (struct view){ .node = n,
			      .status = &facts,
			      .wall_ns = T0 * MS + age_s * NS_PER_S,
			      .boot_ns = 100 * NS_PER_S,
			      .live = live };
}

#endif
