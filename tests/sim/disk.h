/* SPDX-License-Identifier: Apache-2.0 */
/* The disk: what a kill leaves (the page cache), what a loss of power leaves. */
#ifndef VFK_TESTS_SIM_DISK_H
#define VFK_TESTS_SIM_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "io/disk.h"
#include "rng.h"

#define FILE_BYTES (48 * 1024)

void disk_reset(void);
struct disk disk_ops(void);
/* fdatasync of one file: it works, or it fails and what was to be written is forgotten. */
void disk_sync(unsigned file);
void disk_sync_fails(unsigned file);
void disk_sync_unheard(void); /* nobody knows what came of it */
bool disk_cannot_sync(void); /* one failed, and none has worked since: no ADD is served (P10) */
/* An orderly end: all lands that is still to be written.  True: a sync had failed, and what it
 * was for is clean to the kernel, though only in the page cache. */
bool disk_settle(void);
void disk_cache_gone(void); /* the machine starts */
void disk_power_loss(struct rng *r);
/* The next ones fail; 0: there is room again.  True: there was none before. */
bool disk_full(int sys, unsigned n_writes);
bool disk_is_full(void);      /* and will be */
bool disk_rot(struct rng *r); /* some bytes of what is there; false: there is nothing */
/* Whether everything of 'file' before 'end' would outlive a loss of power now. */
bool disk_is_synced(unsigned file, uint64_t end);
unsigned disk_set_aside(void); /* files so far */

#endif
