/* SPDX-License-Identifier: Apache-2.0 */
/* What goes wrong, and when: each fault is armed by an event of the history and hits the
 * next thing that it fits. */
#ifndef VFK_TESTS_SIM_FAULTS_H
#define VFK_TESTS_SIM_FAULTS_H

#include <stdbool.h>

#include "base/clock.h"
#include "engine/job.h"

/* How a job can fail. */
#define JOB_FAILS(X)                                                                     \
	X(ERROR, "fails")                                                                \
	X(SLOW, "takes long")                                                            \
	X(LATE, "is later than its deadline")                                            \
	X(STUCK, "hangs in the kernel, whatever becomes of its worker")                  \
	X(HANGS, "sleeps until its worker is ended")                                     \
	X(DIES, "dies with its worker")                                                  \
	X(REFUSED, "cannot be sent")                                                     \
	X(ORPHAN, "goes on after its engine's death")

enum job_fail {
	JF_NONE,
#define X(name, text) JF_##name,
	JOB_FAILS(X)
#undef X
		JF_N
};

struct job_fault {
	enum job_fail fail;
	int sys;	 /* ERROR: errno */
	unsigned writes; /* changes that are made before it hits */
};

void faults_reset(void);
void fault_arm(enum job_kind kind, enum job_fail fail, int sys, unsigned writes);
/* The fault of a job that begins, JF_NONE mostly. */
struct job_fault fault_take(enum job_kind kind);

/* Ends of IPAM plugins, for ADD and DEL. */
#define IPAM_FAILS(X)                                                                    \
	X(FAILS, "fails and has done nothing")                                           \
	X(FAILS_LATE, "fails after it has done it")                                      \
	X(DIES, "is killed before it does anything")                                     \
	X(DIES_LATE, "is killed after it has done it")                                   \
	X(LIES, "says something that is no answer")                                      \
	X(EMPTY, "says that it has no address")                                          \
	X(HANGS, "hangs before it does anything")                                        \
	X(HANGS_LATE, "hangs after it has done it")                                      \
	X(SLOW, "takes long")                                                            \
	X(MISSING, "is not where it should be")

enum ipam_fail {
	IF_NONE,
#define X(name, text) IF_##name,
	IPAM_FAILS(X)
#undef X
		IF_N
};

void fault_arm_ipam(enum ipam_fail fail, bool del);
enum ipam_fail fault_take_ipam(bool del);

/* Calls of struct engine_ops that fail. */
#define OP_FAILS(X)                                                                      \
	X(MEMFD, "no descriptor is left")                                                \
	X(RUN, "a frame cannot be sent")                                                 \
	X(LOCK, "inflight cannot be locked")

enum op_fail {
#define X(name, text) OF_##name,
	OP_FAILS(X)
#undef X
		OF_N
};

void fault_arm_op(enum op_fail fail);
bool fault_take_op(enum op_fail fail);

/* Commands of a card, by the member of struct vf_settings that they set ("bind": the probe of
 * a VF). */
#define CARD_SLOW_NS (3 * NS_PER_S)
enum card {
	CARD_DOES,
	CARD_FAILS,   /* with 'sys' */
	CARD_FORGETS, /* says that it has done it */
	CARD_SLOW     /* it will do it, but not now */
};
void fault_arm_card(const char *command, enum card what, int sys, unsigned times);
enum card fault_take_card(const char *command, int *sys);
bool fault_card_met(void); /* the one armed last */

/* From now on nothing fails any more. */
void faults_end(void);

#endif
