/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the IPAM plugin that the engine asks for, in the process that the caller started
 * (R8), and keeps its result until the final answer (R9).  Layer: program. */
#ifndef VFK_VFKEEPER_RUNNER_H
#define VFK_VFKEEPER_RUNNER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/plugin.h"

#define RUNNER_MAX_RUNS 16 /* RUN frames of one request */

enum runner_state {
	RUNNER_IDLE,  /* nothing was asked yet */
	RUNNER_BUSY,  /* the plugin lives */
	RUNNER_RESULT /* it ended, or was never started: there is something to tell */
};

struct runner {
	enum runner_state state;
	uint64_t run_id;
	struct plugin_run plugin;
	int out_fd;
	enum run_outcome outcome; /* once it is killed: why */
	int status;
	bool killed;
	int inflight[RUNNER_MAX_RUNS]; /* kept to the end of the process */
	unsigned n_inflight;
};

void runner_init(struct runner *r);

/* Takes over 'fds' (frame_run says which) and starts the plugin, with 'stdin_fd' where
 * the frame brings none.  What cannot be run becomes a result.  VFK_E_DECODE: not a RUN
 * frame that can be carried out. */
int runner_start(struct runner *r, const struct frame_run *run, const int *fds,
		 unsigned n_fds, int stdin_fd, struct vfk_err *err) VFK_MUST_CHECK;

/* Ends the plugin and its group; the result follows when its pidfd is readable. */
void runner_kill(struct runner *r, enum run_outcome why);

/* To be called when the plugin's pidfd is readable. */
void runner_reap(struct runner *r);

/* Sends the result; it is kept, for the next engine.  VFK_E_SYS as frame_send. */
int runner_send(const struct runner *r, int sock, uint16_t version,
		struct vfk_err *err) VFK_MUST_CHECK;

#endif
