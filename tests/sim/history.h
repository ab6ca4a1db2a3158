/* SPDX-License-Identifier: Apache-2.0 */
/* A history: events in order, all of them made from one seed.  An event that does not fit is
 * nothing, so any of them can be left out (shrink.c). */
#ifndef VFK_TESTS_SIM_HISTORY_H
#define VFK_TESTS_SIM_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "rng.h"

/* X(name, how often, what it is) */
#define EVENTS(X)                                                                        \
	X(ADD, 200, "a runtime calls ADD")                                               \
	X(DEL, 120, "a runtime calls DEL")                                               \
	X(LATE_ADD, 8, "an ADD that began long ago")                                     \
	X(LATE_DEL, 12, "a DEL that began long ago")                                     \
	X(STATUS, 8, "a runtime calls STATUS")                                           \
	X(PASS, 150, "time passes")                                                      \
	X(POD_NEW, 40, "a pod goes, another comes")                                      \
	X(POD_SAME_ID, 8, "a pod comes again under the same ID")                         \
	X(NETNS_GONE, 30, "a namespace is removed")                                      \
	X(NETNS_SLOW, 5, "namespaces die slowly from now on")                            \
	X(NSID_LOST, 5, "events of namespaces are lost from now on")                     \
	X(CALLER_KILLED, 50, "a client is killed")                                       \
	X(ENGINE_KILLED, 30, "the engine is killed")                                     \
	X(ENGINE_CUT, 60, "the engine is killed in the middle of what it does")          \
	X(ENGINE_HANGS, 8, "the engine's loop hangs")                                    \
	X(SERVICE, 12, "systemd starts the service")                                     \
	X(GIVE_WAY, 8, "the engine is asked to give way")                                \
	X(WORKER_KILLED, 20, "a worker is killed")                                       \
	X(JOB_FAULT, 120, "a job will fail")                                             \
	X(IPAM_FAULT, 60, "a plugin will fail")                                          \
	X(OP_FAULT, 10, "the engine will lack something")                                \
	X(DISK_FULL, 12, "the disk is full")                                             \
	X(DISK_ROOM, 12, "the disk has room again")                                      \
	X(DISK_ROT, 4, "the disk forgets some bytes")                                    \
	X(REBOOT, 6, "the node reboots")                                                 \
	X(POWER_LOSS, 10, "the node loses power")                                        \
	X(SUSPEND, 6, "the node sleeps")                                                 \
	X(WALL_JUMP, 6, "somebody sets the clock")                                       \
	X(VF_VANISHES, 10, "a VF goes from the bus")                                     \
	X(VF_APPEARS, 12, "it comes back")                                               \
	X(VF_ANEW, 6, "a VF is made anew")                                               \
	X(VF_UNBOUND, 8, "an operator unbinds a VF")                                     \
	X(VF_REBOUND, 4, "an operator binds a VF anew")                                  \
	X(OPERATOR_SETS, 20, "an operator changes a VF")                                 \
	X(LINK_RENAMED, 8, "somebody renames a link at home")                            \
	X(LINK_TAKEN, 8, "somebody takes the link of a free VF away")                    \
	X(LINK_PUT, 8, "somebody puts the link of a free VF into a pod")                 \
	X(LINK_AWAY, 8, "somebody takes the link of a pod to another")                   \
	X(LINK_BACK, 10, "somebody moves a link home")                                   \
	X(NAME_TAKEN, 8, "an interface of that name is in the pod already")              \
	X(SQUATTER, 6, "a link at home has a VF's name")                                 \
	X(PORT, 8, "a port changes")                                                     \
	X(ADMIN_RELEASE, 8, "an administrator releases a VF")                            \
	X(ADMIN_RETRY, 8, "an administrator has a VF tried again")                       \
	X(CORDON, 5, "an administrator cordons a VF, a PF or the node")                  \
	X(UNCORDON, 8, "an administrator takes that back")                               \
	X(GC, 12, "a runtime collects what it does not hold valid")                      \
	/* A change from one plugin to another, and back: all of them, or none. */       \
	X(PEER_ADD, 40, "another plugin attaches a VF")                                  \
	X(PEER_DEL, 6, "another plugin releases what it has attached")                   \
	X(IMPORT, 25, "an administrator imports what others attached")                   \
	X(EXPORT, 3, "an administrator exports all that is attached")

enum event_kind {
#define X(name, often, text) EVENT_##name,
	EVENTS(X)
#undef X
		EVENT_N
};

struct event {
	uint8_t kind; /* enum event_kind */
	bool left_out;
	uint64_t word; /* everything else about it */
};

#define HISTORY_EVENTS 100

struct history {
	uint64_t seed;
	unsigned n;
	struct event events[HISTORY_EVENTS];
	/* The world it begins with. */
	unsigned n_vfs, kinds;
	bool sync_all, service;
	bool thorough; /* waits to the end even when all is at rest */
};

const char *event_name(enum event_kind kind);
bool event_find(const char *name, enum event_kind *out);

void history_make(struct history *h, uint64_t seed);
/* Plays it from its beginning to the end, in a world of its own.  False: a promise is broken
 * (story_broken). */
bool history_play(const struct history *h);

/* Pieces, for scripts and for the exhaustive run: */
void world_begin(const struct history *h);
void world_event(const struct event *ev);
void world_boot(bool orderly, struct rng *r); /* with no pods yet */
bool world_run(int64_t ns);		      /* lets time pass; false: broken */
bool world_calm(bool thorough, bool again);
void world_end(void);

#endif
