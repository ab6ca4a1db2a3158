/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine of one VF.  Pure: no I/O, clock, log or allocation.  Layer: fsm.
 * Drawn from the rows by 'vfctl fsm vf' (tests/check-fsm-man.sh holds it to that):
 *
 * begin vf diagram
 *   FREE
 *     +-- BASELINE ---------------------------------------------------> FREE
 *     +-- ADD --------------------------------------------------------> RESERVED
 *     +-- IMPORTED ---------------------------------------------------> ATTACHED
 *     +-- ADOPT, RETURNED --------------------------------------------> DETACHING
 *     +-- TAKEN [is_foreign] -----------------------------------------> FAULTED
 *     +-- VANISHED, REBOOT -------------------------------------------> ABSENT
 *   RESERVED
 *     +-- STEP -------------------------------------------------------> RESERVED
 *     +-- SETUP_DONE -------------------------------------------------> ATTACHED
 *     +-- SETUP_FAILED, TIMEOUT, DEL, GC, CALLER_GONE, REPLAY, -------> DETACHING
 *     |   NETNS_GONE, ADMIN_RELEASE, FATAL
 *     +-- VANISHED, REBOOT -------------------------------------------> ABSENT
 *   ATTACHED
 *     +-- DEL, GC, NETNS_GONE, RETURNED, ADMIN_RELEASE ---------------> DETACHING
 *     +-- EXPORTED [is_foreign] --------------------------------------> FAULTED
 *     +-- VANISHED, REBOOT -------------------------------------------> ABSENT
 *   DETACHING
 *     +-- RESTORE_DONE -----------------------------------------------> FREE
 *     +-- STEP -------------------------------------------------------> DETACHING
 *     +-- GAVE_UP, FATAL, TIMEOUT ------------------------------------> FAULTED
 *     +-- VANISHED, REBOOT -------------------------------------------> ABSENT
 *   FAULTED
 *     +-- HOME [is_foreign] ------------------------------------------> FREE
 *     +-- IMPORTED [is_foreign] --------------------------------------> ATTACHED
 *     +-- RETRY [is_ours], ADMIN_RETRY [is_ours], --------------------> DETACHING
 *     |   PF_RECOVERED [is_ours], DEL, GC, ADMIN_RELEASE, ADOPT,
 *     |   STALE [is_foreign]
 *     +-- VANISHED, REBOOT -------------------------------------------> ABSENT
 *   ABSENT
 *     +-- APPEARED ---------------------------------------------------> FREE
 *     +-- STALE ------------------------------------------------------> DETACHING
 *     +-- APPEARED [is_foreign] --------------------------------------> FAULTED
 * end vf diagram
 *
 * The table in vf.c is the only place where a transition exists; vfctl fsm, the man page
 * and the tests derive from it. */
#ifndef VFK_FSM_VF_H
#define VFK_FSM_VF_H

#include <stdbool.h>
#include <stddef.h>

/* X(NAME, value on disk): values are for ever (proto/journal.proto says the same). */
#define VF_STATES(X)                                                                     \
	X(FREE, 1)                                                                       \
	X(RESERVED, 2)                                                                   \
	X(ATTACHED, 3)                                                                   \
	X(DETACHING, 4)                                                                  \
	X(FAULTED, 5)                                                                    \
	X(ABSENT, 6)

