/* SPDX-License-Identifier: Apache-2.0 */
/* What an administrator says with vfctl, and what must hold because of it. */
#ifndef VFK_TESTS_SIM_ADMIN_H
#define VFK_TESTS_SIM_ADMIN_H

#include <stdbool.h>

#include "kernel.h"
#include "rng.h"

void admin_reset(void);
void admin_release(const struct kvf *v); /* --force */
void admin_retry(const struct kvf *v);
/* False: there is no engine to say it to, or it says no. */
bool admin_uncordon_all(void);
/* As vfctl export begins. */
bool admin_cordon_node(void);
void admin_cordon(struct rng *r, bool on); /* the node, a PF or a VF */
void admin_forget(void);		   /* the journal may have lost what was said */
/* It was said, and recorded, that no ADD gets it. */
bool admin_is_cordoned(const struct kvf *v);

#endif
