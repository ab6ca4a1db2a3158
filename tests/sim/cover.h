/* SPDX-License-Identifier: Apache-2.0 */
/* What the histories of a run have come to: rows of the tables, faults, jobs and how they
 * fail.  What nobody came to is a failure of the run. */
#ifndef VFK_TESTS_SIM_COVER_H
#define VFK_TESTS_SIM_COVER_H

#include <stdbool.h>

#include "engine/job.h"
#include "faults.h"
#include "history.h"

void cover_job(enum job_kind kind, enum job_fail fail);
void cover_ipam(enum ipam_fail fail, bool del);
void cover_op(enum op_fail fail);
void cover_event(enum event_kind kind);
/* Prints what is not covered, returns how much; 'n_all' gets how much there is. */
unsigned cover_report(unsigned *n_all);
/* For runs in several processes: the counts as bytes, and added to others. */
extern const unsigned cover_bytes;
void *cover_data(void);
void cover_add(const void *data);

#endif
