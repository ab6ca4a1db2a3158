/* SPDX-License-Identifier: Apache-2.0 */
/* Time as nanoseconds.  Layer: base. */
#ifndef VFK_BASE_CLOCK_H
#define VFK_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

int64_t clock_boot_ns(void); /* CLOCK_BOOTTIME: goes on through suspend */
int64_t clock_wall_ns(void); /* CLOCK_REALTIME */
/* Milliseconds until then (of CLOCK_BOOTTIME), for poll: rounded up, 0 once it has come. */
int clock_left_ms(int64_t until_boot_ns);

/* The start of the calling process, in nanoseconds of CLOCK_BOOTTIME: within the clock tick
 * of field 22 of /proc/self/stat, and in that tick the time of this call (R12: call
 * it first thing in main).  Without a readable /proc, the time of this call. */
uint64_t clock_start_ns(void);

#define BOOT_ID_LEN 36
/* Reads /proc/sys/kernel/random/boot_id (or 'VFKEEPER_BOOT_ID' of the environment, for
 * tests and demos that play a reboot; only honoured together with VFKEEPER_ROOT).
 * Returns 0, or -1: 'id' is then "". */
int clock_boot_id(char id[BOOT_ID_LEN + 1]);

#endif
