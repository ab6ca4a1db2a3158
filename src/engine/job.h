/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs: everything the engine does to the world, as messages to worker processes.  Plain
 * structs: sender and receiver are the same program image.  Layer: engine. */
#ifndef VFK_ENGINE_JOB_H
#define VFK_ENGINE_JOB_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "drivers/driver.h"
#include "drivers/pod.h"

#define JOB_KINDS(X)                                                                     \
	X(SYNC, 1)  /* fds: [file, directory?]; fdatasync */                             \
	X(STEPS, 2) /* fds: [inflight, netns?, inflight?]; steps of one VF, in order */  \
	X(OBSERVE, 3)  /* fds: [inflight, netns?]; where is the VF, what is set */       \
	X(IDENTIFY, 4) /* fds: [netns]; which VF is this link */                         \
	X(DISCOVER, 5) /* fds: [memfd for struct job_found records] */                   \
	X(IPAM, 6)     /* fds: [inflight, stdin, env]; run the plugin's DEL */           \
	X(CHECK, 7)    /* fds: [netns]; is the VF's link as the call and 'expect' say */ \
	X(PORTS, 8)    /* the ports of PF call.pf */                                     \
	X(IMPORT, 9)   /* fds: [netns]; is the VF there; its id, as of LINK_TO_POD */

enum job_kind {
#define X(name, value) JOB_##name = (value),
	JOB_KINDS(X)
#undef X
};

struct job_req {
	uint64_t id;
	uint8_t kind; /* enum job_kind */
	uint8_t has_netns;
	char driver[16];
	int64_t deadline_boot_ns;
	uint32_t steps; /* STEPS: bits by enum drv_step */
	int32_t nsid;	/* OBSERVE */
	struct drv_env env;
	struct drv_call call; /* pointers are void; ips and routes follow the struct */
	char plugin[512];     /* IPAM: path */
	uint64_t lease_id;    /* IPAM */
	struct pod_expect expect; /* CHECK */
	struct log_levels log;	  /* as the engine's are now */
	uint8_t log_format, log_target;
};

struct job_res {
	uint64_t id;
	uint8_t kind;
	uint32_t done;	      /* STEPS: bits that succeeded */
	uint32_t failed_step; /* STEPS: the first that did not, if err.kind */
	pci_addr_t addr;      /* IDENTIFY */
	char driver[16];      /* IDENTIFY */
	uint8_t taken;	      /* STEPS: the driver was taken off, and has to come back */
	uint8_t differs;      /* CHECK: err names what is not as expected */
	struct drv_out out;
	struct drv_pf pf;   /* PORTS */
	struct vfk_err err; /* kind 0: all well */
};

/* DISCOVER writes an array of these into the memfd. */
struct job_found {
	uint8_t is_pf;
	char driver[16];
	union {
		struct drv_pf pf;
		struct drv_vf vf;
	};
};

const char *job_kind_name(enum job_kind kind);

/* The worker's side: a worker_fn (io/spawner.h). */
size_t job_run(const void *job, size_t len_bytes, const int *fds, unsigned n_fds,
	       void *result);

#endif
