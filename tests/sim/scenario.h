/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios: text that this simulator and a guest with a real kernel play alike, and that has
 * to end in the same states (HACKING, SCENARIOS; tests/kernel/suites/both-worlds.sh). */
#ifndef VFK_TESTS_SIM_SCENARIO_H
#define VFK_TESTS_SIM_SCENARIO_H

#include <stdbool.h>

#include "base/attr.h"
#include "kernel.h"

#define SCENARIO_WORDS 12

/* eth0, eth1: VFs of the Ethernet PF; ib0, ib1: of the InfiniBand one.  Pods are a to d. */
struct scenario_step {
	unsigned line, n;
	char *word[SCENARIO_WORDS];
};

/* Plays a file and prints its list.  False: it cannot be read, a promise is broken, or the list
 * is not the one that stands in the file, where it has one. */
bool scenario_play(const char *file, bool with_story);

/* --- what happens to the world in a step --- */

/* False: no such step. */
bool scenario_do(const struct scenario_step *s);
struct kvf *scenario_vf(const char *name); /* NULL: no such VF */
int scenario_pod(const char *name);	   /* -1: no such pod */
const char *scenario_vf_name(unsigned vf);
void scenario_bad(const char *fmt, ...) VFK_PRINTF(1, 2);
bool scenario_is_bad(void);
/* The value of a word KEY=VALUE, "" for KEY alone, or NULL. */
const char *scenario_value(const struct scenario_step *s, const char *key);
/* Only these are among the words from that number on: "mtu=" has a value, "keep" has none. */
void scenario_keys(const struct scenario_step *s, unsigned from, const char *keys);
void scenario_print(const char *fmt, ...) VFK_PRINTF(1, 2);

/* --- requests --- */
void scenario_call(const struct scenario_step *s, unsigned from, bool wait);
void scenario_await(void);
void scenario_leave(void); /* every attachment that was asked for is deleted */
void scenario_calls_reset(void);

/* --- looking --- */
/* From now on these are the VF's own settings, names and addresses. */
void scenario_take_own(unsigned vf);
void scenario_look(void);
const char *scenario_own_name(unsigned vf);

#endif
