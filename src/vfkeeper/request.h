/* SPDX-License-Identifier: Apache-2.0 */
/* What the caller gave, gathered once: standard input, environment, network namespace,
 * and who is asking.  Nothing of it is interpreted here.  Layer: program. */
#ifndef VFK_VFKEEPER_REQUEST_H
#define VFK_VFKEEPER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/frame.h"

struct request {
	struct frame_request frame; /* all but version, attempt and the run fields */
	int fds[FRAME_MAX_FDS]; /* stdin, environment, netns: as the frame names them */
	unsigned n_fds;
	const char *verb; /* text of CNI_COMMAND */
};

/* Puts empty files where standard descriptors are closed, so that nothing that is
 * opened later gets one of their numbers.  Returns false if standard input was closed.
 */
bool request_fill_std_fds(void);

/* Reads standard input to its end, but not beyond 'until_ns' (CLOCK_BOOTTIME).  The
 * descriptors stay open as long as the process.  VFK_E_SYS: reading or a system call
 * failed, or too much input; VFK_E_USAGE: too large an environment; VFK_E_TIMEOUT. */
int request_gather(struct request *rq, enum cni_verb verb, const char *verb_text,
		   enum cni_dialect dialect, int64_t until_ns,
		   struct vfk_err *err) VFK_MUST_CHECK;

/* Whether an environment string belongs to the request: CNI_*, K8S_* and proxy
 * variables. */
bool request_owns_var(const char *var);

#endif
