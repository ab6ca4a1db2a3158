/* SPDX-License-Identifier: Apache-2.0 */
/* The real world behind struct engine_ops, as far as it needs neither loop nor sockets.
 * Layer: engine. */
#ifndef VFK_ENGINE_WORLD_H
#define VFK_ENGINE_WORLD_H

#include "engine/engine.h"

/* Fills the members that look at the machine: clocks, inflight, memfds, plugins, netns.
 * They expect '*world' as ctx's first member. */
struct world {
	int inflight_fd; /* of PATH_INFLIGHT, to ask who holds a byte */
};

int world_open(struct world *w, struct engine_ops *ops, struct vfk_err *err) VFK_MUST_CHECK;
void world_close(struct world *w);

#endif
