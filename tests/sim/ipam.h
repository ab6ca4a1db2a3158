/* SPDX-License-Identifier: Apache-2.0 */
/* IPAM plugins and what they have leased.  An address belongs to a container and interface,
 * as host-local has it. */
#ifndef VFK_TESTS_SIM_IPAM_H
#define VFK_TESTS_SIM_IPAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/frame.h"
#include "engine/job.h"

#define SIM_ADDRESSES 64

struct address {
	bool used;
	unsigned claim; /* whose */
	int64_t since_ns;
};

extern struct address addresses[SIM_ADDRESSES];

typedef void (*ipam_end_fn)(uint64_t owner, uint64_t gen, enum run_outcome outcome,
			    int status);

void ipam_reset(void);
void ipam_boot(void); /* every plugin is gone, what is leased stays */

/* A plugin that a client runs; its output is in ipam_output until the next one of the same
 * client begins. */
void ipam_start(uint64_t owner, uint64_t gen, enum cni_verb verb, uint64_t lease,
		unsigned claim, ipam_end_fn end);
/* GC: addresses of the network of 'claim' that are older than 'start_ns' and of none of
 * 'valid' are given back.  The specification has a runtime hold back ADDs meanwhile. */
void ipam_start_gc(uint64_t owner, uint64_t gen, unsigned claim, uint64_t valid,
		   uint64_t start_ns, ipam_end_fn end);
void ipam_start_job(uint64_t owner, uint64_t gen, const struct job_req *rq,
		    const int *fds, unsigned n_fds, ipam_end_fn end);
/* The plugin and its group are ended; nothing is said any more. */
void ipam_kill(uint64_t owner, uint64_t gen);
void ipam_kill_job(uint64_t gen); /* that a worker runs */
const char *ipam_output(uint64_t owner);
bool ipam_runs(uint64_t lease);
void ipam_release(void); /* whatever hangs ends */
uint64_t ipam_hash(void);
unsigned ipam_held(unsigned claim); /* addresses of an attachment */
/* As a plugin of another make has them leased and given back.  False: none is left. */
bool ipam_lease(unsigned claim);
void ipam_forget(unsigned claim);

#endif
