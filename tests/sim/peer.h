/* SPDX-License-Identifier: Apache-2.0 */
/* The plugins that vfkeeper takes the place of, ib-sriov-cni and sriov-cni: what they attach and
 * release, the file that they keep of it; and an administrator's vfctl import and export. */
#ifndef VFK_TESTS_SIM_PEER_H
#define VFK_TESTS_SIM_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/frame.h"
#include "kernel.h"
#include "rng.h"
#include "shadow.h"

void peers_reset(void);
void peers_boot(void);	/* files stay */
void peers_leave(void); /* whatever they still have, they release */

/* A runtime has the plugin that it still knows attach this free VF, or release one. */
void peer_add(struct rng *r, struct kvf *v);
void peer_del_any(struct rng *r);
/* Somebody else has changed the VF: what it was like before is open. */
void peer_disturbed(const struct kvf *v);

/* vfctl, which asks the engine as a client does for each file; and the way back. */
void peers_import(struct rng *r);
void peers_export(void);

/* The attachment is theirs: its file is there, or they are at it. */
bool peer_holds(unsigned claim);
/* What vfctl sends of a file. */
const char *peer_file(unsigned claim);
enum cni_dialect peer_dialect(unsigned claim);

/* --- moments --- */
void peer_answered(unsigned claim, int exit_code); /* the engine says it */
void peer_heard(unsigned claim, int exit_code);	   /* and vfctl reads it, or has gone */
void peer_imported(struct kvf *v, const struct shadow_vf *s);
void peer_exported(struct kvf *v, const struct shadow_vf *s);

#endif
