/* SPDX-License-Identifier: Apache-2.0 */
/* P1 to P10 and R1 to R16 of vfkeeper-rules(7) as functions.  They look at the simulated
 * truth: the kernel, what stands in the journal's files, what IPAM has leased, what callers
 * said and heard; never at what the engine believes.  Some are asked at the moment that they
 * are about (a job is sent, the kernel is changed, a record is written, an answer is given),
 * promise_step after every event, promise_end when everything has come to rest. */
#ifndef VFK_TESTS_SIM_PROMISES_H
#define VFK_TESTS_SIM_PROMISES_H

#include <stdbool.h>

#include "engine/engine.h"
#include "kernel.h"

void promises_reset(bool sync_all);
void promise_calm(void); /* no faults any more, and every pod goes */

/* --- moments --- */
void promise_job(const struct job_req *rq, const int *fds, unsigned n_fds);
void promise_change(struct kvf *v, const struct job_req *rq);
void promise_run(unsigned claim, uint64_t nonce, const struct frame_run *run,
		 const int *fds, unsigned n_fds);
/* The engine has a client or a worker run IPAM DEL for this lease, now or later. */
void promise_pay_wanted(uint64_t lease);
/* A plugin begins for this lease with this configuration. */
void promise_runs(uint64_t lease, unsigned claim, bool del, const char *text);
/* A plugin was told to ask for this lease, or to pay it, within what its deadlines come to. */
bool promise_asked_lately(uint64_t lease);
void promise_asked_forget(void); /* numbers are given out anew */
/* IPAM DEL takes effect. */
void promise_pays(unsigned claim, uint64_t lease);
void promise_answer(enum cni_verb verb, unsigned claim, unsigned vf, uint64_t start_ns,
		    int exit_code, const char *text, size_t len);
void promise_replay_begins(void);
void promise_replayed(const struct journal_record *rec);
void promise_replayed_all(enum journal_verdict verdict);
void promise_begun(void);
void promise_looked(void); /* the engine is told of every VF there is */
/* The engine reads the end of the connection of an ADD. */
void promise_caller_gone(unsigned claim, uint64_t start_ns);
void promise_power_loss(void);
void promise_rot(void);	    /* bytes of the journal were changed */
void promise_no_disk(void); /* writes fail: what cannot be recorded is excused (P10) */
void promise_released(unsigned vf); /* by an administrator */
void promise_reboot(void);

/* Something is lost, or cannot be recorded: what is judged by records is open. */
bool promise_excused(void);
/* Since then what is on record has its promises, but not what is compared with what was. */
bool promise_damaged(void);

void promise_step(void);
void promise_end(void);
/* Nothing is on its way: all is FREE, ABSENT, ATTACHED or FAULTED, and IPAM agrees. */
bool promise_at_rest(void);
/* The record of this VF says that it is free. */
bool promise_free(const struct kvf *v);
bool promise_attached(const struct kvf *v);
/* The claim whose VF this is on record; SIM_CLAIMS: nobody's. */
unsigned promise_owner(const struct kvf *v);

bool settings_same(const struct vf_settings *a, const struct vf_settings *b);
/* What an ADD asked for and the VF has not, NULL: nothing; its link is in the pod. */
const char *settings_missing(const struct kvf *v, const struct vf_settings *want);

#endif
