/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine finds when it starts, and what stays when it dies: the boot's ID, the files of
 * /run (recent DELs, the mark of what was written), and the machine, which is the same wherever
 * the simulator runs. */
#ifndef VFK_SIM_BOOT_H
#define VFK_SIM_BOOT_H

#include <stdint.h>

void boot_first(void);
void boot_again(void); /* the next one: /run is empty */
void boot_end(void);   /* frees what it holds */
const char *boot_id(void);

/* A killed engine runs to the end of its turn: what it writes after its death is taken back. */
void boot_mark_hold(void);
void boot_mark_back(void);

#endif