#define VF_EVENTS(X)                                                                     \
	X(ADD, 1)	     /* an ADD passed the fence */                               \
	X(SETUP_DONE, 2)     /* every step of the attach plan is done */                 \
	X(SETUP_FAILED, 3)   /* a step, the IPAM or the deadline failed the ADD */       \
	X(DEL, 4)	     /* the owner's DEL */                                       \
	X(GC, 5)	     /* CNI GC says that the owner is not valid */               \
	X(CALLER_GONE, 6)    /* the ADD's client ended before the answer */              \
	X(REPLAY, 7)	     /* a new engine found a half-done ADD */                    \
	X(NETNS_GONE, 8)     /* the owner's network namespace is provably gone */        \
	X(RETURNED, 9)	     /* the link is at home, but nobody released it so */        \
	X(ADMIN_RELEASE, 10) /* vfctl release */                                         \
	X(RESTORE_DONE, 11)  /* every step of the detach plan is done and verified */    \
	X(GAVE_UP, 12)	     /* the detach plan failed too often */                      \
	X(FATAL, 13)	     /* the device cannot be used */                             \
	X(RETRY, 14)	     /* the engine tries a faulted VF again */                   \
	X(ADMIN_RETRY, 15)   /* vfctl retry */                                           \
	X(PF_RECOVERED, 16)  /* the PF works again */                                    \
	X(VANISHED, 17)	     /* the VF is gone from the bus */                           \
	X(REBOOT, 18)	     /* the first engine of a boot */                            \
	X(APPEARED, 19)	     /* discovery found the VF */                                \
	X(ADOPT, 20)	     /* a DEL found its link on a VF without owner */            \
	X(HOME, 21)	     /* the link of a foreign VF came home by itself */          \
	X(TIMEOUT, 22)	     /* the plan's deadline passed */                            \
	X(STEP, 23)	     /* a step of the plan was begun or done */                  \
	X(BASELINE, 24)	     /* an operator changed a free VF: new baseline */           \
	X(TAKEN, 25)	     /* a free VF was found in use by somebody else */           \
	X(IMPORTED, 26)	     /* vfctl import: another plugin's file says whose it is */  \
	X(EXPORTED, 27)	     /* vfctl export: another plugin has it from now on */       \
	X(STALE, 28)	     /* it came back with what an attachment was given */

enum vf_state {
#define X(name, value) VF_##name = (value),
	VF_STATES(X)
#undef X
};

enum vf_event {
#define X(name, value) VF_EV_##name = (value),
	VF_EVENTS(X)
#undef X
};

/* What a transition asks for, acted on in bit order; JOURNAL first, always. */
#define VF_TODOS(X)                                                                      \
	X(JOURNAL, 0) /* write the record before anything else */                        \
	X(SETUP, 1)   /* run the attach plan */                                          \
	X(RESTORE, 2) /* run the detach plan */                                          \
	X(CAPTURE, 3) /* take the VF's settings as its baseline */                       \
	X(ALARM, 4)   /* a person has to know: log, metric, doctor */                    \
	X(REPLY, 5)   /* answer whoever waits for this VF */                             \
	X(FORGET, 6)  /* owner and plan are void; of an ABSENT VF the baseline too */

enum vf_todo {
#define X(name, bit) VF_DO_##name = 1 << (bit),
	VF_TODOS(X)
#undef X
};

/* What the guards may look at. */
struct vf_fsm {
	enum vf_state state;
	/* In use by somebody who has no record (R14).  Set by the caller before APPEARED, TAKEN
	 * and EXPORTED, kept while FAULTED, cleared by vf_step in every other state. */
	bool foreign;
};

struct vf_row {
	enum vf_state from;
	enum vf_event event;
	bool (*guard)(const struct vf_fsm *vf); /* NULL: always */
	const char *guard_name;			/* NULL without guard */
	enum vf_state to;
	unsigned todo; /* enum vf_todo bits */
};

extern const struct vf_row vf_rows[];
extern const size_t vf_n_rows;

/* Takes the first row of (state, event) whose guard holds and stores its todo bits.
 * False: there is none, 'vf' and 'todo' are unchanged. */
bool vf_step(struct vf_fsm *vf, enum vf_event event, unsigned *todo);

const char *vf_state_name(enum vf_state state); /* "FREE"; "?" for an unknown value */
const char *vf_event_name(enum vf_event event);
const char *vf_todo_name(enum vf_todo bit);
bool vf_state_valid(int value);
bool vf_event_valid(int value);

#endif
