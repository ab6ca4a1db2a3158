/* SPDX-License-Identifier: Apache-2.0 */
/* The sources of events: opens them, reads them in the loop and tells the engine.  None is
 * needed: one that cannot be opened is a warning.  Layer: engine. */
#ifndef VFK_ENGINE_EVENTS_H
#define VFK_ENGINE_EVENTS_H

#include "engine/engine.h"
#include "engine/sources.h"
#include "io/loop.h"
#include "io/nl.h"
#include "io/uevent.h"

struct events; /* owns every descriptor of a source; loop thread only */

/* Opens those of 'wanted' (bits by enum event_source); 'ports' is the socket of the port watcher
 * (-1: there is none), the caller's.  This asks the kernel for a number
 * (devlink's) and waits for it: before the loop runs.  NULL: out of memory, and a warning. */
struct events *events_open(struct loop *loop, struct engine *engine,
			   const struct config *config, int ports);
void events_free(struct events *ev); /* NULL allowed */
/* Takes in what has come so far.  To be called before the engine is told that a job is over:
 * what the job did made events, too, and by then they are known for its doing. */
void events_drain(struct events *ev); /* NULL allowed */
/* Once per turn: has the ports of the PFs that are known listened to. */
void events_turn(struct events *ev);				  /* NULL allowed */
const struct event_count *events_counts(const struct events *ev); /* by enum event_source */

/* For tests: one message of a source. */
void events_route(struct events *ev, int nsid, const struct nlmsghdr *msg);
void events_rdma(struct events *ev, const struct nlmsghdr *msg);
void events_devlink(struct events *ev, const struct nlmsghdr *msg);
void events_device(struct events *ev, const struct uevent *ue, bool from_udev);
struct events *events_new(struct engine *engine);

#endif
