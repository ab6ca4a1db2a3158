/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated node for tests of the sim driver: a private root, a description, the VFs that
 * discover() found, and calls for them. */
#ifndef VFK_TESTS_SIMLAB_H
#define VFK_TESTS_SIMLAB_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "drivers/registry.h"
#include "drivers/sim.h"
#include "suite.h"

#define LAB_MAX 64

static struct {
	char root[24], faults[48];
	struct drv_env env;
	const struct driver *drv;
	unsigned n_pfs, n_vfs;
	struct drv_pf pf[LAB_MAX];
	struct drv_vf vf[LAB_MAX];
	struct drv_out out; /* of the last call */
	struct vfk_err err;
} lab;

static inline void lab_write(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(fputs(text, f) >= 0);
	CU_ASSERT_EQUAL(fclose(f), 0);
}

static inline int lab_pf(void *arg, const struct drv_pf *pf)
{
	(void)arg;
	if (lab.n_pfs < LAB_MAX)
		lab.pf[lab.n_pfs++] = *pf;
	return 0;
}

static inline int lab_vf(void *arg, const struct drv_vf *vf)
{
	(void)arg;
	if (lab.n_vfs < LAB_MAX)
		lab.vf[lab.n_vfs++] = *vf;
	return 0;
}

static inline int lab_discover(void)
{
	lab.n_pfs = lab.n_vfs = 0;
	lab.err = (struct vfk_err){ 0 };
	return lab.drv->discover(&lab.env, lab_pf, lab_vf, NULL, &lab.err);
}

/* The root is the same for all cases of a binary (paths are read once); what is in it is
 * new for each. */
static inline void lab_begin(const char *description)
{
	char cmd[256];

	if (!lab.root[0]) {
		snprintf(lab.root, sizeof(lab.root), "/tmp/vfk-sim-XXXXXX");
		CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(lab.root));
		setenv("VFKEEPER_ROOT", lab.root, 1);
		snprintf(lab.faults, sizeof(lab.faults), "%s/faults", lab.root);
		snprintf(lab.env.sim_path, sizeof(lab.env.sim_path), "%s/sim.conf",
			 lab.root);
		snprintf(lab.env.proc_root, sizeof(lab.env.proc_root), "/proc");
	}
	snprintf(cmd, sizeof(cmd), "rm -rf %s && mkdir %s", lab.root, lab.root);
	CU_ASSERT_EQUAL_FATAL(system(cmd), 0);
	setenv("VFKEEPER_BOOT_ID", "11111111-1111-1111-1111-111111111111", 1);
	lab_write(lab.env.sim_path, description);
	lab.drv = registry_find(&lab.env, "sim");
	CU_ASSERT_PTR_NOT_NULL_FATAL(lab.drv);
}

static inline void lab_end(void)
{
	char cmd[256];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", lab.root);
	CU_ASSERT_EQUAL(system(cmd), 0);
}

/* A call for VF 'i' as discover() found it: no pod, its baseline known. */
static inline struct drv_call lab_call(unsigned i)
{
	return (struct drv_call){ .env = &lab.env,
				  .addr = lab.vf[i].addr,
				  .pf = lab.vf[i].pf,
				  .index = lab.vf[i].index,
				  .incarnation = lab.vf[i].incarnation,
				  .netns_fd = -1,
				  .ifname = "net1",
				  .ifindex = lab.vf[i].ifindex,
				  .baseline = lab.vf[i].seen,
				  .deadline_boot_ns = clock_boot_ns() + 60 * NS_PER_S };
}

static inline int lab_step(enum drv_step step, const struct drv_call *call)
{
	lab.err = (struct vfk_err){ 0 };
	return lab.drv->step(step, call, &lab.out, &lab.err);
}

static inline int lab_observe(const struct drv_call *call, int32_t nsid)
{
	lab.err = (struct vfk_err){ 0 };
	return lab.drv->observe(call, nsid, &lab.out, &lab.err);
}

/* The step works, and a second time as well. */
#define LAB_TWICE(step, call)                                                            \
	do {                                                                             \
		SUITE_INT(lab_step(step, call), 0);                                      \
		SUITE_STR(lab.err.msg, "");                                              \
		SUITE_INT(lab_step(step, call), 0);                                      \
		SUITE_STR(lab.err.msg, "");                                              \
	} while (0)

#endif
