/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine of what a foreign IPAM plugin leased to one attachment.  It outlives
 * the VF's ownership: a stuck IPAM never keeps a VF.  Pure.  Layer: fsm.
 *
 * Drawn from the rows by 'vfctl fsm lease':
 *
 * begin lease diagram
 *   NONE
 *     +-- ASK --------------------------------------------------------> ASKED
 *     +-- IMPORTED ---------------------------------------------------> HELD
 *     +-- ANSWERED, ADOPT --------------------------------------------> OWED
 *   ASKED
 *     +-- NOT_RUN ----------------------------------------------------> NONE
 *     +-- ANSWERED ---------------------------------------------------> HELD
 *     +-- FAILED, TIMEOUT, DEL, CALLER_GONE, REPLAY, SETUP_FAILED, ---> OWED
 *         GC, NETNS_GONE, ADMIN_RELEASE, REBOOT
 *   HELD
 *     +-- EXPORTED ---------------------------------------------------> NONE
 *     +-- SETUP_FAILED, TIMEOUT, DEL, GC, NETNS_GONE, CALLER_GONE, ---> OWED
 *         REPLAY, ADMIN_RELEASE, REBOOT
 *   OWED
 *     +-- PAID -------------------------------------------------------> NONE
 *     +-- ANSWERED, UNPAID -------------------------------------------> OWED
 * end lease diagram
 */
#ifndef VFK_FSM_LEASE_H
#define VFK_FSM_LEASE_H

#include <stdbool.h>
#include <stddef.h>

#define LEASE_STATES(X)                                                                  \
	X(NONE, 1)  /* nothing is leased */                                              \
	X(ASKED, 2) /* IPAM ADD may have been run: whatever comes, it may be leased */   \
	X(HELD, 3)  /* IPAM ADD answered with addresses */                               \
	X(OWED, 4)  /* IPAM DEL has to be run */

#define LEASE_EVENTS(X)                                                                  \
	X(ASK, 1)                                                                        \
	X(ANSWERED, 2)                                                                   \
	X(FAILED, 3)                                                                     \
	X(TIMEOUT, 4)                                                                    \
	X(DEL, 5)                                                                        \
	X(CALLER_GONE, 6)                                                                \
	X(REPLAY, 7)                                                                     \
	X(SETUP_FAILED, 8)                                                               \
	X(GC, 9)                                                                         \
	X(NETNS_GONE, 10)                                                                \
	X(ADMIN_RELEASE, 11)                                                             \
	X(REBOOT, 12)                                                                    \
	X(PAID, 13)    /* IPAM DEL succeeded */                                          \
	X(UNPAID, 14)  /* IPAM DEL failed or was ended: tried again later */             \
	X(NOT_RUN, 15) /* the plugin of IPAM ADD was never started: nothing is leased */ \
	X(ADOPT, 16) /* a DEL without a lease record has to pay with its own request */  \
	X(IMPORTED, 17) /* vfctl import: another plugin had IPAM lease it */             \
	X(EXPORTED, 18) /* vfctl export: another plugin has IPAM release it */

enum lease_state {
#define X(name, value) LEASE_##name = (value),
	LEASE_STATES(X)
#undef X
};

enum lease_event {
#define X(name, value) LEASE_EV_##name = (value),
	LEASE_EVENTS(X)
#undef X
};

#define LEASE_TODOS(X)                                                                   \
	X(JOURNAL, 0)  /* write the record before anything else */                       \
	X(SYNC, 1)     /* and wait until it is on the disk */                            \
	X(RUN, 2)      /* run IPAM ADD */                                                \
	X(PAY, 3)      /* run IPAM DEL as soon as the lease's byte and the link allow */ \
	X(BACK_OFF, 4) /* run IPAM DEL again later */                                    \
	X(FORGET, 5)   /* the lease's record is history */

enum lease_todo {
#define X(name, bit) LEASE_DO_##name = 1 << (bit),
	LEASE_TODOS(X)
#undef X
};

struct lease_row {
	enum lease_state from;
	enum lease_event event;
	enum lease_state to;
	unsigned todo; /* enum lease_todo bits */
};

extern const struct lease_row lease_rows[];
extern const size_t lease_n_rows;

/* False: no such row, nothing is changed. */
bool lease_step(enum lease_state *state, enum lease_event event, unsigned *todo);

const char *lease_state_name(enum lease_state state);
const char *lease_event_name(enum lease_event event);
const char *lease_todo_name(enum lease_todo bit);
bool lease_state_valid(int value);
bool lease_event_valid(int value);

#endif
