/* SPDX-License-Identifier: Apache-2.0 */
/* A history that breaks a promise, made as short as it can be. */
#ifndef VFK_TESTS_SIM_SHRINK_H
#define VFK_TESTS_SIM_SHRINK_H

#include "history.h"

/* Leaves events out as long as the same promise is broken.  Returns how many are left. */
unsigned shrink(struct history *h);
/* "3,5,9-12": only these events.  False: not such a list. */
bool shrink_keep(struct history *h, const char *list);
/* The list of those that are left, for shrink_keep; to standard output. */
void shrink_print_keep(const struct history *h);

#endif
