/* SPDX-License-Identifier: Apache-2.0 */
/* The driver of the simulated kernel: the steps of src/drivers/driver.h with the guarantees
 * that stand there. */
#ifndef VFK_TESTS_SIM_STEPS_H
#define VFK_TESTS_SIM_STEPS_H

#include "engine/job.h"
#include "kernel.h"

enum step_end {
	STEP_DONE,
	STEP_FAILED,
	STEP_WAITS, /* for a namespace that is being taken down: to be run again soon */
	STEP_CUT /* 'writes_left' writes were done; the fault that was planned comes now */
};

struct step_run {
	const struct job_req *rq;
	struct kvf *v;
	int ns;	  /* of the descriptor that came with the job; NOWHERE */
	bool cut; /* ends after so many writes */
	unsigned writes_left;
	struct drv_out *out;
	struct vfk_err *err;
};

enum step_end step_run(struct step_run *r, enum drv_step step);
void step_observe(struct step_run *r);
/* Appends what is found to the memfd. */
void step_ports(pci_addr_t addr, struct drv_pf *out);
void step_discover(int memfd);
pci_addr_t step_identify(int ns, const char *ifname);

/* In the pod's namespace: it gets its id, and the VF is looked for there. */
void step_import(struct step_run *r);

#endif
